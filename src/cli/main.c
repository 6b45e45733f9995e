/* evidence: the one program.  A subcommand is a line of the table below and a file of its own. */
#include "cli/message.h"
#include "cli/options.h"
#include "cli/subcommand.h"

#include "build_info.h"

#include <locale.h>
#include <signal.h>
#include <string.h>

#ifndef EV_VERSION
#define EV_VERSION "0.1.0"
#endif

static const ev_subcommand *const subcommands[] = {
    &ev_check_subcommand,  &ev_explain_subcommand,     &ev_tabulate_subcommand,
    &ev_report_subcommand, &ev_train_subcommand,       &ev_eval_subcommand,
    &ev_sample_subcommand, &ev_reconstruct_subcommand, &ev_audit_subcommand,
    &ev_encode_subcommand, &ev_decode_subcommand};
enum { COUNT = sizeof subcommands / sizeof *subcommands };

static void help_page(FILE *out, const ev_subcommand *subcommand)
{
    (void)subcommand;
    fputs("usage: evidence SUBCOMMAND [...]\n\n"
          "Checks derivations of generative models line by line, as they are printed, and trains "
          "the models.\n\n",
          out);
    for (size_t i = 0; i < COUNT; i++)
        fprintf(out, "  %-10s %s\n", subcommands[i]->name, subcommands[i]->summary);
    fputs("  help       what a subcommand takes: evidence help check\n\n"
          "  -h, --help     this page\n"
          "  --version      version, compiler and revision\n",
          out);
}

static void version_page(FILE *out, const ev_subcommand *subcommand)
{
    (void)subcommand;
    fprintf(out, "evidence %s\nrevision %s, built by %s with %s\n", EV_VERSION, EV_BUILD_REVISION,
            EV_BUILD_COMPILER, EV_BUILD_FLAGS);
    fputs("Free software under the GNU General Public License, version 3 or later; no warranty.\n",
          out);
}

static const ev_subcommand *find(const char *name)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(subcommands[i]->name, name) == 0)
            return subcommands[i];
    return NULL;
}

static int refuse(const char *name)
{
    const char *names[COUNT + 1] = {"help"};
    for (size_t i = 0; i < COUNT; i++)
        names[i + 1] = subcommands[i]->name;
    const char *near = ev_nearest(name, names, COUNT + 1);
    if (near != NULL)
        ev_message(EV_COLOUR_AUTO, "unknown subcommand '%s'; did you mean '%s'?", name, near);
    else
        ev_message(EV_COLOUR_AUTO, "unknown subcommand '%s'; see 'evidence --help'", name);
    return EV_EXIT_INPUT;
}

static int run_help(int argc, char **argv)
{
    if (argc == 0)
        return ev_page_print(help_page, NULL);
    const ev_subcommand *subcommand = find(argv[0]);
    return subcommand == NULL ? refuse(argv[0]) : ev_subcommand_help(subcommand);
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");  /* for the encoding only: numbers keep their decimal point */
    signal(SIGPIPE, SIG_IGN); /* a reader that goes away is a write error like others */
    const char *word = argc > 1 ? argv[1] : "";
    if (*word == '\0') {
        ev_message(EV_COLOUR_AUTO, "no subcommand; see 'evidence --help'");
        return EV_EXIT_INPUT;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return ev_page_print(help_page, NULL);
    if (strcmp(word, "--version") == 0)
        return ev_page_print(version_page, NULL);
    if (strcmp(word, "help") == 0)
        return run_help(argc - 2, argv + 2);
    const ev_subcommand *subcommand = find(word);
    return subcommand == NULL ? refuse(word) : subcommand->run(argc - 2, argv + 2);
}
