#include "numerics/truncation.h"

#include "numerics/hermite_nodes.h"
#include "numerics/vector_math.h"

#include <math.h>
#include <string.h>

enum { FACE_ORDER = 4 };

/* Point i of the faces: coordinate i's face at +-radius, Hermite nodes in the others. */
static double face_point(size_t dim, size_t i, double radius, const ev_hermite_rule *rule,
                         double *x)
{
    size_t face = i % (2 * dim), rest = i / (2 * dim);
    double weight = EV_INVERSE_SQRT_2PI * exp(-0.5 * radius * radius);
    for (size_t d = 0; d < dim; d++) {
        if (d == face / 2) {
            x[d] = face % 2 == 0 ? radius : -radius;
            continue;
        }
        x[d] = rule->nodes[rest % FACE_ORDER];
        weight *= rule->weights[rest % FACE_ORDER];
        rest /= FACE_ORDER;
    }
    return weight;
}

ev_status ev_face_mass(ev_evaluation *e, double radius, double *truncation)
{
    const ev_hermite_rule *rule;
    ev_status status = ev_hermite_nodes(FACE_ORDER, &rule);
    if (status != EV_OK)
        return status;
    double x[EV_QUADRATURE_MAX_DIM][EV_BLOCK], weight[EV_BLOCK];
    const double *rows[EV_QUADRATURE_MAX_DIM] = {x[0], x[1], x[2], x[3]};
    size_t dim = e->dim, points = 2 * dim;
    for (size_t d = 1; d < dim; d++)
        points *= FACE_ORDER;
    memset(truncation, 0, e->total * sizeof *truncation);
    for (size_t done = 0; done < points;) {
        size_t n = points - done < EV_BLOCK ? points - done : EV_BLOCK;
        for (size_t i = 0; i < n; i++) {
            double point[EV_QUADRATURE_MAX_DIM];
            weight[i] = face_point(dim, done + i, radius, rule, point);
            for (size_t d = 0; d < dim; d++)
                x[d][i] = point[d];
        }
        if (!ev_evaluation_block(e, n, rows))
            return EV_UNFIT;
        for (size_t k = 0; k < e->total; k++)
            truncation[k] += ev_weighted_magnitude(n, weight, e->out[k]);
        done += n;
    }
    return EV_OK;
}

enum { STEPS = 33, FAR_STEPS = 70, NEGLIGIBLE = 60, STEADY = 4 };

/* Does the mass rise steadily until it is cut off at step `end`, by the last radius or by overflow?
 * Rounding noise about 0 jumps, but not so often in a row against the falling density. */
static bool rises_until(const double *mass, size_t end)
{
    for (size_t j = end - STEADY + 1; j < end; j++)
        if (!(isfinite(mass[j - 1]) && mass[j] > mass[j - 1]))
            return false;
    return true;
}

/* The logarithm of the density times |f| at growing radii along one ray: true when a point
 * is above the three before it.  The first ones have fewer before them and must be far
 * above: next to a zero of f a single point means little.  A hump that stays e^-60 below the
 * magnitude seen inside can't matter (the far tail of a mixture's responsibilities turns up
 * so), unless it is still rising where sight ends. */
static bool grows(const double *f, const double *radii, double magnitude)
{
    double mass[STEPS], floor = magnitude > 0 ? log(magnitude) - NEGLIGIBLE : -HUGE_VAL;
    for (size_t j = 0; j < STEPS; j++)
        mass[j] = fabs(f[j]);
    ev_vector_log(STEPS, mass, mass);
    for (size_t j = 0; j < STEPS; j++)
        mass[j] -= 0.5 * radii[j] * radii[j];
    if ((mass[1] > floor && mass[1] > mass[0] + 20) ||
        (mass[2] > floor && mass[2] > fmax(mass[0], mass[1]) + 10))
        return true;
    for (size_t j = 3; j < STEPS; j++)
        if (mass[j] > floor && mass[j] > fmax(fmax(mass[j - 3], mass[j - 2]), mass[j - 1]))
            return true;
    for (size_t j = STEADY; j <= STEPS; j++)
        if ((j == STEPS || !isfinite(mass[j])) && rises_until(mass, j))
            return true;
    return false;
}

/* 0 or NaN everywhere: 0 times something that overflowed is still 0. */
static bool zero(const double *f, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fabs(f[i]) > 0)
            return false;
    return true;
}

/* f at steps radii along ray number ray, into e->out. */
static bool look_along(ev_evaluation *e, size_t ray, size_t steps, const double *radii)
{
    double x[EV_QUADRATURE_MAX_DIM][FAR_STEPS] = {{0}};
    const double *rows[EV_QUADRATURE_MAX_DIM] = {x[0], x[1], x[2], x[3]};
    for (size_t j = 0; j < steps; j++)
        x[ray / 2][j] = ray % 2 == 0 ? radii[j] : -radii[j];
    return ev_evaluation_block(e, steps, rows);
}

static bool zero_everywhere(const ev_integral *seen) { return !(seen->magnitude > 0); }

ev_status ev_survey_outside(ev_evaluation *e, double radius, const ev_integral *seen,
                            double *truncation)
{
    double near[STEPS], far[FAR_STEPS];
    bool far_too = false;
    for (size_t j = 0; j < STEPS; j++)
        near[j] = j == 0 ? 1.0003 * radius : 1.0501 * near[j - 1]; /* no round numbers */
    for (size_t j = 0; j < FAR_STEPS; j++)
        far[j] = j == 0 ? near[5] : 1.1 * far[j - 1];
    for (size_t k = 0; k < e->functions; k++)
        far_too |= zero_everywhere(&seen[k]);
    for (size_t ray = 0; ray < 2 * e->dim; ray++) {
        if (!look_along(e, ray, STEPS, near))
            return EV_UNFIT;
        for (size_t k = 0; k < e->functions; k++)
            if (grows(e->out[k], near, seen[k].magnitude))
                truncation[k] = HUGE_VAL;
        if (!far_too)
            continue;
        e->unexcused = true;
        bool seen_it = look_along(e, ray, FAR_STEPS, far);
        e->unexcused = false;
        if (!seen_it)
            return EV_UNFIT;
        for (size_t k = 0; k < e->functions; k++)
            if (zero_everywhere(&seen[k]) && !zero(e->out[k], FAR_STEPS))
                truncation[k] = HUGE_VAL;
    }
    return EV_OK;
}
