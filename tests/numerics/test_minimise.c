#include "numerics/minimise.h"

#include <criterion/criterion.h>
#include <math.h>

static int rosenbrock(void *context, size_t n, const double *x, double *value, double *gradient)
{
    (void)context, (void)n;
    double a = 1 - x[0], b = x[1] - x[0] * x[0];
    *value = a * a + 100 * b * b;
    if (gradient != NULL) {
        gradient[0] = -2 * a - 400 * x[0] * b;
        gradient[1] = 200 * b;
    }
    return 0;
}

Test(minimise, rosenbrocks_valley_is_followed_to_its_end)
{
    double x[2] = {-1.2, 1}, value, norm;
    cr_assert_eq(ev_minimise(rosenbrock, NULL, 2, x, 1e-8, 1000, &value, &norm), EV_OK);
    cr_expect_float_eq(x[0], 1, 1e-7);
    cr_expect_float_eq(x[1], 1, 1e-7);
    cr_expect_lt(value, 1e-14);
    cr_expect_leq(norm, 1e-8);
}

/* x - log x, defined for x > 0 only: the minimum is 1 at 1. */
static int barrier(void *context, size_t n, const double *x, double *value, double *gradient)
{
    (void)context;
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(x[i] > 0))
            return 1;
        *value += x[i] - log(x[i]);
        if (gradient != NULL)
            gradient[i] = 1 - 1 / x[i];
    }
    return 0;
}

Test(minimise, an_objective_may_be_undefined_beyond_a_border)
{
    for (double start = 1e-3; start < 100; start *= 10) {
        double x[3] = {start, 0.5, 3}, value, norm;
        cr_assert_eq(ev_minimise(barrier, NULL, 3, x, 1e-7, 2000, &value, &norm), EV_OK);
        cr_expect_float_eq(value, 3, 1e-10, "from %g: %g", start, value);
    }
}

Test(minimise, a_start_where_the_objective_is_undefined_is_unfit)
{
    double x[1] = {-1}, value, norm;
    cr_expect_eq(ev_minimise(barrier, NULL, 1, x, 1e-7, 100, &value, &norm), EV_UNFIT);
    cr_expect_eq(x[0], -1);
}

Test(minimise, without_iterations_the_start_is_reported)
{
    double x[2] = {0, 0}, value, norm;
    cr_assert_eq(ev_minimise(rosenbrock, NULL, 2, x, 1e-8, 0, &value, &norm), EV_OK);
    cr_expect_eq(value, 1);
    cr_expect_eq(norm, 2);
}

static double cosine_less_x(void *context, double x)
{
    (void)context;
    return cos(x) - x;
}
static double shifted(void *context, double x) { return x - *(double *)context; }
static double hole(void *context, double x)
{
    (void)context;
    return x < 0.5 ? -1 : (double)NAN;
}

Test(minimise, the_root_of_cos_x_minus_x_is_dotties_number)
{
    double root;
    cr_assert_eq(ev_root(cosine_less_x, NULL, 0, 1, 1e-14, &root), EV_OK);
    cr_expect_float_eq(root, 0.73908513321516064166, 1e-14);
}

Test(minimise, a_root_at_an_end_is_found)
{
    double at = 2, root;
    cr_expect(ev_root(shifted, &at, 2, 5, 1e-12, &root) == EV_OK && root == 2);
    cr_expect(ev_root(shifted, &at, -5, 2, 1e-12, &root) == EV_OK && root == 2);
}

Test(minimise, no_change_of_sign_and_no_number_are_unfit)
{
    double at = 2, root;
    cr_expect_eq(ev_root(shifted, &at, 3, 5, 1e-12, &root), EV_UNFIT);
    cr_expect_eq(ev_root(hole, NULL, 0, 1, 1e-12, &root), EV_UNFIT);
}

static double stirling(void *context, double x)
{
    (void)context;
    return lgamma(x);
}

/* Gamma's minimum on the positive axis, OEIS A030169 and A030171. */
Test(minimise, gammas_minimum_is_the_published_one)
{
    double at, value;
    cr_assert_eq(ev_minimise_scalar(stirling, NULL, 0.1, 50, 1e-8, &at, &value), EV_OK);
    cr_expect_float_eq(at, 1.46163214496836234, 1e-7);
    cr_expect_float_eq(exp(value), 0.88560319441088870, 1e-14);
}

Test(minimise, a_monotone_function_has_its_minimum_at_an_end)
{
    double zero = 0, at, value;
    cr_assert_eq(ev_minimise_scalar(shifted, &zero, -3, 8, 1e-8, &at, &value), EV_OK);
    cr_expect(at == -3 && value == -3);
}
