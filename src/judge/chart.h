/* Unconstrained coordinates for the symbols over which an arg-min is taken.
 *
 * A real entry is its own coordinate; one bounded on one side goes by its log-distance from the
 * bound; one in an interval by its logit; n weights that add up to one by n-1 log-ratios to the
 * last; entries that a structure fixes at 0 have none.
 *
 * A closed end is at infinity in these coordinates.  An entry that runs there can be held at
 * its end: it then has no coordinate, and is at a minimum when the gradient points outward. */
#ifndef EV_JUDGE_CHART_H
#define EV_JUDGE_CHART_H

#include "formula/claim.h"

typedef struct ev_chart ev_chart;

/* EV_UNFIT, with the reason in error, when a domain has no such coordinates (binary vectors,
 * symmetric or orthogonal matrices). */
ev_status ev_chart_create(const ev_case *instance, const ev_symbol_table *table,
                          const long *integers, size_t count, const int *symbols, ev_chart **chart,
                          ev_error *error);
void ev_chart_destroy(ev_chart *chart);

size_t ev_chart_dimension(const ev_chart *chart);
/* Components of the symbols, in the order of symbols[] and then of component: the order of
 * ev_case_step's gradients. */
size_t ev_chart_components(const ev_chart *chart);
/* t: ev_chart_dimension values; inputs: all of the case's. */
void ev_chart_from_inputs(const ev_chart *chart, const double *inputs, double *t);
void ev_chart_to_inputs(const ev_chart *chart, const double *t, double *inputs);
/* Hold the entries whose value is within a fraction `near` of a closed end (of the interval's
 * width, or of one unit of distance on a half-line); returns how many are held in all.  Dimension
 * and coordinates change. */
size_t ev_chart_hold(ev_chart *chart, const double *inputs, double near);
/* The derivative inward at held entry number i from the components' gradient; its component in
 * *component. */
double ev_chart_inward(const ev_chart *chart, size_t i, const double *gradient, size_t *component);
/* A copy, or NULL when memory is short. */
ev_chart *ev_chart_copy(const ev_chart *chart);

/* The gradient with respect to t from that with respect to the components, at the inputs that
 * belong to t; and a bound of its error from bounds of the components' errors. */
void ev_chart_pull_back(const ev_chart *chart, const double *inputs, const double *gradient,
                        double *out);
void ev_chart_pull_back_errors(const ev_chart *chart, const double *inputs, const double *errors,
                               double *out);

#endif
