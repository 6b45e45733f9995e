/* The forward pass and the loss of a VQ-VAE in double precision: what its audit believes.  Private to
 * the audit.
 *
 * Written from the definitions, apart from the float code: convolutions as sums over taps and places
 * (audit_conv.h), and, of one image, with z the encoder's output, e_i = C_{k_i} the chosen codes,
 *   reconstruction   - log p(x | e), of a Bernoulli or a Gaussian with its own variances    [vq-bound]
 *   codebook         sum_i |z_i - e_i|^2                                            [vq-codebook-term]
 *   commitment       beta sum_i |z_i - e_i|^2                                     [vq-commitment-term]
 * The choice k_i is the float pass's: at a tie rounding may choose either, and that it is a nearest one
 * is asked for by itself.
 *
 * Each term comes with its size, which rounding errors are relative to.  The last layer of either
 * network adds up products; s is the sum of their absolute values, so that a relative error r of what
 * is added up moves an output by r s, however little of it is left by cancellation.  The outputs of an
 * image go astray this way and that, so that their parts are added up as squares.
 *   of the reconstruction   sum of |summands| + (sum_i (d log p / d out_i)^2 s_i^2)^(1/2)
 *   of the distances        sum of (z - e)^2 + (sum 4 (z - e)^2 s^2)^(1/2)
 */
#ifndef EV_TRAIN_VQVAE_REFERENCE_H
#define EV_TRAIN_VQVAE_REFERENCE_H

#include "base/arena.h"
#include "models/vqvae.h"
#include "train/audit_conv.h"

/* What one image leaves behind. */
typedef struct {
    double *x, *e; /* (D), and the chosen codes (N,J) */
    ev_audit_acts encoder, decoder;
    double *z, *out;           /* the last of those: (N,J), (H,W,E/(H W)) */
    double *z_size, *out_size; /* s of those */
} ev_vqvae_pass;

/* Room for them; a failed arena says that memory was short. */
void ev_vqvae_pass_place(const ev_vqvae *model, ev_arena *arena, ev_vqvae_pass *pass);
/* Of one image x (D) with the choice index (N). */
void ev_vqvae_pass_run(const ev_vqvae *model, const float *parameters, const float *x,
                       const uint32_t *index, const ev_vqvae_pass *pass);
/* Where in `out` the logit or mean of number i of an image stands; its log variance is `channels`
 * further on: the decoder puts a pixel's means side by side, then its log variances. */
size_t ev_vqvae_output_of(const ev_vqvae *model, size_t i);

typedef struct {
    ev_vqvae_loss mean, size; /* over the batch */
} ev_vqvae_reference;

/* index (B,N): the choice.  EV_NO_MEMORY is the only way to fail. */
ev_status ev_vqvae_reference_run(const ev_vqvae *model, const float *parameters, size_t B,
                                 const float *x, const uint32_t *index, size_t threads,
                                 ev_vqvae_reference *reference, ev_error *error);

#endif
