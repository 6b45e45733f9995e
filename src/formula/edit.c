#include "formula/edit.h"
#include "formula/occurrence.h"
#include "formula/unparse.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 200, MAX_SYMBOLS = 256 };

typedef struct {
    const ev_syntax *node;
    size_t child;
} place;

typedef struct {
    const ev_formula *formula;
    const ev_symbol_table *table;
    ev_arena *arena;
    bool repairs, failed;
    size_t member;
    place path[MAX_DEPTH]; /* from the member's root down to the parent of the node in hand */
    size_t depth;
    int indices[32]; /* bound by sums around the node in hand */
    size_t index_count;
    int symbols[MAX_SYMBOLS]; /* candidates for exchanges */
    size_t symbol_count;
    const ev_syntax *densities[64]; /* applications that occur in the formula */
    size_t density_count;
    ev_edit *edits; /* heap */
    size_t count, capacity;
} editor;

const char *ev_edit_kind_name(ev_edit_kind kind)
{
    static const char *const names[] = {"sign",  "symbol",   "power",     "factor",   "weight",
                                        "term",  "function", "operation", "exchange", "density",
                                        "index", "bracket",  "addition"};
    return names[kind];
}

/* ---- building nodes ---- */

static ev_syntax *copy_of(editor *ed, const ev_syntax *x, size_t children)
{
    ev_syntax *node = ev_arena_array(ed->arena, 1, sizeof *node);
    const ev_syntax **list = ev_arena_array(ed->arena, children + 1, sizeof *list);
    if (node == NULL || list == NULL) {
        ed->failed = true;
        return NULL;
    }
    *node = *x;
    size_t kept = x->child_count < children ? x->child_count : children;
    if (kept > 0)
        memcpy(list, x->children, kept * sizeof *list);
    node->children = list;
    node->child_count = children;
    return node;
}

static const ev_syntax *node_of(editor *ed, ev_syntax_kind kind, const ev_syntax *at,
                                const ev_syntax *a, const ev_syntax *b)
{
    ev_syntax like = {
        .kind = kind, .symbol = -1, .line = at->line, .column = at->column, .length = at->length};
    ev_syntax *node = a == NULL ? NULL : copy_of(ed, &like, b == NULL ? 1 : 2);
    if (node == NULL)
        return NULL;
    node->children[0] = a;
    if (b != NULL)
        node->children[1] = b;
    return node;
}

static const ev_syntax *number_of(editor *ed, const ev_syntax *at, double value)
{
    ev_syntax like = {.kind = EV_SYNTAX_NUMBER,
                      .symbol = -1,
                      .number = value,
                      .line = at->line,
                      .column = at->column,
                      .length = at->length};
    return copy_of(ed, &like, 0);
}

static const ev_syntax *symbol_of(editor *ed, const ev_syntax *at, int symbol)
{
    ev_syntax like = {.kind = EV_SYNTAX_SYMBOL,
                      .symbol = symbol,
                      .line = at->line,
                      .column = at->column,
                      .length = at->length};
    return copy_of(ed, &like, 0);
}

static const ev_syntax *with_child(editor *ed, const ev_syntax *x, size_t i, const ev_syntax *child)
{
    ev_syntax *node = child == NULL ? NULL : copy_of(ed, x, x->child_count);
    if (node != NULL)
        node->children[i] = child;
    return node;
}

/* A product without its factor i; the other factor itself when only one is left. */
static const ev_syntax *without_child(editor *ed, const ev_syntax *x, size_t i)
{
    if (x->child_count == 2)
        return x->children[1 - i];
    ev_syntax *node = copy_of(ed, x, x->child_count - 1);
    for (size_t k = i; node != NULL && k + 1 < x->child_count; k++)
        node->children[k] = x->children[k + 1];
    return node;
}

/* ---- recording an edit ---- */

static void emit(editor *ed, ev_edit_kind kind, const ev_syntax *before, const ev_syntax *after)
{
    if (after == NULL || ed->failed)
        return;
    const ev_syntax *whole = after;
    for (size_t i = ed->depth; i-- > 0 && whole != NULL;)
        whole = with_child(ed, ed->path[i].node, ed->path[i].child, whole);
    const char *from = ev_syntax_to_tex(ed->table, before, ed->arena);
    const char *to = ev_syntax_to_tex(ed->table, after, ed->arena);
    if (whole == NULL || from == NULL || to == NULL ||
        !ev_array_reserve(&ed->edits, ed->count, &ed->capacity, sizeof *ed->edits)) {
        ed->failed = true;
        return;
    }
    if (strcmp(from, to) != 0)
        ed->edits[ed->count++] = (ev_edit){kind, from, to, ed->member, whole};
}

/* ---- candidates ---- */

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

static void gather(editor *ed, const ev_syntax *x)
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
        if (!known && ed->symbol_count < MAX_SYMBOLS)
            ed->symbols[ed->symbol_count++] = x->symbol;
    }
    for (size_t i = 0; i < x->child_count; i++)
        gather(ed, x->children[i]);
}

/* Repairs may bring in what is declared but not used in this formula. */
static void gather_declared(editor *ed)
{
    const ev_scope *scope = ed->formula->scope;
    for (size_t i = 0; i < scope->visible_count && ed->symbol_count < MAX_SYMBOLS; i++) {
        bool known = ed->table->symbols[scope->visible[i]].kind != EV_SYMBOL_REAL;
        for (size_t k = 0; k < ed->symbol_count; k++)
            known |= ed->symbols[k] == scope->visible[i];
        if (!known)
            ed->symbols[ed->symbol_count++] = scope->visible[i];
    }
}

/* ---- edits by kind of node ---- */

/* An unnamed constant, whatever its sign and size. */
static bool is_unnamed(const editor *ed, const ev_syntax *x)
{
    return x->kind == EV_SYNTAX_SYMBOL && ed->table->symbols[x->symbol].kind == EV_SYMBOL_CONSTANT;
}

static void edit_sum(editor *ed, const ev_syntax *x)
{
    if (is_unnamed(ed, x->children[0]) || is_unnamed(ed, x->children[1]))
        return;
    const ev_syntax *a = x->children[0], *b = x->children[1];
    bool plus = x->kind == EV_SYNTAX_ADD;
    emit(ed, EV_EDIT_DROP_TERM, x, a);
    emit(ed, EV_EDIT_DROP_TERM, x, plus ? b : node_of(ed, EV_SYNTAX_NEG, x, b, NULL));
    emit(ed, EV_EDIT_FLIP_SIGN, x, node_of(ed, plus ? EV_SYNTAX_SUB : EV_SYNTAX_ADD, x, a, b));
    for (size_t i = 0; i < 2; i++) {
        const ev_syntax *term = x->children[i];
        if (term->kind == EV_SYNTAX_ADD || term->kind == EV_SYNTAX_SUB)
            continue;
        const ev_syntax *twice = node_of(ed, EV_SYNTAX_MUL, x, number_of(ed, x, 2), term);
        const ev_syntax *half = node_of(ed, EV_SYNTAX_MUL, x, number_of(ed, x, 0.5), term);
        emit(ed, EV_EDIT_FACTOR, x, with_child(ed, x, i, twice));
        emit(ed, EV_EDIT_FACTOR, x, with_child(ed, x, i, half));
    }
}

/* f (a + b) becomes f a + b. */
static void edit_distribution(editor *ed, const ev_syntax *x)
{
    for (size_t i = 0; i < x->child_count; i++) {
        const ev_syntax *sum = x->children[i];
        if (sum->kind != EV_SYNTAX_ADD && sum->kind != EV_SYNTAX_SUB)
            continue;
        const ev_syntax *first = with_child(ed, x, i, sum->children[0]);
        emit(ed, EV_EDIT_BRACKET, x, node_of(ed, sum->kind, x, first, sum->children[1]));
    }
}

/* L^T L becomes L L^T (repairs). */
static void edit_order(editor *ed, const ev_syntax *x)
{
    for (size_t i = 0; ed->repairs && i + 1 < x->child_count; i++) {
        ev_syntax *swapped = copy_of(ed, x, x->child_count);
        if (swapped == NULL)
            return;
        swapped->children[i] = x->children[i + 1];
        swapped->children[i + 1] = x->children[i];
        emit(ed, EV_EDIT_EXCHANGE, x, swapped);
    }
}

static void edit_product(editor *ed, const ev_syntax *x)
{
    edit_order(ed, x);
    for (size_t i = 0; i < x->child_count; i++)
        emit(ed, EV_EDIT_FACTOR, x, without_child(ed, x, i));
    edit_distribution(ed, x);
}

static void edit_quotient(editor *ed, const ev_syntax *x)
{
    const ev_syntax *top = x->children[0], *bottom = x->children[1];
    emit(ed, EV_EDIT_FACTOR, x, top);
    for (size_t i = 0; bottom->kind == EV_SYNTAX_MUL && i < bottom->child_count; i++)
        emit(ed, EV_EDIT_FACTOR, x, with_child(ed, x, 1, without_child(ed, bottom, i)));
    bool one = top->kind == EV_SYNTAX_NUMBER && top->number == 1.0;
    if (!one || bottom->kind != EV_SYNTAX_NUMBER)
        emit(ed, EV_EDIT_FACTOR, x, node_of(ed, EV_SYNTAX_DIV, x, bottom, top));
}

static bool under_power(const editor *ed)
{
    for (size_t i = ed->depth; i-- > 0;) {
        if (ed->path[i].node->kind == EV_SYNTAX_POW)
            return true;
        if (ed->path[i].node->kind != EV_SYNTAX_INDEX)
            return false;
    }
    return false;
}

static bool is_positive(const editor *ed, const ev_syntax *x)
{
    while (x->kind == EV_SYNTAX_INDEX)
        x = x->children[0];
    if (x->kind != EV_SYNTAX_SYMBOL)
        return false;
    const ev_symbol *s = &ed->table->symbols[x->symbol];
    return s->kind == EV_SYMBOL_REAL && s->domain.low >= 0 && !s->domain.simplex &&
           !s->domain.binary && s->rank < 2;
}

static void edit_power_of(editor *ed, const ev_syntax *x)
{
    bool inside_index = ed->depth > 0 && ed->path[ed->depth - 1].node->kind == EV_SYNTAX_INDEX;
    if (inside_index || under_power(ed) || !is_positive(ed, x))
        return;
    emit(ed, EV_EDIT_POWER, x, node_of(ed, EV_SYNTAX_POW, x, x, number_of(ed, x, 2)));
}

static void edit_symbol(editor *ed, const ev_syntax *x)
{
    edit_power_of(ed, x);
    for (size_t i = 0; i < ed->symbol_count; i++)
        if (ed->symbols[i] != x->symbol &&
            same_type(&ed->table->symbols[x->symbol], &ed->table->symbols[ed->symbols[i]]))
            emit(ed, EV_EDIT_SWAP_SYMBOL, x, symbol_of(ed, x, ed->symbols[i]));
}

static void edit_index(editor *ed, const ev_syntax *x)
{
    edit_power_of(ed, x);
    for (size_t i = 1; i < x->child_count; i++) {
        const ev_syntax *index = x->children[i];
        if (index->kind != EV_SYNTAX_SYMBOL)
            continue;
        emit(ed, EV_EDIT_INDEX, x, with_child(ed, x, i, number_of(ed, x, 1)));
        for (size_t k = 0; k < ed->index_count; k++)
            if (ed->indices[k] != index->symbol)
                emit(ed, EV_EDIT_INDEX, x, with_child(ed, x, i, symbol_of(ed, x, ed->indices[k])));
    }
    /* sigma_j for sigma-tilde_j: the base as a symbol of its own */
}

/* p(x | z) becomes p(x), q(x) becomes p(x), f becomes f/q (repairs). */
static void edit_application(editor *ed, const ev_syntax *x)
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
        ev_syntax *swapped = copy_of(ed, other, other->child_count);
        for (size_t k = 0; swapped != NULL && k < d->left_count; k++)
            swapped->children[k] = x->children[k];
        emit(ed, EV_EDIT_DENSITY, x, swapped);
        if (ed->repairs) {
            emit(ed, EV_EDIT_WEIGHT, x, node_of(ed, EV_SYNTAX_DIV, x, x, swapped));
            emit(ed, EV_EDIT_WEIGHT, x, node_of(ed, EV_SYNTAX_MUL, x, x, swapped));
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
static void edit_argument(editor *ed, const ev_syntax *x)
{
    if (!ed->repairs || x->child_count != 1 || x->function != EV_FUNCTION_EXP)
        return;
    const double factors[] = {0.5, 2};
    for (size_t i = 0; i < 2; i++)
        emit(ed, EV_EDIT_FACTOR, x,
             with_child(
                 ed, x, 0,
                 node_of(ed, EV_SYNTAX_MUL, x, number_of(ed, x, factors[i]), x->children[0])));
}

static void edit_function(editor *ed, const ev_syntax *x)
{
    edit_argument(ed, x);
    if (ed->repairs && x->function == EV_FUNCTION_DET)
        emit(ed, EV_EDIT_DROP_FUNCTION, x, node_of(ed, EV_SYNTAX_ABS, x, x, NULL));
    if (may_drop(x->function) && x->child_count == 1)
        emit(ed,
             x->function == EV_FUNCTION_STOP_GRADIENT ? EV_EDIT_DROP_OPERATION
                                                      : EV_EDIT_DROP_FUNCTION,
             x, x->children[0]);
}

/* Another upper end, a later start, a bracket closed too early. */
static void edit_range(editor *ed, const ev_syntax *x)
{
    if (x->child_count == 3) {
        if (x->children[1]->kind == EV_SYNTAX_NUMBER)
            emit(ed, EV_EDIT_INDEX, x,
                 with_child(ed, x, 1, number_of(ed, x, x->children[1]->number + 1)));
        const ev_scope *scope = ed->formula->scope;
        for (size_t i = 0; i < scope->visible_count; i++) {
            const ev_symbol *s = &ed->table->symbols[scope->visible[i]];
            bool dimension = s->kind == EV_SYMBOL_INTEGER && s->high.symbol < 0;
            if (dimension && x->children[2]->kind == EV_SYNTAX_SYMBOL &&
                x->children[2]->symbol != scope->visible[i])
                emit(ed, EV_EDIT_INDEX, x,
                     with_child(ed, x, 2, symbol_of(ed, x, scope->visible[i])));
        }
    }
    const ev_syntax *body = x->children[0];
    if (x->kind == EV_SYNTAX_SUM && (body->kind == EV_SYNTAX_ADD || body->kind == EV_SYNTAX_SUB))
        emit(
            ed, EV_EDIT_BRACKET, x,
            node_of(ed, body->kind, x, with_child(ed, x, 0, body->children[0]), body->children[1]));
}

static void edit_expectation(editor *ed, const ev_syntax *x)
{
    emit(ed, EV_EDIT_DROP_OPERATION, x, x->children[0]);
    if (x->child_count != 2 || x->children[1]->kind != EV_SYNTAX_APPLY)
        return;
    const struct ev_definition *own = ed->table->symbols[x->children[1]->symbol].definition;
    for (size_t i = 0; i < ed->density_count; i++) {
        const ev_syntax *other = ed->densities[i];
        const struct ev_definition *d = ed->table->symbols[other->symbol].definition;
        bool fits = other->symbol != x->children[1]->symbol && d->left_count == own->left_count;
        for (size_t k = 0; fits && k < d->left_count; k++)
            fits = d->formals[k] == own->formals[k];
        if (!fits)
            continue;
        ev_syntax *density = copy_of(ed, other, other->child_count);
        for (size_t k = 0; density != NULL && k < d->left_count; k++)
            density->children[k] = x->children[1]->children[k];
        emit(ed, EV_EDIT_DENSITY, x, with_child(ed, x, 1, density));
    }
}

static void edit_divergence(editor *ed, const ev_syntax *x)
{
    if (x->child_count != 2)
        return;
    ev_syntax *exchanged = copy_of(ed, x, 2);
    if (exchanged == NULL)
        return;
    exchanged->children[0] = x->children[1];
    exchanged->children[1] = x->children[0];
    emit(ed, EV_EDIT_EXCHANGE, x, exchanged);
}

/* Not as a repair: a gradient by a symbol of which nothing depends is 0, and mends too much. */
static void edit_gradient(editor *ed, const ev_syntax *x)
{
    if (ed->repairs)
        return;
    for (size_t i = 0; i < ed->symbol_count; i++) {
        if (ed->symbols[i] == x->symbol ||
            !same_type(&ed->table->symbols[x->symbol], &ed->table->symbols[ed->symbols[i]]))
            continue;
        ev_syntax *other = copy_of(ed, x, x->child_count);
        if (other != NULL)
            other->symbol = ed->symbols[i];
        emit(ed, EV_EDIT_SWAP_SYMBOL, x, other);
    }
}

/* f a + b + c becomes f (a + b + c): repairs only. */
static void edit_collect(editor *ed, const ev_syntax *x)
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
        const ev_syntax *inner = without_child(ed, first, i);
        while (n-- > 0)
            inner = with_child(ed, spine[n], 0, inner);
        emit(ed, EV_EDIT_BRACKET, x, node_of(ed, EV_SYNTAX_MUL, x, first->children[i], inner));
    }
}

static void edit_node(editor *ed, const ev_syntax *x)
{
    switch (x->kind) {
    case EV_SYNTAX_ADD:
    case EV_SYNTAX_SUB:
        edit_sum(ed, x);
        edit_collect(ed, x);
        return;
    case EV_SYNTAX_NEG: emit(ed, EV_EDIT_FLIP_SIGN, x, x->children[0]); return;
    case EV_SYNTAX_MUL: edit_product(ed, x); return;
    case EV_SYNTAX_DIV: edit_quotient(ed, x); return;
    case EV_SYNTAX_POW:
        if (x->children[1]->kind == EV_SYNTAX_NUMBER || x->children[1]->kind == EV_SYNTAX_NEG)
            emit(ed, EV_EDIT_POWER, x, x->children[0]);
        return;
    case EV_SYNTAX_SYMBOL: edit_symbol(ed, x); return;
    case EV_SYNTAX_INDEX: edit_index(ed, x); return;
    case EV_SYNTAX_APPLY: edit_application(ed, x); return;
    case EV_SYNTAX_FUNCTION: edit_function(ed, x); return;
    case EV_SYNTAX_TRANSPOSE:
    case EV_SYNTAX_INVERSE: emit(ed, EV_EDIT_DROP_OPERATION, x, x->children[0]); return;
    case EV_SYNTAX_SUM:
    case EV_SYNTAX_PRODUCT: edit_range(ed, x); return;
    case EV_SYNTAX_EXPECT:
    case EV_SYNTAX_VARIANCE: edit_expectation(ed, x); return;
    case EV_SYNTAX_KL:
    case EV_SYNTAX_CROSS_ENTROPY: edit_divergence(ed, x); return;
    case EV_SYNTAX_GRADIENT: edit_gradient(ed, x); return;
    default: return;
    }
}

/* Which children are formulas of their own: not indices, ranges, exponents, densities. */
static size_t editable_children(const ev_syntax *x)
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
    case EV_SYNTAX_CROSS_ENTROPY:
    case EV_SYNTAX_APPLY: return 0;
    default: return x->child_count;
    }
}

static void visit(editor *ed, const ev_syntax *x)
{
    if (ed->depth == MAX_DEPTH || ed->failed)
        return;
    edit_node(ed, x);
    bool binds = x->kind == EV_SYNTAX_SUM || x->kind == EV_SYNTAX_PRODUCT;
    if (binds && ed->index_count < 32)
        ed->indices[ed->index_count++] = x->symbol;
    for (size_t i = 0; i < editable_children(x); i++) {
        ed->path[ed->depth++] = (place){x, i};
        visit(ed, x->children[i]);
        ed->depth--;
    }
    if (binds)
        ed->index_count--;
}

/* The gradient that the log-derivative trick forgets: plus E[grad f], for the factors f of an
 * expectation's body (repairs). */
static void add_gradients(editor *ed, const ev_syntax *whole, const ev_syntax *x, int symbol)
{
    if (x->kind == EV_SYNTAX_EXPECT)
        for (size_t i = 0; x->children[0]->kind == EV_SYNTAX_MUL && i < x->children[0]->child_count;
             i++) {
            ev_syntax *gradient = copy_of(
                ed, node_of(ed, EV_SYNTAX_GRADIENT, x, x->children[0]->children[i], NULL), 1);
            if (gradient == NULL)
                return;
            gradient->symbol = symbol;
            emit(ed, EV_EDIT_ADD_TERM, whole,
                 node_of(ed, EV_SYNTAX_ADD, whole, whole, with_child(ed, x, 0, gradient)));
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

/* Signs and factors of a whole side say nothing where the other side is 0. */
static void edit_member(editor *ed, size_t member, const ev_syntax *other)
{
    const ev_syntax *x = ed->formula->members[member];
    ed->member = member;
    bool argmin = x->kind == EV_SYNTAX_ARGMIN || x->kind == EV_SYNTAX_ARGMAX;
    bool scale = !(other->kind == EV_SYNTAX_NUMBER && other->number == 0.0);
    if (!argmin && scale && x->kind != EV_SYNTAX_NUMBER) {
        emit(ed, EV_EDIT_FLIP_SIGN, x, node_of(ed, EV_SYNTAX_NEG, x, x, NULL));
        emit(ed, EV_EDIT_FACTOR, x, node_of(ed, EV_SYNTAX_MUL, x, number_of(ed, x, 2), x));
        emit(ed, EV_EDIT_FACTOR, x, node_of(ed, EV_SYNTAX_MUL, x, number_of(ed, x, 0.5), x));
    }
    if (x->kind == EV_SYNTAX_NUMBER)
        emit(ed, EV_EDIT_DROP_TERM, x, number_of(ed, x, x->number + 1));
    visit(ed, x);
    int symbol = gradient_symbol(other);
    if (ed->repairs && symbol >= 0)
        add_gradients(ed, x, x, symbol);
}

/* Keep at most limit, taking from the kinds in turn so that none is lost; no member twice. */
static void choose(editor *ed, size_t limit)
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
    editor ed = {
        .formula = formula, .table = formula->scope->table, .arena = arena, .repairs = repairs};
    const ev_formula_step *s = &formula->steps[step];
    gather(&ed, formula->members[s->left]);
    gather(&ed, formula->members[s->right]);
    if (repairs)
        gather_declared(&ed);
    edit_member(&ed, s->right, formula->members[s->left]);
    bool first = true;
    for (size_t i = 0; i < step; i++)
        first &= formula->steps[i].right != s->left;
    if (first || repairs)
        edit_member(&ed, s->left, formula->members[s->right]);
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
