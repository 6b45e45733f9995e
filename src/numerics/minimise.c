#include "numerics/minimise.h"

#include "numerics/gsl_quiet.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_min.h>
#include <gsl/gsl_multimin.h>
#include <gsl/gsl_roots.h>
#include <math.h>
#include <string.h>

enum { MAX_SCALAR_ITERATIONS = 500 };
#define UNDEFINED 1e100

/* GSL's vectors come to the objective as plain arrays: GSL allocates them with stride 1.
 * Where the objective is not defined it is UNDEFINED, so large that the line search backs
 * off, yet small enough for the squares in its interpolation; NaN would lead it astray. */
typedef struct {
    ev_objective f;
    void *context;
} objective;

static void evaluate(const gsl_vector *x, void *params, double *value, gsl_vector *gradient)
{
    const objective *o = params;
    double *g = gradient == NULL ? NULL : gradient->data;
    if (o->f(o->context, x->size, x->data, value, g) == 0 && fabs(*value) < UNDEFINED)
        return;
    *value = UNDEFINED;
    if (gradient != NULL)
        gsl_vector_set_zero(gradient);
}

static double value_only(const gsl_vector *x, void *params)
{
    double value;
    evaluate(x, params, &value, NULL);
    return value;
}

static void gradient_only(const gsl_vector *x, void *params, gsl_vector *gradient)
{
    double value;
    evaluate(x, params, &value, gradient);
}

static void value_and_gradient(const gsl_vector *x, void *params, double *value,
                               gsl_vector *gradient)
{
    evaluate(x, params, value, gradient);
}

/* Keep the best point seen: BFGS's last step may have gone where f is not defined. */
static void keep_if_better(const gsl_multimin_fdfminimizer *s, double *x, double *value,
                           double *gradient_norm)
{
    double norm = gsl_blas_dnrm2(s->gradient);
    if (!(s->f < UNDEFINED) || !isfinite(norm))
        return;
    if (s->f < *value || (s->f <= *value && norm < *gradient_norm)) {
        memcpy(x, s->x->data, s->x->size * sizeof *x);
        *value = s->f;
        *gradient_norm = norm;
    }
}

/* Iterate until the tolerance, or no progress twice from the same point: a restart from
 * steepest descent frees a line search that is stuck on rounding. */
static void descend(gsl_multimin_fdfminimizer *s, double *x, double tolerance,
                    size_t max_iterations, double *value, double *gradient_norm)
{
    int stuck = 0;
    for (size_t i = 0; i<max_iterations && * gradient_norm> tolerance && stuck < 2; i++) {
        double before = *value, norm_before = *gradient_norm;
        int status = gsl_multimin_fdfminimizer_iterate(s);
        keep_if_better(s, x, value, gradient_norm);
        if (*value < before || *gradient_norm < norm_before) {
            stuck = 0;
            if (status == GSL_SUCCESS)
                continue;
        } else {
            stuck++;
        }
        if (status != GSL_SUCCESS && gsl_multimin_fdfminimizer_restart(s) != GSL_SUCCESS)
            return;
    }
}

ev_status ev_minimise(ev_objective f, void *context, size_t n, double *x, double tolerance,
                      size_t max_iterations, double *value, double *gradient_norm)
{
    ev_gsl_quiet();
    *value = *gradient_norm = HUGE_VAL;
    if (n == 0)
        return EV_BAD_INPUT;
    objective o = {f, context};
    gsl_multimin_function_fdf function = {value_only, gradient_only, value_and_gradient, n, &o};
    gsl_multimin_fdfminimizer *s = gsl_multimin_fdfminimizer_alloc(
        gsl_multimin_fdfminimizer_vector_bfgs2, n);
    if (s == NULL)
        return EV_NO_MEMORY;
    gsl_vector_view start = gsl_vector_view_array(x, n);
    double size = 0.1 * fmax(1.0, gsl_blas_dnrm2(&start.vector));
    ev_status status = EV_UNFIT;
    if (gsl_multimin_fdfminimizer_set(s, &function, &start.vector, size, 0.1) == GSL_SUCCESS) {
        keep_if_better(s, x, value, gradient_norm);
        if (isfinite(*value)) {
            status = EV_OK;
            descend(s, x, tolerance, max_iterations, value, gradient_norm);
        }
    }
    gsl_multimin_fdfminimizer_free(s);
    return status;
}

typedef struct {
    ev_scalar_function f;
    void *context;
} scalar;

static double call_scalar(double x, void *params)
{
    const scalar *s = params;
    return s->f(s->context, x);
}

/* True when *at is an end of the interval that is a root already. */
static int root_at_end(const scalar *s, double low, double high, double *at)
{
    *at = low;
    if (s->f(s->context, low) == 0)
        return 1;
    *at = high;
    return s->f(s->context, high) == 0;
}

ev_status ev_root(ev_scalar_function f, void *context, double low, double high, double tolerance,
                  double *root)
{
    ev_gsl_quiet();
    scalar s = {f, context};
    if (root_at_end(&s, low, high, root))
        return EV_OK;
    *root = (double)NAN;
    gsl_function function = {call_scalar, &s};
    gsl_root_fsolver *solver = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
    if (solver == NULL)
        return EV_NO_MEMORY;
    int status = gsl_root_fsolver_set(solver, &function, low, high);
    for (int i = 0; status == GSL_SUCCESS && i < MAX_SCALAR_ITERATIONS; i++) {
        status = gsl_root_fsolver_iterate(solver);
        double a = gsl_root_fsolver_x_lower(solver), b = gsl_root_fsolver_x_upper(solver);
        if (status == GSL_SUCCESS &&
            gsl_root_test_interval(a, b, tolerance, 1e-15) == GSL_SUCCESS) {
            *root = gsl_root_fsolver_root(solver);
            break;
        }
    }
    gsl_root_fsolver_free(solver);
    return isfinite(*root) ? EV_OK : EV_UNFIT;
}

/* An interior point below both ends, by golden sections towards the lower end; without
 * one the minimum, as far as it can be told, is that end. */
static int bracket(const scalar *s, double low, double high, double *middle, double *end)
{
    const double golden = 0.38196601125010515;
    double at_low = s->f(s->context, low), at_high = s->f(s->context, high);
    *end = at_low <= at_high ? low : high;
    double other = at_low <= at_high ? high : low, least = fmin(at_low, at_high);
    for (int i = 0; i < 80; i++) {
        *middle = *end + golden * (other - *end);
        if (s->f(s->context, *middle) < least)
            return 1;
        other = *middle;
    }
    return 0;
}

ev_status ev_minimise_scalar(ev_scalar_function f, void *context, double low, double high,
                             double tolerance, double *at, double *value)
{
    ev_gsl_quiet();
    scalar s = {f, context};
    double middle, end;
    if (!bracket(&s, low, high, &middle, &end)) {
        *at = end;
        *value = f(context, end);
        return isfinite(*value) ? EV_OK : EV_UNFIT;
    }
    gsl_function function = {call_scalar, &s};
    gsl_min_fminimizer *minimiser = gsl_min_fminimizer_alloc(gsl_min_fminimizer_brent);
    if (minimiser == NULL)
        return EV_NO_MEMORY;
    *at = *value = (double)NAN;
    int status = gsl_min_fminimizer_set(minimiser, &function, middle, low, high);
    for (int i = 0; status == GSL_SUCCESS && i < MAX_SCALAR_ITERATIONS; i++) {
        status = gsl_min_fminimizer_iterate(minimiser);
        double a = gsl_min_fminimizer_x_lower(minimiser), b = gsl_min_fminimizer_x_upper(minimiser);
        *at = gsl_min_fminimizer_x_minimum(minimiser);
        *value = gsl_min_fminimizer_f_minimum(minimiser);
        if (gsl_min_test_interval(a, b, tolerance, 1e-9) == GSL_SUCCESS)
            break;
    }
    gsl_min_fminimizer_free(minimiser);
    return isfinite(*value) ? EV_OK : EV_UNFIT;
}
