#include "train/trainer.h"

#include "nn/buffer.h"
#include "numerics/random.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const ev_phase_names[] = {"layers", "autoencoder", "held", "elbo", NULL};

/* --- What is asked for --------------------------------------------------------------------- */

static ev_status check_rates(const ev_train_config *c, ev_error *error)
{
    const struct {
        const char *what;
        double value, most;
    } rates[] = {{"learning rate", c->rate, 1.0},
                 {"autoencoder's learning rate", c->autoencoder_rate, 1.0},
                 {"epsilon of Adam", c->adam.epsilon, 1.0}};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        if (!(rates[i].value > 0.0 && rates[i].value <= rates[i].most))
            return ev_error_set(error, EV_BAD_INPUT, "the %s is %g: expected above 0, to %g",
                                rates[i].what, rates[i].value, rates[i].most);
    const double shares[] = {c->adam.beta1, c->adam.beta2, c->corruption};
    static const char *const names[] = {"beta1 of Adam", "beta2 of Adam", "corruption"};
    for (size_t i = 0; i < 3; i++)
        if (!(shares[i] >= 0.0 && shares[i] < 1.0))
            return ev_error_set(error, EV_BAD_INPUT, "the %s is %g: expected 0 or more, below 1",
                                names[i], shares[i]);
    return EV_OK;
}

static ev_status check_warp(const ev_train_config *c, ev_error *error)
{
    const ev_warp *w = &c->warp;
    if (!(w->degrees >= 0.0 && w->degrees <= 180.0))
        return ev_error_set(error, EV_BAD_INPUT, "the rotation is %g degrees: expected 0 to 180",
                            w->degrees);
    if (!(w->pixels >= 0.0 && w->pixels <= 1024.0))
        return ev_error_set(error, EV_BAD_INPUT, "the shift is %g pixels: expected 0 to 1024",
                            w->pixels);
    if (!(w->zoom >= 0.0 && w->zoom < 1.0))
        return ev_error_set(error, EV_BAD_INPUT, "the zoom is %g: expected 0 or more, below 1",
                            w->zoom);
    if (ev_warp_moves(w) && (c->width == 0 || c->model.D % c->width != 0))
        return ev_error_set(error, EV_BAD_INPUT, "%zu pixels are no image with rows of %zu",
                            c->model.D, c->width);
    return EV_OK;
}

static ev_status check_config(const ev_train_config *c, const ev_image_source *images,
                              ev_error *error)
{
    enum { MOST_EPOCHS = 1000000 };
    if (c->batch == 0 || c->batch > images->count)
        return ev_error_set(error, EV_BAD_INPUT,
                            "the batch is %zu: expected 1 to %zu, the number of images", c->batch,
                            images->count);
    if (c->model.D != images->pixels)
        return ev_error_set(error, EV_BAD_INPUT, "the model takes %zu pixels, an image has %zu",
                            c->model.D, images->pixels);
    if (c->restarts > 0 && c->model.K > images->count)
        return ev_error_set(error, EV_BAD_INPUT, "%zu clusters can't be fitted to %zu images",
                            c->model.K, images->count);
    if (c->held_epochs > 0 && c->restarts == 0)
        return ev_error_set(error, EV_BAD_INPUT,
                            "clusters are to be held for %zu epochs, and with 0 restarts none are "
                            "sought",
                            c->held_epochs);
    if (c->rounds > EV_TRAINER_ROUNDS || (c->rounds > 1 && c->held_epochs == 0))
        return ev_error_set(error, EV_BAD_INPUT,
                            "%zu rounds with %zu held epochs: expected 1 to %d, and only one "
                            "(--rounds 1) where no clusters are held",
                            c->rounds, c->held_epochs, EV_TRAINER_ROUNDS);
    if (c->epochs > MOST_EPOCHS || c->layer_epochs > MOST_EPOCHS ||
        c->autoencoder_epochs > MOST_EPOCHS || c->held_epochs > MOST_EPOCHS)
        return ev_error_set(error, EV_BAD_INPUT, "more than %d epochs", MOST_EPOCHS);
    ev_status status = check_warp(c, error);
    return status == EV_OK ? check_rates(c, error) : status;
}

/* --- The plan ------------------------------------------------------------------------------ */

static void add_phase(ev_trainer *t, ev_phase_kind kind, size_t layer, size_t epochs)
{
    size_t first = t->phases == 0 ? 0
                                  : t->phase[t->phases - 1].first + t->phase[t->phases - 1].epochs;
    t->phase[t->phases++] = (ev_phase){kind, layer, first, epochs};
}

static size_t rounds(const ev_train_config *c) { return c->rounds > 0 ? c->rounds : 1; }

static void plan(ev_trainer *t)
{
    const ev_train_config *c = &t->config;
    for (size_t l = 0; l < ev_autoencoder_layers(&t->model); l++)
        add_phase(t, EV_PHASE_LAYERS, l, c->layer_epochs);
    add_phase(t, EV_PHASE_AUTOENCODER, 0, c->autoencoder_epochs);
    for (size_t round = 0; round < rounds(c); round++) {
        add_phase(t, EV_PHASE_HELD, 0, c->held_epochs);
        add_phase(t, EV_PHASE_ELBO, 0, c->epochs);
    }
    const ev_phase *last = &t->phase[t->phases - 1];
    t->epoch_steps = t->images->count / c->batch;
    t->total = (uint64_t)(last->first + last->epochs) * t->epoch_steps;
}

const ev_phase *ev_trainer_phase(const ev_trainer *t, size_t epoch)
{
    size_t p = 0;
    while (p + 1 < t->phases && epoch >= t->phase[p].first + t->phase[p].epochs)
        p++;
    return &t->phase[p];
}

size_t ev_trainer_first_own_epoch(const ev_trainer *t)
{
    return t->phase[t->phases - 2 * rounds(&t->config)].first;
}

/* A held phase may have no epochs; then the one that follows begins with the clusters. */
bool ev_trainer_seeks_clusters(const ev_trainer *t)
{
    const size_t epoch = ev_trainer_epoch(t);
    const ev_phase *phase = ev_trainer_phase(t, epoch);
    const bool own = phase->kind == (t->config.held_epochs > 0 ? EV_PHASE_HELD : EV_PHASE_ELBO);
    return own && ev_trainer_epoch_step(t) == 0 && epoch == phase->first;
}

size_t ev_trainer_epoch(const ev_trainer *t) { return (size_t)(t->step / t->epoch_steps); }

size_t ev_trainer_epoch_step(const ev_trainer *t) { return (size_t)(t->step % t->epoch_steps); }

double ev_trainer_rate(const ev_trainer *t, size_t epoch)
{
    const ev_phase *phase = ev_trainer_phase(t, epoch);
    if (phase->kind == EV_PHASE_ELBO)
        return ev_schedule_rate(t->config.schedule, t->config.rate, epoch - phase->first);
    return t->config.autoencoder_rate;
}

/* --- Memory -------------------------------------------------------------------------------- */

static size_t widest(const ev_mlp *mlp)
{
    size_t hidden = ev_mlp_widest(mlp);
    return hidden > mlp->width[0] ? hidden : mlp->width[0];
}

static ev_status allocate_clusters(ev_trainer *t, ev_error *error)
{
    if (t->config.held_epochs == 0)
        return EV_OK;
    t->cluster = calloc(t->images->count, sizeof *t->cluster);
    t->held = calloc(t->config.batch, sizeof *t->held);
    return t->cluster != NULL && t->held != NULL
               ? EV_OK
               : ev_error_set(error, EV_NO_MEMORY, "out of memory for the images' clusters");
}

static ev_status allocate(ev_trainer *t, ev_error *error)
{
    const size_t B = t->config.batch, D = t->model.config.D, n = t->model.layout.size;
    const size_t noise = ev_size_product(B, t->model.M * t->model.config.J);
    struct {
        float **array;
        size_t count;
    } arrays[] = {{&t->parameters, n},
                  {&t->gradient, n},
                  {&t->m, n},
                  {&t->v, n},
                  {&t->x, ev_size_product(B, D)},
                  {&t->warped, ev_warp_moves(&t->config.warp) ? ev_size_product(B, D) : 1},
                  {&t->corrupted, ev_size_product(B, widest(&t->model.encoder))},
                  {&t->noise, noise}};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        *arrays[i].array = ev_buffer_create(arrays[i].count);
        if (*arrays[i].array == NULL)
            return ev_error_set(error, EV_NO_MEMORY, "out of memory for the trainer");
    }
    return ev_gmvae_workspace_create(&t->w, &t->model, B, error);
}

ev_status ev_trainer_create(ev_trainer *t, const ev_train_config *config,
                            const ev_image_source *images, ev_error *error)
{
    *t = (ev_trainer){.config = *config, .images = images};
    ev_status status = check_config(config, images, error);
    if (status == EV_OK)
        status = ev_gmvae_create(&t->model, &config->model, error);
    if (status == EV_OK)
        status = allocate(t, error);
    if (status == EV_OK)
        status = allocate_clusters(t, error);
    if (status != EV_OK) {
        ev_trainer_destroy(t);
        return status;
    }
    plan(t);
    ev_gmvae_initialise(&t->model, config->seed, t->parameters);
    return EV_OK;
}

void ev_trainer_destroy(ev_trainer *t)
{
    ev_gmvae_workspace_destroy(&t->w);
    float *arrays[] = {t->parameters, t->gradient, t->m,         t->v,
                       t->x,          t->warped,   t->corrupted, t->noise};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
    free(t->cluster);
    free(t->held);
    *t = (ev_trainer){0};
}

/* --- A step -------------------------------------------------------------------------------- */

/* A warped copy of the batch, or the batch itself. */
static const float *warp(ev_trainer *t)
{
    const ev_train_config *c = &t->config;
    if (!ev_warp_moves(&c->warp))
        return t->x;
    const ev_stream stream = ev_stream_make(c->seed, ev_hash_text("warp"), (uint32_t)t->step,
                                            (uint32_t)(t->step >> 32));
    ev_warp_images(&c->warp, &stream, c->batch, c->model.D / c->width, c->width, t->x, t->warped);
    return t->warped;
}

void ev_trainer_draw(ev_trainer *t)
{
    const size_t B = t->config.batch;
    t->images->shuffled(t->images->context, ev_trainer_epoch(t), ev_trainer_epoch_step(t) * B, B,
                        t->x);
    ev_gmvae_noise(&t->model, t->config.seed, t->step, B, t->noise);
    t->w.held = NULL;
    if (ev_trainer_phase(t, ev_trainer_epoch(t))->kind != EV_PHASE_HELD)
        return;
    t->images->places(t->images->context, ev_trainer_epoch(t), ev_trainer_epoch_step(t) * B, B,
                      t->held);
    for (size_t b = 0; b < B; b++)
        t->held[b] = t->cluster[t->held[b]];
    t->w.held = t->held;
    if (ev_warp_moves(&t->config.warp))
        memcpy(t->x, warp(t), B * t->config.model.D * sizeof *t->x);
}

/* A copy of the clean input with a share of it set to 0, or the clean input itself. */
static const float *corrupt(ev_trainer *t, size_t width, const float *clean)
{
    enum { CHUNK = 256 };
    const size_t n = t->config.batch * width;
    const ev_stream stream = ev_stream_make(t->config.seed, ev_hash_text("corruption"),
                                            (uint32_t)t->step, (uint32_t)(t->step >> 32));
    if (t->config.corruption == 0.0)
        return clean;
#pragma omp parallel for schedule(static)
    for (size_t from = 0; from < n; from += CHUNK) {
        double u[CHUNK];
        const size_t take = n - from < CHUNK ? n - from : CHUNK;
        ev_stream_uniforms(&stream, from, take, u);
        for (size_t i = 0; i < take; i++)
            t->corrupted[from + i] = u[i] < t->config.corruption ? 0.0F : clean[from + i];
    }
    return t->corrupted;
}

static double restore(ev_trainer *t, const ev_phase *phase)
{
    const ev_train_config *c = &t->config;
    if (phase->kind == EV_PHASE_AUTOENCODER)
        return ev_autoencoder_pass(&t->model, t->parameters, c->batch,
                                   corrupt(t, c->model.D, warp(t)), t->x, c->restore, &t->w,
                                   t->gradient);
    const size_t l = phase->layer;
    const float *clean = ev_autoencoder_layer_input(&t->model, t->parameters, l, c->batch, t->x,
                                                    &t->w);
    return ev_autoencoder_layer_pass(&t->model, t->parameters, l, c->batch,
                                     corrupt(t, t->model.encoder.width[l], clean), clean,
                                     c->restore, &t->w, t->gradient);
}

ev_status ev_trainer_gradient(ev_trainer *t, ev_elbo *elbo, ev_error *error)
{
    const ev_phase *phase = ev_trainer_phase(t, ev_trainer_epoch(t));
    *elbo = (ev_elbo){{0}};
    if (phase->kind >= EV_PHASE_HELD) {
        *elbo = ev_gmvae_forward(&t->model, t->parameters, t->config.batch, t->x, t->noise, &t->w);
        ev_gmvae_backward(&t->model, t->parameters, t->config.batch, t->x, t->noise, &t->w,
                          t->gradient);
    } else {
        elbo->term[EV_RECONSTRUCTION] = -restore(t, phase);
    }
    const ev_elbo_term bad = ev_elbo_not_finite(elbo);
    if (bad != EV_ELBO_TERMS)
        return ev_error_set(error, EV_UNFIT,
                            "step %" PRIu64 ": the term '%s' of the loss is %g (phase %s)", t->step,
                            ev_elbo_term_names[bad], elbo->term[bad], ev_phase_names[phase->kind]);
    if (ev_trainer_epoch_step(t) == 0)
        memset(t->sums, 0, sizeof t->sums);
    for (size_t i = 0; i < EV_ELBO_TERMS; i++)
        t->sums[i] += elbo->term[i];
    return EV_OK;
}

void ev_trainer_update(ev_trainer *t)
{
    const size_t epoch = ev_trainer_epoch(t), n = t->model.layout.size;
    const uint64_t begun = (uint64_t)ev_trainer_phase(t, epoch)->first * t->epoch_steps;
    if (t->step == begun) {
        memset(t->m, 0, n * sizeof *t->m);
        memset(t->v, 0, n * sizeof *t->v);
    }
    ev_adam_step(&t->config.adam, t->step - begun + 1, ev_trainer_rate(t, epoch), n, t->gradient,
                 t->m, t->v, t->parameters);
    t->step++;
}

bool ev_trainer_finite(const ev_trainer *t)
{
    bool finite = true;
#pragma omp parallel for schedule(static) reduction(&& : finite)
    for (size_t i = 0; i < t->model.layout.size; i++)
        finite = finite && isfinite(t->parameters[i]);
    return finite;
}
