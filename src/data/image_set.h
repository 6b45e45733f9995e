/* A folder of images in the manner of MNIST:
 *
 *   train-images-idx3-ubyte, t10k-images-idx3-ubyte      and, optional,
 *   train-labels-idx1-ubyte, t10k-labels-idx1-ubyte      each plain or with .gz
 *
 * Train and test stay apart: nothing here ever joins them.
 *
 *   ev_image_set set;
 *   if (ev_image_set_read(ev_image_set_default_folder(), &set, &error) == EV_OK)
 *       ...                    // set.train.pixels is (N,D)
 *   ev_image_set_free(&set);
 */
#ifndef EV_DATA_IMAGE_SET_H
#define EV_DATA_IMAGE_SET_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { EV_IMAGE_PIXELS = 1 << 16 }; /* of one image, at most */

typedef struct {
    size_t N;        /* images, at least 1 */
    uint8_t *pixels; /* (N,D) row-major, 0 .. 255 */
    uint8_t *labels; /* (N); NULL when the folder has none */
    size_t classes;  /* 1 + the largest label; 0 without labels */
    uint32_t
        checksum; /* CRC-32 of the pixels: a run can tell whether its data are still the same */
} ev_image_split;

typedef struct {
    size_t height, width, D; /* D = height width, the same for train and test */
    ev_image_split train, test;
} ev_image_set;

/* Both splits.  Labels are read where they are there; their number must be the number of images.
 * EV_BAD_INPUT names the file and what is wrong with it; for the default folder, also the package
 * that brings it.  On failure *set is empty. */
ev_status ev_image_set_read(const char *folder, ev_image_set *set, ev_error *error);
/* Frees the arrays; an empty set is allowed. */
void ev_image_set_free(ev_image_set *set);

/* Where Fashion-MNIST is, as the build was told (make DATASET=...); "" if it was told nothing. */
const char *ev_image_set_default_folder(void);

#endif
