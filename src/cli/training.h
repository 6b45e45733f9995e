/* What the loop's hooks do in the program: the run's folder, checkpoints, the progress bar, stopping. */
#ifndef EV_CLI_TRAINING_H
#define EV_CLI_TRAINING_H

#include "cli/terminal.h"
#include "train/cluster_log.h"
#include "train/loop.h"
#include "train/run_folder.h"

/* The columns of metrics.tsv. */
extern const char ev_training_header[];

typedef struct {
    ev_run_folder *run;
    ev_cluster_log clusters; /* what it needs is the caller's */
    char *checkpoint;        /* its path */
    ev_style style;          /* standard error's */
    size_t audit_every;      /* epochs; 0: no audits (train/audit_step.h) */
    bool shown;              /* it is a terminal: a bar instead of lines */
    double began, drawn;     /* seconds */
    uint64_t first;          /* the step that this process began with */
    double epoch_seconds;    /* of the last epoch */
    double total; /* the ELBO of the last step, or minus the autoencoder's loss, smoothed */
} ev_training;

/* For a trainer and a folder that are ready. */
ev_status ev_training_begin(ev_training *training, const ev_cluster_log *clusters,
                            const ev_trainer *trainer, size_t audit_every, ev_error *error);
ev_loop_hooks ev_training_hooks(ev_training *training);
/* Take the bar away, free. */
void ev_training_end(ev_training *training);

/* SIGINT and SIGTERM ask for a stop after the step; a second one, two
 * seconds later or more, kills. */
void ev_training_catch_signals(void);

#endif
