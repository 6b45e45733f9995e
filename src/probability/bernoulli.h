/* Independent Bernoulli variables, by probability or by logit.
 *
 *   D      number of variables
 *   x      (D) each 0 or 1
 *   p      (D) probabilities of a 1, in [0,1]
 *   logit  (D) log(p/(1-p)), -HUGE_VAL and HUGE_VAL included; keeps the digits that a p
 *          near 1 has lost, so it is the form for decoders
 * All values are in nats and are sums over D, never means; 0 log 0 = 0, so that no p in
 * [0,1] gives NaN.
 *
 * For a fractional x the first two functions return x log p + (1-x) log(1-p): the
 * cross-entropy of two Bernoullis, which is not a log likelihood of grey values
 * (over x in [0,1] it isn't normalised).
 */
#ifndef EV_PROBABILITY_BERNOULLI_H
#define EV_PROBABILITY_BERNOULLI_H

#include "numerics/random.h"

#include <stddef.h>
#include <stdint.h>

/* log Ber(x; p) = sum_i [ x_i log p_i + (1 - x_i) log(1 - p_i) ]; -HUGE_VAL where x is
 * impossible. */
double ev_bernoulli_log_mass(size_t D, const double *x, const double *p);
double ev_bernoulli_log_mass_logit(size_t D, const double *x, const double *logit);

/* H = -sum_i [ p_i log p_i + (1 - p_i) log(1 - p_i) ]. */
double ev_bernoulli_entropy(size_t D, const double *p);
double ev_bernoulli_entropy_logit(size_t D, const double *logit);

/* E_q[log p], with its natural sign; q and p: (D) probabilities, or logits. */
double ev_bernoulli_cross_entropy(size_t D, const double *q, const double *p);
double ev_bernoulli_cross_entropy_logit(size_t D, const double *logit_q, const double *logit_p);

/* KL(q||p) >= 0; HUGE_VAL where q allows what p forbids. */
double ev_bernoulli_kl(size_t D, const double *q, const double *p);
double ev_bernoulli_kl_logit(size_t D, const double *logit_q, const double *logit_p);

/* Draws offset .. offset+n-1 of the stream, x: (n,D). */
void ev_bernoulli_sample(const ev_stream *stream, uint64_t offset, size_t n, size_t D,
                         const double *p, double *x);
void ev_bernoulli_sample_logit(const ev_stream *stream, uint64_t offset, size_t n, size_t D,
                               const double *logit, double *x);

#endif
