#include "cli/run.h"

#include "cli/message.h"
#include "cli/progress.h"
#include "document/place.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

static int read_one(ev_run *run, const char *file)
{
    ev_error error = EV_ERROR_NONE;
    ev_document *document = NULL;
    ev_status status = ev_document_read(file, &document, &error);
    if (status == EV_OK) {
        run->documents[run->document_count++] = document;
        return EV_EXIT_OK;
    }
    if (error.file[0] == '\0')
        snprintf(error.file, sizeof error.file, "%s", file);
    if (run->lenient && status != EV_NO_MEMORY) {
        ev_message_warning(&error, run->colour);
        run->left_out++;
        return EV_EXIT_OK;
    }
    ev_message_error(&error, run->colour);
    return ev_message_exit(status);
}

static bool named_before(char *const *files, size_t i)
{
    for (size_t earlier = 0; earlier < i; earlier++)
        if (strcmp(files[earlier], files[i]) == 0)
            return true;
    return false;
}

static int read_all(ev_run *run, char *const *files, size_t count)
{
    int worst = EV_EXIT_OK;
    run->documents = calloc(count, sizeof(ev_document *));
    if (run->documents == NULL) {
        ev_message(run->colour, "memory is short");
        return EV_EXIT_MACHINE;
    }
    for (size_t i = 0; i < count; i++) {
        int one = EV_EXIT_INPUT;
        if (named_before(files, i))
            ev_message(run->colour, "'%s' is named twice", files[i]);
        else
            one = read_one(run, files[i]);
        worst = one > worst ? one : worst;
    }
    return worst;
}

static int read_default(ev_run *run)
{
    static const char readme[] = "derivations/README.md";
    glob_t found;
    int failure = glob("derivations/*.md", 0, NULL, &found);
    size_t kept = 0;
    for (size_t i = 0; failure == 0 && i < found.gl_pathc; i++)
        if (strcmp(found.gl_pathv[i], readme) != 0) {
            char *file = found.gl_pathv[i];
            found.gl_pathv[i] = found.gl_pathv[kept];
            found.gl_pathv[kept++] = file;
        }
    int status = EV_EXIT_INPUT;
    if (failure == GLOB_NOSPACE) {
        ev_message(run->colour, "memory is short");
        return EV_EXIT_MACHINE;
    }
    if (kept == 0)
        ev_message(run->colour, "no files named, and there are no derivations/*.md here");
    else
        status = read_all(run, found.gl_pathv, kept);
    if (failure == 0)
        globfree(&found);
    return status;
}

int ev_run_read(ev_run *run, char *const *files, size_t count)
{
    double began = ev_clock();
    int status = count == 0 ? read_default(run) : read_all(run, files, count);
    run->seconds += ev_clock() - began;
    return status == EV_EXIT_OK && run->document_count == 0 ? EV_EXIT_INPUT : status;
}

int ev_run_judge(ev_run *run, const ev_judge_options *options)
{
    ev_error error = EV_ERROR_NONE;
    ev_judge_options with_bar = *options;
    ev_progress bar = ev_progress_start(run->colour);
    with_bar.progress = ev_progress_step;
    with_bar.progress_context = &bar;
    double began = ev_clock();
    ev_status status = ev_judge_documents(run->documents, run->document_count, ev_check_table,
                                          &with_bar, &run->ledger, &error);
    run->seconds += ev_clock() - began;
    ev_progress_end(&bar);
    if (status == EV_OK)
        return EV_EXIT_OK;
    for (size_t i = 0; i < run->document_count; i++)
        if (strcmp(run->documents[i]->file, error.file) == 0)
            ev_error_place(&error, error.file, run->documents[i]->text, run->documents[i]->length);
    if (error.status == EV_OK)
        ev_error_set(&error, status, "%s", ev_status_name(status));
    ev_message_error(&error, run->colour);
    return ev_message_exit(status);
}

void ev_run_end(ev_run *run)
{
    ev_ledger_destroy(run->ledger);
    for (size_t i = 0; i < run->document_count; i++)
        ev_document_destroy(run->documents[i]);
    free(run->documents);
    *run = (ev_run){.documents = NULL};
}
