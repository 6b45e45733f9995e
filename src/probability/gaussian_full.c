#include "probability/gaussian_full.h"

#include "numerics/linear_algebra.h"
#include "probability/gaussian.h"
#include "probability/log_space.h"

#include <math.h>
#include <stdbool.h>

/* Forward substitution in place: b becomes L^-1 b, given that rows before `from` are 0 and
 * rows from .. begin-1 are solved.  False when a zero L_ii meets a non-zero residual. */
static bool forward(size_t J, const double *L, size_t from, size_t begin, double *b)
{
    for (size_t i = begin; i < J; i++) {
        double residual = b[i];
        for (size_t k = from; k < i; k++)
            residual -= L[i * J + k] * b[k];
        if (L[i * J + i] == 0.0 && residual != 0.0)
            return false;
        b[i] = L[i * J + i] == 0.0 ? 0.0 : residual / L[i * J + i];
    }
    return true;
}

static bool whiten(size_t J, const double *x, const double *mu, const double *L, double *eps)
{
    for (size_t i = 0; i < J; i++)
        eps[i] = x[i] - mu[i];
    return forward(J, L, 0, 0, eps);
}

/* Column j of M = L^-1 L_q, rows j .. J-1. */
static bool whiten_column(size_t J, const double *L_q, const double *L, size_t j, double *column)
{
    const double top_q = L_q[j * J + j], top = L[j * J + j];
    if (top == 0.0 && top_q != 0.0)
        return false;
    column[j] = top == 0.0 ? 1.0 : top_q / top;
    for (size_t i = j + 1; i < J; i++)
        column[i] = L_q[i * J + j];
    return forward(J, L, j, j + 1, column);
}

static double square_norm(size_t begin, size_t end, const double *x)
{
    double sum = 0.0;
    for (size_t i = begin; i < end; i++)
        sum += x[i] * x[i];
    return sum;
}

/* log |det L|, -HUGE_VAL when singular. */
static double log_det(size_t J, const double *L) { return 0.5 * ev_cholesky_log_det(J, L); }

double ev_gaussian_full_log_density(size_t J, const double *x, const double *mu, const double *L,
                                    double *eps)
{
    if (!whiten(J, x, mu, L, eps))
        return -HUGE_VAL;
    return -0.5 * (double)J * EV_LOG_2PI - log_det(J, L) - 0.5 * square_norm(0, J, eps);
}

void ev_gaussian_full_score(size_t J, const double *x, const double *mu, const double *L,
                            double *score)
{
    for (size_t i = 0; i < J; i++)
        score[i] = mu[i] - x[i];
    ev_solve_lower(J, L, score, score);
    ev_solve_lower_transposed(J, L, score, score);
}

double ev_gaussian_full_entropy(size_t J, const double *L)
{
    return 0.5 * (double)J * EV_LOG_2PI_E + log_det(J, L);
}

double ev_gaussian_full_cross_entropy(size_t J, const double *mu_q, const double *L_q,
                                      const double *mu, const double *L, double *work)
{
    if (!whiten(J, mu_q, mu, L, work))
        return -HUGE_VAL;
    double square = square_norm(0, J, work);
    for (size_t j = 0; j < J; j++) {
        if (!whiten_column(J, L_q, L, j, work))
            return -HUGE_VAL;
        square += square_norm(j, J, work);
    }
    return -0.5 * (double)J * EV_LOG_2PI - log_det(J, L) - 0.5 * square;
}

double ev_gaussian_full_kl(size_t J, const double *mu_q, const double *L_q, const double *mu,
                           const double *L, double *work)
{
    if (!whiten(J, mu_q, mu, L, work))
        return HUGE_VAL;
    double sum = 0.5 * square_norm(0, J, work);
    for (size_t j = 0; j < J; j++) {
        if (!whiten_column(J, L_q, L, j, work))
            return HUGE_VAL;
        sum += 0.5 * square_norm(j + 1, J, work);
        sum += ev_gaussian_scale_kl(fabs(L_q[j * J + j]), fabs(L[j * J + j]));
    }
    return sum;
}

void ev_gaussian_full_sample(const ev_stream *stream, uint64_t offset, size_t n, size_t J,
                             const double *mu, const double *L, double *z)
{
    ev_stream_normals(stream, offset * J, n * J, z);
    for (size_t s = 0; s < n; s++) {
        double *row = z + s * J;
        /* From the last coordinate up: coordinate i needs eps_0 .. eps_i only. */
        for (size_t i = J; i-- > 0;) {
            double sum = mu[i];
            for (size_t k = 0; k <= i; k++)
                sum += L[i * J + k] * row[k];
            row[i] = sum;
        }
    }
}

void ev_gaussian_full_unpack(size_t J, const double *raw, double *L)
{
    for (size_t i = 0; i < J; i++)
        for (size_t k = 0; k < J; k++) {
            const double value = k <= i ? raw[i * (i + 1) / 2 + k] : 0.0;
            L[i * J + k] = k == i ? ev_softplus(value) : value;
        }
}
