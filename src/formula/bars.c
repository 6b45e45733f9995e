/* Absolute values and norms.  A plain bar does not say whether it opens or closes, nor does \|. */
#include "formula/parser.h"

#include <string.h>

/* \left|, \bigl|, ...: the size says that this bar opens. */
static bool says_it_opens(const ev_parser *parser, const ev_token *bar)
{
    static const char *const sizes[] = {"\\left", "\\bigl", "\\Bigl", "\\biggl", "\\Biggl", NULL};
    const size_t before = (size_t)(bar->start - parser->list.span.text);
    for (size_t i = 0; sizes[i] != NULL; i++) {
        const size_t n = strlen(sizes[i]);
        if (before >= n && memcmp(bar->start - n, sizes[i], n) == 0)
            return true;
    }
    return false;
}

/* Can an expression end with this token? */
static bool ends_operand(const ev_token *t)
{
    static const char *const functions[] = {"log", "ln",  "exp", "tanh", "sin",  "cos",
                                            "max", "min", "det", "frac", "sqrt", NULL};
    for (size_t i = 0; functions[i] != NULL; i++)
        if (ev_token_is_command(t, functions[i]))
            return false;
    return t->kind == EV_TOKEN_NUMBER || t->kind == EV_TOKEN_LETTER || ev_token_is(t, ')') ||
           ev_token_is(t, ']') || ev_token_is(t, '}') ||
           (t->kind == EV_TOKEN_COMMAND && !ev_token_is_big_operator(t) &&
            !ev_token_is_product_sign(t));
}

static int step_of_depth(const ev_token *t)
{
    static const char *const opening[] = {"{", "lvert", "lVert", "lfloor", "lceil", NULL};
    static const char *const closing[] = {"}", "rvert", "rVert", "rfloor", "rceil", NULL};
    if (t->kind == EV_TOKEN_CHAR)
        return (strchr("([{", t->text[0]) != NULL) - (strchr(")]}", t->text[0]) != NULL);
    for (size_t i = 0; opening[i] != NULL; i++)
        if (ev_token_is_command(t, opening[i]) || ev_token_is_command(t, closing[i]))
            return ev_token_is_command(t, opening[i]) ? 1 : -1;
    return 0;
}

static bool ends_formula(const ev_token *t)
{
    ev_relation relation;
    return t->kind == EV_TOKEN_END || t->kind == EV_TOKEN_BREAK || t->kind == EV_TOKEN_QUAD ||
           t->kind == EV_TOKEN_FINISH || ev_token_is(t, ',') || ev_token_is(t, ';') ||
           ev_token_relation(t, &relation);
}

/* |a|b|c|: the product of two absolute values and b, or the absolute value of a|b|c.  The second
 * reading needs something between the inner bars that can stand alone: `|a| + |c|` and `|a||c|` have
 * one reading, and a sign that follows a bar is taken to stand between two terms.  The third bar,
 * where there are two readings; the parser is behind the second. */
static const ev_token *find_second_reading(const ev_parser *parser)
{
    int depth = 0;
    if (ev_token_is(ev_parser_token(parser), '|') || !ev_parser_starts_factor(parser))
        return NULL;
    for (const ev_token *t = ev_parser_token(parser);; t++) {
        const bool bar = depth == 0 && ev_token_is(t, '|') && !ev_token_is(t + 1, '_');
        if (bar)
            return ends_operand(t - 1) && !says_it_opens(parser, t) ? t : NULL;
        if (depth == 0 && ends_formula(t))
            return NULL;
        depth += step_of_depth(t);
        if (depth < 0 || t->kind == EV_TOKEN_END)
            return NULL;
    }
}

static bool closes(const ev_token *open, const ev_token *t)
{
    if (ev_token_is(open, '|'))
        return ev_token_is(t, '|');
    if (ev_token_is_command(open, "lvert"))
        return ev_token_is_command(t, "rvert");
    return ev_token_is_command(t, "|") || ev_token_is_command(t, "rVert");
}

/* \|v\|\,\|w\|: the third could as well be the bar of a divergence. */
static const ev_token *find_next_norm(ev_parser *parser)
{
    size_t at = 0;
    if (ev_token_is(ev_parser_token(parser), '^')) {
        const char *ignored;
        at = ev_parser_group_text(parser, parser->at + 1, &ignored) - parser->at;
    }
    const ev_token *t = ev_parser_ahead(parser, at);
    return !parser->bar_ends && ev_token_is_command(t, "|") ? t : NULL;
}

/* Behind what `open` opened: is what follows read in one way? */
static bool is_read_in_one_way(ev_parser *parser, const ev_token *open)
{
    const ev_token *bar = ev_token_is(open, '|') ? find_second_reading(parser) : NULL;
    const ev_token *norm = ev_token_is_command(open, "|") ? find_next_norm(parser) : NULL;
    if (bar != NULL)
        ev_parser_fail(
            parser, bar,
            "these bars can be read in two ways: write \\lvert a\\rvert b\\lvert c\\rvert "
            "or \\lvert a\\lvert b\\rvert c\\rvert");
    if (norm != NULL)
        ev_parser_fail(parser, norm,
                       "does \\| open or close here? Write norms side by side as "
                       "\\lVert v\\rVert\\,\\lVert w\\rVert");
    return bar == NULL && norm == NULL;
}

const ev_syntax *ev_parse_absolute(ev_parser *parser)
{
    const ev_token *open = ev_parser_token(parser);
    const bool bar = ev_token_is(open, '|');
    if (bar && (parser->bar_ends || parser->absolute))
        return ev_parser_fail(parser, open,
                              "this bar can be read in two ways: use \\lvert … \\rvert");
    bool norm = ev_token_is_command(open, "|") || ev_token_is_command(open, "lVert");
    parser->at++;
    ev_parser_context saved = ev_parser_enter(parser);
    parser->absolute = bar;
    const ev_syntax *inside = ev_parse_expression(parser);
    ev_parser_leave(parser, saved);
    if (inside == NULL)
        return NULL;
    const ev_token *t = ev_parser_token(parser);
    if (!closes(open, t))
        return ev_parser_fail(parser, t, "the bar of line %zu, column %zu is not closed",
                              open->line, open->column);
    parser->at++;
    if (!is_read_in_one_way(parser, open))
        return NULL;
    return ev_syntax_unary(parser, norm ? EV_SYNTAX_NORM : EV_SYNTAX_ABS, open, inside);
}
