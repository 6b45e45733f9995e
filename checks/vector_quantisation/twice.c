/* The numbers that the printed lines are compared with, each once more by a way that shares
 * nothing with the first: draws beside sums, products of matrices beside differences, weights
 * written out beside recursions. */
#include "codes.h"
#include "numerics/monte_carlo.h"
#include "probability/categorical.h"
#include "probability/log_space.h"

#include <math.h>
#include <stdlib.h>

enum { K = 4 };

/* KL(s||uniform) for a softmax s: in log space, and as the mean of log(K s_k) over draws of k. */
static void assert_soft_divergence(ev_check *check)
{
    enum { DRAWS = 200000 };
    const double distance[K] = {0.4, 1.9, 0.7, 3.1};
    double log_s[K], log_p[K], sum = 0, square = 0;
    size_t *k = malloc(DRAWS * sizeof *k);
    ev_stream stream = ev_check_stream(check, "soft choices");
    if (k == NULL)
        return;
    for (size_t c = 0; c < K; c++) {
        log_s[c] = -distance[c] / 0.8;
        log_p[c] = -log(K);
    }
    ev_log_softmax(K, log_s, log_s);
    ev_categorical_sample(&stream, 0, DRAWS, K, log_s, k);
    for (size_t i = 0; i < DRAWS; i++) {
        double term = log(K) + log_s[k[i]];
        sum += term / DRAWS;
        square += term * term / DRAWS;
    }
    free(k);
    ev_sample_summary drawn = {.samples = DRAWS,
                               .mean = sum,
                               .variance = square - sum * sum,
                               .standard_error = sqrt((square - sum * sum) / DRAWS),
                               .skewness = -2,
                               .khat = -HUGE_VAL};
    ev_check_assert(check, "vq-soft-divergence-drawn",
                    "divergence of a soft choice from the uniform prior: draws and log space", sum,
                    ev_categorical_kl(K, log_s, log_p),
                    ev_sample_half_width(&drawn, ev_check_alpha(check)));
}

/* log mean exp, and the same in products of numbers scaled to the largest. */
static void assert_evidence(ev_check *check)
{
    const double log_g[K] = {-2.1, -0.9, -3.4, -1.6};
    double product = 1;
    for (size_t c = 0; c < K; c++)
        product *= exp(log_g[c] / 2);
    /* sum_c g_c over the square root of their product, so that no g stands alone */
    double sum = 0;
    for (size_t c = 0; c < K; c++)
        sum += exp(log_g[c]) / product;
    ev_check_assert(check, "vq-evidence-twice", "log p(x) in log space and by scaled products",
                    log(sum) + log(product) - log(K), ev_log_mean_exp(K, log_g), 1e-13);
}

/* ||x - A (z + held)||^2 by z: central differences, and 2 A^T (A (z + held) - x). */
static void assert_encoder_gradient(ev_check *check)
{
    const double A[2][2] = {{0.8, -0.5}, {1.4, 0.3}}, x[2] = {1.3, -0.6}, code[2] = {0.7, -0.2};
    double worst = 0;
    for (int j = 0; j < 2; j++) {
        double ends[2] = {0, 0}, product = 0;
        for (int i = 0; i < 2; i++) {
            double y = A[i][0] * code[0] + A[i][1] * code[1];
            for (int side = 0; side < 2; side++)
                ends[side] += pow(x[i] - y - A[i][j] * (side - 0.5), 2);
            product += 2 * A[i][j] * (y - x[i]);
        }
        worst = fmax(worst, fabs(ends[1] - ends[0] - product));
    }
    ev_check_assert(check, "vq-encoder-gradient-twice",
                    "the encoder's gradient: differences and a product of matrices", worst, 0,
                    1e-13);
}

/* A code after T batches: the recursion, and the weighted mean with its weights written out. */
static void assert_average(ev_check *check)
{
    enum { T = 5 };
    const double alpha = 0.83, v[T] = {1.2, 0.4, 1.9, 0.8, 2.6}, y[T] = {-0.3, 2.1, 0.6, 1.4, -1.7};
    double count = 0, sum = 0, weights = 0, mean = 0;
    for (int t = 0; t < T; t++) {
        count = alpha * count + (1 - alpha) * v[t];
        sum = alpha * sum + (1 - alpha) * v[t] * y[t];
        weights += pow(alpha, T - 1 - t) * v[t];
        mean += pow(alpha, T - 1 - t) * v[t] * y[t];
    }
    ev_check_assert(check, "vq-average-twice", "a code: the recursion and its weights written out",
                    sum / count, mean / weights, 1e-14);
}

/* Entropy by the library, and by grouping: H(p) = H(p_1, 1 - p_1) + (1 - p_1) H(rest). */
static void assert_entropy(ev_check *check)
{
    const double p[K] = {0.15, 0.45, 0.1, 0.3};
    double log_p[K], grouped = 0, left = 1;
    for (size_t c = 0; c + 1 < K; c++) {
        double share = p[c] / left;
        grouped -= left * (share * log(share) + (1 - share) * log1p(-share));
        left -= p[c];
    }
    ev_log_each(K, p, log_p);
    ev_check_assert(check, "vq-entropy-twice", "entropy: in log space and by grouping", grouped,
                    ev_categorical_entropy(K, log_p), 1e-14);
}

void vq_assert_twice(ev_check *check)
{
    assert_soft_divergence(check);
    assert_evidence(check);
    assert_encoder_gradient(check);
    assert_average(check);
    assert_entropy(check);
}
