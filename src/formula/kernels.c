/* Kernels come by the dozen, so a macro writes the three forms of each binary operation.
 * Operands alias the result index for index only, which is what "omp simd" promises.
 * Local arrays have a first element set because a compiler can't know that n > 0. */
#include "formula/kernels.h"

#include "formula/number.h"
#include "numerics/integrand.h"
#include "numerics/vector_math.h"

#include <math.h>
#include <string.h>

#define BINARY(name, expression)                                                   \
    static void name##_vv(size_t n, const double *a, const double *b, double *out) \
    {                                                                              \
        _Pragma("omp simd") for (size_t i = 0; i < n; i++)                         \
        {                                                                          \
            const double x = a[i], y = b[i];                                       \
            out[i] = (expression);                                                 \
        }                                                                          \
    }                                                                              \
    static void name##_vs(size_t n, const double *a, const double *b, double *out) \
    {                                                                              \
        const double y = b[0];                                                     \
        _Pragma("omp simd") for (size_t i = 0; i < n; i++)                         \
        {                                                                          \
            const double x = a[i];                                                 \
            out[i] = (expression);                                                 \
        }                                                                          \
    }                                                                              \
    static void name##_sv(size_t n, const double *a, const double *b, double *out) \
    {                                                                              \
        const double x = a[0];                                                     \
        _Pragma("omp simd") for (size_t i = 0; i < n; i++)                         \
        {                                                                          \
            const double y = b[i];                                                 \
            out[i] = (expression);                                                 \
        }                                                                          \
    }

#define UNARY(name, expression)                                                   \
    static void name##_v(size_t n, const double *a, const double *b, double *out) \
    {                                                                             \
        (void)b;                                                                  \
        _Pragma("omp simd") for (size_t i = 0; i < n; i++)                        \
        {                                                                         \
            const double x = a[i];                                                \
            out[i] = (expression);                                                \
        }                                                                         \
    }

#define UNARY_OVER(name, function)                                                \
    static void name##_v(size_t n, const double *a, const double *b, double *out) \
    {                                                                             \
        (void)b;                                                                  \
        function(n, a, out);                                                      \
    }

BINARY(add, x + y)
BINARY(sub, x - y)
BINARY(mul, x *y)
BINARY(div, x / y)
BINARY(max, x > y ? x : (x <= y ? y : x + y))
BINARY(min, x < y ? x : (x >= y ? y : x + y))
BINARY(zero_product, (x == 0 && y == -HUGE_VAL) || (y == 0 && x == -HUGE_VAL) ? 0 : x * y)
UNARY(neg, -x)
UNARY(abs, fabs(x))
UNARY(step, x > 0 ? 1 : (x <= 0 ? 0 : x))
UNARY(hold, x)
UNARY_OVER(exp, ev_vector_exp)
UNARY_OVER(log, ev_vector_log)
UNARY_OVER(tanh, ev_vector_tanh)
UNARY_OVER(sin, ev_vector_sin)
UNARY_OVER(cos, ev_vector_cos)

/* sqrt sets errno, so no compiler is promised that this loop vectorises. */
static void sqrt_v(size_t n, const double *a, const double *b, double *out)
{
    (void)b;
    for (size_t i = 0; i < n; i++)
        out[i] = sqrt(a[i]);
}

/* log(1 + t) for 0 <= t <= 1, to a few units in the last place: log(u) t / (u - 1) with
 * u = 1 + t rounded, the error of u cancelling (W. Kahan).  out may be t. */
static void log1p_of_fraction(size_t n, const double *t, double *out)
{
    double u[EV_BLOCK], log_u[EV_BLOCK];
    u[0] = 0;
    for (size_t i = 0; i < n; i++)
        u[i] = 1 + t[i];
    ev_vector_log(n, u, log_u);
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = u[i] == 1 ? t[i] : log_u[i] * (t[i] / (u[i] - 1));
}

static void sigmoid_v(size_t n, const double *a, const double *b, double *out)
{
    (void)b;
    double e[EV_BLOCK];
    e[0] = 0;
    for (size_t i = 0; i < n; i++)
        e[i] = -fabs(a[i]);
    ev_vector_exp(n, e, e);
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = (a[i] >= 0 ? 1 : e[i]) / (1 + e[i]);
}

static void softplus_v(size_t n, const double *a, const double *b, double *out)
{
    (void)b;
    double e[EV_BLOCK];
    e[0] = 0;
    for (size_t i = 0; i < n; i++)
        e[i] = -fabs(a[i]);
    ev_vector_exp(n, e, e);
    log1p_of_fraction(n, e, e);
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = (a[i] > 0 ? a[i] : 0) + e[i];
}

/* max + log(1 + e^(min - max)); an infinite maximum is the answer. */
static void log_add_exp_vv(size_t n, const double *a, const double *b, double *out)
{
    double high[EV_BLOCK], e[EV_BLOCK];
    e[0] = 0;
    for (size_t i = 0; i < n; i++) {
        const double x = a[i], y = b[i];
        high[i] = x > y ? x : (x <= y ? y : x + y);
        const double low = x > y ? y : x;
        e[i] = high[i] == -HUGE_VAL || high[i] == HUGE_VAL ? -HUGE_VAL : low - high[i];
    }
    ev_vector_exp(n, e, e);
    log1p_of_fraction(n, e, e);
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = high[i] + e[i];
}

static void spread(size_t n, double x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = x;
}

static void log_add_exp_vs(size_t n, const double *a, const double *b, double *out)
{
    double y[EV_BLOCK];
    spread(n, b[0], y);
    log_add_exp_vv(n, a, y, out);
}

static void log_add_exp_sv(size_t n, const double *a, const double *b, double *out)
{
    log_add_exp_vs(n, b, a, out);
}

static void xlogy_vv(size_t n, const double *a, const double *b, double *out)
{
    double l[EV_BLOCK];
    ev_vector_log(n, b, l);
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = a[i] == 0 ? 0 : a[i] * l[i];
}

static void xlogy_vs(size_t n, const double *a, const double *b, double *out)
{
    const double l = log(b[0]);
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = a[i] == 0 ? 0 : a[i] * l;
}

static void xlogy_sv(size_t n, const double *a, const double *b, double *out)
{
    const double x = a[0];
    if (x == 0) {
        spread(n, 0, out);
        return;
    }
    ev_vector_log(n, b, out);
    mul_sv(n, &x, out, out);
}

static void pow_vv(size_t n, const double *a, const double *b, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = ev_number_value(EV_OP_POW, a[i], b[i]);
}

static void pow_sv(size_t n, const double *a, const double *b, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = ev_number_value(EV_OP_POW, a[0], b[i]);
}

/* The exponent is the same for all: small integer ones by squaring, in the order of
 * ev_number_value. */
static void pow_vs(size_t n, const double *a, const double *b, double *out)
{
    const double exponent = b[0];
    if (exponent == 2) {
        mul_vv(n, a, a, out);
        return;
    }
    if (!ev_number_is_small_power(exponent)) {
        for (size_t i = 0; i < n; i++)
            out[i] = ev_number_value(EV_OP_POW, a[i], exponent);
        return;
    }
    const unsigned power = (unsigned)exponent;
    unsigned bit = 16;
    while (bit > power)
        bit /= 2;
    double y[EV_BLOCK];
    memcpy(y, a, n * sizeof *y);
    while ((bit /= 2) != 0) {
        if (power & bit) {
#pragma omp simd
            for (size_t i = 0; i < n; i++)
                y[i] = y[i] * y[i] * a[i];
        } else {
            mul_vv(n, y, y, y);
        }
    }
    memcpy(out, y, n * sizeof *y);
}

static const ev_kernel kernels[EV_OP_EXPECT][EV_FORMS] = {
    [EV_OP_ADD] = {add_vv, add_vs, add_sv},
    [EV_OP_SUB] = {sub_vv, sub_vs, sub_sv},
    [EV_OP_MUL] = {mul_vv, mul_vs, mul_sv},
    [EV_OP_DIV] = {div_vv, div_vs, div_sv},
    [EV_OP_NEG] = {neg_v},
    [EV_OP_POW] = {pow_vv, pow_vs, pow_sv},
    [EV_OP_EXP] = {exp_v},
    [EV_OP_LOG] = {log_v},
    [EV_OP_SQRT] = {sqrt_v},
    [EV_OP_TANH] = {tanh_v},
    [EV_OP_SIN] = {sin_v},
    [EV_OP_COS] = {cos_v},
    [EV_OP_SIGMOID] = {sigmoid_v},
    [EV_OP_SOFTPLUS] = {softplus_v},
    [EV_OP_ABS] = {abs_v},
    [EV_OP_MAX] = {max_vv, max_vs, max_sv},
    [EV_OP_MIN] = {min_vv, min_vs, min_sv},
    [EV_OP_STEP] = {step_v},
    [EV_OP_HOLD] = {hold_v},
    [EV_OP_XLOGY] = {xlogy_vv, xlogy_vs, xlogy_sv},
    [EV_OP_LOG_ADD_EXP] = {log_add_exp_vv, log_add_exp_vs, log_add_exp_sv},
};

ev_kernel ev_kernel_find(ev_op op, ev_form form)
{
    return op < EV_OP_EXPECT ? kernels[op][form] : NULL;
}

ev_kernel ev_kernel_zero_product(ev_form form)
{
    static const ev_kernel forms[EV_FORMS] = {zero_product_vv, zero_product_vs, zero_product_sv};
    return forms[form];
}

void ev_kernel_accumulate(size_t n, const double *a, const double *b, double *out)
{
    const double weight = b[0];
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] += weight * a[i];
}
