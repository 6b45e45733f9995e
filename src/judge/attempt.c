#include "judge/attempt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ev_attempt_begin(ev_attempt *attempt)
{
    *attempt = (ev_attempt){.worst = {.digits = 16.0}, .p_value = (double)NAN};
}

void ev_attempt_spend(ev_attempt *attempt, const ev_program *program, size_t n,
                      const ev_value *values)
{
    bool sampled = false;
    for (size_t i = 0; i < n; i++) {
        attempt->methods |= values[i].methods;
        attempt->evaluations += values[i].evaluations;
        attempt->samples += values[i].samples;
        attempt->sentinel = fmax(attempt->sentinel, values[i].sentinel);
        attempt->p_value = isnan(attempt->p_value) && values[i].comparisons > 0 ? values[i].p_value
                                                                                : attempt->p_value;
        sampled = sampled || values[i].comparisons > 0;
    }
    if (sampled) /* roots share expectations, so that their own counts would add up to more */
        attempt->comparisons += ev_program_comparisons(program);
}

/* Worse: a worse outcome, or the same by a smaller margin. */
static bool is_worse(const ev_comparison *a, const ev_comparison *b)
{
    if (a->outcome != b->outcome)
        return a->outcome > b->outcome;
    if (a->outcome == EV_DIFFERS)
        return a->distance * b->error > b->distance * a->error;
    return a->digits < b->digits;
}

bool ev_attempt_note(ev_attempt *attempt, const ev_comparison *comparison, const ev_value *left,
                     const ev_value *right)
{
    attempt->blank += comparison->blank;
    attempt->zero += comparison->zero;
    if (attempt->compared++ > 0 && !is_worse(comparison, &attempt->worst))
        return false;
    attempt->worst = *comparison;
    attempt->left = *left;
    attempt->right = *right;
    attempt->reason[0] = '\0';
    if (comparison->outcome == EV_UNFIT_VALUES)
        snprintf(attempt->reason, sizeof attempt->reason, "%s", comparison->reason);
    if (comparison->outcome == EV_UNRESOLVED)
        snprintf(attempt->reason, sizeof attempt->reason,
                 "the error %.2g is not small enough beside %.3g (the sides differ by %.2g)",
                 comparison->error, comparison->scale, fabs(left->value - right->value));
    attempt->worst.reason = NULL; /* it belongs to the values */
    return true;
}

bool ev_attempt_says_zero(const ev_trial *trial, size_t i)
{
    const ev_graph *g = trial->instance->graph;
    const ev_node sides[] = {trial->step->left[i], trial->step->right[i]};
    bool constant = false;
    for (size_t k = 0; k < 2; k++)
        constant = constant || (ev_graph_op(g, sides[k]) == EV_OP_CONSTANT &&
                                ev_graph_constant_value(g, sides[k]) == 0.0);
    return constant || sides[0] == sides[1];
}

size_t ev_attempt_evaluations(const ev_case_step *step, const ev_budget *budget)
{
    enum { ARGMIN_EVALUATIONS = 24 }; /* twelve to polish, eleven to cross-examine */
    switch (step->kind) {
    case EV_STEP_PROPORTIONAL: return 1 + budget->redraws;
    case EV_STEP_CONSTANT: /* three at each base tried, one at the root, two at the others */
        return 4 + 5 * budget->redraws;
    case EV_STEP_ARGMIN: /* the directions compared at the point and its redraws come first */
        return ARGMIN_EVALUATIONS + 1 + budget->starts;
    default: return 1;
    }
}

ev_status ev_attempt_compare(const ev_trial *trial, const ev_place *place, const ev_budget *budget,
                             const ev_effort *effort, const ev_stream *stream, ev_attempt *out)
{
    const ev_case_step *step = trial->step;
    size_t n = step->count;
    ev_relation relation = step->kind == EV_STEP_ESTIMATE ? EV_RELATION_EQUAL : step->relation;
    ev_tolerance tolerance = {budget->resolution, budget->sampling_resolution, trial->slack};
    ev_attempt_begin(out);
    ev_value *values = calloc(2 * n, sizeof *values);
    if (values == NULL)
        return EV_NO_MEMORY;
    ev_status status = ev_program_evaluate(trial->program, place->inputs, effort, stream, values);
    if (status == EV_OK) {
        ev_attempt_spend(out, trial->program, 2 * n, values);
        for (size_t i = 0; i < n; i++) {
            ev_comparison c = ev_compare(relation, &values[i], &values[n + i], tolerance);
            ev_attempt_note(out, &c, &values[i], &values[n + i]);
            out->unsaid += c.zero && !ev_attempt_says_zero(trial, i);
        }
    }
    free(values);
    return status;
}

double ev_attempt_deviation(const ev_trial *trial, const double *inputs, const ev_budget *budget,
                            const ev_stream *stream, uint64_t *comparisons)
{
    ev_effort effort = budget->effort;
    ev_value spread;
    effort.relative = 1e-4;
    effort.max_evaluations = 20000;
    effort.max_dim = 2;
    effort.samples = 0;
    effort.max_samples = 1 << 16;
    effort.sampling_relative = 1e-2;
    if (trial->spread == NULL ||
        ev_program_evaluate(trial->spread, inputs, &effort, stream, &spread) != EV_OK)
        return (double)NAN;
    if (spread.comparisons > 0)
        *comparisons += ev_program_comparisons(trial->spread);
    bool usable = spread.fit && spread.domain && spread.value >= 0.0;
    return usable ? sqrt(spread.value) : (double)NAN;
}
