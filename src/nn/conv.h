/* Two-dimensional convolutions over a batch of images, and their transposes.
 *
 *   B          images of the batch
 *   H, W, C    height, width and channels of the finer side      x (B,H,W,C)
 *   P, Q, F    height, width and channels of the coarser side    y (B,P,Q,F)
 *   kernel k, stride s, padding p:  P = floor((H + 2p - k)/s) + 1, and Q likewise
 *   weight     (k,k,C,F), that is, a matrix of k k C rows and F columns
 *
 *   y[b,i,j,f] = bias[f] + sum_{u,v,c} weight[u,v,c,f] x[b, s i + u - p, s j + v - p, c]
 *
 * with x = 0 outside the image (a cross-correlation, as the field calls convolution).  The transpose
 * goes from y to x with the same weight: it is the adjoint of that linear map, plus a bias of C.
 * Channels come last, so that a pixel is contiguous: a dense layer over pixels is the case
 * k = s = 1, p = 0, and a vector of codes is read off without moving it.
 *
 * All arrays are row-major, contiguous and the caller's; outputs are overwritten, never added to,
 * and don't overlap inputs.  dx, dy, d_weight, d_bias are derivatives of a scalar in the shapes of
 * x, y, weight, bias.
 *
 * A piece of a few images is copied into frames of zeros, and the places read their taps there
 * (conv_kernels.h); the OpenMP threads take the pieces.  The cut, and the order in which sums over
 * the batch are taken, depend on B alone: results are the same to the bit for any number of threads.
 * The zeros around an image are multiplied like the rest: a weight that is not finite shows there too.
 *
 *   ev_conv conv = {.height = 28, .width = 28, .channels = 1,
 *                   .kernel = 4, .stride = 2, .padding = 1, .filters = 32};
 *   if (ev_conv_check(&conv, B, &error) == EV_OK)
 *       scratch = (ev_conv_scratch){ev_buffer_create(ev_conv_scratch_size(&conv, threads)), threads};
 *   ev_conv_forward(&conv, B, y, x, weight, bias, true, &scratch);     // y: (B,14,14,32)
 */
#ifndef EV_NN_CONV_H
#define EV_NN_CONV_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    size_t height, width, channels; /* H, W, C */
    size_t kernel, stride, padding; /* k, s, p */
    size_t filters;                 /* F */
} ev_conv;

/* Memory for frames, weights in strips and partial sums, ev_conv_scratch_size floats, and how many
 * threads may use it.  One scratch serves convolutions one after the other, never two at once. */
typedef struct {
    float *memory;
    size_t threads;
} ev_conv_scratch;

/* EV_BAD_INPUT, with the reason, when an extent is 0, p >= k, kernel or stride exceeds the padded image,
 * or a size does not fit. */
ev_status ev_conv_check(const ev_conv *conv, size_t B, ev_error *error);
/* P, Q, and the rows of the weight matrix, k k C, of a convolution that has been checked. */
size_t ev_conv_out_height(const ev_conv *conv);
size_t ev_conv_out_width(const ev_conv *conv);
size_t ev_conv_taps(const ev_conv *conv);
/* Floats; SIZE_MAX, which no allocator grants, where that overflows. */
size_t ev_conv_scratch_size(const ev_conv *conv, size_t threads);

/* y from x; with relu, max(0, that).  bias: (F). */
void ev_conv_forward(const ev_conv *conv, size_t B, float *y, const float *x, const float *weight,
                     const float *bias, bool relu, const ev_conv_scratch *scratch);
/* dx from dy; where x came out of a ReLU, its derivative too: 0 where x = 0.  x may be NULL when it
 * did not. */
void ev_conv_backward_input(const ev_conv *conv, size_t B, float *dx, const float *dy,
                            const float *weight, const float *x, const ev_conv_scratch *scratch);
void ev_conv_backward_weights(const ev_conv *conv, size_t B, float *d_weight, float *d_bias,
                              const float *dy, const float *x, const ev_conv_scratch *scratch);

/* The transpose: x from y, bias: (C); its derivatives dy from dx, and those of weight and bias. */
void ev_conv_transposed_forward(const ev_conv *conv, size_t B, float *x, const float *y,
                                const float *weight, const float *bias, bool relu,
                                const ev_conv_scratch *scratch);
void ev_conv_transposed_backward_input(const ev_conv *conv, size_t B, float *dy, const float *dx,
                                       const float *weight, const float *y,
                                       const ev_conv_scratch *scratch);
void ev_conv_transposed_backward_weights(const ev_conv *conv, size_t B, float *d_weight,
                                         float *d_bias, const float *dx, const float *y,
                                         const ev_conv_scratch *scratch);

#endif
