#include "cli/subcommand.h"

#include "cli/message.h"
#include "cli/output.h"

int ev_page_print(void (*page)(FILE *out, const ev_subcommand *subcommand),
                  const ev_subcommand *subcommand)
{
    ev_error error = EV_ERROR_NONE;
    ev_output output;
    ev_status status = ev_output_open(&output, NULL, &error);
    if (status == EV_OK) {
        page(output.stream, subcommand);
        status = ev_output_close(&output, &error);
    }
    if (status != EV_OK)
        ev_message_error(&error, EV_COLOUR_AUTO);
    return ev_message_exit(status);
}

static void help_page(FILE *out, const ev_subcommand *subcommand)
{
    fprintf(out, "usage: evidence %s %s\n\n", subcommand->name, subcommand->arguments);
    subcommand->help(out);
}

int ev_subcommand_help(const ev_subcommand *subcommand)
{
    return ev_page_print(help_page, subcommand);
}
