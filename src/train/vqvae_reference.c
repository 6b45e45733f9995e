#include "train/vqvae_reference.h"

#include "probability/bernoulli.h"
#include "probability/gaussian.h"
#include "probability/log_space.h"
#include "train/audit_pixel.h"

#include <math.h>
#include <omp.h>

/* --- The pass of one image --------------------------------------------------------------------- */

void ev_vqvae_pass_place(const ev_vqvae *model, ev_arena *arena, ev_vqvae_pass *p)
{
    const size_t vectors = model->N * model->config.J;
    ev_audit_conv_place(&model->encoder, arena, &p->encoder);
    ev_audit_conv_place(&model->decoder, arena, &p->decoder);
    p->x = ev_arena_array(arena, model->D, sizeof(double));
    p->e = ev_arena_array(arena, vectors, sizeof(double));
    p->z = p->encoder.out[model->encoder.depth - 1];
    p->out = p->decoder.out[model->decoder.depth - 1];
    p->z_size = ev_arena_array(arena, vectors, sizeof(double));
    p->out_size = ev_arena_array(arena, model->E, sizeof(double));
}

void ev_vqvae_pass_run(const ev_vqvae *model, const float *parameters, const float *x,
                       const uint32_t *index, const ev_vqvae_pass *p)
{
    const size_t J = model->config.J;
    const float *codes = parameters + model->codebook;
    for (size_t i = 0; i < model->D; i++)
        p->x[i] = (double)x[i];
    for (size_t i = 0; i < model->N * J; i++)
        p->e[i] = (double)codes[index[i / J] * J + i % J];
    ev_audit_conv_net(&model->encoder, parameters, p->x, &p->encoder);
    ev_audit_conv_net(&model->decoder, parameters, p->e, &p->decoder);
    ev_audit_conv_sizes(&model->encoder, parameters, p->x, &p->encoder, p->z_size);
    ev_audit_conv_sizes(&model->decoder, parameters, p->e, &p->decoder, p->out_size);
}

size_t ev_vqvae_output_of(const ev_vqvae *model, size_t i)
{
    const size_t channels = model->config.channels;
    return i / channels * channels * (model->E / model->D) + i % channels;
}

/* --- The terms of one image -------------------------------------------------------------------- */

typedef struct {
    double term[EV_VQ_TERMS], size[EV_VQ_TERMS];
} image_terms;

static void distances(const ev_vqvae *model, const ev_vqvae_pass *p, image_terms *t)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < model->N * model->config.J; i++) {
        const double off = p->z[i] - p->e[i];
        sum += off * off;
        squares += 4 * off * off * p->z_size[i] * p->z_size[i];
    }
    const double size = sum + sqrt(squares);
    t->term[EV_VQ_CODEBOOK] = sum;
    t->size[EV_VQ_CODEBOOK] = size;
    t->term[EV_VQ_COMMITMENT] = model->config.beta * sum;
    t->size[EV_VQ_COMMITMENT] = model->config.beta * size;
}

/* log p of one pixel; *summands: the sum of what it adds up, of absolute values. */
static double bernoulli(double x, double logit, double *summands)
{
    const double log_p = ev_bernoulli_log_mass_logit(1, &x, &logit);
    *summands = fabs(x * logit) + fabs(x * logit - log_p);
    return log_p;
}

static double gaussian(double x, double mean, double log_var, double *summands)
{
    const double held = fmin(fmax(log_var, (double)EV_LOG_VAR_X_MIN), (double)EV_LOG_VAR_X_MAX);
    const double square = (x - mean) * (x - mean) * exp(-held);
    *summands = 0.5 * EV_LOG_2PI + 0.5 * fabs(held) + 0.5 * square;
    return ev_gaussian_log_density_log_var(1, &x, &mean, &held);
}

static void reconstruction(const ev_vqvae *model, const ev_vqvae_pass *p, image_terms *t)
{
    const size_t channels = model->config.channels;
    const ev_likelihood_kind likelihood = model->config.likelihood;
    const bool normal = likelihood == EV_LIKELIHOOD_GAUSSIAN;
    double sum = 0, sizes = 0, squares = 0;
    for (size_t i = 0; i < model->D; i++) {
        const size_t at = ev_vqvae_output_of(model, i), v = normal ? at + channels : at;
        const ev_audit_pixel slope = ev_audit_pixel_slope(likelihood, p->x[i], p->out[at],
                                                          p->out[v]);
        const double by_out = slope.by_out * p->out_size[at];
        const double by_log_var = slope.by_log_var * p->out_size[v];
        double summands;
        sum += normal ? gaussian(p->x[i], p->out[at], p->out[v], &summands)
                      : bernoulli(p->x[i], p->out[at], &summands);
        sizes += summands;
        squares += by_out * by_out + by_log_var * by_log_var;
    }
    t->term[EV_VQ_RECONSTRUCTION] = -sum;
    t->size[EV_VQ_RECONSTRUCTION] = sizes + sqrt(squares);
}

static image_terms terms_of(const ev_vqvae *model, const float *parameters, const float *x,
                            const uint32_t *index, const ev_vqvae_pass *p)
{
    image_terms t = {{0}, {0}};
    ev_vqvae_pass_run(model, parameters, x, index, p);
    distances(model, p, &t);
    reconstruction(model, p, &t);
    return t;
}

/* --- The batch --------------------------------------------------------------------------------- */

static ev_vqvae_reference mean_of(size_t B, const image_terms *t)
{
    ev_vqvae_reference r = {{{0}}, {{0}}};
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < EV_VQ_TERMS; i++) {
            r.mean.term[i] += t[b].term[i] / (double)B;
            r.size.term[i] += t[b].size[i] / (double)B;
        }
    return r;
}

ev_status ev_vqvae_reference_run(const ev_vqvae *model, const float *parameters, size_t B,
                                 const float *x, const uint32_t *index, size_t threads,
                                 ev_vqvae_reference *reference, ev_error *error)
{
    ev_arena *arena = ev_arena_create();
    ev_vqvae_pass *own = arena == NULL ? NULL : ev_arena_array(arena, threads, sizeof *own);
    image_terms *t = arena == NULL ? NULL : ev_arena_array(arena, B, sizeof *t);
    for (size_t i = 0; own != NULL && i < threads; i++)
        ev_vqvae_pass_place(model, arena, &own[i]);
    const bool placed = arena != NULL && !ev_arena_failed(arena);
    if (placed) {
#pragma omp parallel for schedule(static) num_threads((int)threads)
        for (size_t b = 0; b < B; b++)
            t[b] = terms_of(model, parameters, x + b * model->D, index + b * model->N,
                            &own[omp_get_thread_num()]);
        *reference = mean_of(B, t);
    }
    ev_arena_destroy(arena);
    return placed ? EV_OK : ev_error_set(error, EV_NO_MEMORY, "out of memory for an audit");
}
