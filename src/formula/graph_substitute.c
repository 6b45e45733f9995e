/* Substitution: leaves replaced all at once, users rebuilt from the leaves up.
 *
 * An EXPECT is in the way only when it binds one of the coordinates to be replaced (then it is
 * spared) or one that is free in a replacement (then its own are renamed first). */
#include "formula/graph_substitute.h"

#include <stdlib.h>

typedef struct {
    size_t n;
    const ev_node *from, *to;
    uint64_t leaves;   /* of the INPUTs and VARIABLEs among from */
    uint32_t from_set; /* the COORDINATEs among from */
    uint32_t to_free;  /* the coordinates free in the replacements */
    bool rewrite;      /* rebuild through the constructors, or node for node */
} replacement;

static ev_node replace(ev_graph *graph, ev_node root, const replacement *r);

static bool may_change(const ev_graph *graph, ev_node node, const void *context)
{
    const replacement *r = context;
    const graph_node *n = node_at(graph, node);
    return (n->leaves & r->leaves) != 0 || ev_sets_meet(graph, n->free, r->from_set);
}

static bool describe(ev_graph *graph, replacement *r)
{
    r->leaves = 0;
    r->from_set = r->to_free = 0;
    for (size_t i = 0; i < r->n; i++) {
        const graph_node *n = node_at(graph, r->from[i]);
        if (n->op == EV_OP_COORDINATE)
            r->from_set = ev_set_union(graph, r->from_set, n->free);
        else
            r->leaves |= n->leaves;
        if (r->from_set == EV_NO_SET)
            return false;
        r->to_free = ev_set_union(graph, r->to_free, node_at(graph, r->to[i])->free);
        if (r->to_free == EV_NO_SET)
            return false;
    }
    return true;
}

/* Body of the EXPECT with r, less the coordinates it binds; those are renamed first if a
 * replacement would be captured.  bound: (dim) receives the names they end with. */
static ev_node replace_below(ev_graph *graph, ev_node expect, const replacement *r, ev_node *bound)
{
    const coordinate_set set = graph->sets[node_at(graph, expect)->b];
    bool capture = ev_sets_meet(graph, node_at(graph, expect)->b, r->to_free);
    ev_node *lists, result = 0;
    if (!ev_graph_fresh_array(&lists, 2 * (r->n + set.n), sizeof *lists))
        return 0;
    replacement inner = {.from = lists, .to = lists + r->n + set.n, .rewrite = r->rewrite};
    ev_node *from = lists, *to = lists + r->n + set.n;
    for (size_t i = 0; i < r->n; i++)
        if (!ev_set_contains(graph, node_at(graph, expect)->b, r->from[i])) {
            from[inner.n] = r->from[i];
            to[inner.n++] = r->to[i];
        }
    bool ok = true;
    for (size_t i = 0; i < set.n; i++) {
        bound[i] = capture ? ev_graph_new_coordinate(graph) : set.items[i];
        ok = ok && bound[i] != 0;
        if (capture) {
            from[inner.n] = set.items[i];
            to[inner.n++] = bound[i];
        }
    }
    if (ok && describe(graph, &inner))
        result = replace(graph, node_at(graph, expect)->a, &inner);
    free(lists);
    return result;
}

static ev_node rebuild_expect(ev_graph *graph, frame *f, ev_node node, const replacement *r)
{
    const uint32_t set = node_at(graph, node)->b;
    const size_t dim = graph->sets[set].n;
    bool clash = ev_sets_meet(graph, set, r->from_set) || ev_sets_meet(graph, set, r->to_free);
    if (!clash) {
        ev_node body = ev_frame_get(f, node_at(graph, node)->a);
        return r->rewrite ? ev_graph_expect(graph, body, dim, graph->sets[set].items)
                          : ev_graph_intern_expect(graph, body, set);
    }
    ev_node *bound, result = 0;
    if (!ev_graph_fresh_array(&bound, dim, sizeof *bound))
        return 0;
    ev_node body = replace_below(graph, node, r, bound);
    if (body != 0)
        result = r->rewrite || bound[0] != graph->sets[set].items[0]
                     ? ev_graph_expect(graph, body, dim, bound)
                     : ev_graph_intern_expect(graph, body, set);
    free(bound);
    return result;
}

static ev_node rebuild(ev_graph *graph, frame *f, ev_node node, const replacement *r)
{
    const graph_node n = *node_at(graph, node);
    if (n.op <= EV_OP_COORDINATE)
        return node;
    if (n.op == EV_OP_EXPECT)
        return rebuild_expect(graph, f, node, r);
    ev_node a = ev_frame_get(f, n.a), b = ev_frame_get(f, n.b);
    a = a == 0 ? n.a : a;
    b = b == 0 ? n.b : b;
    if (a == n.a && b == n.b)
        return node;
    return r->rewrite ? ev_graph_apply(graph, (ev_op)n.op, a, b)
                      : ev_graph_intern(graph, (ev_op)n.op, a, b);
}

static ev_node replace_in_frame(ev_graph *graph, frame *f, ev_node root, const replacement *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (!ev_frame_set(graph, f, r->from[i], r->to[i]))
            return 0;
    if (ev_frame_get(f, root) != 0)
        return ev_frame_get(f, root);
    if (!ev_frame_order(graph, f, 1, &root, may_change, r))
        return 0;
    if (f->count == 0)
        return root;
    for (size_t i = 0; i < f->count; i++) {
        ev_node made = rebuild(graph, f, f->order[i], r);
        if (made == 0 || !ev_frame_set(graph, f, f->order[i], made))
            return 0;
    }
    return ev_frame_get(f, root);
}

static ev_node replace(ev_graph *graph, ev_node root, const replacement *r)
{
    if (!may_change(graph, root, r))
        return root;
    frame *f = ev_frame_acquire(graph);
    ev_node result = f == NULL ? 0 : replace_in_frame(graph, f, root, r);
    ev_frame_release(graph, f);
    return result == 0 ? ev_graph_fail(graph) : result;
}

ev_node ev_graph_rename(ev_graph *graph, ev_node root, size_t n, const ev_node *from,
                        const ev_node *to)
{
    replacement r = {.n = n, .from = from, .to = to, .rewrite = false};
    return describe(graph, &r) ? replace(graph, root, &r) : ev_graph_fail(graph);
}

ev_node ev_graph_substitute(ev_graph *graph, ev_node root, size_t n, const ev_node *from,
                            const ev_node *to)
{
    if (root == 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (from[i] == 0 || to[i] == 0)
            return 0;
    replacement r = {.n = n, .from = from, .to = to, .rewrite = true};
    return describe(graph, &r) ? replace(graph, root, &r) : ev_graph_fail(graph);
}
