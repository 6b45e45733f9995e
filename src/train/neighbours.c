/* All pairs: 60 000 points of 10 dimensions are 3.6 10^9 distances, a few seconds, and no tree can go
 * wrong in high dimensions.  The candidates are kept transposed, in blocks, so that the loop over a
 * block vectorises; a block with nobody nearer than the k-th so far is passed over at once. */
#include "train/neighbours.h"

#include "train/points.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 }; /* candidates looked at together */

/* (blocks,J,BLOCK); places past N hold 0, and are never asked for. */
static float *transpose(size_t N, size_t J, const float *x)
{
    const size_t blocks = (N + BLOCK - 1) / BLOCK;
    float *t = calloc(blocks * BLOCK, J * sizeof *t);
    for (size_t i = 0; t != NULL && i < N; i++)
        for (size_t j = 0; j < J; j++)
            t[(i / BLOCK * J + j) * BLOCK + i % BLOCK] = x[i * J + j];
    return t;
}

static void block_distances(size_t J, const float *point, const float *block, float *distance)
{
    memset(distance, 0, BLOCK * sizeof *distance);
    for (size_t j = 0; j < J; j++)
        for (size_t b = 0; b < BLOCK; b++) {
            const float gap = point[j] - block[j * BLOCK + b];
            distance[b] += gap * gap;
        }
}

static bool any_below(const float *distance, float limit)
{
    int any = 0;
    for (size_t b = 0; b < BLOCK; b++)
        any |= distance[b] < limit;
    return any != 0;
}

/* Into its place among the k nearest so far; it comes after those equally near. */
static void insert(size_t k, uint32_t candidate, float distance, uint32_t *index, float *nearest)
{
    size_t at = k - 1;
    for (; at > 0 && nearest[at - 1] > distance; at--) {
        nearest[at] = nearest[at - 1];
        index[at] = index[at - 1];
    }
    nearest[at] = distance;
    index[at] = candidate;
}

static void find(size_t N, size_t J, const float *t, const float *point, size_t self, size_t k,
                 uint32_t *index, float *nearest)
{
    for (size_t n = 0; n < k; n++)
        nearest[n] = FLT_MAX;
    for (size_t from = 0; from < N; from += BLOCK) {
        float distance[BLOCK];
        const size_t count = N - from < BLOCK ? N - from : BLOCK;
        block_distances(J, point, t + from * J, distance);
        if (!any_below(distance, nearest[k - 1]))
            continue;
        for (size_t b = 0; b < count; b++)
            if (distance[b] < nearest[k - 1] && from + b != self)
                insert(k, (uint32_t)(from + b), distance[b], index, nearest);
    }
}

static ev_status no_memory(size_t N, ev_error *error)
{
    return ev_error_set(error, EV_NO_MEMORY, "no memory for the neighbours of %zu points", N);
}

/* Squared distances must not overflow: where all did, there would be no nearest. */
static ev_status check_size(size_t N, size_t J, const float *x, ev_error *error)
{
    const float most = 1e18F / sqrtf((float)J);
    for (size_t i = 0; i < N * J; i++)
        if (fabsf(x[i]) > most)
            return ev_error_set(error, EV_BAD_INPUT,
                                "coordinate %zu of point %zu is %g: too large for distances", i % J,
                                i / J, (double)x[i]);
    return EV_OK;
}

ev_status ev_neighbours_find(size_t N, size_t J, const float *x, size_t k, uint32_t *index,
                             ev_error *error)
{
    ev_status status = ev_points_check(N, J, 1, x, error);
    if (status == EV_OK)
        status = check_size(N, J, x, error);
    if (status != EV_OK)
        return status;
    if (k == 0 || k >= N || N > UINT32_MAX)
        return ev_error_set(error, EV_BAD_INPUT,
                            "%zu neighbours of each of %zu points: from 1 to one less than these",
                            k, N);
    float *t = transpose(N, J, x);
    if (t == NULL)
        return no_memory(N, error);
    bool room = true;
#pragma omp parallel reduction(&& : room)
    {
        float *nearest = calloc(k, sizeof *nearest);
        room = room && nearest != NULL;
#pragma omp for schedule(dynamic, 64)
        for (size_t i = 0; i < N; i++)
            if (room)
                find(N, J, t, x + i * J, i, k, index + i * k, nearest);
        free(nearest);
    }
    free(t);
    return room ? EV_OK : no_memory(N, error);
}

ev_status ev_neighbour_graph_create(ev_neighbour_graph *graph, size_t N, size_t k,
                                    const uint32_t *index, ev_error *error)
{
    *graph = (ev_neighbour_graph){.N = N};
    graph->begin = calloc(N + 1, sizeof *graph->begin);
    graph->link = calloc(N, 2 * k * sizeof *graph->link);
    size_t *end = calloc(N, sizeof *end);
    if (graph->begin == NULL || graph->link == NULL || end == NULL) {
        free(end);
        ev_neighbour_graph_destroy(graph);
        return ev_error_set(error, EV_NO_MEMORY, "no memory for a graph of %zu points", N);
    }
    for (size_t e = 0; e < N * k; e++)
        end[index[e]]++; /* links that come in; k go out */
    for (size_t i = 0; i < N; i++) {
        graph->begin[i + 1] = graph->begin[i] + k + end[i];
        end[i] = graph->begin[i] + k;
        memcpy(graph->link + graph->begin[i], index + i * k, k * sizeof *index);
    }
    for (size_t e = 0; e < N * k; e++)
        graph->link[end[index[e]]++] = (uint32_t)(e / k);
    free(end);
    return EV_OK;
}

void ev_neighbour_graph_destroy(ev_neighbour_graph *graph)
{
    free(graph->begin);
    free(graph->link);
    *graph = (ev_neighbour_graph){0};
}
