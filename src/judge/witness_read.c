#include "judge/witness_read.h"

#include "formula/edit.h"
#include "judge/admit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* name = values, as written at text[at]. */
typedef struct {
    size_t at, name_length;
    size_t value_at, value_length;
    double *values;
    size_t count;
    bool taken; /* by an integer or a slot */
} binding;

typedef struct {
    const char *text;
    size_t at;
    binding *bindings; /* heap */
    size_t count, capacity;
    ev_arena *arena;
    const ev_symbol_table *table;
    ev_error *error;
} reader;

#define FAIL(r, column, length, ...) \
    (mark((r), (column), (length), ev_error_set((r)->error, EV_BAD_INPUT, __VA_ARGS__)))

/* The place of the failure just set. */
static ev_status mark(reader *r, size_t column, size_t length, ev_status status)
{
    if (r->error != NULL) {
        r->error->line = 1;
        r->error->column = column + 1;
        r->error->length = length;
    }
    return status;
}

static void skip_spaces(reader *r) { r->at += strspn(r->text + r->at, " \t"); }

static ev_status out_of_memory(reader *r)
{
    return ev_error_set(r->error, EV_NO_MEMORY, "out of memory");
}

/* ---- text to bindings ---- */

static ev_status read_number(reader *r, double *x)
{
    const char *begin = r->text + r->at;
    char *end = NULL;
    bool plausible = strspn(begin, "+-.0123456789") > 0 && strncmp(begin, "0x", 2) != 0;
    *x = plausible ? strtod(begin, &end) : 0.0;
    if (!plausible || end == begin || !isfinite(*x)) {
        size_t length = strcspn(begin, " ,;)]");
        return FAIL(r, r->at, length, "a number is wanted here");
    }
    r->at += (size_t)(end - begin);
    return EV_OK;
}

static ev_status read_list(reader *r, binding *b, char close)
{
    size_t capacity = strlen(r->text) / 2 + 1; /* a value and a sign after it, at the least */
    b->values = ev_arena_array(r->arena, capacity, sizeof *b->values);
    if (b->values == NULL)
        return out_of_memory(r);
    for (r->at++;; r->at++) {
        skip_spaces(r);
        ev_status status = read_number(r, &b->values[b->count]);
        if (status != EV_OK)
            return status;
        b->count++;
        skip_spaces(r);
        char sign = r->text[r->at];
        if (sign == close)
            break;
        if (sign != ',' && sign != ';')
            return FAIL(r, r->at, 1, "%c, ',' or ';' is wanted here", close);
    }
    r->at++;
    return EV_OK;
}

static ev_status read_value(reader *r, binding *b)
{
    skip_spaces(r);
    b->value_at = r->at;
    char first = r->text[r->at];
    ev_status status;
    if (first == '(' || first == '[') {
        status = read_list(r, b, first == '(' ? ')' : ']');
    } else {
        b->values = ev_arena_array(r->arena, 1, sizeof *b->values);
        b->count = 1;
        status = b->values == NULL ? out_of_memory(r) : read_number(r, b->values);
    }
    b->value_length = r->at - b->value_at;
    return status;
}

static ev_status read_binding(reader *r, binding *b)
{
    skip_spaces(r);
    *b = (binding){.at = r->at};
    size_t length = strcspn(r->text + r->at, "=");
    r->at += length;
    while (length > 0 && strchr(" \t", r->text[b->at + length - 1]) != NULL)
        length--;
    b->name_length = length;
    if (length == 0)
        return FAIL(r, b->at, 1, "a symbol is wanted here, as in \\mu = 0");
    if (r->text[r->at] != '=')
        return FAIL(r, b->at, length, "a symbol and its value are wanted here, as in \\mu = 0");
    r->at++;
    return read_value(r, b);
}

static ev_status read_bindings(reader *r)
{
    skip_spaces(r);
    bool more = r->text[r->at] != '\0';
    while (more) {
        if (!ev_array_reserve(&r->bindings, r->count, &r->capacity, sizeof *r->bindings))
            return out_of_memory(r);
        ev_status status = read_binding(r, &r->bindings[r->count++]);
        if (status != EV_OK)
            return status;
        skip_spaces(r);
        more = r->text[r->at] == ',';
        if (!more && r->text[r->at] != '\0')
            return FAIL(r, r->at, 1, "',' and the next symbol, or the end, is wanted here");
        r->at += more;
    }
    return EV_OK;
}

/* ---- bindings to values ---- */

/* Equal but for spaces and braces. */
static bool is_named(const reader *r, const binding *b, const char *name)
{
    const char *skipped = " {}", *a = r->text + b->at, *end = a + b->name_length;
    for (;;) {
        while (a < end && strchr(skipped, *a) != NULL)
            a++;
        name += strspn(name, skipped);
        if (a == end || *name == '\0')
            return a == end && *name == '\0';
        if (*a++ != *name++)
            return false;
    }
}

/* The binding of a symbol; NULL without one, or, error set, with two. */
static binding *binding_of(reader *r, int symbol)
{
    binding *found = NULL;
    for (size_t i = 0; i < r->count; i++)
        if (is_named(r, &r->bindings[i], r->table->symbols[symbol].name)) {
            if (found != NULL) {
                FAIL(r, r->bindings[i].at, r->bindings[i].name_length, "%s is given twice",
                     r->table->symbols[symbol].name);
                return NULL;
            }
            found = &r->bindings[i];
            found->taken = true;
        }
    return found;
}

static ev_status missing(reader *r, int symbol)
{
    if (r->error != NULL && r->error->status != EV_OK)
        return r->error->status;
    return FAIL(r, strlen(r->text), 1, "%s is not given", r->table->symbols[symbol].name);
}

static ev_status take_integer(reader *r, int symbol, long *integers)
{
    long low, high;
    binding *b = binding_of(r, symbol);
    if (b == NULL)
        return missing(r, symbol);
    ev_integer_range(r->table, symbol, integers, &low, &high);
    double x = b->values[0];
    bool whole = b->count == 1 && floor(x) >= x && x >= (double)low && x <= (double)high;
    if (!whole)
        return FAIL(r, b->value_at, b->value_length, "%s is a whole number from %ld to %ld",
                    r->table->symbols[symbol].name, low, high);
    integers[symbol] = (long)x;
    return EV_OK;
}

static ev_status take_integers(reader *r, const ev_formula *formula, long *integers)
{
    enum { MAX_INTEGERS = 64 };
    int symbols[MAX_INTEGERS];
    size_t count = ev_formula_integers(formula, symbols, MAX_INTEGERS);
    ev_status status = EV_OK;
    for (size_t i = 0; status == EV_OK && i < count && i < MAX_INTEGERS; i++)
        status = take_integer(r, symbols[i], integers);
    return status;
}

static bool is_used(const ev_replay *replay, const ev_cell *cell, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (ev_replay_used(replay)[cell->first + i])
            return true;
    return false;
}

/* Values of one symbol into inputs, with given[] set where they are. */
static ev_status take_cell(reader *r, const ev_replay *replay, const ev_cell *cell, double *inputs,
                           bool *given)
{
    size_t block = cell->shape.rows * cell->shape.cols, size = cell->blocks * block;
    int symbol = (int)(cell->symbol - r->table->symbols);
    if (cell->symbol->kind == EV_SYMBOL_CONSTANT)
        return EV_OK;
    binding *b = binding_of(r, symbol);
    if (b == NULL)
        return r->error->status != EV_OK || is_used(replay, cell, size) ? missing(r, symbol)
                                                                        : EV_OK;
    if (b->count != size)
        return FAIL(r, b->value_at, b->value_length, "%s has %zu value%s here, not %zu",
                    cell->symbol->name, size, size == 1 ? "" : "s", b->count);
    for (size_t i = 0; i < cell->blocks; i++)
        if (!ev_domain_admits(cell->shape, b->values + i * block))
            return FAIL(r, b->value_at, b->value_length, "this is not in the domain of %s",
                        cell->symbol->name);
    memcpy(inputs + cell->first, b->values, size * sizeof *inputs);
    for (size_t i = 0; i < size; i++)
        given[cell->first + i] = true;
    return EV_OK;
}

static ev_status refuse_rest(reader *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (!r->bindings[i].taken)
            return FAIL(r, r->bindings[i].at, r->bindings[i].name_length,
                        "the step does not depend on a symbol %.*s",
                        (int)r->bindings[i].name_length, r->text + r->bindings[i].at);
    return EV_OK;
}

/* What the step does not depend on is drawn, until the assumptions hold. */
static ev_status settle(reader *r, ev_replay *replay, const double *inputs, const bool *given,
                        uint64_t seed)
{
    enum { TRIES = 1000 };
    size_t n = ev_replay_case(replay)->input_count;
    double *point = ev_arena_array(r->arena, n + 1, sizeof *point);
    ev_stream stream = ev_stream_make(seed, ev_hash_text("witness"), 0, 0);
    if (point == NULL)
        return out_of_memory(r);
    for (uint32_t i = 0; i < TRIES; i++) {
        size_t tried = 0;
        ev_stream own = ev_stream_child(&stream, i);
        ev_space_draw(ev_replay_space(replay), 3, &own, 1, point, &tried);
        for (size_t k = 0; k < n; k++)
            point[k] = given[k] ? inputs[k] : point[k];
        if (ev_replay_move(replay, point))
            return EV_OK;
    }
    return FAIL(r, 0, 1, "the assumptions do not hold at this point");
}

static ev_status take_values(reader *r, ev_replay *replay, uint64_t seed)
{
    size_t count, n = ev_replay_case(replay)->input_count;
    const ev_cell *cells = ev_space_cells(ev_replay_space(replay), &count);
    double *inputs = ev_arena_array(r->arena, n + 1, sizeof *inputs);
    bool *given = ev_arena_array(r->arena, n + 1, sizeof *given);
    ev_status status = inputs == NULL || given == NULL ? out_of_memory(r) : EV_OK;
    for (size_t i = 0; status == EV_OK && i < count; i++)
        status = take_cell(r, replay, &cells[i], inputs, given);
    if (status == EV_OK)
        status = refuse_rest(r);
    return status == EV_OK ? settle(r, replay, inputs, given, seed) : status;
}

ev_status ev_witness_read(const ev_formula *formula, size_t step, const char *id, const char *text,
                          const ev_budget *budget, uint64_t seed, ev_replay **replay,
                          ev_error *error)
{
    ev_formula single;
    reader r = {
        .text = text, .arena = ev_arena_create(), .table = formula->scope->table, .error = error};
    *replay = NULL;
    if (r.arena == NULL)
        return out_of_memory(&r);
    long *integers = ev_arena_array(r.arena, r.table->symbol_count + 1, sizeof *integers);
    ev_status status = integers == NULL ? out_of_memory(&r) : read_bindings(&r);
    if (status == EV_OK)
        status = ev_formula_single_step(formula, step, NULL, r.arena, &single);
    if (status == EV_OK)
        status = take_integers(&r, &single, integers);
    if (status == EV_OK)
        status = ev_replay_create(formula, step, id, integers, budget, seed, replay, error);
    if (status == EV_OK)
        status = take_values(&r, *replay, seed);
    if (status != EV_OK) {
        ev_replay_destroy(*replay);
        *replay = NULL;
    }
    free(r.bindings);
    ev_arena_destroy(r.arena);
    return status;
}
