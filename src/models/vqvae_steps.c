/* Forward, loss and backward pass of the VQ-VAE.
 *
 * 1. z = encoder(x); the nearest codes; out = decoder(z_q).
 * 2. The terms, an image at a time; the squared distances in double, for they are small differences.
 * 3. Backward through the decoder to z_q.  Straight through: that gradient goes to z as it is, and
 *    none of it to the code [st-gradient, st-code-gradient, st-decoder-gradient].
 * 4. The two squared distances add 2 beta (z - e) at z and 2 (e - z) at the code.
 * 5. Backward through the encoder from z.
 */
#include "models/vqvae.h"
#include "nn/nearest.h"

#include <string.h>

void ev_vqvae_encode(const ev_vqvae *model, const float *parameters, size_t B, const float *x,
                     ev_vqvae_workspace *w)
{
    ev_conv_net_forward(&model->encoder, parameters, B, x, &w->encoder, &w->scratch);
}

void ev_vqvae_quantise(const ev_vqvae *model, const float *parameters, size_t B,
                       ev_vqvae_workspace *w)
{
    const ev_vqvae_config *c = &model->config;
    const float *codes = parameters + model->codebook;
    ev_nearest_rows(c->K, c->J, codes, B * model->N, w->z, w->index, w->search, w->threads);
    ev_codebook_look_up(c->J, codes, B * model->N, w->index, w->z_q);
}

/* The decoder puts a pixel's numbers side by side; a likelihood wants all means, then all variances.
 * From raw to out, or with `back` from d_out to d_raw. */
static void rearrange(const ev_vqvae *model, size_t B, float *raw, float *out, bool back)
{
    const size_t channels = model->config.channels, pixels = model->D / channels;
    const size_t kinds = model->E / model->D;
    for (size_t b = 0; b < B; b++)
        for (size_t pixel = 0; pixel < pixels; pixel++)
            for (size_t i = 0; i < kinds * channels; i++) {
                size_t kind = i / channels, channel = i % channels;
                float *side = raw + (b * pixels + pixel) * kinds * channels + i;
                float *planar = out + b * model->E + kind * model->D + pixel * channels + channel;
                if (back)
                    *side = *planar;
                else
                    *planar = *side;
            }
}

void ev_vqvae_decode(const ev_vqvae *model, const float *parameters, size_t B,
                     ev_vqvae_workspace *w)
{
    ev_conv_net_forward(&model->decoder, parameters, B, w->z_q, &w->decoder, &w->scratch);
    rearrange(model, B, w->raw, w->out, false);
}

/* sum over the places of one image of |z - e|^2. */
static double distortion(size_t n, const float *z, const float *z_q)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) {
        double d = (double)z[i] - (double)z_q[i];
        sum += d * d;
    }
    return sum;
}

static ev_vqvae_loss mean_of(size_t B, const float *terms)
{
    ev_vqvae_loss loss = {{0}};
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < EV_VQ_TERMS; i++)
            loss.term[i] += (double)terms[b * EV_VQ_TERMS + i] / (double)B;
    return loss;
}

static ev_vqvae_loss loss_of(const ev_vqvae *model, size_t B, const float *x, ev_vqvae_workspace *w)
{
    const size_t vector = model->N * model->config.J;
#pragma omp parallel for schedule(static) num_threads((int)w->threads)
    for (size_t b = 0; b < B; b++) {
        float *term = w->terms + b * EV_VQ_TERMS;
        double off = distortion(vector, w->z + b * vector, w->z_q + b * vector);
        term[EV_VQ_RECONSTRUCTION] = -ev_likelihood_forward(
            model->config.likelihood, model->D, x + b * model->D, w->out + b * model->E);
        term[EV_VQ_CODEBOOK] = (float)off;
        term[EV_VQ_COMMITMENT] = (float)(model->config.beta * off);
    }
    return mean_of(B, w->terms);
}

ev_vqvae_loss ev_vqvae_forward(const ev_vqvae *model, const float *parameters, size_t B,
                               const float *x, ev_vqvae_workspace *w)
{
    ev_vqvae_encode(model, parameters, B, x, w);
    ev_vqvae_quantise(model, parameters, B, w);
    ev_vqvae_decode(model, parameters, B, w);
    return loss_of(model, B, x, w);
}

/* d_out, then through the decoder to d_z_q. */
static void reconstruction_backward(const ev_vqvae *model, const float *parameters, size_t B,
                                    const float *x, double weight, ev_vqvae_workspace *w,
                                    float *gradient)
{
    const float scale = (float)(-weight / (double)B);
#pragma omp parallel for schedule(static) num_threads((int)w->threads)
    for (size_t b = 0; b < B; b++)
        (void)ev_likelihood_backward(model->config.likelihood, model->D, x + b * model->D,
                                     w->out + b * model->E, scale, w->d_out + b * model->E);
    rearrange(model, B, w->d_raw, w->d_out, true);
    ev_conv_net_backward(&model->decoder, parameters, B, w->z_q, &w->decoder, w->d_raw, gradient,
                         w->d_z_q, &w->scratch);
}

/* d codes_k = 2 weight/B sum over the vectors that chose k of (e - z), in the order of the batch. */
static void codebook_backward(const ev_vqvae *model, size_t B, double weight,
                              const ev_vqvae_workspace *w, float *d_codes)
{
    const size_t J = model->config.J;
    const float scale = (float)(2 * weight / (double)B);
    for (size_t i = 0; weight > 0 && i < B * model->N; i++)
        for (size_t j = 0; j < J; j++)
            d_codes[w->index[i] * J + j] += scale * (w->z_q[i * J + j] - w->z[i * J + j]);
}

void ev_vqvae_backward_terms(const ev_vqvae *model, const float *parameters, size_t B,
                             const float *x, const double weight[EV_VQ_TERMS],
                             ev_vqvae_workspace *w, float *gradient)
{
    const size_t n = B * model->N * model->config.J;
    const float commitment = (float)(2 * weight[EV_VQ_COMMITMENT] * model->config.beta / (double)B);
    memset(gradient, 0, model->layout.size * sizeof *gradient);
    reconstruction_backward(model, parameters, B, x, weight[EV_VQ_RECONSTRUCTION], w, gradient);
#pragma omp parallel for simd schedule(static) num_threads((int)w->threads)
    for (size_t i = 0; i < n; i++)
        w->d_z[i] = w->d_z_q[i] + commitment * (w->z[i] - w->z_q[i]);
    ev_conv_net_backward(&model->encoder, parameters, B, x, &w->encoder, w->d_z, gradient, NULL,
                         &w->scratch);
    codebook_backward(model, B, weight[EV_VQ_CODEBOOK], w, gradient + model->codebook);
}

void ev_vqvae_backward(const ev_vqvae *model, const float *parameters, size_t B, const float *x,
                       ev_vqvae_workspace *w, float *gradient)
{
    const double weight[EV_VQ_TERMS] = {1, model->config.codebook == EV_CODEBOOK_GRADIENT ? 1 : 0,
                                        1};
    ev_vqvae_backward_terms(model, parameters, B, x, weight, w, gradient);
}

size_t ev_vqvae_move_codes(const ev_vqvae *model, size_t B, uint64_t seed,
                           ev_codebook_average *average, ev_vqvae_workspace *w, float *parameters)
{
    const size_t K = model->config.K, J = model->config.J, vectors = B * model->N;
    float *codes = parameters + model->codebook;
    ev_codebook_sum(K, J, vectors, w->z, w->index, w->n, w->s);
    ev_codebook_step(&model->rule, K, J, w->n, w->s, average, codes);
    return ev_codebook_revive(&model->rule, K, J, vectors, w->z, seed, average, codes, w->revived);
}
