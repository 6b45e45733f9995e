#include "train/config.h"

#include "scratch.h"

#include <math.h>
#include <stdint.h>

TestSuite(config, .init = scratch_setup, .fini = scratch_teardown);

static const char *const schedules[] = {"constant", "step", NULL};

typedef struct {
    uint64_t epochs, seed;
    double rate, weight;
    bool audit;
    int schedule;
    char data[EV_CONFIG_TEXT_SIZE];
    ev_config_list hidden;
} settings;

enum { KEYS = 8 };

static void table(settings *s, ev_config_key keys[KEYS])
{
    const ev_config_key all[KEYS] = {
        {"epochs", EV_CONFIG_WHOLE, &s->epochs, .low = 1, .high = 100000},
        {"seed", EV_CONFIG_WHOLE, &s->seed, .low = 0},
        {"rate", EV_CONFIG_REAL, &s->rate, .low = 0, .high = 1, .open = true},
        {"weight", EV_CONFIG_REAL, &s->weight, .low = 0},
        {"audit", EV_CONFIG_FLAG, &s->audit, .low = 0},
        {"schedule", EV_CONFIG_CHOICE, &s->schedule, .choices = schedules},
        {"data", EV_CONFIG_TEXT, s->data, .low = 0},
        {"hidden", EV_CONFIG_WHOLES, &s->hidden, .low = 1, .high = 65536}};
    memcpy(keys, all, sizeof all);
}

static const settings sample = {.epochs = 50,
                                .seed = UINT64_MAX,
                                .rate = 0.1,
                                .weight = -1.0 / 3,
                                .audit = true,
                                .schedule = 1,
                                .data = "a \"folder\"\n\xc3\xa9",
                                .hidden = {3, {500, 500, 2000}}};

static ev_status parse(const char *text, settings *s, ev_config_extent extent, ev_error *error)
{
    ev_config_key keys[KEYS];
    table(s, keys);
    *error = EV_ERROR_NONE;
    return ev_config_parse("c.json", text, strlen(text), KEYS, keys, extent, error);
}

static void refuse(const char *text, size_t line, size_t column, const char *message)
{
    settings s = sample;
    ev_error error;
    cr_assert_eq(parse(text, &s, EV_CONFIG_PARTIAL, &error), EV_BAD_INPUT, "%s", text);
    cr_expect_str_eq(error.message, message);
    cr_expect_str_eq(error.file, "c.json");
    cr_expect(error.line == line && error.column == column, "%s: %zu:%zu", text, error.line,
              error.column);
    cr_expect_eq(memcmp(&s, &sample, sizeof s), 0, "something was taken over from %s", text);
}

Test(config, what_is_written_is_read_back_exactly)
{
    settings s = sample, back = {0};
    ev_config_key keys[KEYS];
    ev_error error = EV_ERROR_NONE;
    table(&s, keys);
    cr_assert_eq(ev_config_write("c.json", KEYS, keys, &error), EV_OK, "%s", error.message);
    table(&back, keys);
    cr_assert_eq(ev_config_read("c.json", KEYS, keys, EV_CONFIG_COMPLETE, &error), EV_OK, "%s",
                 error.message);
    cr_expect_eq(back.epochs, 50);
    cr_expect_eq(back.seed, UINT64_MAX);
    cr_expect_eq(memcmp(&back.rate, &s.rate, sizeof s.rate), 0);
    cr_expect_eq(memcmp(&back.weight, &s.weight, sizeof s.weight), 0);
    cr_expect(back.audit);
    cr_expect_eq(back.schedule, 1);
    cr_expect_str_eq(back.data, s.data);
    cr_expect_eq(back.hidden.count, 3);
    cr_expect_eq(back.hidden.value[2], 2000);
    char *text = scratch_slurp("c.json", NULL);
    cr_expect_not_null(strstr(text, "\n  \"rate\": 0.1,\n"), "%s", text);
    cr_expect_not_null(strstr(text, "\n  \"hidden\": [500, 500, 2000]\n}\n"), "%s", text);
    free(text);
}

Test(config, what_is_absent_stays_unless_all_is_asked_for)
{
    settings s = sample;
    ev_error error;
    cr_assert_eq(parse("{\"rate\": 1, \"hidden\": [7]}", &s, EV_CONFIG_PARTIAL, &error), EV_OK);
    cr_expect_eq(s.rate, 1);
    cr_expect_eq(s.epochs, 50);
    cr_expect_eq(s.hidden.count, 1);
    cr_assert_eq(parse("{\"rate\": 1}", &s, EV_CONFIG_COMPLETE, &error), EV_BAD_INPUT);
    cr_expect_str_eq(error.message, "epochs: this setting is missing");
}

Test(config, settings_that_are_absurd_are_refused_at_their_place)
{
    refuse("{\n  \"epochs\": 0}", 2, 3, "epochs: 0 is not at least 1 and at most 100000");
    refuse("{\"rate\": -1}", 1, 2, "rate: -1 is not above 0 and at most 1");
    refuse("{\"rate\": 0}", 1, 2, "rate: 0 is not above 0 and at most 1");
    refuse("{\"data\": \"\\\"rate\\\":\",\n\"rate\": 2}", 2, 1,
           "rate: 2 is not above 0 and at most 1");
    refuse("{\"hidden\": [5, 0]}", 1, 2, "hidden: 0 is not at least 1 and at most 65536");
    refuse("{\"rate\": 0.5, \"epochs\": -3}", 1, 15, "epochs: expected a whole number");
}

Test(config, settings_of_another_type_or_name_are_refused)
{
    refuse("{\"epoch\": 1}", 1, 2, "epoch: no such setting");
    refuse("{\"epochs\": 1.5}", 1, 2, "epochs: expected a whole number");
    refuse("{\"seed\": \"18446744073709551616\"}", 1, 2, "seed: expected a whole number");
    refuse("{\"rate\": \"fast\"}", 1, 2, "rate: expected a number");
    refuse("{\"audit\": 1}", 1, 2, "audit: expected true or false");
    refuse("{\"schedule\": \"never\"}", 1, 2, "schedule: expected one of \"constant\", \"step\"");
    refuse("{\"data\": null}", 1, 2, "data: expected a text in quotes");
    refuse("{\"hidden\": 5}", 1, 2,
           "hidden: expected a list of at most 16 whole numbers, as [500, 500]");
}

Test(config, what_is_no_object_is_refused)
{
    settings s = sample;
    ev_error error;
    static const char *const wrong[] = {"",
                                        "[1]",
                                        "{\"rate\": 1,}",
                                        "{\"rate\": 1} x",
                                        "null",
                                        "{\"rate\": NaN}",
                                        "{\"rate\": 1e999}",
                                        "{\"rate\": 1, \"rate\": 1}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_assert_eq(parse(wrong[i], &s, EV_CONFIG_PARTIAL, &error), EV_BAD_INPUT, "%s", wrong[i]);
        cr_expect_not_null(strstr(error.message, "no JSON object of settings: "), "%s",
                           error.message);
        cr_expect_gt(error.line, 0);
    }
}

Test(config, what_comes_from_a_command_line_is_held_to_the_same_bounds)
{
    settings s = sample;
    ev_config_key keys[KEYS];
    ev_error error = EV_ERROR_NONE;
    table(&s, keys);
    cr_expect_eq(ev_config_check(KEYS, keys, &error), EV_OK);
    s.rate = (double)NAN;
    cr_expect_eq(ev_config_check(KEYS, keys, &error), EV_BAD_INPUT);
    cr_expect_str_eq(error.message, "rate: nan is not above 0 and at most 1");
}
