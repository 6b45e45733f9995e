/* Expectations in one dimension by GSL's adaptive Gauss-Kronrod rule (QUADPACK's QAG; R.
 * Piessens et al., 1983), function by function and piece by piece.
 *
 * The pieces are not those of adaptive_cubature.c, except that both cut at 0, where kinks
 * are commonest.  A status other than success (rounding, no more intervals) still comes
 * with a value and an error; the claim is the error. */
#include "numerics/evaluation.h"
#include "numerics/gsl_quiet.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_integration.h>
#include <math.h>

enum { PIECES = 22, INTERVALS = 400 };

typedef struct {
    ev_evaluation *e;
    size_t component, last; /* evaluations at which to give up */
    double scale;
    bool spent;
} section;

/* After an early end 0 lets the library finish quickly; the result is thrown away. */
static double integrand_at(double x, void *context)
{
    section *s = context;
    const double *row = &x;
    if (s->e->evaluations >= s->last)
        s->spent = true;
    if (s->spent || !ev_evaluation_block(s->e, 1, &row))
        return 0;
    double density = EV_INVERSE_SQRT_2PI * exp(-0.5 * x * x);
    return s->scale * s->e->out[s->component][0] * density;
}

static ev_integral integrate(section *s, double radius, double absolute, double relative,
                             gsl_integration_workspace *workspace)
{
    gsl_function function = {integrand_at, s};
    ev_integral sum = {0, 0, 0};
    for (int p = 0; p < PIECES && !s->spent; p++) {
        double low = radius * (2.0 * p / PIECES - 1), high = radius * (2.0 * (p + 1) / PIECES - 1);
        double value = 0, error = HUGE_VAL;
        int status = gsl_integration_qag(&function, low, high, absolute / PIECES, relative,
                                         INTERVALS, GSL_INTEG_GAUSS21, workspace, &value, &error);
        if (status == GSL_EBADTOL)
            error = HUGE_VAL;
        sum.value += value;
        sum.error += error;
    }
    if (s->spent)
        sum.error = HUGE_VAL;
    sum.value /= s->scale;
    sum.error /= s->scale;
    return sum;
}

ev_status ev_kronrod_run(ev_evaluation *e, double radius, double absolute, double relative,
                         size_t max_evaluations, const double *scale, ev_integral *out)
{
    if (e->dim != 1 || !(radius > 0 && isfinite(radius)))
        return EV_BAD_INPUT;
    ev_gsl_quiet();
    gsl_integration_workspace *workspace = gsl_integration_workspace_alloc(INTERVALS);
    if (workspace == NULL)
        return EV_NO_MEMORY;
    section s = {.e = e, .last = e->evaluations + max_evaluations};
    for (size_t k = 0; k < e->total; k++) {
        s.component = k;
        s.scale = scale == NULL ? 1 : scale[k];
        out[k] = integrate(&s, radius, absolute, relative, workspace);
    }
    gsl_integration_workspace_free(workspace);
    return e->stopped || e->nonfinite ? EV_UNFIT : EV_OK;
}
