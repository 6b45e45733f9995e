/* How log p(x|z) of one pixel changes with what a decoder puts out, in double.  Private to the audits.
 */
#ifndef EV_TRAIN_AUDIT_PIXEL_H
#define EV_TRAIN_AUDIT_PIXEL_H

#include "models/likelihood.h"

typedef struct {
    double by_out;     /* d log p/d logit, or d log p/d mean */
    double by_log_var; /* of a Gaussian, within its limits; else 0 */
    double curvature;  /* - d by_out/d out: p (1 - p), or 1/sigma^2 */
    double cancelled;  /* what by_out is a difference of, where that may cancel; else 0 */
} ev_audit_pixel;

/* out: logit or mean; log_var is held at its limits, and not read of a Bernoulli. */
ev_audit_pixel ev_audit_pixel_slope(ev_likelihood_kind kind, double x, double out, double log_var);

#endif
