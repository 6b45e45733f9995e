#include "judge/shrink.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const ev_shrink_request *request;
    const ev_symbol_table *table;
    ev_budget budget; /* of one trial */
    ev_arena *arena;
    long *integers;
    ev_replay *at; /* at these integers */
    double *inputs;
    double margin; /* that is asked */
    size_t trials;
    uint64_t evaluations, operations;
    bool smaller; /* something was taken */
    ev_status status;
} search;

/* The simplest numbers first. */
static const double simple[] = {0, 1,  -1, 2,  -2,  0.5,  -0.5, 3,   -3,
                                4, -4, 5,  10, 1.5, -1.5, 0.1,  0.25};
enum { SIMPLE = sizeof simple / sizeof *simple };

static double cost_of(double x)
{
    char text[40];
    for (size_t i = 0; i < SIMPLE; i++)
        if (!(x < simple[i] || x > simple[i]))
            return (double)i;
    return (double)(SIMPLE + snprintf(text, sizeof text, "%.15g", x));
}

static double cost_of_all(size_t n, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += cost_of(x[i]);
    return sum;
}

static double margin_of(const ev_comparison *c)
{
    return c->scale > 0 ? c->distance / c->scale : 0;
}

/* Coarse quadrature with its error counted, no sampling beside it. */
static ev_budget trial_budget(const ev_budget *run)
{
    ev_budget b = ev_budget_for(0);
    b.verdict_only = true;
    b.doublings = 0;
    b.effort.alpha = run->effort.alpha;
    b.effort.relative = 1e-8;
    b.effort.max_evaluations = 50000;
    b.effort.samples = 0;
    b.effort.max_samples = 1 << 14;
    b.effort.sampling_relative = 1e-2;
    b.operations = UINT64_C(500000000);
    return b;
}

static bool may_go_on(const search *s)
{
    return s->status == EV_OK && s->trials < EV_SHRINK_TRIALS &&
           s->evaluations < EV_SHRINK_EVALUATIONS && s->operations < EV_SHRINK_OPERATIONS;
}

/* Is the step clearly refuted there? */
static bool refutes(search *s, ev_replay *at, const double *inputs)
{
    ev_step_result result;
    const char *text;
    if (!may_go_on(s) || !ev_replay_move(at, inputs))
        return false;
    ev_arena *arena = ev_arena_create();
    s->trials++;
    ev_status status = arena == NULL ? EV_NO_MEMORY
                                     : ev_replay_judge(at, &s->budget, arena, &result, &text);
    ev_arena_destroy(arena);
    if (status != EV_OK) {
        s->status = status;
        return false;
    }
    s->evaluations += result.evaluations + result.samples;
    s->operations += result.operations;
    const ev_comparison *c = &result.at.worst;
    return result.verdict == EV_REFUTED && margin_of(c) >= s->margin &&
           c->distance >= 10 * c->error;
}

/* Take the point when it refutes. */
static bool try_inputs(search *s, const double *inputs)
{
    if (!refutes(s, s->at, inputs))
        return false;
    memcpy(s->inputs, inputs, ev_replay_case(s->at)->input_count * sizeof *inputs);
    s->smaller = true;
    return true;
}

/* ---- integers ---- */

static const ev_cell *cell_of(const ev_replay *at, const ev_symbol *symbol)
{
    size_t count;
    const ev_cell *cells = ev_space_cells(ev_replay_space(at), &count);
    for (size_t i = 0; i < count; i++)
        if (cells[i].symbol == symbol)
            return &cells[i];
    return NULL;
}

static void normalise(size_t n, double *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    for (size_t i = 0; i < n && sum > 0; i++)
        x[i] /= sum;
}

/* The leading samples, rows and columns of a symbol's value. */
static void restrict_cell(const ev_cell *to, const ev_cell *from, const double *old, double *out)
{
    size_t size = to->shape.rows * to->shape.cols, size_from = from->shape.rows * from->shape.cols;
    for (size_t b = 0; b < to->blocks && b < from->blocks; b++) {
        double *x = out + to->first + b * size;
        for (size_t i = 0; i < to->shape.rows && i < from->shape.rows; i++)
            for (size_t j = 0; j < to->shape.cols && j < from->shape.cols; j++)
                x[i * to->shape.cols + j] =
                    old[from->first + b * size_from + i * from->shape.cols + j];
        if (to->shape.domain->simplex)
            normalise(size, x);
    }
}

static void restrict_point(const ev_replay *to, const ev_replay *from, const double *old,
                           double *out)
{
    size_t count;
    const ev_cell *cells = ev_space_cells(ev_replay_space(to), &count);
    for (size_t i = 0; i < count; i++) {
        const ev_cell *before = cell_of(from, cells[i].symbol);
        if (before != NULL)
            restrict_cell(&cells[i], before, old, out);
    }
}

/* A point at other integers: what is left of the one in hand, or else a round one newly drawn. */
static bool find_point(search *s, ev_replay *at, double *inputs)
{
    enum { DRAWN = 3 };
    ev_stream stream = ev_stream_make(s->request->seed, ev_hash_text("shrink"), 0, 0);
    restrict_point(at, s->at, s->inputs, inputs);
    bool found = refutes(s, at, inputs);
    for (size_t i = 0; !found && i < DRAWN && may_go_on(s); i++) {
        size_t tried = 0;
        found = ev_space_draw(ev_replay_space(at), i == 2 ? 3 : i, &stream, s->budget.tries, inputs,
                              &tried) &&
                refutes(s, at, inputs);
    }
    return found;
}

static bool try_integers(search *s, const long *integers)
{
    ev_replay *at = NULL;
    ev_error error = EV_ERROR_NONE;
    ev_status status = ev_replay_create(s->request->formula, s->request->step, s->request->id,
                                        integers, &s->budget, s->request->seed, &at, &error);
    if (status != EV_OK) {
        if (status == EV_NO_MEMORY)
            s->status = status;
        return false;
    }
    double *inputs = ev_arena_array(s->arena, ev_replay_case(at)->input_count + 1, sizeof *inputs);
    if (inputs == NULL)
        s->status = EV_NO_MEMORY;
    if (inputs == NULL || !find_point(s, at, inputs)) {
        ev_replay_destroy(at);
        return false;
    }
    ev_replay_destroy(s->at);
    s->at = at;
    s->inputs = inputs;
    memcpy(s->integers, integers, s->table->symbol_count * sizeof *integers);
    return s->smaller = true;
}

static bool in_range(const search *s, size_t count, const int *symbols, const long *integers)
{
    for (size_t i = 0; i < count; i++) {
        long low, high;
        ev_integer_range(s->table, symbols[i], integers, &low, &high);
        if (integers[symbols[i]] < low || integers[symbols[i]] > high)
            return false;
    }
    return true;
}

static bool shrink_integer(search *s, size_t count, const int *symbols, int symbol, long *candidate)
{
    long low, high, now = s->integers[symbol];
    ev_integer_range(s->table, symbol, s->integers, &low, &high);
    const long targets[] = {low, low + 1, (low + now) / 2, now - 1};
    for (size_t i = 0; i < sizeof targets / sizeof *targets && may_go_on(s); i++) {
        if (targets[i] >= now || targets[i] < low || (i > 0 && targets[i] <= targets[i - 1]))
            continue;
        memcpy(candidate, s->integers, s->table->symbol_count * sizeof *candidate);
        candidate[symbol] = targets[i];
        if (in_range(s, count, symbols, candidate) && try_integers(s, candidate))
            return true;
    }
    return false;
}

static void shrink_integers(search *s)
{
    enum { MAX_INTEGERS = 64 };
    int symbols[MAX_INTEGERS];
    size_t count = ev_formula_integers(s->request->formula, symbols, MAX_INTEGERS);
    long *candidate = ev_arena_array(s->arena, s->table->symbol_count + 1, sizeof *candidate);
    if (candidate == NULL)
        s->status = EV_NO_MEMORY;
    for (bool again = candidate != NULL; again && may_go_on(s);) {
        again = false;
        for (size_t i = count < MAX_INTEGERS ? count : MAX_INTEGERS; i-- > 0;)
            again = shrink_integer(s, count, symbols, symbols[i], candidate) || again;
    }
}

/* ---- values ---- */

static bool is_used(const search *s, size_t first, size_t n)
{
    const bool *used = ev_replay_used(s->at);
    for (size_t i = 0; i < n; i++)
        if (used[first + i])
            return true;
    return false;
}

/* Replace the values at first .. first+n-1, when that is simpler and refutes. */
static bool try_values(search *s, size_t first, size_t n, const double *values)
{
    double now[64];
    if (n > 64 || cost_of_all(n, values) >= cost_of_all(n, s->inputs + first))
        return false;
    size_t count = ev_replay_case(s->at)->input_count;
    double *inputs = malloc((count + 1) * sizeof *inputs);
    if (inputs == NULL) {
        s->status = EV_NO_MEMORY;
        return false;
    }
    memcpy(now, s->inputs + first, n * sizeof *now);
    memcpy(inputs, s->inputs, count * sizeof *inputs);
    memcpy(inputs + first, values, n * sizeof *values);
    bool taken = try_inputs(s, inputs);
    free(inputs);
    return taken;
}

/* Weights: equal ones; one large; tenths. */
static void shrink_weights(search *s, size_t first, size_t n)
{
    double x[64];
    if (n > 9)
        return;
    for (size_t i = 0; i < n; i++)
        x[i] = 1.0 / (double)n;
    if ((n == 2 || n == 4 || n == 5) && try_values(s, first, n, x))
        return;
    for (size_t large = 0; large < n; large++) {
        for (size_t i = 0; i < n; i++)
            x[i] = i == large ? (double)(11 - n) / 10 : 0.1;
        if (try_values(s, first, n, x))
            return;
    }
    double rest = 10;
    for (size_t i = 0; i + 1 < n; i++) {
        double tenths = fmax(1, round(10 * s->inputs[first + i]));
        x[i] = tenths / 10;
        rest -= tenths;
    }
    x[n - 1] = rest / 10;
    try_values(s, first, n, x);
}

/* A block as a whole: zeros, ones, the identity. */
static void shrink_block(search *s, const ev_cell *cell, size_t first)
{
    double x[64];
    size_t rows = cell->shape.rows, cols = cell->shape.cols, n = rows * cols;
    bool square = cell->shape.rank == 2 && rows == cols;
    if (n > 64 || n < 2)
        return;
    for (int kind = 0; kind < 3; kind++) {
        for (size_t i = 0; i < n; i++)
            x[i] = kind == 0 ? 0 : kind == 1 ? 1 : i % (cols + 1) == 0;
        if ((kind < 2 || square) && try_values(s, first, n, x))
            return;
    }
}

/* An entry, together with its mirror image in a symmetric matrix. */
static bool try_entry(search *s, const ev_cell *cell, size_t first, size_t i, double x)
{
    double values[64];
    size_t cols = cell->shape.cols, n = cell->shape.rows * cols;
    bool symmetric = (cell->shape.domain->structure &
                      (EV_MATRIX_SYMMETRIC | EV_MATRIX_POSITIVE_DEFINITE)) != 0;
    if (n > 64)
        return false;
    memcpy(values, s->inputs + first, n * sizeof *values);
    values[i] = x;
    if (symmetric)
        values[i % cols * cols + i / cols] = x;
    return try_values(s, first, n, values);
}

static void shrink_entry(search *s, const ev_cell *cell, size_t first, size_t i)
{
    const double now = s->inputs[first + i];
    for (size_t k = 0; k < SIMPLE && cost_of(simple[k]) < cost_of(now) && may_go_on(s); k++)
        if (try_entry(s, cell, first, i, simple[k]))
            return;
    for (int digits = 1; digits <= 2 && may_go_on(s); digits++) {
        char text[40];
        snprintf(text, sizeof text, "%.*e", digits - 1, now);
        if (try_entry(s, cell, first, i, strtod(text, NULL)))
            return;
    }
}

static void shrink_cell(search *s, const ev_cell *cell)
{
    size_t n = cell->shape.rows * cell->shape.cols;
    for (size_t b = 0; b < cell->blocks && may_go_on(s); b++) {
        size_t first = cell->first + b * n;
        if (cell->symbol->kind == EV_SYMBOL_CONSTANT || !is_used(s, first, n))
            continue;
        if (cell->shape.domain->simplex) {
            shrink_weights(s, first, n);
            continue;
        }
        shrink_block(s, cell, first);
        for (size_t i = 0; i < n; i++)
            if (is_used(s, first + i, 1))
                shrink_entry(s, cell, first, i);
    }
}

static void shrink_values(search *s)
{
    enum { ROUNDS = 3 };
    size_t count;
    const ev_cell *cells = ev_space_cells(ev_replay_space(s->at), &count);
    s->smaller = true;
    for (int round = 0; s->smaller && round < ROUNDS; round++) {
        s->smaller = false;
        for (size_t i = 0; i < count && may_go_on(s); i++)
            shrink_cell(s, &cells[i]);
    }
}

/* ---- the whole ---- */

/* The point in hand by the full rules. */
static void show(search *s, ev_arena *arena, ev_step_result *result, const char **witness)
{
    const ev_shrink_request *q = s->request;
    ev_replay *last = NULL;
    ev_error error = EV_ERROR_NONE;
    ev_step_result found;
    const char *text;
    s->status = ev_replay_create(q->formula, q->step, q->id, s->integers, q->budget, q->seed, &last,
                                 &error);
    if (s->status == EV_OK && ev_replay_move(last, s->inputs))
        s->status = ev_replay_judge(last, q->budget, arena, &found, &text);
    else
        found.verdict = EV_VACUOUS;
    if (s->status == EV_OK && found.verdict == EV_REFUTED) {
        result->at = found.at;
        memcpy(result->reason, found.reason, sizeof result->reason);
        *witness = text;
    }
    ev_replay_destroy(last);
    if (s->status != EV_NO_MEMORY)
        s->status = EV_OK;
}

/* The whole claim has other inputs than the step alone. */
static void take_slots(search *s, const ev_case *from, const double *inputs)
{
    const ev_case *to = ev_replay_case(s->at);
    for (size_t i = 0; i < to->slot_count; i++)
        for (size_t k = 0; k < from->slot_count; k++)
            if (from->slots[k].symbol == to->slots[i].symbol &&
                from->slots[k].count == to->slots[i].count)
                memcpy(s->inputs + to->slots[i].first, inputs + from->slots[k].first,
                       to->slots[i].count * sizeof *inputs);
}

/* Stand at the plan's point. */
static bool begin(search *s, const ev_plan *plan, size_t point)
{
    const ev_shrink_request *q = s->request;
    const ev_case *instance;
    const double *inputs = ev_plan_point(plan, point, &instance);
    ev_error error = EV_ERROR_NONE;
    ev_replay_destroy(s->at);
    memcpy(s->integers, ev_plan_integers(plan, point), s->table->symbol_count * sizeof(long));
    ev_status status = ev_replay_create(q->formula, q->step, q->id, s->integers, &s->budget,
                                        q->seed, &s->at, &error);
    size_t n = status == EV_OK ? ev_replay_case(s->at)->input_count : 0;
    s->inputs = ev_arena_array(s->arena, n + 1, sizeof *s->inputs);
    if (status == EV_NO_MEMORY || s->inputs == NULL)
        s->status = EV_NO_MEMORY;
    if (status != EV_OK || s->inputs == NULL)
        return false;
    take_slots(s, instance, inputs);
    return true;
}

/* The point that is shown; or, where it refutes by little, the first that refutes clearly. */
static bool begin_clearly(search *s, const ev_plan *plan, const ev_step_result *result)
{
    const double clear = 0.01, margin = margin_of(&result->at.worst);
    s->margin = clear;
    for (size_t i = 0; margin < clear && i < ev_plan_points(plan) && may_go_on(s); i++)
        if (begin(s, plan, i) && refutes(s, s->at, s->inputs))
            return true;
    s->margin = fmin(clear, margin / 2);
    return may_go_on(s) && begin(s, plan, result->shown);
}

ev_status ev_shrink(const ev_shrink_request *request, const ev_plan *plan, ev_arena *arena,
                    ev_step_result *result, const char **witness, size_t *trials)
{
    search s = {.request = request,
                .table = request->formula->scope->table,
                .budget = trial_budget(request->budget),
                .arena = ev_arena_create()};
    *trials = 0;
    if (s.arena == NULL)
        return EV_NO_MEMORY;
    s.integers = ev_arena_array(s.arena, s.table->symbol_count + 1, sizeof *s.integers);
    if (s.integers == NULL)
        s.status = EV_NO_MEMORY;
    if (s.integers != NULL && begin_clearly(&s, plan, result)) {
        shrink_integers(&s);
        shrink_values(&s);
        if (s.status == EV_OK)
            show(&s, arena, result, witness);
    }
    *trials = s.trials;
    ev_replay_destroy(s.at);
    ev_arena_destroy(s.arena);
    return s.status;
}
