/* The images of a split (data/image_set.h) as a trainer's source: shuffled anew in every epoch, made
 * binary or not (batches.h).  The split's labels are not passed on. */
#ifndef EV_TRAIN_SPLIT_SOURCE_H
#define EV_TRAIN_SPLIT_SOURCE_H

#include "data/image_set.h"
#include "train/batches.h"
#include "train/image_source.h"

#include <stdbool.h>

typedef struct {
    ev_image_source source; /* give this to a trainer; its context is this very structure */
    const uint8_t *pixels;  /* (N,D) the split's */
    ev_pixel_source how;
    uint32_t *order; /* (N) of `epoch`, once `ordered` */
    uint64_t epoch;
    bool ordered;
} ev_split_source;

/* The split stays the caller's.  Do not move *source afterwards. */
ev_status ev_split_source_create(ev_split_source *source, const ev_image_split *split, size_t D,
                                 const ev_pixel_source *how, ev_error *error);
void ev_split_source_destroy(ev_split_source *source);

#endif
