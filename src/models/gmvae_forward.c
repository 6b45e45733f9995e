#include "models/gmvae.h"
#include "nn/float_math.h"

#include <string.h>

static void prepare_prior(const ev_gmvae *model, const float *parameters, ev_prior *prior)
{
    if (model->config.prior == EV_PRIOR_STANDARD)
        ev_prior_prepare(prior, NULL, NULL, NULL);
    else
        ev_prior_prepare(prior, parameters + model->prior_logits, parameters + model->prior_mu,
                         parameters + model->prior_log_var);
}

/* z_s for gamma: the mean, or the first S draws. */
static void place_points(const ev_gmvae *model, size_t b, const float *noise, ev_gmvae_workspace *w)
{
    const size_t J = model->config.J, S = model->S;
    const float *mu = w->mu + b * J, *scale = w->scale + b * model->scale_size;
    for (size_t s = 0; s < S; s++) {
        float *point = w->points + (b * S + s) * J;
        if (model->config.gamma == EV_GAMMA_MEAN)
            memcpy(point, mu, J * sizeof *point);
        else
            ev_posterior_sample(model->config.posterior, J, mu, scale,
                                noise + (b * model->M + s) * J, point);
    }
}

static void responsibilities(const ev_gmvae *model, size_t b, const float *noise,
                             ev_gmvae_workspace *w)
{
    const size_t J = model->config.J, K = model->config.K, S = model->S;
    float *e = w->e + b * K, *log_gamma = w->log_gamma + b * K, *gamma = w->gamma + b * K;
    float *terms = w->terms + b * EV_ELBO_TERMS;
    ev_prior_expected_log_density(&w->prior, w->mu + b * J, w->var + b * J, e);
    if (w->held != NULL) {
        ev_gamma_held(K, w->held[b], log_gamma);
    } else if (S == 0) {
        ev_gamma_optimal(&w->prior, e, log_gamma);
    } else {
        place_points(model, b, noise, w);
        ev_gamma_at_points(&w->prior, S, w->points + b * S * J, w->log_r + b * S * K, log_gamma);
    }
    ev_float_exp(K, log_gamma, gamma);
    terms[EV_LATENT] = terms[EV_CATEGORICAL] = 0.0F;
    for (size_t c = 0; c < K; c++) {
        terms[EV_LATENT] += gamma[c] * e[c];
        terms[EV_CATEGORICAL] += gamma[c] * (w->prior.log_pi[c] - log_gamma[c]);
    }
}

void ev_gmvae_encode(const ev_gmvae *model, const float *parameters, size_t B, const float *x,
                     const float *noise, ev_gmvae_workspace *w)
{
    const ev_posterior_kind kind = model->config.posterior;
    const size_t J = model->config.J;
    prepare_prior(model, parameters, &w->prior);
    ev_mlp_forward(&model->encoder, parameters, B, x, w->encoder, w->work);
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < B; b++) {
        w->terms[b * EV_ELBO_TERMS + EV_ENTROPY] = ev_posterior_forward(
            kind, J, w->raw + b * model->R, w->mu + b * J, w->scale + b * model->scale_size,
            w->var + b * J);
        responsibilities(model, b, noise, w);
    }
}

void ev_gmvae_decode(const ev_gmvae *model, const float *parameters, size_t n, const float *z,
                     ev_gmvae_workspace *w)
{
    ev_mlp_forward(&model->decoder, parameters, n, z, w->decoder, w->work);
}

static void draw(const ev_gmvae *model, size_t b, const float *noise, ev_gmvae_workspace *w)
{
    const size_t J = model->config.J, L = model->config.samples;
    for (size_t l = 0; l < L; l++)
        ev_posterior_sample(model->config.posterior, J, w->mu + b * J,
                            w->scale + b * model->scale_size, noise + (b * model->M + l) * J,
                            w->z + (b * L + l) * J);
}

static float reconstruction(const ev_gmvae *model, size_t b, const float *x,
                            const ev_gmvae_workspace *w)
{
    const size_t D = model->config.D, L = model->config.samples;
    float sum = 0.0F;
    for (size_t l = 0; l < L; l++)
        sum += ev_likelihood_forward(model->config.likelihood, D, x + b * D,
                                     w->out + (b * L + l) * model->E);
    return sum / (float)L;
}

ev_elbo ev_gmvae_forward(const ev_gmvae *model, const float *parameters, size_t B, const float *x,
                         const float *noise, ev_gmvae_workspace *w)
{
    ev_gmvae_encode(model, parameters, B, x, noise, w);
    for (size_t b = 0; b < B; b++)
        draw(model, b, noise, w);
    ev_gmvae_decode(model, parameters, B * model->config.samples, w->z, w);
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < B; b++)
        w->terms[b * EV_ELBO_TERMS + EV_RECONSTRUCTION] = reconstruction(model, b, x, w);
    return ev_elbo_mean(B, w->terms);
}
