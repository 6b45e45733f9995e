/* The divergence from N(0, I): its minimum, and quadrature beside the closed form. */
#include "numerics/minimise.h"
#include "numerics/monte_carlo.h"
#include "numerics/quadrature.h"
#include "probability/gaussian.h"
#include "probability/gaussian_full.h"
#include "roots.h"

#include <math.h>
#include <string.h>

/* KL(N(mu, L L^T) || N(0, I)) over x = (mu, rows of L), d = 2: value as sums of squares and
 * logarithms, gradient mu, L_ij - [i = j]/L_ii. */
enum { KL_N = 5 };
static int kl_objective(void *context, size_t n, const double *x, double *value, double *gradient)
{
    const double first = x[2], entry = x[3], second = x[4];
    (void)context;
    (void)n;
    if (fabs(first) < 1e-12 || fabs(second) < 1e-12)
        return 1;
    *value = (x[0] * x[0] + x[1] * x[1] + entry * entry + first * first + second * second - KL_D) /
                 2 -
             log(fabs(first * second));
    if (gradient != NULL) {
        memcpy(gradient, x, KL_N * sizeof *x);
        gradient[2] -= 1 / first;
        gradient[4] -= 1 / second;
    }
    return 0;
}

/* Where minimisations from a lattice of starts end: sign patterns met (a bit each), the largest
 * distance of (|L|, mu) from (I, 0), the largest value there. */
static unsigned kl_ends(const ev_stream *stream, size_t *runs, double *distance, double *value)
{
    enum { STARTS = 200 };
    unsigned patterns = 0;
    *runs = 0;
    for (uint64_t i = 0; i < STARTS; i++) {
        double x[KL_N], end, norm;
        ev_stream_normals(stream, i * KL_N, KL_N, x);
        if (ev_minimise(kl_objective, NULL, KL_N, x, 1e-10, 2000, &end, &norm) != EV_OK)
            continue;
        ++*runs;
        patterns |= 1u << ((x[2] > 0) + 2 * (x[4] > 0));
        double L[KL_D * KL_D] = {x[2], 0, x[3], x[4]};
        *distance = larger(*distance, fmax(hypot(x[0], x[1]), fabs(x[3])));
        *distance = larger(*distance, fmax(fabs(fabs(x[2]) - 1), fabs(fabs(x[4]) - 1)));
        *value = larger(*value, fmax(fabs(end), fabs(covariance_spherical_kl(KL_D, x, L))));
    }
    return patterns;
}

/* The least excess of a chord's middle over the curve, over the chord's length squared. */
static double kl_convexity(const ev_stream *stream)
{
    double least = HUGE_VAL;
    for (uint64_t i = 0; i < 500; i++) {
        double x[2][KL_N], middle[KL_N], value[3] = {0, 0, 0}, length = 0;
        ev_stream_normals(stream, i * 2 * KL_N, 2 * KL_N, x[0]);
        for (size_t k = 0; k < KL_N; k++) {
            if (k == 2 || k == 4)
                for (int end = 0; end < 2; end++)
                    x[end][k] = exp(x[end][k]);
            middle[k] = (x[0][k] + x[1][k]) / 2;
            length += pow(x[0][k] - x[1][k], 2);
        }
        for (int end = 0; end < 2; end++)
            (void)kl_objective(NULL, KL_N, x[end], &value[end], NULL);
        (void)kl_objective(NULL, KL_N, middle, &value[2], NULL);
        least = smaller(least, ((value[0] + value[1]) / 2 - value[2]) / length);
    }
    return least;
}

void covariance_decide_minimum(ev_check *check)
{
    size_t runs;
    double distance = 0, value = 0;
    ev_stream starts = ev_check_stream(check, "starts"), chords = ev_check_stream(check, "chords");
    unsigned patterns = kl_ends(&starts, &runs, &distance, &value);
    double convexity = kl_convexity(&chords), mean[KL_D] = {0, 0}, half[] = {0.5, 0, 0, 0.5};
    double leaning[] = {1, 0, 0.5, 1}, narrow = covariance_spherical_kl(KL_D, mean, half);
    double correlated = covariance_spherical_kl(KL_D, mean, leaning);
    const ev_alternative others[] = {
        {"one stationary point even without a condition on the diagonal", patterns == 15,
         ev_check_format(check, "all four sign patterns are met, d = 2, %zu minimisations", runs)},
        {"a narrower q does as well", narrow > 0.1,
         ev_check_format(check, "L = I/2: %.6f nats", narrow)},
        {"an entry off the diagonal may stay", correlated > 0.1,
         ev_check_format(check, "L_21 = 1/2: %.6f nats", correlated)}};
    ev_check_decide(check, "covariance-kl-minimum",
                    patterns == 15 && distance < 1e-6 && value < 1e-12 && convexity >= 0.1249 &&
                        runs > 150,
                    ev_check_format(check,
                                    "%zu minimisations end within %.1e of mu = 0, |L| = I, at "
                                    "all four signs, with a divergence of %.1e; least curvature "
                                    "of 500 chords within one sign %.4f > 0",
                                    runs, distance, value, convexity),
                    3, others);
}

/* E_q[log q - log p_0] by the trapezoidal rule, d = 2. */
static int log_ratio(void *context, size_t worker, size_t n, const double *const *e,
                     double *const *out)
{
    const double *L = context;
    static const double ZERO[KL_D] = {0, 0}, ONE[KL_D] = {1, 1};
    double eps[KL_D];
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double z[KL_D] = {MU[0] + L[0] * e[0][i], MU[1] + L[2] * e[0][i] + L[3] * e[1][i]};
        out[0][i] = ev_gaussian_full_log_density(KL_D, z, MU, L, eps) -
                    ev_gaussian_log_density(KL_D, z, ZERO, ONE);
    }
    return 0;
}

/* The same by draws, in six dimensions and twice as far from 0: pairs z and 2 mu - z, whose mean is
 * taken. */
static void far_mean(double mean[MAX_D])
{
    for (size_t r = 0; r < MAX_D; r++)
        mean[r] = 2 * MU[r];
}

static int log_ratio_of_six(void *context, size_t worker, size_t n, const double *const *e,
                            double *const *out)
{
    const double *L = context;
    static const double ZERO[MAX_D] = {0}, ONE[MAX_D] = {1, 1, 1, 1, 1, 1};
    double eps[MAX_D], z[MAX_D], far[MAX_D];
    (void)worker;
    far_mean(far);
    for (size_t i = 0; i < n; i++) {
        for (size_t r = 0; r < MAX_D; r++) {
            z[r] = far[r];
            for (size_t c = 0; c <= r; c++)
                z[r] += L[r * MAX_D + c] * e[c][i];
        }
        out[0][i] = 0;
        for (int side = 0; side < 2; side++) {
            out[0][i] += (ev_gaussian_full_log_density(MAX_D, z, far, L, eps) -
                          ev_gaussian_log_density(MAX_D, z, ZERO, ONE)) /
                         2;
            for (size_t r = 0; r < MAX_D; r++)
                z[r] = 2 * far[r] - z[r];
        }
    }
    return 0;
}

static void assert_kl_of_six(ev_check *check)
{
    double L[MAX_ENTRIES], far[MAX_D], closed;
    ev_sample_summary drawn;
    ev_stream stream = ev_check_stream(check, "six dimensions");
    covariance_leading_block(MAX_D, L);
    far_mean(far);
    closed = covariance_spherical_kl(MAX_D, far, L);
    if (ev_monte_carlo_expect(MAX_D, log_ratio_of_six, L, 1, &stream, 2000000, 2, &drawn) == EV_OK)
        ev_check_assert(check, "covariance-kl-sampling",
                        "KL(N(mu, L L^T) || N(0, I)), d = 6: 4000000 draws and the closed form",
                        drawn.mean, closed, ev_sample_half_width(&drawn, ev_check_alpha(check)));
}

void covariance_assert_kl(ev_check *check)
{
    double L[KL_D * KL_D];
    ev_integral found;
    size_t evaluations;
    covariance_leading_block(KL_D, L);
    if (ev_trapezoid_expect(KL_D, 0.25, 9, log_ratio, L, 1, &found, &evaluations) == EV_OK)
        ev_check_assert(
            check, "covariance-kl-quadrature",
            "KL(N(mu, L L^T) || N(0, I)), d = 2: the trapezoidal rule and the closed form",
            found.value, covariance_spherical_kl(KL_D, MU, L), 1e-11);
    assert_kl_of_six(check);
}
