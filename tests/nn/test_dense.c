#include "nn/dense.h"

#include "nn/mlp.h"

#include <criterion/criterion.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { B = 5, IN = 37, OUT = 53 };

static float x[B * IN], W[OUT * IN], bias[OUT], y[B * OUT], dy[B * OUT];

static void fill(size_t n, float *a, unsigned seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525U + 1013904223U;
        a[i] = (float)(seed >> 8) / 0x1p24F - 0.5F;
    }
}

static void fill_all(void)
{
    ev_dense_prepare();
    fill(B * IN, x, 1);
    fill(OUT * IN, W, 2);
    fill(OUT, bias, 3);
    fill(B * OUT, dy, 4);
}

/* Sums of at most 53 products below 1/4, in float; twice that for 150. */
#define TOLERANCE 2e-6

Test(dense, forward_is_the_sum_of_products_and_the_relu_cuts_it)
{
    fill_all();
    for (int relu = 0; relu < 2; relu++) {
        ev_dense_forward(y, x, W, bias, B, IN, OUT, relu == 1, NULL);
        for (int b = 0; b < B; b++)
            for (int o = 0; o < OUT; o++) {
                double sum = (double)bias[o];
                for (int i = 0; i < IN; i++)
                    sum += (double)x[b * IN + i] * (double)W[o * IN + i];
                sum = relu == 1 ? fmax(sum, 0.0) : sum;
                cr_assert_float_eq((double)y[b * OUT + o], sum, TOLERANCE);
            }
    }
}

Test(dense, backward_through_the_input_is_masked_where_a_relu_was_shut)
{
    float dx[B * IN];
    fill_all();
    for (int i = 0; i < B * IN; i++) /* as a ReLU leaves them */
        x[i] = x[i] < 0.0F ? 0.0F : x[i];
    for (int relu = 0; relu < 2; relu++) {
        ev_dense_backward_input(dx, dy, W, relu == 1 ? x : NULL, B, IN, OUT, NULL);
        for (int b = 0; b < B; b++)
            for (int i = 0; i < IN; i++) {
                double sum = 0.0;
                for (int o = 0; o < OUT; o++)
                    sum += (double)dy[b * OUT + o] * (double)W[o * IN + i];
                sum = relu == 1 && x[b * IN + i] <= 0.0F ? 0.0 : sum;
                cr_assert_float_eq((double)dx[b * IN + i], sum, TOLERANCE);
            }
    }
}

Test(dense, weight_gradients_are_sums_over_the_batch)
{
    float dW[OUT * IN], dbias[OUT];
    fill_all();
    ev_dense_backward_weights(dW, dbias, dy, x, B, IN, OUT, NULL);
    for (int o = 0; o < OUT; o++) {
        double of_bias = 0.0;
        for (int b = 0; b < B; b++)
            of_bias += (double)dy[b * OUT + o];
        cr_assert_float_eq((double)dbias[o], of_bias, TOLERANCE);
        for (int i = 0; i < IN; i++) {
            double sum = 0.0;
            for (int b = 0; b < B; b++)
                sum += (double)dy[b * OUT + o] * (double)x[b * IN + i];
            cr_assert_float_eq((double)dW[o * IN + i], sum, TOLERANCE);
        }
    }
}

Test(dense, a_layer_narrower_than_a_block_is_no_exception)
{
    float narrow[B];
    fill_all();
    ev_dense_forward(narrow, x, W, bias, B, IN, 1, false, NULL);
    for (int b = 0; b < B; b++) {
        double sum = (double)bias[0];
        for (int i = 0; i < IN; i++)
            sum += (double)x[b * IN + i] * (double)W[i];
        cr_assert_float_eq((double)narrow[b], sum, TOLERANCE);
    }
}

Test(dense, one_thread_and_two_give_the_same_bits)
{
    float other[B * OUT];
    fill_all();
    omp_set_num_threads(1);
    ev_dense_forward(y, x, W, bias, B, IN, OUT, true, NULL);
    omp_set_num_threads(2);
    ev_dense_forward(other, x, W, bias, B, IN, OUT, true, NULL);
    cr_assert_eq(memcmp(y, other, sizeof y), 0);
}

/* Wide and narrow on either side, so that blocks are of columns and of rows. */
static const struct {
    size_t rows, in, out;
} SHAPES[] = {{19, 130, 20}, {19, 10, 130}, {40, 130, 150}, {3, 9, 7}};
enum { MOST = 150 * 150, SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES };

static float some_x[MOST], some_W[MOST], some_dy[MOST], results[2][4][MOST];

/* y, dx, dW and d_bias of a shape. */
static void all_products(size_t s, float (*to)[MOST])
{
    const size_t rows = SHAPES[s].rows, in = SHAPES[s].in, out = SHAPES[s].out;
    ev_dense_forward(to[0], some_x, some_W, some_dy, rows, in, out, false, NULL);
    ev_dense_backward_input(to[1], some_dy, some_W, NULL, rows, in, out, NULL);
    ev_dense_backward_weights(to[2], to[3], some_dy, some_x, rows, in, out, NULL);
}

static void fill_shapes(void)
{
    ev_dense_prepare();
    fill(MOST, some_x, 5);
    fill(MOST, some_W, 6);
    fill(MOST, some_dy, 7);
}

Test(dense, blocks_of_rows_and_of_columns_make_the_whole_product)
{
    fill_shapes();
    for (size_t s = 0; s < SHAPE_COUNT; s++) {
        const size_t rows = SHAPES[s].rows, in = SHAPES[s].in, out = SHAPES[s].out;
        all_products(s, results[0]);
        for (size_t i = 0; i < in; i++)
            for (size_t o = 0; o < out; o++) {
                double sum = 0.0;
                for (size_t b = 0; b < rows; b++)
                    sum += (double)some_dy[b * out + o] * (double)some_x[b * in + i];
                cr_assert_float_eq((double)results[0][2][o * in + i], sum, TOLERANCE);
            }
        for (size_t b = 0; b < rows; b++) {
            for (size_t o = 0; o < out; o++) {
                double sum = (double)some_dy[o];
                for (size_t i = 0; i < in; i++)
                    sum += (double)some_x[b * in + i] * (double)some_W[o * in + i];
                cr_assert_float_eq((double)results[0][0][b * out + o], sum, 2 * TOLERANCE);
            }
            for (size_t i = 0; i < in; i++) {
                double sum = 0.0;
                for (size_t o = 0; o < out; o++)
                    sum += (double)some_dy[b * out + o] * (double)some_W[o * in + i];
                cr_assert_float_eq((double)results[0][1][b * in + i], sum, 2 * TOLERANCE);
            }
        }
    }
}

Test(dense, one_thread_and_two_give_the_same_bits_however_the_blocks_are_cut)
{
    fill_shapes();
    for (size_t s = 0; s < SHAPE_COUNT; s++) {
        memset(results, 0, sizeof results);
        for (int threads = 1; threads <= 2; threads++) {
            omp_set_num_threads(threads);
            all_products(s, results[threads - 1]);
        }
        cr_assert_eq(memcmp(results[0], results[1], sizeof results[0]), 0);
    }
}

Test(dense, a_nan_is_not_hidden_by_the_relu)
{
    fill_all();
    x[0] = NAN;
    ev_dense_forward(y, x, W, bias, B, IN, OUT, true, NULL);
    for (int o = 0; o < OUT; o++)
        cr_assert(isnan(y[o]));
}

Test(mlp, initial_weights_fill_glorots_interval_and_depend_on_seed_and_name)
{
    ev_layout layout = {0};
    ev_mlp mlp;
    const size_t width[] = {300, 200, 100};
    ev_mlp_create(&mlp, &layout, "encoder", 2, width);
    float *a = calloc(layout.size, sizeof *a), *b = calloc(layout.size, sizeof *b);
    ev_mlp_initialise(&mlp, "encoder", 1, a);
    const double limit = sqrt(6.0 / 500.0);
    double largest = 0.0, square = 0.0;
    for (size_t i = 0; i < 60000; i++) {
        largest = fmax(largest, fabs((double)a[mlp.weight[0] + i]));
        square += (double)a[mlp.weight[0] + i] * (double)a[mlp.weight[0] + i] / 60000.0;
    }
    cr_assert(largest <= limit && largest > 0.999 * limit);
    /* The variance of a uniform on +-limit is limit^2/3; its estimate's relative standard
     * deviation is sqrt(4/5/n) = 0.4 %. */
    cr_assert_float_eq(square, limit * limit / 3.0, 0.02 * limit * limit / 3.0);
    ev_mlp_initialise(&mlp, "encoder", 1, b);
    cr_assert_eq(memcmp(a, b, layout.size * sizeof *a), 0);
    ev_mlp_initialise(&mlp, "decoder", 1, b);
    cr_assert_neq(memcmp(a, b, layout.size * sizeof *a), 0);
    ev_mlp_initialise(&mlp, "encoder", 2, b);
    cr_assert_neq(memcmp(a, b, layout.size * sizeof *a), 0);
    free(a);
    free(b);
}
