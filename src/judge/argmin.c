/* Equality of arg-mins.
 *
 *   0. Objectives whose gradients are the same but for one positive factor k, at the point and at
 *      all its redraws, and for which left - k right is one number there, differ by a scale and a
 *      constant: they have the same arg-min, even when it is empty.  Where only the gradients are,
 *      there is a jump, or a stop-gradient, which a search that follows gradients does not see:
 *      what comes below may refute then, and nothing can agree.  Otherwise:
 *   1. Minimise each objective by BFGS in unconstrained coordinates (judge/chart.h), from the
 *      point's own values, from random ones, and from what the other's search found.
 *   2. Polish: Newton steps with gradients that carry errors.  A minimum is found when the Hessian
 *      is positive definite there and the position's error, |H^-1| (|g| + error of g), is small.
 *   3. Cross-examine: at each found minimiser the OTHER objective's gradient must vanish
 *      within its error (and the position's), and its value must be the other's lowest.  A gradient
 *      clearly not 0 at the minimiser, when a step against it really leads lower, or a clearly
 *      lower value elsewhere, refutes.
 *
 * A minimum may lie at a closed end of a domain.  An entry that ran there is held, the rest
 * minimised again, and the ends kept when the objective increases inward; the same is then
 * asked of the other objective.  When every entry is held, the agreement says little, since many
 * objectives fall towards one corner: it is marked, and judge/step.h asks at more points.  So it does
 * where an objective jumps: there are points at which the minimum lies far from the jump, and the two agree.
 *
 * A second place that is as low is asked about too.  Still, sets of minimisers are compared only by what
 * was found of them: with two at +-m each side may find another one.  Limits: a
 * global minimum is the lowest of a few descents; where neither objective has a
 * minimum, or it is not isolated, nothing is decided. */
#include "judge/minimiser.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    if (ev_attempt_note(out, &c, &a, &b) && why != NULL)
        snprintf(out->reason, sizeof out->reason, "%s", why);
}

/* Does a step against the other's gradient really lower it, and not `from`, whose minimum this is?
 * A gradient alone may be that of a kink, or owe to a position less well known than it seems, as in
 * the flat floor of a degenerate minimum. */
static bool descends(ev_minimiser *from, ev_minimiser *other, const ev_examined *e, double *t)
{
    static const double lengths[] = {1e-2, 1e-3, 1e-4};
    ev_value own, away, lower;
    double norm = 0.0;
    for (size_t i = 0; i < from->n; i++)
        norm = hypot(norm, e->gradient[i]);
    ev_chart_to_inputs(from->chart, from->best, from->inputs);
    if (!(norm > 0.0) || ev_minimiser_value(from, &own) != EV_OK)
        return false;
    bool sampled = (own.methods & EV_METHOD_SAMPLING_ONLY) != 0;
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        for (size_t i = 0; i < from->n; i++)
            t[i] = from->best[i] - lengths[k] * e->gradient[i] / norm;
        ev_chart_to_inputs(from->chart, t, other->inputs);
        if (ev_minimiser_value(other, &lower) != EV_OK || !lower.fit || !lower.domain ||
            !(e->value.value - lower.value > ev_value_error(&e->value) + ev_value_error(&lower)))
            continue;
        ev_chart_to_inputs(from->chart, t, from->inputs);
        if (ev_minimiser_value(from, &away) != EV_OK || !away.fit || !away.domain)
            continue;
        double unclear = sampled ? ev_value_error(&own) + ev_value_error(&away) : 0.0;
        if (away.value >= own.value - unclear)
            return true;
    }
    return false;
}

/* Is `from`'s minimiser stationary for `other`?  e: other, ev_examined there. */
static void judge_stationary(ev_minimiser *from, ev_minimiser *other, const ev_examined *e,
                             double resolution, double *matrices, const char *whose)
{
    size_t n = from->n;
    double *H = matrices, *inverse = H + n * n, *step = inverse + n * n, *radius = step + n;
    char why[200];
    if (n == 0) { /* every entry is held at an end */
        decide(other->out, EV_AGREES, 0.0, 0.0, 0.0, 0.0, resolution, NULL);
        return;
    }
    bool known = ev_minimiser_hessian(other, from->best, H);
    bool settled = known, asked = false, lower = false;
    for (size_t i = 0; i < n; i++) {
        double error = e->error[i];
        for (size_t j = 0; known && j < n; j++)
            error += fabs(H[i * n + j]) * from->radius[j];
        if (fabs(e->gradient[i]) <= 4.0 * error || !known)
            continue;
        settled = false;
        if (!asked)
            lower = descends(from, other, e, step);
        asked = true;
        snprintf(why, sizeof why,
                 "at the minimiser of the %s objective the other's gradient is %.4g +- %.1g%s",
                 whose, e->gradient[i], error,
                 lower ? "" : ", but no step against it clearly leads lower");
        decide(other->out, lower ? EV_DIFFERS : EV_UNRESOLVED, e->gradient[i], error, 0.0, 0.0,
               resolution, why);
    }
    if (!settled || !ev_minimiser_invert(n, H, inverse)) {
        if (settled || !known)
            decide(other->out, EV_UNRESOLVED, 0.0, 0.0, 0.0, 0.0, resolution,
                   "the other objective has no isolated minimum at the minimiser found");
        return;
    }
    ev_minimiser_newton(n, from->best, inverse, e, step, radius);
    for (size_t i = 0; i < n; i++) {
        double at = from->best[i], error = from->radius[i] + radius[i];
        bool clear = error <= resolution * fmax(1.0, fabs(at));
        decide(other->out, clear ? EV_AGREES : EV_UNRESOLVED, at, from->radius[i], at - step[i],
               radius[i], resolution, clear ? NULL : "the minimiser is not known well enough");
    }
}

/* How much the other's value may owe to the error of the position: |g| r + r |H| r / 2. */
static double value_of_radius(const ev_minimiser *from, const ev_examined *e, const double *H)
{
    double sum = 0.0;
    for (size_t i = 0; i < from->n; i++) {
        sum += (fabs(e->gradient[i]) + e->error[i]) * from->radius[i];
        for (size_t j = 0; j < from->n; j++)
            sum += 0.5 * from->radius[i] * fabs(H[i * from->n + j]) * from->radius[j];
    }
    return isfinite(sum) ? sum : 0.0;
}

/* The refutation by a lower value elsewhere stands only if `from` itself does not prefer that
 * place: else its search has missed its minimum. */
static bool is_preferred(ev_minimiser *from, ev_minimiser *other)
{
    ev_value own, there;
    size_t bytes = from->trial->instance->input_count * sizeof(double);
    ev_chart_to_inputs(from->chart, from->best, from->inputs);
    if (ev_minimiser_value(from, &own) != EV_OK)
        return false;
    ev_chart_to_inputs(other->chart, other->best, other->inputs);
    memcpy(from->inputs, other->inputs, bytes);
    if (ev_minimiser_value(from, &there) != EV_OK)
        return false;
    ev_comparison c = ev_compare(EV_RELATION_LESS_EQUAL, &own, &there,
                                 (ev_tolerance){1.0, 1.0, 0.0});
    return c.outcome == EV_AGREES;
}

/* Is it the other's lowest value?  here, lowest: other, examined at from's minimiser and at its
 * own best. */
static void judge_lowest(ev_minimiser *from, ev_minimiser *other, const ev_value *here,
                         const ev_value *lowest, double resolution, const char *whose)
{
    char why[200];
    ev_comparison c = ev_compare(EV_RELATION_LESS_EQUAL, here, lowest,
                                 (ev_tolerance){1e-6, 1e-2, 0.0});
    if (c.outcome == EV_AGREES)
        return;
    bool differs = c.outcome == EV_DIFFERS && is_preferred(from, other);
    snprintf(why, sizeof why,
             differs
                 ? "the minimiser of the %s objective is not the lowest point of the other"
                 : "whether the minimiser of the %s objective is the other's lowest is not clear",
             whose);
    decide(other->out, differs ? EV_DIFFERS : EV_UNRESOLVED, here->value, ev_value_error(here),
           lowest->value, ev_value_error(lowest), resolution, why);
}

/* The other objective at from's minimiser, in from's coordinates. */
static ev_status examine_there(ev_minimiser *from, ev_minimiser *other, ev_examined *e,
                               double resolution, double *matrices, const char *whose)
{
    char why[200];
    double inward;
    ev_status status = ev_minimiser_examine(other, from->best, true, e);
    if (status != EV_OK)
        return status;
    if (!e->fit) {
        decide(other->out, EV_UNFIT_VALUES, 0.0, 0.0, 0.0, 0.0, resolution,
               "an objective is not defined at the other's minimiser");
        return EV_OK;
    }
    if (ev_minimiser_falls_inward(other, e, &inward) < other->held) {
        snprintf(why, sizeof why,
                 "at the minimiser of the %s objective, on the edge of the domain, the other "
                 "falls inward at the rate %.4g",
                 whose, inward);
        decide(other->out, EV_DIFFERS, inward, 0.0, 0.0, 0.0, resolution, why);
        return EV_OK;
    }
    memset(matrices, 0, from->n * from->n * sizeof *matrices);
    judge_stationary(from, other, e, resolution, matrices, whose); /* leaves H in matrices */
    e->value.quadrature += value_of_radius(from, e, matrices);
    for (size_t i = 0; i < from->n; i++) /* a unit of the coordinate changes the value by so much */
        e->value.magnitude = fmax(e->value.magnitude, 1e3 * fabs(matrices[i * (from->n + 1)]));
    return EV_OK;
}

static ev_status cross_examine(ev_minimiser *from, ev_minimiser *other, const char *whose,
                               ev_examined *e, double *matrices)
{
    bool sampled = (from->out->methods & EV_METHOD_SAMPLING_ONLY) != 0;
    double resolution = sampled ? 1e-2 : 1e-6;
    ev_minimiser own = *other;
    other->chart = from->chart;
    other->n = from->n;
    other->held = from->held;
    ev_status status = examine_there(from, other, e, resolution, matrices, whose);
    other->chart = own.chart;
    other->n = own.n;
    other->held = own.held;
    if (status != EV_OK || !e->fit || !other->seen)
        return status;
    ev_value here = e->value;
    status = ev_minimiser_examine(other, other->best, false, e);
    if (status == EV_OK && e->fit)
        judge_lowest(from, other, &here, &e->value, resolution, whose);
    return status;
}

/* s descends from the other's best point as well; true when that is lower than its own. */
static bool descend_from(ev_minimiser *s, ev_minimiser *other, double *t)
{
    double before = s->lowest;
    bool was_seen = s->seen;
    if (!other->seen)
        return false;
    ev_chart_to_inputs(other->chart, other->best, other->inputs);
    memcpy(s->start, other->inputs, s->trial->instance->input_count * sizeof *t);
    ev_minimiser_descend(s, s->start, t);
    return s->seen && (!was_seen || s->lowest < before);
}

/* What one search missed is not held against the equality: each learns from the other, until
 * neither finds anything lower. */
static void exchange(ev_minimiser *left, ev_minimiser *right, double *t)
{
    enum { ROUNDS = 4 };
    bool lower = true;
    for (size_t k = 0; k < ROUNDS && lower; k++) {
        lower = descend_from(left, right, t);
        lower = descend_from(right, left, t) || lower;
    }
}

/* Components of the gradient and their errors at the point and then at its redraws. */
static ev_status gradient_at(ev_minimiser *s, const ev_place *place, size_t k, ev_examined *e,
                             double *t)
{
    size_t inputs = s->trial->instance->input_count;
    const double *at = k == 0 ? place->inputs : place->redraws + (k - 1) * inputs;
    ev_chart_from_inputs(s->chart, at, t);
    return ev_minimiser_examine(s, t, false, e);
}

/* Does `factor` times right's gradient equal left's, within the errors? The first time, the factor
 * is learnt from the largest component. */
static bool is_parallel(size_t m, const ev_examined *l, const ev_examined *r, double *factor,
                        double *spread)
{
    size_t largest = 0;
    for (size_t i = 1; i < m; i++)
        if (fabs(r->components[i]) > fabs(r->components[largest]))
            largest = i;
    double b = r->components[largest], a = l->components[largest];
    double size = fabs(a) + l->component_error[largest], small = 1e-7;
    if (!l->fit || !r->fit || !(r->component_error[largest] < small * fabs(b)) ||
        !(l->component_error[largest] < small * size))
        return false;
    if (*factor <= 0) {
        *factor = a / b;
        *spread = 4 * *factor *
                  (l->component_error[largest] / size + r->component_error[largest] / fabs(b));
    }
    if (!(*factor > 0) || !isfinite(*factor))
        return false;
    for (size_t i = 0; i < m; i++) {
        double error = l->component_error[i] + *factor * r->component_error[i] +
                       *spread * fabs(r->components[i]);
        if (!(fabs(l->components[i] - *factor * r->components[i]) <= error) || error > 1e-6 * size)
            return false;
    }
    return true;
}

/* left - factor right at the first place. */
typedef struct {
    double value, error;
    bool known;
} offset;

/* Is it the same here, and known well enough to tell? */
static bool is_offset(const ev_value *l, const ev_value *r, double factor, double spread,
                      offset *first)
{
    double size = fabs(l->value) + factor * fabs(r->value);
    double value = l->value - factor * r->value;
    double error = ev_value_error(l) + factor * ev_value_error(r) + spread * fabs(r->value) +
                   1e-15 * size;
    if (!first->known)
        *first = (offset){value, error, true};
    return error <= 1e-6 * size && fabs(value - first->value) <= 4.0 * (error + first->error);
}

/* Objectives seen at all places: unlike; one a scale of the other, up to a constant; or their
 * gradients are, and not they themselves. */
typedef enum { UNLIKE, SCALED, SCALED_GRADIENTS } likeness;

static ev_status compare_directions(ev_minimiser *left, ev_minimiser *right, const ev_place *place,
                                    likeness *out)
{
    size_t n = left->n, m = left->m;
    double *work = calloc(2 * (2 * n + 2 * m) + n + 1, sizeof *work), factor = 0, spread = 0;
    ev_status status = work == NULL ? EV_NO_MEMORY : EV_OK;
    ev_minimiser *sides[] = {left, right};
    offset first = {.known = false};
    ev_examined e[2];
    for (size_t k = 0; k < 2 && work != NULL; k++) {
        double *own = work + k * (2 * n + 2 * m);
        e[k] = (ev_examined){.gradient = own,
                             .error = own + n,
                             .components = own + 2 * n,
                             .component_error = own + 2 * n + m};
    }
    *out = status == EV_OK && place->redraw_count >= 2 && m > 0 ? SCALED : UNLIKE;
    for (size_t i = 0; status == EV_OK && *out != UNLIKE && i <= place->redraw_count; i++) {
        for (size_t k = 0; k < 2 && status == EV_OK; k++)
            status = gradient_at(sides[k], place, i, &e[k], work + 2 * (2 * n + 2 * m));
        if (status != EV_OK || !is_parallel(m, &e[0], &e[1], &factor, &spread))
            *out = UNLIKE;
        else if (!is_offset(&e[0].value, &e[1].value, factor, spread, &first))
            *out = SCALED_GRADIENTS;
    }
    free(work);
    return status;
}

/* Where an objective is as low at a second place, that must be a minimum of the other as well. */
static ev_status examine_twins(ev_minimiser *left, ev_minimiser *right, ev_examined *e,
                               double *matrices)
{
    ev_minimiser *sides[] = {left, right};
    static const char *const names[] = {"left", "right"};
    ev_status status = EV_OK;
    const bool found[] = {left->found, right->found};
    for (size_t k = 0; k < 2 && status == EV_OK && found[0] && found[1]; k++) {
        ev_minimiser *s = sides[k];
        if (!s->twin_seen || s->held > 0)
            continue;
        status = ev_minimiser_take_twin(s, e, matrices);
        if (status == EV_OK && s->found)
            status = cross_examine(s, sides[1 - k], names[k], e, matrices);
        s->found = true;
    }
    return status;
}

static ev_status judge_sides(ev_minimiser *left, ev_minimiser *right, const ev_place *place,
                             double *work)
{
    size_t n = left->n, m = left->m;
    ev_examined e = {.gradient = work,
                     .error = work + n,
                     .components = work + 2 * n,
                     .component_error = work + 2 * n + m};
    double *matrices = work + 2 * n + 2 * m;
    ev_minimiser *both[] = {left, right};
    likeness alike;
    ev_status status = compare_directions(left, right, place, &alike);
    if (status != EV_OK || alike == SCALED) {
        if (status == EV_OK)
            decide(left->out, EV_AGREES, 0.0, 0.0, 0.0, 0.0, 1e-6, NULL);
        return status;
    }
    for (size_t k = 0; k < 2; k++)
        ev_minimiser_search(both[k], place, work);
    exchange(left, right, work);
    for (size_t k = 0; k < 2 && status == EV_OK; k++) {
        if (!both[k]->seen)
            continue;
        ev_minimiser_hold_ends(both[k], work);
        status = ev_minimiser_polish(both[k], &e, matrices);
    }
    if (status == EV_OK && left->found)
        status = cross_examine(left, right, "left", &e, matrices);
    if (status == EV_OK && right->found)
        status = cross_examine(right, left, "right", &e, matrices);
    if (status == EV_OK)
        status = examine_twins(left, right, &e, matrices);
    left->out->says_little = left->found && right->found && left->n == 0 && right->n == 0;
    bool refuted = left->out->compared > 0 && left->out->worst.outcome == EV_DIFFERS;
    if (status == EV_OK && !refuted && (!left->found || !right->found))
        decide(left->out, EV_UNRESOLVED, 0.0, 0.0, 0.0, 0.0, 1e-6,
               left->found || right->found ? "only one side has a minimum that could be found"
                                           : "no minimum was found inside the domain");
    if (status == EV_OK && !refuted && alike == SCALED_GRADIENTS)
        decide(left->out, EV_UNRESOLVED, 0.0, 0.0, 0.0, 0.0, 1e-6,
               "the gradients are alike and the objectives are not: a jump or a stop-gradient, "
               "which the search for a minimum does not see");
    return status;
}

static bool is_varied(const ev_trial *trial, ev_node node)
{
    const ev_case *instance = trial->instance;
    if (ev_graph_op(instance->graph, node) != EV_OP_INPUT)
        return false;
    const size_t index = ev_graph_input_index(instance->graph, node);
    bool varied = false;
    for (size_t i = 0; i < instance->slot_count; i++)
        for (size_t k = 0; k < trial->step->vary_count; k++)
            varied = varied || (instance->slots[i].symbol == trial->step->vary[k] &&
                                index >= instance->slots[i].first &&
                                index < instance->slots[i].first + instance->slots[i].count);
    return varied;
}

/* May an objective jump where what is minimised over moves it?  All nodes up to the objectives' are
 * looked at, those of the claim's steps before among them: at worst more points are asked. */
static bool may_jump(const ev_trial *trial)
{
    const ev_graph *graph = trial->instance->graph;
    const ev_node top = trial->step->left[0] > trial->step->right[0] ? trial->step->left[0]
                                                                     : trial->step->right[0];
    for (ev_node step = 1; step <= top; step++) {
        if (ev_graph_op(graph, step) != EV_OP_STEP)
            continue;
        for (ev_node x = 1; x <= top; x++)
            if (is_varied(trial, x) && ev_graph_depends(graph, step, x))
                return true;
    }
    return false;
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
    ev_minimiser left = {.trial = trial,
                         .effort = *effort,
                         .stream = stream,
                         .out = out,
                         .program = trial->program,
                         .sign = trial->step->maximise_left ? -1.0 : 1.0,
                         .n = n,
                         .m = ev_chart_components(chart)};
    ev_minimiser right = left;
    right.program = trial->second;
    right.sign = trial->step->maximise_right ? -1.0 : 1.0;
    right.evaluated = 1000;
    double *work = calloc(4 * n + 2 * ev_chart_components(chart) + 2 * n * n + 1, sizeof *work);
    bool made = ev_minimiser_make(&left, chart, instance->input_count);
    made = ev_minimiser_make(&right, chart, instance->input_count) && made && work != NULL;
    for (size_t i = 0; made && i < instance->input_count; i++)
        left.inputs[i] = right.inputs[i] = place->inputs[i];
    status = made ? judge_sides(&left, &right, place, work) : EV_NO_MEMORY;
    out->says_little = out->says_little || may_jump(trial);
    ev_minimiser_free(&left);
    ev_minimiser_free(&right);
    free(work);
    ev_chart_destroy(chart);
    return status;
}
