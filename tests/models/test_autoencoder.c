#include "models/autoencoder.h"

#include "nn/buffer.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { B = 4, D = 6, WIDE = 16 };

static const ev_gmvae_config SMALL = {
    .D = D, .J = 2, .K = 3, .layers = 2, .hidden = {7, 5}, .samples = 1};

typedef struct {
    ev_gmvae model;
    ev_gmvae_workspace w;
    float *parameters, *gradient;
    float input[B * WIDE], target[B * WIDE];
} setting;

static setting create(int likelihood, int posterior)
{
    setting s;
    ev_gmvae_config config = SMALL;
    config.likelihood = (ev_likelihood_kind)likelihood;
    config.posterior = (ev_posterior_kind)posterior;
    cr_assert_eq(ev_gmvae_create(&s.model, &config, NULL), EV_OK);
    cr_assert_eq(ev_gmvae_workspace_create(&s.w, &s.model, B, NULL), EV_OK);
    s.parameters = ev_buffer_create(s.model.layout.size);
    s.gradient = ev_buffer_create(s.model.layout.size);
    ev_gmvae_initialise(&s.model, 2, s.parameters);
    for (size_t i = 0; i < s.model.encoder.width[1]; i++) /* biases that are not 0 */
        s.parameters[s.model.encoder.bias[0] + i] = 0.05F * (float)i;
    for (int i = 0; i < B * WIDE; i++) {
        s.input[i] = (float)(0.5 + 0.5 * sin(1.3 * i));
        s.target[i] = (float)(0.5 + 0.5 * sin(1.3 * i + 0.4));
    }
    return s;
}

static void destroy(setting *s)
{
    ev_gmvae_workspace_destroy(&s->w);
    free(s->parameters);
    free(s->gradient);
}

/* One dense layer in double. */
static void layer(const ev_mlp *mlp, size_t l, const float *p, const double *x, int relu, double *y)
{
    for (size_t o = 0; o < mlp->width[l + 1]; o++) {
        y[o] = (double)p[mlp->bias[l] + o];
        for (size_t i = 0; i < mlp->width[l]; i++)
            y[o] += (double)p[mlp->weight[l] + o * mlp->width[l] + i] * x[i];
        y[o] = relu ? fmax(y[o], 0.0) : y[o];
    }
}

static double pixel_loss(const setting *s, ev_restore_kind kind, double x, double out,
                         double second)
{
    int bernoulli = s->model.config.likelihood == EV_LIKELIHOOD_BERNOULLI;
    double mean = bernoulli ? 1.0 / (1.0 + exp(-out)) : out;
    if (kind == EV_RESTORE_SQUARES)
        return 0.5 * (x - mean) * (x - mean);
    if (bernoulli)
        return -x * log(mean) - (1.0 - x) * log1p(-mean);
    return 0.5 * (log(2.0 * acos(-1.0)) + second + (x - mean) * (x - mean) * exp(-second));
}

/* The loss of layers from..depth of the encoder and their mirror images, in double: from = -1 for
 * the whole network. */
static double exact(const setting *s, int only, ev_restore_kind kind)
{
    const ev_mlp *up = &s->model.encoder, *down = &s->model.decoder;
    size_t first = only < 0 ? 0 : (size_t)only, last = only < 0 ? up->depth - 1 : (size_t)only;
    size_t in = up->width[first];
    double sum = 0.0;
    for (size_t b = 0; b < B; b++) {
        double a[WIDE], y[2 * WIDE];
        for (size_t i = 0; i < in; i++)
            a[i] = (double)s->input[b * in + i];
        for (size_t l = first; l <= last; l++, memcpy(a, y, sizeof a))
            layer(up, l, s->parameters, a, l + 1 < up->depth, y);
        for (size_t l = last + 1; l-- > first; memcpy(a, y, sizeof a))
            layer(down, down->depth - 1 - l, s->parameters, a, l > 0, y);
        for (size_t i = 0; i < in; i++) {
            double x = (double)s->target[b * in + i];
            sum += first > 0 ? 0.5 * (x - y[i]) * (x - y[i])
                             : pixel_loss(s, kind, x, y[i], y[in + i]);
        }
    }
    return sum / B;
}

static double ours(setting *s, int only, ev_restore_kind kind)
{
    return only < 0 ? ev_autoencoder_pass(&s->model, s->parameters, B, s->input, s->target, kind,
                                          &s->w, s->gradient)
                    : ev_autoencoder_layer_pass(&s->model, s->parameters, (size_t)only, B, s->input,
                                                s->target, kind, &s->w, s->gradient);
}

/* Central differences in double of parameters that are floats; small, so that hardly a ReLU opens or
 * shuts in between. */
static void assert_gradient(setting *s, int only, ev_restore_kind kind)
{
    const float h = 0x1p-16F;
    for (size_t i = 0; i < s->model.layout.size; i++) {
        float at = s->parameters[i];
        const float up = at + h, down = at - h;
        s->parameters[i] = up;
        double above = exact(s, only, kind);
        s->parameters[i] = down;
        double below = exact(s, only, kind);
        s->parameters[i] = at;
        double slope = (above - below) / ((double)up - (double)down);
        cr_assert_float_eq((double)s->gradient[i], slope, 1e-4 * (0.1 + fabs(slope)),
                           "layer %d, parameter %zu: %g is not %g", only, i, (double)s->gradient[i],
                           slope);
    }
}

Test(autoencoder, losses_and_gradients_are_those_of_double_precision)
{
    for (int variant = 0; variant < 8; variant++) {
        setting s = create(variant & 1, variant >> 1 & 1);
        const ev_restore_kind kind = (ev_restore_kind)(variant >> 2);
        for (int only = -1; only < 3; only++) {
            double right = exact(&s, only, kind);
            cr_assert_float_eq(ours(&s, only, kind), right, 1e-5 * (1.0 + fabs(right)));
            assert_gradient(&s, only, kind);
        }
        destroy(&s);
    }
}

Test(autoencoder, a_layers_input_is_what_the_layers_below_put_out)
{
    setting s = create(0, 0);
    const ev_mlp *up = &s.model.encoder;
    cr_assert_eq(ev_autoencoder_layer_input(&s.model, s.parameters, 0, B, s.input, &s.w), s.input);
    const float *in = ev_autoencoder_layer_input(&s.model, s.parameters, 2, B, s.input, &s.w);
    for (size_t b = 0; b < B; b++) {
        double x[WIDE], y[WIDE], z[WIDE];
        for (size_t i = 0; i < D; i++)
            x[i] = (double)s.input[b * D + i];
        layer(up, 0, s.parameters, x, 1, y);
        layer(up, 1, s.parameters, y, 1, z);
        for (size_t i = 0; i < up->width[2]; i++)
            cr_assert_float_eq((double)in[b * up->width[2] + i], z[i], 1e-5);
    }
    destroy(&s);
}
