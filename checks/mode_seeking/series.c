/* The data of plots/mode_seeking.gp: the target and its fits, both landscapes, the diagram of
 * minima.  In units of s. */
#include "numerics/series.h"
#include "landscape.h"
#include "numerics/quadrature.h"
#include "probability/gaussian.h"
#include "probability/log_space.h"

enum { GRID = 60 };
static const double SHOWN = 3; /* the m/s of the pictures of one target */

static double target_log_density(double m, double x)
{
    return ev_log_add_exp(ev_gaussian_scalar_log_density(x, -m, 1),
                          ev_gaussian_scalar_log_density(x, m, 1)) -
           EV_LOG_2;
}

/* log p over the right hump, x = m + e; by symmetry, over both. */
static int target_terms(void *context, size_t worker, size_t n, const double *const *e,
                        double *const *out)
{
    const double *m = context;
    (void)worker;
    for (size_t i = 0; i < n; i++)
        out[0][i] = target_log_density(*m, *m + e[0][i]);
    return 0;
}

static double target_entropy(double m)
{
    ev_integral found;
    size_t evaluations;
    ev_status status = ev_trapezoid_expect(1, 0.1, 10, target_terms, &m, 1, &found, &evaluations);
    return status == EV_OK ? -found.value : (double)NAN;
}

/* KL(p||q), claim mode-forward-closed. */
static double forward_kl(double m, double entropy, double mu, double tau)
{
    return (EV_LOG_2PI + (m * m + 1 + mu * mu) / (tau * tau)) / 2 + log(tau) - entropy;
}

static ev_status target(ev_table *table, ev_error *error)
{
    double m = SHOWN, mu, tau, middle;
    mode_fill_table();
    if (!mode_outer_minimum(mode_split, m, &mu, &tau) ||
        !mode_middle_minimum(mode_split, m, &middle))
        return ev_error_set(error, EV_UNFIT, "no minimum at m/s = %g", m);
    for (int i = -180; i <= 180; i++) {
        double x = i / 20.0;
        ev_table_row(table, 6,
                     (double[]){x, exp(target_log_density(m, x)),
                                exp(ev_gaussian_scalar_log_density(x, mu, tau)),
                                exp(ev_gaussian_scalar_log_density(x, -mu, tau)),
                                exp(ev_gaussian_scalar_log_density(x, 0, middle)),
                                exp(ev_gaussian_scalar_log_density(x, 0, sqrt(m * m + 1)))});
    }
    return EV_OK;
}

/* Both divergences over a lattice of (mu, log tau). */
static ev_status landscapes(ev_table *table, ev_error *error)
{
    double m = SHOWN, entropy = target_entropy(m);
    (void)error;
    mode_fill_table();
    for (int i = 0; i <= GRID; i++) {
        for (int j = 0; j <= GRID; j++) {
            double mu = -4.5 + 9.0 * i / GRID, log_tau = -0.6 + 2.4 * j / GRID, tau = exp(log_tau);
            ev_table_row(table, 4,
                         (double[]){mu, log_tau, mode_split(m, mu, tau).value,
                                    forward_kl(m, entropy, mu, tau)});
        }
        ev_table_gap(table);
    }
    return EV_OK;
}

/* The stationary points on those landscapes; of KL(p||q) there is one. */
static ev_status stationary(ev_table *table, ev_error *error)
{
    double m = SHOWN;
    mode_fill_table();
    survey found = mode_survey_free(m);
    if (found.failed)
        return ev_error_set(error, EV_UNFIT, "the survey of stationary points failed");
    for (size_t i = 0; i < found.count; i++) {
        const point *p = &found.points[i];
        ev_table_row(table, 4, (double[]){p->mu, log(p->tau), p->value, p->index});
    }
    ev_table_block(table, "of KL(p||q)");
    double tau = sqrt(m * m + 1);
    ev_table_row(table, 4, (double[]){0, log(tau), forward_kl(m, target_entropy(m), 0, tau), 2});
    return EV_OK;
}

/* Minima and saddles against m/s.  Above the fold the outer pair is followed from the separation
 * before; the saddle lies near mu = 1.75 when the humps are far. */
static void outer_pair(double m, double row[10])
{
    double mu, tau;
    if (mode_outer_minimum(mode_split, m, &mu, &tau)) {
        row[1] = mu;
        row[2] = tau;
        row[3] = mode_split(m, mu, tau).value;
    }
    survey found = mode_survey_free(m);
    for (size_t i = 0; i < found.count; i++)
        if (found.points[i].index == 1 && found.points[i].mu > 0) {
            row[4] = found.points[i].mu;
            row[5] = found.points[i].tau;
            row[6] = found.points[i].value;
        }
}

static void minima_at(ev_table *table, double m)
{
    double row[10] = {m,           (double)NAN, (double)NAN, (double)NAN, (double)NAN,
                      (double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN};
    if (m > FOLD)
        outer_pair(m, row);
    if (mode_middle_minimum(mode_split, m, &row[7]))
        row[8] = mode_split(m, 0, row[7]).value;
    row[9] = forward_kl(m, target_entropy(m), 0, sqrt(m * m + 1));
    ev_table_row(table, 10, row);
}

static ev_status minima(ev_table *table, ev_error *error)
{
    (void)error;
    mode_fill_table();
    for (int i = 2; i < 24; i++)
        minima_at(table, i / 10.0);
    for (int i = 0; i < 12; i++) /* the pair parts like the square root of m - fold */
        minima_at(table, FOLD + 1e-6 + 0.0877 * i * i / 144.0);
    for (int i = 25; i <= 60; i++)
        minima_at(table, i / 10.0);
    return EV_OK;
}

static ev_status critical(ev_table *table, ev_error *error)
{
    (void)error;
    ev_table_row(table, 4, (double[]){FOLD, FOLD_MU, FOLD_TAU, 1});
    ev_table_row(table, 4, (double[]){EQUAL, (double)NAN, (double)NAN, 2});
    return EV_OK;
}

const ev_series mode_seeking_series[] = {
    {"target", "p with m/s = 3, the q that minimise KL(q||p), and the one that minimises KL(p||q)",
     "x/s\tp [1/s]\tq right [1/s]\tq left [1/s]\tq middle [1/s]\tq forward [1/s]", target},
    {"landscapes", "both divergences over (mu, log tau), m/s = 3",
     "mu/s\tlog(tau/s)\tKL(q||p) [nat]\tKL(p||q) [nat]", landscapes},
    {"stationary", "their stationary points, m/s = 3",
     "mu/s\tlog(tau/s)\tdepth [nat]\t2: minimum, 1: saddle", stationary},
    {"minima", "minima and saddles of KL(q||p) against m/s, and the minimum of KL(p||q)",
     "m/s\touter mu/s\touter tau/s\touter depth [nat]\tsaddle mu/s\tsaddle tau/s\t"
     "saddle depth [nat]\tmiddle tau/s\tmiddle depth [nat]\tforward depth [nat]",
     minima},
    {"critical", "the separations at which the picture changes: a fold, three equal minima",
     "m/s\tmu/s\ttau/s\twhich", critical},
    {0}};
