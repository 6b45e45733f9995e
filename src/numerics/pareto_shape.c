/* The generalised Pareto shape of a tail: J. Zhang & M. A. Stephens, Technometrics 51,
 * 2009.  With the density of exceedances written in theta = -k/sigma, k has a closed
 * form given theta, k(theta) = mean log(1 - theta x); theta is averaged over a grid with
 * its profile likelihood as weight.  A. Vehtari et al., JMLR 25, 2024, appendix G, shrink
 * k towards 1/2 with the weight of ten observations. */
#include "numerics/monte_carlo.h"
#include "numerics/vector_math.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

enum { MAX_GRID = 30 + 1000, FACTORS = 8, PRODUCTS = EV_BLOCK / FACTORS };

/* The sum of the logarithms of a whole block, of which one in FACTORS is taken: that of a
 * product.  False when a product leaves the range of doubles.  The factors 1 - theta x, x >= 0,
 * are all above 1 or all below it, so no product that has left the range comes back. */
static bool sum_of_logs(const double *factor, double *sum)
{
    double product[PRODUCTS];
    bool inside = true;
    for (size_t i = 0; i < PRODUCTS; i++)
        product[i] = factor[i];
    for (size_t j = 1; j < FACTORS; j++)
        for (size_t i = 0; i < PRODUCTS; i++)
            product[i] *= factor[j * PRODUCTS + i];
    for (size_t i = 0; i < PRODUCTS; i++)
        inside &= product[i] >= DBL_MIN && product[i] <= DBL_MAX;
    if (!inside)
        return false;
    ev_vector_log(PRODUCTS, product, product);
    for (size_t i = 0; i < PRODUCTS; i++)
        *sum += product[i];
    return true;
}

static double mean_log(const double *x, size_t n, double theta)
{
    double sum = 0, block[EV_BLOCK];
    for (size_t done = 0; done < n;) {
        size_t count = n - done < EV_BLOCK ? n - done : EV_BLOCK;
        for (size_t i = 0; i < count; i++)
            block[i] = 1 - theta * x[done + i];
        done += count;
        if (count == EV_BLOCK && sum_of_logs(block, &sum))
            continue;
        ev_vector_log(count, block, block);
        for (size_t i = 0; i < count; i++)
            sum += block[i];
    }
    return sum / (double)n;
}

double ev_pareto_shape(const double *x, size_t n)
{
    if (n < 5 || !(x[0] >= 0) || !(x[n - 1] > 0) || !isfinite(x[n - 1]))
        return (double)NAN;
    size_t grid = 30 + (size_t)sqrt((double)n);
    grid = grid < MAX_GRID ? grid : MAX_GRID;
    double quartile = x[(size_t)((double)n / 4 + 0.5) - 1], count = (double)n;
    if (!(quartile > 0))
        return (double)NAN;
    double theta[MAX_GRID], likelihood[MAX_GRID], best = -HUGE_VAL;
    for (size_t j = 0; j < grid; j++) {
        theta[j] = 1 / x[n - 1] + (1 - sqrt((double)grid / ((double)j + 0.5))) / (3 * quartile);
        double k = mean_log(x, n, theta[j]);
        likelihood[j] = count * (log(-theta[j] / k) - k - 1);
        if (likelihood[j] > best)
            best = likelihood[j];
    }
    double total = 0, mean = 0;
    for (size_t j = 0; j < grid; j++) {
        double weight = exp(likelihood[j] - best);
        if (!(weight > 0)) /* NaN where theta is 0 */
            continue;
        total += weight;
        mean += weight * theta[j];
    }
    double k = mean_log(x, n, mean / total);
    return (count * k + 10 * 0.5) / (count + 10);
}
