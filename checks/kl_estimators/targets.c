/* The targets of the study: targets.h. */
#include "targets.h"

#include "numerics/minimise.h"
#include "numerics/quadrature.h"
#include "probability/gaussian.h"
#include "probability/log_space.h"

#include <math.h>
#include <string.h>

/* 0.35 N(-1, 0.5^2) + 0.65 N(1, 0.6^2), times 3: the constant is nobody's business. */
static double two_humps(const double *x, double *gradient)
{
    static const double mu[2] = {-1, 1}, sigma[2] = {0.5, 0.6}, pi[2] = {0.35, 0.65};
    double each[2], total;
    for (int k = 0; k < 2; k++)
        each[k] = log(3 * pi[k]) + ev_gaussian_scalar_log_density(x[0], mu[k], sigma[k]);
    total = ev_log_add_exp(each[0], each[1]);
    if (gradient != NULL) {
        gradient[0] = 0;
        for (int k = 0; k < 2; k++)
            gradient[0] += exp(each[k] - total) * (mu[k] - x[0]) / (sigma[k] * sigma[k]);
    }
    return total;
}

/* -(x^2 - 1)^2/2 + x/2: no constant in closed form. */
static double double_well(const double *x, double *gradient)
{
    double square = x[0] * x[0] - 1;
    if (gradient != NULL)
        gradient[0] = -2 * x[0] * square + 0.5;
    return -square * square / 2 + x[0] / 2;
}

/* A normal of width 0.5 to the left of 0, 1.3 to the right; the slope is continuous. */
static double split_normal(const double *x, double *gradient)
{
    double width = x[0] < 0 ? 0.5 : 1.3, u = x[0] / width;
    if (gradient != NULL)
        gradient[0] = -u / width;
    return -u * u / 2;
}

/* x_1 ~ N(0, 1), x_2 ~ N(-1.2 cos x_1, 0.5^2). */
static double crescent(const double *x, double *gradient)
{
    double u = (x[1] + 1.2 * cos(x[0])) / 0.5;
    if (gradient != NULL) {
        gradient[0] = -x[0] + u / 0.5 * 1.2 * sin(x[0]);
        gradient[1] = -u / 0.5;
    }
    return -(x[0] * x[0] + u * u) / 2;
}

/* x = log g, g ~ Gamma(2). */
static double log_gamma_2(const double *x, double *gradient)
{
    if (gradient != NULL)
        gradient[0] = 2 - exp(x[0]);
    return 2 * x[0] - exp(x[0]);
}

const study_target STUDY[STUDY_TARGETS] = {{"two humps", 1, two_humps},
                                           {"double well", 1, double_well},
                                           {"split normal", 1, split_normal},
                                           {"crescent", 2, crescent}};
const study_target STUDY_LOG_GAMMA = {"log gamma", 1, log_gamma_2};

/* The middle of a cell of [-10, 10]. */
static double cell(size_t i) { return -10 + 20 * ((double)i + 0.5) / STUDY_CELLS; }

/* The crescent in closed form: E cos x = e^(-1/2), E cos^2 x = (1 + e^-2)/2. */
static study_truth know_crescent(const study_target *target)
{
    double cosine = exp(-0.5), spread = (1 + exp(-2)) / 2 - cosine * cosine;
    return (study_truth){.of = target,
                         .log_z = EV_LOG_2PI + log(0.5),
                         .mean = {0, -1.2 * cosine},
                         .variance = {1, 0.25 + 1.44 * spread}};
}

study_truth study_know(const study_target *target)
{
    study_truth p = {.of = target};
    double mass = 0, mean = 0, second = 0;
    if (target->dim > 1)
        return know_crescent(target);
    for (size_t i = 0; i < STUDY_CELLS; i++) {
        double x = cell(i), f = exp(target->log_f(&x, NULL)) * 20 / STUDY_CELLS;
        mass += f;
        mean += f * x;
        second += f * x * x;
        p.cumulative[i + 1] = mass;
    }
    for (size_t i = 0; i <= STUDY_CELLS; i++)
        p.cumulative[i] /= mass;
    p.log_z = log(mass);
    p.mean[0] = mean / mass;
    p.variance[0] = second / mass - p.mean[0] * p.mean[0];
    return p;
}

/* The place below which a share u of p lies. */
static double quantile(const study_truth *p, double u)
{
    size_t low = 0, high = STUDY_CELLS;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (p->cumulative[middle] <= u)
            low = middle;
        else
            high = middle;
    }
    double share = (u - p->cumulative[low]) / (p->cumulative[high] - p->cumulative[low]);
    return cell(low) + (share - 0.5) * 20 / STUDY_CELLS;
}

void study_draw(const study_truth *p, const ev_stream *stream, uint64_t offset, size_t n, double *x)
{
    if (p->of->dim == 1) {
        ev_stream_uniforms(stream, offset, n, x);
        for (size_t i = 0; i < n; i++)
            x[i] = quantile(p, x[i]);
        return;
    }
    ev_stream_normals(stream, 2 * offset, 2 * n, x);
    for (size_t i = 0; i < n; i++)
        x[2 * i + 1] = -1.2 * cos(x[2 * i]) + 0.5 * x[2 * i + 1];
}

double study_log_q(size_t dim, const double *phi, const double *x)
{
    double sum = 0;
    for (size_t j = 0; j < dim; j++)
        sum += ev_gaussian_scalar_log_density(x[j], phi[j], exp(phi[dim + j]));
    return sum;
}

void study_score(size_t dim, const double *phi, const double *x, double *score)
{
    for (size_t j = 0; j < dim; j++) {
        double e = (x[j] - phi[j]) * exp(-phi[dim + j]);
        score[j] = e * exp(-phi[dim + j]);
        score[dim + j] = e * e - 1;
    }
}

double study_cross_entropy(const study_truth *p, const double *phi)
{
    size_t dim = p->of->dim;
    double sum = 0;
    for (size_t j = 0; j < dim; j++) {
        double width = exp(phi[dim + j]), shift = p->mean[j] - phi[j];
        sum += EV_LOG_2PI / 2 + phi[dim + j] +
               (p->variance[j] + shift * shift) / (2 * width * width);
    }
    return sum;
}

void study_forward_minimiser(const study_truth *p, double *phi)
{
    for (size_t j = 0; j < p->of->dim; j++) {
        phi[j] = p->mean[j];
        phi[p->of->dim + j] = 0.5 * log(p->variance[j]);
    }
}

/* With x = m + exp(l) e, KL(q||p) = E[-sum l - e^2/2 - log(2 pi)/2 - log f(x)] + log Z.  Adds one
 * point of weight w. */
static void add_point(const study_truth *p, const double *phi, const double *e, double w,
                      double *value, double *gradient)
{
    size_t dim = p->of->dim;
    double x[STUDY_DIM] = {0}, slope[STUDY_DIM];
    for (size_t j = 0; j < dim; j++)
        x[j] = phi[j] + exp(phi[dim + j]) * e[j];
    double log_f = p->of->log_f(x, slope);
    *value += w * (p->log_z - log_f);
    for (size_t j = 0; j < dim; j++) {
        *value -= w * (phi[dim + j] + e[j] * e[j] / 2 + EV_LOG_2PI / 2);
        if (gradient == NULL)
            continue;
        gradient[j] -= w * slope[j];
        gradient[dim + j] -= w * (slope[j] * exp(phi[dim + j]) * e[j] + 1);
    }
}

double study_reverse(const study_truth *p, const double *phi, double *gradient)
{
    const size_t dim = p->of->dim, side = dim == 1 ? 1921 : 81, rows = dim == 1 ? 1 : side;
    const double h = 20.0 / (double)(side - 1);
    double value = 0;
    if (gradient != NULL)
        memset(gradient, 0, 2 * dim * sizeof *gradient);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < side; i++) {
            double e[STUDY_DIM] = {-10 + h * (double)i, -10 + h * (double)r}, w = 1;
            for (size_t j = 0; j < dim; j++)
                w *= h * exp(ev_gaussian_scalar_log_density(e[j], 0, 1));
            if (w > 1e-18)
                add_point(p, phi, e, w, &value, gradient);
        }
    return value;
}

static int reverse_objective(void *context, size_t n, const double *phi, double *value,
                             double *gradient)
{
    for (size_t k = 0; k < n; k++)
        if (!(fabs(phi[k]) < 8))
            return 1;
    *value = study_reverse(context, phi, gradient);
    return 0;
}

bool study_reverse_minimiser(const study_truth *p, double *phi)
{
    study_truth copy = *p;
    size_t dim = p->of->dim;
    double worst = 0;
    for (int start = 0; start < 5; start++) {
        double at[STUDY_PHI], value, norm;
        for (size_t j = 0; j < dim; j++) {
            at[j] = 0.7 * (start - 2);
            at[dim + j] = start % 2 == 0 ? -0.7 : 0.4;
        }
        if (ev_minimise(reverse_objective, &copy, 2 * dim, at, 1e-9, 500, &value, &norm) != EV_OK)
            return false;
        for (size_t k = 0; start > 0 && k < 2 * dim; k++)
            worst = fmax(worst, fabs(at[k] - phi[k]));
        memcpy(phi, at, 2 * dim * sizeof *phi);
    }
    return worst < 1e-6;
}

typedef struct {
    const study_truth *p;
    const double *phi;
} slope_problem;

static int slope_block(void *context, size_t worker, size_t n, const double *const *e,
                       double *const *out)
{
    const slope_problem *of = context;
    size_t dim = of->p->of->dim;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double at[STUDY_DIM], gradient[STUDY_PHI] = {0}, value = 0;
        for (size_t j = 0; j < dim; j++)
            at[j] = e[j][i];
        add_point(of->p, of->phi, at, 1, &value, gradient);
        for (size_t k = 0; k < 2 * dim; k++)
            out[k][i] = gradient[k];
    }
    return 0;
}

static int weighted_block(void *context, size_t worker, size_t n, const double *const *e,
                          double *const *out)
{
    const slope_problem *of = context;
    size_t dim = of->p->of->dim;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double x[STUDY_DIM] = {0}, score[STUDY_PHI] = {0};
        for (size_t j = 0; j < dim; j++)
            x[j] = of->phi[j] + exp(of->phi[dim + j]) * e[j][i];
        study_score(dim, of->phi, x, score);
        double w = exp(of->p->of->log_f(x, NULL) - of->p->log_z - study_log_q(dim, of->phi, x));
        for (size_t k = 0; k < 2 * dim; k++)
            out[k][i] = -w * score[k];
    }
    return 0;
}

/* The largest of the means of a block, in size, by the other rule. */
static double largest_mean(ev_integrand block, const study_truth *p, const double *phi)
{
    slope_problem of = {p, phi};
    size_t dim = p->of->dim, evaluations;
    ev_integral found[STUDY_PHI];
    double worst = 0;
    ev_status status = dim == 1
                           ? ev_kronrod_expect(12, 1e-12, 1e-10, block, &of, 2, found, &evaluations)
                           : ev_hermite_expect(2, 80, block, &of, 4, found, &evaluations);
    for (size_t k = 0; k < 2 * dim; k++)
        worst = status == EV_OK ? fmax(worst, fabs(found[k].value)) : HUGE_VAL;
    return worst;
}

double study_reverse_slope(const study_truth *p, const double *phi)
{
    return largest_mean(slope_block, p, phi);
}

double study_forward_slope(const study_truth *p, const double *phi)
{
    return largest_mean(weighted_block, p, phi);
}
