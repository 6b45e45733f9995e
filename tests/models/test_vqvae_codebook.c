/* The dictionary: the moving averages against exact fractions, their published errors, revival,
 * perplexity. */
#include "models/vqvae_codebook.h"
#include "numerics/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void draw(const char *what, uint32_t point, size_t n, double scale, float *x)
{
    const ev_stream stream = ev_stream_make(5, ev_hash_text(what), 0, point);
    for (size_t i = 0; i < n; i++) {
        double normal;
        ev_stream_normals(&stream, i, 1, &normal);
        x[i] = (float)(scale * normal);
    }
}

/* --- Exact fractions --------------------------------------------------------------------------*/

typedef struct {
    int64_t up, down; /* down > 0 */
} fraction;

static fraction reduced(int64_t up, int64_t down)
{
    int64_t a = up < 0 ? -up : up, b = down;
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a == 0 ? (fraction){0, 1} : (fraction){up / a, down / a};
}

static fraction plus(fraction a, fraction b)
{
    return reduced(a.up * b.down + b.up * a.down, a.down * b.down);
}

static fraction times(fraction a, fraction b) { return reduced(a.up * b.up, a.down * b.down); }
static fraction over(fraction a, fraction b)
{
    return b.up > 0 ? reduced(a.up * b.down, a.down * b.up)
                    : reduced(-a.up * b.down, -a.down * b.up);
}
static fraction whole(int64_t n) { return (fraction){n, 1}; }
static double value(fraction f) { return (double)f.up / (double)f.down; }

enum { CODES = 3, STEPS = 4 };
static const fraction ALPHA = {3, 4}, EPSILON = {1, 2};

/* Counts and sums of the batches, one coordinate; the last code is unused until the third. */
static const int64_t COUNT[STEPS][CODES] = {{4, 2, 0}, {1, 5, 0}, {3, 0, 3}, {2, 2, 2}};
static const int64_t SUM[STEPS][CODES] = {{8, -3, 0}, {1, -9, 0}, {7, 0, 10}, {5, -4, 6}};

/* The claims ema-step, debias-count-divided, smoothing-total and ema-unused, in fractions. */
typedef struct {
    fraction V[CODES], Y[CODES], remains, code[CODES];
} exact;

static fraction smoothed(fraction nu, fraction total)
{
    return over(times(plus(nu, EPSILON), total), plus(total, times(whole(CODES), EPSILON)));
}

static void exact_step(exact *e, size_t t)
{
    const fraction rest = plus(whole(1), times(whole(-1), ALPHA));
    fraction nu[CODES], total = whole(0);
    e->remains = times(e->remains, ALPHA);
    fraction weight = plus(whole(1), times(whole(-1), e->remains));
    for (size_t k = 0; k < CODES; k++) {
        e->V[k] = plus(times(ALPHA, e->V[k]), times(rest, whole(COUNT[t][k])));
        e->Y[k] = plus(times(ALPHA, e->Y[k]), times(rest, whole(SUM[t][k])));
        nu[k] = over(e->V[k], weight);
        total = plus(total, nu[k]);
    }
    for (size_t k = 0; k < CODES; k++)
        if (e->V[k].up != 0)
            e->code[k] = over(over(e->Y[k], weight), smoothed(nu[k], total));
}

static const ev_codebook_rule RULE = {.decay = 0.75, .epsilon = 0.5, .revive = 0, .average = true};
static const float START[CODES] = {0.5F, -1, 7};

/* One of ours, on the same batch. */
static void our_step(const ev_codebook_rule *rule, size_t t, ev_codebook_average *average,
                     float *codes)
{
    double n[CODES], s[CODES];
    for (size_t k = 0; k < CODES; k++) {
        n[k] = (double)COUNT[t][k];
        s[k] = (double)SUM[t][k];
    }
    ev_codebook_step(rule, CODES, 1, n, s, average, codes);
}

/* The largest relative difference of some codes to the exact ones after `steps` batches, by the step
 * given.  All numbers on the way have few digits; a float's last digit is 6e-8. */
typedef void stepper(const ev_codebook_rule *, size_t, ev_codebook_average *, float *);

static double error_against_fractions(stepper *step, size_t steps)
{
    exact e = {.remains = {1, 1}, .code = {{1, 2}, {-1, 1}, {7, 1}}};
    float counts[CODES] = {0}, sums[CODES] = {0}, codes[CODES];
    ev_codebook_average average = {0, counts, sums};
    double worst = 0;
    for (size_t k = 0; k < CODES; k++)
        e.V[k] = e.Y[k] = whole(0);
    memcpy(codes, START, sizeof codes);
    for (size_t t = 0; t < steps; t++) {
        exact_step(&e, t);
        step(&RULE, t, &average, codes);
        for (size_t k = 0; k < CODES; k++)
            worst = fmax(worst,
                         fabs((double)codes[k] - value(e.code[k])) / (1 + fabs(value(e.code[k]))));
    }
    return worst;
}

Test(codebook, moving_averages_are_those_of_exact_fractions)
{
    cr_expect_lt(error_against_fractions(our_step, STEPS), 1.2e-7);
}

Test(codebook, a_code_that_was_never_chosen_stays_and_smoothing_keeps_the_total)
{
    float counts[CODES] = {0}, sums[CODES] = {0}, codes[CODES];
    ev_codebook_average average = {0, counts, sums};
    memcpy(codes, START, sizeof codes);
    our_step(&RULE, 0, &average, codes);
    our_step(&RULE, 1, &average, codes);
    cr_expect_eq(codes[2], START[2]);
    /* Stored counts are the plain ones: after debiasing they are between the batches' counts. */
    double weight = 1 - 0.75 * 0.75;
    cr_expect_float_eq((double)counts[0] / weight, (0.75 * 4 + 1) * 0.25 / weight, 1e-6);
    cr_expect_float_eq((double)(counts[0] + counts[1] + counts[2]) / weight, 6, 1e-5);
}

/* The error: what was smoothed is stored. */
static void written_back(const ev_codebook_rule *rule, size_t t, ev_codebook_average *average,
                         float *codes)
{
    our_step(rule, t, average, codes);
    double weight = 1 - pow(rule->decay, (double)average->steps), total = 0;
    for (size_t k = 0; k < CODES; k++)
        total += (double)average->counts[k] / weight;
    for (size_t k = 0; k < CODES; k++) {
        double nu = (double)average->counts[k] / weight;
        average->counts[k] = (float)(weight * (nu + rule->epsilon) /
                                     (total + CODES * rule->epsilon) * total);
    }
}

/* The error: counts begin at 0 and sums at the codes. */
static void inconsistent_start(const ev_codebook_rule *rule, size_t t, ev_codebook_average *average,
                               float *codes)
{
    for (size_t k = 0; t == 0 && k < CODES; k++)
        average->sums[k] = codes[k];
    our_step(rule, t, average, codes);
}

/* The error: averages that began at 0 are taken as they are, as if a thousand batches had passed. */
static void not_debiased(const ev_codebook_rule *rule, size_t t, ev_codebook_average *average,
                         float *codes)
{
    average->steps += 1000;
    our_step(rule, t, average, codes);
    average->steps -= 1000;
}

Test(codebook, smoothed_counts_written_back_an_inconsistent_start_and_no_debiasing_are_noticed)
{
    cr_expect_gt(error_against_fractions(written_back, STEPS), 1e-3);
    cr_expect_gt(error_against_fractions(inconsistent_start, STEPS), 1e-3);
    cr_expect_gt(error_against_fractions(not_debiased, STEPS), 1e-3);
}

/* The two together are the published pair: a code unused at first, whose sum began at its vector,
 * is divided by the smoothing alone, and grows by 1/epsilon. */
Test(codebook, an_unused_code_does_not_grow)
{
    ev_codebook_rule rule = RULE;
    float counts[CODES] = {0}, sums[CODES] = {0}, codes[CODES];
    ev_codebook_average average = {0, counts, sums};
    rule.epsilon = 1e-5;
    memcpy(codes, START, sizeof codes);
    for (size_t t = 0; t < 2; t++)
        our_step(&rule, t, &average, codes);
    cr_expect_leq(fabsf(codes[2]), fabsf(START[2]));
    memset(counts, 0, sizeof counts);
    memcpy(sums, START, sizeof sums);
    memcpy(codes, START, sizeof codes);
    average.steps = 0;
    counts[2] = 1e-20F; /* the planted program divides where ours does not */
    our_step(&rule, 0, &average, codes);
    cr_expect_gt(fabsf(codes[2]), 1e4F * fabsf(START[2]));
}

/* ema-step with duplicated batches: both averages double, their quotient stays. */
Test(codebook, a_batch_twice_over_moves_the_codes_as_the_batch_does)
{
    ev_codebook_rule rule = RULE;
    rule.epsilon = 0;
    float counts[2][CODES] = {{0}}, sums[2][CODES] = {{0}}, codes[2][CODES];
    memcpy(codes[0], START, sizeof START);
    memcpy(codes[1], START, sizeof START);
    for (size_t t = 0; t < STEPS; t++)
        for (size_t i = 0; i < 2; i++) {
            ev_codebook_average average = {t, counts[i], sums[i]};
            double n[CODES], s[CODES];
            for (size_t k = 0; k < CODES; k++) {
                n[k] = (double)(COUNT[t][k] * (1 + (int64_t)i));
                s[k] = (double)(SUM[t][k] * (1 + (int64_t)i));
            }
            ev_codebook_step(&rule, CODES, 1, n, s, &average, codes[i]);
        }
    for (size_t k = 0; k < CODES; k++)
        cr_expect_float_eq(codes[0][k], codes[1][k], 1e-6F * (1 + fabsf(codes[0][k])));
}

/* --- Revival ----------------------------------------------------------------------------------*/

enum { DIM = 2, VECTORS = 8 };

Test(codebook, dead_codes_are_put_onto_vectors_of_the_batch_with_the_even_share)
{
    ev_codebook_rule rule = {.decay = 0.5, .epsilon = 0, .revive = 0.1, .average = true};
    float counts[CODES] = {4, 8, 0.3F}, sums[CODES * DIM] = {4, 4, 8, 8, 1, 1};
    float codes[CODES * DIM] = {1, 1, 1, 1, 3, 3}, z[VECTORS * DIM];
    bool revived[CODES];
    ev_codebook_average average = {5, counts, sums};
    draw("batch", 0, VECTORS * DIM, 1, z);
    /* 0.3 is below a tenth of the even share 4.1, 4 and 8 are not. */
    cr_assert_eq(ev_codebook_revive(&rule, CODES, DIM, VECTORS, z, 1, &average, codes, revived),
                 1u);
    cr_expect(!revived[0] && !revived[1] && revived[2]);
    cr_expect_float_eq(counts[2], 4.1F, 1e-6F);
    bool found = false;
    for (size_t i = 0; i < VECTORS; i++)
        found = found || memcmp(codes + 2 * DIM, z + i * DIM, DIM * sizeof *z) == 0;
    cr_expect(found);
    for (size_t j = 0; j < DIM; j++)
        cr_expect_float_eq(sums[2 * DIM + j] / counts[2], codes[2 * DIM + j], 1e-6F);
    cr_expect(codes[0] == 1 && counts[0] == 4 && sums[0] == 4);
    rule.revive = 0;
    counts[2] = 0;
    cr_expect_eq(ev_codebook_revive(&rule, CODES, DIM, VECTORS, z, 1, &average, codes, revived),
                 0u);
}

/* Which vector is drawn: all alike, by seed and step. */
Test(codebook, revival_draws_vectors_evenly_and_is_replayed_by_seed_and_step)
{
    enum { TIMES = 4000 };
    const ev_codebook_rule rule = {.decay = 0.5, .epsilon = 0, .revive = 0.1, .average = true};
    size_t hits[VECTORS] = {0};
    float z[VECTORS], first = 0;
    for (size_t i = 0; i < VECTORS; i++)
        z[i] = (float)i;
    for (uint64_t t = 1; t <= TIMES; t++) {
        float counts[2] = {8, 0}, sums[2] = {0}, codes[2] = {0, -1};
        bool revived[2];
        ev_codebook_average average = {t, counts, sums};
        cr_assert_eq(ev_codebook_revive(&rule, 2, 1, VECTORS, z, 7, &average, codes, revived), 1u);
        hits[(size_t)codes[1]]++;
        first = t == 1 ? codes[1] : first;
        float again[2] = {0, -1}, counts_again[2] = {8, 0};
        ev_codebook_average replay = {t, counts_again, sums};
        (void)ev_codebook_revive(&rule, 2, 1, VECTORS, z, 7, &replay, again, revived);
        cr_assert_eq(again[1], codes[1]);
    }
    /* Each is binomial(4000, 1/8), sd 21: six of them either way. */
    for (size_t i = 0; i < VECTORS; i++)
        cr_expect(hits[i] > 375 && hits[i] < 625, "vector %zu: %zu", i, hits[i]);
}

/* --- Perplexity -------------------------------------------------------------------------------*/

/* perplexity-uniform, perplexity-range, perplexity-average, perplexity-geometric. */
Test(codebook, perplexity_counts_evenly_used_codes_and_is_not_averaged_over_batches)
{
    const double even[4] = {5, 5, 5, 5}, one[4] = {0, 9, 0, 0}, none[4] = {0};
    const double a[4] = {6, 2, 0, 0}, b[4] = {0, 0, 4, 4}, both[4] = {6, 2, 4, 4};
    cr_expect_float_eq(ev_codebook_perplexity(4, even), 4, 1e-14);
    cr_expect_float_eq(ev_codebook_perplexity(4, one), 1, 1e-14);
    cr_expect_eq(ev_codebook_perplexity(4, none), 0);
    double pa = ev_codebook_perplexity(4, a), pb = ev_codebook_perplexity(4, b);
    double whole_run = ev_codebook_perplexity(4, both);
    /* H(3/4, 1/4) = log 4 - (3/4) log 3. */
    cr_expect_float_eq(pa, 4 / pow(3, 0.75), 1e-14);
    cr_expect_float_eq(pb, 2, 1e-14);
    cr_expect_gt(whole_run, (pa + pb) / 2 + 1);
    cr_expect_geq(whole_run, sqrt(pa * pb));
    cr_expect(ev_codebook_used(4, a) == 2 && ev_codebook_used(4, none) == 0);
}
