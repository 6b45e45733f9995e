/* The second voice of derivations/general_covariance.md.
 *
 * 1. The printed lines against src/probability, and against inverses and determinants by LU,
 *    which know nothing of triangles (here).
 * 2. z = mu + L eps by sampling, d = 1..6: mean, covariance, the whole law (law.c).
 * 3. Which L give which Sigma: signs, zeros, entries, counts (factors.c).
 * 4. softplus and exp over the floats (floats.c); the divergence from N(0, I) (divergence.c).
 */
#include "general_covariance/roots.h"
#include "numerics/linear_algebra.h"
#include "numerics/quadrature.h"
#include "probability/gaussian_full.h"
#include "probability/log_space.h"

#include <math.h>

/* log N(z; mu, Sigma) from Sigma alone, by LU. */
static double log_density_by_lu(size_t d, const double *z, const double *mu, const double *Sigma)
{
    double inverse[MAX_ENTRIES], difference[MAX_D];
    if (ev_matrix_inverse(d, Sigma, inverse) != EV_OK)
        return (double)NAN;
    for (size_t i = 0; i < d; i++)
        difference[i] = z[i] - mu[i];
    return -0.5 * (covariance_quadratic_form(d, inverse, difference) + (double)d * EV_LOG_2PI +
                   log(ev_matrix_det(d, Sigma)));
}

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
    covariance_leading_block(d, L);
    covariance_any_gram(d, L, gram);
    covariance_transpose(d, L, U);
    covariance_any_gram(d, U, upper);
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

static void compare_kl(ev_check *check, size_t d)
{
    double L[MAX_ENTRIES];
    covariance_leading_block(d, L);
    compare(check, "covariance-kl", 1, 1, d, L, covariance_spherical_kl(d, MU, L));
    compare(check, "covariance-kl", 2, 2, d, L, covariance_spherical_kl(d, MU, L));
    compare(check, "covariance-entropy", 1, 1, d, L, ev_gaussian_full_entropy(d, L));
}

/* z = mu + L e in two dimensions, and the functions of it that the lines average over. */
static const double T[2] = {0.4, -0.3};
static int transformed(void *context, size_t worker, size_t n, const double *const *e,
                       double *const *out)
{
    const double *L = context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double z0 = MU[0] + L[0] * e[0][i], z1 = MU[1] + L[2] * e[0][i] + L[3] * e[1][i];
        double along = T[0] * (z0 - MU[0]) + T[1] * (z1 - MU[1]);
        out[0][i] = z0;
        out[1][i] = z1;
        out[2][i] = along * along;
        out[3][i] = cos(T[0] * z0 + T[1] * z1);
    }
    return 0;
}

static void law_sides(ev_check *check)
{
    double L[4], gram[4];
    ev_integral found[4];
    size_t evaluations;
    covariance_leading_block(2, L);
    covariance_any_gram(2, L, gram);
    if (ev_trapezoid_expect(2, 0.25, 9, transformed, L, 4, found, &evaluations) != EV_OK)
        return;
    double spread = covariance_quadratic_form(2, gram, T);
    double wave = cos(T[0] * MU[0] + T[1] * MU[1]) * exp(-spread / 2);
    for (size_t j = 0; j < 2; j++)
        ev_check_sides(check, "covariance-mean", 1, found[j].value, 1e-12, MU[j], 1e-12);
    ev_check_sides(check, "covariance-of-z", 1, found[2].value, 1e-12, spread, 1e-12);
    ev_check_sides(check, "covariance-characteristic", 1, found[3].value, 1e-12, wave, 1e-12);
}

/* By substitution and by products: the inverse, the quadratic forms, the counts, softplus. */
static void algebra_sides(ev_check *check)
{
    enum { D = 4 };
    double L[D * D], gram[D * D], shift[D], back[D], form, norm = 0, strict = 0, all = 0;
    covariance_leading_block(D, L);
    covariance_any_gram(D, L, gram);
    for (size_t i = 0; i < D; i++) {
        double column = 0;
        shift[i] = 0;
        for (size_t j = 0; j < D; j++) {
            shift[i] += L[i * D + j] * Z[j];
            column += L[j * D + i] * Z[j];
            strict += j < i;
            all += j <= i;
        }
        norm += column * column;
    }
    ev_solve_lower(D, L, shift, back);
    form = covariance_quadratic_form(D, gram, Z);
    for (size_t i = 0; i < D; i++)
        ev_check_sides(check, "covariance-inverse", 1, back[i], 1e-13, Z[i], 1e-13);
    ev_check_sides(check, "covariance-nonzero-suffices", 1, form, 1e-12, norm, 1e-12);
    ev_check_sides(check, "covariance-nonzero-suffices", 2, norm, 1e-12, 0, 0);
    for (size_t k = 0; k < D; k++)
        L[k * D + 1] = 0; /* a column erased */
    covariance_any_gram(D, L, gram);
    ev_check_sides(check, "covariance-semidefinite", 1, covariance_quadratic_form(D, gram, Z),
                   1e-12, 0, 0);
    ev_check_sides(check, "covariance-count-strict", 1, strict, 0, D * (D - 1) / 2, 0);
    ev_check_sides(check, "covariance-count-printed", 1, all, 0, D * (D - 1) / 2, 0);
    ev_check_sides(check, "covariance-count-all", 1, all, 0, D * (D + 1) / 2, 0);
    for (double u = -8; u < 9; u += 2.7) {
        ev_check_sides(check, "covariance-softplus", 1, ev_softplus(u), 1e-14, log(1 + exp(u)),
                       1e-14);
        ev_check_sides(check, "covariance-softplus", 2, ev_softplus(u), 1e-14, 0, 0);
    }
}

/* What the entries of L L^T are made of, d = 3. */
static void entries_sides(ev_check *check)
{
    enum { D = 3 };
    double L[D * D], gram[D * D], square = 0, inner = 0;
    covariance_leading_block(D, L);
    covariance_any_gram(D, L, gram);
    for (size_t k = 0; k < D; k++) {
        square += L[2 * D + k] * L[2 * D + k];
        inner += k < 2 ? L[2 * D + k] * L[D + k] : 0;
    }
    ev_check_sides(check, "covariance-off-diagonal-two", 1, gram[D], 1e-14, L[D] * L[0], 1e-14);
    ev_check_sides(check, "covariance-off-diagonal-two", 2,
                   gram[D] / sqrt(gram[0] * gram[D + 1]) * (L[0] > 0 ? 1 : -1), 1e-14,
                   L[D] / hypot(L[D], L[D + 1]), 1e-14);
    ev_check_sides(check, "covariance-entries", 1, gram[2 * D + 1], 1e-14, inner, 1e-14);
    ev_check_sides(check, "covariance-variance", 1, gram[2 * D + 2], 1e-14, square, 1e-14);
    ev_check_sides(check, "covariance-variance", 2, square, 1e-14, pow(L[2 * D + 2], 2), 1e-14);
}

/* Both sides of the refuted lines at one point, d = 3: by LU and by sums over entries. */
static void refuted_sides(ev_check *check)
{
    enum { D = 3 };
    double L[D * D], U[D * D], gram[D * D], other[D * D], inverse[D * D], exchanged[D * D];
    double t[D] = {0.4, -0.3, 0.2}, v[D], eps[D], diagonal = 0, rest = 0;
    covariance_leading_block(D, L);
    covariance_transpose(D, L, U);
    covariance_any_gram(D, L, gram);
    covariance_any_gram(D, U, other);
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
    double kl = covariance_spherical_kl(D, MU, L);
    const struct {
        const char *claim;
        double left, right;
    } line[] = {{"covariance-order", covariance_quadratic_form(D, gram, t),
                 covariance_quadratic_form(D, other, t)},
                /* det L < 0 when the sign of one column is changed */
                {"covariance-change-signed", density, -noise / fabs(det)},
                {"covariance-inverse-order", covariance_quadratic_form(D, inverse, v),
                 covariance_quadratic_form(D, exchanged, v)},
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
void covariance_decide_bars(ev_check *check)
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
        covariance_any_gram(d, L, gram);
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

void check_general_covariance(ev_check *check);
void check_general_covariance(ev_check *check)
{
    for (size_t d = 1; d <= MAX_D; d++)
        compare_density(check, d);
    for (size_t d = 1; d <= KL_D; d++)
        compare_kl(check, d);
    law_sides(check);
    algebra_sides(check);
    entries_sides(check);
    refuted_sides(check);
    covariance_decide_bars(check);
    covariance_decide_law(check);
    covariance_decide_diagonal(check);
    covariance_decide_unique(check);
    covariance_decide_count(check);
    covariance_decide_singular(check);
    covariance_decide_readings(check);
    covariance_decide_floats(check);
    covariance_decide_minimum(check);
    covariance_assert_kl(check);
}
