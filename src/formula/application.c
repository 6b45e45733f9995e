/* Applications p(x | z), f(z): which definition of an overloaded name is meant. */
#include "formula/parser.h"

#include <stdint.h>
#include <string.h>

static const char *base_of(const ev_symbol_table *table, const ev_syntax *argument)
{
    while (argument->kind == EV_SYNTAX_INDEX)
        argument = argument->children[0];
    return argument->kind == EV_SYNTAX_SYMBOL ? table->symbols[argument->symbol].name : NULL;
}

/* Without primes and marks; a subscript that was declared with the name stays: x_0 is not x_1. */
static size_t stem_length(const char *name) { return strcspn(name, "'^"); }

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

/* Is the argument a variable of some definition of this family?  Then it stands for itself, and
 * may not take another variable's place: with p(x|z) and p(z) defined, p(z|x) is not. */
static bool is_family_variable(const ev_scope *scope, const char *name, const ev_syntax *argument)
{
    size_t before = SIZE_MAX;
    for (int s; (s = ev_scope_find_family(scope, name, &before)) >= 0;) {
        const ev_symbol *symbol = &scope->table->symbols[s];
        if (symbol->kind != EV_SYMBOL_DEFINITION)
            continue;
        for (size_t i = 0; i < symbol->definition->formal_count; i++)
            if (names_fit(scope->table, argument, symbol->definition->formals[i]))
                return true;
    }
    return false;
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

/* How well a definition fits a use: 0 not, 1 with values in its variables' places, 2 by name. */
static int fit(const ev_scope *scope, const ev_symbol *symbol, const argument_list *list)
{
    int how = 2;
    if (formal_count(symbol) != list->count)
        return 0;
    if (symbol->kind == EV_SYMBOL_FUNCTION)
        return 2;
    if (symbol->definition->left_count != list->left)
        return 0;
    for (size_t i = 0; i < list->count; i++) {
        if (names_fit(scope->table, list->arguments[i], symbol->definition->formals[i]))
            continue;
        if (is_family_variable(scope, symbol->name, list->arguments[i]))
            return 0;
        how = 1;
    }
    return how;
}

static int choose_definition(ev_parser *parser, const char *name, const argument_list *list,
                             const ev_token *place)
{
    const ev_scope *scope = parser->scope;
    int best = -1, best_fit = 0, candidates = 0, ties = 0;
    size_t before = SIZE_MAX;
    for (int s; (s = ev_scope_find_family(parser->scope, name, &before)) >= 0; candidates++) {
        int how = fit(scope, &scope->table->symbols[s], list);
        ties = how > best_fit ? 1 : ties + (how == best_fit && how > 0);
        if (how > best_fit)
            best = s, best_fit = how;
    }
    if (best < 0) {
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

static bool argument_separator(ev_parser *parser, argument_list *list)
{
    const ev_token *t = ev_parser_token(parser);
    bool bar = ev_token_is(t, '|') || ev_token_is_command(t, "mid") || ev_token_is(t, ';');
    if (!bar && !ev_token_is(t, ','))
        return false;
    if (bar && list->left != SIZE_MAX) {
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
    ev_parser_context saved = ev_parser_enter(parser);
    parser->bar_ends = true;
    argument_list list = {.left = SIZE_MAX};
    do {
        if (list.count == 16)
            return ev_parser_fail(parser, ev_parser_token(parser), "more than 16 arguments");
        const ev_syntax *argument = ev_parse_expression(parser);
        if (argument == NULL)
            return NULL;
        list.arguments[list.count++] = argument;
    } while (argument_separator(parser, &list));
    ev_parser_leave(parser, saved);
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
