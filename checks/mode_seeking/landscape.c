/* KL(q||p) with its first and second derivatives, by two rules: log cosh split into a part whose
 * average is known and a rest that decays (split), and the trapezoidal rule for the average as it
 * stands (raw). */
#include "landscape.h"

#include "numerics/quadrature.h"
#include "probability/log_space.h"

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

void mode_fill_table(void)
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
landscape mode_split(double m, double mu, double tau)
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
landscape mode_raw(double m, double mu, double tau)
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
bool mode_newton(rule at, double m, double *mu, double *tau)
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

/* The outer minimum, from (m, 1); the middle one. */
bool mode_outer_minimum(rule at, double m, double *mu, double *tau)
{
    *mu = m;
    *tau = 1;
    return mode_newton(at, m, mu, tau) && *mu > 1;
}
bool mode_middle_minimum(rule at, double m, double *tau)
{
    double mu = 0, b = m / sqrt(2 * acos(-1));
    *tau = b + sqrt(1 + b * b);
    return mode_newton(at, m, &mu, tau) && fabs(mu) < 1e-9;
}
