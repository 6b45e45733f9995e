/* The data of plots/general_covariance.gp: draws z = mu + L eps, their ellipses and distances, and
 * what the signs on the diagonal of L do. */
#include "numerics/series.h"
#include "probability/gaussian_full.h"
#include "roots.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

static const double PI = 3.14159265358979323846;
static const double CENTRE[2] = {0.5, -0.3}, FACTOR[4] = {1.2, 0, 0.8, 0.6};

static void draw_plane(ev_table *table, const char *stream_name, const double *L, size_t count)
{
    ev_stream stream = ev_table_stream(table, stream_name);
    for (size_t i = 0; i < count; i++) {
        double z[2];
        ev_gaussian_full_sample(&stream, i, 1, 2, CENTRE, L, z);
        ev_table_row(table, 2, z);
    }
}

/* mu + r L u, u on the circle: the density's level line that holds a share 1 - exp(-r^2/2). */
static void draw_ellipse(ev_table *table, const double *L, double share)
{
    double r = sqrt(-2 * log1p(-share));
    for (int i = 0; i <= 120; i++) {
        double u = r * cos(2 * PI * i / 120), v = r * sin(2 * PI * i / 120);
        ev_table_row(table, 2, (double[]){CENTRE[0] + L[0] * u, CENTRE[1] + L[2] * u + L[3] * v});
    }
    ev_table_gap(table);
}

static ev_status samples(ev_table *table, ev_error *error)
{
    (void)error;
    ev_table_block(table, "600 draws");
    draw_plane(table, "samples", FACTOR, 600);
    ev_table_block(table, "ellipses that hold a half, nine in ten, and 99 in 100");
    draw_ellipse(table, FACTOR, 0.5);
    draw_ellipse(table, FACTOR, 0.9);
    draw_ellipse(table, FACTOR, 0.99);
    return EV_OK;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum { DRAWS = 2000 };
/* Sorted squared distances |L^-1 (z - mu)|^2 of draws, beside the quantiles of chi^2_d. */
static void distances_of(ev_table *table, size_t d)
{
    double L[MAX_ENTRIES], z[MAX_D], eps[MAX_D], distance[DRAWS];
    ev_stream stream = ev_table_stream(table, "mahalanobis");
    stream = ev_stream_child(&stream, (uint32_t)d);
    covariance_leading_block(d, L);
    for (size_t i = 0; i < DRAWS; i++) {
        ev_gaussian_full_sample(&stream, i, 1, d, MU, L, z);
        ev_gaussian_full_log_density(d, z, MU, L, eps);
        distance[i] = 0;
        for (size_t j = 0; j < d; j++)
            distance[i] += eps[j] * eps[j];
    }
    qsort(distance, DRAWS, sizeof *distance, by_size);
    for (size_t i = 0; i < DRAWS; i += i < DRAWS - 100 ? 20 : 1)
        ev_table_row(
            table, 2,
            (double[]){gsl_cdf_chisq_Pinv(((double)i + 0.5) / DRAWS, (double)d), distance[i]});
}

static ev_status mahalanobis(ev_table *table, ev_error *error)
{
    (void)error;
    for (size_t d = 1; d <= MAX_D; d += d == 1 ? 1 : 2) { /* 1, 2, 4, 6 */
        char title[16];
        snprintf(title, sizeof title, "d = %zu", d);
        ev_table_block(table, title);
        distances_of(table, d);
    }
    return EV_OK;
}

/* One factor with its last diagonal entry positive, negative and zero: the same draws eps. */
static ev_status diagonal(ev_table *table, ev_error *error)
{
    static const char *const title[] = {"L_22 > 0", "L_22 < 0", "L_22 = 0"};
    static const double sign[] = {1, -1, 0};
    (void)error;
    for (int k = 0; k < 3; k++) {
        const double L[4] = {FACTOR[0], 0, FACTOR[2], sign[k] * FACTOR[3]};
        ev_table_block(table, title[k]);
        draw_plane(table, "diagonal", L, 250);
        ev_table_block(table, "its ellipse, nine in ten");
        draw_ellipse(table, L, 0.9);
    }
    return EV_OK;
}

const ev_series general_covariance_series[] = {
    {"samples", "draws of z = mu + L eps, and ellipses of equal density", "z_1\tz_2", samples},
    {"mahalanobis", "squared distances of 2000 draws, sorted, against chi^2_d",
     "quantile\tdistance^2", mahalanobis},
    {"diagonal", "a positive, a negative and a zero on the diagonal of L, the same eps", "z_1\tz_2",
     diagonal},
    {0}};
