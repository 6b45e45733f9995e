/* What every integrator of this room takes: m functions at once, over blocks of points. */
#ifndef EV_NUMERICS_INTEGRAND_H
#define EV_NUMERICS_INTEGRAND_H

#include <stddef.h>

/* The largest n an integrand is ever called with. */
enum { EV_BLOCK = 256 };

/* Evaluate m functions at n <= EV_BLOCK points.
 *   worker: 0 .. threads-1, for the integrand's own scratch memory.
 *   x:   x[d] is the array (n) of the d-th coordinates, d < dim.
 *   out: out[k] is the array (n) for the k-th function, k < m.
 * Returns 0, or anything else to stop the integration. */
typedef int (*ev_integrand)(void *context, size_t worker, size_t n, const double *const *x,
                            double *const *out);

#endif
