/* H. W. Kuhn's method in the form of shortest augmenting paths (R. Jonker & A. Volgenant, Computing
 * 38, 1987).  Rows are added one by one; potentials u, v keep every reduced cost
 * c_ij - u_i - v_j >= 0, with equality on the pairs matched so far, so that a shortest path from the
 * new row to a free column, in reduced costs, gives a cheapest matching again.  n rows <= m columns:
 * O(n^2 m). */
#include "train/clustering.h"

#include "base/arena.h"

#include <math.h>
#include <stdbool.h>

/* Rows are the smaller side: transposed if need be.  Costs are minus the values. */
typedef struct {
    size_t rows, columns;
    bool transposed;
    const double *value;
    double *row_potential, *column_potential, *slack; /* slack (columns) shortest path so far */
    size_t *row_of, *previous; /* (columns) the matched row, SIZE_MAX if free; column before on the
                                  path, SIZE_MAX if it starts there */
    bool *done;                /* (columns) its shortest path is final */
} matching;

static double reduced_cost(const matching *m, size_t row, size_t column)
{
    double value = m->transposed ? m->value[column * m->rows + row]
                                 : m->value[row * m->columns + column];
    return -value - m->row_potential[row] - m->column_potential[column];
}

/* Paths that go on from `row`, reached over `from` at distance `so_far`; returns the nearest column
 * that is not final. */
static size_t extend_paths(const matching *m, size_t row, size_t from, double so_far)
{
    size_t nearest = SIZE_MAX;
    for (size_t j = 0; j < m->columns; j++) {
        if (m->done[j])
            continue;
        double length = so_far + reduced_cost(m, row, j);
        if (length < m->slack[j]) {
            m->slack[j] = length;
            m->previous[j] = from;
        }
        if (nearest == SIZE_MAX || m->slack[j] < m->slack[nearest])
            nearest = j;
    }
    return nearest;
}

/* Keep the reduced costs non-negative, and 0 along the path of this length. */
static void adjust_potentials(const matching *m, size_t row, double length)
{
    m->row_potential[row] += length;
    for (size_t j = 0; j < m->columns; j++)
        if (m->done[j]) {
            m->row_potential[m->row_of[j]] += length - m->slack[j];
            m->column_potential[j] -= length - m->slack[j];
        }
}

static void add_row(const matching *m, size_t row)
{
    for (size_t j = 0; j < m->columns; j++) {
        m->slack[j] = HUGE_VAL;
        m->done[j] = false;
    }
    size_t column = extend_paths(m, row, SIZE_MAX, 0);
    while (m->row_of[column] != SIZE_MAX) {
        m->done[column] = true;
        column = extend_paths(m, m->row_of[column], column, m->slack[column]);
    }
    adjust_potentials(m, row, m->slack[column]);
    while (m->previous[column] != SIZE_MAX) { /* shift the path's rows towards its free end */
        m->row_of[column] = m->row_of[m->previous[column]];
        column = m->previous[column];
    }
    m->row_of[column] = row;
}

static ev_arena *allocate(matching *m)
{
    ev_arena *arena = ev_arena_create();
    if (arena == NULL)
        return NULL;
    m->row_potential = ev_arena_array(arena, m->rows, sizeof(double));
    m->column_potential = ev_arena_array(arena, m->columns, sizeof(double));
    m->slack = ev_arena_array(arena, m->columns, sizeof(double));
    m->row_of = ev_arena_array(arena, m->columns, sizeof(size_t));
    m->previous = ev_arena_array(arena, m->columns, sizeof(size_t));
    m->done = ev_arena_array(arena, m->columns, sizeof(bool));
    if (!ev_arena_failed(arena))
        return arena;
    ev_arena_destroy(arena);
    return NULL;
}

ev_status ev_assignment(size_t rows, size_t columns, const double *value, size_t *match,
                        double *sum)
{
    matching m = {.rows = rows, .columns = columns, .value = value, .transposed = rows > columns};
    if (m.transposed) {
        m.rows = columns;
        m.columns = rows;
    }
    ev_arena *arena = allocate(&m);
    if (arena == NULL)
        return EV_NO_MEMORY;
    for (size_t j = 0; j < m.columns; j++)
        m.row_of[j] = SIZE_MAX;
    for (size_t i = 0; i < m.rows; i++)
        add_row(&m, i);
    for (size_t i = 0; i < rows; i++)
        match[i] = SIZE_MAX;
    *sum = 0;
    for (size_t j = 0; j < m.columns; j++) {
        if (m.row_of[j] == SIZE_MAX)
            continue;
        size_t row = m.transposed ? j : m.row_of[j], column = m.transposed ? m.row_of[j] : j;
        match[row] = column;
        *sum += value[row * columns + column];
    }
    ev_arena_destroy(arena);
    return EV_OK;
}
