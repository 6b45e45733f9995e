#include "nn/dense.h"

#include <cblas.h>
#include <omp.h>

enum { LINE = 16 /* blocks begin at multiples of a cache line's floats */ };

void ev_dense_prepare(void) { openblas_set_num_threads(1); }

/* As many blocks as threads, at least two, none empty. */
static size_t block_count(size_t columns)
{
    size_t threads = (size_t)omp_get_max_threads(), most = (columns + LINE - 1) / LINE;
    size_t blocks = threads < 2 ? 2 : threads;
    return blocks < most ? blocks : most;
}

/* Where block k of n begins: the multiple of LINE nearest to its share. */
static size_t block_begin(size_t k, size_t n, size_t columns)
{
    size_t lines = (columns + LINE - 1) / LINE, begin = lines * k / n * LINE;
    return begin < columns ? begin : columns;
}

static void add_bias(float *y, const float *bias, size_t B, size_t width, size_t stride, bool relu)
{
    for (size_t b = 0; b < B; b++) {
        float *row = y + b * stride;
        for (size_t i = 0; i < width; i++)
            row[i] += bias[i];
        /* Written so that a NaN stays one. */
        for (size_t i = 0; relu && i < width; i++)
            row[i] = row[i] < 0.0F ? 0.0F : row[i];
    }
}

void ev_dense_forward(float *y, const float *x, const float *W, const float *bias, size_t B,
                      size_t in, size_t out, bool relu)
{
    size_t n = block_count(out);
#pragma omp parallel for schedule(static)
    for (size_t k = 0; k < n; k++) {
        size_t o = block_begin(k, n, out), width = block_begin(k + 1, n, out) - o;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)B, (int)width, (int)in, 1.0F, x,
                    (int)in, W + o * in, (int)in, 0.0F, y + o, (int)out);
        add_bias(y + o, bias + o, B, width, out, relu);
    }
}

static void mask_by_relu(float *dx, const float *x, size_t B, size_t width, size_t stride)
{
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < width; i++)
            dx[b * stride + i] = x[b * stride + i] > 0.0F ? dx[b * stride + i] : 0.0F;
}

void ev_dense_backward_input(float *dx, const float *dy, const float *W, const float *x, size_t B,
                             size_t in, size_t out)
{
    size_t n = block_count(in);
#pragma omp parallel for schedule(static)
    for (size_t k = 0; k < n; k++) {
        size_t i = block_begin(k, n, in), width = block_begin(k + 1, n, in) - i;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)B, (int)width, (int)out, 1.0F,
                    dy, (int)out, W + i, (int)in, 0.0F, dx + i, (int)in);
        if (x != NULL)
            mask_by_relu(dx + i, x + i, B, width, in);
    }
}

static void sum_rows(float *sum, const float *dy, size_t B, size_t width, size_t stride)
{
    for (size_t i = 0; i < width; i++)
        sum[i] = 0.0F;
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < width; i++)
            sum[i] += dy[b * stride + i];
}

void ev_dense_backward_weights(float *dW, float *dbias, const float *dy, const float *x, size_t B,
                               size_t in, size_t out)
{
    size_t n = block_count(out);
#pragma omp parallel for schedule(static)
    for (size_t k = 0; k < n; k++) {
        size_t o = block_begin(k, n, out), width = block_begin(k + 1, n, out) - o;
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)width, (int)in, (int)B, 1.0F,
                    dy + o, (int)out, x, (int)in, 0.0F, dW + o * in, (int)in);
        sum_rows(dbias + o, dy + o, B, width, out);
    }
}
