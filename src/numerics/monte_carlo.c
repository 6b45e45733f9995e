/* Monte Carlo under the standard normal.
 *
 * 1. The draws are cut into chunks; draw i's coordinate d is element i of child d of the
 *    stream, so that a chunk is the same whoever computes it.
 * 2. The first chunk is kept whole: its median is the centre about which all moments are
 *    taken, and a high quantile of |f - centre| the threshold of the tail.
 * 3. The other chunks run in parallel.  Each leaves its moments, which are merged in
 *    order, and its exceedances, of which only the set matters.
 * 4. The largest of all |f - centre| give the Pareto shape of the tail. */
#include "numerics/monte_carlo.h"

#include "numerics/moments.h"
#include "numerics/tail.h"

#include <math.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 64 * EV_BLOCK };

typedef struct {
    size_t dim, m, threads, chunks;
    ev_integrand f;
    void *context;
    uint64_t samples;
    ev_stream *coordinates; /* (dim) */
    double *memory;         /* (threads, dim + m, EV_BLOCK): what follows points into it */
    const double **x;       /* (threads, dim) */
    double **out;           /* (threads, m) */
    double *first;          /* (m, CHUNK): the first chunk's values */
    double *centre;         /* (m) */
    ev_moments *moments;    /* (chunks, m) */
    ev_power_sums *sums;    /* (threads, m): of the chunk that a thread is at */
    ev_tail *tails;         /* (threads, m) */
    atomic_bool stopped, short_of_memory;
} sampling;

static bool ended(sampling *s)
{
    return atomic_load_explicit(&s->stopped, memory_order_relaxed) ||
           atomic_load_explicit(&s->short_of_memory, memory_order_relaxed);
}

/* The block of n draws from offset, in the worker's own memory. */
static bool draw(sampling *s, size_t worker, uint64_t offset, size_t n)
{
    for (size_t d = 0; d < s->dim; d++) {
        double *x = s->memory + (worker * (s->dim + s->m) + d) * EV_BLOCK;
        ev_stream_normals(&s->coordinates[d], offset, n, x);
    }
    if (s->f(s->context, worker, n, s->x + worker * s->dim, s->out + worker * s->m) == 0)
        return true;
    atomic_store(&s->stopped, true);
    return false;
}

static size_t chunk_length(const sampling *s, size_t chunk)
{
    uint64_t left = s->samples - (uint64_t)chunk * CHUNK;
    return left < CHUNK ? (size_t)left : CHUNK;
}

static void run_first_chunk(sampling *s)
{
    size_t length = chunk_length(s, 0);
    for (size_t done = 0; done < length; done += EV_BLOCK) {
        size_t n = length - done < EV_BLOCK ? length - done : EV_BLOCK;
        if (!draw(s, 0, done, n))
            return;
        for (size_t k = 0; k < s->m; k++)
            for (size_t i = 0; i < n; i++)
                s->first[k * CHUNK + done + i] = s->out[k][i];
    }
    for (size_t k = 0; k < s->m; k++) {
        double *values = s->first + k * CHUNK;
        s->centre[k] = ev_sample_median(values, length);
        s->moments[k] = ev_moments_of(length, values, s->centre[k]);
        double threshold = ev_tail_threshold(values, length, s->centre[k], s->samples);
        for (size_t worker = 0; worker < s->threads; worker++)
            s->tails[worker * s->m + k].threshold = threshold;
        if (!ev_tail_add(&s->tails[k], length, values, s->centre[k]))
            atomic_store(&s->short_of_memory, true);
    }
}

static void run_chunk(sampling *s, size_t worker, size_t chunk)
{
    size_t length = chunk_length(s, chunk);
    ev_power_sums *sums = s->sums + worker * s->m;
    memset(sums, 0, s->m * sizeof *sums);
    for (size_t done = 0; done < length && !ended(s); done += EV_BLOCK) {
        size_t n = length - done < EV_BLOCK ? length - done : EV_BLOCK;
        if (!draw(s, worker, (uint64_t)chunk * CHUNK + done, n))
            return;
        for (size_t k = 0; k < s->m; k++) {
            const double *values = s->out[worker * s->m + k];
            ev_tail *tail = &s->tails[worker * s->m + k];
            double farthest = ev_power_sums_add(&sums[k], n, values, s->centre[k]);
            if (farthest > tail->threshold && !ev_tail_add(tail, n, values, s->centre[k]))
                atomic_store(&s->short_of_memory, true);
        }
    }
    for (size_t k = 0; k < s->m; k++)
        s->moments[chunk * s->m + k] = ev_moments_of_sums(&sums[k], s->centre[k]);
}

static void run_other_chunks(sampling *s)
{
    int threads = (int)s->threads;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1)
    for (size_t chunk = 1; chunk < s->chunks; chunk++)
        if (!ended(s))
            run_chunk(s, (size_t)omp_get_thread_num(), chunk);
}

static bool summarise(sampling *s, size_t k, ev_sample_summary *out)
{
    ev_moments all = s->moments[k];
    for (size_t chunk = 1; chunk < s->chunks; chunk++)
        ev_moments_merge(&all, &s->moments[chunk * s->m + k]);
    double nan = (double)NAN, n = all.count;
    *out = (ev_sample_summary){.samples = s->samples,
                               .mean = nan,
                               .variance = nan,
                               .standard_error = nan,
                               .skewness = nan,
                               .magnitude = nan,
                               .khat = nan};
    if (!isfinite(all.absolute))
        return true;
    out->mean = all.mean;
    out->magnitude = all.absolute / n;
    if (n > 1) {
        out->variance = all.second / (n - 1);
        out->standard_error = sqrt(out->variance / n);
        double spread = sqrt(all.second / n);
        out->skewness = spread > 0 ? all.third / n / (spread * spread * spread) : 0;
    }
    ev_tail *tail = &s->tails[k];
    for (size_t worker = 1; worker < s->threads; worker++)
        if (!ev_tail_join(tail, &s->tails[worker * s->m + k]))
            return false;
    out->khat = ev_tail_shape(tail, s->samples);
    return true;
}

static void *allocate(bool *failed, size_t count, size_t size)
{
    void *memory = calloc(count == 0 ? 1 : count, size);
    if (memory == NULL)
        *failed = true;
    return memory;
}

static bool begin(sampling *s, const ev_stream *stream)
{
    bool failed = false;
    size_t rows = s->dim + s->m;
    s->coordinates = allocate(&failed, s->dim, sizeof *s->coordinates);
    s->memory = allocate(&failed, s->threads * rows, EV_BLOCK * sizeof *s->memory);
    s->x = allocate(&failed, s->threads * s->dim, sizeof *s->x);
    s->out = allocate(&failed, s->threads * s->m, sizeof *s->out);
    s->first = allocate(&failed, s->m, CHUNK * sizeof *s->first);
    s->centre = allocate(&failed, s->m, sizeof *s->centre);
    s->moments = allocate(&failed, s->chunks, s->m * sizeof *s->moments);
    s->sums = allocate(&failed, s->threads * s->m, sizeof *s->sums);
    s->tails = allocate(&failed, s->threads * s->m, sizeof *s->tails);
    if (failed)
        return false;
    for (size_t d = 0; d < s->dim; d++)
        s->coordinates[d] = ev_stream_child(stream, (uint32_t)d);
    for (size_t worker = 0; worker < s->threads; worker++) {
        double *own = s->memory + worker * rows * EV_BLOCK;
        for (size_t d = 0; d < s->dim; d++)
            s->x[worker * s->dim + d] = own + d * EV_BLOCK;
        for (size_t k = 0; k < s->m; k++)
            s->out[worker * s->m + k] = own + (s->dim + k) * EV_BLOCK;
    }
    return true;
}

static void end(sampling *s)
{
    for (size_t i = 0; s->tails != NULL && i < s->threads * s->m; i++)
        free(s->tails[i].values);
    free(s->coordinates);
    free(s->memory);
    free(s->x);
    free(s->out);
    free(s->first);
    free(s->centre);
    free(s->moments);
    free(s->sums);
    free(s->tails);
}

ev_status ev_monte_carlo_expect(size_t dim, ev_integrand f, void *context, size_t m,
                                const ev_stream *stream, uint64_t samples, size_t threads,
                                ev_sample_summary *out)
{
    enum { MOST = 1 << 16 };
    if (samples == 0 || samples / CHUNK >= SIZE_MAX / 2 || dim > MOST || m == 0 || m > MOST)
        return EV_BAD_INPUT;
    sampling s = {.dim = dim, .m = m, .f = f, .context = context, .samples = samples};
    s.chunks = (size_t)(samples / CHUNK + (samples % CHUNK != 0));
    s.threads = threads == 0 ? 1 : threads < MOST ? threads : MOST;
    s.threads = s.threads < s.chunks ? s.threads : s.chunks;
    ev_status status = EV_NO_MEMORY;
    if (!begin(&s, stream))
        goto done;
    run_first_chunk(&s);
    if (!ended(&s))
        run_other_chunks(&s);
    for (size_t k = 0; k < m && !ended(&s); k++)
        if (!summarise(&s, k, &out[k]))
            atomic_store(&s.short_of_memory, true);
    status = s.stopped ? EV_UNFIT : s.short_of_memory ? EV_NO_MEMORY : EV_OK;
done:
    end(&s);
    return status;
}
