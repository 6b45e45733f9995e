/* The table of steps: steps.h. */
#include "cli/steps.h"

#include "cli/report.h"

size_t ev_steps_write(const ev_ledger *ledger, FILE *out)
{
    size_t rows = 0;
    fputs("step\tdigits\tpoints\tverdict\texpected\n", out);
    for (size_t i = 0; i < ledger->count; i++) {
        const ev_record *r = &ledger->records[i];
        char label[128];
        if (r->step == 0)
            continue;
        ev_record_label(r, label, sizeof label);
        fprintf(out, "%s\t%.1f\t%zu\t%s\t%s\n", label, r->agreeing_digits, r->points_effective,
                ev_verdict_name(r->verdict), ev_record_green(r) ? "yes" : "no");
        rows++;
    }
    return rows;
}
