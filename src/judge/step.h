/* Judging one step over its points.
 *
 * At each point: evaluate with the first effort; while the point is not decided, double the
 * effort up to the budget.  A difference must be seen twice in a row, the second time with more
 * effort and fresh samples; so must an agreement that follows a difference.
 *
 * The verdict: REFUTED when one point refutes (even if others are unfit); else VOID when
 * one was unfit; else UNDECIDED when one was not decided; else VACUOUS when there was none; else
 * HOLDS. */
#ifndef EV_JUDGE_STEP_H
#define EV_JUDGE_STEP_H

#include "judge/attempt.h"
#include "judge/ledger.h"

typedef struct {
    ev_verdict verdict;
    char reason[300];
    size_t points_effective;
    size_t points_blank; /* of these, those at which both sides vanish (judge/compare.h) */
    size_t shown;        /* the point whose values stand in `at`, when points_effective > 0 */
    ev_attempt at;
    double deviation; /* of an estimate, at the shown point; NaN else */
    double digits;    /* the fewest over the points */
    double smallest_detectable;
    double resolution;
    unsigned methods;
    uint64_t evaluations, samples, comparisons, operations;
    double sentinel;
    double p_value; /* of one sampling comparison of the last point that had one, or NaN */
} ev_step_result;

typedef struct {
    const ev_trial *trial;
    ev_place place;
    size_t complexity; /* of the point as a witness: the simplest refuting one is shown */
    bool reserve;      /* judged only in place of one whose agreement says little */
} ev_step_point;

/* stream: of the step; each point and attempt takes a child of its own.  The points in reserve stand
 * last. */
ev_status ev_step_judge(size_t count, const ev_step_point *points, const ev_budget *budget,
                        const ev_stream *stream, ev_step_result *result);

/* "closed", "hermite+cubature+mc", "mc". */
const char *ev_methods_text(unsigned methods, char *buffer, size_t size);

#endif
