/* Which L give which Sigma: signs, zeros, entries, counts, over lattices of all small L. */
#include "numerics/linear_algebra.h"
#include "probability/gaussian_full.h"
#include "roots.h"

#include <float.h>
#include <math.h>
#include <string.h>

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
    covariance_any_gram(d, L, gram);
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

void covariance_decide_diagonal(ev_check *check)
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
        covariance_any_gram(d, L, gram);
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
    covariance_any_gram(d, A, Sigma);
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

void covariance_decide_unique(ev_check *check)
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
    ev_check_prints(check, "covariance-unique", "exactly one lower triangular root with positive");
    ev_check_prints(check, "covariance-unique", "exactly $2^d$ lower triangular roots");
    ev_check_decide(check, "covariance-unique", each && one && distance < 1e-8, counts, 3, others);
}

/* det of the n x n Jacobian of L -> L L^T is 2^d prod L_ii^(d - i + 1). */
void covariance_decide_count(ev_check *check)
{
    double J[21 * 21], worst = 0, least = HUGE_VAL, at_zero = 0, pinned = 0;
    for (size_t d = 1; d <= MAX_D; d++) {
        double L[MAX_ENTRIES], closed = pow(2, (double)d), gram[MAX_ENTRIES];
        size_t n = d * (d + 1) / 2;
        covariance_leading_block(d, L);
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
        covariance_leading_block(d, L);
        for (size_t i = 0; i < d; i++)
            L[i * d + i] = 1;
        covariance_any_gram(d, L, gram);
        pinned = larger(pinned, fabs(gram[0] - 1));
    }
    const ev_alternative others[] = {
        {"d(d-1)/2 numbers, the strict triangle, reach every covariance", pinned < DBL_EPSILON,
         ev_check_format(
             check, "with the diagonal held at 1 the first variance stays 1, within %.0e", pinned)},
        {"a zero on the diagonal does no harm", at_zero < 1e-12,
         ev_check_format(check, "the determinant is then at most %.1e", at_zero)}};
    ev_check_prints(check, "covariance-count", "map from the $\\frac12 d(d+1)$ entries");
    ev_check_prints(check, "covariance-count", "with the mean that is $\\frac12 d(d+3)$");
    ev_check_decide(
        check, "covariance-count", worst < 1e-10 && least > 1e-6,
        ev_check_format(check,
                        "d = 1..6: the Jacobian of order d(d+1)/2 has determinant 2^d "
                        "prod L_ii^(d-i+1) to a relative %.1e, never below %.3g in size",
                        worst, least),
        2, others);
}

/* A zero in the second place, d = 3: a flat, and the divergence on the way there. */
void covariance_decide_singular(ev_check *check)
{
    enum { D = 3, N = 1000, DECADES = 8 };
    double L[D * D], gram[D * D], z[N * D], v[D], worst = 0, wide = 0, kl[DECADES + 1];
    ev_stream stream = ev_check_stream(check, "flat");
    covariance_leading_block(D, L);
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
    covariance_any_gram(D, L, gram);
    double determinant = fabs(ev_matrix_det(D, gram)), steps = 0;
    for (int k = 0; k <= DECADES; k++) {
        L[4] = pow(10, -k);
        kl[k] = covariance_spherical_kl(D, MU, L);
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
void covariance_decide_readings(ev_check *check)
{
    enum { D = 3 };
    static const double DIAGONAL[] = {-1, 1, 2}, BELOW[] = {-1, 0, 1};
    size_t count = 0, agree = 0, hidden = 0, cancelled = 0;
    double L[D * D], gram[D * D], low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t i = 0; lattice(D, DIAGONAL, 3, BELOW, 3, i, L); i++) {
        covariance_any_gram(D, L, gram);
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
