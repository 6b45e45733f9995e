#define _XOPEN_SOURCE 700 /* realpath */

#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ev_status refuse(ev_error *error, const ev_output *output, int number)
{
    const char *name = output->path == NULL ? "standard output" : output->path;
    return ev_error_set(error, EV_IO, "can't write to %s: %s", name, strerror(number));
}

/* A file of our own in target's directory, with the permissions that the new file shall have. */
static ev_status open_temporary(ev_output *output, const struct stat *old, ev_error *error)
{
    size_t length = strlen(output->target);
    char *name = malloc(length + 8);
    if (name == NULL)
        return refuse(error, output, ENOMEM);
    memcpy(name, output->target, length);
    memcpy(name + length, ".XXXXXX", 8);
    output->descriptor = mkstemp(name);
    if (output->descriptor < 0) {
        int number = errno;
        free(name);
        return refuse(error, output, number);
    }
    output->temporary = name;
    mode_t mask = umask(0);
    umask(mask);
    mode_t mode = old != NULL ? old->st_mode & 0777 : 0666 & ~mask;
    return fchmod(output->descriptor, mode) == 0 ? EV_OK : refuse(error, output, errno);
}

static ev_status open_path(ev_output *output, ev_error *error)
{
    struct stat about;
    bool exists = stat(output->path, &about) == 0;
    if (exists && !S_ISREG(about.st_mode)) {
        output->descriptor = open(output->path, O_WRONLY | O_NOCTTY);
        return output->descriptor < 0 ? refuse(error, output, errno) : EV_OK;
    }
    output->target = exists ? realpath(output->path, NULL) : strdup(output->path);
    if (output->target == NULL)
        return refuse(error, output, errno);
    return open_temporary(output, exists ? &about : NULL, error);
}

ev_status ev_output_open(ev_output *output, const char *path, ev_error *error)
{
    *output = (ev_output){.descriptor = path == NULL ? STDOUT_FILENO : -1, .path = path};
    ev_status status = path == NULL ? EV_OK : open_path(output, error);
    if (status == EV_OK) {
        output->stream = open_memstream(&output->bytes, &output->length);
        if (output->stream == NULL)
            status = refuse(error, output, errno);
    }
    if (status != EV_OK)
        ev_output_discard(output);
    return status;
}

/* 0, or the error's number. */
static int write_all(const ev_output *output)
{
    for (size_t done = 0; done < output->length;) {
        ssize_t n = write(output->descriptor, output->bytes + done, output->length - done);
        if (n < 0 && errno != EINTR)
            return errno;
        done += n > 0 ? (size_t)n : 0;
    }
    return output->temporary != NULL && fsync(output->descriptor) != 0 ? errno : 0;
}

static int close_descriptor(ev_output *output)
{
    int failed = output->descriptor >= 0 ? close(output->descriptor) : 0;
    output->descriptor = -1;
    return failed != 0 ? errno : 0;
}

ev_status ev_output_close(ev_output *output, ev_error *error)
{
    bool complete = ferror(output->stream) == 0;
    complete = fclose(output->stream) == 0 && complete;
    output->stream = NULL;
    int number = complete ? write_all(output) : ENOMEM;
    int late = close_descriptor(output); /* a full disk may only show here */
    number = number == 0 ? late : number;
    if (number == 0 && output->temporary != NULL) {
        number = rename(output->temporary, output->target) == 0 ? 0 : errno;
        if (number == 0) {
            free(output->temporary);
            output->temporary = NULL;
        }
    }
    ev_status status = number == 0 ? EV_OK : refuse(error, output, number);
    ev_output_discard(output);
    return status;
}

void ev_output_discard(ev_output *output)
{
    if (output->stream != NULL)
        fclose(output->stream);
    if (output->path != NULL)
        close_descriptor(output);
    if (output->temporary != NULL)
        unlink(output->temporary);
    free(output->temporary);
    free(output->target);
    free(output->bytes);
    *output = (ev_output){.descriptor = -1};
}
