/* Chains of convolutions, transposed convolutions and residual blocks.
 *
 *   depth     stages                 B       images
 *   out[l]    (B, size of stage l) what it puts out, after its ReLU where it has one
 *
 * A residual block of h channels with r inside is  y = x + pointwise(relu(conv(relu(x)))), the
 * convolution 3 x 3 from h to r, the pointwise one 1 x 1 back to h (K. He et al., "Identity mappings
 * in deep residual networks", ECCV 2016).  It needs relu(x) and the inner activation again on the
 * way back: inner[0][l] and inner[1][l].
 *
 * The parameters are blocks of one array (layout.h): PREFIX.l.weight (k k C, F) and PREFIX.l.bias;
 * of a residual block PREFIX.l.0.weight ... PREFIX.l.1.bias.
 *
 *   ev_conv_net net = {0};
 *   ev_conv_net_conv(&net, &layout, "encoder", &conv, true);
 *   ev_conv_net_residual(&net, &layout, "encoder", 7, 7, 64, 32, true);
 */
#ifndef EV_NN_CONV_NET_H
#define EV_NN_CONV_NET_H

#include "nn/buffer.h"
#include "nn/conv.h"
#include "nn/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EV_CONV_NET_DEPTH = 16 };

typedef enum { EV_STAGE_CONV, EV_STAGE_TRANSPOSED, EV_STAGE_RESIDUAL } ev_stage_kind;

typedef struct {
    ev_stage_kind kind;
    bool relu;        /* of what it puts out */
    ev_conv conv[2];  /* the second of a residual block only */
    size_t weight[2]; /* offsets in the parameter array */
    size_t bias[2];
    size_t in, out; /* floats of an image */
} ev_stage;

typedef struct {
    size_t depth;
    ev_stage stage[EV_CONV_NET_DEPTH];
} ev_conv_net;

/* Append a stage, with its blocks in the layout.  Its input is the output of the stage before.  A
 * residual block may not follow a stage with a ReLU. */
void ev_conv_net_conv(ev_conv_net *net, ev_layout *layout, const char *prefix, const ev_conv *conv,
                      bool relu);
void ev_conv_net_transposed(ev_conv_net *net, ev_layout *layout, const char *prefix,
                            const ev_conv *conv, bool relu);
void ev_conv_net_residual(ev_conv_net *net, ev_layout *layout, const char *prefix, size_t height,
                          size_t width, size_t channels, size_t inner, bool relu);
/* ev_conv_check of every stage, for batches of up to B images. */
ev_status ev_conv_net_check(const ev_conv_net *net, size_t B, ev_error *error);

/* K. He et al., "Delving deep into rectifiers", ICCV 2015: weights uniform on +-sqrt(6/n), n the
 * inputs that reach an output; biases 0.  Each weight has a stream of its own, a function of seed
 * and name. */
void ev_conv_net_initialise(const ev_conv_net *net, const char *name, uint64_t seed,
                            float *parameters);

typedef struct {
    float *out[EV_CONV_NET_DEPTH];
    float *inner[2][EV_CONV_NET_DEPTH]; /* of residual blocks, or NULL */
    float *gradient[2], *inner_gradient;
} ev_conv_acts;

/* Place the activations and gradients for B images; the floats of scratch one stage needs at most. */
void ev_conv_net_place(const ev_conv_net *net, size_t B, ev_conv_acts *acts, ev_carve *carve);
size_t ev_conv_net_scratch_size(const ev_conv_net *net, size_t threads);

/* out[0] .. out[depth-1] from x. */
void ev_conv_net_forward(const ev_conv_net *net, const float *parameters, size_t B, const float *x,
                         const ev_conv_acts *acts, const ev_conv_scratch *scratch);
/* From d_out, the derivative by what the last stage puts out before its ReLU, the gradient's blocks
 * of this network and, unless dx is NULL, dx. */
void ev_conv_net_backward(const ev_conv_net *net, const float *parameters, size_t B, const float *x,
                          const ev_conv_acts *acts, const float *d_out, float *gradient, float *dx,
                          const ev_conv_scratch *scratch);

#endif
