/* The audit of a VQ-VAE: what its optimiser is about to see, on real images, held against
 * derivations/vector_quantisation.md.  Rows as of the GMVAE's audit (audit.h):
 *
 *   reconstruction, codebook,   the loss by term, as reported, against the same in double precision
 *   commitment, loss, bound     (vqvae_reference.h); what is minimised; log p(x|z_q) - N log K
 *                               [vq-bound, vq-codebook-term, vq-commitment-term, vq-loss-encoder,
 *                               vq-bound-positions]
 *   quantised                   the largest difference of z_q and the chosen codes: 0 to the bit
 *                               [st-value]
 *   routing of a term           its largest gradient where it must not reach: 0 to the bit
 *                               [vq-reconstruction-code, vq-codebook-term, vq-commitment-term]
 *   straight-through            the largest change of the reconstruction's gradient between z_q and
 *                               z: 0 to the bit [st-gradient]
 *   nearest                     by how much another code is nearer than the chosen one, in double
 *                               [vq-one-hot]
 *   k-means                     from the codebook term's gradient, a step of B/(2 n) ends at the
 *                               mean of a code's vectors [codebook-step]
 *   average                     the codes after a step of the averages, against the definition in
 *                               double, where they move so [ema-step]
 *   halves                      the loss of a batch is the mean of its halves' losses
 * The last four are relative to the size of what is compared.  Then, on the first four images,
 *   activations                 units whose ReLU or limit is on another side than in double, not within
 *                               rounding: none
 *   gradient along BLOCK        the derivative of the loss along the gradient's own direction in a block
 *                               of parameters, against that of the reference, forward mode in double
 *                               (vqvae_tangent.h) [vq-loss-encoder, vq-decoder, vq-loss-code]
 *   gradient along BLOCK,       along random signs there
 *   random
 *   gradient, random direction  along random signs in all blocks at once, 20 times
 *   gradient of a term          its own derivative along the one of these directions where it is
 *                               furthest off [st-decoder-gradient, vq-codebook-term,
 *                               vq-commitment-term]
 * The images are repeated until the batch is full, so that the float pass is cut as it is in training.
 * Where the codes move by averages, the loss has no codebook term: the gradient there is 0 to the bit.
 * If the gradient differs by a factor in one part, straight-through say, that is named.
 *
 * The bound of the loss is 1e-5 of the terms' sizes.  A float is right to 6e-8, and a sum of n of them
 * goes astray by some sqrt(n) 6e-8 of what is added up: 1.4e-6 for the 577 products of the longest
 * here.  Each of some ten layers adds that much, and they add up like independent errors.  That of a
 * derivative is 1e-5 of its size, and of the gradient's along the direction (audit_directions.h).
 */
#ifndef EV_TRAIN_VQVAE_AUDIT_H
#define EV_TRAIN_VQVAE_AUDIT_H

#include "models/vqvae.h"
#include "train/audit.h"

/* A batch after its forward pass. */
typedef struct {
    const ev_vqvae *model;
    const float *parameters;
    const ev_codebook_average *average; /* before the step */
    size_t B;
    const float *x;            /* (B,D) */
    const ev_vqvae_loss *loss; /* as reported: the mean over the batch */
    ev_vqvae_workspace *w;     /* that of the forward pass, written over */
    float *gradient;           /* (layout.size), written over */
    uint64_t seed;             /* of the directions */
} ev_vqvae_audit_subject;

/* EV_OK whatever the verdicts are; EV_NO_MEMORY.  Free *audit in any case. */
ev_status ev_vqvae_audit_run(const ev_vqvae_audit_subject *subject, ev_audit *audit,
                             ev_error *error);

#endif
