/* What the parts of the second voice of derivations/general_covariance.md share.
 *
 *   d      dimension              mu     (d)
 *   L      (d,d) row-major, lower triangular
 *   gram   (d,d) L L^T
 */
#ifndef EV_CHECKS_GENERAL_COVARIANCE_ROOTS_H
#define EV_CHECKS_GENERAL_COVARIANCE_ROOTS_H

#include "fixtures/worst.h"
#include "judge/check.h"

#include <stdbool.h>
#include <stddef.h>

enum { MAX_D = 6, MAX_ENTRIES = MAX_D * MAX_D, KL_D = 2 };

static const double MU[MAX_D] = {0.3, -1.2, 2.5, 0.7, -0.45, 1.1};
static const double Z[MAX_D] = {-0.6, 0.4, 1.9, -0.2, 0.85, 2.3};
/* No two entries alike; both signs on the diagonal. */
static const double ROOT[MAX_D][MAX_D] = {{-0.9, 0, 0, 0, 0, 0},
                                          {-0.4, 1.2, 0, 0, 0, 0},
                                          {0.7, 0.3, -0.6, 0, 0, 0},
                                          {-0.2, 0.8, 0.5, 1.6, 0, 0},
                                          {0.55, -0.35, 0.15, -0.65, 0.75, 0},
                                          {0.1, 0.45, -0.95, 0.25, -0.5, 1.3}};

/* The leading block of ROOT, and its transpose. */
void covariance_leading_block(size_t d, double *L);
void covariance_transpose(size_t d, const double *L, double *U);
/* C = A A^T for any A; ev_lower_gram reads triangles only. */
void covariance_any_gram(size_t d, const double *A, double *C);
double covariance_quadratic_form(size_t d, const double *A, const double *v);
/* KL(N(mu, L L^T) || N(0, I)). */
double covariance_spherical_kl(size_t d, const double *mu, const double *L);

/* law.c */
void covariance_decide_law(ev_check *check);
/* factors.c */
void covariance_decide_diagonal(ev_check *check);
void covariance_decide_unique(ev_check *check);
void covariance_decide_count(ev_check *check);
void covariance_decide_singular(ev_check *check);
void covariance_decide_readings(ev_check *check);
/* floats.c */
void covariance_decide_floats(ev_check *check);
/* divergence.c */
void covariance_decide_minimum(ev_check *check);
void covariance_assert_kl(ev_check *check);

#endif
