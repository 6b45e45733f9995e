/* Integrands for the tests: a plain function of a point, or several, made into an
 * ev_integrand that also watches how it is called. */
#ifndef EV_TESTS_NUMERICS_INTEGRANDS_H
#define EV_TESTS_NUMERICS_INTEGRANDS_H

#include "numerics/integrand.h"

#include <stdbool.h>
#include <stddef.h>

enum { MAX_FUNCTIONS = 64 };

typedef double (*point_function)(const double *x, double parameter);

typedef struct {
    size_t dim, m;
    point_function f[MAX_FUNCTIONS];
    double parameter[MAX_FUNCTIONS];
    size_t points;  /* seen so far */
    size_t stop_at; /* ask to stop after so many; 0: never */
    bool oversized; /* a block larger than promised was seen */
} watched;

static inline int watched_integrand(void *context, size_t worker, size_t n, const double *const *x,
                                    double *const *out)
{
    watched *w = context;
    (void)worker;
    w->points += n;
    w->oversized |= n > EV_BLOCK;
    if (w->stop_at != 0 && w->points >= w->stop_at)
        return 1;
    for (size_t i = 0; i < n; i++) {
        double point[8] = {0};
        for (size_t d = 0; d < w->dim; d++)
            point[d] = x[d][i];
        for (size_t k = 0; k < w->m; k++)
            out[k][i] = w->f[k](point, w->parameter[k]);
    }
    return 0;
}

static inline watched watch(size_t dim, point_function f, double parameter)
{
    return (watched){.dim = dim, .m = 1, .f = {f}, .parameter = {parameter}};
}

#endif
