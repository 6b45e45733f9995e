/* The largest distances of a sample from its centre, kept cheaply while sampling.
 * Private to this room. */
#ifndef EV_NUMERICS_TAIL_H
#define EV_NUMERICS_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    double threshold; /* only distances above it are kept */
    double *values;   /* (count), in no particular order */
    size_t count, capacity;
} ev_tail;

/* The median of n > 0 values; the values stay.  NaN when memory is short or one is NaN. */
double ev_sample_median(const double *v, size_t n);
/* The distance from centre above which, judging by these n of the samples draws, about
 * twice as many draws lie as ev_tail_shape wants. */
double ev_tail_threshold(const double *v, size_t n, double centre, uint64_t samples);
/* Keep the distances above the threshold.  False when memory is short. */
bool ev_tail_add(ev_tail *tail, size_t n, const double *v, double centre);
bool ev_tail_join(ev_tail *tail, const ev_tail *other);
/* The Pareto shape of the largest min(samples/5, 3 sqrt samples) distances, or of those
 * kept, if fewer.  -inf when none lies above the others; NaN when they are too few.
 * Reorders the values. */
double ev_tail_shape(ev_tail *tail, uint64_t samples);

#endif
