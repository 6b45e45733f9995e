/* Where the count and the global minimum change: roots, by both rules. */
#include "landscape.h"
#include "numerics/minimise.h"
#include "probability/log_space.h"

/* For a given tau at most one mu > 0 has slope 0 (tanh, averaged, is concave there). */
static double slope_at_mu(void *context, double mu)
{
    const place *at = context;
    return mode_split(at->m, mu, at->tau).mu;
}

/* Minus the slope in tau along that curve. */
static double slope_along(void *context, double tau)
{
    place at = {*(const double *)context, 0, tau};
    double mu;
    if (mode_split(at.m, 0, tau).mu_mu >= 0)
        return 1;
    double low = 0.5;
    while (low > 1e-6 && mode_split(at.m, low, tau).mu > 0)
        low /= 4;
    if (ev_root(slope_at_mu, &at, low, 1.01 * at.m, 1e-15, &mu) != EV_OK)
        return HUGE_VAL;
    return -mode_split(at.m, mu, tau).tau;
}

/* The largest slope in tau along the curve of mu; positive when outer minima exist. */
static double largest_slope(void *context, double m)
{
    static const double COARSE = 0.1;
    double best = HUGE_VAL, at = 1, value;
    (void)context;
    for (double tau = 1; tau < m; tau += COARSE) {
        double now = slope_along(&m, tau);
        if (now < best) {
            best = now;
            at = tau;
        }
    }
    if (ev_minimise_scalar(slope_along, &m, fmax(at - COARSE, 1), at + COARSE, 1e-9, &at, &value) !=
        EV_OK)
        value = best;
    return -fmin(value, best);
}

/* Both slopes and the determinant of the Hessian at (mu, tau, m). */
static void fold_equations(rule at, const double x[3], double out[3])
{
    landscape l = at(x[2], x[0], x[1]);
    out[0] = l.mu;
    out[1] = l.tau;
    out[2] = l.mu_mu * l.tau_tau - l.mu_tau * l.mu_tau;
}

/* Newton for the three, differences for derivatives, from a rough start; the last step's size. */
static double solve_fold(rule at, double x[3])
{
    double size = HUGE_VAL;
    for (int iteration = 0; iteration < 12 && size > 1e-13; iteration++) {
        double f[3], up[3], down[3], y[3], J[3][3];
        fold_equations(at, x, f);
        for (int j = 0; j < 3; j++) {
            for (int k = 0; k < 3; k++)
                y[k] = x[k];
            y[j] = x[j] + 1e-5;
            fold_equations(at, y, up);
            y[j] = x[j] - 1e-5;
            fold_equations(at, y, down);
            for (int i = 0; i < 3; i++)
                J[i][j] = (up[i] - down[i]) / 2e-5;
        }
        double cross[3][3], det = 0;
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++)
                cross[i][j] = J[(i + 1) % 3][(j + 1) % 3] * J[(i + 2) % 3][(j + 2) % 3] -
                              J[(i + 1) % 3][(j + 2) % 3] * J[(i + 2) % 3][(j + 1) % 3];
        for (int j = 0; j < 3; j++)
            det += J[0][j] * cross[0][j];
        size = 0;
        for (int j = 0; j < 3; j++) {
            double step = 0;
            for (int i = 0; i < 3; i++)
                step += cross[i][j] * f[i] / det;
            x[j] -= step;
            size = larger(size, fabs(step));
        }
    }
    return size;
}

void mode_decide_fold(ev_check *check, const surveys *all)
{
    double fold = 0, x[3] = {2.1, 1.3, 2.4}, y[3] = {2.1, 1.3, 2.4}, last = -HUGE_VAL;
    bool rises = true;
    ev_status status = ev_root(largest_slope, NULL, 2.3, 2.5, 1e-14, &fold);
    double step = fmax(solve_fold(mode_raw, x), solve_fold(mode_split, y));
    double between = fmax(fabs(fold - x[2]), fabs(y[2] - x[2]));
    between = larger(between, fmax(fabs(x[0] - y[0]), fabs(x[1] - y[1])));
    size_t changes = 0;
    for (int i = 0; i <= 60; i++) {
        double now = largest_slope(NULL, 1.5 + 6.5 * i / 60);
        changes += i > 0 && (now > 0) != (last > 0);
        rises = rises && now > last;
        last = now;
    }
    double off = fmax(fabs(fold - FOLD), fabs(x[2] - FOLD));
    double place_off = fmax(fabs(x[0] - FOLD_MU), fabs(x[1] - FOLD_TAU));
    const char *value = ev_check_format(check,
                                        "m/s = %.11f by two slopes and a determinant, %.11f by "
                                        "the largest slope along a curve; mu = %.10f, tau = %.10f",
                                        x[2], fold, x[0], x[1]);
    const ev_alternative others[] = {
        {"it changes where p becomes bimodal, m = s", fabs(fold - 1) > 1e-3, value},
        {"it changes where the width-fixed picture does, at 1.4608", fabs(fold - WIDTH[0].m) > 1e-3,
         value},
        {"the outer minima branch off from the middle, mu = 0", x[0] > 1, value}};
    bool holds = status == EV_OK && step < 1e-10 && between < 1e-10 && off < TENTH_DIGIT &&
                 place_off < 10 * TENTH_DIGIT && rises && changes == 1 && mode_sound(all);
    ev_check_prints(check, "mode-fold", "at $m/s = %.9f$", FOLD);
    ev_check_decide(
        check, "mode-fold", holds,
        ev_check_format(
            check,
            "%s; both rules and both ways within %.0e; over 61 separations from 1.5 to 8 the "
            "slope rises and changes sign %zu time",
            value, between, changes),
        3, others);
}

static double depth_difference(rule at, double m)
{
    double mu, tau, middle;
    if (!mode_outer_minimum(at, m, &mu, &tau) || !mode_middle_minimum(at, m, &middle))
        return (double)NAN;
    return at(m, mu, tau).value - at(m, 0, middle).value;
}
static double split_difference(void *context, double m)
{
    (void)context;
    return depth_difference(mode_split, m);
}
static double raw_difference(void *context, double m)
{
    (void)context;
    return depth_difference(mode_raw, m);
}

void mode_decide_equal(ev_check *check, const surveys *all)
{
    double one = 0, two = 0, last = HUGE_VAL, deepest = 0;
    bool falls = true, right = true;
    bool found = ev_root(split_difference, NULL, 2.5, 3.5, 1e-14, &one) == EV_OK &&
                 ev_root(raw_difference, NULL, 2.5, 3.5, 1e-14, &two) == EV_OK;
    for (double m = 2.43; m < 8; m += 0.05) {
        double now = depth_difference(mode_split, m);
        falls = falls && now < last;
        last = now;
    }
    size_t single = 0, shared = 0;
    double limit = HUGE_VAL;
    for (size_t i = 0; i < SEPARATIONS; i++) {
        size_t places;
        bool middle;
        double least = mode_least_value(&all->at[i], &places, &middle);
        bool far = all->at[i].m > EQUAL;
        right = right && middle == !far && places == (far ? 2u : 1u);
        single += places == 1;
        shared += places == 2;
        deepest = larger(deepest, least - EV_LOG_2);
        limit = EV_LOG_2 - least; /* the last is the one at m = 8 */
    }
    const char *value = ev_check_format(check, "m/s = %.11f and %.11f by the two rules", one, two);
    const char *places = ev_check_format(
        check,
        "of %d separations %zu have one global minimum, at 0, "
        "and %zu two; the least value is never more than log 2 %+.1e",
        SEPARATIONS, single, shared, deepest);
    const ev_alternative equal[] = {
        {"the outer minima are the global ones as soon as they exist",
         depth_difference(mode_split, 2.43) > 0.01, value},
        {"the middle one is always the global one", last < -0.01, value}};
    ev_check_prints(check, "mode-equal", "at $m/s = %.9f$", EQUAL);
    ev_check_decide(check, "mode-equal",
                    found && fmax(fabs(one - EQUAL), fabs(two - EQUAL)) < TENTH_DIGIT && falls &&
                        right && deepest < 1e-11 && fabs(limit) < 1e-9 && last < -9,
                    ev_check_format(check,
                                    "%s; %s; at 8 it is log 2 within %.0e, and the middle one "
                                    "%.3f above it",
                                    value, places, fabs(limit), -last),
                    2, equal);
    const ev_alternative global[] = {
        {"one place for every m/s", shared > 0, places},
        {"two places for every m/s", single > 0, places},
        {"all three minima share it for some range", single + shared == SEPARATIONS, places}};
    ev_check_prints(check, "mode-global", "below $m/s = %.9f$", EQUAL);
    ev_check_decide(check, "mode-global", right && mode_sound(all), places, 3, global);
    ev_check_decide(check, "mode-no-single-global", single == 0, places, 2, global + 1);
}

/* The least value against the edge of the box, and against the far ends. */
void mode_decide_attained(ev_check *check, const surveys *all)
{
    double margin = HUGE_VAL, narrow = HUGE_VAL, wide = HUGE_VAL, away = HUGE_VAL;
    for (size_t i = 0; i < SEPARATIONS; i++) {
        const survey *s = &all->at[i];
        size_t places;
        bool middle;
        cell box = mode_box_of(s->m);
        double least = mode_least_value(s, &places, &middle);
        for (int k = -50; k <= 50; k++) {
            double along = k / 50.0;
            for (int side = -1; side <= 1; side += 2) {
                margin = fmin(margin, mode_split(s->m, box.mu + along * box.half_mu,
                                                 box.tau + side * box.half_tau)
                                              .value -
                                          least);
                margin = fmin(margin, mode_split(s->m, box.mu + side * box.half_mu,
                                                 box.tau + along * box.half_tau)
                                              .value -
                                          least);
            }
        }
        narrow = smaller(narrow, mode_raw(s->m, s->m, 1e-3).value - least);
        wide = smaller(wide, mode_raw(s->m, 0, 30).value - least);
        away = smaller(away, mode_raw(s->m, 10 * s->m + 10, 1).value - least);
    }
    const ev_alternative others[] = {
        {"it is approached as q narrows to a point", narrow > 1,
         ev_check_format(check, "at tau = 0.001 it is higher by %.3g or more", narrow)},
        {"it is approached as q spreads or moves away", wide > 1 && away > 1,
         ev_check_format(check, "higher by %.3g and %.3g or more", wide, away)}};
    ev_check_decide(check, "mode-no-global", !(margin > 0),
                    ev_check_format(check,
                                    "at %d separations the least stationary value lies below "
                                    "every value on the edge of the box, by %.2e at least",
                                    SEPARATIONS, margin),
                    2, others);
}
