/* What a refuted line may have meant.  The table holds the shipped refuted lines that one edit, one
 * term or one factor mends, with that repair as read in the document, from the claim that corrects
 * the line; not as the program happens to find it.  A line whose correction changes two places, or
 * replaces a side altogether, is not in it. */
#include "documents.h"

#include "judge/strength.h"

#include <glob.h>

static const struct {
    const char *claim, *repair; /* a piece of the first repair named */
} repairs[] = {
    {"elbo-unnormalised", "with \\gamma for w"},
    {"elbo-posterior-printed", "with \\tilde{\\sigma}^{2} for"},
    {"gaussian-gibbs-reversed", "with \\le for \\ge"},
    {"covariance-order", "with t^\\top L L^\\top t for"},
    {"covariance-change-signed", "with \\lvert \\det(L)\\rvert for"},
    {"covariance-inverse-order", "with (z - \\mu)^\\top (L^\\top)^{-1} L^{-1} (z - \\mu) for"},
    {"covariance-half", "0.5 \\log(\\det(L L^\\top)) for"},
    {"covariance-semidefinite-strict", "with \\ge for >"},
    {"covariance-off-diagonal", "L_{1,1}"},
    {"covariance-variance-diagonal", "with \\ge for ="},
    {"covariance-count-printed", "with d + 1 for d - 1"},
    {"covariance-rectifier", "softplus"},
    {"gmvae-line-3-printed", "\\mathbb{E}_{q(z, c\\mid x)}[\\log(p(z\\mid c))] for"},
    {"gmvae-line-4-printed", "with \\tilde{\\sigma} for \\omega"},
    {"gmvae-line-4-cluster", "with \\tilde{\\sigma}_{j} for \\sigma_{c,j}"},
    {"gmvae-line-5-first-term", "with \\gamma_{c} (\\log(\\sigma_{c,j}^{2}) + \\frac"},
    {"gmvae-line-5-printed", "with \\tilde{\\sigma} for \\omega"},
    {"gmvae-bound-equality", "with \\ge for ="},
    {"log-derivative-printed", " + \\mathbb{E}_{q(x\\mid \\phi)}[\\nabla_{\\phi} f(x, \\phi)] for"},
    {"kl-entropy-sign", " - \\mathcal{H}(p(x\\mid \\theta)) for"},
    {"kl-cross-entropy-sum", "\\frac{1}{N} \\sum_{i=1}^{N}"},
    {"kl-scenario-3-forward", "with \\frac{f(x\\mid \\theta)}{q(x\\mid \\phi)} for f("},
    {"kl-scenario-3-two-constants", "with \\frac{f(x\\mid \\theta)}{q(x\\mid \\phi)} for f("},
    {"kl-scenario-3-argmin", "with \\frac{f(x\\mid \\theta)}{q(x\\mid \\phi)} for f("},
    {"kl-k3-as-loss", "with D_{KL}(p(x\\mid \\theta) \\| q(x\\mid \\phi)) for"},
    {"kl-plus-log", "- 1 - 2 \\log(\\sigma_{j}) for"},
    {"kl-plus-log-variance", "- 1 - 2 \\log(\\sigma_{j}) for"},
    {"kl-monitored", "with -\\frac{1}{2} \\sum_{j=1}^{J} (1 + "},
    {"kl-latent-mean", "with 2 for 2 J"},
    {"kl-latent-mean-gradient", "with 2 for 2 J"},
    {"batch-sum", "with \\sum_{n=1}^{N} r_{n} + \\sum_{m=1}^{N} k_{m} for"},
    {"batch-sum-gradient", "with \\sum_{n=1}^{N} r_{n} + \\sum_{m=1}^{N} k_{m} for"},
    {"batch-pixels", "with N for N D"},
    {"draw-exp-log-variance", "with \\exp(0.5 \\ell_{j}) for"},
    {"draw-exp-log-variance-gradient", "with \\exp(0.5 \\ell_{j}) for"},
    {"draw-hundredth", "with (\\exp(\\frac{1}{2} \\ell_{j})) \\epsilon_{j} for 0.01"},
    {"draw-softplus", "the right side is short of 1"},
    {"bernoulli-mean", "with 1 for \\frac{1}{D}"},
    {"bernoulli-mean-gradient", "with 1 for \\frac{1}{D}"},
    {"bernoulli-mean-weight", "with D_{KL}(q(z) \\| p(z)) for D "},
    {"square-without-half", "with 0.5 (\\sum"},
    {"square-without-half-gradient", "with 0.5 \\nabla_{m}"},
    {"noisy-mean", "\\frac{1}{2} D"},
    {"constant-in-sum", "with \\log(2 \\cdot \\pi) for J \\log(2 \\cdot \\pi)"},
    {"entropy-without-constant", "the right side is short of \\frac{1}{2} J \\log(2\\pi)"},
    {"published-loss", "with A for J^{2} \\log(2 \\cdot \\pi) + A"},
    {"log-tenth", "with \\frac{1}{K} for 0.1"},
    {"categorical-sign", "with \\sum_{k=1}^{K} \\rho_{k} \\log(K \\rho_{k}) for -"},
    {"categorical-sign-gradient",
     "with \\nabla_{a} (\\sum_{k=1}^{K} \\rho_{k} \\log(K \\rho_{k}))"},
    {"argument-order", "with D_{KL}(r(c) \\| q(c)) for"},
    {"argument-order-gradient", "with D_{KL}(r(c) \\| q(c)) for"},
    {"penalty-sign", "with -\\mathbb{E}_{q(x\\mid \\phi)}[h(x)] + \\beta"},
    {"k3-as-loss", "with D_{KL}(p(x) \\| q(x\\mid \\phi)) for"},
    {"beta-codebook", "with \\lVert \\operatorname{sg}(z) - e\\rVert^{2} for \\beta"},
    {"beta-encoder", "\\beta \\lVert z - \\operatorname{sg}(e)\\rVert^{2} for"},
    {"update-first", "the left side is \\alpha^2 times the right one"},
    {"update-first-gradient", "the left side is \\alpha times the right one"},
    {"mode-means-differ", "with D_{KL}(p(x) \\| q(x)) for"},
    {"vq-soft-divergence", "with \\le for ="},
    {"rate-always-log-size", "with \\le for ="},
};
enum { REPAIRS = sizeof repairs / sizeof *repairs };

static void diagnosis_of(const ev_claim *claim, char *whole, size_t size)
{
    ev_budget budget = ev_budget_for(0);
    ev_strength_request request = {
        .id = claim->id, .seed = EV_JUDGE_DEFAULTS.seed, .budget = &budget};
    ev_arena *arena = ev_arena_create();
    const char *text = "";
    size_t step = 0;
    budget.effort.alpha = 1e-12;
    while (claim->expected[step] != EV_EXPECT_REFUTED)
        step++;
    cr_assert_eq(ev_strength_diagnose(&claim->formula, step, &request, arena, &text), EV_OK);
    snprintf(whole, size, "%s", text);
    ev_arena_destroy(arena);
}

/* The diagnosis up to its second repair. */
static void first_of(const ev_claim *claim, char *first, size_t size)
{
    diagnosis_of(claim, first, size);
    char *second = strstr(first, ", or with ");
    if (second != NULL)
        *second = '\0';
}

Test(diagnosis, the_right_repair_is_named_first_for_four_in_five_of_the_shipped_refuted_lines,
     .timeout = 300)
{
    glob_t found;
    size_t known = 0, right = 0;
    cr_assert_eq(glob(EV_SOURCE_DIR "/derivations/*.md", 0, NULL, &found), 0);
    for (size_t f = 0; f < found.gl_pathc; f++) {
        ev_document *document = NULL;
        ev_error error = EV_ERROR_NONE;
        if (strstr(found.gl_pathv[f], "README.md") != NULL)
            continue;
        cr_assert_eq(ev_document_read(found.gl_pathv[f], &document, &error), EV_OK);
        for (size_t c = 0; c < document->claim_count; c++)
            for (size_t i = 0; i < REPAIRS; i++) {
                char first[2048];
                if (strcmp(document->claims[c].id, repairs[i].claim) != 0)
                    continue;
                first_of(&document->claims[c], first, sizeof first);
                bool hit = strstr(first, repairs[i].repair) != NULL;
                known++;
                right += hit;
                if (!hit)
                    fprintf(stderr, "%s: %s\n    not: %s\n", repairs[i].claim, repairs[i].repair,
                            first);
            }
        ev_document_destroy(document);
    }
    globfree(&found);
    fprintf(stderr, "%zu of %zu right repairs are named first\n", right, known);
    cr_expect_eq(known, REPAIRS, "%zu of the table's %d claims are there", known, (int)REPAIRS);
    cr_expect_geq(5 * right, 4 * known, "%zu of %zu", right, known);
}

/* Whether the diagnosis' first repair has the piece in it, or, not wanted, the whole has not. */
static void look_for(const char *assumptions, const char *display, const char *piece, bool wanted)
{
    char text[2048];
    snprintf(text, sizeof text, "%s\n\n<!-- claim: it  expect: refuted -->\n$$ %s $$\n",
             assumptions, display);
    ev_document *document = document_parse(text);
    char first[2048], whole[2048];
    diagnosis_of(&document->claims[0], whole, sizeof whole);
    first_of(&document->claims[0], first, sizeof first);
    bool there = strstr(wanted ? first : whole, piece) != NULL;
    cr_expect(there == wanted, "%s: %s, %s %s", display, whole, wanted ? "not" : "with", piece);
    ev_document_destroy(document);
}

static void expect_diagnosis(const char *assumptions, const char *display, const char *piece)
{
    look_for(assumptions, display, piece, true);
}

/* Oracle: the term was taken from a true line by hand. */
Test(diagnosis, a_missing_term_or_factor_is_named)
{
    static const char *gaussian = "Assume $J \\in \\{1,\\dots,4\\}$ and $s \\in "
                                  "\\mathbb{R}_{>0}^J$. Define $q(z) = \\mathcal{N}(z; "
                                  "\\mathbf{0}, \\operatorname{diag}(s^2))$.";
    expect_diagnosis(gaussian, "\\mathcal{H}(q) = \\sum_{j=1}^J \\log s_j + \\frac{J}{2}",
                     "the right side is short of \\frac{1}{2} J \\log(2\\pi)");
    expect_diagnosis("Assume $n \\in \\{2,\\dots,6\\}$ and $a \\in \\mathbb{R}_{>0}$.",
                     "n a^2 + n a = a^2 + a", "the left side is n times the right one");
    expect_diagnosis("Assume $a \\in \\mathbb{R}_{>0}$.", "(1 + a)^2 = 1 + 2 a",
                     "the right side is short of a^2");
    expect_diagnosis("Assume $a, b \\in \\mathbb{R}_{>0}$.", "\\log(a + a + b + b) = \\log(a + b)",
                     "the right side is short of \\log 2");
}

Test(diagnosis, a_lost_transpose_inverse_mean_index_or_square_is_put_back)
{
    expect_diagnosis("Assume $n \\in \\{1,\\dots,3\\}$ and $A, B \\in \\mathbb{R}^{n\\times n}$.",
                     "\\sum_{i=1}^n\\sum_{j=1}^n A_{ij}B_{ij} = \\operatorname{tr}(A B)",
                     "holds with A^\\top for A");
    expect_diagnosis("Assume $n \\in \\{1,\\dots,3\\}$, $v \\in \\mathbb{R}^n$ and $S \\in "
                     "\\mathbb{R}^{n\\times n}$ symmetric positive definite.",
                     "\\det(S + v v^\\top) = \\det(S)(1 + v^\\top S v)", "holds with S^{-1} for S");
    expect_diagnosis("Assume $n \\in \\{1,\\dots,4\\}$ and $a, b \\in \\mathbb{R}^n$.",
                     "\\sum_{i=1}^n (a_i b_i) b_i = \\sum_{i=1}^n a_i b_1^2",
                     "holds with b_{i} for b_{1}");
    expect_diagnosis("Assume $n, K \\in \\{2,\\dots,4\\}$, $a \\in \\mathbb{R}^n$, $\\pi \\in "
                     "\\Delta^{K-1}$ and $s \\in \\mathbb{R}_{>0}^{K\\times n}$.",
                     "\\sum_{k=1}^K\\sum_{j=1}^n \\pi_k\\log s_k^2|_j = "
                     "\\sum_{k=1}^K\\sum_{j=1}^n \\pi_k\\log s_k|_j",
                     "s_{k,j}^{2} for s_{k,j}");
}

Test(diagnosis, what_a_smooth_function_is_taken_of_is_mended_too)
{
    expect_diagnosis("Assume $a, b \\in \\mathbb{R}$. Let $f : \\mathbb{R} \\to \\mathbb{R}$ be "
                     "smooth.",
                     "f((a - b)^2) = f(a^2 - 2 a b - b^2)", "a^{2} - 2 a b + b^{2} for");
}

Test(diagnosis, a_half_lost_beside_the_entropy_of_a_marginal_is_put_back)
{
    expect_diagnosis("Assume $x, y, m \\in \\mathbb{R}$, $s \\in \\mathbb{R}_{>0}$. Define $p(x) = "
                     "\\mathcal{N}(x; m, s^2)$, $p(y\\mid x) = \\mathcal{N}(y; x, 1)$, $p(y) = "
                     "\\int p(y\\mid x) p(x)\\,dx$.",
                     "\\mathcal{H}(p(y)) - \\tfrac12\\log(2\\pi e) = \\log(1+s^2)",
                     "holds with 0.5 \\log(1 + s^{2}) for");
}

/* With the exponential lost neither side of the edit is refuted: it has no minimum at all. */
Test(diagnosis, a_repair_that_could_not_be_confirmed_is_not_said_to_be_missing)
{
    expect_diagnosis("Assume $a, b, x \\in \\mathbb{R}$.",
                     "\\arg\\min_x \\exp(x + b - a) = \\arg\\min_x (x - a)^2",
                     "that could be confirmed");
}

/* 2 log x = log x^2 is true of positive x, and nothing can be said at others. */
Test(diagnosis, a_repair_that_is_not_defined_everywhere_is_not_said_to_be_missing)
{
    expect_diagnosis("Assume $x \\in \\mathbb{R}$.", "2 \\log(\\exp(x)) = \\log(x^2)",
                     "that could be confirmed");
}

Test(diagnosis, a_dimension_written_as_a_number_an_index_too_many_and_a_joint_average_are_mended)
{
    expect_diagnosis("Assume $n \\in \\{2,\\dots,6\\}$ and $a \\in \\mathbb{R}^n$.",
                     "\\sum_{i=1}^n (a_i + 1) = \\sum_{i=1}^n a_i + 7", "holds with n for 7");
    expect_diagnosis("Assume $K, n \\in \\{2,\\dots,4\\}$, $k \\in \\{1,\\dots,K\\}$, $b \\in "
                     "\\mathbb{R}^n$ and $s \\in \\mathbb{R}^{K\\times n}$.",
                     "\\lVert b\\rVert^2 = \\sum_{j=1}^n s_{k,j} s_{k,j} - \\sum_{j=1}^n s_{k,j} "
                     "s_{k,j} + \\sum_{j=1}^n b_j s_{k,j}",
                     "holds with b_{j} for s_{k,j}");
    expect_diagnosis(
        "Assume $K \\in \\{2,\\dots,3\\}$, $c \\in \\{1,\\dots,K\\}$, $z \\in "
        "\\mathbb{R}$, $m \\in \\mathbb{R}^K$, $w \\in \\Delta_{>0}^{K-1}$. Define $q(z) = "
        "\\mathcal{N}(z; 0, 1)$, $q(c) = w_c$ and $q(z, c) = q(z) q(c)$.",
        "\\sum_{k=1}^K w_k (1 + m_k^2) = \\mathbb{E}_{q(z)}[(z - m_c)^2] + 0 "
        "\\mathbb{E}_{q(z,c)}[z]",
        "\\mathbb{E}_{q(z, c)}[(z - m_{c})^{2}] for");
    expect_diagnosis("Assume $n \\in \\{1,\\dots,3\\}$ and $a \\in \\mathbb{R}_{>0}^n$.",
                     "a_1 (1 + a_1) = 1 + a_1", "the left side is a_{1} times the right one");
}

Test(diagnosis, a_relation_may_be_the_slip)
{
    expect_diagnosis("Assume $a, b \\in \\mathbb{R}$.", "a^2 + b^2 \\le 2 a b",
                     "holds with \\ge for \\le");
    expect_diagnosis("Assume $a \\in \\mathbb{R}$.", "a^2 > 0", "holds with \\ge for >");
}

static const char *const mixture =
    "Assume $K \\in \\{2,\\dots,4\\}$, $c \\in \\{1,\\dots,K\\}$, $x, y, m, w \\in \\mathbb{R}$, "
    "$s, t \\in \\mathbb{R}_{>0}$, $\\beta \\in (0,1)$, $\\pi, \\gamma \\in \\Delta_{>0}^{K-1}$ "
    "and "
    "$M \\in \\mathbb{R}^K$. Define $r(y) = \\mathcal{N}(y; m, t^2)$, $q(c) = \\gamma_c$, $p(c) = "
    "\\pi_c$, $p(y\\mid c) = \\mathcal{N}(y; M_c, t^2)$, $p(y) = \\sum_{c=1}^K p(c)p(y\\mid c)$ "
    "and "
    "$p(c\\mid y) = \\frac{p(c)p(y\\mid c)}{p(y)}$. Let $f : \\mathbb{R} \\to \\mathbb{R}$ be "
    "smooth.";

/* Something was lost from an equation, and what is left is the smaller, or the larger, everywhere:
 * that makes no bound of it. */
Test(diagnosis, an_error_of_one_sign_is_not_taken_for_a_bound)
{
    static const char *const lost[] = {"-\\log r(m) = \\tfrac12\\log(2 t^2)",
                                       "\\sum_{c=1}^K p(c) p(y\\mid c) = \\sum_{c=1}^K p(y\\mid c)",
                                       "p(c\\mid y) = \\frac{p(y\\mid c)}{p(y)}",
                                       "\\mathbb{E}_{r(y)}[y^4] = m^4 + 6m^2t^2 + t^4",
                                       "\\mathbb{E}_{r(y)}[\\exp(y)] = m + \\tfrac12t^2",
                                       "\\beta s + (1-\\beta) t = \\beta s - (1-\\beta) t"};
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
        look_for(mixture, lost[i], "\\ge for =", false);
        look_for(mixture, lost[i], "\\le for =", false);
    }
    expect_diagnosis(mixture, lost[3], "the left side is never the smaller");
}

/* What a sum of one term hides.  The first pair: sum_n (x_n - a)^2 is the right side and (N - 1) a^2. */
Test(diagnosis, sides_that_meet_in_one_dimension_alone_are_not_taken_for_a_bound)
{
    static const char *const lost[][2] = {
        {"Assume $N \\in \\{1,\\dots,6\\}$, $x \\in \\mathbb{R}^N$ and $a \\in \\mathbb{R}_{>0}$.",
         "\\sum_{n=1}^N (x_n - a)^2 = \\sum_{n=1}^N x_n^2 - 2 a \\sum_{n=1}^N x_n + a^2"},
        {"Assume $J \\in \\{1,\\dots,4\\}$ and $\\sigma \\in \\mathbb{R}_{>0}^J$. Define $q(z) = "
         "\\mathcal{N}(z; \\mathbf{0}, \\operatorname{diag}(\\sigma^2))$ and $p(z) = "
         "\\mathcal{N}(z; \\mathbf{0}, I)$.",
         "D_{KL}(q\\|p) = \\sum_{j=1}^J \\big(\\tfrac12\\sigma_j^2 - \\log\\sigma_j\\big) - "
         "\\tfrac12"}};
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
        look_for(lost[i][0], lost[i][1], "\\ge for =", false);
        look_for(lost[i][0], lost[i][1], "\\le for =", false);
    }
}

Test(diagnosis, an_equality_that_is_attained_is_taken_for_a_bound)
{
    expect_diagnosis("Assume $x, w \\in \\mathbb{R}$.",
                     "\\lvert x + w\\rvert = \\lvert x\\rvert + \\lvert w\\rvert",
                     "holds with \\le for =");
    expect_diagnosis(mixture, "\\mathcal{H}(q(c)) = \\log K", "holds with \\le for =");
}

/* E[f(m)] = f(m) is true, and says nothing of E[f(y)]. */
Test(diagnosis, a_repair_does_not_free_a_body_of_its_variable)
{
    look_for(mixture, "\\mathbb{E}_{r(y)}[f(y)] = f(m)", "holds with", false);
    look_for(mixture, "\\mathbb{E}_{r(y)}[\\exp(y)] = \\exp(m)", "holds with m", false);
    look_for(mixture, "\\mathbb{E}_{r(y)}[f(y)] = f(x)", "holds with", false);
}

Test(diagnosis, a_lost_square_of_a_bracket_another_exponent_and_crossed_indices_are_mended)
{
    expect_diagnosis(mixture, "\\mathbb{E}_{r(y)}[(y - w)^2] = t^2 + (m - w)",
                     "holds with (m - w)^{2} for m - w");
    expect_diagnosis(mixture, "\\mathbb{E}_{r(y)}[(y - w)^2] = t^2 + \\frac{m - w}{2}\\cdot 2",
                     "holds with (m - w)^{2} for m - w");
    expect_diagnosis(mixture, "\\mathbb{E}_{r(y)}[y^2] = t^2 + m", "holds with m^{2} for m");
    expect_diagnosis(mixture, "(m+t)^3 = m^2 + 3m^2 t + 3 m t^2 + t^3", "m^{3} for m^{2}");
    expect_diagnosis(mixture, "\\mathbb{E}_{r(y)}[y^3] = m^2 + 3 m t^2", "m^{3} for m^{2}");
    expect_diagnosis("Assume $n \\in \\{1,\\dots,3\\}$ and $A, B \\in \\mathbb{R}^{n\\times n}$.",
                     "\\operatorname{tr}(A B) = \\sum_{i=1}^n\\sum_{j=1}^n A_{i,j}B_{i,j}",
                     "_{j,i} for");
    expect_diagnosis("Assume $n \\in \\{1,\\dots,3\\}$ and $a, b \\in \\mathbb{R}^n$.",
                     "(a - b)^\\top (a - b) = \\lVert a - b\\rVert",
                     "holds with \\lVert a - b\\rVert^{2} for");
}

Test(diagnosis, an_edit_that_makes_both_sides_the_same_is_the_last_resort)
{
    expect_diagnosis(mixture, "s^2 + 2 s t + t^2 - w = s^2 + 2 s t + t^2 + w",
                     "the sides would be the same with");
    expect_diagnosis(mixture, "\\mathbb{E}_{r(y)}[(y-w)^2] = \\mathbb{E}_{r(y)}[(y+w)^2]",
                     "the sides would be the same with y - w for y + w");
    expect_diagnosis(mixture, "D_{KL}(q(c)\\|p(c)) = D_{KL}(p(c)\\|q(c))",
                     "the sides would be the same with D_{KL}(q(c) \\| p(c)) for");
    expect_diagnosis(mixture, "\\sum_{c=1}^K p(c\\mid y)\\log p(c) = \\sum_{c=1}^K p(c)\\log p(c)",
                     "the sides would be the same with p(c\\mid y) for p(c)");
    expect_diagnosis("Assume $a, b \\in \\mathbb{R}$.", "\\sin a = \\sin b",
                     "the sides would be the same with a for b");
    look_for("Assume $a, b \\in \\mathbb{R}$.", "\\sin a = \\sin b", "holds with", false);
}

Test(diagnosis, a_lost_pi_and_a_degree_of_freedom_are_named)
{
    expect_diagnosis(mixture, "-\\log r(m) = \\tfrac12\\log(2 t^2)",
                     "the right side is short of \\frac{1}{2} \\log \\pi");
    expect_diagnosis(
        "Assume $J \\in \\{1,\\dots,3\\}$ and $s \\in \\mathbb{R}_{>0}^J$. Define $q(z) "
        "= \\mathcal{N}(z; \\mathbf{0}, \\operatorname{diag}(s^2))$.",
        "\\mathcal{H}(q) = \\sum_{j=1}^J\\tfrac12\\log(2 e s_j^2)",
        "the right side is short of \\frac{1}{2} J \\log \\pi");
    expect_diagnosis(
        "Assume $N \\in \\{2,\\dots,4\\}$, $m \\in \\mathbb{R}$ and $t \\in "
        "\\mathbb{R}_{>0}$. Define $r(y) = \\mathcal{N}(y; m, t^2)$. Let $y_1,\\dots,y_N "
        "\\sim r(y)$.",
        "t^2 \\approx \\frac{1}{N}\\sum_{i=1}^N \\Big(y_i - "
        "\\frac{1}{N}\\sum_{k=1}^N y_k\\Big)^2",
        "the left side is \\frac{N}{N - 1} times the right one");
}

Test(diagnosis, repairs_of_the_same_text_say_where)
{
    static const char *square = "Assume $n \\in \\{1,\\dots,3\\}$, $u, v \\in \\mathbb{R}^n$. Let "
                                "$A, B \\in \\mathbb{R}^{n\\times n}$ be invertible.";
    look_for(square, "(v^\\top A u)(v^\\top B u) = v^\\top A u u^\\top B v", "B^\\top for B, or",
             false);
    expect_diagnosis(square, "(v^\\top A u)(v^\\top B u) = v^\\top A u u^\\top B v",
                     "holds with B^\\top for B on the right");
    expect_diagnosis(square,
                     "\\log\\det(A^\\top A) = 2\\log\\lvert\\det(B)\\rvert + "
                     "2\\log\\lvert\\det(A B)\\rvert",
                     "holds with B^{-1} for B on the right, first");
}

/* Oracle: each display is a true line from which one piece was taken by hand. */
Test(diagnosis, a_forgotten_expectation_log_or_prior_is_put_back)
{
    static const char *const two =
        "Let $x, m \\in \\mathbb{R}$ and $s \\in \\mathbb{R}_{>0}$. Define $q(x) = "
        "\\mathcal{N}(x; m, s^2)$ and $r(x) = \\mathcal{N}(x; 0, 1)$.";
    static const char *const clusters =
        "Let $x \\in \\mathbb{R}$, $K \\in \\{2,\\dots,4\\}$, $c \\in \\{1,\\dots,K\\}$, $\\pi "
        "\\in "
        "\\Delta_{>0}^{K-1}$ and $t \\in \\mathbb{R}^K$. Define $p(c) = \\pi_c$, $p(x\\mid c) = "
        "\\mathcal{N}(x; t_c, 1)$ and $p(x) = \\sum_{c=1}^K p(c)p(x\\mid c)$.";
    expect_diagnosis(two, "D_{KL}(q(x)\\|r(x)) = \\log\\frac{q(x)}{r(x)}",
                     "\\mathbb{E}_{q(x)}[\\log(\\frac{q(x)}{r(x)})] for");
    expect_diagnosis(two, "D_{KL}(q(x)\\|r(x)) = -\\mathcal{H}(q(x)) - \\log r(x)",
                     "\\mathbb{E}_{q(x)}[\\log(r(x))] for");
    expect_diagnosis(two, "\\log\\frac{q(x)}{r(x)} = \\log q(x) - r(x)", "\\log(r(x)) for r(x)");
    expect_diagnosis(clusters, "p(x\\mid c) p(c) + p(c) = p(c) + p(x\\mid c)",
                     "p(c) p(x\\mid c) for p(x\\mid c)");
}
