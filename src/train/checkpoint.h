/* A trainer's state in a file, and back: safetensors (data/safetensors.h).
 *
 *   NAME            each block of the parameters, by the names of the model's layout
 *   adam.m.NAME, adam.v.NAME   Adam's moments of the same shapes
 *   epoch.sums      F64 (EV_ELBO_TERMS): the running epoch's sums (trainer.h)
 *   held.cluster    U32 (images): each image's cluster, of a run with a held phase
 * and as metadata: model, step, epoch, seed.  There is no other state: random streams are functions
 * of seed and step.  The file appears whole or not at all.
 */
#ifndef EV_TRAIN_CHECKPOINT_H
#define EV_TRAIN_CHECKPOINT_H

#include "train/trainer.h"

ev_status ev_checkpoint_write(const char *path, const ev_trainer *trainer, ev_error *error);
/* Into a trainer created with the same configuration.  EV_BAD_INPUT, and the trainer as it was, when
 * the file is not one of this model: a missing block, another shape, a value that is not finite,
 * another seed, a step beyond the run's end, a cluster that is none. */
ev_status ev_checkpoint_read(const char *path, ev_trainer *trainer, ev_error *error);
/* Only parameters (layout.size) and, unless NULL, the step. */
ev_status ev_checkpoint_read_parameters(const char *path, const ev_gmvae *model, float *parameters,
                                        uint64_t *step, ev_error *error);

#endif
