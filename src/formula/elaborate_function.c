/* Applications of definitions and of arbitrary functions; named functions, norms, powers. */
#include "formula/elaborate.h"

#include <math.h>
#include <string.h>

/* ---- applications ---- */

static bool argument_fits(ev_elaborator *e, const ev_syntax *at, const ev_symbol *formal,
                          const ev_tensor *value)
{
    size_t rows, cols;
    char found[48];
    if (!ev_elaborate_shape(e, at, formal, false, &rows, &cols))
        return false;
    if (value->rank == formal->rank && !value->row && !value->unsized &&
        (value->rank == 0 || (value->rows == rows && value->cols == cols)))
        return true;
    ev_elaborate_fail(e, at, "%s stands here for %s, which is %s", ev_tensor_describe(value, found),
                      formal->name,
                      formal->rank == 0   ? "a scalar"
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
        if (value == NULL ||
            !ev_elaborate_shape(e, argument, &e->table->symbols[formal], false, &rows, &cols))
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
        return ev_graph_add(
            g, ev_graph_constant(g, s->domain.low),
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
    if (!known && !ev_elaborate_slot(e, at->symbol, per_output * (size_t)outputs, &first))
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

const ev_tensor *ev_elaborate_function(ev_elaborator *e, const ev_syntax *at)
{
    static const ev_op ops[] = {EV_OP_LOG, EV_OP_EXP,  EV_OP_TANH,    EV_OP_SIN,
                                EV_OP_COS, EV_OP_SQRT, EV_OP_SIGMOID, EV_OP_SOFTPLUS};
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
    case EV_FUNCTION_MAX:
    case EV_FUNCTION_MIN: return extremum(e, at, a);
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

const ev_tensor *ev_elaborate_norm(ev_elaborator *e, const ev_syntax *at, bool squared)
{
    const ev_tensor *a = ev_elaborate(e, at->children[0]);
    if (a == NULL)
        return NULL;
    if (a->rank != 1)
        return ev_elaborate_fail(e, at, "\\| … \\| is the norm of a vector");
    ev_node sum = sum_of_squares(e, a);
    return ev_tensor_scalar(e, squared ? sum : ev_graph_unary(e->graph, EV_OP_SQRT, sum));
}

const ev_tensor *ev_elaborate_power(ev_elaborator *e, const ev_syntax *at)
{
    const ev_syntax *exponent = at->children[1];
    bool negative_one = exponent->kind == EV_SYNTAX_NEG &&
                        exponent->children[0]->kind == EV_SYNTAX_NUMBER &&
                        exponent->children[0]->number == 1.0;
    bool two = exponent->kind == EV_SYNTAX_NUMBER && exponent->number == 2.0;
    if (at->children[0]->kind == EV_SYNTAX_NORM && two)
        return ev_elaborate_norm(e, at->children[0], true);
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
