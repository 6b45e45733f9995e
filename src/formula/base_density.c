/* The densities everything is built from: Gaussian, Bernoulli, categorical; as nodes e^(log p),
 * so that logarithms and ratios stay in log space. */
#include "formula/elaborate.h"

#include <math.h>

static const double log_two_pi = 1.83787706640934548356;

static ev_node log_two_pi_node(ev_graph *g)
{
    return ev_graph_rounded_constant(g, log_two_pi, log_two_pi * 0x1p-53);
}

/* -(log 2 pi + log v + (x - m)^2 / v) / 2 for each coordinate of a diagonal covariance. */
static ev_node diagonal_log_density(ev_elaborator *e, const ev_tensor *x, const ev_tensor *mean,
                                    const ev_tensor *covariance)
{
    ev_graph *g = e->graph;
    size_t n = x->rows;
    ev_node two = ev_graph_constant(g, 2.0), sum = 0;
    for (size_t j = 0; j < n; j++) {
        ev_node v = covariance->rank == 0 ? covariance->nodes[0] : covariance->nodes[j * n + j];
        ev_node d = ev_graph_sub(g, x->nodes[j], mean->nodes[j]);
        ev_node log_v = ev_graph_add(g, log_two_pi_node(g), ev_graph_log(g, v));
        ev_node term = ev_graph_add(g, log_v, ev_graph_div(g, ev_graph_pow(g, d, two), v));
        sum = sum == 0 ? term : ev_graph_add(g, sum, term);
    }
    return ev_graph_mul(g, ev_graph_constant(g, -0.5), sum);
}

/* By y = L^-1 (x - m) and log det = 2 sum log L_ii. */
static ev_node full_log_density(ev_elaborator *e, const ev_syntax *at, const ev_tensor *x,
                                const ev_tensor *mean, const ev_tensor *covariance)
{
    ev_graph *g = e->graph;
    size_t n = x->rows;
    const ev_tensor *L = ev_tensor_cholesky(e, at, covariance);
    ev_tensor *y = ev_tensor_new(e, 1, n, 1);
    if (L == NULL || y == NULL)
        return 0;
    ev_node two = ev_graph_constant(g, 2.0), sum = 0;
    for (size_t i = 0; i < n; i++) {
        ev_node rest = ev_graph_sub(g, x->nodes[i], mean->nodes[i]);
        for (size_t k = 0; k < i; k++)
            rest = ev_graph_sub(g, rest, ev_graph_mul(g, L->nodes[i * n + k], y->nodes[k]));
        y->nodes[i] = ev_graph_div(g, rest, L->nodes[i * n + i]);
        ev_node log_l = ev_graph_mul(g, two, ev_graph_log(g, L->nodes[i * n + i]));
        ev_node term = ev_graph_add(g, ev_graph_add(g, log_two_pi_node(g), log_l),
                                    ev_graph_pow(g, y->nodes[i], two));
        sum = sum == 0 ? term : ev_graph_add(g, sum, term);
    }
    return ev_graph_mul(g, ev_graph_constant(g, -0.5), sum);
}

static bool remember(ev_elaborator *e, const ev_tensor *x, const ev_tensor *mean,
                     const ev_tensor *covariance, ev_node density)
{
    for (size_t i = 0; i < ev_tensor_count(x); i++)
        if (ev_graph_op(e->graph, x->nodes[i]) != EV_OP_VARIABLE)
            return true;
    if (!ev_array_reserve(&e->seen, e->seen_count, &e->seen_capacity, sizeof *e->seen)) {
        ev_error_set(e->error, EV_NO_MEMORY, "out of memory");
        return false;
    }
    e->seen[e->seen_count++] = (ev_seen_density){x, mean, covariance, density};
    return true;
}

ev_node ev_normal_density(ev_elaborator *e, const ev_syntax *at, const ev_tensor *x,
                          const ev_tensor *mean, const ev_tensor *covariance)
{
    char a[48], b[48];
    if (x == NULL || mean == NULL || covariance == NULL)
        return 0;
    if (x->rank > 1 || x->row || mean->rank != x->rank || mean->row || mean->rows != x->rows) {
        ev_elaborate_fail(e, at, "\\mathcal{N} of %s with the mean %s", ev_tensor_describe(x, a),
                          ev_tensor_describe(mean, b));
        return 0;
    }
    bool fits = x->rank == 0 ? covariance->rank == 0
                             : covariance->rank == 2 && covariance->rows == x->rows &&
                                   covariance->cols == x->rows;
    if (!fits) {
        ev_elaborate_fail(e, at, "\\mathcal{N} of %s needs a %s, not %s", ev_tensor_describe(x, a),
                          x->rank == 0
                              ? "variance (a scalar)"
                              : "covariance matrix: \\operatorname{diag}(\\sigma^2), LL^\\top",
                          ev_tensor_describe(covariance, b));
        return 0;
    }
    bool diagonal = covariance->rank == 0 || ev_tensor_is_diagonal(e, covariance);
    ev_node log_density = diagonal ? diagonal_log_density(e, x, mean, covariance)
                                   : full_log_density(e, at, x, mean, covariance);
    ev_node density = ev_graph_unary(e->graph, EV_OP_EXP, log_density);
    return density != 0 && remember(e, x, mean, covariance, density) ? density : 0;
}

/* prod_i p_i^x_i (1 - p_i)^(1 - x_i). */
static ev_node bernoulli(ev_elaborator *e, const ev_syntax *at, const ev_tensor *x,
                         const ev_tensor *p)
{
    ev_graph *g = e->graph;
    char a[48], b[48];
    if (x->rank > 1 || p->rank != x->rank || p->rows != x->rows) {
        ev_elaborate_fail(e, at, "\\mathrm{Ber} of %s with the mean %s", ev_tensor_describe(x, a),
                          ev_tensor_describe(p, b));
        return 0;
    }
    ev_node one = ev_graph_constant(g, 1.0), sum = 0;
    for (size_t i = 0; i < x->rows; i++) {
        ev_node xi = x->nodes[i], yes = ev_graph_log(g, p->nodes[i]);
        ev_node no = ev_graph_log(g, ev_graph_sub(g, one, p->nodes[i]));
        ev_node term;
        if (ev_graph_op(g, xi) == EV_OP_CONSTANT)
            term = ev_graph_constant_value(g, xi) == 1.0   ? yes
                   : ev_graph_constant_value(g, xi) == 0.0 ? no
                                                           : 0;
        else
            term = ev_graph_add(g, ev_graph_mul(g, xi, yes),
                                ev_graph_mul(g, ev_graph_sub(g, one, xi), no));
        sum = sum == 0 ? term : ev_graph_add(g, sum, term);
    }
    return ev_graph_unary(g, EV_OP_EXP, sum);
}

static ev_node categorical(ev_elaborator *e, const ev_syntax *at, const ev_tensor *weights)
{
    long c;
    char a[48];
    if (weights->rank != 1 || weights->unsized) {
        ev_elaborate_fail(e, at, "the weights of \\mathrm{Cat} are a vector, not %s",
                          ev_tensor_describe(weights, a));
        return 0;
    }
    if (!ev_elaborate_integer(e, at->children[0], &c))
        return 0;
    if (e->trial && (c < 1 || (size_t)c > weights->rows))
        c = 1;
    if (c < 1 || (size_t)c > weights->rows) {
        ev_elaborate_fail(e, at, "\\mathrm{Cat}: %ld is outside 1 to %zu", c, weights->rows);
        return 0;
    }
    return weights->nodes[c - 1];
}

const ev_tensor *ev_elaborate_base_density(ev_elaborator *e, const ev_syntax *at)
{
    if (at->kind == EV_SYNTAX_CATEGORICAL) {
        const ev_tensor *weights = ev_elaborate(e, at->children[1]);
        ev_node mass = weights == NULL ? 0 : categorical(e, at, weights);
        return mass == 0 ? NULL : ev_tensor_scalar(e, mass);
    }
    const ev_tensor *x = ev_elaborate(e, at->children[0]);
    const ev_tensor *mean = x == NULL ? NULL
                                      : ev_tensor_sized(e, ev_elaborate(e, at->children[1]),
                                                        x->rank, x->rows);
    if (mean == NULL)
        return NULL;
    ev_node density;
    if (at->kind == EV_SYNTAX_BERNOULLI) {
        density = bernoulli(e, at, x, mean);
    } else {
        const ev_tensor *covariance = ev_elaborate(e, at->children[2]);
        if (covariance != NULL && x->rank == 1)
            covariance = ev_tensor_sized(e, covariance, 2, x->rows);
        density = ev_normal_density(e, at, x, mean, covariance);
    }
    return density == 0 ? NULL : ev_tensor_scalar(e, density);
}
