/* The probability of an image whose pixels are one of 256 grey levels k/255, under a Gaussian for each
 * pixel.  A density on levels is no probability, and may be as large as its variance is small; so a level
 * has the mass of what rounds to it,
 *   P(k) = Phi((k + 1/2)/255) - Phi((k - 1/2)/255), with what lies beyond 0 or 255 in these. */
#ifndef EV_TRAIN_GREY_LEVELS_H
#define EV_TRAIN_GREY_LEVELS_H

#include <stddef.h>

/* log P of x (D) in [0,1], in nats, each taken for the level next to it; out: (2 D), means and
 * log-variances as a Gaussian likelihood has them (likelihood.h), held to its limits. */
double ev_grey_levels_log_mass(size_t D, const float *x, const float *out);

#endif
