#include "nn/sparse.h"

#include "nn/buffer.h"
#include "nn/lanes.h"

#include <omp.h>
#include <string.h>

enum {
    WIDTH = EV_LANES,
    DEPTH = EV_SPARSE_DEPTH,
    MOST = 12,  /* vectors of sums, which leaves four of the common sixteen registers */
    ROWS = 512, /* of a strip of C at a time: they stay in the second cache */
    AHEAD = 6   /* rows of A that are asked for before their turn */
};
_Static_assert((int)EV_SPARSE_LEAST >= 2 * (int)WIDTH, "two vectors to a strip");

void ev_sum_finish(const ev_sum_end *end, size_t offset, size_t width, float *c)
{
    if (end->rectify)
        for (size_t i = 0; i < width; i++)
            c[i] = c[i] < 0.0F ? 0.0F : c[i];
    if (end->gate != NULL)
        for (size_t i = 0; i < width; i++)
            c[i] = end->gate[offset + i] > 0.0F ? c[i] : 0.0F;
}

/* --- Marks --------------------------------------------------------------------------------- */

size_t ev_sparse_words(size_t M, size_t K)
{
    return ev_size_product(K / DEPTH + (K % DEPTH != 0), M);
}

static inline uint64_t mark(const float *x, uint64_t n)
{
    uint64_t marks = 0;
#pragma omp simd reduction(| : marks)
    for (uint64_t k = 0; k < n; k++)
        marks |= (uint64_t)(x[k] != 0.0F) << k;
    return marks;
}

size_t ev_sparse_mark_rows(const ev_sparse *A, size_t begin, size_t end)
{
    size_t count = 0;
    for (size_t m = begin; m < end; m++)
        for (size_t k = 0; k < A->K; k += DEPTH) {
            const float *x = A->at + m * A->K + k;
            const uint64_t marks = A->K - k < DEPTH ? mark(x, A->K - k) : mark(x, DEPTH);
            A->marks[k / DEPTH * A->M + m] = marks;
            count += (size_t)__builtin_popcountll(marks);
        }
    return count;
}

size_t ev_sparse_mark(const ev_sparse *A)
{
    size_t count = 0;
#pragma omp parallel for schedule(static) reduction(+ : count)
    for (size_t m = 0; m < A->M; m++)
        count += ev_sparse_mark_rows(A, m, m + 1);
    return count;
}

/* --- A strip of columns -------------------------------------------------------------------- */

/* Vectors of neighbouring columns; the last may begin early, over columns of the one before it, so
 * that none reaches beyond N.  What stands twice is computed twice, alike. */
typedef struct {
    size_t vectors, begin, last; /* the first column; where the last vector begins, from there */
} strip;

static strip strip_of(size_t k, size_t strips, size_t N)
{
    const size_t vectors = (N + WIDTH - 1) / WIDTH;
    const size_t from = vectors * k / strips, to = vectors * (k + 1) / strips;
    const size_t end = to * WIDTH < N ? to * WIDTH : N;
    return (strip){to - from, from * WIDTH, end - WIDTH - from * WIDTH};
}

static size_t column_of(const strip *s, size_t vector)
{
    return s->begin + (vector + 1 < s->vectors ? vector * WIDTH : s->last);
}

/* Rows k to k + depth of B, as many vectors each as the strip has. */
static void pack(const strip *s, const ev_factor *B, size_t K, size_t k, size_t depth, float *block)
{
    const size_t stride = s->vectors * WIDTH;
    if (B->transposed)
        for (size_t v = 0; v < s->vectors; v++)
            ev_lanes_transpose(WIDTH, depth, B->at + column_of(s, v) * K + k, K, block + v * WIDTH,
                               stride);
    else
        for (size_t i = 0; i < depth; i++)
            for (size_t v = 0; v < s->vectors; v++)
                ev_lanes_store(block + i * stride + v * WIDTH,
                               ev_lanes_load(B->at + (k + i) * B->N + column_of(s, v)));
}

/* The sums of a row of C, from what they begin with, over the elements of A's row that are marked. */
static inline __attribute__((always_inline)) void add_row(size_t vectors, size_t last, float *c,
                                                          const float *from, uint64_t marks,
                                                          const float *a, const float *block)
{
    ev_lanes sum[MOST];
    for (size_t v = 0; v < vectors; v++)
        sum[v] = ev_lanes_load(from + (v + 1 < vectors ? v * WIDTH : last));
    do {
        const size_t k = (size_t)__builtin_ctzll(marks);
        const ev_lanes all = ev_lanes_all(a[k]);
        const float *b = block + k * vectors * WIDTH;
        for (size_t v = 0; v < vectors; v++)
            sum[v] += all * ev_lanes_load(b + v * WIDTH);
        marks &= marks - 1;
    } while (marks != 0);
    for (size_t v = 0; v < vectors; v++)
        ev_lanes_store(c + (v + 1 < vectors ? v * WIDTH : last), sum[v]);
}

/* The rows of C in a strip, over one block of columns of A. */
typedef struct {
    float *c;
    size_t N, M, last;
    const float *begin; /* the sums begin with it; NULL: with c */
    const float *a;
    size_t K;
    const uint64_t *marks;
    const float *block;
} strip_block;

static inline __attribute__((always_inline)) void add_rows(size_t vectors, const strip_block *w)
{
    for (size_t m = 0; m < w->M; m++) {
        float *c = w->c + m * w->N;
        const float *a = w->a + m * w->K, *ahead = m + AHEAD < w->M ? a + AHEAD * w->K : a;
        for (size_t k = 0; k < DEPTH; k += EV_BUFFER_ALIGNMENT)
            __builtin_prefetch(ahead + k);
        if (w->marks[m] != 0)
            add_row(vectors, w->last, c, w->begin != NULL ? w->begin : c, w->marks[m], a, w->block);
        else if (w->begin != NULL)
            memcpy(c, w->begin, (w->last + WIDTH) * sizeof *c);
    }
}

/* The number of vectors is written out, for the compiler to keep them in registers. */
static void add_block(size_t vectors, const strip_block *w)
{
    switch (vectors) {
    case 2: add_rows(2, w); break;
    case 3: add_rows(3, w); break;
    case 4: add_rows(4, w); break;
    case 5: add_rows(5, w); break;
    case 6: add_rows(6, w); break;
    case 7: add_rows(7, w); break;
    case 8: add_rows(8, w); break;
    case 9: add_rows(9, w); break;
    case 10: add_rows(10, w); break;
    case 11: add_rows(11, w); break;
    default: add_rows(MOST, w); break;
    }
}

/* Rows m to m + rows of C in a strip. */
static void strip_product(const ev_sparse *A, const ev_factor *B, const ev_sum_end *end, strip s,
                          size_t m, size_t rows, float *C)
{
    static const float zeros[MOST * WIDTH];
    _Alignas(64) float block[DEPTH * MOST * WIDTH];
    const float *bias = end->bias != NULL ? end->bias + s.begin : zeros;
    for (size_t k = 0; k < A->K; k += DEPTH) {
        pack(&s, B, A->K, k, A->K - k < DEPTH ? A->K - k : DEPTH, block);
        add_block(s.vectors, &(strip_block){C + m * B->N + s.begin, B->N, rows, s.last,
                                            k == 0 ? bias : NULL, A->at + m * A->K + k, A->K,
                                            A->marks + k / DEPTH * A->M + m, block});
    }
    for (size_t i = m; i < m + rows; i++)
        ev_sum_finish(end, i * B->N + s.begin, s.last + WIDTH, C + i * B->N + s.begin);
}

/* Strips, as even as can be, none wider than the registers nor narrower than two vectors, and as many
 * for each thread. */
static size_t strip_count(size_t N, size_t threads)
{
    const size_t vectors = (N + WIDTH - 1) / WIDTH, least = (vectors + MOST - 1) / MOST;
    const size_t even = (least + threads - 1) / threads * threads;
    return even < vectors / 2 ? even : vectors / 2;
}

/* Strip k in the order of taking: from the beginning of each thread's part in turn, so that threads are
 * never at neighbours, whose edges lie in the same cache lines. */
static size_t taken(size_t k, size_t strips, size_t threads)
{
    return strips % threads == 0 ? k % threads * (strips / threads) + k / threads : k;
}

void ev_sparse_product(const ev_sparse *A, const ev_factor *B, const ev_sum_end *end, float *C)
{
    const size_t threads = (size_t)omp_get_max_threads(), strips = strip_count(B->N, threads);
#pragma omp parallel for schedule(dynamic)
    for (size_t k = 0; k < strips; k++) {
        const strip s = strip_of(taken(k, strips, threads), strips, B->N);
        for (size_t m = 0; m < A->M; m += ROWS)
            strip_product(A, B, end, s, m, A->M - m < ROWS ? A->M - m : ROWS, C);
    }
}
