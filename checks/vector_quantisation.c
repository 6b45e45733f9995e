/* The second voice of derivations/vector_quantisation.md.
 *
 * 1. The latent and its bound: categorical closed forms and log-sum-exp against the printed
 *    lines.
 * 2. Gradients: a stop-gradient is a copy that stays behind when its original moves, so the loss
 *    is written with the copies as arguments of their own and differenced.
 * 3. The dictionary: means, running averages, perplexities, by plain sums.
 * 4. to 6. What no line says, by doing it: rate against distortion, difference quotients, k-means
 *    and its moving averages.
 */
#include "judge/check.h"
#include "numerics/minimise.h"
#include "numerics/monte_carlo.h"
#include "numerics/quadrature.h"
#include "probability/categorical.h"
#include "probability/gaussian.h"
#include "probability/log_space.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum { K = 3, J = 2 };

static double rounding(double value) { return 1e-12 * (1 + fabs(value)); }

/* One printed member, at one point, against our number. */
static void says(ev_check *check, const char *claim, size_t step, size_t member, size_t component,
                 size_t bindings, const ev_binding *at, double ours)
{
    double error;
    double theirs = ev_check_document_value(check, claim, member, component, bindings, at, &error);
    ev_check_compare(check, claim, step, ours, fabs(ours) > 0 ? rounding(ours) : 0, theirs, error,
                     1e-9);
}

static void differ(ev_check *check, const char *claim, double left, double right)
{
    ev_check_sides(check, claim, 1, left, rounding(left), right, rounding(right));
}

static double square_distance(size_t n, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/* The nearest of n codes (n,dim). */
static size_t nearest(size_t n, size_t dim, const double *codes, const double *z)
{
    size_t best = 0;
    for (size_t k = 1; k < n; k++)
        if (square_distance(dim, z, codes + dim * k) < square_distance(dim, z, codes + dim * best))
            best = k;
    return best;
}

/* 1. The latent and its bound. ---------------------------------------------------------------*/

static const double PI[K] = {0.2, 0.5, 0.3};

static void check_latent(ev_check *check)
{
    const double k = K, j = J, z[J] = {0.4, -0.9}, tau = 0.8, delta = 0.015;
    const double C[K * J] = {1.2, 0.3, -0.5, -1.1, 0.8, 1.6};
    const ev_binding at[] = {{"K", 1, &k},          {"J", 1, &j},       {"z", J, z},
                             {"C", K * J, C},       {"\\tau", 1, &tau}, {"\\pi", K, PI},
                             {"\\delta", 1, &delta}};
    size_t chosen = nearest(K, J, C, z);
    double log_q[K], log_p[K], log_r[K], log_s[K];
    for (size_t c = 0; c < K; c++) {
        log_q[c] = c == chosen ? 0 : -HUGE_VAL;
        log_p[c] = -log(K);
        log_s[c] = -square_distance(J, z, C + J * c) / tau;
    }
    ev_log_each(K, PI, log_r);
    ev_log_softmax(K, log_s, log_s);
    double kl = ev_categorical_kl(K, log_q, log_p), prior = ev_categorical_kl(K, log_q, log_r);
    double soft = ev_categorical_kl(K, log_s, log_p);
    says(check, "vq-entropy", 1, 0, 0, 7, at, ev_categorical_entropy(K, log_q));
    says(check, "vq-divergence", 1, 0, 0, 7, at, kl);
    says(check, "vq-divergence", 1, 1, 0, 7, at, kl);
    says(check, "vq-divergence-prior", 1, 0, 0, 7, at, prior);
    says(check, "vq-divergence-prior", 1, 1, 0, 7, at, -log_r[chosen]);
    says(check, "vq-soft-bound", 1, 1, 0, 7, at, soft);
    differ(check, "vq-divergence-any-prior", prior, log(K));
    differ(check, "vq-soft-divergence", soft, log(K));
    /* Two equally near codes leave two ones. */
    differ(check, "vq-ties", 2, 1);
}

/* Any decoder will do, for the bound is one of log-sum-exp: log p(x|k) are three numbers. */
static void check_bound(ev_check *check)
{
    const double log_g[K] = {-2.1, -0.9, -3.4};
    double evidence = ev_log_mean_exp(K, log_g), posterior[K];
    ev_log_softmax(K, log_g, posterior);
    for (size_t m = 0; m < K; m++) {
        differ(check, "vq-bound-tight", evidence, log_g[m] - log(K));
        ev_check_assert(check, ev_check_format(check, "vq-bound-gap-%zu", m + 1),
                        "evidence minus bound, and minus the log posterior of the code",
                        evidence - log_g[m] + log(K), -posterior[m], 1e-13);
    }
    differ(check, "vq-bound-gap-bounded", evidence, log_g[2]);
}

/* 2. Gradients. ------------------------------------------------------------------------------*/

/* sg[z] and sg[e] are frozen_z and frozen_e; b is the code not chosen. */
typedef struct {
    double z[J], a[J], b[J], frozen_z[J], frozen_e[J];
    double x[J], A[J * J], beta;
} model;

static const model HERE = {.z = {0.4, -0.9},
                           .a = {0.7, -0.2},
                           .b = {-1.5, 1.1},
                           .frozen_z = {0.4, -0.9},
                           .frozen_e = {0.7, -0.2},
                           .x = {1.3, -0.6},
                           .A = {0.8, -0.5, 1.4, 0.3},
                           .beta = 0.25};

static double reconstruction(const model *m)
{
    double sum = 0;
    for (size_t i = 0; i < J; i++) {
        double y = 0;
        for (size_t j = 0; j < J; j++)
            y += m->A[J * i + j] * (m->z[j] + (m->frozen_e[j] - m->frozen_z[j]));
        sum += (m->x[i] - y) * (m->x[i] - y);
    }
    return sum;
}

static double codebook(const model *m) { return square_distance(J, m->frozen_z, m->a); }
static double commitment(const model *m) { return m->beta * square_distance(J, m->z, m->frozen_e); }
static double whole(const model *m) { return reconstruction(m) + codebook(m) + commitment(m); }
static double without_stops(const model *m)
{
    return (1 + m->beta) * square_distance(J, m->z, m->a);
}

/* Central differences are exact for squares, whatever the step. */
static double slope(double (*loss)(const model *), size_t offset, size_t j)
{
    model up = HERE, down = HERE;
    ((double *)((char *)&up + offset))[j] += 0.5;
    ((double *)((char *)&down + offset))[j] -= 0.5;
    return loss(&up) - loss(&down);
}

static void check_gradients(ev_check *check)
{
    const double d = J, j = J;
    const ev_binding at[] = {
        {"D", 1, &d},     {"J", 1, &j},     {"x", J, HERE.x},     {"z", J, HERE.z},
        {"a", J, HERE.a}, {"b", J, HERE.b}, {"A", J * J, HERE.A}, {"\\beta", 1, &HERE.beta}};
    const size_t z = offsetof(model, z), a = offsetof(model, a), b = offsetof(model, b);
    const struct {
        const char *claim;
        size_t step, member;
        double (*loss)(const model *);
        size_t by;
    } line[] = {{"vq-reconstruction-encoder", 1, 0, reconstruction, z},
                {"vq-reconstruction-encoder", 1, 1, reconstruction, z},
                {"vq-reconstruction-code", 1, 0, reconstruction, a},
                {"vq-reconstruction-code", 2, 2, reconstruction, b},
                {"vq-codebook-term", 1, 0, codebook, z},
                {"vq-codebook-term", 2, 2, codebook, a},
                {"vq-codebook-term", 2, 3, codebook, a},
                {"vq-commitment-term", 1, 0, commitment, z},
                {"vq-commitment-term", 1, 1, commitment, z},
                {"vq-commitment-term", 2, 2, commitment, a},
                {"vq-loss-encoder", 1, 0, whole, z},
                {"vq-loss-encoder", 1, 1, whole, z},
                {"vq-loss-code", 1, 0, whole, a},
                {"vq-loss-code", 1, 1, whole, a},
                {"vq-without-stops-rate", 1, 1, without_stops, a}};
    for (size_t i = 0; i < sizeof line / sizeof *line; i++)
        for (size_t c = 0; c < J; c++)
            says(check, line[i].claim, line[i].step, line[i].member, c, 8, at,
                 slope(line[i].loss, line[i].by, c));
    differ(check, "vq-without-stops", slope(without_stops, a, 0), slope(codebook, a, 0));
}

/* The straight-through value w^T (z + sg[e - z]), and without the copies w^T e. */
static const double W[J] = {0.6, -1.3};

static double straight_through(const model *m)
{
    double sum = 0;
    for (size_t j = 0; j < J; j++)
        sum += W[j] * (m->z[j] + (m->frozen_e[j] - m->frozen_z[j]));
    return sum;
}

static double quantised(const model *m) { return W[0] * m->a[0] + W[1] * m->a[1]; }

static void check_straight_through(ev_check *check)
{
    const double j = J;
    const ev_binding at[] = {
        {"J", 1, &j}, {"z", J, HERE.z}, {"a", J, HERE.a}, {"b", J, HERE.b}, {"w", J, W}};
    const size_t z = offsetof(model, z), a = offsetof(model, a);
    says(check, "st-value", 1, 0, 0, 5, at, straight_through(&HERE));
    says(check, "st-value", 1, 1, 0, 5, at, quantised(&HERE));
    says(check, "st-value", 2, 2, 0, 5, at, quantised(&HERE));
    for (size_t c = 0; c < J; c++) {
        says(check, "st-quantised-gradient", 1, 0, c, 5, at, slope(quantised, z, c));
        says(check, "st-gradient", 1, 0, c, 5, at, slope(straight_through, z, c));
        says(check, "st-code-gradient", 1, 0, c, 5, at, slope(straight_through, a, c));
        says(check, "st-code-gradient", 2, 2, c, 5, at, slope(quantised, a, c));
    }
    /* For f(u) = sin 3u: the slope at the code, against those of f(Q(z)) and of f(z). */
    double at_code = 3 * cos(3 * HERE.a[0]);
    differ(check, "st-not-the-derivative", at_code, 0);
    differ(check, "st-not-unquantised", at_code, 3 * cos(3 * HERE.z[0]));
}

/* 3. The dictionary. -------------------------------------------------------------------------*/

static void check_averages(ev_check *check)
{
    enum { N = 3 };
    const double n = N, j = J, alpha = 0.9, count = 1.7, e[J] = {-0.4, 1.1};
    const double Z[N * J] = {0.3, -1.2, 1.5, 0.4, -0.6, 0.9};
    const ev_binding at[] = {{"N", 1, &n}, {"J", 1, &j},           {"Z", N * J, Z},
                             {"e", J, e},  {"\\alpha", 1, &alpha}, {"\\nu", 1, &count}};
    double total = 0;
    for (size_t c = 0; c < J; c++) {
        double sum = 0;
        for (size_t i = 0; i < N; i++)
            sum += Z[J * i + c];
        double code = (alpha * count * e[c] + (1 - alpha) * sum) /
                      (alpha * count + (1 - alpha) * n);
        says(check, "codebook-gradient", 1, 1, c, 6, at, 2 * (n * e[c] - sum));
        says(check, "codebook-step", 1, 0, c, 6, at, sum / n);
        says(check, "ema-step", 1, 1, c, 6, at, code);
        says(check, "ema-gradient", 1, 1, c, 6, at, code);
        says(check, "ema-of-means-steady", 1, 0, c, 6, at, alpha * e[c] + (1 - alpha) * sum / n);
        differ(check, "ema-of-means", code, alpha * e[c] + (1 - alpha) * sum / n);
    }
    for (size_t i = 0; i < N; i++)
        total += square_distance(J, Z + J * i, e);
    says(check, "codebook-huygens", 1, 1, 0, 6, at, total);
}

/* The recursions themselves, step by step, against the printed sums. */
static void check_counts(ev_check *check)
{
    enum { T = 4 };
    const double t = T, k = K, one = 1, alpha = 0.7, epsilon = 0.3;
    const double v[T] = {1.2, 0.4, 1.9, 0.8}, y[T] = {-0.3, 2.1, 0.6, 1.4}, nu[K] = {0.4, 2.5, 1.1};
    const ev_binding at[] = {{"T", 1, &t},   {"K", 1, &k},
                             {"k", 1, &one}, {"\\alpha", 1, &alpha},
                             {"v", T, v},    {"\\varepsilon", 1, &epsilon},
                             {"y", T, y},    {"\\nu", K, nu}};
    double count = 0, sum = 0, weight = 0, total = 0, least = HUGE_VAL;
    for (size_t i = 0; i < T; i++) {
        count = alpha * count + (1 - alpha) * v[i];
        sum = alpha * sum + (1 - alpha) * v[i] * y[i];
        weight = alpha * weight + (1 - alpha);
        least = fmin(least, v[i]);
    }
    for (size_t c = 0; c < K; c++)
        total += nu[c];
    double smoothed = (nu[0] + epsilon) / (total + k * epsilon) * total;
    says(check, "debias-weights", 1, 1, 0, 8, at, weight);
    says(check, "debias-count-divided", 1, 1, 0, 8, at, count / weight);
    says(check, "debias-quotient", 1, 1, 0, 8, at, sum / count);
    says(check, "smoothing-total", 1, 0, 0, 8, at, total);
    says(check, "smoothing-factor", 1, 1, 0, 8, at, nu[0] / smoothed);
    differ(check, "smoothing-neutral", nu[0] / smoothed, 1);
    differ(check, "debias-smoothed", sum / (count + epsilon), sum / (count + epsilon * weight));
    /* After one batch the count is (1 - alpha) of that batch's. */
    differ(check, "debias-count", v[0], (1 - alpha) * v[0]);
}

static void check_perplexity(ev_check *check)
{
    const double k = K, other[K] = {0.6, 0, 0.4};
    const ev_binding at[] = {{"K", 1, &k}, {"\\rho", K, PI}, {"\\eta", K, other}, {"\\pi", K, PI}};
    const double prior[K] = {0.5, 0.1, 0.4};
    const ev_binding with_prior[] = {
        {"K", 1, &k}, {"\\rho", K, PI}, {"\\eta", K, other}, {"\\pi", K, prior}};
    double log_u[K], log_o[K], log_h[K], log_r[K], middle[K];
    for (size_t c = 0; c < K; c++)
        middle[c] = (PI[c] + other[c]) / 2;
    ev_log_each(K, PI, log_u);
    ev_log_each(K, other, log_o);
    ev_log_each(K, middle, log_h);
    ev_log_each(K, prior, log_r);
    double u = ev_categorical_entropy(K, log_u), o = ev_categorical_entropy(K, log_o);
    double h = ev_categorical_entropy(K, log_h);
    says(check, "perplexity-range", 1, 1, 0, 4, at, exp(u));
    says(check, "perplexity-geometric", 1, 0, 0, 4, at, exp(h));
    says(check, "perplexity-geometric", 1, 1, 0, 4, at, exp((u + o) / 2));
    says(check, "rate-prior", 1, 0, 0, 4, with_prior,
         -ev_categorical_cross_entropy(K, log_u, log_r));
    says(check, "rate-excess", 1, 1, 0, 4, with_prior, ev_categorical_kl(K, log_u, log_r));
    differ(check, "perplexity-average", exp(h), (exp(u) + exp(o)) / 2);
    differ(check, "rate-always-log-size", u, log(K));
}

/* 4. Rate and distortion. --------------------------------------------------------------------
 *
 * A posterior N(a x, s^2) against the prior N(0,1), for a source of mean 0 and variance 1, has
 * the mean divergence (s^2 + a^2 - 1 - log s^2)/2. */

static double scale_for(double rate, double log_s)
{
    return sqrt(fmax(0, 2 * rate + 1 + 2 * log_s - exp(2 * log_s)));
}

typedef struct {
    double rate, a, s;
} channel;

/* The source +1, -1 and its mean given z, tanh(a z/s^2): the error at +1, by symmetry. */
static int sign_error(void *context, size_t worker, size_t n, const double *const *e,
                      double *const *out)
{
    const channel *c = context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double z = c->a + c->s * e[0][i], miss = 1 - tanh(c->a * z / (c->s * c->s));
        out[0][i] = miss * miss;
    }
    return 0;
}

static double sign_distortion(void *context, double log_s)
{
    channel c = *(channel *)context;
    ev_integral found;
    size_t evaluations;
    c.a = scale_for(c.rate, log_s);
    c.s = exp(log_s);
    if (ev_kronrod_expect(12, 1e-14, 1e-12, sign_error, &c, 1, &found, &evaluations) != EV_OK)
        return HUGE_VAL;
    return found.value;
}

/* The least distortion over s: a scan, then Brent's method around the best. */
static double least_sign_distortion(double rate, double *s)
{
    channel c = {rate, 0, 0};
    double best = 0, least = HUGE_VAL;
    for (double log_s = -2 * rate - 0.5; log_s < 0.5; log_s += 0.05) {
        double here = sign_distortion(&c, log_s);
        if (here < least) {
            least = here;
            best = log_s;
        }
    }
    if (ev_minimise_scalar(sign_distortion, &c, best - 0.05, best + 0.05, 1e-8, s, &least) != EV_OK)
        return (double)NAN;
    *s = exp(*s);
    return least;
}

static void decide_discrete(ev_check *check)
{
    double s, s_twice, once = least_sign_distortion(log(2), &s);
    double twice = least_sign_distortion(2 * log(2), &s_twice), codes[2] = {-1, 1}, exact = 0;
    for (int side = 0; side < 2; side++) {
        double x = 2 * side - 1;
        exact += square_distance(1, &x, codes + nearest(2, 1, codes, &x)) / 2;
    }
    channel best = {log(2), scale_for(log(2), log(s)), s};
    ev_integral sums;
    size_t evaluations;
    if (ev_trapezoid_expect(1, 0.05, 10, sign_error, &best, 1, &sums, &evaluations) == EV_OK)
        ev_check_assert(check, "vq-discrete-distortion",
                        "least distortion of a Gaussian posterior: sums and adaptive quadrature",
                        sums.value, once, 1e-9);
    const char *found = ev_check_format(
        check, "the Gaussian posterior's least is %.6f, at s = %.4f", once, s);
    const ev_alternative others[] = {
        {"a Gaussian posterior has no distortion either", once > 1e-3, found},
        {"twice the rate removes it", twice > 1e-6,
         ev_check_format(check, "at 2 log 2 nats it is %.3g", twice)},
        {"the two codes do worse", exact < once, found}};
    ev_check_decide(check, "vq-discrete-better", !(exact > 0) && once > 1e-3,
                    ev_check_format(check, "at log 2 nats: two codes %g; %s", exact, found), 3,
                    others);
}

/* Two codes for N(0,1), by Lloyd's steps with the Gaussian's partial means. */
static double lloyd_gaussian(double low, double high)
{
    double below = 0.5;
    for (int i = 0; i < 200; i++) {
        double edge = (low + high) / 2, density = exp(ev_gaussian_scalar_log_density(edge, 0, 1));
        below = erfc(-edge / sqrt(2)) / 2;
        low = -density / below;
        high = density / (1 - below);
    }
    return 1 - below * low * low - (1 - below) * high * high;
}

/* out: squared errors of the two codes +-c[0] and +-1, and of the Gaussian channel with
 * correlation c[1] and its best decoder. */
static int gaussian_errors(void *context, size_t worker, size_t n, const double *const *e,
                           double *const *out)
{
    const double *c = context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double x = e[0][i], z = c[1] * x + sqrt(1 - c[1] * c[1]) * e[1][i];
        out[0][i] = (fabs(x) - c[0]) * (fabs(x) - c[0]);
        out[1][i] = (x - c[1] * z) * (x - c[1] * z);
        out[2][i] = (fabs(x) - 1) * (fabs(x) - 1);
    }
    return 0;
}

static void decide_continuous(ev_check *check)
{
    const double two_over_pi = 1 / acos(0), code = sqrt(two_over_pi), rho = sqrt(0.75);
    double constants[2] = {code, rho}, by_steps = lloyd_gaussian(0.3, 2.5);
    double rate = ev_gaussian_scale_kl(sqrt(1 - rho * rho), 1) + rho * rho / 2;
    ev_stream stream = ev_check_stream(check, "distortions");
    ev_sample_summary drawn[3];
    if (ev_monte_carlo_expect(2, gaussian_errors, constants, 3, &stream, 200000, 2, drawn) !=
        EV_OK) {
        ev_check_give_up(check, "vq-continuous-better", "sampling failed");
        return;
    }
    double width = ev_sample_half_width(&drawn[0], ev_check_alpha(check));
    double channel_width = ev_sample_half_width(&drawn[1], ev_check_alpha(check));
    const char *found = ev_check_format(check,
                                        "codes %.4f +- %.4f, channel %.4f +- %.4f in 200000 draws",
                                        drawn[0].mean, width, drawn[1].mean, channel_width);
    const ev_alternative others[] = {
        {"the two codes do as well", drawn[0].mean - drawn[1].mean > width + channel_width, found},
        {"the best codes are -1 and 1",
         drawn[2].mean > drawn[0].mean && 2 - 2 * code > 1 - two_over_pi,
         ev_check_format(check, "their distortion is %.4f", drawn[2].mean)},
        {"the best two codes have the distortion 1/3", fabs(by_steps - 1.0 / 3) > 1e-6,
         ev_check_format(check, "Lloyd's steps end at %.12f", by_steps)}};
    bool holds = fabs(by_steps - (1 - two_over_pi)) < 1e-12 && fabs(rate - log(2)) < 1e-12 &&
                 fabs(drawn[0].mean - by_steps) < width &&
                 fabs(drawn[1].mean - 0.25) < channel_width;
    ev_check_decide(check, "vq-continuous-better", holds,
                    ev_check_format(check, "Lloyd's steps end at %.12f; %s", by_steps, found), 3,
                    others);
}

/* 5. What passes through the choice. ---------------------------------------------------------*/

static double wavy(double u) { return sin(3 * u); }

static void decide_quotients(ev_check *check)
{
    enum { CODES = 4, TRIES = 1000 };
    const double codes[CODES] = {-1.5, -0.4, 0.3, 1.2};
    ev_stream stream = ev_check_stream(check, "quotients");
    double z[TRIES], largest = 0, smallest = HUGE_VAL;
    int inside = 0, raised = 0;
    ev_stream_uniforms(&stream, 0, TRIES, z);
    for (int i = 0; i < TRIES; i++) {
        double at = 4 * z[i] - 2, border = HUGE_VAL;
        for (int k = 0; k + 1 < CODES; k++)
            border = fmin(border, fabs(at - (codes[k] + codes[k + 1]) / 2));
        if (border < 0.01)
            continue;
        double code = codes[nearest(CODES, 1, codes, &at)], through = 3 * cos(3 * code);
        inside++;
        smallest = fmin(smallest, fabs(through));
        for (double h = 0.005; h > 1e-9; h /= 10) {
            double up = at + h, down = at - h;
            largest = fmax(largest, fabs(wavy(codes[nearest(CODES, 1, codes, &up)]) -
                                         wavy(codes[nearest(CODES, 1, codes, &down)])) /
                                        h);
        }
        double after = at - 0.5 * through;
        raised += wavy(codes[nearest(CODES, 1, codes, &after)]) > wavy(code) + 0.01;
    }
    const char *found = ev_check_format(check,
                                        "the quotients are at most %g, the straight-through "
                                        "gradient at least %.3f in size",
                                        largest, smallest);
    const char *steps = ev_check_format(check, "%d of %d steps raise it", raised, inside);
    const ev_alternative others[] = {
        {"the straight-through gradient is the limit of the quotients", smallest > 0.1 + largest,
         found},
        {"the quotients are only small", !(largest > 0), found},
        {"a step against the straight-through gradient lowers the loss", raised > 0, steps}};
    ev_check_decide(check, "st-difference-quotients",
                    !(largest > 0) && smallest > 0.1 && raised > 0 && inside > TRIES / 2,
                    ev_check_format(check, "%d places: %s; %s", inside, found, steps), 3, others);
}

/* 6. k-means and its moving averages. --------------------------------------------------------*/

enum { POINTS = 60, CLUSTERS = 3 };

/* Three groups on a line, two of them close to each other; x: (POINTS). */
static void draw_groups(ev_check *check, double *x)
{
    const double centre[CLUSTERS] = {-3, -1.8, 3};
    ev_stream stream = ev_check_stream(check, "groups");
    ev_stream_normals(&stream, 0, POINTS, x);
    for (int i = 0; i < POINTS; i++)
        x[i] = 0.2 * x[i] + centre[i % CLUSTERS];
}

/* One Lloyd step on codes (CLUSTERS); returns the distortion before it, and the counts. */
static double lloyd_step(const double *x, double *codes, double *counts)
{
    double sums[CLUSTERS] = {0}, distortion = 0;
    memset(counts, 0, CLUSTERS * sizeof *counts);
    for (int i = 0; i < POINTS; i++) {
        size_t k = nearest(CLUSTERS, 1, codes, x + i);
        distortion += (x[i] - codes[k]) * (x[i] - codes[k]) / POINTS;
        counts[k]++;
        sums[k] += x[i];
    }
    for (int k = 0; k < CLUSTERS; k++)
        if (counts[k] > 0)
            codes[k] = sums[k] / counts[k];
    return distortion;
}

static void decide_lloyd(ev_check *check)
{
    enum { STARTS = 100, LIMIT = 100 };
    double x[POINTS], start[STARTS * CLUSTERS], rise = 0, best = HUGE_VAL, worst = 0;
    int longest = 0, shortest = LIMIT;
    draw_groups(check, x);
    ev_stream stream = ev_check_stream(check, "starts");
    ev_stream_uniforms(&stream, 0, (size_t)STARTS * CLUSTERS, start);
    for (int i = 0; i < STARTS; i++) {
        double codes[CLUSTERS], counts[CLUSTERS], before = HUGE_VAL, now = 0;
        int steps = 0;
        for (int k = 0; k < CLUSTERS; k++)
            codes[k] = x[(size_t)(POINTS * start[CLUSTERS * i + k])];
        for (; steps < LIMIT; steps++) {
            now = lloyd_step(x, codes, counts);
            rise = fmax(rise, now - before);
            if (!(fabs(now - before) > 1e-15))
                break;
            before = now;
        }
        longest = steps > longest ? steps : longest;
        shortest = steps < shortest ? steps : shortest;
        best = fmin(best, now);
        worst = fmax(worst, now);
    }
    const char *ends = ev_check_format(check, "distortions at rest from %.4f to %.4f", best, worst);
    const char *lengths = ev_check_format(check, "at rest after %d to %d steps", shortest, longest);
    const ev_alternative others[] = {
        {"it rests at the least distortion, wherever it began", worst > 1.5 * best, ends},
        {"it comes to rest only in the limit", longest < LIMIT, lengths},
        {"one step is enough", longest > 1, lengths}};
    ev_check_decide(check, "codebook-lloyd", rise < 1e-14 && longest < LIMIT && worst > 1.5 * best,
                    ev_check_format(check, "100 starts: largest rise %.1e; %s; %s", fmax(rise, 0),
                                    lengths, ends),
                    3, others);
}

/* e' = alpha e + (1 - alpha) mean, the batch means standard normal: e after many steps. */
static void decide_noise(ev_check *check)
{
    enum { STEPS = 40, RUNS = 40000 };
    const double alpha = 0.8;
    ev_stream stream = ev_check_stream(check, "batches");
    double sum = 0, fourth = 0, mean[STEPS];
    for (uint64_t run = 0; run < RUNS; run++) {
        double e = 0;
        ev_stream_normals(&stream, run * STEPS, STEPS, mean);
        for (int t = 0; t < STEPS; t++)
            e = alpha * e + (1 - alpha) * mean[t];
        sum += e * e;
        fourth += e * e * e * e;
    }
    double variance = sum / RUNS, wanted = (1 - alpha) / (1 + alpha);
    ev_sample_summary squares = {.samples = RUNS,
                                 .mean = variance,
                                 .khat = -HUGE_VAL,
                                 .variance = fourth / RUNS - variance * variance,
                                 .skewness = sqrt(8)};
    squares.standard_error = sqrt(squares.variance / RUNS);
    double width = ev_sample_half_width(&squares, ev_check_alpha(check));
    const char *found = ev_check_format(check, "the variance is %.5f +- %.5f", variance, width);
    const ev_alternative others[] = {
        {"it is (1 - alpha)/2", fabs(variance - (1 - alpha) / 2) > width, found},
        {"it is (1 - alpha)^2", fabs(variance - (1 - alpha) * (1 - alpha)) > width, found},
        {"the code comes to rest", variance > width, found}};
    ev_check_decide(check, "ema-noise", fabs(variance - wanted) < width && width < 0.1 * wanted,
                    ev_check_format(check,
                                    "alpha = 0.8, 40000 runs: %s, (1 - alpha)/(1 + alpha) = "
                                    "%.5f",
                                    found, wanted),
                    3, others);
}

/* Moving averages on fixed data, from three codes of which the last is far from everything;
 * returns how far that one goes, and how far the used ones end from k-means at rest. */
static double move_averages(const double *x, double epsilon, double *others)
{
    const double alpha = 0.99;
    double codes[CLUSTERS] = {-2, 2, 40}, counts[CLUSTERS] = {1, 1, 1}, sums[CLUSTERS], total, n;
    double rest[CLUSTERS] = {-2, 2, 40}, used[CLUSTERS];
    memcpy(sums, codes, sizeof sums);
    for (int step = 0; step < 2500; step++) {
        for (int k = 0; k < CLUSTERS; k++) {
            counts[k] *= alpha;
            sums[k] *= alpha;
        }
        for (int i = 0; i < POINTS; i++) {
            size_t k = nearest(CLUSTERS, 1, codes, x + i);
            counts[k] += 1 - alpha;
            sums[k] += (1 - alpha) * x[i];
        }
        total = counts[0] + counts[1] + counts[2];
        for (int k = 0; k < CLUSTERS; k++) {
            n = epsilon > 0 ? (counts[k] + epsilon) / (total + CLUSTERS * epsilon) * total
                            : counts[k];
            codes[k] = sums[k] / n;
        }
    }
    for (int step = 0; step < 50; step++)
        (void)lloyd_step(x, rest, used);
    *others = fmax(fabs(codes[0] - rest[0]), fabs(codes[1] - rest[1]));
    return fabs(codes[2] - 40);
}

static void decide_unused(ev_check *check)
{
    double x[POINTS], used, used_smoothed;
    draw_groups(check, x);
    double moved = move_averages(x, 0, &used), smoothed = move_averages(x, 1e-5, &used_smoothed);
    /* Its codebook term is a sum over no vectors: the gradient is an empty sum. */
    double codes[CLUSTERS] = {-2, 2, 40}, counts[CLUSTERS];
    (void)lloyd_step(x, codes, counts);
    const ev_alternative others[] = {
        {"the average draws it in slowly", moved < 1e-9,
         ev_check_format(check, "after 2500 steps it has moved by %.1e", moved)},
        {"it stays with smoothed counts too", smoothed > 1,
         ev_check_format(check,
                         "with smoothing it shrinks, by %.4g from 40, until vectors choose it",
                         smoothed)},
        {"the other codes stay too", used < 1e-6 && fabs(codes[0] + 2) > 0.01,
         ev_check_format(check, "they end within %.1e of k-means at rest", used)}};
    ev_check_decide(check, "ema-unused", moved < 1e-9 && !(counts[2] > 0),
                    ev_check_format(check,
                                    "%g vectors choose it; in 2500 steps it moves by %.1e, "
                                    "with smoothed counts by %.4g",
                                    counts[2], moved, smoothed),
                    3, others);
}

void check_vector_quantisation(ev_check *check);
void check_vector_quantisation(ev_check *check)
{
    check_latent(check);
    check_bound(check);
    check_gradients(check);
    check_straight_through(check);
    check_averages(check);
    check_counts(check);
    check_perplexity(check);
    decide_discrete(check);
    decide_continuous(check);
    decide_quotients(check);
    decide_lloyd(check);
    decide_noise(check);
    decide_unused(check);
}
