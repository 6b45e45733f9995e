/* k-means: Lloyd's iterations from k-means++ starts (D. Arthur & S. Vassilvitskii, SODA 2007).
 *
 *   minimise  sum_i min_k |x_i - centre_k|^2.
 *
 * A function of the options and the data alone: not of the number of threads.
 *
 *   const ev_kmeans_options options = {.K = 512, .restarts = 1, .iterations = 50, .seed = 7};
 *   ev_kmeans_result how;
 *   status = ev_kmeans(&options, N, J, x, centres, assignment, &how, &error);
 */
#ifndef EV_TRAIN_KMEANS_H
#define EV_TRAIN_KMEANS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t K;          /* 1 .. N */
    size_t restarts;   /* starts, of which the best result is kept; at least 1 */
    size_t iterations; /* Lloyd's, at most; 0 leaves the k-means++ start */
    double tolerance;  /* stop when the sum falls by less than this share of itself; 0: only when
                          nothing changes */
    uint64_t seed;
} ev_kmeans_options;

typedef struct {
    double inertia;    /* the sum above */
    size_t iterations; /* of the restart that was kept */
    size_t restart;    /* which one, from 0 */
    bool converged;    /* stopped before the iterations ran out */
} ev_kmeans_result;

/* x (N,J) into centres (K,J) and, unless NULL, each point's nearest centre into assignment (N); the
 * lower index where two are equally near.  A centre that loses all its points moves to the point
 * farthest from its own.  result may be NULL.  EV_BAD_INPUT for K = 0, K > N, no data, or a value
 * that is not finite (named by its position). */
ev_status ev_kmeans(const ev_kmeans_options *options, size_t N, size_t J, const float *x,
                    float *centres, size_t *assignment, ev_kmeans_result *result, ev_error *error);

#endif
