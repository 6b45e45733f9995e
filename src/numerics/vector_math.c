#include "numerics/vector_math.h"

#include "numerics/vector_kernels.h"

#include <float.h>
#include <math.h>

void ev_vector_exp(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++) {
        double clamped = x[i] > 710.0 ? 710.0 : x[i]; /* a NaN passes both */
        clamped = clamped < -746.0 ? -746.0 : clamped;
        out[i] = ev_exp_kernel(clamped);
    }
}

void ev_vector_log(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++) {
        double v = x[i];
        double scaled = v < DBL_MIN ? v * 0x1p54 : v;
        double y = ev_log_kernel(scaled, v < DBL_MIN ? -54.0 : 0.0);
        y = v <= DBL_MAX ? y : v; /* inf and NaN */
        y = v < 0 ? (double)NAN : y;
        out[i] = v == 0 ? -HUGE_VAL : y;
    }
}

void ev_vector_tanh(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = tanh(x[i]);
}

void ev_vector_sin(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = sin(x[i]);
}

void ev_vector_cos(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = cos(x[i]);
}

void ev_vector_log1p(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = log1p(x[i]);
}

void ev_vector_expm1(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = expm1(x[i]);
}
