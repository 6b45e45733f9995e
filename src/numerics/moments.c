#include "numerics/moments.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#ifdef __AVX__
#include <immintrin.h>
#endif

enum { LANES = 4, HALVES = 2, STRIDE = EV_SUM_LANES };

/* The lanes fix the order of the additions.  They are vectors because compilers leave a loop
 * over lanes scalar, and no longer than common registers, because they break up longer ones. */
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef int64_t masks __attribute__((vector_size(LANES * sizeof(int64_t))));

/* Sums of d = v - centre and its powers. */
typedef struct {
    lanes first, second, third, absolute, farthest;
} power_sums;

static double sum_of_lanes(const double a[EV_SUM_LANES])
{
    return ((a[0] + a[1]) + (a[2] + a[3])) + ((a[4] + a[5]) + (a[6] + a[7]));
}

/* a where it is the larger, else b: b where one is NaN, both ways. */
static inline lanes larger(lanes a, lanes b)
{
#ifdef __AVX__
    return (lanes)_mm256_max_pd((__m256d)a, (__m256d)b);
#else
    const masks choice = a > b;
    return (lanes)(((masks)a & choice) | ((masks)b & ~choice));
#endif
}

/* Those lanes of v whose mask is set. */
static inline void add(power_sums *s, const double *v, double centre, const masks *used)
{
    const masks magnitude = *used & INT64_MAX;
    lanes value;
    memcpy(&value, v, sizeof value);
    const lanes d = (lanes)((masks)(value - centre) & *used), square = d * d;
    const lanes distance = (lanes)((masks)d & magnitude);
    s->first += d;
    s->second += square;
    s->third += square * d;
    s->absolute += (lanes)((masks)value & magnitude);
    s->farthest = larger(distance, s->farthest);
}

static void add_rest(power_sums s[HALVES], size_t n, const double *v, double centre)
{
    double rest[STRIDE] = {0};
    masks used[HALVES] = {{0}, {0}};
    for (size_t l = 0; l < n; l++) {
        rest[l] = v[l];
        used[l / LANES][l % LANES] = -1;
    }
    for (size_t half = 0; half < HALVES; half++)
        add(&s[half], rest + half * LANES, centre, &used[half]);
}

static void add_all(power_sums s[HALVES], size_t n, const double *v, double centre)
{
    static const masks all = {-1, -1, -1, -1};
    power_sums low = s[0], high = s[1];
    size_t i = 0;
    for (; i + STRIDE <= n; i += STRIDE) {
        add(&low, v + i, centre, &all);
        add(&high, v + i + LANES, centre, &all);
    }
    s[0] = low;
    s[1] = high;
    if (i < n)
        add_rest(s, n - i, v + i, centre);
}

static void load(const ev_power_sums *sums, power_sums s[HALVES])
{
    for (size_t half = 0; half < HALVES; half++) {
        s[half] = (power_sums){.farthest = {0}};
        memcpy(&s[half].first, sums->first + half * LANES, sizeof s[half].first);
        memcpy(&s[half].second, sums->second + half * LANES, sizeof s[half].second);
        memcpy(&s[half].third, sums->third + half * LANES, sizeof s[half].third);
        memcpy(&s[half].absolute, sums->absolute + half * LANES, sizeof s[half].absolute);
    }
}

static void keep(const power_sums s[HALVES], ev_power_sums *sums)
{
    for (size_t half = 0; half < HALVES; half++) {
        memcpy(sums->first + half * LANES, &s[half].first, sizeof s[half].first);
        memcpy(sums->second + half * LANES, &s[half].second, sizeof s[half].second);
        memcpy(sums->third + half * LANES, &s[half].third, sizeof s[half].third);
        memcpy(sums->absolute + half * LANES, &s[half].absolute, sizeof s[half].absolute);
    }
}

double ev_power_sums_add(ev_power_sums *sums, size_t n, const double *v, double centre)
{
    power_sums s[HALVES];
    load(sums, s);
    add_all(s, n, v, centre);
    keep(s, sums);
    const lanes far = larger(s[0].farthest, s[1].farthest);
    double farthest = 0;
    for (size_t l = 0; l < LANES; l++)
        farthest = far[l] > farthest ? far[l] : farthest;
    sums->farthest = farthest > sums->farthest ? farthest : sums->farthest;
    sums->count += (double)n;
    return farthest;
}

ev_moments ev_moments_of_sums(const ev_power_sums *sums, double centre)
{
    const double count = sums->count, square_sum = sum_of_lanes(sums->second);
    const double shift = count > 0 ? sum_of_lanes(sums->first) / count : 0;
    ev_moments m = {.count = count,
                    .mean = centre + shift,
                    .absolute = sum_of_lanes(sums->absolute),
                    .farthest = sums->farthest};
    m.second = fmax(square_sum - count * shift * shift, 0);
    m.third = sum_of_lanes(sums->third) - 3 * shift * square_sum +
              2 * count * shift * shift * shift;
    return m;
}

ev_moments ev_moments_of(size_t n, const double *v, double centre)
{
    ev_power_sums sums = {.count = 0};
    ev_power_sums_add(&sums, n, v, centre);
    return ev_moments_of_sums(&sums, centre);
}

void ev_moments_merge(ev_moments *a, const ev_moments *b)
{
    double count = a->count + b->count;
    if (b->count == 0)
        return;
    double step = b->mean - a->mean, share = b->count / count;
    double cross = a->count * share; /* n_a n_b / n */
    a->third += b->third + step * step * step * cross * (a->count - b->count) / count +
                3 * step * (a->count * b->second - b->count * a->second) / count;
    a->second += b->second + step * step * cross;
    a->mean += step * share;
    a->absolute += b->absolute;
    a->farthest = fmax(a->farthest, b->farthest);
    a->count = count;
}
