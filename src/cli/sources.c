#include "cli/sources.h"

#include "cli/report.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool has(const char *text) { return text != NULL && *text != '\0'; }

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static size_t digits_at(const char *text) { return strspn(text, "0123456789"); }

/* Numbers by their value, all else by its bytes. */
static int compare_naturally(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        if (is_digit(*a) && is_digit(*b)) {
            a += strspn(a, "0");
            b += strspn(b, "0");
            size_t n = digits_at(a), m = digits_at(b);
            int order = n != m ? (n < m ? -1 : 1) : strncmp(a, b, n);
            if (order != 0)
                return order;
            a += n;
            b += m;
        } else if (*a != *b) {
            break;
        } else {
            a++;
            b++;
        }
    }
    return (int)(unsigned char)*a - (int)(unsigned char)*b;
}

static int by_source(const void *a, const void *b)
{
    const ev_record *r = *(const ev_record *const *)a, *s = *(const ev_record *const *)b;
    int order = compare_naturally(r->source, s->source);
    return order != 0 ? order : (r > s) - (r < s);
}

/* Text in a cell: every run of white space is a space; a bar is escaped in a Markdown table. */
static void put_cell(FILE *out, const char *text, ev_sources_format format)
{
    bool space = false;
    for (; *text != '\0'; text++) {
        if (isspace((unsigned char)*text)) {
            space = true;
            continue;
        }
        if (space)
            fputc(' ', out);
        space = false;
        if (*text == '|' && format == EV_SOURCES_MARKDOWN)
            fputc('\\', out);
        fputc(*text, out);
    }
}

static void put_tsv(FILE *out, const ev_record *r, const char *label, const char *line)
{
    bool green = ev_record_green(r);
    put_cell(out, r->source, EV_SOURCES_TSV);
    fprintf(out, "\t%s\t%s\t", r->document, label);
    put_cell(out, line, EV_SOURCES_TSV);
    fprintf(out, "\t%s\t%s\t%s\n", ev_verdict_name(r->verdict), green ? "yes" : "no",
            r->expected == EV_REFUTED && has(r->kind) ? r->kind : "-");
}

static void put_markdown(FILE *out, const ev_record *r, const char *label, const char *line)
{
    const char *quote = r->step > 0 ? "`" : "";
    fputs("| ", out);
    put_cell(out, r->source, EV_SOURCES_MARKDOWN);
    fprintf(out, " | %s", quote);
    put_cell(out, line, EV_SOURCES_MARKDOWN);
    fprintf(out, "%s | [`%s`](%s.md) | %s", quote, label, r->document, ev_verdict_name(r->verdict));
    if (!ev_record_green(r))
        fprintf(out, ", NOT EXPECTED");
    else if (r->verdict == EV_REFUTED && has(r->kind))
        fprintf(out, ", %s", r->kind);
    fputs(" |\n", out);
}

ev_status ev_sources_write(const ev_ledger *ledger, ev_sources_format format, FILE *out,
                           size_t *rows, ev_error *error)
{
    const ev_record **sorted = calloc(ledger->count + 1, sizeof(ev_record *));
    if (sorted == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "memory is short");
    size_t count = 0;
    for (size_t i = 0; i < ledger->count; i++)
        if (has(ledger->records[i].source))
            sorted[count++] = &ledger->records[i];
    qsort(sorted, count, sizeof *sorted, by_source);
    if (format == EV_SOURCES_TSV)
        fputs("source\tdocument\tstep\trelation\tverdict\texpected\tkind\n", out);
    else
        fputs("| printed in | line | step | verdict |\n|---|---|---|---|\n", out);
    ev_status status = EV_OK;
    for (*rows = 0; *rows < count && status == EV_OK; ++*rows) {
        const ev_record *r = sorted[*rows];
        char label[128];
        ev_record_label(r, label, sizeof label);
        char *line = ev_record_line(r, !ev_record_goes_on(ledger, r), true);
        if (line == NULL)
            status = ev_error_set(error, EV_NO_MEMORY, "memory is short");
        else if (format == EV_SOURCES_TSV)
            put_tsv(out, r, label, line);
        else
            put_markdown(out, r, label, line);
        free(line);
    }
    free(sorted);
    return status;
}
