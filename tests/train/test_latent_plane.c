#include "train/latent_plane.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* Four clusters whose centres differ in dimensions 1 and 3 of five, dimension 0 being by far the
 * widest: principal axes would find that one, Fisher's must not. */
enum { N = 400, J = 5, K = 4 };

static double wave(size_t i, size_t j) { return sin(1.3 * (double)(i * (2 * j + 3)) + (double)j); }

static void make(double *mean, size_t *cluster)
{
    for (size_t i = 0; i < N; i++) {
        cluster[i] = i % K;
        for (size_t j = 0; j < J; j++)
            mean[i * J + j] = (j == 0 ? 50.0 : 1.0) * wave(i / K, j);
        mean[i * J + 1] += cluster[i] % 2 ? 9.0 : 0.0;
        mean[i * J + 3] += cluster[i] / 2 ? 6.0 : 0.0;
    }
}

static double mean_within_variance(const double *plane, const size_t *cluster, size_t axis)
{
    double sum[K] = {0}, square[K] = {0}, count[K] = {0}, all = 0.0;
    for (size_t i = 0; i < N; i++) {
        const double x = plane[2 * i + axis];
        sum[cluster[i]] += x;
        square[cluster[i]] += x * x;
        count[cluster[i]] += 1.0;
    }
    for (size_t c = 0; c < K; c++)
        all += square[c] - sum[c] * sum[c] / count[c];
    return all / N;
}

Test(latent_plane, keeps_clusters_apart_in_deviations_within_clusters)
{
    static double mean[N * J], plane[N * 2];
    static size_t cluster[N];
    bool discriminant = false;
    make(mean, cluster);
    cr_assert_eq(ev_latent_plane(N, J, K, mean, cluster, plane, &discriminant, NULL), EV_OK);
    cr_expect(discriminant);
    for (size_t axis = 0; axis < 2; axis++)
        cr_expect_float_eq(mean_within_variance(plane, cluster, axis), 1.0, 1e-9);
    /* The centres are a rectangle's corners, with sides of 9 and 6 over deviations near 1/sqrt 2. */
    double centre[K][2] = {{0}};
    for (size_t i = 0; i < N; i++)
        for (size_t axis = 0; axis < 2; axis++)
            centre[cluster[i]][axis] += plane[2 * i + axis] * K / N;
    cr_expect_float_eq(hypot(centre[1][0] - centre[0][0], centre[1][1] - centre[0][1]),
                       9.0 * sqrt(2.0), 0.5);
    cr_expect_float_eq(hypot(centre[2][0] - centre[0][0], centre[2][1] - centre[0][1]),
                       6.0 * sqrt(2.0), 0.5);
    cr_expect_float_eq(centre[3][0] - centre[2][0], centre[1][0] - centre[0][0], 1e-6);
}

Test(latent_plane, one_cluster_is_seen_along_its_widest_axes)
{
    static double mean[N * J], plane[N * 2];
    static size_t cluster[N];
    bool discriminant = true;
    double variance[2] = {0}, total = 0.0, centre[J] = {0};
    make(mean, cluster);
    memset(cluster, 0, sizeof cluster);
    cr_assert_eq(ev_latent_plane(N, J, 1, mean, cluster, plane, &discriminant, NULL), EV_OK);
    cr_expect_not(discriminant);
    for (size_t i = 0; i < N * J; i++)
        centre[i % J] += mean[i] / N;
    for (size_t i = 0; i < N; i++) {
        total += pow(mean[i * J] - centre[0], 2) / N;
        for (size_t axis = 0; axis < 2; axis++)
            variance[axis] += pow(plane[2 * i + axis], 2) / N;
    }
    cr_expect_geq(variance[0], total); /* no direction has more than the first axis */
    cr_expect_float_eq(variance[0], total, 1e-2 * total);
    cr_expect_gt(variance[0], variance[1]);
}

Test(latent_plane, two_dimensions_are_their_own_and_one_has_none)
{
    const double mean[] = {1, 2, 3, 6, 5, 1};
    const size_t cluster[] = {0, 1, 1};
    double plane[6];
    bool discriminant;
    cr_assert_eq(ev_latent_plane(3, 2, 2, mean, cluster, plane, &discriminant, NULL), EV_OK);
    cr_expect_float_eq(plane[0], -2.0, 1e-12);
    cr_expect_float_eq(plane[3], 3.0, 1e-12);
    cr_expect_eq(ev_latent_plane(3, 1, 2, mean, cluster, plane, &discriminant, NULL), EV_UNFIT);
}
