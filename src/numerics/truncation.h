/* What the rules on a finite box leave out.  Private to this room. */
#ifndef EV_NUMERICS_TRUNCATION_H
#define EV_NUMERICS_TRUNCATION_H

#include "numerics/evaluation.h"

/* truncation[k] = sum over the faces of [-radius, radius]^dim of phi(radius) E|f_k on the
 * face|, k < total: the mass outside, for f growing no faster than exp((radius - 1) |x|). */
ev_status ev_face_mass(ev_evaluation *e, double radius, double *truncation);

/* Along the axes, from the radius to five times as far in steps of 5 %, the density times
 * |f| must fall.  Where it grows instead, mass may lie that no rule on the box can see:
 * truncation[k] becomes infinite.  So it does for an f that was 0 at every node
 * (seen[k].magnitude is 0) and is not 0 at some of 70 radii up to 900 times as large, 10 %
 * apart.  A NaN says nothing, for formulas overflow; nor does an infinity of an f that was
 * not 0. */
ev_status ev_survey_outside(ev_evaluation *e, double radius, const ev_integral *seen,
                            double *truncation);

#endif
