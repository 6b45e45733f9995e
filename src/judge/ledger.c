#include "judge/ledger.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_include)
#if __has_include("build_info.h")
#include "build_info.h"
#endif
#endif
#ifndef EV_BUILD_COMPILER
#define EV_BUILD_COMPILER __VERSION__
#endif
#ifndef EV_BUILD_FLAGS
#define EV_BUILD_FLAGS ""
#endif
#ifndef EV_BUILD_REVISION
#define EV_BUILD_REVISION ""
#endif

const char *ev_verdict_name(ev_verdict verdict)
{
    static const char *const names[EV_VERDICT_COUNT] = {"HOLDS",   "REFUTED", "UNDECIDED",
                                                        "VACUOUS", "VOID",    "SKIPPED"};
    return (unsigned)verdict < EV_VERDICT_COUNT ? names[verdict] : "?";
}

ev_ledger *ev_ledger_create(void)
{
    ev_ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL)
        return NULL;
    ledger->arena = ev_arena_create();
    if (ledger->arena == NULL) {
        free(ledger);
        return NULL;
    }
    ledger->alpha_total = 1e-6;
    ledger->effort = "";
    return ledger;
}

void ev_ledger_destroy(ev_ledger *ledger)
{
    if (ledger == NULL)
        return;
    free(ledger->records);
    ev_arena_destroy(ledger->arena);
    free(ledger);
}

ev_record *ev_ledger_append(ev_ledger *ledger)
{
    if (!ev_array_reserve(&ledger->records, ledger->count, &ledger->capacity,
                          sizeof *ledger->records))
        return NULL;
    ev_record *record = &ledger->records[ledger->count++];
    memset(record, 0, sizeof *record);
    return record;
}

size_t ev_record_survivors(const ev_record *record)
{
    return record->mutants_total - record->mutants_killed - record->mutants_undecided;
}

bool ev_record_green(const ev_record *record)
{
    return record->verdict == record->expected && ev_record_survivors(record) == 0;
}

ev_tally ev_ledger_tally(const ev_ledger *ledger)
{
    ev_tally tally = {.total = ledger->count};
    for (size_t i = 0; i < ledger->count; i++) {
        tally.by_verdict[ledger->records[i].verdict]++;
        tally.green += ev_record_green(&ledger->records[i]);
    }
    return tally;
}

/* ---- JSON ---- */

/* JSON has no infinities: they become "inf" and "-inf", NaN null. */
static json_t *number(double x)
{
    if (isnan(x))
        return json_null();
    if (isinf(x))
        return json_string(x > 0 ? "inf" : "-inf");
    return json_real(x);
}

static json_t *whole(uint64_t n)
{
    char digits[24];
    if (n <= INT64_MAX)
        return json_integer((json_int_t)n);
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)n); /* exact beyond 2^63 */
    return json_string(digits);
}

/* A text cut in the middle of a character is no longer UTF-8: its odd bytes become '?'. */
static json_t *text(const char *s)
{
    if (s == NULL)
        return json_null();
    json_t *value = json_string(s);
    if (value != NULL)
        return value;
    char *ascii = malloc(strlen(s) + 1);
    if (ascii == NULL)
        return NULL;
    for (size_t i = 0; i <= strlen(s); i++)
        ascii[i] = (unsigned char)s[i] < 0x80 ? s[i] : '?';
    value = json_string(ascii);
    free(ascii);
    return value;
}

/* A side of the comparison shown. */
static json_t *evidence(const ev_evidence_value *v)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "value", number(v->value), "rounding",
                     number(v->rounding), "quadrature", number(v->quadrature), "sampling",
                     number(v->sampling));
}

static json_t *alternatives(const ev_record *r)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < r->alternative_count; i++) {
        const ev_ledger_alternative *a = &r->alternatives[i];
        json_array_append_new(list, json_pack("{s:o, s:b, s:o}", "statement", text(a->statement),
                                              "refuted", a->refuted, "because", text(a->because)));
    }
    return list;
}

static int set(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value);
}

/* Which step it is, and what is printed there. */
static int add_identity(json_t *o, const ev_record *r)
{
    return set(o, "document", text(r->document)) | set(o, "file", text(r->file)) |
           set(o, "section", text(r->section)) | set(o, "claim", text(r->claim)) |
           set(o, "step", whole(r->step)) | set(o, "line", whole(r->line)) |
           set(o, "column", whole(r->column)) | set(o, "relation", text(r->relation)) |
           set(o, "left", text(r->left)) | set(o, "right", text(r->right)) |
           set(o, "source", text(r->source)) | set(o, "see", text(r->see)) |
           set(o, "note", text(r->note)) | set(o, "kind", text(r->kind)) |
           set(o, "expected", json_string(ev_verdict_name(r->expected))) |
           set(o, "verdict", json_string(ev_verdict_name(r->verdict))) |
           set(o, "green", json_boolean(ev_record_green(r)));
}

static int add_evidence(json_t *o, const ev_record *r)
{
    return set(o, "reason", text(r->reason)) | set(o, "left_value", evidence(&r->left_value)) |
           set(o, "right_value", evidence(&r->right_value)) | set(o, "witness", text(r->witness)) |
           set(o, "witness_trials", whole(r->witness_trials)) |
           set(o, "diagnosis", text(r->diagnosis)) |
           set(o, "agreeing_digits", number(r->agreeing_digits)) |
           set(o, "resolution", number(r->resolution)) |
           set(o, "smallest_detectable", number(r->smallest_detectable)) |
           set(o, "methods", text(r->methods)) | set(o, "evaluations", whole(r->evaluations)) |
           set(o, "samples", whole(r->samples)) | set(o, "points_tried", whole(r->points_tried)) |
           set(o, "points_effective", whole(r->points_effective)) |
           set(o, "comparisons", whole(r->comparisons)) |
           set(o, "alpha_spent", number(r->alpha_spent)) | set(o, "sentinel", number(r->sentinel)) |
           set(o, "sampling_p", number(r->sampling_p)) |
           set(o, "estimate_deviation", number(r->estimate_deviation)) |
           set(o, "second_voice", text(r->second_voice)) |
           set(o, "second_voice_points", whole(r->second_voice_points)) |
           set(o, "second_voice_digits", number(r->second_voice_digits)) |
           set(o, "measured", text(r->measured)) | set(o, "alternatives", alternatives(r)) |
           set(o, "mutants_killed", whole(r->mutants_killed)) |
           set(o, "mutants_total", whole(r->mutants_total)) |
           set(o, "mutants_undecided", whole(r->mutants_undecided)) |
           set(o, "mutants_equivalent", whole(r->mutants_equivalent)) |
           set(o, "survivors", text(r->survivors)) | set(o, "undecided_mutants", text(r->unclear)) |
           set(o, "seconds", number(r->seconds));
}

static int add_run(json_t *o, const ev_record *r, const ev_ledger *ledger)
{
    return set(o, "seed", whole(r->seed)) | set(o, "effort", text(ledger->effort)) |
           set(o, "alpha_total", number(ledger->alpha_total)) |
           set(o, "comparisons_planned", whole(ledger->comparisons_planned)) |
           set(o, "compiler", text(EV_BUILD_COMPILER)) | set(o, "flags", text(EV_BUILD_FLAGS)) |
           set(o, "revision", text(EV_BUILD_REVISION));
}

ev_status ev_record_write_json(const ev_record *record, const ev_ledger *ledger, FILE *out)
{
    json_t *object = json_object();
    ev_status status = EV_OK;
    if (object == NULL || add_identity(object, record) != 0 || add_evidence(object, record) != 0 ||
        add_run(object, record, ledger) != 0)
        status = EV_NO_MEMORY;
    else if (json_dumpf(object, out, JSON_COMPACT | JSON_REAL_PRECISION(17)) != 0 ||
             fputc('\n', out) == EOF)
        status = EV_IO;
    json_decref(object);
    return status;
}
