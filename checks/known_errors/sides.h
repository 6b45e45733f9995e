/* What the parts of the second voice of derivations/known_errors.md share. */
#ifndef EV_CHECKS_KNOWN_ERRORS_SIDES_H
#define EV_CHECKS_KNOWN_ERRORS_SIDES_H

#include "judge/check.h"

#include <math.h>
#include <stddef.h>

enum { MAX_J = 10, K = 3, D = 3 };

/* The first J (of MAX_J) coordinates are used; no two numbers alike. */
static const double MU[MAX_J] = {0.3, -1.2, 1.5, 0.7, -0.45, 1.1, -0.6, 0.2, 0.9, -0.1};
static const double LOG_VAR[MAX_J] = {0.6, -1.1, 0.25, -0.4, 1.3, -0.8, 0.5, 1.7, -0.2, 0.9};

static inline double rounding(double value) { return 1e-12 * (1 + fabs(value)); }
static inline double deviation(double log_var) { return exp(0.5 * log_var); }

/* One printed member, at one point, against our number. */
void errors_says(ev_check *check, const char *claim, size_t step, size_t member, size_t component,
                 size_t bindings, const ev_binding *at, double ours, double our_error);
/* Both sides of a wrong line, in closed form. */
void errors_differ(ev_check *check, const char *claim, double left, double right);

/* mixtures.c */
void errors_check_responsibilities(ev_check *check);
void errors_check_bound(ev_check *check);
void errors_assert_ten_dimensions(ev_check *check);
void errors_check_categories(ev_check *check);
void errors_decide_density_epsilon(ev_check *check);
/* penalties.c */
void errors_check_weights(ev_check *check);
void errors_check_penalties(ev_check *check);
void errors_decide_clamp(ev_check *check);
/* codes.c */
void errors_check_quantisation(ev_check *check);
void errors_decide_unused_code(ev_check *check);

#endif
