/* One attempt to decide a step at one point with a given effort.  Which of the functions
 * serves depends on the kind of step; judge/step.h repeats them with more effort. */
#ifndef EV_JUDGE_ATTEMPT_H
#define EV_JUDGE_ATTEMPT_H

#include "judge/budget.h"
#include "judge/compare.h"

/* A step at fixed integers, ready to be evaluated.  One thread at a time. */
typedef struct {
    const ev_case *instance;
    const ev_case_step *step;
    /* left[0..count), right[0..count).  For arg-mins: the left objective and its gradient, and in
     * `second` the right ones. */
    ev_program *program, *second;
    ev_program *spread;   /* of an estimate: its variance; else NULL */
    uint64_t comparisons; /* sampling comparisons that one attempt can spend, at most */
    double slack;         /* see ev_tolerance */
    const ev_symbol_table *table;
    const long *integers;
    bool *used; /* inputs the step depends on */
} ev_trial;

typedef struct {
    const double *inputs;  /* instance->input_count */
    const double *redraws; /* redraw_count more, each the same but for vary[]'s inputs */
    size_t redraw_count;
} ev_place;

typedef struct {
    ev_comparison worst;  /* of the components (and redraws) compared */
    ev_value left, right; /* what was compared there */
    size_t compared;      /* components; 0: nothing was */
    size_t blank, zero;   /* of these: both sides vanish, or are exactly 0 (judge/compare.h) */
    size_t unsaid;        /* of the latter, those that the formulas don't say themselves */
    unsigned methods;
    uint64_t evaluations, samples, comparisons;
    double sentinel;
    double p_value;   /* of one sampling comparison, or NaN: see ev_value */
    bool says_little; /* arg-mins that agree, and might elsewhere not (judge/argmin.c) */
    char reason[200]; /* when not EV_AGREES */
} ev_attempt;

/* How many attempts' worth of program comparisons one attempt spends at most: evaluations of
 * `program` and `second`. */
size_t ev_attempt_evaluations(const ev_case_step *step, const ev_budget *budget);

/* EV_OK whatever the outcome; a failure of the machine otherwise. */
ev_status ev_attempt_compare(const ev_trial *trial, const ev_place *place, const ev_budget *budget,
                             const ev_effort *effort, const ev_stream *stream, ev_attempt *out);
ev_status ev_attempt_proportional(const ev_trial *trial, const ev_place *place,
                                  const ev_budget *budget, const ev_effort *effort,
                                  const ev_stream *stream, ev_attempt *out);
ev_status ev_attempt_constant(const ev_trial *trial, const ev_place *place, const ev_budget *budget,
                              const ev_effort *effort, const ev_stream *stream, ev_attempt *out);
ev_status ev_attempt_argmin(const ev_trial *trial, const ev_place *place, const ev_budget *budget,
                            const ev_effort *effort, const ev_stream *stream, ev_attempt *out);

/* The standard deviation of an estimate at a point, to a few digits, for information: NaN when
 * there is none or it can't be had cheaply.  *comparisons grows by what was spent. */
double ev_attempt_deviation(const ev_trial *trial, const double *inputs, const ev_budget *budget,
                            const ev_stream *stream, uint64_t *comparisons);

/* For the attempts themselves: note the cost of an evaluation, and one comparison's outcome
 * (the worst is kept; true
 * when it is this one). */
void ev_attempt_spend(ev_attempt *attempt, const ev_program *program, size_t n,
                      const ev_value *values);
bool ev_attempt_note(ev_attempt *attempt, const ev_comparison *comparison, const ev_value *left,
                     const ev_value *right);
void ev_attempt_begin(ev_attempt *attempt);
/* Is it no accident of the points when both sides of component i are 0?  One of them is the constant
 * 0, or they are one and the same formula. */
bool ev_attempt_says_zero(const ev_trial *trial, size_t i);

#endif
