#include "probability/kl_estimators.h"

#include "oracle.h"
#include "probability/gaussian.h"
#include "probability/log_space.h"

#include <criterion/criterion.h>

static const ev_kl_estimator KINDS[] = {EV_KL_K1, EV_KL_K2, EV_KL_K3};

typedef struct {
    double mu_q, sigma_q, mu, sigma;
    ev_kl_estimator kind;
    double centre;
} setting;

#define NEAR(a, b, relative, absolute, g)                                                      \
    cr_assert(oracle_close((a), (b), (relative), (absolute)),                                  \
              "%s: %.17g is not %.17g at q = N(%g, %g^2), p = N(%g, %g^2)",                    \
              ev_kl_estimator_name((g).kind), (double)(a), (double)(b), (g).mu_q, (g).sigma_q, \
              (g).mu, (g).sigma)

static double log_r_at(const setting *g, double x)
{
    return ev_gaussian_scalar_log_density(x, g->mu, g->sigma) -
           ev_gaussian_scalar_log_density(x, g->mu_q, g->sigma_q);
}

static double value(double eps, void *context)
{
    const setting *g = context;
    return ev_kl_estimator_value(g->kind, log_r_at(g, g->mu_q + g->sigma_q * eps));
}

static double squared_deviation(double eps, void *context)
{
    const setting *g = context;
    const double deviation = value(eps, context) - g->centre;
    return deviation * deviation;
}

/* d k/d mu_q at fixed x, by the chain rule through log r: d log r/d mu_q = -eps/sigma_q. */
static double loss_slope(double eps, void *context)
{
    const setting *g = context;
    const double log_r = log_r_at(g, g->mu_q + g->sigma_q * eps), slope = -eps / g->sigma_q;
    switch (g->kind) {
    case EV_KL_K1: return -slope;
    case EV_KL_K2: return log_r * slope;
    default: return expm1(log_r) * slope;
    }
}

/* Moderate settings, so that r^2's tilt stays inside the oracle's radius: with
 * 2 sigma_q^2/sigma^2 - 1 >= 0.44, exp(-0.22 eps^2 + ...) is spent at 24. */
static setting draw(uint64_t *state, size_t round, ev_kl_estimator kind)
{
    const double sigma = oracle_scale(state, round);
    const double ratio = round < 3 ? 1.0 : oracle_uniform(state, 0.85, 1.8);
    const double shift = round == 1 ? 0.0 : oracle_uniform(state, -1.0, 1.0);
    const double mu = oracle_location(state, round % 6);
    return (setting){mu + shift * sigma, ratio * sigma, mu, sigma, kind, 0.0};
}

Test(kl_estimators, means_and_variances_are_those_of_the_integrals)
{
    uint64_t state = 1;
    for (size_t round = 0; round < oracle_rounds(30); round++)
        for (size_t k = 0; k < 3; k++) {
            setting g = draw(&state, round, KINDS[k]);
            const double mean = oracle_expect(value, &g);
            NEAR(ev_kl_estimator_mean(g.kind, g.mu_q, g.sigma_q, g.mu, g.sigma), mean, 1e-10, 1e-13,
                 g);
            g.centre = mean;
            NEAR(ev_kl_estimator_variance(g.kind, g.mu_q, g.sigma_q, g.mu, g.sigma),
                 oracle_expect(squared_deviation, &g), 1e-9, 1e-13, g);
        }
}

Test(kl_estimators, loss_gradients_are_those_of_the_integrals)
{
    uint64_t state = 2;
    for (size_t round = 0; round < oracle_rounds(30); round++)
        for (size_t k = 0; k < 3; k++) {
            setting g = draw(&state, round, KINDS[k]);
            NEAR(ev_kl_estimator_loss_gradient(g.kind, g.mu_q, g.sigma_q, g.mu, g.sigma),
                 oracle_expect(loss_slope, &g), 1e-10, 1e-11, g);
        }
}

Test(kl_estimators, mean_gradients_are_the_slopes_of_the_means)
{
    uint64_t state = 3;
    for (size_t round = 0; round < oracle_rounds(30); round++)
        for (size_t k = 0; k < 3; k++) {
            const setting g = draw(&state, round, KINDS[k]);
            const double h = 1e-5 * g.sigma;
            const double up = ev_kl_estimator_mean(g.kind, g.mu_q + h, g.sigma_q, g.mu, g.sigma);
            const double down = ev_kl_estimator_mean(g.kind, g.mu_q - h, g.sigma_q, g.mu, g.sigma);
            NEAR(ev_kl_estimator_mean_gradient(g.kind, g.mu_q, g.sigma_q, g.mu, g.sigma),
                 (up - down) / (2.0 * h), 1e-7, 1e-7 / g.sigma, g);
        }
}

/* What each loss descends, by its name; k1 nothing, k3 the other direction. */
Test(kl_estimators, only_k2_as_a_loss_descends_the_kl_it_estimates)
{
    const double mu_q = 0.3, sigma_q = 0.8, mu = 1.1, sigma = 1.4;
    double own, other, h = 1e-6;
    ev_gaussian_kl_gradient(1, &mu_q, &sigma_q, &mu, &sigma, &own, NULL);
    other = (ev_gaussian_scalar_kl(mu, sigma, mu_q + h, sigma_q) -
             ev_gaussian_scalar_kl(mu, sigma, mu_q - h, sigma_q)) /
            (2.0 * h);
    cr_assert(ev_kl_estimator_loss_gradient(EV_KL_K1, mu_q, sigma_q, mu, sigma) == 0.0);
    const double k2 = ev_kl_estimator_loss_gradient(EV_KL_K2, mu_q, sigma_q, mu, sigma);
    const double k3 = ev_kl_estimator_loss_gradient(EV_KL_K3, mu_q, sigma_q, mu, sigma);
    cr_assert(oracle_close(k2, own, 1e-14, 0.0));
    cr_assert(oracle_close(k3, other, 1e-8, 0.0));
    cr_assert(fabs(k3 - own) > 0.5, "a k3 that descended its own direction would be a mistake");
}

/* The table of Schulman's note: bias and standard deviation over the true KL, as printed. */
static void published(double mu, double kl, const double *bias, const double *deviation,
                      const double *digits)
{
    cr_assert(oracle_close(ev_gaussian_scalar_kl(0.0, 1.0, mu, 1.0), kl, 1e-14, 0.0));
    for (size_t k = 0; k < 3; k++) {
        const double mean = ev_kl_estimator_mean(KINDS[k], 0.0, 1.0, mu, 1.0);
        const double variance = ev_kl_estimator_variance(KINDS[k], 0.0, 1.0, mu, 1.0);
        const double relative = (mean - kl) / kl, spread = sqrt(variance) / kl;
        cr_assert(fabs(relative - bias[k]) <= digits[2 * k] * (1.0 + 1e-9), "k%zu bias %g", k + 1,
                  relative);
        cr_assert(fabs(spread - deviation[k]) <= digits[2 * k + 1], "k%zu deviation %g", k + 1,
                  spread);
    }
}

Test(kl_estimators, the_published_table_is_reproduced_to_its_printed_digits)
{
    /* Half a unit of the last printed place; the exact bias of k2 at mu = 0.1 is 0.0025. */
    published(0.1, 0.005, (double[]){0.0, 0.002, 0.0}, (double[]){20.0, 1.42, 1.42},
              (double[]){1e-12, 0.5, 0.0005, 0.005, 1e-12, 0.005});
    published(1.0, 0.5, (double[]){0.0, 0.25, 0.0}, (double[]){2.0, 1.73, 1.7},
              (double[]){1e-12, 0.005, 0.005, 0.005, 1e-12, 0.05});
}

Test(kl_estimators, at_equal_scales_the_variances_have_their_elementary_forms)
{
    for (double d = 1e-9; d < 4.0; d *= 3.0) {
        const double d2 = d * d, kl = 0.5 * d2;
        const double k1 = ev_kl_estimator_variance(EV_KL_K1, d, 1.0, 0.0, 1.0);
        const double k2 = ev_kl_estimator_variance(EV_KL_K2, d, 1.0, 0.0, 1.0);
        const double k3 = ev_kl_estimator_variance(EV_KL_K3, d, 1.0, 0.0, 1.0);
        cr_assert(oracle_close(k1, d2, 1e-14, 0.0));
        cr_assert(oracle_close(k2, 0.5 * d2 * d2 + d2 * kl * kl, 1e-13, 0.0));
        /* e^(d^2) - 1 - d^2 */
        const double series = d2 * d2 / 2.0 + d2 * d2 * d2 / 6.0 + pow(d2, 4) / 24.0;
        const double k3_alone = d < 0.02 ? series : expm1(d2) - d2;
        cr_assert(oracle_close(k3, k3_alone, 1e-11, 0.0), "d %g: %.17g %.17g", d, k3, k3_alone);
    }
}

Test(kl_estimators, near_equality_k3_varies_as_seven_eighths_of_the_fourth_power)
{
    /* log r is about w (1 - eps^2)/2, and Var((1 - eps^2)^2) = 56. */
    for (double w = 1e-2; w > 1e-9; w *= 0.1) {
        const double sigma_q = sqrt(1.0 + w), exact = sigma_q * sigma_q - 1.0;
        const double variance = ev_kl_estimator_variance(EV_KL_K3, 0.0, sigma_q, 0.0, 1.0);
        cr_assert(oracle_close(variance, 0.875 * pow(exact, 4), 20.0 * w + 1e-6, 0.0), "w %g: %g",
                  w, variance / pow(exact, 4));
    }
}

Test(kl_estimators, the_variance_of_k3_is_smooth_where_its_two_forms_meet)
{
    for (int side = -1; side <= 1; side += 2) {
        const double w = 0.1 * side, h = 1e-12;
        const double inside = ev_kl_estimator_variance(EV_KL_K3, 0.0, sqrt(1.0 + w * (1.0 - h)),
                                                       0.0, 1.0);
        const double outside = ev_kl_estimator_variance(EV_KL_K3, 0.0, sqrt(1.0 + w * (1.0 + h)),
                                                        0.0, 1.0);
        cr_assert(oracle_close(inside, outside, 1e-10, 0.0), "%.17g %.17g", inside, outside);
    }
}

Test(kl_estimators, k3_has_a_variance_only_when_q_is_wide_enough)
{
    const double edge = sqrt(0.5);
    cr_assert(ev_kl_estimator_variance(EV_KL_K3, 0.0, edge * 0.9999, 0.0, 1.0) == HUGE_VAL);
    cr_assert(isfinite(ev_kl_estimator_variance(EV_KL_K3, 0.0, edge * 1.0001, 0.0, 1.0)));
    cr_assert(isfinite(ev_kl_estimator_mean(EV_KL_K3, 0.0, 0.1, 0.0, 1.0)), "though always a mean");
    cr_assert(isfinite(ev_kl_estimator_variance(EV_KL_K2, 0.0, 0.1, 0.0, 1.0)));
}

Test(kl_estimators, values_are_safe_at_the_ends)
{
    cr_assert(ev_kl_estimator_value(EV_KL_K3, 0.0) == 0.0);
    for (size_t k = 0; k < 3; k++)
        cr_assert(ev_kl_estimator_value(KINDS[k], -HUGE_VAL) == HUGE_VAL);
    cr_assert(ev_kl_estimator_value(EV_KL_K1, HUGE_VAL) == -HUGE_VAL);
    cr_assert(ev_kl_estimator_value(EV_KL_K3, HUGE_VAL) == HUGE_VAL, "not infinity minus itself");
    cr_assert(ev_kl_estimator_value(EV_KL_K3, 1e4) == HUGE_VAL);
    for (double l = -5.0; l < 5.0; l += 0.1)
        cr_assert(ev_kl_estimator_value(EV_KL_K3, l) >= 0.0);
}

Test(kl_estimators, every_nan_and_every_negative_sigma_is_answered_with_nan)
{
    typedef double (*quantity)(ev_kl_estimator, double, double, double, double);
    const quantity all[] = {ev_kl_estimator_mean, ev_kl_estimator_variance,
                            ev_kl_estimator_loss_gradient, ev_kl_estimator_mean_gradient};
    for (size_t k = 0; k < 3; k++)
        for (size_t f = 0; f < 4; f++)
            for (size_t i = 0; i < 6; i++) {
                double a[] = {0.1, 1.5, 0.2, 0.7};
                a[i < 4 ? i : 2 * i - 7] = i < 4 ? (double)NAN : -1.0;
                cr_assert(isnan(all[f](KINDS[k], a[0], a[1], a[2], a[3])), "%zu %zu %zu", k, f, i);
            }
}

Test(kl_estimators, one_point_mass_gives_the_limits)
{
    /* log r = log(sigma_q) + ... falls without bound as sigma_q -> 0; its spread does not. */
    for (size_t k = 0; k < 3; k++) {
        cr_assert(ev_kl_estimator_mean(KINDS[k], 0.3, 0.0, 0.0, 1.0) == HUGE_VAL);
        cr_assert(ev_kl_estimator_mean(KINDS[k], 0.3, 1.0, 0.0, 0.0) == HUGE_VAL);
        cr_assert(ev_kl_estimator_variance(KINDS[k], 0.3, 1.0, 0.0, 0.0) == HUGE_VAL);
        if (KINDS[k] != EV_KL_K1)
            cr_assert(ev_kl_estimator_variance(KINDS[k], 0.3, 0.0, 0.0, 1.0) == HUGE_VAL);
    }
    cr_assert(ev_kl_estimator_variance(EV_KL_K2, 0.3, 1e-30, 0.0, 1.0) > 2000.0);
    cr_assert(ev_kl_estimator_loss_gradient(EV_KL_K2, 1.0, 1.0, 0.0, 0.0) == HUGE_VAL);
    cr_assert(ev_kl_estimator_loss_gradient(EV_KL_K3, -1.0, 0.0, 0.0, 1.0) == -HUGE_VAL);
    cr_assert(ev_kl_estimator_loss_gradient(EV_KL_K3, 0.0, 0.0, 0.0, 1.0) == 0.0);
    cr_assert(ev_kl_estimator_mean_gradient(EV_KL_K2, 1.0, 1.0, 0.0, 0.0) == HUGE_VAL);
}

Test(kl_estimators, point_masses_and_extremes_never_give_nan_where_a_limit_exists)
{
    static const double values[] = {0.0, 1.0, 1e150, 1e-150, 1e308, 5e-324};
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < 1296; i++) {
            const setting g = {values[i % 6],   values[i / 6 % 6], values[i / 36 % 6],
                               values[i / 216], KINDS[k],          0.0};
            if (!(g.sigma_q > 0.0 || g.sigma > 0.0)) {
                cr_assert(isnan(ev_kl_estimator_mean(g.kind, g.mu_q, 0.0, g.mu, 0.0)));
                continue;
            }
            const double results[] = {
                ev_kl_estimator_mean(g.kind, g.mu_q, g.sigma_q, g.mu, g.sigma),
                ev_kl_estimator_variance(g.kind, g.mu_q, g.sigma_q, g.mu, g.sigma),
                ev_kl_estimator_loss_gradient(g.kind, g.mu_q, g.sigma_q, g.mu, g.sigma),
                ev_kl_estimator_mean_gradient(g.kind, g.mu_q, g.sigma_q, g.mu, g.sigma)};
            for (size_t r = 0; r < 4; r++)
                NEAR(isnan(results[r]), 0, 0.0, 0.0, g);
        }
    cr_assert(
        oracle_close(ev_kl_estimator_variance(EV_KL_K1, 0.0, 0.0, 3.0, 1.0), 0.5, 1e-15, 0.0));
}
