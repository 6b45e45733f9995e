/* What the sources get wrong, for people: by kind, each line as it is printed, a witness that can be
 * followed by hand, and the line that is right. */
#include "cli/report.h"
#include "cli/value.h"

#include <stdlib.h>
#include <string.h>

enum { NAME = 4, TEXT = 17 };

typedef enum { UNEXPECTED, ERRORS, CONDITIONS, SLIPS, UNPRINTED, GROUPS } group;

static const struct {
    const char *name, *one, *several;
} headings[GROUPS] = {
    {"REFUTED, AND NOT EXPECTED", "line", "lines"},
    {"Errors", "printed line that is wrong", "printed lines that are wrong"},
    {"Conditional truths", "printed line that holds only under a condition",
     "printed lines that hold only under a condition"},
    {"Slips", "printed line that does not say what is meant",
     "printed lines that do not say what is meant"},
    {"Not printed in a source", "line that a reader may expect", "lines that a reader may expect"}};

typedef struct {
    const ev_report *report;
    const ev_style *style;
    FILE *out;
} page;

static bool has(const char *text) { return text != NULL && *text != '\0'; }

/* GROUPS: no finding. */
static group group_of(const ev_record *r)
{
    const char *kind = r->kind == NULL ? "" : r->kind;
    if (r->verdict != EV_REFUTED)
        return GROUPS;
    if (r->expected != EV_REFUTED)
        return UNEXPECTED;
    if (!has(r->source))
        return UNPRINTED;
    return strcmp(kind, "slip") == 0          ? SLIPS
           : strcmp(kind, "conditional") == 0 ? CONDITIONS
                                              : ERRORS;
}

static void put_text(const page *p, const char *name, const char *text)
{
    if (!has(text))
        return;
    fprintf(p->out, "%*s%-*s", NAME, "", TEXT - NAME, name);
    ev_text_wrap(p->out, p->style, text, TEXT, TEXT);
}

static void put_line(const page *p, const char *name, const ev_record *r, bool whole)
{
    char *line = ev_record_line(r, whole, p->style->utf8);
    put_text(p, name, line);
    free(line);
}

static void put_label(const page *p, const ev_record *r)
{
    char label[128], place[320];
    ev_record_label(r, label, sizeof label);
    ev_record_place(r, place, sizeof place);
    size_t used = 2 + ev_text_columns(label), after = ev_text_columns(place);
    fputs("\n  ", p->out);
    ev_paint_set(p->out, p->style, EV_BOLD);
    ev_text_put(p->out, p->style, label, p->style->width);
    ev_paint_set(p->out, p->style, EV_PLAIN);
    if (used + 2 + after <= p->style->width)
        fprintf(p->out, "%*s", (int)(p->style->width - used - after), "");
    else
        fprintf(p->out, "\n%*s", NAME, "");
    ev_paint_set(p->out, p->style, EV_DIM);
    ev_text_put(p->out, p->style, place, p->style->width);
    ev_paint_set(p->out, p->style, EV_PLAIN);
    fputc('\n', p->out);
}

static void put_values(const page *p, const ev_record *r)
{
    char text[EV_VALUE_TEXT];
    put_text(p, "at", r->witness);
    if (r->step > 0 && r->points_effective > 0) {
        ev_evidence_text(&r->left_value, p->style, text);
        put_text(p, "left", text);
        ev_evidence_text(&r->right_value, p->style, text);
        put_text(p, "right", text);
    }
    put_text(p, "measured", r->measured);
}

/* The corrected claim: every step of it with its verdict, as far as it was judged. */
static void put_correction(const page *p, const ev_record *r)
{
    const ev_ledger *ledger = p->report->ledger;
    bool judged = false;
    char text[256], label[128];
    for (size_t i = 0; has(r->see) && i < ledger->count; i++) {
        const ev_record *right = &ledger->records[i];
        if (strcmp(right->file, r->file) != 0 || strcmp(right->claim, r->see) != 0)
            continue;
        ev_record_label(right, label, sizeof label);
        snprintf(text, sizeof text, "%s %s", label, ev_verdict_name(right->verdict));
        put_text(p, judged ? "" : "corrected by", text);
        put_line(p, "", right, !judged || !ev_record_goes_on(ledger, right));
        judged = true;
    }
    if (has(r->see) && !judged) {
        snprintf(text, sizeof text, "%.128s, which was not judged in this run", r->see);
        put_text(p, "corrected by", text);
    }
}

static void put_finding(const page *p, const ev_record *r, group g)
{
    char expected[64];
    put_label(p, r);
    if (g == UNEXPECTED) {
        snprintf(expected, sizeof expected, "%s, and it is REFUTED", ev_verdict_name(r->expected));
        ev_paint_set(p->out, p->style, EV_LOUD);
        put_text(p, "EXPECTED", expected);
        ev_paint_set(p->out, p->style, EV_PLAIN);
    }
    if (g == UNPRINTED)
        put_text(p, "kind", r->kind);
    put_text(p, "source", r->source);
    put_line(p, r->step > 0 ? "line" : "statement", r, true);
    put_values(p, r);
    put_text(p, "diagnosis", r->diagnosis);
    put_text(p, "note", r->note);
}

/* The next finding of the group from a position on; the ledger's end when there is none. */
static size_t next_of(const ev_ledger *ledger, group g, size_t i)
{
    while (i < ledger->count && group_of(&ledger->records[i]) != g)
        i++;
    return i;
}

static void put_heading(const page *p, group g, size_t count)
{
    bool loud = g == UNEXPECTED;
    ev_paint_set(p->out, p->style, loud ? EV_LOUD : EV_BOLD);
    fprintf(p->out, "%s: %zu %s\n", headings[g].name, count,
            count == 1 ? headings[g].one : headings[g].several);
    ev_paint_set(p->out, p->style, EV_PLAIN);
}

/* The correction of several steps of one claim stands below the last of them. */
static void put_group(const page *p, group g)
{
    const ev_ledger *ledger = p->report->ledger;
    size_t count = 0;
    for (size_t i = next_of(ledger, g, 0); i < ledger->count; i = next_of(ledger, g, i + 1))
        count++;
    if (count == 0 && g == UNEXPECTED)
        return;
    put_heading(p, g, count);
    for (size_t i = next_of(ledger, g, 0), next; i < ledger->count; i = next) {
        const ev_record *r = &ledger->records[i], *after = r;
        next = next_of(ledger, g, i + 1);
        if (next < ledger->count)
            after = &ledger->records[next];
        put_finding(p, r, g);
        bool same_claim = after != r && strcmp(after->file, r->file) == 0 &&
                          strcmp(after->claim, r->claim) == 0;
        if (!same_claim)
            put_correction(p, r);
    }
    fputc('\n', p->out);
}

ev_status ev_report_findings(const ev_report *report, FILE *out, ev_error *error)
{
    (void)error;
    page p = {.report = report, .style = &report->style, .out = out};
    for (group g = UNEXPECTED; g < GROUPS; g++)
        put_group(&p, g);
    ev_report_summary(report, out);
    return EV_OK;
}
