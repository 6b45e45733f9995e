/* Are numbers uniform on (0, 1)?
 *
 * Kolmogorov and Smirnov: D = sup |F_n(p) - p|, with the asymptotic tail
 *   Q(x) = 2 sum_k (-1)^(k-1) exp(-2 k^2 x^2),  x = D (sqrt n + 0.12 + 0.11 / sqrt n)
 * (M. A. Stephens, JRSS B 32, 1970).  Anderson and Darling:
 *   A^2 = -n - sum_i (2i-1)/n (log p_(i) + log(1 - p_(n+1-i))),
 * which looks harder at the ends; above 3.857 once in a hundred, above 6.0 once in a thousand. */
#ifndef EV_TESTS_BENCH_UNIFORMITY_H
#define EV_TESTS_BENCH_UNIFORMITY_H

#include <float.h>
#include <math.h>
#include <stdlib.h>

typedef struct {
    size_t count;
    double distance, probability; /* Kolmogorov-Smirnov: D, and the chance of a larger one */
    double anderson_darling;      /* A^2 */
} uniformity;

static inline int uniformity_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static inline double uniformity_tail(double x)
{
    double sum = 0, sign = 1;
    if (x < 0.2)
        return 1; /* to the last bit */
    for (int k = 1; k <= 100; k++, sign = -sign)
        sum += sign * exp(-2.0 * k * k * x * x);
    return fmin(1, fmax(0, 2 * sum));
}

/* Sorts p[0 .. n-1]. */
static inline uniformity uniformity_of(size_t n, double *p)
{
    uniformity u = {.count = n, .probability = 1};
    if (n == 0)
        return u;
    qsort(p, n, sizeof *p, uniformity_order);
    double count = (double)n, sum = 0;
    for (size_t i = 0; i < n; i++) {
        double below = p[i] - (double)i / count, above = (double)(i + 1) / count - p[i];
        u.distance = fmax(u.distance, fmax(below, above));
        double low = fmax(p[i], DBL_MIN), high = fmin(p[n - 1 - i], 1 - DBL_EPSILON);
        sum += (2.0 * (double)i + 1) / count * (log(low) + log1p(-high));
    }
    u.probability = uniformity_tail(u.distance * (sqrt(count) + 0.12 + 0.11 / sqrt(count)));
    u.anderson_darling = -count - sum;
    return u;
}

#endif
