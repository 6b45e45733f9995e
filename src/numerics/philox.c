#include "numerics/philox.h"

#define LOW_WORD UINT64_C(0xffffffff)

/* Each 32-bit word sits in a 64-bit lane: the products need 64 bits, and lanes of one
 * width need no shuffles between rounds. */
void ev_philox_block(const uint32_t key[2], const uint32_t stream[2], uint64_t first, size_t count,
                     uint64_t *restrict low, uint64_t *restrict high)
{
    const uint64_t stream0 = stream[0], stream1 = stream[1];
    for (size_t l = 0; l < count; l++) {
        uint64_t counter = first + l;
        uint64_t a = counter & LOW_WORD, b = counter >> 32, c = stream0, d = stream1;
        uint32_t key0 = key[0], key1 = key[1];
        for (int round = 0; round < 10; round++) {
            uint64_t p = a * 0xD2511F53u, q = c * 0xCD9E8D57u;
            a = (q >> 32) ^ b ^ key0;
            b = q & LOW_WORD;
            c = (p >> 32) ^ d ^ key1;
            d = p & LOW_WORD;
            key0 += 0x9E3779B9u;
            key1 += 0xBB67AE85u;
        }
        low[l] = a | b << 32;
        high[l] = c | d << 32;
    }
}
