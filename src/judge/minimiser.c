#include "judge/minimiser.h"

#include "numerics/linear_algebra.h"
#include "numerics/minimise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HERMITE_ORDER = 32, NEWTON_STEPS = 12, MAX_ITERATIONS = 200 };
static const double farthest = 25.0; /* a coordinate beyond this has run away */

bool ev_minimiser_make(ev_minimiser *s, const ev_chart *chart, size_t inputs)
{
    s->inputs = calloc(inputs + 1, sizeof *s->inputs);
    s->start = calloc(inputs + 1, sizeof *s->start);
    s->values = calloc(s->m + 1, sizeof *s->values);
    s->exact = calloc(s->m + 1, sizeof *s->exact);
    s->best = calloc(s->n, sizeof *s->best);
    s->twin = calloc(s->n, sizeof *s->twin);
    s->radius = calloc(s->n, sizeof *s->radius);
    s->chart = ev_chart_copy(chart);
    return s->chart != NULL && s->inputs != NULL && s->start != NULL && s->values != NULL &&
           s->exact != NULL && s->best != NULL && s->twin != NULL && s->radius != NULL;
}

void ev_minimiser_free(ev_minimiser *s)
{
    ev_chart_destroy(s->chart);
    free(s->inputs);
    free(s->start);
    free(s->values);
    free(s->exact);
    free(s->best);
    free(s->twin);
    free(s->radius);
}

/* s->values at s->inputs by quadrature with errors, or by plain Gauss-Hermite. */
static bool values_at(ev_minimiser *s)
{
    if (!s->exactly)
        return ev_program_values(s->program, s->inputs, HERMITE_ORDER, s->values) == EV_OK;
    ev_effort effort = s->effort;
    effort.samples = effort.max_samples = 0;
    bool fit = ev_program_evaluate(s->program, s->inputs, &effort, s->stream, s->exact) == EV_OK;
    for (size_t i = 0; fit && i <= s->m; i++) {
        fit = s->exact[i].fit;
        s->values[i] = s->exact[i].value;
    }
    return fit;
}

static int objective(void *context, size_t n, const double *t, double *value, double *gradient)
{
    ev_minimiser *s = context;
    (void)n;
    ev_chart_to_inputs(s->chart, t, s->inputs);
    if (!values_at(s))
        return 1;
    for (size_t i = 0; i <= s->m; i++) {
        s->values[i] *= s->sign;
        if (!isfinite(s->values[i]))
            return 1;
    }
    *value = s->values[0];
    if (gradient != NULL)
        ev_chart_pull_back(s->chart, s->inputs, s->values + 1, gradient);
    return 0;
}

/* s->exact at s->inputs. */
static ev_status evaluate(ev_minimiser *s, bool voice)
{
    ev_effort effort = s->effort;
    if (!voice) {
        effort.samples = 0;
        effort.max_samples = 1 << 14;
    }
    ev_stream own = ev_stream_child(s->stream, s->evaluated++);
    ev_status status = ev_program_evaluate(s->program, s->inputs, &effort, &own, s->exact);
    if (status == EV_OK)
        ev_attempt_spend(s->out, s->program, 1 + s->m, s->exact);
    return status;
}

ev_status ev_minimiser_value(ev_minimiser *s, ev_value *value)
{
    ev_status status = evaluate(s, false);
    *value = s->exact[0];
    value->value *= s->sign;
    return status;
}

ev_status ev_minimiser_examine(ev_minimiser *s, const double *t, bool voice, ev_examined *e)
{
    ev_chart_to_inputs(s->chart, t, s->inputs);
    ev_status status = evaluate(s, voice);
    if (status != EV_OK)
        return status;
    e->fit = true;
    for (size_t i = 0; i <= s->m; i++) {
        const ev_value *v = &s->exact[i];
        e->fit = e->fit && v->fit && v->domain && isfinite(v->value) && isfinite(ev_value_error(v));
        if (i > 0)
            e->components[i - 1] = s->sign * v->value;
        if (i > 0)
            e->component_error[i - 1] = ev_value_error(v);
    }
    e->value = s->exact[0];
    e->value.value *= s->sign;
    ev_chart_pull_back(s->chart, s->inputs, e->components, e->gradient);
    ev_chart_pull_back_errors(s->chart, s->inputs, e->component_error, e->error);
    return EV_OK;
}

bool ev_minimiser_hessian(ev_minimiser *s, const double *t, double *H)
{
    size_t n = s->n;
    double *work = calloc(3 * n + 1, sizeof *work), value;
    bool fine = work != NULL;
    for (size_t j = 0; fine && j < n; j++) {
        double h = 1e-4 * (1.0 + fabs(t[j]));
        memcpy(work, t, n * sizeof *t);
        work[j] = t[j] + h;
        fine = objective(s, n, work, &value, work + n) == 0;
        work[j] = t[j] - h;
        fine = fine && objective(s, n, work, &value, work + 2 * n) == 0;
        for (size_t i = 0; fine && i < n; i++)
            H[i * n + j] = (work[n + i] - work[2 * n + i]) / (2.0 * h);
    }
    for (size_t i = 0; fine && i < n; i++)
        for (size_t j = 0; j < i; j++)
            H[i * n + j] = H[j * n + i] = 0.5 * (H[i * n + j] + H[j * n + i]);
    free(work);
    return fine;
}

/* inverse (n,n) of H; false unless H is positive definite. */
bool ev_minimiser_invert(size_t n, const double *H, double *inverse)
{
    return n == 0 ||
           (ev_cholesky(n, H, inverse) == EV_OK && ev_matrix_inverse(n, H, inverse) == EV_OK);
}

/* Newton's step H^-1 g from t, and what is known of the position: |H^-1| (|g| + e). */
double ev_minimiser_newton(size_t n, const double *t, const double *inverse, const ev_examined *e,
                           double *step, double *radius)
{
    double longest = 0.0;
    for (size_t i = 0; i < n; i++) {
        step[i] = radius[i] = 0.0;
        for (size_t j = 0; j < n; j++) {
            step[i] += inverse[i * n + j] * e->gradient[j];
            radius[i] += fabs(inverse[i * n + j]) * (fabs(e->gradient[j]) + e->error[j]);
        }
        radius[i] += 1e-15 * (1.0 + fabs(t[i])); /* the coordinate's own rounding */
        longest = fmax(longest, fabs(step[i]));
    }
    return longest;
}

/* Number of a held entry at which the objective clearly decreases inward, or s->held. */
size_t ev_minimiser_falls_inward(const ev_minimiser *s, const ev_examined *e, double *inward)
{
    for (size_t i = 0; i < s->held; i++) {
        size_t component;
        *inward = ev_chart_inward(s->chart, i, e->components, &component);
        if (*inward < -4.0 * e->component_error[component])
            return i;
    }
    return s->held;
}

ev_status ev_minimiser_polish(ev_minimiser *s, ev_examined *e, double *matrices)
{
    size_t n = s->n;
    double *H = matrices, *inverse = H + n * n, *step = inverse + n * n;
    s->found = false;
    for (size_t k = 0; k < NEWTON_STEPS; k++) {
        double inward;
        ev_status status = ev_minimiser_examine(s, s->best, false, e);
        if (status != EV_OK || !e->fit || ev_minimiser_falls_inward(s, e, &inward) < s->held)
            return status;
        if (!ev_minimiser_hessian(s, s->best, H) || !ev_minimiser_invert(n, H, inverse))
            return EV_OK;
        double longest = ev_minimiser_newton(n, s->best, inverse, e, step, s->radius);
        bool near = true;
        for (size_t i = 0; i < n; i++)
            near = near && s->radius[i] < 1e-2 && fabs(s->best[i]) < farthest;
        s->found = near;
        if (longest < 1e-12 || longest > 0.5 || k + 1 == NEWTON_STEPS)
            return EV_OK;
        for (size_t i = 0; i < n; i++)
            s->best[i] -= step[i];
    }
    return EV_OK;
}

/* Is the objective clearly higher halfway from one place to the other?  In a flat floor it is not. */
static bool is_apart(ev_minimiser *s, const double *a, const double *b)
{
    double *middle = calloc(s->n + 1, sizeof *middle), value = 0.0;
    bool apart = middle != NULL;
    for (size_t i = 0; apart && i < s->n; i++)
        middle[i] = 0.5 * (a[i] + b[i]);
    apart = apart && objective(s, s->n, middle, &value, NULL) == 0 &&
            value > s->lowest + 1e-6 * (1.0 + fabs(s->lowest));
    free(middle);
    return apart;
}

void ev_minimiser_descend(ev_minimiser *s, const double *start, double *t)
{
    double value = (double)NAN, norm;
    ev_chart_from_inputs(s->chart, start, t);
    if (ev_minimise(objective, s, s->n, t, 1e-9, MAX_ITERATIONS, &value, &norm) == EV_NO_MEMORY)
        return;
    bool finite = isfinite(value);
    for (size_t i = 0; i < s->n; i++)
        finite = finite && isfinite(t[i]);
    if (!finite)
        return;
    const bool level = s->seen && fabs(value - s->lowest) <= 1e-9 * (1.0 + fabs(s->lowest));
    const bool lower = !s->seen || value < s->lowest;
    if (level && is_apart(s, t, s->best)) {
        memcpy(s->twin, lower ? s->best : t, s->n * sizeof *t);
        s->twin_seen = true;
    } else if (lower && !level) {
        s->twin_seen = false;
    }
    if (!lower)
        return;
    s->lowest = value;
    s->seen = true;
    memcpy(s->best, t, s->n * sizeof *t);
}

void ev_minimiser_search(ev_minimiser *s, const ev_place *place, double *t)
{
    size_t inputs = s->trial->instance->input_count;
    ev_minimiser_descend(s, place->inputs, t);
    for (size_t k = 0; k < place->redraw_count; k++)
        ev_minimiser_descend(s, place->redraws + k * inputs, t);
    s->exactly = true;
    const bool again[] = {s->seen, s->twin_seen};
    double *const from[] = {s->best, s->twin};
    s->seen = s->twin_seen = false;
    for (size_t k = 0; k < 2; k++) {
        if (!again[k])
            continue;
        ev_chart_to_inputs(s->chart, from[k], s->inputs);
        memcpy(s->start, s->inputs, inputs * sizeof *s->start);
        ev_minimiser_descend(s, s->start, t);
    }
    ev_minimiser_descend(s, place->inputs, t);
}

ev_status ev_minimiser_take_twin(ev_minimiser *s, ev_examined *e, double *matrices)
{
    memcpy(s->best, s->twin, s->n * sizeof *s->best);
    s->twin_seen = false;
    return ev_minimiser_polish(s, e, matrices);
}

/* Hold the entries that ran to a closed end, if that is where the minimum is. */
void ev_minimiser_hold_ends(ev_minimiser *s, double *t)
{
    double value = 0.0, norm;
    ev_chart_to_inputs(s->chart, s->best, s->inputs);
    ev_chart *held = ev_chart_copy(s->chart), *free_chart = s->chart;
    if (held == NULL)
        return;
    size_t count = ev_chart_hold(held, s->inputs, 1e-3), n = ev_chart_dimension(held);
    ev_chart_from_inputs(held, s->inputs, t);
    s->chart = held;
    bool stays = count > 0;
    if (stays && n > 0)
        stays = ev_minimise(objective, s, n, t, 1e-9, MAX_ITERATIONS, &value, &norm) !=
                EV_NO_MEMORY;
    stays = stays && objective(s, n, t, &value, NULL) == 0;
    for (size_t i = 0; stays && i < count; i++) {
        size_t component;
        stays = ev_chart_inward(held, i, s->values + 1, &component) >= 0.0;
    }
    s->chart = stays ? held : free_chart;
    ev_chart_destroy(stays ? free_chart : held);
    if (!stays)
        return;
    s->held = count;
    s->n = n;
    memcpy(s->best, t, n * sizeof *t);
}
