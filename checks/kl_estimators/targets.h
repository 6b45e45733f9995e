/* Targets for the minimisations of derivations/kl_estimators.md, known up to a constant: log f and
 * its slopes, as scenario 3 has them; and what only this module knows, for judging the ends:
 * moments and draws of p, minimisers of both divergences.
 *
 *   q     N(m, diag(exp(2 l))), phi = (m, l): (2 dim)
 */
#ifndef EV_CHECKS_KL_ESTIMATORS_TARGETS_H
#define EV_CHECKS_KL_ESTIMATORS_TARGETS_H

#include "judge/check.h"

#include <stdbool.h>
#include <stddef.h>

enum { STUDY_DIM = 2, STUDY_PHI = 2 * STUDY_DIM, STUDY_TARGETS = 4, STUDY_CELLS = 4096 };

typedef struct {
    const char *name;
    size_t dim;
    /* log f at x (dim), and its gradient (dim) unless NULL. */
    double (*log_f)(const double *x, double *gradient);
} study_target;

/* Two humps; a double well; a normal with two widths; a crescent in the plane. */
extern const study_target STUDY[STUDY_TARGETS];
/* The logarithm of a gamma variable: its left tail is exponential. */
extern const study_target STUDY_LOG_GAMMA;

/* What is known of p itself. */
typedef struct {
    const study_target *of;
    double log_z;
    double mean[STUDY_DIM], variance[STUDY_DIM];
    double cumulative[STUDY_CELLS + 1]; /* dim 1: the distribution function, cell by cell */
} study_truth;

study_truth study_know(const study_target *target);
/* n draws of p into x (n,dim), elements offset .. of the stream. */
void study_draw(const study_truth *p, const ev_stream *stream, uint64_t offset, size_t n,
                double *x);

double study_log_q(size_t dim, const double *phi, const double *x);
/* grad_phi log q(x) into score (2 dim). */
void study_score(size_t dim, const double *phi, const double *x, double *score);

/* KL(p||q) from the moments, less the entropy of p, which phi does not move. */
double study_cross_entropy(const study_truth *p, const double *phi);
/* KL(q||p) by sums over a grid, and its gradient (2 dim) unless NULL. */
double study_reverse(const study_truth *p, const double *phi, double *gradient);
/* The minimisers; of KL(q||p), false unless descents from several starts all end there. */
void study_forward_minimiser(const study_truth *p, double *phi);
bool study_reverse_minimiser(const study_truth *p, double *phi);
/* The largest slope of KL(q||p) at phi by another rule: adaptive in one dimension, Gauss and
 * Hermite's in two. */
double study_reverse_slope(const study_truth *p, const double *phi);
/* The same of KL(p||q): averages over q, weighted by f/(Z q). */
double study_forward_slope(const study_truth *p, const double *phi);

#endif
