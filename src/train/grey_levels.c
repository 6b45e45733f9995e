#include "train/grey_levels.h"

#include "models/likelihood.h"
#include "probability/gaussian.h"

#include <math.h>

static double sigma_of(float log_var) { return exp(0.5 * (double)ev_likelihood_log_var(log_var)); }

/* Neighbours have one bound, the same double. */
static double upper_bound(double level) { return (level + 0.5) / 255.0; }

double ev_grey_levels_log_mass(size_t D, const float *x, const float *out)
{
    double sum = 0.0;
    for (size_t i = 0; i < D; i++) {
        const double level = nearbyint(255.0 * (double)x[i]);
        sum += ev_gaussian_scalar_log_mass(level <= 0.0 ? -HUGE_VAL : upper_bound(level - 1.0),
                                           level >= 255.0 ? HUGE_VAL : upper_bound(level),
                                           (double)out[i], sigma_of(out[D + i]));
    }
    return sum;
}
