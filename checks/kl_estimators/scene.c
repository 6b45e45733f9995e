/* Scenes, averages and minimisers: scene.h. */
#include "scene.h"

#include "numerics/minimise.h"
#include "numerics/quadrature.h"
#include "probability/gaussian.h"
#include "probability/kl_estimators.h"
#include "probability/log_space.h"

#include <string.h>

double kl_log_p(const scene *s, double x)
{
    double log_joint[2];
    for (int k = 0; k < 2; k++)
        log_joint[k] = log(s->pi[k]) + ev_gaussian_scalar_log_density(x, s->mu[k], s->sigma[k]);
    return ev_log_add_exp(log_joint[0], log_joint[1]);
}

/* d log p/dx. */
double kl_score_p(const scene *s, double x)
{
    double total = kl_log_p(s, x), score = 0;
    for (int k = 0; k < 2; k++) {
        double log_joint = log(s->pi[k]) + ev_gaussian_scalar_log_density(x, s->mu[k], s->sigma[k]);
        score += exp(log_joint - total) * (s->mu[k] - x) / (s->sigma[k] * s->sigma[k]);
    }
    return score;
}

double kl_log_q(const double phi[2], double x)
{
    return ev_gaussian_scalar_log_density(x, phi[0], exp(phi[1]));
}

/* grad_phi log q(x). */
void kl_score_q(const double phi[2], double x, double score[2])
{
    double e = (x - phi[0]) * exp(-phi[1]);
    score[0] = e * exp(-phi[1]);
    score[1] = e * e - 1;
}

void kl_terms_under_q(const scene *s, double x, double *out)
{
    double lq = kl_log_q(s->phi, x), log_r = kl_log_p(s, x) - lq, r = exp(log_r), score[2];
    out[K1] = ev_kl_estimator_value(EV_KL_K1, log_r);
    out[K2] = ev_kl_estimator_value(EV_KL_K2, log_r);
    out[K3] = ev_kl_estimator_value(EV_KL_K3, log_r);
    out[OTHER] = r * log_r - (r - 1);
    out[WEIGHTED] = -r * lq;
    out[WEIGHTLESS] = -exp(log_r + lq) * lq;
    out[DENSITY] = exp(lq);
    kl_score_q(s->phi, x, score);
    for (int d = 0; d < 2; d++) {
        out[SCORE + d] = score[d];
        out[K1_SCORE + d] = out[K1] * score[d];
        out[K2_SCORE + d] = out[K2] * score[d];
        out[K3_SCORE + d] = out[K3] * score[d];
        out[K3_LOSS + d] = (1 - r) * score[d];
        out[DENSITY_SCORE + d] = out[DENSITY] * score[d];
        out[WEIGHTED_SCORE + d] = out[WEIGHTED] * score[d];
    }
}

void kl_terms_under_p(const scene *s, double x, double *out)
{
    double lp = kl_log_p(s, x), lq = kl_log_q(s->phi, x);
    out[CROSS] = -lq;
    out[SELF] = -lp;
    out[RATIO] = exp(lq - lp) * (lq - lp);
    kl_score_q(s->phi, x, out + P_SCORE);
    for (int d = 0; d < 2; d++)
        out[P_LOG_SCORE + d] = lq * out[P_SCORE + d];
}

int kl_average_block(void *context, size_t worker, size_t n, const double *const *e,
                     double *const *out)
{
    const average *a = context;
    double term[UNDER_Q];
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        a->terms(a->s, a->mean + a->width * e[0][i], term);
        for (size_t k = 0; k < a->m; k++)
            out[k][i] = term[k];
    }
    return 0;
}

/* Add weight times the averages, by GSL's adaptive rule, to value and error. */
void kl_add_quadrature(average *a, double weight, double *value, double *error)
{
    ev_integral found[UNDER_Q];
    size_t evaluations;
    ev_status status = ev_kronrod_expect(12, 1e-14, 1e-12, kl_average_block, a, a->m, found,
                                         &evaluations);
    for (size_t k = 0; k < a->m; k++) {
        value[k] += status == EV_OK ? weight * found[k].value : (double)NAN;
        error[k] += weight * (found[k].error + 1e-14);
    }
}

void kl_under_q(const scene *s, double value[UNDER_Q], double error[UNDER_Q])
{
    average a = {s, s->phi[0], exp(s->phi[1]), kl_terms_under_q, UNDER_Q};
    memset(value, 0, UNDER_Q * sizeof *value);
    memset(error, 0, UNDER_Q * sizeof *error);
    kl_add_quadrature(&a, 1, value, error);
}

void kl_under_p(const scene *s, double value[UNDER_P], double error[UNDER_P])
{
    memset(value, 0, UNDER_P * sizeof *value);
    memset(error, 0, UNDER_P * sizeof *error);
    for (int k = 0; k < 2; k++) {
        average a = {s, s->mu[k], s->sigma[k], kl_terms_under_p, UNDER_P};
        kl_add_quadrature(&a, s->pi[k], value, error);
    }
}

averages kl_take_averages(const scene *s)
{
    averages a = {.s = *s};
    kl_under_q(s, a.q, a.q_error);
    kl_under_p(s, a.p, a.p_error);
    a.reverse = a.q[K1];
    a.reverse_error = a.q_error[K1];
    a.forward = a.p[CROSS] - a.p[SELF];
    a.forward_error = a.p_error[CROSS] + a.p_error[SELF];
    for (int d = 0; d < 2; d++) {
        a.reverse_gradient[d] = a.q[K1_SCORE + d];
        a.forward_gradient[d] = -a.p[P_SCORE + d];
        a.gradient_error[d] = a.q_error[K1_SCORE + d] + a.p_error[P_SCORE + d];
    }
    return a;
}

void kl_fill_grid(reverse_problem *problem, const scene *s)
{
    const double h = 20.0 / (GRID - 1);
    problem->s = s;
    problem->n = GRID;
    for (int i = 0; i < GRID; i++) {
        problem->e[i] = -10 + h * i;
        problem->w[i] = h * exp(ev_gaussian_scalar_log_density(problem->e[i], 0, 1));
    }
}

void kl_fill_draws(reverse_problem *problem, const scene *s, const ev_stream *stream, size_t n)
{
    problem->s = s;
    problem->n = n;
    ev_stream_normals(stream, 0, n, problem->e);
    for (size_t i = 0; i < n; i++)
        problem->w[i] = 1 / (double)n;
}

/* sum_i w_i [log q - log p](g(e_i)) and its gradient; log q(g(e)) = -phi_2 - e^2/2 - log(2 pi)/2. */
static int reverse_objective(void *context, size_t n, const double *phi, double *value,
                             double *gradient)
{
    const reverse_problem *problem = context;
    double width = exp(phi[1]), sum = 0, slope[2] = {0, 0};
    (void)n;
    if (!(width > 1e-6 && width < 1e3))
        return 1;
    for (size_t i = 0; i < problem->n; i++) {
        double e = problem->e[i], x = phi[0] + width * e;
        sum += problem->w[i] * (-phi[1] - 0.5 * (e * e + EV_LOG_2PI) - kl_log_p(problem->s, x));
        if (gradient == NULL)
            continue;
        double push = -problem->w[i] * kl_score_p(problem->s, x);
        slope[0] += push;
        slope[1] += push * width * e - problem->w[i];
    }
    *value = sum;
    if (gradient != NULL)
        memcpy(gradient, slope, sizeof slope);
    return 0;
}

bool kl_minimise_reverse(reverse_problem *problem, double phi[2])
{
    double value, norm;
    phi[0] = problem->s->phi[0];
    phi[1] = problem->s->phi[1];
    return ev_minimise(reverse_objective, problem, 2, phi, 1e-9, 500, &value, &norm) == EV_OK;
}

/* The minimiser of KL(p||q): p's mean and the logarithm of its standard deviation. */
void kl_forward_minimiser(const scene *s, double phi[2])
{
    double second = 0;
    phi[0] = 0;
    for (int k = 0; k < 2; k++) {
        phi[0] += s->pi[k] * s->mu[k];
        second += s->pi[k] * (s->sigma[k] * s->sigma[k] + s->mu[k] * s->mu[k]);
    }
    phi[1] = 0.5 * log(second - phi[0] * phi[0]);
}
