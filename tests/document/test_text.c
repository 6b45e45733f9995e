#include "document/document.h"
#include "document/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    ev_arena *arena;
    const char *text;
    size_t length;
    ev_error error;
    ev_status status;
} cleaned;

static cleaned clean(const char *bytes, size_t length)
{
    cleaned c = {.arena = ev_arena_create(), .error = EV_ERROR_NONE};
    c.status = ev_text_clean("t.md", bytes, length, c.arena, &c.text, &c.length, &c.error);
    return c;
}

static void expect_text(const char *bytes, const char *wanted)
{
    cleaned c = clean(bytes, strlen(bytes));
    cr_assert_eq(c.status, EV_OK, "%s", c.error.message);
    cr_assert_str_eq(c.text, wanted);
    cr_assert_eq(c.length, strlen(wanted));
    ev_arena_destroy(c.arena);
}

Test(text, line_ends_become_newlines_and_the_last_line_gets_one)
{
    expect_text("a\r\nb\r\n", "a\nb\n");
    expect_text("a\rb", "a\nb\n");
    expect_text("a\n\r\nb", "a\n\nb\n");
    expect_text("a\n", "a\n");
    expect_text("a\tb", "a\tb\n");
}

Test(text, a_byte_order_mark_is_no_part_of_the_text) { expect_text("\xEF\xBB\xBF# T", "# T\n"); }

static void expect_refusal(const char *bytes, size_t length, size_t line, size_t column,
                           const char *message)
{
    cleaned c = clean(bytes, length);
    cr_assert_eq(c.status, EV_BAD_INPUT, "%s was accepted", bytes);
    cr_assert_eq(c.error.line, line, "line %zu", c.error.line);
    cr_assert_eq(c.error.column, column, "column %zu", c.error.column);
    cr_assert_not_null(strstr(c.error.message, message), "%s", c.error.message);
    ev_arena_destroy(c.arena);
}

#define REFUSED(bytes, line, column, message) \
    expect_refusal(bytes, sizeof(bytes) - 1, line, column, message)

Test(text, binary_bytes_are_refused_where_they_stand)
{
    REFUSED("ab\ncd\0e", 2, 3, "zero byte");
    REFUSED("ab\ncd\033[31m", 2, 3, "control character (byte 0x1b)");
    REFUSED("a\x7f", 1, 2, "control character (byte 0x7f)");
    REFUSED("\xEF\xBB\xBFx\xff", 1, 2, "byte 0xff");
    REFUSED("a\r\nb\rc\xc2", 3, 2, "byte 0xc2");
    REFUSED("\xc2\x9b", 1, 1, "byte 0xc2"); /* the one-character CSI of terminals */
}

Test(text, empty_files_are_refused)
{
    REFUSED("", 0, 0, "empty");
    REFUSED(" \n\t\r\n", 0, 0, "empty");
    REFUSED("\xEF\xBB\xBF", 0, 0, "empty");
}

/* The ends of the rows of Unicode's table of well-formed sequences (table 3-7). */
Test(text, utf8_is_what_the_standard_says)
{
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {{"\xc3\xa9", 2},
                 {"\xc0\xaf", 0},
                 {"\xc1\xbf", 0},
                 {"\xe0\xa0\x80", 3},
                 {"\xe0\x9f\xbf", 0},
                 {"\xed\x9f\xbf", 3},
                 {"\xed\xa0\x80", 0},
                 {"\xee\x80\x80", 3},
                 {"\xf0\x90\x80\x80", 4},
                 {"\xf0\x8f\xbf\xbf", 0},
                 {"\xf4\x8f\xbf\xbf", 4},
                 {"\xf4\x90\x80\x80", 0},
                 {"\xf5\x80\x80\x80", 0},
                 {"\x80", 0},
                 {"\xe2\x82", 0},
                 {"a", 1},
                 {"\x1b", 0},
                 {"\xc2\x85", 0},
                 {"\xc2\xa0", 2},
                 {"", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_eq(ev_text_character(cases[i].bytes, strlen(cases[i].bytes)), cases[i].length,
                     "case %zu", i);
}

static char *long_line(size_t before, size_t length)
{
    char *text = malloc(before + length + 1);
    cr_assert_not_null(text);
    memset(text, '\n', before);
    memset(text + before, 'x', length);
    text[before + length] = '\n';
    return text;
}

Test(text, a_line_may_have_a_mebibyte_and_no_more)
{
    char *text = long_line(4, EV_LINE_LIMIT + 1);
    cleaned fits = clean(text + 1, 3 + EV_LINE_LIMIT), over = clean(text, 4 + EV_LINE_LIMIT + 1);
    cr_assert_eq(fits.status, EV_OK, "%s", fits.error.message);
    cr_assert_eq(over.status, EV_BAD_INPUT);
    cr_assert_eq(over.error.line, 5);
    cr_assert_not_null(strstr(over.error.message, "longer than 1 MiB"));
    ev_arena_destroy(fits.arena);
    ev_arena_destroy(over.arena);
    free(text);
}

/* ---- files ---- */

static const char *temporary(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "/tmp/evidence-%ld-%s", (long)getpid(), name);
    return path;
}

static void expect_unreadable(const char *path, ev_status status, const char *message)
{
    ev_document *document = NULL;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_document_read(path, &document, &error), status, "%s", error.message);
    cr_assert_null(document);
    cr_assert_str_eq(error.file, path);
    cr_assert_not_null(strstr(error.message, message), "%s", error.message);
}

Test(text, what_is_not_a_readable_file_is_named)
{
    expect_unreadable("/nonexistent/x.md", EV_BAD_INPUT, "No such file");
    expect_unreadable("/tmp", EV_BAD_INPUT, "directory");
    if (geteuid() != 0) /* nothing is unreadable to root */
        expect_unreadable("/etc/shadow", EV_BAD_INPUT, "denied");
}

Test(text, a_hundred_megabytes_on_one_line_are_refused_at_once, .timeout = 20)
{
    const char *path = temporary("huge.md");
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    char block[1 << 16];
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 1600; i++)
        cr_assert_eq(fwrite(block, 1, sizeof block, file), sizeof block);
    cr_assert_eq(fclose(file), 0);
    expect_unreadable(path, EV_BAD_INPUT, "larger than 16 MiB");
    unlink(path);
}

/* A pipe has no size to be seen beforehand: its endless line must be given up early. */
Test(text, an_endless_line_from_a_pipe_is_given_up, .timeout = 20)
{
    const char *path = temporary("pipe");
    unlink(path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    char command[256];
    snprintf(command, sizeof command, "tr '\\0' x </dev/zero >%s 2>/dev/null &", path);
    cr_assert_eq(system(command), 0);
    expect_unreadable(path, EV_BAD_INPUT, "longer than 1 MiB");
    unlink(path);
}

Test(text, an_endless_binary_device_is_given_up, .timeout = 20)
{
    expect_unreadable("/dev/zero", EV_BAD_INPUT, "zero byte");
}
