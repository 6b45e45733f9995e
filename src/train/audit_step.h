/* The audit of a training step, as the loop's observer runs it: between gradient and update. */
#ifndef EV_TRAIN_AUDIT_STEP_H
#define EV_TRAIN_AUDIT_STEP_H

#include "train/audit.h"
#include "train/run_folder.h"
#include "train/trainer.h"

#include <stdbool.h>

/* Is the trainer's present step one to audit?  The first of the held and of the elbo phase is, and that of every
 * every-th epoch after it; every = 0: none. */
bool ev_audit_is_due(const ev_trainer *trainer, size_t every);
/* Each of a run's audits gets its share of 1e-6. */
double ev_audit_alpha(const ev_trainer *trainer, size_t every);

/* An audit's rows, as lines of the run's audit.jsonl.  EV_UNFIT when one is refuted: the message names
 * the step and the term, and the run should end. */
ev_status ev_audit_write(const ev_audit *audit, uint64_t step, ev_run_folder *run, ev_error *error);
/* Audit the present step of either phase; its rows go to the run's audit.jsonl.  As
 * ev_audit_write.  Free *audit in any case. */
ev_status ev_audit_step(const ev_trainer *trainer, const ev_elbo *elbo, double alpha,
                        ev_run_folder *run, ev_audit *audit, ev_error *error);

#endif
