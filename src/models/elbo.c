#include "models/elbo.h"

#include <math.h>

const char *const ev_elbo_term_names[EV_ELBO_TERMS] = {"reconstruction", "latent", "categorical",
                                                       "entropy"};

double ev_elbo_total(const ev_elbo *elbo)
{
    double sum = 0.0;
    for (size_t t = 0; t < EV_ELBO_TERMS; t++)
        sum += elbo->term[t];
    return sum;
}

ev_elbo_term ev_elbo_not_finite(const ev_elbo *elbo)
{
    size_t t = 0;
    while (t < EV_ELBO_TERMS && isfinite(elbo->term[t]))
        t++;
    return (ev_elbo_term)t;
}

ev_elbo ev_elbo_mean(size_t B, const float *terms)
{
    ev_elbo mean = {{0}};
    for (size_t b = 0; b < B; b++)
        for (size_t t = 0; t < EV_ELBO_TERMS; t++)
            mean.term[t] += (double)terms[b * EV_ELBO_TERMS + t];
    for (size_t t = 0; t < EV_ELBO_TERMS; t++)
        mean.term[t] /= (double)B;
    return mean;
}
