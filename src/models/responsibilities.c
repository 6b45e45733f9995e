#include "models/responsibilities.h"

#include "nn/float_kernels.h"
#include "nn/float_math.h"

#include <math.h>

float ev_gamma_optimal(const ev_prior *prior, const float *e, float *log_gamma)
{
    for (size_t c = 0; c < prior->K; c++)
        log_gamma[c] = prior->log_pi[c] + e[c];
    return ev_float_log_softmax(prior->K, log_gamma, log_gamma);
}

void ev_gamma_held(size_t K, uint32_t cluster, float *log_gamma)
{
    for (size_t c = 0; c < K; c++)
        log_gamma[c] = c == cluster ? 0.0F : -1e4F;
}

/* log (1/S) sum_s exp log_r_s. */
static void log_mean(size_t S, size_t K, const float *log_r, float *log_gamma)
{
    for (size_t c = 0; c < K; c++) {
        float top = log_r[c];
        for (size_t s = 1; s < S; s++)
            top = log_r[s * K + c] > top ? log_r[s * K + c] : top;
        double sum = 0.0;
        for (size_t s = 0; s < S; s++)
            sum += exp((double)(log_r[s * K + c] - top));
        log_gamma[c] = S == 1 ? top : top + (float)log(sum / (double)S);
    }
}

void ev_gamma_at_points(const ev_prior *prior, size_t S, const float *points, float *log_r,
                        float *log_gamma)
{
    for (size_t s = 0; s < S; s++) {
        float *log_r_s = log_r + s * prior->K;
        ev_prior_expected_log_density(prior, points + s * prior->J, NULL, log_r_s);
        ev_gamma_optimal(prior, log_r_s, log_r_s);
    }
    log_mean(S, prior->K, log_r, log_gamma);
}

void ev_gamma_at_points_backward(const ev_prior *prior, size_t S, const float *log_r,
                                 const float *log_gamma, const float *e, float *weight)
{
    const size_t K = prior->K;
    for (size_t s = 0; s < S; s++) {
        float *w = weight + s * K, mean = 0.0F;
        for (size_t c = 0; c < K; c++) {
            w[c] = ev_exp_float(log_r[s * K + c]);
            mean += w[c] * (e[c] + prior->log_pi[c] - log_gamma[c]);
        }
        for (size_t c = 0; c < K; c++)
            w[c] *= (e[c] + prior->log_pi[c] - log_gamma[c] - mean) / (float)S;
    }
}
