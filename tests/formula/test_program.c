#include "formula/program.h"

#include "base/arena.h"
#include "evaluation.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_integration.h>
#include <string.h>

/* ---- against closed forms ---- */

Test(program, the_moments_of_a_gaussian_are_the_double_factorials)
{
    ev_graph *g = ev_graph_create();
    ev_node e = ev_graph_new_coordinate(g);
    double truth = 1;
    for (int k = 2; k <= 8; k += 2) {
        truth *= k - 1;
        ev_value v = evaluate(g, ev_graph_expect(g, power(g, e, k), 1, &e), NULL);
        assert_value(&v, truth, 1e-10);
        v = evaluate(g, ev_graph_expect(g, power(g, e, k - 1), 1, &e), NULL);
        cr_assert(v.fit, "%s", v.reason);
        cr_assert_leq(fabs(v.value), total_error(&v));
        cr_assert_leq(total_error(&v), 1e-11 * v.magnitude);
    }
    ev_graph_destroy(g);
}

Test(program, the_mean_of_a_lognormal_is_its_closed_form)
{
    ev_graph *g = ev_graph_create();
    ev_node e = ev_graph_new_coordinate(g), m = ev_graph_input(g, 0, EV_SIGN_ANY);
    ev_node s = ev_graph_input(g, 1, EV_SIGN_POSITIVE);
    ev_node root = ev_graph_expect(g, fn(g, EV_OP_EXP, plus(g, m, times(g, s, e))), 1, &e);
    uint64_t state = 1;
    for (size_t round = 0; round < rounds(50); round++) {
        const double at[2] = {draw_uniform(&state, -2, 2), draw_uniform(&state, 0.01, 2)};
        ev_value v = evaluate(g, root, at);
        assert_value(&v, exp(at[0] + at[1] * at[1] / 2), 1e-10);
        cr_assert(v.methods & EV_METHOD_HERMITE);
    }
    ev_graph_destroy(g);
}

Test(program, a_nested_expectation_of_a_logarithm_is_its_closed_form)
{
    ev_graph *g = ev_graph_create();
    ev_node x = ev_graph_new_coordinate(g), y = ev_graph_new_coordinate(g);
    ev_node inner = ev_graph_expect(g, fn(g, EV_OP_EXP, over(g, times(g, x, y), num(g, 3))), 1, &y);
    /* log E_y[e^(xy/3)] = x^2/18 */
    ev_value v = evaluate(g, ev_graph_expect(g, fn(g, EV_OP_LOG, inner), 1, &x), NULL);
    assert_value(&v, 1.0 / 18, 1e-9);
    ev_graph_destroy(g);
}

/* As a function of y, p(x | y) is a peak of deviation s / a, for which Gauss-Hermite would want some
 * thousands of nodes; the lattice has a few hundred. */
Test(program, the_entropy_of_a_narrow_marginal_is_its_closed_form)
{
    ev_graph *g = ev_graph_create();
    ev_node x = ev_graph_new_coordinate(g), y = ev_graph_new_coordinate(g);
    const double a = 4, s = 0.5, deviation = sqrt(a * a + s * s);
    /* log E_y[e^(-(d x - a y)^2 / 2 s^2)] = log(s / d) - x^2 / 2 */
    ev_node z = over(g, minus(g, times(g, num(g, deviation), x), times(g, num(g, a), y)),
                     num(g, s));
    ev_node kernel = fn(g, EV_OP_EXP, over(g, power(g, z, 2), num(g, -2)));
    ev_node root = ev_graph_expect(g, fn(g, EV_OP_LOG, ev_graph_expect(g, kernel, 1, &y)), 1, &x);
    ev_value v = evaluate(g, root, NULL);
    assert_value(&v, log(s / deviation) - 0.5, 1e-9);
    ev_graph_destroy(g);
}

/* Whatever the budget: no more is spent, and no error is understated. */
Test(program, a_meter_is_never_passed_and_what_it_leaves_undone_shows_in_the_error)
{
    ev_graph *g = ev_graph_create();
    ev_node x = ev_graph_new_coordinate(g), y = ev_graph_new_coordinate(g);
    ev_node inner = ev_graph_expect(g, fn(g, EV_OP_EXP, over(g, times(g, x, y), num(g, 2))), 1, &y);
    ev_node root = ev_graph_expect(g, fn(g, EV_OP_LOG, inner), 1, &x); /* E x^2 / 8 */
    ev_program *program;
    cr_assert_eq(ev_program_compile(g, 1, &root, &program, NULL), EV_OK);
    const ev_effort effort = with_sampling(1 << 12);
    bool fit = false;
    for (uint64_t limit = 1; limit < UINT64_C(1) << 32; limit *= 4) {
        ev_meter meter = {.limit = limit};
        ev_value v;
        ev_program_set_meter(program, &meter);
        cr_assert_eq(ev_program_evaluate(program, NULL, &effort, NULL, &v), EV_OK);
        cr_assert(meter.spent <= limit || limit < 1000, "%llu of %llu",
                  (unsigned long long)meter.spent, (unsigned long long)limit);
        cr_assert(v.fit || meter.cut);
        cr_assert(!v.fit || fabs(v.value - 0.125) <= total_error(&v));
        fit = v.fit;
    }
    cr_assert(fit);
    ev_program_destroy(program);
    ev_graph_destroy(g);
}

Test(program, expectations_nest_three_deep_and_side_by_side)
{
    ev_graph *g = ev_graph_create();
    ev_node x = ev_graph_new_coordinate(g), y = ev_graph_new_coordinate(g);
    ev_node z = ev_graph_new_coordinate(g), s = ev_graph_input(g, 0, EV_SIGN_POSITIVE);
    /* log E_z[e^(s y z)] = (s y)^2/2; E_y of e^(that/2) = (1 - s^2/2)^(-1/2) ... times e^(x y/4). */
    ev_node a = fn(g, EV_OP_LOG,
                   ev_graph_expect(g, fn(g, EV_OP_EXP, times(g, times(g, s, y), z)), 1, &z));
    ev_node b = ev_graph_expect(g, power(g, plus(g, y, z), 2), 1, &z); /* y^2 + 1 */
    ev_node weight = fn(g, EV_OP_EXP, over(g, times(g, x, y), num(g, 4)));
    ev_node inner = ev_graph_expect(g, times(g, plus(g, a, b), weight), 1, &y);
    /* E_y[(c y^2 + 1) e^(xy/4)] = (c (1 + t^2) + 1) e^(t^2/2), t = x/4, c = 1 + s^2/2. */
    ev_node root = ev_graph_expect(g, fn(g, EV_OP_LOG, inner), 1, &x);
    const double at[1] = {0.6};
    double c = 1 + 0.18, sum = 0;
    for (int i = -4000; i <= 4000; i++) {
        double u = i * 0.003, t = u / 4;
        sum += 0.003 * exp(-u * u / 2) / sqrt(2 * acos(-1.0)) *
               (log(c * (1 + t * t) + 1) + t * t / 2);
    }
    ev_value v = evaluate(g, root, at);
    cr_assert(v.fit, "%s", v.reason);
    cr_assert_float_eq(v.value, sum, 1e-9 + total_error(&v));
    cr_assert_leq(total_error(&v), 1e-8);
    ev_graph_destroy(g);
}

typedef struct {
    double m, t, w, mu[2], s[2];
} mixture_case;

static double log_density(double x, double m, double s)
{
    return -0.5 * log(2 * acos(-1.0) * s * s) - (x - m) * (x - m) / (2 * s * s);
}

static double mixture_integrand(double x, void *context)
{
    const mixture_case *c = context;
    double p = log(c->w) + log_density(x, c->mu[0], c->s[0]);
    double q = log1p(-c->w) + log_density(x, c->mu[1], c->s[1]);
    return exp(log_density(x, c->m, c->t)) * (fmax(p, q) + log1p(exp(-fabs(p - q))));
}

Test(program, the_expected_log_of_a_mixture_agrees_with_gsl_on_the_plain_line)
{
    ev_graph *g = ev_graph_create();
    ev_node in[7], e = ev_graph_new_coordinate(g);
    for (size_t i = 0; i < 7; i++)
        in[i] = ev_graph_input(g, i, i == 0 || i == 3 || i == 4 ? EV_SIGN_ANY : EV_SIGN_POSITIVE);
    ev_node z = plus(g, in[0], times(g, in[1], e));
    ev_node p = times(g, in[2], normal_density(g, z, in[3], in[5]));
    ev_node q = times(g, minus(g, num(g, 1), in[2]), normal_density(g, z, in[4], in[6]));
    ev_node root = ev_graph_expect(g, fn(g, EV_OP_LOG, plus(g, p, q)), 1, &e);
    gsl_set_error_handler_off();
    gsl_integration_workspace *w = gsl_integration_workspace_alloc(1000);
    uint64_t state = 5;
    for (size_t round = 0; round < rounds(30); round++) {
        double at[7] = {draw_uniform(&state, -2, 2),    draw_uniform(&state, 0.2, 2),
                        draw_uniform(&state, 0.1, 0.9), draw_uniform(&state, -2, 2),
                        draw_uniform(&state, -2, 2),    draw_uniform(&state, 0.4, 2),
                        draw_uniform(&state, 0.4, 2)};
        mixture_case c = {at[0], at[1], at[2], {at[3], at[4]}, {at[5], at[6]}};
        gsl_function f = {mixture_integrand, &c};
        double sum = 0;
        for (int i = -12; i < 12; i++) {
            double part, error;
            gsl_integration_qag(&f, c.m + i * c.t, c.m + (i + 1) * c.t, 1e-15, 1e-12, 1000,
                                GSL_INTEG_GAUSS31, w, &part, &error);
            sum += part;
        }
        ev_value v = evaluate(g, root, at);
        cr_assert(v.fit, "%s", v.reason);
        cr_assert_float_eq(v.value, sum, total_error(&v) + 1e-11 * fabs(sum));
        cr_assert_leq(total_error(&v), 1e-9 * fabs(sum));
    }
    gsl_integration_workspace_free(w);
    ev_graph_destroy(g);
}

Test(program, an_expectation_inside_another_but_free_of_it_is_computed_with_its_own_error)
{
    ev_graph *g = ev_graph_create();
    ev_node x = ev_graph_new_coordinate(g), y = ev_graph_new_coordinate(g);
    ev_node s = ev_graph_input(g, 0, EV_SIGN_POSITIVE);
    ev_node scale = ev_graph_expect(g, fn(g, EV_OP_EXP, times(g, s, y)), 1, &y); /* e^(s^2/2) */
    ev_node root = ev_graph_expect(g, fn(g, EV_OP_EXP, times(g, scale, x)), 1, &x);
    const double at[1] = {0.9};
    ev_program *program = NULL;
    cr_assert_eq(ev_program_compile(g, 1, &root, &program, NULL), EV_OK);
    cr_assert_eq(ev_program_comparisons(program), 2);
    ev_program_destroy(program);
    ev_value v = evaluate(g, root, at);
    assert_value(&v, exp(exp(0.81) / 2), 1e-9);
    ev_graph_destroy(g);
}

/* ---- error bounds ---- */

Test(program, rounding_bounds_hold_on_random_expressions_and_are_not_idle)
{
    uint64_t state = 3;
    size_t tight = 0, compared = 0;
    for (size_t round = 0; round < rounds(3000); round++) {
        ev_graph *g = ev_graph_create();
        ev_node root = random_expression(g, &state, 3, 5);
        ev_node big = num(g, pow(10, floor(draw_uniform(&state, 0, 13))));
        if (draw_below(&state, 2) == 0)
            root = minus(g, plus(g, big, root), big);
        double at[3];
        for (size_t i = 0; i < 3; i++)
            at[i] = draw_uniform(&state, -3, 3);
        long double truth = interpret(g, root, at);
        ev_value v = evaluate(g, root, at);
        if (v.fit && fabsl(truth) < 1e15L) {
            double off = (double)fabsl((long double)v.value - truth);
            cr_assert_leq(off, v.rounding + 1e-19 * v.magnitude, "round %zu: %.17g, off by %g > %g",
                          round, v.value, off, v.rounding);
            cr_assert_eq(v.quadrature + v.sampling, 0);
            compared++;
            tight += v.rounding <= 1e-11 * v.magnitude;
        }
        ev_graph_destroy(g);
    }
    cr_assert_gt(compared, 2500);
    cr_assert_gt((double)tight, 0.9 * (double)compared);
}

Test(program, a_cancelling_sum_has_the_error_of_its_terms)
{
    ev_graph *g = ev_graph_create();
    ev_node x = ev_graph_input(g, 0, EV_SIGN_ANY);
    ev_node root = minus(g, plus(g, num(g, 1e8), x), num(g, 1e8));
    uint64_t state = 9;
    for (size_t round = 0; round < rounds(1000); round++) {
        const double at[1] = {draw_uniform(&state, -1, 1)};
        ev_value v = evaluate(g, root, at);
        cr_assert_leq(fabs(v.value - at[0]), v.rounding);
        cr_assert_leq(v.rounding, 3e-8);
        cr_assert_float_eq(v.magnitude, 2e8, 2);
    }
    ev_graph_destroy(g);
}

Test(program, a_body_that_cancels_tells_so_in_its_rounding_error)
{
    ev_graph *g = ev_graph_create();
    ev_node e = ev_graph_new_coordinate(g);
    ev_node lifted = plus(g, num(g, 1e9), times(g, e, e));
    /* A product keeps linearity from taking the sum apart. */
    ev_node body = times(g, minus(g, lifted, num(g, 1e9)), fn(g, EV_OP_SIGMOID, e));
    ev_effort effort = no_sampling();
    effort.relative = 1e-6;
    ev_value v = evaluate_with(g, ev_graph_expect(g, body, 1, &e), NULL, &effort);
    cr_assert(v.fit, "%s", v.reason);
    cr_assert_leq(fabs(v.value - 0.5), total_error(&v));
    cr_assert_geq(v.rounding, 1e-8);
    ev_graph_destroy(g);
}

/* ---- domain ---- */

Test(program, what_is_not_defined_at_a_point_is_named)
{
    ev_graph *g = ev_graph_create();
    ev_node x = ev_graph_input(g, 0, EV_SIGN_ANY), e = ev_graph_new_coordinate(g);
    const double at[1] = {-0.3}, zero[1] = {0};
    ev_node log_x = fn(g, EV_OP_LOG, x), shifted = plus(g, num(g, 2), power(g, e, 2));
    const struct {
        ev_node root;
        const double *at;
        const char *reason;
    } cases[] = {
        {plus(g, num(g, 1), log_x), at, "not finite: log of -0.3"},
        {log_x, zero, "not finite: log of 0"},
        {over(g, num(g, 1.5), x), zero, "not finite: 1.5 / 0"},
        {fn(g, EV_OP_SQRT, x), at, "not finite: square root of -0.3"},
        {power(g, x, 0.5), at, "not finite: -0.3 to the power of 0.5"},
        {ev_graph_expect(g, fn(g, EV_OP_SQRT, plus(g, shifted, log_x)), 1, &e), at,
         "not finite: a value that an expectation depends on"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ev_value v = evaluate(g, cases[i].root, cases[i].at);
        cr_assert_not(v.fit);
        cr_assert_not(v.domain);
        cr_assert_str_eq(v.reason, cases[i].reason);
    }
    ev_value v = evaluate(g, ev_graph_expect(g, fn(g, EV_OP_LOG, e), 1, &e), NULL);
    cr_assert_not(v.fit || v.domain);
    cr_assert_not_null(strstr(v.reason, "log of -"), "%s", v.reason);
    ev_graph_destroy(g);
}

Test(program, an_unbound_leaf_is_refused)
{
    ev_graph *g = ev_graph_create();
    ev_node v = ev_graph_new_variable(g, EV_SIGN_ANY), e = ev_graph_new_coordinate(g);
    ev_node roots[] = {plus(g, v, num(g, 1)), fn(g, EV_OP_SIN, e),
                       ev_graph_expect(g, fn(g, EV_OP_SIN, times(g, v, e)), 1, &e), 0};
    for (size_t i = 0; i < 4; i++) {
        ev_program *program = NULL;
        ev_error error = EV_ERROR_NONE;
        cr_assert_eq(ev_program_compile(g, 1, &roots[i], &program, &error), EV_BAD_INPUT);
        cr_assert_null(program);
        cr_assert_neq(error.message[0], '\0');
    }
    ev_graph_destroy(g);
}

/* ---- plain values, random bodies, memory ---- */

Test(program, plain_values_are_those_of_the_full_evaluation)
{
    uint64_t state = 21;
    for (size_t round = 0; round < rounds(100); round++) {
        ev_graph *g = ev_graph_create();
        ev_node e = ev_graph_new_coordinate(g), x = ev_graph_input(g, 0, EV_SIGN_ANY), roots[2];
        ev_node from[1] = {x}, to[1] = {plus(g, x, times(g, num(g, 0.25), e))};
        roots[0] = random_expression(g, &state, 3, 3);
        roots[1] = ev_graph_expect(g, ev_graph_substitute(g, roots[0], 1, from, to), 1, &e);
        ev_program *program = NULL;
        ev_effort effort = no_sampling();
        ev_value full[2];
        double plain[2], at[3];
        for (size_t i = 0; i < 3; i++)
            at[i] = draw_uniform(&state, -2, 2);
        cr_assert_eq(ev_program_compile(g, 2, roots, &program, NULL), EV_OK);
        cr_assert_eq(ev_program_evaluate(program, at, &effort, NULL, full), EV_OK);
        cr_assert_eq(ev_program_values(program, at, 64, plain), EV_OK);
        for (size_t k = 0; k < 2; k++)
            if (full[k].fit)
                cr_assert_float_eq(plain[k], full[k].value,
                                   1e-6 * full[k].magnitude + total_error(&full[k]));
        ev_program_destroy(program);
        ev_graph_destroy(g);
    }
}

Test(program, long_bodies_of_many_shapes_agree_with_long_double_sums)
{
    uint64_t state = 77;
    for (size_t round = 0; round < rounds(60); round++) {
        ev_graph *g = ev_graph_create();
        ev_node e = ev_graph_new_coordinate(g), x = ev_graph_input(g, 0, EV_SIGN_ANY);
        ev_node body = fn(g, EV_OP_TANH, random_expression(g, &state, 3, 6));
        ev_node inside = ev_graph_substitute(g, body, 1, &x, &e);
        ev_node root = ev_graph_expect(g, inside, 1, &e);
        double at[3] = {0, draw_uniform(&state, -2, 2), draw_uniform(&state, -2, 2)};
        ev_value v = evaluate(g, root, at);
        long double sum = 0;
        for (int i = -1200; i <= 1200; i++) {
            at[0] = i / 120.0;
            sum += expl(-(long double)at[0] * (long double)at[0] / 2) * interpret(g, body, at);
        }
        sum /= 120 * sqrtl(2 * acosl(-1.0L));
        if (v.fit && v.quadrature < 1e-9)
            cr_assert_float_eq(v.value, (double)sum, 1e-8 + total_error(&v), "round %zu", round);
        ev_graph_destroy(g);
    }
}

/* E_x[tanh(E_y f(x, y, c) + g(x, c) E_y h(x, y, c))], random f, g, h, beside the double sum. */
Test(program, nested_expectations_of_random_bodies_agree_with_double_sums)
{
    enum { POINTS = 97 }; /* the trapezoidal rule on [-8, 8], step 1/6 */
    uint64_t state = 123;
    size_t compared = 0;
    for (size_t round = 0; round < rounds(24); round++) {
        ev_graph *g = ev_graph_create();
        ev_node x = ev_graph_input(g, 0, EV_SIGN_ANY), y = ev_graph_input(g, 1, EV_SIGN_ANY);
        ev_node e = ev_graph_new_coordinate(g), d = ev_graph_new_coordinate(g), parts[3], nests[3];
        for (size_t k = 0; k < 3; k++) {
            parts[k] = fn(g, EV_OP_SIN, random_expression(g, &state, 3, 4));
            ev_node half = times(g, num(g, 0.5), k == 1 ? y : d);
            nests[k] = ev_graph_expect(g, ev_graph_substitute(g, parts[k], 1, &y, &half), 1, &d);
        }
        ev_node body = fn(g, EV_OP_TANH, plus(g, nests[0], times(g, nests[1], nests[2])));
        ev_node half = times(g, num(g, 0.5), e);
        ev_node root = ev_graph_expect(g, ev_graph_substitute(g, body, 1, &x, &half), 1, &e);
        double at[3] = {0, 0.5, draw_uniform(&state, -2, 2)};
        ev_value v = evaluate(g, root, at);
        double sum = 0, mass = 0;
        for (int i = 0; i < POINTS; i++) {
            double u = i / 6.0 - 8, inner[2] = {0, 0}, middle;
            at[0] = u / 2;
            at[1] = 0.25; /* half of input 1, as substituted */
            middle = (double)interpret(g, parts[1], at);
            for (int j = 0; j < POINTS; j++) {
                double w = j / 6.0 - 8;
                at[1] = w / 2;
                for (size_t k = 0; k < 2; k++)
                    inner[k] += exp(-w * w / 2) / 6 / sqrt(2 * acos(-1.0)) *
                                (double)interpret(g, parts[2 * k], at);
            }
            sum += exp(-u * u / 2) * tanh(inner[0] + middle * inner[1]);
            mass += exp(-u * u / 2);
        }
        if (v.fit && v.quadrature < 1e-7) {
            compared++;
            cr_assert_float_eq(v.value, sum / mass, 1e-7 + total_error(&v), "round %zu", round);
        }
        ev_graph_destroy(g);
    }
    cr_assert_gt(compared, 12);
}

static ev_status compile_and_evaluate(const ev_graph *g, ev_node root, ev_value *v)
{
    ev_program *program = NULL;
    ev_effort effort = with_sampling(1000);
    ev_stream stream = ev_stream_make(1, 2, 3, 4);
    const double at[2] = {0.5, 0.7};
    effort.threads = 2;
    ev_status status = ev_program_compile(g, 1, &root, &program, NULL);
    if (status == EV_OK)
        status = ev_program_evaluate(program, at, &effort, &stream, v);
    else
        cr_assert_null(program);
    ev_program_destroy(program);
    return status;
}

Test(program, running_out_of_memory_anywhere_is_a_status)
{
    ev_graph *g = ev_graph_create();
    ev_node e = ev_graph_new_coordinate(g), f = ev_graph_new_coordinate(g);
    ev_node x = ev_graph_input(g, 0, EV_SIGN_ANY), s = ev_graph_input(g, 1, EV_SIGN_POSITIVE);
    ev_node inner = ev_graph_expect(g, fn(g, EV_OP_EXP, times(g, times(g, s, e), f)), 1, &f);
    ev_node root = plus(g, ev_graph_expect(g, fn(g, EV_OP_SOFTPLUS, plus(g, x, inner)), 1, &e),
                        ev_graph_expect(g, fn(g, EV_OP_SIN, plus(g, x, e)), 1, &e));
    ev_value v;
    size_t completed = 0;
    for (size_t n = 1; n < 1000 && completed < 3; n++) {
        ev_arena_fail_after(n);
        ev_status status = compile_and_evaluate(g, root, &v);
        ev_arena_fail_after(0);
        cr_assert(status == EV_OK || status == EV_NO_MEMORY, "failure %zu: %s", n,
                  ev_status_name(status));
        completed += status == EV_OK;
    }
    cr_assert_eq(completed, 3);
    ev_graph_destroy(g);
}
