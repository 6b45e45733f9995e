/* The page that `evidence report` weaves: from its bytes, and in a browser. */
#include "browser.h"
#include "program.h"

TestSuite(report, .init = program_setup, .fini = program_teardown, .timeout = 300);

static void need(const char *tool)
{
    char command[128];
    snprintf(command, sizeof command, "command -v %s >/dev/null", tool);
    if (system(command) != 0)
        cr_skip_test("%s is missing (./setup.sh --report)", tool);
}

static void weave(const char *text)
{
    need("pandoc");
    program_write("own.md", text);
    outcome o = run("\"$EVIDENCE\" report own.md --out own.html --title 'My own'");
    STATUS(o, 0);
    cr_expect_str_empty(o.err, "%s", o.err);
    forget(&o);
}

Test(report, every_step_has_a_line_of_its_own_with_its_verdict_and_evidence)
{
    weave(GOOD);
    char *page = program_slurp("own.html");
    cr_expect_eq(count_of(page, "<div class=\"step "), 4, "%s", page);
    cr_expect_eq(count_of(page, "<div class=\"step holds\""), 3);
    cr_expect_eq(count_of(page, "<div class=\"step refuted\""), 1);
    cr_expect_eq(count_of(page, "HOLDS · "), 3);
    cr_expect_eq(count_of(page, "✓ REFUTED (expected)"), 1);
    HAS(page, "id=\"step-slip-2\"");
    HAS(page, "own.md:14");
    HAS(page, "the cross term is lost");
    HAS(page, "4 verdicts = 3 HOLDS + 1 REFUTED + 0 UNDECIDED + 0 VACUOUS + 0 VOID + 0 SKIPPED; "
              "4 as expected.");
    HAS(page, "What the sources get wrong");
    HAS(page, "<title>My own</title>");
    free(page);
}

/* No link, script, picture or font comes from elsewhere. */
Test(report, a_page_is_whole_and_wants_no_network_and_no_scripts)
{
    weave(GOOD);
    char *page = program_slurp("own.html");
    LACKS(page, "<script");
    LACKS(page, "<link");
    LACKS(page, "@import");
    LACKS(page, "src=\"http");
    LACKS(page, "url(");
    HAS(page, "<math");
    free(page);
}

Test(report, an_unexpected_verdict_is_shown_and_is_the_exit_status)
{
    need("pandoc");
    program_write("bad.md", BAD);
    outcome o = run("\"$EVIDENCE\" report bad.md --out bad.html");
    STATUS(o, 1);
    char *page = program_slurp("bad.html");
    cr_expect_eq(count_of(page, "<div class=\"step unexpected\""), 1);
    HAS(page, "✗ REFUTED");
    free(page);
    forget(&o);
}

/* A void step has no value, a vacuous one no point; neither is painted as a refutation. */
Test(report, expected_verdicts_of_every_kind_are_told_apart)
{
    weave("# Empty\n\nLet $s \\in \\mathbb{R}_{>0}$.\n\n"
          "<!-- claim: no-value  expect: void -->\n$$ \\log(-s) = \\log(-s) $$\n\n"
          "## Nobody\n\nLet $t \\in \\mathbb{R}$ with $t > s$ and $t < s$.\n\n"
          "<!-- claim: no-point  expect: vacuous -->\n$$ t = 2 t $$\n");
    char *page = program_slurp("own.html");
    cr_expect_eq(count_of(page, "<div class=\"step void\""), 1, "%s", page);
    cr_expect_eq(count_of(page, "<div class=\"step vacuous\""), 1);
    cr_expect_eq(count_of(page, "<div class=\"step refuted\""), 0);
    HAS(page, "no number");
    free(page);
}

/* Judged in one order and woven in the other; each line must be where it is printed. */
Test(report, two_documents_may_have_a_claim_of_one_name)
{
    need("pandoc");
    program_write("one.md", "# One\n\nLet $s \\in \\mathbb{R}$.\n\n"
                            "<!-- claim: same -->\n$$ s + s = 2 s $$\n");
    program_write("two.md", "# Two\n\nLet $t \\in \\mathbb{R}$.\n\n"
                            "<!-- claim: same  expect: refuted  source: print  see: right -->\n"
                            "$$ t + t = t $$\n\n<!-- claim: right -->\n$$ t + t = 2 t $$\n");
    outcome o = run("\"$EVIDENCE\" check one.md two.md --format jsonl --out l.jsonl && "
                    "\"$EVIDENCE\" report two.md one.md --ledger l.jsonl --out both.html");
    STATUS(o, 0);
    cr_expect_str_empty(o.err, "%s", o.err);
    forget(&o);
    char *page = program_slurp("both.html");
    const char *refuted = strstr(page, "id=\"step-same-1\""),
               *true_one = strstr(page, "id=\"step-same-1.2\"");
    cr_assert(refuted != NULL && true_one != NULL && refuted < true_one, "%s", page);
    cr_expect_eq(count_of(page, "href=\"#step-same-1\""), 1, "the finding leads to its line");
    HAS(page, "href=\"#step-right-1\"");
    free(page);
}

Test(report, a_stale_ledger_is_named_and_nothing_is_written)
{
    need("pandoc");
    program_write("own.md", GOOD);
    static const struct {
        const char *edit, *message;
    } cases[] = {
        {"sed -i 's/revision\":\"/&0/' l.jsonl", "l.jsonl is stale: it was made by revision 0"},
        {"sed -i 's/x (x + 2 y)/x (2 y + x)/' own.md", "own.md:8: the ledger is stale: of square"},
        {"sed -i 's/claim: slip/claim: slop/' own.md", "it has no claim \"slop\""},
        {"sed -i '/claim: slip/,$d' own.md", "it has the claim \"slip\""},
        {"rm l.jsonl", "no ledger 'l.jsonl'"},
        {"echo '{' >>l.jsonl", "l.jsonl: line 5: not JSON"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        program_write("own.md", GOOD);
        outcome o = run("\"$EVIDENCE\" check own.md --format jsonl --out l.jsonl; %s; "
                        "\"$EVIDENCE\" report own.md --ledger l.jsonl --out own.html",
                        cases[i].edit);
        STATUS(o, 2);
        HAS(o.err, cases[i].message);
        cr_expect_neq(access("own.html", F_OK), 0);
        cr_expect_neq(access("own.html.part.html", F_OK), 0);
        forget(&o);
    }
}

Test(report, what_is_wrong_is_said)
{
    program_write("own.md", GOOD);
    static const struct {
        const char *words, *message;
        int status;
    } cases[] = {{"own.md", "say where the page goes", 2},
                 {"own.md --out own.txt", "ends in neither .html nor .pdf", 2},
                 {"missing.md --out own.html", "No such file", 2},
                 {"own.md --out nowhere/own.html", "", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        outcome o = run("\"$EVIDENCE\" report %s", cases[i].words);
        STATUS(o, cases[i].status);
        HAS(o.err, cases[i].message);
        forget(&o);
    }
    outcome o = run("PATH=/nonexistent \"$EVIDENCE\" report own.md --out own.html");
    STATUS(o, 3);
    HAS(o.err, "pandoc is missing: ./setup.sh --report installs it");
    forget(&o);
}

/* The page measures itself: how wide it is at 380 pixels, whether every step opens and can be reached
 * by the tabulator key.  The script is the test's; the page has none. */
static const char PROBE[] =
    "<script>addEventListener('load',()=>{let w=document.documentElement;let n=0,t=0;"
    "for(const s of document.querySelectorAll('.step > details > "
    "summary')){if(s.tabIndex===0)t++;s.click();"
    "const e=s.parentElement.querySelector('.evidence');if(e.offsetHeight>0&&e.textContent"
    ".includes('verdict'))n++;}"
    "document.body.setAttribute('data-probe','open '+n+' tab '+t+' wide '+(w.scrollWidth<=380));"
    "});</script></body>";

Test(report, in_a_browser_it_fits_380_pixels_and_every_step_opens_by_keyboard)
{
    need("chromium");
    weave(GOOD);
    char *page = program_slurp("own.html"), *end = strstr(page, "</body>");
    cr_assert_not_null(end);
    FILE *probed = fopen("probed.html", "w"), *frame = fopen("frame.html", "w");
    cr_assert(probed != NULL && frame != NULL);
    fprintf(probed, "%.*s%s%s", (int)(end - page), page, PROBE, end + strlen("</body>"));
    cr_assert_eq(fclose(probed), 0);
    /* A window is never so narrow; a frame is. */
    fputs("<!DOCTYPE html><iframe id=f src=probed.html width=380 height=800></iframe><script>"
          "addEventListener('load',()=>{document.title=f.contentDocument.body.dataset.probe;});"
          "</script>",
          frame);
    cr_assert_eq(fclose(frame), 0);
    outcome o = run("timeout 120 chromium --headless --no-sandbox --disable-gpu "
                    "--allow-file-access-from-files --user-data-dir=\"$PWD/profile\" "
                    "--enable-logging=stderr --host-resolver-rules='MAP * ~NOTFOUND' "
                    "--dump-dom \"file://$PWD/frame.html\"");
    STATUS(o, 0);
    HAS(o.out, "<title>open 4 tab 4 wide true</title>");
    LACKS(o.err, "CONSOLE");
    forget(&o);
    free(page);
}

/* Tab goes from step to step, with a frame to be seen; Enter and Space open and shut each. */
Test(report, by_keyboard_alone_every_step_is_reached_seen_opened_and_shut)
{
    static const char ON_STEP[] =
        "(a=>a.matches('.step > details > summary')?a.closest('.step').id+"
        "(getComputedStyle(a).outlineStyle==='solid'&&parseFloat(getComputedStyle(a).outlineWidth)>"
        "=2?"
        "' framed ':' bare "
        "')+(a.parentElement.open&&a.nextElementSibling.offsetHeight>0?'open':'shut')"
        ":'')(document.activeElement)";
    static const char *const steps[] = {"step-square-1", "step-square-2", "step-slip-1",
                                        "step-slip-2"};
    char address[4200], here[4096], wanted[64];
    size_t reached = 0;
    need("chromium");
    weave(GOOD);
    snprintf(address, sizeof address, "file://%s/own.html", getcwd(here, sizeof here));
    browser b = browser_open(address);
    for (int presses = 0; presses < 60 && reached < 4; presses++) {
        browser_key(&b, "Tab", "", 9);
        char *at = browser_value(&b, ON_STEP);
        for (int turn = 0; turn < 3 && at[0] != '\0'; turn++) {
            snprintf(wanted, sizeof wanted, "%s framed %s", steps[reached],
                     turn % 2 == 0 ? "shut" : "open");
            cr_expect_str_eq(at, wanted, "%s", at);
            if (turn == 2)
                reached++;
            else if ((reached + (size_t)turn) % 2 == 0)
                browser_key(&b, "Enter", "\r", 13);
            else
                browser_key(&b, " ", " ", 32);
            free(at);
            at = turn == 2 ? strdup("") : browser_value(&b, ON_STEP);
        }
        free(at);
    }
    cr_expect_eq(reached, 4);
    browser_close(&b);
}

/* A line a good deal wider than a phone, which has places to break. */
Test(report, wide_lines_break_at_relations_and_terms_and_need_no_scrolling)
{
    static const char WIDE[] =
        "# Wide\n\nAssume $x \\in \\mathbb{R}$ and $y \\in \\mathbb{R}_{>0}$. Define\n"
        "$$ f(x) = x^2 + \\sin(x) + x^3, \\qquad g(x) = x^2 + \\cos(x) + x^3, \\qquad "
        "h(x) = x + \\exp(-x^2) $$\n\n<!-- claim: wide -->\n$$\n"
        "(x+y)^4 + (x+y)^2 + (x+y) + 1 = x^4 + 4 x^3 y + 6 x^2 y^2 + 4 x y^3 + y^4 + x^2 + 2 x y + "
        "y^2 + x + y + 1\n  = 2 \\Big(\\tfrac12 (x+y)^4 + \\tfrac12 x^2 + x y + \\tfrac12 y^2 + "
        "\\tfrac12 x + \\tfrac12 y + \\tfrac12 \\Big)\n$$\n";
    need("chromium");
    weave(WIDE);
    char address[4200], here[4096];
    snprintf(address, sizeof address, "file://%s/own.html", getcwd(here, sizeof here));
    browser b = browser_open(address);
    json_decref(browser_ask(&b, "Emulation.setDeviceMetricsOverride",
                            json_pack("{s:i, s:i, s:i, s:b}", "width", 380, "height", 800,
                                      "deviceScaleFactor", 1, "mobile", 0)));
    char *found = browser_value(
        &b, "[innerWidth,document.documentElement.scrollWidth<=380,"
            "[...document.querySelectorAll('.step .line,.step .maths,.side-by-side')]"
            ".filter(e=>e.scrollWidth>e.clientWidth).length,"
            "document.querySelectorAll('.step .maths math').length>6].join(' ')");
    cr_expect_str_eq(found, "380 true 0 true", "%s", found);
    free(found);
    browser_close(&b);
}

/* --- Training ---------------------------------------------------------------------------------- */

#define COMMAND "# command: evidence train gmvae --preset {preset} --seed {seed} --out RUN\n"

static void write_results(const char *text)
{
    cr_assert_eq(system("mkdir -p results"), 0);
    program_write("results/gmvae_paper.tsv", text);
    program_write("own.md", GOOD);
}

/* The page with the table, which is to be whole. */
static char *weave_results(const char *text)
{
    need("pandoc");
    write_results(text);
    outcome o = run("\"$EVIDENCE\" report own.md --results results --out own.html");
    STATUS(o, 0);
    forget(&o);
    return program_slurp("own.html");
}

Test(report, a_table_of_results_has_a_command_a_row_and_a_mean)
{
    char *page = weave_results(COMMAND "# Two seeds.\npreset\tseed\taccuracy\tlog_px_se\n"
                                       "paper\t1\t0.71\t2.5\npaper\t2\t0.75\tNA\n");
    HAS(page, ">gmvae paper</h2>");
    HAS(page, "Two seeds.");
    HAS(page, "<td style=\"text-align: left;\">0.75</td>");
    HAS(page, "<code>evidence train gmvae --preset paper --seed 2 --out RUN</code>");
    HAS(page, ">2 seeds<");
    HAS(page, "0.73 ± 0.028"); /* sqrt(2) 0.02 */
    HAS(page, "<td style=\"text-align: left;\">NA</td>");
    free(page);
}

/* A command that has gone, a column that has become words, a cell that is empty: all of them stop it. */
Test(report, the_tables_that_are_shipped_are_whole)
{
    need("pandoc");
    program_write("own.md", GOOD);
    outcome o = run("\"$EVIDENCE\" report own.md --results '%s/report/results' --out own.html",
                    program_source);
    STATUS(o, 0);
    forget(&o);
    char *page = program_slurp("own.html");
    HAS(page, ">gmvae mnist</h2>");
    HAS(page, ">gmvae fashion</h2>");
    HAS(page, ">vqvae mnist</h2>");
    HAS(page, ">vqvae fashion</h2>");
    free(page);
}

/* Two seeds of one configuration, two of another, one of a third, and one that went on for longer. */
Test(report, only_rows_that_differ_in_the_seed_alone_are_averaged)
{
    char *page = weave_results(COMMAND "preset\tseed\tstep\taccuracy\npaper\t1\t9\t0.5\n"
                                       "small\t1\t9\t0.2\npaper\t2\t9\t0.7\nsmall\t5\t9\t0.4\n"
                                       "other\t1\t9\t0.9\nsmall\t7\t18\t0.8\n");
    cr_expect_eq(count_of(page, ">2 seeds<"), 2);
    HAS(page, "0.6 ± 0.14");
    HAS(page, "0.3 ± 0.14");
    cr_expect_eq(count_of(page, "±"), 2 + 2 * 4); /* two means, and two values a step of GOOD */
    free(page);
    page = weave_results("# command: evidence train gmvae --preset {preset} --out RUN\n"
                         "preset\taccuracy\nsmall\t0.5\npaper\t0.7\n");
    LACKS(page, " seeds<");
    cr_expect_eq(count_of(page, "±"), 2 * 4);
    free(page);
}

Test(report, a_table_of_results_that_is_not_whole_is_named_and_stops_the_page)
{
    need("pandoc");
    static const char train[] = "# command: evidence train gmvae --out RUN";
    static const struct {
        const char *options, *table, *message;
    } cases[] = {{NULL, "preset\tseed\npaper\t1\n", ":1: the first line must be \"# command: "},
                 {NULL, "# command:\nseed\n1\n", ":1: the first line must be \"# command: "},
                 {NULL, "# command: x\na\n1\n", ":1: the command begins with neither evidence nor"},
                 {" {sed}", "seed\n1\n", ":1: {sed} in the command is no column"},
                 {" --seed {seed", "seed\n1\n", ":1: a brace of the command has no partner"},
                 {" --sed 1", "accuracy\n0.5\n", ":1: \"evidence train gmvae\" has no --sed"},
                 {NULL, "# command: evidence trian gmvae\na\n1\n",
                  ":1: the program has no \"evidence trian gmvae\""},
                 {"", "a\tb\n1\t2\t3\n", ":3: 3 cells, and there are 2 names"},
                 {"", "a\tb\n1\t\n", ":3: cell 2 is empty"},
                 {"", "a\tlog p\n1\t2\n", ":2: \"log p\" is no name of a column"},
                 {"", "a\tb\ta\n1\t2\t3\n", ":2: two columns are named a"},
                 {"", "a\tb\n1\t0.7l\n", ":3: b is neither a number nor NA: \"0.7l\""},
                 {"", "a\n1\n2\n", ":4: the command of this row makes line 3 too: evidence train"},
                 {"", "a\tb\n", " has no rows"},
                 {"", "", " has no line of names"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512], message[256];
        const char *options = cases[i].options;
        snprintf(text, sizeof text, "%s%s%s%s", options == NULL ? "" : train,
                 options == NULL ? "" : options, options == NULL ? "" : "\n", cases[i].table);
        snprintf(message, sizeof message, "results/gmvae_paper.tsv%s", cases[i].message);
        write_results(text);
        outcome o = run("\"$EVIDENCE\" report own.md --results results --out own.html");
        STATUS(o, 2);
        HAS(o.err, message);
        cr_expect_neq(access("own.html", F_OK), 0);
        forget(&o);
    }
}

Test(report, a_folder_that_is_not_there_or_has_no_table_is_named)
{
    need("pandoc");
    program_write("own.md", GOOD);
    static const char *const cases[][2] = {{"--results nowhere", "--results: no folder nowhere"},
                                           {"--results empty", "no tables of results in empty"},
                                           {"--figures nowhere", "--figures: no folder nowhere"},
                                           {"--runs nowhere", "--runs: no folder nowhere"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        outcome o = run("mkdir -p empty; \"$EVIDENCE\" report own.md %s --out own.html",
                        cases[i][0]);
        STATUS(o, 2);
        HAS(o.err, cases[i][1]);
        cr_expect_neq(access("own.html", F_OK), 0);
        forget(&o);
    }
}

/* What plots/own.gp draws must be there, and the data beside it of this program. */
Test(report, a_figure_that_is_missing_or_of_another_revision_is_named)
{
    need("pandoc");
    program_write("own.md", GOOD);
    cr_assert_eq(system("mkdir -p plots drawn"), 0);
    program_write("plots/own.gp", "eval figure(\"area\", 2)\nplot x\n# run: gmvae loss\n"
                                  "eval figure(\"run\", 2)\nplot x\n");
    program_write("drawn/own-old.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n");
    static const char weaving[] = "\"$EVIDENCE\" report own.md --figures drawn --out own.html";
    outcome o = run("%s", weaving);
    STATUS(o, 2);
    HAS(o.err, "drawn/own-area.svg is missing: make plots");
    forget(&o);
    o = run("cp drawn/own-old.svg drawn/own-area.svg; %s", weaving);
    STATUS(o, 0);
    forget(&o);
    program_write("drawn/own-area.tsv", "# own area: x\n# seed 1, revision 0123456789ab\n1\t1\n");
    o = run("%s", weaving);
    STATUS(o, 2);
    HAS(o.err, "drawn/own-area.tsv is stale: it has \"seed 1, revision 0123456789ab\"");
    forget(&o);
}

Test(report, the_figures_of_a_run_must_be_of_the_run_as_it_is)
{
    need("pandoc");
    program_write("own.md", GOOD);
    cr_assert_eq(system("mkdir -p runs/gmvae plots"), 0);
    program_write(
        "runs/gmvae/config.json",
        "{\"model\": \"gmvae\", \"hidden\": [8, 4], \"seed\": 7, \"revision\": \"abc\"}\n");
    program_write("runs/gmvae/metrics.tsv", "step\tloss\n10\t3\n20\t2\n");
    outcome o = run("\"$EVIDENCE\" report own.md --figures plots --runs runs --out own.html");
    STATUS(o, 2);
    HAS(o.err, "runs/gmvae is there, and no figure of it in plots: make plots");
    forget(&o);
    program_write("plots/training-loss.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n");
    program_write("plots/training-loss.tsv",
                  "# a\n# run runs/gmvae, step 20, seed 7, revision abc\n# x\n");
    o = run("\"$EVIDENCE\" report own.md --figures plots --runs runs --out own.html");
    STATUS(o, 0);
    forget(&o);
    char *page = program_slurp("own.html");
    HAS(page, "model gmvae; hidden 8, 4; seed 7; revision abc; steps done 20.");
    HAS(page, "training-loss, drawn by plots/training.gp");
    free(page);
    program_write("runs/gmvae/metrics.tsv", "step\tloss\n10\t3\n20\t2\n30\t1\n");
    o = run("rm own.html; \"$EVIDENCE\" report own.md --figures plots --runs runs --out own.html");
    STATUS(o, 2);
    HAS(o.err, "plots/training-loss.tsv is stale");
    cr_expect_neq(access("own.html", F_OK), 0);
    forget(&o);
}

/* Printed lines that are refuted, each once and under its kind, with the claim that is right. */
Test(report, the_findings_are_those_of_the_ledger_by_kind_with_their_corrections)
{
    need("pandoc");
    program_write("own.md",
                  GOOD "\n<!-- claim: bad  source: 3 -->\n$$ (x+y)^2 = x^2 + y^2 $$\n"
                       "\n<!-- claim: worse  source: 4  expect: refuted  see: square -->\n"
                       "$$ (x+y)^2 = x^2 - y^2 $$\n"
                       "\n<!-- claim: unprinted  expect: refuted  see: square -->\n"
                       "$$ (x+y)^2 = y^2 $$\n");
    outcome o = run("\"$EVIDENCE\" report own.md --out own.html");
    STATUS(o, 1);
    forget(&o);
    char *page = program_slurp("own.html");
    HAS(page, "<p>Refuted, and not expected: 1; Errors: 1; Slips: 1.</p>");
    HAS(page, "printed in 2");
    HAS(page, "printed in 3");
    HAS(page, "printed in 4");
    cr_expect_eq(count_of(page, ", printed in "), 3);
    cr_expect_eq(count_of(page, "<p>Corrected by "), 2);
    free(page);
}

/* By the ledger: of 39 mutants 30 refuted and 2 undecided, so that 7 survive. */
Test(report, mutants_that_are_undecided_are_counted_apart_and_do_not_survive)
{
    need("pandoc");
    program_write("own.md", GOOD);
    outcome o = run("\"$EVIDENCE\" check own.md --format jsonl --out l.jsonl; "
                    "sed -i '1s/mutants_killed\":0,\"mutants_total\":0,\"mutants_undecided\":0/"
                    "mutants_killed\":30,\"mutants_total\":39,\"mutants_undecided\":2/; "
                    "2s/mutants_killed\":0,\"mutants_total\":0/"
                    "mutants_killed\":11,\"mutants_total\":11/' l.jsonl; "
                    "\"$EVIDENCE\" report own.md --ledger l.jsonl --out own.html");
    STATUS(o, 0);
    forget(&o);
    char *page = program_slurp("own.html");
    HAS(page, " · 30/39\u00a0mutants, 2\u00a0undecided<");
    HAS(page, " · 11/11\u00a0mutants<");
    HAS(page, "30 of 39 refuted, 2 undecided or void, 7 survive\n");
    HAS(page, "11 of 11 refuted, 0 survive\n");
    HAS(page, "Mutants: 41 of 50 refuted, 2 undecided or void, 7 survive.");
    free(page);
}

/* A claim of one's own that is expected to be false is no finding about a source. */
Test(report, the_findings_are_of_lines_that_have_a_source)
{
    need("pandoc");
    program_write("own.md", GOOD);
    outcome o = run("sed -i 's/ source: 2 / /' own.md; \"$EVIDENCE\" report own.md --out own.html");
    STATUS(o, 0);
    forget(&o);
    char *page = program_slurp("own.html");
    HAS(page, "Nothing that is printed in a source is refuted here.");
    free(page);
}

/* Beside the evidence of a line, the function of its module in which the claim is named. */
Test(report, a_line_has_the_c_that_checks_it_beside_its_evidence)
{
    need("pandoc");
    outcome o = run("page=$PWD/page.html; root=$(dirname \"$EVIDENCE\"); "
                    "until test -d \"$root/derivations\"; do root=$root/..; done; cd \"$root\" && "
                    "\"$EVIDENCE\" report derivations/gmvae_elbo.md --effort quick --mutants off "
                    "--out \"$page\"");
    STATUS(o, 0);
    forget(&o);
    char *page = program_slurp("page.html");
    char *line = strstr(page, "id=\"step-gmvae-gap-1\"");
    cr_assert_not_null(line);
    char *code = strstr(line, "The C that checks it: <code>checks/gmvae_elbo");
    cr_assert_not_null(code);
    char *end = strstr(code, "</details>");
    cr_assert_not_null(end);
    *end = '\0';
    HAS(code, "&quot;gmvae-gap&quot;");
    HAS(code, "ev_check *check");
    free(page);
}

Test(report, in_print_the_c_that_checks_stands_at_the_end)
{
    need("pandoc");
    need("lualatex");
    need("pdftotext");
    program_write("own.md", GOOD);
    cr_assert_eq(system("mkdir checks"), 0);
    program_write("checks/own.c",
                  "/* The second voice. */\nint half(int x_1)\n{\n    return x_1 % 2 ? "
                  "~x_1 & 3 : x_1 / 2; /* {#1} $ ^ \\ */\n}\n");
    outcome o = run("\"$EVIDENCE\" report own.md --out own.pdf && pdftotext -layout own.pdf -");
    STATUS(o, 0);
    HAS(o.out, "int half(int x_1)");
    HAS(o.out, "return x_1 % 2 ? ~x_1 & 3 : x_1 / 2; /* {#1} $ ^ \\ */");
    forget(&o);
}

Test(report, in_print_each_step_has_its_mark_and_its_evidence_at_the_end)
{
    need("pandoc");
    need("lualatex");
    need("pdftotext");
    program_write("own.md", GOOD);
    outcome o = run("\"$EVIDENCE\" report own.md --out own.pdf && pdftotext -layout own.pdf -");
    STATUS(o, 0);
    cr_expect_eq(count_of(o.out, "HOLDS, "), 3 + 3, "%s", o.out); /* margin and appendix */
    HAS(o.out, "REFUTED (expected)");
    HAS(o.out, "The evidence, step by step");
    HAS(o.out, "the cross term is lost");
    forget(&o);
}
