/* The tape's interpreter, over blocks of points. */
#include "formula/tape.h"

#include <stdlib.h>
#include <string.h>

/* ---- workers ---- */

static bool make_worker(const ev_tape *t, ev_tape_worker *w)
{
    const size_t fixed = t->slots - t->registers - t->scalars, width = t->chunk;
    double *memory;
    *w = (ev_tape_worker){0};
    if (t->registers > SIZE_MAX / sizeof(double) / width - 1 ||
        !ev_graph_fresh_array(&w->slots, t->slots, sizeof *w->slots) ||
        !ev_graph_fresh_array(&w->counters, t->loop_count, sizeof *w->counters) ||
        !ev_graph_fresh_array(&w->memory, fixed + 8 + t->registers * width, sizeof *w->memory))
        return false;
    for (size_t s = 0; s < t->scalars; s++)
        w->slots[s] = &t->numbers[t->scalar_numbers[s]].value;
    memory = w->memory;
    for (size_t s = t->scalars; s < t->scalars + fixed; s++)
        w->slots[s] = memory++;
    while ((uintptr_t)memory % 64 != 0)
        memory++;
    for (size_t r = 0; r < t->registers; r++)
        w->slots[t->scalars + fixed + r] = memory + r * width;
    return true;
}

static void free_worker(ev_tape_worker *w)
{
    free(w->slots);
    free(w->counters);
    free(w->memory);
}

bool ev_tape_reserve(ev_tape *tape, size_t workers)
{
    if (workers <= tape->worker_count)
        return true;
    ev_tape_worker *grown;
    if (!ev_graph_fresh_array(&grown, workers, sizeof *grown))
        return false;
    if (tape->worker_count > 0)
        memcpy(grown, tape->workers, tape->worker_count * sizeof *grown);
    free(tape->workers);
    tape->workers = grown;
    while (tape->worker_count < workers) {
        ev_tape_worker *w = &grown[tape->worker_count];
        if (!make_worker(tape, w)) {
            free_worker(w);
            return false;
        }
        tape->worker_count++;
    }
    return true;
}

void ev_tape_free_workers(ev_tape *tape)
{
    for (size_t i = 0; i < tape->worker_count; i++)
        free_worker(&tape->workers[i]);
    free(tape->workers);
    tape->workers = NULL;
    tape->worker_count = 0;
}

/* ---- loops over a tensor rule ---- */

/* Where slots point to memory of the worker's own, they may be written. */
static double *writable(const double *slot)
{
    double *p;
    memcpy(&p, &slot, sizeof p);
    return p;
}

/* The loop's coordinates and weight at its count-th node. */
static void place_loop(const ev_tape *t, ev_tape_worker *w, const ev_loop *loop, size_t count)
{
    const ev_rule *rule = t->rule[loop->dim];
    double weight = 1;
    for (uint32_t d = 0; d < loop->dim; d++) {
        size_t i = count % rule->order;
        count /= rule->order;
        *writable(w->slots[loop->coordinates + d]) = rule->nodes[i];
        weight *= rule->weights[i];
    }
    *writable(w->slots[loop->weight]) = weight;
}

static size_t loop_nodes(const ev_tape *t, const ev_loop *loop)
{
    size_t nodes = 1;
    for (uint32_t d = 0; d < loop->dim; d++)
        nodes *= t->rule[loop->dim]->order;
    return nodes;
}

/* Points and values are moved about outside the tape too. */
enum { OPERATIONS_OF_A_ROW = 8 };

uint64_t ev_tape_operations(const ev_tape *t)
{
    double operations = (double)(OPERATIONS_OF_A_ROW * (t->dim + t->functions));
    double times[EV_NESTING_MAX + 1] = {1};
    size_t depth = 0;
    for (size_t p = 0; p < t->length; p++) {
        const ev_instruction *i = &t->code[p];
        if (i->code == EV_CODE_LOOP) {
            times[depth + 1] = times[depth] * (double)loop_nodes(t, &t->loops[i->dst]);
            depth++;
        }
        operations += times[depth];
        depth -= i->code == EV_CODE_END;
    }
    return operations < 0x1p62 ? (uint64_t)operations : UINT64_C(1) << 62;
}

/* ---- running ---- */

static void run_chunk(const ev_tape *t, ev_tape_worker *w, size_t n)
{
    const double **slot = w->slots;
    for (size_t p = 0; p < t->length; p++) {
        const ev_instruction *i = &t->code[p];
        const size_t count = i->single ? 1 : n;
        switch ((ev_code)i->code) {
        case EV_CODE_APPLY:
        case EV_CODE_ACCUMULATE:
            i->kernel(count, slot[i->a], slot[i->b], writable(slot[i->dst]));
            break;
        case EV_CODE_COPY:
            memcpy(writable(slot[i->dst]), slot[i->a], count * sizeof(double));
            break;
        case EV_CODE_CLEAR: memset(writable(slot[i->dst]), 0, count * sizeof(double)); break;
        case EV_CODE_LOOP:
            w->counters[i->dst] = 0;
            place_loop(t, w, &t->loops[i->dst], 0);
            break;
        case EV_CODE_END:
            if (++w->counters[i->dst] < loop_nodes(t, &t->loops[i->dst])) {
                place_loop(t, w, &t->loops[i->dst], w->counters[i->dst]);
                p = t->loops[i->dst].begin;
            }
            break;
        }
    }
}

int ev_tape_run(void *tape, size_t worker, size_t n, const double *const *x, double *const *out)
{
    const ev_tape *t = tape;
    ev_tape_worker *w = &t->workers[worker];
    const double **coordinates = w->slots + t->scalars, **functions = coordinates + t->dim;
    for (size_t done = 0; done < n; done += t->chunk) {
        for (size_t d = 0; d < t->dim; d++)
            coordinates[d] = x[d] + done;
        for (size_t k = 0; k < t->functions; k++)
            functions[k] = out[k] + done;
        run_chunk(t, w, n - done < t->chunk ? n - done : t->chunk);
    }
    return 0;
}
