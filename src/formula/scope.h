/* What a document has declared: symbols with their types and domains, definitions, conditions.
 *
 * Symbols are kept in one table for a document, in order of declaration; a scope is the
 * list of those in force at a place.  The language is derivations/README.md. */
#ifndef EV_FORMULA_SCOPE_H
#define EV_FORMULA_SCOPE_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct ev_syntax ev_syntax; /* a parsed expression: src/formula/syntax.h */

/* A dimension or a bound of a range: multiplier * (integer symbol) + offset. */
typedef struct {
    int symbol; /* index into the symbol table, or -1: a constant */
    long multiplier, offset;
} ev_dim;

typedef enum {
    EV_SYMBOL_INTEGER,    /* J in {1..6}, c in {1..K} */
    EV_SYMBOL_REAL,       /* scalar, vector or matrix drawn from a domain */
    EV_SYMBOL_FUNCTION,   /* f: R^J -> R, any smooth function */
    EV_SYMBOL_DEFINITION, /* q(z) = ..., Sigma = ..., mu_x^{(l)} = ... */
    EV_SYMBOL_CONSTANT    /* c \perp phi: unnamed, the same for every phi */
} ev_symbol_kind;

/* Square-matrix structure: bits. */
enum {
    EV_MATRIX_LOWER = 1, /* lower triangular */
    EV_MATRIX_POSITIVE_DIAGONAL = 2,
    EV_MATRIX_NONZERO_DIAGONAL = 4,
    EV_MATRIX_SYMMETRIC = 8,
    EV_MATRIX_POSITIVE_DEFINITE = 16, /* symmetric too */
    EV_MATRIX_ORTHOGONAL = 32,
    EV_MATRIX_INVERTIBLE = 64
};

typedef struct {
    double low, high;         /* may be infinite */
    bool low_open, high_open; /* the ends themselves excluded */
    bool binary;              /* each entry 0 or 1 */
    bool simplex;             /* entries of a vector are >= 0 and add up to 1 */
    unsigned structure;       /* matrices */
} ev_domain;

typedef struct {
    const char *name; /* canonical TeX: \tilde{\mu}, \mu_{x}, c' */
    ev_symbol_kind kind;
    size_t line, column;
    ev_dim low, high; /* INTEGER */
    bool hidden;      /* INTEGER: a sum's or a definition's own index, without a declared range */
    /* REAL, FUNCTION: shape of the value: rank 0, 1 (rows) or 2 (rows, cols). */
    unsigned rank;
    ev_dim rows, cols;
    ev_domain domain; /* REAL; for FUNCTION, the codomain (low/high) */
    /* Samples z^{(1)},...,z^{(L)}: an extra leading index 1..samples. */
    bool is_sample;
    ev_dim samples;
    const ev_syntax *sample_density; /* \sim q(z|x), or NULL */
    /* FUNCTION: the number of its real arguments' components is the sum of these. */
    size_t argument_count;
    unsigned argument_ranks[4];
    ev_dim argument_dims[4];
    /* CONSTANT: the symbols it may not depend on. */
    size_t free_of_count;
    int free_of[4];
    /* DEFINITION: private to src/formula. */
    const struct ev_definition *definition;
} ev_symbol;

typedef struct {
    ev_arena *arena; /* not owned */
    ev_symbol *symbols;
    size_t symbol_count, symbol_capacity;
} ev_symbol_table;

typedef struct {
    const ev_syntax *left, *right;
    int relation; /* ev_relation of claim.h, or EV_CONDITION_NOT_EQUAL */
    size_t line, column;
} ev_condition;
enum { EV_CONDITION_NOT_EQUAL = 100 };

/* What is in force at one place of a document.  Copies share the table. */
typedef struct {
    ev_symbol_table *table;
    int *visible; /* indices into the table, oldest first */
    size_t visible_count, visible_capacity;
    ev_condition *conditions;
    size_t condition_count, condition_capacity;
} ev_scope;

/* A piece of a document: text[0..length) begins at line, column of file. */
typedef struct {
    const char *text;
    size_t length;
    size_t line, column;
    const char *file;
} ev_span;

ev_symbol_table *ev_symbol_table_create(ev_arena *arena); /* NULL when memory is short */
void ev_symbol_table_destroy(ev_symbol_table *table);     /* frees symbols[], not the arena */

void ev_scope_init(ev_scope *scope, ev_symbol_table *table);
/* Shorten to what was visible before (section's end). */
void ev_scope_truncate(ev_scope *scope, size_t visible_count, size_t condition_count);
/* A copy in the arena, for a claim to keep. NULL when memory is short. */
const ev_scope *ev_scope_snapshot(const ev_scope *scope, ev_arena *arena);
void ev_scope_destroy(ev_scope *scope); /* its heap arrays; not for snapshots */

/* Read one declaration paragraph (from its first word to its end, displays included). */
ev_status ev_scope_declare(ev_scope *scope, ev_span paragraph, ev_error *error);

#endif
