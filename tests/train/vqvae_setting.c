#include "train/vqvae_setting.h"

#include "nn/buffer.h"
#include "train/vqvae_audit.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { B = SETTING_BATCH };

vqvae_setting vqvae_setting_create(ev_likelihood_kind likelihood, ev_codebook_kind codebook,
                                   size_t blocks)
{
    const ev_vqvae_config config = {.height = SETTING_SIDE,
                                    .width = SETTING_SIDE,
                                    .channels = 1,
                                    .hidden = 6,
                                    .inner = 5,
                                    .blocks = blocks,
                                    .J = 3,
                                    .K = 7,
                                    .likelihood = likelihood,
                                    .codebook = codebook,
                                    .beta = 0.25,
                                    .decay = 0.9,
                                    .epsilon = 1e-5};
    return vqvae_setting_of(&config, 4);
}

vqvae_setting vqvae_setting_of(const ev_vqvae_config *config, uint64_t seed)
{
    const size_t K = config->K, J = config->J;
    vqvae_setting s = {.loss = {{0}}};
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_vqvae_create(&s.model, config, &error), EV_OK, "%s", error.message);
    cr_assert_eq(ev_vqvae_workspace_create(&s.w, &s.model, B, 2, &error), EV_OK);
    s.parameters = ev_buffer_create(s.model.layout.size);
    s.gradient = ev_buffer_create(s.model.layout.size);
    s.average = (ev_codebook_average){0, ev_buffer_create(K), ev_buffer_create(K * J)};
    s.x = ev_buffer_create(B * s.model.D);
    ev_vqvae_initialise(&s.model, seed, s.parameters);
    for (size_t i = 0; i < s.model.layout.size; i++) /* biases and codes of some size */
        s.parameters[i] += 0.1F * (float)sin(1.7 * (double)i);
    for (size_t i = 0; i < B * s.model.D; i++)
        s.x[i] = (float)(0.5 + 0.45 * sin(0.37 * (double)(i * i % 101)));
    s.loss = ev_vqvae_forward(&s.model, s.parameters, B, s.x, &s.w);
    return s;
}

void vqvae_setting_destroy(vqvae_setting *s)
{
    ev_vqvae_workspace_destroy(&s->w);
    free(s->average.counts);
    free(s->average.sums);
    free(s->parameters);
    free(s->gradient);
    free(s->x);
}

ev_audit vqvae_setting_audit(vqvae_setting *s)
{
    ev_audit audit;
    ev_error error = EV_ERROR_NONE;
    const ev_vqvae_audit_subject subject = {&s->model, s->parameters, &s->average, B, s->x,
                                            &s->loss,  &s->w,         s->gradient, 1};
    cr_assert_eq(ev_vqvae_audit_run(&subject, &audit, &error), EV_OK, "%s", error.message);
    return audit;
}

const ev_audit_row *vqvae_setting_row(const ev_audit *audit, const char *name)
{
    for (size_t i = 0; i < audit->count; i++)
        if (strcmp(audit->rows[i].name, name) == 0)
            return &audit->rows[i];
    cr_assert_fail("no row '%s'", name);
    return NULL;
}
