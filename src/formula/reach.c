#include "formula/reach.h"

#include <stdlib.h>

/* Operands have smaller numbers than their users, so one sweep downwards from root marks what it is
 * made of. */
static bool *reachable(const ev_graph *graph, ev_node root)
{
    bool *marks = calloc((size_t)root + 1, sizeof *marks);
    if (marks == NULL)
        return NULL;
    marks[root] = true;
    for (ev_node i = root; i > 0; i--)
        for (size_t k = 0; marks[i] && k < 2; k++) {
            ev_node operand = ev_graph_operand(graph, i, k);
            if (operand != 0)
                marks[operand] = true;
        }
    return marks;
}

bool ev_graph_reaches(const ev_graph *graph, ev_node root, ev_node node)
{
    bool *marks = node > root ? NULL : reachable(graph, root);
    bool reaches = marks != NULL && marks[node];
    free(marks);
    return reaches;
}

static bool holds_coordinate(const ev_graph *graph, ev_node node)
{
    bool *marks = reachable(graph, node), found = marks == NULL;
    for (ev_node i = 1; marks != NULL && i <= node && !found; i++)
        found = marks[i] && ev_graph_op(graph, i) == EV_OP_COORDINATE;
    free(marks);
    return found;
}

bool ev_graph_jumps(const ev_graph *graph, ev_node root, ev_node x)
{
    bool *marks = reachable(graph, root), found = marks == NULL;
    for (ev_node i = 1; marks != NULL && i <= root && !found; i++)
        found = marks[i] && ev_graph_op(graph, i) == EV_OP_STEP && ev_graph_depends(graph, i, x) &&
                holds_coordinate(graph, i);
    free(marks);
    return found;
}
