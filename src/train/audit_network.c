#include "train/audit_network.h"

#include <math.h>
#include <string.h>

enum { ROWS = 4, HALF = EV_AUDIT_LANES / 2 };

size_t ev_audit_stride(size_t n)
{
    return (n + EV_AUDIT_LANES - 1) / EV_AUDIT_LANES * EV_AUDIT_LANES;
}

/* Half the lanes of a row, as one value: a vector type, so that sums stay in registers. */
typedef double half_lanes __attribute__((vector_size(HALF * sizeof(double))));

static inline void add_to(double *out, const half_lanes *sum)
{
    half_lanes v;
    memcpy(&v, out, sizeof v);
    v += *sum;
    memcpy(out, &v, sizeof v);
}

/* ROWS rows by half the lanes, written out so that the four sums are registers. */
static void tile(size_t in, size_t stride, const float *W, const double *x, double *out)
{
    half_lanes sum0 = {0}, sum1 = {0}, sum2 = {0}, sum3 = {0}, at;
    const float *W1 = W + in, *W2 = W + 2 * in, *W3 = W + 3 * in;
    for (size_t i = 0; i < in; i++) {
        memcpy(&at, x + i * stride, sizeof at);
        sum0 += at * (double)W[i];
        sum1 += at * (double)W1[i];
        sum2 += at * (double)W2[i];
        sum3 += at * (double)W3[i];
    }
    add_to(out, &sum0);
    add_to(out + stride, &sum1);
    add_to(out + 2 * stride, &sum2);
    add_to(out + 3 * stride, &sum3);
}

/* One row by the same columns. */
static void strip(size_t in, size_t stride, const float *W, const double *x, double *out)
{
    half_lanes sum = {0}, at;
    for (size_t i = 0; i < in; i++) {
        memcpy(&at, x + i * stride, sizeof at);
        sum += at * (double)W[i];
    }
    add_to(out, &sum);
}

static void row_of_tiles(size_t rows, size_t in, size_t stride, const float *W, const double *x,
                         double *out)
{
    for (size_t c = 0; c < stride; c += HALF)
        if (rows == ROWS)
            tile(in, stride, W, x + c, out + c);
        else
            for (size_t r = 0; r < rows; r++)
                strip(in, stride, W + r * in, x + c, out + r * stride + c);
}

void ev_audit_product(size_t rows, size_t in, size_t stride, const float *W, const float *bias,
                      const double *x, bool add, double *out)
{
#pragma omp parallel for schedule(static)
    for (size_t first = 0; first < rows; first += ROWS) {
        const size_t count = rows - first < ROWS ? rows - first : ROWS;
        for (size_t r = first; r < first + count; r++)
            for (size_t c = 0; c < stride; c++)
                out[r * stride + c] = (add ? out[r * stride + c] : 0.0) +
                                      (bias == NULL ? 0.0 : (double)bias[r]);
        if (W != NULL)
            row_of_tiles(count, in, stride, W + first * in, x, out + first * stride);
    }
}

void ev_audit_network(const ev_mlp *mlp, const float *parameters, size_t stride, const double *x,
                      double *const act[])
{
    for (size_t l = 0; l < mlp->depth; l++) {
        const size_t out = mlp->width[l + 1];
        ev_audit_product(out, mlp->width[l], stride, parameters + mlp->weight[l],
                         parameters + mlp->bias[l], l == 0 ? x : act[l - 1], false, act[l]);
        if (l + 1 < mlp->depth)
            for (size_t i = 0; i < out * stride; i++)
                act[l][i] = fmax(act[l][i], 0.0);
    }
}

/* Is unit o of layer l so near its kink in column c that float may take either side? */
static bool near_kink(const ev_mlp *mlp, const float *parameters, size_t l, size_t o, size_t c,
                      size_t stride, const double *in, double resolution)
{
    const float *W = parameters + mlp->weight[l] + o * mlp->width[l];
    double sum = (double)parameters[mlp->bias[l] + o], size = fabs(sum);
    for (size_t i = 0; i < mlp->width[l]; i++) {
        const double term = (double)W[i] * in[i * stride + c];
        sum += term;
        size += fabs(term);
    }
    return fabs(sum) <= resolution * size;
}

size_t ev_audit_sides(const ev_mlp *mlp, const float *parameters, size_t n, size_t stride,
                      const double *x, double *const act[], float *const own[], double resolution,
                      unsigned char *const on[], size_t *beyond)
{
    size_t kinks = 0;
    for (size_t l = 0; l + 1 < mlp->depth; l++) {
        const size_t width = mlp->width[l + 1];
        for (size_t i = 0; i < width * stride; i++)
            on[l][i] = act[l][i] > 0.0;
        for (size_t c = 0; c < n; c++)
            for (size_t o = 0; o < width; o++) {
                unsigned char *side = &on[l][o * stride + c], theirs = own[l][c * width + o] > 0.0F;
                if (*side == theirs)
                    continue;
                if (near_kink(mlp, parameters, l, o, c, stride, l == 0 ? x : act[l - 1],
                              resolution)) {
                    *side = theirs;
                    kinks++;
                } else {
                    ++*beyond;
                }
            }
    }
    return kinks;
}

bool ev_audit_between(double ours, float theirs, float low, float high, double resolution,
                      size_t *kinks, size_t *beyond)
{
    const bool us = ours >= (double)low && ours <= (double)high,
               them = theirs >= low && theirs <= high;
    if (us == them)
        return us;
    const bool same = fabs(ours - (double)theirs) <= 10.0 * resolution * (1.0 + fabs(ours));
    *kinks += same;
    *beyond += !same;
    return same ? them : us;
}

const float *ev_audit_part_of(const float *direction, size_t offset, size_t count)
{
    for (size_t i = 0; direction != NULL && i < count; i++)
        if (direction[offset + i] != 0.0F)
            return direction + offset;
    return NULL;
}

const double *ev_audit_tangent(const ev_mlp *mlp, const float *parameters, const float *direction,
                               size_t stride, const double *x, double *const act[],
                               unsigned char *const on[], const double *tangent,
                               double *const scratch[2])
{
    for (size_t l = 0; l < mlp->depth; l++) {
        const size_t in = mlp->width[l], out = mlp->width[l + 1];
        double *here = scratch[l % 2];
        ev_audit_product(out, in, stride, ev_audit_part_of(direction, mlp->weight[l], in * out),
                         ev_audit_part_of(direction, mlp->bias[l], out), l == 0 ? x : act[l - 1],
                         false, here);
        if (tangent != NULL)
            ev_audit_product(out, in, stride, parameters + mlp->weight[l], NULL, tangent, true,
                             here);
        if (l + 1 < mlp->depth)
            for (size_t i = 0; i < out * stride; i++)
                here[i] = on[l][i] ? here[i] : 0.0;
        tangent = here;
    }
    return tangent;
}
