#include "judge/documents.h"

#include <math.h>

#define GAUSSIAN                                                       \
    "Assume $J \\in \\{1,\\dots,3\\}$, $\\mu \\in \\mathbb{R}^J$ and " \
    "$\\sigma \\in \\mathbb{R}_{>0}^J$. Define\n"                      \
    "$$ q(z) = \\mathcal{N}(z;\\, \\mu, \\operatorname{diag}(\\sigma^2)). $$\n"

#define MOMENT "\\mathbb{E}_{q(z)}\\Big[\\sum_{j=1}^{J} z_j^2\\Big]"

/* A chain of two relations, the second wrong by a lost square. */
static const char chain[] =
    "# A test\n\n" GAUSSIAN
    "\n<!-- claim: moments  expect: refuted@2 -->\n$$\n\\begin{aligned}\n" MOMENT
    " &= \\sum_{j=1}^{J} (\\mu_j^2 + \\sigma_j^2) \\\\\n"
    " &= \\sum_{j=1}^{J} (\\mu_j^2 + \\sigma_j)\n\\end{aligned}\n$$\n\n"
    "<!-- claim: positive -->\n$$\n" MOMENT " \\ge 0\n$$\n\n"
    "<!-- claim: said -->\n> Something that no relation says.\n";

Test(judge, every_step_and_statement_has_one_record_in_document_order)
{
    ev_ledger *ledger = document_judge_quickly(chain);
    cr_assert_eq(ledger->count, 4u);
    cr_assert_record(ledger, 0, EV_HOLDS);
    cr_assert_record(ledger, 1, EV_REFUTED);
    cr_assert_record(ledger, 2, EV_HOLDS);
    cr_assert_record(ledger, 3, EV_SKIPPED);
    cr_assert_str_eq(ledger->records[0].claim, "moments");
    cr_assert_eq(ledger->records[1].step, 2u);
    cr_assert_str_eq(ledger->records[2].relation, ">=");
    cr_assert_str_eq(ledger->records[3].relation, "statement");
    ev_tally tally = ev_ledger_tally(ledger);
    size_t sum = 0;
    for (size_t i = 0; i < EV_VERDICT_COUNT; i++)
        sum += tally.by_verdict[i];
    cr_assert_eq(sum, tally.total);
    cr_assert_eq(tally.total, 4u);
    cr_assert_eq(tally.green, 3u); /* the statement has no module */
    ev_ledger_destroy(ledger);
}

Test(judge, a_refutation_shows_a_witness_and_both_values)
{
    ev_ledger *ledger = document_judge_quickly(chain);
    const ev_record *r = &ledger->records[1];
    cr_assert_not_null(strstr(r->witness, "J = "), "%s", r->witness);
    cr_assert_not_null(strstr(r->witness, "\\sigma"), "%s", r->witness);
    cr_assert_gt(fabs(r->left_value.value - r->right_value.value), 1e-6);
    cr_assert_str_not_empty(r->reason);
    cr_assert_eq(r->expected, EV_REFUTED);
    cr_assert(ev_record_green(r));
    ev_ledger_destroy(ledger);
}

Test(judge, sampling_comparisons_stay_within_what_was_planned)
{
    ev_ledger *ledger = document_judge_quickly(chain);
    uint64_t spent = 0;
    double alpha = 0;
    for (size_t i = 0; i < ledger->count; i++) {
        spent += ledger->records[i].comparisons;
        alpha += ledger->records[i].alpha_spent;
    }
    cr_assert_gt(spent, 0u);
    cr_assert_eq(spent, ledger->comparisons_spent);
    cr_assert_leq(spent, ledger->comparisons_planned);
    cr_assert_leq(alpha, ledger->alpha_total);
    ev_ledger_destroy(ledger);
}

static void assert_same_double(double a, double b, const char *what)
{
    cr_assert_eq(memcmp(&a, &b, sizeof a), 0, "%s: %.17g and %.17g", what, a, b);
}

Test(judge, digits_do_not_depend_on_the_number_of_threads)
{
    ev_judge_options one = quick_options(), four = quick_options();
    four.threads = 4;
    ev_ledger *a = document_judge(chain, NULL, one), *b = document_judge(chain, NULL, four);
    cr_assert_eq(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const ev_record *x = &a->records[i], *y = &b->records[i];
        cr_assert_eq(x->verdict, y->verdict);
        cr_assert_str_eq(x->witness, y->witness);
        assert_same_double(x->left_value.value, y->left_value.value, "left");
        assert_same_double(x->right_value.value, y->right_value.value, "right");
        assert_same_double(x->left_value.sampling, y->left_value.sampling, "sampling");
        assert_same_double(x->agreeing_digits, y->agreeing_digits, "digits");
        assert_same_double(x->smallest_detectable, y->smallest_detectable, "detectable");
        cr_assert_eq(x->samples, y->samples);
        cr_assert_eq(x->evaluations, y->evaluations);
    }
    ev_ledger_destroy(a);
    ev_ledger_destroy(b);
}

Test(judge, a_pattern_selects_claims_and_steps)
{
    ev_judge_options options = quick_options();
    options.only = "moments@2";
    ev_ledger *ledger = document_judge(chain, NULL, options);
    cr_assert_eq(ledger->count, 1u);
    cr_assert_record(ledger, 0, EV_REFUTED);
    ev_ledger_destroy(ledger);
    options.only = "mom*";
    ledger = document_judge(chain, NULL, options);
    cr_assert_eq(ledger->count, 2u);
    ev_ledger_destroy(ledger);
    options.only = "nothing";
    ledger = document_judge(chain, NULL, options);
    cr_assert_eq(ledger->count, 0u);
    ev_ledger_destroy(ledger);
}

Test(judge, a_selected_step_has_the_same_verdict_and_witness_as_in_the_whole_run)
{
    ev_judge_options options = quick_options();
    ev_ledger *whole = document_judge(chain, NULL, options);
    options.only = "moments@2";
    ev_ledger *part = document_judge(chain, NULL, options);
    cr_assert_str_eq(part->records[0].witness, whole->records[1].witness);
    ev_ledger_destroy(whole);
    ev_ledger_destroy(part);
}

static size_t calls, last_done;
static void count_calls(void *context, size_t done, size_t total, const char *claim)
{
    cr_expect_eq(*(size_t *)context, total);
    cr_expect_gt(done, last_done);
    cr_expect_not_null(claim);
    last_done = done;
    calls++;
}

Test(judge, progress_is_reported_once_a_step_in_order)
{
    size_t total = 4;
    ev_judge_options options = quick_options();
    options.threads = 3;
    options.progress = count_calls;
    options.progress_context = &total;
    ev_ledger_destroy(document_judge(chain, NULL, options));
    cr_assert_eq(calls, 4u);
    cr_assert_eq(last_done, 4u);
}

static ev_verdict verdict_of(const char *text)
{
    ev_ledger *ledger = document_judge_quickly(text);
    cr_assert_eq(ledger->count, 1u);
    ev_verdict verdict = ledger->records[0].verdict;
    ev_ledger_destroy(ledger);
    return verdict;
}

Test(judge, an_unsatisfiable_domain_is_vacuous)
{
    cr_assert_eq(verdict_of(DOCUMENT("Assume $a \\in (0,1)$ with $a > 2$.", "", "a = a")),
                 EV_VACUOUS);
}

Test(judge, a_formula_that_is_not_defined_is_void)
{
    cr_assert_eq(
        verdict_of(DOCUMENT("Assume $a \\in \\mathbb{R}$.", "", "\\log(-1-a^2) = \\log(-1-a^2)")),
        EV_VOID);
}

Test(judge, a_lost_half_in_a_bound_is_refuted)
{
    cr_assert_eq(verdict_of(DOCUMENT("Assume $a, b \\in \\mathbb{R}$.", "",
                                     "ab \\le \\tfrac12 a^2 + \\tfrac12 b^2")),
                 EV_HOLDS);
    cr_assert_eq(verdict_of(DOCUMENT("Assume $a, b \\in \\mathbb{R}$.", "",
                                     "ab \\le \\tfrac12 a^2 + \\tfrac14 b^2")),
                 EV_REFUTED);
}

Test(judge, a_swapped_pair_of_dimensions_is_refuted)
{
    const char *assume = "Assume $J \\in \\{1,\\dots,3\\}$, $K \\in \\{1,\\dots,3\\}$ and "
                         "$a \\in \\mathbb{R}$.";
    char text[600];
    snprintf(text, sizeof text, "# A test\n\n%s\n\n<!-- claim: it -->\n$$\n%s\n$$\n", assume,
             "\\sum_{j=1}^{J} a = Ka");
    cr_assert_eq(verdict_of(text), EV_REFUTED);
    snprintf(text, sizeof text, "# A test\n\n%s\n\n<!-- claim: it -->\n$$\n%s\n$$\n", assume,
             "\\sum_{j=1}^{J}\\sum_{k=1}^{K} a = JKa");
    cr_assert_eq(verdict_of(text), EV_HOLDS);
}

Test(judge, documents_share_one_error_probability)
{
    ev_document *documents[] = {document_parse(chain), document_parse(chain)};
    ev_ledger *one, *two;
    ev_error error = EV_ERROR_NONE;
    ev_judge_options options = quick_options();
    cr_assert_eq(ev_judge_documents(documents, 1, NULL, &options, &one, &error), EV_OK);
    cr_assert_eq(ev_judge_documents(documents, 2, NULL, &options, &two, &error), EV_OK);
    cr_assert_eq(2 * one->comparisons_planned, two->comparisons_planned);
    cr_assert_eq(two->document_count, 2u);
    cr_assert_eq(two->count, 2 * one->count);
    ev_ledger_destroy(one);
    ev_ledger_destroy(two);
    ev_document_destroy(documents[0]);
    ev_document_destroy(documents[1]);
}

Test(judge, no_documents_make_an_empty_ledger)
{
    ev_ledger *ledger;
    ev_error error = EV_ERROR_NONE;
    ev_judge_options options = quick_options();
    cr_assert_eq(ev_judge_documents(NULL, 0, NULL, &options, &ledger, &error), EV_OK);
    cr_assert_eq(ledger->count, 0u);
    ev_ledger_destroy(ledger);
}

/* Every kind of allocation that goes through the arena fails once. */
Test(judge, a_failed_allocation_is_reported_and_nothing_else_happens)
{
    ev_judge_options options = quick_options();
    ev_document *document = document_parse(chain);
    size_t failures = 0;
    for (size_t n = 1; n < 3000; n += 1 + n / 12) {
        ev_ledger *ledger = NULL;
        ev_error error = EV_ERROR_NONE;
        ev_arena_fail_after(n);
        ev_status status = ev_judge_documents(&document, 1, NULL, &options, &ledger, &error);
        ev_arena_fail_after(0);
        cr_assert(status == EV_OK || status == EV_NO_MEMORY, "allocation %zu: %s: %s", n,
                  ev_status_name(status), error.message);
        cr_assert_eq(status == EV_OK, ledger != NULL);
        failures += status == EV_NO_MEMORY;
        ev_ledger_destroy(ledger);
    }
    cr_assert_gt(failures, 20u);
    ev_document_destroy(document);
}

Test(judge, a_sample_that_met_nothing_does_not_contradict_quadrature)
{
    cr_assert_eq(verdict_of(DOCUMENT("Assume $z \\in \\mathbb{R}$. Define\n"
                                     "$$ q(z) = \\mathcal{N}(z;\\, 0, 1). $$",
                                     "",
                                     "\\mathbb{E}_{q(z)}[\\exp(-2000(z-5)^2)] = "
                                     "\\exp(-50000/4001)/\\sqrt{4001}")),
                 EV_HOLDS);
}
