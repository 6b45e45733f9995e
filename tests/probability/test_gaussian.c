#include "probability/gaussian.h"

#include "oracle.h"
#include "probability/log_space.h"

#include <criterion/criterion.h>

typedef struct {
    double mu_q, sigma_q, mu, sigma;
} pair;

static pair draw(uint64_t *state, size_t round)
{
    return (pair){.mu_q = oracle_location(state, round % 7),
                  .sigma_q = oracle_scale(state, round % 5),
                  .mu = oracle_location(state, round % 6),
                  .sigma = oracle_scale(state, round)};
}

#define SAME(a, b, relative, absolute, g)                                                         \
    cr_assert(oracle_close((a), (b), (relative), (absolute)),                                     \
              "%.17g is not %.17g at q = N(%g, %g^2), p = N(%g, %g^2)", (double)(a), (double)(b), \
              (g).mu_q, (g).sigma_q, (g).mu, (g).sigma)

static double density_at_p(double eps, void *context)
{
    const pair *g = context;
    return ev_gaussian_scalar_log_density(g->mu_q + g->sigma_q * eps, g->mu, g->sigma);
}

static double density_at_q(double eps, void *context)
{
    const pair *g = context;
    return ev_gaussian_scalar_log_density(g->mu_q + g->sigma_q * eps, g->mu_q, g->sigma_q);
}

static double density(double x, void *context)
{
    const pair *g = context;
    return g->sigma * exp(ev_gaussian_scalar_log_density(g->mu + g->sigma * x, g->mu, g->sigma));
}

Test(gaussian, the_density_integrates_to_one)
{
    uint64_t state = 1;
    for (size_t round = 0; round < oracle_rounds(20); round++) {
        pair g = draw(&state, round);
        SAME(oracle_integrate(density, &g, 24.0), 1.0, 1e-12, 0.0, g);
    }
}

Test(gaussian, cross_entropy_is_the_expected_log_density)
{
    uint64_t state = 2;
    for (size_t round = 0; round < oracle_rounds(40); round++) {
        pair g = draw(&state, round);
        SAME(ev_gaussian_cross_entropy(1, &g.mu_q, &g.sigma_q, &g.mu, &g.sigma),
             oracle_expect(density_at_p, &g), 1e-11, 1e-12, g);
    }
}

Test(gaussian, entropy_is_minus_the_expected_log_density)
{
    uint64_t state = 3;
    for (size_t round = 0; round < oracle_rounds(40); round++) {
        pair g = draw(&state, round);
        SAME(ev_gaussian_entropy(1, &g.sigma_q), -oracle_expect(density_at_q, &g), 1e-11, 1e-12, g);
    }
}

Test(gaussian, kl_is_minus_entropy_minus_cross_entropy)
{
    uint64_t state = 4;
    for (size_t round = 0; round < oracle_rounds(300); round++) {
        pair g = draw(&state, round);
        const double kl = ev_gaussian_kl(1, &g.mu_q, &g.sigma_q, &g.mu, &g.sigma);
        const double difference = -ev_gaussian_entropy(1, &g.sigma_q) -
                                  ev_gaussian_cross_entropy(1, &g.mu_q, &g.sigma_q, &g.mu,
                                                            &g.sigma);
        SAME(kl, difference, 1e-12, 1e-14, g);
        cr_assert(kl >= 0.0);
        cr_assert(ev_gaussian_kl(1, &g.mu, &g.sigma, &g.mu, &g.sigma) == 0.0);
    }
}

Test(gaussian, kl_of_neighbours_keeps_its_digits)
{
    for (double h = 1e-3; h > 1e-12; h *= 1e-3) { /* log(1/(1+h)) + ((1+h)^2 - 1)/2 */
        const double sigma = 1.0 + h, step = sigma - 1.0;
        const double series = step * step - step * step * step / 3.0 + pow(step, 4) / 4.0;
        cr_assert(oracle_close(ev_gaussian_scale_kl(sigma, 1.0), series, 1e-8, 0.0));
    }
}

Test(gaussian, kl_is_invariant_under_relabelling_shift_and_scale)
{
    const double mu_q[] = {0.3, -1.0, 2.0}, sigma_q[] = {0.5, 1.5, 2.5};
    const double mu[] = {0.1, 0.2, -0.3}, sigma[] = {1.1, 0.7, 3.0};
    const double kl = ev_gaussian_kl(3, mu_q, sigma_q, mu, sigma);
    double a[3], b[3], c[3], d[3];
    for (size_t j = 0; j < 3; j++) {
        const size_t k = (j + 1) % 3;
        a[j] = 7.0 - 4.0 * mu_q[k];
        b[j] = 4.0 * sigma_q[k];
        c[j] = 7.0 - 4.0 * mu[k];
        d[j] = 4.0 * sigma[k];
    }
    cr_assert(oracle_close(ev_gaussian_kl(3, a, b, c, d), kl, 1e-14, 0.0));
    cr_assert(fabs(ev_gaussian_kl(3, mu, sigma, mu_q, sigma_q) - kl) > 0.1,
              "the two directions must differ at a generic point");
}

Test(gaussian, dimensions_add_up_and_none_gives_zero)
{
    const double mu_q[] = {0.3, -1.0}, sigma_q[] = {0.5, 1.5};
    const double mu[] = {0.1, 0.2}, sigma[] = {1.1, 0.7};
    const double sum = ev_gaussian_scalar_cross_entropy(0.3, 0.5, 0.1, 1.1) +
                       ev_gaussian_scalar_cross_entropy(-1.0, 1.5, 0.2, 0.7);
    cr_assert(
        oracle_close(ev_gaussian_cross_entropy(2, mu_q, sigma_q, mu, sigma), sum, 1e-15, 0.0));
    cr_assert(ev_gaussian_log_density(0, NULL, NULL, NULL) == 0.0);
    cr_assert(ev_gaussian_entropy(0, NULL) == 0.0);
    cr_assert(ev_gaussian_kl(0, NULL, NULL, NULL, NULL) == 0.0);
}

Test(gaussian, known_values_to_the_last_digit)
{
    cr_assert(oracle_close(ev_gaussian_scalar_log_density(0.0, 0.0, 1.0), -0.91893853320467274,
                           1e-16, 0.0));
    cr_assert(oracle_close(ev_gaussian_scalar_entropy(1.0), 1.4189385332046727, 1e-15, 0.0));
    cr_assert(oracle_close(ev_gaussian_scalar_kl(0.0, 1.0, 1.0, 1.0), 0.5, 1e-15, 0.0));
    cr_assert(
        oracle_close(ev_gaussian_scalar_kl(0.0, 1.0, 0.0, 2.0), log(2.0) - 0.375, 1e-15, 0.0));
}

Test(gaussian, log_variance_forms_agree_with_those_of_the_standard_deviation)
{
    uint64_t state = 5;
    const double zero = 0.0, one = 1.0;
    for (size_t round = 0; round < oracle_rounds(200); round++) {
        pair g = draw(&state, round);
        const double log_var = 2.0 * log(g.sigma), log_var_q = 2.0 * log(g.sigma_q);
        SAME(ev_gaussian_log_density_log_var(1, &g.mu_q, &g.mu, &log_var),
             ev_gaussian_log_density(1, &g.mu_q, &g.mu, &g.sigma), 1e-13, 1e-14, g);
        SAME(ev_gaussian_kl_to_standard(1, &g.mu_q, &log_var_q),
             ev_gaussian_kl(1, &g.mu_q, &g.sigma_q, &zero, &one), 1e-13, 1e-14, g);
    }
    const double wide = 3000.0, narrow = -3000.0;
    cr_assert(oracle_close(ev_gaussian_log_density_log_var(1, &zero, &zero, &narrow),
                           1500.0 - 0.5 * EV_LOG_2PI, 1e-14, 0.0));
    cr_assert(oracle_close(ev_gaussian_log_density_log_var(1, &one, &zero, &wide),
                           -1500.0 - 0.5 * EV_LOG_2PI, 1e-14, 0.0));
    cr_assert(ev_gaussian_log_density_log_var(1, &one, &zero, &narrow) == -HUGE_VAL);
}

Test(gaussian, gradients_are_the_slopes_of_their_functions)
{
    uint64_t state = 6;
    const double h = 1e-5;
    for (size_t round = 0; round < oracle_rounds(60); round++) {
        pair g = draw(&state, round);
        double by_mu, by_sigma, score;
        ev_gaussian_kl_gradient(1, &g.mu_q, &g.sigma_q, &g.mu, &g.sigma, &by_mu, &by_sigma);
        ev_gaussian_score(1, &g.mu_q, &g.mu, &g.sigma, &score);
        const double slope_mu = (ev_gaussian_scalar_kl(g.mu_q + h, g.sigma_q, g.mu, g.sigma) -
                                 ev_gaussian_scalar_kl(g.mu_q - h, g.sigma_q, g.mu, g.sigma)) /
                                (2.0 * h);
        const double slope_sigma = (ev_gaussian_scalar_kl(g.mu_q, g.sigma_q + h, g.mu, g.sigma) -
                                    ev_gaussian_scalar_kl(g.mu_q, g.sigma_q - h, g.mu, g.sigma)) /
                                   (2.0 * h);
        const double slope = (ev_gaussian_scalar_log_density(g.mu_q + h, g.mu, g.sigma) -
                              ev_gaussian_scalar_log_density(g.mu_q - h, g.mu, g.sigma)) /
                             (2.0 * h);
        /* O(h^2 f''') truncation, and 1e-16 |f| / h rounding. */
        SAME(by_mu, slope_mu, 1e-7, 1e-7, g);
        SAME(by_sigma, slope_sigma, 1e-6, 1e-7, g);
        SAME(score, slope, 1e-7, 1e-7, g);
    }
}

Test(gaussian, point_masses_have_the_values_the_header_promises)
{
    const double x[] = {0.0, 1.0}, mu[] = {0.0, 0.0}, sigma[] = {0.0, 0.0}, some[] = {1.0, 0.0};
    cr_assert(ev_gaussian_log_density(1, x, mu, sigma) == HUGE_VAL);
    cr_assert(ev_gaussian_log_density(2, x, mu, sigma) == -HUGE_VAL);
    cr_assert(ev_gaussian_entropy(2, some) == -HUGE_VAL);
    cr_assert(ev_gaussian_cross_entropy(2, mu, some, mu, sigma) == -HUGE_VAL);
    cr_assert(ev_gaussian_cross_entropy(2, mu, some, mu, some) == HUGE_VAL);
    cr_assert(ev_gaussian_cross_entropy(2, x, sigma, mu, some) == -HUGE_VAL);
    cr_assert(ev_gaussian_kl(2, mu, some, mu, some) == 0.0);
    cr_assert(ev_gaussian_kl(2, x, some, mu, some) == HUGE_VAL);
    cr_assert(ev_gaussian_scalar_kl(0.0, 0.0, 0.0, 1.0) == HUGE_VAL);
    cr_assert(ev_gaussian_scalar_kl(0.0, 1.0, 0.0, 0.0) == HUGE_VAL);
    cr_assert(isnan(ev_gaussian_scalar_kl(0.0, 1.0, 0.0, -1.0)));
    cr_assert(isnan(ev_gaussian_scalar_log_density((double)NAN, 0.0, 0.0)));
}

Test(gaussian, every_nan_and_every_negative_sigma_is_answered_with_nan)
{
    for (unsigned k = 0; k < 6; k++) {
        double a[] = {0.1, 1.5, 0.2, 0.7};
        a[k < 4 ? k : 2 * k - 7] = k < 4 ? (double)NAN : -1.0; /* 4: sigma_q, 5: sigma */
        cr_assert(isnan(ev_gaussian_scalar_cross_entropy(a[0], a[1], a[2], a[3])), "%u", k);
        cr_assert(isnan(ev_gaussian_scalar_kl(a[0], a[1], a[2], a[3])), "%u", k);
        a[3] = k == 3 || k == 5 ? a[3] : 0.0; /* a point mass hides nothing */
        cr_assert(isnan(ev_gaussian_scalar_cross_entropy(a[0], a[1], a[2], a[3])), "%u", k);
        cr_assert(isnan(ev_gaussian_scalar_kl(a[0], a[1], a[2], a[3])), "%u", k);
    }
    cr_assert(isnan(ev_gaussian_scale_kl(-1.0, 1.0)) && isnan(ev_gaussian_scale_kl(0.0, -1.0)));
    cr_assert(isnan(ev_gaussian_scalar_entropy(-1.0)));
}

Test(gaussian, extreme_but_finite_input_never_gives_nan)
{
    static const double values[] = {0.0, 1.0, -1.7e308, 1.7e308, 1e-308, 5e-324, 1e200};
    for (size_t a = 0; a < 7; a++)
        for (size_t b = 0; b < 7; b++)
            for (size_t c = 0; c < 7; c++)
                for (size_t d = 0; d < 7; d++) {
                    const pair g = {values[a], fabs(values[b]), values[c], fabs(values[d])};
                    SAME(isnan(ev_gaussian_scalar_kl(g.mu_q, g.sigma_q, g.mu, g.sigma)), 0, 0.0,
                         0.0, g);
                    SAME(isnan(ev_gaussian_scalar_cross_entropy(g.mu_q, g.sigma_q, g.mu, g.sigma)),
                         0, 0.0, 0.0, g);
                }
    cr_assert(oracle_close(ev_gaussian_scalar_log_density(1.5e308, -1.5e308, 0.5e308),
                           -0.5 * EV_LOG_2PI - log(0.5e308) - 18.0, 1e-15, 0.0));
}

/* Lines that were published, each at a point where it shows. */
Test(gaussian, published_wrong_forms_of_the_vae_kl_are_not_what_we_return)
{
    const double mu[] = {0.3, -0.7}, log_var[] = {0.5, -1.2};
    double plus = 0.0, twice = 0.0, as_sd = 0.0, mean = 0.0, right = 0.0;
    for (size_t j = 0; j < 2; j++) {
        const double var = exp(log_var[j]), mu2 = mu[j] * mu[j];
        right += 0.5 * (mu2 + var - 1.0 - log_var[j]);
        plus += 0.5 * (mu2 + var - 1.0 + log_var[j]);
        twice += 0.5 * (mu2 + var - 1.0 - 2.0 * log_var[j]);
        as_sd += 0.5 * (mu2 + var * var - 1.0 - 2.0 * log_var[j]);
        mean += 0.25 * (mu2 + var - 1.0 - log_var[j]);
    }
    const double ours = ev_gaussian_kl_to_standard(2, mu, log_var);
    cr_assert(oracle_close(ours, right, 1e-14, 0.0));
    const double wrong[] = {plus, twice, as_sd, mean, -right, right / 784.0};
    for (size_t i = 0; i < 6; i++)
        cr_assert(fabs(ours - wrong[i]) > 0.05, "wrong form %zu", i);
}

Test(gaussian, a_squared_error_without_its_half_is_not_a_log_likelihood)
{
    const double x[] = {0.2, 1.5}, mean[] = {0.0, 0.5}, one[] = {1.0, 1.0};
    const double square = 0.04 + 1.0;
    const double ours = ev_gaussian_log_density(2, x, mean, one) + EV_LOG_2PI;
    cr_assert(oracle_close(ours, -0.5 * square, 1e-14, 0.0));
    cr_assert(fabs(ours + square) > 0.5);
}

Test(gaussian, draws_have_the_moments_and_do_not_depend_on_how_they_are_asked_for)
{
    enum { N = 100000 };
    static double x[N * 2], part[10 * 2];
    const double mu[] = {1.0, -2.0}, sigma[] = {0.5, 3.0};
    const ev_stream stream = ev_stream_make(7, 11, 0, 0);
    ev_gaussian_sample(&stream, 0, N, 2, mu, sigma, x);
    ev_gaussian_sample(&stream, 1234, 10, 2, mu, sigma, part);
    for (size_t i = 0; i < 20; i++)
        cr_assert(part[i] <= x[2468 + i] && part[i] >= x[2468 + i]);
    for (size_t j = 0; j < 2; j++) {
        double sum = 0.0, square = 0.0, cross = 0.0;
        for (size_t i = 0; i < N; i++) {
            const double eps = (x[2 * i + j] - mu[j]) / sigma[j];
            sum += eps;
            square += eps * eps;
            cross += eps * (x[2 * i + 1 - j] - mu[1 - j]) / sigma[1 - j];
        }
        /* Fixed stream; 6 standard errors of a correct sampler. */
        cr_assert(fabs(sum / N) < 6.0 / sqrt(N), "mean %zu off by %g", j, sum / N);
        cr_assert(fabs(square / N - 1.0) < 6.0 * sqrt(2.0 / N), "variance %zu", j);
        cr_assert(fabs(cross / N) < 6.0 / sqrt(N), "correlation");
    }
}

/* A telescoping sum of intervals from -infinity to infinity, narrow and wide ones, far out too. */
Test(gaussian, the_masses_of_intervals_add_up_to_one)
{
    uint64_t state = 11;
    for (size_t round = 0; round < oracle_rounds(20); round++) {
        const pair g = draw(&state, round);
        const size_t cells = 3 + 50 * (round % 6);
        double sum = 0;
        for (size_t k = 0; k <= cells; k++) {
            double low = k == 0 ? -HUGE_VAL : g.mu_q + (double)(k - 1) / (double)cells;
            double high = k == cells ? HUGE_VAL : g.mu_q + (double)k / (double)cells;
            sum += exp(ev_gaussian_scalar_log_mass(low, high, g.mu, g.sigma));
        }
        SAME(sum, 1.0, 1e-13, 0.0, g);
    }
}

/* The integral of the density over the interval, scaled by its largest value there, to either side of
 * the mean and across it; far out, where the mass itself is no double any more, too. */
Test(gaussian, the_mass_of_an_interval_is_the_integral_of_its_density)
{
    static const double ends[][2] = {{-0.3, 0.9}, {2, 2.01}, {-7, -6.5},    {5, 9},   {-60, -59},
                                     {200, 201},  {0, 1e-6}, {-1e-3, 1e-3}, {-9, 40}, {50, 50.001}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        for (double sigma = 0.25; sigma < 5; sigma *= 4) {
            const double low = ends[i][0], high = ends[i][1], mu = 0.125;
            double nearest = low > mu ? low : high < mu ? high : mu;
            double top = ev_gaussian_scalar_log_density(nearest, mu, sigma), sum = 0;
            /* Where the density has fallen by e^-800 nothing is left to be added up. */
            double reach = 40 * sigma, from = fmax(low, nearest - reach),
                   to = fmin(high, nearest + reach);
            const size_t cells = 200000;
            for (size_t k = 0; k <= cells; k++) {
                double x = from + (to - from) * (double)k / (double)cells;
                double weight = k == 0 || k == cells ? 1 : k % 2 == 1 ? 4 : 2;
                sum += weight * exp(ev_gaussian_scalar_log_density(x, mu, sigma) - top);
            }
            double wanted = top + log(sum * (to - from) / (3 * (double)cells));
            double found = ev_gaussian_scalar_log_mass(low, high, mu, sigma);
            cr_expect(fabs(found - wanted) <= 1e-9 * fmax(1, fabs(wanted)),
                      "%.15g for %.15g on [%g, %g], sigma %g", found, wanted, low, high, sigma);
        }
}

/* No double, and still the right side of what is known: of nothing, of everything, of a sliver. */
Test(gaussian, masses_have_their_limits)
{
    cr_expect_eq(ev_gaussian_scalar_log_mass(1e200, 2e200, 0, 1), -HUGE_VAL);
    cr_expect_eq(ev_gaussian_scalar_log_mass(1e-3, 2e-3, 0, 1e-300), -HUGE_VAL);
    cr_expect_eq(ev_gaussian_scalar_log_mass(-HUGE_VAL, HUGE_VAL, 3, 2), 0);
    cr_expect_eq(ev_gaussian_scalar_log_mass(-1, 1, 0, 1e-300), 0);
    cr_expect_float_eq(ev_gaussian_scalar_log_mass(0, 1 / 255.0, 0, 1e13),
                       -log(255e13) - 0.5 * EV_LOG_2PI, 1e-14);
    cr_expect_float_eq(ev_gaussian_scalar_log_mass(2e5, HUGE_VAL, 0, 1),
                       -0.5 * 4e10 - log(2e5) - 0.5 * EV_LOG_2PI, 1e-5);
    cr_expect(isnan(ev_gaussian_scalar_log_mass(0, 1, (double)NAN, 1)));
}
