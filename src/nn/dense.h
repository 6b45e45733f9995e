/* Fully connected layers, y = W x + b, over a batch.
 *
 *   B    rows of the batch
 *   in   inputs, out outputs of the layer
 *   x    (B,in)     y   (B,out)     W   (out,in)     bias   (out)
 *   dx, dy, dW, dbias: derivatives of a scalar, in the shapes of x, y, W, bias
 * All arrays are row-major, contiguous and the caller's; outputs are overwritten, never added to,
 * and don't overlap inputs.
 *
 * The products are the BLAS's.  Each is cut into column blocks, one for each OpenMP thread and at
 * least two, and each block is a product of its own on one thread: so the large operand, the
 * weights, is read once.  A matrix of few columns is cut by rows instead.  The result depends on the
 * cut alone: it is the same to the bit with one thread and with two.
 */
#ifndef EV_NN_DENSE_H
#define EV_NN_DENSE_H

#include <stdbool.h>
#include <stddef.h>

/* Keep the BLAS to one thread a call: its own threads and OpenMP's would fight for the cores.  Call
 * it once before the functions below; harmless when repeated. */
void ev_dense_prepare(void);

/* y = x W^T + bias; with relu, max(0, that). */
void ev_dense_forward(float *y, const float *x, const float *W, const float *bias, size_t B,
                      size_t in, size_t out, bool relu);
/* dx = dy W; where x came out of a ReLU, its derivative too: dx = 0 where x = 0.  x may be NULL
 * when it did not. */
void ev_dense_backward_input(float *dx, const float *dy, const float *W, const float *x, size_t B,
                             size_t in, size_t out);
/* dW = dy^T x, dbias = the sum of dy's rows. */
void ev_dense_backward_weights(float *dW, float *dbias, const float *dy, const float *x, size_t B,
                               size_t in, size_t out);

#endif
