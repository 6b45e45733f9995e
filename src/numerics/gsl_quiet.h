/* GSL's default error handler aborts the process.  Private to this room: whoever calls
 * GSL asks for quiet first, once per entry point; the call is cheap and thread-safe. */
#ifndef EV_NUMERICS_GSL_QUIET_H
#define EV_NUMERICS_GSL_QUIET_H

void ev_gsl_quiet(void);

#endif
