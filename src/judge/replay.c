#include "judge/replay.h"

#include "formula/edit.h"
#include "judge/witness.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_INTEGERS = 64 };

struct ev_replay {
    ev_arena *arena;
    ev_formula formula; /* of the step alone */
    long *integers;
    int symbols[MAX_INTEGERS];
    size_t symbol_count;
    ev_case *instance;
    ev_plan *plan;
    ev_space *space;
    bool *used;
    uint64_t comparisons;
};

static ev_status out_of_memory(ev_error *error)
{
    return ev_error_set(error, EV_NO_MEMORY, "out of memory");
}

static ev_status make_plan(ev_replay *r, const char *id, const ev_budget *budget, uint64_t seed,
                           ev_error *error)
{
    ev_case *cases[] = {r->instance};
    ev_plan_source source = {.table = r->formula.scope->table,
                             .case_count = 1,
                             .cases = cases,
                             .choices = &r->integers,
                             .integer_count = r->symbol_count,
                             .integers = r->symbols};
    ev_budget one = *budget;
    one.points = one.cases = 1;
    one.first_point = 0;
    one.search = 0; /* the point alone is asked for */
    ev_status status = ev_plan_create_from(&source, id, &one, seed, &r->plan, error);
    if (status == EV_OK && ev_plan_points(r->plan) == 0)
        status = ev_error_set(error, EV_UNFIT, "no point satisfies the assumptions");
    return status == EV_OK ? ev_plan_prepare(r->plan, 0, &r->comparisons, error) : status;
}

static ev_status mark_used(ev_replay *r, ev_error *error)
{
    const ev_case_step *step = &r->instance->steps[0];
    size_t n = step->kind == EV_STEP_ARGMIN ? 1 : step->count;
    r->used = ev_arena_array(r->arena, r->instance->input_count + 1, sizeof *r->used);
    bool fine = r->used != NULL && ev_witness_inputs(r->instance, n, step->left, r->used) &&
                ev_witness_inputs(r->instance, n, step->right, r->used);
    return fine ? EV_OK : out_of_memory(error);
}

static ev_status fill(ev_replay *r, const ev_formula *formula, size_t step, const char *id,
                      const long *integers, const ev_budget *budget, uint64_t seed, ev_error *error)
{
    const ev_symbol_table *table = formula->scope->table;
    r->arena = ev_arena_create();
    if (r->arena == NULL)
        return out_of_memory(error);
    r->integers = ev_arena_array(r->arena, table->symbol_count + 1, sizeof *r->integers);
    if (r->integers == NULL ||
        ev_formula_single_step(formula, step, NULL, r->arena, &r->formula) != EV_OK)
        return out_of_memory(error);
    memcpy(r->integers, integers, table->symbol_count * sizeof *integers);
    r->symbol_count = ev_formula_integers(&r->formula, r->symbols, MAX_INTEGERS);
    if (r->symbol_count > MAX_INTEGERS)
        return ev_error_set(error, EV_BAD_INPUT, "a step depends on more than %d integers",
                            MAX_INTEGERS);
    ev_status status = ev_case_create(&r->formula, r->integers, &r->instance, error);
    if (status == EV_OK)
        status = ev_space_create(r->instance, table, r->integers, &r->space, error);
    if (status == EV_OK)
        status = make_plan(r, id, budget, seed, error);
    return status == EV_OK ? mark_used(r, error) : status;
}

ev_status ev_replay_create(const ev_formula *formula, size_t step, const char *id,
                           const long *integers, const ev_budget *budget, uint64_t seed,
                           ev_replay **out, ev_error *error)
{
    ev_replay *r = calloc(1, sizeof *r);
    *out = NULL;
    if (r == NULL)
        return out_of_memory(error);
    ev_status status = fill(r, formula, step, id, integers, budget, seed, error);
    if (status != EV_OK) {
        ev_replay_destroy(r);
        return status;
    }
    *out = r;
    return EV_OK;
}

void ev_replay_destroy(ev_replay *r)
{
    if (r == NULL)
        return;
    ev_plan_destroy(r->plan);
    ev_space_destroy(r->space);
    ev_case_destroy(r->instance);
    ev_arena_destroy(r->arena);
    free(r);
}

const ev_case *ev_replay_case(const ev_replay *r) { return r->instance; }
ev_space *ev_replay_space(const ev_replay *r) { return r->space; }
uint64_t ev_replay_comparisons(const ev_replay *r) { return r->comparisons; }
const bool *ev_replay_used(const ev_replay *r) { return r->used; }

bool ev_replay_move(ev_replay *r, const double *inputs)
{
    if (!ev_space_admits(r->space, inputs))
        return false;
    ev_plan_move(r->plan, inputs);
    return true;
}

ev_status ev_replay_judge(const ev_replay *r, const ev_budget *budget, ev_arena *arena,
                          ev_step_result *result, const char **witness)
{
    return ev_plan_judge(r->plan, 0, budget, arena, result, witness);
}
