/* The reference's derivatives along a direction, in forward mode.
 *
 * A dot is the derivative along the direction.  For one sample, with e_c = E_q[log p(z|c)]:
 *   e_c.     = -sum_j [ (mu_j - mu_cj)(mu_j. - mu_cj.) + var_j./2 ]/sigma_cj^2
 *              - sum_j [ 1 - (var_j + (mu_j - mu_cj)^2)/sigma_cj^2 ] log_var_cj./2
 *   latent.  = sum_c gamma_c e_c. + gamma_c. e_c
 *   categorical. = sum_c gamma_c (log pi_c). + gamma_c. (log pi_c - log gamma_c)
 *   entropy. = sum_j L_jj./L_jj
 * and gamma. from its softmax, at q or at the points z_s. */
#include "train/audit_reference.h"

#include "probability/log_space.h"
#include "train/audit_pixel.h"

#include <math.h>
#include <string.h>

enum { ROW = EV_PARTS + 1 }; /* of a sample: its parts, and the size of what cancels in them */

/* What one sample needs.  dot_mu (J), dot_L (J,J), dot_log_pi, dot_e, dot_gamma (K). */
typedef struct {
    double *mu, *L, *log_pi, *gamma;
} dots;

static dots dots_of(const ev_audit_reference *r, size_t b)
{
    const size_t J = r->prior.J, K = r->prior.K;
    double *work = r->work + b * (J * J + 2 * J + 2 * K);
    return (dots){work + J * J, work, work + J * J + 2 * J, work + J * J + 2 * J + K};
}

/* mu. and L. from the encoder's outputs' (R,encoded). */
static void posterior_dots(const ev_audit_reference *r, size_t b, const double *raw_dot, dots *d)
{
    const size_t J = r->prior.J, stride = r->encoded;
    const bool full = r->subject->model->config.posterior == EV_POSTERIOR_FULL;
    size_t next = J;
    memset(d->L, 0, J * J * sizeof *d->L);
    for (size_t j = 0; j < J; j++) {
        d->mu[j] = raw_dot[j * stride + b];
        for (size_t i = 0; full && i < j; i++)
            d->L[j * J + i] = raw_dot[next++ * stride + b];
        const size_t at = next++ * stride + b;
        d->L[j * J + j] = full
                              ? ev_sigmoid(r->raw[at]) * raw_dot[at]
                              : 0.5 * r->L[(b * J + j) * J + j] * (r->raw_on[at] ? raw_dot[at] : 0);
    }
}

static double log_var_dot(const ev_audit_reference *r, const float *direction, size_t i)
{
    return r->prior_on[i] ? (double)direction[r->subject->model->prior_log_var + i] : 0.0;
}

static double prior_mu_dot(const ev_audit_reference *r, const float *direction, size_t i)
{
    const bool standard = r->subject->model->config.prior == EV_PRIOR_STANDARD;
    return standard ? 0.0 : (double)direction[r->subject->model->prior_mu + i];
}

/* e_c. of a Gaussian at `at` with variances var (NULL: a point), by way: the mean, the variance, the
 * cluster's mean, the cluster's variance.  Returns the sum of the squares of what is lost where the two
 * means cancel: a tenth of their terms, which times the resolution is 16 roundings. */
static double component_dot(const ev_audit_reference *r, size_t c, const float *direction,
                            const double *at, const double *at_dot, const double *var,
                            const double *var_dot, double way[4])
{
    const size_t J = r->prior.J;
    double lost = 0.0;
    memset(way, 0, 4 * sizeof *way);
    for (size_t j = 0; j < J; j++) {
        const size_t i = c * J + j;
        const double off = at[j] - r->prior_mu[i];
        const double precision = 1.0 / (r->prior_sigma[i] * r->prior_sigma[i]);
        const double square = ((var == NULL ? 0.0 : var[j]) + off * off) * precision;
        way[0] -= off * precision * at_dot[j];
        way[1] -= var == NULL ? 0.0 : 0.5 * precision * var_dot[j];
        const double mu_dot = prior_mu_dot(r, direction, i), width = log_var_dot(r, direction, i);
        way[2] += off * precision * mu_dot;
        way[3] += 0.5 * (square - 1.0) * width;
        const double terms = 0.1 * (fabs(at[j]) + fabs(r->prior_mu[i])) * precision;
        lost += terms * terms *
                (at_dot[j] * at_dot[j] + mu_dot * mu_dot + off * off * width * width);
    }
    return lost;
}

static void log_pi_dots(const ev_audit_reference *r, const float *direction, double *log_pi_dot)
{
    const ev_gmvae *m = r->subject->model;
    double mean = 0.0;
    for (size_t c = 0; c < r->prior.K; c++) {
        log_pi_dot[c] = m->config.prior == EV_PRIOR_STANDARD
                            ? 0.0
                            : (double)direction[m->prior_logits + c];
        mean += exp(r->log_pi[c]) * log_pi_dot[c];
    }
    for (size_t c = 0; c < r->prior.K; c++)
        log_pi_dot[c] -= mean;
}

/* gamma_c. += weight r_c (u_c. - sum_k r_k u_k.) for r = softmax u, given u. in place. */
static void add_softmax_dot(size_t K, const double *log_r, const double *u_dot, double weight,
                            double *gamma_dot)
{
    double mean = 0.0;
    for (size_t c = 0; c < K; c++)
        mean += exp(log_r[c]) * u_dot[c];
    for (size_t c = 0; c < K; c++)
        gamma_dot[c] += weight * exp(log_r[c]) * (u_dot[c] - mean);
}

static void draw_dot(const ev_audit_reference *r, size_t b, size_t m, const dots *d, bool mu,
                     bool scale, double *z_dot)
{
    const size_t J = r->prior.J;
    const float *eps = r->subject->noise + (b * r->subject->model->M + m) * J;
    for (size_t j = 0; j < J; j++) {
        z_dot[j] = mu ? d->mu[j] : 0.0;
        for (size_t i = 0; scale && i <= j; i++)
            z_dot[j] += d->L[j * J + i] * (double)eps[i];
    }
}

/* Of e_c itself, likewise. */
static double component_lost(const ev_audit_reference *r, size_t c, const double *at)
{
    double lost = 0.0;
    for (size_t j = 0; j < r->prior.J; j++) {
        const size_t i = c * r->prior.J + j;
        const double sigma = r->prior_sigma[i], mu = r->prior_mu[i];
        const double off = at[j] - mu, terms = 0.1 * (fabs(at[j]) + fabs(mu) + 0.5 * fabs(off));
        lost += terms * terms * off * off / (sigma * sigma * sigma * sigma);
    }
    return lost;
}

/* What the two parts through gamma, which are sum_c gamma_c. h_c for h_c = e_c + log pi_c - log gamma_c, lose
 * at one point z, where gamma is the softmax r, squared: with each u_c., r_c (h_c - mean h); with each e_c
 * at z, r_c ((u_c. - mean u.)(h_c - mean h) - their mean); with each e_c of h.  lost: of each u_c. */
static double lost_at_point(const ev_audit_reference *r, size_t b, const double *z,
                            const double *log_r, const double *u_dot, const double *lost)
{
    const size_t K = r->prior.K;
    double share[EV_PRIOR_CLUSTERS], h[EV_PRIOR_CLUSTERS];
    double mean_u = 0.0, mean_h = 0.0, both = 0.0, total = 0.0;
    for (size_t c = 0; c < K; c++) {
        share[c] = exp(log_r[c]);
        h[c] = r->e[b * K + c] + r->log_pi[c] - r->log_gamma[b * K + c];
        if (share[c] > 0.0) { /* log gamma may be -inf elsewhere */
            mean_u += share[c] * u_dot[c];
            mean_h += share[c] * h[c];
            both += share[c] * u_dot[c] * h[c];
        }
    }
    for (size_t c = 0; c < K; c++) {
        const double u = u_dot[c] - mean_u, g = h[c] - mean_h;
        const double curved = u * g - (both - mean_u * mean_h), size = r->e_size[b * K + c];
        if (share[c] > 0.0)
            total += share[c] * share[c] *
                     (g * g * lost[c] + curved * curved * component_lost(r, c, z) +
                      u * u * 0.01 * size * size);
    }
    return total;
}

/* gamma. at the points z_s, a mean over them.  Returns what is lost, squared. */
static double gamma_dot_at_points(const ev_audit_reference *r, size_t b, const float *direction,
                                  const dots *d)
{
    const ev_gmvae *m = r->subject->model;
    const size_t J = r->prior.J, K = r->prior.K, S = m->S;
    double total = 0.0;
    for (size_t s = 0; s < S; s++) {
        double z_dot[EV_GMVAE_LATENT], u_dot[EV_PRIOR_CLUSTERS], lost[EV_PRIOR_CLUSTERS], way[4];
        const double *z = r->points + (b * S + s) * J, *log_r = r->log_r + (b * S + s) * K;
        draw_dot(r, b, s, d, true, m->config.gamma != EV_GAMMA_MEAN, z_dot);
        for (size_t c = 0; c < K; c++) {
            lost[c] = component_dot(r, c, direction, z, z_dot, NULL, NULL, way);
            u_dot[c] = d->log_pi[c] + way[0] + way[2] + way[3];
            lost[c] += 0.01 * u_dot[c] * u_dot[c];
        }
        total += lost_at_point(r, b, z, log_r, u_dot, lost) / (double)(S * S);
        add_softmax_dot(K, log_r, u_dot, 1.0 / (double)S, d->gamma);
    }
    return total;
}

/* What gamma_c, the softmax of log pi_c + e_c, loses with e_c, in the mean of u_c. over it: the sum over c
 * of (gamma_c (u_c. - mean) lost_c)^2. */
static double softmax_lost(const ev_audit_reference *r, const double *at, const double *log_gamma,
                           const double *u_dot)
{
    double mean = 0.0, lost = 0.0;
    for (size_t c = 0; c < r->prior.K; c++)
        mean += exp(log_gamma[c]) * u_dot[c];
    for (size_t c = 0; c < r->prior.K; c++) {
        const double by = exp(log_gamma[c]) * (u_dot[c] - mean);
        lost += by * by * component_lost(r, c, at);
    }
    return lost;
}

/* The parts of sample b but the reconstruction's, and what is added to their sizes. */
static void closed_parts(const ev_audit_reference *r, size_t b, const float *direction, dots *d,
                         double part[ROW])
{
    const size_t J = r->prior.J, K = r->prior.K;
    const double *mu = r->mu + b * J, *L = r->L + b * J * J, *var = r->var + b * J;
    const double *log_gamma = r->log_gamma + b * K;
    double var_dot[EV_GMVAE_LATENT], u_dot[EV_PRIOR_CLUSTERS], way[4], lost = 0.0;
    for (size_t j = 0; j < J; j++) {
        var_dot[j] = 0.0;
        for (size_t i = 0; i <= j; i++)
            var_dot[j] += 2.0 * L[j * J + i] * d->L[j * J + i];
        part[EV_PART_ENTROPY] += d->L[j * J + j] / L[j * J + j];
    }
    log_pi_dots(r, direction, d->log_pi);
    memset(d->gamma, 0, K * sizeof *d->gamma);
    for (size_t c = 0; c < K; c++) {
        const double gamma = exp(log_gamma[c]);
        lost += gamma * gamma * component_dot(r, c, direction, mu, d->mu, var, var_dot, way);
        for (int k = 0; k < 4; k++)
            part[EV_PART_LATENT_MU + k] += gamma * way[k];
        u_dot[c] = d->log_pi[c] + way[0] + way[1] + way[2] + way[3];
    }
    const bool held = r->subject->w->held != NULL; /* gamma is a constant then */
    if (!held && r->subject->model->S == 0) {
        lost += softmax_lost(r, mu, log_gamma, u_dot);
        add_softmax_dot(K, log_gamma, u_dot, 1.0, d->gamma);
    } else if (!held) {
        lost += gamma_dot_at_points(r, b, direction, d);
    }
    part[EV_PARTS] += sqrt(lost);
    for (size_t c = 0; c < K; c++) {
        part[EV_PART_CATEGORICAL_PI] += exp(log_gamma[c]) * d->log_pi[c];
        part[EV_PART_LATENT_GAMMA] += d->gamma[c] * r->e[b * K + c];
        if (d->gamma[c] != 0.0)
            part[EV_PART_CATEGORICAL_GAMMA] += d->gamma[c] * (r->log_pi[c] - log_gamma[c]);
    }
}

/* d log p(x|z) of one column from the outputs'.  *size: the root of the sum of the summands' squares,
 * which is what independent rounding of opposing pixels adds up to. */
static double likelihood_dot(const ev_audit_reference *r, const float *x, size_t column,
                             const double *out_dot, double *size)
{
    const size_t D = r->subject->model->config.D, stride = r->decoded;
    double sum = 0.0, squares = 0.0;
    const ev_likelihood_kind likelihood = r->subject->model->config.likelihood;
    for (size_t i = 0; i < D; i++) {
        const size_t v = (D + i) * stride + column;
        const double a_dot = out_dot[i * stride + column];
        const bool normal = likelihood == EV_LIKELIHOOD_GAUSSIAN;
        const ev_audit_pixel p = ev_audit_pixel_slope(
            likelihood, (double)x[i], r->out[i * stride + column], normal ? r->out[v] : 0.0);
        const double by_out = p.by_out * a_dot;
        const double by_log_var = normal && r->out_on[v] ? p.by_log_var * out_dot[v] : 0.0;
        sum += by_out + by_log_var;
        /* x - mean cancels: a tenth of its terms, which times the resolution is 16 roundings. */
        const double terms = 0.1 * p.cancelled * a_dot;
        squares += by_out * by_out + by_log_var * by_log_var + terms * terms;
    }
    *size = sqrt(squares);
    return sum;
}

/* One of the reconstruction's parts, or all three: parts (B,ROW) += its derivative. */
static void reconstruction_part(const ev_audit_reference *r, const float *direction, bool mu,
                                bool scale, ev_audit_part which, double *parts)
{
    const ev_audit_subject *s = r->subject;
    const size_t J = r->prior.J, L = s->model->config.samples, D = s->model->config.D;
    for (size_t n = 0; n < s->B * L; n++) {
        double z_dot[EV_GMVAE_LATENT];
        const dots d = dots_of(r, n / L);
        draw_dot(r, n / L, n % L, &d, mu, scale, z_dot);
        for (size_t j = 0; j < J; j++)
            r->tangent[j * r->decoded + n] = z_dot[j];
    }
    const double *out_dot = ev_audit_tangent(&s->model->decoder, s->parameters, direction,
                                             r->decoded, r->z, r->decoder, r->decoder_on,
                                             mu || scale ? r->tangent : NULL, r->scratch);
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < s->B; b++)
        for (size_t l = 0; l < L; l++) {
            double *own = parts + b * ROW, size;
            own[which] += likelihood_dot(r, s->x + b * D, b * L + l, out_dot, &size) / (double)L;
            own[EV_PARTS] += size / (double)L;
        }
}

static ev_audit_slope mean_of(size_t B, const double *parts)
{
    ev_audit_slope mean = {{0}, 0, 0};
    for (size_t b = 0; b < B; b++) {
        mean.size += parts[b * ROW + EV_PARTS] / (double)B;
        for (size_t p = 0; p < EV_PARTS; p++) {
            mean.part[p] += parts[b * ROW + p] / (double)B;
            mean.sum += parts[b * ROW + p] / (double)B;
            mean.size += fabs(parts[b * ROW + p]) / (double)B;
        }
    }
    return mean;
}

ev_audit_slope ev_audit_reference_slope(const ev_audit_reference *r, const float *direction,
                                        bool split)
{
    const ev_audit_subject *s = r->subject;
    double *parts = r->parts;
    memset(parts, 0, s->B * ROW * sizeof *parts);
    const double *raw_dot = ev_audit_tangent(&s->model->encoder, s->parameters, direction,
                                             r->encoded, r->x, r->encoder, r->encoder_on, NULL,
                                             r->scratch);
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < s->B; b++) {
        dots d = dots_of(r, b);
        posterior_dots(r, b, raw_dot, &d);
        closed_parts(r, b, direction, &d, parts + b * ROW);
    }
    if (split) {
        reconstruction_part(r, direction, false, false, EV_PART_DECODER, parts);
        reconstruction_part(r, NULL, true, false, EV_PART_DRAW_MU, parts);
        reconstruction_part(r, NULL, false, true, EV_PART_DRAW_SCALE, parts);
    } else {
        reconstruction_part(r, direction, true, true, EV_PART_DECODER, parts);
    }
    return mean_of(s->B, parts);
}
