/* Witnesses are small, say enough to be replayed, and what can't be read of one is refused at its
 * place. */
#include "documents.h"

#include "judge/admit.h"

#include <math.h>

static ev_ledger *at_witness(const char *text, const char *witness)
{
    ev_judge_options options = quick_options();
    options.witness = witness;
    return document_judge(text, NULL, options);
}

/* Oracle: the smallest point at which a person would try the line. */
Test(witness, is_shrunk_to_few_dimensions_and_round_numbers)
{
    static const struct {
        const char *assumptions, *display, *witness;
    } lines[] = {
        {"Assume $J \\in \\{1,\\dots,6\\}$ and $\\mu \\in \\mathbb{R}^J$.",
         "\\sum_{j=1}^J \\mu_j^2 = \\sum_{j=1}^J \\mu_j", "J = 1, \\mu = (-1)"},
        {"Assume $J \\in \\{1,\\dots,6\\}$ and $\\mu \\in \\mathbb{R}^J$.",
         "\\Big(\\sum_{j=1}^J \\mu_j\\Big)^2 = \\sum_{j=1}^J \\mu_j^2", "J = 2, \\mu = (1, 1)"},
        {"Assume $s \\in \\mathbb{R}_{>0}$.", "\\log s^2 = \\log s", "s = 2"},
        {"Assume $d \\in \\{2,\\dots,4\\}$ and let $A, B \\in \\mathbb{R}^{d \\times d}$ be "
         "positive definite.",
         "\\operatorname{tr}(AB) = \\operatorname{tr}(A)\\operatorname{tr}(B)",
         "d = 2, A = (1, 0; 0, 1), B = (1, 0; 0, 1)"},
        {"Assume $K \\in \\{2,\\dots,5\\}$ and $w \\in \\Delta_{>0}^{K-1}$.",
         "\\sum_{c=1}^K w_c^2 = 1", "K = 2, w = (0.5, 0.5)"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char text[1024];
        snprintf(text, sizeof text, "%s\n\n<!-- claim: it -->\n$$ %s $$\n", lines[i].assumptions,
                 lines[i].display);
        ev_ledger *ledger = document_judge_quickly(text);
        cr_assert_record(ledger, 0, EV_REFUTED);
        cr_expect_str_eq(ledger->records[0].witness, lines[i].witness);
        cr_expect_leq(ledger->records[0].witness_trials, 300);
        ev_ledger_destroy(ledger);
    }
}

Test(witness, keeps_a_clear_margin)
{
    /* true to within 1e-6 of its size when a is 0, and clearly wrong elsewhere */
    ev_ledger *ledger = document_judge_quickly(
        DOCUMENT("Assume $a \\in \\mathbb{R}$.", "", "(1 + a)^2 = 1 + a^2 + 10^{-6}"));
    cr_assert_record(ledger, 0, EV_REFUTED);
    cr_expect_str_eq(ledger->records[0].witness, "a = 1");
    ev_ledger_destroy(ledger);
}

Test(witness, respects_the_assumptions)
{
    ev_ledger *ledger = document_judge_quickly(DOCUMENT(
        "Assume $a, b \\in \\mathbb{R}_{>0}$ and $a > 3$ and $b < a$.", "", "a + b = a - b"));
    cr_assert_record(ledger, 0, EV_REFUTED);
    double a = 0, b = 0;
    cr_assert_eq(sscanf(ledger->records[0].witness, "a = %lf, b = %lf", &a, &b), 2, "%s",
                 ledger->records[0].witness);
    cr_expect(a > 3 && b > 0 && b < a, "%s", ledger->records[0].witness);
    ev_ledger_destroy(ledger);
}

/* Every refuted line of a shipped document: at its witness alone it is refuted again, with the same
 * values.  Integers, vectors, matrices, weights, functions, samples and families occur. */
static void replay_all(const char *file)
{
    ev_document *document = NULL;
    ev_ledger *ledger = NULL, *again = NULL;
    ev_error error = EV_ERROR_NONE;
    ev_judge_options options = quick_options();
    size_t refuted = 0;
    cr_assert_eq(ev_document_read(file, &document, &error), EV_OK, "%s: %s", file, error.message);
    cr_assert_eq(ev_judge_documents(&document, 1, NULL, &options, &ledger, &error), EV_OK);
    for (size_t i = 0; i < ledger->count; i++) {
        const ev_record *r = &ledger->records[i];
        char only[128];
        if (r->verdict != EV_REFUTED || r->step == 0)
            continue;
        snprintf(only, sizeof only, "%s@%zu", r->claim, r->step);
        ev_judge_options at = options;
        at.only = only;
        at.witness = r->witness;
        cr_assert_eq(ev_judge_documents(&document, 1, NULL, &at, &again, &error), EV_OK,
                     "%s at %s: %s", only, r->witness, error.message);
        cr_assert_eq(again->count, 1);
        const ev_record *replayed = &again->records[0];
        cr_expect_eq(replayed->verdict, EV_REFUTED, "%s at %s", only, r->witness);
        cr_expect_str_eq(replayed->witness, r->witness);
        double difference = fabs(replayed->left_value.value - r->left_value.value);
        cr_expect_leq(difference, 1e-3 * fabs(r->left_value.value), "%s at %s: %.17g and %.17g",
                      only, r->witness, replayed->left_value.value, r->left_value.value);
        refuted++;
        ev_ledger_destroy(again);
    }
    cr_expect_gt(refuted, 3, "%s: %zu", file, refuted);
    ev_ledger_destroy(ledger);
    ev_document_destroy(document);
}

Test(witness, of_every_shipped_refutation_replays, .timeout = 300)
{
    replay_all(EV_SOURCE_DIR "/derivations/known_errors.md");
    replay_all(EV_SOURCE_DIR "/derivations/general_covariance.md");
    replay_all(EV_SOURCE_DIR "/derivations/vector_quantisation.md");
    replay_all(EV_SOURCE_DIR "/derivations/gmvae_elbo.md");
}

Test(witness, is_the_same_whatever_the_number_of_threads)
{
    static const char text[] = DOCUMENT("Assume $J \\in \\{1,\\dots,6\\}$ and $\\mu \\in "
                                        "\\mathbb{R}^J$.",
                                        "", "\\sum_{j=1}^J \\mu_j^2 = \\sum_{j=1}^J \\mu_j");
    ev_judge_options options = quick_options();
    ev_ledger *one = document_judge(text, NULL, options);
    options.threads = 2;
    ev_ledger *two = document_judge(text, NULL, options);
    cr_expect_str_eq(one->records[0].witness, two->records[0].witness);
    cr_expect_eq(one->records[0].left_value.value, two->records[0].left_value.value);
    ev_ledger_destroy(one);
    ev_ledger_destroy(two);
}

#define POINTED                                                                             \
    DOCUMENT("Assume $J \\in \\{1,\\dots,3\\}$, $\\tilde\\mu \\in \\mathbb{R}^J$, $s \\in " \
             "\\mathbb{R}_{>0}$, $w \\in \\Delta_{>0}^{1}$ and $s < w_1 + 9$.",             \
             "", "\\sum_{j=1}^J \\tilde\\mu_j + w_1 = s + w_2")

Test(witness, names_are_read_with_or_without_braces_and_in_any_order)
{
    ev_ledger *ledger = at_witness(POINTED, "s=3,w=(.25; 0.75) , \\tilde\\mu = (1, 1.5), J=2");
    cr_assert_record(ledger, 0, EV_REFUTED);
    cr_expect_float_eq(ledger->records[0].left_value.value, 2.75, 1e-15);
    cr_expect_float_eq(ledger->records[0].right_value.value, 3.75, 1e-15);
    ev_ledger_destroy(ledger);
}

Test(witness, what_cannot_be_read_of_a_point_is_refused_at_its_place)
{
    static const struct {
        const char *witness;
        size_t column;
        const char *message;
    } bad[] = {
        {"", 1, "J is not given"},
        {"J = 2, s = 1, w = (0.5, 0.5)", 29, "\\tilde{\\mu} is not given"},
        {"J = 1.5, s = 1", 5, "J is a whole number from 1 to 3"},
        {"J = 4, s = 1", 5, "J is a whole number from 1 to 3"},
        {"J = 1, \\tilde\\mu = (1, 2), s = 1, w = (0.5, 0.5)", 20, "has 1 value here, not 2"},
        {"J = 1, \\tilde\\mu = (1), s = 0, w = (0.5, 0.5)", 29, "not in the domain of s"},
        {"J = 1, \\tilde\\mu = (1), s = 1, w = (0.5, 0.6)", 36, "not in the domain of w"},
        {"J = 1, \\tilde\\mu = (1), s = 1, w = (0.5, 0.5), t = 1", 48, "depend on a symbol t"},
        {"J = 1, \\tilde\\mu = (1), s = 1, s = 2, w = (0.5, 0.5)", 32, "s is given twice"},
        {"J = 1, \\tilde\\mu = (1), s = 20, w = (0.5, 0.5)", 1, "assumptions do not hold"},
        {"J = 1, s", 8, "a symbol and its value"},
        {"J = 1, = 2", 8, "a symbol is wanted"},
        {"J = 1, s = nan", 12, "a number is wanted"},
        {"J = 1, s = 0x10", 12, "a number is wanted"},
        {"J = 1, s = (1, ", 16, "a number is wanted"},
        {"J = 1, s = (1 2)", 15, "is wanted here"},
        {"J = 1; s = 1", 6, "',' and the next symbol"},
    };
    ev_document *document = document_parse(POINTED);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ev_judge_options options = quick_options();
        options.witness = bad[i].witness;
        ev_ledger *ledger = NULL;
        ev_error error = EV_ERROR_NONE;
        ev_status status = ev_judge_documents(&document, 1, NULL, &options, &ledger, &error);
        cr_expect_eq(status, EV_BAD_INPUT, "'%s'", bad[i].witness);
        cr_expect_eq(error.column, bad[i].column, "'%s': column %zu: %s", bad[i].witness,
                     error.column, error.message);
        cr_expect_not_null(strstr(error.message, bad[i].message), "'%s': %s", bad[i].witness,
                           error.message);
        cr_expect_str_eq(error.file, "--witness");
        ev_ledger_destroy(ledger);
    }
    ev_document_destroy(document);
}

/* ---- domains ---- */

static bool admits(ev_domain domain, unsigned rank, size_t rows, size_t cols, const double *x)
{
    return ev_domain_admits((ev_shape){&domain, rank, rows, cols}, x);
}

#define REALS .low = -HUGE_VAL, .high = HUGE_VAL

Test(witness, domains_admit_their_own_and_nothing_else)
{
    const ev_domain positive = {.low = 0, .low_open = true, .high = HUGE_VAL};
    const ev_domain closed = {.low = 0, .high = 1}, binary = {.low = 0, .high = 1, .binary = true};
    cr_expect(admits(positive, 0, 1, 1, &(double){0.1}));
    cr_expect_not(admits(positive, 0, 1, 1, &(double){0}));
    cr_expect_not(admits(positive, 0, 1, 1, &(double){HUGE_VAL}));
    cr_expect(admits(closed, 0, 1, 1, &(double){1}));
    cr_expect_not(admits(binary, 0, 1, 1, &(double){0.5}));
    cr_expect(admits(binary, 0, 1, 1, &(double){1}));
    const double lower[] = {2, 0, 1, -3}, full[] = {2, 1, 1, 3}, singular[] = {1, 2, 2, 4};
    const double turned[] = {0.6, 0.8, -0.8, 0.6}, indefinite[] = {1, 2, 2, 1};
    cr_expect(admits((ev_domain){REALS, .structure = EV_MATRIX_LOWER}, 2, 2, 2, lower));
    cr_expect_not(admits((ev_domain){REALS, .structure = EV_MATRIX_LOWER}, 2, 2, 2, full));
    cr_expect_not(
        admits((ev_domain){REALS, .structure = EV_MATRIX_LOWER | EV_MATRIX_POSITIVE_DIAGONAL}, 2, 2,
               2, lower));
    cr_expect(admits((ev_domain){REALS, .structure = EV_MATRIX_POSITIVE_DEFINITE}, 2, 2, 2, full));
    cr_expect_not(
        admits((ev_domain){REALS, .structure = EV_MATRIX_POSITIVE_DEFINITE}, 2, 2, 2, indefinite));
    cr_expect_not(admits((ev_domain){REALS, .structure = EV_MATRIX_INVERTIBLE}, 2, 2, 2, singular));
    cr_expect(admits((ev_domain){REALS, .structure = EV_MATRIX_ORTHOGONAL}, 2, 2, 2, turned));
    cr_expect_not(admits((ev_domain){REALS, .structure = EV_MATRIX_ORTHOGONAL}, 2, 2, 2, full));
}
