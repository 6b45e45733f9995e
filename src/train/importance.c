#include "train/importance.h"

#include "numerics/random.h"

#include <math.h>

size_t ev_importance_scratch(size_t B) { return 3 * B; }

typedef struct {
    const ev_gmvae *model;
    const ev_gmvae_workspace *w;
    uint64_t seed;
    size_t first;
} draws;

/* z = mu + scale eps for draw s of image b, and log p(z) - log q(z|x):
 * log q = -|eps|^2/2 - J log(2 pi)/2 - log det scale, where the entropy term is
 * J (1 + log 2 pi)/2 + log det scale. */
static double place(const draws *d, size_t b, size_t s, float *z)
{
    const size_t J = d->model->config.J;
    const ev_gmvae_workspace *w = d->w;
    const ev_stream stream = ev_stream_make(d->seed, ev_hash_text("importance"),
                                            (uint32_t)(d->first + b), 0);
    double normal[EV_GMVAE_LATENT], square = 0.0;
    float eps[EV_GMVAE_LATENT], e[EV_PRIOR_CLUSTERS];
    ev_stream_normals(&stream, s * J, J, normal);
    for (size_t j = 0; j < J; j++) {
        eps[j] = (float)normal[j];
        square += normal[j] * normal[j];
    }
    ev_posterior_sample(d->model->config.posterior, J, w->mu + b * J,
                        w->scale + b * d->model->scale_size, eps, z);
    const double entropy = (double)w->terms[b * EV_ELBO_TERMS + EV_ENTROPY];
    const double log_q = -0.5 * square + 0.5 * (double)J - entropy;
    ev_prior_expected_log_density(&w->prior, z, NULL, e);
    return (double)ev_gamma_optimal(&w->prior, e, e) - log_q;
}

/* top + log sum_s exp(log w_s - top), kept as the two numbers top and sum. */
static void accumulate(double value, double *top, double *sum)
{
    if (value == -HUGE_VAL)
        return;
    if (value <= *top) {
        *sum += exp(value - *top);
    } else {
        *sum = *sum * exp(*top - value) + 1.0;
        *top = value;
    }
}

/* One draw of every image: the decoder runs on B rows at a time. */
static void add_draw(const draws *d, const float *parameters, size_t B, const float *x, size_t s,
                     ev_gmvae_workspace *w, double *scratch)
{
    const ev_gmvae_config *c = &d->model->config;
    double *ratio = scratch, *top = scratch + B, *sum = scratch + 2 * B;
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < B; b++)
        ratio[b] = place(d, b, s, w->z + b * c->J);
    ev_gmvae_decode(d->model, parameters, B, w->z, w);
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < B; b++) {
        float log_likelihood = ev_likelihood_forward(c->likelihood, c->D, x + b * c->D,
                                                     w->out + b * d->model->E);
        accumulate((double)log_likelihood + ratio[b], &top[b], &sum[b]);
    }
}

void ev_importance_log_px(const ev_gmvae *model, const float *parameters, size_t B, const float *x,
                          const float *noise, uint64_t seed, size_t first, size_t counts,
                          const size_t *sizes, ev_gmvae_workspace *w, double *scratch,
                          double *log_px)
{
    const draws d = {model, w, seed, first};
    double *top = scratch + B, *sum = scratch + 2 * B;
    for (size_t b = 0; b < B; b++) {
        top[b] = -HUGE_VAL;
        sum[b] = 0.0;
    }
    ev_gmvae_encode(model, parameters, B, x, noise, w);
    for (size_t i = 0, s = 0; i < counts; i++) {
        for (; s < sizes[i]; s++)
            add_draw(&d, parameters, B, x, s, w, scratch);
        for (size_t b = 0; b < B; b++)
            log_px[b * counts + i] = top[b] + log(sum[b] / (double)sizes[i]);
    }
}
