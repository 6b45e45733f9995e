#include "models/code_prior.h"

#include "nn/buffer.h"
#include "nn/float_math.h"
#include "numerics/random.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

const ev_code_prior_config ev_code_prior_default = {
    .height = 7, .width = 7, .K = 512, .embedding = 32, .hidden = 64, .inner = 32, .blocks = 4};

static ev_status check_config(const ev_code_prior_config *c, ev_error *error)
{
    const struct {
        const char *what;
        size_t value, most;
    } sizes[] = {{"the height of the grid", c->height, 128},
                 {"the width of the grid", c->width, 128},
                 {"the number of codes", c->K, 1 << 16},
                 {"the size of an embedding", c->embedding, 512},
                 {"the number of the prior's channels", c->hidden, 512},
                 {"the number of channels inside its blocks", c->inner, 512},
                 {"the number of its residual blocks", c->blocks, 8}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].value < 1 || sizes[i].value > sizes[i].most)
            return ev_error_set(error, EV_BAD_INPUT, "%s is %zu: expected 1 to %zu", sizes[i].what,
                                sizes[i].value, sizes[i].most);
    return EV_OK;
}

static size_t add_block(ev_layout *layout, const char *name, size_t rows, size_t columns)
{
    return layout->block[ev_layout_add(layout, name, rows, columns)].offset;
}

ev_status ev_code_prior_create(ev_code_prior *prior, const ev_code_prior_config *config,
                               ev_error *error)
{
    ev_status status = check_config(config, error);
    if (status != EV_OK)
        return status;
    const ev_code_prior_config *c = config;
    *prior = (ev_code_prior){.config = *c, .N = c->height * c->width};
    prior->embedding = add_block(&prior->layout, "embedding", c->K, c->embedding);
    prior->position = add_block(&prior->layout, "position", prior->N, c->embedding);
    ev_conv_net_conv(&prior->net, &prior->layout, "net",
                     &(ev_conv){c->height, c->width, c->embedding, 5, 1, 2, c->hidden}, false);
    for (size_t i = 0; i < c->blocks; i++)
        ev_conv_net_residual(&prior->net, &prior->layout, "net", c->height, c->width, c->hidden,
                             c->inner, i + 1 == c->blocks);
    ev_conv_net_conv(&prior->net, &prior->layout, "net",
                     &(ev_conv){c->height, c->width, c->hidden, 1, 1, 0, c->K}, false);
    return EV_OK;
}

/* The taps are in reading order, so what a mask leaves out is the end of the weight's rows: from the
 * centre on (A), or from behind it (B). */
static void mask_taps(const ev_conv *conv, bool with_centre, float *weight)
{
    size_t from = conv->kernel * conv->kernel / 2 + (with_centre ? 1 : 0);
    size_t tap = conv->channels * conv->filters;
    memset(weight + from * tap, 0, (conv->kernel * conv->kernel - from) * tap * sizeof *weight);
}

void ev_code_prior_mask(const ev_code_prior *prior, float *array)
{
    const ev_stage *stage = prior->net.stage;
    mask_taps(&stage[0].conv[0], false, array + stage[0].weight[0]);
    for (size_t l = 1; l + 1 < prior->net.depth; l++)
        mask_taps(&stage[l].conv[0], true, array + stage[l].weight[0]);
}

static void draw_normals(const char *name, uint64_t seed, size_t n, double sigma, float *x)
{
    enum { CHUNK = 256 };
    double e[CHUNK];
    const ev_stream stream = ev_stream_make(seed, ev_hash_text(name), 0, 0);
    for (size_t done = 0; done < n; done += CHUNK) {
        size_t take = n - done < CHUNK ? n - done : CHUNK;
        ev_stream_normals(&stream, done, take, e);
        for (size_t i = 0; i < take; i++)
            x[done + i] = (float)(sigma * e[i]);
    }
}

void ev_code_prior_initialise(const ev_code_prior *prior, uint64_t seed, float *parameters)
{
    const ev_code_prior_config *c = &prior->config;
    const ev_stage *last = &prior->net.stage[prior->net.depth - 1];
    memset(parameters, 0, prior->layout.size * sizeof *parameters);
    ev_conv_net_initialise(&prior->net, "code_prior.net", seed, parameters);
    ev_code_prior_mask(prior, parameters);
    memset(parameters + last->weight[0], 0, c->hidden * c->K * sizeof *parameters);
    draw_normals("code_prior.embedding", seed, c->K * c->embedding, 1,
                 parameters + prior->embedding);
    draw_normals("code_prior.position", seed, prior->N * c->embedding, 0.1,
                 parameters + prior->position);
}

static void place(ev_code_prior_workspace *w, const ev_code_prior *prior, ev_carve *carve)
{
    const size_t places = ev_size_product(w->B, prior->N);
    ev_conv_net_place(&prior->net, w->B, &w->acts, carve);
    w->scratch.threads = w->threads;
    w->scratch.memory = ev_carve_take(carve, ev_conv_net_scratch_size(&prior->net, w->threads));
    w->input = ev_carve_take(carve, ev_size_product(places, prior->config.embedding));
    w->d_input = ev_carve_take(carve, ev_size_product(places, prior->config.embedding));
    w->log_p = ev_carve_take(carve, ev_size_product(places, prior->config.K));
    w->logits = w->acts.out[prior->net.depth - 1];
}

ev_status ev_code_prior_workspace_create(ev_code_prior_workspace *w, const ev_code_prior *prior,
                                         size_t B, size_t threads, ev_error *error)
{
    *w = (ev_code_prior_workspace){
        .B = B, .threads = threads > 0 ? threads : (size_t)omp_get_max_threads()};
    if (B == 0)
        return ev_error_set(error, EV_BAD_INPUT, "a batch has no grids of codes");
    ev_status status = ev_conv_net_check(&prior->net, B, error);
    if (status != EV_OK)
        return status;
    ev_carve carve = {NULL, 0};
    place(w, prior, &carve);
    w->memory = ev_buffer_create(carve.used);
    w->terms = calloc(B, sizeof *w->terms);
    if (w->memory == NULL || w->terms == NULL) {
        ev_code_prior_workspace_destroy(w);
        return ev_error_set(error, EV_NO_MEMORY, "out of memory for %zu grids of codes", B);
    }
    place(w, prior, &(ev_carve){w->memory, 0});
    return EV_OK;
}

void ev_code_prior_workspace_destroy(ev_code_prior_workspace *w)
{
    free(w->memory);
    free(w->terms);
    *w = (ev_code_prior_workspace){0};
}

static void embed(const ev_code_prior *prior, const float *parameters, size_t B,
                  const uint32_t *codes, float *input)
{
    const size_t E = prior->config.embedding;
    for (size_t i = 0; i < B * prior->N; i++) {
        const float *code = parameters + prior->embedding + codes[i] * E;
        const float *position = parameters + prior->position + i % prior->N * E;
        for (size_t j = 0; j < E; j++)
            input[i * E + j] = code[j] + position[j];
    }
}

static void logits_of(const ev_code_prior *prior, const float *parameters, size_t B,
                      const uint32_t *codes, ev_code_prior_workspace *w)
{
    embed(prior, parameters, B, codes, w->input);
    ev_conv_net_forward(&prior->net, parameters, B, w->input, &w->acts, &w->scratch);
}

double ev_code_prior_forward(const ev_code_prior *prior, const float *parameters, size_t B,
                             const uint32_t *codes, ev_code_prior_workspace *w)
{
    const size_t N = prior->N, K = prior->config.K;
    double sum = 0;
    logits_of(prior, parameters, B, codes, w);
#pragma omp parallel for schedule(static) num_threads((int)w->threads)
    for (size_t b = 0; b < B; b++) {
        w->terms[b] = 0;
        for (size_t i = b * N; i < (b + 1) * N; i++) {
            (void)ev_float_log_softmax(K, w->logits + i * K, w->log_p + i * K);
            w->terms[b] += (double)w->log_p[i * K + codes[i]];
        }
    }
    for (size_t b = 0; b < B; b++)
        sum += w->terms[b];
    return sum / (double)B;
}

/* d(-log p)/d logit = softmax - one-hot. */
static void logits_backward(size_t places, size_t K, size_t B, const uint32_t *codes, float *log_p,
                            size_t threads)
{
    const float scale = 1.0F / (float)B;
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t i = 0; i < places; i++) {
        float *d = log_p + i * K;
        ev_float_exp(K, d, d);
        d[codes[i]] -= 1.0F;
        for (size_t k = 0; k < K; k++)
            d[k] *= scale;
    }
}

static void embed_backward(const ev_code_prior *prior, size_t B, const uint32_t *codes,
                           const float *d_input, float *gradient)
{
    const size_t E = prior->config.embedding;
    for (size_t i = 0; i < B * prior->N; i++) {
        float *code = gradient + prior->embedding + codes[i] * E;
        float *position = gradient + prior->position + i % prior->N * E;
        for (size_t j = 0; j < E; j++) {
            code[j] += d_input[i * E + j];
            position[j] += d_input[i * E + j];
        }
    }
}

void ev_code_prior_backward(const ev_code_prior *prior, const float *parameters, size_t B,
                            const uint32_t *codes, ev_code_prior_workspace *w, float *gradient)
{
    memset(gradient, 0, prior->layout.size * sizeof *gradient);
    logits_backward(B * prior->N, prior->config.K, B, codes, w->log_p, w->threads);
    ev_conv_net_backward(&prior->net, parameters, B, w->input, &w->acts, w->log_p, gradient,
                         w->d_input, &w->scratch);
    embed_backward(prior, B, codes, w->d_input, gradient);
    ev_code_prior_mask(prior, gradient);
}

/* The first code whose cumulative probability exceeds u, by inversion in double. */
static uint32_t draw_code(size_t K, const float *log_p, double u)
{
    double cumulative = 0;
    for (size_t k = 0; k + 1 < K; k++) {
        cumulative += exp((double)log_p[k]);
        if (u < cumulative)
            return (uint32_t)k;
    }
    return (uint32_t)(K - 1);
}

void ev_code_prior_sample(const ev_code_prior *prior, const float *parameters, uint64_t seed,
                          uint64_t first, size_t B, uint32_t *codes, ev_code_prior_workspace *w)
{
    const size_t N = prior->N, K = prior->config.K;
    const ev_stream stream = ev_stream_make(seed, ev_hash_text("code_prior.sample"), 0, 0);
    memset(codes, 0, B * N * sizeof *codes);
    for (size_t i = 0; i < N; i++) {
        logits_of(prior, parameters, B, codes, w);
        for (size_t b = 0; b < B; b++) {
            double u;
            float *log_p = w->log_p + (b * N + i) * K;
            (void)ev_float_log_softmax(K, w->logits + (b * N + i) * K, log_p);
            ev_stream_uniforms(&stream, (first + b) * N + i, 1, &u);
            codes[b * N + i] = draw_code(K, log_p, u);
        }
    }
}
