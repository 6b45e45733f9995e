/* Markdown, as far as a derivation needs it: a document's blocks, one after the other, each with
 * its exact place.  What is read, and what is taken for prose, is derivations/README.md.
 *
 *   ev_markdown reader;
 *   ev_markdown_start(&reader, file, text, length);
 *   while (ev_markdown_next(&reader, &block, &error) == EV_OK && block.kind != EV_BLOCK_END)
 *       ...
 *
 * The text must be as ev_text_clean leaves it.  Every block is read in time linear in its length. */
#ifndef EV_DOCUMENT_MARKDOWN_H
#define EV_DOCUMENT_MARKDOWN_H

#include "base/error.h"
#include "formula/scope.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    EV_BLOCK_END,
    EV_BLOCK_HEADING,     /* # to ###### */
    EV_BLOCK_DECLARATION, /* a paragraph that begins with Assume, Let, ..., displays included */
    EV_BLOCK_DISPLAY,     /* $$ at the beginning of a block */
    EV_BLOCK_QUOTE,       /* lines that begin with > */
    EV_BLOCK_COMMENT,     /* an HTML comment */
    EV_BLOCK_PROSE        /* all else: paragraphs, lists, tables, code, rules */
} ev_block_kind;

typedef struct {
    ev_block_kind kind;
    ev_span span;    /* the whole block, from its first character */
    ev_span inner;   /* a heading's text, a display's TeX, a comment's body; else the span */
    int level;       /* of a heading, 1 to 6 */
    size_t displays; /* $$...$$ inside prose or a quote */
    bool followed;   /* a display or comment with text after it on its last line */
} ev_block;

typedef struct {
    const char *file, *text;
    size_t length;
    size_t position;      /* of the first byte not yet read */
    size_t line;          /* its line, 1-based */
    size_t line_start;    /* the position where that line begins */
    size_t end_from, end; /* the last line end that was looked for, and from where */
} ev_markdown;

void ev_markdown_start(ev_markdown *reader, const char *file, const char *text, size_t length);

/* The next block.  EV_BAD_INPUT, with the opening's place, for a comment, display or code fence
 * that is not closed, for a $ not closed in a declaration, and for constructs that a reader and
 * this program might take differently. */
ev_status ev_markdown_next(ev_markdown *reader, ev_block *block, ev_error *error);

/* What is left of the line that the reader has come to. */
ev_span ev_markdown_rest(const ev_markdown *reader);

#endif
