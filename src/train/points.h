/* Points in rows, as clustering takes them.  Private to this room. */
#ifndef EV_TRAIN_POINTS_H
#define EV_TRAIN_POINTS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* EV_BAD_INPUT unless 1 <= K <= N, J >= 1 and all of x (N,J) is finite; says the first that is not. */
ev_status ev_points_check(size_t N, size_t J, size_t K, const float *x, ev_error *error);
/* Mean over the coordinates of the points' variance about their mean. */
double ev_points_variance(size_t N, size_t J, const float *x);

#endif
