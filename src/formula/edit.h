/* One-edit neighbours of a printed formula.
 *
 * Read as mutants, they are the slips that people make: a term dropped, a sign flipped, a factor
 * one half lost, sigma for sigma^2, a tilde forgotten, the arguments of a divergence exchanged.
 * Read as repairs, the same edits and their inverses are guesses at what was meant.
 * An edit is made on the syntax tree; whether it still has a meaning (types, bound indices) is
 * found out by elaborating it. */
#ifndef EV_FORMULA_EDIT_H
#define EV_FORMULA_EDIT_H

#include "formula/claim.h"

/* In the order of preference as repairs: the simplest slip first. */
typedef enum {
    EV_EDIT_FLIP_SIGN,
    EV_EDIT_SWAP_SYMBOL, /* \tilde\mu for \mu */
    EV_EDIT_POWER,       /* sigma^2 for sigma, and back */
    EV_EDIT_FACTOR,      /* a factor lost, 2 or 1/2 too much */
    EV_EDIT_WEIGHT,      /* divided by a density, or times one (repairs) */
    EV_EDIT_DROP_TERM,
    EV_EDIT_DROP_FUNCTION,  /* a log, an exp lost */
    EV_EDIT_DROP_OPERATION, /* a transpose, an inverse, an expectation, a stop-gradient lost */
    EV_EDIT_EXCHANGE,       /* the arguments of a divergence */
    EV_EDIT_DENSITY,        /* another density, a conditional lost */
    EV_EDIT_INDEX,          /* an index moved or fixed, a range changed */
    EV_EDIT_BRACKET,        /* a factor that takes one term instead of all, or all instead of one */
    EV_EDIT_ADD_TERM,       /* an expectation, or the gradient under one (repairs) */
    EV_EDIT_MEAN,           /* a sum that was meant as a mean (repairs) */
    EV_EDIT_KIND_COUNT
} ev_edit_kind;

const char *ev_edit_kind_name(ev_edit_kind kind);

typedef struct {
    ev_edit_kind kind;
    const char *before, *after; /* TeX of the part that changed */
    size_t member;              /* which member of the chain is edited */
    const ev_syntax *edited;    /* that member, whole */
    const ev_syntax *at;        /* the part of it that changed, as printed */
} ev_edit;

/* All edits of one step: of its right side, and of its left side when no earlier step of the chain
 * edits that member.  repairs: with the inverses, but without those that leave a sum, an integral or
 * an expectation over nothing.  Memory from the arena; at most limit edits are
 * kept, evenly over the kinds.  EV_NO_MEMORY, or EV_OK. */
ev_status ev_formula_edits(const ev_formula *formula, size_t step, bool repairs, size_t limit,
                           ev_arena *arena, ev_edit **edits, size_t *count);

/* The formula that consists of one step alone, with one member replaced (NULL: as printed).
 * Members and steps come from the arena. */
ev_status ev_formula_single_step(const ev_formula *formula, size_t step, const ev_edit *edit,
                                 ev_arena *arena, ev_formula *out);

#endif
