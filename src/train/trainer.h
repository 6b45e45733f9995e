/* Training, a step at a time.
 *
 * A run is a sequence of epochs in phases, fixed beforehand:
 *   layers       each layer as a denoising autoencoder of its own (models/autoencoder.h)
 *   autoencoder  both networks together, without noise; restores the image from a warped copy (warp.h)
 *   held         the model's own loss, of warped images, with q(c|x) held at the clusters found in the
 *                means, so that the latent space takes the prior's shape before the prior has a say in
 *                who is where
 *   elbo         the model's own loss
 * The last two follow one another config.rounds times.  Before the first step of each round the mixture
 * is fitted to the means: raising the ELBO has told the clusters better apart than the autoencoder did,
 * and so the next are found with fewer mistakes.
 * Each phase has Adam from scratch.  The position in a run is one number, the steps done; batches,
 * noise and corruption are functions of the seed and that number.  So parameters, Adam's moments,
 * the step and the running sums are the whole state: a run that is taken up again goes on to the
 * bit as if it had not been interrupted.
 *
 * One allocation for the parameters, one for the gradient, one for each of Adam's moments, one for
 * the activations, one for the batch; none inside a step.
 */
#ifndef EV_TRAIN_TRAINER_H
#define EV_TRAIN_TRAINER_H

#include "base/error.h"
#include "models/autoencoder.h"
#include "models/gmvae.h"
#include "nn/adam.h"
#include "train/image_source.h"
#include "train/schedule.h"
#include "train/warp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { EV_PHASE_LAYERS, EV_PHASE_AUTOENCODER, EV_PHASE_HELD, EV_PHASE_ELBO } ev_phase_kind;
/* "layers", "autoencoder", "held", "elbo"; ended by NULL. */
extern const char *const ev_phase_names[];

/* How the elbo phase's prior is found (mixture_start.h). */
typedef enum { EV_START_EM, EV_START_SPECTRAL } ev_start_kind;
/* "em", "spectral"; ended by NULL. */
extern const char *const ev_start_names[];

typedef struct {
    ev_gmvae_config model;
    uint64_t seed;
    size_t batch; /* images a step; what is left at an epoch's end is not used */
    size_t epochs, layer_epochs, autoencoder_epochs; /* layer_epochs: for each layer */
    size_t held_epochs;
    size_t rounds;                 /* of the held phase and the one after it; 0: one */
    double rate, autoencoder_rate; /* learning rates: at the elbo phase's beginning, before it */
    ev_schedule_kind schedule;     /* of the elbo phase; constant in the others */
    ev_adam adam;
    ev_restore_kind restore; /* what the autoencoder minimises */
    double corruption;       /* share of pixels or units set to 0, in [0,1) */
    ev_warp warp; /* of what the whole autoencoder sees, and of the images of the held phase */
    size_t width; /* columns of an image; needed for the warp alone */
    ev_start_kind start; /* of the prior */
    size_t restarts;     /* of the mixture's fit; 0: the prior stays as initialised */
    size_t neighbours;   /* of each image's means in the graph of a spectral start */
} ev_train_config;

/* A stretch of epochs of one kind. */
typedef struct {
    ev_phase_kind kind;
    size_t layer;         /* of EV_PHASE_LAYERS */
    size_t first, epochs; /* of the run */
} ev_phase;

enum { EV_TRAINER_ROUNDS = 16, EV_TRAINER_PHASES = EV_MLP_DEPTH + 1 + 2 * EV_TRAINER_ROUNDS };

typedef struct {
    ev_train_config config;
    const ev_image_source *images;
    ev_gmvae model;
    ev_gmvae_workspace w;
    size_t phases;
    ev_phase phase[EV_TRAINER_PHASES];
    size_t epoch_steps; /* steps an epoch */
    uint64_t total;     /* steps of the run */
    uint64_t step;      /* done so far */
    /* Sums over the running epoch's steps: the ELBO's terms, or the autoencoder's loss in the first. */
    double sums[EV_ELBO_TERMS];
    float *parameters, *gradient, *m, *v; /* (layout.size) each */
    float *x, *warped;                    /* (batch,D) each */
    uint32_t *cluster, *held; /* (images), (batch): each image's cluster in the held phase */
    float *corrupted, *noise; /* (batch, widest layer), (batch,M,J) */
} ev_trainer;

/* EV_BAD_INPUT for a configuration that makes no sense: the reason names what is wrong.  The images
 * stay the caller's and are read until ev_trainer_destroy. */
ev_status ev_trainer_create(ev_trainer *trainer, const ev_train_config *config,
                            const ev_image_source *images, ev_error *error);
void ev_trainer_destroy(ev_trainer *trainer);

/* Are the clusters to be found before the next step: is it the first of a round? */
bool ev_trainer_seeks_clusters(const ev_trainer *trainer);
/* The phase of epoch e of the run. */
const ev_phase *ev_trainer_phase(const ev_trainer *trainer, size_t epoch);
/* The first epoch with the model's own loss, its clusters held or not. */
size_t ev_trainer_first_own_epoch(const ev_trainer *trainer);
/* The epoch of the next step, and the steps done in it. */
size_t ev_trainer_epoch(const ev_trainer *trainer);
size_t ev_trainer_epoch_step(const ev_trainer *trainer);
/* The learning rate of an epoch. */
double ev_trainer_rate(const ev_trainer *trainer, size_t epoch);

/* The three parts of a step.  Draw the batch and what is random; the loss and its gradient; Adam.
 * ev_trainer_gradient adds to the sums and reports the step's ELBO (in the first term, minus the
 * loss, for the autoencoders); EV_UNFIT when a term is not finite, naming term and step, and then
 * the parameters have not been touched. */
void ev_trainer_draw(ev_trainer *trainer);
ev_status ev_trainer_gradient(ev_trainer *trainer, ev_elbo *elbo, ev_error *error);
void ev_trainer_update(ev_trainer *trainer);

/* True when every parameter is finite. */
bool ev_trainer_finite(const ev_trainer *trainer);

#endif
