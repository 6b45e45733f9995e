#include "train/settings.h"

#include "train/batches.h"
#include "train/run_folder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const ev_model_names[] = {"gmvae", "vae", NULL};
const char *const ev_preset_names[] = {"small", "paper", NULL};

/* VaDE's network and batch (Z. Jiang et al., IJCAI 2017), with a recipe of its own: the autoencoder
 * learns to undo small warps, the clusters of its means' graph of neighbours are held until the latent
 * space has taken the mixture's shape, and the ELBO is then raised in small steps; and once more from
 * the clusters of the means as they are then. */
static void paper(ev_settings *s)
{
    s->hidden = (ev_config_list){3, {500, 500, 2000}};
    s->batch = 100;
    s->epochs = 10;
    s->autoencoder_epochs = 20;
    s->held_epochs = 10;
    s->rounds = 2;
    s->rate = 0.0002;
    s->schedule = EV_SCHEDULE_CONSTANT;
    s->rotation = 10;
    s->shift = 2;
    s->zoom = 0.1;
    s->start = EV_START_SPECTRAL;
    s->restarts = 20;
}

/* About a minute on two cores. */
static void small(ev_settings *s)
{
    s->hidden = (ev_config_list){2, {256, 128}};
    s->batch = 128;
    s->epochs = 20;
    s->autoencoder_epochs = 10;
    s->rate = 0.001;
    s->schedule = EV_SCHEDULE_CONSTANT;
    s->restarts = 5;
}

void ev_settings_preset(ev_settings *s, ev_model_kind model, ev_preset preset)
{
    *s = (ev_settings){.model = (int)model,
                       .latent = 10,
                       .clusters = model == EV_MODEL_VAE ? 1 : 10,
                       .samples = 1,
                       .gamma_samples = 10,
                       .audit = 10,
                       .neighbours = 15,
                       .rounds = 1,
                       .threads = 0,
                       .seed = 1,
                       .autoencoder_rate = 0.001,
                       .beta1 = 0.9,
                       .beta2 = 0.999,
                       .epsilon = 1e-8};
    if (preset == EV_PRESET_PAPER)
        paper(s);
    else
        small(s);
    if (model == EV_MODEL_VAE) { /* no clusters, so no start to be sought for them */
        s->layer_epochs = s->autoencoder_epochs = s->held_epochs = s->restarts = 0;
        s->rounds = 1;
    }
    snprintf(s->data, sizeof s->data, "%s", ev_image_set_default_folder());
    snprintf(s->revision, sizeof s->revision, "%s", ev_run_revision());
    snprintf(s->compiler, sizeof s->compiler, "%s", ev_run_compiler());
}

size_t ev_settings_keys(ev_settings *s, ev_config_key keys[EV_SETTINGS_KEYS])
{
    const ev_config_key table[] = {
        {"model", EV_CONFIG_CHOICE, &s->model, .choices = ev_model_names},
        {"hidden", EV_CONFIG_WHOLES, &s->hidden, .low = 1, .high = EV_GMVAE_WIDTH},
        {"latent", EV_CONFIG_WHOLE, &s->latent, .low = 1, .high = EV_GMVAE_LATENT},
        {"clusters", EV_CONFIG_WHOLE, &s->clusters, .low = 1, .high = EV_PRIOR_CLUSTERS},
        {"posterior", EV_CONFIG_CHOICE, &s->posterior, .choices = ev_posterior_names},
        {"likelihood", EV_CONFIG_CHOICE, &s->likelihood, .choices = ev_likelihood_names},
        {"gamma", EV_CONFIG_CHOICE, &s->gamma, .choices = ev_gamma_names},
        {"samples", EV_CONFIG_WHOLE, &s->samples, .low = 1, .high = EV_GMVAE_SAMPLES},
        {"gamma_samples", EV_CONFIG_WHOLE, &s->gamma_samples, .low = 1, .high = EV_GMVAE_SAMPLES},
        {"epochs", EV_CONFIG_WHOLE, &s->epochs, .low = 1, .high = 1000000},
        {"layer_epochs", EV_CONFIG_WHOLE, &s->layer_epochs, .low = 0, .high = 1000000},
        {"autoencoder_epochs", EV_CONFIG_WHOLE, &s->autoencoder_epochs, .low = 0, .high = 1000000},
        {"held_epochs", EV_CONFIG_WHOLE, &s->held_epochs, .low = 0, .high = 1000000},
        {"rounds", EV_CONFIG_WHOLE, &s->rounds, .low = 1, .high = EV_TRAINER_ROUNDS},
        {"batch", EV_CONFIG_WHOLE, &s->batch, .low = 1, .high = 65536},
        {"rate", EV_CONFIG_REAL, &s->rate, .low = 0, .high = 1, .open = true},
        {"schedule", EV_CONFIG_CHOICE, &s->schedule, .choices = ev_schedule_names},
        {"autoencoder_rate", EV_CONFIG_REAL, &s->autoencoder_rate, .low = 0, .high = 1,
         .open = true},
        {"beta1", EV_CONFIG_REAL, &s->beta1, .low = 0, .high = 0.999999},
        {"beta2", EV_CONFIG_REAL, &s->beta2, .low = 0, .high = 0.99999999},
        {"epsilon", EV_CONFIG_REAL, &s->epsilon, .low = 0, .high = 1, .open = true},
        {"restore", EV_CONFIG_CHOICE, &s->restore, .choices = ev_restore_names},
        {"corruption", EV_CONFIG_REAL, &s->corruption, .low = 0, .high = 0.99},
        {"rotation", EV_CONFIG_REAL, &s->rotation, .low = 0, .high = 180},
        {"shift", EV_CONFIG_REAL, &s->shift, .low = 0, .high = 1024},
        {"zoom", EV_CONFIG_REAL, &s->zoom, .low = 0, .high = 0.99},
        {"start", EV_CONFIG_CHOICE, &s->start, .choices = ev_start_names},
        {"neighbours", EV_CONFIG_WHOLE, &s->neighbours, .low = 1, .high = 1000},
        {"restarts", EV_CONFIG_WHOLE, &s->restarts, .low = 0, .high = 1000},
        {"binarise", EV_CONFIG_CHOICE, &s->binarise, .choices = ev_binarisation_names},
        {"audit", EV_CONFIG_WHOLE, &s->audit, .low = 0, .high = 1000000},
        {"threads", EV_CONFIG_WHOLE, &s->threads, .low = 0, .high = 256},
        {"seed", EV_CONFIG_WHOLE, &s->seed, .low = 0, .high = 0x1p63},
        {"data", EV_CONFIG_TEXT, s->data, .low = 0},
        {"height", EV_CONFIG_WHOLE, &s->height, .low = 0, .high = EV_IMAGE_PIXELS},
        {"width", EV_CONFIG_WHOLE, &s->width, .low = 0, .high = EV_IMAGE_PIXELS},
        {"checksum", EV_CONFIG_WHOLE, &s->checksum, .low = 0, .high = 0xffffffffu},
        {"revision", EV_CONFIG_TEXT, s->revision, .low = 0},
        {"compiler", EV_CONFIG_TEXT, s->compiler, .low = 0}};
    memcpy(keys, table, sizeof table);
    return sizeof table / sizeof *table;
}

static ev_gmvae_config model_config(const ev_settings *s)
{
    ev_gmvae_config config = {.D = (size_t)(s->height * s->width),
                              .J = (size_t)s->latent,
                              .K = (size_t)s->clusters,
                              .layers = s->hidden.count,
                              .prior = s->model == EV_MODEL_VAE ? EV_PRIOR_STANDARD
                                                                : EV_PRIOR_MIXTURE,
                              .posterior = (ev_posterior_kind)s->posterior,
                              .likelihood = (ev_likelihood_kind)s->likelihood,
                              .gamma = (ev_gamma_kind)s->gamma,
                              .samples = (size_t)s->samples,
                              .gamma_samples = (size_t)s->gamma_samples};
    for (size_t l = 0; l < s->hidden.count && l < EV_GMVAE_HIDDEN; l++)
        config.hidden[l] = s->hidden.value[l];
    return config;
}

ev_train_config ev_settings_train_config(const ev_settings *s)
{
    return (ev_train_config){.model = model_config(s),
                             .seed = s->seed,
                             .batch = (size_t)s->batch,
                             .epochs = (size_t)s->epochs,
                             .layer_epochs = (size_t)s->layer_epochs,
                             .autoencoder_epochs = (size_t)s->autoencoder_epochs,
                             .held_epochs = (size_t)s->held_epochs,
                             .rounds = (size_t)s->rounds,
                             .rate = s->rate,
                             .autoencoder_rate = s->autoencoder_rate,
                             .schedule = (ev_schedule_kind)s->schedule,
                             .adam = {s->beta1, s->beta2, s->epsilon},
                             .restore = (ev_restore_kind)s->restore,
                             .corruption = s->corruption,
                             .warp = {s->rotation, s->shift, s->zoom},
                             .width = (size_t)s->width,
                             .start = (ev_start_kind)s->start,
                             .restarts = (size_t)s->restarts,
                             .neighbours = (size_t)s->neighbours};
}

ev_status ev_settings_bind_images(ev_settings *s, const ev_image_set *images, ev_error *error)
{
    const bool known = s->height != 0;
    if (known && (s->height != images->height || s->width != images->width ||
                  s->checksum != images->train.checksum))
        return ev_error_set(
            error, EV_BAD_INPUT,
            "%s: these are not the images of the run (%zux%zu with checksum %08" PRIx32
            ", then %" PRIu64 "x%" PRIu64 " with %08" PRIx64 ")",
            s->data, images->height, images->width, images->train.checksum, s->height, s->width,
            s->checksum);
    s->height = images->height;
    s->width = images->width;
    s->checksum = images->train.checksum;
    return EV_OK;
}
