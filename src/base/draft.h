/* A file that appears whole or not at all.
 *
 * It is written under a temporary name in the folder where it will stand; once every byte is on the
 * disk it takes its name in one step, and the folder is written through.  Whatever happens before,
 * a full disk or a kill, leaves an older file of that name as it was.
 *
 *   ev_draft draft;
 *   ev_status status = ev_draft_open(&draft, "RUN/checkpoint.safetensors", error);
 *   if (status == EV_OK)
 *       status = ev_draft_write(&draft, bytes, length, error);
 *   status = status == EV_OK ? ev_draft_commit(&draft, error) : status;
 *   ev_draft_discard(&draft);
 */
#ifndef EV_BASE_DRAFT_H
#define EV_BASE_DRAFT_H

#include "base/error.h"

#include <stddef.h>

typedef struct {
    int descriptor;   /* -1 when closed */
    const char *path; /* the caller's; for messages */
    char *target;     /* what the path names, behind symbolic links */
    char *temporary;  /* in target's folder; NULL when written in place */
} ev_draft;

#define EV_DRAFT_NONE ((ev_draft){.descriptor = -1})

/* A regular file's permissions are kept; a device or a pipe is written in place.  EV_IO, with nothing
 * left behind, when the file can't be made.  The path must outlive the draft. */
ev_status ev_draft_open(ev_draft *draft, const char *path, ev_error *error);
/* All of the bytes, or EV_IO. */
ev_status ev_draft_write(ev_draft *draft, const void *bytes, size_t length, ev_error *error);
/* Flush, give the file its name, flush the folder.  The draft is empty afterwards. */
ev_status ev_draft_commit(ev_draft *draft, ev_error *error);
/* Give up: nothing is left behind.  An empty draft is allowed. */
void ev_draft_discard(ev_draft *draft);

#endif
