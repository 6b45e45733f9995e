/* The minimisations, run: what a descent finds that is given a scenario's ingredients and no more.
 *
 * Every descent is the same but for its estimate of the gradient from a batch: steps of rate
 * 1/(10 + t/25), the average of the second half of the path is the end.  H. Robbins and S. Monro,
 * Ann. Math. Stat. 22, 1951; B. Polyak and A. Juditsky, SIAM J. Control Optim. 30, 1992. */
#include "numerics/quadrature.h"
#include "scene.h"
#include "targets.h"

#include <string.h>

enum { BATCH = 256, STEPS = 3000 };

/* One descent.  f is known up to its constant; scale is a number of the size of that constant, from
 * a pilot batch: a step's length, and nothing else, depends on it. */
typedef struct {
    const study_truth *p;
    ev_stream stream;
    double scale;
    double x[BATCH * STUDY_DIM], e[BATCH * STUDY_DIM];
} descent;

/* The gradient's estimate at phi in step t, into g (2 dim). */
typedef void (*estimate)(descent *d, const double *phi, uint64_t t, double *g);

/* BATCH draws of q: e, and x = m + exp(l) e. */
static void draw_q(descent *d, const double *phi, uint64_t t)
{
    size_t dim = d->p->of->dim;
    ev_stream_normals(&d->stream, t * BATCH * STUDY_DIM, BATCH * dim, d->e);
    for (size_t i = 0; i < BATCH * dim; i++)
        d->x[i] = phi[i % dim] + exp(phi[dim + i % dim]) * d->e[i];
}

/* g += factor times the score, of one draw. */
static void push(const descent *d, const double *phi, const double *x, double factor, double *g)
{
    size_t dim = d->p->of->dim;
    double score[STUDY_PHI];
    study_score(dim, phi, x, score);
    for (size_t k = 0; k < 2 * dim; k++)
        g[k] += factor * score[k] / BATCH;
}

/* E_q[(log q - log f) score], less the mean of the other draws' factors: unbiased. */
static void by_score(descent *d, const double *phi, uint64_t t, double *g)
{
    size_t dim = d->p->of->dim;
    double factor[BATCH], sum = 0;
    draw_q(d, phi, t);
    for (size_t i = 0; i < BATCH; i++) {
        const double *x = d->x + i * dim;
        factor[i] = study_log_q(dim, phi, x) - d->p->of->log_f(x, NULL);
        sum += factor[i];
    }
    for (size_t i = 0; i < BATCH; i++)
        push(d, phi, d->x + i * dim, factor[i] - (sum - factor[i]) / (BATCH - 1), g);
}

/* grad of log q(x) - log f(x) at x = m + exp(l) e. */
static void by_path(descent *d, const double *phi, uint64_t t, double *g)
{
    size_t dim = d->p->of->dim;
    double slope[STUDY_DIM];
    draw_q(d, phi, t);
    for (size_t i = 0; i < BATCH; i++) {
        (void)d->p->of->log_f(d->x + i * dim, slope);
        for (size_t j = 0; j < dim; j++) {
            g[j] -= slope[j] / BATCH;
            g[dim + j] -= (1 + slope[j] * exp(phi[dim + j]) * d->e[i * dim + j]) / BATCH;
        }
    }
}

/* -E_p[score], from samples of p. */
static void by_cross_entropy(descent *d, const double *phi, uint64_t t, double *g)
{
    size_t dim = d->p->of->dim;
    study_draw(d->p, &d->stream, t * BATCH, BATCH, d->x);
    for (size_t i = 0; i < BATCH; i++)
        push(d, phi, d->x + i * dim, -1, g);
}

/* f(x)/scale, over q(x) where wanted. */
static double weight(const descent *d, const double *phi, const double *x, bool over_q)
{
    double log_f = d->p->of->log_f(x, NULL);
    return exp(log_f - (over_q ? study_log_q(d->p->of->dim, phi, x) : 0)) / d->scale;
}

/* -E_q[(f/q) score]. */
static void by_weight(descent *d, const double *phi, uint64_t t, double *g)
{
    size_t dim = d->p->of->dim;
    draw_q(d, phi, t);
    for (size_t i = 0; i < BATCH; i++) {
        const double *x = d->x + i * dim;
        push(d, phi, x, -weight(d, phi, x, true), g);
    }
}

/* The printed objective E_q[f log(1/q)], along the path: log 1/q(x) = sum l + e^2/2 + constant. */
static void by_printed(descent *d, const double *phi, uint64_t t, double *g)
{
    size_t dim = d->p->of->dim;
    double slope[STUDY_DIM];
    draw_q(d, phi, t);
    for (size_t i = 0; i < BATCH; i++) {
        const double *x = d->x + i * dim;
        double f = weight(d, phi, x, false) / BATCH, surprise = -study_log_q(dim, phi, x);
        (void)d->p->of->log_f(x, slope);
        for (size_t j = 0; j < dim; j++) {
            g[j] += f * slope[j] * surprise;
            g[dim + j] += f * (slope[j] * exp(phi[dim + j]) * d->e[i * dim + j] * surprise + 1);
        }
    }
}

/* The hint's formula, as printed, for E_q[(f/q) log(1/q)]: the term E[grad f] is left out. */
static void by_hint(descent *d, const double *phi, uint64_t t, double *g)
{
    size_t dim = d->p->of->dim;
    draw_q(d, phi, t);
    for (size_t i = 0; i < BATCH; i++) {
        const double *x = d->x + i * dim;
        push(d, phi, x, -weight(d, phi, x, true) * study_log_q(dim, phi, x), g);
    }
}

/* From phi, in place; a step is at most 0.3 long, log widths stay above -12. */
static void run(descent *d, estimate by, double *phi)
{
    size_t n = 2 * d->p->of->dim;
    double mean[STUDY_PHI] = {0};
    for (uint64_t t = 0; t < STEPS; t++) {
        double g[STUDY_PHI] = {0}, length = 0, rate = 1 / (10 + (double)t / 25);
        by(d, phi, t, g);
        for (size_t k = 0; k < n; k++)
            length += g[k] * g[k];
        rate *= fmin(1, 0.3 / (rate * sqrt(length) + 1e-300));
        for (size_t k = 0; k < n; k++) {
            phi[k] -= rate * g[k];
            if (k >= n / 2)
                phi[k] = fmax(phi[k], -12);
            mean[k] += t >= STEPS / 2 ? phi[k] * 2 / STEPS : 0;
        }
    }
    memcpy(phi, mean, n * sizeof *phi);
}

static double apart(size_t n, const double *a, const double *b)
{
    double sum = 0;
    for (size_t k = 0; k < n; k++)
        sum += (a[k] - b[k]) * (a[k] - b[k]);
    return sqrt(sum);
}

/* Log widths: where the runs of the printed objective begin, and where they must be in the end.
 * Over 25 seeds the wide ones ended at 2.03 or more. */
static const double NARROW = -1.6, COLLAPSED = -6, WIDE = 0.8, SPREAD = 1.2;

enum { SCORE_RUN, PATH_RUN, CROSS_RUN, WEIGHT_RUN, NARROW_RUN, WIDE_RUN, HINT_RUN, RUNS };
static const estimate RUN[RUNS] = {by_score,   by_path,    by_cross_entropy, by_weight,
                                   by_printed, by_printed, by_hint};

/* What the descents found on one target. */
typedef struct {
    study_truth p;
    double forward[STUDY_PHI], reverse[STUDY_PHI], end[RUNS][STUDY_PHI];
    double apart;       /* the two minimisers */
    double own[RUNS];   /* each run's distance from its minimiser, in units of apart */
    double other[RUNS]; /* and from that of the other direction */
    bool found;         /* the reverse minimiser */
} study;

static void take_study(ev_check *check, const study_target *target, study *s)
{
    size_t n = 2 * target->dim;
    s->p = study_know(target);
    study_forward_minimiser(&s->p, s->forward);
    s->found = study_reverse_minimiser(&s->p, s->reverse);
    s->apart = apart(n, s->forward, s->reverse);
    for (size_t r = 0; r < RUNS; r++) {
        static descent d;
        double *phi = s->end[r];
        d.p = &s->p;
        d.stream = ev_check_stream(check, ev_check_format(check, "%s, run %zu", target->name, r));
        for (size_t k = 0; k < n; k++)
            phi[k] = k < n / 2 ? 0.2 : r == NARROW_RUN ? NARROW : r == WIDE_RUN ? WIDE : 0.3;
        if (r == HINT_RUN)
            memcpy(phi, s->forward, n * sizeof *phi);
        d.scale = 1;
        draw_q(&d, phi, STEPS);
        double pilot = 0;
        for (size_t i = 0; i < BATCH; i++)
            pilot += weight(&d, phi, d.x + i * target->dim, true) / BATCH;
        d.scale = pilot;
        run(&d, RUN[r], phi);
        bool reverse = r == SCORE_RUN || r == PATH_RUN;
        s->own[r] = apart(n, phi, reverse ? s->reverse : s->forward) / s->apart;
        s->other[r] = apart(n, phi, reverse ? s->forward : s->reverse) / s->apart;
    }
}

/* The worst of a run over the targets. */
static double worst_of(const study *all, const double *(*pick)(const study *), size_t run_number)
{
    double worst = 0;
    for (size_t i = 0; i < STUDY_TARGETS; i++)
        worst = fmax(worst, pick(&all[i])[run_number]);
    return worst;
}
static const double *own(const study *s) { return s->own; }

static double nearest_other(const study *all, size_t run_number)
{
    double least = HUGE_VAL;
    for (size_t i = 0; i < STUDY_TARGETS; i++)
        least = fmin(least, all[i].other[run_number]);
    return least;
}

/* An end counts as a minimiser within this share of the distance of the two. */
static const double CLOSE = 0.2;

static void decide_directions(ev_check *check, const study *all)
{
    const double score = worst_of(all, own, SCORE_RUN), path = worst_of(all, own, PATH_RUN);
    const double cross = worst_of(all, own, CROSS_RUN), weighted = worst_of(all, own, WEIGHT_RUN);
    const char *reverse = ev_check_format(check,
                                          "four targets, %d steps of %d draws: in units of the "
                                          "minimisers' distance, ends within %.3f by the score "
                                          "function, %.3f by the path; from the other direction's "
                                          "minimiser they stay %.2f and %.2f away",
                                          STEPS, BATCH, score, path, nearest_other(all, SCORE_RUN),
                                          nearest_other(all, PATH_RUN));
    const char *forward = ev_check_format(check,
                                          "ends within %.3f by samples of p, %.3f by weighted "
                                          "samples of q; %.2f and %.2f from the other direction's",
                                          cross, weighted, nearest_other(all, CROSS_RUN),
                                          nearest_other(all, WEIGHT_RUN));
    const ev_alternative for_reverse[] = {
        {"they end at the minimiser of KL(p,q)",
         nearest_other(all, SCORE_RUN) > 1 - 2 * CLOSE &&
             nearest_other(all, PATH_RUN) > 1 - 2 * CLOSE,
         reverse},
        {"only the reparameterised one gets there", score < CLOSE, reverse}};
    const ev_alternative for_forward[] = {
        {"they end at the minimiser of KL(q,p)",
         nearest_other(all, CROSS_RUN) > 1 - 2 * CLOSE &&
             nearest_other(all, WEIGHT_RUN) > 1 - 2 * CLOSE,
         forward},
        {"without samples of p there is no way to that of KL(p,q)", weighted < CLOSE, forward}};
    ev_check_decide(check, "kl-study-reverse", score < CLOSE && path < CLOSE, reverse, 2,
                    for_reverse);
    ev_check_decide(check, "kl-study-forward", cross < CLOSE && weighted < CLOSE, forward, 2,
                    for_forward);
}

/* As printed: without the weight, from a narrow and from a wide start; and by the hint's formula,
 * from the minimiser of KL(p,q) on. */
static void decide_printed(ev_check *check, const study *all)
{
    double narrow = -HUGE_VAL, wide = HUGE_VAL, rise = HUGE_VAL, moved = HUGE_VAL;
    for (size_t i = 0; i < STUDY_TARGETS; i++) {
        const study *s = &all[i];
        for (size_t j = s->p.of->dim; j < 2 * s->p.of->dim; j++) {
            narrow = fmax(narrow, s->end[NARROW_RUN][j]);
            wide = fmin(wide, s->end[WIDE_RUN][j]);
        }
        moved = fmin(moved, s->own[HINT_RUN]);
        rise = fmin(rise, study_cross_entropy(&s->p, s->end[HINT_RUN]) -
                              study_cross_entropy(&s->p, s->forward));
    }
    const char *ends = ev_check_format(check,
                                       "four targets: begun at log width %.1f it ends at %.2f or "
                                       "less, begun at %.1f at %.2f or more",
                                       NARROW, narrow, WIDE, wide);
    const char *away = ev_check_format(check,
                                       "begun at the minimiser of KL(p,q), it moves %.1f distances "
                                       "or more away, and KL(p,q) rises by %.3f or more",
                                       moved, rise);
    const ev_alternative printed[] = {
        {"it ends at the minimiser of KL(p,q), wherever it begins",
         narrow < COLLAPSED && wide > SPREAD, ends},
        {"it narrows without end, wherever it begins", wide > SPREAD, ends}};
    const ev_alternative hint[] = {
        {"the formula rests where KL(p,q) is least", moved > CLOSE, away},
        {"its fault is one of scale, not of direction", rise > 1e-3, away}};
    ev_check_decide(check, "kl-study-printed", narrow < COLLAPSED && wide > SPREAD, ends, 2,
                    printed);
    ev_check_decide(check, "kl-study-hint", moved > CLOSE && rise > 1e-3, away, 2, hint);
}

/* 1/q times p^2, over the half line to the left, up to radius widths of q: log gamma under its own
 * best Gaussian of either direction. */
static int log_gamma_block(void *context, size_t worker, size_t n, const double *const *e,
                           double *const *out)
{
    const double *phi = context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double x = phi[0] + exp(phi[1]) * e[0][i];
        double log_w = STUDY_LOG_GAMMA.log_f(&x, NULL) - study_log_q(1, phi, &x);
        out[0][i] = exp(log_w);
        out[1][i] = exp(2 * log_w);
    }
    return 0;
}

static bool log_gamma_moments(double *phi, double radius, double moment[2])
{
    ev_integral found[2];
    size_t evaluations;
    if (ev_trapezoid_expect(1, 1.0 / 16, radius, log_gamma_block, phi, 2, found, &evaluations) !=
        EV_OK)
        return false;
    moment[0] = found[0].value;
    moment[1] = found[1].value;
    return true;
}

static void decide_variance(ev_check *check)
{
    study_truth p = study_know(&STUDY_LOG_GAMMA);
    double forward[STUDY_PHI], wide[2] = {0, log(1.5)}, near[2], far[2], wide_near[2], wide_far[2];
    study_forward_minimiser(&p, forward);
    if (!log_gamma_moments(forward, 8, near) || !log_gamma_moments(forward, 12, far) ||
        !log_gamma_moments(wide, 20, wide_near) || !log_gamma_moments(wide, 24, wide_far)) {
        ev_check_give_up(check, "kl-study-variance", "quadrature failed");
        return;
    }
    double growth = far[1] / near[1], wide_growth = wide_far[1] / wide_near[1];
    const char *found = ev_check_format(
        check,
        "within 8 and 12 widths of q the mean weight is %.9f and "
        "%.9f, the mean square %.3g and %.3g; with a q of width 1.5, "
        "within 20 and 24, %.3g and %.3g",
        near[0], far[0], near[1], far[1], wide_near[1], wide_far[1]);
    const ev_alternative others[] = {
        {"an unbiased weight has a variance", growth > 2 && fabs(far[0] - 1) < 1e-6, found},
        {"a q wide enough gives it one", wide_growth > 2, found}};
    ev_check_decide(check, "kl-study-variance",
                    fabs(far[0] - 1) < 1e-6 && growth > 2 && wide_growth > 2, found, 2, others);
}

/* The document's table: for each target m and width (both coordinates of the crescent) of the
 * minimisers of KL(q,p) and KL(p,q). */
static const double PRINTED[STUDY_TARGETS][2][STUDY_PHI] = {
    {{0.3152, 1.0316}, {0.3000, 1.1097}},
    {{0.3577, 0.7236}, {0.4272, 0.8839}},
    {{0.6448, 0.8570}, {0.6383, 0.9394}},
    {{0.0000, -0.9667, 0.6576, 0.5000}, {0.0000, -0.7278, 1.0000, 0.7333}}};

static void print_study_table(ev_check *check)
{
    for (size_t i = 0; i < STUDY_TARGETS; i++) {
        size_t dim = STUDY[i].dim;
        for (size_t d = 0; d < dim; d++) {
            const double *q = PRINTED[i][0], *p = PRINTED[i][1];
            const char *coordinate = dim == 1 ? "" : d == 0 ? ", $x_1$" : ", $x_2$";
            ev_check_prints(check, "kl-study-table", "| %s%s | %.4f | %.4f | %.4f | %.4f |",
                            STUDY[i].name, coordinate, q[d], q[dim + d], p[d], p[dim + d]);
        }
    }
}

static void decide_study_table(ev_check *check, const study *all)
{
    double worst = 0, slope = 0, closest = HUGE_VAL, narrower = -HUGE_VAL;
    bool found = true;
    for (size_t i = 0; i < STUDY_TARGETS; i++) {
        const study *s = &all[i];
        size_t dim = s->p.of->dim;
        found = found && s->found;
        slope = fmax(slope, study_reverse_slope(&s->p, s->reverse));
        slope = fmax(slope, study_forward_slope(&s->p, s->forward));
        closest = fmin(closest, s->apart);
        for (size_t k = 0; k < 2 * dim; k++) {
            double r = k < dim ? s->reverse[k] : exp(s->reverse[k]);
            double f = k < dim ? s->forward[k] : exp(s->forward[k]);
            worst = fmax(worst, fmax(fabs(r - PRINTED[i][0][k]), fabs(f - PRINTED[i][1][k])));
            if (k >= dim)
                narrower = fmax(narrower, r / f);
        }
    }
    const char *value = ev_check_format(check,
                                        "largest difference %.1e; slopes of both divergences by "
                                        "another rule at most %.1e",
                                        worst, slope);
    const ev_alternative others[] = {
        {"the two directions have one minimiser", closest > 0.05,
         ev_check_format(check, "they are %.3f apart or more", closest)},
        {"q is wider by KL(q,p) than by KL(p,q)", narrower < 1,
         ev_check_format(check, "its widths are at most %.4f of those by KL(p,q)", narrower)}};
    print_study_table(check);
    ev_check_decide(check, "kl-study-table", found && worst < 0.51e-4 && slope < 1e-5, value, 2,
                    others);
}

void kl_decide_study(ev_check *check)
{
    static study all[STUDY_TARGETS];
    for (size_t i = 0; i < STUDY_TARGETS; i++)
        take_study(check, &STUDY[i], &all[i]);
    decide_directions(check, all);
    decide_printed(check, all);
    decide_variance(check);
    decide_study_table(check, all);
}
