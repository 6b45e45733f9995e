#include "train/spectral.h"

#include "base/arena.h"
#include "nn/dense.h"
#include "numerics/random.h"
#include "train/kmeans.h"
#include "train/neighbours.h"

#include <arpack/arpack.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { LANCZOS_ROUNDS = 300, KMEANS_ROUNDS = 100 };
#define EIGEN_TOLERANCE 1e-4 /* of an eigenvalue, relative */

/* The matrix D^(-1/2) W D^(-1/2), less twice the projection on the eigenvectors found before: these
 * get an eigenvalue of -1 or less, and those that are left come to the top. */
typedef struct {
    const ev_neighbour_graph *graph;
    const double *scale; /* (N) d_i^(-1/2) */
    const double *found; /* (count,N) orthonormal */
    size_t count;
} matrix;

static void take_off(const matrix *a, const double *v, double *out)
{
    const size_t N = a->graph->N;
    for (size_t c = 0; c < a->count; c++) {
        const double *known = a->found + c * N;
        double share = 0.0;
        for (size_t i = 0; i < N; i++)
            share += known[i] * v[i];
        for (size_t i = 0; i < N; i++)
            out[i] -= 2.0 * share * known[i];
    }
}

static void apply(const matrix *a, const double *v, double *out)
{
    const ev_neighbour_graph *g = a->graph;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < g->N; i++) {
        double sum = 0.0;
        for (size_t e = g->begin[i]; e < g->begin[i + 1]; e++)
            sum += 0.5 * a->scale[g->link[e]] * v[g->link[e]];
        out[i] = a->scale[i] * sum;
    }
    take_off(a, v, out);
}

/* ARPACK's arrays and options, by its manual's names (R. B. Lehoucq, D. C. Sorensen & C. Yang, ARPACK
 * Users' Guide, SIAM 1998). */
typedef struct {
    int n, nev, ncv, lworkl, info;
    int iparam[11], ipntr[11];
    double *resid, *v, *workd, *workl, *d;
    int *select;
} lanczos;

static lanczos prepare(ev_arena *arena, size_t N, size_t m)
{
    const size_t wide = 2 * m + 10 < N ? 2 * m + 10 : N;
    return (lanczos){.n = (int)N,
                     .nev = (int)m,
                     .ncv = (int)wide,
                     .lworkl = (int)(wide * (wide + 8)),
                     .iparam = {1, 0, 0, 1, 0, 0, 1},
                     .resid = ev_arena_array(arena, N, sizeof(double)),
                     .v = ev_arena_array(arena, N * wide, sizeof(double)),
                     .workd = ev_arena_array(arena, 3 * N, sizeof(double)),
                     .workl = ev_arena_array(arena, wide * (wide + 8), sizeof(double)),
                     .d = ev_arena_array(arena, m, sizeof(double)),
                     .select = ev_arena_array(arena, wide, sizeof(int))};
}

/* Eigenvectors of the largest eigenvalues, m or as many as converge, into l->v, (*found,N), the values
 * into l->d, both in ARPACK's order: rising. */
static ev_status eigenvectors(lanczos *l, const matrix *a, const ev_stream *start, size_t *found,
                              ev_error *error)
{
    int ido = 0;
    ev_stream_normals(start, 0, (size_t)l->n, l->resid);
    l->info = 1; /* resid holds the start */
    l->iparam[2] = LANCZOS_ROUNDS;
    do {
        dsaupd_c(&ido, "I", l->n, "LA", l->nev, EIGEN_TOLERANCE, l->resid, l->ncv, l->v, l->n,
                 l->iparam, l->ipntr, l->workd, l->workl, l->lworkl, &l->info);
        if (ido == 1 || ido == -1)
            apply(a, l->workd + l->ipntr[0] - 1, l->workd + l->ipntr[1] - 1);
    } while (ido == 1 || ido == -1);
    if (l->info == 1 && l->iparam[4] > 0) /* the rounds are over, and some have converged */
        l->info = 0;
    if (l->info == 0)
        dseupd_c(1, "A", l->select, l->d, l->v, l->n, 0.0, "I", l->n, "LA", l->nev, EIGEN_TOLERANCE,
                 l->resid, l->ncv, l->v, l->n, l->iparam, l->ipntr, l->workd, l->workl, l->lworkl,
                 &l->info);
    *found = l->iparam[4] > 0 ? (size_t)l->iparam[4] : 0;
    return l->info == 0 && *found > 0
               ? EV_OK
               : ev_error_set(error, EV_UNFIT,
                              "no eigenvectors of the graph of neighbours: ARPACK's status %d",
                              l->info);
}

/* Into its place among the largest m so far, in falling order. */
static void insert(size_t N, size_t m, const double *vector, double value, double *vectors,
                   double *values, size_t *count)
{
    size_t at = *count < m ? (*count)++ : m - 1;
    for (; at > 0 && values[at - 1] < value; at--) {
        values[at] = values[at - 1];
        memcpy(vectors + at * N, vectors + (at - 1) * N, N * sizeof *vectors);
    }
    values[at] = value;
    memcpy(vectors + at * N, vector, N * sizeof *vectors);
}

/* Lanczos from one vector sees one of several eigenvectors of the same value, and a graph in pieces
 * has as many of value 1 as pieces.  So the search is repeated in the complement of what was found
 * until nothing larger than the m-th comes up. */
static ev_status all_eigenvectors(ev_arena *arena, matrix *a, size_t m, uint64_t seed,
                                  double *vectors, double *values, ev_error *error)
{
    const size_t N = a->graph->N;
    lanczos l = prepare(arena, N, m);
    if (ev_arena_failed(arena))
        return ev_error_set(error, EV_NO_MEMORY, "no memory for eigenvectors of %zu points", N);
    a->found = vectors;
    bool more = true;
    for (uint32_t round = 0; more; round++) {
        /* Not from the same start: of each value it holds the one vector that it led to. */
        const ev_stream start = ev_stream_make(seed, ev_hash_text("spectral clustering"), round, 0);
        size_t found = 0;
        ev_status status = eigenvectors(&l, a, &start, &found, error);
        if (status != EV_OK)
            return status;
        more = false;
        for (size_t c = found; c-- > 0;) /* ARPACK's last is the largest */
            if (a->count < m || l.d[c] > values[m - 1] + EIGEN_TOLERANCE) {
                more = true;
                insert(N, m, l.v + c * N, l.d[c], vectors, values, &a->count);
            }
    }
    return EV_OK;
}

/* rows (N,m), each of length 1, or 0 where all vectors are. */
static void unit_rows(size_t N, size_t m, const double *vectors, float *rows)
{
    for (size_t i = 0; i < N; i++) {
        double square = 0.0;
        for (size_t c = 0; c < m; c++)
            square += vectors[c * N + i] * vectors[c * N + i];
        const double scale = square > 0.0 ? 1.0 / sqrt(square) : 0.0;
        for (size_t c = 0; c < m; c++)
            rows[i * m + c] = (float)(vectors[c * N + i] * scale);
    }
}

static ev_status embed(ev_arena *arena, const ev_neighbour_graph *graph, size_t m, uint64_t seed,
                       float *rows, double *values, ev_error *error)
{
    const size_t N = graph->N;
    double *scale = ev_arena_array(arena, N, sizeof *scale);
    double *vectors = ev_arena_array(arena, N, m * sizeof *vectors);
    if (ev_arena_failed(arena))
        return ev_error_set(error, EV_NO_MEMORY, "no memory for eigenvectors of %zu points", N);
    for (size_t i = 0; i < N; i++)
        scale[i] = 1.0 / sqrt(0.5 * (double)(graph->begin[i + 1] - graph->begin[i]));
    matrix a = {.graph = graph, .scale = scale};
    ev_status status = all_eigenvectors(arena, &a, m, seed, vectors, values, error);
    if (status == EV_OK)
        unit_rows(N, m, vectors, rows);
    return status;
}

static ev_status neighbour_graph(ev_arena *arena, size_t N, size_t J, const float *x, size_t k,
                                 ev_neighbour_graph *graph, ev_error *error)
{
    uint32_t *index = ev_arena_array(arena, N, k * sizeof *index);
    if (index == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "no memory for the neighbours of %zu points", N);
    ev_status status = ev_neighbours_find(N, J, x, k, index, error);
    return status == EV_OK ? ev_neighbour_graph_create(graph, N, k, index, error) : status;
}

static ev_status run(ev_arena *arena, const ev_spectral_options *o, size_t N, size_t J,
                     const float *x, size_t *assignment, ev_spectral_result *result,
                     ev_error *error)
{
    const size_t m = result->vectors, k = o->neighbours < N - 1 ? o->neighbours : N - 1;
    const ev_kmeans_options rows_options = {
        .K = o->K, .restarts = o->restarts, .iterations = KMEANS_ROUNDS, .seed = o->seed};
    ev_neighbour_graph graph = {0};
    ev_kmeans_result how = {0};
    float *rows = ev_arena_array(arena, N, m * sizeof *rows);
    float *centres = ev_arena_array(arena, o->K, m * sizeof *centres);
    double *values = ev_arena_array(arena, m, sizeof *values);
    ev_status status = neighbour_graph(arena, N, J, x, k, &graph, error);
    if (status == EV_OK && ev_arena_failed(arena))
        status = ev_error_set(error, EV_NO_MEMORY, "no memory to cluster %zu points", N);
    if (status == EV_OK)
        status = embed(arena, &graph, m, o->seed, rows, values, error);
    if (status == EV_OK)
        status = ev_kmeans(&rows_options, N, m, rows, centres, assignment, &how, error);
    ev_neighbour_graph_destroy(&graph);
    if (status == EV_OK)
        *result = (ev_spectral_result){m, 1.0 - values[o->K - 1], how.inertia, how.restart};
    return status;
}

ev_status ev_spectral_cluster(const ev_spectral_options *o, size_t N, size_t J, const float *x,
                              size_t *assignment, ev_spectral_result *result, ev_error *error)
{
    ev_spectral_result how = {.vectors = o->K + o->K / 2};
    if (o->K < 2 || o->neighbours == 0 || o->restarts == 0)
        return ev_error_set(error, EV_BAD_INPUT,
                            "%zu clusters of a graph with %zu neighbours, %zu restarts: at least "
                            "2, 1 and 1",
                            o->K, o->neighbours, o->restarts);
    if (o->K > INT_MAX / 8 || how.vectors + 2 > N || N > (size_t)INT_MAX / 8 / (how.vectors + 5))
        return ev_error_set(error, EV_BAD_INPUT,
                            "%zu clusters of %zu points: spectral clustering takes %zu points or "
                            "more, and a number of entries that fits an int",
                            o->K, N, how.vectors + 2);
    ev_dense_prepare(); /* ARPACK's sums are the BLAS's: on one thread, in one order */
    ev_arena *arena = ev_arena_create();
    ev_status status = arena == NULL
                           ? ev_error_set(error, EV_NO_MEMORY, "no memory to cluster %zu points", N)
                           : run(arena, o, N, J, x, assignment, &how, error);
    ev_arena_destroy(arena);
    if (status == EV_OK && result != NULL)
        *result = how;
    return status;
}
