/* IDX files, plain or gzipped: arrays of unsigned bytes, as the MNIST family is distributed.
 *
 *   bytes 0-1  0      byte 2  type, 0x08 = unsigned byte     byte 3  rank
 *   then rank sizes, 32-bit big-endian, then the values, row-major.
 *
 * Files are untrusted: the header decides how much is read, and a file that holds less, or more, is
 * refused with its name and the byte where it goes wrong.  Whether a file is gzipped is seen from
 * its first bytes, whatever its name.
 *
 *   ev_idx images;
 *   if (ev_idx_read("train-images-idx3-ubyte.gz", 3, &images, &error) == EV_OK)
 *       ...                    // images.shape[0] images of shape[1] x shape[2] pixels
 *   ev_idx_free(&images);
 */
#ifndef EV_DATA_IDX_H
#define EV_DATA_IDX_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { EV_IDX_RANK = 4 };
/* Values in one file, and bytes of one file, at most: 1 GiB. */
#define EV_IDX_LIMIT ((size_t)1 << 30)

typedef struct {
    size_t rank;               /* 1 .. EV_IDX_RANK */
    size_t shape[EV_IDX_RANK]; /* none is 0 */
    size_t size;               /* their product */
    uint8_t *values;           /* (shape) row-major */
} ev_idx;

/* A file that must have this rank.  EV_BAD_INPUT for what is wrong with the file, EV_IO when it
 * can't be read, EV_NO_MEMORY; *idx is then empty. */
ev_status ev_idx_read(const char *path, size_t rank, ev_idx *idx, ev_error *error);
/* The same from bytes in memory; name is for messages. */
ev_status ev_idx_parse(const char *name, const uint8_t *bytes, size_t length, size_t rank,
                       ev_idx *idx, ev_error *error);
/* Frees the values; an empty one is allowed. */
void ev_idx_free(ev_idx *idx);

#endif
