/* What a graph node can reach.  Private to src/formula. */
#ifndef EV_FORMULA_REACH_H
#define EV_FORMULA_REACH_H

#include "formula/graph.h"

/* Does root hold an expectation of something that jumps (a STEP of its coordinates) where x moves it?
 * Then the derivative with respect to x is not the expectation of the derivative. */
bool ev_graph_jumps(const ev_graph *graph, ev_node root, ev_node x);

/* Is `node` among the nodes that root is made of? */
bool ev_graph_reaches(const ev_graph *graph, ev_node root, ev_node node);

#endif
