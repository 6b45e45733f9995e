/* Integrals and expectations: which density to whiten by.
 *
 *   1. The variables of the integral become VARIABLE nodes; its integrand is read as a product.
 *   2. integrand.c walks the factors, opening definitions, and takes out of them a "guide" for
 *      each continuous variable: a Gaussian factor of just that variable.  A sum of such factors
 *      (a mixture) gives one branch a component; an inner integral that holds the guide is merged
 *      (Fubini).  What is no guide is multiplied into the branch's rest.
 *   3. Each branch is whitened: z = m + L e in an order in which every guide depends only on
 *      variables placed before it; the branch is E[rest], e ~ N(0, I).
 *   4. A variable without a guide is integrated against the Gaussians of it that stand elsewhere
 *      under the integral, in equal parts, the rest divided by their sum.
 * Discrete variables are summed exactly. */
#include "formula/integrand.h"
#include "formula/occurrence.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_ASSIGNMENTS = 4096 };

/* w * g, taken into the sums of g where w may be 0: 0 log 0 = 0. */
static ev_node weigh(ev_graph *g, ev_node w, ev_node x, size_t depth)
{
    ev_op op = ev_graph_op(g, x);
    if (depth < 64 && (op == EV_OP_ADD || op == EV_OP_SUB)) {
        ev_node a = weigh(g, w, ev_graph_operand(g, x, 0), depth + 1);
        ev_node b = weigh(g, w, ev_graph_operand(g, x, 1), depth + 1);
        return op == EV_OP_ADD ? ev_graph_add(g, a, b) : ev_graph_sub(g, a, b);
    }
    if (depth < 64 && op == EV_OP_NEG)
        return ev_graph_neg(g, weigh(g, w, ev_graph_operand(g, x, 0), depth + 1));
    return ev_graph_mul(g, w, x);
}

static const ev_tensor *weighted(ev_elaborator *e, const ev_syntax *at, const ev_tensor *rest,
                                 const ev_tensor *body)
{
    if (rest->rank != 0)
        return ev_tensor_multiply(e, at, rest, body);
    bool may_vanish = ev_graph_sign(e->graph, rest->nodes[0]) == EV_SIGN_NONNEGATIVE;
    if (!may_vanish)
        return ev_tensor_scale(e, body, rest->nodes[0]);
    ev_tensor *t = ev_tensor_new(e, body->rank, body->rows, body->cols);
    for (size_t i = 0; t != NULL && i < ev_tensor_count(body); i++)
        t->nodes[i] = weigh(e->graph, rest->nodes[0], body->nodes[i], 0);
    if (t != NULL)
        t->row = body->row;
    return t;
}

typedef const ev_tensor *(*body_function)(ev_elaborator *e, const void *what);

static const ev_tensor *plain_body(ev_elaborator *e, const void *what)
{
    return ev_elaborate(e, what);
}

/* Continuous variables of `variables` become VARIABLE nodes; the value of
 * sum over branches of density times body. density NULL: the body is the whole integrand. */
static const ev_tensor *over_continuous(ev_elaborator *e, const ev_syntax *at, size_t n,
                                        const int *variables, size_t densities,
                                        const ev_syntax *const *density, body_function body,
                                        const void *what)
{
    ev_integrand c = {.e = e};
    ev_meaning saved[EV_MAX_VARIABLES];
    size_t bound = 0, seen = e->seen_count;
    const ev_tensor *total = NULL;
    ev_branch_list list = {0};
    for (; bound < n; bound++) {
        saved[bound] = e->meanings[variables[bound]];
        const ev_tensor *v = ev_elaborate_variables(e, variables[bound], false);
        if (v == NULL)
            goto done;
        e->meanings[variables[bound]].value = v;
        c.variables[c.count++] = v;
        c.own = c.count;
    }
    for (size_t d = 0; d < densities; d++) {
        ev_branch_list next = {0};
        bool ok = d == 0 ? ev_integrand_collect(&c, density[d], &list)
                         : ev_integrand_collect(&c, density[d], &next) &&
                               ev_branch_multiply(&c, at, &list, &next);
        free(next.items);
        if (!ok)
            goto done;
    }
    const ev_tensor *inside = body == NULL ? NULL : body(e, what);
    if (body != NULL && inside == NULL)
        goto done;
    /* Densities in the body are factors too: E_q[N] is the integral of a product. */
    if (body == plain_body && inside->rank == 0 && ev_integrand_holds_density(&c, inside)) {
        ev_branch_list factors = {0};
        bool ok = ev_integrand_collect(&c, what, &factors) &&
                  ev_branch_multiply(&c, at, &list, &factors);
        free(factors.items);
        if (!ok)
            goto done;
        inside = NULL;
    }
    for (size_t i = 0; i < list.count; i++) {
        ev_branch b = list.items[i];
        if (inside != NULL)
            b.rest = weighted(e, at, b.rest, inside);
        const ev_tensor *value = b.rest == NULL ? NULL : ev_branch_integrate(&c, at, &b);
        total = total == NULL || value == NULL ? value : ev_tensor_add(e, at, total, value, false);
        if (total == NULL)
            break;
    }
done:
    while (bound-- > 0)
        e->meanings[variables[bound]] = saved[bound];
    e->seen_count = seen;
    free(list.items);
    return total;
}

/* The next assignment of the discrete variables; false after the last. */
typedef struct {
    int symbols[EV_MAX_VARIABLES];
    long low[EV_MAX_VARIABLES], count[EV_MAX_VARIABLES], at[EV_MAX_VARIABLES];
    size_t n;
} odometer;

static bool start(ev_elaborator *e, const ev_syntax *at, size_t n, const int *variables,
                  odometer *o)
{
    o->n = 0;
    double assignments = 1;
    for (size_t i = 0; i < n; i++) {
        const ev_symbol *s = &e->table->symbols[variables[i]];
        bool binary = s->kind == EV_SYMBOL_REAL && s->domain.binary;
        if (s->kind != EV_SYMBOL_INTEGER && !binary)
            continue;
        size_t k = o->n++;
        o->symbols[k] = variables[i];
        o->at[k] = 0;
        long bits = s->rank == 0 ? 1 : ev_elaborate_dim(e, s->rows);
        o->low[k] = binary ? 0 : ev_elaborate_dim(e, s->low);
        o->count[k] = !binary     ? ev_elaborate_dim(e, s->high) - o->low[k] + 1
                      : bits > 20 ? MAX_ASSIGNMENTS + 1
                                  : 1L << bits;
        assignments *= (double)o->count[k];
        if (o->count[k] < 1 || assignments > MAX_ASSIGNMENTS) {
            ev_elaborate_fail(e, at,
                              "the discrete variables of this expectation have no values, or "
                              "more than %d",
                              MAX_ASSIGNMENTS);
            return false;
        }
    }
    return true;
}

static bool assign(ev_elaborator *e, const odometer *o)
{
    for (size_t k = 0; k < o->n; k++) {
        const ev_symbol *s = &e->table->symbols[o->symbols[k]];
        ev_meaning *m = &e->meanings[o->symbols[k]];
        if (s->kind == EV_SYMBOL_INTEGER) {
            *m = (ev_meaning){.integer = o->low[k] + o->at[k], .bound = true};
            continue;
        }
        size_t rows = s->rank == 0 ? 1 : (size_t)ev_elaborate_dim(e, s->rows);
        ev_tensor *x = ev_tensor_new(e, s->rank, rows, 1);
        if (x == NULL)
            return false;
        for (size_t i = 0; i < rows; i++)
            x->nodes[i] = ev_graph_constant(e->graph, (double)(o->at[k] >> i & 1));
        m->value = x;
    }
    return true;
}

static bool turn(odometer *o)
{
    for (size_t k = 0; k < o->n; k++) {
        if (++o->at[k] < o->count[k])
            return true;
        o->at[k] = 0;
    }
    return false;
}

static const ev_tensor *expect(ev_elaborator *e, const ev_syntax *at, size_t n,
                               const int *variables, size_t densities,
                               const ev_syntax *const *density, body_function body,
                               const void *what)
{
    int continuous[EV_MAX_VARIABLES];
    size_t m = 0;
    odometer o;
    if (!start(e, at, n, variables, &o))
        return NULL;
    for (size_t i = 0; i < n; i++) {
        const ev_symbol *s = &e->table->symbols[variables[i]];
        if (s->kind == EV_SYMBOL_REAL && !s->domain.binary)
            continuous[m++] = variables[i];
    }
    ev_meaning saved[EV_MAX_VARIABLES];
    for (size_t k = 0; k < o.n; k++)
        saved[k] = e->meanings[o.symbols[k]];
    const ev_tensor *total = NULL;
    do {
        const ev_tensor *value = assign(e, &o) ? over_continuous(e, at, m, continuous, densities,
                                                                 density, body, what)
                                               : NULL;
        total = total == NULL || value == NULL ? value : ev_tensor_add(e, at, total, value, false);
    } while (total != NULL && turn(&o));
    for (size_t k = 0; k < o.n; k++)
        e->meanings[o.symbols[k]] = saved[k];
    return total;
}

static const ev_tensor *squared_body(ev_elaborator *e, const void *what)
{
    const ev_tensor *a = ev_elaborate(e, what);
    return a == NULL ? NULL : ev_tensor_entrywise(e, what, a, a, false);
}

const ev_tensor *ev_elaborate_integral(ev_elaborator *e, const ev_syntax *x)
{
    for (size_t i = 0; i < x->variable_count; i++)
        if (e->table->symbols[x->variables[i]].domain.binary)
            return ev_elaborate_fail(e, x, "an integral over a binary variable: a sum is meant");
    return over_continuous(e, x, x->variable_count, x->variables, 1, x->children, NULL, NULL);
}

const ev_tensor *ev_elaborate_expectation(ev_elaborator *e, const ev_syntax *x)
{
    int variables[EV_MAX_VARIABLES];
    const ev_syntax *densities[EV_MAX_VARIABLES];
    size_t n = x->variable_count, d = x->child_count - 1;
    if (n > 0)
        memcpy(variables, x->variables, n * sizeof *variables);
    for (size_t i = 0; i < d; i++)
        densities[i] = x->children[i + 1];
    if (d == 0) { /* over the random variables that the body holds */
        n = ev_occurring_random_variables(e->table, x->children[0], variables, EV_MAX_VARIABLES);
        for (; d < n; d++)
            densities[d] = e->table->symbols[variables[d]].sample_density;
        if (n == 0)
            return ev_elaborate_fail(e, x,
                                     "an expectation without a density, and no random variable "
                                     "declared with \\sim inside");
    }
    const ev_tensor *mean = expect(e, x, n, variables, d, densities, plain_body, x->children[0]);
    if (x->kind == EV_SYNTAX_EXPECT || mean == NULL)
        return mean;
    const ev_tensor *second = expect(e, x, n, variables, d, densities, squared_body,
                                     x->children[0]);
    const ev_tensor *square = second == NULL ? NULL : ev_tensor_entrywise(e, x, mean, mean, false);
    return square == NULL ? NULL : ev_tensor_add(e, x, second, square, true);
}

/* ---- divergences ---- */

typedef struct {
    const ev_syntax *first, *second; /* log first - log second; either may be NULL */
    const ev_syntax *second_of;      /* variables of second are those of first, in order */
} log_ratio;

static size_t density_variables(const ev_symbol_table *table, const ev_syntax *density, int *out)
{
    size_t n = 0;
    if (density->kind == EV_SYNTAX_MUL) {
        for (size_t i = 0; i < density->child_count; i++)
            n += density_variables(table, density->children[i], out + n);
        return n;
    }
    size_t left = density->kind == EV_SYNTAX_APPLY
                      ? table->symbols[density->symbol].definition->left_count
                      : 1;
    for (size_t i = 0; i < left; i++)
        out[n++] = density->children[i]->symbol;
    return n;
}

static const ev_tensor *log_of(ev_elaborator *e, const ev_syntax *density)
{
    const ev_tensor *value = ev_elaborate(e, density);
    if (value != NULL && value->rank != 0)
        return ev_elaborate_fail(e, density, "a density must be a scalar");
    return value == NULL ? NULL : ev_tensor_map(e, value, EV_OP_LOG);
}

/* The second density is taken at the values of the first one's variables. */
static const ev_tensor *log_second(ev_elaborator *e, const log_ratio *r)
{
    int q[EV_MAX_VARIABLES], p[EV_MAX_VARIABLES];
    ev_meaning saved[EV_MAX_VARIABLES];
    size_t n = density_variables(e->table, r->second_of, q);
    density_variables(e->table, r->second, p);
    for (size_t i = 0; i < n; i++)
        saved[i] = e->meanings[p[i]];
    for (size_t i = 0; i < n; i++) {
        const ev_symbol *a = &e->table->symbols[p[i]], *b = &e->table->symbols[q[i]];
        if (p[i] != q[i] && (a->kind != b->kind || a->rank != b->rank))
            return ev_elaborate_fail(e, r->second, "%s and %s are variables of different types",
                                     a->name, b->name);
        e->meanings[p[i]] = e->meanings[q[i]];
    }
    const ev_tensor *value = log_of(e, r->second);
    for (size_t i = n; i-- > 0;)
        if (p[i] != q[i])
            e->meanings[p[i]] = saved[i];
    return value;
}

static const ev_tensor *ratio_body(ev_elaborator *e, const void *what)
{
    const log_ratio *r = what;
    const ev_tensor *first = r->first == NULL ? NULL : log_of(e, r->first);
    if (r->second == NULL || (r->first != NULL && first == NULL))
        return first;
    const ev_tensor *second = log_second(e, r);
    if (second == NULL)
        return NULL;
    return first == NULL ? ev_tensor_map(e, second, EV_OP_NEG)
                         : ev_tensor_add(e, r->second, first, second, true);
}

const ev_tensor *ev_elaborate_divergence(ev_elaborator *e, const ev_syntax *x)
{
    log_ratio r = {.first = x->children[0],
                   .second_of = x->children[0],
                   .second = x->child_count == 2 ? x->children[1] : NULL};
    if (x->kind == EV_SYNTAX_CROSS_ENTROPY)
        r.first = NULL;
    const ev_tensor *value = expect(e, x, x->variable_count, x->variables, 1, x->children,
                                    ratio_body, &r);
    return value != NULL && x->kind == EV_SYNTAX_ENTROPY ? ev_tensor_map(e, value, EV_OP_NEG)
                                                         : value;
}

/* ---- samples ---- */

/* One sample's row, as the density's variable. */
static const ev_tensor *sample_row(ev_elaborator *e, const ev_symbol *s, const ev_tensor *all,
                                   size_t l)
{
    ev_tensor *row = ev_tensor_new(e, s->rank, s->rank == 0 ? 1 : all->cols, 1);
    if (row != NULL)
        memcpy(row->nodes, all->nodes + l * (s->rank == 0 ? 1 : all->cols),
               ev_tensor_count(row) * sizeof *row->nodes);
    return row;
}

static bool over_one_sample(ev_elaborator *e, const ev_symbol *s, const ev_tensor *row,
                            size_t count, ev_node *nodes)
{
    int variable;
    ev_integrand c = {.e = e, .variables = {row}, .count = 1, .own = 1};
    if (density_variables(e->table, s->sample_density, &variable) != 1)
        return false;
    ev_meaning saved = e->meanings[variable];
    e->meanings[variable].value = row;
    ev_branch_list list = {0};
    bool ok = ev_integrand_collect(&c, s->sample_density, &list);
    for (size_t i = 0; ok && i < count; i++) {
        bool needed = false;
        for (size_t j = 0; j < ev_tensor_count(row); j++)
            needed |= ev_graph_depends(e->graph, nodes[i], row->nodes[j]);
        ev_node sum = needed ? 0 : nodes[i];
        for (size_t k = 0; ok && needed && k < list.count; k++) {
            ev_branch b = list.items[k];
            b.rest = ev_tensor_scale(e, b.rest, nodes[i]);
            const ev_tensor *value = b.rest == NULL
                                         ? NULL
                                         : ev_branch_integrate(&c, s->sample_density, &b);
            ok = value != NULL;
            if (ok)
                sum = sum == 0 ? value->nodes[0] : ev_graph_add(e->graph, sum, value->nodes[0]);
        }
        nodes[i] = sum;
    }
    free(list.items);
    e->meanings[variable] = saved;
    return ok;
}

bool ev_elaborate_over_samples(ev_elaborator *e, int symbol, const ev_tensor *variables,
                               size_t count, ev_node *nodes)
{
    const ev_symbol *s = &e->table->symbols[symbol];
    for (size_t l = 0; l < variables->rows; l++) {
        const ev_tensor *row = sample_row(e, s, variables, l);
        if (row == NULL || !over_one_sample(e, s, row, count, nodes))
            return false;
    }
    return true;
}
