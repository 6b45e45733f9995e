#include "train/audit_reference.h"

#include "nn/buffer.h"
#include "probability/bernoulli.h"
#include "probability/gaussian.h"
#include "probability/gaussian_full.h"
#include "probability/gmvae.h"
#include "probability/log_space.h"

#include <math.h>
#include <string.h>

/* --- Memory -------------------------------------------------------------------------------- */

static size_t widest(const ev_mlp *mlp)
{
    size_t most = 0;
    for (size_t l = 0; l <= mlp->depth; l++)
        most = mlp->width[l] > most ? mlp->width[l] : most;
    return most;
}

static double *doubles(ev_audit_reference *r, size_t rows, size_t columns)
{
    return ev_arena_array(r->arena, ev_size_product(rows, columns), sizeof(double));
}

static unsigned char *flags(ev_audit_reference *r, size_t rows, size_t columns)
{
    return ev_arena_array(r->arena, ev_size_product(rows, columns), 1);
}

static void place_networks(ev_audit_reference *r)
{
    const ev_gmvae *m = r->subject->model;
    const size_t both = widest(&m->encoder) > widest(&m->decoder) ? widest(&m->encoder)
                                                                  : widest(&m->decoder);
    for (size_t l = 0; l < m->encoder.depth; l++) {
        r->encoder[l] = doubles(r, m->encoder.width[l + 1], r->encoded);
        r->encoder_on[l] = flags(r, m->encoder.width[l + 1], r->encoded);
        r->decoder[l] = doubles(r, m->decoder.width[l + 1], r->decoded);
        r->decoder_on[l] = flags(r, m->decoder.width[l + 1], r->decoded);
    }
    r->raw = r->encoder[m->encoder.depth - 1];
    r->out = r->decoder[m->decoder.depth - 1];
    r->raw_on = r->encoder_on[m->encoder.depth - 1];
    r->out_on = r->decoder_on[m->decoder.depth - 1];
    r->x = doubles(r, m->config.D, r->encoded);
    r->z = doubles(r, m->config.J, r->decoded);
    r->tangent = doubles(r, m->config.J, r->decoded);
    for (size_t i = 0; i < 2; i++)
        r->scratch[i] = doubles(r, both, r->decoded);
}

static ev_status place(ev_audit_reference *r, ev_error *error)
{
    const ev_gmvae *m = r->subject->model;
    const size_t B = r->subject->B, J = m->config.J, K = m->config.K;
    r->arena = ev_arena_create();
    if (r->arena == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "out of memory for the audit");
    r->encoded = ev_audit_stride(B);
    r->decoded = ev_audit_stride(ev_size_product(B, m->config.samples));
    place_networks(r);
    r->log_pi = doubles(r, K, 1);
    r->prior_mu = doubles(r, K, J);
    r->prior_sigma = doubles(r, K, J);
    r->prior_on = flags(r, K, J);
    r->mu = doubles(r, B, J);
    r->L = doubles(r, B, J * J);
    r->var = doubles(r, B, J);
    r->e = doubles(r, B, K);
    r->e_size = doubles(r, B, K);
    r->log_gamma = doubles(r, B, K);
    r->points = doubles(r, B, m->S * J);
    r->log_r = doubles(r, B, m->S * K);
    r->work = doubles(r, B, J * J + 2 * J + 2 * K);
    r->parts = doubles(r, B, EV_PARTS + 1);
    r->terms = doubles(r, B, EV_ELBO_TERMS);
    r->sizes = doubles(r, B, EV_ELBO_TERMS);
    r->prior = (ev_mixture){K, J, r->log_pi, r->prior_mu, r->prior_sigma};
    return ev_arena_failed(r->arena)
               ? ev_error_set(error, EV_NO_MEMORY, "out of memory for the audit")
               : EV_OK;
}

/* --- Limits -------------------------------------------------------------------------------- */

static unsigned char between(ev_audit_reference *r, double ours, float theirs, float low,
                             float high)
{
    return ev_audit_between(ours, theirs, low, high, r->resolution, &r->kinks, &r->beyond);
}

static void find_limits(ev_audit_reference *r)
{
    const ev_audit_subject *s = r->subject;
    const ev_gmvae_config *c = &s->model->config;
    const size_t D = c->D, J = c->J, R = s->model->R, E = s->model->E;
    memset(r->raw_on, 1, R * r->encoded);
    memset(r->out_on, 1, E * r->decoded);
    if (c->posterior == EV_POSTERIOR_DIAGONAL)
        for (size_t j = J; j < 2 * J; j++)
            for (size_t b = 0; b < s->B; b++)
                r->raw_on[j * r->encoded + b] = between(r, r->raw[j * r->encoded + b],
                                                        s->w->raw[b * R + j], EV_LOG_VAR_MIN,
                                                        EV_LOG_VAR_MAX);
    if (c->likelihood == EV_LIKELIHOOD_GAUSSIAN)
        for (size_t i = D; i < 2 * D; i++)
            for (size_t n = 0; n < s->B * c->samples; n++)
                r->out_on[i * r->decoded + n] = between(r, r->out[i * r->decoded + n],
                                                        s->w->out[n * E + i], EV_LOG_VAR_X_MIN,
                                                        EV_LOG_VAR_X_MAX);
}

/* --- The model ----------------------------------------------------------------------------- */

static double held(double log_var, float low, float high)
{
    return fmin(fmax(log_var, (double)low), (double)high);
}

static void read_prior(ev_audit_reference *r)
{
    const ev_gmvae *m = r->subject->model;
    const float *parameters = r->subject->parameters;
    const size_t J = m->config.J, K = m->config.K;
    const bool standard = m->config.prior == EV_PRIOR_STANDARD;
    for (size_t c = 0; c < K; c++)
        r->log_pi[c] = standard ? 0.0 : (double)parameters[m->prior_logits + c];
    ev_log_softmax(K, r->log_pi, r->log_pi);
    for (size_t i = 0; i < K * J; i++) {
        const double raw = standard ? 0.0 : (double)parameters[m->prior_log_var + i];
        r->prior_mu[i] = standard ? 0.0 : (double)parameters[m->prior_mu + i];
        r->prior_sigma[i] = exp(0.5 * held(raw, EV_LOG_VAR_MIN, EV_LOG_VAR_MAX));
        r->prior_on[i] = !standard && raw >= (double)EV_LOG_VAR_MIN &&
                         raw <= (double)EV_LOG_VAR_MAX;
    }
}

/* mu, L and var of sample b from the encoder's outputs. */
static void read_posterior(ev_audit_reference *r, size_t b)
{
    const size_t J = r->prior.J;
    double *mu = r->mu + b * J, *L = r->L + b * J * J, *var = r->var + b * J;
    const double *raw = r->raw + b;
    size_t next = J;
    for (size_t j = 0; j < J; j++) {
        mu[j] = raw[j * r->encoded];
        if (r->subject->model->config.posterior == EV_POSTERIOR_DIAGONAL) {
            L[j * J + j] = exp(0.5 *
                               held(raw[next++ * r->encoded], EV_LOG_VAR_MIN, EV_LOG_VAR_MAX));
        } else {
            for (size_t i = 0; i < j; i++)
                L[j * J + i] = raw[next++ * r->encoded];
            L[j * J + j] = (double)EV_SCALE_FLOOR + ev_softplus(raw[next++ * r->encoded]);
        }
        var[j] = 0.0;
        for (size_t i = 0; i <= j; i++)
            var[j] += L[j * J + i] * L[j * J + i];
    }
}

static void draw(const ev_audit_reference *r, size_t b, size_t m, double *z)
{
    const size_t J = r->prior.J;
    const float *eps = r->subject->noise + (b * r->subject->model->M + m) * J;
    for (size_t j = 0; j < J; j++) {
        z[j] = r->mu[b * J + j];
        for (size_t i = 0; i <= j; i++)
            z[j] += r->L[(b * J + j) * J + i] * (double)eps[i];
    }
}

/* E_q[log p(z|c)]: the lemma for the diagonal q, its matrix form for the full one (beyond 32
 * dimensions from the marginal variances, which is the same: gaussian-expectation-correlated). */
static void expected_log_densities(ev_audit_reference *r, size_t b)
{
    const size_t J = r->prior.J, K = r->prior.K;
    const bool matrix = r->subject->model->config.posterior == EV_POSTERIOR_FULL && J <= 32;
    double *P = r->work + b * (J * J + 2 * J + 2 * K), *sd = P + J * J, *work = sd + J;
    const double *mu = r->mu + b * J, *var = r->var + b * J;
    for (size_t j = 0; j < J; j++)
        sd[j] = sqrt(var[j]);
    for (size_t c = 0; c < K; c++) {
        const double *sigma = r->prior_sigma + c * J, *at = r->prior_mu + c * J;
        double *e = r->e + b * K + c, *size = r->e_size + b * K + c;
        for (size_t j = 0; matrix && j < J; j++)
            P[j * J + j] = sigma[j];
        *e = matrix ? ev_gaussian_full_cross_entropy(J, mu, r->L + b * J * J, at, P, work)
                    : ev_gmvae_component_term(&r->prior, c, mu, sd);
        *size = 0.0;
        for (size_t j = 0; j < J; j++) {
            const double off = fabs(mu[j]) + fabs(at[j]); /* the difference may cancel */
            const double gap = fabs(mu[j] - at[j]);
            *size += 0.5 * (EV_LOG_2PI + 2.0 * fabs(log(sigma[j])) +
                            (var[j] + gap * (gap + off)) / (sigma[j] * sigma[j]));
        }
    }
}

/* gamma held, or in its four ways: elbo-maximiser, or p(c|z) at one or several z. */
static void responsibilities(ev_audit_reference *r, size_t b)
{
    const ev_gmvae *m = r->subject->model;
    const size_t J = r->prior.J, K = r->prior.K, S = m->S;
    const uint32_t *held = r->subject->w->held;
    double *log_gamma = r->log_gamma + b * K;
    if (held != NULL) {
        for (size_t c = 0; c < K; c++)
            log_gamma[c] = c == held[b] ? 0.0 : -HUGE_VAL;
        return;
    }
    for (size_t c = 0; S == 0 && c < K; c++)
        log_gamma[c] = r->log_pi[c] + r->e[b * K + c];
    if (S == 0)
        ev_log_softmax(K, log_gamma, log_gamma);
    for (size_t s = 0; s < S; s++) {
        double *z = r->points + (b * S + s) * J;
        if (m->config.gamma == EV_GAMMA_MEAN)
            memcpy(z, r->mu + b * J, J * sizeof *z);
        else
            draw(r, b, s, z);
        ev_mixture_responsibilities(&r->prior, z, r->log_r + (b * S + s) * K);
    }
    for (size_t c = 0; S > 0 && c < K; c++) {
        log_gamma[c] = -HUGE_VAL;
        for (size_t s = 0; s < S; s++)
            log_gamma[c] = ev_log_add_exp(log_gamma[c], r->log_r[(b * S + s) * K + c]);
        log_gamma[c] -= log((double)S);
    }
}

/* The terms but the reconstruction.  An error of relative size u in gamma's exponents, which are of
 * size s_c, changes sum_c gamma_c t_c by u sum_c gamma_c |t_c - mean t| s_c: part of the size. */
static void closed_terms(ev_audit_reference *r, size_t b)
{
    const size_t J = r->prior.J, K = r->prior.K;
    const double *e = r->e + b * K, *log_gamma = r->log_gamma + b * K;
    double *term = r->terms + b * EV_ELBO_TERMS, *size = r->sizes + b * EV_ELBO_TERMS;
    double latent = 0.0;
    for (size_t c = 0; c < K; c++)
        latent += exp(log_gamma[c]) * e[c];
    term[EV_LATENT] = latent;
    term[EV_CATEGORICAL] = ev_gmvae_categorical_term(K, r->log_pi, log_gamma);
    term[EV_ENTROPY] = ev_gaussian_full_entropy(J, r->L + b * J * J);
    size[EV_LATENT] = size[EV_CATEGORICAL] = 0.0;
    size[EV_ENTROPY] = 0.5 * (double)J * EV_LOG_2PI_E;
    for (size_t j = 0; j < J; j++)
        size[EV_ENTROPY] += fabs(log(r->L[(b * J + j) * J + j]));
    for (size_t c = 0; c < K; c++) {
        const double gamma = exp(log_gamma[c]);
        const double ratio = r->log_pi[c] - log_gamma[c];
        if (gamma == 0.0)
            continue;
        const double exponent = fabs(r->log_pi[c]) + r->e_size[b * K + c];
        size[EV_LATENT] += gamma * (r->e_size[b * K + c] + fabs(e[c] - latent) * exponent);
        size[EV_CATEGORICAL] += gamma * (fabs(r->log_pi[c]) + fabs(log_gamma[c]) +
                                         fabs(ratio - term[EV_CATEGORICAL]) * exponent);
    }
}

double ev_audit_log_likelihood(const ev_audit_reference *r, const float *x, const double *out,
                               size_t stride, size_t column, double *size)
{
    const size_t D = r->subject->model->config.D;
    double sum = 0.0;
    *size = 0.0;
    for (size_t i = 0; i < D; i++) {
        const double pixel = (double)x[i], a = out[i * stride + column];
        if (r->subject->model->config.likelihood == EV_LIKELIHOOD_BERNOULLI) {
            sum += ev_bernoulli_log_mass_logit(1, &pixel, &a);
            *size += fabs(pixel * a) + ev_softplus(a);
        } else {
            const double log_var = held(out[(D + i) * stride + column], EV_LOG_VAR_X_MIN,
                                        EV_LOG_VAR_X_MAX);
            sum += ev_gaussian_log_density_log_var(1, &pixel, &a, &log_var);
            *size += 0.5 * (EV_LOG_2PI + fabs(log_var)) +
                     0.5 * fabs(pixel - a) * (fabs(pixel) + fabs(a)) * exp(-log_var);
        }
    }
    return sum;
}

static void reconstruction(ev_audit_reference *r, size_t b)
{
    const ev_gmvae_config *c = &r->subject->model->config;
    double *term = r->terms + b * EV_ELBO_TERMS + EV_RECONSTRUCTION;
    double *size = r->sizes + b * EV_ELBO_TERMS + EV_RECONSTRUCTION;
    *term = *size = 0.0;
    for (size_t l = 0; l < c->samples; l++) {
        double summands;
        *term += ev_audit_log_likelihood(r, r->subject->x + b * c->D, r->out, r->decoded,
                                         b * c->samples + l, &summands) /
                 (double)c->samples;
        *size += summands / (double)c->samples;
    }
}

/* --- The pass ------------------------------------------------------------------------------ */

static void encode(ev_audit_reference *r)
{
    const ev_audit_subject *s = r->subject;
    const size_t D = s->model->config.D;
    for (size_t i = 0; i < D; i++)
        for (size_t b = 0; b < s->B; b++)
            r->x[i * r->encoded + b] = (double)s->x[b * D + i];
    ev_audit_network(&s->model->encoder, s->parameters, r->encoded, r->x, r->encoder);
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < s->B; b++) {
        read_posterior(r, b);
        expected_log_densities(r, b);
        responsibilities(r, b);
        closed_terms(r, b);
    }
}

static void decode(ev_audit_reference *r)
{
    const ev_audit_subject *s = r->subject;
    const size_t J = r->prior.J, L = s->model->config.samples;
    for (size_t b = 0; b < s->B; b++)
        for (size_t l = 0; l < L; l++) {
            double z[EV_GMVAE_LATENT];
            draw(r, b, l, z);
            for (size_t j = 0; j < J; j++)
                r->z[j * r->decoded + b * L + l] = z[j];
        }
    ev_audit_network(&s->model->decoder, s->parameters, r->decoded, r->z, r->decoder);
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < s->B; b++)
        reconstruction(r, b);
}

static void find_sides(ev_audit_reference *r)
{
    const ev_audit_subject *s = r->subject;
    const ev_gmvae *m = s->model;
    r->kinks = ev_audit_sides(&m->encoder, s->parameters, s->B, r->encoded, r->x, r->encoder,
                              s->w->encoder, r->resolution, r->encoder_on, &r->beyond);
    r->kinks += ev_audit_sides(&m->decoder, s->parameters, s->B * m->config.samples, r->decoded,
                               r->z, r->decoder, s->w->decoder, r->resolution, r->decoder_on,
                               &r->beyond);
    find_limits(r);
}

ev_status ev_audit_reference_create(ev_audit_reference *r, const ev_audit_subject *subject,
                                    double resolution, ev_error *error)
{
    *r = (ev_audit_reference){.subject = subject, .resolution = resolution};
    ev_status status = place(r, error);
    if (status != EV_OK)
        return status;
    read_prior(r);
    encode(r);
    decode(r);
    find_sides(r);
    for (size_t b = 0; b < subject->B; b++)
        for (size_t t = 0; t < EV_ELBO_TERMS; t++) {
            r->mean.term[t] += r->terms[b * EV_ELBO_TERMS + t] / (double)subject->B;
            r->size.term[t] += r->sizes[b * EV_ELBO_TERMS + t] / (double)subject->B;
        }
    return EV_OK;
}

void ev_audit_reference_destroy(ev_audit_reference *r)
{
    ev_arena_destroy(r->arena);
    *r = (ev_audit_reference){.arena = NULL};
}
