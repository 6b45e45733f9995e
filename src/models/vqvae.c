#include "models/vqvae.h"

#include "nn/dense.h"
#include "numerics/random.h"

#include <limits.h>
#include <math.h>

const ev_vqvae_config ev_vqvae_default = {.height = 28,
                                          .width = 28,
                                          .channels = 1,
                                          .hidden = 64,
                                          .inner = 32,
                                          .blocks = 2,
                                          .J = 64,
                                          .K = 512,
                                          .likelihood = EV_LIKELIHOOD_BERNOULLI,
                                          .codebook = EV_CODEBOOK_AVERAGE,
                                          .beta = 0.25,
                                          .decay = 0.99,
                                          .epsilon = 1e-5,
                                          .revive = 0.01};
const char *const ev_codebook_names[] = {"ema", "gradient", NULL};
const char *const ev_vqvae_term_names[EV_VQ_TERMS] = {"reconstruction", "codebook", "commitment"};

static ev_status check_sizes(const ev_vqvae_config *c, ev_error *error)
{
    const struct {
        const char *what;
        size_t value, least, most, multiple;
    } sizes[] = {
        {"the height of an image", c->height, 4, EV_VQVAE_SIDE, 4},
        {"the width of an image", c->width, 4, EV_VQVAE_SIDE, 4},
        {"the number of channels of an image", c->channels, 1, 16, 1},
        {"the number of hidden channels", c->hidden, 2, EV_VQVAE_CHANNELS, 2},
        {"the number of channels inside a residual block", c->inner, 1, EV_VQVAE_CHANNELS, 1},
        {"the number of residual blocks", c->blocks, 0, EV_VQVAE_BLOCKS, 1},
        {"the number of dimensions of a code", c->J, 1, EV_VQVAE_CHANNELS, 1},
        {"the number of codes", c->K, 1, EV_VQVAE_CODES, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (sizes[i].value < sizes[i].least || sizes[i].value > sizes[i].most)
            return ev_error_set(error, EV_BAD_INPUT, "%s is %zu: expected %zu to %zu",
                                sizes[i].what, sizes[i].value, sizes[i].least, sizes[i].most);
        if (sizes[i].value % sizes[i].multiple != 0)
            return ev_error_set(error, EV_BAD_INPUT, "%s is %zu: expected a multiple of %zu",
                                sizes[i].what, sizes[i].value, sizes[i].multiple);
    }
    return EV_OK;
}

static ev_status check_numbers(const ev_vqvae_config *c, ev_error *error)
{
    const struct {
        const char *what;
        double value, below;
    } numbers[] = {{"beta", c->beta, HUGE_VAL},
                   {"the decay of the codebook", c->decay, 1},
                   {"the smoothing of the codebook", c->epsilon, HUGE_VAL},
                   {"the share below which a code is dead", c->revive, 1}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!(numbers[i].value >= 0 && numbers[i].value < numbers[i].below))
            return ev_error_set(error, EV_BAD_INPUT, "%s is %g: expected a number of at least 0%s",
                                numbers[i].what, numbers[i].value,
                                numbers[i].below > 1 ? "" : " and below 1");
    return EV_OK;
}

static void add_blocks(ev_conv_net *net, ev_layout *layout, const char *name,
                       const ev_vqvae_config *c, bool relu)
{
    for (size_t i = 0; i < c->blocks; i++)
        ev_conv_net_residual(net, layout, name, c->height / 4, c->width / 4, c->hidden, c->inner,
                             relu && i + 1 == c->blocks);
}

/* The two halvings, from `channels` to h/2 and to h; the decoder's transposes have their shapes. */
static void halvings(const ev_vqvae_config *c, size_t channels, ev_conv conv[2])
{
    conv[0] = (ev_conv){c->height, c->width, channels, 4, 2, 1, c->hidden / 2};
    conv[1] = (ev_conv){c->height / 2, c->width / 2, c->hidden / 2, 4, 2, 1, c->hidden};
}

static void lay_out(ev_vqvae *model)
{
    const ev_vqvae_config *c = &model->config;
    const size_t h = c->hidden, P = c->height / 4, Q = c->width / 4;
    ev_conv conv[2];
    halvings(c, c->channels, conv);
    ev_conv_net_conv(&model->encoder, &model->layout, "encoder", &conv[0], true);
    ev_conv_net_conv(&model->encoder, &model->layout, "encoder", &conv[1], true);
    ev_conv_net_conv(&model->encoder, &model->layout, "encoder", &(ev_conv){P, Q, h, 3, 1, 1, h},
                     c->blocks == 0);
    add_blocks(&model->encoder, &model->layout, "encoder", c, true);
    ev_conv_net_conv(&model->encoder, &model->layout, "encoder", &(ev_conv){P, Q, h, 1, 1, 0, c->J},
                     false);
    halvings(c, model->E / (c->height * c->width), conv);
    ev_conv_net_conv(&model->decoder, &model->layout, "decoder", &(ev_conv){P, Q, c->J, 3, 1, 1, h},
                     c->blocks == 0);
    add_blocks(&model->decoder, &model->layout, "decoder", c, true);
    ev_conv_net_transposed(&model->decoder, &model->layout, "decoder", &conv[1], true);
    ev_conv_net_transposed(&model->decoder, &model->layout, "decoder", &conv[0], false);
    size_t block = ev_layout_add(&model->layout, "codebook", c->K, c->J);
    model->codebook = model->layout.block[block].offset;
}

ev_status ev_vqvae_create(ev_vqvae *model, const ev_vqvae_config *config, ev_error *error)
{
    ev_status status = check_sizes(config, error);
    if (status == EV_OK)
        status = check_numbers(config, error);
    if (status != EV_OK)
        return status;
    size_t D = config->height * config->width * config->channels;
    *model = (ev_vqvae){.config = *config,
                        .D = D,
                        .N = config->height / 4 * (config->width / 4),
                        .E = ev_likelihood_outputs(config->likelihood, D),
                        .rule = {.decay = config->decay,
                                 .epsilon = config->epsilon,
                                 .revive = config->revive,
                                 .average = config->codebook == EV_CODEBOOK_AVERAGE}};
    lay_out(model);
    ev_dense_prepare(); /* of the search for the nearest codes */
    return EV_OK;
}

void ev_vqvae_initialise(const ev_vqvae *model, uint64_t seed, float *parameters)
{
    const size_t n = model->config.K * model->config.J;
    float *codes = parameters + model->codebook;
    const ev_stream stream = ev_stream_make(seed, ev_hash_text("vqvae.codebook"), 0, 0);
    for (size_t i = 0; i < model->layout.size; i++)
        parameters[i] = 0.0F;
    ev_conv_net_initialise(&model->encoder, "vqvae.encoder", seed, parameters);
    ev_conv_net_initialise(&model->decoder, "vqvae.decoder", seed, parameters);
    for (size_t i = 0; i < n; i++) {
        double u;
        ev_stream_uniforms(&stream, i, 1, &u);
        codes[i] = (float)((2 * u - 1) / (double)model->config.K);
    }
}

double ev_vqvae_total(const ev_vqvae *model, const ev_vqvae_loss *loss)
{
    double codebook = model->config.codebook == EV_CODEBOOK_GRADIENT ? loss->term[EV_VQ_CODEBOOK]
                                                                     : 0;
    return loss->term[EV_VQ_RECONSTRUCTION] + codebook + loss->term[EV_VQ_COMMITMENT];
}

double ev_vqvae_bound(const ev_vqvae *model, const ev_vqvae_loss *loss)
{
    return -loss->term[EV_VQ_RECONSTRUCTION] - (double)model->N * log((double)model->config.K);
}
