/* From metrics.tsv and codes.tsv. */
#include "train/run_series_parts.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_COLUMNS = 10 };

typedef bool (*chooser)(const ev_tsv *metrics, size_t row);

static bool of_autoencoder(const ev_tsv *metrics, size_t row)
{
    return ev_run_in_phase(metrics, row, "autoencoder");
}

static bool of_vqvae(const ev_tsv *metrics, size_t row)
{
    return ev_run_in_phase(metrics, row, "vqvae");
}

static bool of_code_prior(const ev_tsv *metrics, size_t row)
{
    return ev_run_in_phase(metrics, row, "prior");
}

/* The rows chosen, the named columns; the first, the epoch of the run, counted from the first of them.
 * A table with one column more has there whether clusters are held. */
static ev_status write_rows(ev_table *table, const ev_tsv *metrics, chooser is_chosen, size_t count,
                            const char *const *names, ev_error *error)
{
    double values[MOST_COLUMNS], first = (double)NAN;
    ev_status status = EV_OK;
    for (size_t row = 0; row < metrics->rows && status == EV_OK; row++) {
        if (!is_chosen(metrics, row))
            continue;
        status = ev_run_row(metrics, row, count, names, values, error);
        first = isnan(first) ? values[0] : first;
        values[0] += 1.0 - first;
        values[count] = ev_run_in_phase(metrics, row, "held");
        if (status == EV_OK)
            ev_table_row(table, table->columns, values);
    }
    return status;
}

ev_status ev_run_loss(ev_table *table, ev_error *error)
{
    static const char *const names[] = {"epoch",  "loss",        "reconstruction",
                                        "latent", "categorical", "entropy"};
    enum { COUNT = sizeof names / sizeof *names };
    ev_tsv metrics;
    ev_status status = ev_run_table(table, "metrics.tsv", &metrics, error);
    if (status == EV_OK)
        status = write_rows(table, &metrics, ev_run_in_own_phase, COUNT, names, error);
    if (status == EV_OK) {
        ev_table_block(table, "autoencoder");
        status = write_rows(table, &metrics, of_autoencoder, COUNT, names, error);
    }
    ev_tsv_free(&metrics);
    return status;
}

ev_status ev_run_codes(ev_table *table, ev_error *error)
{
    static const char *const names[] = {"epoch",      "loss",       "reconstruction", "codebook",
                                        "commitment", "perplexity", "used",           "revived"};
    ev_tsv metrics;
    ev_status status = ev_run_table(table, "metrics.tsv", &metrics, error);
    if (status == EV_OK)
        status = write_rows(table, &metrics, of_vqvae, sizeof names / sizeof *names, names, error);
    ev_tsv_free(&metrics);
    return status;
}

ev_status ev_run_prior(ev_table *table, ev_error *error)
{
    static const char *const names[] = {"epoch", "loss"};
    ev_tsv metrics;
    ev_status status = ev_run_table(table, "metrics.tsv", &metrics, error);
    if (status == EV_OK)
        status = write_rows(table, &metrics, of_code_prior, sizeof names / sizeof *names, names,
                            error);
    ev_tsv_free(&metrics);
    return status;
}

static int falling(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

ev_status ev_run_usage(ev_table *table, ev_error *error)
{
    static const char *const names[] = {"share"};
    ev_tsv codes;
    ev_status status = ev_run_table(table, "codes.tsv", &codes, error);
    double *share = calloc(codes.rows + 1, sizeof *share), sum = 0.0;
    if (status == EV_OK && share == NULL)
        status = ev_error_set(error, EV_NO_MEMORY, "out of memory for the codes' shares");
    for (size_t k = 0; k < codes.rows && status == EV_OK; k++)
        status = ev_run_row(&codes, k, 1, names, &share[k], error);
    if (status == EV_OK) {
        qsort(share, codes.rows, sizeof *share, falling);
        for (size_t k = 0; k < codes.rows; k++)
            ev_table_row(table, 3, (double[]){(double)(k + 1), share[k], sum += share[k]});
    }
    free(share);
    ev_tsv_free(&codes);
    return status;
}
