/* Weighted sums over the tensor product of one one-dimensional rule with itself.
 * Private to this room. */
#ifndef EV_NUMERICS_TENSOR_GRID_H
#define EV_NUMERICS_TENSOR_GRID_H

#include "numerics/evaluation.h"

/* Over all points of nodes^dim with |x| <= radius, for each component:
 *   value     = sum w f,   magnitude = sum w |f|,
 *   error     = |sum (-1)^(sum of indices) w f| when alternate, else 0.
 * nodes and weights are (count), nodes ascending. */
ev_status ev_tensor_sum(ev_evaluation *e, size_t count, const double *nodes, const double *weights,
                        double radius, bool alternate, ev_integral *out);

#endif
