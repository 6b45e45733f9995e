/* The loop over a run's steps: epochs, their records, checkpoints, interruptions.
 *
 *   1. before the steps that ev_trainer_seeks_clusters names: seek_clusters, which may fit the prior;
 *   2. draw, loss and gradient, observe (an audit, a progress bar), update;
 *   3. at an epoch's end: epoch, then save; when asked to stop: save, and return.
 * A parameter that is not finite ends the run before it can be saved: the checkpoint there is stays.
 */
#ifndef EV_TRAIN_LOOP_H
#define EV_TRAIN_LOOP_H

#include "train/trainer.h"

#include <stdbool.h>

/* What is known of an epoch when it ends. */
typedef struct {
    const ev_phase *phase;
    size_t epoch;  /* of the run, from 0 */
    uint64_t step; /* steps done */
    double rate;
    ev_elbo elbo;   /* the mean over its steps; minus the loss in the first term for autoencoders */
    double seconds; /* spent in this process */
} ev_epoch_record;

/* Each may be NULL.  A status other than EV_OK ends the loop with it. */
typedef struct {
    void *context;
    ev_status (*seek_clusters)(void *context, ev_trainer *trainer, ev_error *error);
    /* After the gradient, before the update: trainer->x, noise, w and gradient are the step's. */
    ev_status (*observe)(void *context, const ev_trainer *trainer, const ev_elbo *elbo,
                         ev_error *error);
    ev_status (*epoch)(void *context, const ev_trainer *trainer, const ev_epoch_record *record,
                       ev_error *error);
    ev_status (*save)(void *context, const ev_trainer *trainer, ev_error *error);
    bool (*stop)(void *context); /* asked after every step */
} ev_loop_hooks;

/* From trainer->step to the end, or until stopped: *complete says which. */
ev_status ev_loop_run(ev_trainer *trainer, const ev_loop_hooks *hooks, bool *complete,
                      ev_error *error);

#endif
