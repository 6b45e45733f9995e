#include "document/document.h"

#include "base/arena.h"
#include "marked.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ev_document *parse(const char *text)
{
    ev_document *document = NULL;
    ev_error error = EV_ERROR_NONE;
    ev_status status = ev_document_parse("dir/some.name.md", text, strlen(text), &document, &error);
    cr_assert_eq(status, EV_OK, "%zu:%zu: %s\n%s", error.line, error.column, error.message, text);
    cr_assert_eq(error.status, EV_OK);
    return document;
}

static const ev_claim *claim_named(const ev_document *document, const char *id)
{
    for (size_t i = 0; i < document->claim_count; i++)
        if (strcmp(document->claims[i].id, id) == 0)
            return &document->claims[i];
    cr_assert_fail("no claim %s", id);
    return NULL;
}

#define WHOLE                                         \
    "# The title\n"                                   \
    "\n"                                              \
    "Assume $x, y \\in \\mathbb{R}$.\n"               \
    "\n"                                              \
    "$$ x = x $$\n"                                   \
    "\n"                                              \
    "## First\n"                                      \
    "\n"                                              \
    "<!-- claim: one  source: Sec. 3.4, page 2\n"     \
    "     expect: refuted@1,3\n"                      \
    "     see: two\tkind: slip -->\n"                 \
    "\n"                                              \
    "$$\n"                                            \
    "x = x + 1\n"                                     \
    "  = 1 + x \\le x\n"                              \
    "$$\n"                                            \
    "\n"                                              \
    "Prose with $$ y = y $$ inside.\n"                \
    "\n"                                              \
    "## Second\n"                                     \
    "\n"                                              \
    "<!-- claim: two  note: a note of one line -->\n" \
    "   $$ x + y = y + x $$\n"                        \
    "\n"                                              \
    "<!-- claim: three-3\n"                           \
    "     expect: refuted  kind: conditional -->\n"   \
    "> A statement\n"                                 \
    "> of *two* lines,\n"                             \
    ">\n"                                             \
    ">   and $x$.\n"

Test(document, every_key_is_kept)
{
    ev_document *d = parse(WHOLE);
    cr_assert_str_eq(d->file, "dir/some.name.md");
    cr_assert_str_eq(d->name, "some.name");
    cr_assert_str_eq(d->title, "The title");
    cr_assert_eq(d->claim_count, 3);
    cr_assert_eq(d->unchecked_displays, 2);
    const ev_claim *one = claim_named(d, "one"), *two = claim_named(d, "two");
    const ev_claim *three = claim_named(d, "three-3");
    cr_assert_str_eq(one->source, "Sec. 3.4, page 2");
    cr_assert_str_eq(one->see, "two");
    cr_assert_null(one->note);
    cr_assert_eq(one->kind, EV_KIND_SLIP);
    cr_assert_str_eq(one->section, "First");
    cr_assert(!one->is_statement);
    cr_assert_null(two->source);
    cr_assert_null(two->see);
    cr_assert_str_eq(two->note, "a note of one line");
    cr_assert_eq(two->kind, EV_KIND_ERROR);
    cr_assert_str_eq(two->section, "Second");
    cr_assert(three->is_statement);
    cr_assert_eq(three->kind, EV_KIND_CONDITIONAL);
    cr_assert_str_eq(three->statement, "A statement of *two* lines, and $x$.");
    ev_document_destroy(d);
}

Test(document, expectations_belong_to_their_steps)
{
    ev_document *d = parse(WHOLE);
    const ev_claim *one = claim_named(d, "one");
    cr_assert_eq(one->formula.step_count, 3);
    cr_assert_eq(one->expected[0], EV_EXPECT_REFUTED);
    cr_assert_eq(one->expected[1], EV_EXPECT_HOLDS);
    cr_assert_eq(one->expected[2], EV_EXPECT_REFUTED);
    cr_assert_eq(claim_named(d, "two")->expected[0], EV_EXPECT_HOLDS);
    cr_assert_eq(claim_named(d, "three-3")->expected[0], EV_EXPECT_REFUTED);
    ev_document_destroy(d);
}

Test(document, every_form_of_expect_is_read)
{
    static const struct {
        const char *value;
        ev_expectation first, second;
    } cases[] = {{"holds", EV_EXPECT_HOLDS, EV_EXPECT_HOLDS},
                 {"refuted", EV_EXPECT_REFUTED, EV_EXPECT_REFUTED},
                 {"refuted@2", EV_EXPECT_HOLDS, EV_EXPECT_REFUTED},
                 {"refuted@2,1", EV_EXPECT_REFUTED, EV_EXPECT_REFUTED},
                 {"void", EV_EXPECT_VOID, EV_EXPECT_VOID},
                 {"void@1", EV_EXPECT_VOID, EV_EXPECT_HOLDS},
                 {"vacuous", EV_EXPECT_VACUOUS, EV_EXPECT_VACUOUS},
                 {"vacuous@2", EV_EXPECT_HOLDS, EV_EXPECT_VACUOUS}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "Let $x \\in \\mathbb{R}$.\n\n<!-- claim: a\nexpect: %s -->\n$$ x = x = x $$\n",
                 cases[i].value);
        ev_document *d = parse(text);
        cr_assert_eq(d->claims[0].expected[0], cases[i].first, "%s", cases[i].value);
        cr_assert_eq(d->claims[0].expected[1], cases[i].second, "%s", cases[i].value);
        ev_document_destroy(d);
    }
}

/* The oracle is the text itself: where its n-th relation sign is. */
Test(document, claims_and_steps_know_their_places)
{
    ev_document *d = parse(WHOLE);
    static const struct {
        const char *id, *comment, *signs[3];
    } cases[] = {{"one", "<!-- claim: one", {"= x + 1", "= 1 + x", "\\le x"}},
                 {"two", "<!-- claim: two", {"= y + x $$"}},
                 {"three-3", "<!-- claim: three", {NULL}}};
    for (size_t i = 0; i < 3; i++) {
        size_t line, column;
        const ev_claim *claim = claim_named(d, cases[i].id);
        marked_place(WHOLE, (size_t)(strstr(WHOLE, cases[i].comment) - WHOLE), &line, &column);
        cr_assert_eq(claim->line, line, "%s: line %zu", cases[i].id, claim->line);
        for (size_t s = 0; s < 3 && cases[i].signs[s] != NULL; s++) {
            marked_place(WHOLE, (size_t)(strstr(WHOLE, cases[i].signs[s]) - WHOLE), &line, &column);
            cr_assert_eq(claim->formula.steps[s].line, line);
            cr_assert_eq(claim->formula.steps[s].column, column);
        }
    }
    ev_document_destroy(d);
}

Test(document, line_ends_and_marks_of_other_systems_change_nothing)
{
    ev_document *unix_lines = parse(WHOLE);
    char text[4096] = "\xEF\xBB\xBF";
    size_t used = 3;
    for (const char *p = WHOLE; *p != '\0'; p++) {
        if (*p == '\n')
            text[used++] = '\r';
        text[used++] = *p;
    }
    text[used - 2] = '\0'; /* nor does a missing last line end */
    ev_document *dos_lines = parse(text);
    cr_assert_str_eq(dos_lines->text, unix_lines->text);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(dos_lines->claims[i].line, unix_lines->claims[i].line);
        cr_assert_str_eq(dos_lines->claims[i].id, unix_lines->claims[i].id);
    }
    cr_assert_eq(dos_lines->claims[0].formula.steps[2].column,
                 unix_lines->claims[0].formula.steps[2].column);
    ev_document_destroy(unix_lines);
    ev_document_destroy(dos_lines);
}

Test(document, without_a_heading_the_stem_is_the_title)
{
    ev_document *d = parse("Only prose.\n");
    cr_assert_str_eq(d->title, "some.name");
    cr_assert_eq(d->claim_count, 0);
    ev_document_destroy(d);
}

/* ---- sections ---- */

static size_t visible_in(const ev_document *document, const char *id)
{
    return claim_named(document, id)->formula.scope->visible_count;
}

Test(document, a_sections_end_forgets_what_it_declared)
{
    ev_document *d = parse(
        "Let $a \\in \\mathbb{R}$.\n"
        "# A\nLet $b \\in \\mathbb{R}$.\n"
        "## AA\nLet $c \\in \\mathbb{R}$.\n\n<!-- claim: aa -->\n$$ a = a $$\n"
        "#### AAxx\nLet $d \\in \\mathbb{R}$.\n\n<!-- claim: aaxx -->\n$$ a = a $$\n"
        "### AAx\n<!-- claim: aax -->\n$$ a = a $$\n"
        "## AB\n<!-- claim: ab -->\n$$ a = a $$\n"
        "# B\n<!-- claim: b -->\n$$ a = a $$\n");
    cr_assert_eq(visible_in(d, "aa"), 3);
    cr_assert_eq(visible_in(d, "aaxx"), 4);
    cr_assert_eq(visible_in(d, "aax"), 3);
    cr_assert_eq(visible_in(d, "ab"), 2);
    cr_assert_eq(visible_in(d, "b"), 1);
    ev_document_destroy(d);
}

Test(document, a_claim_knows_only_what_was_declared_before_it)
{
    ev_document *d = parse(
        "Let $a \\in \\mathbb{R}$ and $a > 0$.\n\n<!-- claim: one -->\n$$ a = a $$\n\n"
        "Let $b \\in \\mathbb{R}$ and $b > a$.\n\n<!-- claim: two -->\n$$ a = a $$\n");
    cr_assert_eq(visible_in(d, "one"), 1);
    cr_assert_eq(visible_in(d, "two"), 2);
    cr_assert_eq(claim_named(d, "one")->formula.scope->condition_count, 1);
    cr_assert_eq(claim_named(d, "two")->formula.scope->condition_count, 2);
    ev_document_destroy(d);
}

/* ---- what is refused, and where ---- */

static void expect_refusal(const char *with_mark, const char *message)
{
    marked m = marked_read(with_mark);
    ev_document *document = NULL;
    ev_error error = EV_ERROR_NONE;
    ev_status status = ev_document_parse("t.md", m.text, m.length, &document, &error);
    cr_assert_eq(status, EV_BAD_INPUT, "accepted: %s", m.text);
    cr_assert_null(document);
    cr_assert_eq(error.line, m.line, "%s: line %zu: %s", m.text, error.line, error.message);
    cr_assert_eq(error.column, m.column, "%s: column %zu: %s", m.text, error.column, error.message);
    cr_assert_str_eq(error.file, "t.md");
    cr_assert_not_null(strstr(error.message, message), "%s", error.message);
    cr_assert_neq(error.excerpt[0], '\0', "no excerpt: %s", error.message);
}

#define CLAIM "\n$$ x = x = x $$\n"
#define LET "Let $x \\in \\mathbb{R}$.\n\n"

Test(document, malformed_claim_comments_are_refused)
{
    expect_refusal(LET "<!-- @@calim: a -->" CLAIM, "begins with 'claim: ID'");
    expect_refusal(LET "<!-- @@Claim: a -->" CLAIM, "begins with 'claim: ID'");
    expect_refusal(LET "<!-- @@claims: a -->" CLAIM, "begins with 'claim: ID'");
    expect_refusal(LET "<!-- @@claim a -->" CLAIM, "begins with 'claim: ID'");
    expect_refusal(LET "<!-- @@expect: refuted -->" CLAIM, "begins with 'claim: ID'");
    expect_refusal(LET "<!-- @@source: 1  claim: a -->" CLAIM, "begins with 'claim: ID'");
    expect_refusal(LET "<!-- @@claim: -->" CLAIM, "'claim:' has no value");
    expect_refusal(LET "<!-- claim: a  @@note:  see: b -->" CLAIM, "'note:' has no value");
    expect_refusal(LET "<!-- claim: a  @@sauce: b -->" CLAIM, "unknown key 'sauce'");
    expect_refusal(LET "<!-- claim: a  @@Source: b -->" CLAIM, "unknown key 'Source'");
    expect_refusal(LET "<!-- claim: a  source: 1\n @@source: 2 -->" CLAIM, "given twice");
    expect_refusal(LET "<!-- claim: a  @@refuted -->" CLAIM, "expected 'key: value'");
    expect_refusal(LET "<!-- claim: a  @@? -->" CLAIM, "expected 'key: value'");
    expect_refusal(LET "<!-- claim: a @@expect: refuted -->" CLAIM, "two spaces");
    expect_refusal(LET "<!-- claim: a  source: 3.4 @@see: b -->" CLAIM, "two spaces");
    expect_refusal(LET "<!-- claim: a --> @@<!-- why -->" CLAIM, "line of its own");
}

Test(document, values_out_of_their_range_are_refused)
{
    expect_refusal(LET "<!-- claim: a@@B -->" CLAIM, "lower-case letters");
    expect_refusal(LET "<!-- claim: a@@_b -->" CLAIM, "lower-case letters");
    expect_refusal(LET "<!-- claim: @@-a -->" CLAIM, "lower-case letters");
    expect_refusal(LET "<!-- claim: a@@- -->" CLAIM, "lower-case letters");
    expect_refusal(LET "<!-- claim: a@@ b -->" CLAIM, "lower-case letters");
    expect_refusal(LET "<!-- claim: a  see: @@B -->" CLAIM, "lower-case letters");
    expect_refusal(LET "<!-- claim: a  expect: @@false -->" CLAIM, "expected holds, refuted");
    expect_refusal(LET "<!-- claim: a  expect: @@refuted 2 -->" CLAIM, "expected holds, refuted");
    expect_refusal(LET "<!-- claim: a  expect: @@refuted@ -->" CLAIM, "missing after the @");
    expect_refusal(LET "<!-- claim: a  expect: @@holds@1 -->" CLAIM, "hold by default");
    expect_refusal(LET "<!-- claim: a  expect: refuted  kind: @@typo -->" CLAIM, "slip");
    expect_refusal(LET "<!-- claim: a  kind: @@slip -->" CLAIM, "it needs 'expect:'");
    expect_refusal(LET "<!-- claim: a  expect: holds  kind: @@slip -->" CLAIM,
                   "it needs 'expect:'");
}

/* The mark "@@" would hide these at signs: the place is given in numbers. */
static void expect_step_refusal(const char *value, size_t offset, const char *message)
{
    char text[256];
    ev_document *document = NULL;
    ev_error error = EV_ERROR_NONE;
    snprintf(text, sizeof text, LET "<!-- claim: a  expect: %s -->" CLAIM, value);
    cr_assert_eq(ev_document_parse("t.md", text, strlen(text), &document, &error), EV_BAD_INPUT);
    cr_assert_eq(error.line, 3);
    cr_assert_eq(error.column, strlen("<!-- claim: a  expect: ") + 1 + offset, "%s: %zu", value,
                 error.column);
    cr_assert_not_null(strstr(error.message, message), "%s", error.message);
}

Test(document, step_numbers_must_be_those_of_the_chain)
{
    expect_step_refusal("refuted@3", 8, "only 2 steps");
    expect_step_refusal("refuted@1,3", 10, "only 2 steps");
    expect_step_refusal("refuted@99999999999999999999999999", 8, "only 2 steps");
    expect_step_refusal("refuted@0", 8, "counted from 1");
    expect_step_refusal("refuted@1,1", 10, "named twice");
    expect_step_refusal("refuted@1,", 9, "missing after the comma");
    expect_step_refusal("refuted@,1", 8, "expected step numbers");
    expect_step_refusal("refuted@1;2", 8, "expected step numbers");
    expect_step_refusal("refuted@-1", 8, "expected step numbers");
    expect_step_refusal("refuted@1 2", 8, "expected step numbers");
}

Test(document, a_claim_needs_something_to_claim)
{
    expect_refusal(LET "@@<!-- claim: a -->\n", "needs a display or a block quote");
    expect_refusal(LET "@@<!-- claim: a -->\n\n# T\n\n$$ x = x $$\n", "needs a display");
    expect_refusal(LET "@@<!-- claim: a -->\ntext $$ x = x $$\n", "needs a display");
    expect_refusal(LET "@@<!-- claim: a -->\nLet $y \\in \\mathbb{R}$.\n\n$$ x = x $$\n",
                   "needs a display");
    expect_refusal(LET "@@<!-- claim: a -->\n\n<!-- claim: b -->\n$$ x = x $$\n",
                   "needs a display");
    expect_refusal(LET "@@<!-- claim: a -->\n```math\nx = x\n```\n", "needs a display");
    expect_refusal(LET "@@<!-- claim: a -->\n    $$ x = x $$\n", "needs a display");
    expect_refusal(LET "@@<!-- claim: a -->\n$x = x$\n", "needs a display");
    expect_refusal("<!-- claim: a -->\n@@>\n", "statement is empty");
    expect_refusal("<!-- claim: a\n expect: @@refuted@1 -->\n> So.\n", "has no steps");
    expect_refusal(LET "<!-- claim: a -->\n$$ x = x $$ @@(1)\n", "behind a claim's display");
}

Test(document, an_ordinary_comment_may_stand_between_a_claim_and_its_display)
{
    ev_document *d = parse(LET "<!-- claim: a -->\n<!-- as in the paper -->\n\n$$ x = x $$\n");
    cr_assert_eq(d->claim_count, 1);
    ev_document_destroy(d);
}

Test(document, ids_are_used_once_and_references_lead_somewhere)
{
    expect_refusal(LET "<!-- claim: a -->" CLAIM "\n<!-- claim: @@a -->" CLAIM,
                   "'a' is already the claim of line 3");
    expect_refusal(LET "<!-- claim: a  see: @@b -->" CLAIM, "no claim 'b' in this document");
    expect_refusal(LET "<!-- claim: a  see: @@a -->" CLAIM, "its own correction");
    expect_refusal(LET "<!-- claim: a  expect: refuted  see: @@b -->" CLAIM
                       "\n<!-- claim: b  expect: void@2 -->" CLAIM,
                   "not expected to hold");
}

Test(document, a_formulas_error_comes_with_its_line)
{
    expect_refusal(LET "<!-- claim: a -->\n$$\nx = @@\\nonsense\n$$\n", "nonsense");
    expect_refusal(LET "<!-- claim: a -->\n$$\nx + x = @@y\n$$\n", "");
    expect_refusal("Let $x \\in \\mathbb{R}$ @@maybe.\n", "maybe");
}

/* Twenty thousand claims, every id looked up: quadratic work would be seen. */
Test(document, many_claims_are_read_in_linear_time, .timeout = 60)
{
    enum { COUNT = 20000 };
    char *text = malloc(COUNT * 64 + 64);
    cr_assert_not_null(text);
    size_t used = (size_t)sprintf(text, LET);
    for (int i = 0; i < COUNT; i++)
        used += (size_t)sprintf(text + used, "<!-- claim: c%d  see: c%d -->\n$$ x = x $$\n\n", i,
                                (i + 1) % COUNT);
    ev_document *d = parse(text);
    cr_assert_eq(d->claim_count, COUNT);
    cr_assert_eq(d->claims[COUNT - 1].line, 3 + 3 * (COUNT - 1));
    ev_document_destroy(d);
    free(text);
}

/* Whichever allocation fails, the answer is EV_NO_MEMORY and nothing is left behind. */
Test(document, every_failed_allocation_is_reported, .timeout = 60)
{
    for (size_t n = 1;; n++) {
        ev_document *document = NULL;
        ev_error error = EV_ERROR_NONE;
        ev_arena_fail_after(n);
        ev_status status = ev_document_parse("t.md", WHOLE, strlen(WHOLE), &document, &error);
        ev_arena_fail_after(0);
        if (status == EV_OK) {
            cr_assert_gt(n, 20, "only %zu allocations", n);
            ev_document_destroy(document);
            break;
        }
        cr_assert_eq(status, EV_NO_MEMORY, "allocation %zu: %s", n, error.message);
        cr_assert_null(document);
    }
}
