/* Fractions, derivatives written as fractions, and named functions with their arguments. */
#include "formula/parser.h"

#include <string.h>

/* ---- \frac, derivatives written as fractions ---- */

static bool is_derivative_sign(const ev_parser *parser, const ev_token *t)
{
    return ev_token_is_command(t, "partial") ||
           (t->kind == EV_TOKEN_LETTER && t->text[0] == 'd' && ev_parser_find(parser, "d") < 0);
}

/* \frac{\partial}{\partial x}, \frac{d}{dx}: the position of x, or 0. */
static size_t derivative_fraction(const ev_parser *parser)
{
    const ev_token *t = ev_parser_token(parser);
    if (!ev_token_is(t, '{') || !is_derivative_sign(parser, t + 1) || !ev_token_is(t + 2, '}') ||
        !ev_token_is(t + 3, '{') || !is_derivative_sign(parser, t + 4))
        return 0;
    return parser->at + 5;
}

const ev_syntax *ev_parse_fraction(ev_parser *parser)
{
    const ev_token *place = ev_parser_token(parser);
    parser->at++;
    size_t variable = derivative_fraction(parser);
    if (variable != 0) {
        const char *name;
        size_t next = ev_parser_name(parser, variable, &name);
        int symbol = next == 0 ? -1 : ev_parser_find(parser, name);
        if (symbol < 0)
            return ev_parser_fail(parser, &parser->list.tokens[variable],
                                  "a derivative is with respect to a declared symbol");
        parser->at = next;
        return ev_parser_expect(parser, '}', "after the variable of the derivative")
                   ? ev_parse_gradient_of(parser, place, symbol)
                   : NULL;
    }
    const ev_token *t = ev_parser_token(parser);
    if (t->kind == EV_TOKEN_NUMBER && t->length > 1) { /* \frac12 */
        if (t->length > 2 || memchr(t->text, '.', t->length) != NULL)
            return ev_parser_fail(parser, t, "put braces around the two parts of this fraction");
        parser->at++;
        return ev_syntax_binary(parser, EV_SYNTAX_DIV, place,
                                ev_syntax_number(parser, t, (double)(t->text[0] - '0')),
                                ev_syntax_number(parser, t, (double)(t->text[1] - '0')));
    }
    const ev_syntax *top = ev_parse_group(parser, "\\frac");
    const ev_syntax *bottom = top == NULL ? NULL : ev_parse_group(parser, "\\frac");
    return ev_syntax_binary(parser, EV_SYNTAX_DIV, place, top, bottom);
}

/* ---- functions ---- */

typedef struct {
    const char *name;
    ev_function function;
} function_name;

static const function_name function_commands[] = {
    {"log", EV_FUNCTION_LOG}, {"ln", EV_FUNCTION_LOG},
    {"exp", EV_FUNCTION_EXP}, {"tanh", EV_FUNCTION_TANH},
    {"sin", EV_FUNCTION_SIN}, {"cos", EV_FUNCTION_COS},
    {"max", EV_FUNCTION_MAX}, {"min", EV_FUNCTION_MIN},
    {"det", EV_FUNCTION_DET}, {NULL, 0}};
static const function_name function_words[] = {
    {"sigmoid", EV_FUNCTION_SIGMOID},  {"softplus", EV_FUNCTION_SOFTPLUS},
    {"softmax", EV_FUNCTION_SOFTMAX},  {"tr", EV_FUNCTION_TRACE},
    {"diag", EV_FUNCTION_DIAG},        {"log", EV_FUNCTION_LOG},
    {"exp", EV_FUNCTION_EXP},          {"det", EV_FUNCTION_DET},
    {"sg", EV_FUNCTION_STOP_GRADIENT}, {NULL, 0}};

bool ev_token_is_big_operator(const ev_token *t)
{
    static const char *const names[] = {"sum", "prod", "int", "iint", "mathbb", NULL};
    for (size_t i = 0; names[i] != NULL; i++)
        if (ev_token_is_command(t, names[i]))
            return true;
    return false;
}

bool ev_token_is_product_sign(const ev_token *t)
{
    return ev_token_is(t, '/') || ev_token_is_command(t, "cdot") ||
           ev_token_is_command(t, "times") || ev_token_is_command(t, "odot") ||
           ev_token_is_command(t, "oslash");
}

/* After a function's unbracketed argument nothing may stand that could belong to it. */
static bool argument_ends(ev_parser *parser, const ev_token *function)
{
    const ev_token *t = ev_parser_token(parser);
    if (ev_token_is_big_operator(t) ||
        (!ev_token_is_product_sign(t) && !ev_parser_starts_factor(parser)))
        return true;
    char word[32];
    const size_t at = (size_t)(function - parser->list.tokens);
    const bool named = ev_parser_word(parser, at, word) != 0; /* \operatorname{tr} */
    ev_parser_fail(parser, t,
                   "does \\%.*s%s%s%s take this factor too? Put its argument in brackets: "
                   "\\%.*s%s%s%s(…)",
                   (int)function->length, function->text, named ? "{" : "", named ? word : "",
                   named ? "}" : "", (int)function->length, function->text, named ? "{" : "",
                   named ? word : "", named ? "}" : "");
    return false;
}

static bool is_two_pi(const ev_parser *parser)
{
    return ev_parser_token(parser)->kind == EV_TOKEN_NUMBER &&
           ev_token_is_command(ev_parser_ahead(parser, 1), "pi") &&
           !ev_token_is(ev_parser_ahead(parser, 2), '_');
}

static const ev_syntax *function_argument(ev_parser *parser, const ev_token *function)
{
    if (ev_parser_bracket(parser) != NULL) {
        const ev_syntax *inside = ev_parse_bracketed(parser);
        if (inside != NULL && ev_token_is(ev_parser_token(parser), '^'))
            return ev_parser_fail(parser, ev_parser_token(parser),
                                  "a power of the function or of its argument? Put brackets");
        return inside;
    }
    const ev_token *place = ev_parser_token(parser);
    const ev_syntax *argument;
    if (is_two_pi(parser)) {
        const ev_syntax *number = ev_parse_factor(parser);
        const ev_syntax *pi = number == NULL ? NULL : ev_parse_factor(parser);
        argument = ev_syntax_binary(parser, EV_SYNTAX_MUL, place, number, pi);
    } else {
        argument = ev_parse_factor(parser);
    }
    return argument != NULL && argument_ends(parser, function) ? argument : NULL;
}

static const ev_syntax *extremum(ev_parser *parser, ev_function function, const ev_token *place)
{
    const ev_token *opened = ev_parser_token(parser);
    const char *closing = ev_parser_bracket(parser);
    if (closing == NULL)
        return ev_parser_fail(parser, opened, "\\max and \\min take their arguments in brackets");
    parser->at++;
    ev_parser_context saved = ev_parser_enter(parser);
    const ev_syntax *all = ev_parse_expression(parser);
    while (all != NULL && ev_token_is(ev_parser_token(parser), ',')) {
        parser->at++;
        ev_syntax *both = ev_syntax_new(parser, EV_SYNTAX_FUNCTION, place, 2);
        const ev_syntax *next = ev_parse_expression(parser);
        if (both == NULL || next == NULL)
            return NULL;
        both->function = function;
        both->children[0] = all, both->children[1] = next;
        all = both;
    }
    ev_parser_leave(parser, saved);
    return all != NULL && ev_parser_close(parser, closing, opened) ? all : NULL;
}

static const ev_syntax *function_call(ev_parser *parser, ev_function function, size_t next)
{
    const ev_token *place = ev_parser_token(parser);
    bool indexed = ev_token_is(&parser->list.tokens[next], '_');
    if (indexed && (function == EV_FUNCTION_MAX || function == EV_FUNCTION_MIN))
        return ev_parse_sum(parser,
                            function == EV_FUNCTION_MAX ? EV_SYNTAX_MAXIMUM : EV_SYNTAX_MINIMUM);
    parser->at = next;
    if (function == EV_FUNCTION_MAX || function == EV_FUNCTION_MIN)
        return extremum(parser, function, place);
    if (ev_token_is(ev_parser_token(parser), '^'))
        return ev_parser_fail(parser, ev_parser_token(parser),
                              "write the power outside brackets: (\\log x)^2");
    return ev_syntax_call(parser, function, place, function_argument(parser, place));
}

const ev_syntax *ev_parse_function(ev_parser *parser, bool *known)
{
    const ev_token *t = ev_parser_token(parser);
    char word[32];
    *known = true;
    for (const function_name *f = function_commands; f->name != NULL; f++)
        if (ev_token_is_command(t, f->name))
            return function_call(parser, f->function, parser->at + 1);
    size_t next = ev_parser_word(parser, parser->at, word);
    for (const function_name *f = function_words; next != 0 && f->name != NULL; f++)
        if (strcmp(f->name, word) == 0)
            return function_call(parser, f->function, next);
    *known = false;
    return NULL;
}
