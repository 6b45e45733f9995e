#include "nn/float_math.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

enum { N = 4096 };

/* N points that cover [low, high] evenly, ends included. */
static void cover(double low, double high, float *x)
{
    for (int i = 0; i < N; i++)
        x[i] = (float)(low + (high - low) * (double)i / (N - 1));
}

typedef void function(size_t n, const float *x, float *out);

/* The largest relative error against double precision, at many places of an interval. */
static double worst(function *ours, double (*exact)(double), double low, double high)
{
    float x[N], y[N];
    double most = 0.0;
    for (int part = 0; part < 64; part++) {
        double width = (high - low) / 64.0, from = low + width * part;
        cover(from, from + width, x);
        ours(N, x, y);
        for (int i = 0; i < N; i++) {
            double right = exact((double)x[i]);
            double off = right == 0.0 ? fabs((double)y[i]) : fabs((double)y[i] / right - 1.0);
            most = fmax(most, off);
        }
    }
    return most;
}

static double softplus(double x) { return fmax(x, 0.0) + log1p(exp(-fabs(x))); }
static double sigmoid(double x) { return 1.0 / (1.0 + exp(-x)); }

Test(float_math, exp_is_within_two_ulp)
{
    cr_assert_lt(worst(ev_float_exp, exp, -86.8, 88.7), 2.4e-7);
    cr_assert_lt(worst(ev_float_exp, exp, -1.0, 1.0), 2.4e-7);
}

Test(float_math, exp_has_the_right_ends)
{
    const float x[] = {0.0F, -87.0F, -1e30F, -HUGE_VALF, 88.73F, 1e30F, HUGE_VALF, NAN};
    float y[8];
    ev_float_exp(8, x, y);
    cr_assert_eq(y[0], 1.0F);
    for (int i = 1; i <= 3; i++)
        cr_assert_eq(y[i], 0.0F);
    for (int i = 4; i <= 6; i++)
        cr_assert_eq(y[i], HUGE_VALF);
    cr_assert(isnan(y[7]));
}

Test(float_math, log_is_within_two_ulp)
{
    cr_assert_lt(worst(ev_float_log, log, 2.0, 1e4), 2.4e-7);
    cr_assert_lt(worst(ev_float_log, log, 1e-6, 0.5), 2.4e-7);
    cr_assert_lt(worst(ev_float_log, log, 1e30, 3e38), 2.4e-7);
    cr_assert_lt(worst(ev_float_log, log, (double)FLT_MIN, 1e-30), 2.4e-7);
}

/* Where log x is near 0 its digits must not be lost either. */
Test(float_math, log_keeps_its_digits_near_one)
{
    cr_assert_lt(worst(ev_float_log, log, 0.5, 0.999999), 2.4e-7);
    cr_assert_lt(worst(ev_float_log, log, 1.000001, 2.0), 2.4e-7);
}

Test(float_math, softplus_and_sigmoid_are_as_accurate_as_stated)
{
    cr_assert_lt(worst(ev_float_softplus, softplus, -86.0, 200.0), 4e-7);
    cr_assert_lt(worst(ev_float_sigmoid, sigmoid, -86.0, 200.0), 4e-7);
    cr_assert_lt(worst(ev_float_softplus, softplus, -3.0, 3.0), 4e-7);
    cr_assert_lt(worst(ev_float_sigmoid, sigmoid, -3.0, 3.0), 4e-7);
}

Test(float_math, softplus_is_finite_for_every_finite_argument_and_keeps_nan)
{
    const float x[] = {-FLT_MAX, FLT_MAX, NAN};
    float y[3];
    ev_float_softplus(3, x, y);
    cr_assert_eq(y[0], 0.0F);
    cr_assert_eq(y[1], FLT_MAX);
    cr_assert(isnan(y[2]));
    ev_float_sigmoid(3, x, y);
    cr_assert_eq(y[0], 0.0F);
    cr_assert_eq(y[1], 1.0F);
    cr_assert(isnan(y[2]));
}

Test(float_math, remainders_of_vectors_have_the_bits_of_whole_ones)
{
    float x[N], whole[N], single;
    cover(-20.0, 20.0, x);
    ev_float_softplus(N, x, whole);
    for (int i = 0; i < N; i++) {
        ev_float_softplus(1, x + i, &single);
        cr_assert_eq(single, whole[i]);
    }
}

Test(float_math, log_softmax_sums_to_one_and_ignores_a_shift)
{
    const float x[] = {1.0F, -2.0F, 0.5F, 300.0F}, low[] = {-1e6F, -1e6F + 1.0F};
    float y[4];
    float sum = ev_float_log_softmax(4, x, y);
    cr_assert_float_eq(sum, 300.0F, 1e-4F);
    cr_assert_eq(y[3], 0.0F);
    cr_assert_float_eq(y[0], -299.0F, 1e-4F);
    ev_float_log_softmax(2, low, y);
    cr_assert_float_eq(expf(y[0]) + expf(y[1]), 1.0F, 1e-6F);
    cr_assert_float_eq(y[1] - y[0], 1.0F, 1e-6F);
}
