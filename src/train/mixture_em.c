#include "train/mixture_em.h"

#include "numerics/linear_algebra.h"
#include "numerics/vector_math.h"
#include "probability/log_space.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 128, LANES = 8, CHUNKS = 16 };

bool ev_em_create(ev_em *em, size_t N, size_t J, const float *x, size_t K, ev_covariance_kind kind)
{
    *em = (ev_em){.N = N, .J = J, .K = K, .kind = kind, .x = x, .arena = ev_arena_create()};
    if (em->arena == NULL || J > 1 << 16 || K > SIZE_MAX / BLOCK / 16)
        return false;
    em->T = 1 + J + (kind == EV_COVARIANCE_FULL ? J * (J + 1) / 2 : J);
    em->work_size = (K + 2 * J + 4) * BLOCK;
    em->constant = ev_arena_array(em->arena, K, sizeof(double));
    em->inverse = ev_arena_array(em->arena, K, J * sizeof(double));
    em->work = ev_arena_array(em->arena, em->work_size, CHUNKS * sizeof(double));
    em->moments = ev_arena_array(em->arena, K, em->T * CHUNKS * sizeof(double));
    em->likelihood = ev_arena_array(em->arena, CHUNKS, sizeof(double));
    em->matrices = ev_arena_array(em->arena, J, 3 * J * sizeof(double));
    return !ev_arena_failed(em->arena);
}

void ev_em_destroy(ev_em *em)
{
    ev_arena_destroy(em->arena);
    *em = (ev_em){0};
}

/* ---- The E-step ---- */

/* The arrays of one chunk. */
typedef struct {
    double *gamma;                          /* (K,BLOCK) log joint, then responsibilities */
    double *xt;                             /* (J,BLOCK) the points, transposed */
    double *d;                              /* (J,BLOCK) x - mu, whitened or not */
    double *square, *most, *sum, *weighted; /* (BLOCK) */
} block;

static block block_of(const ev_em *em, size_t chunk)
{
    double *w = em->work + chunk * em->work_size;
    block b = {.gamma = w, .xt = w + em->K * BLOCK};
    b.d = b.xt + em->J * BLOCK;
    b.square = b.d + em->J * BLOCK;
    b.most = b.square + BLOCK;
    b.sum = b.most + BLOCK;
    b.weighted = b.sum + BLOCK;
    return b;
}

/* n points from the first on; what is left of the block repeats the last. */
static void load(const ev_em *em, size_t first, size_t n, const block *b)
{
    for (size_t i = 0; i < BLOCK; i++) {
        const float *x = em->x + (first + (i < n ? i : n - 1)) * em->J;
        for (size_t j = 0; j < em->J; j++)
            b->xt[j * BLOCK + i] = (double)x[j];
    }
}

/* d_j = x_j - mu_j */
static void centre(const double *xt, double mu, double *d)
{
    for (size_t i = 0; i < BLOCK; i++)
        d[i] = xt[i] - mu;
}

/* e = L^-1 (x - mu) in place, by forward substitution. */
static void whiten_row(const double *L, size_t j, const double *inverse, double *d)
{
    double *row = d + j * BLOCK;
    for (size_t k = 0; k < j; k++)
        for (size_t i = 0; i < BLOCK; i++)
            row[i] -= L[k] * d[k * BLOCK + i];
    for (size_t i = 0; i < BLOCK; i++)
        row[i] *= inverse[j];
}

/* log pi_k + log N(x; mu_k, Sigma_k) of every point. */
static void log_joint(const ev_em *em, const ev_mixture_fit *fit, size_t k, const block *b)
{
    const double *mu = fit->mu + k * em->J, *inverse = em->inverse + k * em->J;
    double *out = b->gamma + k * BLOCK;
    memset(b->square, 0, BLOCK * sizeof *b->square);
    for (size_t j = 0; j < em->J; j++) {
        double *d = b->d + j * BLOCK;
        centre(b->xt + j * BLOCK, mu[j], d);
        if (em->kind == EV_COVARIANCE_FULL)
            whiten_row(fit->L + (k * em->J + j) * em->J, j, inverse, b->d);
        else
            for (size_t i = 0; i < BLOCK; i++)
                d[i] *= inverse[j];
        for (size_t i = 0; i < BLOCK; i++)
            b->square[i] += d[i] * d[i];
    }
    for (size_t i = 0; i < BLOCK; i++)
        out[i] = em->constant[k] - 0.5 * b->square[i];
}

/* Log joints into responsibilities; the logarithm of their sum, log p(x), into b->sum. */
static void normalise(const ev_em *em, const block *b)
{
    double *most = b->most, *sum = b->sum, *gamma = b->gamma;
    memcpy(most, gamma, BLOCK * sizeof *most);
    for (size_t k = 1; k < em->K; k++)
        for (size_t i = 0; i < BLOCK; i++)
            most[i] = gamma[k * BLOCK + i] > most[i] ? gamma[k * BLOCK + i] : most[i];
    memset(sum, 0, BLOCK * sizeof *sum);
    for (size_t k = 0; k < em->K; k++) {
        double *g = gamma + k * BLOCK;
        for (size_t i = 0; i < BLOCK; i++)
            g[i] -= most[i];
        ev_vector_exp(BLOCK, g, g);
        for (size_t i = 0; i < BLOCK; i++)
            sum[i] += g[i];
    }
    for (size_t k = 0; k < em->K; k++)
        for (size_t i = 0; i < BLOCK; i++)
            gamma[k * BLOCK + i] /= sum[i];
    ev_vector_log(BLOCK, sum, sum);
    for (size_t i = 0; i < BLOCK; i++)
        sum[i] += most[i];
}

/* sum_i a_i b_i in LANES partial sums, which any vector width adds alike. */
static double dot(const double *a, const double *b)
{
    double lane[LANES] = {0}, total = 0;
    for (size_t i = 0; i < BLOCK; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lane[l] += a[i + l] * b[i + l];
    for (size_t l = 0; l < LANES; l++)
        total += lane[l];
    return total;
}

static void gather_component(const ev_em *em, const double *mu, const double *gamma, const block *b,
                             double *moments)
{
    const size_t J = em->J;
    double *second = moments + 1 + J;
    for (size_t i = 0; i < BLOCK; i++)
        moments[0] += gamma[i];
    for (size_t j = 0; j < J; j++) {
        const double *d = b->d + j * BLOCK;
        centre(b->xt + j * BLOCK, mu[j], b->d + j * BLOCK);
        for (size_t i = 0; i < BLOCK; i++)
            b->weighted[i] = gamma[i] * d[i];
        moments[1 + j] += dot(gamma, d);
        for (size_t m = em->kind == EV_COVARIANCE_FULL ? 0 : j; m <= j; m++)
            *second++ += dot(b->weighted, b->d + m * BLOCK);
    }
}

static void take_block(const ev_em *em, const ev_mixture_fit *fit, size_t first, size_t n,
                       bool gather, size_t chunk, size_t *cluster)
{
    const block b = block_of(em, chunk);
    load(em, first, n, &b);
    for (size_t k = 0; k < em->K; k++)
        log_joint(em, fit, k, &b);
    for (size_t i = 0; cluster != NULL && i < n; i++) {
        size_t best = 0;
        for (size_t k = 1; k < em->K; k++)
            best = b.gamma[k * BLOCK + i] > b.gamma[best * BLOCK + i] ? k : best;
        cluster[first + i] = best;
    }
    normalise(em, &b);
    for (size_t i = 0; i < n; i++)
        em->likelihood[chunk] += b.sum[i];
    for (size_t k = 0; gather && k < em->K; k++) {
        double *gamma = b.gamma + k * BLOCK;
        memset(gamma + n, 0, (BLOCK - n) * sizeof *gamma);
        gather_component(em, fit->mu + k * em->J, gamma, &b,
                         em->moments + (chunk * em->K + k) * em->T);
    }
}

static void prepare(ev_em *em, const ev_mixture_fit *fit)
{
    for (size_t k = 0; k < em->K; k++) {
        em->constant[k] = fit->log_pi[k] - 0.5 * (double)em->J * EV_LOG_2PI;
        for (size_t j = 0; j < em->J; j++) {
            double scale = em->kind == EV_COVARIANCE_FULL ? fit->L[(k * em->J + j) * em->J + j]
                                                          : fit->sigma[k * em->J + j];
            em->constant[k] -= log(scale);
            em->inverse[k * em->J + j] = 1 / scale;
        }
    }
}

double ev_em_expect(ev_em *em, const ev_mixture_fit *fit, bool gather, size_t *cluster)
{
    size_t blocks = (em->N + BLOCK - 1) / BLOCK, share = (blocks + CHUNKS - 1) / CHUNKS;
    double total = 0;
    prepare(em, fit);
    memset(em->likelihood, 0, CHUNKS * sizeof *em->likelihood);
    memset(em->moments, 0, CHUNKS * em->K * em->T * sizeof *em->moments);
#pragma omp parallel for schedule(dynamic)
    for (size_t chunk = 0; chunk < CHUNKS; chunk++)
        for (size_t at = chunk * share; at < (chunk + 1) * share && at < blocks; at++) {
            size_t left = em->N - at * BLOCK;
            take_block(em, fit, at * BLOCK, left < BLOCK ? left : (size_t)BLOCK, gather, chunk,
                       cluster);
        }
    for (size_t chunk = 0; chunk < CHUNKS; chunk++)
        total += em->likelihood[chunk];
    return total / (double)em->N;
}

/* ---- The M-step ---- */

/* The first chunk's moments of component k become all chunks' sum. */
static const double *total_moments(ev_em *em, size_t k)
{
    double *sum = em->moments + k * em->T;
    for (size_t chunk = 1; chunk < CHUNKS; chunk++)
        for (size_t t = 0; t < em->T; t++)
            sum[t] += em->moments[(chunk * em->K + k) * em->T + t];
    return sum;
}

/* With m_j = E d_j: mu_j + m_j, E d_j^2 - m_j^2; the maximum over variances >= floor is the clipped
 * one, since the likelihood falls on both sides of its top. */
static void diagonal(const ev_em *em, const double *m, double *sigma)
{
    for (size_t j = 0; j < em->J; j++) {
        double mean = m[1 + j] / m[0], var = m[1 + em->J + j] / m[0] - mean * mean;
        sigma[j] = sqrt(var > em->floor ? var : em->floor);
    }
}

/* Covariance C with its eigenvalues at the floor or above: the maximum under that bound. */
static void bound_eigenvalues(const ev_em *em, double *C, double *vectors, double *values)
{
    const size_t J = em->J;
    bool low = ev_symmetric_eigen(J, C, values, vectors) != EV_OK;
    for (size_t j = 0; j < J; j++)
        low = low || values[j] < em->floor;
    if (!low)
        return;
    for (size_t i = 0; i < J; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t m = 0; m < J; m++)
                sum += vectors[i * J + m] * vectors[j * J + m] *
                       (values[m] > em->floor ? values[m] : em->floor);
            C[i * J + j] = C[j * J + i] = sum;
        }
}

static void full(const ev_em *em, const double *m, double *L, double *sigma)
{
    const size_t J = em->J;
    double *C = em->matrices, *vectors = C + J * J, *values = vectors + J * J;
    const double *second = m + 1 + J;
    for (size_t i = 0; i < J; i++)
        for (size_t j = 0; j <= i; j++)
            C[i * J + j] = C[j * J + i] = *second++ / m[0] - m[1 + i] / m[0] * (m[1 + j] / m[0]);
    bound_eigenvalues(em, C, vectors, values);
    if (ev_cholesky(J, C, L) != EV_OK) { /* not for values at the floor or above */
        memset(L, 0, J * J * sizeof *L);
        for (size_t j = 0; j < J; j++)
            L[j * J + j] = sqrt(C[j * J + j] > em->floor ? C[j * J + j] : em->floor);
    }
    for (size_t j = 0; j < J; j++)
        sigma[j] = sqrt(C[j * J + j]);
}

void ev_em_maximise(ev_em *em, ev_mixture_fit *fit)
{
    for (size_t k = 0; k < em->K; k++) {
        const double *m = total_moments(em, k);
        fit->log_pi[k] = log(m[0] / (double)em->N);
        if (!(m[0] > 0))
            continue; /* a component without weight stays where it is */
        if (em->kind == EV_COVARIANCE_FULL)
            full(em, m, fit->L + k * em->J * em->J, fit->sigma + k * em->J);
        else
            diagonal(em, m, fit->sigma + k * em->J);
        for (size_t j = 0; j < em->J; j++)
            fit->mu[k * em->J + j] += m[1 + j] / m[0];
    }
}
