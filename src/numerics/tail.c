#include "numerics/tail.h"

#include "base/arena.h"
#include "numerics/monte_carlo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST = 20 }; /* exceedances that still tell something of a shape */

static int ascending(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static double tail_length(uint64_t samples)
{
    return floor(fmin(0.2 * (double)samples, 3 * sqrt((double)samples)));
}

/* The value of rank r < n, from 0 = least, by Hoare's selection; reorders v. */
static double select_rank(double *v, size_t n, size_t r)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        double pivot = v[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i >= j)
                break;
            double swapped = v[i];
            v[i++] = v[j];
            v[j--] = swapped;
        }
        /* v[low .. j] <= pivot <= v[j+1 .. high] */
        if (j == high)
            j--;
        if (r <= j)
            high = j;
        else
            low = j + 1;
    }
    return v[low];
}

static double rank_of(const double *v, size_t n, size_t r)
{
    double *copy = malloc(n * sizeof *copy);
    if (copy == NULL)
        return (double)NAN;
    bool ordered = true; /* no order with a NaN among them */
    for (size_t i = 0; i < n; i++) {
        copy[i] = v[i];
        ordered &= !isnan(v[i]);
    }
    double found = ordered ? select_rank(copy, n, r) : (double)NAN;
    free(copy);
    return found;
}

double ev_sample_median(const double *v, size_t n) { return rank_of(v, n, n / 2); }

double ev_tail_threshold(const double *v, size_t n, double centre, uint64_t samples)
{
    double *distance = malloc(n * sizeof *distance);
    if (distance == NULL)
        return (double)NAN;
    for (size_t i = 0; i < n; i++)
        distance[i] = fabs(v[i] - centre);
    double share = fmin(2 * tail_length(samples) / (double)samples, 0.5);
    size_t above = (size_t)ceil(share * (double)n);
    double threshold = above >= n ? 0 : rank_of(distance, n, n - 1 - above);
    free(distance);
    return threshold;
}

static bool keep(ev_tail *tail, double distance)
{
    if (!ev_array_reserve(&tail->values, tail->count, &tail->capacity, sizeof *tail->values))
        return false;
    tail->values[tail->count++] = distance;
    return true;
}

enum { PIECE = 32 };

/* Without a branch for each value, so that the loop vectorises. */
static bool has_far(const double *v, double centre, double threshold)
{
    int64_t far = 0; /* as wide as a double */
    for (size_t i = 0; i < PIECE; i++)
        far |= fabs(v[i] - centre) > threshold;
    return far != 0;
}

static bool keep_far(ev_tail *tail, size_t n, const double *v, double centre)
{
    for (size_t i = 0; i < n; i++) {
        double distance = fabs(v[i] - centre);
        if (distance > tail->threshold && !keep(tail, distance))
            return false;
    }
    return true;
}

bool ev_tail_add(ev_tail *tail, size_t n, const double *v, double centre)
{
    size_t i = 0;
    for (; i + PIECE <= n; i += PIECE)
        if (has_far(v + i, centre, tail->threshold) && !keep_far(tail, PIECE, v + i, centre))
            return false;
    return keep_far(tail, n - i, v + i, centre);
}

bool ev_tail_join(ev_tail *tail, const ev_tail *other)
{
    for (size_t i = 0; i < other->count; i++)
        if (!keep(tail, other->values[i]))
            return false;
    return true;
}

double ev_tail_shape(ev_tail *tail, uint64_t samples)
{
    if (isnan(tail->threshold))
        return (double)NAN;
    size_t count = tail->count, wanted = (size_t)tail_length(samples);
    double *top = tail->values, base = tail->threshold;
    if (count > wanted) {
        base = select_rank(top, count, count - wanted - 1); /* the greater ones lie beyond it */
        top += count - wanted;
        count = wanted;
    }
    if (count > 0)
        qsort(top, count, sizeof *top, ascending);
    while (count > 0 && top[0] <= base) { /* ties with the threshold exceed nothing */
        top++;
        count--;
    }
    if (count == 0)
        return wanted < FEWEST ? (double)NAN : -HUGE_VAL;
    if (top[0] >= top[count - 1]) /* one value only: the distances are bounded */
        return -HUGE_VAL;
    if (count < FEWEST)
        return (double)NAN;
    for (size_t i = 0; i < count; i++)
        top[i] -= base;
    return ev_pareto_shape(top, count);
}
