#include "formula/lexer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ev_span span;
    size_t at, line, column;
    ev_arena *arena;
    ev_token *tokens; /* heap while growing */
    size_t count, capacity;
    ev_error *error;
} lexer;

ev_status ev_error_at(ev_error *error, const char *file, size_t line, size_t column, size_t length,
                      const char *format, ...)
{
    if (error == NULL || error->status != EV_OK)
        return EV_BAD_INPUT;
    error->status = EV_BAD_INPUT;
    snprintf(error->file, sizeof error->file, "%s", file == NULL ? "" : file);
    error->line = line;
    error->column = column;
    error->length = length;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return EV_BAD_INPUT;
}

bool ev_token_is(const ev_token *token, char c)
{
    return token->kind == EV_TOKEN_CHAR && token->text[0] == c;
}

bool ev_token_is_command(const ev_token *token, const char *name)
{
    return token->kind == EV_TOKEN_COMMAND && strlen(name) == token->length &&
           memcmp(token->text, name, token->length) == 0;
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static char peek(const lexer *lx, size_t ahead)
{
    return lx->at + ahead < lx->span.length ? lx->span.text[lx->at + ahead] : '\0';
}

static void advance(lexer *lx, size_t n)
{
    for (; n > 0 && lx->at < lx->span.length; n--, lx->at++) {
        if (lx->span.text[lx->at] == '\n') {
            lx->line++;
            lx->column = 1;
        } else {
            lx->column++;
        }
    }
}

static ev_token *push(lexer *lx, ev_token_kind kind, const char *text, size_t length)
{
    if (!ev_array_reserve(&lx->tokens, lx->count, &lx->capacity, sizeof *lx->tokens)) {
        ev_error_set(lx->error, EV_NO_MEMORY, "out of memory");
        return NULL;
    }
    ev_token *token = &lx->tokens[lx->count++];
    *token = (ev_token){.kind = kind,
                        .text = text,
                        .length = length,
                        .start = lx->span.text + lx->at,
                        .line = lx->line,
                        .column = lx->column};
    return token;
}

static bool in_list(const char *const *list, const char *text, size_t length)
{
    for (; *list != NULL; list++)
        if (strlen(*list) == length && memcmp(*list, text, length) == 0)
            return true;
    return false;
}

/* Commands that only set type: they are dropped, what follows them stays. */
static const char *const layout_commands[] = {
    "left",     "right", "middle",    "big",          "Big",       "bigg",   "Bigg",
    "bigl",     "bigr",  "Bigl",      "Bigr",         "biggl",     "biggr",  "Biggl",
    "Biggr",    "bigm",  "Bigm",      "displaystyle", "textstyle", "limits", "nolimits",
    "nonumber", "notag", "mathstrut", "thinspace",    NULL};
/* Commands that are dropped with their braced argument. */
static const char *const comment_commands[] = {"tag", "label", "hspace", "vspace", "phantom", NULL};

/* The braced group that must follow: its inside, and the reader moved past it. */
static ev_status braced(lexer *lx, const char *after, const char **inside, size_t *length)
{
    while (peek(lx, 0) == ' ')
        advance(lx, 1);
    size_t line = lx->line, column = lx->column;
    if (peek(lx, 0) != '{')
        return ev_error_at(lx->error, lx->span.file, line, column, 1, "expected { after %s", after);
    advance(lx, 1);
    size_t start = lx->at, depth = 1;
    while (lx->at < lx->span.length) {
        char c = peek(lx, 0);
        if (c == '\\') {
            advance(lx, 2);
            continue;
        }
        depth += c == '{';
        depth -= c == '}';
        if (depth == 0)
            break;
        advance(lx, 1);
    }
    if (lx->at >= lx->span.length)
        return ev_error_at(lx->error, lx->span.file, line, column, 1, "this { is never closed");
    *inside = lx->span.text + start;
    *length = lx->at - start;
    advance(lx, 1);
    return EV_OK;
}

static bool follows_subscript(const lexer *lx)
{
    const ev_token *last = lx->count > 0 ? &lx->tokens[lx->count - 1] : NULL;
    if (last != NULL && ev_token_is(last, '{') && lx->count > 1)
        last--;
    return last != NULL && ev_token_is(last, '_');
}

/* \text{KL}, \text{Ber} and \text in a subscript: a name; any other \text is a comment on the line. */
/* A comment stands at the end of a line; inside it, it would hide what the words say. */
static ev_status at_line_end(lexer *lx, const lexer *text)
{
    size_t i = lx->at;
    const char *s = lx->span.text;
    while (i < lx->span.length && strchr(" \t\r\n&.,;)", s[i]) != NULL && s[i] != '\0')
        i++;
    bool ends = i >= lx->span.length || s[i] == '%' ||
                (s[i] == '\\' && i + 1 < lx->span.length &&
                 (s[i + 1] == '\\' || strncmp(s + i, "\\end{", 5) == 0 ||
                  strncmp(s + i, "\\tag", 4) == 0 || strncmp(s + i, "\\label", 6) == 0 ||
                  strncmp(s + i, "\\quad", 5) == 0 || strncmp(s + i, "\\qquad", 6) == 0 ||
                  strncmp(s + i, "\\text", 5) == 0));
    return ends ? EV_OK
                : ev_error_at(lx->error, lx->span.file, text->line, text->column, 5,
                              "\\text may stand only at the end of a line: its words are not read");
}

static ev_status lex_text(lexer *lx, size_t command_length)
{
    static const char *const operators[] = {"KL",       "Ber", "Cat", "diag", "softmax", "sigmoid",
                                            "softplus", "tr",  "H",   "Var",  NULL};
    lexer here = *lx;
    advance(lx, command_length);
    const char *inside;
    size_t length;
    ev_status status = braced(lx, "\\text", &inside, &length);
    if (status == EV_OK && !in_list(operators, inside, length) && !follows_subscript(lx))
        return at_line_end(lx, &here);
    if (status != EV_OK)
        return status;
    size_t line = lx->line, column = lx->column, at = lx->at;
    lx->at = here.at, lx->line = here.line, lx->column = here.column;
    if (push(lx, EV_TOKEN_COMMAND, "operatorname", 12) == NULL ||
        push(lx, EV_TOKEN_CHAR, "{", 1) == NULL)
        return EV_NO_MEMORY;
    for (size_t i = 0; i < length; i++)
        if (push(lx, EV_TOKEN_LETTER, inside + i, 1) == NULL)
            return EV_NO_MEMORY;
    if (push(lx, EV_TOKEN_CHAR, "}", 1) == NULL)
        return EV_NO_MEMORY;
    lx->at = at, lx->line = line, lx->column = column;
    return EV_OK;
}

static ev_status lex_environment(lexer *lx, size_t command_length, ev_token_kind kind)
{
    lexer here = *lx;
    advance(lx, command_length);
    const char *inside;
    size_t length;
    ev_status status = braced(lx, kind == EV_TOKEN_BEGIN ? "\\begin" : "\\end", &inside, &length);
    if (status != EV_OK)
        return status;
    ev_token *token = push(lx, kind, inside, length);
    if (token == NULL)
        return EV_NO_MEMORY;
    token->line = here.line, token->column = here.column, token->start = here.span.text + here.at;
    return EV_OK;
}

static ev_status lex_word(lexer *lx)
{
    size_t length = 1;
    while (is_letter(peek(lx, length)))
        length++;
    const char *name = lx->span.text + lx->at + 1;
    size_t n = length - 1;
    if (in_list(layout_commands, name, n)) {
        advance(lx, length);
        return EV_OK;
    }
    if (in_list(comment_commands, name, n)) {
        advance(lx, length);
        const char *inside;
        size_t inside_length;
        return braced(lx, "this command", &inside, &inside_length);
    }
    if (n == 4 && memcmp(name, "text", 4) == 0)
        return lex_text(lx, length);
    if (n == 5 && memcmp(name, "begin", 5) == 0)
        return lex_environment(lx, length, EV_TOKEN_BEGIN);
    if (n == 3 && memcmp(name, "end", 3) == 0)
        return lex_environment(lx, length, EV_TOKEN_FINISH);
    bool quad = (n == 4 && memcmp(name, "quad", 4) == 0) ||
                (n == 5 && memcmp(name, "qquad", 5) == 0);
    if (push(lx, quad ? EV_TOKEN_QUAD : EV_TOKEN_COMMAND, name, n) == NULL)
        return EV_NO_MEMORY;
    advance(lx, length);
    return EV_OK;
}

/* The [4pt] of a row's end. */
static void skip_row_space(lexer *lx)
{
    size_t n = 0;
    if (peek(lx, 0) != '[' || !(is_digit(peek(lx, 1)) || peek(lx, 1) == '-'))
        return;
    while (peek(lx, n) != ']' && peek(lx, n) != '\0' && peek(lx, n) != '\n')
        n++;
    bool unit = n > 2 && is_letter(peek(lx, n - 1)) && is_letter(peek(lx, n - 2));
    if (peek(lx, n) == ']' && unit)
        advance(lx, n + 1);
}

static ev_status lex_backslash(lexer *lx)
{
    char next = peek(lx, 1);
    if (is_letter(next))
        return lex_word(lx);
    if (next == '\\') {
        if (push(lx, EV_TOKEN_BREAK, lx->span.text + lx->at, 2) == NULL)
            return EV_NO_MEMORY;
        advance(lx, 2);
        skip_row_space(lx);
        return EV_OK;
    }
    if (next == ',' || next == ';' || next == ':' || next == '!' || next == ' ' || next == '\n') {
        advance(lx, 2);
        return EV_OK;
    }
    if (next == '{' || next == '}' || next == '|') {
        if (push(lx, EV_TOKEN_COMMAND, lx->span.text + lx->at + 1, 1) == NULL)
            return EV_NO_MEMORY;
        advance(lx, 2);
        return EV_OK;
    }
    return ev_error_at(lx->error, lx->span.file, lx->line, lx->column, 2, "unknown command \\%c",
                       next == '\0' ? ' ' : next);
}

static ev_status lex_number(lexer *lx)
{
    size_t length = 0;
    while (is_digit(peek(lx, length)))
        length++;
    if (peek(lx, length) == '.' && is_digit(peek(lx, length + 1))) {
        length++;
        while (is_digit(peek(lx, length)))
            length++;
    }
    size_t sign = peek(lx, length + 1) == '-' || peek(lx, length + 1) == '+';
    if ((peek(lx, length) | 0x20) == 'e' && is_digit(peek(lx, length + 1 + sign)))
        return ev_error_at(lx->error, lx->span.file, lx->line, lx->column, length + 2 + sign,
                           "a power of ten, or a multiple of e? Write 10^{-3}, or 2\\,e - 3");
    char copy[64];
    if (length >= sizeof copy)
        return ev_error_at(lx->error, lx->span.file, lx->line, lx->column, length,
                           "a number of more than %zu digits", sizeof copy - 1);
    memcpy(copy, lx->span.text + lx->at, length);
    copy[length] = '\0';
    ev_token *token = push(lx, EV_TOKEN_NUMBER, lx->span.text + lx->at, length);
    if (token == NULL)
        return EV_NO_MEMORY;
    token->number = strtod(copy, NULL);
    advance(lx, length);
    return EV_OK;
}

static ev_status lex_one(lexer *lx)
{
    /* No formula is printed that long; what reads it may take the square of this. */
    enum { MOST_TOKENS = 20000 };
    char c = peek(lx, 0);
    if (lx->count > MOST_TOKENS)
        return ev_error_at(lx->error, lx->span.file, lx->line, lx->column, 1,
                           "the formula is longer than %d signs", MOST_TOKENS);
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '&' || c == '~') {
        advance(lx, 1);
        return EV_OK;
    }
    if (c == '%') { /* a TeX comment */
        while (lx->at < lx->span.length && peek(lx, 0) != '\n')
            advance(lx, 1);
        return EV_OK;
    }
    if (c == '\\')
        return lex_backslash(lx);
    if (is_digit(c))
        return lex_number(lx);
    if (c == '.' && is_digit(peek(lx, 1)))
        return ev_error_at(lx->error, lx->span.file, lx->line, lx->column, 2,
                           "a number begins with a digit: 0.5");
    bool known = c != '\0' && strchr("+-*/^_()[]{}|,;:=<>!'.", c) != NULL;
    if (!known && !is_letter(c))
        return ev_error_at(lx->error, lx->span.file, lx->line, lx->column, 1,
                           (unsigned char)c < 0x80 ? "'%c' has no meaning in a formula"
                                                   : "a character outside ASCII in a formula",
                           c);
    if (push(lx, known ? EV_TOKEN_CHAR : EV_TOKEN_LETTER, lx->span.text + lx->at, 1) == NULL)
        return EV_NO_MEMORY;
    advance(lx, 1);
    return EV_OK;
}

/* Braces must balance before anything else is said of a formula. */
static ev_status check_braces(const lexer *lx)
{
    const ev_token *open[256];
    size_t depth = 0;
    for (size_t i = 0; i < lx->count; i++) {
        const ev_token *t = &lx->tokens[i];
        if (ev_token_is(t, '{')) {
            if (depth == sizeof open / sizeof *open)
                return ev_error_at(lx->error, lx->span.file, t->line, t->column, 1,
                                   "braces nested more than %zu deep", depth);
            open[depth++] = t;
        } else if (ev_token_is(t, '}')) {
            if (depth == 0)
                return ev_error_at(lx->error, lx->span.file, t->line, t->column, 1,
                                   "this } closes nothing");
            depth--;
        }
    }
    if (depth > 0)
        return ev_error_at(lx->error, lx->span.file, open[depth - 1]->line, open[depth - 1]->column,
                           1, "this { is never closed");
    return EV_OK;
}

ev_status ev_lex(ev_span span, ev_arena *arena, ev_token_list *list, ev_error *error)
{
    lexer lx = {
        .span = span, .line = span.line, .column = span.column, .arena = arena, .error = error};
    ev_status status = EV_OK;
    while (status == EV_OK && lx.at < span.length)
        status = lex_one(&lx);
    if (status == EV_OK && push(&lx, EV_TOKEN_END, span.text + span.length, 0) == NULL)
        status = EV_NO_MEMORY;
    if (status == EV_OK)
        status = check_braces(&lx);
    if (status == EV_OK) {
        list->tokens = ev_arena_array(arena, lx.count, sizeof *lx.tokens);
        list->count = lx.count;
        list->span = span;
        if (list->tokens == NULL)
            status = ev_error_set(error, EV_NO_MEMORY, "out of memory");
        else
            memcpy(list->tokens, lx.tokens, lx.count * sizeof *lx.tokens);
    }
    free(lx.tokens);
    return status;
}
