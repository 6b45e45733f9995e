/* The data of plots/gmvae_closed_form.gp: the bound from L draws around its expectation, and the
 * closed terms by nodes and by samples. */
#include "numerics/series.h"
#include "fixtures/mixture_model.h"
#include "numerics/quadrature.h"
#include "probability/gaussian.h"
#include "probability/gmvae.h"
#include "probability/log_space.h"

#include <math.h>
#include <stdlib.h>

enum { LIKELIHOOD, SQUARE, CLOSED, TERMS };

/* log p(x|z), its square, and what the closed form replaces,
 *   sum_c gamma_c log [p(z|c) pi_c / gamma_c] - log q(z). */
static void terms_at(const mixture_model *m, double z, double out[TERMS])
{
    double log_pi[MODEL_K];
    ev_mixture prior = mixture_model_prior(m, log_pi);
    out[LIKELIHOOD] = mixture_model_log_likelihood(m, &z);
    out[SQUARE] = out[LIKELIHOOD] * out[LIKELIHOOD];
    out[CLOSED] = -ev_gaussian_log_density(1, &z, m->mu_q, m->sigma_q);
    for (size_t c = 0; c < m->K; c++)
        out[CLOSED] += m->gamma[c] * (ev_mixture_log_joint(&prior, c, &z) - log(m->gamma[c]));
}

static int block(void *context, size_t worker, size_t n, const double *const *e, double *const *out)
{
    const mixture_model *m = context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double z, term[TERMS];
        mixture_model_draw(m, e, i, &z);
        terms_at(m, z, term);
        for (size_t k = 0; k < TERMS; k++)
            out[k][i] = term[k];
    }
    return 0;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum { REPEATS = 400, MOST_DRAWS = 1024 };
/* Of every repetition of L draws: the mean of each term, minus its expectation. */
static void deviations(const mixture_model *m, const ev_stream *stream, size_t L,
                       const double truth[TERMS], double likelihood[REPEATS],
                       double closed[REPEATS])
{
    double e[MOST_DRAWS], term[TERMS];
    for (size_t repeat = 0; repeat < REPEATS; repeat++) {
        ev_stream_normals(stream, repeat * MOST_DRAWS, L, e);
        likelihood[repeat] = -truth[LIKELIHOOD];
        closed[repeat] = -truth[CLOSED];
        for (size_t l = 0; l < L; l++) {
            terms_at(m, m->mu_q[0] + m->sigma_q[0] * e[l], term);
            likelihood[repeat] += term[LIKELIHOOD] / (double)L;
            closed[repeat] += term[CLOSED] / (double)L;
        }
    }
}

/* The exact averages of all terms at the model on the line. */
static ev_status truth_of(mixture_model *m, double truth[TERMS], ev_error *error)
{
    ev_integral found[TERMS];
    size_t evaluations;
    if (ev_trapezoid_expect(1, 0.05, 9.5, block, m, TERMS, found, &evaluations) != EV_OK)
        return ev_error_set(error, EV_UNFIT, "a quadrature failed");
    for (size_t k = 0; k < TERMS; k++)
        truth[k] = found[k].value;
    return EV_OK;
}

static ev_status estimate(ev_table *table, ev_error *error)
{
    mixture_model m = MODEL_LINE;
    double truth[TERMS] = {0}, likelihood[REPEATS], closed[REPEATS];
    ev_stream stream = ev_table_stream(table, "estimate");
    ev_status status = truth_of(&m, truth, error);
    for (int i = 0; i <= 20 && status == EV_OK; i++) {
        size_t L = (size_t)lround(pow(2, i / 2.0));
        deviations(&m, &stream, L, truth, likelihood, closed);
        qsort(likelihood, REPEATS, sizeof *likelihood, by_size);
        double sigma = sqrt((truth[SQUARE] - pow(truth[LIKELIHOOD], 2)) / (double)L);
        ev_table_row(table, 7,
                     (double[]){(double)L, likelihood[REPEATS / 20], likelihood[REPEATS / 4],
                                likelihood[REPEATS / 2], likelihood[REPEATS - REPEATS / 4],
                                likelihood[REPEATS - REPEATS / 20], sigma});
    }
    return status;
}

static double root_mean_square(size_t n, const double *v)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += v[i] * v[i] / (double)n;
    return sqrt(sum);
}

/* The terms without the decoder, against gmvae.h's closed form; the decoder's, against itself. */
static ev_status convergence(ev_table *table, ev_error *error)
{
    mixture_model m = MODEL_LINE;
    double truth[TERMS] = {0}, likelihood[REPEATS], closed[REPEATS], log_pi[MODEL_K],
           log_gamma[MODEL_K];
    ev_mixture prior = mixture_model_prior(&m, log_pi);
    ev_stream stream = ev_table_stream(table, "convergence");
    ev_status status = truth_of(&m, truth, error);
    ev_log_each(m.K, m.gamma, log_gamma);
    truth[CLOSED] = ev_gmvae_elbo_terms(&prior, log_gamma, m.mu_q, m.sigma_q).sum;
    for (int i = 0; i <= 20 && status == EV_OK; i++) {
        size_t n = (size_t)lround(pow(2, i / 2.0)), evaluations;
        ev_integral rule[TERMS];
        double row[] = {(double)n, (double)NAN, (double)NAN, (double)NAN, (double)NAN};
        deviations(&m, &stream, n, truth, likelihood, closed);
        row[1] = root_mean_square(REPEATS, closed);
        row[2] = root_mean_square(REPEATS, likelihood);
        if (n <= 128) {
            status = ev_hermite_expect(1, n, block, &m, TERMS, rule, &evaluations);
            row[3] = fabs(rule[CLOSED].value - truth[CLOSED]);
            row[4] = fabs(rule[LIKELIHOOD].value - truth[LIKELIHOOD]);
        }
        ev_table_row(table, 5, row);
    }
    return status == EV_OK ? EV_OK : ev_error_set(error, status, "a quadrature failed");
}

const ev_series gmvae_closed_form_series[] = {
    {"estimate", "the bound from L draws minus its expectation: quantiles of 400 repetitions",
     "L [draws]\t5 % [nat]\t25 % [nat]\t50 % [nat]\t75 % [nat]\t95 % [nat]\tsigma/sqrt(L) [nat]",
     estimate},
    {"convergence", "error of the terms in closed form and of the decoder's, against evaluations",
     "evaluations\trms, terms in closed form [nat]\trms, decoder [nat]\t"
     "Gauss-Hermite, terms in closed form [nat]\tGauss-Hermite, decoder [nat]",
     convergence},
    {0}};
