/* The folder of a training run.
 *
 *   config.json             every setting, with seed, revision and compiler (config.h)
 *   metrics.tsv             a header, then a line at a time; the first column is the step
 *   audit.jsonl             a JSON object a line, each with its "step"
 *   clusters.tsv            the same as metrics.tsv, where there are clusters (cluster_log.h)
 *   checkpoint.safetensors  and the pictures and tables that others write
 *
 * The logs grow line by line and each line is flushed at once.  A folder that holds a run is
 * never overwritten, and only one process at a time can train in it.
 *
 *   ev_run_folder run;
 *   status = ev_run_create(&run, "runs/first", count, keys, "step\tloss", &error);
 *   status = ev_run_log(&run, EV_RUN_METRICS, &error, "%zu\t%.6f", step, loss);
 *   ev_run_close(&run);
 */
#ifndef EV_TRAIN_RUN_FOLDER_H
#define EV_TRAIN_RUN_FOLDER_H

#include "base/error.h"
#include "train/config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum { EV_RUN_METRICS, EV_RUN_AUDIT, EV_RUN_CLUSTERS, EV_RUN_LOGS } ev_run_log_kind;

typedef struct {
    char *path;              /* of the folder */
    FILE *logs[EV_RUN_LOGS]; /* NULL in a run opened for reading, and where there is no such log */
} ev_run_folder;

/* How the program was built: the values of config.json's keys "revision" and "compiler". */
const char *ev_run_revision(void);
const char *ev_run_compiler(void);

/* A new run: the folder (and those above it), config.json, a metrics.tsv with its header, an empty
 * audit.jsonl.  EV_BAD_INPUT when the folder holds anything already; EV_IO when it can't be
 * written. */
ev_status ev_run_create(ev_run_folder *run, const char *path, size_t count,
                        const ev_config_key *keys, const char *header, ev_error *error);
/* A log that not every run has, with its header, in a run just created. */
ev_status ev_run_add_log(ev_run_folder *run, ev_run_log_kind log, const char *header,
                         ev_error *error);
/* The model that the config.json of a folder names. */
ev_status ev_run_model(const char *path, char model[EV_CONFIG_TEXT_SIZE], ev_error *error);
/* An existing run to look at; its config is read into the keys' targets.  EV_BAD_INPUT, naming both,
 * when it is of another model than the choices of the key "model". */
ev_status ev_run_open(ev_run_folder *run, const char *path, size_t count, const ev_config_key *keys,
                      ev_error *error);
/* An opened run to go on with after `step`: what the logs say of later steps, and a line that was cut
 * off in the middle, is removed, and the audit of that step, which comes again.  EV_BAD_INPUT when a log is not what this program wrote, or another
 * process trains there. */
ev_status ev_run_resume(ev_run_folder *run, uint64_t step, ev_error *error);

/* One line, to which the newline is added, on the disk's way before this returns. */
ev_status ev_run_log(ev_run_folder *run, ev_run_log_kind log, ev_error *error, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));

/* How long it has been trained: the sum of metrics.tsv's column "seconds".  Of an epoch that was taken
 * up again, what the last process spent on it. */
ev_status ev_run_seconds(const ev_run_folder *run, double *seconds, ev_error *error);

/* folder/name on the heap; NULL when memory is short. */
char *ev_run_path(const ev_run_folder *run, const char *name);
/* Closes and frees; the files stay.  A zeroed one is allowed. */
void ev_run_close(ev_run_folder *run);

#endif
