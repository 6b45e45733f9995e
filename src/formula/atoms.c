/* What a factor can begin with: numbers, names, brackets, bars, operators. */
#include "formula/claim.h"
#include "formula/parser.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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

/* A digit behind these is an exponent, an index or a part of a fraction, and no coefficient. */
static bool takes_digits(const ev_token *t)
{
    return ev_token_is(t, '^') || ev_token_is(t, '_') || ev_token_is_command(t, "frac") ||
           ev_token_is_command(t, "tfrac") || ev_token_is_command(t, "dfrac") ||
           ev_token_is_command(t, "sqrt");
}

/* Undeclared, \pi is the circle constant.  Declared as a vector it is still meant by a coefficient
 * directly before it, as in 2\pi\sigma^2; declared as a number it would be read in two ways. */
static bool is_circle_constant(ev_parser *parser, const char *name)
{
    if (strcmp(name, "\\pi") != 0)
        return false;
    int symbol = ev_parser_find(parser, name);
    if (symbol < 0)
        return true;
    const ev_token *before = parser->at > 0 ? &parser->list.tokens[parser->at - 1] : NULL;
    bool after_number = before != NULL && before->kind == EV_TOKEN_NUMBER;
    const ev_token *earlier = after_number && parser->at > 1 ? before - 1 : NULL;
    bool coefficient = after_number && (earlier == NULL || !takes_digits(earlier));
    if (!coefficient || ev_token_is(ev_parser_ahead(parser, 1), '_'))
        return false;
    if (parser->scope->table->symbols[symbol].rank == 0)
        ev_parser_fail(
            parser, ev_parser_token(parser),
            "the circle constant, or the declared \\pi? Write 2 \\cdot \\pi for the latter");
    return true;
}

static const ev_syntax *named(ev_parser *parser)
{
    const ev_token *place = ev_parser_token(parser);
    const char *name;
    size_t next = ev_parser_name(parser, parser->at, &name);
    if (next == 0)
        return NULL;
    if (is_circle_constant(parser, name)) {
        if (parser->error->status != EV_OK)
            return NULL;
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
    if (strcmp(name, "d") == 0 && parser->integrals > 0 &&
        ev_parser_base_name(parser, next, &name) != 0)
        return ev_parser_fail(parser, after, "the differential of %s: it is no declared variable",
                              name);
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

/* \mathbb{1}, \mathbb 1. */
static bool calligraphic_digit(const ev_parser *parser, char digit)
{
    const ev_token *t = ev_parser_token(parser);
    const ev_token *d = t + 1 + ev_token_is(t + 1, '{');
    return ev_token_is_command(t, "mathbb") && d->kind == EV_TOKEN_NUMBER && d->length == 1 &&
           d->text[0] == digit;
}

/* \mathbb{1}[a < b]: 1 where the relation holds, else 0. */
static const ev_syntax *indicator(ev_parser *parser)
{
    const ev_token *place = ev_parser_token(parser);
    const char *ignored;
    parser->at = ev_parser_group_text(parser, parser->at + 1, &ignored);
    const ev_token *opened = ev_parser_token(parser);
    const char *closing = ev_parser_bracket(parser);
    if (closing == NULL)
        return ev_parser_fail(parser, opened, "expected \\mathbb{1}[a < b]");
    parser->at++;
    ev_parser_context saved = ev_parser_enter(parser);
    const ev_syntax *a = ev_parse_expression(parser);
    ev_relation relation = EV_RELATION_EQUAL;
    const ev_token *sign = ev_parser_token(parser);
    if (a != NULL && (!ev_token_relation(sign, &relation) || relation == EV_RELATION_APPROX ||
                      relation == EV_RELATION_PROPORTIONAL))
        return ev_parser_fail(parser, sign, "expected a relation: \\mathbb{1}[a < b]");
    parser->at++;
    const ev_syntax *b = a == NULL ? NULL : ev_parse_expression(parser);
    ev_parser_leave(parser, saved);
    if (b == NULL || !ev_parser_close(parser, closing, opened))
        return NULL;
    ev_syntax *node = ev_syntax_new(parser, EV_SYNTAX_INDICATOR, place, 2);
    if (node != NULL)
        node->children[0] = a, node->children[1] = b, node->relation = (int)relation;
    return node;
}

/* Atoms that begin with a command of their own. */
static const ev_syntax *special(ev_parser *parser, bool *known)
{
    const ev_token *t = ev_parser_token(parser);
    *known = true;
    if (ev_token_is_command(t, "frac") || ev_token_is_command(t, "tfrac") ||
        ev_token_is_command(t, "dfrac"))
        return ev_parse_fraction(parser);
    if (ev_token_is_command(t, "sqrt")) {
        parser->at++;
        return ev_syntax_call(parser, EV_FUNCTION_SQRT, t, ev_parse_group(parser, "\\sqrt"));
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
    if (calligraphic(parser, "mathcal", 'H'))
        return ev_parse_entropy(parser);
    if (is_divergence(parser))
        return ev_parse_divergence(parser);
    if (calligraphic_digit(parser, '1'))
        return indicator(parser);
    const ev_syntax *function = ev_parse_function(parser, known);
    return *known ? function : operator_word(parser, known);
}

const ev_syntax *ev_parse_atom(ev_parser *parser)
{
    const ev_token *t = ev_parser_token(parser);
    char found[48];
    if (t->kind == EV_TOKEN_NUMBER) {
        parser->at++;
        return ev_syntax_number(parser, t, t->number);
    }
    if (ev_token_is(t, '{'))
        return ev_parse_group(parser, "");
    if (ev_parser_bracket(parser) != NULL)
        return ev_parse_bracketed(parser);
    if (ev_token_is(t, '|') || ev_token_is_command(t, "|") || ev_token_is_command(t, "lvert") ||
        ev_token_is_command(t, "lVert"))
        return ev_parse_absolute(parser);
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
