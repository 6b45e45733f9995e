/* Streams and their numbers.
 *
 * 1. A stream is a Philox key and half a counter, together the image of (claim, step,
 *    point) under Philox keyed by the seed.  Philox is a bijection for each key, so
 *    different triples can't share a stream; nor can different children of one stream.
 * 2. Counter g of a stream gives two 64-bit words.  Counters come in groups of LANES:
 *    the first words make elements 16 g .. 16 g + 7, the second words the next eight,
 *    so that whole lanes are stored together.
 * 3. Uniforms are (2 k + 1) 2^-53 with k the word's upper 52 bits: open at both ends,
 *    exact, symmetric about 1/2.
 * 4. Normals by G. E. P. Box & M. E. Muller (Ann. Math. Stat. 29, 1958): radius from
 *    the first word, angle from the second.  The radius reaches 8.57, beyond which a
 *    normal falls once in 10^17 draws. */
#include "numerics/random.h"

#include "numerics/philox.h"
#include "numerics/vector_kernels.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>
#ifdef __AVX__
#include <immintrin.h>
#endif

enum {
    LANES = 8,         /* counters in a group */
    GROUP = 2 * LANES, /* elements in a group */
    BATCH = 128,       /* counters generated together: a multiple of LANES */
    DOMAIN_CHILD = 0x43484c44
};

static ev_stream stream_of_words(uint64_t low, uint64_t high)
{
    return (ev_stream){{(uint32_t)low, (uint32_t)(low >> 32)},
                       {(uint32_t)high, (uint32_t)(high >> 32)}};
}

ev_stream ev_stream_make(uint64_t seed, uint64_t claim, uint32_t step, uint32_t point)
{
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)}, purpose[2] = {step, point};
    uint64_t low, high;
    ev_philox_block(key, purpose, claim, 1, &low, &high);
    return stream_of_words(low, high);
}

ev_stream ev_stream_child(const ev_stream *stream, uint32_t child)
{
    uint32_t domain[2] = {child, DOMAIN_CHILD};
    uint64_t low, high;
    ev_philox_block(stream->key, domain, stream->stream[0] | (uint64_t)stream->stream[1] << 32, 1,
                    &low, &high);
    return stream_of_words(low, high);
}

/* FNV-1a, then the finaliser of splitmix64, whose avalanche FNV lacks. */
uint64_t ev_hash_text(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const unsigned char *c = (const unsigned char *)text; *c != 0; c++)
        hash = (hash ^ *c) * UINT64_C(0x100000001b3);
    hash = (hash ^ (hash >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
    return hash ^ (hash >> 31);
}

/* The top 52 bits k as 1 + k 2^-52, less 1 - 2^-53: exact. */
static inline double open_uniform(uint64_t word)
{
    return ev_double_of((word >> 12) | UINT64_C(0x3ff0000000000000)) - (1.0 - 0x1p-53);
}

static void uniforms_of_words(size_t count, const uint64_t *low, const uint64_t *high,
                              double *first, double *second)
{
    for (size_t l = 0; l < count; l++) {
        first[l] = open_uniform(low[l]);
        second[l] = open_uniform(high[l]);
    }
}

/* sqrt is correctly rounded everywhere, so the two ways agree to the bit; the intrinsic is there
 * because errno keeps compilers from vectorising the call.  count is a multiple of LANES. */
static void square_roots(size_t count, double *x)
{
#ifdef __AVX__
    for (size_t l = 0; l < count; l += 4)
        _mm256_storeu_pd(x + l, _mm256_sqrt_pd(_mm256_loadu_pd(x + l)));
#else
    for (size_t l = 0; l < count; l++)
        x[l] = sqrt(x[l]);
#endif
}

/* 4 atanh(s)/s for z = s^2: ev_log_polynomial's, doubled and with 4 added. */
static inline double four_atanh(double z)
{
    double p = ev_multiply_add(z, 2.959639721021317176e-01, 3.062767539841874664e-01);
    p = ev_multiply_add(z, p, 3.636714432323610024e-01);
    p = ev_multiply_add(z, p, 4.444439686429956792e-01);
    p = ev_multiply_add(z, p, 5.714285748732478298e-01);
    p = ev_multiply_add(z, p, 7.999999999881883816e-01);
    p = ev_multiply_add(z, p, 1.333333333333347026e+00);
    return ev_multiply_add(z, p, 4.0);
}

/* -2 log v for 2^-53 <= v < 1, to 2 ulp: ev_log_kernel's reduction and polynomial, without the
 * care that a last bit of the logarithm would want; its square root halves the error. */
static inline double minus_two_log(double v)
{
    uint64_t moved = ev_bits_of(v) + EV_LOG_MOVE;
    double k = ev_double_of((moved >> 52) | ev_bits_of(EV_TWO52)) - (EV_TWO52 + 1023.0);
    double f = ev_double_of((moved & EV_MANTISSA) + EV_HALF_ROOT) - 1.0;
    double s = f / (2.0 + f);
    return -ev_multiply_add(s, four_atanh(s * s), 1.38629436111989061883 * k);
}

/* Four times open_uniform, exact: the turn in quarters. */
static inline double open_quarters(uint64_t word)
{
    return ev_double_of((word >> 12) | UINT64_C(0x4010000000000000)) - (4.0 - 0x1p-51);
}

/* first = r cos 2 pi u, second = r sin 2 pi u, r = sqrt(-2 log v).  The turn u is
 * reduced exactly to quarter q plus a rest of at most an eighth of a turn.  cos is negative in
 * quarters 1 and 2, sin in 2 and 3; in the odd ones they change places. */
static void normals_of_words(size_t count, const uint64_t *low, const uint64_t *high, double *first,
                             double *second)
{
    const uint64_t sign = UINT64_C(1) << 63;
    double radius[BATCH];
    for (size_t l = 0; l < count; l++)
        radius[l] = minus_two_log(open_uniform(low[l]));
    square_roots(count, radius);
    for (size_t l = 0; l < count; l++) {
        double turn = open_quarters(high[l]), shifted = turn + EV_ROUNDER;
        double rest = turn - (shifted - EV_ROUNDER);
        uint64_t quarter = ev_bits_of(shifted), odd = UINT64_C(0) - (quarter & 1);
        uint64_t sine = ev_bits_of(ev_sin_quarter(rest));
        uint64_t cosine = ev_bits_of(ev_cos_quarter(rest));
        uint64_t swap = (sine ^ cosine) & odd;
        uint64_t sin_sign = (quarter << 62) & sign, cos_sign = sin_sign ^ (quarter << 63);
        first[l] = radius[l] * ev_double_of(cosine ^ swap ^ cos_sign);
        second[l] = radius[l] * ev_double_of(sine ^ swap ^ sin_sign);
    }
}

typedef void (*transform)(size_t count, const uint64_t *low, const uint64_t *high, double *first,
                          double *second);

/* out: (groups * GROUP), the elements in their order. */
static void interleave(size_t groups, const double *first, const double *second, double *out)
{
    for (size_t g = 0; g < groups; g++) {
        memcpy(out + g * GROUP, first + g * LANES, LANES * sizeof *out);
        memcpy(out + g * GROUP + LANES, second + g * LANES, LANES * sizeof *out);
    }
}

/* Whole groups are made, and the elements asked for copied out of them. */
static void fill(const ev_stream *stream, uint64_t offset, size_t n, double *out, transform make)
{
    uint64_t low[BATCH], high[BATCH];
    double first[BATCH], second[BATCH], whole[2 * BATCH];
    uint64_t group = offset / GROUP;
    size_t skip = (size_t)(offset % GROUP);
    while (n > 0) {
        size_t groups = (skip + n + GROUP - 1) / GROUP;
        groups = groups < BATCH / LANES ? groups : BATCH / LANES;
        size_t made = groups * GROUP - skip, take = n < made ? n : made;
        bool direct = skip == 0 && take == made;
        ev_philox_block(stream->key, stream->stream, group * LANES, groups * LANES, low, high);
        make(groups * LANES, low, high, first, second);
        interleave(groups, first, second, direct ? out : whole);
        if (!direct)
            memcpy(out, whole + skip, take * sizeof *out);
        out += take;
        n -= take;
        skip = 0;
        group += groups;
    }
}

void ev_stream_uniforms(const ev_stream *stream, uint64_t offset, size_t n, double *out)
{
    fill(stream, offset, n, out, uniforms_of_words);
}

void ev_stream_normals(const ev_stream *stream, uint64_t offset, size_t n, double *out)
{
    fill(stream, offset, n, out, normals_of_words);
}
