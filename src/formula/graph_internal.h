/* The graph's insides: for src/formula/graph*.c, and for the compiler of programs, which reads them.
 *
 * Nodes lie in one array, operands before their users, so a sweep by ascending index is a
 * sweep from the leaves up.  Nothing here recurses on the depth of an expression. */
#ifndef EV_FORMULA_GRAPH_INTERNAL_H
#define EV_FORMULA_GRAPH_INTERNAL_H

#include "base/arena.h"
#include "formula/graph.h"

typedef struct {
    uint8_t op;       /* ev_op */
    uint8_t sign;     /* ev_sign */
    bool exponential; /* nonnegative and a product, quotient, power or sum with an e^x in it */
    bool log_zero;    /* may be -inf, by log 0: then a product with it and 0 is 0 */
    uint32_t level;   /* how deep EXPECTs nest in it; 0: there is none */
    ev_node a, b;     /* operands.  INPUT: a is the index.  VARIABLE: a is its number.
                         COORDINATE: a is its level (0: from ev_graph_new_coordinate), b its number.
                         EXPECT: b is the set of bound coordinates. */
    uint32_t free;    /* the set of free coordinates */
    ev_node log;      /* its logarithm, once asked for */
    uint64_t leaves;  /* one bit for each INPUT and VARIABLE below it, by hash */
    uint64_t shape;   /* a hash blind to the names of coordinates and to a + b = b + a */
    double value;     /* CONSTANT: the value, and how far from it the number meant may be */
    double error;
} graph_node;

/* An ascending list of COORDINATE nodes.  Equal sets are one set; set 0 is empty. */
typedef struct {
    const ev_node *items;
    size_t n;
    uint64_t mask; /* one bit for each, by hash */
} coordinate_set;

/* Scratch for one traversal: marks and a map of nodes that are emptied by a new epoch. */
typedef struct frame {
    struct frame *next;
    uint32_t *stamp;
    ev_node *map;
    size_t stamp_capacity, map_capacity;
    uint32_t epoch;
    ev_node *stack;
    size_t depth, stack_capacity;
    ev_node *order;
    size_t count, order_capacity;
} frame;

struct ev_graph {
    graph_node *nodes; /* nodes[0] is no node */
    size_t count, capacity;
    uint32_t *table; /* open addressing; 0 is an empty slot */
    size_t slots;
    coordinate_set *sets;
    size_t set_count, set_capacity;
    uint32_t *set_table;
    size_t set_slots;
    ev_arena *arena; /* the sets' items */
    uint32_t variables, coordinates;
    bool failed;
    frame **frames; /* free scratch, a list; its head lives outside so that const graphs have it */
};

/* graph.c: interning. */
ev_node ev_graph_fail(ev_graph *graph);
/* The node op(a, b), made if it is not there; no rewriting.  0 when an operand is 0. */
ev_node ev_graph_intern(ev_graph *graph, ev_op op, ev_node a, ev_node b);
ev_node ev_graph_intern_constant(ev_graph *graph, double value, double error);
ev_node ev_graph_intern_coordinate(ev_graph *graph, uint32_t level, uint32_t number);
ev_node ev_graph_intern_expect(ev_graph *graph, ev_node body, uint32_t bound);
static inline const graph_node *node_at(const ev_graph *graph, ev_node node)
{
    return &graph->nodes[node];
}
static inline bool is_constant(const ev_graph *graph, ev_node node, double value)
{
    const graph_node *n = &graph->nodes[node];
    return n->op == EV_OP_CONSTANT && n->value >= value && n->value <= value && !(n->error > 0);
}
static inline bool is_nonnegative(const ev_graph *graph, ev_node node)
{
    return graph->nodes[node].sign != EV_SIGN_ANY;
}

/* graph_sets.c: sets of coordinates. */
#define EV_NO_SET UINT32_MAX
uint64_t ev_graph_mix(uint64_t x); /* a 64-bit finaliser */
uint32_t ev_set_intern(ev_graph *graph, const ev_node *ascending, size_t n);
uint32_t ev_set_union(ev_graph *graph, uint32_t a, uint32_t b);
uint32_t ev_set_minus(ev_graph *graph, uint32_t a, uint32_t b);
bool ev_set_contains(const ev_graph *graph, uint32_t set, ev_node coordinate);
bool ev_sets_meet(const ev_graph *graph, uint32_t a, uint32_t b);
/* One more zeroed array of count elements on the heap, in *items; false when memory is short. */
bool ev_graph_fresh_array(void *items, size_t count, size_t size);

/* graph_walk.c: traversals. */
frame *ev_frame_create(void);    /* NULL when memory is short; ev_frames_free() frees it */
void ev_frame_restart(frame *f); /* before each traversal on a frame of one's own */
frame *ev_frame_acquire(const ev_graph *graph); /* NULL when memory is short */
void ev_frame_release(const ev_graph *graph, frame *f);
void ev_frames_free(frame *list);
bool ev_frame_marked(const frame *f, ev_node node);
/* map[node] = to, and marks it. False when memory is short. */
bool ev_frame_set(const ev_graph *graph, frame *f, ev_node node, ev_node to);
ev_node ev_frame_get(const frame *f, ev_node node); /* 0 when not set */
bool ev_frame_push(frame *f, ev_node node);
/* f->order[0 .. f->count-1]: the nodes reachable from n roots through nodes that wanted() lets
 * pass, operands before users (EXPECT bodies included).  Marks them, map 0. */
typedef bool (*node_filter)(const ev_graph *graph, ev_node node, const void *context);
bool ev_frame_order(const ev_graph *graph, frame *f, size_t n, const ev_node *roots,
                    node_filter wanted, const void *context);

/* graph_build.c: op(a, b) through the constructor that rewrites. */
ev_node ev_graph_apply(ev_graph *graph, ev_op op, ev_node a, ev_node b);
ev_node ev_graph_xlogy(ev_graph *graph, ev_node a, ev_node b);
ev_node ev_graph_log_add_exp(ev_graph *graph, ev_node a, ev_node b);

#endif
