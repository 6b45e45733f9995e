/* evidence eval, sample and reconstruct: what a trained model is worth, and what it draws. */
#include "cli/evaluation_report.h"
#include "cli/measures.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/subcommand.h"
#include "cli/vqvae_report.h"
#include "train/pictures.h"

#include <omp.h>
#include <stdlib.h>

static struct {
    const char *data, *out;
    uint64_t threads, log_px_images, columns, rows, seed;
    int format;
} asked;

enum { TEXT, TSV };
static const char *const formats[] = {"text", "tsv", NULL};

static const ev_option eval_options[] = {
    {"data", 0, EV_OPTION_TEXT, "DIR", "the images' folder, where it has moved", &asked.data, 0, 0,
     NULL},
    {"log-px-images", 0, EV_OPTION_NUMBER, "N",
     "images for log p(x), 500 draws each (default 1000)", &asked.log_px_images, 0, 1000000, NULL},
    {"format", 0, EV_OPTION_CHOICE, NULL, "tsv: measures alone, a line of names and a row a run",
     &asked.format, 0, 0, formats},
    {"threads", 0, EV_OPTION_NUMBER, "N", "threads (default: OpenMP's)", &asked.threads, 1, 256,
     NULL},
};

static const ev_option picture_options[] = {
    {"data", 0, EV_OPTION_TEXT, "DIR", "the images' folder, where it has moved", &asked.data, 0, 0,
     NULL},
    {"out", 0, EV_OPTION_TEXT, "FILE", "the picture (default: in the run's folder)", &asked.out, 0,
     0, NULL},
    {"columns", 0, EV_OPTION_NUMBER, "N", "images a row (default 12)", &asked.columns, 1, 200,
     NULL},
    {"rows", 0, EV_OPTION_NUMBER, "N", "rows, or of reconstruct pairs of them (default 5)",
     &asked.rows, 1, 200, NULL},
    {"seed", 0, EV_OPTION_NUMBER, "N", "the seed of the draws, of sample (default: the run's)",
     &asked.seed, 0, UINT64_MAX, NULL},
};

#define COUNT(options) (sizeof(options) / sizeof *(options))

/* The command line; -1 when it is to be carried out, with the operands left in argv. */
static int parse(const ev_subcommand *self, const ev_option *options, size_t count, int *argc,
                 char **argv)
{
    switch (ev_options_parse(self->name, options, count, argc, argv)) {
    case EV_OPTIONS_HELP: return ev_subcommand_help(self);
    case EV_OPTIONS_BAD: return EV_EXIT_INPUT;
    default: break;
    }
    if (*argc == 0 || (*argc > 1 && asked.format == TEXT)) {
        ev_message(EV_COLOUR_AUTO, "'evidence %s' takes the folder of one run", self->name);
        return EV_EXIT_INPUT;
    }
    if (asked.threads > 0)
        omp_set_num_threads((int)asked.threads);
    return -1;
}

/* The run of that folder, opened; otherwise *opened is false, and what has been done instead or was
 * wrong is the exit status. */
static int open_run(const ev_subcommand *self, const char *folder, ev_trained *trained,
                    bool *opened)
{
    ev_error error = EV_ERROR_NONE;
    *opened = false;
    if (ev_vqvae_is_run(folder))
        return ev_vqvae_look_at(self->name, folder, asked.data, asked.out, (size_t)asked.rows,
                                (size_t)asked.columns, asked.seed);
    ev_status status = ev_trained_open(trained, folder, asked.data, &error);
    if (status != EV_OK)
        ev_message_error(&error, EV_COLOUR_AUTO);
    *opened = status == EV_OK;
    return ev_message_exit(status);
}

static void eval_help(FILE *out)
{
    fputs(
        "Evaluates a run's checkpoint on the test images: the ELBO by term, log p(x) by\n"
        "importance sampling, and how the clusters match the labels, if there are any.  Writes\n"
        "latent.tsv, samples.png and reconstructions.png into the run's folder.  Of a VQ-VAE: log\n"
        "p(x|z_q), the squared error, the use of its codes and the bits a pixel; codes.tsv and\n"
        "pictures.  --format tsv writes nothing there, and takes several runs.\n\n",
        out);
    ev_options_help(out, eval_options, COUNT(eval_options));
}

static int run_eval(int argc, char **argv)
{
    ev_trained trained;
    bool opened;
    asked.log_px_images = 1000;
    int status = parse(&ev_eval_subcommand, eval_options, COUNT(eval_options), &argc, argv);
    if (status != -1)
        return status;
    if (asked.format == TSV)
        return ev_measures_print((size_t)argc, argv, asked.data, (size_t)asked.log_px_images);
    status = open_run(&ev_eval_subcommand, argv[0], &trained, &opened);
    if (!opened)
        return status;
    status = ev_evaluation_report(&trained, (size_t)asked.log_px_images);
    ev_trained_close(&trained);
    return status;
}

static ev_status draw(const ev_trained *t, bool samples, const char *path, ev_error *error)
{
    const ev_picture_size size = {t->images.height, t->images.width};
    return samples
               ? ev_pictures_samples(path, &t->model, t->parameters, size, (size_t)asked.columns,
                                     asked.seed, error)
               : ev_pictures_reconstructions(path, &t->model, t->parameters, &t->test.source, size,
                                             (size_t)asked.rows, (size_t)asked.columns, error);
}

static int run_picture(const ev_subcommand *self, bool samples, int argc, char **argv)
{
    ev_trained trained;
    bool opened;
    ev_error error = EV_ERROR_NONE;
    asked.columns = 12;
    asked.rows = 5;
    asked.seed = UINT64_MAX;
    int exit_status = parse(self, picture_options, COUNT(picture_options), &argc, argv);
    if (exit_status != -1)
        return exit_status;
    exit_status = open_run(self, argv[0], &trained, &opened);
    if (!opened)
        return exit_status;
    if (asked.seed == UINT64_MAX)
        asked.seed = trained.settings.seed;
    char *path = ev_run_path(&trained.run, samples ? "samples.png" : "reconstructions.png");
    const char *target = asked.out != NULL ? asked.out : path;
    ev_status status = target == NULL ? ev_error_set(&error, EV_NO_MEMORY, "out of memory")
                                      : draw(&trained, samples, target, &error);
    if (status == EV_OK)
        printf("%s\n", target);
    else
        ev_message_error(&error, EV_COLOUR_AUTO);
    free(path);
    ev_trained_close(&trained);
    return ev_message_exit(status);
}

static void picture_help(FILE *out)
{
    fputs("Draws a PNG from a run's checkpoint: of `sample` a row for each cluster, or --rows of\n"
          "images from a VQ-VAE's prior over codes; of `reconstruct` test images in one row and\n"
          "what the model makes of them in the next.\n\n",
          out);
    ev_options_help(out, picture_options, COUNT(picture_options));
}

static int run_sample(int argc, char **argv)
{
    return run_picture(&ev_sample_subcommand, true, argc, argv);
}

static int run_reconstruct(int argc, char **argv)
{
    return run_picture(&ev_reconstruct_subcommand, false, argc, argv);
}

const ev_subcommand ev_eval_subcommand = {"eval", "[OPTION...] RUN...", "evaluate a trained model",
                                          run_eval, eval_help};
const ev_subcommand ev_sample_subcommand = {
    "sample", "[OPTION...] RUN", "draw samples of a trained model", run_sample, picture_help};
const ev_subcommand ev_reconstruct_subcommand = {"reconstruct", "[OPTION...] RUN",
                                                 "draw images and their reconstructions",
                                                 run_reconstruct, picture_help};
