/* Gaussians with independent coordinates, N(mu, diag(sigma^2)).
 *
 *   J        dimension; J = 0 gives an empty product: log density, entropy and KL are 0
 *   x, z     (J) a point            mu     (J) mean
 *   sigma    (J) standard deviation, never a variance; sigma >= 0
 *   log_var  (J) log sigma^2
 * All values are in nats.  A negative sigma or a NaN gives NaN; other finite input never does.
 *
 * sigma_j = 0 is a point mass in coordinate j, taken as the limit of sigma_j -> 0.  Where one
 * coordinate tends to +infinity and another to -infinity, the latter wins: it does so
 * quadratically, the former only logarithmically.
 *
 *   const double x[] = {0.3}, mu[] = {0.0}, sigma[] = {2.0};
 *   double l = ev_gaussian_log_density(1, x, mu, sigma);
 */
#ifndef EV_PROBABILITY_GAUSSIAN_H
#define EV_PROBABILITY_GAUSSIAN_H

#include "numerics/random.h"

#include <stddef.h>
#include <stdint.h>

/* log N(x; mu, diag(sigma^2)) = -sum_j [ log(2 pi sigma_j^2)/2 + (x_j - mu_j)^2/(2 sigma_j^2) ].
 * sigma_j = 0: HUGE_VAL at x_j = mu_j, -HUGE_VAL elsewhere. */
double ev_gaussian_log_density(size_t J, const double *x, const double *mu, const double *sigma);
/* The same from log_var, for which no standard deviation need be representable. */
double ev_gaussian_log_density_log_var(size_t J, const double *x, const double *mu,
                                       const double *log_var);
/* score_j = d log N(x)/d x_j = (mu_j - x_j)/sigma_j^2; sigma > 0. */
void ev_gaussian_score(size_t J, const double *x, const double *mu, const double *sigma,
                       double *score);

/* H(q) = -E_q[log q] = sum_j log(2 pi e sigma_j^2)/2.  -HUGE_VAL when some sigma_j is 0. */
double ev_gaussian_entropy(size_t J, const double *sigma);

/* Cross-entropy of diagonal Gaussians with its natural sign, E_q[log p]: the last line of
 * derivations/gaussian_expectation.md, claim gaussian-expectation,
 *   -sum_j [ log(2 pi sigma_j^2)/2 + (sigma_q_j^2 + (mu_q_j - mu_j)^2)/(2 sigma_j^2) ].
 * Hence KL(q||p) = -H(q) - E_q[log p].
 *   mu_q, sigma_q, mu, sigma: (J).
 * -HUGE_VAL when some sigma_j is 0 (HUGE_VAL if q too is the point mu_j in all of those). */
double ev_gaussian_cross_entropy(size_t J, const double *mu_q, const double *sigma_q,
                                 const double *mu, const double *sigma);

/* KL(q||p) = sum_j [ log(sigma_j/sigma_q_j) + (sigma_q_j^2 + (mu_q_j - mu_j)^2)/(2 sigma_j^2)
 * - 1/2 ], summed from non-negative parts: accurate however close q is to p.
 * HUGE_VAL when in some coordinate one of the two is a point mass, or both at different
 * points; equal point masses contribute 0. */
double ev_gaussian_kl(size_t J, const double *mu_q, const double *sigma_q, const double *mu,
                      const double *sigma);
/* d KL(q||p) by mu_q and by sigma_q, each (J) or NULL; all sigmas > 0:
 *   (mu_q_j - mu_j)/sigma_j^2   and   sigma_q_j/sigma_j^2 - 1/sigma_q_j. */
void ev_gaussian_kl_gradient(size_t J, const double *mu_q, const double *sigma_q, const double *mu,
                             const double *sigma, double *d_mu_q, double *d_sigma_q);
/* The VAE's regulariser, KL(N(mu_q, diag exp(log_var_q)) || N(0, I))
 *   = sum_j ( mu_q_j^2 + exp(log_var_q_j) - 1 - log_var_q_j )/2. */
double ev_gaussian_kl_to_standard(size_t J, const double *mu_q, const double *log_var_q);

/* Draws offset .. offset+n-1 of the stream, x: (n,J), x = mu + sigma eps.  Draw i is the same
 * whatever n and offset it was asked with. */
void ev_gaussian_sample(const ev_stream *stream, uint64_t offset, size_t n, size_t J,
                        const double *mu, const double *sigma, double *x);

/* One coordinate of each of the above. */
double ev_gaussian_scalar_log_density(double x, double mu, double sigma);
double ev_gaussian_scalar_entropy(double sigma);
double ev_gaussian_scalar_cross_entropy(double mu_q, double sigma_q, double mu, double sigma);
double ev_gaussian_scalar_kl(double mu_q, double sigma_q, double mu, double sigma);
/* log P(low < x <= high) for low < high, infinite ones allowed, and sigma > 0: of an interval as small as
 * there are doubles, or so far out that its mass is none; -HUGE_VAL where the logarithm overflows. */
double ev_gaussian_scalar_log_mass(double low, double high, double mu, double sigma);
/* KL of two scalar Gaussians of one mean: the part of the KL that the scales make. */
double ev_gaussian_scale_kl(double sigma_q, double sigma);

#endif
