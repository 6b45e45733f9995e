/* The second voice of derivations/mode_seeking.md.
 *
 * 1. The landscape KL(q||p) by two rules (mode_seeking/landscape.c).
 * 2. All its stationary points, by exclusion and by two further counts (survey.c, stationary.c).
 * 3. Where their number and the global minimum change, to ten digits (changes.c).
 * 4. The tables of all that (tables.c).
 * 5. The other direction, and the price of a hump (forward.c).
 * 6. The printed lines, here.
 */
#include "mode_seeking/landscape.h"

static void compare(ev_check *check, const char *claim, size_t step, size_t member, const place *at,
                    double ours)
{
    const double s = 1;
    const ev_binding to[] = {
        {"m", 1, &at->m}, {"s", 1, &s}, {"\\mu", 1, &at->mu}, {"\\tau", 1, &at->tau}};
    double error, theirs = ev_check_document_value(check, claim, member, 0, 4, to, &error);
    ev_check_compare(check, claim, step, ours, 1e-12 * (1 + fabs(ours)), theirs, error, 1e-9);
}

static void compare_lines(ev_check *check)
{
    static const place AT[] = {{1.3, 0.4, 0.8}, {2, -1.6, 1.1}, {0.7, 1.2, 1.9}};
    for (size_t i = 0; i < sizeof AT / sizeof *AT; i++) {
        const place *at = &AT[i];
        landscape l = mode_split(at->m, at->mu, at->tau);
        double tau = at->tau, second = at->m * at->m + 1 + at->mu * at->mu;
        compare(check, "mode-reverse-reduced", 1, 1, at, l.value);
        compare(check, "mode-reverse-slope-mu", 1, 1, at, l.mu);
        compare(check, "mode-reverse-slope-tau", 1, 1, at, l.tau);
        compare(check, "mode-reverse-curvature", 1, 1, at, l.mu_mu);
        /* tau times the slope in tau, of which the average is what remains */
        double spread = tau * tau - 1 - tau * l.tau;
        ev_check_sides(check, "mode-box", 1, spread / (tau * tau), 1e-11,
                       2 * at->m / (tau * sqrt(4 * acos(0))), 1e-15);
        compare(check, "mode-forward-slopes", 1, 1, at, at->mu / (tau * tau));
        compare(check, "mode-forward-slopes", 2, 3, at, 1 / tau - second / (tau * tau * tau));
    }
}

/* The two rules, and differences of the value against the slopes. */
static void assert_rules(ev_check *check)
{
    double worst = 0, slope = 0, h = 1e-4;
    for (int i = 0; i < 40; i++) {
        double m = 0.3 + 0.19 * i, mu = m * (i % 7 - 3) / 3.0, tau = 0.7 + 0.4 * (i % 5);
        landscape a = mode_split(m, mu, tau), b = mode_raw(m, mu, tau);
        double scale = 1 + m * m;
        worst = larger(worst, fmax(fabs(a.value - b.value), fabs(a.mu - b.mu)) / scale);
        worst = larger(worst, fmax(fabs(a.tau - b.tau), fabs(a.mu_tau - b.mu_tau)) / scale);
        worst = larger(worst, fmax(fabs(a.mu_mu - b.mu_mu), fabs(a.tau_tau - b.tau_tau)) / scale);
        slope = fmax(
            slope,
            fabs((mode_split(m, mu + h, tau).value - mode_split(m, mu - h, tau).value) / (2 * h) -
                 a.mu) /
                scale);
        slope = larger(
            slope,
            fabs((mode_split(m, mu, tau + h).tau - mode_split(m, mu, tau - h).tau) / (2 * h) -
                 a.tau_tau) /
                scale);
    }
    ev_check_assert(check, "mode-two-rules",
                    "value, slopes and Hessian of KL(q||p) by two rules, 40 "
                    "places: largest relative difference",
                    worst, 0, 1e-12);
    ev_check_assert(check, "mode-differences", "slope and curvature against differences, 40 places",
                    slope, 0, 1e-6);
}

void check_mode_seeking(ev_check *check);
void check_mode_seeking(ev_check *check)
{
    surveys all;
    mode_fill_table();
    compare_lines(check);
    assert_rules(check);
    mode_definition_sides(check);
    mode_mean_sides(check);
    mode_hump_sides(check);
    mode_take_surveys(&all);
    mode_decide_stationary(check, &all);
    mode_decide_wide(check, &all);
    mode_decide_fold(check, &all);
    mode_decide_equal(check, &all);
    mode_decide_attained(check, &all);
    mode_decide_table(check);
    mode_decide_fixed_table(check);
    mode_decide_forward_table(check);
    mode_decide_bimodal(check);
    mode_decide_seeking(check, &all);
    mode_decide_fixed_width(check);
    mode_decide_forward(check);
    mode_decide_penalty(check);
}
