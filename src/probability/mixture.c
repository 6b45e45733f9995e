#include "probability/mixture.h"

#include "probability/categorical.h"
#include "probability/gaussian.h"
#include "probability/log_space.h"

#include <math.h>

double ev_mixture_log_joint(const ev_mixture *p, size_t c, const double *z)
{
    return ev_log_product(p->log_pi[c],
                          ev_gaussian_log_density(p->J, z, p->mu + c * p->J, p->sigma + c * p->J));
}

double ev_mixture_log_density(const ev_mixture *p, const double *z)
{
    double sum = -HUGE_VAL;
    for (size_t c = 0; c < p->K; c++)
        sum = ev_log_add_exp(sum, ev_mixture_log_joint(p, c, z));
    return sum;
}

/* log pi_c + E_q[log N(z; mu_c, sigma_c)]; sigma_q NULL is a point q. */
static double expected_log_joint(const ev_mixture *p, size_t c, const double *mu_q,
                                 const double *sigma_q)
{
    if (sigma_q == NULL)
        return ev_mixture_log_joint(p, c, mu_q);
    return ev_log_product(
        p->log_pi[c],
        ev_gaussian_cross_entropy(p->J, mu_q, sigma_q, p->mu + c * p->J, p->sigma + c * p->J));
}

/* E_q |(z - mu_c)/sigma_c|^2 in the wider exponent range of long double, where the
 * squared ratio of any two doubles is finite. */
static long double square_distance(const ev_mixture *p, size_t c, const double *mu_q,
                                   const double *sigma_q)
{
    long double sum = 0.0L;
    for (size_t j = 0; j < p->J; j++) {
        const long double sigma = (long double)p->sigma[c * p->J + j];
        const long double gap = (long double)mu_q[j] - (long double)p->mu[c * p->J + j];
        const long double spread = sigma_q == NULL ? 0.0L : (long double)sigma_q[j];
        if (gap != 0.0L || spread != 0.0L)
            sum += (gap / sigma) * (gap / sigma) + (spread / sigma) * (spread / sigma);
    }
    return sum;
}

/* Distances beyond the range of double differ by more than any weight or scale can
 * outweigh, unless they are equal: then those decide.  Where even these are infinite (point
 * masses elsewhere), log_gamma stays all -HUGE_VAL, which normalises to NaN. */
static void nearest_takes_all(const ev_mixture *p, const double *mu_q, const double *sigma_q,
                              double *log_gamma)
{
    long double least = (long double)HUGE_VAL;
    for (size_t c = 0; c < p->K; c++) {
        const long double distance = square_distance(p, c, mu_q, sigma_q);
        if (p->log_pi[c] != -HUGE_VAL && distance < least)
            least = distance;
    }
    for (size_t c = 0; c < p->K; c++)
        if (least < (long double)HUGE_VAL && square_distance(p, c, mu_q, sigma_q) <= least)
            log_gamma[c] = ev_mixture_log_joint(p, c, p->mu + c * p->J);
}

double ev_mixture_expected_responsibilities(const ev_mixture *p, const double *mu_q,
                                            const double *sigma_q, double *log_gamma)
{
    for (size_t c = 0; c < p->K; c++)
        log_gamma[c] = expected_log_joint(p, c, mu_q, sigma_q);
    const double total = ev_log_sum_exp(p->K, log_gamma);
    if (total == -HUGE_VAL)
        nearest_takes_all(p, mu_q, sigma_q, log_gamma);
    if (total == HUGE_VAL) /* keep the point masses at z, weighted by pi */
        for (size_t c = 0; c < p->K; c++)
            log_gamma[c] = log_gamma[c] == HUGE_VAL ? p->log_pi[c] : -HUGE_VAL;
    ev_log_softmax(p->K, log_gamma, log_gamma);
    return total;
}

double ev_mixture_responsibilities(const ev_mixture *p, const double *z, double *log_gamma)
{
    return ev_mixture_expected_responsibilities(p, z, NULL, log_gamma);
}

void ev_mixture_score(const ev_mixture *p, const double *z, double *score)
{
    const double log_density = ev_mixture_log_density(p, z);
    for (size_t j = 0; j < p->J; j++)
        score[j] = 0.0;
    for (size_t c = 0; c < p->K; c++) {
        const double gamma = exp(ev_mixture_log_joint(p, c, z) - log_density);
        for (size_t j = 0; j < p->J && gamma > 0.0; j++) {
            const double sigma = p->sigma[c * p->J + j];
            score[j] += gamma * ((p->mu[c * p->J + j] - z[j]) / sigma / sigma);
        }
    }
}

static double component_mean(const ev_mixture *p, size_t j)
{
    double sum = 0.0;
    for (size_t c = 0; c < p->K; c++)
        sum += exp(p->log_pi[c]) * p->mu[c * p->J + j];
    return sum;
}

void ev_mixture_moments(const ev_mixture *p, double *mean, double *covariance)
{
    const size_t J = p->J;
    for (size_t j = 0; mean != NULL && j < J; j++)
        mean[j] = component_mean(p, j);
    for (size_t i = 0; covariance != NULL && i < J; i++)
        for (size_t j = 0; j <= i; j++) {
            const double mean_i = component_mean(p, i), mean_j = component_mean(p, j);
            double sum = 0.0;
            for (size_t c = 0; c < p->K; c++) {
                const double sigma = i == j ? p->sigma[c * J + i] : 0.0;
                sum += exp(p->log_pi[c]) *
                       (sigma * sigma + (p->mu[c * J + i] - mean_i) * (p->mu[c * J + j] - mean_j));
            }
            covariance[i * J + j] = covariance[j * J + i] = sum;
        }
}

double ev_mixture_cross_entropy(const ev_mixture *p, const double *mu, const double *sigma)
{
    double sum = 0.0;
    for (size_t c = 0; c < p->K; c++)
        if (p->log_pi[c] != -HUGE_VAL)
            sum += exp(p->log_pi[c]) * ev_gaussian_cross_entropy(p->J, p->mu + c * p->J,
                                                                 p->sigma + c * p->J, mu, sigma);
    return sum;
}

void ev_mixture_entropy_bounds(const ev_mixture *p, double *lower, double *upper)
{
    double given_component = 0.0;
    for (size_t c = 0; c < p->K; c++)
        if (p->log_pi[c] != -HUGE_VAL)
            given_component += exp(p->log_pi[c]) * ev_gaussian_entropy(p->J, p->sigma + c * p->J);
    if (lower != NULL)
        *lower = given_component;
    if (upper != NULL)
        *upper = given_component + ev_categorical_entropy(p->K, p->log_pi);
}

void ev_mixture_sample(const ev_mixture *p, const ev_stream *stream, uint64_t offset, size_t n,
                       double *z, size_t *c)
{
    const ev_stream components = ev_stream_child(stream, 0), normals = ev_stream_child(stream, 1);
    const size_t J = p->J;
    ev_stream_normals(&normals, offset * J, n * J, z);
    size_t drawn[256];
    for (size_t i = 0; i < n; i++) {
        if (i % 256 == 0)
            ev_categorical_sample(&components, offset + i, n - i < 256 ? n - i : 256, p->K,
                                  p->log_pi, drawn);
        const size_t component = drawn[i % 256];
        for (size_t j = 0; j < J; j++)
            z[i * J + j] = p->mu[component * J + j] + p->sigma[component * J + j] * z[i * J + j];
        if (c != NULL)
            c[i] = component;
    }
}
