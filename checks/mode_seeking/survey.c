/* All stationary points in a box that provably holds them, by exclusion: a cell of the box is
 * thrown away where a slope can't vanish in it, kept where Krawczyk's operator maps it into itself
 * (one point, exactly), and halved otherwise.  The bounds on third derivatives are those of tanh.
 * R. Krawczyk, Computing 4, 1969.  What is not covered is the rounding of the averages, 1e-13, so
 * a count stands for every m where no point is nearer to being degenerate than that.
 *
 * Two further counts: descents from a lattice of starts, and the turns of the gradient along the
 * edge of the box. */
#include "landscape.h"
#include "numerics/minimise.h"

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
        landscape l = mode_split(m, *mu, tau);
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
                            : mode_newton(mode_split, s->m, &found.mu, &found.tau);
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
    landscape l = mode_split(s->m, found.mu, found.tau);
    double det = l.mu_mu * l.tau_tau - l.mu_tau * l.mu_tau;
    found.value = l.value;
    found.index = s->fixed ? (l.mu_mu > 0 ? 2 : 0) : det < 0 ? 1 : l.mu_mu > 0 ? 2 : 0;
    s->points[s->count++] = found;
}

static void visit(survey *s, cell c, int depth)
{
    landscape l = mode_split(s->m, c.mu, c.tau);
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
cell mode_box_of(double m)
{
    double b = m / sqrt(2 * acos(-1)), top = 1.013 * (b + sqrt(1 + b * b)), bottom = 0.987;
    return (cell){0.0031 * m, (top + bottom) / 2, 1.017 * m, (top - bottom) / 2};
}

survey mode_survey_free(double m)
{
    survey s = {.m = m};
    visit(&s, mode_box_of(m), 0);
    return s;
}

survey mode_survey_fixed(double m, double tau)
{
    survey s = {.m = m, .fixed = true};
    visit(&s, (cell){0.0031 * m, tau, 1.017 * m, 0}, 0);
    return s;
}

size_t mode_count_index(const survey *s, int index)
{
    size_t n = 0;
    for (size_t k = 0; k < s->count; k++)
        n += s->points[k].index == index;
    return n;
}

/* The least value, and at how many points it is attained; *middle: one of them is mu = 0. */
double mode_least_value(const survey *s, size_t *places, bool *middle)
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

static int descent_objective(void *context, size_t n, const double *x, double *value,
                             double *gradient)
{
    double m = *(const double *)context, tau = exp(x[1]);
    (void)n;
    if (!(tau > 0.2 && tau < 100 && fabs(x[0]) < 100))
        return 1;
    landscape l = mode_split(m, x[0], tau);
    *value = l.value;
    if (gradient != NULL) {
        gradient[0] = l.mu;
        gradient[1] = l.tau * tau;
    }
    return 0;
}

/* Descents from narrow and wide starts over the box: how many of the survey's minima are met;
 * *strays counts descents that end elsewhere. */
size_t mode_descend(const survey *s, size_t *strays)
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
double mode_turns(double m)
{
    enum { SIDE = 150 };
    static const int CORNER[5][2] = {{-1, -1}, {1, -1}, {1, 1}, {-1, 1}, {-1, -1}};
    cell box = mode_box_of(m);
    double angle = 0, last = 0;
    for (int i = 0; i <= 4 * SIDE; i++) {
        int side = i / SIDE < 4 ? i / SIDE : 3;
        double part = (double)(i - side * SIDE) / SIDE;
        double a = CORNER[side][0] + part * (CORNER[side + 1][0] - CORNER[side][0]);
        double b = CORNER[side][1] + part * (CORNER[side + 1][1] - CORNER[side][1]);
        landscape l = mode_split(m, box.mu + a * box.half_mu, box.tau + b * box.half_tau);
        double now = atan2(l.tau, l.mu);
        if (i > 0)
            angle += remainder(now - last, 2 * acos(-1));
        last = now;
    }
    return angle / (2 * acos(-1));
}

void mode_take_surveys(surveys *all)
{
    all->cells = all->strays = all->minima_missed = 0;
    all->failed = false;
    all->turned = 0;
    for (size_t i = 0; i < SEPARATIONS; i++) {
        survey *s = &all->at[i];
        *s = mode_survey_free(SEPARATION[i]);
        all->cells += s->cells;
        all->failed = all->failed || s->failed;
        all->minima_missed += mode_count_index(s, 2) != mode_descend(s, &all->strays);
        all->turned = larger(all->turned, fabs(mode_turns(s->m) - 1));
    }
}

bool mode_sound(const surveys *all)
{
    return !all->failed && all->strays == 0 && all->minima_missed == 0 && all->turned < 1e-9;
}
