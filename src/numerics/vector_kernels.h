/* The inner functions of vector_math.c and random_normals.c: one element, no branches,
 * made to be inlined into loops that the compiler vectorises.  Private to this room.
 *
 * The argument reductions and the polynomials are those of Sun's fdlibm (K. C. Ng,
 * 1993), whose error bounds (below 1 ulp) assume plain IEEE arithmetic: compile
 * without contraction to fused multiply-adds. */
#ifndef EV_NUMERICS_VECTOR_KERNELS_H
#define EV_NUMERICS_VECTOR_KERNELS_H

#include <stdint.h>
#include <string.h>

static inline uint64_t ev_bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double ev_double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#define EV_TWO52 0x1p52
/* Adding this rounds a double below 2^51 in size to an integer, held in the low bits. */
#define EV_ROUNDER 0x1.8p52
#define EV_LN2_HIGH 6.93147180369123816490e-01 /* 32 bits: k * EV_LN2_HIGH is exact */
#define EV_LN2_LOW 1.90821492927058770002e-10

/* Adding EV_LOG_MOVE, 1 less the high word of sqrt 1/2, makes the exponent step at sqrt 2, not
 * at 2; a mantissa of what results, plus EV_HALF_ROOT, is a number in [sqrt 1/2, sqrt 2). */
#define EV_HALF_ROOT UINT64_C(0x3fe6a09e00000000)
#define EV_LOG_MOVE (UINT64_C(0x3ff0000000000000) - EV_HALF_ROOT)
#define EV_MANTISSA UINT64_C(0x000fffffffffffff)

/* 2 atanh(s)/s - 2 for z = s^2, s = f/(2 + f), sqrt(1/2) <= 1 + f < sqrt 2. */
static inline double ev_log_polynomial(double z)
{
    double w = z * z;
    double even = w * (3.999999999940941908e-01 +
                       w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    double odd = z * (6.666666666666735130e-01 +
                      w * (2.857142874366239149e-01 +
                           w * (1.818357216161805012e-01 + w * 1.479819860510658591e-01)));
    return even + odd;
}

/* log x = k ln 2 + log(1 + f) for normal x > 0, with x = 2^k (1 + f), sqrt(1/2) <= 1 + f
 * < sqrt 2; log(1 + f) = 2 atanh s, s = f/(2 + f).  exponent_shift is added to k. */
static inline double ev_log_kernel(double x, double exponent_shift)
{
    uint64_t moved = ev_bits_of(x) + EV_LOG_MOVE;
    double k = ev_double_of((moved >> 52) | ev_bits_of(EV_TWO52)) - EV_TWO52 - 1023.0 +
               exponent_shift;
    double f = ev_double_of((moved & EV_MANTISSA) + EV_HALF_ROOT) - 1.0;
    double s = f / (2.0 + f);
    double half_square = 0.5 * f * f;
    return k * EV_LN2_HIGH -
           ((half_square - (s * (half_square + ev_log_polynomial(s * s)) + k * EV_LN2_LOW)) - f);
}

/* exp x for -746 <= x <= 710 and NaN: x = k ln 2 + r, exp r = 1 + r + r c/(2 - c), then
 * two scalings by powers of two, so that overflow and gradual underflow come out right. */
static inline double ev_exp_kernel(double x)
{
    double shifted = x * 1.44269504088896338700e+00 + EV_ROUNDER;
    double k = shifted - EV_ROUNDER;
    double high = x - k * EV_LN2_HIGH, low = k * EV_LN2_LOW;
    double r = high - low, t = r * r;
    double c = r -
               t * (1.66666666666666019037e-01 +
                    t * (-2.77777777770155933842e-03 +
                         t * (6.61375632143793436117e-05 +
                              t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))));
    double y = 1.0 - ((low - (r * c) / (2.0 - c)) - high);
    /* k = first + second; 1023 + first and 1023 + second are valid exponents.  The
     * low bits of shifted hold k in two's complement; 2048 keeps the halving positive. */
    uint64_t biased = (ev_bits_of(shifted) + 2048) & 0xfff;
    uint64_t first = biased >> 1, second = biased - first;
    return y * ev_double_of((first - 1) << 52) * ev_double_of((second - 1) << 52);
}

/* x y + z: rounded once where the machine can, for draws, whose last bit does not matter. */
static inline double ev_multiply_add(double x, double y, double z)
{
#ifdef __FMA__
    return __builtin_fma(x, y, z);
#else
    return x * y + z;
#endif
}

/* sin and cos of r quarter turns, |r| <= 1/2: fdlibm's polynomials with the powers of pi/2 in their
 * coefficients, to 1.5 ulp. */
static inline double ev_sin_quarter(double r)
{
    double z = r * r;
    double p = ev_multiply_add(z, 5.6347041138847509518e-08, -3.5986495702406919016e-06);
    p = ev_multiply_add(z, p, 1.6044115266738095834e-04);
    p = ev_multiply_add(z, p, -4.6817541326259334138e-03);
    p = ev_multiply_add(z, p, 7.9692626246063343923e-02);
    p = ev_multiply_add(z, p, -6.459640975062449269e-01);
    return r * ev_multiply_add(z, p, 1.5707963267948966192);
}

static inline double ev_cos_quarter(double r)
{
    double z = r * r;
    double p = ev_multiply_add(z, -6.3247466788660698911e-09, 4.7106415058035018794e-07);
    p = ev_multiply_add(z, p, -2.5202037916917742371e-05);
    p = ev_multiply_add(z, p, 9.1926027439055337847e-04);
    p = ev_multiply_add(z, p, -2.0863480763330759822e-02);
    p = ev_multiply_add(z, p, 2.5366950790104761936e-01);
    p = ev_multiply_add(z, p, -1.2337005501361698274);
    return ev_multiply_add(z, p, 1.0);
}

#endif
