/* Numbers with their errors, as text. */
#ifndef EV_CLI_VALUE_H
#define EV_CLI_VALUE_H

#include "cli/terminal.h"
#include "judge/ledger.h"

enum { EV_VALUE_TEXT = 80 };

/* All kinds of error together. */
double ev_evidence_error(const ev_evidence_value *value);
/* "0.5 ± 1e-12": as many digits as the error leaves meaning to, and one more. */
void ev_evidence_text(const ev_evidence_value *value, const ev_style *style,
                      char text[EV_VALUE_TEXT]);
/* The same with the error by kind: "0.5 ± 1e-12 (rounding 2e-16, quadrature 1e-12)". */
void ev_evidence_kinds(const ev_evidence_value *value, const ev_style *style, FILE *out);
/* The shortest decimal that reads back as the same double. */
void ev_number_text(double number, char text[EV_VALUE_TEXT]);

#endif
