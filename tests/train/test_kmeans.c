#include "train/kmeans.h"

#include "train/clusters.h"

#include <float.h>
#include <omp.h>
#include <string.h>

static double square(size_t J, const float *a, const float *b)
{
    double sum = 0;
    for (size_t j = 0; j < J; j++)
        sum += ((double)a[j] - (double)b[j]) * ((double)a[j] - (double)b[j]);
    return sum;
}

static ev_kmeans_result cluster(ev_kmeans_options options, size_t N, size_t J, const float *x,
                                float *centres, size_t *assignment)
{
    ev_kmeans_result how;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_kmeans(&options, N, J, x, centres, assignment, &how, &error), EV_OK, "%s",
                 error.message);
    return how;
}

Test(kmeans, one_cluster_is_the_mean_and_as_many_as_points_leave_nothing)
{
    enum { N = 100, J = 3 };
    float *x = clusters_noise(N, J, 1), centres[N * J];
    ev_kmeans_result how = cluster((ev_kmeans_options){.K = 1, .iterations = 9}, N, J, x, centres,
                                   NULL);
    double sum = 0;
    for (size_t j = 0; j < J; j++) {
        double mean = 0;
        for (size_t i = 0; i < N; i++)
            mean += (double)x[i * J + j] / N;
        cr_expect_float_eq(centres[j], (float)mean, 1e-6f);
    }
    for (size_t i = 0; i < N; i++)
        sum += square(J, x + i * J, centres);
    cr_expect_float_eq(how.inertia, sum, 1e-5 * sum);
    how = cluster((ev_kmeans_options){.K = N, .iterations = 9}, N, J, x, centres, NULL);
    cr_expect_eq(how.inertia, 0);
    cr_expect(how.converged);
    free(x);
}

/* Every split of 10 points into two, tried one by one. */
Test(kmeans, restarts_find_the_best_split_of_few_points)
{
    enum { N = 10, J = 2 };
    for (uint64_t seed = 0; seed < 20; seed++) {
        float *x = clusters_noise(N, J, seed), centres[2 * J];
        double best = HUGE_VAL;
        for (unsigned split = 1; split < (1u << (N - 1)); split++) {
            double total = 0;
            for (unsigned side = 0; side < 2; side++) {
                float mean[J] = {0};
                size_t n = 0;
                for (size_t i = 0; i < N; i++)
                    if ((split >> i & 1) == side) {
                        n++;
                        for (size_t j = 0; j < J; j++)
                            mean[j] += x[i * J + j];
                    }
                for (size_t j = 0; j < J; j++)
                    mean[j] /= (float)n;
                for (size_t i = 0; i < N; i++)
                    if ((split >> i & 1) == side)
                        total += square(J, x + i * J, mean);
            }
            best = fmin(best, total);
        }
        ev_kmeans_options options = {.K = 2, .restarts = 100, .iterations = 50, .seed = seed};
        ev_kmeans_result how = cluster(options, N, J, x, centres, NULL);
        cr_expect_float_eq(how.inertia, best, 1e-5 * best, "seed %zu: %g, best %g", (size_t)seed,
                           how.inertia, best);
        free(x);
    }
}

Test(kmeans, more_iterations_never_make_it_worse_and_points_go_to_the_nearest_centre)
{
    enum { N = 5000, J = 7, K = 70 };
    float *x = clusters_noise(N, J, 3), centres[K * J];
    static size_t assignment[N];
    double before = HUGE_VAL;
    for (size_t iterations = 0; iterations < 30; iterations++) {
        ev_kmeans_options options = {.K = K, .iterations = iterations, .seed = 5};
        ev_kmeans_result how = cluster(options, N, J, x, centres, assignment);
        double sum = 0;
        for (size_t i = 0; i < N; i++) {
            double mine = square(J, x + i * J, centres + assignment[i] * J);
            sum += mine;
            for (size_t k = 0; k < K; k++)
                cr_assert_leq(mine, square(J, x + i * J, centres + k * J) * (1 + 1e-5));
        }
        cr_expect_float_eq(how.inertia, sum, 1e-5 * sum);
        cr_expect_leq(how.inertia, before * (1 + 1e-7));
        before = how.inertia;
    }
    free(x);
}

Test(kmeans, planted_clusters_are_found)
{
    enum { N = 3000 };
    static size_t planted[N], found[N];
    float *x = clusters_draw(N, 2, planted), centres[6];
    ev_kmeans_options options = {.K = 3, .restarts = 5, .iterations = 50, .seed = 1};
    cluster(options, N, 2, x, centres, found);
    size_t pairs[3][3] = {{0}}, agree = 0;
    for (size_t i = 0; i < N; i++)
        pairs[planted[i]][found[i]]++;
    for (size_t c = 0; c < 3; c++)
        agree += pairs[c][0] > pairs[c][1] ? (pairs[c][0] > pairs[c][2] ? pairs[c][0] : pairs[c][2])
                 : pairs[c][1] > pairs[c][2] ? pairs[c][1]
                                             : pairs[c][2];
    cr_expect_gt(agree, N * 99 / 100);
    free(x);
}

Test(kmeans, points_that_repeat_leave_no_centre_undefined)
{
    float x[40], centres[8 * 1];
    size_t assignment[40];
    for (size_t i = 0; i < 40; i++)
        x[i] = (float)(i % 3);
    ev_kmeans_options options = {.K = 8, .restarts = 3, .iterations = 20, .seed = 1};
    ev_kmeans_result how = cluster(options, 40, 1, x, centres, assignment);
    cr_expect_eq(how.inertia, 0);
    for (size_t k = 0; k < 8; k++)
        cr_expect(isfinite(centres[k]));
}

Test(kmeans, seeds_make_a_difference_and_threads_do_not)
{
    enum { N = 20000, J = 4, K = 13 };
    float *x = clusters_noise(N, J, 3), a[K * J], b[K * J];
    ev_kmeans_options options = {.K = K, .restarts = 2, .iterations = 10, .seed = 5};
    omp_set_num_threads(1);
    cluster(options, N, J, x, a, NULL);
    omp_set_num_threads(3);
    cluster(options, N, J, x, b, NULL);
    cr_expect_eq(memcmp(a, b, sizeof a), 0);
    options.seed = 6;
    cluster(options, N, J, x, b, NULL);
    cr_expect_neq(memcmp(a, b, sizeof a), 0);
    free(x);
}

Test(kmeans, what_can_not_be_clustered_is_refused)
{
    float x[4] = {1, 2, 3, NAN}, centres[8];
    ev_error error = EV_ERROR_NONE;
    ev_kmeans_options options = {.K = 2};
    cr_expect_eq(ev_kmeans(&options, 2, 2, x, centres, NULL, NULL, &error), EV_BAD_INPUT);
    cr_expect_str_eq(error.message, "coordinate 1 of point 1 is not finite (from 0)");
    error = EV_ERROR_NONE;
    options.K = 3;
    cr_expect_eq(ev_kmeans(&options, 2, 1, x, centres, NULL, NULL, &error), EV_BAD_INPUT);
    cr_expect_str_eq(error.message, "3 clusters for 2 points: from 1 to as many");
    options.K = 0;
    cr_expect_eq(ev_kmeans(&options, 2, 1, x, centres, NULL, NULL, NULL), EV_BAD_INPUT);
}
