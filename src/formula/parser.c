/* Expressions: sums of terms, terms of factors, factors with their postfixes.
 *
 *   expression := [sign] term (sign term)*
 *   term       := factor (factor | \cdot factor | / factor | \odot factor)*
 *   factor     := atom (^group | _group | |_group)*
 *
 * Where print leaves two readings the parser refuses and says which brackets it wants:
 * a/bc, \log x y, x^12. */
#include "formula/parser.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

ev_status ev_parser_init(ev_parser *parser, const ev_scope *scope, ev_span span, ev_error *error)
{
    *parser = (ev_parser){.scope = scope, .arena = scope->table->arena, .error = error};
    return ev_lex(span, parser->arena, &parser->list, error);
}

const ev_token *ev_parser_token(const ev_parser *parser) { return &parser->list.tokens[parser->at]; }

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

static const ev_syntax *unary(ev_parser *parser, ev_syntax_kind kind, const ev_token *place,
                              const ev_syntax *a)
{
    ev_syntax *node = a == NULL ? NULL : ev_syntax_new(parser, kind, place, 1);
    if (node != NULL)
        node->children[0] = a;
    return node;
}

static const ev_syntax *binary(ev_parser *parser, ev_syntax_kind kind, const ev_token *place,
                               const ev_syntax *a, const ev_syntax *b)
{
    ev_syntax *node = a == NULL || b == NULL ? NULL : ev_syntax_new(parser, kind, place, 2);
    if (node != NULL)
        node->children[0] = a, node->children[1] = b;
    return node;
}

static const ev_syntax *call(ev_parser *parser, ev_function function, const ev_token *place,
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
    ev_parser_fail(parser, t, "expected %s%s to close the bracket of line %zu, column %zu; found %s",
                   closing[0] == '}' ? "\\" : "", closing, opened->line, opened->column,
                   ev_token_describe(t, found));
    return false;
}

/* What a bracket hides from its inside. */
typedef struct {
    bool bar_ends, absolute;
    size_t integrals;
} context;

static context enter(ev_parser *parser)
{
    context saved = {parser->bar_ends, parser->absolute, parser->integrals};
    parser->bar_ends = parser->absolute = false;
    parser->integrals = 0;
    return saved;
}

static void leave(ev_parser *parser, context saved)
{
    parser->bar_ends = saved.bar_ends;
    parser->absolute = saved.absolute;
    parser->integrals = saved.integrals;
}

static const ev_syntax *bracketed(ev_parser *parser)
{
    const ev_token *opened = ev_parser_token(parser);
    const char *closing = ev_parser_bracket(parser);
    parser->at++;
    context saved = enter(parser);
    const ev_syntax *inside = ev_parse_expression(parser);
    leave(parser, saved);
    return inside != NULL && ev_parser_close(parser, closing, opened) ? inside : NULL;
}

/* {...} or one token, as TeX takes an argument. */
static const ev_syntax *group(ev_parser *parser, const char *after)
{
    const ev_token *t = ev_parser_token(parser);
    if (ev_token_is(t, '{')) {
        parser->at++;
        context saved = enter(parser);
        const ev_syntax *inside = ev_parse_expression(parser);
        leave(parser, saved);
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
    if (symbol < 0)
        return ev_parser_fail(parser, t, "put braces around what follows %s", after);
    parser->at = next;
    return ev_syntax_symbol(parser, t, symbol);
}

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

static const ev_syntax *gradient_of(ev_parser *parser, const ev_token *place, int symbol)
{
    const ev_syntax *body = ev_parse_factor(parser);
    ev_syntax *node = body == NULL ? NULL : ev_syntax_new(parser, EV_SYNTAX_GRADIENT, place, 1);
    if (node != NULL)
        node->children[0] = body, node->symbol = symbol;
    return node;
}

static const ev_syntax *fraction(ev_parser *parser)
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
                   ? gradient_of(parser, place, symbol)
                   : NULL;
    }
    const ev_token *t = ev_parser_token(parser);
    if (t->kind == EV_TOKEN_NUMBER && t->length > 1) { /* \frac12 */
        if (t->length > 2 || memchr(t->text, '.', t->length) != NULL)
            return ev_parser_fail(parser, t, "put braces around the two parts of this fraction");
        parser->at++;
        return binary(parser, EV_SYNTAX_DIV, place,
                      ev_syntax_number(parser, t, (double)(t->text[0] - '0')),
                      ev_syntax_number(parser, t, (double)(t->text[1] - '0')));
    }
    const ev_syntax *top = group(parser, "\\frac");
    const ev_syntax *bottom = top == NULL ? NULL : group(parser, "\\frac");
    return binary(parser, EV_SYNTAX_DIV, place, top, bottom);
}

/* ---- functions ---- */

typedef struct {
    const char *name;
    ev_function function;
} function_name;

static const function_name function_commands[] = {
    {"log", EV_FUNCTION_LOG}, {"ln", EV_FUNCTION_LOG}, {"exp", EV_FUNCTION_EXP},
    {"tanh", EV_FUNCTION_TANH}, {"sin", EV_FUNCTION_SIN}, {"cos", EV_FUNCTION_COS},
    {"max", EV_FUNCTION_MAX}, {"min", EV_FUNCTION_MIN}, {"det", EV_FUNCTION_DET}, {NULL, 0}};
static const function_name function_words[] = {
    {"sigmoid", EV_FUNCTION_SIGMOID}, {"softplus", EV_FUNCTION_SOFTPLUS},
    {"softmax", EV_FUNCTION_SOFTMAX}, {"tr", EV_FUNCTION_TRACE}, {"diag", EV_FUNCTION_DIAG},
    {"log", EV_FUNCTION_LOG}, {"exp", EV_FUNCTION_EXP}, {"det", EV_FUNCTION_DET}, {NULL, 0}};

static bool big_operator(const ev_token *t)
{
    static const char *const names[] = {"sum", "prod", "int", "iint", "mathbb", NULL};
    for (size_t i = 0; names[i] != NULL; i++)
        if (ev_token_is_command(t, names[i]))
            return true;
    return false;
}

static bool explicit_product(const ev_token *t)
{
    return ev_token_is(t, '/') || ev_token_is_command(t, "cdot") || ev_token_is_command(t, "times");
}

/* After a function's unbracketed argument nothing may stand that could belong to it. */
static bool argument_ends(ev_parser *parser, const ev_token *function)
{
    const ev_token *t = ev_parser_token(parser);
    if (big_operator(t) || (!explicit_product(t) && !ev_parser_starts_factor(parser)))
        return true;
    ev_parser_fail(parser, t, "does \\%.*s take this factor too? Put its argument in brackets",
                   (int)function->length, function->text);
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
        const ev_syntax *inside = bracketed(parser);
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
        argument = binary(parser, EV_SYNTAX_MUL, place, number, pi);
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
    context saved = enter(parser);
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
    leave(parser, saved);
    return all != NULL && ev_parser_close(parser, closing, opened) ? all : NULL;
}

static const ev_syntax *function_call(ev_parser *parser, ev_function function, size_t next)
{
    const ev_token *place = ev_parser_token(parser);
    parser->at = next;
    if (function == EV_FUNCTION_MAX || function == EV_FUNCTION_MIN)
        return extremum(parser, function, place);
    if (ev_token_is(ev_parser_token(parser), '^'))
        return ev_parser_fail(parser, ev_parser_token(parser),
                              "write the power outside brackets: (\\log x)^2");
    return call(parser, function, place, function_argument(parser, place));
}

/* ---- applications p(x|z), f(z) ---- */

static const char *base_of(const ev_symbol_table *table, const ev_syntax *argument)
{
    while (argument->kind == EV_SYNTAX_INDEX)
        argument = argument->children[0];
    return argument->kind == EV_SYNTAX_SYMBOL ? table->symbols[argument->symbol].name : NULL;
}

static size_t stem_length(const char *name)
{
    return strcspn(name, "'^_");
}

/* Is an argument the variable that a formal parameter names (primes and indices aside)?
 * Arguments that are no plain symbol fit any formal. */
static bool names_fit(const ev_symbol_table *table, const ev_syntax *argument, int formal)
{
    const char *given = base_of(table, argument), *wanted = table->symbols[formal].name;
    if (given == NULL)
        return true;
    size_t n = stem_length(given), m = stem_length(wanted);
    return strcmp(given, wanted) == 0 || (n == m && strncmp(given, wanted, n) == 0);
}

typedef struct {
    const ev_syntax *arguments[16];
    size_t count, left;
} argument_list;

static size_t formal_count(const ev_symbol *symbol)
{
    return symbol->kind == EV_SYMBOL_FUNCTION ? symbol->argument_count
                                              : symbol->definition->formal_count;
}

/* How well a definition fits a use: 0 not, 1 by count, 2 by names too. */
static int fit(const ev_symbol_table *table, const ev_symbol *symbol, const argument_list *list)
{
    if (formal_count(symbol) != list->count)
        return 0;
    if (symbol->kind == EV_SYMBOL_FUNCTION)
        return 2;
    if (symbol->definition->left_count != list->left)
        return 0;
    for (size_t i = 0; i < list->count; i++)
        if (!names_fit(table, list->arguments[i], symbol->definition->formals[i]))
            return 1;
    return 2;
}

static int choose_definition(ev_parser *parser, const char *name, const argument_list *list,
                             const ev_token *place)
{
    const ev_symbol_table *table = parser->scope->table;
    int best = -1, best_fit = 0, candidates = 0, ties = 0;
    size_t before = SIZE_MAX;
    for (int s; (s = ev_scope_find_family(parser->scope, name, &before)) >= 0; candidates++) {
        int how = fit(table, &table->symbols[s], list);
        ties = how > best_fit ? 1 : ties + (how == best_fit && how > 0);
        if (how > best_fit)
            best = s, best_fit = how;
    }
    bool conditional = list->left < list->count;
    if (best < 0 || (best_fit == 1 && (conditional || candidates > 1))) {
        ev_parser_fail(parser, place, "%s with these %zu argument%s is not defined%s", name,
                       list->count, list->count == 1 ? "" : "s",
                       candidates > 0 ? "; its other definitions have other arguments" : "");
        return -1;
    }
    if (ties > 1) {
        ev_parser_fail(parser, place, "more than one definition of %s fits these arguments", name);
        return -1;
    }
    return best;
}

static bool argument_separator(ev_parser *parser, argument_list *list, bool function)
{
    const ev_token *t = ev_parser_token(parser);
    bool bar = ev_token_is(t, '|') || ev_token_is_command(t, "mid") || ev_token_is(t, ';');
    if (!bar && !ev_token_is(t, ','))
        return false;
    if (bar && list->left != SIZE_MAX && !function) {
        ev_parser_fail(parser, t, "a second bar between the arguments");
        return false;
    }
    if (bar && list->left == SIZE_MAX)
        list->left = list->count;
    parser->at++;
    return true;
}

const ev_syntax *ev_parse_application(ev_parser *parser, const char *name, const ev_token *place)
{
    const ev_token *opened = ev_parser_token(parser);
    const char *closing = ev_parser_bracket(parser);
    if (closing == NULL)
        return ev_parser_fail(parser, opened, "%s takes arguments in brackets", name);
    parser->at++;
    context saved = enter(parser);
    parser->bar_ends = true;
    argument_list list = {.left = SIZE_MAX};
    do {
        if (list.count == 16)
            return ev_parser_fail(parser, ev_parser_token(parser), "more than 16 arguments");
        const ev_syntax *argument = ev_parse_expression(parser);
        if (argument == NULL)
            return NULL;
        list.arguments[list.count++] = argument;
    } while (argument_separator(parser, &list, false));
    leave(parser, saved);
    if (!ev_parser_close(parser, closing, opened))
        return NULL;
    if (list.left == SIZE_MAX)
        list.left = list.count;
    int symbol = choose_definition(parser, name, &list, place);
    ev_syntax *node = symbol < 0 ? NULL : ev_syntax_new(parser, EV_SYNTAX_APPLY, place, list.count);
    if (node == NULL)
        return NULL;
    node->symbol = symbol;
    memcpy(node->children, list.arguments, list.count * sizeof *list.arguments);
    return node;
}

/* ---- atoms ---- */

static const ev_syntax *absolute_value(ev_parser *parser)
{
    const ev_token *place = ev_parser_token(parser);
    bool bar = ev_token_is(place, '|');
    if (bar && (parser->bar_ends || parser->absolute))
        return ev_parser_fail(parser, place, "this bar can be read in two ways: use \\lvert … \\rvert");
    bool norm = ev_token_is_command(place, "|") || ev_token_is_command(place, "lVert");
    parser->at++;
    context saved = enter(parser);
    parser->absolute = bar;
    const ev_syntax *inside = ev_parse_expression(parser);
    leave(parser, saved);
    if (inside == NULL)
        return NULL;
    const ev_token *t = ev_parser_token(parser);
    bool closes = bar    ? ev_token_is(t, '|')
                  : norm ? ev_token_is_command(t, "|") || ev_token_is_command(t, "rVert")
                         : ev_token_is_command(t, "rvert");
    if (!closes)
        return ev_parser_fail(parser, t, "the bar of line %zu, column %zu is not closed",
                              place->line, place->column);
    parser->at++;
    return unary(parser, norm ? EV_SYNTAX_NORM : EV_SYNTAX_ABS, place, inside);
}

/* \mathbf{1}, \mathbf{0}, \mathbf 1. */
static const ev_syntax *bold_number(ev_parser *parser)
{
    const ev_token *t = ev_parser_token(parser);
    if (!ev_token_is_command(t, "mathbf") && !ev_token_is_command(t, "boldsymbol"))
        return NULL;
    bool braced = ev_token_is(t + 1, '{');
    const ev_token *digit = t + 1 + braced;
    if (digit->kind != EV_TOKEN_NUMBER || digit->length != 1 || digit->text[0] > '1' ||
        (braced && !ev_token_is(digit + 1, '}')))
        return NULL;
    parser->at += braced ? 4 : 2;
    return digit->text[0] == '0' ? ev_syntax_number(parser, t, 0.0)
                                 : ev_syntax_new(parser, EV_SYNTAX_ONES, t, 0);
}

static bool is_circle_constant(const ev_parser *parser, const char *name)
{
    if (strcmp(name, "\\pi") != 0)
        return false;
    bool after_number = parser->at > 0 && parser->list.tokens[parser->at - 1].kind == EV_TOKEN_NUMBER;
    bool indexed = ev_token_is(ev_parser_ahead(parser, 1), '_');
    return ev_parser_find(parser, name) < 0 || (after_number && !indexed);
}

static const ev_syntax *named(ev_parser *parser)
{
    const ev_token *place = ev_parser_token(parser);
    const char *name;
    size_t next = ev_parser_name(parser, parser->at, &name);
    if (next == 0)
        return NULL;
    if (is_circle_constant(parser, name)) {
        parser->at = next;
        return ev_syntax_number(parser, place, 3.14159265358979323846);
    }
    const ev_token *after = &parser->list.tokens[next];
    bool family = ev_parser_is_family(parser, name);
    int symbol = ev_parser_find(parser, name);
    if (family && (ev_token_is(after, '(') || ev_token_is(after, '['))) {
        parser->at = next;
        return ev_parse_application(parser, name, place);
    }
    if (symbol >= 0) {
        parser->at = next;
        return ev_syntax_symbol(parser, place, symbol);
    }
    if (family)
        return ev_parser_fail(parser, place, "%s takes arguments in brackets", name);
    if (strcmp(name, "e") == 0 || strcmp(name, "I") == 0) {
        parser->at = next;
        return name[0] == 'e' ? ev_syntax_number(parser, place, 2.71828182845904523536)
                              : ev_syntax_new(parser, EV_SYNTAX_IDENTITY, place, 0);
    }
    /* Samples alone have no value: z^{(l)} finds its family in the postfix. */
    char samples[160];
    snprintf(samples, sizeof samples, "%s^{()}", name);
    symbol = ev_parser_find(parser, samples);
    if (symbol >= 0) {
        parser->at = next;
        return ev_syntax_symbol(parser, place, symbol);
    }
    return ev_parser_fail(parser, place, "%s is not declared", name);
}

static const ev_syntax *operator_word(ev_parser *parser, bool *known)
{
    char word[32];
    size_t next = ev_parser_word(parser, parser->at, word);
    *known = true;
    if (next == 0) {
        *known = false;
        return NULL;
    }
    for (const function_name *f = function_words; f->name != NULL; f++)
        if (strcmp(f->name, word) == 0)
            return function_call(parser, f->function, next);
    if (strcmp(word, "KL") == 0)
        return ev_parse_divergence(parser);
    if (strcmp(word, "H") == 0)
        return ev_parse_entropy(parser);
    if (strcmp(word, "Var") == 0)
        return ev_parse_expectation(parser, EV_SYNTAX_VARIANCE);
    if (strcmp(word, "E") == 0)
        return ev_parse_expectation(parser, EV_SYNTAX_EXPECT);
    if (strcmp(word, "Ber") == 0)
        return ev_parse_base_density(parser, EV_SYNTAX_BERNOULLI, NULL);
    if (strcmp(word, "Cat") == 0)
        return ev_parse_base_density(parser, EV_SYNTAX_CATEGORICAL, NULL);
    *known = false;
    return NULL;
}

static bool calligraphic(const ev_parser *parser, const char *command, char letter)
{
    const ev_token *t = ev_parser_token(parser);
    if (!ev_token_is_command(t, command))
        return false;
    const ev_token *l = t + 1 + ev_token_is(t + 1, '{');
    return l->kind == EV_TOKEN_LETTER && l->text[0] == letter;
}

static bool is_divergence(const ev_parser *parser)
{
    const ev_token *t = ev_parser_token(parser);
    const char *subscript;
    return t->kind == EV_TOKEN_LETTER && t->text[0] == 'D' && ev_token_is(t + 1, '_') &&
           ev_parser_group_text(parser, parser->at + 2, &subscript) != 0 &&
           strcmp(subscript, "KL") == 0;
}

/* Atoms that begin with a command of their own. */
static const ev_syntax *special(ev_parser *parser, bool *known)
{
    const ev_token *t = ev_parser_token(parser);
    *known = true;
    if (ev_token_is_command(t, "frac") || ev_token_is_command(t, "tfrac") ||
        ev_token_is_command(t, "dfrac"))
        return fraction(parser);
    if (ev_token_is_command(t, "sqrt")) {
        parser->at++;
        return call(parser, EV_FUNCTION_SQRT, t, group(parser, "\\sqrt"));
    }
    if (ev_token_is_command(t, "infty")) {
        parser->at++;
        return ev_syntax_number(parser, t, (double)INFINITY);
    }
    if (ev_token_is_command(t, "sum"))
        return ev_parse_sum(parser, EV_SYNTAX_SUM);
    if (ev_token_is_command(t, "prod"))
        return ev_parse_sum(parser, EV_SYNTAX_PRODUCT);
    if (ev_token_is_command(t, "int") || ev_token_is_command(t, "iint"))
        return ev_parse_integral(parser);
    if (ev_token_is_command(t, "nabla"))
        return ev_parse_gradient(parser);
    if (ev_token_is_command(t, "arg") || ev_token_is_command(t, "argmin"))
        return ev_parser_fail(parser, t, "\\arg\\min must be a whole side of a relation");
    if (calligraphic(parser, "mathbb", 'E'))
        return ev_parse_expectation(parser, EV_SYNTAX_EXPECT);
    if (calligraphic(parser, "mathcal", 'N'))
        return ev_parse_base_density(parser, EV_SYNTAX_NORMAL, NULL);
    if (calligraphic(parser, "mathcal", 'U'))
        return ev_parse_base_density(parser, EV_SYNTAX_UNIFORM, NULL);
    if (calligraphic(parser, "mathcal", 'H'))
        return ev_parse_entropy(parser);
    if (is_divergence(parser))
        return ev_parse_divergence(parser);
    for (const function_name *f = function_commands; f->name != NULL; f++)
        if (ev_token_is_command(t, f->name))
            return function_call(parser, f->function, parser->at + 1);
    return operator_word(parser, known);
}

static const ev_syntax *atom(ev_parser *parser)
{
    const ev_token *t = ev_parser_token(parser);
    char found[48];
    if (t->kind == EV_TOKEN_NUMBER) {
        parser->at++;
        return ev_syntax_number(parser, t, t->number);
    }
    if (ev_token_is(t, '{'))
        return group(parser, "");
    if (ev_parser_bracket(parser) != NULL)
        return bracketed(parser);
    if (ev_token_is(t, '|') || ev_token_is_command(t, "|") || ev_token_is_command(t, "lvert") ||
        ev_token_is_command(t, "lVert"))
        return absolute_value(parser);
    const ev_syntax *node = bold_number(parser);
    if (node != NULL || parser->error->status != EV_OK)
        return node;
    bool known;
    node = special(parser, &known);
    if (known || node != NULL || parser->error->status != EV_OK)
        return node;
    node = named(parser);
    if (node != NULL || parser->error->status != EV_OK)
        return node;
    if (t->kind == EV_TOKEN_COMMAND)
        return ev_parser_fail(parser, t, "unknown command %s", ev_token_describe(t, found));
    return ev_parser_fail(parser, t, "expected a formula, found %s", ev_token_describe(t, found));
}

/* ---- postfixes ---- */

static bool add_index(ev_parser *parser, ev_syntax *node, const ev_syntax *index)
{
    if (node->child_count == 5) {
        ev_parser_fail(parser, ev_parser_token(parser), "too many indices");
        return false;
    }
    node->children[node->child_count++] = index;
    return true;
}

/* kj in A_{kj} is two indices, not their product. */
static bool is_index_run(const ev_parser *parser, const ev_syntax *e)
{
    if (e->kind != EV_SYNTAX_MUL)
        return false;
    for (size_t i = 0; i < e->child_count; i++)
        if (e->children[i]->kind != EV_SYNTAX_SYMBOL ||
            parser->scope->table->symbols[e->children[i]->symbol].kind != EV_SYMBOL_INTEGER)
            return false;
    return true;
}

static bool indices(ev_parser *parser, ev_syntax *node)
{
    const ev_token *t = ev_parser_token(parser);
    if (!ev_token_is(t, '{')) {
        const ev_syntax *index = group(parser, "_");
        return index != NULL && add_index(parser, node, index);
    }
    parser->at++;
    context saved = enter(parser);
    for (;;) {
        const ev_syntax *index = ev_parse_expression(parser);
        if (index == NULL)
            return false;
        bool run = is_index_run(parser, index);
        for (size_t i = 0; i < (run ? index->child_count : 1); i++)
            if (!add_index(parser, node, run ? index->children[i] : index))
                return false;
        if (!ev_token_is(ev_parser_token(parser), ','))
            break;
        parser->at++;
    }
    leave(parser, saved);
    return ev_parser_expect(parser, '}', "after the indices");
}

/* x_i where x is a real number and x_1,...,x_N are samples: the samples are meant. */
static const ev_syntax *samples_of_scalar(ev_parser *parser, const ev_syntax *base,
                                          const ev_token *place)
{
    if (base->kind != EV_SYNTAX_SYMBOL)
        return base;
    const ev_symbol *s = &parser->scope->table->symbols[base->symbol];
    if (s->kind != EV_SYMBOL_REAL || s->rank != 0 || s->is_sample)
        return base;
    char name[160];
    snprintf(name, sizeof name, "%s^{()}", s->name);
    int family = ev_parser_find(parser, name);
    return family < 0 ? base : ev_syntax_symbol(parser, place, family);
}

static const ev_syntax *indexed(ev_parser *parser, const ev_syntax *base, const ev_token *place)
{
    ev_syntax *node = ev_syntax_new(parser, EV_SYNTAX_INDEX, place, 5);
    if (node == NULL)
        return NULL;
    node->children[0] = samples_of_scalar(parser, base, place);
    node->child_count = 1;
    if (node->children[0] == NULL || !indices(parser, node))
        return NULL;
    if (base->kind == EV_SYNTAX_INDEX) { /* A_{k}|_{j}: keep one node */
        ev_syntax *joined = ev_syntax_new(parser, EV_SYNTAX_INDEX, place,
                                          base->child_count + node->child_count - 1);
        if (joined == NULL)
            return NULL;
        memcpy(joined->children, base->children, base->child_count * sizeof *base->children);
        memcpy(joined->children + base->child_count, node->children + 1,
               (node->child_count - 1) * sizeof *base->children);
        return joined;
    }
    return node;
}

/* ^{(l)}: the family of samples that the base names, or the base's own formal index. */
static const ev_syntax *sample(ev_parser *parser, const ev_syntax *base, const ev_token *place,
                               const ev_syntax *index)
{
    int symbol = base->kind == EV_SYNTAX_SYMBOL ? base->symbol : -1;
    if (symbol >= 0) {
        char name[160];
        snprintf(name, sizeof name, "%s^{()}", parser->scope->table->symbols[symbol].name);
        int family = ev_parser_find(parser, name);
        if (family >= 0)
            symbol = family;
    }
    const ev_symbol *s = symbol >= 0 ? &parser->scope->table->symbols[symbol] : NULL;
    bool has_index = s != NULL && (s->is_sample || (s->kind == EV_SYMBOL_DEFINITION &&
                                                    s->definition->sample_index));
    if (!has_index)
        return ev_parser_fail(parser, place, "no samples with this name are declared");
    ev_syntax *node = ev_syntax_new(parser, EV_SYNTAX_INDEX, place, 2);
    const ev_syntax *named_symbol = ev_syntax_symbol(parser, place, symbol);
    if (node == NULL || named_symbol == NULL)
        return NULL;
    node->children[0] = named_symbol;
    node->children[1] = index;
    return node;
}

static const ev_syntax *power(ev_parser *parser, const ev_syntax *base)
{
    const ev_token *place = ev_parser_token(parser);
    parser->at++;
    const ev_token *t = ev_parser_token(parser);
    bool braced = ev_token_is(t, '{');
    const ev_token *first = t + braced;
    bool minus = braced && ev_token_is(first, '-');
    const ev_token *top = first + minus;
    bool transpose = ev_token_is_command(top, "top") || ev_token_is_command(top, "intercal") ||
                     (top->kind == EV_TOKEN_LETTER && top->text[0] == 'T' &&
                      ev_parser_find(parser, "T") < 0);
    if (transpose && (!braced || ev_token_is(top + 1, '}'))) {
        parser->at += 1 + (size_t)minus + 2 * (size_t)braced;
        const ev_syntax *node = unary(parser, EV_SYNTAX_TRANSPOSE, place, base);
        return minus ? unary(parser, EV_SYNTAX_INVERSE, place, node) : node;
    }
    if (braced && ev_token_is(first, '(')) { /* ^{(l)} */
        parser->at += 2;
        const ev_syntax *index = ev_parse_expression(parser);
        bool ends = index != NULL && ev_parser_expect(parser, ')', "after the sample's index") &&
                    ev_parser_expect(parser, '}', "after the sample's index");
        return ends ? sample(parser, base, place, index) : NULL;
    }
    return binary(parser, EV_SYNTAX_POW, place, base, group(parser, "^"));
}

const ev_syntax *ev_parse_factor(ev_parser *parser)
{
    if (parser->depth == EV_PARSER_MAX_DEPTH)
        return ev_parser_fail(parser, ev_parser_token(parser), "nested more than %d deep",
                              EV_PARSER_MAX_DEPTH);
    parser->depth++;
    const ev_syntax *node = atom(parser);
    while (node != NULL) {
        const ev_token *t = ev_parser_token(parser);
        if (ev_token_is(t, '^')) {
            node = power(parser, node);
        } else if (ev_token_is(t, '_')) {
            parser->at++;
            node = indexed(parser, node, t);
        } else if (ev_token_is(t, '|') && ev_token_is(ev_parser_ahead(parser, 1), '_')) {
            parser->at += 2;
            node = indexed(parser, node, t);
        } else {
            break;
        }
    }
    parser->depth--;
    return node;
}

/* ---- terms and expressions ---- */

bool ev_parser_starts_factor(const ev_parser *parser)
{
    const ev_token *t = ev_parser_token(parser);
    static const char *const stops[] = {
        "}", "rvert", "rVert", "mid", "le", "ge", "leq", "geq", "approx", "propto", "in", "sim",
        "perp", "to", "cdot", "times", "odot", "oslash", "Rightarrow", "implies", "parallel",
        "Vert", "dots", "ldots", "cdots", "ne", "neq", "lt", "gt", "iff", "colon", "equiv", "|",
        NULL};
    int symbol;
    if (parser->integrals > 0 && ev_parser_differential(parser, parser->at, &symbol) != 0)
        return false;
    switch (t->kind) {
    case EV_TOKEN_NUMBER:
    case EV_TOKEN_LETTER:
        return true;
    case EV_TOKEN_COMMAND:
        for (size_t i = 0; stops[i] != NULL; i++)
            if (ev_token_is_command(t, stops[i]))
                return false;
        return true;
    case EV_TOKEN_CHAR:
        if (ev_token_is(t, '|'))
            return !parser->bar_ends && !parser->absolute;
        return ev_token_is(t, '(') || ev_token_is(t, '[') || ev_token_is(t, '{');
    default:
        return false;
    }
}

static const ev_syntax *append(ev_parser *parser, const ev_syntax *product, const ev_syntax *factor)
{
    if (factor == NULL)
        return NULL;
    size_t n = product->kind == EV_SYNTAX_MUL ? product->child_count : 1;
    ev_token place = {.line = product->line, .column = product->column, .length = product->length};
    ev_syntax *node = ev_syntax_new(parser, EV_SYNTAX_MUL, &place, n + 1);
    if (node == NULL)
        return NULL;
    if (product->kind == EV_SYNTAX_MUL)
        memcpy(node->children, product->children, n * sizeof *node->children);
    else
        node->children[0] = product;
    node->children[n] = factor;
    return node;
}

static const ev_syntax *divide(ev_parser *parser, const ev_syntax *top, const ev_token *place)
{
    const ev_syntax *node = binary(parser, EV_SYNTAX_DIV, place, top, ev_parse_factor(parser));
    if (node == NULL)
        return NULL;
    const ev_token *t = ev_parser_token(parser);
    if (explicit_product(t) || ev_parser_starts_factor(parser))
        return ev_parser_fail(parser, t, "is this factor above or below the stroke? Use \\frac");
    return node;
}

/* Bracketed products stay one factor: (ab)^2 c is not a b^2 c. Here that costs nothing, since a
 * bracket's node is complete before a factor is appended; but a product in brackets must not be
 * flattened into an index run, so is_index_run looks at subscripts only. */
const ev_syntax *ev_parse_term(ev_parser *parser)
{
    const ev_syntax *node = ev_parse_factor(parser);
    while (node != NULL) {
        const ev_token *t = ev_parser_token(parser);
        if (ev_token_is_command(t, "cdot") || ev_token_is_command(t, "times")) {
            parser->at++;
            node = append(parser, node, ev_parse_factor(parser));
        } else if (ev_token_is_command(t, "odot") || ev_token_is_command(t, "oslash")) {
            bool times = ev_token_is_command(t, "odot");
            parser->at++;
            node = binary(parser, times ? EV_SYNTAX_ODOT : EV_SYNTAX_OSLASH, t, node,
                          ev_parse_factor(parser));
        } else if (ev_token_is(t, '/')) {
            parser->at++;
            node = divide(parser, node, t);
        } else if (ev_parser_starts_factor(parser)) {
            if (t->kind == EV_TOKEN_NUMBER && parser->at > 0 &&
                parser->list.tokens[parser->at - 1].kind == EV_TOKEN_NUMBER)
                return ev_parser_fail(parser, t, "two numbers side by side");
            node = append(parser, node, ev_parse_factor(parser));
        } else {
            break;
        }
    }
    return node;
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
        node = unary(parser, EV_SYNTAX_NEG, t, node);
    while (node != NULL) {
        t = ev_parser_token(parser);
        bool plus = ev_token_is(t, '+');
        if (!plus && !ev_token_is(t, '-'))
            break;
        parser->at++;
        node = binary(parser, plus ? EV_SYNTAX_ADD : EV_SYNTAX_SUB, t, node, ev_parse_term(parser));
    }
    parser->depth--;
    return node;
}
