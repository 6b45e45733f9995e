/* The second voice of derivations/elbo_decomposition.md.
 *
 * 1. Averages over q(z|x) of everything the lines are made of, by the trapezoidal rule, compared
 *    with the printed lines, with src/probability's closed forms and with Monte Carlo.
 * 2. The sides of each line that contains the decoder, with a decoder of this module's own.
 * 3. Which q(c|x) the bound calls for, and what the substitutes cost.
 *
 *   c < K clusters, j < J coordinates of z
 *   L_c = E_q[log p(c|z)], the maximiser is q*(c) = exp(L_c)/sum_c' exp(L_c')
 */
#include "fixtures/mixture_model.h"
#include "numerics/minimise.h"
#include "numerics/monte_carlo.h"
#include "numerics/quadrature.h"
#include "probability/categorical.h"
#include "probability/gaussian.h"
#include "probability/gmvae.h"
#include "probability/log_space.h"

#include <math.h>
#include <string.h>

typedef mixture_model scene;

/* 1. Averages over q(z|x). ------------------------------------------------------------------- */

enum {
    JOINT,    /* sum_c gamma_c log [p(x,z,c)/(q(z) gamma_c)], from p(z|c) p(c) */
    BAYES,    /* the same from p(c|z) p(z) */
    MARGINAL, /* log [p(x|z) p(z)/q(z)] */
    CLUSTER,  /* KL(gamma||p(c|z)) */
    PLUG_IN,  /* -H(p(c|z)) */
    LOG_P,    /* log p(c|z), K places */
    P = LOG_P + MODEL_K,
    WHOLE = P + MODEL_K, /* log p(x,z,c) - log q(z) - log p(c|z), averaged over p(c|z) */
    TERMS
};

static void terms_at(const scene *s, const double *z, double *out)
{
    double log_pi[MODEL_K], log_p[MODEL_K];
    ev_mixture prior = mixture_model_prior(s, log_pi);
    double log_pz = ev_mixture_responsibilities(&prior, z, log_p),
           log_px = mixture_model_log_likelihood(s, z);
    double log_qz = ev_gaussian_log_density(s->J, z, s->mu_q, s->sigma_q);
    memset(out, 0, TERMS * sizeof *out);
    out[MARGINAL] = log_px + log_pz - log_qz;
    for (size_t c = 0; c < s->K; c++) {
        double g = s->gamma[c], joint = ev_mixture_log_joint(&prior, c, z), p = exp(log_p[c]);
        out[JOINT] += g * (log_px + joint - log_qz - log(g));
        out[BAYES] += g * (log_px + log_p[c] + log_pz - log_qz - log(g));
        out[CLUSTER] += g * (log(g) - log_p[c]);
        out[PLUG_IN] += p * log_p[c];
        out[LOG_P + c] = log_p[c];
        out[P + c] = p;
        out[WHOLE] += p * (log_px + joint - log_qz - log_p[c]);
    }
}

static int block(void *context, size_t worker, size_t n, const double *const *e, double *const *out)
{
    const scene *s = context;
    double z[MODEL_J], term[TERMS];
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        mixture_model_draw(s, e, i, z);
        terms_at(s, z, term);
        for (size_t k = 0; k < TERMS; k++)
            out[k][i] = term[k];
    }
    return 0;
}

typedef struct {
    scene of;
    double term[TERMS], error;           /* the largest error of all terms */
    double best[MODEL_K], mean[MODEL_K]; /* q*, and p(c|z) at z = mu_q */
    double average[MODEL_K];             /* E_q[p(c|z)] */
    double log_best[MODEL_K], log_average[MODEL_K], log_mean[MODEL_K];
    double log_sum; /* log sum_c exp(L_c), minus the residual */
    double loss_average, loss_mean, loss_sample, information;
} averages;

static double loss(const averages *a, const double *log_q)
{
    return ev_categorical_kl(a->of.K, log_q, a->log_best);
}

/* q* here is the softmax of the averaged logarithms: quadrature, not the closed form. */
static averages take_averages(const scene *s)
{
    averages a = {.of = *s};
    ev_integral found[TERMS];
    size_t evaluations;
    double log_pi[MODEL_K];
    ev_mixture prior = mixture_model_prior(s, log_pi);
    ev_status status = ev_trapezoid_expect(s->J, s->J == 1 ? 0.08 : 0.14, 9.5, block, &a.of, TERMS,
                                           found, &evaluations);
    for (size_t k = 0; k < TERMS; k++) {
        a.term[k] = status == EV_OK ? found[k].value : (double)NAN;
        a.error = fmax(a.error, found[k].error + 1e-13 * (1 + found[k].magnitude));
    }
    ev_log_softmax(s->K, a.term + LOG_P, a.log_best);
    a.log_sum = ev_log_sum_exp(s->K, a.term + LOG_P);
    ev_mixture_responsibilities(&prior, s->mu_q, a.log_mean);
    ev_log_each(s->K, a.term + P, a.log_average);
    a.loss_sample = a.term[PLUG_IN];
    for (size_t c = 0; c < s->K; c++) {
        a.best[c] = exp(a.log_best[c]);
        a.mean[c] = exp(a.log_mean[c]);
        a.average[c] = a.term[P + c];
        a.loss_sample -= a.average[c] * a.log_best[c];
    }
    a.loss_average = loss(&a, a.log_average);
    a.loss_mean = loss(&a, a.log_mean);
    a.information = a.term[PLUG_IN] + ev_categorical_entropy(s->K, a.log_average);
    return a;
}

/* One printed member at the scene against our number. */
static void compare(ev_check *check, const char *claim, size_t step, size_t member,
                    const averages *a, size_t c, double ours)
{
    mixture_model_symbols of;
    double error;
    mixture_model_bind(&a->of, c, &of);
    double theirs = ev_check_document_value(check, claim, member, 0, MODEL_BINDINGS, of.at, &error);
    ev_check_compare(check, claim, step, ours, 4 * a->error, theirs, error, 1e-9);
}

static void compare_maximiser(ev_check *check, const averages *a)
{
    double log_pi[MODEL_K], closed[MODEL_K], log_gamma[MODEL_K];
    ev_mixture prior = mixture_model_prior(&a->of, log_pi);
    ev_gmvae_optimal_gamma(&prior, a->of.mu_q, a->of.sigma_q, closed);
    for (size_t c = 0; c < a->of.K; c++)
        for (size_t step = 1; step <= 2; step++) {
            compare(check, "elbo-maximiser", step, 0, a, c + 1, exp(closed[c]));
            compare(check, "elbo-maximiser", step, step, a, c + 1, a->best[c]);
        }
    ev_log_each(a->of.K, a->of.gamma, log_gamma);
    compare(check, "elbo-loss", 1, 0, a, 1, a->term[CLUSTER]);
    compare(check, "elbo-loss", 1, 1, a, 1, loss(a, log_gamma) - a->log_sum);
    compare(check, "elbo-maximiser-best", 1, 1, a, 1, -a->log_sum);
    compare(check, "elbo-loss-bound", 1, 0, a, 1, ev_categorical_kl(a->of.K, log_gamma, closed));
    compare(check, "elbo-residual", 1, 0, a, 1, -a->log_sum);
    compare(check, "elbo-residual", 1, 1, a, 1, -a->log_sum);
    compare(check, "elbo-residual-bounds", 1, 1, a, 1, exp(a->log_sum));
}

static void compare_substitutes(ev_check *check, const averages *a)
{
    double spread[MODEL_K] = {0}, mean = 0, tilted = 0;
    for (size_t c = 0; c < a->of.K; c++) {
        for (size_t j = 0; j < a->of.J; j++)
            spread[c] += 0.5 * pow(a->of.sigma_q[j] / a->of.sigma[c * a->of.J + j], 2);
        mean += a->mean[c] * spread[c];
        tilted += a->mean[c] * exp(-spread[c]);
    }
    compare(check, "elbo-mean-loss", 1, 0, a, 1, a->loss_mean);
    compare(check, "elbo-mean-loss", 1, 1, a, 1, mean + log(tilted));
    compare(check, "elbo-sample-loss", 1, 0, a, 1, a->loss_sample);
    compare(check, "elbo-sample-loss", 1, 1, a, 1, a->loss_average + a->information);
    compare(check, "elbo-sample-worse", 1, 1, a, 1, a->loss_average);
    compare(check, "elbo-information-bound", 1, 0, a, 1, a->information);
}

static void assert_sampling(ev_check *check, const averages *a)
{
    static const struct {
        size_t term;
        const char *id, *what;
    } kept[] = {{JOINT, "elbo-sampled-bound", "the bound: 100000 draws and quadrature"},
                {CLUSTER, "elbo-sampled-cluster", "E_q KL(q(c|x)||p(c|z)): draws and quadrature"},
                {LOG_P, "elbo-sampled-log", "E_q[log p(c=1|z)]: draws and quadrature"},
                {P, "elbo-sampled-average", "E_q[p(c=1|z)]: draws and quadrature"}};
    ev_sample_summary drawn[TERMS];
    scene s = a->of;
    ev_stream stream = ev_check_stream(check, "under q");
    if (ev_monte_carlo_expect(s.J, block, &s, TERMS, &stream, 100000, 2, drawn) != EV_OK)
        return;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        ev_check_assert(check, kept[i].id, kept[i].what, drawn[kept[i].term].mean,
                        a->term[kept[i].term],
                        ev_sample_half_width(&drawn[kept[i].term], ev_check_alpha(check)));
}

/* 2. Sides of lines. --------------------------------------------------------------------------*/

/* The chain from the bound to its split, with this module's decoder. */
static void proof_sides(ev_check *check, const averages *a)
{
    const double *t = a->term, split = t[MARGINAL] - t[CLUSTER];
    const double member[] = {t[JOINT], t[JOINT], t[JOINT], t[BAYES], t[BAYES], split, split};
    for (size_t step = 1; step <= 6; step++)
        ev_check_sides(check, "elbo-decomposition-proof", step, member[step - 1], a->error,
                       member[step], 2 * a->error);
    ev_check_sides(check, "elbo-decomposition-inside", 1, t[JOINT], a->error, split, 2 * a->error);
    ev_check_sides(check, "elbo-decomposition", 1, t[JOINT], a->error, split, 2 * a->error);
    ev_check_sides(check, "elbo-structured", 1, t[WHOLE], a->error, t[MARGINAL], a->error);
}

static void refuted_sides(ev_check *check, const averages *a)
{
    const scene *s = &a->of;
    const double total = 1.6; /* weights that add up to this, in place of 1 */
    double log_p[MODEL_K], log_pi[MODEL_K], z[MODEL_J] = {0.9, -0.4}, root[MODEL_J];
    ev_mixture prior = mixture_model_prior(s, log_pi);
    ev_mixture_responsibilities(&prior, z, log_p);
    for (size_t j = 0; j < s->J; j++)
        root[j] = sqrt(s->sigma_q[j]);
    /* Bayes' rule from densities alone, beside the responsibilities. */
    double density = 0, first = 0;
    for (size_t c = 0; c < s->K; c++) {
        double joint = s->pi[c] *
                       exp(ev_gaussian_log_density(s->J, z, s->mu + c * s->J, s->sigma + c * s->J));
        density += joint;
        first = c == 0 ? joint : first;
    }
    for (size_t step = 2; step <= 3; step++)
        ev_check_sides(check, "elbo-cluster-posterior", step, exp(log_p[0]), 1e-14, first / density,
                       1e-14);
    const struct {
        const char *claim;
        double left, right;
    } line[] = {{"elbo-unnormalised", total * a->term[MARGINAL], a->term[MARGINAL]},
                {"elbo-kl-zero", ev_categorical_kl(s->K, a->log_best, log_p), 0},
                {"elbo-kl-zero-mean", -a->log_sum, 0},
                {"elbo-cluster-posterior", a->best[0], exp(log_p[0])},
                {"elbo-arithmetic-mean", a->best[0], a->average[0]},
                {"elbo-mean-printed", a->best[0], a->mean[0]},
                {"elbo-posterior-printed",
                 exp(ev_gaussian_log_density(s->J, z, s->mu_q, s->sigma_q)),
                 exp(ev_gaussian_log_density(s->J, z, s->mu_q, root))}};
    for (size_t i = 0; i < sizeof line / sizeof *line; i++)
        ev_check_sides(check, line[i].claim, 1, line[i].left, 4 * a->error, line[i].right,
                       4 * a->error);
}

/* 3. Statements. ------------------------------------------------------------------------------
 *
 * sum_c gamma_c (m log gamma_c - L_c) over logits: for m = 1, the bound's negative without its
 * constant part; for m = 2 and L = log p1 + log p2, the sum of two divergences.
 * d/d logit_k = gamma_k (h_k - sum_c gamma_c h_c), h_c = m log gamma_c - L_c. */
typedef struct {
    double multiple;
    const double *L;
} cluster_problem;

static int cluster_objective(void *context, size_t n, const double *logit, double *value,
                             double *gradient)
{
    const cluster_problem *problem = context;
    double log_gamma[MODEL_K], h[MODEL_K];
    ev_log_softmax(n, logit, log_gamma);
    *value = 0;
    for (size_t c = 0; c < n; c++) {
        h[c] = problem->multiple * log_gamma[c] - problem->L[c];
        *value += exp(log_gamma[c]) * h[c];
    }
    for (size_t c = 0; gradient != NULL && c < n; c++)
        gradient[c] = exp(log_gamma[c]) * (h[c] - *value);
    return 0;
}

static double gradient_norm(const cluster_problem *problem, size_t K, const double *log_gamma)
{
    cluster_problem copy = *problem;
    double value, gradient[MODEL_K], sum = 0;
    cluster_objective(&copy, K, log_gamma, &value, gradient);
    for (size_t c = 0; c < K; c++)
        sum += gradient[c] * gradient[c];
    return sqrt(sum);
}

/* From a lattice of starts; the farthest end from wanted, in probability. */
static double worst_end(cluster_problem *problem, size_t K, const double *wanted, double *value)
{
    double worst = 0;
    for (int start = 0; start < 25; start++) {
        double logit[MODEL_K] = {1.5 * (start % 5 - 2), 1.5 * (start / 5 - 2), 0}, norm,
               end[MODEL_K];
        if (ev_minimise(cluster_objective, problem, K, logit, 1e-10, 500, value, &norm) != EV_OK)
            return HUGE_VAL;
        ev_log_softmax(K, logit, end);
        for (size_t c = 0; c < K; c++)
            worst = fmax(worst, fabs(exp(end[c]) - wanted[c]));
    }
    return worst;
}

/* sum gamma log gamma - L gamma is strictly convex on the simplex: the least middle of a chord
 * below its ends, over the squared length, of 200 random chords. */
static double least_convexity(ev_check *check, cluster_problem *problem, size_t K)
{
    ev_stream stream = ev_check_stream(check, "chords");
    double least = HUGE_VAL, u[2 * MODEL_K], value[3];
    for (uint64_t i = 0; i < 200; i++) {
        double ends[3][MODEL_K], sum[2] = {0, 0}, length = 0;
        ev_stream_uniforms(&stream, 2 * MODEL_K * i, 2 * MODEL_K, u);
        for (size_t k = 0; k < 2 * K; k++)
            sum[k / K] += u[k];
        for (size_t c = 0; c < K; c++) {
            double a = u[c] / sum[0], b = u[K + c] / sum[1];
            length += (a - b) * (a - b);
            ends[0][c] = log(a);
            ends[1][c] = log(b);
            ends[2][c] = log((a + b) / 2);
        }
        for (int k = 0; k < 3; k++)
            cluster_objective(problem, K, ends[k], &value[k], NULL);
        least = fmin(least, ((value[0] + value[1]) / 2 - value[2]) / length);
    }
    return least;
}

static void decide_maximiser(ev_check *check, const averages *a)
{
    const size_t K = a->of.K;
    double log_pi[MODEL_K], closed[MODEL_K], wanted[MODEL_K], value;
    ev_mixture prior = mixture_model_prior(&a->of, log_pi);
    cluster_problem problem = {1, a->term + LOG_P};
    ev_gmvae_optimal_gamma(&prior, a->of.mu_q, a->of.sigma_q, closed);
    for (size_t c = 0; c < K; c++)
        wanted[c] = exp(closed[c]);
    double end = worst_end(&problem, K, wanted, &value);
    double convexity = least_convexity(check, &problem, K);
    double norm = gradient_norm(&problem, K, closed);
    double average = gradient_norm(&problem, K, a->log_average);
    double mean = gradient_norm(&problem, K, a->log_mean);
    double weights = gradient_norm(&problem, K, log_pi);
    const ev_alternative others[] = {
        {"the maximum is at E_q[p(c|z)]", average > 1e-3 && loss(a, a->log_average) > 1e-4,
         ev_check_format(check, "gradient %.4f there, %.4f nats lost", average, a->loss_average)},
        {"the maximum is at p(c|z), z the mean", mean > 1e-3 && a->loss_mean > 1e-4,
         ev_check_format(check, "gradient %.4f there, %.4f nats lost", mean, a->loss_mean)},
        {"the maximum is at the prior weights", weights > 1e-3,
         ev_check_format(check, "gradient %.4f there, %.4f nats lost", weights, loss(a, log_pi))}};
    ev_check_decide(check, "elbo-maximiser-unique", end < 1e-7 && norm < 1e-9 && convexity > 0,
                    ev_check_format(check,
                                    "J = 2, K = 3: 25 of 25 maximisations end within %.1e of the "
                                    "closed form (%.5f, %.5f, %.5f), gradient there %.1e; least "
                                    "curvature of 200 chords %.3f > 0",
                                    end, wanted[0], wanted[1], wanted[2], norm, convexity),
                    3, others);
}

/* KL(gamma||p1) + KL(gamma||p2) at its least, for p(c|z) at two codes. */
static void decide_infeasible(ev_check *check, const averages *a)
{
    static const double Z[4][MODEL_J] = {{0.4, -0.3}, {-0.9, 0.8}, {1.2, 0.1}, {-0.2, -1.3}};
    const size_t K = a->of.K;
    double log_pi[MODEL_K], least = HUGE_VAL, off = 0, end = 0, arithmetic = HUGE_VAL;
    double jeffreys = HUGE_VAL;
    ev_mixture prior = mixture_model_prior(&a->of, log_pi);
    for (int pair = 0; pair < 6; pair++) {
        static const int first[] = {0, 0, 0, 1, 1, 2}, second[] = {1, 2, 3, 2, 3, 3};
        double p1[MODEL_K], p2[MODEL_K], sum[MODEL_K], half[MODEL_K], middle[MODEL_K],
            best[MODEL_K], value;
        ev_mixture_responsibilities(&prior, Z[first[pair]], p1);
        ev_mixture_responsibilities(&prior, Z[second[pair]], p2);
        for (size_t c = 0; c < K; c++) {
            sum[c] = p1[c] + p2[c];
            half[c] = sum[c] / 2;
            middle[c] = ev_log_add_exp(p1[c], p2[c]) - EV_LOG_2;
        }
        double bound = -2 * ev_log_sum_exp(K, half);
        cluster_problem problem = {2, sum};
        ev_log_softmax(K, half, best);
        for (size_t c = 0; c < K; c++)
            best[c] = exp(best[c]);
        end = fmax(end, worst_end(&problem, K, best, &value));
        off = fmax(off, fabs(value - bound));
        least = fmin(least, value);
        cluster_objective(&problem, K, middle, &value, NULL);
        arithmetic = fmin(arithmetic, value - bound);
        jeffreys = fmin(jeffreys, ev_categorical_kl(K, p1, p2) - bound);
    }
    const ev_alternative others[] = {
        {"some q(c|x) makes both divergences zero", least > 1e-3,
         ev_check_format(check, "the least sum over six pairs of codes is %.4f", least)},
        {"the arithmetic mean attains the least sum", arithmetic > 1e-6,
         ev_check_format(check, "it is above by %.2e at least", arithmetic)},
        {"the least sum is the divergence of one from the other", jeffreys > 1e-6,
         ev_check_format(check, "that is more by %.2e at least", jeffreys)}};
    ev_check_decide(check, "elbo-infeasible", off < 1e-10 && end < 1e-6 && least > 1e-3,
                    ev_check_format(check,
                                    "six pairs of codes: numerical minima within %.1e of "
                                    "-2 log sum_c sqrt(p p'), at the geometric mean within %.1e; "
                                    "the smallest is %.4f nats",
                                    off, end, least),
                    3, others);
}

/* A model on the line drawn at random. */
static scene random_scene(const ev_stream *stream, uint64_t i)
{
    double u[12];
    scene s = {.K = 3, .J = 1};
    ev_stream_uniforms(stream, 12 * i, 12, u);
    double total = u[0] + u[1] + u[2];
    for (size_t c = 0; c < 3; c++) {
        s.pi[c] = u[c] / total;
        s.gamma[c] = 1.0 / 3;
        s.mu[c] = 4 * u[3 + c] - 2;
        s.sigma[c] = 0.5 + 1.5 * u[6 + c];
    }
    s.mu_q[0] = 4 * u[9] - 2;
    s.sigma_q[0] = 0.2 + 1.3 * u[10];
    return s;
}

/* The least loss of p(c|z) over z within three deviations of the mean. */
static double luckiest(const averages *a)
{
    double least = HUGE_VAL, log_pi[MODEL_K], log_p[MODEL_K];
    ev_mixture prior = mixture_model_prior(&a->of, log_pi);
    for (int i = -60; i <= 60; i++) {
        double z = a->of.mu_q[0] + a->of.sigma_q[0] * i / 20.0;
        ev_mixture_responsibilities(&prior, &z, log_p);
        least = fmin(least, loss(a, log_p));
    }
    return least;
}

static void decide_choices(ev_check *check, const averages *plane)
{
    enum { MODELS = 100 };
    ev_stream stream = ev_check_stream(check, "models");
    int mean_wins = 0, average_wins = 0, lucky = 0, ordered = 0;
    double least = HUGE_VAL, identity = 0;
    for (uint64_t i = 0; i < MODELS; i++) {
        scene s = random_scene(&stream, i);
        averages a = take_averages(&s);
        double gap = a.loss_mean - a.loss_average, slack = 10 * a.error;
        mean_wins += gap < -slack;
        average_wins += gap > slack;
        lucky += luckiest(&a) < fmin(a.loss_mean, a.loss_average) - slack;
        ordered += a.loss_sample > a.loss_average + slack;
        least = fmin(least, a.loss_sample - a.loss_average);
        identity = fmax(identity, fabs(a.loss_sample - a.loss_average - a.information));
    }
    const ev_alternative others[] = {
        {"the average over z is always at least as good as the value at the mean", mean_wins > 0,
         ev_check_format(check, "the mean wins in %d of %d models", mean_wins, MODELS)},
        {"the value at the mean is always at least as good as the average", average_wins > 0,
         ev_check_format(check, "the average wins in %d of %d models", average_wins, MODELS)},
        {"one draw costs no more, on average, than the average over z", ordered == MODELS,
         ev_check_format(check, "it costs more in %d of %d models, by %.1e at least", ordered,
                         MODELS, least)}};
    ev_check_decide(
        check, "elbo-choices",
        mean_wins > 0 && average_wins > 0 && lucky > 0 && ordered == MODELS && identity < 1e-9,
        ev_check_format(check,
                        "J = 2, K = 3: lost by E_q[p(c|z)] %.5f, at the mean %.5f, by one draw "
                        "%.5f on average, residual %.5f nats; of %d models the mean wins %d, the "
                        "average %d, some draw beats both in %d",
                        plane->loss_average, plane->loss_mean, plane->loss_sample, -plane->log_sum,
                        MODELS, mean_wins, average_wins, lucky),
        3, others);
}

/* p(x|z) itself, for the evidence: z = mu + sigma e under one component. */
static int likelihood_block(void *context, size_t worker, size_t n, const double *const *e,
                            double *const *out)
{
    const scene *s = context; /* mu_q, sigma_q: the component's */
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double z = s->mu_q[0] + s->sigma_q[0] * e[0][i];
        out[0][i] = exp(mixture_model_log_likelihood(s, &z));
    }
    return 0;
}

/* log p(x), J = 1: one adaptive integral a cluster. */
static double log_evidence(const scene *s)
{
    double sum = 0;
    for (size_t c = 0; c < s->K; c++) {
        scene component = *s;
        ev_integral found;
        size_t evaluations;
        component.mu_q[0] = s->mu[c];
        component.sigma_q[0] = s->sigma[c];
        if (ev_kronrod_expect(12, 1e-14, 1e-12, likelihood_block, &component, 1, &found,
                              &evaluations) != EV_OK)
            return (double)NAN;
        sum += s->pi[c] * found.value;
    }
    return log(sum);
}

static void decide_structured(ev_check *check, const averages *start)
{
    scene s = start->of, exact = s;
    memcpy(s.gamma, start->best, sizeof s.gamma);
    averages at = take_averages(&s);
    double gain = at.term[WHOLE] - at.term[JOINT], evidence = log_evidence(&s);
    double gap = evidence - at.term[WHOLE];
    /* a decoder that ignores z, clusters all alike, q the prior: the exact posterior */
    exact.slope = 0;
    for (size_t c = 0; c < exact.K; c++) {
        exact.mu[c] = exact.mu_q[0];
        exact.sigma[c] = exact.sigma_q[0];
    }
    averages same = take_averages(&exact);
    double closed = fabs(log_evidence(&exact) - same.term[WHOLE]);
    bool holds = fabs(gain + at.log_sum) < 1e-9 && gain > 1e-3 && gap > 1e-3 && closed < 1e-12;
    const ev_alternative others[] = {
        {"the gain is the information about the cluster in z", fabs(gain - at.information) > 1e-3,
         ev_check_format(check, "gain %.5f, information %.5f", gain, at.information)},
        {"nothing is gained at the maximiser", gain > 1e-3,
         ev_check_format(check, "gain %.5f", gain)},
        {"the bound becomes log p(x)", gap > 1e-3,
         ev_check_format(check, "log p(x) is %.5f nats above", gap)}};
    ev_check_decide(check, "elbo-structured-gain", holds,
                    ev_check_format(check,
                                    "J = 1, K = 2: product form at its best %.6f, with q(c|x,z) "
                                    "%.6f, log p(x) %.6f; the gain is the residual within %.1e; "
                                    "with the exact posterior the gap is %.1e",
                                    at.term[JOINT], at.term[WHOLE], evidence,
                                    fabs(gain + at.log_sum), closed),
                    3, others);
}

void check_elbo_decomposition(ev_check *check);
void check_elbo_decomposition(ev_check *check)
{
    averages plane = take_averages(&MODEL_PLANE), line = take_averages(&MODEL_LINE);
    const averages *both[] = {&line, &plane};
    for (int i = 0; i < 2; i++) {
        compare_maximiser(check, both[i]);
        compare_substitutes(check, both[i]);
        proof_sides(check, both[i]);
    }
    assert_sampling(check, &plane);
    refuted_sides(check, &plane);
    decide_maximiser(check, &plane);
    decide_infeasible(check, &plane);
    decide_choices(check, &plane);
    decide_structured(check, &line);
}
