#include "nn/adam.h"

#include <criterion/criterion.h>
#include <math.h>

/* Algorithm 1 as printed, in double. */
static double printed(int steps, const float *gradient, double rate)
{
    double m = 0.0, v = 0.0, theta = 0.0;
    for (int t = 1; t <= steps; t++) {
        double g = (double)gradient[t - 1];
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        theta -= rate * (m / (1.0 - pow(0.9, t))) / (sqrt(v / (1.0 - pow(0.999, t))) + 1e-8);
    }
    return theta;
}

Test(adam, follows_the_printed_algorithm_step_by_step)
{
    static const float gradients[] = {0.3F, -0.7F, 2.0F, 1e-4F, -5.0F, 0.01F};
    float theta[3] = {0}, m[3] = {0}, v[3] = {0};
    for (int t = 1; t <= 6; t++) {
        const float g[3] = {gradients[t - 1], gradients[t - 1], gradients[t - 1]};
        ev_adam_step(&EV_ADAM_DEFAULT, (uint64_t)t, 0.002, 3, g, m, v, theta);
        for (int i = 0; i < 3; i++) /* sums of steps of 0.002 at 1e-7 each */
            cr_assert_float_eq((double)theta[i], printed(t, gradients, 0.002), 1e-8);
    }
}

/* The first step is rate * g/(|g| + epsilon), whatever the size of g: that is what bias correction
 * is for. */
Test(adam, the_first_step_has_the_size_of_the_rate)
{
    static const float sizes[] = {1e-5F, 1.0F, 1e5F};
    for (int i = 0; i < 3; i++) {
        float theta = 0.0F, m = 0.0F, v = 0.0F;
        ev_adam_step(&EV_ADAM_DEFAULT, 1, 0.01, 1, &sizes[i], &m, &v, &theta);
        cr_assert_float_eq((double)theta, -0.01 / (1.0 + 1e-8 / (double)sizes[i]), 1e-8);
    }
}

Test(adam, a_parameter_without_gradient_stays)
{
    float theta = 0.5F, m = 0.0F, v = 0.0F, g = 0.0F;
    ev_adam_step(&EV_ADAM_DEFAULT, 1, 0.01, 1, &g, &m, &v, &theta);
    cr_assert_eq(theta, 0.5F);
}
