#include "numerics/moments.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 4, HALVES = 2, STRIDE = HALVES * LANES };

/* The lanes fix the order of the additions.  They are vectors because compilers leave a loop
 * over lanes scalar, and no longer than common registers, because they break up longer ones. */
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef int64_t masks __attribute__((vector_size(LANES * sizeof(int64_t))));

/* Sums of d = v - centre and its powers. */
typedef struct {
    lanes first, second, third, absolute, farthest;
} power_sums;

static double sum_of_lanes(const lanes *low, const lanes *high)
{
    const lanes a = *low, b = *high;
    return ((a[0] + a[1]) + (a[2] + a[3])) + ((b[0] + b[1]) + (b[2] + b[3]));
}

/* Those lanes of v whose mask is set. */
static inline void add(power_sums *s, const double *v, double centre, const masks *used)
{
    const masks magnitude = *used & INT64_MAX;
    lanes value;
    memcpy(&value, v, sizeof value);
    const lanes d = (lanes)((masks)(value - centre) & *used), square = d * d;
    const lanes distance = (lanes)((masks)d & magnitude);
    const masks farther = distance > s->farthest;
    s->first += d;
    s->second += square;
    s->third += square * d;
    s->absolute += (lanes)((masks)value & magnitude);
    s->farthest = (lanes)(((masks)distance & farther) | ((masks)s->farthest & ~farther));
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
    power_sums low = {.first = {0}}, high = low;
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

ev_moments ev_moments_of(size_t n, const double *v, double centre)
{
    power_sums s[HALVES];
    add_all(s, n, v, centre);
    double count = (double)n, shift = n == 0 ? 0 : sum_of_lanes(&s[0].first, &s[1].first) / count;
    double square_sum = sum_of_lanes(&s[0].second, &s[1].second);
    ev_moments m = {.count = count,
                    .mean = centre + shift,
                    .absolute = sum_of_lanes(&s[0].absolute, &s[1].absolute)};
    m.second = fmax(square_sum - count * shift * shift, 0);
    m.third = sum_of_lanes(&s[0].third, &s[1].third) - 3 * shift * square_sum +
              2 * count * shift * shift * shift;
    for (size_t l = 0; l < STRIDE; l++)
        m.farthest = fmax(m.farthest, s[l / LANES].farthest[l % LANES]);
    return m;
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
