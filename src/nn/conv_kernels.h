/* The inner products of conv.c, over arrays laid out so that no step of them branches.  Private to
 * src/nn.
 *
 * A place of the output sees runs of the input: `count` stretches of `length` consecutive floats,
 * `step` apart.  Those of a convolution are the rows of its kernel, of k C floats each.  Weights
 * are cut into strips of EV_CONV_LANES columns, each strip (taps, EV_CONV_LANES), zeros where there
 * is no column.
 *
 * Products are fused with their sums here (the file is compiled with contraction on): one rounding
 * less, and half the instructions. */
#ifndef EV_NN_CONV_KERNELS_H
#define EV_NN_CONV_KERNELS_H

#include <stddef.h>

/* As many places at once as registers hold the sums of; columns that are narrow, and the taps that
 * are then taken at once. */
enum { EV_CONV_PLACES = 6, EV_CONV_LANES = 16, EV_CONV_NARROW = 2, EV_CONV_TAPS = 8 };

typedef struct {
    size_t count, step, length;
} ev_conv_runs;

/* sum[i][f] = bias[f] + sum over the taps t that place i sees of in[i][t] strip[t][f]. */
void ev_conv_products(const ev_conv_runs *runs, const float *const in[EV_CONV_PLACES],
                      const float *strip, const float bias[EV_CONV_LANES],
                      float sum[EV_CONV_PLACES * EV_CONV_LANES]);

/* The same for EV_CONV_NARROW columns, where most lanes would be idle: they run over the taps.  runs'
 * length is a multiple of EV_CONV_TAPS.  strip: for each EV_CONV_TAPS taps those of one column, then of
 * the other.  sum (EV_CONV_PLACES, EV_CONV_LANES), of which the first columns are written. */
void ev_conv_narrow_products(const ev_conv_runs *runs, const float *const in[EV_CONV_PLACES],
                             const float *strip, const float bias[EV_CONV_NARROW],
                             float sum[EV_CONV_PLACES * EV_CONV_LANES]);

/* The places of some images, of which (b,i,j) begins at b image + i row + j column. */
typedef struct {
    size_t images, rows, columns, image, row, column;
} ev_conv_grid;

/* sum[i][f] += sum over the places of x[place + tap[i]] strip[place][f]: strip has EV_CONV_LANES
 * floats for each place, in order, and sum rows of `width`. */
void ev_conv_outer_products(const ev_conv_grid *grid, const float *x,
                            const size_t tap[EV_CONV_PLACES], const float *strip, size_t width,
                            float *sum);

#endif
