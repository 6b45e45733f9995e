/* Running error analysis, an operation at a time.
 *
 * For f(a, b) with errors s = e_a, t = e_b (sums over the kinds), the bound of each kind is
 *     A e_a + B e_b,   A >= sup |df/da|, B >= sup |df/db| over the box a +- s, b +- t,
 * so a kind's share is proportional to what it brought in, and the sum over the kinds bounds the
 * whole.  The suprema are written out per operation below ("slopes"). */
#include "formula/number.h"

#include <float.h>
#include <math.h>

ev_number ev_number_exact(double value)
{
    return (ev_number){.value = value, .magnitude = fabs(value)};
}

double ev_number_total_error(const ev_number *a)
{
    return a->error[EV_ERROR_ROUNDING] + a->error[EV_ERROR_QUADRATURE] +
           a->error[EV_ERROR_SAMPLING];
}

static double sigmoid(double x)
{
    double e = exp(-fabs(x));
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

static double log_add_exp(double a, double b)
{
    double high = a > b ? a : b, low = a > b ? b : a;
    if (low == -HUGE_VAL || high == HUGE_VAL)
        return isnan(a) || isnan(b) ? a + b : high;
    return high + log1p(exp(low - high));
}

static double product(double a, double b)
{
    if ((a == 0 && b == -HUGE_VAL) || (b == 0 && a == -HUGE_VAL))
        return 0;
    return a * b;
}

bool ev_number_is_small_power(double b) { return b >= 2 && b <= 16 && (double)(int)b == b; }

static double power(double a, double b)
{
    if (!ev_number_is_small_power(b))
        return pow(a, b);
    unsigned n = (unsigned)b, bit = 16;
    while (bit > n)
        bit /= 2;
    double y = a;
    while ((bit /= 2) != 0)
        y = n & bit ? y * y * a : y * y;
    return y;
}

double ev_number_value(ev_op op, double a, double b)
{
    switch (op) {
    case EV_OP_ADD: return a + b;
    case EV_OP_SUB: return a - b;
    case EV_OP_MUL: return product(a, b);
    case EV_OP_DIV: return a / b;
    case EV_OP_NEG: return -a;
    case EV_OP_POW: return power(a, b);
    case EV_OP_EXP: return exp(a);
    case EV_OP_LOG: return log(a);
    case EV_OP_SQRT: return sqrt(a);
    case EV_OP_TANH: return tanh(a);
    case EV_OP_SIN: return sin(a);
    case EV_OP_COS: return cos(a);
    case EV_OP_SIGMOID: return sigmoid(a);
    case EV_OP_SOFTPLUS: return fmax(a, 0) + log1p(exp(-fabs(a)));
    case EV_OP_ABS: return fabs(a);
    case EV_OP_MAX: return isnan(a) || isnan(b) ? a + b : fmax(a, b);
    case EV_OP_MIN: return isnan(a) || isnan(b) ? a + b : fmin(a, b);
    case EV_OP_STEP: return isnan(a) ? a : a > 0;
    case EV_OP_HOLD: return a;
    case EV_OP_XLOGY: return a == 0 ? 0 : a * log(b);
    case EV_OP_LOG_ADD_EXP: return log_add_exp(a, b);
    default: return (double)NAN;
    }
}

/* The slopes A and B, the rounding of the operation itself, and the magnitude. */
typedef struct {
    double a, b, rounding, magnitude;
} slopes;

/* An error that reaches a singularity is unbounded; no error is no error. */
static double unless_exact(double error, double slope) { return error == 0 ? 0 : slope; }

/* sup |1/x| over x +- e, and the same over sup of |f(x +- e) - f(x)| / e for log: both are
 * at most 1/(|x| - e). */
static double reciprocal(double x, double e)
{
    double gap = fabs(x) - e;
    return gap > 0 ? 1 / gap : unless_exact(e, HUGE_VAL);
}

/* (e^t - 1)/t <= 1 + t for t <= 1. */
static double growth(double t) { return t <= 1 ? 1 + t : expm1(t) / t; }

static double at_most_one(double slope) { return slope < 1 ? slope : 1; }

/* Whole b >= 1, known exactly: b |x|^(b-1), the slope's size, grows with |x| and is largest at the far
 * end of the box, at |a| + s.  By the mean value theorem no number of the box has a power that is
 * farther from a^b than s times that, whether or not the box holds 0.
 * Otherwise, 0 being outside the box: |v| times the growth of b log a, where A is sup |b/a| and B
 * is sup |log a|. */
static slopes pow_slopes(double a, double b, double v, double s, double t)
{
    /* So many products at most, each of them squared with what came before. */
    const double rounding = ev_number_is_small_power(b) ? b - 1 : 4;
    const bool whole = t == 0 && b >= 1 && floor(b) == b;
    if (whole)
        return (slopes){unless_exact(s, b * pow(fabs(a) + s, b - 1)), 0, rounding, fabs(v)};
    if (s > 0 && fabs(a) <= s) /* a may be 0 */
        return (slopes){HUGE_VAL, HUGE_VAL, rounding, fabs(v)};
    double reach = reciprocal(a, s);
    double slope_a = unless_exact(s, (fabs(b) + t) * reach);
    double slope_b = unless_exact(t, fabs(log(fabs(a))) + s * reach);
    double scale = fabs(v) * growth(slope_a * s + slope_b * t);
    return (slopes){unless_exact(s, scale * slope_a), unless_exact(t, scale * slope_b), rounding,
                    fabs(v)};
}

static slopes xlogy_slopes(double a, double b, double v, double s, double t)
{
    if (a == 0 && s == 0)
        return (slopes){0, 0, 0, 0};
    double reach = reciprocal(b, t);
    return (slopes){unless_exact(s, fabs(log(b)) + t * reach), unless_exact(t, fabs(a) * reach), 4,
                    fmax(fabs(v), fabs(a))};
}

static slopes log_add_exp_slopes(double a, double b, double v, double s, double t)
{
    /* The weights are sigmoids of the difference; those have slope at most 1/4. */
    double weight = a == b ? 0.5 : sigmoid(a - b), change = (s + t) / 4;
    if (a == -HUGE_VAL || b == -HUGE_VAL)
        return (slopes){unless_exact(s, a > b ? 1 : 0), unless_exact(t, b > a ? 1 : 0), 0, fabs(v)};
    /* 4 u absolute: log(1 + e^-d) <= log 2 is rounded before it may cancel against max(a, b). */
    return (slopes){at_most_one(weight + change), at_most_one(1 - weight + change),
                    v == 0 ? 0 : 4 + 4 / fabs(v), fmax(fabs(v), 1)};
}

/* The larger (sign = 1) or the smaller (-1): its own slope is 1, and the other's too when the errors
 * don't tell them apart. */
static slopes choice_slopes(double a, double b, double sign, double s, double t, const ev_number *x,
                            const ev_number *y)
{
    double lead = sign * (a - b);
    return (slopes){lead >= -(s + t), lead <= s + t, 0, fmax(x->magnitude, y->magnitude)};
}

static slopes softened(double slope, double curvature, double s, double rounding, double v)
{
    return (slopes){at_most_one(slope + curvature * s), 0, rounding, fabs(v)};
}

static slopes find_slopes(ev_op op, const ev_number *x, const ev_number *y, double v)
{
    const double a = x->value, b = y->value;
    const double s = ev_number_total_error(x), t = ev_number_total_error(y);
    double w;
    switch (op) {
    case EV_OP_ADD:
    case EV_OP_SUB: return (slopes){1, 1, 1, x->magnitude + y->magnitude};
    case EV_OP_NEG: return (slopes){1, 0, 0, x->magnitude};
    case EV_OP_MUL: /* the product of the errors is shared out between them */
        return (slopes){unless_exact(s, fabs(b) + t / 2), unless_exact(t, fabs(a) + s / 2), 1,
                        x == y ? fabs(v) : product(x->magnitude, y->magnitude)};
    case EV_OP_DIV:
        w = reciprocal(b, t);
        return (slopes){unless_exact(s, w), unless_exact(t, fabs(v) * w), 1,
                        x->magnitude / fabs(b)};
    case EV_OP_POW: return pow_slopes(a, b, v, s, t);
    case EV_OP_EXP: return (slopes){fabs(v) * growth(s), 0, 4, fabs(v)};
    case EV_OP_LOG: /* near 1 its scale is a d(log a)/da = 1, not its value */
        return (slopes){reciprocal(a, s), 0, 4, fmax(fabs(v), 1)};
    case EV_OP_SQRT: /* 1/(2 sqrt(a)) (1 + s/a) while s < a; then sqrt(a + s) / s */
        w = s < a ? (1 + s / a) / (2 * v) : unless_exact(s, sqrt(a + s) / s);
        return (slopes){w, 0, 1, fabs(v)};
    case EV_OP_TANH: return softened((1 - v) * (1 + v), 0.77, s, 4, v);
    case EV_OP_SIN: return softened(fabs(cos(a)), 1, s, 4, v);
    case EV_OP_COS: return softened(fabs(sin(a)), 1, s, 4, v);
    case EV_OP_SIGMOID: return softened(v * (1 - v), 0.1, s, 6, v);
    case EV_OP_SOFTPLUS: return softened(sigmoid(a), 0.25, s, 6, v);
    case EV_OP_ABS:
    case EV_OP_HOLD: return (slopes){1, 0, 0, x->magnitude};
    case EV_OP_MAX: return choice_slopes(a, b, 1, s, t, x, y);
    case EV_OP_MIN: return choice_slopes(a, b, -1, s, t, x, y);
    case EV_OP_STEP: return (slopes){fabs(a) > s || s == 0 ? 0 : 1 / s, 0, 0, fabs(v)};
    case EV_OP_XLOGY: return xlogy_slopes(a, b, v, s, t);
    case EV_OP_LOG_ADD_EXP: return log_add_exp_slopes(a, b, v, s, t);
    default: return (slopes){0, 0, 0, fabs(v)};
    }
}

/* Is a result of 0 a small number that has underflowed? */
static bool underflows(ev_op op, double a, double b)
{
    switch (op) {
    case EV_OP_EXP:
    case EV_OP_SIGMOID:
    case EV_OP_SOFTPLUS: return a > -HUGE_VAL;
    case EV_OP_MUL: return a != 0 && b != 0;
    case EV_OP_DIV:
    case EV_OP_POW: return a != 0 && isfinite(a) && isfinite(b);
    default: return false;
    }
}

/* Below the smallest normal number a rounding is a share of the spacing there, 2^-1074, and no longer
 * of the value.  Sums are exact there (their slopes' share of the value is more than they lose). */
static double quantum(ev_op op, double a, double b, double v)
{
    return fabs(v) < DBL_MIN && (v != 0 || underflows(op, a, b)) ? 0x1p-1074 : 0;
}

/* slope * error, where an unbounded slope meets no error of this kind: nothing. */
static double share(double slope, double error) { return error == 0 ? 0 : slope * error; }

void ev_number_apply(ev_op op, const ev_number *a, const ev_number *b, ev_number *out)
{
    ev_number result;
    result.value = ev_number_value(op, a->value, b->value);
    slopes slope = find_slopes(op, a, b, result.value);
    result.magnitude = slope.magnitude;
    for (int kind = 0; kind < EV_ERROR_KINDS; kind++)
        result.error[kind] = share(slope.a, a->error[kind]) + share(slope.b, b->error[kind]);
    if (isfinite(result.value))
        result.error[EV_ERROR_ROUNDING] += slope.rounding *
                                           fmax(EV_UNIT_ROUNDOFF * fabs(result.value),
                                                quantum(op, a->value, b->value, result.value));
    *out = result;
}
