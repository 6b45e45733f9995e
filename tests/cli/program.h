/* The program as its users run it: through a shell, with files of its own. */
#ifndef TESTS_CLI_PROGRAM_H
#define TESTS_CLI_PROGRAM_H

#include "scratch.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    int status; /* of the exit; 128 + n for signal n */
    char *out, *err;
} outcome;

static char program_path[4096], program_source[4096]; /* the program; the source tree */

/* A new folder, and the program's whole path: tests change directories. */
static inline void program_setup(void)
{
    if (EV_PROGRAM[0] == '/') {
        snprintf(program_path, sizeof program_path, "%s", EV_PROGRAM);
    } else {
        char here[2048];
        cr_assert_not_null(getcwd(here, sizeof here));
        snprintf(program_path, sizeof program_path, "%s/%s", here, EV_PROGRAM);
    }
    char source[2048];
    cr_assert_not_null(getcwd(source, sizeof source));
    snprintf(program_source, sizeof program_source, "%s/" EV_SOURCE_DIR, source);
    cr_assert_eq(access(program_path, X_OK), 0, "%s is missing: make it first", program_path);
    scratch_setup();
    setenv("EVIDENCE", program_path, 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    unsetenv("COLUMNS");
}

static inline void program_teardown(void) { scratch_teardown(); }

static inline char *program_slurp(const char *path) { return scratch_slurp(path, NULL); }

static inline void program_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file, "%s", path);
    cr_assert_eq(fputs(text, file) >= 0, 1);
    cr_assert_eq(fclose(file), 0);
}

static inline int program_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Run a shell command, in which "$EVIDENCE" is the program. */
static inline outcome run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline outcome run(const char *format, ...)
{
    char words[2048], command[2200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    snprintf(command, sizeof command, "{ %s ; } >stdout 2>stderr", words);
    outcome o = {.status = program_status(system(command))};
    o.out = program_slurp("stdout");
    o.err = program_slurp("stderr");
    return o;
}

static inline void forget(outcome *o)
{
    free(o->out);
    free(o->err);
}

static inline size_t count_of(const char *text, const char *piece)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, piece)) != NULL; p += strlen(piece))
        n++;
    return n;
}

#define HAS(text, piece) cr_assert_not_null(strstr(text, piece), "no \"%s\" in:\n%s", piece, text)
#define LACKS(text, piece) cr_assert_null(strstr(text, piece), "\"%s\" in:\n%s", piece, text)
#define STATUS(o, wanted) \
    cr_assert_eq((o).status, wanted, "status %d\n%s\n%s", (o).status, (o).out, (o).err)

/* Two claims with two steps each, one step false and known to be; quickly decided. */
#define GOOD                                                                      \
    "# Squares\n\nAssume $x \\in \\mathbb{R}$ and $y \\in \\mathbb{R}_{>0}$.\n\n" \
    "<!-- claim: square  source: 1 -->\n"                                         \
    "$$\n(x+y)^2 = x^2 + 2 x y + y^2\n  = x (x + 2 y) + y^2\n$$\n\n"              \
    "<!-- claim: slip  source: 2  expect: refuted@2  see: square  kind: slip\n"   \
    "     note: the cross term is lost -->\n"                                     \
    "$$\n(x+y)^2 = x^2 + 2 x y + y^2 = x^2 + y^2\n$$\n"

/* The same, with the falsehood unexpected. */
#define BAD                                                                         \
    "# Wrong\n\nAssume $x \\in \\mathbb{R}$ and $y \\in \\mathbb{R}_{>0}$.\n\n"     \
    "<!-- claim: wrong -->\n$$\n(x+y)^2 = x^2 + 2 x y + y^2\n  = x^2 + y^2\n$$\n\n" \
    "<!-- claim: right -->\n$$ x + y = y + x $$\n"

#endif
