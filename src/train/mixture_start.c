#include "train/mixture_start.h"

#include "train/mixture_fit.h"
#include "train/spectral.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const ev_start_names[] = {"em", "spectral", NULL};

/* means (N,J), in the order of the file. */
static void encode_means(ev_trainer *t, float *means)
{
    const size_t J = t->model.config.J, N = t->images->count, B = t->config.batch;
    for (size_t first = 0; first < N; first += B) {
        const size_t n = N - first < B ? N - first : B;
        t->images->in_order(t->images->context, first, n, t->x);
        ev_gmvae_encode(&t->model, t->parameters, n, t->x, t->noise, &t->w);
        memcpy(means + first * J, t->w.mu, n * J * sizeof *means);
    }
}

static void set_prior(ev_trainer *t, ev_mixture_fit *fit)
{
    for (size_t i = 0; i < fit->K * fit->J; i++)
        fit->sigma[i] = 2.0 * log(fit->sigma[i]); /* log variances from here on */
    ev_gmvae_set_prior(&t->model, fit->log_pi, fit->mu, fit->sigma, t->parameters);
}

static ev_status fit_by_em(const ev_mixture_fit_options *options, size_t N, size_t J,
                           const float *means, size_t *cluster, ev_mixture_start *start,
                           ev_mixture_fit *fit, ev_error *error)
{
    ev_status status = ev_mixture_fit_run(options, N, J, means, fit, error);
    if (status == EV_OK)
        status = ev_mixture_fit_assign(fit, N, means, cluster, NULL, error);
    *start = (ev_mixture_start){fit->log_likelihood, fit->iterations, fit->restart, fit->converged,
                                0.0};
    return status;
}

static ev_status fit_by_graph(const ev_mixture_fit_options *options, size_t neighbours, size_t N,
                              size_t J, const float *means, size_t *cluster,
                              ev_mixture_start *start, ev_mixture_fit *fit, ev_error *error)
{
    const ev_spectral_options how = {options->K, neighbours, options->restarts, options->seed};
    ev_spectral_result found = {0};
    ev_status status = ev_spectral_cluster(&how, N, J, means, cluster, &found, error);
    if (status == EV_OK)
        status = ev_mixture_fit_partition(options, N, J, means, cluster, fit, error);
    *start = (ev_mixture_start){fit->log_likelihood, 0, found.restart, true, found.gap};
    return status;
}

ev_status ev_mixture_start_fit(ev_trainer *t, ev_mixture_start *start, ev_error *error)
{
    const ev_mixture_fit_options options = {.K = t->model.config.K,
                                            .kind = EV_COVARIANCE_DIAGONAL,
                                            .restarts = t->config.restarts,
                                            .iterations = 200,
                                            .tolerance = 1e-6,
                                            .floor = 1e-6,
                                            .seed = t->config.seed};
    const size_t N = t->images->count, J = t->model.config.J;
    *start = (ev_mixture_start){0};
    if (t->model.config.prior == EV_PRIOR_STANDARD || t->config.restarts == 0)
        return EV_OK;
    float *means = calloc(N * J, sizeof *means);
    size_t *cluster = calloc(N, sizeof *cluster);
    if (means == NULL || cluster == NULL) {
        free(means);
        free(cluster);
        return ev_error_set(error, EV_NO_MEMORY, "out of memory for the means of %zu images", N);
    }
    encode_means(t, means);
    ev_mixture_fit fit = {0};
    ev_status status = t->config.start == EV_START_SPECTRAL && options.K > 1
                           ? fit_by_graph(&options, t->config.neighbours, N, J, means, cluster,
                                          start, &fit, error)
                           : fit_by_em(&options, N, J, means, cluster, start, &fit, error);
    if (status == EV_OK)
        set_prior(t, &fit);
    for (size_t i = 0; i < N && t->cluster != NULL; i++)
        t->cluster[i] = (uint32_t)cluster[i];
    free(cluster);
    ev_mixture_fit_free(&fit);
    free(means);
    return status;
}
