#include "train/audit_plant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDEST = 32 };
static const double LOG_2PI = 1.8378770664093454836;

static void network(const ev_mlp *mlp, const double *p, const double *x, double *out)
{
    double in[WIDEST];
    memcpy(in, x, mlp->width[0] * sizeof *in);
    for (size_t l = 0; l < mlp->depth; l++) {
        for (size_t o = 0; o < mlp->width[l + 1]; o++) {
            out[o] = p[mlp->bias[l] + o];
            for (size_t i = 0; i < mlp->width[l]; i++)
                out[o] += p[mlp->weight[l] + o * mlp->width[l] + i] * in[i];
            if (l + 1 < mlp->depth && out[o] < 0.0)
                out[o] = 0.0;
        }
        memcpy(in, out, mlp->width[l + 1] * sizeof *in);
    }
}

static double log_pi_of(const ev_gmvae *m, const double *p, size_t c)
{
    double total = 0.0;
    for (size_t k = 0; k < m->config.K; k++)
        total += exp(p[m->prior_logits + k]);
    return p[m->prior_logits + c] - log(total);
}

/* E_q[log p(z|c)] at mean `at` and variances sigma^2 (NULL: a point). */
static double component(const ev_gmvae *m, const double *p, size_t c, const double *at,
                        const double *sigma, plant_kind kind)
{
    const size_t J = m->config.J;
    double sum = kind == PLANT_LATENT_CONSTANT ? (double)(J * J) * LOG_2PI : (double)J * LOG_2PI;
    for (size_t j = 0; j < J; j++) {
        const double log_var = p[m->prior_log_var + c * J + j];
        const double off = at[j] - p[m->prior_mu + c * J + j];
        const double var = sigma == NULL || kind == PLANT_LATENT_NO_VARIANCE ? 0.0
                                                                             : sigma[j] * sigma[j];
        sum += log_var + (var + off * off) * exp(-log_var);
    }
    return -0.5 * sum / (kind == PLANT_LATENT_MEAN ? (double)J : 1.0);
}

/* gamma from q (optimal) or at z (sample). */
static void gamma_of(const ev_gmvae *m, const double *p, const double *mu, const double *sigma,
                     const double *z, plant_kind kind, double *gamma)
{
    double total = 0.0;
    for (size_t c = 0; c < m->config.K; c++) {
        const double e = m->config.gamma == EV_GAMMA_OPTIMAL
                             ? component(m, p, c, mu, sigma, PLANT_NOTHING)
                             : component(m, p, c, z, NULL, PLANT_NOTHING);
        const double times = kind == PLANT_WEIGHT_IN_SUM     ? (double)m->config.J
                             : kind == PLANT_WEIGHT_LEFT_OUT ? 0.0
                                                             : 1.0;
        gamma[c] = exp(times * log_pi_of(m, p, c) + e);
        total += gamma[c];
    }
    for (size_t c = 0; c < m->config.K; c++)
        gamma[c] /= total;
}

static double log_likelihood(const ev_gmvae *m, const float *x, const double *out, plant_kind kind)
{
    const size_t D = m->config.D;
    double sum = 0.0;
    for (size_t i = 0; i < D; i++) {
        const double a = out[i] + (kind == PLANT_NOISY_MEAN ? 0.05 * sin(7.0 * (double)i) : 0.0);
        if (m->config.likelihood == EV_LIKELIHOOD_BERNOULLI) {
            sum += (double)x[i] * a - log1p(exp(a));
        } else {
            const double half = kind == PLANT_SQUARE_WITHOUT_HALF ? 1.0 : 0.5;
            const double off = (double)x[i] - a, log_var = out[D + i];
            sum -= 0.5 * ((kind == PLANT_PIXEL_CONSTANT ? 0.0 : LOG_2PI) + log_var) +
                   half * off * off * exp(-log_var);
        }
    }
    return kind == PLANT_BERNOULLI_MEAN ? sum / (double)D : sum;
}

/* mu = raw and sigma, or exp(log-variance) in its place. */
static void posterior(const ev_gmvae *m, const double *p, const float *x, plant_kind kind,
                      double *raw, double *sigma)
{
    double image[WIDEST] = {0};
    for (size_t i = 0; i < m->config.D; i++)
        image[i] = (double)x[i];
    network(&m->encoder, p, image, raw);
    for (size_t j = 0; j < m->config.J; j++)
        sigma[j] = exp((kind == PLANT_SCALE_IS_VARIANCE ? 1.0 : 0.5) * raw[m->config.J + j]);
}

static double entropy(size_t J, const double *sigma, plant_kind kind)
{
    const double constant = kind == PLANT_ENTROPY_NO_CONSTANT ? 1.0 : 1.0 + LOG_2PI;
    double sum = 0.5 * (double)J * constant;
    for (size_t j = 0; j < J; j++)
        sum += (kind == PLANT_ENTROPY_FULL_LOG ? 2.0
                : kind == PLANT_ENTROPY_SIGN   ? -1.0
                                               : 1.0) *
               log(sigma[j]);
    return sum;
}

planted plant_sample(const ev_gmvae *m, const double *p, const double *before, const float *x,
                     const float *noise, plant_kind kind)
{
    const size_t J = m->config.J;
    planted s = {{0}, {0}, {0}, {0}};
    double raw[WIDEST], old_raw[WIDEST], old_sigma[8], old_z[8], out[WIDEST];
    posterior(m, p, x, kind, raw, s.sigma);
    posterior(m, before, x, kind, old_raw, old_sigma);
    for (size_t j = 0; j < J; j++) {
        const double eps = (double)noise[j] * (kind == PLANT_DRAW_HUNDREDTH ? 0.01 : 1.0);
        s.z[j] = raw[j] + (kind == PLANT_STOPPED_SCALE ? old_sigma : s.sigma)[j] * eps;
        old_z[j] = old_raw[j] + old_sigma[j] * eps;
    }
    if (kind == PLANT_STOPPED_GAMMA)
        gamma_of(m, before, old_raw, old_sigma, old_z, kind, s.gamma);
    else
        gamma_of(m, p, raw, s.sigma, s.z, kind, s.gamma);
    network(&m->decoder, p, s.z, out);
    s.term[EV_RECONSTRUCTION] = log_likelihood(m, x, out, kind);
    for (size_t c = 0; c < m->config.K; c++) {
        const double log_pi = kind == PLANT_LOG_TENTH ? log(0.1) : log_pi_of(m, p, c);
        s.term[EV_LATENT] += s.gamma[c] * component(m, p, c, raw, s.sigma, kind);
        s.term[EV_CATEGORICAL] += s.gamma[c] * (log_pi - log(s.gamma[c])) *
                                  (kind == PLANT_CATEGORICAL_SIGN ? -1.0 : 1.0);
    }
    s.term[EV_ENTROPY] = entropy(J, kind == PLANT_STOPPED_ENTROPY ? old_sigma : s.sigma, kind);
    return s;
}

/* Minus the mean ELBO with the error, less that without. */
static double excess(const ev_gmvae *m, const double *p, const double *before, size_t B,
                     const float *x, const float *noise, plant_kind kind)
{
    double sum = 0.0;
    for (size_t b = 0; b < B; b++) {
        const float *image = x + b * m->config.D, *eps = noise + b * m->M * m->config.J;
        const planted with = plant_sample(m, p, before, image, eps, kind);
        const planted without = plant_sample(m, p, before, image, eps, PLANT_NOTHING);
        for (size_t t = 0; t < EV_ELBO_TERMS; t++)
            sum -= (with.term[t] - without.term[t]) / (double)B;
    }
    return sum;
}

void plant_gradient(const ev_gmvae *m, const float *parameters, size_t B, const float *x,
                    const float *noise, plant_kind kind, float *gradient)
{
    const double h = 1e-7; /* small: a step across the kink of a ReLU is a wrong derivative */
    const size_t n = m->layout.size;
    double *p = calloc(2 * n, sizeof *p), *before = p + n;
    for (size_t i = 0; i < n; i++)
        p[i] = before[i] = (double)parameters[i];
    for (size_t i = 0; i < n; i++) {
        p[i] = before[i] + h;
        const double above = excess(m, p, before, B, x, noise, kind);
        p[i] = before[i] - h;
        const double below = excess(m, p, before, B, x, noise, kind);
        p[i] = before[i];
        gradient[i] += (float)((above - below) / (2.0 * h));
    }
    free(p);
}
