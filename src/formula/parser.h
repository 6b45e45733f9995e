/* Recursive-descent parser of printed formulas: tokens and a scope in, a syntax tree out.
 * Private to src/formula; its public faces are ev_scope_declare and ev_formula_parse.
 *
 * Every function returns NULL after the first error; the error has its place. */
#ifndef EV_FORMULA_PARSER_H
#define EV_FORMULA_PARSER_H

#include "formula/claim.h"
#include "formula/lexer.h"
#include "formula/syntax.h"

typedef struct {
    const char *name;
    int symbol;
} ev_binder;

typedef struct {
    const ev_scope *scope;
    ev_arena *arena;
    ev_error *error;
    ev_token_list list;
    size_t at;
    ev_binder binders[64]; /* sum indices and formals in force, innermost last */
    size_t binder_count;
    size_t depth;                   /* of nesting, to keep the stack */
    size_t integrals;               /* open integrals: d followed by a variable ends them */
    bool bar_ends;                  /* | separates arguments here */
    bool absolute;                  /* an absolute value is open: | closes it */
    const ev_syntax *open_gradient; /* the latest whose operand stands without brackets */
} ev_parser;

enum { EV_PARSER_MAX_DEPTH = 120 };

ev_status ev_parser_init(ev_parser *parser, const ev_scope *scope, ev_span span, ev_error *error);

const ev_token *ev_parser_token(const ev_parser *parser);
const ev_token *ev_parser_ahead(const ev_parser *parser, size_t n);
/* Record an error at a token; returns NULL for use in return statements. */
void *ev_parser_fail(ev_parser *parser, const ev_token *token, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* How a token is called in messages: "'+'", "\foo", "the end". In a static ring of buffers. */
const char *ev_token_describe(const ev_token *token, char buffer[48]);
bool ev_parser_expect(ev_parser *parser, char c, const char *where);

/* Sum or difference of terms; stops before what can't continue it. */
const ev_syntax *ev_parse_expression(ev_parser *parser);
/* A product of factors. */
const ev_syntax *ev_parse_term(ev_parser *parser);
/* One factor with its postfixes. */
const ev_syntax *ev_parse_factor(ev_parser *parser);
/* Big operators: each returns NULL with an error, or the node; called on their first token. */
/* \sum, \prod, and \max, \min over an index. */
const ev_syntax *ev_parse_sum(ev_parser *parser, ev_syntax_kind kind);
const ev_syntax *ev_parse_integral(ev_parser *parser);
const ev_syntax *ev_parse_expectation(ev_parser *parser, ev_syntax_kind kind);
const ev_syntax *ev_parse_divergence(ev_parser *parser);
const ev_syntax *ev_parse_entropy(ev_parser *parser);
const ev_syntax *ev_parse_argmin(ev_parser *parser, ev_syntax_kind kind);
const ev_syntax *ev_parse_gradient(ev_parser *parser);
/* What follows \nabla_symbol or \frac{\partial}{\partial symbol}. */
const ev_syntax *ev_parse_gradient_of(ev_parser *parser, const ev_token *place, int symbol);
/* A base density \mathcal{N}(...), \mathrm{Ber}(...), ...; variable: its first argument when the
 * brackets don't hold it (x \sim \mathcal{N}(0, 1)), else NULL. */
const ev_syntax *ev_parse_base_density(ev_parser *parser, ev_syntax_kind kind,
                                       const ev_syntax *variable);
/* A density or product of densities, `q(z|x)q(c|x)`, `q`, `x \sim q`; its bound variables are
 * appended to variables[*count] (capacity 16). */
const ev_syntax *ev_parse_density(ev_parser *parser, int *variables, size_t *count);
/* The variables that an applied density is a density of (its plain left arguments), appended. */
bool ev_density_variables(ev_parser *parser, const ev_syntax *density, const ev_token *place,
                          int *variables, size_t *count);
/* A bare q: the only density of that family, at its own variables. */
const ev_syntax *ev_parse_bare_family(ev_parser *parser, const char *name, const ev_token *place);
/* Does a differential dz start here? Returns the token count of it, and its variable. */
size_t ev_parser_differential(const ev_parser *parser, size_t at, int *symbol);

/* Read a name (letter, command, accent, prime, star; a declared subscript) at token `at`: its
 * canonical text and the position after it, or 0 when there is no name. */
size_t ev_parser_name(const ev_parser *parser, size_t at, const char **name);
/* The same without looking for declared subscripts. */
size_t ev_parser_base_name(const ev_parser *parser, size_t at, const char **name);
/* The canonical text of a subscript group or token that begins at `at` (after the _ or ^). */
size_t ev_parser_group_text(const ev_parser *parser, size_t at, const char **text);
/* Which word, KL, Ber, ..., an \operatorname{word}, \mathrm{word} spells; 0 when none. */
size_t ev_parser_word(const ev_parser *parser, size_t at, char word[32]);

/* The symbol a name stands for, bound indices first; -1 when there is none. */
int ev_parser_find(const ev_parser *parser, const char *name);
bool ev_parser_is_family(const ev_parser *parser, const char *name);
/* Arguments in brackets after a family's or a function's name. */
const ev_syntax *ev_parse_application(ev_parser *parser, const char *name, const ev_token *place);
/* Bracket: the closing token that belongs to an opening one at the current position, or NULL. */
const char *ev_parser_bracket(const ev_parser *parser);
bool ev_parser_close(ev_parser *parser, const char *closing, const ev_token *opened);
/* Can the token at the current position begin a factor? */
bool ev_parser_starts_factor(const ev_parser *parser);

/* What a bracket hides from its inside, and restores behind it. */
typedef struct {
    bool bar_ends, absolute;
    size_t integrals;
} ev_parser_context;
ev_parser_context ev_parser_enter(ev_parser *parser);
void ev_parser_leave(ev_parser *parser, ev_parser_context saved);

/* (...) and its kin; {...} or one token, as TeX takes an argument after `after`. */
const ev_syntax *ev_parse_bracketed(ev_parser *parser);
const ev_syntax *ev_parse_group(ev_parser *parser, const char *after);
/* An atom: a factor without its postfixes. */
const ev_syntax *ev_parse_atom(ev_parser *parser);
/* |a|, \|v\| and their named kin. */
const ev_syntax *ev_parse_absolute(ev_parser *parser);
const ev_syntax *ev_parse_fraction(ev_parser *parser);
/* A named function that stands here: *known tells whether one does. */
const ev_syntax *ev_parse_function(ev_parser *parser, bool *known);
bool ev_token_is_big_operator(const ev_token *token);
bool ev_token_is_product_sign(const ev_token *token);

/* The relation that a sign prints. */
bool ev_token_relation(const ev_token *token, ev_relation *relation);

/* Nodes. */
const ev_syntax *ev_syntax_unary(ev_parser *parser, ev_syntax_kind kind, const ev_token *place,
                                 const ev_syntax *a);
const ev_syntax *ev_syntax_binary(ev_parser *parser, ev_syntax_kind kind, const ev_token *place,
                                  const ev_syntax *a, const ev_syntax *b);
const ev_syntax *ev_syntax_call(ev_parser *parser, ev_function function, const ev_token *place,
                                const ev_syntax *a);
ev_syntax *ev_syntax_new(ev_parser *parser, ev_syntax_kind kind, const ev_token *place,
                         size_t children);
const ev_syntax *ev_syntax_number(ev_parser *parser, const ev_token *place, double number);
const ev_syntax *ev_syntax_symbol(ev_parser *parser, const ev_token *place, int symbol);

/* scope.c: look-ups and additions */
int ev_scope_find(const ev_scope *scope, const char *name);
/* The latest applied definition or function with this name that stands before `before` in the
 * visible list; -1 at the end.  Start with before = SIZE_MAX. */
int ev_scope_find_family(const ev_scope *scope, const char *name, size_t *before);
/* A new symbol of the table; -1 when memory is short. */
int ev_symbol_table_add(ev_symbol_table *table, const ev_symbol *symbol);
bool ev_scope_show(ev_scope *scope, int symbol);

#endif
