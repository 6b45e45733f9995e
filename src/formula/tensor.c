/* Scalars, vectors and matrices of graph nodes.
 *
 * Entries that are the constant 0 by structure (triangles, diagonals) are left out of products,
 * so that independent coordinates stay independent in the graph.  Determinants and inverses
 * are Laplace expansions over column subsets: no pivots, exact for the small sizes in use. */
#include "formula/elaborate.h"

#include <stdio.h>
#include <string.h>

enum { MAX_DETERMINANT = 12 };

size_t ev_tensor_count(const ev_tensor *t)
{
    return t->rank == 0 ? 1 : t->rank == 1 ? t->rows : t->rows * t->cols;
}

const char *ev_tensor_describe(const ev_tensor *t, char buffer[48])
{
    if (t->rank == 0)
        snprintf(buffer, 48, "a scalar");
    else if (t->unsized)
        snprintf(buffer, 48, t->rank == 2 ? "an identity" : "a vector of ones");
    else if (t->rank == 1)
        snprintf(buffer, 48, "a %svector of %zu", t->row ? "row " : "", t->rows);
    else
        snprintf(buffer, 48, "a %zu x %zu matrix", t->rows, t->cols);
    return buffer;
}

ev_tensor *ev_tensor_new(ev_elaborator *e, unsigned rank, size_t rows, size_t cols)
{
    ev_tensor *t = ev_arena_array(e->arena, 1, sizeof *t);
    if (t == NULL) {
        ev_error_set(e->error, EV_NO_MEMORY, "out of memory");
        return NULL;
    }
    *t = (ev_tensor){.rank = rank, .rows = rank == 0 ? 1 : rows, .cols = rank == 2 ? cols : 1};
    t->nodes = ev_arena_array(e->arena, ev_tensor_count(t) + 1, sizeof *t->nodes);
    if (t->nodes == NULL) {
        ev_error_set(e->error, EV_NO_MEMORY, "out of memory");
        return NULL;
    }
    return t;
}

const ev_tensor *ev_tensor_scalar(ev_elaborator *e, ev_node node)
{
    ev_tensor *t = ev_tensor_new(e, 0, 1, 1);
    if (t == NULL)
        return NULL;
    if (node == 0) {
        ev_error_set(e->error, EV_NO_MEMORY, "out of memory for the formula's graph");
        return NULL;
    }
    t->nodes[0] = node;
    return t;
}

static ev_tensor *like(ev_elaborator *e, const ev_tensor *a)
{
    ev_tensor *t = ev_tensor_new(e, a->rank, a->rows, a->cols);
    if (t != NULL)
        t->row = a->row, t->unsized = a->unsized;
    return t;
}

static size_t stored(const ev_tensor *t) { return t->unsized ? 1 : ev_tensor_count(t); }

const ev_tensor *ev_tensor_map(ev_elaborator *e, const ev_tensor *a, ev_op op)
{
    ev_tensor *t = like(e, a);
    for (size_t i = 0; t != NULL && i < stored(a); i++)
        t->nodes[i] = op == EV_OP_LOG ? ev_graph_log(e->graph, a->nodes[i])
                                      : ev_graph_unary(e->graph, op, a->nodes[i]);
    return t;
}

static bool is_zero(const ev_elaborator *e, ev_node node)
{
    return ev_graph_op(e->graph, node) == EV_OP_CONSTANT &&
           ev_graph_constant_value(e->graph, node) == 0.0;
}

const ev_tensor *ev_tensor_sized(ev_elaborator *e, const ev_tensor *a, unsigned rank, size_t rows)
{
    if (a == NULL)
        return NULL;
    bool zero = a->rank == 0 && rank == 1 && is_zero(e, a->nodes[0]);
    if (!a->unsized && !zero)
        return a;
    if (!zero && a->rank != rank)
        return a;
    ev_tensor *t = ev_tensor_new(e, rank, rows, rows);
    if (t == NULL)
        return NULL;
    ev_node off = rank == 2 || zero ? ev_graph_constant(e->graph, 0.0) : a->nodes[0];
    for (size_t i = 0; i < ev_tensor_count(t); i++)
        t->nodes[i] = off;
    for (size_t i = 0; rank == 2 && i < rows; i++)
        t->nodes[i * rows + i] = a->nodes[0];
    t->row = a->row;
    return t;
}

static bool same_shape(const ev_tensor *a, const ev_tensor *b)
{
    return a->rank == b->rank && a->row == b->row && a->unsized == b->unsized &&
           (a->unsized || (a->rows == b->rows && a->cols == b->cols));
}

static bool match(ev_elaborator *e, const ev_syntax *at, const ev_tensor **a, const ev_tensor **b,
                  const char *what)
{
    if (*a == NULL || *b == NULL)
        return false;
    if ((*a)->unsized && !(*b)->unsized)
        *a = ev_tensor_sized(e, *a, (*b)->rank, (*b)->rows);
    if ((*b)->unsized && !(*a)->unsized)
        *b = ev_tensor_sized(e, *b, (*a)->rank, (*a)->rows);
    if (*a == NULL || *b == NULL)
        return false;
    if (!same_shape(*a, *b)) {
        char left[48], right[48];
        ev_elaborate_fail(e, at, "%s %s and %s", what, ev_tensor_describe(*a, left),
                          ev_tensor_describe(*b, right));
        return false;
    }
    return true;
}

const ev_tensor *ev_tensor_add(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a,
                               const ev_tensor *b, bool subtract)
{
    if (!match(e, at, &a, &b, subtract ? "the difference of" : "the sum of"))
        return NULL;
    ev_tensor *t = like(e, a);
    for (size_t i = 0; t != NULL && i < stored(a); i++)
        t->nodes[i] = subtract ? ev_graph_sub(e->graph, a->nodes[i], b->nodes[i])
                               : ev_graph_add(e->graph, a->nodes[i], b->nodes[i]);
    return t;
}

const ev_tensor *ev_tensor_entrywise(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a,
                                     const ev_tensor *b, bool divide)
{
    if (!match(e, at, &a, &b, "the entry-by-entry product of"))
        return NULL;
    ev_tensor *t = like(e, a);
    for (size_t i = 0; t != NULL && i < stored(a); i++)
        t->nodes[i] = divide ? ev_graph_div(e->graph, a->nodes[i], b->nodes[i])
                             : ev_graph_mul(e->graph, a->nodes[i], b->nodes[i]);
    return t;
}

const ev_tensor *ev_tensor_scale(ev_elaborator *e, const ev_tensor *a, ev_node factor)
{
    ev_tensor *t = like(e, a);
    for (size_t i = 0; t != NULL && i < stored(a); i++)
        t->nodes[i] = is_zero(e, a->nodes[i]) && a->rank == 2
                          ? a->nodes[i]
                          : ev_graph_mul(e->graph, factor, a->nodes[i]);
    return t;
}

/* sum_k a[k * a_step] b[k * b_step], structural zeros left out. */
static ev_node dot(ev_elaborator *e, size_t n, const ev_node *a, size_t a_step, const ev_node *b,
                   size_t b_step)
{
    ev_node sum = 0;
    for (size_t k = 0; k < n; k++) {
        ev_node x = a[k * a_step], y = b[k * b_step];
        if (is_zero(e, x) || is_zero(e, y))
            continue;
        ev_node product = ev_graph_mul(e->graph, x, y);
        sum = sum == 0 ? product : ev_graph_add(e->graph, sum, product);
    }
    return sum == 0 ? ev_graph_constant(e->graph, 0.0) : sum;
}

static const ev_tensor *outer(ev_elaborator *e, const ev_tensor *a, const ev_tensor *b)
{
    ev_tensor *t = ev_tensor_new(e, 2, a->rows, b->rows);
    for (size_t i = 0; t != NULL && i < a->rows; i++)
        for (size_t j = 0; j < b->rows; j++)
            t->nodes[i * b->rows + j] = ev_graph_mul(e->graph, a->nodes[i], b->nodes[j]);
    return t;
}

static const ev_tensor *matrix_product(ev_elaborator *e, const ev_tensor *a, const ev_tensor *b)
{
    /* A row vector is 1 x n, a column n x 1. */
    size_t rows = a->rank == 2 ? a->rows : 1, inner = a->rank == 2 ? a->cols : a->rows;
    size_t cols = b->rank == 2 ? b->cols : 1;
    ev_tensor *t = b->rank == 1 && a->rank == 2   ? ev_tensor_new(e, 1, rows, 1)
                   : a->rank == 1 && b->rank == 2 ? ev_tensor_new(e, 1, cols, 1)
                                                  : ev_tensor_new(e, 2, rows, cols);
    if (t == NULL)
        return NULL;
    t->row = a->rank == 1;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            t->nodes[i * cols + j] = dot(e, inner, a->nodes + i * inner, 1, b->nodes + j, cols);
    return t;
}

const ev_tensor *ev_tensor_multiply(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a,
                                    const ev_tensor *b)
{
    if (a == NULL || b == NULL)
        return NULL;
    if (a->rank == 0)
        return b->rank == 0 ? ev_tensor_scalar(e, ev_graph_mul(e->graph, a->nodes[0], b->nodes[0]))
                            : ev_tensor_scale(e, b, a->nodes[0]);
    if (b->rank == 0)
        return ev_tensor_scale(e, a, b->nodes[0]);
    if (a->unsized && a->rank == 2)
        return ev_tensor_scale(e, b, a->nodes[0]);
    if (b->unsized && b->rank == 2)
        return ev_tensor_scale(e, a, b->nodes[0]);
    if (a->unsized)
        a = ev_tensor_sized(e, a, 1, b->rows);
    if (b->unsized)
        b = ev_tensor_sized(e, b, 1, a->rank == 2 ? a->cols : a->rows);
    if (a == NULL || b == NULL)
        return NULL;
    char left[48], right[48];
    bool row_column = a->rank == 1 && a->row && b->rank == 1 && !b->row;
    if (a->rank == 1 && !a->row && b->rank == 1 && b->row)
        return outer(e, a, b);
    bool fits = row_column                     ? a->rows == b->rows
                : a->rank == 2 && b->rank == 2 ? a->cols == b->rows
                : a->rank == 2                 ? !b->row && a->cols == b->rows
                                               : b->rank == 2 && a->row && a->rows == b->rows;
    if (!fits)
        return ev_elaborate_fail(e, at,
                                 "the product of %s and %s (a scalar product is v^\\top w, "
                                 "entry by entry is \\odot)",
                                 ev_tensor_describe(a, left), ev_tensor_describe(b, right));
    if (row_column)
        return ev_tensor_scalar(e, dot(e, a->rows, a->nodes, 1, b->nodes, 1));
    return matrix_product(e, a, b);
}

const ev_tensor *ev_tensor_divide(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a,
                                  const ev_tensor *b)
{
    if (a == NULL || b == NULL)
        return NULL;
    char found[48];
    if (b->rank != 0)
        return ev_elaborate_fail(e, at, "division by %s (entry by entry is \\oslash)",
                                 ev_tensor_describe(b, found));
    ev_tensor *t = like(e, a);
    for (size_t i = 0; t != NULL && i < stored(a); i++)
        t->nodes[i] = ev_graph_div(e->graph, a->nodes[i], b->nodes[0]);
    return t;
}

const ev_tensor *ev_tensor_transpose(ev_elaborator *e, const ev_tensor *a)
{
    if (a == NULL || a->rank == 0 || (a->unsized && a->rank == 2))
        return a;
    ev_tensor *t = a->rank == 1 ? like(e, a) : ev_tensor_new(e, 2, a->cols, a->rows);
    if (t == NULL)
        return NULL;
    if (a->rank == 1) {
        t->row = !a->row;
        memcpy(t->nodes, a->nodes, stored(a) * sizeof *a->nodes);
        return t;
    }
    for (size_t i = 0; i < a->rows; i++)
        for (size_t j = 0; j < a->cols; j++)
            t->nodes[j * a->rows + i] = a->nodes[i * a->cols + j];
    return t;
}

bool ev_tensor_is_diagonal(const ev_elaborator *e, const ev_tensor *a)
{
    for (size_t i = 0; i < a->rows; i++)
        for (size_t j = 0; j < a->cols; j++)
            if (i != j && !is_zero(e, a->nodes[i * a->cols + j]))
                return false;
    return true;
}

/* ---- determinants ---- */

/* det of the rows first..n-1 (row `without_row` left out) and the columns in mask. */
static ev_node minor(ev_elaborator *e, const ev_tensor *a, size_t row, size_t without_row,
                     unsigned mask, ev_node *memo)
{
    if (row == without_row)
        return minor(e, a, row + 1, without_row, mask, memo);
    if (mask == 0)
        return ev_graph_constant(e->graph, 1.0);
    if (memo[mask] != 0)
        return memo[mask];
    ev_node sum = 0;
    int sign = 1;
    for (size_t j = 0; j < a->cols; j++) {
        if ((mask >> j & 1u) == 0)
            continue;
        ev_node entry = a->nodes[row * a->cols + j];
        if (!is_zero(e, entry)) {
            ev_node rest = minor(e, a, row + 1, without_row, mask & ~(1u << j), memo);
            ev_node term = is_zero(e, rest) ? 0 : ev_graph_mul(e->graph, entry, rest);
            if (term != 0)
                sum = sum != 0 ? (sign > 0 ? ev_graph_add(e->graph, sum, term)
                                           : ev_graph_sub(e->graph, sum, term))
                               : (sign > 0 ? term : ev_graph_neg(e->graph, term));
        }
        sign = -sign;
    }
    return memo[mask] = sum == 0 ? ev_graph_constant(e->graph, 0.0) : sum;
}

static ev_node determinant(ev_elaborator *e, const ev_tensor *a, size_t without_row, unsigned mask)
{
    ev_node *memo = ev_arena_array(e->arena, (size_t)1 << a->cols, sizeof *memo);
    return memo == NULL ? 0 : minor(e, a, 0, without_row, mask, memo);
}

static bool square(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a, const char *what)
{
    char found[48];
    if (a == NULL)
        return false;
    if (a->rank != 2 || a->unsized || a->rows != a->cols || a->rows > MAX_DETERMINANT) {
        ev_elaborate_fail(e, at, "%s needs a square matrix of size at most %d, not %s", what,
                          MAX_DETERMINANT, ev_tensor_describe(a, found));
        return false;
    }
    return true;
}

ev_node ev_tensor_determinant(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a)
{
    if (!square(e, at, a, "a determinant"))
        return 0;
    return determinant(e, a, a->rows, (1u << a->cols) - 1);
}

const ev_tensor *ev_tensor_inverse(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a)
{
    if (a != NULL && a->rank == 0)
        return ev_tensor_scalar(
            e, ev_graph_div(e->graph, ev_graph_constant(e->graph, 1.0), a->nodes[0]));
    if (!square(e, at, a, "an inverse"))
        return NULL;
    size_t n = a->rows;
    ev_tensor *t = ev_tensor_new(e, 2, n, n);
    ev_node det = determinant(e, a, n, (1u << n) - 1);
    if (t == NULL || det == 0)
        return NULL;
    for (size_t i = 0; i < n; i++) { /* cofactor of entry (i, j) goes to (j, i) */
        for (size_t j = 0; j < n; j++) {
            ev_node cofactor = determinant(e, a, i, ((1u << n) - 1) & ~(1u << j));
            if ((i + j) % 2 == 1 && !is_zero(e, cofactor))
                cofactor = ev_graph_neg(e->graph, cofactor);
            t->nodes[j * n + i] = is_zero(e, cofactor) ? cofactor
                                                       : ev_graph_div(e->graph, cofactor, det);
        }
    }
    return t;
}

/* ---- Cholesky ---- */

static ev_node without(ev_elaborator *e, ev_node from, ev_node what)
{
    if (is_zero(e, what))
        return from;
    return is_zero(e, from) ? ev_graph_neg(e->graph, what) : ev_graph_sub(e->graph, from, what);
}

const ev_tensor *ev_tensor_cholesky(ev_elaborator *e, const ev_syntax *at, const ev_tensor *a)
{
    char found[48];
    if (a == NULL)
        return NULL;
    if (a->rank != 2 || a->rows != a->cols)
        return ev_elaborate_fail(e, at, "a covariance must be a square matrix, not %s",
                                 ev_tensor_describe(a, found));
    size_t n = a->rows;
    ev_tensor *L = ev_tensor_new(e, 2, n, n);
    if (L == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            ev_node *entry = &L->nodes[i * n + j];
            if (j > i) {
                *entry = ev_graph_constant(e->graph, 0.0);
                continue;
            }
            ev_node left = without(e, a->nodes[i * n + j],
                                   dot(e, j, L->nodes + i * n, 1, L->nodes + j * n, 1));
            *entry = i == j             ? ev_graph_unary(e->graph, EV_OP_SQRT, left)
                     : is_zero(e, left) ? left
                                        : ev_graph_div(e->graph, left, L->nodes[j * n + j]);
        }
    }
    return L;
}
