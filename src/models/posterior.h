/* The posterior q(z|x) from the encoder's raw outputs, and back.
 *
 *   J       latent dimensions
 *   raw     (R) what the encoder puts out; R = ev_posterior_outputs
 *   mu      (J) mean
 *   scale   the square root of the covariance, S = ev_posterior_scale_size floats:
 *             diagonal  (J) standard deviations sigma
 *             full      (J,J) row-major L, lower triangular with zeros above, Sigma = L L^T
 *   var     (J) marginal variances, sigma_j^2 or sum_i L_ji^2
 *
 * diagonal: raw = [mu (J), log_var (J)]; log_var is held to [EV_LOG_VAR_MIN, EV_LOG_VAR_MAX].
 * full: raw = [mu (J), the lower triangle row by row (J(J+1)/2)]; off the diagonal as it is, on it
 *   L_jj = EV_SCALE_FLOOR + softplus(raw).  Without the floor this is ev_gaussian_full_unpack.
 * Where log_var is held, its derivative is 0.
 *
 * One sample; d_x is the derivative of a scalar by x.
 */
#ifndef EV_MODELS_POSTERIOR_H
#define EV_MODELS_POSTERIOR_H

#include <stddef.h>

typedef enum { EV_POSTERIOR_DIAGONAL, EV_POSTERIOR_FULL } ev_posterior_kind;

/* For every log variance of the latent space, the prior's too: standard deviations from 4.5e-5 to
 * 2.2e4, so that squares and quotients of them stay far from float's limits. */
#define EV_LOG_VAR_MIN (-20.0F)
#define EV_LOG_VAR_MAX 20.0F
#define EV_SCALE_FLOOR 1e-4F

size_t ev_posterior_outputs(ev_posterior_kind kind, size_t J);
size_t ev_posterior_scale_size(ev_posterior_kind kind, size_t J);

/* mu, scale and var from raw; returns the entropy H(q) = J log(2 pi e)/2 + log det scale, nats. */
float ev_posterior_forward(ev_posterior_kind kind, size_t J, const float *raw, float *mu,
                           float *scale, float *var);
/* z = mu + scale eps, all (J). */
void ev_posterior_sample(ev_posterior_kind kind, size_t J, const float *mu, const float *scale,
                         const float *eps, float *z);
/* Add to d_mu (J) and d_scale (S) what d_z (J) brings in. */
void ev_posterior_sample_backward(ev_posterior_kind kind, size_t J, const float *eps,
                                  const float *d_z, float *d_mu, float *d_scale);
/* d_raw (R) from d_mu (J), d_scale (S), d_var (J) and d_entropy. */
void ev_posterior_backward(ev_posterior_kind kind, size_t J, const float *raw, const float *scale,
                           const float *d_mu, const float *d_scale, const float *d_var,
                           float d_entropy, float *d_raw);

#endif
