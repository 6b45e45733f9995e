/* evidence explain: everything known of one step, or of all steps of a claim. */
#include "cli/assumptions.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/run.h"
#include "cli/subcommand.h"
#include "cli/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const efforts[] = {"quick", "full", "deep", NULL};
static const char *const switches[] = {"off", "on", NULL};
static const char *const colours[] = {"auto", "always", "never", NULL};

static struct {
    uint64_t seed, threads;
    int effort, colour, mutants;
    const char *witness; /* NULL: points are drawn */
} asked;

static const ev_option options[] = {
    {"seed", 0, EV_OPTION_NUMBER, "N", "the seed of every random draw", &asked.seed, 0, UINT64_MAX,
     NULL},
    {"effort", 0, EV_OPTION_CHOICE, NULL, "how long to try before UNDECIDED", &asked.effort, 0, 0,
     efforts},
    {"mutants", 0, EV_OPTION_CHOICE, NULL, "break the step and see it refuted; diagnose (on)",
     &asked.mutants, 0, 0, switches},
    {"witness", 0, EV_OPTION_TEXT, "POINT", "judge the step at this point: 'J = 1, \\mu = (0)'",
     &asked.witness, 0, 0, NULL},
    {"threads", 0, EV_OPTION_NUMBER, "N", "threads (default: OpenMP's)", &asked.threads, 1, 1024,
     NULL},
    {"color", 0, EV_OPTION_CHOICE, NULL, "auto: on a terminal, unless NO_COLOR is set",
     &asked.colour, 0, 0, colours},
};
enum { OPTION_COUNT = sizeof options / sizeof *options };

static void help(FILE *out)
{
    fputs(
        "Judges one claim, or one step of it, and prints all that is known: the printed line, the\n"
        "assumptions in force, both values with their errors, methods, points and the witness.\n"
        "Without files it is looked for in derivations/*.md, README.md aside; a document there "
        "that\n"
        "can't be read is warned of and left out.\n\n",
        out);
    ev_options_help(out, options, OPTION_COUNT);
}

static const ev_claim *claim_in(const ev_document *document, const char *id)
{
    for (size_t c = 0; c < document->claim_count; c++)
        if (strcmp(document->claims[c].id, id) == 0)
            return &document->claims[c];
    return NULL;
}

/* The number of documents that have the claim, and the last of them. */
static size_t find_document(const ev_run *run, const char *id, size_t *document)
{
    size_t holders = 0;
    for (size_t d = 0; d < run->document_count; d++)
        if (claim_in(run->documents[d], id) != NULL) {
            *document = d;
            holders++;
        }
    return holders;
}

static void refuse_several(const ev_run *run, const char *word, const char *id, size_t holders)
{
    ev_message(run->colour, "%zu documents have a claim '%s': say which one", holders, id);
    for (size_t d = 0; d < run->document_count; d++)
        if (claim_in(run->documents[d], id) != NULL)
            fprintf(stderr, "  evidence explain %s %s\n", word, run->documents[d]->file);
}

static void refuse_unknown(const ev_run *run, const char *id)
{
    size_t count = 0;
    for (size_t d = 0; d < run->document_count; d++)
        count += run->documents[d]->claim_count;
    const char **ids = calloc(count + 1, sizeof *ids), *near = NULL;
    if (ids != NULL) {
        count = 0;
        for (size_t d = 0; d < run->document_count; d++)
            for (size_t c = 0; c < run->documents[d]->claim_count; c++)
                ids[count++] = run->documents[d]->claims[c].id;
        near = ev_nearest(id, ids, count);
    }
    if (near != NULL)
        ev_message(run->colour, "no claim '%s'; did you mean '%s'?", id, near);
    else
        ev_message(run->colour, "no claim '%s'%s", id,
                   run->left_out > 0 ? " in the documents that can be read" : "");
    free(ids);
}

static void put_heading(FILE *out, const ev_style *style, const char *text)
{
    fputc('\n', out);
    ev_paint_set(out, style, EV_BOLD);
    fputs(text, out);
    ev_paint_set(out, style, EV_PLAIN);
    fputc('\n', out);
}

static bool has(const char *text) { return text != NULL && *text != '\0'; }

static void put_text(FILE *out, const ev_style *style, const char *name, const char *text)
{
    if (!has(text))
        return;
    fprintf(out, "  %-13s ", name);
    ev_text_wrap(out, style, text, 16, 16);
}

static void put_place(FILE *out, const ev_style *style, const ev_record *r)
{
    char label[128], text[512];
    ev_record_label(r, label, sizeof label);
    ev_paint_set(out, style, EV_BOLD);
    fputs(label, out);
    ev_paint_set(out, style, EV_PLAIN);
    fputs("   ", out);
    ev_report_verdict(r, style, out, 0);
    size_t survive = ev_record_survivors(r);
    if (r->verdict != r->expected)
        fprintf(out, "   (expected: %s)", ev_verdict_name(r->expected));
    else if (survive > 0)
        fprintf(out, "   (but %zu mutant%s)", survive, survive == 1 ? " survives" : "s survive");
    fputc('\n', out);
    ev_record_place(r, text, sizeof text);
    put_text(out, style, "place", text);
    put_text(out, style, "section", r->section);
    put_text(out, style, "source", r->source);
    put_text(out, style, "see", r->see);
    put_text(out, style, "note", r->note);
    if (r->expected != EV_HOLDS) {
        ev_report_finding(r, text, sizeof text);
        put_text(out, style, "finding", text);
    }
}

static void put_comparison(FILE *out, const ev_style *style, const ev_record *r)
{
    if (r->points_effective == 0)
        return;
    put_heading(out, style,
                asked.witness != NULL      ? "The point given"
                : r->step == 0             ? "The comparison"
                : r->verdict == EV_REFUTED ? "The witness"
                                           : "The worst point");
    put_text(out, style, "at", r->witness);
    fputs("  left          ", out);
    ev_evidence_kinds(&r->left_value, style, out);
    fputs("\n  right         ", out);
    ev_evidence_kinds(&r->right_value, style, out);
    double errors = ev_evidence_error(&r->left_value) + ev_evidence_error(&r->right_value);
    fprintf(out, "\n  difference    %.3e, with errors of %.0e together\n",
            r->left_value.value - r->right_value.value, errors);
    if (isfinite(r->estimate_deviation) && strcmp(r->relation, "~") == 0)
        fprintf(out, "  estimate      standard deviation %.6g at this point\n",
                r->estimate_deviation);
    put_text(out, style, "diagnosis", r->diagnosis);
}

static void put_alternatives(FILE *out, const ev_style *style, const ev_record *r)
{
    if (r->alternative_count > 0)
        put_heading(out, style, "Alternatives that the same decision was put to");
    for (size_t i = 0; i < r->alternative_count; i++) {
        const ev_ledger_alternative *a = &r->alternatives[i];
        put_text(out, style, a->refuted ? "refuted" : "NOT REFUTED", a->statement);
        put_text(out, style, "", a->because);
    }
}

static void put_second_voice(FILE *out, const ev_record *r)
{
    if (!has(r->second_voice))
        fputs("  second voice  none\n", out);
    else
        fprintf(out, "  second voice  checks/%s.c %s: %zu point%s, %.1f digits\n", r->document,
                r->second_voice, r->second_voice_points, r->second_voice_points == 1 ? "" : "s",
                r->second_voice_digits);
}

static void put_numbers(FILE *out, const ev_record *r)
{
    fprintf(out,
            "  agreement     %.1f digits; asked for relative %.0e; the smallest difference that "
            "would show: %.0e\n",
            r->agreeing_digits, r->resolution, r->smallest_detectable);
    fprintf(out, "  points        %zu drawn, %zu compared\n", r->points_tried, r->points_effective);
    fprintf(out, "  evaluations   %" PRIu64 ", and %" PRIu64 " samples\n", r->evaluations,
            r->samples);
    fprintf(out, "  false alarms  %" PRIu64 " sampling comparisons, probability %.1e spent\n",
            r->comparisons, r->alpha_spent);
    if (r->sentinel != 0)
        fprintf(out, "  sentinels     known integrals beside it were off by %.0e at most\n",
                r->sentinel);
}

static void put_each(FILE *out, const ev_style *style, const char *name, const char *mutants)
{
    size_t length = 0;
    for (const char *s = mutants; (s = ev_survivor(s, &length)) != NULL; s += length) {
        char *one = strndup(s, length);
        put_text(out, style, name, one);
        free(one);
    }
}

static void put_mutants(FILE *out, const ev_style *style, const ev_record *r)
{
    if (r->mutants_total + r->mutants_equivalent == 0) {
        fputs("  mutants       not measured\n", out);
        return;
    }
    fprintf(out, "  mutants       %zu of %zu refuted, ", r->mutants_killed, r->mutants_total);
    if (r->mutants_undecided > 0)
        fprintf(out, "%zu undecided or void, ", r->mutants_undecided);
    fprintf(out, "%zu declared equivalent\n", r->mutants_equivalent);
    put_each(out, style, "survives", r->survivors);
    put_each(out, style, "undecided", r->unclear);
}

static void put_evidence(FILE *out, const ev_style *style, const ev_record *r)
{
    put_heading(out, style, "The evidence");
    put_text(out, style, "reason", r->reason);
    put_text(out, style, "measured", r->measured);
    put_text(out, style, "methods", r->methods);
    if (r->step > 0) {
        put_second_voice(out, r);
        put_numbers(out, r);
        put_mutants(out, style, r);
    }
    fprintf(out, "  seed          %" PRIu64 "\n  time          %.2f s\n", r->seed, r->seconds);
}

/* A word of the shell, in quotes. */
static void put_quoted(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text != '\0'; text++)
        if (*text == '\'')
            fputs("'\\''", out);
        else
            fputc(*text, out);
    fputc('\'', out);
}

/* The words that repeat this judgement, and those that repeat it at the witness. */
static void put_replay(FILE *out, const ev_style *style, const ev_record *r)
{
    char label[128];
    ev_record_label(r, label, sizeof label);
    put_heading(out, style, "To see it again");
    fprintf(out, "  evidence explain %s %s --seed %" PRIu64 " --effort %s%s\n", label, r->file,
            r->seed, efforts[asked.effort],
            asked.mutants == 0 || asked.witness != NULL ? " --mutants off" : "");
    if (r->step == 0 || !has(r->witness))
        return;
    fprintf(out, "  evidence explain %s %s --witness ", label, r->file);
    put_quoted(out, r->witness);
    fputc('\n', out);
}

static const ev_document *document_of(const ev_run *run, const ev_record *r)
{
    size_t d = 0;
    while (strcmp(run->documents[d]->file, r->file) != 0)
        d++;
    return run->documents[d];
}

static void put_record(FILE *out, const ev_style *style, const ev_run *run, const ev_record *r)
{
    const ev_document *document = document_of(run, r);
    const ev_claim *claim = claim_in(document, r->claim);
    put_place(out, style, r);
    put_heading(out, style,
                r->step > 0     ? "The step, as printed"
                : claim != NULL ? "The statement"
                                : "The C module's assertion");
    put_text(out, style, "", r->left);
    put_text(out, style, r->step > 0 ? r->relation : "", r->right);
    if (r->step > 0) {
        put_heading(out, style, "Assumptions in force");
        ev_assumptions_put(document, claim->formula.scope, style, out);
    }
    put_comparison(out, style, r);
    put_evidence(out, style, r);
    put_alternatives(out, style, r);
    put_replay(out, style, r);
}

static int write_explanation(const ev_run *run)
{
    ev_error error = EV_ERROR_NONE;
    ev_output output;
    ev_output_open(&output, NULL, &error);
    ev_style style = ev_style_of(output.draft.descriptor, run->colour);
    for (size_t i = 0; i < run->ledger->count; i++) {
        if (i > 0)
            fputs("\n\n", output.stream);
        put_record(output.stream, &style, run, &run->ledger->records[i]);
    }
    ev_tally tally = ev_ledger_tally(run->ledger);
    ev_status status = ev_output_close(&output, &error);
    if (status == EV_OK)
        return tally.green == tally.total ? EV_EXIT_OK : EV_EXIT_UNEXPECTED;
    ev_message_error(&error, run->colour);
    return ev_message_exit(status);
}

/* CLAIM@STEP: cut off the step and read it; 0 without one.  False when it is no number. */
static bool split_step(char *id, uint64_t *step)
{
    char *at = strchr(id, '@'), *end;
    *step = 0;
    if (at == NULL)
        return true;
    *at = '\0';
    *step = at[1] >= '1' && at[1] <= '9' ? strtoull(at + 1, &end, 10) : 0;
    return *step > 0 && *end == '\0';
}

/* Keep one document of those read. */
static void keep_only(ev_run *run, size_t kept)
{
    ev_document *document = run->documents[kept];
    run->documents[kept] = run->documents[0];
    run->documents[0] = document;
    while (run->document_count > 1)
        ev_document_destroy(run->documents[--run->document_count]);
}

/* An id that no document has may still be a C module's own assertion: then all are judged. */
static int explain(ev_run *run, const char *word, const char *id, uint64_t step)
{
    size_t position = 0, holders = find_document(run, id, &position);
    if (holders > 1) {
        refuse_several(run, word, id, holders);
        return EV_EXIT_INPUT;
    }
    if (holders == 1) {
        keep_only(run, position);
        const ev_claim *claim = claim_in(run->documents[0], id);
        size_t steps = claim->is_statement ? 0 : claim->formula.step_count;
        if (step > steps) {
            if (claim->is_statement)
                ev_message(run->colour, "'%s' is a statement: it has no steps", id);
            else
                ev_message(run->colour, "'%s' has only %zu step%s", id, steps,
                           steps == 1 ? "" : "s");
            return EV_EXIT_INPUT;
        }
        if (asked.witness != NULL && step == 0 && steps != 1) {
            ev_message(run->colour, "--witness: say which step, as in %s@1", id);
            return EV_EXIT_INPUT;
        }
    }
    ev_judge_options judge = {.seed = asked.seed,
                              .effort = (ev_effort_level)asked.effort,
                              .only = word,
                              .mutants = asked.mutants == 1 && asked.witness == NULL,
                              .shrink = true,
                              .witness = asked.witness,
                              .threads = (size_t)asked.threads};
    int status = ev_run_judge(run, &judge);
    if (status == EV_EXIT_OK && run->ledger->count == 0) {
        refuse_unknown(run, id);
        return EV_EXIT_INPUT;
    }
    return status == EV_EXIT_OK ? write_explanation(run) : status;
}

static int run_explain(int argc, char **argv)
{
    ev_judge_options defaults = EV_JUDGE_DEFAULTS;
    asked.seed = defaults.seed;
    asked.effort = (int)defaults.effort;
    asked.mutants = 1;
    switch (ev_options_parse("explain", options, OPTION_COUNT, &argc, argv)) {
    case EV_OPTIONS_HELP: return ev_subcommand_help(&ev_explain_subcommand);
    case EV_OPTIONS_BAD: return EV_EXIT_INPUT;
    default: break;
    }
    char id[128];
    uint64_t step;
    if (argc == 0 || strlen(argv[0]) >= sizeof id) {
        ev_message((ev_colour_choice)asked.colour, "name a claim: evidence explain CLAIM[@STEP]");
        return EV_EXIT_INPUT;
    }
    snprintf(id, sizeof id, "%s", argv[0]);
    if (!split_step(id, &step)) {
        ev_message((ev_colour_choice)asked.colour, "'%s': a step is a number, as in %s@2", argv[0],
                   id);
        return EV_EXIT_INPUT;
    }
    ev_run run = {.colour = (ev_colour_choice)asked.colour, .lenient = argc == 1};
    int status = ev_run_read(&run, argv + 1, (size_t)(argc - 1));
    if (status == EV_EXIT_OK)
        status = explain(&run, argv[0], id, step);
    ev_run_end(&run);
    return status;
}

const ev_subcommand ev_explain_subcommand = {"explain", "[OPTION...] CLAIM[@STEP] [FILE.md...]",
                                             "everything known of one step", run_explain, help};
