/* The second voice of derivations/training_loss.md: audits (train/audit.h) of a small network on real
 * images, in every combination of posterior, likelihood and gamma. */
#include "data/image_set.h"
#include "judge/check.h"
#include "nn/adam.h"
#include "nn/buffer.h"
#include "probability/log_space.h"
#include "train/audit.h"
#include "train/audit_reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { B = 12, D = 784, STEPS = 12, COMBINATIONS = 16 };

/* A step of a network that has made a few. */
typedef struct {
    ev_gmvae model;
    ev_gmvae_workspace w;
    float *parameters, *gradient, *m, *v, *noise;
    ev_elbo elbo;
    bool ready;
} step;

/* --- Images -------------------------------------------------------------------------------- */

/* The first images, in [0,1]; without the data set, bumps of the same size. */
static const char *read_images(float *x)
{
    ev_image_set set;
    if (ev_image_set_read(ev_image_set_default_folder(), &set, NULL) == EV_OK && set.D == D) {
        for (size_t i = 0; i < B * STEPS * D; i++)
            x[i] = (float)set.train.pixels[i] / 255.0F;
        ev_image_set_free(&set);
        return "images of Fashion-MNIST";
    }
    for (size_t i = 0; i < B * STEPS * D; i++) {
        const double row = (double)(i % D / 28) - 14.0, column = (double)(i % 28) - 14.0;
        const double width = 20.0 + 3.0 * (double)(i / D % 17);
        x[i] = (float)exp(-(row * row + column * column) / width);
    }
    return "synthetic images (the data set is not there)";
}

/* --- A step -------------------------------------------------------------------------------- */

static void destroy(step *s)
{
    ev_gmvae_workspace_destroy(&s->w);
    float *arrays[] = {s->parameters, s->gradient, s->m, s->v, s->noise};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
}

/* Clusters with no two numbers alike: uniform weights would hide errors. */
static void set_prior(step *s)
{
    const size_t K = s->model.config.K, J = s->model.config.J;
    for (size_t c = 0; c < K; c++) {
        s->parameters[s->model.prior_logits + c] = 0.7F * (float)c - 0.5F;
        for (size_t j = 0; j < J; j++)
            s->parameters[s->model.prior_log_var + c * J + j] = 0.3F * (float)c - 0.2F * (float)j;
    }
}

static void pass(step *s, const float *x, uint64_t t)
{
    ev_gmvae_noise(&s->model, 1, t, B, s->noise);
    s->elbo = ev_gmvae_forward(&s->model, s->parameters, B, x, s->noise, &s->w);
    ev_gmvae_backward(&s->model, s->parameters, B, x, s->noise, &s->w, s->gradient);
}

static step create(const ev_gmvae_config *config, const float *x)
{
    const ev_adam adam = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    step s = {.ready = false};
    if (ev_gmvae_create(&s.model, config, NULL) != EV_OK ||
        ev_gmvae_workspace_create(&s.w, &s.model, B, NULL) != EV_OK)
        return s;
    const size_t n = s.model.layout.size;
    float **arrays[] = {&s.parameters, &s.gradient, &s.m, &s.v};
    s.ready = true;
    for (size_t i = 0; i < 4; i++) {
        *arrays[i] = ev_buffer_create(n);
        s.ready = s.ready && *arrays[i] != NULL;
    }
    s.noise = ev_buffer_create(B * s.model.M * config->J);
    s.ready = s.ready && s.noise != NULL;
    if (!s.ready)
        return s;
    ev_gmvae_initialise(&s.model, 3, s.parameters);
    set_prior(&s);
    for (uint64_t t = 0; t + 1 < STEPS; t++) {
        pass(&s, x + t * B * D, t);
        ev_adam_step(&adam, t + 1, 2e-3, n, s.gradient, s.m, s.v, s.parameters);
    }
    pass(&s, x + (STEPS - 1) * B * D, STEPS);
    return s;
}

static ev_audit_subject subject_of(const step *s, const float *x)
{
    return (ev_audit_subject){&s->model, s->parameters, B,     x + (STEPS - 1) * B * D,
                              s->noise,  &s->elbo,      &s->w, s->gradient};
}

static ev_gmvae_config config_of(size_t combination)
{
    return (ev_gmvae_config){.D = D,
                             .J = 2,
                             .K = 3,
                             .layers = 2,
                             .hidden = {12, 8},
                             .posterior = (ev_posterior_kind)(combination & 1),
                             .likelihood = (ev_likelihood_kind)(combination >> 1 & 1),
                             .gamma = (ev_gamma_kind)(combination >> 2),
                             .samples = 1,
                             .gamma_samples = 3};
}

/* --- What is gathered ---------------------------------------------------------------------- */

/* Over the combinations; what published programs compute, by how much it differs from the float's
 * numbers at the nearest, in units of the bound. */
typedef struct {
    size_t audits, rows, refuted, kinks;
    double worst;                                            /* derivative, in units of its bound */
    double pixel_mean, latent_mean, constant, sign, logs;    /* values */
    double stopped_gamma, entropy_twice, left_out, envelope; /* derivatives */
    char failed[256];
} findings;

static void nearest(double *least, double distance, double bound)
{
    *least = fmin(*least, fabs(distance) / bound);
}

static void try_published_values(const step *s, const ev_audit_reference *r, findings *f)
{
    const double J = (double)s->model.config.J;
    const double *ours = s->elbo.term, *mean = r->mean.term;
    double bound[EV_ELBO_TERMS];
    for (size_t t = 0; t < EV_ELBO_TERMS; t++)
        bound[t] = r->resolution * r->size.term[t];
    const double half_log_vars = mean[EV_ENTROPY] - 0.5 * J * EV_LOG_2PI_E;
    nearest(&f->pixel_mean, ours[EV_RECONSTRUCTION] - mean[EV_RECONSTRUCTION] / D,
            bound[EV_RECONSTRUCTION]);
    nearest(&f->latent_mean, ours[EV_LATENT] - mean[EV_LATENT] / J, bound[EV_LATENT]);
    nearest(&f->constant, ours[EV_LATENT] - mean[EV_LATENT] + 0.5 * J * (J - 1.0) * EV_LOG_2PI,
            bound[EV_LATENT]);
    nearest(&f->sign, ours[EV_CATEGORICAL] + mean[EV_CATEGORICAL], bound[EV_CATEGORICAL]);
    nearest(&f->logs, ours[EV_ENTROPY] - mean[EV_ENTROPY] - half_log_vars, bound[EV_ENTROPY]);
}

/* Along random signs in all parameters: parts of the derivative that are left out or doubled. */
static void try_published_slopes(const step *s, const ev_audit_reference *r, findings *f)
{
    const size_t n = s->model.layout.size;
    const ev_stream stream = ev_stream_make(1, ev_hash_text("signs"), 0, 0);
    float *v = ev_buffer_create(n);
    double ours = 0.0;
    for (size_t i = 0; v != NULL && i < n; i++) {
        double u;
        ev_stream_uniforms(&stream, i, 1, &u);
        v[i] = u < 0.5 ? -1.0F : 1.0F;
        ours += (double)s->gradient[i] * (double)v[i];
    }
    if (v == NULL)
        return;
    const ev_audit_slope slope = ev_audit_reference_slope(r, v, false);
    const double off = ours + slope.sum, bound = r->resolution * slope.size;
    const double gamma = slope.part[EV_PART_LATENT_GAMMA] + slope.part[EV_PART_CATEGORICAL_GAMMA];
    if (s->model.config.gamma == EV_GAMMA_OPTIMAL)
        f->envelope = fmax(f->envelope, fabs(gamma) / slope.size);
    else
        nearest(&f->stopped_gamma, off - gamma, bound);
    nearest(&f->entropy_twice, off + slope.part[EV_PART_ENTROPY], bound);
    nearest(&f->left_out, off - slope.part[EV_PART_LATENT_VAR], bound);
    free(v);
}

static void run_combination(ev_check *check, size_t combination, const float *x, findings *f)
{
    const ev_gmvae_config config = config_of(combination);
    step s = create(&config, x);
    ev_audit audit = {.rows = NULL};
    ev_audit_reference r = {.arena = NULL};
    ev_audit_options options = EV_AUDIT_DEFAULTS;
    options.images = options.ranks = 0;
    options.directions = 4;
    options.alpha = ev_check_alpha(check);
    if (s.ready) {
        const ev_audit_subject subject = subject_of(&s, x);
        if (ev_audit_run(&subject, &options, &audit, NULL) == EV_OK &&
            ev_audit_reference_create(&r, &subject, options.resolution, NULL) == EV_OK) {
            f->audits++;
            f->rows += audit.count;
            f->refuted += audit.count - ev_audit_tally(&audit, EV_HOLDS);
            f->kinks += audit.kinks;
            f->worst = fmax(f->worst, audit.gradient_error);
            if (f->failed[0] == '\0')
                snprintf(f->failed, sizeof f->failed, "%s", audit.diagnosis);
            try_published_values(&s, &r, f);
            try_published_slopes(&s, &r, f);
        }
    }
    ev_audit_reference_destroy(&r);
    ev_audit_free(&audit);
    destroy(&s);
}

/* --- Decisions ----------------------------------------------------------------------------- */

static const char *far_off(ev_check *check, double distance)
{
    return ev_check_format(check, "at the nearest %.3g bounds away", distance);
}

static void decide_terms(ev_check *check, const findings *f, const char *images)
{
    const ev_alternative others[] = {
        {"the Bernoulli or Gaussian term is a mean over pixels", f->pixel_mean > 10,
         far_off(check, f->pixel_mean)},
        {"the latent term is a mean over latent dimensions", f->latent_mean > 10,
         far_off(check, f->latent_mean)},
        {"its constant is J^2/2 log 2 pi", f->constant > 10, far_off(check, f->constant)},
        {"the categorical term has the other sign", f->sign > 10, far_off(check, f->sign)},
        {"the entropy has log sigma^2 where log sigma stands", f->logs > 10,
         far_off(check, f->logs)}};
    ev_check_decide(check, "training-terms", f->audits == COMBINATIONS && f->refuted == 0,
                    ev_check_format(check, "%zu audits on %s, %zu rows, %zu that don't hold%s%s",
                                    f->audits, images, f->rows, f->refuted,
                                    f->failed[0] == '\0' ? "" : ": ", f->failed),
                    sizeof others / sizeof *others, others);
}

static void decide_gradient(ev_check *check, const findings *f)
{
    const ev_alternative others[] = {{"gamma carries no gradient in any way of choosing it",
                                      f->stopped_gamma > 10, far_off(check, f->stopped_gamma)},
                                     {"the entropy counts twice, as with log sigma^2 for log sigma",
                                      f->entropy_twice > 10, far_off(check, f->entropy_twice)},
                                     {"q's variance has no part in the latent term",
                                      f->left_out > 10, far_off(check, f->left_out)}};
    ev_check_decide(check, "training-gradient",
                    f->audits == COMBINATIONS && f->worst <= 1 && f->envelope < 1e-9,
                    ev_check_format(check,
                                    "%zu audits: derivatives within %.2g of their bounds; at the "
                                    "maximiser gamma's part is %.1g of the whole; %zu units within "
                                    "rounding of their kinks",
                                    f->audits, f->worst, f->envelope, f->kinks),
                    sizeof others / sizeof *others, others);
}

static const ev_audit_row *row_of(const ev_audit *audit, const char *name)
{
    for (size_t i = 0; i < audit->count; i++)
        if (strcmp(audit->rows[i].name, name) == 0)
            return &audit->rows[i];
    return NULL;
}

static void judge_bound(ev_check *check, const ev_audit *audit)
{
    const ev_audit_row *best = row_of(audit, "elbo at the best gamma");
    const ev_audit_row *evidence = row_of(audit, "elbo below log p(x)");
    if (best == NULL || evidence == NULL || strcmp(evidence->kind, "quadrature") != 0) {
        ev_check_give_up(check, "training-bound", "log p(x) could not be integrated");
        return;
    }
    const double cost = best->reference - best->value, gap = evidence->reference - evidence->value;
    const ev_alternative others[] = {
        {"p(c|z) at one sample of z is as good as any gamma", cost > 10 * best->error,
         ev_check_format(check, "it costs %.4g nats, within %.1g", cost, best->error)},
        {"the bound is log p(x)", gap > 10 * evidence->error,
         ev_check_format(check, "%.4g nats apart, within %.1g", gap, evidence->error)}};
    ev_check_decide(check, "training-bound",
                    best->verdict == EV_HOLDS && evidence->verdict == EV_HOLDS,
                    ev_check_format(check,
                                    "bound %.5f, with the best gamma %.5f more; log p(x) by "
                                    "quadrature %.5f, within %.1g",
                                    evidence->value, cost, evidence->reference, evidence->error),
                    2, others);
}

/* gamma at one sample, one latent dimension. */
static void decide_bound(ev_check *check, const float *x)
{
    ev_gmvae_config config = config_of(EV_GAMMA_SAMPLE << 2);
    config.J = 1;
    step s = create(&config, x);
    ev_audit audit = {.rows = NULL};
    ev_audit_options options = EV_AUDIT_DEFAULTS;
    options.images = 2;
    options.directions = options.ranks = 0;
    options.alpha = ev_check_alpha(check);
    if (s.ready) {
        ev_audit_subject subject = subject_of(&s, x);
        subject.gradient = NULL;
        if (ev_audit_run(&subject, &options, &audit, NULL) != EV_OK)
            s.ready = false;
    }
    if (s.ready)
        judge_bound(check, &audit);
    else
        ev_check_give_up(check, "training-bound", "out of memory");
    ev_audit_free(&audit);
    destroy(&s);
}

void check_training_loss(ev_check *check);
void check_training_loss(ev_check *check)
{
    findings f = {.pixel_mean = HUGE_VAL,
                  .latent_mean = HUGE_VAL,
                  .constant = HUGE_VAL,
                  .sign = HUGE_VAL,
                  .logs = HUGE_VAL,
                  .stopped_gamma = HUGE_VAL,
                  .entropy_twice = HUGE_VAL,
                  .left_out = HUGE_VAL};
    float *x = ev_buffer_create((size_t)B * STEPS * D);
    if (x == NULL)
        return;
    const char *images = read_images(x);
    for (size_t i = 0; i < COMBINATIONS; i++)
        run_combination(check, i, x, &f);
    decide_terms(check, &f, images);
    decide_gradient(check, &f);
    decide_bound(check, x);
    free(x);
}
