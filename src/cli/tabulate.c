/* evidence tabulate: tables made from the ledger, by name. */
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/sources.h"
#include "cli/steps.h"
#include "cli/subcommand.h"

#include <string.h>
#include <unistd.h>

static const char *const efforts[] = {"quick", "full", "deep", NULL};
static const char *const formats[] = {"tsv", "markdown", NULL};

static struct {
    const char *out;
    uint64_t seed, threads;
    int effort, format;
} asked;

static const ev_option options[] = {
    {"seed", 0, EV_OPTION_NUMBER, "N", "the seed of every random draw", &asked.seed, 0, UINT64_MAX,
     NULL},
    {"effort", 0, EV_OPTION_CHOICE, NULL, "how long to try before UNDECIDED (quick)", &asked.effort,
     0, 0, efforts},
    {"threads", 0, EV_OPTION_NUMBER, "N", "threads (default: OpenMP's)", &asked.threads, 1, 1024,
     NULL},
    {"format", 0, EV_OPTION_CHOICE, NULL, "tab-separated, or a Markdown table", &asked.format, 0, 0,
     formats},
    {"out", 0, EV_OPTION_TEXT, "FILE", "where it goes (default: standard output)", &asked.out, 0, 0,
     NULL},
};
enum { OPTION_COUNT = sizeof options / sizeof *options };

static int judge(ev_run *run)
{
    ev_judge_options as_asked = {.seed = asked.seed,
                                 .effort = (ev_effort_level)asked.effort,
                                 .threads = (size_t)asked.threads};
    return ev_run_judge(run, &as_asked);
}

/* Judge the documents and write their sources' table. */
static int tabulate_sources(ev_run *run, FILE *out, size_t *rows, ev_error *error)
{
    int status = judge(run);
    if (status != EV_EXIT_OK)
        return status;
    ev_status written = ev_sources_write(run->ledger, (ev_sources_format)asked.format, out, rows,
                                         error);
    if (written != EV_OK)
        ev_message_error(error, run->colour);
    return ev_message_exit(written);
}

/* Judge the documents and write the table of their steps. */
static int tabulate_steps(ev_run *run, FILE *out, size_t *rows, ev_error *error)
{
    int status = judge(run);
    (void)error;
    if (status == EV_EXIT_OK)
        *rows = ev_steps_write(run->ledger, out);
    return status;
}

static const struct {
    const char *name, *summary;
    int (*write)(ev_run *run, FILE *out, size_t *rows, ev_error *error);
} tables[] = {
    {"sources", "every line that is printed in a source, and its verdict", tabulate_sources},
    {"steps", "every step: the digits agreed, the points, the verdict", tabulate_steps}};
enum { STEPS = 1, TABLES = sizeof tables / sizeof *tables };

static void help(FILE *out)
{
    fputs("Writes a table of data.  Without files: derivations/*.md, README.md aside.\n\n", out);
    for (size_t i = 0; i < TABLES; i++)
        fprintf(out, "  %-10s %s\n", tables[i].name, tables[i].summary);
    fputs("\nThe name of a derivation, NAME, stands for the steps of derivations/NAME.md.\n\n",
          out);
    ev_options_help(out, options, OPTION_COUNT);
    fputs("\nExit status: 0 the table is written, whatever the verdicts; 1 it has no rows; 2 the\n"
          "input or the command line is wrong; 3 the machine failed (disk, memory).\n",
          out);
}

static int refuse(const char *name)
{
    char names[256] = "";
    for (size_t i = 0; i < TABLES; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i == 0 ? "" : ", ", tables[i].name);
    }
    if (name == NULL)
        ev_message(EV_COLOUR_AUTO, "name a table: %s", names);
    else
        ev_message(EV_COLOUR_AUTO, "no table '%s'; there are: %s", name, names);
    return EV_EXIT_INPUT;
}

/* derivations/NAME.md, if there is such a document. */
static bool document_of(const char *name, char *path, size_t size)
{
    int length = snprintf(path, size, "derivations/%s.md", name);
    return strchr(name, '/') == NULL && length > 0 && (size_t)length < size &&
           access(path, R_OK) == 0;
}

static int write_table(ev_run *run, size_t table)
{
    ev_error error = EV_ERROR_NONE;
    ev_output output;
    size_t rows = 0;
    if (ev_output_open(&output, asked.out, &error) != EV_OK) {
        ev_message_error(&error, run->colour);
        return EV_EXIT_MACHINE;
    }
    int status = tables[table].write(run, output.stream, &rows, &error);
    if (status != EV_EXIT_OK) {
        ev_output_discard(&output);
        return status;
    }
    ev_status closed = ev_output_close(&output, &error);
    if (closed != EV_OK)
        ev_message_error(&error, run->colour);
    else if (rows == 0)
        ev_message(run->colour, "the table has no rows");
    return closed == EV_OK && rows == 0 ? EV_EXIT_UNEXPECTED : ev_message_exit(closed);
}

static int run_tabulate(int argc, char **argv)
{
    ev_judge_options defaults = EV_JUDGE_DEFAULTS;
    asked.seed = defaults.seed;
    asked.effort = EV_EFFORT_QUICK;
    switch (ev_options_parse("tabulate", options, OPTION_COUNT, &argc, argv)) {
    case EV_OPTIONS_HELP: return ev_subcommand_help(&ev_tabulate_subcommand);
    case EV_OPTIONS_BAD: return EV_EXIT_INPUT;
    default: break;
    }
    size_t table = 0;
    while (argc > 0 && table < TABLES && strcmp(tables[table].name, argv[0]) != 0)
        table++;
    char path[1024], *own[] = {path};
    bool document = argc == 1 && table == TABLES && document_of(argv[0], path, sizeof path);
    if (argc == 0 || (table == TABLES && !document))
        return refuse(argc == 0 ? NULL : argv[0]);
    table = document ? STEPS : table;
    ev_run run = {.colour = EV_COLOUR_AUTO};
    int status = document ? ev_run_read(&run, own, 1)
                          : ev_run_read(&run, argv + 1, (size_t)(argc - 1));
    if (status == EV_EXIT_OK)
        status = write_table(&run, table);
    ev_run_end(&run);
    return status;
}

const ev_subcommand ev_tabulate_subcommand = {"tabulate", "[OPTION...] NAME [FILE.md...]",
                                              "tables made from the ledger", run_tabulate, help};
