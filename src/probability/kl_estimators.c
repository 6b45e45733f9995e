#include "probability/kl_estimators.h"

#include "probability/gaussian.h"
#include "probability/log_space.h"

#include <math.h>
#include <stdbool.h>

const char *ev_kl_estimator_name(ev_kl_estimator kind)
{
    static const char *const names[] = {"k1", "k2", "k3"};
    return names[kind];
}

double ev_kl_estimator_value(ev_kl_estimator kind, double log_r)
{
    switch (kind) {
    case EV_KL_K1: return -log_r;
    case EV_KL_K2: return 0.5 * log_r * log_r;
    default: return ev_expm1_minus(log_r);
    }
}

/* log r = a + b eps + c eps^2, less a, which enters only through the KL. */
typedef struct {
    double b, c;
    double kl; /* KL(q||p) = -kappa_1 */
} quadratic;

static quadratic log_ratio(double mu_q, double sigma_q, double mu, double sigma)
{
    const double rho = sigma_q / sigma, gap = (mu_q - mu) / sigma;
    return (quadratic){.b = -gap * rho,
                       .c = -0.5 * (sigma_q - sigma) / sigma * (rho + 1.0),
                       .kl = ev_gaussian_scalar_kl(mu_q, sigma_q, mu, sigma)};
}

/* NaN for input outside the contract or two point masses. */
static bool undefined(double mu_q, double sigma_q, double mu, double sigma)
{
    return isnan(mu_q) || isnan(mu) || !(sigma_q >= 0.0 && sigma >= 0.0) ||
           (sigma_q == 0.0 && sigma == 0.0);
}

double ev_kl_estimator_mean(ev_kl_estimator kind, double mu_q, double sigma_q, double mu,
                            double sigma)
{
    if (undefined(mu_q, sigma_q, mu, sigma))
        return nan("");
    const quadratic l = log_ratio(mu_q, sigma_q, mu, sigma);
    if (kind != EV_KL_K2 || l.kl == HUGE_VAL)
        return l.kl;
    return 0.5 * (l.b * l.b + 2.0 * l.c * l.c + l.kl * l.kl);
}

static double k2_variance(quadratic l)
{
    const double b2 = l.b * l.b, c2 = l.c * l.c;
    const double kappa2 = b2 + 2.0 * c2;
    const double kappa3 = l.c * (8.0 * c2 + 6.0 * b2);
    const double kappa4 = 48.0 * c2 * (c2 + b2);
    /* 4 kappa_1 (kappa_3 + kappa_2 kappa_1), with kappa_1 = -kl */
    const double mixed = 4.0 * l.kl * (kappa2 * l.kl - kappa3);
    return 0.25 * (kappa4 + 2.0 * kappa2 * kappa2 + mixed);
}

/* log(1+w) - log(1+2w)/2 + w^2/2 - w^2/(1+w), which starts at 3 w^4/4. */
static double scale_remainder(double w)
{
    if (fabs(w) >= 0.1)
        return log1p(w) - 0.5 * log1p(2.0 * w) + 0.5 * w * w - w * w / (1.0 + w);
    /* The coefficient of w^n, n >= 3, is -(-1)^n (1 + 1/n - 2^(n-1)/n); 0 for n = 3. */
    double sum = 0.0, power = w * w * w * w, doubled = 8.0;
    for (int n = 4; n < 40; n++) {
        const double size = (n + 1 - doubled) / n;
        sum += (n % 2 == 0 ? -size : size) * power;
        power *= w;
        doubled *= 2.0;
    }
    return sum;
}

/* Var k3 = (e^T - 1) + kappa_2 - 2 (KL(q||p) + KL(p||q)), T = log E_q r^2.  Its summands cancel to
 * second order near p = q, so it is written with v = rho^2 = 1 + w as
 *   (e^T - 1 - T) + scale_remainder(w) + d^2 w^2 (1 + 2v)/(v (2v - 1)),
 *   T = log v - log(2v - 1)/2 + d^2/(2v - 1). */
static double k3_variance(double mu_q, double sigma_q, double mu, double sigma)
{
    const double rho = sigma_q / sigma, d = (mu_q - mu) / sigma;
    const double w = (sigma_q - sigma) / sigma * (rho + 1.0), v = 1.0 + w;
    const double tilt = 1.0 + 2.0 * w; /* 2v - 1 */
    if (!(tilt > 0.0))
        return HUGE_VAL;
    const double log_scale = fabs(w) < 0.25 ? ev_log1p_minus(w) - 0.5 * ev_log1p_minus(2.0 * w)
                                            : log1p(w) - 0.5 * log1p(2.0 * w);
    const double T = log_scale + d * d / tilt;
    return ev_expm1_minus(T) + scale_remainder(w) + d * d * w * w * (1.0 + 2.0 * v) / (v * tilt);
}

double ev_kl_estimator_variance(ev_kl_estimator kind, double mu_q, double sigma_q, double mu,
                                double sigma)
{
    if (undefined(mu_q, sigma_q, mu, sigma))
        return nan("");
    if (sigma == 0.0 || (sigma_q == 0.0 && kind != EV_KL_K1))
        return HUGE_VAL;
    const quadratic l = log_ratio(mu_q, sigma_q, mu, sigma);
    double variance;
    switch (kind) {
    case EV_KL_K1: variance = l.b * l.b + 2.0 * l.c * l.c; break;
    case EV_KL_K2: variance = k2_variance(l); break;
    default: variance = k3_variance(mu_q, sigma_q, mu, sigma); break;
    }
    /* An infinity less another means that the variance itself has overflowed. */
    return isnan(variance) ? HUGE_VAL : variance;
}

/* gap/sigma^2, 0 for a gap of 0 even at sigma = 0. */
static double precision_times(double gap, double sigma)
{
    return gap == 0.0 ? 0.0 : gap / sigma / sigma;
}

double ev_kl_estimator_loss_gradient(ev_kl_estimator kind, double mu_q, double sigma_q, double mu,
                                     double sigma)
{
    if (undefined(mu_q, sigma_q, mu, sigma))
        return nan("");
    switch (kind) {
    case EV_KL_K1: return 0.0;
    case EV_KL_K2: return precision_times(mu_q - mu, sigma);
    default: return precision_times(mu_q - mu, sigma_q);
    }
}

double ev_kl_estimator_mean_gradient(ev_kl_estimator kind, double mu_q, double sigma_q, double mu,
                                     double sigma)
{
    if (undefined(mu_q, sigma_q, mu, sigma))
        return nan("");
    const double gradient = precision_times(mu_q - mu, sigma);
    if (kind != EV_KL_K2 || gradient == 0.0)
        return gradient;
    const double rho = sigma_q / sigma;
    return gradient * (rho * rho + ev_gaussian_scalar_kl(mu_q, sigma_q, mu, sigma));
}
