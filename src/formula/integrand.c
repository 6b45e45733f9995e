/* An integrand read as a product: the guides taken out of it, branch by branch. */
#include "formula/integrand.h"

#include <stdlib.h>
#include <string.h>

/* ---- branches ---- */

static bool push(ev_integrand *c, ev_branch_list *list, const ev_branch *b)
{
    if (list->count == EV_MAX_BRANCHES) {
        ev_error_set(c->e->error, EV_BAD_INPUT, "an integral with more than %d mixture components",
                     EV_MAX_BRANCHES);
        return false;
    }
    if (!ev_array_reserve(&list->items, list->count, &list->capacity, sizeof *list->items)) {
        ev_error_set(c->e->error, EV_NO_MEMORY, "out of memory");
        return false;
    }
    list->items[list->count++] = *b;
    return true;
}

static bool guided(const ev_integrand *c, const ev_branch_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        for (size_t v = 0; v < c->count; v++)
            if (list->items[i].guides[v].mean != NULL)
                return true;
    return false;
}

static bool push_value(ev_integrand *c, ev_branch_list *out, const ev_tensor *value)
{
    ev_branch b = {.rest = value};
    return value != NULL && push(c, out, &b);
}

static bool push_elaborated(ev_integrand *c, const ev_syntax *x, ev_branch_list *out)
{
    return push_value(c, out, ev_elaborate(c->e, x));
}

static bool is_plain(const ev_integrand *c, const ev_branch *b, size_t v)
{
    const ev_tensor *s = b->guides[v].covariance;
    return !ev_integrand_depends(c, b->rest, c->variables[v]) &&
           (s->rank == 0 || ev_tensor_is_diagonal(c->e, s));
}

/* The product of two diagonal Gaussians is a Gaussian but for a factor:
 *   v = v1 v2 / (v1 + v2),  m = (m1 v2 + m2 v1) / (v1 + v2). */
static bool product_guide(ev_integrand *c, const ev_guide *a, const ev_guide *b, ev_guide *out)
{
    ev_graph *g = c->e->graph;
    size_t n = a->mean->rows;
    bool scalar = a->mean->rank == 0;
    ev_tensor *mean = ev_tensor_new(c->e, a->mean->rank, n, 1);
    ev_tensor *covariance = ev_tensor_new(c->e, scalar ? 0 : 2, n, n);
    if (mean == NULL || covariance == NULL)
        return false;
    for (size_t i = 0; !scalar && i < n * n; i++)
        covariance->nodes[i] = ev_graph_constant(g, 0.0);
    for (size_t j = 0; j < n; j++) {
        size_t at = scalar ? 0 : j * n + j;
        ev_node v1 = a->covariance->nodes[at], v2 = b->covariance->nodes[at];
        ev_node sum = ev_graph_add(g, v1, v2);
        covariance->nodes[at] = ev_graph_div(g, ev_graph_mul(g, v1, v2), sum);
        mean->nodes[j] = ev_graph_div(g,
                                      ev_graph_add(g, ev_graph_mul(g, a->mean->nodes[j], v2),
                                                   ev_graph_mul(g, b->mean->nodes[j], v1)),
                                      sum);
    }
    *out = (ev_guide){mean, covariance};
    return true;
}

/* Both guide the same variable.  Two plain Gaussian factors: their product guides, and the rest takes
 * what it lacks.  Else the second is an ordinary factor. */
static bool merge_guides(ev_integrand *c, const ev_syntax *at, const ev_branch *a,
                         const ev_branch *b, size_t v, ev_branch *out)
{
    ev_elaborator *e = c->e;
    const ev_tensor *variable = c->variables[v];
    const ev_guide *p = &a->guides[v], *q = &b->guides[v];
    ev_node factor = ev_normal_density(e, at, variable, q->mean, q->covariance);
    if (is_plain(c, a, v) && is_plain(c, b, v)) {
        ev_node first = ev_normal_density(e, at, variable, p->mean, p->covariance);
        if (!product_guide(c, p, q, &out->guides[v]))
            return false;
        ev_node both = ev_normal_density(e, at, variable, out->guides[v].mean,
                                         out->guides[v].covariance);
        factor = ev_graph_div(e->graph, ev_graph_mul(e->graph, first, factor), both);
    }
    out->rest = factor == 0 ? NULL : ev_tensor_scale(e, out->rest, factor);
    return out->rest != NULL;
}

static bool merge(ev_integrand *c, const ev_syntax *at, const ev_branch *a, const ev_branch *b,
                  ev_branch *out)
{
    *out = *a;
    out->rest = ev_tensor_multiply(c->e, at, a->rest, b->rest);
    for (size_t v = 0; v < c->count && out->rest != NULL; v++) {
        if (b->guides[v].mean == NULL)
            continue;
        if (a->guides[v].mean == NULL)
            out->guides[v] = b->guides[v];
        else if (!merge_guides(c, at, a, b, v, out))
            return false;
    }
    return out->rest != NULL;
}

bool ev_branch_multiply(ev_integrand *c, const ev_syntax *at, ev_branch_list *a,
                        const ev_branch_list *b)
{
    ev_branch_list product = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < a->count; i++)
        for (size_t j = 0; ok && j < b->count; j++) {
            ev_branch both;
            ok = merge(c, at, &a->items[i], &b->items[j], &both) && push(c, &product, &both);
        }
    free(a->items);
    *a = product;
    return ok;
}

/* ---- factors ---- */

bool ev_integrand_variable(const ev_integrand *c, const ev_tensor *x, size_t *which)
{
    for (size_t v = 0; v < c->count; v++) {
        const ev_tensor *variable = c->variables[v];
        if (x->rank == variable->rank && ev_tensor_count(x) == ev_tensor_count(variable) &&
            memcmp(x->nodes, variable->nodes, ev_tensor_count(x) * sizeof *x->nodes) == 0) {
            *which = v;
            return true;
        }
    }
    return false;
}

bool ev_integrand_depends(const ev_integrand *c, const ev_tensor *t, const ev_tensor *variable)
{
    for (size_t i = 0; i < ev_tensor_count(t); i++)
        for (size_t j = 0; j < ev_tensor_count(variable); j++)
            if (ev_graph_depends(c->e->graph, t->nodes[i], variable->nodes[j]))
                return true;
    return false;
}

static bool collect_normal(ev_integrand *c, const ev_syntax *x, ev_branch_list *out)
{
    ev_elaborator *e = c->e;
    const ev_tensor *left = ev_elaborate(e, x->children[0]);
    size_t v;
    if (left == NULL)
        return false;
    if (!ev_integrand_variable(c, left, &v))
        return push_elaborated(c, x, out);
    const ev_tensor *mean = ev_tensor_sized(e, ev_elaborate(e, x->children[1]), left->rank,
                                            left->rows);
    const ev_tensor *covariance = mean == NULL ? NULL : ev_elaborate(e, x->children[2]);
    if (covariance != NULL && left->rank == 1)
        covariance = ev_tensor_sized(e, covariance, 2, left->rows);
    if (covariance == NULL)
        return false;
    /* The printed density also checks the shapes. */
    if (ev_normal_density(e, x, left, mean, covariance) == 0)
        return false;
    if (ev_integrand_depends(c, mean, c->variables[v]) ||
        ev_integrand_depends(c, covariance, c->variables[v]))
        return push_elaborated(c, x, out);
    ev_branch b = {.rest = ev_tensor_scalar(e, ev_graph_constant(e->graph, 1.0))};
    b.guides[v] = (ev_guide){mean, covariance};
    return b.rest != NULL && push(c, out, &b);
}

static bool collect_product(ev_integrand *c, const ev_syntax *x, ev_branch_list *out)
{
    if (!ev_integrand_collect(c, x->children[0], out))
        return false;
    bool ok = true;
    for (size_t i = 1; ok && i < x->child_count; i++) {
        ev_branch_list next = {0};
        ok = ev_integrand_collect(c, x->children[i], &next) && ev_branch_multiply(c, x, out, &next);
        free(next.items);
    }
    return ok;
}

/* Without a guide in it a sum is one value. */
static bool collapse_or_keep(ev_integrand *c, const ev_syntax *x, ev_branch_list *out,
                             ev_branch_list *found)
{
    bool keep = guided(c, found), ok = true;
    for (size_t i = 0; keep && ok && i < found->count; i++)
        ok = push(c, out, &found->items[i]);
    return keep ? ok : push_elaborated(c, x, out);
}

static bool collect_sum(ev_integrand *c, const ev_syntax *x, ev_branch_list *out)
{
    ev_elaborator *e = c->e;
    long low, high;
    if (e->table->symbols[x->symbol].kind != EV_SYMBOL_INTEGER)
        return push_elaborated(c, x, out);
    if (!ev_elaborate_range(e, x, &low, &high))
        return false;
    if (high - low >= EV_MAX_BRANCHES)
        return push_elaborated(c, x, out);
    ev_meaning saved = e->meanings[x->symbol];
    ev_branch_list found = {0};
    bool ok = true;
    for (long i = low; ok && i <= high; i++) {
        e->meanings[x->symbol] = (ev_meaning){.integer = i, .bound = true};
        ok = ev_integrand_collect(c, x->children[0], &found);
        if (i == low && ok && !guided(c, &found))
            break;
    }
    e->meanings[x->symbol] = saved;
    ok = ok && collapse_or_keep(c, x, out, &found);
    free(found.items);
    return ok;
}

static bool collect_addition(ev_integrand *c, const ev_syntax *x, ev_branch_list *out)
{
    ev_branch_list a = {0}, b = {0};
    bool ok = ev_integrand_collect(c, x->children[0], &a) &&
              ev_integrand_collect(c, x->children[1], &b);
    for (size_t i = 0; ok && x->kind == EV_SYNTAX_SUB && i < b.count; i++) {
        b.items[i].rest = ev_tensor_map(c->e, b.items[i].rest, EV_OP_NEG);
        ok = b.items[i].rest != NULL;
    }
    for (size_t i = 0; ok && i < b.count; i++)
        ok = push(c, &a, &b.items[i]);
    ok = ok && collapse_or_keep(c, x, out, &a);
    free(a.items);
    free(b.items);
    return ok;
}

static bool collect_quotient(ev_integrand *c, const ev_syntax *x, ev_branch_list *out)
{
    size_t first = out->count;
    const ev_tensor *below = ev_elaborate(c->e, x->children[1]);
    if (below == NULL || !ev_integrand_collect(c, x->children[0], out))
        return false;
    for (size_t i = first; i < out->count; i++) {
        out->items[i].rest = ev_tensor_divide(c->e, x, out->items[i].rest, below);
        if (out->items[i].rest == NULL)
            return false;
    }
    return true;
}

/* An inner integral: merged when it holds the guide of an outer variable, else one value. */
static bool collect_integral(ev_integrand *c, const ev_syntax *x, ev_branch_list *out)
{
    ev_elaborator *e = c->e;
    size_t outer = c->count, n = x->variable_count;
    ev_meaning saved[EV_MAX_VARIABLES];
    if (outer + n > EV_MAX_VARIABLES)
        return push_elaborated(c, x, out);
    for (size_t i = 0; i < n; i++) {
        const ev_tensor *variable = ev_elaborate_variables(e, x->variables[i], false);
        if (variable == NULL)
            return false;
        saved[i] = e->meanings[x->variables[i]];
        e->meanings[x->variables[i]].value = variable;
        c->variables[c->count++] = variable;
    }
    ev_branch_list found = {0};
    bool ok = ev_integrand_collect(c, x->children[0], &found), merges = false;
    for (size_t i = 0; i < found.count; i++)
        for (size_t v = 0; v < outer; v++)
            merges |= found.items[i].guides[v].mean != NULL;
    for (size_t i = n; i-- > 0;)
        e->meanings[x->variables[i]] = saved[i];
    if (!merges)
        c->count = outer;
    for (size_t i = 0; ok && merges && i < found.count; i++)
        ok = push(c, out, &found.items[i]);
    free(found.items);
    return ok && (merges || push_elaborated(c, x, out));
}

static bool collect_application(ev_integrand *c, const ev_syntax *x, ev_branch_list *out)
{
    ev_elaborator *e = c->e;
    const ev_symbol *s = &e->table->symbols[x->symbol];
    if (s->kind != EV_SYMBOL_DEFINITION)
        return push_elaborated(c, x, out);
    ev_meaning saved[EV_MAX_VARIABLES];
    if (!ev_elaborate_bind(e, x, saved))
        return false;
    bool ok = ev_integrand_collect(c, s->definition->body, out);
    ev_elaborate_unbind(e, x, saved);
    return ok;
}

/* Append the branches of x (their sum is x). */
static bool collect_from(ev_integrand *c, const ev_syntax *x, ev_branch_list *out)
{
    size_t first;
    switch (x->kind) {
    case EV_SYNTAX_NORMAL: return collect_normal(c, x, out);
    case EV_SYNTAX_MUL: return collect_product(c, x, out);
    case EV_SYNTAX_SUM: return collect_sum(c, x, out);
    case EV_SYNTAX_ADD:
    case EV_SYNTAX_SUB: return collect_addition(c, x, out);
    case EV_SYNTAX_DIV: return collect_quotient(c, x, out);
    case EV_SYNTAX_INTEGRAL: return collect_integral(c, x, out);
    case EV_SYNTAX_APPLY: return collect_application(c, x, out);
    case EV_SYNTAX_NEG:
        first = out->count;
        if (!ev_integrand_collect(c, x->children[0], out))
            return false;
        for (size_t i = first; i < out->count; i++)
            if ((out->items[i].rest = ev_tensor_map(c->e, out->items[i].rest, EV_OP_NEG)) == NULL)
                return false;
        return true;
    default: return push_elaborated(c, x, out);
    }
}

bool ev_integrand_collect(ev_integrand *c, const ev_syntax *x, ev_branch_list *out)
{
    if (c->e->error->status != EV_OK)
        return false;
    /* Products append to their own list, so that ev_branch_multiply() sees only their branches. */
    ev_branch_list own = {0};
    bool ok = collect_from(c, x, &own);
    for (size_t i = 0; ok && i < own.count; i++)
        ok = push(c, out, &own.items[i]);
    free(own.items);
    return ok;
}
