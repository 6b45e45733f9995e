/* Closed forms of the Gaussian-mixture VAE: every term of its ELBO but the reconstruction.
 *
 *   p(c) = pi_c,  p(z|c) = N(z; mu_c, diag(sigma_c^2)),  q(z|x) = N(z; mu_q, diag(sigma_q^2)),
 *   q(c|x) = gamma_c, independent of z given x;
 *
 *   ELBO = E_q[log p(x|z)] + categorical + latent + entropy.
 *
 *   prior      K components of dimension J (mixture.h)
 *   log_gamma  (K) log q(c|x), normalised; log 0 = -HUGE_VAL is allowed and contributes 0
 *   mu_q, sigma_q  (J), sigma_q a standard deviation
 * In nats, with every log(2 pi) kept: the terms may be compared one by one.
 */
#ifndef EV_PROBABILITY_GMVAE_H
#define EV_PROBABILITY_GMVAE_H

#include "probability/mixture.h"

#include <stddef.h>

/* sum_c gamma_c log(pi_c/gamma_c) = -KL(q(c|x)||p(c)) <= 0; -HUGE_VAL when pi_c = 0 < gamma_c
 * for some c.  gamma need not be normalised here: it is the plain sum. */
double ev_gmvae_categorical_term(size_t K, const double *log_pi, const double *log_gamma);

/* E_q[log p(z|c)] for one c:
 *   -sum_j [ log(2 pi sigma_cj^2) + (sigma_q_j^2 + (mu_q_j - mu_cj)^2)/sigma_cj^2 ]/2. */
double ev_gmvae_component_term(const ev_mixture *prior, size_t c, const double *mu_q,
                               const double *sigma_q);

/* sum_c gamma_c E_q[log p(z|c)]. */
double ev_gmvae_latent_term(const ev_mixture *prior, const double *log_gamma, const double *mu_q,
                            const double *sigma_q);

/* H(q(z|x)) = sum_j log(2 pi e sigma_q_j^2)/2. */
double ev_gmvae_entropy_term(size_t J, const double *sigma_q);

typedef struct {
    double categorical;
    double latent;
    double entropy;
    double sum; /* ELBO - E_q[log p(x|z)] <= -KL(q(z|x)||p(z)) */
} ev_gmvae_terms;

/* All of the above at once. */
ev_gmvae_terms ev_gmvae_elbo_terms(const ev_mixture *prior, const double *log_gamma,
                                   const double *mu_q, const double *sigma_q);

/* The gamma that maximises the ELBO for given q(z|x), as log_gamma (K):
 *   gamma_c ∝ pi_c exp(E_q[log p(z|c)]).
 * Returns the log of the normaliser, which is the maximum of categorical + latent.  This
 * is neither p(c|z) at one sample of z nor E_q[p(c|z)], though all agree as
 * sigma_q -> 0.  Edge cases as for ev_mixture_expected_responsibilities. */
double ev_gmvae_optimal_gamma(const ev_mixture *prior, const double *mu_q, const double *sigma_q,
                              double *log_gamma);

#endif
