/* Big operators: sums, integrals, expectations, divergences, gradients, arg-mins, densities. */
#include "formula/parser.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- sums and products ---- */

/* A sum's index: the declared symbol of that name, or a hidden one. */
static int bind_index(ev_parser *parser, const char *name, const ev_token *place)
{
    if (parser->binder_count == sizeof parser->binders / sizeof *parser->binders) {
        ev_parser_fail(parser, place, "too many indices in force");
        return -1;
    }
    int symbol = ev_parser_find(parser, name);
    const ev_symbol *known = symbol < 0 ? NULL : &parser->scope->table->symbols[symbol];
    if (known != NULL && known->kind != EV_SYMBOL_INTEGER &&
        !(known->kind == EV_SYMBOL_REAL && known->domain.binary)) {
        ev_parser_fail(parser, place, "%s is declared and is no index", name);
        return -1;
    }
    if (symbol < 0) {
        ev_symbol hidden = {.name = name,
                            .kind = EV_SYMBOL_INTEGER,
                            .line = place->line,
                            .column = place->column,
                            .hidden = true,
                            .low = {-1, 0, 1},
                            .high = {-1, 0, 1}};
        symbol = ev_symbol_table_add(parser->scope->table, &hidden);
        if (symbol < 0) {
            ev_error_set(parser->error, EV_NO_MEMORY, "out of memory");
            return -1;
        }
    }
    parser->binders[parser->binder_count++] = (ev_binder){name, symbol};
    return symbol;
}

/* c' without a range of its own runs over that of c. */
static const ev_symbol *range_of(ev_parser *parser, const char *name, int symbol)
{
    const ev_symbol *s = &parser->scope->table->symbols[symbol];
    bool hidden = s->kind == EV_SYMBOL_INTEGER && s->hidden;
    if (!hidden)
        return s;
    char base[128];
    snprintf(base, sizeof base, "%.*s", (int)strcspn(name, "'^"), name);
    int other = strcmp(base, name) == 0 ? -1 : ev_parser_find(parser, base);
    if (other < 0)
        return NULL;
    ev_symbol *own = &parser->scope->table->symbols[symbol];
    own->low = parser->scope->table->symbols[other].low;
    own->high = parser->scope->table->symbols[other].high;
    return own;
}

/* What stands under and over the sign. */
typedef struct {
    const char *name;
    const ev_token *place;
    const ev_syntax *low, *high;
} range;

static bool upper_limit(ev_parser *parser, range *r)
{
    if (!ev_token_is(ev_parser_token(parser), '^'))
        return true;
    parser->at++;
    bool braced = ev_token_is(ev_parser_token(parser), '{');
    parser->at += braced;
    r->high = braced ? ev_parse_expression(parser) : NULL;
    if (!braced) { /* one token */
        const ev_token *t = ev_parser_token(parser);
        const char *name;
        size_t next = ev_parser_base_name(parser, parser->at, &name);
        int symbol = next == 0 ? -1 : ev_parser_find(parser, name);
        if (t->kind == EV_TOKEN_NUMBER)
            r->high = ev_syntax_number(parser, t, t->number), parser->at++;
        else if (symbol >= 0)
            r->high = ev_syntax_symbol(parser, t, symbol), parser->at = next;
        else
            ev_parser_fail(parser, t, "the upper limit is no declared integer");
    }
    return r->high != NULL && (!braced || ev_parser_expect(parser, '}', "after the upper limit"));
}

static bool read_range(ev_parser *parser, range *r)
{
    bool upper_first = ev_token_is(ev_parser_token(parser), '^');
    if (upper_first && !upper_limit(parser, r))
        return false;
    const ev_token *t = ev_parser_token(parser);
    if (!ev_token_is(t, '_')) {
        ev_parser_fail(parser, t, "a sum or product needs an index: \\sum_{j=1}^J");
        return false;
    }
    parser->at++;
    bool braced = ev_token_is(ev_parser_token(parser), '{');
    parser->at += braced;
    r->place = ev_parser_token(parser);
    size_t next = ev_parser_base_name(parser, parser->at, &r->name);
    if (next == 0) {
        ev_parser_fail(parser, r->place, "expected the index of the sum");
        return false;
    }
    parser->at = next;
    if (braced && ev_token_is(ev_parser_token(parser), '=')) {
        parser->at++;
        r->low = ev_parse_expression(parser);
        if (r->low == NULL)
            return false;
    }
    if (braced && !ev_parser_expect(parser, '}', "after the range of the index"))
        return false;
    return upper_first || upper_limit(parser, r);
}

const ev_syntax *ev_parse_sum(ev_parser *parser, ev_syntax_kind kind)
{
    const ev_token *place = ev_parser_token(parser);
    parser->at++;
    range r = {0};
    if (!read_range(parser, &r))
        return NULL;
    if ((r.low == NULL) != (r.high == NULL))
        return ev_parser_fail(parser, r.place, "a range needs both ends: \\sum_{j=1}^J");
    size_t binders = parser->binder_count;
    int symbol = bind_index(parser, r.name, r.place);
    if (symbol < 0)
        return NULL;
    if (r.low == NULL && parser->scope->table->symbols[symbol].kind == EV_SYMBOL_INTEGER &&
        range_of(parser, r.name, symbol) == NULL)
        return ev_parser_fail(parser, r.place, "%s has no declared range", r.name);
    if (r.low != NULL && parser->scope->table->symbols[symbol].kind != EV_SYMBOL_INTEGER)
        return ev_parser_fail(parser, r.place, "%s is binary: a sum over it takes no range",
                              r.name);
    const ev_token *sign = ev_parser_token(parser);
    bool negative = ev_token_is(sign, '-');
    parser->at += negative;
    const ev_syntax *body = ev_parse_term(parser);
    parser->binder_count = binders;
    ev_syntax *node = body == NULL ? NULL
                                   : ev_syntax_new(parser, kind, place, r.low == NULL ? 1 : 3);
    if (node == NULL)
        return NULL;
    if (negative) {
        ev_syntax *minus = ev_syntax_new(parser, EV_SYNTAX_NEG, sign, 1);
        if (minus == NULL)
            return NULL;
        minus->children[0] = body;
        body = minus;
    }
    node->children[0] = body;
    if (r.low != NULL)
        node->children[1] = r.low, node->children[2] = r.high;
    node->symbol = symbol;
    return node;
}

/* ---- integrals ---- */

static bool is_variable(const ev_parser *parser, int symbol)
{
    return symbol >= 0 && parser->scope->table->symbols[symbol].kind == EV_SYMBOL_REAL &&
           !parser->scope->table->symbols[symbol].is_sample;
}

size_t ev_parser_differential(const ev_parser *parser, size_t at, int *symbol)
{
    const ev_token *t = parser->list.tokens;
    size_t next = at;
    char word[32];
    if (t[at].kind == EV_TOKEN_LETTER && t[at].text[0] == 'd')
        next = at + 1;
    else if ((next = ev_parser_word(parser, at, word)) == 0 || strcmp(word, "d") != 0)
        return 0;
    const char *name;
    size_t end = ev_parser_name(parser, next, &name);
    *symbol = end == 0 ? -1 : ev_parser_find(parser, name);
    return is_variable(parser, *symbol) ? end : 0;
}

/* \int_z names the variable again; limits are refused. */
static bool integral_subscript(ev_parser *parser)
{
    const ev_token *t = ev_parser_token(parser);
    if (ev_token_is(t, '^')) {
        ev_parser_fail(parser, t, "integrals run over the whole space: limits can't be given");
        return false;
    }
    if (!ev_token_is(t, '_'))
        return true;
    const char *name, *ignored;
    bool braced = ev_token_is(t + 1, '{');
    size_t next = ev_parser_name(parser, parser->at + 1 + braced, &name);
    if (next == 0 || !is_variable(parser, ev_parser_find(parser, name)) ||
        (braced && !ev_token_is(&parser->list.tokens[next], '}'))) {
        ev_parser_fail(parser, t + 1, "only a declared variable may stand under an integral");
        return false;
    }
    parser->at = ev_parser_group_text(parser, parser->at + 1, &ignored);
    return true;
}

const ev_syntax *ev_parse_integral(ev_parser *parser)
{
    const ev_token *place = ev_parser_token(parser);
    size_t signs = 0;
    int variables[16];
    while (ev_token_is_command(ev_parser_token(parser), "int") ||
           ev_token_is_command(ev_parser_token(parser), "iint")) {
        signs += ev_token_is_command(ev_parser_token(parser), "int") ? 1 : 2;
        parser->at++;
        if (!integral_subscript(parser))
            return NULL;
    }
    if (signs > 8)
        return ev_parser_fail(parser, place, "more than 8 integral signs");
    const ev_parser_context saved = ev_parser_enter(parser); /* the differential closes it */
    parser->integrals = 1;
    const ev_syntax *body = ev_parse_expression(parser);
    ev_parser_leave(parser, saved);
    if (body == NULL)
        return NULL;
    for (size_t i = 0; i < signs; i++) {
        size_t end = ev_parser_differential(parser, parser->at, &variables[i]);
        if (end == 0)
            return ev_parser_fail(parser, ev_parser_token(parser),
                                  "the integral of line %zu, column %zu needs its differential "
                                  "here, of a declared variable: dz",
                                  place->line, place->column);
        parser->at = end;
    }
    ev_syntax *node = ev_syntax_new(parser, EV_SYNTAX_INTEGRAL, place, 1);
    int *list = ev_arena_array(parser->arena, signs, sizeof *list);
    if (node == NULL || list == NULL)
        return NULL;
    memcpy(list, variables, signs * sizeof *list);
    node->children[0] = body;
    node->variables = list;
    node->variable_count = signs;
    return node;
}

/* ---- expectations ---- */

static bool keep_variables(ev_parser *parser, ev_syntax *node, const int *variables, size_t count)
{
    int *list = ev_arena_array(parser->arena, count + 1, sizeof *list);
    if (list == NULL)
        return false;
    memcpy(list, variables, count * sizeof *list);
    node->variables = list;
    node->variable_count = count;
    return true;
}

static const ev_syntax *bracket_body(ev_parser *parser, const char *what)
{
    const ev_token *opened = ev_parser_token(parser);
    const char *closing = ev_parser_bracket(parser);
    if (closing == NULL)
        return ev_parser_fail(parser, opened, "%s takes its argument in brackets", what);
    parser->at++;
    const ev_parser_context saved = ev_parser_enter(parser);
    const ev_syntax *body = ev_parse_expression(parser);
    ev_parser_leave(parser, saved);
    return body != NULL && ev_parser_close(parser, closing, opened) ? body : NULL;
}

const ev_syntax *ev_parse_expectation(ev_parser *parser, ev_syntax_kind kind)
{
    const ev_token *place = ev_parser_token(parser);
    const char *ignored;
    parser->at = ev_parser_group_text(parser, parser->at + 1, &ignored);
    int variables[16];
    size_t count = 0;
    const ev_syntax *density = NULL;
    if (ev_token_is(ev_parser_token(parser), '_')) {
        parser->at++;
        bool braced = ev_token_is(ev_parser_token(parser), '{');
        parser->at += braced;
        if (!braced) { /* \mathbb{E}_q: one token only */
            const char *name;
            const ev_token *t = ev_parser_token(parser);
            size_t next = ev_parser_base_name(parser, parser->at, &name);
            if (next == 0)
                return ev_parser_fail(parser, t, "expected a density");
            parser->at = next;
            density = ev_parse_bare_family(parser, name, t);
            if (density == NULL || !ev_density_variables(parser, density, t, variables, &count))
                return NULL;
        } else {
            density = ev_parse_density(parser, variables, &count);
            if (density == NULL ||
                !ev_parser_expect(parser, '}', "after the density of the expectation"))
                return NULL;
        }
    }
    const ev_syntax *body = bracket_body(parser, "an expectation");
    ev_syntax *node = body == NULL ? NULL
                                   : ev_syntax_new(parser, kind, place, density != NULL ? 2 : 1);
    if (node == NULL)
        return NULL;
    node->children[0] = body;
    if (density != NULL)
        node->children[1] = density;
    return keep_variables(parser, node, variables, count) ? node : NULL;
}

/* ---- divergences and entropies ---- */

static bool same_variables(size_t n, const int *a, size_t m, const int *b)
{
    return n == m && memcmp(a, b, n * sizeof *a) == 0;
}

static bool divergence_separator(ev_parser *parser)
{
    const ev_token *t = ev_parser_token(parser);
    if (ev_token_is_command(t, "|") || ev_token_is_command(t, "parallel") ||
        ev_token_is_command(t, "Vert") || ev_token_is(t, ',')) {
        parser->at++;
        return true;
    }
    if (ev_token_is(t, '|') && ev_token_is(t + 1, '|')) {
        parser->at += 2;
        return true;
    }
    ev_parser_fail(parser, t, "expected \\| between the two densities");
    return false;
}

/* Past D_{KL}, \mathrm{KL}, \mathcal{H}, \mathrm{H}: to the bracket. */
static void skip_head(ev_parser *parser)
{
    const ev_token *t = ev_parser_token(parser);
    const char *ignored;
    if (t->kind == EV_TOKEN_LETTER) /* D_{KL} */
        parser->at = ev_parser_group_text(parser, parser->at + 2, &ignored);
    else
        parser->at = ev_parser_group_text(parser, parser->at + 1, &ignored);
}

/* One density, or two with a separator between; variables are those of the first. */
typedef struct {
    const ev_syntax *q, *p; /* p NULL: one */
    int variables[16];
    size_t count;
} operands;

static bool second_density(ev_parser *parser, operands *o)
{
    const ev_token *place = ev_parser_token(parser);
    int others[16];
    size_t count = 0;
    o->p = ev_parse_density(parser, others, &count);
    if (o->p == NULL)
        return false;
    if (!same_variables(o->count, o->variables, count, others)) {
        ev_parser_fail(parser, place, "the two densities are not of the same variables");
        return false;
    }
    return true;
}

/* q \| p: a bar parts them. */
static bool divergence_operands(ev_parser *parser, operands *o)
{
    parser->absolute = true;
    o->q = ev_parse_density(parser, o->variables, &o->count);
    return o->q != NULL && divergence_separator(parser) && second_density(parser, o);
}

/* q, or q, p. */
static bool entropy_operands(ev_parser *parser, operands *o)
{
    o->q = ev_parse_density(parser, o->variables, &o->count);
    if (o->q == NULL || !ev_token_is(ev_parser_token(parser), ','))
        return o->q != NULL;
    parser->at++;
    return second_density(parser, o);
}

/* The operands in their brackets; wanted says what is expected there. */
static bool bracket_operands(ev_parser *parser, bool (*read)(ev_parser *, operands *), operands *o,
                             const char *wanted)
{
    const ev_token *opened = ev_parser_token(parser);
    const char *closing = ev_parser_bracket(parser);
    if (closing == NULL) {
        ev_parser_fail(parser, opened, "%s", wanted);
        return false;
    }
    parser->at++;
    const ev_parser_context saved = ev_parser_enter(parser);
    const bool ok = read(parser, o);
    ev_parser_leave(parser, saved);
    return ok && ev_parser_close(parser, closing, opened);
}

static const ev_syntax *of_operands(ev_parser *parser, ev_syntax_kind kind, const ev_token *place,
                                    const operands *o)
{
    ev_syntax *node = ev_syntax_new(parser, kind, place, o->p == NULL ? 1 : 2);
    if (node == NULL)
        return NULL;
    node->children[0] = o->q;
    if (o->p != NULL)
        node->children[1] = o->p;
    return keep_variables(parser, node, o->variables, o->count) ? node : NULL;
}

const ev_syntax *ev_parse_divergence(ev_parser *parser)
{
    const ev_token *place = ev_parser_token(parser);
    operands o = {.q = NULL};
    skip_head(parser);
    if (!bracket_operands(parser, divergence_operands, &o,
                          "a divergence takes two densities in brackets"))
        return NULL;
    return of_operands(parser, EV_SYNTAX_KL, place, &o);
}

const ev_syntax *ev_parse_entropy(ev_parser *parser)
{
    const ev_token *place = ev_parser_token(parser);
    operands o = {.q = NULL};
    skip_head(parser);
    if (!bracket_operands(parser, entropy_operands, &o, "an entropy takes a density in brackets"))
        return NULL;
    return of_operands(parser, o.p == NULL ? EV_SYNTAX_ENTROPY : EV_SYNTAX_CROSS_ENTROPY, place,
                       &o);
}

/* ---- gradients and arg-mins ---- */

/* The declared symbol under a \nabla or an \arg\min. */
static int operand_symbol(ev_parser *parser, const char *what, const char *sign)
{
    const ev_token *t = ev_parser_token(parser);
    if (!ev_token_is(t, '_')) {
        ev_parser_fail(parser, t,
                       "%s needs its variable as a subscript: of what? Write %s_{x}, x declared",
                       what, sign);
        return -1;
    }
    parser->at++;
    bool braced = ev_token_is(ev_parser_token(parser), '{');
    parser->at += braced;
    const ev_token *place = ev_parser_token(parser);
    const char *name;
    size_t next = braced ? ev_parser_name(parser, parser->at, &name)
                         : ev_parser_base_name(parser, parser->at, &name);
    int symbol = next == 0 ? -1 : ev_parser_find(parser, name);
    if (symbol < 0 || parser->scope->table->symbols[symbol].kind != EV_SYMBOL_REAL) {
        ev_parser_fail(parser, place, "%s is with respect to a declared real symbol", what);
        return -1;
    }
    parser->at = next;
    if (braced && !ev_parser_expect(parser, '}', "after the variable"))
        return -1;
    return symbol;
}

const ev_syntax *ev_parse_gradient_of(ev_parser *parser, const ev_token *place, int symbol)
{
    const bool ends = ev_parser_bracket(parser) != NULL ||
                      ev_token_is_big_operator(ev_parser_token(parser));
    const ev_syntax *body = ev_parse_factor(parser);
    ev_syntax *node = body == NULL ? NULL : ev_syntax_new(parser, EV_SYNTAX_GRADIENT, place, 1);
    if (node == NULL)
        return NULL;
    node->children[0] = body;
    node->symbol = symbol;
    if (!ends)
        parser->open_gradient = node;
    return node;
}

const ev_syntax *ev_parse_gradient(ev_parser *parser)
{
    const ev_token *place = ev_parser_token(parser);
    parser->at++;
    int symbol = operand_symbol(parser, "a gradient", "\\nabla");
    return symbol < 0 ? NULL : ev_parse_gradient_of(parser, place, symbol);
}

const ev_syntax *ev_parse_argmin(ev_parser *parser, ev_syntax_kind kind)
{
    const ev_token *place = ev_parser_token(parser);
    parser->at += 2;
    int symbol = kind == EV_SYNTAX_ARGMIN ? operand_symbol(parser, "an arg-min", "\\arg\\min")
                                          : operand_symbol(parser, "an arg-max", "\\arg\\max");
    const ev_syntax *body = symbol < 0 ? NULL : ev_parse_term(parser);
    ev_syntax *node = body == NULL ? NULL : ev_syntax_new(parser, kind, place, 1);
    if (node == NULL)
        return NULL;
    node->children[0] = body;
    return keep_variables(parser, node, &symbol, 1) ? node : NULL;
}
