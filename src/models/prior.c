#include "models/prior.h"

#include "models/posterior.h"
#include "nn/float_kernels.h"
#include "nn/float_math.h"

#include <math.h>
#include <string.h>

#define LOG_2PI 1.8378770664093454836F

static void prepare_standard(ev_prior *prior)
{
    prior->log_pi[0] = 0.0F;
    prior->constant[0] = -0.5F * LOG_2PI * (float)prior->J;
    for (size_t j = 0; j < prior->J; j++) {
        prior->mu[j] = 0.0F;
        prior->precision[j] = 1.0F;
        prior->inside[j] = 0.0F;
    }
}

void ev_prior_prepare(ev_prior *prior, const float *logits, const float *mu, const float *log_var)
{
    const size_t J = prior->J, K = prior->K;
    if (logits == NULL) {
        prepare_standard(prior);
        return;
    }
    ev_float_log_softmax(K, logits, prior->log_pi);
    for (size_t c = 0; c < K; c++) {
        double sum = 0.0;
        for (size_t j = 0; j < J; j++) {
            float raw = log_var[c * J + j], held = raw < EV_LOG_VAR_MIN ? EV_LOG_VAR_MIN : raw;
            held = held > EV_LOG_VAR_MAX ? EV_LOG_VAR_MAX : held;
            sum += (double)LOG_2PI + (double)held;
            prior->mu[j * K + c] = mu[c * J + j];
            prior->precision[j * K + c] = ev_exp_float(-held);
            prior->inside[j * K + c] = raw < EV_LOG_VAR_MIN || raw > EV_LOG_VAR_MAX ? 0.0F : 1.0F;
        }
        prior->constant[c] = (float)(-0.5 * sum);
    }
}

void ev_prior_expected_log_density(const ev_prior *prior, const float *point, const float *var,
                                   float *restrict e)
{
    const size_t K = prior->K;
    memset(e, 0, K * sizeof *e);
    for (size_t j = 0; j < prior->J; j++) {
        const float *mu = prior->mu + j * K, *precision = prior->precision + j * K;
        const float at = point[j], spread = var == NULL ? 0.0F : var[j];
        for (size_t c = 0; c < K; c++) {
            float off = at - mu[c];
            e[c] += (spread + off * off) * precision[c];
        }
    }
    for (size_t c = 0; c < K; c++)
        e[c] = prior->constant[c] - 0.5F * e[c];
}

void ev_prior_backward_row(const ev_prior *prior, const float *point, const float *weight,
                           float *d_point, float *d_var)
{
    const size_t K = prior->K;
    for (size_t j = 0; j < prior->J; j++) {
        const float *mu = prior->mu + j * K, *precision = prior->precision + j * K;
        float pull = 0.0F, stiffness = 0.0F;
#pragma omp simd reduction(+ : pull, stiffness)
        for (size_t c = 0; c < K; c++) {
            float weighed = weight[c] * precision[c];
            pull += weighed * (mu[c] - point[j]);
            stiffness += weighed;
        }
        d_point[j] += pull;
        if (d_var != NULL)
            d_var[j] -= 0.5F * stiffness;
    }
}

/* d/d logits_k of sum_c w_c log pi_c = w_k - pi_k sum_c w_c. */
static void backward_logits(const ev_prior *prior, size_t n, const float *weight, float scale,
                            float *d_logits)
{
    const size_t K = prior->K;
    double total = 0.0, sums[EV_PRIOR_CLUSTERS];
    for (size_t c = 0; c < K; c++)
        sums[c] = 0.0;
    for (size_t r = 0; r < n; r++)
        for (size_t c = 0; c < K; c++)
            sums[c] += (double)weight[r * K + c];
    for (size_t c = 0; c < K; c++)
        total += sums[c];
    for (size_t c = 0; c < K; c++)
        d_logits[c] += scale * (float)(sums[c] - exp((double)prior->log_pi[c]) * total);
}

/* Coordinate j of all clusters: d/d mu = w precision (point - mu), and
 * d/d log_var = w ((var + (point - mu)^2) precision - 1)/2. */
static void backward_coordinate(const ev_prior *prior, size_t j, size_t n, const float *point,
                                const float *var, const float *weight, float *restrict pull,
                                float *restrict widen)
{
    const size_t J = prior->J, K = prior->K;
    const float *mu = prior->mu + j * K, *precision = prior->precision + j * K;
    for (size_t c = 0; c < K; c++)
        pull[c] = widen[c] = 0.0F;
    for (size_t r = 0; r < n; r++) {
        const float *w = weight + r * K;
        const float at = point[r * J + j], spread = var == NULL ? 0.0F : var[r * J + j];
        for (size_t c = 0; c < K; c++) {
            float off = at - mu[c];
            pull[c] += w[c] * off;
            widen[c] += w[c] * ((spread + off * off) * precision[c] - 1.0F);
        }
    }
    for (size_t c = 0; c < K; c++) {
        pull[c] *= precision[c];
        widen[c] *= 0.5F * prior->inside[j * K + c];
    }
}

void ev_prior_backward(const ev_prior *prior, size_t n, const float *point, const float *var,
                       const float *weight, float scale, float *d_logits, float *d_mu,
                       float *d_log_var)
{
    const size_t J = prior->J, K = prior->K;
    backward_logits(prior, n, weight, scale, d_logits);
#pragma omp parallel for schedule(static)
    for (size_t j = 0; j < J; j++) {
        float pull[EV_PRIOR_CLUSTERS], widen[EV_PRIOR_CLUSTERS];
        backward_coordinate(prior, j, n, point, var, weight, pull, widen);
        for (size_t c = 0; c < K; c++) {
            d_mu[c * J + j] += scale * pull[c];
            d_log_var[c * J + j] += scale * widen[c];
        }
    }
}
