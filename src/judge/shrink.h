/* Making a witness small: few dimensions, short round numbers.
 *
 * A search in the manner of delta debugging: integers first, towards the low ends of their ranges;
 * then whole vectors and matrices towards 0, 1 and the identity; then entry by entry towards 0, 1,
 * 2, a half, small whole numbers, and one or two digits.  A smaller point is taken when the step is
 * refuted there by a clear margin: a hundredth of the sides' own size, and ten times the errors.
 * Where no point that was drawn refutes so clearly, half the margin of the one that is shown will do.
 *
 * The search is the same whenever it is repeated.  It ends after EV_SHRINK_TRIALS points, or
 * EV_SHRINK_EVALUATIONS evaluations of integrands, or EV_SHRINK_OPERATIONS operations.  It can't change a verdict, and so spends none of
 * the run's error probability: the point it ends at is judged once more by the full rules, and is
 * shown only when it is refuted then. */
#ifndef EV_JUDGE_SHRINK_H
#define EV_JUDGE_SHRINK_H

#include "judge/replay.h"

enum { EV_SHRINK_TRIALS = 300, EV_SHRINK_EVALUATIONS = 2000000 };
#define EV_SHRINK_OPERATIONS UINT64_C(4000000000)

typedef struct {
    const ev_formula *formula;
    size_t step; /* 0-based */
    const char *id;
    uint64_t seed;
    const ev_budget *budget; /* of the run */
} ev_shrink_request;

/* result: of a refuted step, judged at the plan's points (the step's claim's plan), and *witness its
 * text.  Both become those of the small point; where none is smaller they stay.  *trials: points
 * tried.  EV_OK, or EV_NO_MEMORY. */
ev_status ev_shrink(const ev_shrink_request *request, const ev_plan *plan, ev_arena *arena,
                    ev_step_result *result, const char **witness, size_t *trials);

#endif
