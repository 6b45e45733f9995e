/* All settings of a run, under the names that they have in config.json and on the command line.
 *
 * A preset gives the defaults, a file of one's own (--config) overrides it, the command line
 * overrides both; config.json of the run folder keeps what came out, with seed, revision, compiler
 * and the checksum of the training images.
 */
#ifndef EV_TRAIN_SETTINGS_H
#define EV_TRAIN_SETTINGS_H

#include "data/image_set.h"
#include "train/config.h"
#include "train/trainer.h"

typedef enum { EV_MODEL_GMVAE, EV_MODEL_VAE } ev_model_kind;
typedef enum { EV_PRESET_SMALL, EV_PRESET_PAPER } ev_preset;
/* "gmvae", "vae"; "small", "paper"; ended by NULL. */
extern const char *const ev_model_names[], *const ev_preset_names[];

typedef struct {
    int model, posterior, likelihood, gamma;
    ev_config_list hidden;
    uint64_t latent, clusters, samples, gamma_samples;
    uint64_t epochs, layer_epochs, autoencoder_epochs, held_epochs, rounds, batch, restarts,
        neighbours, threads, seed;
    uint64_t audit; /* epochs of the ELBO from one audit to the next; 0: none */
    double rate, autoencoder_rate, beta1, beta2, epsilon, corruption;
    double rotation, shift, zoom; /* warp.h: degrees, pixels, share */
    int schedule, restore, binarise, start;
    uint64_t height, width, checksum; /* of the images; 0 until they are known */
    char data[EV_CONFIG_TEXT_SIZE], revision[EV_CONFIG_TEXT_SIZE], compiler[EV_CONFIG_TEXT_SIZE];
} ev_settings;

enum { EV_SETTINGS_KEYS = 48 };

/* A preset's settings. */
void ev_settings_preset(ev_settings *settings, ev_model_kind model, ev_preset preset);
/* The table of config.json for these settings (config.h); returns how many keys. */
size_t ev_settings_keys(ev_settings *settings, ev_config_key keys[EV_SETTINGS_KEYS]);
/* What a trainer is told. */
ev_train_config ev_settings_train_config(const ev_settings *settings);
/* Take over the images' size and checksum, or hold them against what is there already:
 * EV_BAD_INPUT when these are not the images that the run was trained on. */
ev_status ev_settings_bind_images(ev_settings *settings, const ev_image_set *images,
                                  ev_error *error);

#endif
