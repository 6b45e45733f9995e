#include "train/pictures.h"

#include "data/png.h"
#include "nn/buffer.h"
#include "numerics/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What both pictures need: a workspace for n images, and n images out of it. */
typedef struct {
    const ev_gmvae *model;
    const float *parameters;
    ev_gmvae_workspace w;
    size_t n;
    float *x, *noise; /* (n,D), (n,M,J) */
    uint8_t *levels;  /* (2 n,D) */
} studio;

static ev_status open_studio(studio *s, size_t n, ev_error *error)
{
    const ev_gmvae_config *c = &s->model->config;
    ev_status status = ev_gmvae_workspace_create(&s->w, s->model, n, error);
    s->n = n;
    s->x = ev_buffer_create(ev_size_product(n, c->D));
    s->noise = ev_buffer_create(ev_size_product(n, s->model->M * c->J));
    s->levels = calloc(ev_size_product(2, n), c->D);
    if (status == EV_OK && (s->x == NULL || s->noise == NULL || s->levels == NULL))
        status = ev_error_set(error, EV_NO_MEMORY, "out of memory for pictures");
    return status;
}

static void close_studio(studio *s)
{
    ev_gmvae_workspace_destroy(&s->w);
    free(s->x);
    free(s->noise);
    free(s->levels);
}

/* E[x|z] of the workspace's n rows of z, into x. */
static void draw(studio *s)
{
    const ev_gmvae_config *c = &s->model->config;
    ev_gmvae_decode(s->model, s->parameters, s->n, s->w.z, &s->w);
    for (size_t i = 0; i < s->n; i++)
        ev_likelihood_mean(c->likelihood, c->D, s->w.out + i * s->model->E, s->x + i * c->D);
}

/* z = mu_c + exp(log_var_c/2) eps. */
static void sample_prior(studio *s, size_t c, size_t row, uint64_t seed, size_t columns)
{
    const ev_prior *prior = &s->w.prior;
    const size_t J = prior->J, K = prior->K;
    const ev_stream stream = ev_stream_make(seed, ev_hash_text("samples"), (uint32_t)row, 0);
    for (size_t i = 0; i < columns; i++) {
        double eps[EV_GMVAE_LATENT];
        ev_stream_normals(&stream, i * J, J, eps);
        for (size_t j = 0; j < J; j++)
            s->w.z[(row * columns + i) * J + j] = prior->mu[j * K + c] +
                                                  (float)eps[j] /
                                                      sqrtf(prior->precision[j * K + c]);
    }
}

ev_status ev_pictures_samples(const char *path, const ev_gmvae *model, const float *parameters,
                              ev_picture_size size, size_t columns, uint64_t seed, ev_error *error)
{
    const size_t K = model->config.K, rows = K == 1 ? columns : K;
    studio s = {.model = model, .parameters = parameters};
    ev_status status = open_studio(&s, rows * columns, error);
    if (status == EV_OK) {
        /* A pass over empty images prepares the prior. */
        ev_gmvae_encode(model, parameters, 1, s.x, s.noise, &s.w);
        for (size_t row = 0; row < rows; row++)
            sample_prior(&s, K == 1 ? 0 : row, row, seed, columns);
        draw(&s);
        ev_png_levels(s.n * model->config.D, s.x, s.levels);
        const ev_png_sheet sheet = {rows, columns, size.height, size.width, 1, 2, 2, 0};
        status = ev_png_write_sheet(path, &sheet, s.n, s.levels, error);
    }
    close_studio(&s);
    return status;
}

/* Rows of originals and of reconstructions in turn. */
static void interleave(studio *s, size_t columns, size_t from)
{
    const size_t D = s->model->config.D, rows = s->n / columns;
    for (size_t row = 0; row < rows; row++)
        ev_png_levels(columns * D, s->x + row * columns * D,
                      s->levels + (2 * row + from) * columns * D);
}

ev_status ev_pictures_reconstructions(const char *path, const ev_gmvae *model,
                                      const float *parameters, const ev_image_source *images,
                                      ev_picture_size size, size_t rows, size_t columns,
                                      ev_error *error)
{
    studio s = {.model = model, .parameters = parameters};
    while (rows > 1 && rows * columns > images->count)
        rows--;
    columns = columns < images->count ? columns : images->count;
    ev_status status = open_studio(&s, rows * columns, error);
    if (status == EV_OK) {
        images->in_order(images->context, 0, s.n, s.x);
        interleave(&s, columns, 0);
        ev_gmvae_encode(model, parameters, s.n, s.x, s.noise, &s.w);
        memcpy(s.w.z, s.w.mu, s.n * model->config.J * sizeof(float));
        draw(&s);
        interleave(&s, columns, 1);
        const ev_png_sheet sheet = {2 * rows, columns, size.height, size.width, 1, 2, 2, 0};
        status = ev_png_write_sheet(path, &sheet, 2 * s.n, s.levels, error);
    }
    close_studio(&s);
    return status;
}
