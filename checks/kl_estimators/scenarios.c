/* What each scenario's ingredients can minimise, at one target. */
#include "probability/gaussian.h"
#include "probability/log_space.h"
#include "probability/mixture.h"
#include "scene.h"

/* Root mean square distance from the true minimisers, over replicates of n samples:
 * [0] KL(q||p) from reparameterised samples of q, [1] KL(p||q) from samples of p, whose
 * minimiser is the samples' mean and deviation. */
static bool sampled_minimisers(ev_check *check, reverse_problem *problem, size_t n,
                               double *const truth[2], double rms[2])
{
    enum { REPLICATES = 16 };
    const scene *s = problem->s;
    double log_pi[2] = {log(s->pi[0]), log(s->pi[1])}, sum[2] = {0, 0};
    const ev_mixture target = {2, 1, log_pi, s->mu, s->sigma};
    for (uint32_t r = 0; r < REPLICATES; r++) {
        ev_stream stream = ev_check_stream(check, ev_check_format(check, "fit %zu/%u", n, r));
        ev_stream of_q = ev_stream_child(&stream, 0), of_p = ev_stream_child(&stream, 1);
        double phi[2], x[MAX_SAMPLES], mean = 0, second = 0;
        kl_fill_draws(problem, s, &of_q, n);
        if (!kl_minimise_reverse(problem, phi))
            return false;
        sum[0] += pow(distance(phi, truth[0]), 2) / REPLICATES;
        ev_mixture_sample(&target, &of_p, 0, n, x, NULL);
        for (size_t i = 0; i < n; i++) {
            mean += x[i] / (double)n;
            second += x[i] * x[i] / (double)n;
        }
        phi[0] = mean;
        phi[1] = 0.5 * log(second - mean * mean);
        sum[1] += pow(distance(phi, truth[1]), 2) / REPLICATES;
    }
    rms[0] = sqrt(sum[0]);
    rms[1] = sqrt(sum[1]);
    return true;
}

/* Both sample objectives, n = 128 and 2048: sixteen times the samples, a quarter of the distance. */
void kl_decide_scenario_1(ev_check *check, const averages *start)
{
    static reverse_problem problem;
    double reverse[2], forward[2], few[2], many[2];
    double *const truth[2] = {reverse, forward};
    kl_fill_grid(&problem, &start->s);
    kl_forward_minimiser(&start->s, forward);
    if (!kl_minimise_reverse(&problem, reverse) ||
        !sampled_minimisers(check, &problem, 128, truth, few) ||
        !sampled_minimisers(check, &problem, 2048, truth, many)) {
        ev_check_give_up(check, "kl-scenario-1", "a minimisation failed");
        return;
    }
    double apart = distance(reverse, forward), ratio[2] = {few[0] / many[0], few[1] / many[1]};
    double stuck = hypot(start->q[SCORE], start->q[SCORE + 1]);
    double slope = hypot(start->reverse_gradient[0], start->reverse_gradient[1]);
    bool converge = ratio[0] > 2 && ratio[0] < 8 && ratio[1] > 2 && ratio[1] < 8;
    ev_check_sides(check, "kl-minimisers-differ", 1, reverse[1], 1e-8, forward[1], 1e-12);
    const ev_alternative others[] = {
        {"both objectives lead to the same q", apart > many[0] + many[1],
         ev_check_format(check, "the minimisers are %.4f apart, found to %.4f and %.4f", apart,
                         many[0], many[1])},
        {"the mean of grad log(q/p) with x fixed would do for KL(q||p)",
         stuck < 1e-10 && slope > 1e-3,
         ev_check_format(check, "it is %.1e where the gradient is %.3f", stuck, slope)},
        {"one of the two can't be minimised", converge, "both distances shrink with the samples"}};
    ev_check_decide(check, "kl-scenario-1", converge,
                    ev_check_format(check,
                                    "rms distance to the minimiser with 128 and 2048 samples: "
                                    "KL(q,p) %.4f, %.4f (ratio %.2f); KL(p,q) %.4f, %.4f (%.2f)",
                                    few[0], many[0], ratio[0], few[1], many[1], ratio[1]),
                    3, others);
}

/* Scenario 2.  A target with two values, p(1) = u.  The mean of any function of N draws is a
 * polynomial in u of degree at most N, and a divided difference over N + 2 places gives 0 for
 * each such polynomial.  So at one of the places the estimate of g(u) is biased by at least
 *   |sum_i w_i g(u_i)| / sum_i |w_i|,   w_i = 1/prod_{j != i} (u_i - u_j). */
static double least_bias(size_t N, double (*g)(double u))
{
    double u[32], sum = 0, scale = 0;
    for (size_t i = 0; i < N + 2; i++)
        u[i] = 0.5 - 0.45 * cos(acos(-1) * ((double)i + 0.5) / (double)(N + 2));
    for (size_t i = 0; i < N + 2; i++) {
        double w = 1;
        for (size_t j = 0; j < N + 2; j++)
            w /= j == i ? 1 : u[i] - u[j];
        sum += w * g(u[i]);
        scale += fabs(w);
    }
    return fabs(sum) / scale;
}

/* q(1) = 0.3. */
static double two_valued_reverse(double u) { return ev_kl_term(0.3, u) + ev_kl_term(0.7, 1 - u); }

static double two_valued_cross_entropy(double u) { return -u * log(0.3) - (1 - u) * log(0.7); }

void kl_decide_scenario_2(ev_check *check)
{
    double reverse[13], forward = 0, least = HUGE_VAL;
    for (size_t N = 1; N <= 12; N++) {
        reverse[N] = least_bias(N, two_valued_reverse);
        least = fmin(least, reverse[N]);
        forward = fmax(forward, least_bias(N, two_valued_cross_entropy));
    }
    const ev_alternative others[] = {
        {"one sample of p is enough for KL(q,p)", reverse[1] > 1e-12,
         ev_check_format(check, "some bias is at least %.3g", reverse[1])},
        {"twelve samples are enough", reverse[12] > 1e-12,
         ev_check_format(check, "some bias is at least %.3g", reverse[12])},
        {"the cross-entropy of p and q has no unbiased estimate either", forward < 1e-14,
         ev_check_format(check, "the same bound is %.1e", forward)}};
    ev_check_decide(
        check, "kl-scenario-2", least > 1e-12 && forward < 1e-14,
        ev_check_format(check,
                        "targets with two values: any estimate of KL(q,p) from 1, 4, 8, "
                        "12 draws is biased by at least %.3g, %.3g, %.3g, %.3g for some "
                        "of them; of the cross-entropy, by %.0e",
                        reverse[1], reverse[4], reverse[8], reverse[12], forward),
        3, others);
}

/* Draws of a third density, h = N(0, 2^2), with log p at hand; x = 2e. */
static int proposal_block(void *context, size_t worker, size_t n, const double *const *e,
                          double *const *out)
{
    const scene *s = context;
    double score[2];
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double x = 2 * e[0][i], lq = kl_log_q(s->phi, x), ratio = lq - kl_log_p(s, x);
        double weight = exp(lq - ev_gaussian_scalar_log_density(x, 0, 2));
        kl_score_q(s->phi, x, score);
        out[0][i] = weight * ratio;
        out[1][i] = weight * ratio * score[0];
        out[2][i] = weight * ratio * score[1];
        out[3][i] = ratio;
    }
    return 0;
}

void kl_decide_scenario_2_reason(ev_check *check, const averages *a)
{
    scene s = a->s;
    ev_sample_summary drawn[4];
    double half[4];
    ev_stream stream = ev_check_stream(check, "third density");
    if (ev_monte_carlo_expect(1, proposal_block, &s, 4, &stream, 100000, 2, drawn) != EV_OK) {
        ev_check_give_up(check, "kl-scenario-2-reason", "sampling failed");
        return;
    }
    for (int k = 0; k < 4; k++)
        half[k] = ev_sample_half_width(&drawn[k], ev_check_alpha(check));
    bool holds = covers(&drawn[0], half[0], a->reverse) &&
                 covers(&drawn[1], half[1], a->reverse_gradient[0]) &&
                 covers(&drawn[2], half[2], a->reverse_gradient[1]) && half[0] < 0.1 * a->reverse;
    const ev_alternative others[] = {
        {"without samples of q there is no estimate", holds,
         ev_check_format(check, "%.4f +- %.4f for %.4f", drawn[0].mean, half[0], a->reverse)},
        {"the samples need no weight", !covers(&drawn[3], half[3], a->reverse),
         ev_check_format(check, "unweighted: %.4f +- %.4f", drawn[3].mean, half[3])},
        {"the samples of p, unweighted, would do", fabs(a->forward + a->reverse) > 1e-6,
         ev_check_format(check, "they give %.4f, minus the other direction", -a->forward)}};
    ev_check_decide(check, "kl-scenario-2-reason", holds,
                    ev_check_format(check,
                                    "from 100000 draws of N(0,4): KL(q,p) = %.5f +- %.5f (%.5f), "
                                    "gradient (%.4f, %.4f) (%.4f, %.4f)",
                                    drawn[0].mean, half[0], a->reverse, drawn[1].mean,
                                    drawn[2].mean, a->reverse_gradient[0], a->reverse_gradient[1]),
                    3, others);
}

/* Draws of q0 = N(0.1, 1), f = 1000 p, and the gradient of log q at the minimiser of KL(p||q):
 * with the weight f/q0, with f alone, with none; and, from draws of q at the minimiser of
 * KL(q||p), log(q/f) times the score. */
typedef struct {
    const scene *s;
    double forward[2], reverse[2];
} scenario_3;

static int scenario_3_block(void *context, size_t worker, size_t n, const double *const *e,
                            double *const *out)
{
    const scenario_3 *c = context;
    const double start[2] = {0.1, 0};
    double score[2];
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double x = start[0] + e[0][i], f = 1000 * exp(kl_log_p(c->s, x)),
               q0 = exp(kl_log_q(start, x));
        double y = c->reverse[0] + exp(c->reverse[1]) * e[0][i];
        double ratio = kl_log_q(c->reverse, y) - kl_log_p(c->s, y) - log(1000);
        kl_score_q(c->forward, x, score);
        for (int d = 0; d < 2; d++) {
            out[d][i] = f / q0 * score[d];
            out[2 + d][i] = f * score[d];
            out[4 + d][i] = score[d];
        }
        kl_score_q(c->reverse, y, score);
        out[6][i] = ratio * score[0];
        out[7][i] = ratio * score[1];
    }
    return 0;
}

void kl_decide_scenario_3(ev_check *check, const averages *a)
{
    static reverse_problem problem;
    scenario_3 at = {.s = &a->s};
    ev_sample_summary drawn[8];
    double half[8];
    bool zero[4] = {true, true, true, true};
    ev_stream stream = ev_check_stream(check, "weights");
    kl_fill_grid(&problem, &a->s);
    kl_forward_minimiser(&a->s, at.forward);
    if (!kl_minimise_reverse(&problem, at.reverse) ||
        ev_monte_carlo_expect(1, scenario_3_block, &at, 8, &stream, 100000, 2, drawn) != EV_OK) {
        ev_check_give_up(check, "kl-scenario-3", "a minimisation or the sampling failed");
        return;
    }
    for (int k = 0; k < 8; k++) {
        half[k] = ev_sample_half_width(&drawn[k], ev_check_alpha(check));
        zero[k / 2] = zero[k / 2] && covers(&drawn[k], half[k], 0);
    }
    bool sharp = half[0] < 100 && half[1] < 100 && half[6] < 0.5 && half[7] < 0.5;
    const ev_alternative others[] = {
        {"f alone is weight enough", !zero[1],
         ev_check_format(check,
                         "its gradient at the minimiser of KL(p,q) is (%.2f +- %.2f, %.2f +- "
                         "%.2f)",
                         drawn[2].mean, half[2], drawn[3].mean, half[3])},
        {"no weight is needed", !zero[2],
         ev_check_format(check, "the gradient there is (%.3f +- %.3f, %.3f +- %.3f)", drawn[4].mean,
                         half[4], drawn[5].mean, half[5])},
        {"Z must be known", zero[0] && zero[3], "all of this with f = 1000 p"}};
    ev_check_decide(
        check, "kl-scenario-3", zero[0] && zero[3] && sharp,
        ev_check_format(check,
                        "Z = 1000, 100000 draws: the weighted gradient at the minimiser "
                        "of KL(p,q) is (%.2f +- %.2f, %.2f +- %.2f); that of KL(q,p) at "
                        "its own (%.4f +- %.4f, %.4f +- %.4f)",
                        drawn[0].mean, half[0], drawn[1].mean, half[1], drawn[6].mean, half[6],
                        drawn[7].mean, half[7]),
        3, others);
}
