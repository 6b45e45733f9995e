#include "nn/mlp.h"

#include "nn/buffer.h"
#include "nn/dense.h"
#include "numerics/random.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

void ev_mlp_create(ev_mlp *mlp, ev_layout *layout, const char *prefix, size_t depth,
                   const size_t *width)
{
    assert(depth >= 1 && depth <= EV_MLP_DEPTH);
    *mlp = (ev_mlp){.depth = depth};
    for (size_t l = 0; l <= depth; l++)
        mlp->width[l] = width[l];
    for (size_t l = 0; l < depth; l++) {
        char name[EV_BLOCK_NAME];
        snprintf(name, sizeof name, "%s.%zu.weight", prefix, l);
        mlp->weight[l] = layout->block[ev_layout_add(layout, name, width[l + 1], width[l])].offset;
        snprintf(name, sizeof name, "%s.%zu.bias", prefix, l);
        mlp->bias[l] = layout->block[ev_layout_add(layout, name, width[l + 1], 0)].offset;
    }
}

static void glorot_uniform(const ev_stream *stream, size_t in, size_t out, float *W)
{
    enum { CHUNK = 256 };
    double u[CHUNK], limit = sqrt(6.0 / (double)(in + out));
    for (size_t done = 0; done < in * out;) {
        size_t take = in * out - done < CHUNK ? in * out - done : CHUNK;
        ev_stream_uniforms(stream, done, take, u);
        for (size_t i = 0; i < take; i++)
            W[done + i] = (float)(limit * (2.0 * u[i] - 1.0));
        done += take;
    }
}

void ev_mlp_initialise(const ev_mlp *mlp, const char *name, uint64_t seed, float *parameters)
{
    for (size_t l = 0; l < mlp->depth; l++) {
        const ev_stream stream = ev_stream_make(seed, ev_hash_text(name), (uint32_t)l, 0);
        glorot_uniform(&stream, mlp->width[l], mlp->width[l + 1], parameters + mlp->weight[l]);
        for (size_t i = 0; i < mlp->width[l + 1]; i++)
            parameters[mlp->bias[l] + i] = 0.0F;
    }
}

void ev_mlp_forward(const ev_mlp *mlp, const float *parameters, size_t B, const float *x,
                    float *const act[], float *work)
{
    for (size_t l = 0; l < mlp->depth; l++)
        ev_dense_forward(act[l], l == 0 ? x : act[l - 1], parameters + mlp->weight[l],
                         parameters + mlp->bias[l], B, mlp->width[l], mlp->width[l + 1],
                         l + 1 < mlp->depth, work);
}

void ev_mlp_backward(const ev_mlp *mlp, const float *parameters, size_t B, const float *x,
                     float *const act[], const float *d_out, float *const scratch[2], float *work,
                     float *gradient, float *dx)
{
    const float *dy = d_out;
    for (size_t l = mlp->depth; l-- > 0;) {
        const size_t in = mlp->width[l], out = mlp->width[l + 1];
        const float *input = l == 0 ? x : act[l - 1], *W = parameters + mlp->weight[l];
        ev_dense_backward_weights(gradient + mlp->weight[l], gradient + mlp->bias[l], dy, input, B,
                                  in, out, work);
        float *d_input = l == 0 ? dx : scratch[l % 2];
        if (d_input != NULL)
            ev_dense_backward_input(d_input, dy, W, l == 0 ? NULL : input, B, in, out, work);
        dy = d_input;
    }
}

size_t ev_mlp_widest(const ev_mlp *mlp)
{
    size_t widest = 0;
    for (size_t l = 1; l < mlp->depth; l++)
        widest = ev_size_larger(widest, mlp->width[l]);
    return widest;
}

size_t ev_mlp_work_size(const ev_mlp *mlp, size_t B)
{
    size_t most = 0;
    for (size_t l = 0; l < mlp->depth; l++)
        most = ev_size_larger(most, ev_dense_work_size(B, mlp->width[l], mlp->width[l + 1]));
    return most;
}
