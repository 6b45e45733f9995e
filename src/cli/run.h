/* What `check`, `explain` and `tabulate` have in common: documents read, and judged. */
#ifndef EV_CLI_RUN_H
#define EV_CLI_RUN_H

#include "cli/terminal.h"
#include "judge/judge.h"

typedef struct {
    ev_document **documents;
    size_t document_count;
    ev_ledger *ledger;
    double seconds; /* reading and judging */
    ev_colour_choice colour;
    bool lenient;    /* a document that can't be read is warned of and left out */
    size_t left_out; /* so many were */
} ev_run;

/* Read files, or derivations/ (all of its .md but README.md) when there are none.  The first error of
 * each file goes to standard error.  Returns an exit status. */
int ev_run_read(ev_run *run, char *const *files, size_t count);
/* Judge what was read, with a progress bar.  Returns an exit status: 0 whatever the verdicts. */
int ev_run_judge(ev_run *run, const ev_judge_options *options);
void ev_run_end(ev_run *run);

#endif
