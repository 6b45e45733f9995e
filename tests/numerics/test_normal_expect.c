#include "integrands.h"
#include "numerics/quadrature.h"
#include "numerics/random.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <string.h>

static const ev_quadrature_request nine_digits = {1e-9, 1000000};

static double constant(const double *x, double a)
{
    (void)x;
    return a;
}
static double square_distance(const double *x, double a) { return (x[0] - a) * (x[0] - a); }
static double exponential(const double *x, double a) { return exp(a * x[0]); }
static double cosine(const double *x, double a) { return cos(a * x[0]); }
static double power_of(const double *x, double k) { return pow(x[0], k); }
static double bell(const double *x, double a) { return exp(a * x[0] * x[0]); }
static double logistic(const double *x, double a) { return 1 / (1 + exp(-a * x[0])); }
static double kink(const double *x, double a) { return fabs(x[0] - a); }
static double jump(const double *x, double a) { return x[0] > a; }
static double pole(const double *x, double a) { return 1 / (x[0] - a); }
static double log_distance(const double *x, double a) { return log(fabs(x[0] - a)); }
static double not_a_number(const double *x, double a) { return x[0] > a ? (double)NAN : 1; }
static double infinite(const double *x, double a) { return x[0] < a ? HUGE_VAL : x[0]; }

static double upper_tail(double x) { return 0.5 * erfc(x / sqrt(2)); }
static double density(double x) { return exp(-0.5 * x * x) / sqrt(2 * acos(-1)); }

typedef struct {
    ev_integral integral;
    ev_quadrature_report report;
} answer;

static answer ask(size_t dim, point_function f, double parameter, ev_quadrature_request request)
{
    watched w = watch(dim, f, parameter);
    answer a;
    cr_assert_eq(ev_normal_expect(dim, watched_integrand, &w, 1, &request, &a.integral, &a.report),
                 EV_OK);
    cr_assert_eq(a.report.evaluations, w.points);
    cr_assert_not(w.oversized);
    return a;
}

/* Converged, within the request, and the truth within the error. */
static void expect_right(const answer *a, double truth, double relative, const char *what,
                         double parameter)
{
    const ev_integral *v = &a->integral;
    cr_assert(a->report.converged && a->report.fit, "%s %g: %s", what, parameter, a->report.reason);
    cr_assert_float_eq(v->value, truth, v->error, "%s %g: %.17g is not %.17g within %g", what,
                       parameter, v->value, truth, v->error);
    cr_assert_leq(v->error, relative * fmax(fabs(v->value), 1e-3 * v->magnitude), "%s %g", what,
                  parameter);
    cr_assert_lt(a->report.sentinel, 1e-10);
}

Test(normal_expect, closed_forms_on_a_line_come_out_to_nine_digits)
{
    for (double a = -4; a <= 4; a += 0.5) {
        answer s = ask(1, square_distance, a, nine_digits), e = ask(1, exponential, a, nine_digits);
        expect_right(&s, 1 + a * a, 1e-9, "(x-a)^2", a);
        expect_right(&e, exp(0.5 * a * a), 1e-9, "exp(ax)", a);
        answer c = ask(1, cosine, a, nine_digits), b = ask(1, bell, a / 10, nine_digits);
        expect_right(&c, exp(-0.5 * a * a), 1e-9, "cos(ax)", a);
        expect_right(&b, 1 / sqrt(1 - a / 5), 1e-9, "exp(ax^2/10)", a);
    }
}

Test(normal_expect, twelve_digits_may_be_asked_for)
{
    for (double a = 0; a <= 3; a++) {
        answer e = ask(1, exponential, a, (ev_quadrature_request){1e-12, 100000});
        expect_right(&e, exp(0.5 * a * a), 1e-12, "exp(ax)", a);
    }
}

Test(normal_expect, large_exponents_widen_the_radius)
{
    for (double a = 5; a <= 14; a++) {
        answer e = ask(1, exponential, a, nine_digits);
        expect_right(&e, exp(0.5 * a * a), 1e-9, "exp(ax)", a);
    }
}

Test(normal_expect, odd_functions_are_zero_on_their_own_scale)
{
    for (double k = 1; k <= 9; k += 2) {
        answer p = ask(1, power_of, k, nine_digits);
        expect_right(&p, 0, 1e-9, "x^k", k);
    }
}

Test(normal_expect, scale_does_not_matter)
{
    static const double scales[] = {0, 1e-300, 1e-200, 1, 1e200, 1e300, -3};
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        answer c = ask(1, constant, scales[i], nine_digits);
        expect_right(&c, scales[i], 1e-9, "constant", scales[i]);
    }
}

/* E logistic(ax) = 1/2 by symmetry; kinks, jumps and a logarithm in closed form. */
Test(normal_expect, rough_functions_are_right_or_not_converged)
{
    static const double at[] = {0, 0.3, -1.7, 0.5, 2};
    for (size_t i = 0; i < 5; i++) {
        double a = at[i];
        answer k = ask(1, kink, a, nine_digits), j = ask(1, jump, a, nine_digits);
        expect_right(&k, 2 * density(a) + a * (1 - 2 * upper_tail(a)), 1e-9, "|x-a|", a);
        expect_right(&j, upper_tail(a), 1e-9, "x>a", a);
    }
    for (double a = 1; a <= 1000; a *= 10) {
        answer l = ask(1, logistic, a, nine_digits);
        expect_right(&l, 0.5, 1e-9, "logistic(ax)", a);
    }
    const double euler = 0.57721566490153286061;
    answer l = ask(1, log_distance, 0, nine_digits);
    expect_right(&l, -0.5 * (euler + log(2)), 1e-9, "log|x|", 0);
}

Test(normal_expect, rare_events_keep_their_relative_precision)
{
    for (double a = 3; a <= 8; a++) {
        answer j = ask(1, jump, a, nine_digits);
        expect_right(&j, upper_tail(a), 1e-9, "x>a", a);
    }
}

Test(normal_expect, what_has_no_expectation_does_not_converge)
{
    static const double poles[] = {0, 0.5, -1.3};
    for (size_t i = 0; i < 3; i++)
        cr_expect_not(ask(1, pole, poles[i], nine_digits).report.converged, "1/(x-%g)", poles[i]);
    cr_expect_not(ask(1, bell, 0.5, nine_digits).report.converged);
    cr_expect_not(ask(1, bell, 0.51, nine_digits).report.converged);
    cr_expect_not(ask(1, power_of, -2, nine_digits).report.converged);
}

Test(normal_expect, values_that_are_not_finite_make_it_unfit_and_say_where)
{
    answer n = ask(1, not_a_number, 3, nine_digits);
    cr_expect(!n.report.fit && !n.report.converged && isnan(n.integral.value));
    cr_expect_not_null(strstr(n.report.reason, "function 0 is not finite at x = ("));
    answer i = ask(1, infinite, -5, nine_digits);
    cr_expect(!i.report.fit && i.integral.error == HUGE_VAL, "%s", i.report.reason);
}

Test(normal_expect, ten_deviations_out_a_nan_weighs_nothing)
{
    answer n = ask(1, not_a_number, 10, nine_digits);
    expect_right(&n, 1, 1e-9, "NaN beyond", 10);
}

/* x'Ax + b'x + c: c + trace A. */
typedef struct {
    size_t dim;
    double A[16], b[4], c;
} quadratic;

static int evaluate_quadratic(void *context, size_t worker, size_t n, const double *const *x,
                              double *const *out)
{
    const quadratic *q = context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        out[0][i] = q->c;
        for (size_t d = 0; d < q->dim; d++) {
            out[0][i] += q->b[d] * x[d][i];
            for (size_t e = 0; e < q->dim; e++)
                out[0][i] += x[d][i] * q->A[d * 4 + e] * x[e][i];
        }
        double exponent = 0;
        for (size_t d = 0; d < q->dim; d++)
            exponent += 0.5 * q->b[d] * x[d][i];
        out[1][i] = exp(exponent);
    }
    return 0;
}

Test(normal_expect, random_quadratics_and_exponentials_are_right_in_every_dimension)
{
    for (size_t dim = 1; dim <= 4; dim++)
        for (uint32_t trial = 0; trial < (dim == 4 ? 1 : 4); trial++) {
            quadratic q = {.dim = dim};
            ev_stream s = ev_stream_make(1, dim, 0, trial);
            ev_stream_normals(&s, 0, 16, q.A);
            ev_stream_normals(&s, 16, 4, q.b);
            double trace = 0, square = 0;
            for (size_t d = 0; d < dim; d++) {
                trace += q.A[d * 5];
                square += 0.25 * q.b[d] * q.b[d];
            }
            q.c = 3;
            ev_integral v[2];
            ev_quadrature_report r;
            cr_assert_eq(ev_normal_expect(dim, evaluate_quadratic, &q, 2, &nine_digits, v, &r),
                         EV_OK);
            cr_assert(r.fit && r.converged, "dim %zu: %s", dim, r.reason);
            cr_assert_float_eq(v[0].value, 3 + trace, v[0].error);
            cr_assert_float_eq(v[1].value, exp(0.5 * square), v[1].error);
            cr_assert_leq(v[0].error, 1e-9 * fmax(fabs(v[0].value), 1e-3 * v[0].magnitude));
        }
}

/* max(x, y) has mean 1/sqrt(pi). */
static double larger(const double *x, double a)
{
    (void)a;
    return fmax(x[0], x[1]);
}

Test(normal_expect, an_oblique_kink_in_the_plane_is_never_wrong_beyond_its_error)
{
    static const double requests[] = {1e-3, 1e-5, 1e-7};
    for (size_t i = 0; i < 3; i++) {
        answer a = ask(2, larger, 0, (ev_quadrature_request){requests[i], 100000});
        cr_expect(!a.report.converged ||
                      fabs(a.integral.value - 1 / sqrt(acos(-1))) <= a.integral.error,
                  "%g: %.17g +- %g", requests[i], a.integral.value, a.integral.error);
    }
    cr_expect(ask(2, larger, 0, (ev_quadrature_request){1e-3, 300000}).report.converged);
}

Test(normal_expect, a_small_budget_is_kept_and_not_enough)
{
    static const size_t budgets[] = {0, 1, 50, 600, 5000};
    for (size_t i = 0; i < 5; i++) {
        answer a = ask(1, logistic, 300, (ev_quadrature_request){1e-12, budgets[i]});
        cr_expect_not(a.report.converged, "budget %zu", budgets[i]);
        cr_expect_leq(a.report.evaluations, 2 * budgets[i] + 200, "budget %zu", budgets[i]);
        cr_expect_gt(strlen(a.report.reason), 0);
    }
}

Test(normal_expect, a_request_below_rounding_is_not_met_and_does_not_spend_the_budget)
{
    answer a = ask(1, cosine, 1, (ev_quadrature_request){1e-17, 1000000});
    cr_expect_not(a.report.converged);
    cr_expect_float_eq(a.integral.value, exp(-0.5), 1e-14);
    cr_expect_lt(a.report.evaluations, 200000);
}

Test(normal_expect, many_functions_are_settled_one_by_one)
{
    watched w = {.dim = 1, .m = MAX_FUNCTIONS};
    for (size_t k = 0; k < w.m; k++) {
        w.f[k] = k % 4 == 0 ? cosine : k % 4 == 1 ? exponential : k % 4 == 2 ? kink : constant;
        w.parameter[k] = 0.05 * (double)k;
    }
    ev_integral v[MAX_FUNCTIONS];
    ev_quadrature_report r;
    cr_assert_eq(ev_normal_expect(1, watched_integrand, &w, w.m, &nine_digits, v, &r), EV_OK);
    cr_assert(r.converged, "%s", r.reason);
    for (size_t k = 0; k < w.m; k++) {
        double a = w.parameter[k];
        double truth = k % 4 == 0   ? exp(-0.5 * a * a)
                       : k % 4 == 1 ? exp(0.5 * a * a)
                       : k % 4 == 2 ? 2 * density(a) + a * (1 - 2 * upper_tail(a))
                                    : a;
        cr_expect_float_eq(v[k].value, truth, v[k].error, "function %zu", k);
    }
}

Test(normal_expect, one_bad_function_among_good_ones_is_named)
{
    watched w = {.dim = 1, .m = 3, .f = {cosine, pole, constant}, .parameter = {1, 0, 2}};
    ev_integral v[3];
    ev_quadrature_report r;
    cr_assert_eq(ev_normal_expect(1, watched_integrand, &w, 3, &nine_digits, v, &r), EV_OK);
    cr_expect_not(r.converged);
    cr_expect_not_null(strstr(r.reason, "function 1"), "%s", r.reason);
    cr_expect_float_eq(v[0].value, exp(-0.5), 1e-14);
    cr_expect_eq(v[2].value, 2);
}

Test(normal_expect, in_no_dimensions_the_function_is_its_expectation)
{
    answer a = ask(0, constant, 7, nine_digits);
    cr_expect(a.integral.value == 7 && a.report.converged && a.report.fit);
    cr_expect(a.integral.error > 0 && a.integral.error < 1e-14);
    answer n = ask(0, constant, (double)NAN, nine_digits);
    cr_expect(!n.report.fit && !n.report.converged);
}

Test(normal_expect, stopping_is_unfit_and_five_dimensions_are_bad_input)
{
    static const size_t stops[] = {1, 20, 100, 400};
    for (size_t i = 0; i < 4; i++)
        for (size_t dim = 0; dim <= 2; dim++) {
            watched w = watch(dim, cosine, 1);
            ev_integral v;
            ev_quadrature_report r;
            w.stop_at = dim == 0 ? 1 : stops[i];
            cr_expect_eq(ev_normal_expect(dim, watched_integrand, &w, 1, &nine_digits, &v, &r),
                         EV_UNFIT);
        }
    watched w = watch(5, cosine, 1);
    ev_integral v;
    ev_quadrature_report r;
    cr_expect_eq(ev_normal_expect(5, watched_integrand, &w, 1, &nine_digits, &v, &r), EV_BAD_INPUT);
}

Test(normal_expect, the_report_names_the_rules_that_were_believed)
{
    cr_expect_str_eq(ask(1, cosine, 1, nine_digits).report.rules, "hermite+cubature");
    cr_expect_str_eq(ask(2, cosine, 1, nine_digits).report.rules, "hermite+trapezoid");
    cr_expect_str_eq(ask(1, jump, 0.3, nine_digits).report.rules, "cubature+kronrod");
}

/* Sums a cos(bx + c) + p exp(qx) + r x^4 with random coefficients, cancelling or not. */
typedef struct {
    double a, b, c, p, q, r;
} recipe;

static int evaluate_recipe(void *context, size_t worker, size_t n, const double *const *x,
                           double *const *out)
{
    const recipe *s = context;
    (void)worker;
    for (size_t i = 0; i < n; i++)
        out[0][i] = s->a * cos(s->b * x[0][i] + s->c) + s->p * exp(s->q * x[0][i]) +
                    s->r * pow(x[0][i], 4);
    return 0;
}

Test(normal_expect, errors_cover_the_truth_for_random_recipes_at_every_request)
{
    size_t converged = 0;
    enum { TRIALS = 600 };
    for (uint32_t trial = 0; trial < TRIALS; trial++) {
        double z[6];
        ev_stream s = ev_stream_make(2, 0, 0, trial);
        ev_stream_normals(&s, 0, 6, z);
        recipe f = {z[0], 4 * z[1], z[2], z[3] * z[3], z[4], z[5]};
        double truth = f.a * cos(f.c) * exp(-0.5 * f.b * f.b) + f.p * exp(0.5 * f.q * f.q) +
                       3 * f.r;
        ev_quadrature_request request = {pow(10, -3 - (int)(trial % 10)), 20000};
        ev_integral v;
        ev_quadrature_report r;
        cr_assert_eq(ev_normal_expect(1, evaluate_recipe, &f, 1, &request, &v, &r), EV_OK);
        if (!r.converged)
            continue;
        converged++;
        cr_assert_float_eq(v.value, truth, v.error, "trial %u: %.17g is not %.17g within %g", trial,
                           v.value, truth, v.error);
    }
    cr_expect_geq(converged, TRIALS * 9 / 10, "%zu converged", converged);
}
