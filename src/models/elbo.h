/* The evidence lower bound by term, as the models report it.
 *
 *   ELBO = reconstruction + latent + categorical + entropy, in nats, where (src/probability/gmvae.h)
 *     reconstruction   E_q[log p(x|z)], estimated by the samples of z
 *     latent           sum_c gamma_c E_q[log p(z|c)]
 *     categorical      sum_c gamma_c log(pi_c/gamma_c)
 *     entropy          H(q(z|x))
 * with every log(2 pi) kept.  The loss that an optimiser sees is minus the ELBO's mean over a batch.
 */
#ifndef EV_MODELS_ELBO_H
#define EV_MODELS_ELBO_H

#include <stddef.h>

typedef enum {
    EV_RECONSTRUCTION,
    EV_LATENT,
    EV_CATEGORICAL,
    EV_ENTROPY,
    EV_ELBO_TERMS /* how many there are */
} ev_elbo_term;

typedef struct {
    double term[EV_ELBO_TERMS]; /* nats a sample */
} ev_elbo;

/* "reconstruction", ... */
extern const char *const ev_elbo_term_names[EV_ELBO_TERMS];

/* The sum of the terms. */
double ev_elbo_total(const ev_elbo *elbo);
/* The first term that is not finite; EV_ELBO_TERMS when all are. */
ev_elbo_term ev_elbo_not_finite(const ev_elbo *elbo);
/* The mean over B samples of their terms (B, EV_ELBO_TERMS), summed in order and in double. */
ev_elbo ev_elbo_mean(size_t B, const float *terms);

#endif
