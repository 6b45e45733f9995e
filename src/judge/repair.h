/* Repairs of a refuted line, put in order and in words.  Private to src/judge. */
#ifndef EV_JUDGE_REPAIR_H
#define EV_JUDGE_REPAIR_H

#include "base/arena.h"
#include "formula/edit.h"

typedef struct {
    const char *after, *before; /* TeX */
    const ev_edit *edit;        /* NULL: of the relation */
} ev_repair;

/* The likeliest first: of member right before the other, the simplest kind of slip, the shorter. */
void ev_repair_order(size_t count, ev_edit *edits, size_t right);

/* "holds with A for B, or with C for D", from the arena; two of the same text say where: "on the
 * left", "on the right, second".  NULL when memory is short. */
const char *ev_repair_text(const ev_formula *formula, size_t step, const ev_repair *repairs,
                           size_t count, ev_arena *arena);

#endif
