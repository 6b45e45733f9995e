#include "numerics/philox.h"
#include "numerics/random.h"

#include <Random123/philox.h>
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static philox4x32_ctr_t reference(const uint32_t key[2], const uint32_t stream[2], uint64_t counter)
{
    philox4x32_ctr_t c = {{(uint32_t)counter, (uint32_t)(counter >> 32), stream[0], stream[1]}};
    philox4x32_key_t k = {{key[0], key[1]}};
    return philox4x32(c, k);
}

static void expect_block(const uint32_t key[2], const uint32_t stream[2], uint64_t first)
{
    uint64_t low[37], high[37];
    ev_philox_block(key, stream, first, 37, low, high);
    for (size_t l = 0; l < 37; l++) {
        philox4x32_ctr_t r = reference(key, stream, first + l);
        cr_assert_eq(low[l], r.v[0] | (uint64_t)r.v[1] << 32);
        cr_assert_eq(high[l], r.v[2] | (uint64_t)r.v[3] << 32);
    }
}

Test(random, philox_equals_random123_for_many_counters_and_keys)
{
    static const uint64_t firsts[] = {0, 1, 0xfffffff0u, UINT64_C(0xfffffffffffffff0),
                                      UINT64_C(1) << 40};
    uint32_t words[4] = {0, 0, 0, 0};
    for (int trial = 0; trial < 200; trial++) {
        for (size_t i = 0; i < 5; i++)
            expect_block(words, words + 2, firsts[i]);
        for (size_t i = 0; i < 4; i++)
            words[i] = trial == 0 ? UINT32_MAX : words[i] * 1664525u + 1013904223u + (uint32_t)i;
    }
}

/* Whole vectors, what is left of them, and counters that carry and wrap. */
Test(random, philox_is_the_same_to_the_bit_with_vectors_and_without)
{
    enum { MOST = 41 };
    static const uint64_t firsts[] = {0, 1, UINT32_MAX - 5, UINT64_C(5) << 32, UINT64_MAX - 9};
    uint64_t low[MOST], high[MOST], plain_low[MOST], plain_high[MOST];
    uint32_t words[4] = {1, 2, 3, 4};
    for (size_t trial = 0; trial < 200; trial++) {
        for (size_t f = 0; f < sizeof firsts / sizeof *firsts; f++) {
            size_t n = (trial + f) % MOST + 1;
            ev_philox_block(words, words + 2, firsts[f], n, low, high);
            ev_philox_one_by_one(words, words + 2, firsts[f], n, plain_low, plain_high);
            cr_assert_arr_eq(low, plain_low, n * sizeof *low);
            cr_assert_arr_eq(high, plain_high, n * sizeof *high);
        }
        for (size_t i = 0; i < 4; i++)
            words[i] = words[i] * 1664525u + 1013904223u + (uint32_t)i;
    }
}

/* From the known-answer vectors that come with Random123. */
Test(random, philox_gives_the_published_answers)
{
    static const uint32_t ones[2] = {UINT32_MAX, UINT32_MAX}, zeros[2] = {0, 0};
    static const uint32_t key[2] = {0xa4093822, 0x299f31d0}, stream[2] = {0x13198a2e, 0x03707344};
    uint64_t low, high;
    ev_philox_block(zeros, zeros, 0, 1, &low, &high);
    cr_expect_eq(low, UINT64_C(0xe169c58d6627e8d5));
    cr_expect_eq(high, UINT64_C(0x9b00dbd8bc57ac4c));
    ev_philox_block(ones, ones, UINT64_MAX, 1, &low, &high);
    cr_expect_eq(low, UINT64_C(0x41c83b0e408f276d));
    cr_expect_eq(high, UINT64_C(0x6d5451fda20bc7c6));
    ev_philox_block(key, stream, UINT64_C(0x85a308d3243f6a88), 1, &low, &high);
    cr_expect_eq(low, UINT64_C(0x94fdccebd16cfe09));
    cr_expect_eq(high, UINT64_C(0x24126ea15001e420));
}

typedef void (*generator)(const ev_stream *, uint64_t, size_t, double *);

static void expect_chunking_is_invisible(generator make)
{
    enum { N = 2000 };
    static double whole[N], part[N];
    ev_stream s = ev_stream_make(3, 4, 5, 6);
    for (uint64_t base = 0; base <= UINT64_C(1) << 41;
         base = base == 0 ? (UINT64_C(1) << 41) - 777 : base * 2) {
        make(&s, base, N, whole);
        for (size_t start = 0; start < 40; start++)
            for (size_t n = 1; start + n <= N; n = 3 * n + 1) {
                make(&s, base + start, n, part);
                cr_assert_eq(memcmp(part, whole + start, n * sizeof *part), 0, "%zu from %zu", n,
                             start);
            }
    }
}

Test(random, a_uniform_does_not_depend_on_how_it_is_asked_for)
{
    expect_chunking_is_invisible(ev_stream_uniforms);
}
Test(random, a_normal_does_not_depend_on_how_it_is_asked_for)
{
    expect_chunking_is_invisible(ev_stream_normals);
}

Test(random, asking_for_nothing_writes_nothing)
{
    ev_stream s = ev_stream_make(0, 0, 0, 0);
    double x = 42;
    ev_stream_normals(&s, 7, 0, &x);
    cr_expect_eq(x, 42);
}

Test(random, uniforms_are_odd_multiples_of_2_to_the_minus_53)
{
    enum { N = 100000 };
    static double u[N];
    ev_stream s = ev_stream_make(8, 0, 0, 0);
    ev_stream_uniforms(&s, 0, N, u);
    for (size_t i = 0; i < N; i++) {
        cr_assert(u[i] > 0 && u[i] < 1);
        cr_assert_eq(fmod(ldexp(u[i], 53), 2), 1);
    }
}

/* Chi-squared over 256 bins: 255 degrees of freedom, sd sqrt(510); six of them. */
Test(random, uniforms_fill_their_bins_evenly)
{
    enum { N = 1 << 20, BINS = 256 };
    double *u = malloc(N * sizeof *u), square = 0;
    size_t count[BINS] = {0};
    ev_stream s = ev_stream_make(9, 1, 2, 3);
    ev_stream_uniforms(&s, 0, N, u);
    for (size_t i = 0; i < N; i++)
        count[(size_t)(u[i] * BINS)]++;
    for (size_t b = 0; b < BINS; b++)
        square += pow((double)count[b] - N / BINS, 2) / (N / BINS);
    cr_expect_float_eq(square, BINS - 1, 6 * sqrt(2.0 * (BINS - 1)));
    free(u);
}

/* Element i by Random123 and long-double libm. */
static long double reference_normal(const ev_stream *s, uint64_t i)
{
    philox4x32_ctr_t w = reference(s->key, s->stream, i / 16 * 8 + i % 8);
    uint64_t low = w.v[0] | (uint64_t)w.v[1] << 32, high = w.v[2] | (uint64_t)w.v[3] << 32;
    long double u = ((long double)(low >> 12) + 0.5L) * 0x1p-52L;
    long double turn = ((long double)(high >> 12) + 0.5L) * 0x1p-52L * 2 * acosl(-1);
    return sqrtl(-2 * logl(u)) * (i % 16 < 8 ? cosl(turn) : sinl(turn));
}

Test(random, normals_are_box_and_mullers_to_rounding)
{
    enum { N = 40000 };
    static double z[N];
    ev_stream s = ev_stream_make(10, 1, 1, 1);
    ev_stream_normals(&s, 0, N, z);
    for (uint64_t i = 0; i < N; i++)
        cr_assert_float_eq(z[i], (double)reference_normal(&s, i), 1.5e-15, "element %zu",
                           (size_t)i);
}

/* Counts beyond t in 2^24 draws, each within 6 Poisson deviations of the exact tail, and
 * the extreme draws themselves against long double. */
Test(random, the_tails_of_the_normals_are_right)
{
    enum { BLOCKS = 1 << 16 };
    static const double t[] = {3, 4, 4.5, 5};
    double z[256], counts[4][2] = {{0}};
    ev_stream s = ev_stream_make(11, 1, 1, 1);
    for (uint64_t b = 0; b < BLOCKS; b++) {
        ev_stream_normals(&s, b * 256, 256, z);
        for (size_t i = 0; i < 256; i++) {
            if (fabs(z[i]) < t[0])
                continue;
            for (size_t j = 0; j < 4; j++)
                counts[j][z[i] < 0] += fabs(z[i]) > t[j];
            if (fabs(z[i]) > 4.5)
                cr_assert_float_eq(z[i], (double)reference_normal(&s, b * 256 + i), 2e-15);
        }
    }
    for (size_t j = 0; j < 4; j++)
        for (size_t side = 0; side < 2; side++) {
            double expected = BLOCKS * 256.0 * 0.5 * erfc(t[j] / sqrt(2));
            cr_expect_float_eq(counts[j][side], expected, 6 * sqrt(expected) + 3, "beyond %g: %g",
                               t[j], counts[j][side]);
        }
}

/* E z^k and its variance (2k-1)!! - (k-1)!!^2; six deviations. */
Test(random, the_moments_of_the_normals_are_right)
{
    enum { N = 1 << 20 };
    static const double moment[] = {1, 0, 1, 0, 3, 0, 15, 0, 105},
                        square[] = {1, 1, 3, 15, 105, 945, 10395, 135135, 2027025};
    double *z = malloc(N * sizeof *z), sum[9] = {0};
    ev_stream s = ev_stream_make(12, 1, 1, 1);
    ev_stream_normals(&s, 0, N, z);
    for (size_t i = 0; i < N; i++)
        for (int k = 1; k <= 8; k++)
            sum[k] += pow(z[i], k);
    for (int k = 1; k <= 8; k++) {
        double sd = sqrt((square[k] - moment[k] * moment[k]) / N);
        cr_expect_float_eq(sum[k] / N, moment[k], 6 * sd, "moment %d: %g", k, sum[k] / N);
    }
    free(z);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov-Smirnov: P(sqrt(n) D > 3) = 3e-8. */
Test(random, the_distribution_function_of_the_normals_is_phi)
{
    enum { N = 100000 };
    static double z[N];
    double distance = 0;
    ev_stream s = ev_stream_make(13, 1, 1, 1);
    ev_stream_normals(&s, 0, N, z);
    qsort(z, N, sizeof *z, ascending);
    for (size_t i = 0; i < N; i++)
        distance = fmax(distance, fabs(0.5 * erfc(-z[i] / sqrt(2)) - ((double)i + 0.5) / N));
    cr_expect_lt(distance * sqrt((double)N), 3);
}

/* Correlation of f(a_i) with f(b_i), in standard deviations. */
static double correlation(size_t n, const double *a, const double *b, int power)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += power == 1 ? a[i] * b[i] : (a[i] * a[i] - 1) * (b[i] * b[i] - 1) / 2;
    return sum / sqrt((double)n);
}

Test(random, neighbours_children_and_other_streams_are_uncorrelated)
{
    enum { N = 200000 };
    static double a[N + 64], b[N];
    ev_stream s = ev_stream_make(14, 1, 1, 1), child = ev_stream_child(&s, 0);
    ev_stream others[] = {child,
                          ev_stream_child(&s, 1),
                          ev_stream_child(&child, 0),
                          ev_stream_make(15, 1, 1, 1),
                          ev_stream_make(14, 2, 1, 1),
                          ev_stream_make(14, 1, 2, 1),
                          ev_stream_make(14, 1, 1, 2)};
    ev_stream_normals(&s, 0, N + 64, a);
    for (int power = 1; power <= 2; power++) {
        static const size_t lags[] = {1, 2, 7, 8, 9, 16, 32, 64};
        for (size_t i = 0; i < 8; i++)
            cr_expect_lt(fabs(correlation(N, a, a + lags[i], power)), 6, "lag %zu", lags[i]);
        for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
            ev_stream_normals(&others[i], 0, N, b);
            cr_expect_lt(fabs(correlation(N, a, b, power)), 6, "stream %zu", i);
        }
    }
}

static bool equal(const ev_stream *a, const ev_stream *b) { return memcmp(a, b, sizeof *a) == 0; }

Test(random, every_purpose_has_a_stream_of_its_own)
{
    enum { SIDE = 5, N = SIDE * SIDE * SIDE };
    ev_stream s[2 * N];
    for (uint32_t i = 0; i < N; i++) {
        s[i] = ev_stream_make(1, i / (SIDE * SIDE), i / SIDE % SIDE, i % SIDE);
        s[N + i] = ev_stream_child(&s[0], i);
    }
    for (size_t i = 0; i < 2 * N; i++)
        for (size_t j = 0; j < i; j++)
            cr_assert_not(equal(&s[i], &s[j]), "%zu and %zu", i, j);
}

Test(random, the_hash_of_a_text_spreads_single_characters_over_all_bits)
{
    cr_expect_eq(ev_hash_text("gaussian-expectation"), ev_hash_text("gaussian-expectation"));
    int least = 64, most = 0;
    char text[] = "claim-a", other[] = "claim-a";
    for (other[6] = 'b'; other[6] <= 'z'; other[6]++) {
        int bits = __builtin_popcountll(ev_hash_text(text) ^ ev_hash_text(other));
        least = bits < least ? bits : least;
        most = bits > most ? bits : most;
    }
    cr_expect(least >= 12 && most <= 52, "%d to %d bits", least, most);
    cr_expect_neq(ev_hash_text(""), ev_hash_text("a"));
}
