#include "train/vqvae_evaluation.h"

#include "data/png.h"
#include "nn/buffer.h"
#include "probability/log_space.h"
#include "train/grey_levels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static ev_status no_memory(ev_error *error)
{
    return ev_error_set(error, EV_NO_MEMORY, "out of memory for an evaluation");
}

/* E[x|z_q] of what was decoded last. */
static void means(ev_vqvae_trainer *t, size_t n, float *x)
{
    for (size_t b = 0; b < n; b++)
        ev_likelihood_mean(t->config.model.likelihood, t->model.D, t->w.out + b * t->model.E,
                           x + b * t->model.D);
}

void ev_vqvae_codes_of(ev_vqvae_run *run, size_t n, const float *x, uint32_t *codes)
{
    ev_vqvae_trainer *t = &run->trainer;
    ev_vqvae_encode(&t->model, t->autoencoder.parameters, n, x, &t->w);
    ev_vqvae_quantise(&t->model, t->autoencoder.parameters, n, &t->w);
    memcpy(codes, t->w.index, n * t->model.N * sizeof *codes);
}

void ev_vqvae_images_of(ev_vqvae_run *run, size_t n, const uint32_t *codes, float *x)
{
    ev_vqvae_trainer *t = &run->trainer;
    const float *dictionary = t->autoencoder.parameters + t->model.codebook;
    ev_codebook_look_up(t->config.model.J, dictionary, n * t->model.N, codes, t->w.z_q);
    ev_vqvae_decode(&t->model, t->autoencoder.parameters, n, &t->w);
    means(t, n, x);
}

/* --- Numbers ------------------------------------------------------------------------------- */

typedef struct {
    double loss[EV_VQ_TERMS], levels, prior, error, sum, squares;
} totals;

/* -log P(grey levels|z_q) of what was decoded last, summed over n images. */
static double level_nats(const ev_vqvae_trainer *t, size_t n, const ev_vqvae_loss *loss)
{
    const size_t D = t->model.D, E = t->model.E;
    double sum = 0;
    if (t->config.model.likelihood != EV_LIKELIHOOD_GAUSSIAN)
        return (double)n * loss->term[EV_VQ_RECONSTRUCTION];
#pragma omp parallel for schedule(static) num_threads((int)t->w.threads)
    for (size_t b = 0; b < n; b++)
        t->w.terms[b] = (float)-ev_grey_levels_log_mass(D, t->x + b * D, t->w.out + b * E);
    for (size_t b = 0; b < n; b++)
        sum += (double)t->w.terms[b];
    return sum;
}

static void add_pixels(size_t n, const float *x, const float *mean, totals *all)
{
    for (size_t i = 0; i < n; i++) {
        double at = (double)x[i], off = at - (double)mean[i];
        all->error += off * off;
        all->sum += at;
        all->squares += at * at;
    }
}

static void add_batch(ev_vqvae_trainer *t, size_t n, float *mean, double *counts, totals *all)
{
    const size_t D = t->model.D;
    ev_vqvae_loss loss = ev_vqvae_forward(&t->model, t->autoencoder.parameters, n, t->x, &t->w);
    means(t, n, mean);
    add_pixels(n * D, t->x, mean, all);
    for (size_t i = 0; i < EV_VQ_TERMS; i++)
        all->loss[i] += (double)n * loss.term[i];
    all->levels += level_nats(t, n, &loss);
    for (size_t i = 0; i < n * t->model.N; i++)
        counts[t->w.index[i]]++;
    all->prior -= (double)n * ev_code_prior_forward(&t->prior, t->over_codes.parameters, n,
                                                    t->w.index, &t->prior_w);
}

static ev_vqvae_evaluation summary(const ev_vqvae_trainer *t, size_t n, const totals *all,
                                   const double *counts)
{
    const size_t K = t->config.model.K;
    const double images = (double)n, pixels = images * (double)t->model.D;
    const double mean = all->sum / pixels, nats_a_bit = (double)t->model.D * EV_LOG_2;
    ev_vqvae_evaluation e = {.images = n,
                             .squared_error = all->error / pixels,
                             .variance = all->squares / pixels - mean * mean,
                             .perplexity = ev_codebook_perplexity(K, counts),
                             .used = ev_codebook_used(K, counts),
                             .level_nats = all->levels / images,
                             .prior_nats = all->prior / images,
                             .uniform_nats = (double)t->model.N * log((double)K)};
    for (size_t i = 0; i < EV_VQ_TERMS; i++)
        e.loss.term[i] = all->loss[i] / images;
    e.bits = (e.level_nats + e.prior_nats) / nats_a_bit;
    e.uniform_bits = (e.level_nats + e.uniform_nats) / nats_a_bit;
    return e;
}

ev_status ev_vqvae_evaluate(ev_vqvae_run *run, ev_vqvae_evaluation *found, double *counts,
                            ev_error *error)
{
    ev_vqvae_trainer *t = &run->trainer;
    const ev_image_source *test = &run->test.source;
    const size_t B = t->config.batch, K = t->config.model.K;
    totals all = {{0}, 0, 0, 0, 0, 0};
    float *mean = ev_buffer_create(ev_size_product(B, t->model.D));
    double *own = calloc(K, sizeof *own);
    ev_status status = mean == NULL || own == NULL ? no_memory(error) : EV_OK;
    for (size_t first = 0; status == EV_OK && first < test->count; first += B) {
        size_t n = test->count - first < B ? test->count - first : B;
        test->in_order(test->context, first, n, t->x);
        add_batch(t, n, mean, own, &all);
    }
    if (status == EV_OK)
        *found = summary(t, test->count, &all, own);
    if (status == EV_OK && counts != NULL)
        memcpy(counts, own, K * sizeof *own);
    free(mean);
    free(own);
    return status;
}

/* --- Pictures ------------------------------------------------------------------------------ */

/* codes (n,N) as images, in pieces of a batch; levels (n,D). */
static ev_status levels_of(ev_vqvae_run *run, size_t n, const uint32_t *codes, uint8_t *levels,
                           ev_error *error)
{
    const size_t B = run->trainer.config.batch, D = run->trainer.model.D, N = run->trainer.model.N;
    float *x = ev_buffer_create(ev_size_product(B, D));
    if (x == NULL)
        return no_memory(error);
    for (size_t first = 0; first < n; first += B) {
        size_t take = n - first < B ? n - first : B;
        ev_vqvae_images_of(run, take, codes + first * N, x);
        ev_png_levels(take * D, x, levels + first * D);
    }
    free(x);
    return EV_OK;
}

static ev_status write_sheet(const ev_vqvae_run *run, const char *path, size_t rows, size_t columns,
                             size_t n, const uint8_t *levels, ev_error *error)
{
    const ev_png_sheet sheet = {.rows = rows,
                                .columns = columns,
                                .height = run->images.height,
                                .width = run->images.width,
                                .channels = 1,
                                .gap = 2,
                                .zoom = 1};
    return ev_png_write_sheet(path, &sheet, n, levels, error);
}

/* The images of n grids of codes in a sheet. */
static ev_status draw_codes(ev_vqvae_run *run, const char *path, size_t rows, size_t columns,
                            size_t n, const uint32_t *codes, ev_error *error)
{
    uint8_t *levels = calloc(n, run->trainer.model.D);
    ev_status status = levels == NULL ? no_memory(error) : levels_of(run, n, codes, levels, error);
    if (status == EV_OK)
        status = write_sheet(run, path, rows, columns, n, levels, error);
    free(levels);
    return status;
}

ev_status ev_vqvae_draw_samples(ev_vqvae_run *run, const char *path, size_t rows, size_t columns,
                                uint64_t seed, ev_error *error)
{
    ev_vqvae_trainer *t = &run->trainer;
    const size_t n = rows * columns, B = t->config.batch, N = t->model.N;
    uint32_t *codes = calloc(ev_size_product(n, N), sizeof *codes);
    if (codes == NULL)
        return no_memory(error);
    for (size_t first = 0; first < n; first += B)
        ev_code_prior_sample(&t->prior, t->over_codes.parameters, seed, first,
                             n - first < B ? n - first : B, codes + first * N, &t->prior_w);
    ev_status status = draw_codes(run, path, rows, columns, n, codes, error);
    free(codes);
    return status;
}

ev_status ev_vqvae_draw_codebook(ev_vqvae_run *run, const char *path, ev_error *error)
{
    const size_t K = run->trainer.config.model.K, N = run->trainer.model.N;
    const size_t columns = K < 32 ? K : 32, rows = (K + columns - 1) / columns;
    uint32_t *codes = calloc(ev_size_product(K, N), sizeof *codes);
    if (codes == NULL)
        return no_memory(error);
    for (size_t i = 0; i < K * N; i++)
        codes[i] = (uint32_t)(i / N);
    ev_status status = draw_codes(run, path, rows, columns, K, codes, error);
    free(codes);
    return status;
}

/* Row by row: `columns` images and below them what the decoder makes of their codes. */
static ev_status reconstruct(ev_vqvae_run *run, size_t rows, size_t columns, uint8_t *levels,
                             float *x, uint32_t *codes)
{
    const ev_image_source *test = &run->test.source;
    const size_t D = run->trainer.model.D;
    for (size_t row = 0; row < rows; row++) {
        test->in_order(test->context, row * columns, columns, x);
        ev_png_levels(columns * D, x, levels + 2 * row * columns * D);
        ev_vqvae_codes_of(run, columns, x, codes);
        ev_vqvae_images_of(run, columns, codes, x);
        ev_png_levels(columns * D, x, levels + (2 * row + 1) * columns * D);
    }
    return EV_OK;
}

ev_status ev_vqvae_draw_reconstructions(ev_vqvae_run *run, const char *path, size_t rows,
                                        size_t columns, ev_error *error)
{
    const size_t D = run->trainer.model.D, N = run->trainer.model.N;
    size_t most = run->trainer.config.batch < run->test.source.count ? run->trainer.config.batch
                                                                     : run->test.source.count;
    columns = columns < most ? columns : most;
    while (rows > 1 && rows * columns > run->test.source.count)
        rows--;
    uint8_t *levels = calloc(ev_size_product(2 * rows, columns), D);
    float *x = ev_buffer_create(ev_size_product(columns, D));
    uint32_t *codes = calloc(ev_size_product(columns, N), sizeof *codes);
    ev_status status = levels == NULL || x == NULL || codes == NULL
                           ? no_memory(error)
                           : reconstruct(run, rows, columns, levels, x, codes);
    if (status == EV_OK)
        status = write_sheet(run, path, 2 * rows, columns, 2 * rows * columns, levels, error);
    free(levels);
    free(x);
    free(codes);
    return status;
}
