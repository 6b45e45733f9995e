#include "judge/hand_built.h"

/* A step between arg-mins over one scalar symbol, gradients by the graph. */
static size_t argmin_step(hand *h, ev_node left, ev_node right, int symbol, ev_node variable)
{
    size_t s = hand_step(h, EV_RELATION_EQUAL, left, right);
    h->steps[s].kind = EV_STEP_ARGMIN;
    hand_vary(h, s, symbol);
    h->left_gradient[s][0] = ev_graph_derivative(h->graph, left, variable);
    h->right_gradient[s][0] = ev_graph_derivative(h->graph, right, variable);
    return s;
}

static ev_node square_of(hand *h, ev_node a, ev_node b)
{
    return ev_graph_pow(h->graph, ev_graph_sub(h->graph, a, b), hand_number(h, 2));
}

/* KL(N(0,1) || N(0,s^2)) + terms: log s + (1 + m^2) / (2 s^2), minimal at s^2 = 1 + m^2. */
static ev_node scale_objective(hand *h, ev_node m, ev_node s, double weight)
{
    ev_graph *g = h->graph;
    ev_node two = hand_number(h, 2);
    ev_node top = ev_graph_add(g, hand_number(h, 1), ev_graph_pow(g, m, two));
    ev_node bottom = ev_graph_mul(g, two, ev_graph_pow(g, s, two));
    return ev_graph_add(g, ev_graph_log(g, s),
                        ev_graph_mul(g, hand_number(h, weight), ev_graph_div(g, top, bottom)));
}

Test(argmin, objectives_with_one_minimiser_agree_whatever_their_values)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node m = hand_real(&h, "m"), x = hand_real(&h, "x");
    ev_node bowl = square_of(&h, x, m);
    ev_node steep = ev_graph_add(h.graph, ev_graph_unary(h.graph, EV_OP_EXP, bowl), m);
    size_t s = argmin_step(&h, bowl, steep, 1, x);
    cr_assert_verdict(&h, s, EV_HOLDS, &r);
    cr_assert_gt(r.digits, 5.0);
    hand_end(&h);
}

Test(argmin, minimisers_that_differ_by_a_thousandth_are_refuted)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node m = hand_real(&h, "m"), x = hand_real(&h, "x");
    ev_node near = ev_graph_add(h.graph, m, hand_number(&h, 1e-3));
    size_t s = argmin_step(&h, square_of(&h, x, m), square_of(&h, x, near), 1, x);
    cr_assert_verdict(&h, s, EV_REFUTED, &r);
    hand_end(&h);
}

Test(argmin, a_positive_symbol_is_searched_on_its_own_scale)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node m = hand_real(&h, "m"), x = hand_positive(&h, "s");
    ev_node objective = scale_objective(&h, m, x, 1.0);
    ev_node twice = ev_graph_mul(h.graph, hand_number(&h, 2), objective);
    size_t same = argmin_step(&h, objective, twice, 1, x);
    size_t other = argmin_step(&h, objective, scale_objective(&h, m, x, 1.01), 1, x);
    cr_assert_verdict(&h, same, EV_HOLDS, &r);
    cr_assert_verdict(&h, other, EV_REFUTED, &r);
    hand_end(&h);
}

Test(argmin, two_global_minimisers_are_compared_as_a_set)
{
    hand h; /* (x^2 - 4)^2 has minima at +-2 */
    ev_step_result r;
    hand_begin(&h);
    ev_node x = hand_real(&h, "x");
    ev_node square = ev_graph_pow(h.graph, x, hand_number(&h, 2));
    ev_node wells = square_of(&h, square, hand_number(&h, 4));
    ev_node tilted = ev_graph_add(h.graph, wells, ev_graph_mul(h.graph, hand_number(&h, 0.1), x));
    ev_node cosh = ev_graph_sub(h.graph, wells, hand_number(&h, 3));
    size_t same = argmin_step(&h, wells, cosh, 0, x);
    size_t broken = argmin_step(&h, wells, tilted, 0, x);
    cr_assert_verdict(&h, same, EV_HOLDS, &r);
    cr_assert_verdict(&h, broken, EV_REFUTED, &r);
    hand_end(&h);
}

Test(argmin, a_maximum_is_a_minimum_of_the_negative)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node m = hand_real(&h, "m"), x = hand_real(&h, "x");
    ev_node hill = ev_graph_neg(h.graph, square_of(&h, x, m));
    size_t s = argmin_step(&h, hill, ev_graph_unary(h.graph, EV_OP_EXP, hill), 1, x);
    h.steps[s].maximise_left = h.steps[s].maximise_right = true;
    cr_assert_verdict(&h, s, EV_HOLDS, &r);
    hand_end(&h);
}

Test(argmin, an_arg_max_equals_the_arg_min_of_the_negative_and_not_that_of_its_own)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node m = hand_real(&h, "m"), x = hand_real(&h, "x");
    ev_node bowl = square_of(&h, x, m), hill = ev_graph_neg(h.graph, bowl);
    ev_node steep = ev_graph_unary(h.graph, EV_OP_EXP, bowl);
    size_t turned = argmin_step(&h, hill, steep, 1, x), own = argmin_step(&h, bowl, bowl, 1, x);
    h.steps[turned].maximise_left = h.steps[own].maximise_right = true;
    cr_assert_verdict(&h, turned, EV_HOLDS, &r);
    cr_assert_verdict(&h, own, EV_REFUTED, &r);
    hand_end(&h);
}

Test(argmin, objectives_without_a_minimum_are_decided_only_when_one_is_a_scale_of_the_other)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node x = hand_real(&h, "x"), two = hand_number(&h, 2);
    ev_node slope = ev_graph_unary(h.graph, EV_OP_EXP, x);
    ev_node steeper = ev_graph_unary(h.graph, EV_OP_EXP, ev_graph_mul(h.graph, two, x));
    size_t other = argmin_step(&h, slope, steeper, 0, x);
    size_t scaled = argmin_step(&h, slope, ev_graph_mul(h.graph, two, slope), 0, x);
    cr_assert_verdict(&h, other, EV_UNDECIDED, &r);
    cr_assert_verdict(&h, scaled, EV_HOLDS, &r);
    hand_end(&h);
}

Test(argmin, a_minimum_on_one_side_where_the_other_runs_away_is_refuted)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node x = hand_real(&h, "x"), m = hand_real(&h, "m");
    size_t s = argmin_step(&h, square_of(&h, x, m), ev_graph_unary(h.graph, EV_OP_EXP, x), 0, x);
    cr_assert_verdict(&h, s, EV_REFUTED, &r);
    hand_end(&h);
}

static size_t bounded_step(hand *h, double left_target, double right_target)
{
    ev_domain unit = {.low = -1, .high = 1};
    ev_node x = ev_graph_input(h->graph, hand_symbol(h, "x", 0, 1, 1, unit), EV_SIGN_ANY);
    return argmin_step(h, square_of(h, x, hand_number(h, left_target)),
                       square_of(h, x, hand_number(h, right_target)), 0, x);
}

Test(argmin, minima_at_the_same_closed_end_agree_and_elsewhere_are_refuted)
{
    const struct {
        double left, right;
        ev_verdict verdict;
    } cases[] = {{2, 3, EV_HOLDS},     {-2, -3, EV_HOLDS},   {2, -2, EV_REFUTED},
                 {2, 0.5, EV_REFUTED}, {0.5, 2, EV_REFUTED}, {0.5, 0.5, EV_HOLDS}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hand h;
        ev_step_result r;
        hand_begin(&h);
        size_t s = bounded_step(&h, cases[i].left, cases[i].right);
        cr_assert_verdict(&h, s, cases[i].verdict, &r);
        hand_end(&h);
    }
}

/* On [-1,1] x runs to the upper end on the left and, as long as m > -1, on the right too: about one
 * m in six tells the two apart. */
Test(argmin, agreement_at_an_end_of_the_domain_is_asked_of_more_points)
{
    hand h;
    ev_step_result r;
    size_t few = 0, more = 0;
    hand_begin(&h);
    ev_domain unit = {.low = -1, .high = 1};
    ev_node x = ev_graph_input(h.graph, hand_symbol(&h, "x", 0, 1, 1, unit), EV_SIGN_ANY);
    ev_node target = ev_graph_add(h.graph, hand_real(&h, "m"), hand_number(&h, 2));
    size_t s = argmin_step(&h, square_of(&h, x, hand_number(&h, 2)), square_of(&h, x, target), 0,
                           x);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        h.budget.points = 2; /* both generic, and nothing in reserve */
        few += hand_judge_seeded(&h, s, seed, &r) == EV_REFUTED;
        h.budget.points = 60;
        more += hand_judge_seeded(&h, s, seed, &r) == EV_REFUTED;
    }
    cr_expect_lt(few, 20);
    cr_expect_eq(more, 20, "%zu of 20", more);
    hand_end(&h);
}

/* cos 4x + tilt x on [-3,3]: four minima or more, the lowest near the left end. */
static ev_node waves(hand *h, ev_node x, double tilt)
{
    ev_graph *g = h->graph;
    ev_node wave = ev_graph_unary(g, EV_OP_COS, ev_graph_mul(g, hand_number(h, 4), x));
    return ev_graph_add(g, wave, ev_graph_mul(g, hand_number(h, tilt), x));
}

Test(argmin, many_local_minima_refute_nothing_under_any_seed)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_domain domain = {.low = -3, .high = 3};
    ev_node x = ev_graph_input(h.graph, hand_symbol(&h, "x", 0, 1, 1, domain), EV_SIGN_ANY);
    ev_node f = waves(&h, x, 0.1);
    size_t same = argmin_step(&h, f, ev_graph_unary(h.graph, EV_OP_EXP, f), 0, x);
    size_t other = argmin_step(&h, f, waves(&h, x, 0.11), 0, x);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        ev_verdict verdict = hand_judge_seeded(&h, same, seed, &r);
        cr_expect_eq(verdict, EV_HOLDS, "seed %zu: %s: %s", (size_t)seed, ev_verdict_name(verdict),
                     r.reason);
        verdict = hand_judge_seeded(&h, other, seed, &r);
        cr_expect_eq(verdict, EV_REFUTED, "seed %zu: %s: %s", (size_t)seed,
                     ev_verdict_name(verdict), r.reason);
    }
    hand_end(&h);
}

Test(argmin, a_kink_or_a_flat_floor_at_the_minimiser_refutes_nothing)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_node x = hand_real(&h, "x"), t = hand_real(&h, "t");
    ev_node kink = ev_graph_unary(h.graph, EV_OP_ABS, ev_graph_sub(h.graph, t, x));
    ev_node wells = square_of(&h, ev_graph_pow(h.graph, t, hand_number(&h, 2)), hand_number(&h, 1));
    size_t kinked = argmin_step(&h, square_of(&h, t, x), kink, 1, t);
    size_t flat = argmin_step(&h, wells, ev_graph_pow(h.graph, wells, hand_number(&h, 2)), 1, t);
    for (uint64_t seed = 1; seed <= 10; seed++) {
        cr_expect_neq(hand_judge_seeded(&h, kinked, seed, &r), EV_REFUTED, "%s", r.reason);
        cr_expect_neq(hand_judge_seeded(&h, flat, seed, &r), EV_REFUTED, "%s", r.reason);
    }
    hand_end(&h);
}

/* (x - m)^2, and the same with what its gradient does not see: 5 sg[x], or 9 where x > b. */
Test(argmin, gradients_that_agree_are_not_enough)
{
    hand h;
    ev_step_result r;
    hand_begin(&h);
    ev_graph *g = h.graph;
    ev_node m = hand_real(&h, "m"), x = hand_real(&h, "x"), b = hand_real(&h, "b");
    ev_node bowl = square_of(&h, x, m);
    ev_node stopped = ev_graph_mul(g, hand_number(&h, 5), ev_graph_unary(g, EV_OP_HOLD, x));
    ev_node beyond = ev_graph_unary(g, EV_OP_STEP, ev_graph_sub(g, x, b));
    ev_node jump = ev_graph_mul(g, hand_number(&h, 9), beyond);
    ev_node lifted = ev_graph_add(g, bowl, ev_graph_mul(g, b, b));
    size_t with_stopped = argmin_step(&h, bowl, ev_graph_add(g, bowl, stopped), 1, x);
    size_t with_jump = argmin_step(&h, bowl, ev_graph_add(g, bowl, jump), 1, x);
    size_t with_constant = argmin_step(&h, bowl, lifted, 1, x);
    h.budget.minimisation_points =
        h.budget.points; /* at few of them, all may lie on b's one side */
    for (uint64_t seed = 1; seed <= 20; seed++) {
        cr_expect_neq(hand_judge_seeded(&h, with_stopped, seed, &r), EV_HOLDS, "sg, seed %d",
                      (int)seed);
        cr_expect_eq(hand_judge_seeded(&h, with_constant, seed, &r), EV_HOLDS, "%s", r.reason);
        cr_expect_neq(hand_judge_seeded(&h, with_jump, seed, &r), EV_HOLDS, "jump, seed %d",
                      (int)seed);
    }
    hand_end(&h);
}
