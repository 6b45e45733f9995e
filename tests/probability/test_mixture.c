#include "probability/mixture.h"

#include "oracle.h"
#include "probability/gaussian.h"
#include "probability/log_space.h"

#include <criterion/criterion.h>

#define NEAR(a, b, tolerance)                                                                      \
    cr_assert(oracle_close((a), (b), (tolerance), (tolerance)), "%.17g is not %.17g", (double)(a), \
              (double)(b))

/* Three components in two dimensions at a generic point. */
static const double PI[] = {0.5, 0.2, 0.3};
static const double MU[] = {-1.0, 0.5, 2.0, 0.0, 0.3, -1.5};
static const double SIGMA[] = {0.6, 1.0, 1.2, 0.8, 0.7, 1.5};
static double LOG_PI[3];

static ev_mixture generic(void)
{
    ev_log_each(3, PI, LOG_PI);
    return (ev_mixture){.K = 3, .J = 2, .log_pi = LOG_PI, .mu = MU, .sigma = SIGMA};
}

/* E over p(z) of f, component by component in its own whitened coordinates. */
typedef double (*at_point)(const ev_mixture *p, const double *z);

typedef struct {
    const ev_mixture *p;
    size_t c;
    at_point f;
} component;

static double in_component(double eps0, double eps1, void *context)
{
    const component *w = context;
    const double *mu = w->p->mu + 2 * w->c, *sigma = w->p->sigma + 2 * w->c;
    const double z[] = {mu[0] + sigma[0] * eps0, mu[1] + sigma[1] * eps1};
    return w->f(w->p, z);
}

static double expect(const ev_mixture *p, at_point f)
{
    double sum = 0.0;
    for (size_t c = 0; c < p->K; c++) {
        component w = {p, c, f};
        sum += exp(p->log_pi[c]) * oracle_expect_plane(in_component, &w);
    }
    return sum;
}

static double first(const ev_mixture *p, const double *z)
{
    (void)p;
    return z[0];
}

static double product(const ev_mixture *p, const double *z)
{
    (void)p;
    return z[0] * z[1];
}

static double square(const ev_mixture *p, const double *z)
{
    (void)p;
    return z[1] * z[1];
}

static double first_responsibility(const ev_mixture *p, const double *z)
{
    double log_gamma[3];
    ev_mixture_responsibilities(p, z, log_gamma);
    return exp(log_gamma[0]);
}

static double surprise(const ev_mixture *p, const double *z)
{
    return -ev_mixture_log_density(p, z);
}

static double log_of_a_gaussian(const ev_mixture *p, const double *z)
{
    (void)p;
    const double mu[] = {0.3, -0.4}, sigma[] = {1.3, 0.9};
    return ev_gaussian_log_density(2, z, mu, sigma);
}

Test(mixture, log_density_is_the_logarithm_of_the_weighted_sum)
{
    const ev_mixture p = generic();
    uint64_t state = 1;
    for (size_t round = 0; round < oracle_rounds(200); round++) {
        const double z[] = {oracle_location(&state, round), oracle_location(&state, round % 5)};
        double sum = 0.0;
        for (size_t c = 0; c < 3; c++) {
            const double u = (z[0] - MU[2 * c]) / SIGMA[2 * c];
            const double v = (z[1] - MU[2 * c + 1]) / SIGMA[2 * c + 1];
            sum += PI[c] * exp(-0.5 * (u * u + v * v)) /
                   (2.0 * M_PI * SIGMA[2 * c] * SIGMA[2 * c + 1]);
        }
        NEAR(ev_mixture_log_density(&p, z), log(sum), 1e-13);
    }
}

Test(mixture, one_component_is_the_gaussian_itself)
{
    const double zero = 0.0, z[] = {0.4, -0.9};
    const ev_mixture p = {1, 2, &zero, MU, SIGMA};
    double log_gamma;
    NEAR(ev_mixture_log_density(&p, z), ev_gaussian_log_density(2, z, MU, SIGMA), 1e-15);
    ev_mixture_responsibilities(&p, z, &log_gamma);
    cr_assert(log_gamma == 0.0);
}

Test(mixture, relabelling_the_components_permutes_the_responsibilities_only)
{
    const ev_mixture p = generic();
    const size_t order[] = {2, 0, 1};
    double log_pi[3], mu[6], sigma[6], a[3], b[3];
    for (size_t c = 0; c < 3; c++) {
        log_pi[c] = LOG_PI[order[c]];
        for (size_t j = 0; j < 2; j++) {
            mu[2 * c + j] = MU[2 * order[c] + j];
            sigma[2 * c + j] = SIGMA[2 * order[c] + j];
        }
    }
    const ev_mixture relabelled = {3, 2, log_pi, mu, sigma};
    const double z[] = {0.1, -0.2};
    NEAR(ev_mixture_responsibilities(&p, z, a), ev_mixture_responsibilities(&relabelled, z, b),
         1e-15);
    for (size_t c = 0; c < 3; c++)
        NEAR(b[c], a[order[c]], 1e-14);
}

Test(mixture, responsibilities_average_to_the_weights)
{
    /* E_p(z)[p(c|z)] = pi_c. */
    const ev_mixture p = generic();
    NEAR(expect(&p, first_responsibility), PI[0], 1e-10);
}

Test(mixture, moments_are_those_of_the_density)
{
    const ev_mixture p = generic();
    double mean[2], covariance[4];
    ev_mixture_moments(&p, mean, covariance);
    NEAR(mean[0], expect(&p, first), 1e-12);
    NEAR(covariance[1] + mean[0] * mean[1], expect(&p, product), 1e-12);
    NEAR(covariance[3] + mean[1] * mean[1], expect(&p, square), 1e-12);
    NEAR(covariance[1], covariance[2], 0.0);
}

Test(mixture, the_entropy_lies_between_its_bounds)
{
    const ev_mixture p = generic();
    double lower, upper;
    ev_mixture_entropy_bounds(&p, &lower, &upper);
    const double entropy = expect(&p, surprise);
    cr_assert(lower < entropy && entropy < upper, "%g < %g < %g", lower, entropy, upper);
    NEAR(upper - lower, -(0.5 * log(0.5) + 0.2 * log(0.2) + 0.3 * log(0.3)), 1e-14);
}

Test(mixture, cross_entropy_to_a_gaussian_is_the_expected_log_density)
{
    const ev_mixture p = generic();
    const double mu[] = {0.3, -0.4}, sigma[] = {1.3, 0.9};
    NEAR(ev_mixture_cross_entropy(&p, mu, sigma), expect(&p, log_of_a_gaussian), 1e-12);
}

Test(mixture, the_forward_kl_is_least_at_the_matched_moments)
{
    const ev_mixture p = generic();
    double mean[2], covariance[4];
    ev_mixture_moments(&p, mean, covariance);
    const double sigma[] = {sqrt(covariance[0]), sqrt(covariance[3])};
    const double best = ev_mixture_cross_entropy(&p, mean, sigma);
    for (unsigned k = 0; k < 8; k++) {
        double m[] = {mean[0], mean[1]}, s[] = {sigma[0], sigma[1]};
        (k & 4u ? s : m)[k & 1u] += k & 2u ? 0.05 : -0.05;
        cr_assert(ev_mixture_cross_entropy(&p, m, s) < best - 1e-5);
    }
}

Test(mixture, the_score_is_the_slope_of_the_log_density)
{
    const ev_mixture p = generic();
    uint64_t state = 3;
    for (size_t round = 0; round < oracle_rounds(50); round++) {
        const double z[] = {oracle_location(&state, round), oracle_location(&state, round % 5)};
        double score[2];
        ev_mixture_score(&p, z, score);
        for (size_t j = 0; j < 2; j++) {
            double up[] = {z[0], z[1]}, down[] = {z[0], z[1]};
            up[j] += 1e-5;
            down[j] -= 1e-5;
            const double slope = (ev_mixture_log_density(&p, up) -
                                  ev_mixture_log_density(&p, down)) /
                                 2e-5;
            cr_assert(oracle_close(score[j], slope, 1e-7, 1e-7), "%g is not %g", score[j], slope);
        }
    }
}

Test(mixture, far_from_every_component_the_responsibilities_are_still_exact)
{
    /* In density space both underflow and a small constant makes gamma uniform. */
    const double log_pi[] = {-EV_LOG_2, -EV_LOG_2}, mu[] = {0.0, 1.0}, sigma[] = {1.0, 1.0};
    const ev_mixture p = {2, 1, log_pi, mu, sigma};
    const double z = 60.0; /* log odds: (z^2 - (z-1)^2)/2 = 59.5 */
    double log_gamma[2];
    ev_mixture_responsibilities(&p, &z, log_gamma);
    NEAR(log_gamma[0], -59.5, 1e-13);
    NEAR(log_gamma[1], 0.0, 1e-15);
    const double a = 0.5 * exp(ev_gaussian_scalar_log_density(z, 0.0, 1.0)) + 1e-10;
    const double b = 0.5 * exp(ev_gaussian_scalar_log_density(z, 1.0, 1.0)) + 1e-10;
    cr_assert(fabs(a / (a + b) - 0.5) < 1e-15, "the published form is uniform here");
}

Test(mixture, beyond_the_range_of_double_the_nearest_component_takes_all)
{
    const double log_pi[] = {log(0.25), log(0.5), log(0.25)};
    const double mu[] = {0.0, 1.0, 0.0}, sigma[] = {2.0, 2.0, 1.0};
    const ev_mixture p = {3, 1, log_pi, mu, sigma};
    double log_gamma[3], z = 1e200;
    cr_assert(ev_mixture_responsibilities(&p, &z, log_gamma) == -HUGE_VAL);
    /* At 1e200 a shift by 1 is below the rounding: components 0 and 1 share by weight. */
    NEAR(log_gamma[0], log(1.0 / 3.0), 1e-14);
    NEAR(log_gamma[1], log(2.0 / 3.0), 1e-14);
    cr_assert(log_gamma[2] == -HUGE_VAL);
}

Test(mixture, beyond_the_range_of_double_distance_is_measured_from_the_means_in_sigmas)
{
    const double log_pi[] = {log(0.5), log(0.5), -HUGE_VAL};
    const double mu[] = {-1e200, 0.0, 1e200, 0.0, 5e199, 0.0}, one[] = {1, 1, 1, 1, 1, 1};
    const double z[] = {5e199, 0.0};
    ev_mixture p = {3, 2, log_pi, mu, one};
    double log_gamma[3];
    cr_assert(ev_mixture_responsibilities(&p, z, log_gamma) == -HUGE_VAL);
    cr_assert(log_gamma[1] == 0.0 && log_gamma[0] == -HUGE_VAL && log_gamma[2] == -HUGE_VAL);
    /* The spread of q counts too: at equal means, against the narrower component. */
    const double same[] = {0, 0, 0, 0, 0, 0}, sigma[] = {1, 1, 1, 2, 1, 4}, spread[] = {0, 1e200};
    p.mu = same;
    p.sigma = sigma;
    ev_mixture_expected_responsibilities(&p, same, spread, log_gamma);
    cr_assert(log_gamma[1] == 0.0 && log_gamma[0] == -HUGE_VAL && log_gamma[2] == -HUGE_VAL);
}

Test(mixture, a_component_of_no_weight_takes_no_part_in_any_moment)
{
    const double log_pi[] = {0.0, -HUGE_VAL}, mu[] = {0.5, 100.0}, sigma[] = {2.0, 0.0};
    const ev_mixture p = {2, 1, log_pi, mu, sigma};
    const double m = 1.0, s = 1.5;
    double mean, variance, lower, upper;
    ev_mixture_moments(&p, &mean, &variance);
    ev_mixture_entropy_bounds(&p, &lower, &upper);
    NEAR(mean, 0.5, 1e-15);
    NEAR(variance, 4.0, 1e-15);
    NEAR(lower, ev_gaussian_scalar_entropy(2.0), 1e-15);
    NEAR(upper, lower, 0.0);
    NEAR(ev_mixture_cross_entropy(&p, &m, &s), ev_gaussian_scalar_cross_entropy(0.5, 2.0, m, s),
         1e-15);
    const double point = 0.0;
    cr_assert(ev_mixture_cross_entropy(&p, &m, &point) == -HUGE_VAL);
}

Test(mixture, point_masses_and_zero_weights_keep_to_the_header)
{
    const double log_pi[] = {log(0.25), log(0.75), -HUGE_VAL};
    const double mu[] = {1.0, 1.0, 1.0}, sigma[] = {0.0, 2.0, 0.0};
    const ev_mixture p = {3, 1, log_pi, mu, sigma};
    const double at = 1.0, off = 1.5;
    double log_gamma[3];
    cr_assert(ev_mixture_log_density(&p, &at) == HUGE_VAL);
    ev_mixture_responsibilities(&p, &at, log_gamma);
    cr_assert(log_gamma[0] == 0.0 && log_gamma[1] == -HUGE_VAL && log_gamma[2] == -HUGE_VAL);
    ev_mixture_responsibilities(&p, &off, log_gamma);
    cr_assert(log_gamma[0] == -HUGE_VAL && log_gamma[1] == 0.0);
    const double all[] = {0.0, 0.0, 0.0};
    const ev_mixture points = {3, 1, log_pi, mu, all};
    ev_mixture_responsibilities(&points, &off, log_gamma);
    cr_assert(isnan(log_gamma[0]), "no component can have made this z");
}

Test(mixture, draws_come_from_the_components_they_name)
{
    enum { N = 60000 };
    static double z[N * 2], again[20];
    static size_t c[N];
    const ev_mixture p = generic();
    const ev_stream stream = ev_stream_make(4, 4, 4, 4);
    ev_mixture_sample(&p, &stream, 0, N, z, c);
    ev_mixture_sample(&p, &stream, 500, 10, again, NULL);
    for (size_t i = 0; i < 20; i++)
        cr_assert(again[i] <= z[1000 + i] && again[i] >= z[1000 + i]);
    double count[3] = {0}, sum[3] = {0}, squares[3] = {0};
    for (size_t i = 0; i < N; i++) {
        const double eps = (z[2 * i + 1] - MU[2 * c[i] + 1]) / SIGMA[2 * c[i] + 1];
        count[c[i]] += 1.0;
        sum[c[i]] += eps;
        squares[c[i]] += eps * eps;
    }
    for (size_t k = 0; k < 3; k++) { /* 6 standard errors */
        cr_assert(fabs(count[k] / N - PI[k]) < 6.0 * sqrt(PI[k] * (1.0 - PI[k]) / N));
        cr_assert(fabs(sum[k] / count[k]) < 6.0 / sqrt(count[k]));
        cr_assert(fabs(squares[k] / count[k] - 1.0) < 6.0 * sqrt(2.0 / count[k]));
    }
}
