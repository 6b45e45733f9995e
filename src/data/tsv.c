/* The bytes are kept and cut into cells where they stand:
 * 1. count the lines that are not comments, and the columns of the first;
 * 2. end each cell with a zero, its address in the table. */
#include "data/tsv.h"

#include "base/file_bytes.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT ((size_t)1 << 30)

static ev_status refuse(ev_error *error, const char *path, size_t line, const char *what)
{
    if (error != NULL && error->status == EV_OK) {
        error->line = line;
        error->column = 1;
    }
    return ev_file_refuse(error, path, "%s", what);
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (const char *c = text; *c != '\0'; c = strchr(c, '\n') + 1)
        lines += *c != '#';
    return lines;
}

static size_t count_cells(const char *line)
{
    size_t cells = 1;
    for (; *line != '\n'; line++)
        cells += *line == '\t';
    return cells;
}

static const char *first_line(const char *text)
{
    while (*text == '#')
        text = strchr(text, '\n') + 1;
    return text;
}

/* The line's cells into `cells`; the next line.  NULL when there are more or fewer than columns. */
static char *cut_line(char *line, size_t columns, char **cells)
{
    for (size_t i = 0; i < columns; i++) {
        const size_t length = strcspn(line, "\t\n");
        if ((line[length] == '\n') != (i + 1 == columns))
            return NULL;
        cells[i] = line;
        line[length] = '\0';
        line += length + 1;
    }
    return line;
}

static ev_status cut(ev_tsv *t, ev_error *error)
{
    size_t number = 1, done = 0;
    for (char *line = t->bytes; *line != '\0'; number++) {
        if (*line == '#') {
            line = strchr(line, '\n') + 1;
            continue;
        }
        char **cells = done == 0 ? t->names : t->cells + (done - 1) * t->columns;
        line = cut_line(line, t->columns, cells);
        if (line == NULL)
            return refuse(error, t->path, number, "not as many cells as the first line has names");
        if (done > 0)
            t->line[done - 1] = number;
        done++;
    }
    return EV_OK;
}

static ev_status allocate(ev_tsv *t, size_t lines, ev_error *error)
{
    t->rows = lines - 1;
    t->names = calloc(t->columns, sizeof *t->names);
    if (t->columns <= SIZE_MAX / (t->rows + 1))
        t->cells = calloc(t->columns * t->rows + 1, sizeof *t->cells);
    t->line = calloc(t->rows + 1, sizeof *t->line);
    if (t->names == NULL || t->cells == NULL || t->line == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "out of memory for %s", t->path);
    return EV_OK;
}

static ev_status parse(ev_tsv *t, size_t length, ev_error *error)
{
    if (strlen(t->bytes) < length)
        return refuse(error, t->path, 1, "there is a zero byte in it");
    if (length == 0 || t->bytes[length - 1] != '\n')
        return refuse(error, t->path, 1, "empty, or its last line is not ended");
    const size_t lines = count_lines(t->bytes);
    if (lines == 0)
        return refuse(error, t->path, 1, "no line of names");
    t->columns = count_cells(first_line(t->bytes));
    ev_status status = allocate(t, lines, error);
    return status == EV_OK ? cut(t, error) : status;
}

ev_status ev_tsv_read(const char *path, ev_tsv *t, ev_error *error)
{
    uint8_t *bytes = NULL;
    size_t length = 0;
    *t = (ev_tsv){.path = strdup(path)};
    ev_status status = t->path == NULL ? ev_error_set(error, EV_NO_MEMORY, "out of memory")
                                       : ev_file_bytes(path, LIMIT, &bytes, &length, error);
    t->bytes = (char *)bytes;
    if (status == EV_OK)
        status = parse(t, length, error);
    if (status != EV_OK)
        ev_tsv_free(t);
    return status;
}

void ev_tsv_free(ev_tsv *t)
{
    free(t->names);
    free(t->cells);
    free(t->line);
    free(t->path);
    free(t->bytes);
    *t = (ev_tsv){0};
}

size_t ev_tsv_column(const ev_tsv *t, const char *name)
{
    for (size_t i = 0; i < t->columns; i++)
        if (strcmp(t->names[i], name) == 0)
            return i;
    return SIZE_MAX;
}

ev_status ev_tsv_number(const ev_tsv *t, size_t row, size_t column, double *value, ev_error *error)
{
    if (column >= t->columns)
        return refuse(error, t->path, 1, "a column that is looked for is not there");
    const char *cell = t->cells[row * t->columns + column];
    char *end;
    *value = (double)NAN;
    if (strcmp(cell, "NA") == 0)
        return EV_OK;
    *value = strtod(cell, &end);
    return end != cell && *end == '\0'
               ? EV_OK
               : refuse(error, t->path, t->line[row], "a cell that is not a number");
}
