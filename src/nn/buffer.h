/* Memory for arrays of floats: one aligned block, and pointers into it.
 *
 * A structure of arrays is laid out by one function that takes each array from an ev_carve.
 * Called with a base of NULL, it only counts; called again with a block of that size, it
 * places.  So the sizes are written once.
 *
 *   ev_carve count = {NULL, 0};
 *   place(&arrays, &count);
 *   float *memory = ev_buffer_create(count.used);
 *   place(&arrays, &(ev_carve){memory, 0});
 */
#ifndef EV_NN_BUFFER_H
#define EV_NN_BUFFER_H

#include <stddef.h>

enum { EV_BUFFER_ALIGNMENT = 16 /* floats: a cache line */ };

/* count floats, all 0, aligned to a cache line, and on large pages where it fills one and the system
 * has them; freed by free().  NULL when memory is short or the size can't be had. */
float *ev_buffer_create(size_t count);

typedef struct {
    float *base; /* NULL: only count */
    size_t used; /* floats */
} ev_carve;

/* The next count floats, aligned to a cache line; NULL while counting.  Sizes saturate at SIZE_MAX,
 * which no ev_buffer_create grants. */
float *ev_carve_take(ev_carve *carve, size_t count);

/* a b, or SIZE_MAX where that overflows. */
size_t ev_size_product(size_t a, size_t b);

size_t ev_size_larger(size_t a, size_t b);

#endif
