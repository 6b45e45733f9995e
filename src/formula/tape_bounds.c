/* The tape at one point, each value with its error bounds. */
#include "formula/tape.h"

#include <math.h>

static void note_fault(ev_fault *fault, ev_op op, const ev_number *a, const ev_number *b,
                       const ev_number *result)
{
    bool fresh = fault->op == EV_OP_NONE && !isnan(a->value) && !isnan(b->value);
    if (fresh && !isfinite(result->value) && isfinite(a->value) && isfinite(b->value)) {
        fault->op = op;
        fault->a = a->value;
        fault->b = b->value;
    }
}

static void accumulate(ev_number *sum, const ev_number *term, const ev_number *weight)
{
    ev_number product;
    ev_number_apply(EV_OP_MUL, term, weight, &product);
    ev_number_apply(EV_OP_ADD, sum, &product, sum);
}

static size_t place_loop(ev_tape *t, const ev_loop *loop, size_t count)
{
    const ev_rule *rule = t->rule[loop->dim];
    double weight = 1;
    size_t nodes = 1;
    for (uint32_t d = 0; d < loop->dim; d++) {
        t->bounds[loop->coordinates + d] = ev_number_exact(rule->nodes[count % rule->order]);
        weight *= rule->weights[count % rule->order];
        count /= rule->order;
        nodes *= rule->order;
    }
    t->bounds[loop->weight] = ev_number_exact(weight);
    return nodes;
}

void ev_tape_bounds(ev_tape *t, const double *x, ev_number *out, ev_fault *fault)
{
    ev_number *v = t->bounds;
    size_t *counters = t->workers[0].counters;
    for (size_t s = 0; s < t->scalars; s++)
        v[s] = t->numbers[t->scalar_numbers[s]];
    for (size_t d = 0; d < t->dim; d++)
        v[t->scalars + d] = ev_number_exact(x[d]);
    for (size_t p = 0; p < t->length; p++) {
        const ev_instruction *i = &t->code[p];
        switch ((ev_code)i->code) {
        case EV_CODE_APPLY: {
            ev_number a = v[i->a], b = v[i->b];
            ev_number_apply((ev_op)i->op, &a, i->a == i->b ? &a : &b, &v[i->dst]);
            note_fault(fault, (ev_op)i->op, &a, &b, &v[i->dst]);
            break;
        }
        case EV_CODE_COPY: v[i->dst] = v[i->a]; break;
        case EV_CODE_CLEAR: v[i->dst] = ev_number_exact(0); break;
        case EV_CODE_ACCUMULATE: accumulate(&v[i->dst], &v[i->a], &v[i->b]); break;
        case EV_CODE_LOOP:
            counters[i->dst] = 0;
            place_loop(t, &t->loops[i->dst], 0);
            break;
        case EV_CODE_END:
            counters[i->dst]++;
            if (counters[i->dst] < place_loop(t, &t->loops[i->dst], counters[i->dst]))
                p = t->loops[i->dst].begin;
            break;
        }
    }
    for (size_t k = 0; k < t->functions; k++)
        out[k] = v[t->scalars + t->dim + k];
}
