#include "train/audit_pixel.h"

#include "probability/log_space.h"

#include <math.h>

ev_audit_pixel ev_audit_pixel_slope(ev_likelihood_kind kind, double x, double out, double log_var)
{
    if (kind == EV_LIKELIHOOD_BERNOULLI) {
        const double p = ev_sigmoid(out);
        return (ev_audit_pixel){.by_out = x - p, .curvature = p * (1.0 - p)};
    }
    const double held = fmin(fmax(log_var, (double)EV_LOG_VAR_X_MIN), (double)EV_LOG_VAR_X_MAX);
    const double off = x - out, precision = exp(-held);
    return (ev_audit_pixel){.by_out = off * precision,
                            .by_log_var = 0.5 * (off * off * precision - 1.0),
                            .curvature = precision,
                            .cancelled = (fabs(x) + fabs(out)) * precision};
}
