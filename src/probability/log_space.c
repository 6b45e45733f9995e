#include "probability/log_space.h"

#include <math.h>

/* The index of the largest entry, or of the first NaN; n > 0. */
static size_t top_of(size_t n, const double *a)
{
    size_t top = 0;
    for (size_t i = 0; i < n && !isnan(a[top]); i++)
        if (isnan(a[i]) || a[i] > a[top])
            top = i;
    return top;
}

/* log sum_i exp(a_i - a_top), finite a_top. */
static double log_excess(size_t n, const double *a, size_t top)
{
    double rest = 0.0;
    for (size_t i = 0; i < n; i++)
        rest += i == top ? 0.0 : exp(a[i] - a[top]);
    return log1p(rest);
}

double ev_log_sum_exp(size_t n, const double *a)
{
    if (n == 0)
        return -HUGE_VAL;
    const size_t top = top_of(n, a);
    return isfinite(a[top]) ? a[top] + log_excess(n, a, top) : a[top];
}

double ev_log_mean_exp(size_t n, const double *a)
{
    return n == 0 ? nan("") : ev_log_sum_exp(n, a) - log((double)n);
}

double ev_log_add_exp(double a, double b)
{
    const double pair[] = {a, b};
    return ev_log_sum_exp(2, pair);
}

double ev_log_one_minus_exp(double a) { return a > -EV_LOG_2 ? log(-expm1(a)) : log1p(-exp(a)); }

double ev_log_product(double a, double b)
{
    if (isnan(a) || isnan(b))
        return nan("");
    return a == -HUGE_VAL || b == -HUGE_VAL ? -HUGE_VAL : a + b;
}

void ev_log_softmax(size_t n, const double *a, double *out)
{
    if (n == 0)
        return;
    const size_t top = top_of(n, a);
    const double highest = a[top];
    if (highest == HUGE_VAL) {
        size_t infinite = 0;
        for (size_t i = 0; i < n; i++)
            infinite += a[i] == HUGE_VAL;
        for (size_t i = 0; i < n; i++)
            out[i] = a[i] == HUGE_VAL ? -log((double)infinite) : -HUGE_VAL;
        return;
    }
    /* Differences first: a common shift of any size costs no digits.  -HUGE_VAL less itself,
     * where there is no mass, is NaN. */
    const double excess = isfinite(highest) ? log_excess(n, a, top) : 0.0;
    for (size_t i = 0; i < n; i++)
        out[i] = a[i] - highest - excess;
}

void ev_log_each(size_t n, const double *p, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = log(p[i]);
}

double ev_softplus(double x) { return fmax(x, 0.0) + log1p(exp(-fabs(x))); }

double ev_softplus_inverse(double y)
{
    /* log(e^y - 1) = y + log(1 - e^-y), which can't overflow. */
    return y + ev_log_one_minus_exp(-y);
}

double ev_sigmoid(double x)
{
    if (x >= 0.0)
        return 1.0 / (1.0 + exp(-x));
    const double e = exp(x);
    return e / (1.0 + e);
}

double ev_log_sigmoid(double x) { return -ev_softplus(-x); }

double ev_logit(double p)
{
    /* Around 1/2 the two logarithms cancel; the odds minus one are exact there. */
    if (p > 0.25 && p < 0.75)
        return log1p((2.0 * p - 1.0) / (1.0 - p));
    return log(p) - log1p(-p);
}

double ev_xlogy(double x, double y) { return x == 0.0 && !isnan(y) ? 0.0 : x * log(y); }

double ev_xlog1py(double x, double y) { return x == 0.0 && !isnan(y) ? 0.0 : x * log1p(y); }

double ev_expm1_minus(double x)
{
    if (x == HUGE_VAL)
        return HUGE_VAL;
    if (!(fabs(x) < 0.5))
        return expm1(x) - x;
    double term = 0.5 * x * x, sum = 0.0;
    for (int n = 3; sum + term != sum; n++) {
        sum += term;
        term *= x / n;
    }
    return sum;
}

double ev_log1p_minus(double x)
{
    if (x == HUGE_VAL)
        return -HUGE_VAL;
    if (!(fabs(x) < 0.5))
        return log1p(x) - x;
    /* With t = x / (2 + x), log(1 + x) = 2 artanh t and x = 2t / (1 - t), so the
     * difference is -t x + 2 t^3 (1/3 + t^2/5 + t^4/7 + ...). */
    const double t = x / (2.0 + x);
    double power = 1.0, series = 0.0;
    for (int n = 3; series + power / n != series; n += 2) {
        series += power / n;
        power *= t * t;
    }
    return t * (2.0 * t * t * series - x);
}

double ev_kl_term(double q, double p)
{
    if (!(q >= 0.0 && p >= 0.0))
        return nan("");
    if (q == 0.0 || p == 0.0)
        return q == 0.0 ? p : HUGE_VAL;
    const double s = (q - p) / p;
    if (fabs(s) < 0.5) /* p ((1 + s) log(1 + s) - s) */
        return p * (s * s + (1.0 + s) * ev_log1p_minus(s));
    return q * (log(q) - log(p)) - q + p;
}

double ev_kl_term_log(double log_q, double log_p)
{
    if (isnan(log_q) || isnan(log_p))
        return nan("");
    if (log_q == -HUGE_VAL || log_p == -HUGE_VAL)
        return log_q == -HUGE_VAL ? exp(log_p) : HUGE_VAL;
    const double l = log_q - log_p;
    if (fabs(l) < 0.5) /* p (l e^l - e^l + 1) */
        return exp(log_p) * (l * expm1(l) - ev_expm1_minus(l));
    return exp(log_q) * (l - 1.0) + exp(log_p);
}
