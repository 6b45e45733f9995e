/* Shared by the tests of programs: evaluation of one root at one point, and what is asked of it. */
#ifndef EV_TESTS_FORMULA_EVALUATION_H
#define EV_TESTS_FORMULA_EVALUATION_H

#include "expressions.h"

#include <criterion/criterion.h>

static inline ev_value evaluate_with(const ev_graph *g, ev_node root, const double *inputs,
                                     const ev_effort *effort)
{
    ev_program *program = NULL;
    ev_value value;
    ev_stream stream = ev_stream_make(11, 22, 3, 4);
    cr_assert_eq(ev_program_compile(g, 1, &root, &program, NULL), EV_OK);
    cr_assert_eq(ev_program_evaluate(program, inputs, effort, &stream, &value), EV_OK);
    ev_program_destroy(program);
    return value;
}

static inline ev_value evaluate(const ev_graph *g, ev_node root, const double *inputs)
{
    ev_effort effort = no_sampling();
    return evaluate_with(g, root, inputs, &effort);
}

static inline ev_effort with_sampling(uint64_t samples)
{
    ev_effort effort = no_sampling();
    effort.samples = samples;
    effort.max_samples = 8 * samples;
    return effort;
}

static inline double total_error(const ev_value *v)
{
    return v->rounding + v->quadrature + v->sampling;
}

/* Fit, within its own error bounds, and those small. */
static inline void assert_value(const ev_value *v, double truth, double relative)
{
    cr_assert(v->fit && v->domain, "%s", v->reason);
    cr_assert_leq(fabs(v->value - truth), total_error(v) + 1e-16 * fabs(truth),
                  "%.17g is not %.17g, and the errors are %g, %g, %g", v->value, truth, v->rounding,
                  v->quadrature, v->sampling);
    cr_assert_leq(total_error(v), relative * fabs(truth), "errors %g, %g, %g of %g", v->rounding,
                  v->quadrature, v->sampling, truth);
}

#endif
