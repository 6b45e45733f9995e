/* Edits that change nothing, by rule and not by numbers: such a mutant is none. */
#ifndef EV_JUDGE_EQUIVALENCE_H
#define EV_JUDGE_EQUIVALENCE_H

#include "base/arena.h"
#include "formula/edit.h"

/* The edited member has the very graph of the printed one; or the step is a proportionality in
 * continuous variables, and the logarithms of the two differ by terms free of these alone, that is,
 * the members by a positive factor.  False where that can't be told, or memory is short. */
bool ev_edit_changes_nothing(const ev_formula *formula, size_t step, const ev_edit *edit,
                             ev_arena *arena);

#endif
