#include "judge/point.h"

#include "formula/program.h"
#include "judge/admit.h"

#include <math.h>
#include <stdlib.h>

/* One corner of one cell; EQUAL takes the value of cell `like`. */
enum { EQUAL = -1 };
typedef struct {
    size_t cell, like;
    int which;
} corner;

struct ev_space {
    const ev_case *instance;
    ev_program *conditions; /* NULL: none */
    ev_meter meter;         /* of the conditions */
    double *condition_values;
    size_t cell_count, corner_count;
    ev_cell *cells;
    corner *corners;
};

static const ev_domain coefficient_domain = {.low = -HUGE_VAL, .high = HUGE_VAL};

static size_t dimension(ev_dim dim, const long *integers)
{
    long value = dim.offset + (dim.symbol < 0 ? 0 : dim.multiplier * integers[dim.symbol]);
    return value > 0 ? (size_t)value : 0;
}

static ev_cell make_cell(const ev_slot *slot, const ev_symbol *symbol, const long *integers)
{
    ev_cell c = {symbol,
                 slot->first,
                 slot->count,
                 {.domain = &coefficient_domain, .rank = 0, .rows = 1, .cols = 1}};
    if (symbol->kind != EV_SYMBOL_REAL)
        return c;
    c.shape.domain = &symbol->domain;
    c.shape.rank = symbol->rank;
    c.shape.rows = symbol->rank > 0 ? dimension(symbol->rows, integers) : 1;
    c.shape.cols = symbol->rank > 1 ? dimension(symbol->cols, integers) : 1;
    size_t size = c.shape.rows * c.shape.cols;
    if (size == 0 || slot->count % size != 0) { /* not of the declared shape: entry by entry */
        c.shape = (ev_shape){.domain = &symbol->domain, .rank = 0, .rows = 1, .cols = 1};
        size = 1;
    }
    c.blocks = slot->count / size;
    return c;
}

static size_t cell_size(const ev_cell *c) { return c->blocks * c->shape.rows * c->shape.cols; }

bool ev_cells_alike(const ev_cell *a, const ev_cell *b)
{
    return a->symbol->kind == EV_SYMBOL_REAL && b->symbol->kind == EV_SYMBOL_REAL &&
           a->blocks == b->blocks && a->shape.rank == b->shape.rank &&
           a->shape.rows == b->shape.rows && a->shape.cols == b->shape.cols &&
           ev_domain_same(a->shape.domain, b->shape.domain);
}

static size_t cell_corners(const ev_cell *c)
{
    if (c->symbol->kind == EV_SYMBOL_FUNCTION)
        return 1; /* all coefficients 0 */
    return c->symbol->kind == EV_SYMBOL_REAL ? ev_draw_corner_count(c->shape) : 0;
}

/* All corners, the harmless ones of every cell before the next of any; equalities after the
 * first round. */
static void list_corners(ev_space *space)
{
    bool more = true;
    for (int which = 0; more; which++) {
        more = false;
        for (size_t i = 0; i < space->cell_count; i++) {
            if ((size_t)which >= cell_corners(&space->cells[i]))
                continue;
            space->corners[space->corner_count++] = (corner){i, i, which};
            more = true;
        }
        for (size_t i = 1; which == 0 && i < space->cell_count; i++)
            for (size_t j = i; j-- > 0;)
                if (ev_cells_alike(&space->cells[i], &space->cells[j])) {
                    space->corners[space->corner_count++] = (corner){i, j, EQUAL};
                    break;
                }
    }
}

static ev_status compile_conditions(ev_space *space, ev_error *error)
{
    const ev_case *instance = space->instance;
    size_t n = instance->condition_count;
    if (n == 0)
        return EV_OK;
    ev_node *roots = calloc(2 * n, sizeof *roots);
    space->condition_values = calloc(2 * n, sizeof *space->condition_values);
    if (roots == NULL || space->condition_values == NULL) {
        free(roots);
        return ev_error_set(error, EV_NO_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < n; i++) {
        roots[i] = instance->condition_left[i];
        roots[n + i] = instance->condition_right[i];
    }
    ev_status status = ev_program_compile(instance->graph, 2 * n, roots, &space->conditions, error);
    free(roots);
    return status;
}

ev_status ev_space_create(const ev_case *instance, const ev_symbol_table *table,
                          const long *integers, ev_space **out, ev_error *error)
{
    *out = NULL;
    ev_space *space = calloc(1, sizeof *space);
    if (space == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "out of memory");
    size_t corners = 0;
    space->instance = instance;
    space->cells = calloc(instance->slot_count + 1, sizeof *space->cells);
    for (size_t i = 0; space->cells != NULL && i < instance->slot_count; i++) {
        const ev_slot *slot = &instance->slots[i];
        space->cells[i] = make_cell(slot, &table->symbols[slot->symbol], integers);
        corners += cell_corners(&space->cells[i]) + 1;
        space->cell_count++;
    }
    space->corners = calloc(corners + 1, sizeof *space->corners);
    if (space->cells == NULL || space->corners == NULL) {
        ev_space_destroy(space);
        return ev_error_set(error, EV_NO_MEMORY, "out of memory");
    }
    list_corners(space);
    space->meter.limit = UINT64_C(4000000000);
    ev_status status = compile_conditions(space, error);
    if (status == EV_OK && space->conditions != NULL)
        ev_program_set_meter(space->conditions, &space->meter);
    if (status != EV_OK) {
        ev_space_destroy(space);
        return status;
    }
    *out = space;
    return EV_OK;
}

void ev_space_destroy(ev_space *space)
{
    if (space == NULL)
        return;
    ev_program_destroy(space->conditions);
    free(space->condition_values);
    free(space->cells);
    free(space->corners);
    free(space);
}

bool ev_point_is_corner(size_t index) { return index % 3 == 2; }

static void draw_cell(const ev_cell *c, const ev_draw *draw, double *inputs)
{
    size_t size = c->shape.rows * c->shape.cols;
    for (size_t block = 0; block < c->blocks; block++) {
        double *out = inputs + c->first + block * size;
        if (c->symbol->kind == EV_SYMBOL_CONSTANT)
            out[0] = 0.0;
        else if (c->symbol->kind == EV_SYMBOL_FUNCTION)
            out[0] = ev_draw_rounded(ev_dice_normal(draw->dice));
        else
            ev_draw_generic(draw, c->shape, out);
    }
}

static void draw_all(const ev_space *space, ev_draw *draw, double *inputs)
{
    for (size_t i = 0; i < space->cell_count; i++) {
        const ev_cell *c = &space->cells[i];
        bool in_order = c->first == draw->used_count; /* all before it are drawn */
        draw_cell(c, draw, inputs);
        if (in_order)
            draw->used_count += cell_size(c);
    }
}

static void set_corner(const ev_space *space, const corner *k, const ev_draw *draw, double *inputs)
{
    const ev_cell *c = &space->cells[k->cell], *like = &space->cells[k->like];
    size_t size = c->shape.rows * c->shape.cols;
    for (size_t i = 0; k->which == EQUAL && i < cell_size(c); i++)
        inputs[c->first + i] = inputs[like->first + i];
    for (size_t block = 0; k->which != EQUAL && block < c->blocks; block++) {
        double *out = inputs + c->first + block * size;
        if (c->symbol->kind == EV_SYMBOL_FUNCTION)
            out[0] = 0.0;
        else
            ev_draw_corner(draw, c->shape, (size_t)k->which, out);
    }
}

/* The k-th of n leads: each of 0 .. n-1 once, the even ones first, and again from the start. */
static size_t lead_of(size_t k, size_t n)
{
    size_t j = k % n, even = (n + 1) / 2;
    return j < even ? 2 * j : 2 * (j - even) + 1;
}

/* The corners of the index-th point: all the harmless ones at first, then two at a time.  Every
 * corner leads in turn, so that 3 (n + 1) points try them all; another one when it is refused. */
static void set_corners(const ev_space *space, size_t index, size_t again, const ev_draw *draw,
                        double *inputs)
{
    size_t round = index / 3, n = space->corner_count;
    if (n == 0)
        return;
    if (round == 0 && again == 0) {
        for (size_t i = 0; i < n; i++)
            if (space->corners[i].which == 0)
                set_corner(space, &space->corners[i], draw, inputs);
        return;
    }
    size_t start = lead_of(round == 0 ? 0 : round - 1, n) + again;
    const corner *a = &space->corners[start % n], *b = &space->corners[(start + (n / 2 | 1)) % n];
    set_corner(space, a, draw, inputs);
    bool involved = b->cell == a->cell || b->like == a->cell || b->cell == a->like;
    if (!involved && again % 2 == 0)
        set_corner(space, b, draw, inputs);
}

/* Conditions are strict where they are written so; equations hold to a relative 1e-9. */
static bool condition_holds(int relation, double left, double right)
{
    if (!isfinite(left) || !isfinite(right))
        return false;
    double close = 1e-9 * fmax(fabs(left), fabs(right));
    switch (relation) {
    case EV_RELATION_LESS: return left < right;
    case EV_RELATION_GREATER: return left > right;
    case EV_RELATION_LESS_EQUAL: return left <= right;
    case EV_RELATION_GREATER_EQUAL: return left >= right;
    case EV_CONDITION_NOT_EQUAL: return fabs(left - right) > close;
    default: return fabs(left - right) <= close;
    }
}

static bool conditions_hold(ev_space *space, const double *inputs)
{
    enum { HERMITE_ORDER = 32 };
    const ev_case *instance = space->instance;
    size_t n = instance->condition_count;
    if (n == 0)
        return true;
    if (ev_program_values(space->conditions, inputs, HERMITE_ORDER, space->condition_values) !=
        EV_OK)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!condition_holds(instance->condition_relation[i], space->condition_values[i],
                             space->condition_values[n + i]))
            return false;
    return true;
}

/* Wider and wider, for domains that lie away from the usual places. */
static double spread_of_try(size_t again) { return again < 100 ? 1.0 : again % 3 == 0 ? 3.0 : 1.5; }

bool ev_space_draw(ev_space *space, size_t index, const ev_stream *stream, size_t tries,
                   double *inputs, size_t *tried)
{
    for (size_t again = 0; again < tries; again++) {
        ev_stream own = ev_stream_child(stream, (uint32_t)again);
        ev_dice dice = ev_dice_make(&own);
        ev_draw draw = {.dice = &dice,
                        .style = index < 4 && again < 100 ? EV_DRAW_ROUND : EV_DRAW_RANDOM,
                        .spread = spread_of_try(again),
                        .used = inputs};
        draw_all(space, &draw, inputs);
        if (ev_point_is_corner(index) && again < 20)
            set_corners(space, index, again, &draw, inputs);
        ++*tried;
        if (conditions_hold(space, inputs))
            return true;
    }
    return false;
}

bool ev_space_redraw(ev_space *space, size_t count, const int *symbols, const ev_stream *stream,
                     size_t tries, double *inputs)
{
    for (size_t again = 0; again < tries; again++) {
        ev_stream own = ev_stream_child(stream, (uint32_t)again);
        ev_dice dice = ev_dice_make(&own);
        ev_draw draw = {.dice = &dice, .style = EV_DRAW_RANDOM, .spread = spread_of_try(again)};
        for (size_t i = 0; i < space->cell_count; i++)
            for (size_t k = 0; k < count; k++)
                if (space->instance->slots[i].symbol == symbols[k])
                    draw_cell(&space->cells[i], &draw, inputs);
        if (conditions_hold(space, inputs))
            return true;
    }
    return false;
}

void ev_space_set_meter(ev_space *space, ev_meter *meter)
{
    if (space->conditions != NULL)
        ev_program_set_meter(space->conditions, meter);
}

bool ev_space_is_spent(const ev_space *space) { return space->meter.cut; }

bool ev_space_is_rounded(const ev_space *space)
{
    for (size_t i = 0; i < space->cell_count; i++) {
        const ev_domain *domain = space->cells[i].shape.domain;
        if (domain->simplex || (domain->structure & EV_MATRIX_ORTHOGONAL) != 0)
            return true;
    }
    return false;
}

const ev_cell *ev_space_cells(const ev_space *space, size_t *count)
{
    *count = space->cell_count;
    return space->cells;
}

bool ev_space_admits(ev_space *space, const double *inputs)
{
    for (size_t i = 0; i < space->cell_count; i++) {
        const ev_cell *c = &space->cells[i];
        size_t size = c->shape.rows * c->shape.cols;
        for (size_t b = 0; b < c->blocks; b++)
            if (!ev_domain_admits(c->shape, inputs + c->first + b * size))
                return false;
    }
    return conditions_hold(space, inputs);
}
