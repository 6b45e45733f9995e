/* The audit of a VQ-VAE's next step, while it is trained. */
#ifndef EV_TRAIN_VQVAE_AUDIT_STEP_H
#define EV_TRAIN_VQVAE_AUDIT_STEP_H

#include "train/audit.h"
#include "train/vqvae_trainer.h"

/* On the images that the next step will see.  The trainer's state is left alone, but for its workspace,
 * gradient and batch.  In the autoencoder's phase only.  Free *audit in any case. */
ev_status ev_vqvae_audit_step(ev_vqvae_trainer *t, ev_audit *audit, ev_error *error);

#endif
