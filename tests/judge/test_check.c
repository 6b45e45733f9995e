#include "judge/documents.h"

#include <math.h>

/* E[z^2] of a Gaussian: claim `moment`, the wrong claim `slip`, and one statement. */
static const char text[] =
    "# A test\n\n"
    "Assume $J \\in \\{1,\\dots,3\\}$, $\\tilde\\mu \\in \\mathbb{R}^J$ and "
    "$\\sigma \\in \\mathbb{R}_{>0}^J$. Define\n"
    "$$ q(z) = \\mathcal{N}(z;\\, \\tilde\\mu, \\operatorname{diag}(\\sigma^2)). $$\n\n"
    "<!-- claim: moment -->\n$$\n"
    "\\mathbb{E}_{q(z)}\\Big[\\sum_{j=1}^{J} z_j^2\\Big]"
    " = \\sum_{j=1}^{J} (\\tilde\\mu_j^2 + \\sigma_j^2)\n$$\n\n"
    "<!-- claim: slip  expect: refuted -->\n$$\n"
    "\\mathbb{E}_{q(z)}\\Big[\\sum_{j=1}^{J} z_j^2\\Big]"
    " = \\sum_{j=1}^{J} (\\tilde\\mu_j^2 + \\sigma_j)\n$$\n\n"
    "A number, 1.25 is above it.\n\n"
    "<!-- claim: said -->\n> Something that no relation says.\n";

static const double mu[] = {1, -0.5}, sigma[] = {2, 0.5}, two[] = {2};
static const ev_binding point[] = {{"J", 1, two}, {"\\tilde \\mu", 2, mu}, {"\\sigma", 2, sigma}};
static const ev_alternative wrong[] = {{"something else", true, "0 is not 1"},
                                       {"the reverse", true, "1 is not 0"}};

static void decide(ev_check *check) { ev_check_decide(check, "said", true, "1 = 1", 2, wrong); }

/* Run one module on the document. */
static ev_ledger *run(void (*module)(ev_check *))
{
    const ev_check_entry table[] = {{"another", NULL}, {"a_test", module}, {NULL, NULL}};
    return document_judge(text, table, quick_options());
}

static void good(ev_check *check)
{
    double error, value = ev_check_document_value(check, "moment", 0, 0, 3, point, &error);
    cr_expect_float_eq(value, 5.5, 1e-12);
    cr_expect_lt(error, 1e-10);
    double right = ev_check_document_value(check, "moment", 1, 0, 3, point, &error);
    ev_check_compare(check, "moment", 1, 5.5, 1e-14, right, error, 1e-9);
    ev_check_sides(check, "moment", 1, 5.5, 1e-14, 5.5, 1e-14);
    ev_check_sides(check, "slip", 1, 5.5, 1e-14, 3.75, 1e-14);
    ev_check_assert(check, "fact", "2 and 2", 4.0, 4.0, 0.0);
    cr_expect_gt(ev_check_alpha(check), 0.0);
    cr_expect_lt(ev_check_alpha(check), 1e-6);
    cr_expect_eq(ev_check_effort(check), 0);
    decide(check);
}

Test(check, a_module_confirms_steps_decides_statements_and_asserts)
{
    ev_ledger *ledger = run(good);
    cr_assert_eq(ledger->count, 4u);
    cr_assert_record(ledger, 0, EV_HOLDS);
    cr_assert_record(ledger, 1, EV_REFUTED);
    cr_assert_record(ledger, 2, EV_HOLDS);
    cr_assert_record(ledger, 3, EV_HOLDS);
    cr_assert_str_eq(ledger->records[0].second_voice, "agrees");
    cr_assert_eq(ledger->records[0].second_voice_points, 2u);
    cr_assert_gt(ledger->records[0].second_voice_digits, 10.0);
    cr_assert_str_eq(ledger->records[2].measured, "1 = 1");
    cr_assert_eq(ledger->records[2].alternative_count, 2u);
    cr_assert_str_eq(ledger->records[2].alternatives[1].statement, "the reverse");
    cr_assert_str_eq(ledger->records[3].relation, "assert");
    cr_assert_str_eq(ledger->records[3].claim, "fact");
    ev_ledger_destroy(ledger);
}

static void silent(ev_check *check) { (void)check; }

Test(check, a_statement_that_the_module_does_not_decide_is_void)
{
    ev_ledger *ledger = run(silent);
    cr_assert_record(ledger, 2, EV_VOID);
    ev_ledger_destroy(ledger);
}

Test(check, a_statement_without_a_module_is_skipped)
{
    ev_ledger *ledger = document_judge_quickly(text);
    cr_assert_record(ledger, 2, EV_SKIPPED);
    cr_assert_not(ev_record_green(&ledger->records[2]));
    ev_ledger_destroy(ledger);
}

static void contradict_right_side(ev_check *check)
{
    double error, value = ev_check_document_value(check, "moment", 1, 0, 3, point, &error);
    ev_check_compare(check, "moment", 1, 5.5 + 1e-6, 1e-12, value, error, 1e-9);
    decide(check);
}

Test(check, a_module_that_computes_another_value_makes_the_step_void)
{
    ev_ledger *ledger = run(contradict_right_side);
    cr_assert_record(ledger, 0, EV_VOID);
    cr_assert_str_eq(ledger->records[0].second_voice, "disagrees");
    ev_ledger_destroy(ledger);
}

static void differ_where_it_holds(ev_check *check)
{
    ev_check_sides(check, "moment", 1, 5.5, 1e-12, 5.6, 1e-12);
    decide(check);
}

static void agree_where_it_is_refuted(ev_check *check)
{
    ev_check_sides(check, "slip", 1, 1.0, 1e-12, 1.0, 1e-12);
    decide(check);
}

Test(check, sides_that_contradict_the_verdict_make_it_void)
{
    ev_ledger *ledger = run(differ_where_it_holds);
    cr_assert_record(ledger, 0, EV_VOID);
    ev_ledger_destroy(ledger);
    ledger = run(agree_where_it_is_refuted);
    cr_assert_record(ledger, 1, EV_VOID);
    ev_ledger_destroy(ledger);
}

static void vague(ev_check *check)
{
    ev_check_compare(check, "moment", 1, 5.5, 0.1, 5.5, 0.1, 1e-9);
    decide(check);
}

Test(check, a_second_voice_with_large_errors_is_undecided)
{
    ev_ledger *ledger = run(vague);
    cr_assert_record(ledger, 0, EV_UNDECIDED);
    cr_assert_str_eq(ledger->records[0].second_voice, "undecided");
    ev_ledger_destroy(ledger);
}

static void not_a_number(ev_check *check)
{
    ev_check_compare(check, "moment", 1, (double)NAN, 0.0, (double)NAN, 0.0, 1.0);
    ev_check_sides(check, "slip", 1, (double)NAN, 0.0, (double)NAN, 0.0);
    ev_check_assert(check, "nan", "nan", (double)NAN, (double)NAN, HUGE_VAL);
    ev_check_assert(check, "loose", "an infinite error", 1.0, 2.0, HUGE_VAL);
    decide(check);
}

Test(check, numbers_that_are_not_finite_are_void)
{
    ev_ledger *ledger = run(not_a_number);
    cr_assert_record(ledger, 0, EV_VOID);
    cr_assert_record(ledger, 1, EV_VOID);
    cr_assert_record(ledger, 3, EV_VOID);
    cr_assert_record(ledger, 4, EV_VOID);
    ev_ledger_destroy(ledger);
}

static const ev_alternative not_refuted[] = {{"a", true, "b"}, {"c", false, "d"}};
static void one_alternative(ev_check *check)
{
    ev_check_decide(check, "said", true, "m", 1, wrong);
}
static void weak(ev_check *check) { ev_check_decide(check, "said", true, "m", 2, not_refuted); }
static void no_numbers(ev_check *check) { ev_check_decide(check, "said", true, "", 2, wrong); }
static void false_statement(ev_check *check)
{
    ev_check_decide(check, "said", false, "m", 2, wrong);
}
static void give_up(ev_check *check) { ev_check_give_up(check, "said", "too noisy"); }
static void twice(ev_check *check)
{
    decide(check);
    decide(check);
}

Test(check, a_decision_must_refute_two_alternatives_and_show_its_numbers)
{
    const struct {
        void (*module)(ev_check *);
        ev_verdict verdict;
    } cases[] = {{one_alternative, EV_VOID},    {weak, EV_VOID},
                 {no_numbers, EV_VOID},         {twice, EV_VOID},
                 {false_statement, EV_REFUTED}, {give_up, EV_UNDECIDED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ev_ledger *ledger = run(cases[i].module);
        cr_assert_record(ledger, 2, cases[i].verdict);
        cr_assert_eq(ledger->records[2].expected, EV_HOLDS);
        ev_ledger_destroy(ledger);
    }
}

static void printed(ev_check *check)
{
    decide(check);
    ev_check_prints(check, "said", "Something that %s relation", "no");
    ev_check_prints(check, "said", "%.2f is above it", 1.25);
}
static void printed_otherwise(ev_check *check)
{
    ev_check_prints(check, "said", "%s", "Something that one relation says");
    decide(check);
}
static void part_of_a_number(ev_check *check)
{
    ev_check_prints(check, "said", "%.1f", 1.2);
    decide(check);
}
static void printed_elsewhere(ev_check *check)
{
    ev_check_prints(check, "said", "%s", "A test");
    decide(check);
}

Test(check, a_decision_is_void_when_its_numbers_are_not_the_ones_printed)
{
    static const struct {
        void (*module)(ev_check *);
        ev_verdict verdict;
    } tried[] = {{printed, EV_HOLDS},
                 {printed_otherwise, EV_VOID},
                 {part_of_a_number, EV_VOID},
                 {printed_elsewhere, EV_VOID}};
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        ev_ledger *ledger = run(tried[i].module);
        cr_assert_record(ledger, 2, tried[i].verdict);
        ev_ledger_destroy(ledger);
    }
}

static void unknown_decision(ev_check *check)
{
    decide(check);
    ev_check_decide(check, "unsaid", true, "m", 2, wrong);
}

static void unknown_step(ev_check *check)
{
    decide(check);
    ev_check_compare(check, "moment", 2, 1, 0, 1, 0, 1);
}

static void missing_binding(ev_check *check)
{
    decide(check);
    cr_expect(isnan(ev_check_document_value(check, "moment", 0, 0, 2, point, NULL)));
}

static void missing_integer(ev_check *check)
{
    decide(check);
    cr_expect(isnan(ev_check_document_value(check, "moment", 0, 0, 2, point + 1, NULL)));
}

static void missing_member(ev_check *check)
{
    decide(check);
    cr_expect(isnan(ev_check_document_value(check, "moment", 2, 0, 3, point, NULL)));
}

static void spendthrift(ev_check *check)
{
    decide(check);
    for (int i = 0; i < 201; i++)
        ev_check_alpha(check);
}

Test(check, a_module_that_misuses_the_interface_leaves_a_void_record)
{
    void (*const modules[])(ev_check *) = {unknown_decision, unknown_step,   missing_binding,
                                           missing_integer,  missing_member, spendthrift};
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        ev_ledger *ledger = run(modules[i]);
        cr_assert_eq(ledger->count, 4u, "module %zu", i);
        cr_assert_record(ledger, 3, EV_VOID);
        cr_assert_str_eq(ledger->records[3].claim, "a_test");
        cr_assert_str_not_empty(ledger->records[3].reason);
        ev_ledger_destroy(ledger);
    }
}

static void false_fact(ev_check *check)
{
    decide(check);
    ev_check_assert(check, "fact", "2 and 2", 5.0, 4.0, 0.5);
}

Test(check, an_assertion_that_fails_is_refuted)
{
    ev_ledger *ledger = run(false_fact);
    cr_assert_record(ledger, 3, EV_REFUTED);
    cr_assert_not(ev_record_green(&ledger->records[3]));
    ev_ledger_destroy(ledger);
}

static double drawn[2];
static void draw(ev_check *check)
{
    ev_stream a = ev_check_stream(check, "a"), b = ev_check_stream(check, "b");
    ev_stream_normals(&a, 0, 1, &drawn[0]);
    ev_stream_normals(&b, 0, 1, &drawn[1]);
    decide(check);
}

Test(check, streams_differ_by_name_and_repeat_by_seed)
{
    ev_ledger_destroy(run(draw));
    double first = drawn[0];
    cr_assert_neq(memcmp(&drawn[0], &drawn[1], sizeof first), 0);
    ev_ledger_destroy(run(draw));
    cr_assert_eq(memcmp(&drawn[0], &first, sizeof first), 0);
}
