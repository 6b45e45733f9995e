#include "train/neighbours.h"

#include "clusters.h"

#include <criterion/criterion.h>
#include <math.h>
#include <omp.h>
#include <string.h>

enum { N = 203, J = 3, K = 7 };

static double square_distance(const float *a, const float *b)
{
    double sum = 0;
    for (size_t j = 0; j < J; j++)
        sum += ((double)a[j] - (double)b[j]) * ((double)a[j] - (double)b[j]);
    return sum;
}

static void find(const float *x, size_t n, size_t k, uint32_t *index)
{
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_neighbours_find(n, J, x, k, index, &error), EV_OK, "%s", error.message);
}

/* Counted in double: as many others are nearer than the neighbour of rank r as its rank says. */
Test(neighbours, are_the_nearest_of_all_the_others_in_their_order)
{
    float *x = clusters_noise(N, J, 3);
    uint32_t index[N * K];
    find(x, N, K, index);
    for (size_t i = 0; i < N; i++)
        for (size_t r = 0; r < K; r++) {
            const size_t it = index[i * K + r];
            const double d = square_distance(x + i * J, x + it * J);
            size_t nearer = 0;
            for (size_t other = 0; other < N; other++)
                nearer += other != i && square_distance(x + i * J, x + other * J) < d;
            cr_assert_neq(it, i);
            cr_assert_eq(nearer, r, "point %zu, rank %zu", i, r);
        }
    free(x);
}

Test(neighbours, of_equally_near_points_the_lower_index_comes_first)
{
    float x[130 * J] = {0};
    uint32_t index[130 * 2];
    for (size_t i = 0; i < 130; i++)
        x[i * J] = (float)i; /* on a line: two at distance 1 */
    find(x, 130, 2, index);
    for (size_t i = 1; i < 129; i++)
        cr_assert(index[i * 2] == i - 1 && index[i * 2 + 1] == i + 1, "point %zu", i);
    cr_assert(index[0] == 1 && index[1] == 2);
    memset(x, 0, sizeof x); /* all alike */
    find(x, 130, 2, index);
    cr_assert(index[0] == 1 && index[1] == 2 && index[2] == 0 && index[3] == 2);
}

Test(neighbours, threads_make_no_difference)
{
    float *x = clusters_noise(N, J, 4);
    uint32_t one[N * K], three[N * K];
    const int before = omp_get_max_threads();
    omp_set_num_threads(1);
    find(x, N, K, one);
    omp_set_num_threads(3);
    find(x, N, K, three);
    omp_set_num_threads(before);
    cr_assert_eq(memcmp(one, three, sizeof one), 0);
    free(x);
}

/* W_ij from the definition against the entries of row i. */
Test(neighbours, the_graph_has_an_entry_for_each_way_of_being_a_neighbour)
{
    float *x = clusters_noise(N, J, 5);
    uint32_t index[N * K];
    ev_neighbour_graph graph;
    find(x, N, K, index);
    cr_assert_eq(ev_neighbour_graph_create(&graph, N, K, index, NULL), EV_OK);
    cr_assert_eq(graph.begin[N], 2 * N * K);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            size_t ways = 0, entries = 0;
            for (size_t r = 0; r < K; r++)
                ways += (index[i * K + r] == j) + (index[j * K + r] == i);
            for (size_t e = graph.begin[i]; e < graph.begin[i + 1]; e++)
                entries += graph.link[e] == j;
            cr_assert_eq(entries, ways, "%zu and %zu", i, j);
        }
    ev_neighbour_graph_destroy(&graph);
    free(x);
}

Test(neighbours, too_many_none_and_what_is_not_finite_are_refused)
{
    float x[4 * J] = {0};
    uint32_t index[16];
    ev_error error = EV_ERROR_NONE, second = EV_ERROR_NONE;
    cr_assert_eq(ev_neighbours_find(4, J, x, 0, index, &error), EV_BAD_INPUT);
    cr_assert_eq(ev_neighbours_find(4, J, x, 4, index, &second), EV_BAD_INPUT);
    cr_assert_not_null(strstr(second.message, "4 neighbours"), "%s", second.message);
    x[5] = NAN;
    ev_error third = EV_ERROR_NONE;
    cr_assert_eq(ev_neighbours_find(4, J, x, 2, index, &third), EV_BAD_INPUT);
    cr_assert_not_null(strstr(third.message, "point 1"), "%s", third.message);
    x[5] = 1e19F;
    ev_error fourth = EV_ERROR_NONE;
    cr_assert_eq(ev_neighbours_find(4, J, x, 2, index, &fourth), EV_BAD_INPUT);
    cr_assert_not_null(strstr(fourth.message, "too large"), "%s", fourth.message);
}
