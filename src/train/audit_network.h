/* Multi-layer perceptrons in double, written apart from src/nn: their values, the side on which each
 * ReLU stands, and tangents.  Private to the audit.
 *
 *   n        columns: samples side by side
 *   stride   n rounded up to EV_AUDIT_LANES: arrays are (rows, stride), columns run fastest
 */
#ifndef EV_TRAIN_AUDIT_NETWORK_H
#define EV_TRAIN_AUDIT_NETWORK_H

#include "nn/mlp.h"

#include <stdbool.h>
#include <stddef.h>

enum { EV_AUDIT_LANES = 16 };
size_t ev_audit_stride(size_t n);

/* out (rows,stride) = W (rows,in) x (in,stride) + bias, and added to out when `add`; bias or W may be
 * NULL, which is zero. */
void ev_audit_product(size_t rows, size_t in, size_t stride, const float *W, const float *bias,
                      const double *x, bool add, double *out);

/* act[l] (width[l+1],stride) after its ReLU, from x (width[0],stride). */
void ev_audit_network(const ev_mlp *mlp, const float *parameters, size_t stride, const double *x,
                      double *const act[]);

/* Where float and double stand on two sides of a ReLU.  own[l] (n,width[l+1]) are the float pass's
 * activations.  Within its rounding error (resolution times the sum of the terms' magnitudes) the
 * float's side is taken: on[l] (width[l+1],stride) is 1 where the unit passes its derivative.
 * Returns how many units that concerned; *beyond counts those that rounding doesn't excuse, which
 * keep the double's side. */
size_t ev_audit_sides(const ev_mlp *mlp, const float *parameters, size_t n, size_t stride,
                      const double *x, double *const act[], float *const own[], double resolution,
                      unsigned char *const on[], size_t *beyond);

/* Is a number between the limits?  Where float and double answer differently, the float's answer is
 * taken if the two are the same number up to rounding, and *kinks goes up; otherwise *beyond. */
bool ev_audit_between(double ours, float theirs, float low, float high, double resolution,
                      size_t *kinks, size_t *beyond);
/* Has the direction anything in these parameters?  Their part of it, or NULL: along one block most
 * layers have nothing to do. */
const float *ev_audit_part_of(const float *direction, size_t offset, size_t count);

/* The derivative of the outputs along `direction` (in the parameters' layout; NULL: none) and
 * tangent (width[0],stride) of x (NULL: none).  scratch[2]: (widest layer, stride) each.  Returns the
 * outputs' (width[depth],stride), in one of the two. */
const double *ev_audit_tangent(const ev_mlp *mlp, const float *parameters, const float *direction,
                               size_t stride, const double *x, double *const act[],
                               unsigned char *const on[], const double *tangent,
                               double *const scratch[2]);

#endif
