/* The series of a run, one by one.  Private to run_series.c and its parts. */
#ifndef EV_TRAIN_RUN_SERIES_PARTS_H
#define EV_TRAIN_RUN_SERIES_PARTS_H

#include "data/tsv.h"
#include "numerics/series.h"

#include <stdbool.h>
#include <stddef.h>

/* A table of the run's folder. */
ev_status ev_run_table(const ev_table *table, const char *name, ev_tsv *tsv, ev_error *error);
/* The numbers of row `row` in the named columns. */
ev_status ev_run_row(const ev_tsv *tsv, size_t row, size_t count, const char *const *names,
                     double *values, ev_error *error);
/* Is the row's phase this one? */
bool ev_run_in_phase(const ev_tsv *tsv, size_t row, const char *phase);
/* Is it one with the GMVAE's own loss, with its clusters held or not? */
bool ev_run_in_own_phase(const ev_tsv *tsv, size_t row);

ev_status ev_run_loss(ev_table *table, ev_error *error);
ev_status ev_run_codes(ev_table *table, ev_error *error);
ev_status ev_run_prior(ev_table *table, ev_error *error);
ev_status ev_run_usage(ev_table *table, ev_error *error);

ev_status ev_run_clusters(ev_table *table, ev_error *error);
ev_status ev_run_occupancy(ev_table *table, ev_error *error);
ev_status ev_run_latent(ev_table *table, ev_error *error);
ev_status ev_run_regions(ev_table *table, ev_error *error);
ev_status ev_run_centres(ev_table *table, ev_error *error);

ev_status ev_run_audit(ev_table *table, ev_error *error);

#endif
