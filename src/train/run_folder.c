#include "train/run_folder.h"

#include "base/file_bytes.h"
#include "data/tsv.h"

#include "build_info.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const log_names[EV_RUN_LOGS] = {"metrics.tsv", "audit.jsonl", "clusters.tsv"};
/* Bytes of a log that are read on resuming, at most: 1 GiB. */
#define LOG_LIMIT ((size_t)1 << 30)

const char *ev_run_revision(void) { return EV_BUILD_REVISION; }
const char *ev_run_compiler(void) { return EV_BUILD_COMPILER; }

static ev_status no_memory(ev_error *error)
{
    return ev_error_set(error, EV_NO_MEMORY, "no memory for a file name");
}

static ev_status refuse_write(ev_error *error, const char *path)
{
    return ev_error_set(error, EV_IO, "can't write to %s: %s", path, strerror(errno));
}

char *ev_run_path(const ev_run_folder *run, const char *name)
{
    size_t size = strlen(run->path) + strlen(name) + 2;
    char *path = malloc(size);
    if (path != NULL)
        snprintf(path, size, "%s/%s", run->path, name);
    return path;
}

/* ---- A new run ---- */

/* The folder and those above it. */
static ev_status make_folders(const char *path, ev_error *error)
{
    char *part = strdup(path);
    if (part == NULL)
        return no_memory(error);
    ev_status status = EV_OK;
    for (char *slash = part + 1; status == EV_OK && slash != NULL; slash++) {
        slash = strchr(slash, '/');
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            status = ev_error_set(error, EV_IO, "can't make the folder %s: %s", part,
                                  strerror(errno));
        if (slash == NULL)
            break;
        *slash = '/';
    }
    free(part);
    return status;
}

static ev_status expect_empty(const char *path, ev_error *error)
{
    DIR *folder = opendir(path);
    if (folder == NULL && errno == ENOTDIR)
        return ev_file_refuse(error, path, "a file of that name is in the way of the run's folder");
    if (folder == NULL)
        return ev_error_set(error, EV_IO, "can't read the folder %s: %s", path, strerror(errno));
    bool empty = true;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        empty = empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
    closedir(folder);
    return empty ? EV_OK
                 : ev_file_refuse(error, path,
                                  "not empty: a run is never overwritten; name another folder, or "
                                  "go on with the run that is there (--resume)");
}

static ev_status open_log(ev_run_folder *run, size_t log, const char *mode, ev_error *error)
{
    char *path = ev_run_path(run, log_names[log]);
    if (path == NULL)
        return no_memory(error);
    run->logs[log] = fopen(path, mode);
    ev_status status = run->logs[log] == NULL ? refuse_write(error, path) : EV_OK;
    free(path);
    return status;
}

/* The lock is on metrics.tsv and goes with the process, however that ends. */
static ev_status lock(ev_run_folder *run, ev_error *error)
{
    if (flock(fileno(run->logs[EV_RUN_METRICS]), LOCK_EX | LOCK_NB) == 0)
        return EV_OK;
    if (errno == EWOULDBLOCK)
        return ev_file_refuse(error, run->path, "another process is training in this folder");
    return refuse_write(error, run->path);
}

static ev_status write_config(const ev_run_folder *run, size_t count, const ev_config_key *keys,
                              ev_error *error)
{
    char *path = ev_run_path(run, "config.json");
    if (path == NULL)
        return no_memory(error);
    ev_status status = ev_config_write(path, count, keys, error);
    free(path);
    return status;
}

/* "wx": of two processes that find the folder empty, one makes the log, the other fails. */
static ev_status fill_folder(ev_run_folder *run, size_t count, const ev_config_key *keys,
                             const char *header, ev_error *error)
{
    ev_status status = make_folders(run->path, error);
    if (status == EV_OK)
        status = expect_empty(run->path, error);
    for (size_t log = 0; status == EV_OK && log < EV_RUN_CLUSTERS; log++)
        status = open_log(run, log, "wx", error);
    if (status == EV_OK)
        status = lock(run, error);
    if (status == EV_OK)
        status = write_config(run, count, keys, error);
    return status == EV_OK ? ev_run_log(run, EV_RUN_METRICS, error, "%s", header) : status;
}

/* What was begun and failed shall not stand in the way of the next attempt. */
static void remove_logs(const ev_run_folder *run)
{
    for (size_t log = 0; log < EV_RUN_LOGS; log++) {
        char *path = run->logs[log] == NULL ? NULL : ev_run_path(run, log_names[log]);
        if (path != NULL)
            unlink(path);
        free(path);
    }
}

static ev_status begin(ev_run_folder *run, const char *path, ev_error *error)
{
    *run = (ev_run_folder){.path = strdup(path)};
    if (path[0] == '\0')
        return ev_error_set(error, EV_BAD_INPUT, "the run's folder has no name");
    return run->path == NULL ? no_memory(error) : EV_OK;
}

ev_status ev_run_create(ev_run_folder *run, const char *path, size_t count,
                        const ev_config_key *keys, const char *header, ev_error *error)
{
    ev_status status = begin(run, path, error);
    if (status == EV_OK)
        status = fill_folder(run, count, keys, header, error);
    if (status != EV_OK) {
        remove_logs(run);
        ev_run_close(run);
    }
    return status;
}

ev_status ev_run_add_log(ev_run_folder *run, ev_run_log_kind log, const char *header,
                         ev_error *error)
{
    ev_status status = open_log(run, log, "wx", error);
    return status == EV_OK ? ev_run_log(run, log, error, "%s", header) : status;
}

/* ---- An old one ---- */

/* The folder's config.json, which must be there. */
static ev_status find_config(ev_run_folder *run, const char *path, char **config, ev_error *error)
{
    ev_status status = begin(run, path, error);
    *config = status == EV_OK ? ev_run_path(run, "config.json") : NULL;
    if (status == EV_OK && *config == NULL)
        status = no_memory(error);
    if (status == EV_OK && access(*config, F_OK) != 0)
        status = ev_file_refuse(error, path, "no run: there is no config.json in it");
    return status;
}

ev_status ev_run_model(const char *path, char model[EV_CONFIG_TEXT_SIZE], ev_error *error)
{
    ev_run_folder run;
    char *config;
    ev_status status = find_config(&run, path, &config, error);
    if (status == EV_OK)
        status = ev_config_read_text(config, "model", model, error);
    free(config);
    ev_run_close(&run);
    return status;
}

/* Another model's settings have other names, and the first of those would be what is complained of.
 * What is wrong otherwise is for the reader of all settings to say. */
static ev_status expect_model(const char *path, const char *config, size_t count,
                              const ev_config_key *keys, ev_error *error)
{
    char model[EV_CONFIG_TEXT_SIZE], known[64] = "";
    ev_error ignored = EV_ERROR_NONE;
    size_t at = 0;
    while (at < count && strcmp(keys[at].key, "model") != 0)
        at++;
    if (at == count || keys[at].kind != EV_CONFIG_CHOICE ||
        ev_config_read_text(config, "model", model, &ignored) != EV_OK)
        return EV_OK;
    for (size_t i = 0; keys[at].choices[i] != NULL; i++) {
        if (strcmp(keys[at].choices[i], model) == 0)
            return EV_OK;
        const size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : " or ",
                 keys[at].choices[i]);
    }
    return ev_file_refuse(error, path, "a run of the model '%.40s', where one of %s is expected",
                          model, known);
}

ev_status ev_run_open(ev_run_folder *run, const char *path, size_t count, const ev_config_key *keys,
                      ev_error *error)
{
    char *config;
    ev_status status = find_config(run, path, &config, error);
    if (status == EV_OK)
        status = expect_model(path, config, count, keys, error);
    if (status == EV_OK)
        status = ev_config_read(config, count, keys, EV_CONFIG_COMPLETE, error);
    free(config);
    if (status != EV_OK)
        ev_run_close(run);
    return status;
}

/* The step of a line that ends before `end`, where a newline stands: the first column, or the
 * object's "step". */
static bool table_step(const char *line, const char *end, uint64_t *step)
{
    char *after;
    if (*line < '0' || *line > '9')
        return false;
    errno = 0;
    *step = strtoull(line, &after, 10);
    return errno == 0 && (after == end || *after == '\t');
}

static bool audit_step(const char *line, const char *end, uint64_t *step)
{
    json_t *object = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, NULL);
    const json_t *number = json_object_get(object, "step");
    bool good = json_is_integer(number) && json_integer_value(number) >= 0;
    if (good)
        *step = (uint64_t)json_integer_value(number);
    json_decref(object);
    return good;
}

/* A line "step 0 ...", of what is known before an epoch is done. */
static bool is_of_epoch_0(const char *line, const char *end)
{
    const char *epoch = memchr(line, '\t', (size_t)(end - line));
    return epoch != NULL && end - epoch > 2 && epoch[1] == '0' && epoch[2] == '\t';
}

/* How many bytes of a log to keep: up to the first line of a later step, or of one cut off.  An
 * audit comes before the step's update, and so do the clusters' line of epoch 0: they come again when
 * the run goes on with that very step.  The first line of a table is its header. */
static ev_status measure(const char *path, size_t log, uint64_t step, const char *bytes,
                         size_t length, size_t *keep, ev_error *error)
{
    size_t number = 1;
    *keep = 0;
    for (const char *end; (end = memchr(bytes + *keep, '\n', length - *keep)) != NULL; number++) {
        const char *line = bytes + *keep;
        uint64_t found = 0;
        const bool table = log != EV_RUN_AUDIT, header = table && number == 1;
        bool good = header || (table ? table_step : audit_step)(line, end, &found);
        if (!good) {
            if (error != NULL && error->status == EV_OK)
                error->line = number, error->column = 1;
            return ev_file_refuse(error, path,
                                  "a line that says no step: not written by this "
                                  "program, or damaged");
        }
        const bool again = !table || (!header && is_of_epoch_0(line, end));
        if (found > step || (found == step && again))
            return EV_OK;
        *keep = (size_t)(end - bytes) + 1;
    }
    return EV_OK;
}

static ev_status cut_file(FILE *stream, const char *path, size_t keep, ev_error *error)
{
    return ftruncate(fileno(stream), (off_t)keep) == 0 && fsync(fileno(stream)) == 0
               ? EV_OK
               : refuse_write(error, path);
}

static ev_status cut_log(ev_run_folder *run, size_t log, uint64_t step, ev_error *error)
{
    uint8_t *bytes = NULL;
    size_t length, keep = 0;
    char *path = ev_run_path(run, log_names[log]);
    if (path == NULL)
        return no_memory(error);
    ev_status status = ev_file_bytes(path, LOG_LIMIT, &bytes, &length, error);
    if (status == EV_OK)
        status = measure(path, log, step, (const char *)bytes, length, &keep, error);
    if (status == EV_OK && keep < length)
        status = cut_file(run->logs[log], path, keep, error);
    free(bytes);
    free(path);
    return status;
}

static bool has_log(const ev_run_folder *run, size_t log)
{
    char *path = ev_run_path(run, log_names[log]);
    bool has = path != NULL && access(path, F_OK) == 0;
    free(path);
    return has;
}

ev_status ev_run_resume(ev_run_folder *run, uint64_t step, ev_error *error)
{
    ev_status status = EV_OK;
    for (size_t log = 0; status == EV_OK && log < EV_RUN_LOGS; log++)
        if (log < EV_RUN_CLUSTERS || has_log(run, log))
            status = open_log(run, log, "a", error);
    if (status == EV_OK)
        status = lock(run, error);
    for (size_t log = 0; status == EV_OK && log < EV_RUN_LOGS; log++)
        if (run->logs[log] != NULL)
            status = cut_log(run, log, step, error);
    return status;
}

/* ---- Its lines ---- */

ev_status ev_run_log(ev_run_folder *run, ev_run_log_kind log, ev_error *error, const char *format,
                     ...)
{
    FILE *stream = run->logs[log];
    va_list arguments;
    va_start(arguments, format);
    bool good = vfprintf(stream, format, arguments) >= 0;
    va_end(arguments);
    good = good && fputc('\n', stream) != EOF;
    good = fflush(stream) == 0 && good;
    if (good)
        return EV_OK;
    int number = errno;
    return ev_error_set(error, EV_IO, "can't write to %s/%s: %s", run->path, log_names[log],
                        strerror(number));
}

ev_status ev_run_seconds(const ev_run_folder *run, double *seconds, ev_error *error)
{
    ev_tsv table = {.rows = 0};
    char *path = ev_run_path(run, log_names[EV_RUN_METRICS]);
    ev_status status = path == NULL ? no_memory(error) : ev_tsv_read(path, &table, error);
    *seconds = 0.0;
    for (size_t row = 0; status == EV_OK && row < table.rows; row++) {
        double spent = 0.0;
        status = ev_tsv_number(&table, row, ev_tsv_column(&table, "seconds"), &spent, error);
        *seconds += spent;
    }
    ev_tsv_free(&table);
    free(path);
    return status;
}

void ev_run_close(ev_run_folder *run)
{
    for (size_t log = 0; log < EV_RUN_LOGS; log++)
        if (run->logs[log] != NULL)
            fclose(run->logs[log]);
    free(run->path);
    *run = (ev_run_folder){0};
}
