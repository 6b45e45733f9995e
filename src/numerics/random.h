/* Counter-based random streams: Random123's Philox4x32-10.
 *
 * A stream is a pure function from a counter to numbers: element i of a stream is
 * the same whoever asks for it, in whatever order and on whatever thread.
 * J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11.
 *
 *   ev_stream s = ev_stream_make(seed, ev_hash_text("gaussian-expectation"), 2, 17);
 *   ev_stream_normals(&s, 0, 1000, x);
 */
#ifndef EV_NUMERICS_RANDOM_H
#define EV_NUMERICS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t key[2];    /* seed, claim, step and point: together with the other two words */
    uint32_t stream[2]; /* a bijection of (claim, step, point) for each seed */
} ev_stream;

/* The stream of one purpose.  Different (claim, step, point) give different streams. */
ev_stream ev_stream_make(uint64_t seed, uint64_t claim, uint32_t step, uint32_t point);
/* A stream of its own for each child number. */
ev_stream ev_stream_child(const ev_stream *stream, uint32_t child);
/* A stable 64-bit hash of a text (for claim ids). */
uint64_t ev_hash_text(const char *text);

/* Elements offset .. offset+n-1 of the stream's uniforms on the open interval (0,1). */
void ev_stream_uniforms(const ev_stream *stream, uint64_t offset, size_t n, double *out);
/* The same for standard normals.  Uniforms and normals of one stream are not
 * independent of each other: take a child stream for each. */
void ev_stream_normals(const ev_stream *stream, uint64_t offset, size_t n, double *out);

#endif
