/* The second voice of derivations/general_covariance.md.
 *
 * 1. The printed lines against src/probability, and against inverses and determinants by LU,
 *    which know nothing of triangles.
 * 2. z = mu + L eps by sampling, d = 1..6: mean, covariance, the whole law.
 * 3. Which L give which Sigma: signs, zeros, entries, counts, over lattices of all small L.
 * 4. softplus and exp over the floats; the divergence from N(0, I).
 *
 *   d      dimension              mu     (d)
 *   L      (d,d) row-major, lower triangular
 *   gram   (d,d) L L^T
 */
#include "judge/check.h"
#include "numerics/linear_algebra.h"
#include "numerics/minimise.h"
#include "numerics/quadrature.h"
#include "numerics/random.h"
#include "probability/gaussian.h"
#include "probability/gaussian_full.h"
#include "probability/log_space.h"

#include <float.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_D = 6, MAX_ENTRIES = MAX_D * MAX_D };

static const double MU[MAX_D] = {0.3, -1.2, 2.5, 0.7, -0.45, 1.1};
static const double Z[MAX_D] = {-0.6, 0.4, 1.9, -0.2, 0.85, 2.3};
/* No two entries alike; both signs on the diagonal. */
static const double ROOT[MAX_D][MAX_D] = {{-0.9, 0, 0, 0, 0, 0},
                                          {-0.4, 1.2, 0, 0, 0, 0},
                                          {0.7, 0.3, -0.6, 0, 0, 0},
                                          {-0.2, 0.8, 0.5, 1.6, 0, 0},
                                          {0.55, -0.35, 0.15, -0.65, 0.75, 0},
                                          {0.1, 0.45, -0.95, 0.25, -0.5, 1.3}};

/* fmax and fmin for the worst of many, with a NaN counted as the worst: they would drop it. */
static double larger(double a, double b) { return isnan(a) || b <= a ? a : b; }
static double smaller(double a, double b) { return isnan(a) || b >= a ? a : b; }

static void leading_block(size_t d, double *L)
{
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++)
            L[i * d + j] = ROOT[i][j];
}

static void transpose(size_t d, const double *L, double *U)
{
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++)
            U[j * d + i] = L[i * d + j];
}

/* C = A A^T for any A; ev_lower_gram reads triangles only. */
static void any_gram(size_t d, const double *A, double *C)
{
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++) {
            C[i * d + j] = 0;
            for (size_t k = 0; k < d; k++)
                C[i * d + j] += A[i * d + k] * A[j * d + k];
        }
}

static double quadratic_form(size_t d, const double *A, const double *v)
{
    double sum = 0;
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++)
            sum += v[i] * A[i * d + j] * v[j];
    return sum;
}

/* log N(z; mu, Sigma) from Sigma alone, by LU. */
static double log_density_by_lu(size_t d, const double *z, const double *mu, const double *Sigma)
{
    double inverse[MAX_ENTRIES], difference[MAX_D];
    if (ev_matrix_inverse(d, Sigma, inverse) != EV_OK)
        return (double)NAN;
    for (size_t i = 0; i < d; i++)
        difference[i] = z[i] - mu[i];
    return -0.5 * (quadratic_form(d, inverse, difference) + (double)d * EV_LOG_2PI +
                   log(ev_matrix_det(d, Sigma)));
}

/* 1. Printed lines. --------------------------------------------------------------------------*/

static void compare(ev_check *check, const char *claim, size_t step, size_t member, size_t d,
                    const double *L, double ours)
{
    const double dimension = (double)d;
    const ev_binding at[] = {{"d", 1, &dimension}, {"\\mu", d, MU}, {"z", d, Z},
                             {"L", d * d, L},      {"R", d * d, L}, {"e", d, Z},
                             {"\\sigma", d, NULL}};
    double error, theirs = ev_check_document_value(check, claim, member, 0, 6, at, &error);
    ev_check_compare(check, claim, step, ours, 1e-11 * fabs(ours), theirs, error, 1e-9);
}

static void compare_density(ev_check *check, size_t d)
{
    double L[MAX_ENTRIES], U[MAX_ENTRIES], gram[MAX_ENTRIES], upper[MAX_ENTRIES], eps[MAX_D];
    leading_block(d, L);
    any_gram(d, L, gram);
    transpose(d, L, U);
    any_gram(d, U, upper);
    double substituted = ev_gaussian_full_log_density(d, Z, MU, L, eps);
    double inverted = log_density_by_lu(d, Z, MU, gram);
    compare(check, "covariance-change", 1, 1, d, L, exp(substituted));
    compare(check, "covariance-change-entries", 1, 1, d, L, exp(inverted));
    for (size_t step = 1; step <= 4; step++) {
        compare(check, "covariance-log-density", step, step, d, L, substituted);
        compare(check, "covariance-log-density", step, step, d, L, inverted);
    }
    compare(check, "covariance-upper-root", 1, 1, d, L, log_density_by_lu(d, Z, MU, upper));
    compare(check, "covariance-determinant", 1, 1, d, L, exp(ev_cholesky_log_det(d, L)));
    compare(check, "covariance-determinant", 2, 2, d, L, ev_matrix_det(d, gram));
}

static double spherical_kl(size_t d, const double *mu, const double *L)
{
    double zero[MAX_D] = {0}, identity[MAX_ENTRIES] = {0}, work[MAX_D];
    for (size_t i = 0; i < d; i++)
        identity[i * d + i] = 1;
    return ev_gaussian_full_kl(d, mu, L, zero, identity, work);
}

static void compare_kl(ev_check *check, size_t d)
{
    double L[MAX_ENTRIES];
    leading_block(d, L);
    compare(check, "covariance-kl", 1, 1, d, L, spherical_kl(d, MU, L));
    compare(check, "covariance-kl", 2, 2, d, L, spherical_kl(d, MU, L));
    compare(check, "covariance-entropy", 1, 1, d, L, ev_gaussian_full_entropy(d, L));
}

/* Both sides of the refuted lines at one point, d = 3: by LU and by sums over entries. */
static void refuted_sides(ev_check *check)
{
    enum { D = 3 };
    double L[D * D], U[D * D], gram[D * D], other[D * D], inverse[D * D], exchanged[D * D];
    double t[D] = {0.4, -0.3, 0.2}, v[D], eps[D], diagonal = 0, rest = 0;
    leading_block(D, L);
    transpose(D, L, U);
    any_gram(D, L, gram);
    any_gram(D, U, other);
    if (ev_matrix_inverse(D, gram, inverse) != EV_OK ||
        ev_matrix_inverse(D, other, exchanged) != EV_OK)
        return;
    for (size_t i = 0; i < D; i++) {
        v[i] = Z[i] - MU[i];
        for (size_t j = 0; j < i; j++)
            rest += L[i * D + j] * L[i * D + j] / 2;
        diagonal += log(fabs(other[i * D + i]));
    }
    double det = ev_matrix_det(D, L), density = exp(log_density_by_lu(D, Z, MU, gram));
    double noise = exp(ev_gaussian_full_log_density(D, Z, MU, L, eps)) * fabs(det);
    double kl = spherical_kl(D, MU, L);
    const struct {
        const char *claim;
        double left, right;
    } line[] = {{"covariance-order", quadratic_form(D, gram, t), quadratic_form(D, other, t)},
                /* det L < 0 when the sign of one column is changed */
                {"covariance-change-signed", density, -noise / fabs(det)},
                {"covariance-inverse-order", quadratic_form(D, inverse, v),
                 quadratic_form(D, exchanged, v)},
                {"covariance-half", log(density), log(density) - log(fabs(det))},
                /* R = L^T L, not a triangle */
                {"covariance-diagonal-sum", log(ev_matrix_det(D, other)), diagonal},
                {"covariance-off-diagonal", gram[D], L[D]},
                {"covariance-variance-diagonal", gram[4], L[4] * L[4]},
                {"covariance-kl-diagonal", kl, kl - rest}};
    for (size_t i = 0; i < sizeof line / sizeof *line; i++)
        ev_check_sides(check, line[i].claim, 1, line[i].left, 1e-12, line[i].right, 1e-12);
}

/* The bars of (4) around the entries: |det abs(L L^T)| beside det(L L^T), random L.  Counts, for
 * each d, the L that tell them apart; and among those of non-negative entries. */
static void decide_bars(ev_check *check)
{
    enum { TRIES = 200, D = 4 };
    size_t differ[D + 1] = {0}, differ_positive = 0;
    double worst = 0, x[D * D];
    ev_stream stream = ev_check_stream(check, "bars");
    for (size_t i = 0; i < TRIES * D; i++) {
        size_t d = i % D + 1;
        double L[D * D] = {0}, gram[D * D];
        ev_stream_normals(&stream, (uint64_t)i * (D * D), D * D, x);
        bool positive = i >= TRIES * D / 2;
        for (size_t r = 0; r < d; r++)
            for (size_t c = 0; c <= r; c++)
                L[r * d + c] = positive ? fabs(x[r * D + c]) : x[r * D + c];
        any_gram(d, L, gram);
        double det = ev_matrix_det(d, gram);
        for (size_t k = 0; k < d * d; k++)
            gram[k] = fabs(gram[k]);
        double gap = fabs(log(fabs(ev_matrix_det(d, gram))) - log(det));
        differ[d] += gap > 1e-6;
        differ_positive += positive && gap > 1e-6;
        worst = larger(worst, gap);
    }
    const char *counts = ev_check_format(check,
                                         "of %d random L each, %zu, %zu, %zu and %zu differ "
                                         "in d = 1, 2, 3, 4; at worst by %.3g nats",
                                         TRIES, differ[1], differ[2], differ[3], differ[4],
                                         worst / 2);
    const ev_alternative others[] = {
        {"they fail in two dimensions already", differ[1] + differ[2] == 0, counts},
        {"they fail for every L in three dimensions", differ[3] < TRIES && differ_positive == 0,
         ev_check_format(check, "none of %d L with non-negative entries differs", TRIES * D / 2)}};
    ev_check_decide(check, "covariance-bars-entries",
                    differ[1] + differ[2] + differ[3] + differ[4] == 0, counts, 2, others);
}

/* 2. The law of z. ---------------------------------------------------------------------------*/

enum { DRAWS = 20000, DIRECTIONS = MAX_D * (MAX_D + 1) / 2 };

static double two_sided(double lower) { return 2 * fmin(lower, 1 - lower); }

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov-Smirnov for values already sent through the distribution function, sorted here;
 * P(D > x) <= 2 exp(-2 n x^2) for every n (P. Massart, Ann. Probab. 18, 1990). */
static double uniform_p_value(size_t n, double *u)
{
    double distance = 0;
    qsort(u, n, sizeof *u, ascending);
    for (size_t i = 0; i < n; i++)
        distance = fmax(distance,
                        fmax(u[i] - (double)i / (double)n, (double)(i + 1) / (double)n - u[i]));
    return fmin(1, 2 * exp(-2 * (double)n * distance * distance));
}

/* p-values of draws z (DRAWS,d) under N(MU, Sigma). */
typedef struct {
    double mean;        /* |Sigma^-1/2 (mean - mu)|^2 DRAWS, chi^2 with d degrees */
    double covariance;  /* smallest over e_i and e_i + e_j of sum (t.(z - mu))^2/(t.Sigma t), each
                           chi^2 with DRAWS degrees, times the number of directions */
    double mahalanobis; /* Kolmogorov-Smirnov against chi^2 with d degrees */
    double direction;   /* the same along (1, ..., 1), against the normal */
} law;

/* Directions e_i (i = j) and e_i + e_j. */
static double covariance_p_value(size_t d, const double *Sigma, const double *z)
{
    double least = 1;
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0, t[MAX_D] = {0};
            t[i] = t[j] = 1;
            for (size_t n = 0; n < DRAWS; n++) {
                double x = 0;
                for (size_t k = 0; k < d; k++)
                    x += t[k] * (z[n * d + k] - MU[k]);
                sum += x * x;
            }
            least = fmin(least,
                         two_sided(gsl_cdf_chisq_P(sum / quadratic_form(d, Sigma, t), DRAWS)));
        }
    return fmin(1, least * (double)(d * (d + 1) / 2));
}

static law test_law(size_t d, const double *Sigma, const double *z, double *scratch)
{
    law p = {0, 0, 0, 0};
    double inverse[MAX_ENTRIES], mean[MAX_D] = {0}, ones[MAX_D] = {1, 1, 1, 1, 1, 1}, v[MAX_D];
    if (ev_matrix_inverse(d, Sigma, inverse) != EV_OK)
        return p;
    for (size_t n = 0; n < DRAWS; n++) {
        for (size_t k = 0; k < d; k++) {
            v[k] = z[n * d + k] - MU[k];
            mean[k] += v[k] / DRAWS;
        }
        scratch[n] = gsl_cdf_chisq_P(quadratic_form(d, inverse, v), (double)d);
    }
    p.mean = 1 - gsl_cdf_chisq_P(DRAWS * quadratic_form(d, inverse, mean), (double)d);
    p.mahalanobis = uniform_p_value(DRAWS, scratch);
    for (size_t n = 0; n < DRAWS; n++) {
        double sum = 0;
        for (size_t k = 0; k < d; k++)
            sum += z[n * d + k] - MU[k];
        scratch[n] = gsl_cdf_ugaussian_P(sum / sqrt(quadratic_form(d, Sigma, ones)));
    }
    p.direction = uniform_p_value(DRAWS, scratch);
    p.covariance = covariance_p_value(d, Sigma, z);
    return p;
}

static double least_p(const law *p)
{
    return fmin(fmin(p->mean, p->covariance), fmin(p->mahalanobis, p->direction));
}

/* Draws of the right mean and covariance that are not Gaussian: uniform noise of variance 1. */
static void sample_uniform_noise(const ev_stream *stream, size_t d, const double *L, double *z)
{
    double u[MAX_D];
    for (size_t n = 0; n < DRAWS; n++) {
        ev_stream_uniforms(stream, (uint64_t)(n * d), d, u);
        for (size_t i = 0; i < d; i++) {
            z[n * d + i] = MU[i];
            for (size_t j = 0; j <= i; j++)
                z[n * d + i] += L[i * d + j] * sqrt(12) * (u[j] - 0.5);
        }
    }
}

/* The smallest p-value of the right law over d, and the largest of each wrong one (d > 1). */
typedef struct {
    double right, mean, covariance, mahalanobis, direction;
    double transposed, diagonal, uniform, uniform_moments;
} laws;

static laws test_laws(ev_check *check, double *z, double *scratch)
{
    laws all = {1, 1, 1, 1, 1, 0, 0, 0, 1};
    for (size_t d = 1; d <= MAX_D; d++) {
        double L[MAX_ENTRIES], U[MAX_ENTRIES], gram[MAX_ENTRIES], other[MAX_ENTRIES];
        ev_stream stream = ev_check_stream(check, ev_check_format(check, "z, d = %zu", d));
        leading_block(d, L);
        transpose(d, L, U);
        any_gram(d, L, gram);
        any_gram(d, U, other);
        ev_gaussian_full_sample(&stream, 0, DRAWS, d, MU, L, z);
        law p = test_law(d, gram, z, scratch);
        all.right = smaller(all.right, least_p(&p));
        all.mean = smaller(all.mean, p.mean);
        all.covariance = smaller(all.covariance, p.covariance);
        all.mahalanobis = smaller(all.mahalanobis, p.mahalanobis);
        all.direction = smaller(all.direction, p.direction);
        if (d > 1) {
            p = test_law(d, other, z, scratch);
            all.transposed = larger(all.transposed, least_p(&p));
            for (size_t k = 0; k < d * d; k++)
                gram[k] = k % (d + 1) == 0 ? gram[k] : 0;
            p = test_law(d, gram, z, scratch);
            all.diagonal = larger(all.diagonal, least_p(&p));
        }
        any_gram(d, L, gram);
        sample_uniform_noise(&stream, d, L, z);
        p = test_law(d, gram, z, scratch);
        all.uniform = larger(all.uniform, fmin(p.mahalanobis, p.direction));
        all.uniform_moments = smaller(all.uniform_moments, p.mean);
    }
    return all;
}

static void decide_law(ev_check *check)
{
    double *z = malloc(sizeof *z * (DRAWS * MAX_D + DRAWS)), alpha = ev_check_alpha(check);
    if (z == NULL) {
        ev_check_give_up(check, "covariance-law", "out of memory");
        return;
    }
    laws p = test_laws(check, z, z + DRAWS * MAX_D);
    free(z);
    /* Four tests in six dimensions share one alpha. */
    double level = alpha / 24;
    const ev_alternative others[] = {
        {"the covariance is L^T L", p.transposed < level,
         ev_check_format(check, "d = 2..6: p below %.2g", p.transposed)},
        {"the coordinates are independent, with the variances of L L^T", p.diagonal < level,
         ev_check_format(check, "d = 2..6: p below %.2g", p.diagonal)},
        {"any noise of mean 0 and covariance I gives the same law",
         p.uniform < level && p.uniform_moments >= level,
         ev_check_format(check, "uniform noise: mean p = %.2g, law p below %.2g", p.uniform_moments,
                         p.uniform)}};
    ev_check_decide(
        check, "covariance-law", p.right >= level,
        ev_check_format(check,
                        "20000 draws, d = 1..6: smallest p-values %.3g (mean), %.3g "
                        "(covariance), %.3g (Mahalanobis), %.3g (direction); level %.1g",
                        p.mean, p.covariance, p.mahalanobis, p.direction, level),
        3, others);
}

/* 3. Which L give which Sigma. ---------------------------------------------------------------*/

/* The smallest eigenvalue of a symmetric A, by bisection on "A - x I has a Cholesky factor". */
static double least_eigenvalue(size_t d, const double *A)
{
    double low = 0, high = HUGE_VAL, moved[MAX_ENTRIES], factor[MAX_ENTRIES];
    for (size_t i = 0; i < d; i++) {
        double radius = 0;
        for (size_t j = 0; j < d; j++)
            radius += i == j ? 0 : fabs(A[i * d + j]);
        low = smaller(low, A[i * d + i] - radius);
        high = smaller(high, A[i * d + i]);
    }
    low -= 1;
    for (int step = 0; step < 60; step++) {
        double middle = (low + high) / 2;
        for (size_t k = 0; k < d * d; k++)
            moved[k] = A[k] - (k % (d + 1) == 0 ? middle : 0);
        if (ev_cholesky(d, moved, factor) == EV_OK)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* All L with d <= 3, diagonal in {-1, -1/2, 0, 1/2, 1} and entries below it in {-1, 0, 2}. */
typedef struct {
    size_t count, zeros, negative, odd;     /* some zero; no zero, some negative; an odd number */
    double least_regular, largest_singular; /* smallest eigenvalues without and with zeros */
    double least_negative, least_odd;
    double largest_last; /* with the only zero in the last place */
    double determinant;  /* the smallest over L with an odd number of negatives */
} signs_found;

static void visit_signs(signs_found *found, size_t d, const double *L)
{
    double gram[MAX_ENTRIES];
    size_t zeros = 0, negative = 0;
    for (size_t i = 0; i < d; i++) {
        zeros += fabs(L[i * d + i]) < DBL_MIN;
        negative += L[i * d + i] < 0;
    }
    any_gram(d, L, gram);
    double least = least_eigenvalue(d, gram);
    found->count++;
    if (zeros > 0) {
        found->zeros++;
        found->largest_singular = larger(found->largest_singular, least);
        if (zeros == 1 && fabs(L[d * d - 1]) < DBL_MIN)
            found->largest_last = larger(found->largest_last, least);
        return;
    }
    found->least_regular = smaller(found->least_regular, least);
    if (negative > 0) {
        found->negative++;
        found->least_negative = smaller(found->least_negative, least);
    }
    if (negative % 2 == 1) {
        found->odd++;
        found->least_odd = smaller(found->least_odd, least);
        found->determinant = smaller(found->determinant, ev_matrix_det(d, gram));
    }
}

/* The lattice's L number index; false past the last. */
static bool lattice(size_t d, const double *diagonal, size_t diagonals, const double *below,
                    size_t belows, size_t index, double *L)
{
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++) {
            size_t choices = i == j ? diagonals : j < i ? belows : 1;
            L[i * d + j] = i == j ? diagonal[index % choices] : j < i ? below[index % choices] : 0;
            index /= choices;
        }
    return index == 0;
}

static signs_found search_signs(void)
{
    static const double DIAGONAL[] = {-1, -0.5, 0, 0.5, 1}, BELOW[] = {-1, 0, 2};
    signs_found found = {.least_regular = HUGE_VAL,
                         .largest_singular = -HUGE_VAL,
                         .least_negative = HUGE_VAL,
                         .least_odd = HUGE_VAL,
                         .largest_last = -HUGE_VAL,
                         .determinant = HUGE_VAL};
    double L[MAX_ENTRIES];
    for (size_t d = 1; d <= 3; d++)
        for (size_t i = 0; lattice(d, DIAGONAL, 5, BELOW, 3, i, L); i++)
            visit_signs(&found, d, L);
    return found;
}

/* Rounding in the gram and in Cholesky moves a zero eigenvalue by less than this. */
static const double EIGENVALUE_ZERO = 1e-12;

static void decide_diagonal(ev_check *check)
{
    signs_found f = search_signs();
    bool regular = f.least_regular > 1e-4, singular = f.largest_singular < EIGENVALUE_ZERO;
    const char *some = ev_check_format(
        check,
        "%zu of %zu triangles have a negative and no zero diagonal entry, and the smallest "
        "eigenvalue of their L L^T is %.4g",
        f.negative, f.count, f.least_negative);
    const ev_alternative wrong[] = {
        {"one negative entry makes L L^T indefinite", f.least_odd > EIGENVALUE_ZERO,
         ev_check_format(check, "smallest eigenvalue over odd numbers of negatives: %.4g",
                         f.least_odd)},
        {"det(L L^T) has the sign of det L", f.determinant > 0,
         ev_check_format(check, "smallest determinant where det L < 0: %.4g", f.determinant)}};
    ev_check_decide(check, "covariance-positive-necessary", f.least_negative <= EIGENVALUE_ZERO,
                    some, 2, wrong);
    const ev_alternative others[] = {
        {"positive entries are necessary", f.least_negative > EIGENVALUE_ZERO, some},
        {"entries below the diagonal make up for a zero on it", singular,
         ev_check_format(check, "with a zero the smallest eigenvalue is at most %.1e",
                         f.largest_singular)},
        {"a zero in the last place does no harm", f.largest_last < EIGENVALUE_ZERO,
         ev_check_format(check, "at most %.1e", f.largest_last)}};
    ev_check_decide(check, "covariance-diagonal", regular && singular,
                    ev_check_format(check,
                                    "%zu triangles, d = 1..3: smallest eigenvalue at least %.4g in "
                                    "the %zu without a zero, at most %.1e in the %zu with one",
                                    f.count, f.least_regular, f.count - f.zeros, f.largest_singular,
                                    f.zeros),
                    3, others);
}

/* Entry number k of a lower triangle, row by row. */
static size_t place(size_t d, size_t k)
{
    size_t i = 0;
    while (k > i)
        k -= ++i;
    return i * d + k;
}

/* J (n,n): by how much the n entries of the lower triangle of L L^T move with those of L. */
static void gram_jacobian(size_t d, const double *L, double *J)
{
    size_t n = d * (d + 1) / 2;
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++) {
            size_t i = place(d, a) / d, j = place(d, a) % d, r = place(d, b) / d,
                   c = place(d, b) % d;
            J[a * n + b] = (i == r ? L[j * d + c] : 0) + (j == r ? L[i * d + c] : 0);
        }
}

/* Newton for L L^T = Sigma over lower triangles, in place; false when it does not settle. */
static bool solve_gram(size_t d, const double *Sigma, double *L)
{
    enum { MAX_N = 6 };
    size_t n = d * (d + 1) / 2;
    double J[MAX_N * MAX_N], inverse[MAX_N * MAX_N], gram[9];
    for (int iteration = 0; iteration < 200; iteration++) {
        double size = 0, step[MAX_N] = {0};
        any_gram(d, L, gram);
        gram_jacobian(d, L, J);
        if (ev_matrix_inverse(n, J, inverse) != EV_OK)
            return false;
        for (size_t a = 0; a < n; a++)
            for (size_t b = 0; b < n; b++)
                step[a] += inverse[a * n + b] * (Sigma[place(d, b)] - gram[place(d, b)]);
        for (size_t a = 0; a < n; a++) {
            L[place(d, a)] += step[a];
            size = larger(size, fabs(step[a]));
        }
        if (size < 1e-13)
            return true;
    }
    return false;
}

/* The distinct solutions of L L^T = Sigma that random starts lead to; how many of them have a
 * positive diagonal; the largest distance from Cholesky's factor with its columns' signs changed. */
static size_t count_roots(const ev_stream *stream, size_t d, size_t *positive, double *distance)
{
    enum { STARTS = 400, MOST = 32 };
    double found[MOST][9], A[9], Sigma[9], factor[9], x[9];
    size_t count = 0;
    *positive = 0;
    ev_stream_normals(stream, 0, 9, A);
    any_gram(d, A, Sigma);
    if (ev_cholesky(d, Sigma, factor) != EV_OK)
        return 0;
    for (size_t start = 1; start <= STARTS; start++) {
        double L[9] = {0};
        ev_stream_normals(stream, 9 * (uint64_t)start, 9, x);
        for (size_t k = 0; k < d * (d + 1) / 2; k++)
            L[place(d, k)] = 2 * x[k];
        if (!solve_gram(d, Sigma, L))
            continue;
        bool known = false, all_positive = true;
        for (size_t k = 0; k < count && !known; k++) {
            double gap = 0;
            for (size_t i = 0; i < d * d; i++)
                gap = larger(gap, fabs(L[i] - found[k][i]));
            known = gap < 1e-6;
        }
        if (known || count == MOST)
            continue;
        memcpy(found[count++], L, sizeof L);
        for (size_t i = 0; i < d; i++)
            all_positive = all_positive && L[i * d + i] > 0;
        *positive += all_positive;
        for (size_t i = 0; i < d; i++)
            for (size_t j = 0; j <= i; j++)
                *distance = fmax(
                    *distance, fabs(L[i * d + j] - copysign(1, L[j * d + j]) * factor[i * d + j]));
    }
    return count;
}

static void decide_unique(ev_check *check)
{
    size_t roots[4] = {0}, positive[4] = {0};
    double distance = 0;
    bool each = true, one = true;
    for (size_t d = 1; d <= 3; d++) {
        ev_stream stream = ev_check_stream(check, ev_check_format(check, "roots, d = %zu", d));
        roots[d] = count_roots(&stream, d, &positive[d], &distance);
        each = each && roots[d] == (size_t)1 << d;
        one = one && positive[d] == 1;
    }
    const char *counts = ev_check_format(
        check,
        "400 Newton starts each for a random Sigma, d = 1, 2, 3: %zu, %zu, %zu roots, of "
        "which %zu, %zu, %zu with positive diagonal; Cholesky's factor with other signs to %.1e",
        roots[1], roots[2], roots[3], positive[1], positive[2], positive[3], distance);
    const ev_alternative others[] = {
        {"there is one lower triangular root in all", roots[1] != 1 && roots[2] != 1, counts},
        {"only L and -L", roots[2] != 2 && roots[3] != 2, counts},
        {"one root for each coordinate, d in all", roots[1] != 1 && roots[2] != 2, counts}};
    ev_check_decide(check, "covariance-unique", each && one && distance < 1e-8, counts, 3, others);
}

/* det of the n x n Jacobian of L -> L L^T is 2^d prod L_ii^(d - i + 1). */
static void decide_count(ev_check *check)
{
    double J[21 * 21], worst = 0, least = HUGE_VAL, at_zero = 0, pinned = 0;
    for (size_t d = 1; d <= MAX_D; d++) {
        double L[MAX_ENTRIES], closed = pow(2, (double)d), gram[MAX_ENTRIES];
        size_t n = d * (d + 1) / 2;
        leading_block(d, L);
        for (size_t i = 0; i < d; i++)
            closed *= pow(L[i * d + i], (double)(d - i));
        gram_jacobian(d, L, J);
        double det = ev_matrix_det(n, J);
        worst = larger(worst, fabs(det / closed - 1));
        least = smaller(least, fabs(det));
        L[d * d - 1] = 0;
        gram_jacobian(d, L, J);
        at_zero = larger(at_zero, fabs(ev_matrix_det(n, J)));
        /* Only the strict triangle free, the diagonal at 1: the variance of z_1 cannot move. */
        leading_block(d, L);
        for (size_t i = 0; i < d; i++)
            L[i * d + i] = 1;
        any_gram(d, L, gram);
        pinned = larger(pinned, fabs(gram[0] - 1));
    }
    const ev_alternative others[] = {
        {"d(d-1)/2 numbers, the strict triangle, reach every covariance", pinned < DBL_EPSILON,
         ev_check_format(
             check, "with the diagonal held at 1 the first variance stays 1, within %.0e", pinned)},
        {"a zero on the diagonal does no harm", at_zero < 1e-12,
         ev_check_format(check, "the determinant is then at most %.1e", at_zero)}};
    ev_check_decide(
        check, "covariance-count", worst < 1e-10 && least > 1e-6,
        ev_check_format(check,
                        "d = 1..6: the Jacobian of order d(d+1)/2 has determinant 2^d "
                        "prod L_ii^(d-i+1) to a relative %.1e, never below %.3g in size",
                        worst, least),
        2, others);
}

/* A zero in the second place, d = 3: a flat, and the divergence on the way there. */
static void decide_singular(ev_check *check)
{
    enum { D = 3, N = 1000, DECADES = 8 };
    double L[D * D], gram[D * D], z[N * D], v[D], worst = 0, wide = 0, kl[DECADES + 1];
    ev_stream stream = ev_check_stream(check, "flat");
    leading_block(D, L);
    L[4] = 0;
    ev_gaussian_full_sample(&stream, 0, N, D, MU, L, z);
    /* normal: L^T normal = 0; the first two rows of L are proportional */
    const double normal[D] = {L[3], -L[0], 0};
    for (size_t n = 0; n < N; n++) {
        double height = 0;
        for (size_t k = 0; k < D; k++) {
            v[k] = z[n * D + k] - MU[k];
            height += normal[k] * v[k];
        }
        worst = larger(worst, fabs(height));
        wide = larger(wide, fabs(v[0]));
    }
    any_gram(D, L, gram);
    double determinant = fabs(ev_matrix_det(D, gram)), steps = 0;
    for (int k = 0; k <= DECADES; k++) {
        L[4] = pow(10, -k);
        kl[k] = spherical_kl(D, MU, L);
    }
    /* a decade costs log 10, less half the square that is lost */
    for (int k = 1; k <= DECADES; k++)
        steps = larger(steps, fabs(kl[k] - kl[k - 1] - log(10) + 0.495 * pow(100, 1 - k)));
    double last = kl[DECADES] - kl[DECADES - 1];
    const char *growth = ev_check_format(
        check, "from L_22 = 1e-7 to 1e-8 it grows by %.10f = log 10", last);
    const ev_alternative others[] = {
        {"z still fills the space", worst < 1e-13 && determinant < 1e-13,
         ev_check_format(check, "1000 draws, %.1f wide, leave a plane by %.1e; det Sigma = %.1e",
                         wide, worst, determinant)},
        {"the divergence tends to a finite number", last > 2, growth},
        {"it grows like 1/L_22", last < 3, growth}};
    ev_check_decide(check, "covariance-singular",
                    worst < 1e-13 && determinant < 1e-13 && fabs(last - log(10)) < 1e-9 &&
                        steps < 1e-9,
                    ev_check_format(check,
                                    "draws leave the plane by %.1e, det Sigma = %.1e; the "
                                    "divergence grows by log 10 a decade (%.10f)",
                                    worst, determinant, last),
                    3, others);
}

/* Entries and covariances, all L with d = 3, diagonal in {-1, 1, 2}, entries below in {-1, 0, 1}. */
static void decide_readings(ev_check *check)
{
    enum { D = 3 };
    static const double DIAGONAL[] = {-1, 1, 2}, BELOW[] = {-1, 0, 1};
    size_t count = 0, agree = 0, hidden = 0, cancelled = 0;
    double L[D * D], gram[D * D], low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t i = 0; lattice(D, DIAGONAL, 3, BELOW, 3, i, L); i++) {
        any_gram(D, L, gram);
        bool no_entry = fabs(L[3]) + fabs(L[6]) + fabs(L[7]) < 0.5;
        bool no_covariance = fabs(gram[3]) + fabs(gram[6]) + fabs(gram[7]) < 0.5;
        count++;
        agree += no_entry == no_covariance;
        hidden += fabs(L[7]) < 0.5 && fabs(gram[7]) > 0.5;
        cancelled += fabs(L[7]) > 0.5 && fabs(gram[7]) < 0.5;
        if (L[3] > 0.5 && L[0] > 0.5) { /* L_21 = 1 */
            low = smaller(low, gram[3] / sqrt(gram[0] * gram[4]));
            high = larger(high, gram[3] / sqrt(gram[0] * gram[4]));
        }
    }
    const char *places = ev_check_format(
        check, "Sigma_32 = 0 with L_32 not 0 in %zu of %zu triangles, the reverse in %zu",
        cancelled, count, hidden);
    const char *range = ev_check_format(check,
                                        "with L_21 = 1 the correlation of z_1 and z_2 runs "
                                        "from %.4f to %.4f with the diagonal",
                                        low, high);
    const ev_alternative others[] = {
        {"an entry is zero exactly when the covariance at its place is",
         hidden > 0 && cancelled > 0, places},
        {"the off-diagonal entries alone determine the correlations", high - low > 0.1, range},
        {"correlations of a triangle that is not diagonal may all vanish", agree == count,
         ev_check_format(check, "in none of %zu", count)}};
    ev_check_decide(check, "covariance-off-diagonal-readings",
                    agree == count && hidden > 0 && cancelled > 0 && high - low > 0.1,
                    ev_check_format(check, "%zu of %zu triangles: diagonal together; %s; %s", agree,
                                    count, places, range),
                    3, others);
}

/* 4. Activations, and the divergence. --------------------------------------------------------*/

typedef bool (*float_test)(float u);

/* softplus rounded once: the double value is right to 1e-16. */
static float rounded_softplus(float u) { return (float)ev_softplus((double)u); }
static float textbook_softplus(float u) { return logf(1 + expf(u)); }
static float stable_softplus(float u) { return fmaxf(u, 0) + log1pf(expf(-fabsf(u))); }
static bool softplus_positive(float u) { return rounded_softplus(u) > 0; }
static bool softplus_normal(float u) { return rounded_softplus(u) >= FLT_MIN; }
static bool softplus_infinite(float u)
{
    return isinf(rounded_softplus(u)) || isinf(stable_softplus(u));
}
static bool exp_positive(float u) { return (float)exp((double)u) > 0; }
static bool exp_normal(float u) { return (float)exp((double)u) >= FLT_MIN; }
static bool exp_infinite(float u) { return isinf((float)exp((double)u)); }
static bool textbook_positive(float u) { return textbook_softplus(u) > 0; }
static bool textbook_infinite(float u) { return isinf(textbook_softplus(u)); }
static bool stable_positive(float u) { return stable_softplus(u) > 0; }

/* The first float of [low, high] that passes a monotone test; HUGE_VAL if high does not. */
static double first_float(float_test test, float low, float high)
{
    if (!test(high))
        return HUGE_VAL;
    while (nextafterf(low, high) < high) {
        float middle = low + (high - low) / 2;
        if (test(middle))
            high = middle;
        else
            low = middle;
    }
    return (double)high;
}

typedef struct {
    const char *what;
    float_test test;
    double at; /* the threshold in units of log 2 */
} threshold;

/* The farthest of the measured thresholds from the stated ones, in spacings of floats there. */
static double worst_threshold(void)
{
    static const threshold ALL[] = {{"softplus positive", softplus_positive, -150},
                                    {"exp positive", exp_positive, -150},
                                    {"softplus normal", softplus_normal, -126},
                                    {"exp normal", exp_normal, -126},
                                    {"exp infinite", exp_infinite, 128},
                                    {"textbook positive", textbook_positive, -24},
                                    {"textbook infinite", textbook_infinite, 128},
                                    {"stable positive", stable_positive, -150}};
    double worst = 0;
    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++) {
        float stated = (float)(ALL[i].at * EV_LOG_2);
        double spacing = fabs((double)nextafterf(stated, 1000) - (double)stated);
        worst = fmax(worst,
                     fabs(first_float(ALL[i].test, -200, 200) - ALL[i].at * EV_LOG_2) / spacing);
    }
    return worst;
}

/* Over floats of every exponent: the largest error of the stable form, in units of the last
 * place of a normal result. */
static double worst_stable(size_t *count)
{
    enum { STRIDE = 40961 };
    double worst = 0;
    *count = 0;
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += STRIDE) {
        uint32_t word = (uint32_t)bits;
        float u;
        memcpy(&u, &word, sizeof u);
        if (!isfinite(u) || !softplus_normal(u))
            continue;
        double exact = ev_softplus((double)u);
        worst = fmax(worst,
                     fabs((double)stable_softplus(u) - exact) / (exact * (double)FLT_EPSILON));
        ++*count;
    }
    return worst;
}

static void decide_floats(ev_check *check)
{
    size_t count;
    double zero = first_float(softplus_positive, -200, 200);
    double worst = worst_threshold(), stable = worst_stable(&count);
    double textbook = first_float(textbook_positive, -200, 200);
    double subnormal = first_float(softplus_normal, -200, 200);
    bool never = !softplus_infinite(FLT_MAX) && isinf(textbook_softplus(FLT_MAX));
    const char *smallest = ev_check_format(
        check, "the first float with a positive softplus is %.6f", zero);
    const ev_alternative wrong[] = {
        {"it is zero already where it stops being a normal number", subnormal - zero > 1, smallest},
        {"it is zero from the place where 1 + e^u rounds to 1", textbook - zero > 1, smallest}};
    ev_check_decide(check, "covariance-softplus-float", softplus_positive(-FLT_MAX), smallest, 2,
                    wrong);
    const ev_alternative others[] = {
        {"the textbook form is good wherever the exponential is", textbook - zero > 1,
         ev_check_format(check, "it is zero up to %.6f", textbook)},
        {"softplus overflows with the exponential", never,
         ev_check_format(check, "at the largest float it is %.8g",
                         (double)stable_softplus(FLT_MAX))},
        {"the stable form loses digits somewhere", stable < 4,
         ev_check_format(check, "at %zu floats its error is at most %.2f units of the last place",
                         count, stable)}};
    ev_check_decide(check, "covariance-float-range", worst <= 2 && never && stable < 4,
                    ev_check_format(check,
                                    "eight thresholds within %.1f spacings of the stated ones; "
                                    "stable form within %.2f units of the last place at %zu "
                                    "floats of every size",
                                    worst, stable, count),
                    3, others);
}

/* KL(N(mu, L L^T) || N(0, I)) over x = (mu, rows of L), d = 2: value as sums of squares and
 * logarithms, gradient mu, L_ij - [i = j]/L_ii. */
enum { KL_D = 2, KL_N = 5 };
static int kl_objective(void *context, size_t n, const double *x, double *value, double *gradient)
{
    const double first = x[2], entry = x[3], second = x[4];
    (void)context;
    (void)n;
    if (fabs(first) < 1e-12 || fabs(second) < 1e-12)
        return 1;
    *value = (x[0] * x[0] + x[1] * x[1] + entry * entry + first * first + second * second - KL_D) /
                 2 -
             log(fabs(first * second));
    if (gradient != NULL) {
        memcpy(gradient, x, KL_N * sizeof *x);
        gradient[2] -= 1 / first;
        gradient[4] -= 1 / second;
    }
    return 0;
}

/* Where minimisations from a lattice of starts end: sign patterns met (a bit each), the largest
 * distance of (|L|, mu) from (I, 0), the largest value there. */
static unsigned kl_ends(const ev_stream *stream, size_t *runs, double *distance, double *value)
{
    enum { STARTS = 200 };
    unsigned patterns = 0;
    *runs = 0;
    for (uint64_t i = 0; i < STARTS; i++) {
        double x[KL_N], end, norm;
        ev_stream_normals(stream, i * KL_N, KL_N, x);
        if (ev_minimise(kl_objective, NULL, KL_N, x, 1e-10, 2000, &end, &norm) != EV_OK)
            continue;
        ++*runs;
        patterns |= 1u << ((x[2] > 0) + 2 * (x[4] > 0));
        double L[KL_D * KL_D] = {x[2], 0, x[3], x[4]};
        *distance = larger(*distance, fmax(hypot(x[0], x[1]), fabs(x[3])));
        *distance = larger(*distance, fmax(fabs(fabs(x[2]) - 1), fabs(fabs(x[4]) - 1)));
        *value = larger(*value, fmax(fabs(end), fabs(spherical_kl(KL_D, x, L))));
    }
    return patterns;
}

/* The least excess of a chord's middle over the curve, over the chord's length squared. */
static double kl_convexity(const ev_stream *stream)
{
    double least = HUGE_VAL;
    for (uint64_t i = 0; i < 500; i++) {
        double x[2][KL_N], middle[KL_N], value[3] = {0, 0, 0}, length = 0;
        ev_stream_normals(stream, i * 2 * KL_N, 2 * KL_N, x[0]);
        for (size_t k = 0; k < KL_N; k++) {
            if (k == 2 || k == 4)
                for (int end = 0; end < 2; end++)
                    x[end][k] = exp(x[end][k]);
            middle[k] = (x[0][k] + x[1][k]) / 2;
            length += pow(x[0][k] - x[1][k], 2);
        }
        for (int end = 0; end < 2; end++)
            (void)kl_objective(NULL, KL_N, x[end], &value[end], NULL);
        (void)kl_objective(NULL, KL_N, middle, &value[2], NULL);
        least = smaller(least, ((value[0] + value[1]) / 2 - value[2]) / length);
    }
    return least;
}

static void decide_minimum(ev_check *check)
{
    size_t runs;
    double distance = 0, value = 0;
    ev_stream starts = ev_check_stream(check, "starts"), chords = ev_check_stream(check, "chords");
    unsigned patterns = kl_ends(&starts, &runs, &distance, &value);
    double convexity = kl_convexity(&chords), mean[KL_D] = {0, 0}, half[] = {0.5, 0, 0, 0.5};
    double leaning[] = {1, 0, 0.5, 1}, narrow = spherical_kl(KL_D, mean, half);
    double correlated = spherical_kl(KL_D, mean, leaning);
    const ev_alternative others[] = {
        {"one stationary point even without a condition on the diagonal", patterns == 15,
         ev_check_format(check, "all four sign patterns are met, d = 2, %zu minimisations", runs)},
        {"a narrower q does as well", narrow > 0.1,
         ev_check_format(check, "L = I/2: %.6f nats", narrow)},
        {"an entry off the diagonal may stay", correlated > 0.1,
         ev_check_format(check, "L_21 = 1/2: %.6f nats", correlated)}};
    ev_check_decide(check, "covariance-kl-minimum",
                    patterns == 15 && distance < 1e-6 && value < 1e-12 && convexity >= 0.1249 &&
                        runs > 150,
                    ev_check_format(check,
                                    "%zu minimisations end within %.1e of mu = 0, |L| = I, at "
                                    "all four signs, with a divergence of %.1e; least curvature "
                                    "of 500 chords within one sign %.4f > 0",
                                    runs, distance, value, convexity),
                    3, others);
}

/* E_q[log q - log p_0] by the trapezoidal rule, d = 2. */
static int log_ratio(void *context, size_t worker, size_t n, const double *const *e,
                     double *const *out)
{
    const double *L = context;
    static const double ZERO[KL_D] = {0, 0}, ONE[KL_D] = {1, 1};
    double eps[KL_D];
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double z[KL_D] = {MU[0] + L[0] * e[0][i], MU[1] + L[2] * e[0][i] + L[3] * e[1][i]};
        out[0][i] = ev_gaussian_full_log_density(KL_D, z, MU, L, eps) -
                    ev_gaussian_log_density(KL_D, z, ZERO, ONE);
    }
    return 0;
}

static void assert_kl(ev_check *check)
{
    double L[KL_D * KL_D];
    ev_integral found;
    size_t evaluations;
    leading_block(KL_D, L);
    if (ev_trapezoid_expect(KL_D, 0.25, 9, log_ratio, L, 1, &found, &evaluations) == EV_OK)
        ev_check_assert(
            check, "covariance-kl-quadrature",
            "KL(N(mu, L L^T) || N(0, I)), d = 2: the trapezoidal rule and the closed form",
            found.value, spherical_kl(KL_D, MU, L), 1e-11);
}

void check_general_covariance(ev_check *check);
void check_general_covariance(ev_check *check)
{
    for (size_t d = 1; d <= MAX_D; d++)
        compare_density(check, d);
    for (size_t d = 1; d <= KL_D; d++)
        compare_kl(check, d);
    refuted_sides(check);
    decide_bars(check);
    decide_law(check);
    decide_diagonal(check);
    decide_unique(check);
    decide_count(check);
    decide_singular(check);
    decide_readings(check);
    decide_floats(check);
    decide_minimum(check);
    assert_kl(check);
}
