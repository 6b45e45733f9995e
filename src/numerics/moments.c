#include "numerics/moments.h"

#include <math.h>

enum { LANES = 8 };

static double sum_of_lanes(const double *a)
{
    return ((a[0] + a[1]) + (a[2] + a[3])) + ((a[4] + a[5]) + (a[6] + a[7]));
}

/* Sums of d = v - centre and its powers, in lanes that the compiler vectorises and that
 * fix the order of the additions. */
typedef struct {
    double first[LANES], second[LANES], third[LANES], absolute[LANES], farthest[LANES];
} power_sums;

static inline void add(power_sums *s, size_t l, double v, double centre)
{
    double d = v - centre, square = d * d, distance = fabs(d);
    s->first[l] += d;
    s->second[l] += square;
    s->third[l] += square * d;
    s->absolute[l] += fabs(v);
    s->farthest[l] = distance > s->farthest[l] ? distance : s->farthest[l];
}

ev_moments ev_moments_of(size_t n, const double *v, double centre)
{
    power_sums s = {.first = {0}};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            add(&s, l, v[i + l], centre);
    for (size_t l = 0; i < n; i++, l++)
        add(&s, l, v[i], centre);
    double count = (double)n, shift = n == 0 ? 0 : sum_of_lanes(s.first) / count;
    double square_sum = sum_of_lanes(s.second);
    ev_moments m = {.count = count, .mean = centre + shift, .absolute = sum_of_lanes(s.absolute)};
    m.second = fmax(square_sum - count * shift * shift, 0);
    m.third = sum_of_lanes(s.third) - 3 * shift * square_sum + 2 * count * shift * shift * shift;
    for (size_t l = 0; l < LANES; l++)
        m.farthest = fmax(m.farthest, s.farthest[l]);
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
