#include "judge/admit.h"

#include "numerics/linear_algebra.h"

#include <math.h>
#include <stdlib.h>

static const double slack = 1e-9;

static bool entry_admitted(const ev_domain *domain, double x)
{
    if (!isfinite(x))
        return false;
    if (domain->binary)
        return !(x < 0.0 || x > 1.0) && (x <= 0.0 || x >= 1.0);
    bool above = domain->low_open ? x > domain->low : x >= domain->low;
    bool below = domain->high_open ? x < domain->high : x <= domain->high;
    return above && below;
}

static bool adds_up(size_t n, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return fabs(sum - 1) <= slack;
}

static bool same(double a, double b) { return fabs(a - b) <= slack * fmax(fabs(a), fabs(b)); }

static bool has_orthonormal_rows(size_t n, const double *x)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t k = 0; k < n; k++)
                sum += x[i * n + k] * x[j * n + k];
            if (fabs(sum - (i == j)) > slack)
                return false;
        }
    return true;
}

static bool has_entries_of(unsigned structure, size_t n, const double *x)
{
    for (size_t i = 0; i < n; i++) {
        double d = x[i * n + i];
        bool positive = (structure & EV_MATRIX_POSITIVE_DIAGONAL) == 0 || d > 0;
        bool nonzero = (structure & EV_MATRIX_NONZERO_DIAGONAL) == 0 || d < 0 || d > 0;
        if (!positive || !nonzero)
            return false;
        for (size_t j = i + 1; j < n; j++) {
            double upper = x[i * n + j];
            if ((structure & EV_MATRIX_LOWER) != 0 && (upper < 0 || upper > 0))
                return false;
            if ((structure & (EV_MATRIX_SYMMETRIC | EV_MATRIX_POSITIVE_DEFINITE)) != 0 &&
                !same(upper, x[j * n + i]))
                return false;
        }
    }
    return true;
}

static bool matrix_admitted(unsigned structure, size_t n, const double *x)
{
    double *work = malloc(n * n * sizeof *work);
    bool fine = work != NULL && has_entries_of(structure, n, x);
    if (fine && (structure & EV_MATRIX_POSITIVE_DEFINITE) != 0)
        fine = ev_cholesky(n, x, work) == EV_OK;
    if (fine && (structure & EV_MATRIX_INVERTIBLE) != 0)
        fine = ev_matrix_inverse(n, x, work) == EV_OK;
    if (fine && (structure & EV_MATRIX_ORTHOGONAL) != 0)
        fine = has_orthonormal_rows(n, x);
    free(work);
    return fine;
}

bool ev_domain_admits(ev_shape shape, const double *x)
{
    size_t n = shape.rows * shape.cols;
    for (size_t i = 0; i < n; i++)
        if (!entry_admitted(shape.domain, x[i]))
            return false;
    if (shape.domain->simplex)
        return adds_up(n, x);
    bool matrix = shape.rank == 2 && shape.domain->structure != 0 && shape.rows == shape.cols;
    return !matrix || matrix_admitted(shape.domain->structure, shape.rows, x);
}
