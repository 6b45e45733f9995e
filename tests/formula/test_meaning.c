/* What printed formulas mean: lines known to be true or false from textbooks, each judged whole,
 * from TeX to verdict.  For every true line there is a false neighbour. */
#include <criterion/criterion.h>

#include "judge/judge.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    const char *declarations, *claim;
    ev_verdict verdict;
} line;

static ev_verdict judge(const line *l)
{
    char text[4096];
    snprintf(text, sizeof text, "%s\n\n<!-- claim: c -->\n$$ %s $$\n", l->declarations, l->claim);
    ev_document *document = NULL;
    ev_error error = EV_ERROR_NONE;
    cr_assert(ev_document_parse("t.md", text, strlen(text), &document, &error) == EV_OK,
              "%s | %s: %zu:%zu: %s", l->declarations, l->claim, error.line, error.column,
              error.message);
    ev_judge_options options = EV_JUDGE_DEFAULTS;
    options.effort = EV_EFFORT_QUICK;
    options.threads = 1;
    static const ev_check_entry none[] = {{NULL, NULL}};
    ev_ledger *ledger = NULL;
    cr_assert(ev_judge_documents(&document, 1, none, &options, &ledger, &error) == EV_OK, "%s",
              error.message);
    cr_assert(ledger->count == 1);
    ev_verdict verdict = ledger->records[0].verdict;
    cr_expect(verdict == l->verdict, "%s\n  %s\n  is %s (%s), not %s", l->declarations, l->claim,
              ev_verdict_name(verdict), ledger->records[0].reason, ev_verdict_name(l->verdict));
    ev_ledger_destroy(ledger);
    ev_document_destroy(document);
    return verdict;
}

static void judge_all(const line *lines, size_t n)
{
    for (size_t i = 0; i < n; i++)
        judge(&lines[i]);
}
#define JUDGE_ALL(lines) judge_all(lines, sizeof(lines) / sizeof *(lines))

static const char *const reals = "Let $a, b, c \\in \\mathbb{R}$ and $s, t \\in \\mathbb{R}_{>0}$.";

Test(meaning, precedence_is_that_of_print)
{
    const line lines[] = {{reals, "-a^2 = -(a^2)", EV_HOLDS},
                          {reals, "-a^2 = (-a)^2", EV_REFUTED},
                          {reals, "a - b - c = (a - b) - c", EV_HOLDS},
                          {reals, "a - b - c = a - (b - c)", EV_REFUTED},
                          {reals, "\\tfrac12 a b = \\frac{ab}{2}", EV_HOLDS},
                          {reals, "\\log s + t = t + \\log(s)", EV_HOLDS},
                          {reals, "\\log s + t = \\log(s + t)", EV_REFUTED},
                          {reals, "\\log 2\\pi = \\log(2\\pi)", EV_HOLDS},
                          {reals, "\\log s^2 = 2\\log s", EV_HOLDS},
                          {reals, "\\log s\\sum_{j=1}^2 j t = 3t\\log(s)", EV_HOLDS},
                          {reals, "\\log s\\sum_{j=1}^2 j t = \\log(3st)", EV_REFUTED},
                          {reals, "\\log\\sum_{j=1}^2 j t = \\log(3t)", EV_HOLDS},
                          {reals, "\\log\\sum_{j=1}^2 j t = t\\log 3", EV_REFUTED},
                          {reals, "\\log(s) t = t\\log s", EV_HOLDS},
                          {reals, "\\nabla_a a^2 b = 2ab", EV_HOLDS},
                          {reals, "\\nabla_a (a) a = a", EV_HOLDS},
                          {reals, "\\nabla_a (a) a = 2a", EV_REFUTED},
                          {reals, "(\\nabla_a a^2) a = 2a^2", EV_HOLDS},
                          {reals, "\\Big(\\frac{d}{da} a^2\\Big) a = 3a^2", EV_REFUTED},
                          {reals, "\\sqrt{s^2} = |{-s}|", EV_HOLDS},
                          {reals, "\\sqrt{a^2} = a", EV_REFUTED},
                          {reals, "s^{a+b} = s^a s^b", EV_HOLDS}};
    JUDGE_ALL(lines);
}

Test(meaning, a_sum_takes_the_product_behind_it_and_no_more)
{
    static const char *d =
        "Let $J \\in \\{2,\\dots,4\\}$, $u, v \\in \\mathbb{R}^J$ and $a \\in \\mathbb{R}$.";
    const line lines[] = {
        {d, "\\sum_{j=1}^J u_j + a = a + \\sum_{i=1}^{J} u_i", EV_HOLDS},
        {d, "\\sum_{j=1}^J (u_j + a) = \\sum_{j=1}^J u_j + J a", EV_HOLDS},
        {d, "\\sum_{j=1}^J (u_j + a) = \\sum_{j=1}^J u_j + a", EV_REFUTED},
        {d, "\\sum_{j=1}^J - u_j v_j = -u^\\top v", EV_HOLDS},
        {d, "\\sum_{j=1}^J u_j \\sum_{i=1}^J v_i = \\mathbf{1}^\\top u \\, \\mathbf{1}^\\top v",
         EV_HOLDS},
        {d, "\\prod_{j=1}^J \\exp(u_j) = \\exp\\Big(\\sum_{j=1}^J u_j\\Big)", EV_HOLDS},
        {d, "\\sum_{j=2}^J (u_j - u_{j-1}) = u_J - u_1", EV_HOLDS},
        {d, "\\max_{j=1}^J u_j \\ge \\frac1J\\sum_{j=1}^J u_j", EV_HOLDS},
        {d, "\\max_{j=1}^J u_j \\le \\frac1J\\sum_{j=1}^J u_j", EV_REFUTED}};
    JUDGE_ALL(lines);
}

Test(meaning, matrices_multiply_in_order)
{
    static const char *d =
        "Let $d \\in \\{2,\\dots,4\\}$, $v, w \\in \\mathbb{R}^d$, and let $A, B \\in "
        "\\mathbb{R}^{d\\times d}$ be invertible.";
    const line lines[] = {
        {d, "(AB)^\\top = B^\\top A^\\top", EV_HOLDS},
        {d, "(AB)^\\top = A^\\top B^\\top", EV_REFUTED},
        {d, "(AB)^{-1} = B^{-1}A^{-1}", EV_HOLDS},
        {d, "A^{-\\top} = (A^\\top)^{-1}", EV_HOLDS},
        {d, "\\det(AB) = (\\det A)(\\det B)", EV_HOLDS},
        {d, "\\operatorname{tr}(AB) = \\operatorname{tr}(BA)", EV_HOLDS},
        {d, "\\operatorname{tr}(AB) = \\operatorname{tr}(A)\\operatorname{tr}(B)", EV_REFUTED},
        {d, "v^\\top A w = \\operatorname{tr}(A w v^\\top)", EV_HOLDS},
        {d, "A I v = Av", EV_HOLDS},
        {d, "\\lVert v + w\\rVert \\le \\|v\\| + \\|w\\|", EV_HOLDS},
        {d, "\\sum_{i=1}^d A_{ii} = \\operatorname{tr}(A)", EV_HOLDS}};
    JUDGE_ALL(lines);
}

Test(meaning, expectations_of_gaussians_are_the_textbooks)
{
    static const char *d = "Let $m \\in \\mathbb{R}$ and $s \\in \\mathbb{R}_{>0}$. Define $q(z) = "
                           "\\mathcal{N}(z; m, s^2)$.";
    const line lines[] = {
        {d, "\\int q(z)\\,dz = 1", EV_HOLDS},
        {d, "\\mathbb{E}_q[z^2] = m^2 + s^2", EV_HOLDS},
        {d, "\\mathbb{E}_q[z^2] = m^2 + s", EV_REFUTED},
        {d, "\\operatorname{Var}_{q(z)}[z] = s^2", EV_HOLDS},
        {d, "\\mathbb{E}_{z\\sim q(z)}[\\exp(z)] = \\exp(m + \\tfrac12 s^2)", EV_HOLDS},
        {d, "\\mathcal{H}(q) = \\tfrac12\\log(2\\pi e s^2)", EV_HOLDS},
        {d, "\\mathcal{H}(q) = \\tfrac12\\log(2\\pi s^2)", EV_REFUTED},
        {d, "\\mathbb{E}_q[|z - m|] = s\\sqrt{\\frac{2}{\\pi}}", EV_HOLDS},
        {d, "\\nabla_m \\mathbb{E}_q[z^3] = 3(m^2 + s^2)", EV_HOLDS},
        {d, "\\frac{\\partial}{\\partial s}\\mathbb{E}_q[z^2] = 2 s", EV_HOLDS},
        {d, "\\mathbb{E}_q[\\nabla_m \\log q(z)] = 0", EV_HOLDS}};
    JUDGE_ALL(lines);
}

Test(meaning, a_narrow_density_under_an_integral_is_found)
{
    static const char *d =
        "Let $m, a, z \\in \\mathbb{R}$ and $s \\in \\mathbb{R}_{>0}$. Define $q(z) = "
        "\\mathcal{N}(z; m, s^2)$.";
    const line lines[] = {
        {d, "\\mathbb{E}_{q(z)}[\\mathcal{N}(z; a, 0.05^2)] = \\mathcal{N}(m; a, s^2 + 0.05^2)",
         EV_HOLDS},
        {d, "\\int q(z)\\mathcal{N}(z; a, 0.0001^2)\\,dz = \\mathcal{N}(m; a, s^2 + 0.0001^2)",
         EV_HOLDS},
        {d, "\\int q(z)\\mathcal{N}(z; a, 0.0001^2)\\,dz = 0", EV_REFUTED},
        {d, "\\mathbb{E}_{q(z)}[z^2 + \\mathcal{N}(z; a, 0.0001^2)] = m^2 + s^2", EV_REFUTED},
        {d, "\\int q(z)^2\\,dz = \\frac{1}{2s\\sqrt{\\pi}}", EV_HOLDS}};
    JUDGE_ALL(lines);
}

Test(meaning, a_gradient_under_an_integral_holds_the_variable_fixed)
{
    static const char *d = "Let $m \\in \\mathbb{R}$ and $s \\in \\mathbb{R}_{>0}$. Define $q(z) = "
                           "\\mathcal{N}(z; m, s^2)$.";
    const line lines[] = {
        {d, "\\int (\\nabla_m q(z)) z\\,dz = 1", EV_HOLDS},
        {d, "\\mathbb{E}_q[z \\nabla_m \\log q(z)] = 1", EV_HOLDS},
        {d, "\\mathbb{E}_q[\\nabla_m (z\\log q(z))] = \\nabla_m \\mathbb{E}_q[z\\log q(z)]",
         EV_REFUTED},
        {d, "\\nabla_m (m\\operatorname{sg}[m]) = m", EV_HOLDS},
        {d, "\\nabla_m (m\\operatorname{sg}[m]) = 2m", EV_REFUTED}};
    JUDGE_ALL(lines);
}

Test(meaning, mixtures_and_discrete_variables_are_summed_exactly)
{
    static const char *d =
        "Let $K \\in \\{2,\\dots,3\\}$, $c \\in \\{1,\\dots,K\\}$, $\\pi \\in \\Delta_{>0}^{K-1}$, "
        "$\\mu \\in \\mathbb{R}^K$, $s \\in \\mathbb{R}_{>0}^K$ and $z \\in \\mathbb{R}$. Define "
        "$p(c) = \\pi_c$, $p(z\\mid c) = \\mathcal{N}(z; \\mu_c, s_c^2)$, "
        "$p(z) = \\sum_{c=1}^K p(c)p(z\\mid c)$ and $p(c\\mid z) = \\frac{p(c)p(z\\mid c)}{p(z)}$.";
    const line lines[] = {
        {d, "\\mathbb{E}_{p(z)}[z] = \\sum_c \\pi_c\\mu_c", EV_HOLDS},
        {d, "\\mathbb{E}_{p(z)}[p(c\\mid z)] = \\pi_c", EV_HOLDS},
        {d, "\\sum_{c'} p(c'\\mid z) = 1", EV_HOLDS},
        {d, "p(c\\mid z) \\propto p(c)p(z\\mid c)", EV_HOLDS},
        {d, "p(c\\mid z) \\propto p(z\\mid c)", EV_REFUTED},
        {d, "\\mathbb{E}_{p(z\\mid c)p(c)}[z^2] = \\mathbb{E}_{p(z)}[z^2]", EV_HOLDS},
        {d, "D_{KL}(p(c\\mid z)\\,\\|\\,p(c)) \\ge 0", EV_HOLDS},
        {d, "\\mathcal{H}(p(z)) \\ge \\sum_c \\pi_c\\mathcal{H}(p(z\\mid c))", EV_HOLDS}};
    JUDGE_ALL(lines);
}

/* The first values' probabilities are 0 on both sides: that says nothing of the others. */
Test(meaning, a_proportionality_holds_of_all_values_and_not_of_the_first_alone)
{
    static const char *d =
        "Let $K \\in \\{3,\\dots,6\\}$, $c \\in \\{1,\\dots,K\\}$ and $w \\in \\Delta_{>0}^{K-1}$. "
        "Define $g(c) = \\frac{\\mathbb{1}[c > 2]\\,w_c}{\\sum_{k=1}^K \\mathbb{1}[k > 2]\\,w_k}$.";
    const line lines[] = {{d, "g(c) \\propto \\mathbb{1}[c > 2]\\,w_c", EV_HOLDS},
                          {d, "g(c) \\propto 10^{-5}\\,\\mathbb{1}[c > 2]\\,w_c", EV_HOLDS},
                          {d, "g(c) \\propto \\mathbb{1}[c > 2]\\,w_c^2", EV_REFUTED},
                          {d, "g(c) \\propto \\mathbb{1}[c > 2]", EV_REFUTED},
                          {d, "g(c) \\propto \\mathbb{1}[c \\ge 2]\\,w_c", EV_REFUTED},
                          {d, "g(c) \\propto -\\mathbb{1}[c > 2]\\,w_c", EV_REFUTED},
                          {d, "g(c) \\propto w_c", EV_REFUTED}};
    JUDGE_ALL(lines);
}

Test(meaning, estimates_are_judged_by_their_expectation)
{
    static const char *d =
        "Let $m \\in \\mathbb{R}$, $s \\in \\mathbb{R}_{>0}$ and $L \\in \\{2,\\dots,3\\}$. Define "
        "$q(z) = \\mathcal{N}(z; m, s^2)$. Let $z^{(1)},\\dots,z^{(L)} \\sim q(z)$.";
    const line lines[] = {
        {d, "\\mathbb{E}_q[z^2] \\approx \\frac1L\\sum_{l=1}^L (z^{(l)})^2", EV_HOLDS},
        {d, "\\mathbb{E}_q[z^2] \\approx \\sum_{l=1}^L (z^{(l)})^2", EV_REFUTED},
        {d, "(\\mathbb{E}_q[z])^2 \\approx \\Big(\\frac1L\\sum_{l=1}^L z^{(l)}\\Big)^2",
         EV_REFUTED},
        {d,
         "s^2 \\approx \\frac{1}{L-1}\\sum_{l=1}^L \\Big(z^{(l)} - \\frac1L\\sum_{k=1}^L "
         "z^{(k)}\\Big)^2",
         EV_HOLDS},
        {d, "\\sum_{l=1}^L z^{(l)} = z^{(1)} + \\sum_{l=2}^L z^{(l)}", EV_HOLDS}};
    JUDGE_ALL(lines);
}

Test(meaning, a_row_that_begins_with_a_sign_goes_on)
{
    const line lines[] = {
        {reals, "\\begin{aligned} a + b &= b \\\\ &\\quad + a \\end{aligned}", EV_HOLDS},
        {reals, "\\begin{aligned} a - b &= \\Big(a \\\\ & - b\\Big) \\end{aligned}", EV_HOLDS},
        {reals, "\\begin{aligned} a - b &= b \\\\ &- a \\end{aligned}", EV_REFUTED}};
    JUDGE_ALL(lines);
}

Test(meaning, values_of_each_sample_are_indexed_by_it)
{
    static const char *d =
        "Let $J, D, L \\in \\{1,\\dots,2\\}$, $z, m \\in \\mathbb{R}^J$, $x \\in \\{0,1\\}^D$ and "
        "$f : \\mathbb{R}^J \\to (0,1)^D$. Define $q(z) = \\mathcal{N}(z; m, I)$ and "
        "$p(x\\mid z) = \\mathrm{Ber}(x; f(z))$. Let $z^{(1)},\\dots,z^{(L)} \\sim q(z)$. Define "
        "$\\mu_x^{(l)} = f(z^{(l)})$.";
    const line lines[] = {
        {d,
         "\\sum_{l=1}^L \\log p(x\\mid z^{(l)}) = \\sum_{l=1}^L \\sum_{i=1}^D \\Big(x_i\\log"
         "\\mu_x^{(l)}|_i + (1-x_i)\\log(1-\\mu_x^{(l)}|_i)\\Big)",
         EV_HOLDS},
        {d, "\\mathbb{E}_{q(z)}[f(z)] \\approx \\frac1L\\sum_{l=1}^L \\mu_x^{(l)}", EV_HOLDS},
        {d, "\\mathbb{E}_{q(z)}[f(z)] \\approx \\sum_{l=1}^L \\mu_x^{(l)}", EV_REFUTED}};
    JUDGE_ALL(lines);
}

Test(meaning, definitions_follow_their_variables)
{
    static const char *d =
        "Let $J \\in \\{1,\\dots,2\\}$, $D \\in \\{1,\\dots,2\\}$, $z, m \\in \\mathbb{R}^J$, "
        "$x \\in \\{0,1\\}^D$ and $f : \\mathbb{R}^J \\to (0,1)^D$. Define $\\mu_x = f(z)$, "
        "$p(x\\mid z) = \\mathrm{Ber}(x; \\mu_x)$ and $q(z) = \\mathcal{N}(z; m, I)$.";
    const line lines[] = {{d, "\\sum_x p(x\\mid z) = 1", EV_HOLDS},
                          {d, "\\mathbb{E}_{p(x\\mid z)}[x] = \\mu_x", EV_HOLDS},
                          {d, "\\mathbb{E}_{q(z)}[\\mu_x] = \\mathbb{E}_{q(z)}[f(z)]", EV_HOLDS},
                          {d, "\\mathbb{E}_{q(z)}[\\mu_x] = f(m)", EV_REFUTED},
                          {d, "p(x\\mid m) = \\mathrm{Ber}(x; f(m))", EV_HOLDS}};
    JUDGE_ALL(lines);
}

Test(meaning, indices_on_the_left_of_a_definition_are_bound_by_it)
{
    static const char *d = "Let $J \\in \\{2,\\dots,3\\}$, $\\mu \\in \\mathbb{R}^J$ and "
                           "$a \\in \\mathbb{R}$. Define $m_j = 2\\mu_j$ and $b_s = a + 1$.";
    const line lines[] = {{d, "\\sum_{i=1}^J m_i = 2\\sum_{j=1}^J \\mu_j", EV_HOLDS},
                          {d, "m_1 = 2\\mu_1", EV_HOLDS},
                          {d, "m_1 = 2\\mu_2", EV_REFUTED},
                          {d, "b_s = 1 + a", EV_HOLDS}};
    JUDGE_ALL(lines);
}

Test(meaning, arg_mins_and_unnamed_constants)
{
    static const char *d =
        "Let $m, a \\in \\mathbb{R}$, $s \\in \\mathbb{R}_{>0}$ and $z \\in \\mathbb{R}$. Define "
        "$q(z) = \\mathcal{N}(z; m, s^2)$. Let $k \\perp m$.";
    const line lines[] = {
        {d, "\\arg\\min_m (m-a)^2 = \\arg\\min_m ((m-a)^4 + (m-a)^2 + s)", EV_HOLDS},
        {d, "\\arg\\min_m (m-a)^2 = \\arg\\min_m (m-2a)^2", EV_REFUTED},
        {d, "-\\log q(z) = \\frac{(z-m)^2}{2s^2} + k", EV_HOLDS},
        {d, "-\\log q(z) = \\frac{(z-m)^2}{s^2} + k", EV_REFUTED}};
    JUDGE_ALL(lines);
}

Test(meaning, bars_side_by_side_pair_in_the_one_way_that_can_be_read)
{
    static const char *decl = "Assume $a, b, c \\in \\mathbb{R}$.";
    const line lines[] = {
        {decl, "|a||c| = \\lvert ac\\rvert", EV_HOLDS},
        {decl, "|a||c| = ac", EV_REFUTED},
        {decl, "\\left|a\\right|b\\left|c\\right| = b\\lvert ac\\rvert", EV_HOLDS},
        {decl, "\\left|a\\right|b\\left|c\\right| = \\lvert abc\\rvert", EV_REFUTED},
        {decl, "|a| - b|c| + |a|b = \\lvert a\\rvert(1 + b) - b\\lvert c\\rvert", EV_HOLDS},
        {decl, "|a| - b|c| + |a|b = \\lvert a\\rvert(1 + b) + b\\lvert c\\rvert", EV_REFUTED}};
    JUDGE_ALL(lines);
}
