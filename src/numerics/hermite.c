/* Tensor Gauss-Hermite rules. */
#include "numerics/evaluation.h"
#include "numerics/hermite_nodes.h"
#include "numerics/tensor_grid.h"

#include <math.h>

ev_status ev_hermite_run(ev_evaluation *e, size_t order, ev_integral *out)
{
    const ev_hermite_rule *rule;
    ev_status status = ev_hermite_nodes(order, &rule);
    if (status != EV_OK)
        return status;
    return ev_tensor_sum(e, order, rule->nodes, rule->weights, HUGE_VAL, false, out);
}

ev_status ev_magnitude_run(ev_evaluation *e, ev_integral *out)
{
    static const size_t orders[EV_QUADRATURE_MAX_DIM + 1] = {1, 64, 32, 16, 8};
    return ev_hermite_run(e, orders[e->dim], out);
}
