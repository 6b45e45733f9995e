#include "models/likelihood.h"

#include "nn/float_kernels.h"
#include "nn/float_math.h"

#include <string.h>

const char *const ev_likelihood_names[] = {"bernoulli", "gaussian", NULL};

#define LOG_2PI 1.8378770664093454836F

size_t ev_likelihood_outputs(ev_likelihood_kind kind, size_t D)
{
    return kind == EV_LIKELIHOOD_GAUSSIAN ? 2 * D : D;
}

static float bernoulli_forward(size_t D, const float *x, const float *logit)
{
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < D; i++)
        sum += x[i] * logit[i] - ev_softplus_float(logit[i]);
    return sum;
}

/* softplus and sigmoid share e^-|l|. */
static float bernoulli_backward(size_t D, const float *x, const float *logit, float scale,
                                float *d_logit)
{
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < D; i++) {
        float l = logit[i], size = l < 0.0F ? -l : l, e = ev_exp_float(-size);
        float softplus = (l > 0.0F ? l : 0.0F) + ev_log1p_unit_float(e);
        float sigmoid = (l < 0.0F ? e : 1.0F) / (1.0F + e);
        sum += x[i] * l - softplus;
        d_logit[i] = scale * (x[i] - sigmoid);
    }
    return sum;
}

static float gaussian_forward(size_t D, const float *x, const float *mean, const float *log_var)
{
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < D; i++) {
        float held = ev_likelihood_log_var(log_var[i]), off = x[i] - mean[i];
        sum += LOG_2PI + held + off * off * ev_exp_float(-held);
    }
    return -0.5F * sum;
}

static float gaussian_backward(size_t D, const float *x, const float *mean, const float *log_var,
                               float scale, float *d_mean, float *d_log_var)
{
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < D; i++) {
        float held = ev_likelihood_log_var(log_var[i]), off = x[i] - mean[i];
        float precision = ev_exp_float(-held), square = off * off * precision;
        float inside = log_var[i] < EV_LOG_VAR_X_MIN || log_var[i] > EV_LOG_VAR_X_MAX ? 0.0F : 1.0F;
        sum += LOG_2PI + held + square;
        d_mean[i] = scale * (off * precision);
        d_log_var[i] = scale * inside * 0.5F * (square - 1.0F);
    }
    return -0.5F * sum;
}

float ev_likelihood_forward(ev_likelihood_kind kind, size_t D, const float *x, const float *out)
{
    return kind == EV_LIKELIHOOD_GAUSSIAN ? gaussian_forward(D, x, out, out + D)
                                          : bernoulli_forward(D, x, out);
}

float ev_likelihood_backward(ev_likelihood_kind kind, size_t D, const float *x, const float *out,
                             float scale, float *d_out)
{
    return kind == EV_LIKELIHOOD_GAUSSIAN
               ? gaussian_backward(D, x, out, out + D, scale, d_out, d_out + D)
               : bernoulli_backward(D, x, out, scale, d_out);
}

void ev_likelihood_mean(ev_likelihood_kind kind, size_t D, const float *out, float *mean)
{
    if (kind == EV_LIKELIHOOD_GAUSSIAN)
        memcpy(mean, out, D * sizeof *mean);
    else
        ev_float_sigmoid(D, out, mean);
}
