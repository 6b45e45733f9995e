/* The GMVAE's two networks as a plain autoencoder: z = mu(x), no noise, no prior.  It is how training
 * starts: the clusters of a random encoder's means are worth nothing.
 *
 *   input   (B,D) what the encoder sees, corrupted or not     target  (B,D) what it is to restore
 *   w       a workspace of the model (gmvae.h): uses its networks' arrays
 * Labels can't enter: there is no place for them.
 *
 * Whole: all layers at once.  Layer by layer (P. Vincent et al., JMLR 11, 2010): encoder layer l with
 * its mirror image in the decoder restore what the layers below put out; the others stay.
 */
#ifndef EV_MODELS_AUTOENCODER_H
#define EV_MODELS_AUTOENCODER_H

#include "models/gmvae.h"

typedef enum {
    EV_RESTORE_LIKELIHOOD, /* -log p(target|z) of the model's own likelihood, nats */
    EV_RESTORE_SQUARES     /* half the squared distance of target and E[x|z] */
} ev_restore_kind;

/* "likelihood", "squares"; ended by NULL. */
extern const char *const ev_restore_names[];

/* The mean loss over the batch, and its gradient (layout.size; blocks that have no part in it are
 * 0). */
double ev_autoencoder_pass(const ev_gmvae *model, const float *parameters, size_t B,
                           const float *input, const float *target, ev_restore_kind kind,
                           ev_gmvae_workspace *w, float *gradient);

/* The layers that can be trained one by one: 0 .. ev_autoencoder_layers - 1. */
size_t ev_autoencoder_layers(const ev_gmvae *model);
/* What layer l sees, (B, width l): input itself for l = 0, otherwise the output of the layers below,
 * in the workspace. */
const float *ev_autoencoder_layer_input(const ev_gmvae *model, const float *parameters, size_t l,
                                        size_t B, const float *input, ev_gmvae_workspace *w);
/* The same as ev_autoencoder_pass for layer l alone, with input and target of its width.  Hidden
 * layers are restored by half the squared distance, layer 0 as kind says. */
double ev_autoencoder_layer_pass(const ev_gmvae *model, const float *parameters, size_t l, size_t B,
                                 const float *input, const float *target, ev_restore_kind kind,
                                 ev_gmvae_workspace *w, float *gradient);

#endif
