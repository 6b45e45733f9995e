/* Integrands as products: branches with their guides, and whitening.  Private to src/formula.
 * The method stands at the top of integrate.c. */
#ifndef EV_FORMULA_INTEGRAND_H
#define EV_FORMULA_INTEGRAND_H

#include "formula/elaborate.h"

enum { EV_MAX_VARIABLES = 16, EV_MAX_BRANCHES = 4096 };

typedef struct {
    const ev_tensor *mean, *covariance; /* NULL: none yet */
} ev_guide;

typedef struct {
    const ev_tensor *rest;
    ev_guide guides[EV_MAX_VARIABLES];
} ev_branch;

typedef struct {
    ev_branch *items;
    size_t count, capacity;
} ev_branch_list;

typedef struct {
    ev_elaborator *e;
    const ev_tensor *variables[EV_MAX_VARIABLES]; /* VARIABLE nodes */
    size_t count;
    size_t own; /* the integral's own; those after came in with an inner integral */
} ev_integrand;

/* Append the branches of x, whose sum is x.  False after an error. */
bool ev_integrand_collect(ev_integrand *c, const ev_syntax *x, ev_branch_list *out);
/* a becomes the branches of the product a b. */
bool ev_branch_multiply(ev_integrand *c, const ev_syntax *at, ev_branch_list *a,
                        const ev_branch_list *b);
/* Is x exactly one of the variables? */
bool ev_integrand_variable(const ev_integrand *c, const ev_tensor *x, size_t *which);
bool ev_integrand_depends(const ev_integrand *c, const ev_tensor *t, const ev_tensor *variable);
/* Does the value of a Gaussian of one of the variables stand in x? */
bool ev_integrand_holds_density(const ev_integrand *c, const ev_tensor *x);
/* The integral of one branch over all variables: E[rest] in whitened coordinates. */
const ev_tensor *ev_branch_integrate(ev_integrand *c, const ev_syntax *at, const ev_branch *b);

#endif
