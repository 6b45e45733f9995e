/* Which symbols a formula depends on.  Private to src/formula. */
#ifndef EV_FORMULA_OCCURRENCE_H
#define EV_FORMULA_OCCURRENCE_H

#include "formula/claim.h"
#include "formula/syntax.h"

enum { EV_OCCURS_FREE = 1, EV_OCCURS_BOUND = 2 };

/* For each symbol of the table (flags: one byte each, zeroed by the caller) whether it occurs free
 * or bound in the expression, definitions opened; integers that dimensions and ranges need count
 * as free. */
void ev_mark_occurrences(const ev_symbol_table *table, const ev_syntax *expression,
                         unsigned char *flags);
/* The same for a formula's members and the conditions that touch them; which conditions, in
 * used[condition_count] (may be NULL). False when memory is short. */
bool ev_mark_formula(const ev_formula *formula, unsigned char *flags, bool *used);

/* Random variables (x \sim q) that occur in an expression; their number. */
size_t ev_occurring_random_variables(const ev_symbol_table *table, const ev_syntax *expression,
                                     int *symbols, size_t capacity);

/* Does \nabla stand in the expression, definitions opened? */
bool ev_has_gradient(const ev_symbol_table *table, const ev_syntax *expression);

#endif
