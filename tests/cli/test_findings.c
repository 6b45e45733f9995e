/* What is said of wrong lines, of mutants, and of canaries. */
#include "cli/report.h"
#include "program.h"

TestSuite(findings, .init = program_setup, .fini = program_teardown, .timeout = 120);

#define CHECK "\"$EVIDENCE\" check --effort quick "

#define KINDS                                                                                \
    "# Kinds\n\nAssume $x \\in \\mathbb{R}$ and $y \\in \\mathbb{R}_{>0}$.\n\n"              \
    "<!-- claim: square  source: 1 -->\n"                                                    \
    "$$\n(x+y)^2 = x^2 + 2 x y + y^2\n  = x (x + 2 y) + y^2\n$$\n\n"                         \
    "<!-- claim: wrong  source: 2  expect: refuted  see: square\n     note: a term is lost " \
    "-->\n$$ (x+y)^2 = x^2 + y^2 $$\n\n"                                                     \
    "<!-- claim: narrow  source: 3  expect: refuted  see: square  kind: conditional -->\n"   \
    "$$ (x+y)^2 \\ge y^2 $$\n\n"                                                             \
    "<!-- claim: slip  source: 4  expect: refuted@2  see: square  kind: slip -->\n"          \
    "$$ (x+y)^2 = x^2 + 2 x y + y^2 = x^2 + 2 x + y^2 $$\n\n"                                \
    "<!-- claim: foil  expect: refuted  see: square -->\n$$ (x+y)^2 = x^2 + x y + y^2 $$\n"

static void expect_order(const char *text, size_t count, const char *const *pieces)
{
    const char *at = text;
    for (size_t i = 0; i < count; i++) {
        const char *found = strstr(at, pieces[i]);
        cr_assert_not_null(found, "no \"%s\" after the others in:\n%s", pieces[i], text);
        at = found + strlen(pieces[i]);
    }
}

Test(findings, wrong_lines_stand_by_kind_with_witness_note_and_correction)
{
    program_write("kinds.md", KINDS);
    outcome o = run(CHECK "--findings kinds.md");
    STATUS(o, 0);
    static const char *const order[] = {
        "Errors: 1 printed line that is wrong\n",
        "  wrong@1 ",
        "kinds.md:13:12\n",
        "    source       2\n",
        "    line         (x+y)^2 = x^2 + y^2\n",
        "    at           x = ",
        "    left         ",
        "    right        ",
        "    note         a term is lost\n",
        "    corrected by square@1 HOLDS\n",
        "                 (x+y)^2 = x^2 + 2 x y + y^2\n",
        "                 square@2 HOLDS\n",
        "                 = x (x + 2 y) + y^2\n",
        "Conditional truths: 1 printed line that holds only",
        "  narrow@1 ",
        "Slips: 1 printed line that does not say",
        "  slip@2 ",
        "    line         x^2 + 2 x y + y^2 = x^2 + 2 x + y^2\n",
        "Not printed in a source: 1 line that a reader may expect\n",
        "  foil@1 ",
        "    kind         error\n",
        "canaries: 26 of 26 as planted\n",
        "all 7 as expected\n"};
    expect_order(o.out, sizeof order / sizeof *order, order);
    LACKS(o.out, "NOT EXPECTED");
    forget(&o);
}

Test(findings, an_unexpected_refutation_comes_first_and_is_status_one)
{
    program_write("kinds.md", KINDS);
    program_write("bad.md", BAD);
    outcome o = run(CHECK "--findings --out found.txt kinds.md bad.md");
    STATUS(o, 1);
    cr_assert_str_eq(o.out, "");
    char *text = program_slurp("found.txt");
    static const char *const order[] = {"REFUTED, AND NOT EXPECTED: 1 line\n", "  wrong@2 ",
                                        "    EXPECTED     HOLDS, and it is REFUTED\n", "Errors: 1",
                                        "1 of 10 is not as expected"};
    expect_order(text, sizeof order / sizeof *order, order);
    free(text);
    forget(&o);
}

Test(findings, a_page_is_a_hundred_columns_wide_even_where_tex_has_no_spaces)
{
    program_write("wide.md",
                  "Assume $x \\in \\mathbb{R}_{>0}$.\n\n"
                  "<!-- claim: a  source: 1  expect: refuted -->\n$$ x = "
                  "x\\cdot\\exp(x)\\cdot\\exp(x)\\cdot\\exp(x)\\cdot\\exp(x)\\cdot"
                  "\\exp(x)\\cdot\\exp(x)\\cdot\\exp(x)\\cdot\\exp(x)\\cdot\\exp(x) $$\n");
    outcome o = run(CHECK "--findings wide.md | awk 'length($0) > 100'");
    cr_assert_str_eq(o.out, "", "%s", o.out);
    forget(&o);
    o = run(CHECK "--findings wide.md | tr -d ' \\n'"); /* nothing is lost */
    HAS(o.out, "x\\cdot\\exp(x)\\cdot\\exp(x)\\cdot\\exp(x)\\cdot\\exp(x)\\cdot\\exp(x)\\cdot"
               "\\exp(x)\\cdot\\exp(x)\\cdot\\exp(x)\\cdot\\exp(x)");
    forget(&o);
}

Test(findings, they_are_not_to_be_had_in_another_format)
{
    program_write("kinds.md", KINDS);
    outcome o = run(CHECK "--findings --format tap kinds.md");
    STATUS(o, 2);
    HAS(o.err, "--findings is a page for people");
    forget(&o);
}

Test(findings, a_correction_that_was_not_judged_is_named_all_the_same)
{
    program_write("kinds.md", KINDS);
    outcome o = run(CHECK "--findings --only wrong kinds.md");
    STATUS(o, 0);
    HAS(o.out, "corrected by square, which was not judged in this run\n");
    forget(&o);
}

/* ---- numbers that would mean nothing ---- */

Test(findings, a_bound_that_fails_and_a_void_step_have_no_agreeing_digits)
{
    program_write("digits.md", "Assume $x \\in \\mathbb{R}_{>0}$.\n\n"
                               "<!-- claim: low  expect: refuted -->\n$$ x \\ge 2 x $$\n\n"
                               "<!-- claim: off  expect: refuted -->\n$$ x = 2 x $$\n\n"
                               "<!-- claim: no  expect: void -->\n$$ \\log(-x) = \\log(-x) $$\n");
    outcome o = run(CHECK "digits.md | awk '/^  (low|off|no)@1/ { print $1, $6 }'");
    cr_assert_str_eq(o.out, "low@1 -\noff@1 0.3\nno@1 -\n", "%s", o.out);
    forget(&o);
}

/* ---- mutants ---- */

Test(findings, survivors_are_taken_apart_at_semicolons_outside_brackets)
{
    static const char list[] = "\\mathcal{N}(z; a) for b; c\\; d for e; f for g";
    static const char *const parts[] = {"\\mathcal{N}(z; a) for b", "c\\; d for e", "f for g"};
    size_t length = 0, n = 0;
    for (const char *s = list; (s = ev_survivor(s, &length)) != NULL; s += length, n++) {
        cr_assert_lt(n, 3);
        cr_expect_eq(length, strlen(parts[n]));
        cr_expect_eq(strncmp(s, parts[n], length), 0, "%s", s);
    }
    cr_expect_eq(n, 3);
    cr_expect_null(ev_survivor("", &length));
    cr_expect_null(ev_survivor(NULL, &length));
}

static ev_ledger *weak_ledger(void)
{
    ev_ledger *ledger = ev_ledger_create();
    ev_record *r = ev_ledger_append(ledger);
    *r = (ev_record){.document = "d",
                     .file = "d.md",
                     .claim = "c",
                     .step = 1,
                     .line = 5,
                     .column = 3,
                     .relation = "=",
                     .left = "x",
                     .right = "x",
                     .section = "",
                     .reason = "",
                     .witness = "",
                     .methods = "closed",
                     .second_voice = "",
                     .measured = "",
                     .diagnosis = "<d>",
                     .mutants_killed = 7,
                     .mutants_total = 9,
                     .mutants_equivalent = 1,
                     .survivors = "a for b; N(z; c) for d",
                     .expected = EV_HOLDS,
                     .verdict = EV_HOLDS};
    ledger->effort = "quick";
    return ledger;
}

static ev_ledger *strong_ledger(void)
{
    ev_ledger *ledger = weak_ledger();
    ledger->records[0].mutants_killed = ledger->records[0].mutants_total;
    ledger->records[0].survivors = "";
    return ledger;
}

typedef ev_status (*writer)(const ev_report *report, FILE *out, ev_error *error);

static char *written(writer write, const ev_ledger *ledger, const ev_canaries *canaries)
{
    ev_report report = {.ledger = ledger, .style = {.width = 100}, .canaries = canaries};
    ev_error error = EV_ERROR_NONE;
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    cr_assert_eq(write(&report, out, &error), EV_OK);
    fclose(out);
    return text;
}

Test(findings, every_format_tells_which_mutants_survive)
{
    ev_ledger *ledger = weak_ledger();
    char *table = written(ev_report_table, ledger, NULL);
    HAS(table, "  7/9 +1  ");
    HAS(table, "survives: a for b\n        survives: N(z; c) for d\n");
    HAS(table, "mutants: 7 of 9 refuted, 1 declared equivalent, 2 survive in 1 step\n");
    HAS(table, "d.md:5:3: HOLDS, but 2 mutants survive\n");
    HAS(table, "\n1 of 1 is not as expected:\n  d.md:5:3: c@1: HOLDS, but 2 mutants survive\n");
    LACKS(table, "expected HOLDS");
    LACKS(table, "\nas expected\n");
    char *tap = written(ev_report_tap, ledger, NULL);
    HAS(tap, "\nnot ok 1 - d: c@1 (HOLDS, but 2 mutants survive)\n  ---\n"
             "  message: \"HOLDS, but 2 mutants survive\"\n");
    HAS(tap, "  diagnosis: \"<d>\"\n  survivors: \"a for b; N(z; c) for d\"\n");
    char *junit = written(ev_report_junit, ledger, NULL);
    HAS(junit, " tests=\"1\" failures=\"1\" errors=\"0\" ");
    HAS(junit, "<failure message=\"HOLDS, but 2 mutants survive\" type=\"HOLDS\">d.md:5:3\n");
    HAS(junit, "\ndiagnosis: &lt;d&gt;\nsurvivors: a for b; N(z; c) for d</failure>");
    free(table);
    free(tap);
    free(junit);
    ev_ledger_destroy(ledger);
}

Test(findings, one_survivor_is_one_and_a_wrong_verdict_is_told_before_survivors)
{
    ev_ledger *ledger = weak_ledger();
    ev_record *r = &ledger->records[0];
    r->mutants_killed = 8;
    r->reason = "so it is";
    char *text = written(ev_report_table, ledger, NULL);
    HAS(text, "  d.md:5:3: c@1: HOLDS, but 1 mutant survives\n");
    free(text);
    text = written(ev_report_tap, ledger, NULL);
    HAS(text, "  message: \"HOLDS, but 1 mutant survives: so it is\"\n");
    free(text);
    text = written(ev_report_junit, ledger, NULL);
    HAS(text, "<failure message=\"HOLDS, but 1 mutant survives: so it is\"");
    free(text);
    r->expected = EV_REFUTED;
    text = written(ev_report_table, ledger, NULL);
    HAS(text, "  d.md:5:3: c@1: expected REFUTED, found HOLDS\n");
    LACKS(text, "HOLDS, but");
    free(text);
    text = written(ev_report_tap, ledger, NULL);
    HAS(text, "\nnot ok 1 - d: c@1\n  ---\n  message: \"so it is\"\n");
    free(text);
    ev_ledger_destroy(ledger);
}

Test(findings, mutants_that_were_not_decided_are_not_called_refuted)
{
    ev_ledger *ledger = strong_ledger();
    ledger->records[0].mutants_killed = 7;
    ledger->records[0].mutants_undecided = 2;
    char *table = written(ev_report_table, ledger, NULL);
    HAS(table,
        "mutants: 7 of 9 refuted, 2 undecided or void, 1 declared equivalent, 0 survive in 0 "
        "steps\n");
    HAS(table, "\nas expected\n");
    free(table);
    ev_ledger_destroy(ledger);
}

Test(findings, without_survivors_a_diagnosis_stands_beside_what_is_as_expected)
{
    ev_ledger *ledger = strong_ledger();
    char *table = written(ev_report_table, ledger, NULL);
    HAS(table, "mutants: 9 of 9 refuted, 1 declared equivalent, 0 survive in 0 steps\n");
    HAS(table, "\nas expected\n");
    LACKS(table, "mutants survive");
    char *tap = written(ev_report_tap, ledger, NULL);
    HAS(tap, "\nok 1 - d: c@1\n  ---\n");
    char *junit = written(ev_report_junit, ledger, NULL);
    HAS(junit, "<system-out>diagnosis: &lt;d&gt;</system-out>");
    LACKS(junit, "<failure");
    free(table);
    free(tap);
    free(junit);
    ev_ledger_destroy(ledger);
}

Test(findings, a_step_whose_mutants_survive_is_status_one)
{
    program_write("zero.md", "Assume $x \\in \\mathbb{R}_{>0}$.\n\n"
                             "<!-- claim: zero -->\n$$ 0 \\cdot x = 0 $$\n");
    outcome o = run(CHECK "zero.md");
    STATUS(o, 0);
    forget(&o);
    o = run(CHECK "--mutants on zero.md");
    STATUS(o, 1);
    HAS(o.out,
        "1 of 1 is not as expected:\n  zero.md:4:14: zero@1: HOLDS, but 2 mutants survive\n");
    forget(&o);
    o = run("\"$EVIDENCE\" explain --effort quick zero@1 zero.md");
    STATUS(o, 1);
    HAS(o.out, " HOLDS   (but 2 mutants survive)\n");
    forget(&o);
}

Test(findings, mutants_are_counted_only_when_asked_for)
{
    program_write("good.md", GOOD);
    outcome o = run(CHECK "--mutants on good.md");
    STATUS(o, 0);
    HAS(o.out, "  mutants  ");
    HAS(o.out, "\nmutants: ");
    HAS(o.out, "diagnosis: ");
    forget(&o);
    o = run(CHECK "good.md");
    LACKS(o.out, "mutants");
    forget(&o);
}

Test(findings, tap_says_of_an_expected_refutation_that_it_is_one)
{
    program_write("good.md", GOOD);
    outcome o = run(CHECK "--format tap good.md");
    STATUS(o, 0);
    HAS(o.out, "ok 4 - good: slip@2 (refuted, as expected)\n");
    HAS(o.out, "# canaries: 26 of 26 as planted\n");
    forget(&o);
}

/* ---- canaries ---- */

Test(findings, a_canary_that_sings_otherwise_is_loud_and_never_green)
{
    ev_ledger *ledger = strong_ledger();
    ev_canaries sick = {24, 23, "identity: planted REFUTED, found HOLDS"}, well = {24, 24, ""};
    ev_report report = {.ledger = ledger, .canaries = &well};
    cr_expect_eq(ev_report_exit(&report), 0);
    report.canaries = &sick;
    cr_expect_eq(ev_report_exit(&report), 1);
    char *text = written(ev_report_table, ledger, &sick);
    HAS(text, "canaries: 23 of 24 as planted; identity: planted REFUTED, found HOLDS: NO VERDICT");
    LACKS(text, "\nas expected");
    free(text);
    ev_ledger_destroy(ledger);
}
