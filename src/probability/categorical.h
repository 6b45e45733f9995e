/* Categorical distributions over 0 .. K-1, given by log-probabilities.
 *
 *   K       number of categories, at least 1
 *   log_pi  (K) normalised log-probabilities; log 0 = -HUGE_VAL is allowed.  From
 *           probabilities: ev_log_each; from logits: ev_log_softmax (log_space.h).
 * All values are in nats; 0 log 0 = 0, so finite probabilities never give NaN.
 *
 *   double pi[] = {0.5, 0.5, 0.0}, log_pi[3];
 *   ev_log_each(3, pi, log_pi);
 *   double h = ev_categorical_entropy(3, log_pi);      // log 2
 */
#ifndef EV_PROBABILITY_CATEGORICAL_H
#define EV_PROBABILITY_CATEGORICAL_H

#include "numerics/random.h"

#include <stddef.h>
#include <stdint.h>

/* log Cat(c; pi) = log pi_c; -HUGE_VAL for c >= K. */
double ev_categorical_log_mass(size_t K, size_t c, const double *log_pi);

/* H(q) = -sum_c q_c log q_c, between 0 and log K. */
double ev_categorical_entropy(size_t K, const double *log_q);

/* E_q[log p] = sum_c q_c log p_c, with its natural sign; -HUGE_VAL when p_c = 0 < q_c
 * for some c. */
double ev_categorical_cross_entropy(size_t K, const double *log_q, const double *log_p);

/* KL(q||p) = sum_c q_c log(q_c/p_c) >= 0; HUGE_VAL when p_c = 0 < q_c for some c. */
double ev_categorical_kl(size_t K, const double *log_q, const double *log_p);

/* Draws offset .. offset+n-1 of the stream, c: (n), by inversion.  A category of
 * probability 0 is never drawn. */
void ev_categorical_sample(const ev_stream *stream, uint64_t offset, size_t n, size_t K,
                           const double *log_pi, size_t *c);

#endif
