/* What the surveys say: how many stationary points, of which kind, where and how deep, with the
 * width free and with the width fixed. */
#include "landscape.h"
#include "numerics/minimise.h"

void mode_decide_stationary(ev_check *check, const surveys *all)
{
    bool five = true, two = false, always_three = true, maxima = false, outer = true;
    for (size_t i = 0; i < SEPARATIONS; i++) {
        const survey *s = &all->at[i];
        size_t minima = mode_count_index(s, 2), saddles = mode_count_index(s, 1);
        bool far = s->m > FOLD;
        five = five && s->count == (far ? 5u : 1u) && minima == (far ? 3u : 1u) &&
               saddles == (far ? 2u : 0u);
        two = two || minima == 2;
        always_three = always_three && minima == 3;
        maxima = maxima || mode_count_index(s, 0) > 0;
        for (size_t k = 0; k < s->count; k++)
            outer = outer && fabs(s->points[k].mu) < s->m && s->points[k].tau > 1;
    }
    const char *counts = ev_check_format(
        check,
        "%d separations from 0.3 to 8: one minimum up to 2.412, three minima and two saddles "
        "from 2.4125 on; %zu cells of the box excluded or resolved, %d descents each end in "
        "these minima and find all of them, the gradient turns once around (within %.0e)",
        SEPARATIONS, all->cells, 77, all->turned);
    const ev_alternative wrong[] = {{"one local minimum for every m/s", five, counts},
                                    {"three for every m/s", !always_three, counts}};
    const ev_alternative others[] = {
        {"two local minima for some m/s", !two, counts},
        {"the middle turns into a maximum or a saddle", five && !maxima, counts},
        {"some stationary q is narrower than a hump, or lies beyond one", outer, counts}};
    if (!mode_sound(all)) {
        ev_check_give_up(check, "mode-stationary", "the counts disagree or did not end");
        ev_check_give_up(check, "mode-two-minima", "the counts disagree or did not end");
        return;
    }
    ev_check_decide(check, "mode-two-minima", two, counts, 2, wrong);
    ev_check_prints(check, "mode-stationary", "for $m/s < %.9f$. Above that it has five", FOLD);
    ev_check_decide(check, "mode-stationary", five && !maxima && outer, counts, 3, others);
}

/* The slope in tau on the axis, over tau: it must rise through 0 once. */
void mode_decide_wide(ev_check *check, const surveys *all)
{
    bool one = !all->failed, minimum = true, rises = true;
    double worst = 0, flattest = HUGE_VAL;
    for (size_t i = 0; i < SEPARATIONS; i++) {
        const survey *s = &all->at[i];
        double last = -HUGE_VAL;
        size_t middle = 0;
        for (size_t k = 0; k < s->count; k++) {
            const point *p = &s->points[k];
            if (fabs(p->mu) > 1e-9)
                continue;
            landscape l = mode_raw(s->m, 0, p->tau);
            middle++;
            minimum = minimum && p->index == 2 && l.tau_tau > 0;
            worst = larger(worst, fabs(l.mu_mu * p->tau * p->tau - 1));
            flattest = smaller(flattest, l.mu_mu);
        }
        one = one && middle == 1;
        for (double tau = 0.6; tau < 10; tau *= 1.03) {
            double slope = mode_split(s->m, 0, tau).tau / tau;
            rises = rises && slope > last;
            last = slope;
        }
    }
    const char *curvature = ev_check_format(
        check, "the curvature in mu is 1/tau^2 to %.1e by the other rule, never below %.4f", worst,
        flattest);
    const ev_alternative others[] = {
        {"it is a maximum in mu once p has two modes, m > s", minimum, curvature},
        {"it becomes a saddle where the outer minima appear", minimum && flattest > 0.01,
         curvature},
        {"narrow and wide stationary points share the axis", one && rises,
         "one for each separation, the slope over tau rising from 0.6 to 10"}};
    ev_check_decide(
        check, "mode-wide-always", one && minimum && rises && worst < 1e-9,
        ev_check_format(check, "%d separations: one each, a minimum; %s", SEPARATIONS, curvature),
        3, others);
}

typedef struct {
    rule at;
    double tau;
} bend;

static double middle_bend(void *context, double m)
{
    const bend *of = context;
    return of->at(m, 0, of->tau).mu_mu;
}

void mode_decide_fixed_width(ev_check *check)
{
    double worst = 0, low[WIDTHS];
    bool right = true, ended = true, maximum = true, equal = true;
    for (size_t k = 0; k < WIDTHS; k++) {
        bend one = {mode_split, WIDTH[k].tau}, two = {mode_raw, WIDTH[k].tau};
        double by_split = 0, by_raw = 0;
        ended = ended && ev_root(middle_bend, &one, 0.5, 9, 1e-14, &by_split) == EV_OK &&
                ev_root(middle_bend, &two, 0.5, 9, 1e-14, &by_raw) == EV_OK;
        worst = larger(worst, fmax(fabs(by_split - WIDTH[k].m), fabs(by_raw - WIDTH[k].m)));
        low[k] = by_split;
        for (size_t i = 0; i < SEPARATIONS; i++) {
            survey s = mode_survey_fixed(SEPARATION[i], WIDTH[k].tau);
            bool far = s.m > WIDTH[k].m, middle;
            size_t places;
            (void)mode_least_value(&s, &places, &middle);
            ended = ended && !s.failed;
            right = right && s.count == (far ? 3u : 1u) &&
                    mode_count_index(&s, 2) == (far ? 2u : 1u);
            maximum = maximum && mode_count_index(&s, 0) == (far ? 1u : 0u);
            equal = equal && places == (far ? 2u : 1u) && middle == !far;
        }
    }
    const char *values = ev_check_format(check,
                                         "m/s = %.10f, %.10f, %.10f, %.10f for tau/s = 1, 1/2, "
                                         "2, 4, both rules within %.1e of the stated values",
                                         low[0], low[1], low[2], low[3], worst);
    const ev_alternative others[] = {
        {"two minima as soon as p has two modes", right && low[0] > 1.01, values},
        {"the middle stays a minimum, as with the width free", maximum && right, values},
        {"the place of the change does not depend on the width", low[2] - low[1] > 0.1, values}};
    if (!ended) {
        ev_check_give_up(check, "mode-fixed-width", "a survey did not end");
        return;
    }
    for (size_t k = 0; k < WIDTHS; k++)
        ev_check_prints(check, "mode-fixed-width", "%.9f$%s", WIDTH[k].m,
                        k == 0 ? ", and above" : " for $\\tau");
    ev_check_decide(check, "mode-fixed-width", right && maximum && equal && worst < TENTH_DIGIT,
                    values, 3, others);
}
