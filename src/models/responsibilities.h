/* gamma = q(c|x), chosen from q(z|x) and the prior, in four ways.
 *
 *   optimal   gamma_c ∝ pi_c exp(E_q[log p(z|c)]): the maximiser of the ELBO
 *   average   E_q[p(c|z)], estimated by S samples of z
 *   sample    p(c|z) at one sample of z
 *   mean      p(c|z) at the mean of q(z|x)
 *
 * Gradient.  Every mode's loss is differentiated as it stands, gamma included: what an optimiser
 * sees is the true gradient of the reported loss.  For `optimal` the part through gamma is 0 by the
 * envelope theorem (gamma maximises categorical + latent on the simplex), so nothing is computed; for
 * the others it is carried, through p(c|z) to the prior's parameters and through z to mu and scale.
 *
 * Or gamma is held at one cluster, given from outside: the ELBO is a bound for every gamma, and what
 * is held carries no gradient.
 *
 * The three but the first are one formula: gamma = (1/S) sum_s r_s, r_sc = p(c|z_s), at S `points` z_s.
 * One sample of the batch; all in log space.
 */
#ifndef EV_MODELS_RESPONSIBILITIES_H
#define EV_MODELS_RESPONSIBILITIES_H

#include "models/prior.h"

#include <stddef.h>
#include <stdint.h>

typedef enum { EV_GAMMA_OPTIMAL, EV_GAMMA_AVERAGE, EV_GAMMA_SAMPLE, EV_GAMMA_MEAN } ev_gamma_kind;

/* log_gamma (K) from e (K), the expected log densities of prior.h; returns the log of the
 * normaliser, which is categorical + latent. */
float ev_gamma_optimal(const ev_prior *prior, const float *e, float *log_gamma);

/* gamma = 1 for one cluster: log_gamma (K) is 0 there and elsewhere a number whose exp is 0 and whose
 * product with that is 0. */
void ev_gamma_held(size_t K, uint32_t cluster, float *log_gamma);

/* log_r (S,K) and log_gamma (K) at S >= 1 points (S,J). */
void ev_gamma_at_points(const ev_prior *prior, size_t S, const float *points, float *log_r,
                        float *log_gamma);
/* weight (S,K): the derivative of categorical + latent by log(pi_c p(z_s|c)) through gamma.  With
 * g_c = e_c + log pi_c - log gamma_c it is r_sc (g_c - sum_k r_sk g_k)/S. */
void ev_gamma_at_points_backward(const ev_prior *prior, size_t S, const float *log_r,
                                 const float *log_gamma, const float *e, float *weight);

#endif
