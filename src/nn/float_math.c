#include "nn/float_math.h"

#include "nn/float_kernels.h"

#include <math.h>

void ev_float_exp(size_t n, const float *x, float *out)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = ev_exp_float(x[i]);
}

void ev_float_log(size_t n, const float *x, float *out)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = ev_log_float(x[i]);
}

void ev_float_softplus(size_t n, const float *x, float *out)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = ev_softplus_float(x[i]);
}

void ev_float_sigmoid(size_t n, const float *x, float *out)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = ev_sigmoid_float(x[i]);
}

float ev_float_log_softmax(size_t n, const float *x, float *out)
{
    float top = x[0];
    for (size_t i = 1; i < n; i++)
        top = x[i] > top ? x[i] : top;
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)ev_exp_float(x[i] - top);
    float rest = (float)log(sum);
    for (size_t i = 0; i < n; i++)
        out[i] = (x[i] - top) - rest;
    return top + rest;
}
