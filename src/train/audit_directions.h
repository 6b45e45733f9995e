/* A gradient against a reference's derivatives along directions, as of any audit.  Private to the
 * audits.
 *
 * 1. Along each block of parameters: the float gradient's own direction there, which shows a wrong
 *    factor, and a random one, which shows a wrong place.
 * 2. Along random directions in all blocks at once, each block weighted by 1/|its gradient|, so that
 *    small blocks are heard.
 * For a random direction v of independent signs and an error vector e, v.e is of size |e|, so a bound
 * relative to |g| (with the weights) is one on |e|/|g|.  It is the resolution times that, plus the
 * mean over samples of the sum of the derivative's |parts|, in which what cancels is not lost.
 * 3. If one differs: the differences, as a function of the direction, are matched with each part of
 *    the reference's derivative, and then with each two of them.  If they are a multiple of one, or a
 *    sum of multiples of two, these parts of the gradient are wrong by a factor, and are named;
 *    otherwise the first block is.
 */
#ifndef EV_TRAIN_AUDIT_DIRECTIONS_H
#define EV_TRAIN_AUDIT_DIRECTIONS_H

#include "nn/layout.h"
#include "numerics/random.h"
#include "train/audit.h"

#include <stdbool.h>
#include <stddef.h>

enum { EV_AUDIT_PARTS = 11 };

/* A derivative along one direction, by term and by the way that it goes. */
typedef struct {
    double part[EV_AUDIT_PARTS];
    double sum;  /* of those that are counted */
    double size; /* which rounding errors are relative to */
} ev_audit_slope;

/* A set of parts, as bits, that may be wrong together, and what it is called. */
typedef struct {
    unsigned parts;
    const char *name;
} ev_audit_suspect;

/* What goes with the blocks whose names begin so. */
typedef struct {
    const char *block, *name;
} ev_audit_of_block;

typedef struct {
    const ev_layout *layout;
    const float *gradient; /* (layout.size) */
    ev_stream stream;
    size_t random; /* directions in all blocks at once */
    double resolution;
    /* Of the same function as the gradient, along the k-th direction.  Parts may be put together
     * unless `split` says that each is wanted. */
    ev_audit_slope (*slope)(void *context, size_t k, const float *direction, bool split);
    void *context;
    const ev_audit_of_block *claims; /* the last, "", is that of all other directions */
    const ev_audit_of_block *blamed; /* terms which alone reach a block, ended by NULL; or NULL */
    unsigned counted;                /* which parts the sum has */
    const ev_audit_suspect *suspects;
    size_t suspected; /* so many; the smallest that explains the differences is named: they first */
} ev_audit_descent;

/* A row for each direction; audit->gradient_error is brought up to date.  EV_NO_MEMORY. */
ev_status ev_audit_directions(const ev_audit_descent *descent, ev_audit *audit, ev_error *error);

/* "gradient along decoder.0.weight", of the k-th direction. */
void ev_audit_name_direction(const ev_layout *layout, size_t k, size_t room, char *name);
/* gradient . v, and *scale = sqrt sum (gradient_i v_i)^2. */
double ev_audit_along(size_t n, const float *gradient, const float *v, double *scale);

#endif
