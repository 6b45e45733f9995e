#include "formula/edit_state.h"
#include "formula/occurrence.h"
#include "formula/unparse.h"

#include <stdlib.h>
#include <string.h>

const char *ev_edit_kind_name(ev_edit_kind kind)
{
    static const char *const names[] = {"sign",  "symbol",   "power",     "factor",   "weight",
                                        "term",  "function", "operation", "exchange", "density",
                                        "index", "bracket",  "addition",  "mean"};
    return names[kind];
}

/* ---- candidates ---- */

static void gather(ev_editor *ed, const ev_syntax *x)
{
    if (x->kind == EV_SYNTAX_APPLY && ed->density_count < 64 &&
        ed->table->symbols[x->symbol].kind == EV_SYMBOL_DEFINITION) {
        bool known = false;
        for (size_t i = 0; i < ed->density_count; i++)
            known |= ed->densities[i]->symbol == x->symbol;
        if (!known)
            ed->densities[ed->density_count++] = x;
    }
    if (x->kind == EV_SYNTAX_SYMBOL && ed->table->symbols[x->symbol].kind == EV_SYMBOL_REAL) {
        bool known = false;
        for (size_t i = 0; i < ed->symbol_count; i++)
            known |= ed->symbols[i] == x->symbol;
        if (!known && ed->symbol_count < EV_EDIT_MAX_SYMBOLS)
            ed->symbols[ed->symbol_count++] = x->symbol;
    }
    for (size_t i = 0; i < x->child_count; i++)
        gather(ed, x->children[i]);
}

/* Repairs may bring in what is declared but not used in this formula. */
static void gather_declared(ev_editor *ed)
{
    const ev_scope *scope = ed->formula->scope;
    for (size_t i = 0; i < scope->visible_count && ed->symbol_count < EV_EDIT_MAX_SYMBOLS; i++) {
        bool known = ed->table->symbols[scope->visible[i]].kind != EV_SYMBOL_REAL;
        for (size_t k = 0; k < ed->symbol_count; k++)
            known |= ed->symbols[k] == scope->visible[i];
        if (!known)
            ed->symbols[ed->symbol_count++] = scope->visible[i];
    }
}

/* Which children are formulas of their own: not indices, ranges, exponents, densities. */
static size_t editable_children(const ev_editor *ed, const ev_syntax *x)
{
    switch (x->kind) {
    case EV_SYNTAX_INDEX:
    case EV_SYNTAX_SUM:
    case EV_SYNTAX_PRODUCT:
    case EV_SYNTAX_MAXIMUM:
    case EV_SYNTAX_MINIMUM:
    case EV_SYNTAX_POW:
    case EV_SYNTAX_EXPECT:
    case EV_SYNTAX_VARIANCE: return 1;
    case EV_SYNTAX_KL:
    case EV_SYNTAX_ENTROPY:
    case EV_SYNTAX_CROSS_ENTROPY: return 0;
    case EV_SYNTAX_APPLY:
        return ed->table->symbols[x->symbol].kind == EV_SYMBOL_FUNCTION ? x->child_count : 0;
    default: return x->child_count;
    }
}

/* Is x a side, a term or a factor? */
static bool is_part(const ev_editor *ed)
{
    if (ed->depth == 0)
        return true;
    const ev_syntax_kind above = ed->path[ed->depth - 1].node->kind;
    return above == EV_SYNTAX_ADD || above == EV_SYNTAX_SUB || above == EV_SYNTAX_NEG ||
           above == EV_SYNTAX_MUL;
}

/* Is it summed or averaged over around the node in hand? */
static bool is_bound_above(const ev_editor *ed, int symbol)
{
    bool bound = false;
    for (size_t i = 0; i < ed->index_count; i++)
        bound = bound || ed->indices[i] == symbol;
    for (size_t k = 0; k < ed->depth; k++)
        for (size_t i = 0; i < ed->path[k].node->variable_count; i++)
            bound = bound || ed->path[k].node->variables[i] == symbol;
    return bound;
}

/* x under the expectation of a density of the formula, all whose arguments are variables that are free in
 * x; NULL when one is not. */
static const ev_syntax *averaged(ev_editor *ed, const ev_syntax *x, const ev_syntax *density,
                                 const unsigned char *flags)
{
    const size_t count = ed->table->symbols[density->symbol].definition->left_count;
    int *variables = ev_arena_array(ed->arena, count + 1, sizeof *variables);
    ev_syntax like = *x;
    like.kind = EV_SYNTAX_EXPECT;
    like.symbol = -1;
    like.child_count = 0;
    ev_syntax *out = ev_edit_copy(ed, &like, 2);
    bool fits = variables != NULL && out != NULL && count > 0 && count <= density->child_count;
    for (size_t i = 0; fits && i < count; i++) {
        const ev_syntax *argument = density->children[i];
        fits = argument->kind == EV_SYNTAX_SYMBOL &&
               (flags[argument->symbol] & EV_OCCURS_FREE) != 0 &&
               !is_bound_above(ed, argument->symbol);
        if (fits)
            variables[i] = argument->symbol;
    }
    if (!fits)
        return NULL;
    out->children[0] = x;
    out->children[1] = density;
    out->variables = variables;
    out->variable_count = count;
    return out;
}

/* An expectation that was forgotten (repairs). */
static void add_expectations(ev_editor *ed, const ev_syntax *x)
{
    unsigned char *flags = calloc(ed->table->symbol_count + 1, 1);
    if (flags == NULL) {
        ed->failed = true;
        return;
    }
    ev_mark_occurrences(ed->table, x, flags);
    for (size_t i = 0; i < ed->density_count; i++) {
        const ev_syntax *average = averaged(ed, x, ed->densities[i], flags);
        if (average != NULL)
            ev_edit_emit(ed, EV_EDIT_ADD_TERM, x, average);
    }
    free(flags);
}

/* Is x positive by its form, so that it has a log wherever it is defined? */
static bool is_positive_form(const ev_editor *ed, const ev_syntax *x)
{
    size_t count = x->child_count;
    switch (x->kind) {
    case EV_SYNTAX_NUMBER: return x->number > 0.0;
    case EV_SYNTAX_SYMBOL: {
        const ev_symbol *s = &ed->table->symbols[x->symbol];
        return s->kind == EV_SYMBOL_REAL && s->domain.low >= 0 && !s->domain.binary;
    }
    case EV_SYNTAX_APPLY: return ed->table->symbols[x->symbol].kind == EV_SYMBOL_DEFINITION;
    case EV_SYNTAX_FUNCTION:
        return x->function == EV_FUNCTION_EXP || x->function == EV_FUNCTION_SIGMOID ||
               x->function == EV_FUNCTION_SOFTPLUS;
    case EV_SYNTAX_INDEX:
    case EV_SYNTAX_SUM:
    case EV_SYNTAX_PRODUCT:
    case EV_SYNTAX_POW:
    case EV_SYNTAX_EXPECT: count = 1; break;
    case EV_SYNTAX_ADD:
    case EV_SYNTAX_MUL:
    case EV_SYNTAX_DIV: break;
    default: return false;
    }
    for (size_t i = 0; i < count; i++)
        if (!is_positive_form(ed, x->children[i]))
            return false;
    return count > 0;
}

/* A log or an exp that was forgotten (repairs). */
static void add_functions(ev_editor *ed, const ev_syntax *x)
{
    static const ev_function functions[] = {EV_FUNCTION_LOG, EV_FUNCTION_EXP};
    const bool is_function = x->kind == EV_SYNTAX_FUNCTION;
    for (size_t i = 0; i < 2 && x->kind != EV_SYNTAX_NUMBER; i++) {
        if (is_function && x->function == functions[1 - i])
            continue; /* log(exp(x)) is another slip */
        if (functions[i] == EV_FUNCTION_LOG && !is_positive_form(ed, x))
            continue; /* undefined somewhere, and no repair */
        const ev_syntax *node = ev_edit_node(ed, EV_SYNTAX_FUNCTION, x, x, NULL);
        ev_syntax *wrapped = node == NULL ? NULL : ev_edit_copy(ed, node, 1);
        if (wrapped == NULL)
            return;
        wrapped->function = functions[i];
        ev_edit_emit(ed, EV_EDIT_DROP_FUNCTION, x, wrapped);
    }
}

/* p(c) p(x|c) for p(x|c) (repairs). */
static void add_densities(ev_editor *ed, const ev_syntax *x)
{
    for (size_t i = 0; i < ed->density_count && x->kind == EV_SYNTAX_APPLY; i++)
        if (ed->densities[i]->symbol != x->symbol)
            ev_edit_emit(ed, EV_EDIT_WEIGHT, x,
                         ev_edit_node(ed, EV_SYNTAX_MUL, x, ed->densities[i], x));
}

static void visit(ev_editor *ed, const ev_syntax *x)
{
    if (ed->depth == EV_EDIT_MAX_DEPTH || ed->failed)
        return;
    ev_edit_by_kind(ed, x);
    if (ed->repairs && is_part(ed)) {
        add_expectations(ed, x);
        add_functions(ed, x);
    }
    if (ed->repairs)
        add_densities(ed, x);
    bool binds = x->kind == EV_SYNTAX_SUM || x->kind == EV_SYNTAX_PRODUCT;
    if (binds && ed->index_count < 32)
        ed->indices[ed->index_count++] = x->symbol;
    for (size_t i = 0; i < editable_children(ed, x); i++) {
        ed->path[ed->depth++] = (ev_edit_place){x, i};
        visit(ed, x->children[i]);
        ed->depth--;
    }
    if (binds)
        ed->index_count--;
}

/* The gradient that the log-derivative trick forgets: plus E[grad f], for the factors f of an
 * expectation's body (repairs). */
static void add_gradients(ev_editor *ed, const ev_syntax *whole, const ev_syntax *x, int symbol)
{
    if (x->kind == EV_SYNTAX_EXPECT)
        for (size_t i = 0; x->children[0]->kind == EV_SYNTAX_MUL && i < x->children[0]->child_count;
             i++) {
            ev_syntax *gradient = ev_edit_copy(
                ed, ev_edit_node(ed, EV_SYNTAX_GRADIENT, x, x->children[0]->children[i], NULL), 1);
            if (gradient == NULL)
                return;
            gradient->symbol = symbol;
            ev_edit_emit(ed, EV_EDIT_ADD_TERM, whole,
                         ev_edit_node(ed, EV_SYNTAX_ADD, whole, whole,
                                      ev_edit_with_child(ed, x, 0, gradient)));
        }
    for (size_t i = 0; i < x->child_count; i++)
        add_gradients(ed, whole, x->children[i], symbol);
}

static int gradient_symbol(const ev_syntax *x)
{
    int symbol = x->kind == EV_SYNTAX_GRADIENT ? x->symbol : -1;
    for (size_t i = 0; symbol < 0 && i < x->child_count; i++)
        symbol = gradient_symbol(x->children[i]);
    return symbol;
}

/* x as another kind of node, with the same children. */
static const ev_syntax *turned(ev_editor *ed, const ev_syntax *x, ev_syntax_kind kind)
{
    ev_syntax like = *x;
    like.kind = kind;
    return ev_edit_copy(ed, &like, x->child_count);
}

/* Signs and factors of a whole side; a positive factor is nothing to a proportionality. */
static void edit_scale(ev_editor *ed, const ev_syntax *x, bool proportional)
{
    ev_edit_emit(ed, EV_EDIT_FLIP_SIGN, x, ev_edit_node(ed, EV_SYNTAX_NEG, x, x, NULL));
    if (proportional)
        return;
    ev_edit_emit(ed, EV_EDIT_FACTOR, x,
                 ev_edit_node(ed, EV_SYNTAX_MUL, x, ev_edit_number(ed, x, 2), x));
    ev_edit_emit(ed, EV_EDIT_FACTOR, x,
                 ev_edit_node(ed, EV_SYNTAX_MUL, x, ev_edit_number(ed, x, 0.5), x));
}

static bool is_zero(const ev_syntax *x) { return x->kind == EV_SYNTAX_NUMBER && x->number == 0.0; }

/* Signs and factors say nothing where the other side is 0, and an arg-min has none but its own:
 * that it is an arg-max. */
static void edit_member(ev_editor *ed, size_t member, const ev_syntax *other, bool proportional)
{
    const ev_syntax *x = ed->formula->members[member];
    ed->member = member;
    if (x->kind == EV_SYNTAX_ARGMIN)
        ev_edit_emit(ed, EV_EDIT_FLIP_SIGN, x, turned(ed, x, EV_SYNTAX_ARGMAX));
    else if (x->kind == EV_SYNTAX_ARGMAX)
        ev_edit_emit(ed, EV_EDIT_FLIP_SIGN, x, turned(ed, x, EV_SYNTAX_ARGMIN));
    else if (x->kind == EV_SYNTAX_NUMBER)
        ev_edit_emit(ed, EV_EDIT_DROP_TERM, x, ev_edit_number(ed, x, x->number + 1));
    else if (!is_zero(other))
        edit_scale(ed, x, proportional);
    if (is_zero(x)) /* of a vector */
        ev_edit_emit(ed, EV_EDIT_DROP_TERM, x, turned(ed, x, EV_SYNTAX_ONES));
    visit(ed, x);
    int symbol = gradient_symbol(other);
    if (ed->repairs && symbol >= 0)
        add_gradients(ed, x, x, symbol);
}

/* ---- what says nothing ---- */

/* Does no bound variable of x occur in its body? */
static bool is_idle(ev_editor *ed, const ev_syntax *x)
{
    bool sum = x->kind == EV_SYNTAX_SUM || x->kind == EV_SYNTAX_PRODUCT;
    bool average = x->kind == EV_SYNTAX_EXPECT || x->kind == EV_SYNTAX_VARIANCE ||
                   x->kind == EV_SYNTAX_INTEGRAL;
    if (!sum && (!average || x->variable_count == 0))
        return false;
    unsigned char *flags = calloc(ed->table->symbol_count + 1, 1);
    if (flags == NULL) {
        ed->failed = true;
        return false;
    }
    ev_mark_occurrences(ed->table, x->children[0], flags);
    bool idle = !sum || (flags[x->symbol] & EV_OCCURS_FREE) == 0;
    for (size_t i = 0; average && i < x->variable_count; i++)
        idle = idle && (flags[x->variables[i]] & EV_OCCURS_FREE) == 0;
    free(flags);
    return idle;
}

static size_t count_idle(ev_editor *ed, const ev_syntax *x)
{
    size_t count = is_idle(ed, x);
    for (size_t i = 0; i < x->child_count; i++)
        count += count_idle(ed, x->children[i]);
    return count;
}

/* x with every idle expectation replaced by its body. */
static const ev_syntax *without_idle(ev_editor *ed, const ev_syntax *x)
{
    while (x->kind == EV_SYNTAX_EXPECT && is_idle(ed, x))
        x = x->children[0];
    const ev_syntax *out = x;
    for (size_t i = 0; i < x->child_count && out != NULL; i++) {
        const ev_syntax *child = without_idle(ed, x->children[i]);
        if (child != x->children[i])
            out = ev_edit_with_child(ed, out, i, child);
    }
    return out;
}

/* E[f(m)] = f(m) is true of any expectation, and so no repair of E[f(y)] = f(m).  But an entry whose
 * index was averaged over by mistake is, s_j for s_{c,j}: unless no more is left than that. */
static bool says_nothing(ev_editor *ed, const ev_edit *edit, const ev_formula_step *step)
{
    const ev_syntax *const *members = ed->formula->members;
    if (count_idle(ed, edit->edited) <= count_idle(ed, members[edit->member]))
        return false;
    if (edit->kind != EV_EDIT_SWAP_SYMBOL || edit->at->kind != EV_SYNTAX_INDEX)
        return true;
    const ev_syntax *other = members[edit->member == step->left ? step->right : step->left];
    const ev_syntax *stripped = without_idle(ed, edit->edited);
    const char *one = stripped == NULL ? NULL : ev_syntax_to_tex(ed->table, stripped, ed->arena);
    const char *two = ev_syntax_to_tex(ed->table, other, ed->arena);
    return one == NULL || two == NULL || strcmp(one, two) == 0;
}

static void remove_empty(ev_editor *ed, const ev_formula_step *step)
{
    size_t kept = 0;
    for (size_t i = 0; i < ed->count; i++)
        if (!says_nothing(ed, &ed->edits[i], step))
            ed->edits[kept++] = ed->edits[i];
    ed->count = kept;
}

/* Keep at most limit, taking from the kinds in turn so that none is lost; no member twice. */
static void choose(ev_editor *ed, size_t limit)
{
    size_t kept = 0;
    ev_edit *chosen = malloc((ed->count + 1) * sizeof *chosen);
    bool *taken = calloc(ed->count + 1, sizeof *taken);
    if (chosen == NULL || taken == NULL) {
        ed->failed = true;
        free(chosen);
        free(taken);
        return;
    }
    for (bool any = true; any && kept < limit;) {
        any = false;
        for (int kind = 0; kind < EV_EDIT_KIND_COUNT && kept < limit; kind++)
            for (size_t i = 0; i < ed->count; i++)
                if (!taken[i] && (int)ed->edits[i].kind == kind) {
                    taken[i] = any = true;
                    chosen[kept++] = ed->edits[i];
                    break;
                }
    }
    memcpy(ed->edits, chosen, kept * sizeof *chosen);
    ed->count = kept;
    free(chosen);
    free(taken);
}

ev_status ev_formula_edits(const ev_formula *formula, size_t step, bool repairs, size_t limit,
                           ev_arena *arena, ev_edit **edits, size_t *count)
{
    ev_editor ed = {
        .formula = formula, .table = formula->scope->table, .arena = arena, .repairs = repairs};
    const ev_formula_step *s = &formula->steps[step];
    gather(&ed, formula->members[s->left]);
    gather(&ed, formula->members[s->right]);
    if (repairs)
        gather_declared(&ed);
    bool proportional = s->relation == EV_RELATION_PROPORTIONAL;
    edit_member(&ed, s->right, formula->members[s->left], proportional);
    bool first = true;
    for (size_t i = 0; i < step; i++)
        first &= formula->steps[i].right != s->left;
    if (first || repairs)
        edit_member(&ed, s->left, formula->members[s->right], proportional);
    if (repairs)
        remove_empty(&ed, s);
    if (ed.count > 0)
        choose(&ed, limit);
    *count = ed.count;
    *edits = ev_arena_array(arena, ed.count + 1, sizeof **edits);
    if (*edits != NULL && ed.count > 0)
        memcpy(*edits, ed.edits, ed.count * sizeof **edits);
    free(ed.edits);
    return ed.failed || *edits == NULL ? EV_NO_MEMORY : EV_OK;
}

ev_status ev_formula_single_step(const ev_formula *formula, size_t step, const ev_edit *edit,
                                 ev_arena *arena, ev_formula *out)
{
    const ev_formula_step *s = &formula->steps[step];
    const ev_syntax **members = ev_arena_array(arena, 2, sizeof *members);
    const char **texts = ev_arena_array(arena, 2, sizeof *texts);
    ev_formula_step *steps = ev_arena_array(arena, 1, sizeof *steps);
    if (members == NULL || texts == NULL || steps == NULL)
        return EV_NO_MEMORY;
    members[0] = formula->members[s->left];
    members[1] = formula->members[s->right];
    texts[0] = formula->member_texts[s->left];
    texts[1] = formula->member_texts[s->right];
    if (edit != NULL)
        members[edit->member == s->left ? 0 : 1] = edit->edited;
    steps[0] = *s;
    steps[0].left = 0;
    steps[0].right = 1;
    *out = *formula;
    out->member_count = 2;
    out->members = members;
    out->member_texts = texts;
    out->step_count = 1;
    out->steps = steps;
    return EV_OK;
}
