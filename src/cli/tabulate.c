/* evidence tabulate: the data behind a plot, and tables made from the ledger, by name. */
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/sources.h"
#include "cli/steps.h"
#include "cli/subcommand.h"
#include "numerics/series.h"
#include "train/run_series.h"

#include "build_info.h"

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

/* --- Series ------------------------------------------------------------------------------------ */

static const ev_series_entry *find_topic(const char *name)
{
    const ev_series_entry *entry = ev_series_table;
    while (entry->topic != NULL && strcmp(entry->topic, name) != 0)
        entry++;
    return entry->topic == NULL ? NULL : entry;
}

static const ev_series *find_series(const ev_series *series, const char *name)
{
    while (series->name != NULL && strcmp(series->name, name) != 0)
        series++;
    return series->name == NULL ? NULL : series;
}

static void list_series(FILE *out)
{
    for (const ev_series_entry *entry = ev_series_table; entry->topic != NULL; entry++)
        for (const ev_series *series = entry->series; series->name != NULL; series++)
            fprintf(out, "%s\t%s\t%s\n", entry->topic, series->name, series->summary);
}

static void help(FILE *out)
{
    fputs(
        "Writes the data behind a plot (TOPIC SERIES, or RUN SERIES with the folder of a training\n"
        "run), or a table made from the ledger.  RUN alone lists the run's series.  Without "
        "files:\n"
        "derivations/*.md, README.md aside.\n\n",
        out);
    for (size_t i = 0; i < TABLES; i++)
        fprintf(out, "  %-22s %s\n", tables[i].name, tables[i].summary);
    fputs("  series                 every TOPIC, SERIES and what it is\n", out);
    for (const ev_series_entry *entry = ev_series_table; entry->topic != NULL; entry++) {
        fprintf(out, "  %-22s", entry->topic);
        for (const ev_series *series = entry->series; series->name != NULL; series++)
            fprintf(out, " %s", series->name);
        fputc('\n', out);
    }
    fputs("\nThe name of a derivation, NAME, stands for the steps of derivations/NAME.md.\n\n",
          out);
    ev_options_help(out, options, OPTION_COUNT);
    fputs("\nExit status: 0 the table is written, whatever the verdicts; 1 it has no rows; 2 the\n"
          "input or the command line is wrong; 3 the machine failed (disk, memory).\n",
          out);
}

static void append_name(char *names, size_t size, const char *name)
{
    size_t used = strlen(names);
    snprintf(names + used, size - used, "%s%s", used == 0 ? "" : ", ", name);
}

static int refuse(const char *name)
{
    char names[512] = "";
    for (size_t i = 0; i < TABLES; i++)
        append_name(names, sizeof names, tables[i].name);
    for (const ev_series_entry *entry = ev_series_table; entry->topic != NULL; entry++)
        append_name(names, sizeof names, entry->topic);
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

static int refuse_series(const ev_series_entry *entry, const char *name)
{
    ev_message(EV_COLOUR_AUTO, "%s has no series '%s'; 'evidence tabulate series' lists them",
               entry->topic, name);
    return EV_EXIT_INPUT;
}

/* What is to be written: a series of a topic or of a run, or the list of all series, or of the run's. */
typedef struct {
    const ev_series_entry *entry;
    const ev_run_facts *run;
    const ev_series *series;
} wanted;

static ev_status write_wanted(const wanted *w, FILE *out, size_t *rows, ev_error *error)
{
    *rows = 1;
    if (w->series == NULL && w->run == NULL) {
        list_series(out);
        return EV_OK;
    }
    if (w->series == NULL) {
        for (const ev_series *s = ev_run_series_of(w->run->model); s->name != NULL; s++)
            fprintf(out, "%s\t%s\t%s\n", w->run->model, s->name, s->summary);
        return EV_OK;
    }
    return w->run != NULL ? ev_run_series_write(w->run, w->series, out, rows, error)
                          : ev_series_write(w->series, w->entry->topic, asked.seed,
                                            EV_BUILD_REVISION, out, rows, error);
}

static int write_series(const wanted *w)
{
    ev_error error = EV_ERROR_NONE;
    ev_output output;
    size_t rows = 0;
    if (ev_output_open(&output, asked.out, &error) != EV_OK) {
        ev_message_error(&error, EV_COLOUR_AUTO);
        return EV_EXIT_MACHINE;
    }
    ev_status status = write_wanted(w, output.stream, &rows, &error);
    if (status == EV_OK)
        status = ev_output_close(&output, &error);
    else
        ev_output_discard(&output);
    if (status != EV_OK)
        ev_message_error(&error, EV_COLOUR_AUTO);
    else if (rows == 0)
        ev_message(EV_COLOUR_AUTO, "the table has no rows");
    return status == EV_OK && rows == 0 ? EV_EXIT_UNEXPECTED : ev_message_exit(status);
}

static int refuse_more(const char *name)
{
    ev_message(EV_COLOUR_AUTO, "one series at a time; '%s' is one too many", name);
    return EV_EXIT_INPUT;
}

static int tabulate_topic(const ev_series_entry *entry, int argc, char **argv)
{
    const wanted w = {.entry = entry, .series = find_series(entry->series, argv[0])};
    if (w.series == NULL)
        return refuse_series(entry, argv[0]);
    return argc > 1 ? refuse_more(argv[1]) : write_series(&w);
}

/* The folder of a run, and one of its series or none. */
static int tabulate_run(int argc, char **argv)
{
    ev_run_facts facts;
    ev_error error = EV_ERROR_NONE;
    wanted w = {.run = &facts};
    if (ev_run_facts_read(argv[0], &facts, &error) != EV_OK) {
        ev_message_error(&error, EV_COLOUR_AUTO);
        return ev_message_exit(error.status);
    }
    if (argc > 1)
        w.series = find_series(ev_run_series_of(facts.model), argv[1]);
    if (argc > 1 && w.series == NULL) {
        ev_message(EV_COLOUR_AUTO,
                   "%s, a run of the model %s, has no series '%s'; 'evidence tabulate %s' lists "
                   "them",
                   argv[0], facts.model, argv[1], argv[0]);
        return EV_EXIT_INPUT;
    }
    return argc > 2 ? refuse_more(argv[2]) : write_series(&w);
}

/* --- Tables from the ledger -------------------------------------------------------------------- */

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
    if (argc == 1 && strcmp(argv[0], "series") == 0)
        return write_series(&(wanted){.run = NULL});
    if (argc > 0 && ev_run_is_folder(argv[0]))
        return tabulate_run(argc, argv);
    const ev_series_entry *topic = argc < 2 ? NULL : find_topic(argv[0]);
    if (topic != NULL)
        return tabulate_topic(topic, argc - 1, argv + 1);
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

const ev_subcommand ev_tabulate_subcommand = {"tabulate",
                                              "[OPTION...] NAME|RUN [SERIES | FILE.md...]",
                                              "the data behind a plot; tables", run_tabulate, help};
