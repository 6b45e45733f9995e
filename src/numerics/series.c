#include "numerics/series.h"

#include <assert.h>
#include <math.h>

static size_t count_columns(const char *names)
{
    size_t count = 1;
    for (; *names != '\0'; names++)
        count += *names == '\t';
    return count;
}

ev_status ev_series_rows(const ev_series *series, ev_table *table, ev_error *error)
{
    table->columns = count_columns(series->columns);
    fprintf(table->out, "# %s\n", series->columns);
    return series->write(table, error);
}

ev_status ev_series_write(const ev_series *series, const char *topic, uint64_t seed,
                          const char *revision, FILE *out, size_t *rows, ev_error *error)
{
    ev_table table = {.out = out, .topic = topic, .seed = seed};
    fprintf(out, "# %s %s: %s\n# seed %llu, revision %s\n", topic, series->name, series->summary,
            (unsigned long long)seed, revision);
    ev_status status = ev_series_rows(series, &table, error);
    *rows = table.rows;
    return status;
}

/* Twelve digits: more than any picture shows, and none that differs from machine to machine
 * where a sum is rounded differently. */
void ev_table_row(ev_table *table, size_t count, const double *values)
{
    assert(count == table->columns);
    for (size_t i = 0; i < count; i++) {
        const char *before = i == 0 ? "" : "\t";
        if (isnan(values[i]))
            fprintf(table->out, "%snan", before);
        else
            fprintf(table->out, "%s%.12g", before, values[i]);
    }
    fputc('\n', table->out);
    table->rows++;
}

void ev_table_gap(ev_table *table) { fputc('\n', table->out); }

void ev_table_block(ev_table *table, const char *title)
{
    fprintf(table->out, "%s# %s\n", table->rows > 0 ? "\n\n" : "", title);
}

ev_stream ev_table_stream(const ev_table *table, const char *name)
{
    return ev_stream_make(table->seed, ev_hash_text(table->topic) ^ ev_hash_text(name), 0, 0);
}
