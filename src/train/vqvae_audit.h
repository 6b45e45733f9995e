/* The audit of a VQ-VAE while it is trained: what the optimiser is about to see, on the next step's
 * real images, held against the claims of derivations/vector_quantisation.md.
 *
 *   routing           the largest gradient where a term must not reach: 0 to the bit
 *                     [vq-reconstruction-code, vq-codebook-term, vq-commitment-term]
 *   straight-through  the largest change of the reconstruction's gradient between z_q and z: 0 to
 *                     the bit [st-gradient]
 *   nearest           by how much another code is nearer than the chosen one, in double [vq-one-hot]
 *   k-means           from the codebook term's gradient, a step of B/(2 n) ends at the mean of a
 *                     code's vectors [codebook-step]
 *   average           the codes after a step of the averages, against the definition in double
 *                     [ema-step, debias-count-divided, smoothing-total]
 *   batch             the loss of a batch is the mean of its halves' losses
 * The last four are relative to the size of what is compared, and hold to rounding.
 */
#ifndef EV_TRAIN_VQVAE_AUDIT_H
#define EV_TRAIN_VQVAE_AUDIT_H

#include "train/vqvae_trainer.h"

enum { EV_VQVAE_FINDINGS = 6 };

typedef struct {
    const char *what;
    double worst, bound; /* holds when worst <= bound; a NaN does not */
} ev_vqvae_finding;

/* The trainer's state is left alone, but for its workspace, gradient and batch.  In the autoencoder's
 * phase only. */
ev_status ev_vqvae_audit(ev_vqvae_trainer *t, ev_vqvae_finding findings[EV_VQVAE_FINDINGS],
                         ev_error *error);
/* The first finding that does not hold, or NULL. */
const ev_vqvae_finding *ev_vqvae_audit_failure(const ev_vqvae_finding *findings);

#endif
