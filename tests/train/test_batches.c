#include "train/batches.h"

#include <criterion/criterion.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { N = 1000 };

Test(batches, an_order_is_a_permutation_and_a_function_of_seed_and_epoch)
{
    static uint32_t a[N], b[N];
    static int seen[N];
    for (uint64_t epoch = 0; epoch < 20; epoch++) {
        ev_batches_order(7, epoch, N, a);
        ev_batches_order(7, epoch, N, b);
        cr_assert_eq(memcmp(a, b, sizeof a), 0);
        for (size_t i = 0; i < N; i++)
            seen[a[i]]++;
    }
    for (size_t i = 0; i < N; i++)
        cr_assert_eq(seen[i], 20);
    ev_batches_order(8, 19, N, b);
    cr_expect_neq(memcmp(a, b, sizeof a), 0);
    ev_batches_order(7, 19 + (UINT64_C(1) << 32), N, b);
    cr_expect_neq(memcmp(a, b, sizeof a), 0);
    ev_batches_order(7, 0, 1, a);
    cr_expect_eq(a[0], 0);
    ev_batches_order(7, 0, 0, a);
}

/* All 24 orders of 4 images, 2400 times: chi-squared with 23 degrees of freedom, six deviations. */
Test(batches, every_order_is_as_likely_as_any_other)
{
    int count[256] = {0};
    double square = 0;
    uint32_t o[4];
    for (uint64_t epoch = 0; epoch < 2400; epoch++) {
        ev_batches_order(1, epoch, 4, o);
        count[o[0] | o[1] << 2 | o[2] << 4 | o[3] << 6]++;
    }
    int orders = 0;
    for (size_t i = 0; i < 256; i++)
        if (count[i] > 0) {
            orders++;
            square += pow(count[i] - 100, 2) / 100;
        }
    cr_expect_eq(orders, 24);
    cr_expect_lt(square, 23 + 6 * sqrt(46));
}

static uint8_t *ramp(size_t images, size_t D)
{
    uint8_t *pixels = malloc(images * D);
    for (size_t i = 0; i < images * D; i++)
        pixels[i] = (uint8_t)(i % D);
    return pixels;
}

Test(batches, without_binarisation_a_pixel_is_its_share_of_255)
{
    uint8_t pixels[6] = {0, 51, 255, 1, 2, 3};
    uint32_t index[2] = {1, 0};
    float x[6];
    ev_pixel_source source = {EV_BINARISE_NONE, 1, 0};
    ev_batches_pixels(&source, 0, 3, pixels, 2, index, x);
    cr_expect_eq(x[3], 0);
    cr_expect_float_eq(x[4], 0.2f, 1e-7f);
    cr_expect_eq(x[5], 1);
    cr_expect_eq(x[0], 1 / 255.0f);
}

/* Pixel d of 4000 images is d: ones are binomial with share d/255.  256 counts, five deviations. */
Test(batches, a_binarised_pixel_is_one_as_often_as_it_is_bright)
{
    enum { IMAGES = 4000, D = 256 };
    uint8_t *pixels = ramp(IMAGES, D);
    float *x = malloc(sizeof *x * IMAGES * D);
    for (int kind = EV_BINARISE_STATIC; kind <= EV_BINARISE_DYNAMIC; kind++) {
        ev_pixel_source source = {(ev_binarisation)kind, 1, 0};
        ev_batches_pixels(&source, 3, D, pixels, IMAGES, NULL, x);
        for (size_t d = 0; d < D; d++) {
            double ones = 0, p = (double)d / 255;
            for (size_t i = 0; i < IMAGES; i++) {
                cr_assert(x[i * D + d] == 0 || x[i * D + d] == 1);
                ones += (double)x[i * D + d];
            }
            cr_expect_leq(fabs(ones / IMAGES - p), 5 * sqrt(p * (1 - p) / IMAGES), "%zu: %g", d,
                          ones);
        }
    }
    free(pixels);
    free(x);
}

Test(batches, static_bits_depend_on_the_image_alone_and_dynamic_ones_on_seed_and_epoch)
{
    enum { IMAGES = 50, D = 300 };
    uint8_t *pixels = ramp(IMAGES, D);
    static float x[IMAGES * D], y[IMAGES * D];
    for (int kind = EV_BINARISE_STATIC; kind <= EV_BINARISE_DYNAMIC; kind++) {
        ev_pixel_source a = {(ev_binarisation)kind, 1, 0}, seed = {a.binarisation, 2, 0},
                        split = {a.binarisation, 1, 1};
        ev_batches_pixels(&a, 5, D, pixels, IMAGES, NULL, x);
        bool moves = kind == EV_BINARISE_DYNAMIC;
        ev_batches_pixels(&a, 6, D, pixels, IMAGES, NULL, y);
        cr_expect_eq(memcmp(x, y, sizeof x) != 0, moves);
        ev_batches_pixels(&seed, 5, D, pixels, IMAGES, NULL, y);
        cr_expect_eq(memcmp(x, y, sizeof x) != 0, moves);
        ev_batches_pixels(&split, 5, D, pixels, IMAGES, NULL, y);
        cr_expect_neq(memcmp(x, y, sizeof x), 0);
    }
    free(pixels);
}

Test(batches, an_images_bits_do_not_depend_on_its_batch_or_on_the_threads)
{
    enum { IMAGES = 100, D = 784 };
    uint8_t *pixels = ramp(IMAGES, D);
    static float whole[IMAGES * D], one[D];
    ev_pixel_source source = {EV_BINARISE_DYNAMIC, 1, 0};
    omp_set_num_threads(4);
    ev_batches_pixels(&source, 5, D, pixels, IMAGES, NULL, whole);
    for (uint32_t i = 0; i < IMAGES; i++) {
        ev_batches_pixels(&source, 5, D, pixels, 1, &i, one);
        cr_assert_eq(memcmp(one, whole + i * D, sizeof one), 0);
        for (uint32_t j = 0; j < i; j++)
            cr_assert_neq(memcmp(whole + j * D, whole + i * D, sizeof one), 0);
    }
    free(pixels);
}
