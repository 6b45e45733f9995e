#include "nn/sparse.h"

#include "nn/dense.h"

#include <criterion/criterion.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE = 1 << 18 };

static float A[LARGE], B[LARGE], turned[LARGE], C[LARGE], other[LARGE], gate[LARGE], bias[LARGE];
static uint64_t marks[LARGE];

/* Between -1/2 and 1/2; a share of them exactly 0. */
static void fill(size_t n, float *a, unsigned seed, double zeros)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525U + 1013904223U;
        const bool nothing = (double)(seed >> 8) < zeros * 0x1p24;
        seed = seed * 1664525U + 1013904223U;
        a[i] = nothing ? 0.0F : (float)(seed >> 8) / 0x1p24F - 0.5F;
    }
}

/* Whole blocks and parts of one, whole vectors and parts of one, few strips and many. */
static const struct {
    size_t M, K, N;
} SHAPES[] = {{7, 64, 64},     {5, 200, 100}, {33, 70, 193}, {1, 1, 65},
              {300, 131, 501}, {70, 9, 2000}, {600, 70, 65}};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES };
static const double ZEROS[] = {0.0, 0.4, 0.9, 1.0};
enum { ZERO_COUNT = sizeof ZEROS / sizeof *ZEROS };

static ev_sparse fill_shape(size_t s, double zeros)
{
    const size_t M = SHAPES[s].M, K = SHAPES[s].K, N = SHAPES[s].N;
    fill(M * K, A, 1, zeros);
    fill(K * N, B, 2, 0.0);
    fill(M * N, gate, 3, 0.5);
    fill(N, bias, 4, 0.0);
    for (size_t k = 0; k < K; k++)
        for (size_t n = 0; n < N; n++)
            turned[n * K + k] = B[k * N + n];
    return (ev_sparse){M, K, A, marks};
}

static double sum_at(size_t s, const ev_sum_end *end, size_t m, size_t n)
{
    double sum = end->bias != NULL ? (double)end->bias[n] : 0.0;
    for (size_t k = 0; k < SHAPES[s].K; k++)
        sum += (double)A[m * SHAPES[s].K + k] * (double)B[k * SHAPES[s].N + n];
    if ((end->rectify && sum < 0.0) ||
        (end->gate != NULL && !(end->gate[m * SHAPES[s].N + n] > 0.0F)))
        return 0.0;
    return sum;
}

/* Of up to 200 products of random signs, in float: sums stay below 4, so each addition is off by at most
 * 2.4e-7, and all of them together by about 14 times the half of that. */
#define TOLERANCE 4e-6

static void check(size_t s, double zeros, const ev_sum_end *end)
{
    const ev_sparse a = fill_shape(s, zeros);
    const size_t N = SHAPES[s].N;
    ev_sparse_mark(&a);
    for (int transposed = 0; transposed < 2; transposed++) {
        memset(C, -1, sizeof C);
        const ev_factor b = {N, transposed == 1 ? turned : B, transposed == 1};
        ev_sparse_product(&a, &b, end, C);
        for (size_t m = 0; m < a.M; m++)
            for (size_t n = 0; n < N; n++)
                cr_assert_float_eq((double)C[m * N + n], sum_at(s, end, m, n), TOLERANCE,
                                   "shape %zu, zeros %g, (%zu,%zu)", s, zeros, m, n);
        cr_assert(isnan(C[a.M * N]), "written beyond the end");
    }
}

Test(sparse, products_are_the_sums_of_products_of_any_shape_and_share_of_zeros)
{
    for (size_t s = 0; s < SHAPE_COUNT; s++)
        for (size_t z = 0; z < ZERO_COUNT; z++)
            check(s, ZEROS[z], &(ev_sum_end){NULL, false, NULL});
}

Test(sparse, a_bias_begins_a_relu_cuts_and_a_gate_shuts)
{
    for (size_t s = 0; s < SHAPE_COUNT; s++)
        for (size_t z = 0; z < ZERO_COUNT; z++) {
            check(s, ZEROS[z], &(ev_sum_end){bias, true, NULL});
            check(s, ZEROS[z], &(ev_sum_end){NULL, false, gate});
        }
}

Test(sparse, marks_are_of_what_is_not_zero)
{
    enum { M = 3, K = 130 };
    const ev_sparse a = {M, K, A, marks};
    memset(A, 0, sizeof A);
    A[0] = 1.0F;
    A[63] = -0.0F;
    A[K + 64] = NAN;
    A[2 * K + 129] = -1e-45F;
    cr_assert_eq(ev_sparse_words(M, K), 9);
    cr_assert_eq(ev_sparse_mark(&a), 3);
    cr_assert_eq(marks[0 * M + 0], 1);
    cr_assert_eq(marks[1 * M + 1], 1);
    cr_assert_eq(marks[2 * M + 2], 2);
    cr_assert_eq(ev_sparse_words(SIZE_MAX, 65), SIZE_MAX);
}

Test(sparse, any_number_of_threads_gives_the_same_bits)
{
    const size_t s = 4;
    const ev_sparse a = fill_shape(s, 0.4);
    const ev_factor b = {SHAPES[s].N, B, false};
    ev_sparse_mark(&a);
    omp_set_num_threads(1);
    ev_sparse_product(&a, &b, &(ev_sum_end){bias, true, NULL}, C);
    for (int threads = 2; threads < 40; threads += 7) {
        omp_set_num_threads(threads);
        ev_sparse_product(&a, &b, &(ev_sum_end){bias, true, NULL}, other);
        cr_assert_eq(memcmp(C, other, SHAPES[s].M * SHAPES[s].N * sizeof *C), 0);
    }
}

Test(sparse, a_row_is_the_same_alone_and_in_a_batch)
{
    const size_t s = 4, N = SHAPES[s].N;
    ev_sparse a = fill_shape(s, 0.4);
    const ev_factor b = {N, B, false};
    const ev_sum_end end = {bias, false, NULL};
    ev_sparse_mark(&a);
    ev_sparse_product(&a, &b, &end, C);
    const size_t last = a.M - 1;
    a = (ev_sparse){1, a.K, A + last * a.K, marks};
    ev_sparse_mark(&a);
    ev_sparse_product(&a, &b, &end, other);
    cr_assert_eq(memcmp(C + last * N, other, N * sizeof *C), 0);
}

/* A layer (rows, 200) to 100 by the BLAS and with zeros left out. */
enum { ROWS = 90, IN = 200, OUT = 100 };

static void same(size_t n, const float *a, const float *b)
{
    for (size_t i = 0; i < n; i++)
        cr_assert_float_eq((double)a[i], (double)b[i], TOLERANCE, "element %zu", i);
}

Test(sparse, a_dense_layer_is_the_same_with_zeros_left_out)
{
    static float x[ROWS * IN], dy[ROWS * OUT], W[OUT * IN], to[2][LARGE], d_bias[2][OUT];
    float *work = malloc(ev_dense_work_size(ROWS, IN, OUT) * sizeof *work);
    ev_dense_prepare();
    fill(OUT * IN, W, 7, 0.0);
    fill(OUT, bias, 8, 0.0);
    for (double zeros = 0.3; zeros < 1.0; zeros += 0.2) {
        fill(ROWS * IN, x, 5, zeros);
        fill(ROWS * OUT, dy, 6, zeros);
        for (int i = 0; i < 2; i++)
            ev_dense_forward(to[i], x, W, bias, ROWS, IN, OUT, true, i == 0 ? NULL : work);
        same((size_t)ROWS * OUT, to[0], to[1]);
        for (int i = 0; i < 2; i++)
            ev_dense_backward_input(to[i], dy, W, x, ROWS, IN, OUT, i == 0 ? NULL : work);
        same((size_t)ROWS * IN, to[0], to[1]);
        for (int i = 0; i < 2; i++)
            ev_dense_backward_weights(to[i], d_bias[i], dy, x, ROWS, IN, OUT, i == 0 ? NULL : work);
        same((size_t)OUT * IN, to[0], to[1]);
        same(OUT, d_bias[0], d_bias[1]);
    }
    free(work);
}

/* A layer with weights, nine in ten of whose inputs are 0. */
static float inputs[ROWS * IN], outputs[ROWS * OUT], weights[OUT * IN];

static float *fill_layer(void)
{
    ev_dense_prepare();
    fill(OUT * IN, weights, 7, 0.0);
    fill(ROWS * IN, inputs, 5, 0.9);
    return malloc(ev_dense_work_size(ROWS, IN, OUT) * sizeof(float));
}

static void forward(float *work)
{
    ev_dense_forward(outputs, inputs, weights, bias, ROWS, IN, OUT, true, work);
}

/* The weights of an input that is 0 in the whole batch aren't even looked at. */
Test(sparse, what_a_zero_is_multiplied_with_is_left_out)
{
    float *work = fill_layer();
    weights[3 * IN + 7] = NAN;
    for (size_t b = 0; b < ROWS; b++)
        inputs[b * IN + 7] = 0.0F;
    forward(NULL);
    cr_assert(isnan(outputs[3]));
    forward(work);
    for (size_t i = 0; EV_SPARSE_SERVES && i < (size_t)ROWS * OUT; i++)
        cr_assert(isfinite(outputs[i]));
    free(work);
}

Test(sparse, a_nan_is_never_left_out)
{
    float *work = fill_layer();
    inputs[3 * IN + 5] = NAN;
    forward(work);
    for (size_t o = 0; o < OUT; o++)
        cr_assert(isnan(outputs[3 * OUT + o]) && !isnan(outputs[2 * OUT + o]));
    free(work);
}
