#include "models/vqvae.h"
#include "nn/buffer.h"
#include "nn/nearest.h"

#include <omp.h>
#include <stdlib.h>

static void place(ev_vqvae_workspace *w, const ev_vqvae *model, ev_carve *carve)
{
    const ev_vqvae_config *c = &model->config;
    const size_t vectors = ev_size_product(w->B, ev_size_product(model->N, c->J));
    const size_t outputs = ev_size_product(w->B, model->E);
    size_t scratch[] = {ev_conv_net_scratch_size(&model->encoder, w->threads),
                        ev_conv_net_scratch_size(&model->decoder, w->threads)};
    ev_conv_net_place(&model->encoder, w->B, &w->encoder, carve);
    ev_conv_net_place(&model->decoder, w->B, &w->decoder, carve);
    w->scratch.threads = w->threads;
    w->scratch.memory = ev_carve_take(carve, scratch[0] > scratch[1] ? scratch[0] : scratch[1]);
    w->search = ev_carve_take(carve, ev_nearest_scratch_size(c->K, w->threads));
    w->z_q = ev_carve_take(carve, vectors);
    w->d_z_q = ev_carve_take(carve, vectors);
    w->d_z = ev_carve_take(carve, vectors);
    w->out = ev_carve_take(carve, outputs);
    w->d_out = ev_carve_take(carve, outputs);
    w->d_raw = ev_carve_take(carve, outputs);
    w->terms = ev_carve_take(carve, ev_size_product(w->B, EV_VQ_TERMS));
    w->z = w->encoder.out[model->encoder.depth - 1];
    w->raw = w->decoder.out[model->decoder.depth - 1];
}

ev_status ev_vqvae_workspace_create(ev_vqvae_workspace *w, const ev_vqvae *model, size_t B,
                                    size_t threads, ev_error *error)
{
    const size_t K = model->config.K, J = model->config.J;
    *w = (ev_vqvae_workspace){.B = B,
                              .threads = threads > 0 ? threads : (size_t)omp_get_max_threads()};
    if (B == 0)
        return ev_error_set(error, EV_BAD_INPUT, "a batch has no images");
    ev_status status = ev_conv_net_check(&model->encoder, B, error);
    if (status == EV_OK)
        status = ev_conv_net_check(&model->decoder, B, error);
    if (status != EV_OK)
        return status;
    ev_carve carve = {NULL, 0};
    place(w, model, &carve);
    w->memory = ev_buffer_create(carve.used);
    w->index = calloc(ev_size_product(B, model->N), sizeof *w->index);
    w->n = calloc(K, sizeof *w->n);
    w->s = calloc(ev_size_product(K, J), sizeof *w->s);
    w->revived = calloc(K, sizeof *w->revived);
    if (w->memory == NULL || w->index == NULL || w->n == NULL || w->s == NULL ||
        w->revived == NULL) {
        ev_vqvae_workspace_destroy(w);
        return ev_error_set(error, EV_NO_MEMORY, "out of memory for a batch of %zu images", B);
    }
    place(w, model, &(ev_carve){w->memory, 0});
    return EV_OK;
}

void ev_vqvae_workspace_destroy(ev_vqvae_workspace *w)
{
    free(w->memory);
    free(w->index);
    free(w->n);
    free(w->s);
    free(w->revived);
    *w = (ev_vqvae_workspace){0};
}
