/* Sets after \in: ranges of integers, real domains, vectors, matrices, simplices. */
#include "formula/declaration.h"

#include <math.h>
#include <string.h>

static bool dim_symbol(ev_parser *parser, ev_dim *dim)
{
    const ev_token *place = ev_parser_token(parser);
    const char *name;
    size_t next = ev_parser_name(parser, parser->at, &name);
    int symbol = next == 0 ? -1 : ev_parser_find(parser, name);
    if (symbol < 0 || parser->scope->table->symbols[symbol].kind != EV_SYMBOL_INTEGER) {
        ev_parser_fail(parser, place, "expected a number or a declared integer");
        return false;
    }
    parser->at = next;
    dim->symbol = symbol;
    return true;
}

bool ev_declare_dim(ev_parser *parser, ev_dim *dim)
{
    const ev_token *t = ev_parser_token(parser);
    *dim = (ev_dim){.symbol = -1, .multiplier = 1, .offset = 0};
    if (t->kind == EV_TOKEN_NUMBER) {
        if (t->number != floor(t->number) || t->number > 1e6)
            return ev_parser_fail(parser, t, "expected a whole number") != NULL;
        parser->at++;
        const char *name;
        size_t next = ev_parser_name(parser, parser->at, &name);
        if (next == 0 || ev_parser_find(parser, name) < 0) {
            dim->offset = (long)t->number;
            dim->multiplier = 0;
        } else {
            dim->multiplier = (long)t->number;
            if (!dim_symbol(parser, dim))
                return false;
        }
    } else if (!dim_symbol(parser, dim)) {
        return false;
    }
    const ev_token *sign = ev_parser_token(parser);
    if (ev_token_is(sign, '+') || ev_token_is(sign, '-')) {
        const ev_token *number = ev_parser_ahead(parser, 1);
        if (number->kind != EV_TOKEN_NUMBER || number->number > 1e6)
            return ev_parser_fail(parser, number, "expected a whole number") != NULL;
        parser->at += 2;
        dim->offset += (ev_token_is(sign, '-') ? -1 : 1) * (long)number->number;
    }
    return true;
}

/* ^J, ^{K\times J}, or nothing. */
static bool exponent(ev_parser *parser, ev_symbol *symbol)
{
    if (!ev_token_is(ev_parser_token(parser), '^'))
        return true;
    parser->at++;
    bool braced = ev_token_is(ev_parser_token(parser), '{');
    parser->at += braced;
    if (!ev_declare_dim(parser, &symbol->rows))
        return false;
    symbol->rank = 1;
    if (braced && ev_token_is_command(ev_parser_token(parser), "times")) {
        parser->at++;
        if (!ev_declare_dim(parser, &symbol->cols))
            return false;
        symbol->rank = 2;
    }
    return !braced || ev_parser_expect(parser, '}', "after the dimensions");
}

/* _{>0}, _{\ge 0}, _+ */
static bool sign_restriction(ev_parser *parser, ev_domain *domain)
{
    if (!ev_token_is(ev_parser_token(parser), '_'))
        return true;
    const ev_token *place = ev_parser_ahead(parser, 1);
    const char *text;
    size_t next = ev_parser_group_text(parser, parser->at + 1, &text);
    if (next == 0)
        return false;
    if (strcmp(text, ">0") == 0 || strcmp(text, "+") == 0 || strcmp(text, "++") == 0)
        domain->low = 0, domain->low_open = true;
    else if (strcmp(text, "\\ge0") == 0 || strcmp(text, "\\geq0") == 0)
        domain->low = 0;
    else
        return ev_parser_fail(parser, place, "expected _{>0} or _{\\ge 0}") != NULL;
    parser->at = next;
    return true;
}

static bool endpoint(ev_parser *parser, double *value)
{
    bool negative = ev_token_is(ev_parser_token(parser), '-');
    parser->at += negative;
    const ev_token *t = ev_parser_token(parser);
    if (t->kind == EV_TOKEN_NUMBER)
        *value = t->number;
    else if (ev_token_is_command(t, "infty"))
        *value = (double)INFINITY;
    else
        return ev_parser_fail(parser, t, "expected a number") != NULL;
    if (negative)
        *value = -*value;
    parser->at++;
    return true;
}

static bool interval(ev_parser *parser, ev_symbol *symbol)
{
    const ev_token *place = ev_parser_token(parser);
    ev_domain *domain = &symbol->domain;
    domain->low_open = ev_token_is(place, '(');
    parser->at++;
    if (!endpoint(parser, &domain->low) || !ev_parser_expect(parser, ',', "in the interval") ||
        !endpoint(parser, &domain->high))
        return false;
    const ev_token *close = ev_parser_token(parser);
    if (!ev_token_is(close, ')') && !ev_token_is(close, ']'))
        return ev_parser_fail(parser, close, "expected ) or ] at the end of the interval") != NULL;
    domain->high_open = ev_token_is(close, ')');
    if (!(domain->low < domain->high))
        return ev_parser_fail(parser, place, "the interval is empty") != NULL;
    parser->at++;
    return exponent(parser, symbol);
}

/* \{1,\dots,K\}, \{0,1\}, \{0,1\}^D, \{3\}. */
static bool finite_set(ev_parser *parser, ev_symbol *symbol)
{
    const ev_token *place = ev_parser_token(parser);
    parser->at++;
    ev_dim first, last;
    if (!ev_declare_dim(parser, &first))
        return false;
    last = first;
    bool dots = false;
    size_t listed = 1;
    while (ev_token_is(ev_parser_token(parser), ',')) {
        parser->at++;
        const ev_token *t = ev_parser_token(parser);
        if (ev_token_is_command(t, "dots") || ev_token_is_command(t, "ldots") ||
            ev_token_is_command(t, "cdots")) {
            parser->at++;
            dots = true;
            continue;
        }
        ev_dim next;
        if (!ev_declare_dim(parser, &next))
            return false;
        bool consecutive = next.symbol < 0 && last.symbol < 0 && next.offset == last.offset + 1;
        if (!dots && !consecutive)
            return ev_parser_fail(parser, t, "only runs of whole numbers: \\{1,\\dots,K\\}") !=
                   NULL;
        last = next;
        listed++;
    }
    if (!ev_token_is_command(ev_parser_token(parser), "}"))
        return ev_parser_fail(parser, ev_parser_token(parser), "expected \\} after the set") !=
               NULL;
    parser->at++;
    bool binary = !dots && listed == 2 && first.symbol < 0 && first.offset == 0;
    if (binary) {
        symbol->kind = EV_SYMBOL_REAL;
        symbol->domain = (ev_domain){.low = 0, .high = 1, .binary = true};
        return exponent(parser, symbol);
    }
    if (first.symbol < 0 && last.symbol < 0 && first.offset > last.offset)
        return ev_parser_fail(parser, place, "the range is empty") != NULL;
    symbol->kind = EV_SYMBOL_INTEGER;
    symbol->low = first, symbol->high = last;
    return true;
}

static bool simplex(ev_parser *parser, ev_symbol *symbol)
{
    parser->at++;
    symbol->domain = (ev_domain){.low = 0, .high = 1, .simplex = true};
    if (!sign_restriction(parser, &symbol->domain))
        return false;
    const ev_token *place = ev_parser_token(parser);
    if (!exponent(parser, symbol))
        return false;
    if (symbol->rank != 1)
        return ev_parser_fail(parser, place, "a simplex is \\Delta^{K-1}") != NULL;
    symbol->rows.offset += 1; /* K numbers */
    return true;
}

bool ev_declare_set(ev_parser *parser, ev_symbol *symbol)
{
    const ev_token *t = ev_parser_token(parser);
    symbol->kind = EV_SYMBOL_REAL;
    symbol->rank = 0;
    symbol->domain = (ev_domain){.low = (double)-INFINITY, .high = (double)INFINITY};
    if (ev_token_is_command(t, "{"))
        return finite_set(parser, symbol);
    if (ev_token_is(t, '(') || ev_token_is(t, '['))
        return interval(parser, symbol);
    if (ev_token_is_command(t, "Delta"))
        return simplex(parser, symbol);
    const char *text;
    size_t next = ev_token_is_command(t, "mathbb")
                      ? ev_parser_group_text(parser, parser->at + 1, &text)
                      : 0;
    if (next == 0 || strcmp(text, "R") != 0)
        return ev_parser_fail(parser, t,
                              "expected a set: \\mathbb{R}, \\{1,\\dots,K\\}, (0,1), "
                              "\\Delta^{K-1}, with a dimension if it is one of vectors") != NULL;
    parser->at = next;
    if (!sign_restriction(parser, &symbol->domain) || !exponent(parser, symbol))
        return false;
    return sign_restriction(parser, &symbol->domain); /* \mathbb{R}^J_{>0} */
}
