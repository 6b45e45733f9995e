/* A compiled program, for src/formula/{program,evaluate,expectation,nested,survey}.c only. */
#ifndef EV_FORMULA_PROGRAM_INTERNAL_H
#define EV_FORMULA_PROGRAM_INTERNAL_H

#include "base/arena.h"
#include "formula/program.h"
#include "formula/tape.h"
#include "numerics/monte_carlo.h"
#include "numerics/quadrature.h"

/* Each node free of coordinates has a number, in the order of computation. */
typedef struct {
    uint32_t op, dst, a, b;
} scalar_instruction;

typedef struct {
    uint32_t number, index;
} scalar_input;

/* An EXPECT outside every other. */
typedef struct {
    ev_node node;
    uint32_t number;
    ev_tape *tape; /* of its body alone */
    /* What the last evaluation found. */
    bool fit, domain;
    unsigned methods;
    uint64_t evaluations, samples, comparisons;
    double sentinel;
    double p_value; /* of sampling against quadrature; NaN: not to be had */
    char reason[160];
} expectation;

/* EXPECTs over equally many coordinates, of one stage: integrated together. */
typedef struct {
    size_t first, n; /* among the program's expectations */
    ev_tape *tape;
} batch;

/* Batches are run before instructions. */
typedef struct {
    size_t batch_end, instruction_end;
} stage;

typedef struct {
    uint32_t number;
    const uint32_t *expectations; /* (n): those it depends on */
    size_t n;
} program_root;

enum { EV_BATCH_MAX = 32 };

struct ev_program {
    const ev_graph *graph;
    ev_arena *arena;
    ev_number *numbers;
    size_t number_count;
    const ev_node *nodes;           /* (number_count) */
    const uint32_t *instruction_of; /* (number_count): 1 + instruction; 0: none */
    scalar_instruction *instructions;
    size_t instruction_count;
    scalar_input *inputs;
    size_t input_count;
    expectation *expectations;
    size_t expectation_count;
    batch *batches;
    size_t batch_count;
    stage *stages;
    size_t stage_count;
    program_root *roots;
    size_t root_count;
    ev_rules rules;
    ev_meter *meter; /* or NULL */
};

/* expectation.c: the values of a batch, with all voices, into numbers and expectations; the meter
 * may rise by so many operations. */
ev_status ev_batch_evaluate(ev_program *program, batch *b, const ev_effort *effort,
                            const ev_stream *stream, uint64_t operations);

/* Where and how a batch is evaluated. */
typedef struct {
    ev_program *program;
    const ev_effort *effort;
    const ev_stream *stream;
    uint64_t until; /* the meter may rise so far */
} ev_setting;

/* As many of the points wanted of this tape, at its present rules, as one part in so many of what is
 * left pays for. */
uint64_t ev_setting_ration(const ev_setting *s, const ev_tape *tape, uint64_t wanted,
                           uint64_t part);
void ev_setting_charge(const ev_setting *s, const ev_tape *tape, uint64_t points);

/* A number with its bounds costs as much as so many operations over blocks. */
enum { EV_OPERATIONS_OF_A_NUMBER = 16 };

/* nested.c: the rules of the tape's loops, and what is left of their error in each of its functions.
 * *afforded: false when not even the lowest orders are paid for. */
ev_status ev_choose_loop_rules(const ev_setting *s, ev_tape *tape, double *error, bool *afforded);

/* survey.c: what a body looks like where its weight is. */
typedef struct {
    double error[EV_ERROR_KINDS]; /* the bounds' average under the weight */
    double magnitude;             /* E|f| as the same points have it */
    ev_fault fault;               /* the first non-finite operation met */
    bool afforded;                /* false: the budget does not pay for it, and nothing was done */
} ev_survey;
/* EV_NO_MEMORY, or EV_OK. out: of the tape's one function.  The stream serves where there are too
 * many coordinates for a grid. */
ev_status ev_survey_body(const ev_setting *s, ev_tape *tape, const ev_stream *stream,
                         ev_survey *out);
/* "log of -0.3": what an operation could not do. */
void ev_fault_describe(const ev_fault *fault, size_t size, char *text);
/* Set the rules of the tape's loops: Gauss-Hermite.  False when memory is short or the order is too
 * high. */
bool ev_set_loop_rules(ev_program *program, ev_tape *tape, size_t order);

#endif
