#include "judge/check_state.h"
#include "judge/compare.h"

#include <ctype.h>
#include <fnmatch.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the parts of a running check ---- */

/* Modules of several documents run side by side, and share the ledger's arena. */
static const char *keep(ev_check *check, const char *text)
{
    const char *copy;
#pragma omp critical(ev_ledger_arena)
    copy = ev_arena_text(check->job->arena, text, strlen(text));
    if (copy == NULL)
        check->out_of_memory = true;
    return copy == NULL ? "" : copy;
}

void ev_check_break(ev_check *check, const char *reason)
{
    if (check->broken == NULL)
        check->broken = reason;
}

const ev_claim *ev_check_claim(const ev_check *check, const char *id)
{
    const ev_document *document = check->job->document;
    for (size_t i = 0; i < document->claim_count; i++)
        if (strcmp(document->claims[i].id, id) == 0)
            return &document->claims[i];
    return NULL;
}

/* The index of a record, or job->count: not in this run, or unknown, which breaks the check. */
static size_t find_record(ev_check *check, const char *claim, size_t step)
{
    ev_check_job *job = check->job;
    for (size_t i = 0; i < job->count; i++)
        if (job->records[i].step == step && strcmp(job->records[i].claim, claim) == 0)
            return i;
    const ev_claim *known = ev_check_claim(check, claim);
    bool exists = known != NULL &&
                  (step == 0 ? known->is_statement
                             : !known->is_statement && step <= known->formula.step_count);
    if (!exists)
        ev_check_break(check, step == 0
                                  ? ev_check_format(check, "%s is not a statement", claim)
                                  : ev_check_format(check, "there is no %s@%zu", claim, step));
    return job->count;
}

static void set_verdict(ev_record *record, ev_verdict verdict, const char *reason)
{
    record->verdict = verdict;
    record->reason = reason;
}

bool ev_judge_wants(const char *only, const char *claim, size_t step)
{
    char with_step[300];
    if (only == NULL || fnmatch(only, claim, 0) == 0)
        return true;
    snprintf(with_step, sizeof with_step, "%s@%zu", claim, step);
    return step > 0 && fnmatch(only, with_step, 0) == 0;
}

/* ---- second voices ---- */

static void disagree(ev_check *check, ev_check_voice *voice, const char *what, double a,
                     double a_error, double b, double b_error)
{
    if (voice->disagreement == NULL)
        voice->disagreement = ev_check_format(check, "%s: %.12g +- %.1g and %.12g +- %.1g", what, a,
                                              a_error, b, b_error);
}

void ev_check_compare(ev_check *check, const char *claim, size_t step, double ours,
                      double our_error, double documents, double documents_error, double relative)
{
    size_t i = find_record(check, claim, step);
    if (i == check->job->count)
        return;
    ev_check_voice *voice = &check->voices[i];
    ev_value a = ev_value_of(ours, our_error), b = ev_value_of(documents, documents_error);
    ev_comparison c = ev_compare(EV_RELATION_EQUAL, &a, &b,
                                 (ev_tolerance){relative, relative, 0.0});
    voice->points++;
    if (c.outcome == EV_DIFFERS || c.outcome == EV_UNFIT_VALUES)
        disagree(check, voice, "the C module disagrees", ours, our_error, documents,
                 documents_error);
    voice->undecided = voice->undecided || c.outcome == EV_UNRESOLVED;
    voice->digits = fmin(voice->digits, c.digits);
}

static ev_relation relation_of(const ev_check *check, const ev_record *record)
{
    const ev_claim *claim = ev_check_claim(check, record->claim);
    ev_relation relation = claim->formula.steps[record->step - 1].relation;
    bool comparison = relation < EV_RELATION_APPROX;
    return comparison ? relation : EV_RELATION_EQUAL;
}

void ev_check_sides(ev_check *check, const char *claim, size_t step, double left, double left_error,
                    double right, double right_error)
{
    size_t i = find_record(check, claim, step);
    if (i == check->job->count || step == 0)
        return;
    ev_check_voice *voice = &check->voices[i];
    const ev_record *record = &check->job->records[i];
    ev_value a = ev_value_of(left, left_error), b = ev_value_of(right, right_error);
    ev_comparison c = ev_compare(relation_of(check, record), &a, &b,
                                 (ev_tolerance){1e300, 1e300, 0.0});
    voice->points++;
    voice->sides_differ += c.outcome == EV_DIFFERS;
    voice->sides_agree += c.outcome == EV_AGREES;
    if (c.outcome == EV_UNFIT_VALUES)
        disagree(check, voice, "the C module's sides are not finite", left, left_error, right,
                 right_error);
    else if (c.outcome == EV_DIFFERS && record->verdict == EV_HOLDS)
        disagree(check, voice, "the C module's sides differ", left, left_error, right, right_error);
    else
        voice->digits = fmin(voice->digits, c.digits);
}

/* What the voice makes of its record, once the module has finished. */
static void settle_voice(ev_check *check, ev_record *record, ev_check_voice *voice)
{
    if (voice->points == 0)
        return;
    if (record->verdict == EV_REFUTED && voice->sides_agree > 0 && voice->sides_differ == 0 &&
        voice->disagreement == NULL)
        voice->disagreement = "the C module's sides agree wherever it looked";
    record->second_voice_points = voice->points;
    record->second_voice_digits = voice->digits;
    record->second_voice = "agrees";
    if (voice->disagreement != NULL) {
        record->second_voice = "disagrees";
        set_verdict(record, EV_VOID, keep(check, voice->disagreement));
    } else if (voice->undecided) {
        record->second_voice = "undecided";
        if (record->verdict == EV_HOLDS)
            set_verdict(record, EV_UNDECIDED, "the C module's errors are too large to compare");
    }
}

/* ---- statements ---- */

static const char *keep_or_empty(ev_check *check, const char *text)
{
    return text == NULL ? "" : keep(check, text);
}

/* Why a decision can't be accepted, or NULL. */
static const char *flaw_of(size_t n, const ev_alternative *alternative)
{
    if (n < 2)
        return "the decision refutes fewer than two alternatives";
    for (size_t i = 0; i < n; i++)
        if (!alternative[i].refuted)
            return "the decision does not refute one of its alternatives";
    return NULL;
}

static void keep_alternatives(ev_check *check, ev_record *record, size_t n,
                              const ev_alternative *alternative)
{
    ev_ledger_alternative *kept;
#pragma omp critical(ev_ledger_arena)
    kept = ev_arena_array(check->job->arena, n + 1, sizeof *kept);
    if (kept == NULL) {
        check->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < n; i++)
        kept[i] = (ev_ledger_alternative){keep_or_empty(check, alternative[i].statement),
                                          keep_or_empty(check, alternative[i].because),
                                          alternative[i].refuted};
    record->alternatives = kept;
    record->alternative_count = n;
}

/* The record of a statement that has not been decided yet, or NULL. */
static ev_record *undecided_statement(ev_check *check, const char *claim)
{
    size_t i = find_record(check, claim, 0);
    if (i == check->job->count)
        return NULL;
    ev_record *record = &check->job->records[i];
    if (check->voices[i].decided) {
        set_verdict(record, EV_VOID, "decided more than once");
        return NULL;
    }
    check->voices[i].decided = true;
    return record;
}

void ev_check_decide(ev_check *check, const char *claim, bool holds, const char *measured,
                     size_t alternatives, const ev_alternative *alternative)
{
    ev_record *record = undecided_statement(check, claim);
    if (record == NULL)
        return;
    record->measured = keep_or_empty(check, measured);
    keep_alternatives(check, record, alternatives, alternative);
    const char *flaw = flaw_of(alternatives, alternative);
    if (flaw == NULL && record->measured[0] == '\0')
        flaw = "the decision says nothing of what was measured";
    if (flaw != NULL)
        set_verdict(record, EV_VOID, flaw);
    else
        set_verdict(record, holds ? EV_HOLDS : EV_REFUTED, holds ? "" : record->measured);
}

/* Does needle stand in text[0..length), and not inside a longer number? */
static bool stands_in(const char *text, size_t length, const char *needle)
{
    size_t n = strlen(needle);
    for (size_t i = 0; i + n <= length; i++) {
        if (memcmp(text + i, needle, n) != 0)
            continue;
        bool begins = i == 0 || !isdigit((unsigned char)needle[0]) ||
                      (!isdigit((unsigned char)text[i - 1]) && text[i - 1] != '.');
        bool ends = i + n == length || !isdigit((unsigned char)needle[n - 1]) ||
                    !isdigit((unsigned char)text[i + n]);
        if (begins && ends)
            return true;
    }
    return false;
}

/* The document's text from the claim before this one to its own comment. */
static const char *text_above(const ev_document *document, const ev_claim *claim, size_t *length)
{
    size_t first = 0;
    for (const ev_claim *c = document->claims; c < document->claims + document->claim_count; c++)
        if (c->line < claim->line && c->line > first)
            first = c->line;
    size_t begin = 0, end = 0;
    for (size_t i = 0, line = 1; i < document->length && line < claim->line; i++)
        if (document->text[i] == '\n') {
            line++;
            begin = line <= first ? i + 1 : begin;
            end = i + 1;
        }
    *length = end - begin;
    return document->text + begin;
}

void ev_check_prints(ev_check *check, const char *claim, const char *format, ...)
{
    char wanted[400];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(wanted, sizeof wanted, format, arguments);
    va_end(arguments);
    size_t i = find_record(check, claim, 0), length;
    const ev_claim *statement = ev_check_claim(check, claim);
    if (i == check->job->count || statement == NULL)
        return;
    const char *above = text_above(check->job->document, statement, &length);
    if (size <= 0 || (size_t)size >= sizeof wanted)
        ev_check_break(check, "what should be printed is nothing, or too long");
    else if (!stands_in(statement->statement, strlen(statement->statement), wanted) &&
             !stands_in(above, length, wanted) && check->voices[i].unprinted == NULL)
        check->voices[i].unprinted = ev_check_format(check, "decided for %s, which is not printed",
                                                     wanted);
}

void ev_check_give_up(ev_check *check, const char *claim, const char *reason)
{
    ev_record *record = undecided_statement(check, claim);
    if (record != NULL)
        set_verdict(record, EV_UNDECIDED, keep_or_empty(check, reason));
}

/* ---- the module's own records ---- */

static ev_record *own_record(ev_check *check, const char *id)
{
    ev_check_job *job = check->job;
    if (!ev_array_reserve(&job->own, job->own_count, &job->own_capacity, sizeof *job->own)) {
        check->out_of_memory = true;
        return NULL;
    }
    ev_record *record = &job->own[job->own_count++];
    *record = (ev_record){.document = keep(check, job->document->name),
                          .file = keep(check, job->document->file),
                          .section = "",
                          .claim = keep(check, id),
                          .relation = "assert",
                          .left = "",
                          .right = "",
                          .kind = "error",
                          .expected = EV_HOLDS,
                          .reason = "",
                          .witness = "",
                          .diagnosis = "",
                          .methods = "module",
                          .measured = "",
                          .second_voice = "",
                          .estimate_deviation = (double)NAN,
                          .sampling_p = (double)NAN,
                          .seed = job->seed};
    return record;
}

void ev_check_assert(ev_check *check, const char *id, const char *what, double actual,
                     double wanted, double error)
{
    if (!ev_judge_wants(check->job->only, id, 0))
        return;
    ev_record *record = own_record(check, id);
    if (record == NULL)
        return;
    record->right = keep_or_empty(check, what);
    record->left_value = (ev_evidence_value){.value = actual, .quadrature = error};
    record->right_value.value = wanted;
    record->points_tried = record->points_effective = 1;
    record->measured = ev_check_format(check, "%.10g, wanted %.10g +- %.2g", actual, wanted, error);
    if (!isfinite(actual) || !isfinite(wanted) || !isfinite(error) || error < 0.0) {
        set_verdict(record, EV_VOID, "a value or its error is not finite");
        return;
    }
    double scale = fmax(fabs(actual), fabs(wanted)), distance = fabs(actual - wanted);
    double worst = scale > 0.0 ? fmax(distance, error) / scale : 0.0;
    record->agreeing_digits = worst > 1e-16 ? fmax(-log10(worst), 0.0) : 16.0;
    record->resolution = record->smallest_detectable = scale > 0.0 ? error / scale : 0.0;
    if (distance <= error)
        record->verdict = EV_HOLDS;
    else
        set_verdict(record, EV_REFUTED, record->measured);
}

ev_stream ev_check_stream(ev_check *check, const char *name)
{
    const ev_check_job *job = check->job;
    ev_stream stream = ev_stream_make(job->seed, ev_hash_text(job->document->name), 2000001, 0);
    uint64_t hash = ev_hash_text(name);
    stream = ev_stream_child(&stream, (uint32_t)hash);
    return ev_stream_child(&stream, (uint32_t)(hash >> 32));
}

double ev_check_alpha(ev_check *check)
{
    if (++check->job->comparisons > EV_CHECK_ALLOWANCE)
        ev_check_break(check, "the module has spent more sampling comparisons than it may");
    return check->job->budget->effort.alpha;
}

int ev_check_effort(const ev_check *check) { return check->job->effort; }

const char *ev_check_format(ev_check *check, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int n = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = n < 0 ? NULL : malloc((size_t)n + 1);
    const char *kept = "";
    if (text == NULL) {
        check->out_of_memory = true;
    } else {
        vsnprintf(text, (size_t)n + 1, format, again);
        kept = keep(check, text);
    }
    va_end(again);
    free(text);
    return kept;
}

/* ---- running ---- */

static void settle(ev_check *check, ev_check_job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        ev_record *record = &job->records[i];
        if (record->step > 0)
            settle_voice(check, record, &check->voices[i]);
        else if (check->voices[i].unprinted != NULL)
            set_verdict(record, EV_VOID, check->voices[i].unprinted);
        else if (job->entry == NULL)
            set_verdict(record, EV_SKIPPED, "no C module decides it");
        else if (!check->voices[i].decided)
            set_verdict(record, EV_VOID, "the C module does not decide it");
    }
    ev_record *record = check->broken == NULL ? NULL : own_record(check, job->document->name);
    if (record != NULL) {
        record->right = "the C module runs as it should";
        set_verdict(record, EV_VOID, check->broken);
    }
}

ev_status ev_check_run(ev_check_job *job)
{
    ev_check check = {.job = job};
    check.voices = calloc(job->count + 1, sizeof *check.voices);
    if (check.voices == NULL)
        return EV_NO_MEMORY;
    for (size_t i = 0; i < job->count; i++)
        check.voices[i].digits = 16.0;
    if (job->entry != NULL)
        job->entry->run(&check);
    if (job->comparisons > EV_CHECK_ALLOWANCE)
        ev_check_break(&check, "the module has spent more sampling comparisons than it may");
    settle(&check, job);
    ev_check_free_cases(&check);
    free(check.voices);
    return check.out_of_memory ? EV_NO_MEMORY : EV_OK;
}
