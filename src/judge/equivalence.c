#include "judge/equivalence.h"

#include "formula/syntax.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TERMS = 64, MOST_INTEGERS = 64 };

/* A case whose members 0 and 1 are the printed and the edited one, at integers that differ from
 * each other; NULL when it can't be had. */
static ev_case *both_members(const ev_formula *formula, size_t step, const ev_edit *edit,
                             ev_arena *arena)
{
    ev_formula pair;
    ev_case *both = NULL;
    ev_error error = EV_ERROR_NONE;
    const ev_symbol_table *table = formula->scope->table;
    long *integers = ev_arena_array(arena, table->symbol_count + 1, sizeof *integers);
    if (integers == NULL || ev_formula_single_step(formula, step, NULL, arena, &pair) != EV_OK)
        return NULL;
    pair.members[0] = formula->members[edit->member];
    pair.members[1] = edit->edited;
    pair.steps[0].relation = EV_RELATION_EQUAL;
    int symbols[MOST_INTEGERS];
    size_t n = ev_formula_integers(&pair, symbols, MOST_INTEGERS);
    for (size_t i = 0; i < n && i < MOST_INTEGERS; i++) {
        long low, high;
        ev_integer_range(table, symbols[i], integers, &low, &high);
        integers[symbols[i]] = low + (high > low + (long)i ? (long)i + 1 : high - low);
    }
    return ev_case_create(&pair, integers, &both, &error) == EV_OK ? both : NULL;
}

/* ---- one shape: equal but for a positive factor ---- */

/* A sum as its terms, each an even or an odd number of times negated; those that are free of the
 * varying inputs are left out. */
typedef struct {
    ev_node terms[MOST_TERMS];
    bool negative[MOST_TERMS];
    size_t count;
    bool whole; /* all had room */
} sum;

typedef struct {
    ev_case *both;
    size_t vary_count;
    const int *vary;
} family;

static bool varies(const family *f, ev_node node)
{
    for (size_t i = 0; i < f->both->slot_count; i++) {
        const ev_slot *slot = &f->both->slots[i];
        for (size_t k = 0; k < f->vary_count; k++)
            for (size_t j = 0; slot->symbol == f->vary[k] && j < slot->count; j++)
                if (ev_graph_depends(f->both->graph, node,
                                     ev_graph_input(f->both->graph, slot->first + j, EV_SIGN_ANY)))
                    return true;
    }
    return false;
}

static void collect(const family *f, ev_node node, bool negative, sum *s)
{
    const ev_graph *g = f->both->graph;
    ev_op op = ev_graph_op(g, node);
    if (node == 0 || s->count == MOST_TERMS) {
        s->whole = false;
    } else if (op == EV_OP_ADD || op == EV_OP_SUB) {
        collect(f, ev_graph_operand(g, node, 0), negative, s);
        collect(f, ev_graph_operand(g, node, 1), negative != (op == EV_OP_SUB), s);
    } else if (op == EV_OP_NEG) {
        collect(f, ev_graph_operand(g, node, 0), !negative, s);
    } else if (varies(f, node)) {
        s->terms[s->count] = node;
        s->negative[s->count++] = negative;
    }
}

/* The same terms, in whatever order. */
static bool same_terms(const sum *a, sum *b)
{
    if (!a->whole || !b->whole || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        size_t k = i;
        while (k < b->count && (b->terms[k] != a->terms[i] || b->negative[k] != a->negative[i]))
            k++;
        if (k == b->count)
            return false;
        b->terms[k] = b->terms[i];
        b->negative[k] = b->negative[i];
    }
    return true;
}

static bool same_shape(const family *f)
{
    sum sums[2];
    if (f->both->member_sizes[0] != 1)
        return false;
    for (size_t k = 0; k < 2; k++) {
        ev_node member = f->both->members[k][0];
        if (ev_graph_sign(f->both->graph, member) == EV_SIGN_ANY)
            return false;
        sums[k] = (sum){.whole = true};
        collect(f, ev_graph_log(f->both->graph, member), false, &sums[k]);
    }
    return same_terms(&sums[0], &sums[1]);
}

/* The varying variables of a proportionality: the arguments of the density on its left. */
static size_t varying(const ev_formula *formula, size_t step, ev_arena *arena, int **vary)
{
    const ev_syntax *left = formula->members[formula->steps[step].left];
    if (formula->steps[step].relation != EV_RELATION_PROPORTIONAL || left->kind != EV_SYNTAX_APPLY)
        return 0;
    const ev_symbol *s = &formula->scope->table->symbols[left->symbol];
    size_t n = s->kind == EV_SYMBOL_DEFINITION ? s->definition->left_count : 0;
    *vary = ev_arena_array(arena, n + 1, sizeof **vary);
    for (size_t i = 0; *vary != NULL && i < n; i++) {
        const ev_syntax *argument = left->children[i];
        if (argument->kind != EV_SYNTAX_SYMBOL ||
            formula->scope->table->symbols[argument->symbol].kind != EV_SYMBOL_REAL)
            return 0;
        (*vary)[i] = argument->symbol;
    }
    return *vary == NULL ? 0 : n;
}

bool ev_edit_changes_nothing(const ev_formula *formula, size_t step, const ev_edit *edit,
                             ev_arena *arena)
{
    ev_case *both = both_members(formula, step, edit, arena);
    bool same = both != NULL && both->members[0] != NULL && both->members[1] != NULL &&
                both->member_sizes[0] == both->member_sizes[1];
    if (same &&
        memcmp(both->members[0], both->members[1], both->member_sizes[0] * sizeof(ev_node)) != 0) {
        family f = {.both = both};
        int *vary = NULL;
        f.vary_count = varying(formula, step, arena, &vary);
        f.vary = vary;
        same = f.vary_count > 0 && same_shape(&f);
    }
    ev_case_destroy(both);
    return same;
}
