#include "cli/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ev_status refuse(ev_error *error, const ev_output *output, int number)
{
    return ev_error_set(error, EV_IO, "can't write to %s: %s", output->draft.path,
                        strerror(number));
}

ev_status ev_output_open(ev_output *output, const char *path, ev_error *error)
{
    *output = (ev_output){.draft = {.descriptor = STDOUT_FILENO, .path = "standard output"},
                          .standard = path == NULL};
    ev_status status = path == NULL ? EV_OK : ev_draft_open(&output->draft, path, error);
    if (status == EV_OK) {
        output->stream = open_memstream(&output->bytes, &output->length);
        if (output->stream == NULL)
            status = refuse(error, output, errno);
    }
    if (status != EV_OK)
        ev_output_discard(output);
    return status;
}

ev_status ev_output_close(ev_output *output, ev_error *error)
{
    bool complete = ferror(output->stream) == 0;
    complete = fclose(output->stream) == 0 && complete;
    output->stream = NULL;
    ev_status status = complete
                           ? ev_draft_write(&output->draft, output->bytes, output->length, error)
                           : refuse(error, output, ENOMEM);
    if (status == EV_OK) /* of standard output, too: a full disk may only show at the end */
        status = ev_draft_commit(&output->draft, error);
    ev_output_discard(output);
    return status;
}

void ev_output_discard(ev_output *output)
{
    if (output->stream != NULL)
        fclose(output->stream);
    if (!output->standard)
        ev_draft_discard(&output->draft);
    free(output->bytes);
    *output = (ev_output){.draft = EV_DRAFT_NONE};
}
