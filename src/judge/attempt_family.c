/* Steps that say something of a whole family of points: proportionality, and equality up to an
 * unnamed constant. */
#include "judge/attempt.h"

#include <math.h>
#include <stdlib.h>

/* Sides of all components at one member of the family.  The integrals of a family are of one
 * kind: the first has the whole third voice, the others a quarter of it. */
static ev_status evaluate(const ev_trial *trial, const double *inputs, const ev_effort *effort,
                          const ev_stream *stream, uint32_t number, ev_value *values,
                          ev_attempt *out)
{
    ev_effort less = *effort;
    if (number > 0)
        less.samples /= 4;
    ev_stream own = ev_stream_child(stream, number);
    ev_status status = ev_program_evaluate(trial->program, inputs, &less, &own, values);
    if (status == EV_OK)
        ev_attempt_spend(out, trial->program, 2 * trial->step->count, values);
    return status;
}

static const double *family_member(const ev_trial *trial, const ev_place *place, size_t i)
{
    return i == 0 ? place->inputs : place->redraws + (i - 1) * trial->instance->input_count;
}

/* a * b with its error and its fitness; the scales keep the product from underflowing. */
static ev_value product(const ev_value *a, double a_scale, const ev_value *b, double b_scale)
{
    double ea = ev_value_error(a) / a_scale, eb = ev_value_error(b) / b_scale;
    double va = a->value / a_scale, vb = b->value / b_scale;
    ev_value p = a->fit && a->domain ? *b : *a; /* the reason of whichever is unfit */
    p.value = va * vb;
    p.quadrature = fabs(va) * eb + fabs(vb) * ea + ea * eb;
    p.rounding = 2e-16 * fabs(p.value);
    p.sampling = 0.0;
    p.magnitude = (a->magnitude / a_scale) * (b->magnitude / b_scale);
    p.methods = a->methods | b->methods;
    return p;
}

static double larger(const ev_value *a, const ev_value *b)
{
    double m = fmax(fabs(a->value), fabs(b->value));
    return m > 0.0 && isfinite(m) ? m : 1.0;
}

/* left / right is one number for the whole family: A_i B_0 = A_0 B_i, which needs no division. */
ev_status ev_attempt_proportional(const ev_trial *trial, const ev_place *place,
                                  const ev_budget *budget, const ev_effort *effort,
                                  const ev_stream *stream, ev_attempt *out)
{
    size_t n = trial->step->count;
    ev_tolerance tolerance = {budget->resolution, budget->sampling_resolution, trial->slack};
    ev_attempt_begin(out);
    ev_value *values = calloc(4 * n, sizeof *values);
    if (values == NULL)
        return EV_NO_MEMORY;
    ev_value *first = values, *other = values + 2 * n;
    ev_status status = evaluate(trial, place->inputs, effort, stream, 0, first, out);
    for (size_t k = 1; status == EV_OK && k <= place->redraw_count; k++) {
        status = evaluate(trial, family_member(trial, place, k), effort, stream, (uint32_t)k, other,
                          out);
        for (size_t i = 0; status == EV_OK && i < n; i++) {
            double a = larger(&first[i], &other[i]), b = larger(&first[n + i], &other[n + i]);
            ev_value left = product(&other[i], a, &first[n + i], b);
            ev_value right = product(&first[i], a, &other[n + i], b);
            ev_comparison c = ev_compare(EV_RELATION_EQUAL, &left, &right, tolerance);
            ev_attempt_note(out, &c, &left, &right);
        }
    }
    free(values);
    return status;
}

/* ---- an unnamed constant ---- */

static size_t constant_input(const ev_trial *trial)
{
    for (size_t i = 0; i < trial->instance->slot_count; i++)
        if (trial->instance->slots[i].symbol == trial->step->constant)
            return trial->instance->slots[i].first;
    return trial->instance->input_count; /* it does not occur */
}

typedef struct {
    double value, error;
} measured;

static measured residual(const ev_value *values, size_t n, size_t i)
{
    const ev_value *a = &values[i], *b = &values[n + i];
    bool fit = a->fit && a->domain && b->fit && b->domain;
    return (measured){fit ? a->value - b->value : (double)NAN,
                      ev_value_error(a) + ev_value_error(b)};
}

/* The residual is r(0) + c slope: its root, from the component whose slope is clearest.  No
 * slope at all: the constant has no effect, and any value does.  A slope lost in its error: the
 * constant is not known, and nothing that depends on it will be resolved. */
static measured solve(const ev_value *at0, const ev_value *at1, size_t n)
{
    measured best = {0.0, 0.0};
    double clearest = 0.0, lost = 0.0;
    for (size_t i = 0; i < n; i++) {
        measured r0 = residual(at0, n, i), r1 = residual(at1, n, i);
        double slope = r1.value - r0.value, slope_error = r0.error + r1.error;
        lost = fmax(lost, slope_error);
        if (!isfinite(slope) || fabs(slope) <= 4.0 * slope_error || fabs(slope) <= clearest)
            continue;
        clearest = fabs(slope);
        best.value = -r0.value / slope;
        best.error = (r0.error + fabs(best.value) * slope_error) / fabs(slope);
    }
    if (!(clearest > 0.0) && !(lost < 1e-6))
        best.error = 1e300;
    return best;
}

/* Note the components that can't be compared; false when there is one: then the constant is not
 * known, and nothing that depends on it may be called different. */
static bool note_unfit(const ev_value *values, size_t n, ev_attempt *out)
{
    bool fit = true;
    for (size_t i = 0; i < n; i++) {
        ev_comparison c = ev_compare(EV_RELATION_EQUAL, &values[i], &values[n + i],
                                     (ev_tolerance){1, 1, 0});
        if (c.outcome != EV_UNFIT_VALUES)
            continue;
        ev_attempt_note(out, &c, &values[i], &values[n + i]);
        fit = false;
    }
    return fit;
}

/* With the constant's value c, known to within its error, both sides at one member; a second
 * evaluation at c + 1 tells what that error is worth. */
static ev_status compare_member(const ev_trial *trial, double *inputs, size_t at, measured c,
                                uint32_t number, const ev_budget *budget, const ev_effort *effort,
                                const ev_stream *stream, ev_value *values, ev_attempt *out)
{
    size_t n = trial->step->count;
    ev_tolerance tolerance = {budget->resolution, budget->sampling_resolution, trial->slack};
    ev_value *there = values, *beyond = values + 2 * n;
    inputs[at] = c.value;
    ev_status status = evaluate(trial, inputs, effort, stream, 2 * number, there, out);
    inputs[at] = c.value + 1.0;
    if (status == EV_OK)
        status = evaluate(trial, inputs, effort, stream, 2 * number + 1, beyond, out);
    for (size_t i = 0; status == EV_OK && i < n; i++) {
        double slope = residual(beyond, n, i).value - residual(there, n, i).value;
        there[i].quadrature += c.error * fabs(slope);
        ev_comparison compared = ev_compare(EV_RELATION_EQUAL, &there[i], &there[n + i], tolerance);
        ev_attempt_note(out, &compared, &there[i], &there[n + i]);
    }
    return status;
}

ev_status ev_attempt_constant(const ev_trial *trial, const ev_place *place, const ev_budget *budget,
                              const ev_effort *effort, const ev_stream *stream, ev_attempt *out)
{
    size_t n = trial->step->count, inputs = trial->instance->input_count;
    size_t at = constant_input(trial); /* one spare input, for a constant that does not occur */
    ev_attempt_begin(out);
    ev_value *values = calloc(4 * n, sizeof *values);
    double *point = calloc(inputs + 1, sizeof *point);
    ev_status status = values == NULL || point == NULL ? EV_NO_MEMORY : EV_OK;
    measured c = {0.0, 0.0};
    for (size_t k = 0; status == EV_OK && k <= place->redraw_count; k++) {
        const double *member = family_member(trial, place, k);
        for (size_t i = 0; i < inputs; i++)
            point[i] = member[i];
        if (k > 0) {
            status = compare_member(trial, point, at, c, (uint32_t)k, budget, effort, stream,
                                    values, out);
            continue;
        }
        point[at] = 0.0;
        status = evaluate(trial, point, effort, stream, 0, values, out);
        point[at] = 1.0;
        if (status == EV_OK)
            status = evaluate(trial, point, effort, stream, 1, values + 2 * n, out);
        if (status != EV_OK)
            break;
        if (!note_unfit(values, n, out) || !note_unfit(values + 2 * n, n, out))
            break;
        c = solve(values, values + 2 * n, n);
    }
    free(values);
    free(point);
    return status;
}
