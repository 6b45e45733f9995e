/* A progress bar on standard error, when that is a terminal. */
#ifndef EV_CLI_PROGRESS_H
#define EV_CLI_PROGRESS_H

#include "cli/terminal.h"

typedef struct {
    ev_style style;
    bool shown;          /* standard error is a terminal */
    double began, drawn; /* seconds */
} ev_progress;

ev_progress ev_progress_start(ev_colour_choice colour);
/* For ev_judge_options.progress: context is the ev_progress. */
void ev_progress_step(void *context, size_t done, size_t total, const char *claim);
/* Take the bar away. */
void ev_progress_end(ev_progress *progress);

/* Seconds of a clock that only goes forward. */
double ev_clock(void);

#endif
