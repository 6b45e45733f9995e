/* What a run's folder says, as series (numerics/series.h): the data behind the figures of training.
 *
 *   ev_run_facts facts;
 *   status = ev_run_facts_read("build/train/gmvae", &facts, &error);
 *   status = ev_run_series_write(&facts, series, stdout, &rows, &error);
 *
 * Read are config.json, metrics.tsv, clusters.tsv, latent.tsv, codes.tsv and audit.jsonl; no image and
 * no parameter.  A file that is not there, or not what a run writes, is EV_BAD_INPUT with its name. */
#ifndef EV_TRAIN_RUN_SERIES_H
#define EV_TRAIN_RUN_SERIES_H

#include "numerics/series.h"

#include <stdbool.h>

typedef struct {
    char folder[1024], model[16], revision[64];
    uint64_t seed, step; /* the last step of metrics.tsv */
} ev_run_facts;

/* Does config.json stand in that folder? */
bool ev_run_is_folder(const char *path);
ev_status ev_run_facts_read(const char *folder, ev_run_facts *facts, ev_error *error);
/* The series of that model, ended by {0}: "gmvae", "vae" and "vqvae" have their own. */
const ev_series *ev_run_series_of(const char *model);
/* As ev_series_write; the head names folder, step, seed and revision of the run. */
ev_status ev_run_series_write(const ev_run_facts *facts, const ev_series *series, FILE *out,
                              size_t *rows, ev_error *error);

#endif
