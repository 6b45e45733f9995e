#include "judge/step.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    size_t index, complexity;
    bool reserve;
} ordered;

/* A step with has_gradient is judged like any other: its nodes are derivatives of the graph,
 * exact up to rounding.  A check of those derivatives against differences of the function
 * itself belongs here, beside the kinds. */
static ev_status attempt_once(const ev_step_point *point, const ev_budget *budget,
                              const ev_effort *effort, const ev_stream *stream, ev_attempt *out)
{
    switch (point->trial->step->kind) {
    case EV_STEP_PROPORTIONAL:
        return ev_attempt_proportional(point->trial, &point->place, budget, effort, stream, out);
    case EV_STEP_CONSTANT:
        return ev_attempt_constant(point->trial, &point->place, budget, effort, stream, out);
    case EV_STEP_ARGMIN:
        return ev_attempt_argmin(point->trial, &point->place, budget, effort, stream, out);
    default: return ev_attempt_compare(point->trial, &point->place, budget, effort, stream, out);
    }
}

static void add_cost(ev_attempt *total, const ev_attempt *attempt)
{
    total->methods |= attempt->methods;
    total->evaluations += attempt->evaluations;
    total->samples += attempt->samples;
    total->comparisons += attempt->comparisons;
    total->sentinel = fmax(total->sentinel, attempt->sentinel);
}

static void set_unresolved(ev_attempt *attempt, const char *why)
{
    attempt->worst.outcome = EV_UNRESOLVED;
    snprintf(attempt->reason, sizeof attempt->reason, "%s", why);
}

/* All that the trial computes from now on is charged to the meter; NULL: to none. */
static void set_meter(const ev_trial *trial, ev_meter *meter)
{
    ev_program *const programs[] = {trial->program, trial->second, trial->spread};
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        if (programs[i] != NULL)
            ev_program_set_meter(programs[i], meter);
}

/* The budget kept the point from being decided. */
static void set_spent(const ev_budget *budget, ev_attempt *attempt)
{
    char why[sizeof attempt->reason], more[80];
    snprintf(why, sizeof why, "the budget of %.3g operations for a step was spent%s",
             (double)budget->operations, ev_budget_advice(budget, sizeof more, more));
    set_unresolved(attempt, why);
}

/* The outcome at one point, with the cost of all attempts.  A difference that would not be shown
 * anyway, a simpler refuting point being known, is not confirmed. */
static ev_status judge_point(const ev_step_point *point, const ev_budget *budget,
                             const ev_stream *stream, bool confirm, const ev_meter *meter,
                             ev_attempt *out)
{
    ev_attempt total;
    ev_attempt_begin(&total);
    bool contested = false, settled = false;
    ev_outcome last = EV_UNRESOLVED;
    for (size_t k = 0; !settled && k < ev_budget_attempts(budget); k++) {
        if (k > 0 && meter->cut)
            break;
        ev_effort effort = ev_budget_effort(budget, k);
        ev_stream own = ev_stream_child(stream, (uint32_t)k);
        ev_status status = attempt_once(point, budget, &effort, &own, out);
        if (status != EV_OK)
            return status;
        add_cost(&total, out);
        if (k == 0)
            total.p_value = out->p_value;
        if (out->compared == 0)
            set_unresolved(out, "nothing could be compared");
        ev_outcome outcome = out->worst.outcome;
        bool decided = outcome == EV_AGREES || outcome == EV_DIFFERS;
        bool undefined = outcome == EV_UNFIT_VALUES && (!out->left.domain || !out->right.domain);
        contested = contested || outcome == EV_DIFFERS;
        settled = undefined || (decided && (!contested || !confirm || outcome == last));
        last = outcome;
    }
    if (!settled && last != EV_UNRESOLVED && last != EV_UNFIT_VALUES)
        set_unresolved(out, "evaluations with different effort contradict each other");
    if (!settled && meter->cut)
        set_spent(budget, out);
    out->methods = total.methods;
    out->evaluations = total.evaluations;
    out->samples = total.samples;
    out->comparisons = total.comparisons;
    out->sentinel = total.sentinel;
    out->p_value = total.p_value;
    return EV_OK;
}

/* Is this point to be shown rather than the one shown so far? */
static bool shows_more(const ev_step_result *result, const ev_step_point *points, size_t i,
                       const ev_attempt *attempt)
{
    ev_outcome shown = result->at.worst.outcome, outcome = attempt->worst.outcome;
    if (result->points_effective == 0 || outcome != shown)
        return result->points_effective == 0 || outcome > shown;
    if (outcome == EV_DIFFERS)
        return points[i].complexity < points[result->shown].complexity;
    return attempt->worst.digits < result->at.worst.digits;
}

static void add_point(ev_step_result *result, const ev_step_point *points, size_t i,
                      const ev_attempt *attempt)
{
    const ev_comparison *c = &attempt->worst;
    if (shows_more(result, points, i, attempt)) {
        result->at = *attempt;
        result->shown = i;
    }
    result->points_effective++;
    result->points_blank += c->outcome == EV_AGREES && attempt->blank + attempt->unsaid > 0 &&
                            attempt->blank + attempt->zero == attempt->compared;
    result->methods |= attempt->methods;
    result->evaluations += attempt->evaluations;
    result->samples += attempt->samples;
    result->comparisons += attempt->comparisons;
    result->sentinel = fmax(result->sentinel, attempt->sentinel);
    result->p_value = isnan(attempt->p_value) ? result->p_value : attempt->p_value;
    if (c->outcome == EV_UNFIT_VALUES)
        return;
    result->digits = fmin(result->digits, c->digits);
    result->resolution = fmax(result->resolution, c->resolution);
    if (c->scale > 0.0 && !c->blank)
        result->smallest_detectable = fmax(result->smallest_detectable, c->error / c->scale);
}

/* Do the sides agree, and only because they vanish everywhere? */
static bool is_blank(const ev_step_result *result)
{
    return result->at.worst.outcome == EV_AGREES && result->points_effective > 0 &&
           result->points_blank == result->points_effective;
}

static ev_verdict verdict_of(const ev_step_result *result)
{
    static const ev_verdict verdicts[] = {[EV_AGREES] = EV_HOLDS,
                                          [EV_UNRESOLVED] = EV_UNDECIDED,
                                          [EV_UNFIT_VALUES] = EV_VOID,
                                          [EV_DIFFERS] = EV_REFUTED};
    if (result->points_effective == 0)
        return EV_VACUOUS;
    return is_blank(result) ? EV_UNDECIDED : verdicts[result->at.worst.outcome];
}

/* What is said beside a verdict other than HOLDS. */
static void give_reason(ev_step_result *result)
{
    const ev_attempt *at = &result->at;
    if (result->verdict == EV_VACUOUS)
        snprintf(result->reason, sizeof result->reason, "no point satisfies the assumptions");
    else if (is_blank(result))
        snprintf(result->reason, sizeof result->reason,
                 "both sides vanish within their errors at every point: nothing was compared");
    else if (result->verdict == EV_REFUTED && at->reason[0] == '\0')
        snprintf(result->reason, sizeof result->reason, "left %.10g, right %.10g, errors %.1g",
                 at->left.value, at->right.value, at->worst.error);
    else
        snprintf(result->reason, sizeof result->reason, "%s", at->reason);
}

/* The simplest first, so that one confirmed refutation is enough; the reserve last. */
static int by_complexity(const void *a, const void *b)
{
    const ordered *x = a, *y = b;
    if (x->reserve != y->reserve)
        return x->reserve ? 1 : -1;
    if (x->complexity != y->complexity)
        return x->complexity < y->complexity ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static ev_status judge_points(size_t count, const ev_step_point *points, const ev_budget *budget,
                              const ev_stream *stream, ev_step_result *result)
{
    ordered *order = calloc(count + 1, sizeof *order);
    ev_status status = order == NULL ? EV_NO_MEMORY : EV_OK;
    size_t owed = 0; /* points of the reserve, for those that said little */
    for (size_t i = 0; order != NULL && i < count; i++)
        order[i] = (ordered){i, points[i].complexity, points[i].reserve};
    if (order != NULL)
        qsort(order, count, sizeof *order, by_complexity);
    for (size_t k = 0; status == EV_OK && k < count; k++) {
        size_t i = order[k].index;
        if (order[k].reserve && owed == 0)
            break;
        ev_stream own = ev_stream_child(stream, (uint32_t)i);
        bool refuted = result->points_effective > 0 && result->at.worst.outcome == EV_DIFFERS;
        ev_attempt attempt;
        ev_meter whole = {.limit = budget->operations, .spent = result->operations};
        ev_meter meter = {.limit = ev_meter_left(&whole) / (count - k)};
        set_meter(points[i].trial, &meter);
        status = judge_point(&points[i], budget, &own, !refuted, &meter, &attempt);
        set_meter(points[i].trial, NULL);
        result->operations += meter.spent;
        if (status != EV_OK)
            break;
        add_point(result, points, i, &attempt);
        owed += attempt.worst.outcome == EV_AGREES && attempt.says_little;
        owed -= order[k].reserve;
        if (budget->verdict_only && attempt.worst.outcome != EV_AGREES)
            break;
    }
    free(order);
    return status;
}

ev_status ev_step_judge(size_t count, const ev_step_point *points, const ev_budget *budget,
                        const ev_stream *stream, ev_step_result *result)
{
    *result = (ev_step_result){.digits = 16.0, .deviation = (double)NAN, .p_value = (double)NAN};
    ev_attempt_begin(&result->at);
    ev_status status = judge_points(count, points, budget, stream, result);
    if (status != EV_OK)
        return status;
    if (!(result->resolution > 0.0))
        result->resolution = budget->resolution;
    if (result->points_effective > 0) {
        const ev_step_point *shown = &points[result->shown];
        ev_stream own = ev_stream_child(stream, (uint32_t)count);
        ev_meter meter = {.limit = budget->operations / 10};
        set_meter(shown->trial, &meter);
        result->deviation = ev_attempt_deviation(shown->trial, shown->place.inputs, budget, &own,
                                                 &result->comparisons);
        set_meter(shown->trial, NULL);
        result->operations += meter.spent;
    }
    result->verdict = verdict_of(result);
    give_reason(result);
    if (is_blank(result))
        result->digits = 0.0;
    return EV_OK;
}

const char *ev_methods_text(unsigned methods, char *buffer, size_t size)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {{EV_METHOD_HERMITE, "hermite"},
                 {EV_METHOD_CUBATURE, "cubature"},
                 {EV_METHOD_TRAPEZOID, "trapezoid"},
                 {EV_METHOD_KRONROD, "kronrod"},
                 {EV_METHOD_MONTE_CARLO | EV_METHOD_SAMPLING_ONLY, "mc"}};
    size_t length = 0;
    if (size == 0)
        return buffer;
    buffer[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if ((methods & names[i].bit) == 0 || length + 12 > size)
            continue;
        length += (size_t)snprintf(buffer + length, size - length, "%s%s", length > 0 ? "+" : "",
                                   names[i].name);
    }
    if (length == 0)
        snprintf(buffer, size, "closed");
    return buffer;
}
