/* What a run has found, and the formats in which it is printed.  Each format is made from the
 * ledger alone; the documents say only which of them had nothing to check. */
#ifndef EV_CLI_REPORT_H
#define EV_CLI_REPORT_H

#include "cli/terminal.h"
#include "judge/canaries.h"
#include "judge/judge.h"

typedef struct {
    const ev_ledger *ledger;
    ev_document *const *documents;
    size_t document_count;
    ev_style style;
    const char *only;            /* the pattern that chose the steps, or NULL */
    bool verbose;                /* source lines whole */
    double seconds;              /* of the whole run */
    const ev_canaries *canaries; /* NULL: not judged */
} ev_report;

/* Each writes a whole report; write errors are found when the output is closed.  EV_NO_MEMORY when
 * a record could not be written. */
ev_status ev_report_table(const ev_report *report, FILE *out, ev_error *error);
ev_status ev_report_tap(const ev_report *report, FILE *out, ev_error *error);   /* TAP 14 */
ev_status ev_report_junit(const ev_report *report, FILE *out, ev_error *error); /* JUnit XML */
ev_status ev_report_jsonl(const ev_report *report, FILE *out, ev_error *error); /* the ledger */
/* What the sources get wrong: every refuted line with its witness and its correction, by kind. */
ev_status ev_report_findings(const ev_report *report, FILE *out, ev_error *error);

/* What the table's abbreviations mean. */
void ev_report_legend(const ev_report *report, FILE *out);
/* The last lines of the table: counts of every class, and what the run spent. */
void ev_report_summary(const ev_report *report, FILE *out);
/* "REFUTED (expected)", "HOLDS", ..., with a mark, painted; in as many columns as it takes when width is 0. */
void ev_report_verdict(const ev_record *record, const ev_style *style, FILE *out, size_t width);
/* Why a record is not green: "expected HOLDS, found REFUTED", or "HOLDS, but 2 mutants survive". */
void ev_report_unexpected(const ev_record *record, char *text, size_t size);
/* A refuted claim's verdict in words: "an error as printed in 3.4; corrected in good-claim". */
void ev_report_finding(const ev_record *record, char *text, size_t size);

/* A relation as people write it: an inequality sign for "<=". */
const char *ev_record_relation(const char *relation, bool utf8);
/* "left = right", or "= right" when not whole; a statement's text.  The caller frees it; NULL when
 * memory is short. */
char *ev_record_line(const ev_record *record, bool whole, bool utf8);
/* Is a record of the ledger the step that follows the one before it in the same chain? */
bool ev_record_goes_on(const ev_ledger *ledger, const ev_record *record);
/* "9/12 +1": mutants refuted, of all, and those declared equivalent; "" when not measured. */
void ev_record_mutants(const ev_record *record, char *text, size_t size);
/* The first survivor "A for B" of a list, whose items are separated by "; " outside brackets:
 *   for (const char *s = r->survivors; (s = ev_survivor(s, &length)) != NULL; s += length)
 * NULL when there is none. */
const char *ev_survivor(const char *list, size_t *length);

/* "claim@2"; "claim" for statements and assertions. */
void ev_record_label(const ev_record *record, char *text, size_t size);
/* "file:line:column"; only the file where there is no line: a C module's own assertion. */
void ev_record_place(const ev_record *record, char *text, size_t size);
/* The methods, abbreviated as ev_report_methods_legend explains, and what the C module adds: "GH MC
 * + C" when it agrees. */
void ev_record_methods(const ev_record *record, char *text, size_t size);
/* What those abbreviations mean, as far as the ledger's records use them. */
void ev_report_methods_legend(const ev_ledger *ledger, char *text, size_t size);
/* The exit status that the verdicts and canaries ask for.  A document in which nothing was checked is
 * not green, unless --only left it out. */
int ev_report_exit(const ev_report *report);

#endif
