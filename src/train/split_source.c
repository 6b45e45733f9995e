#include "train/split_source.h"

#include <stdlib.h>
#include <string.h>

/* Draws outside of epochs (dynamic binarisation): the same whenever they are asked for. */
#define OUTSIDE UINT64_MAX

/* The order of one epoch is kept: it costs more to make than a batch. */
static const uint32_t *order(ev_split_source *s, uint64_t epoch)
{
    if (!s->ordered || s->epoch != epoch) {
        ev_batches_order(s->how.seed, epoch, s->source.count, s->order);
        s->epoch = epoch;
        s->ordered = true;
    }
    return s->order;
}

static void shuffled(void *context, uint64_t epoch, size_t first, size_t n, float *x)
{
    ev_split_source *s = context;
    ev_batches_pixels(&s->how, epoch, s->source.pixels, s->pixels, n, order(s, epoch) + first, x);
}

static void places(void *context, uint64_t epoch, size_t first, size_t n, uint32_t *index)
{
    memcpy(index, order(context, epoch) + first, n * sizeof *index);
}

static void in_order(void *context, size_t first, size_t n, float *x)
{
    enum { CHUNK = 256 };
    const ev_split_source *s = context;
    const size_t D = s->source.pixels;
    for (size_t done = 0; done < n;) {
        uint32_t index[CHUNK];
        size_t take = n - done < CHUNK ? n - done : CHUNK;
        for (size_t i = 0; i < take; i++)
            index[i] = (uint32_t)(first + done + i);
        ev_batches_pixels(&s->how, OUTSIDE, D, s->pixels, take, index, x + done * D);
        done += take;
    }
}

ev_status ev_split_source_create(ev_split_source *s, const ev_image_split *split, size_t D,
                                 const ev_pixel_source *how, ev_error *error)
{
    *s = (ev_split_source){.pixels = split->pixels, .how = *how};
    s->source = (ev_image_source){.count = split->N,
                                  .pixels = D,
                                  .shuffled = shuffled,
                                  .in_order = in_order,
                                  .places = places,
                                  .context = s};
    s->order = calloc(split->N, sizeof *s->order);
    return s->order != NULL
               ? EV_OK
               : ev_error_set(error, EV_NO_MEMORY, "out of memory for %zu images", split->N);
}

void ev_split_source_destroy(ev_split_source *s)
{
    free(s->order);
    *s = (ev_split_source){0};
}
