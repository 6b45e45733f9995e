/* Training the GMVAE with the network of the `paper` preset, 784-500-500-2000-10 and its mirror image,
 * on two threads.
 *
 * 1. The peak: sgemm at 2048^3, its rows split over the threads, one BLAS thread a call.
 * 2. Whole epochs on the default images, batches drawn and Adam included, as a share of that peak:
 *    6 sum(in out) = 20.1 MFLOP an image.  Peak and epochs take turns, of each the best counts.
 * 3. The same in PyTorch (torch_gmvae.py) where python3-torch is there: as installed, with one thread
 *    a BLAS call, and with the OpenMP variant of OpenBLAS where libopenblas0-openmp is there.
 * 4. What a step costs by batch, latent dimensions and clusters; what gamma and the mixture add.
 * 5. The largest memory of the process after training at batch 256. */
#include "bench.h"
#include "data/image_set.h"
#include "nn/buffer.h"
#include "nn/dense.h"
#include "nn/float_math.h"
#include "train/split_source.h"
#include "train/trainer.h"

#include <cblas.h>
#include <omp.h>
#include <sys/resource.h>

enum { SIZE = 2048, TURNS = 2 };

static const size_t BATCHES[] = {100, 256};
static const double SHARES[] = {60.0, 75.0}, AT_BEST[] = {1.8, 1.5};

static void fail(const ev_error *error)
{
    fprintf(stderr, "bench_train: %s\n", error->message);
    exit(3);
}

/* --- The peak ------------------------------------------------------------------------------ */

static void fill(size_t n, float *a)
{
    for (size_t i = 0; i < n; i++)
        a[i] = (float)(i % 17) / 17.0F - 0.5F;
}

/* GFLOP/s of one product over two threads. */
static double sgemm_once(const float *a, const float *b, float *c)
{
    const double start = bench_clock();
#pragma omp parallel for schedule(static)
    for (int half = 0; half < 2; half++) {
        size_t first = (size_t)half * SIZE / 2 * SIZE;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIZE / 2, SIZE, SIZE, 1.0F,
                    a + first, SIZE, b, SIZE, 0.0F, c + first, SIZE);
    }
    return 2.0 * SIZE * SIZE * SIZE / (bench_clock() - start) / 1e9;
}

static double peak(void)
{
    const size_t n = (size_t)SIZE * SIZE;
    float *memory = ev_buffer_create(3 * n);
    double best = 0.0;
    if (memory == NULL)
        return 0.0;
    fill(2 * n, memory);
    for (int turn = 0; turn < 8; turn++)
        best = fmax(best, sgemm_once(memory, memory + n, memory + 2 * n));
    free(memory);
    return best;
}

/* --- Epochs -------------------------------------------------------------------------------- */

static ev_train_config paper(size_t batch, size_t J, size_t K)
{
    return (ev_train_config){
        .model = {.D = 784, .J = J, .K = K, .layers = 3, .hidden = {500, 500, 2000}, .samples = 1},
        .seed = 1,
        .batch = batch,
        .epochs = 1000,
        .rate = 0.001,
        .autoencoder_rate = 0.001,
        .adam = EV_ADAM_DEFAULT};
}

/* Seconds of so many steps. */
static double steps(ev_trainer *t, size_t count)
{
    ev_error error = EV_ERROR_NONE;
    ev_elbo elbo;
    const double start = bench_clock();
    for (size_t i = 0; i < count; i++) {
        ev_trainer_draw(t);
        if (ev_trainer_gradient(t, &elbo, &error) != EV_OK)
            fail(&error);
        ev_trainer_update(t);
    }
    return bench_clock() - start;
}

static void create(ev_trainer *t, const ev_train_config *config, const ev_split_source *images)
{
    ev_error error = EV_ERROR_NONE;
    if (ev_trainer_create(t, config, &images->source, &error) != EV_OK)
        fail(&error);
}

static double flop_an_image(const ev_gmvae *model)
{
    double sum = 0.0;
    for (size_t l = 0; l < model->encoder.depth; l++)
        sum += 6.0 * (double)(model->encoder.width[l] * model->encoder.width[l + 1]);
    for (size_t l = 0; l < model->decoder.depth; l++)
        sum += 6.0 * (double)(model->decoder.width[l] * model->decoder.width[l + 1]);
    return sum;
}

/* The best of a few epochs, and the best peak around them. */
static double epoch(const ev_split_source *images, size_t batch, double *gflops, double *share)
{
    const ev_train_config config = paper(batch, 10, 10);
    ev_trainer t;
    double best = HUGE_VAL, top = peak();
    create(&t, &config, images);
    steps(&t, 20); /* warm */
    for (int turn = 0; turn < TURNS; turn++) {
        best = fmin(best, steps(&t, t.epoch_steps));
        top = fmax(top, peak());
    }
    *gflops = flop_an_image(&t.model) * (double)(t.epoch_steps * batch) / best / 1e9;
    *share = 100.0 * *gflops / top;
    printf("  batch %-4zu  %6.2f s an epoch   %5.1f GFLOP/s of %5.1f\n", batch, best, *gflops, top);
    ev_trainer_destroy(&t);
    return best;
}

/* --- The peer ------------------------------------------------------------------------------ */

static const struct {
    const char *what, *threads, *library;
} CONFIGURATIONS[] = {{"as installed", "", ""},
                      {"OPENBLAS_NUM_THREADS=1", "1", ""},
                      {"libopenblas0-openmp", "", "/usr/lib/x86_64-linux-gnu/openblas-openmp"}};
enum { WAYS = sizeof CONFIGURATIONS / sizeof *CONFIGURATIONS };

static void set_or_unset(const char *name, const char *value)
{
    if (*value == '\0')
        unsetenv(name);
    else
        setenv(name, value, 1);
}

/* Seconds an epoch in each configuration, HUGE_VAL where it is not to be had. */
static bool peer(size_t batch, double seconds[WAYS])
{
    bool any = false;
    const char *torch = getenv("EV_TORCH");
    if (torch == NULL || *torch == '\0')
        return false;
    setenv("EV_PYTHON", torch, 1);
    for (size_t i = 0; i < WAYS; i++) {
        char how[BENCH_WORDS];
        seconds[i] = HUGE_VAL;
        set_or_unset("OPENBLAS_NUM_THREADS", CONFIGURATIONS[i].threads);
        set_or_unset("LD_LIBRARY_PATH", CONFIGURATIONS[i].library);
        if (!bench_peer("torch_gmvae", batch, 1, &seconds[i], how)) {
            seconds[i] = HUGE_VAL;
            continue;
        }
        any = true;
        printf("  batch %-4zu  %6.2f s an epoch   %s, %s\n", batch, seconds[i], how,
               CONFIGURATIONS[i].what);
    }
    unsetenv("OPENBLAS_NUM_THREADS");
    unsetenv("LD_LIBRARY_PATH");
    return any;
}

static bool compare(size_t at, double ours)
{
    double seconds[WAYS], best = HUGE_VAL;
    if (!peer(BATCHES[at], seconds))
        return true;
    for (size_t i = 0; i < WAYS; i++)
        best = fmin(best, seconds[i]);
    bool met = bench_target("ratio to PyTorch at its best", best / ours, AT_BEST[at]);
    return bench_target("ratio to it as installed", seconds[0] / ours, 5) && met;
}

/* --- Tables -------------------------------------------------------------------------------- */

/* Milliseconds a step, the best of a few runs of steps. */
static double step_cost(const ev_split_source *images, size_t batch, size_t J, size_t K)
{
    const ev_train_config config = paper(batch, J, K);
    ev_trainer t;
    double best = HUGE_VAL;
    create(&t, &config, images);
    for (int turn = 0; turn < 5; turn++)
        best = fmin(best, steps(&t, 10) / 10.0);
    ev_trainer_destroy(&t);
    return 1e3 * best;
}

static void scaling(const ev_split_source *images)
{
    static const size_t batches[] = {32, 64, 100, 256, 512, 1024};
    static const size_t latent[] = {2, 10, 50, 200}, clusters[] = {1, 10, 100, 1000};
    printf("  milliseconds a step\n    batch     ");
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++)
        printf("  %zu: %.2f", batches[i], step_cost(images, batches[i], 10, 10));
    printf("   (J = 10, K = 10)\n    latent J  ");
    for (size_t i = 0; i < sizeof latent / sizeof *latent; i++)
        printf("  %zu: %.2f", latent[i], step_cost(images, 100, latent[i], 10));
    printf("   (batch 100, K = 10)\n    clusters K");
    for (size_t i = 0; i < sizeof clusters / sizeof *clusters; i++)
        printf("  %zu: %.2f", clusters[i], step_cost(images, 100, 10, clusters[i]));
    printf("   (batch 100, J = 10)\n");
}

/* One pass over all that knows of clusters, forward and backward, as models/gmvae_*.c do it. */
static void mixture(const ev_gmvae *m, size_t B, const float *parameters, ev_gmvae_workspace *w,
                    float *gradient)
{
    const size_t J = m->config.J, K = m->config.K;
    ev_prior_prepare(&w->prior, parameters + m->prior_logits, parameters + m->prior_mu,
                     parameters + m->prior_log_var);
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < B; b++) {
        ev_prior_expected_log_density(&w->prior, w->mu + b * J, w->var + b * J, w->e + b * K);
        ev_gamma_optimal(&w->prior, w->e + b * K, w->log_gamma + b * K);
        ev_float_exp(K, w->log_gamma + b * K, w->gamma + b * K);
        ev_prior_backward_row(&w->prior, w->mu + b * J, w->gamma + b * K, w->d_mu + b * J,
                              w->d_var + b * J);
    }
    ev_prior_backward(&w->prior, B, w->mu, w->var, w->gamma, 1.0F, gradient + m->prior_logits,
                      gradient + m->prior_mu, gradient + m->prior_log_var);
}

static double mixture_seconds(size_t B, size_t J, size_t K)
{
    const ev_train_config config = paper(B, J, K);
    ev_gmvae model;
    ev_gmvae_workspace w;
    ev_error error = EV_ERROR_NONE;
    if (ev_gmvae_create(&model, &config.model, &error) != EV_OK ||
        ev_gmvae_workspace_create(&w, &model, B, &error) != EV_OK)
        fail(&error);
    float *p = ev_buffer_create(model.layout.size), *g = ev_buffer_create(model.layout.size);
    if (p == NULL || g == NULL)
        exit(3);
    ev_gmvae_initialise(&model, 1, p);
    double best = HUGE_VAL;
    for (int turn = 0; turn < 50; turn++) {
        const double start = bench_clock();
        mixture(&model, B, p, &w, g);
        best = fmin(best, bench_clock() - start);
    }
    free(p);
    free(g);
    ev_gmvae_workspace_destroy(&w);
    return best;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    ev_image_set set;
    ev_split_source images;
    ev_error error = EV_ERROR_NONE;
    const ev_pixel_source how = {EV_BINARISE_NONE, 1, 0};
    char file[1100];
    bool met = true;
    if (ev_image_set_read(ev_image_set_default_folder(), &set, &error) != EV_OK) {
        printf("Training: %s: no benchmark\n", error.message);
        return 0;
    }
    if (ev_split_source_create(&images, &set.train, set.D, &how, &error) != EV_OK)
        fail(&error);
    snprintf(file, sizeof file, "%s/train-images-idx3-ubyte.gz", ev_image_set_default_folder());
    setenv("EV_BENCH_IMAGES", file, 1);
    omp_set_num_threads(2);
    ev_dense_prepare();

    printf("Training the GMVAE 784-500-500-2000-10, two threads, %zu images\n", set.train.N);
    for (size_t i = 0; i < 2; i++) {
        double gflops, share, ours = epoch(&images, BATCHES[i], &gflops, &share);
        met = bench_target("percent of sgemm's peak", share, SHARES[i]) && met;
        met = compare(i, ours) && met;
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("  largest memory             %8.0f MB (target: below 600)\n",
           (double)usage.ru_maxrss / 1024.0);
    met = met && usage.ru_maxrss < 600 * 1024;
    scaling(&images);
    const double part = 1e5 * mixture_seconds(100, 10, 100) / step_cost(&images, 100, 10, 100);
    printf("  gamma and the mixture take %8.2f %% of a step at K = 100, J = 10 (target: below 5)\n",
           part);
    ev_split_source_destroy(&images);
    ev_image_set_free(&set);
    return met && part < 5.0 ? 0 : 1;
}
