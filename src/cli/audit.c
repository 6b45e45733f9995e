/* evidence audit: a trained model's loss and gradient held against the derivations, once more. */
#include "train/audit.h"

#include "cli/message.h"
#include "cli/options.h"
#include "cli/subcommand.h"
#include "cli/vqvae_report.h"
#include "nn/buffer.h"
#include "train/trained.h"

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
    {"images", 0, EV_OPTION_NUMBER, "N", "of them integrated and sampled (default 4)",
     &asked.images, 0, 64, NULL},
    {"samples", 0, EV_OPTION_NUMBER, "N", "samples of z for those (default 1000)", &asked.samples,
     0, 1000000, NULL},
    {"seed", 0, EV_OPTION_NUMBER, "N", "the seed of noise and directions (default 1)", &asked.seed,
     0, UINT64_MAX, NULL},
    {"jsonl", 0, EV_OPTION_FLAG, NULL, "print the rows as JSON lines", &asked.jsonl, 0, 0, NULL},
};
enum { OPTIONS = sizeof options / sizeof *options };

static void help(FILE *out)
{
    fputs("Audits a run's checkpoint on a minibatch of test images: each term of the float loss\n"
          "against the derived closed form in double, quadrature (up to 2 latent dimensions) and\n"
          "sampling, the bound against log p(x), the gradient against directional derivatives.\n"
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
        printf("%zu rows: %zu hold, %zu refuted, %zu undecided, %zu void; false alarms %.1g over "
               "%zu intervals; %zu kinks\n",
               audit->count, ev_audit_tally(audit, EV_HOLDS), ev_audit_tally(audit, EV_REFUTED),
               ev_audit_tally(audit, EV_UNDECIDED), ev_audit_tally(audit, EV_VOID), audit->alpha,
               audit->intervals, audit->kinks);
    if (ev_audit_passed(audit))
        return EV_EXIT_OK;
    ev_message(EV_COLOUR_AUTO, "the audit refutes '%s': %s", audit->failed, audit->diagnosis);
    return EV_EXIT_UNEXPECTED;
}

/* --- The minibatch ------------------------------------------------------------------------- */

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
    const size_t count = t->test.source.count, J = t->model.config.J;
    const size_t B = asked.batch < count ? (size_t)asked.batch : count;
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

static int audit_run(const char *folder)
{
    ev_trained trained;
    ev_audit audit = {.rows = NULL};
    ev_error error = EV_ERROR_NONE;
    ev_status status = ev_trained_open(&trained, folder, asked.data, &error);
    if (status != EV_OK) {
        ev_message_error(&error, EV_COLOUR_AUTO);
        return ev_message_exit(status);
    }
    status = audit_trained(&trained, &audit, &error);
    int code = status == EV_OK ? report(&audit, trained.step) : ev_message_exit(status);
    if (status != EV_OK)
        ev_message_error(&error, EV_COLOUR_AUTO);
    ev_audit_free(&audit);
    ev_trained_close(&trained);
    return code;
}

static int run(int argc, char **argv)
{
    asked.batch = 100;
    asked.images = EV_AUDIT_DEFAULTS.images;
    asked.samples = EV_AUDIT_DEFAULTS.samples;
    asked.seed = 1;
    switch (ev_options_parse("audit", options, OPTIONS, &argc, argv)) {
    case EV_OPTIONS_HELP: return ev_subcommand_help(&ev_audit_subcommand);
    case EV_OPTIONS_BAD: return EV_EXIT_INPUT;
    default: break;
    }
    if (argc != 1) {
        ev_message(EV_COLOUR_AUTO, "'evidence audit' takes the folder of one run");
        return EV_EXIT_INPUT;
    }
    if (ev_vqvae_is_run(argv[0])) {
        ev_message(EV_COLOUR_AUTO,
                   "%s is a run of a VQ-VAE, which is audited while it trains: see its audit.jsonl",
                   argv[0]);
        return EV_EXIT_INPUT;
    }
    return audit_run(argv[0]);
}

const ev_subcommand ev_audit_subcommand = {
    "audit", "[OPTION...] RUN", "hold a model's loss against the derivations", run, help};
