/* The second voice of derivations/kl_estimators.md.
 *
 * 1. Averages over q and over p of everything the document's lines are made of, by adaptive
 *    quadrature, compared with the printed lines, with the closed forms of
 *    src/probability where there are any, and with Monte Carlo.
 * 2. The scenarios: what each set of ingredients can minimise, by doing it.
 * 3. The estimators k1, k2, k3: bias, variance, where their gradients lead.
 *
 *   x     a point of R            e    the whitened point, x = phi_1 + exp(phi_2) e
 *   p     pi_1 N(mu_1, sigma_1^2) + pi_2 N(mu_2, sigma_2^2)
 *   q     N(phi_1, exp(2 phi_2)); phi[0] is the document's phi_1
 */
#include "probability/kl_estimators.h"
#include "judge/check.h"
#include "numerics/minimise.h"
#include "numerics/monte_carlo.h"
#include "numerics/quadrature.h"
#include "probability/gaussian.h"
#include "probability/log_space.h"
#include "probability/mixture.h"

#include <math.h>
#include <string.h>

typedef struct {
    double pi[2], mu[2], sigma[2];
    double phi[2];
} scene;

/* In the domains of the document's sections: q wider than p, so that the weights p/q are
 * bounded, and p wider than q. */
static const scene NARROW = {{0.35, 0.65}, {-0.4, 0.45}, {0.35, 0.27}, {0.2, -0.1}};
static const scene WIDE = {{0.35, 0.65}, {-0.8, 0.5}, {1.2, 1.7}, {0.3, -0.4}};
/* Two peaks, for which the minimisers of the two divergences lie well apart. */
static const scene PEAKS = {{0.35, 0.65}, {-0.4, 0.5}, {0.3, 0.25}, {0.2, -0.1}};

static double log_p(const scene *s, double x)
{
    double log_joint[2];
    for (int k = 0; k < 2; k++)
        log_joint[k] = log(s->pi[k]) + ev_gaussian_scalar_log_density(x, s->mu[k], s->sigma[k]);
    return ev_log_add_exp(log_joint[0], log_joint[1]);
}

/* d log p/dx. */
static double score_p(const scene *s, double x)
{
    double total = log_p(s, x), score = 0;
    for (int k = 0; k < 2; k++) {
        double log_joint = log(s->pi[k]) + ev_gaussian_scalar_log_density(x, s->mu[k], s->sigma[k]);
        score += exp(log_joint - total) * (s->mu[k] - x) / (s->sigma[k] * s->sigma[k]);
    }
    return score;
}

static double log_q(const double phi[2], double x)
{
    return ev_gaussian_scalar_log_density(x, phi[0], exp(phi[1]));
}

/* grad_phi log q(x). */
static void score_q(const double phi[2], double x, double score[2])
{
    double e = (x - phi[0]) * exp(-phi[1]);
    score[0] = e * exp(-phi[1]);
    score[1] = e * e - 1;
}

/* 1. Averages. -------------------------------------------------------------------------------
 *
 * Terms under q; each gradient takes two places, by phi_1 and by phi_2.  With x fixed,
 * grad k1 = score, grad k2 = k1 score, grad k3 = (1 - r) score. */
enum {
    K1,
    K2,
    K3,
    OTHER,
    WEIGHTED,
    WEIGHTLESS,
    DENSITY,
    SCORE,
    K1_SCORE = SCORE + 2,
    K2_SCORE = K1_SCORE + 2,
    K3_SCORE = K2_SCORE + 2,
    K3_LOSS = K3_SCORE + 2,
    DENSITY_SCORE = K3_LOSS + 2,
    UNDER_Q = DENSITY_SCORE + 2
};
/* Terms under p. */
enum { CROSS, SELF, RATIO, P_SCORE, UNDER_P = P_SCORE + 2 };

static void terms_under_q(const scene *s, double x, double *out)
{
    double lq = log_q(s->phi, x), log_r = log_p(s, x) - lq, r = exp(log_r), score[2];
    out[K1] = ev_kl_estimator_value(EV_KL_K1, log_r);
    out[K2] = ev_kl_estimator_value(EV_KL_K2, log_r);
    out[K3] = ev_kl_estimator_value(EV_KL_K3, log_r);
    out[OTHER] = r * log_r - (r - 1);
    out[WEIGHTED] = -r * lq;
    out[WEIGHTLESS] = -exp(log_r + lq) * lq;
    out[DENSITY] = exp(lq);
    score_q(s->phi, x, score);
    for (int d = 0; d < 2; d++) {
        out[SCORE + d] = score[d];
        out[K1_SCORE + d] = out[K1] * score[d];
        out[K2_SCORE + d] = out[K2] * score[d];
        out[K3_SCORE + d] = out[K3] * score[d];
        out[K3_LOSS + d] = (1 - r) * score[d];
        out[DENSITY_SCORE + d] = out[DENSITY] * score[d];
    }
}

static void terms_under_p(const scene *s, double x, double *out)
{
    double lp = log_p(s, x), lq = log_q(s->phi, x);
    out[CROSS] = -lq;
    out[SELF] = -lp;
    out[RATIO] = exp(lq - lp) * (lq - lp);
    score_q(s->phi, x, out + P_SCORE);
}

/* An average of m terms over N(mean, width^2), for the integrators. */
typedef struct {
    const scene *s;
    double mean, width;
    void (*terms)(const scene *s, double x, double *out);
    size_t m;
} average;

static int average_block(void *context, size_t worker, size_t n, const double *const *e,
                         double *const *out)
{
    const average *a = context;
    double term[UNDER_Q];
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        a->terms(a->s, a->mean + a->width * e[0][i], term);
        for (size_t k = 0; k < a->m; k++)
            out[k][i] = term[k];
    }
    return 0;
}

/* Add weight times the averages, by GSL's adaptive rule, to value and error. */
static void add_quadrature(average *a, double weight, double *value, double *error)
{
    ev_integral found[UNDER_Q];
    size_t evaluations;
    ev_status status = ev_kronrod_expect(12, 1e-14, 1e-12, average_block, a, a->m, found,
                                         &evaluations);
    for (size_t k = 0; k < a->m; k++) {
        value[k] += status == EV_OK ? weight * found[k].value : (double)NAN;
        error[k] += weight * (found[k].error + 1e-14);
    }
}

static void under_q(const scene *s, double value[UNDER_Q], double error[UNDER_Q])
{
    average a = {s, s->phi[0], exp(s->phi[1]), terms_under_q, UNDER_Q};
    memset(value, 0, UNDER_Q * sizeof *value);
    memset(error, 0, UNDER_Q * sizeof *error);
    add_quadrature(&a, 1, value, error);
}

static void under_p(const scene *s, double value[UNDER_P], double error[UNDER_P])
{
    memset(value, 0, UNDER_P * sizeof *value);
    memset(error, 0, UNDER_P * sizeof *error);
    for (int k = 0; k < 2; k++) {
        average a = {s, s->mu[k], s->sigma[k], terms_under_p, UNDER_P};
        add_quadrature(&a, s->pi[k], value, error);
    }
}

/* One printed member against our value: components of a gradient one by one. */
static void compare(ev_check *check, const char *claim, size_t step, size_t member,
                    size_t components, const scene *s, const double *ours, const double *error)
{
    const double K = 2, N = 2;
    const ev_binding at[] = {{"K", 1, &K},          {"N", 1, &N},       {"\\pi", 2, s->pi},
                             {"\\theta", 2, s->mu}, {"s", 2, s->sigma}, {"\\phi", 2, s->phi}};
    for (size_t d = 0; d < components; d++) {
        double their_error;
        double theirs = ev_check_document_value(check, claim, member, d, 6, at, &their_error);
        ev_check_compare(check, claim, step, ours[d], error[d], theirs, their_error, 1e-9);
    }
}

/* The averages of one scene, by quadrature, and the two divergences with their gradients. */
typedef struct {
    scene s;
    double q[UNDER_Q], q_error[UNDER_Q];
    double p[UNDER_P], p_error[UNDER_P];
    double reverse, reverse_error; /* KL(q||p) */
    double forward, forward_error; /* KL(p||q) */
    double reverse_gradient[2], forward_gradient[2], gradient_error[2];
} averages;

static averages take_averages(const scene *s)
{
    averages a = {.s = *s};
    under_q(s, a.q, a.q_error);
    under_p(s, a.p, a.p_error);
    a.reverse = a.q[K1];
    a.reverse_error = a.q_error[K1];
    a.forward = a.p[CROSS] - a.p[SELF];
    a.forward_error = a.p_error[CROSS] + a.p_error[SELF];
    for (int d = 0; d < 2; d++) {
        a.reverse_gradient[d] = a.q[K1_SCORE + d];
        a.forward_gradient[d] = -a.p[P_SCORE + d];
        a.gradient_error[d] = a.q_error[K1_SCORE + d] + a.p_error[P_SCORE + d];
    }
    return a;
}

static void compare_values(ev_check *check, const averages *wide, const averages *narrow)
{
    const averages *w = wide, *n = narrow;
    compare(check, "kl-definitions", 1, 1, 1, &w->s, &w->reverse, &w->reverse_error);
    compare(check, "kl-definitions", 2, 3, 1, &w->s, &w->forward, &w->forward_error);
    compare(check, "kl-scenario-2-forward", 1, 1, 1, &w->s, &w->forward, &w->forward_error);
    compare(check, "kl-scenario-2-forward", 2, 2, 1, &w->s, &w->forward, &w->forward_error);
    compare(check, "kl-scenario-2-reverse", 1, 1, 1, &w->s, &w->reverse, &w->reverse_error);
    compare(check, "kl-scenario-2-reverse", 2, 2, 1, &w->s, &w->p[RATIO], &w->p_error[RATIO]);
    compare(check, "kl-k1-mean", 1, 1, 1, &n->s, &n->reverse, &n->reverse_error);
    compare(check, "kl-k3-mean", 1, 1, 1, &n->s, &n->q[K3], &n->q_error[K3]);
    compare(check, "kl-k2-mean", 1, 0, 1, &n->s, &n->q[K2], &n->q_error[K2]);
    compare(check, "kl-other-direction", 1, 1, 1, &n->s, &n->forward, &n->forward_error);
}

/* The lines between gradients: the printed right side against ours. */
static void compare_gradients(ev_check *check, const averages *w, const averages *n)
{
    double difference[2];
    for (int d = 0; d < 2; d++)
        difference[d] = n->reverse_gradient[d] - n->forward_gradient[d];
    const struct {
        const char *claim;
        size_t member;
        const averages *of;
        const double *ours;
    } line[] = {{"kl-gradient-forward", 1, w, w->forward_gradient},
                {"kl-gradient-score", 1, w, w->reverse_gradient},
                {"kl-gradient-reparameterised", 1, w, w->reverse_gradient},
                {"kl-k2-loss-gradient", 0, n, n->reverse_gradient},
                {"kl-k3-loss-gradient", 0, n, n->forward_gradient},
                {"kl-k1-as-reward", 0, n, n->reverse_gradient},
                {"kl-k3-reward-gradient", 0, n, difference},
                {"kl-k3-whole-gradient", 0, n, n->reverse_gradient}};
    for (size_t i = 0; i < sizeof line / sizeof *line; i++)
        compare(check, line[i].claim, 1, line[i].member, 2, &line[i].of->s, line[i].ours,
                line[i].of->gradient_error);
}

/* A single Gaussian target: src/probability's closed forms against the printed lines. */
static void compare_closed_forms(ev_check *check)
{
    const double K = 1, N = 1, pi = 1, mu = -0.35, sigma = 0.31, phi[2] = {0.4, -0.25};
    const double mu_q = phi[0], sigma_q = exp(phi[1]);
    const ev_binding at[] = {{"K", 1, &K},        {"N", 1, &N},     {"\\pi", 1, &pi},
                             {"\\theta", 1, &mu}, {"s", 1, &sigma}, {"\\phi", 2, phi}};
    const struct {
        const char *claim;
        size_t member;
        double ours;
    } line[] = {{"kl-k1-mean", 1, ev_kl_estimator_mean(EV_KL_K1, mu_q, sigma_q, mu, sigma)},
                {"kl-k2-mean", 1, ev_kl_estimator_mean(EV_KL_K2, mu_q, sigma_q, mu, sigma)},
                {"kl-k3-mean", 1, ev_kl_estimator_mean(EV_KL_K3, mu_q, sigma_q, mu, sigma)},
                {"kl-other-direction", 0, ev_gaussian_scalar_kl(mu, sigma, mu_q, sigma_q)},
                {"kl-k2-loss-gradient", 1,
                 ev_kl_estimator_loss_gradient(EV_KL_K2, mu_q, sigma_q, mu, sigma)},
                {"kl-k3-loss-gradient", 1,
                 ev_kl_estimator_loss_gradient(EV_KL_K3, mu_q, sigma_q, mu, sigma)},
                {"kl-k2-own-gradient", 1,
                 ev_kl_estimator_mean_gradient(EV_KL_K2, mu_q, sigma_q, mu, sigma)},
                {"kl-k3-whole-gradient", 1,
                 ev_kl_estimator_mean_gradient(EV_KL_K3, mu_q, sigma_q, mu, sigma)}};
    for (size_t i = 0; i < sizeof line / sizeof *line; i++) {
        double error;
        double theirs = ev_check_document_value(check, line[i].claim, line[i].member, 0, 6, at,
                                                &error);
        ev_check_compare(check, line[i].claim, 1, line[i].ours, 1e-13 * (1 + fabs(line[i].ours)),
                         theirs, error, 1e-9);
    }
}

/* The variances of section "Their bias and variance for two Gaussians". */
static void compare_variances(ev_check *check)
{
    static const double SHIFT[] = {0.1, -0.7, 1.0, 1.5};
    for (size_t i = 0; i < sizeof SHIFT / sizeof *SHIFT; i++) {
        const ev_binding at[] = {{"m", 1, &SHIFT[i]}};
        for (size_t kind = 0; kind < 3; kind++) {
            double ours = ev_kl_estimator_variance((ev_kl_estimator)kind, 0, 1, SHIFT[i], 1), error;
            double theirs = ev_check_document_value(check, "kl-shift-variances", 2 * kind + 1, 0, 1,
                                                    at, &error);
            ev_check_compare(check, "kl-shift-variances", kind + 1, ours, 1e-13 * ours, theirs,
                             error, 1e-9);
        }
    }
}

/* Both sides of the refuted lines, at a point where they differ. */
static void refuted_sides(ev_check *check, const averages *a, const averages *wide)
{
    scene moved = a->s;
    moved.phi[0] += 0.3;
    moved.phi[1] += 0.2;
    averages b = take_averages(&moved);
    const double two_root_pi = 2 * sqrt(acos(-1)), sigma = exp(a->s.phi[1]), phi_1 = 0.7;
    const struct {
        const char *claim;
        size_t step;
        double left, right, error;
    } line[] = {
        {"kl-gradient-inside", 1, wide->q[K1_SCORE], wide->q[SCORE], wide->gradient_error[0]},
        {"kl-entropy-sign", 1, wide->forward, wide->p[CROSS] + wide->p[SELF], wide->forward_error},
        /* two samples */
        {"kl-cross-entropy-sum", 1, wide->p[CROSS], 2 * wide->p[CROSS], wide->forward_error},
        {"kl-scenario-3-forward", 4, a->q[WEIGHTED], a->q[WEIGHTLESS], a->q_error[WEIGHTED]},
        /* the difference between two phi: any constant drops out */
        {"kl-scenario-3-two-constants", 1, a->q[WEIGHTED] - b.q[WEIGHTED],
         a->q[WEIGHTLESS] - b.q[WEIGHTLESS], a->q_error[WEIGHTED] + b.q_error[WEIGHTED]},
        {"kl-k2-unbiased", 1, a->reverse, a->q[K2], a->q_error[K2]},
        {"kl-k2-sampled", 1, a->reverse, a->q[K2], a->q_error[K2]},
        /* where p exceeds q */
        {"kl-k1-nonnegative", 1, log_q(a->s.phi, 0.5) - log_p(&a->s, 0.5), 0, 1e-15},
        {"kl-k1-as-loss", 1, a->q[SCORE], a->q[K1_SCORE], a->gradient_error[0]},
        {"kl-k2-own-gradient", 1, a->q[K1_SCORE], a->q[K2_SCORE] + a->q[K1_SCORE],
         a->gradient_error[0]},
        {"kl-k3-as-loss", 1, a->q[K3_LOSS], a->q[K1_SCORE], a->gradient_error[0]},
        {"kl-k3-as-reward", 1, a->q[K3_SCORE], a->q[K1_SCORE], a->gradient_error[0]},
        /* by phi_2, with E_q[q] = 1/(2 sqrt(pi) sigma) */
        {"log-derivative-density", 1, -1 / (two_root_pi * sigma), a->q[DENSITY_SCORE + 1],
         a->q_error[DENSITY_SCORE + 1]},
        /* f(x; phi) = x phi_1, sigma = 1, by phi_1: d phi_1^2, and what the lines leave of it,
         * with E_q[x log q] = -phi_1 log(2 pi e)/2 */
        {"log-derivative-printed", 1, 2 * phi_1, phi_1, 1e-15},
        {"log-derivative-product", 1, 2 * phi_1, phi_1 * (1 - EV_LOG_2PI_E / 2), 1e-15}};
    for (size_t i = 0; i < sizeof line / sizeof *line; i++)
        ev_check_sides(check, line[i].claim, line[i].step, line[i].left, line[i].error,
                       line[i].right, line[i].error);
}

/* Does the interval of a sampled mean hold the value? */
static bool covers(const ev_sample_summary *drawn, double half_width, double value)
{
    return fabs(drawn->mean - value) <= half_width;
}

/* Monte Carlo under q, against quadrature. */
static void assert_sampling(ev_check *check, const averages *a)
{
    static const struct {
        size_t term;
        const char *id, *what;
    } kept[] = {{K1, "kl-sampled-k1", "E_q[k1] by 50000 draws and by quadrature"},
                {K2, "kl-sampled-k2", "E_q[k2] by 50000 draws and by quadrature"},
                {K3, "kl-sampled-k3", "E_q[k3] by 50000 draws and by quadrature"},
                {OTHER, "kl-sampled-other", "E_q[r log r - (r-1)] by draws and by quadrature"},
                {WEIGHTED, "kl-sampled-weighted", "E_q[(p/q) ln 1/q] by draws and by quadrature"},
                {K1_SCORE, "kl-sampled-k1-score", "E_q[k1 score] by draws and by quadrature"},
                {K3_SCORE, "kl-sampled-k3-score", "E_q[k3 score] by draws and by quadrature"},
                {K3_LOSS, "kl-sampled-k3-loss", "E_q[grad k3] by draws and by quadrature"}};
    average terms = {&a->s, a->s.phi[0], exp(a->s.phi[1]), terms_under_q, UNDER_Q};
    ev_sample_summary drawn[UNDER_Q];
    ev_stream stream = ev_check_stream(check, "under q");
    if (ev_monte_carlo_expect(1, average_block, &terms, UNDER_Q, &stream, 50000, 2, drawn) != EV_OK)
        return;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        size_t k = kept[i].term;
        ev_check_assert(check, kept[i].id, kept[i].what, drawn[k].mean, a->q[k],
                        ev_sample_half_width(&drawn[k], ev_check_alpha(check)) + a->q_error[k]);
    }
}

/* 2. The scenarios. --------------------------------------------------------------------------
 *
 * KL(q||p) with the draw reparameterised, over n whitened points e with weights w: the
 * trapezoidal rule, or samples of equal weight. */
enum { GRID = 241, MAX_SAMPLES = 2048 };

typedef struct {
    const scene *s;
    size_t n;
    double e[MAX_SAMPLES], w[MAX_SAMPLES];
} reverse_problem;

static void fill_grid(reverse_problem *problem, const scene *s)
{
    const double h = 20.0 / (GRID - 1);
    problem->s = s;
    problem->n = GRID;
    for (int i = 0; i < GRID; i++) {
        problem->e[i] = -10 + h * i;
        problem->w[i] = h * exp(ev_gaussian_scalar_log_density(problem->e[i], 0, 1));
    }
}

static void fill_draws(reverse_problem *problem, const scene *s, const ev_stream *stream, size_t n)
{
    problem->s = s;
    problem->n = n;
    ev_stream_normals(stream, 0, n, problem->e);
    for (size_t i = 0; i < n; i++)
        problem->w[i] = 1 / (double)n;
}

/* sum_i w_i [log q - log p](g(e_i)) and its gradient; log q(g(e)) = -phi_2 - e^2/2 - log(2 pi)/2. */
static int reverse_objective(void *context, size_t n, const double *phi, double *value,
                             double *gradient)
{
    const reverse_problem *problem = context;
    double width = exp(phi[1]), sum = 0, slope[2] = {0, 0};
    (void)n;
    if (!(width > 1e-6 && width < 1e3))
        return 1;
    for (size_t i = 0; i < problem->n; i++) {
        double e = problem->e[i], x = phi[0] + width * e;
        sum += problem->w[i] * (-phi[1] - 0.5 * (e * e + EV_LOG_2PI) - log_p(problem->s, x));
        if (gradient == NULL)
            continue;
        double push = -problem->w[i] * score_p(problem->s, x);
        slope[0] += push;
        slope[1] += push * width * e - problem->w[i];
    }
    *value = sum;
    if (gradient != NULL)
        memcpy(gradient, slope, sizeof slope);
    return 0;
}

static bool minimise_reverse(reverse_problem *problem, double phi[2])
{
    double value, norm;
    phi[0] = problem->s->phi[0];
    phi[1] = problem->s->phi[1];
    return ev_minimise(reverse_objective, problem, 2, phi, 1e-9, 500, &value, &norm) == EV_OK;
}

/* The minimiser of KL(p||q): p's mean and the logarithm of its standard deviation. */
static void forward_minimiser(const scene *s, double phi[2])
{
    double second = 0;
    phi[0] = 0;
    for (int k = 0; k < 2; k++) {
        phi[0] += s->pi[k] * s->mu[k];
        second += s->pi[k] * (s->sigma[k] * s->sigma[k] + s->mu[k] * s->mu[k]);
    }
    phi[1] = 0.5 * log(second - phi[0] * phi[0]);
}

static double distance(const double a[2], const double b[2])
{
    return hypot(a[0] - b[0], a[1] - b[1]);
}

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
        fill_draws(problem, s, &of_q, n);
        if (!minimise_reverse(problem, phi))
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
static void decide_scenario_1(ev_check *check, const averages *start)
{
    static reverse_problem problem;
    double reverse[2], forward[2], few[2], many[2];
    double *const truth[2] = {reverse, forward};
    fill_grid(&problem, &start->s);
    forward_minimiser(&start->s, forward);
    if (!minimise_reverse(&problem, reverse) ||
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

/* A step function under q: score-function estimates, and reparameterised ones, the derivative
 * of f(g(e)) by phi in each draw. */
static int step_block(void *context, size_t worker, size_t n, const double *const *e,
                      double *const *out)
{
    const double *phi = context;
    double score[2];
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        const double h = 1e-9;
        double width = exp(phi[1]), x = phi[0] + width * e[0][i], f = x > 0;
        score_q(phi, x, score);
        out[0][i] = f * score[0];
        out[1][i] = f * score[1];
        out[2][i] = ((x + h > 0) - (x - h > 0)) / (2 * h);
        out[3][i] = ((x + h * width * e[0][i] > 0) - (x - h * width * e[0][i] > 0)) / (2 * h);
    }
    return 0;
}

/* P(x > 0) = Phi(phi_1/sigma): its gradient is (1, -phi_1) times the density of q at 0. */
static void decide_continuity(ev_check *check)
{
    double phi[2] = {0.4, 0.3}, density = exp(log_q(phi, 0));
    const double truth[2] = {density, -phi[0] * density};
    const char *id = "reparameterisation-needs-continuity";
    ev_sample_summary drawn[4];
    ev_stream stream = ev_check_stream(check, "step");
    if (ev_monte_carlo_expect(1, step_block, phi, 4, &stream, 100000, 2, drawn) != EV_OK) {
        ev_check_give_up(check, id, "sampling failed");
        return;
    }
    double half[2];
    bool score = true, path = true;
    for (int d = 0; d < 2; d++) {
        half[d] = ev_sample_half_width(&drawn[d], ev_check_alpha(check));
        score = score && covers(&drawn[d], half[d], truth[d]) && half[d] < 0.25 * fabs(truth[d]);
        path = path && fabs(drawn[2 + d].mean) <= 0 && drawn[2 + d].variance <= 0;
    }
    const ev_alternative others[] = {
        {"the reparameterised estimate is unbiased", path,
         ev_check_format(check, "0 in each of 100000 draws, the gradient is (%.4f, %.4f)", truth[0],
                         truth[1])},
        {"the score-function estimate needs continuity as well", score,
         ev_check_format(check, "it gives (%.4f, %.4f)", drawn[0].mean, drawn[1].mean)}};
    ev_check_decide(check, id, score && path,
                    ev_check_format(check,
                                    "gradient (%.5f, %.5f); score function (%.5f +- %.5f, %.5f +- "
                                    "%.5f); reparameterised 0 in every draw",
                                    truth[0], truth[1], drawn[0].mean, half[0], drawn[1].mean,
                                    half[1]),
                    2, others);
}

/* f = (x-a)^2, d = phi_1 - a, sigma = 1: the two estimates and their squares. */
static int square_block(void *context, size_t worker, size_t n, const double *const *e,
                        double *const *out)
{
    double d = *(const double *)context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double root = d + e[0][i];
        out[0][i] = root * root * e[0][i];
        out[1][i] = 2 * root;
        out[2][i] = out[0][i] * out[0][i];
        out[3][i] = out[1][i] * out[1][i];
    }
    return 0;
}

/* Variances of the score-function and of the reparameterised estimate at distance d. */
static void estimate_variances(double d, double variance[2])
{
    ev_integral out[4];
    size_t evaluations;
    for (int k = 0; k < 2; k++)
        variance[k] = (double)NAN;
    if (ev_kronrod_expect(12, 1e-14, 1e-12, square_block, &d, 4, out, &evaluations) == EV_OK)
        for (int k = 0; k < 2; k++)
            variance[k] = out[2 + k].value - out[k].value * out[k].value;
}

static void decide_reparameterisation_variance(ev_check *check)
{
    double near[2], far[2], farther[2], worst = 0;
    for (double d = 0; d <= 4; d++) {
        estimate_variances(d, near);
        worst = fmax(worst, fabs(near[0] / (pow(d, 4) + 14 * d * d + 15) - 1));
        worst = fmax(worst, fabs(near[1] / 4 - 1));
    }
    estimate_variances(128, far);
    estimate_variances(256, farther);
    double exponent = log2(farther[0] / far[0]), flat = log2(farther[1] / far[1]);
    const char *found = ev_check_format(check, "exponents %.4f and %.1e", exponent, flat);
    const ev_alternative others[] = {
        {"the score function's variance grows as the square", fabs(exponent - 2) > 0.1, found},
        {"the two variances are of one order", fabs(exponent - flat) > 0.1, found},
        {"the reparameterised variance grows too", fabs(flat) < 1e-6, found}};
    ev_check_decide(check, "reparameterisation-variance",
                    fabs(exponent - 4) < 0.01 && fabs(flat) < 1e-6 && worst < 1e-10,
                    ev_check_format(check,
                                    "exponents between distances 128 and 256: %.4f and %.1e; "
                                    "within %.1e of d^4 + 14 d^2 + 15 and of 4",
                                    exponent, flat, worst),
                    3, others);
}

/* log of the standard deviation fitted to N draws of N(0,1), bias and spread over FITS fits. */
enum { FITS = 6000 };

static void fitted_log_sd(const ev_stream *stream, size_t N, double *bias, double *deviation)
{
    double sum = 0, squares = 0, x[EV_BLOCK];
    for (size_t r = 0; r < FITS; r++) {
        double mean = 0, second = 0;
        ev_stream_normals(stream, (uint64_t)(r * N), N, x);
        for (size_t i = 0; i < N; i++) {
            mean += x[i] / (double)N;
            second += x[i] * x[i] / (double)N;
        }
        double fitted = 0.5 * log(second - mean * mean);
        sum += fitted / FITS;
        squares += fitted * fitted / FITS;
    }
    *bias = sum;
    *deviation = sqrt(squares - sum * sum);
}

/* (psi((N-1)/2) + log(2/N))/2 for even N: psi(n + 1/2) = -euler - 2 log 2 + 2 sum 1/(2k-1). */
static double exact_log_sd_bias(size_t N)
{
    double psi = -0.57721566490153286061 - 2 * EV_LOG_2;
    for (size_t k = 1; k <= (N - 2) / 2; k++)
        psi += 2 / (2 * (double)k - 1);
    return 0.5 * (psi + log(2 / (double)N));
}

static void decide_sample_minimiser(ev_check *check)
{
    static const size_t SIZE[] = {8, 32, 128};
    double bias[3], deviation[3], width[3], exact[3];
    bool agree = true;
    for (int i = 0; i < 3; i++) {
        ev_stream stream = ev_check_stream(check, ev_check_format(check, "scale %zu", SIZE[i]));
        fitted_log_sd(&stream, SIZE[i], &bias[i], &deviation[i]);
        ev_sample_summary s = {
            .samples = FITS, .standard_error = deviation[i] / sqrt(FITS), .khat = -HUGE_VAL};
        width[i] = ev_sample_half_width(&s, ev_check_alpha(check));
        exact[i] = exact_log_sd_bias(SIZE[i]);
        agree = agree && fabs(bias[i] - exact[i]) <= width[i];
    }
    double exponent = log2(deviation[2] / deviation[1]) / 2;
    double far = 1000 * exact_log_sd_bias(1000);
    const char *found = ev_check_format(check, "bias with 8 draws %.4f +- %.4f", bias[0], width[0]);
    const ev_alternative others[] = {
        {"the minimiser of the sum is unbiased", fabs(bias[0]) > width[0], found},
        {"it is too large on average", bias[0] + width[0] < 0, found},
        {"its bias is half as large, -1/(2N)", fabs(bias[0] + 1.0 / 16) > width[0], found}};
    ev_check_decide(
        check, "kl-sample-minimiser", agree && fabs(exponent + 0.5) < 0.1 && fabs(far + 1) < 0.01,
        ev_check_format(check,
                        "bias with 8, 32, 128 draws %.4f, %.4f, %.4f (exact %.4f, %.4f, "
                        "%.4f; N times it %.4f at N = 1000); spread as N^%.3f",
                        bias[0], bias[1], bias[2], exact[0], exact[1], exact[2], far, exponent),
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

static void decide_scenario_2(ev_check *check)
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
        double x = 2 * e[0][i], lq = log_q(s->phi, x), ratio = lq - log_p(s, x);
        double weight = exp(lq - ev_gaussian_scalar_log_density(x, 0, 2));
        score_q(s->phi, x, score);
        out[0][i] = weight * ratio;
        out[1][i] = weight * ratio * score[0];
        out[2][i] = weight * ratio * score[1];
        out[3][i] = ratio;
    }
    return 0;
}

static void decide_scenario_2_reason(ev_check *check, const averages *a)
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

/* p uniform on (0,1), q = N(0.5, 0.3^2): the share of q outside, q log q inside, and
 * log(q/p_d) for p_d = (1-d) p + d N(0,1), with d = 1e-4, 1e-8, ..., 1e-16. */
static int support_block(void *context, size_t worker, size_t n, const double *const *e,
                         double *const *out)
{
    (void)context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double x = 0.5 + 0.3 * e[0][i], lq = ev_gaussian_scalar_log_density(x, 0.5, 0.3);
        bool inside = x > 0 && x < 1;
        out[0][i] = !inside;
        out[1][i] = inside ? lq : 0;
        for (int k = 0; k < 4; k++) {
            double d = pow(1e-4, k + 1), normal = exp(ev_gaussian_scalar_log_density(x, 0, 1));
            out[2 + k][i] = lq - log((inside ? 1 - d : 0) + d * normal);
        }
    }
    return 0;
}

/* The weighted average over p, int_0^1 q log q, by parts: with a = 1/(2 sigma),
 * -(log(2 pi sigma^2)/2) P(inside) - (P(inside) - 2 a phi(a))/2. */
static double weighted_average_on_interval(void)
{
    const double a = 0.5 / 0.3, inside = erf(a / sqrt(2));
    double edge = exp(ev_gaussian_scalar_log_density(a, 0, 1));
    return -(0.5 * EV_LOG_2PI + log(0.3)) * inside - 0.5 * (inside - 2 * a * edge);
}

static void decide_support(ev_check *check)
{
    ev_sample_summary drawn[6];
    const double outside = erfc(0.5 / 0.3 / sqrt(2)), step = log(1e4);
    ev_stream stream = ev_check_stream(check, "support");
    if (ev_monte_carlo_expect(1, support_block, NULL, 6, &stream, 40000, 2, drawn) != EV_OK) {
        ev_check_give_up(check, "kl-support", "sampling failed");
        return;
    }
    double weighted = weighted_average_on_interval();
    double half_share = ev_sample_half_width(&drawn[0], ev_check_alpha(check));
    double half = ev_sample_half_width(&drawn[1], ev_check_alpha(check));
    bool finite = covers(&drawn[1], half, weighted) && covers(&drawn[0], half_share, outside);
    bool grows = true;
    for (int k = 1; k < 4; k++)
        grows = grows &&
                fabs((drawn[2 + k].mean - drawn[1 + k].mean) / step - outside) < half_share;
    const char *found = ev_check_format(check,
                                        "%.3f, %.3f, %.3f, %.3f for d = 1e-4, 1e-8, 1e-12, 1e-16",
                                        drawn[2].mean, drawn[3].mean, drawn[4].mean, drawn[5].mean);
    const ev_alternative others[] = {
        {"the divergence is finite, as the weighted average is", grows, found},
        {"the two agree", grows && fabs(drawn[5].mean - weighted) > half, found},
        {"the weighted average is infinite as well", finite,
         ev_check_format(check, "%.4f +- %.4f, exactly %.4f", drawn[1].mean, half, weighted)}};
    ev_check_decide(check, "kl-support", finite && grows,
                    ev_check_format(check,
                                    "weighted average over p %.5f; share of q outside %.5f; with a "
                                    "share d of p spread over the line the divergence is %s",
                                    weighted, outside, found),
                    3, others);
}

/* Scenario 3.  The printed objective for f = N(0,1), E_q[f log 1/q]: with V = 1 + tau^2,
 *   N(m; 0, V) (log(2 pi tau^2)/2 + 1/(2V) + m^2 tau^2/(2V^2)). */
static double weightless(double m, double log_tau)
{
    double tau2 = exp(2 * log_tau), V = 1 + tau2;
    return exp(ev_gaussian_scalar_log_density(m, 0, sqrt(V))) *
           (0.5 * EV_LOG_2PI + log_tau + 0.5 / V + 0.5 * m * m * tau2 / (V * V));
}

static double weightless_slope(void *context, double log_tau)
{
    double m = *(double *)context, h = 1e-5;
    return (weightless(m, log_tau + h) - weightless(m, log_tau - h)) / (2 * h);
}

/* By m, the derivative of the objective vanishes at m = 0 and where
 * m^2 = 2V - (log(2 pi tau^2)/2 + 1/(2V)) 2V^2/tau^2.  On either curve, count the changes of
 * sign of the derivative by log tau; *root is the last on m = 0. */
static int stationary_points(double *root)
{
    int count = 0;
    double before[2] = {0, 0};
    for (int i = 0; i <= 4000; i++) {
        double log_tau = -6 + 12.0 * i / 4000, tau2 = exp(2 * log_tau), V = 1 + tau2;
        double square = 2 * V - (0.5 * EV_LOG_2PI + log_tau + 0.5 / V) * 2 * V * V / tau2;
        for (int curve = 0; curve < 2; curve++) {
            double m = curve == 0 ? 0 : sqrt(fmax(square, 0));
            /* relative to the density's factor, which underflows far out */
            double scale = exp(ev_gaussian_scalar_log_density(m, 0, sqrt(V)));
            if ((curve == 1 && square <= 0) || scale < 1e-250)
                continue;
            double slope = weightless_slope(&m, log_tau) / scale;
            count += before[curve] * slope < 0;
            before[curve] = slope;
        }
    }
    double zero = 0;
    if (ev_root(weightless_slope, &zero, 0, 1, 1e-12, root) != EV_OK)
        *root = (double)NAN;
    return count;
}

/* The largest difference between the formula above and quadrature, over some (m, log tau). */
static double weightless_error(void)
{
    double worst = 0;
    for (int i = 0; i < 6; i++) {
        scene s = {{0.5, 0.5}, {0, 0}, {1, 1}, {0.4 * i, -2 + 0.5 * i}};
        double value[UNDER_Q], error[UNDER_Q];
        under_q(&s, value, error);
        worst = fmax(worst, fabs(value[WEIGHTLESS] - weightless(s.phi[0], s.phi[1])));
    }
    return worst;
}

static void decide_collapse(ev_check *check)
{
    double root, h = 1e-3, zero = 0, error = weightless_error();
    int count = stationary_points(&root);
    double top = weightless(0, root), along_m = (weightless(h, root) - top) / (h * h);
    double along_tau = (weightless(0, root + h) - 2 * top + weightless(0, root - h)) / (h * h);
    double at_p = weightless(0, 0), slope_at_p = weightless_slope(&zero, 0);
    double deep[3] = {weightless(0, -10), weightless(0, -100), weightless(1, -300)};
    bool falls = deep[0] > deep[1] && deep[1] > deep[2] &&
                 fabs((deep[0] - deep[1]) / 90 - exp(-0.5 * EV_LOG_2PI)) < 1e-6;
    bool peak = count == 1 && along_m < 0 && along_tau < 0;
    const ev_alternative others[] = {
        {"its minimum is that of KL(p,q), q = p", fabs(slope_at_p) > 1e-3 && at_p > deep[0],
         ev_check_format(check, "at q = p the slope by log tau is %.4f", slope_at_p)},
        {"it is bounded below", falls,
         ev_check_format(check, "%.3f at log tau = -10, %.2f at -100", deep[0], deep[1])},
        {"its stationary point is a minimum", peak,
         ev_check_format(check, "curvatures %.3f and %.3f", 2 * along_m, along_tau)}};
    ev_check_decide(check, "kl-weightless-collapses", falls && peak && error < 1e-10,
                    ev_check_format(check,
                                    "f = N(0,1): %d stationary point, tau = %.6f, a maximum of "
                                    "%.6f; %.3f, %.2f, %.2f at log tau = -10, -100, -300",
                                    count, exp(root), top, deep[0], deep[1], deep[2]),
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
        double x = start[0] + e[0][i], f = 1000 * exp(log_p(c->s, x)), q0 = exp(log_q(start, x));
        double y = c->reverse[0] + exp(c->reverse[1]) * e[0][i];
        double ratio = log_q(c->reverse, y) - log_p(c->s, y) - log(1000);
        score_q(c->forward, x, score);
        for (int d = 0; d < 2; d++) {
            out[d][i] = f / q0 * score[d];
            out[2 + d][i] = f * score[d];
            out[4 + d][i] = score[d];
        }
        score_q(c->reverse, y, score);
        out[6][i] = ratio * score[0];
        out[7][i] = ratio * score[1];
    }
    return 0;
}

static void decide_scenario_3(ev_check *check, const averages *a)
{
    static reverse_problem problem;
    scenario_3 at = {.s = &a->s};
    ev_sample_summary drawn[8];
    double half[8];
    bool zero[4] = {true, true, true, true};
    ev_stream stream = ev_check_stream(check, "weights");
    fill_grid(&problem, &a->s);
    forward_minimiser(&a->s, at.forward);
    if (!minimise_reverse(&problem, at.reverse) ||
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

/* p/q for p = N(0,1), q = N(0, ratio), at x = e. */
static int weight_block(void *context, size_t worker, size_t n, const double *const *e,
                        double *const *out)
{
    double width = sqrt(*(const double *)context);
    (void)worker;
    for (size_t i = 0; i < n; i++)
        out[0][i] = exp(ev_gaussian_scalar_log_density(e[0][i], 0, 1) -
                        ev_gaussian_scalar_log_density(e[0][i], 0, width));
    return 0;
}

/* E_q[(p/q)^2] = E_p[p/q] over |x| <= radius. */
static double truncated_second_moment(double ratio, double radius)
{
    ev_integral out;
    size_t evaluations;
    ev_status status = ev_trapezoid_expect(1, 1.0 / 16, radius, weight_block, &ratio, 1, &out,
                                           &evaluations);
    return status == EV_OK ? out.value : (double)NAN;
}

/* Between radius 18 and 24: has the second moment settled, at its closed form? */
static bool settles(double ratio, double *near, double *far)
{
    *near = truncated_second_moment(ratio, 18);
    *far = truncated_second_moment(ratio, 24);
    return fabs(*far - *near) < 1e-6 * *far &&
           fabs(*far / (ratio / sqrt(2 * ratio - 1)) - 1) < 1e-6;
}

static void decide_weight_variance(ev_check *check)
{
    static const double RATIO_OF_VARIANCES[] = {0.45, 0.5, 0.55, 0.8, 1.3};
    double near[5], far[5];
    bool finite[5];
    for (int i = 0; i < 5; i++)
        finite[i] = settles(RATIO_OF_VARIANCES[i], &near[i], &far[i]);
    const ev_alternative others[] = {
        {"q must be at least as wide as p, tau >= s", finite[2] && finite[3],
         ev_check_format(check, "at tau^2 = 0.55 s^2 the second moment is %.6f", far[2])},
        {"any tau will do, since the mean weight is 1", !finite[0],
         ev_check_format(check, "at 0.45 s^2, %.3g within 18 s and %.3g within 24 s", near[0],
                         far[0])},
        {"the limit tau^2 = s^2/2 still has a variance", !finite[1],
         ev_check_format(check, "%.4f within 18 s and %.4f within 24 s", near[1], far[1])}};
    ev_check_decide(
        check, "kl-weight-variance",
        !finite[0] && !finite[1] && finite[2] && finite[3] && finite[4],
        ev_check_format(check,
                        "second moment within 24 s at tau^2/s^2 = 0.45, 0.5, 0.55, 0.8, "
                        "1.3: %.3g, %.3g (growing), %.6f, %.6f, %.6f (settled)",
                        far[0], far[1], far[2], far[3], far[4]),
        3, others);
}

/* 3. The estimators. -------------------------------------------------------------------------*/

/* (E_q[k2] - KL)/KL by quadrature, q = N(0,1), p = N(shift, width^2). */
static double relative_bias(double shift, double width)
{
    scene s = {{0.5, 0.5}, {shift, shift}, {width, width}, {0, 0}};
    double value[UNDER_Q], error[UNDER_Q];
    under_q(&s, value, error);
    return (value[K2] - value[K1]) / value[K1];
}

static void decide_k2_bias(ev_check *check)
{
    double shift[2], width[2];
    for (int i = 0; i < 2; i++) {
        double d = i == 0 ? 1.0 / 32 : 1.0 / 64;
        shift[i] = relative_bias(d, 1);
        width[i] = relative_bias(0, 1 + d);
    }
    double shift_exponent = log2(shift[0] / shift[1]), width_exponent = log2(width[0] / width[1]);
    const char *found = ev_check_format(check, "exponents %.3f (shift), %.3f (width)",
                                        shift_exponent, width_exponent);
    const ev_alternative others[] = {{"the relative bias does not vanish",
                                      fabs(shift_exponent) > 0.1 && fabs(width_exponent) > 0.1,
                                      found},
                                     {"it vanishes alike for a shift and for a change of width",
                                      fabs(shift_exponent - width_exponent) > 0.1, found},
                                     {"it vanishes as the square of the distance in every case",
                                      fabs(width_exponent - 2) > 0.1, found}};
    ev_check_decide(check, "kl-k2-bias",
                    fabs(shift_exponent - 2) < 0.05 && fabs(width_exponent - 1) < 0.05,
                    ev_check_format(check,
                                    "relative bias at distance 1/32 and 1/64: %.3e, %.3e for a "
                                    "shift, %.3e, %.3e for a width; %s",
                                    shift[0], shift[1], width[0], width[1], found),
                    3, others);
}

/* Descend the mean gradient of one estimator, samples held fixed, by the trapezoidal rule. */
static void descend(ev_kl_estimator kind, const scene *from, double phi[2])
{
    scene s = *from;
    static reverse_problem grid;
    fill_grid(&grid, from);
    for (int iteration = 0; iteration < 1500; iteration++) {
        double slope[2] = {0, 0}, score[2];
        for (size_t i = 0; i < grid.n; i += 2) {
            double x = s.phi[0] + exp(s.phi[1]) * grid.e[i];
            double log_r = log_p(&s, x) - log_q(s.phi, x), factor = 1;
            if (kind == EV_KL_K2)
                factor = -log_r;
            else if (kind == EV_KL_K3)
                factor = 1 - exp(log_r);
            score_q(s.phi, x, score);
            slope[0] += 2 * grid.w[i] * factor * score[0];
            slope[1] += 2 * grid.w[i] * factor * score[1];
        }
        s.phi[0] -= 0.05 * slope[0];
        s.phi[1] -= 0.05 * slope[1];
    }
    memcpy(phi, s.phi, sizeof s.phi);
}

static void decide_descent(ev_check *check, const averages *start)
{
    static reverse_problem problem;
    double end[3][2], reverse[2], forward[2];
    fill_grid(&problem, &start->s);
    forward_minimiser(&start->s, forward);
    if (!minimise_reverse(&problem, reverse)) {
        ev_check_give_up(check, "kl-descent", "the minimisation of KL(q,p) failed");
        return;
    }
    for (int kind = 0; kind < 3; kind++)
        descend((ev_kl_estimator)kind, &start->s, end[kind]);
    double stay = distance(end[0], start->s.phi), apart = distance(reverse, forward);
    double second = distance(end[1], reverse), third = distance(end[2], forward);
    double crossed = distance(end[2], reverse);
    const ev_alternative others[] = {{"k3 ends at the minimiser of KL(q,p)", crossed > 1e-3,
                                      ev_check_format(check, "it ends %.4f away from it", crossed)},
                                     {"k1, being unbiased, ends there",
                                      distance(end[0], reverse) > 1e-3,
                                      ev_check_format(check, "it moves by %.1e", stay)},
                                     {"k2, being biased, misses it", second < 1e-6,
                                      ev_check_format(check, "it ends within %.1e", second)}};
    ev_check_decide(
        check, "kl-descent", stay < 1e-10 && second < 1e-6 && third < 1e-6,
        ev_check_format(check,
                        "minimisers %.4f apart; k1 moves by %.1e, k2 ends %.1e from that "
                        "of KL(q,p), k3 %.1e from that of KL(p,q)",
                        apart, stay, second, third),
        3, others);
}

/* Schulman's table: bias/KL and standard deviation/KL, with one half of the last printed digit. */
typedef struct {
    double m;
    double bias[3], bias_unit[3], deviation[3], deviation_unit[3];
} published_row;

static const published_row PUBLISHED[2] = {
    {0.1, {0, 0.002, 0}, {0.5e-3, 0.5e-3, 0.5e-3}, {20, 1.42, 1.42}, {0.5, 0.005, 0.005}},
    {1, {0, 0.25, 0}, {0.5e-2, 0.5e-2, 0.5e-2}, {2, 1.73, 1.7}, {0.5, 0.005, 0.05}}};

/* The three estimators and their squares at x = e, q = N(0,1), p = N(m,1).  The squares' tails
 * under q are too heavy for an interval; at x = m + 2e, with the weight of q beside N(m, 4), they
 * are bounded: places 6 to 8. */
static int estimator_block(void *context, size_t worker, size_t n, const double *const *e,
                           double *const *out)
{
    double m = *(const double *)context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double x = m + 2 * e[0][i], weight = 2 * exp(0.5 * (e[0][i] * e[0][i] - x * x));
        for (size_t k = 0; k < 3; k++) {
            ev_kl_estimator kind = (ev_kl_estimator)k;
            out[k][i] = ev_kl_estimator_value(kind, m * e[0][i] - m * m / 2);
            out[3 + k][i] = out[k][i] * out[k][i];
            out[6 + k][i] = weight * pow(ev_kl_estimator_value(kind, m * x - m * m / 2), 2);
        }
    }
    return 0;
}

/* Exact bias and deviation in units of KL; asserts that quadrature and sampling agree. */
static void table_row(ev_check *check, const published_row *row, double bias[3],
                      double deviation[3])
{
    double m = row->m, kl = ev_gaussian_scalar_kl(0, 1, m, 1);
    ev_integral out[9];
    ev_sample_summary drawn[9];
    size_t evaluations;
    ev_stream stream = ev_check_stream(check, ev_check_format(check, "table %g", m));
    bool run = ev_kronrod_expect(12, 1e-16, 1e-13, estimator_block, &m, 9, out, &evaluations) ==
                   EV_OK &&
               ev_monte_carlo_expect(1, estimator_block, &m, 9, &stream, 50000, 2, drawn) == EV_OK;
    for (size_t k = 0; k < 3; k++) {
        ev_kl_estimator kind = (ev_kl_estimator)k;
        double mean = ev_kl_estimator_mean(kind, 0, 1, m, 1);
        double variance = ev_kl_estimator_variance(kind, 0, 1, m, 1);
        const char *name = ev_kl_estimator_name(kind);
        bias[k] = run ? (mean - kl) / kl : (double)NAN;
        deviation[k] = sqrt(variance) / kl;
        if (!run)
            continue;
        ev_check_assert(check, ev_check_format(check, "kl-table-mean-%s-%g", name, m),
                        "mean: quadrature and closed form", out[k].value, mean, 1e-13);
        ev_check_assert(check, ev_check_format(check, "kl-table-variance-%s-%g", name, m),
                        "variance: quadrature and closed form",
                        out[3 + k].value - out[k].value * out[k].value, variance,
                        1e-12 * (1 + variance));
        ev_check_assert(check, ev_check_format(check, "kl-table-draws-%s-%g", name, m),
                        "mean: 50000 draws and closed form", drawn[k].mean, mean,
                        ev_sample_half_width(&drawn[k], ev_check_alpha(check)));
        ev_check_assert(check, ev_check_format(check, "kl-table-squares-%s-%g", name, m),
                        "mean square: 50000 draws of N(m,4) and closed form", drawn[6 + k].mean,
                        variance + mean * mean,
                        ev_sample_half_width(&drawn[6 + k], ev_check_alpha(check)));
    }
}

/* Is every entry of a candidate table the exact value, to half a unit of the printed digits? */
static bool table_matches(double bias[2][3], double deviation[2][3])
{
    const double slack = 1 + 1e-9; /* a tie counts as right */
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 3; k++) {
            const published_row *row = &PUBLISHED[i];
            if (!(fabs(bias[i][k] - row->bias[k]) <= slack * row->bias_unit[k]) ||
                !(fabs(deviation[i][k] - row->deviation[k]) <= slack * row->deviation_unit[k]))
                return false;
        }
    return true;
}

static void decide_table(ev_check *check)
{
    double bias[2][3], deviation[2][3], plain[2][3], variance[2][3], equal[2][3];
    for (int i = 0; i < 2; i++) {
        table_row(check, &PUBLISHED[i], bias[i], deviation[i]);
        double kl = PUBLISHED[i].m * PUBLISHED[i].m / 2;
        for (int k = 0; k < 3; k++) {
            plain[i][k] = bias[i][k] * kl;
            variance[i][k] = deviation[i][k] * deviation[i][k] * kl;
            equal[i][k] = bias[i][k == 2 ? 1 : k];
        }
    }
    const ev_alternative others[] = {
        {"the biases are not divided by the divergence", !table_matches(plain, deviation),
         ev_check_format(check, "k2 in the first row: %.3g", plain[0][1])},
        {"the second figure is a variance", !table_matches(bias, variance),
         ev_check_format(check, "k1 in the first row: %.3g", variance[0][0])},
        {"k3 has the bias of k2", !table_matches(equal, deviation),
         ev_check_format(check, "its own is %.1e, that of k2 %.4f", bias[1][2], bias[1][1])}};
    ev_check_decide(
        check, "kl-published-table", table_matches(bias, deviation),
        ev_check_format(check,
                        "m = 0.1: bias of k2 %.6f, s.d. %.4f, %.4f, %.4f; m = 1: %.6f, %.4f, %.4f, "
                        "%.4f (all in units of the divergence)",
                        bias[0][1], deviation[0][0], deviation[0][1], deviation[0][2], bias[1][1],
                        deviation[1][0], deviation[1][1], deviation[1][2]),
        3, others);
}

/* Var k3 - Var k1 for q = N(0,1), p = N(0, s^2). */
static double variance_excess(void *context, double s)
{
    (void)context;
    return ev_kl_estimator_variance(EV_KL_K3, 0, 1, 0, s) -
           ev_kl_estimator_variance(EV_KL_K1, 0, 1, 0, s);
}

static void decide_k3_tails(ev_check *check)
{
    double crossing, near, far, worst = 0;
    bool found = ev_root(variance_excess, NULL, 1.1, 1.4, 1e-12, &crossing) == EV_OK;
    for (double s = 0.6; s < 1.3; s += 0.2) {
        scene at = {{0.5, 0.5}, {0, 0}, {s, s}, {0, 0}};
        average squares = {&at, 0, 1, terms_under_q, 3};
        double value[3] = {0}, error[3] = {0}, r2 = truncated_second_moment(1 / (s * s), 24);
        add_quadrature(&squares, 1, value, error);
        /* Var r + Var log r - 2 Cov, with Var log r = 2 E k2 - KL^2 and Cov = KL + KL' */
        double both = value[K1] + ev_gaussian_scalar_kl(0, s, 0, 1);
        double ours = r2 - 1 + 2 * value[K2] - value[K1] * value[K1] - 2 * both;
        worst = fmax(worst, fabs(ours - ev_kl_estimator_variance(EV_KL_K3, 0, 1, 0, s)));
    }
    bool divergent = !settles(0.5, &near, &far), finite = settles(1 / 1.9, &near, &far);
    double wide = variance_excess(NULL, 1.35), narrow = variance_excess(NULL, 0.8);
    double plain = ev_kl_estimator_variance(EV_KL_K1, 0, 1, 0, 3);
    bool infinite = isinf(ev_kl_estimator_variance(EV_KL_K3, 0, 1, 0, sqrt(2)));
    const ev_alternative others[] = {{"k3 never varies more than k1", wide > 1e-3,
                                      ev_check_format(check, "at s = 1.35 by %.4f more", wide)},
                                     {"k3 always varies more than k1", narrow < -1e-3,
                                      ev_check_format(check, "at s = 0.8 by %.4f less", -narrow)},
                                     {"its variance is finite for every s", divergent && infinite,
                                      "the second moment of r grows with the range at s^2 = 2"}};
    ev_check_decide(check, "kl-k3-tails",
                    found && fabs(crossing * crossing - 1.5437) < 1e-4 && wide > 0 && narrow < 0 &&
                        divergent && finite && infinite && isfinite(plain) && worst < 1e-9,
                    ev_check_format(check,
                                    "the variances cross at s^2 = %.6f; E r^2 settles at s^2 = 1.9 "
                                    "and grows without bound at 2; closed form within %.1e of "
                                    "quadrature",
                                    crossing * crossing, worst),
                    3, others);
}

void check_kl_estimators(ev_check *check)
{
    averages narrow = take_averages(&NARROW), wide = take_averages(&WIDE);
    averages peaks = take_averages(&PEAKS);
    compare_values(check, &wide, &narrow);
    compare_gradients(check, &wide, &narrow);
    compare_closed_forms(check);
    compare_variances(check);
    refuted_sides(check, &peaks, &wide);
    assert_sampling(check, &narrow);
    decide_scenario_1(check, &peaks);
    decide_continuity(check);
    decide_reparameterisation_variance(check);
    decide_sample_minimiser(check);
    decide_scenario_2(check);
    decide_scenario_2_reason(check, &wide);
    decide_support(check);
    decide_collapse(check);
    decide_scenario_3(check, &peaks);
    decide_weight_variance(check);
    decide_k2_bias(check);
    decide_descent(check, &peaks);
    decide_table(check);
    decide_k3_tails(check);
}
