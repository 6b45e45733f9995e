#include "models/gmvae.h"

#include "nn/buffer.h"
#include "nn/dense.h"
#include "numerics/random.h"

#include <string.h>

const char *const ev_prior_names[] = {"mixture", "standard", NULL};
const char *const ev_posterior_names[] = {"diagonal", "full", NULL};
const char *const ev_gamma_names[] = {"optimal", "average", "sample", "mean", NULL};

static ev_status check_size(const char *what, size_t value, size_t most, ev_error *error)
{
    if (value >= 1 && value <= most)
        return EV_OK;
    return ev_error_set(error, EV_BAD_INPUT, "%s is %zu: expected 1 to %zu", what, value, most);
}

static ev_status check_config(const ev_gmvae_config *c, ev_error *error)
{
    const struct {
        const char *what;
        size_t value, most;
    } sizes[] = {{"the number of pixels", c->D, EV_GMVAE_WIDTH},
                 {"the number of latent dimensions", c->J, EV_GMVAE_LATENT},
                 {"the number of clusters", c->K, EV_PRIOR_CLUSTERS},
                 {"the number of hidden layers", c->layers, EV_GMVAE_HIDDEN},
                 {"the number of samples of z", c->samples, EV_GMVAE_SAMPLES}};
    ev_status status = EV_OK;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && status == EV_OK; i++)
        status = check_size(sizes[i].what, sizes[i].value, sizes[i].most, error);
    for (size_t l = 0; status == EV_OK && l < c->layers; l++)
        status = check_size("the width of a hidden layer", c->hidden[l], EV_GMVAE_WIDTH, error);
    if (status == EV_OK && c->gamma == EV_GAMMA_AVERAGE)
        status = check_size("the number of samples for gamma", c->gamma_samples, EV_GMVAE_SAMPLES,
                            error);
    if (status == EV_OK && c->prior == EV_PRIOR_STANDARD && c->K != 1)
        status = ev_error_set(error, EV_BAD_INPUT,
                              "a standard normal prior has one cluster, not %zu", c->K);
    return status;
}

static size_t gamma_points(const ev_gmvae_config *c)
{
    switch (c->gamma) {
    case EV_GAMMA_OPTIMAL: return 0;
    case EV_GAMMA_AVERAGE: return c->gamma_samples;
    default: return 1;
    }
}

static size_t add_block(ev_layout *layout, const char *name, size_t rows, size_t columns)
{
    return layout->block[ev_layout_add(layout, name, rows, columns)].offset;
}

static void lay_out(ev_gmvae *model)
{
    const ev_gmvae_config *c = &model->config;
    size_t width[EV_MLP_DEPTH + 1] = {c->D}, mirrored[EV_MLP_DEPTH + 1] = {c->J};
    for (size_t l = 0; l < c->layers; l++) {
        width[l + 1] = c->hidden[l];
        mirrored[l + 1] = c->hidden[c->layers - 1 - l];
    }
    width[c->layers + 1] = model->R;
    mirrored[c->layers + 1] = model->E;
    ev_mlp_create(&model->encoder, &model->layout, "encoder", c->layers + 1, width);
    ev_mlp_create(&model->decoder, &model->layout, "decoder", c->layers + 1, mirrored);
    if (c->prior == EV_PRIOR_MIXTURE) {
        model->prior_logits = add_block(&model->layout, "prior.logits", c->K, 0);
        model->prior_mu = add_block(&model->layout, "prior.mu", c->K, c->J);
        model->prior_log_var = add_block(&model->layout, "prior.log_var", c->K, c->J);
    }
}

ev_status ev_gmvae_create(ev_gmvae *model, const ev_gmvae_config *config, ev_error *error)
{
    ev_status status = check_config(config, error);
    if (status != EV_OK)
        return status;
    *model = (ev_gmvae){.config = *config,
                        .R = ev_posterior_outputs(config->posterior, config->J),
                        .E = ev_likelihood_outputs(config->likelihood, config->D),
                        .S = gamma_points(config),
                        .scale_size = ev_posterior_scale_size(config->posterior, config->J)};
    model->M = model->S > config->samples ? model->S : config->samples;
    lay_out(model);
    ev_dense_prepare();
    return EV_OK;
}

void ev_gmvae_initialise(const ev_gmvae *model, uint64_t seed, float *parameters)
{
    const ev_gmvae_config *c = &model->config;
    memset(parameters, 0, model->layout.size * sizeof *parameters);
    ev_mlp_initialise(&model->encoder, "encoder", seed, parameters);
    ev_mlp_initialise(&model->decoder, "decoder", seed, parameters);
    if (c->prior == EV_PRIOR_STANDARD)
        return;
    const ev_stream stream = ev_stream_make(seed, ev_hash_text("prior.mu"), 0, 0);
    for (size_t i = 0; i < c->K * c->J; i++) {
        double normal;
        ev_stream_normals(&stream, i, 1, &normal);
        parameters[model->prior_mu + i] = (float)normal;
    }
}

void ev_gmvae_set_prior(const ev_gmvae *model, const double *log_pi, const double *mu,
                        const double *log_var, float *parameters)
{
    const size_t J = model->config.J, K = model->config.K;
    if (model->config.prior == EV_PRIOR_STANDARD)
        return;
    for (size_t c = 0; c < K; c++)
        parameters[model->prior_logits + c] = (float)log_pi[c];
    for (size_t i = 0; i < K * J; i++) {
        parameters[model->prior_mu + i] = (float)mu[i];
        parameters[model->prior_log_var + i] = (float)log_var[i];
    }
}

void ev_gmvae_noise(const ev_gmvae *model, uint64_t seed, uint64_t step, size_t B, float *noise)
{
    enum { CHUNK = 256 };
    const ev_stream stream = ev_stream_make(seed, ev_hash_text("gmvae-noise"), (uint32_t)step,
                                            (uint32_t)(step >> 32));
    size_t n = B * model->M * model->config.J;
    for (size_t done = 0; done < n;) {
        double normals[CHUNK];
        size_t take = n - done < CHUNK ? n - done : CHUNK;
        ev_stream_normals(&stream, done, take, normals);
        for (size_t i = 0; i < take; i++)
            noise[done + i] = (float)normals[i];
        done += take;
    }
}
