/* The document's tables, by both rules: stationary points with the width free and with the width
 * fixed, and the minimum of the other direction. */
#include "landscape.h"
#include "numerics/minimise.h"
#include "numerics/quadrature.h"
#include "probability/gaussian.h"
#include "probability/log_space.h"
#include "probability/mixture.h"

static const rule RULES[] = {mode_split, mode_raw};
/* Half a unit of the sixth decimal, and a little for the last rounding. */
static const double SIXTH_DECIMAL = 0.51e-6;

/* Outer minimum, saddle (mu, tau, depth each), middle minimum (tau, depth). */
static const struct {
    double m, outer[3], saddle[3], middle[2];
} FREE[] = {
    {0.3, {0}, {0}, {1.044016, 0.000004}},
    {1, {0}, {0}, {1.393732, 0.010888}},
    {2, {0}, {0}, {2.047010, 0.226508}},
    {2.5, {2.386094, 1.136456, 0.666463}, {1.983347, 1.528446, 0.683289}, {2.390589, 0.481062}},
    {3, {2.984306, 1.023369, 0.688769}, {1.840496, 2.103823, 0.971978}, {2.743769, 0.840621}},
    {4, {3.999602, 1.000796, 0.693053}, {1.777917, 3.007414, 1.943617}, {3.472725, 1.871197}},
    {6, {6.000000, 1.000000, 0.693147}, {1.749226, 4.675608, 5.168437}, {4.985684, 5.136132}},
    {8, {8.000000, 1.000000, 0.693147}, {1.741180, 6.301789, 9.967661}, {6.535135, 9.949407}}};
enum { FREE_ROWS = sizeof FREE / sizeof *FREE };

static void print_free(ev_check *check)
{
    for (size_t i = 0; i < FREE_ROWS; i++) {
        const double *o = FREE[i].outer, *s = FREE[i].saddle, *c = FREE[i].middle;
        if (FREE[i].m > FOLD)
            ev_check_prints(check, "mode-table",
                            "| %g | %.6f | %.6f | %.6f | %.6f | %.6f | %.6f | %.6f | %.6f |",
                            FREE[i].m, o[0], o[1], o[2], s[0], s[1], s[2], c[0], c[1]);
        else
            ev_check_prints(check, "mode-table", "| %g | – | – | – | – | – | – | %.6f | %.6f |",
                            FREE[i].m, c[0], c[1]);
    }
}

static double place_error(rule by, double m, double mu, double tau, const double row[3])
{
    double off = fmax(fabs(mu - row[0]), fabs(tau - row[1]));
    return larger(off, fabs(by(m, mu, tau).value - row[2]));
}

/* The saddle, by Newton's method from the printed place; its Hessian must be indefinite. */
static bool saddle(rule by, double m, const double row[3], double *mu, double *tau)
{
    *mu = row[0];
    *tau = row[1];
    if (!mode_newton(by, m, mu, tau))
        return false;
    landscape l = by(m, *mu, *tau);
    return l.mu_mu * l.tau_tau < l.mu_tau * l.mu_tau;
}

void mode_decide_table(ev_check *check)
{
    double worst = 0, at_component = HUGE_VAL, pass = HUGE_VAL;
    bool found = true;
    for (size_t i = 0; i < 2 * FREE_ROWS; i++) {
        rule by = RULES[i % 2];
        double m = FREE[i / 2].m, mu = 0, tau = 1;
        found = found && mode_middle_minimum(by, m, &tau);
        worst = larger(worst, fmax(fabs(tau - FREE[i / 2].middle[0]),
                                   fabs(by(m, 0, tau).value - FREE[i / 2].middle[1])));
        if (m < FOLD)
            continue;
        double middle = by(m, 0, tau).value;
        found = found && mode_outer_minimum(by, m, &mu, &tau);
        worst = larger(worst, place_error(by, m, mu, tau, FREE[i / 2].outer));
        double outer = by(m, mu, tau).value;
        found = found && saddle(by, m, FREE[i / 2].saddle, &mu, &tau);
        worst = larger(worst, place_error(by, m, mu, tau, FREE[i / 2].saddle));
        pass = smaller(pass, by(m, mu, tau).value - fmax(outer, middle));
        if (m < 4)
            at_component = smaller(at_component, fabs(by(m, m, 1).mu) + fabs(by(m, m, 1).tau));
    }
    const char *errors = ev_check_format(check, "largest difference %.2e, by both rules", worst);
    const ev_alternative others[] = {
        {"the outer minima are the humps themselves, mu = m, tau = s", at_component > 1e-3,
         ev_check_format(check, "there the slopes add up to %.4f or more for m/s up to 3",
                         at_component)},
        {"the middle one has the variance of p, m^2 + s^2",
         fabs(FREE[4].middle[0] - sqrt(10)) > 0.1, "at m/s = 3 it has tau = 2.7438, not 3.1623"},
        {"one of the two minima beside a saddle lies no deeper than it", pass > 1e-3,
         ev_check_format(check, "the saddle is above the higher of them by %.4f or more", pass)}};
    print_free(check);
    ev_check_decide(check, "mode-table", found && worst < SIXTH_DECIMAL, errors, 3, others);
}

/* tau = s: outer mu, depth, and the value in the middle. */
static const double FIXED[][4] = {
    {0.3, 0, 0.001819, 0.001819},        {1, 0, 0.125433, 0.125433},
    {1.5, 0.514746, 0.421870, 0.424069}, {2, 1.796967, 0.619148, 0.943340},
    {2.5, 2.445807, 0.674662, 1.697600}, {3, 2.987054, 0.689217, 2.693352},
    {4, 3.999607, 0.693054, 5.420989},   {6, 6.000000, 0.693147, 13.851582},
    {8, 8.000000, 0.693147, 26.269238}};

static void print_fixed(ev_check *check)
{
    for (size_t i = 0; i < sizeof FIXED / sizeof *FIXED; i++) {
        const double *row = FIXED[i];
        if (row[0] > WIDTH[0].m)
            ev_check_prints(check, "mode-fixed-table", "| %g | %.6f | %.6f | %.6f, a maximum |",
                            row[0], row[1], row[2], row[3]);
        else
            ev_check_prints(check, "mode-fixed-table", "| %g | – | %.6f | %.6f, the minimum |",
                            row[0], row[2], row[3]);
    }
}

typedef struct {
    rule at;
    double m;
} fixed_width;

static double slope_in_mu(void *context, double mu)
{
    const fixed_width *of = context;
    return of->at(of->m, mu, 1).mu;
}

void mode_decide_fixed_table(ev_check *check)
{
    double worst = 0, bent = HUGE_VAL, gap = HUGE_VAL;
    bool found = true;
    for (size_t i = 0; i < 2 * sizeof FIXED / sizeof *FIXED; i++) {
        const double *row = FIXED[i / 2];
        fixed_width of = {RULES[i % 2], row[0]};
        double mu = 0, middle = of.at(row[0], 0, 1).value;
        if (row[0] > WIDTH[0].m) {
            found = found && ev_root(slope_in_mu, &of, 0.1, 1.01 * row[0], 1e-14, &mu) == EV_OK;
            bent = smaller(bent, of.at(row[0], mu, 1).mu_mu);
            gap = smaller(gap, middle - of.at(row[0], mu, 1).value);
        }
        worst = larger(worst, fabs(mu - row[1]));
        worst = larger(worst, fabs(of.at(row[0], mu, 1).value - row[2]));
        worst = larger(worst, fabs(middle - row[3]));
    }
    const char *errors = ev_check_format(check, "largest difference %.2e, by both rules", worst);
    const ev_alternative others[] = {
        {"the outer ones are maxima", bent > 0,
         ev_check_format(check, "their curvature is %.4f or more", bent)},
        {"the middle is as deep", gap > 1e-3,
         ev_check_format(check, "it is higher by %.4f or more", gap)}};
    print_fixed(check);
    ev_check_decide(check, "mode-fixed-table", found && worst < SIXTH_DECIMAL, errors, 2, others);
}

/* The minimum of KL(p||q): tau and depth. */
static const double FORWARD[][3] = {{0.3, 1.044031, 0.000004}, {1, 1.414214, 0.009743},
                                    {2, 2.236068, 0.171999},   {3, 3.162278, 0.461995},
                                    {4, 4.123106, 0.723553},   {6, 6.082763, 1.112312},
                                    {8, 8.062258, 1.394046}};

/* log p - log q over the right hump, which is as good as over both: x = m + e. */
static int forward_ratio(void *context, size_t worker, size_t n, const double *const *e,
                         double *const *out)
{
    const place *at = context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double x = at->m + e[0][i];
        double left = ev_gaussian_scalar_log_density(x, -at->m, 1);
        double right = ev_gaussian_scalar_log_density(x, at->m, 1);
        out[0][i] = ev_log_add_exp(left, right) - EV_LOG_2 -
                    ev_gaussian_scalar_log_density(x, at->mu, at->tau);
    }
    return 0;
}

void mode_decide_forward_table(ev_check *check)
{
    double worst = 0, wider = HUGE_VAL, deepest = 0;
    bool found = true;
    for (size_t i = 0; i < sizeof FORWARD / sizeof *FORWARD; i++) {
        double m = FORWARD[i][0], middle = 0;
        place at = {m, 0, sqrt(m * m + 1)};
        ev_integral by_sums, by_kronrod;
        size_t evaluations;
        found = found &&
                ev_trapezoid_expect(1, 1.0 / 64, 10, forward_ratio, &at, 1, &by_sums,
                                    &evaluations) == EV_OK &&
                ev_kronrod_expect(12, 1e-12, 1e-10, forward_ratio, &at, 1, &by_kronrod,
                                  &evaluations) == EV_OK &&
                mode_middle_minimum(mode_split, m, &middle);
        worst = larger(worst, fabs(at.tau - FORWARD[i][1]));
        worst = larger(worst, fmax(fabs(by_sums.value - FORWARD[i][2]),
                                   fabs(by_kronrod.value - FORWARD[i][2])));
        wider = smaller(wider, at.tau - middle);
        deepest = larger(deepest, by_sums.value);
    }
    const char *errors = ev_check_format(check,
                                         "largest difference %.2e, by sums and by "
                                         "adaptive quadrature",
                                         worst);
    const ev_alternative others[] = {
        {"the width is that of the other direction's middle minimum", wider > 0,
         ev_check_format(check, "it is wider by %.2e or more", wider)},
        {"the least divergence stays below log 2, as the other does", deepest > EV_LOG_2,
         ev_check_format(check, "at m/s = 8 it is %.6f", deepest)}};
    for (size_t i = 0; i < sizeof FORWARD / sizeof *FORWARD; i++)
        ev_check_prints(check, "mode-forward-table", "| %g | %.6f | %.6f |", FORWARD[i][0],
                        FORWARD[i][1], FORWARD[i][2]);
    ev_check_decide(check, "mode-forward-table", found && worst < SIXTH_DECIMAL, errors, 2, others);
}

/* The two divergences at one place, each by two rules; of the second, the entropy of p on its own. */
void mode_definition_sides(ev_check *check)
{
    const double m = 1.3, mu = 0.4, tau = 0.8, width = 1.2;
    place at = {m, 0, width}, unit = {m, 0, 0};
    ev_integral sums, kronrod, entropy, best;
    size_t evaluations;
    double split = mode_split(m, mu, tau).value, raw = mode_raw(m, mu, tau).value;
    unit.tau = 1; /* log p - log N(0, 1), for the entropy */
    if (ev_trapezoid_expect(1, 1.0 / 64, 10, forward_ratio, &at, 1, &sums, &evaluations) != EV_OK ||
        ev_kronrod_expect(12, 1e-13, 1e-11, forward_ratio, &unit, 1, &entropy, &evaluations) !=
            EV_OK ||
        ev_kronrod_expect(12, 1e-13, 1e-11, forward_ratio, &at, 1, &kronrod, &evaluations) != EV_OK)
        return;
    double second = m * m + 1;
    double closed = entropy.value - second / 2 + log(width) + second / (2 * width * width);
    for (size_t step = 1; step <= 2; step++) {
        ev_check_sides(check, "mode-reverse", step, split, 1e-12, raw, 1e-12);
        ev_check_sides(check, "mode-forward", step, sums.value, 1e-11,
                       step == 1 ? kronrod.value : closed, 1e-11);
    }
    ev_check_sides(check, "mode-forward-closed", 1, sums.value, 1e-11, closed, 1e-11);
    ev_check_sides(check, "mode-directions-differ", 1, mode_split(m, 0, width).value, 1e-12,
                   sums.value, 1e-11);
    ev_check_sides(check, "mode-mirror", 1, mode_raw(m, -mu, tau).value, 1e-12, split, 1e-12);
    at.tau = sqrt(second);
    if (ev_trapezoid_expect(1, 1.0 / 64, 10, forward_ratio, &at, 1, &best, &evaluations) != EV_OK)
        return;
    double rest = ev_gaussian_scalar_kl(0, at.tau, 0, width);
    ev_check_sides(check, "mode-pythagoras", 1, sums.value, 1e-11, best.value + rest, 1e-11);
    ev_check_sides(check, "mode-pythagoras", 2, best.value + rest, 1e-11, best.value, 1e-11);
}

/* Modes of p, by changes of sign of its slope on a fine lattice that misses 0. */
static size_t count_modes(double m)
{
    const double log_pi[2] = {-EV_LOG_2, -EV_LOG_2}, mu[2] = {-m, m}, sigma[2] = {1, 1};
    const ev_mixture p = {2, 1, log_pi, mu, sigma};
    double last = 1, score;
    size_t modes = 0;
    for (int i = 0; i < 40000; i++) {
        double x = (m + 1) * (2 * (i + 0.5) / 40000 - 1);
        ev_mixture_score(&p, &x, &score);
        modes += last > 0 && score < 0;
        last = score;
    }
    return modes;
}

/* The curvature of log p at 0, by differences: m^2 - 1. */
static double curvature_at_zero(void *context, double m)
{
    double h = 1e-3, y = m * h;
    (void)context;
    return 2 * (ev_log_add_exp(y, -y) - EV_LOG_2 - h * h / 2) / (h * h);
}

void mode_decide_bimodal(ev_check *check)
{
    static const double M[] = {0.3, 0.9, 0.99, 1.01, 1.1, 2, 8};
    bool right = true;
    double bend = 0;
    for (size_t i = 0; i < sizeof M / sizeof *M; i++)
        right = right && count_modes(M[i]) == (M[i] > 1 ? 2u : 1u);
    bool found = ev_root(curvature_at_zero, NULL, 0.5, 2, 1e-12, &bend) == EV_OK;
    const char *value = ev_check_format(check,
                                        "one mode at m/s = 0.3, 0.9, 0.99, two at 1.01, 1.1, 2, 8; "
                                        "the curvature in the middle changes its sign at %.6f",
                                        bend);
    const ev_alternative others[] = {
        {"it has two modes for every m > 0", count_modes(0.9) == 1, value},
        {"it has two modes only when the humps are two widths apart from the middle, m > 2s",
         count_modes(1.1) == 2, value}};
    ev_check_prints(check, "mode-bimodal", "exactly when $m > s$");
    ev_check_decide(check, "mode-bimodal", right && found && fabs(bend - 1) < 1e-6, value, 2,
                    others);
}

void mode_decide_seeking(ev_check *check, const surveys *all)
{
    size_t bimodal = 0, covering = 0, after_fold = 0;
    for (size_t i = 0; i < SEPARATIONS; i++) {
        size_t places;
        bool middle;
        (void)mode_least_value(&all->at[i], &places, &middle);
        bimodal += all->at[i].m > 1;
        covering += all->at[i].m > 1 && middle;
        after_fold += all->at[i].m > FOLD && middle;
    }
    const char *counts = ev_check_format(check,
                                         "of %zu separations with two modes, at %zu the least "
                                         "value is that of a q in the middle, at %zu of these "
                                         "there are minima beside it",
                                         bimodal, covering, after_fold);
    const ev_alternative others[] = {
        {"a q on one mode never has the least value", covering < bimodal, counts},
        {"it has it as soon as there is a minimum near a mode", after_fold > 0, counts}};
    ev_check_decide(check, "mode-always-seeks", covering == 0, counts, 2, others);
}
