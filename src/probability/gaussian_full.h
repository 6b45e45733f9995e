/* Gaussians with a full covariance, N(mu, Sigma), Sigma = L L^T, through L alone: z = mu + L eps.
 *
 *   J     dimension
 *   L     (J,J) row-major, lower triangular; what stands above the diagonal is never read
 *   mu    (J) mean                       x, z  (J) a point
 *   eps   (J) the whitened point, L^-1 (x - mu)
 * All values are in nats.  Sigma is positive definite when no L_ii is 0.  A negative L_ii
 * is as good as a positive one (flip the column's sign: Sigma stays), so |L_ii| is what
 * enters; positive ones make L unique.
 *
 * L_ii = 0 is a singular Gaussian, taken as the limit L_ii -> 0 with the other entries fixed:
 * a point is on the support when the residual of row i in forward substitution is exactly 0.
 */
#ifndef EV_PROBABILITY_GAUSSIAN_FULL_H
#define EV_PROBABILITY_GAUSSIAN_FULL_H

#include "numerics/random.h"

#include <stddef.h>
#include <stdint.h>

/* log N(x; mu, L L^T) = -J log(2 pi)/2 - sum_i log |L_ii| - |eps|^2/2, and eps (J) itself.
 * Singular L: HUGE_VAL on the support, -HUGE_VAL off it (eps is then not to be used). */
double ev_gaussian_full_log_density(size_t J, const double *x, const double *mu, const double *L,
                                    double *eps);
/* score = d log N(x)/dx = -Sigma^-1 (x - mu); L not singular. */
void ev_gaussian_full_score(size_t J, const double *x, const double *mu, const double *L,
                            double *score);

/* H(q) = J log(2 pi e)/2 + sum_i log |L_ii|; -HUGE_VAL when L is singular. */
double ev_gaussian_full_entropy(size_t J, const double *L);

/* E_q[log p], q = N(mu_q, L_q L_q^T), p = N(mu, L L^T):
 *   -J log(2 pi)/2 - sum_i log |L_ii| - ( |L^-1 L_q|_F^2 + |L^-1 (mu_q - mu)|^2 )/2.
 *   work: (J) scratch.
 * Singular L: -HUGE_VAL, or HUGE_VAL when q lives on p's support. */
double ev_gaussian_full_cross_entropy(size_t J, const double *mu_q, const double *L_q,
                                      const double *mu, const double *L, double *work);

/* KL(q||p), with M = L^-1 L_q and d = L^-1 (mu_q - mu):
 *   sum_i [ (M_ii^2 - 1)/2 - log |M_ii| ] + sum_{i>j} M_ij^2/2 + |d|^2/2,
 * a sum of non-negative parts.  work: (J) scratch.
 * HUGE_VAL when just one of L_ii, L_q_ii is 0 for some i; where both are, they are taken
 * to tend to 0 together, so that KL(p||p) = 0. */
double ev_gaussian_full_kl(size_t J, const double *mu_q, const double *L_q, const double *mu,
                           const double *L, double *work);

/* Draws offset .. offset+n-1 of the stream, z: (n,J), z = mu + L eps; same eps as
 * ev_gaussian_sample, so a diagonal L gives the same draws. */
void ev_gaussian_full_sample(const ev_stream *stream, uint64_t offset, size_t n, size_t J,
                             const double *mu, const double *L, double *z);

/* L from the J(J+1)/2 unconstrained outputs of a network, row by row: as they are below the
 * diagonal, through softplus on it, 0 above. */
void ev_gaussian_full_unpack(size_t J, const double *raw, double *L);

#endif
