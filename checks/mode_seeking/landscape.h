/* The landscape of KL(q||p), p = N(-m, 1)/2 + N(m, 1)/2, q = N(mu, tau^2), and all its stationary
 * points: what the parts of the second voice of derivations/mode_seeking.md share.  s = 1, since
 * only ratios matter. */
#ifndef EV_CHECKS_MODE_SEEKING_LANDSCAPE_H
#define EV_CHECKS_MODE_SEEKING_LANDSCAPE_H

#include "fixtures/worst.h"
#include "judge/check.h"

#include <math.h>
#include <stdbool.h>

/* What the document states, in units of s. */
static const double FOLD = 2.412229718, FOLD_MU = 2.14572365, FOLD_TAU = 1.29098513;
static const double EQUAL = 2.800082218;
static const struct {
    double tau, m;
} WIDTH[] = {{1, 1.460833960}, {0.5, 1.120449169}, {2, 2.545730804}, {4, 5.018367213}};
enum { WIDTHS = 4 };
/* Half a unit of the tenth significant digit, and a little for the last rounding. */
static const double TENTH_DIGIT = 5.1e-10;

/* The separations at which everything is counted: closer where something happens. */
static const double SEPARATION[] = {0.3, 0.6, 1.0, 1.2,  1.46, 1.8, 2.1, 2.3, 2.4, 2.412, 2.4125,
                                    2.5, 2.7, 2.8, 2.81, 3.0,  3.5, 4.0, 5.0, 6.0, 7.0,   8.0};
enum { SEPARATIONS = sizeof SEPARATION / sizeof *SEPARATION };

/* KL(q||p) and its derivatives. */
typedef struct {
    double value, mu, tau, mu_mu, mu_tau, tau_tau;
} landscape;
typedef landscape (*rule)(double m, double mu, double tau);

/* The two rules: split, which wants its table filled first, and raw. */
void mode_fill_table(void);
landscape mode_split(double m, double mu, double tau);
landscape mode_raw(double m, double mu, double tau);

typedef struct {
    double m, mu, tau;
} place;

/* Newton's method for both slopes; false when it does not settle. */
bool mode_newton(rule at, double m, double *mu, double *tau);
/* The outer minimum, from (m, 1); the middle one. */
bool mode_outer_minimum(rule at, double m, double *mu, double *tau);
bool mode_middle_minimum(rule at, double m, double *tau);

enum { MOST_POINTS = 16, DEEPEST = 40 };
typedef struct {
    double mu, tau, value;
    int index; /* 2: minimum, 1: saddle, 0: maximum (with tau fixed, 2 and 0) */
} point;

typedef struct {
    double m;
    bool fixed; /* tau does not move */
    size_t count, cells;
    bool failed;
    point points[MOST_POINTS];
} survey;

typedef struct {
    double mu, tau, half_mu, half_tau;
} cell;

/* survey.c: all stationary points, by exclusion; the box that holds them. */
cell mode_box_of(double m);
survey mode_survey_free(double m);
survey mode_survey_fixed(double m, double tau);
size_t mode_count_index(const survey *s, int index);
/* The least value, and at how many points it is attained; *middle: one of them is mu = 0. */
double mode_least_value(const survey *s, size_t *places, bool *middle);

typedef struct {
    survey at[SEPARATIONS];
    size_t cells, strays, minima_missed;
    bool failed;
    double turned; /* the largest distance of the number of turns from 1 */
} surveys;

void mode_take_surveys(surveys *all);
bool mode_sound(const surveys *all);

/* stationary.c */
void mode_decide_stationary(ev_check *check, const surveys *all);
void mode_decide_wide(ev_check *check, const surveys *all);
void mode_decide_fixed_width(ev_check *check);
/* tables.c */
void mode_decide_table(ev_check *check);
void mode_decide_fixed_table(ev_check *check);
void mode_decide_forward_table(ev_check *check);
void mode_definition_sides(ev_check *check);
void mode_mean_sides(ev_check *check);
void mode_hump_sides(ev_check *check);
void mode_decide_bimodal(ev_check *check);
void mode_decide_seeking(ev_check *check, const surveys *all);
/* changes.c */
void mode_decide_fold(ev_check *check, const surveys *all);
void mode_decide_equal(ev_check *check, const surveys *all);
void mode_decide_attained(ev_check *check, const surveys *all);
/* forward.c */
void mode_decide_forward(ev_check *check);
void mode_decide_penalty(ev_check *check);

#endif
