#include "models/autoencoder.h"

#include "nn/dense.h"

#include <string.h>

const char *const ev_restore_names[] = {"likelihood", "squares", NULL};

/* m = E[x|z], loss |x - m|^2/2; for a Bernoulli m = sigmoid(out), m' = m (1 - m). */
static float squares(const ev_gmvae *model, const float *target, const float *out, float scale,
                     float *d_out)
{
    const size_t D = model->config.D;
    const bool bernoulli = model->config.likelihood == EV_LIKELIHOOD_BERNOULLI;
    float loss = 0.0F;
    memset(d_out, 0, model->E * sizeof *d_out);
    ev_likelihood_mean(model->config.likelihood, D, out, d_out);
    for (size_t i = 0; i < D; i++) {
        float mean = d_out[i], off = mean - target[i];
        loss += 0.5F * off * off;
        d_out[i] = scale * off * (bernoulli ? mean * (1.0F - mean) : 1.0F);
    }
    return loss;
}

static float restore(const ev_gmvae *model, const float *target, const float *out,
                     ev_restore_kind kind, float scale, float *d_out)
{
    if (kind == EV_RESTORE_SQUARES)
        return squares(model, target, out, scale, d_out);
    return -ev_likelihood_backward(model->config.likelihood, model->config.D, target, out, -scale,
                                   d_out);
}

/* The losses of a batch into terms, d_out; returns the mean. */
static double restore_batch(const ev_gmvae *model, size_t B, const float *target,
                            ev_restore_kind kind, ev_gmvae_workspace *w)
{
    double sum = 0.0;
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < B; b++)
        w->terms[b] = restore(model, target + b * model->config.D, w->out + b * model->E, kind,
                              1.0F / (float)B, w->d_out + b * model->E);
    for (size_t b = 0; b < B; b++)
        sum += (double)w->terms[b];
    return sum / (double)B;
}

/* z (B,J) from the first J of each row of raw (B,R). */
static void take_means(const ev_gmvae *model, size_t B, const float *raw, float *z)
{
    const size_t J = model->config.J;
    for (size_t b = 0; b < B; b++)
        memcpy(z + b * J, raw + b * model->R, J * sizeof *z);
}

/* And back: d_raw is d_z in its first J columns, 0 beyond. */
static void give_means(const ev_gmvae *model, size_t B, const float *d_z, float *d_raw)
{
    const size_t J = model->config.J;
    memset(d_raw, 0, B * model->R * sizeof *d_raw);
    for (size_t b = 0; b < B; b++)
        memcpy(d_raw + b * model->R, d_z + b * J, J * sizeof *d_z);
}

double ev_autoencoder_pass(const ev_gmvae *model, const float *parameters, size_t B,
                           const float *input, const float *target, ev_restore_kind kind,
                           ev_gmvae_workspace *w, float *gradient)
{
    ev_mlp_forward(&model->encoder, parameters, B, input, w->encoder, w->work);
    take_means(model, B, w->raw, w->z);
    ev_mlp_forward(&model->decoder, parameters, B, w->z, w->decoder, w->work);
    const double loss = restore_batch(model, B, target, kind, w);
    memset(gradient, 0, model->layout.size * sizeof *gradient);
    ev_mlp_backward(&model->decoder, parameters, B, w->z, w->decoder, w->d_out, w->scratch, w->work,
                    gradient, w->d_z);
    give_means(model, B, w->d_z, w->d_raw);
    ev_mlp_backward(&model->encoder, parameters, B, input, w->encoder, w->d_raw, w->scratch,
                    w->work, gradient, NULL);
    return loss;
}

size_t ev_autoencoder_layers(const ev_gmvae *model) { return model->encoder.depth; }

const float *ev_autoencoder_layer_input(const ev_gmvae *model, const float *parameters, size_t l,
                                        size_t B, const float *input, ev_gmvae_workspace *w)
{
    ev_mlp below = model->encoder;
    if (l == 0)
        return input;
    for (size_t i = 0; i < l; i++)
        ev_dense_forward(w->encoder[i], i == 0 ? input : w->encoder[i - 1],
                         parameters + below.weight[i], parameters + below.bias[i], B,
                         below.width[i], below.width[i + 1], true, w->work);
    return w->encoder[l - 1];
}

/* Half the squared distance of two batches of the same width; d = (out - target)/B where the ReLU
 * that made out is open. */
static double squared_distance(size_t B, size_t width, const float *target, const float *out,
                               float *d)
{
    double sum = 0.0;
    for (size_t i = 0; i < B * width; i++) {
        float off = out[i] - target[i];
        sum += 0.5 * (double)(off * off);
        d[i] = out[i] > 0.0F ? off / (float)B : 0.0F;
    }
    return sum / (double)B;
}

double ev_autoencoder_layer_pass(const ev_gmvae *model, const float *parameters, size_t l, size_t B,
                                 const float *input, const float *target, ev_restore_kind kind,
                                 ev_gmvae_workspace *w, float *gradient)
{
    const ev_mlp *up = &model->encoder, *down = &model->decoder;
    const size_t m = down->depth - 1 - l, in = up->width[l], out = up->width[l + 1];
    const bool last = l + 1 == up->depth;
    const float *code = w->encoder[l];
    float *d_code = w->scratch[0], *d_restored = l == 0 ? w->d_out : w->scratch[1];
    ev_dense_forward(w->encoder[l], input, parameters + up->weight[l], parameters + up->bias[l], B,
                     in, out, !last, w->work);
    if (last) {
        take_means(model, B, w->raw, w->z);
        code = w->z;
        d_code = w->d_z;
    }
    ev_dense_forward(w->decoder[m], code, parameters + down->weight[m], parameters + down->bias[m],
                     B, down->width[m], down->width[m + 1], l > 0, w->work);
    const double loss = l == 0 ? restore_batch(model, B, target, kind, w)
                               : squared_distance(B, in, target, w->decoder[m], d_restored);
    memset(gradient, 0, model->layout.size * sizeof *gradient);
    ev_dense_backward_weights(gradient + down->weight[m], gradient + down->bias[m], d_restored,
                              code, B, down->width[m], down->width[m + 1], w->work);
    ev_dense_backward_input(d_code, d_restored, parameters + down->weight[m], last ? NULL : code, B,
                            down->width[m], down->width[m + 1], w->work);
    if (last)
        give_means(model, B, w->d_z, w->d_raw);
    ev_dense_backward_weights(gradient + up->weight[l], gradient + up->bias[l],
                              last ? w->d_raw : d_code, input, B, in, out, w->work);
    return loss;
}
