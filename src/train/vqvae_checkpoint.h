/* The state of a VQ-VAE's trainer in a file, and back: safetensors (data/safetensors.h).
 *
 *   NAME, adam.m.NAME, adam.v.NAME   the blocks of the autoencoder's parameters, by the names of its
 *                                    layout, and Adam's moments; prior.NAME and so on, the prior's
 *   average.counts, average.sums     (K), (K,J)
 *   epoch.sums, epoch.used           F64, the running epoch's sums; the last of the former: revived
 * and as metadata: model, step, average_steps, seed.  There is no other state.  The file appears
 * whole or not at all.
 */
#ifndef EV_TRAIN_VQVAE_CHECKPOINT_H
#define EV_TRAIN_VQVAE_CHECKPOINT_H

#include "train/vqvae_trainer.h"

ev_status ev_vqvae_checkpoint_write(const char *path, const ev_vqvae_trainer *t, ev_error *error);
/* Into a trainer created with the same configuration.  EV_BAD_INPUT, with the trainer's arrays not to
 * be used any more, when the file is not one of this run: a missing block, another shape, a value that
 * is not finite, another seed or model, a step beyond the run's end. */
ev_status ev_vqvae_checkpoint_read(const char *path, ev_vqvae_trainer *t, ev_error *error);

#endif
