/* Documents with a mark in them: '@@' stands before the place a test is about, and is taken out
 * before the document is read.  Lines and columns are counted here on their own. */
#ifndef TESTS_DOCUMENT_MARKED_H
#define TESTS_DOCUMENT_MARKED_H

#include <stddef.h>
#include <string.h>

typedef struct {
    char text[4096];
    size_t length;
    size_t line, column; /* of the mark; 0 without one */
} marked;

/* The place of a position: lines before it, and bytes since the last of their ends. */
static inline void marked_place(const char *text, size_t position, size_t *line, size_t *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < position; i++) {
        *column += 1;
        if (text[i] == '\n') {
            *line += 1;
            *column = 1;
        }
    }
}

static inline marked marked_read(const char *with_mark)
{
    marked m = {.length = 0};
    const char *mark = strstr(with_mark, "@@");
    for (const char *p = with_mark; *p != '\0' && m.length + 1 < sizeof m.text;) {
        if (p == mark) {
            marked_place(with_mark, (size_t)(p - with_mark), &m.line, &m.column);
            p += 2;
            continue;
        }
        m.text[m.length++] = *p++;
    }
    return m;
}

#endif
