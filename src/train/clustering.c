#include "train/clustering.h"

#include "base/arena.h"

#include <math.h>

/* The contingency table and its sums. */
typedef struct {
    size_t N, K, C;
    double *count;  /* (K,C) */
    double *row;    /* (K) points of each cluster */
    double *column; /* (C) points of each label */
} table;

static ev_status check(size_t N, size_t K, const size_t *cluster, size_t C, const uint8_t *label,
                       ev_error *error)
{
    if (N == 0 || K == 0 || C == 0)
        return ev_error_set(error, EV_BAD_INPUT,
                            "%zu points, %zu clusters, %zu labels: none to score", N, K, C);
    for (size_t i = 0; i < N; i++)
        if (cluster[i] >= K || (label != NULL && label[i] >= C))
            return ev_error_set(error, EV_BAD_INPUT,
                                "point %zu has a cluster or label beyond the %zu and %zu there are",
                                i, K, C);
    return EV_OK;
}

static ev_arena *make_table(table *t, const size_t *cluster, const uint8_t *label)
{
    ev_arena *arena = ev_arena_create();
    if (arena == NULL)
        return NULL;
    t->count = ev_arena_array(arena, t->K, t->C * sizeof(double));
    t->row = ev_arena_array(arena, t->K, sizeof(double));
    t->column = ev_arena_array(arena, t->C, sizeof(double));
    if (ev_arena_failed(arena)) {
        ev_arena_destroy(arena);
        return NULL;
    }
    for (size_t i = 0; i < t->N; i++) {
        t->count[cluster[i] * t->C + label[i]]++;
        t->row[cluster[i]]++;
        t->column[label[i]]++;
    }
    return arena;
}

static double purity(const table *t)
{
    double sum = 0;
    for (size_t k = 0; k < t->K; k++) {
        double most = 0;
        for (size_t c = 0; c < t->C; c++)
            most = fmax(most, t->count[k * t->C + c]);
        sum += most;
    }
    return sum / (double)t->N;
}

/* - sum_i p_i log p_i, p_i = n_i/N */
static double entropy(size_t n, const double *count, double N)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        if (count[i] > 0)
            sum -= count[i] / N * log(count[i] / N);
    return sum;
}

/* With I = H(k) + H(c) - H(k,c), each term of which loses digits, written as one sum instead. */
static double normalised_information(const table *t)
{
    double N = (double)t->N, information = 0;
    for (size_t k = 0; k < t->K; k++)
        for (size_t c = 0; c < t->C; c++) {
            double n = t->count[k * t->C + c];
            if (n > 0)
                information += n / N * log(n * N / (t->row[k] * t->column[c]));
        }
    double entropies = entropy(t->K, t->row, N) + entropy(t->C, t->column, N);
    return entropies > 0 ? fmin(1, fmax(0, 2 * information / entropies)) : 1;
}

static double pairs(size_t n, const double *count)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += count[i] * (count[i] - 1) / 2;
    return sum;
}

static double adjusted_rand(const table *t)
{
    double N = (double)t->N, all = pairs(1, &N);
    double both = pairs(t->K * t->C, t->count);
    double rows = pairs(t->K, t->row), columns = pairs(t->C, t->column);
    double expected = all > 0 ? rows * columns / all : 0, most = (rows + columns) / 2;
    return most > expected ? (both - expected) / (most - expected) : 1;
}

static void count_clusters(size_t N, size_t K, const double *row, ev_clustering *score,
                           size_t *occupancy)
{
    score->occupied = 0;
    score->largest = 0;
    for (size_t k = 0; k < K; k++) {
        score->occupied += row[k] > 0;
        score->largest = fmax(score->largest, row[k] / (double)N);
        if (occupancy != NULL)
            occupancy[k] = (size_t)row[k];
    }
}

static ev_status score_table(const table *t, ev_arena *arena, ev_clustering *score,
                             size_t *occupancy, size_t *match)
{
    double sum;
    if (match == NULL)
        match = ev_arena_array(arena, t->K, sizeof *match);
    if (match == NULL || ev_assignment(t->K, t->C, t->count, match, &sum) != EV_OK)
        return EV_NO_MEMORY;
    *score = (ev_clustering){.accuracy = sum / (double)t->N,
                             .purity = purity(t),
                             .nmi = normalised_information(t),
                             .ari = adjusted_rand(t)};
    count_clusters(t->N, t->K, t->row, score, occupancy);
    return EV_OK;
}

ev_status ev_clustering_score(size_t N, size_t K, const size_t *cluster, size_t C,
                              const uint8_t *label, ev_clustering *score, size_t *occupancy,
                              size_t *match, ev_error *error)
{
    ev_status status = check(N, K, cluster, C, label, error);
    if (status != EV_OK)
        return status;
    table t = {.N = N, .K = K, .C = C};
    ev_arena *arena = make_table(&t, cluster, label);
    status = arena == NULL ? EV_NO_MEMORY : score_table(&t, arena, score, occupancy, match);
    ev_arena_destroy(arena);
    return status == EV_OK ? EV_OK : ev_error_set(error, status, "no memory to score clusters");
}

ev_status ev_clustering_occupancy(size_t N, size_t K, const size_t *cluster, ev_clustering *score,
                                  size_t *occupancy, ev_error *error)
{
    ev_status status = check(N, K, cluster, 1, NULL, error);
    if (status != EV_OK)
        return status;
    ev_arena *arena = ev_arena_create();
    double *row = arena == NULL ? NULL : ev_arena_array(arena, K, sizeof *row);
    for (size_t i = 0; row != NULL && i < N; i++)
        row[cluster[i]]++;
    *score = (ev_clustering){0};
    if (row != NULL)
        count_clusters(N, K, row, score, occupancy);
    ev_arena_destroy(arena);
    return row != NULL ? EV_OK
                       : ev_error_set(error, EV_NO_MEMORY, "no memory to count the clusters");
}
