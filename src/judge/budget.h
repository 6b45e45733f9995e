/* What one run may spend on a step, by level of effort. */
#ifndef EV_JUDGE_BUDGET_H
#define EV_JUDGE_BUDGET_H

#include "formula/program.h"

#include <stddef.h>

typedef struct {
    const char *name;           /* "quick", "full", "deep" */
    size_t points;              /* a step is compared at so many */
    size_t first_point;         /* the number of the first: 0, but where few points take turns */
    size_t cases;               /* spread over at most so many choices of the integers */
    size_t minimisation_points; /* the same for a relation between arg-mins; of the other points,
                                   one more for each at which they agree only at the domain's ends */
    size_t redraws;             /* of the varying symbols, at each point */
    size_t starts;              /* of a minimiser, beside the point's own values */
    size_t tries;               /* at a point that satisfies the conditions */
    size_t doublings;           /* of the effort, at a point that is not decided */
    bool verdict_only;   /* is it HOLDS or not: the first point that does not agree ends it, and
                                   the standard deviation of an estimate is not wanted */
    uint64_t operations; /* that a step may spend, at all its points together (formula/meter.h);
                            the edits that measure its strength may spend as many again, each of
                            them at most a fifth (judge/strength.h) */
    uint64_t search;     /* of them, for a violation of an inequality that holds at all points
                            (judge/tighten.h); 0: it is not looked for */
    bool above_one;      /* no integer is 1, where there is a choice of them without */
    double resolution;   /* relative, where quadrature serves */
    double sampling_resolution; /* relative, where only sampling does */
    ev_effort effort; /* of the first evaluation; alpha is filled in once the run is planned */
} ev_budget;

/* level: an ev_effort_level of judge.h (0 quick, 1 full, 2 deep). */
ev_budget ev_budget_for(int level);

/* " (--effort full has ten times as many)": how to have more operations, or "" where there is no more.
 */
const char *ev_budget_advice(const ev_budget *budget, size_t size, char *text);

/* The effort of attempt number 0, 1, 2, ...: evaluations and samples double, and the errors asked
 * for shrink. */
ev_effort ev_budget_effort(const ev_budget *budget, size_t attempt);

/* How often one point may be evaluated: the first attempt, the doublings, and one more that
 * confirms a difference. */
size_t ev_budget_attempts(const ev_budget *budget);

#endif
