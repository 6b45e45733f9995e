/* Points drawn from a mixture whose parameters are known. */
#ifndef TESTS_TRAIN_CLUSTERS_H
#define TESTS_TRAIN_CLUSTERS_H

#include "probability/mixture.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

/* Three clusters in the plane, well apart, of different weight and shape. */
static const double clusters_pi[] = {0.5, 0.3, 0.2};
static const double clusters_mu[] = {0, 0, 8, 1, -3, 7};
static const double clusters_sigma[] = {1, 0.5, 0.4, 1.5, 0.8, 0.8};

/* (n,2) on the heap; the components into c unless NULL. */
static inline float *clusters_draw(size_t n, uint64_t seed, size_t *c)
{
    double log_pi[3];
    for (size_t k = 0; k < 3; k++)
        log_pi[k] = log(clusters_pi[k]);
    ev_mixture p = {3, 2, log_pi, clusters_mu, clusters_sigma};
    ev_stream stream = ev_stream_make(seed, 0, 0, 0);
    double *z = malloc(n * 2 * sizeof *z);
    float *x = malloc(n * 2 * sizeof *x);
    ev_mixture_sample(&p, &stream, 0, n, z, c);
    for (size_t i = 0; i < 2 * n; i++)
        x[i] = (float)z[i];
    free(z);
    return x;
}

/* (n,J) standard normals. */
static inline float *clusters_noise(size_t n, size_t J, uint64_t seed)
{
    ev_stream stream = ev_stream_make(seed, 1, 0, 0);
    double *z = malloc(n * J * sizeof *z);
    float *x = malloc(n * J * sizeof *x);
    ev_stream_normals(&stream, 0, n * J, z);
    for (size_t i = 0; i < n * J; i++)
        x[i] = (float)z[i];
    free(z);
    return x;
}

#endif
