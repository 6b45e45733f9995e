/* The forward pass and the loss of a GMVAE in double precision, and their derivatives along a
 * direction: what the audit believes.  Private to the audit and to checks/training_loss.c.
 *
 * Written from the derivations, apart from the float code: networks of its own, the terms by the
 * closed forms of src/probability, the derivatives by hand in forward mode.  Forward mode and not
 * differences: it has no step to choose, is exact to rounding, and takes a ReLU's side as it is,
 * where a difference could only step across it.  That it is the derivative of these values is
 * tested by differences.
 *
 *   column b of (rows,stride) is sample b of the encoder, b L + l of the decoder
 */
#ifndef EV_TRAIN_AUDIT_REFERENCE_H
#define EV_TRAIN_AUDIT_REFERENCE_H

#include "base/arena.h"
#include "probability/mixture.h"
#include "train/audit.h"
#include "train/audit_directions.h"
#include "train/audit_network.h"

/* The derivative's parts, by term and by the way that it goes. */
typedef enum {
    EV_PART_DECODER,    /* reconstruction, through the decoder's parameters */
    EV_PART_DRAW_MU,    /* reconstruction, through z = mu + L eps, mu */
    EV_PART_DRAW_SCALE, /* the same, L */
    EV_PART_LATENT_MU,  /* latent, through mu */
    EV_PART_LATENT_VAR,
    EV_PART_LATENT_PRIOR_MU,
    EV_PART_LATENT_PRIOR_VAR,
    EV_PART_LATENT_GAMMA,
    EV_PART_CATEGORICAL_PI,
    EV_PART_CATEGORICAL_GAMMA,
    EV_PART_ENTROPY,
    EV_PARTS /* EV_AUDIT_PARTS at most */
} ev_audit_part;

typedef struct {
    const ev_audit_subject *subject;
    double resolution;
    ev_arena *arena;
    size_t encoded, decoded; /* strides: B and B L, rounded up */
    double *x, *z;           /* (D,encoded), (J,decoded) */
    double *encoder[EV_MLP_DEPTH], *decoder[EV_MLP_DEPTH];
    const double *raw, *out; /* the last of those: (R,encoded), (E,decoded) */
    unsigned char *encoder_on[EV_MLP_DEPTH], *decoder_on[EV_MLP_DEPTH];
    unsigned char *raw_on, *out_on; /* 1 where a log variance is not held at a limit */
    unsigned char *prior_on;        /* (K,J) */
    double *scratch[2], *tangent;   /* (widest, the larger stride); (J,decoded) */
    ev_mixture prior;
    double *log_pi, *prior_mu, *prior_sigma; /* (K), (K,J), (K,J) */
    double *mu, *L, *var;                    /* (B,J), (B,J,J), (B,J): q = N(mu, L L^T) */
    double *e, *e_size;                      /* (B,K) E_q[log p(z|c)]; the sum of its |summands| */
    double *log_gamma, *points, *log_r;      /* (B,K), (B,S,J), (B,S,K): log p(c|z_s) */
    double *work;                            /* (B, J J + 2 J + 2 K) */
    double *parts;                           /* (B,EV_PARTS + 1) */
    double *terms,
        *sizes;         /* (B,EV_ELBO_TERMS); sizes: sums of |summands|, and what a relative error
                              of gamma's exponents makes of the term */
    ev_elbo mean, size; /* their means */
    size_t kinks, beyond;
} ev_audit_reference;

/* The forward pass.  Destroy in any case. */
ev_status ev_audit_reference_create(ev_audit_reference *r, const ev_audit_subject *subject,
                                    double resolution, ev_error *error);
void ev_audit_reference_destroy(ev_audit_reference *r);

/* log p(x|z), x (D), from one column of the decoder's outputs (E,stride); *size: the sum of its
 * |summands|. */
double ev_audit_log_likelihood(const ev_audit_reference *r, const float *x, const double *out,
                               size_t stride, size_t column, double *size);
/* The same at n columns from `first`, without the sizes, many times as quick: log_px (n). */
void ev_audit_log_likelihoods(const ev_audit_reference *r, const float *x, const double *out,
                              size_t stride, size_t first, size_t n, double *log_px);

/* The derivative of the mean ELBO along direction (layout.size); its size: the mean over samples of
 * the sum of |parts|, and of the root of the sum of the pixels' squares.  Unless `split`, the
 * reconstruction's three parts come as one, the first, which is three times as quick. */
ev_audit_slope ev_audit_reference_slope(const ev_audit_reference *r, const float *direction,
                                        bool split);

#endif
