/* Spectral clustering (A. Y. Ng, M. I. Jordan & Y. Weiss, NIPS 2001) of the graph of nearest
 * neighbours: clusters of any shape, as long as neighbours mostly belong together.
 *
 *   1. W as in neighbours.h, d_i = sum_j W_ij
 *   2. the first m eigenvectors of D^(-1/2) W D^(-1/2), by ARPACK's Lanczos iteration
 *   3. each row of these scaled to length 1; k-means on the rows
 *
 * With m = K the K-th vector is often spent on splitting a large cluster, and two small ones stay
 * together: m = K + K/2 leaves room for both, and k-means decides.
 * A function of the options and the data alone: not of the number of threads.
 */
#ifndef EV_TRAIN_SPECTRAL_H
#define EV_TRAIN_SPECTRAL_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t K;          /* clusters, at least 2 */
    size_t neighbours; /* k of the graph; N - 1 at most is used */
    size_t restarts;   /* of k-means on the rows; at least 1 */
    uint64_t seed;
} ev_spectral_options;

typedef struct {
    size_t vectors; /* m */
    double gap;     /* 1 - the K-th eigenvalue: near 0 when there are K parts or more */
    double inertia; /* k-means' sum over the rows */
    size_t restart; /* which one was kept, from 0 */
} ev_spectral_result;

/* x (N,J); each point's cluster into assignment (N).  result may be NULL.  EV_BAD_INPUT when there
 * are not enough points (N >= m + 2 is needed) or one is not finite; EV_UNFIT when ARPACK finds no
 * vectors. */
ev_status ev_spectral_cluster(const ev_spectral_options *options, size_t N, size_t J,
                              const float *x, size_t *assignment, ev_spectral_result *result,
                              ev_error *error);

#endif
