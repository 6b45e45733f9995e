#include "train/vqvae_checkpoint.h"

#include "data/safetensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME = EV_BLOCK_NAME + 24, TENSORS = 6 * EV_LAYOUT_BLOCKS + 4, SUMS = EV_VQ_TERMS + 1 };

/* Every array of the state by the name it has in the file: what is written, and where it is read. */
typedef struct {
    size_t count;
    ev_safetensor tensor[TENSORS];
    void *array[TENSORS];
    char name[TENSORS][NAME];
    double sums[SUMS];
} table;

static void add(table *t, const char *prefix, const char *name, ev_dtype dtype, size_t rows,
                size_t columns, void *array)
{
    snprintf(t->name[t->count], NAME, "%s%s", prefix, name);
    t->tensor[t->count] = (ev_safetensor){.name = t->name[t->count],
                                          .dtype = dtype,
                                          .rank = columns == 0 ? 1 : 2,
                                          .shape = {rows, columns},
                                          .data = array};
    t->array[t->count++] = array;
}

static void add_layout(table *t, const char *prefix, const ev_layout *layout, float *array)
{
    for (size_t i = 0; i < layout->count; i++) {
        const ev_block *b = &layout->block[i];
        add(t, prefix, b->name, EV_DTYPE_F32, b->rows, b->columns, array + b->offset);
    }
}

static table *make_table(const ev_vqvae_trainer *t)
{
    const size_t K = t->config.model.K, J = t->config.model.J;
    table *all = calloc(1, sizeof *all);
    if (all == NULL)
        return NULL;
    add_layout(all, "", &t->model.layout, t->autoencoder.parameters);
    add_layout(all, "adam.m.", &t->model.layout, t->autoencoder.m);
    add_layout(all, "adam.v.", &t->model.layout, t->autoencoder.v);
    add_layout(all, "prior.", &t->prior.layout, t->over_codes.parameters);
    add_layout(all, "adam.m.prior.", &t->prior.layout, t->over_codes.m);
    add_layout(all, "adam.v.prior.", &t->prior.layout, t->over_codes.v);
    add(all, "", "average.counts", EV_DTYPE_F32, K, 0, t->average.counts);
    add(all, "", "average.sums", EV_DTYPE_F32, K, J, t->average.sums);
    add(all, "", "epoch.used", EV_DTYPE_F64, K, 0, t->used);
    for (size_t i = 0; i < EV_VQ_TERMS; i++)
        all->sums[i] = t->sums[i];
    all->sums[EV_VQ_TERMS] = t->revived;
    add(all, "", "epoch.sums", EV_DTYPE_F64, SUMS, 0, all->sums);
    return all;
}

ev_status ev_vqvae_checkpoint_write(const char *path, const ev_vqvae_trainer *t, ev_error *error)
{
    char step[24], average[24], seed[24];
    table *all = make_table(t);
    if (all == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "out of memory for a checkpoint");
    snprintf(step, sizeof step, "%" PRIu64, t->step);
    snprintf(average, sizeof average, "%" PRIu64, t->average.steps);
    snprintf(seed, sizeof seed, "%" PRIu64, t->config.seed);
    const ev_metadata about[] = {
        {"model", "vqvae"}, {"step", step}, {"average_steps", average}, {"seed", seed}};
    ev_status status = ev_safetensors_write(path, all->count, all->tensor,
                                            sizeof about / sizeof *about, about, error);
    free(all);
    return status;
}

static ev_status take_numbers(const ev_safetensors *file, const char *path, ev_vqvae_trainer *t,
                              ev_error *error)
{
    uint64_t step, average, seed;
    ev_status status = ev_safetensors_number(file, path, "step", &step, error);
    if (status == EV_OK)
        status = ev_safetensors_number(file, path, "average_steps", &average, error);
    if (status == EV_OK)
        status = ev_safetensors_number(file, path, "seed", &seed, error);
    if (status != EV_OK)
        return status;
    if (seed != t->config.seed || step > t->total)
        return ev_error_set(error, EV_BAD_INPUT,
                            "%s: seed %" PRIu64 ", step %" PRIu64
                            " do not belong to a run with seed %" PRIu64 " and %" PRIu64 " steps",
                            path, seed, step, t->config.seed, t->total);
    t->step = step;
    t->average.steps = average;
    return EV_OK;
}

ev_status ev_vqvae_checkpoint_read(const char *path, ev_vqvae_trainer *t, ev_error *error)
{
    ev_safetensors *file = NULL;
    table *all = make_table(t);
    ev_status status = all == NULL
                           ? ev_error_set(error, EV_NO_MEMORY, "out of memory for a checkpoint")
                           : ev_safetensors_read(path, &file, error);
    for (size_t i = 0; status == EV_OK && i < all->count; i++)
        status = ev_safetensors_take(file, &all->tensor[i], EV_FINITE, all->array[i], error);
    if (status == EV_OK)
        status = take_numbers(file, path, t, error);
    for (size_t i = 0; status == EV_OK && i < EV_VQ_TERMS; i++)
        t->sums[i] = all->sums[i];
    if (status == EV_OK) {
        t->revived = all->sums[EV_VQ_TERMS];
        ev_code_prior_mask(&t->prior, t->over_codes.parameters);
    }
    ev_safetensors_destroy(file);
    free(all);
    return status;
}
