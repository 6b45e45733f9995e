/* What an epoch sees: the order of the images, and their pixels as floats.
 *
 * Every number is a function of its arguments alone, so that a run that was interrupted goes on as
 * if it had not been: no state is kept between batches.
 *
 *   ev_batches_order(seed, epoch, N, order);
 *   for (size_t b = 0; b + B <= N; b += B)
 *       ev_batches_pixels(&source, epoch, D, set.train.pixels, B, order + b, x);
 */
#ifndef EV_TRAIN_BATCHES_H
#define EV_TRAIN_BATCHES_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    EV_BINARISE_NONE,   /* x = pixel/255 */
    EV_BINARISE_STATIC, /* x ~ Bernoulli(pixel/255), drawn once for the data set: the same in every
                           epoch and for every seed */
    EV_BINARISE_DYNAMIC /* drawn anew in every epoch, a function of seed, epoch, image and pixel */
} ev_binarisation;

/* "none", "static", "dynamic"; ended by NULL. */
extern const char *const ev_binarisation_names[];

/* Where pixels come from. */
typedef struct {
    ev_binarisation binarisation;
    uint64_t seed;
    uint32_t split; /* 0 train, 1 test: their draws are independent */
} ev_pixel_source;

/* order (N): a permutation of 0 .. N-1, uniform, one for each seed and epoch. */
void ev_batches_order(uint64_t seed, uint64_t epoch, size_t N, uint32_t *order);
/* x (B,D) from images index[0 .. B) of pixels (N,D).  index NULL: the first B images. */
void ev_batches_pixels(const ev_pixel_source *source, uint64_t epoch, size_t D,
                       const uint8_t *pixels, size_t B, const uint32_t *index, float *x);

#endif
