/* The estimators k1, k2, k3: bias, variance, where their gradients lead. */
#include "numerics/minimise.h"
#include "numerics/quadrature.h"
#include "probability/gaussian.h"
#include "probability/kl_estimators.h"
#include "scene.h"

#include <string.h>

/* (E_q[k2] - KL)/KL by quadrature, q = N(0,1), p = N(shift, width^2). */
static double relative_bias(double shift, double width)
{
    scene s = {{0.5, 0.5}, {shift, shift}, {width, width}, {0, 0}};
    double value[UNDER_Q], error[UNDER_Q];
    kl_under_q(&s, value, error);
    return (value[K2] - value[K1]) / value[K1];
}

void kl_decide_k2_bias(ev_check *check)
{
    double shift[2], width[2];
    for (int i = 0; i < 2; i++) {
        double d = i == 0 ? 1.0 / 32 : 1.0 / 64;
        shift[i] = relative_bias(d, 1);
        width[i] = relative_bias(0, 1 + d);
    }
    double shift_exponent = log2(shift[0] / shift[1]), width_exponent = log2(width[0] / width[1]);
    const char *found = ev_check_format(check, "exponents %.3f (shift), %.3f (width)",
                                        shift_exponent, width_exponent);
    const ev_alternative others[] = {{"the relative bias does not vanish",
                                      fabs(shift_exponent) > 0.1 && fabs(width_exponent) > 0.1,
                                      found},
                                     {"it vanishes alike for a shift and for a change of width",
                                      fabs(shift_exponent - width_exponent) > 0.1, found},
                                     {"it vanishes as the square of the distance in every case",
                                      fabs(width_exponent - 2) > 0.1, found}};
    ev_check_decide(check, "kl-k2-bias",
                    fabs(shift_exponent - 2) < 0.05 && fabs(width_exponent - 1) < 0.05,
                    ev_check_format(check,
                                    "relative bias at distance 1/32 and 1/64: %.3e, %.3e for a "
                                    "shift, %.3e, %.3e for a width; %s",
                                    shift[0], shift[1], width[0], width[1], found),
                    3, others);
}

/* Descend the mean gradient of one estimator, samples held fixed, by the trapezoidal rule. */
static void descend(ev_kl_estimator kind, const scene *from, double phi[2])
{
    scene s = *from;
    static reverse_problem grid;
    kl_fill_grid(&grid, from);
    for (int iteration = 0; iteration < 1500; iteration++) {
        double slope[2] = {0, 0}, score[2];
        for (size_t i = 0; i < grid.n; i += 2) {
            double x = s.phi[0] + exp(s.phi[1]) * grid.e[i];
            double log_r = kl_log_p(&s, x) - kl_log_q(s.phi, x), factor = 1;
            if (kind == EV_KL_K2)
                factor = -log_r;
            else if (kind == EV_KL_K3)
                factor = 1 - exp(log_r);
            kl_score_q(s.phi, x, score);
            slope[0] += 2 * grid.w[i] * factor * score[0];
            slope[1] += 2 * grid.w[i] * factor * score[1];
        }
        s.phi[0] -= 0.05 * slope[0];
        s.phi[1] -= 0.05 * slope[1];
    }
    memcpy(phi, s.phi, sizeof s.phi);
}

void kl_decide_descent(ev_check *check, const averages *start)
{
    static reverse_problem problem;
    double end[3][2], reverse[2], forward[2];
    kl_fill_grid(&problem, &start->s);
    kl_forward_minimiser(&start->s, forward);
    if (!kl_minimise_reverse(&problem, reverse)) {
        ev_check_give_up(check, "kl-descent", "the minimisation of KL(q,p) failed");
        return;
    }
    for (int kind = 0; kind < 3; kind++)
        descend((ev_kl_estimator)kind, &start->s, end[kind]);
    double stay = distance(end[0], start->s.phi), apart = distance(reverse, forward);
    double second = distance(end[1], reverse), third = distance(end[2], forward);
    double crossed = distance(end[2], reverse);
    const ev_alternative others[] = {{"k3 ends at the minimiser of KL(q,p)", crossed > 1e-3,
                                      ev_check_format(check, "it ends %.4f away from it", crossed)},
                                     {"k1, being unbiased, ends there",
                                      distance(end[0], reverse) > 1e-3,
                                      ev_check_format(check, "it moves by %.1e", stay)},
                                     {"k2, being biased, misses it", second < 1e-6,
                                      ev_check_format(check, "it ends within %.1e", second)}};
    ev_check_decide(
        check, "kl-descent", stay < 1e-10 && second < 1e-6 && third < 1e-6,
        ev_check_format(check,
                        "minimisers %.4f apart; k1 moves by %.1e, k2 ends %.1e from that "
                        "of KL(q,p), k3 %.1e from that of KL(p,q)",
                        apart, stay, second, third),
        3, others);
}

/* Schulman's table: bias/KL and standard deviation/KL, with one half of the last printed digit. */
typedef struct {
    double m;
    double bias[3], bias_unit[3], deviation[3], deviation_unit[3];
} published_row;

static const published_row PUBLISHED[2] = {
    {0.1, {0, 0.002, 0}, {0.5e-3, 0.5e-3, 0.5e-3}, {20, 1.42, 1.42}, {0.5, 0.005, 0.005}},
    {1, {0, 0.25, 0}, {0.5e-2, 0.5e-2, 0.5e-2}, {2, 1.73, 1.7}, {0.5, 0.005, 0.05}}};

/* The three estimators and their squares at x = e, q = N(0,1), p = N(m,1).  The squares' tails
 * under q are too heavy for an interval; at x = m + 2e, with the weight of q beside N(m, 4), they
 * are bounded: places 6 to 8. */
static int estimator_block(void *context, size_t worker, size_t n, const double *const *e,
                           double *const *out)
{
    double m = *(const double *)context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double x = m + 2 * e[0][i], weight = 2 * exp(0.5 * (e[0][i] * e[0][i] - x * x));
        for (size_t k = 0; k < 3; k++) {
            ev_kl_estimator kind = (ev_kl_estimator)k;
            out[k][i] = ev_kl_estimator_value(kind, m * e[0][i] - m * m / 2);
            out[3 + k][i] = out[k][i] * out[k][i];
            out[6 + k][i] = weight * pow(ev_kl_estimator_value(kind, m * x - m * m / 2), 2);
        }
    }
    return 0;
}

/* Exact bias and deviation in units of KL; asserts that quadrature and sampling agree. */
static void table_row(ev_check *check, const published_row *row, double bias[3],
                      double deviation[3])
{
    double m = row->m, kl = ev_gaussian_scalar_kl(0, 1, m, 1);
    ev_integral out[9];
    ev_sample_summary drawn[9];
    size_t evaluations;
    ev_stream stream = ev_check_stream(check, ev_check_format(check, "table %g", m));
    bool run = ev_kronrod_expect(12, 1e-16, 1e-13, estimator_block, &m, 9, out, &evaluations) ==
                   EV_OK &&
               ev_monte_carlo_expect(1, estimator_block, &m, 9, &stream, 50000, 2, drawn) == EV_OK;
    for (size_t k = 0; k < 3; k++) {
        ev_kl_estimator kind = (ev_kl_estimator)k;
        double mean = ev_kl_estimator_mean(kind, 0, 1, m, 1);
        double variance = ev_kl_estimator_variance(kind, 0, 1, m, 1);
        const char *name = ev_kl_estimator_name(kind);
        bias[k] = run ? (mean - kl) / kl : (double)NAN;
        deviation[k] = sqrt(variance) / kl;
        if (!run)
            continue;
        ev_check_assert(check, ev_check_format(check, "kl-table-mean-%s-%g", name, m),
                        "mean: quadrature and closed form", out[k].value, mean, 1e-13);
        ev_check_assert(check, ev_check_format(check, "kl-table-variance-%s-%g", name, m),
                        "variance: quadrature and closed form",
                        out[3 + k].value - out[k].value * out[k].value, variance,
                        1e-12 * (1 + variance));
        ev_check_assert(check, ev_check_format(check, "kl-table-draws-%s-%g", name, m),
                        "mean: 50000 draws and closed form", drawn[k].mean, mean,
                        ev_sample_half_width(&drawn[k], ev_check_alpha(check)));
        ev_check_assert(check, ev_check_format(check, "kl-table-squares-%s-%g", name, m),
                        "mean square: 50000 draws of N(m,4) and closed form", drawn[6 + k].mean,
                        variance + mean * mean,
                        ev_sample_half_width(&drawn[6 + k], ev_check_alpha(check)));
    }
}

/* Is every entry of a candidate table the exact value, to half a unit of the printed digits? */
static bool table_matches(double bias[2][3], double deviation[2][3])
{
    const double slack = 1 + 1e-9; /* a tie counts as right */
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 3; k++) {
            const published_row *row = &PUBLISHED[i];
            if (!(fabs(bias[i][k] - row->bias[k]) <= slack * row->bias_unit[k]) ||
                !(fabs(deviation[i][k] - row->deviation[k]) <= slack * row->deviation_unit[k]))
                return false;
        }
    return true;
}

void kl_decide_table(ev_check *check)
{
    double bias[2][3], deviation[2][3], plain[2][3], variance[2][3], equal[2][3];
    for (int i = 0; i < 2; i++) {
        table_row(check, &PUBLISHED[i], bias[i], deviation[i]);
        double kl = PUBLISHED[i].m * PUBLISHED[i].m / 2;
        for (int k = 0; k < 3; k++) {
            plain[i][k] = bias[i][k] * kl;
            variance[i][k] = deviation[i][k] * deviation[i][k] * kl;
            equal[i][k] = bias[i][k == 2 ? 1 : k];
        }
    }
    const ev_alternative others[] = {
        {"the biases are not divided by the divergence", !table_matches(plain, deviation),
         ev_check_format(check, "k2 in the first row: %.3g", plain[0][1])},
        {"the second figure is a variance", !table_matches(bias, variance),
         ev_check_format(check, "k1 in the first row: %.3g", variance[0][0])},
        {"k3 has the bias of k2", !table_matches(equal, deviation),
         ev_check_format(check, "its own is %.1e, that of k2 %.4f", bias[1][2], bias[1][1])}};
    for (int i = 0; i < 2; i++) {
        const double *b = PUBLISHED[i].bias, *d = PUBLISHED[i].deviation;
        ev_check_prints(check, "kl-published-table",
                        "| $\\mathcal{N}(%g,1)$ | %g | %g, %g | %g, %g | %g, %g |", PUBLISHED[i].m,
                        PUBLISHED[i].m * PUBLISHED[i].m / 2, b[0], d[0], b[1], d[1], b[2], d[2]);
    }
    ev_check_decide(
        check, "kl-published-table", table_matches(bias, deviation),
        ev_check_format(check,
                        "m = 0.1: bias of k2 %.6f, s.d. %.4f, %.4f, %.4f; m = 1: %.6f, %.4f, %.4f, "
                        "%.4f (all in units of the divergence)",
                        bias[0][1], deviation[0][0], deviation[0][1], deviation[0][2], bias[1][1],
                        deviation[1][0], deviation[1][1], deviation[1][2]),
        3, others);
}

/* Var k3 - Var k1 for q = N(0,1), p = N(0, s^2): positive from CROSSING on, says the document. */
static const double CROSSING = 1.5437; /* s^2 */
static double variance_excess(void *context, double s)
{
    (void)context;
    return ev_kl_estimator_variance(EV_KL_K3, 0, 1, 0, s) -
           ev_kl_estimator_variance(EV_KL_K1, 0, 1, 0, s);
}

void kl_decide_k3_tails(ev_check *check)
{
    double crossing, near, far, worst = 0;
    bool found = ev_root(variance_excess, NULL, 1.1, 1.4, 1e-12, &crossing) == EV_OK;
    for (double s = 0.6; s < 1.3; s += 0.2) {
        scene at = {{0.5, 0.5}, {0, 0}, {s, s}, {0, 0}};
        average squares = {&at, 0, 1, kl_terms_under_q, 3};
        double value[3] = {0}, error[3] = {0}, r2 = kl_truncated_second_moment(1 / (s * s), 24);
        kl_add_quadrature(&squares, 1, value, error);
        /* Var r + Var log r - 2 Cov, with Var log r = 2 E k2 - KL^2 and Cov = KL + KL' */
        double both = value[K1] + ev_gaussian_scalar_kl(0, s, 0, 1);
        double ours = r2 - 1 + 2 * value[K2] - value[K1] * value[K1] - 2 * both;
        worst = fmax(worst, fabs(ours - ev_kl_estimator_variance(EV_KL_K3, 0, 1, 0, s)));
    }
    bool divergent = !kl_settles(0.5, &near, &far), finite = kl_settles(1 / 1.9, &near, &far);
    double wide = variance_excess(NULL, 1.35), narrow = variance_excess(NULL, 0.8);
    double plain = ev_kl_estimator_variance(EV_KL_K1, 0, 1, 0, 3);
    bool infinite = isinf(ev_kl_estimator_variance(EV_KL_K3, 0, 1, 0, sqrt(2)));
    const ev_alternative others[] = {{"k3 never varies more than k1", wide > 1e-3,
                                      ev_check_format(check, "at s = 1.35 by %.4f more", wide)},
                                     {"k3 always varies more than k1", narrow < -1e-3,
                                      ev_check_format(check, "at s = 0.8 by %.4f less", -narrow)},
                                     {"its variance is finite for every s", divergent && infinite,
                                      "the second moment of r grows with the range at s^2 = 2"}};
    ev_check_prints(check, "kl-k3-tails", "$s^2 \\approx %.4f$", CROSSING);
    ev_check_prints(check, "kl-k3-tails", "infinite when $s^2 \\ge 2$");
    ev_check_decide(check, "kl-k3-tails",
                    found && fabs(crossing * crossing - CROSSING) < 1e-4 && wide > 0 &&
                        narrow < 0 && divergent && finite && infinite && isfinite(plain) &&
                        worst < 1e-9,
                    ev_check_format(check,
                                    "the variances cross at s^2 = %.6f; E r^2 settles at s^2 = 1.9 "
                                    "and grows without bound at 2; closed form within %.1e of "
                                    "quadrature",
                                    crossing * crossing, worst),
                    3, others);
}
