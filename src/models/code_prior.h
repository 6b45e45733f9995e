/* An autoregressive prior over a grid of codes, by masked convolutions (A. van den Oord, N.
 * Kalchbrenner, K. Kavukcuoglu, "Pixel recurrent neural networks", ICML 2016).
 *
 *   log p(c) = sum_i log p(c_i | c_1, ..., c_{i-1}),   the places in reading order
 *
 *   P, Q    height and width of the grid      N   P Q places
 *   K       codes                             B   grids of a batch
 *   codes   (B,N) each below K                logits   (B,N,K)
 * The network, channels last, a place's row of input being embedding[c_i] + position[i] (E):
 *   net.0      5x5 from E to h, without the place itself and what comes after it (mask A)
 *   residual blocks of h channels; their 3x3 leaves out what comes after the place (mask B)
 *   net.last   1x1 to K logits
 * The weights that a mask leaves out are 0 and have the gradient 0, so an optimiser that begins at
 * no momentum leaves them there.  The last layer begins at 0: at first p is uniform, and a grid costs
 * N log K nats [vq-divergence in derivations/vector_quantisation.md]; after training it costs the
 * cross-entropy [rate-prior].
 */
#ifndef EV_MODELS_CODE_PRIOR_H
#define EV_MODELS_CODE_PRIOR_H

#include "base/error.h"
#include "nn/conv_net.h"
#include "nn/layout.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t height, width; /* P, Q: at most 128 */
    size_t K;             /* at most 2^16 */
    size_t embedding;     /* E */
    size_t hidden, inner; /* h, and the channels inside a residual block */
    size_t blocks;        /* at least 1, at most 8 */
} ev_code_prior_config;

/* For a grid of 7 x 7 and 512 codes: E = 32, h = 64 with 32 inside 4 blocks. */
extern const ev_code_prior_config ev_code_prior_default;

typedef struct {
    ev_code_prior_config config;
    ev_layout layout;
    ev_conv_net net;
    size_t embedding, position; /* offsets: (K,E), (N,E) */
    size_t N;
} ev_code_prior;

ev_status ev_code_prior_create(ev_code_prior *prior, const ev_code_prior_config *config,
                               ev_error *error);
/* A function of the seed alone. */
void ev_code_prior_initialise(const ev_code_prior *prior, uint64_t seed, float *parameters);
/* Set to 0 what the masks leave out, in parameters or in a gradient.  For parameters that come from
 * elsewhere, before the first use. */
void ev_code_prior_mask(const ev_code_prior *prior, float *array);

typedef struct {
    size_t B, threads;
    ev_conv_acts acts;
    ev_conv_scratch scratch;
    float *input;   /* (B,N,E) */
    float *logits;  /* (B,N,K) by name; d_logits is made in log_p */
    float *log_p;   /* (B,N,K) log p(. | earlier codes) */
    float *d_input; /* (B,N,E) */
    double *terms;  /* (B) log p of each grid */
    float *memory;
} ev_code_prior_workspace;

/* For batches of up to B grids on so many threads (0: as OpenMP has it). */
ev_status ev_code_prior_workspace_create(ev_code_prior_workspace *w, const ev_code_prior *prior,
                                         size_t B, size_t threads, ev_error *error);
void ev_code_prior_workspace_destroy(ev_code_prior_workspace *w);

/* The mean of log p(codes) over the batch, nats a grid; terms has each. */
double ev_code_prior_forward(const ev_code_prior *prior, const float *parameters, size_t B,
                             const uint32_t *codes, ev_code_prior_workspace *w);
/* After the forward pass: gradient (layout.size) of the loss, minus that mean.  Spends log_p. */
void ev_code_prior_backward(const ev_code_prior *prior, const float *parameters, size_t B,
                            const uint32_t *codes, ev_code_prior_workspace *w, float *gradient);
/* B draws, place by place; grid b is a function of seed and first + b, whatever the batch. */
void ev_code_prior_sample(const ev_code_prior *prior, const float *parameters, uint64_t seed,
                          uint64_t first, size_t B, uint32_t *codes, ev_code_prior_workspace *w);

#endif
