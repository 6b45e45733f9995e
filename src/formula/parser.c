/* Expressions: sums of terms, terms of factors, factors with their postfixes.
 *
 *   expression := [sign] term (sign term)*
 *   term       := factor (factor | \cdot factor | / factor | \odot factor)*
 *   factor     := atom (^group | _group | |_group)*
 *
 * Where print leaves two readings the parser refuses and says which brackets it wants:
 * a/bc, \log x y, x^12. */
#include "formula/parser.h"
#include "formula/occurrence.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ev_status ev_parser_init(ev_parser *parser, const ev_scope *scope, ev_span span, ev_error *error)
{
    *parser = (ev_parser){.scope = scope, .arena = scope->table->arena, .error = error};
    return ev_lex(span, parser->arena, &parser->list, error);
}

const ev_token *ev_parser_token(const ev_parser *parser)
{
    return &parser->list.tokens[parser->at];
}

const ev_token *ev_parser_ahead(const ev_parser *parser, size_t n)
{
    size_t at = parser->at + n;
    return &parser->list.tokens[at < parser->list.count ? at : parser->list.count - 1];
}

void *ev_parser_fail(ev_parser *parser, const ev_token *token, const char *format, ...)
{
    char message[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    ev_error_at(parser->error, parser->list.span.file, token->line, token->column,
                token->length + (token->kind == EV_TOKEN_COMMAND), "%s", message);
    return NULL;
}

const char *ev_token_describe(const ev_token *token, char buffer[48])
{
    if (token->kind == EV_TOKEN_END)
        snprintf(buffer, 48, "the end of the formula");
    else if (token->kind == EV_TOKEN_BREAK)
        snprintf(buffer, 48, "a new line \\\\");
    else if (ev_token_is_command(token, "|")) /* behind a factor it could be a divergence's bar */
        snprintf(buffer, 48, "'\\|' (write norms as \\lVert v\\rVert)");
    else
        snprintf(buffer, 48, "'%s%.*s'", token->kind == EV_TOKEN_COMMAND ? "\\" : "",
                 (int)(token->length < 32 ? token->length : 32), token->text);
    return buffer;
}

bool ev_parser_expect(ev_parser *parser, char c, const char *where)
{
    char found[48];
    if (ev_token_is(ev_parser_token(parser), c)) {
        parser->at++;
        return true;
    }
    ev_parser_fail(parser, ev_parser_token(parser), "expected '%c' %s, found %s", c, where,
                   ev_token_describe(ev_parser_token(parser), found));
    return false;
}

/* ---- nodes ---- */

ev_syntax *ev_syntax_new(ev_parser *parser, ev_syntax_kind kind, const ev_token *place,
                         size_t children)
{
    ev_syntax *node = ev_arena_array(parser->arena, 1, sizeof *node);
    const ev_syntax **list = ev_arena_array(parser->arena, children + 1, sizeof *list);
    if (node == NULL || list == NULL) {
        ev_error_set(parser->error, EV_NO_MEMORY, "out of memory");
        return NULL;
    }
    node->kind = kind;
    node->children = list;
    node->child_count = children;
    node->symbol = -1;
    node->line = place->line;
    node->column = place->column;
    node->length = place->length + (place->kind == EV_TOKEN_COMMAND);
    return node;
}

const ev_syntax *ev_syntax_number(ev_parser *parser, const ev_token *place, double number)
{
    ev_syntax *node = ev_syntax_new(parser, EV_SYNTAX_NUMBER, place, 0);
    if (node != NULL)
        node->number = number;
    return node;
}

const ev_syntax *ev_syntax_symbol(ev_parser *parser, const ev_token *place, int symbol)
{
    ev_syntax *node = ev_syntax_new(parser, EV_SYNTAX_SYMBOL, place, 0);
    if (node != NULL)
        node->symbol = symbol;
    return node;
}

const ev_syntax *ev_syntax_unary(ev_parser *parser, ev_syntax_kind kind, const ev_token *place,
                                 const ev_syntax *a)
{
    ev_syntax *node = a == NULL ? NULL : ev_syntax_new(parser, kind, place, 1);
    if (node != NULL)
        node->children[0] = a;
    return node;
}

const ev_syntax *ev_syntax_binary(ev_parser *parser, ev_syntax_kind kind, const ev_token *place,
                                  const ev_syntax *a, const ev_syntax *b)
{
    ev_syntax *node = a == NULL || b == NULL ? NULL : ev_syntax_new(parser, kind, place, 2);
    if (node != NULL)
        node->children[0] = a, node->children[1] = b;
    return node;
}

const ev_syntax *ev_syntax_call(ev_parser *parser, ev_function function, const ev_token *place,
                                const ev_syntax *a)
{
    ev_syntax *node = a == NULL ? NULL : ev_syntax_new(parser, EV_SYNTAX_FUNCTION, place, 1);
    if (node != NULL)
        node->function = function, node->children[0] = a;
    return node;
}

/* ---- brackets ---- */

const char *ev_parser_bracket(const ev_parser *parser)
{
    const ev_token *t = ev_parser_token(parser);
    if (ev_token_is(t, '('))
        return ")";
    if (ev_token_is(t, '['))
        return "]";
    if (ev_token_is_command(t, "{"))
        return "}";
    return NULL;
}

bool ev_parser_close(ev_parser *parser, const char *closing, const ev_token *opened)
{
    const ev_token *t = ev_parser_token(parser);
    char found[48];
    bool closes = closing[0] == '}' ? ev_token_is_command(t, "}") : ev_token_is(t, closing[0]);
    if (closes) {
        parser->at++;
        return true;
    }
    ev_parser_fail(parser, t,
                   "expected %s%s to close the bracket of line %zu, column %zu; found %s",
                   closing[0] == '}' ? "\\" : "", closing, opened->line, opened->column,
                   ev_token_describe(t, found));
    return false;
}

ev_parser_context ev_parser_enter(ev_parser *parser)
{
    ev_parser_context saved = {parser->bar_ends, parser->absolute, parser->integrals};
    parser->bar_ends = parser->absolute = false;
    parser->integrals = 0;
    return saved;
}

void ev_parser_leave(ev_parser *parser, ev_parser_context saved)
{
    parser->bar_ends = saved.bar_ends;
    parser->absolute = saved.absolute;
    parser->integrals = saved.integrals;
}

const ev_syntax *ev_parse_bracketed(ev_parser *parser)
{
    const ev_token *opened = ev_parser_token(parser);
    const char *closing = ev_parser_bracket(parser);
    parser->at++;
    ev_parser_context saved = ev_parser_enter(parser);
    const ev_syntax *inside = ev_parse_expression(parser);
    ev_parser_leave(parser, saved);
    parser->open_gradient = NULL; /* the brackets end it */
    return inside != NULL && ev_parser_close(parser, closing, opened) ? inside : NULL;
}

/* {...} or one token, as TeX takes an argument. */
const ev_syntax *ev_parse_group(ev_parser *parser, const char *after)
{
    const ev_token *t = ev_parser_token(parser);
    if (ev_token_is(t, '{')) {
        parser->at++;
        ev_parser_context saved = ev_parser_enter(parser);
        const ev_syntax *inside = ev_parse_expression(parser);
        ev_parser_leave(parser, saved);
        return inside != NULL && ev_parser_expect(parser, '}', "at the end of the group") ? inside
                                                                                          : NULL;
    }
    if (t->kind == EV_TOKEN_NUMBER && t->length > 1)
        return ev_parser_fail(parser, t, "put braces around %.*s: after %s TeX takes one digit",
                              (int)t->length, t->text, after);
    if (t->kind == EV_TOKEN_NUMBER) {
        parser->at++;
        return ev_syntax_number(parser, t, t->number);
    }
    const char *name;
    size_t next = ev_parser_base_name(parser, parser->at, &name);
    int symbol = next == 0 ? -1 : ev_parser_find(parser, name);
    if (symbol < 0 && next != 0)
        return ev_parser_fail(parser, t, "%s is not declared", name);
    if (symbol < 0)
        return ev_parser_fail(parser, t, "put braces around what follows %s", after);
    parser->at = next;
    return ev_syntax_symbol(parser, t, symbol);
}

/* ---- terms and expressions ---- */

bool ev_parser_starts_factor(const ev_parser *parser)
{
    const ev_token *t = ev_parser_token(parser);
    static const char *const stops[] = {
        "}",          "rvert",   "rVert",    "mid",   "le",    "ge",    "leq",   "geq",  "approx",
        "propto",     "in",      "sim",      "perp",  "to",    "cdot",  "times", "odot", "oslash",
        "Rightarrow", "implies", "parallel", "Vert",  "dots",  "ldots", "cdots", "ne",   "neq",
        "lt",         "gt",      "iff",      "colon", "equiv", "|",     NULL};
    int symbol;
    if (parser->integrals > 0 && ev_parser_differential(parser, parser->at, &symbol) != 0)
        return false;
    switch (t->kind) {
    case EV_TOKEN_NUMBER:
    case EV_TOKEN_LETTER: return true;
    case EV_TOKEN_COMMAND:
        for (size_t i = 0; stops[i] != NULL; i++)
            if (ev_token_is_command(t, stops[i]))
                return false;
        return true;
    case EV_TOKEN_CHAR:
        if (ev_token_is(t, '|'))
            return !parser->bar_ends && !parser->absolute;
        return ev_token_is(t, '(') || ev_token_is(t, '[') || ev_token_is(t, '{');
    default: return false;
    }
}

/* A product that grows, and how many children fit into it; NULL before it has any. */
typedef struct {
    ev_syntax *node;
    size_t capacity;
} growing_product;

static const ev_syntax *append(ev_parser *parser, growing_product *own, const ev_syntax *product,
                               const ev_syntax *factor)
{
    if (factor == NULL)
        return NULL;
    size_t n = product->kind == EV_SYNTAX_MUL ? product->child_count : 1;
    if (product == own->node && n < own->capacity) {
        own->node->children[own->node->child_count++] = factor;
        return product;
    }
    ev_token place = {.line = product->line, .column = product->column, .length = product->length};
    ev_syntax *node = ev_syntax_new(parser, EV_SYNTAX_MUL, &place, 2 * n);
    if (node == NULL)
        return NULL;
    if (product->kind == EV_SYNTAX_MUL)
        memcpy(node->children, product->children, n * sizeof *node->children);
    else
        node->children[0] = product;
    node->children[n] = factor;
    node->child_count = n + 1;
    *own = (growing_product){node, 2 * n};
    return node;
}

/* \nabla_m f g, where g depends on m: two readings.  Where it does not, they are equal. */
static bool gradient_ends(ev_parser *parser, const ev_syntax *open, const ev_token *place,
                          const ev_syntax *next)
{
    const ev_symbol_table *table = parser->scope->table;
    unsigned char *flags = calloc(table->symbol_count + 1, 1);
    if (flags == NULL) {
        ev_error_set(parser->error, EV_NO_MEMORY, "out of memory");
        return false;
    }
    ev_mark_occurrences(table, next, flags);
    const bool depends = (flags[open->symbol] & EV_OCCURS_FREE) != 0;
    free(flags);
    if (depends)
        ev_parser_fail(parser, place,
                       "does the gradient take this factor too? Put brackets around what it takes");
    return !depends;
}

/* The next factor of a term; *open is the gradient before it that has no brackets, if any. */
static const ev_syntax *next_factor(ev_parser *parser, const ev_syntax **open)
{
    const ev_token *place = ev_parser_token(parser);
    const ev_syntax *factor = ev_parse_factor(parser);
    if (factor != NULL && *open != NULL && !gradient_ends(parser, *open, place, factor))
        return NULL;
    if (factor != NULL && *open == NULL && factor == parser->open_gradient)
        *open = factor;
    return factor;
}

static const ev_syntax *divide(ev_parser *parser, const ev_syntax *top, const ev_token *place,
                               const ev_syntax **open)
{
    const ev_syntax *node = ev_syntax_binary(parser, EV_SYNTAX_DIV, place, top,
                                             next_factor(parser, open));
    if (node == NULL)
        return NULL;
    const ev_token *t = ev_parser_token(parser);
    if (ev_token_is_product_sign(t) || ev_parser_starts_factor(parser))
        return ev_parser_fail(parser, t, "is this factor above or below the stroke? Use \\frac");
    return node;
}

/* Bracketed products stay one factor: (ab)^2 c is not a b^2 c. Here that costs nothing, since a
 * bracket's node is complete before a factor is appended; but a product in brackets must not be
 * flattened into an index run, so is_index_run looks at subscripts only. */
const ev_syntax *ev_parse_term(ev_parser *parser)
{
    const ev_syntax *open = NULL, *node = next_factor(parser, &open);
    growing_product own = {NULL, 0};
    while (node != NULL) {
        const ev_token *t = ev_parser_token(parser);
        if (ev_token_is_command(t, "cdot") || ev_token_is_command(t, "times")) {
            parser->at++;
            node = append(parser, &own, node, next_factor(parser, &open));
        } else if (ev_token_is_command(t, "odot") || ev_token_is_command(t, "oslash")) {
            bool times = ev_token_is_command(t, "odot");
            parser->at++;
            node = ev_syntax_binary(parser, times ? EV_SYNTAX_ODOT : EV_SYNTAX_OSLASH, t, node,
                                    next_factor(parser, &open));
        } else if (ev_token_is(t, '/')) {
            parser->at++;
            node = divide(parser, node, t, &open);
        } else if (ev_parser_starts_factor(parser)) {
            if (t->kind == EV_TOKEN_NUMBER && parser->at > 0 &&
                parser->list.tokens[parser->at - 1].kind == EV_TOKEN_NUMBER)
                return ev_parser_fail(parser, t, "two numbers side by side");
            node = append(parser, &own, node, next_factor(parser, &open));
        } else {
            break;
        }
    }
    return node;
}

/* A row that begins with + or - goes on with the sum of the row above. */
static void continue_row(ev_parser *parser)
{
    size_t at = parser->at;
    while (parser->list.tokens[at].kind == EV_TOKEN_BREAK ||
           parser->list.tokens[at].kind == EV_TOKEN_QUAD)
        at++;
    const ev_token *t = &parser->list.tokens[at];
    if (at > parser->at && parser->list.tokens[parser->at].kind == EV_TOKEN_BREAK &&
        (ev_token_is(t, '+') || ev_token_is(t, '-')))
        parser->at = at;
}

const ev_syntax *ev_parse_expression(ev_parser *parser)
{
    if (parser->depth == EV_PARSER_MAX_DEPTH)
        return ev_parser_fail(parser, ev_parser_token(parser), "nested more than %d deep",
                              EV_PARSER_MAX_DEPTH);
    parser->depth++;
    const ev_token *t = ev_parser_token(parser);
    bool negative = ev_token_is(t, '-');
    if (negative || ev_token_is(t, '+'))
        parser->at++;
    const ev_syntax *node = ev_parse_term(parser);
    if (negative)
        node = ev_syntax_unary(parser, EV_SYNTAX_NEG, t, node);
    while (node != NULL) {
        continue_row(parser);
        t = ev_parser_token(parser);
        bool plus = ev_token_is(t, '+');
        if (!plus && !ev_token_is(t, '-'))
            break;
        parser->at++;
        node = ev_syntax_binary(parser, plus ? EV_SYNTAX_ADD : EV_SYNTAX_SUB, t, node,
                                ev_parse_term(parser));
    }
    parser->depth--;
    return node;
}
