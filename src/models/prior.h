/* The mixture prior in float: p(c) = pi_c, p(z|c) = N(z; mu_c, diag(exp log_var_c)).
 *
 *   K   clusters        J   latent dimensions
 * A prior is prepared once a step from its parameters, in the form that the inner loops want: the
 * clusters run fastest.  All of them work on `rows`, each a Gaussian given by its mean `point` (J)
 * and its marginal variances `var` (J); var = NULL is a point mass, for which E_q[log p(z|c)] is the
 * log density log p(z|c).
 *
 *   E_q[log N(z; mu_c, diag var_c)] = -sum_j [ log(2 pi) + log_var_cj
 *                                              + (var_j + (point_j - mu_cj)^2)/var_cj ]/2,
 * ev_gmvae_component_term of src/probability.  It needs no more of q than point and var, also where
 * q's covariance is full.
 */
#ifndef EV_MODELS_PRIOR_H
#define EV_MODELS_PRIOR_H

#include <stddef.h>

enum { EV_PRIOR_CLUSTERS = 1024 /* K at most */ };

typedef struct {
    size_t J, K;
    float *log_pi;    /* (K) log softmax of the logits */
    float *constant;  /* (K) -sum_j (log(2 pi) + log_var_cj)/2 */
    float *mu;        /* (J,K) transposed */
    float *precision; /* (J,K) exp(-log_var), transposed */
    float *inside;    /* (J,K) 1, or 0 where log_var is held at its limit (posterior.h) */
} ev_prior;

/* logits (K), mu (K,J), log_var (K,J); all three NULL: K = 1, N(0, I). */
void ev_prior_prepare(ev_prior *prior, const float *logits, const float *mu, const float *log_var);

/* e (K): E_q[log p(z|c)] of one row. */
void ev_prior_expected_log_density(const ev_prior *prior, const float *point, const float *var,
                                   float *e);
/* Add to d_point (J) and, unless NULL, d_var (J) the derivatives of sum_c weight_c e_c. */
void ev_prior_backward_row(const ev_prior *prior, const float *point, const float *weight,
                           float *d_point, float *d_var);

/* The derivatives of scale * sum over n rows of sum_c weight_rc (log pi_c + e_rc):
 * point (n,J), var (n,J) or NULL, weight (n,K).  Added to d_logits (K), d_mu (K,J), d_log_var (K,J).
 * Sums run over the rows in order, whatever the number of threads. */
void ev_prior_backward(const ev_prior *prior, size_t n, const float *point, const float *var,
                       const float *weight, float scale, float *d_logits, float *d_mu,
                       float *d_log_var);

#endif
