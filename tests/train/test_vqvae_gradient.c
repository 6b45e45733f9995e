/* The gradient's part of the VQ-VAE's audit: its tangents against differences of the oracle, and errors
 * in a gradient, which it must name. */
#include "models/vqvae_oracle.h"
#include "train/vqvae_audit_gradient.h"
#include "train/vqvae_setting.h"
#include "train/vqvae_tangent.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = SETTING_BATCH, D = SETTING_PIXELS };

typedef vqvae_setting setting;

static bool begins(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* --- Tangents ---------------------------------------------------------------------------------- */

/* Signs of some size in the blocks whose names begin so. */
static float *direction_in(const setting *s, const char *prefix)
{
    float *v = calloc(s->model.layout.size, sizeof *v);
    for (size_t i = 0; i < s->model.layout.count; i++) {
        const ev_block *block = &s->model.layout.block[i];
        for (size_t k = block->offset; k < block->offset + ev_block_size(block); k++)
            v[k] = begins(block->name, prefix) ? (float)cos(2.3 * (double)k * (double)(k % 17)) : 0;
    }
    return v;
}

/* The mean of the oracle's terms at parameters + h v, with what is stopped held where it is at h = 0. */
static ev_vqvae_loss moved(const setting *s, const float *v, double h)
{
    static oracle_stops stops;
    double *p = calloc(2 * s->model.layout.size, sizeof *p), *held = p + s->model.layout.size;
    ev_vqvae_loss mean = {{0}};
    for (size_t i = 0; i < s->model.layout.size; i++) {
        held[i] = (double)s->parameters[i];
        p[i] = held[i] + h * (double)v[i];
    }
    for (size_t b = 0; b < IMAGES; b++) {
        oracle_stop_at(&s->model, held, s->x + b * D, &stops);
        const ev_vqvae_loss one = oracle_terms(&s->model, p, s->x + b * D, &stops);
        for (size_t t = 0; t < EV_VQ_TERMS; t++)
            mean.term[t] += one.term[t] / IMAGES;
    }
    free(p);
    return mean;
}

/* h = 1e-6 of a function of size 100 with curvature: differences are right to 1e-16 100/1e-6 = 1e-8, and
 * to h^2 of it, times its size. */
static void agree(const setting *s, const char *prefix, bool split)
{
    const double h = 1e-6;
    float *v = direction_in(s, prefix);
    ev_vqvae_tangents t;
    cr_assert_eq(
        ev_vqvae_tangents_create(&t, &s->model, s->parameters, IMAGES, s->x, &s->w, 1e-5, NULL),
        EV_OK);
    cr_expect_eq(t.beyond, 0);
    const ev_vqvae_slope slope = ev_vqvae_tangents_slope(&t, v, split);
    const ev_vqvae_loss above = moved(s, v, h), below = moved(s, v, -h);
    const double found[EV_VQ_TERMS] = {
        slope.part[EV_VQ_PART_DECODER] + slope.part[EV_VQ_PART_THROUGH],
        slope.part[EV_VQ_PART_CODEBOOK], slope.part[EV_VQ_PART_COMMITMENT]};
    for (size_t i = 0; i < EV_VQ_TERMS; i++) {
        const double wanted = (above.term[i] - below.term[i]) / (2 * h);
        cr_expect_float_eq(found[i], wanted, 1e-6 * (1 + fabs(wanted)), "%s along %s: %.9g, %.9g",
                           ev_vqvae_term_names[i], prefix, found[i], wanted);
        cr_expect_geq(slope.size[i], fabs(found[i]));
    }
    if (split) { /* each way alone: what moves one side only comes through that side */
        cr_expect(begins(prefix, "decoder") || fabs(slope.part[EV_VQ_PART_DECODER]) <= 0);
        cr_expect(begins(prefix, "encoder") || fabs(slope.part[EV_VQ_PART_THROUGH]) <= 0);
    }
    ev_vqvae_tangents_destroy(&t);
    free(v);
}

Test(vqvae_gradient, tangents_are_the_derivatives_of_another_network_with_the_stopped_values_held)
{
    for (int kind = 0; kind < 6; kind++) {
        setting s = vqvae_setting_create(kind % 2 == 0 ? EV_LIKELIHOOD_BERNOULLI
                                                       : EV_LIKELIHOOD_GAUSSIAN,
                                         EV_CODEBOOK_GRADIENT, (size_t)kind / 2);
        for (size_t i = 0; i < s.model.layout.count; i++) {
            agree(&s, s.model.layout.block[i].name, true);
            agree(&s, s.model.layout.block[i].name, false);
        }
        agree(&s, "encoder", true);
        agree(&s, "decoder", true);
        agree(&s, "", false);
        vqvae_setting_destroy(&s);
    }
}

/* --- Nothing planted --------------------------------------------------------------------------- */

static void holds(const ev_vqvae_config *config, uint64_t seed)
{
    setting s = vqvae_setting_of(config, seed);
    ev_audit audit = vqvae_setting_audit(&s);
    cr_expect(ev_audit_passed(&audit), "seed %d: %s", (int)seed, audit.diagnosis);
    cr_expect_eq(ev_audit_tally(&audit, EV_HOLDS), audit.count);
    cr_expect_lt(audit.gradient_error, 0.5, "seed %d: %g of its bound", (int)seed,
                 audit.gradient_error);
    ev_audit_free(&audit);
    vqvae_setting_destroy(&s);
}

Test(vqvae_gradient, that_of_a_right_pass_holds_in_every_combination_and_with_every_seed)
{
    for (int kind = 0; kind < 12; kind++)
        for (uint64_t seed = 1; seed <= 8; seed++) {
            setting s = vqvae_setting_create((ev_likelihood_kind)(kind % 2),
                                             (ev_codebook_kind)(kind / 2 % 2), (size_t)kind / 4);
            const ev_vqvae_config config = s.model.config;
            vqvae_setting_destroy(&s);
            holds(&config, seed);
        }
}

Test(vqvae_gradient, that_of_the_default_network_holds)
{
    for (int kind = 0; kind < 4; kind++) {
        ev_vqvae_config config = ev_vqvae_default;
        config.likelihood = (ev_likelihood_kind)(kind % 2);
        config.codebook = (ev_codebook_kind)(kind / 2);
        holds(&config, (uint64_t)kind + 1);
    }
}

/* A log variance beyond its limits has no derivative in the float pass, and none in the reference's. */
Test(vqvae_gradient, log_variances_beyond_their_limits_have_none)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        setting s = vqvae_setting_create(EV_LIKELIHOOD_GAUSSIAN, EV_CODEBOOK_GRADIENT, 1);
        s.parameters[ev_layout_find(&s.model.layout, "decoder.3.bias")->offset + 1] = 9.5F *
                                                                                      (float)sign;
        s.loss = ev_vqvae_forward(&s.model, s.parameters, SETTING_BATCH, s.x, &s.w);
        ev_audit audit = vqvae_setting_audit(&s);
        cr_expect(ev_audit_passed(&audit), "%d: %s", sign, audit.diagnosis);
        cr_expect_eq(ev_audit_tally(&audit, EV_HOLDS), audit.count);
        ev_audit_free(&audit);
        vqvae_setting_destroy(&s);
    }
}

/* Else a pass that mixed images up between pieces of a batch would not be noticed. */
Test(vqvae_gradient, the_images_change_places_from_piece_to_piece)
{
    enum { BATCH = 12, FEW = 4 };
    setting s = vqvae_setting_create(EV_LIKELIHOOD_BERNOULLI, EV_CODEBOOK_GRADIENT, 1);
    const size_t codes = s.model.N * s.model.config.J;
    static float x[BATCH * D];
    ev_vqvae_workspace w;
    ev_audit audit;
    cr_assert_eq(ev_vqvae_workspace_create(&w, &s.model, BATCH, 2, NULL), EV_OK);
    for (size_t b = 0; b < BATCH; b++)
        memcpy(x + b * D, s.x + b % IMAGES * D, D * sizeof *x);
    const ev_vqvae_loss loss = ev_vqvae_forward(&s.model, s.parameters, BATCH, x, &w);
    const ev_vqvae_audit_subject subject = {&s.model, s.parameters, &s.average, BATCH, x,
                                            &loss,    &w,           s.gradient, 1};
    cr_assert_eq(ev_vqvae_audit_run(&subject, &audit, NULL), EV_OK);
    cr_expect(ev_audit_passed(&audit), "%s", audit.diagnosis);
    for (size_t b = 0; b < FEW; b++) {
        cr_expect_neq(memcmp(w.z + b * codes, w.z + (b + FEW) * codes, codes * sizeof *w.z), 0);
        cr_expect_eq(
            memcmp(w.z + (b + 1) % FEW * codes, w.z + (b + FEW) * codes, codes * sizeof *w.z), 0);
    }
    ev_audit_free(&audit);
    ev_vqvae_workspace_destroy(&w);
    vqvae_setting_destroy(&s);
}

/* --- Gradients as given ------------------------------------------------------------------------ */

typedef struct {
    setting s;
    float *total, *term[EV_VQ_TERMS]; /* right ones, to be spoilt */
} given;

static given give(ev_likelihood_kind likelihood, ev_codebook_kind codebook)
{
    given g = {.s = vqvae_setting_create(likelihood, codebook, 1)};
    setting *s = &g.s;
    const size_t size = s->model.layout.size;
    g.total = calloc(size * (1 + EV_VQ_TERMS), sizeof *g.total);
    ev_vqvae_backward(&s->model, s->parameters, IMAGES, s->x, &s->w, g.total);
    for (size_t i = 0; i < EV_VQ_TERMS; i++) {
        double weight[EV_VQ_TERMS] = {0};
        weight[i] = 1;
        g.term[i] = g.total + (1 + i) * size;
        ev_vqvae_backward_terms(&s->model, s->parameters, IMAGES, s->x, weight, &s->w, g.term[i]);
    }
    return g;
}

static ev_audit take(given *g)
{
    const ev_vqvae_audit_subject subject = {.model = &g->s.model,
                                            .parameters = g->s.parameters,
                                            .B = IMAGES,
                                            .x = g->s.x,
                                            .w = &g->s.w,
                                            .seed = 3};
    const ev_vqvae_gradients gradients = {g->total, {g->term[0], g->term[1], g->term[2]}};
    ev_audit audit = {.rows = NULL};
    cr_assert_eq(ev_vqvae_audit_gradients(&subject, IMAGES, &gradients, &audit, NULL), EV_OK);
    return audit;
}

static void discard(given *g)
{
    vqvae_setting_destroy(&g->s);
    free(g->total);
}

/* total += factor term, in the blocks whose names begin so. */
static void add_term(given *g, const char *prefix, ev_vqvae_term term, float factor)
{
    const ev_layout *layout = &g->s.model.layout;
    for (size_t i = 0; i < layout->count; i++) {
        const ev_block *block = &layout->block[i];
        for (size_t k = block->offset; k < block->offset + ev_block_size(block); k++)
            g->total[k] += begins(block->name, prefix) ? factor * g->term[term][k] : 0;
    }
}

static void scale(given *g, float *gradient, float factor)
{
    for (size_t k = 0; k < g->s.model.layout.size; k++)
        gradient[k] *= factor;
}

/* Of the numbers of one block those that take each other's place: a kernel with its axes swapped. */
static void swap_kernel_axes(given *g, const char *name)
{
    const ev_block *block = ev_layout_find(&g->s.model.layout, name);
    const size_t k = block->rows % 16 == 0 ? 4 : 3, each = ev_block_size(block) / (k * k);
    float *weight = g->total + block->offset;
    for (size_t u = 0; u < k; u++)
        for (size_t v = 0; v < u; v++)
            for (size_t i = 0; i < each; i++) {
                const float at = weight[(u * k + v) * each + i];
                weight[(u * k + v) * each + i] = weight[(v * k + u) * each + i];
                weight[(v * k + u) * each + i] = at;
            }
}

/* --- Planted errors ---------------------------------------------------------------------------- */

static void without_straight_through(given *g) { add_term(g, "encoder", EV_VQ_RECONSTRUCTION, -1); }
static void straight_through_twice(given *g) { add_term(g, "encoder", EV_VQ_RECONSTRUCTION, 1); }
static void without_decoder(given *g) { add_term(g, "decoder", EV_VQ_RECONSTRUCTION, -1); }
static void beta_on_the_codebook_too(given *g) { add_term(g, "", EV_VQ_CODEBOOK, 0.25F - 1); }
static void beta_on_the_codebook(given *g) /* and none on the commitment */
{
    add_term(g, "", EV_VQ_CODEBOOK, 0.25F - 1);
    add_term(g, "", EV_VQ_COMMITMENT, 4 - 1);
}
static void without_beta(given *g) { add_term(g, "", EV_VQ_COMMITMENT, 4 - 1); }
/* beta |z - e|^2, not stopped, has beta times the derivative of |z - e|^2 by e. */
static void commitment_pulls_the_code(given *g) { add_term(g, "codebook", EV_VQ_CODEBOOK, 0.25F); }
/* |z - e|^2, not stopped, has that of beta |z - e|^2 by z, over beta. */
static void codebook_pulls_the_encoder(given *g) { add_term(g, "encoder", EV_VQ_COMMITMENT, 4); }
static void codebook_minimised(given *g) { add_term(g, "", EV_VQ_CODEBOOK, 1); }
static void codebook_stopped(given *g) { add_term(g, "", EV_VQ_CODEBOOK, -1); }
static void the_other_sign(given *g) { add_term(g, "", EV_VQ_COMMITMENT, -2); }
static void sum_over_the_batch(given *g) { scale(g, g->total, IMAGES); }
/* The codes after the straight-through (jax-vqvae-gpt#2): the codebook term moves nothing, alone or not. */
static void codebook_without_gradient(given *g)
{
    codebook_stopped(g);
    scale(g, g->term[EV_VQ_CODEBOOK], 0);
}
static void swapped_in_encoder(given *g) { swap_kernel_axes(g, "encoder.1.weight"); }
static void swapped_in_block(given *g) { swap_kernel_axes(g, "encoder.3.0.weight"); }
static void swapped_in_transpose(given *g) { swap_kernel_axes(g, "decoder.2.weight"); }
/* A transposed convolution has a bias for each channel of its finer side: here the channels move on. */
static void bias_of_transpose(given *g)
{
    const ev_block *block = ev_layout_find(&g->s.model.layout, "decoder.2.bias");
    float *bias = g->total + block->offset, first = bias[0];
    memmove(bias, bias + 1, (block->rows - 1) * sizeof *bias);
    bias[block->rows - 1] = first;
}
/* Summed over the coarser side, a quarter of the places. */
static void bias_of_last_transpose(given *g)
{
    g->total[ev_layout_find(&g->s.model.layout, "decoder.3.bias")->offset] *= 0.25F;
}
/* Right together, wrong alone. */
static void commitment_alone(given *g) { scale(g, g->term[EV_VQ_COMMITMENT], 1.001F); }
static void reconstruction_alone(given *g) { scale(g, g->term[EV_VQ_RECONSTRUCTION], -1); }
static void not_a_number(given *g)
{
    g->total[ev_layout_find(&g->s.model.layout, "decoder.0.bias")->offset] = NAN;
}

#define BLOCK "gradient along "
enum { BY_AVERAGE = 1, BY_GRADIENT = 2, EITHER = 3 };
static const struct {
    const char *what, *named, *said; /* the beginning of the name, and part of the diagnosis */
    void (*plant)(given *g);
    int codebook;
} plants[] = {
    {"no straight-through", "gradient of reconstruction (straight through)",
     " 0 times instead of once", without_straight_through, EITHER},
    {"straight-through twice", "gradient of reconstruction (straight through)",
     " 2 times instead of once", straight_through_twice, EITHER},
    {"a decoder that doesn't learn", "gradient of reconstruction (through the decoder)",
     " 0 times instead of once", without_decoder, EITHER},
    {"beta on both", "gradient of codebook", " 0.25 times instead of once",
     beta_on_the_codebook_too, BY_GRADIENT},
    {"beta on the codebook term (taming-transformers#57)", "gradient of codebook",
     " 0.25 times instead of once, that of commitment 4 times instead of once",
     beta_on_the_codebook, BY_GRADIENT},
    {"no beta", "gradient of commitment", " 4 times instead of once", without_beta, EITHER},
    {"commitment pulls the code", "gradient of codebook", " 1.25 times instead of once",
     commitment_pulls_the_code, BY_GRADIENT},
    {"commitment pulls the code", "gradient of codebook", " 0.25 times instead of never",
     commitment_pulls_the_code, BY_AVERAGE},
    {"the codebook term pulls the encoder", "gradient of commitment", " 5 times instead of once",
     codebook_pulls_the_encoder, EITHER},
    {"codes by both ways", "gradient of codebook", " 1 times instead of never", codebook_minimised,
     BY_AVERAGE},
    {"codes by neither way", "gradient of codebook", " 0 times instead of once", codebook_stopped,
     BY_GRADIENT},
    {"the codebook term after straight-through (jax-vqvae-gpt#2)", "gradient of codebook",
     " 0 times instead of once", codebook_without_gradient, BY_GRADIENT},
    {"the commitment is raised", "gradient of commitment", " -1 times instead of once",
     the_other_sign, EITHER},
    {"the sum over the batch", "gradient of the whole loss", " 5 times instead of once",
     sum_over_the_batch, BY_GRADIENT},
    {"the sum over the batch", "gradient of the terms but codebook", " 5 times instead of once",
     sum_over_the_batch, BY_AVERAGE},
    {"a kernel's axes swapped", BLOCK "encoder.1.weight", "encoder.1.weight", swapped_in_encoder,
     EITHER},
    {"the same in a residual block", BLOCK "encoder.3.0.weight", "encoder.3.0.weight",
     swapped_in_block, EITHER},
    {"the same of a transpose", BLOCK "decoder.2.weight", "decoder.2.weight", swapped_in_transpose,
     EITHER},
    {"a transpose's bias of other channels", BLOCK "decoder.2.bias", "decoder.2.bias",
     bias_of_transpose, EITHER},
    {"a transpose's bias over the coarser side", BLOCK "decoder.3.bias", "decoder.3.bias",
     bias_of_last_transpose, EITHER},
    {"the commitment alone is wrong", "gradient of commitment", "directional derivative",
     commitment_alone, EITHER},
    {"the reconstruction alone is wrong", "gradient of reconstruction", "directional derivative",
     reconstruction_alone, EITHER},
    {"a NaN", BLOCK "decoder.0.bias", "decoder.0.bias", not_a_number, EITHER}};

Test(vqvae_gradient, an_error_planted_in_it_is_named)
{
    for (size_t i = 0; i < 4 * sizeof plants / sizeof *plants; i++) {
        const size_t at = i / 4, codebook = i % 2;
        if ((plants[at].codebook & (codebook == 0 ? BY_AVERAGE : BY_GRADIENT)) == 0)
            continue;
        given g = give((ev_likelihood_kind)(i / 2 % 2), (ev_codebook_kind)codebook);
        ev_audit right = take(&g);
        cr_expect(ev_audit_passed(&right), "%s: %s", plants[at].what, right.diagnosis);
        plants[at].plant(&g);
        ev_audit audit = take(&g);
        cr_expect(begins(audit.failed, plants[at].named), "%s, %zu: '%s'", plants[at].what, i % 4,
                  audit.failed);
        cr_expect_not_null(strstr(audit.diagnosis, plants[at].said), "%s, %zu: %s", plants[at].what,
                           i % 4, audit.diagnosis);
        ev_audit_free(&right);
        ev_audit_free(&audit);
        discard(&g);
    }
}

/* One part in a thousand too large, the other sign, or nothing, or one number wrong.  One factor in all
 * that a part reaches is an error of that part: the codes', and there the term's name is given. */
Test(vqvae_gradient, an_error_in_a_single_block_is_caught_and_the_block_named)
{
    for (int how = 0; how < 4; how++) {
        given g = give(how % 2 == 0 ? EV_LIKELIHOOD_BERNOULLI : EV_LIKELIHOOD_GAUSSIAN,
                       EV_CODEBOOK_GRADIENT);
        const ev_layout *layout = &g.s.model.layout;
        for (size_t i = 0; i < layout->count; i++) {
            const ev_block *block = &layout->block[i];
            float *at = g.total + block->offset, whole[512];
            const size_t n = ev_block_size(block);
            cr_assert(n <= 512);
            memcpy(whole, at, n * sizeof *whole);
            for (size_t k = 0; k < n; k++)
                at[k] *= how == 0 ? 1.001F : how == 1 ? -1.0F : how == 2 ? 0.0F : 1.0F;
            at[n / 2] += how == 3 ? 0.05F : 0.0F;
            ev_audit audit = take(&g);
            cr_expect_not(ev_audit_passed(&audit), "%s, %d", block->name, how);
            const char *named = begins(block->name, "codebook") && how < 3 ? "gradient of codebook"
                                                                           : block->name;
            cr_expect_not_null(strstr(audit.failed, named), "%s, %d: %s", block->name, how,
                               audit.failed);
            memcpy(at, whole, n * sizeof *whole);
            ev_audit_free(&audit);
        }
        discard(&g);
    }
}

/* --- Sides ------------------------------------------------------------------------------------- */

/* Another ReLU than the network's: the float pass has a unit off that is on. */
Test(vqvae_gradient, units_on_another_side_than_rounding_explains_are_counted)
{
    given g = give(EV_LIKELIHOOD_BERNOULLI, EV_CODEBOOK_GRADIENT);
    float *unit = g.s.w.encoder.out[1];
    while (*unit < 0.1F)
        unit++;
    *unit = 0;
    ev_audit audit = take(&g);
    cr_expect_str_eq(audit.failed, "activations");
    cr_expect_float_eq(vqvae_setting_row(&audit, "activations")->value, 1, 0);
    ev_audit_free(&audit);
    discard(&g);
}

/* A bias is moved until a unit's sum is within rounding of 0: now and then float and double are on two
 * sides, and each time the gradient is that of the float's. */
Test(vqvae_gradient, a_unit_within_rounding_of_its_kink_is_taken_as_the_float_pass_has_it)
{
    size_t kinks = 0;
    for (size_t i = 0; i < 60; i++) {
        setting s = vqvae_setting_create(EV_LIKELIHOOD_BERNOULLI, EV_CODEBOOK_GRADIENT, 1);
        const size_t channels = 6, unit = i * 7 % (4 * channels);
        float *bias = s.parameters + ev_layout_find(&s.model.layout, "encoder.1.bias")->offset +
                      unit % channels;
        *bias -= s.w.encoder.out[1][unit];
        s.loss = ev_vqvae_forward(&s.model, s.parameters, SETTING_BATCH, s.x, &s.w);
        *bias -= 2 * s.w.encoder.out[1][unit]; /* what is left, doubled: to the other side of 0 */
        s.loss = ev_vqvae_forward(&s.model, s.parameters, SETTING_BATCH, s.x, &s.w);
        ev_audit audit = vqvae_setting_audit(&s);
        cr_expect(ev_audit_passed(&audit), "%zu: %s", i, audit.diagnosis);
        kinks += audit.kinks;
        ev_audit_free(&audit);
        vqvae_setting_destroy(&s);
    }
    cr_expect_gt(kinks, 0);
}
