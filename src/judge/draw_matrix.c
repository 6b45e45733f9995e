#include "judge/draw_matrix.h"

#include <math.h>
#include <string.h>

static const ev_domain reals = {.low = -HUGE_VAL, .high = HUGE_VAL};
static const ev_domain positives = {.low = 0.0, .low_open = true, .high = HUGE_VAL};

static void identity(size_t n, double scale, double *out)
{
    memset(out, 0, n * n * sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i * n + i] = scale;
}

static bool wants_nonzero_diagonal(unsigned structure)
{
    bool triangular = (structure & EV_MATRIX_LOWER) != 0;
    return (structure & EV_MATRIX_NONZERO_DIAGONAL) != 0 ||
           (triangular && (structure & EV_MATRIX_INVERTIBLE) != 0);
}

/* Diagonals in [0.45, 2.2] beside entries of half the usual size: a triangular matrix whose
 * diagonal is small beside the rest has an inverse so large that rounding hides everything. */
static double draw_diagonal(const ev_draw *draw, unsigned structure)
{
    bool nonzero = wants_nonzero_diagonal(structure);
    if ((structure & EV_MATRIX_POSITIVE_DIAGONAL) == 0 && !nonzero)
        return ev_draw_real(draw, &reals);
    double size = ev_draw_rounded(sqrt(ev_draw_real(draw, &positives)));
    return nonzero && ev_dice_uniform(draw->dice) < 0.5 ? -size : size;
}

static double draw_off_diagonal(const ev_draw *draw, unsigned structure)
{
    double x = ev_draw_real(draw, &reals);
    return (structure & EV_MATRIX_LOWER) != 0 ? ev_draw_rounded(0.5 * x) : x;
}

/* Orthogonal: a rotation in every coordinate plane, then perhaps a reflection, which reaches
 * every orthogonal matrix.  In the round style the rotations are those of 3-4-5. */
static void draw_orthogonal(const ev_draw *draw, size_t n, double *out)
{
    identity(n, 1.0, out);
    for (size_t p = 0; p < n; p++)
        for (size_t q = p + 1; q < n; q++) {
            double angle = 6.283185307179586 * ev_dice_uniform(draw->dice);
            double c = draw->style == EV_DRAW_ROUND ? 0.6 : cos(angle);
            double s = draw->style == EV_DRAW_ROUND ? 0.8 : sin(angle);
            for (size_t j = 0; j < n; j++) {
                double a = out[p * n + j], b = out[q * n + j];
                out[p * n + j] = c * a - s * b;
                out[q * n + j] = s * a + c * b;
            }
        }
    if (ev_dice_uniform(draw->dice) < 0.5)
        for (size_t j = 0; j < n; j++)
            out[j] = -out[j];
}

/* A A' + I/2 with entries rounded to 1/100: the rounding, 0.005 n in norm at most, can't undo
 * the half. */
static void draw_positive_definite(const ev_draw *draw, size_t n, double *out)
{
    double *a = out; /* the lower triangle of A, then overwritten from the last entry back */
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            a[i * n + j] = j > i ? 0.0 : 0.8 * ev_draw_real(draw, &reals);
    for (size_t i = n; i-- > 0;)
        for (size_t j = i + 1; j-- > 0;) {
            double sum = i == j ? 0.5 : 0.0;
            for (size_t k = 0; k <= j; k++)
                sum += a[i * n + k] * a[j * n + k];
            out[j * n + i] = round(100.0 * sum) / 100.0; /* upper triangle: A is not there */
        }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            out[i * n + j] = out[j * n + i];
}

/* Diagonally dominant, so never near singular. */
static void make_dominant(const ev_draw *draw, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (size_t j = 0; j < n; j++)
            sum += i == j ? 0.0 : fabs(out[i * n + j]);
        double sign = out[i * n + i] < 0.0 ? -1.0 : 1.0;
        out[i * n + i] = sign * ev_draw_rounded(sum + ev_draw_real(draw, &positives));
    }
}

void ev_draw_matrix(const ev_draw *draw, ev_shape shape, double *out)
{
    size_t n = shape.rows;
    unsigned structure = shape.domain->structure;
    if ((structure & EV_MATRIX_ORTHOGONAL) != 0) {
        draw_orthogonal(draw, n, out);
        return;
    }
    if ((structure & EV_MATRIX_POSITIVE_DEFINITE) != 0) {
        draw_positive_definite(draw, n, out);
        return;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            out[i * n + j] = i == j ? draw_diagonal(draw, structure)
                                    : draw_off_diagonal(draw, structure);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            if ((structure & EV_MATRIX_LOWER) != 0)
                out[i * n + j] = 0.0;
            else if ((structure & EV_MATRIX_SYMMETRIC) != 0)
                out[i * n + j] = out[j * n + i];
        }
    if ((structure & EV_MATRIX_INVERTIBLE) != 0 && (structure & EV_MATRIX_LOWER) == 0)
        make_dominant(draw, n, out);
}

size_t ev_draw_matrix_corner_count(ev_shape shape)
{
    (void)shape;
    return 4;
}

static void reverse_permutation(size_t n, double *out)
{
    memset(out, 0, n * n * sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i * n + (n - 1 - i)] = 1.0;
}

/* Correlations of 0.9: positive definite, far from diagonal. */
static void correlated(size_t n, double *out)
{
    for (size_t i = 0; i < n * n; i++)
        out[i] = i % (n + 1) == 0 ? 1.0 : 0.9;
}

/* A diagonal of 1, 2, 3, ...; alternating signs where they are allowed. */
static void stepped_diagonal(size_t n, bool signs, double *out)
{
    identity(n, 1.0, out);
    for (size_t i = 0; i < n; i++)
        out[i * n + i] = (signs && i % 2 == 0 ? -1.0 : 1.0) * (double)(i + 1);
}

/* The identity; a structure's own hazard; a stepped diagonal; a small scale. */
void ev_draw_matrix_corner(const ev_draw *draw, ev_shape shape, size_t which, double *out)
{
    size_t n = shape.rows;
    unsigned structure = shape.domain->structure;
    bool orthogonal = (structure & EV_MATRIX_ORTHOGONAL) != 0;
    bool definite = (structure & EV_MATRIX_POSITIVE_DEFINITE) != 0;
    bool lower = (structure & EV_MATRIX_LOWER) != 0;
    bool signs = !definite && (structure & EV_MATRIX_POSITIVE_DIAGONAL) == 0;
    if (which == 0) {
        identity(n, 1.0, out);
    } else if (orthogonal) {
        if (which == 1)
            reverse_permutation(n, out);
        else if (which == 2)
            identity(n, -1.0, out);
        else
            ev_draw_matrix(draw, shape, out);
    } else if (which == 1) {
        if (definite)
            correlated(n, out);
        else if (signs && !lower && (structure & EV_MATRIX_NONZERO_DIAGONAL) == 0)
            reverse_permutation(n, out);
        else
            stepped_diagonal(n, signs, out);
    } else if (which == 2) {
        stepped_diagonal(n, signs, out);
    } else {
        identity(n, 0.05, out);
    }
}
