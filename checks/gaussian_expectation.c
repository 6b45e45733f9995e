/* The second voice of derivations/gaussian_expectation.md.
 *
 * 1. The closed forms of src/probability, J = 1..6, all coordinates different, against the
 *    document's printed lines.
 * 2. The same numbers with nothing but the densities: adaptive quadrature, coordinate by
 *    coordinate, and Monte Carlo in all J dimensions at once.
 * 3. What no line says: which p is best, how fast sampling converges, when two nodes do.
 *
 *   e  (J) the whitened point, z = mu_q + sigma_q e, e ~ N(0, I)
 */
#include "judge/check.h"
#include "numerics/minimise.h"
#include "numerics/monte_carlo.h"
#include "numerics/quadrature.h"
#include "probability/gaussian.h"
#include "probability/gaussian_full.h"
#include "probability/log_space.h"

#include <math.h>
#include <string.h>

enum { MAX_J = 6, ROOT = 4 };

/* q = N(mu_q, diag(sigma_q^2)) and p = N(mu, diag(sigma^2)): no two numbers alike, so that no
 * exchanged symbol or shifted index can hide. */
static const double MU_Q[MAX_J] = {0.3, -1.2, 2.5, 0.7, -0.45, 1.1};
static const double SIGMA_Q[MAX_J] = {0.8, 1.7, 0.35, 2.2, 1.15, 0.6};
static const double MU[MAX_J] = {-0.9, 0.4, 1.6, -2.1, 0.25, 3.2};
static const double SIGMA[MAX_J] = {1.3, 0.7, 2.4, 1.9, 0.5, 1.05};
/* Roots of covariances, lower triangular. */
static const double L_Q[ROOT][ROOT] = {
    {0.9, 0, 0, 0}, {-0.4, 1.2, 0, 0}, {0.7, 0.3, -0.6, 0}, {-0.2, 0.8, 0.5, 1.6}};
static const double M[ROOT][ROOT] = {
    {1.1, 0, 0, 0}, {0.6, -0.8, 0, 0}, {-0.3, 0.9, 1.4, 0}, {0.45, -0.7, 0.2, 0.75}};

/* What a Gaussian log density is integrated from: z = mu_q + root e. */
typedef struct {
    size_t J;
    const double *mu_q, *sigma_q;
    const double *mu, *sigma;
} pair;

static const pair WHOLE = {MAX_J, MU_Q, SIGMA_Q, MU, SIGMA};

static pair coordinate(const pair *all, size_t j)
{
    return (pair){1, all->mu_q + j, all->sigma_q + j, all->mu + j, all->sigma + j};
}

/* out[0] = log p(z), out[1] = p(z). */
static int density_of_p(void *context, size_t worker, size_t n, const double *const *e,
                        double *const *out)
{
    const pair *of = context;
    double z[MAX_J];
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < of->J; j++)
            z[j] = of->mu_q[j] + of->sigma_q[j] * e[j][i];
        out[0][i] = ev_gaussian_log_density(of->J, z, of->mu, of->sigma);
        out[1][i] = exp(out[0][i]);
    }
    return 0;
}

/* E_q[log p] by GSL's adaptive rule: a sum over coordinates, as the product of densities is. */
static ev_integral quadrature(const pair *of)
{
    ev_integral sum = {0, 0, 0};
    for (size_t j = 0; j < of->J; j++) {
        pair one = coordinate(of, j);
        ev_integral part[2];
        size_t evaluations;
        if (ev_kronrod_expect(12, 1e-14, 1e-13, density_of_p, &one, 2, part, &evaluations) != EV_OK)
            return (ev_integral){(double)NAN, 0, 0};
        sum.value += part[0].value;
        sum.error += part[0].error;
        sum.magnitude += part[0].magnitude;
    }
    return sum;
}

static double rounding(double value) { return 1e-13 * (1 + fabs(value)); }

/* 1. Closed forms and printed lines. ------------------------------------------------------- */

static void compare(ev_check *check, const char *claim, size_t step, size_t member, const pair *of,
                    double ours)
{
    const double J = (double)of->J;
    const ev_binding at[] = {{"J", 1, &J},
                             {"\\mu", of->J, of->mu},
                             {"\\tilde\\mu", of->J, of->mu_q},
                             {"\\sigma", of->J, of->sigma},
                             {"\\tilde\\sigma", of->J, of->sigma_q}};
    double error;
    double theirs = ev_check_document_value(check, claim, member, 0, 5, at, &error);
    ev_check_compare(check, claim, step, ours, rounding(ours), theirs, error, 1e-9);
}

static double log_density_variance(const pair *of)
{
    double sum = 0;
    for (size_t j = 0; j < of->J; j++) {
        double ratio = of->sigma_q[j] / of->sigma[j];
        double shift = (of->mu_q[j] - of->mu[j]) / of->sigma[j];
        sum += ratio * ratio * (ratio * ratio / 2 + shift * shift);
    }
    return sum;
}

/* Every member of the proof is the same number. */
static void compare_proof(ev_check *check, const pair *of)
{
    static const struct {
        const char *claim;
        size_t steps;
    } chain[] = {{"gaussian-expectation", 1},          {"gaussian-expectation-log-density", 2},
                 {"gaussian-expectation-terms", 1},    {"gaussian-expectation-square", 1},
                 {"gaussian-expectation-marginal", 1}, {"gaussian-expectation-moments", 2},
                 {"gaussian-expectation-collected", 1}};
    double value = ev_gaussian_cross_entropy(of->J, of->mu_q, of->sigma_q, of->mu, of->sigma);
    for (size_t i = 0; i < sizeof chain / sizeof *chain; i++)
        for (size_t step = 1; step <= chain[i].steps; step++)
            compare(check, chain[i].claim, step, step, of, value);
}

static void compare_consequences(ev_check *check, const pair *of)
{
    double log_var[MAX_J];
    for (size_t j = 0; j < of->J; j++)
        log_var[j] = 2 * log(of->sigma_q[j]);
    double entropy = ev_gaussian_entropy(of->J, of->sigma_q);
    for (size_t step = 1; step <= 3; step++)
        compare(check, "gaussian-entropy", step, step, of, entropy);
    double kl = ev_gaussian_kl(of->J, of->mu_q, of->sigma_q, of->mu, of->sigma);
    compare(check, "gaussian-kl", 1, 1, of, kl);
    compare(check, "gaussian-kl", 2, 2, of, kl);
    compare(check, "gaussian-kl-standard", 1, 1, of,
            ev_gaussian_kl_to_standard(of->J, of->mu_q, log_var));
    if (of->J <= 2)
        compare(check, "gaussian-log-density-variance", 1, 1, of, log_density_variance(of));
}

/* One standard deviation for all coordinates. */
static void compare_isotropic(ev_check *check, size_t J)
{
    const double width_q = 0.65, width = 1.45, dimension = (double)J;
    double sigma_q[MAX_J], sigma[MAX_J];
    for (size_t j = 0; j < J; j++) {
        sigma_q[j] = width_q;
        sigma[j] = width;
    }
    const ev_binding at[] = {{"J", 1, &dimension},
                             {"\\mu", J, MU},
                             {"\\tilde\\mu", J, MU_Q},
                             {"\\sigma", 1, &width},
                             {"\\tilde\\sigma", 1, &width_q}};
    double ours = ev_gaussian_cross_entropy(J, MU_Q, sigma_q, MU, sigma);
    for (size_t step = 1; step <= 2; step++) {
        double error;
        double theirs = ev_check_document_value(check, "gaussian-expectation-isotropic", step, 0, 5,
                                                at, &error);
        ev_check_compare(check, "gaussian-expectation-isotropic", step, ours, rounding(ours),
                         theirs, error, 1e-9);
    }
}

static void leading_block(size_t J, const double root[ROOT][ROOT], double *block)
{
    for (size_t i = 0; i < J; i++)
        memcpy(block + i * J, root[i], J * sizeof *block);
}

/* sigma_i = |row i of the root|: the standard deviations of a covariance. */
static void root_widths(size_t J, const double *root, double *sigma)
{
    for (size_t i = 0; i < J; i++) {
        double sum = 0;
        for (size_t k = 0; k < J; k++)
            sum += root[i * J + k] * root[i * J + k];
        sigma[i] = sqrt(sum);
    }
}

/* Full covariances: a correlated q changes nothing, a correlated p does. */
static void compare_correlated(ev_check *check, size_t J)
{
    double L[ROOT * ROOT], m[ROOT * ROOT], width_q[ROOT], width[ROOT], work[ROOT];
    const double dimension = (double)J;
    leading_block(J, L_Q, L);
    leading_block(J, M, m);
    root_widths(J, L, width_q);
    root_widths(J, m, width);
    const ev_binding at[] = {{"J", 1, &dimension},  {"\\mu", J, MU}, {"\\tilde\\mu", J, MU_Q},
                             {"\\sigma", J, SIGMA}, {"L", J * J, L}, {"M", J * J, m}};
    double split = ev_gaussian_cross_entropy(J, MU_Q, width_q, MU, SIGMA);
    double full = ev_gaussian_full_cross_entropy(J, MU_Q, L, MU, m, work);
    double diagonal = ev_gaussian_cross_entropy(J, MU_Q, width_q, MU, width);
    double error, theirs;
    theirs = ev_check_document_value(check, "gaussian-expectation-correlated", 1, 0, 6, at, &error);
    ev_check_compare(check, "gaussian-expectation-correlated", 1, split, rounding(split), theirs,
                     error, 1e-9);
    theirs = ev_check_document_value(check, "gaussian-expectation-full", 1, 0, 6, at, &error);
    ev_check_compare(check, "gaussian-expectation-full", 1, full, rounding(full), theirs, error,
                     1e-9);
    if (J > 1)
        ev_check_sides(check, "gaussian-expectation-diagonal-only", 1, full, rounding(full),
                       diagonal, rounding(diagonal));
}

/* 2. Quadrature and sampling. ----------------------------------------------------------------*/

static void assert_quadrature(ev_check *check)
{
    ev_integral found = quadrature(&WHOLE);
    double closed = ev_gaussian_cross_entropy(MAX_J, MU_Q, SIGMA_Q, MU, SIGMA);
    ev_check_assert(check, "gaussian-expectation-quadrature",
                    "E_q[log p], J = 6: adaptive quadrature and the closed form", found.value,
                    closed, found.error + rounding(closed));
}

static void assert_sampling(ev_check *check)
{
    ev_stream stream = ev_check_stream(check, "log density");
    ev_sample_summary drawn[2];
    pair all = WHOLE;
    if (ev_monte_carlo_expect(MAX_J, density_of_p, &all, 2, &stream, 10000000, 2, drawn) != EV_OK)
        return;
    ev_check_assert(check, "gaussian-expectation-sampling",
                    "E_q[log p], J = 6: 10000000 draws and the closed form", drawn[0].mean,
                    ev_gaussian_cross_entropy(MAX_J, MU_Q, SIGMA_Q, MU, SIGMA),
                    ev_sample_half_width(drawn, ev_check_alpha(check)));
    /* The variance of a variance: a quadratic form in Gaussians has kurtosis at most 15. */
    double variance = log_density_variance(&WHOLE);
    ev_check_assert(check, "gaussian-log-density-variance-sampling",
                    "Var_q[log p], J = 6: 10000000 draws and the closed form", drawn[0].variance,
                    variance, 6 * variance * sqrt(14 / 10000000.0));
}

/* Refuted lines, by quadrature on the densities alone. */
static void refuted_sides(ev_check *check)
{
    double root_sigma_q[MAX_J];
    for (size_t j = 0; j < MAX_J; j++)
        root_sigma_q[j] = sqrt(SIGMA_Q[j]);
    pair slip = {MAX_J, MU_Q, root_sigma_q, MU, SIGMA},
         same = {MAX_J, MU_Q, SIGMA_Q, MU_Q, SIGMA_Q};
    ev_integral left = quadrature(&slip), cross = quadrature(&WHOLE), self = quadrature(&same);
    double right = ev_gaussian_cross_entropy(MAX_J, MU_Q, SIGMA_Q, MU, SIGMA);
    ev_check_sides(check, "gaussian-expectation-variance-slip", 1, left.value, left.error, right,
                   rounding(right));
    /* By the letter: all logarithms, the quotients of the first coordinate. */
    double literal = ev_gaussian_cross_entropy(1, MU_Q, SIGMA_Q, MU, SIGMA);
    for (size_t j = 1; j < MAX_J; j++)
        literal -= EV_LOG_2PI / 2 + log(SIGMA[j]);
    ev_check_sides(check, "gaussian-expectation-literal", 1, cross.value, cross.error, literal,
                   rounding(literal));
    ev_check_sides(check, "gaussian-gibbs-reversed", 1, cross.value, cross.error, self.value,
                   self.error);
}

/* 3. Which p explains q best? ----------------------------------------------------------------*/

/* -E_q[log p] over (mu, log sigma), J = 1, by the trapezoidal rule: q alone is known here. */
typedef struct {
    pair of;
    double mu, sigma;
} fit;

static int fit_terms(void *context, size_t worker, size_t n, const double *const *e,
                     double *const *out)
{
    const fit *at = context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double z = at->of.mu_q[0] + at->of.sigma_q[0] * e[0][i], score;
        ev_gaussian_score(1, &z, &at->mu, &at->sigma, &score);
        out[0][i] = -ev_gaussian_scalar_log_density(z, at->mu, at->sigma);
        out[1][i] = score;                    /* d(-log p)/d mu = -(z - mu)/sigma^2 */
        out[2][i] = 1 + score * (z - at->mu); /* d(-log p)/d log sigma */
    }
    return 0;
}

static int fit_objective(void *context, size_t n, const double *x, double *value, double *gradient)
{
    fit at = *(const fit *)context;
    ev_integral out[3];
    size_t evaluations;
    (void)n;
    at.mu = x[0];
    at.sigma = exp(x[1]);
    if (!(at.sigma > 1e-150 && at.sigma < 1e150) ||
        ev_trapezoid_expect(1, 0.25, 10, fit_terms, &at, 3, out, &evaluations) != EV_OK)
        return 1;
    *value = out[0].value;
    if (gradient != NULL) {
        gradient[0] = out[1].value;
        gradient[1] = out[2].value;
    }
    return 0;
}

/* BFGS from a lattice of starts; the farthest any of them ends from (mu_q, log sigma_q). */
static double worst_end(const pair *of)
{
    fit at = {.of = *of};
    double worst = 0;
    for (int i = 0; i < 49; i++) {
        const int column = i % 7 - 3, row = i / 7 - 3;
        double x[2] = {of->mu_q[0] + 3.0 * column, log(of->sigma_q[0]) + 0.9 * row};
        double value, norm;
        if (ev_minimise(fit_objective, &at, 2, x, 1e-9, 2000, &value, &norm) != EV_OK)
            return HUGE_VAL;
        worst = fmax(worst, hypot(x[0] - of->mu_q[0], x[1] - log(of->sigma_q[0])));
    }
    return worst;
}

/* In p's natural parameters (mu/sigma^2, 1/sigma^2) the objective is linear plus a convex
 * function.  The least excess of a chord's middle over the curve, relative to the chord's
 * length squared, over random chords: positive means strictly convex, one stationary point. */
static double least_convexity(const pair *of, const ev_stream *stream)
{
    double least = HUGE_VAL, draw[4];
    fit at = {.of = *of};
    for (uint64_t i = 0; i < 200; i++) {
        double value[3], natural[3][2], length = 0;
        ev_stream_uniforms(stream, 4 * i, 4, draw);
        for (int k = 0; k < 2; k++) {
            double sigma = exp(3 * draw[2 * k] - 1.5), mu = 8 * draw[2 * k + 1] - 4;
            natural[k][0] = mu / (sigma * sigma);
            natural[k][1] = 1 / (sigma * sigma);
        }
        for (int d = 0; d < 2; d++) {
            natural[2][d] = (natural[0][d] + natural[1][d]) / 2;
            length += pow(natural[0][d] - natural[1][d], 2);
        }
        for (int k = 0; k < 3; k++) {
            double x[2] = {natural[k][0] / natural[k][1], -0.5 * log(natural[k][1])};
            if (fit_objective(&at, 2, x, &value[k], NULL) != 0)
                return -HUGE_VAL;
        }
        least = fmin(least, ((value[0] + value[1]) / 2 - value[2]) / length);
    }
    return least;
}

/* The gradient's norm and the objective's excess over the entropy at a candidate. */
static double candidate(const pair *of, double mu, double sigma, double *excess)
{
    fit at = {.of = *of};
    double x[2] = {mu, log(sigma)}, value = (double)NAN, gradient[2] = {(double)NAN, 0};
    (void)fit_objective(&at, 2, x, &value, gradient);
    *excess = value - ev_gaussian_entropy(1, of->sigma_q);
    return hypot(gradient[0], gradient[1]);
}

static void decide_best_p(ev_check *check)
{
    pair one = coordinate(&WHOLE, 1);
    double mu_q = one.mu_q[0], sigma_q = one.sigma_q[0], excess, excess_wide, excess_narrow;
    ev_stream stream = ev_check_stream(check, "chords");
    double end = worst_end(&one), convexity = least_convexity(&one, &stream);
    double norm = candidate(&one, mu_q, sigma_q, &excess);
    double norm_wide = candidate(&one, mu_q, sigma_q * sqrt(2), &excess_wide);
    double norm_narrow = candidate(&one, mu_q, sigma_q / 100, &excess_narrow);
    bool holds = end < 1e-7 && convexity > 0 && norm < 1e-12 && fabs(excess) < 1e-12;
    const ev_alternative others[] = {
        {"the best p is wider than q, sigma^2 = 2 sigma_q^2",
         norm_wide > 1e-6 && excess_wide > 1e-6,
         ev_check_format(check, "there the gradient is %.3g, the excess %.3g", norm_wide,
                         excess_wide)},
        {"a narrower p is better, without end", norm_narrow > 1e-6 && excess_narrow > 1e-6,
         ev_check_format(check, "at sigma_q/100 the excess is %.4g", excess_narrow)},
        {"there are further minima", end < 1e-7 && convexity > 0,
         ev_check_format(check, "49 starts end within %.1e of q; least convexity %.2g", end,
                         convexity)}};
    ev_check_decide(
        check, "gaussian-best-p", holds,
        ev_check_format(check,
                        "49 of 49 minimisations end within %.1e of (mu_q, log sigma_q); "
                        "gradient there %.1e, value minus entropy %.1e; least "
                        "curvature of 200 chords in natural parameters %.2g > 0",
                        end, norm, excess, convexity),
        3, others);
}

/* How fast does sampling converge? -----------------------------------------------------------*/

enum { SIZES = 4, REPLICATES = 400 };

/* Mean over replicates of (average of N draws - closed form)^2, and its standard error. */
static void mean_square(const pair *of, const ev_stream *stream, size_t N, double *mean,
                        double *error)
{
    double sum = 0, sum_squares = 0, e[EV_BLOCK];
    double closed = ev_gaussian_cross_entropy(1, of->mu_q, of->sigma_q, of->mu, of->sigma);
    for (size_t r = 0; r < REPLICATES; r++) {
        double total = 0;
        for (size_t i = 0; i < N; i += EV_BLOCK) {
            size_t n = N - i < EV_BLOCK ? N - i : EV_BLOCK;
            ev_stream_normals(stream, (uint64_t)(r * N + i), n, e);
            for (size_t k = 0; k < n; k++)
                total += ev_gaussian_scalar_log_density(of->mu_q[0] + of->sigma_q[0] * e[k],
                                                        of->mu[0], of->sigma[0]);
        }
        double square = pow(total / (double)N - closed, 2);
        sum += square;
        sum_squares += square * square;
    }
    *mean = sum / REPLICATES;
    *error = sqrt((sum_squares / REPLICATES - *mean * *mean) / REPLICATES);
}

/* Slope of log rms error against log N over sizes 16, 64, 256, 1024, by least squares with
 * its standard error; scaled: rms error times sqrt(N) over the closed-form deviation, averaged. */
static double convergence_slope(ev_check *check, const pair *of, double *error, double *scaled)
{
    double slope = 0, spread = 0, weight = 0, deviation = sqrt(log_density_variance(of));
    *scaled = 0;
    for (int i = 0; i < SIZES; i++) {
        size_t N = (size_t)16 << (2 * i);
        double mean, mean_error, x = (i - (SIZES - 1) / 2.0) * log(4);
        ev_stream stream = ev_check_stream(check, ev_check_format(check, "averages of %zu", N));
        mean_square(of, &stream, N, &mean, &mean_error);
        slope += x * log(mean) / 2;
        spread += pow(x * mean_error / (2 * mean), 2);
        weight += x * x;
        *scaled += sqrt(mean * (double)N) / deviation / SIZES;
    }
    *error = sqrt(spread) / weight;
    return slope / weight;
}

static void decide_rate(ev_check *check)
{
    pair one = coordinate(&WHOLE, 0);
    double error, scaled, slope = convergence_slope(check, &one, &error, &scaled);
    ev_sample_summary normal = {.samples = REPLICATES, .standard_error = error, .khat = -HUGE_VAL};
    double width = ev_sample_half_width(&normal, ev_check_alpha(check));
    const char *found = ev_check_format(check, "the exponent is %.4f +- %.4f", slope, width);
    const ev_alternative others[] = {
        {"the error falls as 1/N, as the variance does", fabs(slope + 1) > width, found},
        {"the error falls as N^(-1/4)", fabs(slope + 0.25) > width, found},
        {"the error does not depend on N", fabs(slope) > width, found}};
    if (!(width < 0.2)) {
        ev_check_give_up(check, "gaussian-sampling-rate", "the exponent is too uncertain");
        return;
    }
    ev_check_decide(check, "gaussian-sampling-rate", fabs(slope + 0.5) <= width,
                    ev_check_format(check,
                                    "exponent %.4f +- %.4f over N = 16 .. 1024, 400 averages each; "
                                    "rms error sqrt(N) over the closed-form deviation: %.3f",
                                    slope, width, scaled),
                    3, others);
}

/* When do two nodes do? ----------------------------------------------------------------------*/

/* Relative error of the Gauss-Hermite rule for E_q[log p] and for E_q[p], whose closed form is
 * the density of N(mu, sigma^2 + sigma_q^2) at mu_q; J = 3. */
static void node_errors(size_t order, double *of_log, double *of_density)
{
    pair three = WHOLE;
    ev_integral out[2] = {{(double)NAN, 0, 0}, {(double)NAN, 0, 0}};
    double width[3];
    size_t evaluations;
    three.J = 3;
    (void)ev_hermite_expect(3, order, density_of_p, &three, 2, out, &evaluations);
    for (int j = 0; j < 3; j++)
        width[j] = hypot(SIGMA[j], SIGMA_Q[j]);
    double closed = ev_gaussian_cross_entropy(3, MU_Q, SIGMA_Q, MU, SIGMA);
    *of_log = fabs(out[0].value / closed - 1);
    *of_density = fabs(out[1].value / exp(ev_gaussian_log_density(3, MU_Q, MU, width)) - 1);
}

static void decide_two_nodes(ev_check *check)
{
    double one, two, twelve, density_one, density_two, density_twelve;
    node_errors(1, &one, &density_one);
    node_errors(2, &two, &density_two);
    node_errors(12, &twelve, &density_twelve);
    const ev_alternative others[] = {
        {"one node, the mean, is enough", one > 1e-12,
         ev_check_format(check, "relative error with one node %.3g", one)},
        {"two nodes are exact for the density as for its logarithm", density_two > 1e-12,
         ev_check_format(check, "relative error for E_q[p] %.3g with 2 nodes, %.1e with 12",
                         density_two, density_twelve)},
        {"more nodes are needed for the last digits", two <= 1e-14,
         ev_check_format(check, "relative error %.1e with 2 nodes, %.1e with 12", two, twelve)}};
    ev_check_decide(check, "gaussian-two-nodes", two < 1e-14,
                    ev_check_format(check,
                                    "J = 3: relative error %.3g, %.1e and %.1e with 1, 2 "
                                    "and 12 nodes a coordinate",
                                    one, two, twelve),
                    3, others);
}

void check_gaussian_expectation(ev_check *check)
{
    for (size_t J = 1; J <= MAX_J; J++) {
        pair of = WHOLE;
        of.J = J;
        compare_proof(check, &of);
        compare_consequences(check, &of);
        compare_isotropic(check, J);
        if (J <= ROOT)
            compare_correlated(check, J);
    }
    assert_quadrature(check);
    assert_sampling(check);
    refuted_sides(check);
    decide_best_p(check);
    decide_rate(check);
    decide_two_nodes(check);
}
