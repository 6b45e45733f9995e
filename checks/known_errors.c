/* The second voice of derivations/known_errors.md.
 *
 * The right lines are compared with the closed forms of src/probability.  Of the wrong lines both
 * sides are computed, the true side by a rule that knows only densities (adaptive quadrature,
 * finite differences) where there is a choice.  Then what no line says: how the errors look in
 * floating point and in a running update.  Gaussians, batches and reconstructions are here, the
 * rest in known_errors/.
 *
 *   e   the whitened point, z = mu + sigma e
 */
#include "known_errors/sides.h"
#include "numerics/quadrature.h"
#include "probability/bernoulli.h"
#include "probability/gaussian.h"
#include "probability/log_space.h"

#include <string.h>

/* One printed member, at one point, against our number. */
void errors_says(ev_check *check, const char *claim, size_t step, size_t member, size_t component,
                 size_t bindings, const ev_binding *at, double ours, double our_error)
{
    double error;
    double theirs = ev_check_document_value(check, claim, member, component, bindings, at, &error);
    ev_check_compare(check, claim, step, ours, our_error, theirs, error, 1e-8);
}

/* Both sides of a wrong line, in closed form. */
void errors_differ(ev_check *check, const char *claim, double left, double right)
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
        errors_says(check, "kl-standard", step, step, 0, 3, at, step > 1 ? kl : value[0],
                    step > 1 ? rounding(kl) : error[0]);
    for (size_t j = 0; j < J; j++) {
        /* d sigma/d l = sigma/2. */
        double by_log_var = d_sigma[j] * sigma[j] / 2, wrong = (sigma[j] * sigma[j] + 1) / 2;
        errors_says(check, "kl-plus-log-mean", 1, 1, j, 3, at, d_mu[j], rounding(d_mu[j]));
        errors_says(check, "kl-standard-variance", 1, 1, j, 3, at, by_log_var,
                    rounding(by_log_var));
        errors_says(check, "kl-standard-variance", 2, 2, j, 3, at, by_log_var,
                    rounding(by_log_var));
        errors_differ(check, "kl-plus-log-variance", by_log_var, wrong);
        /* d (log sigma)^2/d l = l/2 in the place of d log sigma^2/d l = 1. */
        errors_differ(check, "kl-log-squared-variance", by_log_var,
                      sigma[j] * sigma[j] / 2 + LOG_VAR[j] / 4);
        if (J > 1)
            errors_differ(check, "kl-latent-mean-gradient", d_mu[j], d_mu[j] / (double)J);
    }
    refute_closed_forms(check, J, value[0], error[0]);
    ev_check_assert(check, ev_check_format(check, "kl-standard-quadrature-%zu", J),
                    "KL from the standard Gaussian: adaptive quadrature and the closed form",
                    value[0], kl, error[0] + rounding(kl));
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
    errors_says(check, "draw-half", 1, 1, 0, 3, at, right[1], right_error[1]);
    errors_says(check, "draw-half", 2, 2, 0, 3, at, right[1], right_error[1]);
    errors_says(check, "draw-consistent", 1, 1, 0, 3, at, kl, rounding(kl));
    ev_check_sides(check, "draw-exp-log-variance", 1, right[1], right_error[1], wrong[1],
                   wrong_error[1]);
    ev_check_sides(check, "draw-contradiction", 1, wrong[0], wrong_error[0], kl, rounding(kl));
    ev_check_sides(check, "draw-hundredth", 1, right[1], right_error[1], tiny[1], tiny_error[1]);
    /* By l, the second moment's slope is sigma^2, and 2 exp(2 l) with the variance for a
     * deviation: differences of the quadratures. */
    ev_check_sides(check, "draw-exp-log-variance-gradient", 1, moment_slope(0.5, LOG_VAR[0]), 1e-6,
                   moment_slope(1, LOG_VAR[0]), 1e-6);
    double a = LOG_VAR[0], h = 1e-3;
    ev_check_sides(check, "draw-softplus-slope", 1,
                   (exp(ev_softplus(a + h)) - exp(ev_softplus(a - h))) / (2 * h), 1e-5, exp(a),
                   1e-5);
    errors_differ(check, "draw-softplus", exp(ev_softplus(0.4)), exp(0.4));
    /* The least divergence over variances of at least one is that of variance one. */
    double s = 0.6, floor_kl = ev_gaussian_scalar_kl(0.3, 1, 0.3, s);
    const ev_binding narrow[] = {{"s", 1, &s}, {"m", 1, MU}, {"a", 1, LOG_VAR}};
    errors_says(check, "draw-softplus-floor", 1, 1, 0, 3, narrow, floor_kl, rounding(floor_kl));
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
    errors_says(check, "batch-sum-weight", 1, 1, 0, 6, at, rec / n + kl, rounding(kl));
    errors_says(check, "batch-pixels-both", 1, 1, 0, 6, at, (rec + kl) / (n * d), rounding(kl));
    errors_says(check, "batch-pixels-weight", 1, 1, 0, 6, at, rec / n + kl / (n * d), rounding(kl));
    errors_differ(check, "batch-sum-gradient", MU[0] / n, MU[0]);
    errors_differ(check, "batch-sum", (rec + kl) / n, rec / n + kl);
    errors_differ(check, "batch-pixels", (rec + kl) / n, rec / n + kl / (n * d));
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
    errors_says(check, "bernoulli-sum", 1, 1, 0, 10, at, -likelihood, rounding(likelihood));
    errors_says(check, "grey-entropy", 1, 1, 0, 10, at, entropy, rounding(entropy));
    errors_says(check, "grey-mass-bound", 1, 1, 0, 10, at, mass, rounding(mass));
    errors_differ(check, "bernoulli-mean", -likelihood, -likelihood / D);
    for (int i = 0; i < D; i++) {
        /* by differences of the log masses of x and of g */
        double up[D], down[D], h = 1e-5, slope, grey;
        memcpy(up, u, sizeof up);
        memcpy(down, u, sizeof down);
        up[i] += h;
        down[i] -= h;
        slope = -(ev_bernoulli_log_mass(D, x, up) - ev_bernoulli_log_mass(D, x, down)) / (2 * h);
        grey = -(ev_bernoulli_log_mass(D, g, up) - ev_bernoulli_log_mass(D, g, down)) / (2 * h);
        ev_check_sides(check, "bernoulli-mean-gradient", 1, slope, 1e-6, slope / D, 1e-6);
        ev_check_sides(check, "grey-gradient", 1, grey, 1e-6, (u[i] - g[i]) / (u[i] * (1 - u[i])),
                       1e-6);
    }
    errors_differ(check, "grey-perfect", entropy, 0);
    errors_differ(check, "grey-mass", mass, 1);
    if (ev_kronrod_expect(12, 1e-14, 1e-13, decoder_terms, &of, 1, &found, &evaluations) != EV_OK)
        return;
    double kl = ev_gaussian_scalar_kl(mu, sigma, 0, 1), loss = kl - found.value;
    errors_says(check, "loss-is-minus-elbo", 1, 1, 0, 10, at, loss, found.error + rounding(loss));
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
    errors_says(check, "log-density-brackets", 1, 1, 0, 4, at, density, rounding(density));
    errors_says(check, "log-density-brackets", 2, 2, 0, 4, at, density, rounding(density));
    /* The mean squared error of a draw around the mean adds sigma^2: 1/2 an entry. */
    errors_says(check, "noisy-mean-offset", 1, 0, 0, 4, at, density - 1, rounding(density));
    errors_differ(check, "noisy-mean", density - 1, density);
    /* The score by the mean is minus the score by x. */
    ev_gaussian_score(n, x, m, sigma, score);
    for (size_t i = 0; i < n; i++) {
        errors_says(check, "noisy-mean-gradient", 1, 1, i, 4, at, -score[i], rounding(score[i]));
        square += (x[i] - m[i]) * (x[i] - m[i]);
    }
    ev_gaussian_score(n, x, m, root_half, score);
    ev_gaussian_score(n, x, m, unit, unit_score);
    for (size_t i = 0; i < n; i++) {
        errors_says(check, "square-half-variance", 1, 1, i, 4, at, score[i], rounding(score[i]));
        errors_differ(check, "square-without-half-gradient", unit_score[i], -2 * (x[i] - m[i]));
    }
    /* Without the half no constant serves two reconstructions at once. */
    double there = -ev_gaussian_log_density(n, x, x, unit);
    double here = -ev_gaussian_log_density(n, x, m, unit);
    errors_differ(check, "square-without-half", here - there, square);
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
    errors_check_responsibilities(check);
    errors_check_bound(check);
    errors_assert_ten_dimensions(check);
    errors_check_categories(check);
    errors_check_weights(check);
    errors_check_penalties(check);
    errors_check_quantisation(check);
    errors_decide_density_epsilon(check);
    errors_decide_clamp(check);
    errors_decide_unused_code(check);
}
