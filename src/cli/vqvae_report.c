#include "cli/vqvae_report.h"

#include "base/draft.h"
#include "cli/message.h"
#include "train/vqvae_evaluation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *what_is_coded(const ev_vqvae_run *run)
{
    if (run->trainer.config.model.likelihood == EV_LIKELIHOOD_GAUSSIAN)
        return "at most, of 256 grey levels";
    return run->settings.binarise == EV_BINARISE_NONE ? "of a cross-entropy: pixels are not binary"
                                                      : "at most, of binary pixels";
}

static void print(const ev_vqvae_run *run, const ev_vqvae_evaluation *e)
{
    const double *term = e->loss.term;
    const size_t K = run->trainer.config.model.K;
    printf("VQ-VAE after step %" PRIu64 ", on %zu test images\n", run->trainer.step, e->images);
    printf("  log p(x|z_q)           %12.3f nats an image\n", -term[EV_VQ_RECONSTRUCTION]);
    printf("  |z - e|^2              %12.4f an image\n", term[EV_VQ_CODEBOOK]);
    printf("  squared error          %12.6f a pixel", e->squared_error);
    if (e->variance > 0)
        printf(", %.4f of the data's variance", e->squared_error / e->variance);
    printf("\n");
    printf("  perplexity             %12.1f of %zu codes; %zu never chosen\n", e->perplexity, K,
           K - e->used);
    if (run->trainer.config.model.likelihood == EV_LIKELIHOOD_GAUSSIAN)
        printf("  log P(levels|z_q)      %12.3f\n", -e->level_nats);
    printf("  log p(codes), learnt   %12.3f nats an image\n", -e->prior_nats);
    printf("  log p(codes), uniform  %12.3f\n", -e->uniform_nats);
    printf("  bits a pixel, learnt   %12.4f %s\n", e->bits, what_is_coded(run));
    printf("  bits a pixel, uniform  %12.4f\n", e->uniform_bits);
}

static ev_status write_line(ev_draft *draft, const char *line, int length, ev_error *error)
{
    return ev_draft_write(draft, line, (size_t)length, error);
}

static ev_status write_codes(const char *path, size_t K, const double *counts, ev_error *error)
{
    static const char header[] = "code\tcount\tshare\n";
    ev_draft draft = EV_DRAFT_NONE;
    char line[96];
    double total = 0;
    for (size_t k = 0; k < K; k++)
        total += counts[k];
    ev_status status = ev_draft_open(&draft, path, error);
    if (status == EV_OK)
        status = write_line(&draft, header, (int)sizeof header - 1, error);
    for (size_t k = 0; k < K && status == EV_OK; k++) {
        int length = snprintf(line, sizeof line, "%zu\t%.0f\t%.6g\n", k, counts[k],
                              counts[k] / total);
        status = write_line(&draft, line, length, error);
    }
    if (status == EV_OK)
        status = ev_draft_commit(&draft, error);
    ev_draft_discard(&draft);
    return status;
}

static ev_status write_one(ev_vqvae_run *run, const char *name, const double *counts,
                           ev_error *error)
{
    char *path = ev_run_path(&run->folder, name);
    ev_status status = EV_OK;
    if (path == NULL)
        status = ev_error_set(error, EV_NO_MEMORY, "out of memory");
    else if (*name == 's')
        status = ev_vqvae_draw_samples(run, path, 8, 16, run->settings.seed, error);
    else if (*name == 'r')
        status = ev_vqvae_draw_reconstructions(run, path, 5, 16, error);
    else if (counts != NULL)
        status = write_codes(path, run->trainer.config.model.K, counts, error);
    else
        status = ev_vqvae_draw_codebook(run, path, error);
    free(path);
    return status;
}

int ev_vqvae_report(ev_vqvae_run *run)
{
    ev_error error = EV_ERROR_NONE;
    ev_vqvae_evaluation found;
    double *counts = calloc(run->trainer.config.model.K, sizeof *counts);
    ev_status status = counts == NULL ? ev_error_set(&error, EV_NO_MEMORY, "out of memory")
                                      : ev_vqvae_evaluate(run, &found, counts, &error);
    if (status == EV_OK)
        print(run, &found);
    if (status == EV_OK)
        status = write_one(run, "codes.tsv", counts, &error);
    if (status == EV_OK)
        status = write_one(run, "codebook.png", NULL, &error);
    if (status == EV_OK)
        status = write_one(run, "reconstructions.png", NULL, &error);
    if (status == EV_OK)
        status = write_one(run, "samples.png", NULL, &error);
    if (status != EV_OK)
        ev_message_error(&error, EV_COLOUR_AUTO);
    free(counts);
    return ev_message_exit(status);
}

static ev_status draw(ev_vqvae_run *run, bool samples, const char *path, size_t rows,
                      size_t columns, uint64_t seed, ev_error *error)
{
    ev_status status = samples ? ev_vqvae_draw_samples(run, path, rows, columns, seed, error)
                               : ev_vqvae_draw_reconstructions(run, path, rows, columns, error);
    if (status == EV_OK)
        printf("%s\n", path);
    return status;
}

int ev_vqvae_look_at(const char *what, const char *folder, const char *data, const char *out,
                     size_t rows, size_t columns, uint64_t seed)
{
    static ev_vqvae_run run; /* its sources point into it */
    ev_error error = EV_ERROR_NONE;
    const bool samples = *what == 's';
    ev_status status = ev_vqvae_run_open(&run, folder, data, 0, &error);
    int code = EV_EXIT_OK;
    if (status == EV_OK && *what == 'e')
        code = ev_vqvae_report(&run);
    else if (status == EV_OK) {
        char *path = ev_run_path(&run.folder, samples ? "samples.png" : "reconstructions.png");
        const char *target = out != NULL ? out : path;
        if (seed == UINT64_MAX)
            seed = run.settings.seed;
        status = target == NULL ? ev_error_set(&error, EV_NO_MEMORY, "out of memory")
                                : draw(&run, samples, target, rows, columns, seed, &error);
        free(path);
    }
    ev_vqvae_run_close(&run);
    if (status != EV_OK)
        ev_message_error(&error, EV_COLOUR_AUTO);
    return code != EV_EXIT_OK ? code : ev_message_exit(status);
}
