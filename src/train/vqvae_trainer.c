#include "train/vqvae_trainer.h"

#include "nn/buffer.h"
#include "train/batches.h"
#include "train/kmeans.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { START_BATCHES = 8 /* whose vectors k-means sees */ };

static ev_status no_memory(ev_error *error)
{
    return ev_error_set(error, EV_NO_MEMORY, "out of memory for training");
}

static ev_status create_weights(ev_vqvae_weights *w, size_t size, ev_error *error)
{
    w->size = size;
    w->parameters = ev_buffer_create(size);
    w->gradient = ev_buffer_create(size);
    w->m = ev_buffer_create(size);
    w->v = ev_buffer_create(size);
    return w->parameters == NULL || w->gradient == NULL || w->m == NULL || w->v == NULL
               ? no_memory(error)
               : EV_OK;
}

static void destroy_weights(ev_vqvae_weights *w)
{
    free(w->parameters);
    free(w->gradient);
    free(w->m);
    free(w->v);
}

static ev_status check(const ev_vqvae_train_config *c, const ev_image_source *images,
                       ev_error *error)
{
    const size_t D = c->model.height * c->model.width * c->model.channels;
    if (c->batch == 0 || c->batch > images->count)
        return ev_error_set(error, EV_BAD_INPUT, "a batch of %zu: expected 1 to %zu, the images",
                            c->batch, images->count);
    if (D != images->pixels)
        return ev_error_set(error, EV_BAD_INPUT, "a model for %zu pixels and images of %zu", D,
                            images->pixels);
    if (c->epochs == 0)
        return ev_error_set(error, EV_BAD_INPUT, "no epochs");
    if (!(c->rate > 0 && c->rate <= 1 && c->prior_rate > 0 && c->prior_rate <= 1))
        return ev_error_set(error, EV_BAD_INPUT,
                            "learning rates of %g and %g: expected above 0, at most 1", c->rate,
                            c->prior_rate);
    return EV_OK;
}

static ev_status create_models(ev_vqvae_trainer *t, ev_error *error)
{
    ev_code_prior_config prior = t->config.prior;
    const ev_vqvae_config *c = &t->config.model;
    ev_status status = ev_vqvae_create(&t->model, c, error);
    prior.height = c->height / 4;
    prior.width = c->width / 4;
    prior.K = c->K;
    if (status == EV_OK)
        status = ev_code_prior_create(&t->prior, &prior, error);
    if (status == EV_OK)
        status = ev_vqvae_workspace_create(&t->w, &t->model, t->config.batch, t->config.threads,
                                           error);
    if (status == EV_OK)
        status = ev_code_prior_workspace_create(&t->prior_w, &t->prior, t->config.batch,
                                                t->config.threads, error);
    if (status == EV_OK)
        status = create_weights(&t->autoencoder, t->model.layout.size, error);
    if (status == EV_OK)
        status = create_weights(&t->over_codes, t->prior.layout.size, error);
    return status;
}

static ev_status create_arrays(ev_vqvae_trainer *t, ev_error *error)
{
    const size_t K = t->config.model.K, J = t->config.model.J;
    t->average.counts = ev_buffer_create(K);
    t->average.sums = ev_buffer_create(ev_size_product(K, J));
    t->x = ev_buffer_create(ev_size_product(t->config.batch, t->model.D));
    t->used = calloc(K, sizeof *t->used);
    t->order = calloc(t->images->count, sizeof *t->order);
    t->batch_codes = calloc(ev_size_product(t->config.batch, t->model.N), sizeof *t->batch_codes);
    return t->average.counts == NULL || t->average.sums == NULL || t->x == NULL ||
                   t->used == NULL || t->order == NULL || t->batch_codes == NULL
               ? no_memory(error)
               : EV_OK;
}

ev_status ev_vqvae_trainer_create(ev_vqvae_trainer *t, const ev_vqvae_train_config *config,
                                  const ev_image_source *images, ev_error *error)
{
    *t = (ev_vqvae_trainer){.config = *config, .images = images};
    ev_status status = check(config, images, error);
    if (status == EV_OK)
        status = create_models(t, error);
    if (status == EV_OK)
        status = create_arrays(t, error);
    if (status != EV_OK) {
        ev_vqvae_trainer_destroy(t);
        return status;
    }
    t->epoch_steps = images->count / config->batch;
    t->total = (uint64_t)t->epoch_steps * (config->epochs + config->prior_epochs);
    ev_vqvae_initialise(&t->model, config->seed, t->autoencoder.parameters);
    ev_code_prior_initialise(&t->prior, config->seed, t->over_codes.parameters);
    return EV_OK;
}

void ev_vqvae_trainer_destroy(ev_vqvae_trainer *t)
{
    ev_vqvae_workspace_destroy(&t->w);
    ev_code_prior_workspace_destroy(&t->prior_w);
    destroy_weights(&t->autoencoder);
    destroy_weights(&t->over_codes);
    free(t->average.counts);
    free(t->average.sums);
    free(t->x);
    free(t->used);
    free(t->codes);
    free(t->order);
    free(t->batch_codes);
    *t = (ev_vqvae_trainer){.step = 0};
}

bool ev_vqvae_trainer_in_prior(const ev_vqvae_trainer *t)
{
    return t->step >= (uint64_t)t->epoch_steps * t->config.epochs;
}

size_t ev_vqvae_trainer_epoch(const ev_vqvae_trainer *t)
{
    return (size_t)(t->step / t->epoch_steps);
}

size_t ev_vqvae_trainer_epoch_step(const ev_vqvae_trainer *t)
{
    return (size_t)(t->step % t->epoch_steps);
}

/* --- The start ----------------------------------------------------------------------------- */

ev_status ev_vqvae_trainer_start(ev_vqvae_trainer *t, ev_error *error)
{
    const size_t B = t->config.batch, vectors = B * t->model.N, size = vectors * t->config.model.J;
    const size_t batches = t->epoch_steps < START_BATCHES ? t->epoch_steps : START_BATCHES;
    const ev_kmeans_options options = {.K = t->config.model.K,
                                       .restarts = 1,
                                       .iterations = t->config.start_iterations,
                                       .seed = t->config.seed};
    float *z = ev_buffer_create(ev_size_product(batches, size));
    if (z == NULL)
        return no_memory(error);
    for (size_t i = 0; i < batches; i++) {
        t->images->shuffled(t->images->context, 0, i * B, B, t->x);
        ev_vqvae_encode(&t->model, t->autoencoder.parameters, B, t->x, &t->w);
        memcpy(z + i * size, t->w.z, size * sizeof *z);
    }
    ev_status status = ev_kmeans(&options, batches * vectors, t->config.model.J, z,
                                 t->autoencoder.parameters + t->model.codebook, NULL, NULL, error);
    free(z);
    return status;
}

/* --- A step of the autoencoder -------------------------------------------------------------- */

/* A revived code is a new one: Adam's moments of the old say nothing of it. */
static void forget_revived(ev_vqvae_trainer *t)
{
    const size_t J = t->config.model.J;
    for (size_t k = 0; k < t->config.model.K; k++)
        if (t->w.revived[k]) {
            memset(t->autoencoder.m + t->model.codebook + k * J, 0, J * sizeof(float));
            memset(t->autoencoder.v + t->model.codebook + k * J, 0, J * sizeof(float));
        }
}

static ev_status vqvae_step(ev_vqvae_trainer *t, ev_error *error)
{
    ev_vqvae_weights *a = &t->autoencoder;
    const size_t B = t->config.batch;
    t->images->shuffled(t->images->context, ev_vqvae_trainer_epoch(t),
                        ev_vqvae_trainer_epoch_step(t) * B, B, t->x);
    ev_vqvae_loss loss = ev_vqvae_forward(&t->model, a->parameters, B, t->x, &t->w);
    for (size_t i = 0; i < EV_VQ_TERMS; i++)
        if (!isfinite(loss.term[i]))
            return ev_error_set(error, EV_UNFIT, "step %llu: the %s term is not finite",
                                (unsigned long long)t->step + 1, ev_vqvae_term_names[i]);
    ev_vqvae_backward(&t->model, a->parameters, B, t->x, &t->w, a->gradient);
    t->step++;
    ev_adam_step(&t->config.adam, t->step, t->config.rate, a->size, a->gradient, a->m, a->v,
                 a->parameters);
    t->revived += (double)ev_vqvae_move_codes(&t->model, B, t->config.seed, &t->average, &t->w,
                                              a->parameters);
    forget_revived(t);
    for (size_t i = 0; i < EV_VQ_TERMS; i++)
        t->sums[i] += loss.term[i];
    for (size_t k = 0; k < t->config.model.K; k++)
        t->used[k] += t->w.n[k];
    return EV_OK;
}

/* --- A step of the prior --------------------------------------------------------------------- */

static ev_status encode_all(ev_vqvae_trainer *t, ev_error *error)
{
    const size_t B = t->config.batch, N = t->model.N, count = t->images->count;
    t->codes = calloc(ev_size_product(count, N), sizeof *t->codes);
    if (t->codes == NULL)
        return no_memory(error);
    for (size_t first = 0; first < count; first += B) {
        size_t n = count - first < B ? count - first : B;
        t->images->in_order(t->images->context, first, n, t->x);
        ev_vqvae_encode(&t->model, t->autoencoder.parameters, n, t->x, &t->w);
        ev_vqvae_quantise(&t->model, t->autoencoder.parameters, n, &t->w);
        memcpy(t->codes + first * N, t->w.index, n * N * sizeof *t->codes);
    }
    return EV_OK;
}

static void take_codes(ev_vqvae_trainer *t)
{
    const size_t B = t->config.batch, N = t->model.N;
    const uint64_t epoch = ev_vqvae_trainer_epoch(t);
    if (t->ordered != epoch + 1)
        ev_batches_order(t->config.seed, epoch, t->images->count, t->order);
    t->ordered = epoch + 1;
    const uint32_t *order = t->order + ev_vqvae_trainer_epoch_step(t) * B;
    for (size_t b = 0; b < B; b++)
        memcpy(t->batch_codes + b * N, t->codes + order[b] * N, N * sizeof *t->codes);
}

static ev_status prior_step(ev_vqvae_trainer *t, ev_error *error)
{
    ev_vqvae_weights *a = &t->over_codes;
    const size_t B = t->config.batch;
    ev_status status = t->codes == NULL ? encode_all(t, error) : EV_OK;
    if (status != EV_OK)
        return status;
    take_codes(t);
    double nats = -ev_code_prior_forward(&t->prior, a->parameters, B, t->batch_codes, &t->prior_w);
    if (!isfinite(nats))
        return ev_error_set(error, EV_UNFIT, "step %llu: the prior's loss is not finite",
                            (unsigned long long)t->step + 1);
    ev_code_prior_backward(&t->prior, a->parameters, B, t->batch_codes, &t->prior_w, a->gradient);
    t->step++;
    ev_adam_step(&t->config.adam, t->step - (uint64_t)t->epoch_steps * t->config.epochs,
                 t->config.prior_rate, a->size, a->gradient, a->m, a->v, a->parameters);
    t->sums[0] += nats;
    return EV_OK;
}

ev_status ev_vqvae_trainer_step(ev_vqvae_trainer *t, ev_error *error)
{
    return ev_vqvae_trainer_in_prior(t) ? prior_step(t, error) : vqvae_step(t, error);
}

void ev_vqvae_trainer_end_epoch(ev_vqvae_trainer *t)
{
    memset(t->sums, 0, sizeof t->sums);
    memset(t->used, 0, t->config.model.K * sizeof *t->used);
    t->revived = 0;
}

static bool all_finite(const ev_vqvae_weights *w)
{
    for (size_t i = 0; i < w->size; i++)
        if (!isfinite(w->parameters[i]))
            return false;
    return true;
}

bool ev_vqvae_trainer_finite(const ev_vqvae_trainer *t)
{
    return all_finite(&t->autoencoder) && all_finite(&t->over_codes);
}
