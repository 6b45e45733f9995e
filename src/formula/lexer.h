/* Tokens of TeX mathematics, each with its place in the document. */
#ifndef EV_FORMULA_LEXER_H
#define EV_FORMULA_LEXER_H

#include "formula/scope.h"

typedef enum {
    EV_TOKEN_END,
    EV_TOKEN_NUMBER,
    EV_TOKEN_LETTER,  /* one letter */
    EV_TOKEN_COMMAND, /* \name; text excludes the backslash */
    EV_TOKEN_CHAR,    /* one of + - * / ^ _ ( ) [ ] { } | , ; : = < > ! ' . */
    EV_TOKEN_BREAK,   /* \\ */
    EV_TOKEN_QUAD,    /* \quad, \qquad */
    EV_TOKEN_BEGIN,   /* \begin{name}: text is the name */
    EV_TOKEN_FINISH   /* \end{name} */
} ev_token_kind;

typedef struct {
    ev_token_kind kind;
    const char *text; /* into the source; not terminated */
    size_t length;
    const char *start; /* where the token begins, backslash included */
    size_t line, column;
    double number;
} ev_token;

typedef struct {
    ev_token *tokens; /* ends with EV_TOKEN_END */
    size_t count;
    ev_span span;
} ev_token_list;

/* Spacing, sizes (\left, \big, ...), alignment marks, \tag, \label and \text{...} are dropped;
 * \{ \} \| and \lvert-like commands stay commands.  Memory from the arena. */
ev_status ev_lex(ev_span span, ev_arena *arena, ev_token_list *list, ev_error *error);

bool ev_token_is(const ev_token *token, char c);
bool ev_token_is_command(const ev_token *token, const char *name);

/* Fill an error's place from a position in a span's file. */
ev_status ev_error_at(ev_error *error, const char *file, size_t line, size_t column, size_t length,
                      const char *format, ...) __attribute__((format(printf, 6, 7)));

#endif
