/* One slip of each kind: the edit is made, and the check notices it. */
#include "documents.h"

#include "judge/strength.h"

static const char *const setting =
    "Let $J \\in \\{2,\\dots,3\\}$, $K \\in \\{2,\\dots,3\\}$, $N \\in \\{2,\\dots,3\\}$, $c \\in "
    "\\{1,\\dots,K\\}$, $a, b, x \\in \\mathbb{R}$, $s, t \\in \\mathbb{R}_{>0}$, $\\mu, "
    "\\tilde\\mu \\in \\mathbb{R}^J$, $\\pi, \\gamma \\in \\Delta_{>0}^{K-1}$, $m \\in "
    "\\mathbb{R}^K$, $w \\in \\mathbb{R}^{J \\times K}$, and let $A, B \\in \\mathbb{R}^{J \\times "
    "J}$ be invertible. Define $q(x) = \\mathcal{N}(x; a, s^2)$, $r(x) = \\mathcal{N}(x; b, t^2)$, "
    "$p(c) = \\pi_c$ and $p(x\\mid c) = \\mathcal{N}(x; m_c, 1)$.\n\n";

typedef struct {
    const char *kind, *claim, *mutant; /* a piece of "A for B" */
} slip;

static const slip slips[] = {
    {"a term dropped", "(a + b)^2 = a^2 + 2 a b + b^2", "a^{2} + 2 a b for a^{2} + 2 a b + b^{2}"},
    {"a sign flipped", "(a + b)(a - b) = a^2 - b^2", "a^{2} + b^{2} for a^{2} - b^{2}"},
    {"a half lost", "\\mathbb{E}_{q(x)}[\\log q(x)] = -\\tfrac12\\log(2\\pi) - \\log s - \\frac12",
     "\\log(2 \\cdot \\pi) for \\frac{1}{2} \\log(2 \\cdot \\pi)"},
    {"a half too much", "a b + b a = 2 a b", "0.5"},
    {"a 2 too much", "a b + a = a (b + 1)", "2 "},
    {"2 pi lost", "\\log q(a) = -\\tfrac12\\log(2\\pi s^2)", "s^{2} for 2 \\cdot \\pi s^{2}"},
    {"a log lost", "\\log(s t) = \\log s + \\log t", "s for \\log(s)"},
    {"sigma^2 for sigma", "\\log(s t) = \\log s + \\log t", "s^{2} for s"},
    {"sigma for sigma^2", "\\mathbb{E}_{q(x)}[(x - a)^2] = s^2", "s for s^{2}"},
    {"log sigma for log sigma^2", "2\\log s + a = \\log s^2 + a", "s for s^{2}"},
    {"two symbols of one type swapped",
     "\\lVert\\mu - \\tilde\\mu\\rVert^2 = \\sum_{j=1}^J (\\mu_j^2 - 2\\mu_j\\tilde\\mu_j + "
     "\\tilde\\mu_j^2)",
     "\\mu for \\tilde{\\mu}"},
    {"two weights swapped",
     "\\sum_{c=1}^K \\pi_c (\\log\\pi_c - \\log\\gamma_c) = \\sum_{c=1}^K "
     "\\pi_c\\log\\frac{\\pi_c}{\\gamma_c}",
     "\\gamma for \\pi"},
    {"an index fixed", "\\lVert\\mu\\rVert^2 = \\sum_{j=1}^J \\mu_j^2", "\\mu_{1} for \\mu_{j}"},
    {"an index moved", "\\operatorname{tr}(A A^\\top) = \\sum_{i=1}^J\\sum_{j=1}^J A_{i,j} A_{i,j}",
     "A_{j,j} for A_{i,j}"},
    {"a sum's range changed", "\\mathbf{1}^\\top\\mu = \\sum_{j=1}^J \\mu_j",
     "\\sum_{j=2}^{J} \\mu_{j} for"},
    {"a KL's arguments exchanged",
     "\\log\\frac{t}{s} + \\frac{s^2 + (a-b)^2}{2t^2} - \\frac12 = D_{KL}(q\\|r)",
     "D_{KL}(r(x) \\| q(x)) for"},
    {"the density under an expectation swapped", "a + b - b = \\mathbb{E}_{q(x)}[x] + 0\\,r(b)",
     "\\mathbb{E}_{r(x)}[x] for"},
    {"a conditional lost",
     "0 r(x) - \\tfrac12 (x - m_c)^2 - \\tfrac12\\log(6.283185307179586) = "
     "\\log p(x\\mid c) + 0 r(x)",
     "r(x) for p(x\\mid c)"},
    {"an importance weight lost", "b = \\mathbb{E}_{q(x)}\\Big[\\frac{r(x)}{q(x)} x\\Big]",
     "x for \\frac{r(x)}{q(x)} x"},
    {"a sum for a mean", "\\frac{\\mathbf{1}^\\top\\mu}{J} = \\frac1J\\sum_{j=1}^J \\mu_j",
     "\\sum_{j=1}^{J} \\mu_{j} for \\frac{1}{J} \\sum_{j=1}^{J} \\mu_{j}"},
    {"two sums' ranges swapped", "\\sum_{k=1}^K\\sum_{j=1}^J j = \\sum_{j=1}^J\\sum_{k=1}^K j",
     "\\sum_{j=1}^{K} "},
    {"a transpose lost", "(A B)^\\top = B^\\top A^\\top", "A for A^\\top"},
    {"an inverse lost", "(A B)^{-1} = B^{-1} A^{-1}", "A for A^{-1}"},
    {"a bracket moved", "a b + a s = a (b + s)", "a b + s for a (b + s)"},
    {"a zero vector that is none", "\\nabla_\\mu (a - a) = \\mathbf{0}", "\\mathbf{1} for 0"},
    {"an arg-min for an arg-max", "\\arg\\max_x (-((x - a)^2)) = \\arg\\min_x (x - a)^4",
     "\\arg\\max_{x} "},
    {"an expectation lost", "a = \\mathbb{E}_{q(x)}[x]", "x for"},
    {"the inequality strengthened", "a^2 + b^2 \\ge 2 a b", "= for \\ge"},
    {"the inequality reversed", "a^2 + b^2 \\ge 2 a b", "\\le for \\ge"},
    {"a strict inequality reversed", "a^2 + 1 > 2 a - 1", "\\le for >"},
};

static void expect_killed(const slip *s, const ev_claim *claim, uint64_t seed)
{
    ev_budget budget = ev_budget_for(0);
    ev_strength_request request = {.id = claim->id, .seed = seed, .budget = &budget};
    ev_arena *arena = ev_arena_create();
    ev_mutant *mutants;
    size_t count = 0, found = 0;
    budget.effort.alpha = 1e-12;
    cr_assert_eq(ev_strength_mutants(&claim->formula, 0, arena, &mutants, &count), EV_OK);
    for (size_t i = 0; i < count; i++) {
        ev_verdict verdict = EV_HOLDS;
        if (strstr(mutants[i].text, s->mutant) == NULL)
            continue;
        cr_assert_eq(ev_strength_verdict(&mutants[i].formula, &request, &verdict), EV_OK);
        found += verdict == EV_REFUTED || verdict == EV_VOID;
    }
    cr_expect_gt(found, 0, "%s, seed %zu: no mutant with \"%s\" is killed, of %zu of %s", s->kind,
                 (size_t)seed, s->mutant, count, s->claim);
    if (found == 0)
        for (size_t i = 0; i < count; i++)
            fprintf(stderr, "    %s\n", mutants[i].text);
    ev_arena_destroy(arena);
}

Test(mutants, each_kind_of_slip_is_made_and_noticed, .timeout = 120)
{
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        char text[4096];
        snprintf(text, sizeof text, "%s<!-- claim: it -->\n$$ %s $$\n", setting, slips[i].claim);
        ev_document *document = document_parse(text);
        expect_killed(&slips[i], &document->claims[0], 7);
        ev_document_destroy(document);
    }
}

/* The objective with its log lost has its minimum in the same corner for most of the targets, and
 * the clamp with an exponential lost has the same derivative but for b between log l and l. */
Test(mutants, what_differs_at_few_points_is_noticed_under_every_seed, .timeout = 120)
{
    static const slip rare[] = {
        {"a log lost",
         "\\arg\\min_\\phi \\mathbb{E}_{q(x)}\\Big[f(x)\\log\\frac{1}{q(x)}\\Big] = "
         "\\arg\\min_\\phi \\mathbb{E}_{q(x)}\\Big[2 f(x)\\log\\frac{1}{q(x)}\\Big]",
         "2 f(x) for 2 f(x) \\log(\\frac{1}{q(x)})"},
        {"an exp lost", "\\frac{d}{db} \\min(\\exp(b), \\exp(l)) = \\exp(b)\\,\\mathbb{1}[b < l]",
         "l for \\exp(l)"},
    };
    for (size_t i = 0; i < sizeof rare / sizeof *rare; i++) {
        char text[4096];
        snprintf(
            text, sizeof text,
            "Let $\\phi \\in [-1,1]^2$, $\\theta \\in [-0.5,0.5]$, $b \\in [-30,30]$ and $l \\in "
            "[1,20]$, with $b \\ne l$. Define $q(x) = \\mathcal{N}(x; \\phi_1, "
            "\\exp(2\\phi_2))$ and $f(x) = \\mathcal{N}(x; \\theta, 0.2)$.\n\n"
            "<!-- claim: it -->\n$$ %s $$\n",
            rare[i].claim);
        ev_document *document = document_parse(text);
        for (uint64_t seed = 1; seed <= 30; seed++)
            expect_killed(&rare[i], &document->claims[0], seed);
        ev_document_destroy(document);
    }
}
