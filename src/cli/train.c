/* evidence train: a model on a folder of images, into a folder of its own. */
#include "cli/evaluation_report.h"
#include "cli/message.h"
#include "cli/settings_options.h"
#include "cli/subcommand.h"
#include "cli/train_vqvae.h"
#include "cli/training.h"
#include "train/checkpoint.h"
#include "train/stop.h"
#include "train/vqvae_run.h"

#include <inttypes.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

static struct {
    const char *config, *out, *resume;
    int preset;
    uint64_t log_px_images;
    bool nothing_after;
    int model; /* named on the command line; -1: none */
} asked;

static const ev_option own[] = {
    {"preset", 0, EV_OPTION_CHOICE, NULL, "where the other settings start", &asked.preset, 0, 0,
     ev_preset_names},
    {"config", 0, EV_OPTION_TEXT, "FILE", "settings in JSON, as in a run's config.json",
     &asked.config, 0, 0, NULL},
    {"out", 0, EV_OPTION_TEXT, "RUN", "the run's folder (default: runs/MODEL)", &asked.out, 0, 0,
     NULL},
    {"resume", 0, EV_OPTION_TEXT, "RUN", "go on with a run, with its own settings", &asked.resume,
     0, 0, NULL},
    {"log-px-images", 0, EV_OPTION_NUMBER, "N",
     "test images for log p(x) at the end (default 1000)", &asked.log_px_images, 0, 1000000, NULL},
    {"no-eval", 0, EV_OPTION_FLAG, NULL, "no evaluation and no pictures at the end",
     &asked.nothing_after, 0, 0, NULL},
};
enum { OWN = sizeof own / sizeof *own };

static ev_settings_options told;

static void help(FILE *out)
{
    fputs("Trains a model: gmvae (a mixture prior) or vae (a standard normal one); of vqvae, see\n"
          "'evidence train vqvae --help'.  Labels are read for the report at the end only.\n"
          "Images: IDX files as MNIST's, by default Fashion-MNIST.  SIGINT and SIGTERM finish the\n"
          "step, save and stop; --resume goes on.\n\n",
          out);
    ev_settings_preset(&told.settings, EV_MODEL_GMVAE, EV_PRESET_SMALL);
    ev_settings_options_make(&told, OWN, own);
    ev_options_help(out, told.option, told.count);
}

/* --- The command line ---------------------------------------------------------------------- */

static int parse(int *argc, char **argv)
{
    ev_settings_options_make(&told, OWN, own);
    switch (ev_options_parse("train", told.option, told.count, argc, argv)) {
    case EV_OPTIONS_HELP: return -1;
    case EV_OPTIONS_BAD: return EV_EXIT_INPUT;
    default: return EV_EXIT_OK;
    }
}

static int model_of(const char *name)
{
    for (int i = 0; ev_model_names[i] != NULL; i++)
        if (strcmp(ev_model_names[i], name) == 0)
            return i;
    return -1;
}

static bool read_config(const char *path)
{
    ev_config_key keys[EV_SETTINGS_KEYS];
    ev_error error = EV_ERROR_NONE;
    const size_t count = ev_settings_keys(&told.settings, keys);
    if (ev_config_read(path, count, keys, EV_CONFIG_PARTIAL, &error) == EV_OK)
        return true;
    ev_message_error(&error, EV_COLOUR_AUTO);
    return false;
}

static void refuse_model(int operands, const char *name)
{
    if (operands != 1)
        ev_message(EV_COLOUR_AUTO, "expected one model: gmvae, vae or vqvae");
    else if (strcmp(name, "vqvae") == 0)
        ev_message(EV_COLOUR_AUTO, "'vqvae' has its own options, and stands before them");
    else
        ev_message(EV_COLOUR_AUTO, "unknown model '%s': expected gmvae, vae or vqvae", name);
}

/* Preset, then file, then command line.  The command line is read twice: it also says which preset
 * and which file. */
static int read_settings(int argc, char **argv)
{
    char **again = calloc((size_t)argc + 1, sizeof *again);
    if (again == NULL)
        return EV_EXIT_MACHINE;
    memcpy(again, argv, (size_t)argc * sizeof *argv);
    int operands = argc, status = parse(&operands, argv);
    const char *name = operands == 1 ? argv[0] : "";
    const int model = asked.model = model_of(name);
    if (status == EV_EXIT_OK && asked.resume != NULL && operands == 0) {
        free(again);
        return EV_EXIT_OK;
    }
    if (status == EV_EXIT_OK && model < 0) {
        refuse_model(operands, name);
        status = EV_EXIT_INPUT;
    }
    if (status == EV_EXIT_OK) {
        ev_settings_preset(&told.settings, (ev_model_kind)model, (ev_preset)asked.preset);
        bool good = asked.config == NULL || read_config(asked.config);
        told.settings.model = model;
        operands = argc;
        good = good && parse(&operands, again) == EV_EXIT_OK && ev_settings_options_take(&told);
        status = good ? EV_EXIT_OK : EV_EXIT_INPUT;
    }
    free(again);
    return status;
}

/* With --resume the settings are the run's; only these may stand beside it. */
static bool only_resumes(int argc, char **argv)
{
    static const char *const allowed[] = {"--resume", "--threads", "--log-px-images", "--no-eval",
                                          "--data"};
    for (int i = 0; i < argc; i++) {
        bool known = strncmp(argv[i], "--", 2) != 0;
        for (size_t a = 0; a < sizeof allowed / sizeof *allowed; a++)
            known = known || (strncmp(argv[i], allowed[a], strlen(allowed[a])) == 0 &&
                              strchr("=", argv[i][strlen(allowed[a])]) != NULL);
        if (!known) {
            ev_message(EV_COLOUR_AUTO,
                       "'%s' has no place beside --resume: a run goes on with its "
                       "own settings",
                       argv[i]);
            return false;
        }
    }
    return true;
}

/* --- The run ------------------------------------------------------------------------------- */

typedef struct {
    ev_settings settings;
    ev_run_folder run;
    ev_image_set images;
    ev_split_source source, test;
    ev_trainer trainer;
    bool resumed;
} session;

static void close_session(session *s)
{
    ev_trainer_destroy(&s->trainer);
    ev_split_source_destroy(&s->source);
    ev_split_source_destroy(&s->test);
    ev_image_set_free(&s->images);
    ev_run_close(&s->run);
}

static ev_status open_images(session *s, ev_error *error)
{
    ev_status status = ev_image_set_read(s->settings.data, &s->images, error);
    if (status == EV_OK)
        status = ev_settings_bind_images(&s->settings, &s->images, error);
    const ev_pixel_source pixels = ev_settings_pixels(&s->settings, 0);
    const ev_pixel_source held_out = ev_settings_pixels(&s->settings, 1);
    if (status == EV_OK)
        status = ev_split_source_create(&s->source, &s->images.train, s->images.D, &pixels, error);
    if (status == EV_OK)
        status = ev_split_source_create(&s->test, &s->images.test, s->images.D, &held_out, error);
    if (status != EV_OK)
        return status;
    const ev_train_config config = ev_settings_train_config(&s->settings);
    return ev_trainer_create(&s->trainer, &config, &s->source.source, error);
}

/* The trainer is made first: a run that can't begin leaves no folder behind. */
static ev_status open_new(session *s, ev_error *error)
{
    ev_config_key keys[EV_SETTINGS_KEYS];
    char folder[64];
    s->settings = told.settings;
    snprintf(folder, sizeof folder, "runs/%s", ev_model_names[s->settings.model]);
    const size_t count = ev_settings_keys(&s->settings, keys);
    ev_status status = ev_config_check(count, keys, error);
    if (status == EV_OK)
        status = open_images(s, error);
    if (status == EV_OK)
        status = ev_run_create(&s->run, asked.out == NULL ? folder : asked.out, count, keys,
                               ev_training_header, error);
    if (status == EV_OK && s->settings.clusters > 1)
        status = ev_cluster_log_begin(&s->run, (size_t)s->settings.clusters, error);
    return status;
}

static ev_status open_resumed(session *s, ev_error *error)
{
    ev_config_key keys[EV_SETTINGS_KEYS];
    ev_status status = ev_run_open(&s->run, asked.resume, ev_settings_keys(&s->settings, keys),
                                   keys, error);
    if (status == EV_OK && asked.model >= 0 && s->settings.model != asked.model)
        status = ev_error_set(error, EV_BAD_INPUT, "%s: a run of the model '%s', not of '%s'",
                              asked.resume, ev_model_names[s->settings.model],
                              ev_model_names[asked.model]);
    if (status != EV_OK)
        return status;
    if (told.data != NULL)
        snprintf(s->settings.data, sizeof s->settings.data, "%s", told.data);
    status = open_images(s, error);
    char *path = ev_run_path(&s->run, "checkpoint.safetensors");
    if (status == EV_OK)
        status = path == NULL ? ev_error_set(error, EV_NO_MEMORY, "out of memory")
                              : ev_checkpoint_read(path, &s->trainer, error);
    free(path);
    return status == EV_OK ? ev_run_resume(&s->run, s->trainer.step, error) : status;
}

static void announce(const session *s)
{
    const ev_settings *c = &s->settings;
    fprintf(stderr,
            "%s on %zu images of %zux%zu, binarisation %s; %zu parameters; seed %" PRIu64
            ", %d threads\n",
            ev_model_names[c->model], s->images.train.N, s->images.height, s->images.width,
            ev_binarisation_names[c->binarise], s->trainer.model.layout.size, c->seed,
            omp_get_max_threads());
    if (s->resumed)
        fprintf(stderr, "going on after step %" PRIu64 " of %" PRIu64 "\n", s->trainer.step,
                s->trainer.total);
}

/* A checkpoint is there from the first moment on. */
static ev_status train(session *s, bool *complete, ev_error *error)
{
    ev_training training;
    const ev_cluster_log clusters = {&s->run, &s->test, &s->images.test};
    ev_status status = ev_training_begin(&training, &clusters, &s->trainer,
                                         (size_t)s->settings.audit, error);
    if (status == EV_OK && !s->resumed)
        status = ev_checkpoint_write(training.checkpoint, &s->trainer, error);
    if (status == EV_OK) {
        announce(s);
        ev_training_catch_signals();
        const ev_loop_hooks hooks = ev_training_hooks(&training);
        status = ev_loop_run(&s->trainer, &hooks, complete, error);
    }
    ev_training_end(&training);
    return status;
}

static int evaluate(const char *folder)
{
    ev_trained trained;
    ev_error error = EV_ERROR_NONE;
    if (ev_trained_open(&trained, folder, told.data, &error) != EV_OK) {
        ev_message_error(&error, EV_COLOUR_AUTO);
        return ev_message_exit(error.status);
    }
    int status = ev_evaluation_report(&trained, (size_t)asked.log_px_images);
    ev_trained_close(&trained);
    return status;
}

/* 0: as OpenMP will. */
static void set_threads(uint64_t threads)
{
    if (threads > 0)
        omp_set_num_threads((int)threads);
}

static int run_session(void)
{
    session s = {.resumed = asked.resume != NULL};
    ev_error error = EV_ERROR_NONE;
    bool complete = false;
    ev_status status = s.resumed ? open_resumed(&s, &error) : open_new(&s, &error);
    set_threads(told.settings.threads > 0 ? told.settings.threads : s.settings.threads);
    if (status == EV_OK)
        status = train(&s, &complete, &error);
    char *folder = status == EV_OK ? strdup(s.run.path) : NULL;
    if (status == EV_OK && !complete)
        fprintf(stderr, "stopped after step %" PRIu64 "; 'evidence train --resume %s' goes on\n",
                s.trainer.step, folder == NULL ? "RUN" : folder);
    close_session(&s);
    if (status != EV_OK)
        ev_message_error(&error, EV_COLOUR_AUTO);
    int code = ev_message_exit(status);
    if (complete && folder != NULL && !asked.nothing_after)
        code = evaluate(folder);
    free(folder);
    return code;
}

/* The folder behind the last --resume; NULL when there is none. */
static const char *resumed_folder(int argc, char **argv)
{
    static const char option[] = "--resume";
    const char *folder = NULL;
    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], option, strlen(option)) == 0) {
            const char *rest = argv[i] + strlen(option);
            folder = *rest == '=' ? rest + 1 : *rest == '\0' && i + 1 < argc ? argv[++i] : folder;
        }
    return folder;
}

static int run_train(int argc, char **argv)
{
    const char *resumed = resumed_folder(argc, argv);
    if (argc > 0 && strcmp(argv[0], "vqvae") == 0)
        return ev_train_vqvae(argc - 1, argv + 1);
    if (resumed != NULL && (argc == 0 || model_of(argv[0]) < 0) && ev_vqvae_is_run(resumed))
        return ev_train_vqvae(argc, argv);
    asked.log_px_images = 1000;
    ev_settings_preset(&told.settings, EV_MODEL_GMVAE, EV_PRESET_SMALL);
    if (resumed != NULL && !only_resumes(argc, argv))
        return EV_EXIT_INPUT;
    int status = read_settings(argc, argv);
    if (status == -1)
        return ev_subcommand_help(&ev_train_subcommand);
    return status == EV_EXIT_OK ? run_session() : status;
}

const ev_subcommand ev_train_subcommand = {"train", "gmvae|vae|vqvae [OPTION...]",
                                           "train a model on images", run_train, help};
