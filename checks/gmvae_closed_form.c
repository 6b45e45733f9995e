/* The second voice of derivations/gmvae_closed_form.md.
 *
 * 1. src/probability's closed forms, term by term, against adaptive quadrature on the densities
 *    alone and against Monte Carlo; the printed lines without the decoder, at two models.
 * 2. The sides of every line that contains the decoder, with a decoder of this module's own,
 *    and of the lines that don't hold as printed.
 * 3. What no line says: the estimate from L draws, and 0 log 0.
 *
 *   c < K clusters, j < J coordinates of z, i < D coordinates of x; e (J) whitened z
 */
#include "fixtures/mixture_model.h"
#include "numerics/monte_carlo.h"
#include "numerics/quadrature.h"
#include "probability/categorical.h"
#include "probability/gaussian.h"
#include "probability/gmvae.h"
#include "probability/log_space.h"

#include <math.h>
#include <string.h>

enum { D = MODEL_D };
typedef mixture_model scene;

static const double Y[D] = {0.7, -1.1};
static const double OTHER_WIDTH[2] = {1.2, 0.55}; /* the sigma_j without a tilde */

static double rounding(double value) { return 1e-13 * (1 + fabs(value)); }

/* For real x the decoder's outputs are means, and log-variances are half their opposites. */
static double real_likelihood(const scene *s, const double *z)
{
    double mean[D], log_var[D];
    mixture_model_decode(s, z, mean);
    for (size_t i = 0; i < D; i++)
        log_var[i] = -mean[i] / 2;
    return ev_gaussian_log_density_log_var(D, Y, mean, log_var);
}

/* The same as a product of scalar densities. */
static double real_densities(const scene *s, const double *z)
{
    double mean[D], sum = 0;
    mixture_model_decode(s, z, mean);
    for (size_t i = 0; i < D; i++)
        sum += ev_gaussian_scalar_log_density(Y[i], mean[i], exp(-mean[i] / 4));
    return sum;
}

/* The printed x log mu + (1-x) log(1-mu), from probabilities. */
static double printed_likelihood(const scene *s, const double *z)
{
    double logit[D], sum = 0;
    mixture_model_decode(s, z, logit);
    for (size_t i = 0; i < D; i++) {
        double mu = 1 / (1 + exp(-logit[i]));
        sum += MODEL_X[i] * log(mu) + (1 - MODEL_X[i]) * log(1 - mu);
    }
    return sum;
}

/* The sum of the logarithms of Bernoulli masses, each picked by its x. */
static double masses_likelihood(const scene *s, const double *z)
{
    double logit[D], sum = 0;
    mixture_model_decode(s, z, logit);
    for (size_t i = 0; i < D; i++)
        sum += log((MODEL_X[i] > 0.5 ? 1 + tanh(logit[i] / 2) : 1 - tanh(logit[i] / 2)) / 2);
    return sum;
}

/* 1. Averages over q(z|x). ------------------------------------------------------------------- */

enum {
    BINARY,
    MASSES,
    PRINTED,
    REAL,
    BOUND,
    REAL_BOUND,
    LOG_Q,
    SQUARE,
    LOG_Z,
    TERMS = LOG_Z + MODEL_K
};

static void terms_at(const scene *s, const double *z, double *out)
{
    double log_pi[MODEL_K];
    ev_mixture prior = mixture_model_prior(s, log_pi);
    out[BINARY] = mixture_model_log_likelihood(s, z);
    out[MASSES] = masses_likelihood(s, z);
    out[PRINTED] = printed_likelihood(s, z);
    out[REAL] = real_likelihood(s, z);
    out[LOG_Q] = ev_gaussian_log_density(s->J, z, s->mu_q, s->sigma_q);
    out[SQUARE] = out[BINARY] * out[BINARY];
    out[BOUND] = 0;
    for (size_t c = 0; c < MODEL_K; c++) {
        double joint = c < s->K ? ev_mixture_log_joint(&prior, c, z) : 0;
        out[LOG_Z + c] = c < s->K ? joint - log_pi[c] : 0;
        if (c < s->K)
            out[BOUND] += s->gamma[c] * (joint - log(s->gamma[c]) - out[LOG_Q]);
    }
    out[REAL_BOUND] = out[BOUND] + real_densities(s, z);
    out[BOUND] += out[BINARY];
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
    double term[TERMS], error;
    ev_gmvae_terms closed;
} averages;

static averages take_averages(const scene *s)
{
    averages a = {.of = *s};
    ev_integral found[TERMS];
    size_t evaluations;
    double log_pi[MODEL_K], log_gamma[MODEL_K];
    ev_mixture prior = mixture_model_prior(s, log_pi);
    ev_status status = ev_trapezoid_expect(s->J, s->J == 1 ? 0.08 : 0.14, 9.5, block, &a.of, TERMS,
                                           found, &evaluations);
    for (size_t k = 0; k < TERMS; k++) {
        a.term[k] = status == EV_OK ? found[k].value : (double)NAN;
        a.error = fmax(a.error, found[k].error + 1e-13 * (1 + found[k].magnitude));
    }
    ev_log_each(s->K, s->gamma, log_gamma);
    a.closed = ev_gmvae_elbo_terms(&prior, log_gamma, s->mu_q, s->sigma_q);
    return a;
}

/* sum_c gamma_c E_q[log p(z|c)] by quadrature. */
static double latent_by_quadrature(const averages *a)
{
    double sum = 0;
    for (size_t c = 0; c < a->of.K; c++)
        sum += a->of.gamma[c] * a->term[LOG_Z + c];
    return sum;
}

static void compare(ev_check *check, const char *claim, size_t step, size_t member, const scene *s,
                    const double *extra, double ours)
{
    const double L = 1;
    const ev_binding own[4] = {
        {"L", 1, &L}, {"\\omega", s->J, extra}, {"w", s->K, extra}, {"\\rho", s->K, extra}};
    mixture_model_symbols of;
    double error;
    mixture_model_bind(s, 1, &of);
    memcpy(of.at + MODEL_BINDINGS, own, sizeof own);
    double theirs = ev_check_document_value(check, claim, member, 0, MODEL_BINDINGS + 4, of.at,
                                            &error);
    ev_check_compare(check, claim, step, ours, rounding(ours), theirs, error, 1e-9);
}

/* The lines without the decoder, against src/probability's terms. */
static void compare_closed_forms(ev_check *check, const averages *a)
{
    static const double weights[MODEL_K] = {0.9, 1.7, 0.6}, hard[MODEL_K] = {0, 1, 0};
    const scene *s = &a->of;
    double log_pi[MODEL_K], log_hard[MODEL_K], constant = -1;
    ev_mixture prior = mixture_model_prior(s, log_pi);
    double pair = ev_gmvae_entropy_term(s->J, OTHER_WIDTH) + a->closed.latent;
    compare(check, "gmvae-entropy-sign", 1, 1, s, OTHER_WIDTH, a->closed.entropy);
    compare(check, "gmvae-entropy-sign", 2, 2, s, OTHER_WIDTH, a->closed.entropy);
    compare(check, "gmvae-line-5-bracketed", 1, 0, s, OTHER_WIDTH, pair);
    compare(check, "gmvae-line-5-bracketed", 1, 1, s, OTHER_WIDTH, pair);
    compare(check, "gmvae-divergences", 1, 0, s, OTHER_WIDTH, a->closed.sum);
    compare(check, "gmvae-divergences", 1, 1, s, OTHER_WIDTH, a->closed.sum);
    ev_log_each(s->K, hard, log_hard);
    double ruled_out = ev_gmvae_categorical_term(s->K, log_pi, log_hard);
    compare(check, "gmvae-zero-weights", 1, 0, s, hard, ruled_out);
    compare(check, "gmvae-zero-weights", 1, 1, s, hard, ruled_out);
    /* entropies of N(0, sigma^2) without their constant (1 + log 2 pi)/2 */
    double sum = ev_gaussian_entropy(s->J, s->sigma_q);
    for (size_t c = 0; c < s->K; c++) {
        sum -= weights[c] * ev_gaussian_entropy(s->J, s->sigma + c * s->J);
        constant += weights[c];
    }
    sum += constant * (double)s->J / 2; /* the halves */
    compare(check, "gmvae-constants", 1, 0, s, weights, sum);
    compare(check, "gmvae-constants", 1, 1, s, weights, sum);
    ev_check_sides(check, "gmvae-constants-unnormalised", 1, sum, 1e-12,
                   sum + constant * (double)s->J / 2 * EV_LOG_2PI, 1e-12);
    (void)prior;
}

/* Closed forms against quadrature and against draws. */
static void assert_closed_forms(ev_check *check, const averages *a)
{
    const scene *s = &a->of;
    ev_sample_summary drawn[TERMS];
    scene copy = *s;
    ev_stream stream = ev_check_stream(check, "under q");
    double mine[] = {a->term[BOUND] - a->term[BINARY], latent_by_quadrature(a), -a->term[LOG_Q]};
    const double library[] = {a->closed.sum, a->closed.latent, a->closed.entropy};
    static const char *const id[] = {"gmvae-closed-sum", "gmvae-closed-latent",
                                     "gmvae-closed-entropy"};
    static const char *const what[] = {
        "the bound without its reconstruction, J = 2, K = 3: quadrature and the closed form",
        "sum_c gamma_c E_q[log p(z|c)]: quadrature and the closed form",
        "the entropy of q(z|x): quadrature and the closed form"};
    for (int i = 0; i < 3; i++)
        ev_check_assert(check, id[i], what[i], mine[i], library[i], 4 * a->error);
    if (ev_monte_carlo_expect(s->J, block, &copy, TERMS, &stream, 100000, 2, drawn) != EV_OK)
        return;
    ev_check_assert(check, "gmvae-sampled-bound", "the bound: 100000 draws and the closed form",
                    drawn[BOUND].mean, a->closed.sum + a->term[BINARY],
                    ev_sample_half_width(&drawn[BOUND], ev_check_alpha(check)) + a->error);
}

/* Six dimensions, where only draws reach: the bound without its reconstruction, and the clusters'
 * part of it, each to a relative 1e-3.  Draws come in pairs, e and -e, whose mean is taken. */
static int space_block(void *context, size_t worker, size_t n, const double *const *e,
                       double *const *out)
{
    const scene *s = context;
    double z[MODEL_J], log_pi[MODEL_K];
    ev_mixture prior = mixture_model_prior(s, log_pi);
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        mixture_model_draw(s, e, i, z);
        out[0][i] = out[1][i] = 0;
        for (int side = 0; side < 2; side++) {
            double log_q = ev_gaussian_log_density(s->J, z, s->mu_q, s->sigma_q);
            for (size_t c = 0; c < s->K; c++) {
                double joint = ev_mixture_log_joint(&prior, c, z);
                out[0][i] += s->gamma[c] * (joint - log(s->gamma[c]) - log_q) / 2;
                out[1][i] += s->gamma[c] * (joint - log_pi[c]) / 2;
            }
            for (size_t j = 0; j < s->J; j++)
                z[j] = 2 * s->mu_q[j] - z[j];
        }
    }
    return 0;
}

static void assert_space(ev_check *check)
{
    enum { DRAWS = 2000000 };
    scene s = MODEL_SPACE;
    double log_pi[MODEL_K], log_gamma[MODEL_K];
    ev_mixture prior = mixture_model_prior(&s, log_pi);
    ev_sample_summary drawn[2];
    ev_stream stream = ev_check_stream(check, "six dimensions");
    ev_log_each(s.K, s.gamma, log_gamma);
    ev_gmvae_terms closed = ev_gmvae_elbo_terms(&prior, log_gamma, s.mu_q, s.sigma_q);
    const double wanted[2] = {closed.sum, closed.latent};
    static const char *const id[2] = {"gmvae-space-sum", "gmvae-space-latent"};
    static const char *const what[2] = {
        "the bound without its reconstruction, J = 6, K = 2: 4000000 draws and the closed form",
        "sum_c gamma_c E_q[log p(z|c)], J = 6, K = 2: 4000000 draws and the closed form"};
    if (ev_monte_carlo_expect(s.J, space_block, &s, 2, &stream, DRAWS, 2, drawn) != EV_OK)
        return;
    for (int k = 0; k < 2; k++)
        ev_check_assert(check, id[k], what[k], drawn[k].mean, wanted[k],
                        ev_sample_half_width(&drawn[k], ev_check_alpha(check)));
}

/* 2. Sides of lines. --------------------------------------------------------------------------*/

/* The true steps: sampled quantities by quadrature on one side, closed forms on the other. */
static void true_sides(ev_check *check, const averages *a)
{
    const double *t = a->term;
    double whole = t[BINARY] + a->closed.sum, latent = latent_by_quadrature(a);
    double split = t[BINARY] + a->closed.categorical + latent - t[LOG_Q];
    double line_3 = t[BINARY] + a->closed.categorical + latent + a->closed.entropy;
    const struct {
        const char *claim;
        size_t step;
        double left, right;
    } line[] = {{"gmvae-terms", 1, whole, t[BOUND]},
                {"gmvae-split", 1, t[BOUND], split},
                {"gmvae-line-3", 1, split, line_3},
                {"gmvae-line-4", 1, line_3, whole},
                {"gmvae-line-5", 1, t[BOUND], whole},
                {"gmvae-reconstruction", 1, t[BINARY], t[PRINTED]},
                {"gmvae-reconstruction", 2, t[BINARY], t[MASSES]},
                {"gmvae-reconstruction", 3, t[MASSES], t[PRINTED]},
                {"gmvae-formula", 1, t[BOUND], t[PRINTED] + a->closed.sum},
                {"gmvae-gaussian-formula", 1, t[REAL_BOUND], t[REAL] + a->closed.sum}};
    for (size_t i = 0; i < sizeof line / sizeof *line; i++)
        ev_check_sides(check, line[i].claim, line[i].step, line[i].left, 4 * a->error,
                       line[i].right, 4 * a->error);
}

/* sum_cj weight_c (log sigma_cj^2) and the two quotients, as the last line prints them. */
static void last_sums(const scene *s, double *weighted_log, double *quotients)
{
    *weighted_log = *quotients = 0;
    for (size_t c = 0; c < s->K; c++)
        for (size_t j = 0; j < s->J; j++) {
            double width = s->sigma[c * s->J + j], shift = s->mu_q[j] - s->mu[c * s->J + j];
            *weighted_log += s->gamma[c] * 2 * log(width);
            *quotients += (s->sigma_q[j] * s->sigma_q[j] + shift * shift) / (width * width);
        }
}

static void refuted_sides(ev_check *check, const averages *a)
{
    const scene *s = &a->of;
    const double halves = 0.5 * (double)s->J * EV_LOG_2PI;
    double weighted_log, quotients, cluster_entropy = 0, z[MODEL_J] = {0.6, 0.1};
    double width = s->sigma[0], shift = s->mu_q[0] - s->mu[0];
    double first_quotients = (s->sigma_q[0] * s->sigma_q[0] + shift * shift) / (width * width);
    double own = ev_gmvae_entropy_term(s->J, OTHER_WIDTH), rest = a->closed.entropy - halves;
    last_sums(s, &weighted_log, &quotients);
    for (size_t c = 0; c < s->K; c++)
        cluster_entropy += s->gamma[c] * ev_gaussian_entropy(s->J, s->sigma + c * s->J);
    double meant = a->closed.entropy + a->closed.latent;
    /* line 4 by the letter: all logarithms, the quotients of the first coordinate */
    double literal = -halves - weighted_log / 2;
    for (size_t c = 0; c < s->K; c++) {
        double by = s->sigma[c * s->J], off = s->mu_q[0] - s->mu[c * s->J];
        literal -= s->gamma[c] * (pow(s->sigma_q[0] / by, 2) + pow(off / by, 2)) / 2;
    }
    double others = a->term[BINARY] + a->closed.categorical;
    const struct {
        const char *claim;
        double left, right;
    } line[] = {
        {"gmvae-line-3-printed", others + meant, others + a->term[LOG_Z] + a->closed.entropy},
        {"gmvae-line-4-printed", others + meant, others + own + a->closed.latent},
        {"gmvae-line-4-literal", a->closed.latent, literal},
        {"gmvae-line-4-cluster", a->closed.entropy, cluster_entropy},
        {"gmvae-line-5-first-term", meant, rest - (weighted_log + quotients) / 2},
        {"gmvae-line-5-literal", meant, rest - weighted_log / 2 + first_quotients},
        {"gmvae-line-5-printed", a->term[BOUND], others + own + a->closed.latent},
        /* one draw */
        {"gmvae-formula-printed", a->term[BOUND], printed_likelihood(s, z) + a->closed.sum}};
    for (size_t i = 0; i < sizeof line / sizeof *line; i++)
        ev_check_sides(check, line[i].claim, 1, line[i].left, 4 * a->error, line[i].right,
                       4 * a->error);
}

/* 3. The estimate from L draws. ---------------------------------------------------------------
 *
 * z = mu_q + sigma_q e, and out[l] the average over the first l + 1 of the draws, followed by
 * the same for a bound whose every term is sampled. */
enum { MAX_L = 4 };

static int estimate_block(void *context, size_t worker, size_t n, const double *const *e,
                          double *const *out)
{
    const scene *s = context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double sum = 0, whole = 0, z[MODEL_J], term[TERMS];
        for (size_t l = 0; l < MAX_L; l++) {
            for (size_t j = 0; j < s->J; j++)
                z[j] = s->mu_q[j] + s->sigma_q[j] * e[l * s->J + j][i];
            terms_at(s, z, term);
            sum += term[BINARY];
            whole += term[BOUND];
            out[l][i] = sum / (double)(l + 1);
            out[MAX_L + l][i] = whole / (double)(l + 1);
        }
    }
    return 0;
}

static void decide_variance(ev_check *check, const averages *a)
{
    const char *id = "gmvae-reconstruction-variance";
    enum { DRAWS = 60000 };
    ev_sample_summary drawn[2 * MAX_L];
    scene s = a->of;
    ev_stream stream = ev_check_stream(check, "estimates");
    double one = a->term[SQUARE] - a->term[BINARY] * a->term[BINARY], worst = 0, bias = 0;
    if (ev_monte_carlo_expect(MAX_L * s.J, estimate_block, &s, 2 * MAX_L, &stream, DRAWS, 2,
                              drawn) != EV_OK) {
        ev_check_give_up(check, id, "sampling failed");
        return;
    }
    for (size_t l = 0; l < MAX_L; l++) {
        double half = ev_sample_half_width(&drawn[l], ev_check_alpha(check));
        bias = fmax(bias, fabs(drawn[l].mean - a->term[BINARY]) / half);
        worst = fmax(worst, fabs(drawn[l].variance * (double)(l + 1) / one - 1));
    }
    double first = drawn[0].variance, last = drawn[MAX_L - 1].variance;
    const char *found = ev_check_format(check, "variances with 1 and 4 draws %.4f and %.4f", first,
                                        last);
    const ev_alternative others[] = {
        {"the variance falls as 1/L^2", fabs(last * 16 / one - 1) > 0.2, found},
        {"the variance does not depend on L", fabs(last / one - 1) > 0.2, found},
        {"sampling the other terms as well changes nothing",
         fabs(drawn[MAX_L].variance / first - 1) > 0.2,
         ev_check_format(check, "with every term sampled, one draw has variance %.4f, not %.4f",
                         drawn[MAX_L].variance, first)}};
    ev_check_decide(check, id, bias < 1 && worst < 0.05,
                    ev_check_format(check,
                                    "variance of one draw %.5f by quadrature; L times the variance "
                                    "of %d estimates is within %.1f %% of it for L = 1 .. 4; bias "
                                    "at most %.2f of its interval",
                                    one, DRAWS, 100 * worst, bias),
                    3, others);
}

/* 0 log 0: the term and its derivative as gamma -> 0, and what arithmetic makes of it. */
static void decide_zero(ev_check *check)
{
    const double pi = 0.3, log_pi[2] = {log(0.3), log(0.7)}, hard[2] = {-HUGE_VAL, 0};
    double previous = HUGE_VAL, slope = 0, ratio = 0;
    bool falls = true;
    for (int n = 1; n <= 60; n++) {
        double gamma = pow(10, -5 * n), term = fabs(gamma * (log(pi) - log(gamma)));
        falls = falls && term < previous;
        previous = term;
        slope = log(pi) - log(gamma) - 1; /* d/d gamma of gamma log(pi/gamma) */
        ratio = slope / -log(gamma);
    }
    volatile double zero = 0;
    double naive = zero * (log(pi) - log(zero)), padded = 0, shift = 1e-3;
    double exact = ev_gmvae_categorical_term(2, log_pi, hard);
    for (int c = 0; c < 2; c++) {
        double gamma = c == 0 ? shift : 1 + shift;
        padded += gamma * (log_pi[c] - log(gamma));
    }
    bool holds = falls && previous < 1e-290 && fabs(ratio - 1) < 0.01 &&
                 fabs(exact - log(0.7)) < 1e-15 && isnan(naive);
    const ev_alternative others[] = {
        {"the term tends to log pi_c", falls && previous < 1e-290,
         ev_check_format(check, "at gamma = 1e-300 it is %.1e", previous)},
        {"its derivative stays bounded", slope > 600,
         ev_check_format(check, "at gamma = 1e-300 it is %.1f", slope)},
        {"a small constant added to gamma does no harm", fabs(padded - exact) > 1e-4,
         ev_check_format(check, "1e-3 added: %.6f for %.6f", padded, exact)}};
    ev_check_decide(check, "gmvae-zero-log-zero", holds,
                    ev_check_format(check,
                                    "term at gamma = 1e-300: %.1e, derivative %.1f = %.4f log(1/"
                                    "gamma); at 0 the plain product is NaN, the sum in log space "
                                    "log pi = %.6f",
                                    previous, slope, ratio, exact),
                    3, others);
}

void check_gmvae_closed_form(ev_check *check);
void check_gmvae_closed_form(ev_check *check)
{
    averages plane = take_averages(&MODEL_PLANE), line = take_averages(&MODEL_LINE);
    const averages *both[] = {&line, &plane};
    for (int i = 0; i < 2; i++) {
        compare_closed_forms(check, both[i]);
        true_sides(check, both[i]);
    }
    assert_closed_forms(check, &plane);
    assert_space(check);
    refuted_sides(check, &plane);
    decide_variance(check, &plane);
    decide_zero(check);
}
