#include "cli/evaluation_report.h"

#include "cli/message.h"
#include "cli/output.h"
#include "train/pictures.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const binarisations[] = {
    "grey pixels as they are: minus a cross-entropy, not a log probability",
    "pixels drawn once: log probability of binary images",
    "pixels drawn anew: log probability of binary images"};

static void print_bounds(FILE *out, const ev_settings *s, const ev_evaluation *e)
{
    fprintf(out, "test images        %zu\n", e->N);
    if (s->likelihood == EV_LIKELIHOOD_BERNOULLI)
        fprintf(out, "binarisation       %s (%s)\n", ev_binarisation_names[s->binarise],
                binarisations[s->binarise]);
    fprintf(out, "ELBO               %.4f ± %.4f nats\n", ev_elbo_total(&e->elbo), e->elbo_error);
    for (size_t t = 0; t < EV_ELBO_TERMS; t++)
        fprintf(out, "  %-16s %.4f\n", ev_elbo_term_names[t], e->elbo.term[t]);
    for (size_t i = 0; i < EV_EVALUATION_SIZES && e->log_px_images > 0; i++)
        fprintf(out, "log p(x), S = %-4zu %.4f ± %.4f nats (%zu images)\n", ev_evaluation_sizes[i],
                e->log_px[i], e->log_px_error[i], e->log_px_images);
}

static void print_clusters(FILE *out, const ev_evaluation *e)
{
    const ev_clustering *c = &e->clustering;
    if (e->labelled)
        fprintf(out,
                "accuracy           %.4f (best one-to-one assignment)\n"
                "purity             %.4f (many-to-one)\n"
                "NMI                %.4f\n"
                "ARI                %.4f\n",
                c->accuracy, c->purity, c->nmi, c->ari);
    fprintf(out, "clusters in use    %zu of %zu, the largest with %.1f %%\n", c->occupied, e->K,
            100.0 * c->largest);
    fprintf(out, "entropy of q(c|x)  %.4f nats in the mean\n", e->gamma_entropy);
    fputs("images a cluster  ", out);
    for (size_t k = 0; k < e->K; k++)
        fprintf(out, " %zu", e->occupancy[k]);
    fputc('\n', out);
    if (ev_evaluation_collapsed(e))
        fputs("COLLAPSED: one cluster has nearly all images; the accuracy is no more than the "
              "largest class's share\n",
              out);
}

void ev_evaluation_print(FILE *out, const ev_settings *settings, const ev_evaluation *e)
{
    print_bounds(out, settings, e);
    if (e->K > 1)
        print_clusters(out, e);
}

/* Index, label if there are any, cluster and its label by the best assignment, mean. */
static ev_status write_latent(const ev_trained *t, const ev_evaluation *e, const char *path,
                              ev_error *error)
{
    const size_t J = t->model.config.J;
    ev_output output;
    ev_status status = ev_output_open(&output, path, error);
    if (status != EV_OK)
        return status;
    fputs(e->labelled ? "image\tlabel\tcluster" : "image\tcluster", output.stream);
    for (size_t j = 0; j < J; j++)
        fprintf(output.stream, "\tmu_%zu", j);
    for (size_t i = 0; i < e->N; i++) {
        fprintf(output.stream, "\n%zu", i);
        if (e->labelled)
            fprintf(output.stream, "\t%u", t->images.test.labels[i]);
        fprintf(output.stream, "\t%zu", e->cluster[i]);
        for (size_t j = 0; j < J; j++)
            fprintf(output.stream, "\t%.6g", (double)e->mu[i * J + j]);
    }
    fputc('\n', output.stream);
    return ev_output_close(&output, error);
}

/* One of the files of the folder. */
static ev_status write_file(const ev_trained *t, const ev_evaluation *e, size_t which,
                            ev_error *error)
{
    static const char *const names[] = {"latent.tsv", "samples.png", "reconstructions.png"};
    const ev_picture_size size = {t->images.height, t->images.width};
    char *path = ev_run_path(&t->run, names[which]);
    if (path == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "out of memory for a file's name");
    ev_status status = EV_OK;
    switch (which) {
    case 0: status = write_latent(t, e, path, error); break;
    case 1:
        status = ev_pictures_samples(path, &t->model, t->parameters, size, 12, t->settings.seed,
                                     error);
        break;
    default:
        status = ev_pictures_reconstructions(path, &t->model, t->parameters, &t->test.source, size,
                                             5, 12, error);
    }
    if (status == EV_OK)
        printf("written            %s\n", path);
    free(path);
    return status;
}

int ev_evaluation_report(ev_trained *t, size_t log_px_images)
{
    ev_evaluation e;
    ev_error error = EV_ERROR_NONE;
    ev_status status = ev_trained_evaluate(t, log_px_images, &e, &error);
    if (status == EV_OK) {
        ev_evaluation_print(stdout, &t->settings, &e);
        for (size_t which = 0; which < 3 && status == EV_OK; which++)
            status = write_file(t, &e, which, &error);
        ev_evaluation_destroy(&e);
    }
    if (status == EV_OK && (fflush(stdout) != 0 || ferror(stdout)))
        status = ev_error_set(&error, EV_IO, "can't write to standard output");
    if (status != EV_OK)
        ev_message_error(&error, EV_COLOUR_AUTO);
    return ev_message_exit(status);
}
