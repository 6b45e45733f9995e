/* What stands inside a paragraph: code spans, comments, inline formulas and displays. */
#ifndef EV_DOCUMENT_INLINE_H
#define EV_DOCUMENT_INLINE_H

#include "document/markdown.h"

/* The position of the $$ that closes a display whose text begins at from, or limit when a blank
 * line or the limit comes first. */
size_t ev_display_close(const char *text, size_t from, size_t limit);

/* The span [from, to) of the text; from must not be before the reader's position. */
ev_span ev_markdown_span(const ev_markdown *reader, size_t from, size_t to);

/* Where the paragraph that holds a position ends: the beginning of the first line after it that
 * is blank or begins another block. */
size_t ev_paragraph_end(const ev_markdown *reader, size_t position);

/* Read what begins at *position inside [.., stop): one character, or a whole code span, comment,
 * formula or display; *position moves behind it.  A display may reach beyond stop, up to limit, and
 * is counted in *displays.  In a declaration every $ must be closed, and nothing but words and
 * formulas is allowed. */
ev_status ev_inline_next(const ev_markdown *reader, bool declaration, size_t *position, size_t stop,
                         size_t limit, size_t *displays, ev_error *error);

#endif
