/* Equality of arg-mins.
 *
 *   1. Minimise each objective by BFGS in unconstrained coordinates (judge/chart.h), from the
 *      point's own values and from random ones; keep the lowest.
 *   2. Polish: Newton steps with gradients that carry errors.  A minimum is found when the Hessian
 *      is positive definite there and the position's error, |H^-1| (|g| + error of g), is small.
 *   3. Cross-examine: at each found minimiser the OTHER objective's gradient must vanish
 *      within its error (and the position's), and its value must be the other's lowest.  A gradient
 *      clearly not 0 at the minimiser, or a clearly lower value elsewhere, refutes.
 *
 * This compares sets: with two minimisers at +-m each side may find another one.  Limits: a
 * global minimum is the lowest of a few descents; where neither objective has a
 * minimum, or it is not isolated, nothing is decided. */
#include "judge/attempt.h"

#include "judge/chart.h"
#include "numerics/linear_algebra.h"
#include "numerics/minimise.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HERMITE_ORDER = 32, NEWTON_STEPS = 5, MAX_ITERATIONS = 200 };
static const double farthest = 25.0; /* a coordinate beyond this has run away */

/* Shapes: n coordinates, m components. */
typedef struct {
    const ev_trial *trial;
    const ev_chart *chart;
    const ev_effort *effort;
    const ev_stream *stream;
    ev_attempt *out;
    ev_program *program;
    double sign;      /* -1 to maximise */
    size_t n, m;
    double *inputs;   /* all inputs; vary's are overwritten */
    double *values;   /* (1+m) */
    ev_value *exact;  /* (1+m) */
    uint32_t evaluated;
    /* the result: */
    double *best;     /* (n) lowest seen */
    double *radius;   /* (n) its error, when found */
    bool seen, found;
} side;

/* Objective and gradient together with their errors at t. */
typedef struct {
    ev_value value;
    double *gradient, *error; /* (n) */
    bool fit;
} examined;

static int objective(void *context, size_t n, const double *t, double *value, double *gradient)
{
    side *s = context;
    (void)n;
    ev_chart_to_inputs(s->chart, t, s->inputs);
    if (ev_program_values(s->program, s->inputs, HERMITE_ORDER, s->values) != EV_OK)
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

static ev_status examine(side *s, const double *t, examined *e)
{
    ev_stream own = ev_stream_child(s->stream, s->evaluated++);
    ev_chart_to_inputs(s->chart, t, s->inputs);
    ev_status status =
        ev_program_evaluate(s->program, s->inputs, s->effort, &own, s->exact);
    if (status != EV_OK)
        return status;
    ev_attempt_spend(s->out, s->program, 1 + s->m, s->exact);
    e->fit = true;
    for (size_t i = 0; i <= s->m; i++) {
        const ev_value *v = &s->exact[i];
        e->fit = e->fit && v->fit && v->domain && isfinite(v->value) &&
                 isfinite(ev_value_error(v));
        s->values[i] = s->sign * v->value;
    }
    e->value = s->exact[0];
    e->value.value = s->values[0];
    ev_chart_pull_back(s->chart, s->inputs, s->values + 1, e->gradient);
    for (size_t i = 0; i <= s->m; i++)
        s->values[i] = ev_value_error(&s->exact[i]);
    ev_chart_pull_back_errors(s->chart, s->inputs, s->values + 1, e->error);
    return EV_OK;
}

/* H (n,n) by central differences of the plain gradients; false where they are not defined. */
static bool hessian(side *s, const double *t, double *H)
{
    size_t n = s->n;
    double *work = calloc(3 * n, sizeof *work), value;
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
static bool invert_definite(size_t n, const double *H, double *inverse)
{
    return ev_cholesky(n, H, inverse) == EV_OK && ev_matrix_inverse(n, H, inverse) == EV_OK;
}

/* Newton's step H^-1 g from t, and what is known of the position: |H^-1| (|g| + e). */
static double newton(size_t n, const double *t, const double *inverse, const examined *e,
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

static ev_status polish(side *s, examined *e, double *matrices)
{
    size_t n = s->n;
    double *H = matrices, *inverse = H + n * n, *step = inverse + n * n;
    s->found = false;
    for (size_t k = 0; k < NEWTON_STEPS; k++) {
        ev_status status = examine(s, s->best, e);
        if (status != EV_OK || !e->fit)
            return status;
        if (!hessian(s, s->best, H) || !invert_definite(n, H, inverse))
            return EV_OK;
        double longest = newton(n, s->best, inverse, e, step, s->radius);
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

static void minimise(side *s, const ev_place *place, double *t)
{
    double lowest = HUGE_VAL;
    for (size_t k = 0; k <= place->redraw_count; k++) {
        const double *start =
            k == 0 ? place->inputs : place->redraws + (k - 1) * s->trial->instance->input_count;
        double value = (double)NAN, norm;
        ev_chart_from_inputs(s->chart, start, t);
        if (ev_minimise(objective, s, s->n, t, 1e-9, MAX_ITERATIONS, &value, &norm) ==
            EV_NO_MEMORY)
            continue;
        bool finite = isfinite(value);
        for (size_t i = 0; i < s->n; i++)
            finite = finite && isfinite(t[i]);
        if (finite && value < lowest) {
            lowest = value;
            memcpy(s->best, t, s->n * sizeof *t);
            s->seen = true;
        }
    }
}

static void decide(ev_attempt *out, ev_outcome outcome, double left, double left_error,
                   double right, double right_error, double resolution, const char *why)
{
    ev_value a = ev_value_of(left, left_error), b = ev_value_of(right, right_error);
    ev_comparison c = {.outcome = outcome,
                       .distance = fabs(left - right),
                       .error = left_error + right_error,
                       .scale = fmax(fmax(fabs(left), fabs(right)), 1.0),
                       .resolution = resolution};
    double worst = fmax(c.distance, c.error) / c.scale;
    c.digits = worst > 1e-16 ? fmin(fmax(-log10(worst), 0.0), 16.0) : 16.0;
    ev_attempt_note(out, &c, &a, &b);
    if (why != NULL && out->worst.outcome == outcome)
        snprintf(out->reason, sizeof out->reason, "%s", why);
}

/* Is `from`'s minimiser stationary for `other`?  e: other, examined there. */
static void judge_stationary(const side *from, side *other, const examined *e, double resolution,
                             double *matrices, const char *whose)
{
    size_t n = from->n;
    double *H = matrices, *inverse = H + n * n, *step = inverse + n * n, *radius = step + n;
    char why[200];
    bool known = hessian(other, from->best, H);
    bool settled = known;
    for (size_t i = 0; i < n; i++) {
        double error = e->error[i];
        for (size_t j = 0; known && j < n; j++)
            error += fabs(H[i * n + j]) * from->radius[j];
        if (fabs(e->gradient[i]) <= 4.0 * error || !known)
            continue;
        settled = false;
        snprintf(why, sizeof why,
                 "at the minimiser of the %s objective the other's gradient is %.4g +- %.1g", whose,
                 e->gradient[i], error);
        decide(other->out, EV_DIFFERS, e->gradient[i], error, 0.0, 0.0, resolution, why);
    }
    if (!settled || !invert_definite(n, H, inverse)) {
        if (settled || !known)
            decide(other->out, EV_UNRESOLVED, 0.0, 0.0, 0.0, 0.0, resolution,
                   "the other objective has no isolated minimum at the minimiser found");
        return;
    }
    newton(n, from->best, inverse, e, step, radius);
    for (size_t i = 0; i < n; i++) {
        double at = from->best[i], error = from->radius[i] + radius[i];
        bool clear = error <= resolution * fmax(1.0, fabs(at));
        decide(other->out, clear ? EV_AGREES : EV_UNRESOLVED, at, from->radius[i], at - step[i],
               radius[i], resolution, clear ? NULL : "the minimiser is not known well enough");
    }
}

/* How much the other's value may owe to the error of the position: |g| r + r |H| r / 2. */
static double value_of_radius(const side *from, const examined *e, const double *H)
{
    double sum = 0.0;
    for (size_t i = 0; i < from->n; i++) {
        sum += (fabs(e->gradient[i]) + e->error[i]) * from->radius[i];
        for (size_t j = 0; j < from->n; j++)
            sum += 0.5 * from->radius[i] * fabs(H[i * from->n + j]) * from->radius[j];
    }
    return isfinite(sum) ? sum : 0.0;
}

/* Is it the other's lowest value?  here, lowest: other, examined at from's minimiser and at its
 * own best. */
static void judge_lowest(side *other, const ev_value *here, const ev_value *lowest,
                         double resolution, const char *whose)
{
    char why[200];
    ev_comparison c = ev_compare(EV_RELATION_LESS_EQUAL, here, lowest,
                                 (ev_tolerance){1e-6, 1e-2, 0.0});
    if (c.outcome == EV_AGREES)
        return;
    snprintf(why, sizeof why,
             c.outcome == EV_DIFFERS
                 ? "the minimiser of the %s objective is not the lowest point of the other"
                 : "whether the minimiser of the %s objective is the other's lowest is not clear",
             whose);
    decide(other->out, c.outcome == EV_DIFFERS ? EV_DIFFERS : EV_UNRESOLVED, here->value,
           ev_value_error(here), lowest->value, ev_value_error(lowest), resolution, why);
}

static ev_status cross_examine(const side *from, side *other, const char *whose, examined *e,
                               double *matrices)
{
    ev_status status = examine(other, from->best, e);
    if (status != EV_OK)
        return status;
    bool sampled = (from->out->methods & EV_METHOD_SAMPLING_ONLY) != 0;
    double resolution = sampled ? 1e-2 : 1e-6;
    if (!e->fit) {
        decide(other->out, EV_UNFIT_VALUES, 0.0, 0.0, 0.0, 0.0, resolution,
               "an objective is not defined at the other's minimiser");
        return EV_OK;
    }
    memset(matrices, 0, from->n * from->n * sizeof *matrices);
    judge_stationary(from, other, e, resolution, matrices, whose); /* leaves H in matrices */
    if (!other->seen)
        return EV_OK;
    ev_value here = e->value;
    here.quadrature += value_of_radius(from, e, matrices);
    for (size_t i = 0; i < from->n; i++) /* a unit of the coordinate changes the value by so much */
        here.magnitude = fmax(here.magnitude, 1e3 * fabs(matrices[i * (from->n + 1)]));
    status = examine(other, other->best, e);
    if (status == EV_OK && e->fit)
        judge_lowest(other, &here, &e->value, resolution, whose);
    return status;
}

static ev_status judge_sides(side *left, side *right, const ev_place *place, double *work)
{
    size_t n = left->n;
    examined e = {.gradient = work, .error = work + n};
    double *matrices = work + 2 * n;
    side *both[] = {left, right};
    ev_status status = EV_OK;
    for (size_t k = 0; k < 2 && status == EV_OK; k++) {
        minimise(both[k], place, work);
        if (both[k]->seen)
            status = polish(both[k], &e, matrices);
    }
    if (status == EV_OK && left->found)
        status = cross_examine(left, right, "left", &e, matrices);
    if (status == EV_OK && right->found)
        status = cross_examine(right, left, "right", &e, matrices);
    bool refuted = left->out->compared > 0 && left->out->worst.outcome == EV_DIFFERS;
    if (status == EV_OK && !refuted && (!left->found || !right->found))
        decide(left->out, EV_UNRESOLVED, 0.0, 0.0, 0.0, 0.0, 1e-6,
               left->found || right->found ? "only one side has a minimum that could be found"
                                           : "no minimum was found inside the domain");
    return status;
}

static bool side_make(side *s, size_t inputs)
{
    s->inputs = calloc(inputs + 1, sizeof *s->inputs);
    s->values = calloc(s->m + 1, sizeof *s->values);
    s->exact = calloc(s->m + 1, sizeof *s->exact);
    s->best = calloc(s->n, sizeof *s->best);
    s->radius = calloc(s->n, sizeof *s->radius);
    return s->inputs != NULL && s->values != NULL && s->exact != NULL && s->best != NULL &&
           s->radius != NULL;
}

static void side_free(side *s)
{
    free(s->inputs);
    free(s->values);
    free(s->exact);
    free(s->best);
    free(s->radius);
}

ev_status ev_attempt_argmin(const ev_trial *trial, const ev_place *place, const ev_budget *budget,
                            const ev_effort *effort, const ev_stream *stream, ev_attempt *out)
{
    (void)budget;
    const ev_case *instance = trial->instance;
    ev_error error = EV_ERROR_NONE;
    ev_chart *chart = NULL;
    ev_attempt_begin(out);
    ev_status status = ev_chart_create(instance, trial->table, trial->integers,
                                       trial->step->vary_count, trial->step->vary, &chart, &error);
    if (status == EV_UNFIT) {
        decide(out, EV_UNRESOLVED, 0.0, 0.0, 0.0, 0.0, 1e-6, error.message);
        return EV_OK;
    }
    if (status != EV_OK)
        return status;
    size_t n = ev_chart_dimension(chart);
    side left = {.trial = trial, .chart = chart, .effort = effort, .stream = stream, .out = out,
                 .program = trial->program, .sign = trial->step->maximise ? -1.0 : 1.0, .n = n,
                 .m = ev_chart_components(chart)};
    side right = left;
    right.program = trial->second;
    right.evaluated = 1000;
    double *work = calloc(4 * n + 2 * n * n, sizeof *work);
    bool made = side_make(&left, instance->input_count);
    made = side_make(&right, instance->input_count) && made && work != NULL;
    for (size_t i = 0; made && i < instance->input_count; i++)
        left.inputs[i] = right.inputs[i] = place->inputs[i];
    status = made ? judge_sides(&left, &right, place, work) : EV_NO_MEMORY;
    side_free(&left);
    side_free(&right);
    free(work);
    ev_chart_destroy(chart);
    return status;
}
