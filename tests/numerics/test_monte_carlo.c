#include "integrands.h"
#include "numerics/monte_carlo.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double identity(const double *x, double a) { return a * x[0]; }
static double square(const double *x, double a) { return a * x[0] * x[0]; }
static double exponential(const double *x, double a) { return exp(a * x[0]); }
static double shifted(const double *x, double a) { return a + x[0]; }
static double constant(const double *x, double a)
{
    (void)x;
    return a;
}
static double positive(const double *x, double a) { return x[0] > a; }
static double uniform(const double *x, double a) { return a * 0.5 * erfc(-x[0] / sqrt(2)); }
static double pareto(const double *x, double a) { return pow(0.5 * erfc(x[0] / sqrt(2)), -1 / a); }
static double sum_of_two(const double *x, double a) { return x[0] + a * x[1]; }
static double nan_beyond(const double *x, double a) { return x[0] > a ? (double)NAN : 1; }
static double inverse_square(const double *x, double a) { return pow(fabs(x[0]), -a); }

static ev_sample_summary sample(watched *w, uint64_t seed, uint64_t samples, size_t threads)
{
    ev_stream s = ev_stream_make(seed, ev_hash_text("monte-carlo"), 0, 0);
    ev_sample_summary out[MAX_FUNCTIONS];
    cr_assert_eq(
        ev_monte_carlo_expect(w->dim, watched_integrand, w, w->m, &s, samples, threads, out),
        EV_OK);
    return out[0];
}

static ev_sample_summary sample_of(point_function f, double a, uint64_t seed, uint64_t samples)
{
    watched w = watch(1, f, a);
    return sample(&w, seed, samples, 1);
}

/* The watcher counts without locks: only single-threaded runs may use it.  This one has no
 * state. */
static int stateless(void *context, size_t worker, size_t n, const double *const *x,
                     double *const *out)
{
    (void)context, (void)worker;
    for (size_t i = 0; i < n; i++) {
        out[0][i] = exp(x[0][i]);
        out[1][i] = x[0][i] * x[1][i];
    }
    return 0;
}

Test(monte_carlo, the_result_is_the_same_to_the_last_bit_for_any_number_of_threads)
{
    static const uint64_t samples[] = {1, 100, 16384, 16385, 100001};
    ev_stream s = ev_stream_make(1, 2, 3, 4);
    for (size_t i = 0; i < 5; i++) {
        ev_sample_summary one[2], many[2];
        cr_assert_eq(ev_monte_carlo_expect(2, stateless, NULL, 2, &s, samples[i], 1, one), EV_OK);
        for (size_t threads = 2; threads <= 7; threads++) {
            cr_assert_eq(
                ev_monte_carlo_expect(2, stateless, NULL, 2, &s, samples[i], threads, many), EV_OK);
            cr_assert_eq(memcmp(one, many, sizeof one), 0, "%zu threads", threads);
        }
    }
}

/* The same draws, two passes in long double. */
Test(monte_carlo, the_moments_are_those_of_the_draws)
{
    static const size_t samples[] = {2, 7, 255, 257, 16383, 16384, 50001};
    for (size_t c = 0; c < 7; c++) {
        size_t n = samples[c];
        double *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y);
        ev_stream s = ev_stream_make(5, ev_hash_text("monte-carlo"), 0, 0);
        ev_stream first = ev_stream_child(&s, 0), second = ev_stream_child(&s, 1);
        ev_stream_normals(&first, 0, n, x);
        ev_stream_normals(&second, 0, n, y);
        long double sum = 0, absolute = 0, m2 = 0, m3 = 0;
        for (size_t i = 0; i < n; i++) {
            sum += (long double)(x[i] + 2 * y[i]);
            absolute += (long double)fabs(x[i] + 2 * y[i]);
        }
        long double mean = sum / n;
        for (size_t i = 0; i < n; i++) {
            long double d = (long double)(x[i] + 2 * y[i]) - mean;
            m2 += d * d;
            m3 += d * d * d;
        }
        watched w = watch(2, sum_of_two, 2);
        ev_sample_summary v = sample(&w, 5, n, 1);
        double sd = (double)sqrtl(m2 / n);
        cr_expect_eq(v.samples, n);
        cr_expect_eq(w.points, n);
        cr_expect_float_eq(v.mean, (double)mean, 1e-14);
        cr_expect_float_eq(v.variance, (double)(m2 / (n - 1)), 1e-12);
        cr_expect_float_eq(v.standard_error, (double)sqrtl(m2 / (n - 1) / n), 1e-13);
        cr_expect_float_eq(v.skewness, (double)(m3 / n) / (sd * sd * sd), 1e-11);
        cr_expect_float_eq(v.magnitude, (double)(absolute / n), 1e-13);
        free(x);
        free(y);
    }
}

Test(monte_carlo, a_large_offset_costs_no_variance)
{
    ev_sample_summary far = sample_of(shifted, 1e9, 3, 50000),
                      near = sample_of(shifted, 0, 3, 50000);
    cr_expect_float_eq(far.variance, near.variance, 1e-6);
    cr_expect_float_eq(far.skewness, near.skewness, 1e-5);
}

/* A normal interval of level 1 - alpha misses alpha of the time: 6 binomial deviations. */
Test(monte_carlo, intervals_miss_as_often_as_they_say)
{
    enum { RUNS = 2000 };
    static const double alphas[] = {0.3, 0.05, 0.01};
    static const struct {
        point_function f;
        double a, truth;
    } cases[] = {{identity, 1, 0}, {uniform, 1, 0.5}, {positive, 0, 0.5}};
    for (size_t c = 0; c < 3; c++) {
        double misses[3] = {0};
        for (uint64_t run = 0; run < RUNS; run++) {
            ev_sample_summary v = sample_of(cases[c].f, cases[c].a, run, 1000);
            for (size_t i = 0; i < 3; i++)
                misses[i] += fabs(v.mean - cases[c].truth) > ev_sample_half_width(&v, alphas[i]);
        }
        for (size_t i = 0; i < 3; i++) {
            double sd = sqrt(RUNS * alphas[i] * (1 - alphas[i]));
            cr_expect_float_eq(misses[i], RUNS * alphas[i], 6 * sd, "case %zu, alpha %g: %g", c,
                               alphas[i], misses[i]);
        }
    }
}

/* Skewed draws: chi-squared and lognormal may miss less often than alpha, not more. */
Test(monte_carlo, skewed_draws_do_not_miss_more_often)
{
    enum { RUNS = 4000 };
    double misses[2] = {0};
    for (uint64_t run = 0; run < RUNS; run++) {
        ev_sample_summary s = sample_of(square, 1, run, 300),
                          e = sample_of(exponential, 0.5, run, 300);
        misses[0] += fabs(s.mean - 1) > ev_sample_half_width(&s, 1e-3);
        misses[1] += fabs(e.mean - exp(0.125)) > ev_sample_half_width(&e, 1e-3);
    }
    cr_expect(misses[0] <= 16 && misses[1] <= 16, "%g and %g where 4 are allowed", misses[0],
              misses[1]);
}

Test(monte_carlo, the_half_width_is_the_normal_quantile_widened_by_johnsons_term)
{
    ev_sample_summary v = {
        .samples = 10000, .mean = 1, .variance = 4, .standard_error = 0.02, .khat = 0.1};
    cr_expect_float_eq(ev_sample_half_width(&v, 0.05), 0.02 * 1.959963984540054, 1e-14);
    double z = 1.959963984540054, shift = 3 * 2 * (1 + 2 * z * z) / (6 * 10000.0);
    v.skewness = -3;
    cr_expect_float_eq(ev_sample_half_width(&v, 0.05), 0.02 * z + shift, 1e-14);
    v.skewness = 0;
    double far = ev_sample_half_width(&v, 1e-12) / 0.02;
    cr_expect_float_eq(erfc(far / sqrt(2)) / 1e-12, 1, 1e-9);
}

Test(monte_carlo, there_is_no_interval_without_a_finite_variance)
{
    ev_sample_summary good = {
        .samples = 100, .mean = 1, .variance = 4, .standard_error = 0.2, .khat = 0.1};
    ev_sample_summary v = good;
    v.khat = 0.71;
    cr_expect_eq(ev_sample_half_width(&v, 0.05), HUGE_VAL);
    v = good;
    v.mean = (double)NAN;
    cr_expect_eq(ev_sample_half_width(&v, 0.05), HUGE_VAL);
    v = good;
    v.standard_error = HUGE_VAL;
    cr_expect_eq(ev_sample_half_width(&v, 0.05), HUGE_VAL);
    cr_expect_eq(ev_sample_half_width(&good, 0), HUGE_VAL);
    v = good;
    v.khat = -HUGE_VAL;
    cr_expect(isfinite(ev_sample_half_width(&v, 0.05)));
    v.khat = (double)NAN;
    cr_expect(isfinite(ev_sample_half_width(&v, 0.05)));
}

Test(monte_carlo, light_tails_are_never_called_heavy)
{
    static const struct {
        point_function f;
        double a;
    } light[] = {{identity, 1}, {identity, 1e200}, {identity, 1e-200}, {square, 1},
                 {square, -3},  {uniform, 5},      {positive, 0},      {positive, 2},
                 {constant, 0}, {constant, -7},    {exponential, 1},   {exponential, -1},
                 {shifted, 1e6}};
    for (size_t i = 0; i < sizeof light / sizeof *light; i++)
        for (uint64_t seed = 0; seed < 5; seed++) {
            ev_sample_summary v = sample_of(light[i].f, light[i].a, seed, 40000);
            cr_expect_leq(v.khat, 0.7, "case %zu, seed %zu: %g", i, (size_t)seed, v.khat);
        }
}

/* Pareto with exponent a: k = 1/a. */
Test(monte_carlo, heavy_tails_are_found_and_measured)
{
    for (uint64_t seed = 0; seed < 5; seed++) {
        double heavy = sample_of(pareto, 1.2, seed, 200000).khat,
               light = sample_of(pareto, 4, seed, 200000).khat;
        cr_expect_float_eq(heavy, 1 / 1.2, 0.15, "%g", heavy);
        cr_expect_gt(heavy, 0.7);
        cr_expect_float_eq(light, 0.25, 0.15, "%g", light);
        cr_expect_gt(sample_of(inverse_square, 0.9, seed, 200000).khat, 0.7);
        cr_expect_eq(ev_sample_half_width(&(ev_sample_summary){.khat = heavy}, 0.1), HUGE_VAL);
    }
}

Test(monte_carlo, constants_and_coins_have_no_tail)
{
    cr_expect_eq(sample_of(constant, 3, 1, 1000).khat, -HUGE_VAL);
    cr_expect_eq(sample_of(positive, 0, 1, 100000).khat, -HUGE_VAL);
    cr_expect_eq(sample_of(positive, 3, 1, 100000).khat, -HUGE_VAL);
    cr_expect(isnan(sample_of(identity, 1, 1, 20).khat));
}

/* Exact quantiles of the generalised Pareto distribution. */
Test(monte_carlo, the_pareto_shape_of_exact_quantiles_is_recovered)
{
    enum { N = 2000 };
    static const double shapes[] = {-0.5, -0.1, 0, 0.3, 0.7, 1.2, 2};
    for (size_t c = 0; c < sizeof shapes / sizeof *shapes; c++)
        for (double sigma = 1e-10; sigma < 1e11; sigma *= 1e5) {
            double x[N], k = shapes[c];
            for (size_t i = 0; i < N; i++) {
                double u = ((double)i + 0.5) / N;
                x[i] = sigma * (k == 0 ? -log1p(-u) : expm1(-k * log1p(-u)) / k);
            }
            double prior = (k * N + 5) / (N + 10);
            cr_expect_float_eq(ev_pareto_shape(x, N), prior, 0.03, "shape %g, scale %g: %g", k,
                               sigma, ev_pareto_shape(x, N));
        }
}

Test(monte_carlo, too_short_or_unordered_tails_have_no_shape)
{
    static const double few[] = {1, 2, 3}, zeros[] = {0, 0, 0, 0, 0, 0},
                        endless[] = {1, 2, 3, 4, 5, HUGE_VAL};
    cr_expect(isnan(ev_pareto_shape(few, 3)));
    cr_expect(isnan(ev_pareto_shape(zeros, 6)));
    cr_expect(isnan(ev_pareto_shape(endless, 6)));
    cr_expect(isnan(ev_pareto_shape(few, 0)));
}

Test(monte_carlo, a_draw_that_is_not_a_number_spoils_the_mean)
{
    static const double at[] = {-5, 0, 3.9};
    for (size_t i = 0; i < 3; i++) {
        ev_sample_summary v = sample_of(nan_beyond, at[i], 1, 200000);
        cr_expect(isnan(v.mean) && isnan(v.khat));
        cr_expect_eq(ev_sample_half_width(&v, 0.01), HUGE_VAL);
    }
}

Test(monte_carlo, an_infinite_draw_spoils_the_mean)
{
    watched w = watch(1, constant, HUGE_VAL);
    cr_expect(isnan(sample(&w, 1, 100, 1).mean));
}

Test(monte_carlo, one_draw_has_a_mean_and_no_variance)
{
    ev_sample_summary v = sample_of(constant, 2, 1, 1);
    cr_expect(v.mean == 2 && isnan(v.variance));
    cr_expect_eq(ev_sample_half_width(&v, 0.05), HUGE_VAL);
}

Test(monte_carlo, stopping_is_unfit_and_no_draws_are_bad_input)
{
    static const size_t stops[] = {1, 16000, 17000, 40000};
    ev_stream s = ev_stream_make(1, 1, 1, 1);
    ev_sample_summary v;
    for (size_t i = 0; i < 4; i++) {
        watched w = watch(1, identity, 1);
        w.stop_at = stops[i];
        cr_expect_eq(ev_monte_carlo_expect(1, watched_integrand, &w, 1, &s, 50000, 1, &v),
                     EV_UNFIT);
        cr_expect_lt(w.points, stops[i] + EV_BLOCK);
    }
    watched w = watch(1, identity, 1);
    cr_expect_eq(ev_monte_carlo_expect(1, watched_integrand, &w, 1, &s, 0, 1, &v), EV_BAD_INPUT);
}

Test(monte_carlo, without_coordinates_the_function_is_constant)
{
    watched w = watch(0, constant, 4);
    ev_sample_summary v = sample(&w, 1, 1000, 1);
    cr_expect(v.mean == 4 && v.variance == 0);
}
