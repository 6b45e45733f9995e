/* Published errors in mixtures and categories. */
#include "numerics/monte_carlo.h"
#include "numerics/quadrature.h"
#include "probability/categorical.h"
#include "probability/gaussian.h"
#include "probability/gmvae.h"
#include "probability/log_space.h"
#include "probability/mixture.h"
#include "sides.h"

#include <string.h>

static const double PI[K] = {0.2, 0.5, 0.3};
static const double M[K * 2] = {-0.8, 0.4, 1.2, -0.3, 0.1, 1.7};
static const double S[K * 2] = {0.9, 1.3, 0.6, 1.8, 1.1, 0.7};

void errors_check_responsibilities(ev_check *check)
{
    const double k = K, j = 2, z[2] = {0.5, -0.9},
                 power[K] = {0.04 / 0.38, 0.25 / 0.38, 0.09 / 0.38};
    double log_pi[K], log_power[K], gamma[K], wrong[K], log_joint[K], sum = 0, rescaled = 0;
    ev_log_each(K, PI, log_pi);
    ev_log_each(K, power, log_power);
    ev_mixture p = {.K = K, .J = 2, .log_pi = log_pi, .mu = M, .sigma = S};
    ev_mixture squared = p;
    squared.log_pi = log_power;
    ev_mixture_responsibilities(&p, z, gamma);
    ev_mixture_responsibilities(&squared, z, wrong);
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t c = 0; c < K; c++) {
        log_joint[c] = ev_mixture_log_joint(&p, c, z);
        low = fmin(low, log_joint[c]);
        high = fmax(high, log_joint[c]);
        sum += exp(log_joint[c]) + 1e-10;
    }
    for (size_t c = 0; c < K; c++)
        rescaled += exp((log_joint[c] - low) / (high - low));
    for (size_t c = 0; c < K; c++) {
        const double index = (double)c + 1;
        const ev_binding at[] = {{"K", 1, &k}, {"J", 1, &j},    {"c", 1, &index}, {"\\pi", K, PI},
                                 {"z", 2, z},  {"m", K * 2, M}, {"s", K * 2, S}};
        double right = exp(gamma[c]), one = exp((log_joint[c] - low) / (high - low)) / rescaled;
        errors_says(check, "weight-once", 1, 1, 0, 7, at, right, rounding(right));
        errors_says(check, "weight-power", 1, 1, 0, 7, at, exp(wrong[c]), rounding(right));
        errors_says(check, "softmax-of-logarithms", 1, 1, 0, 7, at, right, rounding(right));
        errors_says(check, "rescaled-softmax-bound", 1, 0, 0, 7, at, one, rounding(one));
        /* The first component, with its mean for a log-variance. */
        double loaded = 0, own = 0;
        for (size_t i = 0; i < 2; i++) {
            loaded += ev_gaussian_scalar_log_density(z[i], M[i], exp(M[i] / 2));
            own += ev_gaussian_scalar_log_density(z[i], M[i], S[i]);
        }
        errors_differ(check, "initial-log-variances", loaded, own);
        errors_differ(check, "weight-in-sum", right, exp(wrong[c]));
        errors_differ(check, "rescaled-softmax", right, one);
        errors_differ(check, "density-epsilon", right, (exp(log_joint[c]) + 1e-10) / sum);
    }
}

/* The latent and entropy terms of the bound, and the published ones: true_loss by closed forms,
 * published as printed. */
static void loss_terms(size_t J, const ev_mixture *prior, const double *log_gamma, double *latent,
                       double *entropy, double *published_latent, double *published_entropy)
{
    double sigma_q[MAX_J];
    *published_latent = *published_entropy = 0;
    for (size_t j = 0; j < J; j++) {
        sigma_q[j] = deviation(LOG_VAR[j]);
        *published_entropy += (1 + LOG_VAR[j]) / 2;
    }
    *latent = ev_gmvae_latent_term(prior, log_gamma, MU, sigma_q);
    *entropy = ev_gmvae_entropy_term(J, sigma_q);
    for (size_t c = 0; c < prior->K; c++)
        for (size_t j = 0; j < J; j++) {
            double s = prior->sigma[c * J + j], distance = MU[j] - prior->mu[c * J + j];
            *published_latent -= exp(log_gamma[c]) / 2 *
                                 ((double)J * EV_LOG_2PI + 2 * log(s) +
                                  (exp(LOG_VAR[j]) + distance * distance) / (s * s));
        }
}

/* log q, and the mixture's weighted log density, at draws of q: J = 2. */
static int bound_block(void *context, size_t worker, size_t n, const double *const *e,
                       double *const *out)
{
    const ev_mixture *prior = context;
    const double sigma_q[2] = {deviation(LOG_VAR[0]), deviation(LOG_VAR[1])};
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double z[2] = {MU[0] + sigma_q[0] * e[0][i], MU[1] + sigma_q[1] * e[1][i]};
        out[0][i] = 0;
        for (size_t c = 0; c < K; c++)
            out[0][i] += PI[c] *
                         ev_gaussian_log_density(2, z, prior->mu + 2 * c, prior->sigma + 2 * c);
        out[1][i] = -ev_gaussian_log_density(2, z, MU, sigma_q);
    }
    return 0;
}

/* The closed forms of the bound, from densities alone: by sums and by draws. */
static void assert_bound_twice(ev_check *check, ev_mixture *prior, const double closed[2])
{
    static const char *const id[2][2] = {{"errors-latent-sums", "errors-entropy-sums"},
                                         {"errors-latent-draws", "errors-entropy-draws"}};
    ev_integral sums[2];
    ev_sample_summary drawn[2];
    size_t evaluations;
    ev_stream stream = ev_check_stream(check, "bound");
    if (ev_trapezoid_expect(2, 0.2, 9, bound_block, prior, 2, sums, &evaluations) != EV_OK ||
        ev_monte_carlo_expect(2, bound_block, prior, 2, &stream, 100000, 2, drawn) != EV_OK)
        return;
    for (int k = 0; k < 2; k++) {
        ev_check_assert(check, id[0][k], "a term of the mixture's bound: sums and closed form",
                        sums[k].value, closed[k], 1e-10);
        ev_check_assert(check, id[1][k], "the same: 100000 draws and closed form", drawn[k].mean,
                        closed[k], ev_sample_half_width(&drawn[k], ev_check_alpha(check)));
    }
}

void errors_check_bound(ev_check *check)
{
    const double k = K, j = 2;
    const ev_binding at[] = {{"K", 1, &k},         {"J", 1, &j},    {"\\gamma", K, PI},
                             {"m", K * 2, M},      {"s", K * 2, S}, {"\\mu", 2, MU},
                             {"\\ell", 2, LOG_VAR}};
    double log_pi[K], latent, entropy, published_latent, published_entropy;
    ev_log_each(K, PI, log_pi);
    ev_mixture prior = {.K = K, .J = 2, .log_pi = log_pi, .mu = M, .sigma = S};
    loss_terms(2, &prior, log_pi, &latent, &entropy, &published_latent, &published_entropy);
    assert_bound_twice(check, &prior, (const double[]){latent, entropy});
    errors_says(check, "constant-once", 1, 1, 0, 7, at, latent, rounding(latent));
    errors_says(check, "entropy-with-constant", 1, 1, 0, 7, at, entropy, rounding(entropy));
    errors_says(check, "constants-cancel", 1, 1, 0, 7, at, latent + entropy, rounding(latent));
    errors_says(check, "published-loss-offset", 1, 0, 0, 7, at,
                -published_latent - published_entropy, rounding(latent));
    errors_differ(check, "constant-in-sum", latent, published_latent);
    errors_differ(check, "entropy-without-constant", entropy, published_entropy);
    errors_differ(check, "published-loss", -published_latent - published_entropy,
                  -latent - entropy);
}

/* The ten dimensions that the published loss is used in. */
void errors_assert_ten_dimensions(ev_check *check)
{
    double log_gamma[1] = {0}, latent, entropy, published_latent, published_entropy;
    ev_mixture prior = {.K = 1, .J = MAX_J, .log_pi = log_gamma, .mu = LOG_VAR, .sigma = NULL};
    double sigma[MAX_J];
    for (size_t i = 0; i < MAX_J; i++)
        sigma[i] = 0.5 + 0.1 * (double)i;
    prior.sigma = sigma;
    loss_terms(MAX_J, &prior, log_gamma, &latent, &entropy, &published_latent, &published_entropy);
    ev_check_assert(check, "published-loss-ten-dimensions",
                    "the published loss minus the true one at J = 10, and 50 log 2 pi",
                    latent + entropy - published_latent - published_entropy, 50 * EV_LOG_2PI,
                    1e-10);
    ev_check_assert(check, "published-loss-nats", "the same, to the digits that are quoted",
                    50 * EV_LOG_2PI, 91.894, 5e-4);
}

void errors_check_categories(ev_check *check)
{
    const double k = K, a[K] = {0.4, -1.2, 0.9};
    const ev_binding at[] = {{"K", 1, &k}, {"a", K, a}, {"\\pi", K, PI}};
    double log_q[K], log_r[K], log_p[K], h = 1e-4;
    ev_log_softmax(K, a, log_q);
    ev_log_each(K, PI, log_r);
    for (size_t c = 0; c < K; c++)
        log_p[c] = -log(K);
    double kl = ev_categorical_kl(K, log_q, log_p), other = ev_categorical_kl(K, log_r, log_q);
    errors_says(check, "log-clusters", 1, 1, 0, 3, at, kl, rounding(kl));
    errors_says(check, "log-clusters", 2, 2, 0, 3, at, log(K) - ev_categorical_entropy(K, log_q),
                rounding(kl));
    errors_says(check, "argument-order-right", 1, 0, 0, 3, at, other, rounding(other));
    errors_differ(check, "log-tenth", kl, kl - log(K) + log(10));
    errors_differ(check, "categorical-sign", kl, -kl);
    errors_differ(check, "argument-order", other, ev_categorical_kl(K, log_q, log_r));
    for (size_t c = 0; c < K; c++) {
        /* d KL/d a_c = q_c (log q_c - E_q[log q]), beside a central difference. */
        double slope = exp(log_q[c]) * (log_q[c] + ev_categorical_entropy(K, log_q)), ends[2];
        for (int side = 0; side < 2; side++) {
            double moved[K];
            memcpy(moved, a, sizeof moved);
            moved[c] += side ? h : -h;
            ev_log_softmax(K, moved, moved);
            ends[side] = ev_categorical_kl(K, moved, log_p);
        }
        errors_says(check, "log-tenth-gradient", 1, 1, c, 3, at, slope, rounding(slope));
        errors_says(check, "categorical-gradient", 1, 1, c, 3, at, slope, rounding(slope));
        double given = 0,
               ours = exp(log_q[c]) * (log_q[c] - log_r[c] - ev_categorical_kl(K, log_q, log_r));
        for (size_t i = 0; i < K; i++) /* d/d a_c of sum_k pi_k (log pi_k - log q_k) */
            given += PI[i] * (exp(log_q[c]) - (i == c));
        errors_differ(check, "argument-order-gradient", given, ours);
        ev_check_sides(check, "categorical-sign-gradient", 1, (ends[1] - ends[0]) / (2 * h), 1e-7,
                       -slope, rounding(slope));
    }
}

void errors_decide_density_epsilon(ev_check *check)
{
    const double mu[K] = {-1, 0, 1}, sigma[K] = {1, 1, 1}, z = 60;
    double log_pi[K], gamma[K], density[K], sum = 0, spread = 0;
    ev_log_each(K, PI, log_pi);
    ev_mixture p = {.K = K, .J = 1, .log_pi = log_pi, .mu = mu, .sigma = sigma};
    ev_mixture_responsibilities(&p, &z, gamma);
    for (size_t c = 0; c < K; c++) {
        density[c] = exp(ev_mixture_log_joint(&p, c, &z)) + 1e-10;
        sum += density[c];
    }
    for (size_t c = 1; c < K; c++)
        spread = fmax(spread, fabs(density[c] / sum - density[0] / sum));
    /* log odds of neighbours: ((z - mu_0)^2 - (z - mu_1)^2)/2 = z + 1/2, and the weights. */
    double odds = log(PI[1] / PI[0]) + z + 0.5, error = fabs(gamma[1] - gamma[0] - odds);
    const char *found = ev_check_format(check, "%.17g, %.17g, %.17g", density[0] / sum,
                                        density[1] / sum, density[2] / sum);
    const ev_alternative others[] = {
        {"they differ in the last digits", !(spread > 0), found},
        {"the nearest component still has the most", density[2] <= density[0], found},
        {"logarithms fail there too", error < 1e-9,
         ev_check_format(check, "log odds %.12g, exactly %.12g", gamma[1] - gamma[0], odds)}};
    ev_check_decide(check, "density-epsilon-uniform", !(spread > 0) && error < 1e-9,
                    ev_check_format(check, "at z = 60 they are %s; by logarithms %.3g, %.3g, %.3g",
                                    found, exp(gamma[0]), exp(gamma[1]), exp(gamma[2])),
                    3, others);
}
