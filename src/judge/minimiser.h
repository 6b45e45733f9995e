/* One objective of an arg-min, and the search for its minimum. */
#ifndef EV_JUDGE_MINIMISER_H
#define EV_JUDGE_MINIMISER_H

#include "judge/attempt.h"
#include "judge/chart.h"

/* One objective.  Shapes: n coordinates, m components. */
typedef struct {
    const ev_trial *trial;
    ev_chart *chart; /* its own: with the ends at which its minimiser is held */
    size_t held;
    ev_effort effort;
    const ev_stream *stream;
    ev_attempt *out;
    ev_program *program;
    double sign; /* -1 to maximise */
    size_t n, m;
    bool exactly;    /* search by quadrature rather than plain Gauss-Hermite */
    double *start;   /* (all inputs) scratch */
    double *inputs;  /* all inputs; vary's are overwritten */
    double *values;  /* (1+m) */
    ev_value *exact; /* (1+m) */
    uint32_t evaluated;
    /* the result: */
    double *best;   /* (n) lowest seen */
    double *radius; /* (n) its error, when found */
    double lowest;  /* the objective there, without error */
    bool seen, found;
    double *twin; /* (n) another place that is as low, when twin_seen: the lowest need not be one */
    bool twin_seen;
} ev_minimiser;

/* Objective and gradient together with their errors at t. */
typedef struct {
    ev_value value;
    double *gradient, *error;             /* (n) by coordinates */
    double *components, *component_error; /* (m) */
    bool fit;
} ev_examined;

/* Takes a copy of the chart and room for everything; false when memory is short. */
bool ev_minimiser_make(ev_minimiser *s, const ev_chart *chart, size_t inputs);
void ev_minimiser_free(ev_minimiser *s);

/* The lowest point of descents from the place's own values and from its redraws, by plain
 * Gauss-Hermite first, which may see minima where there are none, and then exactly from the lowest
 * and from the own values: s->best, when s->seen.  t: (n) scratch, here and below. */
void ev_minimiser_descend(ev_minimiser *s, const double *start, double *t); /* one, from inputs */
void ev_minimiser_search(ev_minimiser *s, const ev_place *place, double *t);
/* The twin takes the best's place and is polished: s->found. */
ev_status ev_minimiser_take_twin(ev_minimiser *s, ev_examined *e, double *matrices);
/* Hold the entries that ran to a closed end, if that is where the minimum is. */
void ev_minimiser_hold_ends(ev_minimiser *s, double *t);
/* Newton steps with exact gradients from s->best; s->found and s->radius.
 * matrices: (2 n n + 2 n) scratch. */
ev_status ev_minimiser_polish(ev_minimiser *s, ev_examined *e, double *matrices);

/* Objective and gradient at t, with errors.  voice: with sampling beside quadrature; without,
 * sampling where it is alone is kept short. */
ev_status ev_minimiser_examine(ev_minimiser *s, const double *t, bool voice, ev_examined *e);
/* The objective alone at s->inputs, with its error. */
ev_status ev_minimiser_value(ev_minimiser *s, ev_value *value);
/* H (n,n) by central differences of the gradients; false where they are not defined. */
bool ev_minimiser_hessian(ev_minimiser *s, const double *t, double *H);
/* inverse (n,n) of H; false unless H is positive definite. */
bool ev_minimiser_invert(size_t n, const double *H, double *inverse);
/* Newton's step H^-1 g from t, and what is known of the position: |H^-1| (|g| + e).  Returns the
 * step's largest entry. */
double ev_minimiser_newton(size_t n, const double *t, const double *inverse, const ev_examined *e,
                           double *step, double *radius);
/* Number of a held entry at which the objective clearly decreases inward, or s->held; its rate. */
size_t ev_minimiser_falls_inward(const ev_minimiser *s, const ev_examined *e, double *inward);

#endif
