#include "judge/tighten.h"

#include "judge/point.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 6, STARTS = 3, HERMITE_ORDER = 20 };
typedef enum { BY_DISTANCE, BY_RATIO, MEASURES } measure;

/* Both measures of one point; -inf where the sides are not defined. */
typedef struct {
    double by[MEASURES]; /* > 0: seems to fail */
} nearness;

typedef struct {
    const ev_trial *trial;
    measure measure;
    ev_space *space;
    const ev_cell *cells;
    size_t cell_count, idle_count;
    int *idle;    /* symbols that the step does not depend on, and the conditions may */
    ev_draw draw; /* of corners that are drawn: rotations */
    size_t left;  /* evaluations */
    double *best, *next, *values;
    nearness at; /* best */
} climb;

/* Clear enough to stop there: witnesses are made small elsewhere. */
static const double clear_violation = 0.01;
/* Less is rounding: no candidate. */
static const double least_violation = 1e-12;

bool ev_tighten_serves(const ev_case_step *step)
{
    return step->kind == EV_STEP_COMPARE &&
           (step->relation == EV_RELATION_LESS || step->relation == EV_RELATION_LESS_EQUAL ||
            step->relation == EV_RELATION_GREATER || step->relation == EV_RELATION_GREATER_EQUAL);
}

/* ---- how near ---- */

static nearness nowhere(void) { return (nearness){{-HUGE_VAL, -HUGE_VAL}}; }

/* Of the worst component.  values: left[0..n), right[0..n). */
static nearness nearness_of(const ev_case_step *step, const double *values)
{
    const double tiny = 1e-100;
    bool less = step->relation == EV_RELATION_LESS || step->relation == EV_RELATION_LESS_EQUAL;
    nearness worst = nowhere();
    for (size_t i = 0; i < step->count; i++) {
        double left = values[i], right = values[step->count + i];
        double d = less ? left - right : right - left, scale = fmax(fabs(left), fabs(right));
        if (!isfinite(d))
            return nowhere();
        worst.by[BY_DISTANCE] = fmax(worst.by[BY_DISTANCE], d);
        if (scale > tiny)
            worst.by[BY_RATIO] = fmax(worst.by[BY_RATIO], d / scale);
    }
    return worst;
}

static nearness evaluate(const ev_trial *trial, const double *inputs, double *values)
{
    if (ev_program_values(trial->program, inputs, HERMITE_ORDER, values) != EV_OK)
        return nowhere();
    return nearness_of(trial->step, values);
}

static bool is_strict(const ev_case_step *step)
{
    return step->relation == EV_RELATION_LESS || step->relation == EV_RELATION_GREATER;
}

/* Sides that are equal refute a strict relation where they are exact. */
static bool seems_to_fail(const ev_case_step *step, const nearness *at)
{
    return at->by[BY_RATIO] > least_violation || (is_strict(step) && at->by[BY_DISTANCE] >= 0);
}

/* ---- moves ---- */

static bool may_go_on(const climb *c)
{
    return c->left > 0 && c->at.by[BY_RATIO] < clear_violation;
}

/* Where a condition stands in the way, symbols that the step does not depend on give way. */
static bool is_admitted(climb *c)
{
    enum { TRIES = 16 };
    if (ev_space_admits(c->space, c->next))
        return true;
    if (c->idle_count == 0 || c->trial->instance->condition_count == 0)
        return false;
    const ev_stream stream = ev_stream_make(0, ev_hash_text("idle"), 0, (uint32_t)c->left);
    return ev_space_redraw(c->space, c->idle_count, c->idle, &stream, TRIES, c->next) &&
           ev_space_admits(c->space, c->next);
}

/* Take the next point when it is admitted and nearer; in any case next is best again. */
static bool try_next(climb *c)
{
    const double gain = 1e-9;
    const size_t size = c->trial->instance->input_count * sizeof *c->best;
    const double now = c->at.by[c->measure];
    bool taken = false;
    if (may_go_on(c))
        c->left--;
    if (may_go_on(c) && is_admitted(c)) {
        nearness at = evaluate(c->trial, c->next, c->values);
        taken = at.by[c->measure] > now + gain * fabs(now);
        if (taken)
            c->at = at;
    }
    if (taken)
        memcpy(c->best, c->next, size);
    else
        memcpy(c->next, c->best, size);
    return taken;
}

static size_t cell_size(const ev_cell *cell) { return cell->shape.rows * cell->shape.cols; }

static void try_corners(climb *c, const ev_cell *cell)
{
    const bool function = cell->symbol->kind == EV_SYMBOL_FUNCTION;
    const size_t n = cell_size(cell), corners = function ? 1 : ev_draw_corner_count(cell->shape);
    for (size_t which = 0; which < corners && may_go_on(c); which++) {
        for (size_t b = 0; b < cell->blocks; b++)
            ev_draw_corner(&c->draw, cell->shape, which, c->next + cell->first + b * n);
        try_next(c);
    }
}

static void try_others(climb *c, const ev_cell *cell)
{
    const size_t size = cell->blocks * cell_size(cell);
    for (size_t k = 0; k < c->cell_count && may_go_on(c); k++) {
        const ev_cell *other = &c->cells[k];
        if (other == cell || !ev_cells_alike(cell, other))
            continue;
        memcpy(c->next + cell->first, c->best + other->first, size * sizeof *c->next);
        try_next(c);
    }
}

/* The region in which points are drawn. */
static bool is_moderate(const ev_domain *domain, double x)
{
    const double large = 20, near = 0.01, width = fmin(domain->high - domain->low, 1);
    return fabs(x) <= large && (!domain->low_open || x >= domain->low + near * width) &&
           (!domain->high_open || x <= domain->high - near * width);
}

/* An entry, together with its mirror image in a symmetric matrix. */
static bool try_entry(climb *c, const ev_cell *cell, size_t first, size_t i, double x)
{
    const size_t cols = cell->shape.cols;
    const bool symmetric = (cell->shape.domain->structure &
                            (EV_MATRIX_SYMMETRIC | EV_MATRIX_POSITIVE_DEFINITE)) != 0;
    if (!is_moderate(cell->shape.domain, x))
        return false;
    c->next[first + i] = x;
    if (symmetric && cell->shape.rank == 2 && cell->shape.rows == cols)
        c->next[first + i % cols * cols + i / cols] = x;
    return try_next(c);
}

/* step: 1, 1/2, 1/4, ...; the first doubles and halves. */
static void try_steps(climb *c, const ev_cell *cell, size_t first, size_t i, double step)
{
    const size_t at = first + i;
    try_entry(c, cell, first, i, -c->best[at]);
    if (!try_entry(c, cell, first, i, c->best[at] * (1 + step)))
        try_entry(c, cell, first, i, c->best[at] / (1 + step));
    if (!try_entry(c, cell, first, i, c->best[at] + step / 2))
        try_entry(c, cell, first, i, c->best[at] - step / 2);
    if (step >= 1) {
        try_entry(c, cell, first, i, 0);
        try_entry(c, cell, first, i, 1);
    }
}

/* Weights towards one of them. */
static void try_weights(climb *c, size_t first, size_t n, double step)
{
    const double part = step / 2;
    for (size_t hot = 0; hot < n && may_go_on(c); hot++) {
        for (size_t i = 0; i < n; i++)
            c->next[first + i] = (1 - part) * c->best[first + i] + (i == hot ? part : 0);
        try_next(c);
    }
}

static bool is_used(const climb *c, const ev_cell *cell)
{
    bool used = false;
    for (size_t i = 0; i < cell->blocks * cell_size(cell); i++)
        used |= c->trial->used[cell->first + i];
    return used && cell->symbol->kind != EV_SYMBOL_CONSTANT;
}

static void try_cell(climb *c, const ev_cell *cell, double step)
{
    const size_t n = cell_size(cell);
    try_corners(c, cell);
    try_others(c, cell);
    for (size_t b = 0; b < cell->blocks; b++) {
        const size_t first = cell->first + b * n;
        if (cell->shape.domain->simplex)
            try_weights(c, first, n, step);
        for (size_t i = 0; i < n && !cell->shape.domain->simplex && may_go_on(c); i++)
            try_steps(c, cell, first, i, step);
    }
}

/* ---- a climb ---- */

static void climb_up(climb *c)
{
    double step = 1;
    for (size_t i = 0; i < c->cell_count; i++)
        if (!is_used(c, &c->cells[i]))
            c->idle[c->idle_count++] = c->trial->instance->slots[i].symbol;
    for (int round = 0; round < ROUNDS && may_go_on(c); round++, step /= 2) {
        for (size_t i = 0; i < c->cell_count && may_go_on(c); i++)
            if (is_used(c, &c->cells[i]))
                try_cell(c, &c->cells[i], step);
    }
}

/* From one point, *at; best and *at are where it ends. */
static ev_status climb_from(const ev_step_point *point, measure by, ev_meter *meter, double *best,
                            nearness *at)
{
    const ev_trial *trial = point->trial;
    const size_t n = trial->instance->input_count;
    const ev_stream stream = ev_stream_make(0, ev_hash_text("tighten"), 0, 0);
    ev_dice dice = ev_dice_make(&stream);
    ev_error error = EV_ERROR_NONE;
    climb c = {.trial = trial,
               .measure = by,
               .draw = {.dice = &dice, .style = EV_DRAW_RANDOM, .spread = 1},
               .left = EV_TIGHTEN_EVALUATIONS,
               .best = best,
               .at = *at};
    c.next = calloc(n + 1, sizeof *c.next);
    c.idle = calloc(trial->instance->slot_count + 1, sizeof *c.idle);
    c.values = calloc(2 * trial->step->count + 1, sizeof *c.values);
    ev_status status = c.next == NULL || c.idle == NULL || c.values == NULL
                           ? EV_NO_MEMORY
                           : ev_space_create(trial->instance, trial->table, trial->integers,
                                             &c.space, &error);
    if (status == EV_OK) {
        ev_space_set_meter(c.space, meter);
        c.cells = ev_space_cells(c.space, &c.cell_count);
        memcpy(best, point->place.inputs, n * sizeof *best);
        memcpy(c.next, best, n * sizeof *best);
        climb_up(&c);
    }
    *at = c.at;
    ev_space_destroy(c.space);
    free(c.next);
    free(c.idle);
    free(c.values);
    return status;
}

/* ---- the whole ---- */

typedef struct {
    size_t count;
    const ev_step_point *points;
    nearness *at; /* each point */
    ev_meter meter;
    ev_arena *arena;
    ev_tightened *found;
} search;

/* All that a trial computes is charged to the search, or to nobody. */
static void set_meters(search *s, ev_meter *meter)
{
    for (size_t i = 0; i < s->count; i++)
        ev_program_set_meter(s->points[i].trial->program, meter);
}

static ev_status evaluate_all(search *s)
{
    for (size_t i = 0; i < s->count; i++) {
        const ev_step_point *p = &s->points[i];
        double *values = calloc(2 * p->trial->step->count + 1, sizeof *values);
        if (values == NULL)
            return EV_NO_MEMORY;
        s->at[i] = evaluate(p->trial, p->place.inputs, values);
        free(values);
    }
    return EV_OK;
}

/* Is the point among the tightest few of its trial's? */
static bool is_start(const search *s, size_t i, measure by)
{
    size_t tighter = 0;
    for (size_t k = 0; k < s->count; k++) {
        const double a = s->at[k].by[by], b = s->at[i].by[by];
        tighter += s->points[k].trial == s->points[i].trial && (a > b || (k < i && a >= b));
    }
    return tighter < STARTS && s->at[i].by[by] > -HUGE_VAL;
}

/* Keep where the measure's climbs came nearest, when the step seems to fail there. */
static ev_status search_by(search *s, measure by)
{
    ev_tightened *found = s->found;
    nearness nearest = nowhere();
    ev_status status = EV_OK;
    for (size_t i = 0; status == EV_OK && i < s->count; i++) {
        const ev_trial *trial = s->points[i].trial;
        if (!is_start(s, i, by))
            continue;
        nearness at = s->at[i];
        double *best = ev_arena_array(s->arena, trial->instance->input_count + 1, sizeof *best);
        if (best == NULL)
            return EV_NO_MEMORY;
        status = climb_from(&s->points[i], by, &s->meter, best, &at);
        if (status != EV_OK || !seems_to_fail(trial->step, &at) || at.by[by] <= nearest.by[by])
            continue;
        nearest = at;
        found->points[found->count].start = i;
        found->points[found->count].inputs = best;
        if (at.by[BY_RATIO] >= clear_violation)
            break;
    }
    found->count += nearest.by[by] > -HUGE_VAL;
    return status;
}

ev_status ev_tighten(size_t count, const ev_step_point *points, uint64_t operations,
                     ev_arena *arena, ev_tightened *found)
{
    *found = (ev_tightened){.count = 0};
    search s = {count, points, calloc(count + 1, sizeof *s.at), {.limit = operations},
                arena, found};
    ev_status status = s.at == NULL ? EV_NO_MEMORY : EV_OK;
    set_meters(&s, &s.meter);
    if (status == EV_OK)
        status = evaluate_all(&s);
    for (int by = 0; status == EV_OK && by < MEASURES; by++) {
        s.meter.limit = by + 1 < MEASURES ? operations / 2 : operations;
        status = search_by(&s, (measure)by);
    }
    set_meters(&s, NULL);
    found->operations = s.meter.spent;
    free(s.at);
    return status;
}
