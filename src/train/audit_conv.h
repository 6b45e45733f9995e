/* Chains of convolutions in double, written apart from src/nn, of one image at a time: their values,
 * the side on which each ReLU stands, and tangents.  Private to the audits.
 *
 * The shapes are those of conv_net.h, without the batch.  A convolution is a sum over taps and places,
 * its transpose the same sum the other way round.
 */
#ifndef EV_TRAIN_AUDIT_CONV_H
#define EV_TRAIN_AUDIT_CONV_H

#include "base/arena.h"
#include "nn/conv_net.h"

#include <stddef.h>

/* What an image leaves behind: a stage's output after its ReLU; of residual blocks relu(x), and the
 * inner activation. */
typedef struct {
    double *out[EV_CONV_NET_DEPTH];
    double *inner[2][EV_CONV_NET_DEPTH];
} ev_audit_acts;

/* Room for them; a failed arena says that memory was short. */
void ev_audit_conv_place(const ev_conv_net *net, ev_arena *arena, ev_audit_acts *acts);
/* The doubles of a scratch array: as many as the widest of the arrays above and most. */
size_t ev_audit_conv_widest(const ev_conv_net *net, size_t most);

/* All of acts from x. */
void ev_audit_conv_net(const ev_conv_net *net, const float *parameters, const double *x,
                       const ev_audit_acts *acts);
/* The sums of the absolute values of what the last stage, which is no residual block, adds up. */
void ev_audit_conv_sizes(const ev_conv_net *net, const float *parameters, const double *x,
                         const ev_audit_acts *acts, double *sizes);

/* Where float and double stand on two sides of a ReLU.  own: the float pass, image b of its batch.
 * Within its rounding error (resolution times the sum of the terms' magnitudes) the float's side is
 * taken: the activation becomes 0, or hardly more.  Returns how many units that concerned; *beyond
 * counts those that rounding doesn't excuse, which keep the double's side. */
size_t ev_audit_conv_sides(const ev_conv_net *net, const float *parameters, const double *x,
                           const ev_audit_acts *acts, const ev_conv_acts *own, size_t b,
                           double resolution, double *const scratch[2], size_t *beyond);

/* The derivative of what the last stage puts out, along `direction` (in the parameters' layout; NULL:
 * none) and tangent of x (NULL: none).  Returns one of the scratch arrays, or NULL where it is 0. */
const double *ev_audit_conv_tangent(const ev_conv_net *net, const float *parameters,
                                    const float *direction, const double *x,
                                    const ev_audit_acts *acts, const double *tangent,
                                    double *const scratch[3]);

#endif
