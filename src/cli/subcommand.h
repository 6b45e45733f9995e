/* The subcommands of `evidence`: one file each, one line each in main.c's table. */
#ifndef EV_CLI_SUBCOMMAND_H
#define EV_CLI_SUBCOMMAND_H

#include <stdio.h>

typedef struct {
    const char *name;
    const char *arguments;             /* the usage line behind the name */
    const char *summary;               /* one line */
    int (*run)(int argc, char **argv); /* the words behind the name; returns an exit status */
    void (*help)(FILE *out);           /* what `evidence help NAME` prints below the usage line */
} ev_subcommand;

extern const ev_subcommand ev_check_subcommand, ev_explain_subcommand, ev_tabulate_subcommand;
extern const ev_subcommand ev_train_subcommand, ev_eval_subcommand, ev_sample_subcommand,
    ev_reconstruct_subcommand, ev_audit_subcommand, ev_encode_subcommand, ev_decode_subcommand;
extern const ev_subcommand ev_report_subcommand;

/* Print a page on standard output; returns an exit status. */
int ev_page_print(void (*page)(FILE *out, const ev_subcommand *subcommand),
                  const ev_subcommand *subcommand);
/* Print the whole page of a subcommand's help on standard output; returns an exit status. */
int ev_subcommand_help(const ev_subcommand *subcommand);

#endif
