/* Densities as arguments of operators: q, q(z | x), x \sim q, products, base densities. */
#include "formula/parser.h"

#include <stdint.h>
#include <string.h>

/* What a base density's brackets hold. */
typedef struct {
    ev_syntax *node;
    size_t wanted;    /* arguments */
    const char *form; /* as it should be written */
} base_density;

static bool refuse(ev_parser *parser, const ev_token *place, const char *why,
                   const base_density *base)
{
    ev_parser_fail(parser, place, "%s: expected %s", why, base->form);
    return false;
}

/* Arguments number n and on, up to the closing bracket. */
static bool base_arguments(ev_parser *parser, const base_density *base, const ev_token *place,
                           size_t n)
{
    const bool has_variable = n > 0;
    for (;;) {
        const ev_syntax *argument = ev_parse_expression(parser);
        const ev_token *t = ev_parser_token(parser);
        if (argument == NULL)
            return false;
        if (n == base->wanted)
            return refuse(parser, place, "too many arguments", base);
        base->node->children[n++] = argument;
        if (!ev_token_is(t, ',') && !ev_token_is(t, ';') && !ev_token_is(t, '|') &&
            !ev_token_is_command(t, "mid"))
            break;
        if (n == 1 && !has_variable && ev_token_is(t, ','))
            return refuse(parser, t, "a semicolon or a bar parts the variable from the parameters",
                          base);
        parser->at++;
    }
    if (n < base->wanted)
        return refuse(parser, place, "too few arguments", base);
    return true;
}

const ev_syntax *ev_parse_base_density(ev_parser *parser, ev_syntax_kind kind,
                                       const ev_syntax *variable)
{
    static const size_t argument_counts[] = {3, 2, 2};
    static const char *const forms[] = {"\\mathcal{N}(x; mean, covariance)",
                                        "\\mathrm{Ber}(x; mean)", "\\mathrm{Cat}(c; weights)"};
    const ev_token *place = ev_parser_token(parser);
    const size_t which = (size_t)(kind - EV_SYNTAX_NORMAL);
    base_density base = {NULL, argument_counts[which], forms[which]};
    const char *ignored;
    parser->at = ev_parser_group_text(parser, parser->at + 1, &ignored);
    const char *closing = ev_parser_bracket(parser);
    const ev_token *opened = ev_parser_token(parser);
    if (closing == NULL)
        return ev_parser_fail(parser, opened, "expected %s", base.form);
    parser->at++;
    if ((base.node = ev_syntax_new(parser, kind, place, base.wanted)) == NULL)
        return NULL;
    if (variable != NULL)
        base.node->children[0] = variable;
    const ev_parser_context saved = ev_parser_enter(parser);
    parser->bar_ends = true;
    const bool ok = base_arguments(parser, &base, place, variable != NULL);
    ev_parser_leave(parser, saved);
    return ok && ev_parser_close(parser, closing, opened) ? base.node : NULL;
}

/* The variables an applied density is a density of: its plain left arguments. */
bool ev_density_variables(ev_parser *parser, const ev_syntax *density, const ev_token *place,
                          int *variables, size_t *count)
{
    const ev_symbol_table *table = parser->scope->table;
    size_t left = 1;
    if (density->kind == EV_SYNTAX_APPLY) {
        const ev_symbol *s = &table->symbols[density->symbol];
        if (s->kind != EV_SYMBOL_DEFINITION) {
            ev_parser_fail(parser, place, "%s is no density", s->name);
            return false;
        }
        left = s->definition->left_count;
    }
    for (size_t i = 0; i < left; i++) {
        const ev_syntax *a = density->children[i];
        ev_symbol_kind kind = a->kind == EV_SYNTAX_SYMBOL ? table->symbols[a->symbol].kind
                                                          : EV_SYMBOL_CONSTANT;
        if (kind != EV_SYMBOL_REAL && kind != EV_SYMBOL_INTEGER) {
            ev_parser_fail(parser, place,
                           "the density's argument %zu must be a plain variable here", i + 1);
            return false;
        }
        bool known = false;
        for (size_t k = 0; k < *count; k++)
            known |= variables[k] == a->symbol;
        if (known || *count == 16) {
            ev_parser_fail(parser, place, "a variable stands twice, or there are more than 16");
            return false;
        }
        variables[(*count)++] = a->symbol;
    }
    return true;
}

/* A bare q: the only density of that family, at its own variables. */
const ev_syntax *ev_parse_bare_family(ev_parser *parser, const char *name, const ev_token *place)
{
    size_t before = SIZE_MAX;
    int symbol = ev_scope_find_family(parser->scope, name, &before);
    if (symbol < 0)
        return ev_parser_fail(parser, place, "%s is no declared density", name);
    if (ev_scope_find_family(parser->scope, name, &before) >= 0)
        return ev_parser_fail(parser, place, "%s has more than one definition: write its arguments",
                              name);
    const ev_symbol *s = &parser->scope->table->symbols[symbol];
    if (s->kind != EV_SYMBOL_DEFINITION)
        return ev_parser_fail(parser, place, "%s is no density", name);
    const struct ev_definition *d = s->definition;
    ev_syntax *node = ev_syntax_new(parser, EV_SYNTAX_APPLY, place, d->formal_count);
    if (node == NULL)
        return NULL;
    node->symbol = symbol;
    for (size_t i = 0; i < d->formal_count; i++)
        if ((node->children[i] = ev_syntax_symbol(parser, place, d->formals[i])) == NULL)
            return NULL;
    return node;
}

static const ev_syntax *one_density(ev_parser *parser, const ev_syntax *variable)
{
    const ev_token *place = ev_parser_token(parser);
    char word[32];
    size_t next = ev_parser_word(parser, parser->at, word);
    if (ev_token_is_command(place, "mathcal")) {
        const ev_token *letter = place + 1 + ev_token_is(place + 1, '{');
        if (letter->kind == EV_TOKEN_LETTER && letter->text[0] == 'N')
            return ev_parse_base_density(parser, EV_SYNTAX_NORMAL, variable);
    }
    if (next != 0 && strcmp(word, "Ber") == 0)
        return ev_parse_base_density(parser, EV_SYNTAX_BERNOULLI, variable);
    if (next != 0 && strcmp(word, "Cat") == 0)
        return ev_parse_base_density(parser, EV_SYNTAX_CATEGORICAL, variable);
    const char *name;
    next = ev_parser_name(parser, parser->at, &name);
    if (next == 0)
        return ev_parser_fail(parser, place, "expected a density");
    parser->at = next;
    if (ev_parser_bracket(parser) != NULL)
        return ev_parse_application(parser, name, place);
    return ev_parse_bare_family(parser, name, place);
}

/* Does `x \sim` stand here? Its variable. */
static const ev_syntax *sim_variable(ev_parser *parser)
{
    const char *name;
    size_t next = ev_parser_name(parser, parser->at, &name);
    if (next == 0 || !ev_token_is_command(&parser->list.tokens[next], "sim"))
        return NULL;
    const ev_token *place = ev_parser_token(parser);
    int symbol = ev_parser_find(parser, name);
    if (symbol < 0)
        return ev_parser_fail(parser, place, "%s is not declared", name);
    parser->at = next + 1;
    return ev_syntax_symbol(parser, place, symbol);
}

const ev_syntax *ev_parse_density(ev_parser *parser, int *variables, size_t *count)
{
    const ev_token *place = ev_parser_token(parser);
    const ev_syntax *variable = sim_variable(parser);
    if (parser->error->status != EV_OK)
        return NULL;
    const ev_syntax *densities[8];
    size_t n = 0, first = *count;
    do {
        if (n == 8)
            return ev_parser_fail(parser, place, "more than 8 densities in a product");
        const ev_token *here = ev_parser_token(parser);
        densities[n] = one_density(parser, variable);
        if (densities[n] == NULL ||
            !ev_density_variables(parser, densities[n], here, variables, count))
            return NULL;
        n++;
    } while (variable == NULL && ev_parser_starts_factor(parser) &&
             !ev_token_is(ev_parser_token(parser), '|'));
    if (variable != NULL && (*count != first + 1 || variables[first] != variable->symbol))
        return ev_parser_fail(parser, place,
                              "this density is not one of the variable before \\sim");
    if (n == 1)
        return densities[0];
    ev_syntax *node = ev_syntax_new(parser, EV_SYNTAX_MUL, place, n);
    if (node != NULL)
        memcpy(node->children, densities, n * sizeof *densities);
    return node;
}
