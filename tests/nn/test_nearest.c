/* The nearest row, against a search in double precision. */
#include "nn/nearest.h"
#include "numerics/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 20000 };

static void draw(const char *what, uint32_t point, size_t n, double scale, float *x)
{
    const ev_stream stream = ev_stream_make(5, ev_hash_text(what), 0, point);
    for (size_t i = 0; i < n; i++) {
        double normal;
        ev_stream_normals(&stream, i, 1, &normal);
        x[i] = (float)(scale * normal);
    }
}

static double square_distance(size_t J, const float *a, const float *b)
{
    double sum = 0;
    for (size_t j = 0; j < J; j++)
        sum += ((double)a[j] - (double)b[j]) * ((double)a[j] - (double)b[j]);
    return sum;
}

static uint32_t search(size_t K, size_t J, const float *codes, const float *z)
{
    uint32_t best = 0;
    for (uint32_t k = 1; k < K; k++)
        if (square_distance(J, z, codes + k * J) < square_distance(J, z, codes + best * J))
            best = k;
    return best;
}

static void find(size_t K, size_t J, const float *codes, size_t N, const float *z, uint32_t *index,
                 size_t threads)
{
    float *scratch = calloc(ev_nearest_scratch_size(K, threads), sizeof *scratch);
    cr_assert_not_null(scratch);
    ev_nearest_rows(K, J, codes, N, z, index, scratch, threads);
    free(scratch);
}

Test(nearest, the_nearest_row_is_that_of_an_exhaustive_search)
{
    static const size_t sizes[][3] = {{1, 1, 1},      {2, 1, 70},  {5, 3, 100},  {17, 2, 65},
                                      {512, 64, 130}, {33, 8, 64}, {100, 5, 200}};
    static float codes[MOST * 2], z[MOST];
    static uint32_t index[MOST];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (uint32_t offset = 0; offset < 2; offset++) {
            size_t K = sizes[i][0], J = sizes[i][1], N = sizes[i][2];
            draw("codes", (uint32_t)i, K * J, 0.01, codes);
            draw("vectors", (uint32_t)i, N * J, 0.01, z);
            /* Far from the origin a product of matrices alone can't tell the codes apart. */
            for (size_t p = 0; offset == 1 && p < K * J; p++)
                codes[p] += 100;
            for (size_t p = 0; offset == 1 && p < N * J; p++)
                z[p] += 100;
            find(K, J, codes, N, z, index, 2);
            for (size_t n = 0; n < N; n++)
                cr_assert_eq(index[n], search(K, J, codes, z + n * J), "size %zu, vector %zu", i,
                             n);
        }
}

/* vq-ties: one code is chosen all the same, the first. */
Test(nearest, of_equally_near_rows_the_first_is_chosen)
{
    enum { K = 300, J = 7, N = 90 };
    static float codes[K * J], z[N * J];
    uint32_t index[N];
    draw("codes", 100, K * J, 1, codes);
    draw("vectors", 100, N * J, 1, z);
    for (size_t k = K / 3; k < K; k++) /* three copies of each */
        memcpy(codes + k * J, codes + k % (K / 3) * J, J * sizeof *codes);
    find(K, J, codes, N, z, index, 2);
    for (size_t n = 0; n < N; n++)
        cr_assert(index[n] < K / 3 && index[n] == search(K, J, codes, z + n * J));
    const float two[] = {1, -1}, middle[] = {0, 0.5F, -0.5F};
    find(2, 1, two, 3, middle, index, 1);
    cr_expect(index[0] == 0 && index[1] == 0 && index[2] == 1);
}

Test(nearest, a_vector_that_is_not_a_number_still_gets_an_index)
{
    const float codes[] = {1, 2, 3}, z[] = {NAN, 3, INFINITY};
    uint32_t index[3] = {9, 9, 9};
    find(3, 1, codes, 3, z, index, 1);
    cr_expect(index[0] == 0 && index[1] == 2 && index[2] < 3);
}
