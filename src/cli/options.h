/* The command line, read strictly: a table of options says what there is, and prints the help.
 *
 *   static const ev_option options[] = {
 *       {"seed", 0, EV_OPTION_NUMBER, "N", "what", .high = UINT64_MAX, .target = &seed}, ...
 *   switch (ev_options_parse("check", options, count, &argc, argv)) ...
 *
 * --name value and --name=value are the same; -- ends the options; the last of two wins. */
#ifndef EV_CLI_OPTIONS_H
#define EV_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum {
    EV_OPTION_FLAG,   /* bool *: becomes true */
    EV_OPTION_TEXT,   /* const char **; not empty */
    EV_OPTION_NUMBER, /* uint64_t *, from low to high */
    EV_OPTION_REAL,   /* double *, finite; whether it is in range is for others to say */
    EV_OPTION_CHOICE  /* int *: the position in choices */
} ev_option_kind;

typedef struct {
    const char *name;
    char letter; /* -v, or 0 */
    ev_option_kind kind;
    const char *argument; /* its name in the help; choices give their own */
    const char *help;
    void *target;
    uint64_t low, high;
    const char *const *choices; /* ended by NULL */
} ev_option;

typedef enum { EV_OPTIONS_OK, EV_OPTIONS_HELP, EV_OPTIONS_BAD } ev_options_result;

/* Read argv[0 .. *argc), in which the operands are then left, in order.  --help and -h are known to
 * every subcommand.  What is wrong is said on standard error. */
ev_options_result ev_options_parse(const char *subcommand, const ev_option *options, size_t count,
                                   int *argc, char **argv);
/* The options' part of a subcommand's help. */
void ev_options_help(FILE *out, const ev_option *options, size_t count);

/* The word of the list nearest to a mistyped one, or NULL when none is near. */
const char *ev_nearest(const char *word, const char *const *words, size_t count);

#endif
