#define _XOPEN_SOURCE 700 /* realpath */

/* The scaffold of `make new`, tried in a copy of the tree. */
#include "program.h"

static char folder[4096];

static void setup(void)
{
    cr_assert_not_null(realpath(EV_SOURCE_DIR, folder));
    program_setup();
}

TestSuite(new, .init = setup, .fini = program_teardown, .timeout = 900);

/* What has been built is copied with its times, and CURDIR says that it was built there; options of
 * the make that runs the tests are inherited (MAKEFLAGS): only what the scaffold brings is
 * compiled. */
#define MAKE "make --no-print-directory CURDIR='%s'"

static void copy_tree(void)
{
    outcome o = run("mkdir -p tree/derivations tree/plots && cd tree && cp -a '%s/Makefile' "
                    "'%s/src' '%s/checks' '%s/build' . && cp '%s/plots/style.gp' plots",
                    folder, folder, folder, folder, folder);
    STATUS(o, 0);
    forget(&o);
}

Test(new, a_scaffold_is_a_derivation_a_check_and_a_plot_that_build_and_pass)
{
    if (strcmp(EV_PROGRAM, "build/evidence") != 0)
        cr_skip_test("tried with the plain build only");
    copy_tree();
    outcome o = run("cd tree && " MAKE " new NAME=two_moons", folder);
    STATUS(o, 0);
    HAS(o.out, "written: derivations/two_moons.md checks/two_moons.c plots/two_moons.gp");
    forget(&o);
    o = run("cd tree && " MAKE " all", folder);
    STATUS(o, 0);
    HAS(o.out, "checks/two_moons.c");
    forget(&o);
    o = run("cd tree && build/evidence check --mutants on derivations/two_moons.md");
    STATUS(o, 0);
    HAS(o.out, "1 step confirmed by a C module");
    HAS(o.out, "\nas expected\n");
    forget(&o);
    o = run("cd tree && build/evidence tabulate two_moons");
    STATUS(o, 0);
    HAS(o.out, "step\tdigits\tpoints\tverdict\texpected\ntwo-moons-second-moment@1\t1");
    forget(&o);
    if (system("command -v gnuplot >/dev/null") != 0)
        cr_skip_test("gnuplot is missing");
    o = run("cd tree && " MAKE " plots", folder);
    STATUS(o, 0);
    forget(&o);
    char *svg = program_slurp("tree/build/plots/two_moons-steps.svg");
    HAS(svg, "two-moons-second-moment@1"); /* on its axis */
    HAS(svg, "</svg>");
    free(svg);
}

Test(new, nothing_that_is_there_is_written_over)
{
    outcome o = run("mkdir -p tree/plots tree/derivations tree/checks && cd tree && "
                    "cp '%s/Makefile' . && echo mine >plots/topic.gp && " MAKE " new NAME=topic",
                    folder, folder);
    STATUS(o, 2);
    HAS(o.err, "plots/topic.gp is there already");
    cr_expect_neq(access("tree/derivations/topic.md", F_OK), 0, "and nothing else is begun");
    forget(&o);
    o = run("cd tree && cat plots/topic.gp && " MAKE " new NAME=../topic", folder);
    STATUS(o, 2);
    HAS(o.out, "mine\n");
    HAS(o.err, "lower-case letters, digits and underscores");
    forget(&o);
}

Test(new, the_name_of_a_derivation_is_the_name_of_its_table)
{
    outcome o = run(
        "mkdir derivations && printf '# A\\n\\nAssume $x \\\\in \\\\mathbb{R}_{>0}$.\\n\\n"
        "<!-- claim: own -->\\n$$ x = |x| = x $$\\n' >derivations/own.md && "
        "\"$EVIDENCE\" tabulate own && \"$EVIDENCE\" tabulate steps derivations/own.md");
    STATUS(o, 0);
    cr_expect_eq(count_of(o.out, "own@2\t"), 2, "%s", o.out);
    cr_expect_eq(count_of(o.out, "\tHOLDS\tyes\n"), 4, "%s", o.out);
    forget(&o);
    o = run("\"$EVIDENCE\" tabulate ../derivations/own");
    STATUS(o, 2);
    HAS(o.err, "no table '../derivations/own'");
    forget(&o);
}
