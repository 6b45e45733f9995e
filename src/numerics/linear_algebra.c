#include "numerics/linear_algebra.h"

#include "numerics/gsl_quiet.h"

#include <gsl/gsl_eigen.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* Row by row, so that L may overwrite A: row i of A is read before row i of L is
 * written, entry by entry. */
ev_status ev_cholesky(size_t n, const double *A, double *L)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = A[i * n + j];
            for (size_t k = 0; k < j; k++)
                sum -= L[i * n + k] * L[j * n + k];
            if (j < i)
                L[i * n + j] = sum / L[j * n + j];
            else if (sum > 0 && isfinite(sum))
                L[i * n + i] = sqrt(sum);
            else
                return EV_UNFIT;
        }
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            L[i * n + j] = 0;
    return EV_OK;
}

void ev_solve_lower(size_t n, const double *L, const double *b, double *x)
{
    for (size_t i = 0; i < n; i++) {
        double sum = b[i];
        for (size_t k = 0; k < i; k++)
            sum -= L[i * n + k] * x[k];
        x[i] = sum / L[i * n + i];
    }
}

void ev_solve_lower_transposed(size_t n, const double *L, const double *b, double *x)
{
    for (size_t i = n; i-- > 0;) {
        double sum = b[i];
        for (size_t k = i + 1; k < n; k++)
            sum -= L[k * n + i] * x[k];
        x[i] = sum / L[i * n + i];
    }
}

double ev_cholesky_log_det(size_t n, const double *L)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += log(fabs(L[i * n + i]));
    return 2 * sum;
}

void ev_lower_gram(size_t n, const double *L, double *C)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t k = 0; k <= j; k++)
                sum += L[i * n + k] * L[j * n + k];
            C[i * n + j] = C[j * n + i] = sum;
        }
}

ev_status ev_symmetric_eigen(size_t n, const double *A, double *values, double *vectors)
{
    ev_gsl_quiet();
    for (size_t i = 0; i < n * n; i++)
        if (!isfinite(A[i]))
            return EV_UNFIT;
    gsl_eigen_symmv_workspace *work = gsl_eigen_symmv_alloc(n);
    gsl_matrix *copy = gsl_matrix_alloc(n, n);
    ev_status status = work == NULL || copy == NULL ? EV_NO_MEMORY : EV_OK;
    if (status == EV_OK) {
        gsl_vector_view lambda = gsl_vector_view_array(values, n);
        gsl_matrix_view V = gsl_matrix_view_array(vectors, n, n);
        memcpy(copy->data, A, n * n * sizeof *A);
        gsl_eigen_symmv(copy, &lambda.vector, &V.matrix, work);
        gsl_eigen_symmv_sort(&lambda.vector, &V.matrix, GSL_EIGEN_SORT_VAL_ASC);
    }
    gsl_eigen_symmv_free(work);
    gsl_matrix_free(copy);
    return status;
}

/* LU of a copy of A; 0 on success.  The caller frees *lu and *permutation either way. */
static int decompose(size_t n, const double *A, gsl_matrix **lu, gsl_permutation **permutation,
                     int *sign)
{
    ev_gsl_quiet();
    *lu = NULL;
    *permutation = NULL;
    if (n > SIZE_MAX / sizeof(double) / n)
        return GSL_ENOMEM;
    *lu = gsl_matrix_alloc(n, n);
    *permutation = gsl_permutation_alloc(n);
    if (*lu == NULL || *permutation == NULL)
        return GSL_ENOMEM;
    memcpy((*lu)->data, A, n * n * sizeof *A);
    return gsl_linalg_LU_decomp(*lu, *permutation, sign);
}

static void release(gsl_matrix *lu, gsl_permutation *permutation)
{
    if (lu != NULL)
        gsl_matrix_free(lu);
    if (permutation != NULL)
        gsl_permutation_free(permutation);
}

/* Every pivot finite and not 0. */
static int invertible(const gsl_matrix *lu)
{
    for (size_t i = 0; i < lu->size1; i++) {
        double pivot = gsl_matrix_get(lu, i, i);
        if (!isfinite(pivot) || pivot == 0)
            return 0;
    }
    return 1;
}

ev_status ev_matrix_inverse(size_t n, const double *A, double *inverse)
{
    if (n == 0)
        return EV_OK;
    gsl_matrix *lu;
    gsl_permutation *permutation;
    int sign, failed = decompose(n, A, &lu, &permutation, &sign);
    ev_status status = failed == GSL_ENOMEM ? EV_NO_MEMORY : EV_UNFIT;
    if (!failed && invertible(lu)) {
        gsl_matrix_view view = gsl_matrix_view_array(inverse, n, n);
        status = gsl_linalg_LU_invert(lu, permutation, &view.matrix) == 0 ? EV_OK : EV_UNFIT;
        for (size_t i = 0; i < n * n; i++)
            if (!isfinite(inverse[i]))
                status = EV_UNFIT;
    }
    release(lu, permutation);
    return status;
}

double ev_matrix_det(size_t n, const double *A)
{
    if (n == 0)
        return 1;
    gsl_matrix *lu;
    gsl_permutation *permutation;
    int sign = 1, failed = decompose(n, A, &lu, &permutation, &sign);
    double det = failed ? (double)NAN : gsl_linalg_LU_det(lu, sign);
    release(lu, permutation);
    return det;
}
