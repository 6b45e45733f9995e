#include "probability/gaussian_full.h"

#include "oracle.h"
#include "probability/gaussian.h"
#include "probability/log_space.h"

#include <criterion/criterion.h>

#define NEAR(a, b, tolerance)                                                                      \
    cr_assert(oracle_close((a), (b), (tolerance), (tolerance)), "%.17g is not %.17g", (double)(a), \
              (double)(b))

/* A second route to the log density in two dimensions: Sigma, its determinant and its
 * inverse written out. */
static double log_density_by_sigma(const double *x, const double *mu, const double *L)
{
    const double a = L[0] * L[0], b = L[0] * L[2], c = L[2] * L[2] + L[3] * L[3];
    const double det = a * c - b * b, u = x[0] - mu[0], v = x[1] - mu[1];
    return -EV_LOG_2PI - 0.5 * log(det) - 0.5 * (c * u * u - 2.0 * b * u * v + a * v * v) / det;
}

typedef struct {
    double mu_q[2], L_q[4], mu[2], L[4];
} pair;

static void draw_L(uint64_t *state, size_t round, double *L)
{
    L[0] = oracle_scale(state, round);
    L[1] = (double)NAN; /* never read */
    L[2] = oracle_location(state, round);
    L[3] = oracle_scale(state, round + 1);
}

static pair draw(uint64_t *state, size_t round)
{
    pair g = {.mu_q = {oracle_location(state, round), oracle_location(state, round + 1)},
              .mu = {oracle_location(state, round + 2), oracle_location(state, round)}};
    draw_L(state, round, g.L_q);
    draw_L(state, round + 1, g.L);
    return g;
}

static double log_p(double eps0, double eps1, void *context)
{
    const pair *g = context;
    const double x[] = {g->mu_q[0] + g->L_q[0] * eps0,
                        g->mu_q[1] + g->L_q[2] * eps0 + g->L_q[3] * eps1};
    return log_density_by_sigma(x, g->mu, g->L);
}

Test(gaussian_full, log_density_is_that_of_sigma_inverted_by_hand)
{
    uint64_t state = 1;
    double eps[2];
    for (size_t round = 0; round < oracle_rounds(300); round++) {
        pair g = draw(&state, round);
        NEAR(ev_gaussian_full_log_density(2, g.mu_q, g.mu, g.L, eps),
             log_density_by_sigma(g.mu_q, g.mu, g.L), 1e-9);
        NEAR(g.mu[0] + g.L[0] * eps[0], g.mu_q[0], 1e-12);
        NEAR(g.mu[1] + g.L[2] * eps[0] + g.L[3] * eps[1], g.mu_q[1], 1e-12);
    }
}

Test(gaussian_full, cross_entropy_and_entropy_are_expected_log_densities)
{
    uint64_t state = 2;
    double work[2];
    for (size_t round = 0; round < oracle_rounds(8); round++) {
        pair g = draw(&state, round);
        NEAR(ev_gaussian_full_cross_entropy(2, g.mu_q, g.L_q, g.mu, g.L, work),
             oracle_expect_plane(log_p, &g), 1e-9);
        pair own = g;
        for (size_t i = 0; i < 4; i++) {
            own.L[i] = g.L_q[i];
            own.mu[i % 2] = g.mu_q[i % 2];
        }
        NEAR(ev_gaussian_full_entropy(2, g.L_q), -oracle_expect_plane(log_p, &own), 1e-9);
    }
}

Test(gaussian_full, kl_is_minus_entropy_minus_cross_entropy_and_never_negative)
{
    uint64_t state = 3;
    double work[2];
    for (size_t round = 0; round < oracle_rounds(300); round++) {
        pair g = draw(&state, round);
        const double kl = ev_gaussian_full_kl(2, g.mu_q, g.L_q, g.mu, g.L, work);
        cr_assert(kl >= 0.0);
        NEAR(kl,
             -ev_gaussian_full_entropy(2, g.L_q) -
                 ev_gaussian_full_cross_entropy(2, g.mu_q, g.L_q, g.mu, g.L, work),
             1e-11);
        cr_assert(fabs(ev_gaussian_full_kl(2, g.mu, g.L, g.mu, g.L, work)) < 1e-28);
    }
}

Test(gaussian_full, a_diagonal_L_gives_the_diagonal_gaussian)
{
    const double x[] = {0.4, -1.0, 2.0}, mu[] = {0.0, 0.3, -1.0}, sigma[] = {0.5, 2.0, 1.25};
    const double sigma_q[] = {1.5, 0.25, 0.75};
    double L[9] = {0}, L_q[9] = {0}, work[3];
    for (size_t i = 0; i < 3; i++) {
        L[4 * i] = sigma[i];
        L_q[4 * i] = sigma_q[i];
    }
    NEAR(ev_gaussian_full_log_density(3, x, mu, L, work), ev_gaussian_log_density(3, x, mu, sigma),
         1e-15);
    NEAR(ev_gaussian_full_entropy(3, L), ev_gaussian_entropy(3, sigma), 1e-15);
    NEAR(ev_gaussian_full_kl(3, x, L_q, mu, L, work), ev_gaussian_kl(3, x, sigma_q, mu, sigma),
         1e-15);
    NEAR(ev_gaussian_full_cross_entropy(3, x, L_q, mu, L, work),
         ev_gaussian_cross_entropy(3, x, sigma_q, mu, sigma), 1e-15);
}

Test(gaussian_full, kl_does_not_change_under_a_common_lower_triangular_map)
{
    const pair g = {{0.3, -0.2}, {1.2, 0.0, -0.7, 0.5}, {1.0, 0.4}, {0.6, 0.0, 0.9, 1.4}};
    const double A[] = {2.0, 0.0, -3.0, 0.5}; /* z -> A z + (1, 1) */
    pair t = g;
    const double *from[] = {g.L_q, g.L}, *mean[] = {g.mu_q, g.mu};
    double *to[] = {t.L_q, t.L}, *shifted[] = {t.mu_q, t.mu}, work[2];
    for (size_t k = 0; k < 2; k++) {
        to[k][0] = A[0] * from[k][0];
        to[k][2] = A[2] * from[k][0] + A[3] * from[k][2];
        to[k][3] = A[3] * from[k][3];
        shifted[k][0] = 1.0 + A[0] * mean[k][0];
        shifted[k][1] = 1.0 + A[2] * mean[k][0] + A[3] * mean[k][1];
    }
    NEAR(ev_gaussian_full_kl(2, t.mu_q, t.L_q, t.mu, t.L, work),
         ev_gaussian_full_kl(2, g.mu_q, g.L_q, g.mu, g.L, work), 1e-13);
}

Test(gaussian_full, a_column_may_change_its_sign)
{
    const double x[] = {0.5, 1.0}, mu[] = {0.0, 0.0}, L[] = {1.5, 0.0, 0.4, 0.8};
    const double flipped[] = {-1.5, 0.0, -0.4, -0.8};
    double work[2];
    NEAR(ev_gaussian_full_log_density(2, x, mu, flipped, work),
         ev_gaussian_full_log_density(2, x, mu, L, work), 1e-15);
    NEAR(ev_gaussian_full_kl(2, mu, L, mu, flipped, work), 0.0, 1e-15);
}

Test(gaussian_full, the_score_is_the_slope_of_the_log_density)
{
    uint64_t state = 4;
    for (size_t round = 0; round < oracle_rounds(40); round++) {
        pair g = draw(&state, round);
        double score[2], eps[2];
        ev_gaussian_full_score(2, g.mu_q, g.mu, g.L, score);
        for (size_t i = 0; i < 2; i++) {
            double up[] = {g.mu_q[0], g.mu_q[1]}, down[] = {g.mu_q[0], g.mu_q[1]};
            const double h = 1e-4; /* the log density is quadratic: no truncation error */
            up[i] += h;
            down[i] -= h;
            const double slope = (ev_gaussian_full_log_density(2, up, g.mu, g.L, eps) -
                                  ev_gaussian_full_log_density(2, down, g.mu, g.L, eps)) /
                                 (2.0 * h);
            cr_assert(oracle_close(score[i], slope, 1e-6, 1e-6), "%g is not %g", score[i], slope);
        }
    }
}

Test(gaussian_full, singular_covariances_have_the_values_the_header_promises)
{
    const double on[] = {0.0, 2.0}, off[] = {1e-9, 2.0}, mu[] = {0.0, 0.0};
    const double L[] = {0.0, 0.0, 1.0, 1.0}, regular[] = {1.0, 0.0, 1.0, 1.0};
    double work[2];
    cr_assert(ev_gaussian_full_log_density(2, on, mu, L, work) == HUGE_VAL);
    cr_assert(ev_gaussian_full_log_density(2, off, mu, L, work) == -HUGE_VAL);
    cr_assert(ev_gaussian_full_entropy(2, L) == -HUGE_VAL);
    cr_assert(ev_gaussian_full_kl(2, mu, L, mu, L, work) == 0.0);
    cr_assert(ev_gaussian_full_kl(2, off, L, mu, L, work) == HUGE_VAL);
    cr_assert(ev_gaussian_full_kl(2, mu, L, mu, regular, work) == HUGE_VAL);
    cr_assert(ev_gaussian_full_kl(2, mu, regular, mu, L, work) == HUGE_VAL);
    cr_assert(ev_gaussian_full_cross_entropy(2, mu, regular, mu, L, work) == -HUGE_VAL);
    cr_assert(ev_gaussian_full_cross_entropy(2, mu, L, mu, L, work) == HUGE_VAL);
    cr_assert(ev_gaussian_full_cross_entropy(2, off, L, mu, L, work) == -HUGE_VAL);
}

Test(gaussian_full, unpacking_gives_a_positive_diagonal_and_leaves_the_rest)
{
    const double raw[] = {-3.0, 0.5, 0.0, -1.0, 2.0, 100.0};
    double L[9];
    ev_gaussian_full_unpack(3, raw, L);
    const double expected[] = {log1p(exp(-3.0)), 0, 0, 0.5, log(2.0), 0, -1.0, 2.0, 100.0};
    for (size_t i = 0; i < 9; i++)
        NEAR(L[i], expected[i], 1e-15);
}

Test(gaussian_full, draws_have_covariance_L_L_transposed)
{
    enum { N = 100000 };
    static double z[N * 2];
    const double mu[] = {1.0, -1.0}, L[] = {1.5, 0.0, -0.8, 0.6};
    const ev_stream stream = ev_stream_make(3, 5, 0, 0);
    ev_gaussian_full_sample(&stream, 0, N, 2, mu, L, z);
    double C[4] = {0};
    for (size_t i = 0; i < N; i++)
        for (size_t a = 0; a < 4; a++)
            C[a] += (z[2 * i + a / 2] - mu[a / 2]) * (z[2 * i + a % 2] - mu[a % 2]) / N;
    const double Sigma[] = {2.25, -1.2, -1.2, 1.0};
    for (size_t a = 0; a < 4; a++) { /* Var of a product is S_ii S_jj + S_ij^2 */
        const double product = Sigma[3 * (a / 2)] * Sigma[3 * (a % 2)] + Sigma[a] * Sigma[a];
        cr_assert(fabs(C[a] - Sigma[a]) < 6.0 * sqrt(product / N), "entry %zu: %g", a, C[a]);
    }
    double diagonal[2], full[2];
    const double sigma[] = {0.5, 2.0}, D[] = {0.5, 0.0, 0.0, 2.0};
    ev_gaussian_sample(&stream, 9, 1, 2, mu, sigma, diagonal);
    ev_gaussian_full_sample(&stream, 9, 1, 2, mu, D, full);
    NEAR(full[1], diagonal[1], 1e-15);
}
