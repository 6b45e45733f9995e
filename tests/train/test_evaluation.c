#include "train/evaluation.h"

#include "nn/buffer.h"
#include "synthetic_images.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A model whose encoder is made by hand: mu = the three bumps' heights, and a prior whose clusters
 * stand where images of one kind are. */
enum { K = 3, J = 3 };

static const ev_gmvae_config HAND = {
    .D = SYNTHETIC_PIXELS, .J = J, .K = K, .layers = 1, .hidden = {J}, .samples = 1};

static float *hand_made(ev_gmvae *model)
{
    cr_assert_eq(ev_gmvae_create(model, &HAND, NULL), EV_OK);
    float *p = ev_buffer_create(model->layout.size);
    for (size_t k = 0; k < K; k++) {
        p[model->encoder.weight[0] + k * SYNTHETIC_PIXELS + 2 + 4 * k] = 1.0F;
        p[model->encoder.weight[1] + k * J + k] = 4.0F;
        p[model->encoder.bias[1] + J + k] = -4.0F;
        p[model->prior_mu + k * J + k] = 2.4F;
        p[model->prior_log_var + k * J + k] = -0.5F;
    }
    return p;
}

static ev_evaluation evaluate(const ev_gmvae *model, const float *p, const uint8_t *labels,
                              size_t batch)
{
    const ev_evaluation_options options = {.batch = batch, .log_px_images = 25, .seed = 1};
    ev_evaluation e;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_evaluation_run(model, p, &SYNTHETIC_IMAGES, labels, labels == NULL ? 0 : 3,
                                   &options, &e, &error),
                 EV_OK, "%s", error.message);
    return e;
}

Test(evaluation, clusters_that_are_the_kinds_of_images_score_one)
{
    ev_gmvae model;
    float *p = hand_made(&model);
    uint8_t labels[SYNTHETIC_COUNT];
    for (size_t i = 0; i < SYNTHETIC_COUNT; i++)
        labels[i] = (uint8_t)((i + 1) % 3); /* named otherwise than the clusters */
    ev_evaluation e = evaluate(&model, p, labels, 16);
    cr_assert_eq(e.clustering.accuracy, 1.0);
    cr_assert_eq(e.occupancy[0], 20);
    cr_assert_eq(e.match[0], 1);
    cr_assert_not(ev_evaluation_collapsed(&e));
    cr_assert_lt(e.gamma_entropy, 0.5);
    ev_evaluation_destroy(&e);
    free(p);
}

Test(evaluation, a_model_with_one_cluster_in_use_is_called_collapsed)
{
    ev_gmvae model;
    float *p = hand_made(&model);
    p[model.prior_logits] = 200.0F;
    ev_evaluation e = evaluate(&model, p, NULL, 16);
    cr_assert(ev_evaluation_collapsed(&e));
    cr_assert_eq(e.occupancy[0], SYNTHETIC_COUNT);
    cr_assert_eq(e.clustering.occupied, 1);
    cr_assert_not(e.labelled);
    ev_evaluation_destroy(&e);
    free(p);
}

/* What importance sampling says of an image does not depend on its batch; nor do clusters. */
Test(evaluation, the_size_of_batches_does_not_matter)
{
    ev_gmvae model;
    float *p = hand_made(&model);
    ev_evaluation a = evaluate(&model, p, NULL, 7), b = evaluate(&model, p, NULL, 60);
    cr_assert_eq(memcmp(a.cluster, b.cluster, SYNTHETIC_COUNT * sizeof *a.cluster), 0);
    cr_assert_eq(a.log_px_images, 25);
    for (size_t i = 0; i < EV_EVALUATION_SIZES; i++)
        cr_assert_float_eq(a.log_px[i], b.log_px[i], 1e-4); /* sgemm rounds by the batch's size */
    cr_assert_lt(a.log_px[0], a.log_px[2]);
    cr_assert_gt(a.log_px_error[2], 0.0);
    ev_evaluation_destroy(&a);
    ev_evaluation_destroy(&b);
    free(p);
}

/* Labels are not read by anything but the scores. */
Test(evaluation, labels_change_nothing_but_the_scores)
{
    ev_gmvae model;
    float *p = hand_made(&model);
    uint8_t labels[SYNTHETIC_COUNT] = {0};
    ev_evaluation a = evaluate(&model, p, labels, 16), b = evaluate(&model, p, NULL, 16);
    cr_assert_eq(memcmp(&a.elbo, &b.elbo, sizeof a.elbo), 0);
    cr_assert_eq(memcmp(a.log_px, b.log_px, sizeof a.log_px), 0);
    cr_assert_eq(memcmp(a.cluster, b.cluster, SYNTHETIC_COUNT * sizeof *a.cluster), 0);
    ev_evaluation_destroy(&a);
    ev_evaluation_destroy(&b);
    free(p);
}
