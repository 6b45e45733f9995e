/* log p(x|z) from the decoder's outputs, and its derivative.
 *
 *   D     pixels
 *   x     (D) the image; for a Bernoulli each in [0,1]
 *   out   (E) what the decoder puts out; E = ev_likelihood_outputs
 *     Bernoulli: out = logits l (D):     sum_i x_i l_i - log(1 + e^l_i)
 *     Gaussian:  out = [mean (D), log_var (D)]:
 *                -sum_i [ log(2 pi) + log_var_i + (x_i - mean_i)^2 exp(-log_var_i) ]/2,
 *                log_var held to [EV_LOG_VAR_X_MIN, EV_LOG_VAR_X_MAX], with derivative 0 beyond
 * One sample, in nats.  For x strictly between 0 and 1 the first is minus a cross-entropy, not a log
 * probability: what the number means depends on how the images were made binary.
 */
#ifndef EV_MODELS_LIKELIHOOD_H
#define EV_MODELS_LIKELIHOOD_H

#include <stddef.h>

typedef enum { EV_LIKELIHOOD_BERNOULLI, EV_LIKELIHOOD_GAUSSIAN } ev_likelihood_kind;
/* "bernoulli", "gaussian", as on the command line; ended by NULL. */
extern const char *const ev_likelihood_names[];

/* A pixel that never changes would have no likelihood otherwise: its best variance is 0.  The
 * smallest standard deviation is 0.018, 4.7 of 255 grey levels. */
#define EV_LOG_VAR_X_MIN (-8.0F)
#define EV_LOG_VAR_X_MAX 8.0F

/* Held to these limits; a NaN stays one. */
static inline float ev_likelihood_log_var(float log_var)
{
    float low = log_var < EV_LOG_VAR_X_MIN ? EV_LOG_VAR_X_MIN : log_var;
    return low > EV_LOG_VAR_X_MAX ? EV_LOG_VAR_X_MAX : low;
}

size_t ev_likelihood_outputs(ev_likelihood_kind kind, size_t D);

/* log p(x|z). */
float ev_likelihood_forward(ev_likelihood_kind kind, size_t D, const float *x, const float *out);
/* The same, and d_out (E) = scale times its derivative by out. */
float ev_likelihood_backward(ev_likelihood_kind kind, size_t D, const float *x, const float *out,
                             float scale, float *d_out);
/* E[x|z] (D): sigmoid of the logits, or the mean. */
void ev_likelihood_mean(ev_likelihood_kind kind, size_t D, const float *out, float *mean);

#endif
