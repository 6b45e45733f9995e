/* The judge: documents in, a ledger of verdicts out. */
#ifndef EV_JUDGE_JUDGE_H
#define EV_JUDGE_JUDGE_H

#include "document/document.h"
#include "judge/check.h"
#include "judge/ledger.h"

typedef enum { EV_EFFORT_QUICK, EV_EFFORT_FULL, EV_EFFORT_DEEP } ev_effort_level;

typedef struct {
    uint64_t seed;
    ev_effort_level effort;
    const char *only;    /* shell pattern on "claim" or "claim@step"; NULL: all */
    size_t points;       /* a step; 0: as many as the effort says */
    size_t first_point;  /* with points: their numbers begin here (judge/point.h: what each is) */
    size_t threads;      /* 0: as OpenMP says */
    bool shrink;         /* make the witnesses of refuted steps small (judge/shrink.h) */
    const char *witness; /* judge at this point alone (judge/witness_read.h), the C modules silent;
                            NULL: at points drawn */
    bool mutants;        /* measure every step's strength, and diagnose what is refuted */
    /* Called after each step (never concurrently): done of total steps. May be NULL. */
    void (*progress)(void *context, size_t done, size_t total, const char *claim);
    void *progress_context;
} ev_judge_options;

#define EV_JUDGE_DEFAULTS \
    ((ev_judge_options){.seed = 20241031, .effort = EV_EFFORT_FULL, .shrink = true})

/* Judge every step and statement of the documents.  Verdicts and digits depend on the seed
 * and the effort alone, not on threads.  The ledger holds one record for each step and statement,
 * in document order; with `only`, the others are left out of it. */
ev_status ev_judge_documents(ev_document *const *documents, size_t count,
                             const ev_check_entry *checks, const ev_judge_options *options,
                             ev_ledger **ledger, ev_error *error);

#endif
