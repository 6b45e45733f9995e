#include "train/points.h"

#include <math.h>

ev_status ev_points_check(size_t N, size_t J, size_t K, const float *x, ev_error *error)
{
    if (N == 0 || J == 0)
        return ev_error_set(error, EV_BAD_INPUT, "no points to cluster (%zu of dimension %zu)", N,
                            J);
    if (K == 0 || K > N)
        return ev_error_set(error, EV_BAD_INPUT, "%zu clusters for %zu points: from 1 to as many",
                            K, N);
    if (N > SIZE_MAX / sizeof *x / J)
        return ev_error_set(error, EV_BAD_INPUT, "%zu points of dimension %zu are too many", N, J);
    for (size_t i = 0; i < N * J; i++)
        if (!isfinite(x[i]))
            return ev_error_set(error, EV_BAD_INPUT,
                                "coordinate %zu of point %zu is not finite (from 0)", i % J, i / J);
    return EV_OK;
}

static double coordinate_variance(size_t N, size_t J, const float *x)
{
    double mean = 0, square = 0;
    for (size_t i = 0; i < N; i++)
        mean += (double)x[i * J];
    mean /= (double)N;
    for (size_t i = 0; i < N; i++)
        square += ((double)x[i * J] - mean) * ((double)x[i * J] - mean);
    return square / (double)N;
}

double ev_points_variance(size_t N, size_t J, const float *x)
{
    double sum = 0;
    for (size_t j = 0; j < J; j++)
        sum += coordinate_variance(N, J, x + j);
    return sum / (double)J;
}
