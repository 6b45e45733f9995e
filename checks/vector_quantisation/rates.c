/* Rate and distortion: when codes are better, and when a continuous latent is.
 *
 * A posterior N(a x, s^2) against the prior N(0,1), for a source of mean 0 and variance 1, has
 * the mean divergence (s^2 + a^2 - 1 - log s^2)/2. */
#include "codes.h"
#include "numerics/minimise.h"
#include "numerics/monte_carlo.h"
#include "numerics/quadrature.h"
#include "probability/gaussian.h"

#include <math.h>

static double scale_for(double rate, double log_s)
{
    return sqrt(fmax(0, 2 * rate + 1 + 2 * log_s - exp(2 * log_s)));
}

typedef struct {
    double rate, a, s;
} channel;

/* The source +1, -1 and its mean given z, tanh(a z/s^2): the error at +1, by symmetry. */
static int sign_error(void *context, size_t worker, size_t n, const double *const *e,
                      double *const *out)
{
    const channel *c = context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double z = c->a + c->s * e[0][i], miss = 1 - tanh(c->a * z / (c->s * c->s));
        out[0][i] = miss * miss;
    }
    return 0;
}

static double sign_distortion(void *context, double log_s)
{
    channel c = *(channel *)context;
    ev_integral found;
    size_t evaluations;
    c.a = scale_for(c.rate, log_s);
    c.s = exp(log_s);
    if (ev_kronrod_expect(12, 1e-14, 1e-12, sign_error, &c, 1, &found, &evaluations) != EV_OK)
        return HUGE_VAL;
    return found.value;
}

/* The least distortion over s: a scan, then Brent's method around the best. */
static double least_sign_distortion(double rate, double *s)
{
    channel c = {rate, 0, 0};
    double best = 0, least = HUGE_VAL;
    for (double log_s = -2 * rate - 0.5; log_s < 0.5; log_s += 0.05) {
        double here = sign_distortion(&c, log_s);
        if (here < least) {
            least = here;
            best = log_s;
        }
    }
    if (ev_minimise_scalar(sign_distortion, &c, best - 0.05, best + 0.05, 1e-8, s, &least) != EV_OK)
        return (double)NAN;
    *s = exp(*s);
    return least;
}

void vq_decide_discrete(ev_check *check)
{
    double s, s_twice, once = least_sign_distortion(log(2), &s);
    double twice = least_sign_distortion(2 * log(2), &s_twice), codes[2] = {-1, 1}, exact = 0;
    for (int side = 0; side < 2; side++) {
        double x = 2 * side - 1;
        exact += vq_square_distance(1, &x, codes + vq_nearest(2, 1, codes, &x)) / 2;
    }
    channel best = {log(2), scale_for(log(2), log(s)), s};
    ev_integral sums;
    size_t evaluations;
    if (ev_trapezoid_expect(1, 0.05, 10, sign_error, &best, 1, &sums, &evaluations) == EV_OK)
        ev_check_assert(check, "vq-discrete-distortion",
                        "least distortion of a Gaussian posterior: sums and adaptive quadrature",
                        sums.value, once, 1e-9);
    const char *found = ev_check_format(
        check, "the Gaussian posterior's least is %.6f, at s = %.4f", once, s);
    const ev_alternative others[] = {
        {"a Gaussian posterior has no distortion either", once > 1e-3, found},
        {"twice the rate removes it", twice > 1e-6,
         ev_check_format(check, "at 2 log 2 nats it is %.3g", twice)},
        {"the two codes do worse", exact < once, found}};
    ev_check_decide(check, "vq-discrete-better", !(exact > 0) && once > 1e-3,
                    ev_check_format(check, "at log 2 nats: two codes %g; %s", exact, found), 3,
                    others);
}

/* Two codes for N(0,1), by Lloyd's steps with the Gaussian's partial means. */
static double lloyd_gaussian(double low, double high)
{
    double below = 0.5;
    for (int i = 0; i < 200; i++) {
        double edge = (low + high) / 2, density = exp(ev_gaussian_scalar_log_density(edge, 0, 1));
        below = erfc(-edge / sqrt(2)) / 2;
        low = -density / below;
        high = density / (1 - below);
    }
    return 1 - below * low * low - (1 - below) * high * high;
}

/* out: squared errors of the two codes +-c[0] and +-1, and of the Gaussian channel with
 * correlation c[1] and its best decoder. */
static int gaussian_errors(void *context, size_t worker, size_t n, const double *const *e,
                           double *const *out)
{
    const double *c = context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double x = e[0][i], z = c[1] * x + sqrt(1 - c[1] * c[1]) * e[1][i];
        out[0][i] = (fabs(x) - c[0]) * (fabs(x) - c[0]);
        out[1][i] = (x - c[1] * z) * (x - c[1] * z);
        out[2][i] = (fabs(x) - 1) * (fabs(x) - 1);
    }
    return 0;
}

void vq_decide_continuous(ev_check *check)
{
    const double two_over_pi = 1 / acos(0), code = sqrt(two_over_pi), rho = sqrt(0.75);
    double constants[2] = {code, rho}, by_steps = lloyd_gaussian(0.3, 2.5);
    double rate = ev_gaussian_scale_kl(sqrt(1 - rho * rho), 1) + rho * rho / 2;
    ev_stream stream = ev_check_stream(check, "distortions");
    ev_sample_summary drawn[3];
    if (ev_monte_carlo_expect(2, gaussian_errors, constants, 3, &stream, 200000, 2, drawn) !=
        EV_OK) {
        ev_check_give_up(check, "vq-continuous-better", "sampling failed");
        return;
    }
    double width = ev_sample_half_width(&drawn[0], ev_check_alpha(check));
    double channel_width = ev_sample_half_width(&drawn[1], ev_check_alpha(check));
    const char *found = ev_check_format(check,
                                        "codes %.4f +- %.4f, channel %.4f +- %.4f in 200000 draws",
                                        drawn[0].mean, width, drawn[1].mean, channel_width);
    const ev_alternative others[] = {
        {"the two codes do as well", drawn[0].mean - drawn[1].mean > width + channel_width, found},
        {"the best codes are -1 and 1",
         drawn[2].mean > drawn[0].mean && 2 - 2 * code > 1 - two_over_pi,
         ev_check_format(check, "their distortion is %.4f", drawn[2].mean)},
        {"the best two codes have the distortion 1/3", fabs(by_steps - 1.0 / 3) > 1e-6,
         ev_check_format(check, "Lloyd's steps end at %.12f", by_steps)}};
    bool holds = fabs(by_steps - (1 - two_over_pi)) < 1e-12 && fabs(rate - log(2)) < 1e-12 &&
                 fabs(drawn[0].mean - by_steps) < width &&
                 fabs(drawn[1].mean - 0.25) < channel_width;
    ev_check_prints(check, "vq-continuous-better",
                    "distortion $1 - 2/\\pi$, a Gaussian posterior has $1/4$");
    ev_check_decide(check, "vq-continuous-better", holds,
                    ev_check_format(check, "Lloyd's steps end at %.12f; %s", by_steps, found), 3,
                    others);
}
