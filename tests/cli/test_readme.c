/* The README's five minutes, done as they are written: its files are written, its commands run in
 * one shell, and what they print is compared with what it shows. */
#include "program.h"

#include <ctype.h>
#include <math.h>

#define SECTION "\n## Check your own derivation in five minutes\n"

enum { MOST_COMMANDS = 64 };

static char *readme;

static void setup(void)
{
    readme = program_slurp(EV_SOURCE_DIR "/README.md");
    program_setup();
    /* The README calls the program build/evidence. */
    cr_assert_eq(system("mkdir build && ln -s \"$EVIDENCE\" build/evidence"), 0);
}

TestSuite(readme, .init = setup, .fini = program_teardown, .timeout = 300);

typedef struct {
    size_t count;
    const char *shown[MOST_COMMANDS]; /* each command's output, up to the next or the fence */
} session;

/* Go through the section's fenced blocks: what is in a markdown block goes to the end of my.md,
 * a console block's "$ " lines are commands and its other lines what they print.  A mark before
 * each command tells the outputs apart; $? is kept across it. */
static session write_script(char *section)
{
    session s = {.count = 0};
    FILE *script = fopen("script", "w");
    cr_assert_not_null(script);
    enum { OUTSIDE, MARKDOWN, CONSOLE } block = OUTSIDE;
    fputs("status=0\n", script);
    for (char *line = section, *next; *line != '\0'; line = next) {
        char *end = line + strcspn(line, "\n");
        next = *end == '\0' ? end : end + 1;
        size_t length = (size_t)(end - line);
        if (strncmp(line, "```", 3) == 0) {
            bool markdown = strncmp(line, "```markdown\n", 12) == 0;
            if (block == MARKDOWN)
                fputs("END_OF_BLOCK\n", script);
            else if (block == OUTSIDE && markdown)
                fputs("cat >>my.md <<'END_OF_BLOCK'\n", script);
            if (block == OUTSIDE)
                block = markdown ? MARKDOWN : CONSOLE;
            else
                block = OUTSIDE;
            *line = '\0'; /* ends the output shown above it */
        } else if (block == MARKDOWN) {
            fprintf(script, "%.*s\n", (int)length, line);
        } else if (block == CONSOLE && strncmp(line, "$ ", 2) == 0) {
            cr_assert_lt(s.count, MOST_COMMANDS);
            fprintf(script, "printf '\\001'; (exit $status)\n%.*s\nstatus=$?\n", (int)length - 2,
                    line + 2);
            *line = '\0';
            s.shown[s.count++] = next;
        }
    }
    cr_assert_eq(fclose(script), 0);
    return s;
}

/* ---- comparing ---- */

typedef struct {
    double value;
    bool exact;    /* a whole number */
    size_t digits; /* as written */
} number;

/* Is a word (brackets and commas aside) a number? */
static bool read_number(const char *word, size_t length, number *n)
{
    char copy[64];
    while (length > 0 && strchr("(,", *word) != NULL)
        word++, length--;
    while (length > 0 && strchr("),;:", word[length - 1]) != NULL)
        length--;
    if (length == 0 || length >= sizeof copy)
        return false;
    memcpy(copy, word, length);
    copy[length] = '\0';
    char *end;
    *n = (number){.value = strtod(copy, &end), .exact = true};
    for (const char *c = copy; *c != '\0' && *c != 'e'; c++)
        n->digits += isdigit((unsigned char)*c) != 0;
    n->exact = strpbrk(copy, ".e") == NULL;
    return *end == '\0';
}

/* The same words; and numbers that are the same, unless both are rounded: long ones agree to nine
 * digits, and short ones (seconds, errors, agreeing digits) depend on the machine. */
static bool same_word(const char *a, size_t n, const char *b, size_t m)
{
    number x, y;
    if (n == m && memcmp(a, b, n) == 0)
        return true;
    if (!read_number(a, n, &x) || !read_number(b, m, &y) || (x.exact && y.exact))
        return false;
    if (x.digits < 9 || y.digits < 9)
        return true;
    return fabs(x.value - y.value) <= 1e-9 * fabs(y.value);
}

static bool same_line(const char *a, const char *b)
{
    for (;;) {
        a += strspn(a, " ");
        b += strspn(b, " ");
        size_t n = strcspn(a, " \n"), m = strcspn(b, " \n");
        if (n == 0 || m == 0)
            return n == m;
        if (!same_word(a, n, b, m))
            return false;
        a += n;
        b += m;
    }
}

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return *line == '\n' ? line + 1 : line;
}

/* "..." alone stands for any lines. */
static bool same_output(const char *shown, const char *printed)
{
    for (; *shown != '\0'; shown = next_line(shown)) {
        if (strncmp(shown, "...", 3) == 0 && (shown[3] == '\n' || shown[3] == '\0')) {
            shown = next_line(shown);
            if (*shown == '\0')
                return true;
            for (; *printed != '\0'; printed = next_line(printed))
                if (same_output(shown, printed))
                    return true;
            return false;
        }
        if (*printed == '\0' || !same_line(shown, printed))
            return false;
        printed = next_line(printed);
    }
    return *printed == '\0';
}

/* ---- the tests ---- */

Test(readme, its_five_minutes_go_as_it_says)
{
    char *section = strstr(readme, SECTION);
    cr_assert_not_null(section);
    section += strlen(SECTION);
    char *end = strstr(section, "\n## ");
    cr_assert_not_null(end);
    end[1] = '\0';
    session s = write_script(section);
    cr_assert_geq(s.count, 8, "only %zu commands were found", s.count);
    outcome o = run("sh script 2>&1");
    char *printed = strchr(o.out, '\001');
    for (size_t i = 0; i < s.count; i++) {
        cr_assert_not_null(printed, "the shell stopped before command %zu", i + 1);
        char *after = strchr(++printed, '\001');
        if (after != NULL)
            *after = '\0';
        cr_expect(same_output(s.shown[i], printed), "command %zu shows\n%s\nbut prints\n%s", i + 1,
                  s.shown[i], printed);
        printed = after;
    }
    forget(&o);
}

Test(readme, the_comparison_notices_what_has_changed)
{
    cr_expect(same_output("a 0.06 s\nb\n", "a  0.1 s\nb\n"));
    cr_expect(same_output("a\n...\nz 1\n", "a\nb\nc\nz 1\n"));
    cr_expect(same_output("left 4.90138771133189 ± 1e-13\n", "left 4.9013877113319 ± 2e-13\n"));
    cr_expect_not(same_output("left 4.90138771133189 ± 1e-13\n", "left 4.90138775 ± 1e-13\n"));
    cr_expect_not(same_output("24 points\n", "23 points\n"));
    cr_expect_not(same_output("HOLDS 11.0\n", "REFUTED 11.0\n"));
    cr_expect_not(same_output("a\nb\n", "a\n"));
    cr_expect_not(same_output("a\n", "a\nb\n"));
    cr_expect_not(same_output("a\n...\nz\n", "a\nb\n"));
}
