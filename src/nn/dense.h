/* Fully connected layers, y = W x + b, over a batch.
 *
 *   B    rows of the batch
 *   in   inputs, out outputs of the layer
 *   x    (B,in)     y   (B,out)     W   (out,in)     bias   (out)
 *   dx, dy, dW, dbias: derivatives of a scalar, in the shapes of x, y, W, bias
 * All arrays are row-major, contiguous and the caller's; outputs are overwritten, never added to,
 * and don't overlap inputs, nor work either.
 *
 * Where enough of x or of dy is exactly 0, as behind a ReLU, the zeros are left out (sparse.h); how
 * many there are is counted each time.  Otherwise the products are the BLAS's.  Each is cut into
 * column blocks, one for each OpenMP thread and at least two, and each block is a product of its own on
 * one thread: so the large operand, the weights, is read once.  A matrix of few columns is cut by rows
 * instead.  The BLAS's result depends on the cut, which is the same with one thread and with two.
 *
 * Which way is taken, and so the last bits, depends on the zeros of the whole batch.  Where W or x isn't
 * finite, 0 times it is 0 one way and NaN the other.
 *
 * work: ev_dense_work_size floats, allocated and aligned for the marks of 64 bits that it begins with;
 * NULL: no zero is left out. */
#ifndef EV_NN_DENSE_H
#define EV_NN_DENSE_H

#include <stdbool.h>
#include <stddef.h>

/* Keep the BLAS to one thread a call: its own threads and OpenMP's would fight for the cores.  Call
 * it once before the functions below; harmless when repeated. */
void ev_dense_prepare(void);

/* For the marks of what isn't 0 and a transpose of dy; SIZE_MAX where the sizes overflow. */
size_t ev_dense_work_size(size_t B, size_t in, size_t out);

/* y = x W^T + bias; with relu, max(0, that). */
void ev_dense_forward(float *y, const float *x, const float *W, const float *bias, size_t B,
                      size_t in, size_t out, bool relu, float *work);
/* dx = dy W; where x came out of a ReLU, its derivative too: dx = 0 where x = 0.  x may be NULL
 * when it did not. */
void ev_dense_backward_input(float *dx, const float *dy, const float *W, const float *x, size_t B,
                             size_t in, size_t out, float *work);
/* dW = dy^T x, dbias = the sum of dy's rows. */
void ev_dense_backward_weights(float *dW, float *dbias, const float *dy, const float *x, size_t B,
                               size_t in, size_t out, float *work);

#endif
