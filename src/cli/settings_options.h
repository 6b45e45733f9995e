/* The settings of a run as options of the command line: --autoencoder-epochs for the key
 * autoencoder_epochs of config.json, and so on, from the same table. */
#ifndef EV_CLI_SETTINGS_OPTIONS_H
#define EV_CLI_SETTINGS_OPTIONS_H

#include "cli/options.h"
#include "train/settings.h"

enum { EV_SETTINGS_OPTIONS = EV_SETTINGS_KEYS + 16 }; /* all keys, and a command's own */

/* The settings, the texts that are read on the way, and the table that points at them.  Do not move
 * it once made. */
typedef struct {
    ev_settings settings;
    const char *hidden, *data; /* as written, or NULL */
    char names[EV_SETTINGS_OPTIONS][32];
    size_t count;
    ev_option option[EV_SETTINGS_OPTIONS];
} ev_settings_options;

/* Make the table; extra options of the subcommand's own come first. */
void ev_settings_options_make(ev_settings_options *options, size_t extra, const ev_option *own);
/* Take over what was written as text; false when it says nothing (the reason is on standard error). */
bool ev_settings_options_take(ev_settings_options *options);

#endif
