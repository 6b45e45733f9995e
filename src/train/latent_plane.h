/* The plane in which posterior means are drawn.
 *
 * With two dimensions their own.  With more, the plane that keeps clusters apart (R. A. Fisher, Ann.
 * Eugenics 7, 1936): of W, the mean scatter within clusters, and B, that of the clusters' means, the
 * two leading solutions of B a = lambda W a with a^T W a = 1.  Fewer than three clusters span no
 * plane; then the two principal axes of all means, unscaled. */
#ifndef EV_TRAIN_LATENT_PLANE_H
#define EV_TRAIN_LATENT_PLANE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* mean (N,J), cluster (N), each below K; plane (N,2), about the mean of all.  *discriminant: the axes
 * are Fisher's, in standard deviations within clusters.  EV_UNFIT for J = 1 and for means that lie in
 * a line. */
ev_status ev_latent_plane(size_t N, size_t J, size_t K, const double *mean, const size_t *cluster,
                          double *plane, bool *discriminant, ev_error *error);

#endif
