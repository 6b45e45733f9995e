#include "models/vqvae_codebook.h"

#include "nn/buffer.h"
#include "numerics/random.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <omp.h>
#include <string.h>

enum {
    ROWS = 64, /* vectors whose products with all codes are at hand at once */
    LANE = 16  /* scores looked at together */
};

size_t ev_codebook_scratch_size(size_t K, size_t threads)
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

static uint32_t nearest_of(size_t K, size_t J, const float *codes, const float *z,
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
            double distance = square_distance(J, z, codes + k * J);
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

void ev_codebook_nearest(size_t K, size_t J, const float *codes, size_t N, const float *z,
                         uint32_t *index, float *scratch, size_t threads)
{
    float *norms = scratch, *products = scratch + K;
    for (size_t k = 0; k < K; k++)
        norms[k] = square_norm(J, codes + k * J);
    const float longest = largest(K, norms);
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t block = 0; block < (N + ROWS - 1) / ROWS; block++) {
        size_t first = block * ROWS, rows = N - first < ROWS ? N - first : ROWS;
        float *mine = products + (size_t)omp_get_thread_num() * ROWS * K;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)K, (int)J, 1.0F,
                    z + first * J, (int)J, codes, (int)J, 0.0F, mine, (int)K);
        for (size_t i = 0; i < rows; i++) {
            const float *at = z + (first + i) * J;
            float least = scores(K, norms, mine + i * K);
            float limit = least + doubt(J, square_norm(J, at), longest);
            index[first + i] = nearest_of(K, J, codes, at, mine + i * K, limit);
        }
    }
}

void ev_codebook_look_up(size_t J, const float *codes, size_t N, const uint32_t *index, float *z_q)
{
    for (size_t i = 0; i < N; i++)
        memcpy(z_q + i * J, codes + index[i] * J, J * sizeof *z_q);
}

void ev_codebook_sum(size_t K, size_t J, size_t N, const float *z, const uint32_t *index, double *n,
                     double *s)
{
    memset(n, 0, K * sizeof *n);
    memset(s, 0, K * J * sizeof *s);
    for (size_t i = 0; i < N; i++) {
        double *sum = s + index[i] * J;
        n[index[i]]++;
        for (size_t j = 0; j < J; j++)
            sum[j] += (double)z[i * J + j];
    }
}

/* 1 - alpha^t, accurate for alpha near 1 and for alpha = 0. */
static double debias(const ev_codebook_rule *rule, uint64_t t)
{
    return rule->decay > 0 ? -expm1((double)t * log(rule->decay)) : 1.0;
}

static double total_of(size_t K, const float *counts)
{
    double total = 0;
    for (size_t k = 0; k < K; k++)
        total += (double)counts[k];
    return total;
}

static void move_average(double alpha, size_t n, const double *batch, float *average)
{
    for (size_t i = 0; i < n; i++)
        average[i] = (float)(alpha * (double)average[i] + (1 - alpha) * batch[i]);
}

void ev_codebook_step(const ev_codebook_rule *rule, size_t K, size_t J, const double *n,
                      const double *s, ev_codebook_average *average, float *codes)
{
    average->steps++;
    move_average(rule->decay, K, n, average->counts);
    move_average(rule->decay, K * J, s, average->sums);
    if (!rule->average)
        return;
    const double weight = debias(rule, average->steps);
    const double total = total_of(K, average->counts) / weight;
    for (size_t k = 0; k < K; k++) {
        double nu = (double)average->counts[k] / weight;
        if (!(nu > 0))
            continue;
        double smoothed = (nu + rule->epsilon) / (total + (double)K * rule->epsilon) * total;
        for (size_t j = 0; j < J; j++)
            codes[k * J + j] = (float)((double)average->sums[k * J + j] / weight / smoothed);
    }
}

static void put_onto(size_t J, const float *vector, float count, float *code, float *sum)
{
    for (size_t j = 0; j < J; j++) {
        code[j] = vector[j];
        sum[j] = count * vector[j];
    }
}

size_t ev_codebook_revive(const ev_codebook_rule *rule, size_t K, size_t J, size_t N,
                          const float *z, uint64_t seed, ev_codebook_average *average, float *codes,
                          bool *revived)
{
    const ev_stream stream = ev_stream_make(seed, ev_hash_text("vqvae.revival"),
                                            (uint32_t)average->steps,
                                            (uint32_t)(average->steps >> 32));
    const float share = (float)(total_of(K, average->counts) / (double)K);
    size_t count = 0;
    for (size_t k = 0; k < K; k++) {
        revived[k] = (double)average->counts[k] < rule->revive * (double)share;
        if (!revived[k])
            continue;
        double u;
        ev_stream_uniforms(&stream, k, 1, &u);
        size_t i = (size_t)(u * (double)N);
        average->counts[k] = share;
        put_onto(J, z + (i < N ? i : N - 1) * J, share, codes + k * J, average->sums + k * J);
        count++;
    }
    return count;
}

double ev_codebook_perplexity(size_t K, const double *n)
{
    double total = 0, sum = 0;
    for (size_t k = 0; k < K; k++) {
        total += n[k];
        sum += n[k] > 0 ? n[k] * log(n[k]) : 0;
    }
    return total > 0 ? exp(log(total) - sum / total) : 0;
}

size_t ev_codebook_used(size_t K, const double *n)
{
    size_t used = 0;
    for (size_t k = 0; k < K; k++)
        used += n[k] > 0;
    return used;
}
