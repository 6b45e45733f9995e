#include "nn/dense.h"

#include <cblas.h>
#include <omp.h>
#include <string.h>

enum {
    STEP = 8,   /* blocks begin at multiples of the floats of a vector */
    NARROW = 64 /* a matrix with fewer columns is cut by rows: its column blocks would be uneven */
};

void ev_dense_prepare(void) { openblas_set_num_threads(1); }

/* As many blocks as threads, at least two, none empty. */
static size_t block_count(size_t n)
{
    size_t threads = (size_t)omp_get_max_threads(), most = (n + STEP - 1) / STEP;
    size_t blocks = threads < 2 ? 2 : threads;
    return blocks < most ? blocks : most;
}

/* Where block k of `blocks` begins: the multiple of STEP at or below its share. */
static size_t block_begin(size_t k, size_t blocks, size_t n)
{
    size_t steps = (n + STEP - 1) / STEP, begin = steps * k / blocks * STEP;
    return begin < n ? begin : n;
}

/* Rows and columns of one block of a matrix (rows, columns). */
typedef struct {
    size_t row, rows, column, columns;
} block;

static block block_of(size_t k, size_t blocks, size_t rows, size_t columns)
{
    const bool by_rows = columns < NARROW;
    const size_t n = by_rows ? rows : columns, begin = block_begin(k, blocks, n);
    const size_t count = block_begin(k + 1, blocks, n) - begin;
    return by_rows ? (block){begin, count, 0, columns} : (block){0, rows, begin, count};
}

static void set_rows(float *y, const float *bias, const block *at, size_t stride)
{
    for (size_t b = 0; b < at->rows; b++)
        memcpy(y + b * stride, bias, at->columns * sizeof *y);
}

/* Written so that a NaN stays one. */
static void rectify(float *y, const block *at, size_t stride)
{
    for (size_t b = 0; b < at->rows; b++)
        for (size_t i = 0; i < at->columns; i++)
            y[b * stride + i] = y[b * stride + i] < 0.0F ? 0.0F : y[b * stride + i];
}

void ev_dense_forward(float *y, const float *x, const float *W, const float *bias, size_t B,
                      size_t in, size_t out, bool relu)
{
    size_t n = block_count(out < NARROW ? B : out);
#pragma omp parallel for schedule(static)
    for (size_t k = 0; k < n; k++) {
        const block at = block_of(k, n, B, out);
        float *mine = y + at.row * out + at.column;
        set_rows(mine, bias + at.column, &at, out);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)at.rows, (int)at.columns, (int)in,
                    1.0F, x + at.row * in, (int)in, W + at.column * in, (int)in, 1.0F, mine,
                    (int)out);
        if (relu)
            rectify(mine, &at, out);
    }
}

static void mask_by_relu(float *dx, const float *x, const block *at, size_t stride)
{
    for (size_t b = 0; b < at->rows; b++)
        for (size_t i = 0; i < at->columns; i++)
            dx[b * stride + i] = x[b * stride + i] > 0.0F ? dx[b * stride + i] : 0.0F;
}

void ev_dense_backward_input(float *dx, const float *dy, const float *W, const float *x, size_t B,
                             size_t in, size_t out)
{
    size_t n = block_count(in < NARROW ? B : in);
#pragma omp parallel for schedule(static)
    for (size_t k = 0; k < n; k++) {
        const block at = block_of(k, n, B, in);
        const size_t first = at.row * in + at.column;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)at.rows, (int)at.columns,
                    (int)out, 1.0F, dy + at.row * out, (int)out, W + at.column, (int)in, 0.0F,
                    dx + first, (int)in);
        if (x != NULL)
            mask_by_relu(dx + first, x + first, &at, in);
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

/* dW is cut by rows, which are the outputs, unless these are few. */
void ev_dense_backward_weights(float *dW, float *dbias, const float *dy, const float *x, size_t B,
                               size_t in, size_t out)
{
    const bool by_columns = out < NARROW && in >= NARROW;
    const size_t cut = by_columns ? in : out, n = block_count(cut);
#pragma omp parallel for schedule(static)
    for (size_t k = 0; k < n; k++) {
        const size_t begin = block_begin(k, n, cut), count = block_begin(k + 1, n, cut) - begin;
        const size_t o = by_columns ? 0 : begin, i = by_columns ? begin : 0;
        const size_t rows = by_columns ? out : count, columns = by_columns ? count : in;
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)rows, (int)columns, (int)B, 1.0F,
                    dy + o, (int)out, x + i, (int)in, 0.0F, dW + o * in + i, (int)in);
        if (!by_columns || k == 0)
            sum_rows(dbias + o, dy + o, B, rows, out);
    }
}
