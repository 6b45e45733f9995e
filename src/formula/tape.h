/* The block tape: m functions of some coordinates, as instructions over blocks of points.
 *
 * The tape knows three sorts of value: scalars computed outside (the same at all points), block
 * values (an array over the points), and single values inside a loop over the nodes of
 * a nested expectation.  Every value has a slot, every worker a table of pointers, one a slot:
 *
 *   [ scalars from outside | coordinates (dim) | functions (m) | loops' coordinates and weights |
 *     single values | block registers ]
 *
 * Registers are reused as soon as their value has died.  A nested expectation is
 *   CLEAR acc ...; LOOP; (its body); ACCUMULATE acc ...; END
 * once for each node of a tensor Gauss-Hermite rule. */
#ifndef EV_FORMULA_TAPE_H
#define EV_FORMULA_TAPE_H

#include "formula/kernels.h"
#include "formula/number.h"
#include "formula/rules.h"
#include "formula/schedule.h"
#include "numerics/integrand.h"

typedef enum {
    EV_CODE_APPLY,      /* dst = op(a, b) */
    EV_CODE_COPY,       /* dst = a */
    EV_CODE_CLEAR,      /* dst = 0 */
    EV_CODE_ACCUMULATE, /* dst += b a, b the loop's weight */
    EV_CODE_LOOP,       /* dst: which loop */
    EV_CODE_END
} ev_code;

typedef struct {
    ev_kernel kernel;
    uint32_t dst, a, b; /* slots */
    uint8_t code, op;   /* ev_code, ev_op */
    bool single;        /* not a block value: one element */
} ev_instruction;

typedef struct {
    uint32_t dim, coordinates, weight; /* coordinates: the first slot of dim */
    uint32_t begin, end;               /* positions of LOOP and END */
} ev_loop;

typedef struct {
    const double **slots; /* (slot_count) */
    double *memory;
    size_t *counters; /* (loop_count) */
} ev_tape_worker;

typedef struct {
    size_t dim, functions;
    size_t scalars, slots, singles, registers;
    uint32_t *scalar_numbers; /* (scalars): which of the program's numbers */
    const ev_number *numbers; /* the program's */
    ev_instruction *code;
    size_t length;
    ev_loop *loops;
    size_t loop_count, loop_dim;             /* the largest */
    const ev_rule *rule[EV_NESTING_MAX + 1]; /* by a loop's dim: set before running */
    size_t chunk; /* points at a time: the registers stay in the nearest cache */
    ev_tape_worker *workers;
    size_t worker_count;
    ev_number *bounds; /* (slots), for ev_tape_bounds */
} ev_tape;

/* What the compiler of a program lends to every tape that it builds. */
enum { EV_NO_VALUE = INT32_MAX };
typedef struct {
    frame *f;
    const uint32_t *number_of; /* (nodes): the number of a node free of coordinates */
    uint32_t *value_of;        /* (nodes): all EV_NO_VALUE, and so again afterwards */
} ev_tape_scratch;

/* The tape of n bodies under EXPECTs that all bind this set.  Memory from the arena; the
 * workers' from the heap.  EV_NO_MEMORY, or EV_BAD_INPUT where expectations nest too deep. */
ev_status ev_tape_build(ev_arena *arena, const ev_graph *graph, const ev_tape_scratch *scratch,
                        size_t n, const ev_node *bodies, uint32_t set, const ev_number *numbers,
                        ev_tape **tape, ev_error *error);
/* Memory for this many workers at once; false when it is short. */
bool ev_tape_reserve(ev_tape *tape, size_t workers);
void ev_tape_free_workers(ev_tape *tape);

/* What one point costs at the present rules: instructions, those in loops once for each node. */
uint64_t ev_tape_operations(const ev_tape *tape);

/* The functions at n points: an ev_integrand whose context is the tape. */
int ev_tape_run(void *tape, size_t worker, size_t n, const double *const *x, double *const *out);

/* The functions at one point with running error bounds; out: (functions).  Where a function is
 * not finite, fault says which operation was the first to be so. */
typedef struct {
    ev_op op; /* EV_OP_NONE: there is none */
    double a, b;
} ev_fault;
void ev_tape_bounds(ev_tape *tape, const double *x, ev_number *out, ev_fault *fault);

#endif
