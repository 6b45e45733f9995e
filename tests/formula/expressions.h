/* Shared by the tests of graphs and programs: short names for building expressions, a random
 * expression generator, and an interpreter in long double, which walks the graph by its
 * public inspection functions and shares no code with the evaluator. */
#ifndef EV_TESTS_FORMULA_EXPRESSIONS_H
#define EV_TESTS_FORMULA_EXPRESSIONS_H

#include "formula/program.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

static inline ev_node num(ev_graph *g, double x) { return ev_graph_constant(g, x); }
static inline ev_node plus(ev_graph *g, ev_node a, ev_node b) { return ev_graph_add(g, a, b); }
static inline ev_node minus(ev_graph *g, ev_node a, ev_node b) { return ev_graph_sub(g, a, b); }
static inline ev_node times(ev_graph *g, ev_node a, ev_node b) { return ev_graph_mul(g, a, b); }
static inline ev_node over(ev_graph *g, ev_node a, ev_node b) { return ev_graph_div(g, a, b); }
static inline ev_node fn(ev_graph *g, ev_op op, ev_node a) { return ev_graph_unary(g, op, a); }
static inline ev_node power(ev_graph *g, ev_node a, double b)
{
    return ev_graph_pow(g, a, ev_graph_constant(g, b));
}

/* pi as a printed formula has it: the double and how far it is from pi. */
static inline ev_node pi_node(ev_graph *g)
{
    return ev_graph_rounded_constant(g, 3.14159265358979312, 1.3e-16);
}

/* e^(-(x-m)^2 / (2 s^2)) / sqrt(2 pi s^2) */
static inline ev_node normal_density(ev_graph *g, ev_node x, ev_node m, ev_node s)
{
    ev_node var = power(g, s, 2);
    ev_node exponent = ev_graph_neg(g,
                                    over(g, power(g, minus(g, x, m), 2), times(g, num(g, 2), var)));
    ev_node norm = fn(g, EV_OP_SQRT, times(g, times(g, num(g, 2), pi_node(g)), var));
    return over(g, fn(g, EV_OP_EXP, exponent), norm);
}

static inline double draw_uniform(uint64_t *state, double low, double high)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t bits = (*state ^ (*state >> 31)) * UINT64_C(0x9E3779B97F4A7C15);
    return low + (high - low) * (double)(bits >> 11) * 0x1p-53;
}

static inline size_t draw_below(uint64_t *state, size_t n)
{
    return (size_t)draw_uniform(state, 0, (double)n);
}

/* A smooth random expression of the inputs 0 .. inputs-1, defined everywhere. */
static inline ev_node random_expression(ev_graph *g, uint64_t *state, size_t inputs, int depth)
{
    static const ev_op unary[] = {EV_OP_EXP,  EV_OP_TANH,    EV_OP_SIN,      EV_OP_COS,
                                  EV_OP_SQRT, EV_OP_SIGMOID, EV_OP_SOFTPLUS, EV_OP_LOG};
    size_t kind = depth == 0 ? draw_below(state, 2) : 2 + draw_below(state, 9);
    if (kind == 0)
        return num(g, floor(draw_uniform(state, -4, 5)) / 2);
    if (kind == 1)
        return ev_graph_input(g, draw_below(state, inputs), EV_SIGN_ANY);
    ev_node a = random_expression(g, state, inputs, depth - 1);
    if (kind >= 7) {
        ev_op op = unary[draw_below(state, 8)];
        if (op == EV_OP_EXP)
            return fn(g, op, fn(g, EV_OP_SIN, a));
        if (op == EV_OP_SQRT || op == EV_OP_LOG)
            return fn(g, op, plus(g, num(g, 1.5), power(g, a, 2)));
        return fn(g, op, a);
    }
    ev_node b = random_expression(g, state, inputs, depth - 1);
    switch (kind) {
    case 2: return plus(g, a, b);
    case 3: return minus(g, a, b);
    case 4: return times(g, a, fn(g, EV_OP_TANH, b));
    case 5: return over(g, a, plus(g, num(g, 2), fn(g, EV_OP_SIN, b)));
    default:
        return times(g, fn(g, EV_OP_SIGMOID, a),
                     fn(g, EV_OP_LOG, plus(g, num(g, 1), fn(g, EV_OP_EXP, fn(g, EV_OP_SIN, b)))));
    }
}

static inline long double interpret_op(ev_op op, long double a, long double b)
{
    long double e;
    switch (op) {
    case EV_OP_ADD: return a + b;
    case EV_OP_SUB: return a - b;
    case EV_OP_MUL: return a * b;
    case EV_OP_DIV: return a / b;
    case EV_OP_NEG: return -a;
    case EV_OP_POW: return powl(a, b);
    case EV_OP_EXP: return expl(a);
    case EV_OP_LOG: return logl(a);
    case EV_OP_SQRT: return sqrtl(a);
    case EV_OP_TANH: return tanhl(a);
    case EV_OP_SIN: return sinl(a);
    case EV_OP_COS: return cosl(a);
    case EV_OP_SIGMOID: return 1 / (1 + expl(-a));
    case EV_OP_SOFTPLUS: return a > 0 ? a + log1pl(expl(-a)) : log1pl(expl(a));
    case EV_OP_ABS: return fabsl(a);
    case EV_OP_MAX: return a > b ? a : b;
    case EV_OP_MIN: return a < b ? a : b;
    case EV_OP_STEP: return a > 0;
    case EV_OP_HOLD: return a;
    case EV_OP_XLOGY: return a * logl(b);
    case EV_OP_LOG_ADD_EXP: e = a > b ? b - a : a - b; return (a > b ? a : b) + log1pl(expl(e));
    default: return (long double)NAN;
    }
}

/* The root's value in long double; no EXPECTs.  NaN when memory is short. */
static inline long double interpret(const ev_graph *g, ev_node root, const double *inputs)
{
    long double *value = calloc((size_t)root + 1, sizeof *value);
    if (value == NULL)
        return (long double)NAN;
    for (ev_node n = 1; n <= root; n++) {
        ev_op op = ev_graph_op(g, n);
        if (op == EV_OP_CONSTANT)
            value[n] = (long double)ev_graph_constant_value(g, n);
        else if (op == EV_OP_INPUT)
            value[n] = (long double)inputs[ev_graph_input_index(g, n)];
        else if (op > EV_OP_COORDINATE && op != EV_OP_EXPECT)
            value[n] = interpret_op(op, value[ev_graph_operand(g, n, 0)],
                                    value[ev_graph_operand(g, n, 1)]);
    }
    long double result = value[root];
    free(value);
    return result;
}

/* Rounds of a random test, times TEST_MULTIPLIER when it is set, for soaking. */
static inline size_t rounds(size_t usual)
{
    const char *text = getenv("TEST_MULTIPLIER");
    unsigned long factor = text == NULL ? 1 : strtoul(text, NULL, 10);
    return usual * (factor == 0 ? 1 : (size_t)factor);
}

/* Effort for closed forms and quadrature only. */
static inline ev_effort no_sampling(void)
{
    return (ev_effort){.relative = 1e-11,
                       .max_evaluations = 2000000,
                       .max_dim = 4,
                       .sampling_relative = 1e-3,
                       .alpha = 1e-9,
                       .threads = 1};
}

#endif
