/* What the language can't say is refused at its place: line, column and a telling message. */
#include <criterion/criterion.h>

#include "document/document.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    const char *declarations; /* line 1 */
    const char *claim;        /* line 5 */
    size_t line, column;
    const char *message; /* a part of it */
} refusal;

static void expect_refusal(const refusal *r)
{
    char text[2048];
    snprintf(text, sizeof text, "%s\n\n<!-- claim: c -->\n$$\n%s\n$$\n", r->declarations, r->claim);
    ev_document *document = NULL;
    ev_error error = EV_ERROR_NONE;
    ev_status status = ev_document_parse("t.md", text, strlen(text), &document, &error);
    cr_assert(status == EV_BAD_INPUT, "accepted: %s | %s", r->declarations, r->claim);
    cr_expect(strstr(error.message, r->message) != NULL, "%s\n  says: %s\n  not:  %s", r->claim,
              error.message, r->message);
    cr_expect(error.line == r->line && error.column == r->column,
              "%s | %s\n  \"%s\" at %zu:%zu, not %zu:%zu", r->declarations, r->claim, error.message,
              error.line, error.column, r->line, r->column);
    ev_document_destroy(document);
}

static void expect_all(const refusal *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        expect_refusal(&list[i]);
}
#define EXPECT_ALL(list) expect_all(list, sizeof(list) / sizeof *(list))

Test(refusals, unbalanced_and_unknown_tokens_are_named_where_they_stand)
{
    static const refusal list[] = {
        {"Let $a \\in \\mathbb{R}$.", "\\frac{a}{2 = a", 5, 9, "never closed"},
        {"Let $a \\in \\mathbb{R}$.", "a} = a", 5, 2, "closes nothing"},
        {"Let $a \\in \\mathbb{R}$.", "(a + 1 = a", 5, 8, "close the bracket"},
        {"Let $a \\in \\mathbb{R}$.", "a = \\foo a", 5, 5, "unknown command '\\foo'"},
        {"Let $a \\in \\mathbb{R}$.", "a = b", 5, 5, "b is not declared"},
        {"Let $a \\in \\mathbb{R}$.", "a # a = a", 5, 3, "no meaning"},
        {"Let $a \\in \\mathbb{R}$.", "\\begin{cases} a = a \\end{cases}", 5, 1,
         "not in the language"},
        {"Let $a \\in \\mathbb{R}$.", "\\begin{aligned} a = a", 5, 1, "never ended"},
        {"Let $a \\in \\mathbb{R}$.", "a = ", 6, 1, "expected a formula"}};
    EXPECT_ALL(list);
}

Test(refusals, a_claim_without_a_relation_is_no_claim)
{
    static const refusal list[] = {
        {"Let $a \\in \\mathbb{R}$.", "a + 1", 6, 1, "needs a relation"},
        {"Let $a \\in \\mathbb{R}$.", "a = a + 1 \\\\ a", 5, 14, "expected a relation"}};
    EXPECT_ALL(list);
}

Test(refusals, what_print_leaves_open_must_be_bracketed)
{
    static const refusal list[] = {
        {"Let $a, b \\in \\mathbb{R}_{>0}$.", "\\log a b = a", 5, 8, "brackets"},
        {"Let $a, b \\in \\mathbb{R}_{>0}$.", "\\log a \\cdot b = a", 5, 8, "brackets"},
        {"Let $a, b \\in \\mathbb{R}_{>0}$.", "a/b a = a", 5, 5, "above or below"},
        {"Let $a, b \\in \\mathbb{R}_{>0}$.", "a^12 = a", 5, 3, "one digit"},
        {"Let $a, b \\in \\mathbb{R}_{>0}$.", "\\log(a)^2 = a", 5, 8, "Put brackets"},
        {"Let $a, b \\in \\mathbb{R}_{>0}$.", "\\log\\frac{a}{b} a = a", 5, 17, "take this factor"},
        {"Let $a, b \\in \\mathbb{R}_{>0}$.", "\\log a / b = a", 5, 8, "take this factor"},
        {"Let $a, b \\in \\mathbb{R}_{>0}$.", "\\nabla_a a a = a", 5, 12, "the gradient take"},
        {"Let $a, b \\in \\mathbb{R}_{>0}$.", "\\nabla_a a b \\cdot a = a", 5, 20, "take"},
        {"Let $a, b \\in \\mathbb{R}_{>0}$.", "b\\nabla_a a^2 / a = b", 5, 17, "take"},
        {"Let $a, b \\in \\mathbb{R}_{>0}$.", "\\frac{\\partial}{\\partial a} a e^a = a", 5, 31,
         "the gradient take"},
        {"Let $a, b \\in \\mathbb{R}_{>0}$.", "\\log^2 a = a", 5, 5, "outside brackets"},
        {"Let $a, b \\in \\mathbb{R}_{>0}$.", "2 3 = a", 5, 3, "side by side"},
        {"Let $a, b \\in \\mathbb{R}_{>0}$.", "a = 1e-3", 5, 5, "a power of ten"},
        {"Let $a, b \\in \\mathbb{R}_{>0}$.", "a = .5", 5, 5, "begins with a digit"},
        {"Let $a, b \\in \\mathbb{R}_{>0}$.", "a^2^b = b", 5, 4, "a second exponent"}};
    EXPECT_ALL(list);
}

Test(refusals, bars_that_could_pair_otherwise)
{
    static const char *decl = "Let $a, b, c \\in \\mathbb{R}$ and $v, w \\in \\mathbb{R}^2$.";
    const refusal list[] = {
        {decl, "|a|b|c| = a", 5, 5, "\\lvert a\\rvert b\\lvert c\\rvert"},
        {decl, "2|a|b + a|c| = a", 5, 10, "two ways"},
        {decl, "\\frac{|a|b|c|}{2} = a", 5, 11, "two ways"},
        {decl, "|a|(b + c)|c| = a", 5, 11, "two ways"},
        {decl, "\\|v\\|^2\\|w\\|^2 = a", 5, 8, "\\lVert v\\rVert\\,\\lVert w\\rVert"},
        {decl, "\\|v\\| \\, \\|w\\| = a", 5, 10, "open or close"},
        {decl, "2\\|v\\|^2 = a", 5, 2, "found '\\|' (write norms as \\lVert v\\rVert)"},
        {decl, "a = a (2\\|v\\|)", 5, 9, "write norms as \\lVert v\\rVert"}};
    EXPECT_ALL(list);
}

Test(refusals, an_argument_or_a_variable_that_is_missing_is_asked_for_by_name)
{
    static const char *decl = "Let $a \\in \\mathbb{R}$ and $A \\in \\mathbb{R}^{2\\times 2}$.";
    const refusal list[] = {
        {decl, "\\operatorname{tr} A A = a", 5, 21, "brackets: \\operatorname{tr}("},
        {decl, "\\det A A = a", 5, 8, "brackets: \\det("},
        {decl, "\\arg\\max -a^2 = \\arg\\min a^2", 5, 10, "Write \\arg\\max_{x}"},
        {decl, "\\arg\\min a^2 = a", 5, 10, "Write \\arg\\min_{x}"},
        {decl, "\\nabla a^2 = 2a", 5, 8, "Write \\nabla_{x}"}};
    EXPECT_ALL(list);
}

Test(refusals, types_and_dimensions_must_fit)
{
    static const char *decl = "Let $J, K \\in \\{1,\\dots,4\\}$, $v, w \\in \\mathbb{R}^J$, "
                              "$u \\in \\mathbb{R}^K$, $A \\in \\mathbb{R}^{K\\times J}$ and "
                              "$s \\in \\mathbb{R}_{>0}$.";
    const refusal list[] = {{decl, "v = s", 5, 3, "a vector of 2"},
                            {decl, "v + u = v", 5, 3, "vector of 2 and a vector of 3"},
                            {decl, "v w = s", 5, 3, "v^\\top w"},
                            {decl, "A v = v", 5, 5, "left side"},
                            {decl, "v A = v", 5, 3, "product of"},
                            {decl, "s / v = s", 5, 3, "division by"},
                            {decl, "\\det A = s", 5, 1, "square"},
                            {decl, "\\log A = s", 5, 1, "function of"},
                            {decl, "|v| = s", 5, 1, "norm"},
                            {decl, "\\mathcal{N}(v; s, I) = s", 5, 1, "with the mean"},
                            {decl, "\\mathcal{N}(v; w, s) = s", 5, 1, "covariance matrix"},
                            {decl, "\\mathcal{N}(s; s, I) = s", 5, 1, "variance"},
                            {decl, "v_{1,2} = s", 5, 2, "indices"},
                            {decl, "\\nabla_v v = v", 5, 1, "only of scalars"},
                            {decl, "v \\le w", 5, 3, "inequality between"}};
    EXPECT_ALL(list);
}

Test(refusals, an_index_is_known_only_inside_its_sum)
{
    static const refusal list[] = {{"Let $J \\in \\{1,\\dots,4\\}$ and $v \\in \\mathbb{R}^J$.",
                                    "\\sum_{j=1}^J v_j + v_j = 0", 5, 22, "j is not declared"},
                                   {"Let $J \\in \\{1,\\dots,4\\}$ and $v \\in \\mathbb{R}^J$.",
                                    "\\sum_j v_j = 0", 5, 6, "no declared range"},
                                   {"Let $J \\in \\{1,\\dots,4\\}$ and $v \\in \\mathbb{R}^J$.",
                                    "\\sum_{v=1}^J v = 0", 5, 7, "is no index"}};
    EXPECT_ALL(list);
}

Test(refusals, integrals_need_a_variable_and_a_density)
{
    static const char *decl = "Let $x \\in \\mathbb{R}$ and $s \\in \\mathbb{R}_{>0}$. "
                              "Define $p(x) = \\mathcal{N}(x; 0, s)$.";
    const refusal list[] = {{decl, "\\int p(x) = 1", 5, 11, "differential"},
                            {decl, "\\int p(x)\\,dy = 1", 5, 13, "differential of y"},
                            {decl, "\\int x^2\\,dx = 1", 5, 1, "no density"},
                            {decl, "\\int_0^1 p(x)\\,dx = 1", 5, 6, "only a declared variable"},
                            {decl, "\\mathbb{E}_{p(x)} x = 0", 5, 19, "brackets"},
                            {decl, "\\mathbb{E}_{r(x)}[x] = 0", 5, 13, "not defined"},
                            {decl, "\\mathbb{E}[s] = s", 5, 1, "without a density"},
                            {decl, "D_{KL}(p) = 0", 5, 9, "between the two densities"},
                            {decl, "\\arg\\min_s p(x) + \\arg\\min_s p(x) = 0", 5, 17, "relation"},
                            {decl, "x \\approx p(x)", 5, 3, "no declared samples"},
                            {decl, "x \\propto p(x)", 5, 3, "must be a density"}};
    EXPECT_ALL(list);
}

Test(refusals, declarations_are_read_strictly)
{
    static const refusal list[] = {
        {"Let $a \\in \\mathbb{R}$ be nice.", "a = a", 1, 27, "\"nice\" is not a word"},
        {"Let $a \\in \\mathbb{Q}$.", "a = a", 1, 12, "expected a set"},
        {"Let $a \\in \\mathbb{R}$ and $a \\in \\mathbb{R}$.", "a = a", 1, 29, "already declared"},
        {"Let $a \\in \\mathbb{R}^J$.", "a = a", 1, 23, "declared integer"},
        {"Let $a \\in (2,1)$.", "a = a", 1, 12, "empty"},
        {"Let $J \\in \\{4,\\dots,1\\}$.", "J = J", 1, 12, "empty"},
        {"Let $a \\in \\mathbb{R}$, $a = 2$.", "a = a", 1, 26, "already declared"},
        {"Let $q(z) = z^2$.", "1 = 1", 1, 6, "declare it first"},
        {"Let $a \\in \\mathbb{R}$ be lower triangular.", "a = a", 1, 27, "restricts the matrix"},
        {"Let $a \\in \\mathbb{R}.", "1 = 1", 1, 5, "not closed"}};
    EXPECT_ALL(list);
}

Test(refusals, overloaded_densities_are_matched_by_name_and_never_by_luck)
{
    static const char *decl =
        "Let $x, z \\in \\mathbb{R}$. Define $p(x\\mid z) = \\mathcal{N}(x; z, 1)$ and "
        "$p(z) = \\mathcal{N}(z; 0, 1)$.";
    const refusal list[] = {{decl, "p(z\\mid x) = 1", 5, 1, "not defined"},
                            {decl, "p(x,z) = 1", 5, 1, "not defined"},
                            {decl, "p(x) = p(z)", 5, 1, "not defined"},
                            {decl, "\\mathbb{E}_p[z] = 0", 5, 12, "more than one definition"}};
    EXPECT_ALL(list);
}

Test(refusals, what_would_be_read_as_something_else_is_refused)
{
    static const refusal list[] = {
        {"Let $x, y \\in \\mathbb{R}$.", "x - y \\text{ minus } x = y", 5, 7, "end of a line"},
        {"Let $\\pi \\in (0,1)$.", "\\pi + \\pi = 2\\pi", 5, 14, "circle constant"},
        {"Let $x_1, x_2 \\in \\mathbb{R}$. Define $p(x_1\\mid x_2) = \\mathcal{N}(x_1; 2x_2, 1)$.",
         "p(x_2\\mid x_1) = 1", 5, 1, "not defined"},
        {"Let $x \\in \\mathbb{R}^3$ and $x_1 \\in \\mathbb{R}$.", "x_1 = x_1", 1, 31,
         "would hide"},
        {"Let $\\mathrm{a12} \\in \\mathbb{R}$.", "\\mathrm{a12} = \\mathrm{a19}", 5, 16,
         "not declared"},
        {"Let $x \\in \\{0,1\\}$.", "\\sum_{x=0}^{5} x = 1", 5, 7, "binary"},
        {"Let $v \\in \\mathbb{R}^2$ and $w \\in \\mathbb{R}$.", "|v|_1 = w", 5, 1, "norm"},
        {"Let $x, m, s \\in \\mathbb{R}$.", "\\mathcal{N}(x, m, s) = 1", 5, 14, "semicolon"},
        {"Let $m, z \\in \\mathbb{R}$. Define $q(z) = \\mathcal{N}(z; m, 1)$.",
         "\\nabla_m \\mathbb{E}_{q(z)}[\\mathbb{1}[z > 0]] = 0", 5, 1, "jumps"},
        {"Let $x, z \\in \\mathbb{R}$. Define $q(z) = \\mathcal{N}(z; 0, 1)$ and "
         "$p(x) = \\mathcal{N}(x; 0, 1)$.",
         "D_{KL}(q(z)\\|p(x)) = 0", 5, 14, "same variables"}};
    EXPECT_ALL(list);
}

Test(refusals, formulas_that_open_without_end_are_refused_in_time)
{
    char text[4096];
    size_t n = (size_t)sprintf(text, "Let $x \\in \\mathbb{R}$. Define $f_0(x) = x$");
    for (int i = 1; i < 30; i++)
        n += (size_t)sprintf(text + n, ", $f_{%d}(x) = f_{%d}(x) + f_{%d}(x)$", i, i - 1, i - 1);
    sprintf(text + n, ".\n\n<!-- claim: c -->\n$$ f_{29}(x) = x $$\n");
    ev_document *document = NULL;
    ev_error error = EV_ERROR_NONE;
    cr_expect(ev_document_parse("t.md", text, strlen(text), &document, &error) == EV_BAD_INPUT);
    cr_expect(strstr(error.message, "opens into more than") != NULL, "%s", error.message);
    ev_document_destroy(document);
}

Test(refusals, accents_on_accents_are_an_error_and_no_crash)
{
    enum { MANY = 50000 };
    static char text[8 * MANY + 256];
    size_t n = (size_t)sprintf(text, "Let $a \\in \\mathbb{R}$.\n\n<!-- claim: c -->\n$$ ");
    for (size_t i = 0; i < MANY; i++)
        n += (size_t)sprintf(text + n, "\\tilde ");
    sprintf(text + n, "a = a $$\n");
    ev_document *document = NULL;
    ev_error error = EV_ERROR_NONE;
    cr_expect(ev_document_parse("t.md", text, strlen(text), &document, &error) == EV_BAD_INPUT);
    ev_document_destroy(document);
}

Test(refusals, deep_nesting_is_an_error_and_no_crash)
{
    enum { DEPTH = 5000 };
    static char text[4 * DEPTH + 256];
    static const char *const open[] = {"(", "{", "\\sqrt{", "\\frac{1}{"};
    for (size_t k = 0; k < sizeof open / sizeof *open; k++) {
        size_t n = (size_t)sprintf(text, "Let $a \\in \\mathbb{R}$.\n\n<!-- claim: c -->\n$$\n");
        for (size_t i = 0; i < DEPTH / 4; i++)
            n += (size_t)sprintf(text + n, "%s", open[k]);
        sprintf(text + n, "a = a\n$$\n");
        ev_document *document = NULL;
        ev_error error = EV_ERROR_NONE;
        cr_expect(ev_document_parse("t.md", text, strlen(text), &document, &error) == EV_BAD_INPUT);
        cr_expect(error.line > 0);
        ev_document_destroy(document);
    }
}
