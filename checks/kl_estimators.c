/* The second voice of derivations/kl_estimators.md.
 *
 * 1. Averages over q and over p of everything the document's lines are made of, by adaptive
 *    quadrature, compared with the printed lines, with the closed forms of
 *    src/probability where there are any, and with Monte Carlo (here; scene.c).
 * 2. The scenarios: what each set of ingredients can minimise, by doing it (scenarios.c, tricks.c,
 *    weights.c, study.c).
 * 3. The estimators k1, k2, k3: bias, variance, where their gradients lead (estimators.c).
 */
#include "probability/kl_estimators.h"
#include "kl_estimators/scene.h"
#include "probability/gaussian.h"
#include "probability/log_space.h"

/* In the domains of the document's sections: q wider than p, so that the weights p/q are
 * bounded, and p wider than q. */
static const scene NARROW = {{0.35, 0.65}, {-0.4, 0.45}, {0.35, 0.27}, {0.2, -0.1}};
static const scene WIDE = {{0.35, 0.65}, {-0.8, 0.5}, {1.2, 1.7}, {0.3, -0.4}};
/* Two peaks, for which the minimisers of the two divergences lie well apart. */
static const scene PEAKS = {{0.35, 0.65}, {-0.4, 0.5}, {0.3, 0.25}, {0.2, -0.1}};

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
    averages b = kl_take_averages(&moved);
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
        {"kl-scenario-3-hint", 1, a->forward_gradient[1], a->q[WEIGHTED_SCORE + 1],
         a->gradient_error[1] + a->q_error[WEIGHTED_SCORE + 1]},
        /* both true: the hint's formula, under q and under p; the whole gradient */
        {"kl-scenario-3-hint-square", 1, a->q[WEIGHTED_SCORE], -a->p[P_LOG_SCORE],
         a->q_error[WEIGHTED_SCORE] + a->p_error[P_LOG_SCORE]},
        {"kl-scenario-3-forward", 4, a->q[WEIGHTED], a->q[WEIGHTLESS], a->q_error[WEIGHTED]},
        /* the difference between two phi: any constant drops out */
        {"kl-scenario-3-two-constants", 1, a->q[WEIGHTED] - b.q[WEIGHTED],
         a->q[WEIGHTLESS] - b.q[WEIGHTLESS], a->q_error[WEIGHTED] + b.q_error[WEIGHTED]},
        {"kl-k2-unbiased", 1, a->reverse, a->q[K2], a->q_error[K2]},
        {"kl-k2-sampled", 1, a->reverse, a->q[K2], a->q_error[K2]},
        /* where p exceeds q */
        {"kl-k1-nonnegative", 1, kl_log_q(a->s.phi, 0.5) - kl_log_p(&a->s, 0.5), 0, 1e-15},
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

/* x^2 times the score: the hint for an f free of phi; and x^2 log q by differences in phi. */
static void square_terms(const scene *s, double x, double *out)
{
    const double h = 1e-3;
    kl_score_q(s->phi, x, out);
    for (int d = 0; d < 2; d++) {
        double up[2] = {s->phi[0], s->phi[1]}, down[2] = {s->phi[0], s->phi[1]};
        up[d] += h;
        down[d] -= h;
        out[d] *= x * x;
        out[2 + d] = x * x * (kl_log_q(up, x) - kl_log_q(down, x)) / (2 * h);
    }
}

/* E_q[x^2] = phi_1^2 + exp(2 phi_2), its gradient in closed form and by the score. */
static void fixed_sides(ev_check *check, const scene *s)
{
    average squares = {s, s->phi[0], exp(s->phi[1]), square_terms, 4};
    const double truth[2] = {2 * s->phi[0], 2 * exp(2 * s->phi[1])};
    double value[4] = {0}, error[4] = {0};
    kl_add_quadrature(&squares, 1, value, error);
    for (int d = 0; d < 2; d++) {
        ev_check_sides(check, "log-derivative-fixed", 1, truth[d], 1e-11, value[d], 1e-11);
        ev_check_sides(check, "log-derivative-fixed", 2, value[d], 1e-11, value[2 + d], 1e-4);
    }
}

/* p = f/Z, with the Z that a sum over the line finds for f = 2.3 p. */
static void unnormalised_sides(ev_check *check, const scene *s)
{
    double Z = 0;
    for (int i = -1500; i <= 1500; i++)
        Z += 0.01 * 2.3 * exp(kl_log_p(s, 0.01 * i));
    for (double x = -1; x < 1.5; x += 0.7)
        ev_check_sides(check, "kl-unnormalised", 1, exp(kl_log_p(s, x)), 1e-13,
                       2.3 * exp(kl_log_p(s, x)) / Z, 1e-12);
}

/* E_q[f ln 1/q] for f = Z N(mu, s^2), in closed form: f q is Z times the density of the
 * difference at 0 times a Gaussian of mean m and variance v. */
static double weightless(double Z, double mu, double s, const double phi[2])
{
    double tau = exp(phi[1]), v = 1 / (1 / (s * s) + 1 / (tau * tau));
    double m = v * (mu / (s * s) + phi[0] / (tau * tau));
    double square = (v + (m - phi[0]) * (m - phi[0])) / (tau * tau);
    return Z * exp(ev_gaussian_scalar_log_density(phi[0], mu, hypot(s, tau))) *
           (EV_LOG_2PI / 2 + phi[1] + square / 2);
}

/* The least value on a lattice over the domain: of the closed form with Z = 2.3, and of the
 * average without it, by quadrature. */
static void weightless_sides(ev_check *check)
{
    enum { SIDE = 5 };
    double least[2] = {HUGE_VAL, HUGE_VAL}, place[2][2] = {{0}};
    for (int i = 0; i < SIDE * SIDE; i++) {
        const double phi[2] = {-1 + 0.5 * (i / SIDE), -1 + 0.5 * (i % SIDE)};
        scene at = {{0.5, 0.5}, {-0.35, -0.35}, {0.45, 0.45}, {phi[0], phi[1]}};
        averages a = kl_take_averages(&at);
        const double value[2] = {weightless(2.3, -0.35, 0.45, phi), a.q[WEIGHTLESS]};
        for (int k = 0; k < 2; k++)
            if (value[k] < least[k]) {
                least[k] = value[k];
                place[k][0] = phi[0];
                place[k][1] = phi[1];
            }
    }
    for (int d = 0; d < 2; d++)
        ev_check_sides(check, "kl-scenario-3-argmin", 2, place[0][d], 0, place[1][d], 0);
}

/* E[grad (log q - log f)(g(e))] over a grid of e. */
static void path_gradient(const scene *s, double gradient[2])
{
    static reverse_problem grid;
    kl_fill_grid(&grid, s);
    gradient[0] = 0;
    gradient[1] = -1; /* log q(g(e)) falls by one with phi_2 */
    for (size_t i = 0; i < grid.n; i++) {
        double x = s->phi[0] + exp(s->phi[1]) * grid.e[i], push = grid.w[i] * kl_score_p(s, x);
        gradient[0] -= push;
        gradient[1] -= push * exp(s->phi[1]) * grid.e[i];
    }
}

/* One Gaussian for a target: scenario 3's lines by closed forms and by quadrature. */
static void scenario_3_sides(ev_check *check)
{
    const scene one = {{0.5, 0.5}, {-0.35, -0.35}, {0.45, 0.45}, {0.4, -0.25}};
    const double mu = one.mu[0], sigma = one.sigma[0], mu_q = one.phi[0], h = 1e-4;
    const double sigma_q = exp(one.phi[1]);
    averages a = kl_take_averages(&one);
    double reverse = ev_gaussian_scalar_kl(mu_q, sigma_q, mu, sigma), d_mu, d_sigma, path[2];
    double forward = ev_gaussian_scalar_kl(mu, sigma, mu_q, sigma_q), shift = mu_q - mu;
    ev_gaussian_kl_gradient(1, &mu_q, &sigma_q, &mu, &sigma, &d_mu, &d_sigma);
    path_gradient(&one, path);
    scene up = one, down = one;
    up.phi[0] += h;
    down.phi[0] -= h;
    averages above = kl_take_averages(&up), below = kl_take_averages(&down);
    const double forward_slope = shift / (sigma_q * sigma_q);
    const struct {
        const char *claim;
        size_t step;
        double left, right, error;
    } line[] = {
        {"kl-scenario-3-reverse", 1, reverse, a.reverse, a.reverse_error},
        {"kl-scenario-3-reverse", 2, reverse, a.reverse, a.reverse_error},
        {"kl-scenario-3-reverse", 3, reverse, a.reverse, a.reverse_error},
        {"kl-scenario-3-score", 1, d_mu, a.q[K1_SCORE], a.gradient_error[0]},
        {"kl-scenario-3-score", 1, d_sigma * sigma_q, a.q[K1_SCORE + 1], a.gradient_error[1]},
        {"kl-scenario-3-reparameterised", 1, d_mu, path[0], 1e-12},
        {"kl-scenario-3-reparameterised", 1, d_sigma * sigma_q, path[1], 1e-12},
        {"kl-scenario-3-forward", 1, forward, a.forward, a.forward_error},
        {"kl-scenario-3-forward", 2, forward, a.p[CROSS] - a.p[SELF], a.forward_error},
        {"kl-scenario-3-forward", 3, forward, a.q[WEIGHTED] - a.p[SELF], a.q_error[WEIGHTED]},
        {"kl-scenario-3-weighted", 1, forward, a.q[WEIGHTED] - a.p[SELF], a.q_error[WEIGHTED]},
        {"kl-scenario-3-weighted", 2, forward, a.q[WEIGHTED] - a.p[SELF], a.q_error[WEIGHTED]},
        {"kl-scenario-3-forward-gradient", 1, forward_slope, a.q[K3_LOSS] - a.q[SCORE],
         a.q_error[K3_LOSS]},
        {"score-mean-zero", 1, a.q[SCORE + 1], 0, a.q_error[SCORE + 1]},
        {"kl-scenario-3-reinforce", 1, forward_slope, a.q[K3_LOSS] - a.q[SCORE],
         a.q_error[K3_LOSS]},
        /* by differences of the weighted objective */
        {"kl-scenario-3-path", 1, forward_slope, (above.q[WEIGHTED] - below.q[WEIGHTED]) / (2 * h),
         1e-6},
        /* the entropy of p does not feel phi */
        {"kl-entropy-constant", 1, above.p[SELF], below.p[SELF], above.p_error[SELF]}};
    for (size_t i = 0; i < sizeof line / sizeof *line; i++)
        ev_check_sides(check, line[i].claim, line[i].step, line[i].left, line[i].error + 1e-13,
                       line[i].right, line[i].error + 1e-13);
}

/* At the minimiser of KL(p||q), from p's moments: the cross-entropy is at rest, in quadrature; the
 * objective without the weight is not. */
static void argmin_sides(ev_check *check, const scene *s)
{
    scene at = *s, up, down;
    const double h = 1e-4;
    kl_forward_minimiser(s, at.phi);
    averages a = kl_take_averages(&at);
    up = down = at;
    up.phi[1] += h;
    down.phi[1] -= h;
    averages above = kl_take_averages(&up), below = kl_take_averages(&down);
    for (size_t step = 1; step <= 2; step++)
        for (size_t d = 0; d < 2; d++)
            ev_check_sides(check, "kl-cross-entropy-argmin", step, 0, 0, a.p[P_SCORE + d],
                           a.p_error[P_SCORE + d]);
    ev_check_sides(check, "kl-scenario-3-argmin-weighted", 1, 0, 1e-6,
                   (above.q[WEIGHTED] - below.q[WEIGHTED]) / (2 * h), 1e-6);
    ev_check_sides(check, "kl-scenario-3-argmin", 1, 0, 1e-6,
                   (above.q[WEIGHTLESS] - below.q[WEIGHTLESS]) / (2 * h), 1e-6);
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
    average terms = {&a->s, a->s.phi[0], exp(a->s.phi[1]), kl_terms_under_q, UNDER_Q};
    ev_sample_summary drawn[UNDER_Q];
    ev_stream stream = ev_check_stream(check, "under q");
    if (ev_monte_carlo_expect(1, kl_average_block, &terms, UNDER_Q, &stream, 50000, 2, drawn) !=
        EV_OK)
        return;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        size_t k = kept[i].term;
        ev_check_assert(check, kept[i].id, kept[i].what, drawn[k].mean, a->q[k],
                        ev_sample_half_width(&drawn[k], ev_check_alpha(check)) + a->q_error[k]);
    }
}

void check_kl_estimators(ev_check *check)
{
    averages narrow = kl_take_averages(&NARROW), wide = kl_take_averages(&WIDE);
    averages peaks = kl_take_averages(&PEAKS);
    compare_values(check, &wide, &narrow);
    compare_gradients(check, &wide, &narrow);
    compare_closed_forms(check);
    compare_variances(check);
    refuted_sides(check, &peaks, &wide);
    fixed_sides(check, &WIDE);
    unnormalised_sides(check, &WIDE);
    weightless_sides(check);
    scenario_3_sides(check);
    argmin_sides(check, &PEAKS);
    assert_sampling(check, &narrow);
    kl_decide_scenario_1(check, &peaks);
    kl_decide_continuity(check);
    kl_decide_reparameterisation_variance(check);
    kl_decide_sample_minimiser(check);
    kl_decide_scenario_2(check);
    kl_decide_scenario_2_reason(check, &wide);
    kl_decide_support(check);
    kl_decide_weight_support(check);
    kl_decide_collapse(check);
    kl_decide_scenario_3(check, &peaks);
    kl_decide_weight_variance(check);
    kl_decide_study(check);
    kl_decide_k2_bias(check);
    kl_decide_descent(check, &peaks);
    kl_decide_table(check);
    kl_decide_k3_tails(check);
}
