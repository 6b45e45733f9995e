#include "train/vqvae_settings.h"

#include "train/run_folder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const model_names[] = {"vqvae", NULL};

void ev_vqvae_settings_default(ev_vqvae_settings *s)
{
    const ev_vqvae_config *c = &ev_vqvae_default;
    *s = (ev_vqvae_settings){.likelihood = EV_LIKELIHOOD_GAUSSIAN,
                             .hidden = c->hidden,
                             .inner = c->inner,
                             .blocks = c->blocks,
                             .codes = c->K,
                             .code_size = c->J,
                             .start_iterations = 10,
                             .prior_hidden = ev_code_prior_default.hidden,
                             .prior_blocks = 2,
                             .beta = c->beta,
                             .decay = c->decay,
                             .smoothing = c->epsilon,
                             .revive = c->revive,
                             .rate = 1e-3,
                             .prior_rate = 2e-3,
                             .epochs = 3,
                             .prior_epochs = 2,
                             .batch = 128,
                             .seed = 1};
    snprintf(s->data, sizeof s->data, "%s", ev_image_set_default_folder());
    snprintf(s->revision, sizeof s->revision, "%s", ev_run_revision());
    snprintf(s->compiler, sizeof s->compiler, "%s", ev_run_compiler());
}

#define WHOLE(name, least, most)                                         \
    {                                                                    \
#name, EV_CONFIG_WHOLE, &s->name, .low = (least), .high = (most) \
    }
#define REAL(name, most, above)                                                    \
    {                                                                              \
#name, EV_CONFIG_REAL, &s->name, .low = 0, .high = (most), .open = (above) \
    }

size_t ev_vqvae_settings_keys(ev_vqvae_settings *s, ev_config_key keys[EV_VQVAE_SETTINGS_KEYS],
                              const char *help[EV_VQVAE_SETTINGS_KEYS])
{
    const struct {
        ev_config_key key;
        const char *help;
    } table[] = {
        {{"model", EV_CONFIG_CHOICE, &s->model, .choices = model_names}, NULL},
        {{"likelihood", EV_CONFIG_CHOICE, &s->likelihood, .choices = ev_likelihood_names},
         "p(x|z_q)"},
        {{"codebook", EV_CONFIG_CHOICE, &s->codebook, .choices = ev_codebook_names},
         "how the codes move: by moving averages or by gradient"},
        {WHOLE(hidden, 2, EV_VQVAE_CHANNELS), "channels, an even number"},
        {WHOLE(inner, 1, EV_VQVAE_CHANNELS), "channels inside a residual block"},
        {WHOLE(blocks, 0, EV_VQVAE_BLOCKS), "residual blocks on each side"},
        {WHOLE(codes, 1, EV_VQVAE_CODES), "size of the dictionary"},
        {WHOLE(code_size, 1, EV_VQVAE_CHANNELS), "dimensions of a code"},
        {WHOLE(start_iterations, 0, 1000), "iterations of k-means that place the codes at first"},
        {REAL(beta, 1e6, false), "weight of the commitment"},
        {REAL(decay, 0.999999, false), "decay of the codes' averages"},
        {REAL(smoothing, 1e6, false), "smoothing of the counts (Laplace)"},
        {REAL(revive, 0.99, false), "share of the even share below which a code is dead; 0: never"},
        {WHOLE(epochs, 1, 1000000), "epochs of the autoencoder"},
        {REAL(rate, 1, true), "its learning rate"},
        {WHOLE(prior_epochs, 0, 1000000), "epochs of the prior over codes"},
        {REAL(prior_rate, 1, true), "its learning rate"},
        {WHOLE(prior_hidden, 1, 512), "its channels"},
        {WHOLE(prior_blocks, 1, 8), "its residual blocks"},
        {WHOLE(batch, 1, 65536), "images a step"},
        {{"binarise", EV_CONFIG_CHOICE, &s->binarise, .choices = ev_binarisation_names},
         "how grey pixels become binary"},
        {WHOLE(threads, 0, 256), "threads (0: OpenMP's default)"},
        {WHOLE(seed, 0, 0x1p63), "the seed of every random draw"},
        {{"data", EV_CONFIG_TEXT, s->data, .low = 0}, "folder of IDX files, as MNIST's"},
        {WHOLE(height, 0, EV_IMAGE_PIXELS), NULL},
        {WHOLE(width, 0, EV_IMAGE_PIXELS), NULL},
        {WHOLE(checksum, 0, 0xffffffffU), NULL},
        {{"revision", EV_CONFIG_TEXT, s->revision, .low = 0}, NULL},
        {{"compiler", EV_CONFIG_TEXT, s->compiler, .low = 0}, NULL}};
    const size_t count = sizeof table / sizeof *table;
    for (size_t i = 0; i < count; i++) {
        keys[i] = table[i].key;
        if (help != NULL)
            help[i] = table[i].help;
    }
    return count;
}

ev_vqvae_train_config ev_vqvae_settings_train_config(const ev_vqvae_settings *s)
{
    return (ev_vqvae_train_config){.model = {.height = (size_t)s->height,
                                             .width = (size_t)s->width,
                                             .channels = 1,
                                             .hidden = (size_t)s->hidden,
                                             .inner = (size_t)s->inner,
                                             .blocks = (size_t)s->blocks,
                                             .J = (size_t)s->code_size,
                                             .K = (size_t)s->codes,
                                             .likelihood = (ev_likelihood_kind)s->likelihood,
                                             .codebook = (ev_codebook_kind)s->codebook,
                                             .beta = s->beta,
                                             .decay = s->decay,
                                             .epsilon = s->smoothing,
                                             .revive = s->revive},
                                   .prior = {.embedding = ev_code_prior_default.embedding,
                                             .hidden = (size_t)s->prior_hidden,
                                             .inner = ev_code_prior_default.inner,
                                             .blocks = (size_t)s->prior_blocks},
                                   .seed = s->seed,
                                   .batch = (size_t)s->batch,
                                   .epochs = (size_t)s->epochs,
                                   .prior_epochs = (size_t)s->prior_epochs,
                                   .rate = s->rate,
                                   .prior_rate = s->prior_rate,
                                   .adam = EV_ADAM_DEFAULT,
                                   .start_iterations = (size_t)s->start_iterations,
                                   .threads = (size_t)s->threads};
}

ev_status ev_vqvae_settings_bind_images(ev_vqvae_settings *s, const ev_image_set *images,
                                        ev_error *error)
{
    if (s->height != 0 && (s->height != images->height || s->width != images->width ||
                           s->checksum != images->train.checksum))
        return ev_error_set(error, EV_BAD_INPUT,
                            "%s: these are not the images that the run was trained on", s->data);
    s->height = images->height;
    s->width = images->width;
    s->checksum = images->train.checksum;
    return EV_OK;
}
