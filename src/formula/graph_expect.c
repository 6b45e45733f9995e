/* EXPECT nodes: linearity, and canonical names for what they bind.
 *
 *  1. Coordinates that the body is free of are dropped.
 *  2. E[a + b] = E a + E b, E[-a] = -E a, and E[c a] = c E a, E[a / c] = E a / c for c free of the
 *     coordinates, down to terms that are none of these.
 *  3. A term's EXPECT has level 1 + the deepest level inside it.  Its coordinates become
 *     COORDINATE(level, 0), COORDINATE(level, 1), ... in the order in which a walk from the root meets
 *     them; the walk is blind to their names.  A term that is free in a coordinate of that
 *     level takes the next level, so nothing is captured. */
#include "formula/graph_substitute.h"

#include <stdlib.h>
#include <string.h>

/* ---- canonical names ---- */

static uint32_t free_level(const ev_graph *graph, ev_node body, uint32_t bound)
{
    const coordinate_set *set = &graph->sets[node_at(graph, body)->free];
    uint32_t level = node_at(graph, body)->level + 1;
    for (size_t i = 0; i < set->n; i++)
        if (graph->nodes[set->items[i]].a == level &&
            !ev_set_contains(graph, bound, set->items[i])) {
            level++;
            i = (size_t)-1;
        }
    return level;
}

/* Push the operands so that the one with the smaller shape is met first, where the order of the
 * operands means nothing. */
static bool push_operands(const ev_graph *graph, frame *f, ev_node node)
{
    ev_node a = ev_graph_operand(graph, node, 0), b = ev_graph_operand(graph, node, 1);
    ev_op op = ev_graph_op(graph, node);
    bool free_order = op == EV_OP_ADD || op == EV_OP_MUL || op == EV_OP_MAX || op == EV_OP_MIN ||
                      op == EV_OP_LOG_ADD_EXP;
    if (free_order && graph->nodes[b].shape < graph->nodes[a].shape) {
        ev_node swap = a;
        a = b;
        b = swap;
    }
    return (b == 0 || ev_frame_push(f, b)) && (a == 0 || ev_frame_push(f, a));
}

/* The coordinates of the set in the order of their first occurrence; returns how many. */
static size_t first_occurrences(const ev_graph *graph, frame *f, ev_node body, uint32_t bound,
                                ev_node *found)
{
    size_t n = 0;
    if (!ev_frame_push(f, body))
        return 0;
    while (f->depth > 0 && n < graph->sets[bound].n) {
        ev_node node = f->stack[--f->depth];
        if (ev_frame_marked(f, node) || !ev_sets_meet(graph, node_at(graph, node)->free, bound))
            continue;
        if (!ev_frame_set(graph, f, node, 0) || !push_operands(graph, f, node))
            return 0;
        if (node_at(graph, node)->op == EV_OP_COORDINATE)
            found[n++] = node;
    }
    return n;
}

static ev_node name_and_bind(ev_graph *graph, ev_node body, uint32_t bound, ev_node *names)
{
    const size_t n = graph->sets[bound].n;
    ev_node *from = names, *to = names + n;
    frame *f = ev_frame_acquire(graph);
    size_t found = f == NULL ? 0 : first_occurrences(graph, f, body, bound, from);
    ev_frame_release(graph, f);
    if (found != n)
        return ev_graph_fail(graph);
    uint32_t level = free_level(graph, body, bound);
    for (size_t i = 0; i < n; i++) {
        to[i] = ev_graph_intern_coordinate(graph, level, (uint32_t)i);
        if (to[i] == 0)
            return 0;
    }
    ev_node renamed = ev_graph_rename(graph, body, n, from, to);
    uint32_t set = ev_set_intern(graph, to, n);
    if (renamed == 0 || set == EV_NO_SET)
        return ev_graph_fail(graph);
    return ev_graph_intern_expect(graph, renamed, set);
}

/* EXPECT of a single term. */
static ev_node bind(ev_graph *graph, ev_node body, uint32_t coordinates)
{
    uint32_t others = ev_set_minus(graph, node_at(graph, body)->free, coordinates);
    uint32_t bound = others == EV_NO_SET ? others
                                         : ev_set_minus(graph, node_at(graph, body)->free, others);
    if (bound == EV_NO_SET)
        return ev_graph_fail(graph);
    ev_node *names;
    if (!ev_graph_fresh_array(&names, 2 * graph->sets[bound].n, sizeof *names))
        return ev_graph_fail(graph);
    ev_node result = name_and_bind(graph, body, bound, names);
    free(names);
    return result;
}

/* E_x[E_y[f]] is E_{x,y}[f]: one expectation over both, rather than a rule inside a rule. */
static ev_node bind_both(ev_graph *graph, ev_node inner, uint32_t coordinates)
{
    size_t n = ev_graph_expect_dim(graph, inner), m = graph->sets[coordinates].n;
    ev_node *names, result = 0;
    if (!ev_graph_fresh_array(&names, 2 * n + m, sizeof *names))
        return ev_graph_fail(graph);
    ev_node *old = names, *all = names + n;
    memcpy(old, ev_graph_expect_coordinates(graph, inner), n * sizeof *old);
    for (size_t i = 0; i < n; i++)
        all[i] = ev_graph_new_coordinate(graph);
    memcpy(all + n, graph->sets[coordinates].items, m * sizeof *all);
    ev_node body = ev_graph_substitute(graph, ev_graph_operand(graph, inner, 0), n, old, all);
    if (body != 0)
        result = ev_graph_expect(graph, body, n + m, all);
    free(names);
    return result == 0 ? ev_graph_fail(graph) : result;
}

/* ---- linearity ---- */

/* How E[node] is made of expectations: E[parts[0]] and E[parts[1]]; none for a term. */
static size_t linear_parts(ev_graph *graph, ev_node node, uint32_t coordinates, ev_node parts[2])
{
    const graph_node n = *node_at(graph, node);
    parts[0] = n.a;
    parts[1] = n.b;
    switch (n.op) {
    case EV_OP_ADD:
    case EV_OP_SUB: return 2;
    case EV_OP_HOLD:
    case EV_OP_NEG: return 1;
    case EV_OP_MUL:
        if (!ev_sets_meet(graph, node_at(graph, n.b)->free, coordinates))
            return 1;
        parts[0] = n.b;
        return ev_sets_meet(graph, node_at(graph, n.a)->free, coordinates) ? 0 : 1;
    case EV_OP_DIV: return ev_sets_meet(graph, node_at(graph, n.b)->free, coordinates) ? 0 : 1;
    case EV_OP_XLOGY: /* a log b = a (log b) where a is surely not 0 */
        if (node_at(graph, n.a)->sign != EV_SIGN_POSITIVE ||
            ev_sets_meet(graph, node_at(graph, n.a)->free, coordinates))
            return 0;
        parts[0] = ev_graph_log(graph, n.b);
        return 1;
    default: return 0;
    }
}

static ev_node join(ev_graph *graph, ev_node node, const ev_node parts[2], ev_node p, ev_node q)
{
    const graph_node n = *node_at(graph, node);
    switch (n.op) {
    case EV_OP_ADD: return ev_graph_add(graph, p, q);
    case EV_OP_SUB: return ev_graph_sub(graph, p, q);
    case EV_OP_NEG: return ev_graph_neg(graph, p);
    case EV_OP_HOLD: return ev_graph_unary(graph, EV_OP_HOLD, p);
    case EV_OP_MUL:
        return parts[0] == n.b ? ev_graph_mul(graph, n.a, p) : ev_graph_mul(graph, p, n.b);
    case EV_OP_DIV: return ev_graph_div(graph, p, n.b);
    default: return ev_graph_mul(graph, n.a, p); /* XLOGY */
    }
}

/* E[top of the stack], or its missing parts onto the stack. */
static bool split_top(ev_graph *graph, frame *f, uint32_t coordinates)
{
    ev_node node = f->stack[f->depth - 1], parts[2], result;
    if (ev_frame_marked(f, node)) {
        f->depth--;
        return true;
    }
    if (!ev_sets_meet(graph, node_at(graph, node)->free, coordinates)) {
        result = node;
    } else {
        size_t n = linear_parts(graph, node, coordinates, parts), missing = 0;
        for (size_t i = 0; i < n; i++)
            if (!ev_frame_marked(f, parts[i])) {
                missing++;
                if (parts[i] == 0 || !ev_frame_push(f, parts[i]))
                    return false;
            }
        if (missing > 0)
            return true;
        result = n == 0 && ev_graph_op(graph, node) == EV_OP_EXPECT
                     ? bind_both(graph, node, coordinates)
                 : n == 0 ? bind(graph, node, coordinates)
                          : join(graph, node, parts, ev_frame_get(f, parts[0]),
                                 n > 1 ? ev_frame_get(f, parts[1]) : 0);
    }
    f->depth--;
    return result != 0 && ev_frame_set(graph, f, node, result);
}

static int by_index(const void *a, const void *b)
{
    ev_node x = *(const ev_node *)a, y = *(const ev_node *)b;
    return (x > y) - (x < y);
}

static uint32_t as_set(ev_graph *graph, size_t n, const ev_node *coordinates)
{
    ev_node *sorted;
    if (!ev_graph_fresh_array(&sorted, n, sizeof *sorted))
        return EV_NO_SET;
    size_t unique = 0;
    for (size_t i = 0; i < n; i++)
        sorted[i] = coordinates[i];
    qsort(sorted, n, sizeof *sorted, by_index);
    for (size_t i = 0; i < n; i++)
        if (unique == 0 || sorted[i] != sorted[unique - 1])
            sorted[unique++] = sorted[i];
    uint32_t set = ev_set_intern(graph, sorted, unique);
    free(sorted);
    return set;
}

ev_node ev_graph_expect(ev_graph *graph, ev_node body, size_t n, const ev_node *coordinates)
{
    if (body == 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (coordinates[i] == 0)
            return 0;
    uint32_t set = as_set(graph, n, coordinates);
    if (set == EV_NO_SET)
        return ev_graph_fail(graph);
    if (!ev_sets_meet(graph, node_at(graph, body)->free, set))
        return body;
    frame *f = ev_frame_acquire(graph);
    bool ok = f != NULL && ev_frame_push(f, body);
    while (ok && f->depth > 0)
        ok = split_top(graph, f, set);
    ev_node result = ok ? ev_frame_get(f, body) : ev_graph_fail(graph);
    ev_frame_release(graph, f);
    return result;
}
