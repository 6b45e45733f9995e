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

/* Sums of v - centre and its powers, in lanes: what the moments are made of.  Begin with zeros. */
enum { EV_SUM_LANES = 8 };
typedef struct {
    double first[EV_SUM_LANES], second[EV_SUM_LANES], third[EV_SUM_LANES], absolute[EV_SUM_LANES];
    double count, farthest;
} ev_power_sums;

/* Add n values; returns the largest |v - centre| of these.  centre is any number near them, the same
 * for all, and makes one pass enough. */
double ev_power_sums_add(ev_power_sums *sums, size_t n, const double *v, double centre);
ev_moments ev_moments_of_sums(const ev_power_sums *sums, double centre);

/* The moments of n values. */
ev_moments ev_moments_of(size_t n, const double *v, double centre);
/* a becomes the moments of both samples together. */
void ev_moments_merge(ev_moments *a, const ev_moments *b);

#endif
