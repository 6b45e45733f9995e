/* The data of plots/elbo_decomposition.gp: what each choice of q(c|x) costs, and the gaps between
 * the bound and log p(x). */
#include "numerics/series.h"
#include "fixtures/mixture_model.h"
#include "numerics/quadrature.h"
#include "probability/categorical.h"
#include "probability/gaussian.h"
#include "probability/gmvae.h"
#include "probability/log_space.h"

#include <math.h>

/* Averages over q(z|x) on the line, two clusters. */
enum { P_1, P_2, PLUG_IN, LOG_P_1, LOG_P_2, LIKELIHOOD, MARGINAL, TERMS };

static int posterior_terms(void *context, size_t worker, size_t n, const double *const *e,
                           double *const *out)
{
    const mixture_model *m = context;
    double log_pi[MODEL_K], log_p[MODEL_K], z;
    ev_mixture prior = mixture_model_prior(m, log_pi);
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        mixture_model_draw(m, e, i, &z);
        double log_pz = ev_mixture_responsibilities(&prior, &z, log_p);
        out[PLUG_IN][i] = 0;
        for (size_t c = 0; c < 2; c++) {
            out[P_1 + c][i] = exp(log_p[c]);
            out[LOG_P_1 + c][i] = log_p[c];
            out[PLUG_IN][i] += exp(log_p[c]) * log_p[c];
        }
        out[LIKELIHOOD][i] = mixture_model_log_likelihood(m, &z);
        out[MARGINAL][i] = out[LIKELIHOOD][i] + log_pz -
                           ev_gaussian_log_density(1, &z, m->mu_q, m->sigma_q);
    }
    return 0;
}

static ev_status average(mixture_model *m, double term[TERMS], ev_error *error)
{
    ev_integral found[TERMS];
    size_t evaluations;
    ev_status status = ev_trapezoid_expect(1, 0.05, 9.5, posterior_terms, m, TERMS, found,
                                           &evaluations);
    for (size_t k = 0; k < TERMS; k++)
        term[k] = status == EV_OK ? found[k].value : (double)NAN;
    return status == EV_OK ? EV_OK : ev_error_set(error, status, "an average failed");
}

/* Bhattacharyya's coefficient of the two clusters: 1 when they coincide. */
static double overlap_of(const mixture_model *m)
{
    double a = m->sigma[0], b = m->sigma[1], d = m->mu[1] - m->mu[0], sum = a * a + b * b;
    return sqrt(2 * a * b / sum) * exp(-d * d / (4 * sum));
}

static ev_status choices(ev_table *table, ev_error *error)
{
    ev_status status = EV_OK;
    for (int i = 0; i <= 90 && status == EV_OK; i++) {
        mixture_model m = MODEL_LINE;
        double half = 4.5 * i / 90, term[TERMS] = {0}, log_pi[MODEL_K], log_best[2], log_q[2];
        m.mu[0] = -half;
        m.mu[1] = half;
        ev_mixture prior = mixture_model_prior(&m, log_pi);
        status = average(&m, term, error);
        ev_gmvae_optimal_gamma(&prior, m.mu_q, m.sigma_q, log_best);
        /* A choice gamma loses KL(gamma||gamma*); one draw loses the average of that. */
        double draw = term[PLUG_IN] - term[P_1] * log_best[0] - term[P_2] * log_best[1];
        ev_log_each(2, &term[P_1], log_q);
        double mean = ev_categorical_kl(2, log_q, log_best);
        ev_mixture_responsibilities(&prior, m.mu_q, log_q);
        double plug = ev_categorical_kl(2, log_q, log_best);
        double ignore = ev_categorical_kl(2, log_pi, log_best);
        ev_table_row(table, 6, (double[]){overlap_of(&m), 2 * half, draw, mean, plug, ignore});
    }
    return status;
}

/* p(x|z) under one cluster, z = mu_c + sigma_c e. */
typedef struct {
    const mixture_model *m;
    size_t c;
} cluster;
static int likelihood_terms(void *context, size_t worker, size_t n, const double *const *e,
                            double *const *out)
{
    const cluster *of = context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double z = of->m->mu[of->c] + of->m->sigma[of->c] * e[0][i];
        out[0][i] = exp(mixture_model_log_likelihood(of->m, &z));
    }
    return 0;
}

static double log_evidence(const mixture_model *m)
{
    double sum = 0;
    for (size_t c = 0; c < m->K; c++) {
        cluster of = {m, c};
        ev_integral found;
        size_t evaluations;
        if (ev_trapezoid_expect(1, 0.05, 9.5, likelihood_terms, &of, 1, &found, &evaluations) !=
            EV_OK)
            return (double)NAN;
        sum += m->pi[c] * found.value;
    }
    return log(sum);
}

/* log p(x) >= bound with q(c|x,z) = p(c|z) >= bound with the best q(c|x) >= with q(c|x) = p(c). */
static ev_status gaps(ev_table *table, ev_error *error)
{
    ev_status status = EV_OK;
    for (int i = 0; i <= 80 && status == EV_OK; i++) {
        mixture_model m = MODEL_LINE;
        double term[TERMS] = {0}, log_pi[MODEL_K], log_best[2];
        m.mu_q[0] = 0.75;
        m.sigma_q[0] = 0.2 * pow(12, i / 80.0);
        ev_mixture prior = mixture_model_prior(&m, log_pi);
        status = average(&m, term, error);
        ev_gmvae_optimal_gamma(&prior, m.mu_q, m.sigma_q, log_best);
        double best = term[LIKELIHOOD] +
                      ev_gmvae_elbo_terms(&prior, log_best, m.mu_q, m.sigma_q).sum;
        double ignore = term[LIKELIHOOD] +
                        ev_gmvae_elbo_terms(&prior, log_pi, m.mu_q, m.sigma_q).sum;
        ev_table_row(table, 5,
                     (double[]){m.sigma_q[0], log_evidence(&m), term[MARGINAL], best, ignore});
    }
    return status;
}

const ev_series elbo_decomposition_series[] = {
    {"choices", "nats lost by choices of q(c|x), against the overlap of two clusters",
     "overlap\tdistance\tp(c|z) at one draw [nat]\taverage of p(c|z) [nat]\t"
     "p(c|z) at the mean [nat]\tp(c) [nat]",
     choices},
    {"gaps", "log p(x) and three bounds, against the width of q(z|x)",
     "sigma of q(z|x)\tlog p(x) [nat]\tbound, q(c|x,z) = p(c|z) [nat]\tbound, best q(c|x) [nat]\t"
     "bound, q(c|x) = p(c) [nat]",
     gaps},
    {0}};
