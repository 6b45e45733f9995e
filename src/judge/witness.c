#include "judge/witness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text that grows; `failed` once memory was short. */
typedef struct {
    char *data;
    size_t length, capacity;
    bool failed;
} text;

__attribute__((format(printf, 2, 3))) static void append(text *t, const char *format, ...)
{
    char piece[512];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);
    size_t length = n < 0 ? 0 : (size_t)n < sizeof piece ? (size_t)n : sizeof piece - 1;
    while (!t->failed && t->length + length + 1 > t->capacity)
        t->failed = !ev_array_reserve(&t->data, t->capacity, &t->capacity, 1);
    if (t->failed)
        return;
    memcpy(t->data + t->length, piece, length + 1);
    t->length += length;
}

/* The shortest of 15 or 17 digits that reads back as the same double. */
static void append_number(text *t, double x)
{
    char digits[40];
    snprintf(digits, sizeof digits, "%.15g", x);
    double back = strtod(digits, NULL);
    if (back < x || back > x)
        snprintf(digits, sizeof digits, "%.17g", x);
    append(t, "%s", digits);
}

/* Entries in rows of `row`. */
static void append_values(text *t, const double *x, size_t n, size_t row, const char *brackets)
{
    append(t, "%c", brackets[0]);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            append(t, "%s", i % row == 0 ? "; " : ", ");
        append_number(t, x[i]);
    }
    append(t, "%c", brackets[1]);
}

static size_t row_length(const ev_symbol *symbol, size_t count, const long *integers)
{
    ev_dim dim = symbol->rank == 2 ? symbol->cols : symbol->rows;
    if (symbol->rank == 0)
        return symbol->is_sample ? 1 : count;
    long row = dim.offset + (dim.symbol < 0 ? 0 : dim.multiplier * integers[dim.symbol]);
    return row > 0 ? (size_t)row : 1;
}

static void append_slot(text *t, const ev_slot *slot, const ev_symbol *symbol, const long *integers,
                        const double *inputs)
{
    append(t, "%s%s = ", t->length > 0 ? ", " : "", symbol->name);
    if (symbol->kind == EV_SYMBOL_FUNCTION)
        append_values(t, inputs + slot->first, slot->count, slot->count, "[]");
    else if (symbol->rank == 0 && slot->count == 1)
        append_number(t, inputs[slot->first]);
    else
        append_values(t, inputs + slot->first, slot->count,
                      row_length(symbol, slot->count, integers), "()");
}

static bool shown(const ev_slot *slot, const bool *used)
{
    for (size_t i = 0; i < slot->count; i++)
        if (used[slot->first + i])
            return true;
    return false;
}

const char *ev_witness_text(const ev_symbol_table *table, size_t integer_count,
                            const int *integer_symbols, const long *integers,
                            const ev_case *instance, const bool *used, const double *inputs,
                            ev_arena *arena)
{
    text t = {.data = NULL};
    append(&t, "%s", "");
    for (size_t i = 0; i < integer_count; i++)
        append(&t, "%s%s = %ld", i > 0 ? ", " : "", table->symbols[integer_symbols[i]].name,
               integers[integer_symbols[i]]);
    for (size_t i = 0; i < instance->slot_count; i++) {
        const ev_slot *slot = &instance->slots[i];
        const ev_symbol *symbol = &table->symbols[slot->symbol];
        if (symbol->kind != EV_SYMBOL_CONSTANT && shown(slot, used))
            append_slot(&t, slot, symbol, integers, inputs);
    }
    const char *copy = t.failed ? NULL : ev_arena_text(arena, t.data, t.length);
    free(t.data);
    return copy;
}

bool ev_witness_inputs(const ev_case *instance, size_t count, const ev_node *roots, bool *used)
{
    const ev_graph *graph = instance->graph;
    size_t size = ev_graph_size(graph) + 2, depth = 0, capacity = 0;
    bool *seen = calloc(size, sizeof *seen), fine = seen != NULL;
    ev_node *stack = NULL;
    for (size_t i = 0; i <= count && fine; i++) {
        ev_node node = i < count ? roots[i] : 0;
        while (fine && (node != 0 || depth > 0)) {
            if (node == 0)
                node = stack[--depth];
            if (node < size && !seen[node]) {
                seen[node] = true;
                if (ev_graph_op(graph, node) == EV_OP_INPUT)
                    used[ev_graph_input_index(graph, node)] = true;
                ev_node second = ev_graph_operand(graph, node, 1);
                fine = second == 0 || ev_array_reserve(&stack, depth, &capacity, sizeof *stack);
                if (fine && second != 0)
                    stack[depth++] = second;
                node = ev_graph_operand(graph, node, 0);
            } else {
                node = 0;
            }
        }
    }
    free(stack);
    free(seen);
    return fine;
}
