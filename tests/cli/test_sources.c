#define _XOPEN_SOURCE 700 /* realpath */

/* The table of sources, and the README's copy of it. */
#include "cli/report.h"
#include "program.h"

static char *derivations_readme, folder[4096];

static void setup(void)
{
    derivations_readme = program_slurp(EV_SOURCE_DIR "/derivations/README.md");
    cr_assert_not_null(realpath(EV_SOURCE_DIR, folder));
    program_setup();
}

static void teardown(void)
{
    program_teardown();
    free(derivations_readme);
}

TestSuite(sources, .init = setup, .fini = teardown, .timeout = 300);

#define SECTION "\n## The assignment, line by line\n"

/* Append a text to a row; in a cell, bars are escaped. */
static void append(char *row, size_t size, const char *text, bool cell)
{
    size_t used = strlen(row);
    for (; *text != '\0'; text++) {
        cr_assert_lt(used + 3, size);
        if (*text == '|' && cell)
            row[used++] = '\\';
        row[used++] = *text;
    }
    row[used] = '\0';
}

/* A line of the TSV as the README writes it. */
static void expected_row(char *line, char *row, size_t size)
{
    char *field[7], rest[512];
    for (size_t f = 0; f < 7; f++) {
        field[f] = line;
        line += strcspn(line, "\t");
        if (*line == '\t')
            *line++ = '\0';
    }
    const char *quote = strchr(field[2], '@') != NULL ? "`" : "";
    cr_expect_str_eq(field[5], "yes", "%s: %s", field[2], field[4]);
    row[0] = '\0';
    append(row, size, "| ", false);
    append(row, size, field[0], true);
    append(row, size, " | ", false);
    append(row, size, quote, false);
    append(row, size, field[3], true);
    snprintf(rest, sizeof rest, "%s | [`%s`](%s.md) | %s%s%s |\n", quote, field[2], field[1],
             field[4], strcmp(field[6], "-") == 0 ? "" : ", ",
             strcmp(field[6], "-") == 0 ? "" : field[6]);
    append(row, size, rest, false);
}

static outcome tabulate(const char *effort)
{
    return run("cd '%s' && \"$EVIDENCE\" tabulate sources --effort %s", folder, effort);
}

/* Full effort is only for what quick effort could not decide. */
Test(sources, the_readme_has_every_printed_line_with_its_verdict_and_no_other)
{
    char *section = strstr(derivations_readme, SECTION);
    cr_assert_not_null(section);
    cr_assert_null(strstr(section + strlen(SECTION), "\n## "), "it is the last section");
    outcome o = tabulate("quick");
    STATUS(o, 0);
    if (strstr(o.out, "\tno\t") != NULL) {
        forget(&o);
        o = tabulate("full");
    }
    size_t rows = 0;
    for (char *line = strchr(o.out, '\n') + 1, *next; *line != '\0'; line = next, rows++) {
        char row[8192];
        next = line + strcspn(line, "\n") + 1;
        next[-1] = '\0';
        expected_row(line, row, sizeof row);
        cr_expect_not_null(strstr(section, row), "the README lacks\n%s", row);
    }
    size_t written = count_of(section, "\n| ") - count_of(section, "\n| printed in |");
    cr_expect_eq(written, rows, "%zu rows in the README, %zu in the table", written, rows);
    cr_expect_gt(rows, 200);
    forget(&o);
}

Test(sources, a_row_has_source_step_line_verdict_and_kind_in_the_order_of_the_sources)
{
    program_write("a.md", "# A\n\nAssume $x \\in \\mathbb{R}_{>0}$.\n\n"
                          "<!-- claim: late  source: 10.1 -->\n$$ x = x $$\n\n"
                          "<!-- claim: none -->\n$$ 2 x = x + x $$\n\n"
                          "<!-- claim: early  source: 2, a|b  expect: refuted@2  see: late\n"
                          "     kind: slip -->\n$$ |x| = x = 2 x $$\n");
    outcome o = run("\"$EVIDENCE\" tabulate sources a.md");
    STATUS(o, 0);
    cr_assert_str_eq(o.out, "source\tdocument\tstep\trelation\tverdict\texpected\tkind\n"
                            "2, a|b\ta\tearly@1\t|x| = x\tHOLDS\tyes\t-\n"
                            "2, a|b\ta\tearly@2\t= 2 x\tREFUTED\tyes\tslip\n"
                            "10.1\ta\tlate@1\tx = x\tHOLDS\tyes\t-\n");
    forget(&o);
    o = run("\"$EVIDENCE\" tabulate sources a.md --format markdown");
    STATUS(o, 0);
    HAS(o.out, "| 2, a\\|b | `\\|x\\| = x` | [`early@1`](a.md) | HOLDS |\n");
    HAS(o.out, "| 2, a\\|b | `= 2 x` | [`early@2`](a.md) | REFUTED, slip |\n");
    forget(&o);
}

Test(sources, what_can_not_be_tabulated_is_refused)
{
    program_write("bad.md", BAD); /* without a source */
    static const struct {
        const char *words, *message;
        int status;
    } cases[] = {{"", "name a table: sources", 2},
                 {"sauces bad.md", "no table 'sauces'; there are: sources", 2},
                 {"sources missing.md", "No such file", 2},
                 {"sources --format csv bad.md", "expected one of tsv, markdown", 2},
                 {"sources bad.md", "the table has no rows", 1},
                 {"sources bad.md >/dev/full", "can't write to standard output", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        outcome o = run("\"$EVIDENCE\" tabulate %s", cases[i].words);
        STATUS(o, cases[i].status);
        HAS(o.err, cases[i].message);
        forget(&o);
    }
}
