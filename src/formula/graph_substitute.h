/* Renaming of coordinates, for src/formula/graph*.c only. */
#ifndef EV_FORMULA_GRAPH_SUBSTITUTE_H
#define EV_FORMULA_GRAPH_SUBSTITUTE_H

#include "formula/graph_internal.h"

/* root with COORDINATEs renamed, node for node: no rewriting can apply that did not before,
 * for the renaming is one to one. */
ev_node ev_graph_rename(ev_graph *graph, ev_node root, size_t n, const ev_node *from,
                        const ev_node *to);

#endif
