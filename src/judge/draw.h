/* Drawing one symbol's value from its domain.
 *
 * Three styles: small round numbers, which make the shortest witnesses; random numbers,
 * kept to three significant digits for the same reason; and corners, the values at which a
 * formula may behave in its own way (0, 1, an end of an interval, one-hot weights, the
 * identity, large and small scales).  Corners stay moderate: 10 and 0.05, not 1e300, since an
 * overflow there would say nothing of the formula. */
#ifndef EV_JUDGE_DRAW_H
#define EV_JUDGE_DRAW_H

#include "formula/scope.h"
#include "judge/dice.h"

typedef enum { EV_DRAW_ROUND, EV_DRAW_RANDOM } ev_draw_style;

typedef struct {
    ev_dice *dice;
    ev_draw_style style;
    double spread;      /* 1; larger when conditions are hard to meet */
    const double *used; /* values already taken at this point: drawn entries avoid them */
    size_t used_count;
} ev_draw;

/* What is drawn: rows x cols entries (1 x 1 for scalars), row-major. */
typedef struct {
    const ev_domain *domain;
    unsigned rank;
    size_t rows, cols;
} ev_shape;

/* A generic value: entries differ from each other and from draw->used where the domain
 * leaves room. */
void ev_draw_generic(const ev_draw *draw, ev_shape shape, double *out);

/* Corners 0 .. ev_draw_corner_count-1, the most harmless first. */
size_t ev_draw_corner_count(ev_shape shape);
void ev_draw_corner(const ev_draw *draw, ev_shape shape, size_t which, double *out);

/* A real number of the domain's interval, ends or binary set respected. */
double ev_draw_real(const ev_draw *draw, const ev_domain *domain);
/* x to three significant digits. */
double ev_draw_rounded(double x);

/* Both domains have the same values. */
bool ev_domain_same(const ev_domain *a, const ev_domain *b);

#endif
