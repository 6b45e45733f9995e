/* Training the VQ-VAE with its default network (28 x 28 images, 64 channels, 512 codes of 64
 * dimensions by moving average) at batch 128, on two threads: whole steps, Adam and the codes'
 * averages included, batches not drawn.
 *
 * 1. The peak: sgemm at 1024^3, its rows split over the threads, one BLAS thread a call.
 * 2. Images a second, and the convolutions' and the search's operations as a share of that peak.
 * 3. The same network in PyTorch (torch_vqvae.py), where python3-torch is there, with images in
 *    either order of its axes, as installed and with one thread a BLAS call; its best counts. */
#include "bench.h"
#include "models/vqvae.h"
#include "nn/adam.h"
#include "nn/buffer.h"

#include <cblas.h>
#include <omp.h>

enum { BATCH = 128, SIZE = 1024, STEPS = 12, TURNS = 3, THREADS = 2 };

static void *checked(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "bench_conv: out of memory\n");
        exit(3);
    }
    return memory;
}

static void must(ev_status status, const ev_error *error)
{
    if (status != EV_OK) {
        fprintf(stderr, "bench_conv: %s\n", error->message);
        exit(3);
    }
}

/* The most GFLOP/s of a few products. */
static double peak(void)
{
    const size_t n = (size_t)SIZE * SIZE;
    float *a = checked(ev_buffer_create(3 * n)), *b = a + n, *c = b + n;
    double best = 0;
    for (size_t i = 0; i < 2 * n; i++)
        a[i] = (float)(i % 17) / 17.0F - 0.5F;
    for (int turn = 0; turn < 10; turn++) {
        const double start = bench_clock();
#pragma omp parallel for schedule(static) num_threads(THREADS)
        for (int part = 0; part < THREADS; part++) {
            size_t first = (size_t)(part * SIZE / THREADS) * SIZE;
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIZE / THREADS, SIZE, SIZE, 1.0F,
                        a + first, SIZE, b, SIZE, 0.0F, c + first, SIZE);
        }
        best = fmax(best, 2.0 * SIZE * SIZE * SIZE / (bench_clock() - start) / 1e9);
    }
    free(a);
    return best;
}

static double flop_of(const ev_conv_net *net)
{
    double sum = 0;
    for (size_t l = 0; l < net->depth; l++)
        for (size_t i = 0; i < (net->stage[l].kind == EV_STAGE_RESIDUAL ? 2u : 1u); i++) {
            const ev_conv *c = &net->stage[l].conv[i];
            sum += 2.0 * (double)(ev_conv_out_height(c) * ev_conv_out_width(c) * ev_conv_taps(c) *
                                  c->filters);
        }
    return sum;
}

/* Forward, by the input, by the weights; the first layer has no gradient by its input. */
static double flop_an_image(const ev_vqvae *m)
{
    ev_conv_net first = m->encoder;
    first.depth = 1;
    return 3 * (flop_of(&m->encoder) + flop_of(&m->decoder)) - flop_of(&first) +
           2.0 * (double)(m->N * m->config.K * m->config.J);
}

typedef struct {
    ev_vqvae model;
    ev_vqvae_workspace w;
    ev_codebook_average average;
    float *x, *parameters, *gradient, *m, *v;
    uint64_t t;
} run;

static void create(run *r)
{
    ev_error error = EV_ERROR_NONE;
    *r = (run){.t = 0};
    must(ev_vqvae_create(&r->model, &ev_vqvae_default, &error), &error);
    must(ev_vqvae_workspace_create(&r->w, &r->model, BATCH, THREADS, &error), &error);
    const size_t n = r->model.layout.size, K = r->model.config.K, J = r->model.config.J;
    r->parameters = checked(ev_buffer_create(n));
    r->gradient = checked(ev_buffer_create(n));
    r->m = checked(ev_buffer_create(n));
    r->v = checked(ev_buffer_create(n));
    r->x = checked(ev_buffer_create(BATCH * r->model.D));
    r->average.counts = checked(ev_buffer_create(K));
    r->average.sums = checked(ev_buffer_create(K * J));
    ev_vqvae_initialise(&r->model, 1, r->parameters);
    for (size_t i = 0; i < BATCH * r->model.D; i++)
        r->x[i] = (float)(i * 7919 % 1000) / 1000.0F;
}

static void destroy(run *r)
{
    ev_vqvae_workspace_destroy(&r->w);
    free(r->parameters), free(r->gradient), free(r->m), free(r->v), free(r->x);
    free(r->average.counts), free(r->average.sums);
}

static void step(run *r)
{
    const ev_adam adam = EV_ADAM_DEFAULT;
    (void)ev_vqvae_forward(&r->model, r->parameters, BATCH, r->x, &r->w);
    ev_vqvae_backward(&r->model, r->parameters, BATCH, r->x, &r->w, r->gradient);
    ev_adam_step(&adam, ++r->t, 2e-4, r->model.layout.size, r->gradient, r->m, r->v, r->parameters);
    (void)ev_vqvae_move_codes(&r->model, BATCH, 1, &r->average, &r->w, r->parameters);
}

/* Images a second, the best of a few steps. */
static double images_a_second(run *r)
{
    double best = HUGE_VAL;
    for (int i = 0; i < STEPS; i++) {
        const double start = bench_clock();
        step(r);
        best = fmin(best, bench_clock() - start);
    }
    return BATCH / best;
}

/* The peer's best of both orders of the axes, with so many BLAS threads ("": its default). */
static double peer(const char *blas_threads, char *how)
{
    double figures[2];
    if (*blas_threads == '\0')
        unsetenv("OPENBLAS_NUM_THREADS");
    else
        setenv("OPENBLAS_NUM_THREADS", blas_threads, 1);
    bool there = bench_peer("torch_vqvae", BATCH, 2, figures, how);
    unsetenv("OPENBLAS_NUM_THREADS");
    return there ? fmax(figures[0], figures[1]) : 0;
}

int main(void)
{
    run r;
    double ours = 0, top = 0, installed = 0, one = 0;
    char how[BENCH_WORDS] = "";
    omp_set_num_threads(THREADS);
    create(&r);
    step(&r);
    for (int turn = 0; turn < TURNS; turn++) {
        top = fmax(top, peak());
        ours = fmax(ours, images_a_second(&r));
        installed = fmax(installed, peer("", how));
        one = fmax(one, peer("1", how));
    }
    double flop = flop_an_image(&r.model), best = fmax(installed, one);
    destroy(&r);
    printf("Training the VQ-VAE, %d images a batch, %d threads, %.1f MFLOP an image\n", BATCH,
           THREADS, 1e-6 * flop);
    printf("  evidence                   %8.0f images a second\n", ours);
    printf("  share of sgemm's peak      %8.0f %%  (%.0f of %.0f GFLOP/s)\n",
           1e-7 * flop * ours / top, 1e-9 * flop * ours, top);
    if (best <= 0)
        return 0;
    printf("  PyTorch, as installed      %8.0f images a second   (%s)\n", installed, how);
    printf("  PyTorch, 1 thread a BLAS   %8.0f\n", one);
    return bench_target("ratio to its best", ours / best, 1.5) ? 0 : 1;
}
