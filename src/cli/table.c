/* The table for people.  A heading for each document, a line for each step, and below it the
 * printed line that the step ends with; what is not plainly true adds its reason and witness. */
#include "cli/report.h"
#include "cli/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_MOST = 38, LABEL_LEAST = 12, DETAIL = 8 };

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

static const char *relation_text(const char *relation, bool utf8)
{
    static const char *const names[][2] = {{"<=", "\xE2\x89\xA4"}, {">=", "\xE2\x89\xA5"},
                                           {"~", "\xE2\x89\x88"},  {"prop", "\xE2\x88\x9D"},
                                           {"statement", "says"},  {"assert", "fact"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(relation, names[i][0]) == 0)
            return utf8 || i >= 4 ? names[i][1] : relation;
    return relation;
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* The columns of one document's records [from, to): wide enough for what is in them, and the
 * method's as wide as the rest of the line. */
static columns fit(const table *t, size_t from, size_t to)
{
    columns c = {LABEL_LEAST, 3, 9, 6, 4, 0, 0, 7};
    for (size_t i = from; i < to; i++) {
        const ev_record *r = &t->report->ledger->records[i];
        char label[128];
        ev_record_label(r, label, sizeof label);
        size_t name = strlen(ev_verdict_name(r->verdict)) + 2;
        bool remark = ev_record_green(r) && r->verdict != EV_HOLDS;
        c.label = larger(c.label, ev_text_columns(label));
        c.relation = larger(c.relation,
                            ev_text_columns(relation_text(r->relation, t->style->utf8)));
        c.verdict = larger(c.verdict, name + (remark ? strlen(" (expected)") : 0));
        if (r->mutants_total > 0)
            c.mutants = 7;
    }
    if (c.label > LABEL_MOST)
        c.label = LABEL_MOST;
    size_t width = t->style->width;
    size_t used = 2 + c.label + 2 + c.relation + 2 + c.verdict + 2 + c.digits + 2 + c.points +
                  (c.mutants == 0 ? 0 : 2 + c.mutants) + 2;
    if (used + 8 + 2 + c.time > width)
        c.time = 0;
    if (used + 8 > width) { /* a narrow terminal: take from the labels */
        size_t give = larger(c.label, LABEL_LEAST) - LABEL_LEAST, over = used + 8 - width;
        size_t taken = give < over ? give : over;
        c.label -= taken;
        used -= taken;
    }
    if (used + 4 <= width)
        c.method = width - used - (c.time == 0 ? 0 : 2 + c.time);
    if (c.method > 24)
        c.method = 24;
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
    if (c->method > 0)
        fprintf(t->out, "  %-*s", c->time > 0 ? (int)c->method : 7, "methods");
    if (c->time > 0)
        fprintf(t->out, "  %*s", (int)c->time, "time");
    ev_paint_set(t->out, t->style, EV_PLAIN);
    fputc('\n', t->out);
}

/* A later step of the same claim shows its @number below the first one's. */
static void put_label(table *t, const ev_record *r, const ev_record *before)
{
    char label[128];
    bool same = before != NULL && r->step > 1 && strcmp(r->claim, before->claim) == 0;
    ev_record_label(r, label, sizeof label);
    if (same) {
        size_t id = strlen(r->claim);
        snprintf(label, sizeof label, "@%zu", r->step);
        size_t room = t->at.label - ev_text_columns(label);
        fprintf(t->out, "  %*s", (int)(id < room ? id : room), "");
        ev_text_cell(t->out, t->style, label, t->at.label - (id < room ? id : room));
        return;
    }
    fputs("  ", t->out);
    ev_paint_set(t->out, t->style, EV_BOLD);
    ev_text_cell(t->out, t->style, label, t->at.label);
    ev_paint_set(t->out, t->style, EV_PLAIN);
}

static void put_numbers(table *t, const ev_record *r)
{
    char digits[32] = "-", points[32] = "-", mutants[64] = "", time[32];
    bool compared = r->points_effective > 0 && isfinite(r->agreeing_digits);
    if (compared)
        snprintf(digits, sizeof digits, "%.1f", r->agreeing_digits > 0 ? r->agreeing_digits : 0);
    if (r->points_effective > 0)
        snprintf(points, sizeof points, "%zu", r->points_effective);
    fprintf(t->out, "  %*s  %*s", (int)t->at.digits, digits, (int)t->at.points, points);
    if (r->mutants_total > 0)
        snprintf(mutants, sizeof mutants, "%zu/%zu", r->mutants_killed, r->mutants_total);
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

/* The source line: "  31 | left = right", or only its right side when the whole does not fit; with
 * --verbose all of it, broken. */
static void put_source(table *t, const ev_record *r)
{
    const char *relation = relation_text(r->relation, t->style->utf8);
    const char *left = r->left == NULL ? "" : r->left, *right = r->right == NULL ? "" : r->right;
    bool chain = r->step > 0;
    size_t size = strlen(left) + strlen(right) + strlen(relation) + 8;
    char *line = malloc(size);
    if (line == NULL)
        return;
    char number[32] = "";
    if (r->line > 0)
        snprintf(number, sizeof number, "%zu", r->line);
    int used = fprintf(t->out, "%7s ", number);
    put(t, EV_DIM, t->style->utf8 ? "\xE2\x94\x82 " : "| ");
    size_t begins = (size_t)(used < 0 ? 0 : used) + 2, room = t->style->width - begins;
    snprintf(line, size, "%s%s%s %s", r->step == 1 ? left : "", r->step == 1 ? " " : "",
             chain ? relation : "", right);
    if (!t->report->verbose && ev_text_columns(line) > room)
        snprintf(line, size, "%s %s", chain ? relation : "", right);
    ev_paint_set(t->out, t->style, EV_DIM);
    if (t->report->verbose) {
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

static bool has(const char *text) { return text != NULL && *text != '\0'; }

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
    char text[512], place[320];
    ev_record_place(r, place, sizeof place);
    snprintf(text, sizeof text, "%s: expected %s, found %s", place, ev_verdict_name(r->expected),
             ev_verdict_name(r->verdict));
    fprintf(t->out, "%*s", DETAIL, "");
    ev_paint_set(t->out, t->style, EV_LOUD);
    ev_text_wrap(t->out, t->style, text, DETAIL, DETAIL);
    ev_paint_set(t->out, t->style, EV_PLAIN);
}

static void put_details(table *t, const ev_record *r)
{
    bool green = ev_record_green(r);
    if (!green)
        put_unexpected(t, r);
    bool measured = r->step == 0 && has(r->measured);
    if (measured)
        put_detail(t, EV_BOLD, "measured:", r->measured);
    bool told = measured ? strcmp(r->reason, r->measured) == 0 /* by the lines around it */
                         : r->step > 0 && r->verdict == EV_REFUTED;
    if (has(r->reason) && !told)
        put_detail(t, EV_PLAIN, "", r->reason);
    if (r->verdict == EV_REFUTED || !green)
        put_witness(t, r);
    if (has(r->diagnosis))
        put_detail(t, EV_BOLD, "diagnosis:", r->diagnosis);
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
        ev_text_cell(t->out, t->style, relation_text(r->relation, t->style->utf8), t->at.relation);
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
    ev_report_summary(report, out);
    return EV_OK;
}
