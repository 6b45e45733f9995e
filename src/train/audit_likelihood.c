/* log p(x|z) in double at many z, columns side by side.
 *
 * sum_i log(1 + e^-|l_i|) is taken as the logarithm of a product: each factor is at most 2, so that
 * 512 of them stay below 2^512. */
#include "numerics/vector_math.h"
#include "probability/log_space.h"
#include "train/audit_reference.h"

#include <math.h>

enum { LANES = EV_AUDIT_LANES, FACTORS = 512 };

static void bernoulli(size_t D, const float *x, const double *logit, size_t stride, size_t n,
                      double *log_px)
{
    double product[LANES], e[LANES];
    for (size_t c = 0; c < n; c++) {
        log_px[c] = 0.0;
        product[c] = 1.0;
    }
    for (size_t i = 0; i < D; i++) {
        const double *l = logit + i * stride, pixel = (double)x[i];
        for (size_t c = 0; c < n; c++) {
            e[c] = -fabs(l[c]);
            log_px[c] += pixel * l[c] - fmax(l[c], 0.0);
        }
        ev_vector_exp(n, e, e);
        for (size_t c = 0; c < n; c++)
            product[c] *= 1.0 + e[c];
        if (i % FACTORS != FACTORS - 1 && i + 1 < D)
            continue;
        for (size_t c = 0; c < n; c++) {
            log_px[c] -= log(product[c]);
            product[c] = 1.0;
        }
    }
}

static void gaussian(size_t D, const float *x, const double *out, size_t stride, size_t n,
                     double *log_px)
{
    double log_var[LANES], precision[LANES];
    for (size_t c = 0; c < n; c++)
        log_px[c] = -0.5 * EV_LOG_2PI * (double)D;
    for (size_t i = 0; i < D; i++) {
        const double *mean = out + i * stride, *raw = out + (D + i) * stride;
        for (size_t c = 0; c < n; c++) {
            log_var[c] = fmin(fmax(raw[c], (double)EV_LOG_VAR_X_MIN), (double)EV_LOG_VAR_X_MAX);
            precision[c] = -log_var[c];
        }
        ev_vector_exp(n, precision, precision);
        for (size_t c = 0; c < n; c++) {
            const double off = (double)x[i] - mean[c];
            log_px[c] -= 0.5 * (log_var[c] + off * off * precision[c]);
        }
    }
}

void ev_audit_log_likelihoods(const ev_audit_reference *r, const float *x, const double *out,
                              size_t stride, size_t first, size_t n, double *log_px)
{
    const ev_gmvae_config *c = &r->subject->model->config;
#pragma omp parallel for schedule(static)
    for (size_t at = 0; at < n; at += LANES) {
        const size_t count = n - at < LANES ? n - at : LANES;
        if (c->likelihood == EV_LIKELIHOOD_BERNOULLI)
            bernoulli(c->D, x, out + first + at, stride, count, log_px + at);
        else
            gaussian(c->D, x, out + first + at, stride, count, log_px + at);
    }
}
