/* Arithmetic on logarithms, without overflow, underflow or needless cancellation.
 *
 * Probabilities travel through this room as logarithms: log 0 = -HUGE_VAL is an ordinary
 * value, and a probability of 1e-400 is not zero.  NaN goes in, NaN comes out; finite
 * input never makes one, except where a function is not defined (said below).
 *
 *   double a[] = {-1000.0, -1001.0};
 *   double s = ev_log_sum_exp(2, a);          // -1000 + log(1 + 1/e)
 */
#ifndef EV_PROBABILITY_LOG_SPACE_H
#define EV_PROBABILITY_LOG_SPACE_H

#include <stddef.h>

/* log 2, log(2 pi), and log(2 pi e): the constants of Gaussian entropies. */
#define EV_LOG_2 0.693147180559945309417232121458
#define EV_LOG_2PI 1.837877066409345483560659472811
#define EV_LOG_2PI_E 2.837877066409345483560659472811

/* log sum_i exp(a_i), a: (n).  -HUGE_VAL for n = 0 or when every a_i is -HUGE_VAL. */
double ev_log_sum_exp(size_t n, const double *a);
/* log (1/n) sum_i exp(a_i): the importance-weighted estimate of a log evidence.
 * NaN for n = 0. */
double ev_log_mean_exp(size_t n, const double *a);
/* log(e^a + e^b). */
double ev_log_add_exp(double a, double b);
/* log(1 - e^a), a <= 0; -HUGE_VAL at 0, NaN above. */
double ev_log_one_minus_exp(double a);
/* log(e^a e^b) = a + b, with the convention 0 times infinity = 0: -HUGE_VAL wins. */
double ev_log_product(double a, double b);

/* out_i = a_i - log sum_k exp(a_k), a and out: (n), may be the same array.  Entries of
 * HUGE_VAL share the mass evenly; when all are -HUGE_VAL there is nothing to
 * normalise and out is NaN. */
void ev_log_softmax(size_t n, const double *a, double *out);
/* out_i = log p_i, p and out: (n), may be the same array.  log 0 = -HUGE_VAL. */
void ev_log_each(size_t n, const double *p, double *out);

/* log(1 + e^x), and its inverse on y > 0 (-HUGE_VAL at 0, NaN below). */
double ev_softplus(double x);
double ev_softplus_inverse(double y);
/* 1 / (1 + e^-x), its logarithm, and its inverse log(p / (1 - p)) on [0, 1]. */
double ev_sigmoid(double x);
double ev_log_sigmoid(double x);
double ev_logit(double p);

/* x log y and x log(1 + y), with 0 log 0 = 0. */
double ev_xlogy(double x, double y);
double ev_xlog1py(double x, double y);

/* e^x - 1 - x >= 0 and log(1 + x) - x <= 0 to full relative accuracy near 0, where the
 * obvious differences lose every digit.  HUGE_VAL and -HUGE_VAL at the ends. */
double ev_expm1_minus(double x);
double ev_log1p_minus(double x);

/* One summand of a discrete KL divergence, q log(q/p) - q + p >= 0, from q, p >= 0 or from
 * their logarithms.  Over normalised q and p the summands add to KL(q||p), and since none is
 * negative nothing cancels.  q = 0 gives p; p = 0 < q gives HUGE_VAL; both 0 give 0. */
double ev_kl_term(double q, double p);
double ev_kl_term_log(double log_q, double log_p);

#endif
