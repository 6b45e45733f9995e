#include "program.h"

#include <jansson.h>
#include <sys/stat.h>

TestSuite(check_command, .init = program_setup, .fini = program_teardown, .timeout = 120);

#define CHECK "\"$EVIDENCE\" check --effort quick "

/* ---- exit statuses ---- */

Test(check_command, zero_says_that_all_is_as_expected)
{
    program_write("good.md", GOOD);
    outcome o = run(CHECK "good.md");
    STATUS(o, 0);
    HAS(o.out, "all 4 as expected");
    HAS(o.out, "REFUTED (expected)");
    HAS(o.out, "a slip of notation, printed in 2; corrected by square");
    HAS(o.out, "note: the cross term is lost");
    cr_assert_str_eq(o.err, "");
    forget(&o);
}

Test(check_command, one_says_that_a_verdict_is_not_as_expected)
{
    program_write("bad.md", BAD);
    outcome o = run(CHECK "bad.md");
    STATUS(o, 1);
    HAS(o.out, "bad.md:8:3: expected HOLDS, found REFUTED");
    HAS(o.out, "bad.md:8:3: wrong@2: expected HOLDS, found REFUTED");
    HAS(o.out, "1 of 3 is not as expected");
    forget(&o);
}

Test(check_command, a_falsehood_that_turns_out_true_is_not_as_expected)
{
    program_write("true.md", "Assume $x \\in \\mathbb{R}$.\n\n"
                             "<!-- claim: a  expect: refuted -->\n$$ x + 1 = 1 + x $$\n");
    outcome o = run(CHECK "true.md");
    STATUS(o, 1);
    HAS(o.out, "expected REFUTED, found HOLDS");
    forget(&o);
}

Test(check_command, nothing_checked_is_never_green)
{
    program_write("prose.md", "# Prose\n\nOnly words and $$ x = y $$.\n");
    program_write("good.md", GOOD);
    for (size_t f = 0; f < 4; f++) {
        static const char *const formats[] = {"table", "tap", "junit", "jsonl"};
        outcome o = run(CHECK "--format %s prose.md", formats[f]);
        STATUS(o, 1);
        HAS(o.err, "prose.md: nothing was checked");
        forget(&o);
        o = run(CHECK "--format %s good.md prose.md", formats[f]);
        STATUS(o, 1);
        HAS(o.err, "prose.md: nothing was checked");
        forget(&o);
        o = run(CHECK "--format %s --only 'nosuch*' good.md", formats[f]);
        STATUS(o, 1);
        HAS(o.err, "no step matches 'nosuch*'");
        forget(&o);
    }
}

Test(check_command, a_statement_that_no_module_decides_is_skipped_and_not_green)
{
    program_write("said.md", "<!-- claim: said -->\n> Something is so.\n");
    outcome o = run(CHECK "said.md");
    STATUS(o, 1);
    HAS(o.out, "SKIPPED");
    HAS(o.out, "Something is so.");
    forget(&o);
}

Test(check_command, two_says_that_the_input_is_wrong)
{
    program_write("empty.md", "");
    program_write("binary.md", "# T\n\033ELF\n");
    program_write("claim.md", "# T\n\n<!-- claim: a -->\ntext\n");
    static const struct {
        const char *files, *message;
    } cases[] = {{"missing.md", "missing.md: error: No such file"},
                 {".", ".: error: it is a directory"},
                 {"empty.md", "empty.md: error: the file is empty"},
                 {"binary.md", "binary.md:2:1: error: a control character"},
                 {"claim.md", "claim.md:3:1: error: a claim needs a display"},
                 {"claim.md missing.md", "missing.md: error: No such file"},
                 {"claim.md missing.md", "claim.md:3:1: error: a claim needs"},
                 {"good.md ./good.md good.md", "'good.md' is named twice"}};
    program_write("good.md", GOOD);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        outcome o = run(CHECK "%s", cases[i].files);
        STATUS(o, 2);
        HAS(o.err, cases[i].message);
        cr_assert_str_eq(o.out, "");
        forget(&o);
    }
}

Test(check_command, three_says_that_the_disk_is_full)
{
    program_write("good.md", GOOD);
    static const char *const formats[] = {"table", "tap", "junit", "jsonl"};
    for (size_t f = 0; f < 4; f++) {
        outcome o = run(CHECK "--format %s good.md >/dev/full", formats[f]);
        STATUS(o, 3);
        HAS(o.err, "can't write to standard output: No space left");
        forget(&o);
        o = run(CHECK "--format %s --out /dev/full good.md", formats[f]);
        STATUS(o, 3);
        HAS(o.err, "can't write to /dev/full: No space left");
        forget(&o);
    }
}

Test(check_command, a_reader_that_goes_away_is_a_write_error_and_no_crash)
{
    program_write("good.md", GOOD);
    outcome o = run("{ " CHECK "good.md; echo $? >status; } | true");
    forget(&o);
    char *status = program_slurp("status");
    cr_assert(strcmp(status, "3\n") == 0 || strcmp(status, "0\n") == 0, "%s", status);
    free(status);
    o = run(CHECK "good.md >&-");
    STATUS(o, 3);
    forget(&o);
}

/* ---- the counts balance, and all formats tell the same ---- */

static void write_all(void)
{
    program_write("good.md", GOOD);
    program_write("bad.md", BAD);
    program_write("said.md", "<!-- claim: said -->\n> Something is so.\n");
    program_write("empty-domain.md", "Assume $x \\in \\mathbb{R}$, $x > 1$ and $x < 0$.\n\n"
                                     "<!-- claim: none  expect: vacuous -->\n$$ x = x $$\n");
}
#define ALL_FILES "good.md bad.md said.md empty-domain.md"

Test(check_command, every_verdict_is_counted_once)
{
    write_all();
    outcome table = run(CHECK ALL_FILES), lines = run(CHECK "--format jsonl " ALL_FILES);
    STATUS(table, 1);
    STATUS(lines, 1);
    const char *summary = strstr(table.out, " verdicts = ");
    cr_assert_not_null(summary, "%s", table.out);
    while (summary > table.out && summary[-1] != '\n')
        summary--;
    static const char *const verdicts[] = {"HOLDS",   "REFUTED", "UNDECIDED",
                                           "VACUOUS", "VOID",    "SKIPPED"};
    char *summary_end;
    unsigned long total = strtoul(summary, &summary_end, 10), n[6];
    const char *rest = strstr(summary_end, "= ") + 2;
    for (size_t v = 0; v < 6; v++) {
        n[v] = strtoul(rest, &summary_end, 10);
        cr_assert_eq(strncmp(summary_end + 1, verdicts[v], strlen(verdicts[v])), 0, "%s", summary);
        rest = summary_end + 1 + strlen(verdicts[v]) + 3;
    }
    cr_assert_eq(total, n[0] + n[1] + n[2] + n[3] + n[4] + n[5]);
    cr_assert_eq(total, 9);
    cr_assert_eq(count_of(lines.out, "\n"), total);
    for (size_t v = 0; v < 6; v++) {
        char field[64];
        snprintf(field, sizeof field, "\"verdict\":\"%s\"", verdicts[v]);
        cr_assert_eq(count_of(lines.out, field), n[v], "%s", verdicts[v]);
    }
    HAS(table.out, "2 of 9 are not as expected");
    forget(&table);
    forget(&lines);
}

Test(check_command, displays_without_a_claim_are_counted)
{
    program_write("loose.md", GOOD "\n$$ a = b $$\n\nSee $$ c = d $$ there.\n");
    outcome o = run(CHECK "loose.md");
    STATUS(o, 0);
    HAS(o.out, "2 displays without a claim: not checked");
    forget(&o);
}

Test(check_command, tap_has_as_many_points_as_its_plan)
{
    write_all();
    outcome o = run(CHECK "--format tap " ALL_FILES);
    STATUS(o, 1);
    cr_assert_eq(strncmp(o.out, "TAP version 14\n1..9\n", 20), 0, "%s", o.out);
    cr_assert_eq(count_of(o.out, "\nok ") + count_of(o.out, "\nnot ok "), 9);
    cr_assert_eq(count_of(o.out, "\nnot ok "), 2);
    for (int i = 1; i <= 9; i++) {
        char number[32];
        snprintf(number, sizeof number, "ok %d - ", i);
        cr_assert_eq(count_of(o.out, number), 1, "%s", number);
    }
    HAS(o.out, "ok 1 - good: square@1\n");
    HAS(o.out, "not ok 6 - bad: wrong@2\n  ---\n");
    HAS(o.out, "    file: \"bad.md\"\n    line: 8\n    column: 3\n  ...\n");
    HAS(o.out, "not ok 8 - said: said # SKIP ");
    forget(&o);
}

/* Well-formedness, as far as the program's XML goes: tags balance, attributes are quoted, and & only
 * begins one of the five entities or a character reference.  Returns the number of elements. */
static size_t walk_xml(const char *xml)
{
    char stack[16][32];
    size_t depth = 0, elements = 0;
    for (const char *p = xml; *p != '\0'; p++) {
        if (*p == '&')
            cr_assert(strncmp(p, "&amp;", 5) == 0 || strncmp(p, "&lt;", 4) == 0 ||
                          strncmp(p, "&gt;", 4) == 0 || strncmp(p, "&quot;", 6) == 0 ||
                          strncmp(p, "&apos;", 6) == 0 || strncmp(p, "&#", 2) == 0,
                      "%.20s", p);
        if (*p != '<' || p[1] == '?')
            continue;
        char name[32] = "";
        bool closes = p[1] == '/';
        sscanf(p + 1 + closes, "%31[a-z]", name);
        bool quoted = false;
        for (; *p != '>' || quoted; p++) {
            cr_assert_neq(*p, '\0', "a tag is not closed");
            quoted = *p == '"' ? !quoted : quoted;
        }
        if (closes) {
            cr_assert_gt(depth, 0);
            cr_assert_str_eq(stack[--depth], name);
        } else {
            elements++;
            if (p[-1] != '/')
                memcpy(stack[depth++], name, sizeof name);
        }
    }
    cr_assert_eq(depth, 0);
    return elements;
}

Test(check_command, junit_is_well_formed_and_its_counts_are_right)
{
    write_all();
    program_write("a&b<'\".md", BAD);
    outcome o = run(CHECK "--format junit " ALL_FILES " \"a&b<'\\\".md\"");
    STATUS(o, 1);
    walk_xml(o.out);
    HAS(o.out,
        "<testsuites name=\"evidence\" tests=\"12\" failures=\"2\" errors=\"0\" skipped=\"1\"");
    HAS(o.out, "classname=\"a&amp;b&lt;&apos;&quot;\"");
    cr_assert_eq(count_of(o.out, "<testcase "), 12);
    cr_assert_eq(count_of(o.out, "<failure "), 2);
    cr_assert_eq(count_of(o.out, "<skipped "), 1);
    cr_assert_eq(count_of(o.out, "<testsuite "), 5);
    forget(&o);
}

Test(check_command, every_line_of_jsonl_is_an_object_of_its_own)
{
    write_all();
    outcome o = run(CHECK "--format jsonl --seed 18446744073709551615 " ALL_FILES);
    STATUS(o, 1);
    size_t lines = 0;
    for (char *line = strtok(o.out, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
        json_error_t error;
        json_t *record = json_loads(line, 0, &error);
        cr_assert_not_null(record, "%s: %s", error.text, line);
        cr_assert(json_is_string(json_object_get(record, "claim")));
        cr_assert(json_is_string(json_object_get(record, "verdict")));
        json_decref(record);
    }
    cr_assert_eq(lines, 9);
    forget(&o);
}

/* ---- which steps ---- */

static void expect_steps(const char *pattern, const char *steps)
{
    outcome o = run(CHECK "--format tap --only '%s' good.md", pattern);
    char found[256] = "";
    for (const char *p = o.out; (p = strstr(p, "good: ")) != NULL; p++) {
        char label[32];
        sscanf(p + 6, "%31s", label);
        size_t used = strlen(found);
        snprintf(found + used, sizeof found - used, "%s ", label);
    }
    cr_assert_str_eq(found, steps, "--only '%s'\n%s", pattern, o.out);
    forget(&o);
}

Test(check_command, only_takes_the_steps_that_match)
{
    program_write("good.md", GOOD);
    expect_steps("square", "square@1 square@2 ");
    expect_steps("slip@2", "slip@2 ");
    expect_steps("s*", "square@1 square@2 slip@1 slip@2 ");
    expect_steps("*@1", "square@1 slip@1 ");
    expect_steps("s[lm]ip", "slip@1 slip@2 ");
    expect_steps("squar", "");
    outcome o = run(CHECK "--only ''  good.md");
    STATUS(o, 2);
    forget(&o);
}

Test(check_command, digits_do_not_depend_on_threads_and_verdicts_not_on_the_seed)
{
    program_write("good.md", GOOD);
    const char *filter = " | sed 's/\"seconds\":[^,]*//'";
    outcome one = run(CHECK "--format jsonl --threads 1 good.md %s", filter);
    outcome two = run(CHECK "--format jsonl --threads 2 good.md %s", filter);
    cr_assert_str_eq(one.out, two.out);
    outcome other = run(CHECK "--seed 7 good.md");
    STATUS(other, 0);
    HAS(other.out, "seed 7,");
    forget(&one);
    forget(&two);
    forget(&other);
}

/* ---- where files come from ---- */

Test(check_command, without_files_derivations_are_checked_but_not_their_readme)
{
    outcome o = run(CHECK);
    STATUS(o, 2);
    HAS(o.err, "no files named, and there are no derivations/*.md here");
    forget(&o);
    cr_assert_eq(mkdir("derivations", 0755), 0);
    program_write("derivations/README.md", "<!-- calim: nonsense -->\n");
    o = run(CHECK);
    STATUS(o, 2);
    forget(&o);
    program_write("derivations/b.md", GOOD);
    program_write("derivations/a.md", GOOD);
    o = run(CHECK "--format tap");
    STATUS(o, 0);
    HAS(o.out, "ok 1 - a: square@1");
    HAS(o.out, "ok 8 - b: slip@2");
    forget(&o);
}

/* ---- where results go ---- */

Test(check_command, out_writes_a_whole_file_or_none)
{
    program_write("good.md", GOOD);
    program_write("wrong.md", "<!-- claim: a -->\n");
    outcome o = run("umask 027; " CHECK "--format tap --out result.tap good.md");
    STATUS(o, 0);
    cr_assert_str_eq(o.out, "");
    char *text = program_slurp("result.tap");
    cr_assert_eq(count_of(text, "\nok "), 4);
    free(text);
    struct stat about;
    cr_assert_eq(stat("result.tap", &about), 0);
    cr_assert_eq(about.st_mode & 0777, 0640);
    forget(&o);
    program_write("result.tap", "old");
    o = run(CHECK "--out result.tap wrong.md");
    STATUS(o, 2);
    forget(&o);
    text = program_slurp("result.tap");
    cr_assert_str_eq(text, "old");
    free(text);
    o = run("ls -A | grep -v -e stdout -e stderr");
    cr_assert_str_eq(o.out, "good.md\nresult.tap\nwrong.md\n", "%s", o.out);
    forget(&o);
}

Test(check_command, out_follows_a_symbolic_link_and_keeps_the_mode)
{
    program_write("good.md", GOOD);
    program_write("target", "old");
    cr_assert_eq(chmod("target", 0604), 0);
    cr_assert_eq(symlink("target", "link"), 0);
    outcome o = run(CHECK "--format tap --out link good.md && test -L link");
    STATUS(o, 0);
    struct stat about;
    cr_assert_eq(stat("target", &about), 0);
    cr_assert_eq(about.st_mode & 0777, 0604);
    char *text = program_slurp("target");
    HAS(text, "TAP version 14");
    free(text);
    forget(&o);
}

Test(check_command, out_into_nowhere_is_the_machines_fault)
{
    program_write("good.md", GOOD);
    outcome o = run(CHECK "--out no/such/folder/x good.md");
    STATUS(o, 3);
    HAS(o.err, "can't write to no/such/folder/x: No such file");
    forget(&o);
}
