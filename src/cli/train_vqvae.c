/* evidence train vqvae: the run, an epoch at a time, with its audit. */
#include "cli/train_vqvae.h"

#include "cli/message.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/training.h"
#include "cli/vqvae_report.h"
#include "train/audit_step.h"
#include "train/stop.h"
#include "train/vqvae_audit_step.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char header[] =
    "step\tepoch\tphase\trate\tloss\treconstruction\tcodebook\tcommitment\t"
    "perplexity\tused\trevived\tseconds";

static struct {
    const char *config, *out, *resume, *data;
    uint64_t threads;
    bool nothing_after;
} asked;

static const ev_option own[] = {
    {"config", 0, EV_OPTION_TEXT, "FILE", "settings in JSON, as in a run's config.json",
     &asked.config, 0, 0, NULL},
    {"out", 0, EV_OPTION_TEXT, "RUN", "the run's folder (default: runs/vqvae)", &asked.out, 0, 0,
     NULL},
    {"no-eval", 0, EV_OPTION_FLAG, NULL, "no evaluation and no pictures at the end",
     &asked.nothing_after, 0, 0, NULL},
};

/* With --resume the settings are the run's, and there is no more to say than this. */
static const ev_option resuming[] = {
    {"resume", 0, EV_OPTION_TEXT, "RUN", "go on with a run, with its own settings", &asked.resume,
     0, 0, NULL},
    {"data", 0, EV_OPTION_TEXT, "DIR", "the images' folder, where it has moved", &asked.data, 0, 0,
     NULL},
    {"threads", 0, EV_OPTION_NUMBER, "N", "threads (default: the run's)", &asked.threads, 1, 256,
     NULL},
    {"no-eval", 0, EV_OPTION_FLAG, NULL, "no evaluation and no pictures at the end",
     &asked.nothing_after, 0, 0, NULL},
};
#define COUNT(options) (sizeof(options) / sizeof *(options))

/* --- Settings as options --------------------------------------------------------------------- */

enum { MOST_OPTIONS = EV_VQVAE_SETTINGS_KEYS + COUNT(own), NAME = 32 };

static ev_vqvae_run session;
static ev_option table[MOST_OPTIONS];
static char names[MOST_OPTIONS][NAME];

static ev_option option_of(const ev_config_key *key, const char *help, char *name)
{
    ev_option option = {.name = name, .help = help, .target = key->target, .choices = key->choices};
    snprintf(name, NAME, "%s", key->key);
    for (char *c = name; *c != '\0'; c++)
        *c = *c == '_' ? '-' : *c;
    switch (key->kind) {
    case EV_CONFIG_WHOLE:
        option.kind = EV_OPTION_NUMBER;
        option.argument = "N";
        option.low = (uint64_t)key->low;
        option.high = (uint64_t)key->high;
        break;
    case EV_CONFIG_REAL:
        option.kind = EV_OPTION_REAL;
        option.argument = "X";
        break;
    case EV_CONFIG_CHOICE: option.kind = EV_OPTION_CHOICE; break;
    default:
        option.kind = EV_OPTION_TEXT;
        option.argument = "DIR";
        option.target = &asked.data;
    }
    return option;
}

static size_t make_table(void)
{
    ev_config_key keys[EV_VQVAE_SETTINGS_KEYS];
    const char *help[EV_VQVAE_SETTINGS_KEYS];
    const size_t count = ev_vqvae_settings_keys(&session.settings, keys, help);
    size_t n = 0;
    for (size_t i = 0; i < COUNT(own); i++)
        table[n++] = own[i];
    for (size_t i = 0; i < count; i++)
        if (help[i] != NULL) {
            table[n] = option_of(&keys[i], help[i], names[n]);
            n++;
        }
    return n;
}

static void print_help(FILE *out)
{
    ev_vqvae_settings_default(&session.settings);
    fputs(
        "usage: evidence train vqvae [OPTION...]\n"
        "       evidence train --resume RUN [--data DIR] [--threads N] [--no-eval]\n\n"
        "Trains a vector-quantised autoencoder on images of which height and width are multiples\n"
        "of 4, then a prior over its codes.  SIGINT and SIGTERM finish the step, save and "
        "stop.\n\n",
        out);
    ev_options_help(out, table, make_table());
}

/* 0, or an exit status; -1: help was asked for. */
static int parse(const ev_option *options, size_t count, int argc, char **argv)
{
    int operands = argc;
    switch (ev_options_parse("train", options, count, &operands, argv)) {
    case EV_OPTIONS_HELP: return -1;
    case EV_OPTIONS_BAD: return EV_EXIT_INPUT;
    default: break;
    }
    if (operands == 0)
        return EV_EXIT_OK;
    if (asked.resume != NULL)
        ev_message(EV_COLOUR_AUTO,
                   "'%s' has no place beside --resume: a run goes on with its own model and "
                   "settings",
                   argv[0]);
    else
        ev_message(EV_COLOUR_AUTO, "'%s': nothing but options is expected behind vqvae", argv[0]);
    return EV_EXIT_INPUT;
}

static int read_config(void)
{
    ev_config_key keys[EV_VQVAE_SETTINGS_KEYS];
    ev_error error = EV_ERROR_NONE;
    const size_t count = ev_vqvae_settings_keys(&session.settings, keys, NULL);
    ev_status status = ev_config_read(asked.config, count, keys, EV_CONFIG_PARTIAL, &error);
    if (status != EV_OK)
        ev_message_error(&error, EV_COLOUR_AUTO);
    return ev_message_exit(status);
}

/* The defaults, then a file, then the command line, which is read twice: it names the file. */
static int read_settings(int argc, char **argv)
{
    char **again = calloc((size_t)argc + 1, sizeof *again);
    if (again == NULL)
        return EV_EXIT_MACHINE;
    memcpy(again, argv, (size_t)argc * sizeof *argv);
    ev_vqvae_settings_default(&session.settings);
    const size_t count = make_table();
    int status = parse(table, count, argc, argv);
    ev_vqvae_settings_default(&session.settings);
    if (status == EV_EXIT_OK && asked.config != NULL)
        status = read_config();
    if (status == EV_EXIT_OK)
        status = parse(table, count, argc, again);
    if (status == EV_EXIT_OK && asked.data != NULL)
        snprintf(session.settings.data, sizeof session.settings.data, "%s", asked.data);
    free(again);
    return status;
}

/* --- Epochs ------------------------------------------------------------------------------------ */

typedef struct {
    ev_progress bar;
    double epoch_began;
} watch;

static ev_status audit(ev_error *error)
{
    ev_audit audit;
    ev_vqvae_trainer *t = &session.trainer;
    const double began = ev_clock();
    ev_status status = ev_vqvae_audit_step(t, &audit, error);
    if (status == EV_OK)
        status = ev_audit_write(&audit, t->step, &session.folder, error);
    if (status == EV_OK && !isatty(STDERR_FILENO))
        fprintf(stderr, "audit: %zu of %zu rows hold (%.1f s)\n", ev_audit_tally(&audit, EV_HOLDS),
                audit.count, ev_clock() - began);
    ev_audit_free(&audit);
    return status;
}

static ev_status log_prior_epoch(const ev_vqvae_trainer *t, double seconds, ev_error *error)
{
    double nats = t->sums[0] / (double)t->epoch_steps;
    if (!isatty(STDERR_FILENO))
        fprintf(stderr, "prior %zu/%zu: %.3f nats a grid, %.2f s\n",
                ev_vqvae_trainer_epoch(t) - t->config.epochs, t->config.prior_epochs, nats,
                seconds);
    return ev_run_log(&session.folder, EV_RUN_METRICS, error,
                      "%" PRIu64 "\t%zu\tprior\t%.6g\t%.9g\tNA\tNA\tNA\tNA\tNA\tNA\t%.3f", t->step,
                      ev_vqvae_trainer_epoch(t), t->config.prior_rate, nats, seconds);
}

static ev_status log_vqvae_epoch(const ev_vqvae_trainer *t, double seconds, ev_error *error)
{
    const size_t K = t->config.model.K;
    ev_vqvae_loss mean;
    for (size_t i = 0; i < EV_VQ_TERMS; i++)
        mean.term[i] = t->sums[i] / (double)t->epoch_steps;
    double loss = ev_vqvae_total(&t->model, &mean);
    double perplexity = ev_codebook_perplexity(K, t->used);
    if (!isatty(STDERR_FILENO))
        fprintf(stderr,
                "vqvae %zu/%zu: loss %.4f, perplexity %.1f, %zu of %zu codes, %.0f revived, "
                "%.2f s\n",
                ev_vqvae_trainer_epoch(t), t->config.epochs, loss, perplexity,
                ev_codebook_used(K, t->used), K, t->revived, seconds);
    return ev_run_log(
        &session.folder, EV_RUN_METRICS, error,
        "%" PRIu64 "\t%zu\tvqvae\t%.6g\t%.9g\t%.9g\t%.9g\t%.9g\t%.6g\t%zu\t%.0f\t%.3f", t->step,
        ev_vqvae_trainer_epoch(t), t->config.rate, loss, mean.term[0], mean.term[1], mean.term[2],
        perplexity, ev_codebook_used(K, t->used), t->revived, seconds);
}

/* A parameter that is not finite ends the run before it can be saved. */
static ev_status end_epoch(watch *w, ev_error *error)
{
    ev_vqvae_trainer *t = &session.trainer;
    const double now = ev_clock(), seconds = now - w->epoch_began;
    bool of_prior = ev_vqvae_trainer_epoch(t) > t->config.epochs;
    w->epoch_began = now;
    if (!ev_vqvae_trainer_finite(t))
        return ev_error_set(error, EV_UNFIT, "step %" PRIu64 ": a parameter is not finite",
                            t->step);
    ev_status status = of_prior ? log_prior_epoch(t, seconds, error)
                                : log_vqvae_epoch(t, seconds, error);
    ev_vqvae_trainer_end_epoch(t);
    return status == EV_OK ? ev_vqvae_run_save(&session, error) : status;
}

static void draw_bar(watch *w)
{
    const ev_vqvae_trainer *t = &session.trainer;
    char text[64];
    size_t epoch = ev_vqvae_trainer_epoch(t), done = ev_vqvae_trainer_epoch_step(t);
    bool in_prior = ev_vqvae_trainer_in_prior(t);
    snprintf(text, sizeof text, "%s %zu/%zu  loss %.2f", in_prior ? "prior" : "vqvae",
             in_prior ? epoch - t->config.epochs + 1 : epoch + 1,
             in_prior ? t->config.prior_epochs : t->config.epochs,
             done == 0 ? 0.0 : (t->sums[0] + t->sums[2]) / (double)done);
    ev_progress_step(&w->bar, (size_t)t->step, (size_t)t->total, text);
}

static ev_status train(watch *w, ev_error *error)
{
    ev_vqvae_trainer *t = &session.trainer;
    ev_status status = EV_OK;
    while (status == EV_OK && t->step < t->total && !ev_stop_requested()) {
        if (ev_vqvae_trainer_epoch_step(t) == 0 && !ev_vqvae_trainer_in_prior(t))
            status = audit(error);
        if (status == EV_OK)
            status = ev_vqvae_trainer_step(t, error);
        if (status != EV_OK)
            break;
        draw_bar(w);
        if (ev_vqvae_trainer_epoch_step(t) == 0)
            status = end_epoch(w, error);
    }
    return status == EV_OK && t->step < t->total ? ev_vqvae_run_save(&session, error) : status;
}

/* --- The run ----------------------------------------------------------------------------------- */

static void announce(void)
{
    const ev_vqvae_trainer *t = &session.trainer;
    fprintf(stderr,
            "vqvae on %zu images of %zux%zu, binarisation %s; %zu codes of %zu dimensions by %s; "
            "%zu parameters, %zu of the prior; seed %" PRIu64 ", %zu threads\n",
            session.images.train.N, session.images.height, session.images.width,
            ev_binarisation_names[session.settings.binarise], t->config.model.K, t->config.model.J,
            ev_codebook_names[session.settings.codebook], t->model.layout.size,
            t->prior.layout.size, session.settings.seed, t->w.threads);
    if (asked.resume != NULL)
        fprintf(stderr, "going on after step %" PRIu64 " of %" PRIu64 "\n", t->step, t->total);
}

static ev_status open_session(ev_error *error)
{
    if (asked.resume == NULL)
        return ev_vqvae_run_create(&session, asked.out == NULL ? "runs/vqvae" : asked.out, header,
                                   error);
    ev_status status = ev_vqvae_run_open(&session, asked.resume, asked.data, asked.threads, error);
    return status == EV_OK ? ev_run_resume(&session.folder, session.trainer.step, error) : status;
}

static int run_session(void)
{
    ev_error error = EV_ERROR_NONE;
    watch w;
    ev_status status = open_session(&error);
    if (status == EV_OK) {
        announce();
        ev_training_catch_signals();
        w = (watch){ev_progress_start(EV_COLOUR_AUTO), ev_clock()};
        status = train(&w, &error);
        ev_progress_end(&w.bar);
    }
    if (status != EV_OK)
        ev_message_error(&error, EV_COLOUR_AUTO);
    int code = ev_message_exit(status);
    if (status == EV_OK && session.trainer.step < session.trainer.total)
        fprintf(stderr, "stopped after step %" PRIu64 "; 'evidence train --resume %s' goes on\n",
                session.trainer.step, session.folder.path);
    else if (status == EV_OK && !asked.nothing_after)
        code = ev_vqvae_report(&session);
    ev_vqvae_run_close(&session);
    return code;
}

int ev_train_vqvae(int argc, char **argv)
{
    bool resumes = false;
    for (int i = 0; i < argc; i++)
        resumes = resumes || strncmp(argv[i], "--resume", strlen("--resume")) == 0;
    int status = resumes ? parse(resuming, COUNT(resuming), argc, argv) : read_settings(argc, argv);
    if (status == -1) {
        print_help(stdout);
        return EV_EXIT_OK;
    }
    return status == EV_EXIT_OK ? run_session() : status;
}
