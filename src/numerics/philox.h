/* Philox4x32-10 over many counters at once.  Private to this room.
 *
 * The rounds are written out, rather than called in Random123, so that the loop over
 * counters vectorises; the tests hold them equal to Random123's philox4x32. */
#ifndef EV_NUMERICS_PHILOX_H
#define EV_NUMERICS_PHILOX_H

#include <stddef.h>
#include <stdint.h>

/* For each l < count: the words (w0, w1, w2, w3) of counter (low and high half of
 * first + l, stream[0], stream[1]) under key, as low[l] = w0 + 2^32 w1 and
 * high[l] = w2 + 2^32 w3. */
void ev_philox_block(const uint32_t key[2], const uint32_t stream[2], uint64_t first, size_t count,
                     uint64_t *restrict low, uint64_t *restrict high);

/* The same without the machine's vectors: what serves where there are none, and for what is left of
 * whole vectors. */
void ev_philox_one_by_one(const uint32_t key[2], const uint32_t stream[2], uint64_t first,
                          size_t count, uint64_t *restrict low, uint64_t *restrict high);

#endif
