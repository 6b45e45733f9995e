/* clusters.tsv: what has become of the clusters, on the test images, at the start of the first
 * phase of the ELBO and after each epoch of such a phase, held or free.
 *
 *   step  epoch  accuracy  purity  nmi  ari  entropy  largest  occupied  n_0 ... n_K-1
 *
 * epoch counts from the phase's start, at which it is 0; accuracy to ari (clustering.h) are NA without
 * labels; entropy is the mean of H(q(c|x)) in nats, n_c the images of cluster c.  Labels are read for
 * these lines and change nothing else. */
#ifndef EV_TRAIN_CLUSTER_LOG_H
#define EV_TRAIN_CLUSTER_LOG_H

#include "train/evaluation.h"
#include "train/run_folder.h"
#include "train/split_source.h"
#include "train/trainer.h"

typedef struct {
    ev_run_folder *run;
    const ev_split_source *test;
    const ev_image_split *split; /* its labels */
} ev_cluster_log;

/* The file and its header, in a run just created. */
ev_status ev_cluster_log_begin(ev_run_folder *run, size_t K, ev_error *error);
/* One line; nothing where the run has no such file (a model of one cluster). */
ev_status ev_cluster_log_write(const ev_cluster_log *log, const ev_trainer *trainer, size_t epoch,
                               ev_error *error);

#endif
