/* Integrals and expectations: which density to whiten by.
 *
 *   1. The variables of the integral become VARIABLE nodes; its integrand is read as a product.
 *   2. collect() walks the factors, opening definitions, and takes out of it a "guide" for each
 *      continuous variable: a Gaussian factor of just that variable.  A sum of such factors (a
 *      mixture) gives one branch a component; an inner integral that holds the guide is merged
 *      (Fubini).  What is no guide is multiplied into the branch's rest.
 *   3. Each branch is whitened: z = m + L e in an order in which every guide depends only on
 *      variables placed before it; the branch is E[rest], e ~ N(0, I).
 *   4. A variable without a guide is integrated against the Gaussians of it that stand elsewhere
 *      under the integral, in equal parts, the rest divided by their sum.
 * Discrete variables are summed exactly. */
#include "formula/elaborate.h"
#include "formula/occurrence.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_VARIABLES = 16, MAX_BRANCHES = 4096, MAX_ASSIGNMENTS = 4096 };

typedef struct {
    const ev_tensor *mean, *covariance; /* NULL: none yet */
} guide;

typedef struct {
    const ev_tensor *rest;
    guide guides[MAX_VARIABLES];
} branch;

typedef struct {
    branch *items;
    size_t count, capacity;
} branch_list;

typedef struct {
    ev_elaborator *e;
    const ev_tensor *variables[MAX_VARIABLES]; /* VARIABLE nodes */
    size_t count;
    size_t own; /* the integral's own; those after came in with an inner integral */
} context;

static bool collect(context *c, const ev_syntax *x, branch_list *out);

/* ---- branches ---- */

static bool push(context *c, branch_list *list, const branch *b)
{
    if (list->count == MAX_BRANCHES) {
        ev_error_set(c->e->error, EV_BAD_INPUT, "an integral with more than %d mixture components",
                     MAX_BRANCHES);
        return false;
    }
    if (!ev_array_reserve(&list->items, list->count, &list->capacity, sizeof *list->items)) {
        ev_error_set(c->e->error, EV_NO_MEMORY, "out of memory");
        return false;
    }
    list->items[list->count++] = *b;
    return true;
}

static bool guided(const context *c, const branch_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        for (size_t v = 0; v < c->count; v++)
            if (list->items[i].guides[v].mean != NULL)
                return true;
    return false;
}

static bool push_value(context *c, branch_list *out, const ev_tensor *value)
{
    branch b = {.rest = value};
    return value != NULL && push(c, out, &b);
}

static bool push_elaborated(context *c, const ev_syntax *x, branch_list *out)
{
    return push_value(c, out, ev_elaborate(c->e, x));
}

/* Both guide the same variable: the second is an ordinary factor. */
static bool merge(context *c, const ev_syntax *at, const branch *a, const branch *b, branch *out)
{
    *out = *a;
    out->rest = ev_tensor_multiply(c->e, at, a->rest, b->rest);
    for (size_t v = 0; v < c->count && out->rest != NULL; v++) {
        if (b->guides[v].mean == NULL)
            continue;
        if (a->guides[v].mean == NULL) {
            out->guides[v] = b->guides[v];
            continue;
        }
        ev_node density = ev_normal_density(c->e, at, c->variables[v], b->guides[v].mean,
                                            b->guides[v].covariance);
        out->rest = density == 0 ? NULL : ev_tensor_scale(c->e, out->rest, density);
    }
    return out->rest != NULL;
}

static bool multiply(context *c, const ev_syntax *at, branch_list *a, const branch_list *b)
{
    branch_list product = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < a->count; i++)
        for (size_t j = 0; ok && j < b->count; j++) {
            branch both;
            ok = merge(c, at, &a->items[i], &b->items[j], &both) && push(c, &product, &both);
        }
    free(a->items);
    *a = product;
    return ok;
}

/* ---- factors ---- */

static bool is_variable(const context *c, const ev_tensor *x, size_t *which)
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

static bool depends(const context *c, const ev_tensor *t, const ev_tensor *variable)
{
    for (size_t i = 0; i < ev_tensor_count(t); i++)
        for (size_t j = 0; j < ev_tensor_count(variable); j++)
            if (ev_graph_depends(c->e->graph, t->nodes[i], variable->nodes[j]))
                return true;
    return false;
}

static bool collect_normal(context *c, const ev_syntax *x, branch_list *out)
{
    ev_elaborator *e = c->e;
    const ev_tensor *left = ev_elaborate(e, x->children[0]);
    size_t v;
    if (left == NULL)
        return false;
    if (!is_variable(c, left, &v))
        return push_elaborated(c, x, out);
    const ev_tensor *mean = ev_tensor_sized(e, ev_elaborate(e, x->children[1]), left->rank, left->rows);
    const ev_tensor *covariance = mean == NULL ? NULL : ev_elaborate(e, x->children[2]);
    if (covariance != NULL && left->rank == 1)
        covariance = ev_tensor_sized(e, covariance, 2, left->rows);
    if (covariance == NULL)
        return false;
    /* The printed density also checks the shapes. */
    if (ev_normal_density(e, x, left, mean, covariance) == 0)
        return false;
    if (depends(c, mean, c->variables[v]) || depends(c, covariance, c->variables[v]))
        return push_elaborated(c, x, out);
    branch b = {.rest = ev_tensor_scalar(e, ev_graph_constant(e->graph, 1.0))};
    b.guides[v] = (guide){mean, covariance};
    return b.rest != NULL && push(c, out, &b);
}

static bool collect_product(context *c, const ev_syntax *x, branch_list *out)
{
    if (!collect(c, x->children[0], out))
        return false;
    bool ok = true;
    for (size_t i = 1; ok && i < x->child_count; i++) {
        branch_list next = {0};
        ok = collect(c, x->children[i], &next) && multiply(c, x, out, &next);
        free(next.items);
    }
    return ok;
}

/* Without a guide in it a sum is one value. */
static bool collapse_or_keep(context *c, const ev_syntax *x, branch_list *out, branch_list *found)
{
    bool keep = guided(c, found), ok = true;
    for (size_t i = 0; keep && ok && i < found->count; i++)
        ok = push(c, out, &found->items[i]);
    return keep ? ok : push_elaborated(c, x, out);
}

static bool collect_sum(context *c, const ev_syntax *x, branch_list *out)
{
    ev_elaborator *e = c->e;
    long low, high;
    if (e->table->symbols[x->symbol].kind != EV_SYMBOL_INTEGER)
        return push_elaborated(c, x, out);
    if (!ev_elaborate_range(e, x, &low, &high))
        return false;
    if (high - low >= MAX_BRANCHES)
        return push_elaborated(c, x, out);
    ev_meaning saved = e->meanings[x->symbol];
    branch_list found = {0};
    bool ok = true;
    for (long i = low; ok && i <= high; i++) {
        e->meanings[x->symbol] = (ev_meaning){.integer = i, .bound = true};
        ok = collect(c, x->children[0], &found);
        if (i == low && ok && !guided(c, &found))
            break;
    }
    e->meanings[x->symbol] = saved;
    ok = ok && collapse_or_keep(c, x, out, &found);
    free(found.items);
    return ok;
}

static bool collect_addition(context *c, const ev_syntax *x, branch_list *out)
{
    branch_list a = {0}, b = {0};
    bool ok = collect(c, x->children[0], &a) && collect(c, x->children[1], &b);
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

static bool collect_quotient(context *c, const ev_syntax *x, branch_list *out)
{
    size_t first = out->count;
    const ev_tensor *below = ev_elaborate(c->e, x->children[1]);
    if (below == NULL || !collect(c, x->children[0], out))
        return false;
    for (size_t i = first; i < out->count; i++) {
        out->items[i].rest = ev_tensor_divide(c->e, x, out->items[i].rest, below);
        if (out->items[i].rest == NULL)
            return false;
    }
    return true;
}

/* An inner integral: merged when it holds the guide of an outer variable, else one value. */
static bool collect_integral(context *c, const ev_syntax *x, branch_list *out)
{
    ev_elaborator *e = c->e;
    size_t outer = c->count, n = x->variable_count;
    ev_meaning saved[MAX_VARIABLES];
    if (outer + n > MAX_VARIABLES)
        return push_elaborated(c, x, out);
    for (size_t i = 0; i < n; i++) {
        const ev_tensor *variable = ev_elaborate_variables(e, x->variables[i], false);
        if (variable == NULL)
            return false;
        saved[i] = e->meanings[x->variables[i]];
        e->meanings[x->variables[i]].value = variable;
        c->variables[c->count++] = variable;
    }
    branch_list found = {0};
    bool ok = collect(c, x->children[0], &found), merges = false;
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

static bool collect_application(context *c, const ev_syntax *x, branch_list *out)
{
    ev_elaborator *e = c->e;
    const ev_symbol *s = &e->table->symbols[x->symbol];
    if (s->kind != EV_SYMBOL_DEFINITION)
        return push_elaborated(c, x, out);
    ev_meaning saved[MAX_VARIABLES];
    if (!ev_elaborate_bind(e, x, saved))
        return false;
    bool ok = collect(c, s->definition->body, out);
    ev_elaborate_unbind(e, x, saved);
    return ok;
}

/* Append the branches of x (their sum is x). */
static bool collect_from(context *c, const ev_syntax *x, branch_list *out)
{
    size_t first;
    switch (x->kind) {
    case EV_SYNTAX_NORMAL: return collect_normal(c, x, out);
    case EV_SYNTAX_MUL: return collect_product(c, x, out);
    case EV_SYNTAX_SUM: return collect_sum(c, x, out);
    case EV_SYNTAX_ADD: case EV_SYNTAX_SUB: return collect_addition(c, x, out);
    case EV_SYNTAX_DIV: return collect_quotient(c, x, out);
    case EV_SYNTAX_INTEGRAL: return collect_integral(c, x, out);
    case EV_SYNTAX_APPLY: return collect_application(c, x, out);
    case EV_SYNTAX_NEG:
        first = out->count;
        if (!collect(c, x->children[0], out))
            return false;
        for (size_t i = first; i < out->count; i++)
            if ((out->items[i].rest = ev_tensor_map(c->e, out->items[i].rest, EV_OP_NEG)) == NULL)
                return false;
        return true;
    default: return push_elaborated(c, x, out);
    }
}

static bool collect(context *c, const ev_syntax *x, branch_list *out)
{
    if (c->e->error->status != EV_OK)
        return false;
    /* Products append to their own list, so that multiply() sees only their branches. */
    branch_list own = {0};
    bool ok = collect_from(c, x, &own);
    for (size_t i = 0; ok && i < own.count; i++)
        ok = push(c, out, &own.items[i]);
    free(own.items);
    return ok;
}

/* ---- whitening ---- */

typedef struct {
    ev_node *from, *to, *coordinates;
    size_t count, coordinate_count;
    bool placed[MAX_VARIABLES];
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
static bool foreign(const context *c, const branch *b, size_t v)
{
    if (v < c->own || b->guides[v].mean != NULL || depends(c, b->rest, c->variables[v]))
        return false;
    for (size_t w = 0; w < c->count; w++)
        if (b->guides[w].mean != NULL && (depends(c, b->guides[w].mean, c->variables[v]) ||
                                          depends(c, b->guides[w].covariance, c->variables[v])))
            return false;
    return true;
}

static bool ready(const context *c, const branch *b, const placement *p, size_t v)
{
    for (size_t w = 0; w < c->count; w++)
        if (!p->placed[w] && (depends(c, b->guides[v].mean, c->variables[w]) ||
                              depends(c, b->guides[v].covariance, c->variables[w])))
            return false;
    return true;
}

/* z_i = m_i + sum_k L_ik e_k. */
static bool place(context *c, const ev_syntax *at, const branch *b, placement *p, size_t v)
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

static bool place_all(context *c, const ev_syntax *at, const branch *b, placement *p)
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
            ev_elaborate_fail(c->e, at, "the densities under this integral depend on each other in "
                              "a circle");
            return false;
        }
        if (!place(c, at, b, p, v))
            return false;
        placed++;
    }
    return true;
}

static const ev_tensor *whiten(context *c, const ev_syntax *at, const branch *b)
{
    placement p = {0};
    if (!place_all(c, at, b, &p))
        return NULL;
    const ev_tensor *inner = substituted(c->e, b->rest, &p);
    ev_tensor *value = inner == NULL ? NULL : ev_tensor_new(c->e, inner->rank, inner->rows, inner->cols);
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
static size_t candidates(const context *c, size_t v, size_t limit, const ev_seen_density **found)
{
    size_t n = 0;
    for (size_t i = 0; i < c->e->seen_count && n < limit; i++) {
        const ev_seen_density *s = &c->e->seen[i];
        size_t which;
        bool fits = is_variable(c, s->variable, &which) && which == v &&
                    !depends(c, s->mean, c->variables[v]) && !depends(c, s->covariance, c->variables[v]);
        for (size_t k = 0; fits && k < n; k++)
            fits = !same_density(found[k], s);
        if (fits)
            found[n++] = s;
    }
    return n;
}

static const ev_tensor *finish(context *c, const ev_syntax *at, const branch *b);

/* integral h = sum_k E_{N_k}[h / sum_i N_i]. */
static const ev_tensor *by_importance(context *c, const ev_syntax *at, const branch *b, size_t v)
{
    const ev_seen_density *found[16];
    ev_elaborator *e = c->e;
    size_t n = candidates(c, v, 16, found);
    if (n == 0)
        return ev_elaborate_fail(e, at, "no density of the variable of integration stands under this "
                                 "integral: it can't be computed");
    ev_seen_density chosen[16];
    for (size_t k = 0; k < n; k++)
        chosen[k] = *found[k];
    ev_node sum = 0;
    for (size_t k = 0; k < n; k++) {
        ev_node density = ev_normal_density(e, at, c->variables[v], chosen[k].mean, chosen[k].covariance);
        sum = sum == 0 ? density : ev_graph_add(e->graph, sum, density);
    }
    if (sum == 0)
        return NULL;
    const ev_tensor *total = NULL;
    for (size_t k = 0; k < n; k++) {
        branch part = *b;
        part.guides[v] = (guide){chosen[k].mean, chosen[k].covariance};
        part.rest = ev_tensor_divide(e, at, b->rest, ev_tensor_scalar(e, sum));
        const ev_tensor *value = part.rest == NULL ? NULL : finish(c, at, &part);
        total = total == NULL || value == NULL ? value : ev_tensor_add(e, at, total, value, false);
        if (total == NULL)
            return NULL;
    }
    return total;
}

static const ev_tensor *finish(context *c, const ev_syntax *at, const branch *b)
{
    for (size_t v = 0; v < c->count; v++)
        if (b->guides[v].mean == NULL && !foreign(c, b, v))
            return by_importance(c, at, b, v);
    return whiten(c, at, b);
}

/* ---- the operators ---- */

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

/* Continuous variables of `variables` become VARIABLE nodes; the value of
 * sum over branches of density times body. density NULL: the body is the whole integrand. */
static const ev_tensor *over_continuous(ev_elaborator *e, const ev_syntax *at, size_t n,
                                        const int *variables, size_t densities,
                                        const ev_syntax *const *density, body_function body,
                                        const void *what)
{
    context c = {.e = e};
    ev_meaning saved[MAX_VARIABLES];
    size_t bound = 0, seen = e->seen_count;
    const ev_tensor *total = NULL;
    branch_list list = {0};
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
        branch_list next = {0};
        bool ok = d == 0 ? collect(&c, density[d], &list)
                         : collect(&c, density[d], &next) && multiply(&c, at, &list, &next);
        free(next.items);
        if (!ok)
            goto done;
    }
    const ev_tensor *inside = body == NULL ? NULL : body(e, what);
    if (body != NULL && inside == NULL)
        goto done;
    for (size_t i = 0; i < list.count; i++) {
        branch b = list.items[i];
        if (inside != NULL)
            b.rest = weighted(e, at, b.rest, inside);
        const ev_tensor *value = b.rest == NULL ? NULL : finish(&c, at, &b);
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
    int symbols[MAX_VARIABLES];
    long low[MAX_VARIABLES], count[MAX_VARIABLES], at[MAX_VARIABLES];
    size_t n;
} odometer;

static bool start(ev_elaborator *e, const ev_syntax *at, size_t n, const int *variables, odometer *o)
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
        o->count[k] = !binary ? ev_elaborate_dim(e, s->high) - o->low[k] + 1
                              : bits > 20 ? MAX_ASSIGNMENTS + 1 : 1L << bits;
        assignments *= (double)o->count[k];
        if (o->count[k] < 1 || assignments > MAX_ASSIGNMENTS) {
            ev_elaborate_fail(e, at, "the discrete variables of this expectation have no values, or "
                              "more than %d", MAX_ASSIGNMENTS);
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

static const ev_tensor *expect(ev_elaborator *e, const ev_syntax *at, size_t n, const int *variables,
                               size_t densities, const ev_syntax *const *density, body_function body,
                               const void *what)
{
    int continuous[MAX_VARIABLES];
    size_t m = 0;
    odometer o;
    if (!start(e, at, n, variables, &o))
        return NULL;
    for (size_t i = 0; i < n; i++) {
        const ev_symbol *s = &e->table->symbols[variables[i]];
        if (s->kind == EV_SYMBOL_REAL && !s->domain.binary)
            continuous[m++] = variables[i];
    }
    ev_meaning saved[MAX_VARIABLES];
    for (size_t k = 0; k < o.n; k++)
        saved[k] = e->meanings[o.symbols[k]];
    const ev_tensor *total = NULL;
    do {
        const ev_tensor *value = assign(e, &o) ? over_continuous(e, at, m, continuous, densities,
                                                                 density, body, what) : NULL;
        total = total == NULL || value == NULL ? value : ev_tensor_add(e, at, total, value, false);
    } while (total != NULL && turn(&o));
    for (size_t k = 0; k < o.n; k++)
        e->meanings[o.symbols[k]] = saved[k];
    return total;
}

static const ev_tensor *plain_body(ev_elaborator *e, const void *what)
{
    return ev_elaborate(e, what);
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
    int variables[MAX_VARIABLES];
    const ev_syntax *densities[MAX_VARIABLES];
    size_t n = x->variable_count, d = x->child_count - 1;
    if (n > 0)
        memcpy(variables, x->variables, n * sizeof *variables);
    for (size_t i = 0; i < d; i++)
        densities[i] = x->children[i + 1];
    if (d == 0) { /* over the random variables that the body holds */
        n = ev_occurring_random_variables(e->table, x->children[0], variables, MAX_VARIABLES);
        for (; d < n; d++)
            densities[d] = e->table->symbols[variables[d]].sample_density;
        if (n == 0)
            return ev_elaborate_fail(e, x, "an expectation without a density, and no random variable "
                                     "declared with \\sim inside");
    }
    const ev_tensor *mean = expect(e, x, n, variables, d, densities, plain_body, x->children[0]);
    if (x->kind == EV_SYNTAX_EXPECT || mean == NULL)
        return mean;
    const ev_tensor *second = expect(e, x, n, variables, d, densities, squared_body, x->children[0]);
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
                      ? table->symbols[density->symbol].definition->left_count : 1;
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
    int q[MAX_VARIABLES], p[MAX_VARIABLES];
    ev_meaning saved[MAX_VARIABLES];
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
    log_ratio r = {.first = x->children[0], .second_of = x->children[0],
                   .second = x->child_count == 2 ? x->children[1] : NULL};
    if (x->kind == EV_SYNTAX_CROSS_ENTROPY)
        r.first = NULL;
    const ev_tensor *value = expect(e, x, x->variable_count, x->variables, 1, x->children, ratio_body, &r);
    return value != NULL && x->kind == EV_SYNTAX_ENTROPY ? ev_tensor_map(e, value, EV_OP_NEG) : value;
}

/* ---- samples ---- */

/* One sample's row, as the density's variable. */
static const ev_tensor *sample_row(ev_elaborator *e, const ev_symbol *s, const ev_tensor *all, size_t l)
{
    ev_tensor *row = ev_tensor_new(e, s->rank, s->rank == 0 ? 1 : all->cols, 1);
    if (row != NULL)
        memcpy(row->nodes, all->nodes + l * (s->rank == 0 ? 1 : all->cols),
               ev_tensor_count(row) * sizeof *row->nodes);
    return row;
}

static bool over_one_sample(ev_elaborator *e, const ev_symbol *s, const ev_tensor *row, size_t count,
                            ev_node *nodes)
{
    int variable;
    context c = {.e = e, .variables = {row}, .count = 1, .own = 1};
    if (density_variables(e->table, s->sample_density, &variable) != 1)
        return false;
    ev_meaning saved = e->meanings[variable];
    e->meanings[variable].value = row;
    branch_list list = {0};
    bool ok = collect(&c, s->sample_density, &list);
    for (size_t i = 0; ok && i < count; i++) {
        bool needed = false;
        for (size_t j = 0; j < ev_tensor_count(row); j++)
            needed |= ev_graph_depends(e->graph, nodes[i], row->nodes[j]);
        ev_node sum = needed ? 0 : nodes[i];
        for (size_t k = 0; ok && needed && k < list.count; k++) {
            branch b = list.items[k];
            b.rest = ev_tensor_scale(e, b.rest, nodes[i]);
            const ev_tensor *value = b.rest == NULL ? NULL : finish(&c, s->sample_density, &b);
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

bool ev_elaborate_over_samples(ev_elaborator *e, int symbol, const ev_tensor *variables, size_t count,
                               ev_node *nodes)
{
    const ev_symbol *s = &e->table->symbols[symbol];
    for (size_t l = 0; l < variables->rows; l++) {
        const ev_tensor *row = sample_row(e, s, variables, l);
        if (row == NULL || !over_one_sample(e, s, row, count, nodes))
            return false;
    }
    return true;
}
