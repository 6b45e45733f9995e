/* ev_normal_expect: expectations that no single rule is trusted with.
 *
 * 1. Gauss-Hermite rules of growing order, until two orders agree: the value's scale E|f|,
 *    and a first opinion.
 * 2. A radius for the rules on a finite box: the density times |f| on its faces must be
 *    negligible, or is charged to the claims of those rules; beyond it must fall.
 * 3. A second opinion.  In one dimension Cubature: its first panel alone is a net of
 *    nodes 0.07 apart over [-10, 10].  In more dimensions the trapezoidal rule comes
 *    first, because to nine digits Cubature's degree-7 panels need a hundred times the
 *    points of a lattice on smooth integrands.
 * 4. If two opinions don't agree within the request for every function: the rules not
 *    yet asked (trapezoidal, Cubature, GSL's adaptive rule in one dimension), with what
 *    is left of the evaluations.
 * 5. A function is settled when two rules agree within the request; see agreement.c.
 *
 * Limits.  A rule knows f at its nodes only.  On top of a smooth f there go unseen: in one
 * dimension a spike of sigma below 0.01, or mass further out than 50; in two dimensions a
 * spike of sigma below 0.1, in three 0.2, in four 0.3.  (Where f is the spike alone, its
 * relative variation gives it away when it is several times narrower.)  Off the axes nothing
 * beyond the box is looked at.  Sentinels show a bad rule, not a bad whitening of f.
 *    Claims are estimates: two rules that are wrong by the same amount, to within the
 * request, can't be told from two that are right. */
#include "numerics/agreement.h"
#include "numerics/evaluation.h"
#include "numerics/truncation.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ev_evaluation e;
    ev_candidates c;
    size_t max_evaluations;
    double radius, h, cut;
    ev_integral *memory;   /* one allocation: the rules' results and those of */
    ev_integral *previous; /* the Hermite rule before, (total) */
    double *truncation;    /* (total): what lies outside the radius */
    double *scale;         /* (total): 1/E|f|, for the adaptive rules */
} attempt;

static size_t evaluations_left(const attempt *a)
{
    return a->max_evaluations > a->e.evaluations ? a->max_evaluations - a->e.evaluations : 0;
}

static double wanted(const attempt *a, const ev_integral *i)
{
    return ev_wanted_error(a->c.relative, i->value, fmax(i->magnitude, fabs(i->value)));
}

/* Every function's claim of this rule is within the request. */
static bool claims_enough(const attempt *a, int rule)
{
    for (size_t k = 0; k < a->e.functions; k++)
        if (!(a->c.rule[rule][k].error <= wanted(a, &a->c.rule[rule][k])))
            return false;
    return true;
}

static bool settled(const attempt *a)
{
    for (size_t k = 0; k < a->e.functions; k++)
        if (ev_conclude(&a->c, k).settlement != EV_SETTLED)
            return false;
    return true;
}

/* ---- 1. Gauss-Hermite ---- */

static const size_t orders_on_a_line[] = {8, 16, 32, 64, 128, 0};
static const size_t orders_in_space[] = {8, 12, 16, 24, 32, 48, 64, 96, 0};

static double power(double base, size_t exponent)
{
    double product = 1;
    while (exponent-- > 0)
        product *= base;
    return product;
}

/* Some function was 0 at every node so far: on a line, where it is cheap, look further. */
static bool sees_nothing(const attempt *a)
{
    for (size_t k = 0; a->e.dim == 1 && k < a->e.functions; k++)
        if (!(a->c.rule[EV_HERMITE][k].magnitude > 0))
            return true;
    return false;
}

/* Each order's error is its distance from the order before. */
static ev_status climb_hermite(attempt *a)
{
    const size_t *order = a->e.dim == 1 ? orders_on_a_line : orders_in_space;
    ev_integral *current = a->c.rule[EV_HERMITE];
    double budget = 0.4 * (double)a->max_evaluations;
    for (size_t step = 0; order[step] != 0; step++) {
        if (step > 0 && power((double)order[step], a->e.dim) > budget - (double)a->e.evaluations)
            break;
        if (step > 0)
            memcpy(a->previous, current, a->e.total * sizeof *current);
        ev_status status = ev_hermite_run(&a->e, order[step], current);
        if (status != EV_OK)
            return status;
        for (size_t k = 0; k < a->e.total; k++)
            current[k].error = step == 0 ? HUGE_VAL : fabs(current[k].value - a->previous[k].value);
        a->c.ran[EV_HERMITE] = true;
        a->c.points[EV_HERMITE] = (size_t)power((double)order[step], a->e.dim);
        if (step > 0 && claims_enough(a, EV_HERMITE) && !sees_nothing(a))
            break;
    }
    for (size_t k = 0; k < a->e.total; k++) {
        double magnitude = current[k].magnitude;
        a->scale[k] = magnitude > 0x1p-900 && magnitude < 0x1p900 ? 1 / magnitude : 1;
    }
    return EV_OK;
}

/* ---- 2. The radius ---- */

/* A radius r is chosen because mass lies as far out as r - 7.  There the rounding of
 * a node is about epsilon (r - 7), and the logarithmic slope of f as large as r - 7. */
static ev_status choose_radius(attempt *a)
{
    static const double on_a_line[] = {10, 14, 20, 30, 0}, in_space[] = {8.5, 11, 15, 20, 0};
    const double *radius = a->e.dim == 1 ? on_a_line : in_space;
    for (;; radius++) {
        a->radius = *radius;
        a->c.rounding = 8 + (*radius - 7) * (*radius - 7);
        ev_status status = ev_face_mass(&a->e, *radius, a->truncation);
        if (status != EV_OK || radius[1] == 0)
            return status;
        bool enough = true;
        for (size_t k = 0; k < a->e.functions; k++)
            enough &= a->truncation[k] <= 1e-3 * wanted(a, &a->c.rule[EV_HERMITE][k]);
        if (enough)
            return EV_OK;
    }
}

static ev_status survey_outside(attempt *a)
{
    return ev_survey_outside(&a->e, a->radius, a->c.rule[EV_HERMITE], a->truncation);
}

static void charge_truncation(attempt *a, int rule, size_t points)
{
    a->c.ran[rule] = true;
    a->c.points[rule] = points;
    for (size_t k = 0; k < a->e.total; k++)
        a->c.rule[rule][k].error += a->truncation[k];
}

/* ---- 3. The other rules ---- */

/* No rule of this precision can do better than 5e-14 of E|f|: to ask more of the adaptive
 * libraries would only spend the budget. */
static double adaptive_relative(const attempt *a, double factor)
{
    return fmax(factor * a->c.relative, 5e-14);
}

static double adaptive_absolute(const attempt *a, double factor)
{
    return fmax(1e-3 * factor * a->c.relative, 5e-14);
}

/* The Hermite scale was too large or the library stopped at the absolute tolerance: take
 * the scale from the values just found.  True when that changes anything. */
static bool rescale(attempt *a)
{
    bool changed = false;
    for (size_t k = 0; k < a->e.functions; k++) {
        const ev_integral *i = &a->c.rule[EV_CUBATURE][k];
        double value = fabs(i->value);
        if (i->error <= a->c.relative * value || !(value > 0x1p-900 && value < 0x1p900))
            continue;
        if (value * a->scale[k] < 1e-3 && value > 1e-3 * a->c.rule[EV_HERMITE][k].magnitude) {
            a->scale[k] = 1 / value;
            changed = true;
        }
    }
    return changed;
}

/* The points of the library's first look at the integrand. */
static double first_panel(const attempt *a)
{
    static const double in_space[EV_QUADRATURE_MAX_DIM + 1] = {0, 0, 17, 33, 57};
    return a->e.dim == 1 ? 15 * (3.2 * a->radius + 3) : in_space[a->e.dim];
}

static ev_status ask_cubature_for(attempt *a, double factor)
{
    for (int pass = 0; pass < 2 && (double)evaluations_left(a) > first_panel(a); pass++) {
        size_t before = a->e.evaluations;
        ev_status status = ev_cubature_run(&a->e, a->radius, a->cut, adaptive_absolute(a, factor),
                                           adaptive_relative(a, factor), evaluations_left(a) / 2,
                                           a->scale, a->c.rule[EV_CUBATURE]);
        if (status != EV_OK)
            return status;
        charge_truncation(a, EV_CUBATURE, a->e.evaluations - before);
        if (!rescale(a))
            break;
    }
    return EV_OK;
}

/* In space the library claims errors hundreds of times too large, and each digit costs
 * dear: a loose claim is asked for first, which may be enough to confirm another rule. */
static ev_status ask_cubature(attempt *a)
{
    static const double factors[] = {300, 10, 0.5};
    if (a->e.dim == 1)
        return ask_cubature_for(a, 0.1);
    ev_status status = EV_OK;
    for (size_t i = 0; i < sizeof factors / sizeof *factors && status == EV_OK; i++)
        if (i == 0 || !settled(a))
            status = ask_cubature_for(a, factors[i]);
    return status;
}

/* Points of the lattice of step h in the ball of this radius. */
static double lattice_points(size_t dim, double radius, double h)
{
    static const double unit_ball[EV_QUADRATURE_MAX_DIM + 1] = {1, 2, 3.15, 4.19, 4.94};
    return unit_ball[dim] * power((radius + (dim > 1 ? 0.5 : 0)) / h, dim);
}

/* From the step where it stopped before, until it claims enough and, once another rule has
 * spoken against it, until that is settled. */
static ev_status refine_trapezoid(attempt *a)
{
    static const double first[EV_QUADRATURE_MAX_DIM + 1] = {0, 0.5, 0.25, 0.5, 0.75};
    static const double finest[EV_QUADRATURE_MAX_DIM + 1] = {0, 0x1p-8, 0x1p-6, 0.05, 0.1};
    double ratio = a->e.dim <= 2 ? 0.5 : 2.0 / 3.0, budget = 0.5 * (double)evaluations_left(a);
    double h = a->h == 0 ? first[a->e.dim] : a->h * ratio;
    for (; h >= finest[a->e.dim]; h *= ratio) {
        budget -= lattice_points(a->e.dim, a->radius, h);
        if (budget < 0)
            break;
        a->h = h;
        size_t before = a->e.evaluations;
        ev_status status = ev_trapezoid_run(&a->e, h, a->radius, a->c.rule[EV_TRAPEZOID]);
        if (status != EV_OK)
            return status;
        charge_truncation(a, EV_TRAPEZOID, a->e.evaluations - before);
        if (claims_enough(a, EV_TRAPEZOID) && (!a->c.ran[EV_CUBATURE] || settled(a)))
            break;
    }
    return EV_OK;
}

static ev_status ask_kronrod(attempt *a)
{
    size_t before = a->e.evaluations;
    ev_status status = ev_kronrod_run(&a->e, a->radius, adaptive_absolute(a, 0.1),
                                      adaptive_relative(a, 0.1), evaluations_left(a), a->scale,
                                      a->c.rule[EV_KRONROD]);
    if (status == EV_OK)
        charge_truncation(a, EV_KRONROD, (a->e.evaluations - before) / a->e.total);
    return status;
}

/* A jump in the gap between a panel's end and its last node is invisible to that panel, and
 * one position in ten falls into such a gap on the way down.  Other cuts move the gaps. */
static ev_status ask_cubature_again(attempt *a)
{
    a->cut = 0.2247448714;
    return ask_cubature(a);
}

/* ---- 4. All of it ---- */

/* Some function has mass beyond every box. */
static bool hopeless(const attempt *a)
{
    for (size_t k = 0; k < a->e.functions; k++)
        if (a->truncation[k] > DBL_MAX)
            return true;
    return false;
}

static ev_status ask_in_turn(attempt *a)
{
    typedef ev_status (*step)(attempt *);
    static const step on_a_line[] = {
        climb_hermite,    choose_radius, survey_outside,     ask_cubature,
        refine_trapezoid, ask_kronrod,   ask_cubature_again, NULL};
    static const step in_space[] = {
        climb_hermite,    choose_radius, survey_outside, refine_trapezoid, ask_cubature,
        refine_trapezoid, NULL};
    const size_t two_opinions = 4;
    const step *steps = a->e.dim == 1 ? on_a_line : in_space;
    for (size_t i = 0; steps[i] != NULL; i++) {
        if (i >= two_opinions && (settled(a) || hopeless(a) || evaluations_left(a) == 0))
            return EV_OK;
        ev_status status = steps[i](a);
        if (status != EV_OK)
            return status;
    }
    return EV_OK;
}

/* ---- 5. The report ---- */

static void report_nonfinite(const attempt *a, ev_integral *out, ev_quadrature_report *report)
{
    report->fit = false;
    report->rules = ev_rules_name(0);
    report->sentinel = (double)NAN;
    for (size_t k = 0; k < a->e.functions; k++)
        out[k] = (ev_integral){(double)NAN, HUGE_VAL, (double)NAN};
    const double *x = a->e.bad_point;
    char point[100];
    int used = 0;
    for (size_t d = 0; d < a->e.dim; d++)
        used += snprintf(point + used, sizeof point - (size_t)used, "%s%.6g", d == 0 ? "" : ", ",
                         x[d]);
    snprintf(report->reason, sizeof report->reason, "function %zu is not finite at x = (%s)",
             a->e.bad_function, point);
}

static void explain(const attempt *a, size_t k, const ev_conclusion *w,
                    ev_quadrature_report *report)
{
    if (a->truncation[k] > DBL_MAX)
        snprintf(report->reason, sizeof report->reason,
                 "function %zu: f times the density grows beyond |x| = %g: mass may lie there", k,
                 a->radius);
    else if (w->settlement == EV_CONTRADICTED)
        snprintf(report->reason, sizeof report->reason,
                 "function %zu: %s say %.10g and %.10g, far beyond what they claim", k,
                 ev_rules_name(w->rules), w->values[0], w->values[1]);
    else
        snprintf(report->reason, sizeof report->reason,
                 "function %zu: error %.1e is above the %.1e asked for after %zu evaluations", k,
                 w->integral.error, wanted(a, &w->integral), a->e.evaluations);
}

/* The largest deviation among the rules that were believed; false, with a reason, when a
 * rule vouches for sentinels that are off. */
static void report_sentinels(const attempt *a, unsigned believed, ev_quadrature_report *report)
{
    report->sentinel = 0;
    for (int r = 0; r < EV_RULES; r++) {
        if (!a->c.ran[r])
            continue;
        double deviation = ev_sentinel_deviation(&a->c, r);
        if (believed >> r & 1)
            report->sentinel = fmax(report->sentinel, deviation);
        if (ev_rule_fit(&a->c, r) || report->converged)
            continue;
        report->sentinel = fmax(report->sentinel, deviation);
        double claim = 0;
        for (size_t k = a->e.functions; k < a->e.total; k++)
            claim = fmax(claim, a->c.rule[r][k].error);
        if (!(deviation <= 10 * claim)) {
            report->fit = false;
            snprintf(report->reason, sizeof report->reason,
                     "%s: mass, mean or variance off by %.1e", ev_rules_name(1u << r), deviation);
        }
    }
}

static void report_results(const attempt *a, ev_integral *out, ev_quadrature_report *report)
{
    unsigned believed = 0;
    report->fit = report->converged = true;
    for (size_t k = 0; k < a->e.functions; k++) {
        ev_conclusion w = ev_conclude(&a->c, k);
        out[k] = w.integral;
        believed |= w.rules;
        if (w.settlement == EV_SETTLED)
            continue;
        if (report->converged || (report->fit && w.settlement == EV_CONTRADICTED))
            explain(a, k, &w, report);
        report->converged = false;
        report->fit &= w.settlement != EV_CONTRADICTED;
    }
    report->rules = ev_rules_name(believed);
    report_sentinels(a, believed, report);
}

static ev_status begin(attempt *a, size_t dim, ev_integrand f, void *context, size_t m,
                       const ev_quadrature_request *request)
{
    *a = (attempt){.max_evaluations = request->max_evaluations, .cut = 0.3819660113};
    ev_status status = ev_evaluation_begin(&a->e, dim, f, context, m);
    if (status != EV_OK)
        return status;
    size_t total = a->e.total;
    a->memory = malloc(total * ((EV_RULES + 1) * sizeof(ev_integral) + 2 * sizeof(double)));
    if (a->memory == NULL)
        return EV_NO_MEMORY;
    a->c.dim = dim;
    a->c.functions = m;
    a->c.relative = request->relative;
    for (int r = 0; r < EV_RULES; r++)
        a->c.rule[r] = a->memory + (size_t)r * total;
    a->previous = a->memory + EV_RULES * total;
    a->truncation = (double *)(void *)(a->previous + total);
    a->scale = a->truncation + total;
    return EV_OK;
}

/* dim 0: f itself, once. */
static ev_status evaluate_once(ev_integrand f, void *context, size_t m, ev_integral *out,
                               ev_quadrature_report *report)
{
    const double *const no_coordinates[1] = {NULL};
    double *values = calloc(m + 1, sizeof *values), **rows = calloc(m + 1, sizeof *rows);
    ev_status status = values == NULL || rows == NULL ? EV_NO_MEMORY : EV_OK;
    for (size_t k = 0; status == EV_OK && k < m; k++)
        rows[k] = values + k;
    if (status == EV_OK && f(context, 0, 1, no_coordinates, rows) != 0)
        status = EV_UNFIT;
    *report = (ev_quadrature_report){
        .evaluations = 1, .converged = true, .fit = true, .rules = "point"};
    for (size_t k = 0; status == EV_OK && k < m; k++) {
        double magnitude = fabs(values[k]);
        out[k] = (ev_integral){values[k], DBL_EPSILON * magnitude, magnitude};
        if (isfinite(values[k]))
            continue;
        out[k].error = HUGE_VAL;
        report->fit = report->converged = false;
        snprintf(report->reason, sizeof report->reason, "function %zu is not finite", k);
    }
    free(values);
    free(rows);
    return status;
}

ev_status ev_normal_expect(size_t dim, ev_integrand f, void *context, size_t m,
                           const ev_quadrature_request *request, ev_integral *out,
                           ev_quadrature_report *report)
{
    if (dim == 0)
        return evaluate_once(f, context, m, out, report);
    *report = (ev_quadrature_report){.rules = "none"};
    attempt a;
    ev_status status = begin(&a, dim, f, context, m, request);
    if (status == EV_OK)
        status = ask_in_turn(&a);
    report->evaluations = a.e.evaluations;
    if (status == EV_UNFIT && a.e.nonfinite) {
        status = EV_OK;
        report_nonfinite(&a, out, report);
    } else if (status == EV_OK) {
        report_results(&a, out, report);
    }
    free(a.memory);
    ev_evaluation_end(&a.e);
    return status;
}
