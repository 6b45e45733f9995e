#include "numerics/tensor_grid.h"

#include <math.h>
#include <string.h>

/* A block of points on its way to the integrand. */
typedef struct {
    ev_evaluation *e;
    size_t n;
    bool alternate;
    double x[EV_QUADRATURE_MAX_DIM][EV_BLOCK];
    double weight[EV_BLOCK], signed_weight[EV_BLOCK];
    ev_integral *out;
    double *carry; /* (total): what rounding took from the sums (A. Neumaier, ZAMM 54, 1974) */
} block;

static void add(double *sum, double *carry, double term)
{
    double grown = *sum + term;
    *carry += fabs(*sum) >= fabs(term) ? (*sum - grown) + term : (term - grown) + *sum;
    *sum = grown;
}

static bool flush(block *b)
{
    if (b->n == 0)
        return true;
    ev_evaluation *e = b->e;
    const double *x[EV_QUADRATURE_MAX_DIM];
    for (size_t d = 0; d < e->dim; d++)
        x[d] = b->x[d];
    if (!ev_evaluation_block(e, b->n, x))
        return false;
    for (size_t k = 0; k < e->total; k++) {
        add(&b->out[k].value, &b->carry[k], ev_weighted_sum(b->n, b->weight, e->out[k]));
        b->out[k].magnitude += ev_weighted_magnitude(b->n, b->weight, e->out[k]);
        if (b->alternate)
            b->out[k].error += ev_weighted_sum(b->n, b->signed_weight, e->out[k]);
    }
    b->n = 0;
    return true;
}

/* One line of the grid along coordinate 0: the others are at index[1 ..]. */
static bool add_line(block *b, size_t count, const double *nodes, const double *weights,
                     const size_t *index, double radius)
{
    size_t dim = b->e->dim, parity = 0;
    double weight = 1, square = 0;
    for (size_t d = 1; d < dim; d++) {
        weight *= weights[index[d]];
        square += nodes[index[d]] * nodes[index[d]];
        parity += index[d];
    }
    double room = radius * radius - square;
    for (size_t i = 0; i < count; i++) {
        if (nodes[i] * nodes[i] > room)
            continue;
        if (b->n == EV_BLOCK && !flush(b))
            return false;
        b->x[0][b->n] = nodes[i];
        for (size_t d = 1; d < dim; d++)
            b->x[d][b->n] = nodes[index[d]];
        double w = weight * weights[i];
        b->weight[b->n] = w;
        b->signed_weight[b->n] = (parity + i) % 2 == 0 ? w : -w;
        b->n++;
    }
    return true;
}

/* Step the odometer index[1 .. dim-1]; false when it has come round. */
static bool next_line(size_t dim, size_t count, size_t *index)
{
    for (size_t d = 1; d < dim; d++) {
        if (++index[d] < count)
            return true;
        index[d] = 0;
    }
    return false;
}

ev_status ev_tensor_sum(ev_evaluation *e, size_t count, const double *nodes, const double *weights,
                        double radius, bool alternate, ev_integral *out)
{
    block b;
    b.e = e;
    b.n = 0;
    b.alternate = alternate;
    b.out = out;
    b.carry = e->scratch;
    memset(out, 0, e->total * sizeof *out);
    memset(b.carry, 0, e->total * sizeof *b.carry);
    size_t index[EV_QUADRATURE_MAX_DIM] = {0};
    do {
        if (!add_line(&b, count, nodes, weights, index, radius))
            return EV_UNFIT;
    } while (next_line(e->dim, count, index));
    if (!flush(&b))
        return EV_UNFIT;
    for (size_t k = 0; k < e->total; k++) {
        out[k].value += b.carry[k];
        out[k].error = fabs(out[k].error);
    }
    return EV_OK;
}
