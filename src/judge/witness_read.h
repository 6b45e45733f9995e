/* Reading a point back: the text that judge/witness.h writes, or one like it. */
#ifndef EV_JUDGE_WITNESS_READ_H
#define EV_JUDGE_WITNESS_READ_H

#include "judge/replay.h"

/* `J = 1, \mu = (0), A = (1, 0; 0.5, 2), f = [0, 1]`: every integer of the step and every symbol
 * that it depends on, once, in any order; spaces and braces in names don't matter, and `;` is as
 * good as `,` between values.  The replay stands at that point.  EV_BAD_INPUT, with the place in
 * text as line 1 and a column, when something is missing, unknown, given twice, of the wrong size
 * or not allowed. */
ev_status ev_witness_read(const ev_formula *formula, size_t step, const char *id, const char *text,
                          const ev_budget *budget, uint64_t seed, ev_replay **replay,
                          ev_error *error);

#endif
