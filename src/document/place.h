/* Errors that point: the place of a mistake, and the line of the document that holds it. */
#ifndef EV_DOCUMENT_PLACE_H
#define EV_DOCUMENT_PLACE_H

#include "base/error.h"
#include "formula/scope.h"

/* EV_BAD_INPUT at a span: file, line and column are its beginning, the underline its first line.
 *
 *   return ev_place_error(error, &key, "unknown key '%.*s'", (int)key.length, key.text);
 */
ev_status ev_place_error(ev_error *error, const ev_span *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Fill the excerpt of an error that has a line but no excerpt yet, from the document's text.
 * A long line is cut on both sides of the column; control characters and bytes that are not
 * UTF-8 become '?', byte by byte, so that positions stay.  file fills an empty error->file. */
void ev_error_place(ev_error *error, const char *file, const char *text, size_t length);

/* The same when the line itself is at hand. */
void ev_error_show(ev_error *error, const char *line, size_t length);

/* Where in the excerpt the error's column is, in bytes from its beginning. */
size_t ev_error_caret(const ev_error *error);

#endif
