#include "document/place.h"

#include "document/text.h"

#include <stdio.h>
#include <string.h>

/* Columns up to LAST_WHOLE are shown with the whole beginning of their line; a later one is
 * always shown CUT_CARET bytes into the excerpt, behind an ellipsis. */
enum { LAST_WHOLE = 160, CUT_CARET = 120 };

ev_status ev_place_error(ev_error *error, const ev_span *place, const char *format, ...)
{
    if (error == NULL || error->status != EV_OK)
        return EV_BAD_INPUT;
    error->status = EV_BAD_INPUT;
    snprintf(error->file, sizeof error->file, "%s", place->file);
    error->line = place->line;
    error->column = place->column;
    const char *newline = memchr(place->text, '\n', place->length);
    error->length = newline == NULL ? place->length : (size_t)(newline - place->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return EV_BAD_INPUT;
}

size_t ev_error_caret(const ev_error *error)
{
    if (error->column == 0)
        return 0;
    return error->column <= LAST_WHOLE ? error->column - 1 : (size_t)CUT_CARET;
}

/* Copy bytes that are safe to print on one line; anything else becomes '?'. */
static void copy_printable(char *out, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count;) {
        size_t n = ev_text_character(bytes + i, count - i);
        if (n == 0 && bytes[i] != '\t')
            out[i++] = '?';
        else
            for (size_t end = i + (n == 0 ? 1 : n); i < end; i++)
                out[i] = bytes[i];
    }
    out[count] = '\0';
}

void ev_error_show(ev_error *error, const char *line, size_t length)
{
    if (error == NULL || error->status == EV_OK || error->excerpt[0] != '\0')
        return;
    enum { CAPACITY = sizeof error->excerpt - 1 };
    size_t from = error->column <= LAST_WHOLE ? 0 : error->column - 1 - CUT_CARET;
    if (from > length)
        from = length;
    size_t count = length - from;
    bool cut = count > CAPACITY;
    if (cut)
        for (count = CAPACITY - 3; count > 0 && ((unsigned char)line[from + count] & 0xC0) == 0x80;)
            count--;
    copy_printable(error->excerpt, line + from, count);
    if (cut)
        memcpy(error->excerpt + count, "...", 4);
    if (from > 0)
        for (size_t i = 0;
             i < count && (i < 3 || ((unsigned char)error->excerpt[i] & 0xC0) == 0x80);)
            error->excerpt[i++] = '.';
}

void ev_error_place(ev_error *error, const char *file, const char *text, size_t length)
{
    if (error == NULL || error->status == EV_OK || error->line == 0)
        return;
    if (error->file[0] == '\0')
        snprintf(error->file, sizeof error->file, "%s", file);
    const char *line = text, *end = text + length;
    for (size_t number = 1; number < error->line; number++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        if (newline == NULL)
            return;
        line = newline + 1;
    }
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    ev_error_show(error, line, (size_t)((newline == NULL ? end : newline) - line));
}
