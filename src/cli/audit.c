/* evidence audit: a trained model's loss and gradient held against the derivations, once more. */
#include "train/audit.h"

#include "cli/message.h"
#include "cli/options.h"
#include "cli/subcommand.h"
#include "nn/buffer.h"
#include "train/trained.h"
#include "train/vqvae_audit.h"
#include "train/vqvae_run.h"

#include <stdlib.h>

static struct {
    const char *data;
    uint64_t batch, images, samples, seed;
    bool jsonl;
} asked;

static const ev_option options[] = {
    {"data", 0, EV_OPTION_TEXT, "DIR", "the images' folder, where it has moved", &asked.data, 0, 0,
     NULL},
    {"batch", 0, EV_OPTION_NUMBER, "N", "test images in the minibatch (default 100)", &asked.batch,
     1, 4096, NULL},
    {"images", 0, EV_OPTION_NUMBER, "N", "of them integrated and sampled (default 4; not of vqvae)",
     &asked.images, 0, 64, NULL},
    {"samples", 0, EV_OPTION_NUMBER, "N", "samples of z for those (default 1000; not of vqvae)",
     &asked.samples, 0, 1000000, NULL},
    {"seed", 0, EV_OPTION_NUMBER, "N", "of noise and directions (default 1)", &asked.seed, 0,
     UINT64_MAX - 1, NULL},
    {"jsonl", 0, EV_OPTION_FLAG, NULL, "print the rows as JSON lines", &asked.jsonl, 0, 0, NULL},
};
enum { OPTIONS = sizeof options / sizeof *options };

static void help(FILE *out)
{
    fputs(
        "Audits a run's checkpoint on a minibatch of test images: each term of the float loss\n"
        "against the derived closed form in double, quadrature (up to 2 latent dimensions) and\n"
        "sampling, the bound against log p(x), the gradient against directional derivatives.  Of\n"
        "a VQ-VAE: each term and the gradient against the same in double, where gradients must be\n"
        "0, the nearest codes, a step of the codebook.\n"
        "Exit status 1 when a row is refuted: its term is named.\n\n",
        out);
    ev_options_help(out, options, OPTIONS);
}

/* --- The table ----------------------------------------------------------------------------- */

static void print_row(const ev_audit *audit, size_t i, uint64_t step)
{
    const ev_audit_row *r = &audit->rows[i];
    char *line = asked.jsonl ? ev_audit_row_json(audit, i, step) : NULL;
    if (line != NULL)
        printf("%s\n", line);
    else
        printf("%-9s  %-42s %15.9g %-2s %15.9g  within %-8.2g %-10s  %s\n",
               ev_verdict_name(r->verdict), r->name, r->value, r->relation, r->reference, r->error,
               r->kind, r->claim);
    free(line);
}

static int report(const ev_audit *audit, uint64_t step)
{
    for (size_t i = 0; i < audit->count; i++)
        print_row(audit, i, step);
    if (!asked.jsonl)
        printf("%zu rows: %zu hold, %zu refuted, %zu undecided, %zu void", audit->count,
               ev_audit_tally(audit, EV_HOLDS), ev_audit_tally(audit, EV_REFUTED),
               ev_audit_tally(audit, EV_UNDECIDED), ev_audit_tally(audit, EV_VOID));
    if (!asked.jsonl && audit->intervals > 0)
        printf("; false alarms %.1g over %zu intervals; %zu kinks", audit->alpha, audit->intervals,
               audit->kinks);
    if (!asked.jsonl)
        fputc('\n', stdout);
    if (ev_audit_passed(audit))
        return EV_EXIT_OK;
    ev_message(EV_COLOUR_AUTO, "the audit refutes '%s': %s", audit->failed, audit->diagnosis);
    return EV_EXIT_UNEXPECTED;
}

/* --- The minibatch ------------------------------------------------------------------------- */

static size_t batch_of(const ev_image_source *source)
{
    return asked.batch < source->count ? (size_t)asked.batch : source->count;
}

/* Forward and backward pass on the first test images, audited. */
static ev_status audit_batch(const ev_trained *t, size_t B, float *x, float *noise, float *gradient,
                             ev_audit *audit, ev_error *error)
{
    const ev_image_source *source = &t->test.source;
    ev_gmvae_workspace w;
    ev_status status = ev_gmvae_workspace_create(&w, &t->model, B, error);
    if (status != EV_OK)
        return status;
    source->in_order(source->context, 0, B, x);
    ev_gmvae_noise(&t->model, asked.seed, t->step, B, noise);
    const ev_elbo elbo = ev_gmvae_forward(&t->model, t->parameters, B, x, noise, &w);
    ev_gmvae_backward(&t->model, t->parameters, B, x, noise, &w, gradient);
    const ev_audit_subject subject = {&t->model, t->parameters, B, x, noise, &elbo, &w, gradient};
    ev_audit_options how = EV_AUDIT_DEFAULTS;
    how.seed = asked.seed;
    how.images = (size_t)asked.images;
    how.samples = (size_t)asked.samples;
    status = ev_audit_run(&subject, &how, audit, error);
    ev_gmvae_workspace_destroy(&w);
    return status;
}

static ev_status audit_trained(const ev_trained *t, ev_audit *audit, ev_error *error)
{
    const size_t J = t->model.config.J, B = batch_of(&t->test.source);
    float *x = ev_buffer_create(ev_size_product(B, t->model.config.D));
    float *noise = ev_buffer_create(ev_size_product(B, t->model.M * J));
    float *gradient = ev_buffer_create(t->model.layout.size);
    ev_status status = x != NULL && noise != NULL && gradient != NULL
                           ? audit_batch(t, B, x, noise, gradient, audit, error)
                           : ev_error_set(error, EV_NO_MEMORY, "out of memory for the audit");
    free(x);
    free(noise);
    free(gradient);
    return status;
}

/* The same of a VQ-VAE, in a workspace of the minibatch's size. */
static ev_status audit_vqvae(ev_vqvae_run *run, ev_audit *audit, ev_error *error)
{
    const ev_image_source *source = &run->test.source;
    const ev_vqvae_trainer *t = &run->trainer;
    const size_t B = batch_of(source);
    const float *parameters = t->autoencoder.parameters;
    ev_vqvae_workspace w;
    ev_status status = ev_vqvae_workspace_create(&w, &t->model, B, t->config.threads, error);
    if (status != EV_OK)
        return status;
    float *x = ev_buffer_create(ev_size_product(B, t->model.D));
    if (x != NULL) {
        source->in_order(source->context, 0, B, x);
        const ev_vqvae_loss loss = ev_vqvae_forward(&t->model, parameters, B, x, &w);
        const ev_vqvae_audit_subject subject = {
            &t->model, parameters, &t->average, B, x, &loss, &w, t->autoencoder.gradient,
            asked.seed};
        status = ev_vqvae_audit_run(&subject, audit, error);
    } else {
        status = ev_error_set(error, EV_NO_MEMORY, "out of memory for the audit");
    }
    free(x);
    ev_vqvae_workspace_destroy(&w);
    return status;
}

/* What there is to say of an audit, or of what stood in its way; the audit is freed. */
static int conclude(ev_status status, const ev_error *error, ev_audit *audit, uint64_t step)
{
    int code = status == EV_OK ? report(audit, step) : ev_message_exit(status);
    if (status != EV_OK)
        ev_message_error(error, EV_COLOUR_AUTO);
    ev_audit_free(audit);
    return code;
}

static int audit_vqvae_run(const char *folder)
{
    static ev_vqvae_run run; /* its sources point into it */
    ev_audit audit = {.rows = NULL};
    ev_error error = EV_ERROR_NONE;
    ev_status status = ev_vqvae_run_open(&run, folder, asked.data, 0, &error);
    if (status == EV_OK)
        status = audit_vqvae(&run, &audit, &error);
    int code = conclude(status, &error, &audit, status == EV_OK ? run.trainer.step : 0);
    ev_vqvae_run_close(&run);
    return code;
}

static int audit_run(const char *folder)
{
    ev_trained trained;
    ev_audit audit = {.rows = NULL};
    ev_error error = EV_ERROR_NONE;
    ev_status status = ev_trained_open(&trained, folder, asked.data, &error);
    if (status != EV_OK)
        return conclude(status, &error, &audit, 0);
    status = audit_trained(&trained, &audit, &error);
    int code = conclude(status, &error, &audit, trained.step);
    ev_trained_close(&trained);
    return code;
}

/* --- The command line ---------------------------------------------------------------------- */

static const uint64_t UNSAID = UINT64_MAX;

/* Draws of z are of models whose posterior is a density. */
static int run_vqvae(const char *folder)
{
    asked.seed = asked.seed == UNSAID ? 1 : asked.seed;
    if (asked.images == UNSAID && asked.samples == UNSAID)
        return audit_vqvae_run(folder);
    ev_message(EV_COLOUR_AUTO,
               "%s is a run of a VQ-VAE, in whose audit no z is drawn: --images and --samples have "
               "no place there",
               folder);
    return EV_EXIT_INPUT;
}

static int run_gmvae(const char *folder)
{
    asked.images = asked.images == UNSAID ? EV_AUDIT_DEFAULTS.images : asked.images;
    asked.samples = asked.samples == UNSAID ? EV_AUDIT_DEFAULTS.samples : asked.samples;
    asked.seed = asked.seed == UNSAID ? 1 : asked.seed;
    return audit_run(folder);
}

static int run(int argc, char **argv)
{
    asked.batch = 100;
    asked.images = asked.samples = asked.seed = UNSAID;
    switch (ev_options_parse("audit", options, OPTIONS, &argc, argv)) {
    case EV_OPTIONS_HELP: return ev_subcommand_help(&ev_audit_subcommand);
    case EV_OPTIONS_BAD: return EV_EXIT_INPUT;
    default: break;
    }
    if (argc != 1) {
        ev_message(EV_COLOUR_AUTO, "'evidence audit' takes the folder of one run");
        return EV_EXIT_INPUT;
    }
    return ev_vqvae_is_run(argv[0]) ? run_vqvae(argv[0]) : run_gmvae(argv[0]);
}

const ev_subcommand ev_audit_subcommand = {
    "audit", "[OPTION...] RUN", "hold a model's loss against the derivations", run, help};
