/* Drawing the points at which a claim is judged: values of all its inputs that satisfy all its
 * conditions.
 *
 * One point in three is a corner (judge/draw.h): the first has every symbol at its most harmless
 * value, each later one has one or two symbols at an extreme, or equal to another
 * symbol, and the rest generic.  Corners find what goes wrong at the ends of a domain, but they
 * hide most errors of a formula (uniform weights, sigma = 1, J = 1, a log-variance of 0), so two
 * points in three are generic, with all values different. */
#ifndef EV_JUDGE_POINT_H
#define EV_JUDGE_POINT_H

#include "formula/claim.h"
#include "formula/meter.h"
#include "judge/draw.h"
#include "numerics/random.h"

typedef struct ev_space ev_space;

/* The space of a case at fixed integers; all three must outlive it.  Used by one thread at a
 * time. */
ev_status ev_space_create(const ev_case *instance, const ev_symbol_table *table,
                          const long *integers, ev_space **space, ev_error *error);
void ev_space_destroy(ev_space *space);

/* The inputs of one symbol: `blocks` values of one shape, one or the samples of a sample symbol. */
typedef struct {
    const ev_symbol *symbol;
    size_t first, blocks;
    ev_shape shape;
} ev_cell;
const ev_cell *ev_space_cells(const ev_space *space, size_t *count);
/* Real symbols of one shape and one domain: the one may take the other's value. */
bool ev_cells_alike(const ev_cell *a, const ev_cell *b);

/* Charge the conditions to this meter, which must outlive the space, and not to the space's own. */
void ev_space_set_meter(ev_space *space, ev_meter *meter);

/* Every value is in its domain, and the conditions hold. */
bool ev_space_admits(ev_space *space, const double *inputs);

bool ev_point_is_corner(size_t index);

/* Point number index into inputs (instance->input_count values).  *tried grows by the number
 * of points drawn.  False when none of the first `tries` satisfies the conditions. */
bool ev_space_draw(ev_space *space, size_t index, const ev_stream *stream, size_t tries,
                   double *inputs, size_t *tried);
/* New generic values for the given symbols only. */
bool ev_space_redraw(ev_space *space, size_t count, const int *symbols, const ev_stream *stream,
                     size_t tries, double *inputs);

/* The conditions were too dear (formula/meter.h) to be tried at every point drawn; no more points are
 * found then. */
bool ev_space_is_spent(const ev_space *space);

/* Some input is bound by an equation that doubles satisfy to rounding only: weights that add up
 * to one, orthogonal matrices. */
bool ev_space_is_rounded(const ev_space *space);

#endif
