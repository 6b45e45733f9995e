#include "judge/compare.h"

#include <float.h>
#include <math.h>

/* Argued for in the header. */
static const double safety = 4.0;

double ev_value_error(const ev_value *value)
{
    return value->rounding + value->quadrature + value->sampling;
}

ev_value ev_value_of(double value, double error)
{
    return (ev_value){
        .value = value, .quadrature = error, .magnitude = fabs(value), .fit = true, .domain = true};
}

/* Why a value can't be compared, or NULL. */
static const char *unfit(const ev_value *value)
{
    bool finite = isfinite(value->value) && isfinite(value->rounding) &&
                  isfinite(value->quadrature) && isfinite(value->sampling) &&
                  isfinite(value->magnitude);
    if (!value->domain)
        return value->reason[0] != '\0' ? value->reason : "the formula is not defined here";
    if (!value->fit)
        return value->reason[0] != '\0' ? value->reason : "a value was unfit";
    if (!finite)
        return "a value or its error is not finite";
    if (value->rounding < 0.0 || value->quadrature < 0.0 || value->sampling < 0.0)
        return "an error estimate is negative";
    return NULL;
}

/* By how much the relation fails; <= 0 when it holds. */
static double distance_of(ev_relation relation, double left, double right)
{
    switch (relation) {
    case EV_RELATION_LESS:
    case EV_RELATION_LESS_EQUAL: return left - right;
    case EV_RELATION_GREATER:
    case EV_RELATION_GREATER_EQUAL: return right - left;
    default: return fabs(left - right);
    }
}

static ev_outcome outcome_of(ev_relation relation, const ev_comparison *c)
{
    bool strict = relation == EV_RELATION_LESS || relation == EV_RELATION_GREATER;
    bool inequality = strict || relation == EV_RELATION_LESS_EQUAL ||
                      relation == EV_RELATION_GREATER_EQUAL;
    if (c->distance > safety * c->error)
        return EV_DIFFERS;
    if (strict && !(c->error > 0.0) && !(c->distance < 0.0))
        return EV_DIFFERS;
    if (inequality && c->distance < -c->error)
        return EV_AGREES;
    if (!strict && c->distance <= c->error && (c->error <= c->resolution * c->scale || c->blank))
        return EV_AGREES;
    return EV_UNRESOLVED;
}

static double digits_of(double distance, double error, double scale)
{
    double worst = fmax(distance, error);
    if (!(worst > 0.0))
        return 16.0;
    if (!(scale > 0.0))
        return 0.0;
    return fmin(fmax(-log10(worst / scale), 0.0), 16.0);
}

ev_comparison ev_compare(ev_relation relation, const ev_value *left, const ev_value *right,
                         ev_tolerance tolerance)
{
    ev_comparison c = {.outcome = EV_UNFIT_VALUES};
    bool sampled = ((left->methods | right->methods) & EV_METHOD_SAMPLING_ONLY) != 0;
    c.resolution = sampled ? tolerance.sampling_resolution : tolerance.resolution;
    c.reason = unfit(left);
    if (c.reason == NULL)
        c.reason = unfit(right);
    if (c.reason != NULL)
        return c;
    double magnitude = fmax(left->magnitude, right->magnitude);
    c.error = ev_value_error(left) + ev_value_error(right) + tolerance.slack * magnitude;
    c.scale = fmax(fmax(fabs(left->value), fabs(right->value)), 1e-3 * magnitude);
    c.distance = distance_of(relation, left->value, right->value);
    if (!isfinite(c.error) || !isfinite(c.distance)) {
        c.reason = "the sides or their errors are too large to be compared";
        return c;
    }
    double larger = fmax(fabs(left->value), fabs(right->value));
    c.zero = larger == 0 && ev_value_error(left) + ev_value_error(right) == 0;
    c.blank = !c.zero && larger <= fmax(c.error, DBL_MIN) && c.error <= 1e-20;
    c.outcome = outcome_of(relation, &c);
    bool equality = relation != EV_RELATION_LESS && relation != EV_RELATION_LESS_EQUAL &&
                    relation != EV_RELATION_GREATER && relation != EV_RELATION_GREATER_EQUAL;
    c.digits = c.blank ? 16.0 : digits_of(equality ? c.distance : 0.0, c.error, c.scale);
    return c;
}
