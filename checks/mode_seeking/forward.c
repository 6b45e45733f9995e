/* The other direction, KL(p||q), and what it costs to leave a hump out. */
#include "landscape.h"
#include "numerics/minimise.h"
#include "numerics/quadrature.h"
#include "probability/gaussian.h"
#include "probability/log_space.h"

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

static double slope_of_forward(void *context, double mu)
{
    const double x[2] = {mu, log(0.5)};
    double value, gradient[2];
    return forward_objective(context, 2, x, &value, gradient) == 0 ? gradient[0] : (double)NAN;
}

static double slope_of_reverse(void *context, double mu)
{
    return mode_split(*(const double *)context, mu, 0.5).mu;
}

/* The best mean for tau = s/2 by either divergence, humps at -2s and 2s: roots of slopes. */
void mode_mean_sides(ev_check *check)
{
    double m = 2, covering, seeking;
    if (ev_root(slope_of_forward, &m, -1, 1.7, 1e-12, &covering) != EV_OK ||
        ev_root(slope_of_reverse, &m, 0.5, 2.5, 1e-12, &seeking) != EV_OK)
        return;
    bool deeper = mode_split(m, seeking, 0.5).value < mode_split(m, 0, 0.5).value;
    ev_check_sides(check, "mode-forward-mean", 1, covering, 1e-10, 0, 0);
    ev_check_sides(check, "mode-means-differ", 1, deeper ? seeking : 0, 1e-10, 0, 0);
}

void mode_decide_forward(ev_check *check)
{
    static const double M[] = {0.3, 1, 2.4, 3, 5, 8};
    forward_found f = {0, 0, 0, HUGE_VAL, HUGE_VAL, -HUGE_VAL, HUGE_VAL};
    for (size_t i = 0; i < sizeof M / sizeof *M; i++) {
        double m = M[i], tau;
        descend_forward(m, &f);
        bend_forward(m, &f);
        f.still = larger(f.still, forward_slopes(m, 0, sqrt(m * m + 1)));
        f.beside = smaller(f.beside, forward_slopes(m, m, 1));
        if (m > 0.9 && mode_middle_minimum(mode_split, m, &tau))
            f.middle = smaller(f.middle, forward_slopes(m, 0, tau));
    }
    const ev_alternative others[] = {
        {"the humps are local minima", f.beside > 0.01,
         ev_check_format(check, "the slopes there are %.3f or more", f.beside)},
        {"its width is that of the middle minimum of the other direction", f.middle > 1e-3,
         ev_check_format(check, "the slope there is %.3f or more", f.middle)}};
    ev_check_prints(check, "mode-single-minimum", "at $\\mu = 0$ and $\\tau^2 = m^2+s^2$");
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

/* The hump alone in units of s: the entropy of p is half log(2 pi e) and KL(h||p), since both humps
 * have one E log p. */
void mode_hump_sides(ev_check *check)
{
    const double m = 1.3;
    double reverse, forward;
    leave_out(m, 0.5, &reverse, &forward);
    ev_check_sides(check, "mode-one-hump", 1, reverse, 1e-12, EV_LOG_2, 1e-15);
    ev_check_sides(check, "mode-one-hump-forward", 1, forward, 1e-12, m * m - reverse, 1e-12);
    ev_check_sides(check, "mode-one-hump-forward", 2, m * m - reverse, 1e-12, m * m - EV_LOG_2,
                   1e-15);
}

void mode_decide_penalty(ev_check *check)
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
    ev_check_prints(check, "mode-penalty", "$m/s = %g$", m);
    ev_check_prints(check, "mode-penalty",
                    "costs $-\\log(1-w)$ in $D_{KL}(h\\|p)$ and "
                    "$w\\big(2m^2/s^2+\\log w\\big)+(1-w)\\log(1-w)$ in");
    ev_check_prints(check, "mode-penalty", "above $15$ nats");
    ev_check_decide(check, "mode-penalty",
                    worst < 1e-3 && reverse < 1e-3 && forward < 1e-2 && half[1] > 15,
                    ev_check_format(check,
                                    "five shares: within %.1e of the formulas; %s; with equal "
                                    "shares %.6f and %.3f",
                                    worst, last, half[0], half[1]),
                    3, others);
}
