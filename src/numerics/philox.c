#include "numerics/philox.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

#define LOW_WORD UINT64_C(0xffffffff)

enum { ROUNDS = 10 };
static const uint32_t multiplier[2] = {0xD2511F53u, 0xCD9E8D57u};
static const uint32_t key_step[2] = {0x9E3779B9u, 0xBB67AE85u};

/* Each 32-bit word sits in a 64-bit lane: the products need 64 bits, and lanes of one
 * width need no shuffles between rounds. */
void ev_philox_one_by_one(const uint32_t key[2], const uint32_t stream[2], uint64_t first,
                          size_t count, uint64_t *restrict low, uint64_t *restrict high)
{
    for (size_t l = 0; l < count; l++) {
        uint64_t counter = first + l;
        uint64_t a = counter & LOW_WORD, b = counter >> 32, c = stream[0], d = stream[1];
        uint32_t key0 = key[0], key1 = key[1];
        for (int round = 0; round < ROUNDS; round++) {
            uint64_t p = a * multiplier[0], q = c * multiplier[1];
            a = (q >> 32) ^ b ^ key0;
            b = q & LOW_WORD;
            c = (p >> 32) ^ d ^ key1;
            d = p & LOW_WORD;
            key0 += key_step[0];
            key1 += key_step[1];
        }
        low[l] = a | b << 32;
        high[l] = c | d << 32;
    }
}

#ifdef __AVX2__
enum { LANES = 4, PAIR = 2 };

static inline __m256i everywhere(uint32_t word) { return _mm256_set1_epi64x((long long)word); }

/* The keys of all rounds.  Compilers that meet them inside the rounds send each through memory. */
static void spread_keys(const uint32_t key[2], __m256i keys[ROUNDS][2])
{
    uint32_t key0 = key[0], key1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
        keys[round][0] = everywhere(key0);
        keys[round][1] = everywhere(key1);
        key0 += key_step[0];
        key1 += key_step[1];
    }
}

/* Four words of the state; one counter a lane. */
typedef struct {
    __m256i a, b, c, d;
} state;

/* Compilers make a full 64-bit product, of half a dozen instructions, out of what
 * _mm256_mul_epu32 does in one; and as it reads only the low halves of its lanes, the high halves
 * need no masking before the end. */
static inline state one_round(state s, const __m256i keys[2])
{
    const __m256i p = _mm256_mul_epu32(s.a, everywhere(multiplier[0]));
    const __m256i q = _mm256_mul_epu32(s.c, everywhere(multiplier[1]));
    return (state){_mm256_xor_si256(_mm256_srli_epi64(q, 32), _mm256_xor_si256(s.b, keys[0])), q,
                   _mm256_xor_si256(_mm256_srli_epi64(p, 32), _mm256_xor_si256(s.d, keys[1])), p};
}

static inline void store(const state *s, uint64_t *low, uint64_t *high)
{
    const __m256i low_words = everywhere(UINT32_MAX);
    _mm256_storeu_si256((__m256i *)low, _mm256_or_si256(_mm256_and_si256(s->a, low_words),
                                                        _mm256_slli_epi64(s->b, 32)));
    _mm256_storeu_si256((__m256i *)high, _mm256_or_si256(_mm256_and_si256(s->c, low_words),
                                                         _mm256_slli_epi64(s->d, 32)));
}

/* The first counters, in pairs of vectors, since each round waits for the one before; returns how
 * many. */
static size_t by_lanes(const uint32_t key[2], const uint32_t stream[2], uint64_t first,
                       size_t count, uint64_t *restrict low, uint64_t *restrict high)
{
    __m256i keys[ROUNDS][2];
    const __m256i c = everywhere(stream[0]), d = everywhere(stream[1]);
    __m256i counter = _mm256_add_epi64(_mm256_set1_epi64x((long long)first),
                                       _mm256_set_epi64x(3, 2, 1, 0));
    size_t l = 0;
    if (count < PAIR * LANES)
        return 0;
    spread_keys(key, keys);
    for (; l + PAIR * LANES <= count; l += PAIR * LANES) {
        const __m256i next = _mm256_add_epi64(counter, _mm256_set1_epi64x(LANES));
        state s = {counter, _mm256_srli_epi64(counter, 32), c, d};
        state t = {next, _mm256_srli_epi64(next, 32), c, d};
        for (int round = 0; round < ROUNDS; round++) {
            s = one_round(s, keys[round]);
            t = one_round(t, keys[round]);
        }
        store(&s, low + l, high + l);
        store(&t, low + l + LANES, high + l + LANES);
        counter = _mm256_add_epi64(next, _mm256_set1_epi64x(LANES));
    }
    return l;
}
#else
static size_t by_lanes(const uint32_t key[2], const uint32_t stream[2], uint64_t first,
                       size_t count, uint64_t *restrict low, uint64_t *restrict high)
{
    (void)key, (void)stream, (void)first, (void)count, (void)low, (void)high;
    return 0;
}
#endif

void ev_philox_block(const uint32_t key[2], const uint32_t stream[2], uint64_t first, size_t count,
                     uint64_t *restrict low, uint64_t *restrict high)
{
    size_t done = by_lanes(key, stream, first, count, low, high);
    ev_philox_one_by_one(key, stream, first + done, count - done, low + done, high + done);
}
