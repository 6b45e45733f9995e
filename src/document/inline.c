#include "document/inline.h"

#include "document/claim_comment.h"
#include "document/line.h"
#include "document/place.h"

#include <string.h>

/* A longer run of backticks opens no code span: a search for its end may fail once for each
 * length, and that keeps all searches of a paragraph linear. */
enum { LONGEST_BACKTICKS = 32 };

size_t ev_display_close(const char *text, size_t from, size_t limit)
{
    bool blank_so_far = false; /* of the present line */
    for (size_t p = from; p < limit; p++) {
        if (text[p] == '\n') {
            if (blank_so_far)
                return limit;
            blank_so_far = true;
            continue;
        }
        if (text[p] == '$' && p + 1 < limit && text[p + 1] == '$')
            return p;
        if (text[p] != ' ' && text[p] != '\t')
            blank_so_far = false;
        if (text[p] == '\\' && p + 1 < limit && text[p + 1] != '\n')
            p++;
    }
    return limit;
}

ev_span ev_markdown_span(const ev_markdown *reader, size_t from, size_t to)
{
    size_t line = reader->line, start = reader->line_start;
    const char *text = reader->text;
    for (size_t p = reader->position; p < from;) {
        const char *newline = memchr(text + p, '\n', from - p);
        if (newline == NULL)
            break;
        line++;
        start = p = (size_t)(newline - text) + 1;
    }
    return (ev_span){text + from, to - from, line, from - start + 1, reader->file};
}

size_t ev_paragraph_end(const ev_markdown *reader, size_t position)
{
    ev_line line = ev_line_at(reader->text, reader->length, position);
    size_t end = ev_line_next(&line, reader->length);
    while (end < reader->length) {
        line = ev_line_at(reader->text, reader->length, end);
        if (ev_line_interrupts(reader->text, &line) || ev_line_underlines(reader->text, &line))
            break;
        end = ev_line_next(&line, reader->length);
    }
    return end;
}

/* The position behind a code span, or behind its backticks when nothing closes them. */
static size_t skip_code(const char *text, size_t position, size_t stop)
{
    size_t open = 0;
    while (position + open < stop && text[position + open] == '`')
        open++;
    size_t p = position + open;
    if (open > LONGEST_BACKTICKS)
        return p;
    while (p < stop) {
        const char *next = memchr(text + p, '`', stop - p);
        if (next == NULL)
            break;
        size_t n = 0;
        for (p = (size_t)(next - text); p < stop && text[p] == '`'; p++)
            n++;
        if (n == open)
            return p;
    }
    return position + open;
}

static ev_status refuse(const ev_markdown *reader, size_t from, size_t length, ev_error *error,
                        const char *message)
{
    ev_span place = ev_markdown_span(reader, from, from + length);
    return ev_place_error(error, &place, "%s", message);
}

static ev_status skip_comment(const ev_markdown *reader, bool declaration, size_t *position,
                              size_t stop, ev_error *error)
{
    size_t begin = *position, end = begin + 4;
    if (declaration)
        return refuse(reader, begin, 4, error, "a comment can't stand inside a declaration");
    while (end + 3 <= stop && memcmp(reader->text + end, "-->", 3) != 0)
        end++;
    if (end + 3 > stop)
        return refuse(reader, begin, 4, error, "this comment is not closed in its paragraph");
    ev_span body = {.text = reader->text + begin + 4, .length = end - begin - 4};
    if (ev_comment_claims(body))
        return refuse(reader, begin, 4, error,
                      "a claim's comment stands on lines of its own, outside paragraphs, lists and "
                      "quotes");
    *position = end + 3;
    return EV_OK;
}

/* The next $ that no backslash precedes, or stop. */
static size_t next_dollar(const char *text, size_t from, size_t stop)
{
    for (size_t p = from; p < stop; p++) {
        if (text[p] == '$')
            return p;
        if (text[p] == '\\')
            p++;
    }
    return stop;
}

static ev_status skip_formula(const ev_markdown *reader, bool declaration, size_t *position,
                              size_t stop, ev_error *error)
{
    const char *text = reader->text;
    size_t open = *position, close = next_dollar(text, open + 1, stop);
    bool doubled = close + 1 < stop && text[close + 1] == '$';
    if (declaration && close == stop)
        return refuse(reader, open, 1, error, "this $ is not closed in its paragraph");
    if (declaration && doubled)
        return refuse(
            reader, close, 2, error,
            "the end of a formula and the beginning of another one, or of a display? Put a "
            "space between");
    /* In prose a $ may also be money: it opens a formula only when one closes it. */
    char before = text[close == open ? open : close - 1];
    bool closes = close < stop && !doubled && before != ' ' && before != '\t' && before != '\n';
    *position = declaration || closes ? close + 1 : open + 1;
    return EV_OK;
}

static ev_status skip_display(const ev_markdown *reader, size_t *position, size_t limit,
                              size_t *displays, ev_error *error)
{
    size_t close = ev_display_close(reader->text, *position + 2, limit);
    if (close == limit)
        return refuse(reader, *position, 2, error, "this $$ is not closed in its paragraph");
    ++*displays;
    *position = close + 2;
    return EV_OK;
}

ev_status ev_inline_next(const ev_markdown *reader, bool declaration, size_t *position, size_t stop,
                         size_t limit, size_t *displays, ev_error *error)
{
    const char *at = reader->text + *position;
    size_t left = stop - *position;
    if (*at == '$' && left >= 2 && at[1] == '$')
        return skip_display(reader, position, limit, displays, error);
    if (*at == '$')
        return skip_formula(reader, declaration, position, stop, error);
    if (left >= 4 && memcmp(at, "<!--", 4) == 0)
        return skip_comment(reader, declaration, position, stop, error);
    if (*at == '`' && !declaration)
        *position = skip_code(reader->text, *position, stop);
    else
        *position += *at == '\\' && left >= 2 ? 2 : 1;
    return EV_OK;
}
