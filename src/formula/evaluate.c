/* Evaluation of a program at a point: stage by stage, EXPECTs and then the scalars that need them. */
#include "formula/program_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void read_inputs(ev_program *p, const double *inputs)
{
    for (size_t i = 0; i < p->input_count; i++)
        p->numbers[p->inputs[i].number] = ev_number_exact(inputs[p->inputs[i].index]);
}

/* ---- why a value is not finite ---- */

/* Down from a number that is not finite to the operation whose operands still are. */
static uint32_t find_culprit(const ev_program *p, uint32_t number)
{
    for (;;) {
        if (p->instruction_of[number] == 0)
            return number;
        const scalar_instruction *i = &p->instructions[p->instruction_of[number] - 1];
        if (!isfinite(p->numbers[i->a].value))
            number = i->a;
        else if (!isfinite(p->numbers[i->b].value))
            number = i->b;
        else
            return number;
    }
}

static const expectation *expectation_of(const ev_program *p, uint32_t number)
{
    for (size_t i = 0; i < p->expectation_count; i++)
        if (p->expectations[i].number == number)
            return &p->expectations[i];
    return NULL;
}

static void explain(const ev_program *p, uint32_t number, ev_value *value)
{
    const uint32_t culprit = find_culprit(p, number);
    const expectation *e = expectation_of(p, culprit);
    char what[80] = "an input";
    value->fit = value->domain = false;
    if (e != NULL) {
        snprintf(value->reason, sizeof value->reason, "%s",
                 e->reason[0] == '\0' ? "not finite: an expectation" : e->reason);
        return;
    }
    if (p->instruction_of[culprit] != 0) {
        const scalar_instruction *i = &p->instructions[p->instruction_of[culprit] - 1];
        const ev_fault fault = {(ev_op)i->op, p->numbers[i->a].value, p->numbers[i->b].value};
        ev_fault_describe(&fault, sizeof what, what);
    }
    snprintf(value->reason, sizeof value->reason, "not finite: %s", what);
}

/* ---- assembly ---- */

static void gather(const ev_program *p, const program_root *root, ev_value *value)
{
    for (size_t i = 0; i < root->n; i++) {
        const expectation *e = &p->expectations[root->expectations[i]];
        value->methods |= e->methods;
        value->evaluations += e->evaluations;
        value->samples += e->samples;
        value->comparisons += e->comparisons;
        value->sentinel = fmax(value->sentinel, e->sentinel);
        value->p_value = isnan(value->p_value) ? e->p_value : value->p_value;
        value->domain = value->domain && e->domain;
        if (!e->fit && value->fit) {
            value->fit = false;
            memcpy(value->reason, e->reason, sizeof value->reason);
        }
    }
}

static double bound(double error) { return isnan(error) ? HUGE_VAL : error; }

static void assemble(const ev_program *p, const program_root *root, ev_value *value)
{
    const ev_number *v = &p->numbers[root->number];
    *value = (ev_value){.value = v->value,
                        .rounding = bound(v->error[EV_ERROR_ROUNDING]),
                        .quadrature = bound(v->error[EV_ERROR_QUADRATURE]),
                        .sampling = bound(v->error[EV_ERROR_SAMPLING]),
                        .magnitude = v->magnitude,
                        .p_value = (double)NAN,
                        .fit = true,
                        .domain = true};
    gather(p, root, value);
    if (value->fit && !isfinite(v->value))
        explain(p, root->number, value);
}

/* What a batch may spend: one evaluation takes at most half of what is left, because another will
 * follow, and its batches have equal parts of it. */
static uint64_t share_of(const ev_program *p, uint64_t until, size_t batches)
{
    if (p->meter == NULL)
        return 0;
    return p->meter->spent < until ? (until - p->meter->spent) / batches : 0;
}

ev_status ev_program_evaluate(ev_program *program, const double *inputs, const ev_effort *effort,
                              const ev_stream *stream, ev_value *values)
{
    size_t b = 0, i = 0;
    ev_meter *meter = program->meter;
    const uint64_t until = meter == NULL ? 0 : meter->spent + ev_meter_left(meter) / 2;
    ev_meter_charge(meter, program->instruction_count, EV_OPERATIONS_OF_A_NUMBER);
    read_inputs(program, inputs);
    for (size_t s = 0; s < program->stage_count; s++) {
        for (; b < program->stages[s].batch_end; b++) {
            ev_status status = ev_batch_evaluate(
                program, &program->batches[b], effort, stream,
                share_of(program, until, program->batch_count - b));
            if (status != EV_OK)
                return status;
        }
        for (; i < program->stages[s].instruction_end; i++) {
            const scalar_instruction *in = &program->instructions[i];
            ev_number_apply((ev_op)in->op, &program->numbers[in->a], &program->numbers[in->b],
                            &program->numbers[in->dst]);
        }
    }
    for (size_t r = 0; r < program->root_count; r++)
        assemble(program, &program->roots[r], &values[r]);
    return EV_OK;
}

/* ---- plain values ---- */

/* At most this many points a grid: the order falls where there are many coordinates. */
static size_t affordable_order(size_t order, size_t dim, double most)
{
    for (;; order--) {
        double points = 1;
        for (size_t d = 0; d < dim; d++)
            points *= (double)order;
        if (points <= most || order <= 2)
            return order;
    }
}

/* Loops may stand in loops: their order falls until a point is no dearer than this.  *order is then
 * that of the outer grid. */
static ev_status set_plain_rules(ev_program *p, ev_tape *tape, size_t *order)
{
    const double dearest = 0x1p24, most = 0x1p30;
    double operations = HUGE_VAL;
    for (size_t k = affordable_order(*order, tape->loop_dim, 0x1p20);; k = k * 3 / 4) {
        if (!ev_set_loop_rules(p, tape, k))
            return EV_NO_MEMORY;
        operations = (double)ev_tape_operations(tape);
        if (operations <= dearest || tape->loop_count == 0 || k <= 2)
            break;
    }
    *order = affordable_order(*order, tape->dim, fmin(0x1p20, most / operations));
    return operations <= most ? EV_OK : EV_UNFIT;
}

static ev_status integrate_plainly(ev_program *p, const batch *b, size_t order)
{
    ev_integral integrals[EV_BATCH_MAX];
    size_t evaluations;
    bool possible = b->tape->dim <= EV_QUADRATURE_MAX_DIM &&
                    b->tape->loop_dim <= EV_QUADRATURE_MAX_DIM;
    ev_status status = EV_UNFIT;
    if (p->meter != NULL && ev_meter_left(p->meter) == 0)
        p->meter->cut = true;
    else if (possible)
        status = set_plain_rules(p, b->tape, &order);
    if (status == EV_OK) {
        status = ev_hermite_expect(b->tape->dim, order, ev_tape_run, b->tape, b->n, integrals,
                                   &evaluations);
        ev_meter_charge(p->meter, evaluations, ev_tape_operations(b->tape));
    }
    if (status != EV_OK && status != EV_UNFIT)
        return status;
    for (size_t k = 0; k < b->n; k++)
        p->numbers[p->expectations[b->first + k].number].value = status == EV_OK
                                                                     ? integrals[k].value
                                                                     : (double)NAN;
    return EV_OK;
}

ev_status ev_program_values(ev_program *program, const double *inputs, size_t hermite_order,
                            double *values)
{
    ev_number *v = program->numbers;
    size_t b = 0, i = 0;
    ev_meter_charge(program->meter, program->instruction_count, 1);
    for (size_t k = 0; k < program->input_count; k++)
        v[program->inputs[k].number].value = inputs[program->inputs[k].index];
    for (size_t s = 0; s < program->stage_count; s++) {
        for (; b < program->stages[s].batch_end; b++) {
            ev_status status = integrate_plainly(program, &program->batches[b], hermite_order);
            if (status != EV_OK)
                return status;
        }
        for (; i < program->stages[s].instruction_end; i++) {
            const scalar_instruction *in = &program->instructions[i];
            v[in->dst].value = ev_number_value((ev_op)in->op, v[in->a].value, v[in->b].value);
        }
    }
    for (size_t r = 0; r < program->root_count; r++) {
        double x = v[program->roots[r].number].value;
        values[r] = isfinite(x) ? x : (double)NAN;
    }
    return EV_OK;
}
