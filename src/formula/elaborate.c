/* Expressions to tensors of graph nodes, at fixed integers.
 *
 * Meanings are dynamic, as notation in the field is: a definition without arguments, such as
 * \mu_x = f(z), takes z to be whatever z is where the name is used, the variable of an
 * expectation included. */
#include "formula/elaborate.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 400, MAX_NODES = 3000000, MAX_TERMS = 100000, MAX_BINARY = 12 };

void *ev_elaborate_fail(ev_elaborator *e, const ev_syntax *at, const char *format, ...)
{
    char message[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (e->error != NULL && e->error->status == EV_OK) {
        e->error->status = EV_BAD_INPUT;
        snprintf(e->error->file, sizeof e->error->file, "%s", e->file == NULL ? "" : e->file);
        e->error->line = at->line, e->error->column = at->column, e->error->length = at->length;
        snprintf(e->error->message, sizeof e->error->message, "%s", message);
    }
    return NULL;
}

ev_status ev_elaborator_init(ev_elaborator *e, const ev_formula *formula, const long *integers,
                             bool trial, ev_error *error)
{
    *e = (ev_elaborator){.formula = formula, .table = formula->scope->table,
                         .file = formula->file, .error = error, .trial = trial};
    e->graph = ev_graph_create();
    e->arena = ev_arena_create();
    e->meanings = calloc(e->table->symbol_count + 1, sizeof *e->meanings);
    if (e->graph == NULL || e->arena == NULL || e->meanings == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "out of memory");
    for (size_t s = 0; s < e->table->symbol_count; s++)
        e->meanings[s].integer = integers[s];
    return EV_OK;
}

void ev_elaborator_release(ev_elaborator *e)
{
    free(e->meanings);
    free(e->slots);
    free(e->seen);
}

static bool out_of_memory(ev_elaborator *e)
{
    ev_error_set(e->error, EV_NO_MEMORY, "out of memory");
    return false;
}

long ev_elaborate_dim(const ev_elaborator *e, ev_dim dim)
{
    return dim.symbol < 0 ? dim.offset
                          : dim.multiplier * e->meanings[dim.symbol].integer + dim.offset;
}

/* ---- inputs ---- */

static ev_sign sign_of(const ev_domain *d)
{
    if (d->low > 0 || (d->low == 0 && d->low_open))
        return EV_SIGN_POSITIVE;
    return d->low >= 0 ? EV_SIGN_NONNEGATIVE : EV_SIGN_ANY;
}

static bool dimensions(ev_elaborator *e, const ev_syntax *at, const ev_symbol *s, bool samples,
                       size_t *rows, size_t *cols)
{
    long r = s->rank >= 1 ? ev_elaborate_dim(e, s->rows) : 1;
    long c = s->rank == 2 ? ev_elaborate_dim(e, s->cols) : 1;
    long l = samples ? ev_elaborate_dim(e, s->samples) : 1;
    if (r < 1 || c < 1 || l < 1 || r > 100000 || c > 100000 || l > 100000) {
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
static bool new_slot(ev_elaborator *e, int symbol, size_t count, size_t *first)
{
    if (!ev_array_reserve(&e->slots, e->slot_count, &e->slot_capacity, sizeof *e->slots))
        return out_of_memory(e);
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
    size_t rows = 1, cols = 1, first;
    if (s->kind == EV_SYMBOL_REAL && !dimensions(e, at, s, s->is_sample, &rows, &cols))
        return NULL;
    unsigned rank = s->kind == EV_SYMBOL_REAL ? value_rank(s) : 0;
    if (rank > 2)
        return ev_elaborate_fail(e, at, "samples of matrices are not in the language");
    ev_tensor *t = ev_tensor_new(e, rank, rows, cols);
    if (t == NULL || !new_slot(e, symbol, ev_tensor_count(t), &first))
        return NULL;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            t->nodes[i * cols + j] = rank == 2 && s->rank == 2
                ? structured_entry(e, &s->domain, first, cols, i, j)
                : ev_graph_input(e->graph, first + i * cols + j, sign_of(&s->domain));
    e->meanings[symbol].value = t;
    return t;
}

const ev_tensor *ev_elaborate_variables(ev_elaborator *e, int symbol, bool samples)
{
    const ev_symbol *s = &e->table->symbols[symbol];
    ev_syntax at = {.line = s->line, .column = s->column, .length = 1};
    size_t rows, cols;
    if (!dimensions(e, &at, s, samples, &rows, &cols))
        return NULL;
    ev_tensor *t = ev_tensor_new(e, s->rank + (samples ? 1u : 0u), rows, cols);
    for (size_t i = 0; t != NULL && i < ev_tensor_count(t); i++)
        t->nodes[i] = ev_graph_new_variable(e->graph, sign_of(&s->domain));
    return t;
}

/* ---- integers ---- */

static bool integer_symbol(ev_elaborator *e, const ev_syntax *at, long *value)
{
    const ev_symbol *s = &e->table->symbols[at->symbol];
    if (s->kind != EV_SYMBOL_INTEGER) {
        ev_elaborate_fail(e, at, "%s is no integer", s->name);
        return false;
    }
    if (!e->meanings[at->symbol].bound) {
        ev_elaborate_fail(e, at, "%s has no value here: an index is known only inside its sum", s->name);
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
    case EV_SYNTAX_SYMBOL:
        return integer_symbol(e, x, value);
    case EV_SYNTAX_NEG:
        return ev_elaborate_integer(e, x->children[0], &a) && (*value = -a, true);
    case EV_SYNTAX_ADD: case EV_SYNTAX_SUB:
        if (!ev_elaborate_integer(e, x->children[0], &a) || !ev_elaborate_integer(e, x->children[1], &b))
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
    default:
        break;
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
        return ev_elaborate_fail(e, at, "%s needs its indices here", e->table->symbols[symbol].name);
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

static const ev_tensor *symbol_value(ev_elaborator *e, const ev_syntax *at)
{
    const ev_symbol *s = &e->table->symbols[at->symbol];
    long value;
    switch (s->kind) {
    case EV_SYMBOL_INTEGER:
        return integer_symbol(e, at, &value)
                   ? ev_tensor_scalar(e, ev_graph_constant(e->graph, (double)value)) : NULL;
    case EV_SYMBOL_DEFINITION:
        return indexed_definition(e, at, at->symbol);
    case EV_SYMBOL_FUNCTION:
        return ev_elaborate_fail(e, at, "%s takes arguments in brackets", s->name);
    default:
        break;
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
                   ? ev_tensor_scalar(e, base->nodes[i * base->cols + j]) : NULL;
    ev_tensor *row = ev_tensor_new(e, 1, base->cols, 1);
    if (row != NULL)
        memcpy(row->nodes, base->nodes + i * base->cols, base->cols * sizeof *row->nodes);
    return row;
}

static const ev_tensor *index_value(ev_elaborator *e, const ev_syntax *at)
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

/* ---- applications ---- */

static bool argument_fits(ev_elaborator *e, const ev_syntax *at, const ev_symbol *formal,
                          const ev_tensor *value)
{
    size_t rows, cols;
    char found[48];
    if (!dimensions(e, at, formal, false, &rows, &cols))
        return false;
    if (value->rank == formal->rank && !value->row && !value->unsized &&
        (value->rank == 0 || (value->rows == rows && value->cols == cols)))
        return true;
    ev_elaborate_fail(e, at, "%s stands here for %s, which is %s", ev_tensor_describe(value, found),
                      formal->name, formal->rank == 0 ? "a scalar"
                                    : formal->rank == 1 ? "a vector of another size or orientation"
                                                        : "a matrix of another size");
    return false;
}

bool ev_elaborate_bind(ev_elaborator *e, const ev_syntax *application, ev_meaning *saved)
{
    const struct ev_definition *d = e->table->symbols[application->symbol].definition;
    ev_meaning given[16];
    for (size_t i = 0; i < d->formal_count; i++) {
        const ev_syntax *argument = application->children[i];
        int formal = d->formals[i];
        given[i] = e->meanings[formal];
        if (argument->kind == EV_SYNTAX_SYMBOL && argument->symbol == formal)
            continue;
        if (e->table->symbols[formal].kind == EV_SYMBOL_INTEGER) {
            given[i].bound = true;
            if (!ev_elaborate_integer(e, argument, &given[i].integer))
                return false;
            continue;
        }
        const ev_tensor *value = ev_elaborate(e, argument);
        size_t rows, cols;
        if (value == NULL || !dimensions(e, argument, &e->table->symbols[formal], false, &rows, &cols))
            return false;
        value = ev_tensor_sized(e, value, e->table->symbols[formal].rank, rows);
        if (value == NULL || !argument_fits(e, argument, &e->table->symbols[formal], value))
            return false;
        given[i].value = value;
    }
    for (size_t i = 0; i < d->formal_count; i++) {
        saved[i] = e->meanings[d->formals[i]];
        e->meanings[d->formals[i]] = given[i];
    }
    return true;
}

void ev_elaborate_unbind(ev_elaborator *e, const ev_syntax *application, const ev_meaning *saved)
{
    const struct ev_definition *d = e->table->symbols[application->symbol].definition;
    for (size_t i = d->formal_count; i-- > 0;) {
        /* An input first used inside the body stays known, if the formal was free there. */
        const ev_syntax *argument = application->children[i];
        if (argument->kind == EV_SYNTAX_SYMBOL && argument->symbol == d->formals[i])
            continue;
        e->meanings[d->formals[i]] = saved[i];
    }
}

/* Any smooth function: a random one of two sines and a slope, its coefficients drawn from
 * N(0, 1); exponentiated or squashed when its values are restricted. */
static ev_node smooth_value(ev_elaborator *e, const ev_symbol *s, size_t n, const ev_node *x,
                            size_t *input)
{
    ev_graph *g = e->graph;
    double scale = 1.0 / sqrt((double)n);
    ev_node sum = ev_graph_input(g, (*input)++, EV_SIGN_ANY);
    for (size_t j = 0; j < n; j++) {
        ev_node slope = ev_graph_mul(g, ev_graph_constant(g, 0.5 * scale),
                                     ev_graph_input(g, (*input)++, EV_SIGN_ANY));
        sum = ev_graph_add(g, sum, ev_graph_mul(g, slope, x[j]));
    }
    for (size_t h = 0; h < 2; h++) {
        ev_node height = ev_graph_input(g, (*input)++, EV_SIGN_ANY);
        ev_node angle = ev_graph_input(g, (*input)++, EV_SIGN_ANY);
        for (size_t j = 0; j < n; j++) {
            ev_node w = ev_graph_mul(g, ev_graph_constant(g, scale),
                                     ev_graph_input(g, (*input)++, EV_SIGN_ANY));
            angle = ev_graph_add(g, angle, ev_graph_mul(g, w, x[j]));
        }
        sum = ev_graph_add(g, sum, ev_graph_mul(g, height, ev_graph_unary(g, EV_OP_SIN, angle)));
    }
    if (s->domain.low > -HUGE_VAL && s->domain.high < HUGE_VAL)
        return ev_graph_add(g, ev_graph_constant(g, s->domain.low),
                            ev_graph_mul(g, ev_graph_constant(g, s->domain.high - s->domain.low),
                                         ev_graph_unary(g, EV_OP_SIGMOID, sum)));
    if (s->domain.low > -HUGE_VAL)
        return ev_graph_add(g, ev_graph_constant(g, s->domain.low),
                            ev_graph_unary(g, EV_OP_EXP, ev_graph_mul(g, ev_graph_constant(g, 0.5), sum)));
    return sum;
}

static size_t function_inputs(ev_elaborator *e, const ev_syntax *at, const ev_symbol *s,
                              const ev_node **x)
{
    size_t n = 0;
    ev_node *all = ev_arena_array(e->arena, 4096, sizeof *all);
    for (size_t i = 0; all != NULL && i < s->argument_count; i++) {
        const ev_tensor *value = ev_elaborate(e, at->children[i]);
        long rows = s->argument_ranks[i] == 1 ? ev_elaborate_dim(e, s->argument_dims[i]) : 1;
        char found[48];
        if (value == NULL)
            return 0;
        value = ev_tensor_sized(e, value, s->argument_ranks[i], (size_t)rows);
        if (value == NULL)
            return 0;
        if (value->rank != s->argument_ranks[i] || value->rows != (size_t)rows || value->row ||
            n + value->rows > 4096) {
            ev_elaborate_fail(e, at->children[i], "%s does not fit argument %zu of %s",
                              ev_tensor_describe(value, found), i + 1, s->name);
            return 0;
        }
        memcpy(all + n, value->nodes, value->rows * sizeof *all);
        n += value->rows;
    }
    *x = all;
    return n;
}

static const ev_tensor *function_value(ev_elaborator *e, const ev_syntax *at)
{
    const ev_symbol *s = &e->table->symbols[at->symbol];
    const ev_node *x;
    size_t n = function_inputs(e, at, s, &x);
    if (n == 0)
        return NULL;
    long outputs = s->rank == 1 ? ev_elaborate_dim(e, s->rows) : 1;
    size_t per_output = 1 + n + 2 * (2 + n), first = 0;
    bool known = false;
    for (size_t i = 0; i < e->slot_count; i++)
        if (e->slots[i].symbol == at->symbol)
            known = true, first = e->slots[i].first;
    if (!known && !new_slot(e, at->symbol, per_output * (size_t)outputs, &first))
        return NULL;
    ev_tensor *t = ev_tensor_new(e, s->rank, (size_t)outputs, 1);
    for (size_t i = 0; t != NULL && i < ev_tensor_count(t); i++)
        t->nodes[i] = smooth_value(e, s, n, x, &first);
    return t;
}

const ev_tensor *ev_elaborate_application(ev_elaborator *e, const ev_syntax *at)
{
    if (e->table->symbols[at->symbol].kind == EV_SYMBOL_FUNCTION)
        return function_value(e, at);
    ev_meaning saved[16];
    if (!ev_elaborate_bind(e, at, saved))
        return NULL;
    const ev_tensor *value = ev_elaborate(e, e->table->symbols[at->symbol].definition->body);
    ev_elaborate_unbind(e, at, saved);
    return value;
}

/* ---- functions ---- */

static const ev_tensor *softmax(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a)
{
    if (a->rank != 1 || a->unsized)
        return ev_elaborate_fail(e, at, "softmax takes a vector");
    const ev_tensor *exps = ev_tensor_map(e, a, EV_OP_EXP);
    ev_node sum = exps == NULL ? 0 : exps->nodes[0];
    for (size_t i = 1; sum != 0 && i < a->rows; i++)
        sum = ev_graph_add(e->graph, sum, exps->nodes[i]);
    ev_tensor *t = sum == 0 ? NULL : ev_tensor_new(e, 1, a->rows, 1);
    for (size_t i = 0; t != NULL && i < a->rows; i++)
        t->nodes[i] = ev_graph_div(e->graph, exps->nodes[i], sum);
    return t;
}

static const ev_tensor *diagonal(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a)
{
    char found[48];
    if (a->rank == 0 || a->unsized)
        return ev_elaborate_fail(e, at, "\\operatorname{diag} takes a vector or a matrix, not %s",
                                 ev_tensor_describe(a, found));
    size_t n = a->rows;
    if (a->rank == 2) {
        ev_tensor *v = ev_tensor_new(e, 1, n < a->cols ? n : a->cols, 1);
        for (size_t i = 0; v != NULL && i < v->rows; i++)
            v->nodes[i] = a->nodes[i * a->cols + i];
        return v;
    }
    ev_tensor *t = ev_tensor_new(e, 2, n, n);
    for (size_t i = 0; t != NULL && i < n * n; i++)
        t->nodes[i] = i % (n + 1) == 0 ? a->nodes[i / (n + 1)] : ev_graph_constant(e->graph, 0.0);
    return t;
}

static const ev_tensor *trace(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a)
{
    if (a->rank != 2 || a->unsized || a->rows != a->cols)
        return ev_elaborate_fail(e, at, "a trace is of a square matrix");
    ev_node sum = a->nodes[0];
    for (size_t i = 1; i < a->rows; i++)
        sum = ev_graph_add(e->graph, sum, a->nodes[i * a->cols + i]);
    return ev_tensor_scalar(e, sum);
}

static const ev_tensor *extremum(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a)
{
    bool max = at->function == EV_FUNCTION_MAX;
    if (at->child_count == 2) {
        const ev_tensor *b = ev_elaborate(e, at->children[1]);
        if (b == NULL)
            return NULL;
        if (a->rank != 0 || b->rank != 0)
            return ev_elaborate_fail(e, at, "\\max and \\min of several arguments take scalars");
        return ev_tensor_scalar(e, max ? ev_graph_max(e->graph, a->nodes[0], b->nodes[0])
                                       : ev_graph_min(e->graph, a->nodes[0], b->nodes[0]));
    }
    ev_node best = a->nodes[0];
    for (size_t i = 1; i < ev_tensor_count(a); i++)
        best = max ? ev_graph_max(e->graph, best, a->nodes[i])
                   : ev_graph_min(e->graph, best, a->nodes[i]);
    return ev_tensor_scalar(e, best);
}

static const ev_tensor *function_of(ev_elaborator *e, const ev_syntax *at)
{
    static const ev_op ops[] = {EV_OP_LOG, EV_OP_EXP, EV_OP_TANH, EV_OP_SIN, EV_OP_COS,
                                EV_OP_SQRT, EV_OP_SIGMOID, EV_OP_SOFTPLUS};
    const ev_tensor *a = ev_elaborate(e, at->children[0]);
    char found[48];
    if (a == NULL)
        return NULL;
    switch (at->function) {
    case EV_FUNCTION_SOFTMAX: return softmax(e, at, a);
    case EV_FUNCTION_DIAG: return diagonal(e, at, a);
    case EV_FUNCTION_TRACE: return trace(e, at, a);
    case EV_FUNCTION_DET: {
        ev_node det = ev_tensor_determinant(e, at, a);
        return det == 0 ? NULL : ev_tensor_scalar(e, det);
    }
    case EV_FUNCTION_MAX: case EV_FUNCTION_MIN: return extremum(e, at, a);
    case EV_FUNCTION_STOP_GRADIENT: return ev_tensor_map(e, a, EV_OP_HOLD);
    default:
        if (a->rank == 2)
            return ev_elaborate_fail(e, at, "a function of %s: entries or a determinant are meant?",
                                     ev_tensor_describe(a, found));
        return ev_tensor_map(e, a, ops[at->function]);
    }
}

static ev_node sum_of_squares(ev_elaborator *e, const ev_tensor *a)
{
    ev_node sum = 0;
    for (size_t i = 0; i < ev_tensor_count(a); i++) {
        ev_node square = ev_graph_pow(e->graph, a->nodes[i], ev_graph_constant(e->graph, 2.0));
        sum = sum == 0 ? square : ev_graph_add(e->graph, sum, square);
    }
    return sum;
}

static const ev_tensor *norm(ev_elaborator *e, const ev_syntax *at, bool squared)
{
    const ev_tensor *a = ev_elaborate(e, at->children[0]);
    if (a == NULL)
        return NULL;
    if (a->rank != 1)
        return ev_elaborate_fail(e, at, "\\| … \\| is the norm of a vector");
    ev_node sum = sum_of_squares(e, a);
    return ev_tensor_scalar(e, squared ? sum : ev_graph_unary(e->graph, EV_OP_SQRT, sum));
}

static const ev_tensor *power(ev_elaborator *e, const ev_syntax *at)
{
    const ev_syntax *exponent = at->children[1];
    bool negative_one = exponent->kind == EV_SYNTAX_NEG &&
                        exponent->children[0]->kind == EV_SYNTAX_NUMBER &&
                        exponent->children[0]->number == 1.0;
    bool two = exponent->kind == EV_SYNTAX_NUMBER && exponent->number == 2.0;
    if (at->children[0]->kind == EV_SYNTAX_NORM && two)
        return norm(e, at->children[0], true);
    const ev_tensor *base = ev_elaborate(e, at->children[0]);
    char found[48];
    if (base == NULL)
        return NULL;
    if (base->rank == 2) {
        if (negative_one)
            return ev_tensor_inverse(e, at, base);
        return two ? ev_tensor_multiply(e, at, base, base)
                   : ev_elaborate_fail(e, at, "a power of %s", ev_tensor_describe(base, found));
    }
    const ev_tensor *p = ev_elaborate(e, exponent);
    if (p == NULL)
        return NULL;
    if (p->rank != 0)
        return ev_elaborate_fail(e, exponent, "an exponent must be a scalar, not %s",
                                 ev_tensor_describe(p, found));
    ev_tensor *t = ev_tensor_new(e, base->rank, base->rows, base->cols);
    for (size_t i = 0; t != NULL && i < ev_tensor_count(base); i++)
        t->nodes[i] = ev_graph_pow(e->graph, base->nodes[i], p->nodes[0]);
    if (t != NULL)
        t->row = base->row;
    return t;
}

/* ---- sums, products, gradients ---- */

static const ev_tensor *accumulate(ev_elaborator *e, const ev_syntax *at, const ev_tensor *so_far,
                                   const ev_tensor *next)
{
    if (so_far == NULL || next == NULL)
        return next;
    if (at->kind == EV_SYNTAX_SUM)
        return ev_tensor_add(e, at, so_far, next, false);
    if (at->kind == EV_SYNTAX_PRODUCT)
        return ev_tensor_multiply(e, at, so_far, next);
    if (so_far->rank != 0 || next->rank != 0)
        return ev_elaborate_fail(e, at, "the extremum of vectors: only of scalars");
    return ev_tensor_scalar(e, at->kind == EV_SYNTAX_MAXIMUM
                                   ? ev_graph_max(e->graph, so_far->nodes[0], next->nodes[0])
                                   : ev_graph_min(e->graph, so_far->nodes[0], next->nodes[0]));
}

static const ev_tensor *sum_over_binary(ev_elaborator *e, const ev_syntax *at)
{
    const ev_symbol *s = &e->table->symbols[at->symbol];
    size_t n = s->rank == 0 ? 1 : (size_t)ev_elaborate_dim(e, s->rows);
    if (n > MAX_BINARY)
        return ev_elaborate_fail(e, at, "a sum over more than 2^%d binary vectors", MAX_BINARY);
    ev_meaning saved = e->meanings[at->symbol];
    const ev_tensor *total = NULL;
    for (size_t mask = 0; mask < (size_t)1 << n; mask++) {
        ev_tensor *x = ev_tensor_new(e, s->rank, n, 1);
        for (size_t i = 0; x != NULL && i < n; i++)
            x->nodes[i] = ev_graph_constant(e->graph, (double)(mask >> i & 1u));
        e->meanings[at->symbol].value = x;
        const ev_tensor *term = x == NULL ? NULL : ev_elaborate(e, at->children[0]);
        total = term == NULL ? NULL : accumulate(e, at, total, term);
        if (total == NULL)
            break;
    }
    e->meanings[at->symbol] = saved;
    return total;
}

static const ev_tensor *sum_or_product(ev_elaborator *e, const ev_syntax *at)
{
    if (e->table->symbols[at->symbol].kind == EV_SYMBOL_REAL)
        return sum_over_binary(e, at);
    long low, high;
    if (!ev_elaborate_range(e, at, &low, &high))
        return NULL;
    if (high - low >= MAX_TERMS)
        return ev_elaborate_fail(e, at, "more than %d terms", MAX_TERMS);
    ev_meaning saved = e->meanings[at->symbol];
    const ev_tensor *total = NULL;
    bool failed = false;
    for (long i = low; i <= high && !failed; i++) {
        e->meanings[at->symbol] = (ev_meaning){.integer = i, .bound = true};
        const ev_tensor *term = ev_elaborate(e, at->children[0]);
        total = term == NULL ? NULL : accumulate(e, at, total, term);
        failed = total == NULL;
    }
    e->meanings[at->symbol] = saved;
    if (failed || total != NULL)
        return total;
    if (at->kind == EV_SYNTAX_MAXIMUM || at->kind == EV_SYNTAX_MINIMUM)
        return ev_elaborate_fail(e, at, "the extremum of nothing: its range is empty");
    return ev_tensor_scalar(e, ev_graph_constant(e->graph, at->kind == EV_SYNTAX_SUM ? 0.0 : 1.0));
}

static const ev_tensor *gradient(ev_elaborator *e, const ev_syntax *at)
{
    ev_syntax variable = {.kind = EV_SYNTAX_SYMBOL, .symbol = at->symbol, .line = at->line,
                          .column = at->column, .length = at->length};
    const ev_tensor *x = symbol_value(e, &variable);
    const ev_tensor *body = x == NULL ? NULL : ev_elaborate(e, at->children[0]);
    char found[48];
    if (body == NULL)
        return NULL;
    if (body->rank != 0)
        return ev_elaborate_fail(e, at, "the gradient of %s: only of scalars",
                                 ev_tensor_describe(body, found));
    e->has_gradient = true;
    ev_tensor *t = ev_tensor_new(e, x->rank, x->rows, x->cols);
    for (size_t i = 0; t != NULL && i < ev_tensor_count(x); i++) {
        ev_op op = ev_graph_op(e->graph, x->nodes[i]);
        if (op != EV_OP_INPUT && op != EV_OP_VARIABLE && op != EV_OP_CONSTANT)
            return ev_elaborate_fail(e, at, "a gradient is with respect to a symbol, and %s stands "
                                     "for a formula here", e->table->symbols[at->symbol].name);
        t->nodes[i] = op == EV_OP_CONSTANT ? ev_graph_constant(e->graph, 0.0)
                                           : ev_graph_derivative(e->graph, body->nodes[0], x->nodes[i]);
    }
    return t;
}

/* Between whole numbers = is allowed; between reals it would ask for luck. */
static const ev_tensor *indicator(ev_elaborator *e, const ev_syntax *at)
{
    ev_graph *g = e->graph;
    if (at->relation == EV_RELATION_EQUAL) {
        long a, b;
        if (!ev_elaborate_integer(e, at->children[0], &a) ||
            !ev_elaborate_integer(e, at->children[1], &b))
            return NULL;
        return ev_tensor_scalar(e, ev_graph_constant(g, a == b ? 1.0 : 0.0));
    }
    ev_node a = ev_elaborate_scalar(e, at->children[0]), b = ev_elaborate_scalar(e, at->children[1]);
    if (a == 0 || b == 0)
        return NULL;
    bool less = at->relation == EV_RELATION_LESS || at->relation == EV_RELATION_LESS_EQUAL;
    bool strict = at->relation == EV_RELATION_LESS || at->relation == EV_RELATION_GREATER;
    /* a < b is STEP(b - a); a <= b is 1 - STEP(a - b). */
    ev_node gap = less == strict ? ev_graph_sub(g, b, a) : ev_graph_sub(g, a, b);
    ev_node step = ev_graph_unary(g, EV_OP_STEP, gap);
    return ev_tensor_scalar(e, strict ? step : ev_graph_sub(g, ev_graph_constant(g, 1.0), step));
}

/* ---- the switch ---- */

static const ev_tensor *product(ev_elaborator *e, const ev_syntax *at)
{
    const ev_tensor *total = ev_elaborate(e, at->children[0]);
    for (size_t i = 1; total != NULL && i < at->child_count; i++)
        total = ev_tensor_multiply(e, at->children[i], total, ev_elaborate(e, at->children[i]));
    return total;
}

static const ev_tensor *unsized(ev_elaborator *e, unsigned rank)
{
    ev_tensor *t = ev_tensor_new(e, rank, 0, 0);
    if (t != NULL) {
        t->unsized = true;
        t->nodes[0] = ev_graph_constant(e->graph, 1.0);
    }
    return t;
}

static const ev_tensor *absolute(ev_elaborator *e, const ev_syntax *at)
{
    const ev_tensor *a = ev_elaborate(e, at->children[0]);
    if (a == NULL)
        return NULL;
    if (a->rank != 0)
        return ev_elaborate_fail(e, at, "|…| of a scalar; a norm is \\|…\\|, a determinant |\\det …|");
    return ev_tensor_map(e, a, EV_OP_ABS);
}

/* 0.1 and \pi are not doubles: their rounding is counted; 2, 0.5 and infinity are exact. */
static ev_node printed_number(ev_graph *g, double number)
{
    double scaled = number * 1024.0;
    if (!isfinite(number) || scaled == floor(scaled))
        return ev_graph_constant(g, number);
    return ev_graph_rounded_constant(g, number, fabs(number) * 0x1p-53);
}

static const ev_tensor *dispatch(ev_elaborator *e, const ev_syntax *x)
{
    const ev_tensor *a, *b;
    switch (x->kind) {
    case EV_SYNTAX_NUMBER: return ev_tensor_scalar(e, printed_number(e->graph, x->number));
    case EV_SYNTAX_SYMBOL: return symbol_value(e, x);
    case EV_SYNTAX_IDENTITY: return unsized(e, 2);
    case EV_SYNTAX_ONES: return unsized(e, 1);
    case EV_SYNTAX_INDEX: return index_value(e, x);
    case EV_SYNTAX_APPLY: return ev_elaborate_application(e, x);
    case EV_SYNTAX_ADD: case EV_SYNTAX_SUB:
        a = ev_elaborate(e, x->children[0]);
        b = a == NULL ? NULL : ev_elaborate(e, x->children[1]);
        return ev_tensor_add(e, x, a, b, x->kind == EV_SYNTAX_SUB);
    case EV_SYNTAX_NEG:
        a = ev_elaborate(e, x->children[0]);
        return a == NULL ? NULL : ev_tensor_map(e, a, EV_OP_NEG);
    case EV_SYNTAX_MUL: return product(e, x);
    case EV_SYNTAX_ODOT: case EV_SYNTAX_OSLASH:
        a = ev_elaborate(e, x->children[0]);
        b = a == NULL ? NULL : ev_elaborate(e, x->children[1]);
        return ev_tensor_entrywise(e, x, a, b, x->kind == EV_SYNTAX_OSLASH);
    case EV_SYNTAX_DIV:
        a = ev_elaborate(e, x->children[0]);
        b = a == NULL ? NULL : ev_elaborate(e, x->children[1]);
        return ev_tensor_divide(e, x, a, b);
    case EV_SYNTAX_POW: return power(e, x);
    case EV_SYNTAX_TRANSPOSE: return ev_tensor_transpose(e, ev_elaborate(e, x->children[0]));
    case EV_SYNTAX_INVERSE: return ev_tensor_inverse(e, x, ev_elaborate(e, x->children[0]));
    case EV_SYNTAX_FUNCTION: return function_of(e, x);
    case EV_SYNTAX_NORM: return norm(e, x, false);
    case EV_SYNTAX_ABS: return absolute(e, x);
    case EV_SYNTAX_SUM: case EV_SYNTAX_PRODUCT: case EV_SYNTAX_MAXIMUM: case EV_SYNTAX_MINIMUM:
        return sum_or_product(e, x);
    case EV_SYNTAX_INDICATOR: return indicator(e, x);
    case EV_SYNTAX_INTEGRAL: return ev_elaborate_integral(e, x);
    case EV_SYNTAX_EXPECT: case EV_SYNTAX_VARIANCE: return ev_elaborate_expectation(e, x);
    case EV_SYNTAX_KL: case EV_SYNTAX_ENTROPY: case EV_SYNTAX_CROSS_ENTROPY:
        return ev_elaborate_divergence(e, x);
    case EV_SYNTAX_NORMAL: case EV_SYNTAX_BERNOULLI: case EV_SYNTAX_CATEGORICAL:
    case EV_SYNTAX_UNIFORM:
        return ev_elaborate_base_density(e, x);
    case EV_SYNTAX_GRADIENT: return gradient(e, x);
    case EV_SYNTAX_ARGMIN: case EV_SYNTAX_ARGMAX:
        return ev_elaborate_fail(e, x, "an arg-min has no value inside a formula");
    }
    return NULL;
}

const ev_tensor *ev_elaborate(ev_elaborator *e, const ev_syntax *x)
{
    if (e->error->status != EV_OK)
        return NULL;
    if (e->depth == MAX_DEPTH)
        return ev_elaborate_fail(e, x, "definitions nested more than %d deep", MAX_DEPTH);
    if (ev_graph_size(e->graph) > MAX_NODES)
        return ev_elaborate_fail(e, x, "this formula has more than %d operations at these dimensions",
                                 MAX_NODES);
    e->depth++;
    const ev_tensor *value = dispatch(e, x);
    e->depth--;
    if (value == NULL && e->error->status == EV_OK)
        out_of_memory(e);
    return value;
}

ev_node ev_elaborate_scalar(ev_elaborator *e, const ev_syntax *x)
{
    const ev_tensor *value = ev_elaborate(e, x);
    char found[48];
    if (value != NULL && value->rank != 0) {
        ev_elaborate_fail(e, x, "%s where a scalar is meant", ev_tensor_describe(value, found));
        return 0;
    }
    return value == NULL ? 0 : value->nodes[0];
}
