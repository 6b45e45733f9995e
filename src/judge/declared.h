/* The mutants that a claim declares equivalent: `equivalent: A for B -- reason; C for D -- reason`.
 *
 * An entry is the text of a mutant as the program prints it, up to a dash or a semicolon outside
 * its brackets.  It says nothing of a place: of several mutants with one text it speaks of those
 * that pass. */
#ifndef EV_JUDGE_DECLARED_H
#define EV_JUDGE_DECLARED_H

#include <stddef.h>
#include <stdint.h>

enum { EV_DECLARED_MOST = 64 }; /* entries that are told apart; those after them are as the last */

/* The entries that name this mutant, a bit each; 0: none.  declarations: NULL, or as above. */
uint64_t ev_declared_find(const char *declarations, const char *mutant);

/* The first entry without a bit in `used`, into text; NULL when there is none. */
const char *ev_declared_unused(const char *declarations, uint64_t used, size_t size, char *text);

#endif
