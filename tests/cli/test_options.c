#include "program.h"

TestSuite(options, .init = program_setup, .fini = program_teardown, .timeout = 60);

static void expect(const char *words, int status, const char *piece)
{
    outcome o = run("\"$EVIDENCE\" %s", words);
    STATUS(o, status);
    HAS(status == 0 ? o.out : o.err, piece);
    if (status != 0)
        cr_assert_str_eq(o.out, "", "%s", words);
    forget(&o);
}

Test(options, help_and_version_go_to_standard_output)
{
    expect("--help", 0, "usage: evidence SUBCOMMAND");
    expect("-h", 0, "usage: evidence SUBCOMMAND");
    expect("help", 0, "check derivations");
    expect("--version", 0, "evidence 0.");
    expect("help check", 0, "usage: evidence check ");
    expect("check --help", 0, "usage: evidence check ");
    expect("check nonexistent.md -h", 0, "usage: evidence check ");
    expect("help explain", 0, "usage: evidence explain ");
    expect("explain --help", 0, "usage: evidence explain ");
    expect("help tabulate", 0, "usage: evidence tabulate ");
}

/* What the help promises is accepted: every option it names, with the first of its choices. */
Test(options, every_option_in_the_help_exists)
{
    program_write("good.md", GOOD);
    outcome o = run("\"$EVIDENCE\" help check");
    size_t tried = 0;
    for (char *p = o.out; (p = strstr(p, " --")) != NULL; p++) {
        char name[32], argument[64] = "";
        if (sscanf(p + 3, "%31[a-z] %63[A-Za-z|]", name, argument) < 1 || strcmp(name, "help") == 0)
            continue;
        argument[strcspn(argument, "|")] = '\0';
        const char *value = strcmp(argument, "N") == 0         ? " 1"
                            : strcmp(argument, "PATTERN") == 0 ? " 'square@1'"
                            : strcmp(argument, "FILE") == 0    ? " out.txt"
                            : strcmp(name, "verbose") == 0     ? ""
                            : strcmp(name, "findings") == 0    ? ""
                                                               : NULL;
        char words[128];
        snprintf(words, sizeof words, "--%s%s%s", name, value == NULL ? " " : "",
                 value == NULL ? argument : value);
        outcome used = run("\"$EVIDENCE\" check --effort quick %s good.md", words);
        STATUS(used, 0);
        forget(&used);
        tried++;
    }
    cr_assert_eq(tried, count_of(o.out, " --") - 1, "%zu options tried", tried); /* --help aside */
    forget(&o);
}

Test(options, what_is_unknown_is_refused_with_a_hint)
{
    expect("", 2, "no subcommand; see 'evidence --help'");
    expect("chekc", 2, "unknown subcommand 'chekc'; did you mean 'check'?");
    expect("frobnicate", 2, "see 'evidence --help'");
    expect("help nothing", 2, "unknown subcommand 'nothing'");
    expect("--verison", 2, "unknown");
    expect("check --sed 3", 2, "unknown option '--sed'; did you mean '--seed'?");
    expect("check --efort=quick", 2, "did you mean '--effort'?");
    expect("check --frobnicate", 2, "see 'evidence help check'");
    expect("check -x", 2, "unknown option '-x'");
    expect("check -vx", 2, "unknown option '-vx'");
    expect("check --seeds 3", 2, "did you mean '--seed'?");
    expect("explain --format tap x", 2, "unknown option '--format'");
}

Test(options, numbers_are_read_whole_and_in_range)
{
    static const char *const bad[] = {"-1",
                                      "+1",
                                      "1x",
                                      "''",
                                      "' 1'",
                                      "0x10",
                                      "1e3",
                                      "1.0",
                                      "abc",
                                      "18446744073709551616",
                                      "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char words[128];
        snprintf(words, sizeof words, "check --seed %s x.md", bad[i]);
        expect(words, 2, "expected a whole number from 0 to 18446744073709551615");
    }
    expect("check --threads 0 x.md", 2, "from 1 to 1024");
    expect("check --threads 1025 x.md", 2, "from 1 to 1024");
    expect("check --seed", 2, "'--seed' needs a value");
    expect("check x.md --effort", 2, "'--effort' needs a value");
}

Test(options, choices_and_flags_are_strict)
{
    expect("check --effort medium x.md", 2, "expected one of quick, full, deep");
    expect("check --effort Quick x.md", 2, "expected one of quick, full, deep");
    expect("check --format xml x.md", 2, "expected one of table, tap, junit, jsonl");
    expect("check --format= x.md", 2, "expected one of table");
    expect("check --color=yes x.md", 2, "expected one of auto, always, never");
    expect("check --verbose=1 x.md", 2, "'--verbose' takes no value");
    expect("check --out= x.md", 2, "'--out': its value is empty");
}

Test(options, options_and_files_mix_and_the_last_word_counts)
{
    program_write("good.md", GOOD);
    program_write("-x.md", GOOD);
    expect("check good.md --effort=quick --format tap --format=table", 0, "all 4 as expected");
    expect("check --effort quick --seed=3 --seed 5 good.md", 0, "seed 5,");
    expect("check --effort quick -- -x.md", 0, "all 4 as expected");
}

Test(options, help_on_a_full_disk_is_the_machines_fault)
{
    static const char *const words[] = {"--help", "--version", "help check", "explain --help"};
    for (size_t i = 0; i < 4; i++) {
        outcome o = run("\"$EVIDENCE\" %s >/dev/full", words[i]);
        STATUS(o, 3);
        forget(&o);
    }
}
