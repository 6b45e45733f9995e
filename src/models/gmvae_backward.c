/* The gradient of the loss, minus the mean ELBO, from the decoder's end to the encoder's beginning.
 * Derivatives of one sample's terms carry the factor -1/B from the outset. */
#include "models/gmvae.h"

#include <stdbool.h>
#include <string.h>

/* d_out of sample b: the reconstruction is the mean over its L decoded samples. */
static void backward_likelihood(const ev_gmvae *model, size_t b, const float *x, float scale,
                                ev_gmvae_workspace *w)
{
    const size_t D = model->config.D, L = model->config.samples, E = model->E;
    for (size_t l = 0; l < L; l++)
        ev_likelihood_backward(model->config.likelihood, D, x + b * D, w->out + (b * L + l) * E,
                               scale / (float)L, w->d_out + (b * L + l) * E);
}

/* Does the loss depend on the points of gamma? */
static bool through_points(const ev_gmvae *model, const ev_gmvae_workspace *w)
{
    return model->S > 0 && w->held == NULL;
}

/* What the points of gamma add to d_mu and d_scale; weight is left for the prior's gradient. */
static void backward_points(const ev_gmvae *model, size_t b, const float *noise, float scale,
                            ev_gmvae_workspace *w)
{
    const size_t J = model->config.J, K = model->config.K, S = model->S;
    float *weight = w->weight + b * S * K, *d_points = w->d_points + b * S * J;
    float *d_mu = w->d_mu + b * J, *d_scale = w->d_scale + b * model->scale_size;
    ev_gamma_at_points_backward(&w->prior, S, w->log_r + b * S * K, w->log_gamma + b * K,
                                w->e + b * K, weight);
    memset(d_points, 0, S * J * sizeof *d_points);
    for (size_t s = 0; s < S; s++) {
        float *d_point = d_points + s * J;
        ev_prior_backward_row(&w->prior, w->points + (b * S + s) * J, weight + s * K, d_point,
                              NULL);
        for (size_t j = 0; j < J; j++)
            d_point[j] *= scale;
        if (model->config.gamma == EV_GAMMA_MEAN)
            for (size_t j = 0; j < J; j++)
                d_mu[j] += d_point[j];
        else
            ev_posterior_sample_backward(model->config.posterior, J, noise + (b * model->M + s) * J,
                                         d_point, d_mu, d_scale);
    }
}

static void backward_latent(const ev_gmvae *model, size_t b, const float *noise, float scale,
                            ev_gmvae_workspace *w)
{
    const size_t J = model->config.J, K = model->config.K, L = model->config.samples;
    float *d_mu = w->d_mu + b * J, *d_var = w->d_var + b * J;
    float *d_scale = w->d_scale + b * model->scale_size;
    memset(d_mu, 0, J * sizeof *d_mu);
    memset(d_var, 0, J * sizeof *d_var);
    memset(d_scale, 0, model->scale_size * sizeof *d_scale);
    ev_prior_backward_row(&w->prior, w->mu + b * J, w->gamma + b * K, d_mu, d_var);
    for (size_t j = 0; j < J; j++) {
        d_mu[j] *= scale;
        d_var[j] *= scale;
    }
    if (through_points(model, w))
        backward_points(model, b, noise, scale, w);
    for (size_t l = 0; l < L; l++)
        ev_posterior_sample_backward(model->config.posterior, J, noise + (b * model->M + l) * J,
                                     w->d_z + (b * L + l) * J, d_mu, d_scale);
    ev_posterior_backward(model->config.posterior, J, w->raw + b * model->R,
                          w->scale + b * model->scale_size, d_mu, d_scale, d_var, scale,
                          w->d_raw + b * model->R);
}

static void backward_prior(const ev_gmvae *model, size_t B, float scale,
                           const ev_gmvae_workspace *w, float *gradient)
{
    float *d_logits = gradient + model->prior_logits, *d_mu = gradient + model->prior_mu;
    float *d_log_var = gradient + model->prior_log_var;
    const size_t first = model->prior_logits, end = model->layout.size;
    if (model->config.prior == EV_PRIOR_STANDARD)
        return;
    memset(gradient + first, 0, (end - first) * sizeof *gradient);
    ev_prior_backward(&w->prior, B, w->mu, w->var, w->gamma, scale, d_logits, d_mu, d_log_var);
    if (through_points(model, w))
        ev_prior_backward(&w->prior, B * model->S, w->points, NULL, w->weight, scale, d_logits,
                          d_mu, d_log_var);
}

void ev_gmvae_backward(const ev_gmvae *model, const float *parameters, size_t B, const float *x,
                       const float *noise, ev_gmvae_workspace *w, float *gradient)
{
    const float scale = -1.0F / (float)B;
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < B; b++)
        backward_likelihood(model, b, x, scale, w);
    ev_mlp_backward(&model->decoder, parameters, B * model->config.samples, w->z, w->decoder,
                    w->d_out, w->scratch, w->work, gradient, w->d_z);
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < B; b++)
        backward_latent(model, b, noise, scale, w);
    backward_prior(model, B, scale, w, gradient);
    ev_mlp_backward(&model->encoder, parameters, B, x, w->encoder, w->d_raw, w->scratch, w->work,
                    gradient, NULL);
}
