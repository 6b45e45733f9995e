#include "models/gmvae.h"

#include "models/gmvae_oracle.h"
#include "nn/buffer.h"
#include "numerics/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* A small model with no two sizes alike, its parameters and a batch. */
typedef struct {
    ev_gmvae model;
    ev_gmvae_workspace w;
    size_t B;
    float *parameters, *gradient, *x, *noise;
    double *exact; /* the parameters in double */
} setting;

static const ev_gmvae_config SMALL = {
    .D = 7, .J = 3, .K = 4, .layers = 2, .hidden = {6, 5}, .samples = 1, .gamma_samples = 3};

static void uniforms(const char *name, size_t n, double low, double high, float *out)
{
    const ev_stream stream = ev_stream_make(7, ev_hash_text(name), 0, 0);
    for (size_t i = 0; i < n; i++) {
        double u;
        ev_stream_uniforms(&stream, i, 1, &u);
        out[i] = (float)(low + (high - low) * u);
    }
}

static setting create(ev_gmvae_config config, size_t B)
{
    setting s = {.B = B};
    cr_assert_eq(ev_gmvae_create(&s.model, &config, NULL), EV_OK);
    cr_assert_eq(ev_gmvae_workspace_create(&s.w, &s.model, B, NULL), EV_OK);
    const size_t n = s.model.layout.size;
    s.parameters = ev_buffer_create(n);
    s.gradient = ev_buffer_create(n);
    s.x = ev_buffer_create(B * config.D);
    s.noise = ev_buffer_create(B * s.model.M * config.J);
    s.exact = calloc(n, sizeof *s.exact);
    uniforms("parameters", n, -0.6, 0.6, s.parameters);
    for (size_t i = 0; i < n; i++)
        s.exact[i] = (double)s.parameters[i];
    uniforms("x", B * config.D, 0.0, 1.0, s.x);
    ev_gmvae_noise(&s.model, 1, 2, B, s.noise);
    return s;
}

static void destroy(setting *s)
{
    ev_gmvae_workspace_destroy(&s->w);
    free(s->parameters);
    free(s->gradient);
    free(s->x);
    free(s->noise);
    free(s->exact);
}

static ev_elbo forward(setting *s)
{
    return ev_gmvae_forward(&s->model, s->parameters, s->B, s->x, s->noise, &s->w);
}

static void backward(setting *s)
{
    ev_gmvae_backward(&s->model, s->parameters, s->B, s->x, s->noise, &s->w, s->gradient);
}

/* Every combination of the choices. */
static size_t configurations(ev_gmvae_config *list)
{
    size_t count = 0;
    for (int posterior = 0; posterior < 2; posterior++)
        for (int likelihood = 0; likelihood < 2; likelihood++)
            for (int gamma = 0; gamma < 4; gamma++)
                for (size_t samples = 1; samples <= 2; samples++) {
                    list[count] = SMALL;
                    list[count].posterior = (ev_posterior_kind)posterior;
                    list[count].likelihood = (ev_likelihood_kind)likelihood;
                    list[count].gamma = (ev_gamma_kind)gamma;
                    list[count++].samples = samples;
                }
    for (int posterior = 0; posterior < 2; posterior++) {
        list[count] = SMALL;
        list[count].K = 1;
        list[count].prior = EV_PRIOR_STANDARD;
        list[count++].posterior = (ev_posterior_kind)posterior;
    }
    return count;
}

/* Sums of some tens of float terms of size 1 to 10: a few 1e-6 relative to the terms' sizes. */
static void assert_terms(const setting *s, const ev_elbo *ours)
{
    const ev_elbo exact = oracle_elbo(&s->model, s->exact, s->B, s->x, s->noise);
    for (size_t t = 0; t < EV_ELBO_TERMS; t++)
        cr_assert(fabs(ours->term[t] - exact.term[t]) <= 3e-6 * (1.0 + fabs(exact.term[t])),
                  "%s: %.9g is not %.9g", ev_elbo_term_names[t], ours->term[t], exact.term[t]);
}

Test(gmvae_float, every_term_is_that_of_the_closed_forms_in_double)
{
    ev_gmvae_config list[64];
    for (size_t count = configurations(list), i = 0; i < count; i++) {
        setting s = create(list[i], 5);
        const ev_elbo elbo = forward(&s);
        assert_terms(&s, &elbo);
        destroy(&s);
    }
}

static void assert_block(setting *s, const ev_block *block, size_t configuration)
{
    for (size_t i = block->offset; i < block->offset + ev_block_size(block); i++) {
        double exact = oracle_slope(&s->model, s->exact, i, s->B, s->x, s->noise);
        double ours = (double)s->gradient[i];
        cr_assert(fabs(ours - exact) <= 1e-5 * (1.0 + fabs(exact)),
                  "configuration %zu, %s, element %zu: %.9g is not %.9g", configuration,
                  block->name, i - block->offset, ours, exact);
    }
}

Test(gmvae_float, the_gradient_is_that_of_central_differences_in_double_block_by_block)
{
    ev_gmvae_config list[64];
    for (size_t count = configurations(list), i = 0; i < count; i++) {
        setting s = create(list[i], 5);
        forward(&s);
        backward(&s);
        for (size_t b = 0; b < s.model.layout.count; b++)
            assert_block(&s, &s.model.layout.block[b], i);
        destroy(&s);
    }
}

/* Were gamma's part left out or stopped, the gradients of the prior's means would be those of
 * `optimal` at the same gamma; the difference must show, or the test above shows nothing. */
Test(gmvae_float, gamma_carries_gradient_in_every_mode_but_the_optimal_one)
{
    for (int gamma = 1; gamma < 4; gamma++) {
        ev_gmvae_config config = SMALL;
        config.gamma = (ev_gamma_kind)gamma;
        setting s = create(config, 5);
        forward(&s);
        backward(&s);
        float through = 0.0F;
        for (size_t i = 0; i < s.B * s.model.S * config.K; i++)
            through = fmaxf(through, fabsf(s.w.weight[i]));
        cr_assert_gt(through, 1e-2F, "%s", ev_gamma_names[gamma]);
        destroy(&s);
    }
}

/* The envelope theorem: no other gamma has a larger categorical + latent. */
/* The parameters of s that a model of cluster c alone has, and the draws for z. */
static setting alone(const setting *s, size_t c)
{
    ev_gmvae_config config = s->model.config;
    const size_t J = config.J;
    config.K = 1;
    setting t = create(config, s->B);
    memcpy(t.parameters, s->parameters, s->model.prior_logits * sizeof *t.parameters);
    memcpy(t.parameters + t.model.prior_mu, s->parameters + s->model.prior_mu + c * J,
           J * sizeof *t.parameters);
    memcpy(t.parameters + t.model.prior_log_var, s->parameters + s->model.prior_log_var + c * J,
           J * sizeof *t.parameters);
    for (size_t b = 0; b < s->B; b++)
        memcpy(t.noise + b * t.model.M * J, s->noise + b * s->model.M * J, J * sizeof *t.noise);
    return t;
}

/* Those of the prior: of the other clusters none, of c's mean and variance what t has, and of the
 * logits, in which the loss has -log pi_c, pi - [c]. */
static void assert_held_prior_gradient(const setting *s, const setting *t, size_t c)
{
    const size_t J = s->model.config.J, K = s->model.config.K;
    const float *logits = s->parameters + s->model.prior_logits;
    double total = 0;
    for (size_t k = 0; k < K; k++)
        total += exp((double)logits[k]);
    for (size_t k = 0; k < K; k++) {
        cr_assert_float_eq((double)s->gradient[s->model.prior_logits + k],
                           exp((double)logits[k]) / total - (k == c), 1e-5);
        for (size_t j = 0; j < J; j++) {
            const float *mu = s->gradient + s->model.prior_mu + k * J + j;
            const float *log_var = s->gradient + s->model.prior_log_var + k * J + j;
            cr_assert_float_eq((double)*mu, k == c ? (double)t->gradient[t->model.prior_mu + j] : 0,
                               1e-5);
            cr_assert_float_eq((double)*log_var,
                               k == c ? (double)t->gradient[t->model.prior_log_var + j] : 0, 1e-5);
        }
    }
}

/* Where all are held at cluster c, the mixture might as well be that cluster alone. */
Test(gmvae_float, held_at_one_cluster_it_is_the_model_of_that_cluster_alone)
{
    enum { B = 5, HELD = 2 };
    const uint32_t held[B] = {HELD, HELD, HELD, HELD, HELD}, only[B] = {0};
    for (int gamma = 0; gamma < 4; gamma++) {
        ev_gmvae_config config = SMALL;
        config.gamma = (ev_gamma_kind)gamma;
        setting s = create(config, B), t = alone(&s, HELD);
        forward(&s); /* as it is when nothing is held: nothing of that may stay */
        backward(&s);
        s.w.held = held;
        t.w.held = only;
        const ev_elbo ours = forward(&s), single = forward(&t);
        backward(&s);
        backward(&t);
        cr_assert_float_eq(ours.term[EV_CATEGORICAL], (double)s.w.prior.log_pi[HELD], 1e-6);
        cr_assert_eq(single.term[EV_CATEGORICAL], 0.0);
        cr_assert_float_eq(ours.term[EV_LATENT], single.term[EV_LATENT], 1e-5);
        cr_assert_eq(ours.term[EV_RECONSTRUCTION], single.term[EV_RECONSTRUCTION]);
        cr_assert_eq(ours.term[EV_ENTROPY], single.term[EV_ENTROPY]);
        for (size_t p = 0; p < s.model.prior_logits; p++)
            cr_assert_float_eq((double)s.gradient[p], (double)t.gradient[p], 1e-5, "%zu", p);
        assert_held_prior_gradient(&s, &t, HELD);
        destroy(&s);
        destroy(&t);
    }
}

Test(gmvae_float, the_optimal_gamma_has_the_largest_elbo)
{
    double best = 0.0;
    for (int gamma = 0; gamma < 4; gamma++) {
        ev_gmvae_config config = SMALL;
        config.gamma = (ev_gamma_kind)gamma;
        setting s = create(config, 5);
        s.parameters[s.model.prior_log_var] = -3.0F; /* far from a point posterior */
        const ev_elbo elbo = forward(&s);
        if (gamma == 0)
            best = ev_elbo_total(&elbo);
        else
            cr_assert_lt(ev_elbo_total(&elbo), best - 1e-3, "%s", ev_gamma_names[gamma]);
        destroy(&s);
    }
}

Test(gmvae_float, one_cluster_at_the_standard_normal_is_the_vae)
{
    for (int gamma = 0; gamma < 4; gamma++) {
        ev_gmvae_config mixture = SMALL, standard = SMALL;
        mixture.K = standard.K = 1;
        mixture.gamma = (ev_gamma_kind)gamma;
        standard.prior = EV_PRIOR_STANDARD;
        setting a = create(mixture, 5), b = create(standard, 5);
        const size_t shared = a.model.prior_logits;
        cr_assert_eq(shared, b.model.layout.size);
        memset(a.parameters + shared, 0, (a.model.layout.size - shared) * sizeof(float));
        for (size_t i = 0; i < 5; i++) /* the first noise vector of each image is shared */
            memcpy(b.noise + i * 3, a.noise + i * a.model.M * 3, 3 * sizeof(float));
        const ev_elbo of_a = forward(&a), of_b = forward(&b);
        for (size_t t = 0; t < EV_ELBO_TERMS; t++)
            cr_assert_eq(of_a.term[t], of_b.term[t], "%s", ev_elbo_term_names[t]);
        backward(&a);
        backward(&b);
        cr_assert_eq(memcmp(a.gradient, b.gradient, shared * sizeof(float)), 0);
        destroy(&a);
        destroy(&b);
    }
}

Test(gmvae_float, extreme_inputs_leave_every_number_finite)
{
    ev_gmvae_config list[64];
    for (size_t count = configurations(list), i = 0; i < count; i++)
        for (int sign = -1; sign <= 1; sign += 2) {
            setting s = create(list[i], 3);
            for (size_t p = 0; p < s.model.layout.size; p++)
                s.parameters[p] *= (float)sign * 60.0F;
            const ev_elbo elbo = forward(&s);
            cr_assert_eq(ev_elbo_not_finite(&elbo), EV_ELBO_TERMS, "configuration %zu", i);
            backward(&s);
            for (size_t p = 0; p < s.model.layout.size; p++)
                cr_assert(isfinite(s.gradient[p]), "configuration %zu, parameter %zu", i, p);
            destroy(&s);
        }
}

/* With several samples of z the decoder has more rows than the encoder. */
Test(gmvae_float, the_work_of_the_layers_has_room_for_every_row_of_the_decoder)
{
    const ev_gmvae_config config = {
        .D = 100, .J = 10, .K = 7, .layers = 2, .hidden = {50, 90}, .samples = 3};
    const size_t batch = 33;
    setting s = create(config, batch);
    const size_t room = (size_t)(s.w.mu - s.w.work); /* mu is what lies behind it */
    cr_assert_geq(room, ev_mlp_work_size(&s.model.encoder, batch));
    cr_assert_geq(room, ev_mlp_work_size(&s.model.decoder, 3 * batch));
    cr_assert_gt(ev_mlp_work_size(&s.model.decoder, 3 * batch),
                 ev_mlp_work_size(&s.model.encoder, batch));
    destroy(&s);
}

Test(gmvae_float, one_thread_and_two_give_the_same_bits)
{
    ev_gmvae_config config = {
        .D = 100, .J = 10, .K = 7, .layers = 2, .hidden = {50, 90}, .samples = 1};
    config.gamma = EV_GAMMA_SAMPLE;
    setting one = create(config, 33), two = create(config, 33);
    omp_set_num_threads(1);
    forward(&one);
    backward(&one);
    omp_set_num_threads(2);
    forward(&two);
    backward(&two);
    cr_assert_eq(memcmp(one.w.terms, two.w.terms, 33 * EV_ELBO_TERMS * sizeof(float)), 0);
    cr_assert_eq(memcmp(one.gradient, two.gradient, one.model.layout.size * sizeof(float)), 0);
    destroy(&one);
    destroy(&two);
}

Test(gmvae_float, the_noise_of_a_sample_depends_on_seed_step_and_position_only)
{
    ev_gmvae model;
    float few[2 * 3], many[50 * 3], other[2 * 3];
    cr_assert_eq(ev_gmvae_create(&model, &SMALL, NULL), EV_OK);
    ev_gmvae_noise(&model, 5, 9, 2, few);
    ev_gmvae_noise(&model, 5, 9, 50, many);
    cr_assert_eq(memcmp(few, many, sizeof few), 0);
    ev_gmvae_noise(&model, 5, (uint64_t)9 << 32, 2, other);
    cr_assert_neq(memcmp(few, other, sizeof few), 0);
    ev_gmvae_noise(&model, 6, 9, 2, other);
    cr_assert_neq(memcmp(few, other, sizeof few), 0);
}

Test(gmvae_float, absurd_sizes_are_refused_with_the_reason)
{
    const struct {
        ev_gmvae_config config;
        const char *word;
    } cases[] = {
        {{.D = 0, .J = 1, .K = 1, .layers = 1, .hidden = {1}, .samples = 1}, "pixels"},
        {{.D = 1, .J = 0, .K = 1, .layers = 1, .hidden = {1}, .samples = 1}, "latent"},
        {{.D = 1, .J = 1, .K = 0, .layers = 1, .hidden = {1}, .samples = 1}, "clusters"},
        {{.D = 1, .J = 1, .K = 1, .layers = 0, .samples = 1}, "hidden layers"},
        {{.D = 1, .J = 1, .K = 1, .layers = 1, .hidden = {0}, .samples = 1}, "width"},
        {{.D = 1, .J = 1, .K = 1, .layers = 1, .hidden = {1}}, "samples of z"},
        {{.D = 1, .J = 1, .K = 1, .layers = 1, .hidden = {1}, .samples = 1, .gamma = 1}, "gamma"},
        {{.D = 1, .J = 1, .K = 2, .layers = 1, .hidden = {1}, .samples = 1, .prior = 1},
         "standard"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ev_gmvae model;
        ev_error error = EV_ERROR_NONE;
        cr_assert_eq(ev_gmvae_create(&model, &cases[i].config, &error), EV_BAD_INPUT);
        cr_assert_not_null(strstr(error.message, cases[i].word), "%s", error.message);
    }
}
