/* The p-values of true sampling comparisons are uniform, and those of false ones are not: what
 * `make soak` shows of the shipped derivations, in small. */
#include "bench/uniformity.h"
#include "documents.h"
#include "numerics/monte_carlo.h"

/* Oracle: quadrature is right to eleven digits, so that what sampling finds is noise. */
Test(calibration, the_p_values_of_true_comparisons_are_uniform, .timeout = 120)
{
    static const char text[] =
        "Assume $m \\in \\mathbb{R}$ and $s \\in \\mathbb{R}_{>0}$. "
        "Define $q(z) = \\mathcal{N}(z; m, s^2)$.\n\n"
        "<!-- claim: skewed -->\n$$ \\mathbb{E}_{q(z)}[(z-m)^2] = s^2 $$\n\n"
        "<!-- claim: plain -->\n$$ \\mathbb{E}_{q(z)}[\\sin z] = \\exp(-\\tfrac12 s^2)\\sin m $$\n";
    enum { SEEDS = 300 };
    double p[2 * SEEDS];
    size_t n = 0;
    ev_judge_options options = quick_options();
    options.points = 1;
    for (options.seed = 1; options.seed <= SEEDS; options.seed++) {
        ev_ledger *ledger = document_judge(text, NULL, options);
        for (size_t i = 0; i < ledger->count; i++) {
            cr_assert_record(ledger, i, EV_HOLDS);
            if (!isnan(ledger->records[i].sampling_p))
                p[n++] = ledger->records[i].sampling_p;
        }
        ev_ledger_destroy(ledger);
    }
    cr_assert_gt(n, SEEDS, "%zu p-values", n);
    uniformity u = uniformity_of(n, p);
    cr_expect(u.probability > 1e-3 && u.anderson_darling < 6.0, "D = %g, %g; A^2 = %g", u.distance,
              u.probability, u.anderson_darling);
}

/* A sample of 1000 squares of standard normals, whose mean is 1: skewness 2.8. */
static ev_sample_summary squares(const ev_stream *stream)
{
    enum { DRAWS = 1000 };
    double x[DRAWS], sum = 0, second = 0, third = 0;
    ev_stream_normals(stream, 0, DRAWS, x);
    for (size_t i = 0; i < DRAWS; i++)
        sum += x[i] * x[i];
    double mean = sum / DRAWS;
    for (size_t i = 0; i < DRAWS; i++) {
        double d = x[i] * x[i] - mean;
        second += d * d;
        third += d * d * d;
    }
    double variance = second / (DRAWS - 1);
    return (ev_sample_summary){.samples = DRAWS,
                               .mean = mean,
                               .variance = variance,
                               .standard_error = sqrt(variance / DRAWS),
                               .skewness = third / DRAWS / pow(variance, 1.5),
                               .khat = 0.1};
}

Test(calibration, a_mean_that_is_off_by_its_error_shows_in_the_p_values)
{
    enum { SEEDS = 1000 };
    double right[SEEDS], wrong[SEEDS];
    for (uint32_t i = 0; i < SEEDS; i++) {
        ev_stream stream = ev_stream_make(5, 7, 1, i);
        ev_sample_summary sample = squares(&stream);
        right[i] = ev_sample_p_value(&sample, 1.0);
        wrong[i] = ev_sample_p_value(&sample, 1.0 + sample.standard_error);
    }
    uniformity of_right = uniformity_of(SEEDS, right), of_wrong = uniformity_of(SEEDS, wrong);
    cr_expect_gt(of_right.probability, 1e-3);
    cr_expect_lt(of_wrong.probability, 1e-6);
    cr_expect_gt(of_wrong.anderson_darling, 6.0);
}

Test(calibration, there_is_no_p_value_without_a_finite_variance)
{
    ev_sample_summary sample = {
        .samples = 100, .mean = 1, .variance = 1, .standard_error = 0.1, .khat = 0.6};
    cr_expect(isnan(ev_sample_p_value(&sample, 1.0)));
    sample.khat = 0.2;
    cr_expect_eq(ev_sample_p_value(&sample, 1.0), 1.0);
    sample.variance = 0;
    cr_expect(isnan(ev_sample_p_value(&sample, 1.0)));
}

/* M. A. Stephens' table: D (sqrt n + 0.12 + 0.11/sqrt n) exceeds 1.358 five times in a hundred,
 * 1.628 once in a hundred. */
Test(calibration, the_tail_of_kolmogorov_and_smirnov_is_the_published_one)
{
    cr_expect_float_eq(uniformity_tail(1.358), 0.05, 2e-4);
    cr_expect_float_eq(uniformity_tail(1.628), 0.01, 1e-4);
    double even[200], squeezed[200];
    for (size_t i = 0; i < 200; i++) {
        even[i] = ((double)i + 0.5) / 200;
        squeezed[i] = 0.25 + 0.5 * even[i];
    }
    cr_expect_gt(uniformity_of(200, even).probability, 0.999);
    cr_expect_lt(uniformity_of(200, squeezed).probability, 1e-6);
}
