#include "judge/ledger.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ev_record sample_record(void)
{
    return (ev_record){.document = "name",
                       .file = "dir/name.md",
                       .section = "A \"section\"",
                       .claim = "claim",
                       .step = 2,
                       .line = 17,
                       .column = 3,
                       .relation = "<=",
                       .left = "\\tilde\\mu",
                       .right = "a\tb",
                       .kind = "error",
                       .expected = EV_HOLDS,
                       .verdict = EV_REFUTED,
                       .reason = "left 1, right 0",
                       .left_value = {1.0 / 3.0, 1e-16, 2e-12, 0},
                       .right_value = {HUGE_VAL, 0, 0, (double)NAN},
                       .witness = "J = 1",
                       .diagnosis = "",
                       .agreeing_digits = 12.5,
                       .resolution = 1e-9,
                       .methods = "hermite+mc",
                       .evaluations = 12345678901u,
                       .estimate_deviation = (double)NAN,
                       .seed = UINT64_MAX,
                       .second_voice = "agrees",
                       .measured = ""};
}

/* The record's line, parsed again. */
static json_t *written(const ev_record *record)
{
    char *text = NULL;
    size_t size = 0;
    json_error_t why;
    ev_ledger *ledger = ev_ledger_create();
    ledger->effort = "quick";
    FILE *out = open_memstream(&text, &size);
    cr_assert_eq(ev_record_write_json(record, ledger, out), EV_OK);
    fclose(out);
    cr_assert_gt(size, 0u);
    cr_assert_eq(text[size - 1], '\n');
    cr_assert_eq(strchr(text, '\n') - text, (ptrdiff_t)size - 1, "one line only");
    json_t *object = json_loads(text, 0, &why);
    cr_assert_not_null(object, "%s in %s", why.text, text);
    free(text);
    ev_ledger_destroy(ledger);
    return object;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    cr_assert_not_null(text, "%s", key);
    return text;
}

Test(ledger, a_record_reads_back_from_its_line)
{
    ev_record record = sample_record();
    json_t *o = written(&record);
    cr_assert_str_eq(text_of(o, "left"), record.left);
    cr_assert_str_eq(text_of(o, "right"), record.right);
    cr_assert_str_eq(text_of(o, "section"), record.section);
    cr_assert_str_eq(text_of(o, "verdict"), "REFUTED");
    cr_assert_str_eq(text_of(o, "expected"), "HOLDS");
    cr_assert(json_is_false(json_object_get(o, "green")));
    cr_assert_eq(json_integer_value(json_object_get(o, "step")), 2);
    cr_assert_eq(json_integer_value(json_object_get(o, "evaluations")), 12345678901);
    double third = json_real_value(json_object_get(json_object_get(o, "left_value"), "value"));
    cr_assert_eq(memcmp(&third, &record.left_value.value, sizeof third), 0);
    cr_assert(json_is_null(json_object_get(o, "source")));
    cr_assert_str_not_empty(text_of(o, "compiler"));
    json_decref(o);
}

Test(ledger, numbers_that_json_cannot_say_are_texts_or_null)
{
    ev_record record = sample_record();
    json_t *o = written(&record);
    const json_t *right = json_object_get(o, "right_value");
    cr_assert_str_eq(text_of(right, "value"), "inf");
    cr_assert(json_is_null(json_object_get(right, "sampling")));
    cr_assert(json_is_null(json_object_get(o, "estimate_deviation")));
    cr_assert_str_eq(text_of(o, "seed"), "18446744073709551615");
    json_decref(o);
}

Test(ledger, a_text_cut_within_a_character_is_still_written)
{
    ev_record record = sample_record();
    record.reason = "caf\xc3";
    json_t *o = written(&record);
    cr_assert_str_eq(text_of(o, "reason"), "caf?");
    json_decref(o);
}

Test(ledger, alternatives_are_kept)
{
    const ev_ledger_alternative all[] = {{"one", "because", true}, {"two", "\x01", false}};
    ev_record record = sample_record();
    record.alternatives = all;
    record.alternative_count = 2;
    json_t *o = written(&record);
    const json_t *list = json_object_get(o, "alternatives");
    cr_assert_eq(json_array_size(list), 2u);
    cr_assert_str_eq(text_of(json_array_get(list, 1), "statement"), "two");
    cr_assert(json_is_false(json_object_get(json_array_get(list, 1), "refuted")));
    json_decref(o);
}

Test(ledger, only_the_expected_verdict_is_green)
{
    for (unsigned v = 0; v < EV_VERDICT_COUNT; v++)
        for (unsigned e = 0; e < EV_VERDICT_COUNT; e++) {
            ev_record record = {.verdict = (ev_verdict)v, .expected = (ev_verdict)e};
            cr_expect_eq(ev_record_green(&record), v == e);
        }
}

Test(ledger, a_tally_puts_every_record_in_exactly_one_class)
{
    ev_ledger *ledger = ev_ledger_create();
    for (unsigned i = 0; i < 100; i++) {
        ev_record *record = ev_ledger_append(ledger);
        record->verdict = (ev_verdict)(i % EV_VERDICT_COUNT);
    }
    ev_tally tally = ev_ledger_tally(ledger);
    size_t sum = 0;
    for (unsigned v = 0; v < EV_VERDICT_COUNT; v++)
        sum += tally.by_verdict[v];
    cr_assert_eq(sum, 100u);
    cr_assert_eq(tally.total, 100u);
    cr_assert_eq(tally.green, tally.by_verdict[EV_HOLDS]);
    ev_ledger_destroy(ledger);
    ev_ledger_destroy(NULL);
}

Test(ledger, verdicts_have_names)
{
    cr_assert_str_eq(ev_verdict_name(EV_HOLDS), "HOLDS");
    cr_assert_str_eq(ev_verdict_name(EV_SKIPPED), "SKIPPED");
    cr_assert_str_eq(ev_verdict_name((ev_verdict)99), "?");
}
