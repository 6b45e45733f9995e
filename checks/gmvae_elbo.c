/* The second voice of derivations/gmvae_elbo.md.
 *
 * 1. log p(x) by quadrature under each cluster's Gaussian, and as the logarithm of an average
 *    under q; the bound by quadrature and by src/probability's closed forms; both from draws.
 *    The decoder is this module's own.
 * 2. The linear decoder, where log p(x) and the exact posterior have closed forms.
 * 3. Statements: normalisation, the best product form, what is maximised.
 *
 *   c < K clusters, j < J coordinates of z, i < D coordinates of x; e (J) whitened z
 */
#include "fixtures/mixture_model.h"
#include "numerics/minimise.h"
#include "numerics/monte_carlo.h"
#include "numerics/quadrature.h"
#include "probability/bernoulli.h"
#include "probability/gaussian.h"
#include "probability/gmvae.h"
#include "probability/log_space.h"

#include <math.h>
#include <string.h>

enum { D = MODEL_D };

typedef struct {
    mixture_model model;
    double x[D];
    bool real; /* x Gaussian, else binary */
} scene;

/* q wider than every cluster, so that p/q is bounded. */
static const scene BINARY = {{.K = 3,
                              .J = 2,
                              .pi = {0.2, 0.5, 0.3},
                              .gamma = {0.25, 0.15, 0.6},
                              .mu = {-0.9, 0.4, 0.8, 0.7, 0.2, -0.6},
                              .sigma = {0.8, 0.6, 0.55, 0.85, 0.7, 0.9},
                              .mu_q = {0.15, -0.2},
                              .sigma_q = {1.1, 1.3},
                              .slope = 1},
                             {1, 0},
                             false};
static const double NOISE[D] = {0.9, 1.4};

/* The decoder's outputs are logits of binary x, means of real x. */
static double log_likelihood(const scene *s, const double *z)
{
    double out[D];
    mixture_model_decode(&s->model, z, out);
    return s->real ? ev_gaussian_log_density(D, s->x, out, NOISE)
                   : ev_bernoulli_log_mass_logit(D, s->x, out);
}

/* 1. The bound and what it bounds. ------------------------------------------------------------ */

enum {
    LIKELIHOOD,     /* p(x|z) */
    LOG_LIKELIHOOD, /* log p(x|z) */
    RATIO,          /* sum_c gamma_c p(x,z,c)/(q(z) gamma_c) */
    BOUND,          /* sum_c gamma_c log[p(x,z,c)/(q(z) gamma_c)] */
    FIVE,           /* the five logarithms one by one */
    TERMS
};

static int block(void *context, size_t worker, size_t n, const double *const *e, double *const *out)
{
    const scene *s = context;
    double z[MODEL_J], log_pi[MODEL_K];
    ev_mixture prior = mixture_model_prior(&s->model, log_pi);
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        mixture_model_draw(&s->model, e, i, z);
        double log_px = log_likelihood(s, z), ratio = 0, bound = 0, five = 0;
        double log_q = ev_gaussian_log_density(s->model.J, z, s->model.mu_q, s->model.sigma_q);
        for (size_t c = 0; c < s->model.K; c++) {
            double joint = log_px + ev_mixture_log_joint(&prior, c, z), g = s->model.gamma[c];
            double log_z = ev_gaussian_log_density(s->model.J, z, s->model.mu + c * s->model.J,
                                                   s->model.sigma + c * s->model.J);
            ratio += g * exp(joint - log_q - log(g));
            bound += g * (joint - (log_q + log(g)));
            five += g * log_px + g * log_z + g * log_pi[c] - g * log_q - g * log(g);
        }
        out[LIKELIHOOD][i] = exp(log_px);
        out[LOG_LIKELIHOOD][i] = log_px;
        out[RATIO][i] = ratio;
        out[BOUND][i] = bound;
        out[FIVE][i] = five;
    }
    return 0;
}

typedef struct {
    scene of;
    double term[TERMS], error;
    double evidence; /* log p(x), from integrals under the clusters */
    double first;    /* log p(x, c = 1), the first cluster's share alone */
    double closed;   /* the bound: closed forms, and the reconstruction by quadrature */
} averages;

static bool integrate(scene *s, double term[TERMS], double *error)
{
    ev_integral found[TERMS];
    size_t evaluations;
    if (ev_trapezoid_expect(s->model.J, 0.15, 9, block, s, TERMS, found, &evaluations) != EV_OK)
        return false;
    for (size_t k = 0; k < TERMS; k++) {
        term[k] = found[k].value;
        *error = fmax(*error, found[k].error + 1e-13 * (1 + found[k].magnitude));
    }
    return true;
}

static averages take_averages(const scene *s)
{
    averages a = {.of = *s};
    double log_pi[MODEL_K], log_gamma[MODEL_K], under[TERMS] = {0}, sum = 0, ignored = 0;
    ev_mixture prior = mixture_model_prior(&s->model, log_pi);
    bool done = integrate(&a.of, a.term, &a.error);
    for (size_t c = 0; c < s->model.K; c++) {
        scene component = *s;
        memcpy(component.model.mu_q, s->model.mu + c * s->model.J,
               s->model.J * sizeof *s->model.mu);
        memcpy(component.model.sigma_q, s->model.sigma + c * s->model.J,
               s->model.J * sizeof *s->model.sigma);
        done = done && integrate(&component, under, &ignored);
        sum += s->model.pi[c] * under[LIKELIHOOD];
        a.first = c == 0 ? log(s->model.pi[c] * under[LIKELIHOOD]) : a.first;
    }
    ev_log_each(s->model.K, s->model.gamma, log_gamma);
    a.evidence = done ? log(sum) : (double)NAN;
    a.closed = a.term[LOG_LIKELIHOOD] +
               ev_gmvae_elbo_terms(&prior, log_gamma, s->model.mu_q, s->model.sigma_q).sum;
    a.error = 4 * a.error / exp(fmin(a.evidence, 0)); /* log p from an error in p */
    return a;
}

/* log of the sum over c and the integral over z of the joint density, J = 2: plain sums over a
 * lattice, in the order that the line prints, and no draw of anything. */
static double summed_evidence(const scene *s)
{
    const double step = 0.1;
    double sum = 0, log_pi[MODEL_K];
    ev_mixture prior = mixture_model_prior(&s->model, log_pi);
    for (int i = -90; i <= 90; i++)
        for (int j = -90; j <= 90; j++) {
            const double z[2] = {step * i, step * j}, log_px = log_likelihood(s, z);
            for (size_t c = 0; c < s->model.K; c++)
                sum += exp(log_px + ev_mixture_log_joint(&prior, c, z));
        }
    return log(step * step * sum);
}

static void sides(ev_check *check, const char *claim, size_t step, const averages *a, double left,
                  double right)
{
    ev_check_sides(check, claim, step, left, a->error, right, a->error);
}

static void bound_sides(ev_check *check, const averages *binary, const averages *real)
{
    const averages *a = binary;
    const double *t = a->term;
    const double member[] = {
        a->evidence, summed_evidence(&a->of), log(t[RATIO]), t[BOUND], a->closed, t[BOUND],
        t[FIVE]};
    for (size_t step = 1; step <= 6; step++)
        sides(check, "gmvae-bound", step, a, member[step - 1], member[step]);
    sides(check, "gmvae-bound-statement", 1, a, a->closed, t[FIVE]);
    sides(check, "gmvae-gap", 1, a, a->evidence - a->closed, -(t[BOUND] - a->evidence));
    sides(check, "gmvae-bound-equality", 1, a, a->evidence, t[BOUND]);
    sides(check, "gmvae-support", 1, a, a->evidence, a->first);
    sides(check, "gmvae-bound-real", 1, real, real->evidence, log(real->term[RATIO]));
    sides(check, "gmvae-bound-real", 2, real, log(real->term[RATIO]), real->term[BOUND]);
    sides(check, "gmvae-bound-real", 3, real, real->term[BOUND], real->term[FIVE]);
}

static void assert_bound(ev_check *check, const averages *a, const char *const id[3])
{
    ev_sample_summary drawn[TERMS];
    scene s = a->of;
    ev_stream stream = ev_check_stream(check, id[0]);
    ev_check_assert(check, id[0], "the bound, J = 2, K = 3: quadrature and closed forms",
                    a->term[BOUND], a->closed, a->error);
    if (ev_monte_carlo_expect(s.model.J, block, &s, TERMS, &stream, 100000, 2, drawn) != EV_OK)
        return;
    ev_check_assert(check, id[1], "p(x): 100000 weighted draws from q, and quadrature",
                    drawn[RATIO].mean, exp(a->evidence),
                    ev_sample_half_width(&drawn[RATIO], ev_check_alpha(check)));
    ev_check_assert(check, id[2], "the bound: 100000 draws, and closed forms", drawn[BOUND].mean,
                    a->closed, ev_sample_half_width(&drawn[BOUND], ev_check_alpha(check)));
}

/* The slips of section 3.1, at one point. */
static void slip_sides(ev_check *check)
{
    const double z[2] = {0.6, -0.3}, mu[2] = {-0.4, 0.5}, sigma[2] = {0.7, 1.6};
    const double one[2] = {0.7, 0.7}, own[2] = {1.2, 0.5};
    double cluster = exp(ev_gaussian_log_density(2, z, mu, sigma));
    ev_check_sides(check, "gmvae-one-width", 1, cluster, 1e-15,
                   exp(ev_gaussian_log_density(2, z, mu, one)), 1e-15);
    ev_check_sides(check, "gmvae-cluster-width", 1, exp(ev_gaussian_log_density(2, z, mu, own)),
                   1e-15, cluster, 1e-15);
}

/* An observation that looks at its cluster, K = 2, D = J = 1: its probability by c, and by z alone;
 * the sum over clusters either way. */
static void direct_sides(ev_check *check)
{
    const double pi[2] = {0.3, 0.7}, mu[2] = {-0.6, 0.9}, w[2] = {1.4, -0.8}, z = 0.35;
    double joint[2], by_cluster[2], total = 0, mean = 0, left = 0;
    for (size_t c = 0; c < 2; c++) {
        joint[c] = pi[c] * exp(ev_gaussian_scalar_log_density(z, mu[c], 1.1));
        by_cluster[c] = ev_sigmoid(w[c] + z);
        total += joint[c];
        left += by_cluster[c] * joint[c];
    }
    for (size_t c = 0; c < 2; c++)
        mean += by_cluster[c] * joint[c] / total;
    ev_check_sides(check, "gmvae-factorisation-direct", 1, by_cluster[0] * joint[0], 1e-15,
                   mean * joint[0], 1e-15);
    ev_check_sides(check, "gmvae-factorisation-marginal", 1, left, 1e-15, mean * total, 1e-15);
}

/* The factors written out in probabilities, and from the library in logarithms; the mean of a binary
 * observation over its values. */
static void factor_sides(ev_check *check, const scene *s)
{
    const mixture_model *m = &s->model;
    const double z[2] = {0.35, -0.6}, pi = acos(-1);
    double out[D], log_pi[MODEL_K], binary = 1, real = 1, cluster = m->pi[1];
    ev_mixture prior = mixture_model_prior(m, log_pi);
    mixture_model_decode(m, z, out);
    for (size_t i = 0; i < D; i++) {
        double mu = 1 / (1 + exp(-out[i])), u = (0.3 - out[i]) / NOISE[i];
        binary *= s->x[i] > 0.5 ? mu : 1 - mu;
        real *= exp(-u * u / 2) / sqrt(2 * pi * NOISE[i] * NOISE[i]);
        ev_check_sides(check, "gmvae-binary-mean", 1, mu * 1 + (1 - mu) * 0, 1e-15,
                       ev_sigmoid(out[i]), 1e-15);
    }
    for (size_t j = 0; j < m->J; j++) {
        double width = m->sigma[m->J + j], u = (z[j] - m->mu[m->J + j]) / width;
        cluster *= exp(-u * u / 2) / sqrt(2 * pi * width * width);
    }
    double likelihood = exp(log_likelihood(s, z)), y[D] = {0.3, 0.3};
    double joint = exp(ev_mixture_log_joint(&prior, 1, z));
    ev_check_sides(check, "gmvae-binary", 1, binary, 1e-15, likelihood, 1e-15);
    ev_check_sides(check, "gmvae-real", 1, real, 1e-15,
                   exp(ev_gaussian_log_density(D, y, out, NOISE)), 1e-15);
    for (size_t step = 1; step <= 2; step++)
        ev_check_sides(check, "gmvae-factorisation", step, binary * cluster, 1e-15,
                       likelihood * joint, 1e-15);
}

/* One standard cluster: the bound by quadrature, and the usual one with the divergence in closed
 * form. */
static void one_cluster_sides(ev_check *check)
{
    scene s = BINARY;
    double zero[2] = {0, 0}, one[2] = {1, 1};
    s.model.K = 1;
    s.model.pi[0] = s.model.gamma[0] = 1;
    for (size_t j = 0; j < s.model.J; j++) {
        s.model.mu[j] = 0;
        s.model.sigma[j] = 1;
    }
    averages a = take_averages(&s);
    double kl = ev_gaussian_kl(s.model.J, s.model.mu_q, s.model.sigma_q, zero, one);
    sides(check, "gmvae-one-cluster", 1, &a, a.term[BOUND], a.term[LOG_LIKELIHOOD] - kl);
}

/* 2. The linear decoder, x = a z + b + s epsilon, J = D = 1. ----------------------------------- */

typedef struct {
    size_t K;
    double pi[MODEL_K], mu[MODEL_K], sigma[MODEL_K];
    double a, b, s, x;
} linear;

static const linear LINEAR = {2, {0.35, 0.65}, {-1.4, 1.1}, {0.6, 0.9}, 0.8, -0.3, 0.75, 0.4};

/* log p(x); log q(c|x), the mean and the deviation of q(z|x,c) where asked. */
static double linear_posterior(const linear *m, double *log_gamma, double *nu, double *width)
{
    double log_joint[MODEL_K];
    for (size_t c = 0; c < m->K; c++) {
        double lambda = 1 / (m->sigma[c] * m->sigma[c]) + m->a * m->a / (m->s * m->s);
        log_joint[c] = log(m->pi[c]) +
                       ev_gaussian_scalar_log_density(m->x, m->a * m->mu[c] + m->b,
                                                      hypot(m->a * m->sigma[c], m->s));
        if (nu != NULL) {
            nu[c] = (m->mu[c] / (m->sigma[c] * m->sigma[c]) +
                     m->a * (m->x - m->b) / (m->s * m->s)) /
                    lambda;
            width[c] = 1 / sqrt(lambda);
        }
    }
    double evidence = ev_log_sum_exp(m->K, log_joint);
    for (size_t c = 0; log_gamma != NULL && c < m->K; c++)
        log_gamma[c] = log_joint[c] - evidence;
    return evidence;
}

/* Under q(z|x,c), c the first cluster of a rotated copy: log p(x,z,c) - log q(z|x,c) q(c|x), and
 * the same with the marginal of z in place of q(z|x,c). */
typedef struct {
    const linear *m;
    size_t c;
    double log_gamma[MODEL_K], nu[MODEL_K], width[MODEL_K];
} linear_average;

static int linear_block(void *context, size_t worker, size_t n, const double *const *e,
                        double *const *out)
{
    const linear_average *at = context;
    const linear *m = at->m;
    size_t c = at->c;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double z = at->nu[c] + at->width[c] * e[0][i], each[MODEL_K];
        double joint = log(m->pi[c]) + ev_gaussian_scalar_log_density(z, m->mu[c], m->sigma[c]) +
                       ev_gaussian_scalar_log_density(m->x, m->a * z + m->b, m->s);
        for (size_t k = 0; k < m->K; k++)
            each[k] = at->log_gamma[k] + ev_gaussian_scalar_log_density(z, at->nu[k], at->width[k]);
        out[0][i] = joint - each[c];
        out[1][i] = joint - ev_log_sum_exp(m->K, each) - at->log_gamma[c];
    }
    return 0;
}

static void compare_linear(ev_check *check, const linear *m)
{
    const double K = (double)m->K, c = 1, z = 0.2;
    const ev_binding at[] = {
        {"K", 1, &K},          {"x", 1, &m->x},       {"z", 1, &z},    {"c", 1, &c},
        {"\\pi", m->K, m->pi}, {"\\mu", m->K, m->mu}, {"a", 1, &m->a}, {"\\sigma", m->K, m->sigma},
        {"b", 1, &m->b},       {"s", 1, &m->s}};
    const size_t count = sizeof at / sizeof *at;
    linear_average q = {.m = m};
    double sum[2] = {0, 0}, error = 0, theirs_error;
    double evidence = linear_posterior(m, q.log_gamma, q.nu, q.width);
    for (q.c = 0; q.c < m->K; q.c++) {
        ev_integral found[2];
        size_t evaluations;
        if (ev_kronrod_expect(12, 1e-14, 1e-12, linear_block, &q, 2, found, &evaluations) != EV_OK)
            return;
        for (int k = 0; k < 2; k++) {
            sum[k] += exp(q.log_gamma[q.c]) * found[k].value;
            error += exp(q.log_gamma[q.c]) * (found[k].error + 1e-13);
        }
    }
    static const struct {
        const char *claim;
        size_t step, member;
        int ours; /* 0 evidence, 1 tight bound, 2 with the marginal */
    } line[] = {{"gmvae-linear-evidence", 1, 0, 0}, {"gmvae-linear-evidence", 1, 1, 0},
                {"gmvae-linear-tight", 1, 0, 1},    {"gmvae-linear-tight", 1, 1, 0},
                {"gmvae-mean-field", 1, 0, 1},      {"gmvae-mean-field", 1, 1, 2}};
    const double ours[] = {evidence, sum[0], sum[1]};
    for (size_t i = 0; i < sizeof line / sizeof *line; i++) {
        double theirs = ev_check_document_value(check, line[i].claim, line[i].member, 0, count, at,
                                                &theirs_error);
        ev_check_compare(check, line[i].claim, line[i].step, ours[line[i].ours], error, theirs,
                         theirs_error, 1e-9);
    }
    ev_check_sides(check, "gmvae-mean-field", 1, sum[0], error, sum[1], error);
    double joint = log(m->pi[0]) + ev_gaussian_scalar_log_density(z, m->mu[0], m->sigma[0]) +
                   ev_gaussian_scalar_log_density(m->x, m->a * z + m->b, m->s);
    double theirs = ev_check_document_value(check, "gmvae-linear-posterior", 0, 0, count, at,
                                            &theirs_error);
    ev_check_compare(check, "gmvae-linear-posterior", 1, exp(joint - evidence), 1e-13, theirs,
                     theirs_error, 1e-9);
}

/* 3. Statements. ------------------------------------------------------------------------------
 *
 * The total mass: binary x summed over its four values; for real x, averaged over a wide Gaussian
 * in one coordinate, as (e_0, e_1) = (whitened z, whitened x). */
static int mass_block(void *context, size_t worker, size_t n, const double *const *e,
                      double *const *out)
{
    const scene *s = context; /* J = 1 */
    const double wide = 4;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double z = s->model.mu_q[0] + s->model.sigma_q[0] * e[0][i], x = wide * e[1][i];
        double log_r = ev_gaussian_scalar_log_density(x, 1.6 * tanh(z), NOISE[0]);
        double constant = log(NOISE[0]) + EV_LOG_2PI / 2;
        double weight = exp(-ev_gaussian_scalar_log_density(x, 0, wide));
        out[0][i] = weight * exp(log_r);
        out[1][i] = weight * exp(log_r + constant);
    }
    return 0;
}

static void decide_normalised(ev_check *check, const averages *a)
{
    double binary = 0, real[2] = {0, 0}, grey = 0;
    for (int value = 0; value < 1 << D; value++) {
        scene s = a->of;
        for (int i = 0; i < D; i++)
            s.x[i] = value >> i & 1;
        binary += exp(take_averages(&s).evidence);
    }
    for (size_t c = 0; c < a->of.model.K; c++) {
        scene s = {.model = {.J = 1,
                             .mu_q = {a->of.model.mu[2 * c]},
                             .sigma_q = {a->of.model.sigma[2 * c]}}};
        ev_integral found[2];
        size_t evaluations;
        if (ev_trapezoid_expect(2, 0.05, 9, mass_block, &s, 2, found, &evaluations) != EV_OK) {
            ev_check_give_up(check, "gmvae-normalised", "quadrature failed");
            return;
        }
        for (int k = 0; k < 2; k++)
            real[k] += a->of.model.pi[c] * found[k].value;
    }
    for (int i = 0; i < 1000; i++) { /* midpoint rule for grey x in [0,1], mu = 0.3 */
        double x = (i + 0.5) / 1000, mu = 0.3;
        grey += exp(ev_bernoulli_log_mass(1, &x, &mu)) / 1000;
    }
    const ev_alternative others[] = {
        {"the Bernoulli factor is a density for grey x in [0,1] as well", fabs(grey - 1) > 0.1,
         ev_check_format(check, "its mass at mu = 0.3 is %.4f", grey)},
        {"the constants of the Gaussian factor don't matter", fabs(real[1] - 1) > 0.1,
         ev_check_format(check, "without them the mass is %.4f", real[1])}};
    ev_check_decide(check, "gmvae-normalised",
                    fabs(binary - 1) < 1e-10 && fabs(real[0] - 1) < 1e-10,
                    ev_check_format(check,
                                    "total mass by quadrature: binary x (D = 2, J = 2, K = 3) "
                                    "1 %+.1e, real x (D = J = 1, K = 3) 1 %+.1e",
                                    binary - 1, real[0] - 1),
                    2, others);
}

/* Minus the bound of product form at its best gamma, over (mu_q, log sigma_q). */
static int product_objective(void *context, size_t n, const double *at, double *value,
                             double *gradient)
{
    const linear *m = context;
    double log_pi[MODEL_K], log_gamma[MODEL_K], sigma_q = exp(at[1]), slope[2];
    ev_log_each(m->K, m->pi, log_pi);
    ev_mixture prior = {m->K, 1, log_pi, m->mu, m->sigma};
    (void)n;
    if (!(sigma_q > 1e-6 && sigma_q < 1e4))
        return 1;
    double fit = m->x - m->a * at[0] - m->b, precision = m->a * m->a / (m->s * m->s);
    *value = -ev_gaussian_scalar_log_density(fit, 0, m->s) + precision * sigma_q * sigma_q / 2 -
             ev_gaussian_entropy(1, &sigma_q) -
             ev_gmvae_optimal_gamma(&prior, at, &sigma_q, log_gamma);
    slope[0] = -m->a * fit / (m->s * m->s);
    slope[1] = precision * sigma_q * sigma_q - 1;
    for (size_t c = 0; c < m->K; c++) {
        double pull = exp(log_gamma[c]) / (m->sigma[c] * m->sigma[c]);
        slope[0] += pull * (at[0] - m->mu[c]);
        slope[1] += pull * sigma_q * sigma_q;
    }
    if (gradient != NULL)
        memcpy(gradient, slope, sizeof slope);
    return 0;
}

/* The best bound of product form, from a start at each cluster and between; at: (2). */
static double best_product(const linear *m, double at[2])
{
    double best = HUGE_VAL;
    linear copy = *m;
    for (size_t start = 0; start <= m->K; start++) {
        double x[2] = {start < m->K ? m->mu[start] : 0, -0.3}, value, norm;
        if (ev_minimise(product_objective, &copy, 2, x, 1e-9, 500, &value, &norm) == EV_OK &&
            value < best) {
            best = value;
            memcpy(at, x, sizeof x);
        }
    }
    return -best;
}

static void decide_product_gap(ev_check *check, const linear *m)
{
    enum { MODELS = 100 };
    double at[2], u[8], widest = 0, least = HUGE_VAL;
    double evidence = linear_posterior(m, NULL, NULL, NULL), best = best_product(m, at);
    double gap = evidence - best;
    linear same = *m;
    same.a = 0;
    same.mu[1] = same.mu[0];
    same.sigma[1] = same.sigma[0];
    double closed = linear_posterior(&same, NULL, NULL, NULL) - best_product(&same, at);
    ev_stream stream = ev_check_stream(check, "models");
    for (uint64_t i = 0; i < MODELS; i++) {
        ev_stream_uniforms(&stream, 8 * i, 8, u);
        linear other = {2,
                        {u[0], 1 - u[0]},
                        {4 * u[1] - 2, 4 * u[2] - 2},
                        {0.5 + u[3], 0.5 + u[4]},
                        2 * u[5] - 1,
                        0,
                        0.7 + 1.3 * u[6],
                        4 * u[7] - 2};
        double there = linear_posterior(&other, NULL, NULL, NULL) - best_product(&other, at);
        widest = fmax(widest, there);
        least = fmin(least, there);
    }
    const ev_alternative others[] = {
        {"the best product form reaches log p(x)", gap > 1e-3,
         ev_check_format(check, "it stays %.5f nats below", gap)},
        {"the gap stays open when the clusters are alike", fabs(closed) < 1e-10,
         ev_check_format(check, "there it is %.1e", closed)},
        {"the gap can exceed log K", widest < EV_LOG_2,
         ev_check_format(check, "the widest of %d models is %.4f, log 2 is %.4f", MODELS, widest,
                         EV_LOG_2)}};
    ev_check_decide(check, "gmvae-product-gap", gap > 1e-3 && least > 0 && fabs(closed) < 1e-10,
                    ev_check_format(check,
                                    "K = 2: log p(x) %.6f, best product form %.6f, gap %.6f; over "
                                    "%d models the gap runs from %.1e to %.4f; clusters alike and "
                                    "a = 0: %.1e",
                                    evidence, best, gap, MODELS, least, widest, closed),
                    3, others);
}

static double minus_evidence(void *context, double b)
{
    linear m = *(const linear *)context;
    m.b = b;
    return -linear_posterior(&m, NULL, NULL, NULL);
}

/* The parameter is b.  With q fixed the bound is largest where x = a mu_q + b. */
static void decide_maximising(ev_check *check, const linear *start)
{
    linear m = *start, moved;
    double low = 0, b, value, at[2], again[2], best = HUGE_VAL;
    for (int i = -60; i <= 60; i++) /* the basin of the global maximum */
        if (minus_evidence(&m, i / 10.0) < best) {
            best = minus_evidence(&m, i / 10.0);
            low = i / 10.0 - 0.1;
        }
    if (ev_minimise_scalar(minus_evidence, &m, low, low + 0.2, 1e-10, &b, &value) != EV_OK) {
        ev_check_give_up(check, "gmvae-maximising", "minimisation failed");
        return;
    }
    m.b = b;
    double before = best_product(&m, at);
    moved = m;
    moved.b = m.x - m.a * at[0];
    double after = before; /* q fixed: only the misfit of the mean changes */
    after += (pow(m.x - m.a * at[0] - m.b, 2) - pow(m.x - m.a * at[0] - moved.b, 2)) /
             (2 * m.s * m.s);
    double fall = -value - linear_posterior(&moved, NULL, NULL, NULL), step = moved.b - m.b;
    for (int i = 0; i < 200; i++) {
        best_product(&moved, again);
        moved.b = moved.x - moved.a * again[0];
    }
    double end = moved.b - b, lost = -value - linear_posterior(&moved, NULL, NULL, NULL);
    const ev_alternative others[] = {
        {"the bound and log p(x) are largest at the same parameter", fabs(step) > 1e-3,
         ev_check_format(check, "b = %.5f for log p(x), %.5f for the bound", b, b + step)},
        {"whatever raises the bound raises log p(x)", after > before + 1e-6 && fall > 1e-6,
         ev_check_format(check, "that step raises the bound by %.5f and lowers log p(x) by %.5f",
                         after - before, fall)},
        {"alternating with the best q ends at the maximum of log p(x)", fabs(end) > 1e-3,
         ev_check_format(check, "it ends %.5f away, %.5f nats below", fabs(end), lost)}};
    ev_check_decide(check, "gmvae-maximising",
                    fabs(step) > 1e-3 && after > before && fall > 1e-6 && fabs(end) > 1e-3,
                    ev_check_format(check,
                                    "log p(x) is largest at b = %.6f; from there, with the best q "
                                    "fixed, the bound asks for %.6f (+%.5f nats, log p(x) -%.5f); "
                                    "alternating ends at %.6f",
                                    b, b + step, after - before, fall, moved.b),
                    3, others);
}

void check_gmvae_elbo(ev_check *check);
void check_gmvae_elbo(ev_check *check)
{
    static const char *const id[2][3] = {
        {"gmvae-binary-closed", "gmvae-binary-evidence", "gmvae-binary-bound"},
        {"gmvae-real-closed", "gmvae-real-evidence", "gmvae-real-bound"}};
    scene gaussian = BINARY;
    gaussian.real = true;
    gaussian.x[0] = 0.7;
    gaussian.x[1] = -1.1;
    averages binary = take_averages(&BINARY), real = take_averages(&gaussian);
    bound_sides(check, &binary, &real);
    assert_bound(check, &binary, id[0]);
    assert_bound(check, &real, id[1]);
    slip_sides(check);
    factor_sides(check, &BINARY);
    direct_sides(check);
    one_cluster_sides(check);
    compare_linear(check, &LINEAR);
    decide_normalised(check, &binary);
    decide_product_gap(check, &LINEAR);
    decide_maximising(check, &LINEAR);
}
