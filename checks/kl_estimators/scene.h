/* The scenes of derivations/kl_estimators.md, and what its second voice knows of them: averages
 * by quadrature, and the minimisers of both divergences.
 *
 *   x     a point of R            e    the whitened point, x = phi_1 + exp(phi_2) e
 *   p     pi_1 N(mu_1, sigma_1^2) + pi_2 N(mu_2, sigma_2^2)
 *   q     N(phi_1, exp(2 phi_2)); phi[0] is the document's phi_1
 */
#ifndef EV_CHECKS_KL_ESTIMATORS_SCENE_H
#define EV_CHECKS_KL_ESTIMATORS_SCENE_H

#include "judge/check.h"
#include "numerics/monte_carlo.h"

#include <math.h>
#include <stdbool.h>

typedef struct {
    double pi[2], mu[2], sigma[2];
    double phi[2];
} scene;

double kl_log_p(const scene *s, double x);
/* d log p/dx. */
double kl_score_p(const scene *s, double x);
double kl_log_q(const double phi[2], double x);
/* grad_phi log q(x). */
void kl_score_q(const double phi[2], double x, double score[2]);

/* 1. Averages. -------------------------------------------------------------------------------
 *
 * Terms under q; each gradient takes two places, by phi_1 and by phi_2.  With x fixed,
 * grad k1 = score, grad k2 = k1 score, grad k3 = (1 - r) score. */
enum {
    K1,
    K2,
    K3,
    OTHER,
    WEIGHTED,
    WEIGHTLESS,
    DENSITY,
    SCORE,
    K1_SCORE = SCORE + 2,
    K2_SCORE = K1_SCORE + 2,
    K3_SCORE = K2_SCORE + 2,
    K3_LOSS = K3_SCORE + 2,
    DENSITY_SCORE = K3_LOSS + 2,
    WEIGHTED_SCORE = DENSITY_SCORE + 2,
    UNDER_Q = WEIGHTED_SCORE + 2
};
/* Terms under p. */
enum { CROSS, SELF, RATIO, P_SCORE, P_LOG_SCORE = P_SCORE + 2, UNDER_P = P_LOG_SCORE + 2 };

void kl_terms_under_q(const scene *s, double x, double *out);

/* An average of m terms over N(mean, width^2), for the integrators. */
typedef struct {
    const scene *s;
    double mean, width;
    void (*terms)(const scene *s, double x, double *out);
    size_t m;
} average;

/* The integrand of an average: context is an average. */
int kl_average_block(void *context, size_t worker, size_t n, const double *const *e,
                     double *const *out);
/* Add weight times the averages, by GSL's adaptive rule, to value and error. */
void kl_add_quadrature(average *a, double weight, double *value, double *error);
void kl_under_q(const scene *s, double value[UNDER_Q], double error[UNDER_Q]);

/* The averages of one scene, by quadrature, and the two divergences with their gradients. */
typedef struct {
    scene s;
    double q[UNDER_Q], q_error[UNDER_Q];
    double p[UNDER_P], p_error[UNDER_P];
    double reverse, reverse_error; /* KL(q||p) */
    double forward, forward_error; /* KL(p||q) */
    double reverse_gradient[2], forward_gradient[2], gradient_error[2];
} averages;

averages kl_take_averages(const scene *s);

/* 2. The scenarios. --------------------------------------------------------------------------
 *
 * KL(q||p) with the draw reparameterised, over n whitened points e with weights w: the
 * trapezoidal rule, or samples of equal weight. */
enum { GRID = 241, MAX_SAMPLES = 2048 };

typedef struct {
    const scene *s;
    size_t n;
    double e[MAX_SAMPLES], w[MAX_SAMPLES];
} reverse_problem;

void kl_fill_grid(reverse_problem *problem, const scene *s);
void kl_fill_draws(reverse_problem *problem, const scene *s, const ev_stream *stream, size_t n);
/* phi: the minimiser of KL(q||p), by BFGS from the scene's own. */
bool kl_minimise_reverse(reverse_problem *problem, double phi[2]);
/* The minimiser of KL(p||q): p's mean and the logarithm of its standard deviation. */
void kl_forward_minimiser(const scene *s, double phi[2]);

static inline double distance(const double a[2], const double b[2])
{
    return hypot(a[0] - b[0], a[1] - b[1]);
}

/* Does the interval of a sampled mean hold the value? */
static inline bool covers(const ev_sample_summary *drawn, double half_width, double value)
{
    return fabs(drawn->mean - value) <= half_width;
}

/* E_q[(p/q)^2] for p = N(0,1), q = N(0, ratio), over |x| <= radius. */
double kl_truncated_second_moment(double ratio, double radius);
/* Between radius 18 and 24: has the second moment settled, at its closed form? */
bool kl_settles(double ratio, double *near, double *far);

/* tricks.c */
void kl_decide_continuity(ev_check *check);
void kl_decide_reparameterisation_variance(ev_check *check);
void kl_decide_sample_minimiser(ev_check *check);
/* scenarios.c */
void kl_decide_scenario_1(ev_check *check, const averages *start);
void kl_decide_scenario_2(ev_check *check);
void kl_decide_scenario_2_reason(ev_check *check, const averages *a);
void kl_decide_scenario_3(ev_check *check, const averages *a);
/* weights.c */
void kl_decide_support(ev_check *check);
void kl_decide_weight_support(ev_check *check);
void kl_decide_collapse(ev_check *check);
void kl_decide_weight_variance(ev_check *check);
/* study.c */
void kl_decide_study(ev_check *check);
/* estimators.c */
void kl_decide_k2_bias(ev_check *check);
void kl_decide_descent(ev_check *check, const averages *start);
void kl_decide_table(ev_check *check);
void kl_decide_k3_tails(ev_check *check);

#endif
