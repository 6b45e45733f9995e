/* One step at one point of somebody's choice: how witnesses are shrunk and replayed. */
#ifndef EV_JUDGE_REPLAY_H
#define EV_JUDGE_REPLAY_H

#include "judge/plan.h"
#include "judge/point.h"

typedef struct ev_replay ev_replay;

/* The step (0-based) of the formula at integers[symbol]; its point is an arbitrary one until it is
 * moved.  EV_BAD_INPUT when the formula can't be had there, EV_UNFIT when no point satisfies the
 * conditions.  The formula must outlive it. */
ev_status ev_replay_create(const ev_formula *formula, size_t step, const char *id,
                           const long *integers, const ev_budget *budget, uint64_t seed,
                           ev_replay **replay, ev_error *error);
void ev_replay_destroy(ev_replay *replay);

const ev_case *ev_replay_case(const ev_replay *replay);
ev_space *ev_replay_space(const ev_replay *replay);
/* The inputs that the step depends on. */
const bool *ev_replay_used(const ev_replay *replay);

/* The most sampling comparisons that one judgement can spend. */
uint64_t ev_replay_comparisons(const ev_replay *replay);

/* Go to these inputs, if domains and conditions admit them. */
bool ev_replay_move(ev_replay *replay, const double *inputs);
/* As ev_plan_judge does, at the point alone. */
ev_status ev_replay_judge(const ev_replay *replay, const ev_budget *budget, ev_arena *arena,
                          ev_step_result *result, const char **witness);

#endif
