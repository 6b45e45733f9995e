/* The constructors: every operation with the rewritings that its header allows.
 *
 * A folded constant keeps the bound of its rounding error, and is folded only where that
 * bound is a few units in the last place: 10^16 + 1 - 10^16 stays an operation, so that its
 * loss of accuracy is seen where it is evaluated. */
#include "formula/graph_internal.h"
#include "formula/number.h"

#include <float.h>
#include <math.h>

/* Is the arithmetic on these two doubles exact? */
static bool is_exact(ev_op op, double a, double b, double v)
{
    double part;
    switch (op) {
    case EV_OP_ADD:
    case EV_OP_SUB:
        b = op == EV_OP_SUB ? -b : b;
        part = v - a;
        return fabs((a - (v - part)) + (b - part)) <= 0;
    case EV_OP_MUL:
        return fabs(fma(a, b, -v)) <= 0 && (fabs(v) > 1e-290 || fabs(a) <= 0 || fabs(b) <= 0);
    case EV_OP_DIV: return fabs(fma(v, b, -a)) <= 0 && fabs(v) > 1e-290;
    case EV_OP_NEG:
    case EV_OP_ABS:
    case EV_OP_MAX:
    case EV_OP_MIN:
    case EV_OP_HOLD:
    case EV_OP_STEP: return true;
    case EV_OP_SQRT: return fabs(fma(v, v, -a)) <= 0;
    case EV_OP_POW: /* small integers */
        return fabs(a - nearbyint(a)) <= 0 && fabs(b - nearbyint(b)) <= 0 && b >= 0 &&
               fabs(v) < 0x1p53;
    case EV_OP_EXP: return fabs(a) <= 0;
    case EV_OP_LOG: return fabs(v) <= 0;
    default: return false;
    }
}

/* The constant op(a, b), or 0 when it is better left to the evaluator. */
static ev_node fold(ev_graph *graph, ev_op op, ev_node a, ev_node b)
{
    const graph_node *x = node_at(graph, a), *y = node_at(graph, b);
    if (x->op != EV_OP_CONSTANT || (b != 0 && y->op != EV_OP_CONSTANT))
        return 0;
    ev_number p = ev_number_exact(x->value), q = ev_number_exact(y->value), v;
    p.error[EV_ERROR_ROUNDING] = x->error;
    q.error[EV_ERROR_ROUNDING] = y->error;
    ev_number_apply(op, &p, &q, &v);
    double error = v.error[EV_ERROR_ROUNDING];
    if (x->error <= 0 && y->error <= 0 && is_exact(op, x->value, y->value, v.value))
        error = 0;
    bool underflow = error > 0 ? fabs(v.value) < DBL_MIN : fabs(v.value) <= 0 && op == EV_OP_EXP;
    if (!isfinite(v.value) || underflow || !(error <= 64 * EV_UNIT_ROUNDOFF * fabs(v.value)))
        return 0;
    return ev_graph_intern_constant(graph, v.value, error);
}

static ev_node fold_or_intern(ev_graph *graph, ev_op op, ev_node a, ev_node b)
{
    ev_node folded = fold(graph, op, a, b);
    return folded != 0 || graph->failed ? folded : ev_graph_intern(graph, op, a, b);
}

static ev_op op_of(const ev_graph *graph, ev_node node) { return (ev_op)node_at(graph, node)->op; }
static ev_node first(const ev_graph *graph, ev_node node) { return node_at(graph, node)->a; }
static ev_node second(const ev_graph *graph, ev_node node) { return node_at(graph, node)->b; }

ev_node ev_graph_add(ev_graph *graph, ev_node a, ev_node b)
{
    if (a == 0 || b == 0)
        return 0;
    if (is_constant(graph, a, 0))
        return b;
    if (is_constant(graph, b, 0))
        return a;
    return fold_or_intern(graph, EV_OP_ADD, a, b);
}

ev_node ev_graph_sub(ev_graph *graph, ev_node a, ev_node b)
{
    if (a == 0 || b == 0)
        return 0;
    if (is_constant(graph, b, 0))
        return a;
    if (is_constant(graph, a, 0))
        return ev_graph_neg(graph, b);
    return fold_or_intern(graph, EV_OP_SUB, a, b);
}

ev_node ev_graph_neg(ev_graph *graph, ev_node a)
{
    if (a == 0)
        return 0;
    if (op_of(graph, a) == EV_OP_NEG)
        return first(graph, a);
    return fold_or_intern(graph, EV_OP_NEG, a, 0);
}

static bool is_constant_node(const ev_graph *graph, ev_node node)
{
    return op_of(graph, node) == EV_OP_CONSTANT;
}

ev_node ev_graph_mul(ev_graph *graph, ev_node a, ev_node b)
{
    if (a == 0 || b == 0)
        return 0;
    if (is_constant(graph, a, 1))
        return b;
    if (is_constant(graph, b, 1))
        return a;
    ev_op p = op_of(graph, a), q = op_of(graph, b);
    if (p == EV_OP_EXP && q == EV_OP_EXP)
        return ev_graph_unary(graph, EV_OP_EXP,
                              ev_graph_add(graph, first(graph, a), first(graph, b)));
    if (q == EV_OP_LOG && a != b)
        return ev_graph_xlogy(graph, a, first(graph, b));
    if (p == EV_OP_LOG && a != b)
        return ev_graph_xlogy(graph, b, first(graph, a));
    return fold_or_intern(graph, EV_OP_MUL, a, b);
}

ev_node ev_graph_div(ev_graph *graph, ev_node a, ev_node b)
{
    if (a == 0 || b == 0)
        return 0;
    if (is_constant(graph, b, 1))
        return a;
    if (node_at(graph, a)->exponential && node_at(graph, b)->exponential)
        return ev_graph_unary(graph, EV_OP_EXP,
                              ev_graph_sub(graph, ev_graph_log(graph, a), ev_graph_log(graph, b)));
    return fold_or_intern(graph, EV_OP_DIV, a, b);
}

ev_node ev_graph_pow(ev_graph *graph, ev_node a, ev_node b)
{
    if (a == 0 || b == 0)
        return 0;
    if (is_constant(graph, b, 1))
        return a;
    return fold_or_intern(graph, EV_OP_POW, a, b);
}

/* a log b.  Only where a may be 0 must the two stay together; a nonzero constant multiplies the
 * logarithm, and a logarithm in log space is finite where its argument underflows. */
ev_node ev_graph_xlogy(ev_graph *graph, ev_node a, ev_node b)
{
    if (a == 0 || b == 0)
        return 0;
    if (is_constant(graph, a, 0))
        return a;
    if (node_at(graph, b)->exponential)
        return ev_graph_mul(graph, a, ev_graph_log(graph, b));
    if (is_constant_node(graph, a) && is_constant_node(graph, b)) {
        ev_node folded = fold(graph, EV_OP_XLOGY, a, b);
        if (folded != 0 || graph->failed)
            return folded;
    }
    if (is_constant_node(graph, a))
        return ev_graph_intern(graph, EV_OP_MUL, a, ev_graph_intern(graph, EV_OP_LOG, b, 0));
    return ev_graph_intern(graph, EV_OP_XLOGY, a, b);
}

ev_node ev_graph_log_add_exp(ev_graph *graph, ev_node a, ev_node b)
{
    if (a == 0 || b == 0)
        return 0;
    return fold_or_intern(graph, EV_OP_LOG_ADD_EXP, a, b);
}

/* ---- logarithms in log space ---- */

/* log n from the logarithms p, q of its operands, n a product, quotient, power or sum. */
static ev_node join_logs(ev_graph *graph, ev_node node, ev_node p, ev_node q)
{
    switch (op_of(graph, node)) {
    case EV_OP_EXP: return first(graph, node);
    case EV_OP_MUL: return ev_graph_add(graph, p, q);
    case EV_OP_DIV: return ev_graph_sub(graph, p, q);
    case EV_OP_ADD: return ev_graph_log_add_exp(graph, p, q);
    case EV_OP_POW: return ev_graph_mul(graph, second(graph, node), p);
    case EV_OP_HOLD: return ev_graph_unary(graph, EV_OP_HOLD, p);
    default: return ev_graph_mul(graph, ev_graph_constant(graph, 0.5), p); /* SQRT */
    }
}

/* The operands whose logarithms log(node) is made of. */
static size_t log_operands(const ev_graph *graph, ev_node node, ev_node operands[2])
{
    const graph_node *n = node_at(graph, node);
    operands[0] = n->a;
    operands[1] = n->b;
    if (!n->exponential || n->op == EV_OP_EXP)
        return 0;
    return n->op == EV_OP_POW || n->op == EV_OP_SQRT || n->op == EV_OP_HOLD ? 1 : 2;
}

/* Logs are kept in the nodes, so the stack holds only nodes whose operands lack theirs. */
static bool take_logs(ev_graph *graph, frame *f, ev_node root)
{
    if (!ev_frame_push(f, root))
        return false;
    while (f->depth > 0) {
        ev_node node = f->stack[f->depth - 1], operands[2];
        size_t n = log_operands(graph, node, operands), missing = 0;
        for (size_t i = 0; i < n; i++)
            if (node_at(graph, operands[i])->log == 0) {
                missing++;
                if (!ev_frame_push(f, operands[i]))
                    return false;
            }
        if (missing > 0)
            continue;
        f->depth--;
        if (node_at(graph, node)->log != 0)
            continue;
        ev_node log = !node_at(graph, node)->exponential
                          ? fold_or_intern(graph, EV_OP_LOG, node, 0)
                          : join_logs(graph, node, n > 0 ? node_at(graph, operands[0])->log : 0,
                                      n > 1 ? node_at(graph, operands[1])->log : 0);
        if (log == 0)
            return false;
        graph->nodes[node].log = log;
    }
    return true;
}

ev_node ev_graph_log(ev_graph *graph, ev_node a)
{
    if (a == 0)
        return 0;
    if (node_at(graph, a)->log != 0)
        return node_at(graph, a)->log;
    frame *f = ev_frame_acquire(graph);
    bool ok = f != NULL && take_logs(graph, f, a);
    ev_frame_release(graph, f);
    return ok ? node_at(graph, a)->log : ev_graph_fail(graph);
}

/* ---- the rest ---- */

ev_node ev_graph_unary(ev_graph *graph, ev_op op, ev_node a)
{
    if (a == 0)
        return 0;
    if (op == EV_OP_NEG)
        return ev_graph_neg(graph, a);
    if (op == EV_OP_LOG)
        return ev_graph_log(graph, a);
    if (op == EV_OP_ABS && is_nonnegative(graph, a))
        return a;
    return fold_or_intern(graph, op, a, 0);
}

ev_node ev_graph_max(ev_graph *graph, ev_node a, ev_node b)
{
    if (a == 0 || b == 0)
        return 0;
    return a == b ? a : fold_or_intern(graph, EV_OP_MAX, a, b);
}

ev_node ev_graph_min(ev_graph *graph, ev_node a, ev_node b)
{
    if (a == 0 || b == 0)
        return 0;
    return a == b ? a : fold_or_intern(graph, EV_OP_MIN, a, b);
}

ev_node ev_graph_apply(ev_graph *graph, ev_op op, ev_node a, ev_node b)
{
    switch (op) {
    case EV_OP_ADD: return ev_graph_add(graph, a, b);
    case EV_OP_SUB: return ev_graph_sub(graph, a, b);
    case EV_OP_MUL: return ev_graph_mul(graph, a, b);
    case EV_OP_DIV: return ev_graph_div(graph, a, b);
    case EV_OP_POW: return ev_graph_pow(graph, a, b);
    case EV_OP_MAX: return ev_graph_max(graph, a, b);
    case EV_OP_MIN: return ev_graph_min(graph, a, b);
    case EV_OP_XLOGY: return ev_graph_xlogy(graph, a, b);
    case EV_OP_LOG_ADD_EXP: return ev_graph_log_add_exp(graph, a, b);
    default: return ev_graph_unary(graph, op, a);
    }
}
