#include "nn/conv_net.h"

#include "numerics/random.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static size_t fine_size(const ev_conv *c) { return c->height * c->width * c->channels; }
static size_t coarse_size(const ev_conv *c)
{
    return ev_conv_out_height(c) * ev_conv_out_width(c) * c->filters;
}

static size_t add_block(ev_layout *layout, const char *prefix, const char *what, size_t rows,
                        size_t columns)
{
    char name[EV_BLOCK_NAME];
    snprintf(name, sizeof name, "%s.%s", prefix, what);
    return layout->block[ev_layout_add(layout, name, rows, columns)].offset;
}

/* One convolution of stage `l`; part: which of two, or -1 for the only one. */
static void add_conv(ev_stage *stage, ev_layout *layout, const char *prefix, size_t l, int part,
                     const ev_conv *conv, size_t bias)
{
    char name[EV_BLOCK_NAME / 2];
    size_t i = part < 0 ? 0 : (size_t)part;
    snprintf(name, sizeof name, part < 0 ? "%.8s.%zu" : "%.8s.%zu.%d", prefix, l, part);
    stage->conv[i] = *conv;
    stage->weight[i] = add_block(layout, name, "weight", ev_conv_taps(conv), conv->filters);
    stage->bias[i] = add_block(layout, name, "bias", bias, 0);
}

static ev_stage *append(ev_conv_net *net, ev_stage_kind kind, bool relu)
{
    assert(net->depth < EV_CONV_NET_DEPTH);
    ev_stage *stage = &net->stage[net->depth++];
    *stage = (ev_stage){.kind = kind, .relu = relu};
    return stage;
}

void ev_conv_net_conv(ev_conv_net *net, ev_layout *layout, const char *prefix, const ev_conv *conv,
                      bool relu)
{
    ev_stage *stage = append(net, EV_STAGE_CONV, relu);
    add_conv(stage, layout, prefix, net->depth - 1, -1, conv, conv->filters);
    stage->in = fine_size(conv);
    stage->out = coarse_size(conv);
}

void ev_conv_net_transposed(ev_conv_net *net, ev_layout *layout, const char *prefix,
                            const ev_conv *conv, bool relu)
{
    ev_stage *stage = append(net, EV_STAGE_TRANSPOSED, relu);
    add_conv(stage, layout, prefix, net->depth - 1, -1, conv, conv->channels);
    stage->in = coarse_size(conv);
    stage->out = fine_size(conv);
}

void ev_conv_net_residual(ev_conv_net *net, ev_layout *layout, const char *prefix, size_t height,
                          size_t width, size_t channels, size_t inner, bool relu)
{
    const ev_conv spatial = {height, width, channels, 3, 1, 1, inner};
    const ev_conv pointwise = {height, width, inner, 1, 1, 0, channels};
    assert(net->depth == 0 || !net->stage[net->depth - 1].relu);
    ev_stage *stage = append(net, EV_STAGE_RESIDUAL, relu);
    add_conv(stage, layout, prefix, net->depth - 1, 0, &spatial, inner);
    add_conv(stage, layout, prefix, net->depth - 1, 1, &pointwise, channels);
    stage->in = stage->out = height * width * channels;
}

static size_t conv_count(const ev_stage *stage) { return stage->kind == EV_STAGE_RESIDUAL ? 2 : 1; }

ev_status ev_conv_net_check(const ev_conv_net *net, size_t B, ev_error *error)
{
    ev_status status = EV_OK;
    for (size_t l = 0; l < net->depth; l++)
        for (size_t i = 0; i < conv_count(&net->stage[l]) && status == EV_OK; i++)
            status = ev_conv_check(&net->stage[l].conv[i], B, error);
    return status;
}

static void fill_uniform(const ev_stream *stream, size_t n, double limit, float *W)
{
    enum { CHUNK = 256 };
    double u[CHUNK];
    for (size_t done = 0; done < n; done += CHUNK) {
        size_t take = n - done < CHUNK ? n - done : CHUNK;
        ev_stream_uniforms(stream, done, take, u);
        for (size_t i = 0; i < take; i++)
            W[done + i] = (float)(limit * (2.0 * u[i] - 1.0));
    }
}

/* Of a transposed convolution each output meets k^2/s^2 taps of F inputs, on the average. */
static double inputs_of(const ev_stage *stage, const ev_conv *conv)
{
    double area = (double)(conv->kernel * conv->kernel);
    return stage->kind == EV_STAGE_TRANSPOSED
               ? area / (double)(conv->stride * conv->stride) * (double)conv->filters
               : area * (double)conv->channels;
}

void ev_conv_net_initialise(const ev_conv_net *net, const char *name, uint64_t seed,
                            float *parameters)
{
    for (size_t l = 0; l < net->depth; l++) {
        const ev_stage *stage = &net->stage[l];
        for (size_t i = 0; i < conv_count(stage); i++) {
            const ev_conv *conv = &stage->conv[i];
            size_t bias = stage->kind == EV_STAGE_TRANSPOSED ? conv->channels : conv->filters;
            const ev_stream stream = ev_stream_make(seed, ev_hash_text(name), (uint32_t)l,
                                                    (uint32_t)i);
            fill_uniform(&stream, ev_conv_taps(conv) * conv->filters,
                         sqrt(6.0 / inputs_of(stage, conv)), parameters + stage->weight[i]);
            memset(parameters + stage->bias[i], 0, bias * sizeof(float));
        }
    }
}

void ev_conv_net_place(const ev_conv_net *net, size_t B, ev_conv_acts *acts, ev_carve *carve)
{
    size_t widest = 0, inner = 0;
    for (size_t l = 0; l < net->depth; l++) {
        const ev_stage *stage = &net->stage[l];
        bool residual = stage->kind == EV_STAGE_RESIDUAL;
        size_t middle = residual ? coarse_size(&stage->conv[0]) : 0;
        acts->out[l] = ev_carve_take(carve, ev_size_product(B, stage->out));
        acts->inner[0][l] = residual ? ev_carve_take(carve, ev_size_product(B, stage->in)) : NULL;
        acts->inner[1][l] = residual ? ev_carve_take(carve, ev_size_product(B, middle)) : NULL;
        widest = stage->in > widest ? stage->in : widest;
        inner = middle > inner ? middle : inner;
    }
    acts->gradient[0] = ev_carve_take(carve, ev_size_product(B, widest));
    acts->gradient[1] = ev_carve_take(carve, ev_size_product(B, widest));
    acts->inner_gradient = ev_carve_take(carve, ev_size_product(B, inner));
}

size_t ev_conv_net_scratch_size(const ev_conv_net *net, size_t threads)
{
    size_t most = 0;
    for (size_t l = 0; l < net->depth; l++)
        for (size_t i = 0; i < conv_count(&net->stage[l]); i++) {
            size_t size = ev_conv_scratch_size(&net->stage[l].conv[i], threads);
            most = size > most ? size : most;
        }
    return most;
}

/* r = relu(x), and y = x + y, rectified where the stage is. */
static void rectified(size_t n, const float *x, float *r, size_t threads)
{
#pragma omp parallel for simd schedule(static) num_threads((int)threads)
    for (size_t i = 0; i < n; i++)
        r[i] = x[i] < 0.0F ? 0.0F : x[i];
}

static void add(size_t n, const float *x, float *y, bool relu, size_t threads)
{
#pragma omp parallel for simd schedule(static) num_threads((int)threads)
    for (size_t i = 0; i < n; i++) {
        float sum = x[i] + y[i];
        y[i] = relu && sum < 0.0F ? 0.0F : sum;
    }
}

static void residual_forward(const ev_stage *stage, const float *parameters, size_t B,
                             const float *x, float *r, float *a, float *y,
                             const ev_conv_scratch *scratch)
{
    rectified(B * stage->in, x, r, scratch->threads);
    ev_conv_forward(&stage->conv[0], B, a, r, parameters + stage->weight[0],
                    parameters + stage->bias[0], true, scratch);
    ev_conv_forward(&stage->conv[1], B, y, a, parameters + stage->weight[1],
                    parameters + stage->bias[1], false, scratch);
    add(B * stage->in, x, y, stage->relu, scratch->threads);
}

void ev_conv_net_forward(const ev_conv_net *net, const float *parameters, size_t B, const float *x,
                         const ev_conv_acts *acts, const ev_conv_scratch *scratch)
{
    for (size_t l = 0; l < net->depth; l++) {
        const ev_stage *stage = &net->stage[l];
        const float *weight = parameters + stage->weight[0], *bias = parameters + stage->bias[0];
        float *y = acts->out[l];
        if (stage->kind == EV_STAGE_RESIDUAL)
            residual_forward(stage, parameters, B, x, acts->inner[0][l], acts->inner[1][l], y,
                             scratch);
        else if (stage->kind == EV_STAGE_CONV)
            ev_conv_forward(&stage->conv[0], B, y, x, weight, bias, stage->relu, scratch);
        else
            ev_conv_transposed_forward(&stage->conv[0], B, y, x, weight, bias, stage->relu,
                                       scratch);
        x = y;
    }
}

/* dx = dy + what comes back through the block; never NULL here, for the block's own weights need
 * the inner gradient anyway. */
static void residual_backward(const ev_stage *stage, const float *parameters, size_t B,
                              const float *r, const float *a, const float *dy, float *gradient,
                              float *d_inner, float *dx, const ev_conv_scratch *scratch)
{
    ev_conv_backward_weights(&stage->conv[1], B, gradient + stage->weight[1],
                             gradient + stage->bias[1], dy, a, scratch);
    ev_conv_backward_input(&stage->conv[1], B, d_inner, dy, parameters + stage->weight[1], a,
                           scratch);
    ev_conv_backward_weights(&stage->conv[0], B, gradient + stage->weight[0],
                             gradient + stage->bias[0], d_inner, r, scratch);
    if (dx == NULL)
        return;
    ev_conv_backward_input(&stage->conv[0], B, dx, d_inner, parameters + stage->weight[0], r,
                           scratch);
    add(B * stage->in, dy, dx, false, scratch->threads);
}

/* A stage that is one convolution; activation: its input, where that came out of a ReLU. */
static void plain_backward(const ev_stage *stage, const float *parameters, size_t B, const float *x,
                           const float *activation, const float *dy, float *gradient, float *dx,
                           const ev_conv_scratch *scratch)
{
    const float *weight = parameters + stage->weight[0];
    float *d_weight = gradient + stage->weight[0], *d_bias = gradient + stage->bias[0];
    if (stage->kind == EV_STAGE_CONV) {
        ev_conv_backward_weights(&stage->conv[0], B, d_weight, d_bias, dy, x, scratch);
        if (dx != NULL)
            ev_conv_backward_input(&stage->conv[0], B, dx, dy, weight, activation, scratch);
    } else {
        ev_conv_transposed_backward_weights(&stage->conv[0], B, d_weight, d_bias, dy, x, scratch);
        if (dx != NULL)
            ev_conv_transposed_backward_input(&stage->conv[0], B, dx, dy, weight, activation,
                                              scratch);
    }
}

void ev_conv_net_backward(const ev_conv_net *net, const float *parameters, size_t B, const float *x,
                          const ev_conv_acts *acts, const float *d_out, float *gradient, float *dx,
                          const ev_conv_scratch *scratch)
{
    const float *dy = d_out;
    for (size_t l = net->depth; l-- > 0;) {
        const ev_stage *stage = &net->stage[l];
        const float *input = l == 0 ? x : acts->out[l - 1];
        bool rectified_input = l > 0 && net->stage[l - 1].relu;
        float *d_input = l == 0 ? dx : acts->gradient[l % 2];
        if (stage->kind == EV_STAGE_RESIDUAL)
            residual_backward(stage, parameters, B, acts->inner[0][l], acts->inner[1][l], dy,
                              gradient, acts->inner_gradient, d_input, scratch);
        else
            plain_backward(stage, parameters, B, input, rectified_input ? input : NULL, dy,
                           gradient, d_input, scratch);
        dy = d_input;
    }
}
