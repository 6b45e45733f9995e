/* Declaration paragraphs: the words between the formulas, and one formula at a time.
 *
 *   1. The paragraph is cut into words and formulas; a word outside the closed vocabulary is an
 *      error, words such as "lower triangular" restrict what was declared last.
 *   2. Each formula is cut at its outermost commas into declarations.
 *   3. A declaration is told by its first outermost sign: \in, :, \sim, \perp, =, or a relation
 *      (a condition). */
#include "formula/claim.h"
#include "formula/declaration.h"

#include <stdlib.h>
#include <string.h>

static const char *const vocabulary[] = {
    "assume",   "let",       "define",    "suppose",   "write",  "and",     "with",
    "where",    "for",       "all",       "each",      "be",     "is",      "are",
    "a",        "an",        "the",       "of",        "in",     "by",      "independent",
    "density",  "densities", "function",  "functions", "smooth", "samples", "sample",
    "draws",    "real",      "number",    "numbers",   "vector", "vectors", "matrix",
    "matrices", "constant",  "constants", "given",     "also",   "then",    "that",
    "it",       "so",        NULL};

typedef struct {
    const char *words[3];
    unsigned structure;
} phrase;
static const phrase phrases[] = {
    {{"lower", "triangular", NULL}, EV_MATRIX_LOWER},
    {{"positive", "diagonal", NULL}, EV_MATRIX_POSITIVE_DIAGONAL},
    {{"nonzero", "diagonal", NULL}, EV_MATRIX_NONZERO_DIAGONAL},
    {{"symmetric", NULL, NULL}, EV_MATRIX_SYMMETRIC},
    {{"positive", "definite", NULL}, EV_MATRIX_SYMMETRIC | EV_MATRIX_POSITIVE_DEFINITE},
    {{"orthogonal", NULL, NULL}, EV_MATRIX_ORTHOGONAL},
    {{"invertible", NULL, NULL}, EV_MATRIX_INVERTIBLE}};

typedef struct {
    ev_span span;
    size_t at, line, column;
    ev_scope *scope;
    ev_error *error;
    size_t first_new; /* symbols of the last \in declaration: what a phrase restricts */
} reader;

static char here(const reader *r, size_t ahead)
{
    return r->at + ahead < r->span.length ? r->span.text[r->at + ahead] : '\0';
}

static void step(reader *r)
{
    if (here(r, 0) == '\n')
        r->line++, r->column = 1;
    else
        r->column++;
    r->at++;
}

static bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static bool same_word(const char *word, const char *text, size_t length)
{
    if (strlen(word) != length)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
        if (c != word[i])
            return false;
    }
    return true;
}

static size_t word_length(const reader *r)
{
    size_t n = 0;
    while (letter(here(r, n)))
        n++;
    return n;
}

static ev_status restrict_last(reader *r, const phrase *p)
{
    ev_symbol_table *table = r->scope->table;
    bool any = false;
    for (size_t i = r->first_new; i < table->symbol_count; i++) {
        ev_symbol *s = &table->symbols[i];
        if (s->kind != EV_SYMBOL_REAL || s->rank != 2)
            continue;
        any = true;
        bool square = s->rows.symbol == s->cols.symbol && s->rows.offset == s->cols.offset &&
                      s->rows.multiplier == s->cols.multiplier;
        if (!square)
            return ev_error_at(r->error, r->span.file, r->line, r->column, strlen(p->words[0]),
                               "%s is not square", s->name);
        s->domain.structure |= p->structure;
    }
    return any ? EV_OK
               : ev_error_at(r->error, r->span.file, r->line, r->column, strlen(p->words[0]),
                             "\"%s\" restricts the matrix just declared, and there is none",
                             p->words[0]);
}

/* A phrase at this place: its words are consumed. */
static ev_status read_phrase(reader *r, bool *found)
{
    *found = false;
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
        reader look = *r;
        size_t k = 0;
        for (; phrases[i].words[k] != NULL; k++) {
            while (k > 0 && (here(&look, 0) == ' ' || here(&look, 0) == '\n'))
                step(&look);
            size_t n = word_length(&look);
            if (!same_word(phrases[i].words[k], look.span.text + look.at, n))
                break;
            for (size_t c = 0; c < n; c++)
                step(&look);
        }
        if (phrases[i].words[k] != NULL)
            continue;
        *found = true;
        ev_status status = restrict_last(r, &phrases[i]);
        r->at = look.at, r->line = look.line, r->column = look.column;
        return status;
    }
    return EV_OK;
}

static ev_status read_word(reader *r)
{
    bool found;
    ev_status status = read_phrase(r, &found);
    if (status != EV_OK || found)
        return status;
    size_t n = word_length(r);
    for (size_t i = 0; vocabulary[i] != NULL; i++) {
        if (same_word(vocabulary[i], r->span.text + r->at, n)) {
            for (size_t c = 0; c < n; c++)
                step(r);
            return EV_OK;
        }
    }
    return ev_error_at(r->error, r->span.file, r->line, r->column, n,
                       "\"%.*s\" is not a word of declarations: say it in a paragraph of its own",
                       (int)(n < 40 ? n : 40), r->span.text + r->at);
}

/* $...$ or $$...$$: the formula's span, and the reader behind it. */
static ev_status read_formula(reader *r)
{
    size_t line = r->line, column = r->column;
    bool display = here(r, 1) == '$';
    step(r);
    if (display)
        step(r);
    ev_span formula = {
        .text = r->span.text + r->at, .line = r->line, .column = r->column, .file = r->span.file};
    size_t start = r->at;
    while (r->at < r->span.length && here(r, 0) != '$')
        step(r);
    if (r->at >= r->span.length || (display && here(r, 1) != '$'))
        return ev_error_at(r->error, r->span.file, line, column, 1 + (size_t)display,
                           "this formula is never closed");
    formula.length = r->at - start;
    step(r);
    if (display)
        step(r);
    size_t before = r->scope->table->symbol_count;
    ev_status status = ev_declare_formula(r->scope, formula, r->error);
    if (r->scope->table->symbol_count > before)
        r->first_new = before;
    return status;
}

/* Names are looked for one by one: the time to read a document grows as their square. */
enum { MOST_NAMES = 2000 };

ev_status ev_scope_declare(ev_scope *scope, ev_span paragraph, ev_error *error)
{
    reader r = {.span = paragraph,
                .line = paragraph.line,
                .column = paragraph.column,
                .scope = scope,
                .error = error,
                .first_new = scope->table->symbol_count};
    ev_status status = EV_OK;
    while (status == EV_OK && r.at < paragraph.length) {
        char c = here(&r, 0);
        if (scope->visible_count > MOST_NAMES)
            status = ev_error_at(error, paragraph.file, r.line, r.column, 1,
                                 "more than %d names are declared", MOST_NAMES);
        else if (c == '$')
            status = read_formula(&r);
        else if (letter(c))
            status = read_word(&r);
        else if (c != '\0' && strchr(" \t\r\n.,;:()", c) != NULL)
            step(&r);
        else
            status = ev_error_at(error, paragraph.file, r.line, r.column, 1,
                                 "'%c' has no place among declarations", c);
    }
    return status;
}
