/* One convolution of a piece of the batch, as a sweep over places that all see runs of their input
 * through the same weights (conv_kernels.h).  Private to src/nn. */
#ifndef EV_NN_CONV_PASS_H
#define EV_NN_CONV_PASS_H

#include "nn/conv_kernels.h"

#include <stdbool.h>
#include <stddef.h>

/* The places of an image that one set of strips serves: where their runs begin in the input's frame and
 * where they go in the output, both counted in floats from the image's first. */
typedef struct {
    size_t rows, columns;
    size_t in, in_row, in_column, out, out_row, out_column;
    ev_conv_runs runs;
    const float *strips;
} ev_conv_pass;

/* What is read and what is written, an image's floats of each; the output's channels. */
typedef struct {
    const float *in;
    float *out;
    size_t images, in_size, out_size, channels;
} ev_conv_block;

/* What is done to a sum before it is written: a bias, a ReLU, or a ReLU's derivative where the
 * activation, of the output's shape, is given. */
typedef struct {
    const float *bias;
    bool relu;
    const float *activation;
} ev_conv_finish;

/* n up to whole strips of lanes. */
size_t ev_conv_whole(size_t n);
/* A matrix (rows,width) in strips, each (rows,EV_CONV_LANES), with zeros where there is no column. */
void ev_conv_cut(size_t rows, size_t width, const float *matrix, float *strips);
/* What remains to be done to the strips of a pass once they are cut; few channels have an order of their
 * own. */
void ev_conv_pass_order(const ev_conv_runs *runs, size_t channels, float *strips);

/* The bias in `last` has whole strips, 0 where there is no channel. */
void ev_conv_pass_run(const ev_conv_pass *pass, const ev_conv_block *block,
                      const ev_conv_finish *last);

#endif
