/* Bugs planted in the sampler, in an integrator and in the comparison: the canaries sing, or the
 * number is not believed.  The tests are linked with --wrap for these three functions, so that
 * the library's own calls go through the wrappers below; without a planted bug they pass everything
 * on. */
#include "documents.h"
#include "judge/canaries.h"
#include "judge/compare.h"
#include "numerics/evaluation.h"

#include <math.h>

static enum {
    NO_BUG,
    NORMALS_TOO_WIDE,
    HERMITE_WEIGHTS_OFF, /* of all it integrates, sentinels included */
    HERMITE_VALUE_OFF,   /* of the integrand alone */
    ALL_AGREE,
    ERRORS_TOO_LARGE
} planted = NO_BUG;

void __real_ev_stream_normals(const ev_stream *stream, uint64_t offset, size_t n, double *out);
void __wrap_ev_stream_normals(const ev_stream *stream, uint64_t offset, size_t n, double *out);
void __wrap_ev_stream_normals(const ev_stream *stream, uint64_t offset, size_t n, double *out)
{
    __real_ev_stream_normals(stream, offset, n, out);
    for (size_t i = 0; planted == NORMALS_TOO_WIDE && i < n; i++)
        out[i] *= 1.2;
}

ev_status __real_ev_hermite_run(ev_evaluation *e, size_t order, ev_integral *out);
ev_status __wrap_ev_hermite_run(ev_evaluation *e, size_t order, ev_integral *out);
ev_status __wrap_ev_hermite_run(ev_evaluation *e, size_t order, ev_integral *out)
{
    ev_status status = __real_ev_hermite_run(e, order, out);
    size_t n = planted == HERMITE_WEIGHTS_OFF ? e->total
               : planted == HERMITE_VALUE_OFF ? e->functions
                                              : 0;
    for (size_t k = 0; status == EV_OK && k < n; k++)
        out[k].value *= 1 + 1e-6;
    return status;
}

ev_comparison __real_ev_compare(ev_relation relation, const ev_value *left, const ev_value *right,
                                ev_tolerance tolerance);
ev_comparison __wrap_ev_compare(ev_relation relation, const ev_value *left, const ev_value *right,
                                ev_tolerance tolerance);
ev_comparison __wrap_ev_compare(ev_relation relation, const ev_value *left, const ev_value *right,
                                ev_tolerance tolerance)
{
    ev_value loose = *left;
    loose.rounding += planted == ERRORS_TOO_LARGE ? 1e-6 * (1 + fabs(left->value)) : 0;
    ev_comparison c = __real_ev_compare(relation, &loose, right, tolerance);
    if (planted == ALL_AGREE)
        c.outcome = EV_AGREES;
    return c;
}

static ev_canaries canaries(void)
{
    ev_canaries result;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_canaries_judge(EV_JUDGE_DEFAULTS.seed, &result, &error), EV_OK);
    return result;
}

Test(planted_bugs, without_one_every_canary_is_as_planted, .timeout = 60)
{
    ev_canaries result = canaries();
    cr_expect_eq(result.as_planted, result.total, "%s", result.first_failure);
}

Test(planted_bugs, a_sampler_that_draws_too_widely_is_caught, .timeout = 60)
{
    planted = NORMALS_TOO_WIDE;
    ev_canaries result = canaries();
    cr_expect_lt(result.as_planted, result.total);
}

Test(planted_bugs, a_comparison_that_calls_everything_equal_is_caught, .timeout = 60)
{
    planted = ALL_AGREE;
    ev_canaries result = canaries();
    cr_expect_lt(result.as_planted, result.total);
}

Test(planted_bugs, a_comparison_that_takes_errors_for_too_large_is_caught, .timeout = 60)
{
    planted = ERRORS_TOO_LARGE;
    ev_canaries result = canaries();
    cr_expect_lt(result.as_planted, result.total);
}

/* Gauss-Hermite off by 1e-6 of every value: E[x^2 + 1] is still 2.25 to nine digits, by the other rules,
 * or has no value. */
static void expect_right_without_hermite(void)
{
    static const char text[] = "Define $q(x) = \\mathcal{N}(x; 1, 0.25)$.\n\n<!-- claim: it -->\n"
                               "$$ \\mathbb{E}_{q(x)}[x^2 + 1] = 2.25 $$\n";
    ev_ledger *ledger = document_judge_quickly(text);
    const ev_record *r = &ledger->records[0];
    bool right = r->verdict == EV_HOLDS && fabs(r->left_value.value - 2.25) < 1e-9;
    cr_expect(right || r->verdict == EV_VOID || r->verdict == EV_UNDECIDED, "%s: %.12g by %s",
              ev_verdict_name(r->verdict), r->left_value.value, r->methods);
    cr_expect_null(strstr(r->methods, "hermite"), "%s", r->methods);
    ev_ledger_destroy(ledger);
}

Test(planted_bugs, an_integrator_whose_weights_are_off_has_no_voice)
{
    planted = HERMITE_WEIGHTS_OFF;
    expect_right_without_hermite();
}

Test(planted_bugs, an_integrator_whose_value_is_off_is_outvoted)
{
    planted = HERMITE_VALUE_OFF;
    expect_right_without_hermite();
}
