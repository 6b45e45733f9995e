/* Adam: D. P. Kingma & J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
 *
 *   m = b1 m + (1 - b1) g,   v = b2 v + (1 - b2) g^2,
 *   theta = theta - rate * (m/(1 - b1^t)) / (sqrt(v/(1 - b2^t)) + epsilon).
 */
#ifndef EV_NN_ADAM_H
#define EV_NN_ADAM_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    double beta1, beta2, epsilon;
} ev_adam;

/* The paper's: 0.9, 0.999, 1e-8. */
#define EV_ADAM_DEFAULT ((ev_adam){0.9, 0.999, 1e-8})

/* Step t = 1, 2, ... on all n parameters; m and v begin as 0.  Element by element: the threads make
 * no difference to the result. */
void ev_adam_step(const ev_adam *adam, uint64_t t, double rate, size_t n, const float *gradient,
                  float *m, float *v, float *parameters);

#endif
