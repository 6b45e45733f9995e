/* The syntax tree of a printed formula, with every node's place.
 *
 * Names are resolved while parsing: a SYMBOL, a bound index and an application all hold an
 * index into the document's symbol table.  Sum indices and formal parameters that were
 * not declared become hidden symbols of the table. */
#ifndef EV_FORMULA_SYNTAX_H
#define EV_FORMULA_SYNTAX_H

#include "formula/scope.h"

typedef enum {
    EV_SYNTAX_NUMBER,   /* number */
    EV_SYNTAX_SYMBOL,   /* symbol */
    EV_SYNTAX_IDENTITY, /* I: its size follows from its place */
    EV_SYNTAX_ONES,     /* \mathbf{1} */
    EV_SYNTAX_INDEX,    /* child 0 at the integer children 1.. */
    EV_SYNTAX_APPLY,    /* symbol (definition or function) at its children, left ones first */
    EV_SYNTAX_ADD,      /* child 0 + child 1 */
    EV_SYNTAX_SUB,
    EV_SYNTAX_NEG,
    EV_SYNTAX_MUL,  /* product of all children, in order */
    EV_SYNTAX_ODOT, /* entry by entry */
    EV_SYNTAX_OSLASH,
    EV_SYNTAX_DIV,
    EV_SYNTAX_POW,
    EV_SYNTAX_TRANSPOSE,
    EV_SYNTAX_INVERSE,
    EV_SYNTAX_FUNCTION, /* function of child 0 (MAX, MIN: of all) */
    EV_SYNTAX_NORM,
    EV_SYNTAX_ABS, /* absolute value, |det| of a matrix is written out */
    EV_SYNTAX_SUM, /* symbol from child 1 to child 2 of child 0; no 1, 2: its declared range */
    EV_SYNTAX_PRODUCT,
    EV_SYNTAX_MAXIMUM, /* over the range of an index, like a sum */
    EV_SYNTAX_MINIMUM,
    EV_SYNTAX_INDICATOR, /* 1 where child 0 and child 1 stand in the relation, else 0 */
    EV_SYNTAX_INTEGRAL,  /* of child 0 over variables[] */
    EV_SYNTAX_EXPECT,    /* of child 0 under the densities children 1.. over variables[] */
    EV_SYNTAX_VARIANCE,
    EV_SYNTAX_KL,      /* densities child 0, child 1; variables[] are those of child 0 */
    EV_SYNTAX_ENTROPY, /* density child 0 */
    EV_SYNTAX_CROSS_ENTROPY,
    EV_SYNTAX_NORMAL,    /* child 0 at mean child 1, variance or covariance child 2 */
    EV_SYNTAX_BERNOULLI, /* child 0 at mean child 1 */
    EV_SYNTAX_CATEGORICAL,
    EV_SYNTAX_GRADIENT, /* of child 0 with respect to symbol */
    EV_SYNTAX_ARGMIN,   /* of child 0 over variables[] */
    EV_SYNTAX_ARGMAX
} ev_syntax_kind;

typedef enum {
    EV_FUNCTION_LOG,
    EV_FUNCTION_EXP,
    EV_FUNCTION_TANH,
    EV_FUNCTION_SIN,
    EV_FUNCTION_COS,
    EV_FUNCTION_SQRT,
    EV_FUNCTION_SIGMOID,
    EV_FUNCTION_SOFTPLUS,
    EV_FUNCTION_SOFTMAX,
    EV_FUNCTION_MAX,
    EV_FUNCTION_MIN,
    EV_FUNCTION_DET,
    EV_FUNCTION_TRACE,
    EV_FUNCTION_DIAG,
    EV_FUNCTION_STOP_GRADIENT /* its argument, with the derivative 0 */
} ev_function;

struct ev_syntax {
    ev_syntax_kind kind;
    ev_function function;
    double number;
    int symbol;
    int relation; /* INDICATOR: an ev_relation */
    size_t child_count;
    const ev_syntax **children;
    size_t variable_count; /* INTEGRAL, EXPECT, ...: bound symbols */
    const int *variables;
    size_t line, column, length;
};

/* What a definition's left side bound and its right side says. */
struct ev_definition {
    size_t formal_count; /* arguments, or indices of an indexed value */
    const int *formals;  /* symbols */
    size_t left_count;   /* arguments before the bar */
    bool applied;        /* q(z), against \gamma_c */
    bool sample_index;   /* the first formal is written ^{(l)} */
    const ev_syntax *body;
};

#endif
