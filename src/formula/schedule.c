#include "formula/schedule.h"

#include <stdlib.h>

/* Nothing of the scope lies below a node that is free of its coordinates; the scope of the
 * point reaches everywhere. */
static bool may_hold(const ev_graph *graph, ev_node node, const void *context)
{
    const ev_scope *scope = context;
    return scope->depth == 0 ||
           ev_sets_meet(graph, node_at(graph, node)->free, scope->set[scope->depth - 1]);
}

static bool is_open(const ev_graph *graph, const ev_scope *scope, ev_node coordinate)
{
    for (size_t d = scope->depth; d-- > 0;)
        if (ev_set_contains(graph, scope->set[d], coordinate))
            return true;
    return false;
}

static bool belongs(const ev_graph *graph, const ev_scope *scope, ev_node node)
{
    const coordinate_set *free_in = &graph->sets[node_at(graph, node)->free];
    for (size_t i = 0; i < free_in->n; i++)
        if (!is_open(graph, scope, free_in->items[i]))
            return false;
    return true;
}

static int in_order(const void *a, const void *b)
{
    const ev_scheduled *x = a, *y = b;
    if (x->stage != y->stage)
        return x->stage < y->stage ? -1 : 1;
    if (x->is_value != y->is_value)
        return y->is_value ? -1 : 1;
    if (x->set != y->set)
        return x->set < y->set ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

bool ev_schedule_make(const ev_graph *graph, frame *f, const ev_scope *scope, size_t n,
                      const ev_node *roots, ev_schedule *schedule)
{
    *schedule = (ev_schedule){0};
    ev_frame_restart(f);
    if (!ev_frame_order(graph, f, n, roots, may_hold, scope))
        return false;
    for (size_t i = 0; i < f->count; i++) {
        const ev_node node = f->order[i];
        ev_node stage = 0;
        for (size_t k = 0; k < 2; k++) {
            ev_node below = ev_frame_get(f, ev_graph_operand(graph, node, k));
            stage = below > stage ? below : stage;
        }
        bool ours = belongs(graph, scope, node), expect = ev_graph_op(graph, node) == EV_OP_EXPECT;
        stage += ours && expect;
        if (!ev_frame_set(graph, f, node, stage))
            return false;
        if (!ours)
            continue;
        if (!ev_array_reserve(&schedule->items, schedule->n, &schedule->capacity,
                              sizeof *schedule->items))
            return false;
        schedule->items[schedule->n++] = (ev_scheduled){.stage = stage,
                                                        .is_value = !expect,
                                                        .set = expect ? node_at(graph, node)->b : 0,
                                                        .node = node};
    }
    if (schedule->n > 1)
        qsort(schedule->items, schedule->n, sizeof *schedule->items, in_order);
    return true;
}
