/* log p(x) by importance sampling with q(z|x): Y. Burda, R. Grosse & R. Salakhutdinov, "Importance
 * weighted autoencoders", ICLR 2016.
 *
 *   log p(x) >= E log (1/S) sum_s w_s,   w_s = p(x|z_s) p(z_s)/q(z_s|x),  z_s ~ q(z|x);
 *
 * the mixture is summed out, p(z) = sum_c pi_c p(z|c), so that gamma has no part in it.  S = 1 is
 * unbiased for the ELBO with the best q(c|z); the bound tightens as S grows.
 */
#ifndef EV_TRAIN_IMPORTANCE_H
#define EV_TRAIN_IMPORTANCE_H

#include "models/gmvae.h"

#include <stddef.h>
#include <stdint.h>

/* log_px (B, counts): for each image of x (B,D) and each of the ascending sample sizes, from the
 * first sizes[i] draws.  Draw s of an image is a function of seed and its index, first + b, only.
 *   noise    (B,M,J) for the encoder's gamma (gmvae.h), of which nothing is used here
 *   w        a workspace for at least B samples
 *   scratch  ev_importance_scratch(B) doubles */
void ev_importance_log_px(const ev_gmvae *model, const float *parameters, size_t B, const float *x,
                          const float *noise, uint64_t seed, size_t first, size_t counts,
                          const size_t *sizes, ev_gmvae_workspace *w, double *scratch,
                          double *log_px);
size_t ev_importance_scratch(size_t B);

#endif
