#include "train/audit_step.h"

#include <inttypes.h>
#include <stdlib.h>

bool ev_audit_is_due(const ev_trainer *t, size_t every)
{
    const size_t epoch = ev_trainer_epoch(t);
    const ev_phase *phase = ev_trainer_phase(t, epoch);
    return every > 0 && phase->kind >= EV_PHASE_HELD && ev_trainer_epoch_step(t) == 0 &&
           (epoch - phase->first) % every == 0;
}

double ev_audit_alpha(const ev_trainer *t, size_t every)
{
    const size_t apart = every > 0 ? every : 1;
    size_t audits = 0;
    for (size_t p = 0; p < t->phases; p++)
        if (t->phase[p].kind >= EV_PHASE_HELD)
            audits += 1 + t->phase[p].epochs / apart;
    return EV_AUDIT_DEFAULTS.alpha / (double)audits;
}

ev_status ev_audit_write(const ev_audit *audit, uint64_t step, ev_run_folder *run, ev_error *error)
{
    ev_status status = EV_OK;
    for (size_t i = 0; i < audit->count && status == EV_OK; i++) {
        char *line = ev_audit_row_json(audit, i, step);
        status = line == NULL ? ev_error_set(error, EV_NO_MEMORY, "out of memory for the audit")
                              : ev_run_log(run, EV_RUN_AUDIT, error, "%s", line);
        free(line);
    }
    if (status == EV_OK && !ev_audit_passed(audit))
        status = ev_error_set(
            error, EV_UNFIT, "step %" PRIu64 ": the audit refutes '%s' (%zu of %zu rows): %s", step,
            audit->failed, ev_audit_tally(audit, EV_REFUTED), audit->count, audit->diagnosis);
    return status;
}

ev_status ev_audit_step(const ev_trainer *t, const ev_elbo *elbo, double alpha, ev_run_folder *run,
                        ev_audit *audit, ev_error *error)
{
    const ev_audit_subject subject = {&t->model, t->parameters, t->config.batch, t->x,
                                      t->noise,  elbo,          &t->w,           t->gradient};
    ev_audit_options options = EV_AUDIT_DEFAULTS;
    options.seed = t->config.seed + t->step;
    options.alpha = alpha;
    ev_status status = ev_audit_run(&subject, &options, audit, error);
    return status == EV_OK ? ev_audit_write(audit, t->step, run, error) : status;
}
