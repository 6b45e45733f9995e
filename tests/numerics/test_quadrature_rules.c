#include "integrands.h"
#include "numerics/hermite_nodes.h"
#include "numerics/quadrature.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

static double power_of(const double *x, double k) { return pow(x[0], k); }
static double cosine(const double *x, double a) { return cos(a * x[0]); }
static double exponential(const double *x, double a) { return exp(a * x[0]); }
static double bell(const double *x, double a) { return exp(a * x[0] * x[0]); }
static double kink(const double *x, double a) { return fabs(x[0] - a); }
static double jump(const double *x, double a) { return x[0] > a; }
static double not_a_number(const double *x, double a) { return x[0] > a ? (double)NAN : 1; }

static double double_factorial(int n) { return n <= 1 ? 1 : n * double_factorial(n - 2); }
static double density(double x) { return exp(-0.5 * x * x) / sqrt(2 * acos(-1)); }
static double upper_tail(double x) { return 0.5 * erfc(x / sqrt(2)); }

/* A Gauss rule of n nodes is exact to degree 2n - 1. */
Test(quadrature_rules, hermite_integrates_every_monomial_it_should)
{
    static const size_t orders[] = {1, 2, 3, 8, 31, 64, 128, 256};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        for (int k = 0; k < 2 * (int)orders[i] && k <= 100; k++) {
            watched w = watch(1, power_of, k);
            ev_integral v;
            size_t evaluations;
            cr_assert_eq(
                ev_hermite_expect(1, orders[i], watched_integrand, &w, 1, &v, &evaluations), EV_OK);
            double exact = k % 2 == 0 ? double_factorial(k - 1) : 0;
            cr_assert_float_eq(v.value, exact, 1e-13 * fmax(v.magnitude, exact),
                               "order %zu, x^%d: %g", orders[i], k, v.value);
            cr_assert_eq(evaluations, orders[i]);
        }
}

/* x^(2n) is the first that it must miss, by n! exactly: the square of the monic polynomial. */
Test(quadrature_rules, hermite_misses_the_next_monomial_by_n_factorial)
{
    for (int n = 1; n <= 10; n++) {
        watched w = watch(1, power_of, 2 * n);
        ev_integral v;
        ev_hermite_expect(1, (size_t)n, watched_integrand, &w, 1, &v, NULL);
        cr_assert_float_eq((double_factorial(2 * n - 1) - v.value) / tgamma(n + 1), 1, 1e-9,
                           "n = %d", n);
    }
}

/* E exp(a x^2) = 1/sqrt(1 - 2a): at a = 0.4 the far weights, down to 1e-100, carry the sum. */
Test(quadrature_rules, hermite_weights_are_right_in_the_far_tails)
{
    watched w = watch(1, bell, 0.4);
    ev_integral v;
    ev_hermite_expect(1, 256, watched_integrand, &w, 1, &v, NULL);
    cr_expect_float_eq(v.value, sqrt(5), 1e-9);
    w.parameter[0] = 0.25;
    ev_hermite_expect(1, 128, watched_integrand, &w, 1, &v, NULL);
    cr_expect_float_eq(v.value, sqrt(2), 1e-13);
}

Test(quadrature_rules, threads_may_meet_at_an_order_never_used_before)
{
    double value[16];
#pragma omp parallel for num_threads(8)
    for (int i = 0; i < 16; i++) {
        watched w = watch(1, power_of, 4);
        ev_integral v;
        ev_hermite_expect(1, 77, watched_integrand, &w, 1, &v, NULL);
        value[i] = v.value;
    }
    for (int i = 0; i < 16; i++)
        cr_expect_float_eq(value[i], 3, 1e-12);
}

static double mixed(const double *x, double dim)
{
    double sum = 0;
    for (int d = 0; d < (int)dim; d++)
        sum += (d + 1) * x[d];
    return cos(sum);
}

/* E cos(b.x) = exp(-|b|^2/2). */
Test(quadrature_rules, all_rules_integrate_a_plane_wave_in_every_dimension)
{
    static const double square[] = {0, 1, 5, 14, 30};
    for (size_t dim = 1; dim <= 3; dim++) {
        watched w = watch(dim, mixed, (double)dim);
        double exact = exp(-0.5 * square[dim]);
        ev_integral v;
        size_t evaluations;
        ev_hermite_expect(dim, dim == 3 ? 32 : 48, watched_integrand, &w, 1, &v, &evaluations);
        cr_expect_float_eq(v.value, exact, 1e-12, "hermite in %zu: %g", dim, v.value);
        cr_expect_eq(evaluations, w.points);
        ev_trapezoid_expect(dim, 0.5, 8.5, watched_integrand, &w, 1, &v, NULL);
        cr_expect_float_eq(v.value, exact, 1e-12, "trapezoid in %zu: %g", dim, v.value);
        cr_expect_not(w.oversized);
        double wanted = dim == 3 ? 1e-4 : 1e-8;
        w.points = 0;
        ev_cubature_expect(dim, 8.5, wanted, 0, 400000, watched_integrand, &w, 1, &v, &evaluations);
        cr_expect_float_eq(v.value, exact, fmax(v.error, 1e-15), "cubature in %zu: %g", dim,
                           v.value);
        cr_expect(v.error <= wanted, "cubature in %zu claims %g", dim, v.error);
        cr_expect_not(w.oversized);
        cr_expect_eq(evaluations, w.points);
    }
}

/* With at least two points a wave. */
Test(quadrature_rules, the_trapezoids_claim_covers_its_error)
{
    for (double a = 0; a <= 6; a += 0.5)
        for (double h = fmin(0.9, 3 / (a + 0.1)); h > 0.2; h /= 1.5) {
            watched w = watch(1, cosine, a);
            ev_integral v;
            ev_trapezoid_expect(1, h, 9, watched_integrand, &w, 1, &v, NULL);
            cr_assert_float_eq(v.value, exp(-0.5 * a * a), 1.5 * v.error + 1e-15,
                               "cos(%g x), h = %g", a, h);
        }
}

/* E |x - a| = 2 phi(a) + a (1 - 2 Q(a)). */
static double expected_kink(double a) { return 2 * density(a) + a * (1 - 2 * upper_tail(a)); }

Test(quadrature_rules, adaptive_rules_find_kinks_and_jumps)
{
    static const double at[] = {0, 0.3, -1.7, 4.1, 0.5};
    for (size_t i = 0; i < 5; i++)
        for (int rule = 0; rule < 2; rule++) {
            watched w = {.dim = 1, .m = 2, .f = {kink, jump}, .parameter = {at[i], at[i]}};
            ev_integral v[2];
            if (rule == 0)
                ev_cubature_expect(1, 10, 1e-11, 1e-10, 1000000, watched_integrand, &w, 2, v, NULL);
            else
                ev_kronrod_expect(10, 1e-11, 1e-10, watched_integrand, &w, 2, v, NULL);
            cr_expect_float_eq(v[0].value, expected_kink(at[i]), v[0].error, "rule %d, kink at %g",
                               rule, at[i]);
            cr_expect_float_eq(v[1].value, upper_tail(at[i]), v[1].error, "rule %d, jump at %g",
                               rule, at[i]);
            cr_expect(v[0].error < 1e-9 && v[1].error < 1e-9, "%g %g", v[0].error, v[1].error);
        }
}

Test(quadrature_rules, magnitudes_measure_cancellation)
{
    watched w = watch(1, power_of, 1);
    ev_integral v[4];
    ev_hermite_expect(1, 128, watched_integrand, &w, 1, &v[0], NULL);
    ev_trapezoid_expect(1, 0.1, 9, watched_integrand, &w, 1, &v[1], NULL);
    ev_cubature_expect(1, 9, 1e-10, 1e-10, 100000, watched_integrand, &w, 1, &v[2], NULL);
    ev_kronrod_expect(9, 1e-10, 1e-10, watched_integrand, &w, 1, &v[3], NULL);
    for (int i = 0; i < 4; i++)
        cr_expect_float_eq(v[i].magnitude, 2 * density(0), 0.01, "rule %d", i);
}

typedef ev_status (*rule)(watched *w, ev_integral *out);
static ev_status hermite(watched *w, ev_integral *out)
{
    return ev_hermite_expect(1, 64, watched_integrand, w, w->m, out, NULL);
}
static ev_status trapezoid(watched *w, ev_integral *out)
{
    return ev_trapezoid_expect(1, 0.1, 9, watched_integrand, w, w->m, out, NULL);
}
static ev_status cubature(watched *w, ev_integral *out)
{
    return ev_cubature_expect(1, 9, 1e-9, 1e-9, 100000, watched_integrand, w, w->m, out, NULL);
}
static ev_status kronrod(watched *w, ev_integral *out)
{
    return ev_kronrod_expect(9, 1e-9, 1e-9, watched_integrand, w, w->m, out, NULL);
}
static const rule rules[] = {hermite, trapezoid, cubature, kronrod};
enum { RULES = 4 };

Test(quadrature_rules, a_value_that_is_not_finite_poisons_the_result)
{
    for (int r = 0; r < RULES; r++) {
        watched w = watch(1, not_a_number, 1);
        ev_integral v = {0, 0, 0};
        cr_expect_eq(rules[r](&w, &v), EV_OK);
        cr_expect(isnan(v.value) && v.error == HUGE_VAL, "rule %d: %g", r, v.value);
    }
}

Test(quadrature_rules, an_integrand_that_asks_to_stop_is_unfit)
{
    for (int r = 0; r < RULES; r++) {
        watched w = watch(1, cosine, 1);
        ev_integral v;
        w.stop_at = 20;
        cr_expect_eq(rules[r](&w, &v), EV_UNFIT, "rule %d", r);
        cr_expect_leq(w.points, 20 + EV_BLOCK, "rule %d went on", r);
    }
}

Test(quadrature_rules, nonsense_is_bad_input)
{
    watched w = watch(1, cosine, 1);
    ev_integral v;
    cr_expect_eq(ev_hermite_expect(1, 0, watched_integrand, &w, 1, &v, NULL), EV_BAD_INPUT);
    cr_expect_eq(ev_hermite_expect(1, EV_HERMITE_MAX_ORDER + 1, watched_integrand, &w, 1, &v, NULL),
                 EV_BAD_INPUT);
    cr_expect_eq(
        ev_hermite_expect(EV_QUADRATURE_MAX_DIM + 1, 4, watched_integrand, &w, 1, &v, NULL),
        EV_BAD_INPUT);
    cr_expect_eq(ev_trapezoid_expect(1, 0, 9, watched_integrand, &w, 1, &v, NULL), EV_BAD_INPUT);
    cr_expect_eq(ev_trapezoid_expect(1, 0.1, HUGE_VAL, watched_integrand, &w, 1, &v, NULL),
                 EV_BAD_INPUT);
    cr_expect_eq(ev_cubature_expect(1, -1, 1e-9, 1e-9, 1000, watched_integrand, &w, 1, &v, NULL),
                 EV_BAD_INPUT);
    cr_expect_eq(ev_kronrod_expect((double)NAN, 1e-9, 1e-9, watched_integrand, &w, 1, &v, NULL),
                 EV_BAD_INPUT);
}

/* The library returns success when its evaluations are spent. */
Test(quadrature_rules, a_spent_budget_shows_in_cubatures_claim)
{
    watched w = watch(2, mixed, 2);
    ev_integral v;
    cr_expect_eq(ev_cubature_expect(2, 9, 1e-12, 1e-12, 500, watched_integrand, &w, 1, &v, NULL),
                 EV_OK);
    cr_expect_gt(v.error, 1e-6);
}

/* The truncated tails of exp(3x): mass beyond 10 - 3 = 7 deviations. */
Test(quadrature_rules, the_radius_cuts_what_it_must)
{
    watched w = watch(1, exponential, 3);
    ev_integral v;
    ev_kronrod_expect(10, 1e-13, 1e-13, watched_integrand, &w, 1, &v, NULL);
    cr_expect_float_eq(v.value / exp(4.5), 1 - upper_tail(7), 1e-14);
    ev_cubature_expect(1, 5, 1e-13, 1e-13, 100000, watched_integrand, &w, 1, &v, NULL);
    cr_expect_float_eq(v.value / exp(4.5), 1 - upper_tail(2), 1e-12);
}
