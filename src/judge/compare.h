/* Comparing two values within their errors: the one place where a line is called true or false.
 *
 * Let A, B be the sides, E the sum of both sides' errors of every kind, and d the distance by
 * which the relation fails: |A-B| for =, A-B for <= and <, B-A for >= and >.
 *
 *   d > 4 E                 differs.  E need not be small: what is refuted beyond the errors is
 *                           refuted.  The factor 4 is for the quadratures' errors, which are
 *                           estimates (differences of rules) and not bounds; the sampling error is
 *                           a half-width at a level that the ledger budgets, the rounding error
 *                           a first-order bound, and neither needs it.  Between E and 4 E nothing is
 *                           said, and the effort doubles.
 *   d <= E, and E <= resolution * scale     agrees, scale = max(|A|, |B|, magnitude / 1000).
 *   A = B = E = 0                           agrees: both sides are exactly 0.  Unless the formulas say so
 *                           themselves (ev_attempt_says_zero), that tells as little as blank ones.
 *   d, |A|, |B| <= E <= 1e-20               agrees, and is blank: both sides vanish, and no scale is left
 *                           that an error could be small beside; nor is it where |A|, |B| < 2^-1022,
 *                           the smallest normal number.  Wrong sides that underflow agree likewise, so
 *                           this says nothing; a step whose points are all blank is UNDECIDED.
 *   d <= -E, an inequality                  agrees, whatever E: it is clear by more than the error.
 *   else                                    unresolved.
 *
 * A strict inequality needs d < -E: equality within the errors neither proves nor refutes
 * it, and is unresolved, unless both sides are exact (E = 0) and equal, which refutes it.
 *
 * Nothing that is not finite, and nothing unfit, is ever compared. */
#ifndef EV_JUDGE_COMPARE_H
#define EV_JUDGE_COMPARE_H

#include "formula/claim.h"
#include "formula/program.h"

typedef enum { EV_AGREES, EV_UNRESOLVED, EV_UNFIT_VALUES, EV_DIFFERS } ev_outcome;

typedef struct {
    ev_outcome outcome;
    double distance; /* d */
    double error;    /* E */
    double scale;
    double resolution;  /* relative */
    bool blank;         /* both sides vanish: see above */
    bool zero;          /* both are exactly 0 */
    double digits;      /* -log10 of the relative distance (=) or error, the larger; 0 to 16 */
    const char *reason; /* of EV_UNFIT_VALUES; lives as long as the values compared */
} ev_comparison;

typedef struct {
    double resolution, sampling_resolution; /* the second when sampling alone speaks */
    double slack; /* added to E, relative to the magnitude: for inputs known to rounding only */
} ev_tolerance;

ev_comparison ev_compare(ev_relation relation, const ev_value *left, const ev_value *right,
                         ev_tolerance tolerance);

/* The sum of a value's errors of all kinds. */
double ev_value_error(const ev_value *value);
/* A value whose error is known as one number, as a quadrature's. */
ev_value ev_value_of(double value, double error);

#endif
