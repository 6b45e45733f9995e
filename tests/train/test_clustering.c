#include "train/clustering.h"

#include "numerics/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- The assignment, against all injections of the smaller side into the larger ---- */

static double best_from(size_t rows, size_t columns, const double *value, size_t row, unsigned used,
                        size_t skips)
{
    double best = -HUGE_VAL;
    if (row == rows)
        return 0;
    if (skips > 0)
        best = best_from(rows, columns, value, row + 1, used, skips - 1);
    for (size_t j = 0; j < columns; j++)
        if (!(used >> j & 1))
            best = fmax(best, value[row * columns + j] +
                                  best_from(rows, columns, value, row + 1, used | 1u << j, skips));
    return best;
}

Test(assignment, is_the_best_of_all_permutations)
{
    ev_stream stream = ev_stream_make(1, 0, 0, 0);
    uint64_t at = 0;
    for (size_t rows = 1; rows <= 6; rows++)
        for (size_t columns = 1; columns <= 6; columns++)
            for (int trial = 0; trial < 40; trial++) {
                double value[36], sum, by_match = 0;
                size_t match[6], matched = 0;
                unsigned seen = 0;
                ev_stream_uniforms(&stream, at, 36, value);
                at += 36;
                for (size_t i = 0; i < 36; i++) /* small whole numbers, of both signs: ties */
                    value[i] = floor(value[i] * (trial % 2 ? 5 : 1000)) - (trial % 3 ? 0 : 3);
                cr_assert_eq(ev_assignment(rows, columns, value, match, &sum), EV_OK);
                for (size_t i = 0; i < rows; i++)
                    if (match[i] != SIZE_MAX) {
                        cr_assert(match[i] < columns && !(seen >> match[i] & 1));
                        seen |= 1u << match[i];
                        matched++;
                        by_match += value[i * columns + match[i]];
                    }
                size_t skips = rows > columns ? rows - columns : 0;
                cr_assert_eq(matched, rows - skips);
                cr_assert_eq(sum, by_match);
                cr_assert_eq(sum, best_from(rows, columns, value, 0, 0, skips));
            }
}

/* value_ij = a_i b_j: the rearrangement inequality pairs them in order. */
Test(assignment, pairs_products_in_order)
{
    enum { N = 200 };
    static double value[N * N];
    size_t match[N];
    double sum;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            value[i * N + j] = (double)((i * 77) % N) * (double)((j * 33) % N);
    cr_assert_eq(ev_assignment(N, N, value, match, &sum), EV_OK);
    for (size_t i = 0; i < N; i++)
        cr_assert_eq(match[i] * 33 % N, i * 77 % N);
}

/* ---- The scores ---- */

static ev_clustering score_of(size_t N, size_t K, const size_t *cluster, size_t C,
                              const uint8_t *label)
{
    ev_clustering score;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_clustering_score(N, K, cluster, C, label, &score, NULL, NULL, &error), EV_OK,
                 "%s", error.message);
    return score;
}

/* C. D. Manning, P. Raghavan & H. Schuetze, Introduction to Information Retrieval (2008), figure
 * 16.4: 17 points in 3 clusters, purity 0.71, NMI 0.36. */
Test(clustering, the_textbook_example_comes_out_as_printed)
{
    static const size_t cluster[17] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2};
    static const uint8_t label[17] = {0, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 2, 0, 0, 2, 2, 2};
    ev_clustering score = score_of(17, 3, cluster, 3, label);
    cr_expect_float_eq(score.purity, 12.0 / 17, 1e-15);
    cr_expect_float_eq(score.accuracy, 12.0 / 17, 1e-15);
    cr_expect_float_eq(score.nmi, 0.36, 0.005);
    /* Its pairs: TP 20, FP 20, FN 24, TN 72; ARI = 2 (TP TN - FN FP)/((TP+FN)(FN+TN)+(TP+FP)(FP+TN)) */
    cr_expect_float_eq(score.ari, 2.0 * (20 * 72 - 24 * 20) / (44.0 * 96 + 40.0 * 92), 1e-15);
}

Test(clustering, names_of_clusters_make_no_difference_and_perfection_is_one)
{
    enum { N = 60 };
    size_t cluster[N], renamed[N];
    uint8_t label[N];
    for (size_t i = 0; i < N; i++) {
        label[i] = (uint8_t)(i * i % 7 % 4);
        cluster[i] = (size_t)(label[i] + 3) % 4 * 2;
        renamed[i] = cluster[i] == 0 ? 6 : cluster[i] == 6 ? 0 : cluster[i];
    }
    ev_clustering perfect = score_of(N, 8, cluster, 4, label);
    cr_expect_eq(perfect.accuracy, 1);
    cr_expect_eq(perfect.purity, 1);
    cr_expect_float_eq(perfect.nmi, 1, 1e-14);
    cr_expect_float_eq(perfect.ari, 1, 1e-14);
    cr_expect_eq(perfect.occupied, 3); /* squares mod 7 are 0, 1, 2, 4; mod 4 that leaves 0, 1, 2 */
    for (size_t i = 0; i < N; i += 5)
        cluster[i] = renamed[i] = 4;
    ev_clustering a = score_of(N, 8, cluster, 4, label), b = score_of(N, 8, renamed, 4, label);
    cr_expect_eq(a.accuracy, b.accuracy);
    cr_expect_float_eq(a.nmi, b.nmi, 1e-14);
    cr_expect_float_eq(a.ari, b.ari, 1e-14);
    cr_expect_lt(a.accuracy, 1);
}

Test(clustering, all_in_one_cluster_scores_the_largest_class)
{
    size_t cluster[10] = {0}, occupancy[4], match[4];
    static const uint8_t label[10] = {0, 0, 0, 1, 1, 1, 1, 2, 2, 2};
    ev_clustering score;
    cr_assert_eq(ev_clustering_score(10, 4, cluster, 3, label, &score, occupancy, match, NULL),
                 EV_OK);
    cr_expect_eq(score.accuracy, 0.4);
    cr_expect_eq(score.purity, 0.4);
    cr_expect_eq(score.nmi, 0);
    cr_expect_float_eq(score.ari, 0, 1e-15);
    cr_expect_eq(score.occupied, 1);
    cr_expect_eq(score.largest, 1);
    cr_expect_eq(occupancy[0], 10);
    cr_expect_eq(occupancy[3], 0);
    cr_expect_eq(match[0], 1);
}

Test(clustering, a_cluster_for_each_point_is_pure_and_not_accurate)
{
    size_t cluster[6] = {0, 1, 2, 3, 4, 5};
    static const uint8_t label[6] = {0, 0, 0, 1, 1, 1};
    ev_clustering score = score_of(6, 6, cluster, 2, label);
    cr_expect_eq(score.purity, 1);
    cr_expect_float_eq(score.accuracy, 2.0 / 6, 1e-15);
    cr_expect_float_eq(score.ari, 0, 1e-15);
    /* I = H(c) = log 2, H(k) = log 6 */
    cr_expect_float_eq(score.nmi, 2 * log(2) / (log(6) + log(2)), 1e-14);
}

/* ARI from all pairs, accuracy from all injections, and what lies between. */
Test(clustering, random_partitions_agree_with_counting_pairs)
{
    enum { N = 40, K = 5, C = 4 };
    ev_stream stream = ev_stream_make(2, 0, 0, 0);
    double mean = 0;
    for (uint64_t trial = 0; trial < 200; trial++) {
        double u[2 * N], value[K * C] = {0};
        size_t cluster[N];
        uint8_t label[N];
        ev_stream_uniforms(&stream, trial * 2 * N, 2 * N, u);
        for (size_t i = 0; i < N; i++) {
            cluster[i] = (size_t)(u[i] * K);
            label[i] = (uint8_t)(u[N + i] * C);
            value[cluster[i] * C + label[i]]++;
        }
        double a = 0, b = 0, c = 0, d = 0;
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < i; j++) {
                bool same_k = cluster[i] == cluster[j], same_c = label[i] == label[j];
                a += same_k && same_c;
                b += same_k && !same_c;
                c += !same_k && same_c;
                d += !same_k && !same_c;
            }
        ev_clustering score = score_of(N, K, cluster, C, label);
        double ari = 2 * (a * d - b * c) / ((a + b) * (b + d) + (a + c) * (c + d));
        cr_assert_float_eq(score.ari, ari, 1e-13);
        cr_assert_float_eq(score.accuracy, best_from(K, C, value, 0, 0, K - C) / N, 1e-14);
        cr_assert_geq(score.purity, score.accuracy);
        cr_assert(score.nmi >= 0 && score.nmi <= 1);
        mean += score.ari / 200;
    }
    /* 0 in the mean: one trial's deviation is below 0.06, so this is above ten of the mean's. */
    cr_expect_lt(fabs(mean), 0.05);
}

Test(clustering, what_is_out_of_bounds_is_refused)
{
    size_t cluster[2] = {0, 3};
    static const uint8_t label[2] = {0, 1};
    ev_clustering score;
    ev_error error = EV_ERROR_NONE;
    cr_expect_eq(ev_clustering_score(2, 3, cluster, 2, label, &score, NULL, NULL, &error),
                 EV_BAD_INPUT);
    cr_expect_str_eq(error.message, "point 1 has a cluster or label beyond the 3 and 2 there are");
    cr_expect_eq(ev_clustering_score(2, 4, cluster, 1, label, &score, NULL, NULL, NULL),
                 EV_BAD_INPUT);
    cr_expect_eq(ev_clustering_score(0, 4, cluster, 1, label, &score, NULL, NULL, NULL),
                 EV_BAD_INPUT);
    size_t occupancy[4];
    cr_expect_eq(ev_clustering_occupancy(2, 4, cluster, &score, occupancy, NULL), EV_OK);
    cr_expect_eq(occupancy[3], 1);
    cr_expect_eq(score.largest, 0.5);
}
