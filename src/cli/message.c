#include "cli/message.h"

#include "document/place.h"

#include <string.h>
#include <unistd.h>

int ev_message_exit(ev_status status)
{
    switch (status) {
    case EV_OK: return EV_EXIT_OK;
    case EV_NO_MEMORY:
    case EV_IO: return EV_EXIT_MACHINE;
    default: return EV_EXIT_INPUT;
    }
}

static void put_word(const ev_style *style, const char *word)
{
    ev_paint_set(stderr, style, EV_LOUD);
    fputs(word, stderr);
    ev_paint_set(stderr, style, EV_PLAIN);
}

/* The line as it is, and under the spot a caret with the rest of the spot underlined.  Tabs stay
 * tabs in both, so that they align whatever a tab's width is. */
static void put_excerpt(const ev_error *error, const ev_style *style)
{
    const char *excerpt = error->excerpt;
    size_t length = strlen(excerpt), caret = ev_error_caret(error);
    if (caret > length)
        caret = length;
    fputs("  ", stderr);
    for (const char *p = excerpt; *p != '\0'; p++)
        fputc(!style->utf8 && (unsigned char)*p >= 0x80 ? '?' : *p, stderr);
    fputs("\n  ", stderr);
    for (size_t i = 0; i < caret; i++) {
        bool continues = style->utf8 && ((unsigned char)excerpt[i] & 0xC0) == 0x80;
        if (!continues)
            fputc(excerpt[i] == '\t' ? '\t' : ' ', stderr);
    }
    ev_paint_set(stderr, style, EV_LOUD);
    fputc('^', stderr);
    for (size_t i = caret + 1; i < length && i < caret + error->length; i++)
        if (!style->utf8 || ((unsigned char)excerpt[i] & 0xC0) != 0x80)
            fputc('~', stderr);
    ev_paint_set(stderr, style, EV_PLAIN);
    fputc('\n', stderr);
}

static void put_message(const ev_error *error, const char *word, ev_colour_choice colour)
{
    ev_style style = ev_style_of(STDERR_FILENO, colour);
    ev_text_put(stderr, &style, error->file[0] == '\0' ? "evidence" : error->file,
                sizeof error->file);
    if (error->line > 0)
        fprintf(stderr, ":%zu:%zu", error->line, error->column);
    fputs(": ", stderr);
    put_word(&style, word);
    fputc(' ', stderr);
    ev_text_put(stderr, &style, error->message, sizeof error->message);
    fputc('\n', stderr);
    if (error->excerpt[0] != '\0')
        put_excerpt(error, &style);
}

void ev_message_error(const ev_error *error, ev_colour_choice colour)
{
    put_message(error, "error:", colour);
}

void ev_message_warning(const ev_error *error, ev_colour_choice colour)
{
    put_message(error, "warning:", colour);
}

void ev_message(ev_colour_choice colour, const char *format, ...)
{
    ev_error error = EV_ERROR_NONE;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error.message, sizeof error.message, format, arguments);
    va_end(arguments);
    ev_message_error(&error, colour);
}
