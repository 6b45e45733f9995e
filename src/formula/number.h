/* A double with its error by kind: what one operation does to a value and its bounds.
 *
 * Bounds are carried forward operation by operation (running error analysis; N. J. Higham,
 * "Accuracy and Stability of Numerical Algorithms", 2nd ed., section 3.3), first order with
 * the second-order terms dominated, so that they stay bounds when the errors are not small.
 * Rounding adds u |v| for an arithmetic operation and 4 u |v| for a transcendental one,
 * u = 2^-53; below 2^-1022, where numbers lie 2^-1074 apart, that much for u |v|.  An operand whose error reaches a singularity gives an infinite bound.
 *
 *   ev_number a = ev_number_exact(1e8), b = ev_number_exact(0.1), c;
 *   ev_number_apply(EV_OP_ADD, &a, &b, &c);   c.error[EV_ERROR_ROUNDING] is about 1.1e-8 */
#ifndef EV_FORMULA_NUMBER_H
#define EV_FORMULA_NUMBER_H

#include "formula/graph.h"

enum { EV_ERROR_ROUNDING, EV_ERROR_QUADRATURE, EV_ERROR_SAMPLING, EV_ERROR_KINDS };

typedef struct {
    double value;
    double error[EV_ERROR_KINDS]; /* absolute bounds */
    double magnitude;             /* the sum of |terms| behind the value */
} ev_number;

#define EV_UNIT_ROUNDOFF 0x1p-53

ev_number ev_number_exact(double value);
double ev_number_total_error(const ev_number *a);

/* The value alone.  b is ignored by unary operations.  log 0 is -inf, and a product of 0
 * with it is 0: the convention 0 log 0 = 0. */
double ev_number_value(ev_op op, double a, double b);
/* Is b an integer from 2 to 16?  Then a^b is computed by squaring. */
bool ev_number_is_small_power(double b);

/* out = op(a, b); out may be a or b. */
void ev_number_apply(ev_op op, const ev_number *a, const ev_number *b, ev_number *out);

#endif
