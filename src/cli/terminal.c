#include "cli/terminal.h"

#include <langinfo.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DEFAULT_WIDTH = 100, LEAST_WIDTH = 60, MOST_WIDTH = 400 };

static size_t width_of(int descriptor)
{
    size_t width = DEFAULT_WIDTH;
    struct winsize size;
    if (isatty(descriptor) && ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        width = size.ws_col;
    const char *columns = getenv("COLUMNS");
    char *end;
    long wanted = columns == NULL ? 0 : strtol(columns, &end, 10);
    if (wanted > 0 && *end == '\0')
        width = wanted > MOST_WIDTH ? (size_t)MOST_WIDTH : (size_t)wanted;
    return width < LEAST_WIDTH ? LEAST_WIDTH : width > MOST_WIDTH ? MOST_WIDTH : width;
}

ev_style ev_style_of(int descriptor, ev_colour_choice choice)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    bool wanted = isatty(descriptor) && (no_color == NULL || *no_color == '\0') && term != NULL &&
                  strcmp(term, "dumb") != 0;
    return (ev_style){.colour = choice == EV_COLOUR_ALWAYS || (choice == EV_COLOUR_AUTO && wanted),
                      .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
                      .width = width_of(descriptor)};
}

void ev_paint_set(FILE *out, const ev_style *style, ev_paint paint)
{
    static const char *const codes[] = {
        [EV_PLAIN] = "\033[0m",  [EV_BOLD] = "\033[1m",    [EV_DIM] = "\033[2m",
        [EV_GREEN] = "\033[32m", [EV_YELLOW] = "\033[33m", [EV_RED] = "\033[31m",
        [EV_LOUD] = "\033[1;31m"};
    if (style->colour)
        fputs(codes[paint], out);
}

/* The code point at *text, which moves behind it; '?' for a control character or malformed byte. */
static uint32_t next_point(const char **text)
{
    const unsigned char *b = (const unsigned char *)*text;
    int n = b[0] < 0x80                   ? 1
            : b[0] >= 0xF0 && b[0] < 0xF5 ? 4
            : b[0] >= 0xE0 && b[0] < 0xF0 ? 3
            : b[0] >= 0xC2 && b[0] < 0xE0 ? 2
                                          : 0;
    uint32_t point = n <= 1 ? b[0] : b[0] & (0xFFu >> (n + 1));
    for (int i = 1; i < n; i++) {
        if ((b[i] & 0xC0) != 0x80)
            n = 0;
        else
            point = point << 6 | (b[i] & 0x3Fu);
    }
    *text += n == 0 ? 1 : n;
    bool control = point < 0x20 || (point >= 0x7F && point < 0xA0);
    return n == 0 || control ? '?' : point;
}

static bool between(uint32_t point, uint32_t low, uint32_t high)
{
    return point >= low && point <= high;
}

/* 0 for combining marks and joiners, 2 for wide East Asian characters and pictographs, else 1. */
static size_t point_columns(uint32_t p)
{
    if (between(p, 0x300, 0x36F) || between(p, 0x200B, 0x200F) || between(p, 0x20D0, 0x20FF) ||
        between(p, 0xFE00, 0xFE0F) || between(p, 0x202A, 0x202E) || between(p, 0x2060, 0x2069))
        return 0;
    bool wide = between(p, 0x1100, 0x115F) || between(p, 0x2E80, 0xA4CF) ||
                between(p, 0xAC00, 0xD7A3) || between(p, 0xF900, 0xFAFF) ||
                between(p, 0xFE30, 0xFE6F) || between(p, 0xFF00, 0xFF60) ||
                between(p, 0xFFE0, 0xFFE6) || between(p, 0x1F300, 0x1FAFF) ||
                between(p, 0x20000, 0x3FFFD);
    return wide ? 2 : 1;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* The text's next character, runs of white space taken for one space. */
static uint32_t next_visible(const char **text)
{
    if (!is_space(**text))
        return next_point(text);
    while (is_space(**text))
        ++*text;
    return ' ';
}

size_t ev_text_columns(const char *text)
{
    size_t columns = 0;
    while (*text != '\0')
        columns += point_columns(next_visible(&text));
    return columns;
}

static void put_point(FILE *out, const ev_style *style, const char *from, const char *to,
                      uint32_t point)
{
    if (point < 0x80)
        fputc((int)point, out);
    else if (style->utf8)
        fwrite(from, 1, (size_t)(to - from), out);
    else
        for (size_t i = 0; i < point_columns(point); i++)
            fputc('?', out);
}

size_t ev_text_put(FILE *out, const ev_style *style, const char *text, size_t room)
{
    const char *ellipsis = style->utf8 ? "\xE2\x80\xA6" : "...";
    size_t dots = style->utf8 ? 1 : 3, used = 0;
    bool fits = ev_text_columns(text) <= room;
    size_t limit = fits ? room : room > dots ? room - dots : 0;
    while (*text != '\0') {
        const char *from = text;
        uint32_t point = next_visible(&text);
        if (used + point_columns(point) > limit)
            break;
        put_point(out, style, from, text, point);
        used += point_columns(point);
    }
    if (!fits && room >= dots) {
        fputs(ellipsis, out);
        used += dots;
    }
    return used;
}

static void put_spaces(FILE *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fputc(' ', out);
}

void ev_text_cell(FILE *out, const ev_style *style, const char *text, size_t width)
{
    size_t used = ev_text_put(out, style, text, width);
    put_spaces(out, width - used);
}

void ev_text_cell_right(FILE *out, const ev_style *style, const char *text, size_t width)
{
    size_t columns = ev_text_columns(text);
    put_spaces(out, columns < width ? width - columns : 0);
    ev_text_put(out, style, text, width);
}

/* Where a word that no line can hold is cut: before the last backslash that leaves its beginning
 * within the room; at its end when there is none. */
static const char *cut_word(const char *text, const char *end, size_t room, size_t *columns)
{
    const char *cut = end;
    size_t used = 0, whole = *columns;
    for (const char *p = text; p < end && used <= room;) {
        if (*p == '\\' && p > text) {
            cut = p;
            *columns = used;
        }
        used += point_columns(next_point(&p));
    }
    if (cut == end)
        *columns = whole;
    return cut;
}

void ev_text_wrap(FILE *out, const ev_style *style, const char *text, size_t used, size_t indent)
{
    bool line_begins = true;
    for (;;) {
        while (is_space(*text))
            text++;
        if (*text == '\0')
            break;
        const char *end = text;
        size_t columns = 0;
        while (*end != '\0' && !is_space(*end))
            columns += point_columns(next_point(&end));
        if (indent + columns > style->width && indent < style->width)
            end = cut_word(text, end, style->width - indent, &columns);
        if (!line_begins && used + 1 + columns > style->width) {
            fputc('\n', out);
            put_spaces(out, indent);
            used = indent;
            line_begins = true;
        }
        if (!line_begins)
            used += (size_t)(fputc(' ', out) != EOF);
        while (text < end) {
            const char *from = text;
            uint32_t point = next_point(&text);
            put_point(out, style, from, text, point);
        }
        used += columns;
        line_begins = false;
    }
    fputc('\n', out);
}
