#include "numerics/gsl_quiet.h"

#include <gsl/gsl_errno.h>
#include <threads.h>

static once_flag quiet = ONCE_FLAG_INIT;

static void switch_off(void) { gsl_set_error_handler_off(); }

void ev_gsl_quiet(void) { call_once(&quiet, switch_off); }
