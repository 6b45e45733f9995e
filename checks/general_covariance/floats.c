/* softplus and exp over the floats. */
#include "probability/log_space.h"
#include "roots.h"

#include <float.h>
#include <math.h>
#include <string.h>

typedef bool (*float_test)(float u);

/* softplus rounded once: the double value is right to 1e-16. */
static float rounded_softplus(float u) { return (float)ev_softplus((double)u); }
static float textbook_softplus(float u) { return logf(1 + expf(u)); }
static float stable_softplus(float u) { return fmaxf(u, 0) + log1pf(expf(-fabsf(u))); }
static bool softplus_positive(float u) { return rounded_softplus(u) > 0; }
static bool softplus_normal(float u) { return rounded_softplus(u) >= FLT_MIN; }
static bool softplus_infinite(float u)
{
    return isinf(rounded_softplus(u)) || isinf(stable_softplus(u));
}
static bool exp_positive(float u) { return (float)exp((double)u) > 0; }
static bool exp_normal(float u) { return (float)exp((double)u) >= FLT_MIN; }
static bool exp_infinite(float u) { return isinf((float)exp((double)u)); }
static bool textbook_positive(float u) { return textbook_softplus(u) > 0; }
static bool textbook_infinite(float u) { return isinf(textbook_softplus(u)); }
static bool stable_positive(float u) { return stable_softplus(u) > 0; }

/* The first float of [low, high] that passes a monotone test; HUGE_VAL if high does not. */
static double first_float(float_test test, float low, float high)
{
    if (!test(high))
        return HUGE_VAL;
    while (nextafterf(low, high) < high) {
        float middle = low + (high - low) / 2;
        if (test(middle))
            high = middle;
        else
            low = middle;
    }
    return (double)high;
}

typedef struct {
    const char *what;
    float_test test;
    double at; /* the threshold in units of log 2 */
} threshold;

static const threshold THRESHOLDS[] = {{"softplus positive", softplus_positive, -150},
                                       {"exp positive", exp_positive, -150},
                                       {"softplus normal", softplus_normal, -126},
                                       {"exp normal", exp_normal, -126},
                                       {"exp infinite", exp_infinite, 128},
                                       {"textbook positive", textbook_positive, -24},
                                       {"textbook infinite", textbook_infinite, 128},
                                       {"stable positive", stable_positive, -150}};

/* The farthest of the measured thresholds from the stated ones, in spacings of floats there. */
static double worst_threshold(void)
{
    double worst = 0;
    for (size_t i = 0; i < sizeof THRESHOLDS / sizeof *THRESHOLDS; i++) {
        float stated = (float)(THRESHOLDS[i].at * EV_LOG_2);
        double spacing = fabs((double)nextafterf(stated, 1000) - (double)stated);
        worst = fmax(
            worst, fabs(first_float(THRESHOLDS[i].test, -200, 200) - THRESHOLDS[i].at * EV_LOG_2) /
                       spacing);
    }
    return worst;
}

/* Over floats of every exponent: the largest error of the stable form, in units of the last
 * place of a normal result. */
static double worst_stable(size_t *count)
{
    enum { STRIDE = 40961 };
    double worst = 0;
    *count = 0;
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += STRIDE) {
        uint32_t word = (uint32_t)bits;
        float u;
        memcpy(&u, &word, sizeof u);
        if (!isfinite(u) || !softplus_normal(u))
            continue;
        double exact = ev_softplus((double)u);
        worst = fmax(worst,
                     fabs((double)stable_softplus(u) - exact) / (exact * (double)FLT_EPSILON));
        ++*count;
    }
    return worst;
}

void covariance_decide_floats(ev_check *check)
{
    size_t count;
    double zero = first_float(softplus_positive, -200, 200);
    double worst = worst_threshold(), stable = worst_stable(&count);
    double textbook = first_float(textbook_positive, -200, 200);
    double subnormal = first_float(softplus_normal, -200, 200);
    bool never = !softplus_infinite(FLT_MAX) && isinf(textbook_softplus(FLT_MAX));
    const char *smallest = ev_check_format(
        check, "the first float with a positive softplus is %.6f", zero);
    const ev_alternative wrong[] = {
        {"it is zero already where it stops being a normal number", subnormal - zero > 1, smallest},
        {"it is zero from the place where 1 + e^u rounds to 1", textbook - zero > 1, smallest}};
    ev_check_prints(check, "covariance-softplus-float", "is positive at every finite argument");
    ev_check_decide(check, "covariance-softplus-float", softplus_positive(-FLT_MAX), smallest, 2,
                    wrong);
    const ev_alternative others[] = {
        {"the textbook form is good wherever the exponential is", textbook - zero > 1,
         ev_check_format(check, "it is zero up to %.6f", textbook)},
        {"softplus overflows with the exponential", never,
         ev_check_format(check, "at the largest float it is %.8g",
                         (double)stable_softplus(FLT_MAX))},
        {"the stable form loses digits somewhere", stable < 4,
         ev_check_format(check, "at %zu floats its error is at most %.2f units of the last place",
                         count, stable)}};
    for (size_t i = 0; i < sizeof THRESHOLDS / sizeof *THRESHOLDS; i++)
        ev_check_prints(check, "covariance-float-range", "$%g\\log 2 = %.4f$", THRESHOLDS[i].at,
                        THRESHOLDS[i].at * EV_LOG_2);
    ev_check_decide(check, "covariance-float-range", worst <= 2 && never && stable < 4,
                    ev_check_format(check,
                                    "eight thresholds within %.1f spacings of the stated ones; "
                                    "stable form within %.2f units of the last place at %zu "
                                    "floats of every size",
                                    worst, stable, count),
                    3, others);
}
