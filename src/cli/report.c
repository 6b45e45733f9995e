#include "cli/report.h"

#include "cli/message.h"

#include <string.h>

void ev_record_label(const ev_record *record, char *text, size_t size)
{
    if (record->step > 0)
        snprintf(text, size, "%s@%zu", record->claim, record->step);
    else
        snprintf(text, size, "%s", record->claim);
}

void ev_record_place(const ev_record *record, char *text, size_t size)
{
    if (record->line > 0)
        snprintf(text, size, "%s:%zu:%zu", record->file, record->line, record->column);
    else
        snprintf(text, size, "%s", record->file);
}

void ev_record_method(const ev_record *record, char *text, size_t size)
{
    bool voice = record->second_voice != NULL && *record->second_voice != '\0';
    bool module = record->step == 0 && record->measured != NULL && *record->measured != '\0';
    const char *remark = !voice                                           ? ""
                         : strcmp(record->second_voice, "agrees") == 0    ? ", C"
                         : strcmp(record->second_voice, "disagrees") == 0 ? ", not C"
                                                                          : ", C undecided";
    if (module)
        snprintf(text, size, "C");
    else
        snprintf(text, size, "%s%s", record->methods == NULL ? "" : record->methods, remark);
}

int ev_report_exit(const ev_report *report)
{
    ev_tally tally = ev_ledger_tally(report->ledger);
    bool empty = tally.total == 0;
    for (size_t i = 0; report->only == NULL && i < report->document_count; i++)
        empty = empty || report->documents[i]->claim_count == 0;
    return empty || tally.green < tally.total ? EV_EXIT_UNEXPECTED : EV_EXIT_OK;
}

void ev_report_verdict(const ev_record *record, const ev_style *style, FILE *out, size_t width)
{
    bool green = ev_record_green(record);
    const char *mark = style->utf8 ? (green ? "\xE2\x9C\x93" : "\xE2\x9C\x97") : green ? "+" : "X";
    const char *name = ev_verdict_name(record->verdict);
    bool remark = green && record->verdict != EV_HOLDS;
    char text[64];
    snprintf(text, sizeof text, "%s %s%s", mark, name, remark ? " (as expected)" : "");
    ev_paint_set(out, style,
                 green                           ? EV_GREEN
                 : record->verdict == EV_SKIPPED ? EV_YELLOW
                                                 : EV_LOUD);
    ev_text_cell(out, style, text, width);
    ev_paint_set(out, style, EV_PLAIN);
}

void ev_report_finding(const ev_record *record, char *text, size_t size)
{
    const char *kind = record->kind == NULL ? "error" : record->kind;
    const char *what = strcmp(kind, "slip") == 0          ? "a slip of notation"
                       : strcmp(kind, "conditional") == 0 ? "true only under a condition"
                                                          : "an error";
    bool source = record->source != NULL && *record->source != '\0';
    bool see = record->see != NULL && *record->see != '\0';
    snprintf(text, size, "%s%s%s%s%s", what, source ? ", printed in " : "",
             source ? record->source : "", see ? "; corrected by " : "", see ? record->see : "");
}
