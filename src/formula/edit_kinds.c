/* The slips that each kind of node invites, and their inverses. */
#include "formula/edit_state.h"

static bool same_dim(ev_dim a, ev_dim b)
{
    return a.symbol == b.symbol && a.offset == b.offset &&
           (a.symbol < 0 || a.multiplier == b.multiplier);
}

static bool same_type(const ev_symbol *a, const ev_symbol *b)
{
    return a->kind == EV_SYMBOL_REAL && b->kind == EV_SYMBOL_REAL && a->rank == b->rank &&
           a->is_sample == b->is_sample && a->domain.binary == b->domain.binary &&
           (a->rank < 1 || same_dim(a->rows, b->rows)) &&
           (a->rank < 2 || same_dim(a->cols, b->cols));
}

/* An unnamed constant, whatever its sign and size. */
static bool is_unnamed(const ev_editor *ed, const ev_syntax *x)
{
    return x->kind == EV_SYNTAX_SYMBOL && ed->table->symbols[x->symbol].kind == EV_SYMBOL_CONSTANT;
}

static void edit_sum(ev_editor *ed, const ev_syntax *x)
{
    if (is_unnamed(ed, x->children[0]) || is_unnamed(ed, x->children[1]))
        return;
    const ev_syntax *a = x->children[0], *b = x->children[1];
    bool plus = x->kind == EV_SYNTAX_ADD;
    ev_edit_emit(ed, EV_EDIT_DROP_TERM, x, a);
    ev_edit_emit(ed, EV_EDIT_DROP_TERM, x, plus ? b : ev_edit_node(ed, EV_SYNTAX_NEG, x, b, NULL));
    ev_edit_emit(ed, EV_EDIT_FLIP_SIGN, x,
                 ev_edit_node(ed, plus ? EV_SYNTAX_SUB : EV_SYNTAX_ADD, x, a, b));
    for (size_t i = 0; i < 2; i++) {
        const ev_syntax *term = x->children[i];
        if (term->kind == EV_SYNTAX_ADD || term->kind == EV_SYNTAX_SUB)
            continue;
        const ev_syntax *twice = ev_edit_node(ed, EV_SYNTAX_MUL, x, ev_edit_number(ed, x, 2), term);
        const ev_syntax *half = ev_edit_node(ed, EV_SYNTAX_MUL, x, ev_edit_number(ed, x, 0.5),
                                             term);
        ev_edit_emit(ed, EV_EDIT_FACTOR, x, ev_edit_with_child(ed, x, i, twice));
        ev_edit_emit(ed, EV_EDIT_FACTOR, x, ev_edit_with_child(ed, x, i, half));
    }
}

/* f (a + b) becomes f a + b. */
static void edit_distribution(ev_editor *ed, const ev_syntax *x)
{
    for (size_t i = 0; i < x->child_count; i++) {
        const ev_syntax *sum = x->children[i];
        if (sum->kind != EV_SYNTAX_ADD && sum->kind != EV_SYNTAX_SUB)
            continue;
        const ev_syntax *first = ev_edit_with_child(ed, x, i, sum->children[0]);
        ev_edit_emit(ed, EV_EDIT_BRACKET, x,
                     ev_edit_node(ed, sum->kind, x, first, sum->children[1]));
    }
}

/* L^T L becomes L L^T (repairs). */
static void edit_order(ev_editor *ed, const ev_syntax *x)
{
    for (size_t i = 0; ed->repairs && i + 1 < x->child_count; i++) {
        ev_syntax *swapped = ev_edit_copy(ed, x, x->child_count);
        if (swapped == NULL)
            return;
        swapped->children[i] = x->children[i + 1];
        swapped->children[i + 1] = x->children[i];
        ev_edit_emit(ed, EV_EDIT_EXCHANGE, x, swapped);
    }
}

static void edit_product(ev_editor *ed, const ev_syntax *x)
{
    edit_order(ed, x);
    for (size_t i = 0; i < x->child_count; i++)
        ev_edit_emit(ed, EV_EDIT_FACTOR, x, ev_edit_without_child(ed, x, i));
    edit_distribution(ed, x);
}

static void edit_quotient(ev_editor *ed, const ev_syntax *x)
{
    const ev_syntax *top = x->children[0], *bottom = x->children[1];
    ev_edit_emit(ed, EV_EDIT_FACTOR, x, top);
    for (size_t i = 0; bottom->kind == EV_SYNTAX_MUL && i < bottom->child_count; i++)
        ev_edit_emit(ed, EV_EDIT_FACTOR, x,
                     ev_edit_with_child(ed, x, 1, ev_edit_without_child(ed, bottom, i)));
    bool one = top->kind == EV_SYNTAX_NUMBER && top->number == 1.0;
    if (!one || bottom->kind != EV_SYNTAX_NUMBER)
        ev_edit_emit(ed, EV_EDIT_FACTOR, x, ev_edit_node(ed, EV_SYNTAX_DIV, x, bottom, top));
}

static bool under_power(const ev_editor *ed)
{
    for (size_t i = ed->depth; i-- > 0;) {
        if (ed->path[i].node->kind == EV_SYNTAX_POW)
            return true;
        if (ed->path[i].node->kind != EV_SYNTAX_INDEX)
            return false;
    }
    return false;
}

/* A positive number or vector: \sigma, \sigma_j, and \sigma_c and \sigma_c|_j of a matrix. */
static bool is_positive(const ev_editor *ed, const ev_syntax *x)
{
    size_t indices = 0;
    for (; x->kind == EV_SYNTAX_INDEX; x = x->children[0])
        indices += x->child_count - 1;
    if (x->kind != EV_SYNTAX_SYMBOL)
        return false;
    const ev_symbol *s = &ed->table->symbols[x->symbol];
    return s->kind == EV_SYMBOL_REAL && s->domain.low >= 0 && !s->domain.simplex &&
           !s->domain.binary && (size_t)s->rank < 2 + indices;
}

/* A real number, or a part of something real (repairs). */
static bool is_real(const ev_editor *ed, const ev_syntax *x)
{
    while (x->kind == EV_SYNTAX_INDEX)
        x = x->children[0];
    const ev_symbol *s = x->kind == EV_SYNTAX_SYMBOL ? &ed->table->symbols[x->symbol] : NULL;
    return ed->repairs && s != NULL && s->kind == EV_SYMBOL_REAL && !s->domain.simplex &&
           !s->domain.binary;
}

static void edit_power_of(ev_editor *ed, const ev_syntax *x)
{
    bool inside_index = ed->depth > 0 && ed->path[ed->depth - 1].node->kind == EV_SYNTAX_INDEX;
    if (inside_index || under_power(ed) || (!is_positive(ed, x) && !is_real(ed, x)))
        return;
    ev_edit_emit(ed, EV_EDIT_POWER, x,
                 ev_edit_node(ed, EV_SYNTAX_POW, x, x, ev_edit_number(ed, x, 2)));
}

/* (a - b) and |v| without their square (repairs).  A sum that another sum begins with has no
 * brackets of its own. */
static void edit_square_lost(ev_editor *ed, const ev_syntax *x)
{
    const ev_edit_place *around = ed->depth > 0 ? &ed->path[ed->depth - 1] : NULL;
    const ev_syntax_kind kind = around != NULL ? around->node->kind : EV_SYNTAX_NUMBER;
    const bool begins = (kind == EV_SYNTAX_ADD || kind == EV_SYNTAX_SUB) && around->child == 0;
    if (!ed->repairs || kind == EV_SYNTAX_POW || (begins && x->kind != EV_SYNTAX_NORM))
        return;
    ev_edit_emit(ed, EV_EDIT_POWER, x,
                 ev_edit_node(ed, EV_SYNTAX_POW, x, x, ev_edit_number(ed, x, 2)));
}

/* x^2 becomes x; and x^3, x^3 becomes x^2 and x^4 (repairs). */
static void edit_power(ev_editor *ed, const ev_syntax *x)
{
    const ev_syntax *exponent = x->children[1];
    const bool number = exponent->kind == EV_SYNTAX_NUMBER;
    if (number || exponent->kind == EV_SYNTAX_NEG)
        ev_edit_emit(ed, EV_EDIT_POWER, x, x->children[0]);
    if (!ed->repairs || !number || exponent->number < 2)
        return;
    ev_edit_emit(ed, EV_EDIT_POWER, x,
                 ev_edit_with_child(ed, x, 1, ev_edit_number(ed, x, exponent->number + 1)));
    if (exponent->number > 2)
        ev_edit_emit(ed, EV_EDIT_POWER, x,
                     ev_edit_with_child(ed, x, 1, ev_edit_number(ed, x, exponent->number - 1)));
}

/* A becomes A^T and A^{-1} (repairs): what DROP_OPERATION loses. */
static void edit_matrix(ev_editor *ed, const ev_syntax *x)
{
    const ev_syntax *around = ed->depth > 0 ? ed->path[ed->depth - 1].node : NULL;
    bool taken = around != NULL &&
                 (around->kind == EV_SYNTAX_INDEX || around->kind == EV_SYNTAX_TRANSPOSE ||
                  around->kind == EV_SYNTAX_INVERSE);
    if (!ed->repairs || taken || ed->table->symbols[x->symbol].rank != 2)
        return;
    ev_edit_emit(ed, EV_EDIT_DROP_OPERATION, x, ev_edit_node(ed, EV_SYNTAX_TRANSPOSE, x, x, NULL));
    ev_edit_emit(ed, EV_EDIT_DROP_OPERATION, x, ev_edit_node(ed, EV_SYNTAX_INVERSE, x, x, NULL));
}

static void edit_symbol(ev_editor *ed, const ev_syntax *x)
{
    edit_power_of(ed, x);
    edit_matrix(ed, x);
    for (size_t i = 0; i < ed->symbol_count; i++)
        if (ed->symbols[i] != x->symbol &&
            same_type(&ed->table->symbols[x->symbol], &ed->table->symbols[ed->symbols[i]]))
            ev_edit_emit(ed, EV_EDIT_SWAP_SYMBOL, x, ev_edit_symbol(ed, x, ed->symbols[i]));
}

/* s_{c,j} becomes t_j, and t_c (repairs): the same letter, or another, without its second index. */
static void edit_matrix_entry(ev_editor *ed, const ev_syntax *x)
{
    if (!ed->repairs || x->child_count != 3 || x->children[0]->kind != EV_SYNTAX_SYMBOL)
        return;
    const ev_symbol *own = &ed->table->symbols[x->children[0]->symbol];
    for (size_t i = 0; own->kind == EV_SYMBOL_REAL && own->rank == 2 && i < ed->symbol_count; i++) {
        const ev_symbol *other = &ed->table->symbols[ed->symbols[i]];
        if (other->kind != EV_SYMBOL_REAL || other->rank != 1 || other->is_sample)
            continue;
        for (size_t k = 2; k >= 1; k--)
            if (same_dim(other->rows, k == 2 ? own->cols : own->rows))
                ev_edit_emit(ed, EV_EDIT_SWAP_SYMBOL, x,
                             ev_edit_node(ed, EV_SYNTAX_INDEX, x,
                                          ev_edit_symbol(ed, x, ed->symbols[i]), x->children[k]));
    }
}

/* A number becomes a dimension or its inverse (repairs): 0.1 for ten clusters, 784 for D pixels. */
static void edit_number(ev_editor *ed, const ev_syntax *x)
{
    double n = x->number;
    bool small = n == 0.0 || n == 0.5 || n == 1.0 || n == 2.0; /* seldom meant for a dimension */
    const ev_scope *scope = ed->formula->scope;
    for (size_t i = 0; ed->repairs && !small && i < scope->visible_count; i++) {
        const ev_symbol *s = &ed->table->symbols[scope->visible[i]];
        if (s->kind != EV_SYMBOL_INTEGER || s->high.symbol >= 0)
            continue;
        const ev_syntax *dimension = ev_edit_symbol(ed, x, scope->visible[i]);
        ev_edit_emit(ed, EV_EDIT_SWAP_SYMBOL, x,
                     n > 1.0
                         ? dimension
                         : ev_edit_node(ed, EV_SYNTAX_DIV, x, ev_edit_number(ed, x, 1), dimension));
    }
}

/* B_{i,j} becomes B_{j,i} (repairs). */
static void edit_crossed_indices(ev_editor *ed, const ev_syntax *x)
{
    ev_syntax *crossed = ed->repairs && x->child_count == 3 ? ev_edit_copy(ed, x, 3) : NULL;
    if (crossed == NULL)
        return;
    crossed->children[1] = x->children[2];
    crossed->children[2] = x->children[1];
    ev_edit_emit(ed, EV_EDIT_INDEX, x, crossed);
}

static void edit_index(ev_editor *ed, const ev_syntax *x)
{
    edit_power_of(ed, x);
    edit_matrix_entry(ed, x);
    edit_crossed_indices(ed, x);
    for (size_t i = 1; i < x->child_count; i++) {
        const ev_syntax *index = x->children[i];
        const bool fixed = ed->repairs && index->kind == EV_SYNTAX_NUMBER;
        if (index->kind != EV_SYNTAX_SYMBOL && !fixed)
            continue;
        ev_edit_emit(ed, EV_EDIT_INDEX, x, ev_edit_with_child(ed, x, i, ev_edit_number(ed, x, 1)));
        for (size_t k = 0; k < ed->index_count; k++)
            if (ed->indices[k] != index->symbol)
                ev_edit_emit(ed, EV_EDIT_INDEX, x,
                             ev_edit_with_child(ed, x, i, ev_edit_symbol(ed, x, ed->indices[k])));
    }
}

/* p(x | z) becomes p(x), q(x) becomes p(x), f becomes f/q (repairs). */
static void edit_application(ev_editor *ed, const ev_syntax *x)
{
    const ev_symbol *s = &ed->table->symbols[x->symbol];
    if (s->kind != EV_SYMBOL_DEFINITION)
        return;
    const struct ev_definition *own = s->definition;
    for (size_t i = 0; i < ed->density_count; i++) {
        const ev_syntax *other = ed->densities[i];
        const struct ev_definition *d = ed->table->symbols[other->symbol].definition;
        if (other->symbol == x->symbol)
            continue;
        bool same_variables = d->left_count == own->left_count;
        for (size_t k = 0; same_variables && k < d->left_count; k++)
            same_variables = d->formals[k] == own->formals[k];
        if (!same_variables)
            continue;
        ev_syntax *swapped = ev_edit_copy(ed, other, other->child_count);
        for (size_t k = 0; swapped != NULL && k < d->left_count; k++)
            swapped->children[k] = x->children[k];
        ev_edit_emit(ed, EV_EDIT_DENSITY, x, swapped);
        if (ed->repairs) {
            ev_edit_emit(ed, EV_EDIT_WEIGHT, x, ev_edit_node(ed, EV_SYNTAX_DIV, x, x, swapped));
            ev_edit_emit(ed, EV_EDIT_WEIGHT, x, ev_edit_node(ed, EV_SYNTAX_MUL, x, x, swapped));
        }
    }
}

static bool may_drop(ev_function f)
{
    return f == EV_FUNCTION_LOG || f == EV_FUNCTION_EXP || f == EV_FUNCTION_SQRT ||
           f == EV_FUNCTION_SIGMOID || f == EV_FUNCTION_SOFTPLUS || f == EV_FUNCTION_TANH ||
           f == EV_FUNCTION_STOP_GRADIENT;
}

/* exp(l) becomes exp(l/2) and exp(2 l): a variance for a deviation (repairs). */
static void edit_argument(ev_editor *ed, const ev_syntax *x)
{
    if (!ed->repairs || x->child_count != 1 || x->function != EV_FUNCTION_EXP)
        return;
    const double factors[] = {0.5, 2};
    for (size_t i = 0; i < 2; i++)
        ev_edit_emit(
            ed, EV_EDIT_FACTOR, x,
            ev_edit_with_child(ed, x, 0,
                               ev_edit_node(ed, EV_SYNTAX_MUL, x, ev_edit_number(ed, x, factors[i]),
                                            x->children[0])));
}

static void edit_function(ev_editor *ed, const ev_syntax *x)
{
    edit_argument(ed, x);
    if (ed->repairs && x->function == EV_FUNCTION_DET)
        ev_edit_emit(ed, EV_EDIT_DROP_FUNCTION, x, ev_edit_node(ed, EV_SYNTAX_ABS, x, x, NULL));
    if (may_drop(x->function) && x->child_count == 1)
        ev_edit_emit(ed,
                     x->function == EV_FUNCTION_STOP_GRADIENT ? EV_EDIT_DROP_OPERATION
                                                              : EV_EDIT_DROP_FUNCTION,
                     x, x->children[0]);
}

/* A sum becomes a mean (repairs): what a lost factor 1/L has made of it. */
static void edit_mean(ev_editor *ed, const ev_syntax *x)
{
    if (!ed->repairs || x->kind != EV_SYNTAX_SUM || x->child_count != 3)
        return;
    const ev_syntax *share = ev_edit_node(ed, EV_SYNTAX_DIV, x, ev_edit_number(ed, x, 1),
                                          x->children[2]);
    ev_edit_emit(ed, EV_EDIT_MEAN, x, ev_edit_node(ed, EV_SYNTAX_MUL, x, share, x));
}

/* Another upper end, a later start, a bracket closed too early. */
static void edit_range(ev_editor *ed, const ev_syntax *x)
{
    if (x->child_count == 3) {
        if (x->children[1]->kind == EV_SYNTAX_NUMBER)
            ev_edit_emit(
                ed, EV_EDIT_INDEX, x,
                ev_edit_with_child(ed, x, 1, ev_edit_number(ed, x, x->children[1]->number + 1)));
        const ev_scope *scope = ed->formula->scope;
        for (size_t i = 0; i < scope->visible_count; i++) {
            const ev_symbol *s = &ed->table->symbols[scope->visible[i]];
            bool dimension = s->kind == EV_SYMBOL_INTEGER && s->high.symbol < 0;
            if (dimension && x->children[2]->kind == EV_SYNTAX_SYMBOL &&
                x->children[2]->symbol != scope->visible[i])
                ev_edit_emit(
                    ed, EV_EDIT_INDEX, x,
                    ev_edit_with_child(ed, x, 2, ev_edit_symbol(ed, x, scope->visible[i])));
        }
    }
    const ev_syntax *body = x->children[0];
    if (x->kind == EV_SYNTAX_SUM && (body->kind == EV_SYNTAX_ADD || body->kind == EV_SYNTAX_SUB))
        ev_edit_emit(ed, EV_EDIT_BRACKET, x,
                     ev_edit_node(ed, body->kind, x,
                                  ev_edit_with_child(ed, x, 0, body->children[0]),
                                  body->children[1]));
}

/* E over q(z) becomes E over q(z, c) (repairs): what is free under it is averaged too. */
static void edit_to_joint(ev_editor *ed, const ev_syntax *x, const struct ev_definition *own)
{
    const ev_syntax *density = x->children[1];
    for (size_t i = 0; ed->repairs && i < ed->density_count; i++) {
        const ev_syntax *other = ed->densities[i];
        const struct ev_definition *d = ed->table->symbols[other->symbol].definition;
        bool wider = d->left_count > own->left_count && own->left_count <= density->child_count;
        for (size_t k = 0; wider && k < d->left_count; k++)
            wider = k < own->left_count ? d->formals[k] == own->formals[k]
                                        : other->children[k]->kind == EV_SYNTAX_SYMBOL;
        ev_syntax *joint = wider ? ev_edit_copy(ed, other, other->child_count) : NULL;
        int *variables = wider ? ev_arena_array(ed->arena, d->left_count, sizeof *variables) : NULL;
        if (joint == NULL || variables == NULL || x->variable_count != own->left_count)
            continue;
        for (size_t k = 0; k < d->left_count; k++) {
            joint->children[k] = k < own->left_count ? density->children[k] : other->children[k];
            variables[k] = k < own->left_count ? x->variables[k] : other->children[k]->symbol;
        }
        ev_syntax *average = ev_edit_copy(ed, x, x->child_count);
        if (average == NULL)
            return;
        average->children[1] = joint;
        average->variables = variables;
        average->variable_count = d->left_count;
        ev_edit_emit(ed, EV_EDIT_DENSITY, x, average);
    }
}

static void edit_expectation(ev_editor *ed, const ev_syntax *x)
{
    ev_edit_emit(ed, EV_EDIT_DROP_OPERATION, x, x->children[0]);
    if (x->child_count != 2 || x->children[1]->kind != EV_SYNTAX_APPLY)
        return;
    const struct ev_definition *own = ed->table->symbols[x->children[1]->symbol].definition;
    if (own == NULL)
        return;
    edit_to_joint(ed, x, own);
    for (size_t i = 0; i < ed->density_count; i++) {
        const ev_syntax *other = ed->densities[i];
        const struct ev_definition *d = ed->table->symbols[other->symbol].definition;
        bool fits = other->symbol != x->children[1]->symbol && d->left_count == own->left_count;
        for (size_t k = 0; fits && k < d->left_count; k++)
            fits = d->formals[k] == own->formals[k];
        if (!fits)
            continue;
        ev_syntax *density = ev_edit_copy(ed, other, other->child_count);
        for (size_t k = 0; density != NULL && k < d->left_count; k++)
            density->children[k] = x->children[1]->children[k];
        ev_edit_emit(ed, EV_EDIT_DENSITY, x, ev_edit_with_child(ed, x, 1, density));
    }
}

static void edit_divergence(ev_editor *ed, const ev_syntax *x)
{
    if (x->child_count != 2)
        return;
    ev_syntax *exchanged = ev_edit_copy(ed, x, 2);
    if (exchanged == NULL)
        return;
    exchanged->children[0] = x->children[1];
    exchanged->children[1] = x->children[0];
    ev_edit_emit(ed, EV_EDIT_EXCHANGE, x, exchanged);
}

/* Not as a repair: a gradient by a symbol of which nothing depends is 0, and mends too much. */
static void edit_gradient(ev_editor *ed, const ev_syntax *x)
{
    if (ed->repairs)
        return;
    for (size_t i = 0; i < ed->symbol_count; i++) {
        if (ed->symbols[i] == x->symbol ||
            !same_type(&ed->table->symbols[x->symbol], &ed->table->symbols[ed->symbols[i]]))
            continue;
        ev_syntax *other = ev_edit_copy(ed, x, x->child_count);
        if (other != NULL)
            other->symbol = ed->symbols[i];
        ev_edit_emit(ed, EV_EDIT_SWAP_SYMBOL, x, other);
    }
}

/* f a + b + c becomes f (a + b + c): repairs only. */
static void edit_collect(ev_editor *ed, const ev_syntax *x)
{
    if (!ed->repairs)
        return;
    const ev_syntax *first = x;
    while (first->kind == EV_SYNTAX_ADD || first->kind == EV_SYNTAX_SUB)
        first = first->children[0];
    if (first == x || first->kind != EV_SYNTAX_MUL)
        return;
    for (size_t i = 0; i < first->child_count; i++) {
        /* the chain again, its first term without factor i */
        const ev_syntax *spine[64];
        size_t n = 0;
        for (const ev_syntax *s = x; s != first && n < 64; s = s->children[0])
            spine[n++] = s;
        const ev_syntax *inner = ev_edit_without_child(ed, first, i);
        while (n-- > 0)
            inner = ev_edit_with_child(ed, spine[n], 0, inner);
        ev_edit_emit(ed, EV_EDIT_BRACKET, x,
                     ev_edit_node(ed, EV_SYNTAX_MUL, x, first->children[i], inner));
    }
}

void ev_edit_by_kind(ev_editor *ed, const ev_syntax *x)
{
    switch (x->kind) {
    case EV_SYNTAX_ADD:
    case EV_SYNTAX_SUB:
        edit_sum(ed, x);
        edit_collect(ed, x);
        edit_square_lost(ed, x);
        return;
    case EV_SYNTAX_NORM: edit_square_lost(ed, x); return;
    case EV_SYNTAX_NEG: ev_edit_emit(ed, EV_EDIT_FLIP_SIGN, x, x->children[0]); return;
    case EV_SYNTAX_MUL: edit_product(ed, x); return;
    case EV_SYNTAX_DIV: edit_quotient(ed, x); return;
    case EV_SYNTAX_POW: edit_power(ed, x); return;
    case EV_SYNTAX_NUMBER: edit_number(ed, x); return;
    case EV_SYNTAX_SYMBOL: edit_symbol(ed, x); return;
    case EV_SYNTAX_INDEX: edit_index(ed, x); return;
    case EV_SYNTAX_APPLY: edit_application(ed, x); return;
    case EV_SYNTAX_FUNCTION: edit_function(ed, x); return;
    case EV_SYNTAX_TRANSPOSE:
    case EV_SYNTAX_INVERSE: ev_edit_emit(ed, EV_EDIT_DROP_OPERATION, x, x->children[0]); return;
    case EV_SYNTAX_SUM:
    case EV_SYNTAX_PRODUCT:
        edit_range(ed, x);
        edit_mean(ed, x);
        return;
    case EV_SYNTAX_EXPECT:
    case EV_SYNTAX_VARIANCE: edit_expectation(ed, x); return;
    case EV_SYNTAX_KL:
    case EV_SYNTAX_CROSS_ENTROPY: edit_divergence(ed, x); return;
    case EV_SYNTAX_GRADIENT: edit_gradient(ed, x); return;
    default: return;
    }
}
