/* The weights of a quadrature rule are its values on the functions that are 1 at one node and 0 at
 * the others; so the rule that integrates is asked, and no second table is kept. */
#include "formula/rules.h"

#include "base/arena.h"
#include "numerics/integrand.h"
#include "numerics/quadrature.h"

#include <math.h>
#include <stdint.h>
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

static bool make_hermite(ev_rule *rule)
{
    ev_integral *weights = NULL;
    size_t order = rule->order, capacity = order, evaluations; /* grown to twice as many */
    probe p = {.rule = rule};
    bool ok = ev_array_reserve(&weights, order, &capacity, sizeof *weights) &&
              ev_hermite_expect(1, order, indicate, &p, order, weights, &evaluations) == EV_OK &&
              p.met == order;
    for (size_t i = 0; ok && i < order; i++)
        rule->weights[i] = weights[i].value;
    free(weights);
    return ok;
}

static void make_lattice(ev_rule *rule)
{
    const double step = 2 * (double)rule->radius / (double)rule->order;
    for (size_t i = 0; i < rule->order; i++) {
        const double x = step * ((double)i + 0.5) - (double)rule->radius;
        rule->nodes[i] = x;
        rule->weights[i] = step * 0.3989422804014326779 * exp(-0.5 * x * x);
    }
}

static const ev_rule *get(ev_rules *rules, size_t order, size_t radius)
{
    ev_rule rule = {.order = order, .radius = radius};
    size_t capacity = order; /* grown to twice as many */
    for (size_t i = 0; i < rules->n; i++)
        if (rules->kept[i].order == order && rules->kept[i].radius == radius)
            return &rules->kept[i];
    if (order == 0 || order > SIZE_MAX / 2 ||
        !ev_array_reserve(&rule.nodes, order, &capacity, sizeof *rule.nodes))
        return NULL;
    rule.weights = rule.nodes + order;
    if (radius > 0) {
        make_lattice(&rule);
    } else if (!make_hermite(&rule)) {
        free(rule.nodes);
        return NULL;
    }
    size_t place = rules->n < EV_RULES_KEPT ? rules->n++ : EV_RULES_KEPT - 1;
    free(rules->kept[place].nodes);
    rules->kept[place] = rule;
    return &rules->kept[place];
}

const ev_rule *ev_rules_get(ev_rules *rules, size_t order) { return get(rules, order, 0); }

const ev_rule *ev_rules_get_lattice(ev_rules *rules, size_t density, size_t radius)
{
    return get(rules, 2 * density * radius, radius);
}

void ev_rules_clear(ev_rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        free(rules->kept[i].nodes);
    rules->n = 0;
}
