/* The inner functions of float_math.c: one element, no branches, made to be inlined into loops that
 * the compiler vectorises.  Private to src/nn and src/models. */
#ifndef EV_NN_FLOAT_KERNELS_H
#define EV_NN_FLOAT_KERNELS_H

#include <stdint.h>
#include <string.h>

static inline uint32_t ev_float_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float ev_float_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* e^x = 2^k e^r, k = x/log 2 to the nearest, |r| <= log(2)/2 = 0.347.  log 2 is subtracted in two
 * parts, the first of 9 bits, so that k times it is exact.  Taylor's polynomial of degree 7 leaves
 * r^8/8! < 6e-9.  x is held to [-87, 89]: below -86.9 the result is made 0; above, the scaling in
 * two steps overflows to infinity. */
static inline float ev_exp_float(float x)
{
    const float rounder = 0x1.8p23F;
    float held = x > 89.0F ? 89.0F : x; /* a NaN passes both */
    held = held < -87.0F ? -87.0F : held;
    float shifted = held * 1.44269504F + rounder, k = shifted - rounder;
    float r = (held - k * 0.693359375F) + k * 2.12194440e-4F;
    float p = 1.0F / 720 + r * (1.0F / 5040);
    p = 1.0F / 120 + r * p;
    p = 1.0F / 24 + r * p;
    p = 1.0F / 6 + r * p;
    p = 0.5F + r * p;
    p = 1.0F + (r + r * r * p);
    /* 2^k as 2^(k-1) times 2: k = 128 would not fit the exponent's field. */
    uint32_t exponent = (ev_float_bits(shifted) + 126U) << 23;
    float y = p * ev_float_of_bits(exponent) * 2.0F;
    return x < -86.9F ? 0.0F : y;
}

/* log(1 + u) for 0 <= u <= 1, as 2 atanh s with s = u/(2 + u) <= 1/3: the first term left out is
 * below s^16/17 = 1.4e-9 of the result, which is relative to u however small u is. */
static inline float ev_log1p_unit_float(float u)
{
    float s = u / (2.0F + u), z = s * s;
    float p = 1.0F / 13 + z * (1.0F / 15);
    p = 1.0F / 11 + z * p;
    p = 1.0F / 9 + z * p;
    p = 1.0F / 7 + z * p;
    p = 1.0F / 5 + z * p;
    p = 1.0F / 3 + z * p;
    return 2.0F * s + 2.0F * s * z * p;
}

/* log x for normal x > 0: x = 2^k (1 + f), sqrt(1/2) <= 1 + f < sqrt 2, and log(1 + f) = 2 atanh s,
 * s = f/(2 + f), |s| < 0.172: the first term left out is below s^12/13 = 5e-11. */
static inline float ev_log_float(float x)
{
    const uint32_t root_half = 0x3f3504f3U, one = 0x3f800000U;
    uint32_t moved = ev_float_bits(x) + (one - root_half);
    float k = (float)(int32_t)(moved >> 23) - 127.0F;
    float f = ev_float_of_bits((moved & 0x7fffffU) + root_half) - 1.0F;
    float s = f / (2.0F + f), z = s * s;
    float p = 1.0F / 9 + z * (1.0F / 11);
    p = 1.0F / 7 + z * p;
    p = 1.0F / 5 + z * p;
    p = 1.0F / 3 + z * p;
    return (k * 0.693359375F + (2.0F * s + (2.0F * s * z * p - k * 2.12194440e-4F)));
}

/* log(1 + e^x) = max(x, 0) + log(1 + e^-|x|). */
static inline float ev_softplus_float(float x)
{
    float size = x < 0.0F ? -x : x, e = ev_exp_float(-size);
    return (x > 0.0F ? x : 0.0F) + ev_log1p_unit_float(e);
}

/* From e^-|x| too, so that neither end loses digits. */
static inline float ev_sigmoid_float(float x)
{
    float size = x < 0.0F ? -x : x, e = ev_exp_float(-size);
    return (x < 0.0F ? e : 1.0F) / (1.0F + e);
}

#endif
