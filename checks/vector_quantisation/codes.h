/* What the parts of the second voice of derivations/vector_quantisation.md share. */
#ifndef EV_CHECKS_VECTOR_QUANTISATION_CODES_H
#define EV_CHECKS_VECTOR_QUANTISATION_CODES_H

#include "judge/check.h"

#include <stddef.h>

double vq_square_distance(size_t n, const double *a, const double *b);
/* The nearest of n codes (n,dim). */
size_t vq_nearest(size_t n, size_t dim, const double *codes, const double *z);

/* twice.c */
void vq_assert_twice(ev_check *check);
/* rates.c */
void vq_decide_discrete(ev_check *check);
void vq_decide_continuous(ev_check *check);
/* means.c */
void vq_decide_quotients(ev_check *check);
void vq_decide_lloyd(ev_check *check);
void vq_decide_noise(ev_check *check);
void vq_decide_unused(ev_check *check);

#endif
