/* The check is itself checked: true lines kill their mutants, weak lines show survivors, and false
 * lines are diagnosed with the edit that mends them. */
#include <criterion/criterion.h>

#include "document/document.h"
#include "judge/declared.h"
#include "judge/judge.h"
#include "judge/strength.h"

#include <stdio.h>
#include <string.h>

static ev_ledger *judge(const char *text)
{
    ev_document *document = NULL;
    ev_error error = EV_ERROR_NONE;
    cr_assert(ev_document_parse("t.md", text, strlen(text), &document, &error) == EV_OK,
              "%zu:%zu: %s", error.line, error.column, error.message);
    ev_judge_options options = EV_JUDGE_DEFAULTS;
    options.effort = EV_EFFORT_QUICK;
    options.threads = 1;
    options.mutants = true;
    static const ev_check_entry none[] = {{NULL, NULL}};
    ev_ledger *ledger = NULL;
    cr_assert(ev_judge_documents(&document, 1, none, &options, &ledger, &error) == EV_OK);
    ev_document_destroy(document);
    return ledger;
}

static const char *const gaussian =
    "Let $J \\in \\{1,\\dots,3\\}$, $\\mu, \\tilde\\mu \\in \\mathbb{R}^J$ and $\\sigma, "
    "\\tilde\\sigma \\in \\mathbb{R}_{>0}^J$.\n\n";

typedef struct {
    const char *attributes, *claim;
} line;

static ev_ledger *judge_line(const char *declarations, const line *l)
{
    char text[4096];
    snprintf(text, sizeof text, "%s<!-- claim: c%s -->\n$$ %s $$\n", declarations, l->attributes,
             l->claim);
    return judge(text);
}

Test(strength, every_slip_in_the_gaussian_divergence_is_noticed)
{
    char declarations[2048];
    snprintf(declarations, sizeof declarations,
             "%sDefine $q(z) = \\mathcal{N}(z; \\tilde\\mu, "
             "\\operatorname{diag}(\\tilde\\sigma^2))$ and "
             "$p(z) = \\mathcal{N}(z; \\mu, \\operatorname{diag}(\\sigma^2))$.\n\n",
             gaussian);
    line l = {"", "D_{KL}(q\\|p) = "
                  "\\frac12\\sum_{j=1}^J\\Big(\\log\\frac{\\sigma_j^2}{\\tilde\\sigma_j^2} - 1 + "
                  "\\frac{\\tilde\\sigma_j^2 + (\\mu_j - \\tilde\\mu_j)^2}{\\sigma_j^2}\\Big)"};
    ev_ledger *ledger = judge_line(declarations, &l);
    const ev_record *r = &ledger->records[0];
    cr_expect(r->verdict == EV_HOLDS);
    cr_expect(r->mutants_total >= 30, "only %zu mutants", r->mutants_total);
    cr_expect(r->mutants_killed == r->mutants_total, "survivors: %s", r->survivors);
    ev_ledger_destroy(ledger);
}

Test(strength, mutants_for_which_no_operations_are_left_are_undecided)
{
    char text[4096];
    snprintf(text, sizeof text,
             "%sDefine $q(z) = \\mathcal{N}(z; 0, 1)$.\n\n<!-- claim: c -->\n"
             "$$ \\mathbb{E}_{q(z)}[\\sigma_1 z^2 + \\mu_1 z] = \\sigma_1 $$\n",
             gaussian);
    ev_document *document = NULL;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_document_parse("t.md", text, strlen(text), &document, &error), EV_OK);
    ev_budget budget = ev_budget_for(0);
    ev_strength_request request = {.id = "c", .seed = 3, .budget = &budget};
    ev_arena *arena = ev_arena_create();
    ev_strength all, few;
    budget.effort.alpha = 1e-12;
    const ev_formula *formula = &document->claims[0].formula;
    cr_assert_eq(ev_strength_measure(formula, 0, &request, arena, &all), EV_OK);
    budget.operations = all.total * 1000;
    cr_assert_eq(ev_strength_measure(formula, 0, &request, arena, &few), EV_OK);
    cr_expect(all.undecided == 0 && all.killed >= 15, "%zu of %zu", all.killed, all.total);
    cr_expect(few.killed < all.killed && few.undecided >= all.killed - few.killed,
              "%zu, and %zu of %zu undecided", few.killed, few.undecided, few.total);
    cr_expect_geq(few.total, all.total, "none is lost");
    ev_arena_destroy(arena);
    ev_document_destroy(document);
}

Test(strength, a_line_that_can_not_notice_an_edit_shows_it_as_a_survivor)
{
    static const line l = {"", "\\sum_{j=1}^J 0\\,\\mu_j = 0"};
    ev_ledger *ledger = judge_line(gaussian, &l);
    const ev_record *r = &ledger->records[0];
    cr_expect(r->verdict == EV_HOLDS);
    cr_expect(r->mutants_killed < r->mutants_total);
    cr_expect(!ev_record_green(r), "a survivor is not green");
    cr_expect(strstr(r->survivors, "\\mu_{1} for \\mu_{j}") != NULL, "survivors: %s", r->survivors);
    ev_ledger_destroy(ledger);
}

Test(strength, a_declared_equivalent_is_no_survivor_and_a_false_declaration_is_red)
{
    static const char *d = "Let $a, b \\in \\mathbb{R}$, $J \\in \\{1,\\dots,3\\}$, $u \\in "
                           "\\mathbb{R}^J$ and $A \\in \\mathbb{R}^{J\\times J}$.\n\n";
    static const line honest = {"  equivalent: A for A^\\top -- a number is its own transpose",
                                "u^\\top A u = u^\\top A^\\top u"};
    static const line lying[] = {{"  equivalent: a + a for a -- no such mutant", "a a = a^2"},
                                 {"  equivalent: a - b for a + b -- no", "a + b = b + a"}};
    ev_ledger *ledger = judge_line(d, &honest);
    cr_expect(ledger->records[0].verdict == EV_HOLDS, "%s", ledger->records[0].reason);
    cr_expect_eq(ledger->records[0].mutants_equivalent, 1);
    ev_ledger_destroy(ledger);
    for (size_t i = 0; i < 2; i++) {
        ledger = judge_line(d, &lying[i]);
        cr_expect(ledger->records[0].verdict == EV_VOID, "%s", lying[i].attributes);
        cr_expect_not_null(strstr(ledger->records[0].reason, "no mutant of that name passes"));
        ev_ledger_destroy(ledger);
    }
}

/* A mutant whose text has semicolons of its own; the entries behind it are found too. */
Test(strength, a_declared_equivalent_may_have_semicolons_within_brackets)
{
    static const char *d = "Let $z, a \\in \\mathbb{R}$ and $s \\in \\mathbb{R}_{>0}$.\n\n";
    static const line l = {
        "  equivalent: \\mathcal{N}(z; a, s) for \\mathcal{N}(z; a, s) \\mathbb{1}[s > 0] -- a "
        "factor 1; "
        "s^{2} for s -- within it; \\mathcal{N}(z; a, s) for s -- no such mutant",
        "\\mathcal{N}(z; a, s) \\mathbb{1}[s > 0] = \\mathcal{N}(z; a, s)"};
    ev_ledger *ledger = judge_line(d, &l);
    const ev_record *r = &ledger->records[0];
    cr_expect_eq(r->mutants_equivalent, 2, "%zu: %s", r->mutants_equivalent, r->reason);
    cr_expect(r->verdict == EV_VOID, "%s", r->reason);
    cr_expect_not_null(strstr(r->reason, ": \\mathcal{N}(z; a, s) for s"), "%s", r->reason);
    ev_ledger_destroy(ledger);
}

/* Sides that underflow agree, and so do wrong ones: a step that has nothing else says so. */
Test(strength, sides_that_vanish_everywhere_do_not_hold)
{
    static const char *d = "Let $s, t \\in \\mathbb{R}_{>0}$, $K \\in \\{2,\\dots,4\\}$, "
                           "$c \\in \\{1,\\dots,K\\}$, $\\pi \\in \\Delta_{>0}^{K-1}$ and "
                           "$z \\in \\mathbb{R}$.  Define $q(z) = \\mathcal{N}(z; s, t^2)$, "
                           "$p(c) = \\pi_c$, $r(c) = 10^{-200}\\pi_c$ and "
                           "$u(c) = \\mathbb{1}[\\sin(c z) > 2]$.\n\n";
    static const struct {
        line line;
        ev_verdict verdict;
    } cases[] = {{{"", "\\exp(-1000 - s^2) = \\exp(-1000 - t^2)"}, EV_UNDECIDED},
                 {{"", "\\exp(-800 - s) \\ge 2 \\exp(-800 - s)"}, EV_UNDECIDED},
                 {{"", "q(z) \\propto \\exp(-10000 z^2 - 10000)"}, EV_UNDECIDED},
                 {{"", "q(z) \\propto 0 \\exp(-z^2)"}, EV_REFUTED},
                 {{"", "p(c) \\propto \\max(0, -\\pi_c)"}, EV_REFUTED},
                 {{"", "r(c) \\propto 10^{-200} \\pi_c^2"}, EV_UNDECIDED},
                 {{"", "\\mathbb{1}[\\sin z > 2] = 2\\,\\mathbb{1}[\\sin z > 2]"}, EV_UNDECIDED},
                 {{"", "\\mathbb{1}[\\sin z > 2] \\le 2\\,\\mathbb{1}[\\sin z > 2]"}, EV_UNDECIDED},
                 {{"", "\\mathbb{1}[\\sin z > 2] = \\mathbb{1}[\\sin z > 2]"}, EV_HOLDS},
                 {{"", "\\mathbb{1}[\\sin z > 2] = 0"}, EV_HOLDS},
                 {{"", "u(c) \\propto 2\\,\\mathbb{1}[\\sin(c z) > 2]"}, EV_UNDECIDED},
                 {{"", "s - s = 0"}, EV_HOLDS}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ev_ledger *ledger = judge_line(d, &cases[i].line);
        cr_expect_eq(ledger->records[0].verdict, cases[i].verdict, "%s: %s (%s)",
                     cases[i].line.claim, ev_verdict_name(ledger->records[0].verdict),
                     ledger->records[0].reason);
        ev_ledger_destroy(ledger);
    }
}

/* What has no x in it is a constant factor of e^(...), whatever edit is made of it; the exponent's
 * other terms are not, nor is a sign. */
Test(strength, a_constant_factor_is_no_mutant_of_a_proportionality)
{
    static const char *d =
        "Let $x, m, a, b \\in \\mathbb{R}$ and $s \\in \\mathbb{R}_{>0}$. Define "
        "$p(x) = \\mathcal{N}(x; m, s^2)$.\n\n";
    static const char *const right[] = {
        "\\exp\\Big(-\\frac{(x-m)^2}{2s^2}\\Big)", "3\\exp\\Big(-\\frac{(x-m)^2}{2s^2} + a\\Big)",
        "s \\exp\\Big(-\\frac{x^2}{2s^2}\\Big) e^{a b}\\exp\\Big(\\frac{x m}{s^2}\\Big)"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        char claim[256];
        snprintf(claim, sizeof claim, "p(x) \\propto %s", right[i]);
        line l = {"", claim};
        ev_ledger *ledger = judge_line(d, &l);
        const ev_record *r = &ledger->records[0];
        cr_expect(r->verdict == EV_HOLDS, "%s", r->reason);
        cr_expect(r->mutants_total >= 20, "only %zu mutants of %s", r->mutants_total, claim);
        cr_expect(r->mutants_killed == r->mutants_total, "%s: survivors: %s", claim, r->survivors);
        ev_ledger_destroy(ledger);
    }
}

Test(strength, an_inequality_is_broken_at_its_sign)
{
    static const char *d = "Let $a, b \\in \\mathbb{R}$.\n\n";
    static const line strict = {"", "a^2 + b^2 \\ge 2ab"}, slack = {"", "a + b \\ge b + a"};
    ev_ledger *ledger = judge_line(d, &strict);
    cr_expect(ledger->records[0].mutants_killed == 2 && ledger->records[0].mutants_total == 2);
    ev_ledger_destroy(ledger);
    ledger = judge_line(d, &slack);
    cr_expect(ledger->records[0].mutants_killed == 0 && ledger->records[0].mutants_total == 2,
              "an identity in an inequality's clothes");
    ev_ledger_destroy(ledger);
}

/* Lines that somebody published, and the words of the repair that must be the first named. */
Test(strength, published_slips_are_diagnosed)
{
    char with_densities[2048];
    snprintf(with_densities, sizeof with_densities,
             "%sDefine $q(z) = \\mathcal{N}(z; \\tilde\\mu, "
             "\\operatorname{diag}(\\tilde\\sigma^2))$ and "
             "$p(z) = \\mathcal{N}(z; \\mu, \\operatorname{diag}(\\sigma^2))$.\n\n",
             gaussian);
    static const struct {
        const char *claim, *repair;
    } slips[] = {
        /* the divergence from N(0, I) with + log sigma^2 */
        {"D_{KL}(q\\|p) = \\sum_{j=1}^J\\Big(\\log\\sigma_j + \\log\\tilde\\sigma_j - \\frac12 + "
         "\\frac{\\tilde\\sigma_j^2 + (\\mu_j-\\tilde\\mu_j)^2}{2\\sigma_j^2}\\Big)",
         "-"},
        /* an entropy without its tilde */
        {"\\mathcal{H}(q) = \\frac12\\sum_{j=1}^J (1 + \\log(2\\pi\\sigma_j^2))",
         "\\tilde{\\sigma}"},
        /* a half lost */
        {"\\mathcal{H}(q) = \\sum_{j=1}^J (1 + \\log(2\\pi\\tilde\\sigma_j^2))", "0.5"},
        /* sigma for sigma^2 */
        {"\\mathcal{H}(q) = \\frac12\\sum_{j=1}^J (1 + \\log(2\\pi\\tilde\\sigma_j))", "^{2}"},
        /* the arguments exchanged */
        {"D_{KL}(q\\|p) = \\int p(z)(\\log p(z) - \\log q(z))\\,dz", ""}};
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        line l = {"  expect: refuted", slips[i].claim};
        ev_ledger *ledger = judge_line(with_densities, &l);
        const ev_record *r = &ledger->records[0];
        cr_expect(r->verdict == EV_REFUTED);
        if (slips[i].repair[0] != '\0')
            cr_expect(strncmp(r->diagnosis, "holds with", 10) == 0 &&
                          strstr(r->diagnosis, slips[i].repair) != NULL,
                      "%s\n  is diagnosed: %s", slips[i].claim, r->diagnosis);
        ev_ledger_destroy(ledger);
    }
}

Test(strength, what_no_single_edit_mends_is_said_to_have_none)
{
    static const line l = {"  expect: refuted", "\\sum_{j=1}^J \\mu_j^3 = \\exp(\\sigma_1) + 17"};
    ev_ledger *ledger = judge_line(gaussian, &l);
    cr_expect(strcmp(ledger->records[0].diagnosis, "no one-edit repair") == 0, "%s",
              ledger->records[0].diagnosis);
    ev_ledger_destroy(ledger);
}

Test(strength, declarations_are_told_apart_by_number_and_those_without_use_are_named)
{
    static const char *const text =
        "a for b \xe2\x80\x94 one reason; b + c for c; d for e -- another; "
        "a for b";
    char unused[40];
    cr_expect_eq(ev_declared_find(text, "a for b"), 1u | 8u);
    cr_expect_eq(ev_declared_find(text, "b + c for c"), 2u);
    cr_expect_eq(ev_declared_find(text, "d for e"), 4u);
    cr_expect_eq(ev_declared_find(text, "c for c"), 0u, "a part is not the whole");
    cr_expect_eq(ev_declared_find(NULL, "a for b"), 0u);
    cr_expect_null(ev_declared_unused(text, 15, sizeof unused, unused));
    cr_expect_str_eq(ev_declared_unused(text, 13, sizeof unused, unused), "b + c for c");
    cr_expect_str_eq(ev_declared_unused(text, 1, 4, unused), "b +");
    cr_expect_null(ev_declared_unused(NULL, 0, sizeof unused, unused));
}
