/* Whatever is put into a document: a clear message with its place and the right exit status, soon. */
#include "program.h"

#include <time.h>

enum { SECONDS = 30 }; /* for any of them, on a busy machine with sanitizers; most take a tenth */

TestSuite(bad_input, .init = program_setup, .fini = program_teardown, .timeout = 120);

#define CHECK "\"$EVIDENCE\" check --effort quick "
#define REAL "Assume $x \\in \\mathbb{R}$.\n\n"
#define VECTORS \
    "Assume $J \\in \\{1,\\dots,3\\}$, $v \\in \\mathbb{R}^J$, $y \\in \\mathbb{R}$.\n\n"
#define NORMAL "Assume $z \\in \\mathbb{R}$. Define $q(z) = \\mathcal{N}(z;\\, 0.25, 1)$.\n\n"
#define CLAIM(id, formula) "<!-- claim: " id " -->\n$$ " formula " $$\n\n"

typedef struct {
    const char *document;
    int status;
    const char *message; /* on standard error, or, where there is a verdict, on standard output */
} input;

static void expect_outcome(const input *in)
{
    program_write("bad.md", in->document);
    const time_t began = time(NULL);
    outcome o = run(CHECK "bad.md");
    cr_expect_lt(difftime(time(NULL), began), SECONDS, "%s", in->document);
    cr_expect_eq(o.status, in->status, "status %d:\n%s\n%s%s", o.status, in->document, o.out,
                 o.err);
    cr_expect_not_null(strstr(in->status == 2 ? o.err : o.out, in->message), "no \"%s\":\n%s\n%s%s",
                       in->message, in->document, o.out, o.err);
    forget(&o);
}

Test(bad_input, what_cannot_be_read_is_refused_at_its_place)
{
    static const input inputs[] = {
        {"", 2, "bad.md: error: the file is empty"},
        {REAL CLAIM("a", "\\frac{x}{2 = x"), 2, "bad.md:4:12: error: this { is never closed"},
        {REAL CLAIM("a", "x} = x"), 2, "bad.md:4:5: error: this } closes nothing"},
        {REAL CLAIM("a", "(x + 1 = x"), 2, "bad.md:4:11: error: expected ) to close the bracket"},
        {REAL CLAIM("a", "\\foo x = x"), 2, "bad.md:4:4: error: unknown command '\\foo'"},
        {REAL CLAIM("a", "x + y = x"), 2, "bad.md:4:8: error: y is not declared"},
        {VECTORS CLAIM("a", "v + y = v"), 2, "bad.md:4:6: error: the sum of a vector of 2 and a"},
        {REAL CLAIM("a", "x + 1"), 2, "bad.md:4:10: error: a claim needs a relation"},
        {REAL CLAIM("a", "x = x") CLAIM("a", "x = x"), 2,
         "bad.md:6:13: error: 'a' is already the claim of line 3"},
        {"Assume $x \\in (1,0)$.\n\n" CLAIM("a", "x = x"), 2, "bad.md:1:15: error: the interval"},
        {"Assume $x \\in \\mathbb{R}$. \xe9\n", 2, "bad.md:1:28: error: byte 0xe9"},
        {REAL "<!-- claim: a -->\n$$ x = x\n", 2, "bad.md:4:1: error: this $$ is not closed"},
    };
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        expect_outcome(&inputs[i]);
}

Test(bad_input, what_cannot_be_decided_honestly_gets_a_verdict_that_is_not_green)
{
    static const input inputs[] = {
        {"Assume $x \\in (0,1)$ with $x > 2$.\n\n" CLAIM("a", "x = x"), 1,
         "expected HOLDS, found VACUOUS"},
        {NORMAL CLAIM("a", "\\mathbb{E}_{q(z)}[\\log z] = 0"), 1, "expected HOLDS, found VOID"},
        {NORMAL CLAIM("a", "\\mathbb{E}_{q(z)}[\\exp(z^2)] = 0"), 1, "expected HOLDS, found VOID"},
        {NORMAL CLAIM("a", "\\mathbb{E}_{q(z)}[\\frac{1}{z}] = 0"), 1, "found VOID"},
        {NORMAL CLAIM("a", "\\mathbb{E}_{q(z)}[\\frac{1}{(z - 0.25)^2}] = 0"), 1, "found VOID"},
    };
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        expect_outcome(&inputs[i]);
}

Test(bad_input, bytes_at_random_are_no_text)
{
    FILE *file = fopen("bad.md", "wb");
    cr_assert_not_null(file);
    for (unsigned i = 0, word = 1; i < 100000; i++, word = word * 1664525u + 1013904223u)
        fputc((int)(word >> 24), file);
    cr_assert_eq(fclose(file), 0);
    outcome o = run(CHECK "bad.md");
    STATUS(o, 2);
    HAS(o.err, "bad.md:1:");
    forget(&o);
}

/* What a document of many equal parts is called: head, then count times part, then tail. */
static char *repeated(const char *head, const char *part, size_t count, const char *tail)
{
    size_t each = strlen(part), first = strlen(head);
    char *text = malloc(first + count * each + strlen(tail) + 1);
    cr_assert_not_null(text);
    memcpy(text, head, first);
    for (size_t i = 0; i < count; i++)
        memcpy(text + first + i * each, part, each);
    memcpy(text + first + count * each, tail, strlen(tail) + 1);
    return text;
}

Test(bad_input, what_has_no_end_is_refused_at_once)
{
#define OPEN REAL "<!-- claim: a -->\n$$ x = "
    static const struct {
        const char *head, *part;
        size_t count;
        const char *tail, *message;
    } inputs[] = {
        {REAL, "a", 100000000, "\n", "bad.md: error: it is larger than 16 MiB"},
        {OPEN, "x + ", 400000, "x $$\n", "bad.md:4:1: error: the line is longer than 1 MiB"},
        {OPEN, "(", 100000, "x $$\n", "bad.md:4:"},
        {OPEN, "{", 100000, "x $$\n", "bad.md:4:"},
        {OPEN, "\\frac{1}{", 20000, "x $$\n", "bad.md:4:"},
        {OPEN, "\\log", 5000, " x $$\n", "nested more than 120 deep"},
        {OPEN, "\\sum_{i=1}^2", 1000, " x $$\n", "bad.md:4:"},
        {OPEN, "x", 1000000, " $$\n", "the formula is longer than 20000 signs"},
        {OPEN, "x = ", 9000, "x $$\n", "a chain of more than 500 relations"},
        {OPEN, "x \\odot ", 9000, "x $$\n", "nested more than 2500 deep"},
    };
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        char *text = repeated(inputs[i].head, inputs[i].part, inputs[i].count, inputs[i].tail);
        const time_t began = time(NULL);
        program_write("bad.md", text);
        outcome o = run(CHECK "bad.md");
        cr_expect_lt(difftime(time(NULL), began), SECONDS, "%s", inputs[i].part);
        cr_expect_eq(o.status, 2, "%s: status %d\n%s%s", inputs[i].part, o.status, o.out, o.err);
        cr_expect_not_null(strstr(o.err, inputs[i].message), "%s:\n%s", inputs[i].part, o.err);
        forget(&o);
        free(text);
    }
}

Test(bad_input, names_and_definitions_without_number_are_refused)
{
    static char text[1 << 19];
    size_t n = (size_t)sprintf(text, "Assume $x_0 \\in \\mathbb{R}$. Define");
    for (int i = 1; i <= 2200; i++)
        n += (size_t)sprintf(text + n, "\n$x_{%d} = x_{%d} + 1$%c", i, i - 1,
                             i == 2200 ? '.' : ',');
    sprintf(text + n, "\n\n" CLAIM("a", "x_{2200} = x_0 + 2200"));
    program_write("bad.md", text);
    outcome o = run(CHECK "bad.md");
    STATUS(o, 2);
    HAS(o.err, "error: more than 2000 names are declared");
    forget(&o);
}
