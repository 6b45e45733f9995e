#include "probability/bernoulli.h"

#include "probability/log_space.h"

#include <math.h>

/* weight * value, where a weight of 0 silences even an infinite value. */
static double weigh(double weight, double value)
{
    return weight == 0.0 && !isnan(value) ? 0.0 : weight * value;
}

double ev_bernoulli_cross_entropy(size_t D, const double *q, const double *p)
{
    double sum = 0.0;
    for (size_t i = 0; i < D; i++)
        sum += ev_xlogy(q[i], p[i]) + ev_xlog1py(1.0 - q[i], -p[i]);
    return sum;
}

double ev_bernoulli_cross_entropy_logit(size_t D, const double *logit_q, const double *logit_p)
{
    double sum = 0.0;
    for (size_t i = 0; i < D; i++)
        sum += weigh(ev_sigmoid(logit_q[i]), ev_log_sigmoid(logit_p[i])) +
               weigh(ev_sigmoid(-logit_q[i]), ev_log_sigmoid(-logit_p[i]));
    return sum;
}

double ev_bernoulli_log_mass(size_t D, const double *x, const double *p)
{
    /* A certain q: its cross-entropy is the log mass of the one x it allows. */
    return ev_bernoulli_cross_entropy(D, x, p);
}

double ev_bernoulli_log_mass_logit(size_t D, const double *x, const double *logit)
{
    double sum = 0.0;
    for (size_t i = 0; i < D; i++)
        sum += weigh(x[i], ev_log_sigmoid(logit[i])) + weigh(1.0 - x[i], ev_log_sigmoid(-logit[i]));
    return sum;
}

double ev_bernoulli_entropy(size_t D, const double *p)
{
    return fabs(ev_bernoulli_cross_entropy(D, p, p));
}

double ev_bernoulli_entropy_logit(size_t D, const double *logit)
{
    return fabs(ev_bernoulli_cross_entropy_logit(D, logit, logit));
}

/* ev_kl_term of neighbours from step = q - p, which for 1-q and 1-p is the same number
 * negated, though their own difference has been rounded. */
static double kl_step(double q, double p, double step)
{
    const double s = step / p;
    return fabs(s) < 0.5 ? p * (s * s + (1.0 + s) * ev_log1p_minus(s)) : ev_kl_term(q, p);
}

double ev_bernoulli_kl(size_t D, const double *q, const double *p)
{
    double sum = 0.0;
    for (size_t i = 0; i < D; i++)
        sum += kl_step(q[i], p[i], q[i] - p[i]) + kl_step(1.0 - q[i], 1.0 - p[i], p[i] - q[i]);
    return sum;
}

double ev_bernoulli_kl_logit(size_t D, const double *logit_q, const double *logit_p)
{
    double sum = 0.0;
    for (size_t i = 0; i < D; i++)
        sum += ev_kl_term_log(ev_log_sigmoid(logit_q[i]), ev_log_sigmoid(logit_p[i])) +
               ev_kl_term_log(ev_log_sigmoid(-logit_q[i]), ev_log_sigmoid(-logit_p[i]));
    return sum;
}

void ev_bernoulli_sample(const ev_stream *stream, uint64_t offset, size_t n, size_t D,
                         const double *p, double *x)
{
    ev_stream_uniforms(stream, offset * D, n * D, x);
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < D; d++)
            x[i * D + d] = x[i * D + d] < p[d] ? 1.0 : 0.0;
}

void ev_bernoulli_sample_logit(const ev_stream *stream, uint64_t offset, size_t n, size_t D,
                               const double *logit, double *x)
{
    ev_stream_uniforms(stream, offset * D, n * D, x);
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < D; d++)
            x[i * D + d] = x[i * D + d] < ev_sigmoid(logit[d]) ? 1.0 : 0.0;
}
