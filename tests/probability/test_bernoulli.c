#include "probability/bernoulli.h"

#include "oracle.h"
#include "probability/log_space.h"

#include <criterion/criterion.h>

#define NEAR(a, b, tolerance)                                                                      \
    cr_assert(oracle_close((a), (b), (tolerance), (tolerance)), "%.17g is not %.17g", (double)(a), \
              (double)(b))

static double draw_p(uint64_t *state, size_t round)
{
    static const double corners[] = {0.5, 0.0, 1.0, 0.25};
    return round < 4 ? corners[round] : oracle_uniform(state, 0.0, 1.0);
}

Test(bernoulli, the_masses_of_all_outcomes_add_to_one)
{
    const double p[] = {0.3, 0.9, 0.5};
    double sum = 0.0, by_logit = 0.0, logit[3];
    for (size_t i = 0; i < 3; i++)
        logit[i] = ev_logit(p[i]);
    for (unsigned k = 0; k < 8; k++) {
        const double x[] = {k & 1u, (k >> 1) & 1u, k >> 2};
        sum += exp(ev_bernoulli_log_mass(3, x, p));
        by_logit += exp(ev_bernoulli_log_mass_logit(3, x, logit));
    }
    NEAR(sum, 1.0, 1e-15);
    NEAR(by_logit, 1.0, 1e-15);
}

Test(bernoulli, entropy_cross_entropy_and_kl_are_sums_over_both_outcomes)
{
    uint64_t state = 1;
    const double no = 0.0, yes = 1.0;
    for (size_t round = 0; round < oracle_rounds(300); round++) {
        const double q = draw_p(&state, round % 6), p = draw_p(&state, round % 7);
        double cross = q > 0.0 ? q * ev_bernoulli_log_mass(1, &yes, &p) : 0.0;
        cross += q < 1.0 ? (1.0 - q) * ev_bernoulli_log_mass(1, &no, &p) : 0.0;
        const double entropy = ev_bernoulli_entropy(1, &q), kl = ev_bernoulli_kl(1, &q, &p);
        NEAR(ev_bernoulli_cross_entropy(1, &q, &p), cross, 1e-15);
        NEAR(kl, -entropy - cross, 1e-13);
        cr_assert(kl >= 0.0 && entropy >= 0.0 && entropy <= EV_LOG_2 + 1e-15);
        cr_assert(ev_bernoulli_kl(1, &q, &q) == 0.0);
    }
}

Test(bernoulli, logits_and_probabilities_tell_the_same)
{
    uint64_t state = 2;
    for (size_t round = 0; round < oracle_rounds(300); round++) {
        const double q = draw_p(&state, round % 6), p = draw_p(&state, round % 7);
        const double a = ev_logit(q), b = ev_logit(p), x = round % 2 ? 1.0 : 0.0;
        NEAR(ev_bernoulli_log_mass_logit(1, &x, &b), ev_bernoulli_log_mass(1, &x, &p), 1e-12);
        NEAR(ev_bernoulli_entropy_logit(1, &a), ev_bernoulli_entropy(1, &q), 1e-12);
        NEAR(ev_bernoulli_cross_entropy_logit(1, &a, &b), ev_bernoulli_cross_entropy(1, &q, &p),
             1e-12);
        NEAR(ev_bernoulli_kl_logit(1, &a, &b), ev_bernoulli_kl(1, &q, &p), 1e-12);
    }
}

Test(bernoulli, certainty_is_an_ordinary_value)
{
    const double x[] = {0.0, 1.0}, wrong[] = {1.0, 1.0}, poles[] = {-HUGE_VAL, HUGE_VAL};
    cr_assert(ev_bernoulli_log_mass(2, x, x) == 0.0);
    cr_assert(ev_bernoulli_log_mass_logit(2, x, poles) == 0.0);
    cr_assert(ev_bernoulli_log_mass(2, x, wrong) == -HUGE_VAL);
    cr_assert(ev_bernoulli_log_mass_logit(2, wrong, poles) == -HUGE_VAL);
    cr_assert(ev_bernoulli_entropy(2, x) == 0.0);
    cr_assert(ev_bernoulli_entropy_logit(2, poles) == 0.0);
    cr_assert(ev_bernoulli_kl(2, wrong, x) == HUGE_VAL);
    cr_assert(ev_bernoulli_kl_logit(2, poles, poles) == 0.0);
}

Test(bernoulli, logits_keep_what_probabilities_have_lost)
{
    const double no = 0.0, logit = 60.0; /* the sigmoid rounds to 1 */
    NEAR(ev_bernoulli_log_mass_logit(1, &no, &logit), -60.0, 1e-15);
    const double far = 1e300;
    NEAR(ev_bernoulli_log_mass_logit(1, &no, &far), -1e300, 1e-15);
}

Test(bernoulli, kl_of_neighbours_keeps_its_digits)
{
    for (double h = 1e-4; h > 1e-11; h *= 0.1) { /* h^2/(2 p (1 - p)) (1 + O(h)) */
        const double q = 0.3 + h, p = 0.3, step = q - p;
        const double leading = 0.5 * step * step / (p * (1.0 - p));
        cr_assert(oracle_close(ev_bernoulli_kl(1, &q, &p), leading, 3.0 * h + 1e-12, 0.0));
    }
}

Test(bernoulli, values_are_sums_over_pixels_not_means)
{
    const double x[] = {0.0, 1.0, 1.0}, p[] = {0.2, 0.6, 0.7};
    const double sum = log(0.8) + log(0.6) + log(0.7);
    NEAR(ev_bernoulli_log_mass(3, x, p), sum, 1e-15);
    cr_assert(fabs(ev_bernoulli_log_mass(3, x, p) - sum / 3.0) > 0.5);
}

static double grey_mass(double x, void *context)
{
    const double clipped = x < 0.0 ? 0.0 : x;
    return x < 0.0 ? 0.0 : exp(ev_bernoulli_log_mass(1, &clipped, context));
}

Test(bernoulli, over_grey_values_the_cross_entropy_is_not_normalised)
{
    /* The reciprocal of the continuous Bernoulli's constant 2 artanh(1 - 2p)/(1 - 2p). */
    double p = 0.3;
    const double constant = 2.0 * atanh(1.0 - 2.0 * p) / (1.0 - 2.0 * p);
    const double mass = oracle_integrate(grey_mass, &p, 1.0);
    NEAR(mass, 1.0 / constant, 1e-12);
    cr_assert(mass < 0.6);
}

Test(bernoulli, draws_have_their_probabilities)
{
    enum { N = 50000 };
    static double x[N * 3], y[N * 3];
    const double p[] = {0.0, 1.0, 0.3}, logit[] = {-HUGE_VAL, HUGE_VAL, ev_logit(0.3)};
    const ev_stream stream = ev_stream_make(8, 8, 0, 0);
    ev_bernoulli_sample(&stream, 0, N, 3, p, x);
    ev_bernoulli_sample_logit(&stream, 0, N, 3, logit, y);
    double part[30];
    for (unsigned by_logit = 0; by_logit < 2; by_logit++) {
        if (by_logit)
            ev_bernoulli_sample_logit(&stream, 100, 10, 3, logit, part);
        else
            ev_bernoulli_sample(&stream, 100, 10, 3, p, part);
        for (size_t i = 0; i < 30; i++)
            cr_assert((part[i] > 0.5) == (x[300 + i] > 0.5));
    }
    for (size_t d = 0; d < 3; d++) {
        double sum = 0.0, disagree = 0.0;
        for (size_t i = 0; i < N; i++) {
            sum += x[3 * i + d];
            disagree += fabs(x[3 * i + d] - y[3 * i + d]);
        }
        cr_assert(fabs(sum / N - p[d]) <= 6.0 * sqrt(p[d] * (1.0 - p[d]) / N), "%g", sum / N);
        cr_assert(disagree <= 1.0, "only a uniform on the very threshold may differ");
    }
}
