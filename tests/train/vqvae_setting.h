/* A VQ-VAE with no two sizes alike, after a forward pass, as the tests of its audit want it. */
#ifndef EV_TESTS_TRAIN_VQVAE_SETTING_H
#define EV_TESTS_TRAIN_VQVAE_SETTING_H

#include "models/vqvae.h"
#include "train/audit.h"

enum { SETTING_BATCH = 5, SETTING_SIDE = 8, SETTING_PIXELS = SETTING_SIDE * SETTING_SIDE };

typedef struct {
    ev_vqvae model;
    ev_vqvae_workspace w;
    ev_codebook_average average;
    float *parameters, *gradient, *x;
    ev_vqvae_loss loss;
} vqvae_setting;

vqvae_setting vqvae_setting_create(ev_likelihood_kind likelihood, ev_codebook_kind codebook,
                                   size_t blocks);
/* Of any configuration and seed; SETTING_BATCH images. */
vqvae_setting vqvae_setting_of(const ev_vqvae_config *config, uint64_t seed);
void vqvae_setting_destroy(vqvae_setting *s);

/* The whole audit; the row of that name, which must be there. */
ev_audit vqvae_setting_audit(vqvae_setting *s);
const ev_audit_row *vqvae_setting_row(const ev_audit *audit, const char *name);

#endif
