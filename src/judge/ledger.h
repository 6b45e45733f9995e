/* The evidence ledger: one record a step, and its JSON line.  Whatever is shown anywhere
 * (terminal, TAP, JUnit, report) is made from these records. */
#ifndef EV_JUDGE_LEDGER_H
#define EV_JUDGE_LEDGER_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum {
    EV_HOLDS,
    EV_REFUTED,
    EV_UNDECIDED, /* the budget ran out before the errors were small enough */
    EV_VACUOUS,   /* no point satisfied the assumptions, or nothing was compared */
    EV_VOID,      /* an integrator or sampler was unfit, or the formula is not defined */
    EV_SKIPPED,   /* with a reason */
    EV_VERDICT_COUNT
} ev_verdict;

/* "HOLDS", ... */
const char *ev_verdict_name(ev_verdict verdict);

/* A value as the ledger keeps it: absolute errors by kind. */
typedef struct {
    double value, rounding, quadrature, sampling;
} ev_evidence_value;

/* A wrong statement that the decision of a true one refutes. */
typedef struct {
    const char *statement, *because;
    bool refuted;
} ev_ledger_alternative;

typedef struct {
    const char *document, *file, *section, *claim; /* stem, path as given, heading, id */
    size_t step;                                   /* 1-based; 0 for a statement */
    size_t line, column;
    const char *relation;     /* "=", ...; "statement"; "assert" for a C module's own facts */
    const char *left, *right; /* as printed; a statement's text in right */
    const char *source, *see, *note;
    const char *kind; /* "error", "slip", "conditional" */
    ev_verdict expected, verdict;
    const char *reason; /* for every verdict but HOLDS; "" when none */
    /* The comparison shown: the witness when refuted, else the worst point. */
    ev_evidence_value left_value, right_value;
    const char *witness;    /* "J = 1, \mu = (0), ..." or "" */
    size_t witness_trials;  /* points tried to make it small */
    const char *diagnosis;  /* "holds with A for B", ...; "" where not looked for */
    double agreeing_digits; /* the fewest over the points: -log10 of the relative distance or error,
                                whichever is larger, at most 16 */
    double resolution;      /* the relative error that was asked */
    double smallest_detectable; /* relative: the largest combined error over the points */
    const char *methods;        /* "closed", "hermite+cubature+mc", "mc" */
    uint64_t evaluations, samples;
    size_t points_tried, points_effective; /* drawn; satisfied the conditions and were compared */
    uint64_t comparisons;                  /* sampling comparisons spent */
    double alpha_spent;
    double sentinel;
    double sampling_p; /* p-value of one sampling comparison against quadrature, or NaN: uniform
                          if both are right */
    double estimate_deviation; /* standard deviation of an estimator at the shown point, or NaN */
    uint64_t seed;
    size_t mutants_killed, mutants_total; /* refuted, of all; 0/0: not measured, or none */
    size_t mutants_undecided;             /* neither refuted nor passed */
    size_t mutants_equivalent;            /* declared by the document, and tested */
    const char *survivors;                /* mutants that the judge lets pass: "A for B; ..." */
    const char *unclear;                  /* those that are undecided, likewise */
    double seconds;
    /* The C module (judge/check.h): "" when it did not speak of this record, else "agrees",
     * "disagrees" or "undecided"; at how many points, to how many digits. */
    const char *second_voice;
    size_t second_voice_points;
    double second_voice_digits;
    const char *measured; /* a statement's or assertion's numbers, one line; or "" */
    size_t alternative_count;
    const ev_ledger_alternative *alternatives;
} ev_record;

typedef struct {
    ev_record *records;
    size_t count, capacity;
    ev_arena *arena;
    uint64_t seed;
    double alpha_total;           /* 1e-6 */
    uint64_t comparisons_planned; /* fixed before sampling begins */
    uint64_t comparisons_spent;   /* by steps and C modules; never more */
    const char *effort;           /* "quick", "full", "deep" */
    size_t document_count, unchecked_displays;
} ev_ledger;

ev_ledger *ev_ledger_create(void);
void ev_ledger_destroy(ev_ledger *ledger);
/* A zeroed record at the end, or NULL when memory is short.  Invalidates earlier pointers. */
ev_record *ev_ledger_append(ev_ledger *ledger);

/* Was the verdict the expected one, and did no mutant survive (where they were tried)? */
bool ev_record_green(const ev_record *record);

/* Mutants that the judge lets pass. */
size_t ev_record_survivors(const ev_record *record);

typedef struct {
    size_t by_verdict[EV_VERDICT_COUNT];
    size_t total, green;
} ev_tally;
ev_tally ev_ledger_tally(const ev_ledger *ledger);

/* One JSON object on one line, with compiler, flags and revision; jansson underneath. */
ev_status ev_record_write_json(const ev_record *record, const ev_ledger *ledger, FILE *out);

#endif
