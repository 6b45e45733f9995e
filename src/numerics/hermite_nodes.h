/* Gauss-Hermite nodes and weights for the standard normal, computed once an order and
 * kept for the life of the process.  Private to this room. */
#ifndef EV_NUMERICS_HERMITE_NODES_H
#define EV_NUMERICS_HERMITE_NODES_H

#include "base/error.h"

#include <stddef.h>

enum { EV_HERMITE_MAX_ORDER = 256 };

typedef struct {
    size_t order;
    double *nodes, *weights; /* (order), nodes ascending, weights positive, their sum 1 */
} ev_hermite_rule;

/* Safe to call from any thread.  EV_BAD_INPUT unless 1 <= order <= EV_HERMITE_MAX_ORDER. */
ev_status ev_hermite_nodes(size_t order, const ev_hermite_rule **rule);

#endif
