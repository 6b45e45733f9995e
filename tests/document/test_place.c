#include "document/place.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static ev_error error_at(size_t line, size_t column, const char *text)
{
    ev_error error = EV_ERROR_NONE;
    ev_error_set(&error, EV_BAD_INPUT, "wrong");
    error.line = line;
    error.column = column;
    ev_error_place(&error, "f.md", text, strlen(text));
    return error;
}

Test(place, the_excerpt_is_the_errors_line)
{
    ev_error error = error_at(2, 3, "one\ntwo two\nthree\n");
    cr_assert_str_eq(error.excerpt, "two two");
    cr_assert_str_eq(error.file, "f.md");
    cr_assert_eq(ev_error_caret(&error), 2);
    error = error_at(1, 1, "only");
    cr_assert_str_eq(error.excerpt, "only");
    error = error_at(9, 1, "few\nlines\n");
    cr_assert_str_eq(error.excerpt, "");
}

Test(place, an_excerpt_that_is_there_stays)
{
    ev_error error = EV_ERROR_NONE;
    ev_error_set(&error, EV_BAD_INPUT, "wrong");
    error.line = error.column = 1;
    strcpy(error.excerpt, "given");
    ev_error_place(&error, "f.md", "other\n", 6);
    cr_assert_str_eq(error.excerpt, "given");
}

Test(place, no_error_gets_no_excerpt)
{
    ev_error error = EV_ERROR_NONE;
    error.line = 1;
    ev_error_place(&error, "f.md", "text\n", 5);
    cr_assert_str_eq(error.excerpt, "");
    ev_error_place(NULL, "f.md", "text\n", 5);
}

/* Wherever the column is in a line of any length, the caret points at the same character. */
Test(place, the_caret_keeps_its_character_in_long_lines)
{
    static char line[2000];
    for (size_t column = 1; column < 1500; column += 7) {
        memset(line, 'x', sizeof line - 1);
        line[column - 1] = '!';
        ev_error error = error_at(1, column, line);
        size_t caret = ev_error_caret(&error);
        cr_assert(caret < strlen(error.excerpt), "column %zu", column);
        cr_assert_eq(error.excerpt[caret], '!', "column %zu: %s", column, error.excerpt);
        cr_assert_str_eq(error.excerpt + strlen(error.excerpt) - 3, "...");
    }
}

/* Cuts may fall inside characters of two, three or four bytes; what remains must be whole. */
Test(place, a_cut_line_is_still_utf8)
{
    static const char *const characters[] = {"\xc3\xa9", "\xe2\x88\xab", "\xf0\x9d\x9c\x87"};
    static char line[4000];
    for (size_t c = 0; c < 3; c++)
        for (size_t pad = 0; pad < 5; pad++) {
            size_t used = pad, n = strlen(characters[c]);
            memset(line, 'x', pad);
            for (size_t i = 0; i < 400; i++, used += n)
                memcpy(line + used, characters[c], n);
            line[used] = '\0';
            for (size_t column = 1; column < 900; column += 113) {
                ev_error error = error_at(1, column, line);
                for (const char *p = error.excerpt; *p != '\0';) {
                    unsigned char lead = (unsigned char)*p++;
                    size_t more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
                    cr_assert(lead < 0x80 || lead >= 0xC2, "a torn character: %s", error.excerpt);
                    for (; more > 0; more--)
                        cr_assert_eq((unsigned char)*p++ & 0xC0, 0x80, "%s", error.excerpt);
                }
            }
        }
}

Test(place, control_characters_do_not_reach_a_terminal)
{
    ev_error error = error_at(1, 8,
                              "a\033[31m\tb\x7f\x80"
                              "c");
    cr_assert_str_eq(error.excerpt, "a?[31m\tb??c");
}

Test(place, an_error_at_a_span_underlines_its_first_line)
{
    ev_error error = EV_ERROR_NONE;
    ev_span span = {"ab\ncd", 5, 7, 3, "g.md"};
    cr_assert_eq(ev_place_error(&error, &span, "bad %d", 5), EV_BAD_INPUT);
    cr_assert_eq(error.line, 7);
    cr_assert_eq(error.column, 3);
    cr_assert_eq(error.length, 2);
    cr_assert_str_eq(error.message, "bad 5");
    ev_place_error(&error, &span, "later");
    cr_assert_str_eq(error.message, "bad 5", "the first report stays");
}
