/* The images of a convolution as its inner loops read them: each in a frame of zeros as wide as the
 * taps reach, so that no place is special.  Private to src/nn. */
#ifndef EV_NN_CONV_FRAME_H
#define EV_NN_CONV_FRAME_H

#include "nn/conv.h"

/* How many rows, and columns, of zeros come before the image; the extents with all of them; the floats
 * from one pixel to the next. */
typedef struct {
    size_t before, height, width, channels, pixel;
} ev_conv_frame;

/* Of x as the places of the coarser side see it, and of y as the pixels of the finer one do: a pixel in
 * row h sees the rows i - (k-1)/s .. i of y, with i = floor((h + p)/s). */
ev_conv_frame ev_conv_fine_frame(const ev_conv *conv);
ev_conv_frame ev_conv_coarse_frame(const ev_conv *conv);
/* For a reader who takes many pixels, a few channels of each: pixels are set apart by an odd number of
 * cache lines, for a power of two would put them all in the same few sets of a cache. */
ev_conv_frame ev_conv_frame_apart(ev_conv_frame frame);

/* Floats of one image in its frame. */
size_t ev_conv_frame_size(const ev_conv_frame *frame);
/* x (images,height,width,channels) in frames, in memory of as many frames; x itself where they add
 * nothing to it. */
const float *ev_conv_framed(const ev_conv_frame *frame, size_t images, size_t height, size_t width,
                            const float *x, float *memory);

#endif
