#include "judge/draw.h"
#include "judge/hand_built.h"
#include "judge/integers.h"
#include "numerics/linear_algebra.h"

enum { POINTS = 48, TRIES = 500 };

static ev_space *space_of(hand *h)
{
    ev_space *space;
    ev_error error = EV_ERROR_NONE;
    ev_status status = ev_space_create(&h->instance, &h->table, h->integers, &space, &error);
    cr_assert_eq(status, EV_OK, "%s", error.message);
    return space;
}

static bool draw(ev_space *space, size_t index, uint64_t seed, double *inputs)
{
    size_t tried = 0;
    ev_stream stream = ev_stream_make(seed, 1, 2, (uint32_t)index);
    return ev_space_draw(space, index, &stream, TRIES, inputs, &tried);
}

static bool same(double a, double b) { return !(a < b || a > b); }

Test(point, generic_points_have_all_different_values_and_no_zero_or_one)
{
    hand h;
    double x[9];
    hand_begin(&h);
    hand_symbol(&h, "a", 1, 3, 1, hand_reals());
    hand_symbol(&h, "b", 1, 3, 1, hand_reals());
    hand_symbol(&h, "s", 1, 3, 1, hand_positives());
    ev_space *space = space_of(&h);
    size_t generic = 0;
    for (size_t p = 0; p < POINTS; p++) {
        cr_assert(draw(space, p, 3, x));
        if (ev_point_is_corner(p))
            continue;
        generic++;
        for (size_t i = 0; i < 9; i++)
            for (size_t j = 0; j < i; j++)
                cr_expect(!same(x[i], x[j]), "point %zu: %g twice", p, x[i]);
    }
    cr_assert_geq(3 * generic, 2 * POINTS);
    cr_assert_not(ev_space_is_rounded(space));
    ev_space_destroy(space);
    hand_end(&h);
}

Test(point, corners_reach_zero_one_equal_arguments_and_both_scales)
{
    hand h;
    double x[3];
    bool zero = false, equal = false, large = false, small = false, standard = false;
    hand_begin(&h);
    hand_symbol(&h, "a", 0, 1, 1, hand_reals());
    hand_symbol(&h, "b", 0, 1, 1, hand_reals());
    hand_symbol(&h, "s", 0, 1, 1, hand_positives());
    ev_space *space = space_of(&h);
    for (size_t p = 0; p < POINTS; p++) {
        cr_assert(draw(space, p, 3, x));
        standard = standard || (same(x[0], 0) && same(x[1], 0) && same(x[2], 1));
        zero = zero || (same(x[0], 0) && !same(x[1], 0));
        equal = equal || (same(x[0], x[1]) && !same(x[0], 0));
        large = large || x[2] >= 10;
        small = small || x[2] <= 0.05;
        cr_expect(x[2] > 0);
    }
    cr_assert(standard && zero && equal && large && small);
    ev_space_destroy(space);
    hand_end(&h);
}

Test(point, conditions_are_satisfied_at_every_point)
{
    hand h;
    double x[2];
    hand_begin(&h);
    ev_node m = hand_real(&h, "m"), s = hand_positive(&h, "s");
    hand_condition(&h, m, EV_RELATION_GREATER, ev_graph_mul(h.graph, hand_number(&h, 2), s));
    hand_condition(&h, m, EV_CONDITION_NOT_EQUAL, hand_number(&h, 3));
    ev_space *space = space_of(&h);
    for (size_t p = 0; p < POINTS; p++) {
        cr_assert(draw(space, p, 5, x));
        cr_expect(x[0] > 2 * x[1] && !same(x[0], 3));
    }
    int vary = 0;
    ev_stream stream = ev_stream_make(1, 2, 3, 4);
    double before = x[0], kept = x[1];
    cr_assert(ev_space_redraw(space, 1, &vary, &stream, TRIES, x));
    cr_assert(x[0] > 2 * x[1] && !same(x[0], before) && same(x[1], kept));
    ev_space_destroy(space);
    hand_end(&h);
}

Test(point, another_seed_gives_other_points_and_the_same_seed_the_same)
{
    hand h;
    double a[4], b[4], c[4];
    hand_begin(&h);
    hand_symbol(&h, "a", 1, 4, 1, hand_reals());
    ev_space *space = space_of(&h);
    draw(space, 7, 1, a);
    draw(space, 7, 1, b);
    draw(space, 7, 2, c);
    cr_assert_eq(memcmp(a, b, sizeof a), 0);
    cr_assert_neq(memcmp(a, c, sizeof a), 0);
    ev_space_destroy(space);
    hand_end(&h);
}

Test(point, values_stay_in_their_domains)
{
    hand h;
    double x[12];
    hand_begin(&h);
    hand_symbol(&h, "u", 1, 2, 1,
                (ev_domain){.low = 0, .high = 1, .low_open = true, .high_open = true});
    hand_symbol(&h, "w", 0, 1, 1, (ev_domain){.low = -3, .high = -1});
    hand_symbol(&h, "n", 0, 1, 1, (ev_domain){.low = -HUGE_VAL, .high = 2, .high_open = true});
    hand_symbol(&h, "x", 1, 4, 1, (ev_domain){.low = 0, .high = 1, .binary = true});
    hand_symbol(&h, "p", 1, 4, 1, (ev_domain){.low = 0, .high = 1, .simplex = true});
    ev_space *space = space_of(&h);
    cr_assert(ev_space_is_rounded(space));
    bool one_hot = false, low_end = false, ones = false, zeros = false;
    for (size_t p = 0; p < POINTS; p++) {
        cr_assert(draw(space, p, 9, x));
        cr_expect(x[0] > 0 && x[0] < 1 && x[1] > 0 && x[1] < 1);
        cr_expect(x[2] >= -3 && x[2] <= -1 && x[3] < 2);
        double total = 0, sum = 0;
        for (size_t i = 0; i < 4; i++) {
            cr_expect(same(x[4 + i], 0) || same(x[4 + i], 1));
            cr_expect(x[8 + i] >= 0);
            total += x[8 + i];
            sum += x[4 + i];
            one_hot = one_hot || same(x[8 + i], 1);
        }
        cr_expect_float_eq(total, 1.0, 1e-15);
        low_end = low_end || same(x[2], -3);
        ones = ones || same(sum, 4);
        zeros = zeros || same(sum, 0);
    }
    cr_assert(one_hot && low_end && ones && zeros);
    ev_space_destroy(space);
    hand_end(&h);
}

static double orthogonality(const double *q, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = i == j ? -1 : 0;
            for (size_t k = 0; k < n; k++)
                sum += q[i * n + k] * q[j * n + k];
            worst = fmax(worst, fabs(sum));
        }
    return worst;
}

Test(point, matrices_have_their_structure)
{
    enum { N = 3, M = N * N };
    hand h;
    double x[5 * M], chol[M];
    ev_domain d = hand_reals();
    hand_begin(&h);
    d.structure = EV_MATRIX_LOWER | EV_MATRIX_POSITIVE_DIAGONAL;
    hand_symbol(&h, "L", 2, N, N, d);
    d.structure = EV_MATRIX_LOWER | EV_MATRIX_NONZERO_DIAGONAL;
    hand_symbol(&h, "M", 2, N, N, d);
    d.structure = EV_MATRIX_POSITIVE_DEFINITE | EV_MATRIX_SYMMETRIC;
    hand_symbol(&h, "S", 2, N, N, d);
    d.structure = EV_MATRIX_ORTHOGONAL;
    hand_symbol(&h, "Q", 2, N, N, d);
    d.structure = EV_MATRIX_INVERTIBLE;
    hand_symbol(&h, "A", 2, N, N, d);
    ev_space *space = space_of(&h);
    bool negative = false, full = false;
    for (size_t p = 0; p < POINTS; p++) {
        cr_assert(draw(space, p, 11, x));
        for (size_t i = 0; i < N; i++) {
            cr_expect(x[i * N + i] > 0 && !same(x[M + i * N + i], 0));
            negative = negative || x[M + i * N + i] < 0;
            for (size_t j = i + 1; j < N; j++)
                cr_expect(same(x[i * N + j], 0) && same(x[M + i * N + j], 0) &&
                          same(x[2 * M + i * N + j], x[2 * M + j * N + i]));
        }
        cr_expect_eq(ev_cholesky(N, x + 2 * M, chol), EV_OK);
        cr_expect_lt(orthogonality(x + 3 * M, N), 1e-14);
        full = full || fabs(x[3 * M + 1]) > 0.05;
        cr_expect_gt(fabs(ev_matrix_det(N, x + 4 * M)), 1e-6);
    }
    cr_assert(negative && full);
    ev_space_destroy(space);
    hand_end(&h);
}

Test(point, rounding_to_three_digits_gives_the_decimal_itself)
{
    cr_assert(same(ev_draw_rounded(0.123456), 0.123));
    cr_assert(same(ev_draw_rounded(-1234.5), -1230.0));
    cr_assert(same(ev_draw_rounded(0.0), 0.0));
    cr_assert(same(ev_draw_rounded(1.0 / 3.0), 0.333));
}

Test(integers, the_first_choice_has_different_dimensions_and_both_ends_are_tried)
{
    ev_symbol symbols[] = {
        {.name = "J", .kind = EV_SYMBOL_INTEGER, .low = {-1, 0, 1}, .high = {-1, 0, 6}},
        {.name = "K", .kind = EV_SYMBOL_INTEGER, .low = {-1, 0, 1}, .high = {-1, 0, 4}},
        {.name = "c", .kind = EV_SYMBOL_INTEGER, .low = {-1, 0, 1}, .high = {1, 1, 0}}};
    ev_symbol_table table = {.symbols = symbols, .symbol_count = 3};
    const int which[] = {0, 1, 2};
    long *choices[6];
    ev_arena *arena = ev_arena_create();
    ev_stream stream = ev_stream_make(1, 2, 3, 4);
    size_t n = ev_integers_choose(&table, 3, which, &stream, 6, arena, choices);
    cr_assert_eq(n, 6u);
    cr_assert_neq(choices[0][0], choices[0][1]);
    cr_assert(choices[1][0] == 1 && choices[1][1] == 1 && choices[1][2] == 1);
    bool high = false;
    for (size_t i = 0; i < n; i++) {
        high = high || (choices[i][0] == 6 && choices[i][1] == 4 && choices[i][2] == 4);
        cr_expect(choices[i][2] >= 1 && choices[i][2] <= choices[i][1]);
    }
    cr_assert(high);
    ev_arena_destroy(arena);
}

/* Ranges of two: the first choice sets all of them to 2. */
Test(integers, five_choices_tell_any_two_of_five_dimensions_apart)
{
    ev_symbol symbols[5];
    const int which[] = {0, 1, 2, 3, 4};
    for (int i = 0; i < 5; i++)
        symbols[i] = (ev_symbol){
            .name = "D", .kind = EV_SYMBOL_INTEGER, .low = {-1, 0, 1}, .high = {-1, 0, 2}};
    ev_symbol_table table = {.symbols = symbols, .symbol_count = 5};
    long *choices[5];
    ev_arena *arena = ev_arena_create();
    ev_stream stream = ev_stream_make(1, 2, 3, 4);
    cr_assert_eq(ev_integers_choose(&table, 5, which, &stream, 5, arena, choices), 5u);
    for (int a = 0; a < 5; a++)
        for (int b = 0; b < a; b++) {
            bool apart = false;
            for (int i = 0; i < 5; i++)
                apart = apart || choices[i][a] != choices[i][b];
            cr_expect(apart, "%d and %d", a, b);
        }
    ev_arena_destroy(arena);
}

Test(integers, no_integers_make_one_choice_and_an_empty_range_none)
{
    ev_symbol symbols[] = {
        {.name = "J", .kind = EV_SYMBOL_INTEGER, .low = {-1, 0, 2}, .high = {-1, 0, 1}}};
    ev_symbol_table table = {.symbols = symbols, .symbol_count = 1};
    const int which[] = {0};
    long *choices[6];
    ev_arena *arena = ev_arena_create();
    ev_stream stream = ev_stream_make(1, 2, 3, 4);
    cr_assert_eq(ev_integers_choose(&table, 0, which, &stream, 6, arena, choices), 1u);
    cr_assert_eq(ev_integers_choose(&table, 1, which, &stream, 6, arena, choices), 0u);
    ev_arena_destroy(arena);
}

Test(point, a_full_run_tries_every_corner_of_a_single_cell)
{
    const struct {
        ev_domain domain;
        double wanted[6];
        size_t count;
    } cases[] = {{{.low = 0, .high = 1}, {0, 1}, 2},
                 {{.low = 0, .high = HUGE_VAL}, {0, 1, 0.05, 10}, 4},
                 {{.low = -HUGE_VAL, .high = HUGE_VAL}, {0, 1, -1, 10, 1e-3, -0.5}, 6}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        hand h;
        bool met[6] = {false};
        double x;
        hand_begin(&h);
        hand_symbol(&h, "x", 0, 1, 1, cases[k].domain);
        ev_space *space = space_of(&h);
        for (size_t p = 2; p < 24; p += 3) {
            cr_assert(draw(space, p, 3, &x));
            for (size_t i = 0; i < cases[k].count; i++)
                met[i] = met[i] || same(x, cases[k].wanted[i]);
        }
        for (size_t i = 0; i < cases[k].count; i++)
            cr_expect(met[i], "case %zu: %g is not tried", k, cases[k].wanted[i]);
        ev_space_destroy(space);
        hand_end(&h);
    }
}

Test(integers, a_declared_top_far_above_the_low_end_is_tried)
{
    ev_symbol symbols[] = {
        {.name = "N", .kind = EV_SYMBOL_INTEGER, .low = {-1, 0, 1}, .high = {-1, 0, 20}},
        {.name = "M", .kind = EV_SYMBOL_INTEGER, .low = {-1, 0, 1}, .high = {-1, 0, 1000}}};
    ev_symbol_table table = {.symbols = symbols, .symbol_count = 2};
    const int which[] = {0, 1};
    long *choices[6];
    ev_arena *arena = ev_arena_create();
    ev_stream stream = ev_stream_make(1, 2, 3, 4);
    size_t n = ev_integers_choose(&table, 2, which, &stream, 6, arena, choices), tops = 0;
    for (size_t i = 0; i < n; i++) {
        bool top = choices[i][0] == 20 && choices[i][1] == 64;
        tops += top;
        cr_expect(top || (choices[i][0] <= 8 && choices[i][1] <= 8));
    }
    cr_assert_eq(tops, 1u);
    ev_arena_destroy(arena);
}
