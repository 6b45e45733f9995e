/* Sampling estimators of KL(q||p), x ~ q, through log_r = log p(x) - log q(x):
 *
 *   k1 = -log r        k2 = (log r)^2/2        k3 = r - 1 - log r
 *
 * J. Schulman, "Approximating KL divergence", joschu.net/blog/kl-approx.html, 2020; here
 * with exact means, variances and gradients for scalar Gaussians q = N(mu_q, sigma_q^2),
 * p = N(mu, sigma^2).  In nats; sigma_q, sigma > 0.
 *
 * With x = mu_q + sigma_q eps, rho = sigma_q/sigma and d = (mu_q - mu)/sigma, log r is a
 * quadratic in eps,
 *   log r = a + b eps + c eps^2,  a = log rho - d^2/2,  b = -d rho,  c = (1 - rho^2)/2,
 * whose cumulants are k1 = a + c = -KL(q||p) and, for n >= 2,
 *   kappa_n = (n-1)! (2c)^n/2 + n! b^2 (2c)^(n-2)/2.
 *
 * One sigma equal to 0 is taken as a limit; both 0 leave no ratio: NaN.
 */
#ifndef EV_PROBABILITY_KL_ESTIMATORS_H
#define EV_PROBABILITY_KL_ESTIMATORS_H

typedef enum { EV_KL_K1, EV_KL_K2, EV_KL_K3 } ev_kl_estimator;

/* "k1", "k2", "k3". */
const char *ev_kl_estimator_name(ev_kl_estimator kind);

/* The estimator's value for one x.  log_r = -HUGE_VAL (p forbids x) gives HUGE_VAL for all;
 * log_r = HUGE_VAL gives -HUGE_VAL for k1, HUGE_VAL for the others. */
double ev_kl_estimator_value(ev_kl_estimator kind, double log_r);

/* E_q[k].  k1 and k3: KL(q||p) exactly.  k2: (kappa_2 + kappa_1^2)/2, always finite,
 * biased. */
double ev_kl_estimator_mean(ev_kl_estimator kind, double mu_q, double sigma_q, double mu,
                            double sigma);

/* Var_q[k] of one draw.
 *   k1: kappa_2 = b^2 + 2 c^2
 *   k2: (kappa_4 + 4 kappa_3 kappa_1 + 2 kappa_2^2 + 4 kappa_2 kappa_1^2)/4
 *   k3: Var r + Var log r - 2 (KL(q||p) + KL(p||q)), where E_q r^2 is an exponential tilt of
 *       the quadratic: finite if and only if 2 sigma_q^2 > sigma^2, HUGE_VAL otherwise. */
double ev_kl_estimator_variance(ev_kl_estimator kind, double mu_q, double sigma_q, double mu,
                                double sigma);

/* The estimator as a loss: E_q[d k/d mu_q at fixed x], what a framework's backward pass
 * averages to when the samples are constants.  With s = d log q/d mu_q:
 *   k1: E_q[s] = 0                    estimates nothing
 *   k2: -E_q[s log r]                 = (mu_q - mu)/sigma^2   = d KL(q||p)/d mu_q
 *   k3: E_q[(1 - r) s] = -E_p[s]      = (mu_q - mu)/sigma_q^2 = d KL(p||q)/d mu_q, the
 *                                       other direction. */
double ev_kl_estimator_loss_gradient(ev_kl_estimator kind, double mu_q, double sigma_q, double mu,
                                     double sigma);

/* d E_q[k]/d mu_q, through the samples as well (reparametrised, or with the score-function
 * term): for k1 and k3 d KL(q||p)/d mu_q, for k2 (rho^2 + KL(q||p)) times that. */
double ev_kl_estimator_mean_gradient(ev_kl_estimator kind, double mu_q, double sigma_q, double mu,
                                     double sigma);

#endif
