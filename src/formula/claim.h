/* A claim's formulas, and what they become at fixed dimensions.
 *
 *   ev_formula      the parsed display: chains of members, and a step for each relation
 *   ev_case         the same at fixed integers: a graph, and for each step the nodes to compare
 */
#ifndef EV_FORMULA_CLAIM_H
#define EV_FORMULA_CLAIM_H

#include "formula/graph.h"
#include "formula/scope.h"

typedef enum {
    EV_RELATION_EQUAL,
    EV_RELATION_LESS_EQUAL,
    EV_RELATION_GREATER_EQUAL,
    EV_RELATION_LESS,
    EV_RELATION_GREATER,
    EV_RELATION_APPROX,
    EV_RELATION_PROPORTIONAL
} ev_relation;

/* "=", "<=", ">=", "<", ">", "~", "prop". */
const char *ev_relation_text(ev_relation relation);

typedef struct {
    ev_relation relation;
    size_t left, right;  /* members */
    size_t line, column; /* of the relation sign in the file */
    const char *source;  /* the printed line that holds the relation's right side */
} ev_formula_step;

typedef struct {
    size_t member_count;
    const ev_syntax **members;
    const char **member_texts; /* TeX as printed, trimmed */
    size_t step_count;
    ev_formula_step *steps;
    const ev_scope *scope;
    const char *file; /* for messages */
} ev_formula;

/* Parse and type-check a claim's display (without the $$) in a scope.  All memory comes from
 * the scope's arena.  A display without a relation is an error. */
ev_status ev_formula_parse(const ev_scope *scope, ev_span display, ev_formula *formula,
                           ev_error *error);

/* Elaborate once at invented integers that differ from each other, so that wrong types are told
 * where they stand and no dimensions agree by chance.  ev_formula_parse has done so. */
ev_status ev_formula_check_types(const ev_formula *formula, ev_error *error);

typedef enum {
    EV_STEP_COMPARE,      /* left[i] against right[i] under the relation, at each point */
    EV_STEP_ESTIMATE,     /* right[i] is already the expectation over the samples; spread[i] the
                         variance of the estimate as one node */
    EV_STEP_PROPORTIONAL, /* left[i] / right[i] does not change when vary[] is redrawn */
    EV_STEP_CONSTANT, /* some value of the input `constant` makes left = right for every value of
                         vary[]; the residual is linear in it */
    EV_STEP_ARGMIN    /* objectives left[0], right[0] over the inputs of vary[] */
} ev_step_kind;

typedef struct {
    ev_step_kind kind;
    ev_relation relation;
    size_t count; /* components */
    const ev_node *left, *right;
    const ev_node *spread; /* ESTIMATE only */
    size_t vary_count;     /* PROPORTIONAL, CONSTANT, ARGMIN: symbols */
    const int *vary;
    int constant;                                  /* CONSTANT: its symbol */
    bool maximise_left, maximise_right;            /* ARGMIN: an arg max stands there */
    const ev_node *left_gradient, *right_gradient; /* ARGMIN: one a component of vary's inputs, in
                                                      order of vary and then of component */
    bool has_gradient;                             /* some \nabla stands in the step */
} ev_case_step;

typedef struct {
    int symbol;
    size_t first, count; /* inputs first .. first+count-1, row-major; samples lead */
} ev_slot;

typedef struct {
    ev_graph *graph;
    ev_arena *arena;
    size_t input_count;
    size_t slot_count;
    const ev_slot *slots; /* REAL and CONSTANT symbols the claim uses, and each FUNCTION's hidden
                                coefficients (draw these from N(0,1)) */
    size_t step_count;
    const ev_case_step *steps;
    size_t member_count; /* values of the members themselves, for checks and explain */
    const size_t *member_sizes;
    const ev_node *const *members; /* NULL for arg-min members and members that hold samples in an
                                      estimate's right side are given pointwise */
    size_t condition_count;        /* each must hold at a point: left relation right */
    const ev_node *condition_left, *condition_right;
    const int *condition_relation;
} ev_case;

/* Which integer symbols a formula depends on (its own and, transitively, those of dimensions,
 * ranges and definitions), in order of declaration; returns their number, at most capacity
 * are written. */
size_t ev_formula_integers(const ev_formula *formula, int *symbols, size_t capacity);

/* Range of an integer symbol, given the values of the earlier ones (values[symbol]). */
void ev_integer_range(const ev_symbol_table *table, int symbol, const long *values, long *low,
                      long *high);

/* The formula at fixed integers.  integers[s] is the value of integer symbol s (indexed by symbol
 * table position; others are ignored).  EV_BAD_INPUT with a place when the dimensions don't
 * fit each other or the language can't integrate what is written. */
ev_status ev_case_create(const ev_formula *formula, const long *integers, ev_case **out,
                         ev_error *error);
void ev_case_destroy(ev_case *instance);

#endif
