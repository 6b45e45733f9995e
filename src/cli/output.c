#define _XOPEN_SOURCE 700 /* realpath */

#include "cli/output.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ev_status refuse(ev_error *error, const ev_output *output, int number)
{
    const char *name = output->path == NULL ? "standard output" : output->path;
    return ev_error_set(error, EV_IO, "can't write to %s: %s", name,
                        number == 0 ? "output failed" : strerror(number));
}

static void clear(ev_output *output)
{
    free(output->target);
    free(output->temporary);
    *output = (ev_output){.stream = NULL};
}

/* A file of our own in target's directory, with the permissions that the new file shall have. */
static ev_status open_temporary(ev_output *output, const struct stat *old, ev_error *error)
{
    size_t length = strlen(output->target);
    output->temporary = malloc(length + 8);
    if (output->temporary == NULL)
        return refuse(error, output, ENOMEM);
    memcpy(output->temporary, output->target, length);
    memcpy(output->temporary + length, ".XXXXXX", 8);
    int descriptor = mkstemp(output->temporary);
    if (descriptor < 0) {
        int number = errno;
        free(output->temporary);
        output->temporary = NULL;
        return refuse(error, output, number);
    }
    mode_t mask = umask(0);
    umask(mask);
    bool permitted = fchmod(descriptor, old != NULL ? old->st_mode & 0777 : 0666 & ~mask) == 0;
    output->stream = permitted ? fdopen(descriptor, "w") : NULL;
    if (output->stream == NULL) {
        int number = errno;
        close(descriptor);
        return refuse(error, output, number);
    }
    return EV_OK;
}

static ev_status open_path(ev_output *output, ev_error *error)
{
    struct stat about;
    bool exists = stat(output->path, &about) == 0;
    if (exists && !S_ISREG(about.st_mode)) {
        output->stream = fopen(output->path, "w");
        return output->stream == NULL ? refuse(error, output, errno) : EV_OK;
    }
    output->target = exists ? realpath(output->path, NULL) : strdup(output->path);
    if (output->target == NULL)
        return refuse(error, output, errno);
    return open_temporary(output, exists ? &about : NULL, error);
}

ev_status ev_output_open(ev_output *output, const char *path, ev_error *error)
{
    *output = (ev_output){.stream = stdout, .path = path};
    if (path == NULL)
        return EV_OK;
    output->stream = NULL;
    ev_status status = open_path(output, error);
    if (status != EV_OK)
        ev_output_discard(output);
    return status;
}

ev_status ev_output_close(ev_output *output, ev_error *error)
{
    bool failed = ferror(output->stream) != 0;
    errno = 0;
    failed = fflush(output->stream) != 0 || failed;
    int number = errno;
    if (!failed && output->temporary != NULL && fsync(fileno(output->stream)) != 0) {
        failed = true;
        number = errno;
    }
    if (fclose(output->stream) != 0 && !failed) {
        failed = true;
        number = errno;
    }
    output->stream = NULL;
    if (!failed && output->temporary != NULL && rename(output->temporary, output->target) != 0) {
        failed = true;
        number = errno;
    }
    ev_status status = failed ? refuse(error, output, number) : EV_OK;
    if (failed)
        ev_output_discard(output);
    clear(output);
    return status;
}

void ev_output_discard(ev_output *output)
{
    if (output->path != NULL && output->stream != NULL)
        fclose(output->stream);
    if (output->temporary != NULL)
        unlink(output->temporary);
    clear(output);
}
