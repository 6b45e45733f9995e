#include "models/vqvae_oracle.h"

#include "probability/bernoulli.h"
#include "probability/gaussian.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* An image on its way through the network. */
typedef struct {
    size_t height, width, channels;
    double at[ORACLE_FLOATS];
} picture;

static double *pixel(picture *p, size_t i, size_t j)
{
    return p->at + (i * p->width + j) * p->channels;
}

static const double *block(const ev_vqvae *model, const double *parameters, const char *prefix,
                           const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s", prefix, what);
    const ev_block *found = ev_layout_find(&model->layout, name);
    cr_assert_not_null(found, "no block %s", name);
    return parameters + found->offset;
}

static void rectify(picture *p)
{
    for (size_t i = 0; i < p->height * p->width * p->channels; i++)
        p->at[i] = fmax(p->at[i], 0);
}

static void start(picture *out, size_t height, size_t width, size_t channels, const double *bias)
{
    *out = (picture){.height = height, .width = width, .channels = channels};
    cr_assert(height * width * channels <= ORACLE_FLOATS);
    for (size_t i = 0; i < height * width * channels; i++)
        out->at[i] = bias[i % channels];
}

/* One pass over (coarse place, tap): y from x, or transposed x from y, with the same weights. */
static void convolve(const ev_vqvae *model, const double *parameters, const char *prefix,
                     picture *in, size_t kernel, size_t stride, size_t padding, size_t outputs,
                     bool transposed, bool relu)
{
    const double *weight = block(model, parameters, prefix, "weight");
    picture out, *fine = transposed ? &out : in, *coarse = transposed ? in : &out;
    size_t height = transposed ? in->height * stride : in->height / stride;
    size_t width = transposed ? in->width * stride : in->width / stride;
    start(&out, height, width, outputs, block(model, parameters, prefix, "bias"));
    for (size_t i = 0; i < coarse->height; i++)
        for (size_t j = 0; j < coarse->width; j++)
            for (size_t u = 0; u < kernel; u++)
                for (size_t v = 0; v < kernel; v++) {
                    size_t row = stride * i + u - padding, column = stride * j + v - padding;
                    if (row >= fine->height || column >= fine->width)
                        continue; /* unsigned: what lies above or left is huge */
                    double *x = pixel(fine, row, column), *y = pixel(coarse, i, j);
                    for (size_t c = 0; c < fine->channels; c++)
                        for (size_t f = 0; f < coarse->channels; f++) {
                            double w =
                                weight[((u * kernel + v) * fine->channels + c) * coarse->channels +
                                       f];
                            if (transposed)
                                x[c] += w * y[f];
                            else
                                y[f] += w * x[c];
                        }
                }
    *in = out;
    if (relu)
        rectify(in);
}

static void residual(const ev_vqvae *model, const double *parameters, const char *prefix,
                     picture *p, bool relu)
{
    char name[48];
    picture before = *p;
    rectify(p);
    snprintf(name, sizeof name, "%s.0", prefix);
    convolve(model, parameters, name, p, 3, 1, 1, model->config.inner, false, true);
    snprintf(name, sizeof name, "%s.1", prefix);
    convolve(model, parameters, name, p, 1, 1, 0, before.channels, false, false);
    for (size_t i = 0; i < p->height * p->width * p->channels; i++)
        p->at[i] += before.at[i];
    if (relu)
        rectify(p);
}

static void residuals(const ev_vqvae *model, const double *parameters, const char *side,
                      size_t first, picture *p)
{
    char name[32];
    for (size_t i = 0; i < model->config.blocks; i++) {
        snprintf(name, sizeof name, "%s.%zu", side, first + i);
        residual(model, parameters, name, p, i + 1 == model->config.blocks);
    }
}

static void encode(const ev_vqvae *model, const double *parameters, const float *x, double *z)
{
    const ev_vqvae_config *c = &model->config;
    char last[32];
    picture p = {.height = c->height, .width = c->width, .channels = c->channels};
    for (size_t i = 0; i < model->D; i++)
        p.at[i] = (double)x[i];
    convolve(model, parameters, "encoder.0", &p, 4, 2, 1, c->hidden / 2, false, true);
    convolve(model, parameters, "encoder.1", &p, 4, 2, 1, c->hidden, false, true);
    convolve(model, parameters, "encoder.2", &p, 3, 1, 1, c->hidden, false, c->blocks == 0);
    residuals(model, parameters, "encoder", 3, &p);
    snprintf(last, sizeof last, "encoder.%zu", 3 + c->blocks);
    convolve(model, parameters, last, &p, 1, 1, 0, c->J, false, false);
    memcpy(z, p.at, model->N * c->J * sizeof *z);
}

static void decode(const ev_vqvae *model, const double *parameters, const double *z_q, picture *p)
{
    const ev_vqvae_config *c = &model->config;
    char name[32];
    *p = (picture){.height = c->height / 4, .width = c->width / 4, .channels = c->J};
    memcpy(p->at, z_q, model->N * c->J * sizeof *z_q);
    convolve(model, parameters, "decoder.0", p, 3, 1, 1, c->hidden, false, c->blocks == 0);
    residuals(model, parameters, "decoder", 1, p);
    snprintf(name, sizeof name, "decoder.%zu", 1 + c->blocks);
    convolve(model, parameters, name, p, 4, 2, 1, c->hidden / 2, true, true);
    snprintf(name, sizeof name, "decoder.%zu", 2 + c->blocks);
    size_t outputs = c->likelihood == EV_LIKELIHOOD_GAUSSIAN ? 2 * c->channels : c->channels;
    convolve(model, parameters, name, p, 4, 2, 1, outputs, true, false);
}

double oracle_log_likelihood(const ev_vqvae *model, const double *parameters, const float *x,
                             const double *z_q)
{
    picture p;
    double sum = 0;
    size_t channels = model->config.channels;
    decode(model, parameters, z_q, &p);
    for (size_t i = 0; i < model->D; i++) {
        const double *at = p.at + i / channels * p.channels + i % channels, value = (double)x[i];
        sum += model->config.likelihood == EV_LIKELIHOOD_BERNOULLI
                   ? ev_bernoulli_log_mass_logit(1, &value, at)
                   : ev_gaussian_log_density_log_var(1, &value, at, at + channels);
    }
    return sum;
}

static double square_distance(size_t n, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

void oracle_stop_at(const ev_vqvae *model, const double *parameters, const float *x,
                    oracle_stops *stops)
{
    const size_t J = model->config.J;
    const double *codes = parameters + model->codebook;
    encode(model, parameters, x, stops->z);
    for (size_t i = 0; i < model->N; i++) {
        size_t best = 0;
        for (size_t k = 1; k < model->config.K; k++)
            if (square_distance(J, stops->z + i * J, codes + k * J) <
                square_distance(J, stops->z + i * J, codes + best * J))
                best = k;
        stops->index[i] = best;
        memcpy(stops->e + i * J, codes + best * J, J * sizeof *codes);
    }
}

ev_vqvae_loss oracle_terms(const ev_vqvae *model, const double *parameters, const float *x,
                           const oracle_stops *stops)
{
    const size_t J = model->config.J, n = model->N * J;
    double z[ORACLE_FLOATS], through[ORACLE_FLOATS], codebook = 0;
    encode(model, parameters, x, z);
    for (size_t i = 0; i < n; i++)
        through[i] = z[i] + (stops->e[i] - stops->z[i]);
    for (size_t i = 0; i < model->N; i++)
        codebook += square_distance(J, stops->z + i * J,
                                    parameters + model->codebook + stops->index[i] * J);
    return (ev_vqvae_loss){{-oracle_log_likelihood(model, parameters, x, through), codebook,
                            model->config.beta * square_distance(n, z, stops->e)}};
}
