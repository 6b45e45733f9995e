/* The rules of nested expectations: a ladder of pairs, climbed until a pair agrees.
 *
 * Gauss-Hermite comes first.  Its nodes lie pi / sqrt(2 order) apart and reach as far as
 * 2 sqrt(order), so that a narrow peak, such as p(x | y) as a function of y, asks for an order that
 * grows like the inverse square of the width, most of whose nodes carry no weight.  On a line there
 * follow lattices, whose error for a peak of deviation w is exp(-2 (pi w / h)^2) at the step h, and
 * whose nodes grow like the inverse width.  The two of a pair also differ in their radius, so that
 * mass beyond it shows as a difference.
 *
 * What a pair leaves is taken from the batch on a coarse grid.  A pair that the budget does not pay
 * for is not tried. */
#include "formula/program_internal.h"

#include <math.h>
#include <string.h>

/* Gauss-Hermite of this order; or the lattice of so many nodes a unit, cut at this radius. */
typedef struct {
    size_t order, density, radius;
} choice;

enum { PAIRS_MOST = 6 };

static const choice ladders[EV_QUADRATURE_MAX_DIM + 1][2 * PAIRS_MOST + 1] = {
    {{0}},
    {{.order = 16},
     {.order = 24},
     {.order = 32},
     {.order = 48},
     {.order = 64},
     {.order = 96},
     {.order = 128},
     {.order = 192},
     {.density = 8, .radius = 10},
     {.density = 12, .radius = 12},
     {.density = 16, .radius = 12},
     {.density = 24, .radius = 14}},
    {{.order = 12}, {.order = 18}, {.order = 20}, {.order = 30}, {.order = 32}, {.order = 48}},
    {{.order = 6}, {.order = 9}, {.order = 10}, {.order = 14}},
    {{.order = 4}, {.order = 6}, {.order = 6}, {.order = 8}}};

static bool is_end(const choice *c) { return c->order == 0 && c->density == 0; }

static bool set_rules(const ev_setting *s, ev_tape *tape, const choice *c)
{
    if (c->order > 0)
        return ev_set_loop_rules(s->program, tape, c->order);
    tape->rule[1] = ev_rules_get_lattice(&s->program->rules, c->density, c->radius);
    return tape->rule[1] != NULL;
}

enum { TRIAL_DRAWS = 1024 };
static const size_t trial_orders[EV_QUADRATURE_MAX_DIM + 1] = {1, 16, 8, 6, 4};

static uint64_t trial_points(const ev_tape *tape)
{
    uint64_t points = 1;
    if (tape->dim > EV_QUADRATURE_MAX_DIM)
        return TRIAL_DRAWS;
    for (size_t d = 0; d < tape->dim; d++)
        points *= trial_orders[tape->dim];
    return points;
}

/* The batch at low cost, to compare inner rules: a coarse grid, or draws where there are too many
 * coordinates for one. */
static ev_status try_batch(const ev_setting *s, ev_tape *tape, const choice *c, ev_integral *out)
{
    size_t evaluations;
    if (!set_rules(s, tape, c))
        return EV_NO_MEMORY;
    ev_setting_charge(s, tape, trial_points(tape));
    if (tape->dim <= EV_QUADRATURE_MAX_DIM)
        return ev_hermite_expect(tape->dim, trial_orders[tape->dim], ev_tape_run, tape,
                                 tape->functions, out, &evaluations);
    ev_sample_summary draws[EV_BATCH_MAX];
    const ev_stream none = {{0, 0}, {0, 0}};
    ev_status status = ev_monte_carlo_expect(tape->dim, ev_tape_run, tape, tape->functions,
                                             s->stream == NULL ? &none : s->stream, TRIAL_DRAWS, 1,
                                             draws);
    for (size_t k = 0; status == EV_OK && k < tape->functions; k++)
        out[k] = (ev_integral){draws[k].mean, 0, draws[k].magnitude};
    return status;
}

/* error[k]: eight times the difference that the last rise of the order made.  A rule that converges
 * like 1/order errs by twice that difference; analytic bodies by far less. */
static bool agree(const ev_setting *s, const ev_tape *tape, const ev_integral *low,
                  const ev_integral *high, double *error)
{
    bool enough = true;
    for (size_t k = 0; k < tape->functions; k++) {
        error[k] = 8 * fabs(high[k].value - low[k].value);
        double scale = fmax(fabs(high[k].value), 1e-3 * high[k].magnitude);
        enough = enough && error[k] <= s->effort->relative * scale;
    }
    return enough;
}

/* Is the pair paid for?  The rules are left at its second. */
static bool can_try(const ev_setting *s, ev_tape *tape, const choice *pair, bool *memory)
{
    const uint64_t points = 2 * trial_points(tape);
    *memory = set_rules(s, tape, &pair[1]);
    return *memory && ev_setting_ration(s, tape, points, 4) == points;
}

ev_status ev_choose_loop_rules(const ev_setting *s, ev_tape *tape, double *error, bool *afforded)
{
    ev_integral low[EV_BATCH_MAX] = {{0}}, high[EV_BATCH_MAX] = {{0}};
    const choice *first = ladders[tape->loop_dim], *pair = first;
    bool enough = tape->loop_count == 0, memory = true;
    *afforded = true;
    memset(error, 0, tape->functions * sizeof *error);
    for (; !enough && !is_end(pair); pair += 2) {
        if (!can_try(s, tape, pair, &memory)) {
            *afforded = pair != first;
            memory = memory && (pair == first || set_rules(s, tape, &pair[-1]));
            return memory ? EV_OK : EV_NO_MEMORY;
        }
        ev_status status = try_batch(s, tape, &pair[0], low);
        if (status == EV_OK)
            status = try_batch(s, tape, &pair[1], high);
        if (status != EV_OK) { /* not finite: whoever integrates will say so */
            memory = status != EV_NO_MEMORY && set_rules(s, tape, &pair[1]);
            return memory ? EV_OK : EV_NO_MEMORY;
        }
        enough = agree(s, tape, low, high, error);
    }
    return EV_OK;
}
