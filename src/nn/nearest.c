#include "nn/nearest.h"

#include "nn/buffer.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdbool.h>

enum {
    ROWS = 64, /* vectors whose products with all rows are at hand at once */
    LANE = 16  /* scores looked at together */
};

size_t ev_nearest_scratch_size(size_t K, size_t threads)
{
    size_t products = ev_size_product(threads, ev_size_product(ROWS, K));
    return products > SIZE_MAX - K ? SIZE_MAX : products + K;
}

static double square_distance(size_t J, const float *a, const float *b)
{
    double sum = 0;
    for (size_t j = 0; j < J; j++) {
        double d = (double)a[j] - (double)b[j];
        sum += d * d;
    }
    return sum;
}

static float square_norm(size_t J, const float *a)
{
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < J; j++)
        sum += a[j] * a[j];
    return sum;
}

/* products: (K) z codes_k, which become |codes_k|^2 - 2 z codes_k; returns the least. */
static float scores(size_t K, const float *norms, float *products)
{
    float least = HUGE_VALF;
#pragma omp simd reduction(min : least)
    for (size_t k = 0; k < K; k++) {
        products[k] = norms[k] - 2.0F * products[k];
        least = products[k] < least ? products[k] : least;
    }
    return least;
}

/* A dot product of J terms is off by less than J u |z| |c| in any order of summation, and a score by
 * twice that and two roundings of |c|^2's.  Two scores may both be off. */
static float doubt(size_t J, float z_norm, float longest)
{
    float u = FLT_EPSILON / 2;
    return 2.0F * u * ((float)J + 4.0F) * (2.0F * sqrtf(z_norm) * sqrtf(longest) + longest);
}

/* Is one of LANE scores within the limit?  Without a branch for each: mostly none is. */
static bool any_within(const float *score, float limit)
{
    int any = 0;
#pragma omp simd reduction(| : any)
    for (size_t k = 0; k < LANE; k++)
        any |= score[k] <= limit;
    return any != 0;
}

static uint32_t nearest_of(size_t K, size_t J, const float *rows, const float *z,
                           const float *score, float limit)
{
    size_t best = 0;
    double least = HUGE_VAL;
    for (size_t k = 0; k < K; k++) {
        if (k % LANE == 0 && K - k >= LANE && !any_within(score + k, limit)) {
            k += LANE - 1;
            continue;
        }
        if (score[k] <= limit) {
            double distance = square_distance(J, z, rows + k * J);
            if (distance < least) {
                least = distance;
                best = k;
            }
        }
    }
    return (uint32_t)best;
}

static float largest(size_t n, const float *x)
{
    float most = 0.0F;
    for (size_t i = 0; i < n; i++)
        most = x[i] > most ? x[i] : most;
    return most;
}

void ev_nearest_rows(size_t K, size_t J, const float *rows, size_t N, const float *z,
                     uint32_t *index, float *scratch, size_t threads)
{
    float *norms = scratch, *products = scratch + K;
    for (size_t k = 0; k < K; k++)
        norms[k] = square_norm(J, rows + k * J);
    const float longest = largest(K, norms);
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t block = 0; block < (N + ROWS - 1) / ROWS; block++) {
        size_t first = block * ROWS, count = N - first < ROWS ? N - first : ROWS;
        float *mine = products + (size_t)omp_get_thread_num() * ROWS * K;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)count, (int)K, (int)J, 1.0F,
                    z + first * J, (int)J, rows, (int)J, 0.0F, mine, (int)K);
        for (size_t i = 0; i < count; i++) {
            const float *at = z + (first + i) * J;
            float least = scores(K, norms, mine + i * K);
            float limit = least + doubt(J, square_norm(J, at), longest);
            index[first + i] = nearest_of(K, J, rows, at, mine + i * K, limit);
        }
    }
}
