/* The data of plots/kl_estimators.gp: k1, k2 and k3 as estimates of KL(q||p), and the two ways to
 * its gradient. */
#include "numerics/series.h"
#include "numerics/quadrature.h"
#include "probability/gaussian.h"
#include "probability/kl_estimators.h"
#include "probability/mixture.h"

#include <math.h>

static const ev_kl_estimator KINDS[] = {EV_KL_K1, EV_KL_K2, EV_KL_K3};
enum { KIND_COUNT = 3 };

/* q = N(d, 1) against p = N(0, 1), d so that KL = d^2/2 runs over five decades. */
static ev_status bias(ev_table *table, ev_error *error)
{
    (void)error;
    for (int i = 0; i <= 80; i++) {
        double kl = 1e-4 * pow(10, i / 16.0), d = sqrt(2 * kl), row[1 + 2 * KIND_COUNT] = {kl};
        for (int k = 0; k < KIND_COUNT; k++) {
            row[1 + k] = ev_kl_estimator_mean(KINDS[k], d, 1, 0, 1) / kl - 1;
            row[1 + KIND_COUNT + k] = sqrt(ev_kl_estimator_variance(KINDS[k], d, 1, 0, 1)) / kl;
        }
        ev_table_row(table, 1 + 2 * KIND_COUNT, row);
    }
    return EV_OK;
}

/* KL(q||p) of a Gaussian from a mixture, which no rule integrates exactly: k1 and k3. */
static const double Q_MU = 0.3, Q_SIGMA = 1.1;
static int divergence_terms(void *context, size_t worker, size_t n, const double *const *e,
                            double *const *out)
{
    static const double log_pi[] = {-1.0498221244986778, -0.43078291609245417};
    static const double mu[] = {-0.9, 1.1}, sigma[] = {0.8, 0.9};
    static const ev_mixture p = {.K = 2, .J = 1, .log_pi = log_pi, .mu = mu, .sigma = sigma};
    (void)context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double x = Q_MU + Q_SIGMA * e[0][i];
        double log_r = ev_mixture_log_density(&p, &x) -
                       ev_gaussian_scalar_log_density(x, Q_MU, Q_SIGMA);
        for (int k = 0; k < KIND_COUNT; k++)
            out[k][i] = ev_kl_estimator_value(KINDS[k], log_r);
    }
    return 0;
}

enum { REPEATS = 64 };
/* The root mean square error of k1 and k3 over repetitions of n <= EV_BLOCK * blocks samples. */
static void sampling_errors(const ev_stream *stream, size_t samples, double truth, double *k1,
                            double *k3)
{
    double values[KIND_COUNT][EV_BLOCK], e[EV_BLOCK];
    double *out[KIND_COUNT] = {values[0], values[1], values[2]};
    const double *x[1] = {e};
    *k1 = *k3 = 0;
    for (size_t repeat = 0; repeat < REPEATS; repeat++) {
        double sum1 = 0, sum3 = 0;
        for (size_t done = 0; done < samples;) {
            size_t n = samples - done < EV_BLOCK ? samples - done : EV_BLOCK;
            ev_stream_normals(stream, repeat * samples + done, n, e);
            divergence_terms(NULL, 0, n, x, out);
            for (size_t i = 0; i < n; i++) {
                sum1 += values[EV_KL_K1][i];
                sum3 += values[EV_KL_K3][i];
            }
            done += n;
        }
        *k1 += pow(sum1 / (double)samples - truth, 2) / REPEATS;
        *k3 += pow(sum3 / (double)samples - truth, 2) / REPEATS;
    }
    *k1 = sqrt(*k1);
    *k3 = sqrt(*k3);
}

static ev_status convergence(ev_table *table, ev_error *error)
{
    ev_integral best[KIND_COUNT], rule[KIND_COUNT];
    size_t evaluations;
    ev_stream stream = ev_table_stream(table, "convergence");
    ev_status status = ev_hermite_expect(1, 240, divergence_terms, NULL, KIND_COUNT, best,
                                         &evaluations);
    double truth = best[EV_KL_K1].value;
    for (int i = 0; i <= 20 && status == EV_OK; i++) {
        size_t n = (size_t)lround(4 * pow(2, i / 2.0));
        double row[] = {(double)n, (double)NAN, (double)NAN, (double)NAN, (double)NAN};
        sampling_errors(&stream, n, truth, &row[1], &row[2]);
        if (n <= 128) {
            status = ev_hermite_expect(1, n, divergence_terms, NULL, KIND_COUNT, rule,
                                       &evaluations);
            row[3] = fabs(rule[EV_KL_K1].value - truth);
        }
        if (status == EV_OK && n >= 6 && n <= 300) {
            status = ev_trapezoid_expect(1, 16.0 / (double)n, 8, divergence_terms, NULL, KIND_COUNT,
                                         rule, &evaluations);
            row[4] = fabs(rule[EV_KL_K1].value - truth);
        }
        ev_table_row(table, 5, row);
    }
    return status == EV_OK ? EV_OK : ev_error_set(error, status, "a quadrature failed");
}

/* Estimates of d KL/d mu_q from one draw x = d + sigma e, q = N(d, sigma^2), p = N(0, 1):
 *   score function        (e/sigma) log q/p
 *   with a baseline       (e/sigma) (log q/p - KL)
 *   reparameterisation    d/dd of log q/p at x(d) = x */
typedef struct {
    double d, sigma, kl;
} gradient_scene;
static int gradient_terms(void *context, size_t worker, size_t n, const double *const *e,
                          double *const *out)
{
    const gradient_scene *s = context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double x = s->d + s->sigma * e[0][i], score = e[0][i] / s->sigma;
        double ratio = ev_gaussian_scalar_log_density(x, s->d, s->sigma) -
                       ev_gaussian_scalar_log_density(x, 0, 1);
        const double estimate[] = {score * ratio, score * (ratio - s->kl), x};
        for (int k = 0; k < 3; k++)
            out[k][i] = pow(estimate[k] - s->d, 2);
    }
    return 0;
}

static ev_status gradients(ev_table *table, ev_error *error)
{
    for (int i = 0; i <= 60; i++) {
        gradient_scene s = {.d = 0.05 * pow(100, i / 60.0), .sigma = 0.7};
        s.kl = ev_gaussian_scalar_kl(s.d, s.sigma, 0, 1);
        ev_integral variance[3];
        size_t evaluations;
        /* The bodies are polynomials of degree 6: exact from four nodes on. */
        if (ev_hermite_expect(1, 32, gradient_terms, &s, 3, variance, &evaluations) != EV_OK)
            return ev_error_set(error, EV_UNFIT, "a quadrature failed");
        ev_table_row(table, 4,
                     (double[]){s.d, variance[0].value, variance[1].value, variance[2].value});
    }
    return EV_OK;
}

const ev_series kl_estimators_series[] = {
    {"bias", "bias and standard deviation of one draw, relative to KL; q = N(d, 1), p = N(0, 1)",
     "KL [nat]\tbias k1\tbias k2\tbias k3\tsd k1\tsd k2\tsd k3", bias},
    {"convergence", "error of KL(q||p), q Gaussian, p a mixture of two, against evaluations",
     "evaluations\trms k1 [nat]\trms k3 [nat]\tGauss-Hermite [nat]\ttrapezoidal [nat]",
     convergence},
    {"gradients", "variance of one draw's estimate of d KL/d mu_q; q = N(d, 0.49), p = N(0, 1)",
     "d\tscore function\tscore function, baseline\treparameterisation", gradients},
    {0}};
