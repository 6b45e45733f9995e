/* Gauss-Hermite nodes for nested expectations and for surveys of a body, by order. */
#ifndef EV_FORMULA_RULES_H
#define EV_FORMULA_RULES_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    size_t order;
    double *nodes, *weights; /* (order); E f = sum weights f(nodes) for the standard normal */
} ev_rule;

enum { EV_RULES_KEPT = 24 };

typedef struct {
    ev_rule kept[EV_RULES_KEPT];
    size_t n;
} ev_rules;

/* The rule of this order, kept from the first time on; NULL when memory is short or there
 * is no such rule.  When all places are taken, the last is made anew. */
const ev_rule *ev_rules_get(ev_rules *rules, size_t order);
void ev_rules_clear(ev_rules *rules);

#endif
