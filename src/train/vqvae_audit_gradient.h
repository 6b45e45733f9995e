/* The rows of a VQ-VAE's gradient.  Private to the audit. */
#ifndef EV_TRAIN_VQVAE_AUDIT_GRADIENT_H
#define EV_TRAIN_VQVAE_AUDIT_GRADIENT_H

#include "train/vqvae_audit.h"

/* A gradient (layout.size) of ev_vqvae_total, and of each term alone. */
typedef struct {
    const float *total, *term[EV_VQ_TERMS];
} ev_vqvae_gradients;

/* On the first `images` of the subject's batch, which the gradients are means over: w is that of a
 * forward pass which begins with these images.  `loss` and `gradient` are not read.  EV_NO_MEMORY. */
ev_status ev_vqvae_audit_gradients(const ev_vqvae_audit_subject *subject, size_t images,
                                   const ev_vqvae_gradients *gradients, ev_audit *audit,
                                   ev_error *error);

/* The same with gradients of the float pass over the first four images of the batch, each as often as
 * there is room for all of them: so the pass is cut as in training.  The workspace and the gradient
 * are written over. */
ev_status ev_vqvae_audit_few(const ev_vqvae_audit_subject *subject, ev_audit *audit,
                             ev_error *error);

#endif
