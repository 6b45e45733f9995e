#include "judge/plan.h"

#include "judge/integers.h"
#include "judge/point.h"
#include "judge/tighten.h"
#include "judge/witness.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_INTEGERS = 64, FEWEST_CHOICES = 24 };

/* Streams of a claim, told apart by the number in a step's place. */
enum { STREAM_INTEGERS = 1000001, STREAM_POINTS, STREAM_REDRAWS };

typedef struct {
    size_t which; /* case */
    double *inputs;
} point;

typedef struct {
    bool ready;
    ev_trial *trials; /* one a case */
    double **redraws; /* one a point, or NULL */
    size_t redraw_count;
    point found; /* by the search for a violation; inputs NULL: none */
} prepared;

struct ev_plan {
    const ev_symbol_table *table;
    const char *id;
    ev_budget budget;
    uint64_t seed, claim;
    size_t integer_count;
    const int *integers;
    size_t case_count;
    ev_case **cases;
    bool owns_cases;
    long *const *choices;
    ev_space **spaces;
    size_t point_count, points_tried;
    point *points;
    prepared *steps;
    ev_arena *arena;
};

static ev_status out_of_memory(ev_error *error)
{
    return ev_error_set(error, EV_NO_MEMORY, "out of memory");
}

static bool is_exhausted(const bool *exhausted, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!exhausted[i])
            return false;
    return true;
}

/* Point number `index`, in the case whose turn it is, or in the next one that has points: a
 * condition may exclude some integers. */
static void draw_point(ev_plan *plan, size_t index, bool *exhausted)
{
    size_t turn = index + index / plan->case_count; /* so that corners reach every case */
    ev_stream stream = ev_stream_make(plan->seed, plan->claim, STREAM_POINTS, (uint32_t)index);
    for (size_t k = 0; k < plan->case_count; k++) {
        size_t which = (turn + k) % plan->case_count;
        if (exhausted[which])
            continue;
        point *p = &plan->points[plan->point_count];
        p->which = which;
        p->inputs = ev_arena_array(plan->arena, plan->cases[which]->input_count + 1,
                                   sizeof *p->inputs);
        if (p->inputs == NULL)
            return;
        if (ev_space_draw(plan->spaces[which], index, &stream, plan->budget.tries, p->inputs,
                          &plan->points_tried)) {
            plan->point_count++;
            return;
        }
        exhausted[which] = true;
    }
}

static ev_status draw_points(ev_plan *plan, ev_error *error)
{
    size_t wanted = plan->budget.points;
    plan->points = ev_arena_array(plan->arena, wanted, sizeof *plan->points);
    bool *exhausted = ev_arena_array(plan->arena, plan->case_count + 1, sizeof *exhausted);
    if (plan->points == NULL || exhausted == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < wanted && !is_exhausted(exhausted, plan->case_count); i++)
        draw_point(plan, plan->budget.first_point + i, exhausted);
    return ev_arena_failed(plan->arena) ? out_of_memory(error) : EV_OK;
}

static ev_plan *plan_new(const char *id, const ev_budget *budget, uint64_t seed,
                         const ev_symbol_table *table)
{
    ev_plan *plan = malloc(sizeof *plan);
    if (plan == NULL)
        return NULL;
    *plan = (ev_plan){.table = table, .budget = *budget, .seed = seed, .claim = ev_hash_text(id)};
    plan->arena = ev_arena_create();
    if (plan->arena != NULL)
        plan->id = ev_arena_text(plan->arena, id, strlen(id));
    if (plan->id == NULL) {
        ev_plan_destroy(plan);
        return NULL;
    }
    return plan;
}

/* Spaces, points and room for the steps, once the cases are there. */
static ev_status plan_finish(ev_plan *plan, ev_error *error)
{
    plan->spaces = ev_arena_array(plan->arena, plan->case_count + 1, sizeof *plan->spaces);
    plan->steps = ev_arena_array(plan->arena, ev_plan_step_count(plan) + 1, sizeof *plan->steps);
    if (plan->spaces == NULL || plan->steps == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < plan->case_count; i++) {
        ev_status status = ev_space_create(plan->cases[i], plan->table, plan->choices[i],
                                           &plan->spaces[i], error);
        if (status != EV_OK)
            return status;
    }
    return draw_points(plan, error);
}

static bool relation_holds(int relation, double a, double b)
{
    switch (relation) {
    case EV_RELATION_LESS: return a < b;
    case EV_RELATION_LESS_EQUAL: return a <= b;
    case EV_RELATION_GREATER: return a > b;
    case EV_RELATION_GREATER_EQUAL: return a >= b;
    default: return a < b || a > b; /* not equal */
    }
}

/* A condition on integers alone, such as J < 2, fails at these. */
static bool is_excluded(const ev_case *c)
{
    for (size_t i = 0; i < c->condition_count; i++) {
        ev_node a = c->condition_left[i], b = c->condition_right[i];
        if (ev_graph_op(c->graph, a) == EV_OP_CONSTANT &&
            ev_graph_op(c->graph, b) == EV_OP_CONSTANT &&
            !relation_holds(c->condition_relation[i], ev_graph_constant_value(c->graph, a),
                            ev_graph_constant_value(c->graph, b)))
            return true;
    }
    return false;
}

static bool has_one(const ev_plan *plan, const long *integers)
{
    for (size_t i = 0; i < plan->integer_count; i++)
        if (integers[plan->integers[i]] == 1)
            return true;
    return false;
}

/* Cases at the choices that no condition excludes; one excluded case when there is no other,
 * so that the claim comes out vacuous. */
static ev_status keep_cases(ev_plan *plan, const ev_formula *formula, size_t chosen, long **choices,
                            ev_error *error)
{
    ev_case *excluded = NULL;
    for (size_t i = 0; i < chosen && plan->case_count < plan->budget.cases; i++) {
        ev_case *made = NULL;
        ev_status status = ev_case_create(formula, choices[i], &made, error);
        if (status != EV_OK) {
            ev_case_destroy(excluded);
            return status;
        }
        bool last = i + 1 == chosen && plan->case_count == 0;
        bool unwanted = plan->budget.above_one && has_one(plan, choices[i]);
        if ((unwanted || is_excluded(made)) && !last) {
            ev_case_destroy(excluded);
            excluded = made;
            continue;
        }
        choices[plan->case_count] = choices[i];
        plan->cases[plan->case_count++] = made;
    }
    ev_case_destroy(excluded);
    return EV_OK;
}

static ev_status create_cases(ev_plan *plan, const ev_formula *formula, ev_error *error)
{
    int *symbols = ev_arena_array(plan->arena, MAX_INTEGERS, sizeof *symbols);
    size_t capacity = 4 * plan->budget.cases; /* conditions may exclude some, or all but few */
    if (capacity < FEWEST_CHOICES)
        capacity = FEWEST_CHOICES;
    long **choices = ev_arena_array(plan->arena, capacity, sizeof *choices);
    plan->cases = ev_arena_array(plan->arena, plan->budget.cases, sizeof *plan->cases);
    if (symbols == NULL || choices == NULL || plan->cases == NULL)
        return out_of_memory(error);
    size_t count = ev_formula_integers(formula, symbols, MAX_INTEGERS);
    if (count > MAX_INTEGERS)
        return ev_error_set(error, EV_BAD_INPUT, "a claim depends on more than %d integers",
                            MAX_INTEGERS);
    plan->integers = symbols;
    plan->integer_count = count;
    plan->owns_cases = true;
    ev_stream stream = ev_stream_make(plan->seed, plan->claim, STREAM_INTEGERS, 0);
    size_t chosen = ev_integers_choose(plan->table, count, symbols, &stream, capacity, plan->arena,
                                       choices);
    plan->choices = choices;
    ev_status status = keep_cases(plan, formula, chosen, choices, error);
    return status == EV_OK && ev_arena_failed(plan->arena) ? out_of_memory(error) : status;
}

ev_status ev_plan_create(const ev_formula *formula, const char *id, const ev_budget *budget,
                         uint64_t seed, ev_plan **out, ev_error *error)
{
    *out = NULL;
    ev_plan *plan = plan_new(id, budget, seed, formula->scope->table);
    if (plan == NULL)
        return out_of_memory(error);
    ev_status status = create_cases(plan, formula, error);
    if (status == EV_OK)
        status = plan_finish(plan, error);
    if (status != EV_OK) {
        ev_plan_destroy(plan);
        return status;
    }
    *out = plan;
    return EV_OK;
}

ev_status ev_plan_create_from(const ev_plan_source *source, const char *id, const ev_budget *budget,
                              uint64_t seed, ev_plan **out, ev_error *error)
{
    *out = NULL;
    ev_plan *plan = plan_new(id, budget, seed, source->table);
    if (plan == NULL)
        return out_of_memory(error);
    plan->case_count = source->case_count;
    plan->choices = source->choices;
    plan->integer_count = source->integer_count;
    plan->integers = source->integers;
    plan->cases = ev_arena_array(plan->arena, source->case_count + 1, sizeof *plan->cases);
    ev_status status = plan->cases == NULL ? out_of_memory(error) : EV_OK;
    for (size_t i = 0; status == EV_OK && i < source->case_count; i++)
        plan->cases[i] = source->cases[i];
    if (status == EV_OK)
        status = plan_finish(plan, error);
    if (status != EV_OK) {
        ev_plan_destroy(plan);
        return status;
    }
    *out = plan;
    return EV_OK;
}

void ev_plan_destroy(ev_plan *plan)
{
    if (plan == NULL)
        return;
    for (size_t s = 0; plan->steps != NULL && s < ev_plan_step_count(plan); s++)
        for (size_t i = 0; plan->steps[s].trials != NULL && i < plan->case_count; i++) {
            ev_program_destroy(plan->steps[s].trials[i].program);
            ev_program_destroy(plan->steps[s].trials[i].second);
            ev_program_destroy(plan->steps[s].trials[i].spread);
        }
    for (size_t i = 0; plan->cases != NULL && i < plan->case_count; i++) {
        if (plan->spaces != NULL)
            ev_space_destroy(plan->spaces[i]);
        if (plan->owns_cases)
            ev_case_destroy(plan->cases[i]);
    }
    ev_arena_destroy(plan->arena);
    free(plan);
}

size_t ev_plan_step_count(const ev_plan *plan)
{
    return plan->case_count == 0 ? 0 : plan->cases[0]->step_count;
}

size_t ev_plan_points_tried(const ev_plan *plan) { return plan->points_tried; }
size_t ev_plan_points(const ev_plan *plan) { return plan->point_count; }

static const point *point_of(const ev_plan *plan, size_t which)
{
    return which < plan->point_count ? &plan->points[which]
                                     : &plan->steps[which - plan->point_count].found;
}

const double *ev_plan_point(const ev_plan *plan, size_t which, const ev_case **instance)
{
    *instance = plan->cases[point_of(plan, which)->which];
    return point_of(plan, which)->inputs;
}

const long *ev_plan_integers(const ev_plan *plan, size_t which)
{
    return plan->choices[point_of(plan, which)->which];
}

/* ---- a step's programs ---- */

/* left and right; or an objective with its gradient, twice. */
static ev_status compile_trial(ev_plan *plan, const ev_case *instance, ev_trial *trial,
                               ev_error *error)
{
    const ev_case_step *step = trial->step;
    bool argmin = step->kind == EV_STEP_ARGMIN;
    size_t gradients = 0;
    for (size_t i = 0; argmin && i < instance->slot_count; i++)
        for (size_t k = 0; k < step->vary_count; k++)
            gradients += instance->slots[i].symbol == step->vary[k] ? instance->slots[i].count : 0;
    size_t n = argmin ? 1 + gradients : step->count;
    ev_node *roots = ev_arena_array(plan->arena, 2 * n, sizeof *roots);
    trial->used = ev_arena_array(plan->arena, instance->input_count + 1, sizeof *trial->used);
    if (roots == NULL || trial->used == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < n; i++) {
        roots[i] = i == 0 || !argmin ? step->left[i] : step->left_gradient[i - 1];
        roots[n + i] = i == 0 || !argmin ? step->right[i] : step->right_gradient[i - 1];
    }
    if (!ev_witness_inputs(instance, 2 * n, roots, trial->used))
        return out_of_memory(error);
    ev_status status = ev_program_compile(instance->graph, argmin ? n : 2 * n, roots,
                                          &trial->program, error);
    if (status == EV_OK && step->kind == EV_STEP_ESTIMATE && step->spread != NULL &&
        !plan->budget.verdict_only)
        status = ev_program_compile(instance->graph, 1, step->spread, &trial->spread, error);
    if (status == EV_OK && argmin)
        status = ev_program_compile(instance->graph, n, roots + n, &trial->second, error);
    return status;
}

/* values: (wanted, inputs), the i-th point with other values of vary's symbols. */
static void redraw(const ev_plan *plan, const ev_case_step *step, size_t i, size_t wanted,
                   double *values)
{
    const point *at = &plan->points[i];
    size_t n = plan->cases[at->which]->input_count;
    ev_stream stream = ev_stream_make(plan->seed, plan->claim, STREAM_REDRAWS, (uint32_t)i);
    for (size_t k = 0; k < wanted && n > 0; k++) {
        ev_stream own = ev_stream_child(&stream, (uint32_t)k);
        memcpy(values + k * n, at->inputs, n * sizeof *values);
        if (!ev_space_redraw(plan->spaces[at->which], step->vary_count, step->vary, &own,
                             plan->budget.tries, values + k * n))
            /* no other member is allowed: the point itself is the family */
            memcpy(values + k * n, at->inputs, n * sizeof *values);
    }
}

/* Values of vary's symbols for every point: a family's members, a minimiser's starts. */
static ev_status draw_redraws(ev_plan *plan, size_t s, ev_error *error)
{
    const ev_case_step *step = &plan->cases[0]->steps[s];
    prepared *p = &plan->steps[s];
    size_t wanted = step->kind == EV_STEP_ARGMIN ? plan->budget.starts : plan->budget.redraws;
    if (step->vary_count == 0)
        return EV_OK;
    p->redraws = ev_arena_array(plan->arena, plan->point_count + 1, sizeof *p->redraws);
    if (p->redraws == NULL)
        return out_of_memory(error);
    p->redraw_count = wanted;
    for (size_t i = 0; i < plan->point_count; i++) {
        size_t n = plan->cases[plan->points[i].which]->input_count;
        p->redraws[i] = ev_arena_array(plan->arena, wanted * n + 1, sizeof(double));
        if (p->redraws[i] == NULL)
            return out_of_memory(error);
        redraw(plan, step, i, wanted, p->redraws[i]);
    }
    return EV_OK;
}

/* An arg-min is judged at generic points only, at the first few; the others are its reserve. */
static bool is_judged(const ev_plan *plan, const ev_case_step *step, size_t index)
{
    return step->kind != EV_STEP_ARGMIN || !ev_point_is_corner(plan->budget.first_point + index);
}

static bool is_reserve(const ev_plan *plan, const ev_case_step *step, size_t before)
{
    return step->kind == EV_STEP_ARGMIN && before >= plan->budget.minimisation_points;
}

static bool is_searched(const ev_plan *plan, size_t s)
{
    return plan->budget.search > 0 && ev_tighten_serves(&plan->cases[0]->steps[s]);
}

ev_status ev_plan_prepare(ev_plan *plan, size_t s, uint64_t *comparisons, ev_error *error)
{
    if (s >= ev_plan_step_count(plan))
        return EV_OK; /* no case: vacuous */
    prepared *p = &plan->steps[s];
    p->trials = ev_arena_array(plan->arena, plan->case_count, sizeof *p->trials);
    if (p->trials == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < plan->case_count; i++) {
        const ev_case *instance = plan->cases[i];
        ev_trial *trial = &p->trials[i];
        *trial = (ev_trial){.instance = instance,
                            .step = &instance->steps[s],
                            .table = plan->table,
                            .integers = plan->choices[i],
                            .slack = ev_space_is_rounded(plan->spaces[i]) ? 64 * 2.3e-16 : 0.0};
        ev_status status = compile_trial(plan, instance, trial, error);
        if (status != EV_OK)
            return status;
        size_t per_evaluation = ev_program_comparisons(trial->program);
        if (trial->second != NULL)
            per_evaluation += ev_program_comparisons(trial->second);
        trial->comparisons = per_evaluation * ev_attempt_evaluations(trial->step, &plan->budget);
        if (trial->spread != NULL) /* once, wherever the shown point is */
            *comparisons += ev_program_comparisons(trial->spread);
    }
    ev_status status = draw_redraws(plan, s, error);
    size_t attempts = ev_budget_attempts(&plan->budget);
    uint64_t most = 0; /* of one attempt at any point */
    for (size_t i = 0; status == EV_OK && i < plan->point_count; i++) {
        const ev_trial *trial = &p->trials[plan->points[i].which];
        if (!is_judged(plan, trial->step, i))
            continue;
        *comparisons += trial->comparisons * attempts;
        most = trial->comparisons > most ? trial->comparisons : most;
    }
    if (is_searched(plan, s))
        *comparisons += EV_TIGHTEN_POINTS * most * attempts;
    p->ready = status == EV_OK;
    return status;
}

static const char *witness_of(const ev_plan *plan, const ev_trial *trial, const double *inputs,
                              ev_arena *arena)
{
    return ev_witness_text(plan->table, plan->integer_count, plan->integers, trial->integers,
                           trial->instance, trial->used, inputs, arena);
}

/* Why there is no point, where it is not that none satisfies the conditions. */
static void explain_vacuous(const ev_plan *plan, ev_step_result *result)
{
    for (size_t i = 0; i < plan->case_count; i++)
        if (ev_space_is_spent(plan->spaces[i]))
            snprintf(
                result->reason, sizeof result->reason,
                "the budget was spent before a point was found that satisfies the assumptions");
}

/* The cost of judging a point that the search found, and its outcome where it refutes.  One that does
 * not says nothing: the bound may be attained there, or the errors be too large. */
static void add_found(ev_step_result *result, const ev_step_result *at)
{
    ev_step_result sum = at->verdict == EV_REFUTED ? *at : *result;
    sum.points_effective = result->points_effective + (at->verdict == EV_REFUTED);
    sum.points_blank = result->points_blank;
    sum.digits = result->digits;
    sum.methods = result->methods | at->methods;
    sum.evaluations = result->evaluations + at->evaluations;
    sum.samples = result->samples + at->samples;
    sum.comparisons = result->comparisons + at->comparisons;
    sum.operations = result->operations + at->operations;
    *result = sum;
}

static uint64_t operations_left(const ev_budget *budget, const ev_step_result *result)
{
    return result->operations < budget->operations ? budget->operations - result->operations : 0;
}

/* Where no point refutes: is the step refuted where it comes nearest to failing?  That point
 * becomes the step's own. */
static ev_status search_violation(const ev_plan *plan, size_t s, size_t count,
                                  const ev_step_point *points, const ev_budget *budget,
                                  const ev_stream *stream, ev_arena *arena, ev_step_result *result)
{
    prepared *p = &plan->steps[s];
    ev_tightened tight;
    uint64_t operations = operations_left(budget, result);
    if (operations > plan->budget.search)
        operations = plan->budget.search;
    ev_status status = ev_tighten(count, points, operations, arena, &tight);
    result->operations += tight.operations;
    for (size_t k = 0; status == EV_OK && k < tight.count && result->verdict != EV_REFUTED; k++) {
        const ev_step_point *from = &points[tight.points[k].start];
        ev_step_point at = {from->trial, {.inputs = tight.points[k].inputs}, 0, false};
        ev_stream own = ev_stream_child(stream, (uint32_t)(count + 1 + k));
        ev_budget rest = *budget;
        rest.operations = operations_left(budget, result) / count; /* a point's share */
        ev_step_result found;
        status = ev_step_judge(1, &at, &rest, &own, &found);
        if (status != EV_OK)
            break;
        add_found(result, &found);
        p->found = (point){(size_t)(from->trial - p->trials), tight.points[k].inputs};
        if (found.verdict == EV_REFUTED)
            result->shown = plan->point_count + s;
    }
    return status;
}

ev_status ev_plan_judge(const ev_plan *plan, size_t s, const ev_budget *budget, ev_arena *arena,
                        ev_step_result *result, const char **witness)
{
    *witness = "";
    if (s >= ev_plan_step_count(plan) || !plan->steps[s].ready)
        return ev_step_judge(0, NULL, budget, &(ev_stream){{0}, {0}}, result);
    const prepared *p = &plan->steps[s];
    ev_arena *texts = ev_arena_create();
    ev_step_point *points = calloc(plan->point_count + 1, sizeof *points);
    ev_status status = texts == NULL || points == NULL ? EV_NO_MEMORY : EV_OK;
    size_t *which = calloc(plan->point_count + 1, sizeof *which), n = 0;
    if (which == NULL)
        status = EV_NO_MEMORY;
    for (size_t i = 0; status == EV_OK && i < plan->point_count; i++) {
        const point *at = &plan->points[i];
        const ev_trial *trial = &p->trials[at->which];
        if (!is_judged(plan, trial->step, i))
            continue;
        const char *text = witness_of(plan, trial, at->inputs, texts);
        if (text == NULL) {
            status = EV_NO_MEMORY;
            break;
        }
        which[n] = i;
        points[n] = (ev_step_point){trial,
                                    {at->inputs, p->redraws == NULL ? NULL : p->redraws[i],
                                     p->redraws == NULL ? 0 : p->redraw_count},
                                    strlen(text),
                                    is_reserve(plan, trial->step, n)};
        n++;
    }
    ev_stream stream = ev_stream_make(plan->seed, plan->claim, (uint32_t)s, 0);
    if (status == EV_OK)
        status = ev_step_judge(n, points, budget, &stream, result);
    if (status == EV_OK && n == 0)
        explain_vacuous(plan, result);
    if (status == EV_OK && n > 0)
        result->shown = which[result->shown]; /* among the plan's points */
    bool open = result->verdict == EV_HOLDS || result->verdict == EV_UNDECIDED;
    if (status == EV_OK && n > 0 && open && is_searched(plan, s))
        status = search_violation(plan, s, n, points, budget, &stream, arena, result);
    if (status == EV_OK && result->points_effective > 0) {
        const point *shown = point_of(plan, result->shown);
        *witness = witness_of(plan, &p->trials[shown->which], shown->inputs, arena);
        status = *witness == NULL ? EV_NO_MEMORY : EV_OK;
    }
    free(which);
    free(points);
    ev_arena_destroy(texts);
    return status;
}

void ev_plan_move(ev_plan *plan, const double *inputs)
{
    const point *at = &plan->points[0];
    const ev_case *instance = plan->cases[at->which];
    if (instance->input_count > 0)
        memcpy(at->inputs, inputs, instance->input_count * sizeof *inputs);
    for (size_t s = 0; s < instance->step_count; s++)
        if (plan->steps[s].redraws != NULL)
            redraw(plan, &instance->steps[s], 0, plan->steps[s].redraw_count,
                   plan->steps[s].redraws[0]);
}
