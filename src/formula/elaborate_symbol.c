/* What a symbol stands for: inputs, integers, definitions, entries. */
#include "formula/elaborate.h"

#include <math.h>
#include <string.h>

/* ---- inputs ---- */

static ev_sign sign_of(const ev_domain *d)
{
    if (d->low > 0 || (d->low == 0 && d->low_open))
        return EV_SIGN_POSITIVE;
    return d->low >= 0 ? EV_SIGN_NONNEGATIVE : EV_SIGN_ANY;
}

bool ev_elaborate_shape(ev_elaborator *e, const ev_syntax *at, const ev_symbol *s, bool samples,
                        size_t *rows, size_t *cols)
{
    long r = s->rank >= 1 ? ev_elaborate_dim(e, s->rows) : 1;
    long c = s->rank == 2 ? ev_elaborate_dim(e, s->cols) : 1;
    long l = samples ? ev_elaborate_dim(e, s->samples) : 1;
    if (r < 1 || c < 1 || l < 1 || r > 100000 || c > 100000 || l > 100000 ||
        (double)r * (double)c * (double)l > 1e6) {
        ev_elaborate_fail(e, at, "%s has no entries, or too many, at these dimensions", s->name);
        return false;
    }
    *rows = (size_t)r, *cols = (size_t)c;
    if (samples) {
        *cols = s->rank == 0 ? 1 : (size_t)r;
        *rows = (size_t)l;
    }
    return true;
}

static unsigned value_rank(const ev_symbol *s) { return s->rank + (s->is_sample ? 1 : 0); }

/* count consecutive inputs for a symbol. */
bool ev_elaborate_slot(ev_elaborator *e, int symbol, size_t count, size_t *first)
{
    if (!ev_array_reserve(&e->slots, e->slot_count, &e->slot_capacity, sizeof *e->slots))
        return ev_elaborate_out_of_memory(e);
    *first = e->input_count;
    e->slots[e->slot_count++] = (ev_slot){symbol, e->input_count, count};
    e->input_count += count;
    return true;
}

static ev_node structured_entry(ev_elaborator *e, const ev_domain *d, size_t first, size_t cols,
                                size_t i, size_t j)
{
    if ((d->structure & EV_MATRIX_LOWER) != 0 && j > i)
        return ev_graph_constant(e->graph, 0.0);
    bool positive = i == j && (d->structure & EV_MATRIX_POSITIVE_DIAGONAL) != 0;
    return ev_graph_input(e->graph, first + i * cols + j, positive ? EV_SIGN_POSITIVE : sign_of(d));
}

const ev_tensor *ev_elaborate_input(ev_elaborator *e, int symbol, const ev_syntax *at)
{
    const ev_symbol *s = &e->table->symbols[symbol];
    size_t rows = 1, cols = 1, first = 0;
    if (s->kind == EV_SYMBOL_REAL && !ev_elaborate_shape(e, at, s, s->is_sample, &rows, &cols))
        return NULL;
    unsigned rank = s->kind == EV_SYMBOL_REAL ? value_rank(s) : 0;
    if (rank > 2)
        return ev_elaborate_fail(e, at, "samples of matrices are not in the language");
    ev_tensor *t = ev_tensor_new(e, rank, rows, cols);
    if (t == NULL || !ev_elaborate_slot(e, symbol, ev_tensor_count(t), &first))
        return NULL;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            t->nodes[i * cols + j] = rank == 2 && s->rank == 2
                                         ? structured_entry(e, &s->domain, first, cols, i, j)
                                         : ev_graph_input(e->graph, first + i * cols + j,
                                                          sign_of(&s->domain));
    e->meanings[symbol].value = t;
    return t;
}

const ev_tensor *ev_elaborate_variables(ev_elaborator *e, int symbol, bool samples)
{
    const ev_symbol *s = &e->table->symbols[symbol];
    ev_syntax at = {.line = s->line, .column = s->column, .length = 1};
    size_t rows, cols;
    if (!ev_elaborate_shape(e, &at, s, samples, &rows, &cols))
        return NULL;
    ev_tensor *t = ev_tensor_new(e, s->rank + (samples ? 1u : 0u), rows, cols);
    for (size_t i = 0; t != NULL && i < ev_tensor_count(t); i++)
        t->nodes[i] = ev_graph_new_variable(e->graph, sign_of(&s->domain));
    return t;
}

/* ---- integers ---- */

bool ev_elaborate_integer_symbol(ev_elaborator *e, const ev_syntax *at, long *value)
{
    const ev_symbol *s = &e->table->symbols[at->symbol];
    if (s->kind != EV_SYMBOL_INTEGER) {
        ev_elaborate_fail(e, at, "%s is no integer", s->name);
        return false;
    }
    if (!e->meanings[at->symbol].bound) {
        ev_elaborate_fail(e, at, "%s has no value here: an index is known only inside its sum",
                          s->name);
        return false;
    }
    *value = e->meanings[at->symbol].integer;
    return true;
}

bool ev_elaborate_integer(ev_elaborator *e, const ev_syntax *x, long *value)
{
    long a, b;
    switch (x->kind) {
    case EV_SYNTAX_NUMBER:
        if (x->number == floor(x->number) && fabs(x->number) < 1e9) {
            *value = (long)x->number;
            return true;
        }
        break;
    case EV_SYNTAX_SYMBOL: return ev_elaborate_integer_symbol(e, x, value);
    case EV_SYNTAX_NEG: return ev_elaborate_integer(e, x->children[0], &a) && (*value = -a, true);
    case EV_SYNTAX_ADD:
    case EV_SYNTAX_SUB:
        if (!ev_elaborate_integer(e, x->children[0], &a) ||
            !ev_elaborate_integer(e, x->children[1], &b))
            return false;
        *value = x->kind == EV_SYNTAX_ADD ? a + b : a - b;
        return true;
    case EV_SYNTAX_MUL:
        *value = 1;
        for (size_t i = 0; i < x->child_count; i++) {
            if (!ev_elaborate_integer(e, x->children[i], &a))
                return false;
            *value *= a;
        }
        return true;
    default: break;
    }
    ev_elaborate_fail(e, x, "expected a whole number");
    return false;
}

bool ev_elaborate_range(ev_elaborator *e, const ev_syntax *sum, long *low, long *high)
{
    if (sum->child_count == 3)
        return ev_elaborate_integer(e, sum->children[1], low) &&
               ev_elaborate_integer(e, sum->children[2], high);
    const ev_symbol *s = &e->table->symbols[sum->symbol];
    *low = ev_elaborate_dim(e, s->low);
    *high = ev_elaborate_dim(e, s->high);
    return true;
}

/* ---- symbols and indices ---- */

static const ev_tensor *indexed_definition(ev_elaborator *e, const ev_syntax *at, int symbol)
{
    const struct ev_definition *d = e->table->symbols[symbol].definition;
    if (d->formal_count == 0)
        return ev_elaborate(e, d->body);
    const ev_symbol *index = &e->table->symbols[d->formals[0]];
    if (d->formal_count > 1 || d->sample_index)
        return ev_elaborate_fail(e, at, "%s needs its indices here",
                                 e->table->symbols[symbol].name);
    long low = ev_elaborate_dim(e, index->low), high = ev_elaborate_dim(e, index->high);
    if (low != 1 || high < 1 || high > 1000)
        return ev_elaborate_fail(e, at, "%s needs its index here", e->table->symbols[symbol].name);
    ev_tensor *t = ev_tensor_new(e, 1, (size_t)high, 1);
    ev_meaning saved = e->meanings[d->formals[0]];
    for (long i = 1; t != NULL && i <= high; i++) {
        e->meanings[d->formals[0]].integer = i;
        e->meanings[d->formals[0]].bound = true;
        const ev_tensor *entry = ev_elaborate(e, d->body);
        if (entry != NULL && entry->rank != 0)
            entry = ev_elaborate_fail(e, at, "%s needs its index here: its entries are no scalars",
                                      e->table->symbols[symbol].name);
        if (entry == NULL)
            t = NULL;
        else
            t->nodes[i - 1] = entry->nodes[0];
    }
    e->meanings[d->formals[0]] = saved;
    return t;
}

const ev_tensor *ev_elaborate_symbol(ev_elaborator *e, const ev_syntax *at)
{
    const ev_symbol *s = &e->table->symbols[at->symbol];
    long value;
    switch (s->kind) {
    case EV_SYMBOL_INTEGER:
        return ev_elaborate_integer_symbol(e, at, &value)
                   ? ev_tensor_scalar(e, ev_graph_constant(e->graph, (double)value))
                   : NULL;
    case EV_SYMBOL_DEFINITION: return indexed_definition(e, at, at->symbol);
    case EV_SYMBOL_FUNCTION:
        return ev_elaborate_fail(e, at, "%s takes arguments in brackets", s->name);
    default: break;
    }
    const ev_tensor *value_here = e->meanings[at->symbol].value;
    return value_here != NULL ? value_here : ev_elaborate_input(e, at->symbol, at);
}

static bool one_index(ev_elaborator *e, const ev_syntax *at, size_t limit, size_t *index)
{
    long value;
    if (!ev_elaborate_integer(e, at, &value))
        return false;
    if (e->trial && (value < 1 || (size_t)value > limit))
        value = value < 1 ? 1 : (long)limit;
    if (value < 1 || (size_t)value > limit) {
        ev_elaborate_fail(e, at, "index %ld is outside 1 to %zu", value, limit);
        return false;
    }
    *index = (size_t)value - 1;
    return true;
}

static const ev_tensor *pick(ev_elaborator *e, const ev_syntax *at, const ev_tensor *base,
                             const ev_syntax *const *indices, size_t n)
{
    char found[48];
    if (base == NULL || n == 0)
        return base;
    if (base->unsized || n > base->rank)
        return ev_elaborate_fail(e, at, "%s has no %zu ind%s", ev_tensor_describe(base, found), n,
                                 n == 1 ? "ex" : "ices");
    size_t i, j = 0;
    if (!one_index(e, indices[0], base->rows, &i))
        return NULL;
    if (base->rank == 1)
        return ev_tensor_scalar(e, base->nodes[i]);
    if (n == 2)
        return one_index(e, indices[1], base->cols, &j)
                   ? ev_tensor_scalar(e, base->nodes[i * base->cols + j])
                   : NULL;
    ev_tensor *row = ev_tensor_new(e, 1, base->cols, 1);
    if (row != NULL)
        memcpy(row->nodes, base->nodes + i * base->cols, base->cols * sizeof *row->nodes);
    return row;
}

const ev_tensor *ev_elaborate_index(ev_elaborator *e, const ev_syntax *at)
{
    const ev_syntax *base = at->children[0];
    const ev_symbol *s = base->kind == EV_SYNTAX_SYMBOL ? &e->table->symbols[base->symbol] : NULL;
    size_t n = at->child_count - 1;
    if (s == NULL || s->kind != EV_SYMBOL_DEFINITION || s->definition->formal_count == 0)
        return pick(e, at, ev_elaborate(e, base), at->children + 1, n);
    const struct ev_definition *d = s->definition;
    if (n < d->formal_count)
        return ev_elaborate_fail(e, at, "%s needs %zu indices", s->name, d->formal_count);
    ev_meaning saved[16];
    long values[16];
    for (size_t i = 0; i < d->formal_count; i++)
        if (!ev_elaborate_integer(e, at->children[i + 1], &values[i]))
            return NULL;
    for (size_t i = 0; i < d->formal_count; i++) {
        saved[i] = e->meanings[d->formals[i]];
        e->meanings[d->formals[i]] = (ev_meaning){.integer = values[i], .bound = true};
    }
    const ev_tensor *value = ev_elaborate(e, d->body);
    for (size_t i = d->formal_count; i-- > 0;)
        e->meanings[d->formals[i]] = saved[i];
    return pick(e, at, value, at->children + 1 + d->formal_count, n - d->formal_count);
}
