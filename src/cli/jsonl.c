/* The ledger itself: a JSON object a line. */
#include "cli/report.h"

ev_status ev_report_jsonl(const ev_report *report, FILE *out, ev_error *error)
{
    for (size_t i = 0; i < report->ledger->count; i++) {
        ev_status status = ev_record_write_json(&report->ledger->records[i], report->ledger, out);
        if (status == EV_NO_MEMORY)
            return ev_error_set(error, status, "memory is short");
    }
    return EV_OK;
}
