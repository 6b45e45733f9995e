/* An evaluation in print, and a run's pictures and table of latent means. */
#ifndef EV_CLI_EVALUATION_REPORT_H
#define EV_CLI_EVALUATION_REPORT_H

#include "train/evaluation.h"
#include "train/trained.h"

#include <stdio.h>

/* The table that `evidence eval` prints. */
void ev_evaluation_print(FILE *out, const ev_settings *settings, const ev_evaluation *evaluation);

/* Evaluate on the test split, print, and write latent.tsv, samples.png and reconstructions.png into
 * the run's folder.  Returns an exit status; messages are printed. */
int ev_evaluation_report(ev_trained *trained, size_t log_px_images);

#endif
