#include "data/tsv.h"

#include "scratch.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>

TestSuite(tsv, .init = scratch_setup, .fini = scratch_teardown);

static ev_status read_text(const char *text, ev_tsv *table, ev_error *error)
{
    *error = EV_ERROR_NONE;
    scratch_spill("t.tsv", text, strlen(text));
    return ev_tsv_read("t.tsv", table, error);
}

Test(tsv, names_and_cells_come_out_as_they_stand_and_na_is_not_a_number)
{
    ev_tsv t;
    ev_error error;
    cr_assert_eq(
        read_text("# said first\nstep\tloss\n1\t-2.5e1\n# in between\n2\tNA\n", &t, &error), EV_OK,
        "%s", error.message);
    cr_assert_eq(t.columns, 2);
    cr_assert_eq(t.rows, 2);
    cr_expect_str_eq(t.names[1], "loss");
    cr_expect_eq(ev_tsv_column(&t, "loss"), 1);
    cr_expect_eq(ev_tsv_column(&t, "los"), SIZE_MAX);
    double value;
    cr_expect_eq(ev_tsv_number(&t, 0, 1, &value, &error), EV_OK);
    cr_expect_eq(value, -25.0);
    cr_expect_eq(ev_tsv_number(&t, 1, 1, &value, &error), EV_OK);
    cr_expect(isnan(value));
    ev_tsv_free(&t);
}

Test(tsv, what_is_no_table_is_refused_with_its_line)
{
    static const struct {
        const char *text;
        size_t line;
        const char *message;
    } cases[] = {{"", 1, "not ended"},
                 {"a\tb\n1\t2", 1, "not ended"},
                 {"# only this\n", 1, "no line of names"},
                 {"a\tb\n1\t2\n1\n", 3, "not as many cells"},
                 {"a\tb\n# no\n1\t2\t3\n", 3, "not as many cells"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ev_tsv t;
        ev_error error;
        cr_expect_eq(read_text(cases[i].text, &t, &error), EV_BAD_INPUT);
        cr_expect_eq(error.line, cases[i].line, "%s", cases[i].text);
        cr_expect_not_null(strstr(error.message, cases[i].message), "%s", error.message);
        cr_expect_null(t.cells);
    }
    ev_tsv t;
    ev_error error = EV_ERROR_NONE;
    scratch_spill("z.tsv", "a\n1\0\n", 5);
    cr_expect_eq(ev_tsv_read("z.tsv", &t, &error), EV_BAD_INPUT);
    cr_expect_not_null(strstr(error.message, "zero byte"));
}

Test(tsv, a_cell_that_is_no_number_is_refused_with_its_line)
{
    ev_tsv t;
    ev_error error;
    double value;
    cr_assert_eq(read_text("# x\na\tb\n1\t2\n3\t4e\n5\t\n", &t, &error), EV_OK);
    cr_expect_eq(ev_tsv_number(&t, 1, 1, &value, &error), EV_BAD_INPUT);
    cr_expect_eq(error.line, 4);
    error = EV_ERROR_NONE;
    cr_expect_eq(ev_tsv_number(&t, 2, 1, &value, &error), EV_BAD_INPUT);
    error = EV_ERROR_NONE;
    cr_expect_eq(ev_tsv_number(&t, 0, SIZE_MAX, &value, &error), EV_BAD_INPUT);
    ev_tsv_free(&t);
}
