/* How far the two sides of each step agree: `evidence tabulate steps`, and the data behind the
 * plot that a new derivation begins with. */
#ifndef EV_CLI_STEPS_H
#define EV_CLI_STEPS_H

#include "judge/ledger.h"

#include <stdio.h>

/* A row for each step, in the ledger's order, tab-separated, with a line of names:
 *   step  digits  points  verdict  expected
 *       digits: that both sides share, at most 16;  points: compared;  expected: yes or no
 * Returns the number of rows. */
size_t ev_steps_write(const ev_ledger *ledger, FILE *out);

#endif
