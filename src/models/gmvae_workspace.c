#include "models/gmvae.h"
#include "nn/buffer.h"

#include <stdlib.h>

static void place_prior(ev_prior *prior, const ev_gmvae_config *c, ev_carve *carve)
{
    prior->J = c->J;
    prior->K = c->K;
    prior->log_pi = ev_carve_take(carve, c->K);
    prior->constant = ev_carve_take(carve, c->K);
    prior->mu = ev_carve_take(carve, c->J * c->K);
    prior->precision = ev_carve_take(carve, c->J * c->K);
    prior->inside = ev_carve_take(carve, c->J * c->K);
}

static void place_networks(ev_gmvae_workspace *w, const ev_gmvae *model, size_t B, ev_carve *carve)
{
    const ev_mlp *encoder = &model->encoder, *decoder = &model->decoder;
    size_t decoded = ev_size_product(B, model->config.samples);
    for (size_t l = 0; l < encoder->depth; l++)
        w->encoder[l] = ev_carve_take(carve, ev_size_product(B, encoder->width[l + 1]));
    for (size_t l = 0; l < decoder->depth; l++)
        w->decoder[l] = ev_carve_take(carve, ev_size_product(decoded, decoder->width[l + 1]));
    w->raw = w->encoder[encoder->depth - 1];
    w->out = w->decoder[decoder->depth - 1];
    w->d_raw = ev_carve_take(carve, ev_size_product(B, model->R));
    w->d_out = ev_carve_take(carve, ev_size_product(decoded, model->E));
    for (size_t i = 0; i < 2; i++)
        w->scratch[i] = ev_carve_take(carve, ev_size_product(decoded, ev_mlp_widest(decoder)));
    w->work = ev_carve_take(
        carve, ev_size_larger(ev_mlp_work_size(encoder, B), ev_mlp_work_size(decoder, decoded)));
}

static void place(ev_gmvae_workspace *w, const ev_gmvae *model, size_t B, ev_carve *carve)
{
    const size_t J = model->config.J, K = model->config.K;
    const size_t points = ev_size_product(B, model->S),
                 z = ev_size_product(B, model->config.samples);
    w->B = B;
    place_prior(&w->prior, &model->config, carve);
    place_networks(w, model, B, carve);
    struct {
        float **array;
        size_t rows, width;
    } arrays[] = {{&w->mu, B, J},
                  {&w->var, B, J},
                  {&w->d_mu, B, J},
                  {&w->d_var, B, J},
                  {&w->scale, B, model->scale_size},
                  {&w->d_scale, B, model->scale_size},
                  {&w->z, z, J},
                  {&w->d_z, z, J},
                  {&w->e, B, K},
                  {&w->log_gamma, B, K},
                  {&w->gamma, B, K},
                  {&w->points, points, J},
                  {&w->d_points, points, J},
                  {&w->log_r, points, K},
                  {&w->weight, points, K},
                  {&w->terms, B, EV_ELBO_TERMS}};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        *arrays[i].array = ev_carve_take(carve, ev_size_product(arrays[i].rows, arrays[i].width));
}

ev_status ev_gmvae_workspace_create(ev_gmvae_workspace *w, const ev_gmvae *model, size_t B,
                                    ev_error *error)
{
    *w = (ev_gmvae_workspace){0};
    if (B == 0)
        return ev_error_set(error, EV_BAD_INPUT, "a batch has no samples");
    ev_carve carve = {NULL, 0};
    place(w, model, B, &carve);
    float *memory = ev_buffer_create(carve.used);
    if (memory == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "out of memory for a batch of %zu samples", B);
    place(w, model, B, &(ev_carve){memory, 0});
    w->memory = memory;
    w->size = carve.used;
    return EV_OK;
}

void ev_gmvae_workspace_destroy(ev_gmvae_workspace *w)
{
    free(w->memory);
    *w = (ev_gmvae_workspace){0};
}
