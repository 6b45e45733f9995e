/* The Gaussian-mixture variational autoencoder, and the VAE as its case of one fixed cluster.
 *
 *   c ~ Cat(pi),  z ~ N(mu_c, diag exp(log_var_c)),  x ~ Bernoulli(sigmoid f(z)) or a Gaussian;
 *   q(z|x) = N(mu(x), Sigma(x)), q(c|x) = gamma(x): see posterior.h and responsibilities.h.
 *
 * Legend of shapes, here and in the files around:
 *   B   samples in a batch            D   pixels of an image
 *   J   latent dimensions             K   clusters
 *   L   samples of z for each image that are decoded
 *   S   points at which p(c|z) is taken for gamma: 0 (optimal), 1, or gamma_samples (average)
 *   M   noise vectors for each image: the larger of L and S, at least 1
 *   R   raw outputs of the encoder    E   outputs of the decoder (posterior.h, likelihood.h)
 * Arrays are row-major floats.  All parameters are one array, described by the layout:
 *   encoder.l.weight|bias   D -> hidden[0] -> ... -> R, ReLU between
 *   decoder.l.weight|bias   J -> ... -> hidden[0] -> E, the mirror image
 *   prior.logits (K), prior.mu (K,J), prior.log_var (K,J): unless the prior is the standard normal
 *
 * A training step:
 *   ev_gmvae_noise(&model, seed, step, B, noise);
 *   ev_elbo elbo = ev_gmvae_forward(&model, parameters, B, x, noise, &w);
 *   ev_gmvae_backward(&model, parameters, B, x, noise, &w, gradient);
 *   ev_adam_step(&adam, t, rate, model.layout.size, gradient, m, v, parameters);
 * Nothing in it allocates.
 */
#ifndef EV_MODELS_GMVAE_H
#define EV_MODELS_GMVAE_H

#include "base/error.h"
#include "models/elbo.h"
#include "models/likelihood.h"
#include "models/posterior.h"
#include "models/prior.h"
#include "models/responsibilities.h"
#include "nn/layout.h"
#include "nn/mlp.h"

#include <stddef.h>
#include <stdint.h>

enum {
    EV_GMVAE_HIDDEN = EV_MLP_DEPTH - 1, /* hidden layers at most */
    EV_GMVAE_LATENT = 256,              /* J at most */
    EV_GMVAE_WIDTH = 1 << 16,           /* of a layer, and D, at most */
    EV_GMVAE_SAMPLES = 1024             /* L and gamma_samples at most; K: prior.h */
};

typedef enum { EV_PRIOR_MIXTURE, EV_PRIOR_STANDARD } ev_prior_kind;

typedef struct {
    size_t D, J, K; /* a standard prior has K = 1 */
    size_t layers;  /* hidden layers of the encoder, at least 1 */
    size_t hidden[EV_GMVAE_HIDDEN];
    ev_prior_kind prior;
    ev_posterior_kind posterior;
    ev_likelihood_kind likelihood;
    ev_gamma_kind gamma;
    size_t samples;       /* L, at least 1 */
    size_t gamma_samples; /* of `average`; not read otherwise */
} ev_gmvae_config;

/* Spelt as on the command line; ended by NULL. */
extern const char *const ev_prior_names[], *const ev_posterior_names[], *const ev_gamma_names[];

/* What follows from the configuration; constant after ev_gmvae_create. */
typedef struct {
    ev_gmvae_config config;
    ev_layout layout;
    ev_mlp encoder, decoder;
    size_t prior_logits, prior_mu, prior_log_var; /* offsets; unused with a standard prior */
    size_t R, E, S, M;
    size_t scale_size; /* floats of one posterior scale (posterior.h) */
} ev_gmvae;

/* EV_BAD_INPUT, with the reason, for sizes of 0 or beyond the limits above. */
ev_status ev_gmvae_create(ev_gmvae *model, const ev_gmvae_config *config, ev_error *error);
/* parameters (layout.size): networks as in mlp.h; pi uniform, mu_c standard normal draws,
 * log_var_c 0.  A function of the seed alone. */
void ev_gmvae_initialise(const ev_gmvae *model, uint64_t seed, float *parameters);

/* Set the mixture prior: log_pi (K), mu and log_var (K,J).  Nothing for a standard prior. */
void ev_gmvae_set_prior(const ev_gmvae *model, const double *log_pi, const double *mu,
                        const double *log_var, float *parameters);

/* What a forward pass leaves behind, for the backward pass and for those who look. */
typedef struct {
    size_t B;                     /* samples it has room for */
    ev_prior prior;               /* as prepared from the parameters */
    float *encoder[EV_MLP_DEPTH]; /* (B, width) what each layer puts out; the last is raw (B,R) */
    float *decoder[EV_MLP_DEPTH]; /* (B,L,width); the last is the decoder's output (B,L,E) */
    float *raw, *out;             /* those two by name */
    float *mu, *scale, *var;      /* (B,J), (B,scale_size), (B,J): posterior.h */
    float *z;                     /* (B,L,J) what was decoded */
    float *e;                     /* (B,K) E_q[log p(z|c)] */
    const uint32_t *held;     /* (B) clusters that q(c|x) is held at; NULL: as config.gamma says */
    float *log_gamma, *gamma; /* (B,K) */
    float *points, *log_r;    /* (B,S,J), (B,S,K): responsibilities.h */
    float *terms;             /* (B,EV_ELBO_TERMS) the ELBO's terms of each sample */
    float *d_out, *d_z, *d_raw;    /* (B,L,E), (B,L,J), (B,R) */
    float *d_mu, *d_scale, *d_var; /* shapes of mu, scale, var */
    float *d_points, *weight;      /* (B,S,J), (B,S,K) */
    float *scratch[2];             /* (B,L,widest hidden layer) */
    float *work;                   /* of the networks' layers (mlp.h) */
    float *memory;                 /* all of the above */
    size_t size;                   /* floats of memory */
} ev_gmvae_workspace;

/* One allocation for batches of up to B samples; B of 0 is EV_BAD_INPUT. */
ev_status ev_gmvae_workspace_create(ev_gmvae_workspace *w, const ev_gmvae *model, size_t B,
                                    ev_error *error);
void ev_gmvae_workspace_destroy(ev_gmvae_workspace *w);

/* Standard normals (B,M,J).  Element by element a function of seed, step and position only. */
void ev_gmvae_noise(const ev_gmvae *model, uint64_t seed, uint64_t step, size_t B, float *noise);

/* The ELBO by term, the mean over x (B,D).  z_l = mu + scale noise_l for l < L; gamma takes the
 * first S noise vectors.  terms holds the same for each sample. */
ev_elbo ev_gmvae_forward(const ev_gmvae *model, const float *parameters, size_t B, const float *x,
                         const float *noise, ev_gmvae_workspace *w);
/* After the forward pass with the same arguments: gradient (layout.size) of the loss, which is minus
 * the mean ELBO.  All of gradient is written. */
void ev_gmvae_backward(const ev_gmvae *model, const float *parameters, size_t B, const float *x,
                       const float *noise, ev_gmvae_workspace *w, float *gradient);

/* Parts of the forward pass.  encode: raw, mu, scale, var and the entropy term, e, and gamma where
 * it needs no noise (optimal, mean).  decode: out (n,E) from z (n,J), n <= B L. */
void ev_gmvae_encode(const ev_gmvae *model, const float *parameters, size_t B, const float *x,
                     const float *noise, ev_gmvae_workspace *w);
void ev_gmvae_decode(const ev_gmvae *model, const float *parameters, size_t n, const float *z,
                     ev_gmvae_workspace *w);

#endif
