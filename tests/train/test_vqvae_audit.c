/* The VQ-VAE's audit: its reference against another one, and errors in each term, which it must name. */
#include "models/vqvae_oracle.h"
#include "train/vqvae_reference.h"
#include "train/vqvae_setting.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { B = SETTING_BATCH, D = SETTING_PIXELS };

typedef vqvae_setting setting;

/* Two networks in double by loops of their own, and the oracle chooses its codes itself.  Sums of at
 * most some hundred numbers of order 1 in double are right to 1e-13 of them. */
Test(vqvae_audit, the_reference_agrees_with_another_by_loops_over_the_definition)
{
    for (int kind = 0; kind < 8; kind++) {
        setting s = vqvae_setting_create(kind % 2 == 0 ? EV_LIKELIHOOD_BERNOULLI
                                                       : EV_LIKELIHOOD_GAUSSIAN,
                                         EV_CODEBOOK_AVERAGE, (size_t)kind / 2 % 3);
        double *p = calloc(s.model.layout.size, sizeof *p);
        ev_vqvae_reference r;
        ev_vqvae_loss mean = {{0}};
        static oracle_stops stops;
        for (size_t i = 0; i < s.model.layout.size; i++)
            p[i] = (double)s.parameters[i];
        for (size_t b = 0; b < B; b++) {
            oracle_stop_at(&s.model, p, s.x + b * D, &stops);
            ev_vqvae_loss one = oracle_terms(&s.model, p, s.x + b * D, &stops);
            for (size_t t = 0; t < EV_VQ_TERMS; t++)
                mean.term[t] += one.term[t] / B;
        }
        cr_assert_eq(ev_vqvae_reference_run(&s.model, s.parameters, B, s.x, s.w.index, 3, &r, NULL),
                     EV_OK);
        for (size_t t = 0; t < EV_VQ_TERMS; t++)
            cr_expect_float_eq(r.mean.term[t], mean.term[t], 1e-12 * (1 + fabs(mean.term[t])),
                               "%s: %.17g, %.17g", ev_vqvae_term_names[t], r.mean.term[t],
                               mean.term[t]);
        free(p);
        vqvae_setting_destroy(&s);
    }
}

/* The bound of a term must not hide what matters: a thousandth of the term, and more. */
Test(vqvae_audit, a_right_pass_holds_within_bounds_that_are_small)
{
    for (int kind = 0; kind < 4; kind++) {
        setting s = vqvae_setting_create(kind % 2 == 0 ? EV_LIKELIHOOD_BERNOULLI
                                                       : EV_LIKELIHOOD_GAUSSIAN,
                                         kind < 2 ? EV_CODEBOOK_AVERAGE : EV_CODEBOOK_GRADIENT, 1);
        ev_audit audit = vqvae_setting_audit(&s);
        cr_expect(ev_audit_passed(&audit), "%s", audit.diagnosis);
        cr_expect_eq(ev_audit_tally(&audit, EV_HOLDS), audit.count);
        /* By gradient there is no average; by average no gradient of the codes, so no direction of
         * its own.  20 directions and three terms, and whether activations agree. */
        cr_expect_eq(audit.count, (kind < 2 ? 14 - 1 : 13) + 1 + 2 * s.model.layout.count + 20 + 3);
        for (size_t t = 0; t < EV_VQ_TERMS; t++) {
            const ev_audit_row *row = vqvae_setting_row(&audit, ev_vqvae_term_names[t]);
            cr_expect_lt(row->error, 1e-3 * fabs(row->reference), "%s: %g of %g", row->name,
                         row->error, row->reference);
        }
        ev_audit_free(&audit);
        vqvae_setting_destroy(&s);
    }
}

/* --- Planted errors ---------------------------------------------------------------------------- */

/* What a pass with the error would have reported; the arrays are those of the right one. */
static double pixels(const setting *s, double half, double constant)
{
    double sum = 0;
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < D; i++) {
            const double off = (double)s->x[b * D + i] - (double)s->w.out[2 * b * D + i];
            const double log_var = (double)s->w.out[(2 * b + 1) * D + i];
            sum += 0.5 * (constant + log_var) + half * off * off * exp(-log_var);
        }
    return sum / B;
}
static const double LOG_2PI = 1.8378770664093454836;

static void mean_over_pixels(setting *s) { s->loss.term[EV_VQ_RECONSTRUCTION] /= D; }
static void square_without_half(setting *s)
{
    s->loss.term[EV_VQ_RECONSTRUCTION] = pixels(s, 1, LOG_2PI);
}
static void without_constant(setting *s) { s->loss.term[EV_VQ_RECONSTRUCTION] = pixels(s, 0.5, 0); }
static void sign(setting *s) { s->loss.term[EV_VQ_RECONSTRUCTION] *= -1; }
/* The decoder sees z itself, and the codes are of no use. */
static void unquantised(setting *s)
{
    const size_t n = B * s->model.N * s->model.config.J;
    float *z_q = malloc(n * sizeof *z_q);
    memcpy(z_q, s->w.z_q, n * sizeof *z_q);
    memcpy(s->w.z_q, s->w.z, n * sizeof *z_q);
    ev_vqvae_decode(&s->model, s->parameters, B, &s->w);
    s->loss.term[EV_VQ_RECONSTRUCTION] = 0;
    for (size_t b = 0; b < B; b++)
        s->loss.term[EV_VQ_RECONSTRUCTION] -= (double)ev_likelihood_forward(
                                                  s->model.config.likelihood, D, s->x + b * D,
                                                  s->w.out + b * s->model.E) /
                                              B;
    memcpy(s->w.z_q, z_q, n * sizeof *z_q);
    free(z_q);
}
static void codebook_mean(setting *s)
{
    s->loss.term[EV_VQ_CODEBOOK] /= (double)(s->model.N * s->model.config.J);
}
static void codebook_half(setting *s) { s->loss.term[EV_VQ_CODEBOOK] /= 2; }
static void without_beta(setting *s) { s->loss.term[EV_VQ_COMMITMENT] /= s->model.config.beta; }
static void commitment_batch_sum(setting *s) { s->loss.term[EV_VQ_COMMITMENT] *= B; }
static void beta_on_the_codebook(setting *s)
{
    s->loss.term[EV_VQ_CODEBOOK] *= s->model.config.beta;
    s->loss.term[EV_VQ_COMMITMENT] /= s->model.config.beta;
}
static void hair(setting *s) { s->loss.term[EV_VQ_COMMITMENT] *= 1.002; }
static void stale_code(setting *s) { s->w.z_q[11] += 1e-6F; }
static void not_a_number(setting *s) { s->loss.term[EV_VQ_CODEBOOK] = (double)NAN; }

static const struct {
    const char *what, *named, *too; /* refuted first, and beside it */
    void (*plant)(setting *s);
    bool gaussian;
} plants[] = {{"the mean over pixels (keras#3383)", "reconstruction", "bound", mean_over_pixels, 0},
              {"the squared error without its half (VaDE)", "reconstruction", "loss",
               square_without_half, true},
              {"no log 2 pi (VaDE)", "reconstruction", "bound", without_constant, true},
              {"the log likelihood for minus it", "reconstruction", "loss", sign, false},
              {"the decoder at z", "reconstruction", "bound", unquantised, false},
              {"the mean over places and dimensions", "codebook", "codebook", codebook_mean, false},
              {"half the square", "codebook", "codebook", codebook_half, true},
              {"no beta", "commitment", "loss", without_beta, false},
              {"the sum over the batch", "commitment", "commitment", commitment_batch_sum, true},
              {"beta on the codebook term (taming-transformers#57)", "codebook", "commitment",
               beta_on_the_codebook, false},
              {"two thousandths", "commitment", "commitment", hair, false},
              {"a z_q that is no code", "quantised", "quantised", stale_code, false},
              {"a NaN", "codebook", "codebook", not_a_number, false}};

Test(vqvae_audit, an_error_planted_in_a_term_is_named)
{
    for (size_t i = 0; i < sizeof plants / sizeof *plants; i++) {
        setting s = vqvae_setting_create(plants[i].gaussian ? EV_LIKELIHOOD_GAUSSIAN
                                                            : EV_LIKELIHOOD_BERNOULLI,
                                         EV_CODEBOOK_AVERAGE, 1);
        plants[i].plant(&s);
        ev_audit audit = vqvae_setting_audit(&s);
        cr_expect_str_eq(audit.failed, plants[i].named, "%s: '%s'", plants[i].what, audit.failed);
        cr_expect_eq(vqvae_setting_row(&audit, plants[i].too)->verdict, EV_REFUTED, "%s: %s",
                     plants[i].what, plants[i].too);
        for (size_t t = 0; t < EV_VQ_TERMS; t++) { /* the terms that are right are not accused */
            const ev_audit_row *row = vqvae_setting_row(&audit, ev_vqvae_term_names[t]);
            const bool wrong = strcmp(row->name, plants[i].named) == 0 ||
                               strcmp(row->name, plants[i].too) == 0;
            cr_expect_eq(row->verdict, wrong ? EV_REFUTED : EV_HOLDS, "%s: %s", plants[i].what,
                         row->name);
        }
        ev_audit_free(&audit);
        vqvae_setting_destroy(&s);
    }
}

/* The total is of the terms that are minimised by gradient: of the codebook's only where codes move so. */
Test(vqvae_audit, the_loss_has_the_codebook_term_only_where_it_is_minimised)
{
    for (int kind = 0; kind < 2; kind++) {
        setting s = vqvae_setting_create(EV_LIKELIHOOD_BERNOULLI,
                                         kind == 0 ? EV_CODEBOOK_AVERAGE : EV_CODEBOOK_GRADIENT, 1);
        codebook_half(&s);
        ev_audit audit = vqvae_setting_audit(&s);
        cr_expect_eq(vqvae_setting_row(&audit, "codebook")->verdict, EV_REFUTED);
        cr_expect_eq(vqvae_setting_row(&audit, "loss")->verdict, kind == 0 ? EV_HOLDS : EV_REFUTED);
        ev_audit_free(&audit);
        vqvae_setting_destroy(&s);
    }
}
