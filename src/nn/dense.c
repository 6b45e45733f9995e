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

/* What becomes of the sums of a block of C, whose rows begin every `stride` floats. */
static void finish(const ev_sum_end *end, const block *at, size_t stride, float *C)
{
    for (size_t b = at->row; b < at->row + at->rows; b++)
        ev_sum_finish(end, b * stride + at->column, at->columns, C + b * stride + at->column);
}

/* --- By the BLAS --------------------------------------------------------------------------- */

static void forward(float *y, const float *x, const float *W, const ev_sum_end *end, size_t B,
                    size_t in, size_t out)
{
    size_t n = block_count(out < NARROW ? B : out);
#pragma omp parallel for schedule(static)
    for (size_t k = 0; k < n; k++) {
        const block at = block_of(k, n, B, out);
        float *mine = y + at.row * out + at.column;
        set_rows(mine, end->bias + at.column, &at, out);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)at.rows, (int)at.columns, (int)in,
                    1.0F, x + at.row * in, (int)in, W + at.column * in, (int)in, 1.0F, mine,
                    (int)out);
        finish(end, &at, out, y);
    }
}

static void backward_input(float *dx, const float *dy, const float *W, const ev_sum_end *end,
                           size_t B, size_t in, size_t out)
{
    size_t n = block_count(in < NARROW ? B : in);
#pragma omp parallel for schedule(static)
    for (size_t k = 0; k < n; k++) {
        const block at = block_of(k, n, B, in);
        const size_t first = at.row * in + at.column;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)at.rows, (int)at.columns,
                    (int)out, 1.0F, dy + at.row * out, (int)out, W + at.column, (int)in, 0.0F,
                    dx + first, (int)in);
        finish(end, &at, in, dx);
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

/* Of a matrix with more elements that aren't 0 than this share the BLAS is faster. */
static const double FULL = 0.7;

static bool has_many_zeros(const ev_sparse *A, size_t count)
{
    return (double)count < FULL * (double)A->M * (double)A->K;
}

/* Is it worth counting them, for a product with N columns? */
static bool may_leave_out(size_t N, const float *work)
{
    return EV_SPARSE_SERVES && work != NULL && N >= EV_SPARSE_LEAST;
}

size_t ev_dense_work_size(size_t B, size_t in, size_t out)
{
    const size_t words = ev_size_larger(ev_sparse_words(B, ev_size_larger(in, out)),
                                        ev_sparse_words(out, B));
    const size_t marks = ev_size_product(2, words), transposed = ev_size_product(B, out);
    return transposed > SIZE_MAX - marks ? SIZE_MAX : marks + transposed;
}

/* A (M,K), marked in the beginning of work; whether enough of it is 0 for a product with N columns. */
static bool take_zeros(ev_sparse *A, size_t M, size_t K, const float *at, size_t N, float *work)
{
    *A = (ev_sparse){M, K, at, (uint64_t *)(void *)work};
    return may_leave_out(N, work) && has_many_zeros(A, ev_sparse_mark(A));
}

void ev_dense_forward(float *y, const float *x, const float *W, const float *bias, size_t B,
                      size_t in, size_t out, bool relu, float *work)
{
    const ev_sum_end end = {bias, relu, NULL};
    ev_sparse A;
    if (take_zeros(&A, B, in, x, out, work))
        ev_sparse_product(&A, &(ev_factor){out, W, true}, &end, y);
    else
        forward(y, x, W, &end, B, in, out);
}

void ev_dense_backward_input(float *dx, const float *dy, const float *W, const float *x, size_t B,
                             size_t in, size_t out, float *work)
{
    const ev_sum_end end = {NULL, false, x};
    ev_sparse A;
    if (take_zeros(&A, B, out, dy, in, work))
        ev_sparse_product(&A, &(ev_factor){in, W, false}, &end, dx);
    else
        backward_input(dx, dy, W, &end, B, in, out);
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
    const bool seeks = may_leave_out(in, work);
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
    return seeks && has_many_zeros(A, count);
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
