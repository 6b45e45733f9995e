/* The mass of grey levels: that it is a probability, and that of each is a difference of distribution
 * functions, here GSL's. */
#include "train/grey_levels.h"

#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <math.h>

/* Log-variances at their limits, beyond them and between; means on a level, off it, outside [0,1]. */
static const float MEANS[] = {0.0F, 0.4F, 0.501F, 1.0F, -0.3F, 1.2F};
static const float LOG_VARS[] = {-20.0F, -8.0F, -5.0F, -1.0F, 2.0F, 8.0F, 11.0F};
enum { MEAN_COUNT = sizeof MEANS / sizeof *MEANS, VAR_COUNT = sizeof LOG_VARS / sizeof *LOG_VARS };

static double sigma_of(float log_var) { return exp(0.5 * fmin(fmax((double)log_var, -8.0), 8.0)); }

Test(grey_levels, the_256_levels_of_a_pixel_have_mass_one)
{
    for (size_t m = 0; m < MEAN_COUNT; m++)
        for (size_t v = 0; v < VAR_COUNT; v++) {
            const float out[2] = {MEANS[m], LOG_VARS[v]};
            double sum = 0.0;
            for (int k = 0; k < 256; k++) {
                const float x = (float)k / 255.0F;
                sum += exp(ev_grey_levels_log_mass(1, &x, out));
            }
            cr_expect_float_eq(sum, 1.0, 1e-12, "mean %g, log-variance %g: %.17g", (double)MEANS[m],
                               (double)LOG_VARS[v], sum);
        }
}

/* Where neither tail is lost in the other's rounding. */
static double mass(int k, double mu, double sigma)
{
    const double low = ((double)k - 0.5) / 255.0 - mu, high = ((double)k + 0.5) / 255.0 - mu;
    if (k == 0)
        return gsl_cdf_gaussian_P(high, sigma);
    if (k == 255)
        return gsl_cdf_gaussian_Q(low, sigma);
    return low > 0.0 ? gsl_cdf_gaussian_Q(low, sigma) - gsl_cdf_gaussian_Q(high, sigma)
                     : gsl_cdf_gaussian_P(high, sigma) - gsl_cdf_gaussian_P(low, sigma);
}

Test(grey_levels, an_image_has_the_product_of_its_pixels_masses)
{
    enum { D = 256 };
    for (size_t m = 0; m < MEAN_COUNT; m++)
        for (size_t v = 0; v < VAR_COUNT; v++) {
            float x[D], out[2 * D];
            double wanted = 0.0;
            for (int k = 0; k < D; k++) {
                /* Within seven deviations, for the oracle's logarithm. */
                const double sigma = sigma_of(LOG_VARS[v]), at = (double)k / 255.0;
                const double far = at - (double)MEANS[m];
                out[k] = fabs(far) < 7.0 * sigma ? MEANS[m] : (float)(at - 0.3 * sigma);
                out[D + k] = LOG_VARS[v];
                x[k] = (float)k / 255.0F;
                wanted += log(mass(k, (double)out[k], sigma));
            }
            const double found = ev_grey_levels_log_mass(D, x, out);
            cr_expect_float_eq(found, wanted, 1e-10 * fabs(wanted),
                               "mean %g, log-variance %g: %.15g for %.15g", (double)MEANS[m],
                               (double)LOG_VARS[v], found, wanted);
        }
}

Test(grey_levels, what_is_no_number_is_none)
{
    const float x = 0.5F, out[2] = {0.5F, NAN}, other[2] = {NAN, 0.0F};
    cr_expect(isnan(ev_grey_levels_log_mass(1, &x, out)));
    cr_expect(isnan(ev_grey_levels_log_mass(1, &x, other)));
}
