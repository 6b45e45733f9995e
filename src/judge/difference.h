/* Naming what a refuted step is off by.
 *
 * At fresh points the sides' difference and their ratio are compared with a small dictionary: the
 * constants 1, log 2, log 2 pi; the step's own dimensions n, their squares and logarithms, and their
 * products with those constants; its scalars and the first entries of its vectors and matrices, s,
 * s^2 and log s; each times a quarter, a half, 1, 3/2,
 * 2, 3 or 4.  A term is named when it fits at every point, to six digits: "the right side is short
 * of 1/2 J log(2 pi)", "the right side is 2 times too large". */
#ifndef EV_JUDGE_DIFFERENCE_H
#define EV_JUDGE_DIFFERENCE_H

#include "judge/plan.h"

/* formula: of one step alone.  *text, from the arena: NULL when the difference is no term of the
 * dictionary, or can't be had.  EV_OK, or EV_NO_MEMORY. */
ev_status ev_difference_name(const ev_formula *formula, const char *id, uint64_t seed,
                             ev_arena *arena, const char **text);

#endif
