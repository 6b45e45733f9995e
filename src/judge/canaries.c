#include "judge/canaries.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *id;
    ev_verdict planted;
} planted[] = {{"identity", EV_REFUTED},
               {"identity-right", EV_HOLDS},
               {"integral", EV_REFUTED},
               {"bound", EV_REFUTED},
               {"bound-right", EV_HOLDS},
               {"estimator", EV_REFUTED},
               {"estimator-right", EV_HOLDS},
               {"gradient", EV_REFUTED},
               {"gradient-right", EV_HOLDS},
               {"proportional", EV_REFUTED},
               {"proportional-right", EV_HOLDS},
               {"arg-min", EV_REFUTED},
               {"arg-min-right", EV_HOLDS},
               {"matrix", EV_REFUTED},
               {"matrix-right", EV_HOLDS},
               {"discrete", EV_REFUTED},
               {"discrete-right", EV_HOLDS},
               {"constant", EV_REFUTED},
               {"small", EV_REFUTED},
               {"zero", EV_REFUTED},
               {"underflow", EV_UNDECIDED},
               {"undecided", EV_UNDECIDED},
               {"vacuous", EV_VACUOUS},
               {"undefined", EV_VOID},
               {"heavy", EV_VOID},
               {"statement", EV_SKIPPED}};
enum { PLANTED = sizeof planted / sizeof *planted };

/* Every wrong line is a right one with one slip in it; `small` is off by 1e-7 of itself. */
static const char text[] =
    "Let $a, m \\in \\mathbb{R}$, $s \\in \\mathbb{R}_{>0}$, $x \\in \\mathbb{R}$, "
    "$N \\in \\{2,\\dots,3\\}$, $d \\in \\{2,\\dots,3\\}$, $K \\in \\{2,\\dots,3\\}$, "
    "$c \\in \\{1,\\dots,K\\}$, $w \\in \\Delta_{>0}^{K-1}$, $t \\in \\mathbb{R}^K$ and let "
    "$A, B \\in \\mathbb{R}^{d\\times d}$ be invertible. Define $q(x) = \\mathcal{N}(x; m, s^2)$, "
    "$p(c) = w_c$, $p(x\\mid c) = \\mathcal{N}(x; t_c, 1)$, "
    "$p(x) = \\sum_{c=1}^K p(c)p(x\\mid c)$ and $p(c\\mid x) = \\frac{p(c)p(x\\mid c)}{p(x)}$. "
    "Let $x_1,\\dots,x_N \\sim q(x)$. Let $k \\perp m$.\n\n"
    "<!-- claim: identity -->\n$$ (a+m)^2 = a^2 + m^2 $$\n\n"
    "<!-- claim: identity-right -->\n$$ (a+m)^2 = a^2 + 2am + m^2 $$\n\n"
    "<!-- claim: integral -->\n$$ \\mathbb{E}_{q(x)}[x^2] = m^2 + s $$\n\n"
    "<!-- claim: bound -->\n$$ \\mathbb{E}_{q(x)}[\\exp(x)] \\le \\exp(m) $$\n\n"
    "<!-- claim: bound-right -->\n$$ \\mathbb{E}_{q(x)}[\\exp(x)] \\ge \\exp(m) $$\n\n"
    "<!-- claim: estimator -->\n"
    "$$ s^2 \\approx \\frac1N\\sum_{i=1}^N \\Big(x_i - \\frac1N\\sum_{j=1}^N x_j\\Big)^2 $$\n\n"
    "<!-- claim: estimator-right -->\n$$ m \\approx \\frac1N\\sum_{i=1}^N x_i $$\n\n"
    "<!-- claim: gradient -->\n"
    "$$ \\nabla_m \\mathbb{E}_{q(x)}[x^2] = \\mathbb{E}_{q(x)}[\\nabla_m x^2] $$\n\n"
    "<!-- claim: gradient-right -->\n"
    "$$ \\nabla_m \\mathbb{E}_{q(x)}[x^2] = \\mathbb{E}_{q(x)}[x^2 \\nabla_m\\log q(x)] $$\n\n"
    "<!-- claim: proportional -->\n$$ p(c\\mid x) \\propto p(x\\mid c) $$\n\n"
    "<!-- claim: proportional-right -->\n$$ p(c\\mid x) \\propto p(c)p(x\\mid c) $$\n\n"
    "<!-- claim: arg-min -->\n$$ \\arg\\min_m (m-a)^2 = \\arg\\min_m ((m-a)^2 + m) $$\n\n"
    "<!-- claim: arg-min-right -->\n$$ \\arg\\min_m (m-a)^2 = \\arg\\min_m (m-a)^4 $$\n\n"
    "<!-- claim: matrix -->\n$$ (AB)^{-1} = A^{-1}B^{-1} $$\n\n"
    "<!-- claim: matrix-right -->\n$$ (AB)^{-1} = B^{-1}A^{-1} $$\n\n"
    "<!-- claim: discrete -->\n$$ \\mathcal{H}(p(c)) = \\sum_{c=1}^K w_c\\log w_c $$\n\n"
    "<!-- claim: discrete-right -->\n$$ \\mathcal{H}(p(c)) = -\\sum_{c=1}^K w_c\\log w_c $$\n\n"
    "<!-- claim: constant -->\n$$ -\\log q(x) = \\frac{(x-m)^2}{s^2} + k $$\n\n"
    "<!-- claim: small -->\n$$ \\mathbb{E}_{q(x)}[x^2] = (m^2 + s^2)(1 + 10^{-7}) $$\n\n"
    "<!-- claim: zero -->\n$$ q(x) \\propto 0 \\exp(-x^2) $$\n\n"
    "<!-- claim: underflow -->\n$$ \\exp(-1000 - s) = \\exp(-2000 - s) $$\n\n"
    "<!-- claim: undecided -->\n$$ \\mathbb{E}_{q(x)}[x] < m $$\n\n"
    "<!-- claim: undefined -->\n$$ \\log(-s) = \\log(-s) $$\n\n"
    "<!-- claim: heavy -->\n"
    "$$ \\mathbb{E}_{x\\sim\\mathcal{N}(0,1)}[\\exp((1+s)x^2)] = "
    "\\mathbb{E}_{x\\sim\\mathcal{N}(0,1)}[\\exp((1+s)x^2)] $$\n\n"
    "<!-- claim: statement -->\n> Nobody decides this.\n\n"
    "# An impossible condition\n\nSuppose $s < 0$.\n\n"
    "<!-- claim: vacuous -->\n$$ s = s $$\n";

static void compare(const ev_ledger *ledger, ev_canaries *result)
{
    for (size_t i = 0; i < PLANTED; i++) {
        ev_verdict found = EV_VERDICT_COUNT;
        for (size_t k = 0; k < ledger->count; k++)
            if (strcmp(ledger->records[k].claim, planted[i].id) == 0)
                found = ledger->records[k].verdict;
        if (found == planted[i].planted)
            result->as_planted++;
        else if (result->first_failure[0] == '\0')
            snprintf(result->first_failure, sizeof result->first_failure,
                     "%s: planted %s, found %s", planted[i].id, ev_verdict_name(planted[i].planted),
                     found == EV_VERDICT_COUNT ? "nothing" : ev_verdict_name(found));
    }
}

ev_status ev_canaries_judge(uint64_t seed, ev_canaries *result, ev_error *error)
{
    static const ev_check_entry none[] = {{NULL, NULL}};
    *result = (ev_canaries){.total = PLANTED};
    ev_document *document = NULL;
    ev_ledger *ledger = NULL;
    ev_judge_options options = EV_JUDGE_DEFAULTS;
    options.seed = seed;
    options.effort = EV_EFFORT_QUICK;
    options.shrink = false;
    ev_status status = ev_document_parse("canaries", text, sizeof text - 1, &document, error);
    if (status == EV_OK)
        status = ev_judge_documents(&document, 1, none, &options, &ledger, error);
    if (status == EV_OK)
        compare(ledger, result);
    ev_ledger_destroy(ledger);
    ev_document_destroy(document);
    return status;
}
