#include "numerics/linear_algebra.h"
#include "numerics/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { MOST = 12 };

/* A = B B^T + small I from random B, and B's entries. */
static void random_spd(size_t n, uint32_t point, double *A)
{
    double b[MOST * MOST];
    ev_stream s = ev_stream_make(1, ev_hash_text("linear-algebra"), 0, point);
    ev_stream_normals(&s, 0, n * n, b);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            A[i * n + j] = i == j ? 0.1 : 0;
            for (size_t k = 0; k < n; k++)
                A[i * n + j] += b[i * n + k] * b[j * n + k];
        }
}

Test(linear_algebra, cholesky_times_its_transpose_is_the_matrix)
{
    for (size_t n = 1; n <= MOST; n++) {
        double A[MOST * MOST], L[MOST * MOST], C[MOST * MOST];
        random_spd(n, (uint32_t)n, A);
        cr_assert_eq(ev_cholesky(n, A, L), EV_OK);
        ev_lower_gram(n, L, C);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                double product = 0;
                for (size_t k = 0; k < n; k++)
                    product += L[i * n + k] * L[j * n + k];
                cr_assert_float_eq(product, A[i * n + j], 1e-12);
                cr_assert_float_eq(C[i * n + j], A[i * n + j], 1e-12);
                cr_assert(j <= i || L[i * n + j] == 0);
            }
        ev_cholesky(n, A, A);
        cr_assert_eq(memcmp(A, L, n * n * sizeof *A), 0, "in place, n = %zu", n);
    }
}

Test(linear_algebra, cholesky_refuses_what_is_not_positive_definite)
{
    double L[4];
    static const double bad[][4] = {{1, 2, 2, 1},
                                    {0, 0, 0, 0},
                                    {-1, 0, 0, 1},
                                    {(double)NAN, 0, 0, 1},
                                    {1, (double)NAN, (double)NAN, 1},
                                    {HUGE_VAL, 0, 0, 1},
                                    {1, 1, 1, 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(ev_cholesky(2, bad[i], L), EV_UNFIT, "matrix %zu", i);
}

Test(linear_algebra, triangular_solutions_solve_also_in_place)
{
    for (size_t n = 1; n <= MOST; n++) {
        double L[MOST * MOST], b[MOST], x[MOST], y[MOST];
        random_spd(n, 100 + (uint32_t)n, L);
        cr_assert_eq(ev_cholesky(n, L, L), EV_OK);
        for (size_t i = 0; i < n; i++)
            b[i] = cos((double)i);
        ev_solve_lower(n, L, b, x);
        ev_solve_lower_transposed(n, L, b, y);
        for (size_t i = 0; i < n; i++) {
            double lx = 0, lty = 0;
            for (size_t k = 0; k < n; k++) {
                lx += L[i * n + k] * x[k];
                lty += L[k * n + i] * y[k];
            }
            cr_assert_float_eq(lx, b[i], 1e-11);
            cr_assert_float_eq(lty, b[i], 1e-11);
        }
        double again[MOST];
        memcpy(again, b, sizeof b);
        ev_solve_lower(n, L, again, again);
        cr_assert_eq(memcmp(again, x, n * sizeof *x), 0);
        ev_solve_lower_transposed(n, L, b, b);
        cr_assert_eq(memcmp(b, y, n * sizeof *y), 0);
    }
}

Test(linear_algebra, both_determinants_agree)
{
    for (size_t n = 1; n <= MOST; n++) {
        double A[MOST * MOST], L[MOST * MOST];
        random_spd(n, 200 + (uint32_t)n, A);
        cr_assert_eq(ev_cholesky(n, A, L), EV_OK);
        cr_assert_float_eq(log(ev_matrix_det(n, A)), ev_cholesky_log_det(n, L), 1e-9);
    }
}

/* The Hilbert matrix of order 4: determinant 1/6048000, integer inverse. */
Test(linear_algebra, the_hilbert_matrix_has_its_known_inverse)
{
    double H[16], inverse[16];
    static const double known[16] = {16,  -120,  240,  -140,  -120, 1200, -2700, 1680,
                                     240, -2700, 6480, -4200, -140, 1680, -4200, 2800};
    for (size_t i = 0; i < 16; i++)
        H[i] = 1.0 / (double)(i / 4 + i % 4 + 1);
    cr_assert_eq(ev_matrix_inverse(4, H, inverse), EV_OK);
    for (size_t i = 0; i < 16; i++)
        cr_expect_float_eq(inverse[i], known[i], 1e-8);
    cr_expect_float_eq(ev_matrix_det(4, H) * 6048000, 1, 1e-10);
}

Test(linear_algebra, a_determinant_keeps_its_sign)
{
    static const double swap[4] = {0, 1, 1, 0}, singular[4] = {1, 2, 2, 4};
    double inverse[4];
    cr_expect_eq(ev_matrix_det(2, swap), -1);
    cr_expect_eq(ev_matrix_det(2, singular), 0);
    cr_expect_eq(ev_matrix_inverse(2, singular, inverse), EV_UNFIT);
    cr_expect_eq(ev_matrix_inverse(2, swap, inverse), EV_OK);
    for (size_t i = 0; i < 4; i++)
        cr_expect_eq(inverse[i], swap[i]);
}

Test(linear_algebra, eigenvalues_and_vectors_give_the_matrix_back)
{
    static const double A[] = {2, -1, 0.5, -1, 3, 0, 0.5, 0, 1};
    double values[3], V[9];
    cr_assert_eq(ev_symmetric_eigen(3, A, values, V), EV_OK);
    cr_expect(values[0] <= values[1] && values[1] <= values[2]);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++) {
            double sum = 0, product = 0;
            for (size_t m = 0; m < 3; m++) {
                sum += V[i * 3 + m] * values[m] * V[j * 3 + m];
                product += V[m * 3 + i] * V[m * 3 + j];
            }
            cr_expect_float_eq(sum, A[i * 3 + j], 1e-14);
            cr_expect_float_eq(product, i == j, 1e-14);
        }
    cr_expect_eq(ev_symmetric_eigen(1, (double[]){(double)NAN}, values, V), EV_UNFIT);
}
