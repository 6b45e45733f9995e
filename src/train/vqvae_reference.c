#include "train/vqvae_reference.h"

#include "probability/bernoulli.h"
#include "probability/gaussian.h"
#include "probability/log_space.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* --- Convolutions ------------------------------------------------------------------------------ */

/* A filter's bank as numbers to add up; of a size, as their absolute values. */
typedef struct {
    const ev_conv *conv;
    const float *weight, *bias; /* (k,k,C,F), (F) or, transposed, (C) */
    bool sizes;
} bank;

static double taken(const bank *k, double value) { return k->sizes ? fabs(value) : value; }

/* The pixel of the finer side under tap u of place i; false beyond the edge. */
static bool under(const ev_conv *c, size_t i, size_t u, size_t extent, size_t *at)
{
    *at = c->stride * i + u - c->padding; /* below 0 it is huge */
    return *at < extent;
}

/* y_f += sum_c w_cf x_c, or transposed x_c += sum_f w_cf y_f, for one tap of one place. */
static void add_tap(const bank *k, const float *w, const double *x, double *y)
{
    const size_t F = k->conv->filters;
    for (size_t c = 0; c < k->conv->channels; c++) {
        const double at = taken(k, x[c]);
#pragma omp simd
        for (size_t f = 0; f < F; f++)
            y[f] += (k->sizes ? fabs((double)w[c * F + f]) : (double)w[c * F + f]) * at;
    }
}

static void add_tap_transposed(const bank *k, const float *w, double *x, const double *y)
{
    const size_t F = k->conv->filters;
    for (size_t c = 0; c < k->conv->channels; c++) {
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t f = 0; f < F; f++) {
            const double product = (double)w[c * F + f] * y[f];
            sum += k->sizes ? fabs(product) : product;
        }
        x[c] += sum;
    }
}

static void start(const bank *k, size_t places, size_t channels, double *out)
{
    for (size_t i = 0; i < places * channels; i++)
        out[i] = taken(k, (double)k->bias[i % channels]);
}

/* coarse (P,Q,F) from fine (H,W,C), or the other way; the result is written over. */
static void convolve(const bank *k, double *fine, double *coarse, bool transposed)
{
    const ev_conv *c = k->conv;
    const size_t P = ev_conv_out_height(c), Q = ev_conv_out_width(c), C = c->channels;
    size_t row, column;
    if (transposed)
        start(k, c->height * c->width, C, fine);
    else
        start(k, P * Q, c->filters, coarse);
    for (size_t place = 0; place < P * Q; place++)
        for (size_t tap = 0; tap < c->kernel * c->kernel; tap++) {
            if (!under(c, place / Q, tap / c->kernel, c->height, &row) ||
                !under(c, place % Q, tap % c->kernel, c->width, &column))
                continue;
            const float *w = k->weight + tap * C * c->filters;
            double *x = fine + (row * c->width + column) * C, *y = coarse + place * c->filters;
            if (transposed)
                add_tap_transposed(k, w, x, y);
            else
                add_tap(k, w, x, y);
        }
}

static void rectify(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] < 0 ? 0 : x[i]; /* a NaN stays */
}

/* --- Networks ---------------------------------------------------------------------------------- */

/* One thread's arrays, each as wide as the widest layer. */
typedef struct {
    double *in, *out, *inner, *rectified, *sizes;
} arrays;
enum { ARRAYS = 5 };

static size_t widest(const ev_conv_net *net, size_t most)
{
    for (size_t l = 0; l < net->depth; l++) {
        const ev_stage *s = &net->stage[l];
        const size_t wide = s->in > s->out ? s->in : s->out;
        const size_t inner = s->kind == EV_STAGE_RESIDUAL
                                 ? s->conv[0].height * s->conv[0].width * s->conv[0].filters
                                 : 0;
        most = wide > most ? wide : most;
        most = inner > most ? inner : most;
    }
    return most;
}

static bank bank_of(const ev_stage *s, size_t which, const float *parameters)
{
    return (bank){&s->conv[which], parameters + s->weight[which], parameters + s->bias[which],
                  false};
}

/* x + pointwise(relu(conv(relu x))). */
static void residual(const ev_stage *s, const float *parameters, arrays *a)
{
    const bank first = bank_of(s, 0, parameters), second = bank_of(s, 1, parameters);
    const size_t inner = s->conv[0].height * s->conv[0].width * s->conv[0].filters;
    rectify(s->in, a->in, a->rectified);
    convolve(&first, a->rectified, a->inner, false);
    rectify(inner, a->inner, a->inner);
    convolve(&second, a->inner, a->out, false);
    for (size_t i = 0; i < s->out; i++)
        a->out[i] += a->in[i];
}

/* a->out from a->in, and the sizes of what the last layer adds up. */
static void forward(const ev_conv_net *net, const float *parameters, arrays *a)
{
    for (size_t l = 0; l < net->depth; l++) {
        const ev_stage *s = &net->stage[l];
        const bool transposed = s->kind == EV_STAGE_TRANSPOSED, last = l + 1 == net->depth;
        bank k = bank_of(s, 0, parameters);
        if (s->kind == EV_STAGE_RESIDUAL)
            residual(s, parameters, a);
        else
            convolve(&k, transposed ? a->out : a->in, transposed ? a->in : a->out, transposed);
        if (s->relu)
            rectify(s->out, a->out, a->out);
        if (last) { /* of either network it is a convolution or its transpose, without a ReLU */
            k.sizes = true;
            convolve(&k, transposed ? a->sizes : a->in, transposed ? a->in : a->sizes, transposed);
            return;
        }
        double *swapped = a->in;
        a->in = a->out;
        a->out = swapped;
    }
}

/* --- The terms of one image -------------------------------------------------------------------- */

typedef struct {
    double term[EV_VQ_TERMS], size[EV_VQ_TERMS];
} image_terms;

static void distances(const ev_vqvae *model, const float *codes, const uint32_t *index,
                      const arrays *a, image_terms *t)
{
    const size_t J = model->config.J;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < model->N * J; i++) {
        const double off = a->out[i] - (double)codes[index[i / J] * J + i % J];
        sum += off * off;
        squares += 4 * off * off * a->sizes[i] * a->sizes[i];
    }
    const double size = sum + sqrt(squares);
    t->term[EV_VQ_CODEBOOK] = sum;
    t->size[EV_VQ_CODEBOOK] = size;
    t->term[EV_VQ_COMMITMENT] = model->config.beta * sum;
    t->size[EV_VQ_COMMITMENT] = model->config.beta * size;
}

/* Of one pixel: log p, the sum of its |summands|, and what relative errors of the outputs' sums make
 * of it, squared. */
typedef struct {
    double log_p, summands, squares;
} pixel;

/* d log p / d logit = x - sigmoid. */
static pixel bernoulli(double x, double logit, double s)
{
    const double log_p = ev_bernoulli_log_mass_logit(1, &x, &logit);
    const double slope = (x - 1 / (1 + exp(-logit))) * s;
    return (pixel){log_p, fabs(x * logit) + fabs(x * logit - log_p), slope * slope};
}

/* By the mean (x - mean) / var, by the log variance ((x - mean)^2 / var - 1) / 2. */
static pixel gaussian(double x, double mean, double s, double log_var, double s_var)
{
    const double held = fmin(fmax(log_var, (double)EV_LOG_VAR_X_MIN), (double)EV_LOG_VAR_X_MAX);
    const double log_p = ev_gaussian_log_density_log_var(1, &x, &mean, &held);
    const double square = (x - mean) * (x - mean) * exp(-held);
    const double slope = (x - mean) * exp(-held) * s, slope_var = 0.5 * (square - 1) * s_var;
    return (pixel){log_p, 0.5 * EV_LOG_2PI + 0.5 * fabs(held) + 0.5 * square,
                   slope * slope + slope_var * slope_var};
}

/* The decoder puts a pixel's means side by side, then its log variances. */
static void reconstruction(const ev_vqvae *model, const float *x, const arrays *a, image_terms *t)
{
    const size_t channels = model->config.channels;
    const bool normal = model->config.likelihood == EV_LIKELIHOOD_GAUSSIAN;
    pixel sum = {0, 0, 0};
    for (size_t i = 0; i < model->D; i++) {
        const size_t at = i / channels * channels * (normal ? 2 : 1) + i % channels;
        const double *out = a->out + at, *s = a->sizes + at;
        const pixel p = normal ? gaussian((double)x[i], *out, *s, out[channels], s[channels])
                               : bernoulli((double)x[i], *out, *s);
        sum.log_p += p.log_p;
        sum.summands += p.summands;
        sum.squares += p.squares;
    }
    t->term[EV_VQ_RECONSTRUCTION] = -sum.log_p;
    t->size[EV_VQ_RECONSTRUCTION] = sum.summands + sqrt(sum.squares);
}

static image_terms terms_of(const ev_vqvae *model, const float *parameters, const float *x,
                            const uint32_t *index, arrays a)
{
    const size_t J = model->config.J;
    const float *codes = parameters + model->codebook;
    image_terms t = {{0}, {0}};
    for (size_t i = 0; i < model->D; i++)
        a.in[i] = (double)x[i];
    forward(&model->encoder, parameters, &a);
    distances(model, codes, index, &a, &t);
    for (size_t i = 0; i < model->N * J; i++)
        a.in[i] = (double)codes[index[i / J] * J + i % J];
    forward(&model->decoder, parameters, &a);
    reconstruction(model, x, &a, &t);
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
    const size_t wide = widest(&model->decoder, widest(&model->encoder, 1));
    double *memory = calloc(ev_size_product(threads * ARRAYS, wide), sizeof *memory);
    image_terms *t = calloc(B, sizeof *t);
    if (memory != NULL && t != NULL) {
#pragma omp parallel for schedule(static) num_threads((int)threads)
        for (size_t b = 0; b < B; b++) {
            double *own = memory + (size_t)omp_get_thread_num() * ARRAYS * wide;
            const arrays a = {own, own + wide, own + 2 * wide, own + 3 * wide, own + 4 * wide};
            t[b] = terms_of(model, parameters, x + b * model->D, index + b * model->N, a);
        }
        *reference = mean_of(B, t);
    }
    ev_status status = memory != NULL && t != NULL
                           ? EV_OK
                           : ev_error_set(error, EV_NO_MEMORY, "out of memory for an audit");
    free(memory);
    free(t);
    return status;
}
