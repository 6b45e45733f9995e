#include "cli/measures.h"

#include "cli/message.h"
#include "train/evaluation.h"
#include "train/trained.h"
#include "train/vqvae_evaluation.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- A row ------------------------------------------------------------------------------------- */

enum { MOST = 20, CELL = 64 };

typedef struct {
    size_t count;
    const char *name[MOST];
    char text[MOST][CELL];
} row;

static char *next(row *r, const char *name)
{
    r->name[r->count] = name;
    return r->text[r->count++];
}

static void add_text(row *r, const char *name, const char *text)
{
    snprintf(next(r, name), CELL, "%.60s", text);
}

static void add_whole(row *r, const char *name, uint64_t value)
{
    snprintf(next(r, name), CELL, "%" PRIu64, value);
}

/* Not a number: there is none. */
static void add_real(row *r, const char *name, double value)
{
    snprintf(next(r, name), CELL, isnan(value) ? "NA" : "%.6g", value);
}

/* A folder of images by its last name, whatever stands above it on this machine. */
static void add_data(row *r, const char *folder)
{
    char *text = next(r, "data");
    size_t end = strlen(folder);
    while (end > 1 && folder[end - 1] == '/')
        end--;
    size_t from = end;
    while (from > 0 && folder[from - 1] != '/')
        from--;
    snprintf(text, CELL, "%.*s", (int)(end - from < CELL ? end - from : CELL - 1), folder + from);
    for (char *c = text; *c != '\0'; c++)
        *c = *c == '\t' || *c == '\n' ? ' ' : *c;
    if (*text == '\0')
        snprintf(text, CELL, "NA");
}

static void print(const row *r, bool names)
{
    for (size_t i = 0; names && i < r->count; i++)
        printf("%s%c", r->name[i], i + 1 == r->count ? '\n' : '\t');
    for (size_t i = 0; i < r->count; i++)
        printf("%s%c", r->text[i], i + 1 == r->count ? '\n' : '\t');
}

/* --- A run ------------------------------------------------------------------------------------- */

typedef struct {
    const char *data;
    size_t log_px_images;
} request;

static void fill_vqvae(const ev_vqvae_run *run, const ev_vqvae_evaluation *e, row *r)
{
    const ev_vqvae_settings *s = &run->settings;
    add_text(r, "model", "vqvae");
    add_data(r, s->data);
    add_whole(r, "seed", s->seed);
    add_text(r, "likelihood", ev_likelihood_names[s->likelihood]);
    add_text(r, "binarise", ev_binarisation_names[s->binarise]);
    add_text(r, "codebook", ev_codebook_names[s->codebook]);
    add_real(r, "revive", s->revive);
    add_whole(r, "step", run->trainer.step);
    add_real(r, "mse", e->squared_error);
    add_real(r, "mse_over_variance", e->squared_error / e->variance);
    add_real(r, "perplexity", e->perplexity);
    add_whole(r, "codes", s->codes);
    add_real(r, "dead_share", (double)(s->codes - e->used) / (double)s->codes);
    /* A cross-entropy is the length of no code. */
    const bool coded = s->likelihood == EV_LIKELIHOOD_GAUSSIAN || s->binarise != EV_BINARISE_NONE;
    add_real(r, "bits_learnt", coded ? e->bits : (double)NAN);
    add_real(r, "bits_uniform", coded ? e->uniform_bits : (double)NAN);
}

static ev_status measure_vqvae(const request *asked, const char *folder, row *r, ev_error *error)
{
    static ev_vqvae_run run; /* its sources point into it */
    ev_vqvae_evaluation e;
    double seconds = 0;
    ev_status status = ev_vqvae_run_open(&run, folder, asked->data, 0, error);
    if (status == EV_OK)
        status = ev_run_seconds(&run.folder, &seconds, error);
    if (status == EV_OK)
        status = ev_vqvae_evaluate(&run, &e, NULL, error);
    if (status == EV_OK) {
        fill_vqvae(&run, &e, r);
        add_real(r, "seconds", seconds);
    }
    ev_vqvae_run_close(&run);
    return status;
}

static void fill_gmvae(const ev_trained *t, const ev_evaluation *e, row *r)
{
    const size_t last = EV_EVALUATION_SIZES - 1;
    const bool sampled = e->log_px_images > 0, matched = e->labelled && e->K > 1;
    const double none = (double)NAN;
    add_text(r, "model", ev_model_names[t->settings.model]);
    add_data(r, t->settings.data);
    add_whole(r, "seed", t->settings.seed);
    add_whole(r, "step", t->step);
    add_real(r, "accuracy", matched ? e->clustering.accuracy : none);
    add_real(r, "nmi", matched ? e->clustering.nmi : none);
    add_real(r, "ari", matched ? e->clustering.ari : none);
    add_real(r, "purity", matched ? e->clustering.purity : none);
    add_real(r, "elbo", ev_elbo_total(&e->elbo));
    add_real(r, "elbo_se", e->elbo_error);
    add_real(r, "log_px", sampled ? e->log_px[last] : none);
    add_real(r, "log_px_se", sampled ? e->log_px_error[last] : none);
    add_whole(r, "log_px_images", e->log_px_images);
}

static ev_status measure_gmvae(const request *asked, const char *folder, row *r, ev_error *error)
{
    static ev_trained t; /* its source points into it */
    double seconds = 0;
    ev_evaluation e;
    ev_status status = ev_trained_open(&t, folder, asked->data, error);
    if (status != EV_OK)
        return status;
    status = ev_run_seconds(&t.run, &seconds, error);
    if (status == EV_OK)
        status = ev_trained_evaluate(&t, asked->log_px_images, &e, error);
    if (status == EV_OK) {
        fill_gmvae(&t, &e, r);
        add_real(r, "seconds", seconds);
        ev_evaluation_destroy(&e);
    }
    ev_trained_close(&t);
    return status;
}

/* --- The table --------------------------------------------------------------------------------- */

/* All VQ-VAEs, or none; asked before the first is evaluated. */
static ev_status find_kind(size_t count, char *const *folders, bool *vqvae, ev_error *error)
{
    char model[EV_CONFIG_TEXT_SIZE];
    ev_status status = EV_OK;
    for (size_t i = 0; i < count && status == EV_OK; i++) {
        status = ev_run_model(folders[i], model, error);
        const bool this_one = status == EV_OK && strcmp(model, "vqvae") == 0;
        if (i == 0)
            *vqvae = this_one;
        else if (status == EV_OK && this_one != *vqvae)
            status = ev_error_set(error, EV_BAD_INPUT,
                                  "%s and %s are runs of two kinds of model, whose measures make "
                                  "no table",
                                  folders[0], folders[i]);
    }
    return status;
}

int ev_measures_print(size_t count, char *const *folders, const char *data, size_t log_px_images)
{
    const request asked = {data, log_px_images};
    ev_error error = EV_ERROR_NONE;
    bool vqvae = false;
    ev_status status = find_kind(count, folders, &vqvae, &error);
    for (size_t i = 0; i < count && status == EV_OK; i++) {
        row r = {.count = 0};
        status = (vqvae ? measure_vqvae : measure_gmvae)(&asked, folders[i], &r, &error);
        if (status == EV_OK)
            print(&r, i == 0);
        if (status == EV_OK && (fflush(stdout) != 0 || ferror(stdout)))
            status = ev_error_set(&error, EV_IO, "can't write to standard output");
    }
    if (status != EV_OK)
        ev_message_error(&error, EV_COLOUR_AUTO);
    return ev_message_exit(status);
}
