/* The nearest neighbours of each point among the others, by exhaustive search, and the graph they
 * make.  Private to this room.
 *
 *   x (N,J)    the graph's weights: W_ij = ([j is a neighbour of i] + [i is a neighbour of j]) / 2
 *
 * A function of the points alone: not of the number of threads.
 */
#ifndef EV_TRAIN_NEIGHBOURS_H
#define EV_TRAIN_NEIGHBOURS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* index (N,k): k nearest others of each point, nearest first; of two equally near, the lower index.
 * EV_BAD_INPUT unless 1 <= k < N and all of x is finite, and not so large that squares
 * of distances overflow. */
ev_status ev_neighbours_find(size_t N, size_t J, const float *x, size_t k, uint32_t *index,
                             ev_error *error);

/* The graph in rows: row i holds 2 k entries or fewer in link[begin[i] .. begin[i + 1]), each worth
 * 1/2; who is a neighbour both ways stands there twice. */
typedef struct {
    size_t N;
    size_t *begin;  /* (N + 1) */
    uint32_t *link; /* (begin[N]), 2 N k in all */
} ev_neighbour_graph;

/* From index (N,k).  EV_NO_MEMORY is the only way to fail. */
ev_status ev_neighbour_graph_create(ev_neighbour_graph *graph, size_t N, size_t k,
                                    const uint32_t *index, ev_error *error);
void ev_neighbour_graph_destroy(ev_neighbour_graph *graph);

#endif
