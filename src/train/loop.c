#include "train/loop.h"

#include <inttypes.h>
#include <time.h>

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static ev_status seek_clusters(ev_trainer *t, const ev_loop_hooks *hooks, ev_error *error)
{
    return ev_trainer_seeks_clusters(t) && hooks->seek_clusters != NULL
               ? hooks->seek_clusters(hooks->context, t, error)
               : EV_OK;
}

static ev_status one_step(ev_trainer *t, const ev_loop_hooks *hooks, ev_error *error)
{
    ev_elbo elbo;
    ev_status status = seek_clusters(t, hooks, error);
    if (status != EV_OK)
        return status;
    ev_trainer_draw(t);
    status = ev_trainer_gradient(t, &elbo, error);
    if (status == EV_OK && hooks->observe != NULL)
        status = hooks->observe(hooks->context, t, &elbo, error);
    if (status == EV_OK)
        ev_trainer_update(t);
    return status;
}

static ev_status save(const ev_trainer *t, const ev_loop_hooks *hooks, ev_error *error)
{
    if (!ev_trainer_finite(t))
        return ev_error_set(error, EV_UNFIT,
                            "after step %" PRIu64
                            " a parameter is not a finite number: the gradient "
                            "overflowed",
                            t->step);
    return hooks->save == NULL ? EV_OK : hooks->save(hooks->context, t, error);
}

static ev_status end_epoch(ev_trainer *t, const ev_loop_hooks *hooks, double seconds,
                           ev_error *error)
{
    const size_t epoch = ev_trainer_epoch(t) - 1;
    ev_epoch_record record = {.phase = ev_trainer_phase(t, epoch),
                              .epoch = epoch,
                              .step = t->step,
                              .rate = ev_trainer_rate(t, epoch),
                              .seconds = seconds};
    for (size_t i = 0; i < EV_ELBO_TERMS; i++)
        record.elbo.term[i] = t->sums[i] / (double)t->epoch_steps;
    ev_status status = hooks->epoch == NULL ? EV_OK
                                            : hooks->epoch(hooks->context, t, &record, error);
    return status == EV_OK ? save(t, hooks, error) : status;
}

ev_status ev_loop_run(ev_trainer *t, const ev_loop_hooks *hooks, bool *complete, ev_error *error)
{
    double began = seconds_now();
    bool stopped = false;
    ev_status status = EV_OK;
    while (status == EV_OK && !stopped && t->step < t->total) {
        status = one_step(t, hooks, error);
        if (status != EV_OK)
            break;
        const bool ended = ev_trainer_epoch_step(t) == 0;
        stopped = hooks->stop != NULL && hooks->stop(hooks->context);
        if (ended) {
            status = end_epoch(t, hooks, seconds_now() - began, error);
            began = seconds_now();
        } else if (stopped) {
            status = save(t, hooks, error);
        }
    }
    *complete = status == EV_OK && t->step == t->total;
    return status;
}
