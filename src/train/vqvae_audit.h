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
 * The last four are relative to the size of what is compared.
 *
 * The bound of the loss is 1e-5 of the terms' sizes.  A float is right to 6e-8, and a sum of n of them
 * goes astray by some sqrt(n) 6e-8 of what is added up: 1.4e-6 for the 577 products of the longest
 * here.  Each of some ten layers adds that much, and they add up like independent errors.
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
} ev_vqvae_audit_subject;

/* EV_OK whatever the verdicts are; EV_NO_MEMORY.  Free *audit in any case. */
ev_status ev_vqvae_audit_run(const ev_vqvae_audit_subject *subject, ev_audit *audit,
                             ev_error *error);

#endif
