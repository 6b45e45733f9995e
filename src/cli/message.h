/* Messages on standard error. */
#ifndef EV_CLI_MESSAGE_H
#define EV_CLI_MESSAGE_H

#include "base/error.h"
#include "cli/terminal.h"

/* The program's exit statuses. */
enum {
    EV_EXIT_OK = 0,
    EV_EXIT_UNEXPECTED = 1, /* not as expected, a mutant survives, nothing was checked */
    EV_EXIT_INPUT = 2,      /* the input or the command line is wrong */
    EV_EXIT_MACHINE = 3     /* disk or memory */
};

/* file:line:column: error: message, then the source line and a caret under the spot. */
void ev_message_error(const ev_error *error, ev_colour_choice colour);
/* The same with "warning". */
void ev_message_warning(const ev_error *error, ev_colour_choice colour);
/* evidence: error: ... */
void ev_message(ev_colour_choice colour, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The exit status that belongs to a failure. */
int ev_message_exit(ev_status status);

#endif
