#include "probability/log_space.h"

#include "oracle.h"

#include <criterion/criterion.h>

#define SAME(a, b, relative)                                                              \
    cr_assert(oracle_close((a), (b), (relative), 0.0), "%.17g is not %.17g", (double)(a), \
              (double)(b))

Test(log_space, log_sum_exp_agrees_with_the_sum_where_that_is_representable)
{
    uint64_t state = 1;
    for (size_t round = 0; round < oracle_rounds(200); round++) {
        double a[5], sum = 0.0;
        for (size_t i = 0; i < 5; i++)
            sum += exp(a[i] = oracle_uniform(&state, -20.0, 20.0));
        SAME(exp(ev_log_sum_exp(5, a)), sum, 1e-14);
    }
}

Test(log_space, log_sum_exp_shifts_with_its_arguments_far_beyond_the_range_of_exp)
{
    const double near[] = {0.0, -1.0, -3.0}, far[] = {-1e6, -1e6 - 1.0, -1e6 - 3.0};
    SAME(ev_log_sum_exp(3, far) + 1e6, ev_log_sum_exp(3, near), 1e-9);
    const double up[] = {800.0, 799.0, 797.0};
    SAME(ev_log_sum_exp(3, up) - 800.0, ev_log_sum_exp(3, near), 1e-12);
}

Test(log_space, log_sum_exp_treats_infinities_as_values_and_hands_nan_on)
{
    const double none[] = {-HUGE_VAL, -HUGE_VAL}, one[] = {-HUGE_VAL, 3.0};
    const double all[] = {HUGE_VAL, 1.0, HUGE_VAL}, bad[] = {1.0, (double)NAN, HUGE_VAL};
    cr_assert(ev_log_sum_exp(0, NULL) == -HUGE_VAL);
    cr_assert(ev_log_sum_exp(2, none) == -HUGE_VAL);
    cr_assert(ev_log_sum_exp(2, one) == 3.0);
    cr_assert(ev_log_sum_exp(3, all) == HUGE_VAL);
    cr_assert(isnan(ev_log_sum_exp(3, bad)));
    cr_assert(ev_log_add_exp(-HUGE_VAL, 2.0) == 2.0);
}

Test(log_space, log_mean_exp_is_not_the_mean_of_logarithms)
{
    /* Multiplying importance weights instead of adding them is the published mistake. */
    const double a[] = {0.0, -4.0, -1.0};
    SAME(ev_log_mean_exp(3, a), log((1.0 + exp(-4.0) + exp(-1.0)) / 3.0), 1e-14);
    cr_assert(ev_log_mean_exp(3, a) > -5.0 / 3.0 + 0.1);
    cr_assert(isnan(ev_log_mean_exp(0, NULL)));
}

Test(log_space, a_softmax_sums_to_one_and_ignores_a_common_shift)
{
    double a[] = {-700.0, -701.5, -HUGE_VAL, -900.0}, b[4], sum = 0.0;
    ev_log_softmax(4, a, b);
    for (size_t i = 0; i < 4; i++)
        sum += exp(b[i]);
    SAME(sum, 1.0, 1e-15);
    cr_assert(b[2] == -HUGE_VAL);
    SAME(b[0] - b[1], 1.5, 1e-12);
    const double poles[] = {HUGE_VAL, 0.0, HUGE_VAL};
    ev_log_softmax(3, poles, b);
    SAME(b[0], -EV_LOG_2, 1e-15);
    cr_assert(b[1] == -HUGE_VAL);
    const double none[] = {-HUGE_VAL, -HUGE_VAL};
    ev_log_softmax(2, none, b);
    cr_assert(isnan(b[0]));
}

Test(log_space, softplus_and_sigmoid_satisfy_their_functional_equations)
{
    for (double x = -40.0; x <= 40.0; x += 0.37) {
        SAME(ev_softplus(x) - ev_softplus(-x), x, 1e-13);
        SAME(ev_sigmoid(x) + ev_sigmoid(-x), 1.0, 1e-15);
        SAME(exp(ev_log_sigmoid(x)), ev_sigmoid(x), 1e-14);
        SAME(ev_softplus_inverse(ev_softplus(x)), x, 1e-12);
    }
    for (double p = 0.001; p < 1.0; p += 0.013)
        SAME(ev_sigmoid(ev_logit(p)), p, 1e-14);
    SAME(ev_logit(0.5 + 1e-12), 4.0 * ((0.5 + 1e-12) - 0.5), 1e-9);
}

Test(log_space, softplus_and_sigmoid_keep_to_their_limits)
{
    cr_assert(ev_softplus(-HUGE_VAL) == 0.0);
    cr_assert(ev_softplus(HUGE_VAL) == HUGE_VAL);
    SAME(ev_softplus(-700.0), exp(-700.0), 1e-14);
    cr_assert(ev_softplus(1e300) == 1e300);
    cr_assert(ev_log_sigmoid(-1e300) == -1e300);
    cr_assert(ev_log_sigmoid(HUGE_VAL) == 0.0);
    cr_assert(ev_sigmoid(-1e300) == 0.0);
    cr_assert(ev_softplus_inverse(0.0) == -HUGE_VAL);
    cr_assert(isnan(ev_softplus_inverse(-1.0)));
    cr_assert(ev_logit(0.0) == -HUGE_VAL);
    cr_assert(ev_logit(1.0) == HUGE_VAL);
}

Test(log_space, zero_times_log_zero_is_zero_but_nan_is_not_hidden)
{
    cr_assert(ev_xlogy(0.0, 0.0) == 0.0);
    cr_assert(ev_xlog1py(0.0, -1.0) == 0.0);
    cr_assert(ev_xlogy(2.0, 0.0) == -HUGE_VAL);
    cr_assert(isnan(ev_xlogy(0.0, (double)NAN)));
    SAME(ev_xlogy(2.0, 3.0), 2.0 * log(3.0), 1e-15);
    cr_assert(ev_log_product(HUGE_VAL, -HUGE_VAL) == -HUGE_VAL);
    cr_assert(isnan(ev_log_product((double)NAN, -HUGE_VAL)));
}

/* The differences in long double keep 64 - 2 log2(1/x) bits; enough for 1e-9 down to 1e-4. */
Test(log_space, the_differences_of_second_order_keep_their_digits)
{
    for (double x = -0.95; x < 3.0; x += 0.0173) {
        const long double wide = (long double)x;
        const double exponential = (double)(expm1l(wide) - wide);
        const double logarithm = (double)(log1pl(wide) - wide);
        if (fabs(x) > 1e-3) {
            SAME(ev_expm1_minus(x), exponential, 1e-12);
            SAME(ev_log1p_minus(x), logarithm, 1e-12);
        }
    }
    for (double x = 1e-5; x > 1e-150; x *= 1e-3) { /* leading terms of both series */
        SAME(ev_expm1_minus(x), 0.5 * x * x * (1.0 + x / 3.0), 1e-10);
        SAME(ev_expm1_minus(-x), 0.5 * x * x * (1.0 - x / 3.0), 1e-10);
        SAME(ev_log1p_minus(x), -0.5 * x * x * (1.0 - 2.0 * x / 3.0), 1e-9);
        SAME(ev_log1p_minus(-x), -0.5 * x * x * (1.0 + 2.0 * x / 3.0), 1e-9);
    }
    cr_assert(ev_expm1_minus(0.0) == 0.0);
    cr_assert(ev_log1p_minus(0.0) == 0.0);
    cr_assert(ev_expm1_minus(HUGE_VAL) == HUGE_VAL);
    cr_assert(ev_expm1_minus(-HUGE_VAL) == HUGE_VAL);
    cr_assert(ev_log1p_minus(-1.0) == -HUGE_VAL);
    cr_assert(ev_log1p_minus(HUGE_VAL) == -HUGE_VAL);
}

Test(log_space, a_kl_term_is_never_negative_and_the_same_from_logarithms)
{
    uint64_t state = 2;
    for (size_t round = 0; round < oracle_rounds(500); round++) {
        const double q = oracle_uniform(&state, 0.0, 1.0);
        const double p = q * exp(oracle_uniform(&state, -2.0, 2.0));
        cr_assert(ev_kl_term(q, p) >= 0.0, "q %.17g p %.17g", q, p);
        const long double wide = (long double)q * logl((long double)q / (long double)p);
        cr_assert(oracle_close(ev_kl_term(q, p), (double)(wide - (long double)q + (long double)p),
                               1e-11, 1e-18),
                  "q %.17g p %.17g", q, p);
        cr_assert(oracle_close(ev_kl_term_log(log(q), log(p)), ev_kl_term(q, p), 1e-9, 1e-18),
                  "q %.17g p %.17g", q, p);
    }
    cr_assert(ev_kl_term(0.0, 0.3) == 0.3 && ev_kl_term(0.3, 0.0) == HUGE_VAL);
    cr_assert(ev_kl_term(0.0, 0.0) == 0.0 && ev_kl_term(0.4, 0.4) == 0.0);
    cr_assert(ev_kl_term_log(-HUGE_VAL, -HUGE_VAL) == 0.0);
    cr_assert(ev_kl_term_log(-1.0, -HUGE_VAL) == HUGE_VAL);
    cr_assert(isnan(ev_kl_term(-0.1, 0.5)) && isnan(ev_kl_term(0.0, -0.5)));
    for (double h = 1e-4; h > 1e-12; h *= 0.1) { /* p (s^2/2 - s^3/6 + ...), s = q/p - 1 */
        const double q = 0.5 + h, s = (q - 0.5) / 0.5;
        SAME(ev_kl_term(q, 0.5), 0.25 * s * s * (1.0 - s / 3.0), h);
    }
}

Test(log_space, log_one_minus_exp_inverts_itself)
{
    for (double a = -30.0; a < -1e-3; a *= 0.83)
        SAME(ev_log_one_minus_exp(ev_log_one_minus_exp(a)), a, 1e-2);
    SAME(ev_log_one_minus_exp(log(0.25)), log(0.75), 1e-15);
    SAME(ev_log_one_minus_exp(-1e-300), log(1e-300), 1e-14);
    cr_assert(ev_log_one_minus_exp(0.0) == -HUGE_VAL);
    cr_assert(isnan(ev_log_one_minus_exp(0.5)));
}
