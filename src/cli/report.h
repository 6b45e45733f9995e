/* What a run has found, and the formats in which it is printed.  Each format is made from the
 * ledger alone; the documents say only which of them had nothing to check. */
#ifndef EV_CLI_REPORT_H
#define EV_CLI_REPORT_H

#include "cli/terminal.h"
#include "judge/judge.h"

typedef struct {
    const ev_ledger *ledger;
    ev_document *const *documents;
    size_t document_count;
    ev_style style;
    const char *only; /* the pattern that chose the steps, or NULL */
    bool verbose;     /* source lines whole */
    double seconds;   /* of the whole run */
} ev_report;

/* Each writes a whole report; write errors are found when the output is closed.  EV_NO_MEMORY when
 * a record could not be written. */
ev_status ev_report_table(const ev_report *report, FILE *out, ev_error *error);
ev_status ev_report_tap(const ev_report *report, FILE *out, ev_error *error);   /* TAP 14 */
ev_status ev_report_junit(const ev_report *report, FILE *out, ev_error *error); /* JUnit XML */
ev_status ev_report_jsonl(const ev_report *report, FILE *out, ev_error *error); /* the ledger */

/* The last lines of the table: counts of every class, and what the run spent. */
void ev_report_summary(const ev_report *report, FILE *out);
/* "REFUTED (expected)", "HOLDS", ..., with a mark, painted; in as many columns as it takes when width is 0. */
void ev_report_verdict(const ev_record *record, const ev_style *style, FILE *out, size_t width);
/* A refuted claim's verdict in words: "an error as printed in 3.4; corrected in good-claim". */
void ev_report_finding(const ev_record *record, char *text, size_t size);

/* "claim@2"; "claim" for statements and assertions. */
void ev_record_label(const ev_record *record, char *text, size_t size);
/* "file:line:column"; only the file where there is no line: a C module's own assertion. */
void ev_record_place(const ev_record *record, char *text, size_t size);
/* The methods, abbreviated as ev_report_methods_legend explains, and what the C module adds: "GH MC
 * + C" when it agrees. */
void ev_record_methods(const ev_record *record, char *text, size_t size);
/* What those abbreviations mean, as far as the ledger's records use them. */
void ev_report_methods_legend(const ev_ledger *ledger, char *text, size_t size);
/* The exit status that the verdicts ask for.  A document in which nothing was checked is not green,
 * unless --only left it out. */
int ev_report_exit(const ev_report *report);

#endif
