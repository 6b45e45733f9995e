/* Evaluation of graph nodes in double precision, each value with its error by kind.
 *
 * A program is the flat tape of some roots: instructions in order, over blocks of sample
 * points, so that the inner loops vectorise.  Nodes outside every EXPECT run once a
 * point, with running error bounds; the body of an EXPECT runs over blocks, all
 * that does not depend on its coordinates hoisted out. */
#ifndef EV_FORMULA_PROGRAM_H
#define EV_FORMULA_PROGRAM_H

#include "base/error.h"
#include "formula/graph.h"
#include "formula/meter.h"
#include "numerics/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ev_program ev_program;

typedef struct {
    double relative;          /* asked of every quadrature, e.g. 1e-11 */
    size_t max_evaluations;   /* of one integrand by quadrature rules */
    unsigned max_dim;         /* above this many coordinates (at most 4): sampling only */
    uint64_t samples;         /* draws for the sampling voice; 0: none */
    uint64_t max_samples;     /* draws where sampling is the only voice: doubled until the half-
                                 width is below sampling_relative * scale, or this is reached */
    double sampling_relative; /* e.g. 1e-3 */
    double alpha;             /* error probability of one sampling comparison or interval */
    size_t threads;           /* for the sampling voice only; usually 1 */
} ev_effort;

/* Which voices spoke for a value: bits. */
enum {
    EV_METHOD_CLOSED = 0, /* no integral at all */
    EV_METHOD_HERMITE = 1,
    EV_METHOD_CUBATURE = 2,
    EV_METHOD_TRAPEZOID = 4,
    EV_METHOD_KRONROD = 8,
    EV_METHOD_MONTE_CARLO = 16,
    EV_METHOD_SAMPLING_ONLY = 32
};

typedef struct {
    double value;
    double rounding; /* absolute error bounds, by kind */
    double quadrature;
    double sampling;  /* half-width at level 1 - alpha */
    double magnitude; /* the sum of |terms| and of E|f| behind the value */
    bool fit;         /* false: see reason; never to be believed */
    bool domain;      /* false: not finite because the formula is not defined at this point */
    char reason[160];
    unsigned methods;
    uint64_t evaluations; /* of integrands, by quadrature */
    uint64_t samples;
    uint64_t comparisons; /* sampling comparisons and intervals spent (each of level alpha) */
    double sentinel;      /* largest deviation of a sentinel */
    double
        p_value; /* of the first of the sampling comparisons, if quadrature is right: uniform then;
                       NaN where none could tell */
} ev_value;

/* The tape for n roots.  The graph must outlive the program and not grow meanwhile.
 * EV_BAD_INPUT when an unbound VARIABLE or COORDINATE is left in a root. */
ev_status ev_program_compile(const ev_graph *graph, size_t n, const ev_node *roots,
                             ev_program **program, ev_error *error);
void ev_program_destroy(ev_program *program);

/* How many EXPECT nodes stand outside every other, i.e. how many sampling comparisons
 * one evaluation can spend. */
size_t ev_program_comparisons(const ev_program *program);

/* From now on all evaluations are charged to this meter, which must outlive them, and make do with
 * what is left on it: fewer points, coarser nested rules, fewer draws, with the errors that follow
 * from that; where not even the least is left, values are unfit.  NULL: without limit. */
void ev_program_set_meter(ev_program *program, ev_meter *meter);

/* Values of the roots at one point.  inputs[i] is the value of INPUT i.
 * Each outermost EXPECT is computed by ev_normal_expect and, when effort->samples > 0,
 * compared with Monte Carlo on the stream: a contradiction beyond both errors makes every
 * value that depends on it unfit.  Where the dimension is above max_dim or quadrature does
 * not converge, sampling alone speaks (its half-width is the error).  Nested EXPECTs: tensor Gauss-
 * Hermite of a fixed order, and of a higher order to learn the error.
 * A program may be used by one thread at a time. */
ev_status ev_program_evaluate(ev_program *program, const double *inputs, const ev_effort *effort,
                              const ev_stream *stream, ev_value *values);

/* Plain doubles, no error bounds and no sampling: for minimisers and for drawing points.
 * EXPECTs by Gauss-Hermite of the given order, or a lower one where there are many coordinates.
 * NaN where not defined, and where the meter has nothing left. */
ev_status ev_program_values(ev_program *program, const double *inputs, size_t hermite_order,
                            double *values);

#endif
