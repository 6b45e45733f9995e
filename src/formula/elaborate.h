/* From syntax to graph at fixed integers.  Private to src/formula.
 *
 *   elaborate_symbol.c, elaborate_function.c   its parts
 *   tensor.c     values: scalars, vectors, matrices of graph nodes, and their algebra
 *   elaborate.c  expressions to tensors
 *   integrate.c  integrals and expectations: finding the density to whiten by
 *   case.c       a claim's steps
 *   occurrence.c which symbols a formula depends on */
#ifndef EV_FORMULA_ELABORATE_H
#define EV_FORMULA_ELABORATE_H

#include "formula/claim.h"
#include "formula/syntax.h"

/* A value at fixed dimensions: rank 0, 1 or 2, row-major nodes.  A transposed vector is a row.
 * An identity without a size yet (I, 2 I) has rank 2, rows 0 and its factor in nodes[0];
 * \mathbf{1} without a size has rank 1, rows 0. */
typedef struct {
    unsigned rank;
    size_t rows, cols;
    bool row; /* rank 1 only: a row vector */
    bool unsized;
    ev_node *nodes;
} ev_tensor;

typedef struct {
    const ev_tensor *value; /* what the symbol stands for here, or NULL */
    long integer;           /* of an INTEGER symbol */
    bool bound;             /* integer: has a value here */
} ev_meaning;

/* A Gaussian seen on the way, for integrals without a density factor: over these VARIABLE nodes. */
typedef struct {
    const ev_tensor *variable, *mean, *covariance;
    ev_node density; /* the node of its value */
} ev_seen_density;

typedef struct {
    const ev_formula *formula;
    const ev_symbol_table *table;
    const char *file;
    ev_graph *graph;
    ev_arena *arena;
    ev_error *error;
    ev_meaning *meanings; /* one a symbol */
    ev_slot *slots;
    size_t slot_count, slot_capacity;
    size_t input_count;
    bool trial; /* checking types only: index ranges are not looked at */
    bool has_gradient;
    size_t depth, visits;
    ev_seen_density *seen;
    size_t seen_count, seen_capacity;
    const ev_tensor *active[32]; /* variables of open integrals, as VARIABLE nodes */
    size_t active_count;
} ev_elaborator;

ev_status ev_elaborator_init(ev_elaborator *e, const ev_formula *formula, const long *integers,
                             bool trial, ev_error *error);
void ev_elaborator_release(ev_elaborator *e); /* not the graph and the arena */

/* NULL after an error at the node's place. */
void *ev_elaborate_fail(ev_elaborator *e, const ev_syntax *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
const ev_tensor *ev_elaborate(ev_elaborator *e, const ev_syntax *expression);
ev_node ev_elaborate_scalar(ev_elaborator *e, const ev_syntax *expression);
bool ev_elaborate_integer(ev_elaborator *e, const ev_syntax *expression, long *value);
/* The value of a symbol where it stands free: its inputs, allocated at the first use. */
const ev_tensor *ev_elaborate_input(ev_elaborator *e, int symbol, const ev_syntax *at);
/* Bind a definition's formals to arguments; elaborate its body; restore. */
const ev_tensor *ev_elaborate_application(ev_elaborator *e, const ev_syntax *application);
bool ev_elaborate_bind(ev_elaborator *e, const ev_syntax *application, ev_meaning *saved);
void ev_elaborate_unbind(ev_elaborator *e, const ev_syntax *application, const ev_meaning *saved);
/* The parts of the switch. */
const ev_tensor *ev_elaborate_symbol(ev_elaborator *e, const ev_syntax *at);
const ev_tensor *ev_elaborate_index(ev_elaborator *e, const ev_syntax *at);
const ev_tensor *ev_elaborate_function(ev_elaborator *e, const ev_syntax *at);
const ev_tensor *ev_elaborate_power(ev_elaborator *e, const ev_syntax *at);
const ev_tensor *ev_elaborate_norm(ev_elaborator *e, const ev_syntax *at, bool squared);
bool ev_elaborate_integer_symbol(ev_elaborator *e, const ev_syntax *at, long *value);
/* Rows and columns of a symbol's value here (samples: those of all its samples together). */
bool ev_elaborate_shape(ev_elaborator *e, const ev_syntax *at, const ev_symbol *s, bool samples,
                        size_t *rows, size_t *cols);
/* count consecutive inputs for a symbol. */
bool ev_elaborate_slot(ev_elaborator *e, int symbol, size_t count, size_t *first);
bool ev_elaborate_out_of_memory(ev_elaborator *e); /* false */
long ev_elaborate_dim(const ev_elaborator *e, ev_dim dim);
bool ev_elaborate_range(ev_elaborator *e, const ev_syntax *sum, long *low, long *high);

/* Base densities at given values. */
ev_node ev_normal_density(ev_elaborator *e, const ev_syntax *at, const ev_tensor *x,
                          const ev_tensor *mean, const ev_tensor *covariance);
const ev_tensor *ev_elaborate_base_density(ev_elaborator *e, const ev_syntax *density);

/* integrate.c */
const ev_tensor *ev_elaborate_integral(ev_elaborator *e, const ev_syntax *integral);
const ev_tensor *ev_elaborate_expectation(ev_elaborator *e, const ev_syntax *expectation);
const ev_tensor *ev_elaborate_divergence(ev_elaborator *e, const ev_syntax *divergence);
/* E over the samples of a symbol of the nodes already elaborated with it bound to variables. */
bool ev_elaborate_over_samples(ev_elaborator *e, int symbol, const ev_tensor *variables,
                               size_t count, ev_node *nodes);
/* A tensor of fresh VARIABLE nodes of the symbol's shape. */
const ev_tensor *ev_elaborate_variables(ev_elaborator *e, int symbol, bool samples);

/* tensor.c: NULL after an error at `at`. */
const ev_tensor *ev_tensor_scalar(ev_elaborator *e, ev_node node);
ev_tensor *ev_tensor_new(ev_elaborator *e, unsigned rank, size_t rows, size_t cols);
size_t ev_tensor_count(const ev_tensor *t);
const ev_tensor *ev_tensor_map(ev_elaborator *e, const ev_tensor *a, ev_op op);
const ev_tensor *ev_tensor_add(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a,
                               const ev_tensor *b, bool subtract);
const ev_tensor *ev_tensor_multiply(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a,
                                    const ev_tensor *b);
const ev_tensor *ev_tensor_scale(ev_elaborator *e, const ev_tensor *a, ev_node factor);
const ev_tensor *ev_tensor_divide(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a,
                                  const ev_tensor *b);
const ev_tensor *ev_tensor_entrywise(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a,
                                     const ev_tensor *b, bool divide);
const ev_tensor *ev_tensor_transpose(ev_elaborator *e, const ev_tensor *a);
const ev_tensor *ev_tensor_inverse(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a);
ev_node ev_tensor_determinant(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a);
/* An identity or ones of the wanted size; a itself when it has one; 0 becomes a zero vector. */
const ev_tensor *ev_tensor_sized(ev_elaborator *e, const ev_tensor *a, unsigned rank, size_t rows);
bool ev_tensor_is_diagonal(const ev_elaborator *e, const ev_tensor *a);
/* Lower triangular L with L L^T = a, by nodes; a diagonal stays diagonal. */
const ev_tensor *ev_tensor_cholesky(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a);
/* "a scalar", "a vector of 3", "a 2 x 3 matrix" in a static ring of buffers. */
const char *ev_tensor_describe(const ev_tensor *t, char buffer[48]);

#endif
