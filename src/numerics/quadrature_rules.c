/* The public face of the single rules: each is run alone, on an evaluation of its own. */
#include "numerics/evaluation.h"
#include "numerics/quadrature.h"

#include <math.h>
#include <stdlib.h>

/* What any of the rules may want to know. */
typedef struct {
    size_t order;
    double h, radius, absolute, relative;
    size_t max_evaluations;
} settings;

typedef ev_status (*rule)(ev_evaluation *e, const settings *s, ev_integral *out);

static ev_status run_alone(rule run, const settings *s, size_t dim, ev_integrand f, void *context,
                           size_t m, ev_integral *out, size_t *evaluations)
{
    ev_evaluation e;
    ev_integral *total = NULL;
    ev_status status = ev_evaluation_begin(&e, dim, f, context, m);
    if (status != EV_OK)
        goto done;
    total = malloc(e.total * sizeof *total);
    status = total == NULL ? EV_NO_MEMORY : run(&e, s, total);
    if (evaluations != NULL)
        *evaluations = e.evaluations;
    if (status == EV_UNFIT && e.nonfinite) {
        status = EV_OK;
        for (size_t k = 0; k < m; k++)
            out[k] = (ev_integral){(double)NAN, HUGE_VAL, (double)NAN};
    } else if (status == EV_OK) {
        for (size_t k = 0; k < m; k++)
            out[k] = total[k];
    }
done:
    free(total);
    ev_evaluation_end(&e);
    return status;
}

/* The adaptive libraries tell no weights, so E|f| is taken from a coarse Hermite rule. */
static ev_status add_magnitudes(ev_evaluation *e, ev_integral *out)
{
    ev_integral *coarse = malloc(e->total * sizeof *coarse);
    if (coarse == NULL)
        return EV_NO_MEMORY;
    ev_status status = ev_magnitude_run(e, coarse);
    for (size_t k = 0; status == EV_OK && k < e->total; k++)
        out[k].magnitude = fmax(coarse[k].magnitude, fabs(out[k].value));
    free(coarse);
    return status;
}

static ev_status run_hermite(ev_evaluation *e, const settings *s, ev_integral *out)
{
    return ev_hermite_run(e, s->order, out);
}

static ev_status run_trapezoid(ev_evaluation *e, const settings *s, ev_integral *out)
{
    return ev_trapezoid_run(e, s->h, s->radius, out);
}

static ev_status run_cubature(ev_evaluation *e, const settings *s, ev_integral *out)
{
    ev_status status = ev_cubature_run(e, s->radius, 0.3819660113, s->absolute, s->relative,
                                       s->max_evaluations, NULL, out);
    return status == EV_OK ? add_magnitudes(e, out) : status;
}

static ev_status run_kronrod(ev_evaluation *e, const settings *s, ev_integral *out)
{
    ev_status status = ev_kronrod_run(e, s->radius, s->absolute, s->relative, s->max_evaluations,
                                      NULL, out);
    return status == EV_OK ? add_magnitudes(e, out) : status;
}

ev_status ev_hermite_expect(size_t dim, size_t order, ev_integrand f, void *context, size_t m,
                            ev_integral *out, size_t *evaluations)
{
    settings s = {.order = order};
    return run_alone(run_hermite, &s, dim, f, context, m, out, evaluations);
}

ev_status ev_trapezoid_expect(size_t dim, double h, double radius, ev_integrand f, void *context,
                              size_t m, ev_integral *out, size_t *evaluations)
{
    settings s = {.h = h, .radius = radius};
    return run_alone(run_trapezoid, &s, dim, f, context, m, out, evaluations);
}

ev_status ev_cubature_expect(size_t dim, double radius, double absolute, double relative,
                             size_t max_evaluations, ev_integrand f, void *context, size_t m,
                             ev_integral *out, size_t *evaluations)
{
    settings s = {.radius = radius,
                  .absolute = absolute,
                  .relative = relative,
                  .max_evaluations = max_evaluations};
    return run_alone(run_cubature, &s, dim, f, context, m, out, evaluations);
}

ev_status ev_kronrod_expect(double radius, double absolute, double relative, ev_integrand f,
                            void *context, size_t m, ev_integral *out, size_t *evaluations)
{
    const size_t points_a_function = 100000;
    settings s = {.radius = radius,
                  .absolute = absolute,
                  .relative = relative,
                  .max_evaluations = (m + 3) * points_a_function};
    return run_alone(run_kronrod, &s, 1, f, context, m, out, evaluations);
}
