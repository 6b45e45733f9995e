#include "models/vqvae_codebook.h"

#include "numerics/random.h"

#include <math.h>
#include <string.h>

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
