#include "program.h"

TestSuite(explain, .init = program_setup, .fini = program_teardown, .timeout = 120);

#define EXPLAIN "\"$EVIDENCE\" explain --effort quick "

Test(explain, a_step_is_told_whole)
{
    program_write("good.md", GOOD);
    outcome o = run(EXPLAIN "slip@2 good.md");
    STATUS(o, 0);
    HAS(o.out, "REFUTED (expected)");
    HAS(o.out, "good.md:14:29\n");
    HAS(o.out, "a slip of notation, printed in 2; corrected by square");
    HAS(o.out, "the cross term is lost");
    HAS(o.out, "x \\in \\mathbb{R}\n");
    HAS(o.out, "y \\in \\mathbb{R}_{>0}\n");
    HAS(o.out, "The witness");
    HAS(o.out, "x^2 + 2 x y + y^2");
    HAS(o.out, "second voice  none");
    HAS(o.out, "points ");
    HAS(o.out, "evidence explain slip@2 good.md --seed 20241031 --effort quick");
    LACKS(o.out, "square@1");
    forget(&o);
}

Test(explain, the_words_at_its_end_repeat_it)
{
    program_write("good.md", GOOD);
    outcome first = run(EXPLAIN "--seed 77 slip@2 good.md | grep -v time");
    char *words = strstr(first.out, "  evidence explain ");
    cr_assert_not_null(words);
    words[strcspn(words, "\n")] = '\0';
    outcome again = run("\"$EVIDENCE\" %s | grep -v time", words + strlen("  evidence "));
    cr_assert_str_neq(again.out, "");
    cr_assert_eq(strncmp(first.out, again.out, (size_t)(words - first.out)), 0, "%s\n%s", first.out,
                 again.out);
    forget(&first);
    forget(&again);
}

Test(explain, the_witness_it_prints_is_one_it_reads)
{
    program_write("good.md", GOOD);
    outcome first = run(EXPLAIN "slip@2 good.md");
    char *words = strstr(first.out, "--witness '");
    cr_assert_not_null(words, "%s", first.out);
    words[strcspn(words, "\n")] = '\0';
    outcome again = run(EXPLAIN "slip@2 good.md %s", words);
    STATUS(again, 0);
    HAS(again.out, "The point given");
    HAS(again.out, "1 drawn, 1 compared");
    HAS(again.out, "at            x = 1, y = 1\n");
    HAS(again.out, "left          4");
    HAS(again.out, "right         2");
    forget(&first);
    forget(&again);
}

Test(explain, a_witness_that_cannot_be_read_is_refused_with_a_caret)
{
    program_write("good.md", GOOD);
    outcome o = run(EXPLAIN "slip@2 good.md --witness 'x = 1, y = -1'");
    STATUS(o, 2);
    HAS(o.err, "--witness:1:12: error: this is not in the domain of y\n  x = 1, y = -1\n"
               "             ^~\n");
    cr_assert_str_eq(o.out, "");
    forget(&o);
    o = run(EXPLAIN "slip good.md --witness 'x = 1, y = 1'");
    STATUS(o, 2);
    HAS(o.err, "say which step, as in slip@1");
    forget(&o);
}

Test(explain, at_a_point_where_a_false_line_is_true_it_says_so)
{
    program_write("good.md", GOOD);
    outcome o = run(EXPLAIN "slip@2 good.md --witness 'x = 0, y = 1'");
    STATUS(o, 1);
    HAS(o.out, "HOLDS");
    HAS(o.out, "expected: REFUTED");
    forget(&o);
}

Test(explain, a_claim_alone_means_all_its_steps)
{
    program_write("good.md", GOOD);
    outcome o = run(EXPLAIN "square good.md");
    STATUS(o, 0);
    HAS(o.out, "square@1 ");
    HAS(o.out, "square@2 ");
    forget(&o);
}

Test(explain, definitions_and_conditions_are_quoted_from_the_document)
{
    program_write(
        "c.md",
        "Assume $t \\in \\mathbb{R}$, $m, s \\in \\mathbb{R}_{>0}$ and $s < m < 9$. Define\n"
        "$$ f(t) = t + \\frac{m}{s}, \\qquad g(t) = 2 t. $$\n\n"
        "<!-- claim: c -->\n$$ f(1) \\ge g(1) $$\n");
    outcome o = run(EXPLAIN "c c.md");
    cr_assert_eq(count_of(o.out, " s < m < 9\n"), 1, "%s", o.out);
    HAS(o.out, " f(t) = t + \\frac{m}{s}\n");
    HAS(o.out, " g(t) = 2 t\n");
    forget(&o);
}

Test(explain, an_unexpected_verdict_is_status_one)
{
    program_write("bad.md", BAD);
    outcome o = run(EXPLAIN "wrong bad.md");
    STATUS(o, 1);
    HAS(o.out, "(expected: HOLDS)");
    forget(&o);
    o = run(EXPLAIN "wrong@1 bad.md");
    STATUS(o, 0);
    forget(&o);
}

Test(explain, what_can_not_be_explained_is_refused)
{
    program_write("good.md", GOOD);
    program_write("other.md", GOOD);
    program_write("said.md", "<!-- claim: said -->\n> So.\n");
    static const struct {
        const char *words, *message;
    } cases[] = {{"", "name a claim"},
                 {"squares good.md", "no claim 'squares'; did you mean 'square'?"},
                 {"frobnication good.md", "no claim 'frobnication'\n"},
                 {"square@3 good.md", "'square' has only 2 steps"},
                 {"square@0 good.md", "a step is a number"},
                 {"square@ good.md", "a step is a number"},
                 {"square@1x good.md", "a step is a number"},
                 {"square@99999999999999999999 good.md", "'square' has only 2 steps"},
                 {"said@1 said.md", "'said' is a statement"},
                 {"square missing.md", "No such file"},
                 {"square good.md other.md", "2 documents have a claim 'square': say which one\n"
                                             "  evidence explain square good.md\n"
                                             "  evidence explain square other.md\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        outcome o = run(EXPLAIN "%s", cases[i].words);
        STATUS(o, 2);
        HAS(o.err, cases[i].message);
        cr_assert_str_eq(o.out, "");
        forget(&o);
    }
}

Test(explain, mutants_are_measured_unless_they_are_switched_off)
{
    program_write("good.md", GOOD);
    outcome o = run(EXPLAIN "square@1 good.md");
    STATUS(o, 0);
    HAS(o.out, " refuted, 0 declared equivalent\n");
    forget(&o);
    o = run(EXPLAIN "slip@2 good.md");
    STATUS(o, 0);
    HAS(o.out, "  diagnosis     ");
    LACKS(o.out, "--mutants off");
    forget(&o);
    o = run(EXPLAIN "--mutants off square@1 good.md");
    STATUS(o, 0);
    HAS(o.out, "  mutants       not measured\n");
    HAS(o.out, "--effort quick --mutants off\n");
    forget(&o);
}

Test(explain, a_document_that_can_not_be_read_does_not_hide_a_claim_of_another)
{
    outcome o = run("mkdir derivations");
    forget(&o);
    program_write("derivations/a.md", "<!-- claim: x -->\ntext\n");
    program_write("derivations/b.md", GOOD);
    o = run(EXPLAIN "square@1");
    STATUS(o, 0);
    HAS(o.out, "square@1 ");
    HAS(o.err, "derivations/a.md:1:1: warning: a claim needs");
    forget(&o);
    o = run(EXPLAIN "frobnication");
    STATUS(o, 2);
    HAS(o.err, "no claim 'frobnication' in the documents that can be read\n");
    forget(&o);
    o = run(EXPLAIN "square@1 derivations/*.md"); /* those that are named must all be right */
    STATUS(o, 2);
    HAS(o.err, "derivations/a.md:1:1: error: a claim needs");
    forget(&o);
}

Test(explain, a_full_disk_is_the_machines_fault)
{
    program_write("good.md", GOOD);
    outcome o = run(EXPLAIN "square@1 good.md >/dev/full");
    STATUS(o, 3);
    forget(&o);
}
