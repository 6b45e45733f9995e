#include "numerics/evaluation.h"

#include "numerics/vector_kernels.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SLAB_DOUBLES = EV_BLOCK + 4 + 1 }; /* a component's block, scratch and pointer */

ev_status ev_evaluation_begin(ev_evaluation *e, size_t dim, ev_integrand f, void *context, size_t m)
{
    *e = (ev_evaluation){.f = f, .context = context, .dim = dim, .functions = m};
    if (dim == 0 || dim > EV_QUADRATURE_MAX_DIM)
        return EV_BAD_INPUT;
    e->total = m + 1 + 2 * dim;
    if (m > SIZE_MAX / 2 || e->total > SIZE_MAX / (SLAB_DOUBLES * sizeof(double)) ||
        e->total > UINT32_MAX)
        return EV_NO_MEMORY;
    double *slab = malloc(e->total * SLAB_DOUBLES * sizeof(double));
    if (slab == NULL)
        return EV_NO_MEMORY;
    e->out = (double **)(void *)slab;
    e->scratch = slab + e->total;
    double *blocks = e->scratch + 4 * e->total;
    for (size_t k = 0; k < e->total; k++)
        e->out[k] = blocks + k * EV_BLOCK;
    return EV_OK;
}

void ev_evaluation_end(ev_evaluation *e)
{
    free(e->out);
    e->out = NULL;
}

static bool all_finite(size_t n, const double *v)
{
    const uint64_t exponent = UINT64_C(0x7ff0000000000000);
    uint64_t bad = 0;
    for (size_t i = 0; i < n; i++)
        bad |= (uint64_t)((ev_bits_of(v[i]) & exponent) == exponent);
    return bad == 0;
}

/* Where the weight is negligible, 0 stands in; elsewhere the point is recorded. */
static bool excuse(ev_evaluation *e, size_t k, size_t n, const double *const *x)
{
    for (size_t i = 0; i < n; i++) {
        if (isfinite(e->out[k][i]))
            continue;
        double square = 0;
        for (size_t d = 0; d < e->dim; d++)
            square += x[d][i] * x[d][i];
        if (square <= EV_NEGLIGIBLE_RADIUS * EV_NEGLIGIBLE_RADIUS) {
            e->nonfinite = true;
            e->bad_function = k;
            for (size_t d = 0; d < e->dim; d++)
                e->bad_point[d] = x[d][i];
            return false;
        }
        e->out[k][i] = 0;
    }
    return true;
}

static void fill_sentinels(ev_evaluation *e, size_t n, const double *const *x)
{
    double *const *out = e->out + e->functions;
    for (size_t i = 0; i < n; i++)
        out[0][i] = 1;
    for (size_t d = 0; d < e->dim; d++) {
        double *first = out[1 + d], *second = out[1 + e->dim + d];
        for (size_t i = 0; i < n; i++) {
            first[i] = 1 + x[d][i];
            second[i] = x[d][i] * x[d][i];
        }
    }
}

bool ev_evaluation_block(ev_evaluation *e, size_t n, const double *const *x)
{
    if (e->stopped || e->nonfinite)
        return false;
    e->evaluations += n;
    if (e->f(e->context, 0, n, x, e->out) != 0) {
        e->stopped = true;
        return false;
    }
    for (size_t k = 0; k < e->functions && !e->unexcused; k++)
        if (!all_finite(n, e->out[k]) && !excuse(e, k, n, x))
            return false;
    fill_sentinels(e, n, x);
    return true;
}

enum { LANES = 8 };

static double sum_of_lanes(const double *a)
{
    return ((a[0] + a[1]) + (a[2] + a[3])) + ((a[4] + a[5]) + (a[6] + a[7]));
}

double ev_weighted_sum(size_t n, const double *w, const double *v)
{
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lanes[l] += w[i + l] * v[i + l];
    for (size_t l = 0; i < n; i++, l++)
        lanes[l] += w[i] * v[i];
    return sum_of_lanes(lanes);
}

double ev_weighted_magnitude(size_t n, const double *w, const double *v)
{
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lanes[l] += w[i + l] * fabs(v[i + l]);
    for (size_t l = 0; i < n; i++, l++)
        lanes[l] += w[i] * fabs(v[i]);
    return sum_of_lanes(lanes);
}
