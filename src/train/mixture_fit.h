/* Maximum likelihood for a Gaussian mixture by expectation-maximisation (A. P. Dempster, N. M. Laird
 * & D. B. Rubin, J. R. Stat. Soc. B 39, 1977): weights, means and covariances, from a k-means start.
 *
 *   log p(x_1..x_N) = sum_i log sum_k pi_k N(x_i; mu_k, Sigma_k).
 *
 * Variances (eigenvalues of a full covariance) are kept at the floor or above, relative to the data's
 * mean variance, so that no component can shrink onto a point.  The M-step is the exact maximum under
 * that bound, so the likelihood never falls.  All components start with the pooled variance of the
 * k-means clusters.  A function of the options and the data alone: not of the number of threads.
 *
 *   const ev_mixture_fit_options options = {.K = 10, .restarts = 5, .iterations = 100,
 *                                           .tolerance = 1e-6, .floor = 1e-6, .seed = 1};
 *   ev_mixture_fit fit;
 *   if (ev_mixture_fit_run(&options, N, J, x, &fit, &error) == EV_OK)
 *       ...                    // fit.log_pi, fit.mu, fit.sigma
 *   ev_mixture_fit_free(&fit);
 */
#ifndef EV_TRAIN_MIXTURE_FIT_H
#define EV_TRAIN_MIXTURE_FIT_H

#include "base/error.h"
#include "probability/mixture.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { EV_COVARIANCE_DIAGONAL, EV_COVARIANCE_FULL } ev_covariance_kind;

/* "diagonal", "full"; ended by NULL. */
extern const char *const ev_covariance_names[];

typedef struct {
    size_t K; /* components, 1 .. N */
    ev_covariance_kind kind;
    size_t restarts;   /* starts, of which the likeliest is kept; at least 1 */
    size_t iterations; /* of EM for each start, at most; at least 1 */
    double tolerance;  /* stop when log p a point rises by less, in nats; 0: never */
    double floor;      /* least variance, as a share of the data's mean variance; what is below
                          1e-12 is taken as that */
    uint64_t seed;
} ev_mixture_fit_options;

typedef struct {
    size_t K, J;
    ev_covariance_kind kind;
    double *log_pi;        /* (K) */
    double *mu;            /* (K,J) */
    double *sigma;         /* (K,J) standard deviations; of a full covariance: the marginal ones */
    double *L;             /* (K,J,J) Cholesky factors of full covariances; NULL when diagonal */
    double log_likelihood; /* mean over the points, nats, of these very parameters */
    size_t iterations;     /* of the start that was kept */
    size_t restart;        /* which one, from 0 */
    bool converged;        /* by the tolerance */
    double *trace;  /* (iterations + 1) log likelihood before each iteration and at the end */
    double *memory; /* all of the above */
} ev_mixture_fit;

/* x (N,J).  EV_BAD_INPUT for K = 0, K > N, no data, or a value that is not finite (named by its
 * position); EV_UNFIT when the points are all the same. */
ev_status ev_mixture_fit_run(const ev_mixture_fit_options *options, size_t N, size_t J,
                             const float *x, ev_mixture_fit *fit, ev_error *error);
/* The diagonal mixture likeliest for points whose components are known: cluster (N), each below K.
 * Of the options K and floor are read.  EV_BAD_INPUT as above, and for a component without points. */
ev_status ev_mixture_fit_partition(const ev_mixture_fit_options *options, size_t N, size_t J,
                                   const float *x, const size_t *cluster, ev_mixture_fit *fit,
                                   ev_error *error);
/* Frees the arrays; a zeroed one is allowed. */
void ev_mixture_fit_free(ev_mixture_fit *fit);

/* A diagonal fit as the mixture it is; the arrays stay the fit's. */
ev_mixture ev_mixture_fit_view(const ev_mixture_fit *fit);

/* The likeliest component of each point into cluster (N), unless NULL; the mean over the points of
 * log p(x).  EV_NO_MEMORY is the only way to fail. */
ev_status ev_mixture_fit_assign(const ev_mixture_fit *fit, size_t N, const float *x,
                                size_t *cluster, double *log_likelihood, ev_error *error);

#endif
