/* Nodes for nested expectations and for surveys of a body: Gauss-Hermite, and lattices. */
#ifndef EV_FORMULA_RULES_H
#define EV_FORMULA_RULES_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    size_t order, radius;    /* so many nodes; radius 0: Gauss-Hermite */
    double *nodes, *weights; /* (order); E f = sum weights f(nodes) for the standard normal */
} ev_rule;

enum { EV_RULES_KEPT = 32 };

typedef struct {
    ev_rule kept[EV_RULES_KEPT];
    size_t n;
} ev_rules;

/* The rule of this order, kept from the first time on; NULL when memory is short or there
 * is no such rule.  When all places are taken, the last is made anew. */
const ev_rule *ev_rules_get(ev_rules *rules, size_t order);
/* The same for the trapezoidal rule against the density on [-radius, radius], with so many nodes a
 * unit and none at 0; its weights are not rescaled to 1. */
const ev_rule *ev_rules_get_lattice(ev_rules *rules, size_t density, size_t radius);
void ev_rules_clear(ev_rules *rules);

#endif
