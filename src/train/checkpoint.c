#include "train/checkpoint.h"

#include "data/safetensors.h"
#include "nn/buffer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARRAYS = 3, /* parameters, m, v */
    NAME = EV_BLOCK_NAME + 8,
    TENSORS = ARRAYS * EV_LAYOUT_BLOCKS + 2
};

static const char *const prefixes[ARRAYS] = {"", "adam.m.", "adam.v."};

/* The tensor that holds a block; its name is written into the caller's. */
static ev_safetensor tensor_of(const ev_block *block, const char *prefix, const float *array,
                               char name[NAME])
{
    const size_t shape[2] = {block->rows, block->columns};
    snprintf(name, NAME, "%s%s", prefix, block->name);
    return ev_safetensor_f32(name, block->columns == 0 ? 1 : 2, shape, array + block->offset);
}

static ev_safetensor sums_tensor(const double *sums)
{
    return (ev_safetensor){.name = "epoch.sums",
                           .dtype = EV_DTYPE_F64,
                           .rank = 1,
                           .shape = {EV_ELBO_TERMS},
                           .data = sums};
}

static ev_safetensor cluster_tensor(const ev_trainer *t)
{
    return (ev_safetensor){.name = "held.cluster",
                           .dtype = EV_DTYPE_U32,
                           .rank = 1,
                           .shape = {t->images->count},
                           .data = t->cluster};
}

ev_status ev_checkpoint_write(const char *path, const ev_trainer *t, ev_error *error)
{
    const ev_layout *layout = &t->model.layout;
    const float *arrays[ARRAYS] = {t->parameters, t->m, t->v};
    char names[TENSORS][NAME], step[24], epoch[24], seed[24];
    ev_safetensor tensors[TENSORS];
    size_t count = 0;
    for (size_t a = 0; a < ARRAYS; a++)
        for (size_t b = 0; b < layout->count; b++, count++)
            tensors[count] = tensor_of(&layout->block[b], prefixes[a], arrays[a], names[count]);
    tensors[count++] = sums_tensor(t->sums);
    if (t->cluster != NULL)
        tensors[count++] = cluster_tensor(t);
    snprintf(step, sizeof step, "%" PRIu64, t->step);
    snprintf(epoch, sizeof epoch, "%zu", ev_trainer_epoch(t));
    snprintf(seed, sizeof seed, "%" PRIu64, t->config.seed);
    const ev_metadata about[] = {
        {"model", t->model.config.prior == EV_PRIOR_STANDARD ? "vae" : "gmvae"},
        {"step", step},
        {"epoch", epoch},
        {"seed", seed}};
    return ev_safetensors_write(path, count, tensors, sizeof about / sizeof *about, about, error);
}

static ev_status take_array(const ev_safetensors *file, const ev_layout *layout, const char *prefix,
                            float *array, ev_error *error)
{
    ev_status status = EV_OK;
    for (size_t b = 0; b < layout->count && status == EV_OK; b++) {
        char name[NAME];
        const ev_safetensor wanted = tensor_of(&layout->block[b], prefix, array, name);
        status = ev_safetensors_take(file, &wanted, EV_FINITE, array + layout->block[b].offset,
                                     error);
    }
    return status;
}

ev_status ev_checkpoint_read_parameters(const char *path, const ev_gmvae *model, float *parameters,
                                        uint64_t *step, ev_error *error)
{
    ev_safetensors *file = NULL;
    uint64_t done = 0;
    ev_status status = ev_safetensors_read(path, &file, error);
    if (status == EV_OK)
        status = ev_safetensors_number(file, path, "step", &done, error);
    if (status == EV_OK)
        status = take_array(file, &model->layout, "", parameters, error);
    if (status == EV_OK && step != NULL)
        *step = done;
    ev_safetensors_destroy(file);
    return status;
}

/* What is read before the trainer is touched. */
typedef struct {
    float *memory, *arrays[ARRAYS];
    double sums[EV_ELBO_TERMS];
    uint32_t *cluster; /* (images), when there is a held phase */
    uint64_t step, seed;
} state;

static ev_status take_clusters(const ev_safetensors *file, const char *path, const ev_trainer *t,
                               uint32_t *cluster, ev_error *error)
{
    const ev_safetensor wanted = cluster_tensor(t);
    ev_status status = ev_safetensors_take(file, &wanted, EV_ANY_VALUE, cluster, error);
    for (size_t i = 0; i < t->images->count && status == EV_OK; i++)
        if (cluster[i] >= t->model.config.K)
            status = ev_error_set(error, EV_BAD_INPUT,
                                  "%s: image %zu is of cluster %" PRIu32 ", and there are %zu",
                                  path, i, cluster[i], t->model.config.K);
    return status;
}

static ev_status take_state(const ev_safetensors *file, const char *path, const ev_trainer *t,
                            state *read, ev_error *error)
{
    const ev_safetensor sums = sums_tensor(NULL);
    ev_status status = ev_safetensors_number(file, path, "step", &read->step, error);
    if (status == EV_OK)
        status = ev_safetensors_number(file, path, "seed", &read->seed, error);
    for (size_t a = 0; a < ARRAYS && status == EV_OK; a++)
        status = take_array(file, &t->model.layout, prefixes[a], read->arrays[a], error);
    if (status == EV_OK)
        status = ev_safetensors_take(file, &sums, EV_FINITE, read->sums, error);
    if (status == EV_OK && t->cluster != NULL)
        status = take_clusters(file, path, t, read->cluster, error);
    if (status == EV_OK && (read->seed != t->config.seed || read->step > t->total))
        status = ev_error_set(error, EV_BAD_INPUT,
                              "%s: seed %" PRIu64 ", step %" PRIu64
                              " do not belong to a run with seed %" PRIu64 " and %" PRIu64 " steps",
                              path, read->seed, read->step, t->config.seed, t->total);
    return status;
}

static void restore(ev_trainer *t, const state *read)
{
    float *arrays[ARRAYS] = {t->parameters, t->m, t->v};
    for (size_t a = 0; a < ARRAYS; a++)
        memcpy(arrays[a], read->arrays[a], t->model.layout.size * sizeof(float));
    memcpy(t->sums, read->sums, sizeof t->sums);
    t->step = read->step;
    if (t->cluster != NULL)
        memcpy(t->cluster, read->cluster, t->images->count * sizeof *t->cluster);
}

ev_status ev_checkpoint_read(const char *path, ev_trainer *t, ev_error *error)
{
    const size_t n = t->model.layout.size;
    ev_safetensors *file = NULL;
    state read = {.memory = ev_buffer_create(ev_size_product(ARRAYS, n))};
    read.cluster = calloc(t->images->count, sizeof *read.cluster);
    if (read.memory == NULL || read.cluster == NULL) {
        free(read.memory);
        free(read.cluster);
        return ev_error_set(error, EV_NO_MEMORY, "out of memory for a checkpoint");
    }
    for (size_t a = 0; a < ARRAYS; a++)
        read.arrays[a] = read.memory + a * n;
    ev_status status = ev_safetensors_read(path, &file, error);
    if (status == EV_OK)
        status = take_state(file, path, t, &read, error);
    if (status == EV_OK)
        restore(t, &read);
    ev_safetensors_destroy(file);
    free(read.memory);
    free(read.cluster);
    return status;
}
