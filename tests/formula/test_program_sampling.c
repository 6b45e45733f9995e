#include "formula/program.h"

#include "evaluation.h"

#include <string.h>

Test(program_sampling, sampling_agrees_with_quadrature_where_both_are_right)
{
    ev_graph *g = ev_graph_create();
    ev_node e[2] = {ev_graph_new_coordinate(g), ev_graph_new_coordinate(g)};
    ev_node x = ev_graph_input(g, 0, EV_SIGN_ANY);
    ev_node body = fn(g, EV_OP_SOFTPLUS, plus(g, x, times(g, e[0], fn(g, EV_OP_SIN, e[1]))));
    ev_node root = plus(g, ev_graph_expect(g, body, 2, e),
                        ev_graph_expect(g, fn(g, EV_OP_TANH, plus(g, x, e[0])), 1, e));
    ev_effort effort = with_sampling(20000);
    uint64_t state = 1;
    for (size_t round = 0; round < rounds(20); round++) {
        const double at[1] = {draw_uniform(&state, -3, 3)};
        ev_value v = evaluate_with(g, root, at, &effort);
        cr_assert(v.fit, "%s", v.reason);
        cr_assert(v.methods & EV_METHOD_MONTE_CARLO);
        cr_assert_eq(v.comparisons, 2);
        cr_assert_eq(v.samples, 40000);
        cr_assert_eq(v.sampling, 0, "quadrature's value has no sampling error");
    }
    ev_graph_destroy(g);
}

/* A strip of width 0.015 at 0.185, between the nodes of both rules that are asked first: they agree
 * that it is not there.  One draw in a hundred falls into it. */
Test(program_sampling, a_strip_that_no_rule_sees_is_found_by_sampling)
{
    ev_graph *g = ev_graph_create();
    ev_node e[2] = {ev_graph_new_coordinate(g), ev_graph_new_coordinate(g)};
    ev_node u = over(g, minus(g, e[0], num(g, 0.185)), num(g, 0.015));
    ev_node strip = fn(g, EV_OP_EXP, ev_graph_neg(g, power(g, u, 2)));
    ev_node body = fn(g, EV_OP_EXP, plus(g, strip, over(g, fn(g, EV_OP_COS, e[1]), num(g, 4))));
    ev_node root = ev_graph_expect(g, body, 2, e);
    ev_effort effort = no_sampling();
    effort.relative = 1e-6;
    ev_value blind = evaluate_with(g, root, NULL, &effort);
    cr_assert(blind.fit, "%s", blind.reason);
    effort.samples = effort.max_samples = 400000;
    ev_value seen = evaluate_with(g, root, NULL, &effort);
    cr_assert_not(seen.fit);
    cr_assert_not_null(strstr(seen.reason, "sampling contradicts quadrature"), "%s", seen.reason);
    ev_graph_destroy(g);
}

Test(program_sampling, a_heavy_tail_has_no_interval_and_is_unfit)
{
    ev_graph *g = ev_graph_create();
    ev_node e = ev_graph_new_coordinate(g);
    /* e^(0.45 x^2): the mean exists, the variance does not; the tail's shape is 0.9. */
    ev_node body = fn(g, EV_OP_EXP, times(g, num(g, 0.45), power(g, e, 2)));
    ev_effort effort = with_sampling(20000);
    effort.max_dim = 0;
    ev_value v = evaluate_with(g, ev_graph_expect(g, body, 1, &e), NULL, &effort);
    cr_assert_not(v.fit);
    cr_assert_not_null(strstr(v.reason, "heavy tail: k = 0."), "%s", v.reason);
    cr_assert(v.methods & EV_METHOD_SAMPLING_ONLY);
    ev_graph_destroy(g);
}

/* E e^(0.4 x^2) is 5^(1/2): quadrature may reach it, draws have no interval there. */
Test(program_sampling, a_heavy_tail_takes_the_voice_from_sampling_only)
{
    ev_graph *g = ev_graph_create();
    ev_node e = ev_graph_new_coordinate(g);
    ev_node body = fn(g, EV_OP_EXP, times(g, num(g, 0.4), power(g, e, 2)));
    ev_effort effort = with_sampling(20000);
    effort.relative = 1e-6;
    ev_value v = evaluate_with(g, ev_graph_expect(g, body, 1, &e), NULL, &effort);
    if (v.fit) {
        cr_assert_float_eq(v.value, sqrt(5), total_error(&v));
        cr_assert_not(v.methods & EV_METHOD_MONTE_CARLO);
        cr_assert_eq(v.comparisons, 0);
    } else {
        cr_assert_not_null(strstr(v.reason, "heavy tail"), "%s", v.reason);
    }
    ev_graph_destroy(g);
}

Test(program_sampling, above_the_dimension_of_the_rules_sampling_speaks_alone)
{
    enum { J = 6 };
    ev_graph *g = ev_graph_create();
    ev_node e[J], sum = num(g, 0);
    for (size_t j = 0; j < J; j++) {
        e[j] = ev_graph_new_coordinate(g);
        sum = plus(g, sum, times(g, num(g, 0.2), e[j]));
    }
    ev_node root = ev_graph_expect(g, fn(g, EV_OP_EXP, sum), J, e);
    double truth = exp(J * 0.04 / 2);
    ev_effort effort = with_sampling(10000);
    effort.sampling_relative = 2e-2;
    ev_value v = evaluate_with(g, root, NULL, &effort);
    cr_assert_eq(v.methods, EV_METHOD_SAMPLING_ONLY | EV_METHOD_MONTE_CARLO);
    assert_value(&v, truth, 2e-2);
    cr_assert_gt(v.sampling, 0);
    cr_assert_eq(v.quadrature, 0);
    cr_assert_eq(v.comparisons, 1);
    effort.samples = effort.max_samples = 0;
    cr_assert_not(evaluate_with(g, root, NULL, &effort).fit);
    ev_graph_destroy(g);
}

Test(program_sampling, results_do_not_depend_on_the_number_of_threads)
{
    ev_graph *g = ev_graph_create();
    ev_node e[5], product = num(g, 1), x = ev_graph_input(g, 0, EV_SIGN_ANY);
    for (size_t j = 0; j < 5; j++) {
        e[j] = ev_graph_new_coordinate(g);
        product = times(g, product, fn(g, EV_OP_SIGMOID, plus(g, x, e[j])));
    }
    ev_node root = plus(g, ev_graph_expect(g, product, 5, e),
                        ev_graph_expect(g, fn(g, EV_OP_TANH, plus(g, x, e[0])), 1, e));
    ev_effort effort = with_sampling(50000);
    const double at[1] = {0.4};
    ev_value one = evaluate_with(g, root, at, &effort);
    for (size_t threads = 2; threads <= 5; threads++) {
        effort.threads = threads;
        ev_value many = evaluate_with(g, root, at, &effort);
        cr_assert_eq(memcmp(&one.value, &many.value, sizeof one.value), 0);
        cr_assert_eq(memcmp(&one.sampling, &many.sampling, sizeof one.sampling), 0);
        cr_assert_eq(one.samples, many.samples);
    }
    ev_graph_destroy(g);
}

Test(program_sampling, a_member_that_does_not_converge_leaves_the_others_of_its_batch_alone)
{
    ev_graph *g = ev_graph_create();
    ev_node e[2] = {ev_graph_new_coordinate(g), ev_graph_new_coordinate(g)};
    ev_node x = ev_graph_input(g, 0, EV_SIGN_ANY),
            radius = plus(g, power(g, e[0], 2), power(g, e[1], 2));
    ev_node rough = fn(g, EV_OP_SIN, times(g, num(g, 3), fn(g, EV_OP_STEP, minus(g, radius, x))));
    ev_node smooth = fn(g, EV_OP_EXP, times(g, num(g, 0.1), times(g, e[0], e[1])));
    ev_node roots[2] = {ev_graph_expect(g, rough, 2, e), ev_graph_expect(g, smooth, 2, e)};
    ev_effort effort = with_sampling(100000);
    effort.max_evaluations = 200000;
    ev_stream stream = ev_stream_make(1, 2, 3, 4);
    ev_program *program = NULL;
    ev_value v[2];
    const double at[1] = {1};
    cr_assert_eq(ev_program_compile(g, 2, roots, &program, NULL), EV_OK);
    cr_assert_eq(ev_program_evaluate(program, at, &effort, &stream, v), EV_OK);
    assert_value(&v[1], 1 / sqrt(0.99), 1e-9);
    cr_assert_not(v[1].methods & EV_METHOD_SAMPLING_ONLY);
    cr_assert(v[0].methods & EV_METHOD_SAMPLING_ONLY);
    /* P(chi^2_2 > 1) = e^(-1/2) */
    assert_value(&v[0], sin(3) * exp(-0.5), 2e-2);
    ev_program_destroy(program);
    ev_graph_destroy(g);
}
