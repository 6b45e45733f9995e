/* exp, log and their relatives in single precision, over arrays.
 *
 * Branch-free loops that compilers vectorise, without fused operations: every vector width and
 * remainder gives the same bits.  The accuracies below are tested against double precision.
 */
#ifndef EV_NN_FLOAT_MATH_H
#define EV_NN_FLOAT_MATH_H

#include <stddef.h>

/* Within 2 ulp (relative 2.4e-7); below -86.9 the result is 0 (no subnormals), above 88.72 inf;
 * NaN stays NaN.  out may be x. */
void ev_float_exp(size_t n, const float *x, float *out);
/* Within 2 ulp for normal x > 0, except near x = 1, where the error is below 1e-7 times |x - 1|.
 * 0 and negative numbers have no defined result here.  out may be x. */
void ev_float_log(size_t n, const float *x, float *out);
/* log(1 + e^x), relative error below 4e-7 as long as the result is normal; for any finite x the
 * result is finite.  out may be x. */
void ev_float_softplus(size_t n, const float *x, float *out);
/* 1/(1 + e^-x), relative error below 4e-7 where the result is normal.  out may be x. */
void ev_float_sigmoid(size_t n, const float *x, float *out);

/* x[c] - log sum_k e^x[k]; returns the log of the sum.  n >= 1; out may be x. */
float ev_float_log_softmax(size_t n, const float *x, float *out);

#endif
