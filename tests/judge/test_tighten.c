/* False bounds that fail in a corner of their domain, which are to be refuted whatever the seed, and
 * true ones that are attained, which must not be.  That each is false or true is elementary; the
 * point at which it fails or is attained stands beside it. */
#include "judge/documents.h"

#include <math.h>

#define NUMBERS                                                                                  \
    "Assume $x, m, a, b \\in \\mathbb{R}$, $s, t, r \\in \\mathbb{R}_{>0}$, $u \\in (0,1)$, "    \
    "$\\lambda \\in \\mathbb{R}_{\\ge0}$, $z \\in \\mathbb{R}$, $J \\in \\{1,\\dots,3\\}$, "     \
    "$\\mu, \\nu, y \\in \\mathbb{R}^J$, $\\sigma, \\tau \\in \\mathbb{R}_{>0}^J$, "             \
    "$K \\in \\{2,\\dots,3\\}$, $\\pi, \\rho \\in \\Delta_{>0}^{K-1}$, $v \\in \\mathbb{R}^K$ "  \
    "and $d \\in \\mathbb{R}_{>0}^K$. Define $q(z) = \\mathcal{N}(z; m, s^2)$ and $p(x\\mid z) " \
    "= \\mathcal{N}(x; z, t^2)$."

static const char *const false_bounds[] = {
    "\\mathcal{N}(x; m, s^2) \\le 1",                                     /* x = m, s small */
    "\\log\\mathcal{N}(x; m, s^2) \\le 0",                                /* the same */
    "\\mathbb{E}_{q(z)}[\\log p(x\\mid z)] \\le 0",                       /* x = m, s and t small */
    "-\\log p(x\\mid z) \\ge 0",                                          /* x = z, t small */
    "\\log\\mathcal{N}(y; \\mu, \\operatorname{diag}(\\sigma^2)) \\le 0", /* y = mu, sigma small */
    "\\log\\mathcal{N}(y; \\mu, I) \\le -\\tfrac12 J\\log(2\\pi) - \\tfrac12", /* y = mu */
    "\\sum_{k=1}^K \\rho_k\\,\\mathcal{N}(x; v_k, d_k^2) \\le 1",              /* x = v, d small */
    "\\frac{(x-m)^2}{s^2} \\ge \\frac{(x-m)^2}{t^2} - 1", /* t < s, x far from m */
    "\\frac{(x-m)^2}{2s^2} + \\log s \\ge 0",             /* x = m, s < 1 */
    ("\\tfrac12\\Big(\\frac{s^2}{t^2} + \\frac{(m-b)^2}{t^2} + \\log\\frac{t^2}{s^2}\\Big) \\ge "
     "\\tfrac12 + 0.01"),                          /* s = t, m = b */
    "\\exp(a) \\ge a + 1.05",                      /* a = 0 */
    "-u\\log u \\le 0.36",                         /* u = 1/e: 0.3679 */
    "u(1-u) \\le 0.24",                            /* u = 1/2: 0.25 */
    "u^2(1-u) \\le 0.147",                         /* u = 2/3: 0.1481 */
    "\\lambda \\exp(-\\lambda) \\le 0.36",         /* lambda = 1: 0.3679 */
    "a^2 - 3a + 2 \\ge 0",                         /* a = 3/2: -1/4 */
    "\\exp(-a^2)\\exp(-(b-a-1)^2) \\le 0.8",       /* a = 0, b = 1: 1 */
    "\\tfrac12(s^2 + a^2 - 1) - \\log s \\ge 0.3", /* s = 1, a = 0: 0 */
    "\\sum_{k=1}^K \\pi_k^2 \\ge \\frac{1}{K-1}",  /* K = 2, pi = (1/2, 1/2) */
};

static const char *const true_bounds[] = {
    "\\exp(a) \\ge a + 1",                                      /* = at 0 */
    "D_{KL}(q(z)\\|\\mathcal{N}(z; b, t^2)) \\ge 0",            /* Gibbs; = at q = p */
    "\\sum_{k=1}^K \\pi_k \\log\\frac{\\pi_k}{\\rho_k} \\ge 0", /* the same */
    "\\mathbb{E}_{q(z)}[\\exp(a z)] \\ge \\exp(a m)",           /* Jensen; = at a = 0 */
    "\\mathbb{E}_{q(z)}[z^2] \\ge m^2",
    "\\log\\sum_{k=1}^K \\pi_k \\exp(v_k) \\ge \\sum_{k=1}^K \\pi_k v_k", /* = at equal v */
    "\\mathbb{E}_{q(z)}[\\operatorname{softplus}(z)] \\ge \\operatorname{softplus}(m)",
    ("\\mathbb{E}_{q(z)}[\\log p(x\\mid z)] - D_{KL}(q(z)\\|\\mathcal{N}(z; 0, 1)) \\le "
     "\\log\\mathcal{N}(x; 0, 1 + t^2)"), /* = at the posterior */
    "\\mathbb{E}_{q(z)}[\\log p(x\\mid z)] - D_{KL}(q(z)\\|\\mathcal{N}(z; 0, 1)) \\le 0",
    "\\lVert\\mu + \\nu\\rVert \\le \\lVert\\mu\\rVert + \\lVert\\nu\\rVert", /* = at mu = nu */
    "(\\mu^\\top\\nu)^2 \\le \\lVert\\mu\\rVert^2\\lVert\\nu\\rVert^2",
    "\\sum_{k=1}^K \\pi_k^2 \\ge \\frac1K", /* = at 1/K */
    "u(1-u) \\le \\tfrac14",                /* = at 1/2 */
    "\\sqrt{s t} \\le \\tfrac12(s + t)",    /* = at s = t */
    "\\exp(-a^2) \\le 1",
    "\\lambda\\exp(-\\lambda) \\le \\exp(-1)", /* = at 1 */
    "(a + b)^2 \\le 2a^2 + 2b^2",
};

/* Strict bounds that fail where the sides are equal, exactly. */
static const char *const false_strict_bounds[] = {
    "\\lambda^2 + a^2 > 0",      /* = at 0 */
    "\\min(a, b) < \\max(a, b)", /* = at a = b */
};

#define LENGTH(table) (sizeof(table) / sizeof *(table))

static void judge_bounds(size_t count, const char *const *bounds, ev_effort_level effort,
                         uint64_t seed, ev_verdict wanted)
{
    for (size_t i = 0; i < count; i++) {
        char text[2000];
        snprintf(text, sizeof text, DOCUMENT(NUMBERS, "", "%s"), bounds[i]);
        ev_judge_options options = quick_options();
        options.effort = effort;
        options.seed = seed;
        ev_ledger *ledger = document_judge(text, NULL, options);
        const ev_record *r = &ledger->records[0];
        cr_expect_eq(r->verdict, wanted, "%s, seed %d: %s (%s) [%s]", bounds[i], (int)seed,
                     ev_verdict_name(r->verdict), r->reason, r->witness);
        cr_expect_leq(ledger->comparisons_spent, ledger->comparisons_planned);
        ev_ledger_destroy(ledger);
    }
}

Test(tighten, a_bound_that_fails_in_a_corner_is_refuted_at_quick_effort_whatever_the_seed)
{
    for (uint64_t seed = 1; seed <= 8; seed++)
        judge_bounds(LENGTH(false_bounds), false_bounds, EV_EFFORT_QUICK, seed, EV_REFUTED);
}

Test(tighten, a_bound_that_fails_in_a_corner_is_refuted_at_full_effort_whatever_the_seed)
{
    for (uint64_t seed = 1; seed <= 8; seed++)
        judge_bounds(LENGTH(false_bounds), false_bounds, EV_EFFORT_FULL, seed, EV_REFUTED);
}

Test(tighten, a_strict_bound_is_refuted_where_the_sides_are_exactly_equal)
{
    for (uint64_t seed = 1; seed <= 8; seed++)
        judge_bounds(LENGTH(false_strict_bounds), false_strict_bounds, EV_EFFORT_QUICK, seed,
                     EV_REFUTED);
}

/* b, which the bound does not name, must give way for a to reach 3/2. */
Test(tighten, a_condition_on_symbols_beside_the_bound_does_not_stand_in_the_way)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        ev_judge_options options = quick_options();
        options.seed = seed;
        ev_ledger *ledger = document_judge(
            DOCUMENT("Assume $a, b \\in \\mathbb{R}$ and $a < b$.", "", "a^2 - 3a + 2 \\ge 0"),
            NULL, options);
        cr_expect_eq(ledger->records[0].verdict, EV_REFUTED, "seed %d", (int)seed);
        ev_ledger_destroy(ledger);
    }
}

Test(tighten, a_bound_that_is_attained_holds)
{
    for (uint64_t seed = 1; seed <= 8; seed++)
        judge_bounds(LENGTH(true_bounds), true_bounds, EV_EFFORT_QUICK, seed, EV_HOLDS);
}
