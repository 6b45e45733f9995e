/* How well clusters found without labels match the labels.  Labels are used nowhere else.
 *
 * From the contingency table n_kc, the points of cluster k with label c, N in all:
 *   accuracy  max over one-to-one assignments m of clusters to labels of sum_k n_k,m(k) / N
 *             (H. W. Kuhn, Nav. Res. Logist. Q. 2, 1955).  With more clusters than labels, or fewer,
 *             those left over count as wrong.
 *   purity    sum_k max_c n_kc / N: many-to-one, never below the accuracy, 1 for K = N.
 *   nmi       2 I(k;c)/(H(k) + H(c)): mutual information over the arithmetic mean of the entropies;
 *             1 when both entropies are 0.
 *   ari       (R - E R)/(max R - E R) for R the number of pairs together in both (L. Hubert &
 *             P. Arabie, J. Classif. 2, 1985): 0 in the mean by chance, may be negative; 1 when
 *             both partitions are trivial in the same way.
 */
#ifndef EV_TRAIN_CLUSTERING_H
#define EV_TRAIN_CLUSTERING_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    double accuracy, purity, nmi, ari;
    size_t occupied; /* clusters with a point at all */
    double largest;  /* the largest cluster's share */
} ev_clustering;

/* cluster (N), each below K; label (N), each below C.  occupancy (K), unless NULL: the points of each
 * cluster.  match (K), unless NULL: the label that the best assignment gives each cluster, SIZE_MAX
 * for none.  EV_BAD_INPUT for N, K or C of 0 or an index beyond its bound. */
ev_status ev_clustering_score(size_t N, size_t K, const size_t *cluster, size_t C,
                              const uint8_t *label, ev_clustering *score, size_t *occupancy,
                              size_t *match, ev_error *error);
/* Only the counts, for data without labels. */
ev_status ev_clustering_occupancy(size_t N, size_t K, const size_t *cluster, ev_clustering *score,
                                  size_t *occupancy, ev_error *error);

/* The one-to-one assignment of rows to columns with the largest sum, in O(n^3), n the larger side.
 * value (rows,columns), finite.  match (rows): a column each, SIZE_MAX where columns are fewer and
 * the row is left out.  EV_NO_MEMORY is the only way to fail. */
ev_status ev_assignment(size_t rows, size_t columns, const double *value, size_t *match,
                        double *sum);

#endif
