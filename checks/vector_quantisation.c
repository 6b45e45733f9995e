/* The second voice of derivations/vector_quantisation.md.
 *
 * 1. The latent and its bound: categorical closed forms and log-sum-exp against the printed
 *    lines.
 * 2. Gradients: a stop-gradient is a copy that stays behind when its original moves, so the loss
 *    is written with the copies as arguments of their own and differenced.
 * 3. The dictionary: means, running averages, perplexities, by plain sums.
 * 4. What these rest on, by a second way that shares nothing with the first
 *    (vector_quantisation/twice.c).
 * 5. What no line says, by doing it: rate against distortion (rates.c),
 *    difference quotients, k-means and its moving averages (means.c).
 */
#include "judge/check.h"
#include "probability/categorical.h"
#include "probability/log_space.h"
#include "vector_quantisation/codes.h"

#include <math.h>
#include <stddef.h>

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

/* Our own numbers for both sides of a step. */
static void both(ev_check *check, const char *claim, size_t step, double left, double right)
{
    ev_check_sides(check, claim, step, left, rounding(left), right, rounding(right));
}

double vq_square_distance(size_t n, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/* The nearest of n codes (n,dim). */
size_t vq_nearest(size_t n, size_t dim, const double *codes, const double *z)
{
    size_t best = 0;
    for (size_t k = 1; k < n; k++)
        if (vq_square_distance(dim, z, codes + dim * k) <
            vq_square_distance(dim, z, codes + dim * best))
            best = k;
    return best;
}

/* 1. The latent and its bound. ---------------------------------------------------------------*/

static const double PI[K] = {0.2, 0.5, 0.3};

/* The codes nearer than the nearest and a margin. */
static size_t chosen_codes(const double *codes, const double *z, double delta)
{
    size_t count = 0;
    double least = vq_square_distance(J, z, codes + J * vq_nearest(K, J, codes, z));
    for (size_t c = 0; c < K; c++)
        count += vq_square_distance(J, z, codes + J * c) < least + delta;
    return count;
}

/* KL of the one-hot posterior at z, moved by step along coordinate j, from the uniform prior. */
static double one_hot_kl(const double *codes, const double *z, size_t j, double step)
{
    double moved[J], log_q[K], log_p[K];
    for (size_t c = 0; c < J; c++)
        moved[c] = z[c] + (c == j ? step : 0);
    size_t chosen = vq_nearest(K, J, codes, moved);
    for (size_t c = 0; c < K; c++) {
        log_q[c] = c == chosen ? 0 : -HUGE_VAL;
        log_p[c] = -log(K);
    }
    return ev_categorical_kl(K, log_q, log_p);
}

static void check_latent(ev_check *check)
{
    const double k = K, j = J, z[J] = {0.4, -0.9}, tau = 0.8, delta = 0.015;
    const double C[K * J] = {1.2, 0.3, -0.5, -1.1, 0.8, 1.6};
    const ev_binding at[] = {{"K", 1, &k},          {"J", 1, &j},       {"z", J, z},
                             {"C", K * J, C},       {"\\tau", 1, &tau}, {"\\pi", K, PI},
                             {"\\delta", 1, &delta}};
    size_t chosen = vq_nearest(K, J, C, z);
    double log_q[K], log_p[K], log_r[K], log_s[K];
    for (size_t c = 0; c < K; c++) {
        log_q[c] = c == chosen ? 0 : -HUGE_VAL;
        log_p[c] = -log(K);
        log_s[c] = -vq_square_distance(J, z, C + J * c) / tau;
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
    says(check, "vq-one-hot", 1, 0, 0, 7, at, (double)chosen_codes(C, z, delta));
    for (size_t c = 0; c < J; c++)
        says(check, "vq-divergence-gradient", 1, 0, c, 7, at,
             one_hot_kl(C, z, c, 0.05) - one_hot_kl(C, z, c, -0.05));
    both(check, "vq-divergence-prior", 2, prior, 0);
    both(check, "vq-soft-bound", 2, soft, log(K));
    both(check, "vq-divergence-any-prior", 1, prior, log(K));
    both(check, "vq-soft-divergence", 1, soft, log(K));
    /* Two codes on either side of z, equally near. */
    const double tied[K * J] = {0.9, -0.4, -0.1, -1.4, 1.9, 1.6};
    both(check, "vq-ties", 1, (double)chosen_codes(tied, z, delta), 1);
}

/* Any decoder will do, for the bound is one of log-sum-exp: log p(x|k) are three numbers. */
static void check_bound(ev_check *check)
{
    const double log_g[K] = {-2.1, -0.9, -3.4};
    double evidence = ev_log_mean_exp(K, log_g), posterior[K];
    ev_log_softmax(K, log_g, posterior);
    for (size_t m = 0; m < K; m++) {
        both(check, "vq-bound-tight", 1, evidence, log_g[m] - log(K));
        both(check, "vq-bound-gap", 1, evidence - log_g[m] + log(K), -posterior[m]);
        ev_check_assert(check, ev_check_format(check, "vq-bound-gap-%zu", m + 1),
                        "evidence minus bound, and minus the log posterior of the code",
                        evidence - log_g[m] + log(K), -posterior[m], 1e-13);
    }
    double direct = 0, grid = 0, at = 0;
    for (size_t k = 0; k < K; k++) {
        direct += exp(log_g[k]) / K;
        for (size_t l = 0; l < K; l++)
            grid += exp(log_g[k] + 0.3 * log_g[l]) / (K * K);
    }
    at = log_g[1] + 0.3 * log_g[2];
    both(check, "vq-bound", 1, log(direct), log_g[1] - log(K));
    both(check, "vq-bound-positions", 1, log(grid), at - 2 * log(K));
    both(check, "vq-bound-gap-bounded", 1, evidence, log_g[2]);
    both(check, "vq-bound-best", 1, evidence, log_g[1]);
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

static double codebook(const model *m) { return vq_square_distance(J, m->frozen_z, m->a); }
static double commitment(const model *m)
{
    return m->beta * vq_square_distance(J, m->z, m->frozen_e);
}
static double whole(const model *m) { return reconstruction(m) + codebook(m) + commitment(m); }
static double without_stops(const model *m)
{
    return (1 + m->beta) * vq_square_distance(J, m->z, m->a);
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
    for (size_t c = 0; c < (size_t)J * J; c++)
        says(check, "vq-decoder", 1, 0, c, 8, at, slope(reconstruction, offsetof(model, A), c));
    both(check, "vq-without-stops", 1, slope(without_stops, a, 0), slope(codebook, a, 0));
}

static void decide_other_code(ev_check *check)
{
    double (*const term[3])(const model *) = {reconstruction, codebook, commitment};
    const size_t b = offsetof(model, b), A = offsetof(model, A), a = offsetof(model, a);
    double other = 0, decoder = 0, of_reconstruction = 0, chosen = 0;
    for (int t = 0; t < 3; t++) {
        for (size_t c = 0; c < J; c++) {
            other = fmax(other, fabs(slope(term[t], b, c)));
            chosen = fmax(chosen, fabs(slope(term[t], a, c)));
        }
        for (size_t c = 0; c < (size_t)J * J; c++) {
            double size = fabs(slope(term[t], A, c));
            *(t == 0 ? &of_reconstruction : &decoder) = fmax(t == 0 ? of_reconstruction : decoder,
                                                             size);
        }
    }
    const char *found = ev_check_format(check,
                                        "largest slopes: other code %g, chosen code %.3f; decoder "
                                        "%.3f from the reconstruction, %g from the other two",
                                        other, chosen, of_reconstruction, decoder);
    const ev_alternative others[] = {
        {"both codes receive the codebook term's gradient", !(other > 0) && chosen > 0.1, found},
        {"the decoder receives something from each term", !(decoder > 0) && of_reconstruction > 0.1,
         found}};
    ev_check_decide(check, "vq-other-code", !(other > 0) && !(decoder > 0), found, 2, others);
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
        both(check, "st-affine", 1, slope(straight_through, z, c), W[c]);
    }
    /* For f(u) = sin 3u: the slope at the code, against a difference of f(S(z)), whose copies stay
     * behind, and against the slopes of f(Q(z)) and of f(z). */
    double at_code = 3 * cos(3 * HERE.a[0]), h = 1e-4;
    double stays = HERE.frozen_e[0] - HERE.frozen_z[0];
    double quotient = (sin(3 * (HERE.z[0] + h + stays)) - sin(3 * (HERE.z[0] - h + stays))) /
                      (2 * h);
    ev_check_sides(check, "st-decoder-gradient", 1, quotient, 5 * h * h, at_code, 1e-15);
    both(check, "st-not-the-derivative", 1, at_code, 0);
    both(check, "st-not-unquantised", 1, at_code, 3 * cos(3 * HERE.z[0]));
}

/* 3. The dictionary. -------------------------------------------------------------------------*/

/* The least sum of squares to n vectors (n,J), at the vertex of a parabola through three of its
 * values, and their mean. */
static void vertex_sides(ev_check *check, size_t n, const double *vectors)
{
    for (size_t c = 0; c < J; c++) {
        double f[3] = {0, 0, 0}, mean = 0;
        for (size_t i = 0; i < n; i++) {
            mean += vectors[J * i + c] / (double)n;
            for (int k = 0; k < 3; k++)
                f[k] += (vectors[J * i + c] - k + 1) * (vectors[J * i + c] - k + 1);
        }
        both(check, "codebook-argmin", 1, (f[0] - f[2]) / (2 * (f[0] - 2 * f[1] + f[2])), mean);
    }
}

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
        both(check, "ema-of-means", 1, code, alpha * e[c] + (1 - alpha) * sum / n);
    }
    for (size_t i = 0; i < N; i++)
        total += vq_square_distance(J, Z + J * i, e);
    vertex_sides(check, N, Z);
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
    both(check, "smoothing-towards-mean", 1, (smoothed - total / k) * (total + k * epsilon),
         (nu[0] - total / k) * total);
    both(check, "debias-count-divided", 2, count / weight, 1.9);
    both(check, "debias-code", 1, -0.3, sum / count);
    both(check, "debias-code", 2, sum / count, 2.1);
    both(check, "smoothing-neutral", 1, nu[0] / smoothed, 1);
    both(check, "debias-smoothed", 1, sum / (count + epsilon), sum / (count + epsilon * weight));
    /* After one batch the count is (1 - alpha) of that batch's. */
    both(check, "debias-count", 1, v[0], (1 - alpha) * v[0]);
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
    const double log_even[K] = {-log(K), -log(K), -log(K)};
    says(check, "perplexity-uniform", 1, 0, 0, 4, at, exp(ev_categorical_entropy(K, log_even)));
    both(check, "perplexity-range", 2, exp(u), K);
    both(check, "rate-fitted", 1, u, log(K));
    both(check, "perplexity-average", 1, exp(h), (exp(u) + exp(o)) / 2);
    both(check, "rate-always-log-size", 1, u, log(K));
}

void check_vector_quantisation(ev_check *check);
void check_vector_quantisation(ev_check *check)
{
    check_latent(check);
    check_bound(check);
    check_gradients(check);
    check_straight_through(check);
    decide_other_code(check);
    check_averages(check);
    check_counts(check);
    check_perplexity(check);
    vq_assert_twice(check);
    vq_decide_discrete(check);
    vq_decide_continuous(check);
    vq_decide_quotients(check);
    vq_decide_lloyd(check);
    vq_decide_noise(check);
    vq_decide_unused(check);
}
