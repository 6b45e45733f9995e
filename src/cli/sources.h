/* The lines that sources print, with the verdict on each: `evidence tabulate sources`. */
#ifndef EV_CLI_SOURCES_H
#define EV_CLI_SOURCES_H

#include "base/error.h"
#include "judge/ledger.h"

#include <stdio.h>

typedef enum { EV_SOURCES_TSV, EV_SOURCES_MARKDOWN } ev_sources_format;

/* A row for each step and statement whose claim has a source, in the sources' natural order ("2"
 * before "10", digits before letters), then the ledger's.
 *   TSV, with a line of names:  source  document  step  relation  verdict  expected  kind
 *       relation: as printed, "= right" where a chain goes on;  expected: yes or no;
 *       kind: of a refuted line, else "-"
 *   Markdown: the rows of a table of source, relation, step and verdict; links are relative to the
 *       documents' folder.
 * Returns EV_NO_MEMORY when a row could not be made; *rows is the number written. */
ev_status ev_sources_write(const ev_ledger *ledger, ev_sources_format format, FILE *out,
                           size_t *rows, ev_error *error);

#endif
