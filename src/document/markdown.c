/* A block is recognised by its first line:
 *   1. a heading, fence, comment, quote, list or display by its mark;
 *   2. four columns of indentation after a blank line: code;
 *   3. anything else begins a paragraph, which ends at a blank line or where another block begins;
 *      its displays are followed to their end first, so that a line of TeX is never taken for a list.
 * Where CommonMark and a hasty reader would differ (a line of dashes under text, a line without >
 * under a quote, an open fence) the document is refused rather than read one of two ways. */
#include "document/markdown.h"

#include "document/inline.h"
#include "document/line.h"
#include "document/place.h"

#include <string.h>

void ev_markdown_start(ev_markdown *reader, const char *file, const char *text, size_t length)
{
    *reader = (ev_markdown){.file = file, .text = text, .length = length, .line = 1, .end_from = 1};
}

ev_span ev_markdown_rest(const ev_markdown *reader)
{
    ev_line line = ev_line_at(reader->text, reader->length, reader->position);
    return ev_markdown_span(reader, reader->position, line.end);
}

/* Many displays or comments on one line must not each look for its end. */
static ev_line line_at(ev_markdown *reader, size_t position)
{
    if (position < reader->end_from || position > reader->end) {
        reader->end_from = position;
        reader->end = ev_line_end(reader->text, reader->length, position);
    }
    return ev_line_within(reader->text, position, reader->end);
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n'; }

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static void move_to(ev_markdown *reader, size_t position)
{
    while (reader->position < position) {
        const char *from = reader->text + reader->position;
        const char *newline = memchr(from, '\n', position - reader->position);
        if (newline == NULL) {
            reader->position = position;
            return;
        }
        reader->position += (size_t)(newline - from) + 1;
        reader->line++;
        reader->line_start = reader->position;
    }
}

/* Make [begin, end), without space at its end, the block's span, and read on at next. */
static void take(ev_markdown *reader, ev_block *block, size_t begin, size_t end, size_t next)
{
    while (end > begin && is_space(reader->text[end - 1]))
        end--;
    block->span = ev_markdown_span(reader, begin, end);
    if (block->inner.text == NULL)
        block->inner = block->span;
    move_to(reader, next);
}

/* Take a display or a comment that ends inside a line: read on in that line when text follows. */
static void take_closed(ev_markdown *reader, ev_block *block, size_t begin, size_t end)
{
    ev_line rest = line_at(reader, end);
    block->followed = rest.kind != EV_LINE_BLANK;
    take(reader, block, begin, end,
         block->followed ? rest.first : ev_line_next(&rest, reader->length));
}

static ev_status read_heading(ev_markdown *reader, const ev_line *line, ev_block *block)
{
    const char *text = reader->text;
    size_t begin = line->first, end = line->end;
    while (text[begin] == '#')
        begin++;
    block->level = (int)(begin - line->first);
    while (begin < end && is_space(text[begin]))
        begin++;
    while (end > begin && is_space(text[end - 1]))
        end--;
    size_t marks = end; /* a closing row of #, if a space is before it, is not part of the text */
    while (marks > begin && text[marks - 1] == '#')
        marks--;
    if (marks == begin || is_space(text[marks - 1]))
        end = marks;
    while (end > begin && is_space(text[end - 1]))
        end--;
    block->inner = ev_markdown_span(reader, begin, end);
    take(reader, block, line->first, line->end, ev_line_next(line, reader->length));
    return EV_OK;
}

static ev_status read_display(ev_markdown *reader, const ev_line *line, ev_block *block,
                              ev_error *error)
{
    size_t begin = line->first + 2, close = ev_display_close(reader->text, begin, reader->length);
    if (close == reader->length) {
        ev_span opening = ev_markdown_span(reader, line->first, begin);
        return ev_place_error(error, &opening,
                              "this $$ is not closed before a blank line or the end");
    }
    block->inner = ev_markdown_span(reader, begin, close);
    size_t end = close + 2;
    if (end < reader->length && strchr(".,;", reader->text[end]) != NULL)
        end++;
    take_closed(reader, block, line->first, end);
    return EV_OK;
}

static ev_status read_comment(ev_markdown *reader, const ev_line *line, ev_block *block,
                              ev_error *error)
{
    size_t begin = line->first + 4, end = begin;
    while (end + 3 <= reader->length && memcmp(reader->text + end, "-->", 3) != 0)
        end++;
    if (end + 3 > reader->length) {
        ev_span opening = ev_markdown_span(reader, line->first, begin);
        return ev_place_error(error, &opening, "this comment is not closed");
    }
    block->inner = ev_markdown_span(reader, begin, end);
    take_closed(reader, block, line->first, end + 3);
    return EV_OK;
}

static ev_status read_rule(ev_markdown *reader, const ev_line *line, ev_block *block)
{
    take(reader, block, line->first, line->end, ev_line_next(line, reader->length));
    return EV_OK;
}

static ev_status read_fence(ev_markdown *reader, const ev_line *open, ev_block *block,
                            ev_error *error)
{
    const char *text = reader->text;
    size_t marks = ev_line_fence(text, open), next = ev_line_next(open, reader->length);
    while (next < reader->length) {
        ev_line line = line_at(reader, next);
        next = ev_line_next(&line, reader->length);
        size_t n = line.kind == EV_LINE_FENCE ? ev_line_fence(text, &line) : 0;
        ev_line rest = ev_line_within(text, line.first + n, line.end);
        if (n >= marks && text[line.first] == text[open->first] && rest.kind == EV_LINE_BLANK) {
            take(reader, block, open->first, line.end, next);
            return EV_OK;
        }
    }
    ev_span opening = ev_markdown_span(reader, open->first, open->first + marks);
    return ev_place_error(error, &opening, "this code fence is not closed");
}

/* Count the displays of a list or a quote, and refuse a claim inside it. */
static ev_status scan_prose(const ev_markdown *reader, size_t begin, size_t end, ev_block *block,
                            ev_error *error)
{
    ev_status status = EV_OK;
    for (size_t p = begin; p < end && status == EV_OK;)
        status = ev_inline_next(reader, false, &p, end, end, &block->displays, error);
    return status;
}

static ev_status read_quote(ev_markdown *reader, const ev_line *first, ev_block *block,
                            ev_error *error)
{
    ev_line line = *first;
    size_t end, next;
    do {
        end = line.end;
        next = ev_line_next(&line, reader->length);
        line = line_at(reader, next);
    } while (next < reader->length && line.kind == EV_LINE_QUOTE);
    bool lazy = line.kind == EV_LINE_TEXT || line.kind == EV_LINE_DISPLAY ||
                line.kind == EV_LINE_INDENTED;
    if (lazy && !ev_line_underlines(reader->text, &line)) {
        ev_span place = ev_markdown_span(reader, line.first, line.end);
        return ev_place_error(error, &place,
                              "Markdown joins this line to the block quote above it: "
                              "begin it with >, or leave a blank line");
    }
    ev_status status = scan_prose(reader, first->first, end, block, error);
    if (status == EV_OK)
        take(reader, block, first->first, end, next);
    return status;
}

/* An item's lines are those indented as far as its text; a line of text directly below them is
 * theirs too. */
static ev_status read_list(ev_markdown *reader, const ev_line *first, ev_block *block,
                           ev_error *error)
{
    size_t content = first->content, end = first->end;
    size_t next = ev_line_next(first, reader->length);
    bool after_blank = false;
    while (next < reader->length) {
        ev_line line = line_at(reader, next);
        bool item = line.kind == EV_LINE_LIST;
        bool inside = item || line.kind == EV_LINE_BLANK || line.indent >= content;
        bool lazy = !after_blank && !ev_line_interrupts(reader->text, &line) &&
                    !ev_line_underlines(reader->text, &line);
        if (!inside && !lazy)
            break;
        if (item && line.indent < content)
            content = line.content;
        after_blank = line.kind == EV_LINE_BLANK;
        end = after_blank ? end : line.end;
        next = ev_line_next(&line, reader->length);
    }
    ev_status status = scan_prose(reader, first->first, end, block, error);
    if (status == EV_OK)
        take(reader, block, first->first, end, next);
    return status;
}

static ev_status read_indented(ev_markdown *reader, const ev_line *first, ev_block *block)
{
    size_t end = first->end, next = ev_line_next(first, reader->length);
    while (next < reader->length) {
        ev_line line = line_at(reader, next);
        if (line.kind != EV_LINE_INDENTED && line.kind != EV_LINE_BLANK)
            break;
        end = line.kind == EV_LINE_BLANK ? end : line.end;
        next = ev_line_next(&line, reader->length);
    }
    take(reader, block, first->first, end, next);
    return EV_OK;
}

/* The length of the word that opens a declaration; 0 when the text begins otherwise. */
static size_t opening_word(const char *text, size_t length)
{
    static const char *const words[] = {"Assume", "Let", "Define", "Suppose", "Write"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);
        if (length > n && memcmp(text, words[i], n) == 0 &&
            (is_space(text[n]) || text[n] == '$' || text[n] == ':' || text[n] == ','))
            return n;
    }
    return 0;
}

/* What leaves a declaration unfinished, so that the display after a blank line is still its own:
 * a colon or comma, or one of these words, at its end.  0 when it is finished. */
static size_t unfinished(const char *text, size_t begin, size_t end)
{
    static const char *const words[] = {"with",   "by",  "and",    "where",   "that", "be",
                                        "Assume", "Let", "Define", "Suppose", "Write"};
    if (text[end - 1] == ':' || text[end - 1] == ',')
        return 1;
    size_t n = 0;
    while (n < end - begin && is_letter(text[end - 1 - n]))
        n++;
    bool command = n < end - begin && text[end - 1 - n] == '\\';
    for (size_t i = 0; !command && i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == n && memcmp(text + end - n, words[i], n) == 0)
            return n;
    return 0;
}

/* The declaration [begin, end) as far as it has been read: when it is unfinished, *position becomes
 * the display after the blank lines, and *stop the end of what follows that display directly. */
static ev_status continue_declaration(ev_markdown *reader, size_t begin, size_t *position,
                                      size_t *stop, ev_error *error)
{
    size_t end = *stop;
    while (is_space(reader->text[end - 1]))
        end--;
    size_t open = unfinished(reader->text, begin, end);
    if (open == 0)
        return EV_OK;
    size_t next = *stop;
    ev_line line = line_at(reader, next);
    while (next < reader->length && line.kind == EV_LINE_BLANK) {
        next = ev_line_next(&line, reader->length);
        line = line_at(reader, next);
    }
    if (line.kind != EV_LINE_DISPLAY) {
        ev_span place = ev_markdown_span(reader, end - open, end);
        return ev_place_error(error, &place,
                              "the declaration ends in '%.*s', but no display follows", (int)open,
                              place.text);
    }
    *position = next;
    *stop = ev_paragraph_end(reader, next);
    return EV_OK;
}

/* "**Assume** $x$ ..." is neither prose nor a declaration that the program would see. */
static ev_status refuse_emphasis(const ev_markdown *reader, size_t begin, size_t end,
                                 ev_error *error)
{
    const char *text = reader->text;
    size_t p = begin, n = 0;
    while (p < end && (text[p] == '*' || text[p] == '_'))
        p++;
    if (p > begin)
        while (p + n < end && is_letter(text[p + n]))
            n++;
    char word[16] = "";
    if (n == 0 || n + 2 > sizeof word || memchr(text + begin, '$', end - begin) == NULL)
        return EV_OK;
    memcpy(word, text + p, n);
    word[n] = ' ';
    if (opening_word(word, n + 1) == 0)
        return EV_OK;
    ev_span place = ev_markdown_span(reader, begin, p + n);
    return ev_place_error(error, &place, "a declaration begins with the plain word '%.*s'", (int)n,
                          word);
}

static ev_status read_paragraph(ev_markdown *reader, const ev_line *first, ev_block *block,
                                ev_error *error)
{
    size_t begin = first->first, p = begin, stop = ev_paragraph_end(reader, begin);
    bool declaration = opening_word(reader->text + begin, reader->length - begin) != 0;
    if (declaration && reader->position > reader->line_start) {
        ev_span place = ev_markdown_span(reader, begin, first->end);
        return ev_place_error(error, &place, "a declaration begins on a line of its own");
    }
    ev_status status = refuse_emphasis(reader, begin, stop, error);
    while (status == EV_OK && p < stop) {
        status = ev_inline_next(reader, declaration, &p, stop, reader->length, &block->displays,
                                error);
        if (status == EV_OK && p > stop)
            stop = ev_paragraph_end(reader, p);
        if (status == EV_OK && p == stop && declaration)
            status = continue_declaration(reader, begin, &p, &stop, error);
    }
    if (status != EV_OK)
        return status;
    ev_line after = line_at(reader, stop);
    if (ev_line_underlines(reader->text, &after)) {
        ev_span place = ev_markdown_span(reader, after.first, after.end);
        return ev_place_error(error, &place,
                              "Markdown makes the paragraph above this line a heading: "
                              "write it with #, or leave a blank line");
    }
    block->kind = declaration ? EV_BLOCK_DECLARATION : EV_BLOCK_PROSE;
    take(reader, block, begin, stop, stop);
    return EV_OK;
}

ev_status ev_markdown_next(ev_markdown *reader, ev_block *block, ev_error *error)
{
    *block = (ev_block){.kind = EV_BLOCK_END};
    ev_line line = line_at(reader, reader->position);
    while (line.kind == EV_LINE_BLANK && reader->position < reader->length) {
        move_to(reader, ev_line_next(&line, reader->length));
        line = line_at(reader, reader->position);
    }
    if (reader->position >= reader->length) {
        block->span = block->inner = ev_markdown_span(reader, reader->length, reader->length);
        return EV_OK;
    }
    bool mid_line = reader->position > reader->line_start;
    if (mid_line && line.kind != EV_LINE_DISPLAY && line.kind != EV_LINE_COMMENT)
        return read_paragraph(reader, &line, block, error);
    static const ev_block_kind kinds[] = {
        [EV_LINE_HEADING] = EV_BLOCK_HEADING, [EV_LINE_COMMENT] = EV_BLOCK_COMMENT,
        [EV_LINE_QUOTE] = EV_BLOCK_QUOTE,     [EV_LINE_DISPLAY] = EV_BLOCK_DISPLAY,
        [EV_LINE_INDENTED] = EV_BLOCK_PROSE,  [EV_LINE_FENCE] = EV_BLOCK_PROSE,
        [EV_LINE_LIST] = EV_BLOCK_PROSE,      [EV_LINE_RULE] = EV_BLOCK_PROSE,
        [EV_LINE_TEXT] = EV_BLOCK_PROSE};
    block->kind = kinds[line.kind];
    switch (line.kind) {
    case EV_LINE_HEADING: return read_heading(reader, &line, block);
    case EV_LINE_COMMENT: return read_comment(reader, &line, block, error);
    case EV_LINE_QUOTE: return read_quote(reader, &line, block, error);
    case EV_LINE_DISPLAY: return read_display(reader, &line, block, error);
    case EV_LINE_INDENTED: return read_indented(reader, &line, block);
    case EV_LINE_FENCE: return read_fence(reader, &line, block, error);
    case EV_LINE_RULE: return read_rule(reader, &line, block);
    case EV_LINE_LIST: return read_list(reader, &line, block, error);
    default: return read_paragraph(reader, &line, block, error);
    }
}
