/* A GMVAE with errors planted: what a training step would have reported, and its gradient, had the
 * error been made.  Diagonal posterior, one sample of z.  Written in double, apart from src/models
 * and src/train, and differentiated by differences. */
#ifndef EV_TESTS_TRAIN_AUDIT_PLANT_H
#define EV_TESTS_TRAIN_AUDIT_PLANT_H

#include "models/gmvae.h"

typedef enum {
    PLANT_NOTHING,
    PLANT_SCALE_IS_VARIANCE,   /* exp(log-variance) as a standard deviation (keras#3283) */
    PLANT_DRAW_HUNDREDTH,      /* noise scaled by 0.01 (keras#4211) */
    PLANT_WEIGHT_IN_SUM,       /* log pi inside the sum over J (VaDE) */
    PLANT_WEIGHT_LEFT_OUT,     /* gamma without pi */
    PLANT_BERNOULLI_MEAN,      /* the mean over pixels (keras#3383) */
    PLANT_SQUARE_WITHOUT_HALF, /* Gaussian: the squared error without its half (VaDE) */
    PLANT_PIXEL_CONSTANT,      /* Gaussian: without log 2 pi */
    PLANT_NOISY_MEAN,          /* the decoder's outputs with noise added (VAE-GMVAE) */
    PLANT_LATENT_MEAN,         /* the mean over latent dimensions (keras-molecules#59) */
    PLANT_LATENT_CONSTANT,     /* J^2/2 log 2 pi instead of J/2 (VaDE) */
    PLANT_LATENT_NO_VARIANCE,  /* without q's variance: the density at the mean */
    PLANT_LOG_TENTH,           /* log 0.1 for every cluster (jariasf) */
    PLANT_CATEGORICAL_SIGN,    /* the sign of the categorical term (gumbel#3) */
    PLANT_ENTROPY_NO_CONSTANT, /* the entropy without log 2 pi (VaDE) */
    PLANT_ENTROPY_FULL_LOG,    /* log sigma^2 where log sigma is meant (model-zoo#73) */
    PLANT_ENTROPY_SIGN,        /* its sign (model-zoo#76) */
    PLANT_VALUES,              /* those above change values; those below gradients alone: */
    PLANT_STOPPED_GAMMA = PLANT_VALUES, /* gamma carries no gradient */
    PLANT_STOPPED_SCALE,                /* the draw's scale carries none */
    PLANT_STOPPED_ENTROPY,              /* the entropy has none */
    PLANT_KINDS
} plant_kind;

/* One sample's terms with the error, and what goes with them: sigma (J), z (J), gamma (K).  What a
 * kind stops is taken from the parameters `before`. */
typedef struct {
    double term[EV_ELBO_TERMS], sigma[8], z[8], gamma[8];
} planted;
planted plant_sample(const ev_gmvae *model, const double *parameters, const double *before,
                     const float *x, const float *noise, plant_kind kind);

/* Adds to gradient (layout.size) what the error adds to the derivative of minus the mean ELBO. */
void plant_gradient(const ev_gmvae *model, const float *parameters, size_t B, const float *x,
                    const float *noise, plant_kind kind, float *gradient);

#endif
