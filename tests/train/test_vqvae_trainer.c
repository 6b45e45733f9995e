/* The VQ-VAE's trainer: that a run taken up again goes on to the bit, that the audit holds and what it
 * notices, and how a run ends that can't go on. */
#include "nn/buffer.h"
#include "scratch.h"
#include "train/vqvae_audit_step.h"
#include "train/vqvae_checkpoint.h"

#include <math.h>

TestSuite(vqvae_trainer, .init = scratch_setup, .fini = scratch_teardown);

enum { COUNT = 44, SIDE = 8, PIXELS = SIDE * SIDE };

/* Blobs at four places, of many heights; *context, where there is one, is an image that is not finite. */
static void in_order(void *context, size_t first, size_t n, float *x)
{
    for (size_t i = 0; i < n * PIXELS; i++) {
        size_t image = first + i / PIXELS, row = i % PIXELS / SIDE, column = i % SIDE;
        double down = (double)row - (image % 2 == 0 ? 2 : 5);
        double across = (double)column - (image / 2 % 2 == 0 ? 2 : 5);
        x[i] = (float)((0.7 + 0.3 * sin(1.3 * (double)image)) *
                       exp(-0.4 * (down * down + across * across)));
        if (context != NULL && *(const size_t *)context == image)
            x[i] = NAN;
    }
}

static void shuffled(void *context, uint64_t epoch, size_t first, size_t n, float *x)
{
    for (size_t i = 0; i < n; i++)
        in_order(context, (first + i + 7 * (size_t)epoch) % COUNT, 1, x + i * PIXELS);
}

static const ev_image_source IMAGES = {
    .count = COUNT, .pixels = PIXELS, .shuffled = shuffled, .in_order = in_order};

static ev_vqvae_train_config config_of(ev_codebook_kind kind)
{
    return (ev_vqvae_train_config){.model = {.height = SIDE,
                                             .width = SIDE,
                                             .channels = 1,
                                             .hidden = 4,
                                             .inner = 3,
                                             .blocks = 1,
                                             .J = 3,
                                             .K = 6,
                                             .likelihood = EV_LIKELIHOOD_BERNOULLI,
                                             .codebook = kind,
                                             .beta = 0.25,
                                             .decay = 0.9,
                                             .epsilon = 1e-5,
                                             .revive = 0.05},
                                   .prior = {.embedding = 4, .hidden = 6, .inner = 4, .blocks = 1},
                                   .seed = 3,
                                   .batch = 8,
                                   .epochs = 12,
                                   .prior_epochs = 8,
                                   .rate = 5e-3,
                                   .prior_rate = 1e-2,
                                   .adam = EV_ADAM_DEFAULT,
                                   .start_iterations = 5,
                                   .threads = 2};
}

static void create(ev_vqvae_trainer *t, const ev_vqvae_train_config *config,
                   const ev_image_source *images)
{
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_vqvae_trainer_create(t, config, images, &error), EV_OK, "%s", error.message);
}

static void begin(ev_vqvae_trainer *t, const ev_vqvae_train_config *config)
{
    ev_error error = EV_ERROR_NONE;
    create(t, config, &IMAGES);
    cr_assert_eq(ev_vqvae_trainer_start(t, &error), EV_OK, "%s", error.message);
}

static void run_to(ev_vqvae_trainer *t, uint64_t step)
{
    ev_error error = EV_ERROR_NONE;
    while (t->step < step) {
        if (t->step > 0 && ev_vqvae_trainer_epoch_step(t) == 0)
            ev_vqvae_trainer_end_epoch(t);
        cr_assert_eq(ev_vqvae_trainer_step(t, &error), EV_OK, "%s", error.message);
    }
}

static bool same_weights(const ev_vqvae_weights *a, const ev_vqvae_weights *b)
{
    size_t bytes = a->size * sizeof(float);
    return a->size == b->size && memcmp(a->parameters, b->parameters, bytes) == 0 &&
           memcmp(a->m, b->m, bytes) == 0 && memcmp(a->v, b->v, bytes) == 0;
}

static bool same_state(const ev_vqvae_trainer *a, const ev_vqvae_trainer *b)
{
    const size_t K = a->config.model.K, J = a->config.model.J;
    return a->step == b->step && a->average.steps == b->average.steps &&
           same_weights(&a->autoencoder, &b->autoencoder) &&
           same_weights(&a->over_codes, &b->over_codes) &&
           memcmp(a->average.counts, b->average.counts, K * sizeof(float)) == 0 &&
           memcmp(a->average.sums, b->average.sums, K * J * sizeof(float)) == 0 &&
           memcmp(a->used, b->used, K * sizeof(double)) == 0 &&
           memcmp(a->sums, b->sums, sizeof a->sums) == 0 && fabs(a->revived - b->revived) <= 0;
}

/* 44 images in batches of 8: 5 steps an epoch, 60 of the autoencoder, 40 of the prior. */
Test(vqvae_trainer, a_run_taken_up_again_goes_on_to_the_bit)
{
    static const uint64_t stops[] = {0, 3, 25, 58, 60, 61, 83};
    for (size_t kind = 0; kind < 2; kind++) {
        const ev_vqvae_train_config config = config_of((ev_codebook_kind)kind);
        ev_error error = EV_ERROR_NONE;
        ev_vqvae_trainer whole, first, second;
        begin(&whole, &config);
        cr_assert_eq(whole.total, 100u);
        run_to(&whole, whole.total);
        for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
            begin(&first, &config);
            run_to(&first, stops[i]);
            cr_assert_eq(ev_vqvae_checkpoint_write("c.safetensors", &first, &error), EV_OK);
            create(&second, &config, &IMAGES);
            cr_assert_eq(ev_vqvae_checkpoint_read("c.safetensors", &second, &error), EV_OK, "%s",
                         error.message);
            cr_expect(same_state(&first, &second));
            run_to(&second, second.total);
            cr_expect(same_state(&whole, &second), "stopped after %zu", (size_t)stops[i]);
            ev_vqvae_trainer_destroy(&first);
            ev_vqvae_trainer_destroy(&second);
        }
        ev_vqvae_trainer_destroy(&whole);
    }
}

Test(vqvae_trainer, training_lowers_the_loss_and_the_prior_beats_the_uniform_one)
{
    const ev_vqvae_train_config config = config_of(EV_CODEBOOK_AVERAGE);
    ev_vqvae_trainer t;
    begin(&t, &config);
    run_to(&t, 5);
    double first = t.sums[EV_VQ_RECONSTRUCTION];
    run_to(&t, 60);
    cr_expect_lt(t.sums[EV_VQ_RECONSTRUCTION], 0.9 * first);
    run_to(&t, t.total);
    cr_expect_lt(t.sums[0] / 5, 0.9 * 4 * log(6), "%g nats", t.sums[0] / 5);
    ev_vqvae_trainer_destroy(&t);
}

Test(vqvae_trainer, the_audit_holds_in_every_epoch_and_leaves_the_state_alone)
{
    for (size_t kind = 0; kind < 2; kind++) {
        const ev_vqvae_train_config config = config_of((ev_codebook_kind)kind);
        ev_vqvae_trainer audited, plain;
        ev_error error = EV_ERROR_NONE;
        begin(&audited, &config);
        begin(&plain, &config);
        for (uint64_t step = 0; step < 60; step += 5) {
            ev_audit audit;
            cr_assert_eq(ev_vqvae_audit_step(&audited, &audit, &error), EV_OK);
            cr_expect(ev_audit_passed(&audit), "%s", audit.diagnosis);
            cr_expect_eq(ev_audit_tally(&audit, EV_HOLDS), audit.count);
            ev_audit_free(&audit);
            run_to(&audited, step + 5);
            run_to(&plain, step + 5);
        }
        cr_expect(same_state(&audited, &plain));
        ev_vqvae_trainer_destroy(&audited);
        ev_vqvae_trainer_destroy(&plain);
    }
}

/* A NaN among the codes: the first that it touches is named. */
Test(vqvae_trainer, what_the_audit_refutes_is_named)
{
    const ev_vqvae_train_config config = config_of(EV_CODEBOOK_AVERAGE);
    ev_audit audit;
    ev_error error = EV_ERROR_NONE;
    ev_vqvae_trainer t;
    begin(&t, &config);
    run_to(&t, 5);
    t.autoencoder.parameters[t.model.codebook] = NAN;
    cr_assert_eq(ev_vqvae_audit_step(&t, &audit, &error), EV_OK);
    cr_expect_not(ev_audit_passed(&audit));
    cr_expect_str_eq(audit.failed, "nearest");
    cr_expect_not_null(strstr(audit.diagnosis, "claim vq-one-hot"), "%s", audit.diagnosis);
    ev_audit_free(&audit);
    ev_vqvae_trainer_destroy(&t);
}

Test(vqvae_trainer, an_image_that_is_not_finite_stops_the_run_before_anything_is_changed)
{
    const ev_vqvae_train_config config = config_of(EV_CODEBOOK_AVERAGE);
    size_t bad = 21; /* in the third batch of the first epoch */
    ev_image_source images = IMAGES;
    ev_vqvae_trainer t, clean;
    ev_error error = EV_ERROR_NONE;
    images.context = &bad;
    create(&t, &config, &images);
    create(&clean, &config, &IMAGES);
    run_to(&t, 2);
    run_to(&clean, 2);
    cr_expect_eq(ev_vqvae_trainer_step(&t, &error), EV_UNFIT);
    cr_expect_not_null(strstr(error.message, "step 3: the reconstruction term is not finite"), "%s",
                       error.message);
    cr_expect(same_state(&t, &clean));
    ev_vqvae_trainer_destroy(&t);
    ev_vqvae_trainer_destroy(&clean);
}

/* --- Checkpoints that are not this run's -------------------------------------------------------*/

static void refused(const ev_vqvae_train_config *config, const char *path, const char *word)
{
    ev_vqvae_trainer t;
    ev_error error = EV_ERROR_NONE;
    create(&t, config, &IMAGES);
    cr_expect_eq(ev_vqvae_checkpoint_read(path, &t, &error), EV_BAD_INPUT, "%s", word);
    cr_expect_not_null(strstr(error.message, word), "%s in: %s", word, error.message);
    ev_vqvae_trainer_destroy(&t);
}

Test(vqvae_trainer, a_checkpoint_of_another_run_or_a_damaged_one_is_refused)
{
    const ev_vqvae_train_config config = config_of(EV_CODEBOOK_AVERAGE);
    ev_vqvae_train_config other = config;
    ev_error error = EV_ERROR_NONE;
    ev_vqvae_trainer t;
    begin(&t, &config);
    run_to(&t, 70);
    cr_assert_eq(ev_vqvae_checkpoint_write("c.safetensors", &t, &error), EV_OK);
    other.seed = 4;
    refused(&other, "c.safetensors", "seed 3");
    other = config, other.model.K = 7;
    refused(&other, "c.safetensors", "codebook");
    other = config, other.epochs = 2;
    refused(&other, "c.safetensors", "step 70");
    other = config, other.prior.blocks = 2;
    refused(&other, "c.safetensors", "prior.net.");
    t.over_codes.parameters[t.prior.embedding] = NAN;
    cr_assert_eq(ev_vqvae_checkpoint_write("nan.safetensors", &t, &error), EV_OK);
    refused(&config, "nan.safetensors", "prior.embedding");
    cr_assert_eq(truncate("c.safetensors", 1000), 0);
    refused(&config, "c.safetensors", "truncated");
    ev_vqvae_trainer_destroy(&t);
}

Test(vqvae_trainer, absurd_configurations_are_refused_by_name)
{
    ev_vqvae_train_config bad[6];
    static const char *const words[6] = {"batch", "batch", "epochs", "rates", "pixels", "codes"};
    for (size_t i = 0; i < 6; i++)
        bad[i] = config_of(EV_CODEBOOK_AVERAGE);
    bad[0].batch = 0, bad[1].batch = 45, bad[2].epochs = 0, bad[3].rate = -1;
    bad[4].model.height = 12, bad[5].model.K = 0;
    for (size_t i = 0; i < 6; i++) {
        ev_vqvae_trainer t;
        ev_error error = EV_ERROR_NONE;
        cr_expect_eq(ev_vqvae_trainer_create(&t, &bad[i], &IMAGES, &error), EV_BAD_INPUT);
        cr_expect_not_null(strstr(error.message, words[i]), "%s in: %s", words[i], error.message);
    }
}
