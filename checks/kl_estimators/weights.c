/* Weights: what they need of supports and tails, and what is left without them. */
#include "numerics/minimise.h"
#include "numerics/quadrature.h"
#include "probability/gaussian.h"
#include "probability/log_space.h"
#include "scene.h"

/* p uniform on (0,1), q = N(0.5, 0.3^2): the share of q outside, q log q inside, and
 * log(q/p_d) for p_d = (1-d) p + d N(0,1), with d = 1e-4, 1e-8, ..., 1e-16. */
static int support_block(void *context, size_t worker, size_t n, const double *const *e,
                         double *const *out)
{
    (void)context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double x = 0.5 + 0.3 * e[0][i], lq = ev_gaussian_scalar_log_density(x, 0.5, 0.3);
        bool inside = x > 0 && x < 1;
        out[0][i] = !inside;
        out[1][i] = inside ? lq : 0;
        for (int k = 0; k < 4; k++) {
            double d = pow(1e-4, k + 1), normal = exp(ev_gaussian_scalar_log_density(x, 0, 1));
            out[2 + k][i] = lq - log((inside ? 1 - d : 0) + d * normal);
        }
    }
    return 0;
}

/* The weighted average over p, int_0^1 q log q, by parts: with a = 1/(2 sigma),
 * -(log(2 pi sigma^2)/2) P(inside) - (P(inside) - 2 a phi(a))/2. */
static double weighted_average_on_interval(void)
{
    const double a = 0.5 / 0.3, inside = erf(a / sqrt(2));
    double edge = exp(ev_gaussian_scalar_log_density(a, 0, 1));
    return -(0.5 * EV_LOG_2PI + log(0.3)) * inside - 0.5 * (inside - 2 * a * edge);
}

void kl_decide_support(ev_check *check)
{
    ev_sample_summary drawn[6];
    const double outside = erfc(0.5 / 0.3 / sqrt(2)), step = log(1e4);
    ev_stream stream = ev_check_stream(check, "support");
    if (ev_monte_carlo_expect(1, support_block, NULL, 6, &stream, 40000, 2, drawn) != EV_OK) {
        ev_check_give_up(check, "kl-support", "sampling failed");
        return;
    }
    double weighted = weighted_average_on_interval();
    double half_share = ev_sample_half_width(&drawn[0], ev_check_alpha(check));
    double half = ev_sample_half_width(&drawn[1], ev_check_alpha(check));
    bool finite = covers(&drawn[1], half, weighted) && covers(&drawn[0], half_share, outside);
    bool grows = true;
    for (int k = 1; k < 4; k++)
        grows = grows &&
                fabs((drawn[2 + k].mean - drawn[1 + k].mean) / step - outside) < half_share;
    const char *found = ev_check_format(check,
                                        "%.3f, %.3f, %.3f, %.3f for d = 1e-4, 1e-8, 1e-12, 1e-16",
                                        drawn[2].mean, drawn[3].mean, drawn[4].mean, drawn[5].mean);
    const ev_alternative others[] = {
        {"the divergence is finite, as the weighted average is", grows, found},
        {"the two agree", grows && fabs(drawn[5].mean - weighted) > half, found},
        {"the weighted average is infinite as well", finite,
         ev_check_format(check, "%.4f +- %.4f, exactly %.4f", drawn[1].mean, half, weighted)}};
    const ev_alternative equal[] = {{"the two sides are finite together", finite && grows, found},
                                    {"they differ by the share of q outside",
                                     finite && drawn[5].mean > weighted + outside, found}};
    ev_check_decide(check, "kl-support-unconditional", !(finite && grows), found, 2, equal);
    ev_check_decide(check, "kl-support", finite && grows,
                    ev_check_format(check,
                                    "weighted average over p %.5f; share of q outside %.5f; with a "
                                    "share d of p spread over the line the divergence is %s",
                                    weighted, outside, found),
                    3, others);
}

/* q uniform on (0,1), p = N(0.5, 0.3^2): the weights p/q, and ln(1/q) = 0 with them, at draws of q
 * by its distribution function; the share of p outside, where q is 0. */
static int uniform_weight_block(void *context, size_t worker, size_t n, const double *const *e,
                                double *const *out)
{
    (void)context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double u = erfc(-e[0][i] / sqrt(2)) / 2, x = 0.5 + 0.3 * e[0][i];
        out[0][i] = exp(ev_gaussian_scalar_log_density(u, 0.5, 0.3));
        out[1][i] = x <= 0 || x >= 1;
    }
    return 0;
}

void kl_decide_weight_support(ev_check *check)
{
    const double held = 0.90, inside = erf(0.5 / 0.3 / sqrt(2));
    ev_integral sums[2];
    ev_sample_summary drawn[2];
    size_t evaluations;
    ev_stream stream = ev_check_stream(check, "weights on an interval");
    if (ev_trapezoid_expect(1, 0.01, 10, uniform_weight_block, NULL, 2, sums, &evaluations) !=
            EV_OK ||
        ev_monte_carlo_expect(1, uniform_weight_block, NULL, 2, &stream, 40000, 2, drawn) !=
            EV_OK) {
        ev_check_give_up(check, "kl-weight-support", "quadrature or sampling failed");
        return;
    }
    double half[2] = {ev_sample_half_width(&drawn[0], ev_check_alpha(check)),
                      ev_sample_half_width(&drawn[1], ev_check_alpha(check))};
    bool mean = fabs(sums[0].value - inside) < 1e-6 && covers(&drawn[0], half[0], inside);
    bool outside = covers(&drawn[1], half[1], 1 - inside) && drawn[1].mean > half[1];
    const char *found = ev_check_format(check,
                                        "mean weight %.6f by sums, %.4f +- %.4f by 40000 draws, "
                                        "the share of p inside %.6f; outside, where q is 0 and "
                                        "ln(1/q) infinite, %.4f +- %.4f",
                                        sums[0].value, drawn[0].mean, half[0], inside,
                                        drawn[1].mean, half[1]);
    const ev_alternative others[] = {
        {"the mean weight is one whatever the supports are", drawn[0].mean + half[0] < 1, found},
        {"the divergence is finite, as the weighted average is", outside, found}};
    ev_check_prints(check, "kl-weight-support", "holds %.2f of a Gaussian target", held);
    ev_check_prints(check, "kl-weight-support", "their mean is %.2f instead of one", held);
    ev_check_decide(check, "kl-weight-support", mean && outside && fabs(inside - held) < 0.005,
                    found, 2, others);
}

/* Scenario 3.  The printed objective for f = N(0,1), E_q[f log 1/q]: with V = 1 + tau^2,
 *   N(m; 0, V) (log(2 pi tau^2)/2 + 1/(2V) + m^2 tau^2/(2V^2)). */
static double weightless(double m, double log_tau)
{
    double tau2 = exp(2 * log_tau), V = 1 + tau2;
    return exp(ev_gaussian_scalar_log_density(m, 0, sqrt(V))) *
           (0.5 * EV_LOG_2PI + log_tau + 0.5 / V + 0.5 * m * m * tau2 / (V * V));
}

static double weightless_slope(void *context, double log_tau)
{
    double m = *(double *)context, h = 1e-5;
    return (weightless(m, log_tau + h) - weightless(m, log_tau - h)) / (2 * h);
}

/* By m, the derivative of the objective vanishes at m = 0 and where
 * m^2 = 2V - (log(2 pi tau^2)/2 + 1/(2V)) 2V^2/tau^2.  On either curve, count the changes of
 * sign of the derivative by log tau; *root is the last on m = 0. */
static int stationary_points(double *root)
{
    int count = 0;
    double before[2] = {0, 0};
    for (int i = 0; i <= 4000; i++) {
        double log_tau = -6 + 12.0 * i / 4000, tau2 = exp(2 * log_tau), V = 1 + tau2;
        double square = 2 * V - (0.5 * EV_LOG_2PI + log_tau + 0.5 / V) * 2 * V * V / tau2;
        for (int curve = 0; curve < 2; curve++) {
            double m = curve == 0 ? 0 : sqrt(fmax(square, 0));
            /* relative to the density's factor, which underflows far out */
            double scale = exp(ev_gaussian_scalar_log_density(m, 0, sqrt(V)));
            if ((curve == 1 && square <= 0) || scale < 1e-250)
                continue;
            double slope = weightless_slope(&m, log_tau) / scale;
            count += before[curve] * slope < 0;
            before[curve] = slope;
        }
    }
    double zero = 0;
    if (ev_root(weightless_slope, &zero, 0, 1, 1e-12, root) != EV_OK)
        *root = (double)NAN;
    return count;
}

/* The largest difference between the formula above and quadrature, over some (m, log tau). */
static double weightless_error(void)
{
    double worst = 0;
    for (int i = 0; i < 6; i++) {
        scene s = {{0.5, 0.5}, {0, 0}, {1, 1}, {0.4 * i, -2 + 0.5 * i}};
        double value[UNDER_Q], error[UNDER_Q];
        kl_under_q(&s, value, error);
        worst = fmax(worst, fabs(value[WEIGHTLESS] - weightless(s.phi[0], s.phi[1])));
    }
    return worst;
}

void kl_decide_collapse(ev_check *check)
{
    double root, h = 1e-3, zero = 0, error = weightless_error();
    int count = stationary_points(&root);
    double top = weightless(0, root), along_m = (weightless(h, root) - top) / (h * h);
    double along_tau = (weightless(0, root + h) - 2 * top + weightless(0, root - h)) / (h * h);
    double at_p = weightless(0, 0), slope_at_p = weightless_slope(&zero, 0);
    double deep[3] = {weightless(0, -10), weightless(0, -100), weightless(1, -300)};
    bool falls = deep[0] > deep[1] && deep[1] > deep[2] &&
                 fabs((deep[0] - deep[1]) / 90 - exp(-0.5 * EV_LOG_2PI)) < 1e-6;
    bool peak = count == 1 && along_m < 0 && along_tau < 0;
    const ev_alternative others[] = {
        {"its minimum is that of KL(p,q), q = p", fabs(slope_at_p) > 1e-3 && at_p > deep[0],
         ev_check_format(check, "at q = p the slope by log tau is %.4f", slope_at_p)},
        {"it is bounded below", falls,
         ev_check_format(check, "%.3f at log tau = -10, %.2f at -100", deep[0], deep[1])},
        {"its stationary point is a minimum", peak,
         ev_check_format(check, "curvatures %.3f and %.3f", 2 * along_m, along_tau)}};
    ev_check_decide(check, "kl-weightless-collapses", falls && peak && error < 1e-10,
                    ev_check_format(check,
                                    "f = N(0,1): %d stationary point, tau = %.6f, a maximum of "
                                    "%.6f; %.3f, %.2f, %.2f at log tau = -10, -100, -300",
                                    count, exp(root), top, deep[0], deep[1], deep[2]),
                    3, others);
}

/* p/q for p = N(0,1), q = N(0, ratio), at x = e. */
static int weight_block(void *context, size_t worker, size_t n, const double *const *e,
                        double *const *out)
{
    double width = sqrt(*(const double *)context);
    (void)worker;
    for (size_t i = 0; i < n; i++)
        out[0][i] = exp(ev_gaussian_scalar_log_density(e[0][i], 0, 1) -
                        ev_gaussian_scalar_log_density(e[0][i], 0, width));
    return 0;
}

/* E_q[(p/q)^2] = E_p[p/q] over |x| <= radius. */
double kl_truncated_second_moment(double ratio, double radius)
{
    ev_integral out;
    size_t evaluations;
    ev_status status = ev_trapezoid_expect(1, 1.0 / 16, radius, weight_block, &ratio, 1, &out,
                                           &evaluations);
    return status == EV_OK ? out.value : (double)NAN;
}

/* Between radius 18 and 24: has the second moment settled, at its closed form? */
bool kl_settles(double ratio, double *near, double *far)
{
    *near = kl_truncated_second_moment(ratio, 18);
    *far = kl_truncated_second_moment(ratio, 24);
    return fabs(*far - *near) < 1e-6 * *far &&
           fabs(*far / (ratio / sqrt(2 * ratio - 1)) - 1) < 1e-6;
}

void kl_decide_weight_variance(ev_check *check)
{
    static const double RATIO_OF_VARIANCES[] = {0.45, 0.5, 0.55, 0.8, 1.3};
    double near[5], far[5];
    bool finite[5];
    for (int i = 0; i < 5; i++)
        finite[i] = kl_settles(RATIO_OF_VARIANCES[i], &near[i], &far[i]);
    const ev_alternative others[] = {
        {"q must be at least as wide as p, tau >= s", finite[2] && finite[3],
         ev_check_format(check, "at tau^2 = 0.55 s^2 the second moment is %.6f", far[2])},
        {"any tau will do, since the mean weight is 1", !finite[0],
         ev_check_format(check, "at 0.45 s^2, %.3g within 18 s and %.3g within 24 s", near[0],
                         far[0])},
        {"the limit tau^2 = s^2/2 still has a variance", !finite[1],
         ev_check_format(check, "%.4f within 18 s and %.4f within 24 s", near[1], far[1])}};
    ev_check_prints(check, "kl-weight-variance", "if and only if $\\tau^2 > s^2/2$");
    ev_check_decide(
        check, "kl-weight-variance",
        !finite[0] && !finite[1] && finite[2] && finite[3] && finite[4],
        ev_check_format(check,
                        "second moment within 24 s at tau^2/s^2 = 0.45, 0.5, 0.55, 0.8, "
                        "1.3: %.3g, %.3g (growing), %.6f, %.6f, %.6f (settled)",
                        far[0], far[1], far[2], far[3], far[4]),
        3, others);
}
