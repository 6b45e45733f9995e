/* exp, log and their relatives over arrays.
 *
 * exp and log are branch-free loops of correctly rounded operations (no fused
 * multiply-add, no library vectors), so that compilers vectorise them and every
 * vector width, remainder and machine gives the same bits.  out may be x.
 *
 *   double x[3] = {0, 1, -HUGE_VAL}, y[3];
 *   ev_vector_exp(3, x, y);                  // 1, 2.718..., 0
 */
#ifndef EV_NUMERICS_VECTOR_MATH_H
#define EV_NUMERICS_VECTOR_MATH_H

#include <stddef.h>

/* Within 1 ulp; 0, infinite, NaN and subnormal arguments and results as in libm. */
void ev_vector_exp(size_t n, const double *x, double *out);
/* Within 1 ulp; log 0 = -inf, log of a negative number is NaN, log inf = inf. */
void ev_vector_log(size_t n, const double *x, double *out);
/* libm's, element by element. */
void ev_vector_tanh(size_t n, const double *x, double *out);
void ev_vector_sin(size_t n, const double *x, double *out);
void ev_vector_cos(size_t n, const double *x, double *out);
void ev_vector_log1p(size_t n, const double *x, double *out);
void ev_vector_expm1(size_t n, const double *x, double *out);

#endif
