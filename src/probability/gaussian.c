#include "probability/gaussian.h"

#include "probability/log_space.h"

#include <gsl/gsl_sf_erf.h>
#include <math.h>
#include <stdbool.h>

static bool legal(double mu_q, double sigma_q, double mu, double sigma)
{
    return !isnan(mu_q) && !isnan(mu) && sigma_q >= 0.0 && sigma >= 0.0;
}

/* (x - mu)/sigma, also where x - mu alone would overflow. */
static double standardise(double x, double mu, double sigma)
{
    const double gap = x - mu;
    return isfinite(gap) ? gap / sigma : 2.0 * ((0.5 * x - 0.5 * mu) / sigma);
}

double ev_gaussian_scalar_cross_entropy(double mu_q, double sigma_q, double mu, double sigma)
{
    if (!legal(mu_q, sigma_q, mu, sigma))
        return nan("");
    if (sigma == 0.0)
        return sigma_q == 0.0 && mu_q == mu ? HUGE_VAL : -HUGE_VAL;
    const double d = standardise(mu_q, mu, sigma), ratio = sigma_q / sigma;
    return -0.5 * EV_LOG_2PI - log(sigma) - 0.5 * (ratio * ratio + d * d);
}

double ev_gaussian_scalar_log_density(double x, double mu, double sigma)
{
    /* E_q[log p] for the point mass q at x. */
    return ev_gaussian_scalar_cross_entropy(x, 0.0, mu, sigma);
}

double ev_gaussian_scalar_entropy(double sigma) { return 0.5 * EV_LOG_2PI_E + log(sigma); }

/* log P(x > t) of N(0,1).  Far out 1/t^2, what its asymptotic form leaves, is nothing beside t^2/2. */
static double log_tail(double t)
{
    if (t > 1e5)
        return -0.5 * t * t - log(t) - 0.5 * EV_LOG_2PI;
    return t < -1e5 ? 0 : gsl_sf_log_erfc(t / sqrt(2.0)) - EV_LOG_2;
}

/* log of the integral over [m - w/2, m + w/2], by Taylor's series of the density about m: the term left
 * out is ((|m| + 1) w)^6/322560. */
static double log_narrow_mass(double m, double w)
{
    const double square = m * m, w2 = w * w;
    const double second = (square - 1) * w2 / 24;
    const double fourth = ((square - 6) * square + 3) * w2 * w2 / 1920;
    return -0.5 * square - 0.5 * EV_LOG_2PI + log(w) + log1p(second + fourth);
}

/* The interval or its mirror image, whichever lies more to the right: there P(x > t) is small. */
double ev_gaussian_scalar_log_mass(double low, double high, double mu, double sigma)
{
    const double a = (low - mu) / sigma, b = (high - mu) / sigma, w = (high - low) / sigma;
    const double m = (0.5 * low + 0.5 * high - mu) / sigma;
    if ((fabs(m) + 1) * w < 0.03)
        return log_narrow_mass(m, w);
    const bool left = a + b < 0;
    const double from = log_tail(left ? -b : a), to = log_tail(left ? -a : b);
    return isinf(from) ? from : from + log(-expm1(to - from));
}

double ev_gaussian_scale_kl(double sigma_q, double sigma)
{
    if (!legal(0.0, sigma_q, 0.0, sigma))
        return nan("");
    if (sigma_q == 0.0 || sigma == 0.0)
        return sigma_q == sigma ? 0.0 : HUGE_VAL;
    const double s = (sigma_q - sigma) / sigma;
    if (fabs(s) < 0.5) /* both parts are non-negative */
        return 0.5 * s * s - ev_log1p_minus(s);
    const double ratio = sigma_q / sigma;
    return 0.5 * (ratio - 1.0) * (ratio + 1.0) - (log(sigma_q) - log(sigma));
}

double ev_gaussian_scalar_kl(double mu_q, double sigma_q, double mu, double sigma)
{
    if (!legal(mu_q, sigma_q, mu, sigma))
        return nan("");
    if (sigma == 0.0)
        return sigma_q == 0.0 && mu_q == mu ? 0.0 : HUGE_VAL;
    const double d = standardise(mu_q, mu, sigma);
    return ev_gaussian_scale_kl(sigma_q, sigma) + 0.5 * d * d;
}

double ev_gaussian_log_density(size_t J, const double *x, const double *mu, const double *sigma)
{
    double sum = 0.0;
    for (size_t j = 0; j < J; j++)
        sum = ev_log_product(sum, ev_gaussian_scalar_log_density(x[j], mu[j], sigma[j]));
    return sum;
}

double ev_gaussian_log_density_log_var(size_t J, const double *x, const double *mu,
                                       const double *log_var)
{
    double sum = 0.0;
    for (size_t j = 0; j < J; j++) {
        const double gap = x[j] - mu[j];
        /* A point at the mean stays there even where 1/sigma overflows. */
        const double d = gap == 0.0 ? 0.0 : gap * exp(-0.5 * log_var[j]);
        sum = ev_log_product(sum, -0.5 * (EV_LOG_2PI + log_var[j] + d * d));
    }
    return sum;
}

void ev_gaussian_score(size_t J, const double *x, const double *mu, const double *sigma,
                       double *score)
{
    for (size_t j = 0; j < J; j++)
        score[j] = standardise(mu[j], x[j], sigma[j]) / sigma[j];
}

double ev_gaussian_entropy(size_t J, const double *sigma)
{
    double sum = 0.0;
    for (size_t j = 0; j < J; j++)
        sum += ev_gaussian_scalar_entropy(sigma[j]);
    return sum;
}

double ev_gaussian_cross_entropy(size_t J, const double *mu_q, const double *sigma_q,
                                 const double *mu, const double *sigma)
{
    double sum = 0.0;
    for (size_t j = 0; j < J; j++)
        sum = ev_log_product(
            sum, ev_gaussian_scalar_cross_entropy(mu_q[j], sigma_q[j], mu[j], sigma[j]));
    return sum;
}

double ev_gaussian_kl(size_t J, const double *mu_q, const double *sigma_q, const double *mu,
                      const double *sigma)
{
    double sum = 0.0;
    for (size_t j = 0; j < J; j++)
        sum += ev_gaussian_scalar_kl(mu_q[j], sigma_q[j], mu[j], sigma[j]);
    return sum;
}

void ev_gaussian_kl_gradient(size_t J, const double *mu_q, const double *sigma_q, const double *mu,
                             const double *sigma, double *d_mu_q, double *d_sigma_q)
{
    for (size_t j = 0; j < J; j++) {
        if (d_mu_q != NULL)
            d_mu_q[j] = standardise(mu_q[j], mu[j], sigma[j]) / sigma[j];
        if (d_sigma_q != NULL) { /* ((sigma_q/sigma)^2 - 1)/sigma_q, factored */
            const double ratio = sigma_q[j] / sigma[j];
            const double s = (sigma_q[j] - sigma[j]) / sigma[j];
            d_sigma_q[j] = s * (ratio + 1.0) / sigma_q[j];
        }
    }
}

double ev_gaussian_kl_to_standard(size_t J, const double *mu_q, const double *log_var_q)
{
    double sum = 0.0;
    for (size_t j = 0; j < J; j++)
        sum += 0.5 * (mu_q[j] * mu_q[j] + ev_expm1_minus(log_var_q[j]));
    return sum;
}

void ev_gaussian_sample(const ev_stream *stream, uint64_t offset, size_t n, size_t J,
                        const double *mu, const double *sigma, double *x)
{
    ev_stream_normals(stream, offset * J, n * J, x);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < J; j++)
            x[i * J + j] = mu[j] + sigma[j] * x[i * J + j];
}
