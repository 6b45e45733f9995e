/* Small random rotations, shifts and zooms of images: what an autoencoder is to undo, and what the loss
 * with held clusters is to see the same cluster in, so that a code tells shapes apart and not positions
 * (P. Simard, D. Steinkraus & J. C. Platt, ICDAR 2003, warp for classifiers; P. Vincent et al., JMLR 11, 2010, restore the clean image).
 *
 *   out(r, c) = x at (s R(a) (c - c0, r - r0) + (dx, dy)), about the centre (c0, r0), by bilinear
 *               interpolation; 0 outside the image
 *   a  uniform within +-degrees     dx, dy  uniform within +-pixels     s  uniform within 1 +- zoom
 *
 * A function of the stream and the image's place in the batch.
 */
#ifndef EV_TRAIN_WARP_H
#define EV_TRAIN_WARP_H

#include "numerics/random.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    double degrees, pixels, zoom; /* the widest of each, all 0 or more; zoom below 1 */
} ev_warp;

/* Does it change anything? */
bool ev_warp_moves(const ev_warp *warp);
/* x, out (B, height width), apart from each other.  Image b takes elements 4b .. 4b+3 of the stream. */
void ev_warp_images(const ev_warp *warp, const ev_stream *stream, size_t B, size_t height,
                    size_t width, const float *x, float *out);

#endif
