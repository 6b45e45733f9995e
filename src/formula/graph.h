/* The scalar expression graph: what a printed formula means at fixed dimensions.
 *
 * Once J, K, L, ... are numbers, every vector is its components, every sum is written
 * out, and an expression is a directed acyclic graph of scalar operations.  Equal
 * subexpressions are one node (hash-consing).  The graph says nothing of how it is
 * evaluated: src/formula/program.h does that in doubles; another arithmetic may follow.
 *
 * All continuous integrals are standard-normal expectations: EXPECT(body; e_1..e_n) is
 * E[body], e ~ N(0, I_n).  Whoever builds the graph whitens first: z = m + L e.
 *
 * Node numbers are indices; 0 is "no node" and is returned when memory is short or an
 * operand is 0, so that a builder may check once, at its end. */
#ifndef EV_FORMULA_GRAPH_H
#define EV_FORMULA_GRAPH_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ev_graph ev_graph;
typedef uint32_t ev_node;

typedef enum {
    EV_OP_NONE,
    EV_OP_CONSTANT,
    EV_OP_INPUT,      /* a component of a symbol: its value is given at each point */
    EV_OP_VARIABLE,   /* a placeholder, to be substituted before evaluation */
    EV_OP_COORDINATE, /* a whitened coordinate; bound by an EXPECT */
    EV_OP_ADD,
    EV_OP_SUB,
    EV_OP_MUL,
    EV_OP_DIV,
    EV_OP_NEG,
    EV_OP_POW,
    EV_OP_EXP,
    EV_OP_LOG,
    EV_OP_SQRT,
    EV_OP_TANH,
    EV_OP_SIN,
    EV_OP_COS,
    EV_OP_SIGMOID,
    EV_OP_SOFTPLUS,
    EV_OP_ABS,
    EV_OP_MAX,
    EV_OP_MIN,
    EV_OP_STEP,        /* 1 when x > 0, else 0; derivative 0 */
    EV_OP_HOLD,        /* x; derivative 0 (the stop-gradient) */
    EV_OP_XLOGY,       /* a log b, and 0 when a is 0 whatever b is */
    EV_OP_LOG_ADD_EXP, /* log(e^a + e^b) */
    EV_OP_EXPECT
} ev_op;

/* What is known of a node's sign by construction. */
typedef enum { EV_SIGN_ANY, EV_SIGN_NONNEGATIVE, EV_SIGN_POSITIVE } ev_sign;

ev_graph *ev_graph_create(void); /* NULL when memory is short */
void ev_graph_destroy(ev_graph *graph);
bool ev_graph_failed(const ev_graph *graph);
size_t ev_graph_size(const ev_graph *graph);

ev_node ev_graph_constant(ev_graph *graph, double value);
/* A constant that the double only approximates (pi, 0.1): the number meant is within error. */
ev_node ev_graph_rounded_constant(ev_graph *graph, double value, double error);
/* The input with this index; asking again returns the same node (the first sign stays). */
ev_node ev_graph_input(ev_graph *graph, size_t index, ev_sign sign);
ev_node ev_graph_new_variable(ev_graph *graph, ev_sign sign);
ev_node ev_graph_new_coordinate(ev_graph *graph);

/* Operations.  Only rewritings that are exact in real arithmetic and keep the meaning of
 * the printed line are made:
 *   constants fold when the result is finite; x+0, x*1, x/1, --x; 0*x is NOT folded unless x
 *   is a finite constant; x - x is NOT folded (a printed cancellation must be computed).
 *   Positive factors that carry an exponential are kept in log space:
 *     e^u e^v = e^(u+v), e^u / e^v = e^(u-v), and a/b = e^(log a - log b) when a and b are
 *     nonnegative by construction and both carry an exponential.
 *   mul(a, log b) is XLOGY(a, b), so that 0 log 0 = 0 (a nonzero constant multiplies LOG b).
 *   A folded constant keeps the bound of its rounding error; where that would be more than a
 *   few units in the last place the operation stays. */
ev_node ev_graph_add(ev_graph *graph, ev_node a, ev_node b);
ev_node ev_graph_sub(ev_graph *graph, ev_node a, ev_node b);
ev_node ev_graph_mul(ev_graph *graph, ev_node a, ev_node b);
ev_node ev_graph_div(ev_graph *graph, ev_node a, ev_node b);
ev_node ev_graph_neg(ev_graph *graph, ev_node a);
/* a^b; integer constants b are exact for negative a. */
ev_node ev_graph_pow(ev_graph *graph, ev_node a, ev_node b);
/* log a, in log space where a carries an exponential: log e^u = u, the logarithm of a product
 * or quotient of nonnegative factors is a sum, of a sum of them a LOG_ADD_EXP. */
ev_node ev_graph_log(ev_graph *graph, ev_node a);
/* EXP, SQRT, TANH, SIN, COS, SIGMOID, SOFTPLUS, ABS, STEP (and LOG, NEG). */
ev_node ev_graph_unary(ev_graph *graph, ev_op op, ev_node a);
ev_node ev_graph_max(ev_graph *graph, ev_node a, ev_node b);
ev_node ev_graph_min(ev_graph *graph, ev_node a, ev_node b);

/* E[body] over the given coordinates, which become bound.  By linearity: sums are split, factors
 * free of the coordinates are taken out, coordinates the body does not depend on are
 * dropped (none left: body itself).  Bound coordinates are renamed canonically, so that
 * expectations equal but for names are one node. */
ev_node ev_graph_expect(ev_graph *graph, ev_node body, size_t n, const ev_node *coordinates);

/* root with from[i] (VARIABLE, COORDINATE or INPUT nodes) replaced by to[i], all at once.
 * Bound coordinates are never captured. */
ev_node ev_graph_substitute(ev_graph *graph, ev_node root, size_t n, const ev_node *from,
                            const ev_node *to);
/* d root / d x, x an INPUT or VARIABLE.  An EXPECT is differentiated under the
 * integral sign, its whitened coordinates held fixed (the pathwise derivative). */
ev_node ev_graph_derivative(ev_graph *graph, ev_node root, ev_node x);

/* Inspection. */
ev_op ev_graph_op(const ev_graph *graph, ev_node node);
/* Operands; 0 where there is none.  which: 0 or 1 (EXPECT: 0 is the body). */
ev_node ev_graph_operand(const ev_graph *graph, ev_node node, size_t which);
double ev_graph_constant_value(const ev_graph *graph, ev_node node);
double ev_graph_constant_error(const ev_graph *graph, ev_node node);
size_t ev_graph_input_index(const ev_graph *graph, ev_node node);
ev_sign ev_graph_sign(const ev_graph *graph, ev_node node);
/* Does the node depend on this VARIABLE, COORDINATE (free) or INPUT? */
bool ev_graph_depends(const ev_graph *graph, ev_node node, ev_node on);
/* The bound coordinates of an EXPECT. */
size_t ev_graph_expect_dim(const ev_graph *graph, ev_node node);
const ev_node *ev_graph_expect_coordinates(const ev_graph *graph, ev_node node);

#endif
