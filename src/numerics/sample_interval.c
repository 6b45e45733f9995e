/* Johnson's modified t inverted: with w = mean - E f of order z s/sqrt n,
 *   | w + skew s/(6n) + skew w^2/(3 s) | <= z s/sqrt n,
 * the interval's ends move by skew s (1 + 2 z^2)/(6 n); both are widened by it. */
#include "numerics/monte_carlo.h"

#include "numerics/gsl_quiet.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

static const double heaviest = 0.7; /* khat above which the mean's interval can't be normal */

double ev_sample_half_width(const ev_sample_summary *summary, double alpha)
{
    ev_gsl_quiet();
    if (!(alpha > 0) || summary->khat > heaviest || !isfinite(summary->mean) ||
        !isfinite(summary->standard_error) || !isfinite(summary->skewness))
        return HUGE_VAL;
    if (alpha >= 1)
        return 0;
    double z = gsl_cdf_ugaussian_Qinv(alpha / 2), n = (double)summary->samples;
    double shift = fabs(summary->skewness) * (1 + 2 * z * z) / (6 * sqrt(n));
    return summary->standard_error * (z + shift);
}

double ev_sample_p_value(const ev_sample_summary *summary, double mean)
{
    const double roughest = 0.5; /* khat above which there is no variance */
    ev_gsl_quiet();
    if (summary->khat > roughest || !(summary->variance > 0) || !isfinite(summary->mean) ||
        !isfinite(summary->standard_error) || !isfinite(summary->skewness))
        return (double)NAN;
    double n = (double)summary->samples, w = (summary->mean - mean) / summary->standard_error;
    double t = w + summary->skewness * (1 + 2 * w * w) / (6 * sqrt(n));
    return 2 * gsl_cdf_ugaussian_Q(fabs(t));
}
