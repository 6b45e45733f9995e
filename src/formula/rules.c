/* The weights of a quadrature rule are its values on the functions that are 1 at one node and 0 at
 * the others; so the rule that integrates is asked, and no second table is kept. */
#include "formula/rules.h"

#include "base/arena.h"
#include "numerics/integrand.h"
#include "numerics/quadrature.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    ev_rule *rule;
    size_t met;
} probe;

static int indicate(void *context, size_t worker, size_t n, const double *const *x,
                    double *const *out)
{
    (void)worker;
    probe *p = context;
    if (n > p->rule->order - p->met)
        return 1;
    for (size_t k = 0; k < p->rule->order; k++)
        memset(out[k], 0, n * sizeof *out[k]);
    for (size_t i = 0; i < n; i++) {
        p->rule->nodes[p->met] = x[0][i];
        out[p->met++][i] = 1;
    }
    return 0;
}

static bool make(ev_rule *rule, size_t order)
{
    double *nodes = NULL;
    ev_integral *weights = NULL;
    size_t capacity = order, also = order, evaluations;
    bool ok = ev_array_reserve(&nodes, capacity, &capacity, sizeof *nodes) &&
              ev_array_reserve(&weights, also, &also, sizeof *weights);
    *rule = (ev_rule){.order = order, .nodes = nodes, .weights = ok ? nodes + order : NULL};
    probe p = {.rule = rule};
    ok = ok && ev_hermite_expect(1, order, indicate, &p, order, weights, &evaluations) == EV_OK &&
         p.met == order;
    for (size_t i = 0; ok && i < order; i++)
        rule->weights[i] = weights[i].value;
    free(weights);
    if (!ok) {
        free(nodes);
        *rule = (ev_rule){0};
    }
    return ok;
}

const ev_rule *ev_rules_get(ev_rules *rules, size_t order)
{
    for (size_t i = 0; i < rules->n; i++)
        if (rules->kept[i].order == order)
            return &rules->kept[i];
    ev_rule rule;
    if (order == 0 || !make(&rule, order))
        return NULL;
    size_t place = rules->n < EV_RULES_KEPT ? rules->n++ : EV_RULES_KEPT - 1;
    free(rules->kept[place].nodes);
    rules->kept[place] = rule;
    return &rules->kept[place];
}

void ev_rules_clear(ev_rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        free(rules->kept[i].nodes);
    rules->n = 0;
}
