/* Expectations under the standard normal, E[f(x)], x ~ N(0, I_dim), by rules of three
 * families, and the one function that trusts none of them alone.
 *
 * Every integral of the project is brought to this form first ("whitened"), so that a
 * rule can't miss the mass.  The only callers of GSL's integrators and of Cubature. */
#ifndef EV_NUMERICS_QUADRATURE_H
#define EV_NUMERICS_QUADRATURE_H

#include "base/error.h"
#include "numerics/integrand.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    double value;
    double error;     /* absolute; what this rule, or the comparison of rules, claims */
    double magnitude; /* E|f|: the scale against which value has cancelled */
} ev_integral;

/* Tensor Gauss-Hermite rule, order nodes a dimension (GSL's nodes, cached).
 * error is left 0: one rule knows nothing of its error. */
ev_status ev_hermite_expect(size_t dim, size_t order, ev_integrand f, void *context, size_t m,
                            ev_integral *out, size_t *evaluations);

/* Tensor trapezoidal rule of step h on [-radius, radius]^dim against the density:
 * exponentially convergent for analytic f.  error is the distance to the rule on every
 * other point.  The lattice is shifted off 0. */
ev_status ev_trapezoid_expect(size_t dim, double h, double radius, ev_integrand f, void *context,
                              size_t m, ev_integral *out, size_t *evaluations);

/* Cubature's h-adaptive rule on [-radius, radius]^dim against the density.  error is the
 * library's claim; compare it with what was asked for.  A value that is not finite
 * (within ten deviations of 0) makes the result of any of these rules NaN, its error
 * infinite. */
ev_status ev_cubature_expect(size_t dim, double radius, double absolute, double relative,
                             size_t max_evaluations, ev_integrand f, void *context, size_t m,
                             ev_integral *out, size_t *evaluations);

/* GSL's adaptive Gauss-Kronrod rule, dim 1 only, piece by piece over [-radius, radius]. */
ev_status ev_kronrod_expect(double radius, double absolute, double relative, ev_integrand f,
                            void *context, size_t m, ev_integral *out, size_t *evaluations);

typedef struct {
    double relative;        /* wanted: error <= relative * max(|value|, 1e-3 magnitude) */
    size_t max_evaluations; /* for all rules together */
} ev_quadrature_request;

typedef struct {
    size_t evaluations;
    bool converged;    /* two families agree within the request, for every function */
    bool fit;          /* false: sentinels off, non-finite values, or rules that contradict
                                each other beyond what they claim */
    double sentinel;   /* the largest deviation of E1, E x_d, E x_d^2 from 1, 0, 1 */
    const char *rules; /* "hermite+cubature", ...: a static string */
    char reason[160];  /* why not fit, or why not converged */
} ev_quadrature_report;

/* E[f] with sentinels (unit mass, zero mean, unit variance) riding along, two rules of
 * different families compared (Gauss-Hermite and Cubature; in more than one dimension
 * Gauss-Hermite and the trapezoidal rule; if they do not agree within the request, the
 * others are asked too).  out[k].value is that of the best-supported rule,
 * out[k].error at least the distance to the rule that confirms it.  Values are never
 * trusted because a library returned success; isfinite is asked before any comparison.
 * Returns EV_OK with a report even when not fit or not converged; EV_UNFIT when f asked to
 * stop; EV_NO_MEMORY. dim 0 evaluates f once. dim at most EV_QUADRATURE_MAX_DIM. */
enum { EV_QUADRATURE_MAX_DIM = 4 };
ev_status ev_normal_expect(size_t dim, ev_integrand f, void *context, size_t m,
                           const ev_quadrature_request *request, ev_integral *out,
                           ev_quadrature_report *report);

#endif
