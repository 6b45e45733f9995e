/* How strong the check of a step is, and what a false step may have meant.
 *
 * Strength: the step's formula is broken by one edit at a time (formula/edit.h) and judged
 * again by the same judge.  A mutant is killed when it is REFUTED; it does not count when the edit
 * has no meaning (types) or leaves the same graph; what is neither killed nor HOLDS is counted as
 * undecided.  What survives, HOLDS, is either a weakness of the check or an edit that changes nothing,
 * which the document must then declare with a reason (`equivalent:`); a declaration is tested at fresh
 * points.
 * For an inequality the relation is mutated: reversed, and strengthened to an equality.
 *
 * Diagnosis: the edits and their inverses, tried as repairs of a refuted step; those under which it
 * holds, at fresh points too, simplest first.  An equation is taken for a bound only where its sides
 * are somewhere equal; an edit that makes both sides one text is the last resort. */
#ifndef EV_JUDGE_STRENGTH_H
#define EV_JUDGE_STRENGTH_H

#include "judge/budget.h"

#include "base/arena.h"
#include "formula/edit.h"
#include "judge/ledger.h"

/* A step broken by one slip: a formula of that step alone. */
typedef struct {
    const char *text;    /* "A for B" */
    const ev_edit *edit; /* NULL: of the relation */
    ev_formula formula;
} ev_mutant;

typedef struct {
    size_t total;      /* declared equivalents are not in it */
    size_t killed;     /* REFUTED */
    size_t undecided;  /* came out as UNDECIDED, VOID or VACUOUS, or the operations were spent */
    size_t equivalent; /* declared; where one is refuted at fresh points, reason says so */
    const char *survivors; /* "A for B; C for D", from the arena; "" when none */
    const char *unclear;   /* those that are undecided, likewise */
    const char *reason;    /* a declaration that is false; "" when none */
    uint64_t declared;     /* the entries of the declarations that name a mutant which is not
                              killed, a bit each (judge/declared.h) */
} ev_strength;

typedef struct {
    const char *id; /* of the claim: keys the streams */
    uint64_t seed;
    const ev_budget *budget; /* of the run, alpha set */
    const char *equivalent;  /* the claim's declarations, or NULL: mutants separated by ';' */
} ev_strength_request;

/* The mutants of a step that have a meaning, from the arena. */
ev_status ev_strength_mutants(const ev_formula *formula, size_t step, ev_arena *arena,
                              ev_mutant **mutants, size_t *count);
/* Judged as ev_strength_measure judges it; SKIPPED when it can't be judged at all. */
ev_status ev_strength_verdict(const ev_formula *mutant, const ev_strength_request *request,
                              ev_verdict *verdict);

/* EV_OK, or EV_NO_MEMORY. */
ev_status ev_strength_measure(const ev_formula *formula, size_t step,
                              const ev_strength_request *request, ev_arena *arena,
                              ev_strength *strength);

/* One line, from the arena: "holds with A for B, or with C for D", the simplest first, and where, if
 * two have the same text; where there is none, "no one-edit repair" (with "that could be confirmed"
 * when some edit was neither refuted nor confirmed) or "the sides would be the same with A for B", and
 * after a semicolon what the sides are off by if that has a name (judge/difference.h), or which is
 * never the smaller. */
ev_status ev_strength_diagnose(const ev_formula *formula, size_t step,
                               const ev_strength_request *request, ev_arena *arena,
                               const char **diagnosis);

#endif
