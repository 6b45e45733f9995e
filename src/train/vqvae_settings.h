/* All settings of a VQ-VAE's run, under the names that they have in config.json and, with hyphens, on
 * the command line. */
#ifndef EV_TRAIN_VQVAE_SETTINGS_H
#define EV_TRAIN_VQVAE_SETTINGS_H

#include "data/image_set.h"
#include "train/batches.h"
#include "train/config.h"
#include "train/vqvae_trainer.h"

typedef struct {
    int model, likelihood, codebook, binarise;
    uint64_t hidden, inner, blocks, codes, code_size, start_iterations;
    uint64_t prior_hidden, prior_blocks;
    double beta, decay, smoothing, revive, rate, prior_rate;
    uint64_t epochs, prior_epochs, batch, threads, seed;
    uint64_t height, width, checksum; /* of the images; 0 until they are known */
    char data[EV_CONFIG_TEXT_SIZE], revision[EV_CONFIG_TEXT_SIZE], compiler[EV_CONFIG_TEXT_SIZE];
} ev_vqvae_settings;

enum { EV_VQVAE_SETTINGS_KEYS = 32 };

/* About five minutes on two cores for 60 000 images of 28 x 28. */
void ev_vqvae_settings_default(ev_vqvae_settings *settings);
/* The table of config.json (config.h), and a line of help for each key that the command line has, NULL
 * for the others; returns how many keys. */
size_t ev_vqvae_settings_keys(ev_vqvae_settings *settings,
                              ev_config_key keys[EV_VQVAE_SETTINGS_KEYS],
                              const char *help[EV_VQVAE_SETTINGS_KEYS]);
ev_vqvae_train_config ev_vqvae_settings_train_config(const ev_vqvae_settings *settings);
/* Take over the images' size and checksum, or hold them against what is there already:
 * EV_BAD_INPUT when these are not the images that the run was trained on. */
ev_status ev_vqvae_settings_bind_images(ev_vqvae_settings *settings, const ev_image_set *images,
                                        ev_error *error);

#endif
