/* The float pass against the reference, with the same noise: what leads to the terms, and the terms.
 *
 * Bounds are the resolution times the sizes of what is added up, so that cancellation is charged to
 * the terms and not to their sum. */
#include "train/audit_work.h"

#include <math.h>
#include <string.h>

/* The comparison of an array: the element that is farthest off in units of its bound. */
typedef struct {
    double value, reference, error, ratio;
    size_t sample;
} worst;

static void look(worst *w, double value, double reference, double error, size_t sample)
{
    const double distance = fabs(value - reference);
    const double ratio = distance == 0.0 ? 0.0 : distance / error;
    if (ratio <= w->ratio && w->error > 0.0) /* a NaN is the worst of all */
        return;
    *w = (worst){value, reference, error, isnan(ratio) ? HUGE_VAL : ratio, sample};
}

static void add_worst(ev_audit_work *work, const char *name, const char *claim, const worst *w)
{
    ev_audit_row row = {.claim = claim,
                        .relation = "=",
                        .method = "closed form",
                        .kind = "rounding",
                        .value = w->value,
                        .reference = w->reference,
                        .error = w->error};
    strncpy(row.name, name, sizeof row.name - 1);
    snprintf(row.note, sizeof row.note, "sample %zu, the worst: %.3g of its bound", w->sample,
             w->ratio);
    ev_audit_add(work, row, HUGE_VAL);
}

/* The encoder's output o of sample b as a sum: how large its terms are. */
static double raw_size(const ev_audit_reference *r, size_t o, size_t b)
{
    const ev_mlp *mlp = &r->subject->model->encoder;
    const size_t l = mlp->depth - 1, in = mlp->width[l];
    const float *W = r->subject->parameters + mlp->weight[l] + o * in;
    double sum = 1.0 + fabs((double)r->subject->parameters[mlp->bias[l] + o]);
    for (size_t i = 0; i < in; i++)
        sum += fabs((double)W[i] * r->encoder[l - 1][i * r->encoded + b]);
    return sum;
}

/* The bound of L_ji, from the size of the output that it is made of. */
static double scale_bound(const ev_audit_reference *r, size_t b, size_t j, size_t i)
{
    const size_t J = r->prior.J;
    const double L = fabs(r->L[(b * J + j) * J + i]);
    if (r->subject->model->config.posterior == EV_POSTERIOR_FULL)
        return r->resolution * (L + raw_size(r, J + j * (j + 1) / 2 + i, b));
    return i < j ? 0.0 : r->resolution * L * (1.0 + raw_size(r, J + j, b));
}

static void compare_posterior(ev_audit_work *work)
{
    const ev_audit_reference *r = &work->reference;
    const ev_gmvae *m = work->subject->model;
    const bool full = m->config.posterior == EV_POSTERIOR_FULL;
    const size_t J = r->prior.J;
    worst mean = {0}, scale = {0};
    for (size_t b = 0; b < work->subject->B; b++)
        for (size_t j = 0; j < J; j++) {
            look(&mean, (double)work->subject->w->mu[b * J + j], r->mu[b * J + j],
                 r->resolution * raw_size(r, j, b), b);
            for (size_t i = full ? 0 : j; i <= j; i++)
                look(&scale,
                     (double)work->subject->w->scale[b * m->scale_size + (full ? j * J + i : j)],
                     r->L[(b * J + j) * J + i], scale_bound(r, b, j, i), b);
        }
    add_worst(work, "mean of q(z|x)", "draw-consistent", &mean);
    add_worst(work, "scale of q(z|x)", full ? "covariance-softplus" : "draw-half", &scale);
}

static void compare_draws(ev_audit_work *work)
{
    const ev_audit_reference *r = &work->reference;
    const ev_gmvae *m = work->subject->model;
    const size_t J = r->prior.J, L = m->config.samples;
    worst z = {0};
    for (size_t n = 0; n < work->subject->B * L; n++)
        for (size_t j = 0; j < J; j++) {
            const size_t b = n / L;
            const float *eps = work->subject->noise + (b * m->M + n % L) * J;
            double bound = r->resolution * raw_size(r, j, b);
            for (size_t i = 0; i <= j; i++)
                bound += fabs((double)eps[i]) * scale_bound(r, b, j, i);
            look(&z, (double)work->subject->w->z[n * J + j], r->z[j * r->decoded + n], bound, b);
        }
    add_worst(work, "draw of z",
              m->config.posterior == EV_POSTERIOR_FULL ? "covariance-law" : "gmvae-reparameterised",
              &z);
}

static void compare_gamma(ev_audit_work *work)
{
    static const char *const claims[] = {"elbo-maximiser", "elbo-cluster-posterior", "weight-once",
                                         "elbo-mean-loss"};
    const ev_audit_reference *r = &work->reference;
    const size_t K = r->prior.K;
    worst gamma = {0};
    for (size_t b = 0; b < work->subject->B; b++) {
        double mean = 0.0;
        for (size_t c = 0; c < K; c++)
            mean += exp(r->log_gamma[b * K + c]) * (fabs(r->log_pi[c]) + r->e_size[b * K + c]);
        for (size_t c = 0; c < K; c++) {
            const double exact = exp(r->log_gamma[b * K + c]);
            const double exponent = fabs(r->log_pi[c]) + r->e_size[b * K + c];
            look(&gamma, (double)work->subject->w->gamma[b * K + c], exact,
                 r->resolution * (1e-3 + exact * (1.0 + exponent + mean)), b);
        }
    }
    add_worst(work, "gamma",
              work->subject->w->held != NULL ? "elbo-loss-bound"
                                             : claims[work->subject->model->config.gamma],
              &gamma);
}

static const char *claim_of(const ev_gmvae_config *c, ev_elbo_term term)
{
    switch (term) {
    case EV_RECONSTRUCTION:
        return c->likelihood == EV_LIKELIHOOD_GAUSSIAN ? "gmvae-gaussian-formula"
                                                       : "gmvae-reconstruction";
    case EV_LATENT:
        return c->posterior == EV_POSTERIOR_FULL ? "gaussian-expectation-correlated"
                                                 : "gmvae-line-4";
    case EV_CATEGORICAL: return "gmvae-zero-weights";
    default: return c->posterior == EV_POSTERIOR_FULL ? "covariance-entropy" : "gmvae-entropy-sign";
    }
}

static void compare_terms(ev_audit_work *work)
{
    const ev_audit_reference *r = &work->reference;
    const ev_gmvae_config *c = &work->subject->model->config;
    const ev_elbo *elbo = work->subject->elbo;
    double size = 0.0;
    ev_audit_row row = {.relation = "=", .method = "closed form", .kind = "rounding"};
    for (size_t t = 0; t < EV_ELBO_TERMS; t++) {
        strcpy(row.name, ev_elbo_term_names[t]);
        row.claim = claim_of(c, (ev_elbo_term)t);
        row.value = elbo->term[t];
        row.reference = r->mean.term[t];
        row.error = r->resolution * r->size.term[t];
        size += r->size.term[t];
        snprintf(row.note, sizeof row.note, "%.3g of its bound",
                 fabs(row.value - row.reference) / row.error);
        ev_audit_add(work, row, HUGE_VAL);
    }
    strcpy(row.name, "elbo");
    row.claim = c->prior == EV_PRIOR_STANDARD             ? "gmvae-one-cluster"
                : c->likelihood == EV_LIKELIHOOD_GAUSSIAN ? "gmvae-gaussian-formula"
                                                          : "gmvae-formula";
    row.value = ev_elbo_total(elbo);
    row.reference = ev_elbo_total(&r->mean);
    row.error = r->resolution * size;
    snprintf(row.note, sizeof row.note, "%.3g of its bound",
             fabs(row.value - row.reference) / row.error);
    ev_audit_add(work, row, HUGE_VAL);
}

/* latent + categorical against their maximum over gamma, log sum_c pi_c exp E_q[log p(z|c)]. */
static void compare_with_best_gamma(ev_audit_work *work)
{
    const ev_audit_reference *r = &work->reference;
    const size_t K = r->prior.K, B = work->subject->B;
    double best = 0.0;
    for (size_t b = 0; b < B; b++) {
        double top = -HUGE_VAL, sum = 0.0;
        for (size_t c = 0; c < K; c++)
            top = fmax(top, r->log_pi[c] + r->e[b * K + c]);
        for (size_t c = 0; c < K; c++)
            sum += exp(r->log_pi[c] + r->e[b * K + c] - top);
        best += (top + log(sum)) / (double)B;
    }
    const bool optimal = work->subject->model->config.gamma == EV_GAMMA_OPTIMAL &&
                         work->subject->w->held == NULL;
    ev_audit_row row = {.name = "elbo at the best gamma",
                        .claim = optimal ? "elbo-maximiser-best" : "elbo-loss-bound",
                        .relation = optimal ? "=" : "<=",
                        .method = "closed form",
                        .kind = "rounding"};
    row.value = work->subject->elbo->term[EV_LATENT] + work->subject->elbo->term[EV_CATEGORICAL];
    row.reference = best;
    row.error = r->resolution * (r->size.term[EV_LATENT] + r->size.term[EV_CATEGORICAL]);
    snprintf(row.note, sizeof row.note, "this gamma costs %.4g nats", best - row.value);
    ev_audit_add(work, row, HUGE_VAL);
}

/* ReLUs and limits that rounding can't explain: another network than the reference's. */
static void report_sides(ev_audit_work *work)
{
    ev_audit_row row = {.name = "activations",
                        .claim = "gmvae-normalised",
                        .relation = "<=",
                        .method = "closed form",
                        .kind = "rounding",
                        .value = (double)work->reference.beyond};
    snprintf(row.note, sizeof row.note, "%zu units within rounding of their kink",
             work->reference.kinks);
    ev_audit_add(work, row, HUGE_VAL);
}

void ev_audit_values(ev_audit_work *work)
{
    compare_posterior(work);
    compare_draws(work);
    compare_gamma(work);
    compare_terms(work);
    report_sides(work);
    compare_with_best_gamma(work);
}
