#include "numerics/random.h"
#include "numerics/vector_math.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <string.h>

enum { N = 4096 };

/* The distance of y from the exact value, in units of the exact value's last place. */
static double ulps(double y, long double exact)
{
    int exponent;
    (void)frexpl(exact, &exponent);
    int last = exponent - DBL_MANT_DIG;
    return (double)fabsl(ldexpl((long double)y - exact, -(last > -1074 ? last : -1074)));
}

static void spread(double *x, double low, double high, uint32_t point)
{
    ev_stream s = ev_stream_make(1, ev_hash_text("vector-math"), 0, point);
    ev_stream_uniforms(&s, 0, N, x);
    for (size_t i = 0; i < N; i++)
        x[i] = low + (high - low) * x[i];
}

static bool same(double a, double b)
{
    return isnan(a) ? isnan(b) : a == b && signbit(a) == signbit(b);
}

Test(vector_math, exp_is_within_one_ulp_of_long_double)
{
    static const double ranges[][2] = {
        {-1, 1}, {-708, 709}, {-1e-8, 1e-8}, {-745, -708}, {0.34, 0.36}};
    double x[N], y[N];
    for (uint32_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
        spread(x, ranges[r][0], ranges[r][1], r);
        ev_vector_exp(N, x, y);
        for (size_t i = 0; i < N; i++)
            cr_assert_lt(ulps(y[i], expl((long double)x[i])), 1.0, "exp(%.17g) = %.17g", x[i],
                         y[i]);
    }
}

Test(vector_math, log_is_within_one_ulp_of_long_double)
{
    static const double ranges[][2] = {
        {0, 2}, {0.999, 1.001}, {0, DBL_MIN}, {1, 1e300}, {0.7, 1.42}};
    double x[N], y[N];
    for (uint32_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
        spread(x, ranges[r][0], ranges[r][1], 100 + r);
        ev_vector_log(N, x, y);
        for (size_t i = 0; i < N; i++)
            cr_assert_lt(ulps(y[i], logl((long double)x[i])), 1.0, "log(%.17g) = %.17g", x[i],
                         y[i]);
    }
}

static const double corners[] = {
    0.0,     -0.0,    1,        -1,  HUGE_VAL, -HUGE_VAL, (double)NAN, 4.9e-324, -4.9e-324, 1e-310,
    DBL_MIN, DBL_MAX, -DBL_MAX, 710, 709.79,   -745.2,    -746,        -800,     1e300};
enum { CORNERS = sizeof corners / sizeof *corners };

Test(vector_math, corners_of_exp_and_log_are_those_of_libm)
{
    double e[CORNERS], l[CORNERS];
    ev_vector_exp(CORNERS, corners, e);
    ev_vector_log(CORNERS, corners, l);
    for (size_t i = 0; i < CORNERS; i++) {
        double x = corners[i], libm = log(x);
        cr_expect(x == 1 || x == -1 ? fabs(e[i] - exp(x)) <= DBL_EPSILON * exp(x)
                                    : same(e[i], exp(x)),
                  "exp(%g) = %g", x, e[i]);
        bool special = isnan(libm) || isinf(libm) || libm == 0;
        cr_expect(special ? same(l[i], libm) : fabs(l[i] - libm) <= 1e-15 * fabs(libm),
                  "log(%g) = %g", x, l[i]);
    }
}

Test(vector_math, results_may_overwrite_arguments)
{
    double x[N], y[N];
    spread(x, 1e-3, 5, 7);
    ev_vector_log(N, x, y);
    ev_vector_log(N, x, x);
    cr_expect_eq(memcmp(x, y, sizeof x), 0);
    ev_vector_exp(N, x, y);
    ev_vector_exp(N, x, x);
    cr_expect_eq(memcmp(x, y, sizeof x), 0);
}

Test(vector_math, an_element_has_the_same_bits_in_any_array)
{
    double x[67], whole[67], part[67];
    ev_stream s = ev_stream_make(2, 0, 0, 0);
    ev_stream_normals(&s, 0, 67, x);
    for (size_t i = 0; i < 67; i++)
        x[i] = fabs(x[i]) * 30;
    ev_vector_exp(67, x, whole);
    for (size_t start = 0; start < 67; start++)
        for (size_t n = 1; start + n <= 67; n += 5) {
            ev_vector_exp(n, x + start, part);
            cr_assert_eq(memcmp(part, whole + start, n * sizeof *part), 0, "exp: %zu from %zu", n,
                         start);
        }
    ev_vector_log(67, x, whole);
    for (size_t start = 0; start < 67; start++)
        for (size_t n = 1; start + n <= 67; n += 5) {
            ev_vector_log(n, x + start, part);
            cr_assert_eq(memcmp(part, whole + start, n * sizeof *part), 0, "log: %zu from %zu", n,
                         start);
        }
}

Test(vector_math, log_undoes_exp)
{
    double x[N], y[N];
    spread(x, -700, 700, 8);
    ev_vector_exp(N, x, y);
    ev_vector_log(N, y, y);
    for (size_t i = 0; i < N; i++)
        cr_assert_float_eq(y[i], x[i], 1.5 * DBL_EPSILON * fmax(1, fabs(x[i])));
}

/* Identities, so that no function can stand in another's place. */
Test(vector_math, the_other_five_keep_their_identities)
{
    double x[N], a[N], b[N];
    spread(x, -0.9, 3, 9);
    ev_vector_sin(N, x, a);
    ev_vector_cos(N, x, b);
    for (size_t i = 0; i < N; i++) {
        cr_assert_float_eq(a[i] * a[i] + b[i] * b[i], 1, 4 * DBL_EPSILON);
        cr_assert_float_eq(a[i], (double)sinl((long double)x[i]), DBL_EPSILON);
    }
    ev_vector_expm1(N, x, a);
    ev_vector_log1p(N, a, b);
    for (size_t i = 0; i < N; i++)
        cr_assert_float_eq(b[i], x[i], 8 * DBL_EPSILON * fmax(fabs(x[i]), 1));
    ev_vector_tanh(N, x, b);
    for (size_t i = 0; i < N; i++) {
        double twice = (double)expm1l(2 * (long double)x[i]);
        cr_assert_float_eq(b[i], twice / (twice + 2), 4 * DBL_EPSILON);
    }
}
