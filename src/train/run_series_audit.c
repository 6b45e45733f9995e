/* From audit.jsonl: each audited step's float loss against the derived formula. */
#include "base/file_bytes.h"
#include "train/run_series_parts.h"

#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT ((size_t)1 << 30)

/* What is wanted of one audit. */
typedef struct {
    double step;
    double elbo, formula, bound; /* the float's, the reference's with the same draws */
    double reconstruction;       /* the reference's */
    double fresh_mean, fresh_deviation;
} audited;

static double number_of(const json_t *row, const char *key)
{
    const json_t *value = json_object_get(row, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static void take(audited *a, const json_t *row)
{
    const char *name = json_string_value(json_object_get(row, "name"));
    if (name == NULL)
        return;
    if (strcmp(name, "elbo") == 0) {
        a->elbo = number_of(row, "value");
        a->formula = number_of(row, "reference");
        a->bound = number_of(row, "error");
    } else if (strcmp(name, "reconstruction") == 0) {
        a->reconstruction = number_of(row, "reference");
    } else if (json_object_get(row, "fresh_mean") != NULL) {
        a->fresh_mean = number_of(row, "fresh_mean");
        a->fresh_deviation = number_of(row, "fresh_deviation");
    }
}

/* Epochs of the model's own loss: the steps of one, and those before the first. */
typedef struct {
    double each, before;
} epochs;

static ev_status find_epochs(const ev_table *table, epochs *e, ev_error *error)
{
    static const char *const names[] = {"step", "epoch"};
    double values[2] = {0};
    ev_tsv metrics;
    ev_status status = ev_run_table(table, "metrics.tsv", &metrics, error);
    size_t row = 0;
    while (row < metrics.rows && !ev_run_in_own_phase(&metrics, row))
        row++;
    if (status == EV_OK && row < metrics.rows)
        status = ev_run_row(&metrics, row, 2, names, values, error);
    e->each = values[1] > 0.0 ? values[0] / values[1] : 1.0;
    e->before = values[0] - e->each;
    ev_tsv_free(&metrics);
    return status;
}

/* The loss is minus the ELBO.  Fresh draws take the place of the batch's own in E_q[log p(x|z)]; their
 * mean over 31 rounds has an error of its own. */
static void write_audit(ev_table *table, const epochs *e, const audited *a)
{
    enum { ROUNDS = 31 };
    const double fresh = a->formula - a->reconstruction + a->fresh_mean;
    if (!isnan(a->step))
        ev_table_row(table, 5,
                     (double[]){(a->step - e->before) / e->each, a->formula - a->elbo, a->bound,
                                fresh - a->elbo, a->fresh_deviation * sqrt(1.0 + 1.0 / ROUNDS)});
}

static const audited NOTHING = {(double)NAN, (double)NAN, (double)NAN, (double)NAN,
                                (double)NAN, (double)NAN, (double)NAN};

static ev_status walk(ev_table *table, const char *path, char *text, const epochs *e,
                      ev_error *error)
{
    audited a = NOTHING;
    size_t number = 1;
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, number++) {
        json_t *row = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, NULL);
        const double step = number_of(row, "step");
        if (isnan(step)) {
            json_decref(row);
            if (error != NULL && error->status == EV_OK)
                error->line = number, error->column = 1;
            return ev_file_refuse(error, path, "a line that is no row of an audit");
        }
        if (step > a.step || isnan(a.step)) {
            write_audit(table, e, &a);
            a = NOTHING;
            a.step = step;
        }
        take(&a, row);
        json_decref(row);
    }
    write_audit(table, e, &a);
    return EV_OK;
}

ev_status ev_run_audit(ev_table *table, ev_error *error)
{
    char path[1100];
    uint8_t *bytes = NULL;
    size_t length = 0;
    epochs e = {0};
    snprintf(path, sizeof path, "%s/audit.jsonl", table->run);
    ev_status status = find_epochs(table, &e, error);
    if (status == EV_OK)
        status = ev_file_bytes(path, LIMIT, &bytes, &length, error);
    if (status == EV_OK)
        status = walk(table, path, (char *)bytes, &e, error);
    free(bytes);
    return status;
}
