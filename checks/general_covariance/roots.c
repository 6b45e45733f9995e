/* Small matrices: roots.h. */
#include "roots.h"

#include "probability/gaussian_full.h"

void covariance_leading_block(size_t d, double *L)
{
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++)
            L[i * d + j] = ROOT[i][j];
}

void covariance_transpose(size_t d, const double *L, double *U)
{
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++)
            U[j * d + i] = L[i * d + j];
}

/* C = A A^T for any A; ev_lower_gram reads triangles only. */
void covariance_any_gram(size_t d, const double *A, double *C)
{
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++) {
            C[i * d + j] = 0;
            for (size_t k = 0; k < d; k++)
                C[i * d + j] += A[i * d + k] * A[j * d + k];
        }
}

double covariance_quadratic_form(size_t d, const double *A, const double *v)
{
    double sum = 0;
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++)
            sum += v[i] * A[i * d + j] * v[j];
    return sum;
}

double covariance_spherical_kl(size_t d, const double *mu, const double *L)
{
    double zero[MAX_D] = {0}, identity[MAX_ENTRIES] = {0}, work[MAX_D];
    for (size_t i = 0; i < d; i++)
        identity[i * d + i] = 1;
    return ev_gaussian_full_kl(d, mu, L, zero, identity, work);
}
