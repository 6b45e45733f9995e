#include "train/evaluation.h"

#include "nn/buffer.h"
#include "numerics/random.h"
#include "train/importance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const size_t ev_evaluation_sizes[EV_EVALUATION_SIZES] = {1, 10, 500};

/* Everything that is needed besides the result. */
typedef struct {
    const ev_gmvae *model;
    const float *parameters;
    const ev_image_source *images;
    const ev_evaluation_options *options;
    ev_gmvae_workspace w;
    float *x, *noise;
    double *scratch, *log_px;
    double total, square;                                           /* of the ELBO */
    double sums[EV_EVALUATION_SIZES], squares[EV_EVALUATION_SIZES]; /* of log p(x) */
} work;

/* The standard error of a mean from the sums of values and of their squares. */
static double standard_error(double sum, double square, size_t n)
{
    const double mean = sum / (double)n, var = square / (double)n - mean * mean;
    return n < 2 || var <= 0.0 ? 0.0 : sqrt(var / (double)(n - 1));
}

static size_t argmax(size_t K, const float *gamma)
{
    size_t best = 0;
    for (size_t c = 1; c < K; c++)
        best = gamma[c] > gamma[best] ? c : best;
    return best;
}

static double entropy(size_t K, const float *gamma, const float *log_gamma)
{
    double sum = 0.0;
    for (size_t c = 0; c < K; c++)
        sum -= gamma[c] > 0.0F ? (double)gamma[c] * (double)log_gamma[c] : 0.0;
    return sum;
}

static void take_image(work *k, ev_evaluation *e, size_t at, size_t b)
{
    const size_t J = k->model->config.J, K = e->K;
    const float *terms = k->w.terms + b * EV_ELBO_TERMS;
    double total = 0.0;
    for (size_t t = 0; t < EV_ELBO_TERMS; t++) {
        e->elbo.term[t] += (double)terms[t] / (double)e->N;
        total += (double)terms[t];
    }
    k->total += total;
    k->square += total * total;
    e->cluster[at] = argmax(K, k->w.gamma + b * K);
    e->gamma_entropy += entropy(K, k->w.gamma + b * K, k->w.log_gamma + b * K) / (double)e->N;
    memcpy(e->mu + at * J, k->w.mu + b * J, J * sizeof *e->mu);
}

static void take_log_px(work *k, ev_evaluation *e, size_t first, size_t n)
{
    size_t left = e->log_px_images > first ? e->log_px_images - first : 0;
    size_t m = n < left ? n : left;
    if (m == 0)
        return;
    ev_importance_log_px(k->model, k->parameters, m, k->x, k->noise, k->options->seed, first,
                         EV_EVALUATION_SIZES, ev_evaluation_sizes, &k->w, k->scratch, k->log_px);
    for (size_t i = 0; i < m * EV_EVALUATION_SIZES; i++) {
        k->sums[i % EV_EVALUATION_SIZES] += k->log_px[i];
        k->squares[i % EV_EVALUATION_SIZES] += k->log_px[i] * k->log_px[i];
    }
}

static void pass(work *k, ev_evaluation *e)
{
    const size_t B = k->options->batch;
    for (size_t first = 0, batch = 0; first < e->N; first += B, batch++) {
        const size_t n = e->N - first < B ? e->N - first : B;
        k->images->in_order(k->images->context, first, n, k->x);
        ev_gmvae_noise(k->model, k->options->seed ^ ev_hash_text("evaluation"), batch, n, k->noise);
        ev_gmvae_forward(k->model, k->parameters, n, k->x, k->noise, &k->w);
        for (size_t b = 0; b < n; b++)
            take_image(k, e, first + b, b);
        take_log_px(k, e, first, n);
    }
    e->elbo_error = standard_error(k->total, k->square, e->N);
    for (size_t i = 0; i < EV_EVALUATION_SIZES && e->log_px_images > 0; i++) {
        e->log_px[i] = k->sums[i] / (double)e->log_px_images;
        e->log_px_error[i] = standard_error(k->sums[i], k->squares[i], e->log_px_images);
    }
}

static ev_status allocate(work *k, ev_evaluation *e, ev_error *error)
{
    const ev_gmvae_config *c = &k->model->config;
    const size_t B = k->options->batch;
    ev_status status = ev_gmvae_workspace_create(&k->w, k->model, B, error);
    if (status != EV_OK)
        return status;
    k->x = ev_buffer_create(ev_size_product(B, c->D));
    k->noise = ev_buffer_create(ev_size_product(B, k->model->M * c->J));
    k->scratch = calloc(ev_importance_scratch(B), sizeof *k->scratch);
    k->log_px = calloc(B * EV_EVALUATION_SIZES, sizeof *k->log_px);
    e->occupancy = calloc(e->K, sizeof *e->occupancy);
    e->match = calloc(e->K, sizeof *e->match);
    e->cluster = calloc(e->N, sizeof *e->cluster);
    e->mu = calloc(e->N, c->J * sizeof *e->mu);
    if (k->x == NULL || k->noise == NULL || k->scratch == NULL || k->log_px == NULL ||
        e->occupancy == NULL || e->match == NULL || e->cluster == NULL || e->mu == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "out of memory for the evaluation");
    return EV_OK;
}

ev_status ev_evaluation_run(const ev_gmvae *model, const float *parameters,
                            const ev_image_source *images, const uint8_t *labels, size_t classes,
                            const ev_evaluation_options *options, ev_evaluation *e, ev_error *error)
{
    work k = {.model = model, .parameters = parameters, .images = images, .options = options};
    *e = (ev_evaluation){.N = images->count, .K = model->config.K, .labelled = labels != NULL};
    e->log_px_images = options->log_px_images < e->N ? options->log_px_images : e->N;
    ev_status status = allocate(&k, e, error);
    if (status == EV_OK) {
        pass(&k, e);
        status = e->labelled ? ev_clustering_score(e->N, e->K, e->cluster, classes, labels,
                                                   &e->clustering, e->occupancy, e->match, error)
                             : ev_clustering_occupancy(e->N, e->K, e->cluster, &e->clustering,
                                                       e->occupancy, error);
    }
    ev_gmvae_workspace_destroy(&k.w);
    free(k.x);
    free(k.noise);
    free(k.scratch);
    free(k.log_px);
    if (status != EV_OK)
        ev_evaluation_destroy(e);
    return status;
}

void ev_evaluation_destroy(ev_evaluation *e)
{
    free(e->occupancy);
    free(e->match);
    free(e->cluster);
    free(e->mu);
    *e = (ev_evaluation){0};
}

bool ev_evaluation_collapsed(const ev_evaluation *e)
{
    return e->K > 1 && e->clustering.largest > 0.99;
}
