/* Tensor trapezoidal rules on the whole space.
 *
 * 1. For f analytic in a strip the sum h sum_k f(kh) phi(kh) converges exponentially in
 *    1/h (L. N. Trefethen & J. A. C. Weideman, SIAM Review 56, 2014).  Its error is the
 *    density's transform on the dual lattice: exp(-2 pi^2/h^2) for f = 1.
 * 2. The points whose indices have an even sum form a lattice of half the density, a rule
 *    of its own.  The difference of the two rules costs nothing and is the error claimed;
 *    it is the error of the coarser one, so the claim is cautious.
 * 3. The lattice is shifted: none of its points is 0 or any other place where formulas
 *    like to be special, and odd singularities don't cancel.  Shifts cost no accuracy.
 * 4. Points of the box outside the ball |x| <= radius + 1/2 are left out: together they
 *    weigh less than what lies outside the box. */
#include "numerics/evaluation.h"
#include "numerics/tensor_grid.h"

#include <math.h>
#include <stdlib.h>

ev_status ev_trapezoid_run(ev_evaluation *e, double h, double radius, ev_integral *out)
{
    if (!(h > 0 && radius > 0 && isfinite(radius) && radius / h < 1e8))
        return EV_BAD_INPUT;
    const double shift = 0.3819660112501051; /* (3 - sqrt 5)/2 */
    double first = ceil(-radius / h - shift), last = floor(radius / h - shift);
    if (first > last)
        return EV_BAD_INPUT;
    size_t count = (size_t)(last - first) + 1;
    double *nodes = malloc(2 * count * sizeof *nodes);
    if (nodes == NULL)
        return EV_NO_MEMORY;
    double *weights = nodes + count;
    for (size_t i = 0; i < count; i++) {
        nodes[i] = (first + (double)i + shift) * h;
        weights[i] = h * EV_INVERSE_SQRT_2PI * exp(-0.5 * nodes[i] * nodes[i]);
    }
    ev_status status = ev_tensor_sum(e, count, nodes, weights, radius + 0.5, true, out);
    free(nodes);
    return status;
}
