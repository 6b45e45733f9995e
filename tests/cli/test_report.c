/* The page that `evidence report` weaves: from its bytes, and in a browser. */
#include "program.h"

#include <ctype.h>

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
    "for(const s of document.querySelectorAll('.step summary')){if(s.tabIndex===0)t++;s.click();"
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
