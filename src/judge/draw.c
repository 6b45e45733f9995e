#include "judge/draw.h"

#include "judge/draw_matrix.h"

#include <math.h>
#include <stdlib.h>

/* 0 and 1 are not among these: they are corners, and hide what is wrong (a lost square, a lost
 * factor sigma). */
static const double round_reals[] = {-0.5, 2,    0.5,   -2,  1.5,   -1.5, 3,    0.25,
                                     -3,   0.75, -0.75, 2.5, -0.25, -2.5, 1.25, -1.25};
static const double round_positives[] = {2,    0.5,  1.5,  3,   0.75, 2.5,
                                         0.25, 1.25, 1.75, 0.4, 0.6,  0.8};
static const double round_fractions[] = {0.25, 0.6, 0.75, 0.4, 0.3, 0.8, 0.2, 0.7, 0.9, 0.1};

#define LENGTH(table) (sizeof(table) / sizeof *(table))

double ev_draw_rounded(double x)
{
    if (!isfinite(x) || fabs(x) < 1e-200)
        return isfinite(x) ? 0.0 : x;
    int decimals = 2 - (int)floor(log10(fabs(x)));
    double power = pow(10.0, abs(decimals));
    return decimals > 0 ? round(x * power) / power : round(x / power) * power;
}

bool ev_domain_same(const ev_domain *a, const ev_domain *b)
{
    return !(a->low < b->low || a->low > b->low || a->high < b->high || a->high > b->high) &&
           a->low_open == b->low_open && a->high_open == b->high_open && a->binary == b->binary &&
           a->simplex == b->simplex && a->structure == b->structure;
}

static bool inside(const ev_domain *domain, double x)
{
    return (domain->low_open ? x > domain->low : x >= domain->low) &&
           (domain->high_open ? x < domain->high : x <= domain->high);
}

static double from_table(const ev_draw *draw, const double *table, size_t length)
{
    return table[ev_dice_below(draw->dice, length)];
}

/* x to a thousandth of the width (at least), as the double nearest to the decimal. */
static double on_grid(double x, double width)
{
    int decimals = 3 - (int)floor(log10(width));
    double power = pow(10.0, abs(decimals));
    return decimals > 0 ? round(x * power) / power : x;
}

/* Unbounded: N(0, 1.5^2).  A half-line: its end plus a log-uniform distance in [0.2, 5].
 * An interval: uniform. */
static double draw_once(const ev_draw *draw, const ev_domain *domain)
{
    bool round_style = draw->style == EV_DRAW_ROUND;
    if (!isfinite(domain->low) && !isfinite(domain->high))
        return round_style ? draw->spread * from_table(draw, round_reals, LENGTH(round_reals))
                           : ev_draw_rounded(1.5 * draw->spread * ev_dice_normal(draw->dice));
    if (isfinite(domain->low) && isfinite(domain->high)) {
        double u = round_style ? from_table(draw, round_fractions, LENGTH(round_fractions))
                               : ev_dice_uniform(draw->dice);
        return on_grid(domain->low + (domain->high - domain->low) * u, domain->high - domain->low);
    }
    double power = (2.0 * ev_dice_uniform(draw->dice) - 1.0) * draw->spread;
    double distance = round_style ? from_table(draw, round_positives, LENGTH(round_positives))
                                  : ev_draw_rounded(pow(5.0, power));
    return on_grid(isfinite(domain->low) ? domain->low + distance : domain->high - distance,
                   distance);
}

static bool taken(const ev_draw *draw, double x)
{
    for (size_t i = 0; i < draw->used_count; i++)
        if (!(draw->used[i] < x || draw->used[i] > x))
            return true;
    return false;
}

double ev_draw_real(const ev_draw *draw, const ev_domain *domain)
{
    if (domain->binary)
        return ev_dice_uniform(draw->dice) < 0.5 ? 0.0 : 1.0;
    if (!(domain->low < domain->high))
        return domain->low;
    ev_draw again = *draw;
    for (size_t i = 0; i < 60; i++) {
        if (i == 20) /* the table of round numbers may be used up */
            again.style = EV_DRAW_RANDOM;
        double x = draw_once(&again, domain);
        if (inside(domain, x) && (i > 40 || !taken(draw, x)))
            return x;
    }
    if (isfinite(domain->low) && isfinite(domain->high))
        return 0.5 * (domain->low + domain->high);
    return isfinite(domain->low) ? domain->low + 1.0 : domain->high - 1.0;
}

/* Weights from log-uniform shares, as multiples of 1/20 or 1/1000 that add up exactly before
 * they are divided; none is 0. */
static void draw_simplex(const ev_draw *draw, size_t n, double *out)
{
    double unit = draw->style == EV_DRAW_ROUND && n <= 5 ? 20.0 : n <= 100 ? 1000.0 : 1e6;
    double total = 0.0, rest = unit;
    for (size_t i = 0; i < n; i++)
        total += out[i] = pow(6.0, 2.0 * ev_dice_uniform(draw->dice) - 1.0);
    for (size_t i = 0; i < n; i++) {
        double most = rest - (double)(n - 1 - i); /* leaves one unit for each of the others */
        out[i] = i + 1 == n ? rest : fmax(1.0, fmin(round(unit * out[i] / total), most));
        rest -= out[i];
    }
    for (size_t i = 0; i < n; i++)
        out[i] /= unit;
}

/* Entries that differ from each other where the domain leaves room. */
static void draw_entries(const ev_draw *draw, const ev_domain *domain, size_t n, double *out)
{
    ev_draw before = {.used = out};
    for (size_t i = 0; i < n; i++) {
        before.used_count = i;
        for (size_t again = 0; again < 8; again++) {
            out[i] = ev_draw_real(draw, domain);
            if (domain->binary || !taken(&before, out[i]))
                break;
        }
    }
}

void ev_draw_generic(const ev_draw *draw, ev_shape shape, double *out)
{
    size_t n = shape.rows * shape.cols;
    if (shape.domain->simplex) {
        draw_simplex(draw, n, out);
    } else if (shape.rank == 2 && shape.domain->structure != 0 && shape.rows == shape.cols) {
        ev_draw_matrix(draw, shape, out);
    } else {
        draw_entries(draw, shape.domain, n, out);
    }
}

/* Corners of one real number; their order is their harmlessness. */
static size_t real_corners(const ev_domain *domain, double out[8])
{
    size_t n = 0;
    bool low = isfinite(domain->low), high = isfinite(domain->high);
    if (domain->binary) {
        out[n++] = 0.0;
        out[n++] = 1.0;
    } else if (!low && !high) {
        const double values[] = {0.0, 1.0, -1.0, 10.0, 1e-3, -0.5};
        for (size_t i = 0; i < LENGTH(values); i++)
            out[n++] = values[i];
    } else if (low && high) {
        const double fractions[] = {0.5, 0.01, 0.99};
        for (size_t i = 0; i < LENGTH(fractions); i++)
            out[n++] = on_grid(domain->low + fractions[i] * (domain->high - domain->low),
                               domain->high - domain->low);
    } else {
        const double distances[] = {1.0, 0.05, 10.0};
        for (size_t i = 0; i < LENGTH(distances); i++)
            out[n++] = low ? domain->low + distances[i] : domain->high - distances[i];
    }
    if (!domain->binary && low && !domain->low_open)
        out[n++] = domain->low;
    if (!domain->binary && high && !domain->high_open)
        out[n++] = domain->high;
    return n;
}

/* Uniform, nearly one-hot, one-hot (when the domain is closed). */
static void simplex_corner(const ev_domain *domain, size_t n, size_t which, double *out)
{
    double rest = which == 1 ? 0.01 : 0.0;
    size_t hot = which == 1 || n < 2 ? 0 : n - 1;
    if (which == 2 && domain->low_open)
        which = 0;
    for (size_t i = 0; i < n; i++)
        out[i] = which == 0 ? 1.0 / (double)n : i == hot ? 1.0 - rest * (double)(n - 1) : rest;
}

size_t ev_draw_corner_count(ev_shape shape)
{
    double values[8];
    if (shape.domain->simplex)
        return 3;
    if (shape.rank == 2 && shape.domain->structure != 0 && shape.rows == shape.cols)
        return ev_draw_matrix_corner_count(shape);
    return real_corners(shape.domain, values);
}

void ev_draw_corner(const ev_draw *draw, ev_shape shape, size_t which, double *out)
{
    double values[8];
    size_t n = shape.rows * shape.cols;
    if (shape.domain->simplex) {
        simplex_corner(shape.domain, n, which, out);
    } else if (shape.rank == 2 && shape.domain->structure != 0 && shape.rows == shape.cols) {
        ev_draw_matrix_corner(draw, shape, which, out);
    } else {
        size_t count = real_corners(shape.domain, values);
        for (size_t i = 0; i < n; i++)
            out[i] = values[which % count];
    }
}
