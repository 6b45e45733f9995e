/* A claim's assumptions, as a reader of `evidence explain` wants to see them. */
#ifndef EV_CLI_ASSUMPTIONS_H
#define EV_CLI_ASSUMPTIONS_H

#include "cli/terminal.h"
#include "document/document.h"

/* A line for each symbol in force (its name and domain) and for each condition, with the line of the
 * document that says so. */
void ev_assumptions_put(const ev_document *document, const ev_scope *scope, const ev_style *style,
                        FILE *out);

#endif
