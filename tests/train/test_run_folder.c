#include "train/run_folder.h"

#include "scratch.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

TestSuite(run_folder, .init = scratch_setup, .fini = scratch_teardown);

static uint64_t epochs = 3;
static const ev_config_key keys[] = {{"epochs", EV_CONFIG_WHOLE, &epochs, .low = 1, .high = 9}};

static ev_status create(ev_run_folder *run, const char *path, ev_error *error)
{
    *error = EV_ERROR_NONE;
    return ev_run_create(run, path, 1, keys, "step\tloss", error);
}

static void expect_file(const char *path, const char *wanted)
{
    char *text = scratch_slurp(path, NULL);
    cr_expect_str_eq(text, wanted);
    free(text);
}

static void log_steps(ev_run_folder *run, unsigned from, unsigned to)
{
    ev_error error = EV_ERROR_NONE;
    for (unsigned step = from; step < to; step++) {
        cr_assert_eq(ev_run_log(run, EV_RUN_METRICS, &error, "%u\t%g", step, step / 2.0), EV_OK);
        cr_assert_eq(ev_run_log(run, EV_RUN_AUDIT, &error, "{\"step\": %u}", step), EV_OK);
    }
}

Test(run_folder, a_new_run_has_its_config_and_logs_that_grow_line_by_line)
{
    ev_run_folder run;
    ev_error error;
    cr_assert_eq(create(&run, "runs/of/today", &error), EV_OK, "%s", error.message);
    expect_file("runs/of/today/config.json", "{\n  \"epochs\": 3\n}\n");
    log_steps(&run, 0, 2);
    expect_file("runs/of/today/metrics.tsv", "step\tloss\n0\t0\n1\t0.5\n");
    expect_file("runs/of/today/audit.jsonl", "{\"step\": 0}\n{\"step\": 1}\n");
    char *path = ev_run_path(&run, "samples.png");
    cr_expect_str_eq(path, "runs/of/today/samples.png");
    free(path);
    ev_run_close(&run);
}

Test(run_folder, a_run_is_never_overwritten)
{
    ev_run_folder run;
    ev_error error;
    cr_assert_eq(create(&run, "r", &error), EV_OK);
    log_steps(&run, 0, 1);
    ev_run_close(&run);
    cr_expect_eq(create(&run, "r", &error), EV_BAD_INPUT);
    cr_expect_not_null(strstr(error.message, "never overwritten"), "%s", error.message);
    cr_expect_str_eq(error.file, "r");
    expect_file("r/metrics.tsv", "step\tloss\n0\t0\n");
    scratch_spill("file", "x", 1);
    cr_expect_eq(create(&run, "file", &error), EV_BAD_INPUT);
    cr_assert_eq(mkdir("empty", 0777), 0);
    cr_expect_eq(create(&run, "empty", &error), EV_OK);
    ev_run_close(&run);
    cr_expect_eq(create(&run, "", &error), EV_BAD_INPUT);
    cr_expect_eq(create(&run, "file/in", &error), EV_IO);
}

Test(run_folder, a_start_that_fails_is_not_in_the_way_of_the_next)
{
    ev_run_folder run;
    ev_error error;
    struct rlimit none = {0, RLIM_INFINITY}, free_again = {RLIM_INFINITY, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    cr_expect_eq(create(&run, "r", &error), EV_IO);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &free_again), 0);
    cr_expect_eq(create(&run, "r", &error), EV_OK, "%s", error.message);
    ev_run_close(&run);
}

Test(run_folder, resuming_cuts_the_logs_back_to_the_step_and_goes_on)
{
    ev_run_folder run;
    ev_error error;
    cr_assert_eq(create(&run, "r", &error), EV_OK);
    log_steps(&run, 0, 5);
    ev_run_close(&run);
    FILE *torn = fopen("r/audit.jsonl", "a");
    fputs("{\"step\": ", torn);
    fclose(torn);
    epochs = 8;
    cr_assert_eq(ev_run_open(&run, "r", 1, keys, &error), EV_OK, "%s", error.message);
    cr_expect_eq(epochs, 3);
    cr_assert_eq(ev_run_resume(&run, 2, &error), EV_OK, "%s", error.message);
    expect_file("r/metrics.tsv", "step\tloss\n0\t0\n1\t0.5\n2\t1\n");
    log_steps(&run, 3, 4);
    expect_file("r/metrics.tsv", "step\tloss\n0\t0\n1\t0.5\n2\t1\n3\t1.5\n");
    /* The audit of step 2, before its update, comes again. */
    expect_file("r/audit.jsonl", "{\"step\": 0}\n{\"step\": 1}\n{\"step\": 3}\n");
    ev_run_close(&run);
}

Test(run_folder, a_log_that_not_every_run_has_is_cut_like_the_others_where_it_is)
{
    ev_run_folder run;
    ev_error error;
    cr_assert_eq(create(&run, "r", &error), EV_OK);
    cr_assert_eq(ev_run_add_log(&run, EV_RUN_CLUSTERS, "step\tlargest", &error), EV_OK);
    for (unsigned step = 1; step < 4; step++)
        cr_assert_eq(ev_run_log(&run, EV_RUN_CLUSTERS, &error, "%u\t1", step), EV_OK);
    cr_expect_eq(ev_run_add_log(&run, EV_RUN_CLUSTERS, "step", &error), EV_IO);
    ev_run_close(&run);
    cr_assert_eq(ev_run_open(&run, "r", 1, keys, &error), EV_OK);
    cr_assert_eq(ev_run_resume(&run, 2, &error), EV_OK, "%s", error.message);
    expect_file("r/clusters.tsv", "step\tlargest\n1\t1\n2\t1\n");
    ev_run_close(&run);
}

Test(run_folder, a_line_torn_in_the_middle_goes_even_when_nothing_else_does)
{
    ev_run_folder run;
    ev_error error;
    cr_assert_eq(create(&run, "r", &error), EV_OK);
    log_steps(&run, 0, 2);
    fputs("2\t0.", run.logs[EV_RUN_METRICS]);
    ev_run_close(&run);
    cr_assert_eq(ev_run_open(&run, "r", 1, keys, &error), EV_OK);
    cr_assert_eq(ev_run_resume(&run, 100, &error), EV_OK);
    expect_file("r/metrics.tsv", "step\tloss\n0\t0\n1\t0.5\n");
    ev_run_close(&run);
}

Test(run_folder, a_log_of_another_kind_is_refused_and_left_alone)
{
    ev_run_folder run;
    ev_error error;
    cr_assert_eq(create(&run, "r", &error), EV_OK);
    ev_run_close(&run);
    scratch_spill("r/metrics.tsv", "step\tloss\n0\t1\nmy notes\n", 23);
    cr_assert_eq(ev_run_open(&run, "r", 1, keys, &error), EV_OK);
    cr_expect_eq(ev_run_resume(&run, 0, &error), EV_BAD_INPUT);
    cr_expect_str_eq(error.file, "r/metrics.tsv");
    cr_expect_eq(error.line, 3);
    expect_file("r/metrics.tsv", "step\tloss\n0\t1\nmy notes\n");
    ev_run_close(&run);
}

Test(run_folder, only_one_process_trains_in_a_folder)
{
    ev_run_folder run;
    ev_error error;
    cr_assert_eq(create(&run, "r", &error), EV_OK);
    pid_t child = fork();
    if (child == 0) {
        ev_run_folder other;
        bool opened = ev_run_open(&other, "r", 1, keys, &error) == EV_OK;
        ev_status status = ev_run_resume(&other, 0, &error);
        bool said = strstr(error.message, "another process is training") != NULL;
        _exit(opened && status == EV_BAD_INPUT && said ? 0 : 1);
    }
    int how;
    cr_assert_eq(waitpid(child, &how, 0), child);
    cr_expect_eq(how, 0);
    ev_run_close(&run);
}

Test(run_folder, what_is_no_run_is_said)
{
    ev_run_folder run;
    ev_error error = EV_ERROR_NONE;
    cr_expect_eq(ev_run_open(&run, "nowhere", 1, keys, &error), EV_BAD_INPUT);
    cr_expect_str_eq(error.message, "no run: there is no config.json in it");
    cr_expect_str_neq(ev_run_compiler(), "");
}

Test(run_folder, a_disk_that_fills_up_is_the_machines_fault)
{
    ev_run_folder run;
    ev_error error;
    struct rlimit little = {60, 60};
    cr_assert_eq(create(&run, "r", &error), EV_OK);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
    ev_status status = EV_OK;
    for (int i = 0; i < 100 && status == EV_OK; i++)
        status = ev_run_log(&run, EV_RUN_METRICS, &error, "%d\t0", i);
    cr_expect_eq(status, EV_IO);
    cr_expect_str_eq(error.message, "can't write to r/metrics.tsv: File too large");
    ev_run_close(&run);
}

Test(run_folder, its_seconds_are_the_sum_of_the_epochs)
{
    ev_run_folder run;
    ev_error error = EV_ERROR_NONE;
    double seconds;
    cr_assert_eq(ev_run_create(&run, "r", 1, keys, "step\tloss\tseconds", &error), EV_OK);
    cr_assert_eq(ev_run_seconds(&run, &seconds, &error), EV_OK);
    cr_expect_float_eq(seconds, 0, 0);
    cr_assert_eq(ev_run_log(&run, EV_RUN_METRICS, &error, "10\t3\t1.5"), EV_OK);
    cr_assert_eq(ev_run_log(&run, EV_RUN_METRICS, &error, "20\tNA\t2.25"), EV_OK);
    cr_assert_eq(ev_run_seconds(&run, &seconds, &error), EV_OK);
    cr_expect_float_eq(seconds, 3.75, 0);
    cr_assert_eq(ev_run_log(&run, EV_RUN_METRICS, &error, "30\t2\tsoon"), EV_OK);
    cr_expect_eq(ev_run_seconds(&run, &seconds, &error), EV_BAD_INPUT);
    cr_expect_eq(error.line, 4);
    ev_run_close(&run);
}

Test(run_folder, a_run_of_another_model_is_named_as_such)
{
    const char *models[] = {"this", "that", NULL};
    int model = 1;
    const ev_config_key with_model[] = {{"model", EV_CONFIG_CHOICE, &model, .choices = models},
                                        keys[0]};
    char name[EV_CONFIG_TEXT_SIZE];
    ev_run_folder run;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_run_create(&run, "r", 2, with_model, "step", &error), EV_OK);
    ev_run_close(&run);
    cr_assert_eq(ev_run_model("r", name, &error), EV_OK);
    cr_expect_str_eq(name, "that");
    cr_assert_eq(ev_run_open(&run, "r", 2, with_model, &error), EV_OK);
    ev_run_close(&run);
    models[1] = "other";
    cr_expect_eq(ev_run_open(&run, "r", 2, with_model, &error), EV_BAD_INPUT);
    cr_expect_not_null(strstr(error.message, "'that', where one of this or other is expected"),
                       "%s", error.message);
    error = EV_ERROR_NONE;
    cr_expect_eq(ev_run_model("nowhere", name, &error), EV_BAD_INPUT);
    cr_expect_not_null(strstr(error.message, "no config.json"), "%s", error.message);
}

/* The clusters that were found before epoch 1 are found again when the run goes on from there. */
Test(run_folder, what_comes_before_a_step_comes_again_and_what_came_after_one_stays)
{
    ev_run_folder run;
    ev_error error;
    cr_assert_eq(create(&run, "r", &error), EV_OK);
    cr_assert_eq(ev_run_add_log(&run, EV_RUN_CLUSTERS, "step\tepoch\tlargest", &error), EV_OK);
    cr_assert_eq(ev_run_log(&run, EV_RUN_CLUSTERS, &error, "20\t0\t1"), EV_OK);
    ev_run_close(&run);
    cr_assert_eq(ev_run_open(&run, "r", 1, keys, &error), EV_OK);
    cr_assert_eq(ev_run_resume(&run, 20, &error), EV_OK, "%s", error.message);
    expect_file("r/clusters.tsv", "step\tepoch\tlargest\n");
    cr_assert_eq(ev_run_log(&run, EV_RUN_CLUSTERS, &error, "20\t0\t1"), EV_OK);
    cr_assert_eq(ev_run_log(&run, EV_RUN_CLUSTERS, &error, "30\t1\t1"), EV_OK);
    ev_run_close(&run);
    cr_assert_eq(ev_run_open(&run, "r", 1, keys, &error), EV_OK);
    cr_assert_eq(ev_run_resume(&run, 30, &error), EV_OK, "%s", error.message);
    expect_file("r/clusters.tsv", "step\tepoch\tlargest\n20\t0\t1\n30\t1\t1\n");
    ev_run_close(&run);
}
