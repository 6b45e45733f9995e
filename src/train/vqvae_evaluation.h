/* What a trained VQ-VAE is worth on held-out images, and what it draws. */
#ifndef EV_TRAIN_VQVAE_EVALUATION_H
#define EV_TRAIN_VQVAE_EVALUATION_H

#include "train/vqvae_run.h"

typedef struct {
    size_t images;
    ev_vqvae_loss loss;        /* nats an image */
    double squared_error;      /* mean over images and pixels of (x - E[x|z_q])^2 */
    double variance;           /* of all pixels of these images, about their one mean */
    double perplexity;         /* of the codes of all images together */
    size_t used;               /* codes chosen at all */
    double level_nats;         /* - log P(grey levels|z_q) an image */
    double prior_nats;         /* - log p(codes) an image, by the prior that was trained */
    double uniform_nats;       /* N log K */
    double bits, uniform_bits; /* a pixel, of -log P(grey levels|z_q) - log p(codes), by either */
} ev_vqvae_evaluation;

/* level_nats is of a Gaussian the mass of grey levels (grey_levels.h), of a Bernoulli the reconstruction
 * term: a log probability where the pixels are binary, a cross-entropy where they are not, and then bits
 * are of no code.  Otherwise -log2 P(levels, codes) is the length of a code for image and codes, never
 * shorter than -log2 of the model's own P(levels).
 *
 * Over the test images; counts (K), unless NULL: how often each code was chosen. */
ev_status ev_vqvae_evaluate(ev_vqvae_run *run, ev_vqvae_evaluation *found, double *counts,
                            ev_error *error);

/* PNG sheets, with the trainer's workspace: no more than its batch of images each.
 * samples: codes from the prior, decoded; reconstructions: rows of test images, and below each what
 * the decoder makes of it; codebook: each code on every place of the grid, in order, 32 a row. */
ev_status ev_vqvae_draw_samples(ev_vqvae_run *run, const char *path, size_t rows, size_t columns,
                                uint64_t seed, ev_error *error);
ev_status ev_vqvae_draw_reconstructions(ev_vqvae_run *run, const char *path, size_t rows,
                                        size_t columns, ev_error *error);
ev_status ev_vqvae_draw_codebook(ev_vqvae_run *run, const char *path, ev_error *error);

/* codes (n,N) of images x (n,D), and images x from codes; n up to the batch. */
void ev_vqvae_codes_of(ev_vqvae_run *run, size_t n, const float *x, uint32_t *codes);
void ev_vqvae_images_of(ev_vqvae_run *run, size_t n, const uint32_t *codes, float *x);

#endif
