#include "train/mixture_fit.h"

#include "probability/gaussian_full.h"
#include "probability/log_space.h"
#include "train/clusters.h"

#include <omp.h>
#include <string.h>

static ev_mixture_fit fit_of(ev_mixture_fit_options options, size_t N, size_t J, const float *x)
{
    ev_mixture_fit fit;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_mixture_fit_run(&options, N, J, x, &fit, &error), EV_OK, "%s", error.message);
    return fit;
}

static void as_double(size_t J, const float *x, double *z)
{
    for (size_t j = 0; j < J; j++)
        z[j] = (double)x[j];
}

/* log p(x) of one point by probability/. */
static double log_density(const ev_mixture_fit *fit, const float *x)
{
    double z[16], eps[16], joint[16];
    as_double(fit->J, x, z);
    ev_mixture p = ev_mixture_fit_view(fit);
    if (fit->kind == EV_COVARIANCE_DIAGONAL)
        return ev_mixture_log_density(&p, z);
    for (size_t k = 0; k < fit->K; k++)
        joint[k] = fit->log_pi[k] + ev_gaussian_full_log_density(fit->J, z, fit->mu + k * fit->J,
                                                                 fit->L + k * fit->J * fit->J, eps);
    return ev_log_sum_exp(fit->K, joint);
}

Test(mixture_fit, its_likelihood_is_that_of_its_parameters)
{
    enum { N = 3001, J = 5 };
    float *x = clusters_noise(N, J, 1);
    for (int kind = 0; kind < 2; kind++) {
        ev_mixture_fit fit = fit_of(
            (ev_mixture_fit_options){
                .K = 4, .kind = (ev_covariance_kind)kind, .iterations = 13, .seed = 2},
            N, J, x);
        double sum = 0, again;
        for (size_t i = 0; i < N; i++)
            sum += log_density(&fit, x + i * J);
        cr_expect_float_eq(fit.log_likelihood, sum / N, 1e-12, "%.17g, not %.17g",
                           fit.log_likelihood, sum / N);
        cr_expect_eq(ev_mixture_fit_assign(&fit, N, x, NULL, &again, NULL), EV_OK);
        cr_expect_eq(again, fit.log_likelihood);
        cr_expect_eq(fit.trace[fit.iterations], fit.log_likelihood);
        cr_expect_eq(fit.iterations, 13);
        ev_mixture_fit_free(&fit);
    }
    free(x);
}

/* Noise, clusters, and points that repeat, where variances reach the floor. */
Test(mixture_fit, the_likelihood_never_falls)
{
    enum { N = 900, J = 2 };
    float *sets[3] = {clusters_noise(N, J, 7), clusters_draw(N, 8, NULL), clusters_noise(N, J, 9)};
    for (size_t i = 0; i < N; i++)
        if (i % 3 > 0)
            memcpy(sets[2] + i * J, (float[]){1, (float)(i % 7)}, J * sizeof(float));
    for (size_t set = 0; set < 3; set++)
        for (int kind = 0; kind < 2; kind++)
            for (uint64_t seed = 0; seed < 10; seed++) {
                ev_mixture_fit fit = fit_of(
                    (ev_mixture_fit_options){.K = 6,
                                             .kind = (ev_covariance_kind)kind,
                                             .iterations = 100,
                                             .floor = 1e-3,
                                             .seed = seed},
                    N, J, sets[set]);
                for (size_t t = 0; t < fit.iterations; t++)
                    cr_assert_geq(fit.trace[t + 1], fit.trace[t] - 1e-11,
                                  "set %zu, kind %d, seed %zu, step %zu: %.15g then %.15g", set,
                                  kind, (size_t)seed, t, fit.trace[t], fit.trace[t + 1]);
                ev_mixture_fit_free(&fit);
            }
    for (size_t set = 0; set < 3; set++)
        free(sets[set]);
}

/* gamma (N,K) by probability/, of a diagonal fit. */
static void responsibilities(const ev_mixture_fit *fit, size_t N, const float *x, double *gamma)
{
    ev_mixture p = ev_mixture_fit_view(fit);
    for (size_t i = 0; i < N; i++) {
        double z[16];
        as_double(fit->J, x + i * fit->J, z);
        ev_mixture_responsibilities(&p, z, gamma + i * fit->K);
        for (size_t k = 0; k < fit->K; k++)
            gamma[i * fit->K + k] = exp(gamma[i * fit->K + k]);
    }
}

/* The step from one iteration to the next, once more from its definition: weighted means, and
 * variances about the new means. */
Test(mixture_fit, a_step_of_em_is_the_weighted_means_and_variances)
{
    enum { N = 700, J = 3, K = 4 };
    float *x = clusters_noise(N, J, 12);
    static double gamma[N * K];
    ev_mixture_fit_options options = {.K = K, .iterations = 1, .seed = 3};
    ev_mixture_fit before = fit_of(options, N, J, x);
    options.iterations = 2;
    ev_mixture_fit after = fit_of(options, N, J, x);
    responsibilities(&before, N, x, gamma);
    for (size_t k = 0; k < K; k++)
        for (size_t j = 0; j < J; j++) {
            double weight = 0, mean = 0, var = 0;
            for (size_t i = 0; i < N; i++) {
                weight += gamma[i * K + k];
                mean += gamma[i * K + k] * (double)x[i * J + j];
            }
            mean /= weight;
            for (size_t i = 0; i < N; i++)
                var += gamma[i * K + k] * pow((double)x[i * J + j] - mean, 2) / weight;
            cr_expect_float_eq(exp(after.log_pi[k]), weight / N, 1e-13);
            cr_expect_float_eq(after.mu[k * J + j], mean, 1e-12);
            cr_expect_float_eq(after.sigma[k * J + j], sqrt(var), 1e-12);
            cr_expect_gt(fabs(mean - before.mu[k * J + j]), 1e-4); /* it did move */
        }
    ev_mixture_fit_free(&before);
    ev_mixture_fit_free(&after);
    free(x);
}

/* The maximum has a closed form: sample mean and covariance. */
Test(mixture_fit, one_component_is_the_sample_mean_and_covariance)
{
    enum { N = 1000, J = 3 };
    float *x = clusters_noise(N, J, 4);
    for (size_t i = 0; i < N; i++)
        x[i * J + 2] += 100 + 0.5f * x[i * J];
    double mean[J] = {0}, C[J][J] = {{0}};
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < J; j++)
            mean[j] += (double)x[i * J + j] / N;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < J; j++)
            for (size_t m = 0; m < J; m++)
                C[j][m] += ((double)x[i * J + j] - mean[j]) * ((double)x[i * J + m] - mean[m]) / N;
    for (int kind = 0; kind < 2; kind++) {
        ev_mixture_fit fit = fit_of(
            (ev_mixture_fit_options){.K = 1, .kind = (ev_covariance_kind)kind, .iterations = 3}, N,
            J, x);
        for (size_t j = 0; j < J; j++) {
            cr_expect_float_eq(fit.mu[j], mean[j], 1e-11);
            cr_expect_float_eq(fit.sigma[j], sqrt(C[j][j]), 1e-11);
            for (size_t m = 0; kind == EV_COVARIANCE_FULL && m < J; m++) {
                double product = 0;
                for (size_t l = 0; l < J; l++)
                    product += fit.L[j * J + l] * fit.L[m * J + l];
                cr_expect_float_eq(product, C[j][m], 1e-11);
            }
        }
        cr_expect_float_eq(fit.log_pi[0], 0, 1e-13);
        ev_mixture_fit_free(&fit);
    }
    free(x);
}

/* Six standard errors of the planted means and deviations, with the exact weights known. */
Test(mixture_fit, a_planted_mixture_is_recovered)
{
    enum { N = 30000 };
    float *x = clusters_draw(N, 5, NULL);
    for (int kind = 0; kind < 2; kind++) {
        ev_mixture_fit fit = fit_of((ev_mixture_fit_options){.K = 3,
                                                             .kind = (ev_covariance_kind)kind,
                                                             .restarts = 3,
                                                             .iterations = 200,
                                                             .tolerance = 1e-9},
                                    N, 2, x);
        cr_expect(fit.converged);
        for (size_t c = 0; c < 3; c++) {
            size_t near = 0;
            for (size_t k = 1; k < 3; k++)
                if (fabs(fit.mu[2 * k] - clusters_mu[2 * c]) <
                    fabs(fit.mu[2 * near] - clusters_mu[2 * c]))
                    near = k;
            double n = N * clusters_pi[c];
            cr_expect_float_eq(exp(fit.log_pi[near]), clusters_pi[c],
                               6 * sqrt(clusters_pi[c] * (1 - clusters_pi[c]) / N));
            for (size_t j = 0; j < 2; j++) {
                double sigma = clusters_sigma[2 * c + j];
                cr_expect_float_eq(fit.mu[2 * near + j], clusters_mu[2 * c + j],
                                   6 * sigma / sqrt(n));
                cr_expect_float_eq(fit.sigma[2 * near + j], sigma, 6 * sigma / sqrt(2 * n));
            }
        }
        ev_mixture_fit_free(&fit);
    }
    free(x);
}

/* Two crossed, elongated clouds with one centre: only a full covariance tells them apart. */
Test(mixture_fit, full_covariances_see_directions)
{
    enum { N = 4000 };
    float *x = clusters_noise(N, 2, 6);
    for (size_t i = 0; i < N; i++) {
        float along = 3 * x[2 * i], across = 0.2f * x[2 * i + 1], sign = i % 2 ? 1.0f : -1.0f;
        x[2 * i] = along - sign * across;
        x[2 * i + 1] = sign * along + across;
    }
    ev_mixture_fit_options options = {.K = 2, .restarts = 10, .iterations = 300, .tolerance = 1e-9};
    ev_mixture_fit diagonal = fit_of(options, N, 2, x);
    options.kind = EV_COVARIANCE_FULL;
    ev_mixture_fit full = fit_of(options, N, 2, x);
    cr_expect_gt(full.log_likelihood, diagonal.log_likelihood + 0.5);
    ev_mixture_fit_free(&diagonal);
    ev_mixture_fit_free(&full);
    free(x);
}

Test(mixture_fit, points_go_to_the_component_with_the_largest_responsibility)
{
    enum { N = 500, J = 4, K = 5 };
    float *x = clusters_noise(N, J, 3);
    static size_t cluster[N];
    ev_mixture_fit fit = fit_of((ev_mixture_fit_options){.K = K, .iterations = 20, .seed = 1}, N, J,
                                x);
    cr_assert_eq(ev_mixture_fit_assign(&fit, N, x, cluster, NULL, NULL), EV_OK);
    ev_mixture p = ev_mixture_fit_view(&fit);
    for (size_t i = 0; i < N; i++) {
        double z[J], log_gamma[K];
        as_double(J, x + i * J, z);
        ev_mixture_responsibilities(&p, z, log_gamma);
        for (size_t k = 0; k < K; k++)
            cr_assert_leq(log_gamma[k], log_gamma[cluster[i]] + 1e-12);
    }
    ev_mixture_fit_free(&fit);
    free(x);
}

Test(mixture_fit, restarts_can_only_help_and_threads_make_no_difference)
{
    enum { N = 5000, J = 3, K = 8 };
    float *x = clusters_noise(N, J, 3);
    for (int kind = 0; kind < 2; kind++) {
        ev_mixture_fit_options options = {
            .K = K, .kind = (ev_covariance_kind)kind, .restarts = 1, .iterations = 20, .seed = 11};
        omp_set_num_threads(1);
        ev_mixture_fit one = fit_of(options, N, J, x);
        omp_set_num_threads(3);
        ev_mixture_fit same = fit_of(options, N, J, x);
        cr_expect_eq(memcmp(one.mu, same.mu, K * J * sizeof *one.mu), 0);
        cr_expect_eq(one.log_likelihood, same.log_likelihood);
        options.restarts = 6;
        ev_mixture_fit more = fit_of(options, N, J, x);
        cr_expect_geq(more.log_likelihood, one.log_likelihood);
        ev_mixture_fit_free(&one);
        ev_mixture_fit_free(&same);
        ev_mixture_fit_free(&more);
    }
    free(x);
}

/* By another way: sums of x and of x^2. */
Test(mixture_fit, known_components_have_the_moments_of_their_points)
{
    enum { COUNT = 400 };
    size_t cluster[COUNT];
    float *x = clusters_draw(COUNT, 21, cluster);
    const ev_mixture_fit_options options = {.K = 3};
    ev_mixture_fit fit;
    cr_assert_eq(ev_mixture_fit_partition(&options, COUNT, 2, x, cluster, &fit, NULL), EV_OK);
    for (size_t k = 0; k < 3; k++)
        for (size_t j = 0; j < 2; j++) {
            double n = 0, sum = 0, squares = 0;
            for (size_t i = 0; i < COUNT; i++) {
                const double value = cluster[i] == k ? (double)x[2 * i + j] : 0;
                n += cluster[i] == k;
                sum += value;
                squares += value * value;
            }
            cr_assert_float_eq(fit.log_pi[k], log(n / COUNT), 1e-12);
            cr_assert_float_eq(fit.mu[2 * k + j], sum / n, 1e-12);
            cr_assert_float_eq(fit.sigma[2 * k + j], sqrt(squares / n - sum / n * sum / n), 1e-9);
        }
    double likelihood;
    cr_assert_eq(ev_mixture_fit_assign(&fit, COUNT, x, NULL, &likelihood, NULL), EV_OK);
    cr_assert_eq(fit.log_likelihood, likelihood);
    ev_mixture_fit_free(&fit);
    free(x);
}

Test(mixture_fit, components_without_points_and_points_without_component_are_refused)
{
    const float x[6] = {1, 2, 3, 4, 5, 6};
    size_t cluster[6] = {0, 0, 0, 2, 2, 2};
    const ev_mixture_fit_options options = {.K = 3};
    ev_mixture_fit fit;
    ev_error empty = EV_ERROR_NONE, beyond = EV_ERROR_NONE;
    cr_assert_eq(ev_mixture_fit_partition(&options, 6, 1, x, cluster, &fit, &empty), EV_BAD_INPUT);
    cr_assert_not_null(strstr(empty.message, "no point is of component 1"), "%s", empty.message);
    cluster[4] = 3;
    cr_assert_eq(ev_mixture_fit_partition(&options, 6, 1, x, cluster, &fit, &beyond), EV_BAD_INPUT);
    cr_assert_not_null(strstr(beyond.message, "point 4 is of component 3"), "%s", beyond.message);
}

Test(mixture_fit, no_variance_falls_below_the_floor)
{
    enum { N = 300 };
    float *x = clusters_noise(N, 2, 5);
    for (size_t i = 0; i < 100; i++)
        memcpy(x + 2 * i, (float[]){5, 5}, 2 * sizeof *x);
    for (int kind = 0; kind < 2; kind++) {
        ev_mixture_fit_options options = {
            .K = 4, .kind = (ev_covariance_kind)kind, .iterations = 100, .floor = 1e-4};
        ev_mixture_fit fit = fit_of(options, N, 2, x);
        double least = HUGE_VAL;
        for (size_t k = 0; k < 8; k++)
            least = fmin(least, fit.sigma[k] * fit.sigma[k]);
        cr_expect_gt(least, 1e-4);
        cr_expect_lt(least, 1e-3);
        ev_mixture_fit_free(&fit);
    }
    free(x);
}

Test(mixture_fit, what_can_not_be_fitted_is_refused)
{
    float x[4] = {1, 2, 3, NAN}, same[4] = {2, 2, 2, 2};
    ev_mixture_fit fit;
    ev_mixture_fit_options options = {.K = 2, .iterations = 5};
    ev_error error = EV_ERROR_NONE;
    cr_expect_eq(ev_mixture_fit_run(&options, 4, 1, x, &fit, &error), EV_BAD_INPUT);
    cr_expect_str_eq(error.message, "coordinate 0 of point 3 is not finite (from 0)");
    cr_expect_null(fit.memory);
    cr_expect_eq(ev_mixture_fit_run(&options, 4, 1, same, &fit, NULL), EV_UNFIT);
    cr_expect_eq(ev_mixture_fit_run(&options, 1, 1, x, &fit, NULL), EV_BAD_INPUT);
    cr_expect_eq(ev_mixture_fit_run(&options, 0, 1, x, &fit, NULL), EV_BAD_INPUT);
    options.iterations = 0;
    cr_expect_eq(ev_mixture_fit_run(&options, 3, 1, x, &fit, NULL), EV_BAD_INPUT);
}
