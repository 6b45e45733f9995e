/* Derivatives, forward from the leaves: D[node] from D[operands], by the chain rule.
 *
 * D of an EXPECT is the EXPECT of D of its body, coordinates held fixed.  A derivative that
 * is 0 by construction has no node. */
#include "formula/graph_internal.h"

typedef struct {
    ev_graph *graph;
    ev_node node, a, b; /* f = op(a, b) */
    ev_node da, db;     /* 0: none */
} step;

static ev_node number(const step *s, double value) { return ev_graph_constant(s->graph, value); }
static ev_node times(const step *s, ev_node a, ev_node b) { return ev_graph_mul(s->graph, a, b); }
static ev_node over(const step *s, ev_node a, ev_node b) { return ev_graph_div(s->graph, a, b); }
static ev_node minus(const step *s, ev_node a, ev_node b) { return ev_graph_sub(s->graph, a, b); }
static ev_node of(const step *s, ev_op op, ev_node a) { return ev_graph_unary(s->graph, op, a); }

/* p da + q db, leaving out what has no derivative. */
static ev_node chain(const step *s, ev_node p, ev_node q)
{
    ev_node left = s->da == 0 ? 0 : times(s, p, s->da);
    ev_node right = s->db == 0 ? 0 : times(s, q, s->db);
    if (s->da == 0)
        return right;
    return s->db == 0 ? left : ev_graph_add(s->graph, left, right);
}

static ev_node of_difference(const step *s)
{
    if (s->db == 0)
        return s->da;
    return s->da == 0 ? ev_graph_neg(s->graph, s->db) : minus(s, s->da, s->db);
}

/* (a / b)' = (a' - f b') / b */
static ev_node of_quotient(const step *s)
{
    step difference = *s;
    difference.db = s->db == 0 ? 0 : times(s, s->node, s->db);
    return over(s, of_difference(&difference), s->b);
}

/* (a^b)' = b a^(b-1) a' + f log(a) b' */
static ev_node of_power(const step *s)
{
    ev_node by_base = 0, by_exponent = 0;
    if (s->da != 0)
        by_base = times(s, s->b, ev_graph_pow(s->graph, s->a, minus(s, s->b, number(s, 1))));
    if (s->db != 0)
        by_exponent = times(s, s->node, of(s, EV_OP_LOG, s->a));
    return chain(s, by_base, by_exponent);
}

/* (a log b)' = a' log b + a b' / b */
static ev_node of_xlogy(const step *s)
{
    ev_node left = s->da == 0 ? 0 : times(s, s->da, of(s, EV_OP_LOG, s->b));
    ev_node right = s->db == 0 ? 0 : over(s, times(s, s->a, s->db), s->b);
    if (s->da == 0)
        return right;
    return s->db == 0 ? left : ev_graph_add(s->graph, left, right);
}

/* The weights of a softmax: e^(a - f) and e^(b - f). */
static ev_node of_log_add_exp(const step *s)
{
    return chain(s, s->da == 0 ? 0 : of(s, EV_OP_EXP, minus(s, s->a, s->node)),
                 s->db == 0 ? 0 : of(s, EV_OP_EXP, minus(s, s->b, s->node)));
}

/* 1 on a where above > below, else on b. */
static ev_node of_choice(const step *s, ev_node above, ev_node below)
{
    ev_node takes_a = of(s, EV_OP_STEP, minus(s, above, below));
    return chain(s, takes_a, minus(s, number(s, 1), takes_a));
}

/* df/da of the unary operations. */
static ev_node unary_slope(const step *s, ev_op op)
{
    switch (op) {
    case EV_OP_EXP: return s->node;
    case EV_OP_LOG: return over(s, number(s, 1), s->a);
    case EV_OP_SQRT: return over(s, number(s, 0.5), s->node);
    case EV_OP_TANH: return minus(s, number(s, 1), times(s, s->node, s->node));
    case EV_OP_SIN: return of(s, EV_OP_COS, s->a);
    case EV_OP_COS: return ev_graph_neg(s->graph, of(s, EV_OP_SIN, s->a));
    case EV_OP_SIGMOID: /* sigmoid(a) sigmoid(-a), accurate in both tails */
        return times(s, s->node, of(s, EV_OP_SIGMOID, ev_graph_neg(s->graph, s->a)));
    case EV_OP_SOFTPLUS: return of(s, EV_OP_SIGMOID, s->a);
    case EV_OP_ABS:
        return minus(s, of(s, EV_OP_STEP, s->a), of(s, EV_OP_STEP, ev_graph_neg(s->graph, s->a)));
    default: return 0;
    }
}

static ev_node derive(const step *s, ev_op op)
{
    switch (op) {
    case EV_OP_ADD: return chain(s, number(s, 1), number(s, 1));
    case EV_OP_SUB: return of_difference(s);
    case EV_OP_NEG: return ev_graph_neg(s->graph, s->da);
    case EV_OP_MUL: return chain(s, s->b, s->a);
    case EV_OP_DIV: return of_quotient(s);
    case EV_OP_POW: return of_power(s);
    case EV_OP_XLOGY: return of_xlogy(s);
    case EV_OP_LOG_ADD_EXP: return of_log_add_exp(s);
    case EV_OP_MAX: return of_choice(s, s->a, s->b);
    case EV_OP_MIN: return of_choice(s, s->b, s->a);
    case EV_OP_EXPECT:
        return ev_graph_expect(s->graph, s->da, ev_graph_expect_dim(s->graph, s->node),
                               ev_graph_expect_coordinates(s->graph, s->node));
    case EV_OP_LOG: return over(s, s->da, s->a);
    default: return times(s, unary_slope(s, op), s->da);
    }
}

static bool may_depend(const ev_graph *graph, ev_node node, const void *context)
{
    const uint64_t *leaves = context;
    return (node_at(graph, node)->leaves & *leaves) != 0;
}

static bool sweep(ev_graph *graph, frame *f, ev_node root, ev_node x)
{
    uint64_t leaves = node_at(graph, x)->leaves;
    if (!ev_frame_order(graph, f, 1, &root, may_depend, &leaves))
        return false;
    for (size_t i = 0; i < f->count; i++) {
        ev_node node = f->order[i];
        ev_op op = ev_graph_op(graph, node);
        step s = {.graph = graph, .node = node};
        s.a = ev_graph_operand(graph, node, 0);
        s.b = ev_graph_operand(graph, node, 1);
        s.da = ev_frame_get(f, s.a);
        s.db = ev_frame_get(f, s.b);
        ev_node d = node == x ? ev_graph_constant(graph, 1) : 0;
        bool none = (s.da == 0 && s.db == 0) || op == EV_OP_STEP || op == EV_OP_HOLD;
        if (!none)
            d = derive(&s, op);
        if ((!none && d == 0) || (node == x && d == 0) || !ev_frame_set(graph, f, node, d))
            return false;
    }
    return true;
}

ev_node ev_graph_derivative(ev_graph *graph, ev_node root, ev_node x)
{
    if (root == 0 || x == 0)
        return 0;
    frame *f = ev_frame_acquire(graph);
    bool ok = f != NULL && sweep(graph, f, root, x);
    ev_node result = ok ? ev_frame_get(f, root) : 0;
    ev_frame_release(graph, f);
    if (!ok)
        return ev_graph_fail(graph);
    return result == 0 ? ev_graph_constant(graph, 0) : result;
}
