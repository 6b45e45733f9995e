#include "train/audit.h"

#include "nn/buffer.h"
#include "train/audit_plant.h"
#include "train/audit_reference.h"
#include "train/audit_work.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A small model with no two sizes alike, after a forward and a backward pass. */
typedef struct {
    ev_gmvae model;
    ev_gmvae_workspace w;
    size_t B;
    float *parameters, *gradient, *x, *noise;
    ev_elbo elbo;
} setting;

static const ev_gmvae_config SMALL = {
    .D = 9, .J = 2, .K = 3, .layers = 2, .hidden = {6, 5}, .samples = 1, .gamma_samples = 3};

static void uniforms(uint64_t seed, const char *name, size_t n, double low, double high, float *out)
{
    const ev_stream stream = ev_stream_make(seed, ev_hash_text(name), 0, 0);
    for (size_t i = 0; i < n; i++) {
        double u;
        ev_stream_uniforms(&stream, i, 1, &u);
        out[i] = (float)(low + (high - low) * u);
    }
}

static void pass(setting *s)
{
    s->elbo = ev_gmvae_forward(&s->model, s->parameters, s->B, s->x, s->noise, &s->w);
    ev_gmvae_backward(&s->model, s->parameters, s->B, s->x, s->noise, &s->w, s->gradient);
}

static setting create(ev_gmvae_config config, size_t B, uint64_t seed)
{
    setting s = {.B = B};
    cr_assert_eq(ev_gmvae_create(&s.model, &config, NULL), EV_OK);
    cr_assert_eq(ev_gmvae_workspace_create(&s.w, &s.model, B, NULL), EV_OK);
    s.parameters = ev_buffer_create(s.model.layout.size);
    s.gradient = ev_buffer_create(s.model.layout.size);
    s.x = ev_buffer_create(B * config.D);
    s.noise = ev_buffer_create(B * s.model.M * config.J);
    for (size_t i = 0; i < s.model.layout.count; i++) { /* what lies between blocks stays 0 */
        const ev_block *block = &s.model.layout.block[i];
        uniforms(seed, block->name, ev_block_size(block), -0.7, 0.7, s.parameters + block->offset);
    }
    uniforms(seed, "x", B * config.D, 0.0, 1.0, s.x);
    ev_gmvae_noise(&s.model, seed, 2, B, s.noise);
    pass(&s);
    return s;
}

static void destroy(setting *s)
{
    ev_gmvae_workspace_destroy(&s->w);
    free(s->parameters);
    free(s->gradient);
    free(s->x);
    free(s->noise);
}

static ev_audit_subject subject_of(const setting *s)
{
    return (ev_audit_subject){&s->model, s->parameters, s->B,  s->x,
                              s->noise,  &s->elbo,      &s->w, s->gradient};
}

static ev_audit audit_of(const setting *s, ev_audit_options options)
{
    const ev_audit_subject subject = subject_of(s);
    ev_audit audit;
    cr_assert_eq(ev_audit_run(&subject, &options, &audit, NULL), EV_OK);
    return audit;
}

static ev_audit_options no_integrals(void)
{
    ev_audit_options options = EV_AUDIT_DEFAULTS;
    options.images = options.ranks = 0;
    return options;
}

/* --- Nothing planted ----------------------------------------------------------------------- */

static void assert_clean(ev_gmvae_config config, uint64_t seed, ev_audit_options options)
{
    setting s = create(config, 12, seed);
    options.seed = seed;
    ev_audit audit = audit_of(&s, options);
    cr_assert(ev_audit_passed(&audit), "seed %d: %s", (int)seed, audit.diagnosis);
    cr_assert_str_empty(audit.failed);
    cr_assert_eq(ev_audit_tally(&audit, EV_VOID), 0);
    ev_audit_free(&audit);
    destroy(&s);
}

Test(audit, a_model_without_errors_passes_in_every_combination_and_with_every_seed)
{
    for (int variant = 0; variant < 32; variant++)
        for (uint64_t seed = 1; seed <= 6; seed++) {
            ev_gmvae_config config = SMALL;
            config.posterior = (ev_posterior_kind)(variant & 1);
            config.likelihood = (ev_likelihood_kind)(variant >> 1 & 1);
            config.gamma = (ev_gamma_kind)(variant >> 2 & 3);
            config.samples = 1 + (size_t)(variant >> 4);
            assert_clean(config, seed, no_integrals());
        }
}

Test(audit, a_model_without_errors_passes_quadrature_and_sampling)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        ev_gmvae_config config = SMALL;
        ev_audit_options options = EV_AUDIT_DEFAULTS;
        options.images = 2;
        config.J = 1 + seed % 3;
        config.posterior = (ev_posterior_kind)(seed & 1);
        config.likelihood = (ev_likelihood_kind)(seed >> 1 & 1);
        assert_clean(config, seed, options);
    }
}

/* Layers wide enough, and shut often enough, for products that leave out what is 0. */
static setting create_wide(uint64_t seed)
{
    ev_gmvae_config config = SMALL;
    config.D = 70;
    config.hidden[0] = 96;
    config.hidden[1] = 72;
    setting s = create(config, 12, seed);
    size_t open = 0;
    for (size_t i = 0; i < s.B * 96; i++)
        open += s.w.encoder[0][i] > 0.0F;
    cr_assert(open > s.B * 96 / 4 && open < s.B * 96 * 13 / 20, "%zu open", open);
    return s;
}

Test(audit, layers_that_leave_out_zeros_pass_and_a_block_too_many_left_out_is_caught)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        setting s = create_wide(seed);
        ev_audit audit = audit_of(&s, no_integrals());
        cr_assert(ev_audit_passed(&audit), "seed %d: %s", (int)seed, audit.diagnosis);
        ev_audit_free(&audit);
        float *W = s.gradient + s.model.encoder.weight[1]; /* (72,96) */
        for (size_t o = 0; o < 72; o++)
            memset(W + o * 96 + 64, 0, 32 * sizeof *W);
        audit = audit_of(&s, no_integrals());
        cr_assert_not(ev_audit_passed(&audit));
        ev_audit_free(&audit);
        destroy(&s);
    }
}

/* Clusters that are not the likely ones, so that each mode's own gamma would be another. */
Test(audit, held_clusters_pass_and_another_cluster_is_caught_at_gamma)
{
    const uint32_t held[4] = {2, 0, 1, 1};
    uint32_t other[4] = {2, 0, 2, 1};
    for (int gamma = 0; gamma < 4; gamma++) {
        ev_gmvae_config config = SMALL;
        config.gamma = (ev_gamma_kind)gamma;
        setting s = create(config, 4, 11);
        s.w.held = held;
        pass(&s);
        ev_audit audit = audit_of(&s, EV_AUDIT_DEFAULTS);
        cr_assert(ev_audit_passed(&audit), "%s: %s", audit.failed, audit.diagnosis);
        ev_audit_free(&audit);
        s.w.held = other; /* the loss was that of other clusters than the audit is told */
        audit = audit_of(&s, EV_AUDIT_DEFAULTS);
        cr_assert_not(ev_audit_passed(&audit));
        cr_assert_str_eq(audit.failed, "gamma");
        ev_audit_free(&audit);
        destroy(&s);
    }
}

Test(audit, the_vae_passes)
{
    ev_gmvae_config config = SMALL;
    config.prior = EV_PRIOR_STANDARD;
    config.K = 1;
    assert_clean(config, 3, no_integrals());
}

/* The float pass itself, with the noise of other steps, is the oracle.  Four standard errors. */
Test(audit, the_rank_row_knows_mean_and_deviation_of_the_batch_under_fresh_draws)
{
    enum { ROUNDS = 400 };
    setting s = create(SMALL, 12, 5);
    ev_audit_options options = no_integrals();
    options.ranks = ROUNDS;
    ev_audit audit = audit_of(&s, options);
    const ev_audit_row *row = NULL;
    for (size_t i = 0; i < audit.count; i++)
        if (audit.rows[i].fresh_deviation > 0.0)
            row = &audit.rows[i];
    cr_assert_not_null(row);
    cr_expect_not_null(strstr(row->name, "rank among fresh draws"));
    double sum = 0.0, squares = 0.0;
    for (uint64_t step = 0; step < ROUNDS; step++) {
        ev_gmvae_noise(&s.model, 77, step, s.B, s.noise);
        pass(&s);
        sum += s.elbo.term[EV_RECONSTRUCTION];
        squares += s.elbo.term[EV_RECONSTRUCTION] * s.elbo.term[EV_RECONSTRUCTION];
    }
    const double mean = sum / ROUNDS, deviation = sqrt(squares / ROUNDS - mean * mean);
    cr_expect_float_eq(row->fresh_mean, mean, 4.0 * deviation * sqrt(2.0 / ROUNDS));
    cr_expect_float_eq(row->fresh_deviation, deviation, 4.0 * deviation / sqrt(ROUNDS));
    ev_audit_free(&audit);
    destroy(&s);
}

/* --- Errors of the values ------------------------------------------------------------------ */

/* What the step would have left behind, had it made the error. */
static void plant_values(setting *s, plant_kind kind)
{
    const ev_gmvae *m = &s->model;
    const size_t D = m->config.D, J = m->config.J, K = m->config.K, n = m->layout.size;
    double *p = calloc(n, sizeof *p);
    for (size_t i = 0; i < n; i++)
        p[i] = (double)s->parameters[i];
    for (size_t b = 0; b < s->B; b++) {
        const planted one = plant_sample(m, p, p, s->x + b * D, s->noise + b * m->M * J, kind);
        for (size_t t = 0; t < EV_ELBO_TERMS; t++)
            s->w.terms[b * EV_ELBO_TERMS + t] = (float)one.term[t];
        for (size_t j = 0; j < J; j++) {
            s->w.scale[b * J + j] = (float)one.sigma[j];
            s->w.z[b * J + j] = (float)one.z[j];
        }
        for (size_t c = 0; c < K; c++)
            s->w.gamma[b * K + c] = (float)one.gamma[c];
    }
    s->elbo = ev_elbo_mean(s->B, s->w.terms);
    free(p);
}

static const struct {
    plant_kind kind;
    const char *named, *gradient; /* the beginning of the name that the audit must give */
    int likelihood, gamma;
} plants[] = {
    {PLANT_SCALE_IS_VARIANCE, "scale of q(z|x)", "gradient", 0, 0},
    {PLANT_DRAW_HUNDREDTH, "draw of z", "gradient of reconstruction", 0, 0},
    {PLANT_WEIGHT_IN_SUM, "gamma", "gradient", 0, 0},
    {PLANT_WEIGHT_LEFT_OUT, "gamma", "gradient", 0, 0},
    {PLANT_BERNOULLI_MEAN, "reconstruction", "gradient of reconstruction", 0, 0},
    {PLANT_SQUARE_WITHOUT_HALF, "reconstruction", "gradient of reconstruction", 1, 0},
    {PLANT_PIXEL_CONSTANT, "reconstruction", NULL, 1, 0},
    {PLANT_NOISY_MEAN, "reconstruction", "gradient of reconstruction", 0, 0},
    {PLANT_LATENT_MEAN, "latent", "gradient of latent", 0, 0},
    {PLANT_LATENT_CONSTANT, "latent", NULL, 0, 0},
    {PLANT_LATENT_NO_VARIANCE, "latent", "gradient of latent", 0, 2},
    {PLANT_LOG_TENTH, "categorical", "gradient", 0, 0},
    {PLANT_CATEGORICAL_SIGN, "categorical", "gradient of categorical", 0, 0},
    {PLANT_ENTROPY_NO_CONSTANT, "entropy", NULL, 0, 0},
    {PLANT_ENTROPY_FULL_LOG, "entropy", "gradient of entropy", 0, 0},
    {PLANT_ENTROPY_SIGN, "entropy", "gradient of entropy", 0, 0},
    {PLANT_STOPPED_GAMMA, NULL, "gradient of latent and categorical (through gamma)", 0, 2},
    {PLANT_STOPPED_SCALE, NULL, "gradient of reconstruction (through the scale of z)", 0, 0},
    {PLANT_STOPPED_ENTROPY, NULL, "gradient of entropy", 0, 0}};
enum { PLANTS = sizeof plants / sizeof *plants };

static setting with_plant(size_t i)
{
    ev_gmvae_config config = SMALL;
    config.likelihood = (ev_likelihood_kind)plants[i].likelihood;
    config.gamma = (ev_gamma_kind)plants[i].gamma;
    return create(config, 12, 7);
}

Test(audit, the_plant_without_an_error_is_the_float_pass)
{
    setting s = with_plant(0);
    const ev_elbo ours = s.elbo;
    plant_values(&s, PLANT_NOTHING);
    for (size_t t = 0; t < EV_ELBO_TERMS; t++)
        cr_assert_float_eq(s.elbo.term[t], ours.term[t], 1e-5 * (1.0 + fabs(ours.term[t])));
    destroy(&s);
}

Test(audit, an_error_in_a_value_is_caught_and_its_term_named)
{
    for (size_t i = 0; i < PLANTS; i++) {
        if (plants[i].named == NULL)
            continue;
        setting s = with_plant(i);
        plant_values(&s, plants[i].kind);
        ev_audit audit = audit_of(&s, no_integrals());
        cr_assert_not(ev_audit_passed(&audit), "plant %zu", i);
        cr_assert_str_eq(audit.failed, plants[i].named, "plant %zu: %s", i, audit.diagnosis);
        ev_audit_free(&audit);
        destroy(&s);
    }
}

/* The values are right: it is the backward pass that is wrong. */
Test(audit, an_error_in_the_gradient_is_caught_and_its_term_named)
{
    for (size_t i = 0; i < PLANTS; i++) {
        setting s = with_plant(i);
        plant_gradient(&s.model, s.parameters, s.B, s.x, s.noise, plants[i].kind, s.gradient);
        ev_audit audit = audit_of(&s, no_integrals());
        cr_assert_eq(ev_audit_passed(&audit), plants[i].gradient == NULL, "plant %zu: %s", i,
                     audit.diagnosis);
        if (plants[i].gradient != NULL)
            cr_assert_eq(strncmp(audit.failed, plants[i].gradient, strlen(plants[i].gradient)), 0,
                         "plant %zu: '%s': %s", i, audit.failed, audit.diagnosis);
        ev_audit_free(&audit);
        destroy(&s);
    }
}

/* One part in a thousand too large, or nothing, or one number wrong. */
Test(audit, an_error_in_a_single_block_of_the_gradient_is_caught_and_the_block_named)
{
    for (int how = 0; how < 3; how++) {
        setting s = create(SMALL, 12, 7);
        for (size_t i = 0; i < s.model.layout.count; i++) {
            const ev_block *block = &s.model.layout.block[i];
            pass(&s);
            float *g = s.gradient + block->offset;
            for (size_t k = 0; k < ev_block_size(block); k++)
                g[k] *= how == 0 ? 1.001F : how == 1 ? 0.0F : 1.0F;
            g[ev_block_size(block) / 2] += how == 2 ? 1e-2F : 0.0F;
            ev_audit audit = audit_of(&s, no_integrals());
            cr_assert_not(ev_audit_passed(&audit), "%s, %d", block->name, how);
            cr_assert_not_null(strstr(audit.diagnosis, block->name), "%s: %s", block->name,
                               audit.diagnosis);
            ev_audit_free(&audit);
        }
        destroy(&s);
    }
}

/* The ELBO is -5 + 1 by sampling; quadrature under q has given up, that of log p(x) has not. */
Test(audit, where_quadrature_gives_up_the_elbo_is_held_below_log_px_by_sampling)
{
    const double nan = (double)NAN, log_px[] = {-3.0, -4.5};
    const ev_verdict wanted[] = {EV_HOLDS, EV_REFUTED};
    const ev_audit_options options = EV_AUDIT_DEFAULTS;
    for (size_t i = 0; i < 2; i++) {
        ev_audit audit = {.alpha = options.alpha};
        ev_audit_work work = {.options = &options, .audit = &audit};
        const ev_audit_bounds bounds = {.closed = -5.0,
                                        .reconstruction = nan,
                                        .quadrature = nan,
                                        .log_px = log_px[i],
                                        .sampled = 1.0,
                                        .half_width = 0.1,
                                        .sampled_log_px = nan};
        ev_audit_gaps(&work, &bounds);
        cr_assert_eq(audit.count, 1);
        cr_expect_eq(audit.rows[0].verdict, wanted[i]);
        cr_expect_str_eq(audit.rows[0].kind, "sampling");
        ev_audit_free(&audit);
    }
}

/* --- Tight clusters ------------------------------------------------------------------------ */

/* Clusters of width sigma about 1 and 1.5, and q as narrow, its means within a few sigma of theirs: what
 * is left of mu - mu_c is some sigma of what float's rounding is relative to. */
static setting tight_of(ev_gmvae_config config, size_t B, uint64_t seed, float sigma)
{
    setting s = create(config, B, seed);
    const size_t J = config.J, K = config.K;
    const ev_block *w = ev_layout_find(&s.model.layout, "encoder.2.weight"),
                   *b = ev_layout_find(&s.model.layout, "encoder.2.bias");
    float *W = s.parameters + w->offset, *bias = s.parameters + b->offset;
    float *mu = s.parameters + s.model.prior_mu, *log_var = s.parameters + s.model.prior_log_var;
    for (size_t j = 0; j < J; j++) {
        for (size_t i = 0; i < w->columns; i++)
            W[j * w->columns + i] *= 2 * sigma;
        bias[j] = 1 + 0.5F * (float)j;
    }
    if (config.posterior == EV_POSTERIOR_DIAGONAL)
        for (size_t j = 0; j < J; j++)
            bias[J + j] = 2 * logf(sigma);
    else
        for (size_t j = 0, next = J; j < J; j++)
            for (size_t i = 0; i <= j; i++, next++) {
                for (size_t k = 0; k < w->columns; k++)
                    W[next * w->columns + k] *= i == j ? 1 : sigma;
                bias[next] = i == j ? logf(expm1f(sigma)) : 0;
            }
    for (size_t c = 0; c < K; c++)
        for (size_t j = 0; j < J; j++) {
            mu[c * J + j] = 1 + 0.5F * (float)j + 2 * sigma * mu[c * J + j];
            log_var[c * J + j] += 2 * logf(sigma);
        }
    pass(&s);
    return s;
}

Test(audit, a_model_without_errors_passes_beside_tight_clusters)
{
    static const float widths[] = {0.1F, 0.01F, 1e-3F, 1e-4F};
    for (int variant = 0; variant < 32; variant++)
        for (uint64_t seed = 1; seed <= 3; seed++) {
            ev_gmvae_config config = SMALL;
            config.posterior = (ev_posterior_kind)(variant & 1);
            config.gamma = (ev_gamma_kind)(variant >> 1 & 3);
            setting s = tight_of(config, 100, seed, widths[variant >> 3]);
            ev_audit audit = audit_of(&s, no_integrals());
            cr_expect(ev_audit_passed(&audit), "%s, width %g, seed %d: %s",
                      ev_gamma_names[config.gamma], (double)widths[variant >> 3], (int)seed,
                      audit.diagnosis);
            cr_expect_lt(audit.gradient_error, 0.2);
            ev_audit_free(&audit);
            destroy(&s);
        }
}

/* The bounds are wider there, and still no place to hide: a hundredth of any block, and each error above
 * that doesn't fade with the width itself, as the draw's scale does. */
Test(audit, an_error_beside_tight_clusters_is_caught)
{
    const float width = 1e-3F;
    for (size_t i = 0; i < PLANTS; i++) {
        if (plants[i].gradient == NULL || plants[i].kind == PLANT_STOPPED_SCALE)
            continue;
        ev_gmvae_config config = SMALL;
        config.likelihood = (ev_likelihood_kind)plants[i].likelihood;
        config.gamma = (ev_gamma_kind)plants[i].gamma;
        setting s = tight_of(config, 100, 7, width);
        plant_gradient(&s.model, s.parameters, s.B, s.x, s.noise, plants[i].kind, s.gradient);
        ev_audit audit = audit_of(&s, no_integrals());
        cr_expect_not(ev_audit_passed(&audit), "plant %zu", i);
        ev_audit_free(&audit);
        destroy(&s);
    }
    setting s = tight_of(SMALL, 100, 7, width);
    for (size_t i = 0; i < s.model.layout.count; i++) {
        const ev_block *block = &s.model.layout.block[i];
        pass(&s);
        for (size_t k = 0; k < ev_block_size(block); k++)
            s.gradient[block->offset + k] *= 1.01F;
        ev_audit audit = audit_of(&s, no_integrals());
        cr_expect_not(ev_audit_passed(&audit), "%s", block->name);
        ev_audit_free(&audit);
    }
    destroy(&s);
}

/* The same noise goes into both passes, so that no comparison of them can see it. */
Test(audit, noise_with_a_wrong_scale_or_mean_is_caught)
{
    for (int how = 0; how < 3; how++) {
        setting s = create(SMALL, 200, 5);
        for (size_t i = 0; i < s.B * s.model.M * 2; i++)
            s.noise[i] = how == 0   ? 0.01F * s.noise[i]
                         : how == 1 ? 1.5F * s.noise[i]
                                    : s.noise[i] + 0.5F;
        pass(&s);
        ev_audit audit = audit_of(&s, no_integrals());
        cr_assert_str_eq(audit.failed, how == 2 ? "noise, mean" : "noise, variance");
        ev_audit_free(&audit);
        destroy(&s);
    }
}

static const ev_audit_row *row_of(const ev_audit *audit, const char *name)
{
    for (size_t i = 0; i < audit->count; i++)
        if (strcmp(audit->rows[i].name, name) == 0)
            return &audit->rows[i];
    cr_assert_fail("no row '%s'", name);
    return NULL;
}

/* A bound that is too high is above log p(x), whatever term it comes from. */
Test(audit, a_bound_above_log_p_of_x_is_caught_by_quadrature)
{
    setting s = create(SMALL, 12, 7);
    for (size_t b = 0; b < s.B; b++)
        s.w.terms[b * EV_ELBO_TERMS + EV_ENTROPY] += 10.0F;
    ev_audit audit = audit_of(&s, EV_AUDIT_DEFAULTS);
    cr_assert_eq(row_of(&audit, "elbo below log p(x)")->verdict, EV_REFUTED);
    cr_assert_eq(row_of(&audit, "entropy, integrated")->verdict, EV_REFUTED);
    cr_assert_eq(row_of(&audit, "entropy, sampled")->verdict, EV_REFUTED);
    cr_assert_eq(row_of(&audit, "latent, sampled")->verdict, EV_HOLDS);
    ev_audit_free(&audit);
    destroy(&s);
}

/* --- The reference ------------------------------------------------------------------------- */

static double loss_at(const ev_audit_subject *subject, const float *parameters)
{
    ev_audit_subject moved = *subject;
    ev_audit_reference r;
    moved.parameters = parameters;
    cr_assert_eq(ev_audit_reference_create(&r, &moved, 1e-5, NULL), EV_OK);
    const double elbo = ev_elbo_total(&r.mean);
    ev_audit_reference_destroy(&r);
    return elbo;
}

/* Parameters are floats: the step is what the addition makes of it, the same for every element. */
Test(audit, the_references_slope_is_that_of_central_differences_and_its_parts_add_up)
{
    for (int variant = 0; variant < 16; variant++) {
        ev_gmvae_config config = SMALL;
        config.posterior = (ev_posterior_kind)(variant & 1);
        config.likelihood = (ev_likelihood_kind)(variant >> 1 & 1);
        config.gamma = (ev_gamma_kind)(variant >> 2);
        setting s = create(config, 3, 11);
        const size_t n = s.model.layout.size;
        const ev_audit_subject subject = subject_of(&s);
        float *v = ev_buffer_create(n), *at = ev_buffer_create(n);
        const float h = 0x1p-13F;
        ev_audit_reference r;
        for (size_t i = 0; i < n; i++) { /* to 2^-20, so that adding h v is exact */
            s.parameters[i] = rintf(s.parameters[i] * 0x1p10F) * 0x1p-10F;
            v[i] = (float)((i * 7) % 5) - 2.0F;
        }
        cr_assert_eq(ev_audit_reference_create(&r, &subject, 1e-5, NULL), EV_OK);
        const ev_audit_slope whole = ev_audit_reference_slope(&r, v, false);
        const ev_audit_slope split = ev_audit_reference_slope(&r, v, true);
        ev_audit_reference_destroy(&r);
        double difference[2];
        for (int k = 0; k < 2; k++) {
            const float step = k == 0 ? h : 0.5F * h;
            double ends[2];
            for (int side = 0; side < 2; side++) {
                for (size_t i = 0; i < n; i++)
                    at[i] = s.parameters[i] + (side == 0 ? -step : step) * v[i];
                ends[side] = loss_at(&subject, at);
            }
            difference[k] = (ends[1] - ends[0]) / (2.0 * (double)step);
        }
        const double best = (4.0 * difference[1] - difference[0]) / 3.0;
        const double error = 1e-7 * whole.size + fabs(difference[1] - difference[0]);
        cr_assert_float_eq(whole.sum, split.sum, 1e-12 * whole.size, "variant %d", variant);
        cr_assert_float_eq(whole.sum, best, error, "variant %d: %.10g, %.10g", variant, whole.sum,
                           best);
        cr_assert_lt(error, 1e-3 * whole.size, "variant %d", variant);
        free(v);
        free(at);
        destroy(&s);
    }
}

/* --- The record ---------------------------------------------------------------------------- */

Test(audit, a_row_is_a_json_object_with_its_claim_and_verdict)
{
    setting s = create(SMALL, 12, 7);
    ev_audit audit = audit_of(&s, no_integrals());
    for (size_t i = 0; i < audit.count; i++) {
        char *line = ev_audit_row_json(&audit, i, 31);
        json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        cr_assert_not_null(o, "%s", line);
        cr_assert_eq(json_integer_value(json_object_get(o, "step")), 31);
        cr_assert_str_eq(json_string_value(json_object_get(o, "verdict")), "HOLDS");
        cr_assert_str_eq(json_string_value(json_object_get(o, "name")), audit.rows[i].name);
        json_decref(o);
        free(line);
    }
    ev_audit_free(&audit);
    destroy(&s);
}

/* Every claim that a row names is one of derivations/. */
static bool is_a_claim(const char *claim)
{
    char command[256];
    snprintf(command, sizeof command,
             "grep -q -E 'claim: %s( |$)' " EV_SOURCE_DIR "/derivations/*.md", claim);
    return system(command) == 0;
}

Test(audit, every_row_names_a_claim_of_the_derivations)
{
    for (int variant = 0; variant < 4; variant++) {
        ev_gmvae_config config = SMALL;
        config.posterior = (ev_posterior_kind)(variant & 1);
        config.likelihood = (ev_likelihood_kind)(variant & 1);
        config.gamma = (ev_gamma_kind)variant;
        setting s = create(config, 12, 7);
        ev_audit_options options = EV_AUDIT_DEFAULTS;
        options.images = 1;
        options.directions = 1;
        ev_audit audit = audit_of(&s, options);
        for (size_t i = 0; i < audit.count; i++)
            cr_assert(i > 30 || is_a_claim(audit.rows[i].claim), "%s: %s", audit.rows[i].name,
                      audit.rows[i].claim);
        ev_audit_free(&audit);
        destroy(&s);
    }
}
