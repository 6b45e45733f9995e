/* A claim at fixed integers: what each step compares. */
#include "formula/elaborate.h"
#include "formula/occurrence.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    ev_elaborator e;
    const ev_formula *formula;
    ev_case *instance;
    const ev_tensor **members; /* NULL for arg-mins */
    unsigned char *flags;
} builder;

static void *array(builder *b, size_t count, size_t size)
{
    void *items = ev_arena_array(b->e.arena, count + 1, size);
    if (items == NULL)
        ev_error_set(b->e.error, EV_NO_MEMORY, "out of memory");
    return items;
}

static bool is_argmin(const ev_syntax *x)
{
    return x->kind == EV_SYNTAX_ARGMIN || x->kind == EV_SYNTAX_ARGMAX;
}

static ev_syntax at_step(const ev_formula_step *step)
{
    return (ev_syntax){.line = step->line, .column = step->column, .length = 1};
}

/* ---- plain comparisons ---- */

static bool shapes_meet(builder *b, const ev_formula_step *step, const ev_tensor **left,
                        const ev_tensor **right)
{
    char a[48], c[48];
    ev_syntax at = at_step(step);
    *left = ev_tensor_sized(&b->e, *left, (*right)->rank, (*right)->rows);
    *right = ev_tensor_sized(&b->e, *right, (*left)->rank, (*left)->rows);
    if (*left == NULL || *right == NULL)
        return false;
    bool same = (*left)->rank == (*right)->rank && (*left)->row == (*right)->row &&
                !(*left)->unsized && !(*right)->unsized && (*left)->rows == (*right)->rows &&
                (*left)->cols == (*right)->cols;
    if (!same)
        ev_elaborate_fail(&b->e, &at, "the left side is %s, the right side %s",
                          ev_tensor_describe(*left, a), ev_tensor_describe(*right, c));
    return same;
}

static bool compare(builder *b, const ev_formula_step *step, ev_case_step *out)
{
    const ev_tensor *left = b->members[step->left], *right = b->members[step->right];
    if (!shapes_meet(b, step, &left, &right))
        return false;
    ev_syntax at = at_step(step);
    if (left->rank > 0 && step->relation != EV_RELATION_EQUAL &&
        step->relation != EV_RELATION_APPROX && step->relation != EV_RELATION_PROPORTIONAL)
        return ev_elaborate_fail(&b->e, &at, "an inequality between vectors or matrices") != NULL;
    out->kind = EV_STEP_COMPARE;
    out->count = ev_tensor_count(left);
    out->left = left->nodes;
    out->right = right->nodes;
    return true;
}

/* ---- estimates: the expectation of the right side over its samples ---- */

typedef struct {
    int symbols[16];
    const ev_tensor *variables[16];
    size_t count;
} sample_list;

/* The sample families and random variables that the member uses. */
static bool find_samples(builder *b, const ev_syntax *member, sample_list *list)
{
    const ev_symbol_table *table = b->e.table;
    unsigned char *flags = calloc(table->symbol_count + 1, 1);
    if (flags == NULL)
        return false;
    ev_mark_occurrences(table, member, flags);
    for (size_t s = 0; s < table->symbol_count && list->count < 16; s++)
        if ((flags[s] & EV_OCCURS_FREE) != 0 && table->symbols[s].kind == EV_SYMBOL_REAL &&
            table->symbols[s].sample_density != NULL && table->symbols[s].is_sample)
            list->symbols[list->count++] = (int)s;
    free(flags);
    return true;
}

static bool average(builder *b, const sample_list *list, size_t count, ev_node *nodes)
{
    for (size_t i = list->count; i-- > 0;)
        if (!ev_elaborate_over_samples(&b->e, list->symbols[i], list->variables[i], count, nodes))
            return false;
    return true;
}

static bool estimate(builder *b, const ev_formula_step *step, ev_case_step *out)
{
    const ev_syntax *member = b->formula->members[step->right];
    sample_list list = {.count = 0};
    ev_syntax at = at_step(step);
    if (!compare(b, step, out) || !find_samples(b, member, &list))
        return false;
    if (list.count == 0)
        return ev_elaborate_fail(&b->e, &at,
                                 "\\approx: the right side holds no declared samples") != NULL;
    ev_meaning saved[16];
    for (size_t i = 0; i < list.count; i++) {
        saved[i] = b->e.meanings[list.symbols[i]];
        list.variables[i] = ev_elaborate_variables(&b->e, list.symbols[i], true);
        if (list.variables[i] == NULL)
            return false;
        b->e.meanings[list.symbols[i]].value = list.variables[i];
    }
    const ev_tensor *value = ev_elaborate(&b->e, member);
    size_t n = out->count;
    ev_node *mean = array(b, n, sizeof *mean), *spread = array(b, n, sizeof *spread);
    bool ok = value != NULL && mean != NULL && spread != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        mean[i] = value->nodes[i];
        spread[i] = ev_graph_mul(b->e.graph, mean[i], mean[i]);
    }
    ok = ok && average(b, &list, n, mean) && average(b, &list, n, spread);
    for (size_t i = 0; i < list.count; i++)
        b->e.meanings[list.symbols[i]] = saved[i];
    for (size_t i = 0; ok && i < n; i++)
        spread[i] = ev_graph_sub(b->e.graph, spread[i], ev_graph_mul(b->e.graph, mean[i], mean[i]));
    out->kind = EV_STEP_ESTIMATE;
    out->right = mean;
    out->spread = spread;
    return ok;
}

/* ---- proportionality ---- */

/* A discrete left variable: l_c = k r_c with one k > 0 for all c.  With L the sum of all |l_c| and R
 * that of all |r_c|, that is l_c R = r_c L for all c, and L = 0 just where R = 0: where it holds, L = k R;
 * and the other way round k = L / R, unless both sides are 0 throughout.  No value of c is singled
 * out, so that none that is 0 on both sides hides the others; and a negative k is refuted. */
static bool proportional_discrete(builder *b, const ev_formula_step *step, int symbol,
                                  ev_case_step *out)
{
    const ev_symbol *s = &b->e.table->symbols[symbol];
    long low = ev_elaborate_dim(&b->e, s->low), high = ev_elaborate_dim(&b->e, s->high);
    ev_syntax at = at_step(step);
    if (high <= low && !b->e.trial)
        high = low; /* one value: nothing to compare but its sign */
    size_t n = (size_t)(high - low + 1);
    if (n > 1000)
        return ev_elaborate_fail(&b->e, &at, "\\propto over more than 1000 values") != NULL;
    ev_node *left = array(b, n + 1, sizeof *left), *right = array(b, n + 1, sizeof *right);
    ev_node sum[2] = {0, 0};
    ev_graph *g = b->e.graph;
    ev_meaning saved = b->e.meanings[symbol];
    bool ok = left != NULL && right != NULL;
    for (long c = low; ok && c <= high; c++) {
        b->e.meanings[symbol] = (ev_meaning){.integer = c, .bound = true};
        ev_node l = ev_elaborate_scalar(&b->e, b->formula->members[step->left]);
        ev_node r = ev_elaborate_scalar(&b->e, b->formula->members[step->right]);
        ok = l != 0 && r != 0;
        left[c - low] = l;
        right[c - low] = r;
        const ev_node size[2] = {ev_graph_unary(g, EV_OP_ABS, l), ev_graph_unary(g, EV_OP_ABS, r)};
        for (size_t i = 0; i < 2; i++)
            sum[i] = c == low ? size[i] : ev_graph_add(g, sum[i], size[i]);
    }
    b->e.meanings[symbol] = saved;
    for (size_t i = 0; ok && i < n; i++) {
        left[i] = ev_graph_mul(g, left[i], sum[1]);
        right[i] = ev_graph_mul(g, right[i], sum[0]);
    }
    if (ok) { /* 0 = 0 where they are alike: that must not pass for a comparison */
        left[n] = ev_graph_sub(g, ev_graph_unary(g, EV_OP_STEP, sum[0]),
                               ev_graph_unary(g, EV_OP_STEP, sum[1]));
        right[n] = ev_graph_constant(g, 0.0);
    }
    out->kind = EV_STEP_COMPARE;
    out->count = n + 1;
    out->left = left;
    out->right = right;
    return ok;
}

static bool proportional(builder *b, const ev_formula_step *step, ev_case_step *out)
{
    const ev_syntax *left = b->formula->members[step->left];
    ev_syntax at = at_step(step);
    const ev_symbol *s = left->kind == EV_SYNTAX_APPLY ? &b->e.table->symbols[left->symbol] : NULL;
    if (s == NULL || s->kind != EV_SYMBOL_DEFINITION)
        return ev_elaborate_fail(&b->e, &at, "the left side of \\propto must be a density") != NULL;
    size_t n = s->definition->left_count;
    int *vary = array(b, n, sizeof *vary);
    for (size_t i = 0; vary != NULL && i < n; i++) {
        const ev_syntax *argument = left->children[i];
        if (argument->kind != EV_SYNTAX_SYMBOL)
            return ev_elaborate_fail(&b->e, argument,
                                     "\\propto: a plain variable is needed here") != NULL;
        vary[i] = argument->symbol;
        if (b->e.table->symbols[vary[i]].kind == EV_SYMBOL_INTEGER)
            return n == 1 ? proportional_discrete(b, step, vary[i], out)
                          : ev_elaborate_fail(&b->e, &at,
                                              "\\propto in several variables, one of them "
                                              "discrete") != NULL;
    }
    if (vary == NULL || !compare(b, step, out))
        return false;
    out->kind = EV_STEP_PROPORTIONAL;
    out->vary_count = n;
    out->vary = vary;
    return true;
}

/* ---- unnamed constants ---- */

static int constant_of(builder *b, const ev_formula_step *step)
{
    const ev_symbol_table *table = b->e.table;
    int found = -1;
    memset(b->flags, 0, table->symbol_count);
    ev_mark_occurrences(table, b->formula->members[step->left], b->flags);
    ev_mark_occurrences(table, b->formula->members[step->right], b->flags);
    for (size_t s = 0; s < table->symbol_count; s++)
        if (table->symbols[s].kind == EV_SYMBOL_CONSTANT && (b->flags[s] & EV_OCCURS_FREE) != 0)
            found = (int)s;
    return found;
}

static bool with_constant(builder *b, const ev_formula_step *step, int constant, ev_case_step *out)
{
    const ev_symbol *s = &b->e.table->symbols[constant];
    if (!compare(b, step, out))
        return false;
    ev_syntax at = at_step(step);
    if (step->relation != EV_RELATION_EQUAL)
        return ev_elaborate_fail(&b->e, &at, "an unnamed constant stands only in equalities") !=
               NULL;
    out->kind = EV_STEP_CONSTANT;
    out->constant = constant;
    out->vary = s->free_of;
    out->vary_count = s->free_of_count;
    int *vary = array(b, s->free_of_count, sizeof *vary);
    if (vary == NULL)
        return false;
    memcpy(vary, s->free_of, s->free_of_count * sizeof *vary);
    out->vary = vary;
    return true;
}

/* ---- arg-mins ---- */

static const ev_node *gradient(builder *b, const ev_tensor *x, ev_node objective)
{
    size_t n = ev_tensor_count(x);
    ev_node *nodes = array(b, n, sizeof *nodes);
    for (size_t i = 0; nodes != NULL && i < n; i++)
        nodes[i] = ev_graph_op(b->e.graph, x->nodes[i]) == EV_OP_CONSTANT
                       ? ev_graph_constant(b->e.graph, 0.0)
                       : ev_graph_derivative(b->e.graph, objective, x->nodes[i]);
    return nodes;
}

/* An objective that holds samples is taken by its expectation. */
static ev_node objective(builder *b, const ev_syntax *body)
{
    sample_list list = {.count = 0};
    ev_meaning saved[16];
    if (!find_samples(b, body, &list))
        return 0;
    for (size_t i = 0; i < list.count; i++) {
        saved[i] = b->e.meanings[list.symbols[i]];
        list.variables[i] = ev_elaborate_variables(&b->e, list.symbols[i], true);
        if (list.variables[i] == NULL)
            return 0;
        b->e.meanings[list.symbols[i]].value = list.variables[i];
    }
    ev_node node = ev_elaborate_scalar(&b->e, body);
    for (size_t i = 0; i < list.count; i++)
        b->e.meanings[list.symbols[i]] = saved[i];
    return node != 0 && average(b, &list, 1, &node) ? node : 0;
}

static bool argmin(builder *b, const ev_formula_step *step, ev_case_step *out)
{
    const ev_syntax *left = b->formula->members[step->left],
                    *right = b->formula->members[step->right];
    ev_syntax at = at_step(step);
    if (!is_argmin(left) || !is_argmin(right) || left->variables[0] != right->variables[0])
        return ev_elaborate_fail(&b->e, &at, "an arg-min equals an arg-min over the same symbol") !=
               NULL;
    if (step->relation != EV_RELATION_EQUAL && step->relation != EV_RELATION_APPROX)
        return ev_elaborate_fail(&b->e, &at, "arg-mins are compared by = or \\approx") != NULL;
    ev_syntax variable = *left;
    variable.kind = EV_SYNTAX_SYMBOL, variable.symbol = left->variables[0];
    const ev_tensor *x = ev_elaborate(&b->e, &variable);
    ev_node *nodes = array(b, 2, sizeof *nodes);
    if (x == NULL || nodes == NULL || (nodes[0] = objective(b, left->children[0])) == 0 ||
        (nodes[1] = objective(b, right->children[0])) == 0)
        return false;
    int *vary = array(b, 1, sizeof *vary);
    if (vary == NULL)
        return false;
    vary[0] = left->variables[0];
    *out = (ev_case_step){.kind = EV_STEP_ARGMIN,
                          .relation = step->relation,
                          .count = 1,
                          .left = nodes,
                          .right = nodes + 1,
                          .vary_count = 1,
                          .vary = vary,
                          .maximise_left = left->kind == EV_SYNTAX_ARGMAX,
                          .maximise_right = right->kind == EV_SYNTAX_ARGMAX,
                          .left_gradient = gradient(b, x, nodes[0]),
                          .right_gradient = gradient(b, x, nodes[1])};
    return out->left_gradient != NULL && out->right_gradient != NULL;
}

/* ---- putting it together ---- */

static bool build_step(builder *b, const ev_formula_step *step, ev_case_step *out)
{
    const ev_syntax *left = b->formula->members[step->left],
                    *right = b->formula->members[step->right];
    *out = (ev_case_step){.relation = step->relation};
    int constant = -1;
    bool ok;
    if (is_argmin(left) || is_argmin(right))
        ok = argmin(b, step, out);
    else if (step->relation == EV_RELATION_APPROX)
        ok = estimate(b, step, out);
    else if (step->relation == EV_RELATION_PROPORTIONAL)
        ok = proportional(b, step, out);
    else if ((constant = constant_of(b, step)) >= 0)
        ok = with_constant(b, step, constant, out);
    else
        ok = compare(b, step, out);
    out->relation = step->relation;
    out->has_gradient = ev_has_gradient(b->e.table, left) || ev_has_gradient(b->e.table, right);
    return ok;
}

static bool build_members(builder *b)
{
    const ev_formula *f = b->formula;
    size_t *sizes = array(b, f->member_count, sizeof *sizes);
    const ev_node **nodes = array(b, f->member_count, sizeof *nodes);
    b->members = array(b, f->member_count, sizeof *b->members);
    if (sizes == NULL || nodes == NULL || b->members == NULL)
        return false;
    for (size_t i = 0; i < f->member_count; i++) {
        if (is_argmin(f->members[i]))
            continue;
        b->members[i] = ev_elaborate(&b->e, f->members[i]);
        if (b->members[i] == NULL)
            return false;
        sizes[i] = b->members[i]->unsized ? 0 : ev_tensor_count(b->members[i]);
        nodes[i] = b->members[i]->nodes;
    }
    b->instance->member_count = f->member_count;
    b->instance->member_sizes = sizes;
    b->instance->members = nodes;
    return true;
}

static bool build_conditions(builder *b, const bool *used)
{
    const ev_scope *scope = b->formula->scope;
    ev_case *c = b->instance;
    ev_node *left = array(b, scope->condition_count, sizeof *left);
    ev_node *right = array(b, scope->condition_count, sizeof *right);
    int *relation = array(b, scope->condition_count, sizeof *relation);
    if (left == NULL || right == NULL || relation == NULL)
        return false;
    for (size_t i = 0; i < scope->condition_count; i++) {
        if (!used[i])
            continue;
        size_t n = c->condition_count++;
        left[n] = ev_elaborate_scalar(&b->e, scope->conditions[i].left);
        right[n] = ev_elaborate_scalar(&b->e, scope->conditions[i].right);
        relation[n] = scope->conditions[i].relation;
        if (left[n] == 0 || right[n] == 0)
            return false;
    }
    c->condition_left = left;
    c->condition_right = right;
    c->condition_relation = relation;
    return true;
}

static bool build(builder *b, const bool *used)
{
    const ev_formula *f = b->formula;
    ev_case_step *steps = array(b, f->step_count, sizeof *steps);
    if (steps == NULL || !build_members(b))
        return false;
    for (size_t i = 0; i < f->step_count; i++)
        if (!build_step(b, &f->steps[i], &steps[i]))
            return false;
    if (!build_conditions(b, used))
        return false;
    ev_slot *slots = array(b, b->e.slot_count, sizeof *slots);
    if (slots == NULL)
        return false;
    if (b->e.slot_count > 0)
        memcpy(slots, b->e.slots, b->e.slot_count * sizeof *slots);
    b->instance->steps = steps;
    b->instance->step_count = f->step_count;
    b->instance->slots = slots;
    b->instance->slot_count = b->e.slot_count;
    b->instance->input_count = b->e.input_count;
    return true;
}

static ev_status create(const ev_formula *formula, const long *integers, bool trial, ev_case **out,
                        ev_error *error)
{
    builder b = {.formula = formula};
    size_t n = formula->scope->table->symbol_count;
    bool *used = calloc(formula->scope->condition_count + 1, sizeof *used);
    ev_error local = EV_ERROR_NONE;
    error = error == NULL ? &local : error;
    ev_status status = ev_elaborator_init(&b.e, formula, integers, trial, error);
    b.flags = calloc(n + 1, 1);
    if (status == EV_OK &&
        (used == NULL || b.flags == NULL || !ev_mark_formula(formula, b.flags, used)))
        status = ev_error_set(error, EV_NO_MEMORY, "out of memory");
    for (size_t s = 0; status == EV_OK && s < n; s++)
        b.e.meanings[s].bound = formula->scope->table->symbols[s].kind == EV_SYMBOL_INTEGER &&
                                (b.flags[s] & EV_OCCURS_FREE) != 0;
    b.instance = status == EV_OK ? ev_arena_array(b.e.arena, 1, sizeof *b.instance) : NULL;
    if (status == EV_OK && b.instance == NULL)
        status = ev_error_set(error, EV_NO_MEMORY, "out of memory");
    if (status == EV_OK && (!build(&b, used) || ev_graph_failed(b.e.graph)))
        status = error->status != EV_OK ? error->status
                                        : ev_error_set(error, EV_NO_MEMORY, "out of memory");
    if (status == EV_OK) {
        b.instance->graph = b.e.graph;
        b.instance->arena = b.e.arena;
        *out = b.instance;
    } else {
        ev_graph_destroy(b.e.graph);
        ev_arena_destroy(b.e.arena);
    }
    ev_elaborator_release(&b.e);
    free(b.flags);
    free(used);
    return status;
}

ev_status ev_case_create(const ev_formula *formula, const long *integers, ev_case **out,
                         ev_error *error)
{
    return create(formula, integers, false, out, error);
}

void ev_case_destroy(ev_case *instance)
{
    if (instance == NULL)
        return;
    ev_graph_destroy(instance->graph);
    ev_arena_destroy(instance->arena); /* the case itself lives in it */
}

/* Dimensions 2, 3, 4, ... in order of declaration, so that no two agree by chance; indices 1. */
ev_status ev_formula_check_types(const ev_formula *formula, ev_error *error)
{
    const ev_symbol_table *table = formula->scope->table;
    long *integers = calloc(table->symbol_count + 1, sizeof *integers);
    int used[64];
    if (integers == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "out of memory");
    size_t n = ev_formula_integers(formula, used, 64);
    long next = 2;
    for (size_t i = 0; i < n && i < 64; i++) {
        const ev_symbol *s = &table->symbols[used[i]];
        bool index = s->high.symbol >= 0;
        integers[used[i]] = index ? 1 : next;
        next += index || next == 5 ? 0 : 1;
    }
    ev_case *trial = NULL;
    ev_status status = create(formula, integers, true, &trial, error);
    free(integers);
    if (status == EV_OK)
        ev_case_destroy(trial);
    return status;
}
