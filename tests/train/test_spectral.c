#include "train/spectral.h"

#include "clusters.h"
#include "train/mixture_fit.h"

#include <criterion/criterion.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#define TURN 6.283185307179586

static ev_spectral_result cluster(const ev_spectral_options *o, size_t n, const float *x,
                                  size_t *assignment)
{
    ev_spectral_result how;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_spectral_cluster(o, n, 2, x, assignment, &how, &error), EV_OK, "%s",
                 error.message);
    return how;
}

/* Points on a circle and their two neighbours make a cycle, whose matrix has the eigenvalues
 * cos(2 pi j/n), twice each but for the first. */
Test(spectral, the_gap_of_a_cycle_is_that_of_the_books)
{
    for (size_t n = 12; n <= 40; n += 14) {
        float x[80];
        size_t assignment[40];
        for (size_t i = 0; i < n; i++) {
            x[2 * i] = (float)cos(TURN * (double)i / (double)n);
            x[2 * i + 1] = (float)sin(TURN * (double)i / (double)n);
        }
        for (size_t K = 2; K <= 5; K++) {
            const ev_spectral_options o = {.K = K, .neighbours = 2, .restarts = 3, .seed = 1};
            const ev_spectral_result how = cluster(&o, n, x, assignment);
            const double wave = floor(0.5 * (double)K);
            cr_assert_eq(how.vectors, K + K / 2);
            cr_assert_float_eq(how.gap, 1 - cos(TURN * wave / (double)n), 1e-4, "%zu, %zu", n, K);
        }
    }
}

/* Two rings, one inside the other: 0 for the inner one. */
static float *rings(size_t n, uint64_t seed)
{
    float *x = clusters_noise(n, 2, seed);
    for (size_t i = 0; i < n; i++) {
        const double angle = TURN * (double)i / (double)n, radius = i % 2 == 0 ? 1 : 3;
        x[2 * i] = (float)(radius * cos(angle)) + 0.08F * x[2 * i];
        x[2 * i + 1] = (float)(radius * sin(angle)) + 0.08F * x[2 * i + 1];
    }
    return x;
}

static size_t misplaced(size_t n, const size_t *assignment)
{
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++)
        wrong += assignment[i] != (i % 2 == 0 ? assignment[0] : 1 - assignment[0]);
    return wrong;
}

Test(spectral, a_ring_inside_a_ring_is_told_apart_where_gaussians_fail)
{
    enum { COUNT = 600 };
    float *x = rings(COUNT, 2);
    size_t assignment[COUNT];
    const ev_spectral_options o = {.K = 2, .neighbours = 8, .restarts = 5, .seed = 3};
    cluster(&o, COUNT, x, assignment);
    cr_assert_eq(misplaced(COUNT, assignment), 0);
    const ev_mixture_fit_options em = {.K = 2, .restarts = 5, .iterations = 200, .tolerance = 1e-7};
    ev_mixture_fit fit;
    cr_assert_eq(ev_mixture_fit_run(&em, COUNT, 2, x, &fit, NULL), EV_OK);
    cr_assert_eq(ev_mixture_fit_assign(&fit, COUNT, x, assignment, NULL, NULL), EV_OK);
    cr_assert_gt(misplaced(COUNT, assignment), 0);
    ev_mixture_fit_free(&fit);
    free(x);
}

Test(spectral, threads_make_no_difference_and_seeds_hardly_any)
{
    enum { COUNT = 500 };
    size_t truth[COUNT], one[COUNT], two[COUNT], other[COUNT];
    float *x = clusters_draw(COUNT, 9, truth);
    ev_spectral_options o = {.K = 3, .neighbours = 10, .restarts = 5, .seed = 3};
    const int before = omp_get_max_threads();
    omp_set_num_threads(1);
    cluster(&o, COUNT, x, one);
    omp_set_num_threads(2);
    cluster(&o, COUNT, x, two);
    omp_set_num_threads(before);
    cr_assert_eq(memcmp(one, two, sizeof one), 0);
    o.seed = 4;
    cluster(&o, COUNT, x, other);
    size_t apart = 0;
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < i; k++)
            apart += (one[i] == one[k]) != (truth[i] == truth[k]) ||
                     (other[i] == other[k]) != (truth[i] == truth[k]);
    cr_assert_lt(apart, COUNT * COUNT / 200, "%zu pairs", apart);
    free(x);
}

static void assert_refused(const ev_spectral_options *o, size_t n, const float *x, const char *word)
{
    size_t assignment[6];
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_spectral_cluster(o, n, 2, x, assignment, NULL, &error), EV_BAD_INPUT, "%s",
                 word);
    cr_assert_not_null(strstr(error.message, word), "%s", error.message);
}

Test(spectral, what_can_not_be_clustered_is_refused)
{
    float x[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    assert_refused(&(ev_spectral_options){1, 2, 1, 0}, 6, x, "1 clusters");
    assert_refused(&(ev_spectral_options){2, 0, 1, 0}, 6, x, "0 neighbours");
    assert_refused(&(ev_spectral_options){2, 2, 0, 0}, 6, x, "0 restarts");
    assert_refused(&(ev_spectral_options){4, 2, 1, 0}, 6, x, "8 points");
    x[7] = INFINITY;
    assert_refused(&(ev_spectral_options){2, 2, 1, 0}, 6, x, "point 3");
}

/* More neighbours than there are others: the graph is complete, its eigenvalues are 1 and -1/(n-1). */
Test(spectral, a_complete_graph_has_the_eigenvalues_of_the_books)
{
    const float x[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    const ev_spectral_options o = {.K = 2, .neighbours = 100, .restarts = 1, .seed = 1};
    size_t assignment[6];
    cr_assert_float_eq(cluster(&o, 6, x, assignment).gap, 1.2, 1e-4);
}
