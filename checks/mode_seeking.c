/* The second voice of derivations/mode_seeking.md.
 *
 * p = N(-m, 1)/2 + N(m, 1)/2, q = N(mu, tau^2): s = 1, since only ratios matter.
 *
 * 1. The landscape KL(q||p) with its first and second derivatives, by two rules: log cosh
 *    split into a part whose average is known and a rest that decays (split), and the
 *    trapezoidal rule for the average as it stands (raw).
 * 2. All stationary points in a box that provably holds them, by exclusion: a cell of the box
 *    is thrown away where a slope can't vanish in it, kept where Krawczyk's operator
 *    maps it into itself (one point, exactly), and halved otherwise.  The bounds on third
 *    derivatives are those of tanh.  R. Krawczyk, Computing 4, 1969.  What is not covered is
 *    the rounding of the averages, 1e-13, so a count stands for every m where no point is
 *    nearer to being degenerate than that.
 * 3. Two further counts: descents from a lattice of starts, and the turns of the gradient
 *    along the edge of the box.
 * 4. Where the count and the global minimum change: roots, by both rules.
 */
#include "judge/check.h"
#include "numerics/minimise.h"
#include "numerics/quadrature.h"
#include "probability/gaussian.h"
#include "probability/log_space.h"

#include <float.h>
#include <math.h>

/* What the document states, in units of s. */
static const double FOLD = 2.412229718, FOLD_MU = 2.14572365, FOLD_TAU = 1.29098513;
static const double EQUAL = 2.800082218;
static const struct {
    double tau, m;
} WIDTH[] = {{1, 1.460833960}, {0.5, 1.120449169}, {2, 2.545730804}, {4, 5.018367213}};
enum { WIDTHS = 4 };
/* Half a unit of the tenth significant digit, and a little for the last rounding. */
static const double TENTH_DIGIT = 5.1e-10;

/* The separations at which everything is counted: closer where something happens. */
static const double SEPARATION[] = {0.3, 0.6, 1.0, 1.2,  1.46, 1.8, 2.1, 2.3, 2.4, 2.412, 2.4125,
                                    2.5, 2.7, 2.8, 2.81, 3.0,  3.5, 4.0, 5.0, 6.0, 7.0,   8.0};
enum { SEPARATIONS = sizeof SEPARATION / sizeof *SEPARATION };

/* fmax and fmin for the worst of many, with a NaN counted as the worst: they would drop it. */
static double larger(double a, double b) { return isnan(a) || b <= a ? a : b; }
static double smaller(double a, double b) { return isnan(a) || b >= a ? a : b; }

/* 1. The landscape. --------------------------------------------------------------------------*/

/* KL(q||p) and its derivatives. */
typedef struct {
    double value, mu, tau, mu_mu, mu_tau, tau_tau;
} landscape;
typedef landscape (*rule)(double m, double mu, double tau);

/* The averages over q of log cosh mx, tanh mx and, with e = (x - mu)/tau, of sech^2 mx times
 * 1, e, e^2.  By Stein's lemma E[e f(x)] = tau E[f'(x)]:
 *   KL      = -log tau + (mu^2 + tau^2 + m^2 - 1)/2 - E log cosh
 *   d mu    = mu - m E tanh                 d tau     = tau - 1/tau - tau m^2 E sech^2
 *   d mu^2  = 1 - m^2 E sech^2              d mu d tau = -m^2 E e sech^2
 *   d tau^2 = 1 + 1/tau^2 - m^2 E e^2 sech^2 */
static landscape assemble(double m, double mu, double tau, const double average[5])
{
    double curvature = m * m * average[2];
    return (landscape){-log(tau) + (mu * mu + tau * tau + m * m - 1) / 2 - average[0],
                       mu - m * average[1],
                       tau - 1 / tau - tau * curvature,
                       1 - curvature,
                       -m * m * average[3],
                       1 + 1 / (tau * tau) - m * m * average[4]};
}

/* E|y + xi| - log 2 with xi ~ N(0, 2/pi) has the curvature of log cosh at 0 and its
 * asymptotes; the rest, and its derivatives, fall like exp(-2|y|).  Tabulated at y = i h. */
enum { NODES = 401 };
static const double STEP = 0.1, NOISE = 0.63661977236758134308; /* 2/pi */
static struct {
    double y[NODES], rest[NODES], slope[NODES], bend[NODES];
} table;

static double smooth_absolute(double y, double variance)
{
    double sigma = sqrt(variance), u = y / sigma;
    return sigma * sqrt(NOISE) * exp(-u * u / 2) + y * erf(u / sqrt(2));
}

static void fill_table(void)
{
    for (int i = 0; i < NODES; i++) {
        double y = (i - NODES / 2) * STEP, t = exp(-2 * fabs(y));
        double sech = 4 * t / ((1 + t) * (1 + t));
        table.y[i] = y;
        table.rest[i] = fabs(y) + log1p(t) - smooth_absolute(y, NOISE);
        table.slope[i] = copysign((1 - t) / (1 + t), y) - erf(y / sqrt(2 * NOISE));
        table.bend[i] = sech - exp(-y * y / (2 * NOISE));
    }
}

/* y = m x is N(m mu, (m tau)^2); exact but for rounding when m tau > 0.15. */
static landscape split(double m, double mu, double tau)
{
    double mean = m * mu, width = m * tau, variance = width * width + NOISE;
    double density = 2 * exp(-mean * mean / (2 * variance)) / sqrt(2 * acos(-1) * variance);
    double u = mean / variance;
    double average[5] = {smooth_absolute(mean, variance) - EV_LOG_2, erf(mean / sqrt(2 * variance)),
                         density, -width * density * u,
                         density * (1 + width * width * (u * u - 1 / variance))};
    int first = (int)fmax(0, NODES / 2 + ceil((mean - 9 * width) / STEP));
    int last = (int)fmin(NODES - 1, NODES / 2 + floor((mean + 9 * width) / STEP));
    for (int i = first; i <= last; i++) {
        double e = (table.y[i] - mean) / width;
        double weight = STEP / width * exp(-e * e / 2) / sqrt(2 * acos(-1));
        average[0] += weight * table.rest[i];
        average[1] += weight * table.slope[i];
        average[2] += weight * table.bend[i];
        average[3] += weight * table.bend[i] * e;
        average[4] += weight * table.bend[i] * e * e;
    }
    return assemble(m, mu, tau, average);
}

typedef struct {
    double m, mu, tau;
} place;

static int raw_terms(void *context, size_t worker, size_t n, const double *const *e,
                     double *const *out)
{
    const place *at = context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double y = at->m * (at->mu + at->tau * e[0][i]), tangent = tanh(y);
        out[0][i] = ev_log_add_exp(y, -y) - EV_LOG_2;
        out[1][i] = tangent;
        out[2][i] = 1 - tangent * tangent;
        out[3][i] = out[2][i] * e[0][i];
        out[4][i] = out[3][i] * e[0][i];
    }
    return 0;
}

/* The poles of tanh m x lie pi/(2 m tau) off the axis of e; the rule errs by exp(-pi^2/(m tau h)). */
static landscape raw(double m, double mu, double tau)
{
    place at = {m, mu, tau};
    ev_integral out[5];
    size_t evaluations;
    double average[5], h = fmin(0.25, acos(-1) * acos(-1) / (36 * m * tau));
    if (ev_trapezoid_expect(1, h, 10, raw_terms, &at, 5, out, &evaluations) != EV_OK)
        return (landscape){(double)NAN, (double)NAN, (double)NAN, 0, 0, 0};
    for (int k = 0; k < 5; k++)
        average[k] = out[k].value;
    return assemble(m, mu, tau, average);
}

/* Newton's method for both slopes; false when it does not settle. */
static bool newton(rule at, double m, double *mu, double *tau)
{
    for (int i = 0; i < 60; i++) {
        landscape l = at(m, *mu, *tau);
        double det = l.mu_mu * l.tau_tau - l.mu_tau * l.mu_tau;
        double step_mu = (l.tau_tau * l.mu - l.mu_tau * l.tau) / det;
        double step_tau = (l.mu_mu * l.tau - l.mu_tau * l.mu) / det;
        double damp = fmin(1, 0.3 / fmax(fabs(step_mu), fabs(step_tau)));
        *mu -= damp * step_mu;
        *tau -= damp * step_tau;
        if (!(*tau > 0.2))
            return false;
        if (fmax(fabs(step_mu), fabs(step_tau)) < 1e-13 * (1 + m))
            return true;
    }
    return fabs(at(m, *mu, *tau).mu) + fabs(at(m, *mu, *tau).tau) < 1e-11;
}

/* 2. Exclusion. ------------------------------------------------------------------------------*/

enum { MOST_POINTS = 16, DEEPEST = 40 };
typedef struct {
    double mu, tau, value;
    int index; /* 2: minimum, 1: saddle, 0: maximum (with tau fixed, 2 and 0) */
} point;

typedef struct {
    double m;
    bool fixed; /* tau does not move */
    size_t count, cells;
    bool failed;
    point points[MOST_POINTS];
} survey;

typedef struct {
    double mu, tau, half_mu, half_tau;
} cell;

/* By how much mu_mu, mu_tau and tau_tau can differ from their values at the centre: with
 * b = (log cosh mx)''', |b| <= 4 m^3/(3 sqrt 3) and the integral of |b| is 2 m^2, so that
 * E|e^k b| <= min(E|e|^k max |b|, 2 m^2 max |e^k phi(e)|/tau). */
static void variation(double m, const cell *c, double by[3])
{
    static const double MOMENT[] = {1, 0.79788457, 1, 1.59576913};
    static const double PEAK[] = {0.39894229, 0.24197073, 0.29355316, 0.46254095};
    double low = c->tau - c->half_tau, third[4];
    for (int k = 0; k < 4; k++)
        third[k] = 1.0001 * fmin(MOMENT[k] * 0.76980036 * m * m * m, 2 * m * m * PEAK[k] / low);
    by[0] = third[0] * c->half_mu + third[1] * c->half_tau;
    by[1] = third[1] * c->half_mu + third[2] * c->half_tau;
    by[2] = third[2] * c->half_mu + (third[3] + 2 / (low * low * low)) * c->half_tau;
}

static bool excluded(const survey *s, const cell *c, const landscape *l)
{
    double by[3];
    variation(s->m, c, by);
    bool in_mu = fabs(l->mu) > (fabs(l->mu_mu) + by[0]) * c->half_mu +
                                   (fabs(l->mu_tau) + by[1]) * c->half_tau + 1e-12;
    bool in_tau = fabs(l->tau) > (fabs(l->mu_tau) + by[1]) * c->half_mu +
                                     (fabs(l->tau_tau) + by[2]) * c->half_tau + 1e-12;
    return in_mu || (!s->fixed && in_tau);
}

/* 1: the cell, doubled, holds exactly one stationary point; 0: the cell holds none; -1: unknown.
 * With H the Hessian at the centre and V the variation over the doubled cell, every stationary
 * point of that lies within |H^-1| V times its half-widths of Newton's first step. */
static int krawczyk(const survey *s, const cell *c, const landscape *l)
{
    cell twice = {c->mu, c->tau, 2 * c->half_mu, fmin(2 * c->half_tau, 0.9 * c->tau)};
    double by[3], det = l->mu_mu * l->tau_tau - l->mu_tau * l->mu_tau;
    variation(s->m, &twice, by);
    double inverse[3] = {l->tau_tau / det, -l->mu_tau / det, l->mu_mu / det};
    if (s->fixed) {
        inverse[0] = 1 / l->mu_mu;
        inverse[1] = inverse[2] = 0;
    }
    double in_mu = by[0] * twice.half_mu + by[1] * twice.half_tau;
    double in_tau = by[1] * twice.half_mu + by[2] * twice.half_tau;
    double reach_mu = fabs(inverse[0]) * in_mu + fabs(inverse[1]) * in_tau;
    double reach_tau = fabs(inverse[1]) * in_mu + fabs(inverse[2]) * in_tau;
    double step_mu = fabs(inverse[0] * l->mu + inverse[1] * l->tau);
    double step_tau = fabs(inverse[1] * l->mu + inverse[2] * l->tau);
    if (!(reach_mu < twice.half_mu) || (!s->fixed && !(reach_tau < twice.half_tau)))
        return -1;
    if (step_mu > c->half_mu + reach_mu || (!s->fixed && step_tau > c->half_tau + reach_tau))
        return 0;
    bool inside = step_mu + reach_mu <= twice.half_mu &&
                  (s->fixed || step_tau + reach_tau <= twice.half_tau);
    return inside ? 1 : -1;
}

/* Newton with tau fixed. */
static bool newton_mu(double m, double *mu, double tau)
{
    for (int i = 0; i < 60; i++) {
        landscape l = split(m, *mu, tau);
        *mu -= l.mu / l.mu_mu;
        if (fabs(l.mu / l.mu_mu) < 1e-14 * (1 + m))
            return true;
    }
    return false;
}

static void keep_point(survey *s, const cell *c)
{
    point found = {c->mu, c->tau, 0, 0};
    bool settled = s->fixed ? newton_mu(s->m, &found.mu, found.tau)
                            : newton(split, s->m, &found.mu, &found.tau);
    if (!settled || fabs(found.mu - c->mu) > 2.001 * c->half_mu ||
        fabs(found.tau - c->tau) > 2.001 * c->half_tau) {
        s->failed = true;
        return;
    }
    for (size_t k = 0; k < s->count; k++)
        if (fabs(found.mu - s->points[k].mu) + fabs(found.tau - s->points[k].tau) < 1e-7)
            return;
    if (s->count == MOST_POINTS) {
        s->failed = true;
        return;
    }
    landscape l = split(s->m, found.mu, found.tau);
    double det = l.mu_mu * l.tau_tau - l.mu_tau * l.mu_tau;
    found.value = l.value;
    found.index = s->fixed ? (l.mu_mu > 0 ? 2 : 0) : det < 0 ? 1 : l.mu_mu > 0 ? 2 : 0;
    s->points[s->count++] = found;
}

static void visit(survey *s, cell c, int depth)
{
    landscape l = split(s->m, c.mu, c.tau);
    s->cells++;
    if (excluded(s, &c, &l))
        return;
    int found = krawczyk(s, &c, &l);
    if (found == 1)
        keep_point(s, &c);
    if (found >= 0)
        return;
    if (depth == DEEPEST) {
        s->failed = true;
        return;
    }
    bool along_mu = s->fixed || c.half_mu >= c.half_tau;
    for (int side = -1; side <= 1; side += 2) {
        cell half = c;
        if (along_mu) {
            half.half_mu /= 2;
            half.mu += side * half.half_mu;
        } else {
            half.half_tau /= 2;
            half.tau += side * half.half_tau;
        }
        visit(s, half, depth + 1);
    }
}

/* |mu| < m and 1 < tau <= b + sqrt(1 + b^2), b = m/sqrt(2 pi): the section "The objective and
 * its slopes"; a little wider, and off the symmetric halving. */
static cell box_of(double m)
{
    double b = m / sqrt(2 * acos(-1)), top = 1.013 * (b + sqrt(1 + b * b)), bottom = 0.987;
    return (cell){0.0031 * m, (top + bottom) / 2, 1.017 * m, (top - bottom) / 2};
}

static survey survey_free(double m)
{
    survey s = {.m = m};
    visit(&s, box_of(m), 0);
    return s;
}

static survey survey_fixed(double m, double tau)
{
    survey s = {.m = m, .fixed = true};
    visit(&s, (cell){0.0031 * m, tau, 1.017 * m, 0}, 0);
    return s;
}

static size_t count_index(const survey *s, int index)
{
    size_t n = 0;
    for (size_t k = 0; k < s->count; k++)
        n += s->points[k].index == index;
    return n;
}

/* The least value, and at how many points it is attained; *middle: one of them is mu = 0. */
static double least_value(const survey *s, size_t *places, bool *middle)
{
    double least = HUGE_VAL;
    for (size_t k = 0; k < s->count; k++)
        least = smaller(least, s->points[k].value);
    *places = 0;
    *middle = false;
    for (size_t k = 0; k < s->count; k++)
        if (s->points[k].value < least + 1e-11) {
            ++*places;
            *middle = *middle || fabs(s->points[k].mu) < 1e-6;
        }
    return least;
}

/* 3. Two further counts. ---------------------------------------------------------------------*/

static int descent_objective(void *context, size_t n, const double *x, double *value,
                             double *gradient)
{
    double m = *(const double *)context, tau = exp(x[1]);
    (void)n;
    if (!(tau > 0.2 && tau < 100 && fabs(x[0]) < 100))
        return 1;
    landscape l = split(m, x[0], tau);
    *value = l.value;
    if (gradient != NULL) {
        gradient[0] = l.mu;
        gradient[1] = l.tau * tau;
    }
    return 0;
}

/* Descents from narrow and wide starts over the box: how many of the survey's minima are met;
 * *strays counts descents that end elsewhere. */
static size_t descend(const survey *s, size_t *strays)
{
    bool met[MOST_POINTS] = {false};
    double m = s->m;
    size_t count = 0;
    for (int i = 0; i < 77; i++) {
        double x[2] = {m * (i % 11 - 5) / 4.0, log(0.3) + 0.5 * (i / 11)}, value, norm;
        bool known = false;
        if (ev_minimise(descent_objective, &m, 2, x, 1e-10, 500, &value, &norm) != EV_OK)
            continue;
        for (size_t k = 0; k < s->count; k++)
            if (s->points[k].index == 2 && fabs(x[0] - s->points[k].mu) < 1e-4 &&
                fabs(exp(x[1]) - s->points[k].tau) < 1e-4)
                known = met[k] = true;
        *strays += !known && norm < 1e-8;
    }
    for (size_t k = 0; k < MOST_POINTS; k++)
        count += met[k];
    return count;
}

/* Turns of the gradient along the edge of the box: minima and maxima less saddles. */
static double turns(double m)
{
    enum { SIDE = 150 };
    static const int CORNER[5][2] = {{-1, -1}, {1, -1}, {1, 1}, {-1, 1}, {-1, -1}};
    cell box = box_of(m);
    double angle = 0, last = 0;
    for (int i = 0; i <= 4 * SIDE; i++) {
        int side = i / SIDE < 4 ? i / SIDE : 3;
        double part = (double)(i - side * SIDE) / SIDE;
        double a = CORNER[side][0] + part * (CORNER[side + 1][0] - CORNER[side][0]);
        double b = CORNER[side][1] + part * (CORNER[side + 1][1] - CORNER[side][1]);
        landscape l = split(m, box.mu + a * box.half_mu, box.tau + b * box.half_tau);
        double now = atan2(l.tau, l.mu);
        if (i > 0)
            angle += remainder(now - last, 2 * acos(-1));
        last = now;
    }
    return angle / (2 * acos(-1));
}

/* 4. What the surveys say. -------------------------------------------------------------------*/

typedef struct {
    survey at[SEPARATIONS];
    size_t cells, strays, minima_missed;
    bool failed;
    double turned; /* the largest distance of the number of turns from 1 */
} surveys;

static void take_surveys(surveys *all)
{
    all->cells = all->strays = all->minima_missed = 0;
    all->failed = false;
    all->turned = 0;
    for (size_t i = 0; i < SEPARATIONS; i++) {
        survey *s = &all->at[i];
        *s = survey_free(SEPARATION[i]);
        all->cells += s->cells;
        all->failed = all->failed || s->failed;
        all->minima_missed += count_index(s, 2) != descend(s, &all->strays);
        all->turned = larger(all->turned, fabs(turns(s->m) - 1));
    }
}

static bool sound(const surveys *all)
{
    return !all->failed && all->strays == 0 && all->minima_missed == 0 && all->turned < 1e-9;
}

static void decide_stationary(ev_check *check, const surveys *all)
{
    bool five = true, two = false, always_three = true, maxima = false, outer = true;
    for (size_t i = 0; i < SEPARATIONS; i++) {
        const survey *s = &all->at[i];
        size_t minima = count_index(s, 2), saddles = count_index(s, 1);
        bool far = s->m > FOLD;
        five = five && s->count == (far ? 5u : 1u) && minima == (far ? 3u : 1u) &&
               saddles == (far ? 2u : 0u);
        two = two || minima == 2;
        always_three = always_three && minima == 3;
        maxima = maxima || count_index(s, 0) > 0;
        for (size_t k = 0; k < s->count; k++)
            outer = outer && fabs(s->points[k].mu) < s->m && s->points[k].tau > 1;
    }
    const char *counts = ev_check_format(
        check,
        "%d separations from 0.3 to 8: one minimum up to 2.412, three minima and two saddles "
        "from 2.4125 on; %zu cells of the box excluded or resolved, %d descents each end in "
        "these minima and find all of them, the gradient turns once around (within %.0e)",
        SEPARATIONS, all->cells, 77, all->turned);
    const ev_alternative wrong[] = {{"one local minimum for every m/s", five, counts},
                                    {"three for every m/s", !always_three, counts}};
    const ev_alternative others[] = {
        {"two local minima for some m/s", !two, counts},
        {"the middle turns into a maximum or a saddle", five && !maxima, counts},
        {"some stationary q is narrower than a hump, or lies beyond one", outer, counts}};
    if (!sound(all)) {
        ev_check_give_up(check, "mode-stationary", "the counts disagree or did not end");
        ev_check_give_up(check, "mode-two-minima", "the counts disagree or did not end");
        return;
    }
    ev_check_decide(check, "mode-two-minima", two, counts, 2, wrong);
    ev_check_decide(check, "mode-stationary", five && !maxima && outer, counts, 3, others);
}

/* The slope in tau on the axis, over tau: it must rise through 0 once. */
static void decide_wide(ev_check *check, const surveys *all)
{
    bool one = !all->failed, minimum = true, rises = true;
    double worst = 0, flattest = HUGE_VAL;
    for (size_t i = 0; i < SEPARATIONS; i++) {
        const survey *s = &all->at[i];
        double last = -HUGE_VAL;
        size_t middle = 0;
        for (size_t k = 0; k < s->count; k++) {
            const point *p = &s->points[k];
            if (fabs(p->mu) > 1e-9)
                continue;
            landscape l = raw(s->m, 0, p->tau);
            middle++;
            minimum = minimum && p->index == 2 && l.tau_tau > 0;
            worst = larger(worst, fabs(l.mu_mu * p->tau * p->tau - 1));
            flattest = smaller(flattest, l.mu_mu);
        }
        one = one && middle == 1;
        for (double tau = 0.6; tau < 10; tau *= 1.03) {
            double slope = split(s->m, 0, tau).tau / tau;
            rises = rises && slope > last;
            last = slope;
        }
    }
    const char *curvature = ev_check_format(
        check, "the curvature in mu is 1/tau^2 to %.1e by the other rule, never below %.4f", worst,
        flattest);
    const ev_alternative others[] = {
        {"it is a maximum in mu once p has two modes, m > s", minimum, curvature},
        {"it becomes a saddle where the outer minima appear", minimum && flattest > 0.01,
         curvature},
        {"narrow and wide stationary points share the axis", one && rises,
         "one for each separation, the slope over tau rising from 0.6 to 10"}};
    ev_check_decide(
        check, "mode-wide-always", one && minimum && rises && worst < 1e-9,
        ev_check_format(check, "%d separations: one each, a minimum; %s", SEPARATIONS, curvature),
        3, others);
}

/* 5. Where the count changes. ----------------------------------------------------------------*/

/* For a given tau at most one mu > 0 has slope 0 (tanh, averaged, is concave there). */
static double slope_at_mu(void *context, double mu)
{
    const place *at = context;
    return split(at->m, mu, at->tau).mu;
}

/* Minus the slope in tau along that curve. */
static double slope_along(void *context, double tau)
{
    place at = {*(const double *)context, 0, tau};
    double mu;
    if (split(at.m, 0, tau).mu_mu >= 0)
        return 1;
    double low = 0.5;
    while (low > 1e-6 && split(at.m, low, tau).mu > 0)
        low /= 4;
    if (ev_root(slope_at_mu, &at, low, 1.01 * at.m, 1e-15, &mu) != EV_OK)
        return HUGE_VAL;
    return -split(at.m, mu, tau).tau;
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

static void decide_fold(ev_check *check, const surveys *all)
{
    double fold = 0, x[3] = {2.1, 1.3, 2.4}, y[3] = {2.1, 1.3, 2.4}, last = -HUGE_VAL;
    bool rises = true;
    ev_status status = ev_root(largest_slope, NULL, 2.3, 2.5, 1e-14, &fold);
    double step = fmax(solve_fold(raw, x), solve_fold(split, y));
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
                 place_off < 10 * TENTH_DIGIT && rises && changes == 1 && sound(all);
    ev_check_decide(
        check, "mode-fold", holds,
        ev_check_format(
            check,
            "%s; both rules and both ways within %.0e; over 61 separations from 1.5 to 8 the "
            "slope rises and changes sign %zu time",
            value, between, changes),
        3, others);
}

/* The outer minimum, from (m, 1); the middle one. */
static bool outer_minimum(rule at, double m, double *mu, double *tau)
{
    *mu = m;
    *tau = 1;
    return newton(at, m, mu, tau) && *mu > 1;
}
static bool middle_minimum(rule at, double m, double *tau)
{
    double mu = 0, b = m / sqrt(2 * acos(-1));
    *tau = b + sqrt(1 + b * b);
    return newton(at, m, &mu, tau) && fabs(mu) < 1e-9;
}

static double depth_difference(rule at, double m)
{
    double mu, tau, middle;
    if (!outer_minimum(at, m, &mu, &tau) || !middle_minimum(at, m, &middle))
        return (double)NAN;
    return at(m, mu, tau).value - at(m, 0, middle).value;
}
static double split_difference(void *context, double m)
{
    (void)context;
    return depth_difference(split, m);
}
static double raw_difference(void *context, double m)
{
    (void)context;
    return depth_difference(raw, m);
}

static void decide_equal(ev_check *check, const surveys *all)
{
    double one = 0, two = 0, last = HUGE_VAL, deepest = 0;
    bool falls = true, right = true;
    bool found = ev_root(split_difference, NULL, 2.5, 3.5, 1e-14, &one) == EV_OK &&
                 ev_root(raw_difference, NULL, 2.5, 3.5, 1e-14, &two) == EV_OK;
    for (double m = 2.43; m < 8; m += 0.05) {
        double now = depth_difference(split, m);
        falls = falls && now < last;
        last = now;
    }
    size_t single = 0, shared = 0;
    double limit = HUGE_VAL;
    for (size_t i = 0; i < SEPARATIONS; i++) {
        size_t places;
        bool middle;
        double least = least_value(&all->at[i], &places, &middle);
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
         depth_difference(split, 2.43) > 0.01, value},
        {"the middle one is always the global one", last < -0.01, value}};
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
    ev_check_decide(check, "mode-global", right && sound(all), places, 3, global);
    ev_check_decide(check, "mode-no-single-global", single == 0, places, 2, global + 1);
}

/* The least value against the edge of the box, and against the far ends. */
static void decide_attained(ev_check *check, const surveys *all)
{
    double margin = HUGE_VAL, narrow = HUGE_VAL, wide = HUGE_VAL, away = HUGE_VAL;
    for (size_t i = 0; i < SEPARATIONS; i++) {
        const survey *s = &all->at[i];
        size_t places;
        bool middle;
        cell box = box_of(s->m);
        double least = least_value(s, &places, &middle);
        for (int k = -50; k <= 50; k++) {
            double along = k / 50.0;
            for (int side = -1; side <= 1; side += 2) {
                margin = fmin(
                    margin,
                    split(s->m, box.mu + along * box.half_mu, box.tau + side * box.half_tau).value -
                        least);
                margin = fmin(
                    margin,
                    split(s->m, box.mu + side * box.half_mu, box.tau + along * box.half_tau).value -
                        least);
            }
        }
        narrow = smaller(narrow, raw(s->m, s->m, 1e-3).value - least);
        wide = smaller(wide, raw(s->m, 0, 30).value - least);
        away = smaller(away, raw(s->m, 10 * s->m + 10, 1).value - least);
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

/* 6. The table, the fixed width, the other direction. ----------------------------------------*/

static void decide_table(ev_check *check)
{
    static const double ROW[][6] = {{1, 0, 0, 0, 1.393732, 0.010888},
                                    {2, 0, 0, 0, 2.047010, 0.226508},
                                    {2.5, 2.386094, 1.136456, 0.666463, 2.390589, 0.481062},
                                    {3, 2.984306, 1.023369, 0.688769, 2.743769, 0.840621},
                                    {4, 3.999602, 1.000796, 0.693053, 3.472725, 1.871197},
                                    {6, 6.000000, 1.000000, 0.693147, 4.985684, 5.136132},
                                    {8, 8.000000, 1.000000, 0.693147, 6.535135, 9.949407}};
    static const rule RULES[] = {split, raw};
    double worst = 0, at_component = HUGE_VAL;
    bool found = true;
    for (size_t i = 0; i < 2 * sizeof ROW / sizeof *ROW; i++) {
        const double *row = ROW[i / 2];
        rule by = RULES[i % 2];
        double m = row[0], mu = 0, tau = 1;
        found = found && middle_minimum(by, m, &tau);
        worst = larger(worst, fmax(fabs(tau - row[4]), fabs(by(m, 0, tau).value - row[5])));
        if (m < FOLD)
            continue;
        found = found && outer_minimum(by, m, &mu, &tau);
        worst = larger(worst, fmax(fabs(mu - row[1]), fabs(tau - row[2])));
        worst = larger(worst, fabs(by(m, mu, tau).value - row[3]));
        if (m < 4)
            at_component = smaller(at_component, fabs(by(m, m, 1).mu) + fabs(by(m, m, 1).tau));
    }
    const char *errors = ev_check_format(check, "largest difference %.2e, by both rules", worst);
    const ev_alternative others[] = {
        {"the outer minima are the humps themselves, mu = m, tau = s", at_component > 1e-3,
         ev_check_format(check, "there the slopes add up to %.4f or more for m/s up to 3",
                         at_component)},
        {"the middle one has the variance of p, m^2 + s^2", fabs(ROW[3][4] - sqrt(10)) > 0.1,
         "at m/s = 3 it has tau = 2.7438, not 3.1623"}};
    ev_check_decide(check, "mode-table", found && worst < 0.51e-6, errors, 2, others);
}

typedef struct {
    rule at;
    double tau;
} bend;

static double middle_bend(void *context, double m)
{
    const bend *of = context;
    return of->at(m, 0, of->tau).mu_mu;
}

static void decide_fixed_width(ev_check *check)
{
    double worst = 0, low[WIDTHS];
    bool right = true, ended = true, maximum = true, equal = true;
    for (size_t k = 0; k < WIDTHS; k++) {
        bend one = {split, WIDTH[k].tau}, two = {raw, WIDTH[k].tau};
        double by_split = 0, by_raw = 0;
        ended = ended && ev_root(middle_bend, &one, 0.5, 9, 1e-14, &by_split) == EV_OK &&
                ev_root(middle_bend, &two, 0.5, 9, 1e-14, &by_raw) == EV_OK;
        worst = larger(worst, fmax(fabs(by_split - WIDTH[k].m), fabs(by_raw - WIDTH[k].m)));
        low[k] = by_split;
        for (size_t i = 0; i < SEPARATIONS; i++) {
            survey s = survey_fixed(SEPARATION[i], WIDTH[k].tau);
            bool far = s.m > WIDTH[k].m, middle;
            size_t places;
            (void)least_value(&s, &places, &middle);
            ended = ended && !s.failed;
            right = right && s.count == (far ? 3u : 1u) && count_index(&s, 2) == (far ? 2u : 1u);
            maximum = maximum && count_index(&s, 0) == (far ? 1u : 0u);
            equal = equal && places == (far ? 2u : 1u) && middle == !far;
        }
    }
    const char *values = ev_check_format(check,
                                         "m/s = %.10f, %.10f, %.10f, %.10f for tau/s = 1, 1/2, "
                                         "2, 4, both rules within %.1e of the stated values",
                                         low[0], low[1], low[2], low[3], worst);
    const ev_alternative others[] = {
        {"two minima as soon as p has two modes", right && low[0] > 1.01, values},
        {"the middle stays a minimum, as with the width free", maximum && right, values},
        {"the place of the change does not depend on the width", low[2] - low[1] > 0.1, values}};
    if (!ended) {
        ev_check_give_up(check, "mode-fixed-width", "a survey did not end");
        return;
    }
    ev_check_decide(check, "mode-fixed-width", right && maximum && equal && worst < TENTH_DIGIT,
                    values, 3, others);
}

/* -log q and its slopes, averaged over the right hump at x = m + e and the left at -m + e. */
static int forward_terms(void *context, size_t worker, size_t n, const double *const *e,
                         double *const *out)
{
    const place *at = context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        out[0][i] = out[1][i] = out[2][i] = 0;
        for (int side = -1; side <= 1; side += 2) {
            double u = (side * at->m + e[0][i] - at->mu) / at->tau;
            out[0][i] += (log(at->tau) + u * u / 2) / 2;
            out[1][i] -= u / at->tau / 2;
            out[2][i] += (1 - u * u) / 2;
        }
    }
    return 0;
}

/* KL(p||q) + H(p) - log(2 pi)/2 over (mu, log tau). */
static int forward_objective(void *context, size_t n, const double *x, double *value,
                             double *gradient)
{
    place at = {*(const double *)context, x[0], exp(x[1])};
    ev_integral out[3];
    size_t evaluations;
    if (!(at.tau > 1e-2 && at.tau < 1e3) ||
        ev_trapezoid_expect(1, 0.25, 10, forward_terms, &at, 3, out, &evaluations) != EV_OK)
        return 1;
    *value = out[0].value;
    if (gradient != NULL) {
        gradient[0] = out[1].value;
        if (n > 1)
            gradient[1] = out[2].value;
    }
    return 0;
}

/* What is found of KL(p||q) at all separations together. */
typedef struct {
    size_t runs;
    double farthest;         /* end of a descent from (0, sqrt(m^2 + 1)), relative */
    double still;            /* the slopes there */
    double beside;           /* the least slopes on a hump */
    double middle;           /* the least slope at the other direction's middle minimum */
    double curved, straight; /* second differences in mu times tau^2: largest and least */
} forward_found;

static void descend_forward(double m, forward_found *found)
{
    double best = sqrt(m * m + 1), value, norm;
    for (int k = 0; k < 35; k++) {
        double x[2] = {m * (k % 7 - 3) / 2.0, log(0.5) + 0.8 * (k / 7)};
        if (ev_minimise(forward_objective, &m, 2, x, 1e-9, 500, &value, &norm) != EV_OK)
            continue;
        found->runs++;
        found->farthest = larger(found->farthest, hypot(x[0], exp(x[1]) - best) / best);
    }
}

/* The norm of the slopes at (mu, tau). */
static double forward_slopes(double m, double mu, double tau)
{
    const double x[2] = {mu, log(tau)};
    double value, gradient[2] = {HUGE_VAL, HUGE_VAL};
    return forward_objective(&m, 2, x, &value, gradient) == 0 ? hypot(gradient[0], gradient[1])
                                                              : (double)NAN;
}

static void bend_forward(double m, forward_found *found)
{
    for (int k = 0; k < 5; k++) {
        double y[3] = {0, 0, 0}, width = log(0.5) + 0.8 * k;
        for (int j = 0; j < 3; j++) {
            const double x[2] = {m * (j - 1), width};
            (void)forward_objective(&m, 2, x, &y[j], NULL);
        }
        double second = (y[0] - 2 * y[1] + y[2]) / (m * m) * exp(2 * width);
        found->curved = larger(found->curved, second);
        found->straight = smaller(found->straight, second);
    }
}

static void decide_forward(ev_check *check)
{
    static const double M[] = {0.3, 1, 2.4, 3, 5, 8};
    forward_found f = {0, 0, 0, HUGE_VAL, HUGE_VAL, -HUGE_VAL, HUGE_VAL};
    for (size_t i = 0; i < sizeof M / sizeof *M; i++) {
        double m = M[i], tau;
        descend_forward(m, &f);
        bend_forward(m, &f);
        f.still = larger(f.still, forward_slopes(m, 0, sqrt(m * m + 1)));
        f.beside = smaller(f.beside, forward_slopes(m, m, 1));
        if (m > 0.9 && middle_minimum(split, m, &tau))
            f.middle = smaller(f.middle, forward_slopes(m, 0, tau));
    }
    const ev_alternative others[] = {
        {"the humps are local minima", f.beside > 0.01,
         ev_check_format(check, "the slopes there are %.3f or more", f.beside)},
        {"its width is that of the middle minimum of the other direction", f.middle > 1e-3,
         ev_check_format(check, "the slope there is %.3f or more", f.middle)}};
    ev_check_decide(
        check, "mode-single-minimum",
        f.farthest < 1e-6 && f.still < 1e-11 && f.runs > 200 && fabs(f.curved - 1) < 1e-9 &&
            fabs(f.straight - 1) < 1e-9,
        ev_check_format(check,
                        "%zu minimisations at 6 separations end within %.1e of it; slopes "
                        "there %.1e; with tau fixed the curvature is 1/tau^2 (%.10f to "
                        "%.10f of it)",
                        f.runs, f.farthest, f.still, f.straight, f.curved),
        2, others);
}

/* The hump left out: shares w on the left, 1 - w on the right, q = N(m, 1). */
typedef struct {
    double m, w;
} shares;

static int shares_terms(void *context, size_t worker, size_t n, const double *const *e,
                        double *const *out)
{
    const shares *s = context;
    (void)worker;
    for (size_t i = 0; i < n; i++)
        for (int side = -1; side <= 1; side += 2) {
            double x = side * s->m + e[0][i];
            double left = log(s->w) + ev_gaussian_scalar_log_density(x, -s->m, 1);
            double hump = ev_gaussian_scalar_log_density(x, s->m, 1);
            double ratio = ev_log_add_exp(left, log1p(-s->w) + hump) - hump; /* log p/h */
            out[side > 0][i] = ratio;
        }
    return 0;
}

/* KL(h||p) and KL(p||h). */
static void leave_out(double m, double w, double *reverse, double *forward)
{
    shares s = {m, w};
    ev_integral out[2];
    size_t evaluations;
    *reverse = *forward = (double)NAN;
    if (ev_trapezoid_expect(1, 1.0 / 64, 12, shares_terms, &s, 2, out, &evaluations) != EV_OK)
        return;
    *reverse = -out[1].value;
    *forward = w * out[0].value + (1 - w) * out[1].value;
}

static void decide_penalty(ev_check *check)
{
    static const double SHARE[] = {0.5, 0.1, 1e-2, 1e-3, 1e-4};
    const double m = 4;
    double worst = 0, reverse, forward, half[2], twice[2];
    for (size_t i = 0; i < sizeof SHARE / sizeof *SHARE; i++) {
        double w = SHARE[i];
        leave_out(m, w, &reverse, &forward);
        worst = larger(worst, fabs(reverse + log1p(-w)));
        worst = larger(worst, fabs(forward - w * (2 * m * m + log(w)) - (1 - w) * log1p(-w)));
    }
    leave_out(m, 0.5, &half[0], &half[1]);
    leave_out(2 * m, 0.5, &twice[0], &twice[1]);
    const char *last = ev_check_format(check, "at w = 1e-4 they are %.2e and %.2e", reverse,
                                       forward);
    const ev_alternative others[] = {
        {"leaving out what is improbable is dear in KL(p||q)", forward < 0.01, last},
        {"leaving out half of the mass costs more in KL(q||p), the farther it is",
         fabs(twice[0] - half[0]) < 1e-3,
         ev_check_format(check, "%.6f at m/s = 4, %.6f at 8", half[0], twice[0])},
        {"nor does it in KL(p||q)", twice[1] - half[1] > 40,
         ev_check_format(check, "%.3f at m/s = 4, %.3f at 8", half[1], twice[1])}};
    ev_check_decide(check, "mode-penalty",
                    worst < 1e-3 && reverse < 1e-3 && forward < 1e-2 && half[1] > 15,
                    ev_check_format(check,
                                    "five shares: within %.1e of the formulas; %s; with equal "
                                    "shares %.6f and %.3f",
                                    worst, last, half[0], half[1]),
                    3, others);
}

/* 7. The printed lines. ----------------------------------------------------------------------*/

static void compare(ev_check *check, const char *claim, size_t step, size_t member, const place *at,
                    double ours)
{
    const double s = 1;
    const ev_binding to[] = {
        {"m", 1, &at->m}, {"s", 1, &s}, {"\\mu", 1, &at->mu}, {"\\tau", 1, &at->tau}};
    double error, theirs = ev_check_document_value(check, claim, member, 0, 4, to, &error);
    ev_check_compare(check, claim, step, ours, 1e-12 * (1 + fabs(ours)), theirs, error, 1e-9);
}

static void compare_lines(ev_check *check)
{
    static const place AT[] = {{1.3, 0.4, 0.8}, {2, -1.6, 1.1}, {0.7, 1.2, 1.9}};
    for (size_t i = 0; i < sizeof AT / sizeof *AT; i++) {
        const place *at = &AT[i];
        landscape l = split(at->m, at->mu, at->tau);
        double tau = at->tau, second = at->m * at->m + 1 + at->mu * at->mu;
        compare(check, "mode-reverse-reduced", 1, 1, at, l.value);
        compare(check, "mode-reverse-slope-mu", 1, 1, at, l.mu);
        compare(check, "mode-reverse-slope-tau", 1, 1, at, l.tau);
        compare(check, "mode-reverse-curvature", 1, 1, at, l.mu_mu);
        compare(check, "mode-forward-slopes", 1, 1, at, at->mu / (tau * tau));
        compare(check, "mode-forward-slopes", 2, 3, at, 1 / tau - second / (tau * tau * tau));
    }
}

/* The two rules, and differences of the value against the slopes. */
static void assert_rules(ev_check *check)
{
    double worst = 0, slope = 0, h = 1e-4;
    for (int i = 0; i < 40; i++) {
        double m = 0.3 + 0.19 * i, mu = m * (i % 7 - 3) / 3.0, tau = 0.7 + 0.4 * (i % 5);
        landscape a = split(m, mu, tau), b = raw(m, mu, tau);
        double scale = 1 + m * m;
        worst = larger(worst, fmax(fabs(a.value - b.value), fabs(a.mu - b.mu)) / scale);
        worst = larger(worst, fmax(fabs(a.tau - b.tau), fabs(a.mu_tau - b.mu_tau)) / scale);
        worst = larger(worst, fmax(fabs(a.mu_mu - b.mu_mu), fabs(a.tau_tau - b.tau_tau)) / scale);
        slope = fmax(
            slope,
            fabs((split(m, mu + h, tau).value - split(m, mu - h, tau).value) / (2 * h) - a.mu) /
                scale);
        slope = larger(
            slope,
            fabs((split(m, mu, tau + h).tau - split(m, mu, tau - h).tau) / (2 * h) - a.tau_tau) /
                scale);
    }
    ev_check_assert(check, "mode-two-rules",
                    "value, slopes and Hessian of KL(q||p) by two rules, 40 "
                    "places: largest relative difference",
                    worst, 0, 1e-12);
    ev_check_assert(check, "mode-differences", "slope and curvature against differences, 40 places",
                    slope, 0, 1e-6);
}

void check_mode_seeking(ev_check *check);
void check_mode_seeking(ev_check *check)
{
    surveys all;
    fill_table();
    compare_lines(check);
    assert_rules(check);
    take_surveys(&all);
    decide_stationary(check, &all);
    decide_wide(check, &all);
    decide_fold(check, &all);
    decide_equal(check, &all);
    decide_attained(check, &all);
    decide_table(check);
    decide_fixed_width(check);
    decide_forward(check);
    decide_penalty(check);
}
