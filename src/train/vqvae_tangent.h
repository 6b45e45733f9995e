/* The derivatives of a VQ-VAE's loss along a direction, in double and in forward mode, as the stopped
 * and straight-through estimators are defined.  Private to the audit.
 *
 * A dot is the derivative along the direction; e = C_k, the choice k held.  For one image
 *   S. = z., for S(z) = z + sg[e - z]: the identity by z, and none of e.   [st-gradient, st-code-gradient]
 *   reconstruction. = - d log p(x|S)/dS z. - d log p/d(decoder) direction, both at S = e
 *                                                                [st-decoder-gradient, vq-decoder]
 *   codebook. = sum_i 2 (e_i - z_i) e_i.                                        [vq-codebook-term]
 *   commitment. = beta sum_i 2 (z_i - e_i) z_i.                               [vq-commitment-term]
 *
 * A derivative comes with its size, which rounding errors are relative to: its own absolute value, and
 * the root of the sum of its summands' squares.  To each is added what an error of z, or of an output of
 * the decoder, makes of it by the second derivatives: one of s (vqvae_reference.h) for z, as in the
 * terms' sizes, because z - e is a small remainder of what z adds up; one of s/10 for an output, which
 * times 1e-5 is 16 roundings.  Trained networks use a tenth of the bounds.
 */
#ifndef EV_TRAIN_VQVAE_TANGENT_H
#define EV_TRAIN_VQVAE_TANGENT_H

#include "train/vqvae_reference.h"

typedef enum {
    EV_VQ_PART_DECODER, /* reconstruction, through the decoder's parameters */
    EV_VQ_PART_THROUGH, /* reconstruction, straight through to the encoder's */
    EV_VQ_PART_CODEBOOK,
    EV_VQ_PART_COMMITMENT,
    EV_VQ_PARTS
} ev_vqvae_part;

typedef struct ev_vqvae_tangent_image ev_vqvae_tangent_image;
typedef struct {
    const ev_vqvae *model;
    const float *parameters;
    size_t n, threads; /* images */
    ev_arena *arena;
    ev_vqvae_tangent_image *image; /* (n) */
    size_t kinks, beyond;          /* as of ev_audit_conv_sides and ev_audit_between */
} ev_vqvae_tangents;

/* The pass of the first n images of x, after the float pass w of a batch that begins with them, whose
 * choices are taken.  EV_NO_MEMORY.  Destroy in any case. */
ev_status ev_vqvae_tangents_create(ev_vqvae_tangents *t, const ev_vqvae *model,
                                   const float *parameters, size_t n, const float *x,
                                   const ev_vqvae_workspace *w, double resolution, ev_error *error);
void ev_vqvae_tangents_destroy(ev_vqvae_tangents *t);

/* Means over the images. */
typedef struct {
    double part[EV_VQ_PARTS], size[EV_VQ_TERMS];
} ev_vqvae_slope;

/* Along direction (layout.size).  Unless `split`, both parts of the reconstruction come as one, the
 * first. */
ev_vqvae_slope ev_vqvae_tangents_slope(const ev_vqvae_tangents *t, const float *direction,
                                       bool split);

#endif
