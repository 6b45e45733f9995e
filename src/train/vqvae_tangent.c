#include "train/vqvae_tangent.h"

#include "train/audit_network.h"
#include "train/audit_pixel.h"

#include <math.h>

enum { SCRATCH = 6 };

struct ev_vqvae_tangent_image {
    ev_vqvae_pass pass;
    const uint32_t *index;    /* (N) */
    unsigned char *on;        /* (D) 1 where a log variance is not held at a limit */
    double *scratch[SCRATCH]; /* three for either network */
    ev_vqvae_slope slope;
};

/* --- The pass ------------------------------------------------------------------------------ */

static void place(ev_vqvae_tangents *t)
{
    const ev_vqvae *m = t->model;
    const size_t wide = ev_audit_conv_widest(&m->decoder, ev_audit_conv_widest(&m->encoder, 1));
    t->image = ev_arena_array(t->arena, t->n, sizeof *t->image);
    for (size_t b = 0; t->image != NULL && b < t->n; b++) {
        ev_vqvae_tangent_image *image = &t->image[b];
        ev_vqvae_pass_place(m, t->arena, &image->pass);
        image->on = ev_arena_array(t->arena, m->D, 1);
        for (size_t i = 0; i < SCRATCH; i++)
            image->scratch[i] = ev_arena_array(t->arena, wide, sizeof(double));
    }
}

static void find_sides(ev_vqvae_tangents *t, size_t b, const ev_vqvae_workspace *w,
                       double resolution)
{
    const ev_vqvae *m = t->model;
    const ev_vqvae_tangent_image *image = &t->image[b];
    const ev_vqvae_pass *p = &image->pass;
    t->kinks += ev_audit_conv_sides(&m->encoder, t->parameters, p->x, &p->encoder, &w->encoder, b,
                                    resolution, image->scratch, &t->beyond);
    t->kinks += ev_audit_conv_sides(&m->decoder, t->parameters, p->e, &p->decoder, &w->decoder, b,
                                    resolution, image->scratch, &t->beyond);
    for (size_t i = 0; m->config.likelihood == EV_LIKELIHOOD_GAUSSIAN && i < m->D; i++) {
        const size_t at = ev_vqvae_output_of(m, i) + m->config.channels;
        image->on[i] = ev_audit_between(p->out[at], w->raw[b * m->E + at], EV_LOG_VAR_X_MIN,
                                        EV_LOG_VAR_X_MAX, resolution, &t->kinks, &t->beyond);
    }
}

ev_status ev_vqvae_tangents_create(ev_vqvae_tangents *t, const ev_vqvae *model,
                                   const float *parameters, size_t n, const float *x,
                                   const ev_vqvae_workspace *w, double resolution, ev_error *error)
{
    *t = (ev_vqvae_tangents){.model = model,
                             .parameters = parameters,
                             .n = n,
                             .threads = w->threads,
                             .arena = ev_arena_create()};
    if (t->arena != NULL)
        place(t);
    if (t->arena == NULL || ev_arena_failed(t->arena))
        return ev_error_set(error, EV_NO_MEMORY, "out of memory for an audit");
    for (size_t b = 0; b < n; b++) {
        t->image[b].index = w->index + b * model->N;
        ev_vqvae_pass_run(model, parameters, x + b * model->D, t->image[b].index,
                          &t->image[b].pass);
        find_sides(t, b, w, resolution);
    }
    return EV_OK;
}

void ev_vqvae_tangents_destroy(ev_vqvae_tangents *t)
{
    ev_arena_destroy(t->arena);
    *t = (ev_vqvae_tangents){.arena = NULL};
}

/* --- The terms ----------------------------------------------------------------------------- */

/* A sum of summands, and of the squares of what rounding errors of them are relative to. */
typedef struct {
    double sum, squares;
} total;

static double size_of(const total *t) { return fabs(t->sum) + sqrt(t->squares); }

/* moves: what an error of z or of an output does to the summand. */
static void add(total *t, double summand, double moves)
{
    t->sum += summand;
    t->squares += summand * summand + moves * moves;
}

/* Minus that of log p(x|S) from the outputs'.  An error of an output moves it by the second derivatives:
 * of the mean by 1/sigma^2 a. + (x - a)/sigma^2 v., of the log variance by (x - a)/sigma^2 a. +
 * (x - a)^2/(2 sigma^2) v. */
static total reconstruction_dot(const ev_vqvae *m, const ev_vqvae_tangent_image *image,
                                const double *out_dot)
{
    const ev_likelihood_kind likelihood = m->config.likelihood;
    const bool normal = likelihood == EV_LIKELIHOOD_GAUSSIAN;
    const ev_vqvae_pass *p = &image->pass;
    total t = {0, 0};
    for (size_t i = 0; out_dot != NULL && i < m->D; i++) {
        const size_t at = ev_vqvae_output_of(m, i), v = normal ? at + m->config.channels : at;
        const ev_audit_pixel d = ev_audit_pixel_slope(likelihood, p->x[i], p->out[at], p->out[v]);
        const double a_dot = out_dot[at], v_dot = normal && image->on[i] ? out_dot[v] : 0;
        add(&t, -d.by_out * a_dot,
            0.1 * p->out_size[at] * (d.curvature * a_dot + d.by_out * v_dot));
        if (normal)
            add(&t, -d.by_log_var * v_dot,
                0.1 * p->out_size[v] * (d.by_out * a_dot + (d.by_log_var + 0.5) * v_dot));
    }
    return t;
}

static total codebook_dot(const ev_vqvae *m, const ev_vqvae_tangent_image *image,
                          const float *direction)
{
    const size_t J = m->config.J;
    const ev_vqvae_pass *p = &image->pass;
    total t = {0, 0};
    for (size_t i = 0; i < m->N * J; i++) {
        const double e_dot = (double)direction[m->codebook + image->index[i / J] * J + i % J];
        add(&t, 2 * (p->e[i] - p->z[i]) * e_dot, 2 * p->z_size[i] * e_dot);
    }
    return t;
}

static total commitment_dot(const ev_vqvae *m, const ev_vqvae_pass *p, const double *z_dot)
{
    const double twice = 2 * m->config.beta;
    total t = {0, 0};
    for (size_t i = 0; z_dot != NULL && i < m->N * m->config.J; i++)
        add(&t, twice * (p->z[i] - p->e[i]) * z_dot[i], twice * p->z_size[i] * z_dot[i]);
    return t;
}

/* The reconstruction's derivative by the decoder's parameters, by what comes in, or by both. */
static total decoder_dot(const ev_vqvae_tangents *t, const ev_vqvae_tangent_image *image,
                         const float *direction, const double *S_dot)
{
    const double *out_dot = ev_audit_conv_tangent(&t->model->decoder, t->parameters, direction,
                                                  image->pass.e, &image->pass.decoder, S_dot,
                                                  image->scratch + 3);
    return reconstruction_dot(t->model, image, out_dot);
}

static ev_vqvae_slope slope_of(const ev_vqvae_tangents *t, const ev_vqvae_tangent_image *image,
                               const float *direction, bool split)
{
    const ev_vqvae_pass *p = &image->pass;
    const double *z_dot = ev_audit_conv_tangent(&t->model->encoder, t->parameters, direction, p->x,
                                                &p->encoder, NULL, image->scratch);
    const total decoder = decoder_dot(t, image, direction, split ? NULL : z_dot);
    const total through = split ? decoder_dot(t, image, NULL, z_dot) : (total){0, 0};
    const total codebook = codebook_dot(t->model, image, direction);
    const total commitment = commitment_dot(t->model, p, z_dot);
    return (ev_vqvae_slope){
        {decoder.sum, through.sum, codebook.sum, commitment.sum},
        {size_of(&decoder) + size_of(&through), size_of(&codebook), size_of(&commitment)}};
}

ev_vqvae_slope ev_vqvae_tangents_slope(const ev_vqvae_tangents *t, const float *direction,
                                       bool split)
{
    ev_vqvae_slope mean = {{0}, {0}};
#pragma omp parallel for schedule(static) num_threads((int)t->threads)
    for (size_t b = 0; b < t->n; b++)
        t->image[b].slope = slope_of(t, &t->image[b], direction, split);
    for (size_t b = 0; b < t->n; b++) {
        for (size_t i = 0; i < EV_VQ_PARTS; i++)
            mean.part[i] += t->image[b].slope.part[i] / (double)t->n;
        for (size_t i = 0; i < EV_VQ_TERMS; i++)
            mean.size[i] += t->image[b].slope.size[i] / (double)t->n;
    }
    return mean;
}
