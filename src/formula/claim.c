/* Chains: members between relations, new chains after \Rightarrow and outermost commas. */
#include "formula/claim.h"
#include "formula/elaborate.h"
#include "formula/parser.h"

#include <stdlib.h>
#include <string.h>

const char *ev_relation_text(ev_relation relation)
{
    static const char *const texts[] = {"=", "<=", ">=", "<", ">", "~", "prop"};
    return texts[relation];
}

typedef struct {
    ev_parser parser;
    const ev_syntax **members;
    const char **texts;
    size_t member_count, member_capacity, text_capacity;
    ev_formula_step *steps;
    size_t step_count, step_capacity;
} chain_reader;

bool ev_token_relation(const ev_token *t, ev_relation *relation)
{
    static const struct {
        const char *command;
        ev_relation relation;
    } commands[] = {{"le", EV_RELATION_LESS_EQUAL},
                    {"leq", EV_RELATION_LESS_EQUAL},
                    {"leqslant", EV_RELATION_LESS_EQUAL},
                    {"ge", EV_RELATION_GREATER_EQUAL},
                    {"geq", EV_RELATION_GREATER_EQUAL},
                    {"geqslant", EV_RELATION_GREATER_EQUAL},
                    {"lt", EV_RELATION_LESS},
                    {"gt", EV_RELATION_GREATER},
                    {"approx", EV_RELATION_APPROX},
                    {"propto", EV_RELATION_PROPORTIONAL}};
    static const struct {
        char c;
        ev_relation relation;
    } signs[] = {{'=', EV_RELATION_EQUAL}, {'<', EV_RELATION_LESS}, {'>', EV_RELATION_GREATER}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (ev_token_is(t, signs[i].c))
            return *relation = signs[i].relation, true;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (ev_token_is_command(t, commands[i].command))
            return *relation = commands[i].relation, true;
    return false;
}

static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '&'; }

/* The source between two tokens, trimmed, its white space folded. */
static const char *printed(chain_reader *r, const ev_token *from, const ev_token *to)
{
    const char *start = from->start, *end = to->start;
    while (end > start && is_space(end[-1]))
        end--;
    size_t length = (size_t)(end - start);
    char *copy = ev_arena_text(r->parser.arena, start, length), *out = copy;
    if (copy == NULL)
        return NULL;
    bool space = false;
    for (size_t i = 0; i < length; i++) {
        if (is_space(start[i])) {
            space = true;
            continue;
        }
        if (space && out != copy)
            *out++ = ' ';
        space = false;
        *out++ = start[i];
    }
    *out = '\0';
    return copy;
}

static bool is_argmin(const ev_parser *parser, ev_syntax_kind *kind)
{
    const ev_token *t = ev_parser_token(parser);
    if (!ev_token_is_command(t, "arg"))
        return false;
    bool min = ev_token_is_command(t + 1, "min");
    *kind = min ? EV_SYNTAX_ARGMIN : EV_SYNTAX_ARGMAX;
    return min || ev_token_is_command(t + 1, "max");
}

static void skip_breaks(ev_parser *parser)
{
    while (ev_parser_token(parser)->kind == EV_TOKEN_BREAK ||
           ev_parser_token(parser)->kind == EV_TOKEN_QUAD)
        parser->at++;
}

enum { MOST_MEMBERS = 501 };

static bool read_member(chain_reader *r)
{
    ev_parser *parser = &r->parser;
    skip_breaks(parser);
    const ev_token *first = ev_parser_token(parser);
    ev_syntax_kind kind;
    const ev_syntax *member = is_argmin(parser, &kind) ? ev_parse_argmin(parser, kind)
                                                       : ev_parse_expression(parser);
    if (member == NULL)
        return false;
    if (r->member_count == MOST_MEMBERS) {
        ev_parser_fail(parser, first, "a chain of more than %d relations", MOST_MEMBERS - 1);
        return false;
    }
    if (!ev_array_reserve(&r->members, r->member_count, &r->member_capacity, sizeof *r->members) ||
        !ev_array_reserve(&r->texts, r->member_count, &r->text_capacity, sizeof *r->texts)) {
        ev_error_set(parser->error, EV_NO_MEMORY, "out of memory");
        return false;
    }
    r->members[r->member_count] = member;
    r->texts[r->member_count] = printed(r, first, ev_parser_token(parser));
    return r->texts[r->member_count++] != NULL;
}

static bool add_step(chain_reader *r, ev_relation relation, const ev_token *place)
{
    if (!ev_array_reserve(&r->steps, r->step_count, &r->step_capacity, sizeof *r->steps)) {
        ev_error_set(r->parser.error, EV_NO_MEMORY, "out of memory");
        return false;
    }
    size_t n = r->member_count;
    r->steps[r->step_count++] = (ev_formula_step){.relation = relation,
                                                  .left = n - 2,
                                                  .right = n - 1,
                                                  .line = place->line,
                                                  .column = place->column,
                                                  .source = r->texts[n - 1]};
    return true;
}

static bool read_chain(chain_reader *r)
{
    ev_parser *parser = &r->parser;
    if (!read_member(r))
        return false;
    size_t relations = 0;
    for (;; relations++) {
        skip_breaks(parser);
        const ev_token *t = ev_parser_token(parser);
        ev_relation relation;
        if (!ev_token_relation(t, &relation))
            break;
        parser->at++;
        skip_breaks(parser);
        ev_relation again;
        bool repeated = ev_parser_ahead(parser, 0)->kind != EV_TOKEN_END &&
                        ev_token_relation(ev_parser_token(parser), &again);
        if (repeated && again == relation && parser->at > 0 &&
            parser->list.tokens[parser->at - 1].kind == EV_TOKEN_BREAK)
            parser->at++; /* "= \\ =": the sign repeated on the next line */
        if (!read_member(r) || !add_step(r, relation, t))
            return false;
    }
    if (relations == 0) {
        const ev_token *t = ev_parser_token(parser);
        char found[48];
        ev_parser_fail(parser, t,
                       t->kind == EV_TOKEN_END ? "a claim needs a relation"
                                               : "expected a relation, found %s",
                       ev_token_describe(t, found));
        return false;
    }
    return true;
}

static bool is_implication(const ev_token *t)
{
    return ev_token_is_command(t, "Rightarrow") || ev_token_is_command(t, "implies") ||
           ev_token_is_command(t, "Longrightarrow");
}

static bool is_separator(const ev_parser *parser)
{
    const ev_token *t = ev_parser_token(parser);
    return is_implication(t) || ev_token_is(t, ',') || ev_token_is(t, ';') || ev_token_is(t, '.') ||
           t->kind == EV_TOKEN_BREAK || t->kind == EV_TOKEN_QUAD || t->kind == EV_TOKEN_BEGIN ||
           t->kind == EV_TOKEN_FINISH;
}

static ev_status check_environments(const ev_parser *parser)
{
    static const char *const known[] = {"aligned",  "align", "align*", "equation", "equation*",
                                        "gathered", "split", "gather", "gather*",  NULL};
    const ev_token *open = NULL;
    for (const ev_token *t = parser->list.tokens; t->kind != EV_TOKEN_END; t++) {
        if (t->kind != EV_TOKEN_BEGIN && t->kind != EV_TOKEN_FINISH)
            continue;
        bool ok = false;
        for (size_t i = 0; known[i] != NULL; i++)
            ok |= strlen(known[i]) == t->length && memcmp(known[i], t->text, t->length) == 0;
        if (!ok)
            return ev_error_at(parser->error, parser->list.span.file, t->line, t->column, t->length,
                               "the environment %.*s is not in the language", (int)t->length,
                               t->text);
        if ((t->kind == EV_TOKEN_BEGIN) == (open != NULL))
            return ev_error_at(parser->error, parser->list.span.file, t->line, t->column, t->length,
                               open != NULL ? "an environment inside another"
                                            : "\\end without its \\begin");
        open = t->kind == EV_TOKEN_BEGIN ? t : NULL;
    }
    if (open != NULL)
        return ev_error_at(parser->error, parser->list.span.file, open->line, open->column,
                           open->length, "this \\begin is never ended");
    return EV_OK;
}

static bool read_all(chain_reader *r)
{
    ev_parser *parser = &r->parser;
    if (check_environments(parser) != EV_OK)
        return false;
    for (;;) {
        while (is_separator(parser))
            parser->at++;
        if (ev_parser_token(parser)->kind == EV_TOKEN_END)
            break;
        if (!read_chain(r))
            return false;
        const ev_token *t = ev_parser_token(parser);
        char found[48];
        if (t->kind != EV_TOKEN_END && !is_separator(parser)) {
            ev_parser_fail(parser, t, "expected a relation or the end of the line, found %s",
                           ev_token_describe(t, found));
            return false;
        }
    }
    if (r->step_count == 0) {
        ev_parser_fail(parser, ev_parser_token(parser), "a claim needs a relation");
        return false;
    }
    return true;
}

static void *keep(ev_arena *arena, const void *items, size_t count, size_t size)
{
    void *copy = ev_arena_array(arena, count + 1, size);
    if (copy != NULL && count > 0)
        memcpy(copy, items, count * size);
    return copy;
}

ev_status ev_formula_parse(const ev_scope *scope, ev_span display, ev_formula *formula,
                           ev_error *error)
{
    chain_reader r = {.member_count = 0};
    ev_status status = ev_parser_init(&r.parser, scope, display, error);
    if (status != EV_OK)
        return status;
    if (!read_all(&r)) {
        status = error->status != EV_OK ? error->status
                                        : ev_error_set(error, EV_NO_MEMORY, "out of memory");
    } else {
        ev_arena *arena = scope->table->arena;
        *formula = (ev_formula){
            .member_count = r.member_count,
            .members = keep(arena, r.members, r.member_count, sizeof *r.members),
            .member_texts = keep(arena, r.texts, r.member_count, sizeof *r.texts),
            .step_count = r.step_count,
            .steps = keep(arena, r.steps, r.step_count, sizeof *r.steps),
            .scope = scope,
            .file = display.file};
        if (formula->members == NULL || formula->member_texts == NULL || formula->steps == NULL)
            status = ev_error_set(error, EV_NO_MEMORY, "out of memory");
    }
    free(r.members);
    free(r.texts);
    free(r.steps);
    return status == EV_OK ? ev_formula_check_types(formula, error) : status;
}
