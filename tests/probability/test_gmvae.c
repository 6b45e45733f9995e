#include "probability/gmvae.h"

#include "oracle.h"
#include "probability/categorical.h"
#include "probability/gaussian.h"
#include "probability/log_space.h"

#include <criterion/criterion.h>

#define NEAR(a, b, tolerance)                                                                      \
    cr_assert(oracle_close((a), (b), (tolerance), (tolerance)), "%.17g is not %.17g", (double)(a), \
              (double)(b))

enum { K = 4, J = 2 };

/* A generic setting: nothing uniform, nothing one, K is not ten. */
static const double PI[] = {0.4, 0.1, 0.2, 0.3}, GAMMA[] = {0.1, 0.25, 0.35, 0.3};
static const double MU[] = {0.0, 1.0, -1.5, 0.2, 0.7, -0.6, 1.1, 1.3};
static const double SIGMA[] = {0.8, 1.1, 0.6, 1.4, 1.2, 0.9, 0.7, 1.6};
static const double MU_Q[] = {0.3, 0.5}, SIGMA_Q[] = {0.5, 0.7};
static double LOG_PI[K], LOG_GAMMA[K];

static ev_mixture generic(void)
{
    ev_log_each(K, PI, LOG_PI);
    ev_log_each(K, GAMMA, LOG_GAMMA);
    return (ev_mixture){.K = K, .J = J, .log_pi = LOG_PI, .mu = MU, .sigma = SIGMA};
}

typedef struct {
    const ev_mixture *prior;
    size_t c;
} at;

static const double *z_of(double eps0, double eps1)
{
    static double z[J];
    z[0] = MU_Q[0] + SIGMA_Q[0] * eps0;
    z[1] = MU_Q[1] + SIGMA_Q[1] * eps1;
    return z;
}

static double log_component(double eps0, double eps1, void *context)
{
    const at *a = context;
    return ev_gaussian_log_density(J, z_of(eps0, eps1), MU + J * a->c, SIGMA + J * a->c);
}

static double log_prior(double eps0, double eps1, void *context)
{
    const at *a = context;
    return ev_mixture_log_density(a->prior, z_of(eps0, eps1));
}

static double log_posterior(double eps0, double eps1, void *context)
{
    (void)context;
    return ev_gaussian_log_density(J, z_of(eps0, eps1), MU_Q, SIGMA_Q);
}

static double responsibility(double eps0, double eps1, void *context)
{
    const at *a = context;
    double log_gamma[K];
    ev_mixture_responsibilities(a->prior, z_of(eps0, eps1), log_gamma);
    return exp(log_gamma[a->c]);
}

/* KL(q(c|x)||p(c|z)) */
static double gap(double eps0, double eps1, void *context)
{
    const at *a = context;
    double log_gamma[K];
    ev_mixture_responsibilities(a->prior, z_of(eps0, eps1), log_gamma);
    return ev_categorical_kl(K, LOG_GAMMA, log_gamma);
}

Test(gmvae, every_term_is_the_expectation_it_is_named_for)
{
    const ev_mixture prior = generic();
    const ev_gmvae_terms terms = ev_gmvae_elbo_terms(&prior, LOG_GAMMA, MU_Q, SIGMA_Q);
    double categorical = 0.0, latent = 0.0;
    for (size_t c = 0; c < K; c++) {
        at a = {&prior, c};
        const double expected = oracle_expect_plane(log_component, &a);
        NEAR(ev_gmvae_component_term(&prior, c, MU_Q, SIGMA_Q), expected, 1e-12);
        latent += GAMMA[c] * expected;
        categorical += GAMMA[c] * log(PI[c] / GAMMA[c]);
    }
    NEAR(terms.categorical, categorical, 1e-14);
    NEAR(terms.categorical, -ev_categorical_kl(K, LOG_GAMMA, LOG_PI), 1e-14);
    NEAR(terms.latent, latent, 1e-12);
    NEAR(terms.entropy, -oracle_expect_plane(log_posterior, NULL), 1e-12);
    NEAR(terms.sum, terms.categorical + terms.latent + terms.entropy, 1e-15);
}

Test(gmvae, the_sum_is_the_line_without_two_pi)
{
    /* log 2 pi cancels between the latent and the entropy term. */
    const ev_mixture prior = generic();
    double line = 0.0;
    for (size_t c = 0; c < K; c++) {
        double inner = 0.0;
        for (size_t j = 0; j < J; j++) {
            const double var = SIGMA[c * J + j] * SIGMA[c * J + j], d = MU_Q[j] - MU[c * J + j];
            inner += log(var) + SIGMA_Q[j] * SIGMA_Q[j] / var + d * d / var;
        }
        line += -0.5 * GAMMA[c] * inner + GAMMA[c] * log(PI[c] / GAMMA[c]);
    }
    for (size_t j = 0; j < J; j++)
        line += 0.5 * (1.0 + log(SIGMA_Q[j] * SIGMA_Q[j]));
    NEAR(ev_gmvae_elbo_terms(&prior, LOG_GAMMA, MU_Q, SIGMA_Q).sum, line, 1e-14);
}

Test(gmvae, the_terms_fall_short_of_minus_kl_by_the_expected_gap_in_c)
{
    /* ELBO = E_q log p(x|z) - KL(q(z)||p(z)) - E_q KL(q(c)||p(c|z)). */
    const ev_mixture prior = generic();
    at a = {&prior, 0};
    const double minus_kl = oracle_expect_plane(log_prior, &a) -
                            oracle_expect_plane(log_posterior, NULL);
    const double sum = ev_gmvae_elbo_terms(&prior, LOG_GAMMA, MU_Q, SIGMA_Q).sum;
    NEAR(sum, minus_kl - oracle_expect_plane(gap, &a), 1e-10);
    cr_assert(sum < minus_kl);
}

Test(gmvae, no_other_gamma_does_better_than_the_optimal_one)
{
    const ev_mixture prior = generic();
    double best[K], other[K], weights[K];
    const double normaliser = ev_gmvae_optimal_gamma(&prior, MU_Q, SIGMA_Q, best);
    const ev_gmvae_terms terms = ev_gmvae_elbo_terms(&prior, best, MU_Q, SIGMA_Q);
    NEAR(terms.categorical + terms.latent, normaliser, 1e-14);
    uint64_t state = 5;
    for (size_t round = 0; round < oracle_rounds(300); round++) {
        oracle_weights(&state, round, K, weights);
        for (size_t c = 0; c < K; c++) /* from far to very near */
            weights[c] = round % 2 ? weights[c] : 0.99 * exp(best[c]) + 0.01 * weights[c];
        ev_log_each(K, weights, other);
        const ev_gmvae_terms worse = ev_gmvae_elbo_terms(&prior, other, MU_Q, SIGMA_Q);
        /* The shortfall is KL(gamma||gamma*). */
        NEAR(terms.sum - worse.sum, ev_categorical_kl(K, other, best), 1e-13);
        cr_assert(worse.sum <= terms.sum);
    }
}

Test(gmvae, the_optimal_gamma_is_not_the_expected_responsibility_nor_that_at_the_mean)
{
    const ev_mixture prior = generic();
    double best[K], at_mean[K], distance = 0.0, distance_mean = 0.0;
    ev_gmvae_optimal_gamma(&prior, MU_Q, SIGMA_Q, best);
    ev_mixture_responsibilities(&prior, MU_Q, at_mean);
    for (size_t c = 0; c < K; c++) {
        at a = {&prior, c};
        distance += fabs(exp(best[c]) - oracle_expect_plane(responsibility, &a));
        distance_mean += fabs(exp(best[c]) - exp(at_mean[c]));
    }
    cr_assert(distance > 0.01, "%g", distance);
    cr_assert(distance_mean > 0.01, "%g", distance_mean);
}

Test(gmvae, as_the_posterior_narrows_the_optimal_gamma_becomes_bayes_rule)
{
    const ev_mixture prior = generic();
    double best[K], bayes[K];
    const double narrow[] = {1e-9, 1e-9}, point[] = {0.0, 0.0};
    ev_mixture_responsibilities(&prior, MU_Q, bayes);
    ev_gmvae_optimal_gamma(&prior, MU_Q, narrow, best);
    for (size_t c = 0; c < K; c++)
        NEAR(best[c], bayes[c], 1e-14);
    ev_gmvae_optimal_gamma(&prior, MU_Q, point, best);
    for (size_t c = 0; c < K; c++)
        NEAR(best[c], bayes[c], 1e-15);
}

Test(gmvae, weights_enter_gamma_once_and_not_once_a_dimension)
{
    /* Published: log pi_c inside the sum over J, so that gamma ~ pi^J N; hidden by uniform pi. */
    const ev_mixture prior = generic();
    double right[K], wrong[K], log_pi[K], distance = 0.0;
    for (size_t c = 0; c < K; c++)
        log_pi[c] = J * LOG_PI[c];
    const ev_mixture mistaken = {K, J, log_pi, MU, SIGMA};
    ev_mixture_responsibilities(&prior, MU_Q, right);
    ev_mixture_responsibilities(&mistaken, MU_Q, wrong);
    double bayes[K], sum = 0.0;
    for (size_t c = 0; c < K; c++)
        sum += bayes[c] = PI[c] * exp(ev_gaussian_log_density(J, MU_Q, MU + J * c, SIGMA + J * c));
    for (size_t c = 0; c < K; c++) {
        NEAR(exp(right[c]), bayes[c] / sum, 1e-14);
        distance += fabs(exp(right[c]) - exp(wrong[c]));
    }
    cr_assert(distance > 0.05, "%g", distance);
}

Test(gmvae, the_published_loss_with_two_pi_in_the_wrong_places_is_91_894_nats_too_high)
{
    /* J log 2pi inside the sum over J, and an entropy without it: J^2/2 log 2pi at J = 10. */
    enum { J10 = 10 };
    double mu[J10], sigma[J10], mu_q[J10], sigma_q[J10], published = 0.0;
    const double one[] = {0.0};
    for (size_t j = 0; j < J10; j++) {
        mu[j] = 0.1 * (double)j;
        sigma[j] = 0.5 + 0.1 * (double)j;
        mu_q[j] = 1.0 - 0.2 * (double)j;
        sigma_q[j] = 0.3 + 0.05 * (double)j;
        const double var = sigma[j] * sigma[j], d = mu_q[j] - mu[j];
        published += 0.5 * (J10 * EV_LOG_2PI + log(var) + (sigma_q[j] * sigma_q[j] + d * d) / var);
        published -= 0.5 * (1.0 + log(sigma_q[j] * sigma_q[j]));
    }
    const ev_mixture prior = {1, J10, one, mu, sigma};
    const double ours = -ev_gmvae_elbo_terms(&prior, one, mu_q, sigma_q).sum;
    cr_assert(fabs(published - ours - 91.894) < 0.0005, "%.6f", published - ours);
}

Test(gmvae, the_prior_of_c_is_not_one_tenth_and_the_sign_is_not_flipped)
{
    const ev_mixture prior = generic();
    const double ours = ev_gmvae_categorical_term(K, prior.log_pi, LOG_GAMMA);
    double tenth = 0.0;
    for (size_t c = 0; c < K; c++)
        tenth += GAMMA[c] * (log(0.1) - LOG_GAMMA[c]);
    cr_assert(fabs(ours - tenth) > 0.5);
    cr_assert(ours < -0.1, "minus a KL divergence");
    NEAR(ev_gmvae_categorical_term(K, LOG_PI, LOG_PI), 0.0, 0.0);
}

Test(gmvae, a_softmax_of_rescaled_likelihoods_is_not_the_optimal_gamma)
{
    const ev_mixture prior = generic();
    double joint[K], best[K], low = HUGE_VAL, high = -HUGE_VAL, distance = 0.0;
    for (size_t c = 0; c < K; c++) {
        joint[c] = ev_mixture_log_joint(&prior, c, MU_Q);
        low = fmin(low, joint[c]);
        high = fmax(high, joint[c]);
    }
    for (size_t c = 0; c < K; c++)
        joint[c] = (joint[c] - low) / (high - low);
    ev_log_softmax(K, joint, joint);
    ev_mixture_responsibilities(&prior, MU_Q, best);
    for (size_t c = 0; c < K; c++)
        distance += fabs(exp(joint[c]) - exp(best[c]));
    cr_assert(distance > 0.05, "%g", distance);
}

Test(gmvae, relabelling_and_dead_components_change_nothing)
{
    const ev_mixture prior = generic();
    double log_pi[K + 1], log_gamma[K + 1], mu[J * (K + 1)], sigma[J * (K + 1)], best[K];
    double extended[K + 1];
    for (size_t c = 0; c < K; c++) { /* reversed, and a dead point mass in front */
        log_pi[c + 1] = LOG_PI[K - 1 - c];
        log_gamma[c + 1] = LOG_GAMMA[K - 1 - c];
        for (size_t j = 0; j < J; j++) {
            mu[(c + 1) * J + j] = MU[(K - 1 - c) * J + j];
            sigma[(c + 1) * J + j] = SIGMA[(K - 1 - c) * J + j];
        }
    }
    log_pi[0] = log_gamma[0] = -HUGE_VAL;
    mu[0] = mu[1] = sigma[0] = sigma[1] = 0.0;
    const ev_mixture larger = {K + 1, J, log_pi, mu, sigma};
    NEAR(ev_gmvae_elbo_terms(&larger, log_gamma, MU_Q, SIGMA_Q).sum,
         ev_gmvae_elbo_terms(&prior, LOG_GAMMA, MU_Q, SIGMA_Q).sum, 1e-14);
    NEAR(ev_gmvae_optimal_gamma(&larger, MU_Q, SIGMA_Q, extended),
         ev_gmvae_optimal_gamma(&prior, MU_Q, SIGMA_Q, best), 1e-14);
    cr_assert(extended[0] == -HUGE_VAL);
    for (size_t c = 0; c < K; c++)
        NEAR(extended[c + 1], best[K - 1 - c], 1e-13);
}

Test(gmvae, corners_have_the_values_the_header_promises)
{
    const ev_mixture prior = generic();
    const double impossible[] = {0.0, -HUGE_VAL, -HUGE_VAL, -HUGE_VAL};
    const double none[] = {-HUGE_VAL, 0.0, -HUGE_VAL, -HUGE_VAL};
    cr_assert(ev_gmvae_categorical_term(K, none, impossible) == -HUGE_VAL);
    NEAR(ev_gmvae_categorical_term(K, prior.log_pi, impossible), log(0.4), 1e-15);
    const double collapsed[] = {0.0, 1.0}, far[] = {1e200, 0.0};
    cr_assert(ev_gmvae_elbo_terms(&prior, LOG_GAMMA, MU_Q, collapsed).sum == -HUGE_VAL);
    double best[K];
    cr_assert(ev_gmvae_optimal_gamma(&prior, far, SIGMA_Q, best) == -HUGE_VAL);
    cr_assert(best[2] == 0.0, "the widest in the first coordinate is the nearest out there");
}
