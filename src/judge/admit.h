/* Is a value one of its domain's? */
#ifndef EV_JUDGE_ADMIT_H
#define EV_JUDGE_ADMIT_H

#include "judge/draw.h"

#include <stdbool.h>

/* x: shape.rows x shape.cols, row-major.  Weights must add up to one, orthogonal columns be of
 * unit length and at right angles, within 1e-9: what doubles can be expected to do.  False when
 * memory is short, too. */
bool ev_domain_admits(ev_shape shape, const double *x);

#endif
