/* Expectations by Cubature's hcubature_v.
 *
 * 1. The box [-radius, radius]^dim is mapped to [0, 1]^dim and the integrand multiplied by
 *    the density and the Jacobian.
 * 2. In one dimension the interval is cut into pieces which are folded onto [0, 1]:
 *    g(t) = sum_p f(x_p(t)) phi(x_p(t)) dx_p/dt.  The library's first panel then has nodes
 *    no further apart than 0.07, so that a feature wider than that is seen; on a smooth
 *    integrand the first panel is also the last.  The cuts don't lie symmetrically
 *    about 0, lest an odd singularity cancel.
 * 3. Each component may be scaled, because the library knows one pair of tolerances for
 *    all; ERROR_INDIVIDUAL asks it of every component.
 * 4. The library returns success when its evaluations are spent: the claim is err, never
 *    the status. */
#include "numerics/evaluation.h"
#include "numerics/vector_math.h"

#include <cubature.h>
#include <math.h>
#include <string.h>

enum { MAX_PIECES = EV_BLOCK / 2 };

/* Piece p is left[p] .. left[p] + width[p]; in more dimensions the only piece is a side. */
typedef struct {
    ev_evaluation *e;
    size_t pieces;
    double left[MAX_PIECES], width[MAX_PIECES];
    const double *scale;
} folded;

/* On a line: about 1.6 pieces a unit, the first and the last one cut short. */
static void cut_into_pieces(folded *g, double radius, double cut)
{
    if (g->e->dim > 1) {
        g->pieces = 1;
        g->left[0] = -radius;
        g->width[0] = 2 * radius;
        return;
    }
    size_t whole = 2 * (size_t)fmin(ceil(1.6 * radius), (MAX_PIECES - 2) / 2);
    double width = 2 * radius / (double)whole;
    g->pieces = whole + 1;
    for (size_t p = 0; p <= whole; p++) {
        double left = fmax(((double)p - 1 + cut) * width, 0);
        double right = fmin(((double)p + cut) * width, 2 * radius);
        g->left[p] = left - radius;
        g->width[p] = right - left;
    }
}

/* count points t, folded into count * pieces points x: point i, piece p is at p count + i. */
static void unfold(const folded *g, size_t count, const double *t, double (*x)[EV_BLOCK],
                   double *weight)
{
    size_t dim = g->e->dim, n = count * g->pieces;
    for (size_t d = 0; d < dim; d++)
        for (size_t p = 0; p < g->pieces; p++)
            for (size_t i = 0; i < count; i++)
                x[d][p * count + i] = g->left[p] + g->width[p] * t[i * dim + d];
    for (size_t j = 0; j < n; j++)
        weight[j] = -0.5 * x[0][j] * x[0][j];
    for (size_t d = 1; d < dim; d++)
        for (size_t j = 0; j < n; j++)
            weight[j] -= 0.5 * x[d][j] * x[d][j];
    ev_vector_exp(n, weight, weight);
    for (size_t p = 0; p < g->pieces; p++) {
        double jacobian = 1;
        for (size_t d = 0; d < dim; d++)
            jacobian *= g->width[p] * EV_INVERSE_SQRT_2PI;
        for (size_t i = 0; i < count; i++)
            weight[p * count + i] *= jacobian;
    }
}

/* value[i * total + k] = scale_k sum_p w f_k. */
static void fold(const folded *g, size_t count, const double *weight, double *value)
{
    size_t total = g->e->total;
    for (size_t k = 0; k < total; k++) {
        const double *v = g->e->out[k];
        double sum[EV_BLOCK];
        for (size_t i = 0; i < count; i++)
            sum[i] = weight[i] * v[i];
        for (size_t p = 1; p < g->pieces; p++)
            for (size_t i = 0; i < count; i++)
                sum[i] += weight[p * count + i] * v[p * count + i];
        double scale = g->scale == NULL ? 1 : g->scale[k];
        for (size_t i = 0; i < count; i++)
            value[i * total + k] = scale * sum[i];
    }
}

/* The library leaks its regions when its integrand fails (1.0.4).  After an early end it is
 * given zeros instead, which it soon has enough of; the result is thrown away. */
static int integrate(unsigned dim, size_t n, const double *t, void *context, unsigned total,
                     double *value)
{
    const folded *g = context;
    double x[EV_QUADRATURE_MAX_DIM][EV_BLOCK], weight[EV_BLOCK];
    const double *rows[EV_QUADRATURE_MAX_DIM] = {x[0], x[1], x[2], x[3]};
    size_t most = EV_BLOCK / g->pieces;
    for (size_t done = 0; done < n;) {
        size_t count = n - done < most ? n - done : most;
        unfold(g, count, t + done * dim, x, weight);
        if (!ev_evaluation_block(g->e, count * g->pieces, rows)) {
            memset(value, 0, n * total * sizeof *value);
            return 0;
        }
        fold(g, count, weight, value + done * total);
        done += count;
    }
    return 0;
}

ev_status ev_cubature_run(ev_evaluation *e, double radius, double cut, double absolute,
                          double relative, size_t max_evaluations, const double *scale,
                          ev_integral *out)
{
    if (!(radius > 0 && isfinite(radius)))
        return EV_BAD_INPUT;
    folded g;
    g.e = e;
    g.scale = scale;
    cut_into_pieces(&g, radius, cut);
    const double low[EV_QUADRATURE_MAX_DIM] = {0, 0, 0, 0};
    const double high[EV_QUADRATURE_MAX_DIM] = {1, 1, 1, 1};
    double *value = e->scratch, *error = e->scratch + e->total;
    size_t budget = max_evaluations / g.pieces;
    int failed = hcubature_v((unsigned)e->total, integrate, &g, (unsigned)e->dim, low, high,
                             budget == 0 ? 1 : budget, absolute, relative, ERROR_INDIVIDUAL, value,
                             error);
    if (e->stopped || e->nonfinite)
        return EV_UNFIT;
    if (failed)
        return EV_NO_MEMORY;
    for (size_t k = 0; k < e->total; k++) {
        double unscale = scale == NULL ? 1 : 1 / scale[k];
        out[k] = (ev_integral){value[k] * unscale, error[k] * unscale, 0};
    }
    return EV_OK;
}
