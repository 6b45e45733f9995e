#include "train/loop.h"

#include "synthetic_images.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static const ev_train_config SMALL = {
    .model = {.D = SYNTHETIC_PIXELS, .J = 2, .K = 3, .layers = 2, .hidden = {9, 8}, .samples = 1},
    .seed = 3,
    .batch = 8,
    .epochs = 3,
    .layer_epochs = 1,
    .autoencoder_epochs = 2,
    .rate = 0.01,
    .autoencoder_rate = 0.005,
    .adam = {0.9, 0.999, 1e-8},
    .corruption = 0.2,
};

static ev_trainer create(const ev_train_config *config)
{
    ev_trainer t;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_trainer_create(&t, config, &SYNTHETIC_IMAGES, &error), EV_OK, "%s",
                 error.message);
    return t;
}

/* What the hooks saw. */
typedef struct {
    size_t epochs, saves, begun;
    uint64_t stop_at, steps;
    ev_epoch_record record[16];
} witness;

static ev_status see_epoch(void *context, const ev_trainer *t, const ev_epoch_record *record,
                           ev_error *error)
{
    witness *seen = context;
    (void)t, (void)error;
    seen->record[seen->epochs++] = *record;
    return EV_OK;
}

static ev_status see_save(void *context, const ev_trainer *t, ev_error *error)
{
    (void)t, (void)error;
    ((witness *)context)->saves++;
    return EV_OK;
}

static ev_status see_begin(void *context, ev_trainer *t, ev_error *error)
{
    (void)error;
    ((witness *)context)->begun++;
    t->parameters[t->model.prior_mu] = 0.25F; /* as a fit would */
    return EV_OK;
}

static bool see_stop(void *context)
{
    witness *seen = context;
    return ++seen->steps == seen->stop_at;
}

static ev_loop_hooks hooks_of(witness *seen)
{
    return (ev_loop_hooks){.context = seen,
                           .seek_clusters = see_begin,
                           .epoch = see_epoch,
                           .save = see_save,
                           .stop = see_stop};
}

static bool run(ev_trainer *t, witness *seen)
{
    bool complete = false;
    ev_error error = EV_ERROR_NONE;
    const ev_loop_hooks hooks = hooks_of(seen);
    cr_assert_eq(ev_loop_run(t, &hooks, &complete, &error), EV_OK, "%s", error.message);
    return complete;
}

Test(loop, phases_follow_each_other_and_every_epoch_is_recorded_and_saved)
{
    ev_trainer t = create(&SMALL);
    witness seen = {0};
    cr_assert(run(&t, &seen));
    static const ev_phase_kind kinds[] = {0, 0, 0, 1, 1, 3, 3, 3}; /* no held phase */
    cr_assert_eq(seen.epochs, 8);
    cr_assert_eq(seen.saves, 8);
    cr_assert_eq(seen.begun, 1);
    cr_assert_eq(t.step, 8 * 7); /* 60 images in batches of 8: 4 are left over */
    for (size_t e = 0; e < 8; e++) {
        cr_assert_eq(seen.record[e].phase->kind, kinds[e]);
        cr_assert_eq(seen.record[e].epoch, e);
    }
    cr_assert_eq(seen.record[2].phase->layer, 2);
    ev_trainer_destroy(&t);
}

/* The hook gives image i the cluster i mod 3. */
static ev_status give_clusters(void *context, ev_trainer *t, ev_error *error)
{
    (void)context, (void)error;
    for (uint32_t i = 0; i < SYNTHETIC_COUNT; i++)
        t->cluster[i] = i % 3;
    return EV_OK;
}

/* The batch's images stand at places that synthetic_images.h gives; gamma must be 1 at their clusters,
 * and the held categorical term is E[log pi_c]: -log 3 before the first update. */
static ev_status see_held(void *context, const ev_trainer *t, const ev_elbo *elbo, ev_error *error)
{
    size_t *held_steps = context;
    const size_t epoch = ev_trainer_epoch(t), at = ev_trainer_epoch_step(t) * 8 + 7 * epoch;
    (void)error;
    if (ev_trainer_phase(t, epoch)->kind != EV_PHASE_HELD)
        return EV_OK;
    for (size_t b = 0; b < 8; b++)
        for (size_t c = 0; c < 3; c++)
            cr_assert_eq(t->w.gamma[b * 3 + c], (at + b) % SYNTHETIC_COUNT % 3 == c ? 1.0F : 0.0F);
    if ((*held_steps)++ == 0)
        cr_assert_float_eq(elbo->term[EV_CATEGORICAL], -log(3.0), 1e-6);
    return EV_OK;
}

Test(loop, in_the_held_phase_each_image_keeps_its_cluster)
{
    ev_train_config config = SMALL;
    config.layer_epochs = 0;
    config.held_epochs = 2;
    config.restarts = 1;
    config.warp = (ev_warp){10, 1, 0.1};
    config.width = 4;
    ev_trainer t = create(&config);
    size_t held_steps = 0;
    bool complete = false;
    const ev_loop_hooks hooks = {
        .context = &held_steps, .seek_clusters = give_clusters, .observe = see_held};
    cr_assert_eq(ev_loop_run(&t, &hooks, &complete, NULL), EV_OK);
    cr_assert_eq(held_steps, 14);
    cr_assert_eq(t.step, 7 * 7);
    ev_trainer_destroy(&t);
}

/* The epochs before which clusters are sought, a bit each. */
static ev_status note_search(void *context, ev_trainer *t, ev_error *error)
{
    unsigned *epochs = context;
    cr_assert_eq(ev_trainer_epoch_step(t), 0);
    *epochs |= 1u << ev_trainer_epoch(t);
    return t->cluster == NULL ? EV_OK : give_clusters(NULL, t, error);
}

Test(loop, clusters_are_found_anew_in_every_round)
{
    static const struct {
        size_t held, epochs, rounds, first;
        unsigned before;
    } cases[] = {{0, 5, 1, 2, 1u << 2},
                 {5, 4, 0, 2, 1u << 2},
                 {5, 4, 1, 2, 1u << 2},
                 {2, 3, 2, 2, 1u << 2 | 1u << 7},
                 {1, 1, 3, 2, 1u << 2 | 1u << 4 | 1u << 6}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ev_train_config config = SMALL; /* two epochs of the autoencoder come first */
        config.layer_epochs = 0;
        config.held_epochs = cases[i].held;
        config.epochs = cases[i].epochs;
        config.rounds = cases[i].rounds;
        config.restarts = 1;
        ev_trainer t = create(&config);
        unsigned epochs = 0;
        bool complete = false;
        const size_t rounds = cases[i].rounds > 0 ? cases[i].rounds : 1;
        const ev_loop_hooks hooks = {.context = &epochs, .seek_clusters = note_search};
        cr_assert_eq(ev_loop_run(&t, &hooks, &complete, NULL), EV_OK);
        cr_expect_eq(epochs, cases[i].before, "%zu held epochs, %zu rounds: before %x",
                     cases[i].held, cases[i].rounds, epochs);
        cr_expect_eq(ev_trainer_first_own_epoch(&t), cases[i].first);
        cr_expect_eq(ev_trainer_epoch(&t),
                     cases[i].first + rounds * (cases[i].held + cases[i].epochs));
        ev_trainer_destroy(&t);
    }
}

Test(loop, training_raises_the_elbo)
{
    ev_train_config config = SMALL;
    config.epochs = 12;
    config.layer_epochs = config.autoencoder_epochs = 0;
    ev_trainer t = create(&config);
    witness seen = {0};
    run(&t, &seen);
    cr_assert_gt(ev_elbo_total(&seen.record[11].elbo), ev_elbo_total(&seen.record[0].elbo) + 1.0);
    ev_trainer_destroy(&t);
}

Test(loop, each_autoencoder_phase_lowers_its_loss)
{
    ev_train_config config = SMALL;
    config.layer_epochs = 3;
    config.autoencoder_epochs = 4;
    ev_trainer t = create(&config);
    witness seen = {0};
    run(&t, &seen);
    for (size_t first = 0, count = 3; first < 12; first += 3) {
        count = first < 9 ? 3 : 4;
        cr_assert_gt(seen.record[first + count - 1].elbo.term[0], seen.record[first].elbo.term[0]);
    }
    ev_trainer_destroy(&t);
}

/* Everything that a checkpoint carries, and nothing else. */
static void carry(const ev_trainer *from, ev_trainer *to)
{
    const size_t bytes = from->model.layout.size * sizeof(float);
    memcpy(to->parameters, from->parameters, bytes);
    memcpy(to->m, from->m, bytes);
    memcpy(to->v, from->v, bytes);
    memcpy(to->sums, from->sums, sizeof to->sums);
    to->step = from->step;
}

Test(loop, a_run_stopped_anywhere_and_taken_up_again_ends_on_the_same_bits)
{
    ev_trainer whole = create(&SMALL);
    witness all = {0};
    run(&whole, &all);
    const size_t bytes = whole.model.layout.size * sizeof(float);
    for (uint64_t stop = 1; stop < whole.total; stop += 5) {
        ev_trainer first = create(&SMALL), second = create(&SMALL);
        witness a = {.stop_at = stop}, b = {0};
        cr_assert_not(run(&first, &a));
        cr_assert_eq(first.step, stop);
        carry(&first, &second);
        cr_assert(run(&second, &b));
        cr_assert_eq(memcmp(whole.parameters, second.parameters, bytes), 0, "stopped at %d",
                     (int)stop);
        cr_assert_eq(memcmp(whole.m, second.m, bytes), 0);
        cr_assert_eq(memcmp(whole.v, second.v, bytes), 0);
        cr_assert_eq(memcmp(&all.record[7].elbo, &b.record[b.epochs - 1].elbo, sizeof(ev_elbo)), 0);
        ev_trainer_destroy(&first);
        ev_trainer_destroy(&second);
    }
    ev_trainer_destroy(&whole);
}

Test(loop, the_seed_alone_tells_runs_apart)
{
    ev_train_config other = SMALL;
    other.seed = 4;
    ev_trainer a = create(&SMALL), b = create(&SMALL), c = create(&other);
    witness seen[3] = {{0}, {0}, {0}};
    run(&a, &seen[0]);
    run(&b, &seen[1]);
    run(&c, &seen[2]);
    const size_t bytes = a.model.layout.size * sizeof(float);
    cr_assert_eq(memcmp(a.parameters, b.parameters, bytes), 0);
    cr_assert_neq(memcmp(a.parameters, c.parameters, bytes), 0);
    ev_trainer_destroy(&a);
    ev_trainer_destroy(&b);
    ev_trainer_destroy(&c);
}

static ev_status poison(void *context, const ev_trainer *t, const ev_elbo *elbo, ev_error *error)
{
    (void)context, (void)elbo, (void)error;
    if (t->step == 50)
        t->parameters[t->model.prior_log_var] = NAN; /* the arrays are the trainer's, not const */
    return EV_OK;
}

Test(loop, a_nan_stops_the_run_names_term_and_step_and_is_not_saved)
{
    ev_trainer t = create(&SMALL);
    witness seen = {0};
    bool complete = true;
    ev_error error = EV_ERROR_NONE;
    ev_loop_hooks hooks = hooks_of(&seen);
    hooks.observe = poison;
    cr_assert_eq(ev_loop_run(&t, &hooks, &complete, &error), EV_UNFIT);
    cr_assert_not(complete);
    cr_assert_not_null(strstr(error.message, "step 51"), "%s", error.message);
    cr_assert_not_null(strstr(error.message, "latent"), "%s", error.message);
    cr_assert_eq(seen.saves, 7);
    ev_trainer_destroy(&t);
}

static ev_status poison_last(void *context, const ev_trainer *t, const ev_elbo *elbo,
                             ev_error *error)
{
    (void)context, (void)elbo, (void)error;
    if (ev_trainer_epoch_step(t) == t->epoch_steps - 1)
        t->gradient[0] = NAN;
    return EV_OK;
}

Test(loop, a_gradient_that_overflows_at_an_epochs_last_step_is_not_saved)
{
    ev_trainer t = create(&SMALL);
    witness seen = {0};
    bool complete = true;
    ev_error error = EV_ERROR_NONE;
    ev_loop_hooks hooks = hooks_of(&seen);
    hooks.observe = poison_last;
    cr_assert_eq(ev_loop_run(&t, &hooks, &complete, &error), EV_UNFIT);
    cr_assert_eq(seen.saves, 0);
    ev_trainer_destroy(&t);
}

Test(loop, absurd_hyperparameters_are_refused_with_the_reason)
{
    static const char *const words[] = {"batch",      "batch",  "learning rate", "learning rate",
                                        "corruption", "beta2",  "pixels",        "epochs",
                                        "rotation",   "shift",  "zoom",          "0 restarts",
                                        "rounds",     "rounds", "rows of 5"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        ev_train_config config = SMALL;
        ev_trainer t;
        ev_error error = EV_ERROR_NONE;
        switch (i) {
        case 0: config.batch = 0; break;
        case 1: config.batch = SYNTHETIC_COUNT + 1; break;
        case 2: config.rate = -1.0; break;
        case 3: config.rate = (double)NAN; break;
        case 4: config.corruption = 1.0; break;
        case 5: config.adam.beta2 = 1.0; break;
        case 6: config.model.D = 5; break;
        case 7: config.epochs = SIZE_MAX; break;
        case 8: config.warp.degrees = -1.0; break;
        case 9: config.warp.pixels = (double)NAN; break;
        case 10: config.warp.zoom = 1.0; break;
        case 11: config.held_epochs = 1; break;
        case 12:
            config.held_epochs = config.restarts = 1;
            config.rounds = EV_TRAINER_ROUNDS + 1;
            break;
        case 13: config.rounds = 2; break;
        default:
            config.warp.pixels = 1.0;
            config.width = 5;
            break;
        }
        cr_assert_eq(ev_trainer_create(&t, &config, &SYNTHETIC_IMAGES, &error), EV_BAD_INPUT);
        cr_assert_not_null(strstr(error.message, words[i]), "%s", error.message);
    }
}

/* VaDE's recipe: 0.002 times 0.9 every 10 epochs, not below 0.0002. */
Test(schedule, steps_are_those_of_vade)
{
    cr_assert_float_eq(ev_schedule_rate(EV_SCHEDULE_STEP, 0.002, 9), 0.002, 1e-15);
    cr_assert_float_eq(ev_schedule_rate(EV_SCHEDULE_STEP, 0.002, 10), 0.0018, 1e-15);
    cr_assert_float_eq(ev_schedule_rate(EV_SCHEDULE_STEP, 0.002, 25), 0.00162, 1e-15);
    cr_assert_float_eq(ev_schedule_rate(EV_SCHEDULE_STEP, 0.002, 100000), 0.0002, 1e-15);
    cr_assert_float_eq(ev_schedule_rate(EV_SCHEDULE_STEP, 0.0001, 50), 0.0001, 1e-15);
    cr_assert_float_eq(ev_schedule_rate(EV_SCHEDULE_CONSTANT, 0.002, 50), 0.002, 1e-15);
}
