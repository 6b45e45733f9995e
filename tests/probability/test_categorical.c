#include "probability/categorical.h"

#include "oracle.h"
#include "probability/log_space.h"

#include <criterion/criterion.h>

enum { K = 4 };

typedef struct {
    double q[K], p[K], log_q[K], log_p[K];
} pair;

static pair draw(uint64_t *state, size_t round)
{
    pair g;
    oracle_weights(state, round, K, g.q);
    oracle_weights(state, round == 1 ? 2 : round, K, g.p);
    ev_log_each(K, g.q, g.log_q);
    ev_log_each(K, g.p, g.log_p);
    return g;
}

#define NEAR(a, b, tolerance)                                                                      \
    cr_assert(oracle_close((a), (b), (tolerance), (tolerance)), "%.17g is not %.17g", (double)(a), \
              (double)(b))

Test(categorical, kl_agrees_with_the_plain_sum_in_long_double)
{
    uint64_t state = 1;
    for (size_t round = 0; round < oracle_rounds(300); round++) {
        pair g = draw(&state, round);
        long double kl = 0.0L, entropy = 0.0L;
        for (size_t c = 0; c < K; c++)
            if (g.q[c] > 0.0) {
                kl += (long double)g.q[c] * (logl((long double)g.q[c]) - logl((long double)g.p[c]));
                entropy -= (long double)g.q[c] * logl((long double)g.q[c]);
            }
        NEAR(ev_categorical_kl(K, g.log_q, g.log_p), (double)kl, 1e-14);
        NEAR(ev_categorical_entropy(K, g.log_q), (double)entropy, 1e-14);
    }
}

Test(categorical, kl_is_minus_entropy_minus_cross_entropy_and_never_negative)
{
    uint64_t state = 2;
    for (size_t round = 0; round < oracle_rounds(300); round++) {
        pair g = draw(&state, round);
        const double kl = ev_categorical_kl(K, g.log_q, g.log_p);
        const double entropy = ev_categorical_entropy(K, g.log_q);
        cr_assert(kl >= 0.0 && entropy >= 0.0 && entropy <= log(K) + 1e-14);
        NEAR(kl, -entropy - ev_categorical_cross_entropy(K, g.log_q, g.log_p), 1e-14);
        cr_assert(ev_categorical_kl(K, g.log_q, g.log_q) == 0.0);
    }
}

Test(categorical, kl_forgets_the_order_of_the_categories_but_not_of_its_arguments)
{
    uint64_t state = 3;
    pair g = draw(&state, 5);
    double a[K], b[K];
    for (size_t c = 0; c < K; c++) {
        a[c] = g.log_q[(c + 3) % K];
        b[c] = g.log_p[(c + 3) % K];
    }
    const double kl = ev_categorical_kl(K, g.log_q, g.log_p);
    NEAR(ev_categorical_kl(K, a, b), kl, 1e-15);
    cr_assert(fabs(ev_categorical_kl(K, g.log_p, g.log_q) - kl) > 1e-3);
    cr_assert(kl > 1e-3, "a flipped sign would show");
}

Test(categorical, zero_probabilities_are_ordinary_values)
{
    const double q[] = {0.5, 0.5, 0.0, 0.0}, p[] = {0.25, 0.25, 0.5, 0.0};
    double log_q[K], log_p[K];
    ev_log_each(K, q, log_q);
    ev_log_each(K, p, log_p);
    NEAR(ev_categorical_kl(K, log_q, log_p), log(2.0), 1e-15);
    cr_assert(ev_categorical_kl(K, log_p, log_q) == HUGE_VAL);
    cr_assert(ev_categorical_cross_entropy(K, log_p, log_q) == -HUGE_VAL);
    NEAR(ev_categorical_entropy(K, log_q), log(2.0), 1e-15);
    const double sure[] = {0.0};
    cr_assert(ev_categorical_entropy(1, sure) == 0.0);
    cr_assert(ev_categorical_log_mass(K, 2, log_p) == log_p[2]);
    cr_assert(ev_categorical_log_mass(K, K, log_p) == -HUGE_VAL);
}

Test(categorical, probabilities_too_small_for_a_double_still_count)
{
    /* q puts all but nothing on one category; p does so on the other, 1000 nats deep. */
    const double log_q[] = {0.0, -1000.0}, log_p[] = {-1000.0, 0.0};
    NEAR(ev_categorical_kl(2, log_q, log_p), 1000.0, 1e-13);
}

Test(categorical, a_total_rounded_below_one_falls_to_the_last_possible_category)
{
    size_t c[200], beyond = 0;
    const double log_pi[] = {-HUGE_VAL, log(0.25), log(0.25), -HUGE_VAL}; /* a gross shortfall */
    const ev_stream stream = ev_stream_make(2, 2, 2, 2);
    ev_categorical_sample(&stream, 0, 200, K, log_pi, c);
    for (size_t i = 0; i < 200; i++) {
        cr_assert(c[i] == 1 || c[i] == 2);
        beyond += c[i] == 2;
    }
    cr_assert(beyond > 100, "three quarters are expected");
}

Test(categorical, draws_come_with_their_probabilities_and_never_with_none)
{
    enum { N = 100000 };
    static size_t c[N];
    size_t part[300];
    const double pi[] = {0.5, 0.0, 0.2, 0.3};
    double log_pi[K], count[K] = {0};
    ev_log_each(K, pi, log_pi);
    const ev_stream stream = ev_stream_make(1, 2, 3, 4);
    ev_categorical_sample(&stream, 0, N, K, log_pi, c);
    ev_categorical_sample(&stream, 777, 300, K, log_pi, part);
    for (size_t i = 0; i < 300; i++)
        cr_assert_eq(part[i], c[777 + i]);
    for (size_t i = 0; i < N; i++)
        count[c[i]] += 1.0;
    for (size_t k = 0; k < K; k++)
        cr_assert(fabs(count[k] / N - pi[k]) <= 6.0 * sqrt(pi[k] * (1.0 - pi[k]) / N),
                  "category %zu: %g", k, count[k] / N);
}
