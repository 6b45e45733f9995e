/* What several rules say of the same integrals, and what may be concluded from it.
 * Private to this room. */
#ifndef EV_NUMERICS_AGREEMENT_H
#define EV_NUMERICS_AGREEMENT_H

#include "numerics/quadrature.h"

#include <stdbool.h>
#include <stddef.h>

enum { EV_HERMITE, EV_CUBATURE, EV_TRAPEZOID, EV_KRONROD, EV_RULES };

/* rule[r] is (functions + sentinels) when ran[r]; the sentinels follow the
 * functions as in evaluation.h. */
typedef struct {
    size_t dim, functions;
    double relative; /* of the request */
    double rounding; /* of a weighted sum, in units of epsilon times the magnitude */
    bool ran[EV_RULES];
    size_t points[EV_RULES]; /* how many each has looked at */
    ev_integral *rule[EV_RULES];
} ev_candidates;

typedef enum { EV_SETTLED, EV_UNSETTLED, EV_CONTRADICTED } ev_settlement;

typedef struct {
    ev_integral integral;
    ev_settlement settlement;
    unsigned rules;   /* bit r: rule r is one of the two compared */
    double values[2]; /* of those two rules */
} ev_conclusion;

/* relative * max(|value|, 1e-3 magnitude). */
double ev_wanted_error(double relative, double value, double magnitude);
/* The largest deviation of a rule's sentinels from 1. */
double ev_sentinel_deviation(const ev_candidates *c, int rule);
/* A rule whose sentinels are off by more than the request (or 1e-8) has no voice. */
bool ev_rule_fit(const ev_candidates *c, int rule);
/* Function k.
 *   Settled: two fit rules agree within the request, and no rule that claims to be as good
 *   contradicts them, unless it has looked at fewer points than either: a net that is
 *   coarser than both may have missed what they saw, never the other way round.
 *   Contradicted: two rules disagree far beyond both claims, one of which is within
 *   the request.  The error is then their distance. */
ev_conclusion ev_conclude(const ev_candidates *c, size_t k);
/* "hermite+cubature" for a set of bits: a static string. */
const char *ev_rules_name(unsigned rules);

#endif
