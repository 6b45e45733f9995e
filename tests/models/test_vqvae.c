/* The VQ-VAE: its terms, which term moves which parameter, and the published errors. */
#include "models/vqvae.h"
#include "models/vqvae_oracle.h"
#include "nn/adam.h"
#include "nn/buffer.h"
#include "numerics/random.h"
#include "probability/log_space.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PARAMETERS = 8192, BATCH = 3 };

/* No two numbers alike; beta far from 1, so that a misplaced one shows. */
static const ev_vqvae_config SMALL = {.height = 8,
                                      .width = 12,
                                      .channels = 1,
                                      .hidden = 4,
                                      .inner = 3,
                                      .blocks = 1,
                                      .J = 2,
                                      .K = 5,
                                      .likelihood = EV_LIKELIHOOD_BERNOULLI,
                                      .codebook = EV_CODEBOOK_GRADIENT,
                                      .beta = 0.3,
                                      .decay = 0.75,
                                      .epsilon = 1e-5,
                                      .revive = 0};

typedef struct {
    ev_vqvae model;
    ev_vqvae_workspace w;
    float parameters[MOST_PARAMETERS], gradient[MOST_PARAMETERS];
    double exact[MOST_PARAMETERS]; /* the parameters, in double */
    float *x;
    size_t B;
} fixture;

static void draw_uniform(const char *what, uint32_t point, size_t n, double low, double high,
                         float *x)
{
    const ev_stream stream = ev_stream_make(3, ev_hash_text(what), 0, point);
    for (size_t i = 0; i < n; i++) {
        double u;
        ev_stream_uniforms(&stream, i, 1, &u);
        x[i] = (float)(low + (high - low) * u);
    }
}

/* The codes are put among the encoder's vectors, or all would choose one code; biases are not 0. */
static void scatter_parameters(fixture *f, uint32_t point)
{
    const ev_vqvae_config *c = &f->model.config;
    float *codes = f->parameters + f->model.codebook;
    ev_vqvae_initialise(&f->model, point, f->parameters);
    for (size_t i = 0; i < f->model.layout.count; i++) {
        const ev_block *b = &f->model.layout.block[i];
        if (b->columns == 0)
            draw_uniform("bias", point + (uint32_t)i, b->rows, -0.2, 0.2,
                         f->parameters + b->offset);
    }
    ev_vqvae_encode(&f->model, f->parameters, f->B, f->x, &f->w);
    draw_uniform("codes", point, c->K * c->J, -0.1, 0.1, codes);
    for (size_t k = 0; k < c->K; k++)
        for (size_t j = 0; j < c->J; j++)
            codes[k * c->J + j] += f->w.z[(k * 7 % (f->B * f->model.N)) * c->J + j];
    for (size_t i = 0; i < f->model.layout.size; i++)
        f->exact[i] = (double)f->parameters[i];
}

static fixture *make(const ev_vqvae_config *config, size_t B, size_t threads, uint32_t point)
{
    fixture *f = calloc(1, sizeof *f);
    ev_error error = EV_ERROR_NONE;
    cr_assert_not_null(f);
    f->B = B;
    cr_assert_eq(ev_vqvae_create(&f->model, config, &error), EV_OK, "%s", error.message);
    cr_assert_leq(f->model.layout.size, (size_t)MOST_PARAMETERS);
    cr_assert_eq(ev_vqvae_workspace_create(&f->w, &f->model, B, threads, &error), EV_OK, "%s",
                 error.message);
    f->x = ev_buffer_create(B * f->model.D);
    cr_assert_not_null(f->x);
    draw_uniform("images", point, B * f->model.D, 0, 1, f->x);
    scatter_parameters(f, point);
    return f;
}

static void discard(fixture *f)
{
    ev_vqvae_workspace_destroy(&f->w);
    free(f->x);
    free(f);
}

static ev_vqvae_loss forward(fixture *f)
{
    return ev_vqvae_forward(&f->model, f->parameters, f->B, f->x, &f->w);
}

static void stops_of(const fixture *f, oracle_stops *stops)
{
    for (size_t b = 0; b < f->B; b++)
        oracle_stop_at(&f->model, f->exact, f->x + b * f->model.D, &stops[b]);
}

static ev_vqvae_loss oracle_mean(const fixture *f, const oracle_stops *stops)
{
    ev_vqvae_loss mean = {{0}};
    for (size_t b = 0; b < f->B; b++) {
        ev_vqvae_loss one = oracle_terms(&f->model, f->exact, f->x + b * f->model.D, &stops[b]);
        for (size_t t = 0; t < EV_VQ_TERMS; t++)
            mean.term[t] += one.term[t] / (double)f->B;
    }
    return mean;
}

/* What varies: likelihood, residual blocks, channels, both sides of the image. */
static ev_vqvae_config variant(size_t i)
{
    ev_vqvae_config c = SMALL;
    c.likelihood = i % 2 == 0 ? EV_LIKELIHOOD_BERNOULLI : EV_LIKELIHOOD_GAUSSIAN;
    c.blocks = i % 3;
    c.channels = 1 + i / 3;
    c.height = i == 4 ? 4 : 8;
    return c;
}
enum { VARIANTS = 6 };

Test(vqvae, the_terms_of_the_loss_are_those_of_double_precision)
{
    for (size_t i = 0; i < VARIANTS; i++) {
        ev_vqvae_config config = variant(i);
        fixture *f = make(&config, BATCH, 2, (uint32_t)i);
        static oracle_stops stops[BATCH];
        stops_of(f, stops);
        ev_vqvae_loss ours = forward(f), wanted = oracle_mean(f, stops);
        for (size_t t = 0; t < EV_VQ_TERMS; t++)
            cr_expect_float_eq(ours.term[t], wanted.term[t], 2e-5 * (1 + fabs(wanted.term[t])),
                               "variant %zu, %s: %.9g for %.9g", i, ev_vqvae_term_names[t],
                               ours.term[t], wanted.term[t]);
        for (size_t b = 0; b < BATCH; b++)
            for (size_t n = 0; n < f->model.N; n++)
                cr_expect_eq(f->w.index[b * f->model.N + n], stops[b].index[n]);
        discard(f);
    }
}

/* d term / d parameter i by a central difference of five points. */
static void slopes(fixture *f, const oracle_stops *stops, size_t i, double slope[EV_VQ_TERMS])
{
    static const double at[] = {-2, -1, 1, 2}, weight[] = {1, -8, 8, -1};
    const double h = 1e-5, held = f->exact[i];
    memset(slope, 0, EV_VQ_TERMS * sizeof *slope);
    for (size_t k = 0; k < 4; k++) {
        f->exact[i] = held + at[k] * h;
        ev_vqvae_loss loss = oracle_mean(f, stops);
        for (size_t t = 0; t < EV_VQ_TERMS; t++)
            slope[t] += weight[k] * loss.term[t] / (12 * h);
    }
    f->exact[i] = held;
}

/* The largest difference between a gradient and the slopes of a weighted sum of the terms, relative
 * to the largest slope.  This is the audit that has to notice the planted errors. */
static double routing_error(fixture *f, const oracle_stops *stops, const float *gradient,
                            const double weight[EV_VQ_TERMS])
{
    double worst = 0, largest = 1e-3;
    for (size_t i = 0; i < f->model.layout.size; i++) {
        double slope[EV_VQ_TERMS], wanted = 0;
        slopes(f, stops, i, slope);
        for (size_t t = 0; t < EV_VQ_TERMS; t++)
            wanted += weight[t] * slope[t];
        worst = fmax(worst, fabs(wanted - (double)gradient[i]));
        largest = fmax(largest, fabs(wanted));
    }
    return worst / largest;
}

/* Float arithmetic through ten layers; slopes are good to 1e-9. */
static const double GRADIENT_TOLERANCE = 1e-4;

Test(vqvae, the_gradient_of_each_term_is_the_difference_quotient_of_its_definition)
{
    for (size_t i = 0; i < VARIANTS; i++)
        for (size_t t = 0; t < EV_VQ_TERMS; t++) {
            ev_vqvae_config config = variant(i);
            fixture *f = make(&config, BATCH, 2, (uint32_t)(10 + i));
            static oracle_stops stops[BATCH];
            double weight[EV_VQ_TERMS] = {0};
            weight[t] = 1;
            stops_of(f, stops);
            (void)forward(f);
            ev_vqvae_backward_terms(&f->model, f->parameters, f->B, f->x, weight, &f->w,
                                    f->gradient);
            double error = routing_error(f, stops, f->gradient, weight);
            cr_expect_lt(error, GRADIENT_TOLERANCE, "variant %zu, %s: %.2e", i,
                         ev_vqvae_term_names[t], error);
            discard(f);
        }
}

Test(vqvae, the_whole_gradient_follows_the_kind_of_codebook)
{
    for (size_t kind = 0; kind < 2; kind++) {
        ev_vqvae_config config = SMALL;
        config.codebook = kind == 0 ? EV_CODEBOOK_AVERAGE : EV_CODEBOOK_GRADIENT;
        fixture *f = make(&config, BATCH, 2, 20);
        static oracle_stops stops[BATCH];
        const double weight[EV_VQ_TERMS] = {1, (double)kind, 1};
        stops_of(f, stops);
        ev_vqvae_loss loss = forward(f);
        cr_expect_eq(ev_vqvae_total(&f->model, &loss),
                     loss.term[0] + (double)kind * loss.term[1] + loss.term[2]);
        ev_vqvae_backward(&f->model, f->parameters, f->B, f->x, &f->w, f->gradient);
        cr_expect_lt(routing_error(f, stops, f->gradient, weight), GRADIENT_TOLERANCE);
        discard(f);
    }
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Is every float of the blocks of that name 0, to the bit?  What rounding leaves would not be. */
static bool all_zero(const fixture *f, const char *prefix)
{
    for (size_t i = 0; i < f->model.layout.count; i++) {
        const ev_block *b = &f->model.layout.block[i];
        for (size_t p = 0; starts_with(b->name, prefix) && p < ev_block_size(b); p++)
            if (f->gradient[b->offset + p] != 0.0F)
                return false;
    }
    return true;
}

/* The table of derivations/vector_quantisation.md, "Which term moves what". */
Test(vqvae, what_a_term_must_not_move_gets_exactly_zero)
{
    static const struct {
        ev_vqvae_term term;
        bool encoder, decoder, codebook;
    } table[] = {{EV_VQ_RECONSTRUCTION, true, true, false},
                 {EV_VQ_CODEBOOK, false, false, true},
                 {EV_VQ_COMMITMENT, true, false, false}};
    fixture *f = make(&SMALL, BATCH, 2, 30);
    (void)forward(f);
    for (size_t i = 0; i < 3; i++) {
        double weight[EV_VQ_TERMS] = {0};
        weight[table[i].term] = 1;
        ev_vqvae_backward_terms(&f->model, f->parameters, f->B, f->x, weight, &f->w, f->gradient);
        cr_expect_eq(all_zero(f, "encoder"), !table[i].encoder, "term %zu", i);
        cr_expect_eq(all_zero(f, "decoder"), !table[i].decoder, "term %zu", i);
        cr_expect_eq(all_zero(f, "codebook"), !table[i].codebook, "term %zu", i);
    }
    discard(f);
}

Test(vqvae, codes_that_no_vector_chose_get_no_gradient)
{
    ev_vqvae_config config = SMALL;
    config.K = 64;
    fixture *f = make(&config, BATCH, 2, 31);
    (void)forward(f);
    ev_vqvae_backward(&f->model, f->parameters, f->B, f->x, &f->w, f->gradient);
    size_t unused = 0;
    for (size_t k = 0; k < config.K; k++) {
        bool chosen = false, moved = false;
        for (size_t i = 0; i < f->B * f->model.N; i++)
            chosen = chosen || f->w.index[i] == k;
        for (size_t j = 0; j < config.J; j++)
            moved = moved || f->gradient[f->model.codebook + k * config.J + j] != 0.0F;
        cr_expect_eq(moved, chosen, "code %zu", k);
        unused += !chosen;
    }
    cr_expect(unused > 10 && unused < 64);
    discard(f);
}

/* st-gradient: S is the identity for the gradient by z. */
Test(vqvae, the_reconstructions_gradient_at_the_code_reaches_z_unchanged)
{
    const double weight[EV_VQ_TERMS] = {1, 0, 0};
    fixture *f = make(&SMALL, BATCH, 2, 32);
    (void)forward(f);
    ev_vqvae_backward_terms(&f->model, f->parameters, f->B, f->x, weight, &f->w, f->gradient);
    size_t n = f->B * f->model.N * SMALL.J;
    double size = 0;
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(f->w.d_z[i], f->w.d_z_q[i]);
        size += fabs((double)f->w.d_z[i]);
    }
    cr_expect_gt(size, 0.1);
    discard(f);
}

/* --- Published errors, planted ----------------------------------------------------------------*/

Test(vqvae, beta_on_the_codebook_term_is_noticed)
{
    const double beta = SMALL.beta, right[EV_VQ_TERMS] = {1, 1, 1};
    const double planted[EV_VQ_TERMS] = {1, beta, 1 / beta};
    fixture *f = make(&SMALL, BATCH, 2, 40);
    static oracle_stops stops[BATCH];
    stops_of(f, stops);
    (void)forward(f);
    ev_vqvae_backward_terms(&f->model, f->parameters, f->B, f->x, planted, &f->w, f->gradient);
    cr_expect_gt(routing_error(f, stops, f->gradient, right), 100 * GRADIENT_TOLERANCE);
    discard(f);
}

/* |sg z - S|^2 with S = z + sg[e - z] has the value of |sg z - e|^2, and no gradient for the code:
 * what it has for z, 2 (S - z), is the commitment's. */
Test(vqvae, a_codebook_term_taken_after_the_straight_through_is_noticed)
{
    const double beta = SMALL.beta, right[EV_VQ_TERMS] = {1, 1, 1};
    const double planted[EV_VQ_TERMS] = {1, 0, 1 - 1 / beta};
    fixture *f = make(&SMALL, BATCH, 2, 41);
    static oracle_stops stops[BATCH];
    stops_of(f, stops);
    (void)forward(f);
    ev_vqvae_backward_terms(&f->model, f->parameters, f->B, f->x, planted, &f->w, f->gradient);
    cr_expect(all_zero(f, "codebook"));
    cr_expect_gt(routing_error(f, stops, f->gradient, right), 100 * GRADIENT_TOLERANCE);
    discard(f);
}

/* Are the vectors that the decoder saw the nearest of the codes by which they were chosen? */
static bool quantised_before_the_update(const fixture *f, const float *codes_before)
{
    const size_t J = f->model.config.J;
    for (size_t i = 0; i < f->B * f->model.N; i++)
        if (memcmp(f->w.z_q + i * J, codes_before + f->w.index[i] * J, J * sizeof(float)) != 0)
            return false;
    return true;
}

Test(vqvae, an_update_before_quantising_is_noticed)
{
    ev_vqvae_config config = SMALL;
    config.codebook = EV_CODEBOOK_AVERAGE;
    fixture *f = make(&config, BATCH, 2, 42);
    float before[16], counts[8] = {0}, sums[16] = {0};
    ev_codebook_average average = {0, counts, sums};
    memcpy(before, f->parameters + f->model.codebook, config.K * config.J * sizeof(float));
    ev_vqvae_loss right = forward(f);
    cr_expect(quantised_before_the_update(f, before));
    (void)ev_vqvae_move_codes(&f->model, f->B, 1, &average, &f->w, f->parameters);
    cr_expect(quantised_before_the_update(f, before), "the step leaves z_q alone");
    /* The error: choose, move, and look up what has moved. */
    ev_codebook_look_up(config.J, f->parameters + f->model.codebook, f->B * f->model.N, f->w.index,
                        f->w.z_q);
    cr_expect_not(quantised_before_the_update(f, before));
    double off = 0;
    for (size_t i = 0; i < f->B * f->model.N * config.J; i++)
        off += pow((double)f->w.z[i] - (double)f->w.z_q[i], 2) / (double)f->B;
    cr_expect_lt(off, 0.9 * right.term[EV_VQ_CODEBOOK], "it flatters the loss: %g for %g", off,
                 right.term[EV_VQ_CODEBOOK]);
    discard(f);
}

/* --- The codebook's step and k-means ----------------------------------------------------------*/

/* codebook-step: from the gradient, a step of length B/(2 n) lands on the mean; an average without
 * memory and smoothing lands there too.  Both are the second half of a step of k-means. */
Test(vqvae, a_step_of_the_codebook_by_gradient_or_average_is_a_step_of_k_means)
{
    fixture *f = make(&SMALL, BATCH, 2, 50);
    const size_t K = SMALL.K, J = SMALL.J, vectors = f->B * f->model.N;
    const double weight[EV_VQ_TERMS] = {0, 1, 0};
    const ev_codebook_rule rule = {.decay = 0, .epsilon = 0, .revive = 0, .average = true};
    float counts[8] = {0}, sums[16] = {0}, moved[16];
    ev_codebook_average average = {0, counts, sums};
    (void)forward(f);
    ev_vqvae_backward_terms(&f->model, f->parameters, f->B, f->x, weight, &f->w, f->gradient);
    memcpy(moved, f->parameters + f->model.codebook, K * J * sizeof *moved);
    ev_codebook_sum(K, J, vectors, f->w.z, f->w.index, f->w.n, f->w.s);
    ev_codebook_step(&rule, K, J, f->w.n, f->w.s, &average, moved);
    for (size_t k = 0; k < K; k++)
        for (size_t j = 0; j < J; j++) {
            double mean = 0, n = 0, at = f->exact[f->model.codebook + k * J + j];
            for (size_t i = 0; i < vectors; i++)
                if (f->w.index[i] == k) {
                    mean += (double)f->w.z[i * J + j];
                    n++;
                }
            mean = n > 0 ? mean / n : at;
            double slope = (double)f->gradient[f->model.codebook + k * J + j];
            double step = n > 0 ? (double)f->B / (2 * n) : 0;
            cr_expect_float_eq(at - step * slope, mean, 1e-6);
            cr_expect_float_eq((double)moved[k * J + j], mean, 1e-6);
        }
    discard(f);
}

/* --- Invariances ------------------------------------------------------------------------------*/

Test(vqvae, a_batch_twice_over_has_the_loss_and_the_gradient_of_the_batch)
{
    fixture *one = make(&SMALL, BATCH, 2, 60), *two = make(&SMALL, 2 * BATCH, 2, 60);
    for (size_t i = 0; i < 2; i++)
        memcpy(two->x + i * BATCH * one->model.D, one->x, BATCH * one->model.D * sizeof(float));
    memcpy(two->parameters, one->parameters, sizeof one->parameters);
    ev_vqvae_loss once = forward(one), twice = forward(two);
    ev_vqvae_backward(&one->model, one->parameters, one->B, one->x, &one->w, one->gradient);
    ev_vqvae_backward(&two->model, two->parameters, two->B, two->x, &two->w, two->gradient);
    for (size_t t = 0; t < EV_VQ_TERMS; t++)
        cr_expect_float_eq(once.term[t], twice.term[t], 1e-6 * (1 + fabs(once.term[t])));
    float largest = 0;
    for (size_t i = 0; i < one->model.layout.size; i++)
        largest = fmaxf(largest, fabsf(one->gradient[i]));
    for (size_t i = 0; i < one->model.layout.size; i++)
        cr_expect_float_eq(one->gradient[i], two->gradient[i], 1e-5F * largest);
    discard(one);
    discard(two);
}

static void train(fixture *f, size_t steps)
{
    static float m[MOST_PARAMETERS], v[MOST_PARAMETERS];
    static float counts[8], sums[16];
    ev_codebook_average average = {0, counts, sums};
    const ev_adam adam = EV_ADAM_DEFAULT;
    memset(m, 0, sizeof m), memset(v, 0, sizeof v);
    memset(counts, 0, sizeof counts), memset(sums, 0, sizeof sums);
    for (size_t t = 1; t <= steps; t++) {
        (void)forward(f);
        ev_vqvae_backward(&f->model, f->parameters, f->B, f->x, &f->w, f->gradient);
        ev_adam_step(&adam, t, 5e-3, f->model.layout.size, f->gradient, m, v, f->parameters);
        (void)ev_vqvae_move_codes(&f->model, f->B, 9, &average, &f->w, f->parameters);
    }
}

Test(vqvae, training_lowers_the_loss_and_is_the_same_to_the_bit_for_any_number_of_threads)
{
    for (size_t kind = 0; kind < 2; kind++) {
        ev_vqvae_config config = SMALL;
        config.codebook = kind == 0 ? EV_CODEBOOK_AVERAGE : EV_CODEBOOK_GRADIENT;
        config.revive = 0.1;
        fixture *one = make(&config, 40, 1, 61), *three = make(&config, 40, 3, 61);
        ev_vqvae_loss before = forward(one);
        train(one, 60);
        train(three, 60);
        ev_vqvae_loss after = forward(one);
        cr_expect_eq(memcmp(one->parameters, three->parameters, sizeof one->parameters), 0);
        cr_expect_lt(ev_vqvae_total(&one->model, &after), ev_vqvae_total(&one->model, &before) - 1);
        discard(one);
        discard(three);
    }
}

/* --- The bound --------------------------------------------------------------------------------*/

/* Every choice of codes for N places, as the digits of a number to the base K. */
static size_t power(size_t base, size_t exponent)
{
    size_t value = 1;
    for (size_t i = 0; i < exponent; i++)
        value *= base;
    return value;
}

/* vq-bound-positions and vq-bound-gap: log p(x) is a sum over all K^N grids, and what the bound loses
 * is minus the log posterior of the grid that was chosen. */
Test(vqvae, the_log_evidence_summed_over_all_codes_is_above_the_bound_by_the_log_posterior)
{
    static const size_t sides[][3] = {{4, 4, 5}, {4, 8, 4}, {8, 4, 4}, {4, 12, 3}, {8, 8, 2}};
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        ev_vqvae_config config = SMALL;
        config.height = sides[i][0], config.width = sides[i][1], config.K = sides[i][2];
        config.likelihood = i % 2 == 0 ? EV_LIKELIHOOD_BERNOULLI : EV_LIKELIHOOD_GAUSSIAN;
        fixture *f = make(&config, 1, 1, (uint32_t)(70 + i));
        size_t N = f->model.N, grids = power(config.K, N), chosen = 0;
        double log_p[1024], z_q[64];
        cr_assert_leq(grids, 1024u);
        ev_vqvae_loss loss = forward(f);
        for (size_t n = N; n-- > 0;)
            chosen = chosen * config.K + f->w.index[n];
        for (size_t grid = 0; grid < grids; grid++) {
            size_t rest = grid;
            for (size_t n = 0; n < N; n++, rest /= config.K)
                for (size_t j = 0; j < config.J; j++)
                    z_q[n * config.J + j] =
                        f->exact[f->model.codebook + rest % config.K * config.J + j];
            log_p[grid] = oracle_log_likelihood(&f->model, f->exact, f->x, z_q);
        }
        double evidence = ev_log_sum_exp(grids, log_p) - log((double)grids);
        double bound = ev_vqvae_bound(&f->model, &loss);
        double posterior = log_p[chosen] - ev_log_sum_exp(grids, log_p);
        cr_expect_geq(evidence, bound - 1e-4);
        cr_expect_float_eq(evidence - bound, -posterior, 1e-4, "%zu: %g for %g", i,
                           evidence - bound, -posterior);
        cr_expect_gt(-posterior, 1e-3, "the case shows something");
        discard(f);
    }
}

/* --- Bad input --------------------------------------------------------------------------------*/

Test(vqvae, absurd_configurations_are_refused_by_name)
{
    ev_vqvae_config bad[12];
    static const char *const words[12] = {"height", "width",     "channels of an image",
                                          "hidden", "inside",    "blocks",
                                          "code",   "codes",     "beta",
                                          "decay",  "smoothing", "dead"};
    for (size_t i = 0; i < 12; i++)
        bad[i] = SMALL;
    bad[0].height = 27, bad[1].width = 0, bad[2].channels = 0, bad[3].hidden = 5;
    bad[4].inner = 0, bad[5].blocks = 5, bad[6].J = 0, bad[7].K = 0;
    bad[8].beta = -1, bad[9].decay = 1, bad[10].epsilon = (double)NAN, bad[11].revive = 1.5;
    for (size_t i = 0; i < 12; i++) {
        ev_vqvae model;
        ev_error error = EV_ERROR_NONE;
        cr_expect_eq(ev_vqvae_create(&model, &bad[i], &error), EV_BAD_INPUT, "%zu", i);
        cr_expect_not_null(strstr(error.message, words[i]), "%zu: %s", i, error.message);
    }
    ev_vqvae model;
    ev_vqvae_workspace w;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_vqvae_create(&model, &SMALL, &error), EV_OK);
    cr_expect_eq(ev_vqvae_workspace_create(&w, &model, 0, 1, &error), EV_BAD_INPUT);
    cr_expect_not_null(strstr(error.message, "no images"));
}
