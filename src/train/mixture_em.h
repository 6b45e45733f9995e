/* The two steps of expectation-maximisation for a Gaussian mixture.  Private to this room.
 *
 * Points are taken in blocks, transposed, so that every inner loop runs over points and vectorises
 * with the same result at any width; blocks belong to a fixed number of chunks, whose sums are added
 * in their order.  So the threads, which share out the chunks, make no difference.
 *   N points, J dimensions, K components, T moments of one component: 1 + J + (J or J(J+1)/2).
 */
#ifndef EV_TRAIN_MIXTURE_EM_H
#define EV_TRAIN_MIXTURE_EM_H

#include "base/arena.h"
#include "train/mixture_fit.h"

typedef struct {
    size_t N, J, K, T;
    ev_covariance_kind kind;
    const float *x;     /* (N,J) */
    double floor;       /* the least variance, absolute */
    ev_arena *arena;    /* of what follows */
    double *constant;   /* (K) log pi_k - J log(2 pi)/2 - log det L_k */
    double *inverse;    /* (K,J) 1/sigma, or 1/L_jj */
    double *work;       /* (chunks, work_size) */
    double *moments;    /* (chunks,K,T) sums of gamma, gamma d_j, gamma d_i d_j; d = x - mu */
    double *likelihood; /* (chunks) */
    double *matrices;   /* (3,J,J) scratch of the M-step */
    size_t work_size;
} ev_em;

/* False when memory is short. */
bool ev_em_create(ev_em *em, size_t N, size_t J, const float *x, size_t K, ev_covariance_kind kind);
void ev_em_destroy(ev_em *em);

/* The mean log likelihood of fit's parameters; the moments, if gather; each point's likeliest
 * component into cluster (N), unless NULL. */
double ev_em_expect(ev_em *em, const ev_mixture_fit *fit, bool gather, size_t *cluster);
/* The parameters that the moments ask for, into fit, which still holds those they were gathered
 * with. */
void ev_em_maximise(ev_em *em, ev_mixture_fit *fit);

#endif
