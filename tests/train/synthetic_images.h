/* A source of images without files: pixels are a function of the place in the epoch's order, which is
 * a rotation of the file's that depends on the epoch. */
#ifndef EV_TESTS_TRAIN_SYNTHETIC_IMAGES_H
#define EV_TESTS_TRAIN_SYNTHETIC_IMAGES_H

#include "train/image_source.h"

#include <math.h>

enum { SYNTHETIC_COUNT = 60, SYNTHETIC_PIXELS = 12 };

/* Three kinds of images, each a bump at a place of its own, of varying height. */
static void synthetic_in_order(void *context, size_t first, size_t n, float *x)
{
    (void)context;
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < SYNTHETIC_PIXELS; d++) {
            size_t image = first + i;
            double off = (double)d - 2.0 - 4.0 * (double)(image % 3);
            x[i * SYNTHETIC_PIXELS + d] = (float)((0.6 + 0.4 * sin(1.7 * (double)image)) *
                                                  exp(-0.5 * off * off));
        }
}

static void synthetic_shuffled(void *context, uint64_t epoch, size_t first, size_t n, float *x)
{
    for (size_t i = 0; i < n; i++)
        synthetic_in_order(context, (first + i + 7 * (size_t)epoch) % SYNTHETIC_COUNT, 1,
                           x + i * SYNTHETIC_PIXELS);
}

static void synthetic_places(void *context, uint64_t epoch, size_t first, size_t n, uint32_t *index)
{
    (void)context;
    for (size_t i = 0; i < n; i++)
        index[i] = (uint32_t)((first + i + 7 * (size_t)epoch) % SYNTHETIC_COUNT);
}

static const ev_image_source SYNTHETIC_IMAGES = {.count = SYNTHETIC_COUNT,
                                                 .pixels = SYNTHETIC_PIXELS,
                                                 .shuffled = synthetic_shuffled,
                                                 .in_order = synthetic_in_order,
                                                 .places = synthetic_places};

#endif
