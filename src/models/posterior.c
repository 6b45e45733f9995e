#include "models/posterior.h"

#include "nn/float_kernels.h"

#include <math.h>

#define HALF_LOG_2PI_E 1.4189385332046727418F

size_t ev_posterior_outputs(ev_posterior_kind kind, size_t J)
{
    return kind == EV_POSTERIOR_FULL ? J + J * (J + 1) / 2 : 2 * J;
}

size_t ev_posterior_scale_size(ev_posterior_kind kind, size_t J)
{
    return kind == EV_POSTERIOR_FULL ? J * J : J;
}

static float held_log_var(float raw)
{
    float low = raw < EV_LOG_VAR_MIN ? EV_LOG_VAR_MIN : raw; /* a NaN passes both */
    return low > EV_LOG_VAR_MAX ? EV_LOG_VAR_MAX : low;
}

static float diagonal_forward(size_t J, const float *raw, float *scale, float *var)
{
    float half_sum = 0.0F;
    for (size_t j = 0; j < J; j++) {
        float log_var = held_log_var(raw[J + j]);
        scale[j] = expf(0.5F * log_var);
        var[j] = scale[j] * scale[j];
        half_sum += 0.5F * log_var;
    }
    return half_sum;
}

static float full_forward(size_t J, const float *triangle, float *L, float *var)
{
    float log_det = 0.0F;
    for (size_t j = 0; j < J; j++) {
        float square = 0.0F;
        for (size_t i = 0; i < J; i++) {
            float entry = i > j ? 0.0F : *triangle++;
            if (i == j)
                entry = EV_SCALE_FLOOR + ev_softplus_float(entry);
            L[j * J + i] = entry;
            square += entry * entry;
        }
        var[j] = square;
        log_det += logf(L[j * J + j]);
    }
    return log_det;
}

float ev_posterior_forward(ev_posterior_kind kind, size_t J, const float *raw, float *mu,
                           float *scale, float *var)
{
    for (size_t j = 0; j < J; j++)
        mu[j] = raw[j];
    float log_det = kind == EV_POSTERIOR_FULL ? full_forward(J, raw + J, scale, var)
                                              : diagonal_forward(J, raw, scale, var);
    return (float)J * HALF_LOG_2PI_E + log_det;
}

void ev_posterior_sample(ev_posterior_kind kind, size_t J, const float *mu, const float *scale,
                         const float *eps, float *z)
{
    for (size_t j = 0; j < J; j++) {
        float sum = mu[j];
        if (kind == EV_POSTERIOR_DIAGONAL)
            sum += scale[j] * eps[j];
        else
            for (size_t i = 0; i <= j; i++)
                sum += scale[j * J + i] * eps[i];
        z[j] = sum;
    }
}

void ev_posterior_sample_backward(ev_posterior_kind kind, size_t J, const float *eps,
                                  const float *d_z, float *d_mu, float *d_scale)
{
    for (size_t j = 0; j < J; j++) {
        d_mu[j] += d_z[j];
        if (kind == EV_POSTERIOR_DIAGONAL)
            d_scale[j] += d_z[j] * eps[j];
        else
            for (size_t i = 0; i <= j; i++)
                d_scale[j * J + i] += d_z[j] * eps[i];
    }
}

/* sigma = exp(log_var/2): d sigma/d log_var = sigma/2, d var/d log_var = sigma^2, and the entropy
 * has log_var/2. */
static void diagonal_backward(size_t J, const float *log_var, const float *sigma,
                              const float *d_sigma, const float *d_var, float d_entropy,
                              float *d_log_var)
{
    for (size_t j = 0; j < J; j++) {
        float d = 0.5F * (sigma[j] * d_sigma[j] + d_entropy) + sigma[j] * sigma[j] * d_var[j];
        d_log_var[j] = log_var[j] < EV_LOG_VAR_MIN || log_var[j] > EV_LOG_VAR_MAX ? 0.0F : d;
    }
}

/* var_j = sum_i L_ji^2: d var_j/d L_ji = 2 L_ji; the entropy has log L_jj; softplus' = sigmoid. */
static void full_backward(size_t J, const float *triangle, const float *L, const float *d_L,
                          const float *d_var, float d_entropy, float *d_triangle)
{
    for (size_t j = 0; j < J; j++) {
        for (size_t i = 0; i < j; i++, triangle++)
            *d_triangle++ = d_L[j * J + i] + 2.0F * L[j * J + i] * d_var[j];
        float diagonal = L[j * J + j];
        float d = d_L[j * J + j] + 2.0F * diagonal * d_var[j] + d_entropy / diagonal;
        *d_triangle++ = d * ev_sigmoid_float(*triangle++);
    }
}

void ev_posterior_backward(ev_posterior_kind kind, size_t J, const float *raw, const float *scale,
                           const float *d_mu, const float *d_scale, const float *d_var,
                           float d_entropy, float *d_raw)
{
    for (size_t j = 0; j < J; j++)
        d_raw[j] = d_mu[j];
    if (kind == EV_POSTERIOR_FULL)
        full_backward(J, raw + J, scale, d_scale, d_var, d_entropy, d_raw + J);
    else
        diagonal_backward(J, raw + J, scale, d_scale, d_var, d_entropy, d_raw + J);
}
