/* The second opinion on the GMVAE: its ELBO in double precision, a sample at a time, by textbook
 * loops over the layers and by the closed forms of src/probability; its gradient by central
 * differences.  Nothing of src/models' arithmetic is used, only its layout of the parameters. */
#ifndef EV_TESTS_MODELS_GMVAE_ORACLE_H
#define EV_TESTS_MODELS_GMVAE_ORACLE_H

#include "models/gmvae.h"

/* The mean over B samples, by term, for parameters in double. */
ev_elbo oracle_elbo(const ev_gmvae *model, const double *parameters, size_t B, const float *x,
                    const float *noise);
/* d(-ELBO)/d parameter i, by a central difference of five points: error O(h^4). */
double oracle_slope(const ev_gmvae *model, double *parameters, size_t i, size_t B, const float *x,
                    const float *noise);

/* log p(x) of one image (D) for J = 1, by a trapezoidal rule over z: exact to rounding for the smooth
 * integrands of small networks, whose ReLUs leave an error of O(h^2), below 1e-6. */
double oracle_log_px(const ev_gmvae *model, const double *parameters, const float *x);

#endif
