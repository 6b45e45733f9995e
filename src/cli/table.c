/* The table for people.  A heading for each document, a line for each step, and below it the
 * printed line that the step ends with; what is not plainly true adds its reason and witness. */
#include "cli/report.h"
#include "cli/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_MOST = 38, LABEL_LEAST = 24, DETAIL = 8 };

/* Widths of the columns; 0: the column is left out. */
typedef struct {
    size_t label, relation, verdict, digits, points, mutants, method, time;
} columns;

typedef struct {
    const ev_report *report;
    const ev_style *style;
    FILE *out;
    columns at;
} table;

static void put(table *t, ev_paint paint, const char *text)
{
    ev_paint_set(t->out, t->style, paint);
    fputs(text, t->out);
    ev_paint_set(t->out, t->style, EV_PLAIN);
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* As wide as what stands in them. */
static columns measure(const table *t, size_t from, size_t to)
{
    columns c = {LABEL_LEAST, 3, 11, 6, 4, 0, 7, 7};
    for (size_t i = from; i < to; i++) {
        const ev_record *r = &t->report->ledger->records[i];
        char text[128];
        size_t name = strlen(ev_verdict_name(r->verdict)) + 2;
        bool remark = ev_record_green(r) && r->verdict != EV_HOLDS;
        ev_record_label(r, text, sizeof text);
        c.label = larger(c.label, ev_text_columns(text));
        ev_record_methods(r, text, sizeof text);
        c.method = larger(c.method, ev_text_columns(text));
        c.relation = larger(c.relation,
                            ev_text_columns(ev_record_relation(r->relation, t->style->utf8)));
        c.verdict = larger(c.verdict, name + (remark ? strlen(" (expected)") : 0));
        ev_record_mutants(r, text, sizeof text);
        if (text[0] != '\0')
            c.mutants = larger(larger(c.mutants, strlen("mutants")), ev_text_columns(text));
    }
    if (c.label > LABEL_MOST)
        c.label = LABEL_MOST;
    return c;
}

static size_t sum(const columns *c)
{
    return 2 + c->label + 2 + c->relation + 2 + c->verdict + 2 + c->digits + 2 + c->points +
           (c->mutants == 0 ? 0 : 2 + c->mutants) + 2 + c->method +
           (c->time == 0 ? 0 : 2 + c->time);
}

static size_t shorten(size_t column, size_t least, size_t over)
{
    size_t spare = column > least ? column - least : 0;
    return column - (over < spare ? over : spare);
}

/* The columns of one document's records [from, to).  On a narrow terminal the time goes first, then
 * the "(expected)" (the mark before the verdict says as much), then labels and methods are cut. */
static columns fit(const table *t, size_t from, size_t to)
{
    columns c = measure(t, from, to);
    size_t width = t->style->width;
    if (sum(&c) > width)
        c.time = 0;
    if (sum(&c) > width)
        c.verdict = shorten(c.verdict, 2 + strlen("UNDECIDED"), width);
    if (sum(&c) > width)
        c.label = shorten(c.label, LABEL_LEAST, sum(&c) - width);
    if (sum(&c) > width)
        c.method = shorten(c.method, 0, sum(&c) - width);
    return c;
}

static void put_header(table *t)
{
    const columns *c = &t->at;
    ev_paint_set(t->out, t->style, EV_DIM);
    fprintf(t->out, "  %-*s  %-*s  %-*s  %*s  %*s", (int)c->label, "step", (int)c->relation, "rel",
            (int)c->verdict, "verdict", (int)c->digits, "digits", (int)c->points, "pts");
    if (c->mutants > 0)
        fprintf(t->out, "  %*s", (int)c->mutants, "mutants");
    fputs("  ", t->out);
    if (c->time > 0)
        ev_text_cell(t->out, t->style, "methods", c->method);
    else
        ev_text_put(t->out, t->style, "methods", c->method);
    if (c->time > 0)
        fprintf(t->out, "  %*s", (int)c->time, "time");
    ev_paint_set(t->out, t->style, EV_PLAIN);
    fputc('\n', t->out);
}

/* A label too long for its column loses its middle: ids that begin alike end differently. */
static void cut_label(const table *t, char *label)
{
    size_t length = strlen(label), width = t->at.label, tail = width / 2;
    const char *dots = t->style->utf8 ? "\xE2\x80\xA6" : "...";
    if (ev_text_columns(label) <= width || length <= width)
        return;
    size_t head = width - tail - ev_text_columns(dots);
    char whole[128];
    memcpy(whole, label, length + 1);
    snprintf(label, sizeof whole, "%.*s%s%s", (int)head, whole, dots, whole + length - tail);
}

/* A later step of the same claim shows its @number below the first one's. */
static void put_label(table *t, const ev_record *r, const ev_record *before)
{
    char label[128];
    bool same = before != NULL && r->step > 1 && strcmp(r->claim, before->claim) == 0;
    size_t before_step = 0;
    ev_record_label(r, label, sizeof label);
    if (same) {
        snprintf(label, sizeof label, "@%zu", r->step);
        size_t id = strlen(r->claim), room = t->at.label - strlen(label);
        before_step = id < room ? id : room;
    }
    cut_label(t, label);
    fprintf(t->out, "  %*s", (int)before_step, "");
    ev_paint_set(t->out, t->style, same ? EV_PLAIN : EV_BOLD);
    ev_text_cell(t->out, t->style, label, t->at.label - before_step);
    ev_paint_set(t->out, t->style, EV_PLAIN);
}

/* The sides of a bound that fails, or of a step that came to nothing, do not agree to any digits. */
static bool digits_mean(const ev_record *r)
{
    bool bound = *r->relation == '<' || *r->relation == '>';
    return r->verdict != EV_VOID && !(bound && r->verdict == EV_REFUTED);
}

static void put_numbers(table *t, const ev_record *r)
{
    char digits[32] = "-", points[32] = "-", mutants[64] = "", time[32];
    bool compared = r->points_effective > 0 && isfinite(r->agreeing_digits) && digits_mean(r);
    if (compared)
        snprintf(digits, sizeof digits, "%.1f", r->agreeing_digits > 0 ? r->agreeing_digits : 0);
    if (r->points_effective > 0)
        snprintf(points, sizeof points, "%zu", r->points_effective);
    fprintf(t->out, "  %*s  %*s", (int)t->at.digits, digits, (int)t->at.points, points);
    ev_record_mutants(r, mutants, sizeof mutants);
    if (t->at.mutants > 0)
        fprintf(t->out, "  %*s", (int)t->at.mutants, mutants);
    char method[128];
    ev_record_methods(r, method, sizeof method);
    fputs("  ", t->out);
    if (t->at.time == 0) {
        ev_text_put(t->out, t->style, method, t->at.method);
    } else {
        ev_text_cell(t->out, t->style, method, t->at.method);
        snprintf(time, sizeof time, r->seconds < 100 ? "%.2f s" : "%.0f s", r->seconds);
        fprintf(t->out, "  %*s", (int)t->at.time, time);
    }
    fputc('\n', t->out);
}

static bool has(const char *text) { return text != NULL && *text != '\0'; }

/* The source line: "  31 | left = right" of a claim's first step, "  32 | = right" of a later one,
 * cut to the width; a left side that would take half of the line is left out.  With --verbose all of
 * it, broken.  An assertion's line holds what was measured, too. */
static void put_source(table *t, const ev_record *r)
{
    const char *relation = ev_record_relation(r->relation, t->style->utf8);
    const char *left = r->left == NULL ? "" : r->left, *right = r->right == NULL ? "" : r->right;
    bool chain = r->step > 0;
    const char *measured = r->step == 0 && has(r->measured) ? r->measured : "";
    if (strcmp(r->relation, "assert") != 0)
        measured = "";
    size_t size = strlen(left) + strlen(right) + strlen(relation) + strlen(measured) + 8;
    char *line = malloc(size);
    if (line == NULL)
        return;
    char number[32] = "";
    if (r->line > 0)
        snprintf(number, sizeof number, "%zu", r->line);
    int used = fprintf(t->out, "%7s ", number);
    put(t, EV_DIM, t->style->utf8 ? "\xE2\x94\x82 " : "| ");
    size_t begins = (size_t)(used < 0 ? 0 : used) + 2, room = t->style->width - begins;
    bool begins_chain = r->step == 1;
    bool short_left = t->report->verbose || ev_text_columns(left) <= room / 2 ||
                      ev_text_columns(left) + ev_text_columns(right) + 3 <= room;
    snprintf(line, size, "%s%s%s %s%s%s", begins_chain && short_left ? left : "",
             begins_chain && short_left ? " " : "", chain ? relation : "", right,
             has(measured) ? ": " : "", measured);
    ev_paint_set(t->out, t->style, EV_DIM);
    if (t->report->verbose || has(measured)) {
        ev_text_wrap(t->out, t->style, line, begins, begins);
    } else {
        ev_text_put(t->out, t->style, line + strspn(line, " "), room);
        fputc('\n', t->out);
    }
    ev_paint_set(t->out, t->style, EV_PLAIN);
    free(line);
}

/* An indented "word text", wrapped. */
static void put_detail(table *t, ev_paint paint, const char *word, const char *text)
{
    fprintf(t->out, "%*s", DETAIL, "");
    put(t, paint, word);
    size_t begins = DETAIL + strlen(word) + (*word == '\0' ? 0 : 1);
    if (*word != '\0')
        fputc(' ', t->out);
    ev_text_wrap(t->out, t->style, text, begins, begins);
}

static void put_witness(table *t, const ev_record *r)
{
    char left[EV_VALUE_TEXT], right[EV_VALUE_TEXT];
    if (has(r->witness))
        put_detail(t, EV_BOLD, "at", r->witness);
    if (r->step == 0 || r->points_effective == 0)
        return;
    ev_evidence_text(&r->left_value, t->style, left);
    ev_evidence_text(&r->right_value, t->style, right);
    fprintf(t->out, "%*s", DETAIL, "");
    put(t, EV_BOLD, "left ");
    fprintf(t->out, "%s   ", left);
    put(t, EV_BOLD, "right ");
    fprintf(t->out, "%s\n", right);
}

static void put_unexpected(table *t, const ev_record *r)
{
    char text[512], place[320], why[128];
    ev_record_place(r, place, sizeof place);
    ev_report_unexpected(r, why, sizeof why);
    snprintf(text, sizeof text, "%s: %s", place, why);
    fprintf(t->out, "%*s", DETAIL, "");
    ev_paint_set(t->out, t->style, EV_LOUD);
    ev_text_wrap(t->out, t->style, text, DETAIL, DETAIL);
    ev_paint_set(t->out, t->style, EV_PLAIN);
}

static void put_survivors(table *t, const ev_record *r)
{
    size_t length = 0;
    for (const char *s = r->survivors; (s = ev_survivor(s, &length)) != NULL; s += length) {
        char *one = strndup(s, length);
        if (one != NULL)
            put_detail(t, EV_YELLOW, "survives:", one);
        free(one);
    }
}

static void put_details(table *t, const ev_record *r)
{
    bool green = ev_record_green(r);
    if (!green)
        put_unexpected(t, r);
    bool measured = r->step == 0 && has(r->measured);
    if (measured && strcmp(r->relation, "assert") != 0)
        put_detail(t, EV_BOLD, "measured:", r->measured);
    bool told = measured ? strcmp(r->reason, r->measured) == 0 /* by the lines around it */
                         : strncmp(r->reason == NULL ? "" : r->reason, "left ", 5) == 0;
    if (has(r->reason) && !told)
        put_detail(t, EV_PLAIN, "", r->reason);
    if (r->verdict == EV_REFUTED || !green)
        put_witness(t, r);
    if (has(r->diagnosis))
        put_detail(t, EV_BOLD, "diagnosis:", r->diagnosis);
    put_survivors(t, r);
    if (r->verdict == EV_REFUTED && r->expected == EV_REFUTED) {
        char text[512];
        ev_report_finding(r, text, sizeof text);
        put_detail(t, EV_PLAIN, "", text);
    }
    if (has(r->note) && (r->verdict != EV_HOLDS || !green))
        put_detail(t, EV_BOLD, "note:", r->note);
}

static const ev_document *document_of(const ev_report *report, const char *file)
{
    for (size_t i = 0; i < report->document_count; i++)
        if (strcmp(report->documents[i]->file, file) == 0)
            return report->documents[i];
    return NULL;
}

static void put_title(table *t, const char *title, const char *file)
{
    size_t width = t->style->width, name = ev_text_columns(file);
    size_t room = name + 12 > width ? width : width - name - 2;
    ev_paint_set(t->out, t->style, EV_BOLD);
    size_t used = ev_text_put(t->out, t->style, title, room);
    ev_paint_set(t->out, t->style, EV_PLAIN);
    if (used + 2 + name > width)
        fputs("\n  ", t->out);
    else
        fprintf(t->out, "%*s", (int)(width - used - name), "");
    ev_paint_set(t->out, t->style, EV_DIM);
    ev_text_put(t->out, t->style, file, width);
    ev_paint_set(t->out, t->style, EV_PLAIN);
    fputc('\n', t->out);
}

/* The records of one document, from the first; returns the position after them. */
static size_t put_document(table *t, size_t from)
{
    const ev_ledger *ledger = t->report->ledger;
    const char *file = ledger->records[from].file;
    size_t to = from;
    while (to < ledger->count && strcmp(ledger->records[to].file, file) == 0)
        to++;
    const ev_document *document = document_of(t->report, file);
    put_title(t, document != NULL ? document->title : ledger->records[from].document, file);
    t->at = fit(t, from, to);
    put_header(t);
    for (size_t i = from; i < to; i++) {
        const ev_record *r = &ledger->records[i];
        put_label(t, r, i == from ? NULL : r - 1);
        fputs("  ", t->out);
        ev_text_cell(t->out, t->style, ev_record_relation(r->relation, t->style->utf8),
                     t->at.relation);
        fputs("  ", t->out);
        ev_report_verdict(r, t->style, t->out, t->at.verdict);
        put_numbers(t, r);
        put_source(t, r);
        put_details(t, r);
    }
    fputc('\n', t->out);
    return to;
}

ev_status ev_report_table(const ev_report *report, FILE *out, ev_error *error)
{
    (void)error;
    table t = {.report = report, .style = &report->style, .out = out};
    for (size_t i = 0; i < report->ledger->count;)
        i = put_document(&t, i);
    ev_report_legend(report, out);
    ev_report_summary(report, out);
    return EV_OK;
}
