#include "document/line.h"

#include <string.h>

static size_t run_length(const char *text, size_t from, size_t end, char c)
{
    size_t n = 0;
    while (from + n < end && text[from + n] == c)
        n++;
    return n;
}

static bool blank_at(const char *text, size_t position, size_t end)
{
    return position >= end || text[position] == ' ' || text[position] == '\t';
}

size_t ev_line_fence(const char *text, const ev_line *line)
{
    char c = line->first < line->end ? text[line->first] : ' ';
    if (c != '`' && c != '~')
        return 0;
    size_t n = run_length(text, line->first, line->end, c);
    size_t rest = line->first + n;
    bool inline_code = c == '`' && memchr(text + rest, '`', line->end - rest) != NULL;
    return n >= 3 && !inline_code ? n : 0;
}

static bool is_heading(const char *text, const ev_line *line)
{
    size_t n = run_length(text, line->first, line->end, '#');
    return n >= 1 && n <= 6 && blank_at(text, line->first + n, line->end);
}

/* The width of a list marker (-, +, *, 1., 1)), 0 when there is none. */
static size_t list_marker(const char *text, const ev_line *line)
{
    size_t p = line->first;
    if (strchr("-+*", text[p]) != NULL)
        return blank_at(text, p + 1, line->end) ? 1 : 0;
    while (p < line->end && p - line->first < 10 && text[p] >= '0' && text[p] <= '9')
        p++;
    bool marker = p > line->first && p < line->end && (text[p] == '.' || text[p] == ')');
    return marker && blank_at(text, p + 1, line->end) ? p + 1 - line->first : 0;
}

static bool is_rule(const char *text, const ev_line *line)
{
    char c = text[line->first];
    size_t marks = 0;
    if (c != '-' && c != '*' && c != '_')
        return false;
    for (size_t p = line->first; p < line->end; p++) {
        if (text[p] == c)
            marks++;
        else if (!blank_at(text, p, line->end))
            return false;
    }
    return marks >= 3;
}

static ev_line_kind kind_of(const char *text, const ev_line *line)
{
    const char *start = text + line->first;
    size_t n = line->end - line->first;
    if (n == 0)
        return EV_LINE_BLANK;
    if (line->indent >= 4)
        return EV_LINE_INDENTED;
    if (is_heading(text, line))
        return EV_LINE_HEADING;
    if (ev_line_fence(text, line) != 0)
        return EV_LINE_FENCE;
    if (n >= 4 && memcmp(start, "<!--", 4) == 0)
        return EV_LINE_COMMENT;
    if (*start == '>')
        return EV_LINE_QUOTE;
    if (is_rule(text, line))
        return EV_LINE_RULE;
    if (line->content != 0)
        return EV_LINE_LIST;
    if (n >= 2 && memcmp(start, "$$", 2) == 0)
        return EV_LINE_DISPLAY;
    return EV_LINE_TEXT;
}

size_t ev_line_end(const char *text, size_t length, size_t position)
{
    const char *newline = memchr(text + position, '\n', length - position);
    return newline == NULL ? length : (size_t)(newline - text);
}

ev_line ev_line_within(const char *text, size_t position, size_t end)
{
    ev_line line = {.first = position, .end = end};
    for (; line.first < line.end && blank_at(text, line.first, line.end); line.first++)
        line.indent += text[line.first] == '\t' ? 4 - line.indent % 4 : 1;
    if (line.first < line.end) {
        size_t marker = list_marker(text, &line);
        line.content = marker == 0 ? 0 : line.indent + marker + 1;
    }
    line.kind = kind_of(text, &line);
    return line;
}

ev_line ev_line_at(const char *text, size_t length, size_t position)
{
    return ev_line_within(text, position, ev_line_end(text, length, position));
}

size_t ev_line_next(const ev_line *line, size_t length)
{
    return line->end < length ? line->end + 1 : length;
}

/* As in CommonMark: a list item ends a paragraph only when it has text and, if it is numbered, its
 * number is 1; a wrapped line may begin with "3." */
static bool list_interrupts(const char *text, const ev_line *line)
{
    size_t p = line->first + (line->content - line->indent - 1);
    while (p < line->end && blank_at(text, p, line->end))
        p++;
    char c = text[line->first];
    bool bullet = c == '-' || c == '+' || c == '*';
    return p < line->end && (bullet || (c == '1' && line->content - line->indent == 3));
}

bool ev_line_interrupts(const char *text, const ev_line *line)
{
    switch (line->kind) {
    case EV_LINE_BLANK:
    case EV_LINE_HEADING:
    case EV_LINE_FENCE:
    case EV_LINE_COMMENT:
    case EV_LINE_QUOTE:
    case EV_LINE_RULE: return true;
    case EV_LINE_LIST: return list_interrupts(text, line);
    default: return false;
    }
}

bool ev_line_underlines(const char *text, const ev_line *line)
{
    char c = line->first < line->end ? text[line->first] : ' ';
    if ((c != '=' && c != '-') || line->indent >= 4)
        return false;
    size_t p = line->first + run_length(text, line->first, line->end, c);
    while (p < line->end && blank_at(text, p, line->end))
        p++;
    return p == line->end;
}
