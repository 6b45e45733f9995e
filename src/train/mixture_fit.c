#include "train/mixture_fit.h"

#include "base/arena.h"
#include "numerics/random.h"
#include "train/kmeans.h"
#include "train/mixture_em.h"
#include "train/points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const ev_covariance_names[] = {"diagonal", "full", NULL};

enum { ITERATIONS = 1000000, KMEANS_ITERATIONS = 20 };
#define LEAST_FLOOR 1e-12

static ev_status no_memory(ev_error *error)
{
    return ev_error_set(error, EV_NO_MEMORY, "no memory to fit a mixture");
}

/* ---- Memory ---- */

static ev_status create(ev_mixture_fit *fit, const ev_mixture_fit_options *o, size_t J,
                        ev_error *error)
{
    size_t K = o->K, squares = o->kind == EV_COVARIANCE_FULL ? J : 0;
    *fit = (ev_mixture_fit){.K = K, .J = J, .kind = o->kind};
    if (J > 1 << 16 || K > SIZE_MAX / sizeof(double) / (J + 2) / (J + 2) / 4)
        return no_memory(error);
    size_t size = K * (1 + 2 * J + squares * J) + o->iterations + 1;
    fit->memory = calloc(size, sizeof(double));
    if (fit->memory == NULL)
        return no_memory(error);
    fit->log_pi = fit->memory;
    fit->mu = fit->log_pi + K;
    fit->sigma = fit->mu + K * J;
    fit->L = squares > 0 ? fit->sigma + K * J : NULL;
    fit->trace = fit->sigma + K * J + K * squares * J;
    return EV_OK;
}

void ev_mixture_fit_free(ev_mixture_fit *fit)
{
    free(fit->memory);
    *fit = (ev_mixture_fit){0};
}

/* ---- A start ---- */

typedef struct {
    const ev_mixture_fit_options *options;
    size_t N, J;
    const float *x;
    double floor;       /* absolute */
    float *centres;     /* (K,J) */
    size_t *assignment; /* (N) */
} problem;

/* Each restart has a seed of its own. */
static uint64_t seed_of(const ev_mixture_fit_options *options, size_t restart)
{
    ev_stream s = ev_stream_make(options->seed, ev_hash_text("mixture fit"), 0, (uint32_t)restart);
    return s.key[0] | (uint64_t)s.key[1] << 32;
}

/* The variance of coordinate j about the centres, of all clusters together: a cluster of one point
 * would otherwise start as a spike on it. */
static double pooled_variance(const problem *p, size_t j)
{
    double sum = 0;
    for (size_t i = 0; i < p->N; i++) {
        double d = (double)p->x[i * p->J + j] - (double)p->centres[p->assignment[i] * p->J + j];
        sum += d * d;
    }
    double var = sum / (double)p->N;
    return var > p->floor ? var : p->floor;
}

static void set_start(const problem *p, ev_mixture_fit *fit)
{
    const size_t J = p->J;
    memset(fit->log_pi, 0, fit->K * sizeof *fit->log_pi);
    for (size_t i = 0; i < p->N; i++)
        fit->log_pi[p->assignment[i]] += 1;
    for (size_t k = 0; k < fit->K; k++)
        fit->log_pi[k] = log(fit->log_pi[k] / (double)p->N);
    if (fit->L != NULL)
        memset(fit->L, 0, fit->K * J * J * sizeof *fit->L);
    for (size_t j = 0; j < J; j++) {
        double sigma = sqrt(pooled_variance(p, j));
        for (size_t k = 0; k < fit->K; k++) {
            fit->mu[k * J + j] = (double)p->centres[k * J + j];
            fit->sigma[k * J + j] = sigma;
            if (fit->L != NULL)
                fit->L[(k * J + j) * J + j] = sigma;
        }
    }
}

static ev_status start(const problem *p, size_t restart, ev_mixture_fit *fit, ev_error *error)
{
    const ev_kmeans_options options = {.K = fit->K,
                                       .restarts = 1,
                                       .iterations = KMEANS_ITERATIONS,
                                       .tolerance = 1e-3,
                                       .seed = seed_of(p->options, restart)};
    ev_status status = ev_kmeans(&options, p->N, p->J, p->x, p->centres, p->assignment, NULL,
                                 error);
    if (status == EV_OK)
        set_start(p, fit);
    fit->restart = restart;
    return status;
}

/* ---- The iterations ---- */

static void iterate(const ev_mixture_fit_options *options, ev_em *em, ev_mixture_fit *fit)
{
    fit->converged = false;
    fit->trace[0] = ev_em_expect(em, fit, true, NULL);
    for (fit->iterations = 0; fit->iterations < options->iterations && !fit->converged;) {
        double before = fit->trace[fit->iterations++];
        ev_em_maximise(em, fit);
        fit->trace[fit->iterations] = ev_em_expect(em, fit, true, NULL);
        double rise = fit->trace[fit->iterations] - before;
        fit->converged = options->tolerance > 0 && rise < options->tolerance;
    }
    fit->log_likelihood = fit->trace[fit->iterations];
}

/* fit is the likeliest so far, trial the next. */
static ev_status run(const problem *p, ev_em *em, ev_mixture_fit *fit, ev_mixture_fit *trial,
                     ev_error *error)
{
    ev_status status = EV_OK;
    for (size_t r = 0; status == EV_OK && (r == 0 || r < p->options->restarts); r++) {
        status = start(p, r, trial, error);
        if (status != EV_OK)
            break;
        iterate(p->options, em, trial);
        if (r == 0 || trial->log_likelihood > fit->log_likelihood) {
            ev_mixture_fit worse = *fit;
            *fit = *trial;
            *trial = worse;
        }
    }
    return status;
}

static ev_status check(const ev_mixture_fit_options *o, size_t N, size_t J, const float *x,
                       double *variance, ev_error *error)
{
    ev_status status = ev_points_check(N, J, o->K, x, error);
    if (status != EV_OK)
        return status;
    if (o->iterations == 0 || o->iterations > ITERATIONS)
        return ev_error_set(error, EV_BAD_INPUT, "%zu iterations: from 1 to %d", o->iterations,
                            ITERATIONS);
    if (!(o->tolerance >= 0) || !(o->floor >= 0) || !isfinite(o->floor))
        return ev_error_set(error, EV_BAD_INPUT, "a negative tolerance or variance floor");
    *variance = ev_points_variance(N, J, x);
    return *variance > 0 ? EV_OK
                         : ev_error_set(error, EV_UNFIT, "the points to cluster are all the same");
}

ev_status ev_mixture_fit_run(const ev_mixture_fit_options *options, size_t N, size_t J,
                             const float *x, ev_mixture_fit *fit, ev_error *error)
{
    double variance = 0;
    *fit = (ev_mixture_fit){0};
    ev_status status = check(options, N, J, x, &variance, error);
    if (status != EV_OK)
        return status;
    problem p = {.options = options, .N = N, .J = J, .x = x};
    p.floor = variance * (options->floor > LEAST_FLOOR ? options->floor : LEAST_FLOOR);
    ev_em em;
    ev_mixture_fit trial = {0};
    bool room = ev_em_create(&em, N, J, x, options->K, options->kind);
    em.floor = p.floor;
    p.centres = room ? ev_arena_array(em.arena, options->K, J * sizeof *p.centres) : NULL;
    p.assignment = room ? ev_arena_array(em.arena, N, sizeof *p.assignment) : NULL;
    status = p.centres == NULL || p.assignment == NULL ? no_memory(error) : EV_OK;
    if (status == EV_OK)
        status = create(fit, options, J, error);
    if (status == EV_OK)
        status = create(&trial, options, J, error);
    if (status == EV_OK)
        status = run(&p, &em, fit, &trial, error);
    ev_mixture_fit_free(&trial);
    ev_em_destroy(&em);
    if (status != EV_OK)
        ev_mixture_fit_free(fit);
    return status;
}

/* ---- Components that are known ---- */

/* Sums over each component's points, in the order of the points; mu and sigma hold 0 before. */
static void add_points(size_t N, const float *x, const size_t *cluster, ev_mixture_fit *fit)
{
    const size_t J = fit->J;
    for (size_t i = 0; i < N; i++)
        fit->log_pi[cluster[i]] += 1.0;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < J; j++)
            fit->mu[cluster[i] * J + j] += (double)x[i * J + j] / fit->log_pi[cluster[i]];
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < J; j++) {
            const double gap = (double)x[i * J + j] - fit->mu[cluster[i] * J + j];
            fit->sigma[cluster[i] * J + j] += gap * gap / fit->log_pi[cluster[i]];
        }
}

static ev_status set_partition(size_t N, const float *x, const size_t *cluster, double floor,
                               ev_mixture_fit *fit, ev_error *error)
{
    for (size_t i = 0; i < N; i++)
        if (cluster[i] >= fit->K)
            return ev_error_set(error, EV_BAD_INPUT, "point %zu is of component %zu of %zu", i,
                                cluster[i], fit->K);
    add_points(N, x, cluster, fit);
    for (size_t k = 0; k < fit->K; k++) {
        if (fit->log_pi[k] == 0.0)
            return ev_error_set(error, EV_BAD_INPUT, "no point is of component %zu", k);
        fit->log_pi[k] = log(fit->log_pi[k] / (double)N);
        for (size_t j = 0; j < fit->J; j++)
            fit->sigma[k * fit->J + j] = sqrt(fmax(fit->sigma[k * fit->J + j], floor));
    }
    return ev_mixture_fit_assign(fit, N, x, NULL, &fit->log_likelihood, error);
}

ev_status ev_mixture_fit_partition(const ev_mixture_fit_options *options, size_t N, size_t J,
                                   const float *x, const size_t *cluster, ev_mixture_fit *fit,
                                   ev_error *error)
{
    const ev_mixture_fit_options known = {
        .K = options->K, .kind = EV_COVARIANCE_DIAGONAL, .iterations = 1, .floor = options->floor};
    double variance = 0;
    *fit = (ev_mixture_fit){0};
    ev_status status = check(&known, N, J, x, &variance, error);
    if (status == EV_OK)
        status = create(fit, &known, J, error);
    if (status == EV_OK)
        status = set_partition(N, x, cluster, variance * fmax(known.floor, LEAST_FLOOR), fit,
                               error);
    if (status != EV_OK)
        ev_mixture_fit_free(fit);
    return status;
}

/* ---- What was found ---- */

ev_mixture ev_mixture_fit_view(const ev_mixture_fit *fit)
{
    return (ev_mixture){
        .K = fit->K, .J = fit->J, .log_pi = fit->log_pi, .mu = fit->mu, .sigma = fit->sigma};
}

ev_status ev_mixture_fit_assign(const ev_mixture_fit *fit, size_t N, const float *x,
                                size_t *cluster, double *log_likelihood, ev_error *error)
{
    ev_em em;
    bool room = ev_em_create(&em, N, fit->J, x, fit->K, fit->kind);
    if (room && N > 0) {
        double mean = ev_em_expect(&em, fit, false, cluster);
        if (log_likelihood != NULL)
            *log_likelihood = mean;
    }
    ev_em_destroy(&em);
    return room ? EV_OK : no_memory(error);
}
