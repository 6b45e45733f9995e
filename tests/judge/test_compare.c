#include "judge/compare.h"

#include <criterion/criterion.h>
#include <math.h>

static const ev_tolerance usual = {1e-9, 1e-3, 0.0};

static ev_outcome outcome(ev_relation relation, double a, double a_error, double b, double b_error)
{
    ev_value left = ev_value_of(a, a_error), right = ev_value_of(b, b_error);
    return ev_compare(relation, &left, &right, usual).outcome;
}

Test(compare, equal_within_small_errors_agrees)
{
    cr_assert_eq(outcome(EV_RELATION_EQUAL, 1.0, 1e-12, 1.0 + 1e-12, 1e-12), EV_AGREES);
}

Test(compare, a_difference_of_four_errors_differs_and_less_is_unresolved)
{
    cr_assert_eq(outcome(EV_RELATION_EQUAL, 1.0, 1e-12, 1.0 + 9e-12, 1e-12), EV_DIFFERS);
    cr_assert_eq(outcome(EV_RELATION_EQUAL, 1.0, 1e-12, 1.0 + 6e-12, 1e-12), EV_UNRESOLVED);
}

Test(compare, a_loose_error_cannot_pass_an_equality_but_can_refute_it)
{
    cr_assert_eq(outcome(EV_RELATION_EQUAL, 1.0, 1e-3, 1.0, 1e-3), EV_UNRESOLVED);
    cr_assert_eq(outcome(EV_RELATION_EQUAL, 1.0, 1e-3, 1.1, 1e-3), EV_DIFFERS);
}

Test(compare, an_inequality_that_is_clear_needs_no_resolution)
{
    cr_assert_eq(outcome(EV_RELATION_LESS_EQUAL, 1.0, 0.1, 2.0, 0.1), EV_AGREES);
    cr_assert_eq(outcome(EV_RELATION_GREATER_EQUAL, 1.0, 0.1, 2.0, 0.1), EV_DIFFERS);
    cr_assert_eq(outcome(EV_RELATION_GREATER_EQUAL, 2.0, 0.1, 2.0, 0.1), EV_UNRESOLVED);
    cr_assert_eq(outcome(EV_RELATION_LESS_EQUAL, 2.0, 1e-12, 2.0, 1e-12), EV_AGREES);
}

Test(compare, a_strict_inequality_between_equal_sides_is_unresolved_or_refuted_when_exact)
{
    cr_assert_eq(outcome(EV_RELATION_LESS, 2.0, 1e-12, 2.0, 1e-12), EV_UNRESOLVED);
    cr_assert_eq(outcome(EV_RELATION_LESS, 2.0, 0.0, 2.0, 0.0), EV_DIFFERS);
    cr_assert_eq(outcome(EV_RELATION_LESS, 2.0, 1e-12, 2.1, 1e-12), EV_AGREES);
    cr_assert_eq(outcome(EV_RELATION_GREATER, 2.0, 1e-12, 2.1, 1e-12), EV_DIFFERS);
}

Test(compare, nothing_that_is_not_finite_agrees_or_differs)
{
    const double bad[] = {(double)NAN, HUGE_VAL, -HUGE_VAL};
    const ev_relation relations[] = {EV_RELATION_EQUAL, EV_RELATION_LESS_EQUAL, EV_RELATION_GREATER,
                                     EV_RELATION_APPROX};
    for (size_t i = 0; i < 3; i++)
        for (size_t r = 0; r < 4; r++) {
            cr_expect_eq(outcome(relations[r], bad[i], 0, bad[i], 0), EV_UNFIT_VALUES);
            cr_expect_eq(outcome(relations[r], 1.0, bad[i], 1.0, 0), EV_UNFIT_VALUES);
            cr_expect_eq(outcome(relations[r], 1.0, 0, bad[i], 0), EV_UNFIT_VALUES);
        }
    cr_assert_eq(outcome(EV_RELATION_EQUAL, 1.0, -1.0, 5.0, 0.0), EV_UNFIT_VALUES);
}

Test(compare, an_unfit_value_is_never_believed)
{
    ev_value a = ev_value_of(1.0, 0.0), b = a;
    b.fit = false;
    cr_assert_eq(ev_compare(EV_RELATION_EQUAL, &a, &b, usual).outcome, EV_UNFIT_VALUES);
    b.fit = true;
    b.domain = false;
    cr_assert_eq(ev_compare(EV_RELATION_EQUAL, &b, &a, usual).outcome, EV_UNFIT_VALUES);
}

Test(compare, sampling_alone_is_held_to_its_own_resolution)
{
    ev_value a = ev_value_of(1.0, 0.0), b = a;
    b.sampling = 1e-4;
    cr_assert_eq(ev_compare(EV_RELATION_EQUAL, &a, &b, usual).outcome, EV_UNRESOLVED);
    b.methods = EV_METHOD_SAMPLING_ONLY;
    cr_assert_eq(ev_compare(EV_RELATION_EQUAL, &a, &b, usual).outcome, EV_AGREES);
    b.sampling = 1e-2;
    cr_assert_eq(ev_compare(EV_RELATION_EQUAL, &a, &b, usual).outcome, EV_UNRESOLVED);
}

Test(compare, zero_equals_zero)
{
    cr_assert_eq(outcome(EV_RELATION_EQUAL, 0.0, 0.0, 0.0, 0.0), EV_AGREES);
    cr_assert_eq(outcome(EV_RELATION_EQUAL, 0.0, 0.0, 1e-300, 0.0), EV_DIFFERS);
    cr_assert_eq(outcome(EV_RELATION_EQUAL, 1e-30, 1e-29, 0.0, 1e-29), EV_AGREES);
    cr_assert_eq(outcome(EV_RELATION_EQUAL, 1e-12, 1e-11, 0.0, 1e-11), EV_UNRESOLVED);
}

Test(compare, below_the_normal_numbers_no_relative_precision_is_asked_for)
{
    const double q = 0x1p-1074;
    cr_assert_eq(outcome(EV_RELATION_EQUAL, 1000 * q, 2 * q, 1001 * q, 2 * q), EV_AGREES);
    cr_assert_eq(outcome(EV_RELATION_EQUAL, 1000 * q, 2 * q, 1020 * q, 2 * q), EV_DIFFERS);
    cr_assert_eq(outcome(EV_RELATION_EQUAL, 1000 * q, 1e-3, 1001 * q, 0), EV_UNRESOLVED);
}

Test(compare, digits_count_the_distance_or_the_error_whichever_is_larger)
{
    ev_value a = ev_value_of(1.0, 1e-12), b = ev_value_of(1.0, 0.0);
    cr_assert_float_eq(ev_compare(EV_RELATION_EQUAL, &a, &b, usual).digits, 12.0, 0.01);
    b.value = 1.001;
    cr_assert_float_eq(ev_compare(EV_RELATION_EQUAL, &a, &b, usual).digits, 3.0, 0.01);
}
