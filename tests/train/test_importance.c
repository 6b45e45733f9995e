#include "train/importance.h"

#include "models/gmvae_oracle.h"
#include "nn/buffer.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { D = 5, B = 6, COUNTS = 3 };

static const size_t SIZES[COUNTS] = {1, 10, 3000};

typedef struct {
    ev_gmvae model;
    ev_gmvae_workspace w;
    float *parameters, x[B * D], noise[B];
    double *exact, scratch[3 * B];
} setting;

static setting create(int posterior, int likelihood)
{
    setting s;
    const ev_gmvae_config config = {.D = D,
                                    .J = 1,
                                    .K = 3,
                                    .layers = 1,
                                    .hidden = {6},
                                    .posterior = (ev_posterior_kind)posterior,
                                    .likelihood = (ev_likelihood_kind)likelihood,
                                    .samples = 1};
    cr_assert_eq(ev_gmvae_create(&s.model, &config, NULL), EV_OK);
    cr_assert_eq(ev_gmvae_workspace_create(&s.w, &s.model, B, NULL), EV_OK);
    cr_assert_eq(ev_importance_scratch(B), 3 * B);
    s.parameters = ev_buffer_create(s.model.layout.size);
    s.exact = calloc(s.model.layout.size, sizeof *s.exact);
    ev_gmvae_initialise(&s.model, 5, s.parameters);
    const float logits[] = {0.3F, -0.4F, 0.1F}, log_var[] = {0.2F, -0.3F, 0.4F};
    memcpy(s.parameters + s.model.prior_logits, logits, sizeof logits);
    memcpy(s.parameters + s.model.prior_log_var, log_var, sizeof log_var);
    for (size_t i = 0; i < s.model.layout.size; i++)
        s.exact[i] = (double)s.parameters[i];
    for (int i = 0; i < B * D; i++)
        s.x[i] = (float)(0.5 + 0.5 * sin(2.1 * i));
    return s;
}

static void destroy(setting *s)
{
    ev_gmvae_workspace_destroy(&s->w);
    free(s->parameters);
    free(s->exact);
}

static void estimate(setting *s, uint64_t seed, size_t first, double *log_px)
{
    ev_importance_log_px(&s->model, s->parameters, B, s->x, s->noise, seed, first, COUNTS, SIZES,
                         &s->w, s->scratch, log_px);
}

/* The weights' spread in this setting is below 1.5, so that 3000 draws leave a standard deviation
 * below 0.03; five of them is 1.4e-6 of a chance for each of the 24 images. */
Test(importance, many_draws_find_the_integral_over_z)
{
    for (int variant = 0; variant < 4; variant++) {
        setting s = create(variant & 1, variant >> 1);
        double log_px[B * COUNTS];
        estimate(&s, 11, 0, log_px);
        for (size_t b = 0; b < B; b++)
            cr_assert_float_eq(log_px[b * COUNTS + 2],
                               oracle_log_px(&s.model, s.exact, s.x + b * D), 0.15,
                               "variant %d: %g", variant, log_px[b * COUNTS + 2]);
        destroy(&s);
    }
}

/* The bound rises with the number of draws, in expectation: over many seeds. */
Test(importance, more_draws_are_a_tighter_bound)
{
    setting s = create(0, 0);
    double mean[COUNTS] = {0};
    for (uint64_t seed = 0; seed < 40; seed++) {
        double log_px[B * COUNTS];
        estimate(&s, seed, 0, log_px);
        for (size_t i = 0; i < B * COUNTS; i++)
            mean[i % COUNTS] += log_px[i] / (40.0 * B);
    }
    cr_assert_lt(mean[0], mean[1]);
    cr_assert_lt(mean[1], mean[2]);
    destroy(&s);
}

Test(importance, draws_belong_to_the_image_and_not_to_its_batch)
{
    setting s = create(0, 0);
    double all[B * COUNTS], late[B * COUNTS];
    estimate(&s, 3, 0, all);
    memmove(s.x, s.x + 2 * D, (B - 2) * D * sizeof(float));
    estimate(&s, 3, 2, late);
    for (size_t i = 0; i < (B - 2) * COUNTS; i++)
        cr_assert_float_eq(late[i], all[2 * COUNTS + i], 1e-9);
    destroy(&s);
}
