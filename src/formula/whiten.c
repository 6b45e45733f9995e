/* From a branch with its guides to a standard-normal expectation. */
#include "formula/integrand.h"
#include "formula/reach.h"

#include <string.h>

typedef struct {
    ev_node *from, *to, *coordinates;
    size_t count, coordinate_count;
    bool placed[EV_MAX_VARIABLES];
} placement;

static const ev_tensor *substituted(ev_elaborator *e, const ev_tensor *t, const placement *p)
{
    ev_tensor *copy = ev_tensor_new(e, t->rank, t->rows, t->cols);
    for (size_t i = 0; copy != NULL && i < ev_tensor_count(t); i++) {
        copy->nodes[i] = ev_graph_substitute(e->graph, t->nodes[i], p->count, p->from, p->to);
        if (copy->nodes[i] == 0) {
            ev_error_set(e->error, EV_NO_MEMORY, "out of memory");
            return NULL;
        }
    }
    if (copy != NULL)
        copy->row = t->row, copy->unsized = t->unsized;
    return copy;
}

/* A variable that an inner integral brought into other branches means nothing to this one. */
static bool foreign(const ev_integrand *c, const ev_branch *b, size_t v)
{
    if (v < c->own || b->guides[v].mean != NULL ||
        ev_integrand_depends(c, b->rest, c->variables[v]))
        return false;
    for (size_t w = 0; w < c->count; w++)
        if (b->guides[w].mean != NULL &&
            (ev_integrand_depends(c, b->guides[w].mean, c->variables[v]) ||
             ev_integrand_depends(c, b->guides[w].covariance, c->variables[v])))
            return false;
    return true;
}

static bool ready(const ev_integrand *c, const ev_branch *b, const placement *p, size_t v)
{
    for (size_t w = 0; w < c->count; w++)
        if (!p->placed[w] && (ev_integrand_depends(c, b->guides[v].mean, c->variables[w]) ||
                              ev_integrand_depends(c, b->guides[v].covariance, c->variables[w])))
            return false;
    return true;
}

/* z_i = m_i + sum_k L_ik e_k. */
static bool place(ev_integrand *c, const ev_syntax *at, const ev_branch *b, placement *p, size_t v)
{
    ev_elaborator *e = c->e;
    ev_graph *g = e->graph;
    const ev_tensor *mean = substituted(e, b->guides[v].mean, p);
    const ev_tensor *covariance = mean == NULL ? NULL : substituted(e, b->guides[v].covariance, p);
    if (covariance == NULL)
        return false;
    size_t n = ev_tensor_count(c->variables[v]), first = p->coordinate_count;
    const ev_tensor *L = covariance->rank == 0 ? ev_tensor_map(e, covariance, EV_OP_SQRT)
                                               : ev_tensor_cholesky(e, at, covariance);
    if (L == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        p->coordinates[p->coordinate_count++] = ev_graph_new_coordinate(g);
    for (size_t i = 0; i < n; i++) {
        ev_node z = mean->nodes[i];
        for (size_t k = 0; k <= i; k++) {
            ev_node l = L->nodes[i * (L->rank == 0 ? 0 : n) + (L->rank == 0 ? 0 : k)];
            bool zero = ev_graph_op(g, l) == EV_OP_CONSTANT && ev_graph_constant_value(g, l) == 0.0;
            if (!zero)
                z = ev_graph_add(g, z, ev_graph_mul(g, l, p->coordinates[first + k]));
        }
        p->from[p->count] = c->variables[v]->nodes[i];
        p->to[p->count] = z;
        p->count++;
    }
    p->placed[v] = true;
    return true;
}

static bool place_all(ev_integrand *c, const ev_syntax *at, const ev_branch *b, placement *p)
{
    size_t total = 0;
    for (size_t v = 0; v < c->count; v++)
        total += ev_tensor_count(c->variables[v]);
    p->from = ev_arena_array(c->e->arena, total + 1, sizeof *p->from);
    p->to = ev_arena_array(c->e->arena, total + 1, sizeof *p->to);
    p->coordinates = ev_arena_array(c->e->arena, total + 1, sizeof *p->coordinates);
    if (p->from == NULL || p->to == NULL || p->coordinates == NULL) {
        ev_error_set(c->e->error, EV_NO_MEMORY, "out of memory");
        return false;
    }
    size_t placed = 0;
    for (size_t v = 0; v < c->count; v++)
        if (foreign(c, b, v))
            p->placed[v] = true, placed++;
    while (placed < c->count) {
        size_t v = 0;
        while (v < c->count && (p->placed[v] || b->guides[v].mean == NULL || !ready(c, b, p, v)))
            v++;
        if (v == c->count) {
            ev_elaborate_fail(c->e, at,
                              "the densities under this integral depend on each other in "
                              "a circle");
            return false;
        }
        if (!place(c, at, b, p, v))
            return false;
        placed++;
    }
    return true;
}

static const ev_tensor *whiten(ev_integrand *c, const ev_syntax *at, const ev_branch *b)
{
    placement p = {0};
    if (!place_all(c, at, b, &p))
        return NULL;
    const ev_tensor *inner = substituted(c->e, b->rest, &p);
    ev_tensor *value = inner == NULL ? NULL
                                     : ev_tensor_new(c->e, inner->rank, inner->rows, inner->cols);
    for (size_t i = 0; value != NULL && i < ev_tensor_count(inner); i++)
        value->nodes[i] = ev_graph_expect(c->e->graph, inner->nodes[i], p.coordinate_count,
                                          p.coordinates);
    if (value != NULL)
        value->row = inner->row;
    return value;
}

/* ---- variables without a guide ---- */

static bool same_density(const ev_seen_density *a, const ev_seen_density *b)
{
    size_t m = ev_tensor_count(a->mean), s = ev_tensor_count(a->covariance);
    return a->variable->nodes[0] == b->variable->nodes[0] && ev_tensor_count(b->mean) == m &&
           ev_tensor_count(b->covariance) == s &&
           memcmp(a->mean->nodes, b->mean->nodes, m * sizeof(ev_node)) == 0 &&
           memcmp(a->covariance->nodes, b->covariance->nodes, s * sizeof(ev_node)) == 0;
}

/* The different Gaussians of variable v that were met, those that don't depend on it. */
static size_t candidates(const ev_integrand *c, size_t v, size_t limit,
                         const ev_seen_density **found)
{
    size_t n = 0;
    for (size_t i = 0; i < c->e->seen_count && n < limit; i++) {
        const ev_seen_density *s = &c->e->seen[i];
        size_t which;
        bool fits = ev_integrand_variable(c, s->variable, &which) && which == v &&
                    !ev_integrand_depends(c, s->mean, c->variables[v]) &&
                    !ev_integrand_depends(c, s->covariance, c->variables[v]);
        for (size_t k = 0; fits && k < n; k++)
            fits = !same_density(found[k], s);
        if (fits)
            found[n++] = s;
    }
    return n;
}

/* integral h = sum_k E_{N_k}[h / sum_i N_i]. */
static const ev_tensor *by_importance(ev_integrand *c, const ev_syntax *at, const ev_branch *b,
                                      size_t v)
{
    const ev_seen_density *found[16];
    ev_elaborator *e = c->e;
    size_t n = candidates(c, v, 16, found);
    if (n == 0)
        return ev_elaborate_fail(e, at,
                                 "no density of the variable of integration stands under this "
                                 "integral: it can't be computed");
    ev_seen_density chosen[16];
    for (size_t k = 0; k < n; k++)
        chosen[k] = *found[k];
    ev_node sum = 0;
    for (size_t k = 0; k < n; k++) {
        ev_node density = ev_normal_density(e, at, c->variables[v], chosen[k].mean,
                                            chosen[k].covariance);
        sum = sum == 0 ? density : ev_graph_add(e->graph, sum, density);
    }
    if (sum == 0)
        return NULL;
    const ev_tensor *total = NULL;
    for (size_t k = 0; k < n; k++) {
        ev_branch part = *b;
        part.guides[v] = (ev_guide){chosen[k].mean, chosen[k].covariance};
        part.rest = ev_tensor_divide(e, at, b->rest, ev_tensor_scalar(e, sum));
        const ev_tensor *value = part.rest == NULL ? NULL : ev_branch_integrate(c, at, &part);
        total = total == NULL || value == NULL ? value : ev_tensor_add(e, at, total, value, false);
        if (total == NULL)
            return NULL;
    }
    return total;
}

/* ---- densities in the integrand ---- */

/* Does the value of a Gaussian of one of the variables, not only its logarithm, stand in x? Such a
 * peak may be narrower than the density that the integral is whitened by. */
bool ev_integrand_holds_density(const ev_integrand *c, const ev_tensor *x)
{
    for (size_t k = 0; k < c->e->seen_count; k++) {
        size_t which;
        if (!ev_integrand_variable(c, c->e->seen[k].variable, &which))
            continue;
        for (size_t i = 0; i < ev_tensor_count(x); i++)
            if (ev_graph_reaches(c->e->graph, x->nodes[i], c->e->seen[k].density))
                return true;
    }
    return false;
}

const ev_tensor *ev_branch_integrate(ev_integrand *c, const ev_syntax *at, const ev_branch *b)
{
    for (size_t v = 0; v < c->count; v++)
        if (b->guides[v].mean == NULL && !foreign(c, b, v))
            return by_importance(c, at, b, v);
    return whiten(c, at, b);
}
