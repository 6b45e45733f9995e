/* What may follow an atom: powers, transposes, indices, sample numbers. */
#include "formula/parser.h"

#include <stdio.h>
#include <string.h>

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
        const ev_syntax *index = ev_parse_group(parser, "_");
        return index != NULL && add_index(parser, node, index);
    }
    parser->at++;
    ev_parser_context saved = ev_parser_enter(parser);
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
    ev_parser_leave(parser, saved);
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
        const ev_syntax *node = ev_syntax_unary(parser, EV_SYNTAX_TRANSPOSE, place, base);
        return minus ? ev_syntax_unary(parser, EV_SYNTAX_INVERSE, place, node) : node;
    }
    if (braced && ev_token_is(first, '(')) { /* ^{(l)} */
        parser->at += 2;
        const ev_syntax *index = ev_parse_expression(parser);
        bool ends = index != NULL && ev_parser_expect(parser, ')', "after the sample's index") &&
                    ev_parser_expect(parser, '}', "after the sample's index");
        return ends ? sample(parser, base, place, index) : NULL;
    }
    return ev_syntax_binary(parser, EV_SYNTAX_POW, place, base, ev_parse_group(parser, "^"));
}

const ev_syntax *ev_parse_factor(ev_parser *parser)
{
    if (parser->depth == EV_PARSER_MAX_DEPTH)
        return ev_parser_fail(parser, ev_parser_token(parser), "nested more than %d deep",
                              EV_PARSER_MAX_DEPTH);
    parser->depth++;
    const ev_syntax *node = ev_parse_atom(parser);
    bool raised = false; /* TeX too takes one superscript */
    while (node != NULL) {
        const ev_token *t = ev_parser_token(parser);
        if (ev_token_is(t, '^')) {
            node = raised ? ev_parser_fail(parser, t,
                                           "a second exponent: put brackets around what "
                                           "it is the power of, or braces around both")
                          : power(parser, node);
            raised = true;
        } else if (ev_token_is(t, '_')) {
            parser->at++;
            node = indexed(parser, node, t);
        } else if (ev_token_is(t, '|') && !parser->absolute &&
                   ev_token_is(ev_parser_ahead(parser, 1), '_')) {
            parser->at += 2;
            node = indexed(parser, node, t);
            raised = false;
        } else {
            break;
        }
    }
    parser->depth--;
    return node;
}
