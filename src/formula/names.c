/* Names: which tokens spell one, and what symbol it stands for.
 *
 * A name is a letter or a letter-like command, under an accent if any, with primes, stars,
 * and those subscripts that it was declared with.  Fonts are not part of a name, except
 * \mathcal (\mathcal{L} is not L) and words (\mathrm{ELBO}). */
#include "formula/parser.h"

#include <stdint.h>
#include <string.h>

static const char *const letters[] = {
    "alpha",    "beta",  "gamma", "delta",   "epsilon", "varepsilon", "zeta",  "eta",     "theta",
    "vartheta", "iota",  "kappa", "lambda",  "mu",      "nu",         "xi",    "pi",      "rho",
    "varrho",   "sigma", "tau",   "upsilon", "phi",     "varphi",     "chi",   "psi",     "omega",
    "Gamma",    "Delta", "Theta", "Lambda",  "Xi",      "Pi",         "Sigma", "Upsilon", "Phi",
    "Psi",      "Omega", "ell",   "hbar",    NULL};
static const char *const accents[][2] = {
    {"tilde", "tilde"}, {"widetilde", "tilde"},     {"hat", "hat"}, {"widehat", "hat"},
    {"bar", "bar"},     {"overline", "bar"},        {"vec", "vec"}, {"dot", "dot"},
    {"check", "check"}, {"underline", "underline"}, {NULL, NULL}};
static const char *const fonts[] = {"mathbf", "boldsymbol", "bm", "mathit", "mathsf", "bf", NULL};

static bool command_in(const ev_token *token, const char *const *list)
{
    if (token->kind != EV_TOKEN_COMMAND)
        return false;
    for (; *list != NULL; list++)
        if (ev_token_is_command(token, *list))
            return true;
    return false;
}

/* A word is letters in braces after \operatorname, \mathrm or \text. */
size_t ev_parser_word(const ev_parser *parser, size_t at, char word[32])
{
    const ev_token *t = parser->list.tokens;
    if (!ev_token_is_command(&t[at], "operatorname") && !ev_token_is_command(&t[at], "mathrm"))
        return 0;
    at++;
    if (t[at].kind == EV_TOKEN_LETTER) {
        word[0] = t[at].text[0];
        word[1] = '\0';
        return at + 1;
    }
    if (!ev_token_is(&t[at], '{'))
        return 0;
    size_t n = 0;
    for (at++; (t[at].kind == EV_TOKEN_LETTER || t[at].kind == EV_TOKEN_NUMBER) && n < 31; at++)
        for (size_t i = 0; i < t[at].length && n < 31; i++)
            word[n++] = t[at].text[i];
    word[n] = '\0';
    return n > 0 && ev_token_is(&t[at], '}') ? at + 1 : 0;
}

/* More accents and fonts on top of each other than any name has. */
static bool is_stacked(const ev_parser *parser, size_t at)
{
    enum { MOST = 8 };
    size_t stacked = 0;
    while (at > 0 && stacked <= MOST) {
        const ev_token *t = &parser->list.tokens[--at];
        if (t->kind == EV_TOKEN_COMMAND)
            stacked++;
        else if (!ev_token_is(t, '{'))
            break;
    }
    return stacked > MOST;
}

static size_t accented(const ev_parser *parser, size_t at, const char *accent, const char **name)
{
    if (is_stacked(parser, at))
        return 0;
    const ev_token *t = parser->list.tokens;
    bool braced = ev_token_is(&t[at], '{');
    const char *inner;
    size_t next = ev_parser_base_name(parser, at + braced, &inner);
    if (next == 0 || (braced && !ev_token_is(&t[next], '}')))
        return 0;
    *name = *accent == '\0' ? inner : ev_arena_format(parser->arena, "\\%s{%s}", accent, inner);
    return *name == NULL ? 0 : next + braced;
}

/* ^*, ^{*}, ^\star, ^{\ast}: the position after it, or 0. */
static size_t star(const ev_parser *parser, size_t at)
{
    const ev_token *t = parser->list.tokens;
    if (!ev_token_is(&t[at], '^'))
        return 0;
    bool braced = ev_token_is(&t[at + 1], '{');
    size_t i = at + 1 + braced;
    bool is_star = ev_token_is(&t[i], '*') || ev_token_is_command(&t[i], "star") ||
                   ev_token_is_command(&t[i], "ast");
    if (!is_star || (braced && !ev_token_is(&t[i + 1], '}')))
        return 0;
    return i + 1 + braced;
}

static size_t decorated(const ev_parser *parser, size_t at, const char **name)
{
    enum { MOST = 16 };
    for (size_t marks = 0; marks < MOST; marks++) {
        size_t next = 0;
        if (ev_token_is(&parser->list.tokens[at], '\''))
            next = at + 1, *name = ev_arena_format(parser->arena, "%s'", *name);
        else if ((next = star(parser, at)) != 0)
            *name = ev_arena_format(parser->arena, "%s^*", *name);
        if (*name == NULL)
            return 0;
        if (next == 0)
            return at;
        at = next;
    }
    return 0;
}

size_t ev_parser_base_name(const ev_parser *parser, size_t at, const char **name)
{
    const ev_token *t = &parser->list.tokens[at];
    char word[32];
    size_t next = 0;
    *name = NULL;
    if (t->kind == EV_TOKEN_LETTER) {
        *name = ev_arena_text(parser->arena, t->text, 1);
        next = at + 1;
    } else if (command_in(t, letters)) {
        *name = ev_arena_format(parser->arena, "\\%.*s", (int)t->length, t->text);
        next = at + 1;
    } else if (command_in(t, fonts)) {
        next = accented(parser, at + 1, "", name);
    } else if (ev_token_is_command(t, "mathcal")) {
        next = accented(parser, at + 1, "mathcal", name);
    } else if ((next = ev_parser_word(parser, at, word)) != 0) {
        *name = ev_arena_format(parser->arena, "\\mathrm{%s}", word);
    } else {
        for (size_t i = 0; accents[i][0] != NULL; i++)
            if (ev_token_is_command(t, accents[i][0]))
                next = accented(parser, at + 1, accents[i][1], name);
    }
    if (next == 0 || *name == NULL)
        return 0;
    return decorated(parser, next, name);
}

size_t ev_parser_group_text(const ev_parser *parser, size_t at, const char **text)
{
    const ev_token *t = parser->list.tokens;
    *text = NULL;
    if (t[at].kind == EV_TOKEN_END)
        return 0;
    if (!ev_token_is(&t[at], '{')) {
        bool command = t[at].kind == EV_TOKEN_COMMAND;
        *text = ev_arena_format(parser->arena, "%s%.*s", command ? "\\" : "", (int)t[at].length,
                                t[at].text);
        return *text == NULL ? 0 : at + 1;
    }
    const char *so_far = "";
    size_t depth = 1;
    for (at++; t[at].kind != EV_TOKEN_END; at++) {
        depth += ev_token_is(&t[at], '{');
        depth -= ev_token_is(&t[at], '}');
        if (depth == 0)
            break;
        if (ev_token_is_command(&t[at], "operatorname") || ev_token_is_command(&t[at], "mathrm") ||
            ev_token_is(&t[at], '{') || ev_token_is(&t[at], '}') || command_in(&t[at], fonts))
            continue;
        so_far = ev_arena_format(parser->arena, "%s%s%.*s", so_far,
                                 t[at].kind == EV_TOKEN_COMMAND ? "\\" : "", (int)t[at].length,
                                 t[at].text);
        if (so_far == NULL)
            return 0;
    }
    *text = so_far;
    return at + 1;
}

int ev_parser_find(const ev_parser *parser, const char *name)
{
    for (size_t i = parser->binder_count; i-- > 0;)
        if (strcmp(parser->binders[i].name, name) == 0)
            return parser->binders[i].symbol;
    return ev_scope_find(parser->scope, name);
}

bool ev_parser_is_family(const ev_parser *parser, const char *name)
{
    size_t before = SIZE_MAX;
    return ev_scope_find_family(parser->scope, name, &before) >= 0;
}

size_t ev_parser_name(const ev_parser *parser, size_t at, const char **name)
{
    size_t next = ev_parser_base_name(parser, at, name);
    if (next == 0 || !ev_token_is(&parser->list.tokens[next], '_'))
        return next;
    const char *subscript;
    size_t after = ev_parser_group_text(parser, next + 1, &subscript);
    if (after == 0)
        return next;
    const char *full = ev_arena_format(parser->arena, "%s_{%s}", *name, subscript);
    if (full == NULL)
        return 0;
    size_t end = decorated(parser, after, &full);
    const char *samples = ev_arena_format(parser->arena, "%s^{()}", full);
    if (end != 0 && samples != NULL &&
        (ev_parser_find(parser, full) >= 0 || ev_parser_is_family(parser, full) ||
         ev_parser_find(parser, samples) >= 0)) {
        *name = full;
        return end;
    }
    return next;
}
