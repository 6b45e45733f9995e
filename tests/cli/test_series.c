/* The data behind the plots: every series of every topic. */
#include "numerics/series.h"
#include "program.h"

#include "probability/kl_estimators.h"

#include <math.h>

TestSuite(series, .init = program_setup, .fini = program_teardown, .timeout = 300);

/* Rows have as many fields as the head names columns; at least two rows. */
static void check_table(const char *text, const ev_series *series)
{
    size_t columns = 1 + count_of(series->columns, "\t"), rows = 0;
    for (const char *line = text; *line != '\0';) {
        const char *end = strchr(line, '\n');
        cr_assert_not_null(end, "%s: the last line is not ended", series->name);
        if (*line != '#' && end != line) {
            size_t fields = 1;
            for (const char *c = line; c < end; c++)
                fields += *c == '\t';
            cr_assert_eq(fields, columns, "%s: %.*s", series->name, (int)(end - line), line);
            rows++;
        }
        line = end + 1;
    }
    cr_expect_gt(rows, 1, "%s", series->name);
}

Test(series, each_has_a_head_that_names_its_columns_seed_and_revision_and_whole_rows)
{
    size_t seen = 0;
    for (const ev_series_entry *entry = ev_series_table; entry->topic != NULL; entry++)
        for (const ev_series *series = entry->series; series->name != NULL; series++) {
            outcome o = run("\"$EVIDENCE\" tabulate %s %s --seed 7", entry->topic, series->name);
            STATUS(o, 0);
            HAS(o.out, series->columns);
            HAS(o.out, "# seed 7, revision ");
            LACKS(o.out, "inf");
            check_table(o.out, series);
            forget(&o);
            seen++;
        }
    cr_expect_gt(seen, 0);
}

Test(series, are_listed_with_their_topics)
{
    outcome o = run("\"$EVIDENCE\" tabulate series");
    STATUS(o, 0);
    HAS(o.out, "kl_estimators\tbias\t");
    HAS(o.out, "kl_estimators\tgradients\t");
    forget(&o);
}

Test(series, an_unknown_topic_or_series_or_one_too_many_is_refused)
{
    outcome o = run("\"$EVIDENCE\" tabulate nonsense");
    STATUS(o, 2);
    HAS(o.err, "kl_estimators");
    forget(&o);
    o = run("\"$EVIDENCE\" tabulate kl_estimators nonsense");
    STATUS(o, 2);
    HAS(o.err, "no series 'nonsense'");
    forget(&o);
    o = run("\"$EVIDENCE\" tabulate kl_estimators bias spread");
    STATUS(o, 2);
    HAS(o.err, "'spread' is one too many");
    forget(&o);
}

Test(series, a_seed_decides_every_draw)
{
    outcome one = run("\"$EVIDENCE\" tabulate kl_estimators convergence --seed 1 | grep -v '#'"),
            same = run("\"$EVIDENCE\" tabulate kl_estimators convergence --seed 1 | grep -v '#'"),
            other = run("\"$EVIDENCE\" tabulate kl_estimators convergence --seed 2 | grep -v '#'");
    cr_expect_str_eq(one.out, same.out);
    cr_expect_str_neq(one.out, other.out);
    forget(&one);
    forget(&same);
    forget(&other);
}

/* Of N(d, 1) against N(0, 1), log r is Gaussian, -KL + d e: k2's mean is KL + KL^2/2 = KL (1 + KL/2),
 * k1's deviation is d = sqrt(2 KL). */
Test(series, bias_and_spread_are_those_worked_out_by_hand)
{
    outcome o = run("\"$EVIDENCE\" tabulate kl_estimators bias | grep -v '#'");
    STATUS(o, 0);
    size_t rows = 0;
    for (char *line = strtok(o.out, "\n"); line != NULL; line = strtok(NULL, "\n"), rows++) {
        double kl, bias1, bias2, bias3, sd1;
        cr_assert_eq(sscanf(line, "%lf %lf %lf %lf %lf", &kl, &bias1, &bias2, &bias3, &sd1), 5);
        cr_expect_float_eq(bias1, 0, 1e-9);
        cr_expect_float_eq(bias2, kl / 2, 1e-9 * (1 + kl));
        cr_expect_float_eq(bias3, 0, 1e-9);
        cr_expect_float_eq(sd1 * kl, sqrt(2 * kl), 1e-9);
    }
    cr_expect_gt(rows, 10);
    forget(&o);
}
