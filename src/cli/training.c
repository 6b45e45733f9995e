#include "cli/training.h"

#include "cli/progress.h"
#include "train/audit_step.h"
#include "train/checkpoint.h"
#include "train/mixture_start.h"
#include "train/stop.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char ev_training_header[] =
    "step\tepoch\tphase\trate\tloss\treconstruction\tlatent\tcategorical\tentropy\tseconds";

enum { BAR = 24 };

static void clear_bar(const ev_training *t)
{
    if (t->shown)
        fputs("\r\033[K", stderr);
}

/* --- The bar ------------------------------------------------------------------------------- */

static void print_duration(double seconds)
{
    const unsigned long s = (unsigned long)(seconds + 0.5);
    if (s >= 3600)
        fprintf(stderr, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    else
        fprintf(stderr, "%lu:%02lu", s / 60, s % 60);
}

static void draw_bar(ev_training *t, const ev_trainer *trainer)
{
    const double now = ev_clock();
    if (!t->shown || now - t->drawn < 0.2)
        return;
    t->drawn = now;
    const uint64_t done = trainer->step - t->first, left = trainer->total - trainer->step;
    const size_t epoch = ev_trainer_epoch(trainer);
    const ev_phase *phase = ev_trainer_phase(trainer, epoch);
    const size_t filled = (size_t)(trainer->step * BAR / trainer->total);
    fputs("\r[", stderr);
    ev_paint_set(stderr, &t->style, EV_GREEN);
    for (size_t i = 0; i < BAR; i++)
        fputs(i >= filled ? " " : t->style.utf8 ? "\xE2\x96\x88" : "#", stderr);
    ev_paint_set(stderr, &t->style, EV_PLAIN);
    fprintf(stderr, "] %s %zu/%zu  %s %.2f  ", ev_phase_names[phase->kind],
            epoch - phase->first + 1, phase->epochs,
            phase->kind >= EV_PHASE_HELD ? "ELBO" : "-loss", t->total);
    if (t->epoch_seconds > 0.0)
        fprintf(stderr, "%.1f s an epoch  ", t->epoch_seconds);
    if (done > 0) {
        print_duration((now - t->began) / (double)done * (double)left);
        fputs(" left", stderr);
    }
    fputs("\033[K", stderr);
    fflush(stderr);
}

/* --- The hooks ----------------------------------------------------------------------------- */

static ev_status seek_clusters(void *context, ev_trainer *trainer, ev_error *error)
{
    ev_mixture_start start;
    ev_status status = ev_mixture_start_fit(trainer, &start, error);
    clear_bar(context);
    if (status == EV_OK && start.iterations > 0)
        fprintf(stderr,
                "mixture fitted to the means: log likelihood %.4f nats, restart %zu of %zu, "
                "%zu iterations%s\n",
                start.log_likelihood, start.restart + 1, trainer->config.restarts, start.iterations,
                start.converged ? "" : " (not converged)");
    else if (status == EV_OK && start.gap > 0.0)
        fprintf(stderr,
                "clusters of the means' graph of neighbours: gap %.2g, restart %zu of %zu; log "
                "likelihood %.4f nats\n",
                start.gap, start.restart + 1, trainer->config.restarts, start.log_likelihood);
    const ev_training *t = context;
    const bool first = ev_trainer_epoch(trainer) == ev_trainer_first_own_epoch(trainer);
    return status == EV_OK && first ? ev_cluster_log_write(&t->clusters, trainer, 0, error)
                                    : status;
}

static ev_status audit_step(ev_training *t, const ev_trainer *trainer, const ev_elbo *elbo,
                            ev_error *error)
{
    ev_audit audit;
    const double began = ev_clock();
    const double alpha = ev_audit_alpha(trainer, t->audit_every);
    ev_status status = ev_audit_step(trainer, elbo, alpha, t->run, &audit, error);
    clear_bar(t);
    if (status == EV_OK)
        fprintf(stderr,
                "audit: %zu of %zu rows hold, %zu undecided; gradient within %.2g of its bound "
                "(%.1f s)\n",
                ev_audit_tally(&audit, EV_HOLDS), audit.count,
                audit.count - ev_audit_tally(&audit, EV_HOLDS), audit.gradient_error,
                ev_clock() - began);
    ev_audit_free(&audit);
    return status;
}

static ev_status observe(void *context, const ev_trainer *trainer, const ev_elbo *elbo,
                         ev_error *error)
{
    ev_training *t = context;
    const double total = ev_elbo_total(elbo);
    t->total = ev_trainer_epoch_step(trainer) == 0 ? total : 0.95 * t->total + 0.05 * total;
    draw_bar(t, trainer);
    return ev_audit_is_due(trainer, t->audit_every) ? audit_step(t, trainer, elbo, error) : EV_OK;
}

static ev_status log_epoch(void *context, const ev_trainer *trainer, const ev_epoch_record *record,
                           ev_error *error)
{
    ev_training *t = context;
    const double *term = record->elbo.term, total = ev_elbo_total(&record->elbo);
    const bool elbo = record->phase->kind >= EV_PHASE_HELD;
    const size_t in_phase = record->epoch - record->phase->first + 1;
    t->epoch_seconds = record->seconds;
    if (!t->shown)
        fprintf(stderr, "%s %zu/%zu: %s %.4f, %.2f s\n", ev_phase_names[record->phase->kind],
                in_phase, record->phase->epochs, elbo ? "ELBO" : "loss", elbo ? total : -total,
                record->seconds);
    const size_t since_start = record->epoch - ev_trainer_first_own_epoch(trainer) + 1;
    ev_status status = elbo ? ev_cluster_log_write(&t->clusters, trainer, since_start, error)
                            : EV_OK;
    if (status != EV_OK)
        return status;
    return ev_run_log(t->run, EV_RUN_METRICS, error,
                      "%" PRIu64 "\t%zu\t%s\t%.6g\t%.9g\t%.9g\t%.9g\t%.9g\t%.9g\t%.3f",
                      record->step, record->epoch + 1, ev_phase_names[record->phase->kind],
                      record->rate, -total, term[EV_RECONSTRUCTION], term[EV_LATENT],
                      term[EV_CATEGORICAL], term[EV_ENTROPY], record->seconds);
}

static ev_status save(void *context, const ev_trainer *trainer, ev_error *error)
{
    const ev_training *t = context;
    return ev_checkpoint_write(t->checkpoint, trainer, error);
}

static bool stop(void *context)
{
    (void)context;
    return ev_stop_requested();
}

/* --- Around them --------------------------------------------------------------------------- */

ev_status ev_training_begin(ev_training *t, const ev_cluster_log *clusters,
                            const ev_trainer *trainer, size_t audit_every, ev_error *error)
{
    const char *term = getenv("TERM");
    *t = (ev_training){.run = clusters->run,
                       .clusters = *clusters,
                       .audit_every = audit_every,
                       .checkpoint = ev_run_path(clusters->run, "checkpoint.safetensors"),
                       .style = ev_style_of(STDERR_FILENO, EV_COLOUR_AUTO),
                       .shown = isatty(STDERR_FILENO) && term != NULL && strcmp(term, "dumb") != 0,
                       .began = ev_clock(),
                       .first = trainer->step};
    return t->checkpoint != NULL ? EV_OK : ev_error_set(error, EV_NO_MEMORY, "out of memory");
}

ev_loop_hooks ev_training_hooks(ev_training *t)
{
    return (ev_loop_hooks){.context = t,
                           .seek_clusters = seek_clusters,
                           .observe = observe,
                           .epoch = log_epoch,
                           .save = save,
                           .stop = stop};
}

void ev_training_end(ev_training *t)
{
    clear_bar(t);
    free(t->checkpoint);
    *t = (ev_training){.run = NULL};
}

static void kill_by(int signal_number)
{
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* A second request kills; but `timeout` and terminals send the same one twice within moments. */
static void on_signal(int signal_number)
{
    static volatile sig_atomic_t asked;
    static struct timespec first;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); /* safe in a handler */
    if (asked == 0)
        first = now;
    else if (now.tv_sec - first.tv_sec >= 2)
        kill_by(signal_number);
    asked = 1;
    ev_stop_request(signal_number);
}

void ev_training_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}
