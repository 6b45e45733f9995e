/* Planted lines: one for each verdict and each kind of step, judged in every run.  A judge that lets
 * one of them come out otherwise is not to be believed about anything else. */
#ifndef EV_JUDGE_CANARIES_H
#define EV_JUDGE_CANARIES_H

#include "judge/judge.h"

typedef struct {
    size_t total, as_planted;
    char first_failure[200]; /* "identity: planted REFUTED, found HOLDS", or "" */
} ev_canaries;

/* seed: of the run; the effort is always quick. */
ev_status ev_canaries_judge(uint64_t seed, ev_canaries *result, ev_error *error);

#endif
