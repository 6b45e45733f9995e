/* A document's text as the rest of the room sees it: UTF-8 without a byte order mark, lines ended
 * by '\n' (the last one too), no control characters but tabs. */
#ifndef EV_DOCUMENT_TEXT_H
#define EV_DOCUMENT_TEXT_H

#include "base/arena.h"
#include "base/error.h"

#include <stddef.h>

enum { EV_TEXT_LIMIT = 16 << 20, EV_LINE_LIMIT = 1 << 20 }; /* bytes */

/* The bytes of a file, to be freed by the caller.  Reading stops once a limit is passed, so that
 * a huge file costs no more than the limits; ev_text_clean then says which it was. */
ev_status ev_text_load(const char *file, char **bytes, size_t *length, ev_error *error);

/* Check bytes and copy them to the arena in the form above, with a terminating zero.  CR and CR LF
 * become LF.  EV_BAD_INPUT, with its place, for an empty file, one over EV_TEXT_LIMIT, a line over
 * EV_LINE_LIMIT, a control character, or what is not UTF-8. */
ev_status ev_text_clean(const char *file, const char *bytes, size_t length, ev_arena *arena,
                        const char **text, size_t *text_length, ev_error *error);

/* The length in bytes of the printable UTF-8 character at the beginning of bytes; 0 when there is
 * none: no bytes, a malformed sequence, or a control character. */
size_t ev_text_character(const char *bytes, size_t length);

#endif
