#include "judge/hand_built.h"

/* E[(m + s e)^2] with e ~ N(0,1), and its closed form m^2 + s^2. */
static ev_node second_moment(hand *h, ev_node m, ev_node s)
{
    ev_graph *g = h->graph;
    ev_node e = ev_graph_new_coordinate(g);
    ev_node z = ev_graph_add(g, m, ev_graph_mul(g, s, e));
    /* times cos e: the graph can't take it apart by linearity */
    ev_node square = ev_graph_pow(g, z, hand_number(h, 2));
    return hand_expect(h, ev_graph_mul(g, square, ev_graph_unary(g, EV_OP_COS, e)), e);
}

/* E[(m+s e)^2 cos e] = e^{-1/2} m^2, for E[e^2 cos e] = 0 and E[e cos e] = 0. */
static ev_node second_moment_closed(hand *h, ev_node m)
{
    ev_node square = ev_graph_pow(h->graph, m, hand_number(h, 2));
    return ev_graph_mul(h->graph, hand_number(h, exp(-0.5)), square);
}

Test(step, an_identity_between_an_integral_and_its_closed_form_holds)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node m = hand_real(&h, "m"), s = hand_positive(&h, "s");
    hand_step(&h, EV_RELATION_EQUAL, second_moment(&h, m, s), second_moment_closed(&h, m));
    cr_assert_verdict(&h, 0, EV_HOLDS, &r);
    cr_assert_eq(r.points_effective, h.budget.points);
    cr_assert_gt(r.digits, 9.0);
    cr_assert_neq(r.methods & EV_METHOD_MONTE_CARLO, 0u);
    hand_end(&h);
}

Test(step, a_line_wrong_by_a_relative_1e_7_is_refuted_with_a_witness)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node m = hand_real(&h, "m"), s = hand_positive(&h, "s");
    ev_node wrong = ev_graph_mul(h.graph, hand_number(&h, 1.0 + 1e-7), second_moment_closed(&h, m));
    hand_step(&h, EV_RELATION_EQUAL, second_moment(&h, m, s), wrong);
    cr_assert_verdict(&h, 0, EV_REFUTED, &r);
    cr_assert_not_null(strstr(h.witness, "m = "), "%s", h.witness);
    hand_end(&h);
}

Test(step, cancellation_does_not_refute_a_right_line)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node x = hand_real(&h, "x"), big = hand_number(&h, 1e11);
    ev_node there = ev_graph_add(h.graph, x, big);
    hand_step(&h, EV_RELATION_EQUAL, ev_graph_sub(h.graph, there, big), x);
    cr_assert_neq(hand_judge(&h, 0, &r), EV_REFUTED, "%s", r.reason);
    hand_end(&h);
}

Test(step, cancellation_does_not_hide_a_wrong_line)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node x = hand_real(&h, "x"), big = hand_number(&h, 1e9);
    ev_node there = ev_graph_add(h.graph, ev_graph_add(h.graph, x, hand_number(&h, 1e-3)), big);
    hand_step(&h, EV_RELATION_EQUAL, ev_graph_sub(h.graph, there, big), x);
    cr_assert_verdict(&h, 0, EV_REFUTED, &r);
    hand_end(&h);
}

Test(step, a_line_true_only_at_the_corners_is_refuted)
{
    hand h; /* s log s = 0 at s = 1; x^3 = x at 0, 1, -1 */
    ev_step_result r;
    hand_begin(&h);
    ev_node x = hand_real(&h, "x");
    hand_step(&h, EV_RELATION_EQUAL, ev_graph_pow(h.graph, x, hand_number(&h, 3)), x);
    cr_assert_verdict(&h, 0, EV_REFUTED, &r);
    hand_end(&h);
}

Test(step, a_resolution_out_of_reach_is_undecided)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node m = hand_real(&h, "m"), s = hand_positive(&h, "s");
    hand_step(&h, EV_RELATION_EQUAL, second_moment(&h, m, s), second_moment_closed(&h, m));
    h.budget.resolution = 1e-18;
    cr_assert_verdict(&h, 0, EV_UNDECIDED, &r);
    cr_assert_str_not_empty(r.reason);
    hand_end(&h);
}

Test(step, a_condition_that_no_point_satisfies_makes_it_vacuous)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node x = hand_real(&h, "x");
    hand_step(&h, EV_RELATION_EQUAL, x, x);
    hand_condition(&h, ev_graph_pow(h.graph, x, hand_number(&h, 2)), EV_RELATION_LESS,
                   hand_number(&h, 0));
    cr_assert_verdict(&h, 0, EV_VACUOUS, &r);
    cr_assert_eq(r.points_effective, 0u);
    hand_end(&h);
}

Test(step, a_value_that_is_not_a_number_never_passes)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node x = hand_real(&h, "x");
    ev_node bad = ev_graph_unary(
        h.graph, EV_OP_SQRT,
        ev_graph_sub(h.graph, hand_number(&h, -1), ev_graph_pow(h.graph, x, hand_number(&h, 2))));
    hand_step(&h, EV_RELATION_EQUAL, bad, bad);
    hand_step(&h, EV_RELATION_LESS_EQUAL, bad, x);
    hand_step(&h, EV_RELATION_EQUAL, hand_number(&h, (double)NAN), hand_number(&h, (double)NAN));
    for (size_t s = 0; s < 3; s++)
        cr_assert_verdict(&h, s, EV_VOID, &r);
    hand_end(&h);
}

Test(step, an_integral_without_a_mean_is_void_or_undecided_never_true)
{
    hand h; /* E[e^{e^2}] is infinite */
    ev_step_result r;
    hand_begin(&h);
    ev_node x = hand_real(&h, "x"), e = ev_graph_new_coordinate(h.graph);
    ev_node square = ev_graph_pow(h.graph, e, hand_number(&h, 2));
    ev_node tail = ev_graph_unary(h.graph, EV_OP_EXP, square);
    ev_node infinite = hand_expect(&h, tail, e);
    hand_step(&h, EV_RELATION_EQUAL, ev_graph_add(h.graph, x, infinite),
              ev_graph_add(h.graph, x, infinite));
    ev_verdict verdict = hand_judge(&h, 0, &r);
    cr_assert_eq(verdict, EV_VOID, "%s: %s", ev_verdict_name(verdict), r.reason);
    hand_end(&h);
}

Test(step, a_bound_that_fails_somewhere_is_refuted_and_one_that_is_attained_holds)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node x = hand_real(&h, "x"), two = hand_number(&h, 2);
    ev_node square = ev_graph_pow(h.graph, x, two), twice = ev_graph_mul(h.graph, two, x);
    ev_node gap = ev_graph_sub(h.graph, square, ev_graph_sub(h.graph, twice, hand_number(&h, 1)));
    hand_step(&h, EV_RELATION_GREATER_EQUAL, gap, hand_number(&h, 0)); /* (x-1)^2 >= 0 */
    hand_step(&h, EV_RELATION_GREATER_EQUAL, square, x);               /* false on (0,1) */
    hand_step(&h, EV_RELATION_GREATER, ev_graph_add(h.graph, square, two), x);
    cr_assert_verdict(&h, 0, EV_HOLDS, &r);
    cr_assert_verdict(&h, 1, EV_REFUTED, &r);
    cr_assert_verdict(&h, 2, EV_HOLDS, &r);
    hand_end(&h);
}

Test(step, an_estimate_reports_its_standard_deviation)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node x = hand_real(&h, "x"), s = hand_positive(&h, "s");
    size_t k = hand_step(&h, EV_RELATION_APPROX, x, ev_graph_add(h.graph, x, hand_number(&h, 0)));
    h.steps[k].kind = EV_STEP_ESTIMATE;
    h.spread[k] = ev_graph_pow(h.graph, s, hand_number(&h, 2));
    cr_assert_verdict(&h, k, EV_HOLDS, &r);
    cr_assert_gt(r.deviation, 0.0);
    hand_end(&h);
}

Test(step, one_false_point_refutes_even_where_others_are_undefined)
{
    hand h; /* log x is not defined for x <= 0, and is not x for x > 0 */
    ev_step_result r;
    hand_begin(&h);
    ev_node x = hand_real(&h, "x");
    hand_step(&h, EV_RELATION_EQUAL, ev_graph_log(h.graph, x), x);
    cr_assert_verdict(&h, 0, EV_REFUTED, &r);
    hand_end(&h);
}

Test(step, comparisons_stay_within_the_plan)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node m = hand_real(&h, "m"), s = hand_positive(&h, "s");
    hand_step(&h, EV_RELATION_EQUAL, second_moment(&h, m, s), second_moment_closed(&h, m));
    h.budget.resolution = 1e-18; /* every doubling is spent */
    hand_judge(&h, 0, &r);
    cr_assert_gt(r.comparisons, 0u);
    cr_assert_leq(r.comparisons, h.planned);
    hand_end(&h);
}

Test(step, the_same_seed_gives_the_same_digits)
{
    hand h;
    ev_step_result a, b;
    hand_begin(&h);
    ev_node m = hand_real(&h, "m"), s = hand_positive(&h, "s");
    hand_step(&h, EV_RELATION_EQUAL, second_moment(&h, m, s), second_moment_closed(&h, m));
    hand_judge_seeded(&h, 0, 1, &a);
    hand_judge_seeded(&h, 0, 1, &b);
    cr_assert_eq(memcmp(&a.at.left.value, &b.at.left.value, sizeof(double)), 0);
    cr_assert_eq(a.samples, b.samples);
    cr_assert_eq(memcmp(&a.digits, &b.digits, sizeof(double)), 0);
    hand_end(&h);
}

Test(step, methods_have_names)
{
    char text[80];
    cr_assert_str_eq(ev_methods_text(EV_METHOD_CLOSED, text, sizeof text), "closed");
    cr_assert_str_eq(ev_methods_text(EV_METHOD_SAMPLING_ONLY, text, sizeof text), "mc");
    cr_assert_str_eq(ev_methods_text(EV_METHOD_HERMITE | EV_METHOD_CUBATURE | EV_METHOD_MONTE_CARLO,
                                     text, sizeof text),
                     "hermite+cubature+mc");
}

/* ---- the budget ---- */

/* log E_y[e^(m x y)] = (m x)^2 / 2, so that E_x of it is m^2 / 2. */
static ev_node nested(hand *h, ev_node m)
{
    ev_graph *g = h->graph;
    ev_node x = ev_graph_new_coordinate(g), y = ev_graph_new_coordinate(g);
    ev_node product = ev_graph_mul(g, ev_graph_mul(g, m, x), y);
    ev_node inner = hand_expect(h, ev_graph_unary(g, EV_OP_EXP, product), y);
    return hand_expect(h, ev_graph_log(g, inner), x);
}

static ev_node half_square(hand *h, ev_node m)
{
    ev_graph *g = h->graph;
    return ev_graph_mul(g, hand_number(h, 0.5), ev_graph_pow(g, m, hand_number(h, 2)));
}

static ev_node hand_unit(hand *h, const char *name)
{
    const ev_domain unit = {.low = 0.5, .high = 1};
    return ev_graph_input(h->graph, hand_symbol(h, name, 0, 1, 1, unit), EV_SIGN_POSITIVE);
}

Test(step, a_spent_budget_is_undecided_and_says_how_to_raise_it)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node m = hand_unit(&h, "m");
    hand_step(&h, EV_RELATION_EQUAL, nested(&h, m), half_square(&h, m));
    cr_assert_verdict(&h, 0, EV_HOLDS, &r);
    const uint64_t needed = r.operations;
    h.budget.operations = needed / 1000;
    cr_assert_verdict(&h, 0, EV_UNDECIDED, &r);
    cr_assert_leq(r.operations, needed / 1000);
    cr_assert_not_null(strstr(r.reason, "operations for a step was spent"), "%s", r.reason);
    cr_assert_not_null(strstr(r.reason, "--effort full has "), "%s", r.reason);
    hand_end(&h);
}

Test(step, the_budget_stops_at_the_same_place_whenever_it_is_repeated)
{
    hand h;
    ev_step_result first, again;
    hand_begin(&h);
    ev_node m = hand_unit(&h, "m");
    hand_step(&h, EV_RELATION_EQUAL, nested(&h, m), half_square(&h, m));
    for (h.budget.operations = 1000; h.budget.operations < 1000000000; h.budget.operations *= 10) {
        hand_judge(&h, 0, &first);
        hand_judge(&h, 0, &again);
        cr_assert_neq(first.verdict, EV_REFUTED, "%s", first.reason);
        cr_assert_eq(first.verdict, again.verdict);
        cr_assert_eq(first.operations, again.operations);
        cr_assert_str_eq(first.reason, again.reason);
    }
    cr_assert_eq(first.verdict, EV_HOLDS, "%s", first.reason);
    hand_end(&h);
}
