/* A point as text: `J = 2, \mu = (1, -0.5), A = (1, 0; 0.5, 2)`. */
#ifndef EV_JUDGE_WITNESS_H
#define EV_JUDGE_WITNESS_H

#include "base/arena.h"
#include "formula/claim.h"

/* Integers first, then every slot with a used input (used[input]).  Rows are
 * separated by `;`, the samples of a sample symbol and a random function's coefficients
 * (in square brackets) too.  Every number reads back as the same double.  NULL when memory is
 * short. */
const char *ev_witness_text(const ev_symbol_table *table, size_t integer_count,
                            const int *integer_symbols, const long *integers,
                            const ev_case *instance, const bool *used, const double *inputs,
                            ev_arena *arena);

/* Mark the inputs on which the nodes depend: used[input].  Only reads the graph, so that threads
 * may share it.  False when memory is short. */
bool ev_witness_inputs(const ev_case *instance, size_t count, const ev_node *roots, bool *used);

#endif
