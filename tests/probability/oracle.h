/* The second opinion of this folder's tests: expectations under N(0, 1) by GSL's adaptive rule,
 * piece by piece so that no mass is missed, under N(0, I_2) by a trapezoidal rule, and
 * corner-biased random operands from a generator of its own. */
#ifndef EV_TESTS_PROBABILITY_ORACLE_H
#define EV_TESTS_PROBABILITY_ORACLE_H

#include <gsl/gsl_errno.h>
#include <gsl/gsl_integration.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef double (*oracle_function)(double eps, void *context);
typedef double (*oracle_plane)(double eps0, double eps1, void *context);

typedef struct {
    oracle_function f;
    void *context;
} oracle_weighted;

static inline double oracle_weigh(double eps, void *context)
{
    const oracle_weighted *w = context;
    return exp(-0.5 * eps * eps) / sqrt(2.0 * M_PI) * w->f(eps, w->context);
}

/* integral of g over [-radius, radius]; NaN when GSL reports a failure. */
static inline double oracle_integrate(oracle_function g, void *context, double radius)
{
    gsl_set_error_handler_off();
    gsl_integration_workspace *workspace = gsl_integration_workspace_alloc(500);
    gsl_function function = {.function = g, .params = context};
    double sum = 0.0;
    for (double left = -radius; left < radius; left += 1.0) {
        double value = 0.0, error = 0.0;
        const int status = gsl_integration_qag(&function, left, left + 1.0, 1e-300, 1e-11, 500,
                                               GSL_INTEG_GAUSS31, workspace, &value, &error);
        sum += status == GSL_SUCCESS || fabs(error) < 1e-14 ? value : (double)NAN;
    }
    gsl_integration_workspace_free(workspace);
    return sum;
}

/* E[f(eps)], eps ~ N(0, 1).  The radius suits integrands that grow like a polynomial or
 * exp(c eps), |c| < 10. */
static inline double oracle_expect(oracle_function f, void *context)
{
    oracle_weighted weighted = {f, context};
    return oracle_integrate(oracle_weigh, &weighted, 24.0);
}

/* E[f(eps0, eps1)]; exponentially convergent for entire f, exact to rounding at this step
 * for integrands no narrower than about a third of the density. */
static inline double oracle_expect_plane(oracle_plane f, void *context)
{
    const double h = 1.0 / 16.0;
    double sum = 0.0;
    for (int i = -160; i <= 160; i++)
        for (int k = -160; k <= 160; k++) {
            const double x = i * h, y = k * h;
            sum += exp(-0.5 * (x * x + y * y)) * f(x, y, context);
        }
    return sum * h * h / (2.0 * M_PI);
}

/* |a - b| within relative of the larger, or within absolute; equal infinities agree. */
static inline bool oracle_close(double a, double b, double relative, double absolute)
{
    if (!isfinite(a) || !isfinite(b))
        return !isnan(a) && !isnan(b) && !(a < b) && !(b < a);
    return fabs(a - b) <= absolute + relative * fmax(fabs(a), fabs(b));
}

/* Uniform on (low, high), from a 64-bit linear congruence with a mixed output. */
static inline double oracle_uniform(uint64_t *state, double low, double high)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t bits = *state;
    bits ^= bits >> 32;
    bits *= UINT64_C(0x9E3779B97F4A7C15);
    bits ^= bits >> 29;
    return low + (high - low) * ((double)(bits >> 11) + 0.5) / 9007199254740992.0;
}

/* A location: corners first, then at random. */
static inline double oracle_location(uint64_t *state, size_t round)
{
    static const double corners[] = {0.0, 1.0, -1.0, 0.5};
    return round < 4 ? corners[round] : oracle_uniform(state, -3.0, 3.0);
}

/* A standard deviation: corners first, then log-uniform on (1/8, 8). */
static inline double oracle_scale(uint64_t *state, size_t round)
{
    static const double corners[] = {1.0, 2.0, 0.5, 0.125};
    return round < 4 ? corners[round] : exp(oracle_uniform(state, -2.0794, 2.0794));
}

/* K weights that sum to one; the second round is one-hot. */
static inline void oracle_weights(uint64_t *state, size_t round, size_t K, double *pi)
{
    double sum = 0.0;
    for (size_t c = 0; c < K; c++)
        sum += pi[c] = round == 0 ? 1.0 : -log(oracle_uniform(state, 0.0, 1.0));
    for (size_t c = 0; c < K; c++)
        pi[c] = round == 1 ? (c == 0 ? 1.0 : 0.0) : pi[c] / sum;
}

/* Rounds of a random test, times TEST_MULTIPLIER when set, for soaking. */
static inline size_t oracle_rounds(size_t usual)
{
    const char *text = getenv("TEST_MULTIPLIER");
    const unsigned long factor = text == NULL ? 1 : strtoul(text, NULL, 10);
    return usual * (factor == 0 ? 1 : (size_t)factor);
}

#endif
