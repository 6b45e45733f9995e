/* GSL finds the nodes as eigenvalues, to an absolute error of a few ulp; its weights are
 * squared components of eigenvectors, whose relative error in the tails is unbounded, and
 * an integrand such as exp(x^2/4) needs the tails.  So each node is polished by Newton's
 * method on the orthonormal Hermite polynomial p_n and given Christoffel's weight
 *   w_i = 1 / sum_{k<n} p_k(x_i)^2,
 * a sum of positive terms, in long double.  G. H. Golub & J. H. Welsch, Math. Comp. 23,
 * 1969; W. Gautschi, "Orthogonal Polynomials", 2004, section 3.1. */
#include "numerics/hermite_nodes.h"

#include "numerics/gsl_quiet.h"

#include <gsl/gsl_integration.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static _Atomic(ev_hermite_rule *) cache[EV_HERMITE_MAX_ORDER + 1];

/* p_n(x) and p_{n-1}(x) by sqrt(k+1) p_{k+1} = x p_k - sqrt(k) p_{k-1}, and the sum of
 * the squares before p_n.  p_n' = sqrt(n) p_{n-1}. */
static long double orthonormal(size_t n, long double x, long double *before, long double *squares)
{
    long double previous = 0, current = 1, sum = 0;
    for (size_t k = 0; k < n; k++) {
        sum += current * current;
        long double next = (x * current - sqrtl((long double)k) * previous) /
                           sqrtl((long double)(k + 1));
        previous = current;
        current = next;
    }
    *before = previous;
    *squares = sum;
    return current;
}

static void polish(ev_hermite_rule *rule)
{
    size_t n = rule->order;
    long double root_n = sqrtl((long double)n), before, squares;
    for (size_t i = 0; i < n / 2; i++) {
        long double x = (long double)rule->nodes[n - 1 - i];
        for (int step = 0; step < 3; step++)
            x -= orthonormal(n, x, &before, &squares) / (root_n * before);
        (void)orthonormal(n, x, &before, &squares);
        rule->nodes[n - 1 - i] = (double)x;
        rule->nodes[i] = -(double)x;
        rule->weights[i] = rule->weights[n - 1 - i] = (double)(1 / squares);
    }
    if (n % 2 == 1) {
        (void)orthonormal(n, 0, &before, &squares);
        rule->nodes[n / 2] = 0;
        rule->weights[n / 2] = (double)(1 / squares);
    }
}

static ev_hermite_rule *compute(size_t order)
{
    ev_gsl_quiet();
    ev_hermite_rule *rule = malloc(sizeof *rule + 2 * order * sizeof(double));
    gsl_integration_fixed_workspace *w = gsl_integration_fixed_alloc(gsl_integration_fixed_hermite,
                                                                     order, 0, 0.5, 0, 0);
    if (rule != NULL && w != NULL) {
        rule->order = order;
        rule->nodes = (double *)(void *)(rule + 1);
        rule->weights = rule->nodes + order;
        memcpy(rule->nodes, gsl_integration_fixed_nodes(w), order * sizeof(double));
        polish(rule);
    } else {
        free(rule);
        rule = NULL;
    }
    if (w != NULL)
        gsl_integration_fixed_free(w);
    return rule;
}

/* Two threads may compute the same rule; one of them publishes it. */
ev_status ev_hermite_nodes(size_t order, const ev_hermite_rule **rule)
{
    if (order == 0 || order > EV_HERMITE_MAX_ORDER)
        return EV_BAD_INPUT;
    ev_hermite_rule *found = atomic_load_explicit(&cache[order], memory_order_acquire);
    if (found == NULL) {
        ev_hermite_rule *made = compute(order);
        if (made == NULL)
            return EV_NO_MEMORY;
        if (atomic_compare_exchange_strong(&cache[order], &found, made))
            found = made;
        else
            free(made);
    }
    *rule = found;
    return EV_OK;
}
