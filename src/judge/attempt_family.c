/* Steps that say something of a whole family of points: proportionality, and equality up to an
 * unnamed constant. */
#include "judge/attempt.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
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
    return isfinite(m) ? m : 1.0;
}

/* Sides whose signs are clearly opposite are not proportional, whatever the family says. */
static void note_signs(const ev_value *values, size_t n, ev_tolerance tolerance, ev_attempt *out)
{
    for (size_t i = 0; i < n; i++) {
        const ev_value *a = &values[i], *b = &values[n + i];
        ev_comparison c = ev_compare(EV_RELATION_EQUAL, a, b, tolerance);
        bool clear = fabs(a->value) > 4.0 * ev_value_error(a) &&
                     fabs(b->value) > 4.0 * ev_value_error(b);
        if (c.outcome != EV_DIFFERS || !clear || (a->value > 0.0) == (b->value > 0.0))
            continue;
        if (ev_attempt_note(out, &c, a, b))
            snprintf(out->reason, sizeof out->reason,
                     "the ratio of the sides is negative: left %.10g, right %.10g", a->value,
                     b->value);
    }
}

/* The one side is exactly 0, and the other clearly not: no positive number is their ratio. */
static void note_zeros(const ev_value *values, size_t n, ev_tolerance tolerance, ev_attempt *out)
{
    for (size_t i = 0; i < n; i++) {
        const ev_value *a = &values[i], *b = &values[n + i];
        ev_comparison c = ev_compare(EV_RELATION_EQUAL, a, b, tolerance);
        const bool zero = (a->value == 0.0 && !(ev_value_error(a) > 0.0)) ||
                          (b->value == 0.0 && !(ev_value_error(b) > 0.0));
        if (c.outcome == EV_DIFFERS && zero && ev_attempt_note(out, &c, a, b))
            snprintf(out->reason, sizeof out->reason,
                     "one side is 0 and the other is not: left %.10g, right %.10g", a->value,
                     b->value);
    }
}

/* Both are 0, or too small for a normal number. */
static void note_blank(const ev_value *left, const ev_value *right, ev_attempt *out)
{
    ev_comparison c = ev_compare(EV_RELATION_EQUAL, left, right, (ev_tolerance){1, 1, 0});
    if (c.outcome == EV_UNFIT_VALUES) {
        ev_attempt_note(out, &c, left, right);
        return;
    }
    c = (ev_comparison){.outcome = EV_AGREES, .blank = true, .digits = 16.0};
    ev_attempt_note(out, &c, left, right);
}

/* One of the two is below the normal numbers, where a double has fewer digits the smaller it is. */
static bool lacks_digits(const ev_value *left, const ev_value *right)
{
    return fmin(fabs(left->value), fabs(right->value)) < DBL_MIN;
}

/* How far both sides are from 0 at one member; less than 0 where there is no number. */
static double smaller(const ev_value *a, const ev_value *b)
{
    bool fit = a->fit && a->domain && b->fit && b->domain;
    double m = fmin(fabs(a->value), fabs(b->value));
    return fit && isfinite(a->value) && isfinite(b->value) ? m : -1.0;
}

/* The member that the others are compared with: that at which the sides' smaller one is largest.
 * Where it is 0, there is none.  members: sides of component i at each, `stride` values apart. */
static size_t find_base(const ev_value *members, size_t count, size_t stride, size_t n)
{
    size_t base = 0;
    for (size_t k = 1; k < count; k++)
        if (smaller(&members[k * stride], &members[k * stride + n]) >
            smaller(&members[base * stride], &members[base * stride + n]))
            base = k;
    return base;
}

/* A_k B_0 = A_0 B_k, which needs no division, of one component at two members: 0 is the base. */
static void compare_members(const ev_value *base, const ev_value *other, size_t n,
                            ev_tolerance tolerance, ev_attempt *out)
{
    double a = larger(&base[0], &other[0]), b = larger(&base[n], &other[n]);
    if (a < DBL_MIN || b < DBL_MIN) { /* one side of the relation has no digits here */
        note_blank(&other[0], &other[n], out);
        return;
    }
    ev_value left = product(&other[0], a, &base[n], b);
    ev_value right = product(&base[0], a, &other[n], b);
    ev_comparison c = ev_compare(EV_RELATION_EQUAL, &left, &right, tolerance);
    if (c.outcome == EV_UNRESOLVED &&
        (lacks_digits(&base[0], &base[n]) || lacks_digits(&other[0], &other[n])))
        note_blank(&base[0], &base[n], out);
    else
        ev_attempt_note(out, &c, &left, &right);
}

/* One component at all members.  Where both sides are 0 but at one member at most, as far outside
 * a support, they are proportional whatever stands there: nothing was compared. */
static void compare_family(const ev_value *members, size_t count, size_t stride, size_t n,
                           ev_tolerance tolerance, ev_attempt *out)
{
    size_t base = find_base(members, count, stride, n), telling = 0;
    const ev_value *at_base = members + base * stride;
    for (size_t k = 0; k < count; k++) {
        const ev_value *other = members + k * stride;
        telling += smaller(&other[0], &other[n]) != 0.0;
        if (k != base)
            compare_members(at_base, other, n, tolerance, out);
    }
    if (telling < 2)
        note_blank(&at_base[0], &at_base[n], out);
}

/* left / right is one positive number for the whole family. */
ev_status ev_attempt_proportional(const ev_trial *trial, const ev_place *place,
                                  const ev_budget *budget, const ev_effort *effort,
                                  const ev_stream *stream, ev_attempt *out)
{
    size_t n = trial->step->count, count = place->redraw_count + 1, stride = 2 * n;
    ev_tolerance tolerance = {budget->resolution, budget->sampling_resolution, trial->slack};
    ev_attempt_begin(out);
    if (count < 2) /* nothing varies, nothing is compared */
        return EV_OK;
    ev_value *values = calloc(count * stride, sizeof *values);
    ev_status status = values == NULL ? EV_NO_MEMORY : EV_OK;
    for (size_t k = 0; status == EV_OK && k < count; k++) {
        status = evaluate(trial, family_member(trial, place, k), effort, stream, (uint32_t)k,
                          values + k * stride, out);
        if (status != EV_OK)
            break;
        note_signs(values + k * stride, n, tolerance, out);
        note_zeros(values + k * stride, n, tolerance, out);
    }
    for (size_t i = 0; status == EV_OK && i < n; i++)
        compare_family(values + i, count, stride, n, tolerance, out);
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

/* The residual is r(0) + c slope: its root, from the component whose slope is clearest.
 * *lost grows by the error of a slope that is lost in it. */
static bool solve(const ev_value *at0, const ev_value *at1, size_t n, measured *root,
                  size_t *component, double *lost)
{
    double clearest = 0.0;
    for (size_t i = 0; i < n; i++) {
        measured r0 = residual(at0, n, i), r1 = residual(at1, n, i);
        double slope = r1.value - r0.value, slope_error = r0.error + r1.error;
        *lost = fmax(*lost, slope_error);
        if (!isfinite(slope) || fabs(slope) <= 4.0 * slope_error || fabs(slope) <= clearest)
            continue;
        clearest = fabs(slope);
        *component = i;
        root->value = -r0.value / slope;
        root->error = (r0.error + fabs(root->value) * slope_error) / fabs(slope);
    }
    return clearest > 0.0;
}

/* Is r(2) - 2 r(1) + r(0) nothing but error, in every component? */
static bool is_linear(const ev_value *at0, const ev_value *at1, const ev_value *at2, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        measured r0 = residual(at0, n, i), r1 = residual(at1, n, i), r2 = residual(at2, n, i);
        double bend = r2.value - 2.0 * r1.value + r0.value;
        double rounding = 1e-15 * (fabs(r2.value) + 2.0 * fabs(r1.value) + fabs(r0.value));
        if (!(fabs(bend) <= 4.0 * (r2.error + 2.0 * r1.error + r0.error) + rounding))
            return false;
    }
    return true;
}

static void note_nonlinear(const ev_value *values, size_t n, ev_attempt *out)
{
    ev_comparison c = {.outcome = EV_UNFIT_VALUES, .reason = "the constant enters nonlinearly"};
    ev_attempt_note(out, &c, &values[0], &values[n]);
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

/* Room and settings of one attempt. */
typedef struct {
    const ev_trial *trial;
    const ev_place *place;
    const ev_budget *budget;
    const ev_effort *effort;
    const ev_stream *stream;
    size_t at;           /* the constant's input */
    double *point;       /* one spare input, for a constant that does not occur */
    ev_value *values[3]; /* (2 n) */
    uint32_t evaluated;
    ev_attempt *out;
} family;

/* Both sides at the member with the given constant. */
static ev_status evaluate_member(family *f, size_t member, double c, ev_value *values)
{
    const double *inputs = family_member(f->trial, f->place, member);
    for (size_t i = 0; i < f->trial->instance->input_count; i++)
        f->point[i] = inputs[i];
    f->point[f->at] = c;
    return evaluate(f->trial, f->point, f->effort, f->stream, f->evaluated++, values, f->out);
}

/* With the constant's value c, known to within its error, both sides at one member; a second
 * evaluation at c + 1 tells what that error is worth. */
static ev_status compare_member(family *f, size_t member, measured c)
{
    size_t n = f->trial->step->count;
    ev_tolerance tolerance = {f->budget->resolution, f->budget->sampling_resolution,
                              f->trial->slack};
    ev_value *there = f->values[0], *beyond = f->values[1];
    ev_status status = evaluate_member(f, member, c.value, there);
    if (status == EV_OK)
        status = evaluate_member(f, member, c.value + 1.0, beyond);
    for (size_t i = 0; status == EV_OK && i < n; i++) {
        double slope = residual(beyond, n, i).value - residual(there, n, i).value;
        there[i].quadrature += c.error * fabs(slope);
        ev_comparison compared = ev_compare(EV_RELATION_EQUAL, &there[i], &there[n + i], tolerance);
        ev_attempt_note(f->out, &compared, &there[i], &there[n + i]);
        f->out->unsaid += compared.zero && !ev_attempt_says_zero(f->trial, i);
    }
    return status;
}

/* What one member says of the constant: its value; nothing, since it has no effect there; or the
 * attempt ends, what is unfit being noted. */
typedef enum { SOLVED, NO_EFFECT, GIVEN_UP } base;

static ev_status solve_at(family *f, size_t member, measured *c, double *lost, base *out)
{
    size_t n = f->trial->step->count, component = 0;
    *out = GIVEN_UP;
    for (size_t k = 0; k < 3; k++) {
        ev_status status = evaluate_member(f, member, (double)k, f->values[k]);
        if (status != EV_OK)
            return status;
    }
    if (!note_unfit(f->values[0], n, f->out) || !note_unfit(f->values[1], n, f->out) ||
        !note_unfit(f->values[2], n, f->out))
        return EV_OK;
    if (!is_linear(f->values[0], f->values[1], f->values[2], n)) {
        note_nonlinear(f->values[2], n, f->out);
        return EV_OK;
    }
    if (!solve(f->values[0], f->values[1], n, c, &component, lost)) {
        *out = NO_EFFECT;
        return EV_OK;
    }
    double slope = residual(f->values[1], n, component).value -
                   residual(f->values[0], n, component).value;
    ev_status status = evaluate_member(f, member, c->value, f->values[2]);
    if (status != EV_OK || !note_unfit(f->values[2], n, f->out))
        return status;
    measured rest = residual(f->values[2], n, component); /* no root: it only looked linear */
    double rounding = 1e-15 * fabs(c->value * slope);
    *out = fabs(rest.value) <= 4.0 * (rest.error + c->error * fabs(slope)) + rounding ? SOLVED
                                                                                      : GIVEN_UP;
    if (*out == GIVEN_UP)
        note_nonlinear(f->values[2], n, f->out);
    return EV_OK;
}

/* The constant from the first member at which it has an effect, then all the others with it.  No
 * effect anywhere: any value does.  Effects lost in their errors: the constant is not known, and
 * nothing that depends on it will be resolved. */
static ev_status judge_family(family *f)
{
    size_t members = f->place->redraw_count + 1, base_member = 0;
    measured c = {0.0, 0.0};
    double lost = 0.0;
    base found = NO_EFFECT;
    for (size_t k = 0; k < members && found == NO_EFFECT; k++) {
        ev_status status = solve_at(f, k, &c, &lost, &found);
        if (status != EV_OK || found == GIVEN_UP)
            return status;
        base_member = k;
    }
    if (found == NO_EFFECT) {
        base_member = 0;
        c = (measured){0.0, lost < 1e-6 ? 0.0 : 1e300};
    }
    for (size_t k = 0; k < members; k++) {
        ev_status status = k == base_member ? EV_OK : compare_member(f, k, c);
        if (status != EV_OK)
            return status;
    }
    return EV_OK;
}

ev_status ev_attempt_constant(const ev_trial *trial, const ev_place *place, const ev_budget *budget,
                              const ev_effort *effort, const ev_stream *stream, ev_attempt *out)
{
    size_t n = trial->step->count, inputs = trial->instance->input_count;
    ev_attempt_begin(out);
    ev_value *values = calloc(6 * n, sizeof *values);
    double *point = calloc(inputs + 1, sizeof *point);
    ev_status status = EV_NO_MEMORY;
    if (values != NULL && point != NULL) {
        family f = {.trial = trial,
                    .place = place,
                    .budget = budget,
                    .effort = effort,
                    .stream = stream,
                    .at = constant_input(trial),
                    .point = point,
                    .values = {values, values + 2 * n, values + 4 * n},
                    .out = out};
        status = judge_family(&f);
    }
    free(values);
    free(point);
    return status;
}
