/* The second opinion on the VQ-VAE: its network by loops over the definition, in double precision,
 * with what the stop-gradients stop given as constants; so that the derivative of each term is a
 * central difference of a plain function.  Of src/models only the layout of the parameters is used. */
#ifndef EV_TESTS_MODELS_VQVAE_ORACLE_H
#define EV_TESTS_MODELS_VQVAE_ORACLE_H

#include "models/vqvae.h"

enum { ORACLE_FLOATS = 4096 };

/* The values at which sg[z], sg[e] and the choice are held, for one image. */
typedef struct {
    double z[ORACLE_FLOATS], e[ORACLE_FLOATS];
    size_t index[ORACLE_FLOATS];
} oracle_stops;

/* z (N,J) of one image, and its nearest codes. */
void oracle_stop_at(const ev_vqvae *model, const double *parameters, const float *x,
                    oracle_stops *stops);
/* The terms of one image:
 *   - log p(x | z + sg[e - z]),  |sg z - e|^2,  beta |z - sg e|^2. */
ev_vqvae_loss oracle_terms(const ev_vqvae *model, const double *parameters, const float *x,
                           const oracle_stops *stops);
/* log p(x|z_q) for any z_q (N,J). */
double oracle_log_likelihood(const ev_vqvae *model, const double *parameters, const float *x,
                             const double *z_q);

#endif
