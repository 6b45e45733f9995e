/* Choices of a formula's integers: the dimensions and free indices at which it is judged. */
#ifndef EV_JUDGE_INTEGERS_H
#define EV_JUDGE_INTEGERS_H

#include "base/arena.h"
#include "formula/claim.h"
#include "numerics/random.h"

/* Up to capacity different choices.  Each is an array of table->symbol_count values, of which
 * those of symbols[0..count) are set.  The first has small, different dimensions; then come the
 * low ends, as many as it takes to tell any two symbols apart (one for two of them, two for up to
 * four, three for up to eight), the high ends (as far as EV_INTEGER_HIGH_REACH above the low ones),
 * and random choices (EV_INTEGER_REACH above).
 * Returns how many, 0 when memory is short or a range is empty. */
size_t ev_integers_choose(const ev_symbol_table *table, size_t count, const int *symbols,
                          const ev_stream *stream, size_t capacity, ev_arena *arena,
                          long **choices);

enum { EV_INTEGER_REACH = 7, EV_INTEGER_HIGH_REACH = 63 };

#endif
