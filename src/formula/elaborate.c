/* Expressions to tensors of graph nodes, at fixed integers.
 *
 * Meanings are dynamic, as notation in the field is: a definition without arguments, such as
 * \mu_x = f(z), takes z to be whatever z is where the name is used, the variable of an
 * expectation included. */
#include "formula/elaborate.h"
#include "formula/reach.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_VISITS = 3000000,
    MAX_DEPTH = 2500,
    MAX_NODES = 3000000,
    MAX_TERMS = 100000,
    MAX_BINARY = 12
};

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
    *e = (ev_elaborator){.formula = formula,
                         .table = formula->scope->table,
                         .file = formula->file,
                         .error = error,
                         .trial = trial};
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

bool ev_elaborate_out_of_memory(ev_elaborator *e)
{
    ev_error_set(e->error, EV_NO_MEMORY, "out of memory");
    return false;
}

long ev_elaborate_dim(const ev_elaborator *e, ev_dim dim)
{
    return dim.symbol < 0 ? dim.offset
                          : dim.multiplier * e->meanings[dim.symbol].integer + dim.offset;
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
    ev_syntax variable = {.kind = EV_SYNTAX_SYMBOL,
                          .symbol = at->symbol,
                          .line = at->line,
                          .column = at->column,
                          .length = at->length};
    const ev_tensor *x = ev_elaborate_symbol(e, &variable);
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
            return ev_elaborate_fail(e, at,
                                     "a gradient is with respect to a symbol, and %s stands "
                                     "for a formula here",
                                     e->table->symbols[at->symbol].name);
        if (op != EV_OP_CONSTANT && ev_graph_jumps(e->graph, body->nodes[0], x->nodes[i]))
            return ev_elaborate_fail(
                e, at,
                "the gradient of an expectation whose integrand jumps where %s "
                "moves it: it can't be taken inside",
                e->table->symbols[at->symbol].name);
        t->nodes[i] = op == EV_OP_CONSTANT
                          ? ev_graph_constant(e->graph, 0.0)
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
    ev_node a = ev_elaborate_scalar(e, at->children[0]),
            b = ev_elaborate_scalar(e, at->children[1]);
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
        return ev_elaborate_fail(e, at,
                                 "|…| of a scalar; a norm is \\|…\\|, a determinant |\\det …|");
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
    case EV_SYNTAX_SYMBOL: return ev_elaborate_symbol(e, x);
    case EV_SYNTAX_IDENTITY: return unsized(e, 2);
    case EV_SYNTAX_ONES: return unsized(e, 1);
    case EV_SYNTAX_INDEX: return ev_elaborate_index(e, x);
    case EV_SYNTAX_APPLY: return ev_elaborate_application(e, x);
    case EV_SYNTAX_ADD:
    case EV_SYNTAX_SUB:
        a = ev_elaborate(e, x->children[0]);
        b = a == NULL ? NULL : ev_elaborate(e, x->children[1]);
        return ev_tensor_add(e, x, a, b, x->kind == EV_SYNTAX_SUB);
    case EV_SYNTAX_NEG:
        a = ev_elaborate(e, x->children[0]);
        return a == NULL ? NULL : ev_tensor_map(e, a, EV_OP_NEG);
    case EV_SYNTAX_MUL: return product(e, x);
    case EV_SYNTAX_ODOT:
    case EV_SYNTAX_OSLASH:
        a = ev_elaborate(e, x->children[0]);
        b = a == NULL ? NULL : ev_elaborate(e, x->children[1]);
        return ev_tensor_entrywise(e, x, a, b, x->kind == EV_SYNTAX_OSLASH);
    case EV_SYNTAX_DIV:
        a = ev_elaborate(e, x->children[0]);
        b = a == NULL ? NULL : ev_elaborate(e, x->children[1]);
        return ev_tensor_divide(e, x, a, b);
    case EV_SYNTAX_POW: return ev_elaborate_power(e, x);
    case EV_SYNTAX_TRANSPOSE: return ev_tensor_transpose(e, ev_elaborate(e, x->children[0]));
    case EV_SYNTAX_INVERSE: return ev_tensor_inverse(e, x, ev_elaborate(e, x->children[0]));
    case EV_SYNTAX_FUNCTION: return ev_elaborate_function(e, x);
    case EV_SYNTAX_NORM: return ev_elaborate_norm(e, x, false);
    case EV_SYNTAX_ABS: return absolute(e, x);
    case EV_SYNTAX_SUM:
    case EV_SYNTAX_PRODUCT:
    case EV_SYNTAX_MAXIMUM:
    case EV_SYNTAX_MINIMUM: return sum_or_product(e, x);
    case EV_SYNTAX_INDICATOR: return indicator(e, x);
    case EV_SYNTAX_INTEGRAL: return ev_elaborate_integral(e, x);
    case EV_SYNTAX_EXPECT:
    case EV_SYNTAX_VARIANCE: return ev_elaborate_expectation(e, x);
    case EV_SYNTAX_KL:
    case EV_SYNTAX_ENTROPY:
    case EV_SYNTAX_CROSS_ENTROPY: return ev_elaborate_divergence(e, x);
    case EV_SYNTAX_NORMAL:
    case EV_SYNTAX_BERNOULLI:
    case EV_SYNTAX_CATEGORICAL: return ev_elaborate_base_density(e, x);
    case EV_SYNTAX_GRADIENT: return gradient(e, x);
    case EV_SYNTAX_ARGMIN:
    case EV_SYNTAX_ARGMAX:
        return ev_elaborate_fail(e, x, "an arg-min has no value inside a formula");
    }
    return NULL;
}

const ev_tensor *ev_elaborate(ev_elaborator *e, const ev_syntax *x)
{
    if (e->error->status != EV_OK)
        return NULL;
    if (e->depth == MAX_DEPTH)
        return ev_elaborate_fail(e, x, "nested more than %d deep", MAX_DEPTH);
    if (++e->visits > MAX_VISITS)
        return ev_elaborate_fail(e, x, "this formula opens into more than %d parts", MAX_VISITS);
    if (ev_graph_size(e->graph) > MAX_NODES)
        return ev_elaborate_fail(
            e, x, "this formula has more than %d operations at these dimensions", MAX_NODES);
    e->depth++;
    const ev_tensor *value = dispatch(e, x);
    e->depth--;
    if (value == NULL && e->error->status == EV_OK)
        ev_elaborate_out_of_memory(e);
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
