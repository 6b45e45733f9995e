/* Definitions: densities and functions q(z | x) = ..., indexed values \gamma_c = ...,
 * per-sample values \mu_x^{(l)} = ..., plain names \Sigma = ... */
#include "formula/declaration.h"
#include "formula/occurrence.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    const ev_token *place;
    int formals[16];
    size_t count, left;
    bool applied, sample_index;
    int inferred; /* a formal that was undeclared, or -1 */
    bool hidden;  /* all indices were undeclared letters: the body tells whether they are indices */
    const char *full_name; /* with its subscript, for when they are not */
    size_t first_binder;
} head;

static bool add_formal(ev_parser *parser, head *h, int symbol, const ev_token *place)
{
    for (size_t i = 0; i < h->count; i++) {
        if (h->formals[i] == symbol) {
            ev_parser_fail(parser, place, "the same argument twice");
            return false;
        }
    }
    if (h->count == 16) {
        ev_parser_fail(parser, place, "more than 16 arguments");
        return false;
    }
    h->formals[h->count++] = symbol;
    return true;
}

static int hidden_symbol(ev_scope *scope, ev_parser *parser, ev_symbol symbol,
                         const ev_token *place)
{
    symbol.line = place->line, symbol.column = place->column;
    symbol.hidden = symbol.kind == EV_SYMBOL_INTEGER;
    int index = ev_symbol_table_add(scope->table, &symbol);
    if (index < 0 || parser->binder_count == sizeof parser->binders / sizeof *parser->binders) {
        ev_error_set(parser->error, EV_NO_MEMORY, "out of memory");
        return -1;
    }
    parser->binders[parser->binder_count++] = (ev_binder){symbol.name, index};
    return index;
}

/* One argument in q(z | x).  An undeclared first one may get its type from a Gaussian. */
static bool formal_argument(ev_scope *scope, ev_parser *parser, head *h)
{
    const ev_token *place = ev_parser_token(parser);
    const char *name;
    size_t next = ev_parser_name(parser, parser->at, &name);
    if (next == 0)
        return ev_parser_fail(parser, place, "expected the name of an argument") != NULL;
    int symbol = ev_parser_find(parser, name);
    if (symbol < 0) {
        if (h->count > 0)
            return ev_parser_fail(parser, place, "%s is not declared", name) != NULL;
        ev_symbol inferred = {.name = name,
                              .kind = EV_SYMBOL_REAL,
                              .domain = {.low = (double)-INFINITY, .high = (double)INFINITY}};
        symbol = h->inferred = hidden_symbol(scope, parser, inferred, place);
        if (symbol < 0)
            return false;
    }
    ev_symbol_kind kind = scope->table->symbols[symbol].kind;
    if (kind != EV_SYMBOL_REAL && kind != EV_SYMBOL_INTEGER)
        return ev_parser_fail(parser, place, "%s is no variable", name) != NULL;
    parser->at = next;
    return add_formal(parser, h, symbol, place);
}

static bool formal_arguments(ev_scope *scope, ev_parser *parser, head *h)
{
    parser->at++; /* ( */
    h->applied = true;
    h->left = SIZE_MAX;
    for (;;) {
        if (!formal_argument(scope, parser, h))
            return false;
        const ev_token *t = ev_parser_token(parser);
        bool bar = ev_token_is(t, '|') || ev_token_is_command(t, "mid") || ev_token_is(t, ';');
        if (bar && h->left != SIZE_MAX)
            return ev_parser_fail(parser, t, "a second bar between the arguments") != NULL;
        if (bar)
            h->left = h->count;
        if (!bar && !ev_token_is(t, ','))
            break;
        parser->at++;
    }
    if (h->left == SIZE_MAX)
        h->left = h->count;
    return ev_parser_expect(parser, ')', "after the arguments");
}

/* One index on the left: a declared integer, or a letter that stands for nothing yet. */
static int index_formal(ev_scope *scope, ev_parser *parser, head *h, size_t at, size_t *next)
{
    const char *name;
    *next = ev_parser_base_name(parser, at, &name);
    if (*next == 0)
        return -1;
    int symbol = ev_parser_find(parser, name);
    bool letter = parser->list.tokens[at].kind == EV_TOKEN_LETTER && *next == at + 1;
    if (symbol >= 0) {
        h->hidden = false;
        return scope->table->symbols[symbol].kind == EV_SYMBOL_INTEGER ? symbol : -1;
    }
    if (!letter || ev_parser_is_family(parser, name))
        return -1;
    ev_symbol hidden = {
        .name = name, .kind = EV_SYMBOL_INTEGER, .low = {-1, 0, 1}, .high = {-1, 0, 1}};
    return hidden_symbol(scope, parser, hidden, &parser->list.tokens[at]);
}

/* \gamma_c, m_j, \rho_{c,j}: indices when every part is a declared integer or an unused letter; else
 * the subscript is part of the name. */
static bool index_formals(ev_scope *scope, ev_parser *parser, head *h)
{
    size_t at = parser->at + 1, binders = parser->binder_count;
    const ev_token *t = parser->list.tokens;
    bool braced = ev_token_is(&t[at], '{');
    at += braced;
    h->hidden = true;
    for (;;) {
        size_t next;
        int symbol = index_formal(scope, parser, h, at, &next);
        if (symbol < 0) {
            h->count = 0;
            h->hidden = false;
            parser->binder_count = binders;
            return false;
        }
        if (!add_formal(parser, h, symbol, &t[at]))
            return false;
        at = next;
        if (!braced)
            break;
        if (ev_token_is(&t[at], ','))
            at++;
        else if (ev_token_is(&t[at], '}'))
            break;
    }
    parser->at = at + braced;
    return true;
}

static bool sample_formal(ev_scope *scope, ev_parser *parser, head *h)
{
    const ev_token *t = ev_parser_token(parser);
    if (!ev_token_is(t, '^') || !ev_token_is(t + 1, '{') || !ev_token_is(t + 2, '('))
        return true;
    const char *name;
    size_t next = ev_parser_base_name(parser, parser->at + 3, &name);
    if (next == 0)
        return ev_parser_fail(parser, t + 3, "expected the sample's index") != NULL;
    int symbol = ev_parser_find(parser, name);
    if (symbol < 0) {
        ev_symbol hidden = {
            .name = name, .kind = EV_SYMBOL_INTEGER, .low = {-1, 0, 1}, .high = {-1, 0, 1}};
        symbol = hidden_symbol(scope, parser, hidden, t + 3);
        if (symbol < 0)
            return false;
    }
    if (!add_formal(parser, h, symbol, t + 3))
        return false;
    parser->at = next;
    h->sample_index = true;
    h->name = ev_arena_format(parser->arena, "%s^{()}", h->name);
    return h->name != NULL && ev_parser_expect(parser, ')', "after the sample's index") &&
           ev_parser_expect(parser, '}', "after the sample's index");
}

/* The subscript belongs to the name after all. */
static void not_indexed(ev_parser *parser, head *h)
{
    h->name = h->full_name;
    h->count = 0;
    h->hidden = false;
    parser->binder_count = h->first_binder;
}

/* \mu_x = f(z), x a letter that nothing declares: no index, for the body does not use it. */
static bool uses_indices(const ev_symbol_table *table, const head *h, const ev_syntax *body)
{
    unsigned char *flags = calloc(table->symbol_count + 1, 1);
    bool uses = false;
    if (flags == NULL)
        return true;
    ev_mark_occurrences(table, body, flags);
    for (size_t i = 0; i < h->count; i++)
        uses |= flags[h->formals[i]] != 0;
    free(flags);
    return uses;
}

static bool read_head(ev_scope *scope, ev_parser *parser, head *h)
{
    h->place = ev_parser_token(parser);
    size_t next = ev_parser_base_name(parser, parser->at, &h->name);
    if (next == 0)
        return ev_parser_fail(parser, h->place, "expected the name that is defined") != NULL;
    parser->at = next;
    if (ev_token_is(ev_parser_token(parser), '_')) {
        const char *subscript;
        size_t after = ev_parser_group_text(parser, parser->at + 1, &subscript);
        if (after == 0)
            return false;
        h->full_name = ev_arena_format(parser->arena, "%s_{%s}", h->name, subscript);
        bool named = !index_formals(scope, parser, h) ||
                     (h->hidden && !ev_token_is(&parser->list.tokens[after], '='));
        if (parser->error->status != EV_OK || h->full_name == NULL)
            return false;
        if (named)
            not_indexed(parser, h), parser->at = after;
    }
    if (h->name == NULL)
        return false;
    if (h->count == 0 && !sample_formal(scope, parser, h))
        return false;
    if (h->count == 0 && ev_token_is(ev_parser_token(parser), '('))
        return formal_arguments(scope, parser, h);
    return true;
}

/* ---- types from Gaussians ---- */

bool ev_shape_of(const ev_symbol_table *table, const ev_syntax *e, unsigned *rank, ev_dim *rows)
{
    const ev_symbol *s = e->symbol >= 0 ? &table->symbols[e->symbol] : NULL;
    switch (e->kind) {
    case EV_SYNTAX_SYMBOL:
        if (s->kind == EV_SYMBOL_DEFINITION)
            return s->definition->formal_count == 0 &&
                   ev_shape_of(table, s->definition->body, rank, rows);
        if (s->kind != EV_SYMBOL_REAL)
            return *rank = 0, s->kind == EV_SYMBOL_INTEGER;
        *rank = s->rank, *rows = s->rows;
        return true;
    case EV_SYNTAX_INDEX:
        if (s == NULL)
            s = e->children[0]->kind == EV_SYNTAX_SYMBOL ? &table->symbols[e->children[0]->symbol]
                                                         : NULL;
        if (s == NULL || s->kind != EV_SYMBOL_REAL)
            return false;
        *rank = s->rank + s->is_sample;
        if (*rank < e->child_count - 1)
            return false;
        *rank -= (unsigned)(e->child_count - 1);
        *rows = s->rank == 2 ? s->cols : s->rows;
        return true;
    case EV_SYNTAX_APPLY:
        if (s->kind == EV_SYMBOL_DEFINITION)
            return ev_shape_of(table, s->definition->body, rank, rows);
        *rank = s->rank, *rows = s->rows;
        return true;
    case EV_SYNTAX_ADD:
    case EV_SYNTAX_SUB:
    case EV_SYNTAX_NEG:
    case EV_SYNTAX_POW:
    case EV_SYNTAX_DIV:
    case EV_SYNTAX_ODOT:
    case EV_SYNTAX_OSLASH: return ev_shape_of(table, e->children[0], rank, rows);
    case EV_SYNTAX_FUNCTION:
        if (e->function == EV_FUNCTION_DET || e->function == EV_FUNCTION_TRACE)
            return *rank = 0, true;
        if (!ev_shape_of(table, e->children[0], rank, rows))
            return false;
        *rank = e->function == EV_FUNCTION_DIAG ? 2 : *rank;
        return true;
    case EV_SYNTAX_MUL: {
        unsigned best = 0;
        for (size_t i = 0; i < e->child_count; i++) {
            unsigned r;
            ev_dim d;
            if (!ev_shape_of(table, e->children[i], &r, &d))
                return false;
            if (r == 1 || (r == 2 && best == 0))
                best = r, *rows = d;
        }
        *rank = best;
        return true;
    }
    case EV_SYNTAX_NUMBER: *rank = 0; return true;
    default: return false;
    }
}

/* z in \mathcal{N}(z; m, S): a vector like m, or like S's rows when m is 0. */
static bool infer_type(ev_scope *scope, ev_parser *parser, const head *h, const ev_syntax *body)
{
    ev_symbol_table *table = scope->table;
    const char *name = table->symbols[h->inferred].name;
    unsigned rank, mean_rank = 0;
    ev_dim rows = {-1, 0, 1}, mean_rows = {-1, 0, 1};
    bool gaussian = body->kind == EV_SYNTAX_NORMAL && body->children[0]->kind == EV_SYNTAX_SYMBOL &&
                    body->children[0]->symbol == h->inferred;
    bool known = gaussian && ev_shape_of(table, body->children[1], &mean_rank, &mean_rows);
    bool zero = known && body->children[1]->kind == EV_SYNTAX_NUMBER;
    rank = mean_rank, rows = mean_rows;
    if (known && zero) {
        known = ev_shape_of(table, body->children[2], &rank, &rows);
        rank = rank == 2 ? 1 : rank;
    }
    if (!known || rank > 1)
        return ev_parser_fail(parser, h->place,
                              "%s is not declared, and its type does not follow: "
                              "declare it first",
                              name) != NULL;
    table->symbols[h->inferred].rank = rank;
    table->symbols[h->inferred].rows = rows;
    if (!ev_scope_show(scope, h->inferred)) {
        ev_error_set(parser->error, EV_NO_MEMORY, "out of memory");
        return false;
    }
    return true;
}

/* ---- keeping it ---- */

static bool same_signature(const struct ev_definition *d, const head *h)
{
    return d->formal_count == h->count && d->left_count == h->left &&
           memcmp(d->formals, h->formals, h->count * sizeof *h->formals) == 0;
}

static bool already_defined(ev_scope *scope, ev_parser *parser, const head *h)
{
    size_t before = SIZE_MAX;
    for (int s; (s = ev_scope_find_family(scope, h->name, &before)) >= 0;) {
        const ev_symbol *known = &scope->table->symbols[s];
        if (!h->applied || known->kind == EV_SYMBOL_FUNCTION ||
            same_signature(known->definition, h)) {
            ev_parser_fail(parser, h->place, "%s is already declared (line %zu)", h->name,
                           known->line);
            return true;
        }
    }
    int plain = ev_scope_find(scope, h->name);
    if (plain >= 0) {
        const ev_symbol *known = &scope->table->symbols[plain];
        ev_parser_fail(parser, h->place,
                       "%s is already declared (line %zu): a condition is written "
                       "with <, > or \\ne, and no declared name can be defined again",
                       h->name, known->line);
        return true;
    }
    return false;
}

static bool keep(ev_scope *scope, ev_parser *parser, const head *h, const ev_syntax *body)
{
    struct ev_definition *d = ev_arena_array(parser->arena, 1, sizeof *d);
    int *formals = ev_arena_array(parser->arena, h->count + 1, sizeof *formals);
    if (d == NULL || formals == NULL) {
        ev_error_set(parser->error, EV_NO_MEMORY, "out of memory");
        return false;
    }
    memcpy(formals, h->formals, h->count * sizeof *formals);
    *d = (struct ev_definition){.formal_count = h->count,
                                .formals = formals,
                                .left_count = h->left,
                                .applied = h->applied,
                                .sample_index = h->sample_index,
                                .body = body};
    ev_symbol symbol = {.name = h->name,
                        .kind = EV_SYMBOL_DEFINITION,
                        .line = h->place->line,
                        .column = h->place->column,
                        .definition = d};
    int index = ev_symbol_table_add(scope->table, &symbol);
    if (index < 0 || !ev_scope_show(scope, index)) {
        ev_error_set(parser->error, EV_NO_MEMORY, "out of memory");
        return false;
    }
    return true;
}

bool ev_declare_definition(ev_scope *scope, ev_parser *parser)
{
    head h = {.inferred = -1, .first_binder = parser->binder_count};
    if (!read_head(scope, parser, &h) ||
        !ev_parser_expect(parser, '=', "after the left side of the definition"))
        return false;
    if (!h.hidden && already_defined(scope, parser, &h))
        return false;
    const ev_syntax *body = ev_parse_expression(parser);
    if (body == NULL)
        return false;
    if (h.hidden && !uses_indices(scope->table, &h, body))
        not_indexed(parser, &h);
    parser->binder_count = h.first_binder;
    if (already_defined(scope, parser, &h) ||
        (h.inferred >= 0 && !infer_type(scope, parser, &h, body)))
        return false;
    return keep(scope, parser, &h, body);
}
