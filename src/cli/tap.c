/* The Test Anything Protocol, version 14.  A verdict is ok when it is the expected one and no
 * mutant survives; SKIPPED never is, and carries the SKIP directive besides. */
#include "cli/report.h"
#include "cli/value.h"

#include <inttypes.h>
#include <string.h>

/* A description: # and \ are escaped, what can't stand on a line becomes a space. */
static void put_description(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '#' || *text == '\\')
            fputc('\\', out);
        fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
    }
}

/* A double-quoted YAML scalar. */
static void put_pair(FILE *out, const char *key, const char *text)
{
    fprintf(out, "  %s: \"", key);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < 0x20 || *text == 0x7F)
            fprintf(out, "\\x%02x", (unsigned)*text);
        else
            fputc(*text, out);
    }
    fputs("\"\n", out);
}

static bool has(const char *text) { return text != NULL && *text != '\0'; }

/* The expected verdict, and not green all the same. */
static bool weak(const ev_record *r) { return r->verdict == r->expected && !ev_record_green(r); }

static void put_diagnostics(FILE *out, const ev_record *r)
{
    const ev_style plain = {false, false, 100};
    char value[EV_VALUE_TEXT], why[128], message[1024];
    ev_report_unexpected(r, why, sizeof why);
    snprintf(message, sizeof message, "%s%s%s", weak(r) ? why : "",
             weak(r) && has(r->reason) ? ": " : "", r->reason == NULL ? "" : r->reason);
    fputs("  ---\n", out);
    put_pair(out, "message", message);
    put_pair(out, "expected", ev_verdict_name(r->expected));
    put_pair(out, "found", ev_verdict_name(r->verdict));
    put_pair(out, "relation", r->relation);
    if (r->right != NULL)
        put_pair(out, "source", r->right);
    if (has(r->witness))
        put_pair(out, "witness", r->witness);
    if (r->step > 0) {
        ev_evidence_text(&r->left_value, &plain, value);
        put_pair(out, "left", value);
        ev_evidence_text(&r->right_value, &plain, value);
        put_pair(out, "right", value);
    }
    if (has(r->diagnosis))
        put_pair(out, "diagnosis", r->diagnosis);
    if (has(r->survivors))
        put_pair(out, "survivors", r->survivors);
    fputs("  at:\n  ", out);
    put_pair(out, "file", r->file);
    fprintf(out, "    line: %zu\n    column: %zu\n  ...\n", r->line, r->column);
}

static const char *verdict_word(ev_verdict verdict)
{
    switch (verdict) {
    case EV_REFUTED: return "refuted";
    case EV_VOID: return "void";
    case EV_VACUOUS: return "vacuous";
    default: return ev_verdict_name(verdict);
    }
}

ev_status ev_report_tap(const ev_report *report, FILE *out, ev_error *error)
{
    (void)error;
    const ev_ledger *ledger = report->ledger;
    fprintf(out, "TAP version 14\n1..%zu", ledger->count);
    if (ledger->count == 0)
        fputs(" # SKIP nothing was checked", out);
    fprintf(out, "\n# seed %" PRIu64 ", effort %s\n", ledger->seed, ledger->effort);
    if (report->canaries != NULL)
        fprintf(out, "# canaries: %zu of %zu as planted\n", report->canaries->as_planted,
                report->canaries->total);
    for (size_t i = 0; i < ledger->count; i++) {
        const ev_record *r = &ledger->records[i];
        char label[128], why[128];
        ev_record_label(r, label, sizeof label);
        fprintf(out, "%s %zu - ", ev_record_green(r) ? "ok" : "not ok", i + 1);
        put_description(out, r->document);
        fputs(": ", out);
        put_description(out, label);
        if (ev_record_green(r) && r->verdict != EV_HOLDS)
            fprintf(out, " (%s, as expected)", verdict_word(r->verdict));
        ev_report_unexpected(r, why, sizeof why);
        if (weak(r))
            fprintf(out, " (%s)", why);
        if (r->verdict == EV_SKIPPED) {
            fputs(" # SKIP ", out);
            put_description(out, r->reason == NULL ? "" : r->reason);
        }
        fputc('\n', out);
        if (!ev_record_green(r) || has(r->diagnosis) || has(r->survivors))
            put_diagnostics(out, r);
    }
    return EV_OK;
}
