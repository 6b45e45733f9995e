/* Monte Carlo expectations under N(0, I_dim), with their honest intervals. */
#ifndef EV_NUMERICS_MONTE_CARLO_H
#define EV_NUMERICS_MONTE_CARLO_H

#include "base/error.h"
#include "numerics/integrand.h"
#include "numerics/random.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t samples;
    double mean;
    double variance;       /* of one draw */
    double standard_error; /* of the mean */
    double skewness;       /* of one draw */
    double magnitude;      /* mean |f| */
    double khat;           /* the generalised-Pareto shape of the |f - median| tail; NaN when the
                              tail is too short to tell, -inf when f is constant or bounded */
} ev_sample_summary;

/* Draw samples points and summarise each of the m functions.  The result is the same to
 * the last bit for any number of threads (chunk sums are reduced in order).  EV_UNFIT when f
 * asked to stop; non-finite draws give a NaN mean. */
ev_status ev_monte_carlo_expect(size_t dim, ev_integrand f, void *context, size_t m,
                                const ev_stream *stream, uint64_t samples, size_t threads,
                                ev_sample_summary *out);

/* The half-width of a two-sided interval of level 1 - alpha for the mean: normal quantile,
 * widened for skewness (N. Johnson, "Modified t tests", JASA 73, 1978).
 * HUGE_VAL when khat > 0.7 or the summary is not finite: no normal interval there.
 * A. Vehtari et al., "Pareto smoothed importance sampling", JMLR 25, 2024. */
double ev_sample_half_width(const ev_sample_summary *summary, double alpha);

/* The two-sided p-value of the hypothesis that the true mean is `mean`, by Johnson's modified
 * statistic (the skewness corrected for).  NaN where no normal statistic is to be had: no variance,
 * or a tail without one (khat > 0.5).  For calibration: uniform where `mean` is right. */
double ev_sample_p_value(const ev_sample_summary *summary, double mean);

/* Zhang & Stephens' estimate of the generalised Pareto shape from n exceedances, sorted
 * ascending, all positive (Technometrics 51, 2009), with the weak prior of Vehtari et al. */
double ev_pareto_shape(const double *exceedances, size_t n);

#endif
