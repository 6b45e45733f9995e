/* evidence check: judge documents, and print what was found. */
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/run.h"
#include "cli/subcommand.h"

typedef ev_status (*writer)(const ev_report *report, FILE *out, ev_error *error);

static const char *const formats[] = {"table", "tap", "junit", "jsonl", NULL};
static const writer writers[] = {ev_report_table, ev_report_tap, ev_report_junit, ev_report_jsonl};
static const char *const efforts[] = {"quick", "full", "deep", NULL};
static const char *const switches[] = {"off", "on", NULL};
static const char *const colours[] = {"auto", "always", "never", NULL};

static struct {
    const char *only, *out;
    uint64_t seed, threads;
    int effort, format, colour, mutants;
    bool verbose, findings;
} asked;

static const ev_option options[] = {
    {"only", 0, EV_OPTION_TEXT, "PATTERN", "only claims or claim@steps that match, as in a shell",
     &asked.only, 0, 0, NULL},
    {"seed", 0, EV_OPTION_NUMBER, "N", "the seed of every random draw", &asked.seed, 0, UINT64_MAX,
     NULL},
    {"mutants", 0, EV_OPTION_CHOICE, NULL, "break every step and see it refuted; diagnose",
     &asked.mutants, 0, 0, switches},
    {"effort", 0, EV_OPTION_CHOICE, NULL, "how long to try before UNDECIDED", &asked.effort, 0, 0,
     efforts},
    {"threads", 0, EV_OPTION_NUMBER, "N", "threads (default: OpenMP's)", &asked.threads, 1, 1024,
     NULL},
    {"format", 0, EV_OPTION_CHOICE, NULL, "how results are printed", &asked.format, 0, 0, formats},
    {"findings", 0, EV_OPTION_FLAG, NULL, "instead of the table: what the sources get wrong",
     &asked.findings, 0, 0, NULL},
    {"out", 0, EV_OPTION_TEXT, "FILE", "where results go (default: standard output)", &asked.out, 0,
     0, NULL},
    {"color", 0, EV_OPTION_CHOICE, NULL, "auto: on a terminal, unless NO_COLOR is set",
     &asked.colour, 0, 0, colours},
    {"verbose", 'v', EV_OPTION_FLAG, NULL, "printed lines whole, not cut to the width",
     &asked.verbose, 0, 0, NULL},
};
enum { OPTION_COUNT = sizeof options / sizeof *options };

static void help(FILE *out)
{
    fputs(
        "Decides every step of every claim, as it is printed, and compares the verdicts with the\n"
        "expected ones.  Without files: derivations/*.md, README.md aside.\n\n",
        out);
    ev_options_help(out, options, OPTION_COUNT);
    fputs("\nExit status: 0 every verdict is as expected; 1 one is not, or a mutant survives, or\n"
          "nothing was checked; 2 the input or the command line is wrong; 3 the machine failed\n"
          "(disk, memory).\n",
          out);
}

static int write_report(const ev_run *run, const ev_canaries *canaries)
{
    ev_error error = EV_ERROR_NONE;
    ev_output output;
    ev_status status = ev_output_open(&output, asked.out, &error);
    if (status == EV_OK) {
        ev_report report = {.ledger = run->ledger,
                            .documents = run->documents,
                            .document_count = run->document_count,
                            .style = ev_style_of(output.draft.descriptor, run->colour),
                            .only = asked.only,
                            .verbose = asked.verbose,
                            .seconds = run->seconds,
                            .canaries = canaries};
        writer write = asked.findings ? ev_report_findings : writers[asked.format];
        status = write(&report, output.stream, &error);
        if (status == EV_OK)
            status = ev_output_close(&output, &error);
        else
            ev_output_discard(&output);
        if (status == EV_OK)
            return ev_report_exit(&report);
    }
    ev_message_error(&error, run->colour);
    return ev_message_exit(status);
}

/* The other formats have no place for a run that checked nothing. */
static void say_nothing_checked(const ev_run *run)
{
    for (size_t i = 0; asked.only == NULL && i < run->document_count; i++)
        if (run->documents[i]->claim_count == 0)
            ev_message(run->colour, "%s: nothing was checked: the document has no claims",
                       run->documents[i]->file);
    if (asked.only != NULL && run->ledger->count == 0)
        ev_message(run->colour, "nothing was checked: no step matches '%s'", asked.only);
}

/* The judge is judged first.  Returns an exit status: 0 whatever became of the canaries. */
static int judge_canaries(ev_run *run, ev_canaries *canaries)
{
    ev_error error = EV_ERROR_NONE;
    double began = ev_clock();
    ev_status status = ev_canaries_judge(asked.seed, canaries, &error);
    run->seconds += ev_clock() - began;
    if (status != EV_OK)
        ev_message_error(&error, run->colour);
    else if (canaries->as_planted < canaries->total)
        ev_message(run->colour,
                   "%zu of %zu canaries are not as planted, so no verdict of this run is to be "
                   "believed: %s",
                   canaries->total - canaries->as_planted, canaries->total,
                   canaries->first_failure);
    return ev_message_exit(status);
}

static int run_check(int argc, char **argv)
{
    ev_judge_options judge = EV_JUDGE_DEFAULTS;
    asked.seed = judge.seed;
    asked.effort = (int)judge.effort;
    switch (ev_options_parse("check", options, OPTION_COUNT, &argc, argv)) {
    case EV_OPTIONS_HELP: return ev_subcommand_help(&ev_check_subcommand);
    case EV_OPTIONS_BAD: return EV_EXIT_INPUT;
    default: break;
    }
    if (asked.findings && asked.format != 0) {
        ev_message((ev_colour_choice)asked.colour,
                   "--findings is a page for people: it has no --format %s", formats[asked.format]);
        return EV_EXIT_INPUT;
    }
    judge.seed = asked.seed;
    judge.effort = (ev_effort_level)asked.effort;
    judge.mutants = asked.mutants == 1;
    judge.only = asked.only;
    judge.threads = (size_t)asked.threads;
    ev_run run = {.colour = (ev_colour_choice)asked.colour};
    int status = ev_run_read(&run, argv, (size_t)argc);
    ev_canaries canaries = {.total = 0};
    if (status == EV_EXIT_OK)
        status = judge_canaries(&run, &canaries);
    if (status == EV_EXIT_OK)
        status = ev_run_judge(&run, &judge);
    if (status == EV_EXIT_OK) {
        say_nothing_checked(&run);
        status = write_report(&run, &canaries);
    }
    ev_run_end(&run);
    return status;
}

const ev_subcommand ev_check_subcommand = {"check", "[OPTION...] [FILE.md...]",
                                           "check derivations, line by line", run_check, help};
