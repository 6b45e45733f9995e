#include "train/checkpoint.h"

#include "data/safetensors.h"
#include "synthetic_images.h"
#include "train/loop.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const ev_train_config SMALL = {
    .model = {.D = SYNTHETIC_PIXELS, .J = 2, .K = 3, .layers = 1, .hidden = {9}, .samples = 1},
    .seed = 3,
    .batch = 10,
    .epochs = 3,
    .autoencoder_epochs = 1,
    .rate = 0.01,
    .autoencoder_rate = 0.005,
    .adam = {0.9, 0.999, 1e-8},
};

static char folder[] = "/tmp/evidence-checkpoint-XXXXXX";
static char path[64], other[64];

static void make_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.safetensors", folder);
    snprintf(other, sizeof other, "%s/b.safetensors", folder);
}

static void remove_folder(void)
{
    unlink(path);
    unlink(other);
    rmdir(folder);
}

static ev_trainer create(const ev_train_config *config)
{
    ev_trainer t;
    cr_assert_eq(ev_trainer_create(&t, config, &SYNTHETIC_IMAGES, NULL), EV_OK);
    return t;
}

static bool stop_at(void *context) { return --*(int *)context == 0; }

static void run(ev_trainer *t, int steps)
{
    bool complete;
    const ev_loop_hooks hooks = {.context = &steps, .stop = stop_at};
    cr_assert_eq(ev_loop_run(t, &hooks, &complete, NULL), EV_OK);
}

static size_t bytes_of(const char *name, char **bytes)
{
    FILE *file = fopen(name, "rb");
    cr_assert_not_null(file);
    fseek(file, 0, SEEK_END);
    size_t n = (size_t)ftell(file);
    rewind(file);
    *bytes = malloc(n);
    cr_assert_eq(fread(*bytes, 1, n, file), n);
    fclose(file);
    return n;
}

static void save(const char *name, const ev_trainer *t)
{
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_checkpoint_write(name, t, &error), EV_OK, "%s", error.message);
}

Test(checkpoint, a_run_taken_up_from_its_file_ends_on_the_same_bytes, .init = make_folder,
     .fini = remove_folder)
{
    ev_trainer whole = create(&SMALL);
    run(&whole, 1000);
    save(path, &whole);
    for (int at = 1; at < 24; at += 4) {
        ev_trainer first = create(&SMALL), second = create(&SMALL);
        char *a, *b;
        ev_error error = EV_ERROR_NONE;
        run(&first, at);
        save(other, &first);
        cr_assert_eq(ev_checkpoint_read(other, &second, &error), EV_OK, "%s", error.message);
        run(&second, 1000);
        save(other, &second);
        const size_t n = bytes_of(path, &a), m = bytes_of(other, &b);
        cr_assert(n == m && memcmp(a, b, n) == 0, "stopped after step %d", at);
        free(a);
        free(b);
        ev_trainer_destroy(&first);
        ev_trainer_destroy(&second);
    }
    ev_trainer_destroy(&whole);
}

static ev_status give_clusters(void *context, ev_trainer *t, ev_error *error)
{
    (void)context, (void)error;
    for (uint32_t i = 0; i < SYNTHETIC_COUNT; i++)
        t->cluster[i] = i % 3;
    return EV_OK;
}

static void run_held(ev_trainer *t, int steps)
{
    bool complete;
    const ev_loop_hooks hooks = {
        .context = &steps, .seek_clusters = give_clusters, .stop = stop_at};
    cr_assert_eq(ev_loop_run(t, &hooks, &complete, NULL), EV_OK);
}

Test(checkpoint, held_clusters_are_carried_and_one_that_is_none_is_refused, .init = make_folder,
     .fini = remove_folder)
{
    ev_train_config config = SMALL;
    config.layer_epochs = config.autoencoder_epochs = 0;
    config.held_epochs = 2;
    config.restarts = 1;
    ev_trainer whole = create(&config), first = create(&config), second = create(&config);
    ev_error error = EV_ERROR_NONE;
    run_held(&whole, 1000);
    run_held(&first, 5);
    save(other, &first);
    cr_assert_eq(ev_checkpoint_read(other, &second, &error), EV_OK, "%s", error.message);
    cr_assert_eq(memcmp(second.cluster, first.cluster, SYNTHETIC_COUNT * sizeof *first.cluster), 0);
    run(&second, 1000); /* nobody gives clusters any more */
    cr_assert_eq(memcmp(whole.parameters, second.parameters,
                        whole.model.layout.size * sizeof *whole.parameters),
                 0);
    first.cluster[17] = 3;
    save(other, &first);
    cr_assert_eq(ev_checkpoint_read(other, &second, &error), EV_BAD_INPUT);
    cr_assert_not_null(strstr(error.message, "image 17 is of cluster 3"), "%s", error.message);
    ev_trainer_destroy(&whole);
    ev_trainer_destroy(&first);
    ev_trainer_destroy(&second);
}

/* The file of `t` must be refused by a trainer of this configuration, which stays as it was. */
static void assert_refused(const ev_trainer *t, const ev_train_config *config, const char *word)
{
    ev_trainer reader = create(config);
    ev_error error = EV_ERROR_NONE;
    float before = reader.parameters[3];
    save(path, t);
    cr_assert_eq(ev_checkpoint_read(path, &reader, &error), EV_BAD_INPUT);
    cr_assert_not_null(strstr(error.message, word), "%s", error.message);
    cr_assert_eq(reader.step, 0);
    cr_assert_eq(reader.parameters[3], before);
    ev_trainer_destroy(&reader);
}

Test(checkpoint, files_of_other_models_other_seeds_and_with_nan_are_refused, .init = make_folder,
     .fini = remove_folder)
{
    ev_trainer t = create(&SMALL);
    ev_train_config wider = SMALL, vae = SMALL, seed = SMALL, shorter = SMALL;
    run(&t, 20);
    wider.model.hidden[0] = 10;
    assert_refused(&t, &wider, "encoder.0.weight");
    seed.seed = 4;
    assert_refused(&t, &seed, "seed");
    shorter.epochs = 1;
    assert_refused(&t, &shorter, "step");
    vae.model.K = 1;
    vae.model.prior = EV_PRIOR_STANDARD;
    ev_trainer plain = create(&vae);
    assert_refused(&plain, &SMALL, "prior.logits");
    t.v[t.model.prior_mu] = NAN;
    assert_refused(&t, &SMALL, "adam.v.prior.mu");
    ev_trainer_destroy(&t);
    ev_trainer_destroy(&plain);
}

Test(checkpoint, parameters_alone_can_be_read, .init = make_folder, .fini = remove_folder)
{
    ev_trainer t = create(&SMALL), u = create(&SMALL);
    uint64_t step = 0;
    run(&t, 7);
    save(path, &t);
    cr_assert_eq(ev_checkpoint_read_parameters(path, &u.model, u.parameters, &step, NULL), EV_OK);
    cr_assert_eq(step, 7);
    cr_assert_eq(memcmp(t.parameters, u.parameters, t.model.layout.size * sizeof(float)), 0);
    ev_trainer_destroy(&t);
    ev_trainer_destroy(&u);
}
