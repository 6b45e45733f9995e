#include "judge/hand_built.h"

/* exp(-x^2/2): proportional to the density of N(0,1). */
static ev_node bell(hand *h, ev_node x, double factor)
{
    ev_node square = ev_graph_pow(h->graph, x, hand_number(h, 2));
    ev_node half = ev_graph_mul(h->graph, hand_number(h, -0.5 * factor), square);
    return ev_graph_unary(h->graph, EV_OP_EXP, half);
}

static ev_verdict judge_proportional(double factor, const char *varied)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node x = hand_real(&h, "x"), t = hand_positive(&h, "t");
    ev_node right = ev_graph_mul(h.graph, t, bell(&h, x, factor));
    size_t s = hand_step(&h, EV_RELATION_PROPORTIONAL, bell(&h, x, 1.0), right);
    h.steps[s].kind = EV_STEP_PROPORTIONAL;
    hand_vary(&h, s, varied[0] == 'x' ? 0 : 1);
    ev_verdict verdict = hand_judge(&h, s, &r);
    hand_end(&h);
    return verdict;
}

Test(proportional, a_factor_free_of_the_variable_is_allowed)
{
    cr_assert_eq(judge_proportional(1.0, "x"), EV_HOLDS);
}

Test(proportional, a_ratio_that_changes_with_the_variable_is_refuted)
{
    cr_assert_eq(judge_proportional(1.0 + 1e-6, "x"), EV_REFUTED);
    cr_assert_eq(judge_proportional(1.0, "t"), EV_REFUTED);
}

Test(proportional, nothing_is_compared_when_nothing_can_vary)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node x = hand_real(&h, "x");
    size_t s = hand_step(&h, EV_RELATION_PROPORTIONAL, x, x);
    h.steps[s].kind = EV_STEP_PROPORTIONAL;
    cr_assert_verdict(&h, s, EV_UNDECIDED, &r);
    hand_end(&h);
}

/* left(x) = right(x) + c, with c an unnamed constant that must not depend on x. */
static ev_verdict judge_constant(bool true_line, bool uses_constant)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_graph *g = h.graph;
    ev_node x = hand_real(&h, "x"), y = hand_real(&h, "y"), c = hand_real(&h, "c");
    h.symbols[2].kind = EV_SYMBOL_CONSTANT;
    ev_node square = ev_graph_pow(g, x, hand_number(&h, 2));
    ev_node offset = ev_graph_unary(g, EV_OP_SIN, true_line ? y : x);
    ev_node right = uses_constant ? ev_graph_add(g, square, c) : square;
    size_t s = hand_step(&h, EV_RELATION_EQUAL, ev_graph_add(g, square, offset), right);
    h.steps[s].kind = EV_STEP_CONSTANT;
    h.steps[s].constant = 2;
    hand_vary(&h, s, 0);
    ev_verdict verdict = hand_judge(&h, s, &r);
    hand_end(&h);
    return verdict;
}

Test(constant, an_offset_free_of_the_variable_is_absorbed)
{
    cr_assert_eq(judge_constant(true, true), EV_HOLDS);
}

Test(constant, an_offset_that_depends_on_the_variable_is_refuted)
{
    cr_assert_eq(judge_constant(false, true), EV_REFUTED);
}

Test(constant, a_constant_that_does_not_occur_absorbs_nothing)
{
    cr_assert_eq(judge_constant(true, false), EV_REFUTED);
}

Test(constant, undefined_sides_are_void_not_absorbed)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node x = hand_real(&h, "x"), c = hand_real(&h, "c");
    h.symbols[1].kind = EV_SYMBOL_CONSTANT;
    ev_node minus = ev_graph_sub(h.graph, hand_number(&h, -1),
                                 ev_graph_pow(h.graph, x, hand_number(&h, 2)));
    size_t s = hand_step(&h, EV_RELATION_EQUAL, ev_graph_log(h.graph, minus), c);
    h.steps[s].kind = EV_STEP_CONSTANT;
    h.steps[s].constant = 1;
    hand_vary(&h, s, 0);
    cr_assert_verdict(&h, s, EV_VOID, &r);
    hand_end(&h);
}

Test(constant, a_base_point_without_a_value_refutes_nothing)
{
    hand h; /* log x is defined at some members of the family only; the line itself is true */
    ev_step_result r;
    hand_begin(&h);
    ev_node x = hand_real(&h, "x"), c = hand_real(&h, "c");
    h.symbols[1].kind = EV_SYMBOL_CONSTANT;
    ev_node log = ev_graph_log(h.graph, x);
    ev_node left = ev_graph_add(h.graph, log, hand_number(&h, 5));
    size_t s = hand_step(&h, EV_RELATION_EQUAL, left, ev_graph_add(h.graph, log, c));
    h.steps[s].kind = EV_STEP_CONSTANT;
    h.steps[s].constant = 1;
    hand_vary(&h, s, 0);
    cr_assert_verdict(&h, s, EV_VOID, &r);
    hand_end(&h);
}

Test(proportional, sides_of_opposite_signs_are_refuted)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        hand h;
        ev_step_result r;
        hand_begin(&h);
        ev_node x = hand_real(&h, "x");
        ev_node right = ev_graph_mul(h.graph, hand_number(&h, 2 * sign), bell(&h, x, 1.0));
        size_t s = hand_step(&h, EV_RELATION_PROPORTIONAL, bell(&h, x, 1.0), right);
        h.steps[s].kind = EV_STEP_PROPORTIONAL;
        hand_vary(&h, s, 0);
        cr_assert_verdict(&h, s, sign > 0 ? EV_HOLDS : EV_REFUTED, &r);
        hand_end(&h);
    }
}

/* c^power x = 3 x + offset */
static ev_verdict judge_factor(double power, double offset, ev_step_result *r)
{
    hand h;
    hand_begin(&h);
    ev_graph *g = h.graph;
    ev_node x = hand_real(&h, "x"), c = hand_real(&h, "c");
    h.symbols[1].kind = EV_SYMBOL_CONSTANT;
    ev_node left = ev_graph_mul(g, ev_graph_pow(g, c, hand_number(&h, power)), x);
    ev_node right = ev_graph_add(g, ev_graph_mul(g, hand_number(&h, 3), x),
                                 hand_number(&h, offset));
    size_t s = hand_step(&h, EV_RELATION_EQUAL, left, right);
    h.steps[s].kind = EV_STEP_CONSTANT;
    h.steps[s].constant = 1;
    hand_vary(&h, s, 0);
    ev_verdict verdict = hand_judge(&h, s, r);
    hand_end(&h);
    return verdict;
}

Test(constant, a_base_point_where_the_constant_has_no_effect_refutes_nothing)
{
    ev_step_result r; /* the corner x = 0 is among the points */
    cr_assert_eq(judge_factor(1, 0, &r), EV_HOLDS, "%s", r.reason);
    cr_assert_eq(judge_factor(1, 1, &r), EV_REFUTED, "%s", r.reason);
}

Test(constant, one_that_enters_nonlinearly_is_void)
{
    ev_step_result r;
    cr_assert_eq(judge_factor(2, 0, &r), EV_VOID, "%s", r.reason);
    cr_assert_not_null(strstr(r.reason, "nonlinearly"), "%s", r.reason);
    cr_assert_eq(judge_factor(3, 0, &r), EV_VOID, "%s", r.reason);
}

/* 1[x > from] e^(-x) against 1[x > from] e^(-rate x). */
static ev_verdict judge_tail(double from, double rate, uint64_t seed)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_graph *g = h.graph;
    ev_node x = hand_real(&h, "x"), sides[2];
    ev_node beyond = ev_graph_unary(g, EV_OP_STEP, ev_graph_sub(g, x, hand_number(&h, from)));
    for (size_t i = 0; i < 2; i++) {
        ev_node exponent = ev_graph_mul(g, hand_number(&h, i == 0 ? -1 : -rate), x);
        sides[i] = ev_graph_mul(g, beyond, ev_graph_unary(g, EV_OP_EXP, exponent));
    }
    size_t s = hand_step(&h, EV_RELATION_PROPORTIONAL, sides[0], sides[1]);
    h.steps[s].kind = EV_STEP_PROPORTIONAL;
    hand_vary(&h, s, 0);
    ev_verdict verdict = hand_judge_seeded(&h, s, seed, &r);
    hand_end(&h);
    return verdict;
}

/* Where a draw in four, or in twenty, lies in the support, the point's own value is no base that
 * can be relied on; nor is one value in the support a comparison. */
Test(proportional, outside_the_support_nothing_is_compared)
{
    size_t decided = 0;
    for (uint64_t seed = 1; seed <= 12; seed++)
        for (double from = 0; from < 3; from++) {
            ev_verdict right = judge_tail(from, 1.0, seed), wrong = judge_tail(from, 2.0, seed);
            cr_expect(right != EV_REFUTED && wrong != EV_HOLDS, "beyond %g, seed %d", from,
                      (int)seed);
            decided += from < 1 && right == EV_HOLDS && wrong == EV_REFUTED;
        }
    cr_expect_eq(decided, 12, "of half a line %zu are decided", decided);
}
