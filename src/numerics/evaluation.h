/* One integrand during one integration: its blocks, its sentinels, its misdeeds.
 * Private to this room; every quadrature rule calls the integrand through here.
 *
 * After the caller's m functions come the sentinels, whose expectations are all 1 (so that
 * a relative tolerance can be met):
 *   1,  1 + x_0 .. 1 + x_{dim-1},  x_0^2 .. x_{dim-1}^2,   total = m + 1 + 2 dim in all. */
#ifndef EV_NUMERICS_EVALUATION_H
#define EV_NUMERICS_EVALUATION_H

#include "base/error.h"
#include "numerics/integrand.h"
#include "numerics/quadrature.h"

#include <stdbool.h>
#include <stddef.h>

/* P(|x| > 10) = 1.5e-23 in one dimension: a value there that is not finite is taken for 0. */
#define EV_NEGLIGIBLE_RADIUS 10.0
#define EV_INVERSE_SQRT_2PI 0.398942280401432677940

typedef struct {
    ev_integrand f;
    void *context;
    size_t dim, functions, total;
    size_t evaluations; /* points so far */
    bool unexcused;     /* leave values that are not finite as they are, wherever */
    bool stopped;       /* f asked to */
    bool nonfinite;     /* at a point that counts: */
    size_t bad_function;
    double bad_point[EV_QUADRATURE_MAX_DIM];
    double **out;    /* (total, EV_BLOCK) */
    double *scratch; /* (4 total), for the rule that runs */
} ev_evaluation;

/* EV_BAD_INPUT for a dim that is too large; EV_NO_MEMORY.  End it in every case. */
ev_status ev_evaluation_begin(ev_evaluation *e, size_t dim, ev_integrand f, void *context,
                              size_t m);
void ev_evaluation_end(ev_evaluation *e);

/* Fill e->out[k][0 .. n-1], k < total, for n <= EV_BLOCK points.  False when f asked to
 * stop or was not finite where it counts: the integration is over then. */
bool ev_evaluation_block(ev_evaluation *e, size_t n, const double *const *x);

/* sum_i w_i v_i and sum_i w_i |v_i|, in eight lanes: the same bits on every machine. */
double ev_weighted_sum(size_t n, const double *w, const double *v);
double ev_weighted_magnitude(size_t n, const double *w, const double *v);

/* The rules themselves, over all components; out and scale are (total).  EV_UNFIT when the
 * evaluation ended early, EV_NO_MEMORY. */
ev_status ev_hermite_run(ev_evaluation *e, size_t order, ev_integral *out);
ev_status ev_trapezoid_run(ev_evaluation *e, double h, double radius, ev_integral *out);
/* Component k is integrated as scale[k] f_k (NULL: 1), to one pair of tolerances.  cut, in
 * (0, 1), says where on the line the pieces begin. */
ev_status ev_cubature_run(ev_evaluation *e, double radius, double cut, double absolute,
                          double relative, size_t max_evaluations, const double *scale,
                          ev_integral *out);
ev_status ev_kronrod_run(ev_evaluation *e, double radius, double absolute, double relative,
                         size_t max_evaluations, const double *scale, ev_integral *out);
/* The magnitudes E|f| from a coarse Hermite rule, into out[k].magnitude. */
ev_status ev_magnitude_run(ev_evaluation *e, ev_integral *out);

#endif
