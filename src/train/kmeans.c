/* 1. k-means++: the first centre is a point drawn uniformly, each next one a point drawn in
 *    proportion to its squared distance from the nearest centre so far.
 * 2. Lloyd: every point to its nearest centre, every centre to the mean of its points.
 * Distances are floats of differences, over all centres at once (they are kept transposed, so that
 * the loop over them vectorises); sums of points are doubles, in the order of the points. */
#include "train/kmeans.h"

#include "base/arena.h"
#include "numerics/random.h"
#include "train/points.h"

#include <float.h>
#include <string.h>

enum { BLOCK = 64 }; /* centres whose distances are found together */

typedef struct {
    size_t N, J, K, stride; /* stride: K rounded up to BLOCK */
    const float *x;         /* (N,J) */
    float *centres;         /* (K,J) */
    float *transposed;      /* (J,stride), FLT_MAX-distant where there is no centre */
    size_t *assignment;     /* (N) */
    float *distance;        /* (N) squared, to the assigned centre */
    double *sums;           /* (K,J) */
    size_t *members;        /* (K) */
    float *best;            /* (K,J) of the restarts so far */
    size_t *best_assignment;
} lloyd;

static ev_arena *allocate(lloyd *l)
{
    ev_arena *arena = ev_arena_create();
    if (arena == NULL)
        return NULL;
    l->stride = (l->K + BLOCK - 1) / BLOCK * BLOCK;
    l->centres = ev_arena_array(arena, l->K, l->J * sizeof *l->centres);
    l->transposed = ev_arena_array(arena, l->stride, l->J * sizeof *l->transposed);
    l->assignment = ev_arena_array(arena, l->N, sizeof *l->assignment);
    l->distance = ev_arena_array(arena, l->N, sizeof *l->distance);
    l->sums = ev_arena_array(arena, l->K, l->J * sizeof *l->sums);
    l->members = ev_arena_array(arena, l->K, sizeof *l->members);
    l->best = ev_arena_array(arena, l->K, l->J * sizeof *l->best);
    l->best_assignment = ev_arena_array(arena, l->N, sizeof *l->best_assignment);
    if (!ev_arena_failed(arena))
        return arena;
    ev_arena_destroy(arena);
    return NULL;
}

static float square_distance(size_t J, const float *a, const float *b)
{
    float sum = 0;
    for (size_t j = 0; j < J; j++)
        sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sum;
}

/* ---- k-means++ ---- */

/* The point at which the running sum of weights passes share times their total. */
static size_t draw_point(size_t N, const float *weight, double share)
{
    double total = 0, sum = 0;
    for (size_t i = 0; i < N; i++)
        total += (double)weight[i];
    for (size_t i = 0; i < N; i++) {
        sum += (double)weight[i];
        if (sum > share * total)
            return i;
    }
    return (size_t)(share * (double)N); /* all weights 0: any point is as good */
}

static void start(lloyd *l, const ev_stream *stream)
{
    for (size_t i = 0; i < l->N; i++)
        l->distance[i] = 1; /* all alike, for the first */
    for (size_t k = 0; k < l->K; k++) {
        double u;
        ev_stream_uniforms(stream, k, 1, &u);
        size_t chosen = draw_point(l->N, l->distance, u);
        const float *centre = memcpy(l->centres + k * l->J, l->x + chosen * l->J,
                                     l->J * sizeof *l->centres);
#pragma omp parallel for schedule(static) if (l->N * l->J > 1 << 15)
        for (size_t i = 0; i < l->N; i++) {
            float d = square_distance(l->J, l->x + i * l->J, centre);
            l->distance[i] = k == 0 || d < l->distance[i] ? d : l->distance[i];
        }
    }
}

/* ---- Lloyd ---- */

static void transpose(lloyd *l)
{
    for (size_t k = 0; k < l->K; k++)
        for (size_t j = 0; j < l->J; j++)
            l->transposed[j * l->stride + k] = l->centres[k * l->J + j];
}

/* The centre nearest to one point: the lowest index where two are equally near. */
static size_t nearest(const lloyd *l, const float *x, float *distance)
{
    size_t best = 0;
    *distance = FLT_MAX;
    for (size_t from = 0; from < l->K; from += BLOCK) {
        float d[BLOCK] = {0};
        for (size_t j = 0; j < l->J; j++)
            for (size_t k = 0; k < BLOCK; k++) {
                float gap = x[j] - l->transposed[j * l->stride + from + k];
                d[k] += gap * gap;
            }
        size_t n = l->K - from < BLOCK ? l->K - from : (size_t)BLOCK;
        for (size_t k = 0; k < n; k++)
            if (d[k] < *distance) {
                *distance = d[k];
                best = from + k;
            }
    }
    return best;
}

/* Every point to its nearest centre.  The sum of squares; *changed is how many points moved. */
static double assign(lloyd *l, size_t *changed)
{
    size_t moved = 0;
    double inertia = 0;
    transpose(l);
#pragma omp parallel for schedule(static) reduction(+ : moved) if (l->N * l->J > 1 << 12)
    for (size_t i = 0; i < l->N; i++) {
        size_t k = nearest(l, l->x + i * l->J, &l->distance[i]);
        moved += k != l->assignment[i];
        l->assignment[i] = k;
    }
    for (size_t i = 0; i < l->N; i++)
        inertia += (double)l->distance[i];
    *changed = moved;
    return inertia;
}

static size_t farthest(const lloyd *l)
{
    size_t far = 0;
    for (size_t i = 1; i < l->N; i++)
        far = l->distance[i] > l->distance[far] ? i : far;
    return far;
}

/* Every centre to the mean of its points; one without points, to the farthest point. */
static void update(lloyd *l)
{
    memset(l->sums, 0, l->K * l->J * sizeof *l->sums);
    memset(l->members, 0, l->K * sizeof *l->members);
    for (size_t i = 0; i < l->N; i++) {
        size_t k = l->assignment[i];
        l->members[k]++;
        for (size_t j = 0; j < l->J; j++)
            l->sums[k * l->J + j] += (double)l->x[i * l->J + j];
    }
    for (size_t k = 0; k < l->K; k++) {
        size_t far = l->members[k] > 0 ? 0 : farthest(l);
        for (size_t j = 0; j < l->J; j++)
            l->centres[k * l->J + j] = l->members[k] > 0
                                           ? (float)(l->sums[k * l->J + j] / (double)l->members[k])
                                           : l->x[far * l->J + j];
        if (l->members[k] == 0)
            l->distance[far] = 0;
    }
}

static ev_kmeans_result run(lloyd *l, const ev_kmeans_options *options, size_t restart)
{
    ev_stream stream = ev_stream_make(options->seed, ev_hash_text("k-means"), 0, (uint32_t)restart);
    ev_kmeans_result how = {.restart = restart};
    size_t changed;
    start(l, &stream);
    how.inertia = assign(l, &changed);
    while (how.iterations < options->iterations && !how.converged) {
        double before = how.inertia;
        update(l);
        how.inertia = assign(l, &changed);
        how.iterations++;
        double fall = before - how.inertia;
        how.converged = changed == 0 ||
                        (options->tolerance > 0 && fall < options->tolerance * before);
    }
    return how;
}

ev_status ev_kmeans(const ev_kmeans_options *options, size_t N, size_t J, const float *x,
                    float *centres, size_t *assignment, ev_kmeans_result *result, ev_error *error)
{
    ev_status status = ev_points_check(N, J, options->K, x, error);
    if (status != EV_OK)
        return status;
    lloyd l = {.N = N, .J = J, .K = options->K, .x = x};
    ev_arena *arena = allocate(&l);
    if (arena == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "no memory to cluster %zu points", N);
    ev_kmeans_result best = {0};
    for (size_t r = 0; r == 0 || r < options->restarts; r++) {
        ev_kmeans_result how = run(&l, options, r);
        if (r > 0 && how.inertia >= best.inertia)
            continue;
        best = how;
        memcpy(l.best, l.centres, options->K * J * sizeof *centres);
        memcpy(l.best_assignment, l.assignment, N * sizeof *assignment);
    }
    memcpy(centres, l.best, options->K * J * sizeof *centres);
    if (assignment != NULL)
        memcpy(assignment, l.best_assignment, N * sizeof *assignment);
    if (result != NULL)
        *result = best;
    ev_arena_destroy(arena);
    return EV_OK;
}
