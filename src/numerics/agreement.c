#include "numerics/agreement.h"

#include <float.h>
#include <math.h>

/* Claims this many times too small are not yet a contradiction. */
static const double contradiction = 30;

double ev_wanted_error(double relative, double value, double magnitude)
{
    return relative * fmax(fabs(value), 1e-3 * magnitude);
}

double ev_sentinel_deviation(const ev_candidates *c, int rule)
{
    double worst = 0;
    for (size_t k = c->functions; k <= c->functions + 2 * c->dim; k++) {
        double deviation = fabs(c->rule[rule][k].value - 1);
        worst = deviation <= worst ? worst : deviation;
    }
    return isfinite(worst) ? worst : HUGE_VAL;
}

bool ev_rule_fit(const ev_candidates *c, int rule)
{
    return c->ran[rule] && ev_sentinel_deviation(c, rule) <= fmax(1e-8, c->relative);
}

static bool knows_magnitude(int rule) { return rule == EV_HERMITE || rule == EV_TRAPEZOID; }

/* E|f| by the rules of the pair that know it, else by Gauss-Hermite; at least |value|. */
static double pair_magnitude(const ev_candidates *c, size_t k, int r, int s, double value)
{
    double magnitude = 0;
    if (knows_magnitude(r))
        magnitude = c->rule[r][k].magnitude;
    if (knows_magnitude(s))
        magnitude = fmax(magnitude, c->rule[s][k].magnitude);
    if (!knows_magnitude(r) && !knows_magnitude(s))
        magnitude = c->rule[EV_HERMITE][k].magnitude;
    return fmax(magnitude, fabs(value));
}

static bool adaptive(int rule) { return rule == EV_CUBATURE || rule == EV_KRONROD; }

/* The pair's value is that of rule r, which claims less; s confirms it.
 *   If r's claim is honest, that is the error.  If r is mistaken and s honest, the error is
 * at most their distance and s's own error.  The claims of Gauss-Hermite and the trapezoid
 * are those of a coarser rule, so for them no more than the distance is added again.
 *   The confirming rule may claim more than the request, for claims are cautious, but not
 * so much that its agreement could be chance: at most the geometric mean of the request
 * and E|f|. */
static ev_conclusion weigh_ordered(const ev_candidates *c, size_t k, int r, int s)
{
    ev_integral a = c->rule[r][k], b = c->rule[s][k];
    ev_conclusion w = {.rules = 1u << r | 1u << s, .values = {a.value, b.value}};
    double magnitude = pair_magnitude(c, k, r, s, a.value);
    double floor = c->rounding * DBL_EPSILON * magnitude;
    double wanted = ev_wanted_error(c->relative, a.value, magnitude);
    double distance = fabs(a.value - b.value);
    bool honest = adaptive(s) && b.error <= 0.5 * wanted;
    double confirmed = distance + (honest ? b.error : fmin(b.error, distance));
    w.integral = (ev_integral){a.value, fmax(fmax(confirmed, a.error), floor), magnitude};
    if (!(b.error <= sqrt(wanted * magnitude)))
        w.integral.error = fmax(w.integral.error, b.error);
    w.settlement = EV_UNSETTLED;
    if (w.integral.error <= wanted)
        w.settlement = EV_SETTLED;
    else if (a.error <= wanted && distance > contradiction * (a.error + b.error + floor))
        w.settlement = EV_CONTRADICTED;
    return w;
}

static ev_conclusion weigh(const ev_candidates *c, size_t k, int r, int s)
{
    bool ordered = c->rule[r][k].error <= c->rule[s][k].error;
    return ordered ? weigh_ordered(c, k, r, s) : weigh_ordered(c, k, s, r);
}

static bool speaks(const ev_candidates *c, int rule, size_t k)
{
    if (!c->ran[rule])
        return false;
    const ev_integral *i = &c->rule[rule][k];
    return ev_rule_fit(c, rule) && isfinite(i->value) && isfinite(i->error);
}

static bool better(const ev_conclusion *a, const ev_conclusion *b)
{
    if ((a->settlement == EV_SETTLED) != (b->settlement == EV_SETTLED))
        return a->settlement == EV_SETTLED;
    return a->integral.error < b->integral.error;
}

static size_t lesser(size_t a, size_t b) { return a < b ? a : b; }

/* A settled pair against every third rule that claims to be as good. */
static void hear_dissent(const ev_candidates *c, size_t k, int r, int s, ev_conclusion *w)
{
    double value = w->integral.value;
    double enough = ev_wanted_error(c->relative, value, w->integral.magnitude);
    for (int t = 0; t < EV_RULES; t++) {
        if (t == r || t == s || !speaks(c, t, k))
            continue;
        ev_integral other = c->rule[t][k];
        double distance = fabs(other.value - value);
        bool claims = other.error <=
                      fmax(enough, ev_wanted_error(c->relative, other.value, other.magnitude));
        if (!claims || distance <= enough + contradiction * (other.error + w->integral.error) ||
            c->points[t] < lesser(c->points[r], c->points[s]))
            continue;
        w->settlement = EV_CONTRADICTED;
        w->integral.error = distance;
        w->rules = 1u << r | 1u << t;
        w->values[0] = c->rule[r][k].value;
        w->values[1] = other.value;
    }
}

ev_conclusion ev_conclude(const ev_candidates *c, size_t k)
{
    const ev_conclusion nothing = {{(double)NAN, HUGE_VAL, (double)NAN}, EV_UNSETTLED, 0, {0, 0}};
    ev_conclusion best = nothing, quarrel = nothing;
    for (int r = 0; r < EV_RULES; r++) {
        if (!speaks(c, r, k))
            continue;
        if (best.rules == 0) { /* until a second one speaks, nothing confirms the first */
            best.integral = c->rule[r][k];
            best.integral.error = HUGE_VAL;
            best.rules = 1u << r;
        }
        for (int s = r + 1; s < EV_RULES; s++) {
            if (!speaks(c, s, k))
                continue;
            ev_conclusion w = weigh(c, k, r, s);
            if (w.settlement == EV_SETTLED)
                hear_dissent(c, k, r, s, &w);
            if (better(&w, &best))
                best = w;
            if (w.settlement == EV_CONTRADICTED)
                quarrel = w;
        }
    }
    if (best.settlement != EV_SETTLED && quarrel.settlement == EV_CONTRADICTED) {
        quarrel.integral.error = fmax(quarrel.integral.error, best.integral.error);
        return quarrel;
    }
    return best;
}

const char *ev_rules_name(unsigned rules)
{
    static const char *const names[1 << EV_RULES] = {
        "none",
        "hermite",
        "cubature",
        "hermite+cubature",
        "trapezoid",
        "hermite+trapezoid",
        "cubature+trapezoid",
        "hermite+cubature+trapezoid",
        "kronrod",
        "hermite+kronrod",
        "cubature+kronrod",
        "hermite+cubature+kronrod",
        "trapezoid+kronrod",
        "hermite+trapezoid+kronrod",
        "cubature+trapezoid+kronrod",
        "hermite+cubature+trapezoid+kronrod",
    };
    return names[rules & ((1u << EV_RULES) - 1)];
}
