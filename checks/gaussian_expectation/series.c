/* The data of plots/gaussian_expectation.gp: the lemma by nodes and by samples. */
#include "numerics/series.h"
#include "numerics/quadrature.h"
#include "probability/gaussian.h"

#include <math.h>

static const double MU_Q = 0.4, SIGMA_Q = 1.3, MU = -0.7, SIGMA = 0.9;

static int log_density_terms(void *context, size_t worker, size_t n, const double *const *e,
                             double *const *out)
{
    (void)context;
    (void)worker;
    for (size_t i = 0; i < n; i++)
        out[0][i] = ev_gaussian_scalar_log_density(MU_Q + SIGMA_Q * e[0][i], MU, SIGMA);
    return 0;
}

enum { REPEATS = 64 };
/* Root mean square error of the mean of so many samples. */
static double sampling_error(const ev_stream *stream, size_t samples, double truth)
{
    double square = 0, e[EV_BLOCK], value[EV_BLOCK], *out[1] = {value};
    const double *x[1] = {e};
    for (size_t repeat = 0; repeat < REPEATS; repeat++) {
        double sum = 0;
        for (size_t done = 0, n; done < samples; done += n) {
            n = samples - done < EV_BLOCK ? samples - done : EV_BLOCK;
            ev_stream_normals(stream, repeat * samples + done, n, e);
            log_density_terms(NULL, 0, n, x, out);
            for (size_t i = 0; i < n; i++)
                sum += value[i];
        }
        square += pow(sum / (double)samples - truth, 2) / REPEATS;
    }
    return sqrt(square);
}

/* Gauss-Hermite with two nodes is exact: the integrand is a parabola. */
static ev_status convergence(ev_table *table, ev_error *error)
{
    double truth = ev_gaussian_scalar_cross_entropy(MU_Q, SIGMA_Q, MU, SIGMA);
    ev_stream stream = ev_table_stream(table, "convergence");
    ev_status status = EV_OK;
    for (int i = 0; i <= 24 && status == EV_OK; i++) {
        size_t n = (size_t)lround(pow(2, i / 2.0)), evaluations;
        ev_integral rule;
        double row[] = {(double)n, sampling_error(&stream, n, truth), (double)NAN, (double)NAN};
        if (n <= 64) {
            status = ev_hermite_expect(1, n, log_density_terms, NULL, 1, &rule, &evaluations);
            row[2] = fabs(rule.value - truth);
        }
        if (status == EV_OK && n >= 4 && n <= 256) {
            status = ev_trapezoid_expect(1, 18.0 / (double)n, 9, log_density_terms, NULL, 1, &rule,
                                         &evaluations);
            row[3] = fabs(rule.value - truth);
        }
        ev_table_row(table, 4, row);
    }
    return status == EV_OK ? EV_OK : ev_error_set(error, status, "a quadrature failed");
}

const ev_series gaussian_expectation_series[] = {
    {"convergence", "error of E_q[log p], two Gaussians, against evaluations",
     "evaluations\trms Monte Carlo [nat]\tGauss-Hermite [nat]\ttrapezoidal [nat]", convergence},
    {0}};
