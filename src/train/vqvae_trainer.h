/* Training a VQ-VAE, a step at a time: first the autoencoder and its codes, then the prior over the
 * codes that it gives to the training images.
 *
 *   start   the codes: k-means on what the encoder, as initialised, makes of the first images
 *   vqvae   `epochs` of the loss of models/vqvae.h; the codes move after each step; Adam forgets
 *           what it knew of a code that was revived
 *   prior   `prior_epochs` of models/code_prior.h, on codes that no longer change
 *
 * The position is one number, the steps done.  Batches, orders and draws are functions of the seed
 * and that number, so the arrays named below are the whole state, and a run that is taken up again
 * goes on to the bit.  None of a step's functions allocates; the first step of the prior does once,
 * for the codes of all images.
 */
#ifndef EV_TRAIN_VQVAE_TRAINER_H
#define EV_TRAIN_VQVAE_TRAINER_H

#include "base/error.h"
#include "models/code_prior.h"
#include "models/vqvae.h"
#include "nn/adam.h"
#include "train/image_source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    ev_vqvae_config model;
    ev_code_prior_config prior; /* grid and K are the model's */
    uint64_t seed;
    size_t batch; /* images a step; what is left at an epoch's end is not used */
    size_t epochs, prior_epochs;
    double rate, prior_rate;
    ev_adam adam;
    size_t start_iterations; /* of k-means */
    size_t threads;          /* 0: as OpenMP has it */
} ev_vqvae_train_config;

/* One model's parameters with Adam's moments, (size) each. */
typedef struct {
    size_t size;
    float *parameters, *gradient, *m, *v;
} ev_vqvae_weights;

typedef struct {
    ev_vqvae_train_config config;
    const ev_image_source *images;
    ev_vqvae model;
    ev_vqvae_workspace w;
    ev_code_prior prior;
    ev_code_prior_workspace prior_w;
    size_t epoch_steps; /* steps an epoch */
    uint64_t total;     /* steps of the run */

    /* The state. */
    uint64_t step; /* done so far */
    ev_vqvae_weights autoencoder, over_codes;
    ev_codebook_average average;
    double sums[EV_VQ_TERMS]; /* over the running epoch's steps; of the prior, in the first, nats */
    double revived;           /* codes, in the running epoch */
    double *used;             /* (K) how often each code was chosen in the running epoch */

    float *x;        /* (batch,D) */
    uint32_t *codes; /* (images,N) of all training images, once the prior is trained */
    uint32_t *order; /* (images) of the prior's epoch `ordered` - 1 */
    uint64_t ordered;
    uint32_t *batch_codes; /* (batch,N) */
} ev_vqvae_trainer;

/* EV_BAD_INPUT for a configuration that makes no sense.  The images stay the caller's and are read
 * until ev_vqvae_trainer_destroy. */
ev_status ev_vqvae_trainer_create(ev_vqvae_trainer *t, const ev_vqvae_train_config *config,
                                  const ev_image_source *images, ev_error *error);
void ev_vqvae_trainer_destroy(ev_vqvae_trainer *t);

/* Give the codes their start; before step 0 only. */
ev_status ev_vqvae_trainer_start(ev_vqvae_trainer *t, ev_error *error);
/* The next step is one of the prior. */
bool ev_vqvae_trainer_in_prior(const ev_vqvae_trainer *t);
/* The epoch of the next step, counted through both phases, and the steps done in it. */
size_t ev_vqvae_trainer_epoch(const ev_vqvae_trainer *t);
size_t ev_vqvae_trainer_epoch_step(const ev_vqvae_trainer *t);
/* One step, of which the loss by term is added to the sums.  EV_UNFIT, naming term and step, when one
 * is not finite, and then nothing has been changed. */
ev_status ev_vqvae_trainer_step(ev_vqvae_trainer *t, ev_error *error);
/* Forget the sums: at an epoch's end, after they have been read. */
void ev_vqvae_trainer_end_epoch(ev_vqvae_trainer *t);
/* True when every parameter is finite. */
bool ev_vqvae_trainer_finite(const ev_vqvae_trainer *t);

#endif
