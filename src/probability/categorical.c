#include "probability/categorical.h"

#include "probability/log_space.h"

#include <math.h>

double ev_categorical_log_mass(size_t K, size_t c, const double *log_pi)
{
    return c < K ? log_pi[c] : -HUGE_VAL;
}

double ev_categorical_cross_entropy(size_t K, const double *log_q, const double *log_p)
{
    double sum = 0.0;
    for (size_t c = 0; c < K; c++)
        if (log_q[c] != -HUGE_VAL)
            sum += log_p[c] == -HUGE_VAL ? -HUGE_VAL : exp(log_q[c]) * log_p[c];
    return sum;
}

double ev_categorical_entropy(size_t K, const double *log_q)
{
    return fmax(0.0, -ev_categorical_cross_entropy(K, log_q, log_q));
}

double ev_categorical_kl(size_t K, const double *log_q, const double *log_p)
{
    double sum = 0.0;
    for (size_t c = 0; c < K; c++)
        sum += ev_kl_term_log(log_q[c], log_p[c]);
    return sum;
}

static size_t invert(size_t K, const double *log_pi, double u)
{
    double cumulative = 0.0;
    size_t last = 0; /* for a u beyond the rounded total */
    for (size_t c = 0; c < K; c++) {
        if (log_pi[c] == -HUGE_VAL)
            continue;
        last = c;
        cumulative += exp(log_pi[c]);
        if (u < cumulative)
            break;
    }
    return last;
}

void ev_categorical_sample(const ev_stream *stream, uint64_t offset, size_t n, size_t K,
                           const double *log_pi, size_t *c)
{
    double u[256];
    for (size_t done = 0; done < n;) {
        const size_t block = n - done < 256 ? n - done : 256;
        ev_stream_uniforms(stream, offset + done, block, u);
        for (size_t i = 0; i < block; i++)
            c[done + i] = invert(K, log_pi, u[i]);
        done += block;
    }
}
