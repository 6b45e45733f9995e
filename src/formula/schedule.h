/* What a scope computes, and in which order.  For the compiler of programs only.
 *
 * A scope is the point itself (no coordinates: every node that is free of coordinates), or the
 * inside of an EXPECT: the nodes that depend on its coordinates, and on no others but
 * those of the EXPECTs around it.  Deeper EXPECTs are values of the scope; their insides are not. */
#ifndef EV_FORMULA_SCHEDULE_H
#define EV_FORMULA_SCHEDULE_H

#include "formula/graph_internal.h"

/* How deep EXPECTs may nest. */
enum { EV_NESTING_MAX = 8 };

/* The sets of coordinates open around and in a scope, outermost first; the last is its own. */
typedef struct {
    size_t depth;
    uint32_t set[EV_NESTING_MAX];
} ev_scope;

/* Nodes of one stage need values of earlier stages and of smaller nodes of their own; the
 * EXPECTs of a stage need earlier stages only, so those alike can run together. */
typedef struct {
    uint32_t stage;
    bool is_value; /* not an EXPECT */
    uint32_t set;  /* of an EXPECT: what it binds */
    ev_node node;
} ev_scheduled;

typedef struct {
    ev_scheduled *items; /* on the heap: free() it */
    size_t n, capacity;
} ev_schedule;

/* The scope's nodes below n roots, by stage, EXPECTs first and those alike together.
 * False when memory is short. */
bool ev_schedule_make(const ev_graph *graph, frame *f, const ev_scope *scope, size_t n,
                      const ev_node *roots, ev_schedule *schedule);

#endif
