/* What the files that break and mend formulas share: the member in hand, the way down to the node in
 * hand, and the edits found so far.  Private to edit.c, edit_build.c and edit_kinds.c. */
#ifndef EV_FORMULA_EDIT_STATE_H
#define EV_FORMULA_EDIT_STATE_H

#include "formula/edit.h"
#include "formula/syntax.h"

enum { EV_EDIT_MAX_DEPTH = 200, EV_EDIT_MAX_SYMBOLS = 256 };

typedef struct {
    const ev_syntax *node;
    size_t child;
} ev_edit_place;

typedef struct {
    const ev_formula *formula;
    const ev_symbol_table *table;
    ev_arena *arena;
    bool repairs, failed;
    size_t member;
    ev_edit_place
        path[EV_EDIT_MAX_DEPTH]; /* from the member's root down to the parent of the node in hand */
    size_t depth;
    int indices[32]; /* bound by sums around the node in hand */
    size_t index_count;
    int symbols[EV_EDIT_MAX_SYMBOLS]; /* candidates for exchanges */
    size_t symbol_count;
    const ev_syntax *densities[64]; /* applications that occur in the formula */
    size_t density_count;
    ev_edit *edits; /* heap */
    size_t count, capacity;
} ev_editor;

/* Nodes that stand at the place of another; from the arena.  NULL sets failed, or passes on a NULL
 * child.  ev_edit_copy: x with room for so many children, those of x first. */
ev_syntax *ev_edit_copy(ev_editor *ed, const ev_syntax *x, size_t children);
const ev_syntax *ev_edit_node(ev_editor *ed, ev_syntax_kind kind, const ev_syntax *at,
                              const ev_syntax *a, const ev_syntax *b);
const ev_syntax *ev_edit_number(ev_editor *ed, const ev_syntax *at, double value);
const ev_syntax *ev_edit_symbol(ev_editor *ed, const ev_syntax *at, int symbol);
const ev_syntax *ev_edit_with_child(ev_editor *ed, const ev_syntax *x, size_t i,
                                    const ev_syntax *child);

/* A product without its factor i; the other factor itself when only one is left. */
const ev_syntax *ev_edit_without_child(ev_editor *ed, const ev_syntax *x, size_t i);

/* Record the member with before, the node in hand, replaced by after; NULL or no change: nothing. */
void ev_edit_emit(ev_editor *ed, ev_edit_kind kind, const ev_syntax *before,
                  const ev_syntax *after);

/* All edits of the node in hand itself, not of its children. */
void ev_edit_by_kind(ev_editor *ed, const ev_syntax *x);

#endif
