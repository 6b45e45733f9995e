#include "nn/dense.h"

#include "nn/buffer.h"
#include "nn/lanes.h"
#include "nn/sparse.h"

#include <cblas.h>
#include <omp.h>
#include <stdint.h>
#include <string.h>

enum {
    STEP = EV_LANES, /* blocks begin at multiples of the floats of a vector */
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

/* --- By the BLAS --------------------------------------------------------------------------- */

static void forward(float *y, const float *x, const float *W, const float *bias, size_t B,
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

static void backward_input(float *dx, const float *dy, const float *W, const float *x, size_t B,
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

/* dW is cut by rows, which are the outputs, unless these are few. */
static void backward_weights(float *dW, const float *dy, const float *x, size_t B, size_t in,
                             size_t out)
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
    }
}

/* --- With what is 0 left out ---------------------------------------------------------------- */

/* Of a matrix with more elements that aren't 0 than this share the BLAS is faster.  Measured with AVX2 and
 * FMA; with less, sparse.c's vectors fill no register and the BLAS, which asks the processor, is always
 * faster. */
#if defined __AVX2__ && defined __FMA__
static const double FULL = 0.7;
#else
static const double FULL = 0.0;
#endif

size_t ev_dense_work_size(size_t B, size_t in, size_t out)
{
    const size_t words = ev_size_larger(ev_sparse_words(B, ev_size_larger(in, out)),
                                        ev_sparse_words(out, B));
    const size_t marks = ev_size_product(2, words), transposed = ev_size_product(B, out);
    return transposed > SIZE_MAX - marks ? SIZE_MAX : marks + transposed;
}

/* Marks A, in the beginning of work; whether enough of it is 0 for a product with N columns. */
static bool mark_zeros(ev_sparse *A, size_t N, float *work)
{
    if (work == NULL || N < EV_SPARSE_LEAST)
        return false;
    A->marks = (uint64_t *)(void *)work;
    return (double)ev_sparse_mark(A) < FULL * (double)A->M * (double)A->K;
}

void ev_dense_forward(float *y, const float *x, const float *W, const float *bias, size_t B,
                      size_t in, size_t out, bool relu, float *work)
{
    ev_sparse A = {B, in, x, NULL};
    if (mark_zeros(&A, out, work))
        ev_sparse_product(&A, &(ev_factor){out, W, true}, &(ev_sum_end){bias, relu, NULL}, y);
    else
        forward(y, x, W, bias, B, in, out, relu);
}

void ev_dense_backward_input(float *dx, const float *dy, const float *W, const float *x, size_t B,
                             size_t in, size_t out, float *work)
{
    ev_sparse A = {B, out, dy, NULL};
    if (mark_zeros(&A, in, work))
        ev_sparse_product(&A, &(ev_factor){in, W, false}, &(ev_sum_end){NULL, false, x}, dx);
    else
        backward_input(dx, dy, W, x, B, in, out);
}

static void sum_columns(float *sum, const float *dy, size_t B, size_t columns, size_t stride)
{
    for (size_t i = 0; i < columns; i++)
        sum[i] = 0.0F;
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < columns; i++)
            sum[i] += dy[b * stride + i];
}

/* dbias and, where there is work, dy^T with its marks; whether enough of it is 0. */
static bool take_outputs(ev_sparse *A, float *dbias, const float *dy, size_t B, size_t in,
                         size_t out, float *work)
{
    const bool seeks = work != NULL && in >= EV_SPARSE_LEAST;
    float *transposed = seeks ? work + 2 * ev_sparse_words(out, B) : NULL;
    size_t count = 0;
    *A = (ev_sparse){out, B, transposed, (uint64_t *)(void *)work};
#pragma omp parallel for schedule(static) reduction(+ : count)
    for (size_t o = 0; o < out; o += EV_LANES) {
        const size_t columns = out - o < EV_LANES ? out - o : EV_LANES;
        sum_columns(dbias + o, dy + o, B, columns, out);
        if (seeks) {
            ev_lanes_transpose(B, columns, dy + o, out, transposed + o * B, B);
            count += ev_sparse_mark_rows(A, o, o + columns);
        }
    }
    return seeks && (double)count < FULL * (double)out * (double)B;
}

void ev_dense_backward_weights(float *dW, float *dbias, const float *dy, const float *x, size_t B,
                               size_t in, size_t out, float *work)
{
    ev_sparse A;
    if (take_outputs(&A, dbias, dy, B, in, out, work))
        ev_sparse_product(&A, &(ev_factor){in, x, false}, &(ev_sum_end){NULL, false, NULL}, dW);
    else
        backward_weights(dW, dy, x, B, in, out);
}
