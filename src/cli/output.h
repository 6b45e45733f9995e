/* Where results go: standard output, or a file that appears whole or not at all.  They are kept in
 * memory until they are complete, so that an interrupted run leaves nothing half written. */
#ifndef EV_CLI_OUTPUT_H
#define EV_CLI_OUTPUT_H

#include "base/draft.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct {
    FILE *stream;   /* print here */
    ev_draft draft; /* where it will go */
    bool standard;  /* that is standard output, which is not ours to close */
    char *bytes;    /* what the stream holds, once it is closed */
    size_t length;
} ev_output;

/* Open a path, or standard output for NULL.  A regular file is written beside its name first; a
 * device or pipe is written directly.  EV_IO when that can't be done. */
ev_status ev_output_open(ev_output *output, const char *path, ev_error *error);
/* Write all of it, check that every byte has gone, and give the file its name.  On EV_IO there is no
 * new file, and an old one is as it was. */
ev_status ev_output_close(ev_output *output, ev_error *error);
/* Give up: nothing is written. */
void ev_output_discard(ev_output *output);

#endif
