/* Storage of the graph: nodes, hash-consing, attributes, inspection. */
#include "formula/graph_internal.h"
#include "formula/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

ev_graph *ev_graph_create(void)
{
    ev_graph *graph;
    if (!ev_graph_fresh_array(&graph, 1, sizeof *graph))
        return NULL;
    graph->arena = ev_arena_create();
    bool ok = graph->arena != NULL && ev_graph_fresh_array(&graph->frames, 1, sizeof(frame *)) &&
              ev_array_reserve(&graph->nodes, 0, &graph->capacity, sizeof *graph->nodes) &&
              ev_set_intern(graph, NULL, 0) == 0;
    if (!ok) {
        ev_graph_destroy(graph);
        return NULL;
    }
    graph->nodes[0] = (graph_node){.op = EV_OP_NONE};
    graph->count = 1;
    return graph;
}

void ev_graph_destroy(ev_graph *graph)
{
    if (graph == NULL)
        return;
    if (graph->frames != NULL)
        ev_frames_free(*graph->frames);
    free(graph->frames);
    free(graph->nodes);
    free(graph->table);
    free(graph->sets);
    free(graph->set_table);
    ev_arena_destroy(graph->arena);
    free(graph);
}

bool ev_graph_failed(const ev_graph *graph) { return graph->failed; }
size_t ev_graph_size(const ev_graph *graph) { return graph->count - 1; }

ev_node ev_graph_fail(ev_graph *graph)
{
    graph->failed = true;
    return 0;
}

static bool commutes(ev_op op)
{
    return op == EV_OP_ADD || op == EV_OP_MUL || op == EV_OP_MAX || op == EV_OP_MIN ||
           op == EV_OP_LOG_ADD_EXP;
}

/* ---- attributes ---- */

static ev_sign weaker(ev_sign a, ev_sign b) { return a < b ? a : b; }
static ev_sign stronger(ev_sign a, ev_sign b) { return a > b ? a : b; }

static bool is_even_constant(const graph_node *n)
{
    return n->op == EV_OP_CONSTANT && n->error <= 0 && fabs(fmod(n->value, 2)) <= 0;
}

/* The sign of op(a, b), from those of a and b. */
static ev_sign sign_of(const ev_graph *graph, const graph_node *n)
{
    const graph_node *a = &graph->nodes[n->a], *b = &graph->nodes[n->b];
    ev_sign x = (ev_sign)a->sign, y = (ev_sign)b->sign;
    bool both = x != EV_SIGN_ANY && y != EV_SIGN_ANY;
    switch (n->op) {
    case EV_OP_CONSTANT:
        return n->value > n->error    ? EV_SIGN_POSITIVE
               : n->value >= n->error ? EV_SIGN_NONNEGATIVE
                                      : EV_SIGN_ANY;
    case EV_OP_ADD: return both ? stronger(x, y) : EV_SIGN_ANY;
    case EV_OP_MUL: return n->a == n->b ? stronger(x, EV_SIGN_NONNEGATIVE) : weaker(x, y);
    case EV_OP_DIV:
    case EV_OP_MIN: return weaker(x, y);
    case EV_OP_POW: return x == EV_SIGN_ANY && is_even_constant(b) ? EV_SIGN_NONNEGATIVE : x;
    case EV_OP_EXP:
    case EV_OP_SIGMOID:
    case EV_OP_SOFTPLUS: return EV_SIGN_POSITIVE;
    case EV_OP_SQRT:
    case EV_OP_ABS: return stronger(x, EV_SIGN_NONNEGATIVE);
    case EV_OP_STEP: return EV_SIGN_NONNEGATIVE;
    case EV_OP_MAX: return stronger(x, y);
    case EV_OP_HOLD:
    case EV_OP_EXPECT: return x;
    default: return EV_SIGN_ANY;
    }
}

/* Is the node, nonnegative by construction, one whose logarithm is worth taking in parts? */
static bool carries_exponential(const ev_graph *graph, const graph_node *n)
{
    const graph_node *a = &graph->nodes[n->a], *b = &graph->nodes[n->b];
    switch (n->op) {
    case EV_OP_EXP: return true;
    case EV_OP_ADD:
    case EV_OP_MUL:
    case EV_OP_DIV:
        return a->sign != EV_SIGN_ANY && b->sign != EV_SIGN_ANY &&
               (a->exponential || b->exponential);
    case EV_OP_POW:
    case EV_OP_HOLD:
    case EV_OP_SQRT: return a->sign != EV_SIGN_ANY && a->exponential;
    default: return false;
    }
}

static bool may_be_log_zero(const graph_node *n, const graph_node *a, const graph_node *b)
{
    switch (n->op) {
    case EV_OP_LOG: return a->sign != EV_SIGN_POSITIVE;
    case EV_OP_LOG_ADD_EXP: return a->log_zero && b->log_zero;
    case EV_OP_ADD:
    case EV_OP_SUB:
    case EV_OP_MUL:
    case EV_OP_MAX:
    case EV_OP_MIN: return a->log_zero || b->log_zero;
    case EV_OP_NEG:
    case EV_OP_DIV:
    case EV_OP_HOLD:
    case EV_OP_EXPECT: return a->log_zero;
    default: return false;
    }
}

static uint64_t shape_of(const ev_graph *graph, const graph_node *n)
{
    uint64_t hash = ev_graph_mix(n->op + UINT64_C(0x9e3779b97f4a7c15)), bits;
    switch (n->op) {
    case EV_OP_COORDINATE: return hash;
    case EV_OP_CONSTANT: memcpy(&bits, &n->value, sizeof bits); return ev_graph_mix(hash ^ bits);
    case EV_OP_INPUT:
    case EV_OP_VARIABLE: return ev_graph_mix(hash ^ n->a);
    case EV_OP_EXPECT: return ev_graph_mix(hash ^ graph->nodes[n->a].shape);
    default: break;
    }
    uint64_t a = graph->nodes[n->a].shape, b = graph->nodes[n->b].shape;
    return commutes((ev_op)n->op) ? ev_graph_mix(hash + ev_graph_mix(a) + ev_graph_mix(b))
                                  : ev_graph_mix(hash ^ ev_graph_mix(a + 3 * ev_graph_mix(b)));
}

static bool fill_attributes(ev_graph *graph, graph_node *n, ev_node self)
{
    bool leaf = n->op <= EV_OP_COORDINATE;
    const graph_node *a = &graph->nodes[leaf ? 0 : n->a];
    const graph_node *b = &graph->nodes[leaf || n->op == EV_OP_EXPECT ? 0 : n->b];
    n->shape = shape_of(graph, n);
    n->level = a->level > b->level ? a->level : b->level;
    n->leaves = a->leaves | b->leaves;
    if (n->op == EV_OP_INPUT || n->op == EV_OP_VARIABLE) {
        n->leaves = UINT64_C(1) << (n->shape & 63);
        return true;
    }
    if (n->op == EV_OP_COORDINATE) {
        n->free = ev_set_intern(graph, &self, 1);
        return n->free != EV_NO_SET;
    }
    n->sign = (uint8_t)(leaf && n->op != EV_OP_CONSTANT ? EV_SIGN_ANY : sign_of(graph, n));
    n->exponential = carries_exponential(graph, n);
    n->log_zero = may_be_log_zero(n, a, b);
    if (n->op == EV_OP_EXPECT) {
        n->level = graph->nodes[graph->sets[n->b].items[0]].a;
        n->free = ev_set_minus(graph, a->free, n->b);
    } else {
        n->free = ev_set_union(graph, a->free, b->free);
    }
    return n->free != EV_NO_SET;
}

/* ---- hash-consing ---- */

static uint64_t key_hash(const graph_node *n)
{
    uint64_t bits[2], a = n->a, b = n->b;
    memcpy(&bits[0], &n->value, sizeof bits[0]);
    memcpy(&bits[1], &n->error, sizeof bits[1]);
    uint64_t pair = commutes((ev_op)n->op) ? ev_graph_mix(a + 1) + ev_graph_mix(b + 1)
                                           : ev_graph_mix(a << 32 | b);
    return ev_graph_mix(pair ^ ev_graph_mix(bits[0] + 31 * bits[1]) ^ ((uint64_t)n->op << 56));
}

static bool same_key(const graph_node *x, const graph_node *y)
{
    if (x->op != y->op || memcmp(&x->value, &y->value, sizeof x->value) != 0 ||
        memcmp(&x->error, &y->error, sizeof x->error) != 0)
        return false;
    return (x->a == y->a && x->b == y->b) ||
           (commutes((ev_op)x->op) && x->a == y->b && x->b == y->a);
}

static size_t find_slot(const ev_graph *graph, const graph_node *key)
{
    size_t slot = (size_t)key_hash(key) & (graph->slots - 1);
    while (graph->table[slot] != 0 && !same_key(key, &graph->nodes[graph->table[slot]]))
        slot = (slot + 1) & (graph->slots - 1);
    return slot;
}

static bool grow_table(ev_graph *graph)
{
    if (2 * graph->count < graph->slots)
        return true;
    size_t slots = graph->slots == 0 ? 256 : 2 * graph->slots;
    uint32_t *table;
    if (!ev_graph_fresh_array(&table, slots, sizeof *table))
        return false;
    free(graph->table);
    graph->table = table;
    graph->slots = slots;
    for (uint32_t i = 1; i < graph->count; i++)
        table[find_slot(graph, &graph->nodes[i])] = i;
    return true;
}

static ev_node intern(ev_graph *graph, graph_node key)
{
    if (!grow_table(graph))
        return ev_graph_fail(graph);
    size_t slot = find_slot(graph, &key);
    if (graph->table[slot] != 0)
        return graph->table[slot];
    if (graph->count >= UINT32_MAX ||
        !ev_array_reserve(&graph->nodes, graph->count, &graph->capacity, sizeof *graph->nodes) ||
        !fill_attributes(graph, &key, (ev_node)graph->count))
        return ev_graph_fail(graph);
    graph->nodes[graph->count] = key;
    graph->table[slot] = (uint32_t)graph->count;
    return (ev_node)graph->count++;
}

static bool is_binary(ev_op op)
{
    return (op >= EV_OP_ADD && op <= EV_OP_DIV) || op == EV_OP_POW || op == EV_OP_MAX ||
           op == EV_OP_MIN || op == EV_OP_XLOGY || op == EV_OP_LOG_ADD_EXP || op == EV_OP_EXPECT;
}

ev_node ev_graph_intern(ev_graph *graph, ev_op op, ev_node a, ev_node b)
{
    if ((op > EV_OP_COORDINATE && a == 0) || (is_binary(op) && b == 0))
        return 0;
    return intern(graph, (graph_node){.op = (uint8_t)op, .a = a, .b = b});
}

ev_node ev_graph_intern_constant(ev_graph *graph, double value, double error)
{
    if (value >= 0 && value <= 0)
        value = 0; /* one zero */
    return intern(graph, (graph_node){.op = EV_OP_CONSTANT, .value = value, .error = error});
}

ev_node ev_graph_intern_coordinate(ev_graph *graph, uint32_t level, uint32_t number)
{
    return ev_graph_intern(graph, EV_OP_COORDINATE, level, number);
}

ev_node ev_graph_intern_expect(ev_graph *graph, ev_node body, uint32_t bound)
{
    return ev_graph_intern(graph, EV_OP_EXPECT, body, bound);
}

/* ---- leaves ---- */

ev_node ev_graph_constant(ev_graph *graph, double value)
{
    return ev_graph_intern_constant(graph, value, 0);
}

ev_node ev_graph_rounded_constant(ev_graph *graph, double value, double error)
{
    return ev_graph_intern_constant(graph, value, error);
}

ev_node ev_graph_input(ev_graph *graph, size_t index, ev_sign sign)
{
    if (index >= UINT32_MAX)
        return ev_graph_fail(graph);
    graph_node key = {.op = EV_OP_INPUT, .sign = (uint8_t)sign, .a = (ev_node)index};
    return intern(graph, key);
}

ev_node ev_graph_new_variable(ev_graph *graph, ev_sign sign)
{
    graph_node key = {.op = EV_OP_VARIABLE, .sign = (uint8_t)sign, .a = graph->variables};
    ev_node node = intern(graph, key);
    graph->variables += node != 0;
    return node;
}

ev_node ev_graph_new_coordinate(ev_graph *graph)
{
    ev_node node = ev_graph_intern_coordinate(graph, 0, graph->coordinates);
    graph->coordinates += node != 0;
    return node;
}

/* ---- inspection ---- */

ev_op ev_graph_op(const ev_graph *graph, ev_node node) { return (ev_op)node_at(graph, node)->op; }

ev_node ev_graph_operand(const ev_graph *graph, ev_node node, size_t which)
{
    const graph_node *n = node_at(graph, node);
    if (n->op <= EV_OP_COORDINATE || which > (n->op == EV_OP_EXPECT ? 0 : 1))
        return 0;
    return which == 0 ? n->a : n->b;
}

double ev_graph_constant_value(const ev_graph *graph, ev_node node)
{
    return node_at(graph, node)->value;
}

double ev_graph_constant_error(const ev_graph *graph, ev_node node)
{
    return node_at(graph, node)->error;
}

size_t ev_graph_input_index(const ev_graph *graph, ev_node node) { return node_at(graph, node)->a; }

ev_sign ev_graph_sign(const ev_graph *graph, ev_node node)
{
    return (ev_sign)node_at(graph, node)->sign;
}

size_t ev_graph_expect_dim(const ev_graph *graph, ev_node node)
{
    return graph->sets[node_at(graph, node)->b].n;
}

const ev_node *ev_graph_expect_coordinates(const ev_graph *graph, ev_node node)
{
    return graph->sets[node_at(graph, node)->b].items;
}

static bool may_hold(const ev_graph *graph, ev_node node, const void *context)
{
    const uint64_t *leaves = context;
    return (graph->nodes[node].leaves & *leaves) != 0;
}

bool ev_graph_depends(const ev_graph *graph, ev_node node, ev_node on)
{
    const graph_node *n = node_at(graph, node);
    ev_op op = (ev_op)node_at(graph, on)->op;
    if (op == EV_OP_COORDINATE)
        return ev_set_contains(graph, n->free, on);
    if (op != EV_OP_INPUT && op != EV_OP_VARIABLE)
        return false;
    uint64_t leaves = node_at(graph, on)->leaves;
    if ((n->leaves & leaves) == 0)
        return false;
    frame *f = ev_frame_acquire(graph);
    bool found = f == NULL || !ev_frame_order(graph, f, 1, &node, may_hold, &leaves) ||
                 ev_frame_marked(f, on);
    ev_frame_release(graph, f);
    return found;
}
