/* A derivation document: Markdown in, claims and statements with their scopes out.
 * The language is derivations/README.md. */
#ifndef EV_DOCUMENT_DOCUMENT_H
#define EV_DOCUMENT_DOCUMENT_H

#include "base/arena.h"
#include "base/error.h"
#include "formula/claim.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    EV_EXPECT_HOLDS,
    EV_EXPECT_REFUTED,
    EV_EXPECT_VOID,
    EV_EXPECT_VACUOUS
} ev_expectation;
typedef enum { EV_KIND_ERROR, EV_KIND_SLIP, EV_KIND_CONDITIONAL } ev_finding_kind;

typedef struct {
    const char *id;
    const char *source, *see, *note; /* NULL when absent */
    const char *equivalent;          /* mutants declared to change nothing, or NULL */
    ev_finding_kind kind;
    size_t line;                    /* of the claim comment */
    const char *section;            /* heading text it stands under */
    bool is_statement;              /* a block quote, decided by the C module */
    const char *statement;          /* its text, one line */
    ev_formula formula;             /* not for statements */
    const ev_expectation *expected; /* one a step; a statement has one */
} ev_claim;

typedef struct {
    const char *file;  /* as given */
    const char *name;  /* stem: elbo_decomposition */
    const char *title; /* first heading, or the stem */
    const char *text;
    size_t length;
    size_t claim_count;
    ev_claim *claims;
    size_t unchecked_displays; /* displays outside claims and declarations */
    ev_symbol_table *table;
    ev_arena *arena;
} ev_document;

/* Read and parse a whole document.  EV_BAD_INPUT with the first error's place: unreadable
 * or empty file, NUL bytes or invalid UTF-8, a file over 16 MiB or a line over 1 MiB, unknown key,
 * duplicate or malformed id, see: of an unknown id, a step number beyond the chain, a claim with
 * nothing to claim, and whatever the formula reader refuses.  EV_IO when the file can't be read. */
ev_status ev_document_read(const char *file, ev_document **document, ev_error *error);
/* The same from memory; file is used in messages and for the name. */
ev_status ev_document_parse(const char *file, const char *text, size_t length,
                            ev_document **document, ev_error *error);
void ev_document_destroy(ev_document *document);

#endif
