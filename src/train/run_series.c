#include "train/run_series.h"

#include "base/file_bytes.h"
#include "train/run_series_parts.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Files ----------------------------------------------------------------------------------- */

static bool path_in(const char *folder, const char *name, char *path, size_t size)
{
    int length = snprintf(path, size, "%s/%s", folder, name);
    return length > 0 && (size_t)length < size;
}

ev_status ev_run_table(const ev_table *table, const char *name, ev_tsv *tsv, ev_error *error)
{
    char path[1100];
    *tsv = (ev_tsv){0};
    return path_in(table->run, name, path, sizeof path)
               ? ev_tsv_read(path, tsv, error)
               : ev_error_set(error, EV_BAD_INPUT, "the folder's name is too long");
}

ev_status ev_run_row(const ev_tsv *tsv, size_t row, size_t count, const char *const *names,
                     double *values, ev_error *error)
{
    ev_status status = EV_OK;
    for (size_t i = 0; i < count && status == EV_OK; i++)
        status = ev_tsv_number(tsv, row, ev_tsv_column(tsv, names[i]), &values[i], error);
    return status;
}

bool ev_run_in_phase(const ev_tsv *tsv, size_t row, const char *phase)
{
    const size_t column = ev_tsv_column(tsv, "phase");
    return column < tsv->columns && strcmp(tsv->cells[row * tsv->columns + column], phase) == 0;
}

bool ev_run_in_own_phase(const ev_tsv *tsv, size_t row)
{
    return ev_run_in_phase(tsv, row, "held") || ev_run_in_phase(tsv, row, "elbo");
}

/* --- What is known of a run --------------------------------------------------------------------- */

bool ev_run_is_folder(const char *path)
{
    char config[1100];
    return path_in(path, "config.json", config, sizeof config) && access(config, F_OK) == 0;
}

static bool take_text(const json_t *object, const char *key, char *text, size_t size)
{
    const char *found = json_string_value(json_object_get(object, key));
    int length = found == NULL ? -1 : snprintf(text, size, "%s", found);
    return length > 0 && (size_t)length < size;
}

/* A seed above 2^63 - 1 stands in quotes (config.h). */
static bool take_seed(const json_t *object, uint64_t *seed)
{
    const json_t *number = json_object_get(object, "seed");
    const char *text = json_string_value(number);
    char *end = NULL;
    *seed = text != NULL ? strtoull(text, &end, 10) : (uint64_t)json_integer_value(number);
    return text != NULL ? end != text && *end == '\0' : json_is_integer(number);
}

static ev_status read_config(ev_run_facts *facts, ev_error *error)
{
    enum { LIMIT = 1 << 20 };
    char path[1100];
    uint8_t *bytes = NULL;
    size_t length = 0;
    if (!path_in(facts->folder, "config.json", path, sizeof path))
        return ev_error_set(error, EV_BAD_INPUT, "the folder's name is too long");
    ev_status status = ev_file_bytes(path, LIMIT, &bytes, &length, error);
    if (status != EV_OK)
        return status;
    json_t *object = json_loadb((const char *)bytes, length, JSON_REJECT_DUPLICATES, NULL);
    if (!take_text(object, "model", facts->model, sizeof facts->model) ||
        !take_text(object, "revision", facts->revision, sizeof facts->revision) ||
        !take_seed(object, &facts->seed))
        status = ev_file_refuse(error, path, "it has no model, revision or seed");
    else if (ev_run_series_of(facts->model) == NULL)
        status = ev_file_refuse(error, path, "no model of that name: '%s'", facts->model);
    json_decref(object);
    free(bytes);
    return status;
}

static ev_status read_last_step(ev_run_facts *facts, ev_error *error)
{
    static const char *const step[] = {"step"};
    const ev_table table = {.run = facts->folder};
    ev_tsv metrics;
    double last = 0.0;
    ev_status status = ev_run_table(&table, "metrics.tsv", &metrics, error);
    if (status == EV_OK && metrics.rows > 0)
        status = ev_run_row(&metrics, metrics.rows - 1, 1, step, &last, error);
    if (status == EV_OK && last > 0.0)
        facts->step = (uint64_t)last;
    ev_tsv_free(&metrics);
    return status;
}

ev_status ev_run_facts_read(const char *folder, ev_run_facts *facts, ev_error *error)
{
    *facts = (ev_run_facts){.step = 0};
    int length = snprintf(facts->folder, sizeof facts->folder, "%s", folder);
    if (length <= 0 || (size_t)length >= sizeof facts->folder)
        return ev_error_set(error, EV_BAD_INPUT, "the folder's name is too long, or empty");
    while (length > 1 && facts->folder[length - 1] == '/')
        facts->folder[--length] = '\0';
    ev_status status = read_config(facts, error);
    return status == EV_OK ? read_last_step(facts, error) : status;
}

/* --- The series --------------------------------------------------------------------------------- */

#define LOSS                                                                                       \
    {                                                                                              \
        "loss", "minus the ELBO, and the ELBO by term: mean over an epoch; then the autoencoders", \
            "epoch of its kind\tloss [nat]\treconstruction [nat]\tlatent [nat]\t"                  \
            "categorical [nat]\tentropy [nat]\t1 where q(c|x) is held",                            \
            ev_run_loss                                                                            \
    }
#define AUDIT                                                                                   \
    {                                                                                           \
        "audit",                                                                                \
            "the trainer's float loss minus the derived formula, with the same draws and with " \
            "E_q[log p(x|z)] from fresh ones",                                                  \
            "epoch\tdifference, same draws [nat]\tits bound [nat]\tdifference, fresh draws "    \
            "[nat]\t"                                                                           \
            "standard deviation of that [nat]",                                                 \
            ev_run_audit                                                                        \
    }
#define LATENT                                                                                     \
    {"latent", "posterior means of the first 2000 test images in the plane, a block a cluster",    \
     "x\ty\tlabel", ev_run_latent},                                                                \
        {"regions", "where nine in ten of a cluster's means would be, were they Gaussian", "x\ty", \
         ev_run_regions},                                                                          \
    {                                                                                              \
        "centres", "the middle of each cluster in the plane, its images and commonest label",      \
            "cluster\tx\ty\timages\tcommonest label\tits share", ev_run_centres                    \
    }

static const ev_series vae[] = {LOSS, AUDIT, LATENT, {0}};
static const ev_series gmvae[] = {
    LOSS,
    {"clusters", "how the clusters match the labels, on the test images",
     "epoch\taccuracy\tpurity\tNMI\tARI\tentropy of q(c|x) [nat]\tclusters in use\tlargest share",
     ev_run_clusters},
    {"occupancy", "the share of the test images in each cluster, a block a cluster",
     "epoch\tshare\tall up to this one", ev_run_occupancy},
    AUDIT,
    LATENT,
    {0}};
static const ev_series vqvae[] = {
    {"codes", "the loss by term and the codes' use: mean over an epoch",
     "epoch\tloss [nat]\treconstruction [nat]\t|z_q - sg(z)|^2\tcommitment\tperplexity\t"
     "codes in use\tcodes revived",
     ev_run_codes},
    {"prior", "minus log p(codes) under the prior in training", "epoch\tnats an image",
     ev_run_prior},
    {"usage", "how often each code is chosen on the test images, the commonest first",
     "rank\tshare\tall up to this one", ev_run_usage},
    {0}};

const ev_series *ev_run_series_of(const char *model)
{
    static const struct {
        const char *model;
        const ev_series *series;
    } all[] = {{"gmvae", gmvae}, {"vae", vae}, {"vqvae", vqvae}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].model, model) == 0)
            return all[i].series;
    return NULL;
}

ev_status ev_run_series_write(const ev_run_facts *facts, const ev_series *series, FILE *out,
                              size_t *rows, ev_error *error)
{
    ev_table table = {.out = out, .topic = facts->model, .run = facts->folder, .seed = facts->seed};
    fprintf(out, "# %s %s: %s\n# run %s, step %" PRIu64 ", seed %" PRIu64 ", revision %s\n",
            facts->model, series->name, series->summary, facts->folder, facts->step, facts->seed,
            facts->revision);
    ev_status status = ev_series_rows(series, &table, error);
    *rows = table.rows;
    return status;
}
