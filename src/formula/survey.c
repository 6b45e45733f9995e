/* A body looked at with running error bounds, at a few points where its weight is.
 *
 * E[bound of f(x)] bounds the error of E[f] that f's own rounding, and the errors of the scalars it
 * reads, bring in.  Bounds vary slowly, so a coarse Gauss-Hermite grid averages them; its order is
 * even, because x = 0 is where kinks and logarithms have their singular points.  Above four
 * coordinates a few draws serve instead. */
#include "formula/program_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool ev_set_loop_rules(ev_program *program, ev_tape *tape, size_t order)
{
    if (tape->loop_count == 0)
        return true;
    const ev_rule *rule = ev_rules_get(&program->rules, order);
    for (size_t dim = 1; dim <= EV_NESTING_MAX; dim++)
        tape->rule[dim] = rule;
    return rule != NULL;
}

static void look(ev_tape *tape, const double *x, double weight, ev_survey *out)
{
    ev_number f;
    ev_tape_bounds(tape, x, &f, &out->fault);
    for (int kind = 0; kind < EV_ERROR_KINDS; kind++)
        out->error[kind] += weight * f.error[kind];
    out->magnitude += weight * fabs(f.value);
    if (isfinite(f.value))
        out->fault.op = EV_OP_NONE;
    else if (out->fault.op == EV_OP_NONE)
        out->fault = (ev_fault){EV_OP_EXPECT, f.value, 0};
}

static size_t grid_order(const ev_tape *tape) { return tape->dim == 1 ? 6 : 4; }

static ev_status survey_grid(ev_program *program, ev_tape *tape, ev_survey *out)
{
    const ev_rule *rule = ev_rules_get(&program->rules, grid_order(tape));
    if (rule == NULL)
        return EV_NO_MEMORY;
    size_t points = 1;
    for (size_t d = 0; d < tape->dim; d++)
        points *= rule->order;
    for (size_t i = 0; i < points && out->fault.op == EV_OP_NONE; i++) {
        double x[EV_QUADRATURE_MAX_DIM], weight = 1;
        for (size_t d = 0, rest = i; d < tape->dim; d++, rest /= rule->order) {
            x[d] = rule->nodes[rest % rule->order];
            weight *= rule->weights[rest % rule->order];
        }
        look(tape, x, weight, out);
    }
    return EV_OK;
}

enum { SURVEY_DRAWS = 32 };

static ev_status survey_draws(ev_tape *tape, const ev_stream *stream, ev_survey *out)
{
    double *x;
    if (!ev_graph_fresh_array(&x, tape->dim, sizeof *x))
        return EV_NO_MEMORY;
    for (size_t i = 0; i < SURVEY_DRAWS && out->fault.op == EV_OP_NONE; i++) {
        ev_stream_normals(stream, i * tape->dim, tape->dim, x);
        look(tape, x, 1.0 / SURVEY_DRAWS, out);
    }
    free(x);
    return EV_OK;
}

static uint64_t survey_points(const ev_tape *tape)
{
    uint64_t points = 1;
    for (size_t d = 0; tape->dim <= EV_QUADRATURE_MAX_DIM && d < tape->dim; d++)
        points *= grid_order(tape);
    return tape->dim <= EV_QUADRATURE_MAX_DIM ? points : SURVEY_DRAWS;
}

ev_status ev_survey_body(const ev_setting *s, ev_tape *tape, const ev_stream *stream,
                         ev_survey *out)
{
    const ev_rule *kept[EV_NESTING_MAX + 1];
    for (size_t d = 0; d <= EV_NESTING_MAX; d++)
        kept[d] = tape->rule[d];
    *out = (ev_survey){.fault = {.op = EV_OP_NONE}};
    ev_status status = EV_NO_MEMORY;
    if (ev_set_loop_rules(s->program, tape, tape->loop_dim <= 1 ? 6 : 4)) {
        const uint64_t cost = EV_OPERATIONS_OF_A_NUMBER * survey_points(tape);
        out->afforded = ev_setting_ration(s, tape, cost, 1) == cost;
        status = EV_OK;
        if (out->afforded) {
            ev_setting_charge(s, tape, cost);
            status = tape->dim <= EV_QUADRATURE_MAX_DIM ? survey_grid(s->program, tape, out)
                                                        : survey_draws(tape, stream, out);
        }
    }
    for (size_t d = 0; d <= EV_NESTING_MAX; d++)
        tape->rule[d] = kept[d];
    return status;
}

void ev_fault_describe(const ev_fault *fault, size_t size, char *text)
{
    switch (fault->op) {
    case EV_OP_DIV: snprintf(text, size, "%.6g / %.6g", fault->a, fault->b); break;
    case EV_OP_LOG: snprintf(text, size, "log of %.6g", fault->a); break;
    case EV_OP_XLOGY: snprintf(text, size, "log of %.6g", fault->b); break;
    case EV_OP_SQRT: snprintf(text, size, "square root of %.6g", fault->a); break;
    case EV_OP_POW: snprintf(text, size, "%.6g to the power of %.6g", fault->a, fault->b); break;
    case EV_OP_EXP: snprintf(text, size, "exp of %.6g", fault->a); break;
    case EV_OP_ADD: snprintf(text, size, "%.6g + %.6g", fault->a, fault->b); break;
    case EV_OP_SUB: snprintf(text, size, "%.6g - %.6g", fault->a, fault->b); break;
    case EV_OP_MUL: snprintf(text, size, "%.6g times %.6g", fault->a, fault->b); break;
    default: snprintf(text, size, "an operation on %.6g", fault->a); break;
    }
}
