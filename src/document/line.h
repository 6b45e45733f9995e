/* Lines of Markdown: what kind of block a line can begin. */
#ifndef EV_DOCUMENT_LINE_H
#define EV_DOCUMENT_LINE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    EV_LINE_BLANK,
    EV_LINE_INDENTED, /* four columns or more */
    EV_LINE_HEADING,
    EV_LINE_FENCE,
    EV_LINE_COMMENT,
    EV_LINE_QUOTE,
    EV_LINE_LIST,
    EV_LINE_RULE, /* three or more of -, * or _ */
    EV_LINE_DISPLAY,
    EV_LINE_TEXT
} ev_line_kind;

typedef struct {
    ev_line_kind kind;
    size_t first;   /* position of the first character that is not blank */
    size_t end;     /* position of the line's end, before '\n' */
    size_t indent;  /* columns before first; a tab goes to the next multiple of 4 */
    size_t content; /* LIST: columns before the item's text */
} ev_line;

/* The end of the line that a position is in: its '\n', or the text's length. */
size_t ev_line_end(const char *text, size_t length, size_t position);
/* The line, or the rest of one, that begins at a position and has the given end. */
ev_line ev_line_within(const char *text, size_t position, size_t end);
/* The line that begins at a position. */
ev_line ev_line_at(const char *text, size_t length, size_t position);
/* The position after a line's '\n'. */
size_t ev_line_next(const ev_line *line, size_t length);
/* Does a line of this kind end the paragraph above it? */
bool ev_line_interrupts(const char *text, const ev_line *line);
/* Only - or only =: under a paragraph, Markdown makes that paragraph a heading. */
bool ev_line_underlines(const char *text, const ev_line *line);
/* The characters of a code fence at a line: how many, 0 when it is none. */
size_t ev_line_fence(const char *text, const ev_line *line);

#endif
