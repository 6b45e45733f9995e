/* The operations over arrays: the inner loops of every block tape. */
#ifndef EV_FORMULA_KERNELS_H
#define EV_FORMULA_KERNELS_H

#include "formula/graph.h"

#include <stddef.h>

/* out[i] = op(a[i], b[i]), i < n <= EV_BLOCK.  An operand that is the same at all points is one
 * double, read as a[0] or b[0].  out may be an operand of length n. */
typedef void (*ev_kernel)(size_t n, const double *a, const double *b, double *out);

/* Which operands are arrays. */
typedef enum { EV_FORM_VV, EV_FORM_VS, EV_FORM_SV, EV_FORMS } ev_form;

/* The kernel of an operation; unary ones have EV_FORM_VV.  NULL for leaves and EXPECT. */
ev_kernel ev_kernel_find(ev_op op, ev_form form);
/* A product in which 0 times -inf is 0 (0 log 0 = 0): where a factor may be log 0. */
ev_kernel ev_kernel_zero_product(ev_form form);
/* out[i] += b[0] a[i] */
void ev_kernel_accumulate(size_t n, const double *a, const double *b, double *out);

#endif
