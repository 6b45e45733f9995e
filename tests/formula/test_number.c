#include "formula/number.h"

#include "expressions.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const struct {
    ev_op op;
    bool positive_a, positive_b, binary;
} operations[] = {
    {EV_OP_ADD, false, false, true},      {EV_OP_SUB, false, false, true},
    {EV_OP_MUL, false, false, true},      {EV_OP_DIV, false, false, true},
    {EV_OP_NEG, false, false, false},     {EV_OP_POW, true, false, true},
    {EV_OP_EXP, false, false, false},     {EV_OP_LOG, true, false, false},
    {EV_OP_SQRT, true, false, false},     {EV_OP_TANH, false, false, false},
    {EV_OP_SIN, false, false, false},     {EV_OP_COS, false, false, false},
    {EV_OP_SIGMOID, false, false, false}, {EV_OP_SOFTPLUS, false, false, false},
    {EV_OP_ABS, false, false, false},     {EV_OP_MAX, false, false, true},
    {EV_OP_MIN, false, false, true},      {EV_OP_STEP, false, false, false},
    {EV_OP_XLOGY, false, true, true},     {EV_OP_LOG_ADD_EXP, false, false, true},
};

static ev_number draw_number(uint64_t *state, bool positive)
{
    ev_number a = ev_number_exact(draw_uniform(state, positive ? 0.01 : -4, 4));
    if (draw_below(state, 4) == 0)
        return a;
    double size = pow(10, draw_uniform(state, -11, 0.3));
    for (int kind = 0; kind < EV_ERROR_KINDS; kind++)
        a.error[kind] = draw_below(state, 2) == 0 ? 0 : size * draw_uniform(state, 0.5, 1);
    return a;
}

/* A number that a may stand for; the ends of the interval first. */
static double within(uint64_t *state, const ev_number *a, size_t round)
{
    double e = 0.999 * ev_number_total_error(a); /* x itself is rounded */
    return round < 4 ? a->value + (round % 2 == 0 ? e : -e)
                     : draw_uniform(state, a->value - e, a->value + e);
}

Test(number, an_operation_on_numbers_within_their_errors_stays_within_its_own)
{
    uint64_t state = 17;
    for (size_t k = 0; k < sizeof operations / sizeof *operations; k++)
        for (size_t round = 0; round < rounds(4000); round++) {
            const ev_op op = operations[k].op;
            ev_number a = draw_number(&state, operations[k].positive_a), v;
            ev_number b = draw_number(&state, operations[k].positive_b);
            if (!operations[k].binary)
                b = a;
            ev_number_apply(op, &a, &b, &v);
            double bound = ev_number_total_error(&v);
            for (size_t i = 0; i < 12 && isfinite(bound); i++) {
                double x = within(&state, &a, i);
                x = op == EV_OP_SQRT ? fmax(x, 0) : x; /* what is meant has a root */
                double y = within(&state, &b, i / 2);
                long double truth = interpret_op(op, (long double)x, (long double)y);
                long double off = fabsl(truth - (long double)v.value);
                cr_assert(off <= (long double)bound * (1 + 1e-12L),
                          "op %d: (%.17g, %.17g) for (%.17g, %.17g): off by %Lg, bound %g", (int)op,
                          x, y, a.value, b.value, off, bound);
            }
        }
}

Test(number, a_value_below_the_normal_numbers_has_their_spacing_for_its_rounding)
{
    uint64_t state = 19;
    for (size_t round = 0; round < rounds(2000); round++) {
        ev_number u = ev_number_exact(draw_uniform(&state, -744, -709)), e, v;
        ev_number d = ev_number_exact(draw_uniform(&state, 0.1, 3));
        ev_number_apply(EV_OP_EXP, &u, &u, &e);
        for (int divide = 0; divide < 2; divide++) {
            ev_number_apply(divide ? EV_OP_DIV : EV_OP_MUL, &e, &d, &v);
            long double truth = divide ? expl((long double)u.value) / (long double)d.value
                                       : expl((long double)u.value) * (long double)d.value;
            long double off = fabsl(truth - (long double)v.value);
            cr_assert(v.value == 0 || off <= (long double)ev_number_total_error(&v),
                      "e^%.17g, %.17g: %g off by %Lg, bound %g", u.value, d.value, v.value, off,
                      ev_number_total_error(&v));
            cr_assert_leq(ev_number_total_error(&v), 64 * 0x1p-1074 + 1e-14 * v.value);
        }
    }
}

/* What was lost may be multiplied back: exp(-800) exp(700) is e^-100, and not 0 to 16 digits. */
Test(number, a_value_that_underflows_to_zero_is_not_exactly_zero)
{
    ev_number tiny, large, product, root, zero, a = ev_number_exact(-800), b = ev_number_exact(700);
    ev_number_apply(EV_OP_EXP, &a, &a, &tiny);
    ev_number_apply(EV_OP_EXP, &b, &b, &large);
    ev_number_apply(EV_OP_MUL, &tiny, &large, &product);
    cr_expect_eq(product.value, 0);
    cr_expect_geq(ev_number_total_error(&product), exp(-100));
    a = ev_number_exact(1e-200);
    ev_number_apply(EV_OP_MUL, &a, &a, &root);
    ev_number_apply(EV_OP_SQRT, &root, &root, &product);
    cr_expect_geq(ev_number_total_error(&product), 1e-200, "sqrt(1e-400) is 1e-200");
    a = ev_number_exact(0);
    ev_number_apply(EV_OP_MUL, &a, &b, &zero);
    cr_expect_eq(ev_number_total_error(&zero), 0, "0 times 700 is 0");
    a = ev_number_exact(-HUGE_VAL);
    ev_number_apply(EV_OP_EXP, &a, &a, &zero);
    cr_expect_eq(ev_number_total_error(&zero), 0, "and so is the exponential of minus infinity");
}

/* x^b, i times a power of two: for |i| + j < 128 and b <= 9 these are integers below 2^63. */
static int64_t whole_power(int64_t i, int b)
{
    int64_t product = 1;
    while (b-- > 0)
        product *= i;
    return product;
}

/* However near j is to i.  With y = |i|, x = y + j the power is off by x^b - y^b at the far end, which
 * is j times the sum of all x^k y^(b-1-k), k < b: at least j x^(b-1), a b-th of the bound. */
Test(number, a_whole_power_is_bounded_also_where_the_error_is_nearly_the_value)
{
    uint64_t state = 20;
    for (size_t round = 0; round < rounds(4000); round++) {
        const int64_t i = (int64_t)draw_below(&state, 127) - 63;
        const int64_t j = 1 + (int64_t)draw_below(&state, 63);
        const int b = 1 + (int)draw_below(&state, 9), scale = (int)draw_below(&state, 80) - 40;
        ev_number a = ev_number_exact(ldexp((double)i, scale)), v;
        ev_number exponent = ev_number_exact(b);
        a.error[EV_ERROR_QUADRATURE] = ldexp((double)j, scale);
        ev_number_apply(EV_OP_POW, &a, &exponent, &v);
        const double unit = ldexp(1, b * scale), bound = ev_number_total_error(&v) / unit;
        int64_t off = 0;
        for (int64_t x = i - j; x <= i + j; x++) {
            int64_t d = llabs(whole_power(x, b) - whole_power(i, b));
            off = d > off ? d : off;
        }
        cr_assert_geq(bound, (double)off * (1 - 1e-15), "(%d +- %d)^%d", (int)i, (int)j, b);
        cr_assert_leq(bound, b * (double)off + 1e-14 * fabs(v.value) / unit,
                      "(%d +- %d)^%d: %g for %g", (int)i, (int)j, b, bound, (double)off);
    }
}

Test(number, small_errors_are_carried_without_much_loss)
{
    uint64_t state = 18;
    for (size_t k = 0; k < sizeof operations / sizeof *operations; k++)
        for (size_t round = 0; round < rounds(500); round++) {
            const ev_op op = operations[k].op;
            ev_number a = ev_number_exact(draw_uniform(&state, 0.5, 3)), v;
            ev_number b = ev_number_exact(draw_uniform(&state, 0.5, 3));
            if (op == EV_OP_STEP || fabs(a.value - b.value) < 1e-3)
                continue;
            a.error[EV_ERROR_SAMPLING] = 1e-7;
            ev_number_apply(op, &a, operations[k].binary ? &b : &a, &v);
            double h = 1e-4;
            double y = operations[k].binary ? b.value : a.value;
            double slope = fabs(ev_number_value(op, a.value + h, y) -
                                ev_number_value(op, a.value - h, y)) /
                           (2 * h);
            cr_assert_leq(v.error[EV_ERROR_SAMPLING], 1e-7 * (1.01 * slope + 1e-3), "op %d",
                          (int)op);
            cr_assert_eq(v.error[EV_ERROR_QUADRATURE], 0);
            cr_assert_leq(v.error[EV_ERROR_ROUNDING], 3e-15 * (fabs(v.value) + 1), "op %d",
                          (int)op);
        }
}

Test(number, an_error_that_reaches_a_singularity_is_unbounded)
{
    ev_number a = ev_number_exact(1e-3), one = ev_number_exact(1), v;
    a.error[EV_ERROR_QUADRATURE] = 2e-3;
    ev_number_apply(EV_OP_LOG, &a, &a, &v);
    cr_assert_eq(v.error[EV_ERROR_QUADRATURE], HUGE_VAL);
    ev_number_apply(EV_OP_DIV, &one, &a, &v);
    cr_assert_eq(v.error[EV_ERROR_QUADRATURE], HUGE_VAL);
    ev_number_apply(EV_OP_STEP, &a, &a, &v);
    cr_assert_geq(v.error[EV_ERROR_QUADRATURE], 1);
}

Test(number, log_zero_is_absorbed_exactly)
{
    ev_number zero = ev_number_exact(0), one = ev_number_exact(1), log_zero, v;
    ev_number_apply(EV_OP_LOG, &zero, &zero, &log_zero);
    cr_assert_eq(log_zero.value, -HUGE_VAL);
    cr_assert_eq(ev_number_total_error(&log_zero), 0);
    ev_number_apply(EV_OP_LOG_ADD_EXP, &log_zero, &one, &v);
    cr_assert_eq(v.value, 1);
    cr_assert_eq(ev_number_total_error(&v), 0);
    ev_number_apply(EV_OP_MUL, &zero, &log_zero, &v);
    cr_assert_eq(v.value, 0);
    cr_assert_eq(ev_number_total_error(&v), 0);
    ev_number_apply(EV_OP_XLOGY, &zero, &zero, &v);
    cr_assert_eq(v.value, 0);
    cr_assert_eq(ev_number_total_error(&v), 0);
}
