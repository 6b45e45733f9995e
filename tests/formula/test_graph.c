#include "formula/graph.h"

#include "base/arena.h"
#include "expressions.h"

#include <criterion/criterion.h>

static double value_at(const ev_graph *g, ev_node root, const double *inputs)
{
    ev_program *program = NULL;
    double value = (double)NAN;
    cr_assert_eq(ev_program_compile(g, 1, &root, &program, NULL), EV_OK);
    cr_assert_eq(ev_program_values(program, inputs, 24, &value), EV_OK);
    ev_program_destroy(program);
    return value;
}

/* ---- sharing and rewriting ---- */

Test(graph, equal_subexpressions_are_one_node)
{
    ev_graph *g = ev_graph_create();
    ev_node x = ev_graph_input(g, 0, EV_SIGN_ANY), y = ev_graph_input(g, 1, EV_SIGN_ANY);
    ev_node once = times(g, plus(g, x, y), fn(g, EV_OP_SIN, x));
    size_t size = ev_graph_size(g);
    cr_assert_eq(once, times(g, fn(g, EV_OP_SIN, x), plus(g, y, x)));
    cr_assert_eq(ev_graph_size(g), size);
    cr_assert_neq(minus(g, x, y), minus(g, y, x));
    cr_assert_eq(ev_graph_input(g, 0, EV_SIGN_POSITIVE), x);
    cr_assert_eq(ev_graph_sign(g, x), EV_SIGN_ANY, "the first sign stays");
    ev_graph_destroy(g);
}

Test(graph, constants_fold_with_the_error_of_their_rounding)
{
    ev_graph *g = ev_graph_create();
    ev_node half = over(g, num(g, 1), num(g, 2)), third = over(g, num(g, 1), num(g, 3));
    cr_assert_eq(ev_graph_op(g, half), EV_OP_CONSTANT);
    cr_assert_eq(ev_graph_constant_error(g, half), 0);
    cr_assert_eq(ev_graph_op(g, third), EV_OP_CONSTANT);
    long double off = fabsl(1.0L / 3 - (long double)ev_graph_constant_value(g, third));
    cr_assert_geq((long double)ev_graph_constant_error(g, third), off);
    cr_assert_leq(ev_graph_constant_error(g, third), 1e-16);
    cr_assert_eq(ev_graph_constant_error(g, plus(g, num(g, 0.5), num(g, 2))), 0);
    cr_assert_gt(ev_graph_constant_error(g, times(g, num(g, 0.1), num(g, 0.1))), 0);
    cr_assert_eq(ev_graph_op(g, over(g, num(g, 1), num(g, 0))), EV_OP_DIV, "not finite");
    cr_assert_eq(ev_graph_op(g, fn(g, EV_OP_EXP, num(g, -1000))), EV_OP_EXP, "e^-1000 is not 0");
    ev_graph_destroy(g);
}

Test(graph, a_constant_that_cancels_is_left_to_the_evaluator_and_its_error_bound)
{
    ev_graph *g = ev_graph_create();
    ev_node sum = minus(g, plus(g, num(g, 1e16), num(g, 1)), num(g, 1e16));
    ev_program *program = NULL;
    ev_effort effort = no_sampling();
    ev_value v;
    cr_assert_eq(ev_program_compile(g, 1, &sum, &program, NULL), EV_OK);
    cr_assert_eq(ev_program_evaluate(program, NULL, &effort, NULL, &v), EV_OK);
    cr_assert_geq(v.rounding, fabs(v.value - 1));
    ev_program_destroy(program);
    ev_graph_destroy(g);
}

Test(graph, a_printed_cancellation_is_computed)
{
    ev_graph *g = ev_graph_create();
    ev_node x = ev_graph_input(g, 0, EV_SIGN_ANY), zero = num(g, 0);
    cr_assert_eq(ev_graph_op(g, minus(g, x, x)), EV_OP_SUB);
    cr_assert_eq(ev_graph_op(g, times(g, zero, x)), EV_OP_MUL);
    cr_assert_eq(times(g, zero, num(g, 3)), zero);
    cr_assert_eq(plus(g, x, zero), x);
    cr_assert_eq(times(g, num(g, 1), x), x);
    cr_assert_eq(over(g, x, num(g, 1)), x);
    cr_assert_eq(ev_graph_neg(g, ev_graph_neg(g, x)), x);
    ev_graph_destroy(g);
}

Test(graph, signs_are_known_by_construction)
{
    ev_graph *g = ev_graph_create();
    ev_node x = ev_graph_input(g, 0, EV_SIGN_ANY), p = ev_graph_input(g, 1, EV_SIGN_POSITIVE);
    ev_node w = ev_graph_input(g, 2, EV_SIGN_NONNEGATIVE);
    const struct {
        ev_node node;
        ev_sign sign;
    } cases[] = {
        {num(g, 2), EV_SIGN_POSITIVE},
        {num(g, 0), EV_SIGN_NONNEGATIVE},
        {num(g, -2), EV_SIGN_ANY},
        {fn(g, EV_OP_EXP, x), EV_SIGN_POSITIVE},
        {times(g, x, x), EV_SIGN_NONNEGATIVE},
        {power(g, x, 4), EV_SIGN_NONNEGATIVE},
        {power(g, x, 3), EV_SIGN_ANY},
        {power(g, p, 3), EV_SIGN_POSITIVE},
        {plus(g, w, p), EV_SIGN_POSITIVE},
        {plus(g, w, x), EV_SIGN_ANY},
        {times(g, w, p), EV_SIGN_NONNEGATIVE},
        {over(g, p, p), EV_SIGN_POSITIVE},
        {over(g, w, x), EV_SIGN_ANY},
        {ev_graph_neg(g, p), EV_SIGN_ANY},
        {minus(g, p, w), EV_SIGN_ANY},
        {fn(g, EV_OP_SIGMOID, x), EV_SIGN_POSITIVE},
        {fn(g, EV_OP_SOFTPLUS, x), EV_SIGN_POSITIVE},
        {fn(g, EV_OP_SQRT, w), EV_SIGN_NONNEGATIVE},
        {fn(g, EV_OP_ABS, x), EV_SIGN_NONNEGATIVE},
        {fn(g, EV_OP_STEP, x), EV_SIGN_NONNEGATIVE},
        {fn(g, EV_OP_LOG, p), EV_SIGN_ANY},
        {ev_graph_max(g, x, p), EV_SIGN_POSITIVE},
        {ev_graph_min(g, x, p), EV_SIGN_ANY},
        {ev_graph_min(g, w, p), EV_SIGN_NONNEGATIVE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_eq(ev_graph_sign(g, cases[i].node), cases[i].sign, "case %zu", i);
    ev_graph_destroy(g);
}

Test(graph, densities_that_underflow_keep_their_logarithms_and_ratios)
{
    ev_graph *g = ev_graph_create();
    ev_node x = ev_graph_input(g, 0, EV_SIGN_ANY), w = ev_graph_input(g, 1, EV_SIGN_NONNEGATIVE);
    ev_node m = num(g, 3), s = num(g, 0.5), zero = num(g, 0), one = num(g, 1);
    ev_node p = times(g, w, normal_density(g, x, m, s));
    ev_node q = times(g, minus(g, one, num(g, 0.25)), normal_density(g, x, zero, one));
    ev_node mixture = plus(g, p, q);
    const double at[2] = {60, 0.25};
    /* By hand, in long double. */
    long double l0 = logl(0.25L) - 0.5L * logl(2 * acosl(-1.0L) * 0.25L) - 57.0L * 57 / 0.5L;
    long double l1 = logl(0.75L) - 0.5L * logl(2 * acosl(-1.0L)) - 1800;
    cr_assert_float_eq(value_at(g, fn(g, EV_OP_LOG, mixture), at), (double)l1, 1e-10);
    cr_assert_float_eq(value_at(g, fn(g, EV_OP_LOG, p), at), (double)l0, 1e-9);
    cr_assert_float_eq(value_at(g, over(g, q, mixture), at), 1, 1e-12);
    const double none[2] = {60, 0}; /* a weight of zero is no obstacle */
    cr_assert_float_eq(value_at(g, fn(g, EV_OP_LOG, mixture), none), (double)l1, 1e-10);
    cr_assert_float_eq(value_at(g, over(g, p, mixture), none), 0, 0);
    ev_graph_destroy(g);
}

Test(graph, zero_times_log_zero_is_zero)
{
    ev_graph *g = ev_graph_create();
    ev_node a = ev_graph_input(g, 0, EV_SIGN_NONNEGATIVE);
    ev_node b = ev_graph_input(g, 1, EV_SIGN_NONNEGATIVE);
    const double at[2] = {0, 0};
    ev_node log_b = fn(g, EV_OP_LOG, b);
    cr_assert_eq(ev_graph_op(g, times(g, a, log_b)), EV_OP_XLOGY);
    cr_assert_eq(value_at(g, times(g, a, log_b), at), 0);
    cr_assert_eq(value_at(g, times(g, log_b, a), at), 0);
    cr_assert_eq(value_at(g, times(g, a, plus(g, log_b, num(g, 3))), at), 0);
    cr_assert(isnan(value_at(g, log_b, at)));
    ev_graph_destroy(g);
}

/* ---- expectations ---- */

Test(graph, expectations_are_linear)
{
    ev_graph *g = ev_graph_create();
    ev_node e = ev_graph_new_coordinate(g), f = ev_graph_new_coordinate(g);
    ev_node s = ev_graph_input(g, 0, EV_SIGN_POSITIVE), both[2] = {e, f};
    ev_node square = power(g, e, 2);
    ev_node expect = ev_graph_expect(g, square, 1, &e);
    cr_assert_eq(ev_graph_op(g, expect), EV_OP_EXPECT);
    cr_assert_eq(ev_graph_expect(g, s, 2, both), s, "free of the coordinates");
    cr_assert_eq(ev_graph_expect(g, square, 2, both), expect, "f is dropped");
    ev_node scaled = ev_graph_expect(g, over(g, times(g, square, s), num(g, 3)), 1, &e);
    cr_assert_eq(scaled, over(g, times(g, expect, s), num(g, 3)));
    ev_node sum = minus(g, plus(g, square, power(g, f, 2)), s);
    cr_assert_eq(ev_graph_expect(g, sum, 2, both), minus(g, plus(g, expect, expect), s));
    ev_node weighted = times(g, s, fn(g, EV_OP_LOG, plus(g, num(g, 1), square)));
    cr_assert_eq(ev_graph_op(g, weighted), EV_OP_XLOGY);
    cr_assert_eq(ev_graph_op(g, ev_graph_expect(g, weighted, 1, &e)), EV_OP_MUL,
                 "s is surely not 0");
    ev_graph_destroy(g);
}

Test(graph, expectations_equal_but_for_names_are_one_node)
{
    enum { L = 50 };
    ev_graph *g = ev_graph_create();
    ev_node mu = ev_graph_input(g, 0, EV_SIGN_ANY), s = ev_graph_input(g, 1, EV_SIGN_POSITIVE);
    ev_node e[2 * L], sum = 0, first = 0;
    for (size_t l = 0; l < 2 * L; l++)
        e[l] = ev_graph_new_coordinate(g);
    for (size_t l = 0; l < L; l++) {
        ev_node z = plus(g, mu, times(g, s, e[2 * l])), y = times(g, e[2 * l + 1], z);
        ev_node term = fn(g, EV_OP_SOFTPLUS, plus(g, fn(g, EV_OP_SIN, z), y));
        first = l == 0 ? ev_graph_expect(g, term, 2 * L, e) : first;
        sum = l == 0 ? term : plus(g, sum, term);
    }
    size_t before = ev_graph_size(g);
    ev_node mean = ev_graph_expect(g, sum, 2 * L, e);
    /* All that is new: the first term's partial sums E + E, (E + E) + E, ... */
    cr_assert_leq(ev_graph_size(g) - before, L - 1);
    const double at[2] = {0.3, 0.8};
    cr_assert_float_eq(value_at(g, mean, at), L * value_at(g, first, at), 1e-11);
    ev_graph_destroy(g);
}

/* E_x[log E_y[e^(x y / 3)]]. */
static ev_node nested(ev_graph *g, ev_node x, ev_node y)
{
    ev_node inner = ev_graph_expect(g, fn(g, EV_OP_EXP, over(g, times(g, y, x), num(g, 3))), 1, &y);
    return ev_graph_expect(g, fn(g, EV_OP_LOG, inner), 1, &x);
}

Test(graph, nested_expectations_equal_but_for_names_are_one_node)
{
    ev_graph *g = ev_graph_create();
    ev_node a = ev_graph_new_coordinate(g), b = ev_graph_new_coordinate(g);
    cr_assert_eq(nested(g, a, b), nested(g, b, a));
    cr_assert_float_eq(value_at(g, nested(g, a, b), NULL), 1.0 / 18, 1e-12);
    ev_graph_destroy(g);
}

Test(graph, substitution_replaces_all_at_once)
{
    ev_graph *g = ev_graph_create();
    ev_node x = ev_graph_input(g, 0, EV_SIGN_ANY), y = ev_graph_input(g, 1, EV_SIGN_ANY);
    ev_node v = ev_graph_new_variable(g, EV_SIGN_ANY);
    ev_node f = minus(g, times(g, x, fn(g, EV_OP_SIN, y)), v);
    ev_node from[3] = {x, y, v}, to[3] = {y, x, plus(g, x, v)};
    cr_assert_eq(ev_graph_substitute(g, f, 3, from, to),
                 minus(g, times(g, y, fn(g, EV_OP_SIN, x)), plus(g, x, v)));
    cr_assert(ev_graph_depends(g, f, v));
    cr_assert(ev_graph_depends(g, f, x));
    ev_node zero = num(g, 0);
    cr_assert_not(ev_graph_depends(g, ev_graph_substitute(g, f, 1, &v, &zero), v));
    ev_graph_destroy(g);
}

Test(graph, substitution_under_an_expectation_captures_nothing)
{
    ev_graph *g = ev_graph_create();
    ev_node e = ev_graph_new_coordinate(g), z = ev_graph_new_coordinate(g);
    ev_node v = ev_graph_new_variable(g, EV_SIGN_ANY);
    /* F(v) = E_e[(v + e)^2 v^2]: F is v^4 + v^2 once expanded. */
    ev_node f = ev_graph_expect(g, times(g, power(g, plus(g, v, e), 2), power(g, plus(g, v, e), 2)),
                                1, &e);
    /* E(v + e)^4 = v^4 + 6 v^2 + 3; with v = z, E_z of it is 3 + 6 + 3 = 12. */
    ev_node at_z = ev_graph_substitute(g, f, 1, &v, &z);
    cr_assert(ev_graph_depends(g, at_z, z));
    cr_assert_float_eq(value_at(g, ev_graph_expect(g, at_z, 1, &z), NULL), 12, 1e-11);
    /* v = E_e[(z + e)^2] = z^2 + 1 has an EXPECT of the level that f has:
     * E_z[(z^2+1)^4 + 6 (z^2+1)^2 + 3] = (105+60+18+4+1) + 6 (3+2+1) + 3 = 227. */
    ev_node w = ev_graph_expect(g, times(g, plus(g, z, e), plus(g, z, e)), 1, &e);
    ev_node at_w = ev_graph_substitute(g, f, 1, &v, &w);
    cr_assert_float_eq(value_at(g, ev_graph_expect(g, at_w, 1, &z), NULL), 227, 1e-9);
    ev_graph_destroy(g);
}

Test(graph, an_opened_body_put_under_another_expectation_keeps_its_meaning)
{
    ev_graph *g = ev_graph_create();
    ev_node e = ev_graph_new_coordinate(g), x = ev_graph_new_coordinate(g);
    ev_node v = ev_graph_new_variable(g, EV_SIGN_ANY);
    ev_node fourth = ev_graph_expect(g, power(g, e, 4), 1, &e); /* 3 */
    ev_node body = ev_graph_operand(g, fourth, 0), c = ev_graph_expect_coordinates(g, fourth)[0];
    /* E_x[(x c)^2 E_c[c^4]] with c free is 3 c^2; over c again 3. */
    ev_node inner = ev_graph_expect(g, times(g, times(g, power(g, times(g, x, c), 2), v), v), 1,
                                    &x);
    ev_node root = ev_graph_substitute(g, inner, 1, &v, &fourth);
    cr_assert(ev_graph_depends(g, root, c));
    cr_assert_float_eq(value_at(g, ev_graph_expect(g, root, 1, &c), NULL), 9, 1e-11);
    /* A replacement free in c, put under an EXPECT that binds c: E_c[c^4 + v]. */
    ev_node open = ev_graph_expect(g, fn(g, EV_OP_SOFTPLUS, plus(g, body, v)), 1, &c);
    ev_node captured = ev_graph_substitute(g, open, 1, &v, &c);
    cr_assert(ev_graph_depends(g, captured, c), "c stays free");
    ev_graph_destroy(g);
}

/* ---- derivatives ---- */

/* Richardson-extrapolated central differences, of order h^4. */
static double difference(const ev_graph *g, ev_node root, const double *inputs, size_t n, size_t i)
{
    ev_program *program = NULL;
    double x[4], slope[2];
    cr_assert_eq(ev_program_compile(g, 1, &root, &program, NULL), EV_OK);
    for (size_t k = 0; k < 2; k++) {
        double h = k == 0 ? 4e-3 : 2e-3, above, below;
        for (size_t j = 0; j < n; j++)
            x[j] = inputs[j];
        x[i] = inputs[i] + h;
        ev_program_values(program, x, 24, &above);
        x[i] = inputs[i] - h;
        ev_program_values(program, x, 24, &below);
        slope[k] = (above - below) / (2 * h);
    }
    ev_program_destroy(program);
    return (4 * slope[1] - slope[0]) / 3;
}

Test(graph, derivatives_agree_with_finite_differences_on_random_expressions)
{
    uint64_t state = 7;
    size_t compared = 0;
    for (size_t round = 0; round < rounds(300); round++) {
        ev_graph *g = ev_graph_create();
        ev_node root = random_expression(g, &state, 3, 4);
        double at[3];
        for (size_t i = 0; i < 3; i++)
            at[i] = draw_uniform(&state, -1.5, 1.5);
        for (size_t i = 0; i < 3; i++) {
            ev_node x = ev_graph_input(g, i, EV_SIGN_ANY);
            double d = value_at(g, ev_graph_derivative(g, root, x), at);
            double want = difference(g, root, at, 3, i), scale = fabs(value_at(g, root, at)) + 1;
            /* Sharp functions have large fifth derivatives: those points say nothing. */
            if (fabs(want) > 20 || scale > 20)
                continue;
            compared++;
            cr_assert_float_eq(d, want, 2e-6 * scale + 2e-5 * fabs(want),
                               "round %zu, input %zu: %.12g and %.12g", round, i, d, want);
        }
        ev_graph_destroy(g);
    }
    cr_assert_gt(compared, 500);
}

Test(graph, every_operation_has_its_derivative)
{
    ev_graph *g = ev_graph_create();
    ev_node x = ev_graph_input(g, 0, EV_SIGN_POSITIVE), y = ev_graph_input(g, 1, EV_SIGN_POSITIVE);
    ev_node e = ev_graph_new_coordinate(g), xy = times(g, x, y);
    ev_node roots[] = {
        ev_graph_pow(g, x, y),
        ev_graph_pow(g, num(g, 2), xy),
        power(g, xy, -1.5),
        over(g, y, plus(g, x, power(g, x, 2))),
        times(g, xy, fn(g, EV_OP_LOG, plus(g, x, y))),
        fn(g, EV_OP_LOG, plus(g, fn(g, EV_OP_EXP, xy), fn(g, EV_OP_EXP, x))),
        ev_graph_max(g, xy, x),
        ev_graph_min(g, xy, power(g, x, 2)),
        fn(g, EV_OP_ABS, minus(g, y, xy)),
        ev_graph_neg(g, fn(g, EV_OP_COS, xy)),
        fn(g, EV_OP_TANH, xy),
        fn(g, EV_OP_SQRT, xy),
        ev_graph_expect(g, fn(g, EV_OP_SOFTPLUS, plus(g, y, times(g, x, e))), 1, &e),
        fn(g, EV_OP_LOG, ev_graph_expect(g, fn(g, EV_OP_EXP, times(g, xy, e)), 1, &e)),
    };
    const double at[2] = {0.7, 1.3};
    for (size_t k = 0; k < sizeof roots / sizeof *roots; k++)
        for (size_t i = 0; i < 2; i++) {
            ev_node d = ev_graph_derivative(g, roots[k], i == 0 ? x : y);
            double want = difference(g, roots[k], at, 2, i);
            cr_assert_float_eq(value_at(g, d, at), want, 1e-8, "case %zu, input %zu: %.12g, %.12g",
                               k, i, value_at(g, d, at), want);
        }
    cr_assert_eq(ev_graph_derivative(g, fn(g, EV_OP_STEP, x), x), num(g, 0));
    cr_assert_eq(ev_graph_derivative(g, y, x), num(g, 0));
    ev_graph_destroy(g);
}

Test(graph, what_is_held_has_its_value_and_no_derivative)
{
    ev_graph *g = ev_graph_create();
    ev_node x = ev_graph_input(g, 0, EV_SIGN_POSITIVE), e = ev_graph_new_coordinate(g);
    ev_node z = plus(g, x, e), held = fn(g, EV_OP_HOLD, z);
    ev_node root = ev_graph_expect(g, times(g, held, power(g, z, 2)), 1, &e);
    const double at[1] = {1.5};
    cr_assert_float_eq(value_at(g, root, at), 1.5 * 1.5 * 1.5 + 3 * 1.5, 1e-11);
    /* E[z 2 z] = 2 x^2 + 2 */
    cr_assert_float_eq(value_at(g, ev_graph_derivative(g, root, x), at), 2 * 1.5 * 1.5 + 2, 1e-11);
    ev_node density = fn(g, EV_OP_HOLD, fn(g, EV_OP_EXP, times(g, num(g, -1000), x)));
    cr_assert_float_eq(value_at(g, fn(g, EV_OP_LOG, density), at), -1500, 1e-12);
    ev_graph_destroy(g);
}

/* ---- size and failure ---- */

Test(graph, sums_of_a_hundred_thousand_terms_need_no_stack)
{
    enum { N = 100000 };
    ev_graph *g = ev_graph_create();
    ev_node x = ev_graph_input(g, 0, EV_SIGN_ANY), y = ev_graph_input(g, 1, EV_SIGN_ANY);
    ev_node e = ev_graph_new_coordinate(g), sum = x, mixture = num(g, 1), noisy = e;
    for (size_t i = 1; i <= N; i++) {
        ev_node term = times(g, num(g, (double)i), x);
        sum = plus(g, sum, term);
        mixture = plus(g, mixture, fn(g, EV_OP_EXP, ev_graph_neg(g, term)));
        noisy = plus(g, noisy, times(g, term, e));
    }
    const double at[2] = {2, 1};
    cr_assert_float_eq(value_at(g, ev_graph_derivative(g, sum, x), at), 1 + N * (N + 1.0) / 2,
                       1e-3);
    cr_assert_float_eq(value_at(g, ev_graph_substitute(g, sum, 1, &x, &y), at),
                       1 + N * (N + 1.0) / 2, 1e-3);
    cr_assert_float_eq(value_at(g, fn(g, EV_OP_LOG, mixture), at), -log1p(-exp(-2.0)), 1e-12);
    cr_assert_neq(ev_graph_expect(g, noisy, 1, &e), 0);
    ev_graph_destroy(g);
}

static ev_node all_kinds_of_work(ev_graph *g)
{
    ev_node e[8], x = ev_graph_input(g, 0, EV_SIGN_ANY), s = ev_graph_input(g, 1, EV_SIGN_POSITIVE);
    ev_node v = ev_graph_new_variable(g, EV_SIGN_ANY), sum = num(g, 1);
    for (size_t i = 0; i < 8; i++) {
        e[i] = ev_graph_new_coordinate(g);
        ev_node z = plus(g, x, times(g, s, e[i]));
        sum = plus(g, sum, times(g, fn(g, EV_OP_EXP, times(g, v, z)), fn(g, EV_OP_EXP, x)));
    }
    ev_node root = ev_graph_expect(g, fn(g, EV_OP_LOG, sum), 8, e);
    root = ev_graph_substitute(g, root, 1, &v, &s);
    return ev_graph_derivative(g, root, s);
}

Test(graph, running_out_of_memory_anywhere_gives_no_node_and_is_remembered)
{
    size_t completed = 0;
    for (size_t n = 1; n < 2000 && completed < 3; n++) {
        ev_arena_fail_after(n);
        ev_graph *g = ev_graph_create();
        if (g == NULL)
            continue;
        ev_node root = all_kinds_of_work(g);
        ev_arena_fail_after(0);
        cr_assert_eq(root == 0, ev_graph_failed(g), "failure %zu", n);
        completed += root != 0;
        ev_graph_destroy(g);
    }
    ev_arena_fail_after(0);
    cr_assert_eq(completed, 3, "the work has an end");
}

Test(graph, an_absent_operand_gives_no_node)
{
    ev_graph *g = ev_graph_create();
    ev_node x = ev_graph_input(g, 0, EV_SIGN_ANY);
    cr_assert_eq(plus(g, 0, x), 0);
    cr_assert_eq(times(g, x, 0), 0);
    cr_assert_eq(fn(g, EV_OP_LOG, 0), 0);
    cr_assert_eq(ev_graph_expect(g, 0, 0, NULL), 0);
    cr_assert_eq(ev_graph_derivative(g, 0, x), 0);
    cr_assert_not(ev_graph_failed(g));
    ev_graph_destroy(NULL);
    ev_graph_destroy(g);
}
