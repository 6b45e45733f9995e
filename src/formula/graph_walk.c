/* Traversals of the graph without recursion.
 *
 * A frame holds the marks, the map and the stack of one traversal.  Marks are epochs, so that
 * starting anew costs nothing; frames are kept for the next traversal.  Traversals nest (a
 * substitution builds EXPECTs, which rename), each on a frame of its own. */
#include "formula/graph_internal.h"

#include <stdlib.h>
#include <string.h>

frame *ev_frame_create(void)
{
    frame *f;
    return ev_graph_fresh_array(&f, 1, sizeof *f) ? f : NULL;
}

void ev_frame_restart(frame *f)
{
    f->next = NULL;
    f->depth = f->count = 0;
    if (f->epoch == UINT32_MAX) {
        memset(f->stamp, 0, f->stamp_capacity * sizeof *f->stamp);
        f->epoch = 0;
    }
    f->epoch++;
}

frame *ev_frame_acquire(const ev_graph *graph)
{
    frame *f = *graph->frames;
    if (f != NULL)
        *graph->frames = f->next;
    else
        f = ev_frame_create();
    if (f != NULL)
        ev_frame_restart(f);
    return f;
}

void ev_frame_release(const ev_graph *graph, frame *f)
{
    if (f == NULL)
        return;
    f->next = *graph->frames;
    *graph->frames = f;
}

void ev_frames_free(frame *list)
{
    for (frame *next; list != NULL; list = next) {
        next = list->next;
        free(list->stamp);
        free(list->map);
        free(list->stack);
        free(list->order);
        free(list);
    }
}

/* Room for every node that the graph can hold without growing. */
static bool reserve(const ev_graph *graph, frame *f, ev_node node)
{
    if (node < f->stamp_capacity && node < f->map_capacity)
        return true;
    size_t old = f->stamp_capacity, half = (graph->capacity + 1) / 2;
    size_t stamps = half, maps = half;
    if (half > f->stamp_capacity / 2) {
        if (!ev_array_reserve(&f->stamp, stamps, &stamps, sizeof *f->stamp))
            return false;
        f->stamp_capacity = stamps;
        memset(f->stamp + old, 0, (stamps - old) * sizeof *f->stamp);
    }
    if (!ev_array_reserve(&f->map, maps, &maps, sizeof *f->map))
        return false;
    f->map_capacity = maps;
    return true;
}

bool ev_frame_marked(const frame *f, ev_node node)
{
    return node < f->stamp_capacity && f->stamp[node] == f->epoch;
}

bool ev_frame_set(const ev_graph *graph, frame *f, ev_node node, ev_node to)
{
    if (!reserve(graph, f, node))
        return false;
    f->stamp[node] = f->epoch;
    f->map[node] = to;
    return true;
}

ev_node ev_frame_get(const frame *f, ev_node node)
{
    return ev_frame_marked(f, node) ? f->map[node] : 0;
}

bool ev_frame_push(frame *f, ev_node node)
{
    if (!ev_array_reserve(&f->stack, f->depth, &f->stack_capacity, sizeof *f->stack))
        return false;
    f->stack[f->depth++] = node;
    return true;
}

static bool append(frame *f, ev_node node)
{
    if (!ev_array_reserve(&f->order, f->count, &f->order_capacity, sizeof *f->order))
        return false;
    f->order[f->count++] = node;
    return true;
}

static int by_index(const void *a, const void *b)
{
    ev_node x = *(const ev_node *)a, y = *(const ev_node *)b;
    return (x > y) - (x < y);
}

bool ev_frame_order(const ev_graph *graph, frame *f, size_t n, const ev_node *roots,
                    node_filter wanted, const void *context)
{
    for (size_t i = 0; i < n; i++)
        if (!ev_frame_marked(f, roots[i]) && wanted(graph, roots[i], context) &&
            (!ev_frame_set(graph, f, roots[i], 0) || !ev_frame_push(f, roots[i])))
            return false;
    while (f->depth > 0) {
        ev_node node = f->stack[--f->depth];
        if (!append(f, node))
            return false;
        for (size_t i = 0; i < 2; i++) {
            ev_node operand = ev_graph_operand(graph, node, i);
            if (operand == 0 || ev_frame_marked(f, operand) || !wanted(graph, operand, context))
                continue;
            if (!ev_frame_set(graph, f, operand, 0) || !ev_frame_push(f, operand))
                return false;
        }
    }
    /* Operands have smaller indices than their users. */
    if (f->count > 1)
        qsort(f->order, f->count, sizeof *f->order, by_index);
    return true;
}
