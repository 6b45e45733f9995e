/* Stopping on request: a flag that signal handlers set and the training loop looks at between steps.
 *
 *   struct sigaction action = {.sa_handler = ev_stop_request};
 *   sigaction(SIGINT, &action, NULL);            // as src/cli does
 *   while (!ev_stop_requested()) ...
 */
#ifndef EV_TRAIN_STOP_H
#define EV_TRAIN_STOP_H

#include <stdbool.h>

/* Async-signal-safe: made to be a handler. */
void ev_stop_request(int signal);
/* Has one come? */
bool ev_stop_requested(void);
/* Which one came last; 0 for none. */
int ev_stop_signal(void);
/* Forget it. */
void ev_stop_clear(void);

#endif
