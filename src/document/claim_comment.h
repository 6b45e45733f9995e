/* The comment that makes a claim of what follows it: key: value pairs, separated by two spaces or
 * a line end.  The keys are those of derivations/README.md. */
#ifndef EV_DOCUMENT_CLAIM_COMMENT_H
#define EV_DOCUMENT_CLAIM_COMMENT_H

#include "document/document.h"

/* The values with their places; text is NULL for a key that is absent. */
typedef struct {
    ev_span claim, source, expect, see, kind, note, equivalent;
} ev_claim_comment;

/* Does a comment's body claim something, or look as if it was meant to? */
bool ev_comment_claims(ev_span body);

/* EV_BAD_INPUT, at its place, for anything but known keys, each once, claim: first, with a well
 * formed value. */
ev_status ev_claim_comment_parse(ev_span body, ev_claim_comment *comment, ev_error *error);

/* The value of kind:; "error" when absent. */
ev_finding_kind ev_claim_comment_kind(const ev_claim_comment *comment);

/* What expect: says of each of a chain's steps (one for a statement), as an array in the arena.
 * EV_BAD_INPUT for a step that the chain does not have. */
ev_status ev_claim_comment_expected(const ev_claim_comment *comment, size_t steps,
                                    bool is_statement, ev_arena *arena,
                                    const ev_expectation **expected, ev_error *error);

#endif
