/* Mixtures of diagonal Gaussians, p(z) = sum_c pi_c N(z; mu_c, diag(sigma_c^2)).
 *
 * All values are in nats, all sums in log space: an exponent is never taken before the
 * largest one has been subtracted, so the farthest z has a finite log density and exact
 * responsibilities.  A component with pi_c = 0 never contributes, whatever its sigma.
 *
 *   const double log_pi[] = {-EV_LOG_2, -EV_LOG_2}, mu[] = {-2, 2}, sigma[] = {1, 1};
 *   const ev_mixture p = {.K = 2, .J = 1, .log_pi = log_pi, .mu = mu, .sigma = sigma};
 *   double z = 0.5, l = ev_mixture_log_density(&p, &z);
 */
#ifndef EV_PROBABILITY_MIXTURE_H
#define EV_PROBABILITY_MIXTURE_H

#include "numerics/random.h"

#include <stddef.h>
#include <stdint.h>

/* A view: the arrays stay the caller's. */
typedef struct {
    size_t K;             /* components, at least 1 */
    size_t J;             /* dimension */
    const double *log_pi; /* (K) normalised log weights; ev_log_each makes them from weights */
    const double *mu;     /* (K,J) means */
    const double *sigma;  /* (K,J) standard deviations, > 0 unless said otherwise */
} ev_mixture;

/* log p(c, z) = log pi_c + log N(z; mu_c, sigma_c), for one c.  sigma = 0 as in gaussian.h. */
double ev_mixture_log_joint(const ev_mixture *p, size_t c, const double *z);

/* log p(z).  -HUGE_VAL only where the squared distance itself overflows; HUGE_VAL at the
 * place of a point-mass component (sigma = 0). */
double ev_mixture_log_density(const ev_mixture *p, const double *z);

/* log p(c|z) into log_gamma (K): Bayes' rule, gamma_c = pi_c N(z; mu_c, sigma_c)/p(z).
 * Returns log p(z).  Where every component's log density overflows to -HUGE_VAL, the nearest
 * component (in its own sigmas) takes all; point-mass components at z take all, in
 * proportion to pi; point masses elsewhere alone leave p(c|z) undefined: NaN. */
double ev_mixture_responsibilities(const ev_mixture *p, const double *z, double *log_gamma);

/* The same when z is only known as q = N(mu_q, diag(sigma_q^2)), (J) each:
 *   gamma_c = pi_c exp(E_q[log N(z; mu_c, sigma_c)]) / normaliser.
 * Returns the log of the normaliser.  sigma_q NULL is a point q. */
double ev_mixture_expected_responsibilities(const ev_mixture *p, const double *mu_q,
                                            const double *sigma_q, double *log_gamma);

/* score = d log p(z)/dz (J) = sum_c gamma_c (mu_c - z)/sigma_c^2; where p(z) > 0. */
void ev_mixture_score(const ev_mixture *p, const double *z, double *score);

/* E z into mean (J) and Cov z into covariance (J,J), row-major; either may be NULL.
 * Cov = sum_c pi_c [ diag(sigma_c^2) + (mu_c - E z)(mu_c - E z)^T ]. */
void ev_mixture_moments(const ev_mixture *p, double *mean, double *covariance);

/* E_p[log N(z; mu, sigma)], mu and sigma: (J): what minimising KL(p||N) over a single
 * Gaussian maximises.  Its maximum is at mu = E z, sigma_j^2 = Var z_j. */
double ev_mixture_cross_entropy(const ev_mixture *p, const double *mu, const double *sigma);

/* The entropy of a mixture has no closed form; it lies between the components' average,
 * H(z|c), and that plus H(c), which is H(z,c).  Either pointer may be NULL. */
void ev_mixture_entropy_bounds(const ev_mixture *p, double *lower, double *upper);

/* Draws offset .. offset+n-1: z (n,J), and the components c (n) unless NULL.  Components come
 * from child 0 of the stream, normals from child 1. */
void ev_mixture_sample(const ev_mixture *p, const ev_stream *stream, uint64_t offset, size_t n,
                       double *z, size_t *c);

#endif
