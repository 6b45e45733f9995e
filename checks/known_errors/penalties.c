/* Published errors in importance weights and in divergences used as penalties. */
#include "numerics/monte_carlo.h"
#include "numerics/quadrature.h"
#include "probability/gaussian.h"
#include "probability/kl_estimators.h"
#include "probability/log_space.h"
#include "sides.h"

/* out[0] = w(z) for x = 0.7, q = N(0.2, 1.1^2): the mean is N(x; 0, 2). */
static int weight_terms(void *context, size_t worker, size_t n, const double *const *e,
                        double *const *out)
{
    (void)context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double z = 0.2 + 1.1 * e[0][i];
        out[0][i] = exp(ev_gaussian_scalar_log_density(0.7, z, 1) +
                        ev_gaussian_scalar_log_density(z, 0, 1) -
                        ev_gaussian_scalar_log_density(z, 0.2, 1.1));
    }
    return 0;
}

void errors_check_weights(ev_check *check)
{
    const double n = 2, x = 0.7, mu = 0.2, s = 1.1, a[2] = {0.9, -2.3};
    const ev_binding at[] = {
        {"N", 1, &n}, {"x", 1, &x}, {"\\mu", 1, &mu}, {"s", 1, &s}, {"a", 2, a}};
    double evidence = exp(ev_gaussian_scalar_log_density(x, 0, sqrt(2)));
    ev_integral found;
    size_t evaluations;
    ev_sample_summary drawn;
    ev_stream stream = ev_check_stream(check, "weights");
    errors_says(check, "weights-averaged", 1, 1, 0, 5, at, evidence, rounding(evidence));
    errors_says(check, "log-sum-exp", 1, 1, 0, 5, at, ev_log_mean_exp(2, a), rounding(1));
    errors_differ(check, "logarithms-added-gradient", 1 / (1 + exp(a[1] - a[0])), 1);
    errors_differ(check, "logarithms-added", ev_log_mean_exp(2, a), a[0] + a[1]);
    if (ev_kronrod_expect(12, 1e-14, 1e-13, weight_terms, NULL, 1, &found, &evaluations) != EV_OK ||
        ev_monte_carlo_expect(1, weight_terms, NULL, 1, &stream, 100000, 2, &drawn) != EV_OK)
        return;
    /* Independent draws: the mean of the product is the product of the means. */
    ev_check_sides(check, "weights-multiplied", 1, evidence, rounding(evidence),
                   found.value * found.value, 1e-11);
    ev_check_assert(check, "weights-averaged-quadrature",
                    "mean weight by quadrature, and the evidence", found.value, evidence,
                    found.error + rounding(evidence));
    ev_check_assert(check, "weights-averaged-sampling", "mean of 100000 weights, and the evidence",
                    drawn.mean, evidence, ev_sample_half_width(&drawn, ev_check_alpha(check)));
}

void errors_check_penalties(ev_check *check)
{
    const double phi = 0.3, m = -0.4, tau = 1.05, s = 0.8, beta = 0.7;
    const ev_binding at[] = {
        {"\\phi", 1, &phi}, {"m", 1, &m}, {"\\tau", 1, &tau}, {"s", 1, &s}, {"\\beta", 1, &beta}};
    double h = 1e-4, reverse, forward = ev_kl_estimator_loss_gradient(EV_KL_K3, phi, tau, m, s);
    ev_gaussian_kl_gradient(1, &phi, &tau, &m, &s, &reverse, NULL);
    double difference = (ev_gaussian_scalar_kl(m, s, phi + h, tau) -
                         ev_gaussian_scalar_kl(m, s, phi - h, tau)) /
                        (2 * h);
    errors_says(check, "k3-loss-other-direction", 1, 0, 0, 5, at, forward, rounding(forward));
    errors_says(check, "k3-loss-other-direction", 1, 1, 0, 5, at, difference, 1e-9);
    errors_says(check, "k3-as-loss", 1, 1, 0, 5, at, reverse, rounding(reverse));
    errors_differ(check, "k1-as-loss", ev_kl_estimator_loss_gradient(EV_KL_K1, phi, tau, m, s),
                  reverse);
    errors_differ(check, "k3-as-loss", forward, reverse);
    /* The rewards cancel: what is left of the two sides is +beta and -beta times the gradient. */
    errors_differ(check, "penalty-sign", beta * reverse, -beta * reverse);
}

/* The chain rule in single precision for clamp after, and clamp before, the exponential. */
static float slope_clamp_after(float b, float bound)
{
    volatile float y = expf(b);
    float clamp = y < bound ? 1.0F : 0.0F;
    return clamp * y;
}

static float slope_clamp_before(float b, float log_bound)
{
    float clamp = b < log_bound ? 1.0F : 0.0F;
    volatile float y = expf(fminf(b, log_bound));
    return clamp * y;
}

void errors_decide_clamp(ev_check *check)
{
    bool after_fails = true, before_right = true;
    for (float b = 89; b < 1e30F; b *= 2) {
        after_fails = after_fails && isnan(slope_clamp_after(b, expf(10)));
        before_right = before_right && !(fabsf(slope_clamp_before(b, 10)) > 0);
    }
    float moderate = slope_clamp_after(20, expf(10)), value = fminf(expf(100), expf(10));
    const ev_alternative others[] = {
        {"it fails as soon as the clamp is active", !isnan(moderate),
         ev_check_format(check, "at b = 20, C = e^10 the derivative is %g", (double)moderate)},
        {"the value fails as well", (double)value < 3e4,
         ev_check_format(check, "at b = 100 the value is %g", (double)value)},
        {"the order of clamp and exponential doesn't matter", after_fails && before_right,
         "not a number in one order, zero in the other, for b from 89 on"}};
    ev_check_decide(check, "clamp-after-exp", after_fails && before_right,
                    ev_check_format(check,
                                    "b = 100: %s with the clamp after, %g with the clamp before",
                                    after_fails ? "not a number" : "a number",
                                    (double)slope_clamp_before(100, 10)),
                    3, others);
}
