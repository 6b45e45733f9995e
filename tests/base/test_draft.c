#include "base/draft.h"

#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

TestSuite(draft, .init = scratch_setup, .fini = scratch_teardown);

static size_t files_here(void)
{
    FILE *list = popen("ls -A | wc -l", "r");
    size_t count = 0;
    cr_assert_eq(fscanf(list, "%zu", &count), 1);
    pclose(list);
    return count;
}

static void expect_text(const char *path, const char *wanted)
{
    char *text = scratch_slurp(path, NULL);
    cr_expect_str_eq(text, wanted);
    free(text);
}

static ev_status put(const char *path, const char *text, ev_error *error)
{
    ev_draft draft;
    ev_status status = ev_draft_open(&draft, path, error);
    if (status == EV_OK)
        status = ev_draft_write(&draft, text, strlen(text), error);
    if (status == EV_OK)
        status = ev_draft_commit(&draft, error);
    ev_draft_discard(&draft);
    return status;
}

Test(draft, a_file_has_its_name_only_once_it_is_complete)
{
    ev_draft draft;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_draft_open(&draft, "new", &error), EV_OK);
    cr_assert_eq(ev_draft_write(&draft, "one", 3, &error), EV_OK);
    cr_expect_neq(access("new", F_OK), 0);
    cr_assert_eq(ev_draft_write(&draft, "two", 3, &error), EV_OK);
    cr_assert_eq(ev_draft_commit(&draft, &error), EV_OK);
    expect_text("new", "onetwo");
    cr_expect_eq(files_here(), 1);
}

Test(draft, what_is_given_up_leaves_the_old_file_and_nothing_else)
{
    scratch_spill("old", "good", 4);
    ev_draft draft;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_draft_open(&draft, "old", &error), EV_OK);
    cr_assert_eq(ev_draft_write(&draft, "bad", 3, &error), EV_OK);
    ev_draft_discard(&draft);
    expect_text("old", "good");
    cr_expect_eq(files_here(), 1);
    ev_draft_discard(&draft);
}

/* A limit on the size of files stands for a full disk: write() fails in the middle. */
Test(draft, a_disk_that_fills_up_in_the_middle_leaves_the_old_file)
{
    scratch_spill("old", "good", 4);
    struct rlimit limit = {6, 6};
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ev_error error = EV_ERROR_NONE;
    cr_expect_eq(put("old", "longer than that", &error), EV_IO);
    cr_expect_not_null(strstr(error.message, "can't write to old: "), "%s", error.message);
    expect_text("old", "good");
    cr_expect_eq(files_here(), 1);
}

Test(draft, a_folder_that_is_not_there_is_said_by_its_file)
{
    ev_error error = EV_ERROR_NONE;
    cr_expect_eq(put("nowhere/file", "x", &error), EV_IO);
    cr_expect_str_eq(error.message, "can't write to nowhere/file: No such file or directory");
}

Test(draft, permissions_and_symbolic_links_survive)
{
    scratch_spill("real", "old", 3);
    cr_assert_eq(chmod("real", 0640), 0);
    cr_assert_eq(symlink("real", "link"), 0);
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(put("link", "new", &error), EV_OK);
    struct stat about;
    cr_assert_eq(lstat("link", &about), 0);
    cr_expect(S_ISLNK(about.st_mode));
    cr_assert_eq(stat("real", &about), 0);
    cr_expect_eq(about.st_mode & 0777, 0640);
    expect_text("real", "new");
}
