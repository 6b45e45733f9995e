/* evidence report: documents, their ledger and their figures as one page, by pandoc and the files
 * of report/. */
#define _XOPEN_SOURCE 700

#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/run.h"
#include "cli/subcommand.h"

#include "build_info.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *const efforts[] = {"quick", "full", "deep", NULL};
static const char *const switches[] = {"off", "on", NULL};

static struct {
    const char *out, *ledger, *figures, *results, *runs, *title;
    uint64_t seed, threads;
    int effort, mutants;
} asked;

static const ev_option options[] = {
    {"out", 0, EV_OPTION_TEXT, "FILE", "where it goes: FILE.html or FILE.pdf", &asked.out, 0, 0,
     NULL},
    {"title", 0, EV_OPTION_TEXT, "TEXT", "its title (Evidence)", &asked.title, 0, 0, NULL},
    {"ledger", 0, EV_OPTION_TEXT, "FILE", "a ledger of these documents (default: judge them now)",
     &asked.ledger, 0, 0, NULL},
    {"figures", 0, EV_OPTION_TEXT, "DIR", "the figures that `make plots` has drawn", &asked.figures,
     0, 0, NULL},
    {"results", 0, EV_OPTION_TEXT, "DIR", "tables of training results", &asked.results, 0, 0, NULL},
    {"runs", 0, EV_OPTION_TEXT, "DIR", "training runs whose figures are among those", &asked.runs,
     0, 0, NULL},
    {"seed", 0, EV_OPTION_NUMBER, "N", "the seed of every random draw", &asked.seed, 0, UINT64_MAX,
     NULL},
    {"effort", 0, EV_OPTION_CHOICE, NULL, "how long to try before UNDECIDED", &asked.effort, 0, 0,
     efforts},
    {"mutants", 0, EV_OPTION_CHOICE, NULL, "break every step and see it refuted; diagnose",
     &asked.mutants, 0, 0, switches},
    {"threads", 0, EV_OPTION_NUMBER, "N", "threads (default: OpenMP's)", &asked.threads, 1, 1024,
     NULL},
};
enum { OPTION_COUNT = sizeof options / sizeof *options };

static void help(FILE *out)
{
    fputs("Weaves documents and their ledger into one page: each line of a claim with its verdict\n"
          "in the margin and its evidence under it.  Needs pandoc, and for PDF LuaLaTeX\n"
          "(./setup.sh --report installs both).\n\n",
          out);
    ev_options_help(out, options, OPTION_COUNT);
    fputs(
        "\nExit status: 0 the page is written and every verdict is as expected; 1 it is written,\n"
        "and one is not; 2 the input or the command line is wrong, or the ledger is stale; 3 the\n"
        "machine failed (disk, memory, no pandoc).\n",
        out);
}

/* --- Where things are ------------------------------------------------------------------------- */

/* The path of this program; its length, or 0. */
static size_t find_program(char program[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", program, PATH_MAX - 1);
    length = length < 0 ? 0 : length;
    program[length] = '\0';
    return (size_t)length;
}

/* The folder of the filter: report/ of the source tree above the program, or the installed one. */
static bool find_folder(char *folder, size_t size)
{
    static const char *const places[] = {"/../report", "/../../report",
                                         "/../share/evidence/report"};
    char program[PATH_MAX], filter[PATH_MAX + 64];
    if (find_program(program) == 0)
        return false;
    *strrchr(program, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int written = snprintf(folder, size, "%s%s", program, places[i]);
        snprintf(filter, sizeof filter, "%s/report.lua", folder);
        if (written > 0 && (size_t)written < size && access(filter, R_OK) == 0)
            return true;
    }
    return false;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

/* --- The ledger ---------------------------------------------------------------------------------- */

/* Judge the documents and write their ledger into a file of its own; *exit is what the verdicts ask
 * for. */
static int judge_into(ev_run *run, const char *path, int *verdicts)
{
    ev_judge_options judge = EV_JUDGE_DEFAULTS;
    ev_error error = EV_ERROR_NONE;
    ev_output output;
    judge.seed = asked.seed;
    judge.effort = (ev_effort_level)asked.effort;
    judge.mutants = asked.mutants == 1;
    judge.threads = (size_t)asked.threads;
    int status = ev_run_judge(run, &judge);
    if (status != EV_EXIT_OK)
        return status;
    ev_report report = {
        .ledger = run->ledger, .documents = run->documents, .document_count = run->document_count};
    *verdicts = ev_report_exit(&report);
    ev_status written = ev_output_open(&output, path, &error);
    if (written == EV_OK) {
        written = ev_report_jsonl(&report, output.stream, &error);
        if (written == EV_OK)
            written = ev_output_close(&output, &error);
        else
            ev_output_discard(&output);
    }
    if (written != EV_OK)
        ev_message_error(&error, run->colour);
    return ev_message_exit(written);
}

/* --- pandoc ------------------------------------------------------------------------------------------ */

enum { MOST_WORDS = 40, LONGEST = PATH_MAX + 64 };

typedef struct {
    char *words[MOST_WORDS + 1];
    char text[MOST_WORDS][LONGEST];
    size_t count;
    bool failed;
} command;

static void add(command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(command *c, const char *format, ...)
{
    va_list arguments;
    if (c->count == MOST_WORDS) {
        c->failed = true;
        return;
    }
    va_start(arguments, format);
    int length = vsnprintf(c->text[c->count], LONGEST, format, arguments);
    va_end(arguments);
    c->failed = c->failed || length < 0 || length >= LONGEST;
    c->words[c->count] = c->text[c->count];
    c->words[++c->count] = NULL;
}

static void compose(command *c, const char *folder, const char *ledger, const char *draft, bool pdf)
{
    char program[PATH_MAX];
    find_program(program);
    add(c, "pandoc");
    add(c, "--from=markdown-smart-implicit_figures+lists_without_preceding_blankline");
    add(c, "--standalone");
    add(c, "--wrap=none");
    add(c, "--toc");
    add(c, "--toc-depth=2");
    add(c, "--lua-filter=%s/report.lua", folder);
    add(c, "--metadata=title:%s", asked.title == NULL ? "Evidence" : asked.title);
    add(c, "--metadata=ledger:%s", ledger);
    add(c, "--metadata=revision:%s", EV_BUILD_REVISION);
    add(c, "--metadata=figures:%s", asked.figures == NULL ? "" : asked.figures);
    add(c, "--metadata=results:%s", asked.results == NULL ? "" : asked.results);
    add(c, "--metadata=runs:%s", asked.runs == NULL ? "" : asked.runs);
    add(c, "--metadata=program:%s", program);
    if (pdf) {
        add(c, "--template=%s/template.tex", folder);
        add(c, "--pdf-engine=lualatex");
    } else {
        add(c, "--template=%s/template.html", folder);
        add(c, "--to=html5");
        add(c, "--mathml");
        add(c, "--self-contained");
        add(c, "--no-highlight");
    }
    add(c, "--output=%s", draft);
}

/* Run it on the documents; an exit status of ours. */
static int convert(const command *c, const ev_run *run)
{
    size_t count = c->count + run->document_count;
    char **words = calloc(count + 1, sizeof *words);
    pid_t child;
    int ended = 0;
    if (words == NULL) {
        ev_message(run->colour, "memory is short");
        return EV_EXIT_MACHINE;
    }
    memcpy(words, c->words, c->count * sizeof *words);
    for (size_t i = 0; i < run->document_count; i++)
        words[c->count + i] = (char *)(uintptr_t)run->documents[i]->file;
    int failure = posix_spawnp(&child, "pandoc", NULL, NULL, words, environ);
    free(words);
    if (failure != 0) {
        ev_message(run->colour, failure == ENOENT
                                    ? "pandoc is missing: ./setup.sh --report installs it"
                                    : "pandoc can't be run");
        return EV_EXIT_MACHINE;
    }
    while (waitpid(child, &ended, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0)
        return EV_EXIT_OK;
    bool stale = WIFEXITED(ended) && WEXITSTATUS(ended) == 2; /* the filter has said what */
    if (!stale)
        ev_message(run->colour, "pandoc failed");
    return stale ? EV_EXIT_INPUT : EV_EXIT_MACHINE;
}

/* The page is made beside its place, and takes it when it is whole. */
static int weave(ev_run *run, const char *folder)
{
    static command c;
    bool pdf = ends_with(asked.out, ".pdf");
    char draft[PATH_MAX], judged[PATH_MAX];
    int verdicts = EV_EXIT_OK, status = EV_EXIT_OK;
    snprintf(draft, sizeof draft, "%s.part%s", asked.out, pdf ? ".pdf" : ".html");
    snprintf(judged, sizeof judged, "%s.part.jsonl", asked.out);
    if (asked.ledger == NULL)
        status = judge_into(run, judged, &verdicts);
    compose(&c, folder, asked.ledger == NULL ? judged : asked.ledger, draft, pdf);
    if (c.failed) {
        ev_message(run->colour, "a path is too long");
        status = EV_EXIT_INPUT;
    }
    if (status == EV_EXIT_OK)
        status = convert(&c, run);
    if (status == EV_EXIT_OK && rename(draft, asked.out) != 0) {
        ev_message(run->colour, "can't write '%s': %s", asked.out, strerror(errno));
        status = EV_EXIT_MACHINE;
    }
    if (status != EV_EXIT_OK)
        unlink(draft);
    if (asked.ledger == NULL)
        unlink(judged);
    return status == EV_EXIT_OK ? verdicts : status;
}

/* What is wrong with the command line, or EV_EXIT_OK. */
static int refuse(char *folder, size_t size)
{
    if (asked.out == NULL) {
        ev_message(EV_COLOUR_AUTO, "say where the page goes: --out FILE.html or --out FILE.pdf");
        return EV_EXIT_INPUT;
    }
    if (!ends_with(asked.out, ".html") && !ends_with(asked.out, ".pdf")) {
        ev_message(EV_COLOUR_AUTO, "--out '%s' ends in neither .html nor .pdf", asked.out);
        return EV_EXIT_INPUT;
    }
    if (asked.ledger != NULL && access(asked.ledger, R_OK) != 0) {
        ev_message(EV_COLOUR_AUTO, "no ledger '%s': %s", asked.ledger, strerror(errno));
        return EV_EXIT_INPUT;
    }
    if (!find_folder(folder, size)) {
        ev_message(EV_COLOUR_AUTO, "the files of report/ are not where the program looks for them");
        return EV_EXIT_MACHINE;
    }
    return EV_EXIT_OK;
}

static int run_report(int argc, char **argv)
{
    ev_judge_options defaults = EV_JUDGE_DEFAULTS;
    char folder[PATH_MAX];
    asked.seed = defaults.seed;
    asked.effort = (int)defaults.effort;
    switch (ev_options_parse("report", options, OPTION_COUNT, &argc, argv)) {
    case EV_OPTIONS_HELP: return ev_subcommand_help(&ev_report_subcommand);
    case EV_OPTIONS_BAD: return EV_EXIT_INPUT;
    default: break;
    }
    int status = refuse(folder, sizeof folder);
    if (status != EV_EXIT_OK)
        return status;
    ev_run run = {.colour = EV_COLOUR_AUTO};
    status = ev_run_read(&run, argv, (size_t)argc);
    if (status == EV_EXIT_OK)
        status = weave(&run, folder);
    ev_run_end(&run);
    return status;
}

const ev_subcommand ev_report_subcommand = {"report", "[OPTION...] --out FILE [FILE.md...]",
                                            "a page of derivations and their evidence", run_report,
                                            help};
