/* Where a trainer's images come from.  An image is D floats in [0,1]; that is all there is: labels
 * can't reach a trainer through this door. */
#ifndef EV_TRAIN_IMAGE_SOURCE_H
#define EV_TRAIN_IMAGE_SOURCE_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t count;  /* images */
    size_t pixels; /* D */
    /* x (n,D): the images at places first .. first+n-1 of the epoch's order.  A function of its
     * arguments, so that any batch can be had again. */
    void (*shuffled)(void *context, uint64_t epoch, size_t first, size_t n, float *x);
    /* The same in the order of the file. */
    void (*in_order)(void *context, size_t first, size_t n, float *x);
    /* index (n): their places in the order of the file. */
    void (*places)(void *context, uint64_t epoch, size_t first, size_t n, uint32_t *index);
    void *context;
} ev_image_source;

#endif
