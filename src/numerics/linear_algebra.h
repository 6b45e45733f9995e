/* Small dense matrices, row-major, double.  n is small (at most a few dozen). */
#ifndef EV_NUMERICS_LINEAR_ALGEBRA_H
#define EV_NUMERICS_LINEAR_ALGEBRA_H

#include "base/error.h"

#include <stddef.h>

/* L (n,n) lower triangular with L L^T = A; EV_UNFIT unless A is positive definite.
 * L may be A itself.  The strict upper triangle is set to 0. */
ev_status ev_cholesky(size_t n, const double *A, double *L);
/* x = L^-1 b by forward substitution, and x = L^-T b by backward; x may be b. */
void ev_solve_lower(size_t n, const double *L, const double *b, double *x);
void ev_solve_lower_transposed(size_t n, const double *L, const double *b, double *x);
/* log det(L L^T) = 2 sum log |L_ii|. */
double ev_cholesky_log_det(size_t n, const double *L);
/* C (n,n) = L L^T. */
void ev_lower_gram(size_t n, const double *L, double *C);
/* A = V diag(values) V^T for symmetric A: eigenvalues (n), ascending; eigenvectors (n,n), in V's
 * columns (GSL).  EV_UNFIT when A is not finite, EV_NO_MEMORY. */
ev_status ev_symmetric_eigen(size_t n, const double *A, double *values, double *vectors);
/* Inverse and determinant by LU with partial pivoting (GSL). EV_UNFIT when singular. */
ev_status ev_matrix_inverse(size_t n, const double *A, double *inverse);
double ev_matrix_det(size_t n, const double *A);

#endif
