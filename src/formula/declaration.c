/* Declarations by their first outermost sign: membership, functions, samples, constants,
 * definitions, conditions. */
#include "formula/declaration.h"
#include "formula/claim.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* x_{1} or x_{i} beside a vector x: a number or a declared integer under a declared vector. */
static bool is_entry_name(const ev_scope *scope, const char *name)
{
    size_t stem = strcspn(name, "_"), length = strlen(name);
    char base[128], index[128];
    if (stem + 3 >= length || stem >= sizeof base || length - stem >= sizeof index ||
        strncmp(name + stem, "_{", 2) != 0 || name[length - 1] != '}')
        return false;
    snprintf(base, sizeof base, "%.*s", (int)stem, name);
    snprintf(index, sizeof index, "%.*s", (int)(length - stem - 3), name + stem + 2);
    int vector = ev_scope_find(scope, base), integer = ev_scope_find(scope, index);
    bool is_index = (index[0] >= '0' && index[0] <= '9') ||
                    (integer >= 0 && scope->table->symbols[integer].kind == EV_SYMBOL_INTEGER);
    return vector >= 0 && is_index && scope->table->symbols[vector].kind == EV_SYMBOL_REAL &&
           scope->table->symbols[vector].rank > 0;
}

bool ev_declare_symbol(ev_scope *scope, ev_parser *parser, const ev_token *place,
                       const ev_symbol *symbol)
{
    int old = ev_scope_find(scope, symbol->name);
    size_t before = SIZE_MAX;
    if (old < 0)
        old = ev_scope_find_family(scope, symbol->name, &before);
    if (old >= 0) {
        ev_parser_fail(parser, place, "%s is already declared (line %zu)", symbol->name,
                       scope->table->symbols[old].line);
        return false;
    }
    if (is_entry_name(scope, symbol->name)) {
        ev_parser_fail(parser, place, "%s would hide an entry of the declared %.*s", symbol->name,
                       (int)strcspn(symbol->name, "_"), symbol->name);
        return false;
    }
    int index = ev_symbol_table_add(scope->table, symbol);
    if (index < 0 || !ev_scope_show(scope, index)) {
        ev_error_set(parser->error, EV_NO_MEMORY, "out of memory");
        return false;
    }
    return true;
}

/* A name where it is declared: all of a subscript belongs to it. */
static size_t declared_name(const ev_parser *parser, size_t at, const char **name)
{
    size_t next = ev_parser_base_name(parser, at, name);
    if (next == 0 || !ev_token_is(&parser->list.tokens[next], '_'))
        return next;
    const char *subscript;
    size_t after = ev_parser_group_text(parser, next + 1, &subscript);
    if (after == 0)
        return 0;
    const char *full = ev_arena_format(parser->arena, "%s_{%s}", *name, subscript);
    if (full == NULL)
        return 0;
    while (ev_token_is(&parser->list.tokens[after], '\'')) {
        full = ev_arena_format(parser->arena, "%s'", full);
        after++;
    }
    *name = full;
    return full == NULL ? 0 : after;
}

/* ---- a, b \in set;  c \perp \phi;  f : set \to set ---- */

enum { MAX_NAMES = 16 };
typedef struct {
    const char *names[MAX_NAMES];
    const ev_token *places[MAX_NAMES];
    size_t count;
} name_list;

static bool read_names(ev_parser *parser, name_list *list)
{
    for (;;) {
        const ev_token *place = ev_parser_token(parser);
        const char *name;
        size_t next = declared_name(parser, parser->at, &name);
        if (next == 0 || list->count == MAX_NAMES) {
            ev_parser_fail(parser, place, next == 0 ? "expected a name" : "too many names at once");
            return false;
        }
        parser->at = next;
        list->names[list->count] = name;
        list->places[list->count++] = place;
        if (!ev_token_is(ev_parser_token(parser), ','))
            return true;
        parser->at++;
    }
}

static bool declare_membership(ev_scope *scope, ev_parser *parser)
{
    name_list list = {.count = 0};
    if (!read_names(parser, &list))
        return false;
    parser->at++; /* \in */
    ev_symbol symbol = {0};
    if (!ev_declare_set(parser, &symbol))
        return false;
    for (size_t i = 0; i < list.count; i++) {
        symbol.name = list.names[i];
        symbol.line = list.places[i]->line;
        symbol.column = list.places[i]->column;
        if (!ev_declare_symbol(scope, parser, list.places[i], &symbol))
            return false;
    }
    return true;
}

static bool declare_constant(ev_scope *scope, ev_parser *parser)
{
    const ev_token *place = ev_parser_token(parser);
    name_list names = {.count = 0}, others = {.count = 0};
    if (!read_names(parser, &names))
        return false;
    parser->at++; /* \perp */
    if (!read_names(parser, &others))
        return false;
    ev_symbol symbol = {.kind = EV_SYMBOL_CONSTANT};
    for (size_t i = 0; i < others.count; i++) {
        int other = ev_scope_find(scope, others.names[i]);
        if (other < 0 || scope->table->symbols[other].kind != EV_SYMBOL_REAL || i == 4) {
            ev_parser_fail(parser, others.places[i],
                           "a constant is free of declared real symbols, "
                           "at most 4");
            return false;
        }
        symbol.free_of[symbol.free_of_count++] = other;
    }
    for (size_t i = 0; i < names.count; i++) {
        symbol.name = names.names[i];
        symbol.line = place->line, symbol.column = place->column;
        if (!ev_declare_symbol(scope, parser, names.places[i], &symbol))
            return false;
    }
    return true;
}

static bool declare_function(ev_scope *scope, ev_parser *parser)
{
    name_list list = {.count = 0};
    if (!read_names(parser, &list))
        return false;
    parser->at++; /* : */
    ev_symbol symbol = {.kind = EV_SYMBOL_FUNCTION};
    for (;;) {
        ev_symbol argument = {0};
        const ev_token *place = ev_parser_token(parser);
        if (symbol.argument_count == 4 || !ev_declare_set(parser, &argument))
            return ev_parser_fail(parser, place, "more than 4 arguments") != NULL;
        if (argument.kind != EV_SYMBOL_REAL || argument.rank > 1)
            return ev_parser_fail(parser, place, "functions take real numbers and vectors") != NULL;
        symbol.argument_ranks[symbol.argument_count] = argument.rank;
        symbol.argument_dims[symbol.argument_count++] = argument.rows;
        if (!ev_token_is_command(ev_parser_token(parser), "times"))
            break;
        parser->at++;
    }
    const ev_token *arrow = ev_parser_token(parser);
    if (!ev_token_is_command(arrow, "to") && !ev_token_is_command(arrow, "rightarrow"))
        return ev_parser_fail(parser, arrow, "expected \\to") != NULL;
    parser->at++;
    ev_symbol value = {0};
    const ev_token *place = ev_parser_token(parser);
    if (!ev_declare_set(parser, &value))
        return false;
    if (value.kind != EV_SYMBOL_REAL || value.rank > 1 || value.domain.simplex ||
        value.domain.binary)
        return ev_parser_fail(parser, place, "functions give real numbers or vectors") != NULL;
    symbol.rank = value.rank, symbol.rows = value.rows, symbol.domain = value.domain;
    for (size_t i = 0; i < list.count; i++) {
        symbol.name = list.names[i];
        symbol.line = list.places[i]->line, symbol.column = list.places[i]->column;
        if (!ev_declare_symbol(scope, parser, list.places[i], &symbol))
            return false;
    }
    return true;
}

/* ---- samples: z^{(1)},\dots,z^{(L)} \sim q(z|x);  x_1,\dots,x_N \sim p(x);  z \sim q(z) ---- */

static bool is_dots(const ev_token *t)
{
    return ev_token_is_command(t, "dots") || ev_token_is_command(t, "ldots") ||
           ev_token_is_command(t, "cdots") || ev_token_is_command(t, "dotsc");
}

/* One end, z^{(1)} or z_1 or z_{1}: its name and its number, as a dimension. */
static bool sample_end(ev_parser *parser, const char **name, ev_dim *number)
{
    const ev_token *place = ev_parser_token(parser);
    size_t next = ev_parser_base_name(parser, parser->at, name);
    const ev_token *t = &parser->list.tokens[next];
    if (next == 0 || !(ev_token_is(t, '_') || ev_token_is(t, '^'))) {
        ev_parser_fail(parser, place, "expected samples: z^{(1)},\\dots,z^{(L)} \\sim q(z)");
        return false;
    }
    bool braced = ev_token_is(t + 1, '{');
    bool round = braced && ev_token_is(t + 2, '(');
    parser->at = next + 1 + braced + round;
    if (!ev_declare_dim(parser, number))
        return false;
    return (!round || ev_parser_expect(parser, ')', "after the sample's number")) &&
           (!braced || ev_parser_expect(parser, '}', "after the sample's number"));
}

static bool sample_density(ev_parser *parser, const char *name, const ev_token *place,
                           const ev_syntax **density, int *variable)
{
    int variables[16];
    size_t count = 0;
    *density = ev_parse_density(parser, variables, &count);
    if (*density == NULL)
        return false;
    const ev_symbol *s = count == 1 ? &parser->scope->table->symbols[variables[0]] : NULL;
    if (s == NULL || s->kind != EV_SYMBOL_REAL || strcmp(s->name, name) != 0) {
        ev_parser_fail(parser, place, "samples of %s need a density of the one variable %s", name,
                       name);
        return false;
    }
    *variable = variables[0];
    return true;
}

static bool declare_samples(ev_scope *scope, ev_parser *parser)
{
    const ev_token *place = ev_parser_token(parser);
    const char *name, *last_name;
    ev_dim first, last;
    if (!sample_end(parser, &name, &first) ||
        !ev_parser_expect(parser, ',', "between the first sample and the dots"))
        return false;
    if (!is_dots(ev_parser_token(parser)))
        return ev_parser_fail(parser, ev_parser_token(parser), "expected \\dots") != NULL;
    parser->at++;
    if (!ev_parser_expect(parser, ',', "after the dots") || !sample_end(parser, &last_name, &last))
        return false;
    if (strcmp(name, last_name) != 0 || first.symbol >= 0 || first.offset != 1)
        return ev_parser_fail(parser, place, "samples run from 1: z^{(1)},\\dots,z^{(L)}") != NULL;
    parser->at++; /* \sim */
    int variable;
    const ev_syntax *density;
    if (!sample_density(parser, name, place, &density, &variable))
        return false;
    ev_symbol symbol = scope->table->symbols[variable];
    symbol.name = ev_arena_format(parser->arena, "%s^{()}", name);
    symbol.is_sample = true;
    symbol.samples = last;
    symbol.sample_density = density;
    symbol.line = place->line, symbol.column = place->column;
    return symbol.name != NULL && ev_declare_symbol(scope, parser, place, &symbol);
}

static bool declare_random_variable(ev_scope *scope, ev_parser *parser)
{
    const char *name;
    size_t next = ev_parser_base_name(parser, parser->at, &name);
    if (next == 0 || !ev_token_is_command(&parser->list.tokens[next], "sim"))
        return declare_samples(scope, parser);
    int variables[16];
    size_t count = 0;
    const ev_syntax *density = ev_parse_density(parser, variables, &count);
    if (density == NULL)
        return false;
    scope->table->symbols[variables[0]].sample_density = density;
    return true;
}

/* ---- conditions ---- */

static bool condition_sign(const ev_token *t, int *relation)
{
    static const struct {
        const char *command;
        int relation;
    } commands[] = {{"le", EV_RELATION_LESS_EQUAL},    {"leq", EV_RELATION_LESS_EQUAL},
                    {"ge", EV_RELATION_GREATER_EQUAL}, {"geq", EV_RELATION_GREATER_EQUAL},
                    {"lt", EV_RELATION_LESS},          {"gt", EV_RELATION_GREATER},
                    {"ne", EV_CONDITION_NOT_EQUAL},    {"neq", EV_CONDITION_NOT_EQUAL}};
    if (ev_token_is(t, '<') || ev_token_is(t, '>')) {
        *relation = ev_token_is(t, '<') ? EV_RELATION_LESS : EV_RELATION_GREATER;
        return true;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (ev_token_is_command(t, commands[i].command)) {
            *relation = commands[i].relation;
            return true;
        }
    return false;
}

static bool declare_condition(ev_scope *scope, ev_parser *parser)
{
    const ev_syntax *left = ev_parse_expression(parser);
    size_t signs = 0;
    while (left != NULL) {
        const ev_token *t = ev_parser_token(parser);
        char found[48];
        int relation;
        if (!condition_sign(t, &relation)) {
            if (signs > 0)
                return true;
            return ev_parser_fail(parser, t, "this declares nothing: found %s",
                                  ev_token_describe(t, found)) != NULL;
        }
        parser->at++;
        const ev_syntax *right = ev_parse_expression(parser);
        if (right == NULL)
            return false;
        if (!ev_array_reserve(&scope->conditions, scope->condition_count,
                              &scope->condition_capacity, sizeof *scope->conditions)) {
            ev_error_set(parser->error, EV_NO_MEMORY, "out of memory");
            return false;
        }
        scope->conditions[scope->condition_count++] = (ev_condition){left, right, relation, t->line,
                                                                     t->column};
        left = right;
        signs++;
    }
    return false;
}

/* ---- which kind ---- */

typedef enum {
    IS_MEMBERSHIP,
    IS_FUNCTION,
    IS_SAMPLE,
    IS_CONSTANT,
    IS_DEFINITION,
    IS_CONDITION
} kind;

static kind kind_of(const ev_parser *parser)
{
    size_t depth = 0;
    for (size_t i = parser->at; parser->list.tokens[i].kind != EV_TOKEN_END; i++) {
        const ev_token *t = &parser->list.tokens[i];
        bool opens = ev_token_is(t, '(') || ev_token_is(t, '[') || ev_token_is(t, '{') ||
                     ev_token_is_command(t, "{");
        bool closes = ev_token_is(t, ')') || ev_token_is(t, ']') || ev_token_is(t, '}') ||
                      ev_token_is_command(t, "}");
        depth += opens;
        depth -= closes && depth > 0;
        int relation;
        if (depth > 0)
            continue;
        if (ev_token_is_command(t, "in"))
            return IS_MEMBERSHIP;
        if (ev_token_is(t, ':') || ev_token_is_command(t, "colon"))
            return IS_FUNCTION;
        if (ev_token_is_command(t, "sim"))
            return IS_SAMPLE;
        if (ev_token_is_command(t, "perp"))
            return IS_CONSTANT;
        if (ev_token_is(t, '='))
            return IS_DEFINITION;
        if (condition_sign(t, &relation))
            return IS_CONDITION;
    }
    return IS_CONDITION;
}

static bool declare_one(ev_scope *scope, ev_parser *parser)
{
    switch (kind_of(parser)) {
    case IS_MEMBERSHIP: return declare_membership(scope, parser);
    case IS_FUNCTION: return declare_function(scope, parser);
    case IS_SAMPLE: return declare_random_variable(scope, parser);
    case IS_CONSTANT: return declare_constant(scope, parser);
    case IS_DEFINITION: return ev_declare_definition(scope, parser);
    case IS_CONDITION: return declare_condition(scope, parser);
    }
    return false;
}

static bool is_layout(const ev_token *t)
{
    return ev_token_is(t, ',') || ev_token_is(t, '.') || ev_token_is(t, ';') ||
           t->kind == EV_TOKEN_BREAK || t->kind == EV_TOKEN_QUAD || t->kind == EV_TOKEN_BEGIN ||
           t->kind == EV_TOKEN_FINISH;
}

ev_status ev_declare_formula(ev_scope *scope, ev_span formula, ev_error *error)
{
    ev_parser parser;
    ev_status status = ev_parser_init(&parser, scope, formula, error);
    if (status != EV_OK)
        return status;
    for (;;) {
        while (is_layout(ev_parser_token(&parser)))
            parser.at++;
        if (ev_parser_token(&parser)->kind == EV_TOKEN_END)
            return EV_OK;
        if (!declare_one(scope, &parser))
            return error->status != EV_OK ? error->status : EV_NO_MEMORY;
        const ev_token *t = ev_parser_token(&parser);
        char found[48];
        if (t->kind != EV_TOKEN_END && !is_layout(t)) {
            ev_parser_fail(&parser, t, "expected the end of the declaration, found %s",
                           ev_token_describe(t, found));
            return EV_BAD_INPUT;
        }
    }
}
