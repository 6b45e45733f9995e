/* Drawing square matrices of a declared structure: see judge/draw.h. */
#ifndef EV_JUDGE_DRAW_MATRIX_H
#define EV_JUDGE_DRAW_MATRIX_H

#include "judge/draw.h"

/* shape.rows == shape.cols, shape.domain->structure != 0. */
void ev_draw_matrix(const ev_draw *draw, ev_shape shape, double *out);
size_t ev_draw_matrix_corner_count(ev_shape shape);
void ev_draw_matrix_corner(const ev_draw *draw, ev_shape shape, size_t which, double *out);

#endif
