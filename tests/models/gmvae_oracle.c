#include "models/gmvae_oracle.h"

#include "probability/bernoulli.h"
#include "probability/gaussian.h"
#include "probability/gaussian_full.h"
#include "probability/gmvae.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { WIDEST = 64, LATENT = 8, CLUSTERS = 16 };

typedef struct {
    double log_pi[CLUSTERS], mu[CLUSTERS * LATENT], sigma[CLUSTERS * LATENT];
} prior_arrays;

static void network(const ev_mlp *mlp, const double *parameters, const double *x, double *out)
{
    double in[WIDEST];
    memcpy(in, x, mlp->width[0] * sizeof *in);
    for (size_t l = 0; l < mlp->depth; l++) {
        for (size_t o = 0; o < mlp->width[l + 1]; o++) {
            double sum = parameters[mlp->bias[l] + o];
            for (size_t i = 0; i < mlp->width[l]; i++)
                sum += parameters[mlp->weight[l] + o * mlp->width[l] + i] * in[i];
            out[o] = l + 1 < mlp->depth ? fmax(sum, 0.0) : sum;
        }
        memcpy(in, out, mlp->width[l + 1] * sizeof *in);
    }
}

static double held(double log_var) { return fmin(fmax(log_var, -20.0), 20.0); }

static ev_mixture prior_of(const ev_gmvae *m, const double *parameters, prior_arrays *a)
{
    const size_t J = m->config.J, K = m->config.K;
    double total = 0.0;
    for (size_t c = 0; c < K; c++)
        total += m->config.prior == EV_PRIOR_STANDARD ? 1.0 : exp(parameters[m->prior_logits + c]);
    for (size_t c = 0; c < K; c++) {
        bool standard = m->config.prior == EV_PRIOR_STANDARD;
        a->log_pi[c] = standard ? 0.0 : parameters[m->prior_logits + c] - log(total);
        for (size_t i = c * J; i < (c + 1) * J; i++) {
            a->mu[i] = standard ? 0.0 : parameters[m->prior_mu + i];
            a->sigma[i] = standard ? 1.0 : exp(0.5 * held(parameters[m->prior_log_var + i]));
        }
    }
    return (ev_mixture){.K = K, .J = J, .log_pi = a->log_pi, .mu = a->mu, .sigma = a->sigma};
}

/* L of q as a full matrix, whatever the kind. */
static void root_of(const ev_gmvae *m, const double *raw, double *L)
{
    const size_t J = m->config.J;
    if (m->config.posterior == EV_POSTERIOR_FULL) {
        ev_gaussian_full_unpack(J, raw + J, L);
        for (size_t j = 0; j < J; j++)
            L[j * J + j] += (double)EV_SCALE_FLOOR;
        return;
    }
    memset(L, 0, J * J * sizeof *L);
    for (size_t j = 0; j < J; j++)
        L[j * J + j] = exp(0.5 * held(raw[J + j]));
}

static void place(size_t J, const double *mu, const double *L, const float *eps, double *z)
{
    for (size_t j = 0; j < J; j++) {
        z[j] = mu[j];
        for (size_t i = 0; i <= j; i++)
            z[j] += L[j * J + i] * (double)eps[i];
    }
}

static void gamma_of(const ev_gmvae *m, const ev_mixture *prior, const double *mu, const double *L,
                     const float *noise, const double *e, double *log_gamma)
{
    const size_t J = m->config.J, K = m->config.K;
    double total = 0.0, gamma[CLUSTERS] = {0}, r[CLUSTERS], z[LATENT];
    for (size_t c = 0; m->config.gamma == EV_GAMMA_OPTIMAL && c < K; c++)
        gamma[c] = exp(prior->log_pi[c] + e[c]);
    for (size_t s = 0; s < m->S; s++) {
        place(J, mu, L, noise + s * J, z);
        if (m->config.gamma == EV_GAMMA_MEAN)
            memcpy(z, mu, J * sizeof *z);
        ev_mixture_responsibilities(prior, z, r);
        for (size_t c = 0; c < K; c++)
            gamma[c] += exp(r[c]) / (double)m->S;
    }
    for (size_t c = 0; c < K; c++)
        total += gamma[c];
    for (size_t c = 0; c < K; c++)
        log_gamma[c] = log(gamma[c] / total);
}

static double log_likelihood(const ev_gmvae *m, const double *x, const double *out)
{
    const size_t D = m->config.D;
    double log_var[WIDEST];
    if (m->config.likelihood == EV_LIKELIHOOD_BERNOULLI)
        return ev_bernoulli_log_mass_logit(D, x, out);
    for (size_t i = 0; i < D; i++)
        log_var[i] = fmin(fmax(out[D + i], -8.0), 8.0);
    return ev_gaussian_log_density_log_var(D, x, out, log_var);
}

/* E_q[log p(z|c)] with q's covariance L L^T. */
static double component(const ev_mixture *prior, size_t c, const double *mu, const double *L)
{
    const size_t J = prior->J;
    double diagonal[LATENT * LATENT] = {0}, work[LATENT];
    for (size_t j = 0; j < J; j++)
        diagonal[j * J + j] = prior->sigma[c * J + j];
    return ev_gaussian_full_cross_entropy(J, mu, L, prior->mu + c * J, diagonal, work);
}

static ev_elbo one_sample(const ev_gmvae *m, const double *parameters, const float *image,
                          const float *noise)
{
    const size_t D = m->config.D, J = m->config.J, K = m->config.K, samples = m->config.samples;
    double x[WIDEST], raw[WIDEST], out[WIDEST], z[LATENT], L[LATENT * LATENT], e[CLUSTERS];
    double log_gamma[CLUSTERS];
    prior_arrays arrays;
    const ev_mixture prior = prior_of(m, parameters, &arrays);
    for (size_t i = 0; i < D; i++)
        x[i] = (double)image[i];
    network(&m->encoder, parameters, x, raw);
    root_of(m, raw, L);
    for (size_t c = 0; c < K; c++)
        e[c] = component(&prior, c, raw, L);
    gamma_of(m, &prior, raw, L, noise, e, log_gamma);
    ev_elbo elbo = {{0}};
    for (size_t l = 0; l < samples; l++) {
        place(J, raw, L, noise + l * J, z);
        network(&m->decoder, parameters, z, out);
        elbo.term[EV_RECONSTRUCTION] += log_likelihood(m, x, out) / (double)samples;
    }
    for (size_t c = 0; c < K; c++)
        elbo.term[EV_LATENT] += exp(log_gamma[c]) * e[c];
    elbo.term[EV_CATEGORICAL] = ev_gmvae_categorical_term(K, prior.log_pi, log_gamma);
    elbo.term[EV_ENTROPY] = ev_gaussian_full_entropy(J, L);
    return elbo;
}

ev_elbo oracle_elbo(const ev_gmvae *model, const double *parameters, size_t B, const float *x,
                    const float *noise)
{
    ev_elbo mean = {{0}};
    for (size_t b = 0; b < B; b++) {
        ev_elbo one = one_sample(model, parameters, x + b * model->config.D,
                                 noise + b * model->M * model->config.J);
        for (size_t t = 0; t < EV_ELBO_TERMS; t++)
            mean.term[t] += one.term[t] / (double)B;
    }
    return mean;
}

double oracle_slope(const ev_gmvae *model, double *parameters, size_t i, size_t B, const float *x,
                    const float *noise)
{
    const double h = 1e-4, at = parameters[i];
    double f[4];
    static const double steps[4] = {-2.0, -1.0, 1.0, 2.0};
    for (size_t k = 0; k < 4; k++) {
        parameters[i] = at + steps[k] * h;
        const ev_elbo elbo = oracle_elbo(model, parameters, B, x, noise);
        f[k] = -ev_elbo_total(&elbo);
    }
    parameters[i] = at;
    return (f[0] - 8.0 * f[1] + 8.0 * f[2] - f[3]) / (12.0 * h);
}

double oracle_log_px(const ev_gmvae *model, const double *parameters, const float *x)
{
    const double h = 1e-3, end = 12.0;
    double image[WIDEST], out[WIDEST], sum = 0.0;
    prior_arrays arrays;
    const ev_mixture prior = prior_of(model, parameters, &arrays);
    for (size_t i = 0; i < model->config.D; i++)
        image[i] = (double)x[i];
    for (double z = -end; z <= end; z += h) {
        network(&model->decoder, parameters, &z, out);
        sum += h * exp(ev_mixture_log_density(&prior, &z) + log_likelihood(model, image, out));
    }
    return log(sum);
}
