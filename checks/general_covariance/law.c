/* z = mu + L eps by sampling, d = 1..6: mean, covariance, the whole law. */
#include "numerics/linear_algebra.h"
#include "probability/gaussian_full.h"
#include "roots.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

enum { DRAWS = 20000, DIRECTIONS = MAX_D * (MAX_D + 1) / 2 };

static double two_sided(double lower) { return 2 * fmin(lower, 1 - lower); }

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov-Smirnov for values already sent through the distribution function, sorted here;
 * P(D > x) <= 2 exp(-2 n x^2) for every n (P. Massart, Ann. Probab. 18, 1990). */
static double uniform_p_value(size_t n, double *u)
{
    double distance = 0;
    qsort(u, n, sizeof *u, ascending);
    for (size_t i = 0; i < n; i++)
        distance = fmax(distance,
                        fmax(u[i] - (double)i / (double)n, (double)(i + 1) / (double)n - u[i]));
    return fmin(1, 2 * exp(-2 * (double)n * distance * distance));
}

/* p-values of draws z (DRAWS,d) under N(MU, Sigma). */
typedef struct {
    double mean;        /* |Sigma^-1/2 (mean - mu)|^2 DRAWS, chi^2 with d degrees */
    double covariance;  /* smallest over e_i and e_i + e_j of sum (t.(z - mu))^2/(t.Sigma t), each
                           chi^2 with DRAWS degrees, times the number of directions */
    double mahalanobis; /* Kolmogorov-Smirnov against chi^2 with d degrees */
    double direction;   /* the same against the normal: the smallest along e_i, e_i + e_j,
                           e_i - e_j and (1, ..., 1), times the number of directions */
} law;

/* Directions e_i (i = j) and e_i + e_j. */
static double covariance_p_value(size_t d, const double *Sigma, const double *z)
{
    double least = 1;
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0, t[MAX_D] = {0};
            t[i] = t[j] = 1;
            for (size_t n = 0; n < DRAWS; n++) {
                double x = 0;
                for (size_t k = 0; k < d; k++)
                    x += t[k] * (z[n * d + k] - MU[k]);
                sum += x * x;
            }
            least = fmin(least, two_sided(gsl_cdf_chisq_P(
                                    sum / covariance_quadratic_form(d, Sigma, t), DRAWS)));
        }
    return fmin(1, least * (double)(d * (d + 1) / 2));
}

/* Kolmogorov-Smirnov along one direction: t.(z - mu) is N(0, t.Sigma t). */
static double along(size_t d, const double *t, const double *Sigma, const double *z,
                    double *scratch)
{
    double width = sqrt(covariance_quadratic_form(d, Sigma, t));
    for (size_t n = 0; n < DRAWS; n++) {
        double sum = 0;
        for (size_t k = 0; k < d; k++)
            sum += t[k] * (z[n * d + k] - MU[k]);
        scratch[n] = gsl_cdf_ugaussian_P(sum / width);
    }
    return uniform_p_value(DRAWS, scratch);
}

static double direction_p_value(size_t d, const double *Sigma, const double *z, double *scratch)
{
    const double ones[MAX_D] = {1, 1, 1, 1, 1, 1};
    double least = along(d, ones, Sigma, z, scratch);
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j <= i; j++)
            for (int sign = -1; sign <= 1; sign += 2) {
                double t[MAX_D] = {0};
                if (i == j && sign < 0)
                    continue;
                t[j] = sign;
                t[i] = 1;
                least = fmin(least, along(d, t, Sigma, z, scratch));
            }
    return fmin(1, least * (double)(d * d + 1));
}

static law test_law(size_t d, const double *Sigma, const double *z, double *scratch)
{
    law p = {0, 0, 0, 0};
    double inverse[MAX_ENTRIES], mean[MAX_D] = {0}, v[MAX_D];
    if (ev_matrix_inverse(d, Sigma, inverse) != EV_OK)
        return p;
    for (size_t n = 0; n < DRAWS; n++) {
        for (size_t k = 0; k < d; k++) {
            v[k] = z[n * d + k] - MU[k];
            mean[k] += v[k] / DRAWS;
        }
        scratch[n] = gsl_cdf_chisq_P(covariance_quadratic_form(d, inverse, v), (double)d);
    }
    p.mean = 1 - gsl_cdf_chisq_P(DRAWS * covariance_quadratic_form(d, inverse, mean), (double)d);
    p.mahalanobis = uniform_p_value(DRAWS, scratch);
    p.direction = direction_p_value(d, Sigma, z, scratch);
    p.covariance = covariance_p_value(d, Sigma, z);
    return p;
}

static double least_p(const law *p)
{
    return fmin(fmin(p->mean, p->covariance), fmin(p->mahalanobis, p->direction));
}

/* Draws of the right mean and covariance that are not Gaussian: uniform noise of variance 1. */
static void sample_uniform_noise(const ev_stream *stream, size_t d, const double *L, double *z)
{
    double u[MAX_D];
    for (size_t n = 0; n < DRAWS; n++) {
        ev_stream_uniforms(stream, (uint64_t)(n * d), d, u);
        for (size_t i = 0; i < d; i++) {
            z[n * d + i] = MU[i];
            for (size_t j = 0; j <= i; j++)
                z[n * d + i] += L[i * d + j] * sqrt(12) * (u[j] - 0.5);
        }
    }
}

/* The smallest p-value of the right law over d, and the largest of each wrong one (d > 1). */
typedef struct {
    double right, mean, covariance, mahalanobis, direction;
    double transposed, diagonal, uniform, uniform_moments;
} laws;

static laws test_laws(ev_check *check, double *z, double *scratch)
{
    laws all = {1, 1, 1, 1, 1, 0, 0, 0, 1};
    for (size_t d = 1; d <= MAX_D; d++) {
        double L[MAX_ENTRIES], U[MAX_ENTRIES], gram[MAX_ENTRIES], other[MAX_ENTRIES];
        ev_stream stream = ev_check_stream(check, ev_check_format(check, "z, d = %zu", d));
        covariance_leading_block(d, L);
        covariance_transpose(d, L, U);
        covariance_any_gram(d, L, gram);
        covariance_any_gram(d, U, other);
        ev_gaussian_full_sample(&stream, 0, DRAWS, d, MU, L, z);
        law p = test_law(d, gram, z, scratch);
        all.right = smaller(all.right, least_p(&p));
        all.mean = smaller(all.mean, p.mean);
        all.covariance = smaller(all.covariance, p.covariance);
        all.mahalanobis = smaller(all.mahalanobis, p.mahalanobis);
        all.direction = smaller(all.direction, p.direction);
        if (d > 1) {
            p = test_law(d, other, z, scratch);
            all.transposed = larger(all.transposed, least_p(&p));
            for (size_t k = 0; k < d * d; k++)
                gram[k] = k % (d + 1) == 0 ? gram[k] : 0;
            p = test_law(d, gram, z, scratch);
            all.diagonal = larger(all.diagonal, least_p(&p));
        }
        covariance_any_gram(d, L, gram);
        sample_uniform_noise(&stream, d, L, z);
        p = test_law(d, gram, z, scratch);
        all.uniform = larger(all.uniform, fmin(p.mahalanobis, p.direction));
        all.uniform_moments = smaller(all.uniform_moments, p.mean);
    }
    return all;
}

void covariance_decide_law(ev_check *check)
{
    double *z = malloc(sizeof *z * (DRAWS * MAX_D + DRAWS)), alpha = ev_check_alpha(check);
    if (z == NULL) {
        ev_check_give_up(check, "covariance-law", "out of memory");
        return;
    }
    laws p = test_laws(check, z, z + DRAWS * MAX_D);
    free(z);
    /* Four tests in six dimensions share one alpha. */
    double level = alpha / 24;
    const ev_alternative others[] = {
        {"the covariance is L^T L", p.transposed < level,
         ev_check_format(check, "d = 2..6: p below %.2g", p.transposed)},
        {"the coordinates are independent, with the variances of L L^T", p.diagonal < level,
         ev_check_format(check, "d = 2..6: p below %.2g", p.diagonal)},
        {"any noise of mean 0 and covariance I gives the same law",
         p.uniform < level && p.uniform_moments >= level,
         ev_check_format(check, "uniform noise: mean p = %.2g, law p below %.2g", p.uniform_moments,
                         p.uniform)}};
    ev_check_decide(
        check, "covariance-law", p.right >= level,
        ev_check_format(check,
                        "20000 draws, d = 1..6: smallest p-values %.3g (mean), %.3g "
                        "(covariance), %.3g (Mahalanobis), %.3g (directions); level %.1g",
                        p.mean, p.covariance, p.mahalanobis, p.direction, level),
        3, others);
}
