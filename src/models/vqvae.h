/* The vector-quantised variational autoencoder (A. van den Oord, O. Vinyals, K. Kavukcuoglu, "Neural
 * discrete representation learning", NeurIPS 2017), as derivations/vector_quantisation.md has it.
 *
 *   z = encoder(x), one vector for each place of a grid;  z_q: the nearest codes;  x ~ p(x|z_q)
 *
 * Legend of shapes, here and in the files around:
 *   B   images of a batch              H, W, C   their height, width and channels; D = H W C
 *   N   places of the grid of an image, H/4 times W/4
 *   K   codes                          J   dimensions of a code
 *   E   outputs of the decoder (likelihood.h)
 * Arrays are row-major floats, channels last.  All parameters are one array, described by the layout:
 *   encoder.*   4x4 stride 2 to h/2 and to h channels, 3x3, residual blocks, 1x1 to J
 *   decoder.*   3x3 from J to h, residual blocks, transposed 4x4 stride 2 to h/2 and to the outputs
 *   codebook    (K,J)
 *
 * The loss, the mean over a batch, in nats; sg stops the gradient:
 *   - log p(x|z_q)  +  sum_places |sg z - e|^2  +  beta sum_places |z - sg e|^2
 * The codebook term is in it only where the codes move by gradient; otherwise they move by
 * ev_codebook_step, after the batch has been quantised, and their gradient is 0.  Which term moves
 * what [vq-reconstruction-encoder, vq-reconstruction-code, vq-codebook-term, vq-commitment-term]:
 *
 *                      encoder              chosen code   other codes   decoder
 *   reconstruction     straight through     0             0             yes
 *   codebook           0                    2 (e - z)     0             0
 *   commitment         2 beta (z - e)       0             0             0
 *
 * A training step:
 *   ev_vqvae_loss loss = ev_vqvae_forward(&model, parameters, B, x, &w);
 *   ev_vqvae_backward(&model, parameters, B, x, &w, gradient);
 *   ev_adam_step(&adam, t, rate, model.layout.size, gradient, m, v, parameters);
 *   ev_vqvae_move_codes(&model, B, seed, &average, &w, parameters);
 * Nothing in it allocates.
 */
#ifndef EV_MODELS_VQVAE_H
#define EV_MODELS_VQVAE_H

#include "base/error.h"
#include "models/likelihood.h"
#include "models/vqvae_codebook.h"
#include "nn/conv_net.h"
#include "nn/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EV_VQVAE_SIDE = 512,     /* H and W at most; both are multiples of 4 */
    EV_VQVAE_CHANNELS = 512, /* h, the channels inside a residual block, and J at most */
    EV_VQVAE_CODES = 1 << 16,
    EV_VQVAE_BLOCKS = 4 /* residual blocks of each side at most */
};

typedef enum { EV_CODEBOOK_AVERAGE, EV_CODEBOOK_GRADIENT } ev_codebook_kind;

typedef struct {
    size_t height, width, channels;
    size_t hidden; /* h, even */
    size_t inner;  /* channels inside a residual block */
    size_t blocks; /* residual blocks on each side; 0 is allowed */
    size_t J, K;
    ev_likelihood_kind likelihood;
    ev_codebook_kind codebook;
    double beta;                   /* at least 0 */
    double decay, epsilon, revive; /* vqvae_codebook.h */
} ev_vqvae_config;

/* 28 x 28 x 1 images, h = 64 with 32 inside 2 blocks, K = 512, J = 64, beta = 0.25, Bernoulli, codes
 * by average. */
extern const ev_vqvae_config ev_vqvae_default;
/* "ema", "gradient", as on the command line; ended by NULL. */
extern const char *const ev_codebook_names[];

/* What follows from the configuration; constant after ev_vqvae_create. */
typedef struct {
    ev_vqvae_config config;
    ev_layout layout;
    ev_conv_net encoder, decoder;
    size_t codebook; /* offset in the parameters */
    ev_codebook_rule rule;
    size_t D, N, E;
} ev_vqvae;

/* EV_BAD_INPUT, with the reason, for sizes that are 0, beyond the limits above or don't fit. */
ev_status ev_vqvae_create(ev_vqvae *model, const ev_vqvae_config *config, ev_error *error);
/* parameters (layout.size): networks as in conv_net.h; codes uniform on +-1/K, to be replaced by
 * k-means on what the encoder puts out.  A function of the seed alone. */
void ev_vqvae_initialise(const ev_vqvae *model, uint64_t seed, float *parameters);

/* The terms of the loss, each with the sign and weight that it has in it, nats an image: minus the
 * log likelihood; the codebook term, also where it isn't minimised by gradient; beta times the
 * commitment. */
typedef enum { EV_VQ_RECONSTRUCTION, EV_VQ_CODEBOOK, EV_VQ_COMMITMENT, EV_VQ_TERMS } ev_vqvae_term;
extern const char *const ev_vqvae_term_names[EV_VQ_TERMS];
typedef struct {
    double term[EV_VQ_TERMS];
} ev_vqvae_loss;

/* The sum of the terms that are minimised by gradient. */
double ev_vqvae_total(const ev_vqvae *model, const ev_vqvae_loss *loss);
/* log p(x) >= log p(x|z_q) - N log K [vq-bound-positions]: the right side, nats an image. */
double ev_vqvae_bound(const ev_vqvae *model, const ev_vqvae_loss *loss);

/* What a forward pass leaves behind. */
typedef struct {
    size_t B, threads;
    ev_conv_acts encoder, decoder;
    ev_conv_scratch scratch;
    float *z;                           /* (B,N,J) the encoder's output, by name */
    float *z_q;                         /* (B,N,J) the chosen codes */
    uint32_t *index;                    /* (B,N) */
    float *raw;                         /* (B,H,W,E/(H W)) the decoder's output, by name */
    float *out;                         /* (B,E) as likelihood.h has it */
    float *terms;                       /* (B,EV_VQ_TERMS) of each image */
    float *d_out, *d_raw, *d_z_q, *d_z; /* shapes of out, raw, z, z */
    float *search;                      /* scratch of ev_nearest_rows */
    double *n, *s;                      /* (K), (K,J) */
    bool *revived;                      /* (K) which codes the last ev_vqvae_move_codes revived */
    float *memory;
} ev_vqvae_workspace;

/* For batches of up to B images on so many threads (0: as OpenMP has it). */
ev_status ev_vqvae_workspace_create(ev_vqvae_workspace *w, const ev_vqvae *model, size_t B,
                                    size_t threads, ev_error *error);
void ev_vqvae_workspace_destroy(ev_vqvae_workspace *w);

/* The loss by term, the mean over x (B,H,W,C), and all of the above up to terms. */
ev_vqvae_loss ev_vqvae_forward(const ev_vqvae *model, const float *parameters, size_t B,
                               const float *x, ev_vqvae_workspace *w);
/* After the forward pass with the same arguments: gradient (layout.size) of ev_vqvae_total.  All of
 * gradient is written. */
void ev_vqvae_backward(const ev_vqvae *model, const float *parameters, size_t B, const float *x,
                       ev_vqvae_workspace *w, float *gradient);
/* The same with a weight for each term, of which the loss is 1, 1 (0 unless the codes move by
 * gradient) and 1: for those who look at one term's gradient alone. */
void ev_vqvae_backward_terms(const ev_vqvae *model, const float *parameters, size_t B,
                             const float *x, const double weight[EV_VQ_TERMS],
                             ev_vqvae_workspace *w, float *gradient);
/* After the optimiser's step: counts, and the codes where they follow averages, from the z and index
 * of the forward pass, so after quantising; then revival.  w->n, w->revived are left behind.  Returns
 * how many were revived. */
size_t ev_vqvae_move_codes(const ev_vqvae *model, size_t B, uint64_t seed,
                           ev_codebook_average *average, ev_vqvae_workspace *w, float *parameters);

/* Parts of the forward pass: z; index and z_q from z; out from z_q. */
void ev_vqvae_encode(const ev_vqvae *model, const float *parameters, size_t B, const float *x,
                     ev_vqvae_workspace *w);
void ev_vqvae_quantise(const ev_vqvae *model, const float *parameters, size_t B,
                       ev_vqvae_workspace *w);
void ev_vqvae_decode(const ev_vqvae *model, const float *parameters, size_t B,
                     ev_vqvae_workspace *w);

#endif
