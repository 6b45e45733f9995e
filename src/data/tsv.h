/* Tables of tab-separated values: a line of names, then a line a row, all with as many cells; every
 * line is ended.  Lines that begin with # are comments.
 *
 *   ev_tsv table;
 *   if (ev_tsv_read("run/metrics.tsv", &table, &error) == EV_OK)
 *       status = ev_tsv_number(&table, 0, ev_tsv_column(&table, "loss"), &loss, &error);
 *   ev_tsv_free(&table);
 */
#ifndef EV_DATA_TSV_H
#define EV_DATA_TSV_H

#include "base/error.h"

#include <stddef.h>

typedef struct {
    size_t columns, rows;
    char **names; /* (columns) */
    char **cells; /* (rows,columns) */
    size_t *line; /* (rows) where each stands in the file */
    char *path, *bytes;
} ev_tsv;

/* EV_BAD_INPUT with file and line when it is not such a table, or larger than 1 GiB.  On failure
 * *table is empty. */
ev_status ev_tsv_read(const char *path, ev_tsv *table, ev_error *error);
/* An empty table is allowed. */
void ev_tsv_free(ev_tsv *table);
/* The column of that name; SIZE_MAX when there is none. */
size_t ev_tsv_column(const ev_tsv *table, const char *name);
/* A cell as a number; NA is NaN.  EV_BAD_INPUT with its place when it is neither, and when there is no
 * such column (SIZE_MAX). */
ev_status ev_tsv_number(const ev_tsv *table, size_t row, size_t column, double *value,
                        ev_error *error);

#endif
