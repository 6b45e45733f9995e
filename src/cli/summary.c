/* The end of the table: every verdict is in exactly one class, and all classes are named. */
#include "cli/report.h"

#include <inttypes.h>
#include <string.h>

static void put_counts(const ev_report *report, const ev_tally *tally, FILE *out)
{
    static const ev_paint paints[] = {
        [EV_HOLDS] = EV_GREEN,    [EV_REFUTED] = EV_RED, [EV_UNDECIDED] = EV_YELLOW,
        [EV_VACUOUS] = EV_YELLOW, [EV_VOID] = EV_YELLOW, [EV_SKIPPED] = EV_YELLOW};
    fprintf(out, "%zu verdict%s =", tally->total, tally->total == 1 ? "" : "s");
    for (int v = 0; v < EV_VERDICT_COUNT; v++) {
        size_t n = tally->by_verdict[v];
        fputs(v == 0 ? " " : " + ", out);
        ev_paint_set(out, &report->style, n == 0 ? EV_DIM : paints[v]);
        fprintf(out, "%zu %s", n, ev_verdict_name((ev_verdict)v));
        ev_paint_set(out, &report->style, EV_PLAIN);
    }
    fputc('\n', out);
}

/* Steps of displays, statements decided by C modules, and the modules' own assertions. */
static void put_kinds(const ev_report *report, FILE *out)
{
    const ev_ledger *ledger = report->ledger;
    size_t steps = 0, statements = 0, voices = 0;
    for (size_t i = 0; i < ledger->count; i++) {
        steps += ledger->records[i].step > 0;
        statements += ledger->records[i].step == 0 &&
                      strcmp(ledger->records[i].relation, "statement") == 0;
        const char *voice = ledger->records[i].second_voice;
        voices += voice != NULL && strcmp(voice, "agrees") == 0;
    }
    fprintf(out, "of %zu step%s, %zu statement%s and %zu assertion%s in %zu document%s\n", steps,
            steps == 1 ? "" : "s", statements, statements == 1 ? "" : "s",
            ledger->count - steps - statements, ledger->count - steps - statements == 1 ? "" : "s",
            report->document_count, report->document_count == 1 ? "" : "s");
    if (voices > 0)
        fprintf(out, "%zu step%s confirmed by a C module\n", voices, voices == 1 ? "" : "s");
    if (ledger->unchecked_displays > 0)
        fprintf(out, "%zu display%s without a claim: not checked\n", ledger->unchecked_displays,
                ledger->unchecked_displays == 1 ? "" : "s");
}

/* How much of what was broken the check noticed; nothing when that was not asked. */
static void put_mutants(const ev_report *report, FILE *out)
{
    const ev_ledger *ledger = report->ledger;
    size_t killed = 0, total = 0, undecided = 0, equivalent = 0, survive = 0, weak = 0;
    for (size_t i = 0; i < ledger->count; i++) {
        const ev_record *r = &ledger->records[i];
        killed += r->mutants_killed;
        total += r->mutants_total;
        undecided += r->mutants_undecided;
        equivalent += r->mutants_equivalent;
        survive += ev_record_survivors(r);
        weak += ev_record_survivors(r) > 0;
    }
    if (total + equivalent == 0)
        return;
    fprintf(out, "mutants: %zu of %zu refuted, ", killed, total);
    if (undecided > 0)
        fprintf(out, "%zu undecided or void, ", undecided);
    fprintf(out, "%zu declared equivalent, ", equivalent);
    ev_paint_set(out, &report->style, survive > 0 ? EV_YELLOW : EV_PLAIN);
    fprintf(out, "%zu survive in %zu step%s", survive, weak, weak == 1 ? "" : "s");
    ev_paint_set(out, &report->style, EV_PLAIN);
    fputc('\n', out);
}

static void put_canaries(const ev_report *report, FILE *out)
{
    const ev_canaries *c = report->canaries;
    if (c == NULL)
        return;
    bool well = c->as_planted == c->total;
    ev_paint_set(out, &report->style, well ? EV_PLAIN : EV_LOUD);
    fprintf(out, "canaries: %zu of %zu as planted", c->as_planted, c->total);
    if (!well)
        fprintf(out, "; %s: NO VERDICT OF THIS RUN IS TO BE BELIEVED", c->first_failure);
    ev_paint_set(out, &report->style, EV_PLAIN);
    fputc('\n', out);
}

static void put_budget(const ev_report *report, FILE *out)
{
    const ev_ledger *ledger = report->ledger;
    uint64_t planned = ledger->comparisons_planned, spent = ledger->comparisons_spent;
    double share = planned == 0 ? 0 : ledger->alpha_total * ((double)spent / (double)planned);
    fprintf(out, "seed %" PRIu64 ", effort %s, %.1f s\n", ledger->seed, ledger->effort,
            report->seconds);
    char text[256];
    snprintf(text, sizeof text,
             "false-alarm probability at most %.0e; %" PRIu64
             " sampling comparisons planned, %" PRIu64 " made (%.0e)",
             ledger->alpha_total, planned, spent, share);
    ev_text_wrap(out, &report->style, text, 0, 2);
}

void ev_report_legend(const ev_report *report, FILE *out)
{
    char legend[256];
    ev_report_methods_legend(report->ledger, legend, sizeof legend);
    if (legend[0] == '\0')
        return;
    ev_paint_set(out, &report->style, EV_DIM);
    fprintf(out, "%s\n", legend);
    ev_paint_set(out, &report->style, EV_PLAIN);
}

static void put_empty(const ev_report *report, FILE *out)
{
    for (size_t i = 0; report->only == NULL && i < report->document_count; i++) {
        if (report->documents[i]->claim_count > 0)
            continue;
        ev_paint_set(out, &report->style, EV_LOUD);
        ev_text_put(out, &report->style, report->documents[i]->file, 256);
        fputs(": nothing was checked: the document has no claims\n", out);
        ev_paint_set(out, &report->style, EV_PLAIN);
    }
}

static void put_unexpected(const ev_report *report, const ev_tally *tally, FILE *out)
{
    const ev_ledger *ledger = report->ledger;
    ev_paint_set(out, &report->style, EV_LOUD);
    fprintf(out, "%zu of %zu %s not as expected:\n", tally->total - tally->green, tally->total,
            tally->total - tally->green == 1 ? "is" : "are");
    ev_paint_set(out, &report->style, EV_PLAIN);
    for (size_t i = 0; i < ledger->count; i++) {
        const ev_record *r = &ledger->records[i];
        char label[128], place[320], why[128];
        if (ev_record_green(r))
            continue;
        ev_record_label(r, label, sizeof label);
        fputs("  ", out);
        ev_record_place(r, place, sizeof place);
        ev_text_put(out, &report->style, place, sizeof place);
        ev_report_unexpected(r, why, sizeof why);
        fprintf(out, ": %s: %s\n", label, why);
    }
}

void ev_report_summary(const ev_report *report, FILE *out)
{
    ev_tally tally = ev_ledger_tally(report->ledger);
    put_counts(report, &tally, out);
    put_kinds(report, out);
    put_mutants(report, out);
    put_canaries(report, out);
    put_budget(report, out);
    put_empty(report, out);
    if (tally.total == 0) {
        ev_paint_set(out, &report->style, EV_LOUD);
        fputs("nothing was checked", out);
        if (report->only != NULL) {
            fputs(": no step matches ", out);
            ev_text_put(out, &report->style, report->only, 80);
        }
        fputc('\n', out);
        ev_paint_set(out, &report->style, EV_PLAIN);
    } else if (tally.green < tally.total) {
        put_unexpected(report, &tally, out);
    } else if (ev_report_exit(report) == 0) {
        ev_paint_set(out, &report->style, EV_GREEN);
        if (tally.total == 1)
            fputs("as expected\n", out);
        else
            fprintf(out, "all %zu as expected\n", tally.total);
        ev_paint_set(out, &report->style, EV_PLAIN);
    }
}
