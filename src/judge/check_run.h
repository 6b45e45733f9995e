/* The judge's side of the C modules: judge/check.h is what a module sees. */
#ifndef EV_JUDGE_CHECK_RUN_H
#define EV_JUDGE_CHECK_RUN_H

#include "document/document.h"
#include "judge/budget.h"
#include "judge/check.h"
#include "judge/ledger.h"

/* Sampling comparisons that one module may spend. */
enum { EV_CHECK_ALLOWANCE = 200 };

typedef struct {
    const ev_document *document;
    const ev_check_entry *entry; /* NULL: no module; statements are then SKIPPED */
    const ev_budget *budget;     /* alpha set */
    int effort;
    uint64_t seed;
    const char *only;
    ev_record *records; /* the document's steps and statements, judged; updated here */
    size_t count;
    ev_arena *arena; /* the ledger's */
    /* out: records of the module's own, on the heap for the caller to free(), and what it spent */
    ev_record *own;
    size_t own_count, own_capacity;
    uint64_t comparisons;
} ev_check_job;

/* Run the module, if there is one, and settle every statement and second voice. */
ev_status ev_check_run(ev_check_job *job);

/* Does the claim, or this step of it, match the shell pattern? NULL matches all; step 0 is a
 * statement or the claim as a whole. */
bool ev_judge_wants(const char *only, const char *claim, size_t step);

#endif
