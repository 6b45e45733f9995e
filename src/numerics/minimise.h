/* Minimisers and root finders over GSL, with statuses instead of aborts. */
#ifndef EV_NUMERICS_MINIMISE_H
#define EV_NUMERICS_MINIMISE_H

#include "base/error.h"

#include <stddef.h>

/* value and, when gradient is not NULL, gradient (n) of the objective at x (n).
 * Returns 0, or anything else where it is not defined. */
typedef int (*ev_objective)(void *context, size_t n, const double *x, double *value,
                            double *gradient);

/* BFGS from x (n), in place, until the gradient's norm is below tolerance or no progress is
 * possible; *value is the objective there, *gradient_norm what was reached. */
ev_status ev_minimise(ev_objective f, void *context, size_t n, double *x, double tolerance,
                      size_t max_iterations, double *value, double *gradient_norm);

/* Root of a scalar function in [low, high] with a change of sign (Brent). */
typedef double (*ev_scalar_function)(void *context, double x);
ev_status ev_root(ev_scalar_function f, void *context, double low, double high, double tolerance,
                  double *root);

/* Minimum of a scalar function in [low, high] (Brent); *at and *value. */
ev_status ev_minimise_scalar(ev_scalar_function f, void *context, double low, double high,
                             double tolerance, double *at, double *value);

#endif
