#include "train/latent_plane.h"

#include "numerics/linear_algebra.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Everything of J and K, in one block. */
typedef struct {
    size_t N, J, K;
    const double *x;
    const size_t *cluster;
    double *centre, *count, *mean; /* (K,J), (K), (J) */
    double *within, *between;      /* (J,J) */
    double *factor, *values, *vectors;
    double *axis; /* (2,J) */
} scatter;

static void find_means(scatter *s)
{
    const size_t J = s->J;
    for (size_t i = 0; i < s->N; i++) {
        s->count[s->cluster[i]] += 1.0;
        for (size_t j = 0; j < J; j++) {
            s->centre[s->cluster[i] * J + j] += s->x[i * J + j];
            s->mean[j] += s->x[i * J + j] / (double)s->N;
        }
    }
    for (size_t c = 0; c < s->K; c++)
        for (size_t j = 0; j < J && s->count[c] > 0.0; j++)
            s->centre[c * J + j] /= s->count[c];
}

static void find_scatter(scatter *s)
{
    const size_t J = s->J;
    for (size_t i = 0; i < s->N; i++) {
        const double *x = s->x + i * J, *m = s->centre + s->cluster[i] * J;
        for (size_t j = 0; j < J; j++)
            for (size_t k = 0; k < J; k++) {
                s->within[j * J + k] += (x[j] - m[j]) * (x[k] - m[k]) / (double)s->N;
                s->between[j * J + k] += (m[j] - s->mean[j]) * (m[k] - s->mean[k]) / (double)s->N;
            }
    }
}

/* Eigenvectors of the two largest values into the axes; the sign makes the largest entry positive. */
static ev_status leading(scatter *s, const double *A)
{
    const size_t J = s->J;
    ev_status status = ev_symmetric_eigen(J, A, s->values, s->vectors);
    for (size_t a = 0; a < 2 && status == EV_OK; a++)
        for (size_t j = 0; j < J; j++)
            s->axis[a * J + j] = s->vectors[j * J + J - 1 - a];
    return status;
}

static void orient(scatter *s)
{
    for (size_t a = 0; a < 2; a++) {
        double *axis = s->axis + a * s->J, top = 0.0;
        for (size_t j = 0; j < s->J; j++)
            top = fabs(axis[j]) > fabs(top) ? axis[j] : top;
        for (size_t j = 0; j < s->J; j++)
            axis[j] *= top < 0.0 ? -1.0 : 1.0;
    }
}

/* B := L^-1 B, transposed. */
static void divide(scatter *s, double *B)
{
    const size_t J = s->J;
    for (size_t j = 0; j < J; j++) {
        double *row = s->vectors + j * J; /* of what is returned */
        for (size_t k = 0; k < J; k++)
            row[k] = B[k * J + j];
        ev_solve_lower(J, s->factor, row, row);
    }
    memcpy(B, s->vectors, J * J * sizeof *B);
}

/* With W = L L^T the solutions are L^-T times eigenvectors of L^-1 B L^-T. */
static ev_status fisher(scatter *s)
{
    ev_status status = ev_cholesky(s->J, s->within, s->factor);
    if (status != EV_OK)
        return status;
    divide(s, s->between);
    divide(s, s->between);
    status = leading(s, s->between);
    for (size_t a = 0; a < 2 && status == EV_OK; a++)
        ev_solve_lower_transposed(s->J, s->factor, s->axis + a * s->J, s->axis + a * s->J);
    return status;
}

static ev_status principal(scatter *s)
{
    for (size_t i = 0; i < s->J * s->J; i++)
        s->within[i] += s->between[i];
    return leading(s, s->within);
}

static ev_status choose_axes(scatter *s, bool *discriminant)
{
    size_t occupied = 0;
    for (size_t c = 0; c < s->K; c++)
        occupied += s->count[c] > 0.0;
    *discriminant = s->J > 2 && occupied > 2;
    if (s->J == 2) {
        s->axis[0] = s->axis[3] = 1.0;
        return EV_OK;
    }
    ev_status status = *discriminant ? fisher(s) : principal(s);
    if (status == EV_OK)
        orient(s);
    return status;
}

static double *place(double **at, size_t count)
{
    double *here = *at;
    *at += count;
    return here;
}

ev_status ev_latent_plane(size_t N, size_t J, size_t K, const double *mean, const size_t *cluster,
                          double *plane, bool *discriminant, ev_error *error)
{
    scatter s = {.N = N, .J = J, .K = K, .x = mean, .cluster = cluster};
    if (J < 2)
        return ev_error_set(error, EV_UNFIT, "one latent dimension has no plane");
    double *block = calloc(K * J + K + 4 * J + 4 * J * J, sizeof *block), *at = block;
    if (block == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "out of memory for the latent plane");
    s.centre = place(&at, K * J);
    s.count = place(&at, K);
    s.mean = place(&at, J);
    s.values = place(&at, J);
    s.axis = place(&at, 2 * J);
    s.within = place(&at, J * J);
    s.between = place(&at, J * J);
    s.factor = place(&at, J * J);
    s.vectors = place(&at, J * J);
    find_means(&s);
    find_scatter(&s);
    ev_status status = choose_axes(&s, discriminant);
    for (size_t i = 0; i < 2 * N && status == EV_OK; i++) {
        plane[i] = 0.0;
        for (size_t j = 0; j < J; j++)
            plane[i] += s.axis[i % 2 * J + j] * (mean[i / 2 * J + j] - s.mean[j]);
    }
    free(block);
    return status == EV_OK ? EV_OK
                           : ev_error_set(error, status, "the posterior means span no plane");
}
