/* A claim prepared to be judged: its cases at chosen integers, the points drawn, the programs
 * compiled.  All that is needed to say, before any sampling begins, how many sampling
 * comparisons the claim can spend.
 *
 *   ev_plan_create          one thread a claim
 *   ev_plan_prepare         one thread a claim, for each step that is wanted
 *   ev_plan_judge           any threads, a step each
 *
 * Every step of a claim is judged at the same points; its sampling streams are its own. */
#ifndef EV_JUDGE_PLAN_H
#define EV_JUDGE_PLAN_H

#include "judge/step.h"

typedef struct ev_plan ev_plan;

/* EV_BAD_INPUT, with its place, when the formula can't be had at some integers. */
ev_status ev_plan_create(const ev_formula *formula, const char *id, const ev_budget *budget,
                         uint64_t seed, ev_plan **plan, ev_error *error);

/* The same from cases at hand, which are not owned and must outlive the plan: case i has the
 * integers choices[i][symbol].  All have the same steps.  integers: the symbols that a witness
 * names. */
typedef struct {
    const ev_symbol_table *table;
    size_t case_count;
    ev_case *const *cases;
    long *const *choices;
    size_t integer_count;
    const int *integers;
} ev_plan_source;
ev_status ev_plan_create_from(const ev_plan_source *source, const char *id, const ev_budget *budget,
                              uint64_t seed, ev_plan **plan, ev_error *error);

void ev_plan_destroy(ev_plan *plan);

size_t ev_plan_step_count(const ev_plan *plan);
/* Points drawn, whether or not they satisfied the conditions. */
size_t ev_plan_points_tried(const ev_plan *plan);
/* Points kept; their inputs, and their case. */
size_t ev_plan_points(const ev_plan *plan);
const double *ev_plan_point(const ev_plan *plan, size_t point, const ev_case **instance);
const long *ev_plan_integers(const ev_plan *plan, size_t point); /* by symbol */
/* Put the first point elsewhere: a replay's only one.  inputs are not looked at. */
void ev_plan_move(ev_plan *plan, const double *inputs);

/* Compile step (0-based); adds to *comparisons the most it can spend. */
ev_status ev_plan_prepare(ev_plan *plan, size_t step, uint64_t *comparisons, ev_error *error);

/* Judge a prepared step; effort as in budget, whose alpha has been set by now.  An inequality that
 * holds at all points is tried at those that the search finds (judge/tighten.h).  *witness: the
 * shown point as text, from the arena; "" when there is none; result->shown is its number, beyond
 * ev_plan_points for one that was found, whose inputs are the arena's too. */
ev_status ev_plan_judge(const ev_plan *plan, size_t step, const ev_budget *budget, ev_arena *arena,
                        ev_step_result *result, const char **witness);

#endif
