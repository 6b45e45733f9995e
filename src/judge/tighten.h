/* Where an inequality comes nearest to failing.
 *
 * Points that are drawn show that a bound holds in general, and seldom that it fails where several
 * symbols must stand at their corners together: a density exceeds 1 where x is the mean and the
 * scale is small.  So where an inequality holds at all its points, this search climbs from the
 * tightest three at each choice of the integers towards a violation.  It sets symbols in turn to
 * their corners, to another symbol of the same shape and domain, entries to their negative, their
 * double and half, and up and down by ever smaller steps, weights towards one of them; and keeps what
 * brings the sides nearer.
 * Coordinate by coordinate, six rounds, the integers left as they are: a ridge along which two
 * symbols must move together is not climbed.  Nor is anything where a side has an integral of more
 * dimensions than the fixed nodes reach (EV_QUADRATURE_MAX_DIM): there the points drawn are all there is.
 *
 * Nearness is measured twice, and the climb made twice: by the distance d of the sides
 * (judge/compare.h), which serves where one side is a constant 0, and by d over the larger side,
 * which does not fall asleep where both vanish.  Not in units of the error: the sides are plain
 * doubles by a rule of fixed nodes (ev_program_values), without errors and without draws.
 *
 * So the search spends no sampling comparison and decides nothing.  Its points are candidates, to be
 * judged by the full rules like one that was drawn, their comparisons planned beforehand; as no
 * draw took part in their choice, the intervals there are at their level.  It is deterministic, and
 * keeps to the region in which points are drawn, where the errors of quadrature are known to be
 * honest: entries of at most 20 in size, and not nearer to an open end than a hundredth. */
#ifndef EV_JUDGE_TIGHTEN_H
#define EV_JUDGE_TIGHTEN_H

#include "base/arena.h"
#include "judge/step.h"

enum { EV_TIGHTEN_POINTS = 2, EV_TIGHTEN_EVALUATIONS = 1000 }; /* the second of one climb */

typedef struct {
    size_t count; /* of candidates: points at which the inequality seems to fail */
    struct {
        size_t start;   /* the point it was reached from: the same trial */
        double *inputs; /* from the arena */
    } points[EV_TIGHTEN_POINTS];
    uint64_t operations; /* spent */
} ev_tightened;

/* Does the step compare its sides by <, <=, > or >=? */
bool ev_tighten_serves(const ev_case_step *step);

/* From the points of such a step, which may spend so many operations (formula/meter.h).  EV_OK, or
 * EV_NO_MEMORY. */
ev_status ev_tighten(size_t count, const ev_step_point *points, uint64_t operations,
                     ev_arena *arena, ev_tightened *found);

#endif
