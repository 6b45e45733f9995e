/* Text for people: colour where it is wanted, columns that align, nothing that a document could
 * do to the terminal. */
#ifndef EV_CLI_TERMINAL_H
#define EV_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef enum { EV_COLOUR_AUTO, EV_COLOUR_ALWAYS, EV_COLOUR_NEVER } ev_colour_choice;

typedef struct {
    bool colour;
    bool utf8;    /* the locale's encoding; everything is ASCII otherwise */
    size_t width; /* columns */
} ev_style;

/* The style of an open file: its terminal's, or 100 columns without colour for a file or a pipe.
 * COLUMNS overrides the width, NO_COLOR and TERM=dumb the colour, choice all of these. */
ev_style ev_style_of(int descriptor, ev_colour_choice choice);

typedef enum { EV_PLAIN, EV_BOLD, EV_DIM, EV_GREEN, EV_YELLOW, EV_RED, EV_LOUD } ev_paint;
/* Switch to a paint; EV_PLAIN switches back. */
void ev_paint_set(FILE *out, const ev_style *style, ev_paint paint);

/* The columns that a text takes. */
size_t ev_text_columns(const char *text);
/* Print at most room columns: runs of white space become one space, control characters '?', and
 * what does not fit an ellipsis.  Returns the columns printed. */
size_t ev_text_put(FILE *out, const ev_style *style, const char *text, size_t room);
/* The same in exactly width columns, filled with spaces on the right, or on the left. */
void ev_text_cell(FILE *out, const ev_style *style, const char *text, size_t width);
void ev_text_cell_right(FILE *out, const ev_style *style, const char *text, size_t width);
/* Print a paragraph, broken between words, each line but the first after indent spaces; the first
 * begins at column `used`.  Ends with a newline. */
void ev_text_wrap(FILE *out, const ev_style *style, const char *text, size_t used, size_t indent);

#endif
