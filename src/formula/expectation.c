/* One batch of EXPECTs at one point, by all voices.
 *
 *  1. Nested expectations get the Gauss-Hermite order at which the next lower one agrees.
 *  2. ev_normal_expect integrates the batch as one vector; if that does not converge for all, each
 *     member alone.
 *  3. A survey of the body adds the rounding errors of the body and the errors of the scalars it
 *     reads.
 *  4. Monte Carlo, on a stream of the member's own, must not contradict; it speaks alone where
 *     quadrature can't.
 *
 * Where the program has a meter, the batch has a share of it, and each request gets a part of what
 * is left of the share: points, orders and draws are fewer then, and their errors larger. */
#include "formula/program_internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef ev_setting setting;

static void unfit(expectation *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void unfit(expectation *e, const char *format, ...)
{
    if (!e->fit)
        return;
    e->fit = false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(e->reason, sizeof e->reason, format, arguments);
    va_end(arguments);
}

static ev_number *number_of(const setting *s, const expectation *e)
{
    return &s->program->numbers[e->number];
}

static void begin(const setting *s, expectation *e)
{
    e->fit = e->domain = true;
    e->methods = EV_METHOD_CLOSED;
    e->evaluations = e->samples = e->comparisons = 0;
    e->sentinel = 0;
    e->p_value = (double)NAN;
    e->reason[0] = '\0';
    *number_of(s, e) = ev_number_exact((double)NAN);
    for (size_t i = 0; i < e->tape->scalars; i++)
        if (isnan(s->program->numbers[e->tape->scalar_numbers[i]].value)) {
            e->domain = false;
            unfit(e, "not finite: a value that an expectation depends on");
        }
    if (e->tape->loop_dim > EV_QUADRATURE_MAX_DIM)
        unfit(e, "a nested expectation has %zu coordinates, more than %d", e->tape->loop_dim,
              (int)EV_QUADRATURE_MAX_DIM);
}

static void spent(expectation *e) { unfit(e, "the budget of operations was spent"); }

static ev_stream stream_of(const setting *s, const expectation *e)
{
    const ev_stream none = {{0, 0}, {0, 0}};
    if (s->stream == NULL)
        return none;
    return ev_stream_child(s->stream, (uint32_t)(e - s->program->expectations));
}

static bool can_integrate(const setting *s, const ev_tape *tape)
{
    return tape->dim <= s->effort->max_dim && tape->dim <= EV_QUADRATURE_MAX_DIM;
}

/* ---- 3. what the body itself brings in ---- */

/* Errors of the survey onto those of the rule.  Where the coarse grid has missed part of E|f|, its
 * bounds are raised in that proportion; the rounding bound is doubled besides.  16 u E|f| is for the
 * rule's sum (a few hundred terms err like the square root of their number). */
static ev_status add_survey(const setting *s, expectation *e)
{
    const ev_stream own = stream_of(s, e), draws = ev_stream_child(&own, 1);
    ev_number *v = number_of(s, e);
    ev_survey survey;
    ev_status status = ev_survey_body(s, e->tape, &draws, &survey);
    if (status != EV_OK)
        return status;
    if (!survey.afforded)
        spent(e);
    if (survey.fault.op != EV_OP_NONE && !e->fit) {
        char what[80];
        ev_fault_describe(&survey.fault, sizeof what, what);
        e->domain = false;
        snprintf(e->reason, sizeof e->reason, "not finite: %s", what);
    }
    const double missed = v->magnitude > survey.magnitude && survey.magnitude > 0
                              ? v->magnitude / survey.magnitude
                              : 1;
    v->error[EV_ERROR_ROUNDING] += 2 * missed * survey.error[EV_ERROR_ROUNDING] +
                                   16 * EV_UNIT_ROUNDOFF * v->magnitude;
    v->error[EV_ERROR_QUADRATURE] += missed * survey.error[EV_ERROR_QUADRATURE];
    v->error[EV_ERROR_SAMPLING] += missed * survey.error[EV_ERROR_SAMPLING];
    return EV_OK;
}

/* ---- 4. sampling ---- */

static ev_status draw(const setting *s, expectation *e, uint64_t samples, ev_sample_summary *out)
{
    const ev_stream own = stream_of(s, e), draws = ev_stream_child(&own, 0);
    size_t threads = s->effort->threads == 0 ? 1 : s->effort->threads;
    if (!ev_tape_reserve(e->tape, threads))
        return EV_NO_MEMORY;
    e->samples += samples;
    ev_setting_charge(s, e->tape, samples);
    return ev_monte_carlo_expect(e->tape->dim, ev_tape_run, e->tape, 1, &draws, samples, threads,
                                 out);
}

/* The voice beside quadrature: silent where the tail is heavy, where the budget pays for a few draws
 * only, and where all draws were alike: they may have missed the place where the integrand is not, and
 * tell nothing of its spread. */
static ev_status hear_sampling(const setting *s, expectation *e)
{
    enum { FEWEST = 256 };
    ev_sample_summary sample;
    const uint64_t samples = ev_setting_ration(s, e->tape, s->effort->samples, 1);
    if (samples == 0 || (samples < FEWEST && samples < s->effort->samples))
        return EV_OK;
    ev_status status = draw(s, e, samples, &sample);
    if (status != EV_OK)
        return status;
    const ev_number *v = number_of(s, e);
    if (!isfinite(sample.mean)) {
        unfit(e, "sampling met a value that is not finite");
        return EV_OK;
    }
    double width = ev_sample_half_width(&sample, s->effort->alpha);
    if (!isfinite(width) || !(sample.variance > 0.0))
        return EV_OK;
    e->methods |= EV_METHOD_MONTE_CARLO;
    e->comparisons++;
    double allowed = width + ev_number_total_error(v) + 64 * EV_UNIT_ROUNDOFF * sample.magnitude;
    /* Where the errors of the sum are of the spread's own size, sampling tells nothing of it. */
    if (100 * (allowed - width) < sample.standard_error)
        e->p_value = ev_sample_p_value(&sample, v->value);
    if (!(fabs(sample.mean - v->value) <= allowed))
        unfit(e, "sampling contradicts quadrature: %.8g +- %.1e and %.8g", sample.mean, width,
              v->value);
    return EV_OK;
}

static void accept_sample(const setting *s, expectation *e, const ev_sample_summary *sample,
                          double width)
{
    ev_number *v = number_of(s, e);
    e->methods |= EV_METHOD_MONTE_CARLO | EV_METHOD_SAMPLING_ONLY;
    if (!isfinite(sample->mean)) {
        unfit(e, "sampling met a value that is not finite");
        return;
    }
    e->comparisons++;
    *v = (ev_number){.value = sample->mean, .magnitude = sample->magnitude};
    v->error[EV_ERROR_SAMPLING] = width;
    if (!isfinite(width))
        unfit(e, "heavy tail: k = %.2f", sample->khat);
    else if (!(sample->variance > 0.0)) /* a rare event may be what it is about */
        unfit(e, "every draw is the same: sampling alone can't tell its error");
}

/* More draws up to the limit would not do: the tail has hardly a mean, or the interval, which shrinks
 * as their square root, would still be twice too wide. */
static bool is_hopeless(const ev_sample_summary *sample, double width, double wanted,
                        uint64_t max_samples)
{
    if (sample->samples < (1u << 16))
        return false;
    double at_best = width * sqrt((double)sample->samples / (double)max_samples);
    return sample->khat > 0.9 || (isfinite(width) && at_best > 2 * wanted);
}

/* The only voice: more and more draws until the interval is short enough. */
static ev_status sample_alone(const setting *s, expectation *e, const char *why)
{
    enum { FEWEST = 1024 };
    const ev_effort *effort = s->effort;
    ev_sample_summary sample;
    uint64_t samples = effort->samples > 0 ? effort->samples : 4096;
    double width;
    if (effort->max_samples == 0) {
        unfit(e, "no quadrature (%s), and sampling is off", why);
        return EV_OK;
    }
    /* Doubled until there, all attempts together are not twice as many as the last. */
    const uint64_t most = ev_setting_ration(s, e->tape, effort->max_samples, 2);
    if (most < FEWEST && most < effort->max_samples) {
        spent(e);
        return EV_OK;
    }
    for (;; samples *= 2) {
        samples = samples < most ? samples : most;
        ev_status status = draw(s, e, samples, &sample);
        if (status != EV_OK)
            return status;
        width = ev_sample_half_width(&sample, effort->alpha);
        double wanted = effort->sampling_relative *
                        fmax(fabs(sample.mean), 1e-3 * sample.magnitude);
        if (width <= wanted || samples == most || samples > UINT64_MAX / 2 ||
            is_hopeless(&sample, width, wanted, most))
            break;
    }
    accept_sample(s, e, &sample, width);
    return EV_OK;
}

/* ---- 2. quadrature ---- */

static unsigned methods_of(const char *rules)
{
    static const struct {
        const char *name;
        unsigned bit;
    } known[] = {{"hermite", EV_METHOD_HERMITE},
                 {"cubature", EV_METHOD_CUBATURE},
                 {"trapezoid", EV_METHOD_TRAPEZOID},
                 {"kronrod", EV_METHOD_KRONROD}};
    unsigned methods = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strstr(rules, known[i].name) != NULL)
            methods |= known[i].bit;
    return methods;
}

/* The request, or an error of a few thousand roundings of the rule's own sums: where an integral has
 * cancelled, no rule can do better, and sampling surely not. */
static bool is_enough(const ev_quadrature_report *report, const ev_integral *q)
{
    return report->fit && (report->converged || q->error <= 1e-12 * q->magnitude);
}

/* A member whose integral, by quadrature, is known as well as it will be. */
static ev_status settle(const setting *s, expectation *e, const ev_integral *q, double nested,
                        const ev_quadrature_report *report)
{
    ev_number *v = number_of(s, e);
    e->evaluations += report->evaluations;
    e->sentinel = report->sentinel;
    if (!report->fit)
        unfit(e, "quadrature: %s", report->reason);
    ev_status status = EV_OK;
    bool integrated = is_enough(report, q);
    if (integrated || !report->fit) {
        e->methods |= methods_of(report->rules);
        *v = (ev_number){.value = q->value, .magnitude = q->magnitude};
        v->error[EV_ERROR_QUADRATURE] = q->error + nested;
    } else {
        status = sample_alone(s, e, report->reason);
        v->error[EV_ERROR_QUADRATURE] += nested;
    }
    if (status == EV_OK)
        status = add_survey(s, e);
    return status == EV_OK && integrated ? hear_sampling(s, e) : status;
}

/* A point costs as many evaluations of the innermost body as its loops have nodes; beyond a usual
 * number of them the points are rationed. */
static size_t affordable_points(const ev_effort *effort, const ev_tape *tape)
{
    enum { USUAL_NODES = 32, FEWEST = 20000 };
    double nodes = 1;
    for (size_t d = 0; tape->loop_count > 0 && d < tape->loop_dim; d++)
        nodes *= (double)tape->rule[tape->loop_dim]->order;
    if (nodes <= USUAL_NODES)
        return effort->max_evaluations;
    size_t points = (size_t)((double)effort->max_evaluations * USUAL_NODES / nodes);
    return points > FEWEST                    ? points
           : effort->max_evaluations < FEWEST ? effort->max_evaluations
                                              : FEWEST;
}

/* What the rules of ev_normal_expect ask for in any case. */
static size_t fewest_points(size_t dim)
{
    size_t points = 1000;
    for (size_t d = 0, power = 1; d < dim; d++) {
        power *= 8;
        points = d + 1 == dim ? points + 2 * power : points;
    }
    return points;
}

/* *afforded: false when the budget does not pay for the least that is needed, and nothing was done. */
static ev_status integrate(const setting *s, ev_tape *tape, ev_integral *out, double *nested,
                           ev_quadrature_report *report, bool *afforded)
{
    ev_status status = ev_choose_loop_rules(s, tape, nested, afforded);
    if (status != EV_OK || !*afforded)
        return status;
    const size_t wanted = affordable_points(s->effort, tape);
    const size_t points = (size_t)ev_setting_ration(s, tape, wanted, 2);
    *afforded = points >= fewest_points(tape->dim) || points == wanted;
    if (!*afforded)
        return EV_OK;
    const ev_quadrature_request request = {s->effort->relative, points};
    status = ev_normal_expect(tape->dim, ev_tape_run, tape, tape->functions, &request, out, report);
    ev_setting_charge(s, tape, report->evaluations);
    return status;
}

static ev_status evaluate_alone(const setting *s, expectation *e)
{
    ev_integral integral;
    ev_quadrature_report report;
    double nested;
    bool afforded;
    ev_status status;
    if (!e->fit)
        return EV_OK;
    if (can_integrate(s, e->tape)) {
        status = integrate(s, e->tape, &integral, &nested, &report, &afforded);
        if (status == EV_OK && !afforded)
            spent(e);
        return status == EV_OK && afforded ? settle(s, e, &integral, nested, &report) : status;
    }
    char why[64];
    snprintf(why, sizeof why, "%zu coordinates", e->tape->dim);
    status = ev_choose_loop_rules(s, e->tape, &nested, &afforded);
    if (status == EV_OK && !afforded)
        spent(e);
    if (status != EV_OK || !afforded)
        return status;
    status = sample_alone(s, e, why);
    number_of(s, e)->error[EV_ERROR_QUADRATURE] += nested;
    return status == EV_OK ? add_survey(s, e) : status;
}

/* All members at once.  *settled: they all converged. */
static ev_status evaluate_together(const setting *s, batch *b, bool *settled)
{
    ev_integral integrals[EV_BATCH_MAX];
    double nested[EV_BATCH_MAX];
    ev_quadrature_report report;
    bool afforded;
    ev_status status = integrate(s, b->tape, integrals, nested, &report, &afforded);
    *settled = status == EV_OK && afforded;
    for (size_t k = 0; k < b->n && *settled; k++)
        *settled = is_enough(&report, &integrals[k]);
    for (size_t k = 0; *settled && status == EV_OK && k < b->n; k++) {
        expectation *e = &s->program->expectations[b->first + k];
        memcpy(e->tape->rule, b->tape->rule, sizeof e->tape->rule);
        status = settle(s, e, &integrals[k], nested[k], &report);
    }
    return status;
}

/* Of n that are still to come, the next one's part of what is left until there. */
static uint64_t part_of(const ev_program *program, uint64_t until, size_t n)
{
    const uint64_t so_far = program->meter == NULL ? 0 : program->meter->spent;
    return so_far < until ? so_far + (until - so_far) / n : so_far;
}

ev_status ev_batch_evaluate(ev_program *program, batch *b, const ev_effort *effort,
                            const ev_stream *stream, uint64_t operations)
{
    const uint64_t so_far = program->meter == NULL ? 0 : program->meter->spent;
    setting s = {program, effort, stream, so_far + operations};
    bool fit = true, settled = false;
    ev_status status = EV_OK;
    for (size_t k = 0; k < b->n; k++) {
        begin(&s, &program->expectations[b->first + k]);
        fit = fit && program->expectations[b->first + k].fit;
    }
    if (fit && b->n > 1 && can_integrate(&s, b->tape))
        status = evaluate_together(&s, b, &settled);
    for (size_t k = 0; !settled && status == EV_OK && k < b->n; k++) {
        s.until = part_of(program, so_far + operations, b->n - k);
        status = evaluate_alone(&s, &program->expectations[b->first + k]);
    }
    return status;
}
