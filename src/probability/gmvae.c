#include "probability/gmvae.h"

#include "probability/gaussian.h"
#include "probability/log_space.h"

#include <math.h>

double ev_gmvae_categorical_term(size_t K, const double *log_pi, const double *log_gamma)
{
    double sum = 0.0;
    for (size_t c = 0; c < K; c++)
        if (log_gamma[c] != -HUGE_VAL)
            sum += log_pi[c] == -HUGE_VAL ? -HUGE_VAL
                                          : exp(log_gamma[c]) * (log_pi[c] - log_gamma[c]);
    return sum;
}

double ev_gmvae_component_term(const ev_mixture *prior, size_t c, const double *mu_q,
                               const double *sigma_q)
{
    return ev_gaussian_cross_entropy(prior->J, mu_q, sigma_q, prior->mu + c * prior->J,
                                     prior->sigma + c * prior->J);
}

double ev_gmvae_latent_term(const ev_mixture *prior, const double *log_gamma, const double *mu_q,
                            const double *sigma_q)
{
    double sum = 0.0;
    for (size_t c = 0; c < prior->K; c++)
        if (log_gamma[c] != -HUGE_VAL)
            sum = ev_log_product(sum, exp(log_gamma[c]) *
                                          ev_gmvae_component_term(prior, c, mu_q, sigma_q));
    return sum;
}

double ev_gmvae_entropy_term(size_t J, const double *sigma_q)
{
    return ev_gaussian_entropy(J, sigma_q);
}

ev_gmvae_terms ev_gmvae_elbo_terms(const ev_mixture *prior, const double *log_gamma,
                                   const double *mu_q, const double *sigma_q)
{
    ev_gmvae_terms terms = {
        .categorical = ev_gmvae_categorical_term(prior->K, prior->log_pi, log_gamma),
        .latent = ev_gmvae_latent_term(prior, log_gamma, mu_q, sigma_q),
        .entropy = ev_gmvae_entropy_term(prior->J, sigma_q)};
    terms.sum = ev_log_product(ev_log_product(terms.categorical, terms.latent), terms.entropy);
    return terms;
}

double ev_gmvae_optimal_gamma(const ev_mixture *prior, const double *mu_q, const double *sigma_q,
                              double *log_gamma)
{
    return ev_mixture_expected_responsibilities(prior, mu_q, sigma_q, log_gamma);
}
