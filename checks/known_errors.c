/* The second voice of derivations/known_errors.md.
 *
 * The right lines are compared with the closed forms of src/probability.  Of the wrong lines both
 * sides are computed here, the true side by a rule that knows only densities (adaptive quadrature,
 * finite differences) where there is a choice.  Then what no line says: how the errors look in
 * floating point and in a running update.
 *
 *   e   the whitened point, z = mu + sigma e
 */
#include "judge/check.h"
#include "numerics/monte_carlo.h"
#include "numerics/quadrature.h"
#include "probability/bernoulli.h"
#include "probability/categorical.h"
#include "probability/gaussian.h"
#include "probability/gmvae.h"
#include "probability/kl_estimators.h"
#include "probability/log_space.h"
#include "probability/mixture.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { MAX_J = 10, K = 3, D = 3 };

/* The first J (of MAX_J) coordinates are used; no two numbers alike. */
static const double MU[MAX_J] = {0.3, -1.2, 1.5, 0.7, -0.45, 1.1, -0.6, 0.2, 0.9, -0.1};
static const double LOG_VAR[MAX_J] = {0.6, -1.1, 0.25, -0.4, 1.3, -0.8, 0.5, 1.7, -0.2, 0.9};

static double rounding(double value) { return 1e-12 * (1 + fabs(value)); }

/* One printed member, at one point, against our number. */
static void says(ev_check *check, const char *claim, size_t step, size_t member, size_t component,
                 size_t bindings, const ev_binding *at, double ours, double our_error)
{
    double error;
    double theirs = ev_check_document_value(check, claim, member, component, bindings, at, &error);
    ev_check_compare(check, claim, step, ours, our_error, theirs, error, 1e-8);
}

/* Both sides of a wrong line, in closed form. */
static void differ(ev_check *check, const char *claim, double left, double right)
{
    ev_check_sides(check, claim, 1, left, rounding(left), right, rounding(right));
}

/* 1. One Gaussian and the standard one. ------------------------------------------------------*/

/* A draw z = mu + scale e, and the two densities of one coordinate. */
typedef struct {
    double mu, sigma, scale;
} draw;

/* out[0] = log q(z) - log p(z), out[1] = z^2. */
static int draw_terms(void *context, size_t worker, size_t n, const double *const *e,
                      double *const *out)
{
    const draw *d = context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double z = d->mu + d->scale * e[0][i];
        out[0][i] = ev_gaussian_scalar_log_density(z, d->mu, d->sigma) -
                    ev_gaussian_scalar_log_density(z, 0, 1);
        out[1][i] = z * z;
    }
    return 0;
}

/* The averages of both terms, summed over coordinates; scale(l) is what a code takes for the
 * deviation. */
static void draw_averages(size_t J, double (*scale)(double), double value[2], double error[2])
{
    memset(value, 0, 2 * sizeof *value);
    memset(error, 0, 2 * sizeof *error);
    for (size_t j = 0; j < J; j++) {
        draw d = {MU[j], exp(0.5 * LOG_VAR[j]), scale(LOG_VAR[j])};
        ev_integral found[2];
        size_t evaluations;
        ev_status status = ev_kronrod_expect(12, 1e-14, 1e-13, draw_terms, &d, 2, found,
                                             &evaluations);
        for (int k = 0; k < 2; k++) {
            value[k] += status == EV_OK ? found[k].value : (double)NAN;
            error[k] += found[k].error + 1e-13;
        }
    }
}

static double deviation(double log_var) { return exp(0.5 * log_var); }
static double variance(double log_var) { return exp(log_var); }
static double hundredth(double log_var) { return 0.01 * exp(0.5 * log_var); }

/* The published closed forms, given sum_j of: squares sigma^2 + mu^2 - 1, log sigma, its square. */
static void refute_closed_forms(ev_check *check, size_t J, double kl, double kl_error)
{
    double squares = 0, log_sigma = 0, log_squared = 0;
    for (size_t j = 0; j < J; j++) {
        squares += exp(LOG_VAR[j]) + MU[j] * MU[j] - 1;
        log_sigma += LOG_VAR[j] / 2;
        log_squared += LOG_VAR[j] * LOG_VAR[j] / 4;
    }
    const struct {
        const char *claim;
        double printed;
    } wrong[] = {{"kl-log-squared", (squares + log_squared) / 2},
                 {"kl-plus-log", (squares + 2 * log_sigma) / 2},
                 {"kl-monitored", -kl},
                 {"kl-latent-mean", kl / (double)J}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (J > 1)
            ev_check_sides(check, wrong[i].claim, 1, kl, kl_error, wrong[i].printed,
                           rounding(wrong[i].printed));
}

static void check_gaussian(ev_check *check, size_t J)
{
    const double dimension = (double)J, zero[3] = {0}, one[3] = {1, 1, 1};
    const ev_binding at[] = {{"J", 1, &dimension}, {"\\mu", J, MU}, {"\\ell", J, LOG_VAR}};
    double sigma[3], d_mu[3], d_sigma[3], value[2], error[2];
    for (size_t j = 0; j < J; j++)
        sigma[j] = deviation(LOG_VAR[j]);
    double kl = ev_gaussian_kl(J, MU, sigma, zero, one);
    ev_gaussian_kl_gradient(J, MU, sigma, zero, one, d_mu, d_sigma);
    draw_averages(J, deviation, value, error);
    for (size_t step = 1; step <= 3; step++)
        says(check, "kl-standard", step, step, 0, 3, at, step > 1 ? kl : value[0],
             step > 1 ? rounding(kl) : error[0]);
    for (size_t j = 0; j < J; j++) {
        /* d sigma/d l = sigma/2. */
        double by_log_var = d_sigma[j] * sigma[j] / 2, wrong = (sigma[j] * sigma[j] + 1) / 2;
        says(check, "kl-plus-log-mean", 1, 1, j, 3, at, d_mu[j], rounding(d_mu[j]));
        says(check, "kl-standard-variance", 1, 1, j, 3, at, by_log_var, rounding(by_log_var));
        says(check, "kl-standard-variance", 2, 2, j, 3, at, by_log_var, rounding(by_log_var));
        differ(check, "kl-plus-log-variance", by_log_var, wrong);
    }
    refute_closed_forms(check, J, value[0], error[0]);
    ev_check_assert(check, ev_check_format(check, "kl-standard-quadrature-%zu", J),
                    "KL from the standard Gaussian: adaptive quadrature and the closed form",
                    value[0], kl, error[0] + rounding(kl));
}

static void check_draws(ev_check *check)
{
    const size_t J = 2;
    const double dimension = (double)J;
    const ev_binding at[] = {{"J", 1, &dimension}, {"\\mu", J, MU}, {"\\ell", J, LOG_VAR}};
    double right[2], right_error[2], wrong[2], wrong_error[2], tiny[2], tiny_error[2];
    double sigma[2], zero[2] = {0}, one[2] = {1, 1};
    for (size_t j = 0; j < J; j++)
        sigma[j] = deviation(LOG_VAR[j]);
    draw_averages(J, deviation, right, right_error);
    draw_averages(J, variance, wrong, wrong_error);
    draw_averages(J, hundredth, tiny, tiny_error);
    double kl = ev_gaussian_kl(J, MU, sigma, zero, one);
    says(check, "draw-half", 1, 1, 0, 3, at, right[1], right_error[1]);
    says(check, "draw-half", 2, 2, 0, 3, at, right[1], right_error[1]);
    says(check, "draw-consistent", 1, 1, 0, 3, at, kl, rounding(kl));
    ev_check_sides(check, "draw-exp-log-variance", 1, right[1], right_error[1], wrong[1],
                   wrong_error[1]);
    ev_check_sides(check, "draw-contradiction", 1, wrong[0], wrong_error[0], kl, rounding(kl));
    ev_check_sides(check, "draw-hundredth", 1, right[1], right_error[1], tiny[1], tiny_error[1]);
    differ(check, "draw-softplus", exp(ev_softplus(0.4)), exp(0.4));
    /* The least divergence over variances of at least one is that of variance one. */
    double s = 0.6, floor_kl = ev_gaussian_scalar_kl(0.3, 1, 0.3, s);
    const ev_binding narrow[] = {{"s", 1, &s}, {"m", 1, MU}, {"a", 1, LOG_VAR}};
    says(check, "draw-softplus-floor", 1, 1, 0, 3, narrow, floor_kl, rounding(floor_kl));
}

/* The second moment of mu + exp(power l) e and its derivative by l, at l, by quadrature alone:
 * a central difference in which the error of order h^2 is extrapolated away. */
static double moment(double power, double l)
{
    draw d = {0.4, 1, exp(power * l)};
    ev_integral found[2];
    size_t evaluations;
    ev_status status = ev_kronrod_expect(12, 1e-14, 1e-13, draw_terms, &d, 2, found, &evaluations);
    return status == EV_OK ? found[1].value : (double)NAN;
}

static double moment_slope(double power, double l)
{
    const double h = 0.02;
    double wide = (moment(power, l + h) - moment(power, l - h)) / (2 * h);
    double near = (moment(power, l + h / 2) - moment(power, l - h / 2)) / h;
    return near + (near - wide) / 3;
}

static void decide_gradient_at_zero(ev_check *check)
{
    double value = moment(1, 0) / moment(0.5, 0), ratio = moment_slope(1, 0) / moment_slope(0.5, 0);
    double elsewhere = moment(1, 0.6) / moment(0.5, 0.6);
    const char *found = ev_check_format(check, "the derivatives' ratio is %.8f", ratio);
    const ev_alternative others[] = {
        {"the derivative is right there as well", fabs(ratio - 1) > 1e-6, found},
        {"the derivative is four times the right one", fabs(ratio - 4) > 1e-6, found},
        {"the moment is right everywhere", fabs(elsewhere - 1) > 1e-6,
         ev_check_format(check, "at log-variance 0.6 it is %.4f times the right one", elsewhere)}};
    ev_check_decide(
        check, "draw-gradient-at-zero", fabs(value - 1) < 1e-12 && fabs(ratio - 2) < 1e-6,
        ev_check_format(check, "moments' ratio %.12f, derivatives' ratio %.8f", value, ratio), 3,
        others);
}

/* 2. Batches and reconstructions. ------------------------------------------------------------*/

static void check_batch(ev_check *check)
{
    enum { N = 3, J = 2 };
    const double n = N, j = J, d = 5, r[N] = {2.1, 0.4, -1.3};
    const ev_binding at[] = {
        {"N", 1, &n}, {"J", 1, &j}, {"D", 1, &d}, {"\\mu", N * J, MU}, {"\\ell", N * J, LOG_VAR},
        {"r", N, r}};
    double rec = 0, kl = 0, zero[J] = {0}, one[J] = {1, 1};
    for (size_t i = 0; i < N; i++) {
        double sigma[J] = {deviation(LOG_VAR[J * i]), deviation(LOG_VAR[J * i + 1])};
        rec += r[i];
        kl += ev_gaussian_kl(J, MU + J * i, sigma, zero, one);
    }
    says(check, "batch-sum-weight", 1, 1, 0, 6, at, rec / n + kl, rounding(kl));
    says(check, "batch-pixels-both", 1, 1, 0, 6, at, (rec + kl) / (n * d), rounding(kl));
    says(check, "batch-pixels-weight", 1, 1, 0, 6, at, rec / n + kl / (n * d), rounding(kl));
    differ(check, "batch-sum", (rec + kl) / n, rec / n + kl);
    differ(check, "batch-pixels", (rec + kl) / n, rec / n + kl / (n * d));
}

/* E_q[log p(x|z)] and its D-th part, q = N(mu, sigma^2), logits w z + b. */
typedef struct {
    double mu, sigma;
    const double *w, *b, *x;
} decoder;

static int decoder_terms(void *context, size_t worker, size_t n, const double *const *e,
                         double *const *out)
{
    const decoder *d = context;
    double logit[D];
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double z = d->mu + d->sigma * e[0][i];
        for (int k = 0; k < D; k++)
            logit[k] = d->w[k] * z + d->b[k];
        out[0][i] = ev_bernoulli_log_mass_logit(D, d->x, logit);
    }
    return 0;
}

static void check_bernoulli(ev_check *check)
{
    const double d = D, x[D] = {1, 0, 1}, u[D] = {0.8, 0.3, 0.45}, g[D] = {0.2, 0.9, 0.4};
    const double w[D] = {0.7, -0.9, 0.5}, b[D] = {-0.3, 0.6, 0.8}, mu = 0.6, sigma = 0.8;
    const double t = 0.2, y = 0.35;
    const ev_binding at[] = {{"D", 1, &d}, {"x", D, x},  {"u", D, u},      {"g", D, g},
                             {"t", 1, &t}, {"y", 1, &y}, {"\\mu", 1, &mu}, {"\\sigma", 1, &sigma},
                             {"w", D, w},  {"b", D, b}};
    decoder of = {mu, sigma, w, b, x};
    ev_integral found;
    size_t evaluations;
    double likelihood = ev_bernoulli_log_mass(D, x, u), entropy = ev_bernoulli_entropy(D, g);
    double mass = (2 * t - 1) / ev_logit(t);
    says(check, "bernoulli-sum", 1, 1, 0, 10, at, -likelihood, rounding(likelihood));
    says(check, "grey-entropy", 1, 1, 0, 10, at, entropy, rounding(entropy));
    says(check, "grey-mass-bound", 1, 1, 0, 10, at, mass, rounding(mass));
    differ(check, "bernoulli-mean", -likelihood, -likelihood / D);
    differ(check, "grey-perfect", entropy, 0);
    differ(check, "grey-mass", mass, 1);
    if (ev_kronrod_expect(12, 1e-14, 1e-13, decoder_terms, &of, 1, &found, &evaluations) != EV_OK)
        return;
    double kl = ev_gaussian_scalar_kl(mu, sigma, 0, 1), loss = kl - found.value;
    says(check, "loss-is-minus-elbo", 1, 1, 0, 10, at, loss, found.error + rounding(loss));
    ev_check_sides(check, "bernoulli-mean-weight", 1, loss + (D - 1) * kl,
                   found.error + rounding(loss), loss, found.error + rounding(loss));
}

/* The trapezoidal rule on [0,1] with the end corrections of Euler and Maclaurin: a grey pixel's
 * mass without its antiderivative.  The integrand is e^(a + l y), whose derivative is l times it. */
static void assert_grey_mass(ev_check *check)
{
    const double t = 0.2, l = ev_logit(t), a = log1p(-t);
    enum { STEPS = 200 };
    double h = 1.0 / STEPS, sum = 0, ends = exp(a + l) - exp(a);
    for (int i = 0; i <= STEPS; i++)
        sum += (i % STEPS == 0 ? 0.5 : 1) * h * exp(a + l * i * h);
    sum += -h * h / 12 * l * ends + h * h * h * h / 720 * l * l * l * ends;
    ev_check_assert(check, "grey-mass-by-sums",
                    "mass over grey values at t = 0.2: sums and antiderivative", sum,
                    (2 * t - 1) / l, 1e-12);
}

static void check_real(ev_check *check)
{
    const size_t n = 2;
    const double d = 2, x[2] = {0.4, -1.1}, m[2] = {-0.3, 0.8}, sigma[2] = {0.7, 1.6};
    const ev_binding at[] = {{"D", 1, &d}, {"x", n, x}, {"m", n, m}, {"\\sigma", n, sigma}};
    double density = ev_gaussian_log_density(n, x, m, sigma), score[2], square = 0;
    double root_half[2] = {sqrt(0.5), sqrt(0.5)}, unit[2] = {1, 1}, unit_score[2];
    says(check, "log-density-brackets", 1, 1, 0, 4, at, density, rounding(density));
    says(check, "log-density-brackets", 2, 2, 0, 4, at, density, rounding(density));
    /* The mean squared error of a draw around the mean adds sigma^2: 1/2 an entry. */
    says(check, "noisy-mean-offset", 1, 0, 0, 4, at, density - 1, rounding(density));
    differ(check, "noisy-mean", density - 1, density);
    /* The score by the mean is minus the score by x. */
    ev_gaussian_score(n, x, m, sigma, score);
    for (size_t i = 0; i < n; i++) {
        says(check, "noisy-mean-gradient", 1, 1, i, 4, at, -score[i], rounding(score[i]));
        square += (x[i] - m[i]) * (x[i] - m[i]);
    }
    ev_gaussian_score(n, x, m, root_half, score);
    ev_gaussian_score(n, x, m, unit, unit_score);
    for (size_t i = 0; i < n; i++) {
        says(check, "square-half-variance", 1, 1, i, 4, at, score[i], rounding(score[i]));
        differ(check, "square-without-half-gradient", unit_score[i], -2 * (x[i] - m[i]));
    }
    /* Without the half no constant serves two reconstructions at once. */
    double there = -ev_gaussian_log_density(n, x, x, unit);
    double here = -ev_gaussian_log_density(n, x, m, unit);
    differ(check, "square-without-half", here - there, square);
}

/* 3. Mixtures and categories. ----------------------------------------------------------------*/

static const double PI[K] = {0.2, 0.5, 0.3};
static const double M[K * 2] = {-0.8, 0.4, 1.2, -0.3, 0.1, 1.7};
static const double S[K * 2] = {0.9, 1.3, 0.6, 1.8, 1.1, 0.7};

static void check_responsibilities(ev_check *check)
{
    const double k = K, j = 2, z[2] = {0.5, -0.9},
                 power[K] = {0.04 / 0.38, 0.25 / 0.38, 0.09 / 0.38};
    double log_pi[K], log_power[K], gamma[K], wrong[K], log_joint[K], sum = 0, rescaled = 0;
    ev_log_each(K, PI, log_pi);
    ev_log_each(K, power, log_power);
    ev_mixture p = {.K = K, .J = 2, .log_pi = log_pi, .mu = M, .sigma = S};
    ev_mixture squared = p;
    squared.log_pi = log_power;
    ev_mixture_responsibilities(&p, z, gamma);
    ev_mixture_responsibilities(&squared, z, wrong);
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t c = 0; c < K; c++) {
        log_joint[c] = ev_mixture_log_joint(&p, c, z);
        low = fmin(low, log_joint[c]);
        high = fmax(high, log_joint[c]);
        sum += exp(log_joint[c]) + 1e-10;
    }
    for (size_t c = 0; c < K; c++)
        rescaled += exp((log_joint[c] - low) / (high - low));
    for (size_t c = 0; c < K; c++) {
        const double index = (double)c + 1;
        const ev_binding at[] = {{"K", 1, &k}, {"J", 1, &j},    {"c", 1, &index}, {"\\pi", K, PI},
                                 {"z", 2, z},  {"m", K * 2, M}, {"s", K * 2, S}};
        double right = exp(gamma[c]), one = exp((log_joint[c] - low) / (high - low)) / rescaled;
        says(check, "weight-once", 1, 1, 0, 7, at, right, rounding(right));
        says(check, "weight-power", 1, 1, 0, 7, at, exp(wrong[c]), rounding(right));
        says(check, "softmax-of-logarithms", 1, 1, 0, 7, at, right, rounding(right));
        says(check, "rescaled-softmax-bound", 1, 0, 0, 7, at, one, rounding(one));
        differ(check, "weight-in-sum", right, exp(wrong[c]));
        differ(check, "rescaled-softmax", right, one);
        differ(check, "density-epsilon", right, (exp(log_joint[c]) + 1e-10) / sum);
    }
}

/* The latent and entropy terms of the bound, and the published ones: true_loss by closed forms,
 * published as printed. */
static void loss_terms(size_t J, const ev_mixture *prior, const double *log_gamma, double *latent,
                       double *entropy, double *published_latent, double *published_entropy)
{
    double sigma_q[MAX_J];
    *published_latent = *published_entropy = 0;
    for (size_t j = 0; j < J; j++) {
        sigma_q[j] = deviation(LOG_VAR[j]);
        *published_entropy += (1 + LOG_VAR[j]) / 2;
    }
    *latent = ev_gmvae_latent_term(prior, log_gamma, MU, sigma_q);
    *entropy = ev_gmvae_entropy_term(J, sigma_q);
    for (size_t c = 0; c < prior->K; c++)
        for (size_t j = 0; j < J; j++) {
            double s = prior->sigma[c * J + j], distance = MU[j] - prior->mu[c * J + j];
            *published_latent -= exp(log_gamma[c]) / 2 *
                                 ((double)J * EV_LOG_2PI + 2 * log(s) +
                                  (exp(LOG_VAR[j]) + distance * distance) / (s * s));
        }
}

static void check_bound(ev_check *check)
{
    const double k = K, j = 2;
    const ev_binding at[] = {{"K", 1, &k},         {"J", 1, &j},    {"\\gamma", K, PI},
                             {"m", K * 2, M},      {"s", K * 2, S}, {"\\mu", 2, MU},
                             {"\\ell", 2, LOG_VAR}};
    double log_pi[K], latent, entropy, published_latent, published_entropy;
    ev_log_each(K, PI, log_pi);
    ev_mixture prior = {.K = K, .J = 2, .log_pi = log_pi, .mu = M, .sigma = S};
    loss_terms(2, &prior, log_pi, &latent, &entropy, &published_latent, &published_entropy);
    says(check, "constant-once", 1, 1, 0, 7, at, latent, rounding(latent));
    says(check, "entropy-with-constant", 1, 1, 0, 7, at, entropy, rounding(entropy));
    says(check, "constants-cancel", 1, 1, 0, 7, at, latent + entropy, rounding(latent));
    says(check, "published-loss-offset", 1, 0, 0, 7, at, -published_latent - published_entropy,
         rounding(latent));
    differ(check, "constant-in-sum", latent, published_latent);
    differ(check, "entropy-without-constant", entropy, published_entropy);
    differ(check, "published-loss", -published_latent - published_entropy, -latent - entropy);
}

/* The ten dimensions that the published loss is used in. */
static void assert_ten_dimensions(ev_check *check)
{
    double log_gamma[1] = {0}, latent, entropy, published_latent, published_entropy;
    ev_mixture prior = {.K = 1, .J = MAX_J, .log_pi = log_gamma, .mu = LOG_VAR, .sigma = NULL};
    double sigma[MAX_J];
    for (size_t i = 0; i < MAX_J; i++)
        sigma[i] = 0.5 + 0.1 * (double)i;
    prior.sigma = sigma;
    loss_terms(MAX_J, &prior, log_gamma, &latent, &entropy, &published_latent, &published_entropy);
    ev_check_assert(check, "published-loss-ten-dimensions",
                    "the published loss minus the true one at J = 10, and 50 log 2 pi",
                    latent + entropy - published_latent - published_entropy, 50 * EV_LOG_2PI,
                    1e-10);
    ev_check_assert(check, "published-loss-nats", "the same, to the digits that are quoted",
                    50 * EV_LOG_2PI, 91.894, 5e-4);
}

static void check_categories(ev_check *check)
{
    const double k = K, a[K] = {0.4, -1.2, 0.9};
    const ev_binding at[] = {{"K", 1, &k}, {"a", K, a}, {"\\pi", K, PI}};
    double log_q[K], log_r[K], log_p[K], h = 1e-4;
    ev_log_softmax(K, a, log_q);
    ev_log_each(K, PI, log_r);
    for (size_t c = 0; c < K; c++)
        log_p[c] = -log(K);
    double kl = ev_categorical_kl(K, log_q, log_p), other = ev_categorical_kl(K, log_r, log_q);
    says(check, "log-clusters", 1, 1, 0, 3, at, kl, rounding(kl));
    says(check, "log-clusters", 2, 2, 0, 3, at, log(K) - ev_categorical_entropy(K, log_q),
         rounding(kl));
    says(check, "argument-order-right", 1, 0, 0, 3, at, other, rounding(other));
    differ(check, "log-tenth", kl, kl - log(K) + log(10));
    differ(check, "categorical-sign", kl, -kl);
    differ(check, "argument-order", other, ev_categorical_kl(K, log_q, log_r));
    for (size_t c = 0; c < K; c++) {
        /* d KL/d a_c = q_c (log q_c - E_q[log q]), beside a central difference. */
        double slope = exp(log_q[c]) * (log_q[c] + ev_categorical_entropy(K, log_q)), ends[2];
        for (int side = 0; side < 2; side++) {
            double moved[K];
            memcpy(moved, a, sizeof moved);
            moved[c] += side ? h : -h;
            ev_log_softmax(K, moved, moved);
            ends[side] = ev_categorical_kl(K, moved, log_p);
        }
        says(check, "log-tenth-gradient", 1, 1, c, 3, at, slope, rounding(slope));
        says(check, "categorical-gradient", 1, 1, c, 3, at, slope, rounding(slope));
        ev_check_sides(check, "categorical-sign-gradient", 1, (ends[1] - ends[0]) / (2 * h), 1e-7,
                       -slope, rounding(slope));
    }
}

/* 4. Weights and penalties. ------------------------------------------------------------------*/

/* out[0] = w(z) for x = 0.7, q = N(0.2, 1.1^2): the mean is N(x; 0, 2). */
static int weight_terms(void *context, size_t worker, size_t n, const double *const *e,
                        double *const *out)
{
    (void)context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double z = 0.2 + 1.1 * e[0][i];
        out[0][i] = exp(ev_gaussian_scalar_log_density(0.7, z, 1) +
                        ev_gaussian_scalar_log_density(z, 0, 1) -
                        ev_gaussian_scalar_log_density(z, 0.2, 1.1));
    }
    return 0;
}

static void check_weights(ev_check *check)
{
    const double n = 2, x = 0.7, mu = 0.2, s = 1.1, a[2] = {0.9, -2.3};
    const ev_binding at[] = {
        {"N", 1, &n}, {"x", 1, &x}, {"\\mu", 1, &mu}, {"s", 1, &s}, {"a", 2, a}};
    double evidence = exp(ev_gaussian_scalar_log_density(x, 0, sqrt(2)));
    ev_integral found;
    size_t evaluations;
    ev_sample_summary drawn;
    ev_stream stream = ev_check_stream(check, "weights");
    says(check, "weights-averaged", 1, 1, 0, 5, at, evidence, rounding(evidence));
    says(check, "log-sum-exp", 1, 1, 0, 5, at, ev_log_mean_exp(2, a), rounding(1));
    differ(check, "logarithms-added", ev_log_mean_exp(2, a), a[0] + a[1]);
    if (ev_kronrod_expect(12, 1e-14, 1e-13, weight_terms, NULL, 1, &found, &evaluations) != EV_OK ||
        ev_monte_carlo_expect(1, weight_terms, NULL, 1, &stream, 100000, 2, &drawn) != EV_OK)
        return;
    /* Independent draws: the mean of the product is the product of the means. */
    ev_check_sides(check, "weights-multiplied", 1, evidence, rounding(evidence),
                   found.value * found.value, 1e-11);
    ev_check_assert(check, "weights-averaged-quadrature",
                    "mean weight by quadrature, and the evidence", found.value, evidence,
                    found.error + rounding(evidence));
    ev_check_assert(check, "weights-averaged-sampling", "mean of 100000 weights, and the evidence",
                    drawn.mean, evidence, ev_sample_half_width(&drawn, ev_check_alpha(check)));
}

static void check_penalties(ev_check *check)
{
    const double phi = 0.3, m = -0.4, tau = 1.05, s = 0.8, beta = 0.7;
    const ev_binding at[] = {
        {"\\phi", 1, &phi}, {"m", 1, &m}, {"\\tau", 1, &tau}, {"s", 1, &s}, {"\\beta", 1, &beta}};
    double h = 1e-4, reverse, forward = ev_kl_estimator_loss_gradient(EV_KL_K3, phi, tau, m, s);
    ev_gaussian_kl_gradient(1, &phi, &tau, &m, &s, &reverse, NULL);
    double difference = (ev_gaussian_scalar_kl(m, s, phi + h, tau) -
                         ev_gaussian_scalar_kl(m, s, phi - h, tau)) /
                        (2 * h);
    says(check, "k3-loss-other-direction", 1, 0, 0, 5, at, forward, rounding(forward));
    says(check, "k3-loss-other-direction", 1, 1, 0, 5, at, difference, 1e-9);
    says(check, "k3-as-loss", 1, 1, 0, 5, at, reverse, rounding(reverse));
    differ(check, "k1-as-loss", ev_kl_estimator_loss_gradient(EV_KL_K1, phi, tau, m, s), reverse);
    differ(check, "k3-as-loss", forward, reverse);
    /* The rewards cancel: what is left of the two sides is +beta and -beta times the gradient. */
    differ(check, "penalty-sign", beta * reverse, -beta * reverse);
}

/* 5. Vector quantisation. --------------------------------------------------------------------
 *
 * A stop-gradient is a copy that stays behind when the original moves: the terms with their
 * copies as arguments of their own, differentiated by central differences, exact for squares. */
typedef struct {
    double z, e, frozen_z, frozen_e, beta;
} quantised;

static double loss_right(const quantised *v)
{
    return pow(v->frozen_z - v->e, 2) + v->beta * pow(v->z - v->frozen_e, 2);
}

static double loss_exchanged(const quantised *v)
{
    return v->beta * pow(v->frozen_z - v->e, 2) + pow(v->z - v->frozen_e, 2);
}

/* The codebook term after z + sg[e - z]; the e in it is the copy. */
static double loss_after(const quantised *v)
{
    return pow(v->frozen_z - (v->z + v->frozen_e - v->frozen_z), 2);
}

static double slope(double (*loss)(const quantised *), const quantised *at, bool by_code)
{
    quantised up = *at, down = *at;
    *(by_code ? &up.e : &up.z) += 0.5;
    *(by_code ? &down.e : &down.z) -= 0.5;
    return loss(&up) - loss(&down);
}

static void check_quantisation(ev_check *check)
{
    const double j = 2, z[2] = {0.7, -1.3}, e[2] = {-0.2, 0.4}, beta = 0.25, alpha = 0.9;
    const double epsilon = 1e-5, k = 4, batch = 64, n = 3;
    const ev_binding at[] = {{"J", 1, &j},
                             {"z", 2, z},
                             {"e", 2, e},
                             {"\\beta", 1, &beta},
                             {"\\alpha", 1, &alpha},
                             {"\\varepsilon", 1, &epsilon},
                             {"K", 1, &k},
                             {"M", 1, &batch},
                             {"n", 1, &n}};
    double before = 0, after = 0;
    for (size_t i = 0; i < 2; i++) {
        const quantised v = {z[i], e[i], z[i], e[i], beta};
        double code = slope(loss_right, &v, true), encoder = slope(loss_right, &v, false);
        says(check, "beta-codebook-right", 1, 0, i, 9, at, code, rounding(code));
        says(check, "beta-codebook-right", 1, 1, i, 9, at, code, rounding(code));
        says(check, "beta-encoder-right", 1, 0, i, 9, at, encoder, rounding(encoder));
        says(check, "beta-encoder-right", 1, 1, i, 9, at, encoder, rounding(encoder));
        says(check, "codebook-after-straight-through-zero", 1, 0, i, 9, at,
             slope(loss_after, &v, true), 0);
        differ(check, "beta-codebook", slope(loss_exchanged, &v, true), code);
        differ(check, "beta-encoder", slope(loss_exchanged, &v, false), encoder);
        differ(check, "codebook-after-straight-through", slope(loss_after, &v, true), code);
        double moved = alpha * e[i] + (1 - alpha) * z[i];
        before += pow(z[i] - e[i], 2);
        after += pow(z[i] - moved, 2);
        double total = (1 - alpha) * batch, count = epsilon * total / (total + k * epsilon);
        differ(check, "unused-code", alpha * e[i] / count, e[i]);
    }
    says(check, "update-first-factor", 1, 1, 0, 9, at, after, rounding(after));
    differ(check, "update-first", after, before);
}

/* 6. Floating point and running updates. -----------------------------------------------------*/

static void decide_density_epsilon(ev_check *check)
{
    const double mu[K] = {-1, 0, 1}, sigma[K] = {1, 1, 1}, z = 60;
    double log_pi[K], gamma[K], density[K], sum = 0, spread = 0;
    ev_log_each(K, PI, log_pi);
    ev_mixture p = {.K = K, .J = 1, .log_pi = log_pi, .mu = mu, .sigma = sigma};
    ev_mixture_responsibilities(&p, &z, gamma);
    for (size_t c = 0; c < K; c++) {
        density[c] = exp(ev_mixture_log_joint(&p, c, &z)) + 1e-10;
        sum += density[c];
    }
    for (size_t c = 1; c < K; c++)
        spread = fmax(spread, fabs(density[c] / sum - density[0] / sum));
    /* log odds of neighbours: ((z - mu_0)^2 - (z - mu_1)^2)/2 = z + 1/2, and the weights. */
    double odds = log(PI[1] / PI[0]) + z + 0.5, error = fabs(gamma[1] - gamma[0] - odds);
    const char *found = ev_check_format(check, "%.17g, %.17g, %.17g", density[0] / sum,
                                        density[1] / sum, density[2] / sum);
    const ev_alternative others[] = {
        {"they differ in the last digits", !(spread > 0), found},
        {"the nearest component still has the most", density[2] <= density[0], found},
        {"logarithms fail there too", error < 1e-9,
         ev_check_format(check, "log odds %.12g, exactly %.12g", gamma[1] - gamma[0], odds)}};
    ev_check_decide(check, "density-epsilon-uniform", !(spread > 0) && error < 1e-9,
                    ev_check_format(check, "at z = 60 they are %s; by logarithms %.3g, %.3g, %.3g",
                                    found, exp(gamma[0]), exp(gamma[1]), exp(gamma[2])),
                    3, others);
}

/* The chain rule in single precision for clamp after, and clamp before, the exponential. */
static float slope_clamp_after(float b, float bound)
{
    volatile float y = expf(b);
    float clamp = y < bound ? 1.0F : 0.0F;
    return clamp * y;
}

static float slope_clamp_before(float b, float log_bound)
{
    float clamp = b < log_bound ? 1.0F : 0.0F;
    volatile float y = expf(fminf(b, log_bound));
    return clamp * y;
}

static void decide_clamp(ev_check *check)
{
    bool after_fails = true, before_right = true;
    for (float b = 89; b < 1e30F; b *= 2) {
        after_fails = after_fails && isnan(slope_clamp_after(b, expf(10)));
        before_right = before_right && !(fabsf(slope_clamp_before(b, 10)) > 0);
    }
    float moderate = slope_clamp_after(20, expf(10)), value = fminf(expf(100), expf(10));
    const ev_alternative others[] = {
        {"it fails as soon as the clamp is active", !isnan(moderate),
         ev_check_format(check, "at b = 20, C = e^10 the derivative is %g", (double)moderate)},
        {"the value fails as well", (double)value < 3e4,
         ev_check_format(check, "at b = 100 the value is %g", (double)value)},
        {"the order of clamp and exponential doesn't matter", after_fails && before_right,
         "not a number in one order, zero in the other, for b from 89 on"}};
    ev_check_decide(check, "clamp-after-exp", after_fails && before_right,
                    ev_check_format(check,
                                    "b = 100: %s with the clamp after, %g with the clamp before",
                                    after_fails ? "not a number" : "a number",
                                    (double)slope_clamp_before(100, 10)),
                    3, others);
}

/* One step of the moving averages of two codes, of which the batch (64 vectors of value 2) uses
 * the first: counts begin at count, sums at count times the code, or at the code if count is 0. */
static void first_step(double count, double epsilon, double code[2])
{
    const double alpha = 0.99, batch = 64, mean = 2, begun = count > 0 ? count : 1;
    double counts[2], sums[2], total = 0;
    for (int i = 0; i < 2; i++) {
        counts[i] = alpha * count + (i == 0 ? (1 - alpha) * batch : 0);
        sums[i] = alpha * begun * code[i] + (i == 0 ? (1 - alpha) * batch * mean : 0);
        total += counts[i];
    }
    for (int i = 0; i < 2; i++)
        code[i] = sums[i] / ((counts[i] + epsilon) / (total + 2 * epsilon) * total);
}

static void decide_unused_code(ev_check *check)
{
    double zero[2] = {1.5, -0.7}, alike[2] = {1.5, -0.7}, bare[2] = {1.5, -0.7};
    first_step(0, 1e-5, zero);
    first_step(1, 1e-5, alike);
    first_step(1, 0, bare);
    double growth = zero[1] / -0.7, kept = alike[1] / -0.7;
    const ev_alternative others[] = {
        {"smoothing the counts prevents it", growth > 1e4,
         ev_check_format(check, "with smoothing the factor is %.6g", growth)},
        {"the codes in use are right after the step", fabs(zero[0] - 2) > 0.1,
         ev_check_format(check, "the used code is %.4g, its vectors are all 2", zero[0])},
        {"the smoothing does it, not the beginning", fabs(kept - 1) < 1e-4,
         ev_check_format(check, "begun alike, with the same smoothing, the factor is %.8f", kept)}};
    ev_check_decide(check, "unused-code-grows",
                    growth > 0.9e5 && growth < 1.1e5 && fabs(bare[1] + 0.7) < 1e-14,
                    ev_check_format(check,
                                    "factor %.6g with counts begun at zero; %.8f begun alike, "
                                    "%.15g without smoothing",
                                    growth, kept, bare[1] / -0.7),
                    3, others);
}

void check_known_errors(ev_check *check);
void check_known_errors(ev_check *check)
{
    for (size_t J = 1; J <= 3; J++)
        check_gaussian(check, J);
    check_draws(check);
    decide_gradient_at_zero(check);
    check_batch(check);
    check_bernoulli(check);
    assert_grey_mass(check);
    check_real(check);
    check_responsibilities(check);
    check_bound(check);
    assert_ten_dimensions(check);
    check_categories(check);
    check_weights(check);
    check_penalties(check);
    check_quantisation(check);
    decide_density_epsilon(check);
    decide_clamp(check);
    decide_unused_code(check);
}
