/* What people see: errors with their place, colour, progress, encodings. */
#define _XOPEN_SOURCE 700

#include "program.h"

#include <fcntl.h>
#include <sys/ioctl.h>

TestSuite(messages, .init = program_setup, .fini = program_teardown, .timeout = 60);

#define CHECK "\"$EVIDENCE\" check --effort quick "

Test(messages, an_error_shows_its_line_and_underlines_the_spot)
{
    program_write("a.md",
                  "# T\n\n<!-- claim: a\n\tsource: \xc3\xa9t\xc3\xa9  foo: b -->\n$$ x = x $$\n");
    outcome o = run(CHECK "a.md");
    STATUS(o, 2);
    HAS(o.err, "a.md:4:17: error: unknown key 'foo': a claim has claim, source,");
    HAS(o.err, "\n  \tsource: \xc3\xa9t\xc3\xa9  foo: b -->\n"
               "  \t             ^~~\n");
    forget(&o);
}

Test(messages, an_error_inside_a_formula_has_an_excerpt_too)
{
    program_write("a.md", "# T\n\nAssume $x \\in \\mathbb{R}$.\n\n<!-- claim: a -->\n$$\nx = "
                          "\\undefined x\n$$\n");
    outcome o = run(CHECK "a.md");
    STATUS(o, 2);
    HAS(o.err, "a.md:7:5: error: ");
    HAS(o.err, "\n  x = \\undefined x\n      ^~~~~~~~~~\n");
    forget(&o);
}

Test(messages, a_terminal_is_safe_from_what_a_document_or_a_name_holds)
{
    program_write("\033[31m.md", "");
    outcome o = run(CHECK "*.md");
    STATUS(o, 2);
    LACKS(o.err, "\033");
    HAS(o.err, "?[31m.md: error: the file is empty");
    forget(&o);
}

Test(messages, an_ascii_locale_gets_ascii)
{
    program_write("good.md", "# \xc3\x9c"
                             "ber \xe2\x88\xab\n\n" GOOD);
    outcome o = run("LC_ALL=C " CHECK "-v good.md");
    STATUS(o, 0);
    for (const char *p = o.out; *p != '\0'; p++)
        cr_assert((unsigned char)*p < 0x80, "%.20s", p);
    HAS(o.out, "?ber ?");
    forget(&o);
    o = run(CHECK "good.md");
    HAS(o.out, "\xc3\x9c"
               "ber \xe2\x88\xab");
    HAS(o.out, "\xe2\x9c\x93 HOLDS");
    forget(&o);
}

Test(messages, lines_fit_the_width)
{
    program_write("good.md", GOOD);
    static const unsigned widths[] = {60, 80, 100, 140};
    for (size_t i = 0; i < 4; i++) {
        outcome o = run("COLUMNS=%u LC_ALL=C " CHECK "good.md", widths[i]);
        STATUS(o, 0);
        char *summary = strstr(o.out, " verdicts = ");
        cr_assert_not_null(summary);
        *summary = '\0';
        for (char *line = strtok(o.out, "\n"); line != NULL; line = strtok(NULL, "\n"))
            cr_assert_leq(strlen(line), widths[i] + 12, "%u columns: %s", widths[i], line);
        forget(&o);
    }
}

Test(messages, verbose_prints_source_lines_whole)
{
    program_write("long.md",
                  "Assume $x \\in \\mathbb{R}$.\n\n<!-- claim: long -->\n$$\nx + x + x + x + x "
                  "+ x + x + x + x + x + x + x = 2 x + 2 x + 2 x + 2 x + 2 x + x "
                  "+ \\tfrac{3}{7} x + \\tfrac{4}{7} x\n$$\n");
    outcome cut = run(CHECK "long.md"), whole = run(CHECK "--verbose long.md");
    STATUS(cut, 0);
    LACKS(cut.out, "\\tfrac{4}{7} x");
    HAS(whole.out, "\\tfrac{4}{7} x");
    forget(&cut);
    forget(&whole);
}

/* ---- colour ---- */

Test(messages, colour_is_for_terminals_and_for_those_who_ask)
{
    program_write("good.md", GOOD);
    program_write("wrong.md", "<!-- claim: a -->\n");
    outcome o = run(CHECK "good.md");
    LACKS(o.out, "\033");
    forget(&o);
    o = run(CHECK "--color always good.md");
    HAS(o.out, "\033[32m");
    forget(&o);
    o = run(CHECK "--color always wrong.md");
    HAS(o.err, "\033[1;31merror:\033[0m");
    forget(&o);
    o = run(CHECK "wrong.md");
    LACKS(o.err, "\033");
    forget(&o);
}

/* Run the program with a terminal for standard output and error; what it shows goes to text. */
static int run_on_terminal(char *const *words, char *text, size_t size)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0)
        cr_skip_test("there are no pseudo-terminals here");
    int device = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    cr_assert_geq(device, 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(device, 1);
        dup2(device, 2);
        execv(program_path, words);
        _exit(127);
    }
    close(device);
    size_t used = 0;
    for (ssize_t n; used + 1 < size && (n = read(terminal, text + used, size - 1 - used)) > 0;)
        used += (size_t)n;
    text[used] = '\0';
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    close(terminal);
    return program_status(status);
}

Test(messages, a_terminal_gets_colour_and_a_progress_bar_that_goes_away)
{
    static char text[1 << 20];
    program_write("good.md", GOOD);
    char *words[] = {"evidence", "check", "--effort", "quick", "good.md", NULL};
    cr_assert_eq(run_on_terminal(words, text, sizeof text), 0, "%s", text);
    HAS(text, "\033[32m");
    HAS(text, "] 4/4");
    const char *bar = strstr(text, "] 4/4"), *cleared = strstr(text, "\r\033[K");
    cr_assert(cleared != NULL && bar < cleared && cleared < strstr(text, "verdict"), "%s", text);
}

Test(messages, no_color_and_never_keep_colour_away_even_there)
{
    static char text[1 << 20];
    program_write("good.md", GOOD);
    char *never[] = {"evidence", "check", "--effort", "quick", "--color=never", "good.md", NULL};
    cr_assert_eq(run_on_terminal(never, text, sizeof text), 0, "%s", text);
    LACKS(text, "\033[32m");
    setenv("NO_COLOR", "1", 1);
    cr_assert_eq(run_on_terminal(never, text, sizeof text), 0);
    LACKS(text, "\033[32m");
    LACKS(text, "\033[1m");
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    cr_assert_eq(run_on_terminal(never, text, sizeof text), 0);
    LACKS(text, "\033");
}
