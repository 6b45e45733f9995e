#include "document/markdown.h"

#include "marked.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_letters = "EHADQCP"; /* A: a declaration */

/* The kinds of a text's blocks, a letter each; each block's place is checked against its position. */
static void blocks_of(const char *text, char *letters)
{
    ev_markdown reader;
    ev_error error = EV_ERROR_NONE;
    ev_block block;
    ev_markdown_start(&reader, "t.md", text, strlen(text));
    do {
        cr_assert_eq(ev_markdown_next(&reader, &block, &error), EV_OK, "%s: %s", text,
                     error.message);
        size_t line, column;
        marked_place(text, (size_t)(block.span.text - text), &line, &column);
        cr_assert_eq(block.span.line, line, "%s", text);
        cr_assert_eq(block.span.column, column, "%s", text);
        marked_place(text, (size_t)(block.inner.text - text), &line, &column);
        cr_assert_eq(block.inner.line, line, "%s", text);
        cr_assert_eq(block.inner.column, column, "%s", text);
        *letters++ = kind_letters[block.kind];
    } while (block.kind != EV_BLOCK_END);
    letters[-1] = '\0';
}

#define BLOCKS(text, wanted)                           \
    do {                                               \
        char letters[64];                              \
        blocks_of(text, letters);                      \
        cr_assert_str_eq(letters, wanted, "%s", text); \
    } while (0)

Test(markdown, blocks_are_told_apart)
{
    BLOCKS("# A\n\ntext\nmore\n\n> quote\n> more\n\n$$ x $$\n\n<!-- c -->\n\n- list\n", "HPQDCP");
    BLOCKS("Assume $x$.\n\nLet $x$.\n\nDefine $x$.\n\nSuppose $x$.\n\nWrite $x$.\n", "AAAAA");
    BLOCKS("text\n# A\ntext\n> q\n", "PHPQ");
    BLOCKS("text\n<!-- c -->\nAssume $x$.\n", "PCA");
    BLOCKS("\n\n", "");
}

Test(markdown, only_whole_capital_words_open_a_declaration)
{
    BLOCKS("Assumed is $x$.\n\nLet's see.\n\nassume $x$.\n\nLetters\n\nNow let $x$.\n", "PPPPP");
    BLOCKS("Let\n$x$ be.\n\nAssume: $x$.\n", "AA");
}

Test(markdown, a_heading_needs_a_space_and_at_most_six_marks)
{
    BLOCKS("###### A\n\n####### B\n\n#C\n\n   # D\n\n    # E\n\n#\n", "HPPHPH");
}

Test(markdown, a_headings_text_loses_its_marks)
{
    static const char *const cases[][2] = {{"# A title\n", "A title"},
                                           {"##   A  \n", "A"},
                                           {"# A #\n", "A"},
                                           {"# A ## \n", "A"},
                                           {"# C#\n", "C#"},
                                           {"# #\n", ""},
                                           {"###\n", ""},
                                           {"# a $x$ `b`\n", "a $x$ `b`"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ev_markdown reader;
        ev_block block;
        ev_markdown_start(&reader, "t.md", cases[i][0], strlen(cases[i][0]));
        cr_assert_eq(ev_markdown_next(&reader, &block, NULL), EV_OK);
        char text[64];
        snprintf(text, sizeof text, "%.*s", (int)block.inner.length, block.inner.text);
        cr_assert_str_eq(text, cases[i][1]);
    }
}

Test(markdown, code_is_not_read)
{
    BLOCKS("```\n# A\n<!-- claim: x -->\n$$\n```\n# B\n", "PH");
    BLOCKS("~~~ markdown\n```\n~~~~\n# B\n", "PH");
    BLOCKS("````\n```\n````\n# B\n", "PH");
    BLOCKS("    <!-- claim: x -->\n    $$\n\n    # C\n# B\n", "PH");
    BLOCKS("a `$$` b ``c ` $$`` and `<!--`\n", "P");
    BLOCKS("``` `x` $$ y $$\n", "P"); /* backticks behind it: inline code, no fence */
}

Test(markdown, a_list_keeps_what_is_indented_below_it)
{
    BLOCKS("- a\n  # no heading\n\n  still\n\nAssume $x$.\n", "PA");
    BLOCKS("1. a\n2. b\n\n   more\n# A\n", "PH");
    BLOCKS("- a\nlazy\n- b\n", "P");
    BLOCKS("text\n3. no list here\n", "P");
    BLOCKS("text\n1. a list\n", "PP");
    BLOCKS("* * *\nAssume $x$.\n", "PA");
}

/* Lines of TeX begin with anything; inside $$ they are TeX. */
Test(markdown, displays_hide_block_marks)
{
    BLOCKS("Define\n$$\na\n- b\n= c\n> d\n# e\n$$\nand $f$.\n", "A");
    BLOCKS("text $$\n- a\n$$ text\n\n# H\n", "PH");
    BLOCKS("$$\n- a\n<!-- b -->\n$$\n# H\n", "DH");
    BLOCKS("$$ \\$$ x $$\n", "D");
    BLOCKS("$$ a \\\\$$\nx\n", "DP");
}

Test(markdown, a_display_ends_its_block_and_a_full_stop_is_its_own)
{
    BLOCKS("$$ x $$\nAssume $x$.\n", "DA");
    BLOCKS("$$ x $$.\nAssume $x$.\n", "DA");
    BLOCKS("$$ x $$ $$ y $$ <!-- c --> text\n", "DDCP");
}

/* A declaration that is left unfinished goes on with the display behind the blank line. */
Test(markdown, an_unfinished_declaration_takes_the_next_display)
{
    BLOCKS("Assume $x$, with\n\n$$ a $$\n", "A");
    BLOCKS("Define $q$ by:\n\n\n$$ a $$\n", "A");
    BLOCKS("Define\n\n$$ a $$\nand\n\n$$ b $$\nwith $c$.\n", "A");
    BLOCKS("Assume $x$,\n\n$$ a $$\n", "A");
    BLOCKS("Assume $x$.\n\n$$ a $$\n", "AD");
    BLOCKS("Assume $x$\n\n$$ a $$\n", "AD");
    BLOCKS("Define $a \\in$ numbers\n\n$$ a $$\n", "AD");
}

Test(markdown, money_is_not_a_formula)
{
    BLOCKS("It costs $5, not $6 and $$ x $$ more.\n\nAssume $x$.\n", "PA");
    BLOCKS("It costs \\$5 and $$ x $$.\n", "P");
    BLOCKS("A single $ sign.\n\n# A\n", "PH");
}

Test(markdown, displays_in_prose_are_counted)
{
    const char *text = "a $$ x $$ b $$\ny\n$$ c `$$` \\$$ $d$ $$z$$\n";
    ev_markdown reader;
    ev_block block;
    ev_markdown_start(&reader, "t.md", text, strlen(text));
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_markdown_next(&reader, &block, &error), EV_OK, "%s", error.message);
    cr_assert_eq(block.displays, 3);
}

static void expect_refusal(const char *with_mark, const char *message)
{
    marked m = marked_read(with_mark);
    ev_markdown reader;
    ev_block block;
    ev_error error = EV_ERROR_NONE;
    ev_markdown_start(&reader, "t.md", m.text, m.length);
    ev_status status = EV_OK;
    do
        status = ev_markdown_next(&reader, &block, &error);
    while (status == EV_OK && block.kind != EV_BLOCK_END);
    cr_assert_eq(status, EV_BAD_INPUT, "accepted: %s", m.text);
    cr_assert_eq(error.line, m.line, "%s: line %zu", m.text, error.line);
    cr_assert_eq(error.column, m.column, "%s: column %zu", m.text, error.column);
    cr_assert_not_null(strstr(error.message, message), "%s", error.message);
}

Test(markdown, what_is_not_closed_is_shown_at_its_opening)
{
    expect_refusal("text\n\n@@$$ a\n\n$$\n", "$$ is not closed");
    expect_refusal("text @@$$ a\n\n$$ b\n", "$$ is not closed");
    expect_refusal("text\n@@$$\n", "$$ is not closed");
    expect_refusal("Assume $x$ and @@$y.\n\n$z$\n", "$ is not closed");
    expect_refusal("Assume $x$ @@$$ y.\n\n$$\n", "$$ is not closed");
    expect_refusal("a\n  @@<!-- b\n\nc -- >\n", "comment is not closed");
    expect_refusal("a @@<!-- b\n\n-->\n", "comment is not closed");
    expect_refusal("a\n @@```\nb\n``\n", "fence is not closed");
    expect_refusal("@@~~~\nb\n```\n", "fence is not closed");
}

Test(markdown, what_could_be_read_twice_is_refused)
{
    expect_refusal("A title\n@@=======\n", "heading");
    expect_refusal("Assume $x$.\n@@---\n", "heading");
    expect_refusal("> quote\n@@Assume $x$.\n", "block quote above");
    expect_refusal("> quote\n@@$$ x $$\n", "block quote above");
    expect_refusal("@@**Assume** $x$.\n", "plain word 'Assume'");
    expect_refusal("<!-- c --> @@Assume $x$.\n", "line of its own");
    expect_refusal("Assume $x@@$$y$.\n", "space between");
    expect_refusal("Assume $x$ @@<!-- why --> and $y$.\n", "inside a declaration");
    expect_refusal("Assume $x$, @@with\n\ntext\n", "ends in 'with'");
    expect_refusal("Assume $x$@@:\n- $y$\n", "ends in ':'");
    expect_refusal("@@Define\n", "ends in 'Define'");
}

Test(markdown, a_claim_inside_other_blocks_is_refused)
{
    expect_refusal("text @@<!-- claim: a -->\n", "lines of its own");
    expect_refusal("- item\n  @@<!-- claim: a -->\n", "lines of its own");
    expect_refusal("- item\n\n    @@<!-- claim: a -->\n", "lines of its own");
    expect_refusal("> @@<!-- claim: a -->\n", "lines of its own");
}

/* Each of these made some reader of Markdown quadratic; two megabytes take a moment or a day. */
Test(markdown, hostile_repetition_is_read_in_linear_time, .timeout = 60)
{
    static const char *const pieces[] = {"$x ",
                                         "`a``b",
                                         "<!-- a",
                                         "- a\n",
                                         "> a\n> ",
                                         "$$a$$ ",
                                         "\\$ $ ",
                                         "#\n",
                                         "```\n",
                                         "$$\n- a\n$$\n",
                                         "Let $x$,\n\n$$a$$\nand\n\n",
                                         "* * a\n",
                                         "<!---->",
                                         "    a\n\n",
                                         "$$a$$\n`"};
    enum { SIZE = 2 << 20 };
    char *text = malloc(SIZE + 64);
    cr_assert_not_null(text);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        size_t n = strlen(pieces[i]), length = 0;
        while (length < SIZE) {
            memcpy(text + length, pieces[i], n);
            length += n;
        }
        text[length++] = '\n';
        text[length] = '\0';
        ev_markdown reader;
        ev_block block;
        ev_markdown_start(&reader, "t.md", text, length);
        while (ev_markdown_next(&reader, &block, NULL) == EV_OK && block.kind != EV_BLOCK_END)
            continue;
    }
    free(text);
}
