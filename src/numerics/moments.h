/* Central moments of samples, merged without cancellation.  Private to this room.
 * T. F. Chan, G. H. Golub & R. J. LeVeque, American Statistician 37, 1983;
 * P. Pebay, Sandia report SAND2008-6212. */
#ifndef EV_NUMERICS_MOMENTS_H
#define EV_NUMERICS_MOMENTS_H

#include <stddef.h>

/* Of count values v: their mean, sum (v - mean)^2, sum (v - mean)^3 and sum |v|; and the
 * largest |v - centre| seen. */
typedef struct {
    double count, mean, second, third, absolute, farthest;
} ev_moments;

/* The moments of n values; centre is any number near them, and makes one pass enough. */
ev_moments ev_moments_of(size_t n, const double *v, double centre);
/* a becomes the moments of both samples together. */
void ev_moments_merge(ev_moments *a, const ev_moments *b);

#endif
