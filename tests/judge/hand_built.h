/* Cases built by hand, for tests of the judge alone: real symbols by domain, steps by nodes.
 *
 *   hand h;
 *   hand_begin(&h);
 *   ev_node x = hand_real(&h, "x"), s = hand_positive(&h, "s");
 *   hand_step(&h, EV_RELATION_EQUAL, left, right);
 *   ev_verdict verdict = hand_judge(&h, 0, &result);
 *   hand_end(&h);
 */
#ifndef EV_TESTS_JUDGE_HAND_BUILT_H
#define EV_TESTS_JUDGE_HAND_BUILT_H

#include "judge/plan.h"
#include "judge/point.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { HAND_MAX = 8 };

typedef struct {
    ev_symbol symbols[HAND_MAX];
    ev_symbol_table table;
    ev_slot slots[HAND_MAX];
    ev_graph *graph;
    size_t inputs;
    ev_node left[HAND_MAX], right[HAND_MAX], spread[HAND_MAX];
    ev_node left_gradient[HAND_MAX][HAND_MAX], right_gradient[HAND_MAX][HAND_MAX];
    int vary[HAND_MAX][HAND_MAX];
    ev_case_step steps[HAND_MAX];
    ev_node condition_left[HAND_MAX], condition_right[HAND_MAX];
    int condition_relation[HAND_MAX];
    ev_case instance;
    long integers[HAND_MAX];
    ev_budget budget;
    const char *witness;
    char witness_text[400];
    uint64_t planned;
} hand;

static inline void hand_begin(hand *h)
{
    memset(h, 0, sizeof *h);
    h->graph = ev_graph_create();
    h->budget = ev_budget_for(0);
    cr_assert_not_null(h->graph);
    h->instance.graph = h->graph;
    h->instance.slots = h->slots;
    h->instance.steps = h->steps;
    h->instance.condition_left = h->condition_left;
    h->instance.condition_right = h->condition_right;
    h->instance.condition_relation = h->condition_relation;
    h->table.symbols = h->symbols;
}

static inline void hand_end(hand *h) { ev_graph_destroy(h->graph); }

/* A symbol of rank 0 to 2; returns its first input. */
static inline size_t hand_symbol(hand *h, const char *name, unsigned rank, long rows, long cols,
                                 ev_domain domain)
{
    size_t i = h->table.symbol_count++, first = h->inputs;
    ev_dim none = {-1, 0, 1};
    h->symbols[i] = (ev_symbol){.name = name,
                                .kind = EV_SYMBOL_REAL,
                                .rank = rank,
                                .rows = rank > 0 ? (ev_dim){-1, 0, rows} : none,
                                .cols = rank > 1 ? (ev_dim){-1, 0, cols} : none,
                                .domain = domain};
    h->slots[i] = (ev_slot){.symbol = (int)i, .first = first, .count = (size_t)(rows * cols)};
    h->inputs += (size_t)(rows * cols);
    h->instance.slot_count = h->table.symbol_count;
    h->instance.input_count = h->inputs;
    return first;
}

static inline ev_domain hand_reals(void) { return (ev_domain){.low = -HUGE_VAL, .high = HUGE_VAL}; }

static inline ev_domain hand_positives(void)
{
    return (ev_domain){.low = 0, .low_open = true, .high = HUGE_VAL};
}

static inline ev_node hand_real(hand *h, const char *name)
{
    return ev_graph_input(h->graph, hand_symbol(h, name, 0, 1, 1, hand_reals()), EV_SIGN_ANY);
}

static inline ev_node hand_positive(hand *h, const char *name)
{
    return ev_graph_input(h->graph, hand_symbol(h, name, 0, 1, 1, hand_positives()),
                          EV_SIGN_POSITIVE);
}

static inline ev_node hand_number(hand *h, double x) { return ev_graph_constant(h->graph, x); }

static inline size_t hand_step(hand *h, ev_relation relation, ev_node left, ev_node right)
{
    size_t s = h->instance.step_count++;
    h->left[s] = left;
    h->right[s] = right;
    h->steps[s] = (ev_case_step){.kind = EV_STEP_COMPARE,
                                 .relation = relation,
                                 .count = 1,
                                 .left = &h->left[s],
                                 .right = &h->right[s],
                                 .spread = &h->spread[s],
                                 .vary = h->vary[s],
                                 .left_gradient = h->left_gradient[s],
                                 .right_gradient = h->right_gradient[s]};
    return s;
}

static inline void hand_vary(hand *h, size_t step, int symbol)
{
    h->vary[step][h->steps[step].vary_count++] = symbol;
}

static inline void hand_condition(hand *h, ev_node left, int relation, ev_node right)
{
    size_t i = h->instance.condition_count++;
    h->condition_left[i] = left;
    h->condition_right[i] = right;
    h->condition_relation[i] = relation;
}

/* E[f(m + s e)], e ~ N(0,1), of the node f in the given coordinate. */
static inline ev_node hand_expect(hand *h, ev_node body, ev_node coordinate)
{
    return ev_graph_expect(h->graph, body, 1, &coordinate);
}

static inline ev_verdict hand_judge_seeded(hand *h, size_t step, uint64_t seed,
                                           ev_step_result *result)
{
    ev_error error = EV_ERROR_NONE;
    ev_case *instance = &h->instance;
    long *choice = h->integers;
    ev_plan_source source = {
        .table = &h->table, .case_count = 1, .cases = &instance, .choices = &choice};
    ev_plan *plan;
    cr_assert_not(ev_graph_failed(h->graph));
    ev_status status = ev_plan_create_from(&source, "by-hand", &h->budget, seed, &plan, &error);
    cr_assert_eq(status, EV_OK, "%s", error.message);
    h->planned = 0;
    status = ev_plan_prepare(plan, step, &h->planned, &error);
    cr_assert_eq(status, EV_OK, "%s", error.message);
    h->budget.effort.alpha = 1e-6 / (h->planned > 0 ? (double)h->planned : 1.0);
    ev_arena *arena = ev_arena_create();
    status = ev_plan_judge(plan, step, &h->budget, arena, result, &h->witness);
    cr_assert_eq(status, EV_OK);
    snprintf(h->witness_text, sizeof h->witness_text, "%s", h->witness);
    h->witness = h->witness_text;
    ev_arena_destroy(arena);
    ev_plan_destroy(plan);
    return result->verdict;
}

static inline ev_verdict hand_judge(hand *h, size_t step, ev_step_result *result)
{
    return hand_judge_seeded(h, step, 7, result);
}

#define cr_assert_verdict(h, step, wanted, result)                                               \
    do {                                                                                         \
        ev_verdict verdict_ = hand_judge((h), (step), (result));                                 \
        cr_assert_eq(verdict_, (wanted), "%s instead of %s: %s [%s]", ev_verdict_name(verdict_), \
                     ev_verdict_name(wanted), (result)->reason, (h)->witness);                   \
    } while (0)

#endif
